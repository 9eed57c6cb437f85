/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit_explain.c - explanations of made-up failures: each cause, what is advised, what is told of
 * reports that lack numbers or contradict themselves, and hostile ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <physzone/linux/meminfo.h>

#include "explain.h"
#include "input/log.h"
#include "input/source.h"

#define BANNER "Linux version 6.1.0-50-amd64 (x) (x86_64-linux-gnu-gcc) #1\n"
#define BANNER_612 "Linux version 6.12.9-amd64 (x) (x86_64-linux-gnu-gcc) #1\n"
#define FAILED(order, mode)                                                                       \
	"app: page allocation failure: order:" order ", mode:" mode ", nodemask=(null),cpuset=/," \
	"mems_allowed=0-1\n"
#define ZONE(name, free, min, extra, managed)                                             \
	"Node 0 " name " free:" free "kB boost:0kB min:" min "kB low:" min "kB high:" min \
	"kB " extra " present:" managed "kB managed:" managed "kB free_pcp:0kB free_cma:0kB\n"

static struct facts facts;
static struct explained explained;
static struct out shown;

static void start(const char *log, const char *model)
{
	const struct analysis_options how = { .model = model };
	struct text t;
	char *err;

	facts_init(&facts);
	assert_int_equal(text_from_memory(&t, log, strlen(log), "log", 0, &err), 0);
	assert_int_equal(log_parse(&facts, &t, facts_file(&facts, "log"), 0, &err), 0);
	text_destroy(&t);
	assert_int_equal(explain(&explained, &facts, &how, &err), 0);
	out_init(&shown, NULL);
}

static void done(void)
{
	out_destroy(&shown);
	explained_destroy(&explained);
	facts_destroy(&facts);
}

static const struct explanation *only(void)
{
	assert_int_equal(explained.all.n, 1);
	return &explained.all.v[0];
}

/* The whole text, on lines that are never wrapped. */
static const char *text(bool why)
{
	const struct explain_view v = { &explained, &facts, "log", why };

	shown.n = 0;
	shown.width = OUT_WIDTH_MAX;
	explain_text(&shown, &v);
	return out_text(&shown);
}

static void says(const char *needle)
{
	if (!strstr(text(true), needle))
		fail_msg("missing:\n%s\nin:\n%s", needle, text(true));
}

static void is(enum ex_cause cause, enum ex_matter matter)
{
	const struct explanation *x = only();

	if (x->cause != cause || x->matter != matter)
		fail_msg("%s, %s:\n%s", explain_cause_name(x->cause),
			 explain_matter_name(x->matter), text(true));
}

/* Rebuild, and what came of it; the obstacle or a difference has a text in it. */
static void again(enum ex_again want, const char *needle)
{
	const struct analysis_options how = { .model = NULL };
	const struct ex_rebuilt *r;

	explain_rebuild(&explained, &facts, &how);
	r = only()->rebuilt;
	assert_non_null(r);
	if (r->again != want)
		fail_msg("%s:\n%s", explain_again_name(r->again), text(false));
	says("rebuilt");
	if (needle)
		says(needle);
	assert_int_equal(explain_rebuilt_fine(&explained),
			 (want == EX_FAILS_ALIKE || want == EX_SERVED_ALIKE) && !r->differences.n);
}

/* The kinds of remedy in their order, as names joined by blanks. */
static void helps(const char *want)
{
	const struct explanation *x = only();
	char got[400] = "";

	for (size_t i = 0; i < x->remedies.n; i++) {
		strncat(got, i ? " " : "", sizeof(got) - strlen(got) - 1);
		strncat(got, explain_remedy_name(x->remedies.v[i].kind),
			sizeof(got) - strlen(got) - 1);
	}
	assert_string_equal(got, want);
}

