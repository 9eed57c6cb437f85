/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_text.c - what recorded machines show of their slab caches, read and written again: every
 * byte of /proc/slabinfo, and every recorded attribute of every cache.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <physzone/linux/slab_proc.h>

#include "input/text.h"
#include "vec.h"
#include "walk.h"

#define COLUMNS 32

static unsigned int st_run, st_failed;
static size_t st_files, st_rows, st_caches, st_values;

static void st_ok(bool ok, const char *where, const char *what, const char *why)
{
	st_run++;
	if (!ok)
		st_failed++;
	printf("%sok %u - %s: %s\n", ok ? "" : "not ", st_run, where, what);
	if (!ok)
		printf("# %s\n", why);
}

/* Lines written again, beside those that were read. */
struct st_again {
	const struct text *t;
	size_t line;
	size_t differs; /* the first that does, from 1 */
};

static void st_line(void *ctx, const char *line, size_t len)
{
	struct st_again *a = ctx;
	size_t n = 0;
	const char *is = a->line < a->t->n ? text_line(a->t, a->line, &n) : NULL;

	a->line++;
	if ((!is || n != len || memcmp(is, line, len) != 0) && !a->differs)
		a->differs = a->line;
}

static void st_slabinfo(const char *name, const struct text *t)
{
	VEC(struct pzl_slabinfo) rows = { 0 };
	struct st_again again = { t, 0, 0 };
	char why[128] = "";

	for (size_t i = PZL_SLABINFO_HEAD; i < t->n; i++) {
		struct pzl_slabinfo r;
		size_t len;
		const char *line = text_line(t, i, &len);

		if (pzl_slabinfo_read(line, len, &r)) {
			if (!*why)
				snprintf(why, sizeof(why), "line %zu is refused", i + 1);
			continue;
		}
		*vec_push(&rows) = r;
	}
	pzl_slabinfo_write(rows.v, rows.n, st_line, &again);
	if (!*why && (again.differs || again.line != t->n))
		snprintf(why, sizeof(why), "line %zu is written differently", again.differs);
	st_files++;
	st_rows += rows.n;
	st_ok(!*why && rows.n > 0, name, "slabinfo is written as it was read", why);
	vec_free(&rows);
}

/* The columns of a recording: an attribute each, after the name. */
static unsigned int st_columns(char *line, enum pzl_slab_attr *columns)
{
	unsigned int n = 0;
	char *save = NULL;

	for (char *p = strtok_r(line, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		if (!strcmp(p, "#") || !strcmp(p, "cache"))
			continue;
		if (n == COLUMNS || pzl_slab_attr_find(p, strlen(p), &columns[n]))
			return 0;
		n++;
	}
	return n;
}

/* All values of a row are read, then all are written; false when the row differs. */
static bool st_row(const char *line, const enum pzl_slab_attr *columns, unsigned int n)
{
	bool absent[COLUMNS] = { false };
	char copy[512], again[1024], value[64], *save = NULL, *p;
	struct pzl_slab_attrs a;
	int fill;

	memset(&a, 0, sizeof(a));
	snprintf(copy, sizeof(copy), "%s", line);
	p = strtok_r(copy, " ", &save);
	fill = snprintf(again, sizeof(again), "%s", p ? p : "");
	for (unsigned int i = 0; i < n; i++) {
		int len;

		p = strtok_r(NULL, " ", &save);
		if (!p)
			return false;
		/* Only a kernel without the zone lacks a file that was recorded. */
		absent[i] = !strcmp(p, "-") &&
			    !pzl_slab_attr_exists(PZL_LINUX_6_1, PZL_SLAB_HAS_DEBUG, columns[i]);
		len = snprintf(value, sizeof(value), "%s\n", p);
		if (!absent[i] && pzl_slab_attr_read(&a, columns[i], value, (size_t)len))
			return false;
		st_values += !absent[i];
	}
	for (unsigned int i = 0; i < n; i++) {
		pzl_slab_attr_write(value, sizeof(value), &a, columns[i]);
		fill += snprintf(again + fill, sizeof(again) - (size_t)fill, " %.*s",
				 (int)strcspn(value, "\n"), absent[i] ? "-" : value);
	}
	return !strcmp(again, line);
}

static void st_attrs(const char *name, const struct text *t)
{
	enum pzl_slab_attr columns[COLUMNS];
	unsigned int n = 0;
	size_t rows = 0;
	char line[512], why[700] = "";

	for (size_t i = 0; i < t->n; i++) {
		size_t len;
		const char *p = text_line(t, i, &len);

		snprintf(line, sizeof(line), "%.*s", (int)len, p);
		if (!strncmp(line, "# cache ", 8)) {
			n = st_columns(line, columns);
		} else if (n && line[0] != '#') {
			rows++;
			if (!st_row(line, columns, n) && !*why)
				snprintf(why, sizeof(why), "line %zu: %s", i + 1, line);
		}
	}
	st_caches += rows;
	st_ok(rows && !*why, name, "attributes are written as they were read", why);
}

static void st_file(const char *dir, const char *file, const char *name,
		    void (*fn)(const char *name, const struct text *t))
{
	char path[4300], *err = NULL;
	struct stat sb;
	struct text t;

	snprintf(path, sizeof(path), "%s/%s.xz", dir, file);
	if (stat(path, &sb))
		return;
	if (text_read(&t, path, &err)) {
		st_ok(false, name, file, err);
		free(err);
		return;
	}
	fn(name, &t);
	text_destroy(&t);
}

static void st_machine(const char *dir, const char *name)
{
	char first[4200];

	st_file(dir, "slabinfo.txt", name, st_slabinfo);
	st_file(dir, "slab_attrs.txt", name, st_attrs);
	snprintf(first, sizeof(first), "%s/first", dir);
	st_file(first, "slabinfo.txt", name, st_slabinfo);
	st_file(first, "slab_attrs.txt", name, st_attrs);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: slab_text MACHINES\n");
		return 2;
	}
	golden_walk(argv[1], st_machine);
	printf("# %zu files of slabinfo with %zu rows, %zu caches with %zu attributes\n", st_files,
	       st_rows, st_caches, st_values);
	st_ok(st_files >= 209 && st_rows >= 28404 && st_caches >= 28404 && st_values >= 390000,
	      "all", "recorded machines", "some are missing");
	printf("1..%u\n", st_run);
	return st_failed ? 1 : 0;
}
