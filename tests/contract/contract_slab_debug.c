/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_slab_debug.c - the string of slub_debug=: what it means for a cache, and what is odd
 * about it. Expected values are those of docs/facts/slab.md section 12.
 */
#include <physzone/slab_debug.h>

#include "suites_decl.h"
#include "tap.h"

#define F PZ_SLAB_DEBUG_CHECKS
#define Z PZ_SLAB_DEBUG_RED_ZONE
#define P PZ_SLAB_DEBUG_POISON
#define U PZ_SLAB_DEBUG_USERS
#define T PZ_SLAB_DEBUG_TRACE
#define A PZ_SLAB_DEBUG_FAULT
#define O PZ_SLAB_DEBUG_KEEP_ORDER
#define FZPU PZ_SLAB_DEBUG_DEFAULT
#define NO_USER PZ_SLAB_DEBUG_NO_USER_FLAGS
#define NO_LEAK PZ_SLAB_DEBUG_NO_LEAK_TRACE

struct dbg_case {
	const char *text; /* NULL for the bare option */
	uint32_t rules;
	const char *name;
	uint32_t own, flags;
};

static const struct dbg_case dbg_cases[] = {
	{ NULL, 0, "dentry", 0, FZPU },
	{ "", 0, "dentry", 0, FZPU },
	{ "FZ", 0, "dentry", 0, F | Z },
	{ "fzputa", 0, "dentry", 0, F | Z | P | U | T | A },
	{ "-", PZ_SLAB_DEBUG_ON, "dentry", 0, 0 },
	{ "FZ-P", 0, "dentry", 0, P },
	{ "FxZ", 0, "dentry", 0, F | Z },
	{ "O", PZ_SLAB_DEBUG_ON, "dentry", 0, O },
	{ "FO-", 0, "dentry", 0, O },
	{ "FZPUO", 0, "dentry", 0, FZPU | O },
	{ ",dentry", 0, "dentry", 0, FZPU },
	{ ",dentry", 0, "dentry2", 0, 0 },
	{ ",dentry", 0, "dentr", 0, 0 },
	{ "Z,dentry,filp", 0, "filp", 0, Z },
	{ "Z,dentry,filp", PZ_SLAB_DEBUG_ON, "pid", 0, FZPU },
	{ "Z,dentry,filp", PZ_SLAB_DEBUG_ON, "dentry", 0, Z },
	{ "P,dma-kmalloc-*", 0, "dma-kmalloc-64", 0, P },
	{ "P,dma-kmalloc-*", 0, "dma-kmalloc-", 0, P },
	{ "P,dma-kmalloc-*", 0, "kmalloc-64", 0, 0 },
	{ "P,*", 0, "pid", 0, P },
	{ "P,d*y", 0, "dXXX", 0, P },
	/* a named block counts alone, wherever it stands */
	{ "FZ;P,dentry", 0, "dentry", 0, P },
	{ "P,dentry;FZ", 0, "dentry", 0, P },
	{ "P,dentry;FZ", 0, "pid", 0, F | Z },
	{ "P,dent*;Z,dentry", 0, "dentry", 0, P },
	{ "P;Z", 0, "dentry", 0, Z },
	{ "Z,dentry;O,pid", 0, "dentry", 0, Z | O },
	{ "-,dentry;FZ", 0, "dentry", 0, 0 },
	/* blocks of nothing */
	{ ";;F;;", 0, "dentry", 0, F },
	{ ";", PZ_SLAB_DEBUG_ON, "dentry", 0, 0 },
	{ "F,", 0, "dentry", 0, 0 },
	{ "F,", PZ_SLAB_DEBUG_ON, "dentry", 0, FZPU },
	{ "F,,pid", 0, "pid", 0, F },
	{ "F,,pid", 0, "", 0, 0 },
	/* a cache's own options stay */
	{ "Z,dentry", 0, "dentry", P, Z | P },
	{ "Z", 0, "dentry", T, Z | T },
	{ "ZU", 0, "kmem", NO_USER, 0 },
	{ "ZU,kmem", 0, "kmem", NO_USER | F, F },
	{ "ZU", PZ_SLAB_DEBUG_ALL_CACHES, "kmem", NO_USER, Z | U },
	{ "ZU", 0, "kmemleak_object", NO_LEAK, Z },
	{ "ZU,kmemleak*", 0, "kmemleak_object", NO_LEAK, Z | U },
	{ "Z", 0, "kmemleak_object", NO_LEAK | U, Z | U },
	/* where Linux takes the ";" for a part of the name */
	{ "Z,a;", 0, "a", 0, Z },
	{ "Z,a;", PZ_SLAB_DEBUG_ENDS, "a", 0, 0 },
	{ "Z,a;;P,b", PZ_SLAB_DEBUG_ENDS, "a", 0, 0 },
	{ "Z,a;;P,b", PZ_SLAB_DEBUG_ENDS, "b", 0, P },
	{ "Z,a;P,b", PZ_SLAB_DEBUG_ENDS, "a", 0, Z },
	{ "Z,a,c;;P,b", PZ_SLAB_DEBUG_ENDS, "a", 0, Z },
	{ "Z,a,c;;P,b", PZ_SLAB_DEBUG_ENDS, "c", 0, 0 },
	{ "Z,a*;;P,b", PZ_SLAB_DEBUG_ENDS, "ab", 0, Z },
};

