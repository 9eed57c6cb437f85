/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * formats.c - Linux's texts of its memory, from recorded machines: read into numbers, written
 * again, and compared byte for byte.
 *
 * usage: formats MACHINES
 *
 * For every zoneinfo, buddyinfo and pagetypeinfo, and for every report of a failed allocation in a
 * log (but for its stack).
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <physzone/linux/gfp.h>

#include "formats.h"

/* The kernel of a machine. */
struct formats_kernel {
	enum pzl_model model;
	bool usual; /* a distribution's, of a series that is a model, on x86_64 or arm64 */
};

static unsigned int formats_run, formats_failed;

struct formats_kind {
	const char *file;
	bool (*read)(struct pzl_meminfo *m, const struct text *t, enum pzl_model model,
		     struct fmt_error *e);
	void (*print)(const struct pzl_meminfo *m, pzl_emit_fn emit, void *ctx);
	unsigned int files, equal;
	size_t lines;
};

static struct formats_kind formats_kinds[] = {
	{ "zoneinfo.txt", fmt_zoneinfo, pzl_print_zoneinfo, 0, 0, 0 },
	{ "buddyinfo.txt", fmt_buddyinfo, pzl_print_buddyinfo, 0, 0, 0 },
	{ "pagetypeinfo.txt", fmt_pagetypeinfo, pzl_print_pagetypeinfo, 0, 0, 0 },
};
#define FORMATS_KINDS (sizeof(formats_kinds) / sizeof(formats_kinds[0]))

static unsigned int formats_reports, formats_reports_equal, formats_same;
static size_t formats_report_lines;

static void formats_ok(bool ok, const char *where, const char *what)
{
	formats_run++;
	if (!ok)
		formats_failed++;
	printf("%sok %u - %s: %s\n", ok ? "" : "not ", formats_run, where, what);
}

/* The first lines that differ. */
static void formats_diff(const char *a, const char *b)
{
	size_t line = 1;

	while (*a || *b) {
		size_t n = strcspn(a, "\n"), k = strcspn(b, "\n");

		if (n != k || memcmp(a, b, n) != 0) {
			printf("# line %zu is    \"%.*s\"\n", line, (int)k, b);
			printf("# and should be \"%.*s\"\n", (int)n, a);
			return;
		}
		a += n + (a[n] != 0);
		b += k + (b[k] != 0);
		line++;
	}
}

/* Compare what is written with what was recorded. */
static bool formats_equal(const char *want, size_t len, const struct pzl_text_buffer *b)
{
	bool ok = b->n == len && b->n < b->size && !memcmp(want, b->buf, len);

	if (!ok)
		formats_diff(want, b->buf);
	return ok;
}

static bool formats_buffer(struct pzl_text_buffer *b, size_t len)
{
	b->size = 2 * len + 65536;
	b->n = 0;
	b->buf = calloc(1, b->size);
	return b->buf != NULL;
}

/*
 * What a model shows by default is what distributions' kernels of its series show; memory that is
 * accepted late is a matter of the architecture.
 */
static void formats_defaults(const struct pzl_meminfo *m, const char *where)
{
	const uint32_t shows = PZL_MI_BOOST | PZL_MI_PROMO | PZL_MI_CMA | PZL_MI_SMP;
	struct pzl_meminfo d;

	if (pzl_meminfo_init(&d, &fmt_meta, m->model, 1, 1)) {
		formats_ok(false, where, "memory");
		return;
	}
	formats_ok(d.node_stats == m->node_stats &&
			   d.zone_stats == (m->zone_stats & ~PZL_ZS_BIT(PZL_ZS_UNACCEPTED)) &&
			   (d.shows & shows) == (m->shows & shows),
		   where, "has what the model shows");
	formats_same++;
	pzl_meminfo_destroy(&d);
}

static void formats_file(struct formats_kind *k, const char *path, const char *where,
			 const struct formats_kernel *kernel)
{
	struct fmt_error e = { 0, NULL };
	struct pzl_text_buffer b;
	struct pzl_meminfo m;
	char *err = NULL;
	struct text t;
	bool ok;

	memset(&m, 0, sizeof(m));
	if (text_read(&t, path, &err)) {
		formats_ok(false, where, err);
		free(err);
		return;
	}
	k->files++;
	k->lines += t.n;
	if (!k->read(&m, &t, kernel->model, &e)) {
		printf("# line %zu: expected %s\n", e.line, e.expected);
		formats_ok(false, where, "is read");
	} else if (formats_buffer(&b, t.len)) {
		k->print(&m, pzl_emit_to_buffer, &b);
		ok = formats_equal(t.buf, t.len, &b);
		k->equal += ok;
		formats_ok(ok, where, "is written as it was");
		if (k->read == fmt_zoneinfo && kernel->usual)
			formats_defaults(&m, where);
		free(b.buf);
	}
	pzl_meminfo_destroy(&m);
	text_destroy(&t);
}

/* The lines of a report without their times. */
static bool formats_recorded(const struct fmt_report *r, const struct text *t,
			     struct pzl_text_buffer *b)
{
	size_t len;

