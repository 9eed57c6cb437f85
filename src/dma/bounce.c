/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounce.c - pools of bounce buffers: made, published, taken down.
 *
 * Concept
 *  A pool is a range of directly mapped memory in slots of 2 KiB: a bit for each slot says that it
 *  is in use, a record of its first slot says what a run of slots stands for. Ranges that the
 *  machine set aside are pools that stay; others come and go, and are pinned by whoever looks.
 *  Pools have fixed places in a table, so that an address is found without a lock.
 *
 * Invariants: see bounce_stat.c.
 *
 * Failure
 *  A pool is published when nothing can fail any more.
 *
 * Shortcomings
 *  An address is looked for in one pool after the other. At most PZ_BOUNCE_POOLS pools.
 */
#include "bounce_internal.h"

static uint32_t bounce_words(uint32_t slots)
{
	return (slots + 63) / 64;
}

size_t pz_bounce_meta_bytes(uint32_t slots, uint32_t areas)
{
	return (size_t)areas * sizeof(struct bounce_area) +
	       (size_t)slots * (sizeof(struct bounce_run) + sizeof(uint32_t)) +
	       (size_t)bounce_words(slots) * sizeof(uint64_t);
}

/* Give a pool its metadata, for slots from @first on. */
void pz_bounce_lay_out(struct bounce_pool *p, void *meta, uint64_t first, uint32_t slots,
		       uint32_t areas)
{
	memset(meta, 0, pz_bounce_meta_bytes(slots, areas));
	p->area = meta;
	p->areas = areas;
	p->map = (void *)((struct bounce_area *)meta + areas);
	p->run = (void *)(p->map + bounce_words(slots));
	p->head = (void *)(p->run + slots);
	p->slots = slots;
	p->devices = p->high = 0;
	pz_poke32(&p->seen, UINT32_MAX);
	for (uint32_t i = 0; i < areas; i++)
		p->area[i].hint = (uint32_t)pz_udiv64((uint64_t)slots * i, areas);
	pz_poke64(&p->first, first);
	pz_poke64(&p->last, first + ((uint64_t)slots << PZ_BOUNCE_SHIFT) - 1);
}

/* A place in the table, which is the caller's to fill; NULL when there is none. */
struct bounce_pool *pz_bounce_vacant(struct pz_bounce *b)
{
	for (uint32_t i = 0; i < PZ_BOUNCE_POOLS; i++) {
		struct bounce_pool *p = &b->pool[i];
		uint32_t top;

		if (pz_load64(&p->life) != LIFE_VACANT ||
		    !pz_cas64(&p->life, LIFE_VACANT, LIFE_FILLING))
			continue;
		do {
			top = pz_load32(&b->top);
		} while (top <= i && !pz_cas32(&b->top, top, i + 1));
		return p;
	}
	return NULL;
}

/* From here on a pool is everybody's; @life: slots and pins that it begins with. */
void pz_bounce_publish(struct bounce_pool *p, uint64_t life)
{
	pz_store64(&p->life, LIFE_LIVE + life);
}

/* A place that the caller owns becomes vacant. */
void pz_bounce_vacate(struct bounce_pool *p)
{
	pz_poke64(&p->first, UINT64_MAX);
	pz_poke64(&p->last, 0);
	pz_store64(&p->life, LIFE_VACANT);
}

int pz_bounce_share(struct pz_bounce *b, uint64_t phys, uint64_t bytes, bool shared)
{
	if (!b->cfg.shared)
		return 0;
	return b->cfg.hooks.share(b->cfg.hooks.ctx, phys, bytes, shared);
}

/* The pool that an address lies in, entered; or NULL. */
struct bounce_pool *pz_bounce_find(const struct pz_bounce *b, uint64_t phys)
{
	uint32_t top = pz_load32(&b->top);

	for (uint32_t i = 0; i < top; i++) {
		struct bounce_pool *p = (struct bounce_pool *)(uintptr_t)&b->pool[i];

		if (phys < pz_peek64(&p->first) || phys > pz_peek64(&p->last) || !bounce_enter(p))
			continue;
		if (phys >= pz_peek64(&p->first) && phys <= pz_peek64(&p->last))
			return p;
		bounce_leave(p);
	}
	return NULL;
}

bool pz_bounce_has(const struct pz_bounce *b, uint64_t phys)
{
	struct bounce_pool *p = pz_bounce_find(b, phys);

	if (p)
		bounce_leave(p);
	return p != NULL;
}

/* --- what stays --- */

static bool bounce_valid(const struct pz_bounce_config *cfg)
{
	return cfg->meta && cfg->meta->alloc && cfg->meta->free && cfg->cpus &&
	       cfg->cpus <= PZ_PAGE_MAX_CPUS && cfg->areas <= PZ_PAGE_MAX_CPUS &&
	       cfg->hooks.direct && (!cfg->range_count || cfg->ranges) &&
	       cfg->range_count <= PZ_BOUNCE_POOLS / 2 && (!cfg->shared || cfg->hooks.share);
}

