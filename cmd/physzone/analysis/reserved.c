/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reserved.c - what was taken from memory before the page allocator started.
 *
 * Three kinds of evidence, best first:
 *  - the kernel's own memblock: debugfs' dump, or a "MEMBLOCK configuration" dump in the log with
 *    the memblock=debug lines that follow it replayed (exact);
 *  - the total that the kernel reported ("Memory: ... reserved"): what has a known place (kernel,
 *    initial RAM disk, crash kernel, bounce buffers) is put there, and the remainder where the
 *    boot allocator takes it, from the top of memory or, where that kernel allocates bottom-up,
 *    from below ("report");
 *  - nothing: the remainder is what such a kernel usually takes ("estimate").
 *
 * Contiguous areas (CMA) are reserved while booting and managed afterwards: they are reserved here,
 * so that nothing else is put there, and given back by managed.c.
 */
#include "internal.h"

#include <physzone/linux/low1m.h>

#include <string.h>

static void reserved_add(struct an_ctx *c, struct pz_range r)
{
	/* Overlaps are expected: several lines speak of the same memory. */
	(void)pz_memblock_reserve(&c->mb, r.first, pz_range_size(r), PZ_NID_NONE, 0);
}

static void reserved_drop(struct an_ctx *c, struct pz_range r)
{
	(void)pz_memblock_free(&c->mb, r.first, pz_range_size(r));
}

/* Memory that the kernel never maps: in memory, present, and never given out. */
static void reserved_nomap(struct an_ctx *c)
{
	for (size_t i = 0; i < c->f->mb_regions.n; i++) {
		const struct fact_mb_region *m = &c->f->mb_regions.v[i];

		if (!m->reserved && (m->flags & PZ_MB_NOMAP))
			(void)pz_memblock_mark(&c->mb, PZ_MB_MEMORY, m->range.first,
					       pz_range_size(m->range), PZ_MB_NOMAP, 0);
	}
	if (c->x86)
		return;
	/* /proc/iomem lists such regions as "reserved" beside "System RAM", not below it. */
	for (size_t i = 0; i < c->f->iomem.n; i++) {
		const struct fact_iomem *e = &c->f->iomem.v[i];

		if (e->depth == 0 && !strcmp(e->name, "reserved"))
			(void)pz_memblock_mark(&c->mb, PZ_MB_MEMORY, e->range.first,
					       pz_range_size(e->range), PZ_MB_NOMAP, 0);
	}
	for (size_t i = 0; i < c->f->claims.n; i++) {
		const struct fact_claim *cl = &c->f->claims.v[i];

		if (cl->kind == CLAIM_DT_RESERVED && cl->nomap)
			(void)pz_memblock_mark(&c->mb, PZ_MB_MEMORY, cl->range.first,
					       pz_range_size(cl->range), PZ_MB_NOMAP,
					       0);
	}
}

static bool reserved_from_debugfs(struct an_ctx *c)
{
	bool any = false;

	for (size_t i = 0; i < c->f->mb_regions.n; i++) {
		const struct fact_mb_region *m = &c->f->mb_regions.v[i];

		if (m->dump == MB_DUMP_DEBUGFS && m->reserved) {
			reserved_add(c, m->range);
			any = true;
		}
	}
	return any;
}

