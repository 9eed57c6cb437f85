/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * early.c - early memory of the architectures other than x86.
 *
 * Concept: memblock is changed step by step as the kernel does it, on a copy, which replaces the
 * original at the end. mem= is an amount, a ceiling or a list, as the architecture has it.
 *
 * Invariants: 1. the caller's memblock changes on success only; 2. max_low_pfn <= max_pfn.
 *
 * Failure: as the steps' own; the copy is dropped.
 *
 * Shortcomings: the size of arm64's linear map depends on the processor and is not applied; memory
 * that a machine's own setup code removes is not known.
 */
#include <physzone/linux/early.h>
#include <physzone/map.h>

#include "pzl_range.h"

#define EARLY_1M 0x100000ull
#define EARLY_ARM_PMD 0x200000ull
#define EARLY_ARM_VMALLOC_END 0xff800000ull
#define EARLY_ARM_VMALLOC (240 * EARLY_1M)
#define EARLY_ARM_VMALLOC_OFFSET (8 * EARLY_1M)
#define EARLY_PAGE_OFFSET 0xc0000000ull
#define EARLY_16M (16 * EARLY_1M)

static uint64_t early_bytes(const struct pz_memblock *mb)
{
	return pz_memblock_bytes(mb, PZ_MB_MEMORY);
}

/* Drop memory from an address, 2 or higher, on: the size is cut where it would wrap. */
static int early_cut(struct pz_memblock *mb, uint64_t from)
{
	return pz_memblock_remove(mb, from, UINT64_MAX);
}

static int early_add(struct pz_memblock *mb, struct pz_range r)
{
	int err = pz_memblock_add(mb, r.first, pz_range_size(r), PZ_NID_NONE, 0);

	/* Part of it is there with a node or flags of its own, which it keeps. */
	return err == -PZ_EEXIST ? 0 : err;
}

static int early_usable(const struct pzl_early_input *in, struct pz_memblock *mb, uint32_t *notes)
{
	uint32_t i;
	int err;

	if (in->usable_count == 0)
		return 0;
	*notes |= PZL_EARLY_CAPPED;
	err = pz_memblock_cap_range(mb, in->usable[0].first,
				    in->usable[0].last - in->usable[0].first + 1);
	for (i = 1; !err && i < in->usable_count; i++)
		err = early_add(mb, in->usable[i]);
	return err;
}

static bool early_is_arm(enum pzl_arch arch)
{
	return arch == PZL_ARCH_ARM;
}

/* arm takes whole pages and nothing below the start of memory; the others take what is given. */
static bool early_list_range(const struct pzl_early_input *in, const struct pzl_mem_op *op,
			     uint64_t phys_offset, uint64_t page, struct pz_range *r)
{
	uint64_t start = op->from == 1 ? phys_offset : op->base, size = op->size, up;

	if (!early_is_arm(in->arch)) {
		start = op->from == 1 ? 0 : op->base;
		return pzl_range_cut(start, size, r);
	}
	/* The sums wrap as they do there: most of what passes the top is dropped as a whole. */
	up = (start + page - 1) & ~(page - 1);
	if (up > start + size)
		return false;
	size -= up - start;
	start = up;
	if (in->phys_bits <= 32 && start > 0xffffffffull)
		return false;
	/* The last page below 4 GiB is lost to the 32-bit end address. */
	if (in->phys_bits <= 32 && size > 0xffffffffull - start)
		size = 0xffffffffull - start;
	if (start < phys_offset) {
		if (start + size <= phys_offset)
			return false;
		size -= phys_offset - start;
		start = phys_offset;
	}
	return pzl_range_cut(start, size & ~(page - 1), r);
}

/* Whether an argument was read to its end. */
static bool early_is_clean(const struct pzl_cmdline *c, uint32_t arg)
{
	return arg >= c->arg_cap || c->arg[arg].problem != PZL_ARG_TRAILING;
}

