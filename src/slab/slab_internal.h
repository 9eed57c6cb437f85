/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_internal.h - what the files of the object caches share.
 *
 * A slab is a block of pages cut into slots, and a descriptor elsewhere. The descriptor's state is
 * one word, the only thing that decides who may have an object:
 *  - of a slab with at most SLAB_SMALL objects, the bits of those that are free in the slab;
 *  - of a larger one, how many are; which, is said by bits behind the descriptor, set before the
 *    state counts them, and cleared only by those who took them off the state;
 *  - or SLAB_GONE: the pages are on their way back.
 * A slab stands in the list of its node exactly while its state is neither 0 nor SLAB_GONE, or
 * somebody has just popped it: who makes the state leave 0 pushes it, who pops it either leaves it
 * at 0 or pushes it again. A slab that goes while it is in the list stays there as a stub until it
 * is popped. Descriptors never become anything else, so a list can be walked while it changes.
 */
#ifndef PHYSZONE_SLAB_SLAB_INTERNAL_H
#define PHYSZONE_SLAB_SLAB_INTERNAL_H

#include <physzone/kmalloc.h>

#include "../base/atomic.h"
#include "../base/bits.h"

#define SLAB_SMALL 63u
#define SLAB_GONE ((uint64_t)1 << 63)
#define SLAB_DESC_SHIFT 6u   /* of the smallest descriptor */
#define SLAB_DESC_CLASSES 8u /* 64 bytes to 8 KiB */
#define SLAB_NODES 64u
#define SLAB_MAX_OBJECTS 32767u
#define SLAB_BATCH 32u /* objects looked at together */

#define SLAB_LIKELY(x) __builtin_expect(!!(x), 1)
#define SLAB_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* A word of an object, whatever its owner takes it for. */
typedef uintptr_t __attribute__((may_alias)) slab_word;

/* A descriptor. Followed by bits when it is of a large slab. */
struct slab {
	uint64_t state;
	uint64_t phys; /* of its first page */
	struct pz_kmem_cache *cache;
#if UINTPTR_MAX == UINT32_MAX
	uint32_t pad;
#endif
	uint64_t ticket; /* of the grace period that it waits for */
	uint32_t next;	 /* in a list: number of the next plus 1 */
	uint32_t wait;	 /* in the list of those that wait for a grace period */
	uint32_t number;
	uint32_t done; /* SLAB_DONE_* */
	uint16_t objects;
	uint8_t order;
	uint8_t node;
	uint8_t class; /* of the descriptor */
	uint8_t used;  /* it is a slab's: not free */
	uint8_t pad8[2];
};

/* A slab that goes gives its descriptor back when both are done. */
#define SLAB_DONE_LIST 0x1u  /* it is in no list */
#define SLAB_DONE_PAGES 0x2u /* its pages are given back */

/* A list of descriptors: number of the first plus 1, and a count of changes above it. */
struct slab_list {
	uint64_t head;
};

/* Of one cache, one node: a line by itself. */
struct slab_node {
	struct slab_list partial;
	uint32_t empty; /* slabs that are all free, about */
	uint32_t pad[13];
};

/*
 * What a CPU needs of a cache: one line. @top is past the newest object of the magazine, and below
 * the oldest stands NULL; a cache that has no magazine has top == end there, so that both ways out
 * of the short way are taken without a further question.
 */
struct slab_head {
	/* n * divides < bound, modulo 2^64, when n bytes are a number of strides and there is an
	 * object: slab_divides() has the reason. */
	uint64_t divides, bound;
	void **top;
	void **end;
	uintptr_t secret;
	uint32_t tag;  /* what the owner table says of a slab of the usual order: SLAB_TAG_SHIFT */
	uint32_t mask; /* bytes of such a slab - 1 */
	uint32_t seal;
	uint32_t busy;	  /* the CPU is at work here; an interrupt handler goes the long way */
	uint32_t refused; /* gfp bits that need the long way */
	uint32_t pad[UINTPTR_MAX == UINT32_MAX ? 4 : 1];
};

_Static_assert(sizeof(struct slab) <= 1u << SLAB_DESC_SHIFT, "the smallest descriptor has room");
_Static_assert(sizeof(struct slab_node) == 64 && sizeof(struct slab_head) == 64, "lines");

/* Owner of a page, in one word: number of the cache, shift of the slab, number of the slab. Of
 * kmalloc() memory of whole pages, SLAB_LARGE and the number of pages, at the first only. */
