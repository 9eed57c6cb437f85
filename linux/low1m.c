/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * low1m.c - the first megabyte of x86, commit by commit.
 *
 * Concept: three ages. At first only what the BIOS may write to is reserved, and a capture kernel
 * reuses the low 640 KiB, whose content kexec has copied into a backup region. Then a kernel with
 * crashkernel= reserves the whole megabyte, so that nothing in it needs saving, and the backup
 * goes. Last, every kernel reserves the whole megabyte: its pages are present and none is managed.
 * The capture kernel has no other memory below 16 MiB, and so its ZONE_DMA has no managed page.
 *
 * Invariants: 1. reserved ranges ascend and lie below 1 MiB; 2. managed <= present.
 *
 * Failure: inputs out of range are refused; the output is not written.
 *
 * Shortcomings: the trampoline's size and the BIOS data area are defaults unless given.
 */
#include <physzone/linux/low1m.h>
#include <physzone/range.h>

#include "pzl_text.h"

#define LOW1M_SHIFT 12
#define LOW1M_PAGE 0x1000ull
#define LOW1M_END 0x100000ull
#define LOW1M_BIOS 0xa0000ull

static const struct pzl_low1m_commit low1m_commits[PZL_LOW1M_COMMITS] = {
	{ "6f599d84231f", "5.5",
	  "A kernel with crashkernel= reserves the whole first megabyte, since SME may have "
	  "encrypted "
	  "it and kexec cannot copy it." },
	{ "7c321eb2b843", "5.5",
	  "Kexec no longer copies the low 640 KiB to a backup region: nothing there needs "
	  "saving." },
	{ "f1d4d47c5851", "5.13",
	  "Every kernel reserves the whole first megabyte, the capture kernel too: present, never "
	  "managed." },
	{ "23721c8e92f7", "5.14", "The special case for crashkernel= goes, the rule covers it." },
	{ "1a6a9044b967", "5.14",
	  "reservelow= and its configuration option go, the rule covers them." },
};

/* Versions of the commits as numbers, in the same order. */
static const uint32_t low1m_versions[PZL_LOW1M_COMMITS] = {
	5u << 16 | 5, 5u << 16 | 5, 5u << 16 | 13, 5u << 16 | 14, 5u << 16 | 14,
};

const struct pzl_low1m_commit *pzl_low1m_commit(unsigned int index)
{
	return index < PZL_LOW1M_COMMITS ? &low1m_commits[index] : NULL;
}

int pzl_low1m_for_release(const char *release, unsigned int *commits)
{
	uint32_t part[2] = { 0, 0 };
	unsigned int i, n = 0;

	for (i = 0; i < 2; i++) {
		unsigned int digits = 0;

		while (pzl_isdigit(*release) && digits < 4) {
			part[i] = part[i] * 10 + (uint32_t)(*release++ - '0');
			digits++;
		}
		if (digits == 0 || pzl_isdigit(*release))
			return -PZ_EINVAL;
		if (i == 0 && *release++ != '.')
			return -PZ_EINVAL;
	}
	while (n < PZL_LOW1M_COMMITS && (part[0] << 16 | part[1]) >= low1m_versions[n])
		n++;
	*commits = n;
	return 0;
}

void pzl_low1m_input_init(struct pzl_low1m_input *in, enum pzl_model model)
{
	const struct pzl_model_facts *mf = pzl_model_facts(model);
	struct pzl_low1m_input fresh = { 0 };

	fresh.commits = mf ? mf->low1m : PZL_LOW1M_COMMITS;
	fresh.reserve_low = 64 << 10;
	fresh.trampoline = 6 * LOW1M_PAGE;
	*in = fresh;
}

/* Whole pages of a range that lie below 1 MiB and outside all reserved ranges of the result. */
static uint64_t low1m_free_pages(const struct pzl_low1m *low, struct pz_range r)
{
	uint64_t pages = 0, pfn, last;

	/* At most 256 pages; a page counts when no byte of it is reserved. */
	pfn = (r.first + LOW1M_PAGE - 1) >> LOW1M_SHIFT;
	last = (r.last + 1) >> LOW1M_SHIFT;
	for (; pfn < last; pfn++) {
		const struct pz_range page = { pfn * LOW1M_PAGE, (pfn + 1) * LOW1M_PAGE - 1 };
		uint32_t i;

		for (i = 0; i < low->reserved_count; i++)
			if (pz_range_intersect(page, low->reserved[i], NULL))
				break;
		if (i == low->reserved_count)
			pages++;
	}
	return pages;
}

