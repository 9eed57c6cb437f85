/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_dma_watch.c - the layer with its debug mode on: each misuse, made through what drivers
 * call, is found once, with the place of the mapping; right use of everything finds nothing.
 */
#include <physzone/dma_debug.h>
#include <physzone/dma_pool.h>

#include "coherent_machine.h"
#include "dma_device.h"
#include "suites_decl.h"

#define DW_ENTRIES 64u
#define DW_PAGES 8u  /* of the driver, on either side of what the device reaches */
#define DW_HERE 100u /* the place where a mapping is made */
#define BLOCK PZ_GFP_BLOCK

struct dw_box {
	struct device_machine m;
	struct pz_dma_debug *d;
	struct pz_dma_dev *dev, *other;
	uint64_t mem[2], at; /* pages that are reached and not; those in use */
	bool bounced;
	enum pz_dma_memory says; /* of all memory */
	uint64_t site;
	uint32_t findings;
	struct pz_dma_misuse_found last;
	struct pz_sg sg[3];
	uint32_t mapped;
	struct pz_dma_buf buf;
};

static void dw_found(void *ctx, const struct pz_dma_misuse_found *f)
{
	struct dw_box *b = ctx;

	b->findings++;
	b->last = *f;
}

static enum pz_dma_memory dw_memory(void *ctx, const struct pz_dma_use *u)
{
	(void)u;
	return ((struct dw_box *)ctx)->says;
}

static uint64_t dw_now(void *ctx)
{
	return ++((struct dw_box *)ctx)->m.clock;
}

static uint64_t dw_site(void *ctx)
{
	return ((struct dw_box *)ctx)->site;
}

static bool dw_checks(struct pz_dma_debug **out, struct dw_box *b, struct pz_pages *pages,
		      struct tap *t)
{
	struct pz_dma_debug_config cfg = { .entries = DW_ENTRIES };

	cfg.meta = t->meta;
	cfg.pages = pages;
	cfg.found = dw_found;
	cfg.memory = dw_memory;
	cfg.now = dw_now;
	cfg.site = dw_site;
	cfg.ctx = b;
	return CHECK_NAMED(t, pz_dma_debug_create(out, &cfg) == 0, "the debug mode is made");
}

/* Nothing is recorded any more; give it back. */
static void dw_checks_end(struct pz_dma_debug *d, struct tap *t)
{
	struct pz_dma_debug_stat s;

	pz_dma_debug_stat(d, &s);
	CHECK_NAMED(t, s.free == DW_ENTRIES && !s.lost && pz_dma_debug_check(d) == 0,
		    "no record is left");
	pz_dma_debug_destroy(d);
}

static struct pz_dma_dev *dw_device(struct dw_box *b, const char *name)
{
	struct pz_dma_dev_config cfg;
	struct dma_device d;

	pz_dma_dev_init(&cfg, name, 32);
	cfg.max_segment = 0x4000;
	cfg.boundary = 0x2000;
	return dv_device(&d, &b->m, &cfg);
}

/* Memory of the driver at or above @first. */
static bool dw_take(struct dw_box *b, unsigned int part, uint64_t first, uint64_t bytes)
{
	struct pz_limits l = PZ_LIMITS_ANY;
	uint64_t pfn;

	l.min_addr = first;
	l.max_addr = first + bytes - 1;
	if (!CHECK_NAMED(b->m.pm.t, pz_alloc_pages(b->m.pm.pages, PZ_CPU_NONE, 0, 3, &l, &pfn) == 0,
			 "the driver has memory"))
		return false;
	b->mem[part] = pfn << 12;
	return true;
}

static bool dw_open(struct dw_box *b, struct tap *t)
{
	b->findings = 0;
	b->site = 1;
	b->says = PZ_DMA_MEMORY_FINE;
	if (!dv_lay_out(&b->m, t) || !dw_checks(&b->d, b, b->m.pm.pages, t))
		return false;
	b->m.dc.debug = b->d;
	if (!dv_make(&b->m) || !dw_take(b, 0, DM_LOW, DM_PART) || !dw_take(b, 1, DM_HIGH, DM_PART))
		return false;
	b->dev = dw_device(b, "disk");
	b->other = dw_device(b, "net");
	return b->dev && b->other;
}

