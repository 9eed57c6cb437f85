/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86.c - memory of an x86 machine: the firmware's map, changed by the command line and by what
 * that kernel always does.
 *
 * The map is the one that the boot loader handed over ("BIOS-provided physical RAM map"); where
 * that is not in the input, /sys/firmware/memmap, and last /proc/iomem. Changes that the kernel
 * announces ("e820: update ..., remove ...") beyond those that the model makes are applied too:
 * they come from tables and registers that a log does not show.
 */
#include "internal.h"

#include <physzone/linux/x86.h>

#include <stdlib.h>
#include <string.h>

/* What RESERVE_BRK() adds up to in a distribution's kernel. */
#define X86_BRK 0x30000u

/* Names of /proc/iomem that stand for types of a firmware map. */
static const struct {
	const char *name;
	uint32_t type;
} x86_iomem_types[] = {
	{ "System RAM", PZ_MAP_RAM },
	{ "Reserved", PZ_MAP_RESERVED },
	{ "reserved", PZ_MAP_RESERVED },
	{ "ACPI Tables", PZ_MAP_ACPI },
	{ "ACPI Non-volatile Storage", PZ_MAP_NVS },
	{ "Unusable memory", PZ_MAP_UNUSABLE },
	{ "Persistent Memory", PZ_MAP_PMEM },
	{ "Persistent Memory (legacy)", PZ_MAP_PRAM },
	{ "Soft Reserved", PZ_MAP_SOFT_RESERVED },
};

static uint32_t x86_insert(struct pz_map *m, const struct facts *f, enum fw_origin origin)
{
	uint32_t n = 0;

	for (size_t i = 0; i < f->fw.n; i++) {
		const struct fact_fw *w = &f->fw.v[i];

		if (w->origin != origin)
			continue;
		/* A type that no table names keeps its memory out of use, as an unknown number
		 * does. */
		(void)pz_map_insert_range(m, w->range, w->type ? w->type : PZ_MAP_RESERVED,
					  w->at.line);
		n++;
	}
	return n;
}

static uint32_t x86_insert_iomem(struct pz_map *m, const struct facts *f)
{
	uint32_t n = 0;

	for (size_t i = 0; i < f->iomem.n; i++) {
		const struct fact_iomem *e = &f->iomem.v[i];

		for (size_t k = 0; k < sizeof(x86_iomem_types) / sizeof(x86_iomem_types[0]); k++) {
			if (e->depth || strcmp(e->name, x86_iomem_types[k].name))
				continue;
			(void)pz_map_insert_range(m, e->range, x86_iomem_types[k].type, e->at.line);
			n++;
		}
	}
	return n;
}

/* What was odd in the map, once for each kind, with the first place. */
static void x86_oddities(struct an_ctx *c, const struct pz_map *raw, bool bios)
{
	for (uint32_t i = 0; i < raw->odd_count; i++) {
		const struct pz_map_odd *o = &raw->odd[i];

		/* Partial pages are usual around 640 KiB and the end of memory. */
		if (o->what == PZ_ODD_PARTIAL_PAGE || o->what == PZ_ODD_FEW)
			continue;
		/* kexec has an order of its own, and /sys/firmware/memmap is listed in any. */
		if (o->what == PZ_ODD_UNSORTED && (!o->ref || !bios))
			continue;
		/* Reserved ranges up there are the firmware's business. */
		if (o->what == PZ_ODD_BEYOND_WIDTH && o->type != PZ_MAP_RAM)
			continue;
		if (o->what == PZ_ODD_BEYOND_WIDTH)
			an_problem(c,
				   "the firmware's map has RAM at 0x%llx, past what this processor "
				   "can address",
				   (unsigned long long)o->range.first);
		an_contradict(c, (struct where){ 0, o->ref }, "firmware map: %s at "
			      "[mem 0x%016llx-0x%016llx]",
			      pz_map_oddity_name(o->what), (unsigned long long)o->range.first,
			      (unsigned long long)o->range.last);
	}
}

static bool x86_has_kernel_room(const struct pz_map *m)
{
	for (uint32_t i = 0; i < m->count; i++)
		if (m->v[i].type == PZ_MAP_RAM && m->v[i].range.last > 0x100000)
			return true;
	return false;
}

