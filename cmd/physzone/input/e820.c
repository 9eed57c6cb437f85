/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * e820.c - listings of a firmware map without a log around them.
 *
 * Understood are, one entry a line, with blank lines and lines that start with # between:
 *
 *     BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable
 *     BIOS-e820: 0000000000000000 - 000000000009fc00 (usable)       before Linux 3.5
 *     0x0-0x9fbff usable                                            also "first..last type"
 *     0 0x0 0x9fbff System RAM                                      /sys/firmware/memmap
 *
 * The end of a range is included, except in the second form. Many tables are written with ends
 * that are not. Such a table shows itself: every end of it is a multiple of 16, which the last
 * byte of a range never is in practice. It is then taken so, and a note says it.
 */
#include "input/proc.h"

#include <string.h>

#include <physzone/map.h>

#include "input/scan.h"

static const struct e820_word {
	const char *word;
	uint32_t type;
} e820_words[] = {
	{ "usable", PZ_MAP_RAM },
	{ "System RAM", PZ_MAP_RAM },
	{ "RAM", PZ_MAP_RAM },
	{ "reserved", PZ_MAP_RESERVED },
	{ "Reserved", PZ_MAP_RESERVED },
	{ "ACPI data", PZ_MAP_ACPI },
	{ "ACPI Tables", PZ_MAP_ACPI },
	{ "ACPI NVS", PZ_MAP_NVS },
	{ "ACPI Non-volatile Storage", PZ_MAP_NVS },
	{ "unusable", PZ_MAP_UNUSABLE },
	{ "Unusable memory", PZ_MAP_UNUSABLE },
	{ "persistent", PZ_MAP_PMEM },
	{ "Persistent Memory", PZ_MAP_PMEM },
	{ "persistent (type 7)", PZ_MAP_PMEM },
	{ "persistent (type 12)", PZ_MAP_PRAM },
	{ "Persistent Memory (legacy)", PZ_MAP_PRAM },
	{ "soft reserved", PZ_MAP_SOFT_RESERVED },
	{ "Soft Reserved", PZ_MAP_SOFT_RESERVED },
};

uint32_t e820_type(const char *word, size_t len)
{
	struct span s = { word, word + len };
	uint64_t number;

	for (size_t i = 0; i < sizeof(e820_words) / sizeof(e820_words[0]); i++)
		if (span_is(s, e820_words[i].word))
			return e820_words[i].type;
	span_text(&s, "type ");
	if (span_dec(&s, &number) && s.p == s.end && number <= UINT32_MAX)
		return (uint32_t)number;
	return 0;
}

enum e820_form {
	E820_NONE,
	E820_BIOS,   /* with the words of the kernel's log */
	E820_TABLE,  /* first and last */
	E820_MEMMAP, /* number, first, last */
};

struct e820_line {
	struct pz_range range;
	struct span word;
	bool excluded; /* the end is not included */
};

/* The two forms of the kernel's log, behind "BIOS-e820:". */
static bool e820_log_line(struct span s, struct e820_line *l)
{
	span_blanks(&s);
	if (span_text(&s, "[mem ")) {
		if (!span_hex(&s, &l->range.first) || !span_char(&s, '-') ||
		    !span_hex(&s, &l->range.last) || !span_char(&s, ']'))
			return false;
		span_blanks(&s);
		l->word = s;
		return l->word.p < l->word.end;
	}
	if (!span_hex(&s, &l->range.first) || !span_text(&s, " - ") ||
	    !span_hex(&s, &l->range.last) || !span_text(&s, " (") || s.end[-1] != ')')
		return false;
	l->excluded = true;
	l->word = s;
	l->word.end--;
	return l->word.p < l->word.end;
}

static enum e820_form e820_line(struct span s, struct e820_line *l)
{
	struct span t = s;
	uint64_t number;

