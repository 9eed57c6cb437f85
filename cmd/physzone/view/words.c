/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words.c - names, sizes and signs that every view uses.
 */
#include "view.h"

#include <inttypes.h>
#include <stdio.h>

static const struct view_kind view_kinds[AN_KINDS + 1] = {
	[AN_RAM] = { "RAM", "ram", "█", "#", 1, "#7fb77e", "#4f8a53" },
	[AN_RESERVED] = { "reserved", "reserved", "▒", "%", 3, "#b5b5bd", "#666673" },
	[AN_ACPI] = { "ACPI data", "acpi", "A", "A", 5, "#e2c044", "#b08f1e" },
	[AN_NVS] = { "ACPI NVS", "nvs", "V", "V", 5, "#d9a441", "#97701f" },
	[AN_PMEM] = { "persistent memory", "pmem", "P", "P", 4, "#63c1c1", "#2f8787" },
	[AN_KERNEL] = { "kernel", "kernel", "K", "K", 9, "#4a7fc1", "#5b8fd0" },
	[AN_INITRD] = { "initrd", "initrd", "I", "I", 8, "#a878c8", "#9667b8" },
	[AN_CRASHKERNEL] = { "crash kernel", "crashkernel", "C", "C", 10, "#d9604c", "#d2604e" },
	[AN_CMA] = { "CMA", "cma", "M", "M", 8, "#3fa7a0", "#2b8d86" },
	[AN_SWIOTLB] = { "swiotlb", "swiotlb", "S", "S", 8, "#e58a3a", "#c87427" },
	[AN_BOOT] = { "taken at boot", "boot", "▓", "b", 2, "#4e8d6b", "#2f6d4d" },
	[AN_OTHER] = { "other", "other", "o", "o", 4, "#b98d9c", "#86606d" },
	[AN_KINDS] = { "hole", "hole", "·", ".", 0, "#ececf0", "#26262e" },
};

const struct view_kind *view_kind(unsigned int kind)
{
	return &view_kinds[kind < AN_KINDS ? kind : AN_KINDS];
}

const char *view_size(char buf[VIEW_SIZE_MAX], uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned int u = 0, decimals;
	uint64_t scale, whole, rest, ten;

	while (u < 6 && bytes >> (10 * (u + 1)))
		u++;
	for (;;) {
		unsigned int shift = 10 * u;

		whole = bytes >> shift;
		rest = shift ? bytes & (((uint64_t)1 << shift) - 1) : 0;
		decimals = !rest || whole >= 100 ? 0 : whole >= 10 ? 1 : 2;
		scale = decimals == 2 ? 100 : decimals == 1 ? 10 : 1;
		/* rest is below 2^60, and its upper 50 bits are more than three digits need. */
		if (shift > 50) {
			rest >>= shift - 50;
			shift = 50;
		}
		ten = rest ? (rest * scale + ((uint64_t)1 << shift >> 1)) >> shift : 0;
		if (ten == scale) {
			whole++;
			ten = 0;
		}
		if (whole < 1024 || u == 6)
			break;
		/* Rounding reached the next unit. */
		u++;
		bytes = (uint64_t)1 << (10 * u);
	}
	while (decimals && ten % 10 == 0) {
		ten /= 10;
		decimals--;
	}
	if (decimals)
		snprintf(buf, VIEW_SIZE_MAX, "%" PRIu64 ".%0*" PRIu64 " %s", whole, (int)decimals,
			 ten, units[u]);
	else
		snprintf(buf, VIEW_SIZE_MAX, "%" PRIu64 " %s", whole, units[u]);
	return buf;
}

const char *view_pages_size(char buf[VIEW_SIZE_MAX], uint64_t pages, unsigned int page_shift)
{
	if (page_shift < 64 && pages <= UINT64_MAX >> page_shift)
		return view_size(buf, pages << page_shift);
	return view_size(buf, UINT64_MAX);
}

const char *view_addr(char buf[VIEW_SIZE_MAX], uint64_t addr)
{
	static const char letters[] = "KMGTPE";
	unsigned int u;

	for (u = 6; addr && u > 0; u--) {
		uint64_t n = addr >> (10 * u);

		if (n && addr == n << (10 * u) && n < 10000) {
			snprintf(buf, VIEW_SIZE_MAX, "%" PRIu64 "%c", n, letters[u - 1]);
			return buf;
		}
	}
	if (addr)
		snprintf(buf, VIEW_SIZE_MAX, "0x%" PRIx64, addr);
	else
		snprintf(buf, VIEW_SIZE_MAX, "0");
	return buf;
}

uint64_t view_range_size(struct pz_range r)
{
	uint64_t n = r.last - r.first;

	return n == UINT64_MAX ? n : n + 1;
}

struct pz_range view_zone_range(const struct an_zone *z, unsigned int page_shift)
{
	struct pz_range r = { 0, 0 };
	uint64_t top = UINT64_MAX >> page_shift;
	uint64_t last = z->spanned - 1;

	if (!z->spanned)
		return r;
	r.first = (z->start_pfn > top ? top : z->start_pfn) << page_shift;
	last = last > top - (r.first >> page_shift) ? top : (r.first >> page_shift) + last;
	r.last = (last << page_shift) | (((uint64_t)1 << page_shift) - 1);
	return r;
}

const char *view_source_kind(enum source_kind k)
{
	switch (k) {
	case SRC_NONE:
		break;
	case SRC_LOG:
		return "log";
	case SRC_DIR:
		return "directory";
	case SRC_LIVE:
		return "live";
	case SRC_DTB:
		return "dtb";
	case SRC_IOMEM:
		return "iomem";
	case SRC_E820:
		return "e820";
	}
	return "unknown";
}

const char *view_managed_from(enum managed_from m)
{
	switch (m) {
	case MANAGED_MEMBLOCK:
		return "memblock";
	case MANAGED_REPORT:
		return "report";
	case MANAGED_ESTIMATE:
		break;
	}
	return "estimate";
}

bool view_zone_hollow(const struct an_zone *z)
{
	return z->present && z->present != VIEW_UNKNOWN && !z->managed;
}
