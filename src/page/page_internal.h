/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_internal.h - the page allocator's parts, and what they ask of each other.
 *
 *	span     page frame numbers <-> frame indices; areas; what is managed
 *	tree     take and give back blocks by index: the truth
 *	hint     which parts of the tree are worth searching
 *	search   the highest or lowest free block of an order within a window
 *	run      runs of any length: their ends, taking them
 *	bound    how long a free run may be, by part of the tree
 *	seek     the highest or lowest run that a request's limits allow
 *	alloc    requests: policy, watermarks, mobility
 *	fast     the short way: per-CPU hints
 *	tell     frames that a CPU has freed and not announced yet
 *	free     frees, and what may be wrong with them
 *	cheapest what evacuating a range would take, and where that is least
 *	contig   owners of movable pages; evacuation
 *	cma      areas that are lent to movable pages
 *
 * A frame index counts frames from the first one, leaving out large holes; index and page frame
 * number agree in their low PAGE_ALIGN_SHIFT bits, so that alignment is the same in both.
 */
#ifndef PHYSZONE_PAGE_INTERNAL_H
#define PHYSZONE_PAGE_INTERNAL_H

#include <physzone/contig.h>
#include <physzone/page.h>

#include "../base/atomic.h"
#include "../base/bits.h"
#include "../base/pz_string.h"
#include "word.h"

#define PAGE_ALIGN_SHIFT 18u
#define PAGE_LEVELS_MAX 8u
#define PAGE_NODE_SHIFT 10u		  /* frames of a level-1 node */
#define PAGE_SPAN_GAP ((uint64_t)1 << 22) /* a hole of so many frames gets no indices */
#define PAGE_NONE UINT64_MAX
#define PAGE_GFP_ANY UINT32_MAX /* whatever the mobility */
#define PAGE_POISON 0xaa
#define PAGE_FALLBACK_NODES 64u /* with more nodes the order of fallback is by position */

/* What the hints above level 1 tell apart. PAGE_K_ANY: whole pageblocks, whatever their mobility.
 */
enum page_kind {
	PAGE_K_UNMOVABLE,
	PAGE_K_MOVABLE,
	PAGE_K_RECLAIMABLE,
	PAGE_K_HIGHATOMIC,
	PAGE_K_CMA,
	PAGE_K_ANY,
	PAGE_KINDS,
};

/*
 * Level 1: 32 units of 32 frames. Hints may say too much ("there may be a run") but not, once an
 * operation has returned, too little. Mobility bits are stored relative to the default mobility.
 */
struct page_node {
	uint64_t w;
	uint32_t none[WORD_SHIFT]; /* by order: units without a free run of it */
	uint32_t empty;		   /* units that are split, and may be free as a whole */
	uint32_t type[3];	   /* bits of each unit's mobility */
	uint32_t reserved;	   /* units with frames that are not managed */
	uint32_t bound;		   /* of free runs: bound.c */
	uint32_t pad[3];
};

/* Above: 32 nodes of the level below, and none[kind * 5 * level + order]: nodes without a run. */
struct page_upper {
	uint64_t w;
	uint32_t empty;
	uint32_t reserved;
	uint64_t bound;	  /* of free runs, and above it the children that it does not speak of */
	uint32_t special; /* nodes with pageblocks that are no block of PAGE_K_ANY */
	uint32_t none[];
};

struct page_level {
	unsigned char *base;
	uint64_t words;
	uint32_t stride;
};

/* Frames whose indices follow each other as their numbers do. */
struct page_span {
	uint64_t first_pfn, last_pfn; /* inclusive */
	uint64_t index;		      /* of first_pfn */
};

/* A piece of an area: frames of one zone of one node, by index. */
struct page_seg {
	uint64_t lo, hi; /* inclusive */
	uint32_t area;
	uint32_t node; /* position among the zones' nodes */
};

struct page_area {
	int32_t nid;
	uint8_t type;
	uint32_t node;
	uint64_t free;	     /* counted; what CPUs have not added yet is missing, modulo 2^64 */
	uint64_t free_cma;   /* of these, in CMA pageblocks */
	uint64_t held;	     /* by per-CPU caches */
	uint64_t highatomic; /* pages in pageblocks reserved for atomic requests */
	uint64_t managed;
	int64_t easy;  /* more free pages than this: no request meets a watermark */
	uint32_t told; /* the low hook was called, and not enough was freed since */
};

