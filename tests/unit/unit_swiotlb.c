/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * physzone swiotlb: the lines of a log, each verdict on both sides of its border, a leak and what
 * only looks like one, sizes as each kernel rounds them, and whether they fit into the machine.
 */
#include "start_run.h"

#include <physzone/linux/swiotlb_log.h>

#include "input/log.h"

const char *run_machines;

static const struct pzl_swlog_pool pool_61 = { PZL_LINUX_6_1, 12, 4 };
static const struct pzl_swlog_pool pool_515 = { PZL_LINUX_5_15, 12, 0 };

static struct pzl_swlog_verdict judged(const struct pzl_swlog_pool *pool, uint64_t bytes,
				       uint64_t total, uint64_t used)
{
	const struct pzl_swlog_line line = { bytes, total, used };
	struct pzl_swlog_verdict v;

	pzl_swlog_judge(pool, &line, &v);
	return v;
}

static void is(const struct pzl_swlog_pool *pool, uint64_t bytes, uint64_t total, uint64_t used,
	       enum pzl_swlog_why why)
{
	struct pzl_swlog_verdict v = judged(pool, bytes, total, used);

	if (v.why != why)
		fail_msg("%llu bytes, %llu of %llu: verdict %d, not %d", (unsigned long long)bytes,
			 (unsigned long long)used, (unsigned long long)total, v.why, why);
}

/* Each verdict on its side of the border, and its neighbour beyond. */
static void borders(void **state)
{
	const uint64_t none = PZL_SWLOG_UNTOLD;

	(void)state;
	is(&pool_61, 4096, 0, 0, PZL_SWLOG_NO_POOL);
	is(&pool_61, 4096, 512, 512, PZL_SWLOG_FULL);
	/* 256 KiB is a segment. */
	is(&pool_61, 262145, 32768, 4, PZL_SWLOG_NEVER);
	is(&pool_61, 262144, 32768, 4, PZL_SWLOG_ALIGNED);
	is(&pool_61, 262144, 32768, 256, PZL_SWLOG_FRAGMENTED);
	is(&pool_61, 262144, 32768, 255, PZL_SWLOG_ALIGNED);
	is(&pool_61, 262144 - 4096 + 1, 32768, 255, PZL_SWLOG_ALIGNED);
	is(&pool_61, 262144 - 4096, 32768, 255, PZL_SWLOG_UNEXPLAINED);
	/* 8 KiB are 4 slots. */
	is(&pool_61, 8192, 32768, 32765, PZL_SWLOG_FULL);
	is(&pool_61, 8192, 32768, 32764, PZL_SWLOG_FRAGMENTED);
	is(&pool_61, 8193, 32768, 32764, PZL_SWLOG_FULL);
	/* 32 places of 4 slots side by side in each of 256 segments. */
	is(&pool_61, 8192, 32768, 8192, PZL_SWLOG_FRAGMENTED);
	is(&pool_61, 8192, 32768, 8191, PZL_SWLOG_UNEXPLAINED);
	/* A slot less than a page may begin anywhere, and has 128 places. */
	is(&pool_61, 2048, 32768, 32767, PZL_SWLOG_UNEXPLAINED);
	is(&pool_61, 2048, 32768, 32768, PZL_SWLOG_FULL);
	/* Areas smaller than a segment: 1024 slots in 16 areas of 64. */
	is(&(struct pzl_swlog_pool){ PZL_LINUX_6_1, 12, 16 }, 131073, 1024, 0, PZL_SWLOG_AREA);
	is(&(struct pzl_swlog_pool){ PZL_LINUX_6_1, 12, 16 }, 131072, 1024, 16,
	   PZL_SWLOG_FRAGMENTED);
	is(&(struct pzl_swlog_pool){ PZL_LINUX_6_1, 12, 16 }, 131072, 1024, 15,
	   PZL_SWLOG_UNEXPLAINED);
	/* Lines without the numbers. */
	is(&pool_515, 16384, none, none, PZL_SWLOG_LINE);
	is(&pool_515, 262145, none, none, PZL_SWLOG_NEVER);
	is(&pool_515, UINT64_MAX, none, none, PZL_SWLOG_NEVER);
	is(&pool_515, 0, none, none, PZL_SWLOG_LINE);
}

