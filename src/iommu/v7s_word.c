/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_word.c - descriptors: what a page is allowed, and where it leads, to bits and back.
 *
 * Concept
 *  A block of eight bits (AP0, AP1, TEX, AP2, S, nG) stands at bit 10 on level 1 and at bit 4 on
 * level 2, where a page of 64 KiB has TEX and XN elsewhere. AP0 is the access flag, AP2 forbids
 * writing, AP1 lets unprivileged accesses in. A piece of a page is made from the page's own word,
 * so that no attribute is lost, whatever this module knows of it.
 *
 * Source followed: ARM DDI 0406C, section B3.5.1; docs/facts/iommu_v7s.md sections 2 and 3.
 */
#include "v7s_internal.h"

#define WORD_B (1u << 2)
#define WORD_C (1u << 3)

/* The block of attributes. */
#define WORD_AF 0x01u
#define WORD_USER 0x02u
#define WORD_TEX 0x1cu
#define WORD_TEX_NORMAL 0x04u
#define WORD_READ_ONLY 0x20u
#define WORD_S 0x40u
#define WORD_NG 0x80u
#define WORD_ATTRS 0xffu
#define WORD_ATTRS_FIRST 10u /* where it stands */
#define WORD_ATTRS_SECOND 4u

#define WORD_XN_FIRST (1u << 4)
#define WORD_XN_SMALL (1u << 0)
#define WORD_XN_LARGE (1u << 15)
#define WORD_TEX_SMALL_SHIFT 6u
#define WORD_TEX_LARGE_SHIFT 12u
#define WORD_TEX_BITS 7u
#define WORD_NS_FIRST (1u << 19)
#define WORD_NS_TABLE (1u << 3)

uint32_t pz_v7s_small_to_large(uint32_t word)
{
	uint32_t tex = word >> WORD_TEX_SMALL_SHIFT & WORD_TEX_BITS;
	uint32_t xn = word & WORD_XN_SMALL ? WORD_XN_LARGE : 0;

	word &= ~(WORD_TEX_BITS << WORD_TEX_SMALL_SHIFT | V7S_TYPE);
	return word | tex << WORD_TEX_LARGE_SHIFT | xn | V7S_TYPE_LARGE;
}

static uint32_t word_large_to_small(uint32_t word)
{
	uint32_t tex = word >> WORD_TEX_LARGE_SHIFT & WORD_TEX_BITS;
	uint32_t xn = word & WORD_XN_LARGE ? WORD_XN_SMALL : 0;

	word &= ~(WORD_TEX_BITS << WORD_TEX_LARGE_SHIFT | WORD_XN_LARGE | V7S_TYPE);
	return word | tex << WORD_TEX_SMALL_SHIFT | xn | V7S_TYPE_PAGE;
}

static uint32_t word_attrs(uint32_t quirks, uint32_t prot)
{
	uint32_t attrs = WORD_NG | WORD_S;

	if (!(prot & PZ_IOMMU_MMIO))
		attrs |= WORD_TEX_NORMAL;
	if (quirks & PZ_V7S_NO_PERMS)
		return attrs;
	attrs |= WORD_AF;
	if (!(prot & PZ_IOMMU_PRIV))
		attrs |= WORD_USER;
	if (!(prot & PZ_IOMMU_WRITE))
		attrs |= WORD_READ_ONLY;
	return attrs;
}

uint32_t pz_v7s_encode(uint32_t quirks, uint32_t size, uint64_t phys, uint32_t prot)
{
	bool xn = prot & PZ_IOMMU_NOEXEC && !(quirks & PZ_V7S_NO_PERMS);
	uint32_t word = V7S_TYPE_PAGE, attrs = word_attrs(quirks, prot);

	if (prot & PZ_IOMMU_MMIO)
		word |= WORD_B;
	else if (prot & PZ_IOMMU_CACHE)
		word |= WORD_B | WORD_C;
	if (size >= PZ_V7S_1M) {
		word |= attrs << WORD_ATTRS_FIRST | (xn ? WORD_XN_FIRST : 0);
		word |= size == PZ_V7S_16M ? V7S_SUPER : 0;
		word |= quirks & PZ_V7S_NS ? WORD_NS_FIRST : 0;
	} else {
		word |= attrs << WORD_ATTRS_SECOND | (xn ? WORD_XN_SMALL : 0);
		word = size == PZ_V7S_64K ? pz_v7s_small_to_large(word) : word;
	}
	return word | v7s_word_addr(quirks & PZ_V7S_MTK_EXT, phys, size);
}