#define SLAB_OWNER_ID_SHIFT 48u
#define SLAB_OWNER_SIZE_SHIFT 40u
#define SLAB_TAG_SHIFT 40u /* number and shift together */
#define SLAB_LARGE 0xffffu
#define SLAB_GRAIN_SHIFT 12u /* the table has a word for so much, whatever the page size */

struct pz_kmem_cache {
	struct slab_head *heads; /* the first CPU's */
	uint32_t cpus;
	uint32_t head_stride; /* bytes from one CPU's to the next */
	uint32_t id;	      /* from 1 */
	uint32_t recip;	      /* 2^32 / stride, rounded up */
	uint32_t refused;     /* gfp bits that need the long way */
	struct pz_slabs *s;
	uint32_t size, align, flags, debug;
	uint32_t users;
	uint32_t keep;
	struct pz_slab_layout lay;
	struct pz_limits asked;	 /* of objects */
	struct pz_limits limits; /* of pages */
	uint32_t page_gfp;
	void (*ctor)(void *ctx, void *object);
	void *ctor_ctx;
	void **magazines; /* of all CPUs, @magazine_slots each */
	uint32_t magazine, magazine_slots;
	struct slab_node *node;
	void *node_raw;
	uint64_t slabs, pages, objects, made, released, fallbacks, fenced;
	uintptr_t secret; /* of the seals, as each line has it */
	uint32_t random;  /* where random orders go on */
	char name[PZ_SLAB_NAME_MAX];
};

struct slab_chunk {
	unsigned char *base; /* of pages of descriptors */
	uint32_t class;
};

struct pz_slabs {
	struct pz_slabs_config cfg;
	uint64_t *owner;  /* of each grain */
	uintptr_t origin; /* address of the first grain: that of mapped.first, rounded down */
	uint64_t grains;
	uintptr_t delta; /* address of the processor minus physical address */
	struct slab_head *heads;
	void *heads_raw;
	uint32_t head_stride;
	uint32_t max_caches;	      /* and one: 0 is no number */
	struct pz_kmem_cache **cache; /* by number; 0 is none */
	struct pz_kmalloc *families;  /* newest first */
	uint32_t walkers;	      /* going through the caches */
	struct slab_chunk *chunk;
	uint32_t chunks, max_chunks; /* made or being made; room */
	uint32_t unit_shift;	     /* log2 of the numbers of a chunk: of the smallest */
	struct slab_list spare[SLAB_DESC_CLASSES];
	struct slab_list waiting; /* for a grace period */
	uint64_t ticket;	  /* of slabs that go now */
	uint64_t large, large_pages;
	uint32_t nodes;
	int32_t nid[SLAB_NODES];
	uint32_t fault_alloc, fault_page;
};

/* Only the CPU itself and what interrupts it read and write the flag. */
static inline bool slab_busy(const struct slab_head *h)
{
	return *(const volatile uint32_t *)&h->busy;
}

static inline void slab_enter(struct slab_head *h)
{
	pz_poke32(&h->busy, 1);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void slab_leave(struct slab_head *h)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	pz_poke32(&h->busy, 0);
}

/* Others may look at a magazine while its CPU is at work there: see pz_slab_in_magazine(). */
static inline void slab_set_top(struct slab_head *h, void **top)
{
	__atomic_store_n(&h->top, top, __ATOMIC_RELAXED);
}

static inline void slab_set_entry(void **at, void *o)
{
	__atomic_store_n(at, o, __ATOMIC_RELAXED);
}

static inline struct slab_head *slab_head(const struct pz_kmem_cache *c, uint32_t cpu)
{
	return (struct slab_head *)(void *)((unsigned char *)c->heads +
					    (size_t)cpu * c->head_stride);
}

/* The magazine's bottom: where NULL stands. */
static inline void **slab_bottom(const struct pz_kmem_cache *c, uint32_t cpu)
{
	return c->magazines + (size_t)cpu * c->magazine_slots;
}

static inline uintptr_t slab_seal(uintptr_t secret, const void *object)
{
	return secret ^ (uintptr_t)object;
}

/* In place of the seal: an object that is never given out again. */
static inline uintptr_t slab_fence(uintptr_t secret, const void *object)
{
	return ~secret ^ (uintptr_t)object;
}

static inline slab_word *slab_seal_at(const void *object, uint32_t offset)
{
	return (slab_word *)((uintptr_t)object + offset);
}

/*
 * With divides = 2^64 / stride rounded down, plus 1, a number k * stride + r times it is
 * k * e + r * divides modulo 2^64, where e = divides * stride - 2^64 is 1 to stride: below
 * objects * e just when r is 0 and k below objects, for r * divides is more than any of that and
 * less than 2^64 less it.
 */
