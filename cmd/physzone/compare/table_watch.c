/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_watch.c - see table_watch.h.
 *
 * Concept: a request that may wait and fails makes the others give pages back, and asks again. A
 * table that is not aligned, or lies beyond the limit, is counted and given back: the request
 * failed. What is mapped is kept page by page, as the operations say it and never by what is in a
 * table.
 */
#include "table_watch.h"

#include <stdlib.h>
#include <string.h>

#include <physzone/v7s_walk.h>

#define WATCH_TRIES 8u /* of a request that may wait */
#define WATCH_MIB (UINT64_C(1) << 20)
#define WATCH_PAGE UINT64_C(4096)

/* The first is told. */
static void watch_fault(struct table_watch *w, const char *what)
{
	if (!w->wrong)
		w->wrong = what;
}

/* Whether a table can be used. */
static bool watch_good(struct table_watch *w, const struct pz_table *t)
{
	const struct table_bed *bed = w->use->bed;
	uint64_t last = t->addr + TABLE_BYTES - 1;
	uint32_t other;

	w->n->misaligned += t->addr % TABLE_BYTES != 0;
	w->n->beyond += last > bed->limits.max_addr;
	if (last >= bed->arena->bytes)
		watch_fault(w, "a table lies where no memory is");
	if (t->addr % TABLE_BYTES || last > bed->limits.max_addr || last >= bed->arena->bytes)
		return false;
	if (pfn_map_get(&w->taken, t->addr >> TABLE_SHIFT, &other)) {
		watch_fault(w, "two tables overlap");
		return false;
	}
	return true;
}

static int watch_alloc(void *ctx, uint32_t cpu, uint32_t gfp, uint32_t bytes, struct pz_table *out)
{
	struct table_watch *w = ctx;
	const struct pz_table_mem *mem = &w->use->mem;
	bool atomic = !(gfp & PZ_GFP_BLOCK);
	unsigned int tries = 0;
	int rc;

	w->n->asked++;
	w->n->atomic_asked += atomic;
	rc = mem->alloc(mem->ctx, cpu, gfp, bytes, out);
	while (rc && !atomic && ++tries < WATCH_TRIES &&
	       table_bed_relieve(w->use->bed, UINT64_C(64) << tries))
		rc = mem->alloc(mem->ctx, cpu, gfp, bytes, out);
	if (!rc && !watch_good(w, out)) {
		mem->free(mem->ctx, cpu, bytes, out);
		rc = -PZ_ERANGE;
	}
	if (rc) {
		w->n->atomic_failed += atomic;
		w->n->waiting_failed += !atomic;
		return rc;
	}
	pfn_map_set(&w->taken, out->addr >> TABLE_SHIFT, 1);
	w->n->served++;
	w->live++;
	return 0;
}

static void watch_free(void *ctx, uint32_t cpu, uint32_t bytes, const struct pz_table *t)
{
	struct table_watch *w = ctx;

	pfn_map_remove(&w->taken, t->addr >> TABLE_SHIFT);
	w->live--;
	w->use->mem.free(w->use->mem.ctx, cpu, bytes, t);
}

void table_watch_begin(struct table_watch *w, struct table_use *use, struct tables_count *n)
{
	memset(w, 0, sizeof(*w));
	w->use = use;
	w->n = n;
	w->mem = (struct pz_table_mem){ watch_alloc, watch_free, w, use->mem.coherent };
}

void table_watch_end(struct table_watch *w)
{
	for (size_t i = 0; i < w->mib.n; i++)
		free(w->mib.v[i]);
	vec_free(&w->mib);
	pfn_map_destroy(&w->find);
	pfn_map_destroy(&w->taken);
}

/* The account of a MiB; NULL where nothing was ever mapped and @make is not set. */
static struct table_watch_mib *watch_mib(struct table_watch *w, uint16_t domain, uint64_t iova,
					 bool make)
{
	uint64_t key = (uint64_t)domain << 12 | iova >> 20;
	struct table_watch_mib *m;
	uint32_t i;

	if (pfn_map_get(&w->find, key, &i))
		return w->mib.v[i];
	if (!make)
		return NULL;
	m = xcalloc(1, sizeof(*m));
	m->domain = domain;
	m->iova = iova & ~(WATCH_MIB - 1);
	pfn_map_set(&w->find, key, (uint32_t)w->mib.n);
	*vec_push(&w->mib) = m;
	return m;
}

