/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * formats_report.c - a strict reader of reports of failed allocations.
 *
 * A report shows only the zones that the request may use. What its sums count besides is put into
 * one zone that has no line, so that sums are sums also when they are written again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <physzone/linux/arch.h>
#include <physzone/linux/gfp.h>

#include "formats.h"

#define FR_CPUS 2 /* the one that reports, and all others */

const char *fmt_log_line(const struct text *t, size_t i, size_t *len)
{
	const char *p = text_line(t, i, len), *end;

	if (*len && p[0] == '[') {
		end = memchr(p, ']', *len);
		if (end && end + 1 < p + *len && end[1] == ' ') {
			*len -= (size_t)(end + 2 - p);
			p = end + 2;
		}
	}
	return p;
}

/* What the sums of a report say. */
struct fr_sums {
	uint64_t node[PZL_NODE_STATS];
	uint64_t free, free_cma, bounce, ram, high, reserved;
};

struct fr_state {
	struct fmt_report *r;
	struct fr_sums sums;
	struct pzl_mem_node *n;
	struct pzl_mem_zone *z; /* of the last zone line, for its reserves */
	bool node_lines;
	const char *expected;
};

/* "NAME:N" for each of a list of node counters that @names has, separated as it is there. */
static bool fr_sum_line(struct fr_state *st, struct fmt_scan *s, const char *const *names,
			const uint8_t *stats, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!fmt_lit(s, names[i]) || !fmt_num(s, &st->sums.node[stats[i]]))
			return false;
	return true;
}

#define FR_LINE(st, s, names, stats) fr_sum_line(st, s, names, stats, sizeof(stats))

static bool fr_sums_line(struct fr_state *st, struct fmt_scan *s)
{
	static const char *const anon[] = { "active_anon:", " inactive_anon:", " isolated_anon:" };
	static const uint8_t anon_s[] = { PZL_NS_ACTIVE_ANON, PZL_NS_INACTIVE_ANON,
					  PZL_NS_ISOLATED_ANON };
	static const char *const file[] = { " active_file:", " inactive_file:", " isolated_file:" };
	static const uint8_t file_s[] = { PZL_NS_ACTIVE_FILE, PZL_NS_INACTIVE_FILE,
					  PZL_NS_ISOLATED_FILE };
	static const char *const dirty[] = { " unevictable:", " dirty:", " writeback:" };
	static const uint8_t dirty_s[] = { PZL_NS_UNEVICTABLE, PZL_NS_DIRTY, PZL_NS_WRITEBACK };
	static const char *const slab[] = { " slab_reclaimable:", " slab_unreclaimable:" };
	static const uint8_t slab_s[] = { PZL_NS_SLAB_RECLAIMABLE, PZL_NS_SLAB_UNRECLAIMABLE };
	static const char *const mapped[] = { " mapped:", " shmem:", " pagetables:" };
	static const uint8_t mapped_s[] = { PZL_NS_MAPPED, PZL_NS_SHMEM, PZL_NS_PAGE_TABLE_PAGES };
	static const char *const sec[] = { " sec_pagetables:" };
	static const uint8_t sec_s[] = { PZL_NS_SEC_PAGE_TABLE_PAGES };
	static const char *const misc[] = { " kernel_misc_reclaimable:" };
	static const uint8_t misc_s[] = { PZL_NS_KERNEL_MISC_RECLAIMABLE };
	struct fmt_scan at = *s;
	uint64_t pcp;

	if (FR_LINE(st, s, anon, anon_s) || (*s = at, FR_LINE(st, s, file, file_s)) ||
	    (*s = at, FR_LINE(st, s, dirty, dirty_s)) || (*s = at, FR_LINE(st, s, slab, slab_s)) ||
	    (*s = at, FR_LINE(st, s, misc, misc_s)))
		return fmt_end(s);
	*s = at;
	if (FR_LINE(st, s, sec, sec_s)) {
		st->r->m.node_stats |= PZL_NS_BIT(PZL_NS_SEC_PAGE_TABLE_PAGES);
		return fmt_lit(s, " bounce:") && fmt_num(s, &st->sums.bounce) && fmt_end(s);
	}
	*s = at;
	if (FR_LINE(st, s, mapped, mapped_s))
		return fmt_end(s) ||
		       (fmt_lit(s, " bounce:") && fmt_num(s, &st->sums.bounce) && fmt_end(s));
	*s = at;
	return fmt_lit(s, " free:") && fmt_num(s, &st->sums.free) && fmt_lit(s, " free_pcp:") &&
	       fmt_num(s, &pcp) && fmt_lit(s, " free_cma:") && fmt_num(s, &st->sums.free_cma) &&
	       fmt_end(s);
}

