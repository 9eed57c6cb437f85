/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buddy.c - a buddy allocator per zone with free lists; see buddy.h for what it stands for.
 *
 * Invariants: a frame with BUDDY_FREE is the head of a block on the list of its zone for the order
 * and mobility that it names; frames inside a free block have neither mark; free counts change
 * under the lock of the zone.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "buddy.h"
#include "harness.h"

#define ORDERS (BUDDY_MAX_ORDER + 1)
#define MOBILITIES 3u
#define BLOCK_ORDER 9u
#define BLOCK_PAGES (1u << BLOCK_ORDER)
#define PCP_ORDERS 4u
#define LINE 64

enum buddy_mark { BUDDY_NONE, BUDDY_FREE, BUDDY_TAKEN };

/* As large as Linux's struct page, so that it costs the caches as much. */
struct frame {
	uint8_t mark, order, mobility, zone;
	uint32_t refs;
	struct frame *next, *prev;
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct frame) == 64, "a frame is as large as Linux's");

struct pcp {
	uint32_t lock, count;
	struct frame head[PCP_ORDERS][MOBILITIES];
} __attribute__((aligned(LINE)));

struct zone {
	uint32_t lock __attribute__((aligned(LINE)));
	uint64_t free;
	uint64_t blocks[ORDERS];
	struct frame head[ORDERS][MOBILITIES];
	uint64_t min __attribute__((aligned(LINE))), low, reserve[PZ_ZONE_TYPES];
	uint64_t first, end; /* page frames */
	uint32_t batch, high;
	struct pcp *pcp; /* by CPU, or NULL */
};

struct buddy {
	struct zone zone[PZ_ZONE_TYPES];
	struct frame *frame;
	uint8_t *block; /* mobility of each pageblock */
	uint64_t frames;
	size_t bytes;
	double make_ns;
};

static inline bool buddy_trylock(uint32_t *lock)
{
	return !__atomic_load_n(lock, __ATOMIC_RELAXED) &&
	       !__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE);
}

static inline void buddy_lock(uint32_t *lock)
{
	unsigned int spins = 0;

	while (__builtin_expect(__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE), 0)) {
		while (__atomic_load_n(lock, __ATOMIC_RELAXED)) {
			bench_pause();
			if (++spins % 1024 == 0)
				sched_yield(); /* the holder may be off its processor */
		}
	}
}

