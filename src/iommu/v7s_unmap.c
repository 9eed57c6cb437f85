/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_unmap.c - unmapping, and second levels that go back.
 *
 * Concept
 *  A range goes MiB by MiB, and 16 MiB at once where they are one page. Only its first and last MiB
 * can need a second level, to hold what stays of a page; both are had before anything changes.
 *
 * Failure
 *  If the first or last MiB becomes a page after it was looked at, which takes a caller who maps
 * what another unmaps, memory may be short in the middle of the range. The caller is told how far
 * it came.
 */
#include "v7s_internal.h"

#define CUT_NOW 0x100u /* besides PZ_V7S_QUEUED: what goes is told by flush_walk, for undoing */

struct cut {
	struct pz_v7s *t;
	uint64_t iova, size;
	uint32_t cpu, gfp, flags;
	void *gather;
	uint64_t done; /* bytes that were mapped */
	struct pz_table spare[2];
	uint32_t spares;
};

static void cut_tell(const struct cut *c, uint64_t iova, uint64_t size, uint32_t granule)
{
	const struct pz_v7s_tlb *tlb = &c->t->cfg.tlb;

	if (c->flags & CUT_NOW)
		v7s_flush_walk(c->t, iova, size, granule);
	else if (!(c->flags & PZ_V7S_QUEUED) && tlb->add)
		tlb->add(tlb->ctx, c->gather, iova, size, granule);
}

static int cut_spare(struct cut *c)
{
	int rc = pz_v7s_table_get(c->t, c->cpu, c->gfp, V7S_TABLE_BYTES, &c->spare[c->spares]);

	c->spares += !rc;
	return rc;
}

/* What a MiB has, by its word; not the moment in which a page of 16 MiB is invalid to be split. */
static uint32_t cut_word(struct pz_v7s *t, uint32_t i)
{
	uint32_t word = pz_load32(&t->word[i]);
	struct v7s_held h;

	if (!word && t->cfg.quirks & PZ_V7S_BREAK_FIRST) {
		v7s_lock(&h, t, i);
		word = t->word[i];
		v7s_unlock(&h);
	}
	return word;
}

/* What is needed at one end of the range, [@first, @last] of one MiB, before anything changes. */
static int cut_prepare(struct cut *c, uint64_t first, uint64_t last)
{
	uint32_t word = cut_word(c->t, (uint32_t)(first >> V7S_MIB_SHIFT));
	uint64_t super = pz_round_down(first, PZ_V7S_16M);

	if (v7s_is_super(word) && !(c->t->cfg.sizes & PZ_V7S_1M) &&
	    (super < c->iova || super + PZ_V7S_16M > c->iova + c->size))
		return -PZ_EINVAL;
	if (!v7s_is_page(1, word) || last - first == PZ_V7S_1M - 1)
		return 0;
	return cut_spare(c);
}

/* Words in a row that are of small pages, or are pages of 64 KiB as a whole, go. Where it ends. */
static uint32_t cut_run(struct cut *c, struct v7s_held *h, uint32_t from, uint32_t to)
{
	uint32_t *words = v7s_words(h), k = from, type = words[from] & V7S_TYPE_PAGE;

	while (k < to && words[k] & V7S_TYPE && (words[k] & V7S_TYPE_PAGE) == type) {
		uint32_t end = type ? k + 1 : k + V7S_REPEAT;

		if (end > to)
			break;
		for (; k < end; k++)
			v7s_put(&words[k], 0);
	}
	v7s_sync_second(h, from, k - from);
	h->state -= k - from;
	cut_tell(c, v7s_iova(h->i) + ((uint64_t)from << V7S_PAGE_SHIFT),
		 (uint64_t)(k - from) << V7S_PAGE_SHIFT, type ? PZ_V7S_4K : PZ_V7S_64K);
	return k;
}

