/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * managed.c - managed pages: what memblock left free, and what was given back after it.
 *
 * Given back later: contiguous areas when they are activated, the initial RAM disk when it is
 * unpacked, the init part of the kernel image and the gaps between its parts, gigantic pages.
 * Each "Freeing ..." line says how much; where is known from the image's layout. Pages that only
 * partly belong to the initial RAM disk are lost on most architectures.
 */
#include "internal.h"

#include <string.h>

/* A gap inside the kernel image, as page frames, with how much of it is given back already. */
struct managed_gap {
	struct pz_range pfns;
	uint64_t used;
};

struct managed_image {
	struct managed_gap text_rodata, rodata_data, init, bss;
	bool known;
};

static bool managed_entry(const struct an_ctx *c, const char *name, struct pz_range *out)
{
	for (size_t i = 0; i < c->f->iomem.n; i++) {
		if (!strcmp(c->f->iomem.v[i].name, name)) {
			*out = c->f->iomem.v[i].range;
			return true;
		}
	}
	return false;
}

/* The whole pages between the end of one part and the start of another. */
static struct managed_gap managed_between(const struct an_ctx *c, uint64_t last, uint64_t first)
{
	struct managed_gap g = { { 1, 0 }, 0 };
	unsigned int s = c->a->page_shift;

	if (first > last + 1) {
		g.pfns.first = (last >> s) + 1;
		g.pfns.last = (first >> s) - 1;
	}
	return g;
}

static void managed_layout(const struct an_ctx *c, struct managed_image *im)
{
	struct pz_range code, rodata, data, bss, all;

	memset(im, 0, sizeof(*im));
	if (!an_kernel_image(c, &all) || !managed_entry(c, "Kernel code", &code))
		return;
	im->known = true;
	if (!managed_entry(c, "Kernel data", &data))
		data = code;
	if (!managed_entry(c, "Kernel rodata", &rodata))
		rodata = code;
	if (!managed_entry(c, "Kernel bss", &bss))
		bss = (struct pz_range){ all.last, all.last };
	im->text_rodata = managed_between(c, code.last, rodata.first);
	im->rodata_data = managed_between(c, rodata.last, data.first);
	im->bss.pfns.first = bss.first >> c->a->page_shift;
	im->bss.pfns.last = bss.last >> c->a->page_shift;
	if (c->x86 || bss.first > data.last)
		im->init = managed_between(c, data.last, bss.first);
	/* Elsewhere init stands between code and what follows it. */
	if (im->init.pfns.first > im->init.pfns.last ||
	    (!c->x86 && im->init.pfns.last - im->init.pfns.first < 8))
		im->init = managed_between(c, code.last,
					   rodata.first > code.last ? rodata.first : data.first);
}

/* Pages of a range that memblock has as reserved (or outside memory). */
static uint64_t managed_reserved_in(const struct an_ctx *c, struct pz_range pfns)
{
	struct pz_mb_iter it;
	uint64_t n = pfns.last - pfns.first + 1;

	memset(&it, 0, sizeof(it));
	while (pz_memblock_next_free(&c->mb, &it, PZ_NID_NONE)) {
		struct pz_range p, both;

		if (pz_range_trim(it.range, c->a->page_shift, &p) &&
		    pz_range_intersect(p, pfns, &both))
			n -= both.last - both.first + 1;
	}
	return n;
}

static void managed_later(struct an_ctx *c, struct pz_range pfns, enum an_given_kind kind)
{
	struct an_later *l = vec_push(&c->later);

	l->pfns = pfns;
	l->phase = kind == AN_GIVEN_EFI || kind == AN_GIVEN_GIGANTIC ? PZ_BOOT_MARKS : PZ_BOOT_THP;
	l->kind = kind;
}

/* Put pages back into a gap of the image; false when the gap was free already or has no room. */
static bool managed_into(struct an_ctx *c, struct managed_gap *g, uint64_t pages, bool late)
{
	struct pz_range p;

	if (g->pfns.first > g->pfns.last)
		return false;
	if (g->pfns.last - g->pfns.first + 1 < g->used + pages)
		return false;
	p.first = g->pfns.first + g->used;
	p.last = p.first + pages - 1;
	g->used += pages;
	pz_zones_account(&c->z, p, true);
	if (late)
		managed_later(c, p, AN_GIVEN_IMAGE);
	return true;
}

