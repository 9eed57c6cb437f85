/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rebuild.c - the machine of every recorded failure rebuilt, and the request made in it again: it
 * fails in the same way, and the rebuilt machine's report has the lines of the recorded one as far
 * as they tell the state of pages. With zones where the log has them, and at places chosen. Output
 * is TAP.
 *
 * usage: rebuild MACHINES
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/explain_state.h"
#include "explain.h"
#include "input/source.h"
#include "walk.h"

enum { RECORDED_FAILURES = 16 };

static unsigned int golden_run, golden_failed, golden_failures, golden_lines, golden_verified;
static unsigned int golden_placed;

static void golden_ok(bool ok, const char *machine, const char *what)
{
	golden_run++;
	golden_failed += !ok;
	printf("%sok %u - %s: %s\n", ok ? "" : "not ", golden_run, machine, what);
}

/* The value behind " KEY:" in a line; false when it has none. */
static bool golden_value(const char *line, const char *key, char *value, size_t size)
{
	char name[64];
	const char *at;
	size_t n;

	snprintf(name, sizeof(name), " %s:", key);
	at = strstr(line, name);
	if (!at)
		return false;
	at += strlen(name);
	n = strcspn(at, " ");
	if (n >= size)
		return false;
	memcpy(value, at, n);
	value[n] = 0;
	return true;
}

/* A zone's line, in what depends on the state of pages. */
static bool golden_zone_line(const char *log, const char *rebuilt)
{
	static const char *const keys[] = { "free",    "boost",	  "min",     "low",
					    "high",    "present", "managed", "reserved_highatomic",
					    "free_cma" };
	char a[32], b[32];

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!golden_value(log, keys[i], a, sizeof(a)))
			continue;
		if (!golden_value(rebuilt, keys[i], b, sizeof(b)) || strcmp(a, b) != 0)
			return false;
	}
	return true;
}

/* Whether a line of the log ends with a text. */
static bool golden_ends(const char *log, const char *line)
{
	size_t n = strlen(log), k = strlen(line);

	while (n && log[n - 1] == ' ')
		n--;
	while (k && line[k - 1] == ' ')
		k--;
	return n >= k && !memcmp(log + n - k, line, k);
}

/* The lines of one zone: its numbers, its reserves, its free blocks. */
static void golden_zone(const char *machine, const struct facts *f, const struct ex_zone *z,
			char *text)
{
	const char *zone_line = f->line_texts.v[z->fact->at.line - 1];
	const char *reserve_line = f->line_texts.v[z->fact->at.line];
	const char *block_line = f->line_texts.v[z->fact->orders_at.line - 1];
	bool numbers = false, reserves = false, blocks = false;
	char head[32], head_blocks[32];
	char *copy = xstrdup(text);
	bool mine = false;

	snprintf(head, sizeof(head), "Node %d %s free:", z->fact->nid, z->fact->name);
	snprintf(head_blocks, sizeof(head_blocks), "Node %d %s: ", z->fact->nid, z->fact->name);
	for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n")) {
		if (!strncmp(line, head, strlen(head))) {
			numbers = golden_zone_line(zone_line, line);
			mine = true;
			continue;
		}
		if (!strncmp(line, head_blocks, strlen(head_blocks)))
			blocks = golden_ends(block_line, line);
		if (mine && !strncmp(line, "lowmem_reserve[]:", 17))
			reserves = golden_ends(reserve_line, line);
		mine = false;
	}
	free(copy);
	golden_lines += numbers && reserves && blocks;
	golden_ok(numbers, machine, "the zone's numbers");
	golden_ok(reserves, machine, "its lowmem reserves");
	golden_ok(blocks, machine, "its free blocks, byte for byte");
}