static inline void buddy_unlock(uint32_t *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

static inline void list_init(struct frame *head)
{
	head->next = head->prev = head;
}

static inline bool list_empty(const struct frame *head)
{
	return head->next == head;
}

static inline void list_add(struct frame *head, struct frame *f)
{
	f->next = head->next;
	f->prev = head;
	head->next->prev = f;
	head->next = f;
}

static inline void list_del(struct frame *f)
{
	f->next->prev = f->prev;
	f->prev->next = f->next;
}

static inline uint64_t buddy_pfn(const struct buddy *b, const struct frame *f)
{
	return (uint64_t)(f - b->frame);
}

static inline void buddy_put(struct zone *z, struct frame *f, unsigned int order,
			     unsigned int mobility)
{
	f->mark = BUDDY_FREE;
	f->order = (uint8_t)order;
	f->mobility = (uint8_t)mobility;
	list_add(&z->head[order][mobility], f);
	z->blocks[order]++;
}

static inline void buddy_take(struct zone *z, struct frame *f)
{
	list_del(f);
	f->mark = BUDDY_NONE;
	z->blocks[f->order]--;
}

/* Give a block back: join it with its buddies as far as they are free as a whole. */
static void buddy_merge(struct buddy *b, struct zone *z, uint64_t pfn, unsigned int order)
{
	unsigned int mobility = b->block[pfn >> BLOCK_ORDER];

	z->free += (uint64_t)1 << order;
	for (; order < BUDDY_MAX_ORDER; order++) {
		uint64_t other = pfn ^ ((uint64_t)1 << order);
		struct frame *f = &b->frame[other];

		if (other < z->first || other >= z->end || f->mark != BUDDY_FREE ||
		    f->order != order || &b->zone[f->zone] != z)
			break;
		buddy_take(z, f);
		pfn &= other;
	}
	buddy_put(z, &b->frame[pfn], order, mobility);
}

static struct frame *buddy_split(struct zone *z, struct frame *f, unsigned int order,
				 unsigned int mobility)
{
	unsigned int have = f->order;

	buddy_take(z, f);
	z->free -= (uint64_t)1 << order;
	while (have > order) {
		have--;
		buddy_put(z, f + ((size_t)1 << have), have, mobility);
	}
	return f;
}

static struct frame *buddy_own(struct zone *z, unsigned int order, unsigned int mobility)
{
	for (unsigned int o = order; o < ORDERS; o++) {
		struct frame *head = &z->head[o][mobility];

		if (!list_empty(head))
			return buddy_split(z, head->next, order, mobility);
	}
	return NULL;
}

/* Make the free blocks of a pageblock, and the pageblock itself, another mobility's. */
static void buddy_claim(struct buddy *b, struct zone *z, uint64_t pfn, unsigned int mobility)
{
	uint64_t first = pfn & ~(uint64_t)(BLOCK_PAGES - 1), end = first + BLOCK_PAGES, pages = 0;

	for (uint64_t at = first < z->first ? z->first : first; at < end && at < z->end;) {
		struct frame *f = &b->frame[at];

		if (f->mark != BUDDY_FREE || &b->zone[f->zone] != z) {
			at++;
			continue;
		}
		list_del(f);
		f->mobility = (uint8_t)mobility;
		list_add(&z->head[f->order][mobility], f);
		pages += (uint64_t)1 << f->order;
		at += (uint64_t)1 << f->order;
	}
	if (pages >= BLOCK_PAGES / 2)
		b->block[first >> BLOCK_ORDER] = (uint8_t)mobility;
}

/* Nothing of its own mobility: take from the largest block of another. */
static struct frame *buddy_steal(struct buddy *b, struct zone *z, unsigned int order,
				 unsigned int mobility)
{
	static const uint8_t others[MOBILITIES][2] = {
		[PZ_UNMOVABLE] = { PZ_RECLAIMABLE, PZ_MOVABLE },
		[PZ_MOVABLE] = { PZ_RECLAIMABLE, PZ_UNMOVABLE },
		[PZ_RECLAIMABLE] = { PZ_UNMOVABLE, PZ_MOVABLE },
	};
	bool whole = mobility != PZ_MOVABLE;

	for (unsigned int o = BUDDY_MAX_ORDER + 1; o-- > order;) {
		for (unsigned int i = 0; i < 2; i++) {
			struct frame *head = &z->head[o][others[mobility][i]];
			uint64_t pfn;

			if (list_empty(head))
				continue;
			pfn = buddy_pfn(b, head->next);
			if (o >= BLOCK_ORDER) {
				struct frame *f = head->next;

				list_del(f);
				f->mobility = (uint8_t)mobility;
				list_add(&z->head[o][mobility], f);
				for (uint64_t k = 0; k < 1u << (o - BLOCK_ORDER); k++)
					b->block[(pfn >> BLOCK_ORDER) + k] = (uint8_t)mobility;
			} else if (whole || o >= BLOCK_ORDER / 2) {
				buddy_claim(b, z, pfn, mobility);
			} else {
				break;
			}
			return buddy_own(z, order, mobility);
		}
	}
	for (unsigned int o = order; o < ORDERS; o++) {
		for (unsigned int i = 0; i < 2; i++) {
			struct frame *head = &z->head[o][others[mobility][i]];

			if (!list_empty(head))
				return buddy_split(z, head->next, order, others[mobility][i]);
		}
	}
	return NULL;
}

static struct frame *buddy_from_zone(struct buddy *b, struct zone *z, unsigned int order,
				     unsigned int mobility)
{
	struct frame *f = buddy_own(z, order, mobility);

	return f ? f : buddy_steal(b, z, order, mobility);
}

static struct frame *buddy_from_pcp(struct buddy *b, struct zone *z, unsigned int cpu,
				    unsigned int order, unsigned int mobility)
{
	struct pcp *p = &z->pcp[cpu];
	struct frame *head = &p->head[order][mobility], *f = NULL;

	if (!buddy_trylock(&p->lock))
		return NULL;
	if (list_empty(head)) {
		uint32_t want = z->batch >> order;

		buddy_lock(&z->lock);
		for (uint32_t i = 0; i < (want ? want : 1); i++) {
			f = buddy_from_zone(b, z, order, mobility);
			if (!f)
				break;
			list_add(head->prev, f);
			p->count += 1u << order;
		}
		buddy_unlock(&z->lock);
	}
	f = NULL;
	if (!list_empty(head)) {
		f = head->next;
		list_del(f);
		p->count -= 1u << order;
	}
	buddy_unlock(&p->lock);
	return f;
}

static void buddy_pcp_flush(struct buddy *b, struct zone *z, struct pcp *p, uint32_t want)
{
	unsigned int o = 0, k = 0;

	buddy_lock(&z->lock);
	while (want && p->count) {
		struct frame *head = &p->head[o][k], *f = head->prev;

		if (list_empty(head)) {
			k = (k + 1) % MOBILITIES;
			o = k ? o : (o + 1) % PCP_ORDERS;
			continue;
		}
		list_del(f);
		buddy_merge(b, z, buddy_pfn(b, f), o);
		p->count -= 1u << o;
		want -= want < 1u << o ? want : 1u << o;
	}
	buddy_unlock(&z->lock);
}

static bool buddy_to_pcp(struct buddy *b, struct zone *z, unsigned int cpu, struct frame *f,
			 unsigned int order)
{
	struct pcp *p = &z->pcp[cpu];

	if (!buddy_trylock(&p->lock))
		return false;
	list_add(&p->head[order][b->block[buddy_pfn(b, f) >> BLOCK_ORDER]], f);
	p->count += 1u << order;
	if (p->count >= z->high)
		buddy_pcp_flush(b, z, p, z->batch);
	buddy_unlock(&p->lock);
	return true;
}

/* Empty the lists of all CPUs, as Linux does before it gives up. */
static bool buddy_drain(struct buddy *b)
{
	bool any = false;

	for (unsigned int i = 0; i < PZ_ZONE_TYPES; i++) {
		struct zone *z = &b->zone[i];

		for (unsigned int cpu = 0; z->pcp && cpu < BENCH_THREADS; cpu++) {
			buddy_lock(&z->pcp[cpu].lock);
			any = any || z->pcp[cpu].count;
			buddy_pcp_flush(b, z, &z->pcp[cpu], UINT32_MAX);
			buddy_unlock(&z->pcp[cpu].lock);
		}
	}
	return any;
}

static struct frame *buddy_from_zones(struct buddy *b, unsigned int cpu, unsigned int order,
				      unsigned int mobility, unsigned int flags, bool low)
{
	uint64_t more = ((uint64_t)1 << order) - 1;

	for (unsigned int i = PZ_ZONE_NORMAL + 1; i-- > 0;) {
		struct zone *z = &b->zone[i];
		uint64_t free = __atomic_load_n(&z->free, __ATOMIC_RELAXED);
		struct frame *f = NULL;

		if (!(flags & BUDDY_NOMARK) &&
		    free <= (low ? z->low : z->min) + z->reserve[PZ_ZONE_NORMAL] + more)
			continue;
		if (z->pcp && order < PCP_ORDERS)
			f = buddy_from_pcp(b, z, cpu, order, mobility);
		if (!f && free > more) {
			buddy_lock(&z->lock);
			f = buddy_from_zone(b, z, order, mobility);
			buddy_unlock(&z->lock);
		}
		if (f)
			return f;
	}
	return NULL;
}

bool buddy_alloc(struct buddy *b, unsigned int cpu, unsigned int order, unsigned int mobility,
		 unsigned int flags, uint64_t *pfn)
{
	struct frame *f;

	if (order > BUDDY_MAX_ORDER)
		return false;
	f = buddy_from_zones(b, cpu, order, mobility, flags, true);
	if (__builtin_expect(!f, 0))
		f = buddy_from_zones(b, cpu, order, mobility, flags, false);
	if (__builtin_expect(!f, 0) && buddy_drain(b))
		f = buddy_from_zones(b, cpu, order, mobility, flags, false);
	if (!f)
		return false;
	f->mark = BUDDY_TAKEN;
	f->order = (uint8_t)order;
	__atomic_store_n(&f->refs, 1, __ATOMIC_RELAXED);
	*pfn = buddy_pfn(b, f);
	return true;
}

void buddy_free(struct buddy *b, unsigned int cpu, uint64_t pfn, unsigned int order)
{
	struct frame *f = &b->frame[pfn];
	struct zone *z = &b->zone[f->zone];

	if (__atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL))
		return;
	f->mark = BUDDY_NONE;
	if (z->pcp && order < PCP_ORDERS && buddy_to_pcp(b, z, cpu, f, order))
		return;
	buddy_lock(&z->lock);
	buddy_merge(b, z, pfn, order);
	buddy_unlock(&z->lock);
}