static void cut_words(struct cut *c, struct v7s_held *h, uint32_t from, uint32_t to)
{
	const uint32_t *words = v7s_words(h);

	for (uint32_t k = from, end; k < to; k = end) {
		uint32_t large = (k & ~(V7S_REPEAT - 1)) + V7S_REPEAT;

		end = k + 1;
		if (!(words[k] & V7S_TYPE))
			continue;
		if (v7s_is_large(words[k]) && (k % V7S_REPEAT || large > to)) {
			end = large < to ? large : to;
			pz_v7s_cut_large(h, c->cpu, k, end);
		} else {
			end = cut_run(c, h, k, to);
		}
		c->done += (uint64_t)(end - k) << V7S_PAGE_SHIFT;
	}
}

/* Whether no page would be left in the second level without [@from, @to). */
static bool cut_empties(const struct v7s_held *h, uint32_t from, uint32_t to)
{
	uint32_t count = h->state & V7S_COUNT, in = 0;

	if (to - from == V7S_WORDS)
		return true;
	if (!(h->t->cfg.quirks & PZ_V7S_GIVE_BACK) || count > to - from)
		return false;
	for (uint32_t k = from; k < to; k++)
		in += !!(v7s_words(h)[k] & V7S_TYPE);
	return in == count;
}

/* Unlocks. */
static void cut_table(struct cut *c, struct v7s_held *h, uint32_t from, uint32_t to)
{
	if (!cut_empties(h, from, to)) {
		cut_words(c, h, from, to);
		v7s_unlock(h);
		return;
	}
	c->done += (uint64_t)(h->state & V7S_COUNT) << V7S_PAGE_SHIFT;
	pz_v7s_drop_second(h, c->cpu);
}

/* A page of 1 MiB, or words [@from, @to) of it. Unlocks. */
static int cut_section(struct cut *c, struct v7s_held *h, uint32_t from, uint32_t to)
{
	struct pz_v7s *t = h->t;

	if (to - from == V7S_WORDS) {
		v7s_put(&t->word[h->i], 0);
		v7s_sync_first(t, h->i, 1);
		cut_tell(c, v7s_iova(h->i), PZ_V7S_1M, PZ_V7S_1M);
	} else if (c->spares) {
		pz_v7s_cut_section(h, c->cpu, &c->spare[--c->spares], from, to);
	} else {
		v7s_unlock(h);
		return -PZ_ENOMEM;
	}
	v7s_unlock(h);
	c->done += (uint64_t)(to - from) << V7S_PAGE_SHIFT;
	return 0;
}

/* The part of the range in one MiB. */
static int cut_mib(struct cut *c, uint64_t iova, uint32_t size)
{
	uint32_t i = (uint32_t)(iova >> V7S_MIB_SHIFT);
	uint32_t from = (uint32_t)iova >> V7S_PAGE_SHIFT & (V7S_WORDS - 1);
	uint32_t to = from + (size >> V7S_PAGE_SHIFT);

	for (;;) {
		struct v7s_held h;
		uint32_t word;
		int rc;

		v7s_lock(&h, c->t, i);
		word = c->t->word[i];
		if (v7s_is_table(word)) {
			cut_table(c, &h, from, to);
			return 0;
		}
		if (v7s_is_page(1, word) && !v7s_is_super(word)) {
			rc = cut_section(c, &h, from, to);
			if (rc != -PZ_ENOMEM)
				return rc;
		} else {
			v7s_unlock(&h);
			if (!word)
				return 0;
			pz_v7s_split_super(c->t, c->cpu, i / V7S_REPEAT);
			continue;
		}
		rc = cut_spare(c);
		if (rc)
			return rc;
	}
}