static void used_up(void **state)
{
	start(BANNER FAILED("0", "0xcc0(GFP_KERNEL)") "Mem-Info:\n" ZONE(
		      "DMA", "14336", "168", "",
		      "15360") "lowmem_reserve[]: 0 2990 5901 5901 "
			       "5901\n" ZONE("Normal", "400", "400",
					     "active_file:40kB "
					     "inactive_file:0kB",
					     "1000000") "lowmem_reserve[]: 0 "
							"0 0 0 0\n"
							"Node 0 DMA: 0*4kB "
							"1792*8kB (U) = "
							"14336kB\nNode 0 "
							"Normal: 100*4kB (U) "
							"= 400kB\n",
	      NULL);
	is(EX_FULL, EX_SERIOUS);
	says("app asked for 1 page (order 0, 4 KiB)");
	says("from zone Normal or below, as GFP_KERNEL (0xcc0): it may wait: memory is reclaimed, "
	     "and "
	     "then the OOM killer is called");
	says("it must keep more than 23.2 MiB (168 KiB and 23.1 MiB kept for requests that reach "
	     "no "
	     "higher)");
	says("100 pages would be left, and it must keep more than 100 pages (its watermark)");
	says("zone Normal of node 0 is used up: it lacks 4 KiB (1 page)");
	helps("gfp-high free-pages");
	assert_int_equal(explain_verdict(&explained), 1);
	done();
	/* Who may not wait: the same, and it is no disaster. */
	start(BANNER FAILED("0", "0xa20(GFP_ATOMIC)") "Mem-Info:\n" ZONE(
		      "Normal", "100", "400", "active_file:40kB inactive_file:4kB",
		      "1000000") "lowmem_reserve[]: 0 0 0 0 0\nNode 0 Normal: 25*4kB (U) = 100kB\n",
	      NULL);
	is(EX_FULL, EX_COPES);
	says("it may use 5/8 of what the min watermark keeps; it may not wait: kswapd is woken");
	says("12  a quarter of the rest, for it may not wait");
	helps("block min-free-kbytes free-pages");
	done();
}

static void other_causes(void **state)
{
	start(BANNER FAILED("3", "0xcc0(GFP_KERNEL)") "Mem-Info:\n" ZONE(
		      "Normal", "40000", "400", "",
		      "1000000") "lowmem_reserve[]: 0 0 0 0 0\n"
				 "Node 0 Normal: 5000*4kB (UM) 2500*8kB (M) 0*16kB 0*32kB = "
				 "40000kB\n",
	      NULL);
	is(EX_FRAGMENTED, EX_SERIOUS);
	says("39.1 MiB free of 977 MiB; the largest block has 8 KiB (order 1)");
	says("39.1 MiB are free, but no block of 32 KiB");
	helps("smaller-order compact");
	done();
	start(BANNER FAILED("4", "0xcc0(GFP_KERNEL)") "Mem-Info:\n" ZONE(
		      "Normal", "440", "400", "", "1000000") "lowmem_reserve[]: 0 0 0 0 0\n"
							     "Node 0 Normal: 0*4kB 0*8kB 0*16kB "
							     "0*32kB 0*64kB 3*128kB (U) = 384kB\n",
	      NULL);
	is(EX_SIZE, EX_COPES);
	says("free:440kB, but its free blocks sum up to 384 kB");
	helps("smaller-order gfp-high free-pages reserve-at-boot");
	says("ask for 32 KiB or less at a time (order 3): zone Normal of node 0 would serve that");
	done();
	start(BANNER FAILED("0",
			    "0xcc0(GFP_KERNEL)") "Mem-Info:\n"
						 "Node 0 Normal free:4000kB min:400kB low:400kB "
						 "high:400kB present:9000kB "
						 "managed:9000kB "
						 "free_cma:3900kB\nlowmem_reserve[]: 0 0 0 0 0\n"
						 "Node 0 Normal: 1000*4kB (UC) = 4000kB\n",
	      NULL);
	is(EX_CMA, EX_SERIOUS);
	helps("movable");
	says("3.81 MiB of it in CMA areas");
	done();
	start(BANNER FAILED("0", "0xcc0(GFP_KERNEL)") "Mem-Info:\n"
						      "Node 0 Normal free:4000kB min:400kB "
						      "low:400kB high:400kB "
						      "reserved_highatomic:3900KB present:9000kB "
						      "managed:9000kB\n"
						      "lowmem_reserve[]: 0 0 0 0 0\nNode 0 Normal: "
						      "1000*4kB (UH) = 4000kB\n",
	      NULL);
	is(EX_HIGHATOMIC, EX_SERIOUS);
	helps("gfp-high");
	done();
	start(BANNER FAILED(
		      "0",
		      "0xcc4(GFP_KERNEL|GFP_DMA32)") "Mem-Info:\n"
						     " free:300000 free_pcp:0 free_cma:0\n" ZONE(
							     "DMA", "8000", "168", "",
							     "15360") "lowmem_reserve[]: 0 2990 "
								      "5901 5901 5901\n"
								      "Node 0 DMA: 0*4kB 1000*8kB "
								      "(U) = 8000kB\n",
	      NULL);
	is(EX_RESERVE, EX_FEATURE);
	helps("wider-limit lowmem-reserve-ratio free-pages");
	says("the OOM killer is not called for zones below Normal");
	done();
	start(BANNER FAILED("11", "0xcc0(GFP_KERNEL)") "Mem-Info:\n", NULL);
	is(EX_TOO_LARGE, EX_FEATURE);
	helps("");
	done();
	start(BANNER FAILED("0", "0x8cc0(GFP_KERNEL|__GFP_NOFAIL)"), NULL);
	is(EX_NOT_STATED, EX_SERIOUS);
	assert_int_equal(explain_verdict(&explained), 4);
	done();
	start(BANNER FAILED("0", "0x4cc0(GFP_KERNEL|__GFP_RETRY_MAYFAIL)") "Mem-Info:\n" ZONE(
		      "Normal", "4000", "400", "", "9000") "lowmem_reserve[]: 0 0 0 0 0\n"
							   "Node 0 Normal: 1000*4kB (U) = 4000kB\n",
	      NULL);
	is(EX_GONE, EX_FEATURE);
	helps("retry");
	done();
}

