/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug_tell.c - findings of the debug mode: words, numbers, hooks.
 *
 * Concept
 *  A finding is data for the hook; pz_bug() gets one line with the device, the address and where
 * the mapping was made.
 */
#include "debug.h"

static const char *const debug_names[PZ_DMA_MISUSES] = {
	[PZ_DMA_UNMAP_ERROR] = "unmaps the address that says that mapping failed",
	[PZ_DMA_UNMAP_UNKNOWN] = "unmaps what is not mapped",
	[PZ_DMA_UNMAP_DEVICE] = "unmaps another device's mapping",
	[PZ_DMA_UNMAP_SIZE] = "unmaps another size than it mapped",
	[PZ_DMA_UNMAP_KIND] = "unmaps by another kind of call",
	[PZ_DMA_UNMAP_MEMORY] = "frees a buffer with another address of its memory",
	[PZ_DMA_UNMAP_COUNT] = "unmaps another number of elements than it mapped",
	[PZ_DMA_UNMAP_DIR] = "unmaps with another direction",
	[PZ_DMA_UNMAP_UNCHECKED] = "never checked whether mapping failed",
	[PZ_DMA_UNMAP_FREED] = "unmaps memory that was freed meanwhile",
	[PZ_DMA_LEAK] = "goes and leaves mappings behind",
	[PZ_DMA_MAP_STACK] = "maps memory of a stack",
	[PZ_DMA_MAP_TEXT] = "maps code or constants",
	[PZ_DMA_MAP_VMALLOC] = "maps memory that is contiguous virtually only",
	[PZ_DMA_MAP_INVALID] = "maps what is no memory",
	[PZ_DMA_MAP_FREED] = "maps free memory",
	[PZ_DMA_MAP_LONG] = "maps an element longer than it takes",
	[PZ_DMA_MAP_BOUNDARY] = "maps an element across its boundary",
	[PZ_DMA_MAP_OVERLAP] = "maps a cache line that is mapped to be written to",
	[PZ_DMA_SYNC_UNKNOWN] = "syncs what is not mapped",
	[PZ_DMA_SYNC_RANGE] = "syncs beyond the end of a mapping",
	[PZ_DMA_SYNC_DIR] = "syncs with another direction",
	[PZ_DMA_SYNC_READ_ONLY] = "syncs for the CPU what it only reads",
	[PZ_DMA_SYNC_WRITE_ONLY] = "syncs for the device what it only writes",
	[PZ_DMA_SYNC_COUNT] = "syncs another number of elements than it mapped",
	[PZ_DMA_NO_RECORDS] = "has a mapping that there is no record for",
};

const char *pz_dma_misuse_name(enum pz_dma_misuse what)
{
	return (unsigned int)what < PZ_DMA_MISUSES ? debug_names[what] : "?";
}

static void debug_bug(struct pz_dma_debug *d, const struct pz_dma_misuse_found *f)
{
	const struct pz_dma_use *u = &f->call;
	const char *dev = u->dev ? u->dev->cfg.name : "?", *how = debug_names[f->what];

	if (f->known)
		pz_bug(d->cfg.bugs, "pz_dma_debug",
		       "%s %s: bus address 0x%llx, mapped 0x%llx bytes at 0x%llx, site 0x%llx, "
		       "at time %llu",
		       dev, how, (unsigned long long)u->bus,
		       (unsigned long long)f->mapping.use.size,
		       (unsigned long long)f->mapping.use.bus, (unsigned long long)f->mapping.site,
		       (unsigned long long)f->mapping.since);
	else
		pz_bug(d->cfg.bugs, "pz_dma_debug", "%s %s: bus address 0x%llx, 0x%llx bytes", dev,
		       how, (unsigned long long)u->bus, (unsigned long long)u->size);
}

void pz_dma_debug_tell(struct pz_dma_debug *d, enum pz_dma_misuse what, const struct pz_dma_use *u,
		       const struct pz_dma_record *m, uint64_t count, uint64_t limit)
{
	struct pz_dma_misuse_found f;

	if (d->cfg.ignore >> what & 1)
		return;
	memset(&f, 0, sizeof(f));
	f.what = what;
	f.call = *u;
	f.count = count;
	f.limit = limit;
	if (m) {
		f.known = true;
		f.mapping = *m;
	}
	f.since = d->cfg.now ? d->cfg.now(d->cfg.ctx) : 0;
	f.site = d->cfg.site ? d->cfg.site(d->cfg.ctx) : 0;
	pz_count64(&d->errors, 1);
	pz_count64(&d->found[what], 1);
	debug_bug(d, &f);
	if (d->cfg.found)
		d->cfg.found(d->cfg.ctx, &f);
}

void pz_dma_debug_stat(const struct pz_dma_debug *d, struct pz_dma_debug_stat *out)
{
	memset(out, 0, sizeof(*out));
	out->errors = pz_load64(&d->errors);
	for (unsigned int i = 0; i < PZ_DMA_MISUSES; i++)
		out->found[i] = pz_load64(&d->found[i]);
	out->entries = d->cfg.entries;
	out->free = pz_load32(&d->free_count);
	out->min_free = pz_load32(&d->min_free);
	out->lost = pz_load64(&d->lost);
}
