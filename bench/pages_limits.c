/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages_limits.c - the same pairs under limits, lengths that are no power of two, and two threads
 * that are limited to the same 16 MiB.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "pages.h"

enum limit {
	L_NONE,
	L_32,
	L_30,
	L_28,
	L_24,
	L_WINDOW,
	L_UNALIGNED,
	L_VARYING,
	L_ALIGN,
	L_BOUNDARY,
	LIMITS,
};

static const char *const limits_names[LIMITS + 1] = {
	"no limit",  "32 bits",	  "30 bits", "28 bits", "24 bits",
	"[1G,1.5G)", "unaligned", "varying", "align",	"boundary",
};

/* An allocation and its free under one limit, or under another of WINDOWS each time. */
static uint64_t limits_pair(struct bench_arg *arg)
{
	struct work *w = arg->ctx;
	uint64_t pfn;

	for (uint64_t i = 0; i < arg->n; i++) {
		if (!BENCH_LIKELY(!pz_alloc_pages(w->pages, arg->thread, w->flags, w->order,
						  w->limits, &pfn)))
			return 0;
		pz_free_pages(w->pages, arg->thread, pfn, w->order);
	}
	return arg->n;
}

static uint64_t limits_varying(struct bench_arg *arg)
{
	struct work *w = arg->ctx;
	uint64_t pfn, at = arg->thread * (WINDOWS / 2);

	for (uint64_t i = 0; i < arg->n; i++) {
		if (!BENCH_LIKELY(!pz_alloc_pages(w->pages, arg->thread, w->flags, w->order,
						  &w->limits[(at + i) % WINDOWS], &pfn)))
			return 0;
		pz_free_pages(w->pages, arg->thread, pfn, w->order);
	}
	return arg->n;
}

/* 64 allocated, 64 freed. */
static uint64_t limits_burst(struct bench_arg *arg)
{
	struct work *w = arg->ctx;
	uint64_t pfn[64], rounds = (arg->n + 63) / 64;

	for (uint64_t i = 0; i < rounds; i++) {
		for (unsigned int k = 0; k < 64; k++)
			if (!BENCH_LIKELY(!pz_alloc_pages(w->pages, arg->thread, w->flags, w->order,
							  w->limits, &pfn[k])))
				return 0;
		for (unsigned int k = 0; k < 64; k++)
			pz_free_pages(w->pages, arg->thread, pfn[k], w->order);
	}
	return rounds * 64;
}

/* A run of any length by a whole request. */
static uint64_t limits_run(struct bench_arg *arg)
{
	const struct work *w = arg->ctx;
	struct pz_page_req req = w->req;
	uint64_t pfn;

	req.cpu = arg->thread;
	for (uint64_t i = 0; i < arg->n; i++) {
		if (!BENCH_LIKELY(!pz_page_request(w->pages, &req, &pfn)))
			return 0;
		pz_free_exact(w->pages, arg->thread, pfn, req.pages);
	}
	return arg->n;
}

/* Windows of 64 MiB to 1 GiB, anywhere that has memory, at any byte. */
static void limits_draw(struct pz_limits *v, uint64_t bytes)
{
	uint64_t seed = 12345;

	for (unsigned int i = 0; i < WINDOWS; i++) {
		uint64_t size = 64 * MIB + bench_rand(&seed) % GIB, place;

		do {
			place = bench_rand(&seed) % (bytes + GIB - size);
		} while (place + size > 3 * GIB && place < 4 * GIB);
		v[i] = pz_limits_any();
		v[i].min_addr = place;
		v[i].max_addr = place + size - 1;
	}
}

static void limits_make(struct pz_limits *v, unsigned int order)
{
	static const unsigned int bits[] = { 64, 32, 30, 28, 24 };

	for (unsigned int i = 0; i <= L_24; i++)
		v[i] = pz_limits_bits(bits[i]);
	for (unsigned int i = L_WINDOW; i < LIMITS; i++)
		v[i] = pz_limits_any();
	v[L_WINDOW].min_addr = GIB;
	v[L_WINDOW].max_addr = GIB + GIB / 2 - 1;
	v[L_UNALIGNED].min_addr = GIB + 0x1234567;
	v[L_UNALIGNED].max_addr = GIB + GIB / 2 + 0x765432;
	v[L_ALIGN].align = PAGE_BYTES << (order + 4);
	v[L_BOUNDARY].boundary = PAGE_BYTES << (order + 1);
}