#define PAGE_CLASSES 10u /* addresses below 2^24, 2^25, ... 2^32, and the others */
#define PAGE_CLASS_BITS 24u
#define PAGE_STACK 16u
#define PAGE_TYPES 3u /* mobilities that requests have */

/* Blocks that were freed, the last on top: a ring. */
struct page_stack {
	uint32_t bottom, top; /* the first place, and the one above the last */
	uint64_t at[PAGE_STACK];
};

/* Where one CPU last saw free memory of an address class and mobility. Only hints. */
struct page_slot {
	uint32_t area;
	uint32_t pad;
	uint64_t lo, hi; /* segment of the area that they lie in; lo > hi before the first */
	uint64_t at[PZ_PAGE_ORDERS]; /* by order: an index in the word to look at, or PAGE_NONE */
};

#define PAGE_TALLIES 4u

/* Pages of an area that a CPU has not yet added to its count; one segment that it covers. */
struct page_tally {
	uint64_t lo, hi;
	uint32_t area;
	uint32_t delta; /* two's complement */
};

/* The limits that a CPU used last, and the indices that they allow. */
struct page_window {
	uint64_t min_addr, max_addr;
	uint64_t lo, hi; /* lo > hi for none */
	uint32_t class;
	uint32_t pad;
};

/*
 * The last single page that the short way gave: the same request again needs no second thought. Its
 * slot, and the indices in it that the request may have, while p->serial stands.
 */
struct page_quick {
	uint32_t gfp, serial;
	uint64_t min_addr, max_addr;
	uint64_t lo, span; /* indices [lo, lo + span] */
	struct page_slot *slot;
	struct page_stack *stack; /* of single frames */
	struct page_tally *tally; /* of the slot's area */
	const uint64_t *free;	  /* the count that has to stay above @easy */
	int64_t easy;
	uint32_t class, type;
	bool limited;
	uint32_t flip[3]; /* what turns the mobility bits of its type into zeroes */
};

struct page_cpu {
	uint32_t busy; /* an operation is under way: interrupt handlers leave the rest alone */
	uint32_t index;
	uint32_t node;		   /* position of the home node among the zones' nodes */
	uint64_t home_lo, home_hi; /* indices that cover the home node */
	struct page_quick quick;
	struct page_window window;
	uint32_t crowd; /* how often it met another CPU: it looks so many places further on */
	uint32_t crowd_seen;
	struct page_tally tally[PAGE_TALLIES];	  /* of an area at its number modulo PAGE_TALLIES */
	uint32_t stacked[PAGE_TYPES][WORD_SHIFT]; /* bit per class: its stack may have something */
	uint32_t untold; /* bit type * PAGE_CLASSES + class: slot with frames not announced */
	uint8_t cur[PAGE_CLASSES][PAGE_TYPES]
		   [PZ_PAGE_ORDERS]; /* by limit: class that had memory last */
	struct page_slot slot[PAGE_CLASSES][PAGE_TYPES];
	struct page_stack stack[PAGE_CLASSES][PAGE_TYPES][WORD_SHIFT]; /* of orders 0 to 4 */
} __attribute__((aligned(64)));

/* Marks, splits and merges: those under way in the low half, those that ended in the high half. */
struct page_settle {
	uint64_t count;
} __attribute__((aligned(64)));

#define PAGE_SETTLES 8u

struct page_hold;

/* An activated contiguous area. */
struct page_cma {
	char name[PZ_CMA_NAME];
	uint64_t lo, hi; /* indices */
	uint64_t allocs, fails, moved;
	uint64_t bytes;	  /* of this, with the bits */
	uint32_t taken[]; /* a bit for each page: pz_cma_alloc() gave it out */
};

/* An array of managed ranges, and the ones before it. */
struct page_outgrown {
	struct page_outgrown *next;
	uint64_t size;
};