/* The map of the machine as firmware gave it. 0, or an exit code with *err. */
static int x86_firmware(struct an_ctx *c, struct pz_map *raw, bool *after, char **err)
{
	struct pz_map probe;
	const char *from = NULL;
	bool bios = false;
	uint32_t n;

	*after = false;
	if ((n = x86_insert(raw, c->f, FW_BIOS)))
		from = "the firmware's e820 map", bios = true;
	else if ((n = x86_insert(raw, c->f, FW_EFI)))
		from = "UEFI's memory map";
	else if ((n = x86_insert(raw, c->f, FW_MEMMAP)))
		from = "/sys/firmware/memmap";
	else if ((n = x86_insert(raw, c->f, FW_USER)) || (n = x86_insert(raw, c->f, FW_MODIFIED)))
		from = "the kernel's map after its command line", *after = true;
	else if ((n = x86_insert_iomem(raw, c->f)))
		from = "/proc/iomem", *after = true;
	if (!n) {
		*err = xasprintf("%s: no memory map found: expected \"BIOS-e820:\" lines, "
				 "/sys/firmware/memmap or an iomem listing",
				 c->f->files.n ? c->f->files.v[0] : "input");
		return 3;
	}
	if (n < 2) {
		*err = xasprintf("%s:%u: the firmware map has one entry: expected at least two, as "
				 "a kernel does",
				 c->f->files.v[0], raw->v[0].ref);
		return 3;
	}
	if (!x86_has_kernel_room(raw)) {
		*err = xasprintf("%s: the memory map has no RAM above the first megabyte, where a "
				 "kernel lies: it is cut off",
				 c->f->files.n ? c->f->files.v[0] : "input");
		return 4;
	}
	pz_map_init(&probe, &an_meta, NULL, 0);
	for (uint32_t i = 0; i < raw->count; i++)
		(void)pz_map_insert_range(&probe, raw->v[i].range, raw->v[i].type, raw->v[i].ref);
	/* A 32-bit kernel on a 64-bit machine meets memory that it does not use: nothing odd. */
	(void)pz_map_sanitise(&probe, c->a->page_shift,
			      pzl_arch_info(PZL_ARCH_X86_64)->phys_bits);
	x86_oddities(c, &probe, bios);
	pz_map_destroy(&probe);
	c->a->layout_from = xasprintf("computed from %s%s", from,
				      *after ? ", which has its command line applied"
					     : " and the command line");
	return 0;
}

/* The changes that the log announces, as operations on the map. */
static uint32_t x86_updates(const struct an_ctx *c, struct pzl_mem_op **ops)
{
	uint32_t n = 0;

	*ops = xcalloc(c->f->e820_changes.n, sizeof(**ops));
	for (size_t i = 0; i < c->f->e820_changes.n; i++) {
		const struct fact_e820_change *e = &c->f->e820_changes.v[i];
		struct pzl_mem_op *o;

		if (e->to && e->to == e->from)
			continue; /* setup_data: type kept, a boundary only */
		if (c->f->node_ranges.n && an_after(e->at, c->f->node_ranges.v[0].at))
			continue; /* memblock was filled before it */
		o = &(*ops)[n++];
		o->kind = e->to ? PZL_OP_UPDATE : PZL_OP_REMOVE;
		o->base = e->range.first;
		o->size = e->range.last - e->range.first + 1;
		o->from = e->from;
		o->to = e->to;
	}
	return n;
}

/* The command line without what it does to the map, which has been done already. */
static struct pzl_cmdline x86_cmdline_done(const struct an_ctx *c)
{
	struct pzl_cmdline cl = c->cl;

	cl.op_count = 0;
	cl.user_map = false;
	return cl;
}

/* The end of low memory where only RAM is known; 0 when it cannot be told. */
static uint64_t x86_low_memory(struct an_ctx *c)
{
	struct pzl_cmdline cl = x86_cmdline_done(c);
	struct pzl_x86_memory mem;
	struct pzl_x86_input in;
	uint64_t pfn;

	pzl_x86_input_init(&in, c->a->model, c->a->arch, c->f->pae);
	in.firmware = &c->map;
	in.cmdline = &cl;
	if (pzl_x86_memory(&mem, &an_meta, &in))
		return 0;
	pfn = mem.max_low_pfn;
	pzl_x86_memory_destroy(&mem);
	return pfn;
}

