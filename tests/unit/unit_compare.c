/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * physzone compare policies: streams, generated and recorded, and what each policy makes of
 * streams whose outcome is known beforehand; sums against the stream's own; wrong input.
 */
#include "start_run.h"

#include "compare/compare.h"
#include "compare/pfn_map.h"
#include "compare/plot.h"
#include "compare/random.h"

const char *run_machines;

#define MIB UINT64_C(0x100000)
#define BITS(n) ((UINT64_C(1) << (n)) - 1)

static void numbers_in_range(void **state)
{
	struct rnd r = rnd_seed(1), again = rnd_seed(1);
	uint64_t seen = 0;

	(void)state;
	for (unsigned int i = 0; i < 20000; i++) {
		uint64_t low = 1 + rnd_below(&r, 5000), high = low + rnd_below(&r, 1u << (i % 20));
		uint64_t v = rnd_scale(&r, low, high);

		assert_in_range(v, low, high);
		assert_true(rnd_scale(&r, high, high) == high);
	}
	for (unsigned int i = 0; i < 2000; i++)
		seen |= UINT64_C(1) << rnd_scale(&again, 1, 9);
	assert_true(seen == 0x3fe);
	assert_true(rnd_scale(&again, UINT64_MAX, UINT64_MAX) == UINT64_MAX);
}

/* Against an array, at a load at which slots collide. */
static void page_frames_found(void **state)
{
	uint32_t want[512] = { 0 };
	struct pfn_map m = { NULL, 0, 0 };
	struct rnd r = rnd_seed(5);

	(void)state;
	for (unsigned int i = 0; i < 100000; i++) {
		uint64_t pfn = rnd_below(&r, 512);
		uint32_t v = 0;

		switch (rnd_below(&r, 3)) {
		case 0:
			pfn_map_set(&m, pfn << 33, i + 1);
			want[pfn] = i + 1;
			break;
		case 1:
			pfn_map_remove(&m, pfn << 33);
			want[pfn] = 0;
			break;
		default:
			assert_int_equal(pfn_map_get(&m, pfn << 33, &v), want[pfn] != 0);
			assert_int_equal(v, want[pfn]);
		}
	}
	for (uint64_t pfn = 0; pfn < 512; pfn++)
		pfn_map_remove(&m, pfn << 33);
	assert_int_equal(m.n, 0);
	pfn_map_destroy(&m);
}

static void mix_of(struct mix *m, const char *text)
{
	char *err = NULL;

	if (mix_parse(m, MIX_PAGES, text, strlen(text), "test", &err))
		fail_msg("%s", err);
}

static void wrong_mixes(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "test: expected a mix with a number of steps" },
		{ "steps 10\n", "test: expected a mix with a class" },
		{ "steps 0\n", "test:1: expected steps from 1 to 10000000, found \"steps 0\"" },
		{ "steps 10 11\n", "test:1: expected the end of the line" },
		{ "# all\n\nstep 10\n", "test:3: expected name, steps, fill or class" },
		{ "domains 2\n", "test:1: expected name, steps, fill or class" },
		{ "name\n", "test:1: expected a name" },
		{ "fill 101% 4K\n", "test:1: expected a level from 0% to 100%" },
		{ "fill 50% 8M\n", "test:1: expected a size from 1 to 4M" },
		{ "fill 50% 8K-4K\n", "test:1: expected a size from 1 to 4M" },
		{ "fill 50% 4K bits 3\n", "test:1: expected life or during" },
		{ "fill 50% 4K life 0\n", "test:1: expected steps from 1 to 10000000, or" },
		{ "fill 50% 4K during 50%-50%\n", "test:1: expected two percentages" },
		{ "class\n", "test:1: expected the name of the class" },
		{ "class a size 4K\n", "test:1: expected a weight (weight N)" },
		{ "class a weight 3\n", "test:1: expected a size (size 4K-64K)" },
		{ "class a weight 0 size 4K\n", "test:1: expected a weight from 1 to 1000000" },
		{ "class a weight 1 size 4K bits 65\n", "test:1: expected address lines from 1" },
		{ "class a weight 1 size 4K atomic 5\n", "test:1: expected a percentage" },
		{ "class a weight 1 size 4Kx\n", "test:1: expected a size from 1 to 4M" },
		{ "class a weight 1 size 99999999999999999999\n", "test:1: expected a size" },
		{ "class a weight 1 size 4K hot\n", "test:1: expected weight, size, bits, life" },
		{ "class a weight 1 size 4K movable bits 24\n", "test:1: expected movable pages" },
	};
	struct mix m;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *err = NULL;

		if (mix_parse(&m, MIX_PAGES, cases[i].text, strlen(cases[i].text), "test", &err) !=
			    EXIT_INPUT ||
		    strncmp(err, cases[i].why, strlen(cases[i].why)) || strchr(err, '\n'))
			fail_msg("'%s': '%s', expected '%s'", cases[i].text, err ? err : "",
				 cases[i].why);
		mix_destroy(&m);
		free(err);
	}
}

