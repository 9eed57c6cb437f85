/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc_maps.c - maps that a running kernel keeps: /sys/firmware/memmap, /sys/kernel/debug/memblock,
 * and runs of page frames from /proc/kpageflags.
 */
#include "input/proc.h"

#include <string.h>

#include "input/scan.h"

/* "0 0x0 0xfff Reserved" */
int proc_memmap(struct facts *f, uint32_t file, const char *buf, size_t len, char **err)
{
	struct where at = { file, 0 };
	struct scan s;

	scan_init(&s, buf, len);
	while (scan_line(&s)) {
		struct span rest = s.line;
		struct fact_fw *e;
		struct pz_range r;
		uint64_t number;

		at.line = s.number;
		span_trim(&rest);
		if (span_empty(rest) || span_is(rest, "none")) {
			scan_count(f, at, false);
			continue;
		}
		span_blanks(&rest);
		if (!span_dec(&rest, &number) || !span_blanks(&rest) ||
		    !span_hex(&rest, &r.first) || !span_blanks(&rest) ||
		    !span_hex(&rest, &r.last) || !span_blanks(&rest) || span_empty(rest))
			return scan_expected(f, at, s.line, "\"number first last type\"", err);
		if (r.first > r.last)
			return scan_error(f, at, err, "the range ends before it starts");
		e = vec_push(&f->fw);
		e->origin = FW_MEMMAP;
		e->range = r;
		e->type = e820_type(rest.p, (size_t)(rest.end - rest.p));
		e->word = span_dup(rest);
		e->nid = PZ_NID_NONE;
		e->at = at;
		scan_count(f, at, true);
	}
	return 0;
}

static const char *const memblock_flags[] = { "HOTPLUG", "MIRROR", "NOMAP", "DRV_MNG", "RSV_NIT" };

/* "NONE", or names joined by "|"; a name that is not known makes the line bad. */
static bool memblock_flag_word(struct span word, uint32_t *flags)
{
	*flags = 0;
	if (span_is(word, "NONE"))
		return true;
	while (word.p < word.end) {
		size_t i, n = sizeof(memblock_flags) / sizeof(memblock_flags[0]);

		for (i = 0; i < n; i++)
			if (span_text(&word, memblock_flags[i]))
				break;
		if (i == n)
			return false;
		*flags |= 1u << i;
		if (!span_char(&word, '|'))
			return word.p == word.end;
	}
	return false;
}

/* "   0: 0x40000000..0x7fffffff", then on newer kernels a node (or x) and the flags. */
static bool memblock_region(struct span rest, struct fact_mb_region *r)
{
	struct span word;
	uint64_t index, nid;

	span_blanks(&rest);
	if (!span_dec(&rest, &index) || !span_char(&rest, ':') || !span_blanks(&rest) ||
	    !span_hex(&rest, &r->range.first) || !span_text(&rest, "..") ||
	    !span_hex(&rest, &r->range.last))
		return false;
	r->nid = PZ_NID_NONE;
	if (span_empty(rest))
		return true;
	span_blanks(&rest);
	if (!span_char(&rest, 'x')) {
		if (!span_dec(&rest, &nid) || nid > INT32_MAX)
			return false;
		r->nid = (int)nid;
	}
	return span_blanks(&rest) && span_word(&rest, &word) &&
	       memblock_flag_word(word, &r->flags) && span_empty(rest);
}

static bool memblock_ends_with(struct span s, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(s.end - s.p) >= n && !memcmp(s.end - n, text, n);
}

int proc_memblock(struct facts *f, uint32_t file, const char *part, const char *buf, size_t len,
		  char **err)
{
	bool memory = part && !strcmp(part, "memory");
	bool reserved = part && !strcmp(part, "reserved");
	struct where at = { file, 0 };
	bool headed = part;
	uint64_t floor = 0;
	struct scan s;

	scan_init(&s, buf, len);
	while (scan_line(&s)) {
		struct fact_mb_region r = { .dump = MB_DUMP_DEBUGFS };
		struct span rest = s.line;

		at.line = s.number;
		span_trim(&rest);
		if (span_empty(rest))
			continue;
		if (span_text(&rest, "== ")) {
			memory = memblock_ends_with(rest, "/memory");
			reserved = memblock_ends_with(rest, "/reserved");
			headed = true;
			floor = 0;
			continue;
		}
		if (!headed)
			return scan_expected(f, at, s.line, "\"== path\" before the regions", err);
		if (!memblock_region(rest, &r))
			return scan_expected(f, at, s.line, "\"index: first..last\"", err);
		if (r.range.first > r.range.last)
			return scan_error(f, at, err, "the range ends before it starts");
		if (r.range.first < floor)
			return scan_error(f, at, err, "the regions do not ascend");
		floor = r.range.last == UINT64_MAX ? UINT64_MAX : r.range.last + 1;
		if (!memory && !reserved)
			continue;
		r.reserved = reserved;
		r.at = at;
		r.after_events = f->mb_events.n;
		*vec_push(&f->mb_regions) = r;
	}
	return 0;
}

static const struct pages_class {
	const char *word;
	enum page_class cls;
} pages_classes[] = {
	{ "nopage", PGC_NOPAGE },     { "reserved", PGC_RESERVED }, { "managed", PGC_MANAGED },
	{ "hwpoison", PGC_HWPOISON }, { "offline", PGC_OFFLINE },
};

int proc_pages(struct facts *f, uint32_t file, const char *buf, size_t len, char **err)
{
	struct where at = { file, 0 };
	uint64_t floor = 0;
	struct scan s;

	scan_init(&s, buf, len);
	while (scan_line(&s)) {
		size_t i, n = sizeof(pages_classes) / sizeof(pages_classes[0]);
		uint64_t first, end, pages;
		struct span rest = s.line;
		struct fact_pages *run;

		at.line = s.number;
		span_trim(&rest);
		if (span_empty(rest) || span_char(&rest, '#'))
			continue;
		if (!span_dec(&rest, &first) || !span_blanks(&rest) || !span_dec(&rest, &end) ||
		    !span_blanks(&rest) || !span_dec(&rest, &pages) || !span_blanks(&rest))
			return scan_expected(f, at, s.line, "\"first end pages class\"", err);
		for (i = 0; i < n; i++)
			if (span_is(rest, pages_classes[i].word))
				break;
		if (i == n)
			return scan_expected(f, at, s.line, "a class that is known", err);
		if (end <= first || end - first != pages)
			return scan_error(f, at, err, "%llu pages do not reach from %llu to %llu",
					  (unsigned long long)pages, (unsigned long long)first,
					  (unsigned long long)end);
		if (first < floor)
			return scan_error(f, at, err, "the runs do not ascend");
		floor = end;
		run = vec_push(&f->pages);
		run->pfns.first = first;
		run->pfns.last = end - 1;
		run->cls = pages_classes[i].cls;
		run->at = at;
	}
	return 0;
}
