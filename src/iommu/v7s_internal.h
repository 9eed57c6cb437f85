/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_internal.h - what the files of the tables share. v7s.c has concept, invariants and locking.
 */
#ifndef PHYSZONE_IOMMU_V7S_INTERNAL_H
#define PHYSZONE_IOMMU_V7S_INTERNAL_H

#include <physzone/dma_map.h>
#include <physzone/fault.h>
#include <physzone/v7s.h>

#include "../base/atomic.h"
#include "../base/bits.h"
#include "../base/pz_string.h"

#define V7S_MIB_SHIFT 20u
#define V7S_PAGE_SHIFT 12u
#define V7S_WORDS 256u /* of a second level */
#define V7S_TABLE_BYTES (V7S_WORDS * 4u)
#define V7S_REPEAT 16u /* words of a page of 64 KiB or 16 MiB */
#define V7S_LINE 64u

/* v7s_mib.state */
#define V7S_LOCK 0x80000000u
#define V7S_COUNT 0x1ffu      /* words of the second level that are valid: 0 to 256 */
#define V7S_GENERATION 0x200u /* one more each time that a second level goes */
#define V7S_GENERATIONS 0x7ffffe00u

/* Types of words. */
#define V7S_TYPE 3u
#define V7S_TYPE_TABLE 1u /* level 1 */
#define V7S_TYPE_LARGE 1u /* level 2 */
#define V7S_TYPE_PAGE 2u
#define V7S_SUPER (1u << 18) /* level 1: of 16 MiB */

/* MediaTek: bits 32, 33, 34 of an address. */
#define V7S_MTK_32 (1u << 9)
#define V7S_MTK_33 (1u << 4)
#define V7S_MTK_34 (1u << 5)
#define V7S_MTK (V7S_MTK_32 | V7S_MTK_33 | V7S_MTK_34)

/* What is known of a MiB besides its words. */
struct v7s_mib {
	void *table;	/* its second level, as the CPU sees it, or NULL */
	uint32_t state; /* V7S_* */
};

/* What is counted, in parts that lie in cache lines of their own. */
#define V7S_COUNTS 8u

struct v7s_counts {
	uint64_t made, returned, splits;
	uint8_t rest[V7S_LINE - 3 * sizeof(uint64_t)];
};

struct pz_v7s {
	struct pz_v7s_config cfg;
	uint64_t iova_last, phys_last;
	struct pz_table first; /* the first level */
	uint32_t *word;	       /* its words */
	struct v7s_mib *mib;   /* by v7s_mib() */
	struct v7s_counts *counts; /* V7S_COUNTS of them, by v7s_counts() */
	uint32_t *group;       /* by 16 MiB: somebody changes a page of 16 MiB there */
	uint32_t mibs;	       /* a power of two */
	uint32_t line_shift;   /* log2 of the cache lines of @mib */
	uint32_t first_bytes;
	bool sync; /* the walker must be told what was written */
	uint32_t small[PZ_IOMMU_PROT + 1]; /* what a page of 4 KiB says besides its address */
	uint32_t fault;
	void *store; /* @counts, @mib and @group, as they were allocated */
	uint64_t store_bytes;
};

/*
 * Neighbours lie in different cache lines, so that CPUs at work side by side do not disturb each
 * other. A line holds one MiB of each quarter of the address space (of each eighth with pointers of
 * 32 bits). Each begins a little more than a quarter of the lines further on, so that CPUs at work
 * a power of two apart do not meet either.
 */
static inline struct v7s_mib *v7s_mib(const struct pz_v7s *t, uint32_t i)
{
	uint32_t lines = (1u << t->line_shift) - 1, before = i & ~lines;
	uint32_t line = (i + (before >> 2) + (before >> 6)) & lines;

	return &t->mib[line * (V7S_LINE / sizeof(struct v7s_mib)) + (i >> t->line_shift)];
}

static inline struct v7s_counts *v7s_counts(const struct pz_v7s *t, uint32_t cpu)
{
	return &t->counts[cpu % V7S_COUNTS];
}

static inline uint32_t v7s_least(uint32_t sizes)
{
	return sizes & (~sizes + 1);
}