/* "NAME:NkB" or "NAME: NkB": pages of 4 KiB, so a multiple of 4. */
static bool fr_kb(struct fmt_scan *s, const char *name, const char *unit, uint64_t *pages)
{
	uint64_t kb;

	if (!fmt_lit(s, name))
		return false;
	(void)fmt_lit(s, " ");
	if (!fmt_num(s, &kb) || !fmt_lit(s, unit) || kb % 4)
		return false;
	*pages = kb / 4;
	return true;
}

struct fr_field {
	const char *name;
	uint8_t stat;
};

static bool fr_node_line(struct fr_state *st, struct fmt_scan *s)
{
	static const struct fr_field fields[] = {
		{ " active_anon:", PZL_NS_ACTIVE_ANON },
		{ " inactive_anon:", PZL_NS_INACTIVE_ANON },
		{ " active_file:", PZL_NS_ACTIVE_FILE },
		{ " inactive_file:", PZL_NS_INACTIVE_FILE },
		{ " unevictable:", PZL_NS_UNEVICTABLE },
		{ " isolated(anon):", PZL_NS_ISOLATED_ANON },
		{ " isolated(file):", PZL_NS_ISOLATED_FILE },
		{ " mapped:", PZL_NS_MAPPED },
		{ " dirty:", PZL_NS_DIRTY },
		{ " writeback:", PZL_NS_WRITEBACK },
		{ " shmem:", PZL_NS_SHMEM },
		{ " shmem_thp:", PZL_NS_SHMEM_HUGEPAGES },
		{ " shmem_pmdmapped:", PZL_NS_SHMEM_PMDMAPPED },
		{ " anon_thp:", PZL_NS_ANON_HUGEPAGES },
		{ " writeback_tmp:", PZL_NS_WRITEBACK_TEMP },
		{ " pagetables:", PZL_NS_PAGE_TABLE_PAGES },
		{ " sec_pagetables:", PZL_NS_SEC_PAGE_TABLE_PAGES },
	};
	struct pzl_meminfo *m = &st->r->m;
	uint64_t nid;

	if (!fmt_lit(s, "Node ") || !fmt_num(s, &nid) || nid >= m->nodes)
		return false;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct fmt_scan at = *s;

		if (fmt_lit(s, " kernel_stack:") &&
		    !(fmt_num(s, &m->node[nid].stat[PZL_NS_KERNEL_STACK]) && fmt_lit(s, "kB")))
			return false;
		at = *s;
		if (fr_kb(s, fields[i].name, "kB", &m->node[nid].stat[fields[i].stat])) {
			if (fields[i].stat == PZL_NS_SHMEM_HUGEPAGES)
				m->shows |= PZL_MI_THP;
			continue;
		}
		*s = at;
		if (i == 0)
			return false;
	}
	m->node[nid].unreclaimable = fmt_lit(s, " all_unreclaimable? yes");
	st->node_lines = true;
	return (m->node[nid].unreclaimable || fmt_lit(s, " all_unreclaimable? no")) && fmt_end(s);
}

/* "Node 0 DMA" or "DMA". */
static bool fr_zone_head(struct fr_state *st, struct fmt_scan *s, bool colon)
{
	static const char *const names[PZ_ZONE_TYPES] = { "DMA",     "DMA32",   "Normal",
							  "HighMem", "Movable", "Device" };
	struct pzl_meminfo *m = &st->r->m;
	uint64_t nid = 0;

	if (fmt_lit(s, "Node ")) {
		if (!fmt_num(s, &nid) || !fmt_lit(s, " ") || nid >= m->nodes)
			return false;
		m->shows |= PZL_MI_NUMA;
	}
	for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
		struct fmt_scan at = *s;

		if (fmt_lit(&at, names[t]) && fmt_lit(&at, colon ? ": " : " ")) {
			st->n = &m->node[nid];
			st->z = &st->n->zone[t];
			*s = at;
			return true;
		}
	}
	return false;
}

