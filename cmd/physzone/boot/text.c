/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.c - the account of a start-up for people: a timeline, why requests failed, what the kernel
 * prints. Several models of one machine stand beside each other.
 */
#include "boot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../view/table.h"

#define TEXT_MODELS (TABLE_COLUMNS - 3)

/* The step of another run that stands for the same: the same name, counted from the front. */
static bool text_alike(const struct boot *a, const struct boot_step *x, const struct boot *b,
		       const struct boot_step *y)
{
	if (x->stage != y->stage || strcmp(x->what, y->what) || !x->text != !y->text)
		return false;
	return x->text || (a->requests.v[x->request].asked.gfp & 0xf) ==
				  (b->requests.v[y->request].asked.gfp & 0xf);
}

static const struct boot_step *text_same(const struct boot *b, const struct boot *first, size_t i)
{
	const struct boot_step *want = &first->steps.v[i];
	unsigned int before = 0;

	for (size_t k = 0; k < i; k++)
		before += text_alike(first, &first->steps.v[k], first, want);
	for (size_t k = 0; k < b->steps.n; k++)
		if (text_alike(b, &b->steps.v[k], first, want) && !before--)
			return &b->steps.v[k];
	return NULL;
}

static const char *text_verdict(enum pz_verdict v)
{
	static const char *const words[PZ_VERDICTS] = {
		[PZ_V_OK] = "would serve it",
		[PZ_V_UNMANAGED] = "no page of it is managed",
		[PZ_V_LIMIT] = "its pages lie outside the limits",
		[PZ_V_NODE] = "another node than the one asked for",
		[PZ_V_ZONE] = "above what the flags allow",
		[PZ_V_SMALL] = "no run of its managed pages is long enough",
		[PZ_V_BOUNDARY] = "every run crosses the boundary or misses the alignment",
		[PZ_V_WATERMARK] = "its free pages are at the watermark",
		[PZ_V_RESERVE] = "its free pages are reserved for requests of low zones",
		[PZ_V_KEPT] = "its free pages are kept for narrower limits",
		[PZ_V_CMA] = "only pages lent to movable users are left",
		[PZ_V_HELD] = "its free pages lie in per-CPU caches",
		[PZ_V_EVACUATE] = "pages would have to be moved",
		[PZ_V_FRAGMENTED] = "its free pages are in too short runs",
		[PZ_V_FULL] = "nothing in it is free",
	};

	return (unsigned int)v < PZ_VERDICTS && words[v] ? words[v] : "?";
}

/* The first area that the request could have used, or NULL. */
static const struct pz_report_area *text_area(const struct pz_report *r)
{
	for (uint32_t i = 0; r && i < r->areas && i < PZ_REPORT_AREAS; i++)
		if (r->area[i].verdict != PZ_V_ZONE && r->area[i].verdict != PZ_V_NODE &&
		    r->area[i].verdict != PZ_V_OK)
			return &r->area[i];
	return NULL;
}

char *boot_reason(const struct boot_request *r)
{
	const struct pz_report_area *a = text_area(r->report);

	if (r->remark)
		return xstrdup(r->remark);
	return a ? xasprintf("%s: %s", pz_zone_name((enum pz_zone_type)a->type),
			     text_verdict(a->verdict))
		 : NULL;
}

static void text_flags(struct out *o, const struct boot *b, const struct boot_request *r)
{
	char flags[128];

	if (r->asked.when == PZL_BOOT_MEMBLOCK)
		return;
	if (b->physzone) {
		if (r->bits)
			out_printf(o, ", %u bits", r->bits);
		else
			out_str(o, ", any address");
		return;
	}
	boot_flags(flags, sizeof(flags), b, r);
	out_printf(o, ", %s", flags);
}

