/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_meminfo.c - Linux's texts of memory from numbers made up here. Recorded texts are
 * compared in tests/golden; here stand the forms that no recording has.
 */
#include <physzone/linux/arch.h>
#include <physzone/linux/meminfo.h>

#include "suites_decl.h"
#include "tap.h"

struct mi_text {
	struct pzl_text_buffer b;
	char buf[8192];
};

static bool mi_is(const struct mi_text *t, const char *want)
{
	size_t i = 0;

	while (want[i] && want[i] == t->buf[i])
		i++;
	return want[i] == t->buf[i] && t->b.n == i;
}

/* Whether a text has a line. */
static bool mi_has(const struct mi_text *t, const char *line)
{
	for (size_t i = 0; t->buf[i];) {
		size_t k = 0;

		while (line[k] && t->buf[i + k] == line[k])
			k++;
		if (!line[k] && t->buf[i + k] == '\n')
			return true;
		while (t->buf[i] && t->buf[i++] != '\n')
			continue;
	}
	return false;
}

static void mi_clear(struct mi_text *t)
{
	t->b.buf = t->buf;
	t->b.size = sizeof(t->buf);
	t->b.n = 0;
	t->buf[0] = 0;
}

/* A machine of one zone with a few blocks. */
static void mi_machine(struct pzl_meminfo *m)
{
	struct pzl_mem_zone *z = &m->node[0].zone[PZ_ZONE_NORMAL];

	z->present = z->spanned = 4096;
	z->managed = 4000;
	z->start_pfn = 4096;
	z->min = 11;
	z->low = 13;
	z->high = 15;
	z->promo = 17;
	z->boost = 2;
	z->stat[PZL_ZS_FREE_PAGES] = 21;
	z->order[0][PZ_UNMOVABLE] = 1;
	z->order[0][PZ_ISOLATE] = 4;
	z->order[2][PZ_RECLAIMABLE] = 2;
	z->order[3][PZ_HIGHATOMIC] = 1;
	z->blocks[PZ_MOVABLE] = 7;
	z->protection[PZ_ZONE_MOVABLE] = 9;
}

static void mi_small(struct pzl_meminfo *m)
{
	m->configured = PZL_ZONE_BIT(PZ_ZONE_NORMAL) | PZL_ZONE_BIT(PZ_ZONE_MOVABLE);
	m->zone_stats = PZL_ZS_BIT(PZL_ZS_FREE_PAGES) | PZL_ZS_BIT(PZL_ZS_MLOCK);
	m->node_stats = PZL_NS_BIT(PZL_NS_ANON_HUGEPAGES) | PZL_NS_BIT(PZL_NS_KERNEL_STACK);
	m->orders = 4;
	m->pageblock_order = 3;
	m->migrate_types = 1u << PZ_UNMOVABLE | 1u << PZ_MOVABLE;
}

