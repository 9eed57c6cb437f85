/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frag_store.c - where the metadata of blocks lies, and how a block is found by address.
 *
 * Concept
 *  Metadata comes in chunks, each twice as large as the one before, and stays until the cache goes:
 *  whoever follows a number of a block finds a block, if perhaps another one by now, which the
 *  block's own word tells. So nothing here needs a lock or waits for readers.
 *  Each chunk brings its part of an index by address: buckets of eight slots, of which the base
 *  address picks one in each chunk. A block stands in a bucket that had room, of the youngest chunk
 *  if possible; a lookup tries the chunks one after the other. Taking a block out empties its slot,
 *  and leaves no mark: there is no chain to break.
 *  Sets of blocks are bits, with summaries above: a bit for each word, and one for each chunk.
 *
 * Invariants: see frag_check.c.
 *
 * Failure
 *  No metadata: the caller gets -PZ_ENOMEM. All of a block's buckets full, which four slots for
 *  each block make rare: the block is left out and counted, and while that is so, a lookup that
 *  finds nothing looks at every block.
 *
 * Shortcomings
 *  Metadata stays at its peak. A lookup is O(log blocks): one line for each chunk, and that again
 *  for each size that blocks have.
 */
#include "frag_internal.h"

static unsigned int frag_chunk_of(uint32_t index)
{
	return pz_fls32(index / FRAG_CHUNK_FIRST + 1);
}

struct frag_block *pz_frag_block(const struct pz_frag *f, uint32_t index)
{
	unsigned int k = frag_chunk_of(index);

	return frag_of_chunk(f, frag_chunk(f, k), index - frag_first(k));
}

/* Make chunk @k, unless another context does so first. */
int pz_frag_grow(struct pz_frag *f, unsigned int k)
{
	uint32_t count = FRAG_CHUNK_FIRST << k, words = count / 32, sums = (words + 31) / 32;
	uint32_t buckets = count / 2;
	uint64_t bytes = sizeof(struct frag_chunk) + (uint64_t)FRAG_SETS * (words + sums) * 4;
	uint64_t at_index, at_blocks;
	struct frag_chunk *c;
	unsigned char *raw;

	/* The index and the blocks begin on lines of their own. */
	at_index = pz_round_down(bytes + 63 + 64, 64);
	at_blocks = at_index + (uint64_t)buckets * FRAG_WAYS * 8;
	bytes = at_blocks + (uint64_t)count * f->stride;
	if (bytes > SIZE_MAX)
		return -PZ_ENOMEM;
	raw = f->cfg.meta->alloc(f->cfg.meta->ctx, (size_t)bytes);
	if (!raw)
		return -PZ_ENOMEM;
	memset(raw, 0, (size_t)bytes);
	c = (struct frag_chunk *)(void *)raw;
	c->count = count;
	c->words = words;
	c->sums = sums;
	c->buckets = buckets;
	c->bytes = (size_t)bytes;
	c->word = (uint32_t *)(void *)(c + 1);
	c->sum = c->word + (size_t)FRAG_SETS * words;
	at_index -= (uintptr_t)raw & 63;
	at_blocks -= (uintptr_t)raw & 63;
	c->index = (uint64_t *)(void *)(raw + at_index);
	c->blocks = raw + at_blocks;
	for (uint32_t i = 0; i < count; i++)
		frag_of_chunk(f, c, i)->index = frag_first(k) + i;
	memset(c->word + (size_t)FRAG_SPARE * words, 0xff, (size_t)words * 4);
	for (uint32_t i = 0; i < words; i++)
		c->sum[FRAG_SPARE * sums + i / 32] |= (uint32_t)1 << i % 32;
	if (!pz_cas64(&f->chunk[k], 0, (uint64_t)(uintptr_t)c))
		f->cfg.meta->free(f->cfg.meta->ctx, raw, (size_t)bytes);
	/* Whoever was first may be what this context interrupted: finish for it. */
	pz_cas32(&f->chunks, k, k + 1);
	pz_or32(&f->any[FRAG_SPARE], (uint32_t)1 << k);
	return 0;
}

