/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab.c - the slab caches of every recorded machine, laid out anew and compared. Output is TAP.
 *
 *   slab [-v] MACHINES [PATTERN]
 *
 * Cause: version, architecture, page size, what the kernel says of its slabs in its log, and of
 * each cache the size of its objects, its flags and its debug options. For kmalloc()'s caches the
 * name is enough. Result: alignment, size of a slot, order and objects of a slab, what is kept of
 * partial slabs; in slabinfo the same by the caches' own names.
 *
 * Two things are not recorded. Which caches have a constructor or are freed by RCU is in a list
 * here, by name. What alignment was asked for is known of caches without SLAB_HWCACHE_ALIGN, where
 * it is the result; of the others none was, but for the two kinds that slab_asked() knows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <physzone/linux/slab.h>

#include "input/source.h"
#include "walk.h"

/* A row of slab_attrs.txt, and what was computed of it. */
struct slab_row {
	char name[64];
	unsigned int object_size, size, objects, order, align;
	char dma[4];
	unsigned int hwcache_align, reclaim_account, min_partial, cpu_partial;
	unsigned int red_zone, poison, store_user, sanity_checks;
	struct pzl_slab_geometry g;
};

struct slab_link {
	char name[64], target[64];
};

struct slab_machine {
	const char *name;
	struct pzl_slab_kernel k;
	struct pzl_kmalloc km;
	VEC(struct slab_row) rows;
	VEC(struct slab_link) links;
};

static unsigned int slab_run, slab_failed, slab_machines;
static unsigned int slab_caches, slab_caches_equal, slab_numbers, slab_infos, slab_infos_equal;
static unsigned int slab_debugged;
static bool slab_verbose;
static const char *slab_pattern; /* a part of the names that are wanted, or NULL */
static size_t slab_cut;		 /* where names begin in paths */

/* Caches with a constructor, or freed by RCU: their free pointer lies behind the object. */
static const struct slab_outside {
	const char *name;
	uint32_t flags;
} slab_outside[] = {
	{ "TCP", PZL_SLAB_TYPESAFE_BY_RCU },
	{ "TCPv6", PZL_SLAB_TYPESAFE_BY_RCU },
	{ "anon_vma", PZL_SLAB_TYPESAFE_BY_RCU | PZL_SLAB_CTOR },
	{ "bdev_cache", PZL_SLAB_CTOR },
	{ "bio-192", PZL_SLAB_TYPESAFE_BY_RCU },
	{ "bio-256", PZL_SLAB_TYPESAFE_BY_RCU },
	{ "dax_cache", PZL_SLAB_CTOR },
	{ "ext4_inode_cache", PZL_SLAB_CTOR },
	{ "hugetlbfs_inode_cache", PZL_SLAB_CTOR },
	{ "iint_cache", PZL_SLAB_CTOR },
	{ "ima_iint_cache", PZL_SLAB_CTOR },
	{ "inode_cache", PZL_SLAB_CTOR },
	{ "jbd2_journal_head", PZL_SLAB_TYPESAFE_BY_RCU },
	{ "mqueue_inode_cache", PZL_SLAB_CTOR },
	{ "pgtable-2^13", PZL_SLAB_CTOR },
	{ "pgtable-2^9", PZL_SLAB_CTOR },
	{ "proc_inode_cache", PZL_SLAB_CTOR },
	{ "radix_tree_node", PZL_SLAB_CTOR },
	{ "request_sock_TCP", PZL_SLAB_TYPESAFE_BY_RCU },
	{ "request_sock_TCPv6", PZL_SLAB_TYPESAFE_BY_RCU },
	{ "request_sock_subflow_v4", PZL_SLAB_TYPESAFE_BY_RCU },
	{ "request_sock_subflow_v6", PZL_SLAB_TYPESAFE_BY_RCU },
	{ "shmem_inode_cache", PZL_SLAB_CTOR },
	{ "sighand_cache", PZL_SLAB_TYPESAFE_BY_RCU | PZL_SLAB_CTOR },
	{ "sock_inode_cache", PZL_SLAB_CTOR },
	{ "tracefs_inode_cache", PZL_SLAB_CTOR },
	{ "tw_sock_TCP", PZL_SLAB_TYPESAFE_BY_RCU },
	{ "tw_sock_TCPv6", PZL_SLAB_TYPESAFE_BY_RCU },
	{ "userfaultfd_ctx_cache", PZL_SLAB_CTOR },
};

