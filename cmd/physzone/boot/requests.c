/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests.c - the requests of start-up, made of the rebuilt machine, with what came of them.
 *
 * Under a Linux model a request is made as the kernel makes it: its flags name a zone. Under
 * physzone the same request is made with the limit of the device behind it. The pool in ZONE_DMA
 * is for devices of fewer than 32 bits: there it is made with the fewest bits, from those of the
 * zone on, that reach any managed page; devices of fewer bits are told that nothing is in reach.
 */
#include "boot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool boot_has_pools(const struct boot *b, const struct facts *f)
{
	bool whole = false;

	for (size_t i = 0; i < f->said.n; i++)
		if (f->said.v[i].kind == SAID_POOL || f->said.v[i].kind == SAID_POOL_FAILED)
			return true;
	/* A log that goes beyond them and has no line of them is of a kernel without. */
	for (size_t i = 0; i < f->freeing.n; i++)
		if (!strncmp(f->freeing.v[i].what, "unused kernel", 13))
			whole = true;
	return !(whole && f->release) && pzl_boot_has_pools(b->analysis.arch);
}

struct pzl_boot_in boot_in(const struct boot *b, const struct facts *f)
{
	struct pzl_boot_in in;

	memset(&in, 0, sizeof(in));
	in.model = b->rules;
	in.arch = b->analysis.arch;
	in.page_shift = b->analysis.page_shift;
	in.max_order = pzl_max_order(in.arch, in.page_shift);
	in.configured = b->start.configured;
	in.cpus = f->nr_cpu_ids ? f->nr_cpu_ids : f->cpus ? f->cpus : 1;
	in.ram_bytes = pz_memblock_bytes(&b->start.mb, PZ_MB_MEMORY);
	in.ram_last = pz_memblock_last(&b->start.mb);
	/* Memory that may be plugged in later counts for the bounce buffers of a PC. */
	for (size_t i = 0; i < f->srat.n; i++)
		if (f->srat.v[i].hotplug && f->srat.v[i].range.last > in.ram_last)
			in.ram_last = f->srat.v[i].range.last;
	in.low_last = b->start.low_last;
	for (uint32_t n = 0; n < b->start.z.node_count; n++)
		for (int t = 0; t < PZ_ZONE_TYPES; t++)
			in.totalram_pages += b->start.z.node[n].zone[t].managed;
	in.managed_dma = pz_zones_any_managed(&b->start.z, PZ_ZONE_DMA);
	in.zone_limit = b->start.zone_limit;
	if (b->areas.n)
		in.cma_last = b->start.areas.v[b->start.areas.n - 1].at.range.last;
	in.pae = f->pae;
	return in;
}

struct boot_request *boot_ask(struct boot *b, enum boot_stage stage,
			      const struct pzl_boot_request *asked)
{
	struct boot_step *s = vec_push(&b->steps);
	struct boot_request *r = vec_push(&b->requests);

	s->stage = stage;
	s->what = xstrdup(asked->name);
	s->request = b->requests.n - 1;
	r->asked = *asked;
	r->max_addr = PZ_ADDR_MAX;
	r->outcome = BOOT_FAILED;
	return r;
}

static void requests_place(const struct boot *b, struct boot_request *r, uint64_t pfn,
			   uint64_t bytes)
{
	if (r->placed)
		return;
	r->placed = true;
	r->place.first = pfn << b->analysis.page_shift;
	r->place.last = r->place.first + bytes - 1;
	r->nid = PZ_NID_NONE;
	r->zone = pz_zones_locate(&b->start.z, pfn, &r->nid);
}

