/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_ops.c - allocate, free in whole and in part, and misuse, each beside the oracle.
 */
#include "page_ops.h"

#include <inttypes.h>

#define OP_BULK 48u

uint32_t op_cpu(struct world *w)
{
	return prop_choice(w->p, 3) ? (uint32_t)prop_draw(w->p, w->cfg.cpus - 1) : PZ_CPU_NONE;
}

static bool op_power(uint64_t n)
{
	return n && !(n & (n - 1));
}

static unsigned int op_order(uint64_t n)
{
	unsigned int o = 0;

	while (((uint64_t)1 << o) < n)
		o++;
	return o;
}

void op_begin(struct world *w)
{
	w->ops++;
	w->failed_before = world_failures(w);
	w->site = w->ops;
	w->moved = w->refused = w->freed_inside = 0;
	w->evacuating.first = 1;
	w->evacuating.last = 0;
}

bool op_request(struct world *w, struct w_req *r, unsigned int way)
{
	struct pz_page_req req;
	uint64_t pfn = UINT64_MAX, untouched = pfn;
	int rc;

	op_begin(w);
	if (way == 1 && !op_power(r->pages))
		way = 0;
	if (way) { /* these have no say in nodes and zones */
		r->nid = PZ_NID_NONE;
		r->highest = PZ_ZONE_TYPES;
		r->gfp &= ~PZ_GFP_THISNODE;
	}
	if (way == 1) {
		unsigned int order = op_order(r->pages);

		if (r->limits.align < r->pages << w->shift)
			r->limits.align = r->pages << w->shift;
		rc = pz_alloc_pages(w->pages, r->cpu, r->gfp, order, &r->limits, &pfn);
	} else if (way == 2) {
		uint64_t cut = prop_draw(w->p, ((uint64_t)1 << w->shift) - 1);

		rc = pz_alloc_pages_exact(w->pages, r->cpu, r->gfp, (r->pages << w->shift) - cut,
					  &r->limits, &pfn);
	} else {
		pz_page_req_init(w->pages, &req, 0, r->gfp, r->cpu);
		req.pages = r->pages;
		req.limits = r->limits;
		req.nid = r->nid;
		req.highest = r->highest;
		rc = pz_page_request(w->pages, &req, &pfn);
	}
	prop_note(w->p, "alloc way %u: %" PRIu64 " pages gfp %#x cpu %d: %d, page %" PRId64, way,
		  r->pages, r->gfp, (int)r->cpu, rc, rc ? -1 : (int64_t)(pfn - w->base));
	if (rc)
		PROP_ASSERT(w->p, pfn == untouched);
	return world_judge(w, r, rc, pfn);
}

bool op_alloc(struct world *w)
{
	struct w_req r;

	world_draw_req(w, &r);
	return op_request(w, &r, prop_choice(w->p, 3));
}

bool op_bulk(struct world *w)
{
	uint32_t n = 1 + (uint32_t)prop_draw(w->p, OP_BULK - 1), got;
	uint64_t pfns[OP_BULK], at;
	struct w_req r;

	op_begin(w);
	world_draw_req(w, &r);
	r.pages = 1;
	r.nid = PZ_NID_NONE;
	r.highest = PZ_ZONE_TYPES;
	r.gfp &= ~PZ_GFP_THISNODE;
	got = pz_alloc_bulk(w->pages, r.cpu, r.gfp, &r.limits, n, pfns);
	prop_note(w->p, "bulk of %u, gfp %#x cpu %d: %u", n, r.gfp, (int)r.cpu, got);
	PROP_ASSERT(w->p, got <= n);
	for (uint32_t i = 0; i < got; i++) {
		/* Whether a nearer node was full may have changed since. */
		if (!world_may_take(w, &r, pfns[i] - w->base)) {
			prop_note(w->p, "page %" PRIu64 " must not be given", pfns[i] - w->base);
			return false;
		}
		if (r.gfp & PZ_GFP_ZERO)
			PROP_ASSERT(w->p, w->page[pfns[i] - w->base].byte == 0);
		world_take(w, (uint32_t)(pfns[i] - w->base), 1,
			   r.gfp & PZ_GFP_MOVABLE ? (uint8_t)PZ_GFP_OWNER_OF(r.gfp) : 0);
		w->page[pfns[i] - w->base].byte = W_USED;
	}
	if (got < n && !world_faulted(w) && !w->moved && !w->freed_inside)
		PROP_ASSERT(w->p, !world_must_fit(w, &r, &at));
	return !w->wrong;
}

