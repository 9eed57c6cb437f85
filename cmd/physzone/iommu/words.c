/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words.c - what descriptors say, in words.
 */
#include "iommu.h"

#include <stdio.h>
#include <string.h>

const char *const iommu_size_names[IOMMU_SIZES] = { "4K", "64K", "1M", "16M" };

uint64_t iommu_page_count(const uint64_t pages[IOMMU_SIZES])
{
	return pages[0] + pages[1] + pages[2] + pages[3];
}

const char *iommu_pages(char buf[IOMMU_PAGES_MAX], const uint64_t pages[IOMMU_SIZES])
{
	size_t n = 0;

	buf[0] = '\0';
	for (unsigned int i = IOMMU_SIZES; i-- > 0;)
		if (pages[i])
			n += (size_t)snprintf(buf + n, IOMMU_PAGES_MAX - n, "%s%llux%s",
					      n ? " " : "", (unsigned long long)pages[i],
					      iommu_size_names[i]);
	return buf;
}

const char *iommu_access(const struct pz_v7s_run *r)
{
	static const char *const words[8] = {
		"read, privileged only",
		"read, exec, privileged only",
		"read, write, privileged only",
		"read, write, exec, privileged only",
		"read",
		"read, exec",
		"read, write",
		"read, write, exec",
	};

	return words[(r->user ? 4 : 0) + (r->write ? 2 : 0) + (r->exec ? 1 : 0)];
}

const char *iommu_memory(const struct pz_v7s_run *r)
{
	/* TEX, C and B without remapping; the types that Linux uses mean the same with it. */
	static const char *const low[12] = {
		"strongly ordered", "device", "write-through", "write-back", "uncached", "reserved",
		"special",	    "cached", "device, own",   "reserved",   "reserved", "reserved",
	};
	unsigned int kind = r->tex * 4u + (r->c ? 2 : 0) + (r->b ? 1 : 0);

	return kind < 12 ? low[kind] : kind < 16 ? "reserved" : "outer and inner cached apart";
}

const char *iommu_more(char buf[IOMMU_MORE_MAX], const struct pz_v7s_run *r)
{
	char domain[16] = "";

	if (r->domain)
		snprintf(domain, sizeof(domain), ", domain %u", r->domain);
	snprintf(buf, IOMMU_MORE_MAX, "%s%s%s%s%s", r->shared ? "" : ", not shared",
		 r->global ? ", global" : "", r->secure ? "" : ", not secure",
		 r->access ? "" : ", no access", domain);
	return buf;
}

const char *iommu_fault(enum pz_v7s_fault f)
{
	static const char *const words[PZ_V7S_FAULTS] = {
		[PZ_V7S_NO_FAULT] = "mapped",
		[PZ_V7S_FAULT_RANGE] = "beyond the address space",
		[PZ_V7S_FAULT_FIRST] = "not mapped",
		[PZ_V7S_FAULT_SECOND] = "not mapped",
		[PZ_V7S_FAULT_READ_FIRST] = "first level not in the image",
		[PZ_V7S_FAULT_READ_SECOND] = "second level not in the image",
		[PZ_V7S_FAULT_RESERVED] = "reserved type",
		[PZ_V7S_FAULT_REPEAT] = "unequal words of one page",
	};

	return words[f];
}

const char *iommu_fault_key(enum pz_v7s_fault f)
{
	static const char *const keys[PZ_V7S_FAULTS] = {
		"none",	      "range",	     "first",	 "second",
		"first-read", "second-read", "reserved", "unequal",
	};

	return keys[f];
}
