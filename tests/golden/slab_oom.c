/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_oom.c - recorded reports of slab caches that found no memory, written anew: the cache from
 * its name and its kernel, the counts from the report. The page request that failed before it must
 * be the one that the flags of the allocation lead to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <physzone/linux/slab_gfp.h>

#include "input/source.h"
#include "walk.h"

struct oom_kernel {
	struct pzl_slab_kernel k;
	struct pzl_kmalloc km;
};

/* Lines written, beside those of the log. */
struct oom_again {
	const struct text *t;
	size_t line;
	bool differs;
};

static unsigned int oom_run, oom_failed, oom_reports, oom_requests;

static void oom_ok(bool ok, const char *where, size_t line, const char *what)
{
	oom_run++;
	oom_failed += !ok;
	printf("%sok %u - %s, line %zu: %s\n", ok ? "" : "not ", oom_run, where, line, what);
}

/* A line without its time, as a string. */
static const char *oom_line(const struct text *t, size_t i, char *buf, size_t size)
{
	size_t len;
	const char *p = text_line(t, i, &len), *end;

	end = len && *p == '[' ? memchr(p, ']', len) : NULL;
	if (end && end + 1 < p + len) {
		len -= (size_t)(end + 2 - p);
		p = end + 2;
	}
	snprintf(buf, size, "%.*s", (int)len, p);
	return buf;
}

static void oom_emit(void *ctx, const char *line, size_t len)
{
	struct oom_again *a = ctx;
	char is[512];

	if (a->line >= a->t->n || strlen(oom_line(a->t, a->line, is, sizeof(is))) != len ||
	    memcmp(is, line, len) != 0)
		a->differs = true;
	a->line++;
}

static bool oom_kernel(struct oom_kernel *o, const char *dir, const struct text *t)
{
	enum pzl_model model;
	enum pzl_arch arch;
	char *err = NULL, line[512];
	struct facts f;
	bool ok, said = false;

	facts_init(&f);
	ok = !source_read(&f, dir, NULL, &err) && f.release && f.arch_hint &&
	     !pzl_model_for_release(f.release, &model, NULL) &&
	     !pzl_arch_by_name(f.arch_hint, &arch);
	if (ok) {
		pzl_slab_kernel_init(&o->k, model, arch, f.page_shift);
		pzl_kmalloc_init(&o->km, model, arch, f.page_shift);
	}
	facts_destroy(&f);
	free(err);
	for (size_t i = 0; i < t->n && ok && !said; i++) {
		oom_line(t, i, line, sizeof(line));
		said = !pzl_slab_kernel_read(&o->k, line, strlen(line));
	}
	return ok && said;
}

/* The report at a line. */
static void oom_report(const struct oom_kernel *o, const char *name, const struct text *t, size_t i)
{
	struct oom_again again = { t, i, false };
	struct pzl_slab_oom oom = { .nodes = 0 };
	struct pzl_slab_geometry g;
	struct pzl_slab_alloc alloc;
	struct pzl_slab_cache cache;
	struct pzl_slab_node node[8];
	enum pzl_kmalloc_type type;
	unsigned int gfp, order, mode;
	uint32_t copy, size;
	char line[512], of[64];
	bool ok;

	ok = sscanf(oom_line(t, i, line, sizeof(line)),
		    "SLUB: Unable to allocate memory on node %d, gfp=%x(", &oom.nid, &gfp) == 2 &&
	     sscanf(oom_line(t, i + 1, line, sizeof(line)), "  cache: %63[^,]", of) == 1 &&
	     !pzl_kmalloc_parse(of, strlen(of), &type, &copy, &size) &&
	     !pzl_kmalloc_cache(&o->km, type, size, &cache) &&
	     !pzl_slab_geometry(&o->k, &cache, &g);
	while (ok && oom.nodes < 8 && i + 2 + oom.nodes < t->n) {
		unsigned long long slabs, objects, left;
		struct pzl_slab_node *n = &node[oom.nodes];

		if (sscanf(oom_line(t, i + 2 + oom.nodes, line, sizeof(line)),
			   "  node %d: slabs: %llu, objs: %llu, free: %llu", &n->nid, &slabs,
			   &objects, &left) != 4)
			break;
		n->slabs = slabs;
		n->objects = objects;
		n->free = left;
		oom.nodes++;
	}
	oom_ok(ok && oom.nodes, name, i + 1, "a report of a cache of kmalloc()");
	if (!ok)
		return;
	oom_reports++;
	oom.name = of;
	oom.object_size = size;
	oom.g = &g;
	oom.gfp = gfp;
	oom.node = node;
	pzl_slab_print_oom(o->k.model, o->k.page_shift, &oom, oom_emit, &again);
	oom_ok(!again.differs && again.line == i + 2 + oom.nodes, name, i + 1,
	       "it is written as it was recorded");

	/* The page allocator's own report comes before it, where it was not held back. */
	pzl_slab_alloc(&alloc, o->k.model, cache.flags, &g, gfp);
	for (size_t back = i; back-- && i - back < 120;) {
		const char *p = strstr(oom_line(t, back, line, sizeof(line)), "allocation failure");

		if (strstr(line, "zonefill: start"))
			break;
		if (!p || sscanf(p, "allocation failure: order:%u, mode:%x(", &order, &mode) != 2)
			continue;
		oom_requests++;
		oom_ok(order == alloc.fallback_order && mode == alloc.fallback_gfp, name, back + 1,
		       "the page request that failed before it");
		break;
	}
}

static void oom_machine(const char *dir, const char *name)
{
	struct oom_kernel o;
	char path[4200], line[512], *err = NULL;
	bool known = false;
	struct stat st;
	struct text t;

	snprintf(path, sizeof(path), "%s/dmesg.txt.xz", dir);
	if (stat(path, &st) || text_read(&t, path, &err)) {
		free(err);
		return;
	}
	for (size_t i = 0; i + 2 < t.n; i++) {
		if (strncmp(oom_line(&t, i, line, sizeof(line)), "SLUB: Unable", 12) != 0)
			continue;
		if (!known) {
			known = oom_kernel(&o, dir, &t);
			oom_ok(known, name, i + 1, "its kernel");
		}
		if (known)
			oom_report(&o, name, &t, i);
	}
	text_destroy(&t);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: slab_oom MACHINES\n");
		return 2;
	}
	golden_walk(argv[1], oom_machine);
	printf("# %u reports, %u page requests before them\n", oom_reports, oom_requests);
	oom_ok(oom_reports >= 7 && oom_requests >= 5, "all", 0, "recorded reports");
	printf("1..%u\n", oom_run);
	return oom_failed ? 1 : 0;
}
