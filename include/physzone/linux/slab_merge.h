/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_merge.h - the caches that a Linux kernel has after it was asked for some, one after the
 * other: which of them are made, which are another name for one that is there, and what their
 * directories below /sys/kernel/slab are called.
 *
 * Source followed: docs/facts/slab.md sections 8 and 12; recorded machines.
 */
#ifndef PHYSZONE_LINUX_SLAB_MERGE_H
#define PHYSZONE_LINUX_SLAB_MERGE_H

#include <physzone/linux/slab.h>
#include <physzone/slab_debug.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A cache that is asked for. */
struct pzl_slab_request {
	const char *name;	     /* not copied */
	struct pzl_slab_cache cache; /* flags: without those of slub_debug= */
	bool boot;  /* made while the allocator starts: it takes no other's place */
	bool fixed; /* and none takes its */
};

/* A cache that is there. */
struct pzl_slab_made {
	const char *name;	    /* the first that it was asked for by */
	struct pzl_slab_geometry g; /* of the first request; inuse grows with others */
	uint32_t flags;		    /* PZL_SLAB_* with those of slub_debug= */
	uint32_t object_size;	    /* the largest of all requests */
	uint32_t names; /* requests that it serves: what /sys shows as aliases, and one */
	bool fixed;
};

/* The caches of a kernel. Build it with pzl_slab_set_init(). */
struct pzl_slab_set {
	struct pzl_slab_kernel k; /* debug_keeps_order follows from debug */
	const struct pz_slab_debug *debug;
	bool nomerge;		 /* slab_nomerge, or built so */
	bool usercopy;		 /* windows for user copies keep caches apart: always but in 6.12 */
	struct pzl_slab_made *v; /* the oldest first; /proc/slabinfo shows the newest first */
	uint32_t n, cap;
};

/**
 * pzl_slab_debug_rules - how a version reads slub_debug=
 * @model: the version
 *
 * Context: any.
 * Return: for pz_slab_debug_parse().
 */
uint32_t pzl_slab_debug_rules(enum pzl_model model);

/**
 * pzl_slab_debug_flags - the flags of a cache with those of slub_debug=
 * @d: the string
 * @name: the name of the cache
 * @flags: PZL_SLAB_* that it was asked for with
 *
 * Context: any.
 * Return: PZL_SLAB_*.
 */
uint32_t pzl_slab_debug_flags(const struct pz_slab_debug *d, const char *name, uint32_t flags);

/**
 * pzl_slab_set_init - a kernel without a cache
 * @s: filled in
 * @k: the kernel
 * @debug: its slub_debug=, which must outlive @s
 * @v: room for @cap caches
 * @cap: room
 *
 * Merging is on, and so are windows for user copies.
 *
 * Context: any.
 */
void pzl_slab_set_init(struct pzl_slab_set *s, const struct pzl_slab_kernel *k,
		       const struct pz_slab_debug *debug, struct pzl_slab_made *v, uint32_t cap);

/**
 * pzl_slab_create - ask for a cache
 * @s: the kernel
 * @r: the cache
 * @index: of the cache that serves it; written on success only
 *
 * Context: any. Cost: O(caches).
 * Return: 0 when it was made; 1 when it is a name for one that was there; -PZ_EINVAL and -PZ_ERANGE
 * as pzl_slab_geometry(), -PZ_ENOSPC when there is no room. @s is as it was on error.
 */
int pzl_slab_create(struct pzl_slab_set *s, const struct pzl_slab_request *r, uint32_t *index);

/**
 * pzl_slab_mergeable - whether others may be merged into a cache
 * @s: the kernel
 * @index: the cache
 *
 * Context: any.
 * Return: false also where merging is off.
 */
bool pzl_slab_mergeable(const struct pzl_slab_set *s, uint32_t index);

/**
 * pzl_slab_directory - the name of a cache's directory below /sys/kernel/slab
 * @buf: the buffer; may be NULL when @size is 0
 * @size: bytes of @buf; text that does not fit is cut, and a 0 byte ends it unless @size is 0
 * @s: the kernel
 * @index: the cache
 *
 * ":D-0001024" where it can be merged: then each of its names is a link to this. Else its name.
 *
 * Context: any.
 * Return: length of the whole name; it was cut when it is @size or more.
 */
size_t pzl_slab_directory(char *buf, size_t size, const struct pzl_slab_set *s, uint32_t index);

#ifdef __cplusplus
}
#endif

#endif
