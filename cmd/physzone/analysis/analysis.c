/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * analysis.c - from facts to the machine: which kernel it is, its zones' limits, the layout.
 * internal.h names the parts and their order.
 */
#include "internal.h"

#include <physzone/linux/direct.h>

#include <stdlib.h>
#include <string.h>

static int analysis_model(struct an_ctx *c, const struct analysis_options *o, char **err)
{
	enum pzl_fit fit;

	if (o->model) {
		enum pzl_model own;

		if (pzl_model_by_name(o->model, &c->a->model)) {
			*err = xasprintf("unknown model '%s': expected linux-5.15, linux-6.1 or "
					 "linux-6.12",
					 o->model);
			return 2;
		}
		c->a->model_from = "given with --model";
		if (c->f->release && !pzl_model_for_release(c->f->release, &own, NULL) &&
		    own != c->a->model)
			c->what_if = true;
		return 0;
	}
	if (c->f->release && !pzl_model_for_release(c->f->release, &c->a->model, &fit)) {
		c->a->model_from = "chosen from the kernel's version line";
		if (fit != PZL_FIT_EXACT)
			an_note(c, "the kernel is %s: %s is the nearest model (%s)", c->f->release,
				pzl_model_name(c->a->model), pzl_fit_text(fit));
		return 0;
	}
	c->a->model = PZL_LINUX_6_1;
	c->a->model_from = "assumed: nothing tells the kernel's version";
	return 0;
}

static bool analysis_has_e820(const struct facts *f)
{
	for (size_t i = 0; i < f->fw.n; i++)
		if (f->fw.v[i].origin != FW_DT)
			return true;
	return false;
}

/* Whether /proc/iomem has what only PCs have. */
static bool analysis_is_pc(const struct facts *f)
{
	static const char *const names[] = { "Local APIC", "IOAPIC 0", "Video ROM", "System ROM" };

	for (size_t i = 0; i < f->iomem.n; i++)
		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			if (!strcmp(f->iomem.v[i].name, names[k]))
				return true;
	return false;
}

/* Page 0 is never memory of a PC, and zone DMA always ends at 16 MiB there. */
static bool analysis_by_zones(const struct facts *f, enum pzl_arch *arch)
{
	bool pc = false, wide = false;

	for (size_t i = 0; i < f->zone_ranges.n; i++) {
		const struct fact_zone_range *z = &f->zone_ranges.v[i];

		if (!strcmp(z->name, "DMA32"))
			wide = true;
		if (!strcmp(z->name, "DMA") && !z->empty && z->range.first == 0x1000 &&
		    z->range.last == 0xffffff)
			pc = true;
	}
	*arch = wide ? PZL_ARCH_X86_64 : PZL_ARCH_I386;
	return pc;
}

