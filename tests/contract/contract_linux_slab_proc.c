/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_slab_proc.c - /proc/slabinfo and the files of a cache: texts, what a reader
 * refuses, and what can be written. Expected values are those of docs/facts/slab.md sections 10
 * and 11, and of recorded machines.
 */
#include <physzone/linux/slab_proc.h>

#include "suites_decl.h"
#include "tap.h"

static size_t sp_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static bool sp_same(const char *a, const char *b, size_t len)
{
	size_t i = 0;

	while (i < len && b[i] && a[i] == b[i])
		i++;
	return i == len && !b[i];
}

struct sp_lines {
	const char *const *line;
	uint32_t n, differs;
};

static void sp_line(void *ctx, const char *line, size_t len)
{
	struct sp_lines *l = ctx;

	if (!sp_same(line, l->line[l->n], len))
		l->differs++;
	l->n++;
}

static const char *const sp_info[] = {
	"slabinfo - version: 2.1",
	"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : "
	"tunables "
	"<limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>",
	"dma-kmalloc-64       100    128     64   64    1 : tunables    0    0    0 : slabdata     "
	" 2 "
	"     2      0",
	"request_sock_subflow_v6      0      0    384   10    1 : tunables    0    0    0 : "
	"slabdata  "
	"    0      0      0",
	"inode_cache         9900   9900    640   12    2 : tunables    0    0    0 : slabdata    "
	"825  "
	"  825      0",
};