static void mi_proc(struct tap *t, struct mi_text *text)
{
	struct pzl_meminfo m;

	CHECK(t, !pzl_meminfo_init(&m, t->meta, PZL_LINUX_6_12, 1, 2));
	mi_machine(&m);
	mi_small(&m);
	m.node[0].stat[PZL_NS_ANON_HUGEPAGES] = 1024;
	m.node[0].stat[PZL_NS_KERNEL_STACK] = 48;
	m.node[0].zone[PZ_ZONE_NORMAL].pcp[1].count = 5;
	m.node[0].unreclaimable = true;
	mi_clear(text);
	pzl_print_zoneinfo(&m, pzl_emit_to_buffer, &text->b);
	CHECK(t, mi_is(text, "Node 0, zone   Normal\n"
			     "  per-node stats\n"
			     "      nr_anon_transparent_hugepages 2\n"
			     "      nr_kernel_stack 48\n"
			     "  pages free     21\n"
			     "        boost    2\n"
			     "        min      11\n"
			     "        low      13\n"
			     "        high     15\n"
			     "        promo    17\n"
			     "        spanned  4096\n"
			     "        present  4096\n"
			     "        managed  4000\n"
			     "        cma      0\n"
			     "        protection: (0, 9)\n"
			     "      nr_free_pages 21\n"
			     "      nr_mlock     0\n"
			     "  pagesets\n"
			     "    cpu: 0\n"
			     "              count: 0\n"
			     "              high:  0\n"
			     "              batch: 0\n"
			     "  vm stats threshold: 0\n"
			     "    cpu: 1\n"
			     "              count: 5\n"
			     "              high:  0\n"
			     "              batch: 0\n"
			     "  vm stats threshold: 0\n"
			     "  node_unreclaimable:  1\n"
			     "  start_pfn:           4096\n"
			     "Node 0, zone  Movable\n"
			     "  pages free     0\n"
			     "        boost    0\n"
			     "        min      0\n"
			     "        low      0\n"
			     "        high     0\n"
			     "        promo    0\n"
			     "        spanned  0\n"
			     "        present  0\n"
			     "        managed  0\n"
			     "        cma      0\n"
			     "        protection: (0, 0)\n"));
	mi_clear(text);
	pzl_print_buddyinfo(&m, pzl_emit_to_buffer, &text->b);
	CHECK(t, mi_is(text, "Node 0, zone   Normal      5      0      2      1 \n"));

	m.node[0].zone[PZ_ZONE_NORMAL].order[1][PZ_UNMOVABLE] = 99999;
	m.node[0].zone[PZ_ZONE_NORMAL].order[1][PZ_MOVABLE] = 100000;
	m.node[0].zone[PZ_ZONE_NORMAL].order[2][PZ_MOVABLE] = 123456;
	mi_clear(text);
	pzl_print_pagetypeinfo(&m, pzl_emit_to_buffer, &text->b);
	CHECK(t, mi_is(text, "Page block order: 3\n"
			     "Pages per block:  8\n"
			     "\n"
			     "Free pages count per migrate type at order       0      1      2"
			     "      3 \n"
			     "Node    0, zone   Normal, type    Unmovable      1  99999      0"
			     "      0 \n"
			     "Node    0, zone   Normal, type      Movable      0 >100000 >100000"
			     "      0 \n"
			     "\n"
			     "Number of blocks type     Unmovable      Movable \n"
			     "Node 0, zone   Normal            0            7 \n"));
	m.configured |= PZL_ZONE_BIT(PZ_ZONE_DMA);
	m.node[0].zone[PZ_ZONE_DMA].spanned = 1;
	m.node_stats = 0;
	mi_clear(text);
	pzl_print_zoneinfo(&m, pzl_emit_to_buffer, &text->b);
	CHECK_NAMED(t, text->buf[24] == 'p' && text->buf[25] == 'a',
		    "a zone without memory does not have the node's counters");
	m.node[0].zone[PZ_ZONE_NORMAL].present = 0;
	mi_clear(text);
	pzl_print_pagetypeinfo(&m, pzl_emit_to_buffer, &text->b);
	CHECK_NAMED(t, text->b.n == 0, "a node without memory has no pagetypeinfo");
	pzl_meminfo_destroy(&m);
}

