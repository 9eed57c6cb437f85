/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What people see: snapshots of the views of made-up machines, and properties that hold for any.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fabricate.h"
#include "view/layout.h"
#include "view/svg.h"

#define VIEW_SEEDS 300u

typedef void (*render)(struct out *o, const struct view *v);

static void render_zones(struct out *o, const struct view *v)
{
	zones_text(o, v, true);
}

static void render_zones_json(struct out *o, const struct view *v)
{
	zones_json(o, v, true);
}

static void render_map(struct out *o, const struct view *v)
{
	map_text(o, v, false);
}

static void render_map_log(struct out *o, const struct view *v)
{
	map_text(o, v, true);
}

static void render_svg(struct out *o, const struct view *v)
{
	map_svg(o, v, false);
}

static void render_svg_log(struct out *o, const struct view *v)
{
	map_svg(o, v, true);
}

/* Where `needle` is in the rendered text; says what was rendered when it is not there. */
static const char *must_hold(const char *text, const char *needle)
{
	const char *at = strstr(text, needle);

	if (!at)
		fail_msg("missing:\n%s\nin:\n%s", needle, text);
	return at;
}

static void view_sizes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *want;
	} cases[] = {
		{ 0, "0 B" },
		{ 1, "1 B" },
		{ 1023, "1023 B" },
		{ 1024, "1 KiB" },
		{ 1536, "1.5 KiB" },
		{ 4096, "4 KiB" },
		{ 158 * 4096, "632 KiB" },
		{ 1048575, "1 MiB" },
		{ 1023 * 1024 + 600, "1 MiB" },
		{ 15 * 1048576 + 419430, "15.4 MiB" },
		{ 2042 * (uint64_t)1048576, "1.99 GiB" },
		{ (uint64_t)1 << 40, "1 TiB" },
		{ UINT64_MAX, "16 EiB" },
		{ ((uint64_t)1 << 60) + ((uint64_t)1 << 59), "1.5 EiB" },
	};
	char buf[VIEW_SIZE_MAX];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(view_size(buf, cases[i].bytes), cases[i].want);
	assert_string_equal(view_pages_size(buf, UINT64_MAX, 12), "16 EiB");
	assert_string_equal(view_addr(buf, 0), "0");
	assert_string_equal(view_addr(buf, 4096), "4K");
	assert_string_equal(view_addr(buf, (uint64_t)1712 << 20), "1712M");
	assert_string_equal(view_addr(buf, (uint64_t)4 << 30), "4G");
	assert_string_equal(view_addr(buf, 0x12345), "0x12345");
}

static void zones_of_a_capture_kernel(void **state)
{
	struct fabricated x;
	struct out o;
	const char *text;

	fabricate_capture(&x);
	out_init(&o, NULL);
	o.width = 120;
	zones_text(&o, &x.v, false);
	text = out_text(&o);
	must_hold(text,
		  "machines/x86_64/6.1-kdump-256M\n"
		  "  model         linux-6.1, from the log's version line\n"
		  "  architecture  x86_64, from the log's version line\n"
		  "  page size     4 KiB\n"
		  "  kernel        6.1.0-50-amd64\n"
		  "  source        kernel log\n"
		  "  command line  console=ttyS0 irqpoll nr_cpus=1 reset_devices acpi_rsdp=0xf59d0 "
		  "elfcorehdr=2014580K\n"
		  "\n"
		  "node  zone     start   spanned  present  managed  from         min       low    "
		  " high  "
		  "protection\n"
		  "   0  DMA          1      4095      158        0  report         0         0    "
		  "    0  "
		  "0 0 0 0 0\n"
		  "                  4K    16 MiB  632 KiB     none\n"
		  "      DMA32     4096    499549    65373    51791  report       444       555    "
		  "  666  "
		  "0 0 0 0 0\n"
		  "                 16M  1.91 GiB  255 MiB  202 MiB          1.73 MiB  2.17 MiB  "
		  "2.6 MiB\n"
		  "      Normal       0         0        0        0                 0         0    "
		  "    0  "
		  "0 0 0 0 0\n");
	must_hold(text, "  start, spanned, present     computed from the firmware's map");
	must_hold(text, "  389 lines: 61 used, 328 ignored; 1 contradictory\n");
	must_hold(text, "  ! line 33: last_pfn = 0x7b000, computed 0x7b001\n");
	must_hold(text,
		  "\nProblem\n  * zone DMA of node 0 has 158 present pages and none managed: a");
	/* Where the width does not suffice, the reserves stand in a table of their own. */
	o.n = 0;
	o.width = 80;
	zones_text(&o, &x.v, false);
	must_hold(out_text(&o), "from         min       low     high\n   0  DMA ");
	must_hold(out_text(&o), "\nnode  protection  DMA  DMA32  Normal  Movable  Device\n"
				"   0  DMA           0      0       0        0       0\n"
				"      DMA32         0      0       0        0       0\n");
	out_destroy(&o);
	fabricated_destroy(&x);
}

