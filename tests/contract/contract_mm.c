/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_mm.c - one machine from its map to its zones, several at once, and each failure of it.
 */
#include "suites_decl.h"

#include <physzone/mm.h>

#define MACHINES 4u

struct heard {
	unsigned int reports, panics;
};

static void heard_report(void *ctx, const char *text)
{
	struct heard *h = ctx;

	(void)text;
	h->reports++;
}

static void heard_panic(void *ctx, const char *text)
{
	struct heard *h = ctx;

	(void)text;
	h->panics++;
}

static struct pz_mm_config config(struct tap *t)
{
	struct pz_mm_config cfg = { t->meta, 12, 46, NULL, 0, PZ_BUG_PANIC, NULL, NULL, NULL };

	return cfg;
}

static struct pz_zone_config zones_of(uint64_t end_pfn)
{
	struct pz_zone_config cfg = { 0 };

	cfg.configured = 1u << PZ_ZONE_DMA | 1u << PZ_ZONE_NORMAL;
	cfg.max_pfn[PZ_ZONE_DMA] = 0x1000;
	cfg.max_pfn[PZ_ZONE_NORMAL] = end_pfn;
	cfg.page_shift = 12;
	cfg.max_order_pages = 1024;
	return cfg;
}

/* A PC with @mib MiB above the first one, in the map. */
static int fill(struct pz_mm *mm, uint64_t mib)
{
	int rc = pz_map_insert(&mm->map, 0, 0x9fc00, PZ_MAP_RAM, 1);

	if (!rc)
		rc = pz_map_insert(&mm->map, 0x9fc00, 0x60400, PZ_MAP_RESERVED, 2);
	if (!rc)
		rc = pz_map_insert(&mm->map, 0x100000, mib << 20, PZ_MAP_RAM, 3);
	return rc;
}

/* From the map to zones, all but the first MiB and a kernel free. */
static int boot(struct pz_mm *mm, uint64_t mib)
{
	struct pz_zone_config cfg = zones_of(0x100 + (mib << 8));
	int rc = fill(mm, mib);

	if (!rc)
		rc = pz_mm_take_map(mm);
	if (!rc)
		rc = pz_memblock_reserve(&mm->memblock, 0, 0x100000, PZ_NID_NONE, 0);
	if (!rc)
		rc = pz_memblock_reserve(&mm->memblock, 0x1000000, 0x800000, PZ_NID_NONE, 0);
	if (!rc)
		rc = pz_mm_lay_out(mm, &cfg, UINT64_MAX);
	return rc;
}

static void arguments(struct tap *t, struct pz_mm *mm)
{
	struct pz_mm_config cfg = config(t);
	struct pz_meta half = *t->meta;
	unsigned char ring[PZ_LOG_MIN_SIZE];

	CHECK(t, pz_mm_init(mm, &cfg) == 0 && pz_mm_check(mm) == 0);
	pz_mm_destroy(mm);
	cfg.page_shift = 11;
	CHECK(t, pz_mm_init(mm, &cfg) == -PZ_EINVAL);
	cfg.page_shift = 17;
	CHECK(t, pz_mm_init(mm, &cfg) == -PZ_EINVAL);
	cfg = config(t);
	cfg.phys_bits = 0;
	CHECK(t, pz_mm_init(mm, &cfg) == -PZ_EINVAL);
	cfg.phys_bits = 65;
	CHECK(t, pz_mm_init(mm, &cfg) == -PZ_EINVAL);
	cfg = config(t);
	cfg.log_ring = ring;
	cfg.log_size = sizeof(ring) - 1;
	CHECK(t, pz_mm_init(mm, &cfg) == -PZ_EINVAL);
	cfg = config(t);
	cfg.meta = NULL;
	CHECK(t, pz_mm_init(mm, &cfg) == -PZ_EINVAL);
	half.free = NULL;
	cfg.meta = &half;
	CHECK(t, pz_mm_init(mm, &cfg) == -PZ_EINVAL);
}

