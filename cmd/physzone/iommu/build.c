/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * build.c - tables from lists, by the library's own, and their image.
 *
 * The provider gives tables out of one stretch of memory as long as all tables of the address space
 * at most: the first level at its beginning, which is --base, second levels behind it, those that
 * came back first. The image is what was ever in use; what came back is zero there.
 *
 * Failure: a line that cannot be carried out ends it, with what was expected; nothing is written.
 */
#include "iommu.h"

#include <physzone/v7s.h>

#include <stdlib.h>
#include <string.h>

#include "../device.h"
#include "../start.h"
#include "list.h"

#define BUILD_BASE UINT64_C(0x80000000)

struct build_store {
	unsigned char *v;
	uint64_t base, used, size;
	VEC(uint64_t) back; /* offsets of second levels that came back */
};

struct build {
	struct build_store store;
	struct pz_table_mem mem;
	struct pz_v7s_config cfg;
	struct pz_v7s *t;
	struct facts facts;	     /* the names of the lists */
	VEC(struct list_line) lines; /* that were carried out */
};

static int build_alloc(void *ctx, uint32_t cpu, uint32_t gfp, uint32_t bytes, struct pz_table *out)
{
	struct build_store *s = ctx;
	uint64_t at;

	(void)cpu;
	(void)gfp;
	if (bytes == IOMMU_SECOND && s->back.n) {
		at = s->back.v[--s->back.n];
	} else {
		at = (s->used + bytes - 1) & ~(uint64_t)(bytes - 1);
		if (at > s->size || s->size - at < bytes)
			return -PZ_ENOMEM;
		s->used = at + bytes;
	}
	*out = (struct pz_table){ s->v + at, s->base + at };
	return 0;
}

static void build_free(void *ctx, uint32_t cpu, uint32_t bytes, const struct pz_table *t)
{
	struct build_store *s = ctx;

	(void)cpu;
	memset(t->cpu_addr, 0, bytes);
	if (bytes == IOMMU_SECOND)
		*vec_push(&s->back) = t->addr - s->base;
}

/* "4K,1M": sizes of pages, each once or more. */
static int build_sizes(uint32_t *sizes, const char *text, char **err)
{
	const char *at = text;

	*sizes = 0;
	for (;;) {
		size_t n = strcspn(at, ",");
		uint32_t size = list_page_size(at, n);

		if (!size) {
			*err = xasprintf("--sizes wants 4K, 64K, 1M and 16M, joined by commas, not "
					 "'%s'",
					 text);
			return EXIT_USAGE;
		}
		*sizes |= size;
		if (!at[n])
			return 0;
		at += n + 1;
	}
}

static int build_base(struct build *b, const char *text, char **err)
{
	uint64_t align = UINT64_C(4) << (b->cfg.ias - 20);

	if (align < 0x4000)
		align = 0x4000;
	b->store.base = BUILD_BASE;
	if (text && (!device_address(text, &b->store.base) || b->store.base & (align - 1))) {
		*err = xasprintf("--base wants a physical address that is a multiple of 0x%llx, "
				 "not '%s'",
				 (unsigned long long)align, text);
		return EXIT_USAGE;
	}
	b->store.size = align + ((uint64_t)IOMMU_SECOND << (b->cfg.ias - 20));
	if (b->store.base + (b->store.size - 1) < b->store.base) {
		*err = xasprintf("--base wants an address with room for tables behind it, not '%s'",
				 text);
		return EXIT_USAGE;
	}
	return 0;
}

static int build_open(struct build *b, const struct option_tables *o, char **err)
{
	const char *why = NULL;
	int rc;

	memset(b, 0, sizeof(*b));
	facts_init(&b->facts);
	b->mem = (struct pz_table_mem){ build_alloc, build_free, &b->store, true };
	b->cfg.ias = o->ias ? o->ias : 32;
	b->cfg.oas = o->oas ? o->oas : o->mtk ? 35 : 32;
	b->cfg.quirks = PZ_V7S_GIVE_BACK | (o->ns ? PZ_V7S_NS : 0) |
			(o->no_perms ? PZ_V7S_NO_PERMS : 0) | (o->mtk ? PZ_V7S_MTK_EXT : 0) |
			(o->mtk_tables ? PZ_V7S_MTK_TTBR_EXT : 0);
	b->cfg.coherent_walk = o->coherent_walk;
	b->cfg.mem = &b->mem;
	b->cfg.meta = &an_meta;
	rc = o->sizes ? build_sizes(&b->cfg.sizes, o->sizes, err) : 0;
	if (!rc)
		rc = build_base(b, o->base, err);
	if (rc)
		return rc;
	b->store.v = xcalloc(b->store.size, 1);
	rc = pz_v7s_create(&b->t, &b->cfg, PZ_CPU_NONE, 0, &why);
	if (!rc)
		return 0;
	if (rc == -PZ_ERANGE)
		*err = xasprintf(
			"--base 0x%llx: tables lie below %s", (unsigned long long)b->store.base,
			o->mtk_tables ? "2^oas" : "4 GiB, or with --mtk-tables below 2^oas");
	else
		*err = xasprintf("no such tables: %s", why ? why : "out of memory");
	return EXIT_USAGE;
}