/* arm, mips, loongarch: mem= as a list, and mips' memmap=. */
static int early_list(const struct pzl_early_input *in, struct pz_memblock *mb, uint32_t *notes)
{
	const struct pzl_cmdline *c = in->cmdline;
	uint64_t phys_offset = pz_memblock_start(mb), page = (uint64_t)1 << mb->page_shift;
	bool first = true;
	uint32_t i;
	int err = 0;

	for (i = 0; !err && i < c->op_count && i < c->op_cap; i++) {
		const struct pzl_mem_op *op = &c->op[i];
		struct pz_range r;

		if (op->kind == PZL_OP_RANGE && first) {
			uint64_t start = pz_memblock_start(mb);

			first = false;
			*notes |= PZL_EARLY_REPLACED;
			err = pz_memblock_remove(mb, start, pz_memblock_last(mb) - start + 1);
			if (err)
				return err;
		}
		if (op->kind == PZL_OP_ADD) {
			/* After a memmap= without a mistake mem= only adds, too. */
			if (early_is_clean(c, op->arg))
				first = false;
			if (!pzl_range_cut(op->base, op->size, &r))
				continue;
		} else if (op->kind != PZL_OP_RANGE ||
			   !early_list_range(in, op, phys_offset, page, &r)) {
			continue;
		}
		err = early_add(mb, r);
		if (!err && op->kind == PZL_OP_ADD && op->to == PZ_MAP_RESERVED) {
			err = pz_memblock_reserve(mb, r.first, r.last - r.first + 1, PZ_NID_NONE,
						  0);
			if (err == -PZ_EEXIST)
				err = 0;
		}
	}
	return err;
}

static bool early_has(const struct pz_memblock *mb, uint64_t addr)
{
	uint32_t i;

	for (i = 0; i < mb->memory.count; i++)
		if (addr >= mb->memory.v[i].range.first && addr <= mb->memory.v[i].range.last)
			return true;
	return false;
}

/* arm64: the kernel and its initrd come back when the limit took them. */
static int early_add_back(struct pz_memblock *mb, struct pz_range r, uint64_t page, uint32_t *notes)
{
	if (page) {
		r.first &= ~(page - 1);
		r.last |= page - 1;
	}
	if (!early_has(mb, r.first) || !early_has(mb, r.last))
		*notes |= PZL_EARLY_ADDED_BACK;
	return early_add(mb, r);
}

static int early_amount(const struct pzl_early_input *in, struct pz_memblock *mb, uint32_t *notes)
{
	const struct pzl_cmdline *c = in->cmdline;
	bool limited = c && c->mem_limited;
	uint64_t total = early_bytes(mb), limit = limited ? c->mem_limit : 0;
	bool ppc = in->arch == PZL_ARCH_POWERPC || in->arch == PZL_ARCH_POWERPC64;
	int err;

	if (ppc) {
		if (limit > total)
			limit = 0;
		if (limit == 0)
			limit = total;
		if (in->model == PZL_LINUX_6_12) {
			if (limit & (EARLY_16M - 1))
				*notes |= PZL_EARLY_ALIGNED_DOWN;
			limit &= ~(EARLY_16M - 1);
		}
	}
	if (limit && limit < total) {
		*notes |= PZL_EARLY_LIMITED;
		err = pz_memblock_enforce_limit(mb, limit, in->arch == PZL_ARCH_ARM64);
		if (err)
			return err;
	}
	if (in->arch != PZL_ARCH_ARM64)
		return 0;
	if (limited && in->has_kernel) {
		err = early_add_back(mb, in->kernel, 0, notes);
		if (err)
			return err;
	}
	if (in->has_initrd)
		return early_add_back(mb, in->initrd, (uint64_t)1 << mb->page_shift, notes);
	return 0;
}

/*
 * arm: low memory is what fits below the vmalloc area. Before it is mapped allocations end at a
 * section; that is also where memory is cut when there is more and no high memory to hold it.
 */