static void sp_slabinfo(struct tap *t)
{
	static const char *const bad[] = {
		"",
		"dentry",
		" dentry              0      0    384   10    1 : tunables    0    0    0 : "
		"slabdata "
		"     0      0      0",
		"dentry              0      0    384   10    1 : tunables    0    0    0 : "
		"slabdata  "
		"    0      0      0",
		"dentry                 0      0    384   10    1 : tunables    0    0    0 : "
		"slabdata"
		"      0      0      0 ",
		"dentry                 0      0    384   10    1 : tunables    0    0    0 : "
		"slabdata"
		"      0      0",
		"dentry                 0      0    384   10   01 : tunables    0    0    0 : "
		"slabdata"
		"      0      0      0",
		"dentry                 0      0 99999999999   10    1 : tunables    0    0    0 : "
		"slab"
		"data      0      0      0",
		"dentry                 0      0    -84   10    1 : tunables    0    0    0 : "
		"slabdata"
		"      0      0      0",
	};
	struct pzl_slab_geometry g = { .size = 64, .objects = 64 };
	struct sp_lines lines = { sp_info, 0, 0 };
	struct pzl_slabinfo rows[3];

	pzl_slabinfo_make(&rows[0], "dma-kmalloc-64", 14, &g, 2, 0, 28);
	CHECK(t, pzl_slabinfo_read(sp_info[3], sp_len(sp_info[3]), &rows[1]) == 0);
	CHECK(t, rows[1].name_len == 23 && rows[1].objsize == 384 && rows[1].objperslab == 10);
	CHECK(t, pzl_slabinfo_read(sp_info[4], sp_len(sp_info[4]), &rows[2]) == 0);
	CHECK(t, rows[2].active_objs == 9900 && rows[2].num_slabs == 825);
	pzl_slabinfo_write(rows, 3, sp_line, &lines);
	CHECK(t, lines.n == 5 && lines.differs == 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_NAMED(t, pzl_slabinfo_read(bad[i], sp_len(bad[i]), &rows[0]) == -PZ_EINVAL,
			    bad[i]);
	CHECK(t, rows[0].num_objs == 128);
	CHECK(t, pzl_slabinfo_head(2) == NULL);
	CHECK(t, pzl_slabinfo_store(PZL_LINUX_6_1) == -PZL_EIO);
}

static struct pzl_slab_attrs sp_cache(void)
{
	struct pzl_slab_geometry g = { .flags = PZL_SLAB_CACHE_DMA | PZL_SLAB_KMALLOC,
				       .align = 64,
				       .size = 64,
				       .objects = 64,
				       .min_partial = 5,
				       .cpu_partial = 120 };
	struct pzl_slab_attrs a;

	pzl_slab_attrs_init(&a, PZL_LINUX_6_1,
			    PZL_SLAB_HAS_DEBUG | PZL_SLAB_HAS_NUMA | PZL_SLAB_HAS_SMP, &g, 64);
	a.objects.total = 192;
	a.objects.node[0] = 128;
	a.objects.node[3] = 64;
	a.cpu_list.objects = 12;
	a.cpu_list.slabs = 3;
	a.cpu[1].objects = 12;
	a.cpu[1].slabs = 3;
	return a;
}

struct sp_text {
	enum pzl_slab_attr attr;
	const char *text;
};

static void sp_texts(struct tap *t)
{
	static const struct sp_text texts[] = {
		{ PZL_SA_SLAB_SIZE, "64\n" },
		{ PZL_SA_MIN_PARTIAL, "5\n" },
		{ PZL_SA_CPU_PARTIAL, "120\n" },
		{ PZL_SA_OBJECTS, "192 N0=128 N3=64\n" },
		{ PZL_SA_PARTIAL, "0\n" },
		{ PZL_SA_SLABS_CPU_PARTIAL, "12(3) C1=12(3)\n" },
		{ PZL_SA_CTOR, "" },
		{ PZL_SA_ALIASES, "0\n" },
		{ PZL_SA_CACHE_DMA, "1\n" },
		{ PZL_SA_POISON, "0\n" },
		{ PZL_SA_SHRINK, "" },
		{ PZL_SA_REMOTE_NODE_DEFRAG_RATIO, "100\n" },
	};
	static const struct sp_text bad[] = {
		{ PZL_SA_SLAB_SIZE, "64" },
		{ PZL_SA_SLAB_SIZE, "064\n" },
		{ PZL_SA_SLAB_SIZE, "4294967296\n" },
		{ PZL_SA_SLAB_SIZE, "" },
		{ PZL_SA_POISON, "2\n" },
		{ PZL_SA_OBJECTS, "192 N3=64 N0=128\n" },
		{ PZL_SA_OBJECTS, "192 N0=0\n" },
		{ PZL_SA_OBJECTS, "192  N0=1\n" },
		{ PZL_SA_SHRINK, "1\n" },
		{ PZL_SA_CTOR, "a b\n" },
		{ PZL_SA_SLABS_CPU_PARTIAL, "12\n" },
	};
	struct pzl_slab_attrs a = sp_cache();
	char buf[64], cut[4];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t n = pzl_slab_attr_write(buf, sizeof(buf), &a, texts[i].attr);

		CHECK_NAMED(t, sp_same(buf, texts[i].text, n), texts[i].text);
		CHECK_NAMED(t, pzl_slab_attr_read(&a, texts[i].attr, buf, n) == 0, texts[i].text);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_NAMED(t,
			    pzl_slab_attr_read(&a, bad[i].attr, bad[i].text, sp_len(bad[i].text)) ==
				    -PZ_EINVAL,
			    bad[i].text);
	CHECK(t, pzl_slab_attr_read(&a, PZL_SA_OBJECTS, "9 N64=9\n", 8) == -PZ_ENOSPC);
	CHECK(t, pzl_slab_attr_read(&a, PZL_SA_CTOR, "init_once+0x0/0x60\n", 19) == 0);
	CHECK(t, pzl_slab_attr_write(cut, sizeof(cut), &a, PZL_SA_CTOR) == 19);
	CHECK(t, sp_same(cut, "ini", 3));
	CHECK(t, pzl_slab_attr_write(NULL, 0, &a, PZL_SA_OBJECTS) == 17);
}

struct sp_store {
	enum pzl_slab_attr attr;
	const char *text;
	int err;
};

static void sp_stores(struct tap *t)
{
	static const struct sp_store stores[] = {
		{ PZL_SA_MIN_PARTIAL, "12\n", 0 },
		{ PZL_SA_MIN_PARTIAL, "-1", -PZ_EINVAL },
		{ PZL_SA_MIN_PARTIAL, "12 ", -PZ_EINVAL },
		{ PZL_SA_MIN_PARTIAL, "99999999999999999999", -PZ_ERANGE },
		{ PZL_SA_CPU_PARTIAL, "+7", 0 },
		{ PZL_SA_CPU_PARTIAL, "4294967296", -PZ_ERANGE },
		{ PZL_SA_REMOTE_NODE_DEFRAG_RATIO, "100\n", 0 },
		{ PZL_SA_REMOTE_NODE_DEFRAG_RATIO, "101\n", -PZ_ERANGE },
		{ PZL_SA_SHRINK, "1\n", 0 },
		{ PZL_SA_SHRINK, "0\n", -PZ_EINVAL },
		{ PZL_SA_VALIDATE, "1\n", -PZ_EINVAL },
		{ PZL_SA_SKIP_KFENCE, "2", -PZ_EINVAL },
		{ PZL_SA_SKIP_KFENCE, "1", 0 },
		{ PZL_SA_FAILSLAB, "1\n", 0 },
		{ PZL_SA_ORDER, "1\n", -PZL_EIO },
		{ PZL_SA_POISON, "1\n", -PZL_EIO },
		{ PZL_SA_SHRINK, "", -PZ_EINVAL },
	};
	struct pzl_slab_attrs a = sp_cache();

	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++)
		CHECK_NAMED(t,
			    pzl_slab_attr_store(&a, stores[i].attr, stores[i].text,
						sp_len(stores[i].text)) == stores[i].err,
			    pzl_slab_attr_info(stores[i].attr)->name);
	CHECK(t, a.min_partial == 12 && a.cpu_partial == 7 && a.skip_kfence);
	CHECK(t, a.flags & PZL_SLAB_FAILSLAB);
	a.aliases = 2;
	CHECK(t, pzl_slab_attr_store(&a, PZL_SA_FAILSLAB, "0", 1) == -PZ_EINVAL);
	a.flags |= PZL_SLAB_POISON;
	CHECK(t, pzl_slab_attr_store(&a, PZL_SA_CPU_PARTIAL, "1", 1) == -PZ_EINVAL);
	CHECK(t, pzl_slab_attr_store(&a, PZL_SA_CPU_PARTIAL, "0", 1) == 0 && !a.cpu_partial);
	CHECK(t, pzl_slab_attr_store(&a, PZL_SA_VALIDATE, "1", 1) == 0);
	a.model = PZL_LINUX_5_15;
	a.flags = 0;
	CHECK(t, pzl_slab_attr_store(&a, PZL_SA_VALIDATE, "1", 1) == 0);
}