static void dw_close(struct dw_box *b)
{
	struct tap *t = b->m.pm.t;

	CHECK(t, pz_dma_dev_destroy(b->dev) == 0 && pz_dma_dev_destroy(b->other) == 0);
	CHECK(t, b->findings == 0);
	dw_checks_end(b->d, t);
	for (unsigned int i = 0; i < 2; i++)
		pz_free_pages(b->m.pm.pages, PZ_CPU_NONE, b->mem[i] >> 12, 3);
	dv_close(&b->m);
}

/* --- streaming mappings: what is done wrong --- */

/* A mapping of 2 KiB, made here and checked. */
static uint64_t dw_map(struct dw_box *b, enum pz_dma_dir dir)
{
	uint64_t bus;

	b->site = DW_HERE;
	bus = pz_dma_map(b->dev, 0, b->at, 0x800, dir, 0);
	b->site = 1;
	CHECK(b->m.pm.t, !pz_dma_mapping_error(b->dev, bus) && (bus != b->at) == b->bounced);
	return bus;
}

static void dw_unmap(struct dw_box *b, uint64_t bus, enum pz_dma_dir dir)
{
	pz_dma_unmap(b->dev, 0, bus, 0x800, dir, 0);
}

/* What a bounce buffer refused is still mapped; of others nothing but the record is known. */
static void dw_again(struct dw_box *b, uint64_t bus)
{
	if (b->bounced)
		dw_unmap(b, bus, PZ_DMA_TO_DEVICE);
}

static void dw_list(struct dw_box *b)
{
	for (unsigned int i = 0; i < 3; i++) {
		b->sg[i].phys = b->at + i * 0x1000;
		b->sg[i].len = i < 2 ? 0x800 : 0;
		b->sg[i].bus = b->sg[i].bus_len = 0;
	}
	b->site = DW_HERE;
	CHECK(b->m.pm.t, pz_dma_map_sg(b->dev, 0, b->sg, 2, PZ_DMA_TO_DEVICE, 0, &b->mapped) == 0);
	b->site = 1;
}

static void dw_is(struct dw_box *b, enum pz_dma_misuse what, bool known)
{
	const struct pz_dma_misuse_found *f = &b->last;

	CHECK_NAMED(b->m.pm.t, b->findings == 1 && f->what == what, pz_dma_misuse_name(what));
	CHECK_NAMED(b->m.pm.t,
		    f->known == known && (!known || (f->mapping.site == DW_HERE &&
						     f->mapping.since && f->site == 1)),
		    "with the place where it was mapped");
	b->findings = 0;
}

static void dw_unmaps(struct dw_box *b)
{
	uint64_t bus;

	pz_dma_unmap(b->dev, 0, PZ_DMA_ERROR, 0x800, PZ_DMA_TO_DEVICE, 0);
	dw_is(b, PZ_DMA_UNMAP_ERROR, false);
	bus = dw_map(b, PZ_DMA_TO_DEVICE);
	pz_dma_unmap(b->other, 0, bus, 0x800, PZ_DMA_TO_DEVICE, 0);
	dw_is(b, PZ_DMA_UNMAP_DEVICE, true);
	dw_unmap(b, bus, PZ_DMA_TO_DEVICE);
	CHECK(b->m.pm.t, b->findings == 0);
	dw_unmap(b, bus, PZ_DMA_TO_DEVICE);
	dw_is(b, PZ_DMA_UNMAP_UNKNOWN, false);
	bus = dw_map(b, PZ_DMA_TO_DEVICE);
	pz_dma_unmap(b->dev, 0, bus, 0x400, PZ_DMA_TO_DEVICE, 0);
	dw_is(b, PZ_DMA_UNMAP_SIZE, true);
	dw_again(b, bus);
	bus = dw_map(b, PZ_DMA_TO_DEVICE);
	pz_dma_unmap(b->dev, 0, bus, 0x800, PZ_DMA_FROM_DEVICE, 0);
	dw_is(b, PZ_DMA_UNMAP_DIR, true);
	dw_again(b, bus);
	bus = dw_map(b, PZ_DMA_TO_DEVICE);
	pz_dma_unmap_resource(b->dev, bus, 0x800, PZ_DMA_TO_DEVICE, 0);
	dw_is(b, PZ_DMA_UNMAP_KIND, true);
	dw_unmap(b, bus, PZ_DMA_TO_DEVICE);
	b->site = DW_HERE;
	bus = pz_dma_map(b->dev, 0, b->at, 0x800, PZ_DMA_TO_DEVICE, 0);
	b->site = 1;
	dw_unmap(b, bus, PZ_DMA_TO_DEVICE);
	dw_is(b, PZ_DMA_UNMAP_UNCHECKED, true);
	bus = dw_map(b, PZ_DMA_TO_DEVICE);
	CHECK_NAMED(b->m.pm.t, pz_dma_dev_destroy(b->dev) == -PZ_EBUSY, "what is mapped is known");
	CHECK(b->m.pm.t, b->last.count == 1);
	dw_is(b, PZ_DMA_LEAK, true);
	dw_unmap(b, bus, PZ_DMA_TO_DEVICE);
}

