/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmu_split.c - pages that are unmapped in part: what stays leads where it did, for the processor,
 * at each moment that it is told of, and what went faults.
 */
#include "mmu_box.h"

#define SPLIT_PHYS (BOX_PHYS + 0x4000000u)

/* A page, and what is taken out of it. */
struct split {
	uint32_t iova, page; /* the page leads to SPLIT_PHYS */
	uint32_t hole, size; /* offset and bytes */
};

/* What the hole faults with: a whole MiB of it has no second level any more. */
static enum mmu_status split_status(const struct split *s)
{
	return s->size < PZ_V7S_1M ? MMU_TRANSLATION_PAGE : MMU_TRANSLATION_SECTION;
}

/* Bytes of which one word is looked at where little can be wrong. */
static uint32_t split_step(const struct split *s)
{
	return s->page > PZ_V7S_1M ? PZ_V7S_64K : PZ_V7S_4K;
}

static bool split_stays(struct box *b, const struct split *s, uint32_t step)
{
	uint32_t behind = s->hole + s->size;

	return box_range_leads(b, s->iova, SPLIT_PHYS, s->hole, step) &&
	       box_range_leads(b, s->iova + behind, SPLIT_PHYS + behind, s->page - behind, step);
}

/* Which part of the page is looked at during the split: beside the hole, where there is room. */
static void split_watch(struct box *b, const struct split *s)
{
	uint32_t at = s->hole ? s->hole - 4 : s->hole + s->size;

	b->watch_iova = s->iova + at;
	b->watch_phys = SPLIT_PHYS + at;
	b->watched = b->lost = 0;
}

/* With break-before-make a neighbour may fault while the page is split. */
static bool split_kept(const struct box *b)
{
	return b->watched && (!b->lost || b->quirks & PZ_V7S_BREAK_FIRST);
}

static void split_fill(struct box *b, const struct split *s)
{
	const uint32_t phys = BOX_PHYS + 0x8000000u;

	box_check(b, box_map(b, s->iova + s->hole, phys, s->size, BOX_MEMORY),
		  "other memory takes its place");
	box_check(b,
		  box_range_leads(b, s->iova + s->hole, phys, s->size, PZ_V7S_4K) &&
			  split_stays(b, s, split_step(s)),
		  "both lead where they should");
}

static void split_one(struct box *b, const struct split *s)
{
	bool mapped =
		pz_v7s_map_pages(b->v7s, 0, 0, s->iova, SPLIT_PHYS, s->page, 1, BOX_MEMORY) == 0;
	bool gone;

	/* All of it has been looked up before it goes. */
	mapped = mapped && box_range_leads(b, s->iova, SPLIT_PHYS, s->page, split_step(s));
	split_watch(b, s);
	gone = box_unmap(b, s->iova + s->hole, s->size);
	b->watch_iova = b->watch_phys = 0;
	box_check(b, mapped && gone, "%u KiB at %#x out of a page of %u KiB", s->size >> 10,
		  s->hole, s->page >> 10);
	box_check(b, box_range_faults(b, s->iova + s->hole, s->size, PZ_V7S_4K, split_status(s)),
		  "all of it faults");
	box_check(b, split_stays(b, s, PZ_V7S_4K), "the rest leads where it did");
	box_check(b, split_kept(b), "and did at each flush");
	split_fill(b, s);
	box_check(b, box_unmap(b, s->iova, s->page), "all of it is unmapped");
	pz_v7s_trim(b->v7s, 0, s->iova, s->page);
	box_check(b, box_range_faults(b, s->iova, s->page, split_step(s), MMU_TRANSLATION_SECTION),
		  "nothing is left");
}