void table_watch_done(struct table_watch *w, const struct table_op *op, int rc)
{
	uint64_t at = op->iova, end = op->iova + op->size;
	/* Of what a failed request left out, nothing is there to be unmapped. */
	bool undone = op->unmap && rc == -PZ_ENOENT;

	if (rc && !undone) {
		if (rc != -PZ_ENOMEM && rc != -PZ_ERANGE && rc != -PZ_EEXIST)
			watch_fault(w, "an operation was refused");
		return;
	}
	while (at < end) {
		uint64_t next = (at & ~(WATCH_MIB - 1)) + WATCH_MIB, to = next < end ? next : end;
		struct table_watch_mib *m = watch_mib(w, op->domain, at, true);
		uint64_t paddr = table_domains_fold(op->paddr) + (at - op->iova);
		uint32_t page = (uint32_t)(paddr / WATCH_PAGE) + 1;

		for (; at < to; at += WATCH_PAGE, page++) {
			uint32_t *p = &m->page[at / WATCH_PAGE % 256];

			w->mapped -= *p != 0;
			*p = op->unmap ? 0 : page;
			w->mapped += *p != 0;
		}
	}
}

/* --- what the tables say --- */

struct watch_walk {
	struct table_watch *w;
	const struct table_arena *arena;
	uint16_t domain;
	uint64_t mapped;
};

static bool watch_read(void *ctx, uint64_t addr, uint32_t *word)
{
	const struct watch_walk *x = ctx;
	const unsigned char *at = x->arena->at + addr;

	if (addr > x->arena->bytes - 4)
		return false;
	*word = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
	return true;
}

/* Whether a page is as table_domains_do() maps all: normal memory, not cached, shared. */
static bool watch_ordinary(const struct pz_v7s_run *r)
{
	return r->tex == 1 && !r->b && !r->c && r->shared && !r->global && !r->domain;
}

/* Pages that are mapped lead where they should; 1 when one does not. */
static int watch_run(void *ctx, const struct pz_v7s_run *r)
{
	struct watch_walk *x = ctx;

	if (r->fault != PZ_V7S_NO_FAULT)
		return r->fault != PZ_V7S_FAULT_FIRST && r->fault != PZ_V7S_FAULT_SECOND;
	if (!watch_ordinary(r))
		return 1;
	for (uint64_t at = r->first; at <= r->last; at += WATCH_PAGE) {
		const struct table_watch_mib *m = watch_mib(x->w, x->domain, at, false);
		uint64_t phys = r->phys + (at - r->first);

		if (!m || m->page[at / WATCH_PAGE % 256] != (uint32_t)(phys / WATCH_PAGE) + 1)
			return 1;
		x->mapped++;
	}
	return 0;
}

void table_watch_verify(struct table_watch *w, const struct table_domains *d)
{
	struct watch_walk x = { .w = w, .arena = w->use->bed->arena };
	struct pz_v7s_view view;

	memset(&view, 0, sizeof(view));
	view.ias = 32;
	view.mtk_outputs = true;
	view.mtk_tables = w->use->bed->limits.max_addr > UINT32_MAX;
	view.read = watch_read;
	view.ctx = &x;
	for (unsigned int i = 0; i < d->count && !w->wrong; i++) {
		uint64_t ttbr = pz_v7s_regs(d->t[i]).ttbr;

		x.domain = (uint16_t)i;
		view.table = (ttbr & 7) << 32 | (ttbr & ~UINT64_C(0x3fff));
		if (pz_v7s_walk_each(&view, watch_run, &x))
			watch_fault(w, "a table does not say what was mapped");
	}
	if (x.mapped != w->mapped)
		watch_fault(w, "a table lacks what was mapped");
	for (unsigned int i = 0; i < d->count && !w->wrong; i++)
		if (pz_v7s_check(d->t[i]))
			watch_fault(w, "an invariant of the tables does not hold");
}
