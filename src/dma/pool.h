/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.h - what the files of the pools of small coherent objects share.
 *
 * A page, as it is called here, is one allocation of coherent memory, cut into blocks. What is
 * known of it lies in a record elsewhere:
 *  - the state: how many blocks are free in the page, or POOL_GONE;
 *  - bits that say which, set before the state counts them, and cleared only by those who took them
 *    off the state;
 *  - a mark for each block: whether it is out. A block in a magazine is free by its mark, and taken
 *    by its bit.
 * A page stands in the list exactly while its state is neither 0 nor POOL_GONE, or somebody just
 * popped it: who makes the state leave 0 pushes it, who pops it either leaves it at 0 or pushes it
 * again. A page that goes stays in the list as a stub until it is popped. Records never become
 * anything else, so a list can be walked while it changes.
 *
 *	pool        the short way, magazines, and what the user sees
 *	pool_page   records, the list, where blocks are taken from and given to
 *	pool_debug  misuse and poison
 *	pool_check  numbers and invariants
 */
#ifndef PHYSZONE_DMA_POOL_INTERNAL_H
#define PHYSZONE_DMA_POOL_INTERNAL_H

#include <physzone/dma_pool.h>

#include "dma_internal.h"

#define POOL_GONE UINT64_MAX
/* The bus address of a record that has no page: that of no page, nor within 2 GiB behind one. */
#define POOL_NO_BUS (UINT64_MAX - UINT32_MAX)
#define POOL_LEAVES 64u
#define POOL_PROBES 8u /* places of the table where a page may stand */

#define POOL_LIKELY(x) __builtin_expect(!!(x), 1)
#define POOL_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* Marks. */
#define POOL_MARK_FREE 0u
#define POOL_MARK_OUT 1u
#define POOL_MARK_FENCED 2u

/* Debug: who had a block last. */
struct pool_track {
	uint64_t site, when;
};

/*
 * A record. Behind it are the bits, the tracks with debug, and from a new line on the marks. What
 * the short way reads is a line that is not written to while the page is there.
 */
struct pool_page {
	struct pz_dma_buf buf; /* buf.bus is POOL_NO_BUS where there is no page */
	unsigned char *mark;
	uint64_t *bits;
	struct pool_track *track; /* NULL without debug */
	_Alignas(64) uint64_t state;
	uint32_t next; /* in a list: number of the next plus 1 */
	uint32_t number;
	uint32_t done; /* POOL_DONE_* */
	uint32_t used; /* it has a page */
};

/* A page that goes gives its record back when both are done. */
#define POOL_DONE_LIST 0x1u  /* it is in no list */
#define POOL_DONE_PAGES 0x2u /* its memory is given back */

/* A list of records: number of the first plus 1, and a count of changes above it. */
struct pool_list {
	uint64_t head;
};

/* A block that is free, in a magazine or on its way. */
struct pool_entry {
	uint64_t bus;
	void *cpu;
	unsigned char *mark;
};

/*
 * What a CPU has: one line. @top is past the newest block of the magazine; below the oldest stands
 * an entry whose mark says that it is out, so that an empty magazine and a block that was freed
 * twice take the same way out of the short way.
 */
struct pool_head {
	struct pool_entry *top, *end;
	uint32_t busy; /* the CPU is at work here; an interrupt handler goes the long way */
	uint32_t pad[UINTPTR_MAX == UINT32_MAX ? 13 : 11];
};

_Static_assert(sizeof(struct pool_head) == 64, "a line");

/* Where the page of a bus address probably stands: a hint, for what is not found here is searched
 * among all records. */
struct pool_table {
	uint64_t mask; /* places less 1 */
	struct pool_page *place[];
};

/* Begins memory for records and tables, which stays until the pool goes. */
struct pool_memory {
	uint64_t phys;
	uint64_t next; /* a pointer */
	uint32_t order;
};