static void text_asked(struct out *o, const struct boot *b, const struct boot_request *r)
{
	char size[VIEW_SIZE_MAX], addr[VIEW_SIZE_MAX];

	if (r->asked.count > 1)
		out_printf(o, "%" PRIu64 " x ", r->asked.count);
	out_str(o, r->asked.bytes ? view_size(size, r->asked.bytes) : "of no size");
	if (r->asked.when != PZL_BOOT_MEMBLOCK)
		out_printf(o, ", order %u", r->asked.order);
	else if (r->max_addr != PZ_ADDR_MAX)
		out_printf(o, " below %s", view_addr(addr, r->max_addr + 1));
	text_flags(o, b, r);
}

static void text_served(struct out *o, const struct boot *b, const struct boot_request *r)
{
	char size[VIEW_SIZE_MAX], addr[VIEW_SIZE_MAX];

	if (r->asked.count > 1)
		out_printf(o, "%" PRIu64 " x ", r->got);
	out_str(o, view_size(size, r->bytes));
	if (r->from_cma)
		out_str(o, " of the contiguous area");
	else if (r->placed && r->zone != PZ_ZONE_TYPES)
		out_printf(o, " of %s", pz_zone_name(r->zone));
	if (r->placed && r->zone != PZ_ZONE_TYPES && b->start.z.node_count > 1)
		out_printf(o, " on node %d", r->nid);
	if (r->placed)
		out_printf(o, " at %s", view_addr(addr, r->place.first));
	if (b->physzone && r->unreached)
		out_printf(o, "; fewer than %u bits reach nothing", r->unreached);
}

/* The same in few words, to stand beside others. */
static void text_served_short(struct out *o, const struct boot *b, const struct boot_request *r)
{
	char size[VIEW_SIZE_MAX], addr[VIEW_SIZE_MAX];

	if (r->asked.count > 1)
		out_printf(o, "%" PRIu64 " x ", r->got);
	if (!r->placed || (r->outcome == BOOT_LESS && r->asked.count == 1))
		out_printf(o, "%s ", view_size(size, r->bytes));
	if (b->physzone && r->bits)
		out_printf(o, "%u bits ", r->bits);
	else if (r->from_cma)
		out_str(o, "CMA ");
	else if (r->placed && r->zone != PZ_ZONE_TYPES)
		out_printf(o, "%s ", pz_zone_name(r->zone));
	if (r->placed)
		out_printf(o, "at %s", view_addr(addr, r->place.first));
	while (o->n && o->v[o->n - 1] == ' ')
		o->n--;
}

/* What came of a request, in one cell. */
static enum out_style text_outcome(struct out *o, const struct boot *b,
				   const struct boot_request *r, bool brief)
{
	char *reason;

	switch (r->outcome) {
	case BOOT_SERVED:
		out_str(o, o->utf8 ? "✓ " : "+ ");
		if (brief)
			text_served_short(o, b, r);
		else
			text_served(o, b, r);
		if (r->remark && !brief)
			out_printf(o, " (%s)", r->remark);
		return r->remark ? ST_WARN : ST_GOOD;
	case BOOT_LESS:
		out_str(o, o->utf8 ? "≈ " : "~ ");
		if (brief)
			text_served_short(o, b, r);
		else
			text_served(o, b, r);
		if (r->remark && !brief)
			out_printf(o, " (%s)", r->remark);
		return ST_WARN;
	case BOOT_NEVER:
		out_str(o, brief ? "- nothing in reach" : "- never: no managed page in reach");
		return ST_DIM;
	case BOOT_DEPENDS:
		out_str(o, "? depends");
		if (r->remark && !brief)
			out_printf(o, ": %s", r->remark);
		return ST_WARN;
	case BOOT_SKIPPED:
		out_str(o, "- not asked for");
		if (r->remark && !brief)
			out_printf(o, ": %s", r->remark);
		return ST_DIM;
	case BOOT_FAILED:
		break;
	}
	out_str(o, o->utf8 ? "✗ failed" : "* FAILED");
	if (brief)
		return ST_BAD;
	reason = boot_reason(r);
	if (reason)
		out_printf(o, ": %s", reason);
	free(reason);
	return ST_BAD;
}