static bool op_poisoned(struct world *w, uint32_t at, uint32_t pages)
{
	if (!(w->cfg.debug & PZ_PAGE_DEBUG_POISON))
		return true;
	for (uint32_t i = at; i < at + pages; i++)
		PROP_ASSERT(w->p, w->page[i].byte == 0xaa);
	return true;
}

static uint32_t op_cma_of(const struct world *w, uint32_t at)
{
	for (uint32_t k = 0; k < w->cmas; k++) {
		if (at >= w->cma[k].first && at < w->cma[k].first + w->cma[k].pages)
			return k;
	}
	return w->cmas;
}

bool op_free(struct world *w, uint32_t at)
{
	uint32_t len = w->page[at].len, cpu = op_cpu(w);
	uint64_t pfn = w->base + at;

	op_begin(w);
	prop_note(w->p, "free %u (+%u) cpu %d", at, len, (int)cpu);
	if (w->page[at].taken) {
		PROP_ASSERT(w->p, w->contig->release(w, cpu, op_cma_of(w, at), pfn, len));
	} else if (op_power(len) && !(pfn & (len - 1)) && len <= 1u << PZ_PAGE_MAX_ORDER &&
		   prop_choice(w->p, 3)) {
		pz_free_pages(w->pages, cpu, pfn, op_order(len));
	} else {
		pz_free_exact(w->pages, cpu, pfn, len);
	}
	world_drop(w, at);
	PROP_ASSERT(w->p, w->bugs.count == w->bugs_expected);
	return op_poisoned(w, at, len);
}

bool op_free_any(struct world *w)
{
	if (!w->blocks)
		return true;
	if (prop_choice(w->p, 4) == 0)
		return op_free(w, w->block_at[w->blocks - 1]);
	return op_free(w, w->block_at[prop_draw(w->p, w->blocks - 1)]);
}

bool op_free_bulk(struct world *w)
{
	uint32_t want = 1 + (uint32_t)prop_draw(w->p, OP_BULK - 1), n = 0, cpu = op_cpu(w);
	uint64_t pfns[OP_BULK];

	op_begin(w);
	for (uint32_t k = w->blocks; k-- > 0 && n < want;) {
		uint32_t at = w->block_at[k];

		if (w->page[at].len == 1 && !w->page[at].taken && prop_choice(w->p, 3) != 2)
			pfns[n++] = w->base + at;
	}
	pz_free_bulk(w->pages, cpu, n, pfns);
	prop_note(w->p, "free %u in bulk, cpu %d", n, (int)cpu);
	for (uint32_t k = 0; k < n; k++)
		world_drop(w, (uint32_t)(pfns[k] - w->base));
	PROP_ASSERT(w->p, w->bugs.count == w->bugs_expected);
	for (uint32_t k = 0; k < n; k++) {
		if (!op_poisoned(w, (uint32_t)(pfns[k] - w->base), 1))
			return false;
	}
	return true;
}

bool op_part(struct world *w)
{
	uint32_t at, len, from, pages, cpu = op_cpu(w);

	if (!w->blocks)
		return true;
	at = w->block_at[prop_draw(w->p, w->blocks - 1)];
	len = w->page[at].len;
	if (w->page[at].taken)
		return true;
	op_begin(w);
	from = (uint32_t)prop_draw(w->p, len - 1);
	pages = 1 + (uint32_t)prop_draw(w->p, len - from - 1);
	prop_note(w->p, "free %u (+%u) out of %u (+%u)", at + from, pages, at, len);
	PROP_ASSERT(w->p, pz_free_part(w->pages, cpu, w->base + at + from, pages) == 0);
	if (from + pages < len)
		world_cut(w, at, from + pages);
	if (from)
		world_cut(w, at, from);
	world_drop(w, at + from);
	PROP_ASSERT(w->p, w->bugs.count == w->bugs_expected);
	return op_poisoned(w, at + from, pages);
}

