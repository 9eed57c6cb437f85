/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * genpool_chunk.c - chunks come, are found, and go, while others look at them.
 *
 * Concept
 *  A chunk has a slot, and a descriptor with its map. Slots stay as long as the pool: anyone may
 *  read one at any time, and knows by its seq whether what he read is of one chunk. Descriptors
 *  go with their chunks: who looks at one has pinned the slot or bespoken granules there, either
 *  of which is one compare-and-exchange of the slot's state, and only goes through while the chunk
 *  is LIVE. Nothing else is counted, so a chunk is unused when its state says that no granule is.
 *  To remove it is to make the same word DEAD. From then on pins only go; whoever takes the last
 *  one away has a slot that nobody else touches, empties it and releases the chunk: the remover,
 *  or somebody who is just leaving. So nobody waits, and no call is interrupted at a point where
 *  another must not run.
 *  Metadata from the hook is not freed by whoever leaves last, who may be an interrupt handler, but
 *  kept for the next call that may call the hook.
 *  The newest chunk is the one with the largest seq. A bit for each slot tells where there may be
 *  room, and a table of hints which slot an address may be of; both may be wrong, and slots tell.
 *
 * Invariants: see genpool_check.c.
 *
 * Failure
 *  Everything is at hand before a slot is taken, so that it only fails on an overlap, and is then
 *  left as it was.
 *
 * Shortcomings
 *  An address without a hint is looked for one slot after the other. At most 1023 contexts look
 *  at a chunk at once; one more does not see it. Slots are not given back before the pool is.
 */
#include "genpool_internal.h"

uint64_t pz_genpool_sum(const void *p, size_t bytes)
{
	const unsigned char *c = p;
	uint64_t h = 0x9e3779b97f4a7c15u;

	for (size_t i = 0; i < bytes; i++)
		h = ((h ^ c[i]) * 0x100000001b3u) ^ h >> 29;
	return h;
}

uint64_t pz_genpool_slot_sum(const struct genpool_slot *s)
{
	uint64_t v[6] = { s->seq, s->first, s->last, s->phys, s->shape, s->chunk };

	return pz_genpool_sum(v, sizeof(v));
}

uint64_t pz_genpool_chunk_sum(const struct genpool_chunk *c)
{
	const unsigned char *from = (const unsigned char *)&c->granules;

	return pz_genpool_sum(from, (size_t)((const unsigned char *)&c->grave - from));
}

/* Take @less (pins, granules) off the state and add @also (SLOT_TOUCHED): done with the chunk. */
void pz_genpool_leave(struct pz_genpool *p, struct genpool_slot *s, uint64_t less, uint64_t also)
{
	uint64_t v, w, shape = pz_load64(&s->shape);
	bool autos = SHAPE_FLAGS(shape) & PZ_GENPOOL_AUTO;

	do {
		v = pz_load64(&s->state);
		w = (v - less) | also;
		if (autos && (w & SLOT_TOUCHED) && !SLOT_USED(w))
			w |= SLOT_DEAD;
	} while (!pz_cas64(&s->state, v, w));
	if (SLOT_USED(less) && SLOT_PHASE(w) == SLOT_LIVE)
		pz_genpool_room(p, SHAPE_SLOT(shape), true);
	if (SLOT_PHASE(w) == SLOT_DEAD && !SLOT_PINS(w))
		pz_genpool_bury(p, s);
}

/* A chunk may have a free granule; or has none, as it seems. */
void pz_genpool_room(struct pz_genpool *p, uint32_t i, bool has)
{
	unsigned int k = pz_fls32(i / SLOT_FIRST + 1);
	uint64_t *word = genpool_room(p, k) + (i - genpool_base(k)) / 64;
	uint64_t bit = (uint64_t)1 << (i - genpool_base(k)) % 64, old;

	if (!has) {
		const struct genpool_slot *s = genpool_slot(p, i);

		do {
			old = pz_load64(word);
		} while (!pz_cas64(word, old, old & ~bit));
		/* Look again: one who gave room back may have found the bit still there. */
		old = pz_load64(&s->state);
		has = SLOT_PHASE(old) == SLOT_LIVE &&
		      SLOT_USED(old) < SHAPE_GRANULES(pz_load64(&s->shape));
	}
	if (!has)
		return;
	for (old = pz_load64(word); !(old & bit); old = pz_load64(word))
		if (pz_cas64(word, old, old | bit))
			return;
}

static bool chunk_has(const struct pz_genpool *p, uint32_t i, uint64_t addr)
{
	struct genpool_seen seen;

	return genpool_see(genpool_slot(p, i), &seen) && addr >= seen.first && addr <= seen.last;
}