struct pz_pages {
	/* Read by every request, written rarely. */
	uint32_t level_count;
	uint32_t span_count;
	uint64_t base_pfn;	 /* of span 0 */
	uint64_t frames;	 /* indices in use */
	uint64_t frames_0;	 /* of them, those of span 0 */
	uint64_t *words;	 /* level 0 */
	struct page_node *nodes; /* level 1 */
	uint32_t delta;		 /* how far a CPU's own count may be from what everybody sees */
	uint32_t serial;     /* counts what makes a struct page_quick stale; 0 is always stale */
	uint64_t keep;	     /* indices below are kept for limited requests */
	uint64_t keep_count; /* managed pages below it */
	uint64_t keep_now;   /* the same, or 0 under a policy that keeps none */
	uint32_t page_shift;
	uint32_t cpus;
	uint32_t policy;
	uint32_t slow;	  /* something forbids the short way: debugging, held frames */
	uint32_t special; /* there are pageblocks that not every request may use */
	uint32_t pageblock_order;
	uint32_t type_default;
	uint32_t join_order; /* aligned blocks up to this lie within one segment */
	uint32_t type_mask;  /* 3, or 0 without grouping: mobility of a request is gfp & this */
	struct page_cpu *cpu;
	uint8_t *owner; /* of each frame that heads a movable block; NULL before the first owner */
	struct page_level level[PAGE_LEVELS_MAX];
	struct page_span *span;
	struct page_area *area;
	struct page_seg *seg; /* ascending */
	uint32_t area_count, seg_count, seg_cap;
	uint32_t node_count;
	uint32_t *node_seg; /* node_count + 1 positions in node_order_seg */
	uint32_t *by_node;  /* segments of each node, highest first */
	int32_t *fallback;  /* node_count lists of node positions, or NULL with many nodes */
	uint32_t *node_load;
	void *raw, *cpu_raw; /* what the hooks gave for this object and for @cpu */
	/* indices, ascending, merged where they touch; changed under lock */
	struct pz_range *managed;
	uint32_t managed_count, managed_cap;
	uint32_t managed_seq; /* odd while it changes */
	struct page_outgrown *outgrown;
	uint32_t bug_lock; /* one report at a time */
	uint32_t lock;	   /* adding pages, owners, areas: never on the way of a request */
	uint64_t total;	   /* managed pages */
	int64_t easy_all;  /* as easy of an area, where the policy knows no areas */
	/* Written by the tree. */
	uint64_t free_all __attribute__((aligned(64))); /* of all areas, counted as theirs are */
	struct page_settle settle[PAGE_SETTLES];
	struct page_hold *hold;
	struct pz_page_owner owners[PZ_PAGE_OWNERS + 1];
	uint32_t owner_count;
	uint32_t bound_marks; /* counts the marks that were handed out */
	uint32_t evacuating;  /* a bit for each evacuation under way */
	struct page_cma *cma[PZ_CMA_AREAS];
	uint32_t cma_count;
	uint64_t *sites; /* PZ_PAGE_DEBUG_SITES: allocation and free site of each frame */
	uint32_t fault_search, fault_piece, fault_migrate;
	struct pz_page_config cfg;
};

/* A search: blocks of 2^order frames of a kind, wholly within [lo, hi]. */
struct page_want {
	uint64_t lo, hi;
	uint8_t order;
	uint8_t kind;
	bool low;	 /* from the lowest address up, else from the highest down */
	bool look;	 /* only say where the outermost one is; nothing changes */
	uint32_t spread; /* skip so many places where others are likely to be */
};

/* A request on its way. */
struct page_ask {
	const struct pz_page_req *req;
	uint64_t lo, hi; /* window of its limits, by index */
	uint64_t size;	 /* bytes */
	uint32_t cpu;	 /* below cpus, or PZ_CPU_NONE */
	uint32_t home;	 /* position of the preferred node */
	uint32_t node;	 /* the only node, or UINT32_MAX */
	uint8_t highest; /* highest zone type, PZ_ZONE_TYPES when zones do not count */
	uint8_t type;	 /* mobility */
	uint8_t order;	 /* of the aligned block that is tried first */
	bool block;	 /* and nothing else would do */
	bool zonelist;	 /* the policy */
	bool recent;	 /* what was found is what the CPU had freed: its hints stay as they are */
	uint64_t keep;	 /* indices below are not for it */
};

/* While a range is evacuated, its frames that are ours have an owner of our own. */
#define PAGE_EVACUATIONS 8u

/* What a frame is to somebody who wants to evacuate it. */
enum page_what { PAGE_WHAT_FREE, PAGE_WHAT_HELD, PAGE_WHAT_MOVABLE, PAGE_WHAT_FIXED };

