/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot_swiotlb.c - the bounce buffers that a Linux kernel takes from memblock.
 *
 * Concept: the command line and the machine give a number of slots of 2 KiB. From 6.0 on they are
 * spread over areas, one for each processor that there may be, and then their number is rounded up
 * to a power of two. What finds no place is halved, down to 1 MiB; 5.15 gives up at once.
 *
 * Invariants: slots are a multiple of 128 unless the kernel itself chose the size.
 *
 * Failure: a kernel that takes none is -PZ_ENOENT.
 *
 * Shortcomings: encrypted guests (SEV, TDX, protected virtualisation), which enlarge the buffers,
 * are not modelled, nor is an ACPI or board quirk that asks for them.
 */
#include "../src/base/bits.h"
#include "pzl_boot.h"
#include "pzl_slots.h"
#include "pzl_text.h"

#define SWIOTLB_4G 0x100000000ull
#define SWIOTLB_SHIFT 11u    /* a slot */
#define SWIOTLB_SLOTS 32768u /* 64 MiB */
#define SWIOTLB_MIN 512u     /* 1 MiB */
#define SWIOTLB_MOST ((uint64_t)1 << 48)

void pzl_swiotlb_arg(const struct pzl_arg *a, struct pzl_boot_args *out)
{
	const char *s = a->value;
	size_t len = a->value_len, used;
	uint64_t v;

	v = pzl_strtoull(s, len, &used, NULL);
	/* More than all memory is as good as all memory. */
	if (v > SWIOTLB_MOST)
		v = SWIOTLB_MOST;
	if (used && v)
		out->slots = pz_round_down(v + PZL_SLOTS_SEGMENT - 1, PZL_SLOTS_SEGMENT);
	s += used;
	len -= used;
	if (len && *s == ',') {
		s++;
		len--;
	}
	v = pzl_strtoull(s, len, &used, NULL);
	if (used) {
		uint64_t areas;

		if (v && v <= 1u << 20 && pz_roundup_pow2(v, &areas))
			out->areas = (uint32_t)areas;
		s += used;
		len -= used;
		if (len && *s == ',') {
			s++;
			len--;
		}
	}
	if (len == 5 && pzl_starts_n(s, len, "force"))
		out->swiotlb_force = true;
	else if (len == 7 && pzl_starts_n(s, len, "noforce"))
		out->swiotlb_noforce = true;
}

bool pzl_boot_bounces(const struct pzl_boot_in *in, const struct pzl_boot_args *args)
{
	switch (in->arch) {
	case PZL_ARCH_X86_64:
	case PZL_ARCH_I386:
		return in->ram_last >= SWIOTLB_4G || args->iommu_soft;
	case PZL_ARCH_RISCV64:
		return in->ram_last >= SWIOTLB_4G;
	case PZL_ARCH_ARM64:
		return in->ram_last > in->low_last;
	default:
		return false;
	}
}

static bool swiotlb_known(enum pzl_arch arch)
{
	return arch == PZL_ARCH_X86_64 || arch == PZL_ARCH_I386 || arch == PZL_ARCH_RISCV64 ||
	       arch == PZL_ARCH_ARM64;
}

int pzl_boot_swiotlb(const struct pzl_boot_in *in, const struct pzl_boot_args *args,
		     struct pzl_boot_request *out)
{
	const struct pzl_model_facts *mf = pzl_model_facts(in->model);
	uint64_t slots = args->slots ? args->slots : SWIOTLB_SLOTS, adjusted = 0, asked;
	bool spread = mf && mf->major > 5, wanted = pzl_boot_bounces(in, args);
	/* Before areas a second number is text that hides the word behind it. */
	bool words = spread || !args->areas;
	uint64_t areas = spread ? args->areas : 0;
	/* Small buffers of devices that are not coherent are bounced too. */
	bool small = in->arch == PZL_ARCH_ARM64 && mf && mf->dma_limit_exact && !wanted;

	if (!swiotlb_known(in->arch) || (args->swiotlb_noforce && words) ||
	    (!wanted && !small && !(args->swiotlb_force && words)))
		return -PZ_ENOENT;
	if (small && !args->slots && !areas) {
		uint64_t size = (in->ram_bytes + 1023) >> 10;

		size = (size + (1u << SWIOTLB_SHIFT) - 1) >> SWIOTLB_SHIFT;
		if (size < slots)
			slots = size;
		adjusted = slots << SWIOTLB_SHIFT;
	}
	asked = slots;
	if (spread) {
		if (!areas && !pz_roundup_pow2(in->cpus ? in->cpus : 1, &areas))
			areas = 1;
		slots = pzl_slots_round(slots, areas);
	}
	pzl_boot_request_init(out, PZL_BOOT_SWIOTLB, PZL_BOOT_MEMBLOCK, slots << SWIOTLB_SHIFT);
	pzl_boot_name(out->name, "bounce buffers");
	out->max_addr = in->low_last;
	if (spread && slots > SWIOTLB_MIN)
		out->min_bytes = (uint64_t)SWIOTLB_MIN << SWIOTLB_SHIFT;
	out->slots = slots;
	out->areas = (uint32_t)areas;
	out->adjusted = adjusted;
	out->rounded = slots != asked;
	return 0;
}

uint64_t pzl_swiotlb_halve(enum pzl_model model, uint64_t bytes)
{
	const struct pzl_model_facts *mf = pzl_model_facts(model);
	uint64_t slots = bytes >> SWIOTLB_SHIFT;

	if (!mf || mf->major <= 5 || slots <= SWIOTLB_MIN)
		return 0;
	return pz_round_down((slots >> 1) + PZL_SLOTS_SEGMENT - 1, PZL_SLOTS_SEGMENT)
	       << SWIOTLB_SHIFT;
}
