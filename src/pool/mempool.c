/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mempool.c - a reserve of elements over an allocator.
 *
 * Concept
 *  The reserve is a number of places, as many as the minimum. Each is on one of two stacks: FULL,
 *  with an element in it, or EMPTY. To take an element out is to pop a full place, and to push it
 *  as an empty one; a free pops an empty place, and when there is none, the reserve is full and the
 *  element goes back to the allocator. Places that a smaller minimum leaves over are SPARE. A stack
 *  is one word: its top, and a number that changes whenever it does, so that a context that was
 *  interrupted between looking and exchanging notices. Places are never freed before the pool, so
 *  that looking at one is always possible.
 *  Who is to wait reads the ticket before he looks for an element, so that one that comes
 *  afterwards makes it another.
 *
 * Invariants, verified by pz_mempool_check() while nobody uses the pool
 *  1. Segments of places are there, in order.
 *  2. Each place is on one stack, which ends.
 *  3. Full and empty places together are as many as the minimum, which is at least 1.
 *  4. The reserve is not full only while elements are out.
 *
 * Failure
 *  Places and elements are at hand before the minimum changes.
 *
 * Shortcomings
 *  An element that is freed twice is noticed only when no other is out. Metadata stays at its peak.
 *  The number of a stack has 32 bits: a context that is stopped in between for exactly 2^32
 *  changes may take a wrong place.
 */
#include "mempool_internal.h"

static uint32_t mempool_base(unsigned int k)
{
	return NODE_FIRST * (((uint32_t)1 << k) - 1);
}

static struct mempool_node *mempool_node(const struct pz_mempool *m, uint32_t i)
{
	unsigned int k = pz_fls32(i / NODE_FIRST + 1);

	return (struct mempool_node *)(uintptr_t)pz_load64(&m->seg[k]) + (i - mempool_base(k));
}

static void mempool_push(struct pz_mempool *m, enum mempool_stack on, uint32_t i)
{
	struct mempool_node *n = mempool_node(m, i);
	uint64_t top;

	pz_poke32(&n->on, on);
	do {
		top = pz_load64(&m->top[on]);
		pz_store32(&n->next, (uint32_t)top);
	} while (!pz_cas64(&m->top[on], top, ((top >> 32) + 1) << 32 | (i + 1)));
}

static bool mempool_pop(struct pz_mempool *m, enum mempool_stack on, uint32_t *i)
{
	uint64_t top;
	uint32_t next;

	do {
		top = pz_load64(&m->top[on]);
		if (!(uint32_t)top)
			return false;
		*i = (uint32_t)top - 1;
		next = pz_load32(&mempool_node(m, *i)->next);
	} while (!pz_cas64(&m->top[on], top, ((top >> 32) + 1) << 32 | next));
	return true;
}

/* Take an element out of the reserve; its place becomes one of another stack. */
static bool mempool_take(struct pz_mempool *m, enum mempool_stack then, uint64_t *element)
{
	uint32_t i;

	if (!mempool_pop(m, STACK_FULL, &i))
		return false;
	*element = mempool_node(m, i)->element;
	mempool_push(m, then, i);
	return true;
}

/* Places for @count elements in all, of which those from @from on are spare ones. */
static int mempool_grow(struct pz_mempool *m, uint32_t count)
{
	while (mempool_base(m->segs) < count) {
		uint32_t k = m->segs, from = mempool_base(k), n = NODE_FIRST << k;
		uint64_t bytes = (uint64_t)n * sizeof(struct mempool_node);
		void *seg = bytes > SIZE_MAX ? NULL
					     : m->cfg.meta->alloc(m->cfg.meta->ctx, (size_t)bytes);

		if (!seg)
			return -PZ_ENOMEM;
		memset(seg, 0, (size_t)bytes);
		pz_store64(&m->seg[k], (uint64_t)(uintptr_t)seg);
		m->segs = k + 1;
		for (uint32_t i = n; i-- > 0;)
			mempool_push(m, STACK_SPARE, from + i);
	}
	return 0;
}

