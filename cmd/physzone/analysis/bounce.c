/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounce.c - the bounce buffers (swiotlb) of a machine: what its kernel asks for, and where they
 * lie.
 *
 * They are the last that a kernel takes from memblock, so they come after everything else here.
 * Their place is computed where the input does not tell it; it is an open one when the pages that
 * only a sum is known of do not fit above the buffers' limit, so that these bound them.
 */
#include "internal.h"

#include <string.h>

struct pzl_boot_in an_boot_in(const struct an_ctx *c)
{
	const struct facts *f = c->f;
	struct pzl_boot_in in;

	memset(&in, 0, sizeof(in));
	in.model = c->a->model;
	in.arch = c->a->arch;
	in.page_shift = c->a->page_shift;
	in.max_order = pzl_max_order(in.arch, in.page_shift);
	in.configured = c->configured;
	in.cpus = f->nr_cpu_ids ? f->nr_cpu_ids : f->cpus ? f->cpus : 1;
	in.ram_bytes = pz_memblock_bytes(&c->mb, PZ_MB_MEMORY);
	in.ram_last = pz_memblock_last(&c->mb);
	/* Memory that may be plugged in later counts for the bounce buffers of a PC. */
	for (size_t i = 0; i < f->srat.n; i++)
		if (f->srat.v[i].hotplug && f->srat.v[i].range.last > in.ram_last)
			in.ram_last = f->srat.v[i].range.last;
	in.low_last = c->low_last;
	in.zone_limit = c->zone_limit;
	in.pae = f->pae;
	return in;
}

static const struct fact_claim *bounce_claim(const struct an_ctx *c)
{
	return c->what_if ? NULL : an_claim(c, CLAIM_SWIOTLB);
}

static bool bounce_request(const struct an_ctx *c, struct pzl_boot_request *r)
{
	const struct pzl_boot_in in = an_boot_in(c);
	struct pzl_boot_args args;

	pzl_boot_args(&c->cl, &args);
	return !pzl_boot_swiotlb(&in, &args, r);
}

uint64_t an_bounce_pages(const struct an_ctx *c)
{
	struct pzl_boot_request r;

	if (bounce_claim(c) || !bounce_request(c, &r))
		return 0;
	return r.bytes >> c->a->page_shift;
}

/* Whether what is placed by its sum alone reaches below a limit. */
static bool bounce_open(const struct an_ctx *c, uint64_t limit)
{
	uint64_t above = 0, first = limit >> c->a->page_shift;

	/* What UEFI's services hold has no place in a memory map. */
	for (size_t i = 0; i < c->f->freeing.n; i++)
		if (!strcmp(c->f->freeing.v[i].what, AN_FREED_EFI))
			return true;
	for (uint32_t i = 0; i < c->mb.memory.count; i++) {
		struct pz_range p;

		if (!pz_range_trim(c->mb.memory.v[i].range, c->a->page_shift, &p))
			continue;
		/* High memory of 32 bits is not for them. */
		if (c->max_low_pfn && p.last >= c->max_low_pfn)
			p.last = c->max_low_pfn - 1;
		if (p.last <= first || p.last < p.first)
			continue;
		above += p.last - (p.first > first ? p.first : first + 1) + 1;
	}
	return c->untold && (above < c->untold || c->mb.bottom_up);
}

void an_bounce(struct an_ctx *c, bool take)
{
	const struct fact_claim *claim = bounce_claim(c);
	struct an_bounce *b = &c->bounce;
	struct pz_mb_req req;
	uint64_t size;

	b->asked = bounce_request(c, &b->req);
	if (claim) {
		b->told = b->placed = true;
		b->at = claim->range;
		return;
	}
	if (!b->asked)
		return;
	b->unplaced = !take;
	if (!take)
		return;
	req = pz_mb_req(b->req.bytes, UINT64_C(1) << c->a->page_shift);
	/* The kernel takes this limit for an exclusive one: the page below it is left. */
	req.max_addr = b->req.max_addr - 1;
	if (c->max_low_pfn && c->max_low_pfn < (req.max_addr >> c->a->page_shift) + 1)
		req.max_addr = (c->max_low_pfn << c->a->page_shift) - 1;
	b->open = bounce_open(c, req.max_addr);
	for (size = b->req.bytes; size && !b->placed; size = pzl_swiotlb_halve(c->a->model, size)) {
		req.size = (size + req.align - 1) & ~(req.align - 1);
		b->placed = !pz_memblock_alloc(&c->mb, &req, &b->at);
	}
	if (b->placed)
		an_note(c, "%llu MiB of bounce buffers are taken below 0x%llx",
			(unsigned long long)(pz_range_size(b->at) >> 20),
			(unsigned long long)req.max_addr + 1);
}
