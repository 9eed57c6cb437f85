/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sum.c - ranges out of the walker's runs, numbers of tables, and what is wrong with them.
 */
#include "iommu.h"

#include <stdlib.h>
#include <string.h>

#define SUM_MIB UINT64_C(0x100000)
#define SUM_PAGE UINT64_C(0x1000)

struct sum_each {
	int (*fn)(void *ctx, const struct iommu_range *r);
	void *ctx;
	struct iommu_range range;
	bool open;
};

static unsigned int sum_size(uint32_t page)
{
	return page == 0x1000 ? 0 : page == 0x10000 ? 1 : page == 0x100000 ? 2 : 3;
}

/* Whether a run of other pages says the same as the range before it, and goes on there. */
static bool sum_joins(const struct pz_v7s_run *a, const struct pz_v7s_run *b)
{
	return !a->fault && !b->fault && b->first == a->last + 1 &&
	       b->phys == a->phys + (a->last - a->first) + 1 && pz_v7s_alike(a, b);
}

static int sum_close(struct sum_each *e)
{
	bool open = e->open;

	e->open = false;
	return open ? e->fn(e->ctx, &e->range) : 0;
}

static int sum_run(void *ctx, const struct pz_v7s_run *r)
{
	struct sum_each *e = ctx;
	int rc;

	if (!e->open || !sum_joins(&e->range.run, r)) {
		rc = sum_close(e);
		if (rc || r->fault == PZ_V7S_FAULT_FIRST || r->fault == PZ_V7S_FAULT_SECOND)
			return rc;
		memset(&e->range, 0, sizeof(e->range));
		e->range.run = *r;
		e->open = true;
	}
	e->range.run.last = r->last;
	if (!r->fault)
		e->range.pages[sum_size(r->page)] += (r->last - r->first + r->page) / r->page;
	return 0;
}

int iommu_each(const struct iommu_image *m, int (*fn)(void *ctx, const struct iommu_range *r),
	       void *ctx)
{
	struct sum_each e = { .fn = fn, .ctx = ctx };
	int rc = pz_v7s_walk_each(&m->view, sum_run, &e);

	return rc ? rc : sum_close(&e);
}

struct sum_ctx {
	struct iommu_sum *s;
	const struct iommu_image *m;
	uint64_t unequal; /* address of the last group of unequal words */
	uint64_t behind;  /* and of the last word that leads nowhere */
};

/* A finding, of which @text says all; NULL when there are too many to keep. */
static struct iommu_finding *sum_find(struct iommu_sum *s, const struct pz_v7s_run *r,
				      unsigned int level)
{
	struct iommu_finding *f;

	if (++s->found > IOMMU_FINDINGS)
		return NULL;
	f = vec_push(&s->findings);
	f->fault = r->fault;
	f->level = level;
	f->first = r->first;
	f->last = r->last;
	f->entry = (uint32_t)(r->first / (level == 1 ? SUM_MIB : SUM_PAGE));
	f->entry &= level == 1 ? UINT32_MAX : 0xff;
	f->entries = 1;
	f->word = r->word;
	f->word_addr = r->word_addr;
	f->table = r->table;
	return f;
}

static unsigned long long ull(uint64_t v)
{
	return v;
}

static void sum_cut(struct sum_ctx *c, const struct pz_v7s_run *r)
{
	struct iommu_finding *f = sum_find(c->s, r, 1);

	if (!f)
		return;
	f->entries = (uint32_t)((r->last - r->first) / SUM_MIB + 1);
	f->text = xasprintf("the first level is not in the image from entry 0x%x at 0x%llx on, for "
			    "%u %s",
			    f->entry, ull(f->word_addr), f->entries,
			    f->entries == 1 ? "entry" : "entries");
}

static void sum_reserved(struct sum_ctx *c, const struct pz_v7s_run *all)
{
	for (uint64_t at = all->first; at < all->last; at += SUM_MIB) {
		struct iommu_finding *f;
		struct pz_v7s_run r;

		(void)pz_v7s_walk(&c->m->view, at, &r);
		f = sum_find(c->s, &r, 1);
		if (f)
			f->text = xasprintf("entry 0x%x of the first level, at 0x%llx: 0x%08x is "
					    "of type 3, which is reserved",
					    f->entry, ull(f->word_addr), f->word);
	}
}

/* Each second level that is not in the image, or not all of it. */
static void sum_missing(struct sum_ctx *c, const struct pz_v7s_run *all)
{
	uint64_t at = all->first;

	while (at <= all->last) {
		uint64_t word_addr = c->m->view.table + at / SUM_MIB * 4;
		uint64_t end = (at | (SUM_MIB - 1)) < all->last ? at | (SUM_MIB - 1) : all->last;
		struct iommu_finding *f = NULL;
		struct pz_v7s_run r;
		uint32_t entry;

		(void)pz_v7s_walk(&c->m->view, at, &r);
		r.last = end;
		entry = (uint32_t)(at / SUM_PAGE) & 0xff;
		/* A table that begins before the image, and ends behind it, is one finding. */
		if (word_addr != c->behind)
			f = sum_find(c->s, &r, 1);
		c->behind = word_addr;
		at = end + 1;
		if (!f)
			continue;
		f->entry = (uint32_t)(r.first / SUM_MIB);
		f->word_addr = word_addr;
		(void)c->m->view.read(c->m->view.ctx, word_addr, &f->word);
		f->text = xasprintf("entry 0x%x of the first level, at 0x%llx: 0x%08x leads to a "
				    "second level at 0x%llx, which is not in the image%s",
				    f->entry, ull(word_addr), f->word, ull(r.table),
				    entry ? ", not all of it" : "");
	}
}