static bool reserved_from_log(struct an_ctx *c)
{
	uint32_t dump = 0;
	size_t after = 0;
	bool any = false;

	for (size_t i = 0; i < c->f->mb_regions.n; i++) {
		const struct fact_mb_region *m = &c->f->mb_regions.v[i];

		if (m->dump != MB_DUMP_DEBUGFS && m->reserved && (!any || m->dump >= dump)) {
			dump = m->dump;
			after = m->after_events;
			any = true;
		}
	}
	if (!any)
		return false;
	for (size_t i = 0; i < c->f->mb_regions.n; i++) {
		const struct fact_mb_region *m = &c->f->mb_regions.v[i];

		if (m->dump == dump && m->reserved)
			reserved_add(c, m->range);
	}
	for (size_t i = after; i < c->f->mb_events.n; i++) {
		const struct fact_mb_event *e = &c->f->mb_events.v[i];

		if (e->op == MBOP_RESERVE)
			reserved_add(c, e->range);
		else if (e->op == MBOP_FREE)
			reserved_drop(c, e->range);
		if (c->mb.reserved.count > AN_RANGES_MAX) {
			an_note(c, "the log's memblock lines leave more than %u separate ranges, "
				   "which no kernel does: they are not used",
				AN_RANGES_MAX);
			(void)pz_memblock_free(&c->mb, 0, UINT64_MAX);
			return false;
		}
	}
	/* Given back after the hand-over: the ranges, as the reserving function's name tells. */
	for (size_t i = after; i < c->f->mb_events.n; i++) {
		const struct fact_mb_event *e = &c->f->mb_events.v[i];

		if (e->op == MBOP_RESERVE && e->caller &&
		    !strncmp(e->caller, "efi_reserve_boot_services", 25) &&
		    e->range.first >= 0x100000)
			reserved_drop(c, e->range);
	}
	return true;
}

/* The first megabyte of x86, by the version of the kernel. */
static void reserved_low1m(struct an_ctx *c)
{
	struct pzl_low1m_input in;
	struct pzl_low1m low;
	unsigned int commits;

	pzl_low1m_input_init(&in, c->a->model);
	/* An older kernel than its model keeps less back. */
	if (c->f->release && !pzl_low1m_for_release(c->f->release, &commits) &&
	    commits < in.commits)
		in.commits = commits;
	in.crashkernel = strstr(c->cmdline, "crashkernel=") != NULL;
	if (!pzl_low1m(&in, &c->mb, &low))
		(void)pzl_low1m_apply(&low, &c->mb);
}

/* What lines and /proc/iomem say about single takers, with their places. */
static void reserved_known(struct an_ctx *c)
{
	struct pz_range r;

	if (c->x86)
		reserved_low1m(c);
	if (an_kernel_image(c, &r)) {
		r.first &= ~((UINT64_C(1) << c->a->page_shift) - 1);
		r.last |= (UINT64_C(1) << c->a->page_shift) - 1;
		reserved_add(c, r);
	}
	for (size_t i = 0; i < c->f->iomem.n; i++) {
		const struct fact_iomem *e = &c->f->iomem.v[i];

		if ((!strncmp(e->name, "Crash kernel", 12) && !c->what_if) ||
		    (!c->x86 && e->depth > 0 && !c->what_if &&
		     (!strcmp(e->name, "reserved") || !strcmp(e->name, "Reserved"))))
			reserved_add(c, e->range);
	}
	for (size_t i = 0; i < c->f->claims.n; i++) {
		const struct fact_claim *cl = &c->f->claims.v[i];

		switch (cl->kind) {
		case CLAIM_CMA:
		case CLAIM_CRASHKERNEL:
		case CLAIM_CRASHKERNEL_LOW:
			if (!c->what_if)
				reserved_add(c, cl->range);
			break;
		case CLAIM_SWIOTLB:
			if (!c->what_if)
				reserved_add(c, cl->range);
			break;
		case CLAIM_NODE_DATA:
		case CLAIM_ACPI_TABLE:
		case CLAIM_ELFCOREHDR:
			reserved_add(c, cl->range);
			break;
		case CLAIM_DT_RESERVED:
			if (!cl->reusable)
				reserved_add(c, cl->range);
			break;
		default:
			break;
		}
	}
	/* The last word on the initial RAM disk counts: it may have been moved. */
	if (an_initrd(c, &r)) {
		uint64_t mask = (UINT64_C(1) << c->a->page_shift) - 1;

		r.first &= ~mask;
		r.last |= mask;
		reserved_add(c, r);
	}
}

static struct pzl_crash_env reserved_crash_env(const struct an_ctx *c)
{
	struct pzl_crash_env env;
	uint64_t dma = 0;

