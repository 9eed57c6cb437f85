/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug.c - objects that are watched: red zones, poison, records of users; and what is told.
 *
 * Concept
 *  Bytes around an object have a value that says whether it is out, bytes of a free object and of
 *  gaps have values of their own, and each is verified when the object changes hands and by
 *  pz_kmem_cache_validate(). The values are Linux's, so that a dump reads as usual.
 *
 * What happens to damage
 *  Red zones, gaps and padding are put right, and the run goes on. A free object that was written
 *  to is told when it would be given out, and fenced off: whoever wrote there still has a pointer.
 *
 * Shortcomings
 *  What is wrong with an object is found when it changes hands, not when it is written.
 */
#include "../base/pz_string.h"
#include "slab_internal.h"

#define DEBUG_FREE 0x6bu
#define DEBUG_FREE_END 0xa5u
#define DEBUG_GAP 0x5au
#define DEBUG_RED_FREE 0xbbu
#define DEBUG_RED_OUT 0xccu

/* A record of a user, as it lies behind an object. */
struct debug_track {
	uint64_t site, when;
	uint32_t cpu, known;
	uint64_t pad;
};

_Static_assert(sizeof(struct debug_track) == PZ_SLAB_TRACK, "two records fit in a layout");

static const char *const debug_text[PZ_SLAB_FAULTS] = {
	[PZ_SLAB_DOUBLE_FREE] = "Object already free",
	[PZ_SLAB_WRONG_CACHE] = "Wrong slab cache",
	[PZ_SLAB_BAD_POINTER] = "Invalid object pointer",
	[PZ_SLAB_NO_OBJECT] = "Not a slab object",
	[PZ_SLAB_SEAL] = "Freepointer corrupt",
	[PZ_SLAB_RED_LEFT] = "Left Redzone overwritten",
	[PZ_SLAB_RED_RIGHT] = "Right Redzone overwritten",
	[PZ_SLAB_POISON] = "Poison overwritten",
	[PZ_SLAB_POISON_END] = "End Poison overwritten",
	[PZ_SLAB_GAP] = "Alignment padding overwritten",
	[PZ_SLAB_PADDING] = "Padding overwritten",
	[PZ_SLAB_STATE] = "Wrong object count",
	[PZ_SLAB_HEADER] = "page slab pointer corrupt.",
};

static bool debug_poisons(const struct pz_kmem_cache *c)
{
	return (c->debug & PZ_SLAB_DEBUG_POISON) && !(c->flags & PZ_SLAB_RCU) && !c->ctor;
}

static struct debug_track *debug_track(const struct pz_kmem_cache *c, const void *o, int which)
{
	return (struct debug_track *)((uintptr_t)o + c->lay.track) + which;
}

static void debug_user(const struct pz_kmem_cache *c, const void *o, int which,
		       struct pz_slab_user *out)
{
	const struct debug_track *t;

	memset(out, 0, sizeof(*out));
	if (!(c->debug & PZ_SLAB_DEBUG_USERS))
		return;
	t = debug_track(c, o, which);
	out->site = t->site;
	out->when = t->when;
	out->cpu = t->cpu;
	out->known = t->known;
}

void pz_slab_debug_users(const struct pz_kmem_cache *c, const void *object,
			 struct pz_slab_user *allocated, struct pz_slab_user *freed)
{
	debug_user(c, object, 0, allocated);
	debug_user(c, object, 1, freed);
}

/* Tell a finding, by hook and as a bug. */
static void debug_tell(struct pz_slabs *s, const char *where, struct pz_slab_finding *f)
{
	unsigned long long at = (uintptr_t)f->object;
	const char *name = f->cache ? f->cache->name : "no cache";

	if (s->cfg.hooks.found)
		s->cfg.hooks.found(s->cfg.hooks.ctx, f);
	if (f->bad) {
		long long from = (intptr_t)((uintptr_t)f->bad - (uintptr_t)f->object);

		pz_bug(s->cfg.bugs, where,
		       "%s: %s: object %#llx, %u bytes from %s%lld: %#x instead of %#x", name,
		       debug_text[f->fault], at, f->bad_bytes, from < 0 ? "" : "+", from, *f->bad,
		       f->expected);
	} else if (f->named && f->named != f->cache) {
		pz_bug(s->cfg.bugs, where, "%s: %s: object %#llx is from %s", f->named->name,
		       debug_text[f->fault], at, name);
	} else {
		pz_bug(s->cfg.bugs, where, "%s: %s: object %#llx", name, debug_text[f->fault], at);
	}
}

