/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crash.c - the reservation for the crash kernel, as each kernel makes it.
 *
 * Concept: every kernel asks memblock for a place, and they differ in the alignment, in the windows
 * that are tried and their order, and in whether a second block below 4 GiB is added. A plan holds
 * those differences; one function carries it out. From 6.12 on the plan is the same code for four
 * architectures.
 *
 * Invariants: 1. on a result other than PZL_CRASH_RESERVED memblock is as before; 2. both areas are
 * aligned as the kernel aligns them.
 *
 * Failure: what the kernel would report is a result, not an error.
 *
 * Shortcomings: powerpc, s390, mips and ia64 reserve in ways of their own that are not known here.
 */
#include <physzone/linux/crash.h>
#include <physzone/memblock.h>

#include "pzl_line.h"
#include "pzl_text.h"

#define CRASH_1M 0x100000ull
#define CRASH_4G 0x100000000ull
#define CRASH_64T 0x400000000000ull

/* A place to look: [start, end). */
struct crash_window {
	uint64_t start, end;
};

struct crash_plan {
	uint64_t align;		       /* of an automatic place */
	uint64_t fixed_align;	       /* of a given place */
	struct crash_window window[2]; /* tried in order */
	unsigned int windows;
	uint64_t low_from;	    /* a place at or above this needs the low block */
	uint64_t low_size;	    /* 0: no low block */
	uint64_t fallback_low_size; /* when the second window is used */
	uint64_t low_align;
	bool round_page; /* the size is rounded up to whole pages first */
	bool loops;	 /* the kernel tries the last window for ever */
	bool known;
};

static bool crash_is_x86(enum pzl_arch arch)
{
	return arch == PZL_ARCH_X86_64 || arch == PZL_ARCH_I386;
}

static bool crash_is_riscv(enum pzl_arch arch)
{
	return arch == PZL_ARCH_RISCV64 || arch == PZL_ARCH_RISCV32;
}

void pzl_crash_env_init(struct pzl_crash_env *env, enum pzl_model model, enum pzl_arch arch,
			const struct pz_memblock *mb, uint64_t dma_limit)
{
	struct pzl_crash_env e = { 0 };
	uint64_t end = pz_memblock_last(mb);

	if (end != PZ_ADDR_MAX)
		end++;
	e.model = model;
	e.arch = arch;
	e.swiotlb = 64 * CRASH_1M;
	e.low_max = dma_limit ? dma_limit : CRASH_4G;
	e.high_max = (uint64_t)1 << 48;
	if (arch == PZL_ARCH_X86_64) {
		e.low_max = CRASH_4G;
		e.high_max = CRASH_64T;
	} else if (arch == PZL_ARCH_I386) {
		e.low_max = 512 * CRASH_1M;
		e.high_max = 512 * CRASH_1M;
	} else if (crash_is_riscv(arch) || arch == PZL_ARCH_LOONGARCH) {
		/* riscv64 limits low memory to its DMA32 zone, which ends with memory. */
		if (crash_is_riscv(arch) && end < e.low_max)
			e.low_max = end;
		e.high_max = end;
	}
	*env = e;
}

/* The low block that x86 adds on its own. */
static uint64_t crash_default_low(const struct pzl_crash_env *env)
{
	uint64_t low = env->swiotlb + 8 * CRASH_1M;

	if (env->arch == PZL_ARCH_I386)
		return 0;
	if (env->arch == PZL_ARCH_X86_64)
		return low > 256 * CRASH_1M ? low : 256 * CRASH_1M;
	return 128 * CRASH_1M;
}

static void crash_add_window(struct crash_plan *p, uint64_t start, uint64_t end)
{
	p->window[p->windows].start = start;
	p->window[p->windows].end = end;
	p->windows++;
}