static int analysis_arch(struct an_ctx *c, const struct analysis_options *o, char **err)
{
	if (o->arch) {
		if (pzl_arch_by_name(o->arch, &c->a->arch)) {
			*err = xasprintf("unknown architecture '%s': see 'physzone arch' for the "
					 "list",
					 o->arch);
			return 2;
		}
		c->a->arch_from = "given with --arch";
	} else if (c->f->arch_hint && !pzl_arch_by_name(c->f->arch_hint, &c->a->arch)) {
		c->a->arch_from = "read from the input";
	} else if (analysis_has_e820(c->f)) {
		c->a->arch = PZL_ARCH_X86_64;
		c->a->arch_from = "assumed: an e820 map, and nothing tells 32 from 64 bits";
	} else if (analysis_is_pc(c->f)) {
		c->a->arch = PZL_ARCH_X86_64;
		c->a->arch_from = "assumed: the iomem of a PC, and nothing tells 32 from 64 bits";
	} else if (analysis_by_zones(c->f, &c->a->arch)) {
		c->a->arch_from = "assumed: zone DMA from page 1 to 16 MiB is a PC's";
	} else if (!c->f->fw.n && !c->f->node_ranges.n && !c->f->mb_regions.n && !c->f->iomem.n) {
		*err = xasprintf("%s: no memory map found: expected e820 lines, memory node "
				 "ranges, a device tree with memory nodes, or an iomem listing",
				 c->f->files.n ? c->f->files.v[0] : "input");
		return 3;
	} else {
		*err = xasprintf("%s: cannot tell the architecture: give it with --arch",
				 c->f->files.n ? c->f->files.v[0] : "input");
		return 4;
	}
	if (!pzl_arch_in_model(c->a->model, c->a->arch)) {
		*err = xasprintf("%s has no architecture %s", pzl_model_name(c->a->model),
				 pzl_arch_name(c->a->arch));
		return 2;
	}
	c->x86 = c->a->arch == PZL_ARCH_X86_64 || c->a->arch == PZL_ARCH_I386;
	/* x86 has one size; what else tells of sizes may be an inference. */
	c->a->page_shift = c->f->page_shift && !c->x86 ? c->f->page_shift
						       : pzl_arch_info(c->a->arch)->page_shift;
	if (c->x86 && c->f->page_shift && c->f->page_shift != c->a->page_shift)
		an_note(c, "the input looks like one of pages of %llu bytes, which x86 has not",
			1ull << c->f->page_shift);
	return 0;
}

static void analysis_cmdline(struct an_ctx *c)
{
	struct pzl_arg *args = NULL;
	struct pzl_mem_op *ops = NULL;
	uint32_t na = 64, no = 64;

	for (;;) {
		int rc;

		args = xcalloc(na, sizeof(*args));
		ops = xcalloc(no, sizeof(*ops));
		pzl_cmdline_init(&c->cl, args, na, ops, no);
		rc = pzl_cmdline_parse(&c->cl, c->a->model, c->a->arch, c->a->page_shift,
				       c->cmdline, strlen(c->cmdline));
		if (rc != -PZ_ENOSPC)
			break;
		na = c->cl.arg_count;
		no = c->cl.op_count;
		free(args);
		free(ops);
	}
	c->cl_known = true;
	for (uint32_t i = 0; i < c->cl.arg_count; i++) {
		const struct pzl_arg *g = &c->cl.arg[i];

		if (g->problem == PZL_ARG_OK || g->kind == PZL_ARG_OTHER ||
		    g->kind == PZL_ARG_INIT || g->kind == PZL_ARG_OPAQUE)
			continue;
		an_note(c, "command line: %.*s%s%.*s: %s", (int)g->name_len, g->name,
			g->value ? "=" : "", g->value ? (int)g->value_len : 0,
			g->value ? g->value : "", pzl_arg_problem_text(g->problem));
	}
	if (c->cl.panics)
		an_problem(c, "the command line makes this kernel panic while it parses it");
	c->capture = c->cl.elfcorehdr || c->f->dt.has_elfcorehdr;
}

uint32_t an_configured(const struct an_ctx *c)
{
	uint32_t bits = 0;

	if (c->f->zone_types)
		return c->f->zone_types;
	for (int t = 0; t < PZ_ZONE_TYPES; t++) {
		const char *name = pz_zone_name((enum pz_zone_type)t);

		for (size_t i = 0; i < c->f->zone_ranges.n; i++)
			if (!strcmp(c->f->zone_ranges.v[i].name, name))
				bits |= PZL_ZONE_BIT(t);
		if (!c->f->zone_ranges.n)
			for (size_t i = 0; i < c->f->zoneinfo.n; i++)
				if (!strcmp(c->f->zoneinfo.v[i].name, name))
					bits |= PZL_ZONE_BIT(t);
	}
	if (!bits)
		return pzl_arch_zones(c->a->model, c->a->arch, PZL_VAR_GENERIC);
	return bits | PZL_ZONE_BIT(PZ_ZONE_NORMAL) | PZL_ZONE_BIT(PZ_ZONE_MOVABLE);
}