static void debug_finding(struct pz_slab_finding *f, enum pz_slab_fault fault,
			  struct pz_kmem_cache *c, const struct slab *d, const void *object)
{
	memset(f, 0, sizeof(*f));
	f->fault = fault;
	f->cache = c;
	f->object = object;
	if (d) {
		f->slab = slab_start(d->cache->s, d);
		f->slab_bytes = (uint32_t)1 << (d->order + d->cache->s->cfg.page_shift);
		f->objects = d->objects;
		f->used = d->objects - slab_free_count(d, pz_load64(&d->state));
	}
}

void pz_slab_found(struct pz_slabs *s, const char *where, enum pz_slab_fault fault,
		   struct pz_kmem_cache *c, struct pz_kmem_cache *named, const struct slab *d,
		   const void *object)
{
	struct pz_slab_finding f;

	debug_finding(&f, fault, c, d, object);
	f.named = named;
	if (c && d && (fault == PZ_SLAB_DOUBLE_FREE || fault == PZ_SLAB_SEAL))
		pz_slab_debug_users(c, object, &f.allocated, &f.freed);
	debug_tell(s, where, &f);
}

/* Verify that @n bytes are @value; tell and put right what is not. Whether all were. */
static bool debug_bytes(struct pz_kmem_cache *c, const char *where, enum pz_slab_fault fault,
			const struct slab *d, void *object, unsigned char *at, uint32_t n,
			unsigned char value)
{
	struct pz_slab_finding f;
	uint32_t first = 0, last = n;

	while (first < n && at[first] == value)
		first++;
	if (first == n)
		return true;
	while (at[last - 1] == value)
		last--;
	debug_finding(&f, fault, c, d, object);
	f.bad = at + first;
	f.bad_bytes = last - first;
	f.expected = value;
	f.repaired = fault != PZ_SLAB_POISON && fault != PZ_SLAB_POISON_END;
	if (fault != PZ_SLAB_PADDING)
		pz_slab_debug_users(c, object, &f.allocated, &f.freed);
	debug_tell(c->s, where, &f);
	memset(at + first, value, last - first);
	return false;
}

/* Red zones of an object that is out, or is not. */
static void debug_red(const struct pz_kmem_cache *c, unsigned char *o, bool out)
{
	int value = out ? DEBUG_RED_OUT : DEBUG_RED_FREE;

	if (!(c->debug & PZ_SLAB_DEBUG_RED_ZONE))
		return;
	memset(o - c->lay.red_left, value, c->lay.red_left);
	memset(o + c->size, value, c->lay.inuse - c->size);
}

static void debug_poison(const struct pz_kmem_cache *c, unsigned char *o)
{
	if (debug_poisons(c)) {
		memset(o, DEBUG_FREE, c->size - 1);
		o[c->size - 1] = DEBUG_FREE_END;
	}
}

/* Where the bytes that belong to nobody begin, behind an object. */
static uint32_t debug_end(const struct pz_kmem_cache *c)
{
	uint32_t end = c->lay.inuse;

	if (c->lay.seal >= end)
		end = c->lay.seal + (uint32_t)sizeof(slab_word);
	if (c->debug & PZ_SLAB_DEBUG_USERS)
		end = c->lay.track + 2 * PZ_SLAB_TRACK;
	return end;
}

/* A new slab: everything is padding, then free objects. */
void pz_slab_debug_new(struct pz_kmem_cache *c, struct slab *d)
{
	unsigned char *start = slab_start(c->s, d);

	if (c->debug & PZ_SLAB_DEBUG_POISON)
		memset(start, DEBUG_GAP, (size_t)1 << (d->order + c->s->cfg.page_shift));
	for (uint32_t i = 0; i < d->objects; i++) {
		unsigned char *o = slab_object(c->s, d, i);

		debug_red(c, o, false);
		debug_poison(c, o);
		if (c->debug & PZ_SLAB_DEBUG_USERS)
			memset(debug_track(c, o, 0), 0, 2 * PZ_SLAB_TRACK);
	}
}

/* Verify an object; @out says what it should be. The number of findings; *@fence is set when the
 * object must not be given out. */
