/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault.c - places that fail on demand.
 *
 * Concept
 *  Arming a point counts from that moment, so a test need not know what was hit before. The whole
 *  set can be armed as if it were one point; a hit counts for its point and for the set, and fails
 *  when either says so.
 *
 * Invariants (pz_faults_check() verifies them)
 *  1. count <= cap;
 *  2. names are there and differ;
 *  3. no point failed more often than it was hit;
 *  4. the hits of the points sum up to hits.
 *
 * Failure
 *  A set that is full refuses another point.
 *
 * Shortcomings
 *  The set does not grow: its room is the caller's. Points are never removed.
 */
#include <physzone/fault.h>

void pz_faults_init(struct pz_faults *faults, struct pz_fault_point *store, uint32_t cap)
{
	faults->v = store;
	faults->count = 0;
	faults->cap = store ? cap : 0;
	faults->hits = 0;
	faults->arm.pass = 0;
	faults->arm.fail = 0;
}

static bool fault_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

int pz_fault_find(const struct pz_faults *faults, const char *name, uint32_t *id)
{
	for (uint32_t i = 0; i < faults->count; i++) {
		if (fault_same(faults->v[i].name, name)) {
			*id = i;
			return 0;
		}
	}
	return -PZ_ENOENT;
}

int pz_fault_add(struct pz_faults *faults, const char *name, uint32_t *id)
{
	struct pz_fault_point *p;
	uint32_t other;

	if (!name)
		return -PZ_EINVAL;
	if (!pz_fault_find(faults, name, &other))
		return -PZ_EEXIST;
	if (faults->count == faults->cap)
		return -PZ_ENOSPC;
	p = &faults->v[faults->count];
	p->name = name;
	p->hits = 0;
	p->failed = 0;
	p->arm.pass = 0;
	p->arm.fail = 0;
	*id = faults->count++;
	return 0;
}

int pz_fault_arm(struct pz_faults *faults, uint32_t id, uint64_t nth, uint64_t times)
{
	struct pz_fault_arm *arm = &faults->arm;

	if (id != PZ_FAULT_ANY) {
		if (id >= faults->count)
			return -PZ_ENOENT;
		arm = &faults->v[id].arm;
	}
	arm->pass = nth ? nth - 1 : 0;
	arm->fail = nth ? times : 0;
	return 0;
}

static bool fault_step(struct pz_fault_arm *arm)
{
	if (!arm->fail)
		return false;
	if (arm->pass) {
		arm->pass--;
		return false;
	}
	if (arm->fail != UINT64_MAX)
		arm->fail--;
	return true;
}

bool pz_fault_hit(struct pz_faults *faults, uint32_t id)
{
	struct pz_fault_point *p;
	bool one, any;

	if (!faults || id >= faults->count)
		return false;
	p = &faults->v[id];
	p->hits++;
	faults->hits++;
	one = fault_step(&p->arm);
	any = fault_step(&faults->arm);
	p->failed += one || any;
	return one || any;
}

int pz_faults_check(const struct pz_faults *faults)
{
	uint64_t hits = 0;

	if (faults->count > faults->cap)
		return 1;
	for (uint32_t i = 0; i < faults->count; i++) {
		const struct pz_fault_point *p = &faults->v[i];
		uint32_t id;

		if (!p->name || pz_fault_find(faults, p->name, &id) || id != i)
			return 2;
		if (p->failed > p->hits)
			return 3;
		hits += p->hits;
	}
	return hits == faults->hits ? 0 : 4;
}

static void *fault_alloc(void *ctx, size_t size)
{
	struct pz_fault_meta *fm = ctx;
	void *p;

	if (pz_fault_hit(fm->faults, fm->id))
		return NULL;
	p = fm->under->alloc(fm->under->ctx, size);
	if (!p)
		return NULL;
	fm->blocks++;
	fm->bytes += size;
	if (fm->bytes > fm->peak)
		fm->peak = fm->bytes;
	return p;
}

static void fault_free(void *ctx, void *p, size_t size)
{
	struct pz_fault_meta *fm = ctx;

	fm->blocks--;
	fm->bytes -= size;
	fm->under->free(fm->under->ctx, p, size);
}

void pz_fault_meta_init(struct pz_fault_meta *fm, const struct pz_meta *under,
			struct pz_faults *faults, uint32_t id)
{
	/* Without a hook below nothing can grow, which a NULL alloc says. */
	fm->meta.alloc = under && under->alloc ? fault_alloc : NULL;
	fm->meta.free = fault_free;
	fm->meta.ctx = fm;
	fm->under = under;
	fm->faults = faults;
	fm->id = id;
	fm->bytes = 0;
	fm->peak = 0;
	fm->blocks = 0;
}
