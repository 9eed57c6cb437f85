/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture.c - the memory map that kexec gives to an x86 capture kernel.
 *
 * Concept: two builders. The kernel (kexec_file_load) puts the block of ELF headers at the bottom
 * of the crash kernel's memory. kexec-tools (kexec_load) works from the top: room for a copy of low
 * memory, which current kernels no longer need, and below it the headers, at least 16 KiB. Either
 * block is cut out of the map; what is left of the crash kernel's memory is RAM, with the RAM of
 * the first megabyte and a low block. All else that the running machine told is told as it was,
 * and RAM is not.
 *
 * Invariants: 1. RAM of the result lies in the first megabyte or in crash kernel memory; 2. the
 * header block and the backup region lie in crash kernel memory and in no RAM of the result.
 *
 * Failure: all places are computed before the first entry is appended; when an append fails the
 * entries appended so far are taken back.
 *
 * Shortcomings: segments that kexec places elsewhere (a command line above 4 GiB, say) are RAM to
 * the capture kernel and are not known here.
 */
#include <physzone/linux/crash.h>
#include <physzone/range.h>

#include "pzl_text.h"

#define CAP_PAGE 0x1000ull
#define CAP_LOW_LAST 0xfffffull
#define CAP_EHDR 64
#define CAP_PHDR 56
#define CAP_TOOLS_ELF 0x4000ull /* kexec-tools never makes the header block smaller */

static uint64_t cap_round_up(uint64_t v, uint64_t align)
{
	return (v + align - 1) & ~(align - 1);
}

static bool cap_is_ram(uint32_t type)
{
	return type == PZ_MAP_RAM || type == PZ_MAP_RESERVED_KERN;
}

/* Pieces that are left of a range when holes, ascending and disjoint, are cut out. */
static uint32_t cap_pieces(struct pz_range r, const struct pz_range *hole, uint32_t holes)
{
	uint32_t i, n = 0;

	for (i = 0; i < holes; i++) {
		if (hole[i].last < r.first || hole[i].first > r.last)
			continue;
		if (hole[i].first > r.first)
			n++;
		if (hole[i].last >= r.last)
			return n;
		r.first = hole[i].last + 1;
	}
	return n + 1;
}

/* Ranges of RAM that the dump has: without the first megabyte and the crash kernel's memory. */
static uint32_t cap_dump_ranges(const struct pzl_capture_input *in)
{
	struct pz_range hole[3];
	uint32_t holes = 0, i, n = 0;

	hole[holes].first = 0;
	hole[holes++].last = CAP_LOW_LAST;
	if (in->has_low)
		hole[holes++] = in->low;
	hole[holes++] = in->crash;
	/* The low block lies below the main one; both lie above the first megabyte or in it. */
	for (i = 0; i < in->map->count; i++)
		if (cap_is_ram(in->map->v[i].type))
			n += cap_pieces(in->map->v[i].range, hole, holes);
	return n;
}

/* Bytes of the ELF headers that the kernel prepares. */
static uint64_t cap_elf_bytes(const struct pzl_capture_input *in)
{
	uint64_t headers = (uint64_t)in->cpus + 2 + cap_dump_ranges(in);

	if (in->elf_bytes)
		return in->elf_bytes;
	/* 6.12 keeps room for every CPU and range that may be plugged in (Debian: 8192 each). */
	if (in->how == PZL_KEXEC_FILE && pzl_model_facts(in->model)->crash_generic)
		return CAP_EHDR + CAP_PHDR * (2 + 8192 + 8192ull);
	return cap_round_up(CAP_EHDR + CAP_PHDR * headers, CAP_PAGE);
}

/* The RAM that kexec-tools would save: the first of the map below 640 KiB. */
static bool cap_low_ram(const struct pz_map *m, struct pz_range *r)
{
	uint32_t i;

	for (i = 0; i < m->count; i++) {
		if (m->v[i].range.first > 0x9ffff)
			return false;
		if (cap_is_ram(m->v[i].type)) {
			*r = m->v[i].range;
			if (r->last > 0x9ffff)
				r->last = 0x9ffff;
			return true;
		}
	}
	return false;
}

