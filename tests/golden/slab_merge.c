/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_merge.c - recorded machines' merged caches, from the requests of a machine that does not
 * merge.
 *
 * A machine that was booted with slab_nomerge shows each cache that its kernel asks for, in order.
 * The same requests, merged, must give what other machines with that kernel have: the caches that
 * are there, in order and by the names of their first requests; each name's link; and the
 * attributes of what it leads to, computed from the requests alone.
 *
 * One thing is taken from the recordings that are compared: whether a request could be merged at
 * all, and whether its objects are accounted, which nothing else shows. Both are in the name that
 * its link leads to; the rest of that name is not used.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <physzone/linux/slab_merge.h>
#include <physzone/linux/slab_proc.h>

#include "input/source.h"
#include "vec.h"
#include "walk.h"

struct mg_row {
	char name[64], link[64]; /* link: empty for a cache with a directory of its own */
	struct pzl_slab_cache cache;
	char attrs[256];
};

struct mg_machine {
	char release[96];
	VEC(struct mg_row) rows; /* names and directories, as recorded */
	VEC(char *) order;	 /* of /proc/slabinfo */
	struct pzl_slab_kernel k;
	struct pzl_kmalloc km;
};

static unsigned int mg_run, mg_failed, mg_compared;
static size_t mg_links, mg_caches;
static struct mg_machine mg_source;

static void mg_ok(bool ok, const char *where, const char *what, const char *why)
{
	mg_run++;
	if (!ok)
		mg_failed++;
	printf("%sok %u - %s: %s\n", ok ? "" : "not ", mg_run, where, what);
	if (!ok)
		printf("# %s\n", why);
}

static struct mg_row *mg_find(struct mg_machine *m, const char *name)
{
	for (size_t i = 0; i < m->rows.n; i++)
		if (!strcmp(m->rows.v[i].name, name))
			return &m->rows.v[i];
	return NULL;
}

static bool mg_read(struct text *t, const char *dir, const char *file)
{
	char path[4200], *err = NULL;

	snprintf(path, sizeof(path), "%s/%s.xz", dir, file);
	if (!text_read(t, path, &err))
		return true;
	free(err);
	return false;
}

/* Names with their links, and directories with their attributes. */
static void mg_attrs(struct mg_machine *m, const struct text *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct mg_row r;
		char line[512], name[64], target[64];
		unsigned int size, align, hwcache, reclaim;
		size_t len;
		const char *p = text_line(t, i, &len);
		int end = 0;

		memset(&r, 0, sizeof(r));
		snprintf(line, sizeof(line), "%.*s", (int)len, p);
		if (line[0] == '#')
			continue;
		if (sscanf(line, "%63s -> %63s", name, target) == 2) {
			strcpy(r.name, name);
			strcpy(r.link, target);
		} else if (sscanf(line, "%63s%n %u %*u %*u %*u %u %*s %u %u", name, &end, &size,
				  &align, &hwcache, &reclaim) == 5) {
			strcpy(r.name, name);
			snprintf(r.attrs, sizeof(r.attrs), "%s", line + end);
			r.cache.object_size = size;
			/* What alignment was asked for: golden/slab.c says how it is known. */
			r.cache.align = hwcache ? 0 : align;
			r.cache.flags = (hwcache ? PZL_SLAB_HWCACHE_ALIGN : 0) |
					(reclaim ? PZL_SLAB_RECLAIM_ACCOUNT : 0);
		} else {
			continue;
		}
		*vec_push(&m->rows) = r;
	}
}

static bool mg_machine_read(struct mg_machine *m, const char *dir)
{
	struct facts f;
	enum pzl_model model;
	enum pzl_arch arch;
	char *err = NULL;
	struct text t;
	bool ok;

	memset(m, 0, sizeof(*m));
	facts_init(&f);
	ok = !source_read(&f, dir, NULL, &err) && f.release && f.arch_hint &&
	     !pzl_model_for_release(f.release, &model, NULL) &&
	     !pzl_arch_by_name(f.arch_hint, &arch);
	if (ok) {
		snprintf(m->release, sizeof(m->release), "%s", f.release);
		pzl_slab_kernel_init(&m->k, model, arch, f.page_shift);
		pzl_kmalloc_init(&m->km, model, arch, f.page_shift);
	}
	facts_destroy(&f);
	free(err);
	if (!ok || !mg_read(&t, dir, "dmesg.txt"))
		return false;
	for (size_t i = 0; i < t.n; i++) {
		size_t len;
		const char *p = text_line(&t, i, &len);

		for (; len > 5; p++, len--)
			if (!memcmp(p, "SLUB:", 5))
				pzl_slab_kernel_read(&m->k, p, len);
	}
	text_destroy(&t);
	if (!mg_read(&t, dir, "slab_attrs.txt"))
		return false;
	mg_attrs(m, &t);
	text_destroy(&t);
	if (!mg_read(&t, dir, "slabinfo.txt"))
		return false;
	for (size_t i = PZL_SLABINFO_HEAD; i < t.n; i++) {
		struct pzl_slabinfo info;
		size_t len;
		const char *p = text_line(&t, i, &len);

		if (!pzl_slabinfo_read(p, len, &info))
			*vec_push(&m->order) = strndup(info.name, info.name_len);
	}
	text_destroy(&t);
	return m->rows.n && m->order.n;
}

static void mg_destroy(struct mg_machine *m)
{
	for (size_t i = 0; i < m->order.n; i++)
		free(m->order.v[i]);
	vec_free(&m->order);
	vec_free(&m->rows);
}

