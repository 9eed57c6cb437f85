/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory.c - what memory there is, and the nodes that it belongs to.
 *
 * x86 follows the firmware's e820 map and the command line (x86.c). Elsewhere memory comes from
 * the device tree, cut by the command line and by the usable range of a capture kernel; without a
 * device tree, and where UEFI's map replaces it, from the ranges that the kernel printed when it
 * set up its zones; then from the dump of memblock, and last from /proc/iomem.
 */
#include "internal.h"

#include <physzone/linux/early.h>

#include <string.h>

static void memory_add(struct an_ctx *c, struct pz_range r, int nid)
{
	(void)pz_memblock_add(&c->mb, r.first, pz_range_size(r), nid, 0);
}

/* Device trees: whole pages inwards, the command line's limit, a capture kernel's usable ranges. */
static bool memory_from_dt(struct an_ctx *c)
{
	uint64_t mask = (UINT64_C(1) << c->a->page_shift) - 1;
	bool any = false;

	for (size_t i = 0; i < c->f->fw.n; i++) {
		const struct fact_fw *w = &c->f->fw.v[i];
		struct pz_range r = w->range;

		if (w->origin != FW_DT)
			continue;
		if (r.first & mask)
			r.first = (r.first | mask) + 1;
		if ((r.last & mask) != mask)
			r.last = (r.last & ~mask) - 1;
		if (r.first > r.last)
			continue;
		memory_add(c, r, w->nid);
		any = true;
	}
	return any;
}

static bool memory_from_node_ranges(struct an_ctx *c)
{
	for (size_t i = 0; i < c->f->node_ranges.n; i++)
		memory_add(c, c->f->node_ranges.v[i].range, c->f->node_ranges.v[i].nid);
	return c->f->node_ranges.n != 0;
}

static bool memory_from_memblock(struct an_ctx *c)
{
	bool any = false;

	for (size_t i = 0; i < c->f->mb_regions.n; i++) {
		const struct fact_mb_region *m = &c->f->mb_regions.v[i];

		if (m->reserved)
			continue;
		memory_add(c, m->range, m->nid);
		any = true;
	}
	return any;
}

static bool memory_from_iomem(struct an_ctx *c)
{
	bool any = false;

	for (size_t i = 0; i < c->f->iomem.n; i++) {
		const struct fact_iomem *e = &c->f->iomem.v[i];

		if (e->depth != 0)
			continue;
		if (!strcmp(e->name, "System RAM") || !strcmp(e->name, "reserved")) {
			memory_add(c, e->range, PZ_NID_NONE);
			any = true;
		}
	}
	return any;
}

/* Whether this kernel of arm has large physical addresses: by its name, or by what it printed. */
static bool memory_large_physical(const struct an_ctx *c, uint32_t usual)
{
	if (c->a->arch != PZL_ARCH_ARM || usual > 32)
		return false;
	for (size_t i = 0; i < c->f->node_ranges.n; i++)
		if (c->f->node_ranges.v[i].range.last > UINT32_MAX)
			return true;
	return c->f->release && strstr(c->f->release, "lpae");
}

/* What the kernel makes of that memory: usable ranges, mem=, what it can name, low memory. */
static int memory_early(struct an_ctx *c, bool told_by_firmware, char **err)
{
	struct pzl_early_input in;
	struct pzl_early out;
	int rc;

	pzl_early_input_init(&in, c->a->model, c->a->arch);
	in.cmdline = &c->cl;
	in.highmem = an_configured(c) & PZL_ZONE_BIT(PZ_ZONE_HIGHMEM);
	if (memory_large_physical(c, in.phys_bits))
		in.phys_bits = 40;
	for (size_t i = 0; told_by_firmware && i < c->f->dt.usable.n && i < PZL_USABLE_MAX; i++)
		in.usable[in.usable_count++] = c->f->dt.usable.v[i];
	in.has_kernel = an_kernel_image(c, &in.kernel);
	in.has_initrd = an_initrd(c, &in.initrd);
	rc = pzl_early_memory(&in, &c->mb, &out);
	if (rc) {
		*err = xasprintf("cannot rebuild the memory of this machine (error %d)", rc);
		return 4;
	}
	for (uint32_t bit = 1; bit && bit <= out.notes; bit <<= 1)
		if (out.notes & bit)
			an_note(c, "%s", pzl_early_note(bit));
	if (out.notes & PZL_EARLY_NO_MEMORY) {
		*err = xasprintf("%s: no usable memory is left",
				 c->f->files.n ? c->f->files.v[0] : "input");
		return 4;
	}
	c->max_low_pfn = out.max_low_pfn;
	c->high_end_pfn = out.high_end_pfn;
	return 0;
}