static void mi_report_lines(struct tap *t, const struct mi_text *text, enum pzl_model model)
{
	bool new = model == PZL_LINUX_6_12, old = model == PZL_LINUX_5_15;

	CHECK(t, mi_has(text, "Mem-Info:"));
	CHECK(t, mi_has(text, old ? " mapped:0 shmem:0 pagetables:3 bounce:0" :
				    " mapped:0 shmem:0 pagetables:3"));
	CHECK(t, mi_has(text, " sec_pagetables:0 bounce:0") == !old);
	CHECK(t, mi_has(text, " free:21 free_pcp:5 free_cma:0"));
	CHECK(t, mi_has(text,
			new ? "Node 0 active_anon:0kB inactive_anon:0kB active_file:0kB "
			      "inactive_file:0kB unevictable:0kB isolated(anon):0kB "
			      "isolated(file):0kB mapped:0kB dirty:0kB writeback:0kB shmem:0kB "
			      "shmem_thp:0kB shmem_pmdmapped:0kB anon_thp:4096kB "
			      "writeback_tmp:0kB kernel_stack:48kB pagetables:12kB "
			      "sec_pagetables:0kB all_unreclaimable? yes" :
			old ? "Node 0 active_anon:0kB inactive_anon:0kB active_file:0kB "
			      "inactive_file:0kB unevictable:0kB isolated(anon):0kB "
			      "isolated(file):0kB mapped:0kB dirty:0kB writeback:0kB shmem:0kB "
			      "shmem_thp: 0kB shmem_pmdmapped: 0kB anon_thp: 4096kB "
			      "writeback_tmp:0kB kernel_stack:48kB pagetables:12kB "
			      "all_unreclaimable? yes" :
			      "Node 0 active_anon:0kB inactive_anon:0kB active_file:0kB "
			      "inactive_file:0kB unevictable:0kB isolated(anon):0kB "
			      "isolated(file):0kB mapped:0kB dirty:0kB writeback:0kB shmem:0kB "
			      "shmem_thp: 0kB shmem_pmdmapped: 0kB anon_thp: 4096kB "
			      "writeback_tmp:0kB kernel_stack:48kB pagetables:12kB "
			      "sec_pagetables:0kB all_unreclaimable? yes"));
	CHECK(t, mi_has(text, old ? "Node 0 Normal free:84kB min:44kB low:52kB high:60kB "
				    "reserved_highatomic:0KB active_anon:0kB inactive_anon:0kB "
				    "active_file:0kB inactive_file:0kB unevictable:0kB "
				    "writepending:0kB present:16384kB managed:16000kB "
				    "mlocked:0kB bounce:0kB free_pcp:20kB local_pcp:0kB "
				    "free_cma:0kB" :
				    "Node 0 Normal free:84kB boost:8kB min:44kB low:52kB "
				    "high:60kB reserved_highatomic:0KB active_anon:0kB "
				    "inactive_anon:0kB active_file:0kB inactive_file:0kB "
				    "unevictable:0kB writepending:0kB present:16384kB "
				    "managed:16000kB mlocked:0kB bounce:0kB free_pcp:20kB "
				    "local_pcp:0kB free_cma:0kB"));
	CHECK(t, mi_has(text, "lowmem_reserve[]: 0 0 0 9 0"));
	CHECK(t, mi_has(text, "Node 0 Normal: 5*4kB (UI) 0*8kB 2*16kB (E) 1*32kB (H) 0*64kB "
			      "0*128kB 0*256kB 0*512kB 0*1024kB 0*2048kB 0*4096kB = 84kB"));
	CHECK(t, mi_has(text, "4097 pages RAM"));
	CHECK(t, mi_has(text, "0 pages HighMem/MovableOnly"));
	CHECK(t, mi_has(text, "97 pages reserved"));
	CHECK(t, mi_has(text, "0 pages hwpoisoned"));
}

/* Whether a line of the text begins so. */
static bool mi_begins(const struct mi_text *t, const char *start)
{
	for (size_t i = 0; t->buf[i];) {
		size_t k = 0;

		while (start[k] && t->buf[i + k] == start[k])
			k++;
		if (!start[k])
			return true;
		while (t->buf[i] && t->buf[i++] != '\n')
			continue;
	}
	return false;
}

/* Whether a line that begins with @start ends with @end. */
static bool mi_ends(const struct mi_text *t, const char *start, const char *end)
{
	size_t len = 0;

	while (end[len])
		len++;
	for (size_t i = 0; t->buf[i]; i++) {
		size_t k = 0, n = i;

		while (start[k] && t->buf[i + k] == start[k])
			k++;
		while (t->buf[n] && t->buf[n] != '\n')
			n++;
		if (!start[k] && n - i >= len) {
			for (k = 0; k < len && t->buf[n - len + k] == end[k];)
				k++;
			return k == len;
		}
		i = n;
	}
	return false;
}