/*
 * The highest address that every bus reaches comes with the device tree. Without one it shows only
 * in the zone range that the kernel printed, and the rest is computed from that.
 */
static uint64_t analysis_dma_limit(struct an_ctx *c)
{
	if (c->f->dt.seen)
		return c->f->dt.dma_max_cpu;
	for (size_t i = 0; i < c->f->zone_ranges.n; i++) {
		const struct fact_zone_range *z = &c->f->zone_ranges.v[i];

		if (c->a->arch != PZL_ARCH_ARM64 || strcmp(z->name, "DMA") || z->empty ||
		    z->range.last >= UINT32_MAX || z->range.last >= pz_memblock_last(&c->mb))
			continue;
		an_note(c, "no device tree: the limit of ZONE_DMA, %#llx, is taken from the "
			   "kernel's \"Zone ranges\"",
			(unsigned long long)z->range.last);
		return z->range.last;
	}
	return PZ_ADDR_MAX;
}

static int analysis_layout(struct an_ctx *c, char **err)
{
	const struct pzl_model_facts *mf = pzl_model_facts(c->a->model);
	struct pz_zone_config cfg;
	struct pzl_zone_limits lim;
	struct pzl_arch_input in;
	int rc;

	pzl_arch_input_init(&in, c->a->model, c->a->arch);
	in.page_shift = c->a->page_shift;
	c->configured = an_configured(c);
	in.configured = c->configured;
	pzl_arch_input_memory(&in, &c->mb);
	in.dt_dma_limit = analysis_dma_limit(c);
	if (c->max_low_pfn)
		in.max_low_pfn = c->max_low_pfn;
	if (c->high_end_pfn)
		in.high_end_pfn = c->high_end_pfn;
	rc = pzl_zone_limits(c->a->model, c->a->arch, &in, &lim);
	if (rc) {
		*err = xasprintf("cannot compute the zone limits of %s under %s",
				 pzl_arch_name(c->a->arch), pzl_model_name(c->a->model));
		return 4;
	}
	an_note(c, "zone limits: %s", lim.what);
	c->zone_limit = pzl_dma_zone_limit(c->a->model, c->a->arch, &in);
	c->low_last = UINT32_MAX;
	if (c->a->arch == PZL_ARCH_ARM64 && lim.max_pfn[PZ_ZONE_DMA])
		c->low_last = (lim.max_pfn[PZ_ZONE_DMA] << c->a->page_shift) - 1;

	memset(&cfg, 0, sizeof(cfg));
	cfg.configured = c->configured;
	memcpy(cfg.max_pfn, lim.max_pfn, sizeof(cfg.max_pfn));
	cfg.page_shift = c->a->page_shift;
	cfg.max_order_pages = UINT64_C(1) << pzl_max_order(c->a->arch, c->a->page_shift);
	cfg.kernelcore = c->cl.kernelcore;
	cfg.movablecore = c->cl.movablecore;
	cfg.movable_node = c->cl.movable_node;
	cfg.flags = mf->zone_flags | (c->capture ? PZ_ZF_KDUMP : 0);
	rc = pz_zones_build(&c->z, &an_meta, &c->mb, &cfg);
	if (rc) {
		*err = xasprintf("cannot lay out the zones (error %d)", rc);
		return 4;
	}
	c->z_built = true;
	if (c->z.notes & PZ_ZN_UNMIRRORED_BELOW_4G)
		an_note(c, "kernelcore=mirror: this configuration results in unmirrored kernel "
			   "memory");
	if (c->z.notes & PZ_ZN_MIRROR_IGNORED)
		an_note(c, "kernelcore=mirror has no effect on this machine");
	for (size_t i = 0; i < c->f->initmem.n; i++)
		if (c->f->initmem.v[i].memoryless)
			(void)pz_zones_add_node(&c->z, c->f->initmem.v[i].nid);
	for (size_t i = 0; i < c->f->nodes_online.n; i++)
		(void)pz_zones_add_node(&c->z, c->f->nodes_online.v[i]);
	return 0;
}