/* Frames that are the same: a free run or a part of one, or a whole block. */
struct page_item {
	uint64_t lo, hi;
	uint8_t what; /* enum page_what */
	uint8_t owner;
};

#define PAGE_REFUSED 8u

/* A search for the range of @n frames within [lo, hi] that takes the fewest moves. */
struct page_scan {
	const struct page_ask *ask;	/* on whose behalf, or NULL: whatever is movable */
	const struct pz_limits *limits; /* alignment and boundary */
	uint64_t n, lo, hi;
	bool any; /* the highest range that can be evacuated at all */
	uint32_t refusals;
	uint64_t refused[PAGE_REFUSED]; /* frames of blocks whose owners said no */
};

/* A range that is being evacuated. */
struct page_evac {
	uint64_t lo, hi;
	uint64_t moved;	  /* pages */
	uint64_t refused; /* after -PZ_EBUSY: a frame of what stands in the way, or PAGE_NONE */
	uint8_t mark;
};

static inline uint64_t *page_word(const struct pz_pages *p, unsigned int level, uint64_t i)
{
	const struct page_level *l = &p->level[level];

	return (uint64_t *)(void *)(l->base + i * l->stride);
}

static inline struct page_node *page_node(const struct pz_pages *p, uint64_t i)
{
	return (struct page_node *)(void *)p->level[1].base + i;
}

static inline struct page_upper *page_upper(const struct pz_pages *p, unsigned int level,
					    uint64_t i)
{
	return (struct page_upper *)(void *)page_word(p, level, i);
}

/* The level at which blocks of an order live, and their length there as an order. */
static inline unsigned int page_level_of(unsigned int order)
{
	return order / WORD_SHIFT;
}

/* Address class of a frame or of a limit: 0 for addresses below 2^24. */
static inline unsigned int page_class(const struct pz_pages *p, uint64_t pfn)
{
	uint64_t v = pfn >> (PAGE_CLASS_BITS - p->page_shift);

	if (!v)
		return 0;
	v = pz_fls64(v) + 1;
	return v < PAGE_CLASSES ? (unsigned int)v : PAGE_CLASSES - 1;
}

/* With guard pages a block of one page is followed by one that is not mapped. */
static inline uint64_t page_guard(const struct pz_pages *p, uint64_t pages)
{
	return pages == 1 && (p->cfg.debug & PZ_PAGE_DEBUG_GUARD) ? 1 : 0;
}

/*
 * A CPU's own hints and counts are touched between these two only. An interrupt handler that comes
 * in between sees the CPU busy and does without.
 */
static inline void page_enter(struct page_cpu *c)
{
	pz_poke32(&c->busy, 1);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void page_leave(struct page_cpu *c)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	pz_poke32(&c->busy, 0);
}

/* What is not a single exchange happens between these two; @key spreads the counting. */
static inline void page_settle_begin(struct pz_pages *p, uint64_t key)
{
	pz_count64(&p->settle[key % PAGE_SETTLES].count, 1);
}

static inline void page_settle_end(struct pz_pages *p, uint64_t key)
{
	pz_count64(&p->settle[key % PAGE_SETTLES].count, 0xffffffffull);
}

/* It came to nothing: others have not been misled. */
static inline void page_settle_cancel(struct pz_pages *p, uint64_t key)
{
	pz_count64(&p->settle[key % PAGE_SETTLES].count, UINT64_MAX);
}

static inline void page_settle_done(struct pz_pages *p, uint64_t key, bool changed)
{
	if (changed)
		page_settle_end(p, key);
	else
		page_settle_cancel(p, key);
}

/* How many ended until now; and whether none is under way. */
static inline uint32_t page_settled(const struct pz_pages *p, bool *quiet)
{
	uint32_t ended = 0, open = 0;

	for (unsigned int i = 0; i < PAGE_SETTLES; i++) {
		uint64_t v = pz_load64(&p->settle[i].count);

		ended += (uint32_t)(v >> 32);
		open |= (uint32_t)v;
	}
	*quiet = !open;
	return ended;
}

/* The mobility of the pageblock that has a frame. */
static inline unsigned int page_type(const struct pz_pages *p, uint64_t index)
{
	const struct page_node *n = page_node(p, index >> PAGE_NODE_SHIFT);
	unsigned int u = (unsigned int)(index >> WORD_SHIFT) & 31;
	unsigned int t = pz_peek32(&n->type[0]) >> u & 1;

	t |= (pz_peek32(&n->type[1]) >> u & 1) << 1;
	t |= (pz_peek32(&n->type[2]) >> u & 1) << 2;
	return t ^ p->type_default;
}

