/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * formats_proc.c - strict readers of /proc/zoneinfo, /proc/buddyinfo and /proc/pagetypeinfo.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <physzone/linux/arch.h>

#include "formats.h"

static void *fmt_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void fmt_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

const struct pz_meta fmt_meta = { fmt_alloc, fmt_free, NULL };

bool fmt_lit(struct fmt_scan *s, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(s->end - s->p) < n || memcmp(s->p, text, n) != 0)
		return false;
	s->p += n;
	return true;
}

bool fmt_num(struct fmt_scan *s, uint64_t *v)
{
	const char *p = s->p;
	uint64_t n = 0;

	while (p < s->end && *p >= '0' && *p <= '9')
		n = n * 10 + (uint64_t)(*p++ - '0');
	if (p == s->p)
		return false;
	s->p = p;
	*v = n;
	return true;
}

static void fmt_blanks(struct fmt_scan *s)
{
	while (s->p < s->end && *s->p == ' ')
		s->p++;
}

bool fmt_word(struct fmt_scan *s, char *word, size_t size)
{
	size_t n = 0;

	while (s->p + n < s->end && s->p[n] != ' ' && s->p[n] != ',' && n + 1 < size) {
		word[n] = s->p[n];
		n++;
	}
	word[n] = 0;
	s->p += n;
	return n != 0;
}

bool fmt_zone(struct fmt_scan *s, unsigned int *type)
{
	static const char *const names[PZ_ZONE_TYPES] = { "DMA",     "DMA32",   "Normal",
							  "HighMem", "Movable", "Device" };
	struct fmt_scan at = *s;
	char word[16];

	fmt_blanks(&at);
	if (!fmt_word(&at, word, sizeof(word)))
		return false;
	for (unsigned int i = 0; i < PZ_ZONE_TYPES; i++) {
		if (!strcmp(word, names[i])) {
			*type = i;
			*s = at;
			return true;
		}
	}
	return false;
}

bool fmt_end(const struct fmt_scan *s)
{
	return s->p == s->end;
}

static struct fmt_scan fmt_line(const struct text *t, size_t i)
{
	struct fmt_scan s = { "", NULL };
	size_t len = 0;

	s.end = s.p;
	if (i < t->n) {
		s.p = text_line(t, i, &len);
		s.end = s.p + len;
	}
	return s;
}

static bool fmt_refuse(struct fmt_error *e, size_t line, const char *expected)
{
	e->line = line + 1;
	e->expected = expected;
	return false;
}

/* "Node N, zone NAME" with N padded to @pad; the place behind it. */
static bool fmt_head(struct fmt_scan *s, uint64_t *nid, unsigned int *type, bool pad)
{
	struct fmt_scan at = *s;

	if (!fmt_lit(&at, "Node "))
		return false;
	if (pad)
		fmt_blanks(&at);
	if (!fmt_num(&at, nid) || !fmt_lit(&at, ", zone") || !fmt_zone(&at, type))
		return false;
	*s = at;
	return true;
}

/* Nodes and CPUs of a text, for the room that they need. */
static bool fmt_make(struct pzl_meminfo *m, const struct text *t, enum pzl_model model)
{
	uint64_t nid, last = UINT64_MAX;
	uint32_t nodes = 0, cpus = 0, most = 0;
	unsigned int type;

	for (size_t i = 0; i < t->n; i++) {
		struct fmt_scan s = fmt_line(t, i);

		if (fmt_head(&s, &nid, &type, true)) {
			nodes += nid != last && (last == UINT64_MAX || nid > last);
			last = nid;
			cpus = 0;
		}
		cpus += fmt_lit(&s, "    cpu: ");
		most = cpus > most ? cpus : most;
	}
	if (pzl_meminfo_init(m, &fmt_meta, model, nodes ? nodes : 1, most ? most : 1))
		return false;
	for (uint32_t n = 0; n < m->nodes; n++)
		m->node[n].nid = -1;
	return true;
}

/* The node of an id, taken into use when it is new. */
static struct pzl_mem_node *fmt_node(struct pzl_meminfo *m, uint64_t nid)
{
	for (uint32_t n = 0; n < m->nodes; n++) {
		if (m->node[n].nid < 0)
			m->node[n].nid = (int32_t)nid;
		if (m->node[n].nid == (int32_t)nid)
			return &m->node[n];
	}
	return NULL;
}