static void map_of_a_crashed_machine(void **state)
{
	struct fabricated x;
	struct out o;
	const char *text;

	fabricate_crashed(&x);
	out_init(&o, NULL);
	o.width = 80;
	map_text(&o, &x.v, false);
	text = out_text(&o);
	must_hold(text,
		  "\n  0 636K 16M                                   1712M 1968M       2G   4G\n"
		  "  %b.%.%#######################################CCCCCC#K.K.K.K#Ib%.//.%.//.%//%\n"
		  "   [DMA-][------------------------DMA32------------------------]\n");
	must_hold(text,
		  "  # RAM 1.68 GiB   % reserved 12 GiB   K kernel 42.1 MiB   I initrd 11.4 MiB\n"
		  "  C crash kernel 256 MiB   b taken at boot 8.05 MiB\n");
	must_hold(text, "  C  0x006b000000-0x007affffff   256 MiB  crash kernel\n");
	must_hold(text, "  .  0x0080000000-0x00fffbffff     2 GiB  hole\n");
	must_hold(text, "  DMA    0x0000001000-0x0000ffffff    16 MiB  15.6 MiB    15 MiB\n");
	out_destroy(&o);
	fabricated_destroy(&x);
}

static void map_says_that_nothing_is_managed(void **state)
{
	struct fabricated x;
	struct out o;

	fabricate_capture(&x);
	out_init(&o, NULL);
	o.utf8 = true;
	map_text(&o, &x.v, false);
	must_hold(out_text(&o), "╰DMA: none managed─╯");
	must_hold(out_text(&o), "none!\n");
	must_hold(out_text(&o), "✗ zone DMA of node 0 has 158 present pages");
	o.n = 0;
	map_svg(&o, &x.v, false);
	must_hold(out_text(&o), ">DMA: none managed<");
	must_hold(out_text(&o), "class=\"hollow\"");
	out_destroy(&o);
	fabricated_destroy(&x);
}

static void views_of_nothing(void **state)
{
	struct fabricated x;
	struct out o;

	fabricate_empty(&x);
	x.a.undecided = true;
	out_init(&o, NULL);
	map_text(&o, &x.v, false);
	must_hold(out_text(&o), "\nUndecided\n  The input does not suffice");
	must_hold(out_text(&o), "No memory is known.\n");
	o.n = 0;
	map_svg(&o, &x.v, false);
	must_hold(out_text(&o), "No memory is known.");
	o.n = 0;
	zones_json(&o, &x.v, false);
	must_hold(out_text(&o), "\"nodes\": [],");
	out_destroy(&o);
	fabricated_destroy(&x);
}

