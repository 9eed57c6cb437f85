/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_report_v7s.c - the dump of translation tables, line by line.
 */
#include "suites_decl.h"

#include <physzone/report.h>

#define TABLES 4u
#define FIRST_BYTES (16u << 10)

/* Tables out of one array; none comes back before the end. */
struct box {
	struct tap *t;
	unsigned char *at;
	uint32_t used;
};

static int box_alloc(void *ctx, uint32_t cpu, uint32_t gfp, uint32_t bytes, struct pz_table *out)
{
	struct box *b = ctx;

	(void)cpu;
	(void)gfp;
	if (b->used + bytes > FIRST_BYTES + TABLES * 1024)
		return -PZ_ENOMEM;
	out->cpu_addr = b->at + b->used;
	out->addr = 0x80000000u + b->used;
	b->used += bytes;
	return 0;
}

static void box_free(void *ctx, uint32_t cpu, uint32_t bytes, const struct pz_table *t)
{
	(void)ctx;
	(void)cpu;
	(void)bytes;
	(void)t;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static void dump(struct box *b, struct pz_v7s *v)
{
	static const char all[] = "1000-2fff -> 7000-8fff  2 x 4 KiB  rwx cached\n"
				  "3000-3fff -> 9000-9fff  1 x 4 KiB  r-- privileged device\n"
				  "20000-2ffff -> 40000-4ffff  1 x 64 KiB  rwx uncached\n"
				  "100000-2fffff -> 40000000-401fffff  2 x 1 MiB  r-x uncached\n"
				  "1000000-1ffffff -> 0-ffffff  1 x 16 MiB  rw- cached\n"
				  "18508 KiB in 5 runs; second levels: 1, all tables: 17 KiB\n";
	char text[512];
	struct tap *t = b->t;
	size_t n;

	n = pz_report_v7s(v, text, sizeof(text));
	CHECK_NAMED(t, same(text, "0 KiB in 0 runs; second levels: 0, all tables: 16 KiB\n"),
		    "nothing is mapped, and the dump says so");
	CHECK(t, !pz_v7s_map(v, 0, 0, 0x1000, 0x7000, 0x2000, PZ_IOMMU_WRITE | PZ_IOMMU_CACHE));
	CHECK(t, !pz_v7s_map(v, 0, 0, 0x3000, 0x9000, 0x1000,
			     PZ_IOMMU_READ | PZ_IOMMU_MMIO | PZ_IOMMU_NOEXEC | PZ_IOMMU_PRIV));
	CHECK(t, !pz_v7s_map(v, 0, 0, 0x20000, 0x40000, 0x10000, PZ_IOMMU_WRITE));
	CHECK(t, !pz_v7s_map(v, 0, 0, 0x100000, 0x40000000, 0x200000, PZ_IOMMU_READ));
	CHECK(t, !pz_v7s_map(v, 0, 0, 0x1000000, 0, 0x1000000,
			     PZ_IOMMU_WRITE | PZ_IOMMU_CACHE | PZ_IOMMU_NOEXEC));
	n = pz_report_v7s(v, text, sizeof(text));
	CHECK_NAMED(t, same(text, all), "each run of pages alike has its line");
	CHECK(t, n == sizeof(all) - 1);
	CHECK(t, pz_report_v7s(v, NULL, 0) == n);
	CHECK(t, pz_report_v7s(v, text, 8) == n && same(text, "1000-2f"));
}

void contract_report_v7s(struct tap *t)
{
	struct pz_v7s_config cfg = { .ias = 32, .oas = 32, .coherent_walk = true };
	struct box b = { .t = t };
	struct pz_table_mem mem = { box_alloc, box_free, &b, false };
	size_t size = FIRST_BYTES + TABLES * 1024;
	struct pz_v7s *v;

	cfg.mem = &mem;
	cfg.meta = t->meta;
	b.at = t->meta->alloc(t->meta->ctx, size);
	if (!CHECK(t, b.at != NULL))
		return;
	if (CHECK(t, !pz_v7s_create(&v, &cfg, 0, 0, NULL))) {
		dump(&b, v);
		CHECK(t, pz_v7s_check(v) == 0);
		pz_v7s_destroy(v, 0);
	}
	t->meta->free(t->meta->ctx, b.at, size);
}
