/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view.h - shows an analysis: as text for people, as JSON for programs, as a picture.
 *
 * The functions only read; whatever the analysis holds, they render it: unordered or touching
 * pieces, addresses at the top of the space, names with control characters.
 */
#ifndef PHYSZONE_CMD_VIEW_H
#define PHYSZONE_CMD_VIEW_H

#include "../analysis.h"
#include "../out.h"

#define VIEW_SCHEMA 1
#define VIEW_UNKNOWN UINT64_MAX /* a number that the analysis had to leave open */
#define AN_KINDS (AN_OTHER + 1)

struct view {
	const struct analysis *a;
	const struct facts *f;
	const char *title; /* what the user called the source */
};

/* How a kind of piece is named and drawn. */
struct view_kind {
	const char *name;	  /* for people */
	const char *key;	  /* for programs */
	const char *utf8, *ascii; /* one cell of a bar */
	unsigned int rank;	  /* who is shown where several share a cell: the highest */
	const char *light, *dark; /* colours in the picture */
};

/* The kind's words; AN_KINDS itself is a hole. */
const struct view_kind *view_kind(unsigned int kind);

/* "15.4 MiB": three digits, rounded to nearest; exact sizes without a fraction. */
#define VIEW_SIZE_MAX 24
const char *view_size(char buf[VIEW_SIZE_MAX], uint64_t bytes);
const char *view_pages_size(char buf[VIEW_SIZE_MAX], uint64_t pages, unsigned int page_shift);

/* A short name of an address: "16M" where it is round, else hexadecimal. */
const char *view_addr(char buf[VIEW_SIZE_MAX], uint64_t addr);

uint64_t view_range_size(struct pz_range r);

/* First and last address of a zone that spans something. */
struct pz_range view_zone_range(const struct an_zone *z, unsigned int page_shift);

const char *view_source_kind(enum source_kind k);
const char *view_managed_from(enum managed_from m);

/* A zone that has pages and gave none of them to the page allocator. */
bool view_zone_hollow(const struct an_zone *z);

/*
 * A view whose pieces are folded for people: slivers of RAM that hold no whole page, between early
 * allocations, count as taken with them. It borrows everything else.
 */
struct view_shown {
	struct view view;
	struct analysis analysis;
};
const struct view *view_shown_init(struct view_shown *s, const struct view *v);
void view_shown_destroy(struct view_shown *s);

/* Parts that several views share. */
void view_heading(struct out *o, const struct view *v);
void view_findings(struct out *o, const struct view *v);
void view_problems(struct out *o, const struct view *v);
void view_lines(struct out *o, const struct view *v); /* each line and what became of it */
struct json;
void view_json_head(struct json *j, const struct view *v, bool lines);
void view_json_tail(struct json *j, const struct view *v);

void zones_text(struct out *o, const struct view *v, bool lines);
void zones_json(struct out *o, const struct view *v, bool lines);
void map_text(struct out *o, const struct view *v, bool logarithmic);
void map_json(struct out *o, const struct view *v);
void map_svg(struct out *o, const struct view *v, bool logarithmic);

#endif
