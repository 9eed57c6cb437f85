/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frag.c - pieces of blocks of pages.
 *
 * Concept
 *  Each CPU has a slot with a block that it cuts pieces from, downwards. A slot is taken by setting
 *  a flag; who finds it set (an interrupt handler on top of what it interrupted, a caller without a
 *  CPU) turns to one of a few shared slots, and where those are busy too, takes a block for itself.
 *  So nobody waits, and only one context at a time cuts a block: it holds the block.
 *  A block's word counts what is out of it and says whether it is held. Who makes the word "nothing
 *  out, not held", gives the block back: there is one such context, for the word then changes for
 *  good. A piece is freed by lowering the word, from any CPU.
 *  With PZ_FRAG_REUSE a block also has maps of its granules. A piece's first and last granule are
 *  marked, so that a free is checked against marks that nobody else touches while the piece is out;
 *  clearing the first mark decides between two frees of the same piece. Blocks that nobody holds
 *  stand in a set by the length of a free run in them, where those who need room look first.
 *
 * Invariants: see frag_check.c.
 *
 * Failure
 *  No slot is busy while pages are asked for, so the allocator's hooks may use the cache. When
 *  there are none, the slot has the block that it had.
 *
 * Shortcomings
 *  What is left of a block that a smaller piece would fit is lost without PZ_FRAG_REUSE once a
 *  larger piece made the CPU go on to another. A size told wrongly is seen by granules only with
 *  PZ_FRAG_REUSE, and without it only in sum. A piece freed twice, with the same place given out
 *  anew in between, is the new owner's piece freed.
 */
#include "frag_internal.h"

#define FRAG_TRIES 8u /* blocks looked at that may have no room after all */

static void frag_count(uint32_t *low, uint32_t *high)
{
	uint32_t v = pz_peek32(low) + 1;

	pz_poke32(low, v);
	if (!v)
		pz_poke32(high, pz_peek32(high) + 1);
}

/* A slot of one's own for a moment, or NULL. */
static struct frag_slot *frag_claim(struct pz_frag *f, uint32_t cpu)
{
	if (cpu < f->cpus && pz_cas32(&f->slot[FRAG_SHARED + cpu].busy, 0, 1))
		return &f->slot[FRAG_SHARED + cpu];
	for (uint32_t i = 0; i < FRAG_SHARED; i++)
		if (!pz_peek32(&f->slot[i].busy) && pz_cas32(&f->slot[i].busy, 0, 1))
			return &f->slot[i];
	return NULL;
}

static void frag_unclaim(struct frag_slot *s)
{
	pz_release32(&s->busy, 0);
}

static uint32_t frag_granules(const struct pz_frag *f, const struct frag_block *b)
{
	return frag_bytes_of(f, b->at) >> f->granule_shift;
}

/* Remember that a block nobody holds has a free run of @run granules. */
static void frag_offer(struct pz_frag *f, uint32_t index, uint32_t run)
{
	if (run && !pz_frag_set_has(f, pz_fls32(run), index))
		pz_frag_set_add(f, pz_fls32(run), index);
}

/* Give a block back that the caller left with nothing out and not held. */
static void frag_release(struct pz_frag *f, uint32_t cpu, struct frag_block *b)
{
	uint64_t at = b->at;

	/* Before the pages are others' pages. */
	pz_frag_index_remove(f, b);
	pz_store64(&b->at, 0);
	pz_count64(&f->blocks, UINT64_MAX);
	pz_count64(&f->block_bytes, 0 - (uint64_t)frag_bytes_of(f, at));
	pz_free_pages(f->cfg.pages, cpu, FRAG_BASE(at) >> f->page_shift, FRAG_ORDER(at));
	pz_frag_set_add(f, FRAG_SPARE, b->index);
}

