/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory.c - all memory of the machine for the tests of its devices, see dev.h.
 */
#include <physzone/fmt.h>

#include "dev.h"

/* What dev_fill() writes to the start of each block that it takes. */
struct dev_block {
	struct dev_block *before;
	uint64_t pfn;
	unsigned int order;
};

static bool dev_memblock(struct dev_machine *m, uint64_t handed_over)
{
	struct pz_map map;
	int err;

	if (pz_memblock_init(&m->mb, m->t->meta, BOOT_PAGE_SHIFT))
		return false;
	err = boot_read_map(&map, m->t->meta, handed_over);
	if (!err)
		err = pz_map_sanitise(&map, BOOT_PAGE_SHIFT, BOOT_PHYS_BITS);
	if (!err)
		err = boot_add_memory(&m->mb, &map);
	if (!err)
		err = boot_reserve(&m->mb);
	pz_map_destroy(&map);
	return !err;
}

static bool dev_zones(struct dev_machine *m)
{
	struct pz_zone_config cfg;
	struct pz_wmark_config marks;

	pz_wmark_defaults(&marks);
	if (boot_zone_config(&m->mb, &cfg) || pz_zones_build(&m->z, m->t->meta, &m->mb, &cfg))
		return false;
	if (pz_zones_set_managed(&m->z, &m->mb, UINT64_MAX) ||
	    pz_zones_set_watermarks(&m->z, &marks)) {
		pz_zones_destroy(&m->z);
		return false;
	}
	return true;
}

static bool dev_pages(struct dev_machine *m)
{
	struct pz_page_config cfg = { .max_pfn = UINT64_MAX, .cpus = 1 };

	cfg.meta = m->t->meta;
	cfg.zones = &m->z;
	cfg.memblock = &m->mb;
	cfg.policy = PZ_POLICY_REACH;
	cfg.bugs = &m->bugs;
	return pz_pages_create(&m->pages, &cfg) == 0;
}

void *dev_direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	(void)ctx;
	return pz_range_contains(port_mapped(), phys + (bytes - 1)) ? port_direct(phys) : NULL;
}

static bool dev_dma(struct dev_machine *m)
{
	struct pz_dma_config cfg = { .cpus = 1, .cma = PZ_DMA_NO_CMA, .pool_bytes = UINT64_MAX };

	cfg.pages = m->pages;
	cfg.meta = m->t->meta;
	cfg.bugs = &m->bugs;
	cfg.hooks.direct = dev_direct;
	return pz_dma_create(&m->dma, &cfg) == 0;
}

bool dev_open(struct dev_machine *m, struct tap *t, uint64_t handed_over)
{
	*m = (struct dev_machine){ .t = t, .bugs = { .policy = PZ_BUG_IGNORE } };
	if (dev_memblock(m, handed_over) && dev_zones(m)) {
		if (dev_pages(m) && dev_dma(m))
			return true;
		pz_pages_destroy(m->pages);
		pz_zones_destroy(&m->z);
	}
	pz_memblock_destroy(&m->mb);
	return false;
}

void dev_close(struct dev_machine *m)
{
	CHECK_NAMED(m->t, pz_dma_destroy(m->dma) == 0, "no device is left");
	CHECK_NAMED(m->t, pz_pages_check(m->pages) == 0, "the allocator is sound");
	CHECK_NAMED(m->t, m->bugs.count == 0, "nothing was misused");
	pz_pages_destroy(m->pages);
	pz_zones_destroy(&m->z);
	pz_memblock_destroy(&m->mb);
}

int dev_add_low(struct dev_machine *m)
{
	int err = 0;

	for (uint32_t i = 0; i < m->mb.memory.count && !err; i++) {
		struct pz_range low = m->mb.memory.v[i].range;

		if (low.first >= BOOT_LOW_1M)
			break;
		if (low.last >= BOOT_LOW_1M)
			low.last = BOOT_LOW_1M - 1;
		low.first >>= BOOT_PAGE_SHIFT;
		low.last >>= BOOT_PAGE_SHIFT;
		err = pz_pages_add(m->pages, low);
	}
	return err;
}

static uint64_t dev_page_count(uint64_t bytes)
{
	return (bytes + BOOT_PAGE - 1) >> BOOT_PAGE_SHIFT;
}

int dev_take(struct dev_machine *m, uint64_t phys, uint64_t bytes)
{
	struct pz_limits there = pz_limits_any();
	uint64_t pfn;

	there.min_addr = phys;
	there.max_addr = phys + (dev_page_count(bytes) << BOOT_PAGE_SHIFT) - 1;
	return pz_alloc_pages_exact(m->pages, 0, 0, bytes, &there, &pfn);
}

void dev_give(struct dev_machine *m, uint64_t phys, uint64_t bytes)
{
	pz_free_exact(m->pages, 0, phys >> BOOT_PAGE_SHIFT, dev_page_count(bytes));
}

bool dev_alloc(struct pz_dma_dev *dev, uint64_t bytes, struct pz_dma_buf *buf)
{
	return pz_dma_alloc(dev, 0, 0, 0, bytes, buf) == 0;
}

void dev_free(struct pz_dma_dev *dev, const struct pz_dma_buf *buf)
{
	pz_dma_free(dev, 0, buf);
}

uint64_t dev_fill(struct dev_machine *m)
{
	uint64_t pages = 0, pfn;

	for (unsigned int order = PZ_PAGE_MAX_ORDER + 1; order-- > 0;)
		while (!pz_alloc_pages(m->pages, 0, 0, order, NULL, &pfn)) {
			struct dev_block *block = port_direct(pfn << BOOT_PAGE_SHIFT);

			*block = (struct dev_block){ m->filled, pfn, order };
			m->filled = block;
			pages += (uint64_t)1 << order;
		}
	return pages;
}

void dev_empty(struct dev_machine *m)
{
	while (m->filled) {
		struct dev_block block = *m->filled;

		pz_free_pages(m->pages, 0, block.pfn, block.order);
		m->filled = block.before;
	}
}

static uint32_t dev_word(uint32_t seed, uint32_t word)
{
	return (seed * 0x01000193u + word) * 0x9e3779b1u;
}

void dev_write(uint64_t phys, uint32_t bytes, uint32_t seed, uint32_t word)
{
	volatile uint32_t *p = port_direct(phys);

	for (uint32_t i = 0; i < bytes / 4; i++)
		p[i] = dev_word(seed, word + i);
}

bool dev_holds(uint64_t phys, uint32_t bytes, uint32_t seed, uint32_t word)
{
	const volatile uint32_t *p = port_direct(phys);

	for (uint32_t i = 0; i < bytes / 4; i++)
		if (p[i] != dev_word(seed, word + i))
			return false;
	return true;
}

const char *dev_name(struct dev_machine *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	pz_vsnprintf(m->name, sizeof(m->name), fmt, ap);
	va_end(ap);
	return m->name;
}