static void dw_lists(struct dw_box *b)
{
	dw_list(b);
	pz_dma_sync_sg_for_device(b->dev, b->sg, 3, PZ_DMA_TO_DEVICE);
	dw_is(b, PZ_DMA_SYNC_COUNT, true);
	pz_dma_sync_sg_for_cpu(b->dev, b->sg, 2, PZ_DMA_FROM_DEVICE);
	dw_is(b, PZ_DMA_SYNC_READ_ONLY, true);
	pz_dma_unmap_sg(b->other, 0, b->sg, 2, PZ_DMA_TO_DEVICE, 0);
	dw_is(b, PZ_DMA_UNMAP_DEVICE, true);
	pz_dma_unmap_sg(b->dev, 0, b->sg, 3, PZ_DMA_TO_DEVICE, 0);
	dw_is(b, PZ_DMA_UNMAP_COUNT, true);
	pz_dma_unmap_sg(b->dev, 0, b->sg, 2, PZ_DMA_TO_DEVICE, 0);
	dw_is(b, PZ_DMA_UNMAP_UNKNOWN, false);
	dw_list(b);
	pz_dma_unmap_sg(b->dev, 0, b->sg, 2, PZ_DMA_BIDIRECTIONAL, 0);
	dw_is(b, PZ_DMA_UNMAP_DIR, true);
	if (b->bounced)
		pz_dma_unmap_sg(b->dev, 0, b->sg, 2, PZ_DMA_TO_DEVICE, 0);
	dw_list(b);
	pz_dma_unmap(b->dev, 0, b->sg[0].bus, 0x800, PZ_DMA_TO_DEVICE, 0);
	dw_is(b, PZ_DMA_UNMAP_KIND, true);
	if (b->mapped == 2) {
		pz_dma_unmap(b->dev, 0, b->sg[1].bus, 0x800, PZ_DMA_TO_DEVICE, 0);
	} else {
		CHECK_NAMED(b->m.pm.t, b->sg[0].bus_len == 0x1000,
			    "elements that follow became one");
		pz_dma_unmap(b->dev, 0, b->sg[0].bus + 0x800, 0x800, PZ_DMA_TO_DEVICE, 0);
	}
	dw_is(b, PZ_DMA_UNMAP_KIND, true);
	b->sg[0].len = 0x5000;
	CHECK(b->m.pm.t,
	      pz_dma_map_sg(b->dev, 0, b->sg, 1, PZ_DMA_TO_DEVICE, 0, &b->mapped) == -PZ_EINVAL);
	CHECK(b->m.pm.t, b->last.limit == 0x4000);
	dw_is(b, PZ_DMA_MAP_LONG, false);
	b->sg[0].len = 0x3000;
	CHECK(b->m.pm.t,
	      pz_dma_map_sg(b->dev, 0, b->sg, 1, PZ_DMA_TO_DEVICE, 0, &b->mapped) == -PZ_ERANGE);
	CHECK(b->m.pm.t, b->last.limit == 0x2000);
	dw_is(b, PZ_DMA_MAP_BOUNDARY, false);
}

