/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_svg.c - the physical address space as a picture: a bar to scale, what is small called out
 * above it, addresses and zones beneath, and a legend of every piece and zone.
 *
 * The picture stands alone: no script, no font and nothing else is loaded; colours follow the
 * reader's light or dark scheme, on a ground of its own. Each part has a tooltip.
 */
#include "view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "svg.h"

#define PIC_WIDTH 1200.0
#define PIC_EDGE 32.0
#define PIC_CELLS 1136u
#define PIC_BAR 58.0
#define PIC_LANE 30.0
#define PIC_LANES_MAX 24u
#define PIC_LEVEL 19.0
#define PIC_LEVELS_MAX 7u
#define PIC_CALLS_MAX 28u
#define PIC_ROW 20.0
#define PIC_SMALL 11.0
#define PIC_TEXT 12.0
#define PIC_DASH "\xe2\x80\x93"

/* Neighbours of one kind, called out together. */
struct pic_group {
	unsigned int kind;
	double at, width;
	uint64_t bytes;
	bool inside; /* its text fits into the bar */
	bool placed;
	unsigned int level;
	double text_at, text_width;
	char *text;
};

struct pic {
	struct out *o;
	const struct view *v;
	struct layout l;
	VEC(struct pic_group) groups;
	unsigned int levels;
	unsigned int digits;
	double y;
};

static void pic_range(const struct pic *p, struct out *o, struct pz_range r)
{
	out_printf(o, "0x%0*" PRIx64 PIC_DASH "0x%0*" PRIx64, (int)p->digits, r.first,
		   (int)p->digits, r.last);
}

static void pic_style(struct out *o)
{
	unsigned int k;

	out_str(o, "<style>\n"
		   "text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;"
		   "fill:#1c1c22}\n"
		   ".mono{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace}\n"
		   ".dim{fill:#62626e}.bad{fill:#b3261e}.title{font-weight:600}.head{font-weight:"
		   "600}\n"
		   ".bg{fill:#ffffff}.leader{stroke:#8a8a96;stroke-width:1;fill:none}\n"
		   ".in{fill:#101014}.cut{stroke:#ffffff;stroke-width:1}\n"
		   ".zone{fill:#eef1f6;stroke:#6b7688;stroke-width:1}\n"
		   ".hollow{fill:#fde9e7;stroke:#b3261e;stroke-width:1.5;stroke-dasharray:5 3}\n"
		   ".frame{fill:none;stroke:#8a8a96;stroke-width:1}\n"
		   ".hatch{stroke:#8a8a96;stroke-width:1.4}\n");
	for (k = 0; k <= AN_KINDS; k++)
		out_printf(o, ".k%u{fill:%s}", k, view_kind(k)->light);
	out_str(o, "\n@media (prefers-color-scheme:dark){\n"
		   "text{fill:#e8e8ee}.dim{fill:#a2a2ae}.bad{fill:#ff8a80}.bg{fill:#17171c}"
		   ".in{fill:#ffffff}\n"
		   ".cut{stroke:#17171c}.zone{fill:#262b35;stroke:#8793a8}"
		   ".hollow{fill:#3a1c1a;stroke:#ff8a80}\n");
	for (k = 0; k <= AN_KINDS; k++)
		out_printf(o, ".k%u{fill:%s}", k, view_kind(k)->dark);
	out_str(o, "\n}\n</style>\n");
}

static void pic_add_group(struct pic *p, const struct layout_segment *s)
{
	struct pic_group *g = p->groups.n ? &p->groups.v[p->groups.n - 1] : NULL;
	struct pic_group *before = p->groups.n > 1 ? g - 1 : NULL;
	uint64_t bytes = view_range_size(s->range);

	/* A hole or a sliver of memory between two parts of the kernel does not part them. */
	if (before && g->width <= 8 && before->kind == s->kind &&
	    view_kind(g->kind)->rank < view_kind(s->kind)->rank) {
		before->width = s->at + s->width - before->at;
		before->bytes =
			before->bytes > UINT64_MAX - bytes ? UINT64_MAX : before->bytes + bytes;
		p->groups.n--;
		return;
	}
	if (g && g->kind == s->kind) {
		g->width += s->width;
		g->bytes = g->bytes > UINT64_MAX - bytes ? UINT64_MAX : g->bytes + bytes;
		return;
	}
	g = vec_push(&p->groups);
	g->kind = s->kind;
	g->at = s->at;
	g->width = s->width;
	g->bytes = bytes;
}