/* The pool of a capture kernel, by a whole report and by a torn one. */
static void unmanaged(void **state)
{
	static const char *const pool = FAILED(
		"5", "0xcc1(GFP_KERNEL|GFP_DMA)") "CPU: 0 PID: 1 Comm: swapper/0\nCall Trace:\n "
						  "warn_alloc.cold+0x72/0xd6\n"
						  " __alloc_pages+0x24d/0x2c0\n "
						  "atomic_pool_expand+0x1/0x2\n"
						  " dma_atomic_pool_init+0xdb/0x176\nMem-Info:\n";
	char log[2000];

	start(pool, NULL);
	is(EX_LIKELY_UNMANAGED, EX_HARMLESS);
	says("on CPU 0, in dma_atomic_pool_init, asked for 32 pages in one block (order 5, 128 "
	     "KiB)");
	helps("kernel");
	done();
	snprintf(log, sizeof(log), "%s%s", pool,
		 ZONE("DMA", "0", "0", "", "0") "lowmem_reserve[]: 0 0 0 0 0\n"
						"Node 0 DMA: 0*4kB 0*8kB = 0kB\n");
	start(log, "linux-6.12");
	is(EX_UNMANAGED, EX_HARMLESS);
	says("zone DMA of node 0 has 0 managed pages (0 present): no request for it can ever be "
	     "served here, and free memory elsewhere does not matter");
	says("linux-6.12 would not print this failure");
	helps("kernel");
	done();
	start(log, "linux-5.15");
	assert_int_equal(only()->notes.n, 0);
	done();
	/* Not by the pool: whoever asks gets nothing. */
	start(BANNER FAILED("0", "0xcc1(GFP_KERNEL|GFP_DMA)") "Mem-Info:\n" ZONE("DMA", "0", "0",
										 "", "0"),
	      "linux-5.15");
	is(EX_UNMANAGED, EX_FEATURE);
	done();
}

