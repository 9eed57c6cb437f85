/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounce_grow.c - pools of bounce buffers that come and go.
 *
 * Concept
 *  Devices that need bouncing have a pool in reserve for each distinct reach, unless a range that
 *  was set aside lies there: what wide devices use up does not matter to narrow ones. A request
 *  that finds no room makes a further pool from page frames in reach, without waiting: of the usual
 *  size, smaller when memory is short, in the end just what the request needs. It takes its slots
 *  before anybody else sees the pool. All of it, metadata too, is page frames, so that it can come
 *  and go in any context.
 *  A pool goes when its word says that nobody has slots in it or looks at it; that word and the
 *  taking of slots cannot both succeed.
 *
 * Failure
 *  What was allocated goes back.
 *
 * Shortcomings
 *  Shared memory may take blocking to come by, so shared buffers do not grow on the spot.
 */
#include "bounce_internal.h"

#define GROW_BYTES ((uint64_t)1 << 20)
#define GROW_LEAST ((uint64_t)64 << 10) /* of a reserve */

static uint64_t grow_setting(uint64_t bytes)
{
	return bytes == UINT64_MAX ? 0 : bytes ? bytes : GROW_BYTES;
}

/* Count a pool's bytes in, unless that is too much. */
static bool grow_account(struct pz_bounce *b, uint64_t bytes)
{
	uint64_t max = b->cfg.max_bytes ? b->cfg.max_bytes : UINT64_MAX, old;

	do {
		old = pz_load64(&b->extra);
		if (bytes > max || old > max - bytes)
			return false;
	} while (!pz_cas64(&b->extra, old, old + bytes));
	return true;
}

/* Page frames for slots, in @reach and directly mapped. */
static int grow_slots(struct pz_bounce *b, uint32_t cpu, uint32_t gfp, const struct pz_reach *reach,
		      const struct dma_want *want, uint64_t *pfn)
{
	struct dma_places it;
	struct pz_page_req req;
	int rc, ret = -PZ_ERANGE;

	pz_page_req_init(b->cfg.pages, &req, 0, gfp, cpu);
	req.pages = want->bytes >> b->page_shift;
	pz_dma_places(&it, reach, want, (uint64_t)1 << b->page_shift);
	while (pz_dma_next_place(&it, &req.limits)) {
		if (req.limits.min_addr < b->direct_first)
			req.limits.min_addr = b->direct_first;
		if (b->cfg.direct_last && req.limits.max_addr > b->cfg.direct_last)
			req.limits.max_addr = b->cfg.direct_last;
		if (req.limits.min_addr > req.limits.max_addr)
			continue;
		rc = pz_page_request(b->cfg.pages, &req, pfn);
		if (!rc)
			return 0;
		if (rc != -PZ_ERANGE)
			ret = rc;
	}
	return ret;
}

static void *grow_meta(struct pz_bounce *b, struct bounce_pool *p, uint32_t cpu, uint32_t gfp,
		       uint32_t slots)
{
	uint64_t bytes = pz_bounce_meta_bytes(slots, 1), page = (uint64_t)1 << b->page_shift;
	struct pz_limits l = PZ_LIMITS_ANY;
	void *meta;

	l.min_addr = b->direct_first;
	if (b->cfg.direct_last)
		l.max_addr = b->cfg.direct_last;
	if (pz_alloc_pages_exact(b->cfg.pages, cpu, gfp, bytes, &l, &p->meta_pfn))
		return NULL;
	p->meta_pages = (bytes + page - 1) >> b->page_shift;
	meta = b->cfg.hooks.direct(b->cfg.hooks.ctx, p->meta_pfn << b->page_shift, bytes);
	if (!meta)
		pz_free_exact(b->cfg.pages, cpu, p->meta_pfn, p->meta_pages);
	return meta;
}

/* Memory that is neither shared nor private for sure is nobody's any more. */
static void grow_lose(struct pz_bounce *b, uint64_t phys, uint64_t bytes, const char *what)
{
	pz_count64(&b->lost, bytes);
	pz_bug(b->cfg.bugs, "pz_bounce", "0x%llx bytes at 0x%llx cannot be made %s: leaked",
	       (unsigned long long)bytes, (unsigned long long)phys, what);
}