/* Whether two texts, or the leader of one and the text of the other, would meet. */
static bool pic_meet(const struct pic_group *a, const struct pic_group *b)
{
	const struct pic_group *high = a->level > b->level ? a : b, *low = high == a ? b : a;
	double x;

	if (a->level == b->level)
		return a->text_at < b->text_at + b->text_width + 6 &&
		       b->text_at < a->text_at + a->text_width + 6;
	x = high->at + high->width / 2;
	return x > low->text_at - 3 && x < low->text_at + low->text_width + 3;
}

/* Find room above the bar; from right to left, so that leaders pass beside the texts. */
static bool pic_place(struct pic *p, struct pic_group *g)
{
	double x = g->at + g->width / 2;
	size_t i;

	g->text_width = svg_text_width(g->text, PIC_SMALL, false);
	g->text_at = x + 4;
	if (g->text_at + g->text_width > PIC_CELLS)
		g->text_at = x - 4 - g->text_width;
	if (g->text_at < 0)
		g->text_at = x + 4;
	for (g->level = 0; g->level < PIC_LEVELS_MAX; g->level++) {
		for (i = 0; i < p->groups.n; i++) {
			const struct pic_group *other = &p->groups.v[i];

			if (other != g && other->placed && pic_meet(g, other))
				break;
		}
		if (i == p->groups.n) {
			g->placed = true;
			if (g->level + 1 > p->levels)
				p->levels = g->level + 1;
			return true;
		}
	}
	return false;
}

static int pic_compare_rank(const void *a, const void *b)
{
	const struct pic_group *const *x = a, *const *y = b;
	unsigned int rx = view_kind((*x)->kind)->rank, ry = view_kind((*y)->kind)->rank;

	if (rx != ry)
		return rx > ry ? -1 : 1;
	if ((*x)->bytes != (*y)->bytes)
		return (*x)->bytes > (*y)->bytes ? -1 : 1;
	return (*x)->at < (*y)->at ? -1 : (*x)->at > (*y)->at;
}

static int pic_compare_at(const void *a, const void *b)
{
	const struct pic_group *const *x = a, *const *y = b;

	return (*x)->at > (*y)->at ? -1 : (*x)->at < (*y)->at;
}

/* Place the first n calls, from right to left; false when one finds no room. */
static bool pic_place_all(struct pic *p, struct pic_group *const *calls, size_t n)
{
	struct pic_group *order[PIC_CALLS_MAX];
	bool all = true;
	size_t i;

	for (i = 0; i < p->groups.n; i++)
		p->groups.v[i].placed = false;
	p->levels = 0;
	memcpy(order, calls, n * sizeof(struct pic_group *));
	qsort(order, n, sizeof(struct pic_group *), pic_compare_at);
	for (i = 0; i < n && all; i++)
		all = pic_place(p, order[i]);
	return all;
}

static void pic_callouts(struct pic *p)
{
	struct pic_group **calls;
	char size[VIEW_SIZE_MAX];
	size_t i, n = 0;

	for (i = 0; i < p->l.segments.n; i++)
		pic_add_group(p, &p->l.segments.v[i]);
	calls = xcalloc(p->groups.n, sizeof(struct pic_group *));
	for (i = 0; i < p->groups.n; i++) {
		struct pic_group *g = &p->groups.v[i];

		g->text = xasprintf("%s %s", view_kind(g->kind)->name, view_size(size, g->bytes));
		g->inside = svg_text_width(g->text, PIC_SMALL, false) + 8 <= g->width;
		if (!g->inside && g->kind != AN_KINDS && g->kind != AN_RAM)
			calls[n++] = g;
	}
	qsort(calls, n, sizeof(struct pic_group *), pic_compare_rank);
	n = n > PIC_CALLS_MAX ? PIC_CALLS_MAX : n;
	/* The least important ones make room until all that remain find a place. */
	while (n && !pic_place_all(p, calls, n))
		n--;
	free(calls);
}

