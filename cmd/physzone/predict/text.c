/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.c - the flips of a sweep for people: a table, a plot of all values, and the reasons.
 */
#include "predict.h"

#include <stdlib.h>
#include <string.h>

#include "../view/table.h"

static const struct {
	const char *utf8, *ascii;
	enum out_style style;
	const char *word;
} text_states[PREDICT_STATES] = {
	[PREDICT_ABSENT] = { "·", ".", ST_DIM, "not asked for" },
	[PREDICT_SERVED] = { "✓", "+", ST_GOOD, "served" },
	[PREDICT_LESS] = { "≈", "~", ST_WARN, "less" },
	[PREDICT_DEPENDS] = { "?", "?", ST_WARN, "depends" },
	[PREDICT_FAILED] = { "✗", "*", ST_BAD, "fails" },
	[PREDICT_NO_MACHINE] = { "-", "-", ST_DIM, "no such machine" },
};

static const char *text_mark(const struct out *o, enum predict_state s)
{
	return o->utf8 ? text_states[s].utf8 : text_states[s].ascii;
}

/* "fails, served from 92M": what comes of a request along the sweep. */
static void text_course(struct table *t, unsigned int column, const struct predict_row *row)
{
	enum predict_state state = (enum predict_state)row->states.v[0];
	enum predict_state worst = state;
	char value[VIEW_SIZE_MAX];
	struct out o;

	out_init(&o, NULL);
	out_str(&o, text_states[state].word);
	for (size_t i = 0; i < row->flips.n; i++) {
		state = row->flips.v[i].to;
		worst = state == PREDICT_FAILED ? state : worst;
		out_printf(&o, ", %s from %s", text_states[state].word,
			   predict_value(value, row->flips.v[i].first));
	}
	table_set(t, column, text_states[worst].style, "%s", out_text(&o));
	out_destroy(&o);
}

static void text_table(struct out *o, const struct predict *p)
{
	size_t models = p->models.n;
	struct table t;

	table_init(&t, "llllllll");
	table_row(&t);
	table_set(&t, 0, ST_HEAD, "request");
	for (size_t m = 0; m < models; m++)
		table_set(&t, 1 + (unsigned int)m, ST_HEAD, "%s", predict_model(p, m));
	for (size_t i = 0; i < p->rows.n; i++) {
		if (!p->rows.v[i].model) {
			table_row(&t);
			table_set(&t, 0, ST_PLAIN, "%s", p->rows.v[i].label);
		}
		text_course(&t, 1 + (unsigned int)p->rows.v[i].model, &p->rows.v[i]);
	}
	table_print(&t, o, 2);
	table_destroy(&t);
}

/* Who a row speaks for: its model, or all of them; "" when there is one. */
static const char *text_whose(const struct predict *p, size_t row)
{
	if (p->models.n == 1)
		return "";
	return predict_alike(p, row) ? "all" : predict_model(p, p->rows.v[row].model);
}

/* The next row that is shown: those like an earlier one are not. */
static size_t text_next(const struct predict *p, size_t row)
{
	return row + (predict_alike(p, row) ? p->models.n : 1);
}

static unsigned int text_label_width(const struct predict *p)
{
	unsigned int most = 0;

	for (size_t i = 0; i < p->rows.n; i = text_next(p, i)) {
		unsigned int n = text_columns(p->rows.v[i].label);

		if (p->models.n > 1)
			n += 2 + text_columns(text_whose(p, i));
		most = n > most ? n : most;
	}
	return most;
}

/* A cell of the plot stands for one value or, where there are too many, for several: the worst. */
static enum predict_state text_cell(const struct predict_row *row, size_t cell, size_t cells)
{
	size_t first = cell * row->states.n / cells, end = (cell + 1) * row->states.n / cells;
	enum predict_state worst = (enum predict_state)row->states.v[first];

	for (size_t i = first + 1; i < end; i++)
		if (row->states.v[i] > worst)
			worst = (enum predict_state)row->states.v[i];
	return worst;
}

static void text_axis(struct out *o, const struct predict *p, unsigned int left, size_t cells,
		      unsigned int wide)
{
	const struct sweep *s = &p->sweep;
	unsigned int at = 0;

	out_repeat(o, " ", left);
	for (size_t i = 0; i < cells; i++) {
		char value[VIEW_SIZE_MAX];
		unsigned int n;

		predict_value(value, s->values.v[i * s->values.n / cells]);
		n = (unsigned int)strlen(value);
		/* One after another as they fit; the last cell has room to its right. */
		if (at > i * wide && at)
			continue;
		out_repeat(o, " ", (unsigned int)i * wide - at);
		out_str(o, value);
		at = (unsigned int)i * wide + n + 1;
		out_char(o, ' ');
	}
	while (o->n && o->v[o->n - 1] == ' ')
		o->n--;
	out_char(o, '\n');
}

