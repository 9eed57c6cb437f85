/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_trace.c - recorded mappings of an IOMMU, and the tables that mappings need.
 *
 * Concept: for each MiB of IOVA space that was ever mapped there is a count for each of its 256
 * entries, for recorded domains may share addresses, so that an entry can be mapped more than once.
 * What changes an entry from 0 to 1 or back is done to the tables; the table is there while entries
 * are, unless all of the MiB was mapped at once as a section.
 *
 * Invariants: 1. a table is given back once, after it was taken; 2. the tables that are taken and
 * not given back are those of the MiBs that have entries and are no section, or with @keep had; 3.
 * the steps map what is not mapped, and unmap what is.
 *
 * Shortcomings: an entry that others use as well keeps the address that it got first. A section
 * that is mapped by two is one while both use all of it.
 */
#include "table_trace.h"

#include <stdlib.h>
#include <string.h>

#include <physzone/types.h>

#include "../input/text.h"
#include "../options.h"
#include "../progress.h"
#include "pfn_map.h"
#include "trace_text.h"

#define TABLE_SPACE (UINT64_C(1) << 32)
#define TABLE_MIB (UINT64_C(1) << 20)
#define TABLE_PAGE UINT64_C(4096)
#define TABLE_ENTRIES 256u
#define TABLE_MAX_OPS ((size_t)20000000)
#define TABLE_MAX_DOMAINS 4096u
#define TABLE_MAX_SIZE (UINT64_C(16) << 30)
#define TABLE_WANTED_MAP "map: IOMMU: iova=0xA - 0xB paddr=0xP size=N, whole pages up to 16G"
#define TABLE_WANTED_UNMAP \
	"unmap: IOMMU: iova=0xA [- 0xB] size=N unmapped_size=N, whole pages up to 16G"

/* A MiB of IOVA space. */
struct table_mib {
	uint32_t table; /* its number, valid while there is one */
	bool there, section;
	uint32_t mapped; /* entries whose @n is not 0 */
	uint16_t n[TABLE_ENTRIES];
};

struct table_reader {
	struct table_ops *t;
	VEC(uint64_t) domains; /* by number, the upper half of its addresses */
};

/* One domain for each 4 GiB; false when there are too many. */
static bool table_domain(struct table_reader *x, uint64_t iova, uint16_t *domain)
{
	for (size_t i = x->domains.n; i-- > 0;) {
		if (x->domains.v[i] == iova >> 32) {
			*domain = (uint16_t)i;
			return true;
		}
	}
	if (x->domains.n == TABLE_MAX_DOMAINS)
		return false;
	*vec_push(&x->domains) = iova >> 32;
	*domain = (uint16_t)(x->domains.n - 1);
	return true;
}

/*
 * Whether the context may not wait, by the flags after the CPU ("[003] d.h2."): interrupts off, in
 * an interrupt, or preemption off. Without flags it may not.
 */
static bool table_atomic(struct span line)
{
	const char *p = memchr(line.p, '[', (size_t)(line.end - line.p));
	struct span flags, rest = line;

	if (!p)
		return true;
	rest.p = p;
	if (!span_word(&rest, &flags) || !span_blanks(&rest) || !span_word(&rest, &flags) ||
	    flags.end - flags.p < 4 || flags.end - flags.p > 6)
		return true;
	for (p = flags.p; p < flags.end; p++)
		if (!strchr(".dDXbBnNpPlLhHsSzZ0123456789abcdef", *p))
			return true;
	return strchr("dDX", flags.p[0]) || flags.p[2] != '.' || flags.p[3] != '.';
}

static bool table_pages(uint64_t iova, uint64_t size)
{
	return !((iova | size) & (TABLE_PAGE - 1)) && size && size <= TABLE_MAX_SIZE &&
	       size <= UINT64_MAX - iova;
}

/* An operation on any range, cut where 4 GiB end. */
static bool table_push(struct table_reader *x, struct table_op op)
{
	uint64_t left = op.size, iova = op.iova;

	while (left) {
		struct table_op *to = vec_push(&x->t->ops);

		*to = op;
		to->iova = iova & (TABLE_SPACE - 1);
		to->size = left < TABLE_SPACE - to->iova ? left : TABLE_SPACE - to->iova;
		if (!table_domain(x, iova, &to->domain))
			return false;
		iova += to->size;
		op.paddr += to->size;
		left -= to->size;
	}
	return true;
}

/* iova=0xA - 0xB */
static bool table_range(struct span *s, bool end_wanted, uint64_t *first, uint64_t *size)
{
	struct span t;
	uint64_t end;

	if (!trace_field(s, "iova=0x") || !span_hex(s, first))
		return false;
	t = *s;
	*size = 0;
	if (!trace_field(&t, "-"))
		return !end_wanted;
	*s = t;
	if (!trace_field(s, "0x") || !span_hex(s, &end) || end < *first)
		return false;
	*size = end - *first;
	return true;
}