bool op_split(struct world *w)
{
	uint32_t at, len;

	if (!w->blocks)
		return true;
	at = w->block_at[prop_draw(w->p, w->blocks - 1)];
	len = w->page[at].len;
	if (w->page[at].taken || !op_power(len) || (w->base + at) & (len - 1) || len > 1024)
		return true;
	op_begin(w);
	prop_note(w->p, "split %u (+%u)", at, len);
	PROP_ASSERT(w->p, pz_split_pages(w->pages, w->base + at, op_order(len)) == 0);
	for (; len > 1; len--)
		world_cut(w, at, len - 1);
	PROP_ASSERT(w->p, w->bugs.count == w->bugs_expected);
	return true;
}

bool op_drain(struct world *w)
{
	uint32_t cpu = op_cpu(w);
	uint64_t before = pz_page_free_count(w->pages, UINT32_MAX), got;

	op_begin(w);
	got = pz_page_drain(w->pages, cpu);
	prop_note(w->p, "drain cpu %d: %" PRIu64, (int)cpu, got);
	PROP_ASSERT(w->p, got == 0 || w->cfg.pcp_hold);
	PROP_ASSERT(w->p, pz_page_free_count(w->pages, UINT32_MAX) == before + got);
	if (cpu == PZ_CPU_NONE)
		PROP_ASSERT(w->p, before + got == w->free);
	return true;
}

bool op_policy(struct world *w)
{
	w->cfg.policy = prop_choice(w->p, 2) ? PZ_POLICY_ZONELIST : PZ_POLICY_REACH;
	prop_note(w->p, "policy %u", (unsigned int)w->cfg.policy);
	pz_pages_set_policy(w->pages, w->cfg.policy);
	return true;
}

bool op_add(struct world *w)
{
	uint64_t before = pz_page_free_count(w->pages, UINT32_MAX);
	uint32_t at = (uint32_t)prop_draw(w->p, w->n - 1), k;
	struct pz_range r;
	int rc;

	op_begin(w);
	/* What is managed already is refused. */
	if (w->page[at].state != W_NONE) {
		r.first = r.last = w->base + at;
		PROP_ASSERT(w->p, pz_pages_add(w->pages, r) == -PZ_EEXIST);
		PROP_ASSERT(w->p, pz_page_free_count(w->pages, UINT32_MAX) == before);
	}
	r.first = r.last = w->base + w->n + 100000;
	PROP_ASSERT(w->p, pz_pages_add(w->pages, r) == -PZ_EINVAL);
	if (!w->laters)
		return true;
	k = (uint32_t)prop_draw(w->p, w->laters - 1);
	if (w->later[k].added)
		return true;
	for (uint32_t i = w->later[k].first; i < w->later[k].first + w->later[k].pages; i++) {
		if (w->page[i].state != W_NONE || op_cma_of(w, i) < w->cmas)
			return true;
	}
	r.first = w->base + w->later[k].first;
	r.last = r.first + w->later[k].pages - 1;
	prop_note(w->p, "add %u (+%u)", w->later[k].first, w->later[k].pages);
	rc = pz_pages_add(w->pages, r);
	if (rc == -PZ_ENOMEM && world_faulted(w))
		return true;
	PROP_ASSERT(w->p, rc == 0);
	w->later[k].added = true;
	w->managed += w->later[k].pages;
	world_make_free(w, w->later[k].first, w->later[k].pages);
	return true;
}

/* A page frame in a state, or UINT64_MAX. */
static uint64_t op_find_state(struct world *w, enum w_state state)
{
	uint32_t from = (uint32_t)prop_draw(w->p, w->n - 1);

	for (uint32_t k = 0; k < w->n; k++) {
		uint32_t i = (from + k) % w->n;

		if (w->page[i].state == state)
			return w->base + i;
	}
	return UINT64_MAX;
}

