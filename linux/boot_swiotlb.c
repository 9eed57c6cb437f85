/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot_swiotlb.c - the bounce buffers that a Linux kernel takes from memblock.
 *
 * Concept: who takes them is decided here, by the end of memory and the command line. How many they
 * are, and the lines about them, come of the settings of swiotlb_size.c, which are carried to where
 * the kernel asks memblock, once for the request and once more for what is printed.
 *
 * Invariants: none to keep; nothing is stored.
 *
 * Failure: a kernel that takes none is -PZ_ENOENT.
 *
 * Shortcomings: encrypted guests (SEV, TDX, protected virtualisation), which enlarge the buffers,
 * are not modelled, nor is an ACPI or board quirk that asks for them, nor riscv's buffers for
 * small requests of 6.12, whose need is a matter of its cache operations.
 */
#include "../src/base/pz_string.h"
#include "pzl_boot.h"
#include "pzl_swiotlb.h"

#define SWIOTLB_4G 0x100000000ull

bool pzl_boot_bounces(const struct pzl_boot_in *in, const struct pzl_boot_args *args)
{
	switch (in->arch) {
	case PZL_ARCH_X86_64:
	case PZL_ARCH_I386:
		return (in->ram_last >= SWIOTLB_4G && !args->iommu_off) || args->iommu_soft;
	case PZL_ARCH_RISCV64:
		return in->ram_last >= SWIOTLB_4G;
	case PZL_ARCH_ARM64:
		return in->ram_last > in->low_last;
	default:
		return false;
	}
}

static bool swiotlb_x86(enum pzl_arch arch)
{
	return arch == PZL_ARCH_X86_64 || arch == PZL_ARCH_I386;
}

static bool swiotlb_known(enum pzl_arch arch)
{
	return swiotlb_x86(arch) || arch == PZL_ARCH_RISCV64 || arch == PZL_ARCH_ARM64;
}

const struct pzl_swiotlb_words *pzl_boot_swiotlb_words(const struct pzl_boot_in *in,
						       const struct pzl_boot_args *args)
{
	return &args->swiotlb[pzl_swiotlb_has_areas(in->model)];
}

/* Settings before the command line, which print their lines to @emit. */
static void swiotlb_begin(const struct pzl_boot_in *in, struct pzl_swiotlb *sw, pzl_emit_fn emit,
			  void *ctx)
{
	struct pzl_swiotlb_config cfg;

	memset(&cfg, 0, sizeof(cfg));
	cfg.model = in->model;
	cfg.narrow = pzl_boot_digits(in) == 8;
	cfg.hooks.emit = emit;
	cfg.hooks.ctx = ctx;
	pzl_swiotlb_settings(sw, &cfg);
}

/* Settings as they are when memory is asked for; -PZ_ENOENT when none is. */
static int swiotlb_settle(const struct pzl_boot_in *in, const struct pzl_boot_args *args,
			  struct pzl_swiotlb *sw, pzl_emit_fn emit, void *ctx)
{
	const struct pzl_model_facts *mf = pzl_model_facts(in->model);
	const struct pzl_swiotlb_words *words = pzl_boot_swiotlb_words(in, args);
	bool wanted = pzl_boot_bounces(in, args);
	/* Small buffers of devices that are not coherent are bounced too. */
	bool small = in->arch == PZL_ARCH_ARM64 && mf && mf->dma_limit_exact && !wanted;

	if (!swiotlb_known(in->arch) || words->noforce || (!wanted && !small && !words->force))
		return -PZ_ENOENT;
	swiotlb_begin(in, sw, emit, ctx);
	pzl_swiotlb_apply(sw, words);
	if (small) {
		uint64_t most = sw->default_slots << PZL_SWIOTLB_SHIFT;
		uint64_t bytes = (in->ram_bytes >> 10) + ((in->ram_bytes & 1023) != 0);

		pzl_swiotlb_adjust_size(sw, bytes < most ? bytes : most);
	}
	if (pzl_swiotlb_has_areas(in->model) && !sw->default_areas)
		pzl_swiotlb_set_areas(sw, in->cpus);
	/* 5.15 with swiotlb=0 is given nothing. */
	return sw->default_slots ? 0 : -PZ_ENOENT;
}

int pzl_boot_swiotlb(const struct pzl_boot_in *in, const struct pzl_boot_args *args,
		     struct pzl_boot_request *out)
{
	struct pzl_swiotlb sw;
	uint64_t bytes;

	if (swiotlb_settle(in, args, &sw, NULL, NULL))
		return -PZ_ENOENT;
	bytes = sw.default_slots << PZL_SWIOTLB_SHIFT;
	pzl_boot_request_init(out, PZL_BOOT_SWIOTLB, PZL_BOOT_MEMBLOCK, bytes);
	pzl_boot_name(out->name, "bounce buffers");
	out->max_addr = in->low_last;
	if (pzl_swiotlb_halve(in->model, bytes))
		out->min_bytes = (uint64_t)PZL_SWIOTLB_MIN_SLOTS << PZL_SWIOTLB_SHIFT;
	return 0;
}

static uint64_t swiotlb_got(const struct pz_range *at)
{
	return at ? at->last - at->first + 1 : 0;
}

void pzl_print_swiotlb(const struct pzl_boot_in *in, const struct pzl_boot_args *args,
		       const struct pz_range *at, pzl_emit_fn emit, void *ctx)
{
	uint64_t got = swiotlb_got(at), bytes;
	struct pzl_swiotlb sw;

	if (swiotlb_settle(in, args, &sw, emit, ctx))
		return;
	for (bytes = sw.default_slots << PZL_SWIOTLB_SHIFT; bytes > got;
	     bytes = pzl_swiotlb_halve(in->model, bytes))
		pzl_swiotlb_say_refused(&sw, bytes);
	if (!at)
		return;
	pzl_swiotlb_shrunk(&sw, got >> PZL_SWIOTLB_SHIFT);
	if (!swiotlb_x86(in->arch))
		pzl_swiotlb_say_mapped(&sw, at->first, got);
}

void pzl_print_swiotlb_late(const struct pzl_boot_in *in, const struct pzl_boot_args *args,
			    const struct pz_range *at, pzl_emit_fn emit, void *ctx)
{
	static const char using[] = "PCI-DMA: Using software bounce buffering for IO (SWIOTLB)";
	/* Forced ones are used by 5.15 in the same way; later ones keep them without a word. */
	bool forced = !pzl_swiotlb_has_areas(in->model) && pzl_boot_swiotlb_words(in, args)->force;
	struct pzl_swiotlb sw;

	if (!swiotlb_x86(in->arch) || (!pzl_boot_bounces(in, args) && !forced))
		return;
	emit(ctx, using, sizeof(using) - 1);
	swiotlb_begin(in, &sw, emit, ctx);
	pzl_swiotlb_say_mapped(&sw, at ? at->first : 0, swiotlb_got(at));
}