/* Whether the ranges that the kernel printed are the memory that was computed. */
static bool memory_same(const struct an_ctx *c)
{
	struct pz_memblock other;
	bool same;

	if (!c->f->node_ranges.n)
		return true;
	if (pz_memblock_init(&other, &an_meta, c->a->page_shift))
		return true;
	for (size_t i = 0; i < c->f->node_ranges.n; i++) {
		struct pz_range r = c->f->node_ranges.v[i].range;

		(void)pz_memblock_add(&other, r.first, pz_range_size(r), PZ_NID_NONE, 0);
	}
	same = pz_memblock_bytes(&other, PZ_MB_MEMORY) == pz_memblock_bytes(&c->mb, PZ_MB_MEMORY) &&
	       pz_memblock_start(&other) == pz_memblock_start(&c->mb) &&
	       pz_memblock_last(&other) == pz_memblock_last(&c->mb);
	pz_memblock_destroy(&other);
	return same;
}

int an_memory(struct an_ctx *c, char **err)
{
	bool dt;
	int rc;

	if (c->x86) {
		rc = an_x86_memory(c, err);
		return rc ? rc : an_nodes(c);
	}
	/* These allocate from below while booting. */
	c->mb.bottom_up = c->a->arch == PZL_ARCH_MIPS || c->a->arch == PZL_ARCH_MIPS64 ||
			  c->a->arch == PZL_ARCH_LOONGARCH;
	c->efi = c->f->efi || c->f->dt.uefi;
	dt = !c->efi && memory_from_dt(c);
	if (dt) {
		c->a->layout_from = xstrdup("computed from the device tree's memory nodes and the "
					    "command line");
	} else if (memory_from_node_ranges(c)) {
		c->a->layout_from = xasprintf(
			"computed from the memory ranges that the kernel lists by node%s",
			c->efi ? " (UEFI's map, which replaces the device tree's)" : "");
	} else if (memory_from_memblock(c)) {
		c->a->layout_from = xstrdup("computed from the kernel's dump of memblock");
	} else if (memory_from_iomem(c)) {
		c->a->layout_from = xstrdup("computed from /proc/iomem");
	} else if (c->efi && memory_from_dt(c)) {
		c->a->layout_from = xstrdup("computed from the device tree's memory nodes; this "
					    "kernel used UEFI's map instead, which is not here");
	} else {
		*err = xasprintf(
			"%s: no memory map found: expected e820 lines, memory node ranges, "
			"a device tree with memory nodes, or an iomem listing",
			c->f->files.n ? c->f->files.v[0] : "input");
		return 3;
	}
	rc = memory_early(c, dt, err);
	if (rc)
		return rc;
	if (dt && !memory_same(c))
		an_contradict(c, c->f->node_ranges.v[0].at,
			      "the device tree and the command line give other memory than the "
			      "kernel's \"Early memory node ranges\"");
	return an_nodes(c);
}

/* A node for the memory that no line gives one: the only node, or the one of its neighbours. */
static void nodes_rest(struct an_ctx *c, int nid)
{
	for (uint32_t i = 0; i < c->mb.memory.count;) {
		struct pz_mb_region m = c->mb.memory.v[i];

		if (m.nid != PZ_NID_NONE) {
			i++;
			continue;
		}
		/* It may merge with its neighbours: what stands here then is looked at next. */
		(void)pz_memblock_set_node(&c->mb, PZ_MB_MEMORY, m.range.first,
					   pz_range_size(m.range), nid);
	}
}

/* Without a log, only the spans of its zones tell which node memory belongs to. */
static void nodes_from_zoneinfo(struct an_ctx *c)
{
	unsigned int s = c->a->page_shift;
	bool several = false;

	for (size_t i = 0; i < c->f->zoneinfo.n; i++)
		several = several || c->f->zoneinfo.v[i].nid != c->f->zoneinfo.v[0].nid;
	if (c->f->node_ranges.n || !several)
		return;
	for (size_t i = 0; i < c->f->zoneinfo.n; i++) {
		const struct fact_zoneinfo *z = &c->f->zoneinfo.v[i];

		if (!z->spanned || z->spanned == UINT64_MAX || z->start_pfn == UINT64_MAX ||
		    z->start_pfn >= UINT64_MAX >> s || z->spanned >= UINT64_MAX >> s)
			continue;
		(void)pz_memblock_set_node(&c->mb, PZ_MB_MEMORY, z->start_pfn << s,
					   z->spanned << s, z->nid);
	}
	an_note(c, "which node memory belongs to is taken from the spans in zoneinfo: the input "
		   "has no SRAT");
}

