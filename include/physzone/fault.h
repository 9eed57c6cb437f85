/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault.h - places that fail on demand, for tests that try each failure in turn.
 *
 * A fault point has a name and a number. The code that can fail asks pz_fault_hit() and fails when
 * told to; a test arms "the n-th time from now", runs, and raises n until nothing fails any more.
 */
#ifndef PHYSZONE_FAULT_H
#define PHYSZONE_FAULT_H

#include <physzone/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In place of a number: whichever point is hit. */
#define PZ_FAULT_ANY UINT32_MAX

/* When to fail: hits still to pass, then failures still to give. */
struct pz_fault_arm {
	uint64_t pass;
	uint64_t fail;
};

struct pz_fault_point {
	const char *name; /* static */
	uint64_t hits;	  /* times it was asked */
	uint64_t failed;  /* times it failed */
	struct pz_fault_arm arm;
};

/*
 * Invariants, verified by pz_faults_check(): 1. count <= cap; 2. names are there and differ;
 * 3. no point failed more often than it was hit; 4. the hits of the points sum up to hits.
 */
struct pz_faults {
	struct pz_fault_point *v;
	uint32_t count;
	uint32_t cap;
	uint64_t hits;		 /* of all points */
	struct pz_fault_arm arm; /* PZ_FAULT_ANY */
};

/**
 * pz_faults_init - make a set of fault points, with none in it
 * @faults: the set
 * @store: room for points, or NULL when @cap is 0
 * @cap: points that @store holds
 *
 * Context: any.
 */
void pz_faults_init(struct pz_faults *faults, struct pz_fault_point *store, uint32_t cap);

/**
 * pz_fault_add - add a fault point
 * @faults: the set
 * @name: its name; kept, not copied
 * @id: its number, written on success only
 *
 * Context: any.
 * Return: 0, -PZ_EINVAL when @name is NULL, -PZ_EEXIST when the name is taken, -PZ_ENOSPC.
 */
int pz_fault_add(struct pz_faults *faults, const char *name, uint32_t *id);

/**
 * pz_fault_find - look a fault point up by its name
 * @faults: the set
 * @name: the name
 * @id: its number, written on success only
 *
 * Context: any. Cost: O(points).
 * Return: 0, or -PZ_ENOENT.
 */
int pz_fault_find(const struct pz_faults *faults, const char *name, uint32_t *id);

/**
 * pz_fault_arm - let hits fail
 * @faults: the set
 * @id: the point, or PZ_FAULT_ANY to count the hits of all
 * @nth: the first hit from now that fails, 1 for the next; 0 disarms
 * @times: how many hits in a row fail, UINT64_MAX for all that follow; 0 disarms
 *
 * Context: any.
 * Return: 0, or -PZ_ENOENT for no such point.
 */
int pz_fault_arm(struct pz_faults *faults, uint32_t id, uint64_t nth, uint64_t times);

/**
 * pz_fault_hit - ask whether to fail here
 * @faults: the set, or NULL: never then
 * @id: the point; a number that is none never fails and is not counted
 *
 * Context: any. Cost: O(1).
 * Return: true when the caller is to fail.
 */
bool pz_fault_hit(struct pz_faults *faults, uint32_t id);

/**
 * pz_faults_check - verify the numbered invariants
 * @faults: the set
 *
 * Context: any. Cost: O(points squared).
 * Return: 0, or the number of the first invariant that does not hold.
 */
int pz_faults_check(const struct pz_faults *faults);

/*
 * A metadata hook on top of another that fails at a fault point, and counts what is out. Give
 * &meta to the objects. It points to itself, so it must not be copied or moved.
 */
struct pz_fault_meta {
	struct pz_meta meta;
	const struct pz_meta *under;
	struct pz_faults *faults;
	uint32_t id;
	uint64_t bytes;	 /* given and not taken back */
	uint64_t peak;	 /* the most that bytes ever was */
	uint64_t blocks; /* given and not taken back */
};

/**
 * pz_fault_meta_init - put a fault point before a metadata hook
 * @fm: the new hook
 * @under: the hook to call, or NULL for one that never gives anything; must outlive @fm
 * @faults: the set of the point, or NULL for a hook that only counts
 * @id: the point
 *
 * Context: any.
 */
void pz_fault_meta_init(struct pz_fault_meta *fm, const struct pz_meta *under,
			struct pz_faults *faults, uint32_t id);

#ifdef __cplusplus
}
#endif

#endif
