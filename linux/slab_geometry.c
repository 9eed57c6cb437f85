/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_geometry.c - what a slab cache of SLUB looks like: the slot of an object, and the slab.
 *
 * Concept: two computations one after the other. The slot grows from the object outwards in a
 * fixed order: right red zone, free pointer, records of users, padding, left red zone, alignment.
 * Then the slab: the smallest order that holds enough objects and wastes little. What is enough
 * grows with the CPUs; what is little is loosened step by step, and how differs: up to 6.1 with
 * fewer and fewer objects, in 6.12 with one number of objects and more waste.
 *
 * Invariants: 1. size is a multiple of align, and so is red_left_pad; 2. size * objects fits the
 * slab; 3. the free pointer lies inside the slot; 4. no slot exceeds 32 bits, as neither objects
 * nor alignments do by far.
 *
 * Failure: inputs out of range are refused; the output is not written.
 *
 * Shortcomings: no KASAN, no SLUB_TINY. The sizes of 5.15's record of users are not proven by a
 * recording. What kernel parameters do to each other (a least order above the greatest) is not
 * known here: they are taken as they are.
 */
#include <physzone/linux/slab.h>

#include "../src/base/bits.h"
#include "pzl_slab.h"
#include "pzl_text.h"

#define SLAB_MAX_OBJECTS 32767u /* of one slab */
#define SLAB_MAX_SHIFT 30u	/* of an object, and of an alignment */
#define SLAB_MAX_ORDER 24u	/* of any page allocator */
#define SLAB_MIN_PARTIAL_LEAST 5u
#define SLAB_MIN_PARTIAL_MOST 10u

/* Of SLUB's largest objects to its smallest: objects that each CPU keeps. */
struct slab_cpu_partial {
	uint16_t least; /* smallest size of slots, 0 for a page */
	uint8_t objects, objects_5_15;
};

static const struct slab_cpu_partial slab_cpu_partial[] = {
	{ 0, 6, 2 },
	{ 1024, 24, 6 },
	{ 256, 52, 13 },
	{ 1, 120, 30 },
};

static uint64_t slab_round_up(uint64_t v, uint64_t pow2)
{
	return (v + pow2 - 1) & ~(pow2 - 1);
}

static uint32_t slab_cache_line(enum pzl_arch arch)
{
	switch (arch) {
	case PZL_ARCH_S390:
		return 256;
	case PZL_ARCH_IA64:
	case PZL_ARCH_POWERPC64:
		return 128;
	case PZL_ARCH_M68K:
		return 16;
	case PZL_ARCH_ALPHA:
	case PZL_ARCH_MICROBLAZE:
	case PZL_ARCH_POWERPC:
	case PZL_ARCH_SPARC32:
		return 32;
	default:
		return 64;
	}
}

/* A call's address, what leads to its stack, CPU, task and time. */
static uint32_t slab_track(enum pzl_model model, uint32_t word)
{
	const uint32_t number = 4, stack = model == PZL_LINUX_5_15 ? 16 * word : number;

	return (uint32_t)slab_round_up(word + stack + 2 * number, word) + word;
}

void pzl_slab_kernel_init(struct pzl_slab_kernel *k, enum pzl_model model, enum pzl_arch arch,
			  uint32_t page_shift)
{
	const struct pzl_arch_info *info = pzl_arch_info(arch);
	struct pzl_slab_kernel fresh = { .model = model };

	fresh.page_shift = page_shift ? page_shift : info ? info->page_shift : 12;
	fresh.word = info && info->bits == 32 ? 4 : 8;
	fresh.cache_line = slab_cache_line(arch);
	fresh.min_align = 8;
	fresh.track = slab_track(model, fresh.word);
	fresh.cpus = 1;
	fresh.max_order = 3;
	fresh.largest_order = pzl_max_order(arch, fresh.page_shift);
	fresh.cpu_partial = true;
	*k = fresh;
}

/* A place in a line. */
struct slab_scan {
	const char *p, *end;
};

/* A word, and a number of at most nine digits after it. */
static bool slab_scan_number(struct slab_scan *s, const char *word, uint32_t *v)
{
	size_t n = pzl_strlen(word), digits = 0;

	if (!pzl_starts_n(s->p, (size_t)(s->end - s->p), word))
		return false;
	s->p += n;
	*v = 0;
	while (s->p < s->end && pzl_isdigit(*s->p) && digits < 9) {
		*v = *v * 10 + (uint32_t)(*s->p++ - '0');
		digits++;
	}
	return digits && (s->p == s->end || !pzl_isdigit(*s->p));
}

int pzl_slab_kernel_read(struct pzl_slab_kernel *k, const char *line, size_t len)
{
	struct slab_scan s = { line, line + len };
	struct pzl_slab_kernel fresh = *k;
	uint32_t nodes;

	if (!slab_scan_number(&s, "SLUB: HWalign=", &fresh.cache_line) ||
	    !slab_scan_number(&s, ", Order=", &fresh.min_order) ||
	    !slab_scan_number(&s, "-", &fresh.max_order) ||
	    !slab_scan_number(&s, ", MinObjects=", &fresh.min_objects) ||
	    !slab_scan_number(&s, ", CPUs=", &fresh.cpus) ||
	    !slab_scan_number(&s, ", Nodes=", &nodes))
		return -PZ_EINVAL;
	*k = fresh;
	return 0;
}

