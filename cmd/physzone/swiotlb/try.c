/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * try.c - whether a larger pool of bounce buffers finds memory on the machine that wrote the log.
 *
 * Concept: the machine as it is when the page allocator takes over, its present pool given back;
 * the request is the kernel's own: page aligned, below the limit of low memory, and halved until it
 * fits. What else the kernel takes later does not stand in its way.
 *
 * Failure: where the log does not tell the machine, that is said, and nothing is tried.
 */
#include "swiotlb.h"

#include <stdlib.h>
#include <string.h>

#define TRY_SLOTS_MIN 512u /* 1 MiB: the kernel gives up below */

/* What the kernel ends up with. */
static void try_size(struct swiotlb *s, const struct pz_memblock *mb, unsigned int page_shift,
		     uint64_t slots)
{
	struct swiotlb_fit *fit;

	for (size_t i = 0; i < s->fits.n; i++)
		if (s->fits.v[i].slots == slots)
			return;
	fit = vec_push(&s->fits);
	fit->slots = slots;
	for (uint64_t n = slots; n; n = (n / 2 + 127) & ~UINT64_C(127)) {
		struct pz_mb_req req = pz_mb_req(n * PZL_SWLOG_SLOT, UINT64_C(1) << page_shift);

		req.max_addr = s->low_last;
		if (!pz_memblock_find(mb, &req, &fit->at)) {
			fit->got = n;
			return;
		}
		if (n / 2 < TRY_SLOTS_MIN)
			return;
	}
}

void swiotlb_try(struct swiotlb *s, struct facts *f, const struct analysis_options *how)
{
	struct an_start *start = xcalloc(1, sizeof(*start));
	struct analysis a;

	memset(&a, 0, sizeof(a));
	if (!analyse_start(start, &a, f, how, &s->unfit)) {
		s->low_last = start->low_last;
		for (size_t i = 0; i < a.pieces.n; i++)
			if (a.pieces.v[i].kind == AN_SWIOTLB)
				(void)pz_memblock_free(&start->mb, a.pieces.v[i].range.first,
						       view_range_size(a.pieces.v[i].range));
		for (size_t i = 0; i < s->pools.n; i++) {
			if (s->pools.v[i].least)
				try_size(s, &start->mb, a.page_shift, s->pools.v[i].least);
			if (s->pools.v[i].sure)
				try_size(s, &start->mb, a.page_shift, s->pools.v[i].sure);
		}
	}
	an_start_destroy(start);
	analysis_destroy(&a);
	free(start);
}