static void slab_ok(bool ok, const char *where, const char *what, const char *why)
{
	slab_run++;
	if (!ok)
		slab_failed++;
	printf("%sok %u - %s: %s\n", ok ? "" : "not ", slab_run, where, what);
	if (!ok && why && *why)
		printf("# %s\n", why);
}

/* A line as a string; false when it is longer than any of these files' lines. */
static bool slab_line(const struct text *t, size_t i, char *line, size_t size)
{
	size_t len;
	const char *p = text_line(t, i, &len);

	if (len >= size)
		return false;
	memcpy(line, p, len);
	line[len] = 0;
	return true;
}

/* Read slab_attrs.txt. Returns NULL, or what was wrong. */
static const char *slab_attrs(struct slab_machine *m, const struct text *t)
{
	static const char head[] = "# cache object_size slab_size objs_per_slab order align "
				   "cache_dma hwcache_align reclaim_account min_partial "
				   "cpu_partial red_zone poison store_user sanity_checks";
	bool rows = false;
	char line[512];

	for (size_t i = 0; i < t->n; i++) {
		struct slab_row r;
		struct slab_link l;
		int end = -1;

		memset(&r, 0, sizeof(r));
		if (!slab_line(t, i, line, sizeof(line)))
			return "a line is too long";
		if (!i && !strcmp(line, "# links (merged caches)"))
			continue;
		if (!rows && !strcmp(line, head)) {
			rows = true;
			continue;
		}
		if (!rows) {
			if (sscanf(line, "%63s -> %63s%n", l.name, l.target, &end) != 2 ||
			    end < 0 || line[end])
				return "a link is expected";
			*vec_push(&m->links) = l;
			continue;
		}
		if (sscanf(line, "%63s %u %u %u %u %u %3s %u %u %u %u %u %u %u %u%n", r.name,
			   &r.object_size, &r.size, &r.objects, &r.order, &r.align, r.dma,
			   &r.hwcache_align, &r.reclaim_account, &r.min_partial, &r.cpu_partial,
			   &r.red_zone, &r.poison, &r.store_user, &r.sanity_checks, &end) != 15 ||
		    end < 0 || line[end])
			return "a cache is expected";
		*vec_push(&m->rows) = r;
	}
	return rows && m->rows.n ? NULL : "no caches";
}

/* The alignment that a cache asked for. */
static uint32_t slab_asked(const struct slab_machine *m, const struct slab_row *r)
{
	if (!strncmp(r->name, "bio-", 4) || !strncmp(r->name, "kmem_cache", 10))
		return m->km.min_align;
	return r->hwcache_align ? 0 : r->align;
}

/* What a cache is made of. */
static void slab_cause(const struct slab_machine *m, const struct slab_row *r,
		       struct pzl_slab_cache *c)
{
	enum pzl_kmalloc_type type;
	uint32_t copy, size;