/* Each request is asked for once and given back once, later; none is larger than was stated. */
static void stream_holds(const struct stream *s)
{
	uint8_t *seen = xcalloc(s->requests.n, 1);

	assert_int_equal(s->events.n, 2 * s->requests.n);
	for (size_t i = 0; i < s->events.n; i++) {
		uint32_t id = s->events.v[i] & ~STREAM_FREE;

		assert_true(id < s->requests.n);
		assert_int_equal(seen[id]++, s->events.v[i] & STREAM_FREE ? 1 : 0);
		assert_in_range(s->requests.v[id].pages, 1, 1024);
		assert_true(s->requests.v[id].class < s->classes.n);
	}
	free(seen);
}

static void streams_alike(void **state)
{
	struct stream a, b, c;
	char *err = NULL;
	struct mix m;

	(void)state;
	for (const char *const *name = mix_names(MIX_PAGES); *name; name++) {
		assert_int_equal(mix_read(&m, MIX_PAGES, *name, &err), 0);
		assert_string_equal(m.name, *name);
		m.steps = 3000;
		assert_int_equal(stream_generate(&a, &m, 4, 50000, 12, &err), 0);
		assert_int_equal(stream_generate(&b, &m, 4, 50000, 12, &err), 0);
		assert_int_equal(stream_generate(&c, &m, 5, 50000, 12, &err), 0);
		stream_holds(&a);
		stream_holds(&c);
		assert_int_equal(a.events.n, b.events.n);
		assert_memory_equal(a.events.v, b.events.v, a.events.n * sizeof(*a.events.v));
		for (size_t i = 0; i < a.requests.n; i++) {
			assert_int_equal(a.requests.v[i].pages, b.requests.v[i].pages);
			assert_int_equal(a.requests.v[i].class, b.requests.v[i].class);
			assert_int_equal(a.requests.v[i].atomic, b.requests.v[i].atomic);
		}
		assert_true(a.events.n != c.events.n ||
			    memcmp(a.events.v, c.events.v, a.events.n * sizeof(*a.events.v)));
		stream_destroy(&a);
		stream_destroy(&b);
		stream_destroy(&c);
		mix_destroy(&m);
	}
}

/* The level that is filled up to is reached, and passed by the single pages of class a only. */
static void streams_fill(void **state)
{
	uint64_t used = 0, most = 0;
	char *err = NULL;
	struct stream s;
	struct mix m;

	(void)state;
	mix_of(&m, "steps 100\nfill 40% 4K-1M\nfill 80% 4K-64K life 5-10 during 50%-60%\n"
		   "class a weight 1 size 4K life 1-9\n");
	assert_int_equal(stream_generate(&s, &m, 1, 10000, 12, &err), 0);
	for (size_t i = 0; i < s.events.n; i++) {
		uint64_t pages = s.requests.v[s.events.v[i] & ~STREAM_FREE].pages;

		used += s.events.v[i] & STREAM_FREE ? -pages : pages;
		most = used > most ? used : most;
	}
	assert_int_equal(used, 0);
	assert_in_range(most, 8000, 8009);
	stream_destroy(&s);
	mix_destroy(&m);
}

static uint32_t ask(struct stream *s, unsigned int bits, bool movable, uint64_t pages, bool atomic)
{
	struct stream_request *r = vec_push(&s->requests);

	r->class = stream_class(s, bits ? pz_limits_bits(bits).max_addr : PZ_ADDR_MAX, movable,
				bits != 0);
	r->pages = pages;
	r->atomic = atomic;
	*vec_push(&s->events) = (uint32_t)(s->requests.n - 1);
	return (uint32_t)(s->requests.n - 1);
}

