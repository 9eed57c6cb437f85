/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_zones.c - lines about what the kernel made of its memory: zones, nodes, totals, and what it
 * freed after booting.
 *
 * These facts are results. The analysis computes its own and compares.
 *
 * Failure: a line that cannot be read to its end leaves no fact.
 */
#include "input/log_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *log_zone_word(struct log_scan *s)
{
	static const char *const names[] = { "DMA32",	"DMA",	   "Normal",
					     "HighMem", "Movable", "Device" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i]);
		char after;

		if ((size_t)(s->end - s->p) < n || memcmp(s->p, names[i], n) != 0)
			continue;
		after = (size_t)(s->end - s->p) == n ? ' ' : s->p[n];
		if (after != ' ' && after != '\t' && after != ':' && after != '[')
			continue;
		s->p += n;
		return names[i];
	}
	return NULL;
}

static void log_zone_pages(struct log_ctx *c, enum zone_pages_kind kind, int nid, const char *zone,
			   uint64_t pages)
{
	struct fact_zone_pages *e = vec_push(&c->f->zone_pages);

	e->kind = kind;
	e->nid = nid;
	snprintf(e->name, sizeof(e->name), "%s", zone);
	e->pages = pages;
	e->at = c->at;
}

/* "DMA [mem a-b]", "Normal empty", and the lines of debugging: "DMA zone: 64 pages ...". */
static enum log_ret log_zone_range(struct log_ctx *c, struct log_scan *s, const char *zone)
{
	struct pz_range r = { 0, 0 };
	struct fact_zone_range *e;
	bool empty;

	ls_space(s);
	empty = ls_opt(s, "empty");
	if (!empty && !ls_mem(s, &r))
		return LOG_BAD;
	if (!ls_done(s)) {
		ls_fail(s, "unexpected text");
		return LOG_BAD;
	}
	for (size_t i = 0; i < c->f->zone_ranges.n; i++) {
		e = &c->f->zone_ranges.v[i];
		if (e->at.file != c->at.file)
			continue;
		if (!strcmp(e->name, zone)) {
			if (e->empty != empty || e->range.first != r.first ||
			    e->range.last != r.last)
				log_contradict(c, "zone %s has another range on line %" PRIu32,
					       zone, e->at.line);
			else
				c->repeated++;
			return LOG_USED;
		}
		if (!empty && !e->empty && e->range.first <= r.last && r.first <= e->range.last)
			log_contradict(c, "zone %s overlaps zone %s of line %" PRIu32, zone,
				       e->name, e->at.line);
	}
	e = vec_push(&c->f->zone_ranges);
	snprintf(e->name, sizeof(e->name), "%s", zone);
	e->empty = empty;
	e->range = r;
	e->at = c->at;
	return LOG_USED;
}

enum log_ret log_zone_name(struct log_ctx *c, struct log_scan *s, int arg)
{
	const char *zone;
	uint64_t pages;

	s->p = c->line;
	zone = log_zone_word(s);
	if (!zone)
		return LOG_OTHER;
	if (ls_opt(s, " free:"))
		return log_zone_report(c, s, 0, zone);
	if (ls_opt(s, " zone: ")) {
		if (!ls_dec(s, &pages))
			return LOG_BAD;
		if (ls_opt(s, " pages used for memmap"))
			log_zone_pages(c, ZP_MEMMAP, PZ_NID_NONE, zone, pages);
		else if (ls_opt(s, " pages reserved"))
			log_zone_pages(c, ZP_RESERVED, PZ_NID_NONE, zone, pages);
		else if (ls_lit(s, " pages, LIFO batch:"))
			log_zone_pages(c, ZP_PRESENT, PZ_NID_NONE, zone, pages);
		else
			return LOG_BAD;
		return LOG_USED;
	}
	ls_space(s);
	if (s->p < s->end && *s->p == ':') {
		s->p++;
		if (ls_opt(s, " preallocated"))
			return log_said(c, s, SAID_POOL);
		if (ls_opt(s, " failed to allocate"))
			return log_said(c, s, SAID_POOL_FAILED);
		return log_zone_blocks(c, s, 0, zone);
	}
	if (s->p < s->end && *s->p != '[' && *s->p != 'e')
		return LOG_OTHER;
	if (s->p == s->end) {
		s->ran_out = true;
		s->why = "the line ends early";
		return LOG_BAD;
	}
	if (*s->p == '[' && (s->end - s->p < 4 || memcmp(s->p, "[mem", 4) != 0)) {
		s->ran_out = s->end - s->p < 4;
		s->why = "unexpected text";
		return s->ran_out || ls_find(s->p, (size_t)(s->end - s->p), "-0x") ? LOG_BAD
										   : LOG_OTHER;
	}
	return log_zone_range(c, s, zone);
}

