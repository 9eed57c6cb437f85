/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gfp.h - the flags of a Linux allocation request: their bits and names by version, the zone and
 * the mobility that they ask for, and the request of ours that means the same.
 *
 * Bits are those of kernels without lockdep and without hardware tags of KASAN, as distributions
 * build them. Source followed: docs/facts/page_alloc.md sections 1, 2 and 5.
 */
#ifndef PHYSZONE_LINUX_GFP_H
#define PHYSZONE_LINUX_GFP_H

#include <physzone/linux/model.h>
#include <physzone/page.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Single bits. Linux's name is the one here after __GFP_. */
#define PZL_GFP_DMA 0x1u
#define PZL_GFP_HIGHMEM 0x2u
#define PZL_GFP_DMA32 0x4u
#define PZL_GFP_MOVABLE 0x8u
#define PZL_GFP_RECLAIMABLE 0x10u
#define PZL_GFP_HIGH 0x20u
#define PZL_GFP_IO 0x40u
#define PZL_GFP_FS 0x80u
#define PZL_GFP_ZERO 0x100u
#define PZL_GFP_ATOMIC_BIT 0x200u /* __GFP_ATOMIC; 6.12 has no such bit */
#define PZL_GFP_DIRECT_RECLAIM 0x400u
#define PZL_GFP_KSWAPD_RECLAIM 0x800u
#define PZL_GFP_WRITE 0x1000u
#define PZL_GFP_NOWARN 0x2000u
#define PZL_GFP_RETRY_MAYFAIL 0x4000u
#define PZL_GFP_NOFAIL 0x8000u
#define PZL_GFP_NORETRY 0x10000u
#define PZL_GFP_MEMALLOC 0x20000u
#define PZL_GFP_COMP 0x40000u
#define PZL_GFP_NOMEMALLOC 0x80000u
#define PZL_GFP_HARDWALL 0x100000u
#define PZL_GFP_THISNODE 0x200000u
#define PZL_GFP_ACCOUNT 0x400000u
#define PZL_GFP_ZEROTAGS 0x800000u
#define PZL_GFP_SKIP_KASAN_POISON 0x1000000u /* 5.15 only: in every GFP_HIGHUSER_MOVABLE there */

/* Sets that are the same in every version. The others differ: pzl_gfp_parse() knows them. */
#define PZL_GFP_RECLAIM (PZL_GFP_DIRECT_RECLAIM | PZL_GFP_KSWAPD_RECLAIM)
#define PZL_GFP_NOIO PZL_GFP_RECLAIM
#define PZL_GFP_NOFS (PZL_GFP_NOIO | PZL_GFP_IO)
#define PZL_GFP_KERNEL (PZL_GFP_NOFS | PZL_GFP_FS)
#define PZL_GFP_KERNEL_ACCOUNT (PZL_GFP_KERNEL | PZL_GFP_ACCOUNT)
#define PZL_GFP_USER (PZL_GFP_KERNEL | PZL_GFP_HARDWALL)
#define PZL_GFP_HIGHUSER (PZL_GFP_USER | PZL_GFP_HIGHMEM)

/**
 * pzl_gfp_atomic - GFP_ATOMIC of a version
 * @model: the version
 *
 * Context: any.
 * Return: 0xa20 in 5.15 and 6.1, 0x820 in 6.12.
 */
uint32_t pzl_gfp_atomic(enum pzl_model model);

/**
 * pzl_gfp_nowait - GFP_NOWAIT of a version
 * @model: the version
 *
 * Context: any.
 * Return: 0x800 in 5.15 and 6.1, 0x2800 in 6.12, which does not warn either.
 */
uint32_t pzl_gfp_nowait(enum pzl_model model);

/**
 * pzl_gfp_zone - the highest zone that a request may be served from
 * @gfp: flags; only DMA, HIGHMEM, DMA32 and MOVABLE count
 * @configured: bit per enum pz_zone_type that the kernel has, as in struct pz_zone_config
 *
 * A flag for a zone that is not configured means Normal. More than one of DMA, HIGHMEM and DMA32
 * is not refused by kernels without VM debugging: it means the first zone that they have.
 *
 * Context: any.
 * Return: the zone type.
 */
enum pz_zone_type pzl_gfp_zone(uint32_t gfp, uint32_t configured);

/**
 * pzl_gfp_can_block - whether the caller of a request may sleep
 * @gfp: flags
 *
 * Context: any.
 * Return: true when DIRECT_RECLAIM is among them.
 */
bool pzl_gfp_can_block(uint32_t gfp);

/**
 * pzl_gfp_mobility - the mobility (migrate type) of what is asked for
 * @gfp: flags; only MOVABLE and RECLAIMABLE count
 *
 * Both together are a mistake that Linux does not refuse: the sum is its number for HIGHATOMIC.
 *
 * Context: any.
 * Return: PZ_UNMOVABLE, PZ_MOVABLE, PZ_RECLAIMABLE or PZ_HIGHATOMIC.
 */
enum pz_mobility pzl_gfp_mobility(uint32_t gfp);

/**
 * pzl_gfp_format - name flags as Linux does
 * @buf: the buffer; may be NULL when @size is 0
 * @size: bytes of @buf; text that does not fit is cut, and a 0 byte ends it unless @size is 0
 * @gfp: flags
 * @model: the version
 *
 * "GFP_KERNEL|GFP_DMA": the largest sets first, bits without a name in hexadecimal at the end.
 * No flags are "none", as in traces; between the brackets of a report they are nothing at all.
 *
 * Context: any.
 * Return: length of the whole text without the 0 byte; the text was cut when it is @size or more.
 */
size_t pzl_gfp_format(char *buf, size_t size, uint32_t gfp, enum pzl_model model);

/**
 * pzl_gfp_parse - read flags
 * @text: names and hexadecimal numbers joined by "|" ("GFP_KERNEL|GFP_DMA|0x2000000"), "none", or
 *   a number with names in brackets as in a report ("0xcc1(GFP_KERNEL|GFP_DMA)")
 * @len: its length
 * @model: the version whose names these are
 * @gfp: the flags, written on success only
 *
 * Of a number with names the number counts: the names may be those of a version that is no model.
 *
 * Context: any.
 * Return: 0, -PZ_EINVAL when the text is malformed or a number exceeds 32 bits, -PZ_ENOENT for a
 * name that the version does not have.
 */
int pzl_gfp_parse(const char *text, size_t len, enum pzl_model model, uint32_t *gfp);

/**
 * pzl_gfp_request - make a Linux request one of ours
 * @gfp: flags
 * @model: the version; they do not differ in what is carried over
 * @configured: bit per enum pz_zone_type that the kernel has
 * @req: an initialised request; gfp (but for the owner in it) and highest are replaced
 *
 * HIGH, MOVABLE, RECLAIMABLE, ZERO, THISNODE and NORETRY are carried over, DIRECT_RECLAIM is
 * PZ_GFP_BLOCK, MEMALLOC counts where NOMEMALLOC does not forbid it. MOVABLE with RECLAIMABLE is
 * an unmovable page. The limits stay: a gfp names a zone, never an address.
 *
 * Context: any.
 */
void pzl_gfp_request(uint32_t gfp, enum pzl_model model, uint32_t configured,
		     struct pz_page_req *req);

#ifdef __cplusplus
}
#endif

#endif
