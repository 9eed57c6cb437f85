/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frag.c - pieces of pages, as Linux gives them out and with freed pieces reused: what a piece
 * costs in time, and how much memory is held for each byte in use.
 *
 * Waste: pieces come and go at random on four CPUs; one in a hundred lives long. Two loads: page
 * tables of 1 KiB, 1024 short-lived and 256 long-lived ones at a time, and packets of 256 to 2048
 * bytes, in the same numbers. Held is what the cache has from the page allocator. Told is the
 * median over seeds, with the lowest and the highest.
 * Time: one piece taken and freed, and 64 taken and freed in turn; beside it the floor, two
 * compare-and-exchanges on one line. The clock is the process's own.
 */
#define _POSIX_C_SOURCE 199309L
#include <physzone/frag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RUNS 15u
#define SEEDS 9u
#define SHORT 1024u
#define LONG 256u
#define STEPS 100000u
#define SAMPLES 4u
#define PAIRS 200000u
#define CPUS 4u

struct bench_machine {
	struct pz_memblock mb;
	struct pz_zones zones;
	struct pz_pages *pages;
};

struct bench_piece {
	uint64_t addr;
	uint32_t size;
};

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
static uint64_t bench_state;

/* xorshift64*, scaled to [0, n). */
static uint32_t bench_random(uint32_t n)
{
	bench_state ^= bench_state >> 12;
	bench_state ^= bench_state << 25;
	bench_state ^= bench_state >> 27;
	return (uint32_t)(((bench_state * 0x2545f4914f6cdd1du >> 32) * n) >> 32);
}

static double bench_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* 128 MiB of 4 KiB pages, from 1 GiB on. */
static bool bench_start(struct bench_machine *m)
{
	struct pz_zone_config zc;
	struct pz_page_config pc;

	memset(m, 0, sizeof(*m));
	memset(&zc, 0, sizeof(zc));
	memset(&pc, 0, sizeof(pc));
	zc.configured = 1u << PZ_ZONE_NORMAL;
	zc.page_shift = 12;
	zc.max_order_pages = 1024;
	zc.max_pfn[PZ_ZONE_NORMAL] = (uint64_t)1 << 20;
	pc.meta = &bench_meta;
	pc.zones = &m->zones;
	pc.memblock = &m->mb;
	pc.max_pfn = UINT64_MAX;
	pc.cpus = CPUS;
	return !pz_memblock_init(&m->mb, &bench_meta, 12) &&
	       !pz_memblock_add(&m->mb, (uint64_t)1 << 30, (uint64_t)128 << 20, 0, 0) &&
	       !pz_zones_build(&m->zones, &bench_meta, &m->mb, &zc) &&
	       !pz_zones_set_managed(&m->zones, &m->mb, UINT64_MAX) &&
	       !pz_pages_create(&m->pages, &pc);
}

static void bench_stop(struct bench_machine *m)
{
	pz_pages_destroy(m->pages);
	pz_zones_destroy(&m->zones);
	pz_memblock_destroy(&m->mb);
}

static struct pz_frag *bench_cache(const struct bench_machine *m, uint32_t flags, uint32_t block)
{
	struct pz_frag_config c;
	struct pz_frag *f;

	memset(&c, 0, sizeof(c));
	c.pages = m->pages;
	c.limits = PZ_LIMITS_BITS(32);
	c.gfp = PZ_GFP_HIGH;
	c.flags = flags;
	c.block_bytes = block;
	c.meta = &bench_meta;
	if (pz_frag_create(&f, &c)) {
		fprintf(stderr, "no cache\n");
		exit(1);
	}
	return f;
}

static void bench_take(struct pz_frag *f, uint32_t cpu, struct bench_piece *x, bool packets)
{
	x->size = packets ? 256 + bench_random(1793) : 1024;
	if (pz_frag_alloc(f, cpu, x->size, packets ? 64 : 1024, &x->addr)) {
		fprintf(stderr, "no memory\n");
		exit(1);
	}
}

static int bench_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Bytes held for each byte in use, at points of the run. */
static void bench_load(uint32_t flags, uint32_t block, bool packets, unsigned int seed,
		       double sample[SAMPLES])
{
	static struct bench_piece shorts[SHORT], longs[LONG];
	struct bench_machine m;
	struct pz_frag_stat s;
	struct pz_frag *f;

	bench_state = 0x9e3779b97f4a7c15u * (seed + 1);
	if (!bench_start(&m)) {
		fprintf(stderr, "no machine\n");
		exit(1);
	}
	f = bench_cache(&m, flags, block);
	memset(shorts, 0, sizeof(shorts));
	memset(longs, 0, sizeof(longs));
	for (uint32_t i = 1; i <= STEPS; i++) {
		struct bench_piece *x = bench_random(100) ? &shorts[bench_random(SHORT)]
							  : &longs[bench_random(LONG)];

		if (x->size)
			pz_frag_free(f, bench_random(CPUS), x->addr, x->size);
		bench_take(f, bench_random(CPUS), x, packets);
		if (i % (STEPS / SAMPLES))
			continue;
		pz_frag_stat(f, &s);
		sample[i / (STEPS / SAMPLES) - 1] = (double)s.block_bytes / (double)s.piece_bytes;
	}
	for (uint32_t i = 0; i < SHORT + LONG; i++) {
		struct bench_piece *x = i < SHORT ? &shorts[i] : &longs[i - SHORT];

		if (x->size)
			pz_frag_free(f, 0, x->addr, x->size);
	}
	if (pz_frag_destroy(f)) {
		fprintf(stderr, "pieces are left\n");
		exit(1);
	}
	bench_stop(&m);
}