static void mi_report(struct tap *t, struct mi_text *text)
{
	struct pzl_failure f = { "insmod", 5, 0xcc1, NULL, "/", "0-1", 0 };
	struct pzl_meminfo m;

	for (unsigned int model = 0; model < PZL_MODELS; model++) {
		CHECK(t, !pzl_meminfo_init(&m, t->meta, (enum pzl_model)model, 2, 2));
		mi_machine(&m);
		m.node[0].stat[PZL_NS_ANON_HUGEPAGES] = 1024;
		m.node[0].stat[PZL_NS_KERNEL_STACK] = 48;
		m.node[0].stat[PZL_NS_PAGE_TABLE_PAGES] = 3;
		m.node[0].zone[PZ_ZONE_NORMAL].pcp[1].count = 5;
		m.node[0].unreclaimable = true;
		m.node[0].zone[PZ_ZONE_DMA].present = 1;
		mi_clear(text);
		pzl_print_mem_info(&m, PZ_ZONE_NORMAL, 0, pzl_emit_to_buffer, &text->b);
		mi_report_lines(t, text, (enum pzl_model)model);
		CHECK_NAMED(t, mi_begins(text, "Node 1 active_anon") == (model == PZL_LINUX_5_15),
			    "only 5.15 shows a node without managed pages");
		mi_clear(text);
		pzl_print_mem_info(&m, PZ_ZONE_DMA, 0, pzl_emit_to_buffer, &text->b);
		CHECK_NAMED(t, mi_begins(text, "Node 0 DMA free:") &&
				       mi_begins(text, "Node 0 Normal") == (model == 0) &&
				       mi_begins(text, "Node 0 active_anon") == (model == 0),
			    "only 5.15 shows what the request cannot use");
		mi_clear(text);
		pzl_print_mem_info(&m, PZ_ZONE_NORMAL, 1, pzl_emit_to_buffer, &text->b);
		CHECK_NAMED(t, mi_ends(text, "Node 0 Normal free:",
				       "free_pcp:20kB local_pcp:20kB free_cma:0kB"),
			    "the cache of the CPU that reports");
		CHECK(t, pzl_failure_silent(&m, f.gfp) == (model != PZL_LINUX_5_15));
		CHECK(t, !pzl_failure_silent(&m, 0xcc0) && pzl_failure_silent(&m, 0x2cc0));
		m.node[0].zone[PZ_ZONE_DMA].managed = 1;
		CHECK(t, !pzl_failure_silent(&m, f.gfp));

		m.node[0].hidden = true;
		m.shows = PZL_MI_TOTAL_CMA;
		m.total_cma = 16;
		m.movable_highmem = true;
		m.node[0].zone[PZ_ZONE_MOVABLE].present = 6;
		m.node[1].zone[PZ_ZONE_HIGHMEM].present = 5;
		m.node[1].zone[PZ_ZONE_NORMAL].present = 1;
		m.huge_sizes = 1;
		m.huge_kb[0] = 2048;
		m.node[1].huge[0].total = 3;
		mi_clear(text);
		pzl_print_mem_info(&m, PZ_ZONE_NORMAL, 0, pzl_emit_to_buffer, &text->b);
		CHECK(t, !mi_begins(text, "Node 0 ") && mi_begins(text, "Normal free:0kB "));
		CHECK(t, mi_has(text, "Node 1 hugepages_total=3 hugepages_free=0 hugepages_surp=0 "
				      "hugepages_size=2048kB"));
		CHECK(t, mi_has(text, "11 pages HighMem/MovableOnly"));
		CHECK(t, mi_has(text, "16 pages cma reserved"));
		CHECK(t, !mi_has(text, "0 pages hwpoisoned") && !mi_begins(text, "Free swap"));
		pzl_meminfo_destroy(&m);
	}
	CHECK(t, !pzl_meminfo_init(&m, t->meta, PZL_LINUX_6_1, 1, 1));
	mi_clear(text);
	pzl_print_failure_line(&m, &f, pzl_emit_to_buffer, &text->b);
	CHECK(t, mi_is(text, "insmod: page allocation failure: order:5, mode:0xcc1(GFP_KERNEL|"
			     "GFP_DMA), nodemask=(null),cpuset=/,mems_allowed=0-1\n"));
	f.gfp = 0;
	f.nodemask = "1";
	f.cpuset = NULL;
	mi_clear(text);
	pzl_print_failure_line(&m, &f, pzl_emit_to_buffer, &text->b);
	CHECK(t, mi_is(text, "insmod: page allocation failure: order:5, mode:0x0(), nodemask=1\n"));
	pzl_meminfo_destroy(&m);
}