static void dw_maps(struct dw_box *b)
{
	static const struct {
		enum pz_dma_memory says;
		enum pz_dma_misuse what;
	} v[] = {
		{ PZ_DMA_MEMORY_STACK, PZ_DMA_MAP_STACK },
		{ PZ_DMA_MEMORY_TEXT, PZ_DMA_MAP_TEXT },
		{ PZ_DMA_MEMORY_VMALLOC, PZ_DMA_MAP_VMALLOC },
		{ PZ_DMA_MEMORY_INVALID, PZ_DMA_MAP_INVALID },
	};
	uint64_t bus, twice, pfn = b->mem[b->bounced] >> 12;

	for (unsigned int i = 0; i < 4; i++) {
		b->says = v[i].says;
		bus = dw_map(b, PZ_DMA_TO_DEVICE);
		dw_is(b, v[i].what, false);
		b->says = PZ_DMA_MEMORY_FINE;
		dw_unmap(b, bus, PZ_DMA_TO_DEVICE);
	}
	bus = dw_map(b, PZ_DMA_FROM_DEVICE);
	b->at += 0x7e0;
	twice = pz_dma_map(b->dev, 0, b->at, 0x800, PZ_DMA_FROM_DEVICE, 0);
	dw_is(b, PZ_DMA_MAP_OVERLAP, true);
	CHECK(b->m.pm.t, !pz_dma_mapping_error(b->dev, twice));
	dw_unmap(b, twice, PZ_DMA_FROM_DEVICE);
	b->at -= 0x7e0;
	dw_unmap(b, bus, PZ_DMA_FROM_DEVICE);
	/* Freed while it is mapped, and mapped after that. */
	bus = dw_map(b, PZ_DMA_TO_DEVICE);
	pz_free_pages(b->m.pm.pages, PZ_CPU_NONE, pfn, 3);
	dw_unmap(b, bus, PZ_DMA_TO_DEVICE);
	dw_is(b, PZ_DMA_UNMAP_FREED, true);
	bus = dw_map(b, PZ_DMA_TO_DEVICE);
	dw_is(b, PZ_DMA_MAP_FREED, false);
	(void)dw_take(b, b->bounced, b->at, DW_PAGES * 4096);
	dw_unmap(b, bus, PZ_DMA_TO_DEVICE);
}

static void dw_syncs(struct dw_box *b)
{
	uint64_t bus = dw_map(b, PZ_DMA_TO_DEVICE);

	pz_dma_sync_for_device(b->dev, bus + 0x400, 0x401, PZ_DMA_TO_DEVICE);
	dw_is(b, PZ_DMA_SYNC_RANGE, true);
	pz_dma_sync_for_device(b->dev, bus, 0x10, PZ_DMA_FROM_DEVICE);
	dw_is(b, PZ_DMA_SYNC_DIR, true);
	pz_dma_sync_for_cpu(b->dev, bus, 0x10, PZ_DMA_FROM_DEVICE);
	dw_is(b, PZ_DMA_SYNC_READ_ONLY, true);
	pz_dma_sync_for_cpu(b->other, bus, 0x10, PZ_DMA_TO_DEVICE);
	dw_is(b, PZ_DMA_SYNC_UNKNOWN, false);
	dw_unmap(b, bus, PZ_DMA_TO_DEVICE);
	bus = dw_map(b, PZ_DMA_FROM_DEVICE);
	pz_dma_sync_for_device(b->dev, bus, 0x10, PZ_DMA_TO_DEVICE);
	dw_is(b, PZ_DMA_SYNC_WRITE_ONLY, true);
	dw_unmap(b, bus, PZ_DMA_FROM_DEVICE);
	pz_dma_sync_for_cpu(b->dev, bus, 0x10, PZ_DMA_FROM_DEVICE);
	dw_is(b, PZ_DMA_SYNC_UNKNOWN, false);
}

static void dw_registers(struct dw_box *b)
{
	uint64_t bus;

	b->site = DW_HERE;
	bus = pz_dma_map_resource(b->dev, 0xfe000000, 0x100, PZ_DMA_BIDIRECTIONAL, 0);
	b->site = 1;
	CHECK(b->m.pm.t, bus == 0xfe000000);
	pz_dma_unmap(b->dev, 0, bus, 0x100, PZ_DMA_BIDIRECTIONAL, 0);
	dw_is(b, PZ_DMA_UNMAP_KIND, true);
	pz_dma_unmap_resource(b->dev, bus, 0x200, PZ_DMA_BIDIRECTIONAL, 0);
	dw_is(b, PZ_DMA_UNMAP_SIZE, true);
	bus = pz_dma_map_resource(b->dev, 0xfe000000, 0x100, PZ_DMA_BIDIRECTIONAL, 0);
	pz_dma_unmap_resource(b->dev, bus, 0x100, PZ_DMA_BIDIRECTIONAL, 0);
}