/* Slots of a segment of which some are in use: whether a mapping finds a row, place by place. */
static bool fits_brute(const bool *used, unsigned int run, uint64_t need, uint64_t stride)
{
	for (uint64_t at = 0; at + need <= run; at += stride) {
		uint64_t n = 0;

		while (n < need && !used[at + n])
			n++;
		if (n == need)
			return true;
	}
	return false;
}

/*
 * The number that suffices, against a search: taking the last slot of the lowest free place again
 * and again blocks with the fewest, as with any set of intervals.
 */
static void blocks_are_least(void **state)
{
	(void)state;
	for (unsigned int need = 1; need <= 128; need++) {
		for (unsigned int page = 12; page <= 16; page += 2) {
			const struct pzl_swlog_pool pool = { PZL_LINUX_6_1, page, 1 };
			uint64_t bytes = (uint64_t)need * 2048;
			uint64_t stride = bytes >= UINT64_C(1) << page ? 1u << (page - 11) : 1;
			bool used[128] = { false };
			uint64_t n = 0;

			for (uint64_t at = 0; at + need <= 128;) {
				uint64_t end = at + need;

				used[end - 1] = true;
				n++;
				/* The next place that does not hold that slot. */
				at = (end + stride - 1) / stride * stride;
			}
			assert_false(fits_brute(used, 128, need, stride));
			assert_int_equal(judged(&pool, bytes, 128, 128).blocks, n);
			/* And one less leaves a place, whichever is given up: of those in use. */
			for (unsigned int i = 0; i < 128; i++) {
				if (!used[i])
					continue;
				used[i] = false;
				assert_true(fits_brute(used, 128, need, stride));
				used[i] = true;
			}
		}
	}
}

static void sizes(void **state)
{
	struct pzl_swlog_verdict v;

	(void)state;
	/* Full: 512 in use and 4 wanted; a power of two since 6.1, whole segments before. */
	v = judged(&pool_61, 8192, 512, 512);
	assert_int_equal(v.least, 1024);
	/* 512 in use break up 16 segments of 32 places; the 17th stands open. */
	assert_int_equal(v.sure, 4096);
	v = judged(&pool_515, 8192, 512, 512);
	assert_int_equal(v.least, 640);
	assert_int_equal(v.sure, 17 * 128);
	/* What was sure is judged as served: fewer in use than suffice. */
	v = judged(&pool_515, 8192, v.sure, 512);
	assert_true(v.blocks > 512);
	v = judged(&pool_515, 8192, 16 * 128, 512);
	assert_true(v.blocks <= 512);
	/* Areas of 64 slots: one of 128 for each of the 16. */
	v = judged(&(struct pzl_swlog_pool){ PZL_LINUX_6_1, 12, 16 }, 200000, 1024, 0);
	assert_int_equal(v.least, 2048);
	/* Too long for every size. */
	assert_int_equal(judged(&pool_61, 300000, 32768, 32768).least, 0);
	assert_int_equal(judged(&pool_61, 300000, 32768, 32768).sure, 0);

	assert_int_equal(pzl_swlog_round(&pool_515, 1), 128);
	assert_int_equal(pzl_swlog_round(&pool_515, 129), 256);
	assert_int_equal(pzl_swlog_round(&pool_515, 33000), 33024);
	assert_int_equal(pzl_swlog_round(&pool_61, 33000), 65536);
	assert_int_equal(pzl_swlog_round(&pool_61, 1), 512);
	assert_int_equal(pzl_swlog_round(&(struct pzl_swlog_pool){ PZL_LINUX_6_12, 12, 64 }, 1),
			 8192);
}

static enum pzl_swlog_course course(const uint64_t (*v)[2], size_t n)
{
	struct pzl_swlog_sample s[64];
	struct pzl_swlog_trend t;

	for (size_t i = 0; i < n; i++)
		s[i] = (struct pzl_swlog_sample){ v[i][0] * 1000, v[i][1] };
	pzl_swlog_trend(s, n, &t);
	return t.course;
}

#define COURSE(...)                                  \
	course((const uint64_t[][2]){ __VA_ARGS__ }, \
	       sizeof((const uint64_t[][2]){ __VA_ARGS__ }) / sizeof(uint64_t[2]))