/* The slot of the chunk that an address lies in, or PZ_GENPOOL_NONE. */
uint32_t pz_genpool_find(const struct pz_genpool *p, uint64_t addr)
{
	uint32_t top = pz_load32(&p->top), i = pz_peek32(&p->recent), last, hash, *hint;

	if (i < top && chunk_has(p, i, addr))
		return i;
	last = pz_load32(&p->segs) - 1;
	hash = (uint32_t)((addr >> pz_peek32(&p->shift)) * 0x9e3779b97f4a7c15u >> (60 - last));
	hint = (uint32_t *)(void *)(genpool_room(p, last) + genpool_rooms(last));
	for (unsigned int way = 0; way < 2; way++) {
		i = pz_peek32(&hint[hash ^ way]);
		if (i && i <= top && chunk_has(p, i - 1, addr))
			return i - 1;
	}
	for (i = 0; i < top; i++) {
		if (!chunk_has(p, i, addr))
			continue;
		/* For the next time, and perhaps instead of another one. */
		hash ^= pz_peek32(&hint[hash]) ? 1 ^ (i & pz_peek32(&hint[hash ^ 1])) % 2 : 0;
		pz_poke32(&hint[hash], i + 1);
		return i;
	}
	return PZ_GENPOOL_NONE;
}

/* The slot of the newest chunk that is older than @below, or PZ_GENPOOL_NONE. */
uint32_t pz_genpool_newest(const struct pz_genpool *p, uint64_t below, uint64_t *seq)
{
	uint32_t top = pz_load32(&p->top), found = PZ_GENPOOL_NONE;
	struct genpool_seen seen;

	*seq = 0;
	for (uint32_t i = 0; i < top; i++) {
		if (genpool_see(genpool_slot(p, i), &seen) && seen.seq < below && seen.seq > *seq) {
			*seq = seen.seq;
			found = i;
		}
	}
	return found;
}

/* What is known of a pinned chunk. */
void pz_genpool_info(const struct pz_genpool *p, const struct genpool_slot *s,
		     struct pz_genpool_info *info)
{
	const struct genpool_chunk *c = genpool_chunk_of(s);
	uint64_t used = SLOT_USED(pz_load64(&s->state));

	info->addr = pz_load64(&s->first);
	info->size = pz_load64(&s->last) - info->addr + 1;
	info->phys = pz_load64(&s->phys);
	info->granules = c->granules;
	info->avail = used < c->granules ? (c->granules - used) << p->cfg.order : 0;
	info->owner = c->owner;
	info->mem = c->hooked ? NULL : c->mem;
	info->mem_bytes = c->hooked ? 0 : (size_t)c->mem_bytes;
}

/* Release the chunk of a slot that is DEAD without pins, and so nobody else's. */
void pz_genpool_bury(struct pz_genpool *p, struct genpool_slot *s)
{
	struct genpool_chunk *c = genpool_chunk_of(s);
	void (*release)(void *ctx, const struct pz_genpool_info *info) = c->release;
	void *ctx = c->release_ctx;
	struct pz_genpool_info info;

	pz_genpool_info(p, s, &info);
	pz_count64(&p->chunks, ((uint64_t)1 << 32) - 1);
	pz_store64(&s->seq, 0);
	pz_store64(&s->state, SLOT_VACANT);
	if (c->hooked) {
		do {
			c->grave = pz_load64(&p->graves);
		} while (!pz_cas64(&p->graves, c->grave, (uint64_t)(uintptr_t)c));
	}
	if (release)
		release(ctx, &info);
}

/* Give metadata of chunks that are gone back to the hook. */
void pz_genpool_reap(struct pz_genpool *p)
{
	uint64_t all = pz_load64(&p->graves);

	while (all && !pz_cas64(&p->graves, all, 0))
		all = pz_load64(&p->graves);
	while (all) {
		struct genpool_chunk *c = (struct genpool_chunk *)(uintptr_t)all;

		all = c->grave;
		p->cfg.meta->free(p->cfg.meta->ctx, c->mem, (size_t)c->mem_bytes);
	}
}

size_t pz_genpool_chunk_bytes(uint32_t order, uint64_t size)
{
	uint64_t bytes;

	if (order > 63 || !(size >> order) || size >> order > PZ_GENPOOL_GRANULES)
		return 0;
	bytes = sizeof(struct genpool_chunk) + 8 * pz_genpool_map_words((uint32_t)(size >> order));
	return bytes > SIZE_MAX ? 0 : (size_t)bytes;
}