static bool buddy_zone(const struct pz_zone *from, struct zone *z, bool pcp)
{
	for (unsigned int o = 0; o < ORDERS; o++)
		for (unsigned int k = 0; k < MOBILITIES; k++)
			list_init(&z->head[o][k]);
	z->first = from->start_pfn;
	z->end = from->start_pfn + from->spanned;
	z->min = from->min;
	z->low = from->low;
	memcpy(z->reserve, from->reserve, sizeof(z->reserve));
	z->batch = from->pcp_batch ? from->pcp_batch : 1;
	z->high = from->pcp_high > z->batch ? from->pcp_high : z->batch;
	if (!pcp)
		return true;
	z->pcp = aligned_alloc(LINE, sizeof(*z->pcp) * BENCH_THREADS);
	if (!z->pcp)
		return false;
	memset(z->pcp, 0, sizeof(*z->pcp) * BENCH_THREADS);
	for (unsigned int i = 0; i < BENCH_THREADS; i++)
		for (unsigned int o = 0; o < PCP_ORDERS; o++)
			for (unsigned int k = 0; k < MOBILITIES; k++)
				list_init(&z->pcp[i].head[o][k]);
	return true;
}

/* Free all memory, in the largest blocks that its alignment allows. */
static void buddy_fill(struct buddy *b, const struct machine *m)
{
	struct pz_range r;

	for (unsigned int i = 0; machine_range(m, i, &r); i++) {
		for (unsigned int k = 0; k < PZ_ZONE_TYPES; k++) {
			const struct zone *z = &b->zone[k];
			uint64_t pfn = r.first > z->first ? r.first : z->first;

			for (; pfn <= r.last && pfn < z->end; pfn++)
				b->frame[pfn].zone = (uint8_t)k;
		}
		for (uint64_t pfn = r.first; pfn <= r.last;) {
			unsigned int order = BUDDY_MAX_ORDER;

			while (pfn & (((uint64_t)1 << order) - 1) ||
			       pfn + ((uint64_t)1 << order) - 1 > r.last)
				order--;
			buddy_merge(b, &b->zone[b->frame[pfn].zone], pfn, order);
			pfn += (uint64_t)1 << order;
		}
	}
}

