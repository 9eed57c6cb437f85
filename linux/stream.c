/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.c - streaming mappings as Linux's dma-direct makes them.
 *
 * Concept: one decision for each mapping. A device that is forced bounces; one that reaches the
 * memory gets its address; any other is bounced if there are buffers, and the buffer is then held
 * against what the device reaches, for nobody asked that when it was chosen.
 *
 * Invariants: 1. a mapping that fails leaves no slot in use; 2. nothing is copied that the caller
 * said is synced.
 *
 * Failure: PZ_DMA_ERROR, and a line that says why unless the buffers are full and nobody asked.
 *
 * Shortcomings: memory of other devices (peer to peer) and IOMMUs are not modelled. That 6.12 skips
 * syncs of a coherent device until it was bounced shows in pzl_swiotlb_dev.bounced only.
 */
#include <physzone/linux/stream.h>

#include "../src/base/pz_string.h"
#include "pzl_swiotlb.h"

typedef unsigned long long stream_ull;

void pzl_stream_init(struct pzl_stream *s, struct pzl_swiotlb *sw, const char *name,
		     unsigned int bits)
{
	memset(s, 0, sizeof(*s));
	pzl_swiotlb_dev_init(&s->dev, sw, name, bits);
	s->dma_align = s->cache_line = 1;
}

bool pzl_stream_capable(const struct pzl_stream *s, uint64_t bus, uint64_t size, bool ram)
{
	const struct pz_dma_dev_config *cfg = &s->dev.cfg;
	uint64_t last = bus + size - 1, first;

	if (bus == PZ_DMA_ERROR)
		return false;
	if (s->dev.mem->sw->cfg.narrow) {
		last = (uint32_t)last;
		first = last < bus ? last : bus;
		if (ram && first < pzl_swiotlb_bus(&s->dev, s->low_first))
			return false;
	}
	return last <= pzl_bus_limit(cfg->mask, cfg->bus_limit);
}

bool pzl_stream_kmalloc_bounces(const struct pzl_stream *s, uint64_t size, enum pz_dma_dir dir)
{
	uint32_t object;

	if (!s->kmalloc || !pzl_swiotlb_is_612(s->dev.mem->sw) || s->dev.cfg.coherent ||
	    dir == PZ_DMA_TO_DEVICE || size >= 2 * (uint64_t)s->dma_align)
		return false;
	return pzl_kmalloc_size(s->kmalloc, size, &object) == 0 && (object & (s->cache_line - 1));
}

static void stream_overflow(const struct pzl_stream *s, const char *what, uint64_t bus,
			    uint64_t size)
{
	const struct pz_dma_dev_config *cfg = &s->dev.cfg;

	pzl_swiotlb_dev_say(&s->dev, "%s addr 0x%0*llx+%llu overflow (mask %llx, bus limit %llx).",
			    what, pzl_swiotlb_digits(s->dev.mem->sw), (stream_ull)bus,
			    (stream_ull)size, (stream_ull)cfg->mask, (stream_ull)cfg->bus_limit);
}

/* Cache maintenance, where the device needs it. */
static void stream_cache(const struct pzl_stream *s, uint64_t phys, uint64_t size,
			 enum pz_dma_dir dir, bool for_device)
{
	const struct pzl_swiotlb_hooks *h = &s->dev.mem->sw->cfg.hooks;

	if (!s->dev.cfg.coherent && h->cache)
		h->cache(h->ctx, phys, size, dir, for_device);
}

/* Map through a bounce buffer (swiotlb_map). */
static uint64_t stream_bounce(struct pzl_stream *s, uint32_t cpu, uint64_t phys, uint64_t size,
			      enum pz_dma_dir dir, uint32_t attrs)
{
	uint64_t buffer = pzl_swiotlb_tbl_map(&s->dev, cpu, phys, size, 0, attrs), bus;

	if (buffer == PZ_DMA_ERROR)
		return buffer;
	bus = pzl_swiotlb_bus(&s->dev, buffer);
	if (!pzl_stream_capable(s, bus, size, true)) {
		pzl_swiotlb_tbl_unmap(&s->dev, buffer, size, dir, attrs | PZ_DMA_SKIP_CPU_SYNC);
		stream_overflow(s, "swiotlb", bus, size);
		return PZ_DMA_ERROR;
	}
	if (!(attrs & PZ_DMA_SKIP_CPU_SYNC))
		stream_cache(s, buffer, size, dir, true);
	return bus;
}

static bool stream_wrong(const struct pzl_stream *s, uint64_t size, enum pz_dma_dir dir)
{
	if (size && dir < PZ_DMA_NONE)
		return false;
	pz_bug(s->dev.mem->sw->cfg.bugs, "pzl_stream", size ? "no direction" : "no bytes");
	return true;
}