#define POOL_MEMORY_HEAD 64u
#define POOL_FIRST_PLACES 64u

struct pz_dma_pool {
	/* What the short way needs: a line. */
	struct pool_head *heads;
	struct pool_table *table;
	uint64_t base;		 /* mask: of a bus address, leaves where its page begins */
	uint64_t recip;		 /* 2^32 times blocks per byte, rounded up; 0 when there is one */
	uint64_t divides, bound; /* n * divides < bound, modulo 2^64, when a block begins at n */
	uint32_t cpus;		 /* 0 where there are no magazines */
	uint32_t bytes;		 /* of a page */
	uint32_t run;		 /* mask: of an offset, where it is in its run; 0: the same */
	uint32_t up;		 /* what rounds the number of a block up */
	/* The rest. */
	struct pz_dma_dev *dev;
	struct pz_dma_pool_config cfg;
	struct pz_dma_pool_layout lay;
	uint32_t magazine, magazine_slots;
	void *heads_raw, *magazines_raw;
	struct pool_entry *magazines; /* of all CPUs, @magazine_slots each */
	struct pool_list partial, spare;
	uint64_t leaf[POOL_LEAVES]; /* pointers to tables of pointers to segments of records */
	uint32_t segs;		    /* claimed */
	uint32_t leaf_shift;	    /* log2 of the segments of a leaf */
	uint32_t seg_shift;	    /* log2 of the records of a segment */
	uint32_t seg_order;	    /* of its memory */
	uint64_t memory;	    /* a pointer to the newest struct pool_memory */
	uint32_t record, marks;	    /* bytes of one; where its marks begin */
	uint64_t pages, fenced, meta_bytes;
	unsigned char out; /* POOL_MARK_OUT: that of the entry below a magazine */
	char name[PZ_DMA_POOL_NAME_MAX];
};

static inline bool pool_busy(const struct pool_head *h)
{
	return *(const volatile uint32_t *)&h->busy;
}

static inline void pool_enter(struct pool_head *h)
{
	pz_poke32(&h->busy, 1);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void pool_leave(struct pool_head *h)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	pz_poke32(&h->busy, 0);
}

/* Others may count what a magazine has while its CPU is at work there. */
static inline void pool_set_top(struct pool_head *h, struct pool_entry *top)
{
	__atomic_store_n(&h->top, top, __ATOMIC_RELAXED);
}

static inline struct pool_entry *pool_bottom(const struct pz_dma_pool *p, uint32_t cpu)
{
	return p->magazines + (size_t)cpu * p->magazine_slots;
}

/*
 * The block that begins @off bytes into a page, @off less than its bytes; false when none does.
 * Blocks lie in runs without gaps: in a span, or in a page when spans leave none. Multiples of the
 * stride are told as src/slab does it: with e = divides * stride - 2^64, which is 1 to stride, k
 * strides and r bytes times divides are k * e + r * divides, and that is below per_run * e only
 * when r is 0 and k below per_run.
 * With gaps, block w of span s is the offset times per_span / span, rounded up: s * per_span + w
 * less w * gap / span, which is less than 1 (pool_layout_bad()).
 */
static inline bool pool_block_at(const struct pz_dma_pool *p, uint32_t off, uint32_t *block)
{
	uint64_t n = off * p->recip;

	if (POOL_UNLIKELY(p->run)) {
		n += p->up;
		off &= p->run;
	}
	*block = (uint32_t)(n >> 32);
	return off * p->divides < p->bound;
}

/* Where a block begins in its page. */
static inline uint32_t pool_offset(const struct pz_dma_pool *p, uint32_t block)
{
	uint32_t span = 0;

	if (POOL_UNLIKELY(p->lay.span != p->lay.bytes)) {
		span = (uint32_t)pz_udiv64(block, p->lay.per_span);
		block -= span * p->lay.per_span;
	}
	return span * p->lay.span + block * p->lay.stride;
}