static void whole(struct tap *t, struct pz_mm *mm)
{
	struct pz_mm_config cfg = config(t);
	struct pz_zone_config zc = zones_of(0x4100);
	struct pz_mm_snapshot s;
	struct pz_log_reader rd = { 0 };
	struct pz_log_record rec;
	unsigned char ring[1024];

	cfg.log_ring = ring;
	cfg.log_size = sizeof(ring);
	CHECK(t, pz_mm_init(mm, &cfg) == 0);
	CHECK(t, boot(mm, 64) == 0 && pz_mm_check(mm) == 0);
	pz_mm_snapshot(mm, &s);
	CHECK(t, s.page_shift == 12 && s.map_entries == 3 && s.map_ram == 0x9fc00 + 0x4000000);
	CHECK(t, s.memory_regions == 2 && s.memory_bytes == 0x9f000 + 0x4000000);
	CHECK(t, s.reserved_regions == 2 && s.reserved_bytes == 0x900000);
	CHECK(t, s.nodes == 1 && s.zone[PZ_ZONE_DMA].populated == 1);
	CHECK(t, s.zone[PZ_ZONE_DMA].present == 0x9f + 0xf00);
	CHECK(t, s.zone[PZ_ZONE_DMA].managed == 0xf00 && s.zone[PZ_ZONE_DMA].unmanaged == 0);
	CHECK(t, s.zone[PZ_ZONE_NORMAL].spanned == 0x3100);
	CHECK(t, s.zone[PZ_ZONE_NORMAL].managed == 0x3100 - 0x800);
	CHECK(t, s.meta_bytes > 0 && s.meta_bytes == s.meta_held && s.meta_peak >= s.meta_bytes);
	CHECK(t, s.map_oddities > 0 && s.log_written > 0 && s.log_lost == 0 && s.bugs == 0);
	CHECK_NAMED(t, pz_log_read(&mm->log, &rd, &rec) && rec.level == PZ_LOG_WARNING,
		    "the partial page at 0x9f000 is logged");
	CHECK_NAMED(t, pz_mm_take_map(mm) == -PZ_EBUSY, "memory is made of the map once");
	zc.page_shift = 14;
	CHECK(t, pz_mm_lay_out(mm, &zc, UINT64_MAX) == -PZ_EINVAL && pz_mm_check(mm) == 0);

	/* Take all of the DMA zone: the capture kernel's trouble. */
	CHECK(t, pz_memblock_reserve(&mm->memblock, 0, 0x1000000, PZ_NID_NONE, 0) == 0);
	zc.page_shift = 12;
	CHECK(t, pz_mm_lay_out(mm, &zc, UINT64_MAX) == 0);
	pz_mm_snapshot(mm, &s);
	CHECK_NAMED(t, s.zone[PZ_ZONE_DMA].populated == 1 && s.zone[PZ_ZONE_DMA].unmanaged == 1,
		    "a zone with pages and none of them managed");
	CHECK(t, s.meta_bytes == s.meta_held);
	pz_mm_destroy(mm);
	CHECK(t, mm->meta.bytes == 0 && mm->meta.blocks == 0 && mm->bugs.count == 0);
}

/* What was set before the map is taken holds after, and no byte of RAM is too high. */
static void settings(struct tap *t, struct pz_mm *mm)
{
	struct pz_mm_config cfg = config(t);

	cfg.phys_bits = 64;
	CHECK(t, pz_mm_init(mm, &cfg) == 0);
	mm->memblock.bottom_up = true;
	mm->memblock.skip_hotplug = true;
	mm->memblock.current_limit = 0xfffff;
	CHECK(t, !pz_map_insert_range(&mm->map, (struct pz_range){ 0, UINT64_MAX }, PZ_MAP_RAM, 0));
	CHECK(t, pz_mm_take_map(mm) == 0 && pz_mm_check(mm) == 0);
	CHECK(t, mm->memblock.bottom_up && mm->memblock.skip_hotplug &&
			 mm->memblock.current_limit == 0xfffff);
	CHECK(t, mm->memblock.memory.count == 1 && pz_memblock_last(&mm->memblock) == UINT64_MAX);
	pz_mm_destroy(mm);
}

