/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_gfp.c - flags of Linux requests: bits and names by version, the zone that they
 * name, and our request that means the same. Expected values are those of docs/facts/page_alloc.md
 * and of recorded messages.
 */
#include <physzone/linux/arch.h>
#include <physzone/linux/gfp.h>

#include "suites_decl.h"
#include "tap.h"

#define Z(t) PZL_ZONE_BIT(PZ_ZONE_##t)
#define GFP_X86_64 (Z(DMA) | Z(DMA32) | Z(NORMAL) | Z(MOVABLE) | Z(DEVICE))
#define GFP_I386 (Z(DMA) | Z(NORMAL) | Z(HIGHMEM) | Z(MOVABLE))
#define GFP_NODMA (Z(DMA32) | Z(NORMAL) | Z(MOVABLE))

static size_t gfpt_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static bool gfpt_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

struct gfpt_text {
	enum pzl_model model;
	uint32_t gfp;
	const char *text;
};

static const struct gfpt_text gfpt_texts[] = {
	{ PZL_LINUX_6_1, 0xcc0, "GFP_KERNEL" },
	{ PZL_LINUX_5_15, 0xcc1, "GFP_KERNEL|GFP_DMA" },
	{ PZL_LINUX_6_1, 0xcc1, "GFP_KERNEL|GFP_DMA" },
	{ PZL_LINUX_6_12, 0xcc1, "GFP_KERNEL|GFP_DMA" },
	{ PZL_LINUX_6_1, 0xcc4, "GFP_KERNEL|GFP_DMA32" },
	{ PZL_LINUX_6_1, 0xdc0, "GFP_KERNEL|__GFP_ZERO" },
	{ PZL_LINUX_6_1, 0xa20, "GFP_ATOMIC" },
	{ PZL_LINUX_6_1, 0xa21, "GFP_ATOMIC|GFP_DMA" },
	{ PZL_LINUX_6_1, 0x820, "GFP_NOWAIT|__GFP_HIGH" },
	{ PZL_LINUX_6_12, 0x820, "GFP_ATOMIC" },
	{ PZL_LINUX_6_12, 0xa20, "GFP_ATOMIC|0x200" },
	{ PZL_LINUX_6_1, 0x800, "GFP_NOWAIT" },
	{ PZL_LINUX_6_1, 0x2800, "GFP_NOWAIT|__GFP_NOWARN" },
	{ PZL_LINUX_6_12, 0x800, "__GFP_KSWAPD_RECLAIM" },
	{ PZL_LINUX_6_12, 0x2800, "GFP_NOWAIT" },
	{ PZL_LINUX_6_1, 0xc00, "GFP_NOIO" },
	{ PZL_LINUX_6_1, 0xc40, "GFP_NOFS" },
	{ PZL_LINUX_6_1, 0x100cca, "GFP_HIGHUSER_MOVABLE" },
	{ PZL_LINUX_5_15, 0x1100cca, "GFP_HIGHUSER_MOVABLE" },
	{ PZL_LINUX_5_15, 0x100cca, "GFP_HIGHUSER|__GFP_MOVABLE" },
	{ PZL_LINUX_6_1, 0x1100cca, "GFP_HIGHUSER_MOVABLE|0x1000000" },
	{ PZL_LINUX_6_1, 0x140cca, "GFP_HIGHUSER_MOVABLE|__GFP_COMP" },
	{ PZL_LINUX_6_1, 0x400cc0, "GFP_KERNEL_ACCOUNT" },
	{ PZL_LINUX_6_1, 0x100cc2, "GFP_HIGHUSER" },
	{ PZL_LINUX_6_1, 0x100cc0, "GFP_USER" },
	{ PZL_LINUX_6_1, 0x1c24ca, "GFP_TRANSHUGE" },
	{ PZL_LINUX_6_12, 0x1c20ca, "GFP_TRANSHUGE_LIGHT" },
	{ PZL_LINUX_6_12, 0xcd2, "GFP_KERNEL|__GFP_HIGHMEM|__GFP_RECLAIMABLE" },
	{ PZL_LINUX_6_1, 0x1, "GFP_DMA" },
	{ PZL_LINUX_6_1, 0x5, "GFP_DMA|GFP_DMA32" },
	{ PZL_LINUX_6_1, 0x400, "__GFP_DIRECT_RECLAIM" },
	{ PZL_LINUX_6_1, 0x80000000, "0x80000000" },
	{ PZL_LINUX_6_1, 0, "none" },
};

static void gfpt_names(struct tap *t)
{
	for (size_t i = 0; i < sizeof(gfpt_texts) / sizeof(gfpt_texts[0]); i++) {
		const struct gfpt_text *c = &gfpt_texts[i];
		char buf[256], small[8];
		uint32_t back = ~c->gfp;
		size_t n = pzl_gfp_format(buf, sizeof(buf), c->gfp, c->model);

		CHECK_NAMED(t, gfpt_same(buf, c->text) && n == gfpt_len(c->text), c->text);
		CHECK_NAMED(t, pzl_gfp_parse(buf, n, c->model, &back) == 0 && back == c->gfp,
			    "what is written reads back");
		n = pzl_gfp_format(small, sizeof(small), c->gfp, c->model);
		CHECK_NAMED(t, n == gfpt_len(c->text) && gfpt_len(small) == (n < 7 ? n : 7),
			    "a small buffer gets the beginning, and the length is told");
	}
	CHECK(t, pzl_gfp_format(NULL, 0, 0xcc0, PZL_LINUX_6_1) == 10);
}