/* Units of a level-1 node that are ruled out for some order up to @order. */
static inline uint32_t page_unit_none(const struct page_node *n, unsigned int order)
{
	uint32_t none = 0;

	for (unsigned int j = 0; j <= order; j++)
		none |= pz_load32(&n->none[j]);
	return none;
}

/* span.c */
uint64_t pz_page_to_pfn_slow(const struct pz_pages *p, uint64_t index);
uint64_t pz_page_index_slow(const struct pz_pages *p, uint64_t pfn);
const struct page_seg *pz_page_seg_of(const struct pz_pages *p, uint64_t index);

static inline uint64_t page_to_pfn(const struct pz_pages *p, uint64_t index)
{
	return index < p->frames_0 ? p->base_pfn + index : pz_page_to_pfn_slow(p, index);
}

/* The index of a frame, or PAGE_NONE when it has none. */
static inline uint64_t page_index(const struct pz_pages *p, uint64_t pfn)
{
	return pfn - p->base_pfn < p->frames_0 ? pfn - p->base_pfn : pz_page_index_slow(p, pfn);
}

/* The indices of frames wholly within inclusive addresses; false when there are none. */
bool pz_page_window(const struct pz_pages *p, uint64_t min_addr, uint64_t max_addr, uint64_t *lo,
		    uint64_t *hi);
bool pz_page_could_ever(const struct pz_pages *p, const struct page_ask *a);
bool pz_page_managed(const struct pz_pages *p, uint64_t lo, uint64_t hi);
bool pz_page_managed_next(const struct pz_pages *p, uint64_t at, struct pz_range *out);
int pz_page_managed_add(struct pz_pages *p, uint64_t lo, uint64_t hi);
void pz_page_account(struct pz_pages *p, uint32_t cpu, uint64_t lo, uint64_t hi, uint64_t sign);
void pz_page_flush(struct pz_pages *p, struct page_tally *t);
void pz_page_tally_place(struct pz_pages *p, struct page_cpu *c, uint64_t index);
void pz_page_lock(struct pz_pages *p);
void pz_page_unlock(struct pz_pages *p);

/* create.c */
void *pz_page_zeroed(struct pz_pages *p, uint64_t bytes);
int pz_page_give(struct pz_pages *p, uint64_t lo, uint64_t hi);
bool pz_page_givable(const struct pz_pages *p, struct pz_range pfns, uint64_t *lo, uint64_t *hi);

/* free.c */
void pz_page_misuse(struct pz_pages *p, const char *where, uint64_t pfn, uint64_t pages);
bool pz_page_is_tail(const struct pz_pages *p, uint64_t index);
uint64_t pz_page_block_length(const struct pz_pages *p, uint64_t index);
bool pz_page_cut(struct pz_pages *p, uint64_t index);
bool pz_page_free_block(struct pz_pages *p, uint64_t index, uint64_t n);
void pz_page_note_alloc(struct pz_pages *p, uint64_t index);

/* stat.c */
bool pz_page_next_run(const struct pz_pages *p, uint64_t *at, uint64_t hi, uint64_t *last);
uint64_t pz_page_held(const struct pz_pages *p, uint64_t lo, uint64_t hi);
uint64_t pz_page_head_of(const struct pz_pages *p, uint64_t index);

/* alloc.c */
bool pz_page_seg_asked(const struct pz_pages *p, const struct page_ask *a,
		       const struct page_seg *s);
bool pz_page_may_use(const struct pz_pages *p, const struct page_ask *a, const struct page_seg *s);
int pz_page_ask_init(const struct pz_pages *p, const struct pz_page_req *req, struct page_ask *a);
enum page_mark { PAGE_MARK_LOW, PAGE_MARK_MIN, PAGE_MARK_NONE };
void pz_page_marks(const struct pz_pages *p, const struct page_ask *a, const struct page_area *area,
		   enum page_mark mark, uint64_t *min, uint64_t *reserve);
bool pz_page_mark_floor(const struct pz_pages *p, const struct page_ask *a, uint32_t area,
			enum page_mark mark, uint64_t cma, uint64_t highatomic, uint64_t *floor);
