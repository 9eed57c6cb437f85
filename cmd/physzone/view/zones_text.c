/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * zones_text.c - nodes and zones for people: what was assumed above the table, where each number
 * comes from and what is odd beneath it.
 */
#include "view.h"

#include <inttypes.h>

#include "table.h"

#define ZONES_PROTECTION 10u

static void zones_pages(struct table *t, unsigned int column, enum out_style style, uint64_t pages)
{
	if (pages == VIEW_UNKNOWN)
		table_set(t, column, ST_WARN, "?");
	else
		table_set(t, column, style, "%" PRIu64, pages);
}

static void zones_size(struct table *t, unsigned int column, uint64_t pages, unsigned int shift)
{
	char size[VIEW_SIZE_MAX];

	if (pages && pages != VIEW_UNKNOWN)
		table_set(t, column, ST_DIM, "%s", view_pages_size(size, pages, shift));
}

static void zones_protection(struct table *t, const struct an_zone *z)
{
	struct out text;
	unsigned int i;

	out_init(&text, NULL);
	for (i = 0; i < z->protections && i < PZ_ZONE_TYPES; i++)
		out_printf(&text, "%s%" PRIu64, i ? " " : "", z->protection[i]);
	table_set(t, ZONES_PROTECTION, z->spanned ? ST_PLAIN : ST_DIM, "%s", out_text(&text));
	out_destroy(&text);
}

static void zones_row(struct table *t, const struct an_node *node, enum pz_zone_type type,
		      unsigned int shift, bool first, bool protection)
{
	const struct an_zone *z = &node->zone[type];
	enum out_style style = z->spanned ? ST_PLAIN : ST_DIM;
	char size[VIEW_SIZE_MAX];

	table_row(t);
	if (first)
		table_set(t, 0, ST_BOLD, "%d", node->nid);
	table_set(t, 1, z->spanned ? ST_BOLD : ST_DIM, "%s", pz_zone_name(type));
	zones_pages(t, 2, style, z->start_pfn);
	zones_pages(t, 3, style, z->spanned);
	zones_pages(t, 4, style, z->present);
	zones_pages(t, 5, view_zone_hollow(z) ? ST_BAD : style, z->managed);
	if (z->present)
		table_set(t, 6, ST_DIM, "%s", view_managed_from(z->managed_from));
	zones_pages(t, 7, style, z->min);
	zones_pages(t, 8, style, z->low);
	zones_pages(t, 9, style, z->high);
	if (protection)
		zones_protection(t, z);

	if (!z->spanned)
		return;
	table_row(t);
	if (z->start_pfn != VIEW_UNKNOWN)
		table_set(t, 2, ST_DIM, "%s", view_addr(size, view_zone_range(z, shift).first));
	zones_size(t, 3, z->spanned, shift);
	zones_size(t, 4, z->present, shift);
	if (view_zone_hollow(z))
		table_set(t, 5, ST_BAD, "none");
	else
		zones_size(t, 5, z->managed, shift);
	if (z->cma && z->cma != VIEW_UNKNOWN)
		table_set(t, 6, ST_DIM, "CMA %" PRIu64, z->cma);
	zones_size(t, 7, z->min, shift);
	zones_size(t, 8, z->low, shift);
	zones_size(t, 9, z->high, shift);
}

static void zones_fill(struct table *t, const struct analysis *a, bool protection)
{
	static const char *const heads[] = { "node",	"zone",	   "start",	"spanned",
					     "present", "managed", "from",	"min",
					     "low",	"high",	   "protection" };
	unsigned int c, type;
	size_t n;

	table_init(t, "rlrrrrlrrrl");
	table_row(t);
	for (c = 0; c < ZONES_PROTECTION + (protection ? 1u : 0u); c++)
		table_set(t, c, ST_HEAD, "%s", heads[c]);
	for (n = 0; n < a->nodes.n; n++) {
		bool first = true;

		for (type = 0; type < PZ_ZONE_TYPES; type++) {
			if (!a->nodes.v[n].zone[type].shown)
				continue;
			zones_row(t, &a->nodes.v[n], (enum pz_zone_type)type, a->page_shift, first,
				  protection);
			first = false;
		}
	}
}