	memset(c, 0, sizeof(*c));
	if (pzl_kmalloc_parse(r->name, strlen(r->name), &type, &copy, &size) ||
	    pzl_kmalloc_cache(&m->km, type, size, c)) {
		c->object_size = r->object_size;
		c->align = slab_asked(m, r);
		for (size_t i = 0; i < sizeof(slab_outside) / sizeof(slab_outside[0]); i++)
			if (!strcmp(slab_outside[i].name, r->name))
				c->flags |= slab_outside[i].flags;
		if (r->hwcache_align)
			c->flags |= PZL_SLAB_HWCACHE_ALIGN;
		if (r->reclaim_account)
			c->flags |= PZL_SLAB_RECLAIM_ACCOUNT;
		if (!strcmp(r->dma, "1"))
			c->flags |= PZL_SLAB_CACHE_DMA;
	}
	if (r->red_zone)
		c->flags |= PZL_SLAB_RED_ZONE;
	if (r->poison)
		c->flags |= PZL_SLAB_POISON;
	if (r->store_user)
		c->flags |= PZL_SLAB_STORE_USER;
	if (r->sanity_checks)
		c->flags |= PZL_SLAB_CONSISTENCY_CHECKS;
}

/* Compare a number; the first that differs is told. */
static bool slab_same(const struct slab_row *r, const char *what, unsigned int is,
		      unsigned int should, char *why, size_t size)
{
	slab_numbers++;
	if (is == should)
		return true;
	if (!*why)
		snprintf(why, size, "%s: %s is %u, recorded %u", r->name, what, is, should);
	return false;
}

/* A merged cache's name tells its flags and the size of its slots. */
static bool slab_merged_name(const struct slab_row *r, char *why, size_t size)
{
	const char *p = r->name + 1;
	char letters[8], number[16];
	size_t n = strcspn(p, "-0123456789");

	if (r->name[0] != ':')
		return true;
	snprintf(letters, sizeof(letters), "%.*s", (int)n, p);
	snprintf(number, sizeof(number), "%07u", r->g.size);
	p += n + (n && p[n] == '-');
	if (!strcmp(p, number) && !strchr(letters, 'a') == !r->reclaim_account &&
	    !strchr(letters, 'd') == (strcmp(r->dma, "1") != 0) &&
	    !strchr(letters, 'F') == !r->sanity_checks)
		return true;
	if (!*why)
		snprintf(why, size, "%s: its name says other things than its attributes", r->name);
	return false;
}

static bool slab_cache(struct slab_machine *m, struct slab_row *r, char *why, size_t size)
{
	struct pzl_slab_cache c;
	bool ok;

	slab_cause(m, r, &c);
	if (pzl_slab_geometry(&m->k, &c, &r->g)) {
		if (!*why)
			snprintf(why, size, "%s: refused", r->name);
		return false;
	}
	ok = slab_same(r, "object_size", c.object_size, r->object_size, why, size);
	ok &= slab_same(r, "align", r->g.align, r->align, why, size);
	ok &= slab_same(r, "slab_size", r->g.size, r->size, why, size);
	ok &= slab_same(r, "objs_per_slab", r->g.objects, r->objects, why, size);
	ok &= slab_same(r, "order", r->g.order, r->order, why, size);
	ok &= slab_same(r, "min_partial", r->g.min_partial, r->min_partial, why, size);
	ok &= slab_same(r, "cpu_partial", r->g.cpu_partial, r->cpu_partial, why, size);
	ok &= slab_same(r, "reclaim_account", !!(c.flags & PZL_SLAB_RECLAIM_ACCOUNT),
			r->reclaim_account, why, size);
	if (strcmp(r->dma, "-") != 0)
		ok &= slab_same(r, "cache_dma", !!(c.flags & PZL_SLAB_CACHE_DMA),
				!strcmp(r->dma, "1"), why, size);
	ok &= slab_merged_name(r, why, size);
	return ok;
}