/* Make @more spare places full ones, all or none. */
static int mempool_fill(struct pz_mempool *m, uint32_t more, uint32_t gfp)
{
	uint32_t chain = 0, i;
	int ret = 0;

	/* The places are nobody else's until all are filled. */
	for (uint32_t n = 0; n < more; n++) {
		if (!mempool_pop(m, STACK_SPARE, &i)) {
			ret = -PZ_ENOMEM;
			break;
		}
		ret = m->cfg.alloc(m->cfg.ctx, gfp, &mempool_node(m, i)->element);
		if (ret) {
			mempool_push(m, STACK_SPARE, i);
			break;
		}
		pz_poke32(&mempool_node(m, i)->next, chain);
		chain = i + 1;
	}
	if (!ret)
		pz_store32(&m->min, m->min + more);
	while (chain) {
		i = chain - 1;
		chain = mempool_node(m, i)->next;
		if (ret)
			m->cfg.free(m->cfg.ctx, mempool_node(m, i)->element);
		mempool_push(m, ret ? STACK_SPARE : STACK_FULL, i);
	}
	return ret;
}

int pz_mempool_create(struct pz_mempool **out, const struct pz_mempool_config *cfg)
{
	const struct pz_meta *meta = cfg->meta;
	struct pz_mempool *m;
	int ret;

	if (!meta || !meta->alloc || !meta->free || !cfg->alloc || !cfg->free || !cfg->min ||
	    cfg->min > PZ_MEMPOOL_MAX)
		return -PZ_EINVAL;
	m = meta->alloc(meta->ctx, sizeof(*m));
	if (!m)
		return -PZ_ENOMEM;
	memset(m, 0, sizeof(*m));
	m->cfg = *cfg;
	ret = mempool_grow(m, cfg->min);
	if (!ret)
		ret = mempool_fill(m, cfg->min, cfg->gfp);
	if (ret) {
		pz_mempool_destroy(m, NULL);
		return ret;
	}
	*out = m;
	return 0;
}

int pz_mempool_destroy(struct pz_mempool *m, uint64_t *out)
{
	const struct pz_meta *meta;
	uint64_t left, element;

	if (!m)
		return 0;
	meta = m->cfg.meta;
	left = pz_load64(&m->out);
	if (left) {
		pz_bug(m->cfg.bugs, "pz_mempool_destroy", "%llu elements of pool %s are out",
		       (unsigned long long)left, pz_mempool_name(m));
		if (out)
			*out = left;
		return -PZ_EBUSY;
	}
	while (mempool_take(m, STACK_SPARE, &element))
		m->cfg.free(m->cfg.ctx, element);
	for (unsigned int k = 0; k < m->segs; k++)
		meta->free(meta->ctx, (void *)(uintptr_t)m->seg[k],
			   ((size_t)NODE_FIRST << k) * sizeof(struct mempool_node));
	meta->free(meta->ctx, m, sizeof(*m));
	return 0;
}

/* From the allocator, or the reserve; not counted yet. */
static bool mempool_get(struct pz_mempool *m, uint32_t gfp, uint64_t *element)
{
	if (!m->cfg.alloc(m->cfg.ctx, gfp, element))
		return true;
	if (!mempool_take(m, STACK_EMPTY, element))
		return false;
	pz_count64(&m->reserved, 1);
	return true;
}

int pz_mempool_alloc(struct pz_mempool *m, uint32_t gfp, uint64_t *element)
{
	uint32_t quick = (gfp & ~PZ_GFP_BLOCK) | PZ_GFP_NORETRY, ticket;
	uint64_t got;
	int ret;

	/* Counted before it is there, so that a free of it never finds less than it. */
	pz_count64(&m->out, 1);
	for (;;) {
		ticket = pz_mempool_ticket(m);
		ret = 0;
		if (mempool_get(m, quick, &got) ||
		    ((gfp & PZ_GFP_BLOCK) && mempool_get(m, gfp, &got)))
			break;
		ret = -PZ_ENOMEM;
		if (!(gfp & PZ_GFP_BLOCK) || !m->cfg.wait)
			break;
		pz_count64(&m->waits, 1);
		ret = m->cfg.wait(m->cfg.ctx, ticket);
		if (ret)
			break;
	}
	if (ret) {
		pz_count64(&m->out, UINT64_MAX);
		pz_count64(&m->refused, 1);
		return ret;
	}
	*element = got;
	return 0;
}