static void text_row_of_one(struct out *o, const struct boot *b, const struct boot_step *s,
			    bool head)
{
	struct out cell;

	out_str(o, "  ");
	out_styled(o, ST_DIM, head ? boot_stage_name(s->stage) : "");
	out_repeat(o, " ", 11 - (head ? text_columns(boot_stage_name(s->stage)) : 0));
	out_str(o, s->what);
	out_repeat(o, " ", text_columns(s->what) < 17 ? 18 - text_columns(s->what) : 1);
	out_init(&cell, NULL);
	cell.utf8 = o->utf8;
	if (s->text) {
		out_style(o, s->failed ? ST_BAD : ST_PLAIN);
		out_str(o, !s->failed ? "" : o->utf8 ? "✗ " : "* ");
		out_wrap(o, s->failed ? 33 : 31, 31, s->text);
		out_style(o, ST_PLAIN);
	} else {
		const struct boot_request *r = &b->requests.v[s->request];
		enum out_style style;

		text_asked(&cell, b, r);
		out_wrap(o, 31, 31, out_text(&cell));
		out_str(o, "\n                               ");
		cell.n = 0;
		style = text_outcome(&cell, b, r, false);
		out_style(o, style);
		out_wrap(o, 31, 33, out_text(&cell));
		out_style(o, ST_PLAIN);
	}
	out_char(o, '\n');
	out_destroy(&cell);
}

static void text_timeline(struct out *o, const struct boot *b)
{
	for (size_t i = 0; i < b->steps.n; i++)
		text_row_of_one(o, b, &b->steps.v[i],
				!i || b->steps.v[i].stage != b->steps.v[i - 1].stage);
}

/* A cell of the table of several runs. */
static void text_cell(struct table *t, unsigned int column, const struct boot *b,
		      const struct boot_step *s, bool utf8)
{
	enum out_style style = ST_DIM;
	struct out cell;

	out_init(&cell, NULL);
	cell.utf8 = utf8;
	if (!s)
		out_str(&cell, "- not asked for");
	else if (s->text)
		out_str(&cell, s->text);
	else
		style = text_outcome(&cell, b, &b->requests.v[s->request], true);
	table_set(t, column, style, "%s", out_text(&cell));
	out_destroy(&cell);
}

/* The run whose requests are the most, so that each request has a row. */
static size_t text_widest(const struct boot *runs, size_t n)
{
	size_t best = 0;

	for (size_t i = 1; i < n; i++)
		if (runs[i].requests.n > runs[best].requests.n)
			best = i;
	return best;
}

/* Whether a row of an earlier run stands for a request: the widest one's, then in their order. */
static bool text_shown(const struct boot *runs, size_t n, const struct boot *of, size_t i)
{
	const struct boot *first = &runs[text_widest(runs, n)];

	if (of == first)
		return false;
	if (text_same(first, of, i))
		return true;
	for (const struct boot *b = runs; b < of; b++)
		if (text_same(b, of, i))
			return true;
	return false;
}

/* Rows for the requests of one run, with what came of each under all. */
static void text_requests(struct table *t, const struct boot *runs, size_t n, const struct boot *of,
			  bool utf8)
{
	for (size_t i = 0; i < of->steps.n; i++) {
		const struct boot_step *s = &of->steps.v[i];
		const struct pzl_boot_request *asked;
		char size[VIEW_SIZE_MAX];

		if (s->text || text_shown(runs, n, of, i))
			continue;
		asked = &of->requests.v[s->request].asked;
		table_row(t);
		table_set(t, 0, ST_PLAIN, "%s", s->what);
		table_set(t, 1, ST_PLAIN, "%s%s", view_size(size, asked->bytes),
			  asked->gfp & PZL_GFP_DMA     ? " GFP_DMA"
			  : asked->gfp & PZL_GFP_DMA32 ? " GFP_DMA32"
						       : "");
		for (size_t k = 0; k < n && k < TEXT_MODELS; k++)
			text_cell(t, 2 + (unsigned int)k, &runs[k], text_same(&runs[k], of, i),
				  utf8);
	}
}

