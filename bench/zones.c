/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zones.c - how long laying a machine out takes, and what the time grows with.
 *
 * Timed is everything between a filled memblock and zones ready to be shown: build, managed pages,
 * watermarks, reserves. Filling memblock and giving the zones back are not. The clock is the
 * process's own, so that a busy machine does not show.
 */
#define _POSIX_C_SOURCE 199309L
#include <physzone/zone.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUNS 31
#define TIB ((uint64_t)1 << 40)

static void *bench_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void bench_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static const struct pz_meta bench_meta = { bench_alloc, bench_free, NULL };

struct bench_case {
	const char *what;
	uint64_t bytes;
	uint32_t ranges, nodes;
	bool interleaved;    /* neighbouring ranges belong to different nodes */
	uint64_t kernelcore; /* percent, 0 for none */
};

static double bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* Equal ranges with holes between them, each with a reservation inside. */
static bool bench_machine(struct pz_memblock *mb, const struct bench_case *c)
{
	uint64_t slot = c->bytes / c->ranges, size = slot / 16 * 15;

	memset(mb, 0, sizeof(*mb));
	mb->page_shift = 12;
	mb->meta = &bench_meta;
	mb->memory.v = calloc(c->ranges, sizeof(*mb->memory.v));
	mb->reserved.v = calloc(c->ranges, sizeof(*mb->reserved.v));
	if (!mb->memory.v || !mb->reserved.v)
		return false;
	for (uint32_t i = 0; i < c->ranges; i++) {
		struct pz_mb_region *m = &mb->memory.v[i], *r = &mb->reserved.v[i];
		uint64_t at = i * slot;

		m->range.first = at;
		m->range.last = at + size - 1;
		m->nid = (int32_t)(c->interleaved ? i % c->nodes
						  : (uint64_t)i * c->nodes / c->ranges);
		r->range.first = at + size / 2 + 100;
		r->range.last = r->range.first + 65535;
		r->nid = PZ_NID_NONE;
	}
	mb->memory.count = mb->memory.cap = c->ranges;
	mb->reserved.count = mb->reserved.cap = c->ranges;
	return pz_memblock_check(mb) == 0;
}

static struct pz_zone_config bench_config(const struct bench_case *c)
{
	struct pz_zone_config cfg;

	memset(&cfg, 0, sizeof(cfg));
	cfg.configured = 1u << PZ_ZONE_DMA | 1u << PZ_ZONE_DMA32 | 1u << PZ_ZONE_NORMAL |
			 1u << PZ_ZONE_MOVABLE;
	cfg.page_shift = 12;
	cfg.max_order_pages = 1024;
	cfg.max_pfn[PZ_ZONE_DMA] = 4096;
	cfg.max_pfn[PZ_ZONE_DMA32] = 1 << 20;
	cfg.max_pfn[PZ_ZONE_NORMAL] = c->bytes >> 12;
	if (c->kernelcore) {
		cfg.kernelcore.kind = PZ_CORE_PERCENT;
		cfg.kernelcore.value = c->kernelcore;
	}
	return cfg;
}

static int bench_order(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool bench_run(const struct bench_case *c)
{
	struct pz_zone_config cfg = bench_config(c);
	struct pz_wmark_config w;
	struct pz_memblock mb;
	double ms[RUNS];
	bool ok = bench_machine(&mb, c);

	pz_wmark_defaults(&w);
	for (int i = -1; ok && i < RUNS; i++) {
		struct pz_zones z;
		double start = bench_now();

		if (pz_zones_build(&z, &bench_meta, &mb, &cfg)) {
			ok = false;
			break;
		}
		ok = !pz_zones_set_managed(&z, &mb, UINT64_MAX) && !pz_zones_set_watermarks(&z, &w);
		pz_zones_set_reserves(&z, &w);
		if (i >= 0)
			ms[i] = bench_now() - start;
		ok = ok && pz_zones_check(&z) == 0;
		pz_zones_destroy(&z);
	}
	free(mb.memory.v);
	free(mb.reserved.v);
	if (!ok)
		return false;
	qsort(ms, RUNS, sizeof(ms[0]), bench_order);
	printf("%-22s %5llu TiB %6u ranges %5u nodes %9.3f %9.3f %9.3f\n", c->what,
	       (unsigned long long)(c->bytes / TIB), (unsigned)c->ranges, (unsigned)c->nodes, ms[0],
	       ms[RUNS / 2], ms[RUNS - 1]);
	return true;
}

int main(void)
{
	static const struct bench_case cases[] = {
		{ "the large machine", 64 * TIB, 4096, 1024, false, 0 },
		{ "its ranges interleaved", 64 * TIB, 4096, 1024, true, 0 },
		{ "with kernelcore=50%", 64 * TIB, 4096, 1024, false, 50 },
		{ "more memory", 1 * TIB, 4096, 1024, false, 0 },
		{ "", 64 * TIB, 4096, 1024, false, 0 },
		{ "", 1024 * TIB, 4096, 1024, false, 0 },
		{ "more ranges", 64 * TIB, 512, 128, false, 0 },
		{ "", 64 * TIB, 1024, 128, false, 0 },
		{ "", 64 * TIB, 2048, 128, false, 0 },
		{ "", 64 * TIB, 4096, 128, false, 0 },
		{ "", 64 * TIB, 8192, 128, false, 0 },
		{ "more nodes", 64 * TIB, 4096, 1, false, 0 },
		{ "", 64 * TIB, 4096, 32, false, 0 },
		{ "", 64 * TIB, 4096, 1024, false, 0 },
	};

	printf("layout, managed, watermarks, reserves; milliseconds of CPU, %d runs\n", RUNS);
	printf("%-22s %9s %13s %11s %9s %9s %9s\n", "", "memory", "", "", "min", "median", "max");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!bench_run(&cases[i])) {
			fprintf(stderr, "zones: case %zu could not be laid out\n", i);
			return 1;
		}
	}
	return 0;
}