static void courses(void **state)
{
	struct pzl_swlog_sample one = { 5000, 77 };
	struct pzl_swlog_trend t;

	(void)state;
	/* Only grows, over a minute and over less. */
	assert_int_equal(COURSE({ 0, 1 }, { 20, 2 }, { 30, 2 }, { 40, 3 }, { 50, 4 }, { 60, 5 }),
			 PZL_SWLOG_GROWS);
	assert_int_equal(COURSE({ 0, 1 }, { 20, 2 }, { 30, 2 }, { 40, 3 }, { 50, 4 }, { 59, 5 }),
			 PZL_SWLOG_FEW);
	/* Too few lines, too few rises, one that falls. */
	assert_int_equal(COURSE({ 0, 1 }, { 20, 2 }, { 40, 3 }, { 50, 4 }, { 60, 5 }),
			 PZL_SWLOG_FEW);
	assert_int_equal(COURSE({ 0, 1 }, { 20, 2 }, { 30, 2 }, { 40, 3 }, { 50, 4 }, { 60, 4 }),
			 PZL_SWLOG_FEW);
	assert_int_equal(COURSE({ 0, 1 }, { 20, 2 }, { 30, 1 }, { 40, 3 }, { 50, 4 }, { 60, 5 }),
			 PZL_SWLOG_MOVES);
	/* Nothing comes back for ten minutes, and for a second less. */
	assert_int_equal(COURSE({ 0, 9 }, { 1, 9 }, { 2, 9 }, { 3, 9 }, { 4, 9 }, { 600, 9 }),
			 PZL_SWLOG_STUCK);
	assert_int_equal(COURSE({ 0, 9 }, { 1, 9 }, { 2, 9 }, { 3, 9 }, { 4, 9 }, { 599, 9 }),
			 PZL_SWLOG_FEW);
	/* It falls now and then, but its floor rises in each quarter, or in all but one. */
	assert_int_equal(COURSE({ 0, 10 }, { 20, 30 }, { 30, 20 }, { 40, 35 }, { 55, 30 },
				{ 60, 50 }, { 80, 40 }, { 100, 60 }),
			 PZL_SWLOG_GROWS);
	assert_int_equal(COURSE({ 0, 10 }, { 20, 30 }, { 30, 20 }, { 40, 35 }, { 55, 20 },
				{ 60, 50 }, { 80, 40 }, { 100, 60 }),
			 PZL_SWLOG_MOVES);
	pzl_swlog_trend(NULL, 0, &t);
	assert_int_equal(t.course, PZL_SWLOG_FEW);
	pzl_swlog_trend(&one, 1, &t);
	assert_int_equal(t.course, PZL_SWLOG_FEW);
	assert_int_equal(t.most, 77);
}

/* Read one line, and say what kind of fact comes of it; -1 for none. */
static int kind_of(const char *line, struct fact_swiotlb *e, char *device, size_t n)
{
	char *log = xasprintf("%s\n", line), *err = NULL;
	struct facts f;
	struct text t;
	int kind = -1;

	assert_int_equal(text_from_memory(&t, log, strlen(log), "log", 0, &err), 0);
	facts_init(&f);
	assert_int_equal(log_parse(&f, &t, facts_file(&f, "log"), 0, &err), 0);
	assert_true(f.swiotlb.n <= 1);
	*device = '\0';
	if (f.swiotlb.n) {
		*e = f.swiotlb.v[0];
		kind = (int)e->kind;
		if (e->device < f.swiotlb_devices.n)
			snprintf(device, n, "%s|%s",
				 f.swiotlb_devices.v[e->device].driver
					 ? f.swiotlb_devices.v[e->device].driver
					 : "",
				 f.swiotlb_devices.v[e->device].name);
	}
	facts_destroy(&f);
	text_destroy(&t);
	free(log);
	return kind;
}