/* Of sections and large pages: the first, the last and some other piece. */
static void split_small(struct box *b)
{
	static const struct split splits[] = {
		{ 0x00100000, PZ_V7S_1M, 0x00000, PZ_V7S_4K },
		/* Upstream lost the section's base here: 0x180000 would lead to 0x80000. */
		{ 0x00100000, PZ_V7S_1M, 0x01000, PZ_V7S_4K },
		{ 0xfff00000, PZ_V7S_1M, 0xff000, PZ_V7S_4K },
		{ 0x2ab00000, PZ_V7S_1M, 0x00000, PZ_V7S_64K },
		{ 0x2ab00000, PZ_V7S_1M, 0x70000, PZ_V7S_64K },
		{ 0x2ab00000, PZ_V7S_1M, 0xf0000, PZ_V7S_64K },
		{ 0x2ab00000, PZ_V7S_1M, 0x2f000, 0x22000 },
		{ 0x2ab40000, PZ_V7S_64K, 0x0000, PZ_V7S_4K },
		{ 0x2ab40000, PZ_V7S_64K, 0x7000, PZ_V7S_4K },
		{ 0x2ab40000, PZ_V7S_64K, 0xf000, PZ_V7S_4K },
		{ 0x2ab40000, PZ_V7S_64K, 0x3000, 0x9000 },
	};

	for (uint32_t i = 0; i < sizeof(splits) / sizeof(splits[0]); i++)
		split_one(b, &splits[i]);
}

/* Upstream unmapped nothing of a supersection but in its first MiB. */
static void split_super(struct box *b)
{
	for (uint32_t i = 0; i < 16; i++) {
		uint32_t mib = i << 20;
		struct split s = { 0xf1000000, PZ_V7S_16M, mib, PZ_V7S_1M };

		split_one(b, &s);
		s.hole = mib + (i * 0x11000 & 0xff000);
		s.size = PZ_V7S_4K;
		split_one(b, &s);
		s.hole = mib + (15 - i) * PZ_V7S_64K;
		s.size = PZ_V7S_64K;
		split_one(b, &s);
	}
}

/* Several pages at once, cut at both ends. */
static void split_across(struct box *b)
{
	const uint32_t iova = 0x20000000, pages = 3 * PZ_V7S_16M;
	const uint32_t from = 0x00e3d000, to = 0x02310000;

	box_check(b, box_map(b, iova, SPLIT_PHYS, pages, BOX_MEMORY), "three pages of 16 MiB");
	box_check(b, box_range_leads(b, iova, SPLIT_PHYS, pages, PZ_V7S_64K), "they are looked up");
	box_check(b, box_unmap(b, iova + from, to - from),
		  "the end of one, the next, and the start of the third");
	box_check(b,
		  box_range_faults(b, iova + from, 0x00f00000 - from, PZ_V7S_4K,
				   MMU_TRANSLATION_PAGE) &&
			  box_range_faults(b, iova + 0x00f00000, 0x02300000 - 0x00f00000,
					   PZ_V7S_64K, MMU_TRANSLATION_SECTION) &&
			  box_range_faults(b, iova + 0x02300000, to - 0x02300000, PZ_V7S_4K,
					   MMU_TRANSLATION_PAGE),
		  "all of that faults");
	box_check(b,
		  box_range_leads(b, iova, SPLIT_PHYS, from, PZ_V7S_4K) &&
			  box_range_leads(b, iova + to, SPLIT_PHYS + to, pages - to, PZ_V7S_4K),
		  "the rest leads where it did");
	box_check(b, pz_v7s_unmap(b->v7s, 0, 0, iova, pages, 0, NULL, NULL) == -PZ_ENOENT,
		  "the rest goes");
	pz_v7s_trim(b->v7s, 0, iova, pages);
	box_check(b, box_range_faults(b, iova, pages, PZ_V7S_64K, MMU_TRANSLATION_SECTION),
		  "nothing is left");
}

void mmu_split(struct tap *t, uint64_t handed_over)
{
	static const uint32_t quirks[] = { 0, PZ_V7S_BREAK_FIRST | PZ_V7S_GIVE_BACK };
	struct box b;

	for (uint32_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++) {
		if (!box_open(&b, t, quirks[i], 32))
			return;
		split_small(&b);
		split_super(&b);
		split_across(&b);
		box_close(&b);
	}
}
