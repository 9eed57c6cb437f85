/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.h - rows of text in columns as wide as their widest cell.
 */
#ifndef PHYSZONE_CMD_TABLE_H
#define PHYSZONE_CMD_TABLE_H

#include "../out.h"
#include "../vec.h"

#define TABLE_COLUMNS 16

struct table_cell {
	char *text; /* NULL: empty */
	enum out_style style;
};

struct table_row {
	struct table_cell cell[TABLE_COLUMNS];
};

struct table {
	unsigned int columns;
	bool right[TABLE_COLUMNS]; /* aligned right */
	VEC(struct table_row) rows;
};

/* A table with a letter for each column: 'l' aligned left, 'r' right. */
void table_init(struct table *t, const char *alignment);
void table_destroy(struct table *t);

void table_row(struct table *t);

/* Set a cell of the last row. */
void table_set(struct table *t, unsigned int column, enum out_style style, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Columns that the widest row takes, without an indent. */
unsigned int table_width(const struct table *t);

/* Print all rows, each after `indent` blanks; no blanks at the ends of lines. */
void table_print(const struct table *t, struct out *o, unsigned int indent);

#endif
