/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_look.c - what is mapped where.
 *
 * Concept
 *  No lock is taken. A second level may be given back while its word is read; then the generation
 * of its MiB has gone on, and the word does not count. Each repetition means that somebody else has
 * linked or unlinked a second level.
 *
 * Shortcomings: a look that sleeps while exactly 2^22 second levels of its MiB go does not notice.
 */
#include "v7s_internal.h"

/* Memory of a table that has gone may be somebody else's: what it holds is not used then. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LOOK_MAY_RACE __attribute__((no_sanitize("thread"), noinline))
#endif
#endif
#ifndef LOOK_MAY_RACE
#define LOOK_MAY_RACE
#endif

static LOOK_MAY_RACE uint32_t look_second(const uint32_t *words, uint64_t iova)
{
	return pz_load32(&words[iova >> V7S_PAGE_SHIFT & (V7S_WORDS - 1)]);
}

/* The word that says what an address leads to. */
static inline uint32_t look_word(const struct pz_v7s *t, uint64_t iova, unsigned int *level)
{
	uint32_t i = (uint32_t)(iova >> V7S_MIB_SHIFT), word;
	const struct v7s_mib *m = v7s_mib(t, i);

	for (;;) {
		uint32_t state = pz_load32(&m->state);
		const uint32_t *words = pz_load_ptr(&m->table);

		if (words) {
			word = look_second(words, iova);
			*level = 2;
			if (!((pz_load32(&m->state) ^ state) & V7S_GENERATIONS))
				return word;
		} else {
			word = pz_load32(&t->word[i]);
			*level = 1;
			if (!v7s_is_table(word))
				return word;
		}
	}
}

int pz_v7s_lookup(const struct pz_v7s *t, uint64_t iova, uint64_t *phys)
{
	unsigned int level;
	uint32_t word, size;

	if (iova > t->iova_last)
		return -PZ_ERANGE;
	word = look_word(t, iova, &level);
	if (!v7s_is_page(level, word))
		return -PZ_ENOENT;
	size = v7s_word_size(level, word);
	*phys = v7s_word_phys(t->cfg.quirks, word, size) | (iova & (size - 1));
	return 0;
}

int pz_v7s_query(const struct pz_v7s *t, uint64_t iova, struct pz_v7s_page *out)
{
	unsigned int level;
	uint32_t word;

	if (iova > t->iova_last)
		return -PZ_ERANGE;
	word = look_word(t, iova, &level);
	if (!pz_v7s_decode(t->cfg.quirks, level, word, out))
		return -PZ_ENOENT;
	out->iova = pz_round_down(iova, out->size);
	return 0;
}

int pz_v7s_each(const struct pz_v7s *t, uint64_t iova, uint64_t size,
		int (*fn)(void *ctx, const struct pz_v7s_page *p), void *ctx)
{
	uint64_t last = pz_add_sat64(iova, size - 1);
	int rc = 0;

	last = last < t->iova_last ? last : t->iova_last;
	for (uint64_t at = iova; size && at <= last && !rc;) {
		struct pz_v7s_page page;
		unsigned int level;
		uint32_t word = look_word(t, at, &level);

		if (pz_v7s_decode(t->cfg.quirks, level, word, &page)) {
			page.iova = pz_round_down(at, page.size);
			rc = fn(ctx, &page);
		} else {
			page.size = level == 1 ? PZ_V7S_1M : PZ_V7S_4K;
		}
		at = pz_round_down(at, page.size) + page.size;
	}
	return rc;
}