/* Hold a block that has pieces out and nobody holds. */
static bool frag_hold(struct frag_block *b)
{
	uint64_t w = pz_load64(&b->out);

	while (FRAG_PIECES(w) && !(w & FRAG_HELD)) {
		if (pz_cas64(&b->out, w, w | FRAG_HELD))
			return true;
		w = pz_load64(&b->out);
	}
	return false;
}

/* Let a block go; pages given back by that. */
static uint32_t frag_unhold(struct pz_frag *f, uint32_t cpu, struct frag_block *b)
{
	uint32_t granules = frag_granules(f, b);
	uint32_t pages = (uint32_t)1 << FRAG_ORDER(b->at);
	uint64_t w = pz_load64(&b->out);

	while (!pz_cas64(&b->out, w,
			 FRAG_PIECES(w) ? w & ~FRAG_HELD : (w & ~FRAG_HELD) + FRAG_LIFE))
		w = pz_load64(&b->out);
	if (!FRAG_PIECES(w)) {
		frag_release(f, cpu, b);
		return pages;
	}
	/* After the word says so: a free that saw the block held is seen here. */
	if (frag_reuses(f))
		frag_offer(f, b->index, pz_frag_map_longest(b->bits, granules));
	return 0;
}

/* Pages for a block: a full one, else what holds @size bytes. */
static int frag_pages(struct pz_frag *f, uint32_t cpu, uint32_t gfp, uint32_t size, uint64_t *pfn,
		      unsigned int *order)
{
	uint32_t easy = (gfp | PZ_GFP_NORETRY) & ~PZ_GFP_MEMALLOC;
	unsigned int need = 0;
	struct pz_page_req req;
	int ret;

	while ((uint32_t)1 << (f->page_shift + need) < size)
		need++;
	*order = f->order;
	if (need < f->order) {
		pz_page_req_init(f->cfg.pages, &req, f->order, easy, cpu);
		if (!pz_limits_narrow(&req.limits, &f->cfg.limits, &req.limits) &&
		    !pz_page_request(f->cfg.pages, &req, pfn))
			return 0;
	}
	*order = need;
	pz_page_req_init(f->cfg.pages, &req, need, gfp, cpu);
	ret = pz_limits_narrow(&req.limits, &f->cfg.limits, &req.limits);
	return ret ? ret : pz_page_request(f->cfg.pages, &req, pfn);
}

static struct frag_block *frag_spare(struct pz_frag *f)
{
	for (;;) {
		uint32_t i = 0, chunks = pz_load32(&f->chunks);

		while ((i = pz_frag_set_next(f, FRAG_SPARE, i)) != FRAG_NONE)
			if (pz_frag_set_remove(f, FRAG_SPARE, i))
				return pz_frag_block(f, i);
		if ((f->cfg.flags & PZ_FRAG_NOGROW) || chunks == FRAG_CHUNKS)
			return NULL;
		if (pz_frag_grow(f, chunks))
			return NULL;
	}
}

/* A new block that is held and has nothing out. */
static int frag_new(struct pz_frag *f, uint32_t cpu, uint32_t gfp, uint32_t size,
		    struct frag_block **out)
{
	struct frag_block *b = frag_spare(f);
	unsigned int order;
	uint64_t pfn;
	int ret;

	if (!b)
		return -PZ_ENOMEM;
	ret = frag_pages(f, cpu, gfp, size, &pfn, &order);
	if (ret) {
		pz_frag_set_add(f, FRAG_SPARE, b->index);
		return ret;
	}
	pz_poke32(&b->low, (uint32_t)1 << (f->page_shift + order));
	pz_store64(&b->at, pfn << f->page_shift | FRAG_LIVE | order);
	pz_store64(&b->out, pz_load64(&b->out) | FRAG_HELD);
	if (!(pz_load32(&f->orders) >> order & 1))
		pz_or32(&f->orders, (uint32_t)1 << order);
	pz_frag_index_add(f, b);
	pz_count64(&f->blocks, 1);
	pz_count64(&f->block_bytes, frag_bytes_of(f, b->at));
	*out = b;
	return 0;
}