	if (c->a->arch == PZL_ARCH_ARM64 && (c->z.arch_has & PZL_ZONE_BIT(PZ_ZONE_DMA)))
		dma = (c->z.arch_range[PZ_ZONE_DMA].last + 1) << c->a->page_shift;
	pzl_crash_env_init(&env, c->a->model, c->a->arch, &c->mb, dma);
	env.capture = c->capture;
	return env;
}

void an_crash_told(struct an_ctx *c)
{
	uint64_t total = pz_memblock_bytes(&c->mb, PZ_MB_MEMORY);
	struct an_crash *k = &c->crash_got;
	bool refused = false;

	if (k->asked || c->what_if)
		return;
	(void)pzl_crash_parse(c->a->model, c->a->arch, c->cmdline, strlen(c->cmdline), total,
			      &k->req);
	k->asked = k->req.parse != PZL_CRASH_NONE;
	if (k->req.parse != PZL_CRASH_FOUND)
		return;
	k->env = reserved_crash_env(c);
	k->told = true;
	k->area.result = PZL_CRASH_NO_AREA;
	for (size_t i = 0; i < c->f->claims.n; i++) {
		const struct fact_claim *cl = &c->f->claims.v[i];

		if (cl->kind == CLAIM_CRASHKERNEL) {
			k->area.main = cl->range;
			k->area.result = PZL_CRASH_RESERVED;
		} else if (cl->kind == CLAIM_CRASHKERNEL_LOW) {
			k->area.low = cl->range;
			k->area.has_low = true;
		}
	}
	for (size_t i = 0; i < c->f->said.n; i++)
		refused = refused || c->f->said.v[i].kind == SAID_CRASHKERNEL_FAILED;
	for (size_t i = 0; i < c->f->iomem.n && k->area.result && !refused; i++) {
		if (strncmp(c->f->iomem.v[i].name, "Crash kernel", 12))
			continue;
		k->area.main = c->f->iomem.v[i].range;
		k->area.result = PZL_CRASH_RESERVED;
	}
	k->known = refused || k->area.result == PZL_CRASH_RESERVED;
}

int an_crash_reserve(struct an_ctx *c, struct pzl_crash_request *req, struct pzl_crash_area *area)
{
	uint64_t total = pz_memblock_bytes(&c->mb, PZ_MB_MEMORY);
	struct pzl_crash_env env;

	if (pzl_crash_parse(c->a->model, c->a->arch, c->cmdline, strlen(c->cmdline), total, req))
		return -PZ_EINVAL;
	env = reserved_crash_env(c);
	if (pzl_crash_reserve(&env, req, &c->mb, area))
		return -PZ_ENOENT;
	return area->result == PZL_CRASH_RESERVED ? 0 : -PZ_ENOMEM;
}

/* What crashkernel= takes, when no line tells what it took. */
static void reserved_crash(struct an_ctx *c)
{
	struct an_crash *k = &c->crash_got;
	struct pzl_crash_request req;
	struct pzl_crash_area area;
	int rc;

	memset(&area, 0, sizeof(area));
	k->room = an_longest_free(c, 0, 0, PZ_NID_NONE);
	rc = an_crash_reserve(c, &req, &area);
	k->asked = req.parse != PZL_CRASH_NONE;
	k->known = rc != -PZ_ENOENT;
	k->req = req;
	k->area = area;
	k->env = reserved_crash_env(c);
	switch (rc) {
	case 0:
		break;
	case -PZ_EINVAL:
		if (req.parse != PZL_CRASH_NONE)
			an_problem(c, "no memory is reserved for a crash kernel: %s",
				   pzl_crash_parse_text(req.parse));
		return;
	case -PZ_ENOENT:
		an_note(c, "what crashkernel= takes on this architecture is not known");
		return;
	default:
		an_problem(c, "crashkernel= asks for %llu MiB, and no place is found for it",
			   (unsigned long long)(req.size >> 20));
		return;
	}
	c->crash = area.main;
	c->crash_low = area.low;
	c->has_crash = true;
	c->has_crash_low = area.has_low;
	an_note(c, "crashkernel= takes [mem 0x%016llx-0x%016llx]",
		(unsigned long long)area.main.first, (unsigned long long)area.main.last);
}

