/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explore_slab.c - object caches under every schedule of two or three threads.
 *
 * The steps are those of slab_world.h. A slab has four objects and a magazine one, so that each
 * free and each allocation that is not plain reaches the slabs; with PZ_CPU_NONE every one does. No
 * empty slab is kept, so slabs go as soon as they may.
 *
 * An argument picks the scenarios whose names contain it.
 */
#include "slab_world.h"

#include <string.h>

static const struct slab_plan slab_plans[] = {
	/* --- one slab: state and list --- */
	{ .name = "the last object against a free", .before = "+a +b +c +d +x", .no_cpu = true,
	  .thread = { "-a", "+y -y" }, .bound = 3 },
	{ .name = "two frees of a slab that nobody has in a list", .before = "+a +b +c +d",
	  .no_cpu = true, .thread = { "-a -b", "-c -d" }, .bound = 3 },
	{ .name = "the slab goes while it is on its way into the list", .before = "+a +b +c +d",
	  .no_cpu = true, .thread = { "-a", "-b -c -d +e" }, .bound = 3 },
	{ .name = "three free the last objects", .before = "+a +b +c +d +e", .no_cpu = true,
	  .thread = { "-a", "-b -c", "-d +f" }, .bound = 2 },
	{ .name = "who takes the last, who frees the first", .before = "+a +b +c +d -b",
	  .no_cpu = true, .thread = { "+x", "-a -c -d", "+y" }, .bound = 2 },
	{ .name = "a slab that is kept", .keep = 1, .before = "+a +b +c +d", .no_cpu = true,
	  .thread = { "-a -b", "-c -d +e" }, .bound = 3 },
	{ .name = "shrink against the free that empties", .keep = 4, .before = "+a +b +c +d -a",
	  .no_cpu = true, .thread = { "s", "-b -c -d" }, .bound = 3 },
	{ .name = "shrink against an allocation from the empty slab", .keep = 4,
	  .before = "+a +b +c +d -a -b -c -d", .no_cpu = true, .thread = { "s", "+x -x" },
	  .bound = 3 },
	{ .name = "two shrink", .keep = 4, .before = "+a +b +c +d +e -a -b -c -d", .no_cpu = true,
	  .thread = { "s", "s -e" }, .bound = 3 },
	{ .name = "shrink sorts what others take and give", .keep = 4,
	  .before = "+a +b +c +d +e +f +g +h +i -a -e -f", .no_cpu = true,
	  .thread = { "s", "+x -b", "-i" }, .bound = 2 },
	/* --- descriptors --- */
	{ .name = "a descriptor is used again", .before = "+a +b +c +d", .no_cpu = true,
	  .thread = { "-a -b -c -d", "+e +f -e" }, .bound = 3 },
	/* Who asks while another one is in the middle of a split may be refused: see world.h. */
	{ .name = "two make a slab", .may_fail = true, .before = "", .no_cpu = true,
	  .thread = { "+a -a", "+b" }, .bound = 2 },
	{ .name = "the last pages", .frames = 2, .may_fail = true, .before = "+a -a",
	  .no_cpu = true, .thread = { "+a +b -a", "+c -c" }, .bound = 2 },
	/* --- magazines --- */
	{ .name = "a remote free and the owner's", .before = "+a +b +c +d",
	  .thread = { "-a -b", "-c -d" }, .bound = 3 },
	{ .name = "magazines against shrink", .magazine = 2, .keep = 1,
	  .before = "+a +b +c +d +e -a -b -c", .thread = { "-d +x -e", "s +y", "r" }, .bound = 2 },
	{ .name = "reclaim against an allocation", .keep = 2,
	  .before = "+a +b +c +d +e -a -b -c", .thread = { "-d +x +y", "+z r" }, .bound = 2 },
	{ .name = "producer and consumer", .magazine = 2, .before = "+a +b +c",
	  .thread = { "+d +e", "-a -b -c" }, .bound = 3 },
	{ .name = "numbers while all changes", .before = "+a +b +c +d",
	  .thread = { "-a -b +e", "m", "-c -d" }, .bound = 2 },
	/* --- slabs of many objects --- */
	{ .name = "a large slab: the same word", .many = true, .before = "+a +b +c +d",
	  .no_cpu = true, .thread = { "-a +e", "-b +f" }, .bound = 3 },
	{ .name = "a large slab goes", .many = true, .before = "+a +b", .no_cpu = true,
	  .thread = { "-a", "-b +c" }, .bound = 3 },
	{ .name = "a large slab: three at once", .many = true, .before = "+a +b +c",
	  .no_cpu = true, .thread = { "-a +x", "-b", "-c +y" }, .bound = 2 },
	/* --- grace periods --- */
	{ .name = "a grace period and the slab that goes", .flags = PZ_SLAB_RCU,
	  .before = "+a +b +c +d +e +f +g +h -a -b -c -d -e", .no_cpu = true,
	  .thread = { "g", "-f -g -h" }, .bound = 3 },
	{ .name = "a grace period ends while slabs go", .flags = PZ_SLAB_RCU,
	  .before = "+a +b +c +d +e +f +g -a -b -c -d -e", .no_cpu = true,
	  .thread = { "g +h", "-f -g" }, .bound = 2 },
	/* --- the end of a cache --- */
	{ .name = "a cache goes while others reclaim", .keep = 3, .may_wait = true,
	  .before = "+a +b +c +d +e -a -b -c -d -e", .thread = { "D", "r", "~" }, .bound = 2 },
	{ .name = "a cache for readers goes", .flags = PZ_SLAB_RCU, .may_wait = true,
	  .before = "+a +b +c +d +e -a -b -c -d -e", .thread = { "D", "r g" }, .bound = 3 },
	/* --- debug options --- */
	{ .name = "objects that are watched", .debug = 15, .before = "+a +b +c",
	  .thread = { "-a +d", "-b +e" }, .bound = 3 },
	{ .name = "watched objects are the last", .size = 1900, .debug = 15, .before = "+a +b",
	  .thread = { "-a", "-b +e" }, .bound = 2 },
	/* --- interrupts: each runs to its end on top of what it interrupts, on the same CPU --- */
	{ .name = "interrupts on a magazine", .nested = true, .magazine = 2,
	  .before = "+a +b +c -a", .thread = { "+x +y -b", "+z -z", "-c" }, .bound = 2 },
	{ .name = "interrupts while a magazine is emptied", .nested = true, .magazine = 2,
	  .before = "+a +b +c +d +e -a -b", .thread = { "-c ~ +x", "-d +y", "-e" }, .bound = 2 },
	{ .name = "an interrupt on a shrink", .nested = true, .keep = 3, .magazine = 2,
	  .before = "+a +b +c +d +e -a -b -c", .thread = { "s", "-d -e +x", "r" }, .bound = 2 },
};

int main(int argc, char **argv)
{
	for (unsigned int i = 0; i < sizeof(slab_plans) / sizeof(slab_plans[0]); i++) {
		if (argc < 2 || strstr(slab_plans[i].name, argv[1]))
			slab_world_run(&slab_plans[i]);
	}
	return explore_done();
}
