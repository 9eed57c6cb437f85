/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot_lines.c - what a Linux kernel prints about the memory that it asks for while it starts.
 *
 * Concept: each function renders the lines of one kind of request, in the words of the version,
 * from the request and what came of it.
 *
 * Invariants: none to keep; nothing is stored.
 *
 * Failure: none. A line that is longer than the buffer is cut (none is).
 *
 * Bounce buffers have theirs in boot_swiotlb.c.
 *
 * Shortcomings: lines of a debug level are not rendered. A size is told in MiB, cut, as kernels do.
 */
#include "pzl_boot.h"
#include "pzl_line.h"

static void lines_end(struct pzl_line *l, pzl_emit_fn emit, void *ctx)
{
	emit(ctx, l->s, l->n);
	l->n = 0;
}

unsigned int pzl_boot_digits(const struct pzl_boot_in *in)
{
	return pzl_arch_info(in->arch)->bits == 64 || in->pae ? 16 : 8;
}

void pzl_print_cma(const struct pzl_boot_in *in, uint64_t bytes, const struct pz_range *at, int nid,
		   pzl_emit_fn emit, void *ctx)
{
	const struct pzl_model_facts *mf = pzl_model_facts(in->model);
	struct pzl_line l = { { 0 }, 0 };

	pzl_put(&l, at ? "cma: Reserved " : "cma: Failed to reserve ");
	pzl_put_dec(&l, bytes >> 20);
	pzl_put(&l, " MiB");
	if (at) {
		pzl_put(&l, " at 0x");
		pzl_put_hex(&l, at->first, pzl_boot_digits(in));
	}
	/* Told from 6.5 on. */
	if (mf && mf->dma_limit_exact) {
		pzl_put(&l, nid < 0 ? " on node -" : " on node ");
		pzl_put_dec(&l, nid < 0 ? 1 : (uint64_t)nid);
	}
	lines_end(&l, emit, ctx);
}

enum pzl_reserved_pool pzl_reserved_pool(enum pzl_arch arch, bool shared, bool restricted,
					 bool reusable, bool nomap)
{
	if (shared && reusable && !nomap)
		return PZL_RESERVED_CMA;
	/* arm makes a coherent region only of memory that it has not mapped. */
	if (shared && !reusable && (nomap || arch != PZL_ARCH_ARM))
		return PZL_RESERVED_COHERENT;
	if (restricted && !reusable && !nomap)
		return PZL_RESERVED_BOUNCE;
	return PZL_RESERVED_PLAIN;
}

void pzl_print_reserved_pool(const struct pzl_boot_in *in, enum pzl_reserved_pool what,
			     struct pz_range at, bool misaligned, pzl_emit_fn emit, void *ctx)
{
	static const char *const made[] = {
		[PZL_RESERVED_CMA] = "created CMA memory pool at 0x",
		[PZL_RESERVED_COHERENT] = "created DMA memory pool at 0x",
		[PZL_RESERVED_BOUNCE] = "created restricted DMA pool at 0x",
	};
	struct pzl_line l = { { 0 }, 0 };

	if (what == PZL_RESERVED_PLAIN)
		return;
	if (what == PZL_RESERVED_BOUNCE) /* printed by those who bounce */
		pzl_put(&l, "software IO TLB: ");
	pzl_put(&l, "Reserved memory: ");
	if (what == PZL_RESERVED_CMA && misaligned) {
		pzl_put(&l, "incorrect alignment of CMA region");
	} else {
		pzl_put(&l, made[what]);
		pzl_put_hex(&l, at.first, pzl_boot_digits(in));
		pzl_put(&l, ", size ");
		pzl_put_dec(&l, (at.last - at.first + 1) >> 20);
		pzl_put(&l, " MiB");
	}
	lines_end(&l, emit, ctx);
}

void pzl_print_cma_bypass(const char *name, pzl_emit_fn emit, void *ctx)
{
	struct pzl_line l = { { 0 }, 0 };

	pzl_put(&l, "Reserved memory: bypass ");
	pzl_put(&l, name);
	pzl_put(&l, " node, using cmdline CMA params instead");
	lines_end(&l, emit, ctx);
}

void pzl_print_pool(const struct pzl_boot_in *in, const struct pzl_boot_request *r, uint64_t got,
		    pzl_emit_fn emit, void *ctx)
{
	bool arm = in->arch == PZL_ARCH_ARM;
	struct pzl_line l = { { 0 }, 0 };
	char flags[96];

	pzl_put(&l, got ? "DMA: preallocated " : "DMA: failed to allocate ");
	pzl_put_dec(&l, (got && !arm ? got : r->bytes) >> 10);
	pzl_put(&l, " KiB ");
	if (!arm) {
		pzl_gfp_format(flags, sizeof(flags), r->retry_gfp & ~PZL_GFP_NOWARN, in->model);
		pzl_put(&l, flags);
		pzl_put_char(&l, ' ');
	}
	pzl_put(&l, arm ? "pool for atomic coherent allocation" : "pool for atomic allocation");
	if (got)
		pzl_put_char(&l, 's');
	lines_end(&l, emit, ctx);
}
