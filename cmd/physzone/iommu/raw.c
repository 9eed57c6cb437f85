/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * raw.c - the words of tables, one by one.
 */
#include "iommu.h"

struct raw_walk {
	const struct iommu_image *m;
	void (*fn)(void *ctx, const struct iommu_word *w);
	void *ctx;
};

/* The word of @iova at a level; true when the next 15 are the same page. */
static bool raw_word(const struct raw_walk *w, unsigned int level, uint64_t iova, uint32_t entry,
		     uint64_t addr, struct iommu_word *out)
{
	*out = (struct iommu_word){ .level = level, .entry = entry, .entries = 1, .addr = addr };
	if (!w->m->view.read(w->m->view.ctx, addr, &out->word) || !out->word)
		return false;
	(void)pz_v7s_walk(&w->m->view, iova, &out->run);
	out->table = level == 1 && (out->word & 3) == 1;
	if (!out->table && !out->run.fault && out->run.word_addr == addr &&
	    (out->run.page == 0x10000 || out->run.page == 0x1000000))
		out->entries =
			(uint32_t)((out->run.last - out->run.first) / (out->run.page / 16)) + 1;
	w->fn(w->ctx, out);
	return true;
}

static void raw_second(const struct raw_walk *w, uint64_t iova, uint64_t table)
{
	struct iommu_word word;

	for (uint32_t i = 0; i < IOMMU_SECOND / 4; i += word.entries)
		(void)raw_word(w, 2, iova + ((uint64_t)i << 12), i, table + 4 * (uint64_t)i, &word);
}

void iommu_words(const struct iommu_image *m, void (*fn)(void *ctx, const struct iommu_word *w),
		 void *ctx)
{
	const struct raw_walk w = { m, fn, ctx };
	struct iommu_word word;

	for (uint32_t i = 0; i < 1u << (m->view.ias - 20); i += word.entries) {
		uint64_t iova = (uint64_t)i << 20;

		if (raw_word(&w, 1, iova, i, m->view.table + 4 * (uint64_t)i, &word) && word.table)
			raw_second(&w, iova, word.run.table);
	}
}
