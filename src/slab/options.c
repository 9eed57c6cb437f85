/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.c - the string that says which caches are debugged, and how.
 *
 * Concept
 *  The string is kept as it is and cut into blocks: once to read what concerns all caches and to
 *  tell what is odd, and again for each cache that is made, to look for its name. Names are not
 *  collected, so their number has no bound and no memory is needed.
 *
 * Invariants
 *  1. every byte belongs to one block, or is a ";" between blocks;
 *  2. looking a name up reads each byte at most twice;
 *  3. positions that are told lie inside the string, or at its end.
 *
 * Failure
 *  None: every string means something. What looks unintended is told.
 *
 * Shortcomings
 *  A name in a later block that an earlier one hides is not told.
 */
#include <physzone/slab_debug.h>

#include "../base/pz_string.h"

/* A block: the letters are text[first, letters), the names text[names, end). */
struct options_block {
	size_t first;
	size_t letters; /* where letters end */
	size_t names;	/* behind the first ",", or end when there is none */
	size_t end;
	size_t next; /* where the next block begins; the length of the string after the last */
	bool has_names;
};

struct options_report {
	pz_slab_debug_fn fn;
	void *ctx;
	uint32_t count;
};

static void options_tell(struct options_report *r, enum pz_slab_debug_issue issue, size_t pos,
			 size_t len)
{
	r->count++;
	if (r->fn)
		r->fn(r->ctx, issue, pos, len);
}

/* First @c in text[from, to), or @to. */
static size_t options_find(const char *text, size_t from, size_t to, char c)
{
	while (from < to && text[from] != c)
		from++;
	return from;
}

/* The block that begins at or behind @at; false when there is none. */
static bool options_next(const struct pz_slab_debug *d, size_t at, struct options_block *b)
{
	while (at < d->len && d->text[at] == ';')
		at++;
	if (at == d->len)
		return false;
	b->first = at;
	b->end = options_find(d->text, at, d->len, ';');
	b->letters = options_find(d->text, at, b->end, ',');
	b->has_names = b->letters < b->end;
	b->names = b->has_names ? b->letters + 1 : b->end;
	b->next = b->end;
	while (b->next < d->len && d->text[b->next] == ';')
		b->next++;
	return true;
}

/* The option of a letter, or 0. */
static uint32_t options_letter(char c)
{
	switch (c) {
	case 'f':
	case 'F':
		return PZ_SLAB_DEBUG_CHECKS;
	case 'z':
	case 'Z':
		return PZ_SLAB_DEBUG_RED_ZONE;
	case 'p':
	case 'P':
		return PZ_SLAB_DEBUG_POISON;
	case 'u':
	case 'U':
		return PZ_SLAB_DEBUG_USERS;
	case 't':
	case 'T':
		return PZ_SLAB_DEBUG_TRACE;
	case 'a':
	case 'A':
		return PZ_SLAB_DEBUG_FAULT;
	case 'o':
	case 'O':
		return PZ_SLAB_DEBUG_KEEP_ORDER;
	default:
		return 0;
	}
}

/* What the letters of a block say. The switch is never taken back. */
static uint32_t options_letters(const struct pz_slab_debug *d, const struct options_block *b)
{
	uint32_t flags = 0;

	if (b->letters == b->first)
		return PZ_SLAB_DEBUG_DEFAULT;
	for (size_t i = b->first; i < b->letters; i++) {
		if (d->text[i] == '-')
			flags &= PZ_SLAB_DEBUG_KEEP_ORDER;
		else
			flags |= options_letter(d->text[i]);
	}
	return flags;
}

/* Whether the last name of a block is read with the ";" behind it. */
static bool options_swallows(const struct pz_slab_debug *d, const struct options_block *b)
{
	if (!(d->rules & PZ_SLAB_DEBUG_ENDS) || b->end == d->len)
		return false;
	return b->next == d->len || b->next > b->end + 1;
}

static void options_check_letters(const struct pz_slab_debug *d, const struct options_block *b,
				  struct options_report *r)
{
	uint32_t seen = 0;
	size_t from = b->first;

	for (size_t i = b->first; i < b->letters; i++) {
		uint32_t flag = options_letter(d->text[i]);

		if (d->text[i] == '-') {
			if (seen)
				options_tell(r, PZ_SLAB_DEBUG_CLEARED, from, i - from);
			seen = 0;
			from = i + 1;
		} else if (!flag) {
			options_tell(r, PZ_SLAB_DEBUG_UNKNOWN, i, 1);
		} else if (flag == PZ_SLAB_DEBUG_KEEP_ORDER) {
			if (b->has_names)
				options_tell(r, PZ_SLAB_DEBUG_SWITCH, i, 1);
		} else {
			seen |= flag;
		}
	}
}

static void options_check_names(const struct pz_slab_debug *d, const struct options_block *b,
				struct options_report *r)
{
	size_t at = b->names;

	while (b->has_names && at <= b->end) {
		size_t end = options_find(d->text, at, b->end, ',');
		size_t star = options_find(d->text, at, end, '*');

		if (at == end)
			options_tell(r, PZ_SLAB_DEBUG_EMPTY_NAME, at, 0);
		else if (star < end && star + 1 < end)
			options_tell(r, PZ_SLAB_DEBUG_AFTER_STAR, star + 1, end - star - 1);
		else if (star == end && end == b->end && options_swallows(d, b))
			options_tell(r, PZ_SLAB_DEBUG_NO_MATCH, at, end - at);
		at = end + 1;
	}
}

