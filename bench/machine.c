/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.c - lay out machines for the page benchmarks, and count the metadata that is touched.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "machine.h"

#define HUGE (2 * MIB)
#define CHECKED (8 * GIB)

static void *machine_small(void *ctx, size_t size)
{
	struct machine *m = ctx;

	m->small_bytes += size;
	return malloc(size ? size : 1);
}

static void machine_small_free(void *ctx, void *p, size_t size)
{
	struct machine *m = ctx;

	m->small_bytes -= size;
	free(p);
}

/* Aligned to a huge page, so that where metadata lies does not differ from run to run. */
static void *machine_zeroed(void *ctx, size_t size)
{
	struct machine *m = ctx;
	size_t room = (size + HUGE - 1) / HUGE * HUGE;
	char *at, *p;
	unsigned int i = 0;

	while (i < MACHINE_MAPS && m->map[i].at)
		i++;
	if (i == MACHINE_MAPS)
		return NULL;
	p = mmap(NULL, room + HUGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	at = p + (HUGE - (uintptr_t)p % HUGE) % HUGE;
	if (at > p)
		munmap(p, (size_t)(at - p));
	munmap(at + room, (size_t)(p + room + HUGE - (at + room)));
	madvise(at, room, m->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	m->map[i].at = at;
	m->map[i].size = room;
	return at;
}

static void machine_zeroed_free(void *ctx, void *p, size_t size)
{
	struct machine *m = ctx;

	(void)size;
	for (unsigned int i = 0; i < MACHINE_MAPS; i++) {
		if (m->map[i].at == p) {
			munmap(p, m->map[i].size);
			m->map[i].at = NULL;
		}
	}
}

static void machine_panic(void *ctx, const char *text)
{
	(void)ctx;
	fprintf(stderr, "bench: %s\n", text);
	abort();
}

static bool machine_ram(struct machine *m, uint64_t first, uint64_t end)
{
	return end <= first || !pz_memblock_add(&m->mb, first, end - first, 0, 0);
}

bool machine_layout(struct machine *m, const struct machine_opts *o)
{
	struct pz_zone_config cfg = { 0 };
	struct pz_boot_config boot = { 0 };

	/* What the devices below 4 GiB take the place of lies above it. */
	uint64_t low = o->bytes < 3 * GIB ? o->bytes : 3 * GIB;
	uint64_t end = o->bytes < 3 * GIB ? low : o->bytes + GIB;

	memset(m, 0, sizeof(*m));
	m->bytes = o->bytes;
	m->huge = !o->small_pages;
	m->small = (struct pz_meta){ machine_small, machine_small_free, m };
	m->zeroed = (struct pz_meta){ machine_zeroed, machine_zeroed_free, m };
	cfg.configured = 1u << PZ_ZONE_DMA | 1u << PZ_ZONE_DMA32 | 1u << PZ_ZONE_NORMAL |
			 1u << PZ_ZONE_MOVABLE;
	cfg.page_shift = 12;
	cfg.max_order_pages = 1024;
	cfg.max_pfn[PZ_ZONE_DMA] = 16 * MIB / PAGE_BYTES;
	cfg.max_pfn[PZ_ZONE_DMA32] = (end < 4 * GIB ? end : 4 * GIB) / PAGE_BYTES;
	cfg.max_pfn[PZ_ZONE_NORMAL] = end / PAGE_BYTES;
	pz_wmark_defaults(&boot.wmark);
	boot.thp = PZ_THP_ON;
	boot.pageblock_pages = 512;
	boot.migrate_types = 3;
	boot.cpus = BENCH_THREADS;
	if (pz_memblock_init(&m->mb, &m->small, 12))
		return false;
	if (machine_ram(m, 0, 640 * KIB) && machine_ram(m, MIB, low) &&
	    machine_ram(m, 4 * GIB, end) &&
	    !pz_zones_build(&m->zones, &m->small, &m->mb, &cfg)) {
		if (!pz_zones_set_managed(&m->zones, &m->mb, UINT64_MAX) &&
		    !pz_zones_boot_watermarks(&m->zones, &boot, NULL))
			return true;
		pz_zones_destroy(&m->zones);
	}
	pz_memblock_destroy(&m->mb);
	fprintf(stderr, "bench: a machine could not be laid out\n");
	return false;
}

bool machine_make(struct machine *m, const struct machine_opts *o)
{
	struct pz_page_config cfg = { 0 };
	double start;
	int rc;

	if (!machine_layout(m, o))
		return false;
	cfg.meta = &m->small;
	cfg.zeroed = &m->zeroed;
	cfg.zones = &m->zones;
	cfg.memblock = &m->mb;
	cfg.max_pfn = UINT64_MAX;
	cfg.cpus = BENCH_THREADS;
	cfg.policy = o->policy;
	cfg.no_grouping = o->no_grouping;
	cfg.hooks = o->hooks;
	m->bugs.policy = PZ_BUG_PANIC;
	m->bugs.panic = machine_panic;
	cfg.bugs = &m->bugs;
	start = bench_wall_ns();
	rc = pz_pages_create(&m->pages, &cfg);
	m->create_ns = bench_wall_ns() - start;
	if (rc) {
		fprintf(stderr, "bench: no page allocator: error %d\n", rc);
		machine_free(m);
		return false;
	}
	m->managed = machine_pages_below(m, UINT64_MAX);
	return true;
}

void machine_free(struct machine *m)
{
	int broken = m->pages && m->bytes <= CHECKED ? pz_pages_check(m->pages) : 0;

	if (broken)
		fprintf(stderr, "bench: the allocator's invariant %d does not hold\n", broken);
	pz_pages_destroy(m->pages);
	pz_zones_destroy(&m->zones);
	pz_memblock_destroy(&m->mb);
	memset(m, 0, sizeof(*m));
}

uint64_t machine_touched(const struct machine *m)
{
	unsigned char seen[4096];
	uint64_t pages = 0;

	for (unsigned int i = 0; i < MACHINE_MAPS; i++) {
		size_t left = m->map[i].at ? m->map[i].size / PAGE_BYTES : 0;
		char *at = m->map[i].at;

		while (left) {
			size_t n = left < sizeof(seen) ? left : sizeof(seen);

			if (mincore(at, n * PAGE_BYTES, seen))
				break;
			for (size_t k = 0; k < n; k++)
				pages += seen[k] & 1;
			at += n * PAGE_BYTES;
			left -= n;
		}
	}
	return pages * PAGE_BYTES + m->small_bytes;
}

bool machine_range(const struct machine *m, unsigned int i, struct pz_range *pfns)
{
	if (i >= m->mb.memory.count)
		return false;
	pfns->first = m->mb.memory.v[i].range.first / PAGE_BYTES;
	pfns->last = m->mb.memory.v[i].range.last / PAGE_BYTES;
	return true;
}

uint64_t machine_pages_below(const struct machine *m, uint64_t last)
{
	struct pz_range r;
	uint64_t pages = 0, end = last == UINT64_MAX ? UINT64_MAX : (last + 1) / PAGE_BYTES;

	for (unsigned int i = 0; machine_range(m, i, &r); i++)
		if (r.first < end)
			pages += (r.last < end ? r.last + 1 : end) - r.first;
	return pages;
}