static void give_all_back(struct stream *s)
{
	for (uint32_t i = 0; i < s->requests.n; i++)
		*vec_push(&s->events) = i | STREAM_FREE;
}

static void run_all(struct compare_run runs[COMPARE_POLICIES], const struct stream *s,
		    uint64_t bytes, const struct compare_settings *set)
{
	struct compare_machine m;
	char *err = NULL;

	assert_int_equal(compare_machine_pc(&m, bytes, &err), 0);
	for (int i = 0; i < COMPARE_POLICIES; i++)
		if (compare_run(&runs[i], &m, s, (enum compare_policy)i, set, &err))
			fail_msg("%s", err);
	compare_machine_destroy(&m);
}

static void done_all(struct compare_run runs[COMPARE_POLICIES], struct stream *s)
{
	for (int i = 0; i < COMPARE_POLICIES; i++)
		compare_run_destroy(&runs[i]);
	stream_destroy(s);
}

static const struct compare_settings plain_settings = { 0, 0 };

/*
 * 8 GiB; five devices that reach 256 MiB ask for 4 MiB each while nothing else is in use. Memory
 * below 4 GiB is given from its top, out of their reach; the second try is ZONE_DMA, which has
 * room for some of them. A ZONE_LIMITED of 256 MiB has room for all.
 */
static void a_limit_between_zones(void **state)
{
	static const struct compare_settings at_28 = { BITS(28), 0 };
	struct compare_run runs[COMPARE_POLICIES];
	struct stream s = { 0 };
	uint64_t first;

	(void)state;
	for (int i = 0; i < 5; i++)
		(void)ask(&s, 28, false, 1024, false);
	give_all_back(&s);
	run_all(runs, &s, 8192 * MIB, &at_28);
	first = runs[COMPARE_ZONES].served;
	assert_in_range(first, 1, 3);
	assert_int_equal(runs[COMPARE_ZONES].count.v[0].why[COMPARE_MISSED], 5 - first);
	assert_int_equal(runs[COMPARE_LIMITED].served, 5);
	assert_int_equal(runs[COMPARE_PHYSZONE].served, 5);
	/* Under the area's policy it has 14 MiB, for three. */
	assert_int_equal(runs[COMPARE_CMA].served, 3);
	for (int i = 0; i < COMPARE_POLICIES; i++)
		assert_int_equal(runs[i].moved, 0);
	done_all(runs, &s);
}

/*
 * 64 MiB, filled by movable blocks of 64 KiB to the last that are served. Then a device that
 * reaches 16 MiB asks for 1 MiB: where pages are moved for it the number is exact.
 */
static void movable_pages_make_room(void **state)
{
	struct compare_run runs[COMPARE_POLICIES];
	const struct compare_run *cma = &runs[COMPARE_CMA], *plain = &runs[COMPARE_PHYSZONE];
	struct stream s = { 0 };
	uint32_t n = 0;

	(void)state;
	for (; n < 1000; n++)
		(void)ask(&s, 0, true, 16, false);
	/* Some come free, outside the area, which was filled first: room for what is moved. */
	for (uint32_t i = 400; i < 464; i++)
		*vec_push(&s.events) = i | STREAM_FREE;
	(void)ask(&s, 24, false, 256, false);
	(void)ask(&s, 24, false, 256, true);
	for (uint32_t i = 0; i < s.requests.n; i++)
		if (i < 400 || i >= 464)
			*vec_push(&s.events) = i | STREAM_FREE;
	run_all(runs, &s, 64 * MIB, &plain_settings);
	assert_int_equal(s.classes.n, 2);
	assert_int_equal(cma->count.v[1].asked, 2);
	assert_int_equal(cma->count.v[1].served, 1);
	assert_int_equal(cma->count.v[1].why[COMPARE_WAIT], 1);
	assert_in_range(cma->moved, 128, 256);
	assert_int_equal(cma->moved, cma->moves * 16);
	/* Movable pages have filled ZONE_DMA, and nothing is moved out of it. */
	assert_int_equal(runs[COMPARE_ZONES].count.v[1].why[COMPARE_FULL], 2);
	assert_int_equal(runs[COMPARE_ZONES].moved, 0);
	/* What is kept for limits serves them at the price of requests without one. */
	assert_int_equal(plain->count.v[1].served, 2);
	assert_int_equal(plain->moved, 0);
	assert_in_range(plain->kept, 2000, 2048);
	assert_true(plain->count.v[0].served < runs[COMPARE_ZONES].count.v[0].served);
	done_all(runs, &s);
}