/* An element came into the reserve: whoever waits may go on. */
static void mempool_came(struct pz_mempool *m)
{
	pz_add32(&m->ticket, 1);
	if (m->cfg.wake)
		m->cfg.wake(m->cfg.ctx);
}

void pz_mempool_free(struct pz_mempool *m, uint64_t element)
{
	uint64_t out;
	uint32_t i;

	do {
		out = pz_load64(&m->out);
		if (!out) {
			pz_bug(m->cfg.bugs, "pz_mempool_free",
			       "0x%llx: no element of pool %s is out", (unsigned long long)element,
			       pz_mempool_name(m));
			return;
		}
	} while (!pz_cas64(&m->out, out, out - 1));
	if (!mempool_pop(m, STACK_EMPTY, &i)) {
		m->cfg.free(m->cfg.ctx, element);
		return;
	}
	mempool_node(m, i)->element = element;
	mempool_push(m, STACK_FULL, i);
	mempool_came(m);
}

int pz_mempool_resize(struct pz_mempool *m, uint32_t min, uint32_t gfp)
{
	uint64_t element;
	uint32_t i;
	int ret;

	if (!min || min > PZ_MEMPOOL_MAX)
		return -PZ_EINVAL;
	if (min > m->min) {
		uint32_t more = min - m->min;

		ret = mempool_grow(m, min);
		if (!ret)
			ret = mempool_fill(m, more, gfp);
		for (uint32_t n = 0; !ret && n < more; n++)
			mempool_came(m);
		return ret;
	}
	while (m->min > min) {
		if (mempool_pop(m, STACK_EMPTY, &i))
			mempool_push(m, STACK_SPARE, i);
		else if (mempool_take(m, STACK_SPARE, &element))
			m->cfg.free(m->cfg.ctx, element);
		else
			return -PZ_EBUSY;
		pz_store32(&m->min, m->min - 1);
	}
	return 0;
}

uint32_t pz_mempool_ticket(const struct pz_mempool *m)
{
	return pz_load32(&m->ticket);
}

const char *pz_mempool_name(const struct pz_mempool *m)
{
	return m->cfg.name ? m->cfg.name : "";
}

/* Places on a stack; more than there are, when something is wrong with it. */
static uint32_t mempool_count(const struct pz_mempool *m, enum mempool_stack on)
{
	uint32_t all = mempool_base(m->segs), n = 0;

	for (uint32_t i = (uint32_t)pz_load64(&m->top[on]); i; n++) {
		if (i > all || n == all || pz_peek32(&mempool_node(m, i - 1)->on) != on)
			return UINT32_MAX;
		i = pz_load32(&mempool_node(m, i - 1)->next);
	}
	return n;
}

void pz_mempool_stat(const struct pz_mempool *m, struct pz_mempool_stat *out)
{
	out->min = pz_load32(&m->min);
	out->reserve = mempool_count(m, STACK_FULL);
	if (out->reserve > out->min)
		out->reserve = out->min; /* it changed meanwhile */
	out->out = pz_load64(&m->out);
	out->reserved = pz_load64(&m->reserved);
	out->waits = pz_load64(&m->waits);
	out->refused = pz_load64(&m->refused);
}

int pz_mempool_check(const struct pz_mempool *m)
{
	uint32_t n[STACKS], all;

	if (m->segs > NODE_SEGMENTS)
		return 1;
	for (unsigned int k = 0; k < NODE_SEGMENTS; k++)
		if (!m->seg[k] != (k >= m->segs))
			return 1;
	all = mempool_base(m->segs);
	for (unsigned int on = 0; on < STACKS; on++) {
		n[on] = mempool_count(m, (enum mempool_stack)on);
		if (n[on] > all)
			return 2;
	}
	/* No place is on two, for each says which one it is on. */
	if ((uint64_t)n[STACK_FULL] + n[STACK_EMPTY] + n[STACK_SPARE] != all)
		return 2;
	if (n[STACK_FULL] + n[STACK_EMPTY] != m->min || !m->min)
		return 3;
	return n[STACK_EMPTY] && !m->out ? 4 : 0;
}