	memset(l, 0, sizeof(*l));
	span_blanks(&s);
	span_trim(&s);
	if (span_text(&s, "BIOS-e820:") || span_text(&s, "Xen:"))
		return e820_log_line(s, l) ? E820_BIOS : E820_NONE;
	if (s.p < s.end && *s.p == '[')
		return e820_log_line(s, l) ? E820_BIOS : E820_NONE;
	t = s;
	if (span_dec(&t, &number) && span_blanks(&t) && span_text(&t, "0x") && t.p < t.end) {
		t.p -= 2;
		if (span_hex(&t, &l->range.first) && span_blanks(&t) && span_text(&t, "0x") &&
		    span_hex(&t, &l->range.last) && span_blanks(&t) && t.p < t.end) {
			l->word = t;
			return E820_MEMMAP;
		}
	}
	if (!span_hex(&s, &l->range.first))
		return E820_NONE;
	span_blanks(&s);
	if (!span_char(&s, '-') && !span_text(&s, ".."))
		return E820_NONE;
	span_blanks(&s);
	if (!span_hex(&s, &l->range.last) || !span_blanks(&s) || s.p == s.end)
		return E820_NONE;
	l->word = s;
	return E820_TABLE;
}

static bool e820_passed_over(struct span s)
{
	if (span_empty(s))
		return true;
	span_blanks(&s);
	return *s.p == '#' || span_text(&s, "BIOS-provided physical RAM map");
}

bool e820_is_listing(const char *buf, size_t len)
{
	bool any = false;
	struct scan s;

	scan_init(&s, buf, len);
	while (scan_line(&s)) {
		struct e820_line l;

		if (e820_passed_over(s.line))
			continue;
		switch (e820_line(s.line, &l)) {
		case E820_NONE:
			return false;
		case E820_BIOS:
			any = true;
			break;
		default:
			return true;
		}
	}
	return any;
}

/* Take the ends of the entries from @from on as not included. */
static int e820_exclude_ends(struct facts *f, uint32_t file, size_t from, char **err)
{
	for (size_t i = from; i < f->fw.n; i++) {
		struct fact_fw *e = &f->fw.v[i];

		if (e->range.last == e->range.first)
			return scan_error(f, e->at, err, "the range is empty");
		e->range.last--;
	}
	facts_note(f,
		   "%s: the ends of its ranges are taken as not included: all are multiples of 16",
		   f->files.v[file]);
	return 0;
}

int e820_listing(struct facts *f, uint32_t file, const char *buf, size_t len, char **err)
{
	size_t before = f->fw.n;
	struct where at = { file, 0 };
	bool table = true, round = true;
	struct scan s;

	scan_init(&s, buf, len);
	while (scan_line(&s)) {
		enum e820_form form;
		struct e820_line l;
		struct fact_fw *e;

		at.line = s.number;
		if (e820_passed_over(s.line)) {
			scan_count(f, at, false);
			continue;
		}
		form = e820_line(s.line, &l);
		if (form == E820_NONE)
			return scan_expected(f, at, s.line, "\"first-last type\"", err);
		if (l.range.first > l.range.last)
			return scan_error(f, at, err, "the range ends before it starts");
		if (l.excluded) {
			if (l.range.first == l.range.last)
				return scan_error(f, at, err, "the range is empty");
			l.range.last--;
		}
		e = vec_push(&f->fw);
		e->origin = form == E820_MEMMAP ? FW_MEMMAP : FW_BIOS;
		e->range = l.range;
		e->type = e820_type(l.word.p, (size_t)(l.word.end - l.word.p));
		e->word = span_dup(l.word);
		e->nid = PZ_NID_NONE;
		e->at = at;
		if (!e->type)
			return scan_expected(f, at, l.word, "a type such as usable or reserved",
					     err);
		table = table && form == E820_TABLE;
		round = round && l.range.last % 16 == 0;
		scan_count(f, at, true);
	}
	at.line = 0;
	if (f->fw.n == before)
		return scan_error(f, at, err, "no \"first-last type\" line in it");
	return table && round ? e820_exclude_ends(f, file, before, err) : 0;
}