/* Whether crashkernel= took memory, or failed to, without leaving a trace in the input. */
static bool reserved_crash_untold(const struct an_ctx *c)
{
	if (c->what_if)
		return true;
	if (c->f->memory.seen || c->f->iomem.n || an_claim(c, CLAIM_CRASHKERNEL))
		return false;
	for (size_t i = 0; i < c->f->said.n; i++)
		if (c->f->said.v[i].kind == SAID_CRASHKERNEL_FAILED)
			return false;
	return true;
}

/* Free pages of memory as it stands, of one node or of all. */
static uint64_t reserved_free_pages(const struct an_ctx *c, int nid)
{
	struct pz_mb_iter it;
	uint64_t n = 0;

	memset(&it, 0, sizeof(it));
	while (pz_memblock_next_free(&c->mb, &it, nid)) {
		struct pz_range p;

		if (pz_range_trim(it.range, c->a->page_shift, &p))
			n += p.last - p.first + 1;
	}
	return n;
}

/* Take a number of pages the way the boot allocator does, from one node or from all memory. */
static void reserved_take(struct an_ctx *c, uint64_t pages, int nid)
{
	unsigned int shift = c->a->page_shift;
	uint64_t limit = c->max_low_pfn ? c->max_low_pfn : UINT64_MAX >> shift;

	while (pages) {
		struct pz_mb_iter it;
		struct pz_range best = { 0, 0 };
		bool found = false;

		memset(&it, 0, sizeof(it));
		while (pz_memblock_next_free(&c->mb, &it, nid)) {
			struct pz_range p;

			if (!pz_range_trim(it.range, shift, &p) || p.first >= limit)
				continue;
			if (p.last >= limit)
				p.last = limit - 1;
			best = p;
			found = true;
			if (c->mb.bottom_up)
				break;
		}
		if (!found)
			return;
		if (best.last - best.first + 1 > pages) {
			if (c->mb.bottom_up)
				best.last = best.first + pages - 1;
			else
				best.first = best.last - pages + 1;
		}
		pages -= best.last - best.first + 1;
		reserved_add(c, (struct pz_range){ best.first << shift,
						   (best.last << shift) |
							   ((UINT64_C(1) << shift) - 1) });
	}
}

/* Pages of the memory map of each node, which lies in that node. */
static uint64_t reserved_memmap(struct an_ctx *c, int nid)
{
	const struct pzl_arch_info *info = pzl_arch_info(c->a->arch);
	unsigned int section = pzl_section_bits(c->a->arch, c->a->page_shift);
	uint64_t mask = (UINT64_C(1) << (section ? section : c->a->page_shift)) - 1;
	uint64_t pages = 0, done = 0;

	for (uint32_t i = 0; i < c->mb.memory.count; i++) {
		const struct pz_mb_region *m = &c->mb.memory.v[i];
		uint64_t first = m->range.first & ~mask, last = m->range.last | mask;

		if (nid != PZ_NID_NONE && m->nid != nid)
			continue;
		/* A flat map has descriptors for the holes too. */
		if (!section && pages)
			first = done;
		if (pages && first < done)
			first = done;
		if (first > last)
			continue;
		pages += (last - first + 1) >> c->a->page_shift;
		done = last + 1;
	}
	return (pages * info->struct_page + (UINT64_C(1) << c->a->page_shift) - 1) >>
	       c->a->page_shift;
}

/*
 * Contiguous areas, before the crash kernel. arm64 has by then mapped its memory, page by page as
 * long as rodata= does not say otherwise, and made the memory map.
 */
