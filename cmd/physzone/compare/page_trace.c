/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_trace.c - a recorded stream of requests for pages.
 *
 * Read are the events kmem:mm_page_alloc and kmem:mm_page_free as the kernel's tracing prints them
 * (trace, trace_pipe, trace-cmd report, perf script), whatever stands before the event's name:
 *
 *     mm_page_alloc: page=... pfn=0x1a2b order=0 migratetype=0 gfp_flags=GFP_KERNEL|GFP_DMA
 *     mm_page_free: page=... pfn=0x1a2b order=0
 *
 * A request of a gfp with a zone flag becomes one with that zone's limit. Where the kernel found
 * the page plays no part. A request that failed when it was recorded (pfn 0) is asked for too,
 * and given back at once. mm_page_free_batched repeats what mm_page_free says, and is not read.
 *
 * Shortcomings: pages that are added by memory hotplug or leave through a balloon are seen as given
 * back, or not at all. What was in use before the recording is not known: memory is empty then.
 */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include <physzone/linux/gfp.h>
#include <physzone/types.h>

#include "../input/scan.h"
#include "../input/text.h"
#include "../options.h"
#include "../progress.h"
#include "pfn_map.h"
#include "trace_text.h"

#define TRACE_ALLOC "mm_page_alloc: "
#define TRACE_FREE "mm_page_free: "
#define TRACE_WANTED_ALLOC "mm_page_alloc: page=P pfn=0xN order=N migratetype=N gfp_flags=FLAGS"
#define TRACE_WANTED_FREE "mm_page_free: page=P pfn=0xN order=N"

struct page_trace {
	struct stream *s;
	struct pfn_map taken; /* by page, its request */
	VEC(uint64_t) left;   /* by request, its pages that are still taken */
	enum pzl_model model;
	uint64_t dma_max, events;
};

/* page=... pfn=0x... order=N; the pfn was decimal before Linux 5.13. */
static bool trace_block(struct span *s, uint64_t *pfn, uint64_t *order)
{
	struct span word;

	if (!trace_field(s, "page=") || !span_word(s, &word) || !trace_field(s, "pfn="))
		return false;
	if (!(s->end - s->p > 1 && s->p[1] == 'x' ? span_hex(s, pfn) : span_dec(s, pfn)))
		return false;
	/* A block of the largest order that a page allocator has: 2^18 pages. */
	return trace_field(s, "order=") && span_dec(s, order) && *order <= 18 &&
	       *pfn <= UINT64_MAX >> 20;
}

static void trace_drop(struct page_trace *t, uint32_t id)
{
	*vec_push(&t->s->events) = id | STREAM_FREE;
	t->left.v[id] = 0;
}

/* A page comes back; what is left of its block stays until the last one does. */
static void trace_page_back(struct page_trace *t, uint64_t pfn)
{
	uint32_t id;

	if (!pfn_map_get(&t->taken, pfn, &id)) {
		t->s->early++;
		return;
	}
	pfn_map_remove(&t->taken, pfn);
	if (t->left.v[id] && !--t->left.v[id])
		*vec_push(&t->s->events) = id | STREAM_FREE;
}

static bool trace_alloc(struct page_trace *t, struct span s)
{
	uint64_t pfn, order, type, limit = PZ_ADDR_MAX;
	struct stream_request *r;
	struct span flags;
	uint32_t gfp, id;

	if (!trace_block(&s, &pfn, &order) || !trace_field(&s, "migratetype=") ||
	    !span_dec(&s, &type) || !trace_field(&s, "gfp_flags=") || !span_word(&s, &flags) ||
	    !span_empty(s) || pzl_gfp_parse(flags.p, (size_t)(flags.end - flags.p), t->model, &gfp))
		return false;
	if (gfp & PZL_GFP_DMA)
		limit = t->dma_max;
	else if (gfp & PZL_GFP_DMA32)
		limit = UINT32_MAX;
	id = (uint32_t)t->s->requests.n;
	r = vec_push(&t->s->requests);
	r->pages = UINT64_C(1) << order;
	r->class = stream_class(t->s, limit,
				limit == PZ_ADDR_MAX && pzl_gfp_mobility(gfp) == PZ_MOVABLE, false);
	r->atomic = !pzl_gfp_can_block(gfp) && !t->s->classes.v[r->class].movable;
	*vec_push(&t->left) = r->pages;
	for (uint64_t i = 0; pfn && i < r->pages; i++) {
		uint32_t old;

		if (pfn_map_get(&t->taken, pfn + i, &old) && t->left.v[old]) {
			t->s->lost++;
			trace_drop(t, old);
		}
		pfn_map_set(&t->taken, pfn + i, id);
	}
	*vec_push(&t->s->events) = id;
	if (!pfn) {
		t->s->failed++;
		trace_drop(t, id);
	}
	return true;
}