bool pz_page_mark_ok(const struct pz_pages *p, const struct page_ask *a, uint32_t area,
		     enum page_mark mark);
void pz_page_prepare(struct pz_pages *p, const struct page_ask *a, uint64_t index, bool guard);
int pz_page_request_long(struct pz_pages *p, const struct pz_page_req *req, uint64_t *pfn);
int pz_page_request_quiet(struct pz_pages *p, const struct pz_page_req *req, uint64_t *pfn);
void pz_page_trim(struct pz_pages *p, uint64_t index, uint64_t have, uint64_t want);
uint32_t pz_page_node_at(const struct pz_pages *p, uint32_t home, uint32_t i);

/* fast.c */
bool pz_page_short(struct pz_pages *p, const struct pz_page_req *req, uint64_t *pfn);
bool pz_page_recent(struct pz_pages *p, const struct page_ask *a, uint32_t area, uint64_t *index);
void pz_page_taken(struct pz_pages *p, const struct page_ask *a, uint64_t index);

void pz_page_slot_place(struct pz_pages *p, struct page_cpu *c, unsigned int class,
			unsigned int type, uint64_t index);
uint32_t pz_page_take_more(struct pz_pages *p, uint32_t cpu, uint32_t gfp,
			   const struct pz_limits *limits, uint32_t n, uint64_t *pfns);

/* tell.c */
bool pz_page_announce(struct pz_pages *p, uint64_t index);
bool pz_page_tell(struct pz_pages *p);
uint32_t pz_page_untold(const struct pz_pages *p, uint64_t i);
void pz_page_slot_drop(struct pz_pages *p, struct page_cpu *c, unsigned int class,
		       unsigned int type);

/* highatomic.c */
void pz_page_reserve_highatomic(struct pz_pages *p, const struct page_ask *a, uint64_t index);
bool pz_page_highatomic_pick(struct pz_pages *p, const struct page_ask *a, uint64_t *index);
bool pz_page_unreserve_highatomic(struct pz_pages *p, const struct page_ask *a);

/* cheapest.c */
void pz_page_item(const struct pz_pages *p, uint64_t at, struct page_item *it);
bool pz_page_cheapest(const struct pz_pages *p, const struct page_scan *s, uint64_t *index);

/* cma.c */
void pz_page_cma_destroy(struct pz_pages *p);

/* contig.c */
int pz_page_evacuate(struct pz_pages *p, struct page_evac *e);
void pz_page_evacuated(struct pz_pages *p, const struct page_evac *e, bool guard);
int pz_page_evacuate_for(struct pz_pages *p, const struct page_ask *a, uint64_t *index);

/* hold.c */
bool pz_page_hold_has(const struct pz_pages *p, const struct page_ask *a, uint32_t area,
		      uint64_t lo, uint64_t hi);
bool pz_page_hold_take(struct pz_pages *p, const struct page_ask *a, uint32_t area, uint64_t lo,
		       uint64_t hi, uint64_t *index);
void pz_page_hold_refill(struct pz_pages *p, const struct page_ask *a, uint32_t area,
			 uint64_t index);
bool pz_page_hold_put(struct pz_pages *p, uint32_t cpu, uint64_t index);
uint64_t pz_page_hold_bytes(const struct pz_pages *p);
int pz_page_hold_create(struct pz_pages *p);
void pz_page_hold_destroy(struct pz_pages *p);

/* tree.c */
bool pz_page_split(struct pz_pages *p, unsigned int level, uint64_t unit);
bool pz_page_merge(struct pz_pages *p, unsigned int level, uint64_t unit);
void pz_page_not_empty(struct pz_pages *p, unsigned int level, uint64_t unit);
int pz_page_open(struct pz_pages *p, unsigned int level, uint64_t index);
void pz_page_freed(struct pz_pages *p, unsigned int level, uint64_t i, unsigned int unit,
		   uint32_t f);
enum word_state pz_page_probe(const struct pz_pages *p, uint64_t index, unsigned int *level);

/* hint.c */
void pz_page_set_type(struct pz_pages *p, uint64_t index, unsigned int order, unsigned int type);
uint32_t pz_page_kind_units(const struct pz_pages *p, const struct page_node *n, unsigned int kind);
void pz_page_hint_freed(struct pz_pages *p, uint64_t index, unsigned int order);
void pz_page_hint_reset(struct pz_pages *p, uint64_t index);
void pz_page_hint_unit_none(struct pz_pages *p, uint64_t unit, unsigned int order);
void pz_page_hint_none(struct pz_pages *p, unsigned int level, uint64_t child, unsigned int kind,
		       unsigned int order);
