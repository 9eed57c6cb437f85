/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounce_internal.h - pools of slots, their areas, and the record of a run of slots.
 *
 *	bounce       pools: made, published, taken down
 *	bounce_slot  which slots are in use: places that suit a device, and taking them
 *	bounce_grow  pools that come and go: reserves, and those made on the spot
 *	bounce_map   what a run stands for, and the copying
 *	bounce_stat  numbers, holders, verification
 */
#ifndef PHYSZONE_DMA_BOUNCE_INTERNAL_H
#define PHYSZONE_DMA_BOUNCE_INTERNAL_H

#include <physzone/bounce.h>

#include "dma_internal.h"

#define BOUNCE_NONE UINT32_MAX
#define BOUNCE_LINE 64u

/*
 * The life of a pool that goes, in one word: slots taken, contexts that look at it (pins), and the
 * phase. It is looked at only with a pin or with slots taken, both to be had in phase LIVE only; it
 * goes when there are neither. A reserve is pinned as long as it is one. A pool that stays is LIVE
 * and counts nothing.
 */
#define LIFE_PIN ((uint64_t)1 << 32)
#define LIFE_PINS(s) ((uint32_t)((s) >> 32) & 0x3fffffffu)
#define LIFE_USED(s) ((uint32_t)(s))
#define LIFE_PHASE(s) ((s) & ((uint64_t)3 << 62))
#define LIFE_VACANT ((uint64_t)0 << 62)
#define LIFE_FILLING ((uint64_t)1 << 62)
#define LIFE_LIVE ((uint64_t)2 << 62)

/* Where CPUs begin to search, and how often they did; and the run that the area's CPU keeps. */
struct bounce_area {
	uint32_t hint;
	uint32_t calls;
	uint64_t kept; /* KEPT_*, or 0 */
	uint32_t busy; /* the CPU is about to keep one */
	uint32_t spare;
	uint64_t apart[BOUNCE_LINE / 8 - 3];
};

/*
 * A run that is kept: no run by its record, in use by its bits, free to all who count. Only its CPU
 * keeps one where there is none; anybody takes it, or its first slots, by an exchange of the word.
 */
#define KEPT(at, n) ((uint64_t)(n) << 32 | (at))
#define KEPT_AT(k) ((uint32_t)(k))
#define KEPT_SLOTS(k) ((uint32_t)((k) >> 32))
#define KEPT_MOST 32u /* slots of one */

/*
 * The state of a run, in the record of its first slot: its slots, where the mapping begins in the
 * first one, the area that it counts for, its direction, and a number that tells it from others
 * there. When there is none, only the number of the last one is left. Whoever makes it so owns the
 * run, and the rest is constant before.
 */
#define RUN_SLOTS(s) ((uint32_t)(s)&0xffffffu)
#define RUN_DELTA(s) ((uint32_t)((s) >> 24) & 0x7ffu)
#define RUN_AREA(s) ((uint32_t)((s) >> 35) & 0xfffu)
#define RUN_DIR(s) ((enum pz_dma_dir)((s) >> 47 & 3))
#define RUN_BUSY ((uint64_t)1 << 49)
#define RUN_NUMBER ((uint64_t)1 << 50)
#define RUN_NUMBERS(s) ((s) & ~(RUN_NUMBER - 1))

struct bounce_run {
	uint64_t state;
	uint64_t phys, size; /* of the memory that it stands for */
	uint64_t dev;	     /* const struct pz_dma_dev * */
	uint64_t since, site;
};

/* Constant in phase LIVE but for the life, areas, @given, @high, and what changes with devices. */
struct bounce_pool {
	uint64_t life;
	uint64_t first, last; /* physical addresses; first > last when there is none */
	unsigned char *mem;
	uint64_t *map; /* a bit for each slot: in use */
	struct bounce_run *run;
	uint32_t *head; /* of each slot in use: the first slot of its run */
	struct bounce_area *area;
	uint32_t slots, areas;
	bool stays;
	bool keeps;		       /* CPUs keep runs here: each has an area */
	uint32_t given;		       /* kept runs that were given up */
	uint32_t high;		       /* slots that were seen in use at most */
	uint32_t seen;		       /* searches when pz_bounce_settle() last looked */
	uint32_t kind;		       /* enum pz_bounce_kind; changes with devices */
	uint32_t devices;	       /* that a reserve is kept for */
	uint64_t meta_pfn, meta_pages; /* of a pool that goes: what all this points to */
};

