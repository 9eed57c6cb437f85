/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture.c - the machine that a capture kernel sees, made out of the running one.
 *
 * kexec gives the capture kernel a memory map of its own: on x86 the RAM of the first megabyte,
 * what firmware reserves, and the crash kernel's memory; elsewhere the whole map with a usable
 * range. Everything else follows as for any machine.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* The reserved areas: main and low. */
struct capture_area {
	struct pz_range main, low;
	bool has_main, has_low;
};

static void capture_take(struct capture_area *a, struct pz_range r)
{
	if (a->has_main && (a->main.first == r.first || (a->has_low && a->low.first == r.first)))
		return; /* the log and /proc/iomem tell the same */
	if (!a->has_main) {
		a->main = r;
		a->has_main = true;
		return;
	}
	/* The lower one is the low block. */
	a->has_low = true;
	if (r.first < a->main.first) {
		a->low = r;
	} else {
		a->low = a->main;
		a->main = r;
	}
}

static void capture_told(const struct facts *f, struct capture_area *a)
{
	for (size_t i = 0; i < f->iomem.n; i++)
		if (!strcmp(f->iomem.v[i].name, "Crash kernel"))
			capture_take(a, f->iomem.v[i].range);
	if (a->has_main)
		return;
	for (size_t i = 0; i < f->claims.n; i++)
		if (f->claims.v[i].kind == CLAIM_CRASHKERNEL ||
		    f->claims.v[i].kind == CLAIM_CRASHKERNEL_LOW)
			capture_take(a, f->claims.v[i].range);
}

/* By the command line, after what else is known to be reserved. */
static int capture_computed(struct an_ctx *c, struct capture_area *a, char **err)
{
	const char *name = c->f->files.n ? c->f->files.v[0] : "input";
	struct pzl_crash_request req;
	struct pzl_crash_area area;
	int rc;

	/* A command line that the input knows nothing of was followed there already. */
	rc = c->has_crash ? 0 : an_crash_reserve(c, &req, &area);
	if (c->has_crash)
		area = c->crash_got.area;
	switch (rc) {
	case 0:
		break;
	case -PZ_EINVAL:
		*err = xasprintf("%s: no memory is reserved for a crash kernel: %s", name,
				 pzl_crash_parse_text(req.parse));
		return 1;
	case -PZ_ENOENT:
		*err = xasprintf("how %s reserves crash kernel memory on %s is not known: give an "
				 "input that says where it lies",
				 pzl_model_name(c->a->model), pzl_arch_name(c->a->arch));
		return 4;
	default:
		*err = xasprintf("%s: the crash kernel's memory cannot be reserved on this machine",
				 name);
		return 1;
	}
	a->main = area.main;
	a->has_main = true;
	a->low = area.low;
	a->has_low = area.has_low;
	return 0;
}

static void capture_fw(struct facts *out, enum fw_origin origin, struct pz_range r, uint32_t type,
		       int nid)
{
	struct fact_fw *w = vec_push(&out->fw);

	w->origin = origin;
	w->range = r;
	w->type = type;
	w->nid = nid;
}

static int capture_by_address(const void *a, const void *b)
{
	const struct fact_fw *x = a, *y = b;

	return (x->range.first > y->range.first) - (x->range.first < y->range.first);
}

static int capture_x86(struct an_ctx *c, struct facts *out, const struct capture_area *a,
		       bool kexec_file, struct pzl_capture *where, char **err)
{
	struct pzl_capture_input in;
	struct pz_map map;
	int rc;

	pzl_capture_input_init(&in, c->a->model, &c->map, a->main);
	in.how = kexec_file ? PZL_KEXEC_FILE : PZL_KEXEC_TOOLS;
	in.has_low = a->has_low;
	in.low = a->low;
	if (c->f->cpus)
		in.cpus = c->f->cpus;
	pz_map_init(&map, &an_meta, NULL, 0);
	rc = pzl_capture_map(&in, &map, where);
	for (uint32_t i = 0; i < map.count; i++)
		capture_fw(out, FW_BIOS, map.v[i].range, map.v[i].type, PZ_NID_NONE);
	pz_map_destroy(&map);
	/* kexec's table is not in order; the capture kernel prints it sorted. */
	if (out->fw.n)
		qsort(out->fw.v, out->fw.n, sizeof(*out->fw.v), capture_by_address);
	if (!rc)
		return 0;
	*err = xasprintf("the crash kernel's memory is too small for a capture kernel");
	return 1;
}

int capture_machine(struct facts *capture, struct facts *running, const struct analysis_options *o,
		    char **err)
{
	struct capture_area area = { { 0, 0 }, { 0, 0 }, false, false };
	struct pzl_capture where;
	enum managed_from from;
	struct analysis a;
	struct an_ctx c;
	int rc;

	memset(&where, 0, sizeof(where));
	*err = NULL;
	an_begin(&c, &a, running);
	rc = an_prepare(&c, o, &from, err);
	if (!rc) {
		if (!c.what_if)
			capture_told(running, &area);
		if (!area.has_main)
			rc = capture_computed(&c, &area, err);
	}
	if (rc)
		goto out;

	capture->kind = running->kind;
	facts_file(capture, running->files.n ? running->files.v[0] : "input");
	if (running->release)
		capture->release = xstrdup(running->release);
	capture->arch_hint = xstrdup(pzl_arch_name(a.arch));
	capture->page_shift = a.page_shift;
	capture->pae = running->pae;
	capture->cpus = 1;
	capture->low_ram_end = 0;
	if (c.x86) {
		rc = capture_x86(&c, capture, &area, o->kexec_file, &where, err);
		if (rc)
			goto out;
		capture->cmdline = xasprintf("elfcorehdr=%lluK irqpoll nr_cpus=1 reset_devices",
					     (unsigned long long)(where.elfcorehdr.first >> 10));
	} else {
		for (uint32_t i = 0; i < c.mb.memory.count; i++)
			capture_fw(capture, FW_DT, c.mb.memory.v[i].range, PZ_MAP_RAM,
				   c.mb.memory.v[i].nid);
		capture->dt.seen = true;
		capture->dt.dma_max_cpu = running->dt.seen ? running->dt.dma_max_cpu : PZ_ADDR_MAX;
		capture->dt.has_elfcorehdr = true;
		capture->dt.has_usable = true;
		*vec_push(&capture->dt.usable) = area.main;
		if (area.has_low)
			*vec_push(&capture->dt.usable) = area.low;
		capture->cmdline = xstrdup("irqpoll nr_cpus=1 reset_devices");
	}
	capture->zone_types = c.configured;
	facts_note(capture,
		   "this is the capture kernel's machine, made out of the running one: crash "
		   "kernel memory [mem 0x%016llx-0x%016llx]",
		   (unsigned long long)area.main.first, (unsigned long long)area.main.last);
out:
	an_end(&c);
	analysis_destroy(&a);
	return rc;
}