static void dw_buffers(struct dw_box *b)
{
	struct pz_dma_buf bad;

	b->site = DW_HERE;
	CHECK(b->m.pm.t, pz_dma_alloc(b->dev, 0, 0, 0, 0x1000, &b->buf) == 0);
	b->site = 1;
	CHECK(b->m.pm.t, pz_dma_dev_destroy(b->dev) == -PZ_EBUSY);
	dw_is(b, PZ_DMA_LEAK, true);
	bad = b->buf;
	bad.size = 0x1001;
	pz_dma_free(b->dev, 0, &bad);
	dw_is(b, PZ_DMA_UNMAP_SIZE, true);
	pz_dma_unmap(b->dev, 0, b->buf.bus, 0x1000, PZ_DMA_BIDIRECTIONAL, 0);
	dw_is(b, PZ_DMA_UNMAP_KIND, true);
	pz_dma_free(b->dev, 0, &b->buf);
	CHECK_NAMED(b->m.pm.t, b->findings == 0, "none of that freed it");
	b->site = DW_HERE;
	CHECK(b->m.pm.t, pz_dma_alloc(b->dev, 0, 0, 0, 0x1000, &b->buf) == 0);
	b->site = 1;
	bad = b->buf;
	bad.cpu_addr = (unsigned char *)bad.cpu_addr + 64;
	pz_dma_free(b->dev, 0, &bad);
	dw_is(b, PZ_DMA_UNMAP_MEMORY, true);
	pz_dma_free(b->dev, 0, &b->buf);
	dw_is(b, PZ_DMA_UNMAP_UNKNOWN, false);
}

static void dw_wrong(struct tap *t, struct dw_box *b)
{
	if (!dw_open(b, t))
		return;
	for (unsigned int i = 0; i < 2; i++) {
		b->bounced = i;
		b->at = b->mem[i];
		dw_unmaps(b);
		dw_lists(b);
		dw_maps(b);
		b->at = b->mem[i];
		dw_syncs(b);
	}
	dw_registers(b);
	dw_buffers(b);
	dw_close(b);
}

/* --- right use --- */

/* Lists whose elements become one, and not; their memory is known for what it is. */
static void dw_right_lists(struct tap *t, struct dw_box *b)
{
	for (unsigned int rows = 0; rows < 2; rows++) {
		struct pz_sg sg[3];
		uint32_t mapped = 0;
		uint64_t bus;

		for (unsigned int i = 0; i < 3; i++) {
			sg[i].phys = b->at + (rows ? i * 0x800 : i * 0x1000 + 0x100);
			sg[i].len = 0x800;
		}
		CHECK(t, pz_dma_map_sg(b->dev, 0, sg, 3, PZ_DMA_FROM_DEVICE, 0, &mapped) == 0);
		CHECK(t, b->bounced ? mapped <= 3 : mapped == (rows ? 1 : 3));
		pz_dma_sync_sg_for_cpu(b->dev, sg, 3, PZ_DMA_FROM_DEVICE);
		pz_dma_sync_sg_for_device(b->dev, sg, 3, PZ_DMA_FROM_DEVICE);
		/* Between elements lies memory of others. */
		bus = rows ? 0
			   : pz_dma_map(b->other, 0, b->at + 0x900, 0x700, PZ_DMA_FROM_DEVICE, 0);
		if (!rows) {
			CHECK(t, !pz_dma_mapping_error(b->other, bus));
			pz_dma_unmap(b->other, 0, bus, 0x700, PZ_DMA_FROM_DEVICE, 0);
		}
		pz_dma_unmap_sg(b->dev, 0, sg, 3, PZ_DMA_FROM_DEVICE, 0);
		CHECK_NAMED(t, b->findings == 0, "a list that is used rightly");
	}
}

