/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resize.c - the machine that has another amount of memory, made out of a known one.
 *
 * Concept: a PC has memory up to some hole below 4 GiB, and the rest from 4 GiB on. What firmware
 * and loader put at the top of the lower part moves with that top; everything else stays where it
 * is. Where a machine's hole begins is seen once it has memory above; else it is taken to be at
 * 3 GiB. In a capture kernel's machine it is the crash kernel's memory that grows or shrinks.
 * Elsewhere the last ranges are cut off, or the last one goes on.
 *
 * Failure: less memory than what lies below the part that changes is told.
 *
 * Shortcomings: nodes of memory that is added are the last node's; on x86 there is one node.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#define RESIZE_4G (UINT64_C(1) << 32)
#define RESIZE_3G (UINT64_C(3) << 30)
#define RESIZE_1M (UINT64_C(1) << 20)
#define RESIZE_TOP (UINT64_C(64) << 20) /* within which things are at the top */

/* The lower part of a PC's memory, and where it ends before and after. */
struct resize_pc {
	uint64_t start; /* of what changes: 0, or the crash kernel's memory */
	uint64_t below; /* bytes of RAM below it */
	uint64_t end; /* behind the last RAM below 4 GiB, and what firmware keeps right behind it */
	uint64_t new_end;
	uint64_t high; /* where RAM above 4 GiB begins, 0 for none */
};

static void resize_fw(struct facts *out, enum fw_origin origin, uint64_t first, uint64_t end,
		      uint32_t type, int nid)
{
	struct fact_fw *w;

	if (first >= end)
		return;
	w = vec_push(&out->fw);
	w->origin = origin;
	w->range.first = first;
	w->range.last = end - 1;
	w->type = type;
	w->nid = nid;
}

/* Read the shape of a map, which is sorted and disjoint. */
static void resize_shape(const struct pz_map *map, struct resize_pc *pc)
{
	uint64_t last_end = 0;

	memset(pc, 0, sizeof(*pc));
	for (uint32_t i = 0; i < map->count; i++) {
		const struct pz_range r = map->v[i].range;

		if (map->v[i].type != PZ_MAP_RAM) {
			if (r.first == pc->end && r.last < RESIZE_4G)
				pc->end = r.last + 1;
			continue;
		}
		if (r.first >= RESIZE_4G) {
			pc->high = pc->high ? pc->high : r.first;
			continue;
		}
		/* A gap of this size is no firmware's: what changes begins behind it. */
		if (last_end && r.first > last_end + RESIZE_TOP)
			pc->start = r.first;
		last_end = r.last + 1;
		pc->end = last_end;
	}
	for (uint32_t i = 0; i < map->count && pc->start; i++)
		if (map->v[i].type == PZ_MAP_RAM && map->v[i].range.first < pc->start)
			pc->below += pz_range_size(map->v[i].range);
}

static void resize_pc_map(const struct pz_map *map, const struct resize_pc *pc, uint64_t rest,
			  struct facts *out)
{
	for (uint32_t i = 0; i < map->count; i++) {
		uint64_t first = map->v[i].range.first, end = map->v[i].range.last + 1;

		if (map->v[i].type == PZ_MAP_RAM) {
			if (first < RESIZE_1M || first < pc->start)
				resize_fw(out, FW_BIOS, first,
					  first < RESIZE_1M && end > RESIZE_1M ? RESIZE_1M : end,
					  PZ_MAP_RAM, PZ_NID_NONE);
			continue;
		}
		if (first < pc->end && first + RESIZE_TOP >= pc->end && first > RESIZE_1M) {
			first = first - pc->end + pc->new_end;
			end = end - pc->end + pc->new_end;
		}
		resize_fw(out, FW_BIOS, first, end, map->v[i].type, PZ_NID_NONE);
	}
	resize_fw(out, FW_BIOS, pc->start > RESIZE_1M ? pc->start : RESIZE_1M, pc->new_end,
		  PZ_MAP_RAM, PZ_NID_NONE);
	if (rest) {
		uint64_t first = pc->high ? pc->high : RESIZE_4G;

		resize_fw(out, FW_BIOS, first, first + rest, PZ_MAP_RAM, PZ_NID_NONE);
	}
}

static int resize_pc(struct an_ctx *c, struct facts *out, uint64_t bytes, int64_t *moved,
		     char **err)
{
	uint64_t want, limit, low;
	struct resize_pc pc;

	resize_shape(&c->map, &pc);
	if (bytes < pc.below + 4 * RESIZE_1M) {
		*err = xasprintf("%llu MiB of memory are less than what lies below the part that "
				 "changes",
				 (unsigned long long)(bytes >> 20));
		return 1;
	}
	want = bytes - pc.below;
	limit = pc.high || pc.end > RESIZE_3G ? pc.end : RESIZE_3G;
	low = want < limit - pc.start ? want : limit - pc.start;
	pc.new_end = pc.start + low;
	*moved = (int64_t)(pc.new_end - pc.end);
	resize_pc_map(&c->map, &pc, want - low, out);
	return 0;
}