static uint32_t debug_verify(struct pz_kmem_cache *c, const char *where, const struct slab *d,
			     unsigned char *o, bool out, bool *fence)
{
	const struct pz_slab_layout *l = &c->lay;
	uint32_t found = 0, end = debug_end(c), seal_end;
	unsigned char red = out ? DEBUG_RED_OUT : DEBUG_RED_FREE;

	if (c->debug & PZ_SLAB_DEBUG_RED_ZONE) {
		found += !debug_bytes(c, where, PZ_SLAB_RED_LEFT, d, o, o - l->red_left,
				      l->red_left, red);
		found += !debug_bytes(c, where, PZ_SLAB_RED_RIGHT, d, o, o + c->size,
				      l->inuse - c->size, red);
	} else if (c->debug & PZ_SLAB_DEBUG_POISON) {
		found += !debug_bytes(c, where, PZ_SLAB_GAP, d, o, o + c->size, l->inuse - c->size,
				      DEBUG_GAP);
	}
	/* The seal is judged by who asks for the object, and is broken while it is out. */
	if (out && l->seal >= l->inuse && *slab_seal_at(o, l->seal) != slab_fence(c->secret, o))
		found += !debug_bytes(c, where, PZ_SLAB_SEAL, d, o, o + l->seal, sizeof(slab_word),
				      0);
	if (!out && debug_poisons(c)) {
		bool good = debug_bytes(c, where, PZ_SLAB_POISON, d, o, o, c->size - 1, DEBUG_FREE);

		good = debug_bytes(c, where, PZ_SLAB_POISON_END, d, o, o + c->size - 1, 1,
				   DEBUG_FREE_END) &&
		       good;
		found += !good;
		*fence = *fence || !good;
	}
	if (!(c->debug & PZ_SLAB_DEBUG_POISON))
		return found;
	/* The seal lies behind the object, and where a model put it there may be gaps around. */
	seal_end = l->seal + (uint32_t)sizeof(slab_word);
	found += !debug_bytes(c, where, PZ_SLAB_GAP, d, o, o + l->inuse, l->seal - l->inuse,
			      DEBUG_GAP);
	if (c->debug & PZ_SLAB_DEBUG_USERS)
		found += !debug_bytes(c, where, PZ_SLAB_GAP, d, o, o + seal_end,
				      l->track - seal_end, DEBUG_GAP);
	found += !debug_bytes(c, where, PZ_SLAB_GAP, d, o, o + end, l->stride - l->red_left - end,
			      DEBUG_GAP);
	return found;
}

/* Verify the bytes behind the last slot. */
static uint32_t debug_verify_tail(struct pz_kmem_cache *c, const char *where, struct slab *d)
{
	uint32_t bytes = (uint32_t)1 << (d->order + c->s->cfg.page_shift);
	uint32_t used = d->objects * c->lay.stride;
	unsigned char *start = slab_start(c->s, d);

	if (!(c->debug & PZ_SLAB_DEBUG_POISON))
		return 0;
	return !debug_bytes(c, where, PZ_SLAB_PADDING, d, start, start + used, bytes - used,
			    DEBUG_GAP);
}

static void debug_record(struct pz_kmem_cache *c, void *o, int which, uint32_t cpu, uintptr_t site)
{
	const struct pz_slab_hooks *h = &c->s->cfg.hooks;
	struct debug_track *t;

	if (!(c->debug & PZ_SLAB_DEBUG_USERS))
		return;
	t = debug_track(c, o, which);
	t->site = h->site ? h->site(h->ctx) : site;
	t->when = h->now ? h->now(h->ctx) : 0;
	t->cpu = cpu;
	t->known = 1;
}

static struct slab *debug_slab(struct pz_kmem_cache *c, const void *o)
{
	return slab_of(c->s, (uint32_t)slab_owner(c->s, (uintptr_t)o - c->lay.red_left));
}

/* With PZ_SLAB_DEBUG_CHECKS: whether the descriptor that an object leads to is one of its slab. */
static bool debug_header(struct pz_kmem_cache *c, const char *where, void *object)
{
	uintptr_t at = (uintptr_t)object - c->lay.red_left;
	uint64_t owner = slab_owner(c->s, at);
	struct slab *d;

	if (!(c->debug & PZ_SLAB_DEBUG_CHECKS))
		return true;
	d = slab_of(c->s, (uint32_t)owner);
	if (d->cache == c && d->number == (uint32_t)owner &&
	    (uintptr_t)slab_start(c->s, d) == at - slab_within(c->s, owner, at) &&
	    (d->objects == c->lay.objects || d->objects == c->lay.min_objects) &&
	    pz_load64(&d->state) <= slab_full(d))
		return true;
	pz_slab_found(c->s, where, PZ_SLAB_HEADER, c, NULL, NULL, object);
	return false;
}