/* Gigantic pages: as the input shows them, or tried by the rules of memblock. */
static void requests_gigantic(struct boot *b, const struct pzl_boot_request *asked)
{
	struct boot_request *r = boot_ask(b, BOOT_MEMBLOCK, asked);
	unsigned int shift = b->analysis.page_shift;
	struct pz_mb_req req = pz_mb_req(asked->bytes, asked->bytes);

	for (size_t i = 0; i < b->start.later.n && !b->start.computed; i++) {
		const struct an_given *g = &b->start.later.v[i];

		if (g->kind != AN_GIVEN_GIGANTIC)
			continue;
		r->got += ((g->pfns.last - g->pfns.first + 1) << shift) / asked->bytes;
		requests_place(b, r, g->pfns.first, asked->bytes);
	}
	while (b->start.computed && r->got < asked->count) {
		struct pz_range at;

		if (pz_memblock_alloc(&b->start.mb, &req, &at))
			break;
		pz_zones_account(&b->start.z, (struct pz_range){ at.first >> shift,
								 at.last >> shift },
				 false);
		*vec_push(&b->start.later) = (struct an_given){
			AN_GIVEN_GIGANTIC, { at.first >> shift, at.last >> shift }
		};
		r->got++;
		requests_place(b, r, at.first >> shift, asked->bytes);
	}
	r->bytes = asked->bytes;
	r->outcome = r->got >= asked->count ? BOOT_SERVED : r->got ? BOOT_LESS : BOOT_FAILED;
	if (r->outcome != BOOT_SERVED)
		r->remark = xasprintf("%" PRIu64 " of %" PRIu64 " found a place", r->got,
				      asked->count);
}

/* Bounce buffers: the analysis took them out of memory; here it is told what was asked. */
static void requests_swiotlb(struct boot *b, const struct facts *f,
			     const struct pzl_boot_args *args)
{
	struct pzl_boot_in in = boot_in(b, f);
	const struct fact_claim *claim = NULL;
	struct pzl_boot_request asked;
	struct boot_request *r;

	if (pzl_boot_swiotlb(&in, args, &asked))
		return;
	r = boot_ask(b, BOOT_MEMBLOCK, &asked);
	r->max_addr = asked.max_addr;
	for (size_t i = 0; i < f->claims.n && !b->start.computed; i++)
		if (f->claims.v[i].kind == CLAIM_SWIOTLB)
			claim = &f->claims.v[i];
	for (size_t i = 0; i < b->analysis.pieces.n && !claim && b->start.computed; i++) {
		const struct an_piece *p = &b->analysis.pieces.v[i];

		if (p->kind == AN_SWIOTLB) {
			r->place = p->range;
			r->placed = true;
		}
	}
	r->nid = PZ_NID_NONE;
	r->zone = PZ_ZONE_TYPES;
	if (claim) {
		r->place = claim->range;
		r->placed = true;
		r->bytes = view_range_size(claim->range);
		r->outcome = r->bytes < asked.bytes ? BOOT_LESS : BOOT_SERVED;
	} else {
		r->bytes = asked.bytes;
		r->outcome = BOOT_SERVED;
	}
	r->got = 1;
}

void boot_requests_memblock(struct boot *b, const struct facts *f, const struct boot_options *o)
{
	struct pzl_boot_in in = boot_in(b, f);
	struct pzl_boot_request asked[8];
	struct pzl_boot_args args;
	unsigned int n;

	(void)o;
	n = pzl_boot_hugepages(&in, &b->start.cl, asked, 8);
	for (unsigned int i = 0; i < n && i < 8; i++)
		if (asked[i].what == PZL_BOOT_GIGANTIC)
			requests_gigantic(b, &asked[i]);
	pzl_boot_args(&b->start.cl, &args);
	requests_swiotlb(b, f, &args);
}

/* The request to the page allocator at an order, by the model. */
static void requests_req(const struct boot *b, const struct boot_request *r, unsigned int order,
			 uint32_t gfp, struct pz_page_req *req)
{
	pz_page_req_init(b->pages, req, order, 0, 0);
	pzl_gfp_request(gfp, b->rules, b->start.configured, req);
	if (b->physzone) {
		req->highest = PZ_ZONE_TYPES;
		req->limits.max_addr = r->max_addr;
	}
}