static void crash_plan_generic(const struct pzl_crash_env *env, const struct pzl_crash_request *req,
			       struct crash_plan *p)
{
	p->known = crash_is_x86(env->arch) || crash_is_riscv(env->arch) ||
		   env->arch == PZL_ARCH_ARM64 || env->arch == PZL_ARCH_LOONGARCH;
	p->align = crash_is_x86(env->arch)	   ? 16 * CRASH_1M
		   : env->arch == PZL_ARCH_RISCV32 ? 4 * CRASH_1M
						   : 2 * CRASH_1M;
	p->fixed_align = p->align;
	p->low_align = p->align;
	p->low_from = env->low_max;
	if (req->high) {
		crash_add_window(p, env->low_max, env->high_max);
		if (env->low_max != env->high_max)
			crash_add_window(p, 0, env->low_max);
		p->low_size = req->low_given ? req->low_size : crash_default_low(env);
		p->fallback_low_size = p->low_size;
	} else {
		crash_add_window(p, 0, env->low_max);
		crash_add_window(p, env->low_max, env->high_max);
		p->fallback_low_size = crash_default_low(env);
		p->loops = env->low_max == env->high_max;
	}
	if (env->arch == PZL_ARCH_I386 || env->arch == PZL_ARCH_RISCV32)
		p->low_size = p->fallback_low_size = 0;
}

static void crash_plan_x86(const struct pzl_crash_env *env, const struct pzl_crash_request *req,
			   struct crash_plan *p)
{
	p->known = true;
	p->align = 16 * CRASH_1M;
	p->fixed_align = CRASH_1M;
	p->low_align = p->align;
	p->low_from = CRASH_4G;
	if (!req->high)
		crash_add_window(p, p->align, env->low_max);
	crash_add_window(p, p->align, env->high_max);
	if (env->arch == PZL_ARCH_X86_64)
		p->low_size = req->low_given ? req->low_size : crash_default_low(env);
	p->fallback_low_size = p->low_size;
}

static struct crash_plan crash_make_plan(const struct pzl_crash_env *env,
					 const struct pzl_crash_request *req)
{
	struct crash_plan p = { 0 };

	if (pzl_model_facts(env->model)->crash_generic && env->arch != PZL_ARCH_ARM) {
		crash_plan_generic(env, req, &p);
	} else if (crash_is_x86(env->arch)) {
		crash_plan_x86(env, req, &p);
	} else if (env->arch == PZL_ARCH_ARM64) {
		p.known = p.round_page = true;
		p.align = p.fixed_align = p.low_align = 2 * CRASH_1M;
		p.low_from = env->low_max;
		if (req->high && req->low_given)
			p.low_size = req->low_size;
		crash_add_window(&p, 0, req->high ? env->high_max : env->low_max);
	} else if (crash_is_riscv(env->arch)) {
		p.known = p.round_page = true;
		p.align = p.fixed_align =
			env->arch == PZL_ARCH_RISCV32 ? 4 * CRASH_1M : 2 * CRASH_1M;
		crash_add_window(&p, 0, CRASH_4G - 1);
		crash_add_window(&p, 0, env->high_max);
	} else if (env->arch == PZL_ARCH_ARM) {
		p.known = true;
		p.align = 128 * CRASH_1M;
		p.fixed_align = CRASH_1M;
		crash_add_window(&p, p.align, env->low_max);
	}
	return p;
}

static int crash_take(struct pz_memblock *mb, uint64_t size, uint64_t align, uint64_t start,
		      uint64_t end, struct pz_range *out)
{
	struct pz_mb_req req = pz_mb_req(size, align);

	if (end <= start || end < size)
		return -PZ_ERANGE;
	req.min_addr = start;
	req.max_addr = end - 1;
	req.mirror = true;
	req.retry_low = false;
	return pz_memblock_alloc(mb, &req, out);
}

