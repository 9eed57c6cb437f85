/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * objects_cost.c - what limits and debug options cost in time, and what caches cost in memory.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <physzone/linux/slab.h>

#include "objects.h"

#define PAGE 4096.0
#define SLUB_PAGE_BYTES 64.0 /* what Linux keeps for each page */
#define COST_BYTES ((uint64_t)64 << 20)

/* The last two are families of kmalloc(), by pz_kmalloc() and by pz_kmalloc_limited(). */
enum cost_limit { L_NONE, L_32, L_30, L_KMALLOC, L_FAMILY, L_LIMITED, COST_LIMITS };

static const char *const cost_limit_names[COST_LIMITS + 1] = {
	"no limit", "32 bits", "30 bits", "kmalloc", "kmalloc 32", "limited 32",
};

/* The allocators of the table of limits. */
struct cost_field {
	struct slab_machine machine;
	struct pz_kmalloc *family;
	struct pz_limits limits;
	struct work work[COST_LIMITS];
};

static bool cost_make(struct cost_field *f)
{
	struct pz_kmalloc_config cfg = { 0 };

	if (!slab_machine_make(&f->machine))
		return false;
	f->limits = pz_limits_bits(32);
	cfg.slabs = f->machine.slabs;
	cfg.name = "kmalloc32";
	cfg.limits = f->limits;
	if (pz_kmalloc_create(&f->family, &cfg, NULL)) {
		slab_machine_free(&f->machine);
		return false;
	}
	for (unsigned int i = 0; i < COST_LIMITS; i++) {
		work_seed(&f->work[i]);
		f->work[i].slabs = f->machine.slabs;
		f->work[i].kmalloc = i == L_FAMILY ? f->family : f->machine.kmalloc;
		f->work[i].limits = &f->limits;
	}
	return true;
}

static void cost_free(struct cost_field *f)
{
	if (pz_kmalloc_destroy(f->family))
		fprintf(stderr, "bench: kmalloc() memory is still out\n");
	slab_machine_free(&f->machine);
}

static const struct loops *cost_loops(unsigned int i)
{
	return i == L_LIMITED ? object_limited_loops()
			      : object_loops(i < L_KMALLOC ? O_CACHE : O_KMALLOC);
}

/* Ratios of what is limited to what is not. */
struct cost_ratios {
	double v[64];
	unsigned int n;
	struct bench_worst worst;
};

static void cost_ratio(struct cost_ratios *r, double ratio, const char *what, size_t size,
		       const char *limit)
{
	bench_worse(&r->worst, ratio, true, "%s of %zu, %s", what, size, limit);
	if (!isnan(ratio) && r->n < sizeof(r->v) / sizeof(r->v[0]))
		r->v[r->n++] = ratio;
}

