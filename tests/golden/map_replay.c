/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_replay.c - what real x86 kernels did with their firmware's map, done again.
 *
 * A kernel prints the map as it has sanitised it, every change that it then makes, and some maps in
 * between. The first map goes into ours upside down and must come out as it was; the changes must
 * make of it the maps that the kernel prints later, and the same last page frame.
 *
 * usage: map_replay MACHINES
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <physzone/map.h>

#include "facts.h"
#include "input/source.h"

static unsigned int replay_tests, replay_failed, replay_maps;

static void *replay_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void replay_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static const struct pz_meta replay_meta = { replay_alloc, replay_free, NULL };

struct replay {
	const struct facts *f;
	struct pz_map m;
	size_t change; /* the next to be made */
	char why[256];
};

/* The printed entries of one origin: [*first, return value). */
static size_t replay_listing(const struct facts *f, enum fw_origin origin, size_t *first)
{
	size_t i = 0, end;

	while (i < f->fw.n && f->fw.v[i].origin != origin)
		i++;
	for (end = i; end < f->fw.n && f->fw.v[end].origin == origin; end++)
		;
	*first = i;
	return end;
}

/* Types that print the same word are the same here. */
static uint32_t replay_type(uint32_t type)
{
	return type == PZ_MAP_RESERVED_KERN ? PZ_MAP_RAM : type;
}

static void replay_compare(struct replay *r, enum fw_origin origin, const char *what)
{
	size_t i, end = replay_listing(r->f, origin, &i), first = i;

	for (; i < end && !*r->why; i++) {
		const struct fact_fw *e = &r->f->fw.v[i];
		const struct pz_map_entry *o = &r->m.v[i - first];

		if (i - first >= r->m.count || o->range.first != e->range.first ||
		    o->range.last != e->range.last || replay_type(o->type) != e->type)
			snprintf(r->why, sizeof(r->why), "%s: entry %zu differs at %#llx", what,
				 i - first, (unsigned long long)e->range.first);
	}
	if (end - first != r->m.count && !*r->why)
		snprintf(r->why, sizeof(r->why), "%s: %u entries, the kernel has %zu", what,
			 r->m.count, end - first);
}

/* Take a printed map over, last entry first. */
static void replay_load(struct replay *r, enum fw_origin origin)
{
	size_t first, end = replay_listing(r->f, origin, &first);

	pz_map_destroy(&r->m);
	pz_map_init(&r->m, &replay_meta, NULL, 0);
	while (end-- > first) {
		const struct fact_fw *e = &r->f->fw.v[end];

		pz_map_insert_range(&r->m, e->range, e->type, e->at.line);
	}
	pz_map_sanitise(&r->m, 12, 52);
	for (uint32_t i = 0; i < r->m.odd_count && !*r->why; i++)
		if (r->m.odd[i].what == PZ_ODD_OVERLAP || r->m.odd[i].what == PZ_ODD_DUPLICATE)
			snprintf(r->why, sizeof(r->why), "an overlap at line %u", r->m.odd[i].ref);
}

/* Make the changes that were printed before a line. */
static void replay_changes(struct replay *r, uint32_t line)
{
	for (; r->change < r->f->e820_changes.n; r->change++) {
		const struct fact_e820_change *c = &r->f->e820_changes.v[r->change];
		uint32_t to = c->to;

		if (c->at.line >= line)
			break;
		/* "usable ==> usable": the kernel's own, which prints the same. */
		if (c->from == PZ_MAP_RAM && to == PZ_MAP_RAM)
			to = PZ_MAP_RESERVED_KERN;
		if (pz_map_set_type(&r->m, c->range, c->from, to) && !*r->why)
			snprintf(r->why, sizeof(r->why), "line %u: no change", c->at.line);
	}
}

static bool replay_later(struct replay *r, enum fw_origin origin, bool told, const char *what)
{
	size_t first, end = replay_listing(r->f, origin, &first);

	if (first == end)
		return false;
	replay_changes(r, r->f->fw.v[first].at.line);
	if (told)
		replay_compare(r, origin, what);
	else
		replay_load(r, origin);
	return told;
}

static void replay_last_pfn(struct replay *r, uint64_t limit, uint64_t want)
{
	uint64_t got = pz_map_last_pfn(&r->m, PZ_MAP_RAM, 12, limit);

	if (want && got != want && !*r->why)
		snprintf(r->why, sizeof(r->why), "last_pfn is %#llx, the kernel's %#llx",
			 (unsigned long long)got, (unsigned long long)want);
}

static void replay_machine(const struct facts *f, const char *machine)
{
	struct replay r = { .f = f };
	size_t first, end = replay_listing(f, FW_BIOS, &first);
	bool user = false, extended = false;

	if (first == end)
		return;
	pz_map_init(&r.m, &replay_meta, NULL, 0);
	replay_load(&r, FW_BIOS);
	replay_compare(&r, FW_BIOS, "firmware's map");
	/* The kernel does not print what memmap= adds. */
	user = replay_later(&r, FW_USER, !strstr(f->cmdline ? f->cmdline : "", "memmap="),
			    "user's map");
	extended = replay_later(&r, FW_SETUP_DATA, true, "extended map");
	replay_changes(&r, UINT32_MAX);
	replay_last_pfn(&r, UINT64_MAX, f->last_pfn);
	replay_last_pfn(&r, (uint64_t)1 << 20, f->low_last_pfn);
	if (pz_map_check(&r.m) && !*r.why)
		snprintf(r.why, sizeof(r.why), "the check fails");
	printf("%sok %u - %s: %zu entries, %zu changes%s%s\n", *r.why ? "not " : "", ++replay_tests,
	       machine, end - first, r.change, user ? ", mem=" : "",
	       extended ? ", setup data" : "");
	if (*r.why) {
		printf("# %s\n", r.why);
		replay_failed++;
	}
	replay_maps++;
	pz_map_destroy(&r.m);
}

static int replay_visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void replay_walk(const char *dir, size_t cut, unsigned int depth)
{
	static const char *const ends[] = { "", ".xz", ".gz", ".zst" };
	struct dirent **list;
	char path[4096];
	struct stat st;
	int n;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct facts f;
		char *err = NULL;

		snprintf(path, sizeof(path), "%s/dmesg.txt%s", dir, ends[i]);
		if (stat(path, &st))
			continue;
		facts_init(&f);
		if (!source_read(&f, path, NULL, &err))
			replay_machine(&f, dir + cut);
		free(err);
		facts_destroy(&f);
	}
	n = depth < 4 ? scandir(dir, &list, replay_visible, alphasort) : -1;
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name);
		if (!stat(path, &st) && S_ISDIR(st.st_mode))
			replay_walk(path, cut, depth + 1);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: map_replay MACHINES\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	replay_walk(argv[1], strlen(argv[1]) + 1, 0);
	printf("%sok %u - some logs have maps\n", replay_maps ? "" : "not ", ++replay_tests);
	printf("1..%u\n", replay_tests);
	return replay_failed || !replay_maps ? 1 : 0;
}
