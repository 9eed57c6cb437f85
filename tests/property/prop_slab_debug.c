/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_slab_debug.c - strings of slub_debug= against a second reading of them: one that cuts the
 * string into words first and looks through lists of them afterwards.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <physzone/slab_debug.h>

#include "prop.h"

#define BLOCKS 24
#define NAMES 24

struct word_block {
	char letters[64];
	bool listed;
	char names[NAMES][64];
	unsigned int n;
	bool last_spoilt; /* the reading of Linux gives the last name a ';' */
};

/* Cut at each @sep; empty pieces are pieces. */
static unsigned int cut(const char *s, char sep, char out[][64], unsigned int cap)
{
	unsigned int n = 0;
	size_t fill = 0;

	for (;; s++) {
		if (*s && *s != sep) {
			out[n][fill++] = *s;
			continue;
		}
		out[n++][fill] = 0;
		fill = 0;
		if (!*s || n == cap)
			return n;
	}
}

static unsigned int blocks_of(const char *s, struct word_block *out)
{
	char pieces[64][64], words[NAMES + 1][64];
	unsigned int n = cut(s, ';', pieces, 64), blocks = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct word_block *b = &out[blocks];
		unsigned int w;

		if (!pieces[i][0])
			continue;
		w = cut(pieces[i], ',', words, NAMES + 1);
		memset(b, 0, sizeof(*b));
		strcpy(b->letters, words[0]);
		b->listed = w > 1;
		for (unsigned int k = 1; k < w; k++)
			strcpy(b->names[b->n++], words[k]);
		b->last_spoilt = i + 1 < n && !pieces[i + 1][0];
		blocks++;
	}
	return blocks;
}

static uint32_t letters_mean(const struct word_block *b, bool *keep)
{
	static const char known[] = "fzputa";
	uint32_t flags = 0;

	if (!b->letters[0])
		return 0xf;
	for (const char *p = b->letters; *p; p++) {
		int c = tolower((unsigned char)*p);
		const char *at = strchr(known, c);

		if (c == '-')
			flags = 0;
		else if (c == 'o')
			*keep = true;
		else if (at)
			flags |= 1u << (at - known);
	}
	return flags;
}

static bool name_is(const struct word_block *b, unsigned int i, uint32_t rules, const char *name)
{
	const char *star = strchr(b->names[i], '*');

	if (star)
		return !strncmp(b->names[i], name, (size_t)(star - b->names[i]));
	if ((rules & PZ_SLAB_DEBUG_ENDS) && i == b->n - 1 && b->last_spoilt)
		return false;
	return b->names[i][0] && !strcmp(b->names[i], name);
}

static uint32_t naive(const char *s, uint32_t rules, const char *name, uint32_t own)
{
	struct word_block b[BLOCKS];
	unsigned int n = blocks_of(s, b);
	uint32_t global = rules & PZ_SLAB_DEBUG_ON ? 0xf : 0, named = 0;
	bool keep = false, plain = false, lists = false, hit = false;

	for (unsigned int i = 0; i < n; i++) {
		uint32_t flags = letters_mean(&b[i], &keep);

		if (!b[i].listed) {
			global = flags;
			plain = true;
		}
		lists = lists || b[i].listed;
		for (unsigned int k = 0; k < b[i].n && !hit; k++) {
			if (name_is(&b[i], k, rules, name)) {
				hit = true;
				named = flags;
			}
		}
	}
	if (!*s)
		global = 0xf;
	else if (!plain && !lists)
		global = 0;
	if (own & PZ_SLAB_DEBUG_NO_LEAK_TRACE)
		global &= ~8u;
	if ((own & PZ_SLAB_DEBUG_NO_USER_FLAGS) && !(rules & PZ_SLAB_DEBUG_ALL_CACHES))
		hit = true, named = 0;
	return (own & 0x3f) | (hit ? named : global) | (keep ? 0x40u : 0);
}

/* Pieces that strings are put together of, so that names are hit. */
static const char *const pieces[] = {
	"F", "z", "P", "u", "T", "a",	"O",  "-", "x",
	";", ";", ",", ",", "*", "pid", "pi", "d", "dentry",
};
#define PIECES (sizeof(pieces) / sizeof(pieces[0]))

static const char *const names[] = { "pid", "pi", "d", "dentry", "pidd", "Pid", "F", "" };

struct seen {
	size_t len;
	uint32_t n;
	bool bad;
};

static void tell(void *ctx, enum pz_slab_debug_issue issue, size_t pos, size_t len)
{
	struct seen *s = ctx;

	s->n++;
	s->bad = s->bad || pos > s->len || len > s->len - pos || issue >= PZ_SLAB_DEBUG_ISSUES;
}

static bool same(struct prop *p, void *ctx)
{
	static const uint32_t owns[] = { 0, 0x2, 0x100, 0x200, 0x208, 0x304 };
	char s[256] = "";
	uint32_t rules = (uint32_t)prop_draw(p, 7), own = owns[prop_choice(p, 6)];
	unsigned int n = (unsigned int)prop_draw(p, 16);
	struct seen seen = { 0 };
	struct pz_slab_debug d;

	(void)ctx;
	for (unsigned int i = 0; i < n; i++)
		strcat(s, pieces[prop_choice(p, PIECES)]);
	seen.len = strlen(s);
	prop_note(p, "\"%s\" rules %u own %#x", s, rules, own);
	PROP_ASSERT(p, pz_slab_debug_parse(&d, s, seen.len, rules, tell, &seen) == seen.n);
	PROP_ASSERT(p, !seen.bad);
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint32_t is = pz_slab_debug_flags(&d, names[i], strlen(names[i]), own);

		prop_note(p, "%s: %#x, naive %#x", names[i], is, naive(s, rules, names[i], own));
		PROP_ASSERT(p, is == naive(s, rules, names[i], own));
	}
	return true;
}

int main(void)
{
	prop_run("a string means for a cache what a second reading says", same, NULL, 30000);
	return prop_done();
}