static void analysis_rows(struct an_ctx *c, enum managed_from from)
{
	for (uint32_t n = 0; n < c->z.node_count; n++) {
		const struct pz_node *node = &c->z.node[n];
		struct an_node *row = vec_push(&c->a->nodes);

		row->nid = node->nid;
		row->memoryless = node->end_pfn == 0;
		for (int t = 0; t < PZ_ZONE_TYPES; t++) {
			const struct pz_zone *z = &node->zone[t];
			struct an_zone *r = &row->zone[t];

			if (!(c->configured & PZL_ZONE_BIT(t)))
				continue;
			r->shown = true;
			r->start_pfn = z->start_pfn;
			r->spanned = z->spanned;
			r->present = z->present;
			r->managed = z->managed;
			r->cma = z->cma;
			r->min = z->min;
			r->low = z->low;
			r->high = z->high;
			for (int k = 0; k < PZ_ZONE_TYPES; k++)
				if (c->configured & PZL_ZONE_BIT(k))
					r->protection[r->protections++] = z->reserve[k];
			r->managed_from = z->present ? from : MANAGED_MEMBLOCK;
		}
	}
}

static void analysis_sources(struct an_ctx *c, enum managed_from from)
{
	static const char *const managed[] = {
		[MANAGED_MEMBLOCK] = "exact: the kernel's own list of boot reservations, with what "
				     "was freed later",
		[MANAGED_REPORT] = "shared out: the totals that the input reports, put where "
				   "such a kernel allocates while booting",
		[MANAGED_ESTIMATE] = "estimated: what such a kernel usually reserves",
	};

	c->a->managed_from = xstrdup(managed[from]);
}

/* Sorted arrays of ranges are kept while reading lines in any order: refuse what is no machine. */
static int analysis_bounds(const struct facts *f, char **err)
{
	const struct {
		size_t n;
		const char *what;
	} all[] = {
		{ f->fw.n, "firmware map entries" },
		{ f->node_ranges.n, "memory ranges of nodes" },
		{ f->srat.n, "SRAT ranges" },
		{ f->claims.n, "reservations" },
		{ f->iomem.n, "iomem entries" },
		{ f->zoneinfo.n, "zones in zoneinfo" },
		{ f->initmem.n, "nodes" },
		{ f->freeing.n, "\"Freeing\" lines" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].n <= AN_RANGES_MAX)
			continue;
		*err = xasprintf("%s: %zu %s: expected at most %u of one machine",
				 f->files.n ? f->files.v[0] : "input", all[i].n, all[i].what,
				 AN_RANGES_MAX);
		return 3;
	}
	return 0;
}

/* Without any memory there is nothing to decide about, whatever else the input tells. */
static int analysis_has_memory(const struct facts *f, char **err)
{
	if (f->fw.n || f->node_ranges.n || f->mb_regions.n || f->iomem.n)
		return 0;
	*err = xasprintf("%s: no memory map found: expected e820 lines, memory node ranges, a "
			 "device tree with memory nodes, or an iomem listing",
			 f->files.n ? f->files.v[0] : "input");
	return 3;
}