static void reserved_areas(struct an_ctx *c)
{
	bool has_default = an_areas_of_tree(c);

	an_areas_of_nodes(c);
	if (c->a->arch == PZL_ARCH_ARM64) {
		uint64_t tables = pz_memblock_bytes(&c->mb, PZ_MB_MEMORY) >> c->a->page_shift >>
				  (c->a->page_shift - 3);

		if (!strstr(c->cmdline, "rodata=off") && !strstr(c->cmdline, "rodata=on"))
			reserved_take(c, tables, PZ_NID_NONE);
		for (uint32_t i = 0; i < c->z.node_count; i++)
			reserved_take(c, reserved_memmap(c, c->z.node[i].nid), c->z.node[i].nid);
		c->memmap_taken = true;
	}
	if (!has_default)
		an_areas_default(c);
}

/* Take pages in one piece, as the boot allocator places it; 0 when they find no place. */
static uint64_t reserved_block(struct an_ctx *c, uint64_t pages, uint64_t min_addr)
{
	struct pz_mb_req req = pz_mb_req(pages << c->a->page_shift,
					 UINT64_C(1) << c->a->page_shift);
	struct pz_range at;

	req.min_addr = min_addr;
	if (c->max_low_pfn && c->max_low_pfn < UINT64_MAX >> c->a->page_shift)
		req.max_addr = (c->max_low_pfn << c->a->page_shift) - 1;
	return pages && !pz_memblock_alloc(&c->mb, &req, &at) ? pages : 0;
}

/*
 * movable_node makes x86 allocate from below until it has read the SRAT, so that what it takes
 * lies near the image. A log buffer that was asked for is taken by then: text, and 3.5 times as
 * much for its descriptors.
 */
static uint64_t reserved_early(struct an_ctx *c)
{
	const char *arg = strstr(c->cmdline, "log_buf_len=");
	uint64_t bytes, pages;

	if (!c->x86 || !c->mb.bottom_up)
		return 0;
	bytes = arg ? pzl_memparse(arg + 12, strlen(arg + 12), NULL, NULL) : 0;
	if (bytes > UINT64_C(1) << 31)
		bytes = 0;
	pages = (bytes * 9 / 2) >> c->a->page_shift;
	reserved_take(c, pages, PZ_NID_NONE);
	c->mb.bottom_up = false;
	return pages;
}

static void reserved_spread(struct an_ctx *c, uint64_t pages)
{
	uint64_t early = reserved_early(c);

	pages -= early < pages ? early : pages;
	/*
	 * From below, large blocks pass over gaps that are too small, and per-CPU areas start
	 * above the 16 MiB that are kept for old devices; from the top neither matters.
	 */
	if (c->mb.bottom_up && c->z.node_count == 1 && !c->memmap_taken) {
		uint64_t map = reserved_memmap(c, PZ_NID_NONE);
		uint64_t cpus = c->f->percpu_pages * (c->f->cpus ? c->f->cpus : 1);

		if (map <= pages)
			pages -= reserved_block(c, map, 0);
		if (cpus <= pages)
			pages -= reserved_block(c, cpus, 0x1000000);
	}
	if (c->z.node_count > 1 && !c->memmap_taken) {
		for (uint32_t i = 0; i < c->z.node_count; i++) {
			uint64_t own = reserved_memmap(c, c->z.node[i].nid);

			if (own > pages)
				own = pages;
			reserved_take(c, own, c->z.node[i].nid);
			pages -= own;
		}
	}
	reserved_take(c, pages, PZ_NID_NONE);
}

/* The rest of what is taken: bounce buffers come last, and are among it. */
static void reserved_rest(struct an_ctx *c, uint64_t pages)
{
	uint64_t bounce = an_bounce_pages(c);
	bool take = pages >= bounce;

	if (take)
		pages -= bounce;
	c->untold = pages;
	reserved_spread(c, pages);
	an_bounce(c, take);
}

/*
 * What a distribution's kernel takes for good besides its image: the memory map, hash tables of
 * directory entries and inodes, per-CPU areas, page tables.
 */
static uint64_t reserved_usual(struct an_ctx *c)
{
	uint64_t bytes = UINT64_C(3) << 20, ram = pz_memblock_bytes(&c->mb, PZ_MB_MEMORY);

	bytes += ram / 1024 + ram / 2048;
	bytes >>= c->a->page_shift;
	return c->memmap_taken ? bytes : bytes + reserved_memmap(c, PZ_NID_NONE);
}

