/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmu_pages.c - pages of every size, read and written by the processor through the tables.
 */
#include "mmu_box.h"

static const uint32_t pages_sizes[] = { PZ_V7S_4K, PZ_V7S_64K, PZ_V7S_1M, PZ_V7S_16M };
#define PAGES_SIZES 4

/* What an address faults with whose MiB holds, or held, nothing but small pages. */
static enum mmu_status pages_gone(const struct box *b, uint32_t size)
{
	bool second = size < PZ_V7S_1M && !(b->quirks & PZ_V7S_GIVE_BACK);

	return second ? MMU_TRANSLATION_PAGE : MMU_TRANSLATION_SECTION;
}

/* Below and above a page, except where the address space ends. */
static bool pages_alone(struct box *b, uint32_t iova, uint32_t size)
{
	uint32_t below = iova - 4, above = iova + size;
	enum mmu_status status = size < PZ_V7S_1M ? MMU_TRANSLATION_PAGE : MMU_TRANSLATION_SECTION;

	return (!iova || (below ^ iova) >> 20 || box_faults(b, below, status)) &&
	       (!above || (above ^ iova) >> 20 || box_faults(b, above, status));
}

static void pages_one(struct box *b, uint32_t size, uint32_t iova, uint32_t phys)
{
	box_check(b, box_map(b, iova, phys, size, BOX_MEMORY), "%u KiB at %#x", size >> 10, iova);
	box_check(b, box_range_leads(b, iova, phys, size, PZ_V7S_4K), "all of it leads to %#x",
		  phys);
	box_check(b, pages_alone(b, iova, size), "and nothing beside it anywhere");
	box_check(b, !(mmu_translate(iova, MMU_READ) & MMU_PAR_SUPERSECTION) == (size < PZ_V7S_16M),
		  "the walker knows its size");
	box_check(b, box_unmap(b, iova, size), "it is unmapped");
	box_check(b, box_range_faults(b, iova, size, PZ_V7S_4K, pages_gone(b, size)),
		  "all of it faults");
	/* The next one begins without second levels. */
	pz_v7s_trim(b->v7s, 0, iova, size);
}

static void pages_each(struct box *b)
{
	/* From the first address to the last. */
	static const uint32_t where[][2] = {
		{ 0, BOX_PHYS },
		{ 0x10090000, BOX_PHYS + 0x5a5b000 },
		{ 0x27ab3000, BOX_PHYS + 0x13579000 },
		{ 0xc553f000, BOX_PHYS },
		{ 0xfffff000, BOX_PHYS + BOX_PHYS_BYTES - 0x1000 },
	};

	for (uint32_t s = 0; s < PAGES_SIZES; s++)
		for (uint32_t i = 0; i < sizeof(where) / sizeof(where[0]); i++)
			pages_one(b, pages_sizes[s], where[i][0] & ~(pages_sizes[s] - 1),
				  where[i][1] & ~(pages_sizes[s] - 1));
}

/* One call, all sizes: 4 KiB, 64 KiB, 1 MiB, 16 MiB, and down again. */
static void pages_mixed(struct box *b)
{
	static const uint32_t up[] = {
		0, 0x1000, 0x11000, 0x111000, 0x1111000, 0x1211000, 0x1221000
	};
	const uint32_t iova = 0x10eef000, phys = BOX_PHYS + 0x2eef000, size = 0x1222000;
	struct pz_v7s_page p = { 0 };
	bool sizes = true;

	box_check(b, box_map(b, iova, phys, size, BOX_MEMORY), "a range of all sizes");
	for (uint32_t i = 0; i < 7; i++)
		sizes = sizes && pz_v7s_query(b->v7s, iova + up[i], &p) == 0 &&
			p.size == pages_sizes[i < 4 ? i : 6 - i] && p.phys == phys + up[i];
	box_check(b, sizes, "it is made of all sizes");
	box_check(b, box_range_leads(b, iova, phys, size, PZ_V7S_4K),
		  "all of it leads to its memory");
	box_check(b,
		  box_faults(b, iova - 4, MMU_TRANSLATION_PAGE) &&
			  box_faults(b, iova + size, MMU_TRANSLATION_PAGE),
		  "it ends where it should");
	box_check(b, box_unmap(b, iova, size), "it is unmapped at once");
	box_check(b,
		  box_range_faults(b, iova, 0x11000, PZ_V7S_4K, pages_gone(b, PZ_V7S_4K)) &&
			  box_range_faults(b, iova + 0x11000, 0x1200000, PZ_V7S_4K,
					   MMU_TRANSLATION_SECTION) &&
			  box_range_faults(b, iova + 0x1211000, 0x11000, PZ_V7S_4K,
					   pages_gone(b, PZ_V7S_4K)),
		  "all of it faults");
	pz_v7s_trim(b->v7s, 0, iova, size);
}

