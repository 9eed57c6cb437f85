/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_machine.c - a small machine with a page allocator, for the contract suites.
 */
#include "page_machine.h"

static void pm_clear(void *p, size_t n)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		c[i] = 0;
}

struct pz_zone_config pm_pc(uint64_t end)
{
	struct pz_zone_config c;

	pm_clear(&c, sizeof(c));
	c.configured = 1u << PZ_ZONE_DMA | 1u << PZ_ZONE_DMA32 | 1u << PZ_ZONE_NORMAL |
		       1u << PZ_ZONE_MOVABLE;
	c.page_shift = 12;
	c.max_order_pages = 1024;
	c.max_pfn[PZ_ZONE_DMA] = (end < 16 * PM_MIB ? end : 16 * PM_MIB) >> 12;
	c.max_pfn[PZ_ZONE_DMA32] = (end < 4 * PM_GIB ? end : 4 * PM_GIB) >> 12;
	c.max_pfn[PZ_ZONE_NORMAL] = end >> 12;
	return c;
}

struct pz_zone_config pm_flat(uint64_t end)
{
	struct pz_zone_config c;

	pm_clear(&c, sizeof(c));
	c.configured = 1u << PZ_ZONE_NORMAL | 1u << PZ_ZONE_MOVABLE;
	c.page_shift = 12;
	c.max_order_pages = 1024;
	c.max_pfn[PZ_ZONE_NORMAL] = end >> 12;
	return c;
}

bool pm_lay_out(struct page_machine *m, struct tap *t, const struct pm_region *v, uint32_t count,
		const struct pz_zone_config *zones)
{
	bool ok;

	pm_clear(m, sizeof(*m));
	m->t = t;
	if (pz_memblock_init(&m->mb, t->meta, zones->page_shift))
		return false;
	ok = true;
	for (uint32_t i = 0; ok && i < count; i++) {
		int rc = v[i].reserved
				 ? pz_memblock_reserve(&m->mb, v[i].base, v[i].size, PZ_NID_NONE, 0)
				 : pz_memblock_add(&m->mb, v[i].base, v[i].size, v[i].nid, 0);

		ok = !rc;
	}
	if (!ok || pz_zones_build(&m->z, t->meta, &m->mb, zones)) {
		pz_memblock_destroy(&m->mb);
		return false;
	}
	m->laid_out = true;
	m->bugs.policy = PZ_BUG_IGNORE;
	m->cfg.meta = t->meta;
	m->cfg.zones = &m->z;
	m->cfg.memblock = &m->mb;
	m->cfg.max_pfn = UINT64_MAX;
	m->cfg.cpus = 1;
	m->cfg.policy = PZ_POLICY_REACH;
	m->cfg.keep_pages = UINT64_MAX;
	m->cfg.bugs = &m->bugs;
	return true;
}

bool pm_make(struct page_machine *m)
{
	bool ok = m->laid_out && !pz_zones_set_managed(&m->z, &m->mb, m->cfg.max_pfn) &&
		  !pz_pages_create(&m->pages, &m->cfg);

	if (!ok)
		m->pages = NULL;
	return CHECK_NAMED(m->t, ok, "the allocator is made");
}

bool pm_simple(struct page_machine *m, struct tap *t, uint64_t bytes)
{
	struct pm_region all = { 0, 0, 0, false };
	struct pz_zone_config zones = pm_flat(bytes);

	all.size = bytes;
	return pm_lay_out(m, t, &all, 1, &zones) && pm_make(m);
}

void pm_close(struct page_machine *m)
{
	if (m->pages) {
		CHECK_NAMED(m->t, pz_pages_check(m->pages) == 0, "the allocator is sound");
		pz_pages_destroy(m->pages);
	}
	if (m->laid_out) {
		pz_zones_destroy(&m->z);
		pz_memblock_destroy(&m->mb);
	}
	m->pages = NULL;
	m->laid_out = false;
}

struct pz_limits pm_window(uint64_t first, uint64_t last)
{
	struct pz_limits l = pz_limits_any();

	l.min_addr = first << 12;
	l.max_addr = (last << 12) + 0xfff;
	return l;
}

uint64_t pm_free(const struct page_machine *m)
{
	return pz_page_free_count(m->pages, UINT32_MAX);
}

uint64_t pm_fill(struct page_machine *m, uint32_t gfp)
{
	uint64_t n = 0, pfn;

	while (!pz_alloc_pages(m->pages, 0, gfp, 0, NULL, &pfn))
		n++;
	return n;
}

uint64_t pm_free_singles(struct page_machine *m, uint64_t first, uint64_t last)
{
	uint64_t n = 0;

	for (uint64_t pfn = first; pfn <= last; pfn++) {
		struct pz_page_info f;

		pz_page_info(m->pages, pfn, &f);
		if (f.state != PZ_PAGE_HEAD || f.pages != 1)
			continue;
		pz_free_pages(m->pages, 0, pfn, 0);
		n++;
	}
	return n;
}

bool pm_state(const struct page_machine *m, uint64_t pfn, enum pz_page_state state)
{
	struct pz_page_info f;

	pz_page_info(m->pages, pfn, &f);
	return f.state == state;
}

bool pm_block(const struct page_machine *m, uint64_t pfn, uint64_t head, uint64_t pages)
{
	struct pz_page_info f;

	pz_page_info(m->pages, pfn, &f);
	return f.state == (pfn == head ? PZ_PAGE_HEAD : PZ_PAGE_TAIL) && f.head == head &&
	       f.pages == pages;
}
