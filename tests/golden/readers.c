/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * readers.c - every file of every recorded machine is read without an error, and what different
 * files say of the same thing agrees.
 *
 * usage: readers MACHINES
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "facts.h"
#include "input/source.h"

static unsigned int readers_tests, readers_failed, readers_machines;

static void readers_ok(bool ok, const char *machine, const char *what, const char *why)
{
	printf("%sok %u - %s: %s\n", ok ? "" : "not ", ++readers_tests, machine, what);
	if (ok)
		return;
	readers_failed++;
	printf("# %s\n", why && *why ? why : "no reason given");
}

/* Pages of a class between two page frames. */
static uint64_t readers_pages(const struct facts *f, enum page_class cls, uint64_t first,
			      uint64_t end)
{
	uint64_t n = 0;

	for (size_t i = 0; i < f->pages.n; i++) {
		struct pz_range r = f->pages.v[i].pfns;

		if (f->pages.v[i].cls != cls || r.last < first || r.first >= end)
			continue;
		if (r.first < first)
			r.first = first;
		if (r.last >= end)
			r.last = end - 1;
		n += r.last - r.first + 1;
	}
	return n;
}

/*
 * Managed pages by kpageflags and by zoneinfo. Zones of several nodes may interleave, and a movable
 * zone lies within the span of no other, so only whole sums over all zones compare for those.
 */
static void readers_managed(const char *machine, const struct facts *f)
{
	uint64_t by_zone = 0, by_pages = readers_pages(f, PGC_MANAGED, 0, UINT64_MAX);
	char why[256] = "";

	for (size_t i = 0; i < f->zoneinfo.n; i++) {
		const struct fact_zoneinfo *z = &f->zoneinfo.v[i];
		uint64_t pages;
		bool alone = true;

		if (z->managed == UINT64_MAX || z->start_pfn == UINT64_MAX)
			continue;
		by_zone += z->managed;
		for (size_t k = 0; k < f->zoneinfo.n; k++) {
			const struct fact_zoneinfo *o = &f->zoneinfo.v[k];

			if (k != i && o->start_pfn != UINT64_MAX &&
			    o->start_pfn < z->start_pfn + z->spanned &&
			    z->start_pfn < o->start_pfn + o->spanned)
				alone = false;
		}
		pages = readers_pages(f, PGC_MANAGED, z->start_pfn, z->start_pfn + z->spanned);
		if (alone && pages != z->managed)
			snprintf(why, sizeof(why),
				 "node %d zone %s: %llu by kpageflags, %llu by "
				 "zoneinfo",
				 z->nid, z->name, (unsigned long long)pages,
				 (unsigned long long)z->managed);
	}
	if (by_zone != by_pages && !*why)
		snprintf(why, sizeof(why), "%llu by kpageflags, %llu by zoneinfo",
			 (unsigned long long)by_pages, (unsigned long long)by_zone);
	readers_ok(!*why, machine, "kpageflags has zoneinfo's managed pages", why);
}

static void readers_zoneinfo(const char *machine, const struct facts *f)
{
	char why[256] = "";

	for (size_t i = 0; i < f->zoneinfo.n; i++) {
		const struct fact_zoneinfo *z = &f->zoneinfo.v[i];

		if (z->min == UINT64_MAX || z->low == UINT64_MAX || z->high == UINT64_MAX ||
		    z->free == UINT64_MAX || z->spanned == UINT64_MAX || z->present == UINT64_MAX ||
		    z->managed == UINT64_MAX || !z->protections)
			snprintf(why, sizeof(why), "node %d zone %s lacks a number", z->nid,
				 z->name);
		else if (z->managed > z->present || z->present > z->spanned || z->min > z->low)
			snprintf(why, sizeof(why), "node %d zone %s: numbers out of order", z->nid,
				 z->name);
		else if (z->present && (z->start_pfn == UINT64_MAX || !z->cpus ||
					z->pcp_high == UINT64_MAX || z->pcp_batch == UINT64_MAX))
			snprintf(why, sizeof(why), "node %d zone %s lacks its start or its CPUs",
				 z->nid, z->name);
	}
	if (!f->zoneinfo.n)
		snprintf(why, sizeof(why), "no zones");
	readers_ok(!*why, machine, "zoneinfo has every number", why);
}

static void readers_small(const char *dir, const char *machine, const struct facts *f)
{
	char why[256] = "", path[4200];
	bool sysctls;

	/* Not every machine was recorded with its sysctls. */
	snprintf(path, sizeof(path), "%s/sysctl_vm.txt.xz", dir);
	sysctls = access(path, F_OK) == 0;

	if (!f->release || !f->cmdline)
		snprintf(why, sizeof(why), "no version or no command line");
	else if (!f->iomem.n)
		snprintf(why, sizeof(why), "no iomem");
	else if (sysctls &&
		 (f->min_free_kbytes == UINT64_MAX || !f->lowmem_ratios || !f->wmark_scale))
		snprintf(why, sizeof(why), "no sysctls");
	else if (!f->mem_total_kib || !f->page_shift)
		snprintf(why, sizeof(why), "no MemTotal, or no page size from it");
	else if (f->distances.n < f->nodes_online.n * f->nodes_online.n)
		snprintf(why, sizeof(why), "distances are missing");
	readers_ok(!*why, machine, "the small files are there", why);
}

static void readers_contradictions(const char *machine, const struct facts *f)
{
	readers_ok(!f->contradictions.n, machine, "its files do not contradict each other",
		   f->contradictions.n ? f->contradictions.v[0].text : NULL);
}

static void readers_machine(const char *dir, const char *machine)
{
	struct facts f;
	char *err = NULL;
	int ret;

	readers_machines++;
	facts_init(&f);
	ret = source_read(&f, dir, NULL, &err);
	readers_ok(!ret, machine, "is read", err);
	if (!ret) {
		readers_zoneinfo(machine, &f);
		readers_small(dir, machine, &f);
		readers_contradictions(machine, &f);
		if (f.pages.n)
			readers_managed(machine, &f);
	}
	free(err);
	facts_destroy(&f);
}

static int readers_visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* Every directory with a cmdline.txt, in order. */
static void readers_walk(const char *dir, size_t cut, unsigned int depth)
{
	struct dirent **list;
	char path[4096];
	struct stat st;
	int n;

	snprintf(path, sizeof(path), "%s/version.txt", dir);
	if (!stat(path, &st))
		readers_machine(dir, dir + cut);
	n = depth < 4 ? scandir(dir, &list, readers_visible, alphasort) : -1;
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name);
		if (!stat(path, &st) && S_ISDIR(st.st_mode))
			readers_walk(path, cut, depth + 1);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: readers MACHINES\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	readers_walk(argv[1], strlen(argv[1]) + 1, 0);
	readers_ok(readers_machines > 0, "machines", "there are some", "none found");
	printf("1..%u\n", readers_tests);
	return readers_failed ? 1 : 0;
}
