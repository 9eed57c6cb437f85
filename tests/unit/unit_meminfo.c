/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit_meminfo.c - the state of memory as Linux reports it, filled from a page allocator that
 * answers what a test tells it to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <physzone/linux/meminfo.h>

/* The allocator that is asked. */
struct fake_pages {
	struct pz_area_stat area[3];
	uint32_t areas;
	unsigned int max_order; /* that was asked for last */
};

static struct fake_pages fake;

static uint32_t fake_page_areas(const struct pz_pages *p)
{
	(void)p;
	return fake.areas;
}

static void fake_page_area_stat(const struct pz_pages *p, uint32_t area, unsigned int max_order,
				struct pz_area_stat *out)
{
	(void)p;
	fake.max_order = max_order;
	*out = fake.area[area];
}

#define pz_page_areas fake_page_areas
#define pz_page_area_stat fake_page_area_stat
#define pzl_meminfo_from_pages fake_meminfo_from_pages
int fake_meminfo_from_pages(struct pzl_meminfo *m, const struct pz_pages *p);
#include "../../linux/meminfo_pages.c"

static void *fake_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void fake_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static const struct pz_meta fake_meta = { fake_alloc, fake_free, NULL };

static void fake_setup(struct pzl_meminfo *m)
{
	memset(&fake, 0, sizeof(fake));
	fake.areas = 2;
	fake.area[0].type = PZ_ZONE_DMA;
	fake.area[1].nid = 1;
	fake.area[1].type = PZ_ZONE_MOVABLE;
	fake.area[0].free = 100;
	fake.area[0].free_cma = 20;
	fake.area[0].held = 7;
	fake.area[0].highatomic = 512;
	fake.area[0].blocks[PZ_RECLAIMABLE] = 3;
	fake.area[0].order[0][PZ_UNMOVABLE] = 4;
	fake.area[0].order[10][PZ_CMA] = 5;
	fake.area[0].order[11][PZ_CMA] = 6; /* beyond what the state has */
	fake.area[1].blocks[PZ_MOVABLE] = 1;
	fake.area[1].order[3][PZ_MOVABLE] = 10;
	assert_int_equal(pzl_meminfo_init(m, &fake_meta, PZL_LINUX_6_1, 2, 2), 0);
}

static void test_fill(void **state)
{
	struct pzl_mem_zone *dma, *movable;
	struct pzl_meminfo m;

	(void)state;
	fake_setup(&m);
	dma = &m.node[0].zone[PZ_ZONE_DMA];
	movable = &m.node[1].zone[PZ_ZONE_MOVABLE];
	/* what was there before is replaced, or stays when the allocator does not know it */
	dma->order[2][PZ_MOVABLE] = 9;
	dma->blocks[PZ_MOVABLE] = 9;
	dma->pcp[1].count = 9;
	dma->stat[PZL_ZS_MLOCK] = 9;
	dma->present = 9;
	assert_int_equal(fake_meminfo_from_pages(&m, NULL), 0);
	assert_int_equal(fake.max_order, 10);
	assert_int_equal(dma->stat[PZL_ZS_FREE_PAGES], 100);
	assert_int_equal(dma->stat[PZL_ZS_FREE_CMA], 20);
	assert_int_equal(dma->reserved_highatomic, 512);
	assert_int_equal(dma->blocks[PZ_RECLAIMABLE], 3);
	assert_int_equal(dma->blocks[PZ_MOVABLE], 0);
	assert_int_equal(dma->order[0][PZ_UNMOVABLE], 4);
	assert_int_equal(dma->order[10][PZ_CMA], 5);
	assert_int_equal(dma->order[11][PZ_CMA], 0);
	assert_int_equal(dma->order[2][PZ_MOVABLE], 0);
	assert_int_equal(dma->pcp[0].count, 7);
	assert_int_equal(dma->pcp[1].count, 0);
	assert_int_equal(dma->stat[PZL_ZS_MLOCK], 9);
	assert_int_equal(dma->present, 9);
	assert_int_equal(movable->blocks[PZ_MOVABLE], 1);
	assert_int_equal(movable->order[3][PZ_MOVABLE], 10);
	pzl_meminfo_destroy(&m);
}

static void test_foreign(void **state)
{
	struct pzl_meminfo m;

	(void)state;
	fake_setup(&m);
	fake.area[1].nid = 2;
	assert_int_equal(fake_meminfo_from_pages(&m, NULL), -PZ_EINVAL);
	assert_int_equal(m.node[0].zone[PZ_ZONE_DMA].stat[PZL_ZS_FREE_PAGES], 0);
	fake.area[1].nid = 1;
	fake.area[1].type = PZ_ZONE_TYPES;
	assert_int_equal(fake_meminfo_from_pages(&m, NULL), -PZ_EINVAL);
	pzl_meminfo_destroy(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
