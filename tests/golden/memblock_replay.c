/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memblock_replay.c - what real kernels did with their early memory, done again.
 *
 * A log of a kernel with memblock=debug has every change of its arrays, every request for early
 * memory with the place that it got, and at times both arrays in full. From the first of these
 * dumps on every change is made in a memblock of ours, every request is asked of it first, and at
 * the next dump both must hold the same memory. Where the kernel then counts the pages that it
 * handed over, ours are counted too.
 *
 * Nodes and flags are not in the changes, so a dump is compared by its ranges, and then taken over.
 *
 * usage: memblock_replay MACHINES
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <physzone/memblock.h>

#include "input/text.h"

static unsigned int replay_tests, replay_failed, replay_machines;

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
	struct pz_memblock mb;
	struct pz_memblock dump; /* what the kernel says */
	bool in_dump;
	unsigned int dumps, events, placed;
	bool movable_node; /* the kernel does not allocate from what may be unplugged */
	bool highmem;	   /* handed over apart from the rest */
	bool deferred;	   /* handed over in part only, before the kernel counts */
	bool x86_64;
	uint64_t limit; /* highest address that is mapped */
	struct pz_mb_req req;
	bool asked;	  /* req waits for the place that the kernel gave */
	uint64_t counted; /* KiB that the kernel handed over, UINT64_MAX when not told */
	char why[320];
};

static void replay_ok(const struct replay *r, const char *machine, const char *what)
{
	bool ok = !*r->why;

	printf("%sok %u - %s: %s\n", ok ? "" : "not ", ++replay_tests, machine, what);
	if (ok)
		return;
	replay_failed++;
	printf("# %s\n", r->why);
}

static void replay_fail(struct replay *r, const char *what, struct pz_range ours,
			struct pz_range theirs, const char *line)
{
	if (*r->why)
		return;
	snprintf(r->why, sizeof(r->why), "%s: %#llx-%#llx here, %#llx-%#llx there; %.120s", what,
		 (unsigned long long)ours.first, (unsigned long long)ours.last,
		 (unsigned long long)theirs.first, (unsigned long long)theirs.last, line);
}

/* The next range of an array, whatever its nodes and flags. */
static bool replay_next(const struct pz_mb_array *a, uint32_t *i, struct pz_range *r)
{
	if (*i == a->count)
		return false;
	*r = a->v[(*i)++].range;
	while (*i < a->count && a->v[*i].range.first == r->last + 1)
		r->last = a->v[(*i)++].range.last;
	return true;
}

static void replay_compare(struct replay *r, const struct pz_mb_array *ours,
			   const struct pz_mb_array *theirs, const char *what)
{
	uint32_t i = 0, k = 0;

	for (;;) {
		struct pz_range a = { 0, 0 }, b = { 0, 0 };
		bool more = replay_next(ours, &i, &a), other = replay_next(theirs, &k, &b);

		if (more != other || a.first != b.first || a.last != b.last)
			replay_fail(r, what, a, b, "at a dump");
		if (!more || !other)
			return;
	}
}

static void replay_dump_start(struct replay *r)
{
	pz_memblock_destroy(&r->dump);
	pz_memblock_init(&r->dump, &replay_meta, 12);
	r->in_dump = true;
}

static void replay_dump_end(struct replay *r)
{
	r->in_dump = false;
	if (r->dumps++) {
		replay_compare(r, &r->mb.memory, &r->dump.memory, "memory");
		replay_compare(r, &r->mb.reserved, &r->dump.reserved, "reserved");
	}
	pz_memblock_copy(&r->mb, &r->dump);
	r->mb.current_limit = r->limit;
	r->mb.skip_hotplug = r->movable_node;
	/* Until the nodes are known nothing high is taken: it might be unpluggable. */
	r->mb.bottom_up = r->movable_node && r->dumps == 1;
}

/* "[0x1000-0x1fff]" at p. */
static bool replay_range(const char *p, struct pz_range *range)
{
	char *end;

	if (!p || *p != '[')
		return false;
	range->first = strtoull(p + 1, &end, 16);
	if (*end != '-')
		return false;
	range->last = strtoull(end + 1, &end, 16);
	return *end == ']' && range->first <= range->last;
}