static void dw_right_singles(struct tap *t, struct dw_box *b)
{
	for (unsigned int dir = 0; dir < 3; dir++) {
		struct pz_dma_dev_stat s;
		uint64_t bus = dw_map(b, (enum pz_dma_dir)dir), tried;

		CHECK(t, pz_dma_map_try(b->dev, 0, b->at + 0x1000, 0x800, (enum pz_dma_dir)dir,
					PZ_DMA_NO_WARN, &tried) == 0);
		pz_dma_dev_stat(b->dev, &s);
		CHECK(t, s.mapped == 2 && s.bounced == 2 * b->bounced);
		pz_dma_sync_for_cpu(b->dev, bus + 0x10, 0x20, (enum pz_dma_dir)dir);
		pz_dma_sync_for_device(b->dev, bus + 0x7ff, 1, (enum pz_dma_dir)dir);
		dw_unmap(b, tried, (enum pz_dma_dir)dir);
		pz_dma_unmap(b->dev, 0, bus, 0x800, (enum pz_dma_dir)dir, PZ_DMA_SKIP_CPU_SYNC);
		CHECK_NAMED(t, b->findings == 0, "a mapping that is used rightly");
	}
}

static void dw_right_pages(struct tap *t, struct dw_box *b, struct pz_dma_dev *dev)
{
	struct pz_dma_buf buf;
	struct pz_sg sg[4];
	uint32_t n = 0;

	CHECK(t, pz_dma_alloc_pages(dev, 0, BLOCK, PZ_DMA_FROM_DEVICE, 0x1800, &buf) == 0);
	pz_dma_sync_for_cpu(dev, buf.bus + 0x100, 0x100, PZ_DMA_FROM_DEVICE);
	pz_dma_sync_for_device(dev, buf.bus + 0x100, 0x100, PZ_DMA_FROM_DEVICE);
	pz_dma_free_pages(dev, 0, &buf);
	CHECK(t, pz_dma_alloc_noncontiguous(dev, 0, BLOCK, 0, 0x3000, sg, 4, &n) == 0);
	for (uint32_t i = 0; i < n; i++)
		pz_dma_sync_for_cpu(dev, sg[i].bus, sg[i].len, PZ_DMA_BIDIRECTIONAL);
	pz_dma_free_noncontiguous(dev, 0, sg, n);
	CHECK(t, pz_dma_alloc(dev, 0, BLOCK, 0, 0x2000, &buf) == 0);
	pz_dma_free(dev, 0, &buf);
	CHECK_NAMED(t, b->findings == 0, "memory that is allocated for a device");
}

static void dw_right(struct tap *t, struct dw_box *b)
{
	struct pz_dma_dev_config cfg;
	struct dma_device d;
	struct pz_dma_dev *apart;
	uint64_t bus;

	if (!dw_open(b, t))
		return;
	for (unsigned int i = 0; i < 2; i++) {
		b->bounced = i;
		b->at = b->mem[i];
		dw_right_lists(t, b);
		dw_right_singles(t, b);
	}
	dw_right_pages(t, b, b->dev);
	/* All that a restricted device sees are bounce buffers, its own memory too. */
	pz_dma_dev_init(&cfg, "apart", 32);
	cfg.restricted = b->m.bounce;
	cfg.coherent = false;
	apart = dv_device(&d, &b->m, &cfg);
	CHECK(t, pz_dma_map_try(apart, 0, b->mem[0], 0x100, PZ_DMA_TO_DEVICE, 0, &bus) == 0);
	CHECK(t, apart != NULL && b->m.pm.bugs.count == 0);
	pz_dma_unmap(apart, 0, bus, 0x100, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, pz_dma_dev_destroy(apart) == 0);
	cfg.coherent = true;
	apart = dv_device(&d, &b->m, &cfg);
	CHECK(t, pz_dma_map_try(apart, 0, b->mem[0], 0x100, PZ_DMA_TO_DEVICE, 0, &bus) == 0);
	dw_right_pages(t, b, apart);
	CHECK_NAMED(t, b->m.pm.bugs.count == 0, "a sync of its own memory copies nothing");
	pz_dma_unmap(apart, 0, bus, 0x100, PZ_DMA_TO_DEVICE, 0);
	CHECK(t, pz_dma_dev_destroy(apart) == 0 && b->findings == 0);
	dw_close(b);
}

void contract_dma_watch(struct tap *t)
{
	struct dw_box *b = t->meta->alloc(t->meta->ctx, sizeof(*b));

	if (!CHECK_NAMED(t, b != NULL, "there is room for the test"))
		return;
	dw_wrong(t, b);
	dw_right(t, b);
	t->meta->free(t->meta->ctx, b, sizeof(*b));
}
