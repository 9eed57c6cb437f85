/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frag_check.c - the numbers of a cache of pieces, and whether they agree.
 *
 * Invariants, verified by pz_frag_check() while nobody uses the cache
 *  1. No slot is busy. A slot's block is held, and each held block is one slot's.
 *  2. Metadata describes a block or is spare, not both; each is numbered by its place.
 *  3. A block has pieces out or is held. Spare metadata counts nothing, and no granule of it is
 *     taken.
 *  4. A block is aligned to its size and satisfies the limits of the cache; no block overlaps it.
 *  5. A lookup of a block's first byte finds it. The index holds as many entries as there are
 *     blocks, but for those counted as left out.
 *  6. Without PZ_FRAG_REUSE, each piece out has at least a byte, and their bytes lie above the
 *     lowest byte given out.
 *  7. With PZ_FRAG_REUSE, the taken granules are exactly those of the pieces out, each from a first
 *     to a last mark, and hold their bytes.
 *  8. With PZ_FRAG_REUSE, a block that nobody holds is in the set of its longest free run.
 *  9. Blocks and their bytes are as counted.
 * 10. The summaries of a set tell of each of its members.
 */
#include "frag_internal.h"

void pz_frag_stat(const struct pz_frag *f, struct pz_frag_stat *out)
{
	memset(out, 0, sizeof(*out));
	out->blocks = pz_load64(&f->blocks);
	out->block_bytes = pz_load64(&f->block_bytes);
	out->meta_bytes = f->bytes;
	for (unsigned int k = 0; k < pz_load32(&f->chunks); k++) {
		const struct frag_chunk *c = frag_chunk(f, k);

		out->meta_bytes += c->bytes;
		for (uint32_t i = 0; i < c->count; i++) {
			uint64_t w = pz_load64(&frag_of_chunk(f, c, i)->out);

			out->pieces += FRAG_PIECES(w);
			out->piece_bytes += FRAG_BYTES(w);
		}
	}
	out->allocs = pz_load64(&f->lone_allocs);
	for (uint32_t i = 0; i < FRAG_SHARED + f->cpus; i++) {
		const struct frag_slot *s = &f->slot[i];

		out->allocs += (uint64_t)pz_peek32(&s->allocs_high) << 32 | pz_peek32(&s->allocs);
		out->reused += (uint64_t)pz_peek32(&s->reused_high) << 32 | pz_peek32(&s->reused);
	}
	out->frees = out->allocs - out->pieces;
}

static bool frag_check_slots(const struct pz_frag *f, uint32_t *held)
{
	*held = 0;
	for (uint32_t i = 0; i < FRAG_SHARED + f->cpus; i++) {
		const struct frag_slot *s = &f->slot[i];

		if (s->busy)
			return false;
		if (s->cur == FRAG_NONE)
			continue;
		if (s->cur >= frag_first(f->chunks) ||
		    !(pz_load64(&pz_frag_block(f, s->cur)->out) & FRAG_HELD))
			return false;
		for (uint32_t j = 0; j < i; j++)
			if (f->slot[j].cur == s->cur)
				return false;
		++*held;
	}
	return true;
}

static bool frag_check_place(const struct pz_frag *f, uint64_t at)
{
	uint32_t bytes = frag_bytes_of(f, at);
	struct pz_range r;
	uint64_t w, other;

	r.first = FRAG_BASE(at);
	r.last = r.first + (bytes - 1);
	if (FRAG_ORDER(at) > f->order || !(f->orders >> FRAG_ORDER(at) & 1) ||
	    (r.first & (bytes - 1)) || !pz_limits_check(&f->cfg.limits, r))
		return false;
	/* A smaller block within this one looks for the larger that covers it, too. */
	for (unsigned int o = FRAG_ORDER(at) + 1; o <= f->order; o++) {
		uint64_t base = pz_round_down(r.first, (uint64_t)1 << (f->page_shift + o));

		if (pz_frag_find(f, PZ_CPU_NONE, base, &w, &other) && FRAG_ORDER(other) >= o &&
		    other != at)
			return false;
	}
	return true;
}