/* What is being read. */
struct fmt_zoneinfo_state {
	struct pzl_meminfo *m;
	struct pzl_mem_node *n;
	struct pzl_mem_zone *z;
	uint32_t pcp; /* CPUs so far */
	bool rest; /* behind the protections */
};

/* Lines of the form "        NAME     NUMBER". */
static bool fmt_zoneinfo_mark(struct fmt_zoneinfo_state *st, struct fmt_scan *s)
{
	static const struct {
		const char *name;
		size_t offset;
		uint32_t shows;
	} marks[] = {
		{ "        boost ", offsetof(struct pzl_mem_zone, boost), PZL_MI_BOOST },
		{ "        min ", offsetof(struct pzl_mem_zone, min), 0 },
		{ "        low ", offsetof(struct pzl_mem_zone, low), 0 },
		{ "        high ", offsetof(struct pzl_mem_zone, high), 0 },
		{ "        promo ", offsetof(struct pzl_mem_zone, promo), PZL_MI_PROMO },
		{ "        spanned ", offsetof(struct pzl_mem_zone, spanned), 0 },
		{ "        present ", offsetof(struct pzl_mem_zone, present), 0 },
		{ "        managed ", offsetof(struct pzl_mem_zone, managed), 0 },
		{ "        cma ", offsetof(struct pzl_mem_zone, cma), PZL_MI_CMA },
	};
	uint64_t v;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (!fmt_lit(s, marks[i].name))
			continue;
		fmt_blanks(s);
		if (!fmt_num(s, &v) || !fmt_end(s))
			return false;
		memcpy((char *)st->z + marks[i].offset, &v, sizeof(v));
		st->m->shows |= marks[i].shows;
		return true;
	}
	return false;
}

static bool fmt_zoneinfo_protection(struct fmt_zoneinfo_state *st, struct fmt_scan *s,
				    uint64_t *list, unsigned int *n)
{
	if (!fmt_lit(s, "        protection: ("))
		return false;
	for (*n = 0; *n < PZ_ZONE_TYPES; ++*n) {
		if (*n && !fmt_lit(s, ", "))
			break;
		if (!fmt_num(s, &list[*n]))
			return false;
	}
	st->rest = true;
	return fmt_lit(s, ")") && fmt_end(s);
}

static bool fmt_zoneinfo_stat(struct fmt_zoneinfo_state *st, struct fmt_scan *s)
{
	char name[64];
	uint64_t v;

	if (!fmt_lit(s, "      ") || !fmt_word(s, name, sizeof(name)))
		return false;
	fmt_blanks(s);
	if (!fmt_num(s, &v) || !fmt_end(s))
		return false;
	if (!st->rest) {
		for (unsigned int i = 0; i < PZL_NODE_STATS; i++) {
			if (strcmp(name, pzl_node_stat_name((enum pzl_node_stat)i)) != 0)
				continue;
			if (i >= PZL_NS_SHMEM_HUGEPAGES && i <= PZL_NS_ANON_HUGEPAGES)
				v <<= st->m->thp_order;
			st->n->stat[i] = v;
			st->m->node_stats |= PZL_NS_BIT(i);
			return true;
		}
		return false;
	}
	for (unsigned int i = 0; i < PZL_ZONE_STATS; i++) {
		if (strcmp(name, pzl_zone_stat_name((enum pzl_zone_stat)i)) != 0)
			continue;
		/* nr_free_pages repeats what stands above */
		if (i == PZL_ZS_FREE_PAGES && st->z->stat[i] != v)
			return false;
		st->z->stat[i] = v;
		st->m->zone_stats |= PZL_ZS_BIT(i);
		return true;
	}
	return false;
}