static void out_of_everyones_reach(void **state)
{
	struct compare_run runs[COMPARE_POLICIES];
	struct stream s = { 0 };

	(void)state;
	(void)ask(&s, 12, false, 1, false); /* only page 0, which nobody has */
	(void)ask(&s, 24, false, 1024, true);
	(void)ask(&s, 64, false, 1024, true);
	give_all_back(&s);
	run_all(runs, &s, 512 * MIB, &plain_settings);
	for (int i = 0; i < COMPARE_POLICIES; i++) {
		assert_int_equal(runs[i].count.v[0].served, 0);
		assert_int_equal(runs[i].count.v[0].why[COMPARE_NEVER], 1);
		assert_int_equal(runs[i].count.v[2].served, 1);
		assert_int_equal(runs[i].count.v[2].atomic_served, 1);
	}
	assert_int_equal(runs[COMPARE_ZONES].count.v[1].served, 1);
	assert_int_equal(runs[COMPARE_PHYSZONE].count.v[1].served, 1);
	assert_int_equal(runs[COMPARE_CMA].count.v[1].why[COMPARE_WAIT], 1);
	done_all(runs, &s);
}

/* What a run counts, against the stream itself. */
static void sums_hold(const struct compare_run *r, const struct stream *s)
{
	uint64_t asked[16] = { 0 }, pages[16] = { 0 }, atomic[16] = { 0 }, served = 0, failed = 0;
	uint64_t used = 0, most = 0;

	assert_in_range(s->classes.n, 1, 16);
	for (size_t i = 0; i < s->requests.n; i++) {
		const struct stream_request *q = &s->requests.v[i];

		asked[q->class]++;
		pages[q->class] += q->pages;
		atomic[q->class] += q->atomic;
	}
	for (size_t i = 0; i < s->events.n; i++) {
		uint64_t n = s->requests.v[s->events.v[i] & ~STREAM_FREE].pages;

		used += s->events.v[i] & STREAM_FREE ? -n : n;
		most = used > most ? used : most;
	}
	assert_int_equal(r->count.n, s->classes.n);
	for (size_t c = 0; c < s->classes.n; c++) {
		const struct compare_count *n = &r->count.v[c];
		uint64_t why = 0;

		assert_int_equal(n->asked, asked[c]);
		assert_int_equal(n->pages_asked, pages[c]);
		assert_int_equal(n->atomic_asked, atomic[c]);
		for (int w = 0; w < COMPARE_WHYS; w++)
			why += n->why[w];
		assert_int_equal(n->served + why, n->asked);
		assert_true(n->atomic_served <= n->atomic_asked);
		assert_true(n->pages_served <= n->pages_asked);
		assert_true(n->served < n->asked || n->pages_served == n->pages_asked);
		assert_true(n->idle_most * why >= n->idle);
		served += n->served;
		failed += why;
	}
	assert_int_equal(r->served, served);
	assert_int_equal(r->failed, failed);
	assert_true(r->asked_most <= most && r->asked_most <= r->most);
	assert_true(failed || r->asked_most == most);
	assert_true(r->moved >= r->moves);
	/* Lengths are rounded up by zones only. */
	assert_true(r->policy != COMPARE_PHYSZONE || r->most == r->asked_most);
	for (size_t i = 1; i < r->samples.n; i++) {
		assert_true(r->samples.v[i].failed >= r->samples.v[i - 1].failed);
		assert_true(r->samples.v[i].moved >= r->samples.v[i - 1].moved);
	}
	assert_in_range(r->samples.n, 1, COMPARE_SAMPLES);
}

