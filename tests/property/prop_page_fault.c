/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_page_fault.c - every allocation of metadata and every fault point of the page allocator
 * fails, once and from then on: the answer is an error that is promised, and all stays as it was.
 */
#include "page_ops.h"

#include <inttypes.h>

#define POINTS 32u

static struct pz_fault_point points[POINTS];
static struct pz_faults faults;

static const char *const prefix = "page.";

static bool named_right(struct prop *p)
{
	for (uint32_t k = 0; k < faults.count; k++) {
		if (strncmp(faults.v[k].name, prefix, strlen(prefix))) {
			prop_note(p, "a fault point is called %s", faults.v[k].name);
			return false;
		}
	}
	PROP_ASSERT(p, pz_faults_check(&faults) == 0);
	return true;
}

/* Make the allocator anew while the n-th call of a hook fails, until none is left to fail. */
static bool sweep_create(struct world *w, struct hook *h)
{
	size_t live = w->meta.live, zeroed = w->zeroed.live;

	for (unsigned int n = 1;; n++) {
		struct pz_pages *out = NULL;
		int rc;

		if (n > 2000) {
			prop_note(w->p, "the sweep does not end");
			return false;
		}
		pz_faults_init(&faults, points, POINTS);
		h->fail_at = h->calls + n;
		rc = pz_pages_create(&out, &w->cfg);
		if (h->calls < h->fail_at) { /* nothing failed */
			h->fail_at = 0;
			prop_note(w->p, "%u calls of the hook, then %d", n - 1, rc);
			PROP_ASSERT(w->p, rc == 0 && out);
			w->pages = out;
			return world_compare(w);
		}
		h->fail_at = 0;
		PROP_ASSERT(w->p, rc == -PZ_ENOMEM && !out);
		PROP_ASSERT(w->p, w->meta.live == live && w->zeroed.live == zeroed);
		PROP_ASSERT(w->p, !w->meta.bad_free && !w->zeroed.bad_free);
	}
}

static bool making(struct prop *p, void *ctx)
{
	struct w_options opt = { .max_pages = 400, .no_debug = true };
	static struct world w;
	bool ok;

	(void)ctx;
	pz_faults_init(&faults, points, POINTS);
	opt.faults = &faults;
	ok = world_open(&w, p, &opt);
	for (unsigned int k = 0; ok && k < 4; k++) {
		struct hook *h = k & 1 ? &w.zeroed : &w.meta;

		pz_pages_destroy(w.pages);
		w.pages = NULL;
		h->fail_on = k & 2;
		ok = sweep_create(&w, h);
	}
	/* A set without room for the points. */
	if (ok && faults.count) {
		size_t live = w.meta.live, zeroed = w.zeroed.live;
		struct pz_pages *out = NULL;
		uint32_t count = faults.count;

		for (uint32_t cap = 0; ok && cap < count; cap++) {
			pz_faults_init(&faults, points, cap);
			ok = pz_pages_create(&out, &w.cfg) == -PZ_ENOSPC && !out &&
			     w.meta.live == live && w.zeroed.live == zeroed;
			if (!ok)
				prop_note(p, "room for %u of %u points", cap, count);
		}
		pz_faults_init(&faults, points, POINTS);
	}
	world_close(&w);
	return ok;
}

/* Arm one point, or a hook, for one operation. */
static void arm(struct world *w, bool on)
{
	uint64_t times = on ? UINT64_MAX : 1;
	uint32_t pick = (uint32_t)prop_draw(w->p, faults.count + 2);

	if (pick < faults.count)
		pz_fault_arm(&faults, pick, 1 + prop_draw(w->p, 4), times);
	else if (pick == faults.count)
		pz_fault_arm(&faults, PZ_FAULT_ANY, 1 + prop_draw(w->p, 8), times);
	else {
		struct hook *h = pick == faults.count + 1 ? &w->meta : &w->zeroed;

		h->fail_at = h->calls + 1 + (unsigned int)prop_draw(w->p, 2);
		h->fail_on = on;
	}
}

static void disarm(struct world *w)
{
	for (uint32_t k = 0; k < faults.count; k++)
		pz_fault_arm(&faults, k, 0, 0);
	pz_fault_arm(&faults, PZ_FAULT_ANY, 0, 0);
	w->meta.fail_at = w->zeroed.fail_at = 0;
	w->meta.fail_on = w->zeroed.fail_on = false;
}

static bool step(struct world *w)
{
	switch (prop_choice(w->p, 15)) {
	default:
		return op_alloc(w);
	case 7:
	case 8:
	case 9:
		return op_free_any(w);
	case 10:
		return op_bulk(w);
	case 11:
		return op_free_bulk(w);
	case 12:
		return op_part(w);
	case 13:
		return op_split(w);
	case 14:
		return op_add(w);
	}
}

static bool running(struct prop *p, void *ctx)
{
	struct w_options opt = { .max_pages = 600, .no_debug = true };
	static struct world w;
	unsigned int ops;
	bool ok;

	(void)ctx;
	pz_faults_init(&faults, points, POINTS);
	opt.faults = &faults;
	ok = world_open(&w, p, &opt) && named_right(p);
	ops = ok ? (unsigned int)prop_draw(p, 200) : 0;
	for (unsigned int i = 0; ok && i < ops; i++) {
		bool armed = prop_choice(p, 3) == 2;

		if (armed)
			arm(&w, prop_choice(p, 2));
		ok = step(&w);
		disarm(&w);
		if (ok && armed && (w.n < 300 || prop_choice(p, 8) == 7))
			ok = world_compare(&w);
	}
	ok = ok && named_right(p) && world_compare(&w) && op_free_all(&w);
	world_close(&w);
	if (ok && (w.meta.live || w.meta.bad_free || w.zeroed.live || w.zeroed.bad_free)) {
		prop_note(p, "metadata was not given back");
		ok = false;
	}
	return ok;
}

int main(void)
{
	prop_run("making fails at each step", making, NULL, 300);
	prop_run("running while points fail", running, NULL, 2500);
	return prop_done();
}
