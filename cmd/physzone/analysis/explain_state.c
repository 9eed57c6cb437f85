/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain_state.c - the state of memory that a report tells, as the library takes it; and how far
 * the rebuilt machine has it.
 *
 * Concept: a number that the library needs and the report lacks is not made up, but for old
 * reports that do not tell managed pages: there all present ones count. Where the zones lie is
 * taken from the log's map of memory if each zone of the report has as many pages there; else the
 * library chooses.
 *
 * Failure: none; what is missing is found by the library, and told with the line that lacks it.
 */
#include "explain_state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <physzone/linux/arch.h>

enum { STATE_BLOCK_ORDER = 9, STATE_RESERVE_LETTER = 6 };

static void places_add(void *ctx, struct pz_range pfns, int nid, enum pz_zone_type type)
{
	struct ex_places *p = ctx;
	struct ex_place *at = NULL;

	for (size_t i = 0; i < p->v.n && !at; i++)
		if (p->v.v[i].nid == nid && p->v.v[i].type == type)
			at = &p->v.v[i];
	if (!at) {
		at = vec_push(&p->v);
		at->nid = nid;
		at->type = type;
	}
	*vec_push(&at->pfns) = pfns;
	at->pages += pfns.last - pfns.first + 1;
}

void ex_places_find(struct ex_places *p, struct facts *f, const struct analysis_options *o)
{
	struct an_start start;
	struct analysis a;
	char *err = NULL;

	memset(p, 0, sizeof(*p));
	memset(&start, 0, sizeof(start));
	memset(&a, 0, sizeof(a));
	if (!analyse_start(&start, &a, f, o, &err)) {
		p->page_shift = a.page_shift;
		for (uint32_t i = 0; i < start.z.block_count; i++)
			an_by_zone(&start.z, start.z.block[i].pfns, places_add, p);
	}
	an_start_destroy(&start);
	analysis_destroy(&a);
	free(err);
}

void ex_places_destroy(struct ex_places *p)
{
	for (size_t i = 0; i < p->v.n; i++)
		vec_free(&p->v.v[i].pfns);
	vec_free(&p->v);
}

static uint64_t state_pages(const struct explanation *x, uint64_t kib)
{
	return kib == UINT64_MAX ? PZL_PAGES_UNKNOWN : kib >> (x->page_shift - 10);
}

uint64_t ex_state_sum(const struct ex_zone *z)
{
	uint64_t sum = 0;

	for (unsigned int k = 0; k < z->state.orders; k++) {
		if (z->state.blocks[k] > PZL_PAGES_MOST >> k)
			return UINT64_MAX;
		sum += z->state.blocks[k] << k;
		if (sum > PZL_PAGES_MOST)
			return UINT64_MAX;
	}
	return sum;
}