struct buddy *buddy_make(const struct machine *m, bool pcp)
{
	struct buddy *b = aligned_alloc(LINE, sizeof(*b));
	double start = bench_wall_ns();
	size_t blocks;

	if (!b)
		return NULL;
	memset(b, 0, sizeof(*b));
	/* To the end of the last block, so that every buddy has a frame. */
	b->frames = ((m->bytes + GIB) / PAGE_BYTES + (1u << BUDDY_MAX_ORDER) - 1) &
		    ~(uint64_t)((1u << BUDDY_MAX_ORDER) - 1);
	blocks = b->frames >> BLOCK_ORDER;
	b->bytes = b->frames * sizeof(*b->frame);
	b->frame = mmap(NULL, b->bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	b->block = malloc(blocks);
	if (b->frame == MAP_FAILED || !b->block) {
		free(b->block);
		free(b);
		return NULL;
	}
	madvise(b->frame, b->bytes, MADV_HUGEPAGE);
	memset(b->block, PZ_MOVABLE, blocks);
	for (unsigned int i = 0; i < PZ_ZONE_TYPES; i++) {
		if (!buddy_zone(&m->zones.node[0].zone[i], &b->zone[i], pcp)) {
			buddy_free_all(b);
			return NULL;
		}
	}
	buddy_fill(b, m);
	b->make_ns = bench_wall_ns() - start;
	return b;
}

void buddy_free_all(struct buddy *b)
{
	if (!b)
		return;
	for (unsigned int i = 0; i < PZ_ZONE_TYPES; i++)
		free(b->zone[i].pcp);
	munmap(b->frame, b->bytes);
	free(b->block);
	free(b);
}

uint64_t buddy_free_pages(const struct buddy *b, unsigned int order)
{
	uint64_t pages = 0;

	for (unsigned int i = 0; i < PZ_ZONE_TYPES; i++)
		for (unsigned int o = order; o < ORDERS; o++)
			pages += b->zone[i].blocks[o] << o;
	return pages;
}

uint64_t buddy_state_bytes(const struct buddy *b)
{
	return b->bytes + (b->frames >> BLOCK_ORDER);
}

double buddy_make_ns(const struct buddy *b)
{
	return b->make_ns;
}