uint32_t pzl_slab_align(const struct pzl_slab_kernel *k, uint32_t flags, uint32_t align,
			uint32_t object_size)
{
	if (flags & PZL_SLAB_HWCACHE_ALIGN) {
		uint32_t line = k->cache_line;

		while (line > 1 && object_size <= line / 2)
			line /= 2;
		if (align < line)
			align = line;
	}
	if (align < k->min_align)
		align = k->min_align;
	return (uint32_t)slab_round_up(align, k->word);
}

/* Where the free pointer goes: whether it must not share memory with the object. */
static bool slab_freeptr_outside(const struct pzl_slab_kernel *k, const struct pzl_slab_cache *c,
				 uint32_t flags)
{
	const bool keeps_size = k->model >= PZL_LINUX_6_12 && (flags & PZL_SLAB_KMALLOC) &&
				(flags & PZL_SLAB_STORE_USER);

	if ((flags & PZL_SLAB_TYPESAFE_BY_RCU) && !c->freeptr_given)
		return true;
	if (flags & (PZL_SLAB_POISON | PZL_SLAB_CTOR))
		return true;
	return (flags & PZL_SLAB_RED_ZONE) && (c->object_size < k->word || keeps_size);
}

/* The size that kmalloc() was asked for, kept with the records of users. */
uint32_t pzl_slab_asked_size(const struct pzl_slab_kernel *k)
{
	if (k->model < PZL_LINUX_6_1)
		return 0;
	return k->model < PZL_LINUX_6_12 ? 4 : k->word;
}

/* The slot. Returns its size, which may be more than any slab, but not more than 3 GiB. */
static uint64_t slab_slot(const struct pzl_slab_kernel *k, const struct pzl_slab_cache *c,
			  uint32_t flags, struct pzl_slab_geometry *g)
{
	uint64_t size = slab_round_up(c->object_size, k->word);

	g->flags = flags;
	g->poisons_objects =
		(flags & PZL_SLAB_POISON) && !(flags & (PZL_SLAB_TYPESAFE_BY_RCU | PZL_SLAB_CTOR));
	if ((flags & PZL_SLAB_RED_ZONE) && size == c->object_size)
		size += k->word;
	g->inuse = (uint32_t)size;

	if (slab_freeptr_outside(k, c, flags)) {
		g->offset = (uint32_t)size;
		size += k->word;
	} else if ((flags & PZL_SLAB_TYPESAFE_BY_RCU) && c->freeptr_given) {
		g->offset = c->freeptr;
	} else {
		g->offset = c->object_size / 2 & ~(k->word - 1);
	}

	if (flags & PZL_SLAB_STORE_USER) {
		size += 2 * (uint64_t)k->track;
		if (flags & PZL_SLAB_KMALLOC)
			size += pzl_slab_asked_size(k);
	}
	g->red_left_pad = 0;
	if (flags & PZL_SLAB_RED_ZONE) {
		g->red_left_pad = (uint32_t)slab_round_up(k->word, g->align);
		size += k->word + (uint64_t)g->red_left_pad;
	}
	return slab_round_up(size, g->align);
}

/* The smallest order that holds so many bytes. */
static uint32_t slab_get_order(const struct pzl_slab_kernel *k, uint64_t bytes)
{
	uint64_t pages = (bytes + (1ull << k->page_shift) - 1) >> k->page_shift;

	return pages <= 1 ? 0 : pz_fls64(pages - 1) + 1;
}

static uint64_t slab_objects(const struct pzl_slab_kernel *k, uint32_t order, uint64_t size)
{
	return pz_udiv64(1ull << (k->page_shift + order), size);
}

/* The smallest order in a span that wastes at most a fraction, or one more than its last. */
static uint32_t slab_fit(const struct pzl_slab_kernel *k, uint64_t size, uint32_t first,
			 uint32_t last, uint32_t fraction)
{
	uint32_t order;

	for (order = first; order <= last; order++) {
		uint64_t bytes = 1ull << (k->page_shift + order);

		if (pz_urem64(bytes, size) <= pz_udiv64(bytes, fraction))
			return order;
	}
	return order;
}

/* How many objects are enough, at first. */
static uint64_t slab_enough(const struct pzl_slab_kernel *k, uint64_t size)
{
	uint64_t want = k->min_objects, most = slab_objects(k, k->max_order, size);

	if (!want)
		want = 4 * (pz_fls32(k->cpus) + 2);
	if (!most && k->model >= PZL_LINUX_6_12)
		most = 1;
	return want < most ? want : most;
}

/* Smallest order for so many objects, up to 6.1. */
static uint32_t slab_fit_6_1(const struct pzl_slab_kernel *k, uint64_t size, uint64_t objects,
			     uint32_t last, uint32_t fraction)
{
	uint32_t first = slab_get_order(k, objects * size);

	if (slab_objects(k, k->min_order, size) > SLAB_MAX_OBJECTS)
		return slab_get_order(k, size * SLAB_MAX_OBJECTS) - 1;
	return slab_fit(k, size, first > k->min_order ? first : k->min_order, last, fraction);
}