/* Behind "Node ": the start of Movable, or a zone in a report. */
enum log_ret log_node(struct log_ctx *c, struct log_scan *s, int arg)
{
	struct fact_movable *e;
	const char *zone;
	uint64_t addr;
	int nid;

	if (!ls_nid(s, &nid))
		return LOG_OTHER;
	if (ls_opt(s, ": 0x")) {
		s->p -= 2;
		if (!ls_hex(s, &addr))
			return LOG_BAD;
		if (!ls_done(s)) {
			ls_fail(s, "unexpected text");
			return LOG_BAD;
		}
		if (!log_room(c, s, c->f->movable.n))
			return LOG_BAD;
		for (size_t i = 0; i < c->f->movable.n; i++) {
			e = &c->f->movable.v[i];
			if (e->nid != nid || e->at.file != c->at.file)
				continue;
			if (e->addr != addr)
				log_contradict(
					c, "Movable of node %d starts elsewhere on line %" PRIu32,
					nid, e->at.line);
			c->repeated++;
			return LOG_USED;
		}
		e = vec_push(&c->f->movable);
		*e = (struct fact_movable){ nid, addr, c->at };
		return LOG_USED;
	}
	ls_space(s);
	zone = log_zone_word(s);
	if (zone && ls_opt(s, " free:"))
		return log_zone_report(c, s, nid, zone);
	if (zone && ls_opt(s, ":"))
		return log_zone_blocks(c, s, nid, zone);
	return LOG_OTHER;
}

/* "node 0: [mem a-b]", and "node 0 deferred pages initialised in 4ms". */
enum log_ret log_node_range(struct log_ctx *c, struct log_scan *s, int arg)
{
	struct fact_node_range *e;
	struct pz_range r;
	int nid;

	ls_space(s);
	if (!ls_nid(s, &nid))
		return ls_find(s->p, (size_t)(s->end - s->p), ": [mem") ? LOG_BAD : LOG_OTHER;
	if (ls_opt(s, " deferred")) {
		if (!ls_lit(s, " pages initialised in "))
			return LOG_BAD;
		c->f->deferred_nodes++;
		return LOG_USED;
	}
	if (!ls_opt(s, ": ["))
		return LOG_OTHER;
	s->p--;
	if (!ls_mem(s, &r) || !log_room(c, s, c->f->node_ranges.n))
		return LOG_BAD;
	for (size_t i = 0; i < c->f->node_ranges.n; i++) {
		e = &c->f->node_ranges.v[i];
		if (e->at.file != c->at.file || e->range.last < r.first || r.last < e->range.first)
			continue;
		if (e->nid == nid && e->range.first == r.first && e->range.last == r.last) {
			c->repeated++;
			return LOG_USED;
		}
		log_contradict(c, "this range overlaps that of line %" PRIu32, e->at.line);
		break;
	}
	e = vec_push(&c->f->node_ranges);
	*e = (struct fact_node_range){ nid, r, c->at };
	return LOG_USED;
}

/* Behind "Initmem setup node": "0 [mem a-b]", "1 as memoryless", "1 [<memory-less node>]". */
enum log_ret log_initmem(struct log_ctx *c, struct log_scan *s, int arg)
{
	struct pz_range r = { 0, 0 };
	struct fact_initmem *e;
	bool memoryless;
	int nid;