uint32_t pz_page_hint_children(const struct pz_pages *p, unsigned int level, uint64_t i,
			       unsigned int kind, unsigned int order);
bool pz_page_may(const struct pz_pages *p, unsigned int level, uint64_t i, unsigned int kind,
		 unsigned int order);
uint32_t pz_page_loose(const struct pz_pages *p, unsigned int level, uint64_t i);

/* bound.c */
#define PAGE_BOUND_MARK                                                           \
	0x80000000u /* this bit: somebody measures, or measured; nothing is known \
		     */

/* A node above level 1 that is being measured. */
struct page_measure {
	uint64_t old;	  /* its bound before */
	uint64_t most;	  /* no longer run meets the children that are known */
	uint32_t unknown; /* the others */
};

void pz_page_bound_reset(struct pz_pages *p, unsigned int level, uint64_t i, uint32_t units);
void pz_page_bound_open(struct pz_pages *p, unsigned int level, uint64_t unit, bool free);
uint64_t pz_page_bound_node(struct pz_pages *p, uint64_t i, uint64_t n, uint32_t gfp, bool special,
			    uint32_t *mark, uint32_t *f);
uint32_t pz_page_bound_begin(struct pz_pages *p, unsigned int level, uint64_t i, uint64_t n,
			     uint32_t *mark, struct page_measure *m);
void pz_page_bound_child(const struct pz_pages *p, unsigned int level, uint64_t child, uint64_t n,
			 struct page_measure *m);
void pz_page_bound_end(struct pz_pages *p, unsigned int level, uint64_t i, uint32_t mark, bool done,
		       const struct page_measure *m);

/* Whether a bound says that there is no run of @n frames. */
static inline bool page_bound_none(uint32_t bound, uint64_t n)
{
	return bound && !(bound & PAGE_BOUND_MARK) && bound <= n;
}

/* The children of a node above level 1 of which its bound does not say so. */
static inline uint32_t page_bound_may(const struct pz_pages *p, unsigned int level, uint64_t i,
				      uint64_t n)
{
	uint64_t v = pz_load64(&page_upper(p, level, i)->bound);

	return page_bound_none((uint32_t)v, n) ? (uint32_t)(v >> 32) : ~(uint32_t)0;
}

/* Whether the bound of a node says that none of it has such a run. */
static inline bool page_bound_all(const struct pz_pages *p, unsigned int level, uint64_t i,
				  uint64_t n)
{
	return level > 1 ? !page_bound_may(p, level, i, n)
			 : page_bound_none(pz_load32(&page_node(p, i)->bound), n);
}

/* Some units of the word @i of a level became free, or may have looked as if they were not. */
static inline void page_bound_freed(struct pz_pages *p, unsigned int level, uint64_t i,
				    uint32_t units)
{
	uint64_t bound = level > 1 ? pz_load64(&page_upper(p, level, i)->bound)
				   : pz_load32(&page_node(p, level ? i : i >> WORD_SHIFT)->bound);

	/* Not measured since it was opened, and a free of these units has been here before. */
	if (level > 1 && (uint32_t)bound == PAGE_BOUND_MARK && !(units & ~(uint32_t)(bound >> 32)))
		return;
	if ((uint32_t)bound)
		pz_page_bound_reset(p, level, i, units);
}

/* seek.c */
bool pz_page_run_take(struct pz_pages *p, const struct pz_page_req *req, uint64_t lo, uint64_t hi,
		      bool low, bool look, uint64_t *index);

/* search.c */
bool pz_page_tree_take(struct pz_pages *p, const struct page_want *w, uint64_t *index);

bool pz_page_near(struct pz_pages *p, uint64_t at, unsigned int order, unsigned int kind,
		  uint64_t lo, uint64_t hi, uint64_t *index);

/* run.c */
uint64_t pz_page_run_piece(struct pz_pages *p, uint64_t index, uint64_t n, bool first);
bool pz_page_run_take_at(struct pz_pages *p, uint64_t index, uint64_t n);
uint64_t pz_page_free_up(const struct pz_pages *p, uint64_t index, uint64_t hi, uint32_t gfp);
uint64_t pz_page_free_down(const struct pz_pages *p, uint64_t index, uint64_t lo, uint32_t gfp);
bool pz_page_type_serves(unsigned int type, uint32_t gfp);

