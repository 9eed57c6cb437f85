/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_model.c - see v7s_model.h.
 */
#include "v7s_model.h"

#include <physzone/v7s_walk.h>

#include <stdlib.h>
#include <string.h>

#define VM_PAGE ((uint64_t)PZ_V7S_4K)

static const uint32_t vm_shift[4] = { 24, 20, 16, 12 };

static uint64_t vm_random(struct vm *m)
{
	m->seed = m->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return m->seed >> 33;
}

void vm_init(struct vm *m, struct v7s_box *b, uint64_t middle)
{
	uint64_t space = (uint64_t)1 << b->cfg.ias, bytes = VM_PAGES * VM_PAGE;

	memset(m, 0, sizeof(*m));
	m->b = b;
	for (uint32_t prot = 0; prot <= PZ_IOMMU_PROT; prot++)
		m->told[prot] = (uint8_t)vb_prot(b->cfg.quirks, prot);
	m->sizes = b->cfg.sizes ? b->cfg.sizes : PZ_V7S_SIZES;
	if (b->cfg.ias < 24 || b->cfg.oas < 24)
		m->sizes &= ~PZ_V7S_16M;
	m->windows = space > 2 * bytes ? 2 : 1;
	m->win[0].first = m->windows == 2 ? middle % (space / 4) & ~(2 * VB_SPAN - 1) : 0;
	m->win[0].pages = (uint32_t)(bytes < space ? VM_PAGES : space / VM_PAGE);
	m->win[1].first = space - bytes;
	m->win[1].pages = VM_PAGES;
	b->look = vm_look;
	b->going = vm_going;
	b->look_ctx = m;
}

struct vm_page *vm_at(struct vm *m, uint64_t iova)
{
	for (uint32_t i = 0; i < m->windows; i++) {
		struct vm_window *w = &m->win[i];

		if (iova >= w->first && (iova - w->first) / VM_PAGE < w->pages)
			return &w->page[(iova - w->first) / VM_PAGE];
	}
	return NULL;
}

bool vm_inside(struct vm *m, uint64_t iova, uint64_t size)
{
	struct vm_page *a = vm_at(m, iova);

	return a && iova + size > iova && vm_at(m, iova + size - 1) == a + (size - 1) / VM_PAGE;
}

uint64_t vm_mapped(struct vm *m, uint64_t iova, uint64_t size)
{
	struct vm_page *p = vm_at(m, iova);
	uint64_t n = 0;

	for (uint64_t i = 0; i < size / VM_PAGE; i++)
		n += p[i].prot != 0;
	return n * VM_PAGE;
}

void vm_map(struct vm *m, uint64_t iova, uint64_t phys, uint64_t size, uint32_t prot,
	    uint32_t sizes)
{
	while (size) {
		uint64_t bytes = 0;
		uint32_t k;

		for (k = 0; k < 4; k++) {
			bytes = (uint64_t)1 << vm_shift[k];
			if (sizes & bytes && size >= bytes && !((iova | phys) & (bytes - 1)))
				break;
		}
		for (uint64_t i = 0; i < bytes / VM_PAGE; i++)
			*vm_at(m, iova + i * VM_PAGE) =
				(struct vm_page){ (uint32_t)(phys / VM_PAGE + i), (uint8_t)prot,
						  (uint8_t)vm_shift[k] };
		iova += bytes;
		phys += bytes;
		size -= bytes;
	}
}

/* A range of a page that is split, seen from what is to be unmapped. */
static uint8_t vm_piece(const struct vm *m, uint64_t at, uint8_t shift, uint64_t first,
			uint64_t last)
{
	static const uint8_t next[25] = { [24] = 20, [20] = 16, [16] = 12 };

	while (shift > 12) {
		uint64_t from = at >> shift << shift, to = from + (((uint64_t)1 << shift) - 1);

		if (m->sizes >> shift & 1 && (to < first || from > last))
			break;
		shift = next[shift];
	}
	return shift;
}

static void vm_split(struct vm *m, uint64_t at, uint64_t first, uint64_t last)
{
	struct vm_page *p = vm_at(m, at);
	uint64_t from, bytes;

	if (!p->prot)
		return;
	bytes = (uint64_t)1 << p->shift;
	from = at & ~(bytes - 1);
	if (from >= first && from + bytes - 1 <= last)
		return;
	p = vm_at(m, from);
	for (uint64_t i = 0; i < bytes / VM_PAGE; i++)
		p[i].shift = vm_piece(m, from + i * VM_PAGE, p[i].shift, first, last);
}

void vm_unmap(struct vm *m, uint64_t iova, uint64_t size)
{
	struct vm_page *p = vm_at(m, iova);

	vm_split(m, iova, iova, iova + size - 1);
	vm_split(m, iova + size - 1, iova, iova + size - 1);
	memset(p, 0, (size_t)(size / VM_PAGE) * sizeof(*p));
}

