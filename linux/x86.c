/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86.c - early memory of x86, in the steps of Linux's setup_arch().
 *
 * Concept: the e820 table is a list of entries that are edited in place. While the command line is
 * parsed it is neither sorted nor free of overlaps: an edit changes every entry that it meets, and
 * what it adds goes to the end. Only then is the table sanitised. The edits here work on that
 * list, so that the order of mem= and memmap= has the same consequences.
 *
 * Invariants: 1. out->map is sanitised; 2. out->mb holds whole pages only; 3. max_low_pfn <=
 * max_pfn; 4. x86_table.count is what the kernel would count, entries emptied by a removal and
 * entries of size 0 included: it decides whether a user's map is refused.
 *
 * Failure: everything is built aside and handed out at the end; an error leaves nothing behind.
 *
 * Shortcomings: MTRR trimming, the GART aperture and errata that take memory (SNB graphics, PPro)
 * depend on the processor and are not modelled; their effect can be given as an update.
 */
#include <physzone/linux/x86.h>

#include "pzl_range.h"

#define X86_PAGE_SHIFT 12
#define X86_PAGE 0x1000ull
#define X86_BIOS_FIRST 0xa0000ull
#define X86_BIOS_LAST 0xfffffull
#define X86_4G_PFN 0x100000ull
#define X86_PAGE_OFFSET 0xc0000000ull /* i386, the usual split */
#define X86_64M_PFN 0x4000ull

struct x86_table {
	struct pz_map m;
	uint32_t count; /* entries as the kernel counts them */
	uint32_t max;	/* entries that its table holds */
	uint32_t notes;
};

static uint64_t x86_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Append an entry, if the table has room. */
static int x86_append(struct x86_table *t, struct pz_range r, uint32_t type)
{
	int err;

	if (t->count >= t->max) {
		t->notes |= PZL_X86_TOO_MANY;
		return 0;
	}
	err = pz_map_insert_range(&t->m, r, type, 0);
	if (!err)
		t->count++;
	return err;
}

/* Change or remove (to 0) the type of what lies in a range; from 0 meets every type. */
static int x86_change(struct x86_table *t, struct pz_range r, uint32_t from, uint32_t to, bool *met)
{
	uint32_t i;

	/* Entries that are appended on the way are met too; none of them can match again. */
	for (i = 0; i < t->m.count; i++) {
		struct pz_map_entry *e = &t->m.v[i];
		struct pz_range was = e->range;
		uint32_t type = e->type;
		int err;

		if ((from && type != from) || was.last < r.first || was.first > r.last ||
		    (to && type == to))
			continue;
		if (met)
			*met = true;
		if (was.first >= r.first && was.last <= r.last) {
			if (to) {
				e->type = to;
				continue;
			}
			/* Emptied: the kernel still counts it. */
			*e = t->m.v[t->m.count - 1];
			t->m.count--;
			i--;
			continue;
		}
		/* What stays in place is the lower part, or the upper when there is no lower one.
		 */
		if (was.first < r.first)
			e->range.last = r.first - 1;
		else
			e->range.first = r.last + 1;
		if (to) {
			struct pz_range mid = was;

			if (mid.first < r.first)
				mid.first = r.first;
			if (mid.last > r.last)
				mid.last = r.last;
			err = x86_append(t, mid, to);
			if (err)
				return err;
		}
		if (was.first < r.first && was.last > r.last) {
			struct pz_range rest = { r.last + 1, was.last };

			err = x86_append(t, rest, type);
			if (err)
				return err;
		}
	}
	t->m.sanitised = false;
	return 0;
}

/*
 * A change of size 0 changes no memory, yet it splits the entries that its start lies inside, and
 * with a new type it leaves an entry of size 0 for each: both count.
 */
static int x86_split(struct x86_table *t, const struct pzl_mem_op *op)
{
	for (uint32_t i = 0; i < t->m.count; i++) {
		struct pz_map_entry *e = &t->m.v[i];
		struct pz_range above = { op->base, e->range.last };
		int err;

		if ((op->from && e->type != op->from) || e->range.first >= op->base ||
		    e->range.last < op->base)
			continue;
		e->range.last = op->base - 1;
		if (op->kind == PZL_OP_UPDATE && t->count < t->max)
			t->count++;
		err = x86_append(t, above, e->type);
		if (err)
			return err;
	}
	return 0;
}