struct pz_bounce {
	struct pz_bounce_config cfg; /* without ranges */
	uint32_t page_shift;
	uint32_t base;	/* pools that stay: the first ones */
	uint32_t top;	/* pools from here on were never used */
	uint64_t extra; /* bytes of pools that go */
	uint64_t direct_first; /* where they begin: behind a page 0 that is not directly mapped */
	uint64_t full, fragmented, grown, trimmed, grow_fails;
	uint64_t lost; /* bytes whose state is not known: sharing failed */
	struct bounce_pool pool[PZ_BOUNCE_POOLS];
};

/* What a run must be: @bus & @mask == @rest, in the device's reach, not across @boundary. */
struct bounce_want {
	uint64_t bytes;
	uint64_t mask, rest; /* mask: at least that of a slot */
	uint64_t boundary;
	enum dma_use use;
};

struct bounce_got {
	struct bounce_pool *pool;
	uint32_t at, n, area, delta;
	uint64_t phys, bus;
};

static inline uint64_t bounce_phys(const struct bounce_pool *p, uint32_t slot)
{
	return pz_peek64(&p->first) + ((uint64_t)slot << PZ_BOUNCE_SHIFT);
}

/* A pool may be looked at from here on; false: it is not there. */
static inline bool bounce_enter(struct bounce_pool *p)
{
	uint64_t s;

	if (p->stays)
		return true;
	do {
		s = pz_load64(&p->life);
		if (LIFE_PHASE(s) != LIFE_LIVE)
			return false;
	} while (!pz_cas64(&p->life, s, s + LIFE_PIN));
	return true;
}

/* Pins and slots of a pool become more or, modulo 2^64, less. */
static inline void bounce_count(struct bounce_pool *p, uint64_t add)
{
	if (!p->stays)
		pz_count64(&p->life, add);
}

static inline void bounce_leave(struct bounce_pool *p)
{
	bounce_count(p, 0 - LIFE_PIN);
}

/* bounce.c */
size_t pz_bounce_meta_bytes(uint32_t slots, uint32_t areas);
void pz_bounce_lay_out(struct bounce_pool *p, void *meta, uint64_t first, uint32_t slots,
		       uint32_t areas);
struct bounce_pool *pz_bounce_vacant(struct pz_bounce *b);
void pz_bounce_publish(struct bounce_pool *p, uint64_t life);
void pz_bounce_vacate(struct bounce_pool *p);
int pz_bounce_share(struct pz_bounce *b, uint64_t phys, uint64_t bytes, bool shared);
struct bounce_pool *pz_bounce_find(const struct pz_bounce *b, uint64_t phys);

/* bounce_slot.c */
bool pz_bounce_could(const struct bounce_pool *p, const struct pz_reach *reach,
		     const struct bounce_want *k);
bool pz_bounce_claim(struct bounce_pool *p, const struct pz_reach *reach,
		     const struct bounce_want *k, uint32_t area, struct bounce_got *got);
bool pz_bounce_claim_live(struct bounce_pool *p, const struct pz_reach *reach,
			  const struct bounce_want *k, uint32_t cpu, struct bounce_got *got);
void pz_bounce_clear(struct bounce_pool *p, uint32_t at, uint32_t n);
/* The CPU keeps a run that is its own; false when it does not. */
bool pz_bounce_keep(struct bounce_pool *p, uint32_t cpu, uint32_t at, uint32_t n);
/* Free all that CPUs keep; a number that is another one when slots changed hands there since. */
uint32_t pz_bounce_give_up(struct pz_bounce *b);
uint32_t pz_bounce_used(const struct bounce_pool *p);
void pz_bounce_peak(struct bounce_pool *p);
uint32_t pz_bounce_longest(const struct bounce_pool *p);

/* bounce_grow.c */
int pz_bounce_grow(struct pz_bounce *b, const struct pz_dma_dev *dev, uint32_t cpu,
		   const struct bounce_want *k, struct bounce_got *got);
uint64_t pz_bounce_drop_idle(struct pz_bounce *b, struct bounce_pool *p, uint32_t cpu);

#endif