static int cost_order(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double cost_median(struct cost_ratios *r)
{
	qsort(r->v, r->n, sizeof(r->v[0]), cost_order);
	return r->n ? r->v[r->n / 2] : NAN;
}

static void cost_limit_rows(struct bench_table *t, struct cost_field *f, size_t size,
			    struct cost_ratios *ratios)
{
	static const char *const what[] = { "pair", "batch of 64", "fill", "random free" };
	static const unsigned int bits[] = { 0, 32, 30 };
	uint64_t many = (bench_opts.quick ? COST_BYTES / 16 : COST_BYTES / 4) / size;
	bool ok = true;

	for (unsigned int i = 0; i < COST_LIMITS; i++) {
		f->work[i].size = size;
		ok = work_room(&f->work[i], many, true) && ok;
		if (i >= L_KMALLOC)
			continue;
		f->work[i].cache =
			slab_machine_cache(&f->machine, cost_limit_names[i], size, bits[i], 0, 0);
		ok = ok && f->work[i].cache;
	}
	for (unsigned int k = 0; ok && k < 4; k++) {
		bench_row(t, "%s of %zu bytes", what[k], size);
		for (unsigned int i = 0; i < COST_LIMITS; i++) {
			const struct loops *l = cost_loops(i);

			bench_cell(t, i,
				   k == 0   ? l->pair
				   : k == 1 ? l->burst
				   : k == 2 ? l->take
					    : l->drop,
				   &f->work[i], 1, k >= 2, 1);
		}
		bench_run(t);
		for (unsigned int i = L_32; i <= L_30; i++)
			cost_ratio(ratios, bench_ratio(t, i, L_NONE), what[k], size,
				   cost_limit_names[i]);
		cost_ratio(ratios, bench_ratio(t, L_FAMILY, L_KMALLOC), what[k], size,
			   cost_limit_names[L_FAMILY]);
	}
	for (unsigned int i = 0; i < COST_LIMITS; i++) {
		work_done(&f->work[i]);
		if (i < L_KMALLOC && pz_kmem_cache_destroy(f->work[i].cache, NULL, NULL))
			fprintf(stderr, "bench: objects are still out\n");
	}
}

void objects_limits(void)
{
	static const size_t sizes[] = { 64, 1024, 4096 };
	struct cost_ratios ratios = { .worst.value = NAN };
	static struct cost_field f;
	struct bench_table *t;

	if (!cost_make(&f))
		return;
	t = bench_table("limits", "caches and kmalloc() with and without a limit, one thread", "ns",
			cost_limit_names, true);
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		cost_limit_rows(t, &f, sizes[i], &ratios);
	bench_remark("kmalloc 32: pz_kmalloc() of a family below 4 GiB; limited 32: "
		     "pz_kmalloc_limited(),");
	bench_remark("which looks for that family by the limits of the call");
	bench_target("limits", cost_median(&ratios), 1.05, true, "times",
		     "with a limit to without, median of the rows");
	bench_target("limits", ratios.worst.value, 1.05, true, "times",
		     "with a limit to without, worst row (%s)", ratios.worst.what);
	bench_table_end(t);
	cost_free(&f);
}

void objects_debug(void)
{
	static const char *const cols[] = { "plain", "random", "F", "Z", "P", "U", "FZPU", NULL };
	static const uint32_t debug[] = {
		0,
		0,
		PZ_SLAB_DEBUG_CHECKS,
		PZ_SLAB_DEBUG_RED_ZONE,
		PZ_SLAB_DEBUG_POISON,
		PZ_SLAB_DEBUG_USERS,
		PZ_SLAB_DEBUG_CHECKS | PZ_SLAB_DEBUG_RED_ZONE | PZ_SLAB_DEBUG_POISON |
			PZ_SLAB_DEBUG_USERS,
	};
	static const size_t sizes[] = { 64, 1024 };
	struct slab_machine m;
	struct bench_table *t;
	struct work w[7] = { 0 };

	if (!slab_machine_make(&m))
		return;
	t = bench_table("debug", "pairs with debug options, one thread", "ns", cols, true);
	for (unsigned int k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		bench_row(t, "pair of %zu bytes", sizes[k]);
		for (unsigned int i = 0; cols[i]; i++) {
			w[i].size = sizes[k];
			w[i].cache = slab_machine_cache(&m, cols[i], sizes[k], 0,
							i == 1 ? PZ_SLAB_RANDOM : 0, debug[i]);
			if (w[i].cache)
				bench_cell(t, i, object_loops(O_CACHE)->pair, &w[i], 1, 0, 1);
		}
		bench_run(t);
		for (unsigned int i = 0; cols[i]; i++)
			(void)pz_kmem_cache_destroy(w[i].cache, NULL, NULL);
	}
	bench_remark("F consistency, Z red zones, P poison, U users, as in slub_debug=");
	bench_table_end(t);
	slab_machine_free(&m);
}

/*
 * Fill a cache with objects and tell its numbers; @magazines gets the bytes that it has without
 * any.
 */
static bool cost_fill(struct slab_machine *m, size_t size, struct pz_kmem_cache_stat *stat,
		      uint64_t *magazines)
{
	struct pz_kmem_cache *c = slab_machine_cache(m, "waste", size, 0, 0, 0);
	uint64_t n = COST_BYTES / 4 / size, got = 0;
	void **v = malloc(n * sizeof(*v));

	if (c) {
		pz_kmem_cache_stat(c, stat);
		*magazines = stat->meta_bytes;
	}
	while (c && v && got < n) {
		v[got] = pz_kmem_cache_alloc(c, 0, 0);
		if (!v[got])
			break;
		got++;
	}
	if (got == n)
		pz_kmem_cache_stat(c, stat);
	for (uint64_t i = 0; i < got; i++)
		pz_kmem_cache_free(c, 0, v[i]);
	(void)pz_kmem_cache_destroy(c, NULL, NULL);
	free(v);
	return n && got == n;
}

/* Bytes that are no object's for each 100 of objects. */
static double cost_percent(double bytes, double objects)
{
	return 100 * (bytes - objects) / objects;
}

void objects_waste(void)
{
	static const char *const cols[] = { "order",	  "objects",	"waste %", "metadata %",
					    "magazine",	  "SLUB order", "objects", "waste %",
					    "metadata %", "to SLUB",	NULL };
	/* The classes of kmalloc(), then sizes of common objects. */
	static const size_t sizes[] = { 8,    16,   32, 64,  96,  128, 192, 256, 512,  1024, 2048,
					4096, 8192, 40, 104, 200, 328, 608, 736, 1088, 2112, 5312 };
	struct pz_kmem_cache_stat stat;
	struct pzl_slab_geometry slub;
	struct pzl_slab_kernel kernel;
	struct pz_slabs_cost cost;
	uint64_t magazines = 0;
	struct slab_machine m;
	struct bench_table *t;

	if (!slab_machine_make(&m))
		return;
	pzl_slab_kernel_init(&kernel, PZL_LINUX_6_12, PZL_ARCH_X86_64, 0);
	kernel.cpus = BENCH_THREADS;
	t = bench_table("waste",
			"memory of caches by the size of their objects, and SLUB's of 6.12", "",
			cols, false);
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size = sizes[i];
		struct pzl_slab_cache sc = { .object_size = (uint32_t)size };
		double objects, pages, meta, each, slub_each;

		sc.align = sc.object_size & (~sc.object_size + 1);
		if (!cost_fill(&m, size, &stat, &magazines) ||
		    pzl_slab_geometry(&kernel, &sc, &slub))
			continue;
		objects = (double)stat.objects * (double)size;
		pages = (double)stat.pages * PAGE;
		/* Descriptors, and the owner table's words. */
		meta = (double)(stat.meta_bytes - magazines) +
		       (double)stat.pages * sizeof(uint64_t);
		bench_row(t, "%zu bytes", size);
		bench_set(t, 0, stat.layout.order);
		bench_set(t, 1, stat.layout.objects);
		bench_set(t, 2, cost_percent(pages, objects));
		bench_set(t, 3, 100 * meta / objects);
		bench_set(t, 4, (double)magazines / BENCH_THREADS);
		each = (pages + meta) / (double)stat.objects;
		pages = PAGE * (double)(1u << slub.order);
		objects = (double)slub.objects * (double)size;
		meta = SLUB_PAGE_BYTES * (double)(1u << slub.order);
		bench_set(t, 5, slub.order);
		bench_set(t, 6, slub.objects);
		bench_set(t, 7, cost_percent(pages, objects));
		bench_set(t, 8, 100 * meta / objects);
		slub_each = (pages + meta) / slub.objects;
		bench_set(t, 9, each / slub_each);
		bench_run(t);
	}
	bench_remark("waste: what of the slabs is no object, for each 100 bytes of objects; "
		     "magazine: bytes a CPU,");
	bench_remark(
		"whatever the number of objects; to SLUB: bytes an object costs in all, without "
		"magazines");
	pz_slabs_cost(m.slabs, &cost);
	bench_remark("owner table: %.0f KiB of address space a GiB, touched where slabs are",
		     (double)cost.owner_bytes / 1024 / 5);
	bench_table_end(t);
	slab_machine_free(&m);
}
