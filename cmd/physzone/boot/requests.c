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
	struct pzl_boot_in in = b->start.in;

	in.model = b->rules;
	in.pool_rules = b->pool_rules;
	for (uint32_t n = 0; n < b->start.z.node_count; n++)
		for (int t = 0; t < PZ_ZONE_TYPES; t++)
			in.totalram_pages += b->start.z.node[n].zone[t].managed;
	in.managed_dma = pz_zones_any_managed(&b->start.z, PZ_ZONE_DMA);
	if (b->areas.n)
		in.cma_last = b->start.areas.v[b->start.areas.n - 1].at.range.last;
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

void boot_place(const struct boot *b, struct boot_request *r, uint64_t pfn, uint64_t bytes)
{
	if (r->placed)
		return;
	r->placed = true;
	r->place.first = pfn << b->analysis.page_shift;
	r->place.last = r->place.first + bytes - 1;
	r->nid = PZ_NID_NONE;
	r->zone = pz_zones_locate(&b->start.z, pfn, &r->nid);
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
			boot_place(b, r, pfn, bytes);
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
	boot_place(b, r, pfn, bytes);
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

/* What else a kernel has allocated by the time of the pools is some 3 MiB, of unknown places. */
#define REQUESTS_EARLY (UINT64_C(3) << 20)

/* Whether managed pages of a zone are an estimate. */
static bool requests_estimated(const struct boot *b, int nid, enum pz_zone_type type)
{
	for (size_t i = 0; i < b->analysis.nodes.n; i++)
		if (b->analysis.nodes.v[i].nid == nid)
			return b->analysis.nodes.v[i].zone[type].managed_from == MANAGED_ESTIMATE;
	return false;
}

/* Free pages of a zone. The allocator's areas ascend by node, then by type, as zones do. */
static uint64_t requests_free(const struct boot *b, int nid, enum pz_zone_type type)
{
	uint32_t area = 0;

	for (uint32_t n = 0; n < b->start.z.node_count; n++) {
		const struct pz_node *node = &b->start.z.node[n];

		for (int t = 0; t < PZ_ZONE_TYPES; t++) {
			if (node->nid == nid && t == (int)type)
				return pz_page_free_count(b->pages, area);
			area += node->zone[t].spanned != 0;
		}
	}
	return 0;
}

/* Whether the numbers are sure to decide: what start-up leaves out is weighed against them. */
static void requests_weigh(struct boot *b, struct boot_request *r)
{
	unsigned int shift = b->analysis.page_shift;
	char left[VIEW_SIZE_MAX], early[VIEW_SIZE_MAX];
	uint64_t free_pages = 0, untold;

	if (b->physzone || r->from_cma)
		return;
	if (r->got)
		free_pages = requests_free(b, r->nid, r->zone);
	if (r->got && free_pages << shift < REQUESTS_EARLY) {
		r->outcome = BOOT_DEPENDS;
		r->remark = xasprintf("%s would be left in %s, and some %s of other allocations "
				      "come before",
				      view_pages_size(left, free_pages, shift),
				      pz_zone_name(r->zone), view_size(early, REQUESTS_EARLY));
	}
	if (r->got || !r->report)
		return;
	for (uint32_t i = 0; i < r->report->areas && i < PZ_REPORT_AREAS; i++) {
		const struct pz_report_area *a = &r->report->area[i];

		untold = b->start.untold < a->managed ? b->start.untold : a->managed;
		if (a->verdict == PZ_V_ZONE || a->verdict == PZ_V_NODE || !a->managed ||
		    !requests_estimated(b, a->nid, (enum pz_zone_type)a->type) ||
		    (a->free + untold) << shift < r->asked.bytes)
			continue;
		r->outcome = BOOT_DEPENDS;
		r->remark = xasprintf("%s has %s free, and of what is taken %s is an estimate",
				      pz_zone_name((enum pz_zone_type)a->type),
				      view_pages_size(left, a->free, shift),
				      view_pages_size(early, b->start.untold, shift));
		return;
	}
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
		/* A pool is never larger than the largest block. */
		r->outcome = order == asked->order && r->bytes >= asked->bytes ? BOOT_SERVED
									       : BOOT_LESS;
	else if (b->physzone && rc == -PZ_ERANGE && !o->device_said)
		r->outcome = BOOT_NEVER;
	else
		r->outcome = BOOT_FAILED;
	requests_weigh(b, r);
}

/* Whether a kernel has pools at all is a matter of how it was built: say so where nothing shows. */
static void requests_pools_built(struct boot *b, const struct facts *f)
{
	for (size_t i = 0; i < f->said.n; i++)
		if (f->said.v[i].kind == SAID_POOL || f->said.v[i].kind == SAID_POOL_FAILED)
			return;
	*vec_push(&b->analysis.notes) = xasprintf(
		"pools for atomic allocations are those of distributions' kernels: one that is "
		"built without CONFIG_DMA_COHERENT_POOL%s asks for none",
		b->analysis.arch == PZL_ARCH_X86_64 ? " (on x86 it comes with AMD_MEM_ENCRYPT)"
						    : "");
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
	requests_pools_built(b, f);
	/* physzone asks by address; whether a zone has pages does not matter to it. */
	if (b->physzone)
		in.managed_dma = true;
	pzl_boot_args(&b->start.cl, &args);
	n = pzl_boot_pools(&in, &args, asked);
	if (!n) {
		boot_say(b, BOOT_POSTCORE, "atomic pools", "none: coherent_pool=0, %s",
			 in.pool_rules == PZL_POOL_PROPOSED
				 ? "and a patch proposed that this makes none"
				 : "and by the documentation that is their size");
		return;
	}
	for (unsigned int i = 0; i < n; i++) {
		struct boot_request *r = boot_ask(b, BOOT_POSTCORE, &asked[i]);

		boot_make(b, f, r, o);
		if (!b->physzone)
			pzl_print_pool(&in, &r->asked, r->got ? r->bytes : 0, boot_console_line,
				       &b->console);
		dma = dma || (asked[i].gfp & PZL_GFP_DMA);
	}
	if (args.coherent_pool_set && !args.coherent_pool)
		boot_say(b, BOOT_POSTCORE, "coherent_pool=0",
			 "the same as no word: the default size is asked for");
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