static void zones_as_json(void **state)
{
	struct fabricated x;
	struct out o;
	const char *text;

	fabricate_capture(&x);
	out_init(&o, NULL);
	zones_json(&o, &x.v, false);
	text = out_text(&o);
	must_hold(text, "{\n  \"schema\": 1,\n  \"model\": \"linux-6.1\",\n");
	must_hold(text, "  \"arch\": \"x86_64\",\n");
	must_hold(text, "  \"page_size\": 4096,\n");
	must_hold(text, "    \"kind\": \"log\",\n");
	must_hold(text, "    \"lines_used\": 61,\n    \"lines_ignored\": 328,\n");
	must_hold(
		text,
		"{\"name\": \"DMA\", \"start_pfn\": 1, \"spanned\": 4095, \"present\": 158, "
		"\"managed\": 0, \"managed_from\": \"report\", \"cma\": 0, \"min\": 0, \"low\": 0, "
		"\"high\": 0, \"protection\": [0, 0, 0, 0, 0]}");
	must_hold(text, "    \"contradictions\": [\n"
			"      \"last_pfn = 0x7b000, computed 0x7b001\"\n    ],\n");
	must_hold(text, "      {\"file\": \"machines/x86_64/6.1-kdump-256M\", \"line\": 33}\n");
	must_hold(text, "{\"name\": \"Device\", \"start_pfn\": 0, \"spanned\": 0,");
	out_destroy(&o);
	fabricated_destroy(&x);
}

/* Bars, addresses and zones never pass the width, whatever it is. */
static void map_keeps_its_width(void **state)
{
	struct fabricated x;
	struct out o;
	unsigned int i, width;

	for (i = 0; i < 3 * 12; i++) {
		const char *line, *end;

		if (i % 3 == 0)
			fabricate_capture(&x);
		else if (i % 3 == 1)
			fabricate_large(&x);
		else
			fabricate_random(&x, i);
		width = 40 + i * 5;
		out_init(&o, NULL);
		o.width = width;
		map_text(&o, &x.v, i % 2);
		line = strstr(out_text(&o), "\n\n  0");
		end = line ? strstr(line, "\n\n  # ") : NULL;
		for (; line && end && line < end; line = strchr(line + 1, '\n'))
			assert_true(strcspn(line + 1, "\n") <= width - 2);
		out_destroy(&o);
		fabricated_destroy(&x);
	}
}

static void layout_check(const struct layout *l, const struct layout_spec *spec, uint64_t seed)
{
	uint64_t next = 0;
	unsigned int at = 0;
	size_t i, k;

	for (i = 0; i < l->segments.n; i++) {
		const struct layout_segment *s = &l->segments.v[i];

		if (s->range.first != next || s->range.last < s->range.first || s->at != at ||
		    !s->width)
			fail_msg("seed %" PRIu64 ": segment %zu is out of place", seed, i);
		next = s->range.last + 1;
		at += s->width;
	}
	if (l->segments.n && at != spec->cells)
		fail_msg("seed %" PRIu64 ": %u of %u cells", seed, at, spec->cells);
	for (i = 0; i < l->zones.n; i++) {
		const struct layout_zone *z = &l->zones.v[i];

		if (!z->width || z->at + z->width > spec->cells || z->lane >= l->lanes)
			fail_msg("seed %" PRIu64 ": zone %zu is out of place", seed, i);
		for (k = 0; k < i; k++)
			if (l->zones.v[k].lane == z->lane &&
			    z->at < l->zones.v[k].at + l->zones.v[k].width &&
			    l->zones.v[k].at < z->at + z->width)
				fail_msg("seed %" PRIu64 ": zones %zu and %zu overlap", seed, k, i);
	}
}