/* Every set of kmalloc()'s caches that there is has all sizes, and no other. */
static void slab_kmalloc_sets(const struct slab_machine *m)
{
	unsigned int have[PZL_KMALLOC_TYPES] = { 0 }, sizes = 0;
	char why[128] = "";
	uint32_t size = 0;

	while (!pzl_kmalloc_size(&m->km, (uint64_t)size + 1, &size))
		sizes++;
	for (size_t i = 0; i < m->rows.n; i++) {
		const char *name = m->rows.v[i].name;
		enum pzl_kmalloc_type type;
		struct pzl_slab_cache c;
		uint32_t copy;

		if (pzl_kmalloc_parse(name, strlen(name), &type, &copy, &size))
			continue;
		if (pzl_kmalloc_cache(&m->km, type, size, &c))
			snprintf(why, sizeof(why), "%s should not be there", name);
		have[type]++;
	}
	for (unsigned int t = 0; t < PZL_KMALLOC_TYPES; t++)
		if (have[t] && have[t] != sizes)
			snprintf(why, sizeof(why), "%u of %u sizes of set %u", have[t], sizes, t);
	slab_ok(have[PZL_KMALLOC_NORMAL] && !*why, m->name, "the sizes of kmalloc()", why);
}

static struct slab_row *slab_find(struct slab_machine *m, const char *name)
{
	for (size_t i = 0; i < m->links.n; i++) {
		if (!strcmp(m->links.v[i].name, name)) {
			name = m->links.v[i].target;
			break;
		}
	}
	for (size_t i = 0; i < m->rows.n; i++)
		if (!strcmp(m->rows.v[i].name, name))
			return &m->rows.v[i];
	return NULL;
}

/* /proc/slabinfo: each row against the computed cache of that name. */
static void slab_slabinfo(struct slab_machine *m, const struct text *t)
{
	char line[512], name[64], why[256] = "";
	unsigned int size, objects, pages, rows = 0, equal = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct slab_row *r;

		if (!slab_line(t, i, line, sizeof(line)) || line[0] == '#' ||
		    !strcmp(line, "slabinfo - version: 2.1"))
			continue;
		rows++;
		if (sscanf(line, "%63s %*u %*u %u %u %u : tunables", name, &size, &objects,
			   &pages) != 4) {
			snprintf(why, sizeof(why), "line %zu is not understood", i + 1);
			continue;
		}
		r = slab_find(m, name);
		if (r && r->g.size == size && r->g.objects == objects &&
		    1u << r->g.order == pages) {
			equal++;
		} else if (!*why) {
			snprintf(why, sizeof(why), "%s: %u %u %u recorded, %u %u %u computed", name,
				 size, objects, pages, r ? r->g.size : 0, r ? r->g.objects : 0,
				 r ? 1u << r->g.order : 0);
		}
	}
	slab_infos += rows;
	slab_infos_equal += equal;
	slab_ok(rows && rows == equal, m->name, "slabinfo", why);
}

/* What the kernel said of its slabs. */
static bool slab_said(struct slab_machine *m, const struct text *t)
{
	for (size_t i = 0; i < t->n; i++) {
		size_t len;
		const char *p = text_line(t, i, &len);

		for (; len > 5; p++, len--)
			if (!memcmp(p, "SLUB:", 5))
				return !pzl_slab_kernel_read(&m->k, p, len);
	}
	return false;
}

static bool slab_read(struct text *t, const char *dir, const char *file, const char *name)
{
	char path[4200], *err = NULL;

	snprintf(path, sizeof(path), "%s/%s.xz", dir, file);
	if (!text_read(t, path, &err))
		return true;
	slab_ok(false, name, file, err);
	free(err);
	return false;
}

/* Version, architecture and page size of the machine. */
static bool slab_kernel(struct slab_machine *m, const char *dir)
{
	struct facts f;
	enum pzl_model model;
	enum pzl_arch arch;
	char *err = NULL;
	struct text t;
	bool ok;

	facts_init(&f);
	ok = !source_read(&f, dir, NULL, &err) && f.release && f.arch_hint && f.page_shift &&
	     !pzl_model_for_release(f.release, &model, NULL) &&
	     !pzl_arch_by_name(f.arch_hint, &arch);
	if (ok) {
		pzl_slab_kernel_init(&m->k, model, arch, f.page_shift);
		pzl_kmalloc_init(&m->km, model, arch, f.page_shift);
	}
	facts_destroy(&f);
	slab_ok(ok, m->name, "which kernel it is", err);
	free(err);
	if (!ok || !slab_read(&t, dir, "dmesg.txt", m->name))
		return false;
	ok = slab_said(m, &t);
	text_destroy(&t);
	slab_ok(ok, m->name, "what the kernel says of its slabs", NULL);
	return ok;
}

