/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swiotlb.c - the bounce buffers of recorded machines: the size that the log tells is that of the
 * running kernel, it is as the model rounds it, none of them was short, and where the pool lies one
 * of its size fits when the machine is rebuilt.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input/source.h"
#include "swiotlb/swiotlb.h"
#include "walk.h"

static unsigned int sw_run, sw_failed, sw_tried;

static void sw_ok(bool ok, const char *name, const char *what, const char *why)
{
	sw_run++;
	sw_failed += !ok;
	printf("%sok %u - %s: %s\n", ok ? "" : "not ", sw_run, name, what);
	if (!ok)
		printf("# %s\n", why);
}

/* The number behind "== .../io_tlb_nslabs" in debugfs' files; UINT64_MAX without them. */
static uint64_t sw_recorded(const char *dir)
{
	char *path = xasprintf("%s/swiotlb.txt", dir), *err = NULL, *at;
	uint64_t n = UINT64_MAX;
	struct text t;

	if (!text_read(&t, path, &err)) {
		at = strstr(t.buf, "io_tlb_nslabs\n");
		if (at)
			n = strtoull(at + 14, NULL, 10);
		text_destroy(&t);
	}
	free(err);
	free(path);
	return n;
}

/* A pool that is full, so that twice its size would have done: half of that is what there is. */
static void sw_try(const char *name, struct facts *f, const struct analysis *a, uint64_t slots)
{
	const struct analysis_options how = { .model = NULL };
	struct fact_swiotlb *e = vec_push(&f->swiotlb);
	struct swiotlb s;
	char *why;

	e->device = UINT32_MAX;
	e->bytes = PZL_SWLOG_SLOT;
	e->total = e->used = slots;
	e->stamp = -1;
	swiotlb_compute(&s, f, a);
	swiotlb_try(&s, f, &how);
	why = xasprintf("%s; %zu sizes tried, %llu slots found room", s.unfit ? s.unfit : "rebuilt",
			s.fits.n, (unsigned long long)(s.fits.n ? s.fits.v[0].got : 0));
	sw_ok(!s.unfit && s.fits.n && s.fits.v[0].got >= slots, name, "a pool of its size fits",
	      why);
	sw_tried++;
	free(why);
	swiotlb_destroy(&s);
}

static void sw_machine(const char *dir, const char *name)
{
	const struct analysis_options how = { .model = NULL };
	uint64_t slots = sw_recorded(dir);
	struct analysis a;
	struct swiotlb s;
	struct facts f;
	uint32_t configured;
	char *err = NULL, *why;
	bool known;

	memset(&a, 0, sizeof(a));
	facts_init(&f);
	if (!source_read(&f, dir, NULL, &err) && f.release &&
	    !analyse_kernel(&a, &f, &how, &known, &configured, &err)) {
		swiotlb_compute(&s, &f, &a);
		sw_ok(!s.events.n, name, "no mapping was refused", "one was");
		/* With swiotlb=force alone the kernel does not say where it put them. */
		if (slots != UINT64_MAX && (s.mapped || !slots)) {
			why = xasprintf("%llu in the log, %llu in debugfs",
					(unsigned long long)s.mapped, (unsigned long long)slots);
			sw_ok(s.mapped == slots, name, "slots of the log and of the kernel", why);
			free(why);
		}
		if (s.mapped && a.model == PZL_LINUX_6_1)
			sw_ok(pzl_swlog_round(&s.kernel, s.mapped) == s.mapped, name,
			      "its size is as the model rounds it", "it is another");
		slots = s.mapped;
		swiotlb_destroy(&s);
		if (slots && known)
			sw_try(name, &f, &a, slots);
	}
	free(err);
	analysis_destroy(&a);
	facts_destroy(&f);
}

int main(int argc, char **argv)
{
	golden_walk(argc > 1 ? argv[1] : "machines", sw_machine);
	sw_ok(sw_tried > 50, "all", "many have a pool", "few have");
	printf("1..%u\n", sw_run);
	return sw_failed != 0;
}
