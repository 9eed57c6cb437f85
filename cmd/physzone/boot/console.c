/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console.c - what the kernel prints about a request that fails: the report of the page allocator,
 * from the state that the rebuilt machine is in.
 *
 * The stack of the task stands for itself in a log and is left out here, as are the counters of
 * users of memory, which no allocator knows: they are 0, as nearly all of them are at that time.
 */
#include "boot.h"

#include <stdlib.h>
#include <string.h>

#include <physzone/linux/meminfo.h>

void boot_console_line(void *ctx, const char *line, size_t len)
{
	struct out *o = ctx;

	out_mem(o, line, len);
	out_char(o, '\n');
}

/* The list of nodes with memory, as "0-1,3". */
static char *console_nodes(const struct pz_zones *z)
{
	struct out text;
	char *s;

	out_init(&text, NULL);
	for (uint32_t i = 0; i < z->node_count; i++) {
		uint32_t k = i;

		if (!z->node[i].end_pfn)
			continue;
		while (k + 1 < z->node_count && z->node[k + 1].end_pfn &&
		       z->node[k + 1].nid == z->node[k].nid + 1)
			k++;
		out_printf(&text, text.n ? ",%d" : "%d", z->node[i].nid);
		if (k > i)
			out_printf(&text, "-%d", z->node[k].nid);
		i = k;
	}
	s = xstrdup(out_text(&text));
	out_destroy(&text);
	return s;
}

void boot_console_failure(struct boot *b, const struct facts *f, unsigned int order, uint32_t gfp)
{
	struct pzl_failure fail;
	struct pzl_meminfo m;
	char *nodes;

	if (b->physzone || b->console_limited || (gfp & PZL_GFP_NOWARN))
		return;
	if (pzl_meminfo_from_zones(&m, &an_meta, b->rules, &b->start.z,
				   f->cpus && f->cpus <= PZ_PAGE_MAX_CPUS ? f->cpus : 1))
		return;
	if (!pzl_meminfo_from_pages(&m, b->pages) && !pzl_failure_silent(&m, gfp)) {
		memset(&fail, 0, sizeof(fail));
		nodes = console_nodes(&b->start.z);
		fail.comm = "swapper/0";
		fail.order = order;
		fail.gfp = gfp;
		fail.cpuset = "/";
		fail.mems_allowed = nodes;
		for (size_t i = 0; i < b->start.areas.n; i++)
			m.total_cma += view_range_size(b->start.areas.v[i].at.range) >>
				       b->analysis.page_shift;
		pzl_print_failure_line(&m, &fail, boot_console_line, &b->console);
		pzl_print_mem_info(&m, pzl_gfp_zone(gfp, b->start.configured), 0, boot_console_line,
				   &b->console);
		free(nodes);
		b->console_limited = true;
	}
	pzl_meminfo_destroy(&m);
}