/* A region of a dump: " memory[0x0]\t[0x..-0x..], 0x.. bytes on node 0 flags: 0x0". */
static bool replay_dump_line(struct replay *r, const char *line)
{
	const char *memory = strstr(line, " memory[0x"), *reserved = strstr(line, " reserved[0x");
	const char *p = memory ? memory : reserved;
	struct pz_range range;
	uint32_t flags = 0;
	int nid = PZ_NID_NONE;

	if (strstr(line, " memory size = ") || strstr(line, ".cnt  = "))
		return true;
	if (!p || !(p = strchr(p, '\t')) || !replay_range(p + 1, &range))
		return false;
	if ((p = strstr(line, " on node ")))
		nid = atoi(p + 9);
	if ((p = strstr(line, " flags: ")))
		flags = (uint32_t)strtoul(p + 8, NULL, 16);
	if (memory)
		pz_memblock_add(&r->dump, range.first, range.last - range.first + 1, nid, flags);
	else
		pz_memblock_reserve(&r->dump, range.first, range.last - range.first + 1, nid,
				    flags);
	return true;
}

static bool replay_value(const char *line, const char *name, int base, uint64_t *v)
{
	const char *p = strstr(line, name);

	if (p)
		*v = strtoull(p + strlen(name), NULL, base);
	return p != NULL;
}

/* "memblock_alloc_try_nid: 64 bytes align=0x40 nid=-1 from=0x.. max_addr=0x.. caller". */
static bool replay_request(struct replay *r, const char *line)
{
	const char *p = strstr(line, "memblock_alloc_"),
		   *q = strstr(line, "memblock_phys_alloc_range: ");
	uint64_t align, from, max;

	if ((!p && !q) || !strstr(line, " bytes align="))
		return false;
	if (!replay_value(line, " align=", 16, &align) ||
	    !replay_value(line, " from=", 16, &from) || !replay_value(line, " max_addr=", 16, &max))
		return false;
	r->req = pz_mb_req(strtoull(strstr(q ? q : p, ": ") + 2, NULL, 10), align);
	r->req.min_addr = from;
	/* 0 and 1 mean: what is mapped. */
	if (max > 1)
		r->req.max_addr = max - 1;
	if (q) {
		r->req.retry_low = false;
	} else {
		uint64_t nid = 0;

		if (r->req.max_addr > r->limit)
			r->req.max_addr = r->limit;
		replay_value(line, " nid=", 10, &nid);
		r->req.nid = (int)nid;
		r->req.exact_nid = !strncmp(p, "memblock_alloc_exact_nid", 24);
	}
	r->asked = true;
	return true;
}

static void replay_reserve(struct replay *r, struct pz_range range, const char *line)
{
	struct pz_range got = { 0, 0 };

	if (r->asked && strstr(line, "memblock_alloc_range_nid")) {
		int err = pz_memblock_find(&r->mb, &r->req, &got);

		if (err || got.first != range.first || got.last != range.last)
			replay_fail(r, "place", got, range, line);
		r->placed++;
	}
	pz_memblock_reserve(&r->mb, range.first, range.last - range.first + 1, PZ_NID_NONE, 0);
}

static void replay_change(struct replay *r, const char *line)
{
	static const struct {
		const char *name;
		int op;
	} ops[] = { { "memblock_reserve: ", 'r' },  { "memblock_phys_free: ", 'f' },
		    { "memblock_free: ", 'f' },	    { "memblock_add: ", 'a' },
		    { "memblock_add_node: ", 'a' }, { "memblock_remove: ", 'd' } };
	struct pz_range range;

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		const char *p = strstr(line, ops[i].name);
		uint64_t size;

		if (!p || !replay_range(p + strlen(ops[i].name), &range))
			continue;
		size = range.last - range.first + 1;
		if (ops[i].op == 'r')
			replay_reserve(r, range, line);
		else if (ops[i].op == 'f')
			pz_memblock_free(&r->mb, range.first, size);
		else if (ops[i].op == 'a')
			pz_memblock_add(&r->mb, range.first, size, PZ_NID_NONE, 0);
		else
			pz_memblock_remove(&r->mb, range.first, size);
		r->asked = false;
		r->events++;
		return;
	}
}