static void layout_invariants(void **state)
{
	static const struct layout_spec specs[] = {
		{ .cells = 36, .least = 1, .squeezed = 4, .label_pad = 3, .label_char = 1 },
		{ .cells = 96, .least = 1, .squeezed = 4, .label_pad = 3, .label_char = 1 },
		{ .cells = 996 * 8, .least = 1, .squeezed = 4, .label_pad = 3, .label_char = 1 },
		{ .cells = 1136, .least = 3, .squeezed = 30, .label_pad = 12, .label_char = 8 },
		{ .cells = 96,
		  .least = 1,
		  .squeezed = 4,
		  .label_pad = 3,
		  .label_char = 1,
		  .logarithmic = true },
		{ .cells = 1136,
		  .least = 3,
		  .squeezed = 30,
		  .label_pad = 12,
		  .label_char = 8,
		  .logarithmic = true },
	};
	uint64_t seed;
	size_t i;

	for (seed = 0; seed < VIEW_SEEDS; seed++) {
		struct fabricated x;

		fabricate_random(&x, seed);
		for (i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
			struct layout l;

			layout_build(&l, &x.a, &specs[i]);
			layout_check(&l, &specs[i], seed);
			layout_destroy(&l);
		}
		fabricated_destroy(&x);
	}
}

/* What is to scale is: twice the memory takes twice the room, give or take the rounding. */
static void layout_is_to_scale(void **state)
{
	static const struct layout_spec spec = { .cells = 1000, .least = 1, .squeezed = 10 };
	struct analysis a;
	struct layout l;
	unsigned int i;

	memset(&a, 0, sizeof(a));
	a.page_shift = 12;
	for (i = 0; i < 4; i++) {
		struct an_piece *p = vec_push(&a.pieces);

		p->range.first = ((uint64_t)1 << 30) * ((1u << i) - 1);
		p->range.last = p->range.first + ((uint64_t)1 << (30 + i)) - 1;
		p->kind = i % 2 ? AN_CMA : AN_RAM;
	}
	layout_build(&l, &a, &spec);
	assert_int_equal(l.segments.n, 4);
	for (i = 0; i < 4; i++)
		assert_in_range(l.segments.v[i].width, 1000 * (1 << i) / 15 - 1,
				1000 * (1 << i) / 15 + 1);
	assert_int_equal(l.cell_bytes, ((uint64_t)15 << 30) / 1000);
	layout_destroy(&l);
	vec_free(&a.pieces);
}

/* Every piece is in the legends, by its first address. */
static void every_piece_is_listed(void **state)
{
	static const render renders[] = { render_map, render_map_log, render_svg, render_svg_log };
	uint64_t seed;
	size_t r, i;

	for (seed = 0; seed < VIEW_SEEDS / 4; seed++) {
		struct view_shown shown;
		struct fabricated x;

		fabricate_random(&x, seed);
		view_shown_init(&shown, &x.v);
		for (r = 0; r < sizeof(renders) / sizeof(renders[0]); r++) {
			struct out o;
			const char *at;

			out_init(&o, NULL);
			o.utf8 = true;
			renders[r](&o, &x.v);
			at = out_text(&o);
			at = strstr(at, r < 2 ? " stands for a range" : "What lies where");
			at = at ? at : o.v;
			for (i = 0; i < shown.analysis.pieces.n; i++) {
				char want[32];

				snprintf(want, sizeof(want), "%" PRIx64 "–0x",
					 shown.analysis.pieces.v[i].range.first);
				at = must_hold(at, want) + 1;
			}
			out_destroy(&o);
		}
		view_shown_destroy(&shown);
		fabricated_destroy(&x);
	}
}