	if (!ls_lit(s, " ") || !ls_nid(s, &nid))
		return LOG_BAD;
	memoryless = ls_opt(s, " as memoryless") || ls_opt(s, " [<memory-less node>]");
	if (!memoryless && (!ls_lit(s, " ") || !ls_mem(s, &r)))
		return LOG_BAD;
	if (!log_room(c, s, c->f->initmem.n))
		return LOG_BAD;
	for (size_t i = 0; i < c->f->initmem.n; i++) {
		e = &c->f->initmem.v[i];
		if (e->nid != nid || e->at.file != c->at.file)
			continue;
		if (e->memoryless != memoryless || e->range.first != r.first ||
		    e->range.last != r.last)
			log_contradict(c, "node %d has another range on line %" PRIu32, nid,
				       e->at.line);
		c->repeated++;
		return LOG_USED;
	}
	e = vec_push(&c->f->initmem);
	*e = (struct fact_initmem){ nid, memoryless, r, c->at };
	return LOG_USED;
}

/* Behind "On node ": "0, zone DMA: 97 pages in unavailable ranges", "0 totalpages: 131038". */
enum log_ret log_on_node(struct log_ctx *c, struct log_scan *s, int arg)
{
	const char *zone;
	uint64_t pages;
	int nid;

	if (!ls_nid(s, &nid))
		return LOG_OTHER;
	if (ls_opt(s, " totalpages: ")) {
		if (!ls_dec(s, &pages))
			return LOG_BAD;
		log_zone_pages(c, ZP_TOTAL, nid, "", pages);
		return LOG_USED;
	}
	if (!ls_lit(s, ", zone "))
		return LOG_BAD;
	zone = log_zone_word(s);
	if (!zone || !ls_lit(s, ": ") || !ls_dec(s, &pages) ||
	    !ls_lit(s, " pages in unavailable ranges"))
		return LOG_BAD;
	if (!log_room(c, s, c->f->zone_pages.n))
		return LOG_BAD;
	for (size_t i = c->f->zone_pages.n, near = 16; i > 0 && near > 0; i--, near--) {
		struct fact_zone_pages *e = &c->f->zone_pages.v[i - 1];

		if (e->kind == ZP_UNAVAILABLE && e->nid == nid && !strcmp(e->name, zone)) {
			if (pages > UINT64_MAX - e->pages) {
				ls_fail(s, "the number is too large");
				return LOG_BAD;
			}
			e->pages += pages;
			return LOG_USED;
		}
	}
	log_zone_pages(c, ZP_UNAVAILABLE, nid, zone, pages);
	return LOG_USED;
}

/* Behind "mminit::memmap_init Initialising map node ": "0 zone 1 pfns 4096 -> 524256". */
enum log_ret log_memmap_init(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint64_t zone, first, end;
	struct fact_span *e;
	int nid;

	if (!ls_nid(s, &nid) || !ls_lit(s, " zone ") || !ls_dec(s, &zone) || !ls_lit(s, " pfns ") ||
	    !ls_dec(s, &first) || !ls_lit(s, " -> ") || !ls_dec(s, &end))
		return LOG_BAD;
	if (end <= first || zone > 7) {
		ls_fail(s, "the range ends below its start");
		return LOG_BAD;
	}
	e = vec_push(&c->f->spans);
	*e = (struct fact_span){ nid, (unsigned int)zone, { first, end - 1 }, c->at };
	return LOG_USED;
}

/* "84584K/130552K available (14343K kernel code, ..., 0K cma-reserved)". */
enum log_ret log_memory(struct log_ctx *c, struct log_scan *s, int arg)
{
	static const char *const names[] = { "kernel code", "rwdata",	"rodata",	"init",
					     "bss",	    "reserved", "cma-reserved", "highmem" };
	struct fact_memory m;
	uint64_t *const fields[] = { &m.code, &m.rwdata,   &m.rodata, &m.init,
				     &m.bss,  &m.reserved, &m.cma,    &m.highmem };
	bool more = true;

