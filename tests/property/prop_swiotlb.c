/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_swiotlb.c - verdicts on refused bounce buffers, against a pool that is searched slot by
 * slot.
 */
#include <string.h>

#include <physzone/linux/swiotlb_log.h>

#include "prop.h"

#define POOL_MOST 4096u

struct pool {
	struct pzl_swlog_pool kernel;
	uint32_t slots, area; /* of the pool, and of each area */
	bool used[POOL_MOST];
};

static uint32_t pool_used(const struct pool *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->slots; i++)
		n += p->used[i];
	return n;
}

/* The kernel's search: a row within one segment and one area, at every slot or every page. */
static bool pool_search(const struct pool *p, uint64_t bytes)
{
	uint32_t page = 1u << p->kernel.page_shift, run = p->area < 128 ? p->area : 128;
	uint64_t need = bytes / 2048 + (bytes % 2048 != 0);
	uint32_t stride = bytes >= page ? page / 2048 : 1;

	for (uint32_t at = 0; at < p->slots; at++) {
		uint64_t n = 0;

		if (at % 128 % stride || at % run + need > run)
			continue;
		while (n < need && !p->used[at + n])
			n++;
		if (n == need)
			return true;
	}
	return false;
}

/* A pool with areas as a kernel makes them, and a mapping. */
static uint64_t pool_draw(struct prop *pr, struct pool *p)
{
	uint32_t areas = 1u << prop_draw(pr, 3), page = 12 + 2 * (uint32_t)prop_draw(pr, 2);

	memset(p, 0, sizeof(*p));
	p->area = 64u << prop_draw(pr, 3);
	p->slots = p->area * areas;
	p->kernel = (struct pzl_swlog_pool){ PZL_LINUX_6_1, page, areas };
	return prop_between(pr, 1, prop_choice(pr, 4) ? 40960 : 300000);
}

static struct pzl_swlog_verdict pool_judge(const struct pool *p, uint64_t bytes)
{
	const struct pzl_swlog_line line = { bytes, p->slots, pool_used(p) };
	struct pzl_swlog_verdict v;

	pzl_swlog_judge(&p->kernel, &line, &v);
	return v;
}

/* Whatever the arrangement, a verdict never says what the search contradicts. */
static bool verdict_holds(struct prop *pr, const struct pool *p, uint64_t bytes)
{
	struct pzl_swlog_verdict v = pool_judge(p, bytes);
	bool found = pool_search(p, bytes);

	prop_note(pr, "%llu bytes, %u of %u slots, areas of %u, pages of %u: verdict %d, %s",
		  (unsigned long long)bytes, pool_used(p), p->slots, p->area,
		  1u << p->kernel.page_shift, v.why, found ? "found" : "not found");
	switch (v.why) {
	case PZL_SWLOG_NEVER:
	case PZL_SWLOG_AREA:
	case PZL_SWLOG_FULL:
		PROP_ASSERT(pr, !found);
		break;
	case PZL_SWLOG_ALIGNED:
	case PZL_SWLOG_UNEXPLAINED:
		PROP_ASSERT(pr, found);
		break;
	default:
		PROP_ASSERT(pr, v.why == PZL_SWLOG_FRAGMENTED);
		PROP_ASSERT(pr, v.need <= v.free && pool_used(p) >= v.blocks);
		break;
	}
	PROP_ASSERT(pr, v.least <= v.sure);
	return true;
}

/* Slots in use one by one, in pieces, or all but a few. */
static bool any_arrangement(struct prop *pr, void *ctx)
{
	struct pool p;
	uint64_t bytes = pool_draw(pr, &p);
	unsigned int pieces = (unsigned int)prop_draw(pr, 200);

	(void)ctx;
	memset(p.used, prop_choice(pr, 3) == 2, sizeof(p.used));
	for (unsigned int i = 0; i < pieces; i++) {
		uint32_t at = (uint32_t)prop_draw(pr, p.slots - 1);
		uint32_t n = (uint32_t)prop_between(pr, 1, 16);

		for (uint32_t k = at; k < p.slots && k < at + n; k++)
			p.used[k] = !p.used[k];
	}
	return verdict_holds(pr, &p, bytes);
}

/* Take the last slot of the lowest place that is free, until none is or so many are taken. */
static uint32_t pool_block(struct pool *p, uint64_t bytes, uint32_t most)
{
	uint32_t page = 1u << p->kernel.page_shift, run = p->area < 128 ? p->area : 128, n = 0;
	uint32_t need = (uint32_t)(bytes / 2048 + (bytes % 2048 != 0));
	uint32_t stride = bytes >= page ? page / 2048 : 1;

	for (uint32_t at = 0; at + need <= p->slots && n < most; at++) {
		uint32_t k = 0;

		if (at % 128 % stride || at % run + need > run)
			continue;
		while (k < need && !p->used[at + k])
			k++;
		if (k < need)
			continue;
		p->used[at + need - 1] = true;
		n++;
	}
	return n;
}

/* Blocked with the fewest slots: so many are told, and with one less a place is left. */
static bool fewest(struct prop *pr, void *ctx)
{
	struct pool p;
	uint64_t bytes = pool_draw(pr, &p);
	uint32_t n;

	(void)ctx;
	if (bytes > (p.area < 128 ? p.area : 128) * 2048)
		return verdict_holds(pr, &p, bytes);
	n = pool_block(&p, bytes, UINT32_MAX);
	PROP_ASSERT(pr, !pool_search(&p, bytes));
	PROP_ASSERT(pr, pool_judge(&p, bytes).blocks == n);
	if (!verdict_holds(pr, &p, bytes))
		return false;
	memset(p.used, 0, sizeof(p.used));
	(void)pool_block(&p, bytes, n - 1);
	PROP_ASSERT(pr, pool_search(&p, bytes));
	return verdict_holds(pr, &p, bytes);
}

/* In a pool of the size that is sure, so many slots in use cannot be in the way. */
static bool sure_is_sure(struct prop *pr, void *ctx)
{
	struct pool p, large;
	uint64_t bytes = pool_draw(pr, &p);
	uint32_t used;
	struct pzl_swlog_verdict v;

	(void)ctx;
	(void)pool_block(&p, bytes, (uint32_t)prop_draw(pr, p.slots));
	for (uint32_t i = 0, n = (uint32_t)prop_draw(pr, 300); i < n; i++)
		p.used[prop_draw(pr, p.slots - 1)] = true;
	v = pool_judge(&p, bytes);
	used = pool_used(&p);
	if (!v.sure || v.sure > POOL_MOST)
		return true;
	large = p;
	memset(large.used, 0, sizeof(large.used));
	large.slots = (uint32_t)v.sure;
	large.area = large.slots / large.kernel.areas;
	prop_note(pr, "%llu bytes, %u in use, sure %llu", (unsigned long long)bytes, used,
		  (unsigned long long)v.sure);
	PROP_ASSERT(pr, large.area >= 128);
	(void)pool_block(&large, bytes, used);
	PROP_ASSERT(pr, pool_search(&large, bytes));
	return true;
}

int main(void)
{
	prop_run("a verdict agrees with the search", any_arrangement, NULL, 4000);
	prop_run("the fewest slots that break up all runs", fewest, NULL, 1000);
	prop_run("the size that is sure", sure_is_sure, NULL, 2000);
	return prop_done();
}
