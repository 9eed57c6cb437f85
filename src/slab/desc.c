/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * desc.c - descriptors of slabs, and lists of them.
 *
 * Concept
 *  Descriptors come from the page allocator, a chunk of a page at a time (or what the largest
 *  takes), in classes by size: 64 bytes serve a slab of up to 63 objects, larger ones have a bit
 *  for each object behind. A number finds one through a table of chunks; large ones leave numbers
 *  unused. A list is a stack: one word with the number of its first and a count of changes, so that
 *  a stale pop fails.
 *
 * Invariants
 *  1. a chunk of descriptors is never given back before the set goes, nor does a descriptor change
 *     its class: who follows a stale number still finds a descriptor;
 *  2. a descriptor stands in at most one list by each of its links.
 *
 * Failure
 *  No page, or no room in the table: -PZ_ENOMEM, and nothing is held.
 *
 * Shortcomings
 *  Descriptors stay at their peak: 64 bytes for each slab that there ever was at once. The count of
 *  changes has 32 bits: a pop that sleeps through exactly 2^32 changes takes a stale one.
 */
#include "../base/pz_string.h"
#include "slab_internal.h"

static inline uint32_t *desc_link(const struct pz_slabs *s, const struct slab_list *l,
				  struct slab *d)
{
	return l == &s->waiting ? &d->wait : &d->next;
}

void pz_slab_push(const struct pz_slabs *s, struct slab_list *l, struct slab *first,
		  struct slab *last)
{
	uint64_t old;

	do {
		old = pz_load64(&l->head);
		pz_poke32(desc_link(s, l, last), (uint32_t)old);
	} while (!pz_cas64(&l->head, old, ((old >> 32) + 1) << 32 | (uint64_t)(first->number + 1)));
}

struct slab *pz_slab_pop(const struct pz_slabs *s, struct slab_list *l)
{
	for (;;) {
		uint64_t old = pz_load64(&l->head);
		struct slab *d;

		if (!(uint32_t)old)
			return NULL;
		d = slab_of(s, (uint32_t)old - 1);
		if (pz_cas64(&l->head, old,
			     ((old >> 32) + 1) << 32 | pz_peek32(desc_link(s, l, d))))
			return d;
	}
}

/* Take all; they hang together by their links. */
struct slab *pz_slab_pop_all(const struct pz_slabs *s, struct slab_list *l)
{
	for (;;) {
		uint64_t old = pz_load64(&l->head);

		if (!(uint32_t)old)
			return NULL;
		if (pz_cas64(&l->head, old, ((old >> 32) + 1) << 32))
			return slab_of(s, (uint32_t)old - 1);
	}
}

static void desc_init(struct slab *d, uint32_t number, unsigned int class)
{
	memset(d, 0, sizeof(*d));
	d->number = number;
	d->class = (uint8_t) class;
	d->state = SLAB_GONE;
}

/* Make a chunk; its first descriptor is the caller's, the others are spare. */
static int desc_grow(struct pz_slabs *s, uint32_t cpu, uint32_t gfp, unsigned int class,
		     struct slab **out)
{
	uint32_t units = slab_units(s, class), k, first;
	unsigned int order = class > s->unit_shift ? class - s->unit_shift : 0;
	struct pz_limits l = slab_mapped(s);
	struct slab *d, *prev;
	unsigned char *base;
	uint64_t pfn;
	int rc;

	rc = pz_alloc_pages(s->cfg.pages, cpu, gfp, order, &l, &pfn);
	if (rc)
		return rc;
	do {
		k = pz_load32(&s->chunks);
		if (k >= s->max_chunks) {
			pz_free_pages(s->cfg.pages, cpu, pfn, order);
			return -PZ_ENOMEM;
		}
	} while (!pz_cas32(&s->chunks, k, k + 1));
	base = (unsigned char *)(s->delta + (uintptr_t)(pfn << s->cfg.page_shift));
	first = k << s->unit_shift;
	for (uint32_t i = 0; i < units; i++)
		desc_init((struct slab *)(void *)(base + ((size_t)i << (class + SLAB_DESC_SHIFT))),
			  first + i, class);
	s->chunk[k].class = class;
	__atomic_store_n(&s->chunk[k].base, base, __ATOMIC_RELEASE);
	*out = slab_of(s, first);
	if (units == 1)
		return 0;
	prev = slab_of(s, first + 1);
	for (uint32_t i = 2; i < units; i++) {
		d = slab_of(s, first + i);
		prev->next = d->number + 1;
		prev = d;
	}
	pz_slab_push(s, &s->spare[class], slab_of(s, first + 1), prev);
	return 0;
}

int pz_slab_desc_take(struct pz_slabs *s, uint32_t cpu, uint32_t gfp, unsigned int class,
		      struct slab **out)
{
	*out = pz_slab_pop(s, &s->spare[class]);
	return *out ? 0 : desc_grow(s, cpu, gfp, class, out);
}

void pz_slab_desc_give(struct pz_slabs *s, struct slab *d)
{
	pz_poke8(&d->used, 0);
	pz_slab_push(s, &s->spare[d->class], d, d);
}

struct slab *pz_slab_desc_next(const struct pz_slabs *s, uint32_t *at)
{
	uint32_t chunks = pz_load32(&s->chunks);

	for (; *at >> s->unit_shift < chunks; ++*at) {
		const struct slab_chunk *k = &s->chunk[*at >> s->unit_shift];
		uint32_t last = ((uint32_t)1 << s->unit_shift) - 1;
		struct slab *d;

		if (!__atomic_load_n(&k->base, __ATOMIC_ACQUIRE) ||
		    (*at & last) >= slab_units(s, k->class)) {
			*at |= last; /* still being made, or no more of it */
			continue;
		}
		d = slab_of(s, *at);
		if (pz_peek8(&d->used)) {
			++*at;
			return d;
		}
	}
	return NULL;
}

void pz_slab_desc_drop(struct pz_slabs *s)
{
	for (uint32_t k = 0; k < s->chunks; k++) {
		uint32_t class = s->chunk[k].class;
		uint64_t phys = slab_phys(s, (uintptr_t)s->chunk[k].base);

		pz_free_pages(s->cfg.pages, PZ_CPU_NONE, phys >> s->cfg.page_shift,
			      class > s->unit_shift ? class - s->unit_shift : 0);
	}
	s->chunks = 0;
}
