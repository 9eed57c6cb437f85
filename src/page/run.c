/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.c - runs of any length, at any alignment, across whatever borders the tree has.
 *
 * Concept
 *  A run is taken piece by piece, from its head on. Where there is one is found in seek.c.
 *
 * Failure
 *  When a piece is lost to somebody else, the pieces before it are one block and are freed as such.
 */
#include "page_internal.h"

/* How often a piece of a run is tried. */
#define RUN_TRIES 16

/* Whether a request may have frames of a pageblock. */
bool pz_page_type_serves(unsigned int type, uint32_t gfp)
{
	if (gfp == PAGE_GFP_ANY)
		return true;
	if (type == PZ_CMA)
		return gfp & PZ_GFP_MOVABLE;
	if (type == PZ_HIGHATOMIC)
		return (gfp & PZ_GFP_HIGH) && !(gfp & PZ_GFP_BLOCK);
	return type <= PZ_RECLAIMABLE;
}

/* The last index, up to @hi, of the free frames that begin at a free index. */
uint64_t pz_page_free_up(const struct pz_pages *p, uint64_t index, uint64_t hi, uint32_t gfp)
{
	uint64_t at = index;

	while (at <= hi) {
		unsigned int level;
		enum word_state s = pz_page_probe(p, at, &level);
		uint64_t last;

		if (s != WORD_FREE)
			break;
		if (!level) {
			uint32_t f = word_free(pz_load64(page_word(p, 0, at >> WORD_SHIFT)));
			uint32_t taken = ~f & ~(word_mask(0, (unsigned int)(at & 31) + 1) >> 1);

			if (!(f >> (at & 31) & 1))
				break;
			if (!pz_page_type_serves(page_type(p, at), gfp))
				break;
			if (taken) {
				at = (at & ~(uint64_t)31) + pz_ctz32(taken);
				break;
			}
			at = (at | 31) + 1;
			continue;
		}
		/* Blocks of different mobility may lie in one free unit. */
		last = at | (((uint64_t)1 << (WORD_SHIFT * level)) - 1);
		if (level > 1 && p->special)
			last = at | (((uint64_t)1 << p->pageblock_order) - 1);
		if (!pz_page_type_serves(page_type(p, at), gfp))
			break;
		at = last + 1;
	}
	return at > hi ? hi : at - 1;
}

/* The first index, down to @lo, of the free frames that end at a free index. */
uint64_t pz_page_free_down(const struct pz_pages *p, uint64_t index, uint64_t lo, uint32_t gfp)
{
	uint64_t at = index + 1;

	while (at > lo) {
		unsigned int level;
		uint64_t last = at - 1;
		enum word_state s = pz_page_probe(p, last, &level);

		if (s != WORD_FREE || !pz_page_type_serves(page_type(p, last), gfp))
			break;
		if (!level) {
			uint32_t f = word_free(pz_load64(page_word(p, 0, last >> WORD_SHIFT)));
			uint32_t taken = ~f & word_mask(0, (unsigned int)(last & 31) + 1);

			if (taken >> (last & 31) & 1)
				break;
			if (taken) {
				at = (last & ~(uint64_t)31) + pz_fls32(taken) + 1;
				break;
			}
			at = last & ~(uint64_t)31;
			continue;
		}
		if (level > 1 && p->special)
			at = last & ~(((uint64_t)1 << p->pageblock_order) - 1);
		else
			at = last & ~(((uint64_t)1 << (WORD_SHIFT * level)) - 1);
	}
	return at < lo ? lo : at;
}

/*
 * Merge what the rest of a run covers as a whole, so that it is taken as a whole: an open word that
 * was all tails could not be told from a closed one. False when something in it is not free.
 */
static bool run_whole(struct pz_pages *p, uint64_t index, uint64_t n)
{
	unsigned int level;

	for (unsigned int l = p->level_count - 1; l; l--) {
		uint64_t size = (uint64_t)1 << (WORD_SHIFT * l);

		if ((index & (size - 1)) || size > n)
			continue;
		if (pz_page_probe(p, index, &level) != WORD_FREE)
			return false;
		return level >= l || pz_page_merge(p, l, index >> (WORD_SHIFT * l));
	}
	return true;
}

/* Take some frames of a run of @n, from its first on: as its head or as more of it. */
uint64_t pz_page_run_piece(struct pz_pages *p, uint64_t index, uint64_t n, bool first)
{
	if (!run_whole(p, index, n))
		return 0;
	/* A unit in transit may be stuck there, below an interrupt handler: not for ever. */
	for (unsigned int tries = 0; tries < RUN_TRIES; tries++) {
		unsigned int level, unit, units = 0;
		enum word_state s = pz_page_probe(p, index, &level);
		uint64_t size = (uint64_t)1 << (WORD_SHIFT * level), v, *w;
		uint32_t m;

		if (s != WORD_FREE)
			return 0;
		if ((index & (size - 1)) || size > n) {
			if (!pz_page_split(p, level, index >> (WORD_SHIFT * level)))
				return 0;
			continue;
		}
		unit = (unsigned int)(index >> (WORD_SHIFT * level)) & 31;
		w = page_word(p, level, index >> (WORD_SHIFT * (level + 1)));
		v = pz_load64(w);
		while (unit + units < WORD_UNITS && (uint64_t)(units + 1) * size <= n &&
		       word_state(v, unit + units) == WORD_FREE)
			units++;
		if (!units)
			continue;
		/* A whole word behind the head: somebody has split it again since it was merged. */
		if (!first && !unit && n >= size << WORD_SHIFT && level + 1 < p->level_count) {
			if (units < WORD_UNITS || !run_whole(p, index, n))
				return 0;
			continue;
		}
		m = word_mask(unit, units);
		if (pz_cas64(w, v, v | m | (first ? (uint64_t)1 << (32 + unit) : 0)))
			return units * size;
	}
	return 0;
}

/* Take exactly [index, index + n). False, with nothing taken, when a frame of it is not free. */
bool pz_page_run_take_at(struct pz_pages *p, uint64_t index, uint64_t n)
{
	uint64_t done = 0;

	while (done < n) {
		uint64_t got = 0;

		if (!pz_fault_hit(p->cfg.faults, p->fault_piece))
			got = pz_page_run_piece(p, index + done, n - done, !done);
		if (!got) {
			if (done)
				(void)pz_page_free_block(p, index, done);
			return false;
		}
		done += got;
	}
	return true;
}
