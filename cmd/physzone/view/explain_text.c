/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain_text.c - explanations for people.
 */
#include "explain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"
#include "view.h"

enum { EXPLAIN_INDENT = 12, EXPLAIN_ZONES = 24 };

/* "  word      text", wrapped; the text comes from the input in part. */
static void explain_field(struct out *o, const char *word, enum out_style style, char *text)
{
	unsigned int n = text_columns(word);
	struct out clean;

	out_init(&clean, NULL);
	clean.utf8 = o->utf8;
	out_clean(&clean, text);
	out_str(o, "  ");
	out_styled(o, ST_DIM, word);
	out_repeat(o, " ", n < EXPLAIN_INDENT - 2 ? EXPLAIN_INDENT - 2 - n : 1);
	out_style(o, style);
	out_wrap(o, EXPLAIN_INDENT, EXPLAIN_INDENT, out_text(&clean));
	out_style(o, ST_PLAIN);
	out_char(o, '\n');
	out_destroy(&clean);
	free(text);
}

static void explain_heading(struct out *o, const struct explain_view *v)
{
	const struct analysis *k = &v->e->kernel;

	out_style(o, ST_BOLD);
	out_clean(o, v->title);
	out_style(o, ST_PLAIN);
	out_char(o, '\n');
	explain_field(o, "kernel", ST_PLAIN,
		      xasprintf("%s%sread as %s, %s", v->f->release ? v->f->release : "",
				v->f->release ? ", " : "", pzl_model_name(k->model),
				k->model_from));
	if (v->f->boots > 1)
		explain_field(o, "boot", ST_PLAIN, xasprintf("%u of %u", v->f->boot, v->f->boots));
	if (!v->e->arch_known)
		explain_field(o, "machine", ST_PLAIN,
			      xstrdup("the log does not tell the architecture"));
}

static void explain_title(struct out *o, const struct explanation *x)
{
	out_char(o, '\n');
	out_style(o, ST_BOLD);
	if (x->failure)
		out_printf(o, "Page allocation failure, line %" PRIu32, x->failure->at.line);
	else
		out_printf(o, "Report without a failure, line %" PRIu32, x->report->at.line);
	if (x->times > 1)
		out_printf(o, ", %u times, the last on line %" PRIu32, x->times, x->last.line);
	out_style(o, ST_PLAIN);
	out_char(o, '\n');
}

static void why_row(struct table *t, const char *sign, uint64_t pages, const char *what)
{
	table_row(t);
	table_set(t, 0, ST_PLAIN, "%s", sign);
	if (pages > 8 * PZL_PAGES_MOST)
		table_set(t, 1, ST_DIM, "not stated");
	else
		table_set(t, 1, ST_PLAIN, "%" PRIu64, pages);
	table_set(t, 2, ST_PLAIN, "%s", what);
}

static void why_signed(struct table *t, const char *sign, int64_t pages, const char *what)
{
	table_row(t);
	table_set(t, 0, ST_PLAIN, "%s", sign);
	table_set(t, 1, ST_PLAIN, "%" PRId64, pages);
	table_set(t, 2, ST_PLAIN, "%s", what);
}

/* The free blocks, with their types. */
static char *why_blocks(const struct ex_zone *z)
{
	static const char letters[] = FACT_LETTERS;
	char *s = xstrdup(""), *more;

	for (unsigned int k = 0; k < z->state.orders; k++) {
		char types[sizeof(letters)];
		size_t n = 0;

		if (!z->state.blocks[k])
			continue;
		for (size_t i = 0; i + 1 < sizeof(letters); i++)
			if (z->state.types[k] >> i & 1)
				types[n++] = letters[i];
		types[n] = '\0';
		more = xasprintf("%s%s%" PRIu64 " of order %u%s%s", s, *s ? ", " : "",
				 z->state.blocks[k], k, n ? " " : "", types);
		free(s);
		s = more;
	}
	if (*s)
		return s;
	free(s);
	return xstrdup("none");
}

/* The watermark's arithmetic for one zone. */
static void explain_why_zone(struct out *o, const struct explanation *x, const struct ex_zone *z)
{
	const struct pzl_zone_judgement *j = &z->judged;
	struct table t;

	out_printf(o, "\n  zone %s of node %d: %s; pages\n", pz_zone_name(z->type), z->fact->nid,
		   z->excluded ? "excluded" : pzl_verdict_name(j->verdict));
	table_init(&t, "lrl");
	why_row(&t, "", z->state.managed, "managed");
	why_row(&t, "", z->state.free, "free");
	why_row(&t, "-", j->order_cut, "the request, but for its last page");
	why_row(&t, "-", j->highatomic_cut, "set aside for atomic requests");
	why_row(&t, "-", j->cma_cut, "free in CMA areas");
	if (j->missing & PZL_MISS_FREE)
		why_row(&t, "=", PZL_PAGES_UNKNOWN, "would be left");
	else
		why_signed(&t, "=", j->usable, "would be left");
	why_row(&t, "", z->state.min, "min watermark");
	if (j->rights & PZL_RIGHT_RESERVE && !(j->missing & PZL_MISS_MIN)) {
		if (j->mark != z->state.min)
			why_row(&t, "-", z->state.min - j->mark, "boost, forgone for one page");
		why_row(&t, "-", j->mark - j->mark_high, "half, for __GFP_HIGH");
		if (j->rights & PZL_RIGHT_NON_BLOCK)
			why_row(&t, "-", j->mark_high - j->mark_block,
				"a quarter of the rest, for it may not wait");
	}
	why_row(&t, "+", z->state.reserve, "lowmem reserve against this request");
	why_row(&t, "=",
		j->missing & (PZL_MISS_MIN | PZL_MISS_LOWMEM) ? PZL_PAGES_UNKNOWN : j->need,
		"must be exceeded");
	if (j->lacking)
		why_row(&t, "!", j->lacking, "lacking");
	table_print(&t, o, 4);
	table_destroy(&t);
	out_str(o, "    free blocks: ");
	if (z->state.orders) {
		char *blocks = why_blocks(z);

		out_wrap(o, 17, 17, blocks);
		free(blocks);
	} else {
		out_str(o, "not stated");
	}
	out_printf(o, "\n    largest that may be taken: ");
	if (j->largest >= 0)
		out_printf(o, "order %d", (int)j->largest);
	else
		out_str(o, "none");
	out_printf(o, "; wanted: order %u\n", x->failure ? x->failure->order : 0);
}