uint64_t pzl_stream_map(struct pzl_stream *s, uint32_t cpu, uint64_t phys, uint64_t size,
			enum pz_dma_dir dir, uint32_t attrs)
{
	uint64_t bus = pzl_swiotlb_bus(&s->dev, phys);

	if (stream_wrong(s, size, dir))
		return PZ_DMA_ERROR;
	if (s->dev.mem->force)
		return stream_bounce(s, cpu, phys, size, dir, attrs);
	if (!pzl_stream_capable(s, bus, size, true) || pzl_stream_kmalloc_bounces(s, size, dir)) {
		if (s->dev.mem->slots)
			return stream_bounce(s, cpu, phys, size, dir, attrs);
		stream_overflow(s, "DMA", bus, size);
		return PZ_DMA_ERROR;
	}
	if (!(attrs & PZ_DMA_SKIP_CPU_SYNC))
		stream_cache(s, phys, size, dir, true);
	return bus;
}

void pzl_stream_sync_for_cpu(struct pzl_stream *s, uint64_t bus, uint64_t size, enum pz_dma_dir dir)
{
	uint64_t phys = pzl_swiotlb_phys(&s->dev, bus);

	if (stream_wrong(s, size, dir))
		return;
	stream_cache(s, phys, size, dir, false);
	pzl_swiotlb_sync(&s->dev, phys, size, dir, false);
}

void pzl_stream_sync_for_device(struct pzl_stream *s, uint64_t bus, uint64_t size,
				enum pz_dma_dir dir)
{
	uint64_t phys = pzl_swiotlb_phys(&s->dev, bus);

	if (stream_wrong(s, size, dir))
		return;
	pzl_swiotlb_sync(&s->dev, phys, size, dir, true);
	stream_cache(s, phys, size, dir, true);
}

void pzl_stream_unmap(struct pzl_stream *s, uint64_t bus, uint64_t size, enum pz_dma_dir dir,
		      uint32_t attrs)
{
	uint64_t phys = pzl_swiotlb_phys(&s->dev, bus);

	if (stream_wrong(s, size, dir))
		return;
	if (!(attrs & PZ_DMA_SKIP_CPU_SYNC))
		pzl_stream_sync_for_cpu(s, bus, size, dir);
	if (pzl_swiotlb_find(&s->dev, phys))
		pzl_swiotlb_tbl_unmap(&s->dev, phys, size, dir, attrs | PZ_DMA_SKIP_CPU_SYNC);
}

uint32_t pzl_stream_map_sg(struct pzl_stream *s, uint32_t cpu, struct pz_sg *sg, uint32_t n,
			   enum pz_dma_dir dir, uint32_t attrs)
{
	for (uint32_t i = 0; i < n; i++) {
		sg[i].bus = pzl_stream_map(s, cpu, sg[i].phys, sg[i].len, dir, attrs);
		sg[i].bus_len = sg[i].len;
		if (sg[i].bus == PZ_DMA_ERROR) {
			pzl_stream_unmap_sg(s, sg, i, dir, attrs | PZ_DMA_SKIP_CPU_SYNC);
			return 0;
		}
	}
	return n;
}

void pzl_stream_unmap_sg(struct pzl_stream *s, const struct pz_sg *sg, uint32_t n,
			 enum pz_dma_dir dir, uint32_t attrs)
{
	for (uint32_t i = 0; i < n; i++)
		pzl_stream_unmap(s, sg[i].bus, sg[i].bus_len, dir, attrs);
}

uint64_t pzl_stream_map_resource(const struct pzl_stream *s, uint64_t phys, uint64_t size)
{
	if (stream_wrong(s, size, PZ_DMA_BIDIRECTIONAL))
		return PZ_DMA_ERROR;
	if (pzl_stream_capable(s, phys, size, false))
		return phys;
	stream_overflow(s, "DMA", phys, size);
	return PZ_DMA_ERROR;
}

uint64_t pzl_stream_max_mapping(const struct pzl_stream *s)
{
	const struct pzl_swiotlb_mem *mem = s->dev.mem;

	return mem->slots && (s->limited || mem->force) ? pzl_swiotlb_max_mapping(&s->dev)
							: UINT64_MAX;
}

bool pzl_stream_need_sync(const struct pzl_stream *s, uint64_t bus)
{
	return !s->dev.cfg.coherent ||
	       pzl_swiotlb_find(&s->dev, pzl_swiotlb_phys(&s->dev, bus)) != NULL;
}
