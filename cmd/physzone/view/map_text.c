/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_text.c - the physical address space on a terminal: a bar to scale with addresses above and
 * the zones beneath, then every piece and every zone with its range.
 */
#include "view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "table.h"

#define MAP_MARGIN 2u
#define MAP_ROWS_MAX 8u
#define MAP_LANES_MAX 8u

struct map_marks {
	const char *squeezed, *begin, *end, *line, *alone, *dash;
};

static const struct map_marks map_utf8 = { "╱", "╰", "╯", "─", "╵", "–" };
static const struct map_marks map_ascii = { "/", "[", "]", "-", "|", "-" };

struct map_view {
	struct out *o;
	const struct view *v;
	const struct map_marks *marks;
	struct layout l;
	unsigned int columns, rows;
};

static enum out_style map_style(unsigned int kind)
{
	return (enum out_style)(ST_KIND + (kind < AN_KINDS ? kind : AN_KINDS));
}

static const char *map_sign(const struct map_view *m, unsigned int kind)
{
	return m->o->utf8 ? view_kind(kind)->utf8 : view_kind(kind)->ascii;
}

/* The addresses above a row: those of zones first, then those of the widest segments. */
static void map_ticks(const struct map_view *m, unsigned int row)
{
	unsigned int from = row * m->columns, to = from + m->columns, pass, i;
	char *line = xmalloc(m->columns + 1);
	char text[VIEW_SIZE_MAX];
	size_t s;

	memset(line, ' ', m->columns);
	line[m->columns] = '\0';
	for (pass = 0; pass < 6; pass++) {
		static const unsigned int widths[6] = { 0, 0, 24, 8, 3, 1 };

		for (s = 0; s < m->l.segments.n; s++) {
			const struct layout_segment *seg = &m->l.segments.v[s];
			unsigned int at = seg->at - from, len, left, right;
			bool zone = false;

			if (seg->at < from || seg->at >= to)
				continue;
			for (i = 0; i < m->l.zones.n && pass == 1; i++)
				zone = zone || m->l.zones.v[i].range.first == seg->range.first;
			if ((pass == 0 && s) || (pass == 1 && !zone) ||
			    (pass > 1 && seg->width < widths[pass]))
				continue;
			len = (unsigned int)strlen(view_addr(text, seg->range.first));
			if (at + len > m->columns)
				continue;
			left = at ? at - 1 : 0;
			right = at + len < m->columns ? at + len : m->columns - 1;
			for (i = left; i <= right && line[i] == ' '; i++)
				continue;
			if (i > right)
				memcpy(line + at, text, len);
		}
	}
	for (i = m->columns; i && line[i - 1] == ' '; i--)
		line[i - 1] = '\0';
	out_repeat(m->o, " ", MAP_MARGIN);
	out_styled(m->o, ST_DIM, line);
	out_char(m->o, '\n');
	free(line);
}

static void map_bar(const struct map_view *m, unsigned int row)
{
	unsigned int from = row * m->columns, to = from + m->columns;
	size_t s;

	out_repeat(m->o, " ", MAP_MARGIN);
	for (s = 0; s < m->l.segments.n; s++) {
		const struct layout_segment *seg = &m->l.segments.v[s];
		unsigned int begin = seg->at > from ? seg->at : from;
		unsigned int end = seg->at + seg->width < to ? seg->at + seg->width : to;

		if (begin >= end)
			continue;
		out_style(m->o, map_style(seg->kind));
		for (; begin < end; begin++) {
			bool inner = begin > seg->at && begin + 1 < seg->at + seg->width;

			out_str(m->o, seg->squeezed && inner ? m->marks->squeezed
							     : map_sign(m, seg->kind));
		}
		out_style(m->o, ST_PLAIN);
	}
	out_char(m->o, '\n');
}

/* One zone's bracket in `room` columns; `open` and `close`: it begins and ends in this row. */
static void map_bracket(const struct map_view *m, const struct layout_zone *z, unsigned int room,
			bool open, bool close)
{
	struct out *o = m->o;
	unsigned int ends = (open ? 1u : 0u) + (close ? 1u : 0u), inner, label, pad;
	bool hollow = view_zone_hollow(z->zone);
	char *text = z->remark && room >= text_columns(z->remark) + ends
			     ? xstrdup(z->remark)
			     : xasprintf("%s%s", z->label, hollow ? "!" : "");

	label = text_columns(text);
	out_style(o, hollow ? ST_BAD : ST_BOLD);
	if (room < 2 && ends == 2) {
		out_str(o, m->marks->alone);
	} else {
		inner = room - (room >= ends ? ends : room);
		if (open)
			out_str(o, m->marks->begin);
		if (label > inner)
			label = 0;
		pad = (inner - label) / 2;
		out_repeat(o, m->marks->line, pad);
		if (label)
			out_str(o, text);
		out_repeat(o, m->marks->line, inner - label - pad);
		if (close && room >= ends)
			out_str(o, m->marks->end);
	}
	out_style(o, ST_PLAIN);
	free(text);
}