static void explain_zone_lines(struct out *o, const struct explanation *x)
{
	unsigned int shown = 0;
	bool nodes = false;

	for (size_t i = 1; i < x->zones.n; i++)
		nodes = nodes || x->zones.v[i].fact->nid != x->zones.v[0].fact->nid;
	for (size_t i = 0; i < x->zones.n; i++) {
		const struct ex_zone *z = &x->zones.v[i];
		enum pzl_verdict v = z->judged.verdict;
		char word[40];

		if (++shown > EXPLAIN_ZONES)
			continue;
		if (nodes)
			snprintf(word, sizeof(word), "%d %s", z->fact->nid, pz_zone_name(z->type));
		else
			snprintf(word, sizeof(word), "%s", pz_zone_name(z->type));
		explain_field(o, word,
			      v == PZL_ZONE_UNMANAGED ? ST_BAD
			      : v == PZL_ZONE_OK      ? ST_GOOD
						      : ST_PLAIN,
			      explain_zone(x, z));
	}
	if (shown > EXPLAIN_ZONES)
		out_printf(o, "  and %u more zones\n", shown - EXPLAIN_ZONES);
}

/* The machine rebuilt, and the request made again. */
static void explain_rebuilt_text(struct out *o, const struct explanation *x)
{
	const struct ex_rebuilt *r = x->rebuilt;

	if (!r)
		return;
	explain_field(o, "rebuilt",
		      r->again == EX_FAILS_ALIKE || r->again == EX_SERVED_ALIKE ? ST_GOOD : ST_WARN,
		      explain_again(x));
	for (size_t i = 0; i < r->differences.n; i++)
		explain_field(o, "!", ST_WARN, xstrdup(r->differences.v[i]));
	for (size_t i = 0; i < r->notes.n; i++)
		explain_field(o, "", ST_PLAIN, xstrdup(r->notes.v[i]));
}

static void explain_one_text(struct out *o, const struct explain_view *v,
			     const struct explanation *x)
{
	explain_title(o, x);
	if (x->failure) {
		explain_field(o, "asked", ST_PLAIN, explain_asked(v->e, x));
		explain_field(o, "", ST_PLAIN, explain_rights(v->e, x));
	}
	explain_zone_lines(o, x);
	explain_field(o, x->failure ? "because" : "so", ST_BOLD, explain_because(x));
	if (x->failure)
		explain_field(o, "matters", x->matter == EX_SERIOUS ? ST_BAD : ST_PLAIN,
			      explain_matters(x));
	for (size_t i = 0; i < x->remedies.n; i++) {
		char *text = explain_remedy(x, &x->remedies.v[i]);
		char *tried = explain_tried(x, &x->remedies.v[i]);

		explain_field(o, i ? "" : "helps", ST_PLAIN,
			      xasprintf("%zu. %s%s%s", i + 1, text, *tried ? "; " : "", tried));
		free(text);
		free(tried);
	}
	explain_rebuilt_text(o, x);
	for (size_t i = 0; i < x->notes.n; i++)
		explain_field(o, "note", ST_PLAIN, xstrdup(x->notes.v[i]));
	for (size_t i = 0; i < x->contradictions.n; i++)
		explain_field(o, "!", ST_WARN, xstrdup(x->contradictions.v[i]));
	for (size_t i = 0; v->why && i < x->zones.n && i < EXPLAIN_ZONES; i++)
		explain_why_zone(o, x, &x->zones.v[i]);
}

/* Lines of the log that contradict others or are damaged, from the first report on. */
static void explain_damaged(struct out *o, const struct explain_view *v)
{
	bool any = false;

	for (size_t i = 0; i < v->f->contradictions.n; i++) {
		const struct fact_contradiction *c = &v->f->contradictions.v[i];

		if (!explain_concerns(v->e, c->at))
			continue;
		if (!any)
			out_str(o, "\n");
		if (!any)
			out_styled(o, ST_BOLD, "Damaged or contradictory lines\n");
		any = true;
		explain_field(o, "!", ST_WARN,
			      xasprintf("line %" PRIu32 ": %s", c->at.line, c->text));
	}
}

void explain_text(struct out *o, const struct explain_view *v)
{
	explain_heading(o, v);
	for (size_t i = 0; i < v->e->all.n; i++)
		explain_one_text(o, v, &v->e->all.v[i]);
	if (!v->e->all.n)
		out_printf(o,
			   "\nNo page allocation failure and no Mem-Info in %" PRIu64 " lines: "
			   "nothing to explain.\n",
			   v->f->lines_total);
	explain_damaged(o, v);
}