/*
 * Who adds sets the bit, then looks whether the levels above say so. Who removes clears a level
 * above, then looks whether it was right. Whichever comes last sees the other.
 */
void pz_frag_set_add(struct pz_frag *f, unsigned int set, uint32_t index)
{
	unsigned int k = frag_chunk_of(index);
	struct frag_chunk *c = frag_chunk(f, k);
	uint32_t i = index - frag_first(k), w = i / 32;
	uint32_t *word = &c->word[set * c->words + w], *sum = &c->sum[set * c->sums + w / 32];

	pz_or32(word, (uint32_t)1 << i % 32);
	if (!(pz_load32(sum) >> w % 32 & 1))
		pz_or32(sum, (uint32_t)1 << w % 32);
	if (!(pz_load32(&f->any[set]) >> k & 1))
		pz_or32(&f->any[set], (uint32_t)1 << k);
}

/* Whether the block was a member; one context only is told so. */
bool pz_frag_set_remove(struct pz_frag *f, unsigned int set, uint32_t index)
{
	unsigned int k = frag_chunk_of(index);
	struct frag_chunk *c = frag_chunk(f, k);
	uint32_t i = index - frag_first(k), w = i / 32, bit = (uint32_t)1 << i % 32;
	uint32_t *word = &c->word[set * c->words + w], *sum = &c->sum[set * c->sums + w / 32];
	uint32_t old = pz_and32(word, ~bit);

	if (old == bit) {
		pz_and32(sum, ~((uint32_t)1 << w % 32));
		if (pz_load32(word))
			pz_or32(sum, (uint32_t)1 << w % 32);
	}
	return old & bit;
}

bool pz_frag_set_has(const struct pz_frag *f, unsigned int set, uint32_t index)
{
	unsigned int k = frag_chunk_of(index);
	const struct frag_chunk *c = frag_chunk(f, k);
	uint32_t i = index - frag_first(k);

	return pz_load32(&c->word[set * c->words + i / 32]) >> i % 32 & 1;
}

/* The first member of a chunk from @from on, as its number in the chunk. */
static uint32_t frag_chunk_next(const struct frag_chunk *c, unsigned int set, uint32_t from)
{
	const uint32_t *word = c->word + (size_t)set * c->words;
	const uint32_t *sum = c->sum + (size_t)set * c->sums;

	while (from < c->count) {
		uint32_t w = from / 32, s = w / 32;
		uint32_t v = pz_load32(&word[w]) >> from % 32;

		if (v)
			return from + pz_ctz32(v);
		/* The next word that may have one. */
		w++;
		v = w / 32 == s ? pz_load32(&sum[s]) >> w % 32 : 0;
		if (v) {
			from = (w + pz_ctz32(v)) * 32;
			continue;
		}
		for (s++; s < c->sums && !(v = pz_load32(&sum[s])); s++)
			;
		from = s < c->sums ? (s * 32 + pz_ctz32(v)) * 32 : c->count;
	}
	return FRAG_NONE;
}

/* The first member from @from on; FRAG_NONE when there seems to be none. */
uint32_t pz_frag_set_next(struct pz_frag *f, unsigned int set, uint32_t from)
{
	for (unsigned int k = frag_chunk_of(from); k < FRAG_CHUNKS; k++) {
		uint32_t first = frag_first(k), begin = from > first ? from - first : 0, i;
		const struct frag_chunk *c;

		if (!(pz_load32(&f->any[set]) >> k & 1))
			continue;
		c = frag_chunk(f, k);
		i = frag_chunk_next(c, set, begin);
		if (i == FRAG_NONE && !begin) {
			pz_and32(&f->any[set], ~((uint32_t)1 << k));
			i = frag_chunk_next(c, set, 0);
			if (i != FRAG_NONE)
				pz_or32(&f->any[set], (uint32_t)1 << k);
		}
		if (i != FRAG_NONE)
			return first + i;
	}
	return FRAG_NONE;
}

static uint64_t frag_hash(uint64_t base)
{
	return (base >> 12) * 0x9e3779b97f4a7c15u;
}