static uint32_t slab_order_6_1(const struct pzl_slab_kernel *k, uint64_t size)
{
	uint64_t objects;
	uint32_t order, fraction;

	for (objects = slab_enough(k, size); objects > 1; objects--) {
		for (fraction = 16; fraction >= 4; fraction /= 2) {
			order = slab_fit_6_1(k, size, objects, k->max_order, fraction);
			if (order <= k->max_order)
				return order;
		}
	}
	/* One object, whatever it wastes; where usual slabs are too small, in a larger one. */
	return slab_fit_6_1(k, size, 1, k->largest_order, 1);
}

static uint32_t slab_order_6_12(const struct pzl_slab_kernel *k, uint64_t size)
{
	uint32_t first = slab_get_order(k, slab_enough(k, size) * size), order, fraction;

	if (first < k->min_order)
		first = k->min_order;
	if (slab_objects(k, first, size) > SLAB_MAX_OBJECTS)
		return slab_get_order(k, size * SLAB_MAX_OBJECTS) - 1;
	for (fraction = 16; fraction > 1; fraction /= 2) {
		order = slab_fit(k, size, first, k->max_order, fraction);
		if (order <= k->max_order)
			return order;
	}
	return slab_get_order(k, size);
}

/* What lists of partial slabs hold. */
static void slab_partial(const struct pzl_slab_kernel *k, struct pzl_slab_geometry *g)
{
	const struct slab_cpu_partial *row = slab_cpu_partial;
	uint32_t min = pz_fls32(g->size) / 2;

	if (min < SLAB_MIN_PARTIAL_LEAST)
		min = SLAB_MIN_PARTIAL_LEAST;
	if (min > SLAB_MIN_PARTIAL_MOST)
		min = SLAB_MIN_PARTIAL_MOST;
	g->min_partial = min;
	g->cpu_partial = 0;
	g->cpu_partial_slabs = 0;
	if (!k->cpu_partial || (g->flags & PZL_SLAB_DEBUG))
		return;
	while (g->size < (row->least ? row->least : 1u << k->page_shift))
		row++;
	g->cpu_partial = k->model < PZL_LINUX_6_1 ? row->objects_5_15 : row->objects;
	if (k->model >= PZL_LINUX_6_1)
		g->cpu_partial_slabs = (uint32_t)pz_udiv64(
			2 * (uint64_t)g->cpu_partial + g->objects - 1, g->objects);
}

static bool slab_kernel_valid(const struct pzl_slab_kernel *k)
{
	return (unsigned int)k->model < PZL_MODELS && k->page_shift >= 12 && k->page_shift <= 16 &&
	       k->largest_order <= SLAB_MAX_ORDER && (k->word == 4 || k->word == 8) &&
	       pz_is_pow2(k->cache_line) && k->cache_line <= 1u << k->page_shift &&
	       pz_is_pow2(k->min_align) && k->min_align <= 1u << k->page_shift &&
	       k->track <= 1u << k->page_shift && k->cpus && k->min_order <= k->largest_order &&
	       k->max_order <= k->largest_order;
}

static bool slab_cache_valid(const struct pzl_slab_kernel *k, const struct pzl_slab_cache *c)
{
	if (!c->object_size || c->object_size > 1u << SLAB_MAX_SHIFT ||
	    (c->align && !pz_is_pow2(c->align)) || c->align > 1u << SLAB_MAX_SHIFT)
		return false;
	if (!c->freeptr_given)
		return true;
	return k->model >= PZL_LINUX_6_12 && (c->flags & PZL_SLAB_TYPESAFE_BY_RCU) &&
	       c->freeptr < c->object_size && !(c->freeptr & (k->word - 1));
}

int pzl_slab_geometry(const struct pzl_slab_kernel *k, const struct pzl_slab_cache *c,
		      struct pzl_slab_geometry *out)
{
	struct pzl_slab_geometry g = { 0 };
	uint64_t size;

	if (!slab_kernel_valid(k) || !slab_cache_valid(k, c))
		return -PZ_EINVAL;
	g.align = pzl_slab_align(k, c->flags, c->align, c->object_size);
	size = slab_slot(k, c, c->flags, &g);
	if (k->debug_keeps_order && (c->flags & PZL_SLAB_DEBUG_METADATA) &&
	    slab_get_order(k, size) > slab_get_order(k, c->object_size))
		size = slab_slot(k, c, c->flags & ~PZL_SLAB_DEBUG_METADATA, &g);
	g.size = (uint32_t)size;
	g.order = k->model < PZL_LINUX_6_12 ? slab_order_6_1(k, size) : slab_order_6_12(k, size);
	if (g.order > k->largest_order)
		return -PZ_ERANGE;
	g.objects = (uint32_t)slab_objects(k, g.order, size);
	g.fallback_order = slab_get_order(k, size);
	g.fallback_objects = (uint32_t)slab_objects(k, g.fallback_order, size);
	slab_partial(k, &g);
	*out = g;
	return 0;
}