/* Bytes of a segment of slots. */
size_t pz_genpool_segment(unsigned int k)
{
	return ((size_t)SLOT_FIRST << k) * (sizeof(struct genpool_slot) + SLOT_HINTS * 4) +
	       genpool_rooms(k) * (size_t)8;
}

int pz_genpool_reserve(struct pz_genpool *p, uint32_t chunks)
{
	const struct pz_meta *meta = p->cfg.meta;

	pz_genpool_reap(p);
	if (chunks > genpool_base(SLOT_SEGMENTS))
		return -PZ_EINVAL;
	for (;;) {
		uint32_t k = pz_load32(&p->segs);
		size_t bytes;
		void *seg;

		if (chunks <= genpool_base(k))
			return 0;
		bytes = pz_genpool_segment(k);
		seg = meta->alloc(meta->ctx, bytes);
		if (!seg)
			return -PZ_ENOMEM;
		memset(seg, 0, bytes);
		if (pz_cas64(&p->seg[k], 0, (uint64_t)(uintptr_t)seg))
			pz_store64(&p->seg_not[k], ~(uint64_t)(uintptr_t)seg);
		else
			meta->free(meta->ctx, seg, bytes);
		/* Also for one who was first, and is stopped here. */
		pz_cas32(&p->segs, k, k + 1);
	}
}

/* A slot of one's own, or PZ_GENPOOL_NONE. */
static uint32_t chunk_slot(struct pz_genpool *p)
{
	uint32_t room = genpool_base(pz_load32(&p->segs)), top;

	for (uint32_t i = 0; i < room; i++) {
		struct genpool_slot *s = genpool_slot(p, i);

		if (SLOT_PHASE(pz_load64(&s->state)) != SLOT_VACANT ||
		    !pz_cas64(&s->state, SLOT_VACANT, SLOT_FILLING))
			continue;
		do {
			top = pz_load32(&p->top);
		} while (top <= i && !pz_cas32(&p->top, top, i + 1));
		return i;
	}
	return PZ_GENPOOL_NONE;
}

/* The slot of another chunk, or of one that is being added, that overlaps; or PZ_GENPOOL_NONE. */
static uint32_t chunk_overlap(const struct pz_genpool *p, uint32_t self, uint64_t first,
			      uint64_t last)
{
	uint32_t top = pz_load32(&p->top);

	for (uint32_t i = 0; i < top; i++) {
		const struct genpool_slot *s = genpool_slot(p, i);
		uint64_t seq = pz_load64(&s->seq), from, to, phase;

		if (i == self || !seq)
			continue;
		from = pz_load64(&s->first);
		to = pz_load64(&s->last);
		phase = SLOT_PHASE(pz_load64(&s->state));
		if (pz_load64(&s->seq) == seq && from <= last && to >= first &&
		    (phase == SLOT_LIVE || phase == SLOT_FILLING))
			return i;
	}
	return PZ_GENPOOL_NONE;
}

static uint64_t chunk_seq(struct pz_genpool *p)
{
	uint64_t seq;

	do {
		seq = pz_load64(&p->seq);
	} while (!pz_cas64(&p->seq, seq, seq + 1));
	return seq + 1;
}

static int chunk_ok(const struct pz_genpool *p, const struct pz_genpool_chunk *k)
{
	uint64_t granules = k->size >> p->cfg.order;

	if (!granules || (k->flags & ~PZ_GENPOOL_AUTO) ||
	    ((k->flags & PZ_GENPOOL_AUTO) && !k->release))
		return -PZ_EINVAL;
	if (granules > PZ_GENPOOL_GRANULES || k->addr > UINT64_MAX - (k->size - 1) ||
	    (k->phys != PZ_GENPOOL_NO_PHYS && k->phys > UINT64_MAX - (k->size - 1)))
		return -PZ_EOVERFLOW;
	if (k->mem &&
	    ((uintptr_t)k->mem % 8 || k->mem_bytes < pz_genpool_chunk_bytes(p->cfg.order, k->size)))
		return -PZ_EINVAL;
	return 0;
}

/* The descriptor: the caller's memory, or the hook's. */
static struct genpool_chunk *chunk_make(struct pz_genpool *p, const struct pz_genpool_chunk *k)
{
	size_t bytes = pz_genpool_chunk_bytes(p->cfg.order, k->size);
	struct genpool_chunk *c = k->mem;

	if (!c && bytes)
		c = p->cfg.meta->alloc(p->cfg.meta->ctx, bytes);
	if (!c || !bytes)
		return NULL;
	memset(c, 0, bytes);
	c->hooked = !k->mem;
	c->owner = k->owner;
	c->release = k->release;
	c->release_ctx = k->release_ctx;
	c->mem = c;
	c->mem_bytes = k->mem ? k->mem_bytes : bytes;
	pz_genpool_map_init(c, (uint32_t)(k->size >> p->cfg.order));
	c->sum = pz_genpool_chunk_sum(c);
	return c;
}