	memset(&m, 0xff, sizeof(m));
	if (!ls_lit(s, " ") || !ls_dec(s, &m.available))
		return s->ran_out ? LOG_BAD : LOG_OTHER;
	/* Linux before 4.0 writes a small k, and other fields. */
	if (ls_opt(s, "k/"))
		return LOG_OTHER;
	if (!ls_lit(s, "K/"))
		return LOG_BAD;
	if (!ls_dec(s, &m.physical) || !ls_lit(s, "K available ("))
		return LOG_BAD;
	while (more) {
		uint64_t v;
		size_t i;

		if (!ls_dec(s, &v) || !ls_lit(s, "K "))
			return LOG_BAD;
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (ls_opt(s, names[i]))
				break;
		if (i < sizeof(names) / sizeof(names[0])) {
			*fields[i] = v;
		} else {
			/* A field of another version: up to the comma or the end. */
			while (s->p < s->end && *s->p != ',' && *s->p != ')')
				s->p++;
		}
		more = ls_opt(s, ", ");
	}
	if (!ls_lit(s, ")"))
		return LOG_BAD;
	if (m.available > m.physical) {
		ls_fail(s, "more memory is available than there is");
		return LOG_BAD;
	}
	if (c->f->memory.seen && c->f->memory.at.file == c->at.file) {
		if (c->f->memory.available != m.available || c->f->memory.physical != m.physical)
			log_contradict(c, "the totals differ from those of line %" PRIu32,
				       c->f->memory.at.line);
		return LOG_USED;
	}
	m.seen = true;
	m.stamp = c->stamp;
	m.at = c->at;
	c->f->memory = m;
	return LOG_USED;
}

/* "initrd memory: 1340K"; the older form "init memory: 2048K (c0f00000 - c1100000)" as well. */
enum log_ret log_freeing(struct log_ctx *c, struct log_scan *s, int arg)
{
	static const char key[] = "memory: ";
	const char *what, *end;
	struct fact_freeing *e;
	uint64_t kib;

	ls_space(s);
	what = s->p;
	end = ls_find(what, (size_t)(s->end - what), "memory:");
	if (!end) {
		s->ran_out = true;
		s->why = "the line ends early";
		return LOG_BAD;
	}
	s->p = end;
	if (!ls_lit(s, key) || !ls_dec(s, &kib))
		return LOG_BAD;
	if (!ls_opt(s, "K") && !ls_lit(s, "k"))
		return LOG_BAD;
	while (end > what && end[-1] == ' ')
		end--;
	e = vec_push(&c->f->freeing);
	e->what = xstrndup(what, (size_t)(end - what));
	e->kib = kib;
	e->stamp = c->stamp;
	e->at = c->at;
	return LOG_USED;
}

/*
 * "HugeTLB: registered 1.00 GiB page size, pre-allocated 2 pages". Pages of a GiB are taken while
 * booting and managed afterwards, like what is freed; smaller ones come from the page allocator.
 */
enum log_ret log_hugetlb(struct log_ctx *c, struct log_scan *s, int arg)
{
	const char *gib = ls_find(s->p, (size_t)(s->end - s->p), " GiB page size, pre-allocated ");
	struct fact_freeing *e;
	uint64_t size, pages;

	if (!gib)
		return LOG_OTHER;
	ls_opt(s, ":");
	if (!ls_lit(s, " registered ") || !ls_dec(s, &size))
		return LOG_BAD;
	s->p = gib;
	if (!ls_lit(s, " GiB page size, pre-allocated ") || !ls_dec(s, &pages) ||
	    size > UINT64_C(1) << 20 || pages > UINT64_C(1) << 20)
		return LOG_BAD;
	if (!pages)
		return LOG_USED;
	e = vec_push(&c->f->freeing);
	e->what = xstrdup("HugeTLB gigantic pages");
	e->kib = size * pages << 20;
	e->stamp = c->stamp;
	e->at = c->at;
	return LOG_USED;
}