static int x86_op(struct x86_table *t, const struct pzl_mem_op *op)
{
	struct pz_range r;

	switch (op->kind) {
	case PZL_OP_EXACTMAP:
		t->m.count = 0;
		t->count = 0;
		return 0;
	case PZL_OP_CEILING:
		r.first = op->base;
		r.last = UINT64_MAX;
		return x86_change(t, r, PZ_MAP_RAM, 0, NULL);
	case PZL_OP_ADD:
		if (pzl_range_cut(op->base, op->size, &r))
			return x86_append(t, r, op->to);
		if (t->count < t->max)
			t->count++;
		return 0;
	case PZL_OP_UPDATE:
	case PZL_OP_REMOVE:
		if (!pzl_range_cut(op->base, op->size, &r))
			return x86_split(t, op);
		return x86_change(t, r, op->from, op->kind == PZL_OP_UPDATE ? op->to : 0, NULL);
	default:
		return 0;
	}
}

/* The firmware's table, or what the kernel makes up when it refuses that. */
static int x86_firmware(struct x86_table *t, const struct pz_map *fw)
{
	uint32_t i;
	int err;

	for (i = 0; i < fw->odd_count; i++)
		if (fw->odd[i].what == PZ_ODD_WRAP)
			t->notes |= PZL_X86_WRAPS;
	if (fw->count < 2) {
		const struct pz_range low = { 0, X86_BIOS_FIRST - 1 };

		t->notes |= PZL_X86_FAKED;
		err = x86_append(t, low, PZ_MAP_RAM);
		for (i = 0; !err && i < fw->count; i++) {
			struct pz_range r = fw->v[i].range;

			/* The older interface tells one block that starts at 1 MiB. */
			if (fw->v[i].type != PZ_MAP_RAM || r.last <= X86_BIOS_LAST)
				continue;
			r.first = X86_BIOS_LAST + 1;
			err = x86_append(t, r, PZ_MAP_RAM);
		}
	} else {
		err = 0;
		for (i = 0; !err && i < fw->count; i++)
			err = x86_append(t, fw->v[i].range, fw->v[i].type);
	}
	if (!err)
		err = pz_map_sanitise(&t->m, X86_PAGE_SHIFT, 64);
	t->count = t->m.count;
	return err;
}

/* Sanitise after edits. The kernel leaves a table of fewer than two entries as it is. */
static int x86_sanitise(struct x86_table *t)
{
	int err = pz_map_sanitise(&t->m, X86_PAGE_SHIFT, 64);

	if (!err)
		t->count = t->m.count;
	return err;
}

/* Whether RAM covers a whole range. */
static bool x86_all_ram(const struct pz_map *m, struct pz_range r)
{
	uint32_t i;

	for (i = pz_map_find(m, r.first); i < m->count; i++) {
		const struct pz_map_entry *e = &m->v[i];

		if (e->range.first > r.first || e->type != PZ_MAP_RAM)
			return false;
		if (e->range.last >= r.last)
			return true;
		r.first = e->range.last + 1;
	}
	return false;
}

static int x86_edit(struct x86_table *t, const struct pzl_x86_input *in)
{
	const struct pz_range page0 = { 0, X86_PAGE - 1 };
	const struct pz_range bios = { X86_BIOS_FIRST, X86_BIOS_LAST };
	const struct pzl_cmdline *c = in->cmdline;
	bool met = false;
	uint32_t i;
	int err = 0;

	for (i = 0; c && !err && i < c->op_count && i < c->op_cap; i++)
		err = x86_op(t, &c->op[i]);
	if (err)
		return err;
	if (c && c->user_map) {
		t->notes |= PZL_X86_USER_MAP;
		if (t->count < 2)
			t->notes |= PZL_X86_PANIC_USER_MAP;
	}
	for (i = 0; !err && i < in->update_count; i++)
		err = x86_op(t, &in->update[i]);
	if (!err)
		err = x86_sanitise(t);
	if (err)
		return err;

	if (in->has_kernel && !x86_all_ram(&t->m, in->kernel)) {
		t->notes |= PZL_X86_KERNEL_FORCED;
		err = x86_change(t, in->kernel, 0, 0, NULL);
		if (!err)
			err = x86_append(t, in->kernel, PZ_MAP_RAM);
	}
	if (!err)
		err = x86_change(t, page0, PZ_MAP_RAM, PZ_MAP_RESERVED, &met);
	if (met)
		t->notes |= PZL_X86_PAGE0;
	met = false;
	if (!err)
		err = x86_change(t, bios, PZ_MAP_RAM, 0, &met);
	if (met)
		t->notes |= PZL_X86_BIOS_AREA;
	return err ? err : x86_sanitise(t);
}

