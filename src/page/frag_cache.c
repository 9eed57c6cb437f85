/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frag_cache.c - caches of pieces are made and given back here, and tables are taken from them.
 *
 * Concept
 *  A cache takes all of its metadata from one hook: a head with the slots, and chunks of metadata
 *  for blocks (frag_store.c), as many at once as its maker asks for. From then on the hook is
 *  called only when these do not suffice, and never with PZ_FRAG_NOGROW: who takes pieces where the
 *  hook must not be called sets that, and a number of blocks.
 *
 * Failure
 *  Making a cache gives back everything when part of it is not to be had.
 *
 * Shortcomings
 *  A cache that goes while pieces are out leaves their blocks allocated, for good: their users may
 *  still write to them.
 */
#include "frag_internal.h"

#define FRAG_LINE 64u
#define FRAG_BLOCK_PAGES 64u
#define FRAG_TABLE_ORDER 47u /* what pz_page_req_init() takes */

/* Fill in what follows from the configuration. */
static int frag_shape(struct pz_frag *f, const struct pz_frag_config *cfg)
{
	uint32_t page_shift = cfg->pages->page_shift, granules;
	uint64_t page = (uint64_t)1 << page_shift, block, granule;

	block = cfg->block_bytes;
	if (!block)
		block = page > PZ_FRAG_BLOCK ? page : PZ_FRAG_BLOCK;
	granule = cfg->granule ? cfg->granule : page / 64;
	if (!pz_is_pow2(block) || block < page || block > FRAG_BLOCK_PAGES * page ||
	    !pz_is_pow2(granule) || granule < page / 64 || granule > page)
		return -PZ_EINVAL;
	f->cfg = *cfg;
	f->cpus = cfg->pages->cpus;
	f->page_shift = page_shift;
	f->order = pz_fls64(block) - page_shift;
	f->granule_shift = pz_fls64(granule);
	granules = (uint32_t)(block >> f->granule_shift);
	f->map_words = cfg->flags & PZ_FRAG_REUSE ? (granules + 31) / 32 : 0;
	f->stride = (uint32_t)sizeof(struct frag_block) + f->map_words * 12;
	f->stride = (f->stride + FRAG_LINE - 1) & ~(FRAG_LINE - 1);
	return 0;
}

static void frag_drop(struct pz_frag *f)
{
	const struct pz_meta *meta = f->cfg.meta;

	for (unsigned int k = 0; k < f->chunks; k++)
		meta->free(meta->ctx, frag_chunk(f, k), frag_chunk(f, k)->bytes);
	meta->free(meta->ctx, f, f->bytes);
}

int pz_frag_create(struct pz_frag **out, const struct pz_frag_config *cfg)
{
	uint32_t blocks = cfg->blocks ? cfg->blocks : 1;
	struct pz_frag shape, *f;
	size_t bytes, at;
	int ret;

	if (!cfg->pages || !cfg->meta || !cfg->meta->alloc || !cfg->meta->free ||
	    !pz_limits_valid(&cfg->limits) || cfg->flags & ~(PZ_FRAG_REUSE | PZ_FRAG_NOGROW) ||
	    frag_gfp_bad(cfg->gfp) || blocks > frag_first(FRAG_CHUNKS))
		return -PZ_EINVAL;
	memset(&shape, 0, sizeof(shape));
	ret = frag_shape(&shape, cfg);
	if (ret)
		return ret;
	bytes = sizeof(*f) + FRAG_LINE + (FRAG_SHARED + (size_t)shape.cpus) * sizeof(*f->slot);
	f = cfg->meta->alloc(cfg->meta->ctx, bytes);
	if (!f)
		return -PZ_ENOMEM;
	memset(f, 0, bytes);
	*f = shape;
	f->bytes = bytes;
	at = sizeof(*f) + FRAG_LINE - 1;
	at -= ((uintptr_t)f + at) % FRAG_LINE;
	f->slot = (struct frag_slot *)(void *)((unsigned char *)f + at);
	for (uint32_t i = 0; i < FRAG_SHARED + f->cpus; i++)
		f->slot[i].cur = FRAG_NONE;
	while (frag_first(f->chunks) < blocks) {
		ret = pz_frag_grow(f, f->chunks);
		if (ret) {
			frag_drop(f);
			return ret;
		}
	}
	*out = f;
	return 0;
}

uint64_t pz_frag_drain(struct pz_frag *f, uint32_t cpu)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < FRAG_SHARED + f->cpus; i++)
		pages += pz_frag_empty_slot(f, cpu, &f->slot[i]);
	return pages;
}

uint64_t pz_frag_destroy(struct pz_frag *f)
{
	uint64_t first = 0;
	struct pz_frag_stat s;

	if (!f)
		return 0;
	pz_frag_drain(f, PZ_CPU_NONE);
	pz_frag_stat(f, &s);
	for (unsigned int k = 0; k < f->chunks && !first; k++)
		for (uint32_t i = 0; i < frag_chunk(f, k)->count && !first; i++)
			first = frag_of_chunk(f, frag_chunk(f, k), i)->at;
	if (s.pieces)
		pz_bug(f->cfg.pages->cfg.bugs, __func__,
		       "%llu pieces of %llu bytes are still out: %llu blocks leak, one at %#llx",
		       (unsigned long long)s.pieces, (unsigned long long)s.piece_bytes,
		       (unsigned long long)s.blocks, (unsigned long long)FRAG_BASE(first));
	frag_drop(f);
	return s.pieces;
}

int pz_page_alloc_table(struct pz_frag *f, uint32_t cpu, uint64_t size, uint64_t *addr)
{
	struct pz_page_req req;
	uint64_t pfn;
	int ret;

	if (!pz_is_pow2(size))
		return -PZ_EINVAL;
	if (!(size >> f->page_shift)) {
		ret = pz_frag_alloc(f, cpu, (uint32_t)size, (uint32_t)size, addr);
	} else {
		unsigned int order = pz_fls64(size) - f->page_shift;

		if (order > FRAG_TABLE_ORDER)
			return -PZ_ERANGE;
		pz_page_req_init(f->cfg.pages, &req, order,
				 f->cfg.gfp | (f->cfg.zero ? 0 : PZ_GFP_ZERO), cpu);
		ret = pz_limits_narrow(&req.limits, &f->cfg.limits, &req.limits);
		if (!ret)
			ret = pz_page_request(f->cfg.pages, &req, &pfn);
		if (!ret)
			*addr = pfn << f->page_shift;
	}
	if (!ret && f->cfg.zero)
		f->cfg.zero(f->cfg.zero_ctx, *addr, size);
	return ret;
}

void pz_page_free_table(struct pz_frag *f, uint32_t cpu, uint64_t addr, uint64_t size)
{
	if (!pz_is_pow2(size) || (addr & (size - 1)))
		pz_bug(f->cfg.pages->cfg.bugs, __func__, "%#llx is no table of %llu bytes",
		       (unsigned long long)addr, (unsigned long long)size);
	else if (size >> f->page_shift)
		pz_free_exact(f->cfg.pages, cpu, addr >> f->page_shift, size >> f->page_shift);
	else
		pz_frag_free(f, cpu, addr, (uint32_t)size);
}
