/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages_room.c - how much memory limited devices get, and what the allocator's own state takes.
 *
 * A device asks for single pages that it may block for, until there is none. "as Linux asks" is
 * Linux's policy with the zone that Linux's direct mapping asks: DMA for 24 bits or fewer, DMA32 up
 * to 32, then DMA again when what came lies too high.
 */
#include <math.h>
#include <stdio.h>

#include "pages.h"

enum way { WAY_REACH, WAY_ZONELIST, WAY_LINUX, WAYS };

static const unsigned int room_bits[] = { 24, 26, 28, 30, 31, 32 };

/* Pages for a device, none of them given back. */
static uint64_t room_exact(struct pz_pages *p, unsigned int bits)
{
	struct pz_limits l = pz_limits_bits(bits);
	uint64_t pfn, n = 0;

	while (!pz_alloc_pages(p, 0, PZ_GFP_BLOCK | PZ_GFP_NORETRY, 0, &l, &pfn))
		n++;
	return n;
}

static uint64_t room_linux(struct pz_pages *p, unsigned int bits)
{
	uint64_t pfn, n = 0, end = ((uint64_t)1 << bits) / PAGE_BYTES;
	enum pz_zone_type zone = bits <= 24 ? PZ_ZONE_DMA : PZ_ZONE_DMA32;
	struct pz_page_req req;

	pz_page_req_init(p, &req, 0, PZ_GFP_BLOCK | PZ_GFP_NORETRY, 0);
	for (;;) {
		req.highest = (uint8_t)zone;
		if (!pz_page_request(p, &req, &pfn)) {
			if (pfn < end) {
				n++;
				continue;
			}
			pz_free_pages(p, 0, pfn, 0);
		}
		if (zone == PZ_ZONE_DMA)
			break;
		/* The next pages of DMA32 lie no lower: it is not asked again. */
		zone = PZ_ZONE_DMA;
	}
	return n;
}

/* MiB that a device gets of a machine that is idle or full. */
static double room_case(unsigned int bits, enum way way, bool full)
{
	struct machine_opts o = { .bytes = 8 * GIB };
	struct machine m;
	uint64_t pfn, n;

	o.policy = way == WAY_REACH ? PZ_POLICY_REACH : PZ_POLICY_ZONELIST;
	if (!machine_make(&m, &o))
		return NAN;
	while (full && !pz_alloc_pages(m.pages, 0, PZ_GFP_BLOCK | PZ_GFP_NORETRY, 0, NULL, &pfn))
		;
	n = way == WAY_LINUX ? room_linux(m.pages, bits) : room_exact(m.pages, bits);
	machine_free(&m);
	return (double)n * PAGE_BYTES / MIB;
}

void pages_room(void)
{
	static const char *const cols[] = { "addressable", "reach",   "zonelist", "as Linux asks",
					    "reach %",	   "Linux %", NULL };
	struct machine_opts o = { .bytes = 8 * GIB };
	struct bench_worst kept = { .value = NAN };
	struct bench_table *t;
	struct machine m;

	if (!machine_layout(&m, &o))
		return;
	t = bench_table("room", "what a device gets of 8 GiB, by its address bits", "MiB", cols,
			false);
	for (unsigned int full = 0; full < 2; full++) {
		for (unsigned int i = 0; i < sizeof(room_bits) / sizeof(room_bits[0]); i++) {
			unsigned int bits = room_bits[i];
			double all = (double)machine_pages_below(&m, ((uint64_t)1 << bits) - 1) *
				     PAGE_BYTES / MIB;
			double got[WAYS];

			bench_row(t, "%u bits, %s", bits, full ? "after filling" : "idle");
			bench_set(t, 0, all);
			for (unsigned int w = 0; w < WAYS; w++) {
				got[w] = room_case(bits, (enum way)w, full);
				bench_set(t, 1 + w, got[w]);
			}
			bench_set(t, 4, 100 * got[WAY_REACH] / all);
			bench_set(t, 5, 100 * got[WAY_LINUX] / all);
			bench_run(t);
			if (!full && (bits == 28 || bits == 31))
				bench_target("room", 100 * got[WAY_REACH] / all, 95, false, "%",
					     "idle, a %u-bit device gets of what it addresses",
					     bits);
			if (full)
				bench_worse(&kept, got[WAY_REACH], false, "%u bits", bits);
		}
	}
	bench_remark("after filling: every unlimited request for a page was served first");
	bench_target("room", kept.value, 12, false, "MiB", "after filling, a device gets (%s)",
		     kept.what);
	bench_table_end(t);
	machine_free(&m);
}

