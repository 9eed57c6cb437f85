/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_dma_cases.c - the cases of fuzz_dma.c from random numbers: no address that a device is told
 * leaves its reach, and nothing that is bounced is lost.
 *
 *   PZ_ROUNDS=10000000 build/tests/property/prop_dma_cases
 */
#include <stdlib.h>

#include "../fuzz/dma_case.h"
#include "prop.h"

static uint64_t cases_draw(void *ctx, uint64_t max)
{
	return prop_draw((struct prop *)ctx, max);
}

static void cases_note(void *ctx, const char *text)
{
	prop_note((struct prop *)ctx, "%s", text);
}

static bool prop_case(struct prop *p, void *ctx)
{
	struct case_source s = { cases_draw, cases_note, p };
	const char *wrong = dma_case_run(&s);

	(void)ctx;
	if (wrong)
		prop_note(p, "%s", wrong);
	return !wrong;
}

/* The rounds together have seen each outcome: else they would show little. */
static bool prop_seen(struct prop *p, void *ctx)
{
	const struct dma_case_counts *c = &dma_case_counts;
	const bool *all = (const bool *)ctx;

	prop_note(p,
		  "direct %llu bounced %llu refused %llu, lists %llu failed %llu, buffers %llu "
		  "failed %llu: pages %llu areas %llu regions %llu pools %llu slots %llu, small "
		  "%llu pieces %llu",
		  (unsigned long long)c->direct, (unsigned long long)c->bounced,
		  (unsigned long long)c->refused, (unsigned long long)c->lists,
		  (unsigned long long)c->list_fails, (unsigned long long)c->buffers,
		  (unsigned long long)c->buffer_fails, (unsigned long long)c->from[0],
		  (unsigned long long)c->from[1], (unsigned long long)c->from[2],
		  (unsigned long long)c->from[3], (unsigned long long)c->from[4],
		  (unsigned long long)c->small, (unsigned long long)c->pieces);
	for (unsigned int i = 0; i < 5 && *all; i++)
		PROP_ASSERT(p, c->from[i]);
	return !*all || (c->direct && c->bounced && c->refused && c->lists && c->list_fails &&
			 c->buffers && c->buffer_fails && c->small && c->pieces);
}

int main(void)
{
	/* A seed of one's own is one round. */
	bool all = !getenv("PZ_SEED") && !getenv("PZ_ROUNDS") && !getenv("PZ_DRAWS");

	prop_run("devices and what they are given", prop_case, NULL, 20000);
	prop_run("each outcome was seen", prop_seen, &all, 1);
	return prop_done();
}