static void build_close(struct build *b)
{
	pz_v7s_destroy(b->t, PZ_CPU_NONE);
	free(b->store.v);
	vec_free(&b->store.back);
	vec_free(&b->lines);
	facts_destroy(&b->facts);
}

static uint64_t build_smallest(const struct build *b)
{
	uint32_t sizes = b->cfg.sizes ? b->cfg.sizes : PZ_V7S_SIZES;

	return sizes & (~sizes + 1);
}

/* What is wrong with the numbers of a line by themselves. */
static int build_numbers(const struct build *b, const struct list_line *l, char **err)
{
	uint64_t page = l->page ? l->page : build_smallest(b);
	const struct {
		const char *what;
		uint64_t v;
	} all[] = { { "an iova", l->iova },
		    { "a physical address", l->phys },
		    { "a size", l->size } };

	if (l->page && b->cfg.sizes && !(b->cfg.sizes & l->page))
		return scan_error(&b->facts, l->at, err,
				  "expected a page size that --sizes has, found 0x%x", l->page);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].v & (page - 1))
			return scan_error(&b->facts, l->at, err,
					  "expected %s that is a multiple of the page, 0x%llx, "
					  "found 0x%llx",
					  all[i].what, (unsigned long long)page,
					  (unsigned long long)all[i].v);
	if ((l->iova + (l->size - 1)) >> b->cfg.ias)
		return scan_error(&b->facts, l->at, err,
				  "expected iovas of %u bits, found 0x%llx-0x%llx", b->cfg.ias,
				  (unsigned long long)l->iova,
				  (unsigned long long)(l->iova + (l->size - 1)));
	if (!l->unmap && (l->phys + (l->size - 1)) >> b->cfg.oas)
		return scan_error(&b->facts, l->at, err,
				  "expected physical addresses of %u bits, found 0x%llx-0x%llx",
				  b->cfg.oas, (unsigned long long)l->phys,
				  (unsigned long long)(l->phys + (l->size - 1)));
	return 0;
}

static int build_first_page(void *ctx, const struct pz_v7s_page *p)
{
	*(struct pz_v7s_page *)ctx = *p;
	return 1;
}

/* Another line has mapped a part of what this one maps. */
static int build_exists(const struct build *b, const struct list_line *l, char **err)
{
	struct pz_v7s_page p = { 0 };
	uint64_t at;

	(void)pz_v7s_each(b->t, l->iova, l->size, build_first_page, &p);
	at = p.iova > l->iova ? p.iova : l->iova;
	for (size_t i = b->lines.n; i-- > 0;) {
		const struct list_line *k = &b->lines.v[i];
		const char *file = b->facts.files.v[k->at.file];
		bool here = !strcmp(file, b->facts.files.v[l->at.file]);

		if (k->unmap || at < k->iova || at - k->iova >= k->size)
			continue;
		return scan_error(&b->facts, l->at, err,
				  "expected a range that is not mapped, found 0x%llx, which line "
				  "%u%s%s maps to 0x%llx",
				  (unsigned long long)at, k->at.line, here ? "" : " of ",
				  here ? "" : file, (unsigned long long)(p.phys + (at - p.iova)));
	}
	return scan_error(&b->facts, l->at, err, "expected a range that is not mapped");
}

/* An unmap came upon a hole. @done bytes were mapped. */
static int build_hole(const struct build *b, const struct list_line *l, uint64_t done, char **err)
{
	return scan_error(&b->facts, l->at, err,
			  "expected a range that is mapped, found 0x%llx-0x%llx, of which 0x%llx "
			  "bytes are",
			  (unsigned long long)l->iova, (unsigned long long)(l->iova + l->size - 1),
			  (unsigned long long)done);
}

