/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stat.c - what is known of addresses, caches and their cost.
 *
 * Concept
 *  Numbers that change with each object are not kept: they are counted from the slabs and magazines
 *  when somebody asks. Descriptors never become anything else, so they can be read at any time.
 */
#include "../base/pz_string.h"
#include "slab_internal.h"

struct pz_kmem_cache *pz_slab_owner(const struct pz_slabs *s, const void *p)
{
	uint32_t id = slab_owner_id(slab_owner(s, (uintptr_t)p));

	return id && id < s->max_caches ? s->cache[id] : NULL;
}

uint64_t pz_slab_phys(const struct pz_slabs *s, const void *p)
{
	return slab_phys(s, (uintptr_t)p);
}

static void stat_object(const struct pz_slabs *s, struct pz_kmem_cache *c, uint64_t owner,
			uintptr_t p, struct pz_slab_info *out)
{
	struct slab *d = slab_of(s, (uint32_t)owner);

	out->cache = c;
	out->index = (uint32_t)pz_udiv64(slab_within(s, owner, p), c->lay.stride);
	if (out->index >= d->objects) {
		out->kind = PZ_SLAB_TAIL;
		return;
	}
	out->kind = PZ_SLAB_OBJECT;
	out->object = slab_object(s, d, out->index);
	out->size = c->size;
	out->free = pz_slab_is_free(s, d, out->index);
	pz_slab_debug_users(c, out->object, &out->allocated, &out->freed);
}

void pz_slab_info(const struct pz_slabs *s, const void *p, struct pz_slab_info *out)
{
	uint64_t owner = slab_owner(s, (uintptr_t)p);
	uint32_t id = slab_owner_id(owner);
	uintptr_t page = (uintptr_t)1 << s->cfg.page_shift;

	memset(out, 0, sizeof(*out));
	if (id == SLAB_LARGE) {
		out->kind = PZ_SLAB_LARGE;
		out->object = (void *)((uintptr_t)p & ~(page - 1));
		out->size = (uint64_t)(uint32_t)owner << s->cfg.page_shift;
	} else if (id && id < s->max_caches && s->cache[id]) {
		stat_object(s, s->cache[id], owner, (uintptr_t)p, out);
	}
}

void pz_kmem_cache_stat(const struct pz_kmem_cache *c, struct pz_kmem_cache_stat *out)
{
	uint64_t free = 0;
	uint32_t at = 0;
	struct slab *d;

	memset(out, 0, sizeof(*out));
	out->name = c->name;
	out->size = c->size;
	out->align = c->align;
	out->flags = c->flags;
	out->debug = c->debug;
	out->limits = c->asked;
	out->layout = c->lay;
	out->users = c->users;
	out->ctor = c->ctor != NULL;
	out->keep = c->keep;
	out->magazine = c->magazine;
	out->made = pz_load64(&c->made);
	out->released = pz_load64(&c->released);
	out->fallbacks = pz_load64(&c->fallbacks);
	out->fenced = pz_load64(&c->fenced);
	out->meta_bytes = (uint64_t)c->cpus * c->magazine_slots * sizeof(void *) +
			  (uint64_t)c->cpus * sizeof(struct slab_head);
	for (d = pz_slab_desc_next(c->s, &at); d; d = pz_slab_desc_next(c->s, &at)) {
		uint64_t state = pz_load64(&d->state);

		if (slab_cache(d) != c || (state & SLAB_GONE))
			continue;
		out->slabs++;
		out->pages += (uint64_t)1 << pz_peek8(&d->order);
		out->objects += slab_objects(d);
		out->partial += state != 0;
		out->empty += state == slab_full(d);
		if (state)
			out->objects_partial += slab_objects(d) - slab_free_count(d, state);
		out->meta_bytes += (uint64_t)1 << (d->class + SLAB_DESC_SHIFT);
		free += slab_free_count(d, state);
	}
	for (uint32_t i = 0; i < c->cpus; i++) {
		void **top = __atomic_load_n(&slab_head(c, i)->top, __ATOMIC_RELAXED);

		out->cached += (uint64_t)(top - (slab_bottom(c, i) + 1));
	}
	out->active = out->objects - free - out->cached;
}

void pz_slabs_cost(const struct pz_slabs *s, struct pz_slabs_cost *out)
{
	uint32_t chunks = pz_load32(&s->chunks), at = 0;
	struct slab *d;

	memset(out, 0, sizeof(*out));
	out->owner_bytes = s->grains * sizeof(*s->owner);
	for (uint32_t i = 1; i < s->max_caches; i++) {
		const struct pz_kmem_cache *c = s->cache[i];

		if (c)
			out->cpu_bytes += (uint64_t)c->cpus * (sizeof(struct slab_head) +
							       c->magazine_slots * sizeof(void *));
	}
	for (uint32_t k = 0; k < chunks; k++)
		out->slab_bytes += (uint64_t)slab_units(s, s->chunk[k].class)
				   << (s->chunk[k].class + SLAB_DESC_SHIFT);
	for (d = pz_slab_desc_next(s, &at); d; d = pz_slab_desc_next(s, &at)) {
		if (pz_load64(&d->state) & SLAB_GONE)
			continue;
		out->slabs++;
		out->slab_pages += (uint64_t)1 << pz_peek8(&d->order);
	}
	out->large = pz_load64(&s->large);
	out->large_pages = pz_load64(&s->large_pages);
}