static bool fr_zone_line(struct fr_state *st, struct fmt_scan *s)
{
	static const struct fr_field fields[] = {
		{ " active_anon:", PZL_ZS_ACTIVE_ANON },
		{ " inactive_anon:", PZL_ZS_INACTIVE_ANON },
		{ " active_file:", PZL_ZS_ACTIVE_FILE },
		{ " inactive_file:", PZL_ZS_INACTIVE_FILE },
		{ " unevictable:", PZL_ZS_UNEVICTABLE },
		{ " writepending:", PZL_ZS_WRITE_PENDING },
	};
	struct pzl_mem_zone *z;
	uint64_t pcp, local;

	if (!fr_zone_head(st, s, false))
		return false;
	z = st->z;
	if (!fr_kb(s, "free:", "kB", &z->stat[PZL_ZS_FREE_PAGES]))
		return false;
	if (fr_kb(s, " boost:", "kB", &z->boost))
		st->r->m.shows |= PZL_MI_BOOST;
	if (!fr_kb(s, " min:", "kB", &z->min) || !fr_kb(s, " low:", "kB", &z->low) ||
	    !fr_kb(s, " high:", "kB", &z->high) ||
	    !fr_kb(s, " reserved_highatomic:", "KB", &z->reserved_highatomic))
		return false;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!fr_kb(s, fields[i].name, "kB", &z->stat[fields[i].stat]))
			return false;
	if (!fr_kb(s, " present:", "kB", &z->present) ||
	    !fr_kb(s, " managed:", "kB", &z->managed) ||
	    !fr_kb(s, " mlocked:", "kB", &z->stat[PZL_ZS_MLOCK]) ||
	    !fr_kb(s, " bounce:", "kB", &z->stat[PZL_ZS_BOUNCE]) ||
	    !fr_kb(s, " free_pcp:", "kB", &pcp) || !fr_kb(s, " local_pcp:", "kB", &local) ||
	    !fr_kb(s, " free_cma:", "kB", &z->stat[PZL_ZS_FREE_CMA]) || local > pcp)
		return false;
	z->pcp[0].count = (uint32_t)local;
	z->pcp[1].count = (uint32_t)(pcp - local);
	return fmt_end(s);
}

static bool fr_reserve_line(struct fr_state *st, struct fmt_scan *s)
{
	struct pzl_meminfo *m = &st->r->m;
	uint64_t list[PZ_ZONE_TYPES];
	unsigned int n = 0, k = 0;

	if (!fmt_lit(s, "lowmem_reserve[]:") || !st->z)
		return false;
	while (n < PZ_ZONE_TYPES && fmt_lit(s, " "))
		if (!fmt_num(s, &list[n++]))
			return false;
	if (!fmt_end(s) || n < 4)
		return false;
	/* how many zones there are says which, on the architectures that are recorded */
	m->configured = PZL_ZONE_BIT(PZ_ZONE_TYPES) - 1 - PZL_ZONE_BIT(PZ_ZONE_HIGHMEM);
	if (n == 4)
		m->configured -= PZL_ZONE_BIT(PZ_ZONE_DEVICE);
	for (unsigned int t = 0; t < PZ_ZONE_TYPES && k < n; t++)
		if (m->configured & PZL_ZONE_BIT(t))
			st->z->protection[t] = list[k++];
	return true;
}

/* "Node 0 DMA: 1*4kB (U) ... = 4kB" */
static bool fr_order_line(struct fr_state *st, struct fmt_scan *s)
{
	static const char letters[] = "UMEHCI";
	uint64_t count, kb, sum = 0;
	uint32_t k = 0;

	if (!fr_zone_head(st, s, true))
		return false;
	while (!fmt_lit(s, "= ")) {
		unsigned int types = 0, first = PZL_MIGRATE_TYPES;

		if (k == PZ_PAGE_ORDERS || !fmt_num(s, &count) || !fmt_lit(s, "*") ||
		    !fmt_num(s, &kb) || kb != (uint64_t)4 << k || !fmt_lit(s, "kB "))
			return false;
		sum += count * kb;
		if (fmt_lit(s, "(")) {
			for (unsigned int y = 0; y < PZL_MIGRATE_TYPES; y++) {
				char letter[2] = { letters[y], 0 };

				if (!fmt_lit(s, letter))
					continue;
				first = first < y ? first : y;
				st->z->order[k][y] = 1;
				types++;
			}
			if (!types || types > count || !fmt_lit(s, ") "))
				return false;
			st->z->order[k][first] = count - types + 1;
		} else if (count) {
			return false;
		}
		k++;
	}
	st->r->m.orders = k;
	return fmt_num(s, &kb) && kb == sum && fmt_lit(s, "kB") && fmt_end(s);
}