/* A page of 16 MiB goes as a whole, if it is there. */
static bool cut_super(struct cut *c, uint64_t iova)
{
	struct pz_v7s *t = c->t;
	uint32_t i = (uint32_t)(iova >> V7S_MIB_SHIFT);
	struct v7s_group_held h;
	bool is;

	if (!v7s_is_super(pz_load32(&t->word[i])))
		return false;
	pz_v7s_group_lock(&h, t, i / V7S_REPEAT);
	is = v7s_is_super(t->word[i]);
	if (is) {
		for (uint32_t k = 0; k < V7S_REPEAT; k++)
			v7s_put(&t->word[i + k], 0);
		v7s_sync_first(t, i, V7S_REPEAT);
		cut_tell(c, iova, PZ_V7S_16M, PZ_V7S_16M);
		c->done += PZ_V7S_16M;
	}
	pz_v7s_group_unlock(&h);
	return is;
}

static int cut_run_all(struct cut *c)
{
	uint64_t at = c->iova, left = c->size;
	int rc = 0;

	while (left && !rc) {
		uint64_t n = PZ_V7S_1M - (at & (PZ_V7S_1M - 1));

		n = n < left ? n : left;
		if (!(at & (PZ_V7S_16M - 1)) && left >= PZ_V7S_16M && cut_super(c, at))
			n = PZ_V7S_16M;
		else
			rc = cut_mib(c, at, (uint32_t)n);
		at += n;
		left -= n;
	}
	return rc;
}

static inline int cut_all(struct cut *c)
{
	uint64_t last = c->iova + (c->size - 1), end = c->iova | (PZ_V7S_1M - 1);
	bool one = last <= end; /* MiB */
	int rc = cut_prepare(c, c->iova, one ? last : end);

	if (!rc && !one)
		rc = cut_prepare(c, pz_round_down(last, PZ_V7S_1M), last);
	if (!rc)
		rc = one ? cut_mib(c, c->iova, (uint32_t)c->size) : cut_run_all(c);
	while (c->spares)
		pz_v7s_table_put(c->t, c->cpu, V7S_TABLE_BYTES, &c->spare[--c->spares]);
	return rc;
}

int pz_v7s_unmap(struct pz_v7s *t, uint32_t cpu, uint32_t gfp, uint64_t iova, uint64_t size,
		 uint32_t flags, void *gather, uint64_t *done)
{
	struct cut c = { .t = t,
			 .iova = iova,
			 .size = size,
			 .cpu = cpu,
			 .gfp = gfp,
			 .flags = flags,
			 .gather = gather };
	int rc;

	if (done)
		*done = 0;
	if (!size || (iova | size) & (v7s_min_page(t) - 1) || flags & ~PZ_V7S_QUEUED)
		return -PZ_EINVAL;
	if (iova > t->iova_last || size - 1 > t->iova_last - iova)
		return -PZ_ERANGE;
	rc = cut_all(&c);
	if (done)
		*done = c.done;
	return rc ? rc : c.done == size ? 0 : -PZ_ENOENT;
}

void pz_v7s_undo(struct pz_v7s *t, uint32_t cpu, uint64_t iova, uint64_t size)
{
	struct cut c = { .t = t, .iova = iova, .size = size, .cpu = cpu, .flags = CUT_NOW };

	(void)cut_all(&c);
}

uint64_t pz_v7s_trim(struct pz_v7s *t, uint32_t cpu, uint64_t iova, uint64_t size)
{
	uint64_t last = pz_add_sat64(iova, size - 1), count = 0;

	last = last < t->iova_last ? last : t->iova_last;
	if (!size || iova > last)
		return 0;
	for (uint32_t i = (uint32_t)(iova >> V7S_MIB_SHIFT); i <= last >> V7S_MIB_SHIFT; i++) {
		struct v7s_mib *m = v7s_mib(t, i);
		struct v7s_held h;

		if (!pz_load_ptr(&m->table) || pz_load32(&m->state) & V7S_COUNT)
			continue;
		v7s_lock(&h, t, i);
		if (!h.m->table || h.state & V7S_COUNT) {
			v7s_unlock(&h);
			continue;
		}
		pz_v7s_drop_second(&h, cpu);
		count++;
	}
	return count;
}
