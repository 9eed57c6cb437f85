/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * formats.h - strict readers of Linux's texts of its memory, for tests: they take nothing over but
 * numbers and names, and refuse what they do not know.
 */
#ifndef TESTS_GOLDEN_FORMATS_H
#define TESTS_GOLDEN_FORMATS_H

#include <stdbool.h>

#include <physzone/linux/meminfo.h>

#include "input/text.h"

/* Why a text was refused: a line, and what was expected there. */
struct fmt_error {
	size_t line; /* from 1 */
	const char *expected;
};

/* Memory for the states that are read. */
extern const struct pz_meta fmt_meta;

/* Each makes @m (pzl_meminfo_destroy() gives it back); returns whether it has all of the text. */
bool fmt_zoneinfo(struct pzl_meminfo *m, const struct text *t, enum pzl_model model,
		  struct fmt_error *e);
bool fmt_buddyinfo(struct pzl_meminfo *m, const struct text *t, enum pzl_model model,
		   struct fmt_error *e);
bool fmt_pagetypeinfo(struct pzl_meminfo *m, const struct text *t, enum pzl_model model,
		      struct fmt_error *e);

/* A report of a failed allocation in a log. Its strings lie in names. */
struct fmt_report {
	struct pzl_meminfo m;
	struct pzl_failure f;
	size_t first, mem_info, end; /* lines: the first, "Mem-Info:", and behind the last */
	char names[4][256];
};

/* Line @i without the time before it. */
const char *fmt_log_line(const struct text *t, size_t i, size_t *len);

/* The report whose first line is @line. */
bool fmt_report_read(struct fmt_report *r, const struct text *t, size_t line, enum pzl_model model,
		     struct fmt_error *e);

/* A place in a line, and what is read there. Each returns false when it is not there. */
struct fmt_scan {
	const char *p, *end;
};

bool fmt_lit(struct fmt_scan *s, const char *text);
bool fmt_num(struct fmt_scan *s, uint64_t *v);
bool fmt_word(struct fmt_scan *s, char *word, size_t size); /* up to a blank or a comma */
bool fmt_zone(struct fmt_scan *s, unsigned int *type); /* a zone's name, after blanks */
bool fmt_end(const struct fmt_scan *s);

#endif