/* Downwards; from the top again when all pieces are back. */
static bool frag_cut_down(struct pz_frag *f, struct frag_block *b, uint32_t size, uint32_t align,
			  uint64_t *addr)
{
	uint32_t bytes = frag_bytes_of(f, b->at), low = pz_peek32(&b->low);

	if (size > low && size <= bytes && !FRAG_PIECES(pz_load64(&b->out)))
		low = bytes;
	if (size > low || align > bytes)
		return false;
	low = pz_round_down(low - size, align);
	pz_poke32(&b->low, low);
	pz_count64(&b->out, FRAG_PIECE + size);
	*addr = FRAG_BASE(b->at) + low;
	return true;
}

static bool frag_cut_map(struct pz_frag *f, struct frag_block *b, uint32_t size, uint32_t align,
			 uint64_t *addr, bool *reused)
{
	uint32_t granules = frag_granules(f, b), n, from, low;
	bool empty = !FRAG_PIECES(pz_load64(&b->out));

	n = ((size - 1) >> f->granule_shift) + 1;
	align >>= f->granule_shift;
	from = pz_frag_map_fit(b->bits, granules, n, align ? align : 1);
	if (from == FRAG_NONE || align > granules)
		return false;
	pz_frag_map_set(b->bits, from, n);
	pz_frag_map_set(b->bits + f->map_words, from, 1);
	pz_frag_map_set(b->bits + 2 * (size_t)f->map_words, from + n - 1, 1);
	low = empty ? granules << f->granule_shift : pz_peek32(&b->low);
	*reused = from << f->granule_shift >= low;
	if (from << f->granule_shift < low)
		low = from << f->granule_shift;
	pz_poke32(&b->low, low);
	pz_count64(&b->out, FRAG_PIECE + size);
	*addr = FRAG_BASE(b->at) + ((uint64_t)from << f->granule_shift);
	return true;
}

static bool frag_cut(struct pz_frag *f, struct frag_block *b, uint32_t size, uint32_t align,
		     uint64_t *addr, bool *reused)
{
	*reused = false;
	if (frag_reuses(f))
		return frag_cut_map(f, b, size, align, addr, reused);
	return frag_cut_down(f, b, size, align, addr);
}

/* Cut from a block that nobody holds: the block, held then, or NULL. */
static struct frag_block *frag_cut_other(struct pz_frag *f, uint32_t cpu, struct frag_slot *s,
					 uint32_t size, uint32_t align, uint64_t *addr,
					 bool *reused)
{
	uint32_t n = ((size - 1) >> f->granule_shift) + 1, a = align >> f->granule_shift;
	uint32_t tries = FRAG_TRIES;

	for (unsigned int c = pz_fls32(n); c < FRAG_CLASSES; c++) {
		/* Runs of this class are long enough wherever they begin; else look further on than
		 * the last time, and once around. */
		bool sure = (uint32_t)1 << c >= n + (a ? a - 1 : 0), around = sure;
		uint32_t start = sure ? 0 : s->rotor, i = start;

		while (sure || tries) {
			struct frag_block *b;

			i = pz_frag_set_next(f, c, i);
			if (i == FRAG_NONE && !around) {
				around = true;
				i = pz_frag_set_next(f, c, 0);
			}
			if (i == FRAG_NONE || (around && !sure && i >= start))
				break;
			b = pz_frag_block(f, i++);
			if (!sure) {
				tries--;
				s->rotor = i;
			}
			/* Off the set first: who lets it go meanwhile puts it back. */
			if (!pz_frag_set_remove(f, c, b->index) || !frag_hold(b))
				continue;
			if (frag_cut(f, b, size, align, addr, reused))
				return b;
			frag_unhold(f, cpu, b);
		}
	}
	return NULL;
}

/* Of two held blocks the slot keeps the newer, or the one with more room: the other, or NULL. */
static struct frag_block *frag_keep(struct pz_frag *f, struct frag_slot *s, struct frag_block *b)
{
	uint32_t cur = pz_peek32(&s->cur);
	struct frag_block *old = cur == FRAG_NONE ? NULL : pz_frag_block(f, cur);