static int bounce_add(struct pz_bounce *b, struct pz_range r)
{
	const struct pz_meta *m = b->cfg.meta;
	uint64_t page = ((uint64_t)1 << b->page_shift) - 1, bytes = r.last - r.first + 1;
	struct bounce_pool *p = &b->pool[b->base];
	uint32_t areas = b->cfg.areas ? b->cfg.areas : b->cfg.cpus, slots;
	unsigned char *mem;
	void *meta;
	int rc;

	if (!pz_range_valid(r) || (r.first & page) || (bytes & page) || !bytes ||
	    bytes >> PZ_BOUNCE_SHIFT > PZ_BOUNCE_SLOTS)
		return -PZ_EINVAL;
	for (uint32_t i = 0; i < b->base; i++)
		if (r.first <= b->pool[i].last && b->pool[i].first <= r.last)
			return -PZ_EINVAL;
	slots = (uint32_t)(bytes >> PZ_BOUNCE_SHIFT);
	mem = b->cfg.hooks.direct(b->cfg.hooks.ctx, r.first, bytes);
	if (!mem)
		return -PZ_EINVAL;
	meta = m->alloc(m->ctx, pz_bounce_meta_bytes(slots, areas));
	if (!meta)
		return -PZ_ENOMEM;
	rc = pz_bounce_share(b, r.first, bytes, true);
	if (rc) {
		m->free(m->ctx, meta, pz_bounce_meta_bytes(slots, areas));
		return rc;
	}
	pz_bounce_lay_out(p, meta, r.first, slots, areas);
	p->mem = mem;
	p->stays = true;
	p->keeps = areas == b->cfg.cpus;
	p->kind = PZ_BOUNCE_BASE;
	p->life = LIFE_LIVE;
	b->top = ++b->base;
	return 0;
}

/* Everything that stays, when nothing else is left. */
static void bounce_drop(struct pz_bounce *b)
{
	const struct pz_meta *m = b->cfg.meta;

	while (b->base) {
		struct bounce_pool *p = &b->pool[--b->base];

		if (pz_bounce_share(b, p->first, (uint64_t)p->slots << PZ_BOUNCE_SHIFT, false))
			pz_bug(b->cfg.bugs, "pz_bounce_destroy",
			       "0x%llx cannot be made private again", (unsigned long long)p->first);
		m->free(m->ctx, p->area, pz_bounce_meta_bytes(p->slots, p->areas));
	}
	m->free(m->ctx, b, sizeof(*b));
}

int pz_bounce_create(struct pz_bounce **out, const struct pz_bounce_config *cfg)
{
	const struct pz_meta *m = cfg->meta;
	struct pz_bounce *b;

	if (!bounce_valid(cfg))
		return -PZ_EINVAL;
	b = m->alloc(m->ctx, sizeof(*b));
	if (!b)
		return -PZ_ENOMEM;
	memset(b, 0, sizeof(*b));
	b->cfg = *cfg;
	b->cfg.ranges = NULL;
	b->page_shift = cfg->pages ? pz_page_shift(cfg->pages) : 12;
	if (cfg->pages && pz_dma_null_page(cfg->pages, &cfg->hooks))
		b->direct_first = (uint64_t)1 << b->page_shift;
	for (uint32_t i = 0; i < PZ_BOUNCE_POOLS; i++)
		b->pool[i].first = UINT64_MAX;
	for (uint32_t i = 0; i < cfg->range_count; i++) {
		int rc = bounce_add(b, cfg->ranges[i]);

		if (rc) {
			bounce_drop(b);
			return rc;
		}
	}
	*out = b;
	return 0;
}

int pz_bounce_destroy(struct pz_bounce *b)
{
	struct pz_bounce_stat stat;

	if (!b)
		return 0;
	pz_bounce_stat(b, &stat);
	if (stat.used) {
		pz_bug(b->cfg.bugs, "pz_bounce_destroy", "%llu slots are in use",
		       (unsigned long long)stat.used);
		return -PZ_EBUSY;
	}
	for (uint32_t i = b->base; i < b->top; i++) {
		if (LIFE_PINS(pz_load64(&b->pool[i].life))) {
			pz_bug(b->cfg.bugs, "pz_bounce_destroy", "devices have a reserve");
			return -PZ_EBUSY;
		}
	}
	for (uint32_t i = b->base; i < b->top; i++)
		pz_bounce_drop_idle(b, &b->pool[i], PZ_CPU_NONE);
	bounce_drop(b);
	return 0;
}