struct dbg_told {
	uint32_t n;
	enum pz_slab_debug_issue issue[8];
	size_t pos[8], len[8];
};

static size_t dbg_len(const char *s)
{
	size_t n = 0;

	while (s && s[n])
		n++;
	return n;
}

static void dbg_tell(void *ctx, enum pz_slab_debug_issue issue, size_t pos, size_t len)
{
	struct dbg_told *told = ctx;

	if (told->n < 8) {
		told->issue[told->n] = issue;
		told->pos[told->n] = pos;
		told->len[told->n] = len;
	}
	told->n++;
}

static void dbg_flags(struct tap *t)
{
	struct pz_slab_debug d;

	for (size_t i = 0; i < sizeof(dbg_cases) / sizeof(dbg_cases[0]); i++) {
		const struct dbg_case *c = &dbg_cases[i];
		uint32_t flags;

		pz_slab_debug_parse(&d, c->text, dbg_len(c->text), c->rules, NULL, NULL);
		flags = pz_slab_debug_flags(&d, c->name, dbg_len(c->name), c->own);
		CHECK_NAMED(t, flags == c->flags, c->text ? c->text : "the bare option");
	}
	pz_slab_debug_none(&d, 0);
	CHECK(t, pz_slab_debug_flags(&d, "pid", 3, T) == T);
	pz_slab_debug_none(&d, PZ_SLAB_DEBUG_ON);
	CHECK(t, pz_slab_debug_flags(&d, "pid", 3, 0) == FZPU);
	CHECK(t, pz_slab_debug_flags(&d, "pid", 3, NO_LEAK) == (F | Z | P));
}

struct dbg_odd {
	const char *text;
	uint32_t rules, n;
	enum pz_slab_debug_issue issue; /* the first */
	size_t pos, len;
};

static const struct dbg_odd dbg_odds[] = {
	{ "FZPU,dentry,kmalloc-*;O", 0, 0, PZ_SLAB_DEBUG_ISSUES, 0, 0 },
	{ "FqZ", 0, 1, PZ_SLAB_DEBUG_UNKNOWN, 1, 1 },
	{ "F Z", 0, 1, PZ_SLAB_DEBUG_UNKNOWN, 1, 1 },
	{ "\xff\x01", 0, 2, PZ_SLAB_DEBUG_UNKNOWN, 0, 1 },
	{ "FZ-P", 0, 1, PZ_SLAB_DEBUG_CLEARED, 0, 2 },
	{ "-P", 0, 0, PZ_SLAB_DEBUG_ISSUES, 0, 0 },
	{ ";F", 0, 1, PZ_SLAB_DEBUG_EMPTY_BLOCK, 0, 0 },
	{ "F;", 0, 1, PZ_SLAB_DEBUG_EMPTY_BLOCK, 2, 0 },
	{ "F,a;;F,b", 0, 1, PZ_SLAB_DEBUG_EMPTY_BLOCK, 4, 0 },
	{ ";", 0, 2, PZ_SLAB_DEBUG_EMPTY_BLOCK, 0, 0 },
	{ "F,", 0, 1, PZ_SLAB_DEBUG_EMPTY_NAME, 2, 0 },
	{ "F,,a", 0, 1, PZ_SLAB_DEBUG_EMPTY_NAME, 2, 0 },
	{ "F,d*y", 0, 1, PZ_SLAB_DEBUG_AFTER_STAR, 4, 1 },
	{ "F;Z", 0, 1, PZ_SLAB_DEBUG_LOST_BLOCK, 0, 1 },
	{ "FO,a", 0, 1, PZ_SLAB_DEBUG_SWITCH, 1, 1 },
	{ "F,a;;P,b", PZ_SLAB_DEBUG_ENDS, 2, PZ_SLAB_DEBUG_NO_MATCH, 2, 1 },
};

static void dbg_issues(struct tap *t)
{
	for (size_t i = 0; i < sizeof(dbg_odds) / sizeof(dbg_odds[0]); i++) {
		const struct dbg_odd *c = &dbg_odds[i];
		struct dbg_told told = { 0 };
		struct pz_slab_debug d;
		uint32_t n = pz_slab_debug_parse(&d, c->text, dbg_len(c->text), c->rules, dbg_tell,
						 &told);

		CHECK_NAMED(t, n == c->n && told.n == n, c->text);
		CHECK_NAMED(t,
			    !n || (told.issue[0] == c->issue && told.pos[0] == c->pos &&
				   told.len[0] == c->len),
			    c->text);
	}
	for (unsigned int i = 0; i < PZ_SLAB_DEBUG_ISSUES; i++)
		CHECK(t, pz_slab_debug_issue_text((enum pz_slab_debug_issue)i)[0] != '?');
	CHECK(t, pz_slab_debug_issue_text(PZ_SLAB_DEBUG_ISSUES)[0] == '?');
}

void contract_slab_debug(struct tap *t)
{
	dbg_flags(t);
	dbg_issues(t);
}