static double bench_waste(const char *what, uint32_t flags, uint32_t block, bool packets)
{
	double sample[SEEDS][SAMPLES], v[SEEDS];

	for (unsigned int s = 0; s < SEEDS; s++)
		bench_load(flags, block, packets, s, sample[s]);
	printf("%-36s", what);
	for (unsigned int i = 0; i < SAMPLES; i++) {
		for (unsigned int s = 0; s < SEEDS; s++)
			v[s] = sample[s][i];
		qsort(v, SEEDS, sizeof(v[0]), bench_order);
		printf("  %5.2f (%.2f-%.2f)", v[SEEDS / 2], v[0], v[SEEDS - 1]);
	}
	printf("\n");
	return v[SEEDS / 2];
}

static double bench_floor(void)
{
	static uint64_t word __attribute__((aligned(64)));
	double begin = bench_now();

	for (uint32_t i = 0; i < PAIRS; i++) {
		uint64_t w = word;

		if (!__sync_bool_compare_and_swap(&word, w, w + 1) ||
		    !__sync_bool_compare_and_swap(&word, w + 1, w))
			abort();
	}
	return (bench_now() - begin) / PAIRS;
}

/* Nanoseconds for a piece of @size, with @depth of them out at a time. */
static double bench_pairs(uint32_t flags, uint32_t size, unsigned int depth)
{
	static uint64_t addr[64];
	struct bench_machine m;
	struct pz_frag *f;
	double begin, took;

	if (!bench_start(&m))
		exit(1);
	f = bench_cache(&m, flags, 0);
	begin = bench_now();
	for (uint32_t i = 0; i < PAIRS; i += depth) {
		for (unsigned int k = 0; k < depth; k++)
			if (pz_frag_alloc(f, 0, size, 64, &addr[k]))
				exit(1);
		for (unsigned int k = 0; k < depth; k++)
			pz_frag_free(f, 0, addr[k], size);
	}
	took = (bench_now() - begin) / PAIRS;
	if (pz_frag_destroy(f))
		exit(1);
	bench_stop(&m);
	return took;
}

static void bench_time(const char *what, uint32_t flags, uint32_t size, unsigned int depth)
{
	double ns[RUNS], floor[RUNS], ratio[RUNS];

	for (unsigned int i = 0; i < RUNS; i++) {
		floor[i] = bench_floor();
		ns[i] = bench_pairs(flags, size, depth);
		ratio[i] = ns[i] / floor[i];
	}
	qsort(ns, RUNS, sizeof(ns[0]), bench_order);
	qsort(floor, RUNS, sizeof(floor[0]), bench_order);
	qsort(ratio, RUNS, sizeof(ratio[0]), bench_order);
	printf("%-36s %7.1f ns (%.1f-%.1f), floor %.1f ns, %.2f floors\n", what, ns[RUNS / 2],
	       ns[0], ns[RUNS - 1], floor[RUNS / 2], ratio[RUNS / 2]);
}

int main(void)
{
	double tables, tables_reused, packets, packets_reused;

	printf("bytes held for each byte in use, after each quarter of %u steps\n", STEPS);
	tables = bench_waste("tables, as Linux", 0, 0, false);
	tables_reused = bench_waste("tables, reused", PZ_FRAG_REUSE, 0, false);
	bench_waste("tables, as Linux, blocks of a page", 0, 4096, false);
	bench_waste("tables, reused, blocks of a page", PZ_FRAG_REUSE, 4096, false);
	packets = bench_waste("packets, as Linux", 0, 0, true);
	packets_reused = bench_waste("packets, reused", PZ_FRAG_REUSE, 0, true);
	printf("as Linux to reused: tables %.2f, packets %.2f\n", tables / tables_reused,
	       packets / packets_reused);

	printf("a piece taken and freed\n");
	bench_time("1 KiB, as Linux", 0, 1024, 1);
	bench_time("1 KiB, reused", PZ_FRAG_REUSE, 1024, 1);
	bench_time("1 KiB, 64 at a time, as Linux", 0, 1024, 64);
	bench_time("1 KiB, 64 at a time, reused", PZ_FRAG_REUSE, 1024, 64);
	bench_time("64 bytes, 64 at a time, as Linux", 0, 64, 64);
	bench_time("64 bytes, 64 at a time, reused", PZ_FRAG_REUSE, 64, 64);
	return 0;
}