static bool vm_cut_super(struct vm *m, uint64_t at, uint64_t iova, uint64_t size)
{
	const struct vm_page *p = vm_at(m, at);
	uint64_t from = at & ~(uint64_t)(PZ_V7S_16M - 1);

	return p->prot && p->shift == 24 && (from < iova || from + PZ_V7S_16M > iova + size);
}

bool vm_no_pieces(struct vm *m, uint64_t iova, uint64_t size)
{
	return !(m->sizes & PZ_V7S_1M) &&
	       (vm_cut_super(m, iova, iova, size) || vm_cut_super(m, iova + size - 1, iova, size));
}

uint64_t vm_tables(struct vm *m)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < m->windows; i++)
		for (uint32_t k = 0; k < m->win[i].pages; k += 256) {
			bool any = false;

			for (uint32_t j = k; j < k + 256 && !any; j++)
				any = m->win[i].page[j].prot && m->win[i].page[j].shift < 20;
			n += any;
		}
	return n;
}

/* --- comparisons --- */

static bool vm_says(struct vm *m, const struct vm_page *p, uint64_t at, uint64_t iova,
		    uint64_t phys, uint32_t size, uint32_t prot)
{
	return p->prot && size == (uint32_t)1 << p->shift && iova == (at & ~(uint64_t)(size - 1)) &&
	       phys + (at - iova) == p->pfn * VM_PAGE && prot == m->told[p->prot];
}

static bool vm_walker_word(void *ctx, uint64_t addr, uint32_t *word)
{
	return vb_word(ctx, addr, word);
}

/* What pz_v7s_walk() needs to know. */
static struct pz_v7s_view vm_view(const struct vm *m)
{
	uint32_t quirks = m->b->cfg.quirks;
	struct pz_v7s_view v = { .table = vb_first_level(m->b),
				 .ias = m->b->cfg.ias,
				 .mtk_outputs = quirks & PZ_V7S_MTK_EXT,
				 .mtk_tables = quirks & PZ_V7S_MTK_TTBR_EXT,
				 .permissions = !(quirks & PZ_V7S_NO_PERMS),
				 .read = vm_walker_word,
				 .ctx = m->b };

	return v;
}

/* Whether a run of the walker's, which @at lies in, is what was asked for there. */
static bool vm_walked(const struct vm *m, const struct vm_page *p, uint64_t at,
		      const struct pz_v7s_run *r)
{
	uint32_t quirks = m->b->cfg.quirks, prot = m->told[p->prot];
	bool mmio = prot & PZ_IOMMU_MMIO, cache = prot & PZ_IOMMU_CACHE;

	if (!p->prot)
		return r->fault == PZ_V7S_FAULT_FIRST || r->fault == PZ_V7S_FAULT_SECOND;
	return r->fault == PZ_V7S_NO_FAULT && r->phys + (at - r->first) == p->pfn * VM_PAGE &&
	       r->page == (uint32_t)1 << p->shift && r->read &&
	       r->write == !!(prot & PZ_IOMMU_WRITE) && r->user == !(prot & PZ_IOMMU_PRIV) &&
	       r->exec == !(prot & PZ_IOMMU_NOEXEC) && r->tex == (mmio ? 0 : 1) &&
	       r->b == (mmio || cache) && r->c == cache && r->shared && !r->global && r->access &&
	       r->secure == !(quirks & PZ_V7S_NS) && r->domain == 0;
}

const char *vm_differs_at(struct vm *m, uint64_t iova)
{
	const struct vm_page *p = vm_at(m, iova);
	uint64_t at = iova & ~(VM_PAGE - 1), phys = 0;
	struct pz_v7s_view v = vm_view(m);
	struct pz_v7s_page q;
	struct pz_v7s_run run;
	struct vb_page r;

	if (!p)
		return NULL;
	(void)pz_v7s_walk(&v, iova, &run);
	if (!vm_walked(m, p, at, &run) || at < run.first || at > run.last)
		return "the walker sees something else";
	if (!p->prot) {
		if (vb_read(m->b, iova, &r) || r.odd)
			return "a word where nothing is mapped";
		if (pz_v7s_lookup(m->b->v, iova, &phys) != -PZ_ENOENT ||
		    pz_v7s_query(m->b->v, iova, &q) != -PZ_ENOENT)
			return "an answer where nothing is mapped";
		return NULL;
	}
	if (!vb_read(m->b, iova, &r) || r.ns != !!(m->b->cfg.quirks & PZ_V7S_NS))
		return "no word, or an odd one, where a page is mapped";
	if (!vm_says(m, p, at, r.iova, r.phys, r.size, r.prot))
		return "a word says something else";
	if (pz_v7s_lookup(m->b->v, iova, &phys) || phys != p->pfn * VM_PAGE + (iova - at))
		return "a lookup says something else";
	if (pz_v7s_query(m->b->v, iova, &q) || q.word != r.word ||
	    !vm_says(m, p, at, q.iova, q.phys, q.size, q.prot))
		return "a query says something else";
	return NULL;
}

