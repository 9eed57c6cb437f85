/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * genpool_internal.h - slots, which stay as long as their pool, and descriptors of chunks, which
 * come and go.
 */
#ifndef PHYSZONE_POOL_GENPOOL_INTERNAL_H
#define PHYSZONE_POOL_GENPOOL_INTERNAL_H

#include <physzone/genpool.h>

#include "../base/atomic.h"
#include "../base/bits.h"
#include "../base/pz_string.h"

/*
 * The word that decides about a chunk: granules in use or bespoken, pieces of them, contexts that
 * look at the descriptor (pins), the phase of the slot, and whether a piece was ever freed. A
 * descriptor is looked at only by who holds a pin or has bespoken granules, and both can be had in
 * phase LIVE only. A slot that is DEAD without pins belongs to the context that made it so.
 * Granules and pieces have room for more than a chunk has: some may be bespoken twice.
 */
#define SLOT_USED(s) ((s)&0x3ffffffull)
#define SLOT_PIECE ((uint64_t)1 << 26)
#define SLOT_PIECES(s) ((uint32_t)((s) >> 26) & 0x1ffffffu)
#define SLOT_PIN ((uint64_t)1 << 51)
#define SLOT_PINS_MAX 0x3ffu
#define SLOT_PINS(s) ((uint32_t)((s) >> 51) & SLOT_PINS_MAX)
#define SLOT_PHASE(s) ((s) & ((uint64_t)3 << 61))
#define SLOT_VACANT ((uint64_t)0 << 61)
#define SLOT_FILLING ((uint64_t)1 << 61)
#define SLOT_LIVE ((uint64_t)2 << 61)
#define SLOT_DEAD ((uint64_t)3 << 61)
#define SLOT_TOUCHED ((uint64_t)1 << 63)

/* Granules, the slot's own number, and PZ_GENPOOL_* flags. */
#define SHAPE_GRANULES(shape) ((uint32_t)(shape))
#define SHAPE_SLOT(shape) ((uint32_t)((shape) >> 32) & 0xffffffu)
#define SHAPE_FLAGS(shape) ((uint32_t)((shape) >> 56))

/*
 * All but the state is constant while seq is not 0 and the same; no two chunks ever have the same
 * seq, and the newer has the larger.
 */
struct genpool_slot {
	uint64_t state;
	uint64_t seq;
	uint64_t first, last; /* addresses */
	uint64_t phys;
	uint64_t shape;
	uint64_t chunk; /* struct genpool_chunk * */
	uint64_t sum;	/* of what is constant, for pz_genpool_check() */
};

#define SLOT_FIRST 8u /* slots of the first segment; each further one has twice as many */
#define SLOT_SEGMENTS 20u

/*
 * Behind the slots of a segment lie its room, a bit for each slot whose chunk may have a free
 * granule, and hints: numbers of slots, plus 1, by address. Only those of the last segment are
 * used. Room is kept as the summaries of a map are: a bit too many may be, and is cleared by who
 * meets it.
 */
#define SLOT_HINTS 2u /* for each slot of the segment */

/*
 * The map of a chunk. A word at level 0 holds 32 granules: in use (lower half), and first of a
 * piece (upper half). Above are two trees of 64-bit words, a bit for each word below: one of words
 * that may have a free granule, one of words that may have one in use.
 */
#define MAP_UNITS 32u
#define MAP_LEVELS 4u /* above level 0 */

enum map_tree { MAP_FREE, MAP_USED };

struct genpool_chunk {
	/* Searches that may miss: clearings of MAP_FREE that are under way; above, all there were.
	 */
	uint64_t clearings;
	uint32_t granules;
	uint32_t levels;
	uint32_t count[MAP_LEVELS + 1]; /* words of each level */
	uint32_t at[2][MAP_LEVELS + 1]; /* where the level begins in w[] */
	uint32_t hooked;		/* the descriptor is from the metadata hook */
	void *owner;
	void (*release)(void *ctx, const struct pz_genpool_info *info);
	void *release_ctx;
	void *mem;
	uint64_t mem_bytes;
	uint64_t grave; /* the next of those that are to go back to the hook */
	uint64_t sum;	/* of what is constant above */
	uint64_t w[];
};

struct pz_genpool {
	uint64_t seg[SLOT_SEGMENTS];	 /* struct genpool_slot * */
	uint64_t seg_not[SLOT_SEGMENTS]; /* ~seg[], for pz_genpool_check() */
	uint32_t segs;			 /* segments that there are */
	uint32_t top;			 /* slots from here on were never used */
	uint32_t recent;		 /* slot of the last free: a hint */
	uint32_t newest;		 /* slot of the last chunk that was added: a hint */
	uint32_t shift;	 /* of addresses, for hints: the smallest chunk had so many bytes */
	uint64_t seq;	 /* the last one given */
	uint64_t chunks; /* live ones; above, how often that changed */
	uint64_t graves; /* struct genpool_chunk * */
	uint64_t closing; /* 1 while it is being destroyed */
	struct pz_genpool_config cfg;
	uint64_t sum; /* of cfg */
};