static bool trace_free(struct page_trace *t, struct span s)
{
	uint64_t pfn, order;

	if (!trace_block(&s, &pfn, &order) || !span_empty(s))
		return false;
	for (uint64_t i = 0; i < UINT64_C(1) << order; i++)
		trace_page_back(t, pfn + i);
	return true;
}

/* One line; NULL, or what was expected of it. */
static const char *trace_line(struct page_trace *t, struct span line)
{
	struct span rest;

	if (trace_after(line, TRACE_ALLOC, &rest)) {
		t->events++;
		return trace_alloc(t, rest) ? NULL : TRACE_WANTED_ALLOC;
	}
	if (trace_after(line, TRACE_FREE, &rest)) {
		t->events++;
		return trace_free(t, rest) ? NULL : TRACE_WANTED_FREE;
	}
	if (!span_empty(line) && !span_is(line, "#"))
		t->s->ignored += *line.p != '#';
	return NULL;
}

int stream_record_text(struct stream *s, const struct text *text, const char *name,
		       enum pzl_model model, uint64_t dma_max, char **err)
{
	struct page_trace t = { .s = s, .model = model, .dma_max = dma_max };
	struct facts f;
	struct scan scan;
	int rc = 0;

	memset(s, 0, sizeof(*s));
	s->recorded = true;
	s->name = xasprintf("recording %s", name);
	(void)stream_class(s, PZ_ADDR_MAX, false, false);
	(void)stream_class(s, PZ_ADDR_MAX, true, false);
	facts_init(&f);
	*vec_push(&f.files) = xstrdup(name);
	scan_init(&scan, text->buf, text->len);
	while (!rc && scan_line(&scan)) {
		struct where at = { 0, scan.number };
		const char *wanted = trace_line(&t, scan.line);

		if (wanted)
			rc = scan_expected(&f, at, scan.line, wanted, err);
		else if (s->requests.n > STREAM_MAX_REQUESTS)
			rc = scan_error(&f, at, err, "expected at most %zu requests",
					STREAM_MAX_REQUESTS);
		if (!(scan.number & 0xffff))
			progress("reading", (uint64_t)(scan.line.end - text->buf), text->len);
	}
	progress_end();
	if (!rc && !s->requests.n)
		rc = scan_error(&f, (struct where){ 0, 0 }, err,
				"expected lines such as \"mm_page_alloc: page=... pfn=0x1a2b "
				"order=0 migratetype=0 gfp_flags=GFP_KERNEL\"");
	for (size_t i = 0; i < t.left.n && !rc; i++)
		if (t.left.v[i])
			trace_drop(&t, (uint32_t)i);
	pfn_map_destroy(&t.taken);
	vec_free(&t.left);
	facts_destroy(&f);
	return rc;
}

int stream_record(struct stream *s, const char *file, enum pzl_model model, uint64_t dma_max,
		  char **err)
{
	struct text text;
	int rc;

	memset(s, 0, sizeof(*s));
	if (text_read(&text, file, err))
		return EXIT_INPUT;
	rc = stream_record_text(s, &text, strcmp(file, "-") ? file : "standard input", model,
				dma_max, err);
	text_destroy(&text);
	return rc;
}