static void nodes(void **state)
{
	start(BANNER
	      "app: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL), nodemask=1,"
	      "cpuset=/,mems_allowed=0-1\nMem-Info:\n" ZONE(
		      "Normal", "4000", "400", "",
		      "9000") "lowmem_reserve[]: 0 0 0 0 0\n"
			      "Node 1 Normal free:100kB min:400kB low:400kB high:400kB "
			      "present:9000kB managed:9000kB\n"
			      "lowmem_reserve[]: 0 0 0 0 0\nNode 0 Normal: 1000*4kB (U) = 4000kB\n"
			      "Node 1 Normal: 25*4kB (U) = 100kB\n",
	      NULL);
	is(EX_FULL, EX_SERIOUS);
	says("0 Normal  its node is not among those that the request may use");
	says("zone Normal of node 1 is used up: it lacks 304 KiB (76 pages) to be above its "
	     "watermark\n");
	helps("nodes free-pages");
	done();
	/* What a node that is not allowed would serve is no smaller request of this one. */
	start(BANNER "app: page allocation failure: order:3, mode:0xcc0(GFP_KERNEL), nodemask=1\n"
		     "Mem-Info:\n" ZONE("Normal", "4000", "400", "",
					"9000") "Node 1 Normal free:800kB min:400kB low:400kB "
						"high:400kB present:9000kB managed:9000kB\n"
						"Node 0 Normal: 500*4kB 250*8kB (U) = 4000kB\n"
						"Node 1 Normal: 200*4kB (U) = 800kB\n",
	      NULL);
	is(EX_FRAGMENTED, EX_SERIOUS);
	says("ask for 4 KiB or less at a time (order 0): zone Normal of node 1 would serve that");
	done();
}

/* A cpuset holds only who is told to keep to it. */
static void cpusets(void **state)
{
	static const struct {
		const char *mode;
		enum ex_cause cause;
	} cases[] = {
		{ "0x100cc0(GFP_USER)", EX_NO_ZONE },
		{ "0xcc0(GFP_KERNEL)", EX_FULL },
		{ "0x100a20(GFP_ATOMIC|__GFP_HARDWALL)", EX_FULL },
	};
	char log[2000];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(log, sizeof(log),
			 BANNER "app: page allocation failure: order:0, mode:%s, "
				"nodemask=(null),cpuset=a,mems_allowed=1\nMem-Info:\n%s",
			 cases[i].mode, ZONE("Normal", "100", "400", "", "9000"));
		start(log, NULL);
		assert_int_equal(only()->cause, cases[i].cause);
		done();
	}
}

/* What is not stated is not made up. */
static void missing(void **state)
{
	start(FAILED("0", "0xcc0(GFP_KERNEL)") "Mem-Info:\n" ZONE(
		      "DMA", "8000", "168", "",
		      "15360") "Node 0 DMA: 0*4kB 1000*8kB (U) = 8000kB\n",
	      NULL);
	is(EX_NOT_STATED, EX_SERIOUS);
	says("the log does not state its lowmem reserve");
	says("not stated  lowmem reserve against this request");
	assert_int_equal(explain_verdict(&explained), 4);
	done();
	start(FAILED("2", "0xcc0(GFP_KERNEL)") "Mem-Info:\n" ZONE("Normal", "8000", "168", "",
								  "15360"),
	      NULL);
	is(EX_NOT_STATED, EX_SERIOUS);
	says("the log does not state its free blocks");
	done();
	start("app: page allocation failure. order:1, mode:0x20\n", NULL);
	is(EX_NOT_STATED, EX_COPES);
	says("mode 0x20 has no names beside it");
	done();
	start(BANNER FAILED("0", "0x2080020(GFP_ATOMIC|__GFP_COLD)"), NULL);
	says("the flag __GFP_COLD is not one of linux-6.1 and is left out");
	says("mode 0x2080020 and the names beside it are not the same in linux-6.1; the names "
	     "count "
	     "(0xa20)");
	done();
	start(BANNER_612 FAILED("0", "0x820(GFP_ATOMIC)"), NULL);
	assert_int_equal(only()->notes.n, 0);
	done();
	start(BANNER FAILED("0", "0xcc5(GFP_KERNEL|GFP_DMA|GFP_DMA32)"), NULL);
	says("it names more than one zone");
	assert_int_equal(only()->highest, PZ_ZONE_DMA);
	done();
	start("Linux version 6.1.0-50-powerpc64le (x)\n" FAILED("0", "0xcc1(GFP_KERNEL|GFP_DMA)"),
	      NULL);
	says("this kernel has no zone DMA: the flag means Normal");
	done();
}

