/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_fault.c - fault points: which hit fails, and a sweep over the failures of a real object.
 */
#include "suites_decl.h"

#include <physzone/fault.h>
#include <physzone/range.h>

static void points(struct tap *t)
{
	struct pz_fault_point store[2];
	struct pz_faults f;
	uint32_t a = 9, b = 9, c = 9;

	pz_faults_init(&f, store, 2);
	CHECK(t, pz_fault_add(&f, NULL, &a) == -PZ_EINVAL && a == 9);
	CHECK(t, pz_fault_add(&f, "alpha", &a) == 0 && pz_fault_add(&f, "beta", &b) == 0 && a != b);
	CHECK(t, pz_fault_add(&f, "alpha", &c) == -PZ_EEXIST && c == 9);
	CHECK(t, pz_fault_add(&f, "gamma", &c) == -PZ_ENOSPC && c == 9);
	CHECK(t, pz_fault_find(&f, "beta", &c) == 0 && c == b);
	CHECK(t, pz_fault_find(&f, "bet", &c) == -PZ_ENOENT);
	CHECK(t, pz_fault_arm(&f, 2, 1, 1) == -PZ_ENOENT);
	CHECK(t, !pz_fault_hit(NULL, 0) && !pz_fault_hit(&f, 2) && !pz_fault_hit(&f, PZ_FAULT_ANY));
	CHECK_NAMED(t, !pz_fault_hit(&f, a) && f.v[a].hits == 1, "unarmed points never fail");

	CHECK(t, pz_fault_arm(&f, a, 2, 1) == 0);
	CHECK(t, !pz_fault_hit(&f, a) && !pz_fault_hit(&f, b));
	CHECK(t, pz_fault_hit(&f, a) && !pz_fault_hit(&f, a));
	CHECK(t, pz_fault_arm(&f, a, 1, 2) == 0);
	CHECK(t, pz_fault_hit(&f, a) && pz_fault_hit(&f, a) && !pz_fault_hit(&f, a));
	CHECK(t, pz_fault_arm(&f, b, 1, UINT64_MAX) == 0);
	CHECK(t, pz_fault_hit(&f, b) && pz_fault_hit(&f, b) && !pz_fault_hit(&f, a));
	CHECK(t, pz_fault_arm(&f, b, 0, 5) == 0 && !pz_fault_hit(&f, b));
	CHECK(t, pz_fault_arm(&f, PZ_FAULT_ANY, 3, 1) == 0);
	CHECK(t, !pz_fault_hit(&f, a) && !pz_fault_hit(&f, b) && pz_fault_hit(&f, a));
	CHECK(t, !pz_fault_hit(&f, a) && !pz_fault_hit(&f, b));
	CHECK(t, pz_faults_check(&f) == 0 && f.v[a].failed == 4 && f.v[b].failed == 2);
	CHECK(t, f.hits == f.v[a].hits + f.v[b].hits);

	f.hits++;
	CHECK(t, pz_faults_check(&f) == 4);
	f.hits--;
	store[1].failed = store[1].hits + 1;
	CHECK(t, pz_faults_check(&f) == 3);
	store[1].name = "alpha";
	CHECK(t, pz_faults_check(&f) == 2);
	f.cap = 1;
	CHECK(t, pz_faults_check(&f) == 1);
}

/* Add sixty ranges; true when all went in. */
static bool fill(struct pz_rangeset *s, bool *unchanged)
{
	for (uint64_t i = 0; i < 60; i++) {
		struct pz_range r = { i * 10, i * 10 + 5 };
		uint32_t count = s->count;

		if (pz_rangeset_add(s, r)) {
			*unchanged = s->count == count && pz_rangeset_check(s) == 0;
			return false;
		}
	}
	return true;
}

/* A hook that gave more at once before. */
static void peak_stays(struct tap *t, struct pz_fault_meta *fm)
{
	uint64_t peak = fm->peak;
	void *p = fm->meta.alloc(fm->meta.ctx, 16);

	CHECK(t, p && fm->bytes == 16 && fm->peak == peak);
	if (p)
		fm->meta.free(fm->meta.ctx, p, 16);
}

static void sweep(struct tap *t)
{
	struct pz_fault_point store[1];
	struct pz_faults f;
	struct pz_fault_meta fm;
	struct pz_rangeset s;
	uint32_t id = 0;
	unsigned int n;
	bool done = false, unchanged = true, kept = false;

	pz_faults_init(&f, store, 1);
	pz_fault_add(&f, "meta", &id);
	pz_fault_meta_init(&fm, t->meta, &f, id);
	for (n = 1; n < 100 && !done; n++) {
		bool ok = true;

		pz_rangeset_init(&s, &fm.meta, NULL, 0);
		pz_fault_arm(&f, id, n, 1);
		done = fill(&s, &ok);
		unchanged = unchanged && ok;
		pz_rangeset_destroy(&s);
		kept = kept || fm.bytes || fm.blocks;
	}
	CHECK_NAMED(t, done && n > 3, "the sweep ends when nothing is left to fail");
	CHECK_NAMED(t, unchanged, "each failure leaves the set as it was");
	CHECK_NAMED(t, !kept, "no failure leaks");
	CHECK(t, fm.peak >= 60 * sizeof(struct pz_range));
	CHECK(t, f.v[0].failed == n - 2 && pz_faults_check(&f) == 0);

	pz_fault_arm(&f, id, 0, 0);
	peak_stays(t, &fm);

	pz_fault_meta_init(&fm, NULL, &f, id);
	pz_rangeset_init(&s, &fm.meta, NULL, 0);
	CHECK_NAMED(t, !fill(&s, &unchanged) && fm.meta.alloc == NULL,
		    "without a hook below, nothing grows");
	pz_rangeset_destroy(&s);
}

void contract_fault(struct tap *t)
{
	points(t);
	sweep(t);
}
