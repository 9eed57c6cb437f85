/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image.c - where the kernel image and the initial RAM disk lie, as far as that can be told.
 *
 * /proc/iomem has the image's parts. A boot log has only their sizes: the image is then put where
 * it may be, and on x86_64 the count of pages that were free early tells at least the side of
 * 4 GiB that it is on.
 */
#include "internal.h"

#include <physzone/linux/arch.h>

#include <string.h>

/* Another command line may have taken away the memory where a thing was put. */
static bool image_applies(const struct an_ctx *c, struct pz_range r)
{
	return !c->what_if || an_in_memory(c, r);
}

bool an_kernel_image(const struct an_ctx *c, struct pz_range *bytes)
{
	struct pz_range r = { UINT64_MAX, 0 };

	for (size_t i = 0; i < c->f->iomem.n; i++) {
		const struct fact_iomem *e = &c->f->iomem.v[i];

		if (strncmp(e->name, "Kernel ", 7))
			continue;
		if (e->range.first < r.first)
			r.first = e->range.first;
		if (e->range.last > r.last)
			r.last = e->range.last;
	}
	if (r.first > r.last || !image_applies(c, r))
		return false;
	*bytes = r;
	return true;
}

bool an_initrd(const struct an_ctx *c, struct pz_range *bytes)
{
	const struct fact_claim *cl = an_claim(c, CLAIM_INITRD);

	if (cl) {
		*bytes = cl->range;
		return image_applies(c, cl->range);
	}
	/* Giving it back is the last that memblock hears of it. */
	for (size_t i = 0; i < c->f->mb_events.n; i++) {
		const struct fact_mb_event *e = &c->f->mb_events.v[i];

		if (e->op == MBOP_FREE && e->caller && !strncmp(e->caller, "free_initrd_mem", 15)) {
			*bytes = e->range;
			return true;
		}
	}
	return false;
}

/*
 * Pages of the kernel image, from the sizes of its parts in the "Memory:" line. The parts that are
 * mapped with different permissions start on 2 MiB.
 */
uint64_t an_image_pages(const struct an_ctx *c)
{
	const struct fact_memory *m = &c->f->memory;
	uint64_t kib;

	if (!m->seen || m->code == UINT64_MAX || m->rwdata == UINT64_MAX ||
	    m->rodata == UINT64_MAX || m->init == UINT64_MAX || m->bss == UINT64_MAX)
		return 0;
	kib = ((m->code + 2047) & ~UINT64_C(2047)) + ((m->rodata + 2047) & ~UINT64_C(2047)) +
	      ((m->rwdata + m->init + m->bss + 2047) & ~UINT64_C(2047));
	/* The unwind tables are in none of the numbers. */
	if (c->a->arch == PZL_ARCH_X86_64)
		kib += 2048;
	return an_kib_pages(c, kib);
}

/*
 * Whether the kernel image lies below 4 GiB, where that can be told: while the pages of the highest
 * zone are initialised late, "available" counts the zones below it and a section or so of it.
 */
static bool image_is_low(const struct an_ctx *c, uint64_t image)
{
	uint64_t section = UINT64_C(1) << (27 - c->a->page_shift), seen, early = 0;
	const struct pz_zone *top = NULL;
	struct pz_range below = { 0, 0 };
	struct pz_mb_iter it;

	if (c->a->arch != PZL_ARCH_X86_64 || !c->f->deferred_nodes || c->z.node_count != 1 ||
	    c->a->model == PZL_LINUX_6_12 || c->f->memory.available == UINT64_MAX)
		return true;
	for (int t = 0; t < PZ_ZONE_TYPES; t++)
		if (c->z.node[0].zone[t].present)
			top = &c->z.node[0].zone[t];
	if (!top || top->start_pfn < UINT64_C(1) << (32 - c->a->page_shift))
		return true;
	/* The first section start that has more than a section of the zone before it. */
	below.last = ((top->start_pfn + 2 * section - 1) & ~(section - 1)) - 1;
	memset(&it, 0, sizeof(it));
	while (pz_memblock_next_free(&c->mb, &it, PZ_NID_NONE)) {
		struct pz_range p, both;

		if (pz_range_trim(it.range, c->a->page_shift, &p) &&
		    pz_range_intersect(p, below, &both))
			early += both.last - both.first + 1;
	}
	seen = an_kib_pages(c, c->f->memory.available);
	return early > seen && early - seen > image / 2;
}

static bool image_place(struct an_ctx *c, uint64_t pages)
{
	struct pz_mb_req req = pz_mb_req(pages << c->a->page_shift, UINT64_C(1) << 21);
	bool was = c->mb.bottom_up;
	struct pz_range at;
	int rc;

	if (c->x86)
		req.min_addr = 0x1000000;
	if (c->x86 && c->f->memory.seen && !image_is_low(c, pages))
		req.min_addr = UINT64_C(1) << 32;
	/* A UEFI loader puts it high, other ones low. */
	c->mb.bottom_up = !c->efi;
	rc = pz_memblock_alloc(&c->mb, &req, &at);
	c->mb.bottom_up = was;
	if (rc)
		return false;
	c->image_guess = at;
	c->image_guessed = true;
	an_note(c,
		"where the kernel image lies is not told: %llu pages are put at %#llx, which is "
		"right to the zone at best",
		(unsigned long long)pages, (unsigned long long)at.first);
	return true;
}

bool an_place_image(struct an_ctx *c)
{
	uint64_t pages = an_image_pages(c);

	return pages && image_place(c, pages);
}

bool an_place_usual_image(struct an_ctx *c)
{
	const struct pzl_arch_info *info = pzl_arch_info(c->a->arch);
	uint64_t mib = 14;

	if (c->a->arch == PZL_ARCH_X86_64)
		mib = 44;
	else if (info->bits == 64)
		mib = 26;
	return image_place(c, mib << (20 - c->a->page_shift));
}
