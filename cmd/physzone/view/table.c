/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.c - see table.h.
 */
#include "table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_GAP 2u

void table_init(struct table *t, const char *alignment)
{
	memset(t, 0, sizeof(*t));
	while (t->columns < TABLE_COLUMNS && alignment[t->columns]) {
		t->right[t->columns] = alignment[t->columns] == 'r';
		t->columns++;
	}
}

void table_destroy(struct table *t)
{
	size_t r;
	unsigned int c;

	for (r = 0; r < t->rows.n; r++)
		for (c = 0; c < t->columns; c++)
			free(t->rows.v[r].cell[c].text);
	vec_free(&t->rows);
}

void table_row(struct table *t)
{
	(void)vec_push(&t->rows);
}

void table_set(struct table *t, unsigned int column, enum out_style style, const char *fmt, ...)
{
	struct table_cell *cell;
	va_list ap;
	int n;

	if (!t->rows.n || column >= t->columns)
		return;
	cell = &t->rows.v[t->rows.n - 1].cell[column];
	free(cell->text);
	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	cell->text = xmalloc((size_t)(n < 0 ? 0 : n) + 1);
	cell->text[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(cell->text, (size_t)(n < 0 ? 0 : n) + 1, fmt, ap);
	va_end(ap);
	cell->style = style;
}

static void table_measure(const struct table *t, unsigned int width[TABLE_COLUMNS])
{
	unsigned int c;
	size_t r;

	for (r = 0; r < t->rows.n; r++) {
		for (c = 0; c < t->columns; c++) {
			const char *s = t->rows.v[r].cell[c].text;
			unsigned int n = s ? text_columns(s) : 0;

			width[c] = n > width[c] ? n : width[c];
		}
	}
}

unsigned int table_width(const struct table *t)
{
	unsigned int width[TABLE_COLUMNS] = { 0 };
	unsigned int c, sum = 0;

	table_measure(t, width);
	for (c = 0; c < t->columns; c++)
		sum += width[c] ? width[c] + (sum ? TABLE_GAP : 0) : 0;
	return sum;
}

void table_print(const struct table *t, struct out *o, unsigned int indent)
{
	unsigned int width[TABLE_COLUMNS] = { 0 };
	unsigned int c, pad;
	size_t r;

	table_measure(t, width);
	for (r = 0; r < t->rows.n; r++) {
		pad = indent;
		for (c = 0; c < t->columns; c++) {
			const struct table_cell *cell = &t->rows.v[r].cell[c];
			const char *s = cell->text ? cell->text : "";
			unsigned int n = text_columns(s);
			unsigned int room = width[c] - n;

			if (!width[c])
				continue;
			if (n) {
				out_repeat(o, " ", pad + (t->right[c] ? room : 0));
				out_style(o, cell->style);
				out_str(o, s);
				if (cell->style != ST_PLAIN)
					out_style(o, ST_PLAIN);
				pad = t->right[c] ? 0 : room;
			} else {
				pad += room;
			}
			pad += TABLE_GAP;
		}
		out_char(o, '\n');
	}
}