/* Find the places of the header block and the backup region. */
static int cap_place(const struct pzl_capture_input *in, struct pzl_capture *w)
{
	uint64_t elf = cap_elf_bytes(in), top = in->crash.last, size = pz_range_size(in->crash);
	struct pz_range low;

	if (in->how == PZL_KEXEC_FILE) {
		uint64_t at = cap_round_up(in->crash.first, CAP_PAGE);

		if (at < in->crash.first || elf > size || at - in->crash.first > size - elf)
			return -PZ_ERANGE;
		w->elfcorehdr.first = at;
		w->elfcorehdr.last = at + elf - 1;
		return 0;
	}
	if (cap_low_ram(in->map, &low)) {
		uint64_t bytes = cap_round_up(pz_range_size(low), 1024);

		if (bytes > size)
			return -PZ_ERANGE;
		w->has_backup = true;
		w->backup.first = (top - (bytes - 1)) & ~(CAP_PAGE - 1);
		if (w->backup.first <= in->crash.first)
			return -PZ_ERANGE;
		w->backup.last = w->backup.first + bytes - 1;
		top = w->backup.first - 1;
	}
	if (elf < CAP_TOOLS_ELF)
		elf = CAP_TOOLS_ELF;
	if (elf > top - in->crash.first)
		return -PZ_ERANGE;
	w->elfcorehdr.first = (top - (elf - 1)) & ~(CAP_PAGE - 1);
	if (w->elfcorehdr.first < in->crash.first)
		return -PZ_ERANGE;
	w->elfcorehdr.last = w->elfcorehdr.first + elf - 1;
	return 0;
}

/* Append entries of one type, cut to a range. */
static int cap_copy(const struct pz_map *from, struct pz_map *out, bool ram, uint32_t type,
		    struct pz_range within)
{
	uint32_t i;

	for (i = 0; i < from->count; i++) {
		struct pz_range r;
		int err;

		if (ram ? !cap_is_ram(from->v[i].type) : from->v[i].type != type)
			continue;
		if (!pz_range_intersect(from->v[i].range, within, &r))
			continue;
		err = pz_map_insert_range(out, r, type, from->v[i].ref);
		if (err)
			return err;
	}
	return 0;
}

/* Append what is left of the crash kernel's memory. */
static int cap_crash_ram(const struct pzl_capture_input *in, const struct pzl_capture *w,
			 struct pz_map *out)
{
	struct pz_range hole[2], rest = in->crash;
	/* kexec-tools keeps pieces below a page, the kernel drops them. */
	uint64_t least = in->how == PZL_KEXEC_FILE ? CAP_PAGE : 1;
	uint32_t holes = 0, i;

	hole[holes++] = w->elfcorehdr;
	if (w->has_backup)
		hole[holes++] = w->backup;
	for (i = 0; i < holes; i++) {
		if (hole[i].first > rest.first && hole[i].first - rest.first >= least) {
			struct pz_range piece = { rest.first, hole[i].first - 1 };
			int err = pz_map_insert_range(out, piece, PZ_MAP_RAM, 0);

			if (err)
				return err;
		}
		if (hole[i].last >= rest.last)
			return 0;
		rest.first = hole[i].last + 1;
	}
	if (rest.last - rest.first + 1 < least)
		return 0;
	return pz_map_insert_range(out, rest, PZ_MAP_RAM, 0);
}

void pzl_capture_input_init(struct pzl_capture_input *in, enum pzl_model model,
			    const struct pz_map *map, struct pz_range crash)
{
	struct pzl_capture_input fresh = { 0 };

	fresh.model = model;
	fresh.how = PZL_KEXEC_FILE;
	fresh.map = map;
	fresh.crash = crash;
	fresh.cpus = 1;
	*in = fresh;
}

int pzl_capture_map(const struct pzl_capture_input *in, struct pz_map *out,
		    struct pzl_capture *where)
{
	const struct pz_range low = { 0, CAP_LOW_LAST }, all = { 0, PZ_ADDR_MAX };
	struct pzl_capture w = { 0 };
	uint32_t count = out->count;
	bool sanitised = out->sanitised;
	int err;

	if (!pzl_model_facts(in->model) || !in->map || !in->map->sanitised || in->cpus == 0 ||
	    !pz_range_valid(in->crash) || in->crash.last == PZ_ADDR_MAX ||
	    (in->has_low && (!pz_range_valid(in->low) || in->low.last >= in->crash.first)))
		return -PZ_EINVAL;
	err = cap_place(in, &w);
	if (err)
		return err;

	err = cap_copy(in->map, out, true, PZ_MAP_RAM, low);
	if (!err)
		err = cap_copy(in->map, out, false, PZ_MAP_ACPI, all);
	if (!err)
		err = cap_copy(in->map, out, false, PZ_MAP_NVS, all);
	if (!err)
		err = cap_copy(in->map, out, false, PZ_MAP_RESERVED, all);
	if (!err && in->has_low)
		err = pz_map_insert_range(out, in->low, PZ_MAP_RAM, 0);
	if (!err)
		err = cap_crash_ram(in, &w, out);
	if (err) {
		out->count = count;
		out->sanitised = sanitised;
		return err;
	}
	if (where)
		*where = w;
	return 0;
}