/* Whether memblock could not give a place, as opposed to having no room for its own arrays. */
static bool crash_no_place(const struct pz_memblock *mb, int err, uint64_t size, uint64_t align,
			   uint64_t start, uint64_t end)
{
	struct pz_mb_req req = pz_mb_req(size, align);
	struct pz_range r;

	if (err != -PZ_ENOMEM)
		return true;
	req.min_addr = start;
	req.max_addr = end - 1;
	req.mirror = true;
	req.retry_low = false;
	return pz_memblock_find(mb, &req, &r) != 0;
}

/* Place the main block. Returns 0 with out->result set, or an error. */
static int crash_main(const struct crash_plan *p, const struct pzl_crash_request *req,
		      uint64_t size, struct pz_memblock *mb, struct pzl_crash_area *out,
		      bool *fallback)
{
	unsigned int i;
	int err;

	*fallback = false;
	out->result = PZL_CRASH_RESERVED;
	if (req->base) {
		uint64_t end = req->base + size;

		err = end < req->base
			      ? -PZ_ERANGE
			      : crash_take(mb, size, p->fixed_align, req->base, end, &out->main);
		if (!err)
			return 0;
		if (!crash_no_place(mb, err, size, p->fixed_align, req->base, end))
			return err;
		out->result = PZL_CRASH_IN_USE;
		return 0;
	}
	for (i = 0; i < p->windows; i++) {
		const struct crash_window *w = &p->window[i];

		err = crash_take(mb, size, p->align, w->start, w->end, &out->main);
		if (!err) {
			*fallback = i > 0;
			return 0;
		}
		if (!crash_no_place(mb, err, size, p->align, w->start, w->end))
			return err;
	}
	out->result = p->loops ? PZL_CRASH_LOOPS : PZL_CRASH_NO_AREA;
	return 0;
}

int pzl_crash_reserve(const struct pzl_crash_env *env, const struct pzl_crash_request *req,
		      struct pz_memblock *mb, struct pzl_crash_area *out)
{
	struct pzl_crash_area a = { 0 };
	uint64_t page = (uint64_t)1 << mb->page_shift, size = req->size;
	struct crash_plan p;
	bool fallback;
	int err;

	if (!pzl_model_facts(env->model) || req->size == 0)
		return -PZ_ENOENT;
	p = crash_make_plan(env, req);
	if (!p.known)
		return -PZ_ENOENT;
	if (crash_is_riscv(env->arch) && env->capture &&
	    !pzl_model_facts(env->model)->crash_generic) {
		a.result = PZL_CRASH_IGNORED;
		*out = a;
		return 0;
	}
	if (p.round_page && size <= UINT64_MAX - (page - 1))
		size = (size + page - 1) & ~(page - 1);
	err = crash_main(&p, req, size, mb, &a, &fallback);
	if (err)
		return err;
	a.low_size = fallback ? p.fallback_low_size : p.low_size;
	if (a.result == PZL_CRASH_RESERVED && p.low_from && a.main.first >= p.low_from &&
	    a.low_size) {
		uint64_t low_end = crash_is_x86(env->arch) ? CRASH_4G : env->low_max;

		err = crash_take(mb, a.low_size, p.low_align, 0, low_end, &a.low);
		if (!err) {
			a.has_low = true;
		} else {
			bool place = crash_no_place(mb, err, a.low_size, p.low_align, 0, low_end);
			int undo = pz_memblock_free(mb, a.main.first, size);

			if (!place || undo)
				return -PZ_ENOMEM;
			a.result = PZL_CRASH_NO_LOW;
		}
	} else {
		a.low_size = 0;
	}
	*out = a;
	return 0;
}

static void crash_line_end(struct pzl_line *l, void (*emit)(void *, const char *, size_t),
			   void *ctx)
{
	emit(ctx, l->s, l->n);
	l->n = 0;
}

/* "Reserving 256MB of [low ]memory at 8944MB for crashkernel (System RAM: 8191MB)" */
static void crash_line_mb(struct pzl_line *l, const char *what, struct pz_range r, const char *of,
			  uint64_t ram)
{
	pzl_put(l, "Reserving ");
	pzl_put_dec(l, (r.last - r.first + 1) >> 20);
	pzl_put(l, what);
	pzl_put_dec(l, r.first >> 20);
	pzl_put(l, of);
	pzl_put_dec(l, ram >> 20);
	pzl_put(l, "MB)");
}