static bool fmt_zoneinfo_pcp(struct fmt_zoneinfo_state *st, struct fmt_scan *s)
{
	static const struct {
		const char *name;
		size_t offset;
	} lines[] = {
		{ "    cpu: ", offsetof(struct pzl_mem_pcp, cpu) },
		{ "              count: ", offsetof(struct pzl_mem_pcp, count) },
		{ "              high:  ", offsetof(struct pzl_mem_pcp, high) },
		{ "              batch: ", offsetof(struct pzl_mem_pcp, batch) },
		{ "  vm stats threshold: ", offsetof(struct pzl_mem_pcp, threshold) },
	};
	uint64_t v;
	uint32_t w;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!fmt_lit(s, lines[i].name))
			continue;
		if (!i)
			st->pcp++;
		if (!fmt_num(s, &v) || !fmt_end(s) || !st->pcp || st->pcp > st->m->cpus)
			return false;
		w = (uint32_t)v;
		memcpy((char *)&st->z->pcp[st->pcp - 1] + lines[i].offset, &w, sizeof(w));
		if (i == 4)
			st->m->shows |= PZL_MI_SMP;
		return true;
	}
	return false;
}

static bool fmt_zoneinfo_line(struct fmt_zoneinfo_state *st, struct fmt_scan *s)
{
	uint64_t v;

	if (fmt_lit(s, "  per-node stats") || fmt_lit(s, "  pagesets"))
		return fmt_end(s);
	if (fmt_lit(s, "  pages free     "))
		return fmt_num(s, &st->z->stat[PZL_ZS_FREE_PAGES]) && fmt_end(s);
	if (fmt_lit(s, "  node_unreclaimable:  ")) {
		if (!fmt_num(s, &v) || !fmt_end(s) || v > 1)
			return false;
		st->n->unreclaimable = v;
		return true;
	}
	if (fmt_lit(s, "  start_pfn:           "))
		return fmt_num(s, &st->z->start_pfn) && fmt_end(s);
	return fmt_zoneinfo_pcp(st, s) || fmt_zoneinfo_mark(st, s) || fmt_zoneinfo_stat(st, s);
}

bool fmt_zoneinfo(struct pzl_meminfo *m, const struct text *t, enum pzl_model model,
		  struct fmt_error *e)
{
	struct fmt_zoneinfo_state st = { m, NULL, NULL, 0, false };
	unsigned int type, n;
	uint64_t nid;

	if (!fmt_make(m, t, model))
		return fmt_refuse(e, 0, "memory");
	m->shows &= ~(PZL_MI_BOOST | PZL_MI_PROMO | PZL_MI_CMA | PZL_MI_SMP);
	m->configured = 0;
	m->zone_stats = 0;
	m->node_stats = 0;
	for (size_t i = 0; i < t->n; i++) {
		struct fmt_scan s = fmt_line(t, i);

		if (!fmt_head(&s, &nid, &type, false))
			continue;
		m->configured |= PZL_ZONE_BIT(type);
	}
	for (size_t i = 0; i < t->n; i++) {
		struct fmt_scan s = fmt_line(t, i);
		uint64_t list[PZ_ZONE_TYPES];

		if (fmt_head(&s, &nid, &type, false) && fmt_end(&s)) {
			st.n = fmt_node(m, nid);
			if (!st.n)
				return fmt_refuse(e, i, "nodes in order");
			st.z = &st.n->zone[type];
			st.pcp = 0;
			st.rest = false;
			continue;
		}
		if (!st.z)
			return fmt_refuse(e, i, "Node N, zone NAME");
		if (fmt_zoneinfo_protection(&st, &s, list, &n)) {
			unsigned int k = 0;

			for (unsigned int z = 0; z < PZ_ZONE_TYPES; z++)
				if (m->configured & PZL_ZONE_BIT(z) && k < n)
					st.z->protection[z] = list[k++];
			continue;
		}
		s = fmt_line(t, i);
		if (!fmt_zoneinfo_line(&st, &s))
			return fmt_refuse(e, i, "a line of zoneinfo");
	}
	return true;
}

bool fmt_buddyinfo(struct pzl_meminfo *m, const struct text *t, enum pzl_model model,
		   struct fmt_error *e)
{
	unsigned int type;
	uint64_t nid;

	if (!fmt_make(m, t, model))
		return fmt_refuse(e, 0, "memory");
	m->configured = PZL_ZONE_BIT(PZ_ZONE_TYPES) - 1;
	for (size_t i = 0; i < t->n; i++) {
		struct fmt_scan s = fmt_line(t, i);
		struct pzl_mem_node *n;
		uint32_t k = 0;

		if (!fmt_head(&s, &nid, &type, false) || !(n = fmt_node(m, nid)))
			return fmt_refuse(e, i, "Node N, zone NAME");
		n->zone[type].present = 1;
		for (fmt_blanks(&s); !fmt_end(&s); fmt_blanks(&s)) {
			if (k == PZ_PAGE_ORDERS ||
			    !fmt_num(&s, &n->zone[type].order[k][PZ_UNMOVABLE]))
				return fmt_refuse(e, i, "numbers of free blocks");
			k++;
		}
		if (i && k != m->orders)
			return fmt_refuse(e, i, "as many orders as above");
		m->orders = k;
	}
	return true;
}