static void lines(void **state)
{
	static const struct {
		const char *line;
		int kind;
		const char *device;
		uint64_t bytes, total, used;
	} cases[] = {
		{ "[  12.345678] nvme 0000:01:00.0: swiotlb buffer is full (sz: 8192 bytes), total "
		  "32768 (slots), used 32764 (slots)",
		  SWIOTLB_FULL, "nvme|0000:01:00.0", 8192, 32768, 32764 },
		{ "0000:01:00.0: swiotlb buffer is full (sz: 8192 bytes), total 512 (slots), used "
		  "0 "
		  "(slots)",
		  SWIOTLB_FULL, "|0000:01:00.0", 8192, 512, 0 },
		{ "dwc3 38200000.dwc3: swiotlb buffer is full (sz: 16384 bytes)", SWIOTLB_FULL,
		  "dwc3|38200000.dwc3", 16384, UINT64_MAX, UINT64_MAX },
		{ "dwc3 38200000.dwc3: DMA: Out of SW-IOMMU space for 16384 bytes ", SWIOTLB_FULL,
		  "dwc3|38200000.dwc3", 16384, UINT64_MAX, UINT64_MAX },
		{ "DMA: Out of SW-IOMMU space for 4096 bytes at device 0000:08:00.0", SWIOTLB_FULL,
		  "|0000:08:00.0", 4096, UINT64_MAX, UINT64_MAX },
		{ "usb 1-1: Can not allocate SWIOTLB buffer earlier and can't now provide you with "
		  "the DMA bounce buffer",
		  SWIOTLB_NONE, "usb|1-1", 0, UINT64_MAX, UINT64_MAX },
		{ "e1000 0000:00:03.0: swiotlb addr 0x00000000f0000000+4096 overflow (mask "
		  "fffffff, "
		  "bus limit 0).",
		  SWIOTLB_BEYOND, "e1000|0000:00:03.0", 4096, UINT64_MAX, UINT64_MAX },
		{ "e1000 0000:00:03.0: DMA addr 0x0000000100000000+81 overflow (mask ffffffff, bus "
		  "limit 0).",
		  SWIOTLB_DIRECT, "e1000|0000:00:03.0", 81, UINT64_MAX, UINT64_MAX },
		{ "ehci-pci 0000:00:1a.0: overflow 0x0000000a1c8f9a60+8 of DMA mask ffffffff bus "
		  "limit 0",
		  SWIOTLB_DIRECT, "ehci-pci|0000:00:1a.0", 8, UINT64_MAX, UINT64_MAX },
		{ "swiotlb_tbl_map_single: 34 callbacks suppressed", SWIOTLB_SUPPRESSED, "", 34,
		  UINT64_MAX, UINT64_MAX },
		{ "net_ratelimit: 34 callbacks suppressed", -1, "", 0, 0, 0 },
		{ "foo: swiotlb is a word", -1, "", 0, 0, 0 },
		{ "foo bar: overflow 0x12 of something", -1, "", 0, 0, 0 },
		{ "notswiotlb buffer is full (sz: 1 bytes)", -1, "", 0, 0, 0 },
		/* Damaged: they break off, or have more in use than there is. */
		{ "a b: swiotlb buffer is full (sz: 8192 byt", -1, "", 0, 0, 0 },
		{ "a b: swiotlb buffer is full (sz: 8192 bytes), total 512 (slots), used", -1, "",
		  0, 0, 0 },
		{ "a b: swiotlb buffer is full (sz: 1 bytes), total 512 (slots), used 513 (slots)",
		  -1, "", 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fact_swiotlb e;
		char device[64];

		if (kind_of(cases[i].line, &e, device, sizeof(device)) != cases[i].kind)
			fail_msg("another kind: %s", cases[i].line);
		assert_string_equal(device, cases[i].device);
		if (cases[i].kind < 0)
			continue;
		assert_int_equal(e.bytes, cases[i].bytes);
		assert_int_equal(e.total, cases[i].total);
		assert_int_equal(e.used, cases[i].used);
	}
}

/* Run on a log; "%s" in the line stands for its name. */
static struct run run_log(const char *log, const char *line)
{
	char *name = run_file(log), *words = xasprintf(line, name);
	struct run r = run(words);

	unlink(name);
	free(name);
	free(words);
	return r;
}

#define FULL(stamp, bytes, total, used)                                        \
	"[" stamp "] mt7615e 0000:01:00.0: swiotlb buffer is full (sz: " bytes \
	" bytes), total " total " (slots), used " used " (slots)\n"

static void verdicts(void **state)
{
	struct run r;

	(void)state;
	r = run_log(FULL("  12.000000", "8192", "32768", "32765"), "swiotlb %s");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "mt7615e 0000:01:00.0: full, 1 line: 8192 bytes are 4 slots");
	run_has(&r, "swiotlb=65536 (128 MiB)");
	run_has(&r, "cannot be told: there are too few lines");
	run_has(&r, "cannot be told: the log does not hold");
	run_has_not(&r, "fragmented");
	run_done(&r);
	r = run_log(FULL("  12.000000", "8192", "32768", "32764"), "swiotlb %s");
	run_has(&r, "fragmented, 1 line");
	run_has_not(&r, ": full,");
	run_done(&r);
	r = run_log(FULL("  12.000000", "536576", "32768", "3487"), "swiotlb %s");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "too long, 1 line: 536576 bytes are 262 slots");
	run_has_not(&r, "swiotlb=");
	run_done(&r);
	/* Nothing that decides: another exit code. */
	r = run_log(
		"[  437.548691] dwc3 38200000.dwc3: swiotlb buffer is full (sz: 16384 bytes)\n"
		"[  437.555402] dwc3 38200000.dwc3: DMA: Out of SW-IOMMU space for 16384 bytes\n",
		"swiotlb %s");
	assert_int_equal(r.rc, EXIT_UNDECIDED);
	run_has(&r, "not told, 1 line");
	run_done(&r);
	r = run_log(FULL("  12.000000", "262144", "32768", "0"), "swiotlb %s");
	assert_int_equal(r.rc, EXIT_UNDECIDED);
	run_has(&r, "too long if aligned, 1 line");
	run_done(&r);
	r = run_log(FULL("  12.000000", "2048", "32768", "32767"), "swiotlb %s");
	assert_int_equal(r.rc, EXIT_UNDECIDED);
	run_has(&r, "unexplained, 1 line");
	run_done(&r);
	r = run_log(FULL("  12.000000", "81", "0", "0"), "swiotlb %s");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "no pool, 1 line");
	run_done(&r);
	r = run_log("[    0.000000] Linux version 6.1.0 (x)\n[    1.000000] a: b\n", "swiotlb %s");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "No mapping was refused");
	run_done(&r);
}

