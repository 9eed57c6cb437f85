/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explore_dma_pool.c - pools of coherent blocks under every schedule of two or three threads.
 *
 * The steps are those of dma_pool_world.h. A page has four blocks and a magazine one, so that each
 * call that is not plain reaches the pages; with PZ_CPU_NONE every one does.
 *
 * An argument picks the scenarios whose names contain it.
 */
#include "dma_pool_world.h"

#include <string.h>

static const struct dma_pool_plan dma_pool_plans[] = {
	/* --- one page: state, bits and list --- */
	{ .name = "the last block against a free", .before = "+a +b +c +d +x", .no_cpu = true,
	  .thread = { "-a", "+y -y" }, .bound = 3 },
	{ .name = "two frees of a page that is in no list", .before = "+a +b +c +d",
	  .no_cpu = true, .thread = { "-a -b", "-c -d" }, .bound = 3 },
	{ .name = "three free, one takes", .before = "+a +b +c +d", .no_cpu = true,
	  .thread = { "-a", "-b +e", "-c" }, .bound = 2 },
	{ .name = "two take what one has", .before = "+a +b +c +d -a -b", .no_cpu = true,
	  .thread = { "+x", "+y" }, .bound = 3 },
	/* --- pages come and go --- */
	{ .name = "trim against the free that empties", .before = "+a +b +c +d -a", .no_cpu = true,
	  .thread = { "t", "-b -c -d" }, .bound = 2 },
	{ .name = "trim against an allocation", .before = "+a +b +c +d -a -b -c -d",
	  .no_cpu = true, .thread = { "t", "+x -x" }, .bound = 2 },
	{ .name = "two trim", .before = "+a +b +c +d +e -a -b -c -d", .no_cpu = true,
	  .thread = { "t", "t -e" }, .bound = 2 },
	{ .name = "a record is used again", .before = "+a", .no_cpu = true,
	  .thread = { "-a t +b", "+c -c" }, .bound = 2 },
	{ .name = "two make the first page", .may_fail = true, .before = "", .no_cpu = true,
	  .thread = { "+a -a", "+b" }, .bound = 1 },
	{ .name = "a page of one block", .size = 4096, .before = "+a", .no_cpu = true,
	  .thread = { "-a +b", "+c -c" }, .bound = 2 },
	{ .name = "the last frames", .frames = 4, .size = 4096, .may_fail = true, .before = "+a",
	  .no_cpu = true, .thread = { "-a +b -b", "+c" }, .bound = 2 },
	/* --- magazines --- */
	{ .name = "a remote free and the owner's", .before = "+a +b +c +d",
	  .thread = { "-a -b", "-c -d" }, .bound = 3 },
	{ .name = "magazines against trim", .magazine = 2, .before = "+a +b +c +d +e -a -b -c",
	  .thread = { "-d +x -e", "t +y", "m" }, .bound = 1 },
	{ .name = "producer and consumer", .magazine = 2, .before = "+a +b +c",
	  .thread = { "+d +e", "-a -b -c" }, .bound = 2 },
	/* --- misuse --- */
	{ .name = "freed twice at once", .findings = 1, .before = "+a +b", .no_cpu = true,
	  .thread = { "!a", "!a" }, .bound = 3 },
	{ .name = "freed twice at once, into magazines", .findings = 1, .before = "+a +b",
	  .thread = { "!a ~", "!a ~" }, .bound = 3 },
	/* --- debug --- */
	{ .name = "blocks that are watched", .debug = true, .before = "+a +b +c",
	  .thread = { "-a +d", "-b +e" }, .bound = 2 },
	/* --- interrupts: each runs to its end on top of what it interrupts, on the same CPU --- */
	{ .name = "interrupts on a magazine", .nested = true, .magazine = 2,
	  .before = "+a +b +c -a", .thread = { "+x +y -b", "+z -z", "-c" }, .bound = 2 },
	{ .name = "interrupts while a magazine is emptied", .nested = true, .magazine = 2,
	  .before = "+a +b +c +d +e -a -b", .thread = { "-c ~ +x", "-d +y", "-e" }, .bound = 2 },
	{ .name = "an interrupt on a trim", .nested = true, .magazine = 2,
	  .before = "+a +b +c +d +e -a -b -c", .thread = { "t", "-d -e +x", "+y" }, .bound = 2 },
};

int main(int argc, char **argv)
{
	for (unsigned int i = 0; i < sizeof(dma_pool_plans) / sizeof(dma_pool_plans[0]); i++) {
		if (argc < 2 || strstr(dma_pool_plans[i].name, argv[1]))
			dma_pool_world_run(&dma_pool_plans[i]);
	}
	return explore_done();
}