/* Only RAM that holds no whole page, between early allocations, is folded into them. */
static void slivers_are_folded(void **state)
{
	static struct an_piece pieces[] = {
		{ { 0x0, 0x1fff }, AN_RAM, NULL },	   { { 0x2000, 0x2fff }, AN_BOOT, NULL },
		{ { 0x3000, 0x3007 }, AN_RAM, NULL },	   { { 0x3008, 0x300f }, AN_BOOT, NULL },
		{ { 0x3010, 0x3017 }, AN_RAM, NULL },	   { { 0x3018, 0x4fff }, AN_BOOT, NULL },
		{ { 0x5000, 0x5fff }, AN_RAM, NULL },	   { { 0x6000, 0x6fff }, AN_BOOT, NULL },
		{ { 0x7000, 0x70ff }, AN_RAM, NULL },	   { { 0x7100, 0x7fff }, AN_KERNEL, NULL },
		{ { 0x8000, 0x87ff }, AN_BOOT, NULL },	   { { 0x8800, 0x97ff }, AN_RAM, NULL },
		{ { 0x9800, 0x9fff }, AN_BOOT, NULL },	   { { 0xb000, 0xb0ff }, AN_RAM, NULL },
		{ { 0xb100, 0xbfff }, AN_RESERVED, NULL },
	};
	static const uint64_t firsts[] = { 0x0,	   0x2000, 0x5000, 0x6000, 0x7000,
					   0x7100, 0x8000, 0xb000, 0xb100 };
	struct view_shown shown;
	struct fabricated x;
	size_t i;

	fabricate_empty(&x);
	x.a.pieces.v = pieces;
	x.a.pieces.n = sizeof(pieces) / sizeof(pieces[0]);
	view_shown_init(&shown, &x.v);
	assert_int_equal(shown.analysis.pieces.n, sizeof(firsts) / sizeof(firsts[0]));
	for (i = 0; i < shown.analysis.pieces.n; i++)
		assert_int_equal(shown.analysis.pieces.v[i].range.first, firsts[i]);
	assert_int_equal(shown.analysis.pieces.v[1].range.last, 0x4fff);
	assert_int_equal(shown.analysis.pieces.v[6].range.last, 0x9fff);
	view_shown_destroy(&shown);
	x.a.pieces.v = NULL;
	x.a.pieces.n = 0;
	fabricated_destroy(&x);
}

/* No view lets the input write to the terminal: no byte below a blank but our own newlines. */
static void no_control_characters(void **state)
{
	static const render renders[] = { render_zones, render_zones_json, render_map, render_svg,
					  map_json };
	uint64_t seed;
	size_t r, i;

	for (seed = 0; seed < VIEW_SEEDS / 4; seed++) {
		struct fabricated x;

		fabricate_random(&x, seed);
		x.v.title = "a\x1b[2J\x07title\xff";
		for (r = 0; r < sizeof(renders) / sizeof(renders[0]); r++) {
			struct out o;

			out_init(&o, NULL);
			renders[r](&o, &x.v);
			for (i = 0; i < o.n; i++)
				assert_true((unsigned char)o.v[i] >= ' ' || o.v[i] == '\n');
			out_destroy(&o);
		}
		fabricated_destroy(&x);
	}
}

struct text_box {
	double left, right, top, bottom;
	const char *at;
};

/* The next <text> of a picture as a box, or NULL. */
static const char *next_text(const char *s, struct text_box *box)
{
	double x, y, size, width;
	char anchor[8], cls[16];
	char *body, *title;
	const char *open, *close;

	s = strstr(s, "<text ");
	if (!s)
		return NULL;
	assert_int_equal(
		sscanf(s,
		       "<text x=\"%lf\" y=\"%lf\" font-size=\"%lf\" text-anchor=\"%7[a-z]\" "
		       "class=\"%15[a-z]\">",
		       &x, &y, &size, anchor, cls),
		5);
	open = strchr(s, '>') + 1;
	close = strstr(s, "</text>");
	body = xstrndup(open, (size_t)(close - open));
	title = strstr(body, "</title>");
	width = svg_text_width(title ? title + 8 : body, size, strstr(cls, "mono") != NULL);
	/* An entity is one character. */
	for (title = strchr(title ? title + 8 : body, '&'); title; title = strchr(title + 1, '&'))
		width -= (double)strcspn(title, ";") * svg_text_width("x", size, false);
	box->left = !strcmp(anchor, "start") ? x
		    : !strcmp(anchor, "end") ? x - width
					     : x - width / 2;
	box->right = box->left + width;
	box->top = y - 0.75 * size;
	box->bottom = y + 0.22 * size;
	box->at = open;
	free(body);
	return close;
}