/* Of what stands in second levels, too, where there are any. */
static inline uint32_t v7s_min_page(const struct pz_v7s *t)
{
	return v7s_least(t->cfg.sizes);
}

static inline bool v7s_is_table(uint32_t word)
{
	return (word & V7S_TYPE) == V7S_TYPE_TABLE;
}

/* Of level 1. */
static inline bool v7s_is_super(uint32_t word)
{
	return (word & V7S_TYPE) == V7S_TYPE_PAGE && word & V7S_SUPER;
}

/* Of level 2. */
static inline bool v7s_is_large(uint32_t word)
{
	return (word & V7S_TYPE) == V7S_TYPE_LARGE;
}

static inline bool v7s_is_page(unsigned int level, uint32_t word)
{
	return level == 1 ? (word & V7S_TYPE) == V7S_TYPE_PAGE : word & V7S_TYPE;
}

/* The size of a page, by its word. */
static inline uint32_t v7s_word_size(unsigned int level, uint32_t word)
{
	if (level == 1)
		return word & V7S_SUPER ? PZ_V7S_16M : PZ_V7S_1M;
	return v7s_is_large(word) ? PZ_V7S_64K : PZ_V7S_4K;
}

static inline uint64_t v7s_mtk_addr(uint32_t word)
{
	return (word & V7S_MTK_32 ? (uint64_t)1 << 32 : 0) |
	       (word & V7S_MTK_33 ? (uint64_t)1 << 33 : 0) |
	       (word & V7S_MTK_34 ? (uint64_t)1 << 34 : 0);
}

/* The bits of an address that a word of a page, or one that leads to a table, holds. */
static inline uint32_t v7s_word_addr(bool mtk, uint64_t addr, uint32_t size)
{
	uint32_t word = (uint32_t)addr & ~(size - 1);

	if (mtk)
		word |= (addr >> 32 & 1 ? V7S_MTK_32 : 0) | (addr >> 33 & 1 ? V7S_MTK_33 : 0) |
			(addr >> 34 & 1 ? V7S_MTK_34 : 0);
	return word;
}

static inline uint64_t v7s_word_phys(uint32_t quirks, uint32_t word, uint32_t size)
{
	return (word & ~(size - 1)) | (quirks & PZ_V7S_MTK_EXT ? v7s_mtk_addr(word) : 0);
}

/* A word that the walker, and who looks up without a lock, may read at any time. */
static inline void v7s_put(uint32_t *at, uint32_t word)
{
	PZ_SCHED(at);
	pz_poke32(at, word);
}

/* After words that it leads to. */
static inline void v7s_publish(uint32_t *at, uint32_t word)
{
	pz_release32(at, word);
}

static inline void v7s_relax(const struct pz_v7s *t)
{
	if (t->cfg.hooks.relax)
		t->cfg.hooks.relax(t->cfg.hooks.ctx);
}

static inline uintptr_t v7s_mask(const struct pz_v7s *t)
{
	return t->cfg.hooks.mask ? t->cfg.hooks.mask(t->cfg.hooks.ctx) : 0;
}

static inline void v7s_unmask(const struct pz_v7s *t, uintptr_t was)
{
	if (t->cfg.hooks.unmask)
		t->cfg.hooks.unmask(t->cfg.hooks.ctx, was);
}

static inline void v7s_flush_walk(const struct pz_v7s *t, uint64_t iova, uint64_t size,
				  uint32_t granule)
{
	if (t->cfg.tlb.flush_walk)
		t->cfg.tlb.flush_walk(t->cfg.tlb.ctx, iova, size, granule);
}

/* A MiB that is locked. @state is what its unlocking stores. */
struct v7s_held {
	struct pz_v7s *t;
	struct v7s_mib *m;
	uint32_t i;
	uint32_t state;
	uintptr_t masked;
};

static inline void v7s_lock(struct v7s_held *h, struct pz_v7s *t, uint32_t i)
{
	struct v7s_mib *m = v7s_mib(t, i);

	h->t = t;
	h->m = m;
	h->i = i;
	h->masked = v7s_mask(t);
	for (;; v7s_relax(t)) {
		h->state = pz_peek32(&m->state) & ~V7S_LOCK;
		if (!pz_cas32(&m->state, h->state, h->state | V7S_LOCK))
			continue;
		if (!pz_load32(&t->group[i / V7S_REPEAT]))
			return;
		/* Not again before it is free: who has it waits for all of us to let go. */
		pz_release32(&m->state, h->state);
		while (pz_load32(&t->group[i / V7S_REPEAT]))
			v7s_relax(t);
	}
}