/* Insert a range in ascending order; there is room for four. */
static void low1m_reserve(struct pzl_low1m *low, uint64_t first, uint64_t last)
{
	uint32_t i = low->reserved_count++;

	for (; i > 0 && low->reserved[i - 1].first > first; i--)
		low->reserved[i] = low->reserved[i - 1];
	low->reserved[i].first = first;
	low->reserved[i].last = last;
}

/* The part of a memory region below 1 MiB. */
static bool low1m_part(const struct pz_mb_region *m, struct pz_range *r)
{
	const struct pz_range low = { 0, LOW1M_END - 1 };

	return pz_range_intersect(m->range, low, r);
}

/* The highest free place for the trampoline, by whole pages from the top. */
static bool low1m_place(const struct pzl_low1m *low, const struct pz_memblock *mb, uint64_t size,
			uint64_t *at)
{
	uint32_t k = mb->memory.count;

	while (k-- > 0) {
		struct pz_range r, want;
		uint64_t top;

		if (!low1m_part(&mb->memory.v[k], &r))
			continue;
		for (top = (r.last + 1) & ~(LOW1M_PAGE - 1);
		     top >= size + LOW1M_PAGE && top - size >= r.first; top -= LOW1M_PAGE) {
			uint32_t i;

			want.first = top - size;
			want.last = top - 1;
			for (i = 0; i < low->reserved_count; i++)
				if (pz_range_intersect(want, low->reserved[i], NULL))
					break;
			if (i == low->reserved_count) {
				*at = want.first;
				return true;
			}
		}
	}
	return false;
}

int pzl_low1m(const struct pzl_low1m_input *in, const struct pz_memblock *mb, struct pzl_low1m *out)
{
	struct pzl_low1m low = { 0 };
	uint64_t bios = in->bios_start, ram_end = 0, at;
	uint32_t i;

	if (in->commits > PZL_LOW1M_COMMITS || in->bios_start > LOW1M_END ||
	    in->reserve_low > LOW1M_BIOS || in->trampoline == 0 || in->trampoline > LOW1M_BIOS ||
	    (in->trampoline & (LOW1M_PAGE - 1)))
		return -PZ_EINVAL;

	for (i = 0; i < mb->memory.count; i++) {
		struct pz_range r;

		if (!low1m_part(&mb->memory.v[i], &r))
			continue;
		low.present += low1m_free_pages(&low, r);
		if (r.last < LOW1M_BIOS)
			ram_end = r.last + 1;
	}
	if (bios == 0)
		bios = ram_end ? ram_end : LOW1M_BIOS;

	if (in->commits >= 3 || (in->commits >= 1 && in->crashkernel)) {
		/* The trampoline is placed first and lies inside. */
		low.no_trampoline = !low1m_place(&low, mb, in->trampoline, &at);
		low1m_reserve(&low, 0, LOW1M_END - 1);
		low.what = in->commits >= 3
				   ? "the whole first megabyte is reserved"
				   : "the whole first megabyte is reserved because of crashkernel=";
	} else {
		if (in->reserve_low)
			low1m_reserve(&low, 0, in->reserve_low - 1);
		if (bios < LOW1M_END)
			low1m_reserve(&low, bios, LOW1M_END - 1);
		low.no_trampoline = !low1m_place(&low, mb, in->trampoline, &at);
		if (!low.no_trampoline)
			low1m_reserve(&low, at, at + in->trampoline - 1);
		low.what = "the low pages that a BIOS may write to, the BIOS data area and the "
			   "trampoline are reserved; the rest is managed";
	}
	low.backup = in->commits < 2;
	for (i = 0; i < mb->memory.count; i++) {
		struct pz_range r;

		if (low1m_part(&mb->memory.v[i], &r))
			low.managed += low1m_free_pages(&low, r);
	}
	*out = low;
	return 0;
}

int pzl_low1m_apply(const struct pzl_low1m *low, struct pz_memblock *mb)
{
	uint32_t i;

	for (i = 0; i < low->reserved_count; i++) {
		struct pz_range r = low->reserved[i];
		int err = pz_memblock_reserve(mb, r.first, r.last - r.first + 1, PZ_NID_NONE, 0);

		/* Part of it may be reserved already, with other flags. */
		if (err && err != -PZ_EEXIST)
			return err;
	}
	return 0;
}