/* The report of the rebuilt machine beside the recorded one. */
static void golden_report(const char *machine, const struct explained *e, const struct facts *f,
			  const struct explanation *x, const struct ex_places *places)
{
	static char text[1 << 16];
	struct pzl_text_buffer buffer = { text, sizeof(text), 0 };
	struct pzl_rebuild_try t;
	struct pzl_rebuilt r;
	struct pzl_meminfo m;
	struct ex_state s;

	ex_state_make(&s, e, f, x, places, false, NULL);
	golden_placed += s.placed;
	if (pzl_rebuild(&r, &s.config, NULL)) {
		golden_ok(false, machine, "is rebuilt");
		ex_state_destroy(&s);
		return;
	}
	golden_ok(!pz_pages_check(r.pages), machine, "the rebuilt allocator is sound");
	golden_ok(!pzl_rebuild_request(&r, x->gfp, x->failure->order, &t) &&
			  (t.rc == -PZ_ENOMEM || t.rc == -PZ_ERANGE),
		  machine, "the request fails again");
	golden_ok(t.report.outcome == t.rc, machine, "as the report of the allocator says");
	if (!pzl_rebuild_meminfo(&r, &m)) {
		pzl_print_mem_info(&m, x->highest, 0, pzl_emit_to_buffer, &buffer);
		for (size_t i = 0; i < x->zones.n; i++)
			golden_zone(machine, f, &x->zones.v[i], text);
		pzl_meminfo_destroy(&m);
	}
	pzl_rebuild_destroy(&r);
	ex_state_destroy(&s);
}

static void golden_one(const char *machine, const struct explanation *x)
{
	const struct ex_rebuilt *r = x->rebuilt;

	golden_failures++;
	golden_ok(r && r->again == EX_FAILS_ALIKE, machine, "fails alike");
	golden_ok(r && !r->differences.n, machine, "nothing differs from the report");
	golden_ok(r && r->zones.n == x->zones.n, machine, "every zone has a verdict");
	for (size_t i = 0; r && i < r->zones.n; i++)
		golden_ok(r->zones.v[i].alike, machine, "a zone refuses for the same reason");
	if (r && r->obstacle)
		printf("# %s\n", r->obstacle);
	for (size_t i = 0; i < x->remedies.n; i++) {
		const struct ex_remedy *m = &x->remedies.v[i];
		/* What lies in a row cannot be counted on when single pages come free. */
		bool pages = m->kind == EX_R_FREE || m->kind == EX_R_DRAIN;

		golden_verified += m->tried == EX_HELPED;
		golden_ok(m->tried != EX_IN_VAIN || pages, machine, "a remedy that was tried");
	}
}

/* Each failure by itself, for equal ones are explained once. */
static void golden_failures_of(const char *name, struct facts *f)
{
	const struct analysis_options how = { .model = NULL };
	struct fact_failure *all = f->failures.v;
	size_t n = f->failures.n;

	for (size_t i = 0; i < n; i++) {
		struct ex_places places, none;
		struct explained e;
		char *err = NULL;

		f->failures.v = all + i;
		f->failures.n = 1;
		memset(&e, 0, sizeof(e));
		memset(&none, 0, sizeof(none));
		if (explain(&e, f, &how, &err)) {
			golden_ok(false, name, err ? err : "cannot be explained");
			free(err);
		} else {
			explain_rebuild(&e, f, &how);
			ex_places_find(&places, f, &how);
			for (size_t k = 0; k < e.all.n; k++) {
				if (!e.all.v[k].failure)
					continue;
				golden_one(name, &e.all.v[k]);
				golden_report(name, &e, f, &e.all.v[k], &places);
				golden_report(name, &e, f, &e.all.v[k], &none);
			}
			ex_places_destroy(&places);
		}
		explained_destroy(&e);
	}
	f->failures.v = all;
	f->failures.n = n;
}

static void golden_machine(const char *dir, const char *name)
{
	const struct source_options from = { .boot = 0 };
	struct facts f;
	char *err = NULL;

	facts_init(&f);
	f.keep_lines = true;
	if (source_read(&f, dir, &from, &err)) {
		golden_ok(false, name, err ? err : "cannot be read");
		free(err);
	} else {
		golden_failures_of(name, &f);
	}
	facts_destroy(&f);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: rebuild MACHINES\n");
		return 2;
	}
	golden_walk(argv[1], golden_machine);
	golden_ok(golden_failures == RECORDED_FAILURES, "all", "as many failures as were recorded");
	golden_ok(golden_placed == RECORDED_FAILURES, "all", "each once where the log has it");
	golden_ok(golden_verified > RECORDED_FAILURES, "all", "remedies were verified");
	printf("# %u failures, %u zones with equal lines, %u remedies verified\n", golden_failures,
	       golden_lines, golden_verified);
	printf("1..%u\n", golden_run);
	return golden_failed != 0;
}