/*
 * The kernel image when nothing tells its parts: where it was put, else the first reserved range
 * of the first dump that has its size and starts where images do; else the lowest range with room.
 */
static bool managed_image_range(const struct an_ctx *c, uint64_t pages, struct pz_range *out)
{
	uint64_t want = an_image_pages(c), align = c->x86 ? 0x1fffff : 0xffff;

	if (c->image_guessed) {
		*out = (struct pz_range){ c->image_guess.first >> c->a->page_shift,
					  c->image_guess.last >> c->a->page_shift };
		return true;
	}
	for (size_t i = 0; i < c->f->mb_regions.n && want; i++) {
		const struct fact_mb_region *m = &c->f->mb_regions.v[i];
		uint64_t n = (m->range.last - m->range.first + 1) >> c->a->page_shift;

		if (!m->reserved || m->dump || (m->range.first & align) || n < want - want / 8 ||
		    n > want + want / 2)
			continue;
		*out = (struct pz_range){ m->range.first >> c->a->page_shift,
					  m->range.last >> c->a->page_shift };
		return true;
	}
	for (uint32_t i = 0; i < c->mb.reserved.count; i++) {
		if (!pz_range_trim(c->mb.reserved.v[i].range, c->a->page_shift, out))
			continue;
		if (c->x86 && out->first < 0x100)
			out->first = 0x100;
		if (out->first <= out->last && out->last - out->first + 1 >= pages)
			return true;
	}
	return false;
}

static bool managed_guess(struct an_ctx *c, uint64_t pages, bool late)
{
	struct pz_range p;

	if (!managed_image_range(c, pages, &p))
		return false;
	p.last = p.first + pages - 1;
	pz_zones_account(&c->z, p, true);
	if (late)
		managed_later(c, p, AN_GIVEN_IMAGE);
	return true;
}

/* The initial RAM disk: out of the free pages first, then back as many as the log says. */
static void managed_initrd(struct an_ctx *c, const struct fact_freeing *fr)
{
	uint64_t pages = an_kib_pages(c, fr->kib);
	unsigned int s = c->a->page_shift;
	struct pz_range r, p;

	if (!an_initrd(c, &r)) {
		/* The range of /proc/iomem that has its size and is free again. */
		for (size_t i = 0; i < c->f->iomem.n; i++) {
			const struct fact_iomem *e = &c->f->iomem.v[i];
			uint64_t n = (e->range.last - e->range.first + 1) >> s;

			p = (struct pz_range){ e->range.first >> s, e->range.last >> s };
			if (e->depth == 0 || strcmp(e->name, "reserved") || n < pages ||
			    n > pages + 2 || managed_reserved_in(c, p))
				continue;
			for (; n > pages; n--, p.first++)
				pz_zones_account(&c->z, (struct pz_range){ p.first, p.first },
						 false);
			managed_later(c, p, AN_GIVEN_INITRD);
			return;
		}
		c->later_unplaced += pages;
		return;
	}
	p = (struct pz_range){ r.first >> s, r.last >> s };
	if (managed_reserved_in(c, p) < p.last - p.first + 1) {
		/* Free in the dump: the parts of pages at its ends were not given back. */
		uint64_t n = p.last - p.first + 1 - managed_reserved_in(c, p);

		for (; n > pages; n--, p.last--)
			pz_zones_account(&c->z, (struct pz_range){ p.last, p.last }, false);
		managed_later(c, p, AN_GIVEN_INITRD);
		return;
	}
	p.last = p.first + pages - 1;
	pz_zones_account(&c->z, p, true);
	managed_later(c, p, AN_GIVEN_INITRD);
}

/*
 * Gigantic pages are taken from memblock, and managed once they are huge pages. Where memblock's
 * own list is known they are whole reserved GiB, from the top; else they were never taken out.
 */
