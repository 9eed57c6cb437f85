/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.c - refused bounce buffers, for people: the pool, a row for each device, the answers, and
 * slots in use over time.
 */
#include "swiotlb.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../view/table.h"

#define TEXT_ROWS 8u
#define TEXT_LABEL 12u /* columns before the plot */

static void text_pool(struct out *o, const struct swiotlb *s)
{
	char size[VIEW_SIZE_MAX], at[VIEW_SIZE_MAX];

	if (!s->mapped)
		return;
	out_str(o, "  ");
	out_styled(o, ST_DIM, "pool          ");
	out_printf(o, "%" PRIu64 " slots (%s) at %s", s->mapped,
		   view_size(size, s->mapped * PZL_SWLOG_SLOT), view_addr(at, s->place.first));
	if (s->kernel.areas)
		out_printf(o, ", %" PRIu32 " %s", s->kernel.areas,
			   s->kernel.areas == 1 ? "area" : "areas");
	out_char(o, '\n');
}

/* The verdicts of a device that has them, in the order of their number. */
static char *text_whys(const struct swiotlb_device *d)
{
	char *all = xstrdup("");

	for (int w = 0; w < PZL_SWLOG_WHYS; w++) {
		char *more;

		if (!d->why[w])
			continue;
		more = xasprintf("%s%s%" PRIu64 " %s", all, *all ? ", " : "", d->why[w],
				 swiotlb_why_name((enum pzl_swlog_why)w));
		free(all);
		all = more;
	}
	if (d->none + d->direct + d->beyond) {
		char *more = xasprintf("%s%s%" PRIu64 " %s", all, *all ? ", " : "",
				       d->none + d->direct + d->beyond,
				       d->beyond ? "out of reach" : "no pool");

		free(all);
		all = more;
	}
	return all;
}

static void text_devices(struct out *o, const struct swiotlb *s)
{
	struct table t;

	table_init(&t, "llrrrl");
	table_row(&t);
	table_set(&t, 0, ST_HEAD, "device");
	table_set(&t, 1, ST_HEAD, "driver");
	table_set(&t, 2, ST_HEAD, "lines");
	table_set(&t, 3, ST_HEAD, "bytes from");
	table_set(&t, 4, ST_HEAD, "to");
	table_set(&t, 5, ST_HEAD, "because");
	for (size_t i = 0; i < s->devices.n; i++) {
		const struct swiotlb_device *d = &s->devices.v[i];
		char *whys = text_whys(d);

		table_row(&t);
		table_set(&t, 0, ST_PLAIN, "%s", d->device ? d->device->name : "?");
		table_set(&t, 1, ST_PLAIN, "%s",
			  d->device && d->device->driver ? d->device->driver : "");
		table_set(&t, 2, ST_PLAIN, "%" PRIu64, d->lines);
		if (d->bytes_least <= d->bytes_most) {
			table_set(&t, 3, ST_PLAIN, "%" PRIu64, d->bytes_least);
			table_set(&t, 4, ST_PLAIN, "%" PRIu64, d->bytes_most);
		}
		table_set(&t, 5, ST_WARN, "%s", whys);
		free(whys);
	}
	out_char(o, '\n');
	table_print(&t, o, 2);
	table_destroy(&t);
}

/* Slots in use at the most in each column of the time; UINT64_MAX for none. */
static void text_columns_fill(const struct swiotlb_pool *p, uint64_t *column, unsigned int n)
{
	uint64_t from = p->samples.v[0].ms;

	for (unsigned int i = 0; i < n; i++)
		column[i] = PZL_SWLOG_UNTOLD;
	for (size_t i = 0; i < p->samples.n; i++) {
		const struct pzl_swlog_sample *v = &p->samples.v[i];
		double share = p->trend.span ? (double)(v->ms - from) / (double)p->trend.span : 0;
		unsigned int at = (unsigned int)(share * (n - 1) + 0.5);

		if (column[at] == PZL_SWLOG_UNTOLD || v->used > column[at])
			column[at] = v->used;
	}
}

static void text_plot(struct out *o, const struct swiotlb_pool *p)
{
	unsigned int n = o->width > TEXT_LABEL + 44 ? o->width - TEXT_LABEL - 4 : 40;
	uint64_t *column = xcalloc(n, sizeof(*column));
	const char *dot = o->utf8 ? "●" : "*", *stem = o->utf8 ? "│" : "|";
	double from = (double)p->samples.v[0].ms / 1000;
	char *left = xasprintf("%.0f s", from);
	char *right = xasprintf("%.0f s", from + (double)p->trend.span / 1000);

	text_columns_fill(p, column, n);
	out_printf(o, "\n  Slots in use when a mapping was refused, of %" PRIu64 ":\n\n", p->total);
	for (unsigned int row = TEXT_ROWS; row-- > 0;) {
		uint64_t low = p->total / TEXT_ROWS * row;

		if (row == TEXT_ROWS - 1)
			out_printf(o, "%*" PRIu64 " ", (int)TEXT_LABEL - 1, p->total);
		else
			out_repeat(o, " ", TEXT_LABEL);
		out_styled(o, ST_DIM, stem);
		for (unsigned int i = 0; i < n; i++) {
			bool in = column[i] != PZL_SWLOG_UNTOLD && column[i] >= low &&
				  (row + 1 == TEXT_ROWS ||
				   column[i] < p->total / TEXT_ROWS * (row + 1));

			out_str(o, in ? dot : " ");
		}
		while (o->n && o->v[o->n - 1] == ' ')
			o->n--;
		out_char(o, '\n');
	}
	out_printf(o, "%*d ", (int)TEXT_LABEL - 1, 0);
	out_styled(o, ST_DIM, o->utf8 ? "└" : "+");
	out_repeat(o, o->utf8 ? "─" : "-", n);
	out_char(o, '\n');
	out_repeat(o, " ", TEXT_LABEL + 1);
	out_str(o, left);
	out_repeat(o, " ",
		   n > strlen(left) + strlen(right)
			   ? n - (unsigned int)(strlen(left) + strlen(right))
			   : 1);
	out_str(o, right);
	out_char(o, '\n');
	free(left);
	free(right);
	free(column);
}

static void text_answers(struct out *o, const struct swiotlb *s)
{
	out_char(o, '\n');
	for (size_t i = 0; i < s->answers.n; i++) {
		out_str(o, "  ");
		out_styled(o, ST_DIM, o->utf8 ? "•" : "-");
		out_char(o, ' ');
		out_wrap(o, 4, 4, s->answers.v[i]);
		out_char(o, '\n');
	}
}

void swiotlb_text(struct out *o, const struct view *v, const struct swiotlb *s)
{
	view_heading(o, v);
	text_pool(o, s);
	if (!s->events.n) {
		out_str(o, "\n  ");
		out_wrap(o, 2, 2,
			 "No mapping was refused for want of bounce buffers, as far as the log "
			 "goes.");
		out_char(o, '\n');
	} else {
		text_devices(o, s);
		text_answers(o, s);
	}
	for (size_t i = 0; i < s->pools.n; i++) {
		const struct swiotlb_pool *p = &s->pools.v[i];

		if (p->timed && p->samples.n > 1 && p->total)
			text_plot(o, p);
	}
	view_findings(o, v);
}