static int early_arm_low(const struct pzl_early_input *in, struct pz_memblock *mb,
			 uint64_t phys_offset, uint64_t *low_end, uint64_t *cut)
{
	bool given = in->cmdline && in->cmdline->vmalloc_set;
	uint64_t vmalloc = given ? in->cmdline->vmalloc : EARLY_ARM_VMALLOC;
	uint64_t limit, low = 0, block_limit = 0;
	uint32_t i;
	int err;

	limit = EARLY_ARM_VMALLOC_END - vmalloc - EARLY_ARM_VMALLOC_OFFSET - EARLY_PAGE_OFFSET +
		phys_offset;
	for (i = 0; i < mb->memory.count; i++) {
		struct pz_range r = mb->memory.v[i].range;

		if (mb->memory.v[i].flags & PZ_MB_NOMAP)
			continue;
		if (r.first & (EARLY_ARM_PMD - 1)) {
			uint64_t up = (r.first + EARLY_ARM_PMD - 1) & ~(EARLY_ARM_PMD - 1);

			err = pz_memblock_mark(mb, PZ_MB_MEMORY, r.first, up - r.first, PZ_MB_NOMAP,
					       0);
			if (err)
				return err;
		}
		break;
	}
	for (i = 0; i < mb->memory.count; i++) {
		struct pz_range r = mb->memory.v[i].range;

		if ((mb->memory.v[i].flags & PZ_MB_NOMAP) || r.first >= limit)
			continue;
		if (r.last + 1 > low)
			low = limit < r.last + 1 ? limit : r.last + 1;
		if (!block_limit) {
			if (r.first & (EARLY_ARM_PMD - 1))
				block_limit = r.first;
			else if ((r.last + 1) & (EARLY_ARM_PMD - 1))
				block_limit = low;
		}
	}
	if (!block_limit)
		block_limit = low;
	*low_end = low;
	*cut = block_limit & ~(EARLY_ARM_PMD - 1);
	mb->current_limit = low ? low - 1 : 0;
	return 0;
}

/* Architectures whose low memory ends at a fixed distance from its start, or at an address. */
static uint64_t early_low_end(enum pzl_arch arch, uint64_t start, uint64_t end)
{
	uint64_t low = end;

	switch (arch) {
	case PZL_ARCH_MIPS:
		low = 512 * EARLY_1M; /* what the unmapped segments reach */
		break;
	case PZL_ARCH_POWERPC:
		low = start + 768 * EARLY_1M;
		break;
	case PZL_ARCH_MICROBLAZE:
		low = start + 768 * EARLY_1M;
		break;
	case PZL_ARCH_SPARC32:
		low = start + 192 * EARLY_1M;
		break;
	default:
		break;
	}
	return low < end ? low : end;
}

/* All steps, on a copy. */
static int early_steps(const struct pzl_early_input *in, struct pz_memblock *mb,
		       struct pzl_early *e)
{
	enum pzl_mem_meaning meaning = pzl_arch_info(in->arch)->mem;
	uint64_t phys_offset = pz_memblock_start(mb), end, low_end, cut;
	int err;

	err = early_usable(in, mb, &e->notes);
	if (err)
		return err;
	if (in->phys_bits < 64 && mb->memory.count && pz_memblock_last(mb) >> in->phys_bits) {
		e->notes |= PZL_EARLY_BEYOND;
		err = early_cut(mb, (uint64_t)1 << in->phys_bits);
		if (err)
			return err;
	}
	if (meaning == PZL_MEM_RANGES && in->cmdline) {
		err = early_list(in, mb, &e->notes);
	} else if (meaning == PZL_MEM_CEILING && in->cmdline && in->cmdline->mem_limited) {
		if (mb->memory.count && pz_memblock_last(mb) >= in->cmdline->mem_limit)
			e->notes |= PZL_EARLY_LIMITED;
		err = early_cut(mb, in->cmdline->mem_limit);
	} else if (meaning == PZL_MEM_AMOUNT) {
		err = early_amount(in, mb, &e->notes);
	}
	if (err)
		return err;
	if (mb->memory.count == 0) {
		e->notes |= PZL_EARLY_NO_MEMORY;
		return 0;
	}

