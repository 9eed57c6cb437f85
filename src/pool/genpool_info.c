/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * genpool_info.c - what a pool has, and whose an address is.
 *
 * Concept
 *  Questions about addresses and sums read slots and touch no descriptor, so they change nothing. A
 *  visit pins its chunk.
 *
 * Invariants: see genpool_check.c.
 *
 * Failure
 *  Nothing here can fail but by not finding a chunk.
 *
 * Shortcomings
 *  A sum over chunks is no snapshot while others allocate, add or remove.
 */
#include "genpool_internal.h"

int pz_genpool_to_phys(const struct pz_genpool *p, uint64_t addr, uint64_t *phys)
{
	uint32_t i = pz_genpool_find(p, addr);
	struct genpool_seen seen;

	if (i == PZ_GENPOOL_NONE || !genpool_see(genpool_slot(p, i), &seen) || addr < seen.first ||
	    addr > seen.last || seen.phys == PZ_GENPOOL_NO_PHYS)
		return -PZ_ENOENT;
	*phys = seen.phys + (addr - seen.first);
	return 0;
}

int pz_genpool_to_addr(const struct pz_genpool *p, uint64_t phys, uint64_t *addr)
{
	uint32_t top = pz_load32(&p->top);
	struct genpool_seen seen;
	uint64_t newest = 0;

	for (uint32_t i = 0; i < top; i++) {
		if (!genpool_see(genpool_slot(p, i), &seen) || seen.seq < newest ||
		    seen.phys == PZ_GENPOOL_NO_PHYS || phys < seen.phys ||
		    phys - seen.phys > seen.last - seen.first)
			continue;
		newest = seen.seq;
		*addr = seen.first + (phys - seen.phys);
	}
	return newest ? 0 : -PZ_ENOENT;
}

bool pz_genpool_has_addr(const struct pz_genpool *p, uint64_t addr, uint64_t size)
{
	uint32_t i = pz_genpool_find(p, addr);
	struct genpool_seen seen;

	return size && i != PZ_GENPOOL_NONE && genpool_see(genpool_slot(p, i), &seen) &&
	       addr >= seen.first && addr <= seen.last && size - 1 <= seen.last - addr;
}

/* Granules of all chunks, and how many of them are in use. */
static uint64_t info_granules(const struct pz_genpool *p, uint64_t *used)
{
	uint32_t top = pz_load32(&p->top);
	struct genpool_seen seen;
	uint64_t all = 0;

	*used = 0;
	for (uint32_t i = 0; i < top; i++) {
		const struct genpool_slot *s = genpool_slot(p, i);
		uint64_t n;

		if (!genpool_see(s, &seen))
			continue;
		n = SLOT_USED(pz_load64(&s->state));
		all += SHAPE_GRANULES(seen.shape);
		*used += n < SHAPE_GRANULES(seen.shape) ? n : SHAPE_GRANULES(seen.shape);
	}
	return all;
}

/* Chunks may be all addresses there are, one byte more than a number can say. */
static uint64_t info_bytes(const struct pz_genpool *p, uint64_t granules)
{
	return granules > UINT64_MAX >> p->cfg.order ? UINT64_MAX : granules << p->cfg.order;
}

uint64_t pz_genpool_used(const struct pz_genpool *p)
{
	uint64_t used;

	(void)info_granules(p, &used);
	return info_bytes(p, used);
}

uint64_t pz_genpool_avail(const struct pz_genpool *p)
{
	uint64_t used, all = info_granules(p, &used);

	return info_bytes(p, all - used);
}

uint64_t pz_genpool_size(const struct pz_genpool *p)
{
	uint64_t used;

	return info_bytes(p, info_granules(p, &used));
}

int pz_genpool_for_each_chunk(struct pz_genpool *p,
			      int (*fn)(void *ctx, const struct pz_genpool_info *info), void *ctx)
{
	uint64_t below = pz_load64(&p->seq) + 1, seq;
	uint32_t i;
	int ret = 0;

	while (!ret && (i = pz_genpool_newest(p, below, &seq)) != PZ_GENPOOL_NONE) {
		struct genpool_slot *s = genpool_slot(p, i);
		struct pz_genpool_info info;

		below = seq;
		if (!genpool_pin(s))
			continue;
		/* The slot of another chunk by now: that one is newer than all that are visited. */
		if (pz_load64(&s->seq) == seq) {
			pz_genpool_info(p, s, &info);
			ret = fn(ctx, &info);
		}
		pz_genpool_leave(p, s, SLOT_PIN, 0);
	}
	return ret;
}