static const char leaky[] = FULL("  10.000000", "3776", "32768", "31000")
	FULL("  30.000000", "3776", "32768", "31100") FULL("  50.000000", "3776", "32768", "31200")
		FULL("  60.000000", "3776", "32768", "31300")
			FULL("  65.000000", "3776", "32768", "31400");

static void leaks(void **state)
{
	char *log = xasprintf("%s%s", leaky, FULL("  70.000000", "3776", "32768", "31500"));
	struct run r = run_log(log, "swiotlb %s");

	(void)state;
	/* 500 slots in a minute. */
	run_has(&r, "A leak, by the look of it");
	run_has(&r, "by some 30000 in an hour");
	run_has_not(&r, "swiotlb=");
	run_done(&r);
	r = run_log(log, "swiotlb --json %s");
	run_has(&r, "\"course\": \"leak\"");
	run_has(&r, "\"slots_per_hour\": 30000");
	run_done(&r);
	r = run_log(log, "swiotlb --svg - %s");
	run_has(&r, "</svg>");
	run_done(&r);
	free(log);
	/* The last line falls: slots do come back. */
	log = xasprintf("%s%s", leaky, FULL("  70.000000", "3776", "32768", "31399"));
	r = run_log(log, "swiotlb %s");
	run_has(&r, "No leak in sight");
	run_has(&r, "rose in 4 lines and fell in 1, between");
	run_done(&r);
	free(log);
}

