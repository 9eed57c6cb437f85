/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frag_internal.h - the parts of a cache of pieces, and what they ask of each other.
 *
 *	frag_store	metadata of blocks: where it lies, block of an address, sets of blocks
 *	frag_map	the granules of one block
 *	frag		blocks and pieces
 *	frag_cache	making a cache and giving it back; page tables
 *	frag_check	numbers and invariants
 */
#ifndef PHYSZONE_FRAG_INTERNAL_H
#define PHYSZONE_FRAG_INTERNAL_H

#include <physzone/frag.h>

#include "page_internal.h"

#define FRAG_CHUNK_FIRST 32u /* blocks of chunk 0; each later chunk has twice as many */
#define FRAG_CHUNKS 20u
#define FRAG_WAYS 8u   /* slots of a bucket: one line */
#define FRAG_SHARED 4u /* slots for those who have none, or whose own is busy */
#define FRAG_NONE UINT32_MAX

/*
 * Sets of blocks by index: hints of which have a free run of 2^c granules, not 2^(c + 1), for each
 * class c; and metadata that describes no block.
 */
#define FRAG_CLASSES 13u
#define FRAG_SPARE FRAG_CLASSES
#define FRAG_SETS (FRAG_CLASSES + 1)

/*
 * The word that decides: pieces and bytes that are out, whether some context cuts pieces from the
 * block, and a number that changes when the metadata comes to describe another block. A block
 * without pieces that nobody holds is nobody's but the one's who made it so, who gives it back.
 */
#define FRAG_BYTES(w) ((uint32_t)((w)&0x7fffffu))
#define FRAG_PIECES(w) ((uint32_t)((w) >> 23) & 0x7fffffu)
#define FRAG_PIECE ((uint64_t)1 << 23)
#define FRAG_HELD ((uint64_t)1 << 46)
#define FRAG_LIFE ((uint64_t)1 << 47)
#define FRAG_LIVES(w) ((w) >> 47)

/* Base address of a block | FRAG_LIVE | its order; 0 when there is no block. */
#define FRAG_LIVE 0x80u
#define FRAG_ORDER(at) ((unsigned int)((at)&0x7u))
#define FRAG_BASE(at) ((at) & ~(uint64_t)0xfff)

struct frag_block {
	uint64_t out;
	uint64_t at;
	uint64_t *slot; /* of the index by address, or NULL: the index had no room */
	uint32_t low;	/* lowest byte given out since the block was last without pieces */
	uint32_t index;
	/* PZ_FRAG_REUSE, a bit for each granule: taken; first of a piece; last of a piece. */
	uint32_t bits[];
};

/* Metadata for a number of blocks: never given back before the cache is, so never gone. */
struct frag_chunk {
	uint32_t count, words, sums, buckets;
	size_t bytes;	 /* all of it */
	uint32_t *word;	 /* FRAG_SETS sets of @words words */
	uint32_t *sum;	 /* FRAG_SETS sets of @sums words: words that may have a bit */
	uint64_t *index; /* @buckets buckets of FRAG_WAYS: tag and number of a block, or 0 */
	unsigned char *blocks;
};

/* What one context at a time cuts pieces from. */
struct frag_slot {
	uint32_t busy;
	uint32_t cur;	/* index of a block, or FRAG_NONE */
	uint32_t rotor; /* where to go on looking for blocks with room */
	uint32_t allocs, allocs_high, reused, reused_high;
	uint32_t pad[9];
};

struct pz_frag {
	struct frag_slot *slot; /* FRAG_SHARED shared ones, then one for each CPU */
	uint32_t cpus;
	uint32_t page_shift;
	uint32_t order;	 /* of a full block */
	uint32_t orders; /* bits: orders that blocks ever had */
	uint32_t granule_shift;
	uint32_t map_words; /* words of one of a block's three maps; 0 without PZ_FRAG_REUSE */
	uint32_t stride;    /* bytes of a block's metadata */
	uint32_t unindexed; /* blocks that the index had no room for */
	uint32_t chunks;    /* chunks that there are */
	uint64_t chunk[FRAG_CHUNKS]; /* struct frag_chunk * */
	uint32_t any[FRAG_SETS];     /* bits: chunks that may have a member */
	uint64_t lone_allocs;	     /* pieces given out past every slot */
	uint64_t blocks, block_bytes;
	size_t bytes;
	struct pz_frag_config cfg;
};

/* What blocks may not be asked for with: pieces do not move, and nobody zeroes them. */
static inline bool frag_gfp_bad(uint32_t gfp)
{
	return gfp & ~(PZ_GFP_ALL & ~(PZ_GFP_MOVABLE | PZ_GFP_ZERO));
}

static inline bool frag_reuses(const struct pz_frag *f)
{
	return f->map_words != 0;
}

static inline uint32_t frag_bytes_of(const struct pz_frag *f, uint64_t at)
{
	return (uint32_t)1 << (f->page_shift + FRAG_ORDER(at));
}

static inline struct frag_chunk *frag_chunk(const struct pz_frag *f, unsigned int k)
{
	return (struct frag_chunk *)(uintptr_t)pz_load64(&f->chunk[k]);
}

/* Number of the first block of a chunk. */
static inline uint32_t frag_first(unsigned int k)
{
	return FRAG_CHUNK_FIRST * (((uint32_t)1 << k) - 1);
}

static inline struct frag_block *frag_of_chunk(const struct pz_frag *f, const struct frag_chunk *c,
					       uint32_t i)
{
	return (struct frag_block *)(void *)(c->blocks + (size_t)i * f->stride);
}

/* frag_store.c */
int pz_frag_grow(struct pz_frag *f, unsigned int k);
struct frag_block *pz_frag_block(const struct pz_frag *f, uint32_t index);
void pz_frag_set_add(struct pz_frag *f, unsigned int set, uint32_t index);
bool pz_frag_set_remove(struct pz_frag *f, unsigned int set, uint32_t index);
uint32_t pz_frag_set_next(struct pz_frag *f, unsigned int set, uint32_t from);
bool pz_frag_set_has(const struct pz_frag *f, unsigned int set, uint32_t index);
void pz_frag_index_add(struct pz_frag *f, struct frag_block *b);
void pz_frag_index_remove(struct pz_frag *f, struct frag_block *b);
struct frag_block *pz_frag_find(const struct pz_frag *f, uint32_t cpu, uint64_t addr,
				uint64_t *word, uint64_t *at);

/* frag_map.c */
uint32_t pz_frag_run(const uint32_t *map, uint32_t from, uint32_t end, bool taken);
uint32_t pz_frag_map_fit(const uint32_t *map, uint32_t granules, uint32_t n, uint32_t align);
uint32_t pz_frag_map_longest(const uint32_t *map, uint32_t granules);
uint32_t pz_frag_map_around(const uint32_t *map, uint32_t granules, uint32_t at);
void pz_frag_map_set(uint32_t *map, uint32_t from, uint32_t n);
void pz_frag_map_clear(uint32_t *map, uint32_t from, uint32_t n);
bool pz_frag_map_has(const uint32_t *map, uint32_t at);
bool pz_frag_map_take(uint32_t *map, uint32_t at);

/* frag.c */
uint64_t pz_frag_empty_slot(struct pz_frag *f, uint32_t cpu, struct frag_slot *s);

#endif