static void text_beside(struct out *o, const struct boot *runs, size_t n)
{
	const struct boot *first = &runs[text_widest(runs, n)];
	const struct boot_step *before = NULL;
	struct table t;

	/* What is the same for all: once. */
	for (size_t i = 0; i < first->steps.n; i++) {
		bool same = first->steps.v[i].text != NULL;

		for (size_t k = 0; k < n && same; k++) {
			const struct boot_step *s = text_same(&runs[k], first, i);

			same = s && !strcmp(s->text, first->steps.v[i].text);
		}
		if (!same)
			continue;
		text_row_of_one(o, first, &first->steps.v[i],
				!before || before->stage != first->steps.v[i].stage);
		before = &first->steps.v[i];
	}
	out_char(o, '\n');
	table_init(&t, "llllllllllllllll");
	table_row(&t);
	table_set(&t, 0, ST_HEAD, "request");
	table_set(&t, 1, ST_HEAD, "asked for");
	for (size_t k = 0; k < n && k < TEXT_MODELS; k++)
		table_set(&t, 2 + (unsigned int)k, ST_HEAD, "%s", runs[k].model);
	/* The widest run's requests, then those that only others make. */
	text_requests(&t, runs, n, first, o->utf8);
	for (size_t k = 0; k < n; k++)
		if (&runs[k] != first)
			text_requests(&t, runs, n, &runs[k], o->utf8);
	table_print(&t, o, 2);
	table_destroy(&t);
}

static void text_remedy(struct out *o, const struct pz_report *r, unsigned int shift, bool zones)
{
	char size[VIEW_SIZE_MAX];
	char *s = NULL;

	view_pages_size(size, r->remedy_value, shift);
	switch (r->remedy) {
	case PZ_R_RETRY:
		s = xstrdup("it would succeed now");
		break;
	case PZ_R_DRAIN:
		s = xstrdup("draining the per-CPU caches would help");
		break;
	case PZ_R_EVACUATE:
		s = xasprintf("moving %s out of the way would help", size);
		break;
	case PZ_R_RESERVE:
		s = xstrdup("the right to use reserves would help");
		break;
	case PZ_R_ORDER:
		s = xasprintf("a request of %s would be served", size);
		break;
	case PZ_R_ALIGN:
		s = xstrdup("without its alignment or boundary it would be served");
		break;
	case PZ_R_MOVABLE:
		s = xstrdup("a request for movable pages would be served");
		break;
	case PZ_R_RECLAIM:
		s = xasprintf("freeing %s would help", size);
		break;
	case PZ_R_LIMIT:
		if (zones)
			s = xstrdup("flags that allow a higher zone would help");
		else
			s = xasprintf("a device that reaches %#" PRIx64 " would be served",
				      r->remedy_value);
		break;
	case PZ_R_NODE:
		s = xstrdup("other nodes could serve it");
		break;
	case PZ_R_NONE:
	case PZ_REMEDIES:
		s = xstrdup("nothing here would help");
		break;
	}
	out_str(o, "    ");
	out_wrap(o, 4, 4, s ? s : "?");
	out_char(o, '\n');
	free(s);
}

static void text_report(struct out *o, const struct boot *b, const struct pz_report *r, bool why)
{
	struct table t;

	table_init(&t, "llrrrrrrr");
	if (why) {
		static const char *const heads[] = { "zone",	  "verdict", "managed",
						     "free",	  "CMA",     "watermark",
						     "reserve",	  "longest", "in reach" };

		table_row(&t);
		for (unsigned int i = 0; i < 9; i++)
			table_set(&t, i, ST_HEAD, "%s", heads[i]);
	}
	for (uint32_t i = 0; i < r->areas && i < PZ_REPORT_AREAS; i++) {
		const struct pz_report_area *a = &r->area[i];

		table_row(&t);
		if (b->start.z.node_count > 1)
			table_set(&t, 0, ST_BOLD, "%d %s", a->nid,
				  pz_zone_name((enum pz_zone_type)a->type));
		else
			table_set(&t, 0, ST_BOLD, "%s", pz_zone_name((enum pz_zone_type)a->type));
		table_set(&t, 1, ST_PLAIN, "%s", text_verdict(a->verdict));
		if (!why)
			continue;
		table_set(&t, 2, ST_PLAIN, "%" PRIu64, a->managed);
		table_set(&t, 3, ST_PLAIN, "%" PRIu64, a->free);
		table_set(&t, 4, ST_PLAIN, "%" PRIu64, a->free_cma);
		table_set(&t, 5, ST_PLAIN, "%" PRIu64, a->mark);
		table_set(&t, 6, ST_PLAIN, "%" PRIu64, a->reserve);
		table_set(&t, 7, ST_PLAIN, "%" PRIu64, a->largest_run);
		table_set(&t, 8, ST_PLAIN, "%" PRIu64, a->free_reached);
	}
	table_print(&t, o, 4);
	table_destroy(&t);
	text_remedy(o, r, b->analysis.page_shift, !b->physzone);
}