static void sums_and_repeats(void **state)
{
	/* One that has room for all, and two that are short of memory. */
	static const struct {
		const char *mix;
		unsigned int steps;
		uint64_t bytes;
	} cases[] = {
		{ "desktop", 3000, 2048 * MIB },
		{ "kdump", 2000, 48 * MIB },
		{ "board", 200, 96 * MIB },
	};
	struct compare_run runs[COMPARE_POLICIES], again[COMPARE_POLICIES];
	char *err = NULL;
	struct stream s;
	struct mix m;

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		struct compare_machine pc;

		assert_int_equal(compare_machine_pc(&pc, cases[k].bytes, &err), 0);
		assert_int_equal(mix_read(&m, MIX_PAGES, cases[k].mix, &err), 0);
		m.steps = cases[k].steps;
		assert_int_equal(stream_generate(&s, &m, k, pc.managed, 12, &err), 0);
		run_all(runs, &s, cases[k].bytes, &plain_settings);
		run_all(again, &s, cases[k].bytes, &plain_settings);
		for (int i = 0; i < COMPARE_POLICIES; i++) {
			sums_hold(&runs[i], &s);
			assert_memory_equal(runs[i].count.v, again[i].count.v,
					    s.classes.n * sizeof(*runs[i].count.v));
			assert_int_equal(runs[i].moved, again[i].moved);
			assert_int_equal(runs[i].most, again[i].most);
			assert_int_equal(runs[i].samples.n, again[i].samples.n);
			assert_memory_equal(runs[i].samples.v, again[i].samples.v,
					    runs[i].samples.n * sizeof(*runs[i].samples.v));
			assert_true(!k || runs[i].failed);
			compare_run_destroy(&again[i]);
		}
		done_all(runs, &s);
		mix_destroy(&m);
		compare_machine_destroy(&pc);
	}
}

static const char recorded[] =
	"# tracer: nop\n"
	"   insmod-71 [000] ..... 3.1: mm_page_alloc: page=00000000ab pfn=0x400 order=2 "
	"migratetype=0 gfp_flags=GFP_KERNEL|GFP_DMA\n"
	"   bash-72 [000] ..... 3.2: mm_page_alloc: page=00000000ac pfn=0x12345 order=0 "
	"migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE|__GFP_ZERO\n"
	"kmem:mm_page_alloc: page=0xffffea0000 pfn=74566 order=0 migratetype=0 "
	"gfp_flags=GFP_ATOMIC|GFP_DMA32\n"
	"   bash-72 [000] ..... 3.3: mm_page_free: page=00000000ab pfn=0x401 order=0\n"
	"   bash-72 [000] ..... 3.3: mm_page_free_batched: page=00000000ab pfn=0x402 order=0\n"
	"   bash-72 [000] ..... 3.4: mm_page_free: page=00000000aa pfn=0x99 order=3\n"
	"   bash-72 [000] ..... 3.5: mm_page_alloc: page=0000000000000000 pfn=0x0 order=4 "
	"migratetype=0 gfp_flags=GFP_KERNEL\n"
	"   bash-72 [000] ..... 3.6: mm_page_alloc: page=00000000ac pfn=0x12345 order=0 "
	"migratetype=0 gfp_flags=GFP_NOWAIT\n"
	"   bash-72 [000] ..... 3.7: mm_page_free: page=00000000ab pfn=0x400 order=0\n"
	"   bash-72 [000] ..... 3.7: mm_page_free: page=00000000ab pfn=0x402 order=1\n";

static void recorded_stream(void **state)
{
	/* Asked for and given back, in this order; what is left comes back at the end. */
	static const uint32_t want[] = { 0,
					 1,
					 2,
					 3,
					 3 | STREAM_FREE,
					 1 | STREAM_FREE,
					 4,
					 0 | STREAM_FREE,
					 2 | STREAM_FREE,
					 4 | STREAM_FREE };
	char *file = run_file(recorded), *err = NULL;
	struct stream s;

	(void)state;
	if (stream_record(&s, file, PZL_LINUX_6_1, BITS(24), &err))
		fail_msg("%s", err);
	stream_holds(&s);
	assert_int_equal(s.requests.n, 5);
	assert_int_equal(s.events.n, 10);
	for (size_t i = 0; i < 10; i++) {
		/* A block that is lost comes back just before its page is taken again. */
		assert_int_equal(s.events.v[i], want[i]);
	}
	assert_int_equal(s.failed, 1);
	assert_int_equal(s.early, 8);
	assert_int_equal(s.lost, 1);
	assert_int_equal(s.ignored, 1);
	assert_int_equal(s.requests.v[0].pages, 4);
	assert_int_equal(s.classes.v[s.requests.v[0].class].max_addr, BITS(24));
	assert_true(s.classes.v[s.requests.v[1].class].movable);
	assert_int_equal(s.classes.v[s.requests.v[2].class].max_addr, BITS(32));
	assert_true(s.requests.v[2].atomic && s.requests.v[4].atomic);
	assert_false(s.requests.v[0].atomic || s.requests.v[1].atomic || s.requests.v[3].atomic);
	stream_destroy(&s);
	unlink(file);
	free(file);
}