/* Each single bit, and pairs of bits, read back in each version. */
static void gfpt_round(struct tap *t)
{
	bool all = true;

	for (unsigned int m = 0; m < PZL_MODELS; m++)
		for (unsigned int a = 0; a < 32; a++)
			for (unsigned int b = 0; b < 32; b++) {
				uint32_t gfp = 0xcc0u ^ (1u << a) ^ (1u << b), back = ~gfp;
				char buf[256];
				size_t n = pzl_gfp_format(buf, sizeof(buf), gfp,
							  (enum pzl_model)m);

				if (pzl_gfp_parse(buf, n, (enum pzl_model)m, &back) || back != gfp)
					all = false;
			}
	CHECK_NAMED(t, all, "GFP_KERNEL with any two bits changed reads back");
}

struct gfpt_bad {
	const char *text;
	int err;
};

static void gfpt_parse(struct tap *t)
{
	static const struct gfpt_bad bad[] = {
		{ "", -PZ_EINVAL },
		{ "|", -PZ_EINVAL },
		{ "GFP_KERNEL|", -PZ_EINVAL },
		{ "|GFP_KERNEL", -PZ_EINVAL },
		{ "GFP_KERNEL||GFP_DMA", -PZ_EINVAL },
		{ "GFP_KERNEL, GFP_DMA", -PZ_EINVAL },
		{ "0x", -PZ_EINVAL },
		{ "12", -PZ_EINVAL },
		{ "0xg", -PZ_EINVAL },
		{ "0x123456789", -PZ_EINVAL },
		{ "0xcc0(GFP_KERNEL", -PZ_EINVAL },
		{ "0xcc0(", -PZ_EINVAL },
		{ "0xcc0)", -PZ_EINVAL },
		{ "0xcc0(GFP KERNEL)", -PZ_EINVAL },
		{ "GFP_KERNE", -PZ_ENOENT },
		{ "GFP_KERNELS", -PZ_ENOENT },
		{ "__GFP_SKIP_KASAN_POISON", -PZ_ENOENT },
		{ "none|none", -PZ_ENOENT },
	};
	uint32_t gfp = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_NAMED(t, pzl_gfp_parse(bad[i].text, gfpt_len(bad[i].text), PZL_LINUX_6_1,
					     &gfp) == bad[i].err && gfp == 7,
			    bad[i].text);
	CHECK(t, !pzl_gfp_parse("0xcc1(GFP_KERNEL|GFP_DMA)", 25, PZL_LINUX_6_1, &gfp));
	CHECK(t, gfp == 0xcc1);
	CHECK(t, !pzl_gfp_parse("0x0()", 5, PZL_LINUX_6_1, &gfp) && gfp == 0);
	CHECK(t, !pzl_gfp_parse("0x84d0(GFP_TEMPORARY)", 21, PZL_LINUX_6_1, &gfp));
	CHECK_NAMED(t, gfp == 0x84d0, "the number counts, whatever its names");
	CHECK(t, !pzl_gfp_parse("0xcC0|GFP_DMA", 13, PZL_LINUX_6_1, &gfp) && gfp == 0xcc1);
	CHECK(t, !pzl_gfp_parse("GFP_KERNEL|__GFP_DMA", 20, PZL_LINUX_6_1, &gfp));
	CHECK(t, gfp == 0xcc1);
	CHECK(t, pzl_gfp_parse("__GFP_ATOMIC", 12, PZL_LINUX_6_12, &gfp) == -PZ_ENOENT);
	CHECK(t, pzl_gfp_atomic(PZL_LINUX_5_15) == 0xa20);
	CHECK(t, pzl_gfp_atomic(PZL_LINUX_6_1) == 0xa20);
	CHECK(t, pzl_gfp_atomic(PZL_LINUX_6_12) == 0x820);
	CHECK(t, pzl_gfp_nowait(PZL_LINUX_6_1) == 0x800);
	CHECK(t, pzl_gfp_nowait(PZL_LINUX_6_12) == 0x2800);
}