static void managed_gigantic(struct an_ctx *c, uint64_t pages, enum managed_from from)
{
	uint64_t gib = UINT64_C(1) << (30 - c->a->page_shift);
	uint64_t end = (pz_memblock_last(&c->mb) >> c->a->page_shift) + 1;

	if (from != MANAGED_MEMBLOCK) {
		managed_later(c, (struct pz_range){ end - pages, end - 1 }, AN_GIVEN_GIGANTIC);
		return;
	}
	for (uint64_t at = end & ~(gib - 1); pages >= gib && at >= gib; at -= gib) {
		struct pz_range p = { at - gib, at - 1 };
		struct pz_range bytes = { p.first << c->a->page_shift,
					  (at << c->a->page_shift) - 1 };

		if (!an_in_memory(c, bytes) || managed_reserved_in(c, p) < gib)
			continue;
		pz_zones_account(&c->z, p, true);
		managed_later(c, p, AN_GIVEN_GIGANTIC);
		pages -= gib;
	}
	if (pages)
		an_note(c, "%llu pages of gigantic pages have no known place and are not counted",
			(unsigned long long)pages);
}

/* Pages that are counted as free all along; only the first watermarks did not know of them. */
static bool managed_never_taken(struct an_ctx *c, const struct fact_freeing *fr, uint64_t pages,
				enum managed_from from)
{
	bool efi = !strncmp(fr->what, AN_FREED_EFI, strlen(AN_FREED_EFI));

	if (!an_never_taken(fr))
		return false;
	if (!strncmp(fr->what, AN_FREED_HUGETLB, strlen(AN_FREED_HUGETLB)))
		managed_gigantic(c, pages, from);
	/* EDK II for virtual machines unpacks its drivers at 9 MiB, into 12 MiB. */
	if (efi && pages > 0xc00 && c->max_low_pfn > 0x1500) {
		managed_later(c, (struct pz_range){ 0x900, 0xfff }, AN_GIVEN_EFI);
		managed_later(c, (struct pz_range){ 0x1000, 0x1000 + pages - 0x700 - 1 },
			      AN_GIVEN_EFI);
	}
	return true;
}

static void managed_freeing(struct an_ctx *c, enum managed_from from)
{
	struct managed_image im;

	managed_layout(c, &im);
	for (size_t i = 0; i < c->f->freeing.n; i++) {
		const struct fact_freeing *fr = &c->f->freeing.v[i];
		uint64_t pages = an_kib_pages(c, fr->kib);
		/* The text of other processors' alternatives goes before the watermarks are set. */
		bool ok = false, late = strcmp(fr->what, "SMP alternatives") != 0;

		if (!pages)
			continue;
		/* The total that the log reports has what was given back before it. */
		if (from == MANAGED_REPORT && !an_after(fr->at, c->f->memory.at))
			continue;
		if (!strcmp(fr->what, "initrd")) {
			managed_initrd(c, fr);
			continue;
		}
		if (managed_never_taken(c, fr, pages, from))
			continue;
		if (strstr(fr->what, "text/rodata gap"))
			ok = managed_into(c, &im.text_rodata, pages, true);
		else if (strstr(fr->what, "rodata/data gap"))
			ok = managed_into(c, &im.rodata_data, pages, true);
		else if (strstr(fr->what, "decrypted"))
			ok = managed_into(c, &im.bss, pages, true);
		else if (im.known && managed_reserved_in(c, im.init.pfns) < pages) {
			/* The dump was taken after it was given back. */
			managed_later(c,
				      (struct pz_range){ im.init.pfns.first,
							 im.init.pfns.first + pages - 1 },
				      AN_GIVEN_IMAGE);
			ok = true;
		} else {
			ok = managed_into(c, &im.init, pages, late);
		}
		if (!ok && !managed_guess(c, pages, late))
			c->later_unplaced += pages;
	}
}

/* Contiguous areas are managed once the kernel runs. */
static void managed_cma(struct an_ctx *c)
{
	for (size_t i = 0; i < c->f->claims.n; i++) {
		const struct fact_claim *cl = &c->f->claims.v[i];

		if (cl->kind == CLAIM_CMA && !c->what_if)
			(void)pz_memblock_free(&c->mb, cl->range.first, pz_range_size(cl->range));
	}
	for (size_t i = 0; i < c->areas.n; i++)
		(void)pz_memblock_free(&c->mb, c->areas.v[i].at.range.first,
				       pz_range_size(c->areas.v[i].at.range));
}

