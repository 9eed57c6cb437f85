/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_split.c - pages that go in part: what stays of them, and who must forget what.
 *
 * Concept
 *  The pieces that stay say what the page said: same output, same attributes. Where a page is one
 * word (1 MiB), the pieces are written elsewhere first, and take its place by one store. Where it
 * is 16 words, each becomes a piece by one store. So a walker, at any moment, reads one of two
 * words that mean the same; what it has cached may be of the page's size still, until it is told,
 * once, that all of the page has changed. Hardware that takes a translation in two sizes at once
 * for an error needs PZ_V7S_BREAK_FIRST: all words of the page are invalid, and that has been told,
 * before the pieces are written. In between the page does not translate.
 */
#include "v7s_internal.h"

void pz_v7s_group_lock(struct v7s_group_held *h, struct pz_v7s *t, uint32_t g)
{
	h->t = t;
	h->g = g;
	h->masked = v7s_mask(t);
	while (!pz_cas32(&t->group[g], 0, 1))
		v7s_relax(t);
	for (uint32_t k = 0; k < V7S_REPEAT; k++) {
		while (pz_load32(&v7s_mib(t, g * V7S_REPEAT + k)->state) & V7S_LOCK)
			v7s_relax(t);
	}
}

void pz_v7s_group_unlock(struct v7s_group_held *h)
{
	pz_release32(&h->t->group[h->g], 0);
	v7s_unmask(h->t, h->masked);
}

/* With PZ_V7S_BREAK_FIRST the words of a page are invalid, and that is told, before anything else.
 * They begin at @words, which the walker reads at @addr. */
static void split_break(const struct pz_v7s *t, uint32_t *words, uint64_t addr, uint32_t count,
			uint64_t iova, uint32_t size)
{
	if (!(t->cfg.quirks & PZ_V7S_BREAK_FIRST))
		return;
	for (uint32_t k = 0; k < count; k++)
		v7s_put(&words[k], 0);
	if (t->sync)
		pz_v7s_sync(t, addr, count);
	v7s_flush_walk(t, iova, size, size);
}

/* Without it they are told afterwards. */
static void split_made(const struct pz_v7s *t, uint64_t iova, uint32_t size, uint32_t granule)
{
	if (!(t->cfg.quirks & PZ_V7S_BREAK_FIRST))
		v7s_flush_walk(t, iova, size, granule);
}

void pz_v7s_split_super(struct pz_v7s *t, uint32_t cpu, uint32_t g)
{
	uint32_t i = g * V7S_REPEAT, word;
	struct v7s_group_held h;

	pz_v7s_group_lock(&h, t, g);
	word = t->word[i];
	if (v7s_is_super(word)) {
		split_break(t, &t->word[i], t->first.addr + (uint64_t)i * 4, V7S_REPEAT,
			    v7s_iova(i), PZ_V7S_16M);
		for (uint32_t k = 0; k < V7S_REPEAT; k++)
			v7s_put(&t->word[i + k], pz_v7s_super_to_section(word, k));
		v7s_sync_first(t, i, V7S_REPEAT);
		split_made(t, v7s_iova(i), PZ_V7S_16M, PZ_V7S_1M);
		pz_count64(&v7s_counts(t, cpu)->splits, 1);
	}
	pz_v7s_group_unlock(&h);
}

/* The words of a second level that says what a page of 1 MiB says, but for [@from, @to). What they
 * count. */
static uint32_t split_words(const struct pz_v7s *t, uint32_t *words, uint32_t word, uint32_t from,
			    uint32_t to)
{
	uint32_t quirks = t->cfg.quirks, k = 0;

	while (k < V7S_WORDS) {
		bool whole = !(k % V7S_REPEAT) && (k + V7S_REPEAT <= from || k >= to);

		if (whole && t->cfg.sizes & PZ_V7S_64K) {
			uint32_t large = pz_v7s_section_to_large(quirks, word, k / V7S_REPEAT);

			for (uint32_t end = k + V7S_REPEAT; k < end; k++)
				words[k] = large;
		} else {
			words[k] =
				k >= from && k < to ? 0 : pz_v7s_section_to_small(quirks, word, k);
			k++;
		}
	}
	return V7S_WORDS - (to - from);
}

void pz_v7s_cut_section(struct v7s_held *h, uint32_t cpu, const struct pz_table *table,
			uint32_t from, uint32_t to)
{
	struct pz_v7s *t = h->t;
	uint32_t *word = &t->word[h->i];
	uint64_t iova = v7s_iova(h->i);

	h->state += split_words(t, table->cpu_addr, *word, from, to);
	if (t->sync)
		pz_v7s_sync(t, table->addr, V7S_WORDS);
	split_break(t, word, t->first.addr + (uint64_t)h->i * 4, 1, iova, PZ_V7S_1M);
	pz_v7s_link(h, table);
	split_made(t, iova, PZ_V7S_1M, v7s_min_page(t));
	pz_count64(&v7s_counts(t, cpu)->splits, 1);
}

void pz_v7s_cut_large(struct v7s_held *h, uint32_t cpu, uint32_t from, uint32_t to)
{
	struct pz_v7s *t = h->t;
	uint32_t first = from & ~(V7S_REPEAT - 1), *words = v7s_words(h) + first;
	uint64_t iova = v7s_iova(h->i) + ((uint64_t)first << V7S_PAGE_SHIFT);
	uint32_t word = *words;

	split_break(t, words, pz_v7s_table_at(t, t->word[h->i]) + (uint64_t)first * 4, V7S_REPEAT,
		    iova, PZ_V7S_64K);
	for (uint32_t k = 0; k < V7S_REPEAT; k++) {
		bool stays = first + k < from || first + k >= to;

		v7s_put(&words[k], stays ? pz_v7s_large_to_small(word, k) : 0);
	}
	v7s_sync_second(h, first, V7S_REPEAT);
	split_made(t, iova, PZ_V7S_64K, PZ_V7S_4K);
	h->state -= to - from;
	pz_count64(&v7s_counts(t, cpu)->splits, 1);
}
