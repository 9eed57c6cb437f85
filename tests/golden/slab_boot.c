/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_boot.c - the first caches of every recorded machine: their names, in the order in which
 * they were made. Which sets of kmalloc() a kernel has follows from its architecture's zones, and
 * for memory cgroups from the recording; kernels made for recordings may lack a zone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <physzone/linux/slab_boot.h>
#include <physzone/linux/slab_proc.h>

#include "input/source.h"
#include "vec.h"
#include "walk.h"

static unsigned int sb_run, sb_failed, sb_machines, sb_caches;

static void sb_ok(bool ok, const char *where, const char *what, const char *why)
{
	sb_run++;
	sb_failed += !ok;
	printf("%sok %u - %s: %s\n", ok ? "" : "not ", sb_run, where, what);
	if (!ok)
		printf("# %s\n", why);
}

/* The caches by their rows of slabinfo, the oldest first. */
struct sb_names {
	char name[64];
	uint32_t objsize;
};

static bool sb_names(const char *dir, struct sb_names *out, size_t cap, size_t *n)
{
	char path[4200], *err = NULL;
	struct text t;

	snprintf(path, sizeof(path), "%s/slabinfo.txt.xz", dir);
	*n = 0;
	if (text_read(&t, path, &err)) {
		free(err);
		return false;
	}
	for (size_t i = t.n; i-- > PZL_SLABINFO_HEAD && *n < cap;) {
		struct pzl_slabinfo row;
		size_t len;
		const char *line = text_line(&t, i, &len);

		if (pzl_slabinfo_read(line, len, &row))
			continue;
		snprintf(out[*n].name, sizeof(out->name), "%.*s", (int)row.name_len, row.name);
		out[(*n)++].objsize = row.objsize;
	}
	text_destroy(&t);
	return *n > 0;
}

static bool sb_has(const struct sb_names *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i].name, name))
			return true;
	return false;
}

static void sb_kernel(const char *dir, const char *name, const struct sb_names *names, size_t n)
{
	static struct pzl_slab_boot_cache made[64];
	struct pzl_slab_boot b;
	char *err = NULL, why[512] = "";
	enum pzl_model model;
	enum pzl_arch arch;
	struct facts f;
	bool ok, own;
	uint32_t have;

	facts_init(&f);
	ok = !source_read(&f, dir, NULL, &err) && f.release && f.arch_hint &&
	     !pzl_model_for_release(f.release, &model, NULL) &&
	     !pzl_arch_by_name(f.arch_hint, &arch);
	free(err);
	sb_ok(ok, name, "which kernel it is", "not told");
	if (!ok) {
		facts_destroy(&f);
		return;
	}
	/* Distributions' releases have a name behind their number. */
	own = !strpbrk(f.release, "-+");
	pzl_slab_boot_init(&b, model, arch, f.page_shift,
			   pzl_arch_zones(model, arch, PZL_VAR_GENERIC), 1);
	if (!sb_has(names, n, "kmalloc-cg-8k"))
		b.types &= ~PZL_KMALLOC_BIT(PZL_KMALLOC_CGROUP);
	if (own && !sb_has(names, n, "dma-kmalloc-8k"))
		b.types &= ~PZL_KMALLOC_BIT(PZL_KMALLOC_DMA);
	facts_destroy(&f);
	have = pzl_slab_boot_caches(&b, made, 64);
	if (have > 64 || have > n)
		snprintf(why, sizeof(why), "%u caches are too many", have);
	for (uint32_t i = 0; i < have && !*why; i++) {
		const char *is = made[i].name;
		struct pzl_slab_geometry g;

		if (strcmp(is, names[i].name) != 0)
			snprintf(why, sizeof(why), "cache %u is %.23s, recorded %.63s", i, is,
				 names[i].name);
		else if (pzl_slab_geometry(&b.k, &made[i].cache, &g))
			snprintf(why, sizeof(why), "%.23s is refused", is);
		/* Descriptors differ with the configuration; debugging adds to all. */
		else if (!own && !strstr(dir, "slub") && g.size != names[i].objsize)
			snprintf(why, sizeof(why), "slots of %.23s have %u bytes, recorded %u", is,
				 g.size, names[i].objsize);
	}
	for (size_t i = have; i < n && !*why; i++) {
		enum pzl_kmalloc_type type;
		uint32_t copy, size;

		if (!pzl_kmalloc_parse(names[i].name, strlen(names[i].name), &type, &copy, &size))
			snprintf(why, sizeof(why), "%s was made too", names[i].name);
	}
	sb_machines++;
	sb_caches += have;
	sb_ok(!*why, name, "its first caches, in order", why);
}

static void sb_machine(const char *dir, const char *name)
{
	static struct sb_names names[512];
	size_t n;

	if (sb_names(dir, names, 512, &n))
		sb_kernel(dir, name, names, n);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: slab_boot MACHINES\n");
		return 2;
	}
	golden_walk(argv[1], sb_machine);
	printf("# %u machines, %u caches\n", sb_machines, sb_caches);
	sb_ok(sb_machines >= 191 && sb_caches >= 8737, "all", "recorded machines", "some are gone");
	printf("1..%u\n", sb_run);
	return sb_failed ? 1 : 0;
}
