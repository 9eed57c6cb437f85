/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain.c - the explanation of every recorded failure. By the zones' numbers each of these
 * requests must fail, for it did; and the cause that is named is the one that is known, for most
 * were made by a module that takes memory until a request fails. Output is TAP.
 *
 * usage: explain MACHINES
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "input/source.h"
#include "walk.h"

/* What is known of a recorded failure. */
static const struct expected {
	const char *machine;
	unsigned int order;
	uint32_t gfp;
	unsigned int times;
	enum ex_cause cause;
	enum ex_why why;
	uint64_t lacking; /* pages, of the zone named; 0: not told */
} expected[] = {
	{ "x86_64-oldpool-memmap-exact-640K", 6, 0xcc1, 1, EX_UNMANAGED, EX_WHY_POOL, 0 },
	{ "6.1-virt-cma3G-4G", 6, 0xcc1, 1, EX_UNMANAGED, EX_WHY_POOL, 0 },
	{ "6.1-zonefill-dma-order0-512M", 0, 0xcc1, 1, EX_FULL, EX_WHY_LOW_ZONE, 1 },
	{ "6.1-zonefill-dma-order5-2G", 5, 0xcc1, 1, EX_SIZE, EX_WHY_COSTLY, 22 },
	{ "6.1-zonefill-dma-atomic-2G", 0, 0xa21, 1, EX_FULL, EX_WHY_ATOMIC, 2 },
	{ "6.1-zonefill-dma32-atomic-4G", 0, 0xa24, 1, EX_FULL, EX_WHY_ATOMIC, 10 },
	{ "6.1-zonefill-normal-order9-6G", 9, 0x10cc0, 1, EX_SIZE, EX_WHY_NORETRY, 17 },
	{ "6.1-zonefill-coherent24-1G", 0, 0xcc1, 1, EX_FULL, EX_WHY_LOW_ZONE, 3 },
	{ "6.1-zonefill-coherent24-1G", 4, 0xcc1, 1, EX_SIZE, EX_WHY_COSTLY, 3 },
	{ "6.1-zonefill-coherent30-2G", 8, 0x10cc1, 1, EX_SIZE, EX_WHY_NORETRY, 150 },
	{ "6.1-zonefill-kmalloc-dma-1G", 0, 0xcc1, 3, EX_FULL, EX_WHY_LOW_ZONE, 1 },
	{ "6.1-zonefill-kmalloc-dma-1G", 0, 0x40cc1, 1, EX_FULL, EX_WHY_LOW_ZONE, 3 },
	{ "6.1-zonefill-kmalloc-dma-1G", 1, 0x40cc1, 1, EX_SIZE, EX_WHY_LOW_ZONE, 1 },
	{ "6.1-zonefill-kmalloc-dma-1G", 4, 0x40cc1, 1, EX_SIZE, EX_WHY_COSTLY, 7 },
};
enum { EXPECTED = sizeof(expected) / sizeof(expected[0]) };

static unsigned int golden_run, golden_failed, golden_machines;
static bool golden_seen[EXPECTED];

static void golden_ok(bool ok, const char *machine, const char *what)
{
	golden_run++;
	golden_failed += !ok;
	printf("%sok %u - %s: %s\n", ok ? "" : "not ", golden_run, machine, what);
}

/* No zone that the request may use seems to serve it, or leaves it open. */
static void golden_refused(const char *machine, const struct explanation *x)
{
	bool refused = x->zones.n > 0;

	for (size_t i = 0; i < x->zones.n; i++) {
		enum pzl_verdict v = x->zones.v[i].judged.verdict;

		refused = refused && v != PZL_ZONE_OK && v != PZL_ZONE_NOT_STATED;
	}
	golden_ok(refused, machine, "every zone refuses what was refused");
	golden_ok(!x->contradictions.n, machine, "the report does not contradict itself");
	golden_ok(x->configured_sure, machine, "the zones of the kernel are known");
}

static bool golden_is(const struct expected *w, const struct explanation *x)
{
	uint64_t lacking = x->zone < x->zones.n ? x->zones.v[x->zone].judged.lacking : 0;

	return x->failure && w->order == x->failure->order && w->gfp == x->gfp &&
	       w->times == x->times && w->cause == x->cause && w->why == x->why &&
	       (!w->lacking || w->lacking == lacking);
}

static void golden_one(const char *machine, const struct explanation *x)
{
	bool known = false;

	for (unsigned int i = 0; i < EXPECTED; i++) {
		if (golden_seen[i] || strcmp(expected[i].machine, machine) != 0 ||
		    !golden_is(&expected[i], x))
			continue;
		golden_seen[i] = known = true;
		break;
	}
	golden_ok(known, machine, "cause and meaning of a failure");
	if (!known && x->failure)
		printf("# order %u gfp %#x times %u cause %s\n", x->failure->order, x->gfp,
		       x->times, explain_cause_name(x->cause));
	golden_refused(machine, x);
}

static void golden_machine(const char *dir, const char *name)
{
	const struct source_options from = { .boot = 0 };
	const struct analysis_options how = { .model = NULL };
	struct explained e;
	struct facts f;
	char *err = NULL;

	memset(&e, 0, sizeof(e));
	facts_init(&f);
	if (source_read(&f, dir, &from, &err) || explain(&e, &f, &how, &err)) {
		golden_ok(false, name, err ? err : "cannot be read");
		free(err);
	} else {
		golden_machines++;
		for (size_t i = 0; i < e.all.n; i++)
			golden_one(name, &e.all.v[i]);
		if (explain_verdict(&e) != (f.failures.n ? 1 : 0))
			golden_ok(false, name, "exit code");
	}
	explained_destroy(&e);
	facts_destroy(&f);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: explain MACHINES\n");
		return 2;
	}
	golden_walk(argv[1], golden_machine);
	for (unsigned int i = 0; i < EXPECTED; i++)
		golden_ok(golden_seen[i], expected[i].machine,
			  "its recorded failure was explained");
	golden_ok(golden_machines > 100, "all", "machines were read");
	printf("1..%u\n", golden_run);
	return golden_failed != 0;
}