static void pic_head(struct pic *p)
{
	const struct analysis *a = p->v->a;
	char size[VIEW_SIZE_MAX];
	char *text = xasprintf("Physical memory of %s", p->v->title);

	svg_text_fit(p->o, PIC_EDGE, 44, 22, SVG_START, "title", PIC_WIDTH - 2 * PIC_EDGE, text);
	free(text);
	text = xasprintf("%s \xc2\xb7 %s \xc2\xb7 %s pages%s%s", pzl_model_name(a->model),
			 pzl_arch_name(a->arch), view_size(size, (uint64_t)1 << a->page_shift),
			 p->v->f->release ? " \xc2\xb7 kernel " : "",
			 p->v->f->release ? p->v->f->release : "");
	svg_text_fit(p->o, PIC_EDGE, 66, 13, SVG_START, "dim", PIC_WIDTH - 2 * PIC_EDGE, text);
	free(text);
	p->y = 82;
}

static void pic_segment_tip(const struct pic *p, const struct layout_segment *s, struct out *tip)
{
	const struct analysis *a = p->v->a;
	struct pz_range r = s->range;
	char size[VIEW_SIZE_MAX];

	if (s->merged) {
		out_str(tip, "several pieces, among them ");
	} else if (s->piece != LAYOUT_NO_PIECE) {
		r = a->pieces.v[s->piece].range;
	}
	out_str(tip, view_kind(s->kind)->name);
	if (!s->merged && s->piece != LAYOUT_NO_PIECE && a->pieces.v[s->piece].label)
		out_printf(tip, " (%s)", a->pieces.v[s->piece].label);
	out_str(tip, "\n");
	pic_range(p, tip, r);
	out_printf(tip, "\n%s", view_size(size, view_range_size(r)));
	if (s->squeezed)
		out_str(tip, "\nnot to scale");
}

static void pic_bar(struct pic *p)
{
	double top = p->y + p->levels * PIC_LEVEL + 6;
	struct out tip;
	size_t i;

	for (i = 0; i < p->groups.n; i++) {
		const struct pic_group *g = &p->groups.v[i];
		double x = PIC_EDGE + g->at + g->width / 2;

		if (!g->placed)
			continue;
		out_printf(p->o, "<path d=\"M%.1f %.1fV%.1f\" class=\"leader\"/>\n", x, top,
			   top - 6 - g->level * PIC_LEVEL - 11);
		svg_text(p->o, PIC_EDGE + g->text_at, top - 8 - g->level * PIC_LEVEL, PIC_SMALL,
			 SVG_START, "call", g->text);
	}
	for (i = 0; i < p->l.segments.n; i++) {
		const struct layout_segment *s = &p->l.segments.v[i];
		char cls[32];

		out_init(&tip, NULL);
		pic_segment_tip(p, s, &tip);
		snprintf(cls, sizeof(cls), "k%u", s->kind);
		svg_box(p->o, PIC_EDGE + s->at, top, s->width, PIC_BAR, 0, cls, out_text(&tip));
		if (s->squeezed)
			svg_box(p->o, PIC_EDGE + s->at, top, s->width, PIC_BAR, 0, "torn",
				out_text(&tip));
		out_destroy(&tip);
		/* Neighbours of one colour that are two pieces. */
		if (i && s->piece != s[-1].piece && s->kind == s[-1].kind)
			out_printf(p->o, "<path d=\"M%.1f %.1fv%.1f\" class=\"cut\"/>\n",
				   PIC_EDGE + s->at, top, PIC_BAR);
	}
	svg_box(p->o, PIC_EDGE, top, PIC_CELLS, PIC_BAR, 0, "frame", NULL);
	for (i = 0; i < p->groups.n; i++) {
		const struct pic_group *g = &p->groups.v[i];

		if (g->inside && !(g->kind == AN_KINDS && g->width < 60))
			svg_text(p->o, PIC_EDGE + g->at + g->width / 2, top + PIC_BAR / 2 + 4,
				 PIC_SMALL, SVG_MIDDLE, g->kind == AN_KINDS ? "dim" : "in",
				 g->text);
	}
	p->y = top + PIC_BAR;
}

