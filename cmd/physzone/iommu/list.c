/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.c - reads lists of mappings:
 *
 *     # iova      physical    size  permissions    page size
 *     0x100000    0x40000000  2M    rw,cache
 *     16M         1G          64K   r,noexec       4K
 *     unmap 0x101000 4K
 *
 * Numbers are decimal, hexadecimal (0x) or octal, with K, M, G, T as on a kernel's command line.
 */
#include "list.h"

#include <stdlib.h>
#include <string.h>

#include <physzone/v7s.h>

#include "../device.h"
#include "../vec.h"

#define LIST_PROT "r, w or rw, and cache, noexec, mmio, priv, joined by commas"
#define LIST_PAGE "4K, 64K, 1M or 16M as a page size, or the end of the line"
#define LIST_END "the end of the line behind the "

/* Text of the input as a number; a NUL within it ends it early, and is no part of any. */
static bool list_value(const char *s, size_t n, uint64_t *v)
{
	char *text = xstrndup(s, n);
	bool ok = strlen(text) == n && device_address(text, v);

	free(text);
	return ok;
}

uint32_t list_page_size(const char *s, size_t n)
{
	uint64_t v;

	if (!list_value(s, n, &v) || v > PZ_V7S_SIZES || !(v & PZ_V7S_SIZES) || v & (v - 1))
		return 0;
	return (uint32_t)v;
}

/* The next word as a number. */
static int list_number(struct span *s, uint64_t *v, const char *expected, const struct facts *f,
		       struct where at, char **err)
{
	struct span word;

	span_blanks(s);
	word = *s;
	if (span_word(s, &word) && list_value(word.p, (size_t)(word.end - word.p), v))
		return 0;
	return scan_expected(f, at, word, expected, err);
}

static bool list_one_prot(const char *s, size_t n, uint32_t *prot)
{
	static const struct {
		const char *name;
		uint32_t prot;
	} all[] = {
		{ "r", PZ_IOMMU_READ },
		{ "w", PZ_IOMMU_WRITE },
		{ "rw", PZ_IOMMU_READ | PZ_IOMMU_WRITE },
		{ "cache", PZ_IOMMU_CACHE },
		{ "noexec", PZ_IOMMU_NOEXEC },
		{ "mmio", PZ_IOMMU_MMIO },
		{ "priv", PZ_IOMMU_PRIV },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strlen(all[i].name) != n || strncmp(all[i].name, s, n))
			continue;
		*prot |= all[i].prot;
		return true;
	}
	return false;
}

static bool list_prot(struct span word, uint32_t *prot)
{
	*prot = 0;
	for (;;) {
		const char *comma = memchr(word.p, ',', (size_t)(word.end - word.p));
		const char *end = comma ? comma : word.end;

		if (!list_one_prot(word.p, (size_t)(end - word.p), prot))
			return false;
		if (!comma)
			return *prot & (PZ_IOMMU_READ | PZ_IOMMU_WRITE);
		word.p = comma + 1;
	}
}

/* What stands behind the size of a mapping. */
static int list_how(struct list_line *l, const struct facts *f, struct span s, char **err)
{
	struct span word;

	span_blanks(&s);
	word = s;
	if (!span_word(&s, &word) || !list_prot(word, &l->prot))
		return scan_expected(f, l->at, word, LIST_PROT, err);
	span_blanks(&s);
	word = s;
	if (!span_word(&s, &word))
		return 0;
	l->page = list_page_size(word.p, (size_t)(word.end - word.p));
	if (!l->page)
		return scan_expected(f, l->at, word, LIST_PAGE, err);
	return span_empty(s) ? 0 : scan_expected(f, l->at, s, LIST_END "page size", err);
}

static int list_size(struct list_line *l, const struct facts *f, struct span *s, char **err)
{
	struct span word;
	int rc;

	span_blanks(s);
	word = *s;
	rc = list_number(s, &l->size, "a size in bytes (0x1000, 64K, 1M) as the next word", f,
			 l->at, err);
	if (rc)
		return rc;
	word.end = s->p;
	if (!l->size || l->iova + (l->size - 1) < l->iova || l->phys + (l->size - 1) < l->phys)
		return scan_expected(f, l->at, word,
				     "a size of at least one page that ends within 64 bits", err);
	return 0;
}

int list_line(struct list_line *l, const struct facts *f, struct where at, struct span line,
	      char **err)
{
	const char *comment = memchr(line.p, '#', (size_t)(line.end - line.p));
	struct span s = line, rest, word;
	int rc;

	memset(l, 0, sizeof(*l));
	l->at = at;
	if (comment)
		s.end = comment;
	if (span_empty(s))
		return 1;
	span_trim(&s);
	span_blanks(&s);
	rest = s;
	l->unmap = span_word(&rest, &word) && span_is(word, "unmap");
	if (l->unmap)
		s = rest;
	rc = list_number(&s, &l->iova,
			 l->unmap ? "an iova (0x100000, 16M) behind \"unmap\""
				  : "an iova (0x100000, 16M), or \"unmap\", as the first word",
			 f, at, err);
	if (!rc && !l->unmap)
		rc = list_number(&s, &l->phys,
				 "a physical address (0x40000000, 1G) as the second word", f, at,
				 err);
	if (!rc)
		rc = list_size(l, f, &s, err);
	if (!rc && !l->unmap)
		rc = list_how(l, f, s, err);
	if (!rc && l->unmap && !span_empty(s))
		rc = scan_expected(f, at, s, LIST_END "size", err);
	return rc;
}