	if (old && !frag_reuses(f) && pz_peek32(&old->low) > pz_peek32(&b->low))
		return b;
	pz_store32(&s->cur, b->index);
	return old;
}

static void frag_slot_counts(struct frag_slot *s, bool reused)
{
	frag_count(&s->allocs, &s->allocs_high);
	if (reused)
		frag_count(&s->reused, &s->reused_high);
}

/* A piece without asking for pages. */
static bool frag_alloc_quick(struct pz_frag *f, uint32_t cpu, uint32_t size, uint32_t align,
			     uint64_t *addr)
{
	struct frag_slot *s = frag_claim(f, cpu);
	struct frag_block *b, *old = NULL;
	uint32_t cur;
	bool done, reused = false;

	if (!s)
		return false;
	cur = pz_peek32(&s->cur);
	done = cur != FRAG_NONE && frag_cut(f, pz_frag_block(f, cur), size, align, addr, &reused);
	if (!done && frag_reuses(f)) {
		b = frag_cut_other(f, cpu, s, size, align, addr, &reused);
		if (b) {
			pz_store32(&s->cur, b->index);
			old = cur == FRAG_NONE ? NULL : pz_frag_block(f, cur);
			done = true;
		}
	}
	if (done)
		frag_slot_counts(s, reused);
	frag_unclaim(s);
	if (old)
		frag_unhold(f, cpu, old);
	return done;
}

int pz_frag_alloc(struct pz_frag *f, uint32_t cpu, uint32_t size, uint32_t align, uint64_t *addr)
{
	return pz_frag_alloc_gfp(f, cpu, f->cfg.gfp, size, align, addr);
}

int pz_frag_alloc_gfp(struct pz_frag *f, uint32_t cpu, uint32_t gfp, uint32_t size, uint32_t align,
		      uint64_t *addr)
{
	uint32_t most = (uint32_t)1 << (f->page_shift + f->order);
	struct frag_block *b, *other;
	struct frag_slot *s;
	bool reused;
	int ret;

	if (!size || size > most || !pz_is_pow2(align) || align > most || frag_gfp_bad(gfp))
		return -PZ_EINVAL;
	if (frag_alloc_quick(f, cpu, size, align, addr))
		return 0;
	/* The first piece of a block has the block's alignment at best. */
	ret = frag_new(f, cpu, gfp, size > align ? size : align, &b);
	if (ret)
		return ret;
	frag_cut(f, b, size, align, addr, &reused);
	other = b;
	s = frag_claim(f, cpu);
	if (s) {
		other = frag_keep(f, s, b);
		frag_slot_counts(s, false);
		frag_unclaim(s);
	} else {
		pz_count64(&f->lone_allocs, 1);
	}
	if (other)
		frag_unhold(f, cpu, other);
	return 0;
}

/* NULL when it went well, else what is wrong, with nothing changed. */
static const char *frag_free_down(struct pz_frag *f, uint32_t cpu, uint64_t addr, uint32_t size)
{
	for (;;) {
		struct frag_block *b;
		uint32_t pieces, bytes;
		uint64_t w, at, to;

		b = pz_frag_find(f, cpu, addr, &w, &at);
		if (!b || !FRAG_PIECES(w))
			return "is in no block with pieces out";
		pieces = FRAG_PIECES(w);
		bytes = FRAG_BYTES(w);
		if (size > frag_bytes_of(f, at) - (addr - FRAG_BASE(at)))
			return "ends beyond its block";
		if (addr - FRAG_BASE(at) < pz_peek32(&b->low))
			return "was not given out";
		if (!size || size > bytes || (pieces == 1 && size != bytes) ||
		    bytes - size < pieces - 1)
			return "is not of the size that was asked for";
		to = w - FRAG_PIECE - size;
		if (pieces == 1 && !(w & FRAG_HELD))
			to += FRAG_LIFE;
		if (!pz_cas64(&b->out, w, to))
			continue;
		if (pieces == 1 && !(w & FRAG_HELD))
			frag_release(f, cpu, b);
		return NULL;
	}
}