/* Addresses beneath the bar: where zones start first, then the widest segments. */
static void pic_ticks(struct pic *p)
{
	static const unsigned int least[] = { 0, 0, 120, 40, 12, 3 };
	bool *taken = xcalloc(PIC_CELLS + 1, sizeof(*taken));
	char text[VIEW_SIZE_MAX];
	unsigned int pass, i;
	size_t s, z;

	for (pass = 0; pass < sizeof(least) / sizeof(least[0]); pass++) {
		for (s = 0; s < p->l.segments.n; s++) {
			const struct layout_segment *seg = &p->l.segments.v[s];
			double width, from;
			unsigned int low, high;
			bool zone = false;

			for (z = 0; z < p->l.zones.n && pass == 1; z++)
				zone = zone || p->l.zones.v[z].range.first == seg->range.first;
			if ((pass == 0 && s) || (pass == 1 && !zone) || seg->width < least[pass])
				continue;
			width = svg_text_width(view_addr(text, seg->range.first), PIC_SMALL, false);
			from = seg->at - width / 2;
			from = from < 0 ? 0 : from + width > PIC_CELLS ? PIC_CELLS - width : from;
			low = from > 8 ? (unsigned int)from - 8 : 0;
			high = from + width + 8 < PIC_CELLS ? (unsigned int)(from + width) + 8
							    : PIC_CELLS;
			for (i = low; i <= high && !taken[i]; i++)
				continue;
			if (i <= high)
				continue;
			for (i = (unsigned int)from; i <= high && i <= (unsigned int)(from + width);
			     i++)
				taken[i] = true;
			out_printf(p->o, "<path d=\"M%.1f %.1fv5\" class=\"leader\"/>\n",
				   PIC_EDGE + seg->at, p->y);
			svg_text(p->o, PIC_EDGE + from, p->y + 17, PIC_SMALL, SVG_START, "dim",
				 text);
		}
	}
	free(taken);
	p->y += 26;
}

static void pic_zone(const struct pic *p, const struct layout_zone *z, double y)
{
	unsigned int shift = p->v->a->page_shift;
	bool hollow = view_zone_hollow(z->zone);
	char present[VIEW_SIZE_MAX], managed[VIEW_SIZE_MAX], spanned[VIEW_SIZE_MAX];
	char *texts[3];
	struct out tip;
	unsigned int i;

	view_pages_size(present, z->zone->present, shift);
	view_pages_size(managed, z->zone->managed, shift);
	view_pages_size(spanned, z->zone->spanned, shift);
	if (hollow)
		strcpy(managed, "none");
	texts[0] = xasprintf("%s: %s present, %s managed", z->label, present, managed);
	texts[1] = xstrdup(z->remark ? z->remark : z->label);
	texts[2] = xasprintf("%s%s", z->label, hollow ? "!" : "");
	out_init(&tip, NULL);
	out_printf(&tip, "zone %s of node %d\n", pz_zone_name(z->type), z->node->nid);
	pic_range(p, &tip, z->range);
	out_printf(&tip,
		   "\nspanned %" PRIu64 " pages (%s)\npresent %" PRIu64 " (%s)\nmanaged %" PRIu64,
		   z->zone->spanned, spanned, z->zone->present, present, z->zone->managed);
	out_printf(&tip, " (%s, %s)", managed, view_managed_from(z->zone->managed_from));
	svg_box(p->o, PIC_EDGE + z->at + 0.5, y, z->width > 1 ? z->width - 1 : 1, PIC_LANE - 6, 4,
		hollow ? "hollow" : "zone", out_text(&tip));
	for (i = 0; i < 3; i++) {
		if (svg_text_width(texts[i], PIC_TEXT, false) + 6 > z->width)
			continue;
		svg_text(p->o, PIC_EDGE + z->at + z->width / 2.0, y + 16, PIC_TEXT, SVG_MIDDLE,
			 hollow ? "bad" : "name", texts[i]);
		break;
	}
	out_destroy(&tip);
	for (i = 0; i < 3; i++)
		free(texts[i]);
}