/* Machines of different size side by side, and gone in another order than they came. */
static void several(struct tap *t, struct pz_mm *mm)
{
	struct pz_mm_config cfg = config(t);
	bool made = true, kept = true, sound = true;

	for (unsigned int i = 0; i < MACHINES; i++)
		made = made && !pz_mm_init(&mm[i], &cfg) && !boot(&mm[i], 32u << i);
	CHECK_NAMED(t, made, "several machines in one process");
	pz_mm_destroy(&mm[1]);
	for (unsigned int i = 0; i < MACHINES; i++) {
		struct pz_mm_snapshot s;

		if (i == 1)
			continue;
		pz_mm_snapshot(&mm[i], &s);
		kept = kept && s.memory_bytes == 0x9f000 + ((uint64_t)32 << i << 20);
		sound = sound && !pz_mm_check(&mm[i]);
	}
	CHECK_NAMED(t, kept && sound, "each has its own numbers");
	pz_mm_destroy(&mm[3]);
	pz_mm_destroy(&mm[0]);
	CHECK(t, pz_mm_check(&mm[2]) == 0);
	pz_mm_destroy(&mm[2]);
}

/* Let the n-th call of the metadata hook fail, for each n, from the map to the zones. */
static void sweep(struct tap *t, struct pz_mm *mm)
{
	struct pz_mm_config cfg = config(t);
	bool right = true, sound = true, clean = true, done = false;
	unsigned int n;

	for (n = 1; n < 200 && !done; n++) {
		struct pz_mm_snapshot s;
		int rc;

		right = right && !pz_mm_init(mm, &cfg);
		pz_fault_arm(&mm->faults, 0, n, 1);
		rc = boot(mm, 64);
		pz_mm_snapshot(mm, &s);
		done = !rc && !s.faults;
		/* What only notes oddities may lose a note, and go on. */
		right = right && (rc == 0 || rc == -PZ_ENOMEM);
		sound = sound && !pz_mm_check(mm) && s.meta_bytes == s.meta_held;
		pz_mm_destroy(mm);
		clean = clean && !mm->meta.bytes && !mm->meta.blocks && !mm->bugs.count;
	}
	CHECK_NAMED(t, done && n > 5, "the sweep ends when nothing is left to fail");
	CHECK_NAMED(t, right, "a failure is -PZ_ENOMEM");
	CHECK_NAMED(t, sound, "a failure leaves a sound machine");
	CHECK_NAMED(t, clean, "a failure leaks nothing");
}

/* A map in so many pieces that the memory made of it grows more than once. */
static void pieces(struct tap *t, struct pz_mm *mm)
{
	struct pz_mm_config cfg = config(t);
	bool right = true, clean = true, done = false;

	for (unsigned int n = 1; n < 200 && !done; n++) {
		struct pz_mm_snapshot s;
		int rc = 0;

		right = right && !pz_mm_init(mm, &cfg);
		for (uint64_t i = 0; i < 300 && !rc; i++)
			rc = pz_map_insert(&mm->map, i << 14, 0x1000, PZ_MAP_RAM, 0);
		right = right && !rc;
		pz_fault_arm(&mm->faults, 0, n, 1);
		rc = pz_mm_take_map(mm);
		pz_mm_snapshot(mm, &s);
		done = !rc && !s.faults;
		right = right && s.memory_regions == (rc ? 0 : 300) && s.meta_bytes == s.meta_held;
		pz_mm_destroy(mm);
		clean = clean && !mm->meta.bytes && !mm->bugs.count;
	}
	CHECK_NAMED(t, done && right, "memory is made of the whole map or not at all");
	CHECK_NAMED(t, clean, "memory half made leaks nothing");
}