static void slab_compare(struct slab_machine *m)
{
	char why[256] = "";
	unsigned int equal = 0;

	/* Kernels are built with lists of partial slabs for each CPU or without. */
	m->k.cpu_partial = false;
	for (size_t i = 0; i < m->rows.n; i++)
		m->k.cpu_partial = m->k.cpu_partial || m->rows.v[i].cpu_partial;
	for (size_t i = 0; i < m->rows.n; i++) {
		struct slab_row *r = &m->rows.v[i];

		equal += slab_cache(m, r, why, sizeof(why));
		slab_debugged += r->red_zone || r->poison || r->store_user;
		if (slab_verbose)
			printf("# %s %u %u %u %u\n", r->name, r->object_size, r->g.size,
			       r->g.objects, r->g.order);
	}
	slab_caches += (unsigned int)m->rows.n;
	slab_caches_equal += equal;
	slab_ok(equal == m->rows.n, m->name, "its caches", why);
}

static void slab_machine(const char *dir, const char *name)
{
	struct slab_machine m;
	const char *why;
	struct text t;

	memset(&m, 0, sizeof(m));
	m.name = name;
	slab_machines++;
	if (slab_kernel(&m, dir) && slab_read(&t, dir, "slab_attrs.txt", name)) {
		why = slab_attrs(&m, &t);
		text_destroy(&t);
		slab_ok(!why, name, "slab_attrs.txt is read", why);
		slab_compare(&m);
		slab_kmalloc_sets(&m);
		if (slab_read(&t, dir, "slabinfo.txt", name)) {
			slab_slabinfo(&m, &t);
			text_destroy(&t);
		}
	}
	vec_free(&m.rows);
	vec_free(&m.links);
}

/* A recorded machine, and the one that crashed before it, where the attributes were recorded. */
static void slab_folder(const char *dir, const char *name)
{
	static const char *const below[] = { "", "/first" };
	char path[4096], file[4200];
	struct stat st;

	(void)name;
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", dir, below[i]);
		snprintf(file, sizeof(file), "%s/slab_attrs.txt.xz", path);
		if (!stat(file, &st) && (!slab_pattern || strstr(path + slab_cut, slab_pattern)))
			slab_machine(path, path + slab_cut);
	}
}

int main(int argc, char **argv)
{
	char what[200];
	int i = 1;

	if (i < argc && !strcmp(argv[i], "-v")) {
		slab_verbose = true;
		i++;
	}
	if (i >= argc) {
		fprintf(stderr, "usage: slab [-v] MACHINES [PATTERN]\n");
		return 2;
	}
	slab_pattern = i + 1 < argc ? argv[i + 1] : NULL;
	slab_cut = strlen(argv[i]) + 1;
	golden_walk(argv[i], slab_folder);
	snprintf(what, sizeof(what),
		 "%u of %u caches equal (%u with debugging, %u numbers), %u of %u rows of slabinfo",
		 slab_caches_equal, slab_caches, slab_debugged, slab_numbers, slab_infos_equal,
		 slab_infos);
	printf("# %u machines\n", slab_machines);
	slab_ok(slab_pattern || (slab_machines >= 209 && slab_caches >= 28404 &&
				 slab_debugged >= 766 && slab_infos >= 28404),
		"all", what, "recorded machines are missing");
	printf("1..%u\n", slab_run);
	return slab_failed ? 1 : 0;
}