static void pic_zones(struct pic *p)
{
	unsigned int lanes = p->l.lanes > PIC_LANES_MAX ? PIC_LANES_MAX : p->l.lanes;
	struct out note;
	char size[VIEW_SIZE_MAX];
	size_t i;

	for (i = 0; i < p->l.zones.n; i++)
		if (p->l.zones.v[i].lane < lanes)
			pic_zone(p, &p->l.zones.v[i], p->y + p->l.zones.v[i].lane * PIC_LANE);
	p->y += lanes * PIC_LANE + 16;
	out_init(&note, NULL);
	if (p->l.cell_bytes)
		out_printf(
			&note,
			"To scale: 100 units are %s; what is smaller than %u is drawn that wide.",
			view_size(size, p->l.cell_bytes > UINT64_MAX / 100 ? UINT64_MAX
									   : p->l.cell_bytes * 100),
			3u);
	else
		out_str(&note, "Logarithmic: each doubling of the address takes the same room.");
	if (p->l.squeezed)
		out_str(&note, " Hatched ranges are too large to be drawn to scale.");
	if (p->l.merged)
		out_printf(&note, " %u %s for several pieces%s.", p->l.merged,
			   p->l.merged == 1 ? "box stands" : "boxes stand",
			   p->l.merged == 1 ? "" : " each");
	if (p->l.lanes > lanes)
		out_printf(&note, " %u rows of zones are left out.", p->l.lanes - lanes);
	svg_text_fit(p->o, PIC_EDGE, p->y, PIC_SMALL, SVG_START, "dim", PIC_CELLS, out_text(&note));
	out_destroy(&note);
	p->y += 34;
}

/* A row of the legend in the left or the right half. */
static void pic_row(const struct pic *p, double x, double y, double room, const char *cls,
		    struct pz_range range, const char *size, const char *text, const char *text_cls)
{
	double at = x + 20, range_room;
	struct out r;

	svg_box(p->o, x, y - 10, 12, 12, 2, cls, NULL);
	out_init(&r, NULL);
	pic_range(p, &r, range);
	range_room = svg_text_width(out_text(&r), PIC_SMALL, true) + 8;
	svg_text(p->o, at, y, PIC_SMALL, SVG_START, "mono", out_text(&r));
	out_destroy(&r);
	at += range_room + 66;
	svg_text(p->o, at, y, PIC_SMALL, SVG_END, "size", size);
	at += 12;
	svg_text_fit(p->o, at, y, PIC_SMALL, SVG_START, text_cls, x + room - at, text);
}

static void pic_legend(struct pic *p)
{
	const struct analysis *a = p->v->a;
	struct layout_order order;
	size_t rows, half, i;
	double room = PIC_CELLS / 2.0 - 12;
	char size[VIEW_SIZE_MAX], cls[16];

	layout_order_build(&order, a);
	rows = order.index.n;
	if (rows)
		svg_text(p->o, PIC_EDGE, p->y, 14, SVG_START, "head", "What lies where");
	half = rows > 10 ? (rows + 1) / 2 : rows;
	for (i = 0; i < rows; i++) {
		const struct an_piece *piece = &a->pieces.v[order.index.v[i]];
		const char *name = view_kind(piece->kind)->name;
		bool more = piece->label && *piece->label && strcmp(piece->label, name);
		char *text = more ? xasprintf("%s: %s", name, piece->label) : xstrdup(name);

		snprintf(cls, sizeof(cls), "k%u", (unsigned int)piece->kind);
		pic_row(p, i < half ? PIC_EDGE : PIC_EDGE + room + 24,
			p->y + 24 + (double)(i < half ? i : i - half) * PIC_ROW,
			rows > 10 ? room : (double)PIC_CELLS, cls, piece->range,
			view_size(size, view_range_size(piece->range)), text, "label");
		free(text);
	}
	if (rows)
		p->y += 24 + (double)half * PIC_ROW + 18;
	layout_order_destroy(&order);
}