static bool fr_huge_line(struct fr_state *st, struct fmt_scan *s)
{
	struct pzl_meminfo *m = &st->r->m;
	uint64_t nid, total, free, surplus, kb;
	uint32_t i = 0;

	if (!fmt_lit(s, "Node ") || !fmt_num(s, &nid) || nid >= m->nodes ||
	    !fmt_lit(s, " hugepages_total=") || !fmt_num(s, &total) ||
	    !fmt_lit(s, " hugepages_free=") || !fmt_num(s, &free) ||
	    !fmt_lit(s, " hugepages_surp=") || !fmt_num(s, &surplus) ||
	    !fmt_lit(s, " hugepages_size=") || !fmt_num(s, &kb) || !fmt_lit(s, "kB") || !fmt_end(s))
		return false;
	while (i < m->huge_sizes && m->huge_kb[i] != kb)
		i++;
	if (i == PZL_HUGE_SIZES)
		return false;
	if (i == m->huge_sizes)
		m->huge_sizes++;
	m->huge_kb[i] = kb;
	m->node[nid].huge[i] = (struct pzl_mem_huge){ total, free, surplus };
	return true;
}

static bool fr_end_line(struct fr_state *st, struct fmt_scan *s)
{
	struct pzl_meminfo *m = &st->r->m;
	struct fmt_scan at = *s;
	uint64_t v;

	if (fr_kb(s, "Free swap  = ", "kB", &m->swap_free) ||
	    (*s = at, fr_kb(s, "Total swap = ", "kB", &m->swap_total)))
		return fmt_end(s);
	*s = at;
	if (!fmt_num(s, &v))
		return false;
	if (fmt_lit(s, " total pagecache pages")) {
		st->sums.node[PZL_NS_FILE_PAGES] = v;
	} else if (fmt_lit(s, " pages in swap cache")) {
		m->swap_cache = v;
		m->shows |= PZL_MI_SWAP;
	} else if (fmt_lit(s, " pages RAM")) {
		st->sums.ram = v;
	} else if (fmt_lit(s, " pages HighMem/MovableOnly")) {
		st->sums.high = v;
	} else if (fmt_lit(s, " pages reserved")) {
		st->sums.reserved = v;
	} else if (fmt_lit(s, " pages cma reserved")) {
		m->total_cma = v;
		m->shows |= PZL_MI_TOTAL_CMA;
	} else if (fmt_lit(s, " pages hwpoisoned")) {
		m->hwpoisoned = v;
		m->shows |= PZL_MI_HWPOISON;
	} else {
		return false;
	}
	return fmt_end(s);
}

static bool fr_any_line(struct fr_state *st, struct fmt_scan s)
{
	static bool (*const kinds[])(struct fr_state *, struct fmt_scan *) = {
		fr_sums_line,	 fr_node_line,	fr_zone_line, fr_reserve_line,
		fr_order_line, fr_huge_line, fr_end_line,
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct fmt_scan at = s;

		if (kinds[i](st, &at))
			return true;
	}
	return false;
}

/* Put what the sums count beyond the lines into a zone without one. */
static bool fr_settle(struct fr_state *st, unsigned int highest)
{
	struct pzl_meminfo *m = &st->r->m;
	uint64_t free = 0, cma = 0, bounce = 0, present = 0, managed = 0;
	struct pzl_mem_zone *rest = NULL;

	for (unsigned int t = highest + 1; t < PZ_ZONE_TYPES && !rest; t++)
		if (m->configured & PZL_ZONE_BIT(t))
			rest = &m->node[0].zone[t];
	for (uint32_t i = 0; i < m->nodes; i++) {
		for (unsigned int t = 0; t < PZ_ZONE_TYPES; t++) {
			free += m->node[i].zone[t].stat[PZL_ZS_FREE_PAGES];
			cma += m->node[i].zone[t].stat[PZL_ZS_FREE_CMA];
			bounce += m->node[i].zone[t].stat[PZL_ZS_BOUNCE];
			present += m->node[i].zone[t].present;
			managed += m->node[i].zone[t].managed;
		}
	}
	if (rest) {
		rest->stat[PZL_ZS_FREE_PAGES] = st->sums.free - free;
		rest->stat[PZL_ZS_FREE_CMA] = st->sums.free_cma - cma;
		rest->stat[PZL_ZS_BOUNCE] = st->sums.bounce - bounce;
		rest->present = st->sums.ram - present;
		rest->managed = st->sums.ram - st->sums.reserved - managed;
	}
	/* counters of nodes: those without a line of their own stand in the sums only */
	for (unsigned int k = 0; k < PZL_NODE_STATS; k++) {
		uint64_t sum = 0;

		for (uint32_t i = 0; i < m->nodes; i++)
			sum += m->node[i].stat[k];
		if (!st->node_lines || !sum)
			m->node[0].stat[k] = st->sums.node[k] ? st->sums.node[k] :
								m->node[0].stat[k];
	}
	return true;
}