struct vm_each {
	struct vm *m;
	uint64_t pages, last;
};

static int vm_each_page(void *ctx, const struct pz_v7s_page *q)
{
	struct vm_each *e = ctx;
	const struct vm_page *p = vm_at(e->m, q->iova);

	if (!p || (e->pages && q->iova <= e->last))
		return -1;
	for (uint64_t at = q->iova; at < q->iova + q->size; at += VM_PAGE, p++)
		if (!vm_says(e->m, p, at, q->iova, q->phys, q->size, q->prot))
			return -1;
	e->last = q->iova;
	e->pages += q->size / VM_PAGE;
	return 0;
}

const char *vm_differs(struct vm *m)
{
	struct vm_each e = { m, 0, 0 };
	uint64_t want = 0;
	int check;

	for (uint32_t i = 0; i < m->windows; i++)
		for (uint32_t k = 0; k < m->win[i].pages; k++)
			want += m->win[i].page[k].prot != 0;
	if (pz_v7s_each(m->b->v, 0, UINT64_MAX, vm_each_page, &e))
		return "a page that is mapped otherwise";
	if (e.pages != want)
		return "not all pages are mapped";
	check = pz_v7s_check(m->b->v);
	if (check)
		return "an invariant does not hold";
	if (vb_tables(m->b) == VB_NEVER)
		return "the numbers are not what the provider gave";
	if (m->b->cfg.quirks & PZ_V7S_GIVE_BACK ? vb_tables(m->b) != vm_tables(m)
						: vb_tables(m->b) < vm_tables(m))
		return "second levels are there that hold nothing, or are missing";
	return NULL;
}

static int vm_each_run(void *ctx, const struct pz_v7s_run *r)
{
	struct vm_each *e = ctx;
	struct vm *m = e->m;

	if (r->first != e->last || r->last < r->first)
		return -1;
	e->last = r->last + 1;
	e->pages += r->fault ? 0 : (r->last - r->first + 1) / VM_PAGE;
	for (uint32_t i = 0; i < m->windows; i++) {
		struct vm_window *w = &m->win[i];
		uint64_t at = r->first > w->first ? r->first : w->first;

		for (; at <= r->last && at < w->first + w->pages * VM_PAGE; at += VM_PAGE)
			if (!vm_walked(m, vm_at(m, at), at, r))
				return -1;
	}
	return 0;
}

const char *vm_walk_differs(struct vm *m)
{
	struct pz_v7s_view v = vm_view(m);
	struct vm_each e = { m, 0, 0 };
	uint64_t want = 0;

	for (uint32_t i = 0; i < m->windows; i++)
		for (uint32_t k = 0; k < m->win[i].pages; k++) {
			const struct vm_page *p = &m->win[i].page[k];
			const char *wrong = NULL;

			want += p->prot != 0;
			/* The first and last pages of what is alike, and some others. */
			if (!k || p[-1].prot != p->prot || p[-1].shift != p->shift || !(k % 61))
				wrong = vm_differs_at(m, m->win[i].first + k * VM_PAGE);
			if (wrong)
				return wrong;
		}
	if (pz_v7s_walk_each(&v, vm_each_run, &e) || e.last != (uint64_t)1 << m->b->cfg.ias ||
	    e.pages != want)
		return "the walker sees other runs";
	return NULL;
}

/* --- the cache --- */

