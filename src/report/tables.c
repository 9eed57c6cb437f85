/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tables.c - what translation tables say, in words: a line for each run of pages, then the sums.
 *
 * Concept
 *  Pages that follow each other on both sides, of one size and with the same permissions, are one
 * run. Lines end with a newline; addresses are inclusive.
 */
#include "report_internal.h"

struct tables_text {
	struct report_text out;
	struct pz_v7s_page run; /* the first page of the run */
	uint64_t pages;		/* of the run; 0 for none yet */
	uint64_t bytes, runs;
};

static const char *tables_page(uint32_t size)
{
	switch (size) {
	case PZ_V7S_4K:
		return "4 KiB";
	case PZ_V7S_64K:
		return "64 KiB";
	case PZ_V7S_1M:
		return "1 MiB";
	}
	return "16 MiB";
}

static const char *tables_memory(uint32_t prot)
{
	if (prot & PZ_IOMMU_MMIO)
		return "device";
	return prot & PZ_IOMMU_CACHE ? "cached" : "uncached";
}

/* "100000-1fffff -> 40000000-400fffff  1 x 1 MiB  rwx cached" */
static void tables_run(struct tables_text *t)
{
	uint64_t bytes = t->pages * t->run.size;
	uint32_t prot = t->run.prot;

	if (!t->pages)
		return;
	pz_report_add(
		&t->out, "%llx-%llx -> %llx-%llx  %llu x %s  r%c%c%s %s\n",
		(unsigned long long)t->run.iova, (unsigned long long)(t->run.iova + bytes - 1),
		(unsigned long long)t->run.phys, (unsigned long long)(t->run.phys + bytes - 1),
		(unsigned long long)t->pages, tables_page(t->run.size),
		prot & PZ_IOMMU_WRITE ? 'w' : '-', prot & PZ_IOMMU_NOEXEC ? '-' : 'x',
		prot & PZ_IOMMU_PRIV ? " privileged" : "", tables_memory(prot));
	t->bytes += bytes;
	t->runs++;
}

static int tables_visit(void *ctx, const struct pz_v7s_page *p)
{
	struct tables_text *t = ctx;
	uint64_t bytes = t->pages * t->run.size;

	if (t->pages && p->size == t->run.size && p->prot == t->run.prot &&
	    p->iova == t->run.iova + bytes && p->phys == t->run.phys + bytes) {
		t->pages++;
		return 0;
	}
	tables_run(t);
	t->run = *p;
	t->pages = 1;
	return 0;
}

size_t pz_report_v7s(const struct pz_v7s *tables, char *buf, size_t size)
{
	struct tables_text t = { .out = { .buf = buf, .size = size } };
	struct pz_v7s_stat stat;

	if (size)
		buf[0] = 0;
	(void)pz_v7s_each(tables, 0, UINT64_MAX, tables_visit, &t);
	tables_run(&t);
	pz_v7s_stat(tables, &stat);
	pz_report_add(&t.out, "%llu KiB in %llu runs; second levels: %llu, all tables: %llu KiB\n",
		      (unsigned long long)(t.bytes >> 10), (unsigned long long)t.runs,
		      (unsigned long long)stat.tables,
		      (unsigned long long)(stat.table_bytes >> 10));
	return t.out.n;
}
