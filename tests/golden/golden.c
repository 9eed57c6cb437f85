/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * golden.c - the analysis against every recorded machine: what is computed must be what that
 * kernel's own /proc/zoneinfo says. Output is TAP.
 *
 *   golden [-v] MACHINES [PATTERN]
 *
 * Each machine is read twice: as a directory, and by its boot log alone. Where the kernel that
 * crashed is recorded too, the capture kernel's machine is also made out of that one's. Results
 * that the input states are never used to compute, so this compares two independent things; the
 * exception is named: watermarks are also computed from the recorded managed pages.
 */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis.h"
#include "input/source.h"

static unsigned int golden_run, golden_failed;
static bool golden_verbose;

static void golden_ok(bool ok, const char *machine, const char *what, const char *why)
{
	golden_run++;
	if (!ok)
		golden_failed++;
	printf("%sok %u - %s: %s\n", ok ? "" : "not ", golden_run, machine, what);
	if (!ok && why && *why)
		printf("# %s\n", why);
}

/* The reasons of one failed check, joined. */
struct golden_why {
	char text[4096];
	size_t n;
};

static void golden_because(struct golden_why *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void golden_because(struct golden_why *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (w->n >= sizeof(w->text) - 1)
		return;
	va_start(ap, fmt);
	n = vsnprintf(w->text + w->n, sizeof(w->text) - w->n, fmt, ap);
	va_end(ap);
	if (n > 0)
		w->n += (size_t)n;
	if (w->n >= sizeof(w->text))
		w->n = sizeof(w->text) - 1;
}

static const struct an_zone *golden_zone(const struct analysis *a, const struct fact_zoneinfo *z)
{
	for (size_t n = 0; n < a->nodes.n; n++) {
		if (a->nodes.v[n].nid != z->nid)
			continue;
		for (int t = 0; t < PZ_ZONE_TYPES; t++)
			if (a->nodes.v[n].zone[t].shown &&
			    !strcmp(pz_zone_name((enum pz_zone_type)t), z->name))
				return &a->nodes.v[n].zone[t];
	}
	return NULL;
}

static void golden_compare(const struct analysis *a, const struct facts *ref,
			   struct golden_why *why)
{
	size_t rows = 0;

	for (size_t i = 0; i < ref->zoneinfo.n; i++) {
		const struct fact_zoneinfo *z = &ref->zoneinfo.v[i];
		const struct an_zone *r = golden_zone(a, z);

		if (!r) {
			golden_because(why, "node %d zone %s is missing; ", z->nid, z->name);
			continue;
		}
		if (r->start_pfn != (z->start_pfn == UINT64_MAX ? 0 : z->start_pfn) ||
		    r->spanned != z->spanned || r->present != z->present)
			golden_because(why,
				       "node %d %s: start %llu spanned %llu present %llu, recorded "
				       "%llu %llu %llu; ",
				       z->nid, z->name, (unsigned long long)r->start_pfn,
				       (unsigned long long)r->spanned,
				       (unsigned long long)r->present,
				       (unsigned long long)z->start_pfn,
				       (unsigned long long)z->spanned,
				       (unsigned long long)z->present);
	}
	for (size_t n = 0; n < a->nodes.n; n++)
		for (int t = 0; t < PZ_ZONE_TYPES; t++)
			rows += a->nodes.v[n].zone[t].shown;
	if (rows != ref->zoneinfo.n)
		golden_because(why, "%zu rows, recorded %zu; ", rows, ref->zoneinfo.n);
}

static void golden_layout(const char *name, const struct analysis *a, const struct facts *ref)
{
	struct golden_why why = { "", 0 };

	golden_compare(a, ref, &why);
	golden_ok(!why.n, name, "start, spanned and present of every zone", why.text);
}

/*
 * @total: only the sum over all zones is held to half a percent, for an input that does not tell
 * where the kernel image lies.
 */
static void golden_managed(const char *name, const struct analysis *a, const struct facts *ref,
			   bool total)
{
	struct golden_why why = { "", 0 }, none = { "", 0 };
	uint64_t sum = 0, want = 0;
	bool exact = true;

	for (size_t i = 0; i < ref->zoneinfo.n; i++) {
		const struct fact_zoneinfo *z = &ref->zoneinfo.v[i];
		const struct an_zone *r = golden_zone(a, z);
		uint64_t diff;

		if (!r)
			continue;
		diff = r->managed > z->managed ? r->managed - z->managed : z->managed - r->managed;
		if (!r->managed != !z->managed)
			golden_because(&none, "node %d %s: %llu, recorded %llu; ", z->nid, z->name,
				       (unsigned long long)r->managed,
				       (unsigned long long)z->managed);
		if (r->managed_from != MANAGED_MEMBLOCK && r->present)
			exact = false;
		sum += r->managed;
		want += z->managed;
		if (r->managed_from == MANAGED_MEMBLOCK ? diff != 0 :
							  diff * 200 > z->managed && !total)
			golden_because(&why, "node %d %s: %llu, recorded %llu (%+lld); ", z->nid,
				       z->name, (unsigned long long)r->managed,
				       (unsigned long long)z->managed,
				       (long long)r->managed - (long long)z->managed);
		else if (golden_verbose && diff)
			printf("# %s node %d %s: %+lld of %llu\n", name, z->nid, z->name,
			       (long long)r->managed - (long long)z->managed,
			       (unsigned long long)z->managed);
	}
	if ((sum > want ? sum - want : want - sum) * 200 > want)
		golden_because(&why, "%llu in all, recorded %llu; ", (unsigned long long)sum,
			       (unsigned long long)want);
	golden_ok(!why.n, name,
		  exact ? "managed pages, exactly" :
		  total ? "all managed pages within 0.5 percent" :
			  "managed pages within 0.5 percent",
		  why.text);
	golden_ok(!none.n, name, "which zones have no managed page", none.text);
}

static void golden_marks(const char *name, const struct analysis *a, const struct facts *ref)
{
	struct golden_why why = { "", 0 };
	uint64_t boost;

	for (size_t i = 0; i < ref->zoneinfo.n; i++) {
		const struct fact_zoneinfo *z = &ref->zoneinfo.v[i];
		const struct an_zone *r = golden_zone(a, z);

		if (!r)
			continue;
		boost = z->boost == UINT64_MAX ? 0 : z->boost;
		if (r->min != z->min - boost || r->low != z->low - boost ||
		    r->high != z->high - boost)
			golden_because(&why,
				       "node %d %s: %llu %llu %llu, recorded %llu %llu %llu; ",
				       z->nid, z->name, (unsigned long long)r->min,
				       (unsigned long long)r->low, (unsigned long long)r->high,
				       (unsigned long long)z->min, (unsigned long long)z->low,
				       (unsigned long long)z->high);
		for (unsigned int k = 0; k < z->protections; k++)
			if (k >= r->protections || r->protection[k] != z->protection[k])
				golden_because(&why, "node %d %s: protection[%u] %llu, recorded "
						     "%llu; ",
					       z->nid, z->name, k,
					       (unsigned long long)(k < r->protections ?
									    r->protection[k] :
									    0),
					       (unsigned long long)z->protection[k]);
	}
	golden_ok(!why.n, name, "min, low, high and protection from the recorded managed pages",
		  why.text);
}

static bool golden_analyse(const char *name, const char *what, struct facts *f, struct analysis *a,
			   const struct analysis_options *o)
{
	char *err = NULL;
	int rc = analyse(a, f, o, &err);

	if (rc)
		golden_ok(false, name, what, err);
	free(err);
	return rc == 0;
}

/* The capture kernel's zones out of the machine that crashed, by one of the two ways to load it. */
static void golden_capture(const char *dir, const char *name, const struct facts *ref)
{
	struct golden_why why[2] = { { "", 0 }, { "", 0 } };
	struct analysis_options ao;
	struct source_options so;
	char path[4200];
	struct stat st;
	bool fits = false;

	memset(&so, 0, sizeof(so));
	memset(&ao, 0, sizeof(ao));
	snprintf(path, sizeof(path), "%s/first", dir);
	if (stat(path, &st))
		return;
	for (unsigned int file = 0; file < 2; file++) {
		struct facts running, capture;
		struct analysis a;
		char *err = NULL;

		ao.kexec_file = file;
		facts_init(&running);
		facts_init(&capture);
		memset(&a, 0, sizeof(a));
		if (source_read(&running, path, &so, &err) ||
		    capture_machine(&capture, &running, &ao, &err) ||
		    analyse(&a, &capture, &ao, &err))
			golden_because(&why[file], "%s", err);
		else
			golden_compare(&a, ref, &why[file]);
		free(err);
		analysis_destroy(&a);
		facts_destroy(&capture);
		facts_destroy(&running);
		fits = fits || !why[file].n;
	}
	golden_ok(fits, name, "the capture kernel's zones out of the machine that crashed",
		  why[0].text);
}

static void golden_machine(const char *dir, const char *name)
{
	struct source_options so;
	struct analysis_options ao;
	struct analysis a;
	struct facts f, log;
	char path[4200], label[512], *err = NULL;
	bool hotplug = false;

	memset(&so, 0, sizeof(so));
	memset(&ao, 0, sizeof(ao));
	facts_init(&f);
	if (source_read(&f, dir, &so, &err)) {
		golden_ok(false, name, "the directory is read", err);
		free(err);
		facts_destroy(&f);
		return;
	}
	if (golden_analyse(name, "the machine is computed", &f, &a, &ao)) {
		struct golden_why why = { "", 0 };

		for (size_t i = 0; i < a.notes.n; i++)
			if (strstr(a.notes.v[i], "was added while running, on line"))
				hotplug = true;
		golden_layout(name, &a, &f);
		golden_managed(name, &a, &f, false);
		for (size_t i = 0; i < a.contradictions.n; i++)
			golden_because(&why, "%s; ", a.contradictions.v[i].text);
		golden_ok(!why.n, name, "nothing in the input contradicts it", why.text);
		for (size_t i = 0; golden_verbose && i < a.notes.n; i++)
			printf("# %s: %s\n", name, a.notes.v[i]);
	}
	analysis_destroy(&a);

	golden_capture(dir, name, &f);
	ao.managed_recorded = true;
	if (golden_analyse(name, "the machine is computed with recorded pages", &f, &a, &ao))
		golden_marks(name, &a, &f);
	analysis_destroy(&a);
	ao.managed_recorded = false;

	snprintf(path, sizeof(path), "%s/dmesg.txt.xz", dir);
	snprintf(label, sizeof(label), "%s (log alone)", name);
	facts_init(&log);
	if (source_read(&log, path, &so, &err)) {
		golden_ok(false, label, "the log is read", err);
		free(err);
	} else if (golden_analyse(label, "the machine is computed", &log, &a, &ao)) {
		bool guessed = false;

		for (size_t i = 0; i < a.notes.n; i++)
			guessed = guessed || strstr(a.notes.v[i], "kernel image lies is not told");
		/* Memory that was added later is not in a boot log. */
		if (!hotplug) {
			golden_layout(label, &a, &f);
			golden_managed(label, &a, &f, guessed);
		}
		analysis_destroy(&a);
	} else {
		analysis_destroy(&a);
	}
	facts_destroy(&log);
	facts_destroy(&f);
}

static int golden_visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* Every directory below @root that holds a zoneinfo, in order. */
static void golden_walk(const char *root, size_t cut, const char *pattern, unsigned int depth)
{
	struct dirent **list;
	char path[4096];
	struct stat st;
	int n;

	snprintf(path, sizeof(path), "%s/zoneinfo.txt.xz", root);
	if (!stat(path, &st) && (!pattern || strstr(root + cut, pattern)))
		golden_machine(root, root + cut);
	n = scandir(root, &list, golden_visible, alphasort);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", root, list[i]->d_name);
		if (depth < 4 && !stat(path, &st) && S_ISDIR(st.st_mode))
			golden_walk(path, cut, pattern, depth + 1);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

int main(int argc, char **argv)
{
	int i = 1;

	if (i < argc && !strcmp(argv[i], "-v")) {
		golden_verbose = true;
		i++;
	}
	if (i >= argc) {
		fprintf(stderr, "usage: golden [-v] MACHINES [PATTERN]\n");
		return 2;
	}
	golden_walk(argv[i], strlen(argv[i]) + 1, i + 1 < argc ? argv[i + 1] : NULL, 0);
	if (!golden_run)
		golden_ok(false, argv[i], "there are machines", strerror(ENOENT));
	printf("1..%u\n", golden_run);
	return golden_failed ? 1 : 0;
}