/* "Built 1 zonelists, mobility grouping on.  Total pages: 31968". */
enum log_ret log_built(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint64_t lists, pages;
	bool off;

	if (!ls_dec(s, &lists))
		return LOG_OTHER;
	if (!ls_lit(s, " zonelists"))
		return LOG_BAD;
	if (ls_opt(s, " in ")) {
		/* Before Linux 4.10: "in Node order,". */
		while (s->p < s->end && *s->p != ',')
			s->p++;
	}
	if (!ls_lit(s, ", mobility grouping o"))
		return LOG_BAD;
	off = ls_opt(s, "ff");
	if ((!off && !ls_lit(s, "n")) || !ls_lit(s, ". Total pages: ") || !ls_dec(s, &pages))
		return LOG_BAD;
	/* It comes again whenever memory is added to the running machine. */
	if (c->f->total_pages)
		return LOG_USED;
	c->f->total_pages = pages;
	c->f->total_pages_at = c->at;
	c->f->zonelists = lists > 1u << 20 ? 0 : (unsigned int)lists;
	c->f->mobility_off = off;
	return LOG_USED;
}

enum log_ret log_policy(struct log_ctx *c, struct log_scan *s, int arg)
{
	const char *zone = log_zone_word(s);

	if (!zone)
		return LOG_BAD;
	snprintf(c->f->policy_zone, sizeof(c->f->policy_zone), "%s", zone);
	return LOG_USED;
}

/* Behind "Fallback order for Node ": "0: 0 1". */
enum log_ret log_fallback(struct log_ctx *c, struct log_scan *s, int arg)
{
	struct fact_fallback *e;
	struct log_scan ahead;
	int nid, n;

	if (!ls_nid(s, &nid) || !ls_lit(s, ":"))
		return LOG_BAD;
	ahead = *s;
	if (ls_done(&ahead) && !ls_int(&ahead, &n)) {
		*s = ahead;
		return LOG_BAD;
	}
	while (!ls_done(&ahead))
		if (!ls_int(&ahead, &n)) {
			*s = ahead;
			return LOG_BAD;
		}
	e = vec_push(&c->f->fallbacks);
	e->nid = nid;
	e->at = c->at;
	while (!ls_done(s) && ls_int(s, &n))
		*vec_push(&e->order) = n;
	return LOG_USED;
}

/* "887MB HIGHMEM available.", and the totals of a report: "524158 pages RAM". */
enum log_ret log_megabytes(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint64_t v;

	if (!ls_dec(s, &v))
		return LOG_OTHER;
	if (ls_opt(s, "MB HIGHMEM available")) {
		c->f->highmem_mb = v;
		c->signs |= 1u << SIGN_I386;
	} else if (ls_opt(s, "MB LOWMEM available")) {
		c->f->lowmem_mb = v;
		c->signs |= 1u << SIGN_I386;
	} else if (ls_opt(s, " pages ")) {
		return log_pages(c, s, v);
	} else {
		return LOG_OTHER;
	}
	return LOG_USED;
}

/* arg 0: "low ram: 0 - 375fe000"; 1: the same with "mapped" before. */
enum log_ret log_low_ram(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint64_t start, end;

	if (!ls_dec(s, &start) || !ls_lit(s, " - ") || !ls_bare_hex(s, &end))
		return LOG_BAD;
	if (start || !end) {
		ls_fail(s, "the range ends below its start");
		return LOG_BAD;
	}
	if (!arg)
		c->f->low_ram_end = end;
	return LOG_USED;
}

/* powerpc: "phys_mem_size     = 0x80000000". */
enum log_ret log_mem_size(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint64_t bytes;

	if (!ls_lit(s, " = ") || !ls_hex(s, &bytes))
		return LOG_BAD;
	c->f->phys_mem_size = bytes;
	return LOG_USED;
}

/* A heading. */
enum log_ret log_section(struct log_ctx *c, struct log_scan *s, int arg)
{
	return LOG_USED;
}