static int resize_ranges(struct an_ctx *c, struct facts *out, uint64_t bytes, int64_t *moved,
			 char **err)
{
	uint64_t left = bytes;

	if (!c->mb.memory.count) {
		*err = xstrdup("there is no memory to change");
		return 1;
	}
	for (uint32_t i = 0; i < c->mb.memory.count && left; i++) {
		const struct pz_mb_region *m = &c->mb.memory.v[i];
		uint64_t size = pz_range_size(m->range);

		if (size > left || i + 1 == c->mb.memory.count)
			size = left;
		if (size > UINT64_MAX - m->range.first) {
			*err = xstrdup("there are not that many addresses");
			return 1;
		}
		resize_fw(out, FW_DT, m->range.first, m->range.first + size, PZ_MAP_RAM, m->nid);
		*moved = (int64_t)(m->range.first + size - 1 - pz_memblock_last(&c->mb));
		left -= size;
	}
	return 0;
}

static bool resize_inside(const struct facts *f, struct pz_range r)
{
	for (size_t i = 0; i < f->fw.n; i++)
		if (f->fw.v[i].type == PZ_MAP_RAM && f->fw.v[i].range.first <= r.first &&
		    r.last <= f->fw.v[i].range.last)
			return true;
	return false;
}

/* What the loader and the device tree put into memory: where it was, or with the top. */
static void resize_claims(struct facts *out, const struct facts *from, int64_t moved)
{
	for (size_t i = 0; i < from->claims.n; i++) {
		const struct fact_claim *cl = &from->claims.v[i];
		struct fact_claim copy = *cl;

		if (cl->kind != CLAIM_INITRD && cl->kind != CLAIM_DT_RESERVED)
			continue;
		if (cl->kind == CLAIM_INITRD) {
			copy.range.first += (uint64_t)moved;
			copy.range.last += (uint64_t)moved;
			if (!resize_inside(out, copy.range))
				copy.range = cl->range;
		}
		if (!resize_inside(out, copy.range))
			continue;
		copy.text = cl->text ? xstrdup(cl->text) : NULL;
		*vec_push(&out->claims) = copy;
	}
}

static void resize_dt(struct facts *out, const struct facts *from)
{
	out->dt = from->dt;
	memset(&out->dt.usable, 0, sizeof(out->dt.usable));
	memset(&out->dt.dynamic, 0, sizeof(out->dt.dynamic));
	out->dt.has_usable = false;
	out->dt.model = from->dt.model ? xstrdup(from->dt.model) : NULL;
	out->dt.compatible = from->dt.compatible ? xstrdup(from->dt.compatible) : NULL;
	for (size_t i = 0; i < from->dt.dynamic.n; i++) {
		const struct fact_dt_dynamic *d = &from->dt.dynamic.v[i];
		struct fact_dt_dynamic *e = vec_push(&out->dt.dynamic);

		*e = *d;
		memset(&e->within, 0, sizeof(e->within));
		e->name = d->name ? xstrdup(d->name) : NULL;
		for (size_t k = 0; k < d->within.n; k++)
			*vec_push(&e->within) = d->within.v[k];
	}
}

/* A limit of ZONE_DMA that only the recorded zones tell; where memory ends is no limit. */
static void resize_zone_limit(struct an_ctx *c, struct facts *out)
{
	for (size_t i = 0; i < c->f->zone_ranges.n; i++) {
		const struct fact_zone_range *z = &c->f->zone_ranges.v[i];

		if (c->a->arch == PZL_ARCH_ARM64 && !strcmp(z->name, "DMA") && !z->empty &&
		    z->range.last < pz_memblock_last(&c->mb))
			*vec_push(&out->zone_ranges) = *z;
	}
}

static void resize_rest(struct an_ctx *c, struct facts *out)
{
	const struct facts *from = c->f;

	out->kind = from->kind;
	facts_file(out, from->files.n ? from->files.v[0] : "input");
	out->release = from->release ? xstrdup(from->release) : NULL;
	out->cmdline = c->a->cmdline ? xstrdup(c->a->cmdline) : NULL;
	out->arch_hint = xstrdup(pzl_arch_name(c->a->arch));
	out->page_shift = c->a->page_shift;
	out->pae = from->pae;
	out->cpus = from->cpus;
	out->nr_cpu_ids = from->nr_cpu_ids;
	out->zone_types = c->configured;
	out->memory = from->memory;
	out->efi = from->efi;
	out->min_free_kbytes = UINT64_MAX;
	out->altered = true;
	for (size_t i = 0; i < from->freeing.n; i++) {
		struct fact_freeing *fr = vec_push(&out->freeing);

		*fr = from->freeing.v[i];
		fr->what = xstrdup(from->freeing.v[i].what);
	}
	/* Which pools a kernel has is a matter of how it was built. */
	for (size_t i = 0; i < from->said.n; i++) {
		struct fact_said *said;

		if (from->said.v[i].kind != SAID_POOL)
			continue;
		said = vec_push(&out->said);
		*said = from->said.v[i];
		said->text = xstrdup(from->said.v[i].text);
	}
	facts_note(out, "this machine is made out of the input's by changing its memory");
}

int resized_machine(struct facts *out, struct facts *from, const struct analysis_options *o,
		    uint64_t bytes, char **err)
{
	enum managed_from managed;
	struct analysis a;
	int64_t moved = 0;
	struct an_ctx c;
	int rc;

	*err = NULL;
	an_begin(&c, &a, from);
	rc = an_prepare(&c, o, &managed, err);
	if (!rc)
		rc = c.x86 ? resize_pc(&c, out, bytes, &moved, err)
			   : resize_ranges(&c, out, bytes, &moved, err);
	if (!rc) {
		resize_rest(&c, out);
		resize_dt(out, from);
		resize_zone_limit(&c, out);
		resize_claims(out, from, moved);
	}
	an_end(&c);
	analysis_destroy(&a);
	return rc;
}