/* A request of the source, with what only the compared machine shows. */
static bool mg_request(struct mg_machine *to, const char *name, struct pzl_slab_request *r)
{
	struct mg_row *from = mg_find(&mg_source, name), *as = mg_find(to, name);
	enum pzl_kmalloc_type type;
	uint32_t copy, size;

	if (!from || !as)
		return false;
	memset(r, 0, sizeof(*r));
	r->name = from->name;
	r->cache = from->cache;
	if (!pzl_kmalloc_parse(name, strlen(name), &type, &copy, &size)) {
		if (pzl_kmalloc_cache(&to->km, type, size, &r->cache))
			return false;
		r->cache.flags |= PZL_SLAB_USERCOPY;
		r->boot = true;
		r->fixed = type == PZL_KMALLOC_NORMAL;
		return true;
	}
	r->boot = r->fixed = !strncmp(name, "kmem_cache", 10);
	if (strcspn(as->link, "A") < strcspn(as->link, "-"))
		r->cache.flags |= PZL_SLAB_ACCOUNT;
	/* What must not be merged for a reason that is not recorded. */
	if (!as->link[0] && !r->boot)
		r->cache.flags |= PZL_SLAB_USERCOPY;
	return true;
}

/* The attributes of a cache, as they were recorded, but for what was not asked for by size. */
static bool mg_same_attrs(const struct pzl_slab_made *m, const char *recorded)
{
	unsigned int object_size, size, objects, order, align;

	return sscanf(recorded, " %u %u %u %u %u", &object_size, &size, &objects, &order, &align) ==
		       5 &&
	       object_size == m->object_size && size == m->g.size && objects == m->g.objects &&
	       order == m->g.order && align == m->g.align;
}

static void mg_compare(struct mg_machine *to, const char *name)
{
	static struct pzl_slab_made made[1024];
	static uint32_t serves[1024];
	struct pz_slab_debug none;
	struct pzl_slab_set set;
	char why[512] = "", dir[64];
	size_t n = mg_source.order.n, merged = 0;

	pz_slab_debug_none(&none, pzl_slab_debug_rules(to->k.model));
	pzl_slab_set_init(&set, &to->k, &none, made, 1024);
	for (size_t i = n; i-- && !*why;) {
		struct pzl_slab_request r;
		int err = mg_request(to, mg_source.order.v[i], &r)
				  ? pzl_slab_create(&set, &r, &serves[i])
				  : -1;

		if (err < 0)
			snprintf(why, sizeof(why), "%s cannot be asked for", mg_source.order.v[i]);
		merged += err == 1;
	}
	mg_ok(!*why && merged > 40, name, "each request is served", why);
	for (size_t i = 0; i < n && !*why; i++) {
		struct mg_row *row = mg_find(to, mg_source.order.v[i]);
		struct mg_row *at;

		pzl_slab_directory(dir, sizeof(dir), &set, serves[i]);
		at = mg_find(to, dir);
		if (strcmp(row->link[0] ? row->link : row->name, dir) != 0)
			snprintf(why, sizeof(why), "%s is in %s, recorded %s", row->name, dir,
				 row->link[0] ? row->link : row->name);
		else if (row->link[0] && (!at || !mg_same_attrs(&set.v[serves[i]], at->attrs)))
			snprintf(why, sizeof(why), "%s: object size %u, recorded%s", dir,
				 set.v[serves[i]].object_size, at ? at->attrs : " none");
		mg_links++;
	}
	mg_ok(!*why, name, "names lead to their directories, and those have their attributes", why);
	*why = 0;
	if (set.n != to->order.n)
		snprintf(why, sizeof(why), "%u caches, recorded %zu", set.n, to->order.n);
	for (uint32_t i = 0; i < set.n && !*why; i++)
		if (strcmp(set.v[i].name, to->order.v[set.n - 1 - i]) != 0)
			snprintf(why, sizeof(why), "cache %u is %s, recorded %s", i, set.v[i].name,
				 to->order.v[set.n - 1 - i]);
	mg_caches += set.n;
	mg_ok(!*why, name, "the caches of slabinfo, in order", why);
}

static void mg_machine(const char *dir, const char *name)
{
	struct mg_machine to;
	size_t links = 0, same = 0;

	if (mg_machine_read(&to, dir) && !strcmp(to.release, mg_source.release)) {
		for (size_t i = 0; i < to.rows.n; i++)
			links += to.rows.v[i].link[0] != 0;
		for (size_t i = 0; i < mg_source.order.n; i++)
			same += mg_find(&to, mg_source.order.v[i]) != NULL;
		/* Machines with other devices ask for other caches, and some do not merge. */
		if (links && same == mg_source.order.n) {
			mg_compared++;
			mg_compare(&to, name);
		}
	}
	mg_destroy(&to);
}

int main(int argc, char **argv)
{
	char path[4096], what[160];

	if (argc != 2) {
		fprintf(stderr, "usage: slab_merge MACHINES\n");
		return 2;
	}
	snprintf(path, sizeof(path), "%s/x86_64/6.1-slab_nomerge", argv[1]);
	mg_ok(mg_machine_read(&mg_source, path), "x86_64/6.1-slab_nomerge", "requests", "none");
	golden_walk(argv[1], mg_machine);
	snprintf(what, sizeof(what), "%u machines, %zu names, %zu caches", mg_compared, mg_links,
		 mg_caches);
	mg_ok(mg_compared >= 50, "all", what, "recorded machines are missing");
	mg_destroy(&mg_source);
	printf("1..%u\n", mg_run);
	return mg_failed ? 1 : 0;
}