static void limits_rows(uint64_t bytes, const char *size, const char *name)
{
	static struct pz_limits windows[WINDOWS];
	struct bench_worst powers = { .value = NAN }, fixed = { .value = NAN };
	struct bench_worst varying = { .value = NAN };
	struct machine_opts o = { .bytes = bytes };
	struct pz_limits limits[LIMITS];
	struct work work[LIMITS];
	struct bench_table *t;
	struct machine m;
	char title[64];

	if (!machine_make(&m, &o))
		return;
	limits_draw(windows, bytes);
	memset(work, 0, sizeof(work));
	snprintf(title, sizeof(title), "alloc+free pairs under limits, %s of frames", size);
	t = bench_table(name, title, "ns", limits_names, true);
	for (unsigned int threads = 1; threads <= bench_opts.cpus; threads++) {
		for (unsigned int order = 0; order <= 10; order++) {
			limits_make(limits, order);
			bench_row(t, "order %u, %u thread%s", order, threads,
				  threads > 1 ? "s" : "");
			for (unsigned int i = 0; i < LIMITS; i++) {
				work[i].pages = m.pages;
				work[i].order = order;
				work[i].limits = i == L_NONE	  ? NULL
						 : i == L_VARYING ? windows
								  : &limits[i];
				bench_cell(t, i, i == L_VARYING ? limits_varying : limits_pair,
					   &work[i], threads, 0, 1);
			}
			bench_run(t);
			for (unsigned int i = L_32; i < LIMITS; i++)
				bench_worse(i <= L_24	     ? &powers
					    : i == L_VARYING ? &varying
							     : &fixed,
					    i >= L_ALIGN ? NAN : bench_ratio(t, i, L_NONE), true,
					    "%s, order %u, %u thr.", limits_names[i], order,
					    threads);
		}
	}
	bench_remark("align: 16 times the block's size; boundary: twice its size");
	bench_remark("varying: %u windows of 64 MiB to 1 GiB in turn, starting at any byte",
		     WINDOWS);
	bench_target(name, powers.value, 1.1, true, "times", "%s: 2^n (%s)", size, powers.what);
	bench_target(name, fixed.value, 2, true, "times", "%s: window (%s)", size, fixed.what);
	bench_target(name, varying.value, 8, true, "times", "%s: (%s)", size, varying.what);
	bench_table_end(t);
	machine_free(&m);
}

void pages_limits(void)
{
	limits_rows(8 * GIB, "8 GiB", "limits");
	if (!bench_opts.quick)
		limits_rows(TIB, "1 TiB", "limits");
}

void pages_lengths(void)
{
	static const char *const cols[] = { "any page",	 "28 bits", "[1G,1.5G)", "boundary",
					    "align 64K", "both",    NULL };
	static const uint32_t lengths[] = { 1, 3, 5, 12, 24, 48, 100, 384, 513, 1000 };
	struct machine_opts o = { .bytes = 8 * GIB };
	struct work work[6];
	struct bench_table *t;
	struct machine m;

	if (!machine_make(&m, &o))
		return;
	memset(work, 0, sizeof(work));
	t = bench_table("lengths", "runs of exact lengths that may begin at any page", "ns", cols,
			true);
	for (unsigned int i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint64_t boundary = PAGE_BYTES;

		while (boundary < lengths[i] * PAGE_BYTES)
			boundary *= 2;
		bench_row(t, "%u page%s", lengths[i], lengths[i] > 1 ? "s" : "");
		for (unsigned int k = 0; k < 6; k++) {
			struct pz_page_req *req = &work[k].req;

			work[k].pages = m.pages;
			pz_page_req_init(m.pages, req, 0, 0, 0);
			req->pages = lengths[i];
			if (k == 1)
				req->limits = pz_limits_bits(28);
			if (k == 2) {
				req->limits.min_addr = GIB;
				req->limits.max_addr = GIB + GIB / 2 - 1;
			}
			if (k == 3 || k == 5)
				req->limits.boundary = boundary;
			if (k >= 4)
				req->limits.align = 64 * KIB;
			bench_cell(t, k, limits_run, &work[k], 1, 0, 1);
		}
		bench_run(t);
	}
	bench_remark("boundary: the next power of two of the length");
	bench_table_end(t);
	machine_free(&m);
}

void pages_share(void)
{
	static const char *const cols[] = { "1 thread", "2 threads", NULL };
	static const unsigned int orders[] = { 0, 2, 4, 5, 6, 8, 9 };
	struct bench_worst worst = { .value = NAN };
	struct machine_opts o = { .bytes = 8 * GIB };
	struct bench_table *t;
	struct machine m;

	if (!machine_make(&m, &o))
		return;
	t = bench_table("share", "both threads limited to the same 16 MiB", "ns", cols, true);
	for (unsigned int i = 0; i < 3 * sizeof(orders) / sizeof(orders[0]); i++) {
		unsigned int order = orders[i / 3], kind = i % 3;
		struct pz_limits limits = pz_limits_bits(24);
		struct work w = { .pages = m.pages, .order = order, .limits = &limits };

		if (kind == 1) {
			limits.min_addr = GIB;
			limits.max_addr = GIB + 16 * MIB - 1;
		}
		if (kind == 2 && order > 4)
			continue; /* 2 * 64 blocks do not fit */
		bench_row(t, "order %u, %s", order,
			  kind == 0   ? "24 bits"
			  : kind == 1 ? "[1G,1G+16M)"
				      : "24 bits, 64 held");
		for (unsigned int threads = 1; threads <= 2; threads++)
			bench_cell(t, threads - 1, kind == 2 ? limits_burst : limits_pair, &w,
				   threads, 0, 1);
		bench_run(t);
		bench_worse(&worst, bench_ratio(t, 1, 0), true, "order %u, %s", order,
			    kind == 0	? "24 bits"
			    : kind == 1 ? "[1G,1G+16M)"
					: "64 held");
	}
	bench_target("share", worst.value, 2, true, "times",
		     "two threads in the same 16 MiB against one (%s)", worst.what);
	bench_table_end(t);
	machine_free(&m);
}