/* As for pages: misuse by two CPUs at once is counted for both; the text of one may be lost. */
static void frag_bug(struct pz_frag *f, const char *where, uint64_t addr, uint32_t size,
		     const char *what)
{
	struct pz_pages *p = f->cfg.pages;

	if (!p->cfg.bugs)
		return;
	if (!pz_cas32(&p->bug_lock, 0, 1)) {
		pz_count64(&p->cfg.bugs->count, 1);
		return;
	}
	pz_bug(p->cfg.bugs, where, "%u bytes at %#llx: it %s", size, (unsigned long long)addr,
	       what);
	pz_store32(&p->bug_lock, 0);
}

static const char *frag_free_map(struct pz_frag *f, uint32_t cpu, uint64_t addr, uint32_t size)
{
	uint32_t *last, *head, from, n, granules, run = 0;
	struct frag_block *b;
	uint64_t w, at, to, offset;

	b = pz_frag_find(f, cpu, addr, &w, &at);
	if (!b || !FRAG_PIECES(w))
		return "is in no block with pieces out";
	offset = addr - FRAG_BASE(at);
	granules = frag_bytes_of(f, at) >> f->granule_shift;
	from = (uint32_t)(offset >> f->granule_shift);
	head = b->bits + f->map_words;
	last = head + f->map_words;
	if ((uint64_t)from << f->granule_shift != offset || !pz_frag_map_has(head, from))
		return "is not the beginning of a piece";
	n = size ? ((size - 1) >> f->granule_shift) + 1 : 0;
	if (!n || n > granules - from || pz_frag_run(last, from, from + n, true) != from + n - 1)
		return "is not of the size that was asked for";
	if (!pz_frag_map_take(head, from))
		return "was freed twice";
	if (FRAG_LIVES(pz_load64(&b->out)) != FRAG_LIVES(w)) {
		/* Another block by now, and the mark another's. */
		pz_frag_map_set(head, from, 1);
		return "was freed twice";
	}
	pz_frag_map_clear(last, from + n - 1, 1);
	pz_frag_map_clear(b->bits, from, n);
	do {
		uint32_t bytes;

		w = pz_load64(&b->out);
		bytes = FRAG_PIECES(w) == 1 || size > FRAG_BYTES(w) ? FRAG_BYTES(w) : size;
		to = w - FRAG_PIECE - bytes;
		if (!(w & FRAG_HELD)) {
			if (FRAG_PIECES(w) == 1)
				to += FRAG_LIFE;
			else
				run = pz_frag_map_around(b->bits, granules, from);
		}
	} while (!pz_cas64(&b->out, w, to));
	if (w & FRAG_HELD)
		return NULL;
	if (FRAG_PIECES(w) == 1)
		frag_release(f, cpu, b);
	else
		frag_offer(f, b->index, run);
	return NULL;
}

void pz_frag_free(struct pz_frag *f, uint32_t cpu, uint64_t addr, uint32_t size)
{
	const char *wrong = frag_reuses(f) ? frag_free_map(f, cpu, addr, size)
					   : frag_free_down(f, cpu, addr, size);

	if (wrong)
		frag_bug(f, __func__, addr, size, wrong);
}

/* The slot lets its block go; pages given back by that. */
uint64_t pz_frag_empty_slot(struct pz_frag *f, uint32_t cpu, struct frag_slot *s)
{
	uint32_t cur;

	if (!pz_cas32(&s->busy, 0, 1))
		return 0;
	cur = pz_peek32(&s->cur);
	pz_store32(&s->cur, FRAG_NONE);
	frag_unclaim(s);
	return cur == FRAG_NONE ? 0 : frag_unhold(f, cpu, pz_frag_block(f, cur));
}