static void managed_cma_count(struct an_ctx *c)
{
	unsigned int s = c->a->page_shift;

	for (size_t i = 0; i < c->f->claims.n; i++) {
		const struct fact_claim *cl = &c->f->claims.v[i];

		if (cl->kind != CLAIM_CMA || c->what_if)
			continue;
		for (uint32_t n = 0; n < c->z.node_count; n++) {
			for (int t = 0; t < PZ_ZONE_TYPES; t++) {
				struct pz_zone *z = &c->z.node[n].zone[t];
				struct pz_range both, zr = { z->start_pfn,
							     z->start_pfn + z->spanned - 1 };
				struct pz_range p = { cl->range.first >> s, cl->range.last >> s };

				if (z->present && pz_range_intersect(zr, p, &both))
					z->cma += both.last - both.first + 1;
			}
		}
	}
}

/* The page full of zeroes that MIPS takes out of the page allocator for good. */
static void managed_zero_page(struct an_ctx *c)
{
	if (c->a->arch != PZL_ARCH_MIPS && c->a->arch != PZL_ARCH_MIPS64)
		return;
	for (uint32_t n = c->z.node_count; n-- > 0;) {
		for (int t = PZ_ZONE_NORMAL; t >= 0; t--) {
			if (c->z.node[n].zone[t].managed) {
				c->z.node[n].zone[t].managed--;
				return;
			}
		}
	}
}

/* An estimate is of a kernel that has started: its initial RAM disk is unpacked and given back. */
static void managed_initrd_unsaid(struct an_ctx *c)
{
	struct pz_range r, p;

	for (size_t i = 0; i < c->f->freeing.n; i++)
		if (c->what_if && !strcmp(c->f->freeing.v[i].what, "initrd"))
			return;
	if (!an_initrd(c, &r) || !pz_range_trim(r, c->a->page_shift, &p) ||
	    managed_reserved_in(c, p) < p.last - p.first + 1)
		return;
	if (!an_in_memory(c, r))
		return;
	pz_zones_account(&c->z, p, true);
	managed_later(c, p, AN_GIVEN_INITRD);
}

/* The end of the highest zone: memory that the kernel cannot name is above it. */
static uint64_t managed_end(const struct an_ctx *c)
{
	uint64_t end = 0;

	for (uint32_t n = 0; n < c->z.node_count; n++) {
		for (int t = 0; t < PZ_ZONE_TYPES; t++) {
			const struct pz_zone *z = &c->z.node[n].zone[t];

			if (z->start_pfn + z->spanned > end)
				end = z->start_pfn + z->spanned;
		}
	}
	return end;
}

void an_managed(struct an_ctx *c, enum managed_from from)
{
	managed_cma(c);
	if (pz_zones_set_managed(&c->z, &c->mb, managed_end(c)) == -PZ_EINVAL)
		an_note(c, "some free memory lies in no zone");
	managed_cma_count(c);
	if (from == MANAGED_MEMBLOCK)
		managed_zero_page(c);
	/* Another command line leaves what the same kernel gives back as it was. */
	if (from != MANAGED_ESTIMATE || c->what_if)
		managed_freeing(c, from);
	if (from == MANAGED_ESTIMATE)
		managed_initrd_unsaid(c);

	/* Pages without a known place: to the zone that has most of the memory. */
	if (c->later_unplaced) {
		struct pz_zone *best = NULL;

		for (uint32_t n = 0; n < c->z.node_count; n++)
			for (int t = 0; t < PZ_ZONE_TYPES; t++)
				if (!best || c->z.node[n].zone[t].managed > best->managed)
					best = &c->z.node[n].zone[t];
		if (best && best->managed + c->later_unplaced <= best->present) {
			best->managed += c->later_unplaced;
			an_note(c,
				"%llu pages given back after booting have no known place; they are "
				"counted in the largest zone",
				(unsigned long long)c->later_unplaced);
		}
	}
}
