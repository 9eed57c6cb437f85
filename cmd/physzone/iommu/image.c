/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image.c - pieces of memory with tables in them, and the words at their addresses.
 *
 * Invariants: once image_ready() succeeded the pieces are in order of their addresses and do not
 * overlap. What of a word is missing at the end of a piece is missing.
 */
#include "iommu.h"

#include <stdlib.h>
#include <string.h>

#include "../device.h"
#include "../view/view.h"

static bool image_in(const struct iommu_piece *p, uint64_t addr)
{
	return addr >= p->addr && addr - p->addr < p->bytes.len;
}

/* The piece that has a byte; the one that was asked for last is the likeliest. */
static const struct iommu_piece *image_piece(struct iommu_image *m, uint64_t addr)
{
	size_t low = 0, high = m->pieces.n;

	if (m->last < m->pieces.n && image_in(&m->pieces.v[m->last], addr))
		return &m->pieces.v[m->last];
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (image_in(&m->pieces.v[mid], addr)) {
			m->last = mid;
			return &m->pieces.v[mid];
		}
		if (m->pieces.v[mid].addr > addr)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

static bool image_read(void *ctx, uint64_t addr, uint32_t *word)
{
	struct iommu_image *m = ctx;
	const struct iommu_piece *p = image_piece(m, addr);
	const unsigned char *b;

	if (!p || p->bytes.len - (addr - p->addr) < 4)
		return false;
	b = (const unsigned char *)p->bytes.buf + (addr - p->addr);
	*word = m->big ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]
		       : (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
	return true;
}

void image_init(struct iommu_image *m)
{
	memset(m, 0, sizeof(*m));
	m->view.read = image_read;
	m->view.ctx = m;
}

void image_destroy(struct iommu_image *m)
{
	for (size_t i = 0; i < m->pieces.n; i++) {
		free(m->pieces.v[i].name);
		text_destroy(&m->pieces.v[i].bytes);
	}
	vec_free(&m->pieces);
}

int image_add(struct iommu_image *m, const char *word, uint64_t addr, char **err)
{
	const char *at = strrchr(word, '@');
	struct iommu_piece *p;
	char *name;
	struct text t;

	if (at && (at == word || !at[1] || !device_address(at + 1, &addr))) {
		*err = xasprintf("FILE@ADDR wants a file and the address of its first byte, not "
				 "'%s'",
				 word);
		return EXIT_USAGE;
	}
	name = at ? xstrndup(word, (size_t)(at - word)) : xstrdup(word);
	if (text_read_raw(&t, name, err)) {
		free(name);
		return EXIT_INPUT;
	}
	p = vec_push(&m->pieces);
	p->name = strcmp(name, "-") ? xstrdup(name) : xstrdup("standard input");
	p->addr = addr;
	p->bytes = t;
	free(name);
	if (addr & 3) {
		*err = xasprintf("%s: expected an address that is a multiple of 4, found 0x%llx",
				 p->name, (unsigned long long)addr);
		return EXIT_USAGE;
	}
	if (!t.len || addr + (t.len - 1) < addr) {
		*err = t.len ? xasprintf("%s: goes beyond the end of the address space", p->name)
			     : xasprintf("%s: is empty: expected an image of tables", p->name);
		return EXIT_INPUT;
	}
	return 0;
}

static int image_compare(const void *a, const void *b)
{
	const struct iommu_piece *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

int image_ready(struct iommu_image *m, char **err)
{
	uint32_t word;

	qsort(m->pieces.v, m->pieces.n, sizeof(*m->pieces.v), image_compare);
	m->last = 0;
	for (size_t i = 1; i < m->pieces.n; i++) {
		const struct iommu_piece *a = &m->pieces.v[i - 1], *b = &m->pieces.v[i];

		if (!image_in(a, b->addr))
			continue;
		*err = xasprintf("%s at 0x%llx overlaps %s, which ends at 0x%llx", b->name,
				 (unsigned long long)b->addr, a->name,
				 (unsigned long long)(a->addr + (a->bytes.len - 1)));
		return EXIT_INPUT;
	}
	if (image_read(m, m->view.table, &word))
		return 0;
	*err = xasprintf("%s: expected the first level at 0x%llx, which is not in the image "
			 "(0x%llx-0x%llx)",
			 m->pieces.v[0].name, (unsigned long long)m->view.table,
			 (unsigned long long)m->pieces.v[0].addr,
			 (unsigned long long)(m->pieces.v[m->pieces.n - 1].addr +
					      (m->pieces.v[m->pieces.n - 1].bytes.len - 1)));
	return EXIT_INPUT;
}