int an_nodes(struct an_ctx *c)
{
	int rest = 0;

	if (c->cl.numa_fake && !c->f->fake_nodes.n)
		an_note(c, "numa=fake=: how this kernel splits memory into nodes is not modelled; "
			   "the log's own nodes are used where it has them");
	if (c->f->fake_nodes.n && !c->what_if) {
		for (size_t i = 0; i < c->f->fake_nodes.n; i++)
			(void)pz_memblock_set_node(&c->mb, PZ_MB_MEMORY,
						   c->f->fake_nodes.v[i].range.first,
						   pz_range_size(c->f->fake_nodes.v[i].range),
						   c->f->fake_nodes.v[i].nid);
	} else if (c->cl_known && c->cl.numa_off) {
		(void)pz_memblock_set_node(&c->mb, PZ_MB_MEMORY, 0, UINT64_MAX, 0);
	} else if (c->f->srat.n) {
		for (size_t i = 0; i < c->f->srat.n; i++) {
			const struct fact_srat *s = &c->f->srat.v[i];

			(void)pz_memblock_set_node(&c->mb, PZ_MB_MEMORY, s->range.first,
						   pz_range_size(s->range), s->nid);
			if (s->hotplug)
				(void)pz_memblock_mark(&c->mb, PZ_MB_MEMORY, s->range.first,
						       pz_range_size(s->range), PZ_MB_HOTPLUG, 0);
		}
	} else if (c->x86) {
		/* No table tells of nodes: what the kernel printed is all there is. */
		for (size_t i = 0; i < c->f->node_ranges.n; i++) {
			const struct fact_node_range *n = &c->f->node_ranges.v[i];

			(void)pz_memblock_set_node(&c->mb, PZ_MB_MEMORY, n->range.first,
						   pz_range_size(n->range), n->nid);
		}
		nodes_from_zoneinfo(c);
	}
	/* A kernel with one node may number it otherwise than 0. */
	if (c->f->initmem.n == 1 && !c->f->initmem.v[0].memoryless)
		rest = c->f->initmem.v[0].nid;
	nodes_rest(c, rest);
	return 0;
}

/*
 * Memory that was added while the kernel ran: "System RAM" of /proc/iomem outside the memory that
 * it booted with, in a range that the SRAT calls hotplug, and on line by the policy of the command
 * line. It becomes zones as memory hotplug makes them.
 */
void an_hotplug(struct an_ctx *c)
{
	const char *state = strstr(c->cmdline, "memhp_default_state=online");
	unsigned int s = c->a->page_shift;

	for (size_t i = 0; i < c->f->iomem.n; i++) {
		const struct fact_iomem *e = &c->f->iomem.v[i];
		const struct fact_srat *in = NULL;
		enum pz_zone_type t = PZ_ZONE_NORMAL;
		struct pz_range p;
		bool known = false;

		if (e->depth || strcmp(e->name, "System RAM") ||
		    !pz_range_trim(e->range, s, &p))
			continue;
		for (size_t k = 0; k < c->f->srat.n; k++)
			if (c->f->srat.v[k].hotplug &&
			    pz_range_contains(c->f->srat.v[k].range, e->range.first))
				in = &c->f->srat.v[k];
		for (uint32_t k = 0; k < c->mb.memory.count; k++)
			if (pz_range_intersect(c->mb.memory.v[k].range, e->range, NULL))
				known = true;
		if (!in || known)
			continue;
		if (!state) {
			an_note(c,
				"memory [mem 0x%016llx-0x%016llx] was added while running; it is "
				"taken to be off line",
				(unsigned long long)e->range.first,
				(unsigned long long)e->range.last);
			continue;
		}
		if (!strncmp(state, "memhp_default_state=online_movable", 34) ||
		    (strncmp(state, "memhp_default_state=online_kernel", 33) && c->cl.movable_node))
			t = PZ_ZONE_MOVABLE;
		else if ((c->configured & PZL_ZONE_BIT(PZ_ZONE_DMA32)) &&
			 e->range.last < UINT64_C(1) << 32)
			t = PZ_ZONE_DMA32;
		if (pz_zones_online(&c->z, p, in->nid, t))
			continue;
		*vec_push(&c->hotplug) = p;
		an_note(c,
			"memory [mem 0x%016llx-0x%016llx] was added while running, on line in %s",
			(unsigned long long)e->range.first, (unsigned long long)e->range.last,
			pz_zone_name(t));
	}
}