static void map_zones(const struct map_view *m, unsigned int row)
{
	unsigned int from = row * m->columns, to = from + m->columns, lane;

	for (lane = 0; lane < m->l.lanes && lane < MAP_LANES_MAX; lane++) {
		unsigned int at = from;
		bool any = false;
		size_t i;

		for (i = 0; i < m->l.zones.n; i++) {
			const struct layout_zone *z = &m->l.zones.v[i];
			unsigned int begin = z->at > from ? z->at : from;
			unsigned int end = z->at + z->width < to ? z->at + z->width : to;

			if (z->lane != lane || begin >= end || begin < at)
				continue;
			out_repeat(m->o, " ", begin - at + (any ? 0 : MAP_MARGIN));
			map_bracket(m, z, end - begin, z->at >= from, z->at + z->width <= to);
			at = end;
			any = true;
		}
		if (any)
			out_char(m->o, '\n');
	}
}

/* What the signs mean, with the sum of each kind. */
static void map_key(const struct map_view *m, const struct layout_order *order)
{
	const struct analysis *a = m->v->a;
	uint64_t bytes[AN_KINDS] = { 0 };
	unsigned int count[AN_KINDS] = { 0 }, k, column = MAP_MARGIN;
	char size[VIEW_SIZE_MAX];
	bool first = true;
	size_t i;

	for (i = 0; i < order->index.n; i++) {
		const struct an_piece *p = &a->pieces.v[order->index.v[i]];
		uint64_t n = view_range_size(p->range);

		k = p->kind < AN_KINDS ? p->kind : AN_OTHER;
		bytes[k] = bytes[k] > UINT64_MAX - n ? UINT64_MAX : bytes[k] + n;
		count[k]++;
	}
	out_repeat(m->o, " ", MAP_MARGIN);
	for (k = 0; k < AN_KINDS; k++) {
		char *text;

		if (!count[k])
			continue;
		text = xasprintf("%s %s", view_kind(k)->name, view_size(size, bytes[k]));
		if (!first && column + 5 + text_columns(text) > m->o->width) {
			out_char(m->o, '\n');
			out_repeat(m->o, " ", MAP_MARGIN);
			column = MAP_MARGIN;
			first = true;
		}
		out_repeat(m->o, " ", first ? 0 : 3);
		out_styled(m->o, map_style(k), map_sign(m, k));
		out_char(m->o, ' ');
		out_str(m->o, text);
		column += 2 + text_columns(text) + (first ? 0 : 3);
		first = false;
		free(text);
	}
	out_char(m->o, '\n');
}

static void map_scale(const struct map_view *m)
{
	char size[VIEW_SIZE_MAX];
	struct out text;

	out_init(&text, NULL);
	text.utf8 = m->o->utf8;
	if (m->l.cell_bytes)
		out_printf(&text, "One column is about %s; what is smaller takes one.",
			   view_size(size, m->l.cell_bytes));
	else
		out_str(&text, "Logarithmic: each doubling of the address takes the same room.");
	if (m->l.squeezed)
		out_printf(&text, " %s stands for a range too large to be drawn to scale.",
			   m->marks->squeezed);
	if (m->l.merged)
		out_printf(&text, " %u %s for several pieces%s.", m->l.merged,
			   m->l.merged == 1 ? "column stands" : "columns stand",
			   m->l.merged == 1 ? "" : " each");
	out_repeat(m->o, " ", MAP_MARGIN);
	out_style(m->o, ST_DIM);
	/* The text is ours: nothing in it needs cleaning but the sign, which is UTF-8 on purpose.
	 */
	out_wrap(m->o, MAP_MARGIN, MAP_MARGIN, out_text(&text));
	out_style(m->o, ST_PLAIN);
	out_char(m->o, '\n');
	out_destroy(&text);
}

static unsigned int map_digits(const struct analysis *a)
{
	uint64_t top = 0;
	unsigned int digits = 8;
	size_t i;

	for (i = 0; i < a->pieces.n; i++)
		top = a->pieces.v[i].range.last > top ? a->pieces.v[i].range.last : top;
	while (digits < 16 && top >> (4 * digits))
		digits++;
	return digits;
}

static void map_hole(const struct map_view *m, struct table *t, uint64_t first, uint64_t last,
		     unsigned int digits)
{
	char size[VIEW_SIZE_MAX];

	table_row(t);
	table_set(t, 0, map_style(AN_KINDS), "%s", map_sign(m, AN_KINDS));
	table_set(t, 1, ST_DIM, "0x%0*" PRIx64 "%s0x%0*" PRIx64, (int)digits, first, m->marks->dash,
		  (int)digits, last);
	table_set(t, 2, ST_DIM, "%s",
		  view_size(size, view_range_size((struct pz_range){ first, last })));
	table_set(t, 3, ST_DIM, "hole");
}