/* Two pools are told apart by their size; one that grows is one. */
static void pools(void **state)
{
	struct run r;

	(void)state;
	r = run_log(FULL("  12.000000", "8192", "1024", "1024")
			    FULL("  13.000000", "8192", "2048", "2048"),
		    "swiotlb --json %s");
	run_has(&r, "\"grew\": true");
	run_done(&r);
	r = run_log(FULL("  12.000000", "8192", "2048", "2048")
			    FULL("  13.000000", "8192", "1024", "1024"),
		    "swiotlb --json %s");
	run_has_not(&r, "\"grew\": true");
	run_has(&r, "\"slots\": 2048");
	run_has(&r, "\"slots\": 1024");
	run_done(&r);
	r = run_log(FULL("  12.000000", "8192", "2048", "2048")
			    FULL("  13.000000", "8192", "1024", "1024"),
		    "swiotlb %s");
	run_has(&r, "Of the pool of 1024 slots:");
	run_done(&r);
}

/* A PC with a map: sizes below and beyond what is free under 4 GiB. */
static void fits(void **state)
{
	static const char map[] =
		"[    0.000000] Linux version 6.1.0 (x) #1 SMP\n"
		"[    0.000000] Command line: quiet\n"
		"[    0.000000] BIOS-provided physical RAM map:\n"
		"[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable\n"
		"[    0.000000] BIOS-e820: [mem 0x0000000000100000-0x000000001fffffff] usable\n"
		"[    0.000000] BIOS-e820: [mem 0x0000000100000000-0x000000013fffffff] usable\n"
		"[    0.100000] software IO TLB: area num 2.\n"
		"[    0.100000] software IO TLB: mapped [mem 0x000000001b000000-"
		"0x000000001f000000] (64MB)\n";
	char *log = xasprintf("%s%s", map, FULL("  12.000000", "2048", "32768", "32768"));
	struct run r = run_log(log, "swiotlb %s");

	(void)state;
	/* 2 KiB need but one slot: at best and for sure 64 MiB and a slot, so 128 MiB. */
	run_has(&r, "swiotlb=65536 (128 MiB) would have done");
	run_has(&r, "128 MiB of bounce buffers fit below 4G");
	run_has(&r, "2 areas");
	run_done(&r);
	free(log);
	log = xasprintf("%s%s", map, FULL("  12.000000", "131072", "32768", "32768"));
	r = run_log(log, "swiotlb --width 200 %s");
	/* One segment of two is broken up by two slots: 16385 segments, so 8 GiB. */
	run_has(&r, "8 GiB of bounce buffers do not fit below 4G: the kernel would halve them to "
		    "256 MiB");
	run_done(&r);
	r = run_log(log, "swiotlb --model linux-5.15 %s");
	run_has(&r, "swiotlb=32896 (64.3 MiB)");
	run_done(&r);
	free(log);
}

/* Recorded machines: none of them was short of bounce buffers, and the pool is the kernel's. */
static void recorded(void **state)
{
	struct run r = run("swiotlb @x86_64/6.1-pc-8G");

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "32768 slots (64 MiB)");
	run_has(&r, "No mapping was refused");
	run_done(&r);
}

static void refused(void **state)
{
	struct run r;

	(void)state;
	run_refused("swiotlb", "a directory or '-'");
	run_refused("swiotlb --live x", "--live");
	run_refused("swiotlb a b", "one SOURCE at a time");
	run_refused("swiotlb --model nonsense @x86_64/6.1-pc-8G", "nonsense");
	r = run("swiotlb /nonexistent");
	assert_int_equal(r.rc, EXIT_INPUT);
	run_done(&r);
	/* A map tells nothing of how the machine ran. */
	r = run_log("00001000-bfffffff : System RAM\n", "swiotlb %s");
	assert_int_equal(r.rc, EXIT_INPUT);
	assert_non_null(strstr(r.err, "no log"));
	run_done(&r);
	r = run_log("Node 0, zone DMA\n", "swiotlb %s");
	assert_int_equal(r.rc, EXIT_INPUT);
	assert_null(strchr(r.err, '\n'));
	run_done(&r);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(borders), cmocka_unit_test(blocks_are_least),
		cmocka_unit_test(sizes),   cmocka_unit_test(courses),
		cmocka_unit_test(lines),   cmocka_unit_test(verdicts),
		cmocka_unit_test(leaks),   cmocka_unit_test(pools),
		cmocka_unit_test(fits),	   cmocka_unit_test(recorded),
		cmocka_unit_test(refused),
	};

	run_machines = argc > 1 ? argv[1] : "machines";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
