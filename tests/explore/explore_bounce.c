/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explore_bounce.c - bounce buffers under every schedule of two or three threads, or of interrupt
 * handlers on top of each other. The steps are those of bounce_world.h.
 *
 * An argument picks the scenarios whose names contain it.
 */
#include "bounce_world.h"

#include <string.h>

static const struct bounce_plan bounce_plans[] = {
	/* --- slots --- */
	{ .name = "two for two slots",
	  .pages = 1,
	  .thread = { "a=1 -a a=1", "b=1 -b b=1" },
	  .bound = 3 },
	{ .name = "the last slot",
	  .pages = 1,
	  .before = "c=1",
	  .thread = { "a=1? -a", "b=1? -b" },
	  .bound = 3 },
	{ .name = "three for three slots",
	  .pages = 2,
	  .thread = { "a=1 -a", "b=1", "c=1" },
	  .bound = 2 },
	{ .name = "a pair against single ones",
	  .pages = 2,
	  .thread = { "a=2? -a", "b=1 c=1 -b -c" },
	  .bound = 3 },
	{ .name = "runs over two words",
	  .pages = 34,
	  .most = 62,
	  .before = "c=30",
	  .thread = { "a=36? -a", "b=38? -b" },
	  .bound = 2 },
	{ .name = "a run loses its second word",
	  .pages = 34,
	  .most = 62,
	  .before = "c=34 d=29",
	  .thread = { "a=4? -a", "b=2? -b" },
	  .bound = 2 },
	{ .name = "a run over two words where another ends",
	  .pages = 34,
	  .most = 62,
	  .before = "c=62",
	  .thread = { "a=4? -a", "b=1? -b", "-c" },
	  .bound = 1 },
	/* --- what is mapped --- */
	{ .name = "unmapped twice at once",
	  .pages = 1,
	  .before = "a=1",
	  .misuses = 1,
	  .thread = { "!a", "!a" },
	  .bound = 4 },
	{ .name = "unmapped twice while others map",
	  .pages = 1,
	  .before = "a=2",
	  .misuses = 1,
	  .thread = { "!a", "!a", "b=1? -b" },
	  .bound = 2 },
	{ .name = "visits and numbers while all changes",
	  .pages = 1,
	  .before = "a=1",
	  .thread = { "v s", "-a b=2 -b" },
	  .bound = 3 },
	{ .name = "a sync while others come and go",
	  .pages = 2,
	  .before = "a=1",
	  .thread = { "ya -a", "b=1 -b c=2? -c" },
	  .bound = 3 },
	/* --- pools that come and go --- */
	{ .name = "two make a pool", .frames = 12, .thread = { "a=1 -a", "b=1" }, .bound = 2 },
	{ .name = "a pool goes while it is taken from",
	  .frames = 12,
	  .before = "a=1 -a",
	  .thread = { "t", "b=1 -b", "c=1" },
	  .bound = 1 },
	{ .name = "a pool goes, and comes again",
	  .frames = 12,
	  .before = "a=1 -a",
	  .thread = { "t b=1", "c=1 -c t" },
	  .bound = 1 },
	{ .name = "two trim one pool",
	  .frames = 12,
	  .before = "a=1",
	  .thread = { "-a t", "t v" },
	  .bound = 3 },
	{ .name = "a visit while a pool goes",
	  .frames = 12,
	  .before = "a=1",
	  .thread = { "v", "-a t" },
	  .bound = 3 },
	{ .name = "unmapped twice in a pool that stays for another",
	  .frames = 12,
	  .before = "a=1 b=1",
	  .misuses = 1,
	  .thread = { "!a t", "!a t" },
	  .bound = 2 },
	{ .name = "a sync finds its pool while another goes",
	  .pages = 1,
	  .frames = 12,
	  .before = "a=2 b=2 c=2 -b",
	  .thread = { "yc -c", "t b=1 -b" },
	  .bound = 1 },
	/* --- interrupts --- */
	{ .name = "interrupts: the last slots",
	  .pages = 1,
	  .nested = true,
	  .thread = { "a=1 -a", "b=1? -b", "c=2? -c" },
	  .bound = 2 },
	{ .name = "interrupts: trim on top of all",
	  .frames = 12,
	  .nested = true,
	  .before = "a=1 -a",
	  .thread = { "b=1 -b", "t", "c=1 -c t" },
	  .bound = 2 },
};

int main(int argc, char **argv)
{
	for (unsigned int i = 0; i < sizeof(bounce_plans) / sizeof(bounce_plans[0]); i++)
		if (argc < 2 || strstr(bounce_plans[i].name, argv[1]))
			bounce_world_run(&bounce_plans[i]);
	return explore_done();
}
