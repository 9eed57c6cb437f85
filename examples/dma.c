/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma.c - memory for a device of 30 address lines, on a machine of 16 MiB at 0 and 16 MiB at 2 GiB.
 *
 * What a driver does: a coherent buffer, a mapping of memory that the device does not reach, small
 * coherent objects; with the checks of how it does that. Here the machine's memory is a piece of
 * this process's.
 */
#include <physzone/bounce.h>
#include <physzone/dma_debug.h>
#include <physzone/dma_map.h>
#include <physzone/dma_pool.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((uint64_t)1 << 20)
#define PART (16 * MIB)
#define HIGH (2048 * MIB)

struct machine {
	struct pz_meta meta;
	struct pz_bugs bugs;
	struct pz_memblock mb;
	struct pz_zones zones;
	struct pz_pages *pages;
	unsigned char *memory; /* both parts */
	struct pz_bounce *bounce;
	struct pz_dma_debug *debug;
	struct pz_dma *dma;
};

static void *meta_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void meta_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static void report(void *ctx, const char *text)
{
	(void)ctx;
	printf("told:    %s\n", text);
}

/* Where the CPU sees memory. */
static void *direct(void *ctx, uint64_t phys, uint64_t bytes)
{
	const struct machine *m = ctx;

	if (phys < PART && bytes <= PART - phys)
		return m->memory + phys;
	if (phys >= HIGH && phys - HIGH < PART && bytes <= PART - (phys - HIGH))
		return m->memory + PART + (phys - HIGH);
	return NULL;
}

static int make_pages(struct machine *m)
{
	struct pz_zone_config zones = { .configured = 1u << PZ_ZONE_NORMAL, .page_shift = 12 };
	struct pz_page_config pages = { .cpus = 1 };
	int rc = pz_memblock_init(&m->mb, &m->meta, 12);

	zones.max_order_pages = 1024;
	zones.max_pfn[PZ_ZONE_NORMAL] = (HIGH + PART) >> 12;
	if (!rc)
		rc = pz_memblock_add(&m->mb, 0, PART, 0, 0);
	if (!rc)
		rc = pz_memblock_add(&m->mb, HIGH, PART, 0, 0);
	if (!rc)
		rc = pz_zones_build(&m->zones, &m->meta, &m->mb, &zones);
	if (!rc)
		rc = pz_zones_set_managed(&m->zones, &m->mb, UINT64_MAX);
	pages.meta = &m->meta;
	pages.zones = &m->zones;
	pages.memblock = &m->mb;
	pages.max_pfn = UINT64_MAX;
	pages.bugs = &m->bugs;
	return rc ? rc : pz_pages_create(&m->pages, &pages);
}

/* Bounce buffers that grow where devices need them, the checks, and the layer. */
static int make_layer(struct machine *m)
{
	struct pz_bounce_config bounce = { .meta = &m->meta, .bugs = &m->bugs, .cpus = 1 };
	struct pz_dma_debug_config debug = { .meta = &m->meta, .bugs = &m->bugs, .entries = 1024 };
	struct pz_dma_config dma = { .meta = &m->meta, .bugs = &m->bugs, .cpus = 1 };
	int rc;

	dma.hooks.direct = direct;
	dma.hooks.ctx = m;
	dma.cma = PZ_DMA_NO_CMA;
	bounce.hooks = dma.hooks;
	bounce.pages = debug.pages = dma.pages = m->pages;
	rc = pz_bounce_create(&m->bounce, &bounce);
	if (!rc)
		rc = pz_dma_debug_create(&m->debug, &debug);
	dma.bounce = m->bounce;
	dma.debug = m->debug;
	return rc ? rc : pz_dma_create(&m->dma, &dma);
}

/* Memory that CPU and device see alike, for as long as the driver wants. */
static int coherent(struct pz_dma_dev *dev)
{
	struct pz_dma_buf ring;
	int rc = pz_dma_alloc(dev, 0, PZ_GFP_BLOCK, 0, 5000, &ring);

	if (rc)
		return rc;
	printf("ring:    5000 bytes below 1 GiB: %s\n", ring.bus < 1024 * MIB ? "yes" : "no");
	pz_dma_free(dev, 0, &ring);
	return 0;
}

