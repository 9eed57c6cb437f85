/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frame.c - what stands around every view for people: what was assumed, above; contradictions,
 * notes and problems, beneath.
 */
#include "view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void frame_field(struct out *o, const char *name, const char *value, const char *from)
{
	char *text;

	out_str(o, "  ");
	out_styled(o, ST_DIM, name);
	out_repeat(o, " ", 14 - text_columns(name));
	text = from ? xasprintf("%s, %s", value, from) : xstrdup(value);
	out_wrap(o, 16, 16, text);
	out_char(o, '\n');
	free(text);
}

static const char *frame_source(enum source_kind k)
{
	switch (k) {
	case SRC_NONE:
		break;
	case SRC_LOG:
		return "kernel log";
	case SRC_DIR:
		return "directory of a recorded machine";
	case SRC_LIVE:
		return "the running machine's /proc and /sys";
	case SRC_DTB:
		return "device tree blob";
	case SRC_IOMEM:
		return "listing of /proc/iomem";
	case SRC_E820:
		return "listing of an e820 map";
	}
	return "unknown";
}

void view_heading(struct out *o, const struct view *v)
{
	const struct analysis *a = v->a;
	const struct facts *f = v->f;
	char size[VIEW_SIZE_MAX];

	out_style(o, ST_BOLD);
	out_clean(o, v->title);
	out_style(o, ST_PLAIN);
	out_char(o, '\n');
	frame_field(o, "model", pzl_model_name(a->model), a->model_from);
	if (a->page_shift) {
		frame_field(o, "architecture", pzl_arch_name(a->arch), a->arch_from);
		frame_field(o, "page size", view_size(size, (uint64_t)1 << a->page_shift), NULL);
	}
	if (f->release)
		frame_field(o, "kernel", f->release, NULL);
	if (f->machine_model)
		frame_field(o, "machine", f->machine_model, NULL);
	if (f->boots > 1) {
		char *boot =
			xasprintf("%s, boot %u of %u", frame_source(f->kind), f->boot, f->boots);

		frame_field(o, "source", boot, NULL);
		free(boot);
	} else {
		frame_field(o, "source", frame_source(f->kind), NULL);
	}
	if (v->a->cmdline)
		frame_field(o, "command line", *v->a->cmdline ? v->a->cmdline : "(empty)", NULL);
}

static void frame_item(struct out *o, enum out_style style, const char *sign, const char *text)
{
	out_str(o, "  ");
	out_styled(o, style, sign);
	out_char(o, ' ');
	out_wrap(o, 4, 4, text);
	out_char(o, '\n');
}

static bool frame_note_repeated(const struct analysis *a, const char *note)
{
	size_t i;

	for (i = 0; i < a->notes.n; i++)
		if (!strcmp(a->notes.v[i], note))
			return true;
	return false;
}

/* "line 12", or "zoneinfo.txt line 12" when it is not the source itself. */
static char *frame_where(const struct facts *f, struct where at)
{
	if (!at.line && !at.file)
		return NULL;
	if (!at.file || at.file >= f->files.n)
		return xasprintf("line %u", (unsigned int)at.line);
	if (!at.line)
		return xstrdup(f->files.v[at.file]);
	return xasprintf("%s line %u", f->files.v[at.file], (unsigned int)at.line);
}

void view_problems(struct out *o, const struct view *v)
{
	const struct analysis *a = v->a;
	size_t i;

	if (a->undecided) {
		out_char(o, '\n');
		out_styled(o, ST_WARN, "Undecided");
		out_str(o, "\n  ");
		out_wrap(o, 2, 2,
			 "The input does not suffice to decide all of this; the notes say what was "
			 "left "
			 "open.");
		out_char(o, '\n');
	}
	if (a->problems.n) {
		out_char(o, '\n');
		out_styled(o, ST_BAD, a->problems.n == 1 ? "Problem" : "Problems");
		out_char(o, '\n');
	}
	for (i = 0; i < a->problems.n; i++)
		frame_item(o, ST_BAD, o->utf8 ? "✗" : "*", a->problems.v[i].text);
}

void view_findings(struct out *o, const struct view *v)
{
	const struct analysis *a = v->a;
	const char *bullet = o->utf8 ? "•" : "-";
	bool notes = a->notes.n > 0;
	size_t i;

	if (a->contradictions.n) {
		out_char(o, '\n');
		out_styled(o, ST_BOLD, "Contradictions\n");
	}
	for (i = 0; i < a->contradictions.n; i++) {
		const struct fact_contradiction *c = &a->contradictions.v[i];
		char *where = frame_where(v->f, c->at);
		char *text = where ? xasprintf("%s: %s", where, c->text) : xstrdup(c->text);

		frame_item(o, ST_WARN, o->utf8 ? "≠" : "!", text);
		free(text);
		free(where);
	}
	for (i = 0; i < v->f->notes.n; i++)
		notes = notes || !frame_note_repeated(a, v->f->notes.v[i]);
	if (notes) {
		out_char(o, '\n');
		out_styled(o, ST_BOLD, "Notes\n");
	}
	for (i = 0; i < a->notes.n; i++)
		frame_item(o, ST_DIM, bullet, a->notes.v[i]);
	for (i = 0; i < v->f->notes.n; i++)
		if (!frame_note_repeated(a, v->f->notes.v[i]))
			frame_item(o, ST_DIM, bullet, v->f->notes.v[i]);
	view_problems(o, v);
}

/* Which lines a contradiction stands at: index is line - 1; to be freed. */
static bool *frame_contradictory(const struct view *v)
{
	const struct facts *f = v->f;
	bool *lines = xcalloc(f->line_texts.n, sizeof(*lines));
	size_t i;

	for (i = 0; i < v->a->contradictions.n; i++) {
		struct where at = v->a->contradictions.v[i].at;

		if (at.file == f->line_file && at.line && at.line <= f->line_texts.n)
			lines[at.line - 1] = true;
	}
	return lines;
}

void view_lines(struct out *o, const struct view *v)
{
	const struct facts *f = v->f;
	bool *contradictory;
	size_t i;

	if (!f->line_texts.n)
		return;
	contradictory = frame_contradictory(v);
	if (f->line_file && f->line_file < f->files.n) {
		out_str(o, "  of ");
		out_clean(o, f->files.v[f->line_file]);
		out_char(o, ':');
	}
	out_char(o, '\n');
	for (i = 0; i < f->line_texts.n; i++) {
		bool used = i < f->line_marks.n && f->line_marks.v[i];
		enum out_style style = contradictory[i] ? ST_WARN : used ? ST_PLAIN : ST_DIM;

		out_printf(o, "  %6zu ", i + 1);
		out_style(o, contradictory[i] ? ST_WARN : used ? ST_GOOD : ST_DIM);
		out_str(o, contradictory[i] ? "contradictory "
			   : used	    ? "used          "
					    : "ignored       ");
		out_style(o, ST_PLAIN);
		out_style(o, style);
		out_clean(o, f->line_texts.v[i]);
		out_style(o, ST_PLAIN);
		out_char(o, '\n');
	}
	free(contradictory);
}
