/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu.c - tables that Linux's own code wrote, beside those that the library makes of the same
 * list: both decoded, page by page. They differ where Linux is wrong, and nowhere else.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iommu/iommu.h"

static unsigned int golden_run, golden_failed;

/* Where Linux's tables are known to differ, and what they say there. */
struct golden_bug {
	uint64_t first, last;
	bool lost_base, still_mapped;
};

struct golden_case {
	const char *name;
	uint64_t base, ttbr;
	struct option_tables how;
	uint64_t ranges, bytes, tables; /* of Linux's */
	struct golden_bug bugs[2];
};

static const struct golden_case golden_cases[] = {
	{ "v7s-6.1",
	  0x42000000,
	  0x4200006a,
	  { .ias = 32, .ns = true, .coherent_walk = true },
	  12,
	  36974592,
	  4,
	  { { 0x100000, 0x1fffff, true, false }, { 0x1305000, 0x1305fff, false, true } } },
	{ "v7s-6.1-mtk",
	  UINT64_C(0x742000000),
	  0x42000007,
	  { .ias = 34, .mtk = true, .mtk_tables = true, .no_perms = true },
	  4,
	  0x3111000,
	  2,
	  { { 1, 0, false, false }, { 1, 0, false, false } } },
};

static void golden_ok(bool ok, const char *name, const char *what)
{
	golden_run++;
	golden_failed += !ok;
	printf("%sok %u - %s: %s\n", ok ? "" : "not ", golden_run, name, what);
}

static void golden_view(struct iommu_image *m, const struct golden_case *c)
{
	image_init(m);
	m->view.table = c->base;
	m->view.ias = c->how.ias;
	m->view.mtk_outputs = c->how.mtk;
	m->view.mtk_tables = c->how.mtk_tables;
	m->view.permissions = !c->how.no_perms;
}

static bool golden_read(struct iommu_image *m, const struct golden_case *c, const char *dir)
{
	char *path = xasprintf("%s/%s.img.xz", dir, c->name), *err = NULL;
	struct iommu_piece *p;
	bool ok;

	golden_view(m, c);
	p = vec_push(&m->pieces);
	p->name = path;
	p->addr = c->base;
	ok = !text_read(&p->bytes, path, &err) && !image_ready(m, &err);
	if (err)
		printf("# %s\n", err);
	free(err);
	return ok;
}

static bool golden_build(struct iommu_image *m, struct iommu_built *b, const struct golden_case *c,
			 const char *dir)
{
	char *list = xasprintf("%s/%s.list", dir, c->name), *err = NULL;
	char *base = xasprintf("0x%llx", (unsigned long long)c->base);
	const char *operands[] = { list };
	struct options o = { .tables = c->how, .operands = operands, .operand_count = 1 };
	bool ok;

	o.tables.base = base;
	golden_view(m, c);
	ok = !iommu_build(m, b, &o, &err);
	if (err)
		printf("# %s\n", err);
	free(err);
	free(list);
	free(base);
	return ok;
}

static const struct golden_bug *golden_bug(const struct golden_case *c, uint64_t iova)
{
	for (unsigned int i = 0; i < 2; i++)
		if (iova >= c->bugs[i].first && iova <= c->bugs[i].last)
			return &c->bugs[i];
	return NULL;
}

/* Whether a page of both leads to the same place in the same way; @was is Linux's. */
static bool golden_page(const struct golden_case *c, const struct iommu_image *was,
			const struct iommu_image *is, uint64_t iova)
{
	const struct golden_bug *bug = golden_bug(c, iova);
	struct pz_v7s_run a, b;
	uint64_t from, to;

	(void)pz_v7s_walk(&was->view, iova, &a);
	(void)pz_v7s_walk(&is->view, iova, &b);
	if (bug && bug->still_mapped)
		return !a.fault && b.fault == PZ_V7S_FAULT_SECOND;
	if (a.fault || b.fault)
		return !a.fault == !b.fault;
	from = a.phys + (iova - a.first);
	to = b.phys + (iova - b.first);
	return pz_v7s_alike(&a, &b) &&
	       (bug ? from == iova - bug->first && to == 0x40000000 + from : from == to);
}

static void golden_compare(const struct golden_case *c, const struct iommu_image *was,
			   const struct iommu_image *is)
{
	uint64_t end = UINT64_C(1) << c->how.ias, wrong = 0;

	for (uint64_t iova = 0; iova < end; iova += 0x1000) {
		struct pz_v7s_run a, b;

		if (golden_page(c, was, is, iova))
			continue;
		if (!wrong++) {
			(void)pz_v7s_walk(&was->view, iova, &a);
			(void)pz_v7s_walk(&is->view, iova, &b);
			printf("# 0x%llx: 0x%08x, 0x%08x\n", (unsigned long long)iova, a.word,
			       b.word);
		}
	}
	golden_ok(!wrong, c->name, "each page leads where Linux's does, but for its two bugs");
}

static void golden_case(const struct golden_case *c, const char *dir)
{
	struct iommu_image was, is;
	struct iommu_built built;
	struct iommu_sum s;

	if (golden_read(&was, c, dir)) {
		iommu_sum(&s, &was);
		printf("# %llu ranges, %llu bytes, %llu second levels, %llu findings\n",
		       (unsigned long long)s.ranges, (unsigned long long)s.bytes,
		       (unsigned long long)s.second_levels, (unsigned long long)s.found);
		golden_ok(s.ranges == c->ranges && s.bytes == c->bytes &&
				  s.second_levels == c->tables && !s.found,
			  c->name, "Linux's tables have these ranges, and nothing wrong");
		iommu_sum_destroy(&s);
	} else {
		golden_ok(false, c->name, "the image is read");
	}
	if (golden_build(&is, &built, c, dir)) {
		golden_ok(built.ttbr == c->ttbr && !built.tcr && built.prrr == 0x800b8204 &&
				  built.nmrr == 0x40004000,
			  c->name, "the registers are those that Linux gave");
		if (was.pieces.n)
			golden_compare(c, &was, &is);
	} else {
		golden_ok(false, c->name, "the list is carried out");
	}
	image_destroy(&was);
	image_destroy(&is);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(golden_cases) / sizeof(golden_cases[0]) && argc > 1; i++)
		golden_case(&golden_cases[i], argv[1]);
	printf("1..%u\n", golden_run);
	return golden_failed || !golden_run;
}