static void contradicting(void **state)
{
	start(BANNER FAILED(
		      "9", "0xcc0(GFP_KERNEL)") "Mem-Info:\n free:10 free_pcp:0 free_cma:0\n"
						"Node 0 Normal free:40000kB min:500kB low:400kB "
						"high:400kB present:9000kB "
						"managed:9000kB "
						"free_cma:50000kB\nlowmem_reserve[]: 0 0 0 0 0\n"
						"Node 0 DMA32 free:4kB min:4kB low:4kB high:4kB "
						"present:90kB managed:90kB\n"
						"lowmem_reserve[]: 0 0 0 0\n"
						"Node 0 Normal: 10*4kB (U) = 44kB\n100 pages RAM\n",
	      NULL);
	says("node 0 Normal: its free blocks sum up to 40 kB, and the line says 44 kB");
	says("node 0 Normal: more is free than is managed");
	says("node 0 Normal: more of CMA is free than is free at all");
	says("node 0 Normal: its watermarks do not ascend");
	says("node 0 DMA32: lowmem_reserve[] has 4 numbers, other zones' has 5");
	says("the zones have 2272 present pages, and the machine 100 pages of RAM");
	says("free:10 pages in all, but its zones have 10001 free pages");
	done();
}

/* Equal failures are one; a report without a failure says what could be had. */
static void several(void **state)
{
	static const char *const one = FAILED("0", "0xcc0(GFP_KERNEL)") "Mem-Info:\n" ZONE(
		"Normal", "400", "400", "", "9000") "lowmem_reserve[]: 0 0 0 0 0\n"
						    "Node 0 Normal: 100*4kB (U) = 400kB\n";
	static const char *const bare =
		"Mem-Info:\n" ZONE("Normal", "8000", "400", "",
				   "9000") "lowmem_reserve[]: 0 0 0 0 0\n"
					   "Node 0 Normal: 0*4kB 1000*8kB (M) 0*16kB = 8000kB\n";
	char log[6000];

	snprintf(log, sizeof(log), BANNER "%s%s%s%s" FAILED("1", "0xcc0(GFP_KERNEL)"), bare, one,
		 one, one);
	start(log, NULL);
	assert_int_equal(explained.all.n, 3);
	assert_null(explained.all.v[0].failure);
	assert_int_equal(explained.all.v[1].times, 3);
	says("Report without a failure, line 2\n");
	says("an ordinary one (GFP_KERNEL) would get up to 8 KiB in one block (order 1), "
	     "from "
	     "zone Normal of node 0");
	says("Page allocation failure, line 6, 3 times, the last on line 16\n");
	done();
	snprintf(log, sizeof(log), BANNER "%s", bare);
	start(log, NULL);
	assert_int_equal(explain_verdict(&explained), 0);
	done();
	start(BANNER "Mem-Info:\n" ZONE("HighMem", "8000", "400", "", "9000")
		      ZONE("Normal", "8000", "400", "", "9000"),
	      NULL);
	says("7.81 MiB free; not for ordinary requests (GFP_KERNEL), which may use zone Normal at "
	     "most");
	says("a single page would be served, and the free blocks are not stated");
	done();
	start(BANNER "nothing\n", NULL);
	says("No page allocation failure and no Mem-Info in 2 lines: nothing to explain.");
	assert_int_equal(explain_verdict(&explained), 0);
	done();
}

/* Numbers beyond any machine, in every place: nothing overflows, nothing is believed. */
static void hostile(void **state)
{
#define MOST "18446744073709551615"
	const struct explain_view v = { &explained, &facts, "log", true };

	start(BANNER "\033[31m\xff" FAILED(
		      "63",
		      "0xffffffffffffffff(GFP_KERNEL||x|0x80000000)") "Mem-Info:\nactive_anon:" MOST
								      " free:" MOST "\nfree:" MOST
								      "\n"
								      "Node 1023 Normal free:" MOST
								      "kB boost:" MOST
								      "kB min:" MOST
								      "kB low:1kB high:0kB "
								      "reserved_highatomic:" MOST
								      "KB active_file:" MOST
								      "kB inactive_file:" MOST "kB "
								      "present:" MOST
								      "kB managed:" MOST
								      "kB free_pcp:" MOST
								      "kB free_cma:" MOST "kB\n"
								      "lowmem_reserve[]: " MOST
								      " " MOST " " MOST " " MOST
								      " " MOST " " MOST "\n"
								      "Node 1023 Normal: " MOST
								      "*64kB (UMEHCI) " MOST
								      "*128kB = " MOST "kB\n" MOST
								      " pages RAM\n",
	      NULL);
	assert_int_equal(only()->cause, EX_TOO_LARGE);
	says("!         node 1023 Normal: its free blocks are more than any memory");
	assert_null(strchr(text(true), '\033'));
	shown.n = 0;
	explain_json(&shown, &v);
	assert_non_null(strstr(out_text(&shown), "\"cause\": \"too-large\""));
	done();
#undef MOST
}