static bool vm_meets(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

/* With PZ_V7S_BREAK_FIRST no address is cached in two sizes at once. */
static void vm_conflict(struct vm *m, const struct vb_page *page)
{
	if (!(m->b->cfg.quirks & PZ_V7S_BREAK_FIRST) || m->stale || m->laters)
		return;
	for (uint32_t i = 0; i < VM_CACHED; i++) {
		const struct vb_page *c = &m->cached[i].page;

		if (m->cached[i].there && vm_meets(c->iova, c->size, page->iova, page->size) &&
		    (c->iova != page->iova || c->size != page->size || c->phys != page->phys ||
		     c->prot != page->prot))
			m->wrong = "an address is cached in two ways";
	}
}

void vm_fill(struct vm *m, uint64_t iova)
{
	uint64_t table = iova >> m->b->cfg.ias ? 0 : vb_second_level(m->b, iova);
	struct vb_page page;

	m->hand++;
	if (table)
		m->place[m->hand % VM_PLACES] = (struct vm_place){ true, iova / VB_SPAN, table };
	if (!vb_read(m->b, iova, &page))
		return;
	vm_conflict(m, &page);
	m->cached[m->hand % VM_CACHED] = (struct vm_entry){ true, page };
	m->filled++;
}

void vm_forget(struct vm *m, uint64_t iova, uint64_t size, bool places)
{
	for (uint32_t i = 0; i < VM_CACHED; i++) {
		struct vm_entry *c = &m->cached[i];

		if (!c->there || !vm_meets(c->page.iova, c->page.size, iova, size))
			continue;
		c->there = false;
		m->forgotten++;
	}
	for (uint32_t i = 0; i < VM_PLACES && places; i++)
		if (vm_meets(m->place[i].mib * VB_SPAN, VB_SPAN, iova, size))
			m->place[i].there = false;
}

void vm_sync(struct vm *m)
{
	for (uint32_t i = 0; i < m->laters; i++)
		vm_forget(m, m->later[i].iova, m->later[i].size, false);
	m->laters = 0;
}

static bool vm_entry_right(struct vm *m, const struct vb_page *c)
{
	for (uint64_t off = 0; off < c->size; off += VM_PAGE) {
		const struct vm_page *p = vm_at(m, c->iova + off);

		if (!p || !p->prot || p->pfn * VM_PAGE != c->phys + off ||
		    m->told[p->prot] != c->prot)
			return false;
	}
	return true;
}

const char *vm_stale(struct vm *m)
{
	for (uint32_t i = 0; i < VM_CACHED && !m->stale; i++)
		if (m->cached[i].there && !vm_entry_right(m, &m->cached[i].page))
			return "what is cached is no longer so";
	for (uint32_t i = 0; i < VM_PLACES; i++)
		if (m->place[i].there &&
		    vb_second_level(m->b, m->place[i].mib * VB_SPAN) != m->place[i].table)
			return "a second level is cached that is not there";
	return NULL;
}

static uint64_t vm_somewhere(struct vm *m, const struct vb_event *e)
{
	const struct vm_window *w = &m->win[vm_random(m) % m->windows];

	if (vm_random(m) & 1)
		return e->iova + vm_random(m) % e->size;
	return w->first + vm_random(m) % w->pages * VM_PAGE;
}

/* What is told is made of pages, in their size, and is part of the request, or split for it. */
static bool vm_told_right(struct vm *m, const struct vb_event *e)
{
	const struct vm_page *p = vm_at(m, e->iova);
	bool walk = e->what == VB_FLUSH_WALK;

	if (!e->size || !e->granule || (e->iova | e->size) & (e->granule - 1) || !p)
		return false;
	if (walk || !p->prot)
		return walk;
	/* A part of 16 MiB may have been split off before. */
	return e->iova - m->cut < m->cut_size && e->size <= m->cut_size - (e->iova - m->cut) &&
	       (e->granule >> p->shift == 1 || (p->shift == 24 && e->granule == PZ_V7S_1M));
}

/* What is not part of the request translates as ever, but for a page that is broken. */
static void vm_others(struct vm *m, const struct vb_event *e)
{
	bool breaks = m->b->cfg.quirks & PZ_V7S_BREAK_FIRST && e->what == VB_FLUSH_WALK;
	uint64_t at = vm_somewhere(m, e) & ~(VM_PAGE - 1);
	const struct vm_page *p = vm_at(m, at);
	struct vb_page r;

	if (!p || !p->prot || at - m->cut < m->cut_size || (breaks && at - e->iova < e->size))
		return;
	if (!vb_read(m->b, at, &r) || r.phys + (at - r.iova) != p->pfn * VM_PAGE ||
	    r.prot != m->told[p->prot])
		m->wrong = "a page that is not being unmapped is not there";
}

void vm_look(struct v7s_box *b, const struct vb_event *e)
{
	struct vm *m = b->look_ctx;

	if (e->what == VB_FLUSH_ALL) {
		memset(m->cached, 0, sizeof(m->cached));
		memset(m->place, 0, sizeof(m->place));
		return;
	}
	if (!vm_told_right(m, e)) {
		m->wrong = "what is told is not what goes";
		return;
	}
	vm_fill(m, vm_somewhere(m, e));
	if (e->what == VB_ADD && m->lazy && m->laters < 64) {
		m->later[m->laters].iova = e->iova;
		m->later[m->laters++].size = e->size;
	} else {
		vm_forget(m, e->iova, e->size, e->what == VB_FLUSH_WALK);
	}
	vm_fill(m, vm_somewhere(m, e));
	vm_fill(m, e->iova);
	for (uint32_t i = 0; i < 4; i++)
		vm_others(m, e);
}

void vm_going(struct v7s_box *b, const struct pz_table *table)
{
	struct vm *m = b->look_ctx;

	for (uint32_t i = 0; i < VM_PLACES; i++)
		if (m->place[i].there && m->place[i].table == table->addr)
			m->wrong = "a second level goes that the walker may still look at";
}