static void mi_limits(struct tap *t, struct mi_text *text)
{
	struct pzl_meminfo m;
	char small[8];
	struct pzl_text_buffer b = { small, sizeof(small), 0 };

	CHECK(t, pzl_meminfo_init(&m, t->meta, PZL_MODELS, 1, 1) == -PZ_EINVAL);
	CHECK(t, pzl_meminfo_init(&m, t->meta, PZL_LINUX_6_1, 0, 1) == -PZ_EINVAL);
	CHECK(t, pzl_meminfo_init(&m, t->meta, PZL_LINUX_6_1, 1, 0) == -PZ_EINVAL);
	CHECK(t, pzl_meminfo_init(&m, NULL, PZL_LINUX_6_1, 1, 1) == -PZ_ENOMEM);
	pzl_meminfo_destroy(&m);
	CHECK(t, !pzl_meminfo_init(&m, t->meta, PZL_LINUX_6_1, 1, 1));
	mi_machine(&m);
	mi_clear(text);
	pzl_print_zoneinfo(&m, pzl_emit_to_buffer, &text->b);
	pzl_print_zoneinfo(&m, pzl_emit_to_buffer, &b);
	CHECK_NAMED(t, b.n == text->b.n && small[6] == text->buf[6] && small[7] == 0,
		    "text that does not fit is cut, and its length told");
	b.size = 0;
	b.n = 0;
	pzl_emit_to_buffer(&b, "abc", 3);
	CHECK(t, b.n == 4);
	pzl_meminfo_set_page_shift(&m, 16);
	CHECK(t, m.thp_order == 13 && m.pageblock_order == 10);
	pzl_meminfo_set_page_shift(&m, 14);
	CHECK(t, m.thp_order == 11 && m.pageblock_order == 10);
	pzl_meminfo_destroy(&m);
	CHECK(t, pzl_zone_stat_name(PZL_ZONE_STATS)[0] == '?');
	CHECK(t, pzl_node_stat_name(PZL_NODE_STATS)[0] == '?');
	CHECK(t, pzl_migrate_type_name(PZL_MIGRATE_TYPES)[0] == '?');
	/* every number at its largest: no line is cut */
	CHECK(t, !pzl_meminfo_init(&m, t->meta, PZL_LINUX_6_12, 1, 1));
	for (unsigned int s = 0; s < PZL_ZONE_STATS; s++)
		m.node[0].zone[PZ_ZONE_NORMAL].stat[s] = UINT64_MAX >> 2;
	for (unsigned int s = 0; s < PZL_NODE_STATS; s++)
		m.node[0].stat[s] = UINT64_MAX >> 2;
	m.node[0].zone[PZ_ZONE_NORMAL].present = UINT64_MAX >> 2;
	m.node[0].zone[PZ_ZONE_NORMAL].managed = UINT64_MAX >> 2;
	m.orders = PZ_PAGE_ORDERS;
	for (unsigned int k = 0; k < PZ_PAGE_ORDERS; k++)
		for (unsigned int y = 0; y < PZL_MIGRATE_TYPES; y++)
			m.node[0].zone[PZ_ZONE_NORMAL].order[k][y] = 999999999;
	mi_clear(text);
	pzl_print_mem_info(&m, PZ_ZONE_NORMAL, 0, pzl_emit_to_buffer, &text->b);
	CHECK(t, text->b.n < text->b.size && mi_has(text, "lowmem_reserve[]: 0 0 0 0 0"));
	CHECK(t, mi_begins(text, "Node 0 Normal: 5999999994*4kB (UMEHCI) "));
	pzl_meminfo_destroy(&m);
}