/* The highest page frame number that the kernel can name, exclusive. */
static uint64_t x86_max_arch_pfn(const struct pzl_x86_input *in)
{
	if (in->arch == PZL_ARCH_X86_64)
		return (uint64_t)1 << ((in->la57 ? 52 : 46) - X86_PAGE_SHIFT);
	return (uint64_t)1 << ((in->pae ? 36 : 32) - X86_PAGE_SHIFT);
}

/* i386: split memory in what is mapped permanently and the rest. */
static void x86_split_low(struct pzl_x86_memory *m, const struct pzl_x86_input *in)
{
	uint64_t reserve = 128ull << 20, maxmem, high = 0;
	bool asked = in->cmdline && in->cmdline->highmem_set;

	if (in->cmdline && in->cmdline->vmalloc_set)
		reserve = (in->cmdline->vmalloc + (8ull << 20)) & 0xffffffffull;
	/* Computed in 32 bits, so that an absurd vmalloc= wraps as it does there. */
	maxmem = ((in->vmalloc_end - X86_PAGE_OFFSET - reserve) & 0xffffffffull) >> X86_PAGE_SHIFT;
	if (asked)
		high = (in->cmdline->highmem >> X86_PAGE_SHIFT) & 0xffffffffull;

	if (m->max_pfn <= maxmem) {
		m->max_low_pfn = m->max_pfn;
		if (!high)
			return;
		if (high >= m->max_pfn || m->max_pfn - high < X86_64M_PFN)
			m->notes |= PZL_X86_HIGHMEM_REFUSED;
		else
			m->max_low_pfn -= high;
		return;
	}
	m->max_low_pfn = maxmem;
	if (asked) {
		if (high + maxmem < m->max_pfn)
			m->max_pfn = maxmem + high;
		else if (high + maxmem > m->max_pfn)
			m->notes |= PZL_X86_HIGHMEM_REFUSED;
	}
	if (!in->pae && m->max_pfn > X86_4G_PFN) {
		m->max_pfn = X86_4G_PFN;
		m->notes |= PZL_X86_TRIMMED_4G;
	}
}

static int x86_fill_memblock(struct pzl_x86_memory *m, const struct pzl_x86_input *in)
{
	bool narrow = in->arch == PZL_ARCH_I386 && !in->pae;
	uint32_t i;

	for (i = 0; i < m->map.count; i++) {
		const struct pz_map_entry *e = &m->map.v[i];
		uint64_t size = e->range.last - e->range.first + 1;
		int err = 0;

		/* An end that does not fit the address type: the entry is passed over, whole. */
		if ((narrow && e->range.last >= 0xffffffffull) || e->range.last == UINT64_MAX) {
			if (e->type == PZ_MAP_RAM)
				m->notes |= PZL_X86_BEYOND;
			continue;
		}
		if (e->type == PZ_MAP_SOFT_RESERVED)
			err = pz_memblock_reserve(&m->mb, e->range.first, size, PZ_NID_NONE, 0);
		else if (e->type == PZ_MAP_RAM || e->type == PZ_MAP_RESERVED_KERN)
			err = pz_memblock_add(&m->mb, e->range.first, size, PZ_NID_NONE, 0);
		if (err)
			return err;
	}
	return pz_memblock_trim(&m->mb, X86_PAGE);
}