static inline uint64_t pool_page_bus(const struct pz_dma_pool *p, uint64_t bus)
{
	return bus & p->base;
}

/* The table that a pool begins with lies behind it. */
static inline struct pool_table *pool_first_table(struct pz_dma_pool *p)
{
	return (struct pool_table *)(void *)(p + 1);
}

static inline struct pool_table *pool_table(const struct pz_dma_pool *p)
{
	return __atomic_load_n(&p->table, __ATOMIC_ACQUIRE);
}

static inline size_t pool_place(const struct pz_dma_pool *p, const struct pool_table *t,
				uint64_t bus)
{
	return (size_t)(pool_page_bus(p, bus) * 0x9e3779b97f4a7c15u >> 32 & t->mask);
}

static inline struct pool_page *pool_hinted(const struct pool_table *t, size_t at)
{
	return __atomic_load_n(&t->place[at], __ATOMIC_ACQUIRE);
}

/* The page of a bus address, if it stands at home, or next to it with @flip; @off: how far into it.
 */
static inline struct pool_page *pool_find_fast(const struct pz_dma_pool *p, uint64_t bus,
					       size_t flip, uint32_t *off)
{
	const struct pool_table *t = pool_table(p);
	struct pool_page *d = pool_hinted(t, pool_place(p, t, bus) ^ flip);
	uint64_t in;

	if (POOL_UNLIKELY(!d))
		return NULL;
	in = bus - pz_peek64(&d->buf.bus);
	*off = (uint32_t)in;
	return POOL_LIKELY(in < p->bytes) ? d : NULL;
}

static inline struct pool_entry pool_entry(const struct pz_dma_pool *p, struct pool_page *d,
					   uint32_t block)
{
	uint32_t off = pool_offset(p, block);
	struct pool_entry e = { d->buf.bus + off, (unsigned char *)d->buf.cpu_addr + off,
				d->mark + block };

	return e;
}

/* pool_page.c */
/* Begin, and give back all memory; no page is there any more. */
void pz_dma_pool_open(struct pz_dma_pool *p);
void pz_dma_pool_close(struct pz_dma_pool *p);
/* The page of a bus address, NULL for none. */
struct pool_page *pz_dma_pool_find(struct pz_dma_pool *p, uint64_t bus);
/* The next record that has a page, from @at on. */
struct pool_page *pz_dma_pool_next(const struct pz_dma_pool *p, uint32_t *at);
/* The record of a number, NULL for none. */
struct pool_page *pz_dma_pool_record(const struct pz_dma_pool *p, uint32_t number);
/* Make a page; its first block is the caller's. */
int pz_dma_pool_grow(struct pz_dma_pool *p, uint32_t cpu, uint32_t gfp, struct pool_entry *e);
/* Take up to @n free blocks; how many. */
uint32_t pz_dma_pool_take(struct pz_dma_pool *p, uint32_t n, struct pool_entry *e);
/* Give back blocks whose marks say that they are free. */
void pz_dma_pool_give(struct pz_dma_pool *p, uint32_t n, const struct pool_entry *e);
/* Give back the pages that are all free; bytes. */
uint64_t pz_dma_pool_shrink(struct pz_dma_pool *p, uint32_t cpu);

/* pool_debug.c */
void pz_dma_pool_found(struct pz_dma_pool *p, const char *function, enum pz_dma_pool_fault fault,
		       const void *cpu_addr, uint64_t bus);
void pz_dma_pool_poison_new(const struct pz_dma_pool *p, const struct pool_page *d);
/* Whether nobody wrote to a free block; told when somebody did. */
bool pz_dma_pool_intact(struct pz_dma_pool *p, const char *function, struct pool_page *d,
			uint32_t block);
/* A block changes hands. */
void pz_dma_pool_poison(struct pz_dma_pool *p, struct pool_page *d, uint32_t block, bool taken);

#endif
