/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explore_pages.c - the page allocator under every schedule of two or three threads.
 *
 * The steps are those of world.h. Levels of the allocator's state: a word holds 32 frames, so
 * orders 0 to 4 live inside one, 5 to 9 in a word of words, 10 and more above. Each machine has
 * just the frames that it takes for splits and merges to meet there.
 *
 * An argument picks the scenarios whose names contain it.
 */
#include "world.h"

#include <stdio.h>
#include <string.h>

#define PLAIN(n) { .frames = (n), .cpus = 3, .no_grouping = true }
#define GROUPED(n) { .frames = (n), .cpus = 3, .pageblock_order = 5 }
#define HOLDING(n) { .frames = (n), .cpus = 3, .no_grouping = true, .pcp_batch = 2, .pcp_high = 4 }
#define ZONELIST(n) { .frames = (n), .cpus = 3, .policy = PZ_POLICY_ZONELIST }
#define LATE(n, a, b) { .frames = (n), .cpus = 3, .no_grouping = true, .late = { (a), (b) } }

/* All but a few frames around the edge of two level-1 nodes are taken. */
#define EDGE "q=#1018<1017 a=#2>1020<1021 b=#3>1022<1024 c=#2>1026<1027 s=#28>1028"
#define SINGLES                                                                                    \
	"q=#1021<1020 a=0>1022<1022 b=0>1023<1023 d=0>1024<1024 c=0>1026<1026 s=#29>1027"