int pzl_x86_memory(struct pzl_x86_memory *out, const struct pz_meta *meta,
		   const struct pzl_x86_input *in)
{
	struct pzl_x86_memory m = { 0 };
	struct x86_table t = { 0 };
	uint64_t max_arch;
	int err;

	if (!pzl_model_facts(in->model) || !in->firmware ||
	    (in->arch != PZL_ARCH_X86_64 && in->arch != PZL_ARCH_I386) ||
	    (in->has_kernel && in->kernel.first > in->kernel.last) ||
	    (in->update_count && !in->update))
		return -PZ_EINVAL;

	pz_map_init(&t.m, meta, NULL, 0);
	t.max = in->arch == PZL_ARCH_X86_64 ? 128 + 3 * 1024 : 128 + 3;
	err = x86_firmware(&t, in->firmware);
	if (!err)
		err = x86_edit(&t, in);
	if (err) {
		pz_map_destroy(&t.m);
		return err;
	}

	m.map = t.m;
	m.notes = t.notes;
	err = pz_memblock_init(&m.mb, meta, X86_PAGE_SHIFT);
	if (err) {
		pz_map_destroy(&m.map);
		return err;
	}
	max_arch = x86_max_arch_pfn(in);
	m.max_pfn = pz_map_last_pfn(&m.map, PZ_MAP_RAM, X86_PAGE_SHIFT, UINT64_MAX);
	if (m.max_pfn > max_arch)
		m.notes |= PZL_X86_BEYOND;
	m.max_pfn = x86_min(m.max_pfn, max_arch);
	m.low_ram_pfn = m.max_pfn > X86_4G_PFN
				? pz_map_last_pfn(&m.map, PZ_MAP_RAM, X86_PAGE_SHIFT, X86_4G_PFN)
				: m.max_pfn;
	if (in->arch == PZL_ARCH_I386)
		x86_split_low(&m, in);
	else
		m.max_low_pfn = m.max_pfn;
	err = x86_fill_memblock(&m, in);
	if (err) {
		pzl_x86_memory_destroy(&m);
		return err;
	}
	if (m.max_pfn == 0 || m.mb.memory.count == 0)
		m.notes |= PZL_X86_NO_MEMORY;
	*out = m;
	return 0;
}

void pzl_x86_memory_destroy(struct pzl_x86_memory *m)
{
	pz_map_destroy(&m->map);
	pz_memblock_destroy(&m->mb);
}

void pzl_x86_input_init(struct pzl_x86_input *in, enum pzl_model model, enum pzl_arch arch,
			bool pae)
{
	struct pzl_x86_input fresh = { 0 };

	fresh.model = model;
	fresh.arch = arch;
	fresh.pae = pae && arch == PZL_ARCH_I386;
	/* Debian's kernels for 32 CPUs; fewer CPUs leave a larger vmalloc area. */
	fresh.vmalloc_end = pae ? 0xfeffe000ull : 0xfebfe000ull;
	*in = fresh;
}

const char *pzl_x86_note(uint32_t bit)
{
	switch (bit) {
	case PZL_X86_USER_MAP:
		return "the command line changed the firmware's map";
	case PZL_X86_PANIC_USER_MAP:
		return "the kernel panics: the user's memory map has fewer than two entries";
	case PZL_X86_FAKED:
		return "the kernel refuses a firmware map of fewer than two entries and makes one "
		       "up";
	case PZL_X86_KERNEL_FORCED:
		return "the kernel's own memory was not all RAM and was made RAM";
	case PZL_X86_PAGE0:
		return "page 0 is RAM by the map; the kernel turns it reserved";
	case PZL_X86_BIOS_AREA:
		return "640 KiB to 1 MiB is RAM by the map; the kernel removes it";
	case PZL_X86_TOO_MANY:
		return "the map has more entries than the kernel's table; the rest is ignored";
	case PZL_X86_BEYOND:
		return "RAM lies past what this kernel can address and is not used";
	case PZL_X86_HIGHMEM_REFUSED:
		return "highmem= cannot be met and has no effect";
	case PZL_X86_TRIMMED_4G:
		return "without PAE, memory above 4 GiB is not used";
	case PZL_X86_WRAPS:
		return "an entry of the firmware's map runs past the top of the address space: "
		       "it is cut here, the kernel would refuse the map";
	case PZL_X86_NO_MEMORY:
		return "no usable memory is left";
	default:
		return "?";
	}
}