/* Copy what stands before @stop, or the rest of the line. */
static bool fr_until(struct fmt_scan *s, const char *stop, char *to, size_t size)
{
	size_t n = 0, k = strlen(stop);

	while (s->p < s->end && !(k && (size_t)(s->end - s->p) >= k && !memcmp(s->p, stop, k))) {
		if (n + 1 == size)
			return false;
		to[n++] = *s->p++;
	}
	to[n] = 0;
	return !k || fmt_lit(s, stop);
}

static bool fr_first_line(struct fmt_report *r, struct fmt_scan s)
{
	char mode[256], mask[64];
	uint64_t order;

	if (!fr_until(&s, ": page allocation failure: order:", r->names[0], sizeof(r->names[0])) ||
	    !fmt_num(&s, &order) || !fmt_lit(&s, ", mode:") ||
	    !fr_until(&s, ", nodemask=", mode, sizeof(mode)) ||
	    pzl_gfp_parse(mode, strlen(mode), r->m.model, &r->f.gfp))
		return false;
	r->f.comm = r->names[0];
	r->f.order = (uint32_t)order;
	r->f.cpuset = r->f.nodemask = r->f.mems_allowed = NULL;
	if (!fmt_lit(&s, "(null)")) {
		if (!fmt_word(&s, mask, sizeof(mask)))
			return false;
		memcpy(r->names[1], mask, sizeof(mask));
		r->f.nodemask = r->names[1];
	}
	if (fmt_end(&s))
		return true;
	if (!fmt_lit(&s, ",cpuset=") ||
	    !fr_until(&s, ",mems_allowed=", r->names[2], sizeof(r->names[2])) ||
	    !fr_until(&s, "", r->names[3], sizeof(r->names[3])))
		return false;
	r->f.cpuset = r->names[2];
	r->f.mems_allowed = r->names[3];
	return true;
}

static struct fmt_scan fr_line(const struct text *t, size_t i)
{
	struct fmt_scan s;
	size_t len;

	s.p = fmt_log_line(t, i, &len);
	s.end = s.p + len;
	return s;
}

bool fmt_report_read(struct fmt_report *r, const struct text *t, size_t line, enum pzl_model model,
		     struct fmt_error *e)
{
	struct fr_state st;
	struct fmt_scan s;

	memset(r, 0, sizeof(*r));
	memset(&st, 0, sizeof(st));
	st.r = r;
	e->line = line + 1;
	e->expected = "memory";
	if (pzl_meminfo_init(&r->m, &fmt_meta, model, 1, FR_CPUS))
		return false;
	r->m.shows = 0;
	r->m.node_stats &= ~PZL_NS_BIT(PZL_NS_SEC_PAGE_TABLE_PAGES);
	r->first = line;
	e->expected = "NAME: page allocation failure: order:N, mode:0xN(FLAGS), nodemask=LIST";
	if (!fr_first_line(r, fr_line(t, line)))
		return false;
	e->expected = "Mem-Info: within 200 lines";
	for (r->mem_info = line + 1;; r->mem_info++) {
		if (r->mem_info >= t->n || r->mem_info > line + 200)
			return false;
		s = fr_line(t, r->mem_info);
		if (fmt_lit(&s, "Mem-Info:") && fmt_end(&s))
			break;
	}
	for (r->end = r->mem_info + 1; r->end < t->n; r->end++)
		if (!fr_any_line(&st, fr_line(t, r->end)))
			break;
	e->line = r->end + 1;
	e->expected = "a line with what is reserved before the report ends";
	if (!st.sums.ram || !st.z)
		return false;
	return fr_settle(&st, (unsigned int)pzl_gfp_zone(r->f.gfp, r->m.configured));
}