/* "crashkernel reserved: 0x... - 0x... (512 MB)", the second address exclusive. */
static void crash_line_range(struct pzl_line *l, const char *what, struct pz_range r,
			     unsigned int digits)
{
	pzl_put(l, what);
	pzl_put_hex(l, r.first, digits);
	pzl_put(l, " - 0x");
	pzl_put_hex(l, r.last + 1, digits);
	pzl_put(l, " (");
	pzl_put_dec(l, (r.last - r.first + 1) >> 20);
	pzl_put(l, " MB)");
}

static void crash_line_failure(struct pzl_line *l, const struct pzl_crash_env *env,
			       const struct pzl_crash_request *req, const struct pzl_crash_area *a,
			       bool old_style)
{
	bool generic = pzl_model_facts(env->model)->crash_generic;

	if (a->result == PZL_CRASH_IGNORED) {
		pzl_put(l, "crashkernel: ignoring reservation request");
	} else if (a->result == PZL_CRASH_NO_LOW && old_style) {
		pzl_put(l, "Cannot reserve ");
		pzl_put_dec(l, a->low_size >> 20);
		pzl_put(l, "MB crashkernel low memory, please try smaller size.");
	} else if (a->result == PZL_CRASH_NO_LOW) {
		pzl_put(l, "cannot allocate crashkernel low memory (size:0x");
		pzl_put_hex(l, a->low_size, 1);
		pzl_put(l, ").");
	} else if (a->result == PZL_CRASH_IN_USE && (old_style || generic)) {
		pzl_put(l, "crashkernel reservation failed - memory is in use.");
	} else if (old_style) {
		pzl_put(l, "crashkernel reservation failed - No suitable area found.");
	} else if (crash_is_riscv(env->arch) && !generic) {
		pzl_put(l, "crashkernel: couldn't allocate ");
		pzl_put_dec(l, req->size >> 10);
		pzl_put(l, "KB");
	} else {
		pzl_put(l, "cannot allocate crashkernel (size:0x");
		pzl_put_hex(l, req->size, 1);
		pzl_put(l, ")");
	}
}

void pzl_crash_print(const struct pzl_crash_env *env, const struct pzl_crash_request *req,
		     const struct pzl_crash_area *area, uint64_t total,
		     void (*emit)(void *ctx, const char *line, size_t len), void *ctx)
{
	bool generic = pzl_model_facts(env->model)->crash_generic;
	bool old_style = env->arch == PZL_ARCH_ARM || (crash_is_x86(env->arch) && !generic);
	uint64_t low_limit = total < CRASH_4G ? total : CRASH_4G;
	struct pzl_line l = { { 0 }, 0 };

	if (area->result == PZL_CRASH_LOOPS)
		return; /* it never gets to say anything */
	if (area->result != PZL_CRASH_RESERVED) {
		crash_line_failure(&l, env, req, area, old_style);
		crash_line_end(&l, emit, ctx);
		return;
	}
	if (area->has_low) {
		if (old_style)
			crash_line_mb(&l, "MB of low memory at ", area->low,
				      "MB for crashkernel (low RAM limit: ", low_limit);
		else
			crash_line_range(&l, "crashkernel low memory reserved: 0x", area->low, 8);
		crash_line_end(&l, emit, ctx);
	}
	if (old_style)
		crash_line_mb(&l, "MB of memory at ", area->main,
			      "MB for crashkernel (System RAM: ", total);
	else
		crash_line_range(&l,
				 crash_is_riscv(env->arch) && !generic ? "crashkernel: reserved 0x"
								       : "crashkernel reserved: 0x",
				 area->main, 16);
	crash_line_end(&l, emit, ctx);
}