/* One try; 0 when it was served. */
static int requests_try(struct boot *b, const struct facts *f, struct boot_request *r,
			unsigned int order, uint32_t gfp, int nid)
{
	uint64_t bytes = UINT64_C(1) << (order + b->analysis.page_shift), pfn;
	const struct pzl_boot_request *asked = &r->asked;
	struct pz_page_req req;
	struct boot_try *t;
	int rc;

	requests_req(b, r, order, gfp, &req);
	req.nid = nid;
	if (asked->cma && b->areas.n) {
		unsigned int align = order < asked->cma_align ? order : asked->cma_align;

		rc = pz_cma_alloc(b->pages, 0, b->areas.v[b->areas.n - 1], UINT64_C(1) << order,
				  align, b->physzone ? &req.limits : NULL, &pfn);
		t = vec_push(&r->tries);
		*t = (struct boot_try){ order, gfp, true, rc };
		if (!rc) {
			r->from_cma = true;
			requests_place(b, r, pfn, bytes);
			r->bytes = bytes;
			return 0;
		}
	}
	rc = pz_page_request(b->pages, &req, &pfn);
	t = vec_push(&r->tries);
	*t = (struct boot_try){ order, gfp, false, rc };
	if (rc) {
		if (!r->report) {
			r->report = xcalloc(1, sizeof(*r->report));
			if (pz_report_explain(b->pages, &req, r->report)) {
				free(r->report);
				r->report = NULL;
			}
		}
		boot_console_failure(b, f, order, gfp);
		return rc;
	}
	requests_place(b, r, pfn, bytes);
	if (!r->bytes || bytes < r->bytes)
		r->bytes = bytes;
	return 0;
}

/* Whether the allocator could ever serve the request from below a limit. */
static bool requests_ever(struct boot *b, const struct boot_request *r, uint64_t max_addr)
{
	struct pz_page_req req;
	struct pz_report rep;

	requests_req(b, r, 0, r->asked.retry_gfp, &req);
	req.limits.max_addr = max_addr;
	return !pz_report_explain(b->pages, &req, &rep) && rep.outcome != -PZ_ERANGE;
}

static unsigned int requests_bits(uint64_t max_addr)
{
	unsigned int bits = 0;

	while (bits < 64 && max_addr >> bits)
		bits++;
	return bits;
}

/* physzone: the limit of the device that the request is for. */
static void requests_limit(struct boot *b, struct boot_request *r, const struct boot_options *o)
{
	bool pool = r->asked.what == PZL_BOOT_POOL || r->asked.what == PZL_BOOT_KMALLOC;
	unsigned int own = requests_bits(r->asked.max_addr);

	r->max_addr = r->asked.max_addr;
	r->bits = r->max_addr == PZ_ADDR_MAX ? 0 : own;
	if (!pool || !(r->asked.gfp & PZL_GFP_DMA))
		return;
	if (o->device_said) {
		r->max_addr = o->device_max;
		r->bits = requests_bits(r->max_addr);
		return;
	}
	while (r->bits < 32 && !requests_ever(b, r, r->max_addr)) {
		r->bits++;
		r->max_addr = (UINT64_C(1) << r->bits) - 1;
	}
	if (r->bits > own)
		r->unreached = r->bits;
}

void boot_make(struct boot *b, const struct facts *f, struct boot_request *r,
	       const struct boot_options *o)
{
	const struct pzl_boot_request *asked = &r->asked;
	unsigned int order = asked->order;
	int rc;

	if (b->physzone)
		requests_limit(b, r, o);
	rc = requests_try(b, f, r, order, asked->gfp, PZ_NID_NONE);
	if (rc && asked->jump)
		rc = requests_try(b, f, r, asked->min_order, asked->retry_gfp, PZ_NID_NONE);
	while (rc && !asked->jump && order > asked->min_order)
		rc = requests_try(b, f, r, --order, asked->retry_gfp, PZ_NID_NONE);
	r->got = !rc;
	if (!rc)
		r->outcome = order == asked->order ? BOOT_SERVED : BOOT_LESS;
	else if (b->physzone && rc == -PZ_ERANGE && !o->device_said)
		r->outcome = BOOT_NEVER;
	else
		r->outcome = BOOT_FAILED;
}

static void requests_pool_line(struct boot *b, const struct boot_request *r)
{
	char flags[96];
	bool arm = b->analysis.arch == PZL_ARCH_ARM;

	if (b->physzone)
		return;
	pzl_gfp_format(flags, sizeof(flags), r->asked.retry_gfp & ~PZL_GFP_NOWARN, b->rules);
	if (r->got && arm)
		out_printf(&b->console,
			   "DMA: preallocated %" PRIu64 " KiB pool for atomic coherent "
			   "allocations\n",
			   r->asked.bytes >> 10);
	else if (arm)
		out_printf(&b->console,
			   "DMA: failed to allocate %" PRIu64 " KiB pool for atomic coherent "
			   "allocation\n",
			   r->asked.bytes >> 10);
	else if (r->got)
		out_printf(&b->console,
			   "DMA: preallocated %" PRIu64 " KiB %s pool for atomic allocations\n",
			   r->bytes >> 10, flags);
	else
		out_printf(&b->console,
			   "DMA: failed to allocate %" PRIu64 " KiB %s pool for atomic "
			   "allocation\n",
			   r->asked.bytes >> 10, flags);
}