static void pic_zone_legend(struct pic *p)
{
	unsigned int shift = p->v->a->page_shift;
	char present[VIEW_SIZE_MAX], managed[VIEW_SIZE_MAX], spanned[VIEW_SIZE_MAX];
	size_t i;

	if (!p->l.zones.n)
		return;
	svg_text(p->o, PIC_EDGE, p->y, 14, SVG_START, "head", "Zones");
	p->y += 24;
	for (i = 0; i < p->l.zones.n; i++) {
		const struct layout_zone *z = &p->l.zones.v[i];
		bool hollow = view_zone_hollow(z->zone);
		char *text;

		view_pages_size(spanned, z->zone->spanned, shift);
		view_pages_size(present, z->zone->present, shift);
		view_pages_size(managed, z->zone->managed, shift);
		text = xasprintf("%s: %s present, %s managed", z->label, present,
				 hollow ? "none" : managed);
		pic_row(p, PIC_EDGE, p->y, PIC_CELLS, hollow ? "hollow" : "zone", z->range, spanned,
			text, hollow ? "bad" : "label");
		free(text);
		p->y += PIC_ROW;
	}
	p->y += 18;
}

/* Problems in full, broken into lines. */
static void pic_problems(struct pic *p)
{
	size_t i;

	for (i = 0; i < p->v->a->problems.n; i++) {
		struct out lines;
		char *line, *rest;

		out_init(&lines, NULL);
		lines.utf8 = true;
		lines.width = (unsigned int)(PIC_CELLS / svg_text_width("x", 13, false));
		out_wrap(&lines, 0, 0, p->v->a->problems.v[i].text);
		out_text(&lines);
		for (line = lines.v; line; line = rest) {
			rest = strchr(line, '\n');
			if (rest)
				*rest++ = '\0';
			svg_text_fit(p->o, PIC_EDGE, p->y, 13, SVG_START, "bad", PIC_CELLS, line);
			p->y += 18;
		}
		out_destroy(&lines);
		p->y += 6;
	}
}

static void pic_body(struct pic *p)
{
	pic_head(p);
	if (p->l.segments.n) {
		pic_bar(p);
		pic_ticks(p);
		pic_zones(p);
	} else {
		svg_text(p->o, PIC_EDGE, 100, 13, SVG_START, "dim", "No memory is known.");
		p->y = 130;
	}
	pic_problems(p);
	if (p->v->a->problems.n)
		p->y += 12;
	pic_zone_legend(p);
	pic_legend(p);
}

static void pic_render(struct out *o, const struct view *v, bool logarithmic)
{
	struct layout_spec spec = { .cells = PIC_CELLS,
				    .least = 3,
				    .squeezed = 30,
				    .label_pad = 12,
				    .label_char = 8,
				    .logarithmic = logarithmic };
	struct pic p = { .v = v, .digits = 8 };
	struct out body;
	uint64_t top = 0;
	size_t i;

	for (i = 0; i < v->a->pieces.n; i++)
		top = v->a->pieces.v[i].range.last > top ? v->a->pieces.v[i].range.last : top;
	while (p.digits < 16 && top >> (4 * p.digits))
		p.digits++;
	layout_build(&p.l, v->a, &spec);
	pic_callouts(&p);
	out_init(&body, NULL);
	p.o = &body;
	pic_body(&p);

	out_printf(
		o,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" role=\"img\">\n",
		PIC_WIDTH, p.y + 12);
	out_str(o, "<title>Physical memory of ");
	svg_escape(o, v->title);
	out_str(o, "</title>\n");
	pic_style(o);
	out_str(o, "<defs><pattern id=\"tear\" width=\"8\" height=\"8\" "
		   "patternUnits=\"userSpaceOnUse\" "
		   "patternTransform=\"rotate(45)\"><path d=\"M0 0V8\" "
		   "class=\"hatch\"/></pattern></defs>\n"
		   "<style>.torn{fill:url(#tear)}</style>\n");
	svg_box(o, 0, 0, PIC_WIDTH, p.y + 12, 0, "bg", NULL);
	out_mem(o, body.v ? body.v : "", body.n);
	out_str(o, "</svg>\n");

	out_destroy(&body);
	for (i = 0; i < p.groups.n; i++)
		free(p.groups.v[i].text);
	vec_free(&p.groups);
	layout_destroy(&p.l);
}

void map_svg(struct out *o, const struct view *v, bool logarithmic)
{
	struct view_shown shown;

	pic_render(o, view_shown_init(&shown, v), logarithmic);
	view_shown_destroy(&shown);
}
