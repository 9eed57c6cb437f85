/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu.c - a driver for a fictitious master of 32 address lines on a machine of 8 GiB, whose IOMMU
 * puts out 35 bits; and the same work without an IOMMU, through bounce buffers.
 *
 * The master copies bytes and adds them up (iommu_master.h). Its descriptors, source and target all
 * lie above 4 GiB, where it could not point to. No libc: the same code runs in a process
 * (iommu_hosted.c) and on bare metal.
 */
#include "iommu.h"
#include "iommu_master.h"

#include <physzone/bounce.h>
#include <physzone/dma_map.h>
#include <physzone/fmt.h>
#include <physzone/iommu.h>

#define EX_GIB ((uint64_t)1 << 30)
#define EX_PAGE 4096u
#define EX_SIZE 50000u	 /* bytes that are copied */
#define EX_OFFSET 0x234u /* where they begin in their page */
#define EX_KEPT 32u
#define EX_OAS 35u
#define EX_QUIRKS (PZ_V7S_NO_PERMS | PZ_V7S_MTK_EXT)

struct example {
	const struct example_host *host;
	struct pz_bugs bugs;
	struct pz_memblock mb;
	struct pz_zones zones;
	struct pz_pages *pages;
	uint64_t free; /* pages at first */
	struct pz_table_source *tables;
	struct pz_iommu *domain;
	struct pz_iommu_dev *dev;
	struct master_kept kept[EX_KEPT];
	struct master master;
	bool wrong;
};