/* Each ";" that has no block before it. */
static void options_check_gap(size_t from, size_t to, struct options_report *r)
{
	for (size_t i = from; i < to; i++)
		options_tell(r, PZ_SLAB_DEBUG_EMPTY_BLOCK, i, 0);
}

uint32_t pz_slab_debug_parse(struct pz_slab_debug *d, const char *text, size_t len, uint32_t rules,
			     pz_slab_debug_fn report, void *ctx)
{
	struct options_report r = { report, ctx, 0 };
	struct options_block b;
	size_t at = 0, lost = 0, lost_len = 0;
	bool global = false;

	pz_slab_debug_none(d, rules);
	d->text = text;
	d->len = text ? len : 0;
	if (!d->len) {
		d->global = PZ_SLAB_DEBUG_DEFAULT;
		return 0;
	}
	while (options_next(d, at, &b)) {
		uint32_t flags = options_letters(d, &b);

		/* Of the ";" before a block one belongs to the block before that. */
		options_check_gap(at, b.first, &r);
		if (flags & PZ_SLAB_DEBUG_KEEP_ORDER)
			d->keep_order = true;
		options_check_letters(d, &b, &r);
		options_check_names(d, &b, &r);
		if (b.has_names) {
			d->named = true;
		} else {
			if (global)
				options_tell(&r, PZ_SLAB_DEBUG_LOST_BLOCK, lost, lost_len);
			global = true;
			lost = b.first;
			lost_len = b.end - b.first;
			d->global = flags & PZ_SLAB_DEBUG_ALL;
		}
		at = b.end < d->len ? b.end + 1 : d->len;
	}
	options_check_gap(at, d->len, &r);
	if (text[d->len - 1] == ';')
		options_tell(&r, PZ_SLAB_DEBUG_EMPTY_BLOCK, d->len, 0);
	/* Where a string has no block, none of it says that debugging is on. */
	if (!global && !d->named)
		d->global = 0;
	return r.count;
}

void pz_slab_debug_none(struct pz_slab_debug *d, uint32_t rules)
{
	d->text = NULL;
	d->len = 0;
	d->rules = rules;
	d->global = rules & PZ_SLAB_DEBUG_ON ? PZ_SLAB_DEBUG_DEFAULT : 0;
	d->keep_order = false;
	d->named = false;
}

/* Whether a block has the name of a cache. */
static bool options_named(const struct pz_slab_debug *d, const struct options_block *b,
			  const char *name, size_t name_len)
{
	size_t at = b->names;

	while (at < b->end) {
		size_t end = options_find(d->text, at, b->end, ',');
		size_t star = options_find(d->text, at, end, '*');
		size_t n = star - at;
		bool match = star < end ? n <= name_len : n == name_len;

		/* An empty name stands for no cache, but "*" for all. */
		if (at < end && match && !memcmp(d->text + at, name, n) &&
		    !(star == end && end == b->end && options_swallows(d, b)))
			return true;
		at = end + 1;
	}
	return false;
}

uint32_t pz_slab_debug_flags(const struct pz_slab_debug *d, const char *name, size_t name_len,
			     uint32_t own)
{
	const uint32_t keep = d->keep_order ? PZ_SLAB_DEBUG_KEEP_ORDER : 0;
	uint32_t flags = own & PZ_SLAB_DEBUG_ALL, global = d->global;
	struct options_block b;
	size_t at = 0;

	if ((own & PZ_SLAB_DEBUG_NO_USER_FLAGS) && !(d->rules & PZ_SLAB_DEBUG_ALL_CACHES))
		return flags | keep;
	while (d->named && options_next(d, at, &b)) {
		if (b.has_names && options_named(d, &b, name, name_len))
			return flags | (options_letters(d, &b) & PZ_SLAB_DEBUG_ALL) | keep;
		at = b.next;
	}
	if (own & PZ_SLAB_DEBUG_NO_LEAK_TRACE)
		global &= ~PZ_SLAB_DEBUG_USERS;
	return flags | global | keep;
}

const char *pz_slab_debug_issue_text(enum pz_slab_debug_issue issue)
{
	static const char *const texts[PZ_SLAB_DEBUG_ISSUES] = {
		[PZ_SLAB_DEBUG_UNKNOWN] = "no such option: skipped",
		[PZ_SLAB_DEBUG_CLEARED] = "taken back by the \"-\" behind it",
		[PZ_SLAB_DEBUG_EMPTY_BLOCK] = "an empty block: skipped",
		[PZ_SLAB_DEBUG_EMPTY_NAME] = "a name is expected",
		[PZ_SLAB_DEBUG_AFTER_STAR] = "ignored behind \"*\"",
		[PZ_SLAB_DEBUG_LOST_BLOCK] = "replaced by a later block without names",
		[PZ_SLAB_DEBUG_SWITCH] = "O is for all caches, not only for those named",
		[PZ_SLAB_DEBUG_NO_MATCH] =
			"no cache has this name: the \";\" behind it belongs to it",
	};

	return (unsigned int)issue < PZ_SLAB_DEBUG_ISSUES ? texts[issue] : "?";
}