static bool table_read_map(struct table_reader *x, struct span s, bool atomic)
{
	struct table_op op = { .atomic = atomic };
	uint64_t range;

	if (!table_range(&s, true, &op.iova, &range) || !trace_field(&s, "paddr=0x") ||
	    !span_hex(&s, &op.paddr) || !trace_field(&s, "size=") || !span_dec(&s, &op.size) ||
	    !span_empty(s) || range != op.size || !table_pages(op.iova, op.size))
		return false;
	return table_push(x, op);
}

static bool table_read_unmap(struct table_reader *x, struct span s, bool atomic)
{
	struct table_op op = { .unmap = true, .atomic = atomic };
	uint64_t range, asked;

	if (!table_range(&s, false, &op.iova, &range) || !trace_field(&s, "size=") ||
	    !span_dec(&s, &asked) || !trace_field(&s, "unmapped_size=") ||
	    !span_dec(&s, &op.size) || !span_empty(s) || (range && range != asked))
		return false;
	/* What was really unmapped counts; nothing may have been. */
	if (!op.size)
		return true;
	return table_pages(op.iova, op.size) && table_push(x, op);
}

/* One line; NULL, or what was expected of it. */
static const char *table_line(struct table_reader *x, struct span line)
{
	struct span rest;

	if (trace_after(line, "map: IOMMU: ", &rest))
		return table_read_map(x, rest, table_atomic(line)) ? NULL : TABLE_WANTED_MAP;
	if (trace_after(line, "unmap: IOMMU: ", &rest))
		return table_read_unmap(x, rest, table_atomic(line)) ? NULL : TABLE_WANTED_UNMAP;
	x->t->ignored += !span_empty(line) && *line.p != '#';
	return NULL;
}

int table_ops_record_text(struct table_ops *t, const struct text *text, const char *name,
			  char **err)
{
	struct table_reader x = { .t = t };
	struct facts f;
	struct scan scan;
	int rc = 0;

	memset(t, 0, sizeof(*t));
	t->recorded = true;
	t->name = xasprintf("recording %s", name);
	facts_init(&f);
	*vec_push(&f.files) = xstrdup(name);
	scan_init(&scan, text->buf, text->len);
	while (!rc && scan_line(&scan)) {
		struct where at = { 0, scan.number };
		const char *wanted = table_line(&x, scan.line);

		if (x.domains.n == TABLE_MAX_DOMAINS || t->ops.n > TABLE_MAX_OPS)
			rc = scan_error(&f, at, err, "expected at most %zu mappings in %u domains",
					TABLE_MAX_OPS, TABLE_MAX_DOMAINS - 1);
		else if (wanted)
			rc = scan_expected(&f, at, scan.line, wanted, err);
		if (!(scan.number & 0xffff))
			progress("reading", (uint64_t)(scan.line.end - text->buf), text->len);
	}
	progress_end();
	if (!rc && !t->ops.n)
		rc = scan_error(&f, (struct where){ 0, 0 }, err,
				"expected lines such as \"map: IOMMU: iova=0x... - 0x... "
				"paddr=0x... size=4096\"");
	t->domains = (unsigned int)x.domains.n;
	vec_free(&x.domains);
	facts_destroy(&f);
	return rc;
}

int table_ops_record(struct table_ops *t, const char *file, char **err)
{
	struct text text;
	int rc;

	memset(t, 0, sizeof(*t));
	if (text_read(&text, file, err))
		return EXIT_INPUT;
	rc = table_ops_record_text(t, &text, strcmp(file, "-") ? file : "standard input", err);
	text_destroy(&text);
	return rc;
}

/* Which tables there are, at work. */
struct table_reduction {
	struct table_trace *r;
	bool keep, drops;    /* a drop says when memory is low, else the peak does */
	struct pfn_map find; /* MiB of a domain, its index in mibs */
	VEC(struct table_mib *) mibs;
	uint32_t there;
	size_t first; /* step of the operation at work */
};

static struct table_mib *table_mib(struct table_reduction *x, uint16_t domain, uint64_t iova)
{
	uint64_t key = (uint64_t)domain << 12 | iova >> 20;
	uint32_t i;

	if (pfn_map_get(&x->find, key, &i))
		return x->mibs.v[i];
	pfn_map_set(&x->find, key, (uint32_t)x->mibs.n);
	*vec_push(&x->mibs) = xcalloc(1, sizeof(struct table_mib));
	return x->mibs.v[x->mibs.n - 1];
}

static void table_take(struct table_reduction *x, struct table_mib *m, bool atomic)
{
	struct table_event *e;

	if (m->there)
		return;
	m->there = true;
	m->table = x->r->tables++;
	e = vec_push(&x->r->events);
	e->table = m->table;
	e->atomic = atomic;
	x->there++;
	if (x->there > x->r->peak) {
		x->r->peak = x->there;
		x->r->at_peak = x->r->events.n;
		if (!x->drops)
			x->r->at_low = x->r->step_low = 0;
	}
}