/* Memory that is there already, out of the device's reach. */
static int streaming(struct machine *m, struct pz_dma_dev *dev)
{
	struct pz_limits high = PZ_LIMITS_ANY;
	uint64_t pfn, bus;
	char *text;
	int rc;

	high.min_addr = HIGH;
	rc = pz_alloc_pages(m->pages, 0, 0, 0, &high, &pfn);
	if (rc)
		return rc;
	text = direct(m, pfn << 12, 4096);
	strcpy(text, "sent");
	bus = pz_dma_map(dev, 0, pfn << 12, 512, PZ_DMA_BIDIRECTIONAL, 0);
	if (pz_dma_mapping_error(dev, bus))
		return -PZ_ENOMEM;
	/* The device reads and writes at its bus address, which is a physical one here. */
	printf("mapping: the device reads \"%s\"", (const char *)direct(m, bus, 512));
	strcpy(direct(m, bus, 512), "received");
	pz_dma_unmap(dev, 0, bus, 512, PZ_DMA_BIDIRECTIONAL, 0);
	printf(" below 1 GiB: %s; then memory has \"%s\"\n", bus < 1024 * MIB ? "yes" : "no", text);
	/* What must not happen is told, and nothing happens. */
	pz_dma_unmap(dev, 0, bus, 512, PZ_DMA_BIDIRECTIONAL, 0);
	pz_free_pages(m->pages, 0, pfn, 0);
	return 0;
}

/* Descriptors of 48 bytes, none across a multiple of 1 KiB. */
static int small(struct pz_dma_dev *dev)
{
	struct pz_dma_pool_config cfg = { .name = "descriptors", .size = 48, .align = 16 };
	struct pz_dma_pool_info info;
	struct pz_dma_pool *pool;
	const char *why = "";
	uint64_t bus;
	void *d;
	int rc;

	cfg.boundary = 1024;
	rc = pz_dma_pool_create(&pool, dev, &cfg, &why);
	if (rc)
		return rc;
	d = pz_dma_pool_alloc(pool, 0, PZ_GFP_ZERO, &bus);
	if (!d)
		return -PZ_ENOMEM;
	pz_dma_pool_info(pool, &info);
	printf("pool:    %u blocks of %u bytes in a page, %llu out\n", info.layout.blocks,
	       info.size, (unsigned long long)info.used);
	pz_dma_pool_free(pool, 0, d, bus);
	return pz_dma_pool_destroy(pool, NULL, NULL);
}

static int unmake(struct machine *m)
{
	int rc = pz_dma_destroy(m->dma);

	if (!rc)
		rc = pz_bounce_destroy(m->bounce);
	pz_dma_debug_destroy(m->debug);
	pz_pages_destroy(m->pages);
	pz_zones_destroy(&m->zones);
	pz_memblock_destroy(&m->mb);
	free(m->memory);
	return rc;
}

int main(void)
{
	struct machine m = { .meta = { meta_alloc, meta_free, NULL },
			     .bugs = { PZ_BUG_REPORT, NULL, report, NULL, NULL, 0 } };
	struct pz_dma_dev_config cfg;
	struct pz_dma_debug_stat found;
	struct pz_dma_dev *dev = NULL;
	int rc;

	m.memory = aligned_alloc(4096, 2 * PART);
	rc = m.memory ? make_pages(&m) : -PZ_ENOMEM;
	if (!rc)
		rc = make_layer(&m);
	pz_dma_dev_init(&cfg, "thirty", 30);
	if (!rc)
		rc = pz_dma_dev_create(&dev, m.dma, &cfg);
	if (!rc)
		rc = coherent(dev);
	if (!rc)
		rc = streaming(&m, dev);
	if (!rc)
		rc = small(dev);
	if (!rc)
		rc = pz_dma_dev_destroy(dev);
	if (rc) {
		fprintf(stderr, "dma: %d\n", rc);
		return 1;
	}
	pz_dma_debug_stat(m.debug, &found);
	printf("checks:  %llu found\n", (unsigned long long)found.errors);
	return unmake(&m) || found.errors != 1;
}