static void text_plot(struct out *o, const struct predict *p)
{
	unsigned int left = text_label_width(p) + 4, wide;
	unsigned int room = o->width > left + 24 ? o->width - left - 6 : 18;
	size_t n = p->sweep.values.n, cells = n < room ? n : room;

	wide = room / (unsigned int)cells;
	wide = wide > 5 ? 5 : wide ? wide : 1;
	for (size_t i = 0; i < p->rows.n; i = text_next(p, i)) {
		const struct predict_row *row = &p->rows.v[i];
		unsigned int used = 2 + text_columns(row->label);

		out_printf(o, "  %s", row->label);
		if (p->models.n > 1) {
			const char *model = text_whose(p, i);

			out_repeat(o, " ", left - used - text_columns(model) - 2);
			out_styled(o, ST_DIM, model);
			used = left - 2;
		}
		out_repeat(o, " ", left - used);
		for (size_t k = 0; k < cells; k++) {
			enum predict_state s = text_cell(row, k, cells);

			out_style(o, text_states[s].style);
			out_repeat(o, text_mark(o, s), wide > 1 ? wide - 1 : 1);
			out_style(o, ST_PLAIN);
			if (wide > 1 && k + 1 < cells)
				out_char(o, ' ');
		}
		out_char(o, '\n');
	}
	text_axis(o, p, left, cells, wide);
	out_str(o, "  ");
	for (int s = PREDICT_SERVED; s < PREDICT_STATES; s++)
		out_printf(o, "%s %s  ", text_mark(o, (enum predict_state)s), text_states[s].word);
	out_printf(o, "%s %s\n", text_mark(o, PREDICT_ABSENT), text_states[PREDICT_ABSENT].word);
}

static void text_reason(struct out *o, const struct predict *p, size_t row, const char *where,
			const char *reason)
{
	const char *whose = text_whose(p, row);
	char *line = xasprintf("%s%s%s, %s: %s", p->rows.v[row].label, *whose ? " under " : "",
			       whose, where, reason);

	out_str(o, "  ");
	out_wrap(o, 2, 4, line);
	out_char(o, '\n');
	free(line);
}

static void text_reasons(struct out *o, const struct predict *p, size_t i)
{
	const struct predict_row *row = &p->rows.v[i];
	char value[VIEW_SIZE_MAX];

	if (row->reason && !row->flips.n)
		text_reason(o, p, i, "all along", row->reason);
	for (size_t k = 0; k < row->flips.n; k++) {
		const struct predict_flip *f = &row->flips.v[k];
		bool before = f->from > f->to;
		enum predict_state s = before ? f->from : f->to;
		char *where;

		/* Why there is no machine is told once. */
		if (!f->reason || (s == PREDICT_NO_MACHINE && i))
			continue;
		where = xasprintf("%s at %s", text_states[s].word,
				  predict_value(value, before ? f->last : f->first));
		text_reason(o, p, i, where, f->reason);
		free(where);
	}
}

static void text_why(struct out *o, const struct predict *p)
{
	struct out body;

	out_init(&body, NULL);
	body.utf8 = o->utf8;
	body.width = o->width;
	for (size_t i = 0; i < p->rows.n; i = text_next(p, i))
		text_reasons(&body, p, i);
	if (body.n) {
		out_char(o, '\n');
		out_styled(o, ST_BOLD, "Why");
		out_char(o, '\n');
		out_mem(o, body.v, body.n);
	}
	out_destroy(&body);
}

static void text_sweep(struct out *o, const struct predict *p)
{
	const struct sweep *s = &p->sweep;
	char from[VIEW_SIZE_MAX], to[VIEW_SIZE_MAX], step[VIEW_SIZE_MAX], grain[VIEW_SIZE_MAX];
	char *what = xasprintf(
		"of %s from %s to %s%s%s, flips to %s, %zu %s tried%s%s", s->name,
		predict_value(from, s->from), predict_value(to, s->to),
		s->step ? " in steps of " : "", s->step ? predict_value(step, s->step) : "",
		view_size(grain, s->grain), p->points.n, p->points.n == 1 ? "machine" : "machines",
		p->capture ? "; in the capture kernel, loaded by " : "",
		p->capture ? p->capture : "");

	out_styled(o, ST_BOLD, "Sweep ");
	out_wrap(o, 6, 2, what);
	out_char(o, '\n');
	free(what);
}

void predict_text(struct out *o, const struct view *v, const struct predict *p)
{
	view_heading(o, v);
	out_char(o, '\n');
	text_sweep(o, p);
	text_table(o, p);
	out_char(o, '\n');
	text_plot(o, p);
	text_why(o, p);
	view_findings(o, v);
}