static void state_note(struct ex_rebuilt *to, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void state_note(struct ex_rebuilt *to, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	for (size_t i = 0; to && i < to->notes.n; i++) {
		if (strcmp(to->notes.v[i], s) != 0)
			continue;
		free(s);
		return;
	}
	if (to)
		*vec_push(&to->notes) = s;
	else
		free(s);
}

static void state_reserves(const struct explanation *x, const struct ex_zone *z,
			   struct pzl_rebuild_zone *out)
{
	for (int t = 0; t < PZ_ZONE_TYPES; t++) {
		unsigned int k = pzl_lowmem_index(x->configured, (enum pz_zone_type)t);

		if (x->configured_sure && x->configured >> t & 1 && k < z->fact->protections &&
		    (unsigned int)t > (unsigned int)z->type)
			out->reserve[t] = z->fact->protection[k];
	}
	out->reserve[x->highest] = z->state.reserve;
}

static void state_blocks(const struct ex_zone *z, struct pzl_rebuild_zone *out,
			 struct ex_rebuilt *to)
{
	out->orders = z->state.orders;
	for (unsigned int k = 0; k < z->state.orders && k < PZL_BLOCK_ORDERS; k++) {
		out->blocks[k] = z->state.blocks[k];
		out->types[k] = z->state.types[k];
		if (out->types[k] >> STATE_RESERVE_LETTER & 1) {
			out->types[k] &= (uint8_t) ~(1u << STATE_RESERVE_LETTER);
			out->types[k] |= 1u << PZ_UNMOVABLE;
			state_note(to, "blocks of the reserve (R) of kernels before 4.4 stand as "
				       "unmovable ones, which anyone may take as well");
		}
		if (out->blocks[k] && !out->types[k])
			state_note(to, "the report does not tell the mobility of free blocks: "
				       "the usual one was taken");
	}
}

static void state_zone(const struct explanation *x, const struct ex_zone *z,
		       struct pzl_rebuild_zone *out, struct ex_rebuilt *to)
{
	const struct fact_zone_report *f = z->fact;

	out->nid = f->nid;
	out->type = (uint8_t)z->type;
	out->present = z->present;
	out->managed = z->state.managed;
	if (out->managed == PZL_PAGES_UNKNOWN && out->present <= PZL_PAGES_MOST) {
		out->managed = out->present;
		state_note(to, "the report does not tell managed pages: all present ones count");
	}
	out->min = z->state.min;
	out->low = state_pages(x, f->low);
	out->high = state_pages(x, f->high);
	out->boost = z->state.boost;
	out->free_cma = z->state.free_cma;
	out->highatomic = z->state.highatomic;
	state_reserves(x, z, out);
	state_blocks(z, out, to);
}

/* Whether the log's map has a place for each zone, of as many pages. */
static bool state_places(struct ex_state *s, const struct explanation *x, const struct ex_places *p)
{
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < s->zones.n; i++) {
			struct pzl_rebuild_zone *z = &s->zones.v[i];
			const struct ex_place *at = NULL;

			for (size_t k = 0; k < p->v.n && !at; k++)
				if (p->v.v[k].nid == z->nid && p->v.v[k].type == z->type)
					at = &p->v.v[k];
			if (!pass && (!at || at->pages != z->present))
				return false;
			if (pass) {
				z->pfns = at->pfns.v;
				z->pfns_count = (uint32_t)at->pfns.n;
			}
		}
		if (p->page_shift != x->page_shift)
			return false;
	}
	return true;
}

static void *state_zeroed(void *ctx, size_t size)
{
	(void)ctx;
	return xcalloc(1, size);
}

static void state_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

/* Untouched memory costs nothing. */
static const struct pz_meta state_meta = { state_zeroed, state_free, NULL };

void ex_state_make(struct ex_state *s, const struct explained *e, const struct facts *f,
		   const struct explanation *x, const struct ex_places *p, bool excluded,
		   struct ex_rebuilt *to)
{
	uint64_t present = 0;

	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < x->zones.n; i++) {
		if (x->zones.v[i].excluded && !excluded)
			continue;
		state_zone(x, &x->zones.v[i], vec_push(&s->zones), to);
		*vec_push(&s->index) = (uint32_t)i;
		if (x->zones.v[i].present <= PZL_PAGES_MOST)
			present += x->zones.v[i].present;
	}
	s->placed = s->zones.n && state_places(s, x, p);
	s->config.meta = &an_meta;
	s->config.zeroed = &state_meta;
	s->config.model = e->kernel.model;
	s->config.page_shift = x->page_shift;
	s->config.pageblock_order = STATE_BLOCK_ORDER;
	if (e->arch_known)
		s->config.pageblock_order =
			pzl_pageblock_order(e->kernel.arch, x->page_shift, f->pae);
	if (s->config.pageblock_order > 10)
		s->config.pageblock_order = 10;
	s->config.configured = x->configured;
	if (x->report && x->report->ram != UINT64_MAX && x->report->ram > present)
		present = x->report->ram;
	s->config.no_grouping =
		f->mobility_off || present >> s->config.pageblock_order < PZL_MIGRATE_TYPES;
	s->config.zone = s->zones.v;
	s->config.zones = (uint32_t)s->zones.n;
}

void ex_state_destroy(struct ex_state *s)
{
	vec_free(&s->zones);
	vec_free(&s->index);
}