/* Zones that cannot be laid out anew stay as they were. */
static void unchanged(struct tap *t, struct pz_mm *mm)
{
	struct pz_mm_config cfg = config(t);
	struct pz_zone_config zc = zones_of(0x2100);
	struct pz_mm_snapshot before, after;
	int rc = pz_mm_init(mm, &cfg);

	CHECK(t, rc == 0 && boot(mm, 32) == 0);
	pz_memblock_reserve(&mm->memblock, 0x1800000, 0x100000, PZ_NID_NONE, 0);
	pz_mm_snapshot(mm, &before);
	pz_fault_arm(&mm->faults, PZ_FAULT_ANY, 1, UINT64_MAX);
	CHECK(t, pz_mm_lay_out(mm, &zc, UINT64_MAX) == -PZ_ENOMEM);
	pz_mm_snapshot(mm, &after);
	CHECK(t, after.zone[PZ_ZONE_NORMAL].managed == before.zone[PZ_ZONE_NORMAL].managed);
	CHECK(t, after.meta_bytes == before.meta_bytes && pz_mm_check(mm) == 0);
	pz_fault_arm(&mm->faults, PZ_FAULT_ANY, 0, 0);
	zc.max_pfn[PZ_ZONE_NORMAL] = 0x1800;
	CHECK_NAMED(t, pz_mm_lay_out(mm, &zc, UINT64_MAX) == -PZ_EINVAL,
		    "zones that do not take all memory are refused");
	pz_mm_snapshot(mm, &after);
	CHECK(t, after.zone[PZ_ZONE_NORMAL].managed == before.zone[PZ_ZONE_NORMAL].managed);
	CHECK(t, after.meta_bytes == before.meta_bytes && pz_mm_check(mm) == 0);
	zc.max_pfn[PZ_ZONE_NORMAL] = 0x2100;
	CHECK(t, pz_mm_lay_out(mm, &zc, UINT64_MAX) == 0);
	pz_mm_snapshot(mm, &after);
	CHECK(t, after.zone[PZ_ZONE_NORMAL].managed < before.zone[PZ_ZONE_NORMAL].managed);
	pz_mm_destroy(mm);
}

static void misuse(struct tap *t, struct pz_mm *mm)
{
	struct heard h = { 0, 0 };
	struct pz_mm_config cfg = config(t);
	struct pz_meta *hook = &mm->meta.meta;
	void *p;

	cfg.bug_policy = PZ_BUG_REPORT;
	cfg.report = heard_report;
	cfg.panic = heard_panic;
	cfg.ctx = &h;
	pz_mm_init(mm, &cfg);
	CHECK(t, fill(mm, 8) == 0 && pz_mm_take_map(mm) == 0 && pz_mm_check(mm) == 0);
	mm->page_shift = 13;
	CHECK(t, pz_mm_check(mm) == 3);
	mm->page_shift = 12;
	mm->memblock.meta = t->meta;
	CHECK(t, pz_mm_check(mm) == 2);
	mm->memblock.meta = hook;
	mm->map.v[0].range.first = mm->map.v[0].range.last + 1;
	CHECK(t, pz_mm_check(mm) == 101);
	mm->map.v[0].range.first = 0;
	mm->memblock.memory.v[0].range.first = mm->memblock.memory.v[0].range.last + 1;
	CHECK(t, pz_mm_check(mm) == 201);
	mm->memblock.memory.v[0].range.first = 0;
	mm->faults.hits++;
	CHECK(t, pz_mm_check(mm) == 504);
	mm->faults.hits--;
	CHECK(t, pz_mm_check(mm) == 0);

	p = hook->alloc(hook->ctx, 48);
	CHECK_NAMED(t, p && pz_mm_check(mm) == 0, "the caller may use the machine's hook");
	pz_mm_destroy(mm);
	CHECK_NAMED(t, h.reports == 1 && h.panics == 0 && mm->bugs.count == 1,
		    "metadata not given back is told");
	hook->free(hook->ctx, p, 48);
}

void contract_mm(struct tap *t)
{
	size_t size = MACHINES * sizeof(struct pz_mm);
	struct pz_mm *mm = t->meta->alloc(t->meta->ctx, size);

	if (!CHECK_NAMED(t, mm != NULL, "memory for the machines"))
		return;
	arguments(t, mm);
	whole(t, mm);
	settings(t, mm);
	several(t, mm);
	sweep(t, mm);
	pieces(t, mm);
	unchanged(t, mm);
	misuse(t, mm);
	t->meta->free(t->meta->ctx, mm, size);
}