void boot_requests_pages(struct boot *b, const struct facts *f, const struct boot_options *o)
{
	struct pzl_boot_request asked[PZL_BOOT_POOLS];
	struct pzl_boot_in in = boot_in(b, f);
	struct pzl_boot_args args;
	bool dma = false;
	unsigned int n;

	if (!boot_has_pools(b, f)) {
		boot_say(b, BOOT_POSTCORE, "atomic pools", "%s",
			 pzl_boot_has_pools(b->analysis.arch)
				 ? "none: the log shows a kernel that has none"
				 : "none: kernels of this architecture have none as a rule");
		return;
	}
	/* physzone asks by address; whether a zone has pages does not matter to it. */
	if (b->physzone)
		in.managed_dma = true;
	pzl_boot_args(&b->start.cl, &args);
	n = pzl_boot_pools(&in, &args, asked);
	for (unsigned int i = 0; i < n; i++) {
		struct boot_request *r = boot_ask(b, BOOT_POSTCORE, &asked[i]);

		boot_make(b, f, r, o);
		requests_pool_line(b, r);
		dma = dma || (asked[i].gfp & PZL_GFP_DMA);
	}
	if (!dma && (in.configured & PZL_ZONE_BIT(PZ_ZONE_DMA)))
		boot_say(b, BOOT_POSTCORE, "atomic pool",
			 "GFP_KERNEL|GFP_DMA is not asked for: no node has a managed page in "
			 "ZONE_DMA");
}

/* Huge pages: one after another, from the nodes in turn. */
static void requests_hugetlb(struct boot *b, const struct facts *f,
			     const struct pzl_boot_request *asked)
{
	struct boot_request *r = boot_ask(b, BOOT_SUBSYS, asked);
	uint32_t nodes = b->start.z.node_count, turn = 0;

	while (r->got < asked->count) {
		int rc = -PZ_ENOMEM;

		for (uint32_t i = 0; i < nodes && rc; i++) {
			const struct pz_node *node = &b->start.z.node[turn++ % nodes];

			if (node->end_pfn)
				rc = requests_try(b, f, r, asked->order, asked->gfp, node->nid);
		}
		/* Only the failures matter afterwards. */
		if (!rc)
			r->tries.n = 0;
		if (rc)
			break;
		r->got++;
	}
	r->outcome = r->got >= asked->count ? BOOT_SERVED : r->got ? BOOT_LESS : BOOT_FAILED;
	if (r->outcome != BOOT_SERVED)
		r->remark = xasprintf("%" PRIu64 " of %" PRIu64 " were served", r->got,
				      asked->count);
}

void boot_requests_subsys(struct boot *b, const struct facts *f, const struct boot_options *o)
{
	struct pzl_boot_in in = boot_in(b, f);
	struct pzl_boot_request asked[8];
	unsigned int n = pzl_boot_hugepages(&in, &b->start.cl, asked, 8);

	(void)o;
	for (unsigned int i = 0; i < n && i < 8; i++)
		if (asked[i].what == PZL_BOOT_HUGETLB)
			requests_hugetlb(b, f, &asked[i]);
}

void boot_request_driver(struct boot *b, const struct facts *f, const struct boot_options *o)
{
	struct pzl_boot_in in = boot_in(b, f);
	struct pzl_boot_request asked;
	struct boot_request *r;

	in.only_managed = o->only_managed && !b->physzone;
	if (!o->kmalloc_dma || pzl_boot_kmalloc_dma(&in, o->kmalloc_dma, &asked))
		return;
	/* Start-up is over: the limit on reports has passed. */
	b->console_limited = false;
	r = boot_ask(b, BOOT_DRIVER, &asked);
	boot_make(b, f, r, o);
	if (!r->got)
		boot_slab_failure(b, r, PZL_GFP_KERNEL | (asked.gfp & PZL_GFP_DMA));
	if (!(asked.gfp & PZL_GFP_DMA) && (in.configured & PZL_ZONE_BIT(PZ_ZONE_DMA)) && r->got)
		r->remark = xstrdup("asked for with GFP_DMA, and it may lie anywhere");
}