/* The reserves in a table of their own: which zone keeps how much from requests for which. */
static void zones_protections(struct out *o, const struct analysis *a)
{
	unsigned int type, i, column;
	struct table t;
	size_t n;

	table_init(&t, "rlrrrrrr");
	table_row(&t);
	table_set(&t, 0, ST_HEAD, "node");
	table_set(&t, 1, ST_HEAD, "protection");
	for (type = 0, column = 2; type < PZ_ZONE_TYPES; type++)
		if (a->nodes.v[0].zone[type].shown)
			table_set(&t, column++, ST_HEAD, "%s",
				  pz_zone_name((enum pz_zone_type)type));
	for (n = 0; n < a->nodes.n; n++) {
		bool first = true;

		for (type = 0; type < PZ_ZONE_TYPES; type++) {
			const struct an_zone *z = &a->nodes.v[n].zone[type];
			enum out_style style = z->spanned ? ST_PLAIN : ST_DIM;

			if (!z->shown)
				continue;
			table_row(&t);
			if (first)
				table_set(&t, 0, ST_BOLD, "%d", a->nodes.v[n].nid);
			first = false;
			table_set(&t, 1, z->spanned ? ST_BOLD : ST_DIM, "%s",
				  pz_zone_name((enum pz_zone_type)type));
			for (i = 0; i < z->protections && i < PZ_ZONE_TYPES; i++)
				zones_pages(&t, 2 + i, style, z->protection[i]);
		}
	}
	out_char(o, '\n');
	table_print(&t, o, 0);
	table_destroy(&t);
}

static void zones_table(struct out *o, const struct analysis *a)
{
	struct table t;
	bool narrow;

	zones_fill(&t, a, true);
	narrow = table_width(&t) > o->width;
	if (narrow) {
		table_destroy(&t);
		zones_fill(&t, a, false);
	}
	table_print(&t, o, 0);
	table_destroy(&t);
	if (narrow && a->nodes.n)
		zones_protections(o, a);
}

static void zones_memoryless(struct out *o, const struct analysis *a)
{
	size_t n;

	for (n = 0; n < a->nodes.n; n++)
		if (a->nodes.v[n].memoryless)
			out_printf(o, "node %d has no memory\n", a->nodes.v[n].nid);
}

static void zones_origin(struct out *o, const char *columns, const char *from)
{
	if (!from)
		return;
	out_str(o, "  ");
	out_styled(o, ST_DIM, columns);
	out_repeat(o, " ", 28 - text_columns(columns));
	out_wrap(o, 30, 30, from);
	out_char(o, '\n');
}

static void zones_input(struct out *o, const struct view *v)
{
	const struct facts *f = v->f;

	if (!f->lines_total)
		return;
	out_char(o, '\n');
	out_styled(o, ST_BOLD, "Input");
	out_printf(o,
		   "\n  %" PRIu64 " lines: %" PRIu64 " used, %" PRIu64
		   " ignored; %zu contradictory\n",
		   f->lines_total, f->lines_used, f->lines_ignored, v->a->contradictions.n);
}

void zones_text(struct out *o, const struct view *v, bool lines)
{
	view_heading(o, v);
	out_char(o, '\n');
	zones_table(o, v->a);
	zones_memoryless(o, v->a);
	out_char(o, '\n');
	out_styled(o, ST_BOLD, "Where the numbers come from");
	out_char(o, '\n');
	zones_origin(o, "start, spanned, present", v->a->layout_from);
	zones_origin(o, "managed", v->a->managed_from);
	zones_origin(o, "min, low, high, protection", v->a->marks_from);
	out_str(o, "  ");
	out_styled(o, ST_DIM,
		   "All counts are pages, with their sizes beneath; start is a page frame and "
		   "its address.");
	out_char(o, '\n');
	zones_input(o, v);
	if (lines)
		view_lines(o, v);
	view_findings(o, v);
}