static void *dialect_alloc(void *ctx, size_t size)
{
	return malloc(size);
}

static void dialect_free(void *ctx, void *p, size_t size)
{
	free(p);
}

static uint64_t dialect_random(uint64_t *seed, uint64_t below)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (*seed >> 33) % below;
}

/* A zone with any numbers that agree with each other. */
static void dialect_zone(struct pzl_mem_zone *z, uint64_t *seed)
{
	uint64_t *free_pages = &z->stat[PZL_ZS_FREE_PAGES];

	for (unsigned int o = 0; o < 11; o++)
		for (unsigned int t = 0; t < PZL_MIGRATE_TYPES; t++)
			if (!dialect_random(seed, 4)) {
				z->order[o][t] = dialect_random(seed, 20);
				*free_pages += z->order[o][t] << o;
			}
	z->managed = *free_pages + dialect_random(seed, 100000);
	z->present = z->spanned = z->managed + dialect_random(seed, 100);
	z->boost = dialect_random(seed, 100);
	z->min = z->boost + dialect_random(seed, 1000);
	z->low = z->min + dialect_random(seed, 100);
	z->high = z->low + dialect_random(seed, 100);
	z->reserved_highatomic = dialect_random(seed, 100);
	for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
		z->protection[t] = dialect_random(seed, 5000);
}

/* The zone as it was explained has the numbers that were printed. */
static void dialect_same(const struct pzl_meminfo *m, const struct ex_zone *z)
{
	const struct pzl_mem_zone *from = &m->node[z->fact->nid].zone[z->type];

	assert_int_equal(z->state.managed, from->managed);
	assert_int_equal(z->present, from->present);
	assert_int_equal(z->state.free, from->stat[PZL_ZS_FREE_PAGES]);
	assert_int_equal(z->state.min, from->min);
	assert_int_equal(z->state.boost, m->shows & PZL_MI_BOOST ? from->boost : 0);
	assert_int_equal(z->state.highatomic, from->reserved_highatomic);
	if (z->type < PZ_ZONE_NORMAL)
		assert_int_equal(z->state.reserve, from->protection[PZ_ZONE_NORMAL]);
	assert_int_equal(z->state.orders, 11);
	for (unsigned int o = 0; o < 11; o++) {
		uint64_t n = 0;

		for (unsigned int t = 0; t < PZL_MIGRATE_TYPES; t++) {
			n += from->order[o][t];
			assert_int_equal(z->state.types[o] >> t & 1, from->order[o][t] > 0);
		}
		assert_int_equal(z->state.blocks[o], n);
	}
	assert_int_not_equal(z->judged.verdict, PZL_ZONE_NOT_STATED);
}

static void dialect_read(enum pzl_model model, uint64_t seed)
{
	static const struct pz_meta meta = { dialect_alloc, dialect_free, NULL };
	static const enum pz_zone_type types[] = { PZ_ZONE_DMA, PZ_ZONE_DMA32, PZ_ZONE_NORMAL };
	struct pzl_failure f = { .comm = "app", .order = 3, .gfp = PZL_GFP_KERNEL };
	static char buf[65536];
	struct pzl_text_buffer b = { buf, sizeof(buf), 0 };
	struct pzl_meminfo m;

	f.cpuset = "/";
	f.mems_allowed = "0-1";
	assert_int_equal(pzl_meminfo_init(&m, &meta, model, 2, 1), 0);
	for (unsigned int n = 0; n < 2; n++)
		for (unsigned int t = n; t < 3; t++)
			dialect_zone(&m.node[n].zone[types[t]], &seed);
	pzl_print_failure_line(&m, &f, pzl_emit_to_buffer, &b);
	pzl_print_mem_info(&m, PZ_ZONE_NORMAL, 0, pzl_emit_to_buffer, &b);
	assert_true(b.n < sizeof(buf));
	start(buf, pzl_model_name(model));
	assert_int_equal(facts.contradictions.n, 0);
	assert_int_equal(only()->zones.n, 5);
	assert_int_equal(only()->notes.n + only()->contradictions.n, 0);
	for (size_t i = 0; i < 5; i++)
		dialect_same(&m, &only()->zones.v[i]);
	done();
	pzl_meminfo_destroy(&m);
}