static void gfpt_zones(struct tap *t)
{
	/* the table of the facts: low four bits to zones of x86_64, i386, and one without DMA */
	static const uint8_t want[16][3] = {
		{ PZ_ZONE_NORMAL, PZ_ZONE_NORMAL, PZ_ZONE_NORMAL },
		{ PZ_ZONE_DMA, PZ_ZONE_DMA, PZ_ZONE_NORMAL },
		{ PZ_ZONE_NORMAL, PZ_ZONE_HIGHMEM, PZ_ZONE_NORMAL },
		{ PZ_ZONE_DMA, PZ_ZONE_DMA, PZ_ZONE_DMA32 },
		{ PZ_ZONE_DMA32, PZ_ZONE_NORMAL, PZ_ZONE_DMA32 },
		{ PZ_ZONE_DMA, PZ_ZONE_DMA, PZ_ZONE_DMA32 },
		{ PZ_ZONE_DMA, PZ_ZONE_DMA, PZ_ZONE_DMA32 },
		{ PZ_ZONE_DMA, PZ_ZONE_DMA, PZ_ZONE_DMA32 },
		{ PZ_ZONE_NORMAL, PZ_ZONE_NORMAL, PZ_ZONE_NORMAL },
		{ PZ_ZONE_DMA, PZ_ZONE_DMA, PZ_ZONE_NORMAL },
		{ PZ_ZONE_MOVABLE, PZ_ZONE_MOVABLE, PZ_ZONE_MOVABLE },
		{ PZ_ZONE_DMA, PZ_ZONE_DMA, PZ_ZONE_DMA32 },
		{ PZ_ZONE_DMA32, PZ_ZONE_NORMAL, PZ_ZONE_DMA32 },
		{ PZ_ZONE_DMA, PZ_ZONE_DMA, PZ_ZONE_DMA32 },
		{ PZ_ZONE_DMA, PZ_ZONE_DMA, PZ_ZONE_DMA32 },
		{ PZ_ZONE_DMA, PZ_ZONE_DMA, PZ_ZONE_DMA32 },
	};
	static const uint32_t kernel[3] = { GFP_X86_64, GFP_I386, GFP_NODMA };

	for (uint32_t bits = 0; bits < 16; bits++)
		for (unsigned int k = 0; k < 3; k++)
			CHECK_NAMED(t, pzl_gfp_zone(bits | PZL_GFP_KERNEL, kernel[k]) ==
					       want[bits][k],
				    "zone of the low four bits");
	CHECK(t, pzl_gfp_zone(PZL_GFP_DMA | PZL_GFP_DMA32, Z(NORMAL)) == PZ_ZONE_NORMAL);
}

static void gfpt_requests(struct tap *t)
{
	struct pz_page_req req = { .pages = 3, .limits = { 0, 99, 1, 0, 0 }, .nid = 2 };

	CHECK(t, pzl_gfp_can_block(0xcc1));
	CHECK(t, !pzl_gfp_can_block(0xa20));
	CHECK(t, pzl_gfp_mobility(0xcc0) == PZ_UNMOVABLE);
	CHECK(t, pzl_gfp_mobility(0x100cca) == PZ_MOVABLE);
	CHECK(t, pzl_gfp_mobility(0xcd0) == PZ_RECLAIMABLE);
	CHECK(t, pzl_gfp_mobility(0xcd8) == PZ_HIGHATOMIC);

	req.gfp = PZ_GFP_OWNER(9) | PZ_GFP_ALL;
	pzl_gfp_request(0xcc1, PZL_LINUX_6_1, GFP_X86_64, &req);
	CHECK(t, req.gfp == (PZ_GFP_BLOCK | PZ_GFP_OWNER(9)) && req.highest == PZ_ZONE_DMA);
	CHECK(t, req.pages == 3 && req.nid == 2 && req.limits.max_addr == 99);
	req.gfp = 0;
	pzl_gfp_request(0xa20, PZL_LINUX_6_1, GFP_X86_64, &req);
	CHECK(t, req.gfp == PZ_GFP_HIGH && req.highest == PZ_ZONE_NORMAL);
	pzl_gfp_request(0x1, PZL_LINUX_6_1, GFP_X86_64, &req);
	CHECK_NAMED(t, req.gfp == 0, "GFP_DMA alone can neither block nor use a reserve");
	pzl_gfp_request(0x100cca, PZL_LINUX_6_12, GFP_X86_64, &req);
	CHECK(t, req.gfp == (PZ_GFP_BLOCK | PZ_GFP_MOVABLE) && req.highest == PZ_ZONE_MOVABLE);
	pzl_gfp_request(0xcd8, PZL_LINUX_6_12, GFP_X86_64, &req);
	CHECK(t, req.gfp == PZ_GFP_BLOCK);
	pzl_gfp_request(0x30000 | 0x200000 | 0x110, PZL_LINUX_6_12, GFP_X86_64, &req);
	CHECK(t, req.gfp == (PZ_GFP_NORETRY | PZ_GFP_MEMALLOC | PZ_GFP_THISNODE | PZ_GFP_ZERO |
			     PZ_GFP_RECLAIMABLE));
	pzl_gfp_request(PZL_GFP_MEMALLOC | PZL_GFP_NOMEMALLOC, PZL_LINUX_6_12, GFP_X86_64, &req);
	CHECK(t, req.gfp == 0);
}

void contract_linux_gfp(struct tap *t)
{
	gfpt_names(t);
	gfpt_round(t);
	gfpt_parse(t);
	gfpt_zones(t);
	gfpt_requests(t);
}