/* How many places a CPU skips, so that CPUs do not meet; more when they have met. */
static inline uint32_t page_spread(const struct page_cpu *c)
{
	return ((c->index & 7) * 2 + pz_peek32(&c->crowd)) & 15;
}

/* How far the counts may be off together. */
static inline uint64_t page_uncounted(const struct pz_pages *p)
{
	return (uint64_t)p->cpus * p->delta *
	       (p->area_count < PAGE_TALLIES ? p->area_count : PAGE_TALLIES);
}

static inline void page_tally(struct pz_pages *p, struct page_tally *t, uint32_t n)
{
	uint32_t d = t->delta + n;

	pz_poke32(&t->delta, d);
	if (d + p->delta > 2 * p->delta)
		pz_page_flush(p, t);
}

/* pz_page_account() for a block of an order. */
static inline void page_account_fast(struct pz_pages *p, struct page_cpu *c, uint64_t index,
				     unsigned int order, uint64_t sign)
{
	uint64_t n = (uint64_t)1 << order, last = index + n - 1;

	if (n <= p->delta && !pz_peek32(&p->cma_count)) {
		for (unsigned int i = 0; i < PAGE_TALLIES; i++) {
			struct page_tally *t = &c->tally[i];

			if (index >= t->lo && last <= t->hi) {
				page_tally(p, t, (uint32_t)(sign * n));
				return;
			}
		}
	}
	pz_page_account(p, c->index, index, last, sign);
}

/*
 * Announce what became free with @order frames from @unit of a level-0 word on, when @f are free
 * there now; a word that is all free was announced when its bit is set. Whether there was need.
 */
static inline bool page_announce(struct pz_pages *p, uint64_t i, unsigned int unit,
				 unsigned int order, uint32_t f)
{
	const struct page_node *n = page_node(p, i >> WORD_SHIFT);
	bool bound = pz_load32(&n->bound);

	if (bound)
		pz_page_bound_reset(p, 0, i, word_mask(unit, 1u << order));
	if (~f ? !(page_unit_none(n, order + word_run_more(f, unit, order)) >> (i & 31) & 1)
	       : pz_load32(&n->empty) >> (i & 31) & 1)
		return bound;
	pz_page_freed(p, 0, i, unit, f);
	return true;
}

/* How many blocks a stack has. */
static inline uint32_t page_stacked(const struct page_stack *s)
{
	return s->top - s->bottom;
}

static inline uint64_t page_stack_top(const struct page_stack *s)
{
	return s->at[(s->top - 1) % PAGE_STACK];
}

/* Put a block that is free on a stack; a single frame need not have been announced. The oldest
 * goes. */
static inline void page_stack_push(struct pz_pages *p, struct page_cpu *c, unsigned int class,
				   unsigned int type, unsigned int order, uint64_t index)
{
	struct page_stack *s = &c->stack[class][type][order];
	uint64_t *place = &s->at[s->top % PAGE_STACK];

	if (page_stacked(s) == PAGE_STACK) {
		if (!order)
			(void)pz_page_announce(p, *place);
		s->bottom++;
	}
	pz_poke64(place, index);
	s->top++;
	if (!(c->stacked[type][order] >> class & 1))
		c->stacked[type][order] |= 1u << class;
	if (!order)
		pz_release32(&c->untold,
			     pz_peek32(&c->untold) | 1u << (type * PAGE_CLASSES + class));
}

/* Let a CPU know of a block that was freed. The newest frames are those in the cache. */
static inline void page_slot_push(struct pz_pages *p, struct page_cpu *c, unsigned int type,
				  uint64_t index, unsigned int order)
{
	unsigned int class = page_class(p, page_to_pfn(p, index));
	struct page_slot *s = &c->slot[class][type];

	if (index < s->lo || index > s->hi)
		pz_page_slot_place(p, c, class, type, index);
	if (order && order <= PZ_PAGE_MAX_ORDER)
		s->at[order] = index;
	if (order >= WORD_SHIFT)
		return;
	if (!order && class > c->quick.class)
		c->quick.serial = p->serial - 1;
	page_stack_push(p, c, class, type, order, index);
}

#endif