static void size_row(struct bench_table *t, uint64_t bytes, const char *size, double start_ms,
		     struct bench_worst *state, struct bench_worst *all)
{
	double gib = (double)bytes / GIB, ms[BENCH_RUNS], least = NAN;
	struct machine_opts o = { .bytes = bytes, .small_pages = true };
	struct pz_page_cost cost = { 0 };
	uint64_t touched = 0;

	for (unsigned int run = 0; run < bench_opts.runs; run++) {
		struct machine m;

		if (!machine_make(&m, &o))
			return;
		touched = machine_touched(&m);
		pz_page_cost(m.pages, &cost);
		ms[run] = m.create_ns / 1e6;
		least = run && least < ms[run] ? least : ms[run];
		machine_free(&m);
	}
	for (unsigned int i = 1; i < bench_opts.runs; i++)
		for (unsigned int k = i; k > 0 && ms[k] < ms[k - 1]; k--) {
			double v = ms[k];

			ms[k] = ms[k - 1];
			ms[k - 1] = v;
		}
	bench_row(t, "%s", size);
	bench_set(t, 0, (double)cost.state_bytes / KIB / gib);
	bench_set(t, 1, (double)cost.owner_bytes / KIB / gib);
	bench_set(t, 2, (double)cost.cpu_bytes / KIB);
	bench_set(t, 3, (double)touched / KIB);
	bench_set(t, 4, ms[bench_opts.runs / 2]);
	bench_set(t, 5, least);
	bench_run(t);
	bench_worse(state, (double)cost.state_bytes / KIB / gib, true, "%s", size);
	bench_worse(all, (double)(cost.state_bytes + cost.owner_bytes) / KIB / gib, true, "%s",
		    size);
	if (start_ms > 0) {
		bench_target("size", ms[bench_opts.runs / 2], start_ms, true, "ms", "start of %s",
			     size);
		bench_target("size", (double)touched / KIB, 1024, true, "KiB",
			     "touched by the start of %s", size);
	}
}

void pages_size(void)
{
	static const char *const cols[] = { "state/GiB", "owners/GiB", "CPUs (2)", "touched",
					    "start, ms", "least, ms",  NULL };
	struct bench_worst state = { .value = NAN }, all = { .value = NAN };
	struct machine_opts o = { .bytes = 8 * GIB };
	struct bench_table *t;
	double ms = NAN;
	struct buddy *b;
	struct machine m;

	t = bench_table("size", "metadata and start", "KiB", cols, false);
	size_row(t, 8 * GIB, "8 GiB", 0, &state, &all);
	size_row(t, TIB, "1 TiB", 1, &state, &all);
	size_row(t, 64 * TIB, "64 TiB", 5, &state, &all);
	if (machine_layout(&m, &o)) {
		b = buddy_make(&m, true);
		if (b) {
			/* The second time: the first may wait for huge pages. */
			buddy_free_all(b);
			b = buddy_make(&m, true);
		}
		if (b) {
			ms = buddy_make_ns(b) / 1e6;
			bench_row(t, "buddy, 8 GiB");
			bench_set(t, 1, (double)buddy_state_bytes(b) / KIB / 8);
			bench_set(t, 3, (double)buddy_state_bytes(b) / KIB);
			bench_set(t, 4, ms);
			bench_run(t);
		}
		buddy_free_all(b);
		machine_free(&m);
	}
	bench_remark("touched: pages of the zero-filled mapping that are resident, and all of the");
	bench_remark("small arrays; start: pz_pages_create() with its page faults");
	bench_target("size", state.value, 64, true, "KiB", "free-or-taken per GiB (%s)",
		     state.what);
	bench_target("size", all.value, 1024, true, "KiB", "free-or-taken and owners per GiB (%s)",
		     all.what);
	bench_table_end(t);
}
