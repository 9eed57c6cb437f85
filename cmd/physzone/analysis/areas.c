/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * areas.c - contiguous areas by the rules, where no line tells where they were put: those of the
 * device tree's reserved-memory first, then the default one (cma=, or what is configured). They
 * are placed while little else is taken, as kernels do.
 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

bool an_computed(const struct an_ctx *c)
{
	return c->what_if || (!c->f->memory.seen && !c->f->has_meminfo && !c->f->iomem.n &&
			      !c->f->mb_regions.n);
}

/* Bytes of the default area. */
static uint64_t areas_default_size(struct an_ctx *c)
{
	const struct fact_claim *cl = an_claim(c, CLAIM_CMA);

	if (c->cl.cma_set)
		return c->cl.cma_size;
	/* The recorded kernel's own default, when its command line did not ask for one. */
	if (cl && !(c->f->cmdline && strstr(c->f->cmdline, "cma=")))
		return pz_range_size(cl->range);
	/* What distributions configure. */
	if (c->a->arch != PZL_ARCH_ARM64)
		return 0;
	if (!c->f->altered && !c->f->banner)
		an_note(c, "the default contiguous area of 64 MiB is what distributions configure "
			   "(CONFIG_CMA_SIZE_MBYTES): nothing tells this kernel's");
	return UINT64_C(64) << 20;
}

static bool areas_reserve(struct an_ctx *c, const struct pz_cma_req *req, bool of_tree)
{
	unsigned int shift = c->a->page_shift;
	unsigned int order = pzl_pageblock_order(c->a->arch, shift, c->f->pae);
	struct an_area area = { .nid = req->nid, .of_tree = of_tree };
	int rc;

	rc = pz_cma_reserve(&c->mb, req, UINT64_C(1) << (order + shift), &area.at);
	if (rc)
		*vec_push(&c->no_areas) = (struct an_no_area){
			req->size, rc, an_longest_free(c, req->base, req->limit, req->nid),
			req->nid, of_tree,
		};
	else
		*vec_push(&c->areas) = area;
	return !rc;
}

static void areas_req(const struct an_ctx *c, struct pz_cma_req *req, const char *name,
		      uint64_t size)
{
	unsigned int shift = c->a->page_shift;

	memset(req, 0, sizeof(*req));
	req->name = name;
	req->size = size;
	req->nid = PZ_NID_NONE;
	req->limit = c->a->arch == PZL_ARCH_ARM64 ? c->low_last + 1 : pz_memblock_last(&c->mb) + 1;
	if (pzl_arch_info(c->a->arch)->bits == 32 && c->max_low_pfn &&
	    c->max_low_pfn < UINT64_MAX >> shift)
		req->highmem = c->max_low_pfn << shift;
	/* A PC reserves in what it has mapped by then. */
	if (c->a->arch == PZL_ARCH_I386 && req->highmem && req->highmem < req->limit)
		req->limit = req->highmem;
	req->bottom_up_4g = pzl_arch_info(c->a->arch)->bits == 64;
}

/* A node without a place. True when it became the default area. */
static bool areas_dynamic(struct an_ctx *c, const struct fact_dt_dynamic *d)
{
	uint64_t align = d->align ? d->align : UINT64_C(1) << c->a->page_shift;
	struct pz_mb_req mr = pz_mb_req(d->size, align);
	struct an_tree_pool pool = {
		.what = pzl_reserved_pool(c->a->arch, d->shared_pool, d->restricted_pool,
					  d->reusable, d->nomap),
		.size = d->size,
	};
	bool area = pool.what == PZL_RESERVED_CMA;
	size_t failed = c->no_areas.n;
	struct pz_cma_req req;
	struct pz_range at;

	if (!d->size || (align & (align - 1)) || (area && d->cma_default && c->cl.cma_set))
		return false;
	areas_req(c, &req, d->name ? d->name : "reserved", d->size);
	for (size_t i = 0; i < d->within.n || !i; i++) {
		if (d->within.n) {
			req.base = mr.min_addr = d->within.v[i].first;
			mr.max_addr = d->within.v[i].last;
			req.limit = mr.max_addr + 1;
			mr.retry_low = false;
		}
		/* What fails in one range is tried in the next: one failure is told. */
		if (c->no_areas.n > failed)
			c->no_areas.n = failed;
		if (area ? areas_reserve(c, &req, true) : !pz_memblock_alloc(&c->mb, &mr, &at)) {
			if (area)
				return d->cma_default;
			pool.placed = true;
			pool.at = at;
			break;
		}
	}
	if (!area)
		*vec_push(&c->tree_pools) = pool;
	return false;
}