static void table_give_back(struct table_reduction *x, struct table_mib *m, bool atomic)
{
	struct table_event *e;

	if (!m->there)
		return;
	m->there = false;
	e = vec_push(&x->r->events);
	e->table = m->table;
	e->back = true;
	e->atomic = atomic;
	x->there--;
}

/* A step on so much of an operation, which may go on where the one before ended. */
static void table_step(struct table_reduction *x, const struct table_op *op, uint64_t iova,
		       uint64_t size)
{
	struct table_step *s = NULL;

	if (x->r->steps.n > x->first) {
		s = &x->r->steps.v[x->r->steps.n - 1];
		if (s->op.iova + s->op.size == iova) {
			s->op.size += size;
			return;
		}
	}
	s = vec_push(&x->r->steps);
	s->op = *op;
	s->op.iova = iova;
	s->op.size = size;
	s->op.paddr = op->unmap ? 0 : op->paddr + (iova - op->iova);
	s->tables = x->there;
}

/* Entries from one to another of a MiB are mapped that were not. */
static void table_part_map(struct table_reduction *x, struct table_mib *m, unsigned int count,
			   bool aligned, bool atomic)
{
	m->section = count == TABLE_ENTRIES && aligned;
	x->r->sections += m->section;
	m->mapped += count;
	if (m->section)
		table_give_back(x, m, atomic);
	else
		table_take(x, m, atomic);
}

/* Such entries go. A section of which some stay becomes a table; one whose MiB goes as a whole goes
 * with it. */
static void table_part_unmap(struct table_reduction *x, struct table_mib *m, unsigned int count,
			     bool atomic)
{
	m->mapped -= count;
	if (m->section && m->mapped)
		table_take(x, m, atomic);
	m->section = false;
	if (count == TABLE_ENTRIES || (!m->mapped && !x->keep))
		table_give_back(x, m, atomic);
}

/* Whether the operation changes an entry. It is counted in any case. */
static bool table_entry(struct table_reduction *x, struct table_mib *m, unsigned int i, bool unmap)
{
	if (!unmap) {
		m->n[i] += m->n[i] < UINT16_MAX;
		return m->n[i] == 1;
	}
	if (!m->n[i]) {
		x->r->unknown++;
		return false;
	}
	return !--m->n[i];
}

/* The part of an operation that lies in one MiB: entries from one to another. */
static void table_part(struct table_reduction *x, const struct table_op *op, uint64_t at,
		       unsigned int first, unsigned int end)
{
	struct table_mib *m = table_mib(x, op->domain, at);
	uint64_t base = at & ~(TABLE_MIB - 1), paddr = op->paddr + (base - op->iova);

	for (unsigned int i = first, from; i < end; i++) {
		from = i;
		while (i < end && table_entry(x, m, i, op->unmap))
			i++;
		if (i == from)
			continue;
		table_step(x, op, base + from * TABLE_PAGE, (i - from) * TABLE_PAGE);
		if (op->unmap)
			table_part_unmap(x, m, i - from, op->atomic);
		else
			table_part_map(x, m, i - from, !(paddr & (TABLE_MIB - 1)), op->atomic);
		x->r->steps.v[x->r->steps.n - 1].tables = x->there;
	}
}

static void table_apply(struct table_reduction *x, const struct table_op *op)
{
	uint64_t at = op->iova, end = op->iova + op->size;

	x->first = x->r->steps.n;
	while (at < end) {
		uint64_t next = (at & ~(TABLE_MIB - 1)) + TABLE_MIB;
		uint64_t to = next < end ? next : end;
		unsigned int first = (unsigned int)((at & (TABLE_MIB - 1)) / TABLE_PAGE);

		table_part(x, op, at, first, first + (unsigned int)((to - at) / TABLE_PAGE));
		at = to;
	}
}

void table_reduce(struct table_trace *r, const struct table_ops *t, bool keep)
{
	struct table_reduction x = { .r = r, .keep = keep, .drops = t->dropped };

	memset(r, 0, sizeof(*r));
	for (size_t i = 0; i < t->ops.n; i++) {
		uint32_t peak = r->peak;

		table_apply(&x, &t->ops.v[i]);
		r->maps += !t->ops.v[i].unmap;
		r->unmaps += t->ops.v[i].unmap;
		if (r->peak > peak)
			r->step_peak = r->steps.n;
		if (x.drops ? i + 1 == t->dropped
			    : !r->at_low && r->peak && x.there <= r->peak / 10) {
			r->at_low = r->events.n;
			r->step_low = r->steps.n;
			r->low = x.there;
		}
	}
	r->left = x.there;
	for (size_t i = 0; i < x.mibs.n; i++) {
		if (keep)
			table_give_back(&x, x.mibs.v[i], false);
		free(x.mibs.v[i]);
	}
	vec_free(&x.mibs);
	pfn_map_destroy(&x.find);
}

void table_trace_destroy(struct table_trace *r)
{
	vec_free(&r->events);
	vec_free(&r->steps);
}