static inline uint64_t slab_divides(const struct pz_slab_layout *l)
{
	return pz_udiv64(UINT64_MAX, l->stride) + ((l->stride & (l->stride - 1)) != 0 ? 1 : 2);
}

/* 0, which lets nothing through, where an object is not the start of its slot. */
static inline uint64_t slab_bound(const struct pz_slab_layout *l)
{
	return l->red_left ? 0 : slab_divides(l) * l->stride * l->objects;
}

/* What is mapped, as limits. */
static inline struct pz_limits slab_mapped(const struct pz_slabs *s)
{
	struct pz_limits l = pz_limits_any();

	l.min_addr = s->cfg.mapped.first;
	l.max_addr = s->cfg.mapped.last;
	return l;
}

/* Limits out of a configuration: zero-filled ones stand for none. */
static inline struct pz_limits slab_asked(const struct pz_limits *l)
{
	bool any = l->align || l->max_addr || l->min_addr || l->boundary || l->flags;

	return any ? *l : pz_limits_any();
}

/* The physical address of an address of mapped memory. */
static inline uint64_t slab_phys(const struct pz_slabs *s, uintptr_t p)
{
	return s->cfg.mapped.first + (p - (uintptr_t)s->cfg.virt);
}

/* The owner of the page that holds an address, given as its distance from the origin; 0 for none.
 */
static inline uint64_t slab_owner_behind(const struct pz_slabs *s, uintptr_t at)
{
	uintptr_t grain = at >> SLAB_GRAIN_SHIFT;

	return SLAB_LIKELY(grain < s->grains) ? pz_peek64(&s->owner[grain]) : 0;
}

static inline uint64_t slab_owner(const struct pz_slabs *s, uintptr_t p)
{
	return slab_owner_behind(s, p - s->origin);
}

static inline uint64_t *slab_owner_at(const struct pz_slabs *s, uint64_t phys)
{
	return &s->owner[(uintptr_t)(s->delta + (uintptr_t)phys - s->origin) >> SLAB_GRAIN_SHIFT];
}

static inline uint32_t slab_owner_id(uint64_t owner)
{
	return (uint32_t)(owner >> SLAB_OWNER_ID_SHIFT);
}

static inline uint64_t slab_owner_of(uint32_t id, unsigned int shift, uint32_t number)
{
	return (uint64_t)id << SLAB_OWNER_ID_SHIFT | (uint64_t)shift << SLAB_OWNER_SIZE_SHIFT |
	       number;
}

/* How far an address lies behind the start of its slab. */
static inline uint32_t slab_within(const struct pz_slabs *s, uint64_t owner, uintptr_t p)
{
	unsigned int shift = (owner >> SLAB_OWNER_SIZE_SHIFT) & 0xff;

	return (uint32_t)(p - s->origin) & (((uint32_t)1 << shift) - 1);
}

/* The slot that a number of bytes lies in; exact when it is the start of one. */
static inline uint32_t slab_slot(uint32_t within, uint32_t recip)
{
	return (uint32_t)(((uint64_t)within * recip) >> 32);
}

/* Descriptors of a chunk. */
static inline uint32_t slab_units(const struct pz_slabs *s, unsigned int class)
{
	return class < s->unit_shift ? (uint32_t)1 << (s->unit_shift - class) : 1;
}

static inline struct slab *slab_of(const struct pz_slabs *s, uint32_t number)
{
	const struct slab_chunk *k = &s->chunk[number >> s->unit_shift];
	uint32_t unit = number & (((uint32_t)1 << s->unit_shift) - 1);

	return (struct slab *)(void *)(k->base + ((size_t)unit << (k->class + SLAB_DESC_SHIFT)));
}

static inline uint64_t *slab_bits(struct slab *d)
{
	return (uint64_t *)(void *)(d + 1);
}

/* Who asks for numbers may look at a descriptor while it becomes another slab's. */
static inline uint32_t slab_objects(const struct slab *d)
{
	return __atomic_load_n(&d->objects, __ATOMIC_RELAXED);
}

static inline struct pz_kmem_cache *slab_cache(const struct slab *d)
{
	return __atomic_load_n(&d->cache, __ATOMIC_RELAXED);
}

static inline bool slab_small(const struct slab *d)
{
	return slab_objects(d) <= SLAB_SMALL;
}

/* The state of a slab whose objects are all free. */
static inline uint64_t slab_full(const struct slab *d)
{
	uint32_t n = slab_objects(d);

	return n <= SLAB_SMALL ? ((uint64_t)1 << n) - 1 : n;
}