/* The caller took an object; false when it is fenced off. */
bool pz_slab_debug_alloc(struct pz_kmem_cache *c, void *object, uint32_t cpu, uintptr_t site)
{
	const struct pz_slab_hooks *h = &c->s->cfg.hooks;
	bool fence = !debug_header(c, "pz_kmem_cache_alloc", object);

	if (c->debug & PZ_SLAB_DEBUG_CHECKS)
		(void)debug_verify_tail(c, "pz_kmem_cache_alloc", debug_slab(c, object));
	(void)debug_verify(c, "pz_kmem_cache_alloc", debug_slab(c, object), object, false, &fence);
	debug_red(c, object, true);
	if (fence)
		return false;
	debug_record(c, object, 0, cpu, site);
	if ((c->debug & PZ_SLAB_DEBUG_TRACE) && h->trace)
		h->trace(h->ctx, c, object, true);
	return true;
}

/* An object whose seal was overwritten stays out for good. */
void pz_slab_debug_fence(struct pz_kmem_cache *c, void *object)
{
	debug_red(c, object, true);
	if (c->lay.seal >= c->lay.inuse)
		*slab_seal_at(object, c->lay.seal) = 0;
}

/* The caller gives an object back that is out; false when it must stay out. */
bool pz_slab_debug_free(struct pz_kmem_cache *c, void *object, uint32_t cpu, uintptr_t site)
{
	const struct pz_slab_hooks *h = &c->s->cfg.hooks;
	bool fence = false;

	if (!debug_header(c, "pz_kmem_cache_free", object))
		return false;
	if (c->debug & PZ_SLAB_DEBUG_CHECKS)
		(void)debug_verify_tail(c, "pz_kmem_cache_free", debug_slab(c, object));
	(void)debug_verify(c, "pz_kmem_cache_free", debug_slab(c, object), object, true, &fence);
	debug_record(c, object, 1, cpu, site);
	debug_red(c, object, false);
	debug_poison(c, object);
	if ((c->debug & PZ_SLAB_DEBUG_TRACE) && h->trace)
		h->trace(h->ctx, c, object, false);
	return true;
}

/* Verify a slab as it stands; nobody uses it meanwhile. */
static uint64_t debug_verify_slab(struct pz_kmem_cache *c, struct slab *d)
{
	static const char where[] = "pz_kmem_cache_validate";
	uint32_t free = 0;
	uint64_t found = 0, state = pz_load64(&d->state);

	for (uint32_t i = 0; i < d->objects; i++) {
		bool is_free = pz_slab_is_free(c->s, d, i), fence = false;
		void *o = slab_object(c->s, d, i);

		free += is_free;
		found += debug_verify(c, where, d, o, !is_free, &fence);
		if (is_free && !fence && *slab_seal_at(o, c->lay.seal) != slab_seal(c->secret, o)) {
			pz_slab_found(c->s, where, PZ_SLAB_SEAL, c, NULL, d, o);
			*slab_seal_at(o, c->lay.seal) = slab_seal(c->secret, o);
			found++;
		}
	}
	if (free != slab_free_count(d, state)) {
		struct pz_slab_finding f;

		debug_finding(&f, PZ_SLAB_STATE, c, d, slab_start(c->s, d));
		f.counted = d->objects - free;
		debug_tell(c->s, where, &f);
		found++;
	}
	return found + debug_verify_tail(c, where, d);
}

uint64_t pz_kmem_cache_validate(struct pz_kmem_cache *c)
{
	uint64_t found = 0;
	uint32_t at = 0;
	struct slab *d;

	if (!c->debug)
		return 0;
	for (d = pz_slab_desc_next(c->s, &at); d; d = pz_slab_desc_next(c->s, &at)) {
		if (d->cache == c && !(pz_load64(&d->state) & SLAB_GONE))
			found += debug_verify_slab(c, d);
	}
	return found;
}
