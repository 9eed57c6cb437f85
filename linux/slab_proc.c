/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_proc.c - /proc/slabinfo.
 *
 * Concept: a row has one text. Reading takes the numbers out of a line, writes the row that they
 * make, and compares.
 *
 * Invariants: 1. what was read is written as it was.
 *
 * Failure: a line that would not be written so is refused, the output is not written.
 *
 * Shortcomings: SLAB's statistics, which older kernels add behind a row, are refused.
 */
#include <physzone/fmt.h>
#include <physzone/linux/slab_proc.h>

#include "../src/base/pz_string.h"
#include "pzl_out.h"
#include "pzl_slab.h"
#include "pzl_text.h"

const char *pzl_slabinfo_head(unsigned int line)
{
	static const char *const heads[PZL_SLABINFO_HEAD] = {
		"slabinfo - version: 2.1",
		"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> "
		": tunables <limit> <batchcount> <sharedfactor> "
		": slabdata <active_slabs> <num_slabs> <sharedavail>",
	};

	return line < PZL_SLABINFO_HEAD ? heads[line] : NULL;
}

void pzl_slabinfo_make(struct pzl_slabinfo *out, const char *name, size_t name_len,
		       const struct pzl_slab_geometry *g, uint64_t slabs, uint64_t objects,
		       uint64_t free)
{
	struct pzl_slabinfo row = { .name = name, .name_len = name_len };

	row.num_objs = objects ? objects : slabs * g->objects;
	row.active_objs = free < row.num_objs ? row.num_objs - free : 0;
	row.objsize = g->size;
	row.objperslab = g->objects;
	row.pagesperslab = 1u << g->order;
	row.active_slabs = slabs;
	row.num_slabs = slabs;
	*out = row;
}

static size_t slabinfo_row(char *buf, size_t size, const struct pzl_slabinfo *r)
{
	return pz_snprintf(
		buf, size,
		"%.*s%*s %6llu %6llu %6u %4u %4u : tunables %4u %4u %4u : slabdata %6llu %6llu "
		"%6llu",
		(int)r->name_len, r->name, r->name_len < 17 ? (int)(17 - r->name_len) : 0, "",
		(pzl_ull)r->active_objs, (pzl_ull)r->num_objs, r->objsize, r->objperslab,
		r->pagesperslab, r->limit, r->batchcount, r->sharedfactor, (pzl_ull)r->active_slabs,
		(pzl_ull)r->num_slabs, (pzl_ull)r->sharedavail);
}

void pzl_slabinfo_write(const struct pzl_slabinfo *rows, size_t n, pzl_emit_fn emit, void *ctx)
{
	struct pzl_out o = { { 0 }, 0, emit, ctx };

	for (unsigned int i = 0; i < PZL_SLABINFO_HEAD; i++)
		emit(ctx, pzl_slabinfo_head(i), pzl_strlen(pzl_slabinfo_head(i)));
	for (size_t i = 0; i < n; i++) {
		o.n = slabinfo_row(o.s, sizeof(o.s), &rows[i]);
		if (o.n > sizeof(o.s) - 1)
			o.n = sizeof(o.s) - 1;
		pzl_out_end(&o);
	}
}

/* A place in a line. */
struct slabinfo_scan {
	const char *p, *end;
};

static void slabinfo_blanks(struct slabinfo_scan *s)
{
	while (s->p < s->end && *s->p == ' ')
		s->p++;
}

static bool slabinfo_number(struct slabinfo_scan *s, uint64_t *v)
{
	const char *first;
	uint64_t n = 0;

	slabinfo_blanks(s);
	for (first = s->p; s->p < s->end && pzl_isdigit(*s->p); s->p++)
		if (!pzl_slab_digit(&n, *s->p))
			return false;
	*v = n;
	return s->p > first;
}

static bool slabinfo_number32(struct slabinfo_scan *s, uint32_t *v)
{
	uint64_t n;

	if (!slabinfo_number(s, &n) || n > UINT32_MAX)
		return false;
	*v = (uint32_t)n;
	return true;
}

static bool slabinfo_word(struct slabinfo_scan *s, const char *word)
{
	slabinfo_blanks(s);
	if (!pzl_starts_n(s->p, (size_t)(s->end - s->p), word))
		return false;
	s->p += pzl_strlen(word);
	return true;
}

int pzl_slabinfo_read(const char *line, size_t len, struct pzl_slabinfo *out)
{
	struct slabinfo_scan s = { line, line + len };
	struct pzl_slabinfo r = { .name = line };
	char again[512];

	while (s.p < s.end && *s.p != ' ' && *s.p)
		s.p++;
	r.name_len = (size_t)(s.p - line);
	if (!r.name_len || len >= sizeof(again) || !slabinfo_number(&s, &r.active_objs) ||
	    !slabinfo_number(&s, &r.num_objs) || !slabinfo_number32(&s, &r.objsize) ||
	    !slabinfo_number32(&s, &r.objperslab) || !slabinfo_number32(&s, &r.pagesperslab) ||
	    !slabinfo_word(&s, ": tunables") || !slabinfo_number32(&s, &r.limit) ||
	    !slabinfo_number32(&s, &r.batchcount) || !slabinfo_number32(&s, &r.sharedfactor) ||
	    !slabinfo_word(&s, ": slabdata") || !slabinfo_number(&s, &r.active_slabs) ||
	    !slabinfo_number(&s, &r.num_slabs) || !slabinfo_number(&s, &r.sharedavail))
		return -PZ_EINVAL;
	if (slabinfo_row(again, sizeof(again), &r) != len || memcmp(again, line, len) != 0)
		return -PZ_EINVAL;
	*out = r;
	return 0;
}

int pzl_slabinfo_store(enum pzl_model model)
{
	(void)model;
	return -PZL_EIO;
}
