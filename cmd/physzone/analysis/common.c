/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * common.c - what every part of the analysis uses: memory for the core, sentences for people, and
 * questions to the facts.
 */
#include "internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void *meta_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return xmalloc(size);
}

static void meta_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

const struct pz_meta an_meta = { meta_alloc, meta_free, NULL };

void an_note(struct an_ctx *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*vec_push(&c->a->notes) = xvasprintf(fmt, ap);
	va_end(ap);
}

void an_problem(struct an_ctx *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vec_push(&c->a->problems)->text = xvasprintf(fmt, ap);
	va_end(ap);
}

void an_contradict(struct an_ctx *c, struct where at, const char *fmt, ...)
{
	struct fact_contradiction *x = vec_push(&c->a->contradictions);
	va_list ap;

	va_start(ap, fmt);
	x->text = xvasprintf(fmt, ap);
	x->at = at;
	va_end(ap);
}

const struct fact_claim *an_claim(const struct an_ctx *c, enum claim_kind kind)
{
	const struct fact_claim *found = NULL;

	for (size_t i = 0; i < c->f->claims.n; i++)
		if (c->f->claims.v[i].kind == kind)
			found = &c->f->claims.v[i];
	return found;
}

uint64_t an_kib_pages(const struct an_ctx *c, uint64_t kib)
{
	return kib >> (c->a->page_shift - 10);
}

bool an_after(struct where a, struct where b)
{
	return a.file == b.file && a.line > b.line;
}

uint64_t an_longest_free(const struct an_ctx *c, uint64_t first, uint64_t limit, int nid)
{
	uint64_t best = 0;
	struct pz_mb_iter it;

	memset(&it, 0, sizeof(it));
	while (pz_memblock_next_free(&c->mb, &it, nid)) {
		struct pz_range r = it.range;

		if (r.first < first)
			r.first = first;
		if (limit && r.last >= limit)
			r.last = limit - 1;
		if (r.first <= r.last && pz_range_size(r) > best)
			best = pz_range_size(r);
	}
	return best;
}

bool an_in_memory(const struct an_ctx *c, struct pz_range bytes)
{
	for (uint32_t i = 0; i < c->mb.memory.count; i++) {
		struct pz_range m = c->mb.memory.v[i].range;

		if (m.first <= bytes.first && bytes.last <= m.last)
			return true;
	}
	return false;
}

bool an_never_taken(const struct fact_freeing *fr)
{
	return !strncmp(fr->what, AN_FREED_EFI, strlen(AN_FREED_EFI)) ||
	       !strncmp(fr->what, AN_FREED_HUGETLB, strlen(AN_FREED_HUGETLB)) ||
	       !strcmp(fr->what, AN_FREED_SCCB);
}