static int replay_count(void *ctx, struct pz_range pfns, int nid)
{
	uint64_t *pages = ctx;

	(void)nid;
	*pages += pfns.last - pfns.first + 1;
	return 0;
}

/*
 * "Memory: 159412K/262124K available": all that was handed over. On x86_64 mem_init() has by then
 * taken the page tables of the vmalloc area, 32 TiB in 64 pages.
 */
static void replay_counted(struct replay *r, const char *line)
{
	uint64_t pages = 0;

	if (r->counted != UINT64_MAX || r->highmem || r->deferred ||
	    !replay_value(line, "] Memory: ", 10, &r->counted))
		return;
	pz_memblock_hand_over(&r->mb, UINT64_MAX, replay_count, &pages);
	pages -= r->x86_64 ? 64 : 0;
	if (pages * 4 != r->counted && !*r->why)
		snprintf(r->why, sizeof(r->why), "%llu KiB here; %.120s",
			 (unsigned long long)pages * 4, line);
}

static void replay_line(struct replay *r, const char *line)
{
	if (strstr(line, "MEMBLOCK configuration:")) {
		replay_dump_start(r);
		return;
	}
	if (r->in_dump) {
		if (replay_dump_line(r, line))
			return;
		replay_dump_end(r);
	}
	if (!r->dumps)
		return;
	if (strstr(line, "] NUMA: Node "))
		r->mb.bottom_up = false;
	if (!replay_request(r, line))
		replay_change(r, line);
	replay_counted(r, line);
}

/* What the whole log tells that is needed from the start. */
static void replay_first(struct replay *r, const char *line)
{
	uint64_t end;

	if (strstr(line, "ommand line: ") && strstr(line, " movable_node"))
		r->movable_node = true;
	if (replay_value(line, " mapped low ram: 0 - ", 16, &end))
		r->limit = end - 1;
	if (strstr(line, "K highmem)"))
		r->highmem = true;
	if (strstr(line, "deferred pages initialised"))
		r->deferred = true;
}

static void replay_log(const struct text *t, const char *machine)
{
	struct replay r;
	char line[512];

	memset(&r, 0, sizeof(r));
	pz_memblock_init(&r.mb, &replay_meta, 12);
	pz_memblock_init(&r.dump, &replay_meta, 12);
	r.limit = PZ_ADDR_MAX;
	r.counted = UINT64_MAX;
	r.x86_64 = strstr(machine, "x86_64") != NULL;
	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < t->n; i++) {
			size_t len;
			const char *p = text_line(t, i, &len);

			if (len >= sizeof(line))
				len = sizeof(line) - 1;
			memcpy(line, p, len);
			line[len] = '\0';
			if (pass)
				replay_line(&r, line);
			else
				replay_first(&r, line);
		}
	}
	if (r.dumps) {
		replay_machines++;
		if (pz_memblock_check(&r.mb) && !*r.why)
			snprintf(r.why, sizeof(r.why), "the check fails");
		if ((!r.events || !r.placed) && !*r.why)
			snprintf(r.why, sizeof(r.why), "nothing was replayed");
		snprintf(line, sizeof(line), "%u dumps, %u changes, %u places%s", r.dumps, r.events,
			 r.placed, r.counted == UINT64_MAX ? "" : ", the pages handed over");
		replay_ok(&r, machine, line);
	}
	pz_memblock_destroy(&r.mb);
	pz_memblock_destroy(&r.dump);
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
		struct text t;
		char *err = NULL;

		snprintf(path, sizeof(path), "%s/dmesg.txt%s", dir, ends[i]);
		if (stat(path, &st) || text_read(&t, path, &err)) {
			free(err);
			continue;
		}
		replay_log(&t, dir + cut);
		text_destroy(&t);
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
	struct replay none = { .counted = 0 };

	if (argc != 2) {
		fputs("usage: memblock_replay MACHINES\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	replay_walk(argv[1], strlen(argv[1]) + 1, 0);
	if (!replay_machines)
		snprintf(none.why, sizeof(none.why), "none found");
	replay_ok(&none, "logs", "some have dumps");
	printf("1..%u\n", replay_tests);
	return replay_failed ? 1 : 0;
}
