/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model.c - the table of Linux models, and the choice of one for a kernel release.
 *
 * Concept: a model is a row of constants; code that follows Linux asks the row, not the number, so
 * that a new model is a new row. Rows ascend by version.
 *
 * Invariants: 1. the rows are in the order of enum pzl_model; 2. versions ascend.
 *
 * Failure: a name or a release that cannot be read is refused, the output is not written.
 *
 * Shortcomings: a point release that differs from its series (a distribution's backport) is told
 * as an exact fit all the same.
 */
#include <physzone/linux/model.h>
#include <physzone/zone.h>

#include "pzl_text.h"

static const struct pzl_model_facts model_table[PZL_MODELS] = {
	[PZL_LINUX_5_15] = {
		.name = "linux-5.15",
		.major = 5,
		.minor = 15,
		.zone_flags = PZ_ZF_WMARK_DIV32 | PZ_ZF_FALLBACK_LOCAL_FIRST,
		.dma_reserve = true,
		.estimate_subtracts_memmap = true,
		.memmap_debug_lines = true,
		.memblock_dummy = true,
		.low1m = 5,
	},
	[PZL_LINUX_6_1] = {
		.name = "linux-6.1",
		.major = 6,
		.minor = 1,
		.zone_flags = PZ_ZF_WMARK_DIV32 | PZ_ZF_FALLBACK_LOCAL_FIRST,
		.dma_reserve = true,
		.estimate_subtracts_memmap = true,
		.memmap_debug_lines = true,
		.has_managed_dma = true,
		.memblock_dummy = true,
		.low1m = 5,
	},
	[PZL_LINUX_6_12] = {
		.name = "linux-6.12",
		.major = 6,
		.minor = 12,
		.zone_flags = PZ_ZF_MOVABLE_NODE_ROUND_UP | PZ_ZF_MIRROR_NEEDS_MIRROR |
			      PZ_ZF_WMARK_MOVABLE_AS_HIGHMEM,
		.memory_line_late = true,
		.dma_limit_exact = true,
		.has_managed_dma = true,
		.crash_generic = true,
		.crash_zero_is_error = true,
		.low1m = 5,
	},
};

const struct pzl_model_facts *pzl_model_facts(enum pzl_model m)
{
	return (unsigned int)m < PZL_MODELS ? &model_table[m] : NULL;
}

const char *pzl_model_name(enum pzl_model m)
{
	return (unsigned int)m < PZL_MODELS ? model_table[m].name : "?";
}

int pzl_model_by_name(const char *name, enum pzl_model *out)
{
	unsigned int i;

	for (i = 0; i < PZL_MODELS; i++) {
		const char *full = model_table[i].name;

		if (pzl_streq(name, full) || pzl_streq(name, full + sizeof("linux-") - 1)) {
			*out = (enum pzl_model)i;
			return 0;
		}
	}
	return -PZ_ENOENT;
}

/* Read a decimal number of at most four digits; returns the digits read, 0 for none or too many. */
static size_t model_number(const char *s, unsigned int *out)
{
	unsigned int v = 0;
	size_t n = 0;

	while (pzl_isdigit(s[n])) {
		if (n == 4)
			return 0;
		v = v * 10 + (unsigned int)(s[n] - '0');
		n++;
	}
	*out = v;
	return n;
}

int pzl_model_for_release(const char *release, enum pzl_model *out, enum pzl_fit *fit)
{
	unsigned int major, minor, i, best = 0;
	enum pzl_fit f = PZL_FIT_OLDER;
	uint32_t want;
	size_t n;

	n = model_number(release, &major);
	if (n == 0 || release[n] != '.')
		return -PZ_EINVAL;
	if (model_number(release + n + 1, &minor) == 0)
		return -PZ_EINVAL;

	want = major << 16 | minor;
	for (i = 0; i < PZL_MODELS; i++) {
		uint32_t have = (uint32_t)model_table[i].major << 16 | model_table[i].minor;

		if (have > want)
			break;
		best = i;
		if (have == want)
			f = PZL_FIT_EXACT;
		else
			f = i + 1 == PZL_MODELS ? PZL_FIT_NEWER : PZL_FIT_BETWEEN;
	}
	*out = (enum pzl_model)best;
	if (fit)
		*fit = f;
	return 0;
}

const char *pzl_fit_text(enum pzl_fit fit)
{
	switch (fit) {
	case PZL_FIT_EXACT:
		return "the kernel's own series";
	case PZL_FIT_BETWEEN:
		return "the newest model that is not newer than the kernel";
	case PZL_FIT_OLDER:
		return "the oldest model; the kernel is older and may differ";
	case PZL_FIT_NEWER:
		return "the newest model; the kernel is newer and may differ";
	}
	return "?";
}