char *ex_state_obstacle(const struct ex_state *s, const struct facts *f,
			const struct explanation *x, const struct pzl_rebuild_error *err)
{
	struct where at = x->report ? x->report->at : x->failure->at;
	const char *what = pzl_rebuild_expected(err->bad);
	char *zone = NULL, *text;
	bool blocks = err->bad == PZL_REBUILD_ORDERS || err->bad == PZL_REBUILD_LETTERS ||
		      err->bad == PZL_REBUILD_MORE_FREE || err->bad == PZL_REBUILD_NO_ROOM;

	if (err->zone < s->zones.n) {
		const struct ex_zone *z = &x->zones.v[s->index.v[err->zone]];

		at = z->fact->at;
		if ((blocks && z->fact->orders_at.line) || !at.line)
			at = z->fact->orders_at;
		zone = explain_zone_name(z);
	} else if (!x->report) {
		what = "Mem-Info and the zones' lines after the failure";
	}
	text = xasprintf("%s:%" PRIu32 ": %s%sexpected %s", f->files.v[at.file], at.line,
			 zone ? zone : "", zone ? ": " : "", what);
	free(zone);
	return text;
}

static void state_differs(struct ex_rebuilt *to, const struct ex_zone *z, const char *what,
			  uint64_t rebuilt, uint64_t told)
{
	char *zone;

	if (rebuilt == told || told == PZL_PAGES_UNKNOWN)
		return;
	zone = explain_zone_name(z);
	*vec_push(&to->differences) =
		xasprintf("%s: %s is %" PRIu64 " rebuilt, and %" PRIu64 " in the report", zone,
			  what, rebuilt, told);
	free(zone);
}

/* The free blocks of each order and which mobilities they have. */
static void state_compare_blocks(const struct pzl_mem_zone *m, const struct pzl_rebuild_zone *told,
				 const struct ex_zone *z, struct ex_rebuilt *to)
{
	for (unsigned int k = 0; k < told->orders && k < PZ_PAGE_ORDERS; k++) {
		uint64_t sum = 0;
		unsigned int types = 0;
		char what[48];

		for (unsigned int y = 0; y < PZL_MIGRATE_TYPES; y++) {
			sum += m->order[k][y];
			types |= m->order[k][y] ? 1u << y : 0;
		}
		snprintf(what, sizeof(what), "the number of free blocks of order %u", k);
		state_differs(to, z, what, sum, told->blocks[k]);
		snprintf(what, sizeof(what), "the set of mobilities in order %u", k);
		if (told->types[k])
			state_differs(to, z, what, types, told->types[k]);
	}
}

static void state_compare_zone(const struct pzl_mem_zone *m, const struct pzl_rebuild_zone *told,
			       const struct ex_zone *z, struct ex_rebuilt *to)
{
	uint64_t sum = ex_state_sum(z);

	state_compare_blocks(m, told, z, to);
	state_differs(to, z, "free", m->stat[PZL_ZS_FREE_PAGES], sum);
	if (z->state.free != PZL_PAGES_UNKNOWN && z->state.free != sum) {
		char *zone = explain_zone_name(z);

		state_note(to,
			   "%s: free: is %" PRIu64 " pages and its free blocks are %" PRIu64
			   ", counted at another moment: the rebuilt zone has the blocks",
			   zone, z->state.free, sum);
		free(zone);
	}
	state_differs(to, z, "free_cma", m->stat[PZL_ZS_FREE_CMA], z->state.free_cma);
	state_differs(to, z, "reserved_highatomic", m->reserved_highatomic, z->state.highatomic);
	state_differs(to, z, "present", m->present, told->present);
	state_differs(to, z, "managed", m->managed, told->managed);
	state_differs(to, z, "min", m->min, told->min);
	state_differs(to, z, "low", m->low, told->low);
	state_differs(to, z, "high", m->high, told->high);
	state_differs(to, z, "boost", m->boost, told->boost);
	for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++)
		state_differs(to, z, "lowmem_reserve[]", m->protection[t], told->reserve[t]);
}

void ex_state_compare(const struct ex_state *s, const struct pzl_rebuilt *r,
		      const struct explanation *x, struct ex_rebuilt *to)
{
	struct pzl_meminfo m;

	if (pzl_rebuild_meminfo(r, &m))
		return;
	for (size_t i = 0; i < s->zones.n; i++) {
		const struct ex_zone *z = &x->zones.v[s->index.v[i]];

		for (uint32_t n = 0; n < m.nodes; n++)
			if (m.node[n].nid == z->fact->nid)
				state_compare_zone(&m.node[n].zone[z->type], &s->zones.v[i], z, to);
	}
	pzl_meminfo_destroy(&m);
}