int an_prepare(struct an_ctx *c, const struct analysis_options *o, enum managed_from *from,
	       char **err)
{
	int rc;

	c->managed_recorded = o->managed_recorded;
	rc = analysis_bounds(c->f, err);
	if (!rc)
		rc = analysis_has_memory(c->f, err);
	if (!rc)
		rc = analysis_model(c, o, err);
	if (!rc)
		rc = analysis_arch(c, o, err);
	if (rc)
		return rc;
	if (pz_memblock_init(&c->mb, &an_meta, c->a->page_shift)) {
		*err = xasprintf("a page size of 2^%u bytes is not supported", c->a->page_shift);
		return 4;
	}
	c->cmdline = o->cmdline ? o->cmdline : c->f->cmdline ? c->f->cmdline : "";
	if (o->cmdline && c->f->cmdline && strcmp(o->cmdline, c->f->cmdline))
		c->what_if = true;
	if (c->f->altered)
		c->what_if = true;
	if (c->what_if)
		an_note(c, "this is not what the kernel of the input did: its results are not "
			   "compared, and its boot reservations are estimated");
	if (o->cmdline || c->f->cmdline)
		c->a->cmdline = xstrdup(c->cmdline);
	if (!o->cmdline && !c->f->cmdline)
		an_note(c, "the kernel command line is not known: none of its limits is applied");
	analysis_cmdline(c);
	rc = an_memory(c, err);
	if (!rc)
		rc = analysis_layout(c, err);
	if (rc)
		return rc;
	*from = an_reserved(c);
	return 0;
}

int an_run(struct an_ctx *c, const struct analysis_options *o, char **err)
{
	enum managed_from from;
	int rc = an_prepare(c, o, &from, err);

	if (rc)
		return rc;
	an_managed(c, from);
	an_hotplug(c);
	an_marks(c);
	analysis_rows(c, from);
	analysis_sources(c, from);
	an_check(c, from);
	an_pieces(c);
	return 0;
}

void an_begin(struct an_ctx *c, struct analysis *a, struct facts *f)
{
	memset(a, 0, sizeof(*a));
	memset(c, 0, sizeof(*c));
	c->a = a;
	c->f = f;
}

void an_end(struct an_ctx *c)
{
	if (c->z_built)
		pz_zones_destroy(&c->z);
	if (c->mb.meta)
		pz_memblock_destroy(&c->mb);
	if (c->map.meta)
		pz_map_destroy(&c->map);
	free(c->cl.arg);
	free(c->cl.op);
	vec_free(&c->hotplug);
	vec_free(&c->later);
	vec_free(&c->areas);
	vec_free(&c->no_areas);
	vec_free(&c->tree_pools);
}

int analyse(struct analysis *a, struct facts *f, const struct analysis_options *o, char **err)
{
	struct an_ctx c;
	int rc;

	an_begin(&c, a, f);
	*err = NULL;
	rc = an_run(&c, o, err);
	an_end(&c);
	return rc;
}

int analyse_kernel(struct analysis *a, struct facts *f, const struct analysis_options *o,
		   bool *arch_known, uint32_t *configured, char **err)
{
	struct an_ctx c;
	int rc;

	an_begin(&c, a, f);
	*err = NULL;
	*configured = 0;
	rc = analysis_model(&c, o, err);
	if (!rc)
		rc = analysis_arch(&c, o, err);
	*arch_known = !rc;
	if (!rc || f->zone_types || f->zone_ranges.n || f->zoneinfo.n)
		*configured = an_configured(&c);
	if (rc > 2) {
		free(*err);
		*err = NULL;
		rc = 0;
	}
	an_end(&c);
	return rc;
}

void analysis_destroy(struct analysis *a)
{
	for (size_t i = 0; i < a->notes.n; i++)
		free(a->notes.v[i]);
	for (size_t i = 0; i < a->problems.n; i++)
		free(a->problems.v[i].text);
	for (size_t i = 0; i < a->contradictions.n; i++)
		free(a->contradictions.v[i].text);
	for (size_t i = 0; i < a->pieces.n; i++)
		free(a->pieces.v[i].label);
	free(a->cmdline);
	free(a->layout_from);
	free(a->managed_from);
	free(a->marks_from);
	vec_free(&a->notes);
	vec_free(&a->problems);
	vec_free(&a->contradictions);
	vec_free(&a->pieces);
	vec_free(&a->nodes);
}