static const struct world_plan pages_plans[] = {
	/* --- inside a word --- */
	{ .name = "the last frame", .machine = PLAIN(1), .before = "",
	  .thread = { "a=0 -a", "b=0 -b" }, .bound = 2 },
	{ .name = "the last frame, warm", .machine = PLAIN(1), .before = "a=0 -a",
	  .thread = { "a=0 -a a=0", "b=0 -b b=0" }, .bound = 2 },
	{ .name = "three for the last frame", .machine = PLAIN(1), .before = "a=0 -a",
	  .thread = { "a=0 -a", "b=0 -b", "c=0 -c" }, .bound = 2, .bounded_only = true },
	{ .name = "two frames, singly and as a pair", .machine = PLAIN(2), .before = "",
	  .thread = { "a=0 -a b=1 -b", "c=0 -c d=1 -d" }, .bound = 2 },
	{ .name = "three for two frames", .machine = PLAIN(2), .before = "a=1",
	  .thread = { "-a b=0", "c=0", "d=1" }, .bound = 2, .bounded_only = true },
	{ .name = "neighbours meet in a word", .machine = PLAIN(32), .before = "a=3 b=3 c=4",
	  .thread = { "-a x=4 -x", "-b y=3 -y" }, .bound = 2 },
	{ .name = "a word full of single frames", .machine = PLAIN(4), .before = "a=0 b=0 c=0 d=0",
	  .thread = { "-a -b x=1", "-c -d y=1 -y" }, .bound = 2 },
	{ .name = "a frame that its CPU has told nobody of", .machine = PLAIN(32),
	  .before = "p=4 q=3 r=2 s=1 a=0 b=0 c=0 -a c=0 -b", .thread = { "-c x=0 -x", "y=0 -y" },
	  .bound = 1, .bounded_only = true },
	{ .name = "two others ask for frames that a CPU has told nobody of", .machine = PLAIN(32),
	  .before = "p=4 q=3 r=2 s=1 a=0 b=0 c=0 -a -b", .thread = { "", "x=0", "y=0" },
	  .bound = 2 },
	{ .name = "a free stops on its way up, another one is done", .machine = PLAIN(2048),
	  .before = "p=10 q=#1022 a=0 b=0 c=0", .thread = { "-a", "-b x=0" }, .no_cpu = true,
	  .bound = 2, .bounded_only = true },
	{ .name = "two such frames are asked for as a pair", .machine = PLAIN(33),
	  .before = "z=5 a=0 -a a=0", .thread = { "-z -a x=0", "y=5 -y" }, .bound = 1,
	  .bounded_only = true },
	{ .name = "a hint is corrected while a word comes and goes", .machine = PLAIN(32),
	  .before = "a=4 b=4", .thread = { "-a -b c=4 d=0 -d -c", "x=4 -x" }, .bound = 3,
	  .bounded_only = true },
	/* --- a word and the word above --- */
	{ .name = "split two words from above", .machine = PLAIN(64), .before = "",
	  .thread = { "a=0 -a", "b=5 -b" }, .bound = 2 },
	{ .name = "split against the whole", .machine = PLAIN(64), .before = "",
	  .thread = { "a=0 -a", "b=6 -b" }, .bound = 2 },
	{ .name = "split, again and merge", .machine = PLAIN(64), .before = "z=0 -z",
	  .thread = { "a=0 -a b=5 -b", "c=6 -c" }, .bound = 2 },
	{ .name = "two halves of a unit come back", .machine = PLAIN(64),
	  .before = "a=4 b=4 c=4 d=4", .thread = { "-a x=5", "-b y=0 -y" }, .bound = 2,
	  .bounded_only = true },
	{ .name = "three around a merge", .machine = PLAIN(32), .before = "a=4 b=4",
	  .thread = { "-a", "-b", "x=5 -x" }, .bound = 2, .bounded_only = true },
	{ .name = "merge against free in the same unit", .machine = PLAIN(64),
	  .before = "a=5 b=0 c=0", .thread = { "-b -c", "x=5 -x", NULL }, .bound = 2 },
	{ .name = "two merge at once", .machine = PLAIN(64), .before = "a=0 b=5 -a -b",
	  .thread = { "x=5 -x", "y=6 -y" }, .bound = 2 },
	{ .name = "two split at once", .machine = PLAIN(32), .before = "",
	  .thread = { "x=0 -x", "y=2 -y" }, .bound = 2 },
	/* --- two levels above --- */
	{ .name = "order 10 against a frame", .machine = PLAIN(2048), .before = "",
	  .thread = { "a=10 -a", "b=0 -b" }, .bound = 2, .bounded_only = true },
	{ .name = "order 11 against order 5", .machine = PLAIN(2048), .before = "z=5 -z",
	  .thread = { "a=11 -a", "b=5 -b" }, .bound = 2, .bounded_only = true },
	{ .name = "order 12 against a frame, warm", .machine = PLAIN(4096), .before = "z=0 -z",
	  .thread = { "a=12 -a", "b=0 -b" }, .bound = 1, .bounded_only = true },
	{ .name = "two halves of order 10 come back", .machine = PLAIN(1056),
	  .before = "a=9 b=9 c=5", .thread = { "-a x=10", "-b y=0 -y" },
	  .bound = 1, .bounded_only = true },
	/* --- lengths, limits --- */
	{ .name = "runs over several words", .machine = PLAIN(96), .before = "",
	  .thread = { "a=#40 -a", "b=#33 -b" }, .bound = 1, .bounded_only = true },
	{ .name = "a run against a frame", .machine = PLAIN(64), .before = "z=0 -z",
	  .thread = { "a=#33 -a", "b=0 -b c=0" }, .bound = 1, .bounded_only = true },
	{ .name = "the whole as a run", .machine = PLAIN(48), .before = "z=0",
	  .thread = { "-z a=#48", "b=4 -b" }, .bound = 1, .bounded_only = true },
	{ .name = "windows that overlap", .machine = PLAIN(64), .before = "z=0 -z",
	  .thread = { "a=0<31 -a b=4<47", "c=0>32 -c d=4>16" }, .bound = 2,
	  .bounded_only = true },
	/* --- bounds of runs: 1018, 1019 and 1025 are free, 1023 and 1024 lie in two nodes --- */
	{ .name = "a free makes the run that a search denies", .machine = PLAIN(1056),
	  .before = EDGE, .thread = { "x=#4", "-b" }, .bound = 1, .bounded_only = true },
	{ .name = "two searches deny the run that a free makes", .machine = PLAIN(1056),
	  .before = EDGE, .thread = { "x=#4 -x", "-b", "y=#4" }, .bound = 1,
	  .bounded_only = true },
	{ .name = "a bound is known and two frees make a run", .machine = PLAIN(1056),
	  .before = EDGE " x=#4", .thread = { "-a", "-b", "y=#8 -y z=#3" }, .bound = 1,
	  .bounded_only = true },
	{ .name = "single frames on both sides of two nodes", .machine = PLAIN(1056),
	  .before = SINGLES " x=#3", .thread = { "-b", "-d", "y=#3 -y x=#4" }, .bound = 2,
	  .bounded_only = true },
	{ .name = "a run grows while it is measured", .machine = PLAIN(1056), .before = SINGLES,
	  .thread = { "-b", "x=#3 y=#3" }, .bound = 2, .bounded_only = true },
	{ .name = "a word is split and merged under a run search", .machine = PLAIN(1056),
	  .before = "q=#1018<1017 x=#39", .thread = { "a=0>1030<1030 -a", "y=5>1024 -y", "z=#34" },
	  .bound = 1, .bounded_only = true },
	{ .name = "a large unit is merged under a run search", .machine = PLAIN(2080),
	  .before = "s=#32>2048 z=0<0 -z y=0>1024<1024", .thread = { "a=11", "x=#1500" },
	  .bound = 1, .bounded_only = true },
	{ .name = "a part of a block is freed under a run search", .machine = PLAIN(1056),
	  .before = "q=#1000<999 a=#56 x=#2", .thread = { "a/20+10 -a", "y=#9 z=#11" },
	  .bound = 1, .bounded_only = true },
	{ .name = "held frames make a run", .machine = HOLDING(64),
	  .before = "q=#56<55 a=0 b=0 c=0 x=#6", .thread = { "-a -b ~", "y=#7" }, .bound = 2,
	  .bounded_only = true },
	{ .name = "a pageblock is for all again under a run search",
	  .machine = { .frames = 1120, .cpus = 3, .pageblock_order = 5,
		       .policy = PZ_POLICY_ZONELIST },
	  .before = "q=#1060<1059 a=1h z=#61", .thread = { "x=#40", "y=#50", "-a" }, .bound = 1,
	  .bounded_only = true },
	{ .name = "a pageblock becomes one for few under a run search",
	  .machine = { .frames = 1120, .cpus = 3, .pageblock_order = 5,
		       .policy = PZ_POLICY_ZONELIST },
	  .before = "q=#1060<1059 z=#61", .thread = { "a=1h -a", "x=#40 -x y=#41" }, .bound = 1,
	  .bounded_only = true },
	{ .name = "more memory beside a run that is denied", .machine = LATE(64, 40, 63),
	  .before = "a=#38<37 x=#3", .thread = { "+40-63", "y=#3 -y x=#26" }, .may_wait = true,
	  .bound = 2, .bounded_only = true },
	/* --- misuse --- */
	{ .name = "a frame is freed twice at once", .machine = PLAIN(32), .before = "a=0 b=0",
	  .thread = { "!a", "!a" }, .misuses = 1, .bound = 3 },
	{ .name = "order 3 is freed twice, others look on", .machine = PLAIN(32),
	  .before = "a=3 b=0", .thread = { "!a", "!a", "-b c=0" }, .misuses = 1, .bound = 1,
	  .bounded_only = true },
	{ .name = "order 5 is freed twice at once", .machine = PLAIN(64), .before = "a=5",
	  .thread = { "!a", "!a" }, .misuses = 1, .bound = 3 },
	{ .name = "order 10 is freed twice at once", .machine = PLAIN(2048), .before = "a=10",
	  .thread = { "!a", "!a" }, .misuses = 1, .bound = 2 },
	{ .name = "a run is freed twice at once", .machine = PLAIN(96), .before = "a=#70",
	  .thread = { "!a", "!a" }, .misuses = 1, .bound = 2 },
	{ .name = "a run within a word is freed twice at once", .machine = PLAIN(32),
	  .before = "a=#5", .thread = { "!a", "!a" }, .misuses = 1, .bound = 2 },
	/* --- parts, bulk --- */
	{ .name = "the middle of a block beside an allocation", .machine = PLAIN(32),
	  .before = "a=4", .thread = { "a/4+8 -a", "x=3 -x" }, .bound = 2 },
	{ .name = "a part over the edge of a word", .machine = PLAIN(64), .before = "a=6",
	  .thread = { "a/16+32 -a", "x=4 -x" }, .bound = 2, .bounded_only = true },
	{ .name = "a block is split into pages", .machine = PLAIN(32), .before = "a=3",
	  .thread = { "%a -a", "x=3 -x y=4" }, .bound = 2 },
	{ .name = "bulk against single", .machine = PLAIN(8), .before = "z=0",
	  .thread = { "a=*4 -a", "-z b=0 c=2" }, .bound = 2, .bounded_only = true },
	{ .name = "bulk against bulk", .machine = PLAIN(6), .before = "",
	  .thread = { "a=*4 -a", "b=*4 -b" }, .bound = 2, .bounded_only = true },
	/* --- caches that hold frames --- */
	{ .name = "a held frame is wanted elsewhere", .machine = HOLDING(8), .before = "a=0 -a",
	  .thread = { "b=0 -b", "c=3 -c" }, .bound = 2, .bounded_only = true },
	{ .name = "drain against pop", .machine = HOLDING(8), .before = "a=0 b=0 -a -b",
	  .thread = { "c=0 -c", "~" }, .bound = 2, .bounded_only = true },
	{ .name = "drain, pop, and a limited request", .machine = HOLDING(8),
	  .before = "a=0 b=0 -a -b", .thread = { "c=0 -c", "~", "d=0<3 -d" },
	  .bound = 1, .bounded_only = true },
	{ .name = "caches against the last frame", .machine = HOLDING(2), .before = "",
	  .thread = { "a=0 -a b=0", "c=0 -c d=0" }, .bound = 2, .bounded_only = true },
	/* --- mobility, zonelists, evacuation, more memory --- */
	{ .name = "kinds share the last pageblock", .machine = GROUPED(32), .before = "",
	  .thread = { "a=0m -a", "b=0 -b" }, .bound = 2, .bounded_only = true },
	{ .name = "kinds with a pageblock each", .machine = GROUPED(64), .before = "y=0m z=0",
	  .thread = { "a=4m -a", "b=4 -b c=5" }, .bound = 2, .bounded_only = true },
	{ .name = "a pageblock changes its kind under a free", .machine = GROUPED(1056),
	  .before = "q=10 a=0m b=0m c=0m", .thread = { "x=0", "-a -b" }, .bound = 2,
	  .bounded_only = true },
	{ .name = "a pageblock changes its kind twice", .machine = GROUPED(1056),
	  .before = "q=10 a=0m b=0m", .thread = { "-a x=0 -x", "-b y=0m -y" }, .bound = 2,
	  .bounded_only = true },
	{ .name = "three around a pageblock", .machine = GROUPED(1056), .before = "q=10 a=0m b=4m",
	  .thread = { "x=0", "-a", "-b" }, .bound = 2, .bounded_only = true },
	{ .name = "zone by zone", .machine = ZONELIST(32), .before = "z=0",
	  .thread = { "a=0 -a", "-z b=5 -b" }, .bound = 2, .bounded_only = true },
	{ .name = "evacuation against free and allocation", .machine = GROUPED(64),
	  .before = "a=0m", .thread = { "e@32-63 -e", "-a b=0m" }, .bound = 1,
	  .bounded_only = true },
	{ .name = "two evacuate the same", .machine = GROUPED(96), .before = "a=0m b=2m",
	  .thread = { "e@64-95 -e", "f@64-95 -f" }, .bound = 1, .bounded_only = true },
	{ .name = "evacuation beside an allocation", .machine = GROUPED(96), .before = "a=0m b=3",
	  .thread = { "e@64-95 -e", "c=2m -c d=5" }, .bound = 1, .bounded_only = true },
	{ .name = "a request moves pages away", .machine = GROUPED(64), .before = "a=0m>40<50",
	  .thread = { "b=5b>32 -b", "-a c=1m" }, .bound = 1, .bounded_only = true },
	{ .name = "more memory while somebody allocates", .machine = LATE(64, 32, 63),
	  .before = "", .thread = { "+32-63", "a=5 b=5 -a" }, .may_wait = true, .bound = 2,
	  .bounded_only = true },
	{ .name = "half a word more", .machine = LATE(32, 16, 31), .before = "a=4",
	  .thread = { "+16-31", "b=0 -a c=5" }, .may_wait = true, .bound = 2,
	  .bounded_only = true },
	/* --- interrupts: each runs to its end on top of what it interrupts, on the same CPU --- */
	{ .name = "interrupts that allocate and free", .machine = PLAIN(32), .before = "z=0 -z",
	  .thread = { "a=0 -a a=1 -a", "b=0 -b", "c=3 -c" }, .nested = true, .bound = 2,
	  .bounded_only = true },
	{ .name = "interrupts that free what was allocated below", .machine = PLAIN(64),
	  .before = "y=0 z=5", .thread = { "a=0 -a b=5", "-y c=0", "-z d=5" }, .nested = true,
	  .bound = 2, .bounded_only = true },
	{ .name = "interrupts and held frames", .machine = HOLDING(8), .before = "z=0 -z",
	  .thread = { "a=0 -a", "b=0 -b", "c=3 -c" }, .nested = true, .bound = 2,
	  .bounded_only = true },
	{ .name = "nobody has a CPU of its own", .machine = PLAIN(32), .before = "",
	  .thread = { "a=0 -a", "b=1 -b" }, .no_cpu = true, .bound = 2 },
};

int main(int argc, char **argv)
{
	for (unsigned int i = 0; i < sizeof(pages_plans) / sizeof(pages_plans[0]); i++) {
		if (argc < 2 || strstr(pages_plans[i].name, argv[1]))
			world_run(&pages_plans[i]);
	}
	return explore_done();
}