/* What a slot said, all of one chunk. */
struct genpool_seen {
	uint64_t seq, first, last, phys, shape;
};

/* A request in granules. */
struct genpool_want {
	uint32_t n;
	uint64_t mask; /* alignment in granules, less 1 */
	uint64_t off;  /* granule 0 lies this far behind an aligned place */
	uint32_t at;   /* PZ_GENPOOL_FIXED */
	const struct pz_genpool_algo *algo;
};

enum genpool_wrong { WRONG_NOTHING, WRONG_FREE, WRONG_INSIDE, WRONG_SIZE };

static inline struct genpool_chunk *genpool_chunk_of(const struct genpool_slot *s)
{
	return (struct genpool_chunk *)(uintptr_t)pz_load64(&s->chunk);
}

/* Slots of the segments below @k. */
static inline uint32_t genpool_base(unsigned int k)
{
	return SLOT_FIRST * (((uint32_t)1 << k) - 1);
}

static inline struct genpool_slot *genpool_slot(const struct pz_genpool *p, uint32_t i)
{
	unsigned int k = i < SLOT_FIRST ? 0 : pz_fls32(i / SLOT_FIRST + 1);
	uint64_t seg = pz_load64(&p->seg[k]);

	return (struct genpool_slot *)(uintptr_t)seg + (i - genpool_base(k));
}

static inline uint64_t *genpool_room(const struct pz_genpool *p, unsigned int k)
{
	struct genpool_slot *slots = (struct genpool_slot *)(uintptr_t)pz_load64(&p->seg[k]);

	return (uint64_t *)(void *)(slots + (SLOT_FIRST << k));
}

/* Words of room in a segment. */
static inline uint32_t genpool_rooms(unsigned int k)
{
	return k < 3 ? 1 : SLOT_FIRST << k >> 6;
}

/* Look at a chunk; it stays until pz_genpool_leave(). */
static inline bool genpool_pin(struct genpool_slot *s)
{
	uint64_t v;

	do {
		v = pz_load64(&s->state);
		if (SLOT_PHASE(v) != SLOT_LIVE || SLOT_PINS(v) == SLOT_PINS_MAX)
			return false;
	} while (!pz_cas64(&s->state, v, v + SLOT_PIN));
	return true;
}

/* What a slot holds, if it holds a chunk that nobody has removed. */
static inline bool genpool_see(const struct genpool_slot *s, struct genpool_seen *seen)
{
	seen->seq = pz_load64(&s->seq);
	if (!seen->seq)
		return false;
	seen->first = pz_load64(&s->first);
	seen->last = pz_load64(&s->last);
	seen->phys = pz_load64(&s->phys);
	seen->shape = pz_load64(&s->shape);
	return SLOT_PHASE(pz_load64(&s->state)) == SLOT_LIVE && pz_load64(&s->seq) == seen->seq;
}

/* genpool_map.c */
void pz_genpool_map_init(struct genpool_chunk *c, uint32_t granules);
uint64_t pz_genpool_map_words(uint32_t granules);
uint32_t pz_genpool_map_used(const struct genpool_chunk *c, uint32_t from);
bool pz_genpool_map_claim(struct genpool_chunk *c, uint32_t at, uint32_t n);
enum genpool_wrong pz_genpool_map_unclaim(struct genpool_chunk *c, uint32_t at, uint32_t n,
					  uint32_t *lost);
uint32_t pz_genpool_map_next(const struct genpool_chunk *c, uint32_t w, bool exact);
void pz_genpool_map_stale(const struct genpool_chunk *c, enum map_tree tree, uint32_t w);

/* genpool_search.c */
uint32_t pz_genpool_take(struct genpool_chunk *c, const struct genpool_want *want,
			 const struct pz_genpool_view *view);

/* genpool_chunk.c */
void pz_genpool_leave(struct pz_genpool *p, struct genpool_slot *s, uint64_t less, uint64_t also);
size_t pz_genpool_segment(unsigned int k);
uint32_t pz_genpool_find(const struct pz_genpool *p, uint64_t addr);
void pz_genpool_room(struct pz_genpool *p, uint32_t i, bool has);
uint32_t pz_genpool_newest(const struct pz_genpool *p, uint64_t below, uint64_t *seq);
void pz_genpool_info(const struct pz_genpool *p, const struct genpool_slot *s,
		     struct pz_genpool_info *info);
void pz_genpool_bury(struct pz_genpool *p, struct genpool_slot *s);
void pz_genpool_reap(struct pz_genpool *p);
uint64_t pz_genpool_sum(const void *p, size_t bytes);
uint64_t pz_genpool_slot_sum(const struct genpool_slot *s);
uint64_t pz_genpool_chunk_sum(const struct genpool_chunk *c);

/* genpool_info.c */
uint64_t pz_genpool_used(const struct pz_genpool *p);

/* genpool.c */
bool pz_genpool_algo_ok(const struct pz_genpool_algo *a);

#endif