/* Make a pool that nobody else sees yet. */
static int grow_pool(struct pz_bounce *b, uint32_t cpu, uint32_t gfp, const struct pz_reach *reach,
		     const struct dma_want *want, struct bounce_pool **out)
{
	uint64_t pages = want->bytes >> b->page_shift, pfn, phys;
	struct bounce_pool *p;
	void *meta;
	int rc = -PZ_ENOMEM;

	if (want->bytes >> PZ_BOUNCE_SHIFT > PZ_BOUNCE_SLOTS)
		return -PZ_ERANGE;
	if (!grow_account(b, want->bytes))
		return -PZ_ENOMEM;
	p = pz_bounce_vacant(b);
	if (!p)
		goto no_place;
	rc = grow_slots(b, cpu, gfp, reach, want, &pfn);
	if (rc)
		goto no_slots;
	phys = pfn << b->page_shift;
	rc = -PZ_ENOMEM;
	p->mem = b->cfg.hooks.direct(b->cfg.hooks.ctx, phys, want->bytes);
	meta = p->mem ? grow_meta(b, p, cpu, gfp, (uint32_t)(want->bytes >> PZ_BOUNCE_SHIFT))
		      : NULL;
	if (!meta)
		goto no_meta;
	rc = pz_bounce_share(b, phys, want->bytes, true);
	if (rc)
		goto no_share;
	p->kind = PZ_BOUNCE_GROWN;
	pz_bounce_lay_out(p, meta, phys, (uint32_t)(want->bytes >> PZ_BOUNCE_SHIFT), 1);
	pz_count64(&b->grown, 1);
	*out = p;
	return 0;
no_share:
	pz_free_exact(b->cfg.pages, cpu, p->meta_pfn, p->meta_pages);
	grow_lose(b, phys, want->bytes, "shared");
	goto no_slots;
no_meta:
	pz_free_exact(b->cfg.pages, cpu, pfn, pages);
no_slots:
	pz_bounce_vacate(p);
no_place:
	pz_count64(&b->extra, 0 - want->bytes);
	return rc;
}

/* A pool that has just been made, and is the caller's, goes. */
static void grow_drop(struct pz_bounce *b, struct bounce_pool *p, uint32_t cpu)
{
	uint64_t bytes = (uint64_t)p->slots << PZ_BOUNCE_SHIFT, phys = p->first;

	if (pz_bounce_share(b, phys, bytes, false))
		grow_lose(b, phys, bytes, "private");
	else
		pz_free_exact(b->cfg.pages, cpu, phys >> b->page_shift, bytes >> b->page_shift);
	pz_free_exact(b->cfg.pages, cpu, p->meta_pfn, p->meta_pages);
	pz_bounce_vacate(p);
	pz_count64(&b->extra, 0 - bytes);
}

/* Give a pool back if it is one that goes and nobody uses it; bytes. */
uint64_t pz_bounce_drop_idle(struct pz_bounce *b, struct bounce_pool *p, uint32_t cpu)
{
	uint64_t bytes;

	if (p->stays || pz_load64(&p->life) != LIFE_LIVE ||
	    !pz_cas64(&p->life, LIFE_LIVE, LIFE_FILLING))
		return 0;
	bytes = (uint64_t)p->slots << PZ_BOUNCE_SHIFT;
	grow_drop(b, p, cpu);
	return bytes;
}

/* The same, counted. */
static uint64_t grow_trim(struct pz_bounce *b, struct bounce_pool *p, uint32_t cpu)
{
	uint64_t bytes = pz_bounce_drop_idle(b, p, cpu);

	if (bytes)
		pz_count64(&b->trimmed, 1);
	return bytes;
}

uint64_t pz_bounce_trim(struct pz_bounce *b, uint32_t cpu)
{
	uint64_t bytes = 0;

	for (uint32_t i = b->base; i < pz_load32(&b->top); i++)
		bytes += grow_trim(b, &b->pool[i], cpu);
	return bytes;
}

/* Searches in a pool that may go, UINT32_MAX where there is none. */
static uint32_t grow_calls(struct bounce_pool *p)
{
	uint32_t calls;

	if (p->stays || !bounce_enter(p))
		return UINT32_MAX;
	calls = pz_peek32(&p->area->calls);
	bounce_leave(p);
	return calls;
}

uint64_t pz_bounce_settle(struct pz_bounce *b, uint32_t cpu)
{
	uint64_t bytes = 0;

	for (uint32_t i = b->base; i < pz_load32(&b->top); i++) {
		struct bounce_pool *p = &b->pool[i];
		uint32_t calls = grow_calls(p);

		if (calls != UINT32_MAX && calls == pz_peek32(&p->seen))
			bytes += grow_trim(b, p, cpu);
		else
			pz_poke32(&p->seen, calls);
	}
	return bytes;
}

/* The least pool that has a place for a run: it lies at the start. */
static bool grow_least(const struct pz_bounce *b, const struct bounce_want *k,
		       struct dma_want *want)
{
	uint64_t page = (uint64_t)1 << b->page_shift, need = k->rest + k->bytes;

	if (need < k->bytes || !pz_round_up(need, page, &want->bytes))
		return false;
	want->align = k->mask + 1 > page ? k->mask + 1 : page;
	/* Pages beyond a boundary do no harm where the run itself does not reach it. */
	want->boundary = k->boundary >= want->bytes ? k->boundary : 0;
	return want->align != 0;
}

/* Make a pool of the usual size for a request, or of less, and take its slots: 0, why not. */
static int grow_for(struct pz_bounce *b, const struct pz_reach *reach, uint32_t cpu,
		    const struct bounce_want *k, const struct dma_want *least,
		    struct bounce_got *got)
{
	uint64_t usual = grow_setting(b->cfg.grow_bytes), page = ((uint64_t)1 << b->page_shift) - 1;
	struct dma_want want = { 0, page + 1, 0 };
	struct bounce_pool *p;