/* arm64 lists in /proc/iomem all that memblock had reserved, not only what has a name. */
static bool reserved_listed(const struct an_ctx *c)
{
	for (size_t i = 0; i < c->f->iomem.n && c->a->arch == PZL_ARCH_ARM64; i++)
		if (c->f->iomem.v[i].depth && !strcmp(c->f->iomem.v[i].name, "reserved"))
			return !c->what_if;
	return false;
}

static uint64_t reserved_later_unplaced(const struct an_ctx *c)
{
	uint64_t n = 0;

	for (size_t i = 0; i < c->f->freeing.n; i++) {
		const struct fact_freeing *fr = &c->f->freeing.v[i];

		if (an_after(fr->at, c->f->memory.at) && an_never_taken(fr))
			n += an_kib_pages(c, fr->kib);
	}
	return n;
}

enum managed_from an_reserved(struct an_ctx *c)
{
	uint64_t present = 0, have, want;
	struct pz_range image;
	bool image_known;

	reserved_nomap(c);
	if (!c->what_if && (reserved_from_debugfs(c) || reserved_from_log(c))) {
		an_bounce(c, false);
		return MANAGED_MEMBLOCK;
	}

	reserved_known(c);
	/* The loader put it there before the kernel reserves anything. */
	image_known = an_kernel_image(c, &image) || an_place_image(c);
	if (!image_known && (c->what_if || !c->f->memory.seen))
		c->no_image = !an_place_usual_image(c);
	if (c->want_areas && an_computed(c))
		reserved_areas(c);
	if (reserved_crash_untold(c))
		reserved_crash(c);
	for (uint32_t n = 0; n < c->z.node_count; n++)
		for (int t = 0; t < PZ_ZONE_TYPES; t++)
			present += c->z.node[n].zone[t].present;
	have = present - reserved_free_pages(c, PZ_NID_NONE);
	/* Contiguous areas are not in the total that the kernel calls reserved. */
	for (size_t i = 0; i < c->f->claims.n; i++) {
		struct pz_range cma;

		if (c->f->claims.v[i].kind == CLAIM_CMA &&
		    pz_range_trim(c->f->claims.v[i].range, c->a->page_shift, &cma))
			have -= cma.last - cma.first + 1;
	}

	if (c->what_if || !c->f->memory.seen || c->f->memory.reserved == UINT64_MAX) {
		uint64_t total = an_kib_pages(c, c->f->mem_total_kib), left;
		uint64_t cma = present - have - reserved_free_pages(c, PZ_NID_NONE);

		/* MemTotal is what is managed in the end, with all that was given back. */
		if (!c->what_if && total && present - have >= total) {
			left = reserved_free_pages(c, PZ_NID_NONE) + cma;
			reserved_rest(c, left > total ? left - total : 0);
			return MANAGED_REPORT;
		}
		if (reserved_listed(c)) {
			an_note(c, "what /proc/iomem calls reserved is taken as such; contiguous "
				   "areas and the initial RAM disk may be in it, and are managed");
			an_bounce(c, false);
		} else {
			reserved_rest(c, reserved_usual(c) + an_bounce_pages(c));
		}
		return MANAGED_ESTIMATE;
	}
	want = an_kib_pages(c, c->f->memory.reserved) - reserved_later_unplaced(c);
	if (want < have && c->image_guessed && have - want < an_image_pages(c)) {
		/* The image is smaller than it was thought to be. */
		reserved_drop(c, (struct pz_range){ c->image_guess.last + 1 -
							    ((have - want) << c->a->page_shift),
						    c->image_guess.last });
		an_bounce(c, false);
		return MANAGED_REPORT;
	}
	if (want < have) {
		an_note(c, "the log reports %llu reserved pages, its other lines account for %llu",
			(unsigned long long)want, (unsigned long long)have);
		an_bounce(c, false);
		return MANAGED_REPORT;
	}
	reserved_rest(c, want - have);
	return MANAGED_REPORT;
}