/* Where in 16 words that should be alike one differs. */
static void sum_unequal_text(const struct iommu_image *m, struct iommu_finding *f, uint64_t group,
			     uint32_t page)
{
	unsigned int odd = 0;
	uint32_t word = 0;

	for (unsigned int i = 0; i < 16; i++) {
		if (m->view.read(m->view.ctx, group + 4 * (uint64_t)i, &word) && word == f->word)
			continue;
		odd = i;
		break;
	}
	f->text = xasprintf(
		"entries 0x%x to 0x%x of the %s level at 0x%llx, one page of %s: not "
		"alike, 0x%08x in entry 0x%x but 0x%08x in entry 0x%x",
		f->entry & ~0xfu, (f->entry & ~0xfu) + 15, f->level == 1 ? "first" : "second",
		ull(f->level == 1 ? m->view.table : f->table), page == 0x10000 ? "64K" : "16M",
		f->word, f->entry, word, (f->entry & ~0xfu) + odd);
}

static void sum_unequal(struct sum_ctx *c, const struct pz_v7s_run *all)
{
	unsigned int level = all->table == PZ_ADDR_MAX ? 1 : 2;
	uint64_t group = all->page;

	for (uint64_t at = all->first; at < all->last; at = (at | (group - 1)) + 1) {
		struct iommu_finding *f;
		struct pz_v7s_run r;
		uint64_t base;

		(void)pz_v7s_walk(&c->m->view, at, &r);
		base = r.word_addr & ~UINT64_C(0x3f);
		if (base == c->unequal)
			continue;
		c->unequal = base;
		f = sum_find(c->s, &r, level);
		if (!f)
			continue;
		f->first = at & ~(group - 1);
		f->last = f->first + group - 1;
		sum_unequal_text(c->m, f, base, r.page);
		f->entry &= ~0xfu;
		f->entries = 16;
		f->word_addr = base;
	}
}

static int sum_range(void *ctx, const struct iommu_range *r)
{
	uint64_t bytes = r->run.last - r->run.first + 1;
	struct sum_ctx *c = ctx;
	struct iommu_sum *s = c->s;
	char buf[IOMMU_PAGES_MAX];
	unsigned int width;

	switch (r->run.fault) {
	case PZ_V7S_FAULT_READ_FIRST:
		sum_cut(c, &r->run);
		return 0;
	case PZ_V7S_FAULT_READ_SECOND:
		sum_missing(c, &r->run);
		return 0;
	case PZ_V7S_FAULT_RESERVED:
		sum_reserved(c, &r->run);
		return 0;
	case PZ_V7S_FAULT_REPEAT:
		sum_unequal(c, &r->run);
		return 0;
	default:
		break;
	}
	s->ranges++;
	s->bytes += bytes;
	for (unsigned int i = 0; i < IOMMU_SIZES; i++)
		s->pages[i] += r->pages[i];
	s->refused += !r->run.access;
	s->iova_last = r->run.last;
	if (r->run.phys + (bytes - 1) > s->phys_last)
		s->phys_last = r->run.phys + (bytes - 1);
	width = (unsigned int)strlen(iommu_pages(buf, r->pages));
	if (width > s->pages_width)
		s->pages_width = width;
	return 0;
}

static int sum_compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool sum_empty(const struct iommu_image *m, uint64_t table)
{
	uint32_t word;

	for (unsigned int i = 0; i < IOMMU_SECOND / 4; i++)
		if (!m->view.read(m->view.ctx, table + 4 * (uint64_t)i, &word) || word & 3)
			return false;
	return true;
}

/* Second levels, each counted once however many entries lead to it. */
static void sum_tables(struct iommu_sum *s, const struct iommu_image *m)
{
	VEC(uint64_t) at = { NULL, 0, 0 };
	struct pz_v7s_run r;

	for (uint64_t i = 0; i < UINT64_C(1) << (m->view.ias - 20); i++) {
		(void)pz_v7s_walk(&m->view, i * SUM_MIB, &r);
		if (r.table != PZ_ADDR_MAX)
			*vec_push(&at) = r.table;
	}
	if (at.n)
		qsort(at.v, at.n, sizeof(*at.v), sum_compare);
	for (size_t i = 0, n; i < at.n; i += n) {
		for (n = 1; i + n < at.n && at.v[i + n] == at.v[i]; n++)
			;
		s->second_levels++;
		s->shared += n > 1;
		s->empty += sum_empty(m, at.v[i]);
	}
	vec_free(&at);
}

void iommu_sum(struct iommu_sum *s, const struct iommu_image *m)
{
	struct sum_ctx c = { s, m, UINT64_MAX, UINT64_MAX };

	memset(s, 0, sizeof(*s));
	(void)iommu_each(m, sum_range, &c);
	sum_tables(s, m);
}

void iommu_sum_destroy(struct iommu_sum *s)
{
	for (size_t i = 0; i < s->findings.n; i++)
		free(s->findings.v[i].text);
	vec_free(&s->findings);
}