/* Last resort for a log whose beginning is lost: the ranges that the kernel prints by node. */
static bool x86_from_ranges(struct an_ctx *c)
{
	if (!c->f->node_ranges.n)
		return false;
	pz_map_init(&c->map, &an_meta, NULL, 0);
	for (size_t i = 0; i < c->f->node_ranges.n; i++) {
		struct pz_range r = c->f->node_ranges.v[i].range;

		(void)pz_memblock_add(&c->mb, r.first, pz_range_size(r),
				      c->f->node_ranges.v[i].nid, 0);
		(void)pz_map_insert_range(&c->map, r, PZ_MAP_RAM, 0);
	}
	(void)pz_map_sanitise(&c->map, c->a->page_shift, 64);
	c->a->layout_from =
		xstrdup("computed from the memory ranges that the kernel lists by node: "
			"the firmware's map is not in the input");
	if (c->a->arch == PZL_ARCH_I386)
		c->max_low_pfn = c->f->low_ram_end ? c->f->low_ram_end >> c->a->page_shift
						   : x86_low_memory(c);
	return true;
}

int an_x86_memory(struct an_ctx *c, char **err)
{
	struct pzl_mem_op *ops = NULL;
	struct pzl_x86_memory mem;
	struct pzl_cmdline done;
	struct pzl_x86_input in;
	struct pz_map raw;
	bool after;
	int rc;

	pz_map_init(&raw, &an_meta, NULL, 0);
	rc = x86_firmware(c, &raw, &after, err);
	if (rc) {
		pz_map_destroy(&raw);
		if (x86_from_ranges(c)) {
			free(*err);
			*err = NULL;
			return 0;
		}
		return rc;
	}
	pzl_x86_input_init(&in, c->a->model, c->a->arch, c->f->pae);
	in.firmware = &raw;
	done = x86_cmdline_done(c);
	in.cmdline = after ? &done : &c->cl;
	/* Only with five levels of page tables a kernel can name more than 64 TiB. */
	in.la57 = c->a->arch == PZL_ARCH_X86_64 && c->f->max_arch_pfn > UINT64_C(1) << 34;
	in.has_kernel = an_kernel_image(c, &in.kernel);
	/* Behind what /proc/iomem shows lies room for early page tables, up to the image's end. */
	if (in.has_kernel && c->a->arch == PZL_ARCH_X86_64)
		in.kernel.last = (in.kernel.last | 0xfff) + X86_BRK;
	in.update_count = x86_updates(c, &ops);
	in.update = ops;
	rc = pzl_x86_memory(&mem, &an_meta, &in);
	free(ops);
	pz_map_destroy(&raw);
	if (rc) {
		*err = xasprintf("cannot rebuild the memory of this machine (error %d)", rc);
		return 4;
	}
	for (uint32_t bit = 1; bit && bit <= mem.notes; bit <<= 1) {
		if (!(mem.notes & bit))
			continue;
		if (bit == PZL_X86_PANIC_USER_MAP || bit == PZL_X86_NO_MEMORY)
			an_problem(c, "%s", pzl_x86_note(bit));
		else
			an_note(c, "%s", pzl_x86_note(bit));
	}
	rc = pz_memblock_copy(&c->mb, &mem.mb);
	c->map = mem.map;
	memset(&mem.map, 0, sizeof(mem.map));
	pz_map_init(&mem.map, &an_meta, NULL, 0);
	c->max_low_pfn = mem.max_low_pfn;
	if (c->a->arch == PZL_ARCH_I386 && c->f->low_ram_end) {
		uint64_t told = c->f->low_ram_end >> c->a->page_shift;

		if (told != c->max_low_pfn)
			an_note(c,
				"the end of low memory depends on how the kernel was built; the "
				"kernel's own value %#llx is used, the usual one would be %#llx",
				(unsigned long long)c->f->low_ram_end,
				(unsigned long long)(c->max_low_pfn << c->a->page_shift));
		c->max_low_pfn = told;
	}
	if (c->cl.movable_node)
		c->mb.bottom_up = true;
	pzl_x86_memory_destroy(&mem);
	if (rc || !c->mb.memory.count) {
		*err = xasprintf("%s: no usable memory is left of the firmware's map",
				 c->f->files.n ? c->f->files.v[0] : "input");
		return 4;
	}
	return 0;
}
