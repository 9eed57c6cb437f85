/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_iommu.c - images of translation tables from any bytes, decoded and shown; and lists of
 * mappings from any text, built, and decoded again.
 *
 * The first byte says which, and how; the second has the bits of an iova, and what is shown. The
 * rest is the image, whose first level is at its beginning, or the list.
 */
#include <stdlib.h>
#include <string.h>

#include "iommu/iommu.h"

#define FUZZ_BASE UINT64_C(0x40000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

struct fuzz_ranges {
	const struct iommu_image *m;
	uint64_t next, bytes, ranges, pages;
};

/* Ranges are in order, and their ends are what the walker says of them. */
static int fuzz_range(void *ctx, const struct iommu_range *r)
{
	struct fuzz_ranges *f = ctx;
	struct pz_v7s_run first, last;

	must(r->run.first >= f->next && r->run.last >= r->run.first &&
	     !(r->run.last >> f->m->view.ias));
	f->next = r->run.last + 1;
	must(pz_v7s_walk(&f->m->view, r->run.first, &first) == r->run.fault);
	must(pz_v7s_walk(&f->m->view, r->run.last, &last) == r->run.fault);
	if (r->run.fault)
		return 0;
	must(first.phys + (r->run.first - first.first) == r->run.phys);
	must(last.phys + (r->run.last - last.first) == r->run.phys + (r->run.last - r->run.first));
	f->bytes += r->run.last - r->run.first + 1;
	f->ranges++;
	f->pages += iommu_page_count(r->pages);
	return 0;
}

static void fuzz_word(void *ctx, const struct iommu_word *w)
{
	const struct iommu_image *m = ctx;
	uint32_t word;

	must(w->word && (w->entries == 1 || (w->entries <= 16 && !(w->entry & 15))));
	must(m->view.read(m->view.ctx, w->addr, &word) && word == w->word);
	must(w->table == (w->level == 1 && (w->word & 3) == 1));
}

static void fuzz_findings(const struct iommu_sum *s)
{
	must(s->findings.n == (s->found < IOMMU_FINDINGS ? s->found : IOMMU_FINDINGS));
	for (size_t i = 0; i < s->findings.n; i++) {
		const struct iommu_finding *f = &s->findings.v[i];

		must(f->text && !strchr(f->text, '\n') && f->fault > PZ_V7S_FAULT_SECOND);
		must(f->entries && f->first <= f->last);
	}
}

/* One of what is shown of an image; returns how many findings there are. */
static uint64_t fuzz_show(const struct iommu_image *m, const struct iommu_built *built,
			  unsigned int how)
{
	struct fuzz_ranges f = { .m = m };
	struct iommu_sum s;
	struct iommu_view v = { "fuzz", m, &s, built, how & 1, false };
	struct out out;
	uint64_t found;

	iommu_sum(&s, m);
	must(!iommu_each(m, fuzz_range, &f));
	must(f.bytes == s.bytes && f.ranges == s.ranges && f.pages == iommu_page_count(s.pages));
	must(s.empty <= s.second_levels && s.shared <= s.second_levels);
	fuzz_findings(&s);
	iommu_words(m, fuzz_word, (void *)(uintptr_t)m);
	out_init(&out, NULL);
	if (how < 2)
		iommu_text(&out, &v);
	else if (how < 4)
		iommu_json(&out, &v);
	else
		iommu_svg(&out, &v);
	out_destroy(&out);
	found = s.found;
	iommu_sum_destroy(&s);
	return found;
}

static void fuzz_image(struct iommu_image *m, const uint8_t *data, size_t size, unsigned int how)
{
	struct iommu_piece *p;
	char *err = NULL;

	if (!size)
		return;
	p = vec_push(&m->pieces);
	p->name = xstrdup("fuzz");
	p->addr = m->view.table = FUZZ_BASE;
	p->bytes.buf = xstrndup((const char *)data, size);
	p->bytes.len = size;
	if (image_ready(m, &err)) {
		must(err && !strchr(err, '\n'));
		free(err);
		return;
	}
	(void)fuzz_show(m, NULL, how);
}

static void fuzz_list(struct iommu_image *m, const struct options *o, const uint8_t *data,
		      size_t size, unsigned int how)
{
	struct iommu_built built;
	struct text text;
	char *err = NULL;
	int rc;

	if (text_from_memory(&text, data, size, "fuzz", 1 << 20, &err)) {
		free(err);
		return;
	}
	rc = iommu_build_text(m, &built, o, &text, "fuzz", &err);
	text_destroy(&text);
	must(!rc == !err && (!rc || rc == EXIT_INPUT));
	if (rc)
		must(!strpbrk(err, "\n\r\t\033"));
	else
		must(!fuzz_show(m, &built, how));
	free(err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct options o = { .command = CMD_IOMMU };
	struct iommu_image m;
	unsigned int how;

	if (size < 2 || size > 1 << 16)
		return 0;
	/* No more than 64 MiB of iovas: a list may fill it with pages of 4 KiB. */
	o.tables.ias = 20 + data[1] % 7;
	how = data[1] / 7 % 5;
	o.tables.oas = 32;
	o.tables.mtk_tables = data[0] & 2;
	o.tables.mtk = data[0] & 6;
	o.tables.no_perms = data[0] & 14;
	o.tables.ns = data[0] & 16;
	o.tables.coherent_walk = data[0] & 32;
	o.tables.sizes = data[0] & 128 ? "4K,1M" : NULL;
	image_init(&m);
	m.big = data[0] & 64;
	m.view.ias = o.tables.ias;
	m.view.mtk_outputs = o.tables.mtk;
	m.view.mtk_tables = o.tables.mtk_tables;
	m.view.permissions = !o.tables.no_perms;
	if (data[0] & 1)
		fuzz_list(&m, &o, data + 2, size - 2, how);
	else
		fuzz_image(&m, data + 2, size - 2, how);
	image_destroy(&m);
	return 0;
}