static inline void v7s_unlock(struct v7s_held *h)
{
	pz_release32(&h->m->state, h->state);
	v7s_unmask(h->t, h->masked);
}

static inline uint32_t *v7s_words(const struct v7s_held *h)
{
	return h->m->table;
}

static inline uint64_t v7s_iova(uint32_t mib)
{
	return (uint64_t)mib << V7S_MIB_SHIFT;
}

/* v7s_word.c */

/* What leads to a second level, and where such a word leads. */
uint32_t pz_v7s_to_table(const struct pz_v7s *t, uint64_t addr);
uint64_t pz_v7s_table_at(const struct pz_v7s *t, uint32_t word);

/* The words of a page that is a piece of another, from its word, with the same attributes. */
uint32_t pz_v7s_super_to_section(uint32_t word, uint32_t piece);
uint32_t pz_v7s_section_to_large(uint32_t quirks, uint32_t word, uint32_t piece);
uint32_t pz_v7s_section_to_small(uint32_t quirks, uint32_t word, uint32_t piece);
uint32_t pz_v7s_small_to_large(uint32_t word);
uint32_t pz_v7s_large_to_small(uint32_t word, uint32_t piece);

/* v7s_table.c */

/* A table that the walker finds; zeroed, but not yet told. 0, or -PZ_E... */
int pz_v7s_table_get(struct pz_v7s *t, uint32_t cpu, uint32_t gfp, uint32_t bytes,
		     struct pz_table *out);
void pz_v7s_table_put(struct pz_v7s *t, uint32_t cpu, uint32_t bytes, const struct pz_table *table);

/* Tell the walker of @count words that were written at @addr. */
void pz_v7s_sync(const struct pz_v7s *t, uint64_t addr, uint32_t count);

/* A second level takes the place of what word the MiB has; its words have been written. */
void pz_v7s_link(struct v7s_held *h, const struct pz_table *table);

/* The second level leaves the MiB, which is not mapped then, and goes back. That is told before
 * anybody can map there: who walks through the old one would not see it. Unlocks. */
void pz_v7s_drop_second(struct v7s_held *h, uint32_t cpu);

/* From number @i of the first level on, or number @k of the second level of what is locked. */
static inline void v7s_sync_first(const struct pz_v7s *t, uint32_t i, uint32_t count)
{
	if (t->sync)
		pz_v7s_sync(t, t->first.addr + (uint64_t)i * 4, count);
}

static inline void v7s_sync_second(const struct v7s_held *h, uint32_t k, uint32_t count)
{
	if (h->t->sync)
		pz_v7s_sync(h->t, pz_v7s_table_at(h->t, h->t->word[h->i]) + (uint64_t)k * 4, count);
}

/* v7s_split.c */

/* All locks of 16 MiB. */
struct v7s_group_held {
	struct pz_v7s *t;
	uint32_t g;
	uintptr_t masked;
};

void pz_v7s_group_lock(struct v7s_group_held *h, struct pz_v7s *t, uint32_t g);
void pz_v7s_group_unlock(struct v7s_group_held *h);

/* A page of 16 MiB becomes 16 of 1 MiB, if it is there. */
void pz_v7s_split_super(struct pz_v7s *t, uint32_t cpu, uint32_t g);

/* Of a page of 1 MiB the words [@from, @to) go and the rest stays, by a second level. */
void pz_v7s_cut_section(struct v7s_held *h, uint32_t cpu, const struct pz_table *table,
			uint32_t from, uint32_t to);

/* The same for the page of 64 KiB that they lie in. */
void pz_v7s_cut_large(struct v7s_held *h, uint32_t cpu, uint32_t from, uint32_t to);

/* v7s_unmap.c */

/* Undo a map. */
void pz_v7s_undo(struct pz_v7s *t, uint32_t cpu, uint64_t iova, uint64_t size);

#endif