static uint64_t *frag_bucket(const struct frag_chunk *c, uint64_t hash)
{
	return c->index + ((uint32_t)(hash >> 32) & (c->buckets - 1)) * (size_t)FRAG_WAYS;
}

void pz_frag_index_add(struct pz_frag *f, struct frag_block *b)
{
	uint64_t hash = frag_hash(FRAG_BASE(b->at));
	uint64_t entry = hash << 32 | (b->index + 1);

	for (unsigned int k = pz_load32(&f->chunks); k-- > 0;) {
		uint64_t *s = frag_bucket(frag_chunk(f, k), hash);

		for (unsigned int i = 0; i < FRAG_WAYS; i++) {
			if (!pz_load64(&s[i]) && pz_cas64(&s[i], 0, entry)) {
				b->slot = &s[i];
				return;
			}
		}
	}
	b->slot = NULL;
	pz_add32(&f->unindexed, 1);
}

void pz_frag_index_remove(struct pz_frag *f, struct frag_block *b)
{
	if (b->slot)
		pz_store64(b->slot, 0);
	else
		pz_add32(&f->unindexed, UINT32_MAX);
	b->slot = NULL;
}

/* Whether @addr lies in a block; @word is then from before @at was read. */
static bool frag_covers(const struct pz_frag *f, const struct frag_block *b, uint64_t addr,
			uint64_t *word, uint64_t *at)
{
	*word = pz_load64(&b->out);
	*at = pz_load64(&b->at);
	return (*at & FRAG_LIVE) && addr - FRAG_BASE(*at) < frag_bytes_of(f, *at);
}

static struct frag_block *frag_find_at(const struct pz_frag *f, uint64_t base, uint64_t *word,
				       uint64_t *at)
{
	uint64_t hash = frag_hash(base);

	for (unsigned int k = pz_load32(&f->chunks); k-- > 0;) {
		const uint64_t *s = frag_bucket(frag_chunk(f, k), hash);

		for (unsigned int i = 0; i < FRAG_WAYS; i++) {
			uint64_t e = pz_load64(&s[i]);
			struct frag_block *b;

			if (!e || e >> 32 != (hash & UINT32_MAX))
				continue;
			b = pz_frag_block(f, (uint32_t)e - 1);
			if (frag_covers(f, b, base, word, at) && FRAG_BASE(*at) == base)
				return b;
		}
	}
	return NULL;
}

static struct frag_block *frag_find_slowly(const struct pz_frag *f, uint64_t addr, uint64_t *word,
					   uint64_t *at)
{
	for (unsigned int k = pz_load32(&f->chunks); k-- > 0;) {
		const struct frag_chunk *c = frag_chunk(f, k);

		for (uint32_t i = 0; i < c->count; i++) {
			struct frag_block *b = frag_of_chunk(f, c, i);

			if (frag_covers(f, b, addr, word, at))
				return b;
		}
	}
	return NULL;
}

/* The block that an address lies in, its word and its place; NULL when there is none. */
struct frag_block *pz_frag_find(const struct pz_frag *f, uint32_t cpu, uint64_t addr,
				uint64_t *word, uint64_t *at)
{
	uint32_t cur = cpu < f->cpus ? pz_load32(&f->slot[FRAG_SHARED + cpu].cur) : FRAG_NONE;
	struct frag_block *b;

	if (cur != FRAG_NONE) {
		b = pz_frag_block(f, cur);
		if (frag_covers(f, b, addr, word, at))
			return b;
	}
	for (uint32_t orders = pz_load32(&f->orders); orders;) {
		unsigned int order = pz_fls32(orders), shift = order + f->page_shift;

		orders &= ~((uint32_t)1 << order);
		b = frag_find_at(f, pz_round_down(addr, (uint64_t)1 << shift), word, at);
		if (b && addr - FRAG_BASE(*at) < frag_bytes_of(f, *at))
			return b;
	}
	return pz_load32(&f->unindexed) ? frag_find_slowly(f, addr, word, at) : NULL;
}
