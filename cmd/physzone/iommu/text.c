/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.c - tables for people: a summary, ranges, words, and what is wrong.
 *
 * Columns have widths that the sum tells beforehand, so that a line is written when it is known.
 */
#include "iommu.h"

#include <stdlib.h>
#include <string.h>

#include "../view/view.h"

#define TEXT_SHOWN 20u /* findings; the others are counted */

struct text_ctx {
	struct out *o;
	int iova, phys, table; /* digits */
	int pages;
};

static int text_digits(uint64_t last)
{
	int n = 8;

	while (n < 16 && last >> (4 * n))
		n++;
	return n;
}

static const char *text_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static int text_range(void *ctx, const struct iommu_range *range)
{
	const struct pz_v7s_run *r = &range->run;
	uint64_t bytes = r->last - r->first + 1;
	char size[VIEW_SIZE_MAX], pages[IOMMU_PAGES_MAX], more[IOMMU_MORE_MAX];
	const struct text_ctx *c = ctx;
	struct out *o = c->o;

	out_printf(o, "  0x%0*llx-0x%0*llx  ", c->iova, (unsigned long long)r->first, c->iova,
		   (unsigned long long)r->last);
	if (r->fault && r->fault != PZ_V7S_FAULT_REPEAT) {
		out_styled(o, ST_BAD, iommu_fault(r->fault));
		out_char(o, '\n');
		return 0;
	}
	out_printf(o, "0x%0*llx-0x%0*llx  %9s  ", c->phys, (unsigned long long)r->phys, c->phys,
		   (unsigned long long)(r->phys + (bytes - 1)), view_size(size, bytes));
	if (r->fault) {
		out_styled(o, ST_BAD, iommu_fault(r->fault));
		out_str(o, "  ");
	} else {
		out_printf(o, "%-*s  ", c->pages, iommu_pages(pages, range->pages));
	}
	out_printf(o, "%s; %s%s\n", iommu_access(r), iommu_memory(r), iommu_more(more, r));
	return 0;
}

/* The head of a column. */
static void text_head(struct out *o, int width, const char *word)
{
	unsigned int n = (unsigned int)strlen(word), room = (unsigned int)width;

	out_styled(o, ST_HEAD, word);
	out_repeat(o, " ", (room > n ? room - n : 0) + 2);
}

static void text_ranges(struct out *o, const struct iommu_view *v, struct text_ctx *c)
{
	if (!v->sum->ranges && !v->sum->found)
		return;
	out_str(o, "\n  ");
	text_head(o, 2 * c->iova + 5, "iova");
	text_head(o, 2 * c->phys + 5, "physical");
	out_str(o, "     ");
	text_head(o, 4, "size");
	text_head(o, c->pages, "pages");
	out_styled(o, ST_HEAD, "access; memory\n");
	(void)iommu_each(v->image, text_range, c);
}

static void text_word(void *ctx, const struct iommu_word *w)
{
	const struct text_ctx *c = ctx;
	const struct pz_v7s_run *r = &w->run;
	char entry[16], more[IOMMU_MORE_MAX], page[VIEW_SIZE_MAX];
	struct out *o = c->o;

	if (w->entries > 1)
		snprintf(entry, sizeof(entry), "%x-%x", w->entry, w->entry + w->entries - 1);
	else
		snprintf(entry, sizeof(entry), "%x", w->entry);
	out_printf(o, "  %s%-*s  0x%0*llx  %08x  ", w->level == 1 ? "" : "  ",
		   w->level == 1 ? 11 : 9, entry, c->table, (unsigned long long)w->addr, w->word);
	if (w->table)
		out_printf(o, "second level at 0x%0*llx%s\n", c->table,
			   (unsigned long long)r->table, r->secure ? "" : ", not secure");
	else if (r->fault && r->fault != PZ_V7S_FAULT_REPEAT)
		out_printf(o, "%s\n", iommu_fault(r->fault));
	else
		out_printf(o, "%s at 0x%0*llx to 0x%0*llx: %s; %s%s%s\n", view_size(page, r->page),
			   c->iova, (unsigned long long)r->first, c->phys,
			   (unsigned long long)r->phys, iommu_access(r), iommu_memory(r),
			   iommu_more(more, r), r->fault ? "; words differ" : "");
}

static void text_raw(struct out *o, const struct iommu_view *v, struct text_ctx *c)
{
	out_str(o, "\n  ");
	text_head(o, 11, "entry");
	text_head(o, c->table + 2, "address");
	text_head(o, 8, "word");
	out_styled(o, ST_HEAD, "meaning\n");
	iommu_words(v->image, text_word, c);
}