/* A mobility's name after blanks. */
static bool fmt_type(struct fmt_scan *s, unsigned int *type)
{
	static const char *const names[PZL_MIGRATE_TYPES] = { "Unmovable",  "Movable",
							      "Reclaimable", "HighAtomic",
							      "CMA",	     "Isolate" };
	char word[32];

	fmt_blanks(s);
	if (!fmt_word(s, word, sizeof(word)))
		return false;
	for (*type = 0; *type < PZL_MIGRATE_TYPES; ++*type)
		if (!strcmp(word, names[*type]))
			return true;
	return false;
}

static bool fmt_pagetype_free(struct pzl_meminfo *m, struct pzl_mem_zone *z, struct fmt_scan *s)
{
	unsigned int y;

	if (!fmt_type(s, &y))
		return false;
	m->migrate_types |= 1u << y;
	for (uint32_t k = 0; k < m->orders; k++) {
		fmt_blanks(s);
		(void)fmt_lit(s, ">");
		fmt_blanks(s);
		if (!fmt_num(s, &z->order[k][y]))
			return false;
	}
	fmt_blanks(s);
	return fmt_end(s);
}

bool fmt_pagetypeinfo(struct pzl_meminfo *m, const struct text *t, enum pzl_model model,
		      struct fmt_error *e)
{
	unsigned int type, y, kinds[PZL_MIGRATE_TYPES], count = 0;
	uint64_t nid, v, order = 0;

	if (!fmt_make(m, t, model))
		return fmt_refuse(e, 0, "memory");
	m->configured = PZL_ZONE_BIT(PZ_ZONE_TYPES) - 1;
	m->migrate_types = 0;
	for (size_t i = 0; i < t->n; i++) {
		struct fmt_scan s = fmt_line(t, i);
		struct pzl_mem_node *n;

		if (fmt_end(&s))
			continue;
		if (fmt_lit(&s, "Page block order: ")) {
			if (!fmt_num(&s, &order) || !fmt_end(&s))
				return fmt_refuse(e, i, "an order");
			m->pageblock_order = (uint32_t)order;
		} else if (fmt_lit(&s, "Pages per block:  ")) {
			if (!fmt_num(&s, &v) || !fmt_end(&s) || v != (uint64_t)1 << order)
				return fmt_refuse(e, i, "pages of that order");
		} else if (fmt_lit(&s, "Free pages count per migrate type at order")) {
			m->orders = 0;
			for (fmt_blanks(&s); fmt_num(&s, &v) && v == m->orders; fmt_blanks(&s))
				m->orders++;
			if (!fmt_end(&s) || m->orders > PZ_PAGE_ORDERS)
				return fmt_refuse(e, i, "orders from 0");
		} else if (fmt_lit(&s, "Number of blocks type ")) {
			for (count = 0, fmt_blanks(&s); !fmt_end(&s); fmt_blanks(&s))
				if (count == PZL_MIGRATE_TYPES || !fmt_type(&s, &kinds[count++]))
					return fmt_refuse(e, i, "names of mobilities");
		} else if (fmt_head(&s, &nid, &type, true) && (n = fmt_node(m, nid))) {
			struct pzl_mem_zone *z = &n->zone[type];

			z->present = 1;
			if (fmt_lit(&s, ", type")) {
				if (!fmt_pagetype_free(m, z, &s))
					return fmt_refuse(e, i, "a mobility and numbers");
				continue;
			}
			for (y = 0; y < count; y++) {
				fmt_blanks(&s);
				if (!fmt_num(&s, &z->blocks[kinds[y]]))
					return fmt_refuse(e, i, "numbers of blocks");
			}
			fmt_blanks(&s);
			if (!count || !fmt_end(&s))
				return fmt_refuse(e, i, "as many numbers as mobilities");
		} else {
			return fmt_refuse(e, i, "a line of pagetypeinfo");
		}
	}
	return true;
}