static void ex_say(struct example *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void ex_say(struct example *e, const char *fmt, ...)
{
	char line[160];
	va_list ap;

	va_start(ap, fmt);
	pz_vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	e->host->print(e->host->ctx, line);
}

/* Something that must hold. */
static void ex_expect(struct example *e, bool ok, const char *what)
{
	if (ok)
		return;
	e->wrong = true;
	ex_say(e, "wrong:   %s", what);
}

static void ex_told(void *ctx, const char *text)
{
	struct example *e = ctx;

	e->wrong = true;
	ex_say(e, "misuse:  %s", text);
}

/* --- the machine --- */

static void *ex_memory(void *ctx, uint64_t phys, uint64_t bytes)
{
	const struct example *e = ctx;

	return e->host->memory(e->host->ctx, phys, bytes);
}

/* 8 GiB, of which two parts are free. */
static int ex_lay_out(struct example *e)
{
	const struct pz_range low = e->host->low, high = e->host->high;
	int rc = pz_memblock_add(&e->mb, 0, 8 * EX_GIB, 0, 0);

	if (!rc)
		rc = pz_memblock_reserve(&e->mb, 0, low.first, PZ_NID_NONE, 0);
	if (!rc)
		rc = pz_memblock_reserve(&e->mb, low.last + 1, high.first - low.last - 1,
					 PZ_NID_NONE, 0);
	if (!rc)
		rc = pz_memblock_reserve(&e->mb, high.last + 1, 8 * EX_GIB - high.last - 1,
					 PZ_NID_NONE, 0);
	return rc;
}

static int ex_machine(struct example *e)
{
	struct pz_zone_config zones = { .configured = 1u << PZ_ZONE_NORMAL, .page_shift = 12 };
	struct pz_page_config pages = { .cpus = 1 };
	int rc;

	zones.max_order_pages = 1024;
	zones.max_pfn[PZ_ZONE_NORMAL] = 8 * EX_GIB / EX_PAGE;
	rc = pz_memblock_init(&e->mb, e->host->meta, 12);
	if (!rc)
		rc = ex_lay_out(e);
	if (!rc)
		rc = pz_zones_build(&e->zones, e->host->meta, &e->mb, &zones);
	if (!rc)
		rc = pz_zones_set_managed(&e->zones, &e->mb, UINT64_MAX);
	pages.meta = e->host->meta;
	pages.zones = &e->zones;
	pages.memblock = &e->mb;
	pages.max_pfn = UINT64_MAX;
	pages.bugs = &e->bugs;
	if (!rc)
		rc = pz_pages_create(&e->pages, &pages);
	if (rc)
		return rc;
	e->free = pz_page_free_count(e->pages, UINT32_MAX);
	ex_say(e, "machine: 8 GiB; %u KiB are free, from %#llx and from %#llx on",
	       (unsigned int)(e->free * EX_PAGE / 1024), (unsigned long long)e->host->low.first,
	       (unsigned long long)e->host->high.first);
	return 0;
}

/* --- the IOMMU --- */

/* Tables are to lie where the walker reads them, four to a page: any provider takes the limits. */
static int ex_tables(struct example *e)
{
	const struct pz_range low = e->host->low;
	struct pz_table_source_config cfg = { .pages = e->pages, .mapped = low, .tables = 64 };
	const char *why = NULL;
	int rc;

	cfg.virt = ex_memory(e, low.first, 1);
	cfg.meta = e->host->meta;
	cfg.bugs = &e->bugs;
	pz_v7s_table_limits(EX_QUIRKS, EX_OAS, &cfg.limits);
	rc = pz_table_frag_create(&e->tables, &cfg, PZ_FRAG_REUSE, &why);
	if (rc && why)
		ex_say(e, "no tables: %s", why);
	return rc;
}

static void ex_flush_all(void *ctx)
{
	master_forget_all(ctx);
}

static void ex_flush(void *ctx, uint64_t iova, uint64_t size, uint32_t granule)
{
	(void)granule;
	master_forget(ctx, iova, size);
}

static int ex_iommu(struct example *e)
{
	struct pz_iommu_config cfg = { .cpus = 1, .pages = e->pages };
	struct pz_iommu_dev_config dev;
	const char *why = "";
	int rc = ex_tables(e);

	if (rc)
		return rc;
	cfg.tables.ias = 32;
	cfg.tables.oas = EX_OAS;
	cfg.tables.quirks = EX_QUIRKS;
	cfg.tables.coherent_walk = true;
	cfg.tables.mem = pz_table_source_mem(e->tables);
	cfg.tables.meta = e->host->meta;
	cfg.tables.bugs = &e->bugs;
	cfg.tables.tlb.flush_all = ex_flush_all;
	cfg.tables.tlb.flush_walk = ex_flush;
	cfg.tables.tlb.ctx = &e->master;
	cfg.hooks.direct = ex_memory;
	cfg.hooks.ctx = e;
	rc = pz_iommu_create(&e->domain, &cfg, 0, PZ_GFP_BLOCK, &why);
	if (rc) {
		ex_say(e, "no domain: %s", why ? why : "no memory");
		return rc;
	}
	pz_iommu_dev_init(&dev, "copier", 32);
	rc = pz_iommu_attach(&e->dev, e->domain, &dev);
	e->master.memory = ex_memory;
	e->master.ctx = e;
	e->master.extended = true;
	e->master.kept = e->kept;
	e->master.kept_most = EX_KEPT;
	e->master.ttbr = pz_v7s_regs(pz_iommu_tables(e->domain)).ttbr;
	ex_say(e, "iommu:   outputs of 35 bits, its first level at %#llx",
	       (unsigned long long)e->master.ttbr);
	return rc;
}

/* --- the driver --- */

/* What a job has: a buffer in two pieces, and one in a row. */
struct ex_job {
	uint64_t from[2], to; /* page frames */
	struct pz_sg sg[2];
	uint64_t to_phys;
};

#define EX_FIRST_PAGES 4u
#define EX_PAGES ((EX_OFFSET + EX_SIZE + EX_PAGE - 1) / EX_PAGE)

static int ex_take(struct example *e, uint64_t pages, uint64_t *pfn)
{
	struct pz_limits high = PZ_LIMITS_ANY;

	high.min_addr = 4 * EX_GIB;
	return pz_alloc_pages_exact(e->pages, 0, PZ_GFP_BLOCK, pages * EX_PAGE, &high, pfn);
}

static unsigned char *ex_at(struct example *e, uint64_t phys)
{
	return ex_memory(e, phys, 1);
}

static uint32_t ex_fill(struct example *e, const struct pz_sg *s, uint32_t seed)
{
	unsigned char *p = ex_memory(e, s->phys, s->len);
	uint32_t sum = 0;

	for (uint64_t i = 0; i < s->len; i++) {
		seed = seed * 1664525u + 1013904223u;
		p[i] = (unsigned char)(seed >> 24);
		sum += p[i];
	}
	return sum;
}

static bool ex_copied(struct example *e, const struct ex_job *j)
{
	uint64_t at = 0;

	for (uint32_t k = 0; k < 2; k++)
		for (uint64_t i = 0; i < j->sg[k].len; i++, at++)
			if (*ex_at(e, j->to_phys + at) != *ex_at(e, j->sg[k].phys + i))
				return false;
	return true;
}

/* Pages above 4 GiB: the source in two pieces that lie apart, the target in one. */
static int ex_job(struct example *e, struct ex_job *j)
{
	int rc = ex_take(e, EX_FIRST_PAGES, &j->from[0]);

	if (rc)
		return rc;
	rc = ex_take(e, EX_PAGES, &j->to);
	if (rc) {
		pz_free_exact(e->pages, 0, j->from[0], EX_FIRST_PAGES);
		return rc;
	}
	rc = ex_take(e, EX_PAGES - EX_FIRST_PAGES, &j->from[1]);
	if (rc) {
		pz_free_exact(e->pages, 0, j->from[0], EX_FIRST_PAGES);
		pz_free_exact(e->pages, 0, j->to, EX_PAGES);
		return rc;
	}
	j->to_phys = j->to * EX_PAGE + EX_OFFSET;
	j->sg[0].phys = j->from[0] * EX_PAGE + EX_OFFSET;
	j->sg[0].len = EX_FIRST_PAGES * EX_PAGE - EX_OFFSET;
	j->sg[1].phys = j->from[1] * EX_PAGE;
	j->sg[1].len = EX_SIZE - j->sg[0].len;
	return 0;
}

static void ex_job_done(struct example *e, const struct ex_job *j)
{
	pz_free_exact(e->pages, 0, j->from[0], EX_FIRST_PAGES);
	pz_free_exact(e->pages, 0, j->from[1], EX_PAGES - EX_FIRST_PAGES);
	pz_free_exact(e->pages, 0, j->to, EX_PAGES);
}

/* The ring is the CPU's and the master's; two descriptors: copy, and add up the copy. */
static void ex_run(struct example *e, struct ex_job *j, const struct pz_iommu_buf *ring,
		   uint64_t from, uint64_t to)
{
	struct master_desc *d = ring->cpu_addr;
	uint32_t sum = ex_fill(e, &j->sg[0], 1) + ex_fill(e, &j->sg[1], 2), good;

	d[0] = (struct master_desc){
		.op = MASTER_COPY, .from = (uint32_t)from, .to = (uint32_t)to, .bytes = EX_SIZE
	};
	d[1] = (struct master_desc){ .op = MASTER_SUM, .from = (uint32_t)to, .bytes = EX_SIZE };
	good = master_run(&e->master, ring->bus, 2);
	ex_say(e, "copied:  %u bytes from %#x to %#x on the bus; the sum is %s", EX_SIZE, d[0].from,
	       d[0].to, d[1].sum == sum ? "right" : "wrong");
	ex_expect(e, good == 2 && d[1].op == (MASTER_SUM | MASTER_DONE) && d[1].sum == sum,
		  "both descriptors are worked off");
	ex_expect(e, ex_copied(e, j), "the copy is in memory above 4 GiB");
}

/* The master goes on where it must not any more. */
static void ex_late(struct example *e, const struct pz_iommu_buf *ring, uint64_t to)
{
	struct master_desc *d = ring->cpu_addr;

	d[0] = (struct master_desc){ .op = MASTER_SUM, .from = (uint32_t)to, .bytes = 64 };
	ex_expect(e, master_run(&e->master, ring->bus, 1) == 0 && d[0].op & MASTER_FAILED,
		  "no access after unmap");
	ex_say(e, "unmapped: a read of %#llx faults", (unsigned long long)e->master.fault_addr);
	ex_expect(e, e->master.fault_addr == to, "the fault is where the target was");
}

/* Source and target are mapped. */
static void ex_work(struct example *e, struct ex_job *j, const struct pz_iommu_buf *ring,
		    uint32_t runs, uint64_t to)
{
	uint64_t phys;

	ex_say(e, "mapped:  %#llx and %#llx are %u run on the bus, %#llx is %#llx",
	       (unsigned long long)j->sg[0].phys, (unsigned long long)j->sg[1].phys, runs,
	       (unsigned long long)j->to_phys, (unsigned long long)to);
	ex_expect(e, runs == 1 && j->sg[0].bus_len == EX_SIZE, "two pieces are one on the bus");
	ex_expect(e, !pz_iommu_phys(e->domain, ring->bus, &phys) && phys > 4 * EX_GIB,
		  "the ring, too, lies above 4 GiB");
	ex_run(e, j, ring, j->sg[0].bus, to);
	pz_iommu_unmap(e->dev, 0, to, EX_SIZE, PZ_DMA_FROM_DEVICE, 0);
	ex_late(e, ring, to);
}

static int ex_translated(struct example *e, struct ex_job *j)
{
	struct pz_iommu_buf ring;
	uint64_t to;
	uint32_t n;
	int rc = pz_iommu_alloc(e->dev, 0, PZ_GFP_BLOCK, 0, EX_PAGE, &ring);

	if (rc)
		return rc;
	rc = pz_iommu_map_sg(e->dev, 0, PZ_GFP_BLOCK, j->sg, 2, PZ_DMA_TO_DEVICE, 0, &n);
	if (!rc) {
		rc = pz_iommu_map(e->dev, 0, PZ_GFP_BLOCK, j->to_phys, EX_SIZE, PZ_DMA_FROM_DEVICE,
				  0, &to);
		if (!rc)
			ex_work(e, j, &ring, n, to);
		pz_iommu_unmap_sg(e->dev, 0, j->sg, 2, PZ_DMA_TO_DEVICE, 0);
	}
	pz_iommu_free(e->dev, 0, &ring);
	return rc;
}

/* --- the same without an IOMMU --- */

struct ex_bounce {
	struct pz_bounce *bounce;
	struct pz_dma *dma;
	struct pz_dma_dev *dev;
};

static int ex_bounce_make(struct example *e, struct ex_bounce *b)
{
	struct pz_bounce_config bounce = { .meta = e->host->meta, .bugs = &e->bugs, .cpus = 1 };
	struct pz_dma_config dma = { .meta = e->host->meta, .bugs = &e->bugs, .cpus = 1 };
	struct pz_dma_dev_config dev;
	int rc;

	dma.hooks.direct = ex_memory;
	dma.hooks.ctx = e;
	dma.cma = PZ_DMA_NO_CMA;
	dma.pool_bytes = UINT64_MAX;
	bounce.hooks = dma.hooks;
	bounce.pages = dma.pages = e->pages;
	bounce.reserve_bytes = 256 * 1024;
	rc = pz_bounce_create(&b->bounce, &bounce);
	dma.bounce = b->bounce;
	if (!rc)
		rc = pz_dma_create(&b->dma, &dma);
	pz_dma_dev_init(&dev, "copier", 32);
	return rc ? rc : pz_dma_dev_create(&b->dev, b->dma, &dev);
}

static int ex_bounce_drop(struct ex_bounce *b)
{
	int rc = b->dev ? pz_dma_dev_destroy(b->dev) : 0;

	if (!rc)
		rc = pz_dma_destroy(b->dma);
	return rc ? rc : pz_bounce_destroy(b->bounce);
}

static int ex_bounced(struct example *e, const struct ex_job *j)
{
	struct ex_bounce b = { NULL, NULL, NULL };
	uint64_t bus;
	int rc = ex_bounce_make(e, &b), end;

	if (!rc)
		rc = pz_dma_map_try(b.dev, 0, j->to_phys, EX_SIZE, PZ_DMA_BIDIRECTIONAL, 0, &bus);
	if (!rc) {
		struct master plain = { .memory = ex_memory, .ctx = e, .off = true };
		unsigned char byte = 2;

		ex_say(e, "bounced: without the IOMMU %#llx is copied to %#llx, and back",
		       (unsigned long long)j->to_phys, (unsigned long long)bus);
		ex_expect(e, bus + EX_SIZE <= 4 * EX_GIB, "a place below 4 GiB");
		*ex_at(e, j->to_phys) = 1;
		ex_expect(e, master_access(&plain, bus, &byte, 1, true), "the master writes there");
		ex_expect(e, *ex_at(e, j->to_phys) == 1, "what it wrote is not where it belongs");
		pz_dma_unmap(b.dev, 0, bus, EX_SIZE, PZ_DMA_BIDIRECTIONAL, 0);
		ex_expect(e, *ex_at(e, j->to_phys) == 2, "but it is after a copy");
		ex_say(e, "costs:   %u bytes copied by the CPU, none with the IOMMU", 2 * EX_SIZE);
	}
	end = ex_bounce_drop(&b);
	return rc ? rc : end;
}

/* --- all of it --- */

static int ex_unmake(struct example *e)
{
	int rc = 0;

	pz_iommu_detach(e->dev);
	rc = pz_iommu_destroy(e->domain, 0);
	if (!rc)
		rc = pz_table_source_destroy(e->tables);
	if (e->pages)
		ex_expect(e, pz_page_free_count(e->pages, UINT32_MAX) == e->free,
			  "every page came back");
	pz_pages_destroy(e->pages);
	pz_zones_destroy(&e->zones);
	pz_memblock_destroy(&e->mb);
	return rc;
}

int example_iommu(const struct example_host *host)
{
	struct example *e = host->meta->alloc(host->meta->ctx, sizeof(*e));
	struct ex_job job;
	int rc, end;

	if (!e)
		return -PZ_ENOMEM;
	*e = (struct example){ .host = host };
	e->bugs.policy = PZ_BUG_REPORT;
	e->bugs.report = ex_told;
	e->bugs.ctx = e;
	rc = ex_machine(e);
	if (!rc)
		rc = ex_iommu(e);
	if (!rc)
		rc = ex_job(e, &job);
	if (!rc) {
		rc = ex_translated(e, &job);
		if (!rc)
			rc = ex_bounced(e, &job);
		ex_job_done(e, &job);
	}
	end = ex_unmake(e);
	if (!rc)
		rc = end ? end : e->wrong;
	host->meta->free(host->meta->ctx, e, sizeof(*e));
	return rc;
}