/* "3 ranges of 17 MiB in 3 pages (1x16M 1x1M), 1 second level, no fault". */
static char *text_summary(const struct iommu_sum *s)
{
	char size[VIEW_SIZE_MAX], pages[IOMMU_PAGES_MAX];
	uint64_t count = iommu_page_count(s->pages);
	char *what, *tables, *all;

	if (s->ranges)
		what = xasprintf("%llu range%s of %s in %llu page%s (%s)",
				 (unsigned long long)s->ranges, text_plural(s->ranges),
				 view_size(size, s->bytes), (unsigned long long)count,
				 text_plural(count), iommu_pages(pages, s->pages));
	else
		what = xstrdup("nothing is mapped");
	tables = xasprintf("%llu second level%s", (unsigned long long)s->second_levels,
			   text_plural(s->second_levels));
	if (s->empty || s->shared) {
		char *plain = tables;

		tables = xasprintf("%s (%llu empty, %llu used more than once)", plain,
				   (unsigned long long)s->empty, (unsigned long long)s->shared);
		free(plain);
	}
	all = s->found ? xasprintf("%s, %s, %llu finding%s", what, tables,
				   (unsigned long long)s->found, text_plural(s->found))
		       : xasprintf("%s, %s, nothing wrong", what, tables);
	free(what);
	free(tables);
	return all;
}

static void text_built(struct out *o, const struct iommu_built *b)
{
	char tables[VIEW_SIZE_MAX], image[VIEW_SIZE_MAX];

	out_printf(o, "  registers  TTBR 0x%08llx, TCR 0x%08x, PRRR 0x%08x, NMRR 0x%08x\n",
		   (unsigned long long)b->ttbr, b->tcr, b->prrr, b->nmrr);
	out_printf(o, "  memory     %s of tables, an image of %s",
		   view_size(tables, b->table_bytes), view_size(image, b->image_bytes));
	if (b->splits)
		out_printf(o, "; %llu page%s split", (unsigned long long)b->splits,
			   text_plural(b->splits));
	out_char(o, '\n');
}

static void text_findings(struct out *o, const struct iommu_sum *s)
{
	size_t n = s->findings.n < TEXT_SHOWN ? s->findings.n : TEXT_SHOWN;

	if (!s->found)
		return;
	out_str(o, "\n");
	out_styled(o, ST_BAD, "Findings\n");
	for (size_t i = 0; i < n; i++) {
		out_str(o, "  ");
		out_wrap(o, 2, 4, s->findings.v[i].text);
		out_char(o, '\n');
	}
	if (s->found > n)
		out_printf(o, "  and %llu more; --json has %s\n",
			   (unsigned long long)(s->found - n),
			   s->found > IOMMU_FINDINGS ? "the first 1000" : "all");
}

void iommu_text(struct out *o, const struct iommu_view *v)
{
	struct text_ctx c = { o, text_digits(v->sum->iova_last), text_digits(v->sum->phys_last),
			      text_digits(v->image->view.mtk_tables ? UINT64_C(0x7ffffffff)
								    : v->image->view.table),
			      (int)v->sum->pages_width };
	char size[VIEW_SIZE_MAX], *summary = text_summary(v->sum);

	if (c.pages < 5)
		c.pages = 5;
	out_style(o, ST_BOLD);
	out_clean(o, v->title);
	out_style(o, ST_PLAIN);
	out_str(o, "\n  ");
	out_wrap(o, 2, 2, summary);
	out_printf(o, "\n  tables     first level of %s at 0x%08llx, for %u bits of iova%s\n",
		   view_size(size, UINT64_C(4) << (v->image->view.ias - 20)),
		   (unsigned long long)v->image->view.table, v->image->view.ias,
		   v->image->view.mtk_tables	? ", MediaTek's addresses, of tables too"
		   : v->image->view.mtk_outputs ? ", MediaTek's addresses"
		   : v->image->view.permissions ? ""
						: ", no permissions");
	if (v->built)
		text_built(o, v->built);
	if (v->raw)
		text_raw(o, v, &c);
	else
		text_ranges(o, v, &c);
	text_findings(o, v->sum);
	if (v->sum->refused) {
		out_str(o, "\n  ");
		out_wrap(o, 2, 2,
			 "The access flag is clear where it says \"no access\": the first access "
			 "faults there, unless the IOMMU knows no permissions (--no-perms).");
		out_char(o, '\n');
	}
	free(summary);
}