static void check_texts_apart(const char *svg, uint64_t seed)
{
	VEC(struct text_box) boxes = { NULL, 0, 0 };
	struct text_box box;
	const char *s = svg;
	double width, height;
	size_t i, k;

	assert_int_equal(
		sscanf(must_hold(svg, "viewBox"), "viewBox=\"0 0 %lf %lf\"", &width, &height), 2);
	while ((s = next_text(s, &box)))
		*vec_push(&boxes) = box;
	for (i = 0; i < boxes.n; i++) {
		const struct text_box *a = &boxes.v[i];

		if (a->left < 0 || a->right > width || a->top < 0 || a->bottom > height)
			fail_msg("seed %" PRIu64 ": outside: %.40s", seed, a->at);
		for (k = 0; k < i; k++) {
			const struct text_box *b = &boxes.v[k];

			if (a->left < b->right && b->left < a->right && a->top < b->bottom &&
			    b->top < a->bottom)
				fail_msg("seed %" PRIu64 ": overlap: %.40s / %.40s", seed, a->at,
					 b->at);
		}
	}
	vec_free(&boxes);
}

/* Tags that nest, attributes in quotes, entities that XML knows. */
static void check_xml(const char *s)
{
	const char *stack[16];
	size_t depth = 0;

	for (; *s; s++) {
		if (*s == '&') {
			assert_true(!strncmp(s, "&amp;", 5) || !strncmp(s, "&lt;", 4) ||
				    !strncmp(s, "&gt;", 4) || !strncmp(s, "&quot;", 6));
		} else if (*s == '<' && s[1] == '?') {
			s = strstr(s, "?>") + 1;
		} else if (*s == '<' && s[1] == '/') {
			size_t n = strcspn(s + 2, ">");

			assert_true(depth > 0);
			depth--;
			assert_int_equal(strncmp(stack[depth], s + 2, n), 0);
			s += 2 + n;
		} else if (*s == '<') {
			const char *name = s + 1;
			bool quoted = false;

			for (; *s && (quoted || *s != '>'); s++) {
				quoted = quoted != (*s == '"');
				assert_true(s == name - 1 || *s != '<');
			}
			assert_int_equal(*s, '>');
			if (s[-1] != '/') {
				assert_true(depth < 16);
				stack[depth++] = name;
			}
		}
	}
	assert_int_equal(depth, 0);
}

static void pictures_are_sound(void **state)
{
	uint64_t seed;

	for (seed = 0; seed < VIEW_SEEDS / 3; seed++) {
		struct fabricated x;
		struct out o;

		switch (seed) {
		case 0:
			fabricate_capture(&x);
			break;
		case 1:
			fabricate_crashed(&x);
			break;
		case 2:
			fabricate_large(&x);
			break;
		case 3:
			fabricate_empty(&x);
			break;
		default:
			fabricate_random(&x, seed);
			break;
		}
		out_init(&o, NULL);
		map_svg(&o, &x.v, seed % 2);
		check_xml(out_text(&o));
		check_texts_apart(out_text(&o), seed);
		out_destroy(&o);
		fabricated_destroy(&x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(view_sizes),
		cmocka_unit_test(zones_of_a_capture_kernel),
		cmocka_unit_test(map_of_a_crashed_machine),
		cmocka_unit_test(map_says_that_nothing_is_managed),
		cmocka_unit_test(views_of_nothing),
		cmocka_unit_test(zones_as_json),
		cmocka_unit_test(map_keeps_its_width),
		cmocka_unit_test(layout_invariants),
		cmocka_unit_test(layout_is_to_scale),
		cmocka_unit_test(every_piece_is_listed),
		cmocka_unit_test(slivers_are_folded),
		cmocka_unit_test(no_control_characters),
		cmocka_unit_test(pictures_are_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