/* Whether pieces and granules agree. */
static bool frag_check_map(const struct pz_frag *f, const struct frag_block *b, uint32_t granules,
			   uint64_t w)
{
	const uint32_t *head = b->bits + f->map_words, *last = head + f->map_words;
	uint32_t pieces = 0, taken = 0, total = f->map_words * 32, end;

	for (uint32_t from = 0;; from = end + 1) {
		from = pz_frag_run(b->bits, from, total, true);
		if (from == total)
			break;
		end = pz_frag_run(last, from, total, true);
		if (end >= granules || !pz_frag_map_has(head, from) ||
		    pz_frag_run(b->bits, from, end + 1, false) != end + 1 ||
		    pz_frag_run(head, from + 1, end + 1, true) != end + 1)
			return false;
		pieces++;
		taken += end + 1 - from;
	}
	for (uint32_t g = 0; g < total; g++)
		if (!pz_frag_map_has(b->bits, g) &&
		    (pz_frag_map_has(head, g) || pz_frag_map_has(last, g)))
			return false;
	return pieces == FRAG_PIECES(w) && FRAG_BYTES(w) >= pieces &&
	       FRAG_BYTES(w) <= taken << f->granule_shift;
}

static bool frag_check_bytes(const struct frag_block *b, uint32_t bytes, uint64_t w)
{
	return FRAG_BYTES(w) >= FRAG_PIECES(w) && b->low <= bytes &&
	       FRAG_BYTES(w) <= bytes - b->low;
}

static int frag_check_block(const struct pz_frag *f, const struct frag_block *b)
{
	uint32_t bytes = frag_bytes_of(f, b->at), granules = bytes >> f->granule_shift, run;
	uint64_t w = b->out, word, at;

	if (!FRAG_PIECES(w) && !(w & FRAG_HELD))
		return 3;
	if (!frag_check_place(f, b->at))
		return 4;
	if (pz_frag_find(f, PZ_CPU_NONE, FRAG_BASE(b->at), &word, &at) != b)
		return 5;
	if (!frag_reuses(f))
		return frag_check_bytes(b, bytes, w) ? 0 : 6;
	if (!frag_check_map(f, b, granules, w))
		return 7;
	run = w & FRAG_HELD ? 0 : pz_frag_map_longest(b->bits, granules);
	return run && !pz_frag_set_has(f, pz_fls32(run), b->index) ? 8 : 0;
}

static bool frag_check_sets(const struct pz_frag *f, unsigned int k)
{
	const struct frag_chunk *c = frag_chunk(f, k);

	for (unsigned int set = 0; set < FRAG_SETS; set++) {
		for (uint32_t w = 0; w < c->words; w++) {
			if (c->word[set * c->words + w] &&
			    (!(c->sum[set * c->sums + w / 32] >> w % 32 & 1) ||
			     !(f->any[set] >> k & 1)))
				return false;
		}
	}
	return true;
}

int pz_frag_check(const struct pz_frag *f)
{
	uint64_t blocks = 0, block_bytes = 0, entries = 0;
	uint32_t held, holds = 0;

	if (!frag_check_slots(f, &held))
		return 1;
	for (unsigned int k = 0; k < f->chunks; k++) {
		const struct frag_chunk *c = frag_chunk(f, k);

		for (uint32_t i = 0; i < c->count; i++) {
			const struct frag_block *b = frag_of_chunk(f, c, i);
			int ret;

			if (b->index != frag_first(k) + i ||
			    !(b->at & FRAG_LIVE) != pz_frag_set_has(f, FRAG_SPARE, b->index))
				return 2;
			if (!b->at) {
				if (b->out & (FRAG_LIFE - 1) ||
				    pz_frag_run(b->bits, 0, f->map_words * 3 * 32, true) !=
					    f->map_words * 3 * 32)
					return 3;
				continue;
			}
			ret = frag_check_block(f, b);
			if (ret)
				return ret;
			holds += b->out & FRAG_HELD ? 1 : 0;
			blocks++;
			block_bytes += frag_bytes_of(f, b->at);
		}
		for (size_t i = 0; i < (size_t)c->buckets * FRAG_WAYS; i++)
			entries += c->index[i] != 0;
	}
	if (holds != held)
		return 1;
	if (entries + f->unindexed != blocks)
		return 5;
	if (blocks != f->blocks || block_bytes != f->block_bytes)
		return 9;
	for (unsigned int k = 0; k < f->chunks; k++)
		if (!frag_check_sets(f, k))
			return 10;
	return 0;
}
