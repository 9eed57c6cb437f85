/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_pool.c - Linux's dma_pool: its layouts and its words.
 *
 * Concept
 *  A block that would end exactly at a boundary is lost before 6.12, because the end is compared as
 * if it were the last byte. The first block of a span is always there.
 *
 * Failure
 *  What dma_pool_create() refuses is refused.
 *
 * Shortcomings
 *  Before 6.12, with a boundary beyond the page, a block may begin in the page and end behind it.
 * The layout here ends before such a block.
 */
#include <physzone/linux/dma_pool.h>

#include "../src/base/bits.h"
#include "pzl_out.h"
#include "pzl_text.h"

static bool dma_pool_pow2(uint32_t v)
{
	return v && !(v & (v - 1));
}

int pzl_dma_pool_layout(struct pz_dma_pool_layout *out, enum pzl_model model, uint32_t page_shift,
			uint32_t size, uint32_t align, uint32_t boundary)
{
	bool old = model < PZL_LINUX_6_12;
	uint32_t least = old ? 4 : 16, page = (uint32_t)1 << page_shift, last;
	struct pz_dma_pool_layout l;

	if (!align)
		align = 1;
	if (!dma_pool_pow2(align) || !size)
		return -PZ_EINVAL;
	if (size < least)
		size = least;
	if (size > INT32_MAX || align > INT32_MAX || size > INT32_MAX - (align - 1))
		return -PZ_EINVAL;
	size = (size + align - 1) & ~(align - 1);
	if (boundary && (boundary < size || !dma_pool_pow2(boundary)))
		return -PZ_EINVAL;
	l.bytes = (size + page - 1) & ~(page - 1);
	l.stride = size;
	l.span = boundary && boundary < l.bytes ? boundary : l.bytes;
	last = old && (!boundary || boundary <= l.bytes) ? l.span - 1 : l.span;
	l.per_span = (uint32_t)pz_udiv64(last, size);
	if (!l.per_span)
		l.per_span = 1;
	l.blocks = l.per_span * (uint32_t)pz_udiv64(l.bytes, l.span);
	*out = l;
	return 0;
}

/* What the column of totals says. */
static uint64_t dma_pool_total(enum pzl_model model, const struct pz_dma_pool_info *p)
{
	if (model >= PZL_LINUX_6_12)
		return p->total;
	return p->pages * pz_udiv64(p->layout.bytes, p->layout.stride);
}

void pzl_dma_pools_show(enum pzl_model model, const struct pz_dma_pool_info *v, size_t n,
			pzl_emit_fn emit, void *ctx)
{
	struct pzl_out o = { { 0 }, 0, emit, ctx };

	pzl_out_line(&o, "poolinfo - 0.1");
	for (size_t i = 0; i < n; i++)
		pzl_out_line(&o, "%-16s %4llu %4llu %4u %2llu", v[i].name, (pzl_ull)v[i].used,
			     (pzl_ull)dma_pool_total(model, &v[i]), v[i].layout.stride,
			     (pzl_ull)v[i].pages);
}

/* "driver device: ", as all lines of a device begin. */
static void dma_pool_who(struct pzl_out *o, const struct pzl_dma_who *who)
{
	pzl_out_add(o, "%s %s: ", who->driver ? who->driver : "NULL",
		    who->device ? who->device : "NULL");
}

/* Linux's function for one of the library's. */
static const char *dma_pool_function(const char *function)
{
	return pzl_starts(function, "pz_") ? function + 3 : function;
}

static pzl_ull dma_pool_pointer(const void *p)
{
	return (pzl_ull)(uintptr_t)p;
}

bool pzl_dma_pool_show_finding(const struct pz_dma_pool_finding *f, enum pzl_model model,
			       bool debug, const struct pzl_dma_who *who, pzl_emit_fn emit,
			       void *ctx)
{
	struct pzl_out o = { { 0 }, 0, emit, ctx };
	bool old = model < PZL_LINUX_6_12;

	if (!debug && !(old && f->fault == PZ_DMA_POOL_FOREIGN))
		return false;
	dma_pool_who(&o, who);
	pzl_out_add(&o, "%s %s, ", dma_pool_function(f->function), f->name);
	switch (f->fault) {
	case PZ_DMA_POOL_FOREIGN:
		pzl_out_add(&o, "%016llx/0x%016llx (bad dma)", dma_pool_pointer(f->cpu_addr),
			    (pzl_ull)f->bus);
		break;
	case PZ_DMA_POOL_BAD_CPU:
		if (!old)
			return false;
		pzl_out_add(&o, "%016llx (bad vaddr)/0x%016llx", dma_pool_pointer(f->cpu_addr),
			    (pzl_ull)f->bus);
		break;
	case PZ_DMA_POOL_DOUBLE_FREE:
		pzl_out_add(&o, "dma 0x%016llx already free", (pzl_ull)f->bus);
		break;
	case PZ_DMA_POOL_CORRUPTED:
		pzl_out_add(&o, "%016llx (corrupted)", dma_pool_pointer(f->cpu_addr));
		break;
	case PZ_DMA_POOL_INTERIOR:
	case PZ_DMA_POOL_FAULTS:
		return false;
	}
	pzl_out_end(&o);
	return true;
}

void pzl_dma_pool_show_busy(enum pzl_model model, const char *name, const struct pzl_dma_who *who,
			    const void *const *pages, size_t n, pzl_emit_fn emit, void *ctx)
{
	struct pzl_out o = { { 0 }, 0, emit, ctx };

	for (size_t i = 0; i < n; i++) {
		dma_pool_who(&o, who);
		pzl_out_add(&o, "dma_pool_destroy %s", name);
		if (model < PZL_LINUX_6_12)
			pzl_out_add(&o, ", %016llx", dma_pool_pointer(pages[i]));
		pzl_out_line(&o, " busy");
		if (model >= PZL_LINUX_6_12)
			return;
	}
}