/*
 * What a Debian kernel asked for in seconds: 512 MiB, drivers for disks, network and sound, a few
 * programs. The numbers are counted from the recording by other means.
 */
static void recorded_by_a_kernel(void **state)
{
	struct compare_run runs[COMPARE_POLICIES];
	uint64_t limited = 0, movable = 0, atomic = 0, pages = 0;
	char *file = xasprintf("%s/../tests/golden/data/kmem-6.1-512M.trace.xz", run_machines);
	char *err = NULL;
	struct stream s;

	(void)state;
	if (stream_record(&s, file, PZL_LINUX_6_1, BITS(24), &err))
		fail_msg("%s", err);
	stream_holds(&s);
	assert_int_equal(s.failed, 0);
	assert_int_equal(s.lost, 0);
	assert_int_equal(s.ignored, 0);
	for (size_t i = 0; i < s.requests.n; i++) {
		const struct stream_request *q = &s.requests.v[i];

		limited += s.classes.v[q->class].max_addr == BITS(32);
		movable += s.classes.v[q->class].movable;
		atomic += q->atomic;
		pages += q->pages;
	}
	assert_int_equal(s.requests.n, 3243);
	assert_int_equal(limited, 14);
	assert_int_equal(movable, 1978);
	assert_int_equal(atomic, 114);
	assert_int_equal(pages, 3762);
	assert_int_equal(s.early, 3429);
	run_all(runs, &s, 512 * MIB, &plain_settings);
	for (int i = 0; i < COMPARE_POLICIES; i++) {
		sums_hold(&runs[i], &s);
		assert_int_equal(runs[i].failed, 0);
	}
	done_all(runs, &s);
	free(file);
}

static void trace_refused(const char *text, const char *why)
{
	char *file = run_file(text), *line, *want;
	struct run r;

	line = xasprintf("compare policies --memory 64M --trace %s", file);
	want = xasprintf("%s%s", file, why);
	r = run(line);
	if (r.rc != EXIT_INPUT || strncmp(r.err, want, strlen(want)) || strchr(r.err, '\n'))
		fail_msg("'%s': status %d, '%s', expected '%s'", text, r.rc, r.err, want);
	assert_string_equal(r.text, "");
	run_done(&r);
	free(line);
	free(want);
	unlink(file);
	free(file);
}

#define ALLOC_WANTED \
	": expected mm_page_alloc: page=P pfn=0xN order=N migratetype=N gfp_flags=FLAGS"

static void wrong_recordings(void **state)
{
	(void)state;
	trace_refused("hello\n", ": expected lines such as \"mm_page_alloc: ");
	trace_refused("mm_page_free: page=1 pfn=0x1 order=0\n", ": expected lines such as");
	trace_refused("#\nmm_page_alloc: page=1 pfn=0x1 order=0 migratetype=0\n",
		      ":2" ALLOC_WANTED);
	trace_refused("mm_page_alloc: page=1 pfn=0x1 order=19 migratetype=0 gfp_flags=GFP_KERNEL\n",
		      ":1" ALLOC_WANTED);
	trace_refused("mm_page_alloc: page=1 pfn=0x1 order=0 migratetype=0 gfp_flags=GFP_NONE\n",
		      ":1" ALLOC_WANTED);
	trace_refused("mm_page_alloc: page=1 pfn=0xffffffffffffffff order=0 migratetype=0 "
		      "gfp_flags=GFP_KERNEL\n",
		      ":1" ALLOC_WANTED);
	trace_refused("mm_page_free: page=1 pfn=0x1 order=0 x\n",
		      ":1: expected mm_page_free: page=P pfn=0xN order=N, found \"");
}

