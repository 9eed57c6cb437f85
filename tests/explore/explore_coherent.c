/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explore_coherent.c - coherent buffers under every schedule of two or three threads, or of
 * interrupt handlers on top of each other. The steps are those of coherent_world.h.
 *
 * An argument picks the scenarios whose names contain it.
 */
#include "coherent_world.h"

#include <string.h>

static const struct coherent_plan coherent_plans[] = {
	/* --- pieces of a pool, and their records --- */
	{ .name = "two for two pages",
	  .frames = 12,
	  .pool = 2,
	  .thread = { "a=1 -a a=1", "b=1 -b" },
	  .bound = 2 },
	{ .name = "the last page",
	  .frames = 12,
	  .pool = 2,
	  .before = "c=1",
	  .thread = { "a=1? -a", "b=1? -b" },
	  .bound = 2 },
	{ .name = "freed twice at once",
	  .frames = 12,
	  .pool = 2,
	  .before = "a=1",
	  .misuses = 1,
	  .thread = { "!a", "!a" },
	  .bound = 3 },
	{ .name = "freed twice while others come",
	  .frames = 12,
	  .pool = 2,
	  .before = "a=1",
	  .misuses = 1,
	  .thread = { "!a", "!a", "b=1 -b" },
	  .bound = 1 },
	{ .name = "visits and numbers while all changes",
	  .frames = 12,
	  .pool = 2,
	  .before = "a=1",
	  .thread = { "v s", "-a b=2? -b" },
	  .bound = 2 },
	/* --- pools that grow and shrink --- */
	{ .name = "it grows while it is taken from",
	  .frames = 16,
	  .pool = 2,
	  .before = "a=1 b=1",
	  .thread = { "w", "c=1? -c" },
	  .bound = 1 },
	{ .name = "two who fill it",
	  .frames = 16,
	  .pool = 2,
	  .before = "a=1 b=1",
	  .thread = { "w", "w" },
	  .bound = 2 },
	{ .name = "it shrinks while it is taken from",
	  .frames = 24,
	  .pool = 2,
	  .before = "a=2 w b=2 w c=2 w -a -b -c",
	  .thread = { "w", "d=2? -d" },
	  .bound = 1 },
	{ .name = "it shrinks while somebody looks",
	  .frames = 12,
	  .pool = 1,
	  .tidy = true,
	  .before = "a=1 w b=1 w -a -b",
	  .thread = { "w", "s" },
	  .bound = 2 },
	{ .name = "freed while it shrinks",
	  .frames = 24,
	  .pool = 2,
	  .before = "a=2 w b=2 w c=2 w -a -b",
	  .thread = { "w v", "-c w" },
	  .bound = 1 },
	/* --- pages that are kept --- */
	{ .name = "each keeps its own",
	  .frames = 12,
	  .pool = 1,
	  .before = "a:1 b:1",
	  .thread = { "-a c:1 -c", "-b d:1 -d" },
	  .bound = 2 },
	{ .name = "kept by one, taken by all",
	  .frames = 12,
	  .pool = 1,
	  .before = "a:1",
	  .thread = { "-a c:1 -c c:1", "b:1 -b d:2 -d" },
	  .bound = 2 },
	/* --- interrupts --- */
	{ .name = "interrupts: a page that is kept",
	  .frames = 12,
	  .pool = 1,
	  .nested = true,
	  .before = "a:1 h:1 -h",
	  .thread = { "-a b:1 -b", "c:1 -c", "d:1 e:1 -d -e" },
	  .bound = 2 },
	{ .name = "interrupts: the last pages of a pool",
	  .frames = 12,
	  .pool = 2,
	  .nested = true,
	  .thread = { "a=1 -a", "b=1? -b", "c=2? -c" },
	  .bound = 2 },
	{ .name = "interrupts: while a pool is filled",
	  .frames = 16,
	  .pool = 2,
	  .nested = true,
	  .before = "a=1 b=1",
	  .thread = { "w", "c=1? -c", "-a d=1? -d" },
	  .bound = 1 },
};

int main(int argc, char **argv)
{
	for (unsigned int i = 0; i < sizeof(coherent_plans) / sizeof(coherent_plans[0]); i++)
		if (argc < 2 || strstr(coherent_plans[i].name, argv[1]))
			coherent_world_run(&coherent_plans[i]);
	return explore_done();
}