/* Every piece, and the holes between them. */
static void map_legend(const struct map_view *m)
{
	const struct analysis *a = m->v->a;
	struct layout_order order;
	unsigned int digits = map_digits(a);
	char size[VIEW_SIZE_MAX];
	struct table t;
	uint64_t next = 0;
	size_t i;

	layout_order_build(&order, a);
	map_key(m, &order);
	map_scale(m);
	out_char(m->o, '\n');
	table_init(&t, "llrll");
	for (i = 0; i < order.index.n; i++) {
		const struct an_piece *p = &a->pieces.v[order.index.v[i]];
		struct out label;

		if (p->range.first > next)
			map_hole(m, &t, next, p->range.first - 1, digits);
		table_row(&t);
		table_set(&t, 0, map_style(p->kind), "%s", map_sign(m, p->kind));
		table_set(&t, 1, ST_PLAIN, "0x%0*" PRIx64 "%s0x%0*" PRIx64, (int)digits,
			  p->range.first, m->marks->dash, (int)digits, p->range.last);
		table_set(&t, 2, ST_PLAIN, "%s", view_size(size, view_range_size(p->range)));
		table_set(&t, 3, map_style(p->kind), "%s", view_kind(p->kind)->name);
		out_init(&label, NULL);
		label.utf8 = m->o->utf8;
		if (p->label && strcmp(p->label, view_kind(p->kind)->name))
			out_clean(&label, p->label);
		table_set(&t, 4, ST_PLAIN, "%s", out_text(&label));
		out_destroy(&label);
		next = p->range.last == UINT64_MAX ? p->range.last : p->range.last + 1;
	}
	table_print(&t, m->o, MAP_MARGIN);
	table_destroy(&t);
	layout_order_destroy(&order);
}

static void map_zone_list(const struct map_view *m)
{
	static const char *const heads[] = { "zone", "range", "spanned", "present", "managed" };
	unsigned int digits = map_digits(m->v->a), shift = m->v->a->page_shift, c;
	char size[VIEW_SIZE_MAX];
	struct table t;
	size_t i;

	table_init(&t, "llrrr");
	table_row(&t);
	for (c = 0; c < sizeof(heads) / sizeof(heads[0]); c++)
		table_set(&t, c, ST_HEAD, "%s", heads[c]);
	for (i = 0; i < m->l.zones.n; i++) {
		const struct layout_zone *z = &m->l.zones.v[i];

		table_row(&t);
		table_set(&t, 0, ST_BOLD, "%s", z->label);
		table_set(&t, 1, ST_PLAIN, "0x%0*" PRIx64 "%s0x%0*" PRIx64, (int)digits,
			  z->range.first, m->marks->dash, (int)digits, z->range.last);
		table_set(&t, 2, ST_PLAIN, "%s", view_pages_size(size, z->zone->spanned, shift));
		table_set(&t, 3, ST_PLAIN, "%s", view_pages_size(size, z->zone->present, shift));
		if (view_zone_hollow(z->zone))
			table_set(&t, 4, ST_BAD, "none!");
		else
			table_set(&t, 4, ST_PLAIN, "%s",
				  view_pages_size(size, z->zone->managed, shift));
	}
	out_char(m->o, '\n');
	table_print(&t, m->o, MAP_MARGIN);
	table_destroy(&t);
}

static void map_render(struct out *o, const struct view *v, bool logarithmic)
{
	struct map_view m = { .o = o, .v = v };
	struct layout_spec spec = { .least = 1, .squeezed = 4, .label_pad = 3, .label_char = 1 };
	size_t segments = layout_segments(v->a);
	unsigned int row;

	m.marks = o->utf8 ? &map_utf8 : &map_ascii;
	m.columns = o->width - 2 * MAP_MARGIN;
	m.rows = (unsigned int)(segments > 10000 ? 10000 : segments) * 3 / m.columns + 1;
	m.rows = m.rows > MAP_ROWS_MAX ? MAP_ROWS_MAX : m.rows;
	spec.cells = m.columns * m.rows;
	spec.logarithmic = logarithmic;
	layout_build(&m.l, v->a, &spec);

	view_heading(o, v);
	if (m.l.segments.n) {
		for (row = 0; row < m.rows; row++) {
			out_char(o, '\n');
			map_ticks(&m, row);
			map_bar(&m, row);
			map_zones(&m, row);
		}
		if (m.l.lanes > MAP_LANES_MAX)
			out_printf(o,
				   "  (%u more rows of zones are left out; all are listed below)\n",
				   m.l.lanes - MAP_LANES_MAX);
		out_char(o, '\n');
		map_legend(&m);
		if (m.l.zones.n)
			map_zone_list(&m);
	} else {
		out_str(o, "\nNo memory is known.\n");
	}
	view_problems(o, v);
	layout_destroy(&m.l);
}

void map_text(struct out *o, const struct view *v, bool logarithmic)
{
	struct view_shown shown;

	map_render(o, view_shown_init(&shown, v), logarithmic);
	view_shown_destroy(&shown);
}