/* Free objects by its state. */
static inline uint32_t slab_free_count(const struct slab *d, uint64_t state)
{
	if (state & SLAB_GONE)
		return 0;
	return slab_small(d) ? pz_popcount64(state) : (uint32_t)state;
}

static inline unsigned char *slab_start(const struct pz_slabs *s, const struct slab *d)
{
	return (unsigned char *)(uintptr_t)(s->delta + (uintptr_t)d->phys);
}

static inline void *slab_object(const struct pz_slabs *s, const struct slab *d, uint32_t slot)
{
	const struct pz_slab_layout *l = &d->cache->lay;

	return slab_start(s, d) + (size_t)slot * l->stride + l->red_left;
}

/* desc.c */
int pz_slab_desc_take(struct pz_slabs *s, uint32_t cpu, uint32_t gfp, unsigned int class,
		      struct slab **out);
void pz_slab_desc_give(struct pz_slabs *s, struct slab *d);
void pz_slab_desc_drop(struct pz_slabs *s);
struct slab *pz_slab_desc_next(const struct pz_slabs *s, uint32_t *at);
void pz_slab_push(const struct pz_slabs *s, struct slab_list *l, struct slab *first,
		  struct slab *last);
struct slab *pz_slab_pop(const struct pz_slabs *s, struct slab_list *l);
struct slab *pz_slab_pop_all(const struct pz_slabs *s, struct slab_list *l);

/* slab.c */
int pz_slab_new(struct pz_kmem_cache *c, uint32_t cpu, uint32_t gfp, int32_t nid,
		struct slab **out);
uint32_t pz_slab_take(struct pz_kmem_cache *c, uint32_t node, uint32_t n, void **objects);
uint64_t pz_slab_give(struct pz_kmem_cache *c, uint32_t cpu, uint32_t n, void *const *objects);
uint32_t pz_slab_take_new(struct pz_kmem_cache *c, struct slab *d, uint32_t n, void **objects);
uint64_t pz_slab_trim(struct pz_kmem_cache *c, uint32_t cpu);
uint64_t pz_slab_pages_back(struct pz_slabs *s, uint32_t cpu, struct slab *d);
uint32_t pz_slab_node_of(const struct pz_slabs *s, int32_t nid);
bool pz_slab_is_free(const struct pz_slabs *s, struct slab *d, uint32_t slot);

/* long.c */
void *pz_slab_alloc_long(struct pz_kmem_cache *c, uint32_t cpu, uint32_t gfp, uintptr_t site);
int pz_slab_alloc_why(struct pz_kmem_cache *c, uint32_t cpu, uint32_t gfp, int32_t nid,
		      uintptr_t site, void **object);
void pz_slab_free_long(struct pz_kmem_cache *c, struct pz_slabs *s, uint32_t cpu, void *object,
		       uintptr_t site);
bool pz_slab_in_magazine(const struct pz_kmem_cache *c, const void *o);
uint64_t pz_slab_flush(struct pz_kmem_cache *c, uint32_t cpu);

/* cache.c */
int pz_slab_cache_make(struct pz_kmem_cache **out, struct pz_slabs *s,
		       const struct pz_kmem_cache_config *cfg, bool may_stay_empty,
		       const char **why);
uint64_t pz_slab_cache_live(struct pz_kmem_cache *c);
void pz_slab_wait(const struct pz_slabs *s);

/* layout.c */
int pz_slab_lay_out(const struct pz_slabs *s, const struct pz_kmem_cache_config *cfg,
		    uint32_t debug, uint64_t boundary, uint32_t *align, struct pz_slab_layout *out,
		    const char **why);
const char *pz_slab_layout_wrong(const struct pz_slabs *s, const struct pz_kmem_cache_config *cfg,
				 uint32_t debug, uint64_t boundary, uint32_t align,
				 const struct pz_slab_layout *l);

/* debug.c */
void pz_slab_debug_new(struct pz_kmem_cache *c, struct slab *d);
bool pz_slab_debug_alloc(struct pz_kmem_cache *c, void *object, uint32_t cpu, uintptr_t site);
bool pz_slab_debug_free(struct pz_kmem_cache *c, void *object, uint32_t cpu, uintptr_t site);
void pz_slab_debug_fence(struct pz_kmem_cache *c, void *object);
void pz_slab_debug_users(const struct pz_kmem_cache *c, const void *object,
			 struct pz_slab_user *allocated, struct pz_slab_user *freed);
void pz_slab_found(struct pz_slabs *s, const char *where, enum pz_slab_fault fault,
		   struct pz_kmem_cache *c, struct pz_kmem_cache *named, const struct slab *d,
		   const void *object);

#endif