/* The same 16 MiB in pages of each size: what is written through one is read through the next. */
static void pages_alias(struct box *b)
{
	const uint32_t iova = 0xd0000000, phys = BOX_PHYS + 0x3000000;
	uint32_t good = 0, bytes = PZ_V7S_16M;
	bool mapped = true;

	for (uint32_t s = 0; s < PAGES_SIZES; s++)
		mapped = mapped &&
			 pz_v7s_map_pages(b->v7s, 0, 0, iova + s * bytes, phys, pages_sizes[s],
					  bytes / pages_sizes[s], BOX_MEMORY) == 0;
	box_check(b, mapped, "16 MiB in pages of each size");
	for (uint32_t at = 0; at < bytes; at += PZ_V7S_4K) {
		uint32_t from = at >> 12 & 3, to = (at >> 14 & 3) ^ from, word = at ^ 0x5eed5eed;
		struct mmu_access seen;

		good += !mmu_store(iova + from * bytes + at, word).fault;
		seen = mmu_load(iova + to * bytes + at);
		good += !seen.fault && seen.value == word && *box_direct(phys + at) == word;
	}
	box_check(b, good == 2 * (bytes / PZ_V7S_4K), "they are the same memory");
	box_check(b, box_unmap(b, iova, bytes), "the small pages are unmapped");
	box_check(b, box_range_leads(b, iova + bytes, phys, 3 * bytes, PZ_V7S_4K) == false,
		  "a wrong expectation is noticed");
	box_check(b,
		  box_range_leads(b, iova + bytes, phys, bytes, PZ_V7S_4K) &&
			  box_range_leads(b, iova + 2 * bytes, phys, bytes, PZ_V7S_4K) &&
			  box_range_leads(b, iova + 3 * bytes, phys, bytes, PZ_V7S_4K),
		  "the others stay");
	box_check(b, box_unmap(b, iova + bytes, 3 * bytes), "all are unmapped");
	pz_v7s_trim(b->v7s, 0, iova, 4 * (uint64_t)bytes);
}

/* An address space of 31 bits: TTBCR.N is 1, and the upper half is the port's. */
static void pages_half(struct tap *t)
{
	struct box b;

	if (!box_open(&b, t, 0, 31))
		return;
	pages_one(&b, PZ_V7S_4K, 0x7ffff000, BOX_PHYS);
	pages_one(&b, PZ_V7S_16M, 0x7f000000, BOX_PHYS);
	box_check(&b, pz_v7s_map(b.v7s, 0, 0, 0x80000000, BOX_PHYS, 4096, BOX_RW) == -PZ_ERANGE,
		  "what lies beyond is refused");
	box_close(&b);
}

void mmu_pages(struct tap *t, uint64_t handed_over)
{
	static const uint32_t quirks[] = { 0, PZ_V7S_NS | PZ_V7S_GIVE_BACK, PZ_V7S_NO_PERMS };
	struct box b;

	for (uint32_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++) {
		if (!box_open(&b, t, quirks[i], 32))
			return;
		pages_each(&b);
		pages_mixed(&b);
		pages_alias(&b);
		box_close(&b);
	}
	pages_half(t);
}