/* Reports as each model prints them are read to the last number. */
static void dialects(void **state)
{
	for (int model = 0; model < PZL_MODELS; model++)
		for (uint64_t seed = 0; seed < 50; seed++)
			dialect_read((enum pzl_model)model, seed);
}

#define REST " 0*64kB 0*128kB 0*256kB 0*512kB 0*1024kB 0*2048kB 0*4096kB = "
#define AGAIN_HEAD BANNER FAILED("3", "0xcc0(GFP_KERNEL)") "Mem-Info:\n"
#define AGAIN_ZONE ZONE("Normal", "1000", "400", "", "1000000")
#define AGAIN_RESERVE "lowmem_reserve[]: 0 0 0 0 0\n"
#define AGAIN_BLOCKS "Node 0 Normal: 90*4kB (UME) 80*8kB (UM) 0*16kB 0*32kB" REST "1000kB\n"

/* The request made again in the machine of the report. */
static void rebuilt(void **state)
{
	static const struct {
		const char *log;
		enum ex_again again;
		const char *says;
	} cases[] = {
		{ AGAIN_HEAD AGAIN_ZONE AGAIN_RESERVE AGAIN_BLOCKS, EX_FAILS_ALIKE,
		  "verified, zone Normal of node 0 served it" },
		/* the lines of a zone from different moments */
		{ AGAIN_HEAD ZONE("Normal", "1004", "400", "", "1000000")
			  AGAIN_RESERVE AGAIN_BLOCKS,
		  EX_FAILS_ALIKE, "free: is 251 pages and its free blocks are 250" },
		{ AGAIN_HEAD ZONE("Normal", "400", "400", "", "1000000") AGAIN_RESERVE
		  "Node 0 Normal: 0*4kB 0*8kB 0*16kB 90*32kB (M)" REST "2880kB\n",
		  EX_SERVED, "free: is 100 pages and its free blocks are 720" },
		{ AGAIN_HEAD ZONE("Normal", "2880", "400", "", "1000000") AGAIN_RESERVE
		  "Node 0 Normal: 0*4kB 0*8kB 0*16kB 90*32kB (M)" REST "2880kB\n",
		  EX_SERVED_ALIKE, "is served by zone Normal of node 0, as the numbers say" },
		/* of all those set aside none are told */
		{ AGAIN_HEAD ZONE("Normal", "2880", "400", "reserved_highatomic:0KB", "1000000")
			  AGAIN_RESERVE "Node 0 Normal: 0*4kB 0*8kB 0*16kB 90*32kB (H)" REST
					"2880kB\n",
		  EX_FAILS_OTHERWISE, "reserved_highatomic is 1536 rebuilt, and 0 in the report" },
		/* old dialects: no managed pages, no letters, the reserve's letter */
		{ AGAIN_HEAD "Node 0 Normal free:1000kB min:400kB low:500kB high:600kB "
			     "present:1000000kB all_unreclaimable? no\n" AGAIN_RESERVE
			     "Node 0 Normal: 90*4kB 80*8kB 0*16kB 0*32kB" REST "1000kB\n",
		  EX_FAILS_ALIKE, "all present ones count" },
		{ AGAIN_HEAD AGAIN_ZONE AGAIN_RESERVE
		  "Node 0 Normal: 90*4kB (UR) 80*8kB (M) 0*16kB 0*32kB" REST "1000kB\n",
		  EX_FAILS_ALIKE, "blocks of the reserve (R)" },
		/* what is missing or cannot be */
		{ AGAIN_HEAD AGAIN_ZONE AGAIN_RESERVE, EX_NOT_REBUILT,
		  "log:4: zone Normal of node 0: expected the zone's free blocks" },
		{ AGAIN_HEAD AGAIN_BLOCKS, EX_NOT_REBUILT,
		  "log:4: zone Normal of node 0: expected present: and managed:" },
		{ AGAIN_HEAD, EX_NOT_REBUILT, "log:3: expected a line \"Node 0 DMA free:" },
		{ BANNER FAILED("3", "0xcc0(GFP_KERNEL)"), EX_NOT_REBUILT,
		  "log:2: expected Mem-Info and the zones' lines after the failure" },
		{ AGAIN_HEAD AGAIN_ZONE AGAIN_RESERVE
		  "Node 0 Normal: 250001*4kB (U) 0*8kB 0*16kB 0*32kB" REST "1000004kB\n",
		  EX_NOT_REBUILT,
		  "log:6: zone Normal of node 0: expected free blocks that are no "
		  "more than the managed pages" },
		{ AGAIN_HEAD AGAIN_ZONE AGAIN_RESERVE
		  "Node 0 Normal: 18446744073709551615*4kB (U) 0*8kB 0*16kB 0*32kB" REST "4kB\n",
		  EX_NOT_REBUILT, "expected free blocks that are no more" },
		{ AGAIN_HEAD AGAIN_ZONE AGAIN_RESERVE
		  "Node 0 Normal: 2*4kB (UME) 0*8kB 0*16kB 0*32kB" REST "8kB\n",
		  EX_NOT_REBUILT, "as many free blocks of an order as it has mobilities" },
		{ AGAIN_HEAD AGAIN_ZONE AGAIN_RESERVE
		  "Node 0 Normal: 250*4kB (I) 0*8kB 0*16kB 0*32kB" REST "1000kB\n",
		  EX_NOT_REBUILT, "all of U, M, E, H and C" },
		{ AGAIN_HEAD AGAIN_ZONE AGAIN_RESERVE "Node 0 Normal: 250*4kB (U) = 1000kB\n",
		  EX_NOT_REBUILT, "expected free blocks of 6 to 19 orders" },
		{ AGAIN_HEAD ZONE("Normal", "1000", "400", "", "99999999999999")
			  AGAIN_RESERVE AGAIN_BLOCKS,
		  EX_NOT_REBUILT, "no more pages or free blocks than can be rebuilt" },
		{ AGAIN_HEAD ZONE("Normal", "960", "400", "", "1000") AGAIN_RESERVE
		  "Node 0 Normal: 240*4kB (U) 0*8kB 0*16kB 0*32kB" REST "960kB\n",
		  EX_NOT_REBUILT, "without touching their buddies" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		start(cases[i].log, NULL);
		again(cases[i].again, cases[i].says);
		done();
	}
}

/* Only the nodes that a request may use are rebuilt; allowing the others is tried. */
static void rebuilt_nodes(void **state)
{
	start(BANNER "app: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL), nodemask=0,"
		     "cpuset=/,mems_allowed=0-1\nMem-Info:\n"
		     "Node 0 Normal free:400kB boost:0kB min:400kB low:500kB high:600kB "
		     "present:100000kB managed:90000kB free_pcp:0kB free_cma:0kB\n" AGAIN_RESERVE
		     "Node 1 Normal free:4000kB boost:0kB min:400kB low:500kB high:600kB "
		     "present:100000kB managed:90000kB free_pcp:0kB free_cma:0kB\n" AGAIN_RESERVE
		     "Node 0 Normal: 100*4kB (U) 0*8kB 0*16kB 0*32kB" REST "400kB\n"
		     "Node 1 Normal: 1000*4kB (M) 0*8kB 0*16kB 0*32kB" REST "4000kB\n",
	      NULL);
	again(EX_FAILS_ALIKE, "allow other nodes: zone Normal of node 1 would serve it; verified, "
			      "zone Normal of node 1 served it");
	assert_int_equal(only()->rebuilt->zones.n, 1);
	done();
}

static void words(void **state)
{
	for (int c = 0; c < EX_CAUSES; c++)
		assert_string_not_equal(explain_cause_name((enum ex_cause)c), "?");
	assert_string_equal(explain_cause_name(EX_CAUSES), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(used_up),	 cmocka_unit_test(other_causes),
		cmocka_unit_test(unmanaged),	 cmocka_unit_test(nodes),
		cmocka_unit_test(missing),	 cmocka_unit_test(contradicting),
		cmocka_unit_test(several),	 cmocka_unit_test(hostile),
		cmocka_unit_test(cpusets),	 cmocka_unit_test(dialects),
		cmocka_unit_test(words),	 cmocka_unit_test(rebuilt),
		cmocka_unit_test(rebuilt_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