	end = pz_memblock_last(mb);
	end = end == PZ_ADDR_MAX ? end : end + 1;
	low_end = cut = early_low_end(in->arch, pz_memblock_start(mb), end);
	if (early_is_arm(in->arch)) {
		err = early_arm_low(in, mb, phys_offset, &low_end, &cut);
		if (err)
			return err;
	}
	if (!in->highmem && low_end < end) {
		e->notes |= PZL_EARLY_NOT_HIGH;
		if (early_is_arm(in->arch)) {
			err = early_cut(mb, cut);
			if (err)
				return err;
			low_end = low_end < cut ? low_end : cut;
			end = cut;
		}
	}
	e->max_pfn = end >> mb->page_shift;
	e->max_low_pfn = low_end >> mb->page_shift;
	e->high_end_pfn = e->max_pfn;
	return 0;
}

int pzl_early_memory(const struct pzl_early_input *in, struct pz_memblock *mb,
		     struct pzl_early *out)
{
	struct pzl_early e = { 0 };
	struct pz_memblock copy;
	uint32_t i;
	int err;

	if (!pzl_model_facts(in->model) || (unsigned int)in->arch >= PZL_ARCHS ||
	    in->arch == PZL_ARCH_X86_64 || in->arch == PZL_ARCH_I386 ||
	    in->usable_count > PZL_USABLE_MAX || in->phys_bits == 0 || in->phys_bits > 64 ||
	    (in->has_kernel && in->kernel.first > in->kernel.last) ||
	    (in->has_initrd && in->initrd.first > in->initrd.last))
		return -PZ_EINVAL;
	for (i = 0; i < in->usable_count; i++)
		if (in->usable[i].first > in->usable[i].last)
			return -PZ_EINVAL;

	err = pz_memblock_init(&copy, mb->meta, mb->page_shift);
	if (err)
		return err;
	err = pz_memblock_copy(&copy, mb);
	if (!err)
		err = early_steps(in, &copy, &e);
	if (err) {
		pz_memblock_destroy(&copy);
		return err;
	}
	pz_memblock_destroy(mb);
	*mb = copy;
	*out = e;
	return 0;
}

void pzl_early_input_init(struct pzl_early_input *in, enum pzl_model model, enum pzl_arch arch)
{
	const struct pzl_arch_info *info = pzl_arch_info(arch);
	struct pzl_early_input fresh = { 0 };

	fresh.model = model;
	fresh.arch = arch;
	fresh.phys_bits = info ? info->phys_bits : 64;
	fresh.highmem =
		pzl_arch_zones(model, arch, PZL_VAR_GENERIC) & PZL_ZONE_BIT(PZ_ZONE_HIGHMEM);
	*in = fresh;
}

const char *pzl_early_note(uint32_t bit)
{
	switch (bit) {
	case PZL_EARLY_CAPPED:
		return "linux,usable-memory-range leaves the capture kernel its own memory only";
	case PZL_EARLY_LIMITED:
		return "mem= takes memory away";
	case PZL_EARLY_REPLACED:
		return "mem= replaces the memory that firmware told";
	case PZL_EARLY_BEYOND:
		return "memory past what this kernel can name is dropped";
	case PZL_EARLY_ADDED_BACK:
		return "the kernel or its initrd lies in what mem= took away and comes back";
	case PZL_EARLY_NOT_HIGH:
		return "memory above low memory is ignored: this kernel has no high memory";
	case PZL_EARLY_ALIGNED_DOWN:
		return "memory is cut to a multiple of 16 MiB";
	case PZL_EARLY_NO_MEMORY:
		return "no usable memory is left";
	default:
		return "?";
	}
}