static void on_the_command_line(void **state)
{
	struct run r = run("compare policies --memory 256M --mix kdump"), again;

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "Policies on a PC of 256 MiB\n");
	run_has(&r, "requests served");
	run_has(&r, "stranded");
	run_has(&r, "pages moved");
	again = run("compare --memory 256M policies --seed 1 --mix kdump");
	assert_string_equal(r.text, again.text);
	run_done(&again);
	again = run("compare policies --memory 256M --mix kdump --seed 2");
	assert_string_not_equal(r.text, again.text);
	run_done(&again);
	run_done(&r);
	r = run("compare policies --mix kdump @x86_64/6.1-kdump-256M");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "no place for an area below 16M");
	run_done(&r);
	r = run("compare policies --mix kdump --cma 4M --limit 64M @i386/6.1-686-pc-2G");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "limited   Limited ");
	run_has(&r, "of it an area of 4 MiB at ");
	run_has_not(&r, "do not fit");
	run_done(&r);
	r = run("compare policies --mix kdump --json @arm64/6.1-raspi4b-960M");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "\"policy\": \"physzone\"");
	run_done(&r);
}

static void pictures(void **state)
{
	struct run r = run("compare policies --memory 512M --mix kdump --svg -"), again;
	unsigned int curves = 0;

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	assert_true(r.text == run_has(&r, "<?xml "));
	/* Four panels and the legend, each with a curve for each policy. */
	for (const char *p = r.text; (p = strstr(p, "class=\"s s")); p++)
		curves++;
	assert_int_equal(curves, 4 * 4 + 4);
	run_has(&r, "Free memory below 16M");
	run_has(&r, "requests made and given back");
	assert_non_null(strstr(r.text, "</svg>\n"));
	run_has_not(&r, "nan");
	run_has_not(&r, "inf");
	again = run("compare policies --memory 512M --mix kdump --svg -");
	assert_string_equal(r.text, again.text);
	run_done(&again);
	run_done(&r);
	r = run("compare policies --memory 64M --mix kdump --svg /nonexistent/x.svg");
	assert_int_equal(r.rc, EXIT_UNDECIDED);
	assert_non_null(strstr(r.err, "/nonexistent/x.svg: cannot write: "));
	assert_string_equal(r.text, "");
	run_done(&r);
}

/* Nothing, one value, all zero, and values at the ends of the scale. */
static void plots_of_little(void **state)
{
	static const double values[][3] = { { 0, 0, 0 }, { 0, 5, 10 }, { 1e9, 3, 4294967296.0 } };
	struct plot_panel *single;
	struct plot p = { .title = "<a & b>", .subtitle = "", .axis = "x", .series = 2 };
	struct out o;

	(void)state;
	p.name[0] = "one";
	p.name[1] = "two \"2\"";
	(void)plot_panel(&p, "empty", PLOT_COUNT);
	single = plot_panel(&p, "single", PLOT_BYTES);
	*vec_push(&single->series[1].v) = 7;
	for (size_t i = 0; i < 3; i++) {
		struct plot_panel *q = plot_panel(&p, "some", i == 2 ? PLOT_BYTES : PLOT_COUNT);

		for (size_t k = 0; k < 3; k++)
			*vec_push(&q->series[0].v) = values[i][k];
	}
	for (int end = 0; end < 2; end++) {
		p.end = end ? 123456 : 0;
		out_init(&o, NULL);
		plot_svg(&o, &p);
		assert_non_null(strstr(out_text(&o), "<title>&lt;a &amp; b&gt;</title>"));
		assert_non_null(strstr(out_text(&o), "two &quot;2&quot;"));
		assert_null(strstr(out_text(&o), "nan"));
		assert_null(strstr(out_text(&o), "inf"));
		assert_null(strstr(out_text(&o), "-0.0"));
		/* The highest value stands below its scale's top, which is the next round one. */
		assert_non_null(strstr(out_text(&o), ">10</text>"));
		assert_non_null(strstr(out_text(&o), ">4 GiB</text>"));
		out_destroy(&o);
	}
	plot_destroy(&p);
}