static uint32_t word_prot(uint32_t quirks, uint32_t word, uint32_t attrs, bool xn)
{
	uint32_t prot = PZ_IOMMU_READ;

	if (!(attrs & WORD_TEX))
		prot |= PZ_IOMMU_MMIO;
	else if (word & WORD_C)
		prot |= PZ_IOMMU_CACHE;
	if (quirks & PZ_V7S_NO_PERMS)
		return prot | PZ_IOMMU_WRITE;
	if (!(attrs & WORD_READ_ONLY))
		prot |= PZ_IOMMU_WRITE;
	if (!(attrs & WORD_USER))
		prot |= PZ_IOMMU_PRIV;
	return prot | (xn ? PZ_IOMMU_NOEXEC : 0);
}

bool pz_v7s_decode(uint32_t quirks, unsigned int level, uint32_t word, struct pz_v7s_page *out)
{
	uint32_t small;

	if (!v7s_is_page(level, word))
		return false;
	out->word = word;
	out->iova = 0;
	out->size = v7s_word_size(level, word);
	if (level == 1) {
		out->prot = word_prot(quirks, word, word >> WORD_ATTRS_FIRST & WORD_ATTRS,
				      word & WORD_XN_FIRST);
	} else {
		small = v7s_is_large(word) ? word_large_to_small(word) : word;
		out->prot = word_prot(quirks, small, small >> WORD_ATTRS_SECOND & WORD_ATTRS,
				      small & WORD_XN_SMALL);
	}
	out->phys = v7s_word_phys(quirks, word, out->size);
	return true;
}

uint32_t pz_v7s_to_table(const struct pz_v7s *t, uint64_t addr)
{
	uint32_t word = v7s_word_addr(t->cfg.quirks & PZ_V7S_MTK_TTBR_EXT, addr, V7S_TABLE_BYTES);

	return word | (t->cfg.quirks & PZ_V7S_NS ? WORD_NS_TABLE : 0) | V7S_TYPE_TABLE;
}

uint64_t pz_v7s_table_at(const struct pz_v7s *t, uint32_t word)
{
	uint64_t addr = word & ~(V7S_TABLE_BYTES - 1);

	return t->cfg.quirks & PZ_V7S_MTK_TTBR_EXT ? addr | v7s_mtk_addr(word) : addr;
}

uint32_t pz_v7s_super_to_section(uint32_t word, uint32_t piece)
{
	return (word & ~V7S_SUPER) | piece << V7S_MIB_SHIFT;
}

uint32_t pz_v7s_section_to_small(uint32_t quirks, uint32_t word, uint32_t piece)
{
	uint32_t mtk = quirks & PZ_V7S_MTK_EXT ? word & V7S_MTK : 0;
	uint32_t attrs = word >> WORD_ATTRS_FIRST & WORD_ATTRS;
	bool xn = word & WORD_XN_FIRST && !(quirks & PZ_V7S_MTK_EXT);

	return (word & ~(PZ_V7S_1M - 1)) | piece << V7S_PAGE_SHIFT | attrs << WORD_ATTRS_SECOND |
	       mtk | (word & (WORD_B | WORD_C)) | (xn ? WORD_XN_SMALL : 0) | V7S_TYPE_PAGE;
}

uint32_t pz_v7s_section_to_large(uint32_t quirks, uint32_t word, uint32_t piece)
{
	return pz_v7s_small_to_large(pz_v7s_section_to_small(quirks, word, piece * V7S_REPEAT));
}

uint32_t pz_v7s_large_to_small(uint32_t word, uint32_t piece)
{
	return word_large_to_small(word) | piece << V7S_PAGE_SHIFT;
}