static void sp_files(struct tap *t)
{
	const uint32_t has = PZL_SLAB_HAS_DEBUG | PZL_SLAB_HAS_NUMA;
	enum pzl_slab_attr attr = PZL_SLAB_ATTRS;

	CHECK(t, pzl_slab_attr_find("cache_dma", 9, &attr) == 0 && attr == PZL_SA_CACHE_DMA);
	/* There is no such file: only the name of the directory tells. */
	CHECK(t, pzl_slab_attr_find("cache_dma32", 11, &attr) == -PZ_ENOENT);
	CHECK(t, !pzl_slab_attr_exists(PZL_LINUX_6_1, has, PZL_SA_CACHE_DMA));
	CHECK(t, pzl_slab_attr_exists(PZL_LINUX_6_1, has | PZL_SLAB_HAS_DMA, PZL_SA_CACHE_DMA));
	CHECK(t, pzl_slab_attr_exists(PZL_LINUX_6_1, 0, PZL_SA_OBJECTS));
	CHECK(t, !pzl_slab_attr_exists(PZL_LINUX_6_12, 0, PZL_SA_OBJECTS));
	CHECK(t, pzl_slab_attr_exists(PZL_LINUX_6_1, 0, PZL_SA_USERSIZE));
	CHECK(t, !pzl_slab_attr_exists(PZL_LINUX_6_12, has, PZL_SA_USERSIZE));
	for (unsigned int i = 0; i < PZL_SLAB_ATTRS; i++) {
		const struct pzl_slab_attr_info *info = pzl_slab_attr_info((enum pzl_slab_attr)i);

		CHECK_NAMED(t,
			    info && (info->mode == 0600) == (info->store != PZL_STORE_NONE) &&
				    !pzl_slab_attr_find(info->name, sp_len(info->name), &attr) &&
				    attr == i,
			    info ? info->name : "?");
	}
	CHECK(t, !pzl_slab_attr_info(PZL_SLAB_ATTRS));
}

void contract_linux_slab_proc(struct tap *t)
{
	sp_slabinfo(t);
	sp_texts(t);
	sp_stores(t);
	sp_files(t);
}