static unsigned int op_misuse_block(struct world *w, uint32_t cpu)
{
	uint32_t at, len;
	uint64_t pfn;

	if (!w->blocks)
		return 0;
	at = w->block_at[prop_draw(w->p, w->blocks - 1)];
	len = w->page[at].len;
	pfn = w->base + at;
	switch (prop_choice(w->p, 6)) {
	case 0: { /* a wrong order */
		unsigned int order = (unsigned int)prop_draw(w->p, 70);

		if (order < 32 && (uint64_t)1 << order == len)
			order++;
		prop_note(w->p, "misuse: free %u (+%u) with order %u", at, len, order);
		pz_free_pages(w->pages, cpu, pfn, order);
		return 1;
	}
	case 1: { /* a wrong length */
		uint64_t pages = prop_draw(w->p, 2 * (uint64_t)len);

		if (pages == len)
			pages++;
		prop_note(w->p, "misuse: free %u (+%u) with %" PRIu64 " pages", at, len, pages);
		pz_free_exact(w->pages, cpu, pfn, pages);
		return 1;
	}
	case 2: { /* a part that is too long */
		uint32_t from = (uint32_t)prop_draw(w->p, len - 1);
		uint64_t pages = len - from + 1 + prop_draw(w->p, 3);

		if (prop_choice(w->p, 4) == 3)
			pages = UINT64_MAX - prop_draw(w->p, 2);
		prop_note(w->p, "misuse: part %u (+%" PRIu64 ") of %u (+%u)", at + from, pages, at,
			  len);
		if (pz_free_part(w->pages, cpu, pfn + from, pages) != -PZ_EINVAL)
			w->wrong = true;
		return 1;
	}
	case 3: { /* split what is no such block */
		unsigned int order = (unsigned int)prop_draw(w->p, 20);

		if ((uint64_t)1 << order == len)
			order++;
		prop_note(w->p, "misuse: split %u (+%u) as order %u", at, len, order);
		if (pz_split_pages(w->pages, pfn, order) != -PZ_EINVAL)
			w->wrong = true;
		return 1;
	}
	case 4: /* the length reaches beyond the address space */
		pz_free_exact(w->pages, cpu, pfn, UINT64_MAX);
		return 1;
	default: { /* one page twice in one call */
		uint64_t twice[2] = { pfn, pfn };

		if (len != 1 || w->page[at].taken)
			return 0;
		prop_note(w->p, "misuse: free %u twice in bulk", at);
		pz_free_bulk(w->pages, cpu, 2, twice);
		world_drop(w, at);
		return 1;
	}
	}
}

static unsigned int op_misuse_page(struct world *w, uint32_t cpu)
{
	static const enum w_state states[] = { W_FREE, W_TAIL, W_NONE };
	uint64_t pfn = op_find_state(w, states[prop_choice(w->p, 3)]);

	switch (prop_choice(w->p, 8)) {
	case 6:
		pfn = w->base + w->n + prop_draw(w->p, 1000);
		break;
	case 7:
		pfn = UINT64_MAX - prop_draw(w->p, 2);
		break;
	}
	prop_note(w->p, "misuse: page %" PRId64, (int64_t)(pfn - w->base));
	switch (prop_choice(w->p, 5)) {
	case 0:
		pz_free_pages(w->pages, cpu, pfn, 0);
		return 1;
	case 1:
		pz_free_pages(w->pages, cpu, pfn, (unsigned int)prop_draw(w->p, 18));
		return 1;
	case 2:
		pz_free_exact(w->pages, cpu, pfn, 1 + prop_draw(w->p, 40));
		return 1;
	case 3:
		if (pz_split_pages(w->pages, pfn, (unsigned int)prop_draw(w->p, 10)) != -PZ_EINVAL)
			w->wrong = true;
		return 1;
	default:
		pz_free_bulk(w->pages, cpu, 1, &pfn);
		return 1;
	}
}

bool op_misuse(struct world *w)
{
	uint32_t cpu = op_cpu(w);

	op_begin(w);
	w->bugs_expected += prop_choice(w->p, 2) ? op_misuse_page(w, cpu) : op_misuse_block(w, cpu);
	if (w->bugs.count != w->bugs_expected)
		prop_note(w->p, "told %" PRIu64 " misuses, not %" PRIu64, w->bugs.count,
			  w->bugs_expected);
	PROP_ASSERT(w->p, w->bugs.count == w->bugs_expected);
	PROP_ASSERT(w->p, !w->wrong);
	if (!w->cfg.pcp_hold)
		PROP_ASSERT(w->p, pz_page_free_count(w->pages, UINT32_MAX) == w->free);
	return w->n > 512 || world_compare(w);
}

bool op_free_all(struct world *w)
{
	while (w->blocks) {
		if (!op_free(w, w->block_at[prop_draw(w->p, w->blocks - 1)]))
			return false;
	}
	PROP_ASSERT(w->p, w->free == w->managed);
	pz_page_drain(w->pages, PZ_CPU_NONE);
	PROP_ASSERT(w->p, pz_page_free_count(w->pages, UINT32_MAX) == w->managed);
	return world_compare(w);
}