static void text_why(struct out *o, const struct boot *b, bool why, bool several)
{
	for (size_t i = 0; i < b->requests.n; i++) {
		const struct boot_request *r = &b->requests.v[i];
		struct out asked;
		size_t n = 0;

		if (!r->report || (r->outcome == BOOT_SERVED && !why))
			continue;
		for (size_t k = 0; k < r->tries.n; k++)
			n += r->tries.v[k].rc != 0;
		out_init(&asked, NULL);
		text_asked(&asked, b, r);
		out_char(o, '\n');
		out_printf(o, "  %s: %s%s%s\n", r->asked.name, out_text(&asked),
			   several ? " under " : "", several ? b->model : "");
		if (n > 1)
			out_printf(o, "    %zu tries failed, down to order %u\n", n,
				   r->tries.v[r->tries.n - 1].order);
		if (why && !b->physzone) {
			char flags[192];

			pzl_gfp_format(flags, sizeof(flags), r->asked.gfp, b->rules);
			out_printf(o, "    mode %#x: ", r->asked.gfp);
			for (const char *p = flags; *p; p++)
				out_mem(o, *p == '|' ? " | " : p, *p == '|' ? 3 : 1);
			out_char(o, '\n');
		}
		text_report(o, b, r->report, why);
		out_destroy(&asked);
	}
}

static bool text_has_why(const struct boot *b, bool why)
{
	for (size_t i = 0; i < b->requests.n; i++)
		if (b->requests.v[i].report &&
		    (b->requests.v[i].outcome != BOOT_SERVED || why))
			return true;
	return false;
}

static void text_console(struct out *o, const char *p, const char *model)
{
	const char *end;

	if (!*p)
		return;
	out_char(o, '\n');
	out_style(o, ST_BOLD);
	out_printf(o, "What %s prints", model);
	out_style(o, ST_PLAIN);
	out_str(o, " (without the stack of the task)\n");
	for (; (end = strchr(p, '\n')); p = end + 1) {
		out_str(o, "  ");
		out_mem(o, p, (size_t)(end - p));
		out_char(o, '\n');
	}
}

void boot_text(struct out *o, const struct view *v, const struct boot *runs, size_t n, bool why)
{
	bool any = false;

	view_heading(o, v);
	out_char(o, '\n');
	out_styled(o, ST_BOLD, "Start-up");
	if (n == 1) {
		out_printf(o, ", requests by the rules of %s\n", runs[0].model);
		text_timeline(o, &runs[0]);
	} else {
		out_char(o, '\n');
		text_beside(o, runs, n);
	}
	for (size_t i = 0; i < n; i++)
		any = any || text_has_why(&runs[i], why);
	if (any) {
		out_char(o, '\n');
		out_styled(o, ST_BOLD, "Why");
		for (size_t i = 0; i < n; i++)
			text_why(o, &runs[i], why, n > 1);
	}
	/* Beside each other, the models' prints would hide the rest. */
	for (size_t i = 0; i < n && (n == 1 || why); i++)
		text_console(o, runs[i].prints, runs[i].model);
	view_findings(o, v);
}