static int chunk_refuse(const struct pz_genpool *p, uint64_t first, uint64_t last)
{
	pz_bug(p->cfg.bugs, "pz_genpool_add", "0x%llx-0x%llx overlaps a chunk of pool %s",
	       (unsigned long long)first, (unsigned long long)last, pz_genpool_name(p));
	return -PZ_EEXIST;
}

int pz_genpool_add(struct pz_genpool *p, const struct pz_genpool_chunk *chunk)
{
	uint64_t last = chunk->addr + (chunk->size - 1);
	struct genpool_chunk *c;
	struct genpool_slot *s;
	uint32_t i, other;
	int ret = chunk_ok(p, chunk);

	if (ret)
		return ret;
	if (p->closing)
		return -PZ_EBUSY;
	/* Before its memory is touched: it may be that of the chunk which it overlaps. */
	if (chunk_overlap(p, PZ_GENPOOL_NONE, chunk->addr, last) != PZ_GENPOOL_NONE)
		return chunk_refuse(p, chunk->addr, last);
	if (!chunk->mem)
		pz_genpool_reap(p);
	c = chunk_make(p, chunk);
	if (!c)
		return -PZ_ENOMEM;
	while ((i = chunk_slot(p)) == PZ_GENPOOL_NONE) {
		if (chunk->mem)
			return -PZ_ENOSPC;
		ret = pz_genpool_reserve(p, genpool_base(pz_load32(&p->segs)) + 1);
		if (ret) {
			p->cfg.meta->free(p->cfg.meta->ctx, c, (size_t)c->mem_bytes);
			return ret == -PZ_EINVAL ? -PZ_ENOSPC : ret;
		}
	}
	s = genpool_slot(p, i);
	pz_store64(&s->first, chunk->addr);
	pz_store64(&s->last, last);
	pz_store64(&s->phys, chunk->phys);
	pz_store64(&s->shape, (uint64_t)chunk->flags << 56 | (uint64_t)i << 32 | c->granules);
	pz_store64(&s->chunk, (uint64_t)(uintptr_t)c);
	/* Say where it lies, then look at the others: of two that overlap, one sees the other. */
	pz_store64(&s->seq, chunk_seq(p));
	s->sum = pz_genpool_slot_sum(s);
	other = chunk_overlap(p, i, chunk->addr, last);
	if (other == PZ_GENPOOL_NONE) {
		pz_count64(&p->chunks, ((uint64_t)1 << 32) + 1);
		pz_store64(&s->state, SLOT_LIVE);
		pz_genpool_room(p, i, true);
		pz_poke32(&p->newest, i);
		if (pz_fls64(chunk->size) < pz_peek32(&p->shift))
			pz_poke32(&p->shift, pz_fls64(chunk->size));
		return 0;
	}
	pz_store64(&s->seq, 0);
	pz_store64(&s->state, SLOT_VACANT);
	if (!chunk->mem)
		p->cfg.meta->free(p->cfg.meta->ctx, c, (size_t)c->mem_bytes);
	return chunk_refuse(p, chunk->addr, last);
}

int pz_genpool_remove(struct pz_genpool *p, uint64_t addr)
{
	uint32_t i = pz_genpool_find(p, addr);
	const struct genpool_chunk *c;
	struct genpool_slot *s;
	bool later;
	uint64_t v;

	if (i == PZ_GENPOOL_NONE)
		return -PZ_ENOENT;
	s = genpool_slot(p, i);
	if (!genpool_pin(s))
		return -PZ_ENOENT;
	if (pz_load64(&s->first) != addr) {
		pz_genpool_leave(p, s, SLOT_PIN, 0);
		return -PZ_ENOENT;
	}
	c = genpool_chunk_of(s);
	later = c->hooked || c->release;
	do {
		v = pz_load64(&s->state);
		/* Another remover was quicker: nothing begins here any more. */
		if (SLOT_PHASE(v) != SLOT_LIVE || SLOT_USED(v) || (!later && SLOT_PINS(v) > 1)) {
			pz_genpool_leave(p, s, SLOT_PIN, 0);
			return SLOT_PHASE(v) == SLOT_LIVE ? -PZ_EBUSY : -PZ_ENOENT;
		}
	} while (!pz_cas64(&s->state, v, (v - SLOT_PIN) | SLOT_DEAD));
	if (SLOT_PINS(v) == 1)
		pz_genpool_bury(p, s);
	return 0;
}