static void mi_zones(struct tap *t)
{
	/* Managed pages, CPUs, page shift, and the recorded threshold; the last is the largest. */
	static const uint64_t recorded[][4] = {
		{ 3840, 1, 12, 2 },    { 48851, 1, 12, 4 },  { 499763, 1, 12, 10 },
		{ 13970, 1, 14, 4 },   { 31825, 1, 16, 10 }, { 3840, 8, 12, 8 },
		{ 243474, 8, 12, 32 }, { 754605, 8, 12, 48 }, { 67108864, 64, 12, 125 },
	};
	struct pz_zones z = { .cfg = { .configured = PZL_ZONE_BIT(PZ_ZONE_NORMAL) |
						     PZL_ZONE_BIT(PZ_ZONE_MOVABLE),
				       .page_shift = 12,
				       .max_order_pages = 1024 } };
	struct pzl_meminfo m;
	struct pz_node n = { .nid = 3 };
	struct pz_zone *zone = &n.zone[PZ_ZONE_NORMAL];

	z.node = &n;
	z.node_count = 1;
	zone->start_pfn = 5;
	zone->spanned = 30;
	zone->present = 20;
	zone->managed = 10;
	zone->cma = 4;
	zone->min = 100;
	zone->low = 125;
	zone->high = 150;
	zone->reserve[PZ_ZONE_MOVABLE] = 7;
	zone->pcp_batch = 63;
	zone->pcp_high = 400;
	CHECK(t, !pzl_meminfo_from_zones(&m, t->meta, PZL_LINUX_6_12, &z, 2));
	CHECK(t, m.nodes == 1 && m.cpus == 2 && m.node[0].nid == 3 && m.orders == 11);
	CHECK(t, m.configured == z.cfg.configured && m.pageblock_order == 9);
	CHECK(t, m.node[0].zone[PZ_ZONE_NORMAL].promo == 175 && m.total_cma == 4);
	CHECK(t, m.node[0].zone[PZ_ZONE_NORMAL].protection[PZ_ZONE_MOVABLE] == 7);
	CHECK(t, m.node[0].zone[PZ_ZONE_NORMAL].start_pfn == 5);
	CHECK(t, m.node[0].zone[PZ_ZONE_NORMAL].pcp[1].batch == 63);
	CHECK(t, m.node[0].zone[PZ_ZONE_NORMAL].pcp[1].high == 400);
	CHECK(t, m.migrate_types == 0x3f && m.shows & PZL_MI_TOTAL_CMA && !m.movable_highmem);
	pzl_meminfo_destroy(&m);
	for (unsigned int i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++) {
		zone->managed = recorded[i][0];
		z.cfg.page_shift = (uint32_t)recorded[i][2];
		CHECK(t, !pzl_meminfo_from_zones(&m, t->meta, PZL_LINUX_6_1, &z,
						 (uint32_t)recorded[i][1]));
		CHECK_NAMED(t, m.node[0].zone[PZ_ZONE_NORMAL].pcp[0].threshold == recorded[i][3],
			    "threshold of counters");
		pzl_meminfo_destroy(&m);
	}
}

void contract_linux_meminfo(struct tap *t)
{
	struct mi_text *text = t->meta->alloc(t->meta->ctx, sizeof(*text));

	if (!text) {
		CHECK_NAMED(t, false, "memory");
		return;
	}
	mi_proc(t, text);
	mi_report(t, text);
	mi_limits(t, text);
	mi_zones(t);
	t->meta->free(t->meta->ctx, text, sizeof(*text));
}
