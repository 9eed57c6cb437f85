/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pieces.c - the physical address space in pieces for the map: what firmware says of it, what
 * the kernel took, and who uses it.
 *
 * Pieces overlap in the input (a kernel lies in RAM). They are resolved as a typed map resolves
 * them, with the kinds ranked so that the more particular one wins.
 */
#include "internal.h"

#include <string.h>

/* From the most general to the most particular; the rank is the type in the map, plus 1. */
static const enum an_kind pieces_rank[] = {
	AN_RAM,	 AN_OTHER,   AN_RESERVED, AN_PMEM,   AN_ACPI,	     AN_NVS,
	AN_BOOT, AN_SWIOTLB, AN_CMA,	  AN_INITRD, AN_CRASHKERNEL, AN_KERNEL,
};

#define PIECES_RANKS (sizeof(pieces_rank) / sizeof(pieces_rank[0]))

static void pieces_add(struct pz_map *m, struct pz_range r, enum an_kind kind)
{
	for (size_t i = 0; i < PIECES_RANKS; i++)
		if (pieces_rank[i] == kind)
			(void)pz_map_insert_range(m, r, (uint32_t)i + 1, 0);
}

static enum an_kind pieces_of_type(uint32_t type)
{
	switch (type) {
	case PZ_MAP_RAM:
	case PZ_MAP_RESERVED_KERN:
		return AN_RAM;
	case PZ_MAP_ACPI:
		return AN_ACPI;
	case PZ_MAP_NVS:
		return AN_NVS;
	case PZ_MAP_PMEM:
	case PZ_MAP_PRAM:
		return AN_PMEM;
	default:
		return AN_RESERVED;
	}
}

static void pieces_firmware(struct an_ctx *c, struct pz_map *m)
{
	if (c->x86) {
		for (uint32_t i = 0; i < c->map.count; i++)
			pieces_add(m, c->map.v[i].range, pieces_of_type(c->map.v[i].type));
		return;
	}
	for (uint32_t i = 0; i < c->mb.memory.count; i++)
		pieces_add(m, c->mb.memory.v[i].range,
			   c->mb.memory.v[i].flags & PZ_MB_NOMAP ? AN_RESERVED : AN_RAM);
}

static void pieces_claims(struct an_ctx *c, struct pz_map *m)
{
	struct pz_range r;

	for (size_t i = 0; i < c->f->claims.n; i++) {
		const struct fact_claim *cl = &c->f->claims.v[i];

		/* Where these went under another command line or kernel is not known. */
		if (c->what_if && cl->kind != CLAIM_DT_RESERVED)
			continue;
		switch (cl->kind) {
		case CLAIM_CRASHKERNEL:
		case CLAIM_CRASHKERNEL_LOW:
			pieces_add(m, cl->range, AN_CRASHKERNEL);
			break;
		case CLAIM_CMA:
			pieces_add(m, cl->range, AN_CMA);
			break;
		case CLAIM_SWIOTLB:
			pieces_add(m, cl->range, AN_SWIOTLB);
			break;
		case CLAIM_DT_RESERVED:
			pieces_add(m, cl->range, cl->reusable ? AN_CMA : AN_RESERVED);
			break;
		default:
			break;
		}
	}
	for (size_t i = 0; i < c->f->iomem.n; i++)
		if (!c->what_if && !strncmp(c->f->iomem.v[i].name, "Crash kernel", 12))
			pieces_add(m, c->f->iomem.v[i].range, AN_CRASHKERNEL);
	if (c->bounce.placed && !c->bounce.told)
		pieces_add(m, c->bounce.at, AN_SWIOTLB);
	if (c->has_crash)
		pieces_add(m, c->crash, AN_CRASHKERNEL);
	if (c->has_crash_low)
		pieces_add(m, c->crash_low, AN_CRASHKERNEL);
	if (an_initrd(c, &r))
		pieces_add(m, r, AN_INITRD);
	if (an_kernel_image(c, &r))
		pieces_add(m, r, AN_KERNEL);
}

/* What memblock reserved inside memory, beyond what has a name of its own. */
static void pieces_boot(struct an_ctx *c, struct pz_map *m)
{
	for (uint32_t i = 0; i < c->mb.reserved.count; i++) {
		const struct pz_range r = c->mb.reserved.v[i].range;

		for (uint32_t k = 0; k < c->mb.memory.count; k++) {
			struct pz_range both;

			if (pz_range_intersect(r, c->mb.memory.v[k].range, &both))
				pieces_add(m, both, AN_BOOT);
		}
	}
	for (size_t i = 0; i < c->hotplug.n; i++) {
		unsigned int s = c->a->page_shift;

		pieces_add(m,
			   (struct pz_range){ c->hotplug.v[i].first << s,
					      (c->hotplug.v[i].last << s) |
						      ((UINT64_C(1) << s) - 1) },
			   AN_RAM);
	}
}

void an_pieces(struct an_ctx *c)
{
	struct pz_map m;

	pz_map_init(&m, &an_meta, NULL, 0);
	pieces_firmware(c, &m);
	pieces_claims(c, &m);
	pieces_boot(c, &m);
	if (!pz_map_sanitise(&m, c->a->page_shift, 64)) {
		for (uint32_t i = 0; i < m.count; i++) {
			struct an_piece *p = vec_push(&c->a->pieces);

			p->range = m.v[i].range;
			p->kind = pieces_rank[m.v[i].type - 1];
		}
	}
	pz_map_destroy(&m);
}