/* A stream that asks for nothing has no answer, and words keep to the columns. */
static void small_streams(void **state)
{
	char *file = run_file("steps 10\nclass a weight 1 size 4K during 99%-100%\n"), *line;
	struct run r;

	(void)state;
	line = xasprintf("compare policies --memory 64M --mix %s", file);
	r = run(line);
	assert_int_equal(r.rc, EXIT_INPUT);
	assert_non_null(strstr(r.err, "expected requests, made none"));
	run_done(&r);
	free(line);
	unlink(file);
	free(file);
	/* An area lies where ZONE_DMA did: what does not fit there is told. */
	r = run("compare policies --memory 64M --mix kdump --cma 256M --width 200");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "an area of 14 MiB at 2M; 256 MiB do not fit below 16M\n");
	run_done(&r);
	file = run_file(
		"mm_page_alloc: page=1 pfn=0x1 order=0 migratetype=0 gfp_flags=GFP_DMA\nx\n");
	line = xasprintf("compare policies --memory 64M --width 40 --trace %s", file);
	r = run(line);
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "  recorded  0 requests failed then, 0\n            pages came back");
	for (const char *p = r.text, *end; p && strncmp(p, "\n\n", 2); p = end) {
		end = strchr(p + 1, '\n');
		assert_true(end && end - p - 1 <= 40);
	}
	run_done(&r);
	free(line);
	unlink(file);
	free(file);
}

static void wrong_usage(void **state)
{
	struct run r;

	(void)state;
	run_refused("compare", "nothing to compare given: policies");
	run_refused("compare polices", "did you mean 'policies'?");
	run_refused("compare shoes", "nothing to compare called 'shoes'");
	run_refused("compare policies --memory 1", "--memory wants an amount from 16M to 16T");
	run_refused("compare policies --memory 8G x", "--memory makes a machine up; x is one");
	run_refused("compare policies --memory 8G --live", "--live is one too many");
	run_refused("compare policies --mix a --trace b", "--mix and --trace both say");
	run_refused("compare policies --mix dekstop", "did you mean 'desktop'?");
	run_refused("compare policies --mix media", "no mix 'media': expected desktop, kdump");
	run_refused("compare policies --seed x", "--seed wants a number");
	run_refused("compare policies --cma 0", "--cma wants a size such as 16M");
	run_refused("compare policies --limit 512K", "ZONE_LIMITED ends at 1 MiB or above");
	run_refused("compare policies --limit x", "--limit wants an address");
	run_refused("compare policies --bits 24 --limit 1G", "one end of ZONE_LIMITED; '1G'");
	run_refused("compare policies a b", "one SOURCE at a time; 'b' is one too many");
	run_refused("compare policies --json --svg -", "both want standard output");
	run_refused("compare policies --window 1G-2G", "does not belong to 'physzone compare'");
	run_refused("compare policies --trace - -", "SOURCE and --trace - both want");
	run_refused("compare policies --mix - -", "SOURCE and --mix - both want");
	run_refused("compare policies --trace a --seed 1", "--seed is for a mix");
	/* What a made-up machine would pass over. */
	run_refused("compare policies --arch arm64", "--arch is for a machine that is read");
	run_refused("compare policies --memory 1G --cmdline mem=1G", "--cmdline is for a machine");
	run_refused("compare tables --boot 2", "--boot is for a machine that is read");
	run_refused("compare tables --capture kexec", "--capture is for a machine that is read");
	r = run("compare policies --mix ./none.mix");
	assert_int_equal(r.rc, EXIT_INPUT);
	assert_non_null(strstr(r.err, "./none.mix"));
	run_done(&r);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_in_range),
		cmocka_unit_test(page_frames_found),
		cmocka_unit_test(wrong_mixes),
		cmocka_unit_test(streams_alike),
		cmocka_unit_test(streams_fill),
		cmocka_unit_test(a_limit_between_zones),
		cmocka_unit_test(movable_pages_make_room),
		cmocka_unit_test(out_of_everyones_reach),
		cmocka_unit_test(sums_and_repeats),
		cmocka_unit_test(recorded_stream),
		cmocka_unit_test(recorded_by_a_kernel),
		cmocka_unit_test(wrong_recordings),
		cmocka_unit_test(on_the_command_line),
		cmocka_unit_test(pictures),
		cmocka_unit_test(plots_of_little),
		cmocka_unit_test(small_streams),
		cmocka_unit_test(wrong_usage),
	};

	run_machines = argc > 1 ? argv[1] : "machines";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