	if (!formats_buffer(b, (r->end - r->first + 1) * 1024))
		return false;
	for (size_t i = r->first; i < r->end; i = i == r->first ? r->mem_info : i + 1) {
		const char *p = fmt_log_line(t, i, &len);

		pzl_emit_to_buffer(b, p, len);
		formats_report_lines++;
	}
	return true;
}

static void formats_report(const struct text *t, size_t line, const char *where,
			   const struct formats_kernel *kernel)
{
	struct pzl_text_buffer want, got;
	struct fmt_error e = { 0, NULL };
	struct fmt_report r;
	char what[64];
	bool ok;

	formats_reports++;
	snprintf(what, sizeof(what), "the report on line %zu", line + 1);
	if (!fmt_report_read(&r, t, line, kernel->model, &e)) {
		printf("# line %zu: expected %s\n", e.line, e.expected);
		formats_ok(false, where, what);
	} else if (formats_recorded(&r, t, &want)) {
		if (formats_buffer(&got, want.n)) {
			pzl_print_failure_line(&r.m, &r.f, pzl_emit_to_buffer, &got);
			pzl_print_mem_info(&r.m, pzl_gfp_zone(r.f.gfp, r.m.configured), 0,
					   pzl_emit_to_buffer, &got);
			ok = formats_equal(want.buf, want.n, &got);
			formats_reports_equal += ok;
			formats_ok(ok, where, what);
			free(got.buf);
		}
		free(want.buf);
		/* rebuilt kernels report as 5.15 does what others keep silent about */
		if (!kernel->usual)
			r.m.model = PZL_LINUX_5_15;
		formats_ok(!pzl_failure_silent(&r.m, r.f.gfp), where, "the model reports it too");
	}
	pzl_meminfo_destroy(&r.m);
}

static bool formats_has(const char *p, size_t len, const char *what)
{
	size_t n = strlen(what);

	for (size_t i = 0; i + n <= len; i++)
		if (!memcmp(p + i, what, n))
			return true;
	return false;
}

static void formats_log(const char *path, const char *where, const struct formats_kernel *kernel)
{
	char *err = NULL;
	struct text t;
	size_t len;

	if (text_read(&t, path, &err)) {
		formats_ok(false, where, err);
		free(err);
		return;
	}
	for (size_t i = 0; i < t.n; i++) {
		const char *p = text_line(&t, i, &len);

		if (formats_has(p, len, "page allocation failure: order:"))
			formats_report(&t, i, where, kernel);
	}
	text_destroy(&t);
}

/* The kernel of the machine in a directory, by its version.txt. */
static bool formats_kernel(const char *dir, size_t cut, struct formats_kernel *kernel)
{
	static const char before[] = "Linux version ";
	const char *where = dir + cut;
	enum pzl_fit fit;
	char path[4200];
	struct text t;
	char *err = NULL;
	bool ok;

	snprintf(path, sizeof(path), "%s/version.txt", dir);
	if (text_read(&t, path, &err)) {
		free(err);
		return false;
	}
	ok = t.len > sizeof(before) && !strncmp(t.buf, before, sizeof(before) - 1) &&
	     !pzl_model_for_release(t.buf + sizeof(before) - 1, &kernel->model, &fit);
	kernel->usual = ok && fit == PZL_FIT_EXACT && strstr(t.buf, "debian-kernel@") &&
			(!strncmp(where, "x86_64/", 7) || !strncmp(where, "arm64/", 6));
	text_destroy(&t);
	return ok;
}

static int formats_visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void formats_walk(const char *dir, size_t cut, unsigned int depth)
{
	struct formats_kernel kernel;
	bool known = depth > 1 && formats_kernel(dir, cut, &kernel);
	struct dirent **list;
	char path[4200];
	struct stat st;
	int n = scandir(dir, &list, formats_visible, alphasort);

	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name);
		if (!stat(path, &st) && S_ISDIR(st.st_mode) && depth < 4) {
			formats_walk(path, cut, depth + 1);
		} else if (known) {
			for (size_t k = 0; k < FORMATS_KINDS; k++)
				if (strstr(list[i]->d_name, formats_kinds[k].file))
					formats_file(&formats_kinds[k], path, path + cut, &kernel);
			if (!strncmp(list[i]->d_name, "dmesg.txt", 9))
				formats_log(path, path + cut, &kernel);
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: formats MACHINES\n");
		return 2;
	}
	formats_walk(argv[1], strlen(argv[1]) + 1, 0);
	for (size_t k = 0; k < FORMATS_KINDS; k++) {
		printf("# %s: %u of %u files equal, %zu lines\n", formats_kinds[k].file,
		       formats_kinds[k].equal, formats_kinds[k].files, formats_kinds[k].lines);
		formats_ok(formats_kinds[k].files > 100, formats_kinds[k].file, "there are many");
	}
	printf("# reports: %u of %u equal, %zu lines\n", formats_reports_equal, formats_reports,
	       formats_report_lines);
	formats_ok(formats_reports > 10, "reports", "there are some");
	printf("# zoneinfo of %u kernels has what the model shows by default\n", formats_same);
	printf("1..%u\n", formats_run);
	return formats_failed ? 1 : 0;
}