static int build_refused(const struct build *b, const struct list_line *l, int rc, uint64_t done,
			 char **err)
{
	switch (rc) {
	case -PZ_EEXIST:
		return build_exists(b, l, err);
	case -PZ_ENOENT:
		return build_hole(b, l, done, err);
	case -PZ_ERANGE:
		return scan_error(&b->facts, l->at, err,
				  "needs a second level, and those behind --base have reached the "
				  "end of what the walker reads: expected a lower --base");
	default:
		return scan_error(&b->facts, l->at, err,
				  l->unmap
					  ? "expected whole pages: what stays of one would need "
					    "pages of a size that --sizes does not have"
					  : "expected a range that pages of the sizes in use fill");
	}
}

static int build_line(struct build *b, const struct list_line *l, char **err)
{
	uint64_t done = 0;
	int rc = build_numbers(b, l, err);

	if (rc)
		return rc;
	if (l->unmap)
		rc = pz_v7s_unmap(b->t, PZ_CPU_NONE, 0, l->iova, l->size, 0, NULL, &done);
	else if (l->page)
		rc = pz_v7s_map_pages(b->t, PZ_CPU_NONE, 0, l->iova, l->phys, l->page,
				      l->size / l->page, l->prot);
	else
		rc = pz_v7s_map(b->t, PZ_CPU_NONE, 0, l->iova, l->phys, l->size, l->prot);
	if (rc)
		return build_refused(b, l, rc, done, err);
	*vec_push(&b->lines) = *l;
	return 0;
}

static int build_list(struct build *b, const struct text *text, const char *name, char **err)
{
	uint32_t file = facts_file(&b->facts, name);
	struct scan scan;
	int rc = 0;

	scan_init(&scan, text->buf, text->len);
	while (!rc && scan_line(&scan)) {
		struct list_line l;

		rc = list_line(&l, &b->facts, (struct where){ file, scan.number }, scan.line, err);
		if (!rc)
			rc = build_line(b, &l, err);
		else if (rc == 1)
			rc = 0;
	}
	return rc;
}

static int build_file(struct build *b, const char *path, char **err)
{
	struct text text;
	int rc;

	if (text_read(&text, path, err))
		return EXIT_INPUT;
	rc = build_list(b, &text, strcmp(path, "-") ? path : "standard input", err);
	text_destroy(&text);
	return rc;
}

/* Each word of the tables in the image's order of bytes. */
static void build_image(const struct build *b, struct iommu_image *m)
{
	struct iommu_piece *p = vec_push(&m->pieces);
	unsigned char *to;

	p->name = xstrdup("tables");
	p->addr = b->store.base;
	p->bytes.len = (size_t)b->store.used;
	p->bytes.buf = xmalloc(p->bytes.len + 1);
	to = (unsigned char *)p->bytes.buf;
	for (size_t i = 0; i + 4 <= p->bytes.len; i += 4) {
		uint32_t word;

		memcpy(&word, b->store.v + i, 4);
		for (unsigned int k = 0; k < 4; k++)
			to[i + (m->big ? 3 - k : k)] = (unsigned char)(word >> 8 * k);
	}
	m->view.table = b->store.base;
}

static void build_finish(const struct build *b, struct iommu_image *m, struct iommu_built *out)
{
	struct pz_v7s_regs regs = pz_v7s_regs(b->t);
	struct pz_v7s_stat stat;

	pz_v7s_stat(b->t, &stat);
	*out = (struct iommu_built){ regs.ttbr,	    regs.tcr,	      regs.prrr,  regs.nmrr,
				     b->store.used, stat.table_bytes, stat.splits };
	build_image(b, m);
}

int iommu_build(struct iommu_image *m, struct iommu_built *out, const struct options *o, char **err)
{
	struct build b;
	int rc = build_open(&b, &o->tables, err);

	for (unsigned int i = 0; i < o->operand_count && !rc; i++)
		rc = build_file(&b, o->operands[i], err);
	if (!rc)
		build_finish(&b, m, out);
	build_close(&b);
	return rc;
}

int iommu_build_text(struct iommu_image *m, struct iommu_built *out, const struct options *o,
		     const struct text *text, const char *name, char **err)
{
	struct build b;
	int rc = build_open(&b, &o->tables, err);

	if (!rc)
		rc = build_list(&b, text, name, err);
	if (!rc)
		build_finish(&b, m, out);
	build_close(&b);
	return rc;
}
