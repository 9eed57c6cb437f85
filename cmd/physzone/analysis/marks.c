/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * marks.c - watermarks and lowmem reserves, from the managed pages of the time when the kernel
 * computed them: before it freed the initial RAM disk and the init part of its image.
 */
#include "internal.h"

#include <physzone/linux/arch.h>

#include <stdlib.h>
#include <string.h>

/* Whether the usual kernel of an architecture has transparent huge pages. */
static enum pz_thp marks_thp(const struct an_ctx *c)
{
	if (strstr(c->cmdline, "transparent_hugepage=never"))
		return PZ_THP_NEVER;
	if (c->f->has_meminfo)
		return c->f->has_anon_huge ? PZ_THP_ON : PZ_THP_NONE;
	switch (c->a->arch) {
	case PZL_ARCH_X86_64:
	case PZL_ARCH_I386:
	case PZL_ARCH_ARM64:
	case PZL_ARCH_S390:
	case PZL_ARCH_POWERPC64:
	case PZL_ARCH_RISCV64:
	case PZL_ARCH_LOONGARCH:
	case PZL_ARCH_SPARC64:
		return PZ_THP_ON;
	default:
		return PZ_THP_NONE;
	}
}

/* Managed pages as zoneinfo has them. */
static void marks_recorded(struct an_ctx *c)
{
	for (size_t i = 0; i < c->f->zoneinfo.n; i++) {
		const struct fact_zoneinfo *z = &c->f->zoneinfo.v[i];
		struct pz_node *node = pz_zones_node(&c->z, z->nid);

		for (int t = 0; t < PZ_ZONE_TYPES && node; t++)
			if (!strcmp(pz_zone_name((enum pz_zone_type)t), z->name) &&
			    z->managed <= node->zone[t].present)
				node->zone[t].managed = z->managed;
	}
}

void an_marks(struct an_ctx *c)
{
	VEC(struct pz_boot_late) late = { NULL, 0, 0 };
	struct pz_boot_config b;
	int rc;

	if (c->managed_recorded)
		marks_recorded(c);
	for (size_t i = 0; i < c->later.n; i++) {
		struct pz_boot_late l = { c->later.v[i].phase, 0, 0, 0 };
		enum pz_zone_type t;

		t = pz_zones_locate(&c->z, c->later.v[i].pfns.first, &l.nid);
		if (t == PZ_ZONE_TYPES)
			continue;
		l.type = (uint8_t)t;
		l.pages = c->later.v[i].pfns.last - c->later.v[i].pfns.first + 1;
		*vec_push(&late) = l;
	}
	memset(&b, 0, sizeof(b));
	pz_wmark_defaults(&b.wmark);
	b.thp = marks_thp(c);
	b.pageblock_pages = UINT64_C(1)
			    << pzl_pageblock_order(c->a->arch, c->a->page_shift, c->f->pae);
	b.migrate_types = 3;
	b.cpus = c->f->cpus ? c->f->cpus : 1;
	b.late = late.v;
	b.late_count = (uint32_t)late.n;
	rc = pz_zones_boot_watermarks(&c->z, &b, NULL);
	if (rc) {
		an_note(c, "the moment at which the kernel computed its watermarks cannot be told: "
			   "they follow from the final page counts");
		b.late_count = 0;
		(void)pz_zones_boot_watermarks(&c->z, &b, NULL);
	}
	vec_free(&late);
	c->a->marks_from = xstrdup("computed from the managed pages at the time of the boot when "
				   "the kernel computes them");
}
