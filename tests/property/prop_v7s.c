/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_v7s.c - lives of translation tables from random numbers, beside a model of each page and a
 * cache that believes what it read; and one life again and again, in which each table that is asked
 * for is missing in turn.
 */
#include <stdlib.h>

#include "../fuzz/v7s_case.h"
#include "prop.h"

static uint64_t lives_draw(void *ctx, uint64_t max)
{
	return prop_draw((struct prop *)ctx, max);
}

static void lives_note(void *ctx, const char *text)
{
	prop_note((struct prop *)ctx, "%s", text);
}

static bool prop_life(struct prop *p, void *ctx)
{
	struct v7s_plan plan = { 60, 0, NULL };
	struct case_source s = { lives_draw, lives_note, p };
	const char *wrong = v7s_case_run(&s, &plan);

	(void)ctx;
	if (wrong)
		prop_note(p, "%s", wrong);
	return !wrong;
}

/* The rounds together have seen each outcome: else they would show little. */
static bool prop_seen(struct prop *p, void *ctx)
{
	const struct v7s_case_counts *c = &v7s_case_counts;

	prop_note(p,
		  "maps %llu exists %llu unmaps %llu holes %llu refused %llu no table %llu no "
		  "pieces %llu splits %llu trimmed %llu cached %llu forgotten %llu tables %llu",
		  (unsigned long long)c->maps, (unsigned long long)c->exists,
		  (unsigned long long)c->unmaps, (unsigned long long)c->holes,
		  (unsigned long long)c->refused, (unsigned long long)c->no_table,
		  (unsigned long long)c->no_pieces, (unsigned long long)c->splits,
		  (unsigned long long)c->trimmed, (unsigned long long)c->cached,
		  (unsigned long long)c->forgotten, (unsigned long long)c->tables);
	return !*(const bool *)ctx ||
	       (c->maps && c->exists && c->unmaps && c->holes && c->refused && c->no_table &&
		c->no_pieces && c->splits && c->trimmed && c->cached && c->forgotten && c->tables);
}

/* --- one life, again and again --- */

static uint64_t again_draw(void *ctx, uint64_t max)
{
	uint64_t *state = ctx, v;

	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	v = *state >> 32 | *state << 32;
	return max == UINT64_MAX ? v : v % (max + 1);
}

static uint64_t sweep_failures;

static bool prop_sweep(struct prop *p, void *ctx)
{
	struct v7s_plan plan = { 150, 0, ctx };
	uint64_t seed = prop_draw(p, UINT32_MAX), failed;

	do {
		uint64_t state = seed;
		struct case_source s = { again_draw, NULL, &state };
		const char *wrong;

		plan.fail_nth++;
		failed = v7s_case_counts.failed;
		wrong = v7s_case_run(&s, &plan);
		if (wrong) {
			prop_note(p, "seed %llu, failure %llu: %s", (unsigned long long)seed,
				  (unsigned long long)plan.fail_nth, wrong);
			return false;
		}
	} while (v7s_case_counts.failed > failed);
	sweep_failures += plan.fail_nth - 1;
	return true;
}

static bool prop_swept(struct prop *p, void *ctx)
{
	prop_note(p, "%llu failures", (unsigned long long)sweep_failures);
	return !*(const bool *)ctx || sweep_failures > 20;
}

int main(void)
{
	static char point[] = "v7s.table";
	/* A seed of one's own is one round. */
	bool all = !getenv("PZ_SEED") && !getenv("PZ_ROUNDS") && !getenv("PZ_DRAWS");

	prop_run("tables do what a model of each page does", prop_life, NULL, 600);
	prop_run("each outcome was seen", prop_seen, &all, 1);
	prop_run("each table in turn is not given", prop_sweep, NULL, 4);
	prop_run("each table in turn fails", prop_sweep, point, 4);
	prop_run("many failed", prop_swept, &all, 1);
	return prop_done();
}