	for (usual = (usual + page) & ~page;; usual = (usual / 2) & ~page) {
		/* Four times as much has a place wherever it lies. */
		bool last = usual / 4 < k->bytes || usual / 4 - k->bytes < k->mask;
		int rc;

		want.bytes = usual;
		rc = grow_pool(b, cpu, last ? PZ_GFP_HIGH : 0, reach, last ? least : &want, &p);
		if (!rc && pz_bounce_claim(p, reach, k, 0, got)) {
			pz_bounce_publish(p, got->n);
			return 0;
		}
		if (!rc)
			grow_drop(b, p, cpu);
		if (last)
			return rc ? rc : -PZ_ERANGE;
	}
}

/*
 * Make a pool for a request and take its slots: 0, -PZ_ERANGE when none could ever be made,
 * -PZ_ENOMEM.
 */
int pz_bounce_grow(struct pz_bounce *b, const struct pz_dma_dev *dev, uint32_t cpu,
		   const struct bounce_want *k, struct bounce_got *got)
{
	const struct pz_reach *reach = &dev->reach[k->use];
	struct dma_want least;
	int rc;

	if (!b->cfg.pages || !grow_setting(b->cfg.grow_bytes) || b->cfg.shared ||
	    !grow_least(b, k, &least) || (b->cfg.max_bytes && least.bytes > b->cfg.max_bytes))
		return -PZ_ERANGE;
	rc = grow_for(b, reach, cpu, k, &least, got);
	/* What nobody uses, out of reach, may be in the way: as memory, in number or in bytes. */
	if (rc && rc != -PZ_ERANGE && pz_bounce_trim(b, cpu))
		rc = grow_for(b, reach, cpu, k, &least, got);
	if (!rc)
		return 0;
	pz_count64(&b->grow_fails, 1);
	return rc != -PZ_ERANGE ? -PZ_ENOMEM : -PZ_ERANGE;
}

/* --- reserves --- */

/* Whether a range that was set aside has so many bytes in reach. */
static bool reserve_base(const struct pz_bounce *b, const struct pz_reach *reach, uint64_t bytes)
{
	struct pz_range both;

	for (uint32_t i = 0; i < b->base; i++) {
		struct pz_range r = { b->pool[i].first, b->pool[i].last };

		for (uint32_t k = 0; k < reach->count; k++)
			if (pz_range_intersect(reach->v[k].phys, r, &both) &&
			    both.last - both.first >= bytes - 1)
				return true;
	}
	return false;
}

/*
 * Keep a pool for devices of a reach, @shared when they see only shared memory: 0 with one that is
 * not to be had otherwise, or with NULL where none is needed or could ever be;
 * -PZ_ENOMEM.
 */
int pz_dma_reserve(struct pz_dma_dev *dev, const struct pz_reach *reach, bool shared,
		   struct bounce_pool **out)
{
	struct pz_bounce *b = dev->dma->cfg.bounce;
	const struct pz_dma_dev_config *cfg = &dev->cfg;
	uint64_t bytes, page, lost;
	struct bounce_pool *p;
	struct dma_want want;
	int rc;

	*out = NULL;
	bytes = b ? grow_setting(b->cfg.reserve_bytes) : 0;
	if (!bytes || !b->cfg.pages || cfg->restricted || (shared && !b->cfg.shared) ||
	    reserve_base(b, reach, bytes))
		return 0;
	if (!cfg->force_bounce && !shared && cfg->align == 1 &&
	    pz_dma_reach_whole(dev->dma, reach))
		return 0;
	for (const struct pz_dma_dev *d = dev->dma->devs; d; d = d->next) {
		if (d->reserve && pz_dma_same_reach(reach, &d->reach[DMA_STREAMING])) {
			*out = d->reserve;
			(*out)->devices++;
			return 0;
		}
	}
	page = ((uint64_t)1 << b->page_shift) - 1;
	want.align = page + 1;
	want.boundary = 0;
	want.bytes = (bytes + page) & ~page;
	lost = pz_load64(&b->lost);
	do {
		rc = grow_pool(b, PZ_CPU_NONE, PZ_GFP_BLOCK | PZ_GFP_NORETRY, reach, &want, &p);
		want.bytes = (want.bytes / 2) & ~page;
	} while (rc && want.bytes >= GROW_LEAST && pz_load64(&b->lost) == lost);
	if (rc)
		return rc == -PZ_ERANGE ? 0 : -PZ_ENOMEM;
	p->devices = 1;
	p->kind = PZ_BOUNCE_RESERVE;
	pz_bounce_publish(p, LIFE_PIN);
	*out = p;
	return 0;
}

/* A device no longer needs its reserve. */
void pz_dma_unreserve(struct pz_dma_dev *dev, struct bounce_pool *p)
{
	if (!p || --p->devices)
		return;
	/* What is left in use stays until it is trimmed. */
	pz_poke32(&p->kind, PZ_BOUNCE_GROWN);
	bounce_leave(p);
	pz_bounce_drop_idle(dev->dma->cfg.bounce, p, PZ_CPU_NONE);
}