/* Whether a node can be an area: the kernel refuses one that does not fill pageblocks. */
static bool areas_aligned(const struct an_ctx *c, struct pz_range r)
{
	unsigned int shift = c->a->page_shift;
	unsigned int order = pzl_pageblock_order(c->a->arch, shift, c->f->pae);

	return !((r.first | (r.last + 1)) & ((UINT64_C(1) << (order + shift)) - 1));
}

/* A reusable node with a place is an area there. True when one of them is the default area. */
static bool areas_placed(struct an_ctx *c, size_t *which)
{
	bool has_default = false;

	for (size_t i = 0; i < c->f->claims.n; i++) {
		const struct fact_claim *cl = &c->f->claims.v[i];
		struct an_area *a;

		if (cl->kind != CLAIM_DT_RESERVED || !cl->reusable || cl->nomap ||
		    (cl->cma_default && c->cl.cma_set) || !an_in_memory(c, cl->range) ||
		    !areas_aligned(c, cl->range) ||
		    pz_memblock_reserve(&c->mb, cl->range.first, pz_range_size(cl->range),
					PZ_NID_NONE, 0))
			continue;
		a = vec_push(&c->areas);
		snprintf(a->at.name, sizeof(a->at.name), "%s", cl->text ? cl->text : "reserved");
		a->at.range = cl->range;
		a->recorded = true;
		a->of_tree = true;
		a->nid = PZ_NID_NONE;
		if (!cl->cma_default || has_default)
			continue;
		has_default = true;
		*which = c->areas.n - 1;
	}
	return has_default;
}

void an_areas_of_nodes(struct an_ctx *c)
{
	for (uint32_t i = 0; i < c->z.node_count && c->a->arch == PZL_ARCH_ARM64; i++) {
		uint64_t of_node = 0;
		struct pz_cma_req req;

		(void)pzl_cmdline_numa_cma(&c->cl, c->z.node[i].nid, &of_node);
		/* Each word makes an area of its own, the one for all nodes first. */
		for (unsigned int k = 0; k < 2; k++) {
			areas_req(c, &req, k ? "numa" : "pernuma", k ? of_node : c->cl.cma_pernuma);
			req.nid = c->z.node[i].nid;
			req.limit = 0;
			if (req.size)
				(void)areas_reserve(c, &req, false);
		}
	}
}

bool an_areas_of_tree(struct an_ctx *c)
{
	size_t last = 0;
	bool has_default = areas_placed(c, &last);

	for (size_t i = 0; i < c->f->dt.dynamic.n; i++) {
		if (!areas_dynamic(c, &c->f->dt.dynamic.v[i]))
			continue;
		has_default = true;
		last = c->areas.n - 1;
	}
	if (has_default) {
		struct an_area a = c->areas.v[last];

		c->areas.v[last] = c->areas.v[c->areas.n - 1];
		c->areas.v[c->areas.n - 1] = a;
	}
	return has_default;
}

void an_areas_default(struct an_ctx *c)
{
	struct pz_cma_req req;

	areas_req(c, &req, "reserved", areas_default_size(c));
	if (c->cl.cma_set) {
		req.base = c->cl.cma_base;
		req.fixed = c->cl.cma_fixed;
		if (c->cl.cma_limit && c->cl.cma_limit < req.limit)
			req.limit = c->cl.cma_limit;
	}
	if (req.size)
		(void)areas_reserve(c, &req, false);
}
