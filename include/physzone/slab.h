/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab.h - object caches under any limit: objects of one size, cut from blocks of pages.
 *
 * Every object of a cache satisfies the limits that the cache was made with. What a CPU freed last
 * waits in a magazine of its own, which it reaches without lock or atomic operation; behind the
 * magazines stand slabs, whose state lies outside of them: free memory holds no pointer that could
 * be overwritten. A free object bears a seal instead, a secret word of its address: a free that
 * finds it is a second free, an allocation that misses it tells of a write after the free.
 * docs/design/slab.md has the argument.
 *
 * Units: bytes. Addresses of objects are addresses of the processor: pz_slabs_config says where
 * physical memory is mapped.
 * Concurrency: allocating, freeing, shrinking and asking may be done from any context and on any
 * number of CPUs at once, interrupt handlers included; nothing there waits or takes a lock. @cpu is
 * as for the page allocator (page.h): the calling CPU's index, or PZ_CPU_NONE. Making and
 * destroying caches is for one context at a time and never for an interrupt handler.
 * Source followed: docs/facts/slab.md.
 */
#ifndef PHYSZONE_SLAB_H
#define PHYSZONE_SLAB_H

#include <physzone/page.h>
#include <physzone/slab_debug.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Besides PZ_GFP_*: the zone flags of those who come from Linux. They are never silently dropped: a
 * cache that was not made for that zone refuses them.
 */
#define PZ_GFP_DMA 0x1000u
#define PZ_GFP_DMA32 0x2000u
#define PZ_GFP_HIGHMEM 0x4000u /* no cache has it: objects must be mapped */

/* Flags of a cache. */
#define PZ_SLAB_CACHE_DMA 0x1u /* narrows the limits to pz_slabs_config.dma */
#define PZ_SLAB_CACHE_DMA32 0x2u /* to pz_slabs_config.dma32 */
#define PZ_SLAB_RECLAIMABLE 0x4u /* its pages are PZ_GFP_RECLAIMABLE */
#define PZ_SLAB_HWCACHE_ALIGN 0x8u /* to the cache line, or the part of it that an object fits in */
#define PZ_SLAB_RCU 0x10u /* pages are given back a grace period after their last object */
#define PZ_SLAB_NO_MERGE 0x20u /* never shares its slabs with another cache */
#define PZ_SLAB_NO_USER_FLAGS 0x40u /* the debug string does not count */
#define PZ_SLAB_NO_LEAK_TRACE 0x80u /* of the debug string's, U for all caches does not count */
#define PZ_SLAB_RANDOM 0x100u /* objects of a slab are given out in random order */
#define PZ_SLAB_ALL 0x1ffu

#define PZ_SLAB_MAX_CACHES 4096u
#define PZ_SLAB_MAX_ORDER 10u /* of a slab */
#define PZ_SLAB_NAME_MAX 64u /* bytes of a name, with its 0 */

/* kmalloc(0): an address that is no memory, and that may be freed. */
#define PZ_ZERO_SIZE_PTR ((void *)16)

/*
 * Where things lie in a slab. Slots follow each other from its start, @stride apart; an object
 * begins @red_left behind the start of its slot. Offsets count from the object.
 */
struct pz_slab_layout {
	uint32_t stride; /* a multiple of the alignment */
	uint32_t red_left; /* red zone before the object, a multiple of the alignment; or 0 */
	uint32_t inuse; /* the object and the red zone behind it */
	uint32_t seal; /* of the seal: a word, inside the object or behind @inuse */
	uint32_t track; /* of the two records of users, each PZ_SLAB_TRACK bytes; 0 for none */
	uint32_t order, objects; /* of a slab: 2^order pages */
	uint32_t min_order, min_objects; /* of a slab where there is no memory for that */
};

#define PZ_SLAB_TRACK 32u

struct pz_kmem_cache;
struct pz_slabs; /* the caches of one machine */

/* What is wrong with a slab or an object. */
enum pz_slab_fault {
	PZ_SLAB_DOUBLE_FREE, /* the object is free already */
	PZ_SLAB_WRONG_CACHE, /* freed into a cache that it is not from */
	PZ_SLAB_BAD_POINTER, /* freed: in a slab, but not the start of an object */
	PZ_SLAB_NO_OBJECT, /* freed: no memory of a cache, nor of kmalloc() */
	PZ_SLAB_SEAL, /* the seal of a free object was overwritten */
	PZ_SLAB_RED_LEFT, /* red zone before the object overwritten */
	PZ_SLAB_RED_RIGHT, /* red zone behind it overwritten */
	PZ_SLAB_POISON, /* free object overwritten */
	PZ_SLAB_POISON_END, /* its last byte overwritten */
	PZ_SLAB_GAP, /* alignment padding between object and slot end overwritten */
	PZ_SLAB_PADDING, /* bytes behind the last slot overwritten */
	PZ_SLAB_STATE, /* state of the slab is not what its objects say */
	PZ_SLAB_HEADER, /* descriptor of the slab is not what its pages and its cache say */
	PZ_SLAB_FAULTS,
};

/* Who allocated or freed an object, with PZ_SLAB_DEBUG_USERS. */
struct pz_slab_user {
	uint64_t site; /* what the site hook said, or the address of the call */
	uint64_t when; /* what the clock hook said, 0 without one */
	uint32_t cpu; /* PZ_CPU_NONE when it was not said */
	bool known;
};

/* One finding, told to pz_slab_hooks.found; valid during the call only. */
struct pz_slab_finding {
	enum pz_slab_fault fault;
	const struct pz_kmem_cache *cache; /* that the memory belongs to; NULL for none */
	const struct pz_kmem_cache *named; /* that the caller named, when it is another; or NULL */
	const void *object; /* its start, or the address that was freed */
	const void *slab; /* start of the slab; NULL for none */
	uint32_t slab_bytes, objects, used; /* of the slab: size, objects, those not free in it */
	const unsigned char *bad; /* first byte that is wrong; NULL where it is not about bytes */
	uint32_t bad_bytes; /* from the first to the last that are */
	unsigned char expected; /* what each should be */
	struct pz_slab_user allocated, freed;
	uint32_t counted; /* PZ_SLAB_STATE: objects that are not free by their bits */
	bool repaired; /* the bytes were put right; else the object is fenced off */
};

/* What the embedder supplies; each may be NULL. */
struct pz_slab_hooks {
	/* Run @fn(@arg, cpu) on each CPU, or as if: nobody else uses the index meanwhile. Called
	 * where the caller may block only. Without it, magazines of other CPUs stay as they are. */
	void (*each_cpu)(void *ctx, void (*fn)(void *arg, uint32_t cpu), void *arg);
	/* Called while pz_kmem_cache_destroy() waits for reclaim on other CPUs to leave the cache
	 * alone: let others run. */
	void (*relax)(void *ctx);
	void (*found)(void *ctx, const struct pz_slab_finding *f);
	/* An allocation or a free of a cache with PZ_SLAB_DEBUG_TRACE. */
	void (*trace)(void *ctx, const struct pz_kmem_cache *c, const void *object, bool alloc);
	uint64_t (*site)(void *ctx); /* who calls; NULL for the address of the call */
	uint64_t (*now)(void *ctx); /* a clock of the embedder's choice */
	void *ctx;
};

struct pz_slabs_config {
	struct pz_pages *pages; /* must outlive the caches */
	const struct pz_zones *zones; /* the same; tells the node of a slab */
	const struct pz_meta *meta; /* the same; small arrays of caches */
	const struct pz_meta *zeroed; /* as in pz_page_config: what grows with memory; or NULL */
	struct pz_range mapped; /* physical addresses that the processor sees, whole pages */
	void *virt; /* where mapped.first is; best as aligned as the largest slab. Of address 0 the
		     * first page is left out. */
	uint32_t page_shift;
	uint32_t cpus; /* as the page allocator's */
	const int32_t *cpu_nid; /* as in pz_page_config; or NULL */
	uint32_t max_caches; /* at most PZ_SLAB_MAX_CACHES; 0 for 256 */
	uint32_t cache_line; /* bytes, a power of two; 0 for 64 */
	uint32_t min_align; /* of every object: a power of two; 0 for a word */
	struct pz_limits dma, dma32; /* what the flags mean; zero-filled: 24 and 32 bits */
	uint64_t seed; /* of the seals: something that nobody can guess */
	bool no_merge; /* no cache shares its slabs with another */
	const struct pz_slab_debug *debug; /* the string of options, read; or NULL */
	struct pz_slab_hooks hooks;
	struct pz_bugs *bugs; /* misuse is told here; may be NULL */
	struct pz_faults *faults; /* fault points "slab.alloc", "slab.page" are added; or NULL */
};

/**
 * pz_slabs_create - make room for the caches of a machine
 * @out: the set of caches, written on success only
 * @cfg: what it is made from; copied
 *
 * Takes 8 bytes for each 4 KiB of @cfg->mapped from @cfg->zeroed, and 4 for each page; what no slab
 * needs stays untouched there.
 *
 * Context: not from interrupts; calls the metadata hooks.
 * Return: 0, -PZ_EINVAL when @cfg is malformed, -PZ_ENOMEM, -PZ_ENOSPC when the set of fault points
 * has no room; nothing is held on error.
 */
int pz_slabs_create(struct pz_slabs **out, const struct pz_slabs_config *cfg);

/**
 * pz_slabs_destroy - give back a set of caches
 * @s: the set, or NULL; nobody uses it any more
 *
 * Context: not from interrupts; calls the metadata hooks.
 * Return: 0, or -PZ_EBUSY with nothing changed: there are caches, large kmalloc() memory, or slabs
 * that wait for a grace period.
 */
int pz_slabs_destroy(struct pz_slabs *s);

struct pz_kmem_cache_config {
	const char *name; /* copied; cut at PZ_SLAB_NAME_MAX */
	uint32_t size; /* bytes of an object, at least 1 */
	uint32_t align; /* of an object, a power of two; 0 for that of a word */
	struct pz_limits limits; /* of every byte of every object; invalid (zero-filled) for none */
	uint32_t flags; /* PZ_SLAB_* */
	uint32_t debug; /* PZ_SLAB_DEBUG_*, besides those that the set's string gives */
	/* Called once for each object when its slab is made; objects are freed in that state. */
	void (*ctor)(void *ctx, void *object);
	void *ctor_ctx;
	const struct pz_slab_layout *layout; /* of a Linux model, say; NULL for its own */
	uint32_t magazine; /* objects that a CPU keeps at most; 0 for 32 to 128 by their size */
	uint32_t keep; /* empty slabs of a node that are kept; 0 for 5, UINT32_MAX for none */
};

/**
 * pz_kmem_cache_create - make a cache
 * @out: the cache, written on success only
 * @s: the set
 * @cfg: what it is made from; copied
 * @why: on -PZ_EINVAL and -PZ_ERANGE what is wrong, a static text; may be NULL
 *
 * Takes no page. A cache like another one (same layout, flags and limits, no constructor, no debug
 * options, neither PZ_SLAB_NO_MERGE nor PZ_SLAB_RCU) is that one, with one more user.
 *
 * Context: one at a time, not from interrupts; calls the metadata hook.
 * Return: 0; -PZ_EINVAL when @cfg is malformed or its flags make no sense together; -PZ_ERANGE when
 * no mapped memory could ever hold an object under its limits; -PZ_ENOSPC when there are
 * max_caches; -PZ_ENOMEM.
 */
int pz_kmem_cache_create(struct pz_kmem_cache **out, struct pz_slabs *s,
			 const struct pz_kmem_cache_config *cfg, const char **why);

/**
 * pz_kmem_cache_destroy - give back a cache
 * @c: the cache, or NULL; nobody allocates from it or frees to it any more
 * @live: called with each object that is still out; may be NULL
 * @ctx: passed to @live
 *
 * Of a cache with several users it takes one off. Pages of a cache with PZ_SLAB_RCU go back after
 * a grace period.
 *
 * Context: one at a time, not from interrupts, nor from a hook that an allocation calls; calls the
 * metadata hook, and the relax hook while pz_slab_reclaim() or pz_slab_drain() is under way
 * elsewhere.
 * Return: 0, or -PZ_EBUSY when objects are out: the cache is then as it was, and can be used.
 */
int pz_kmem_cache_destroy(struct pz_kmem_cache *c, void (*live)(void *ctx, void *object),
			  void *ctx);

/**
 * pz_kmem_cache_alloc - allocate an object
 * @c: the cache
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_*; mobility flags do not count, the cache has its own
 *
 * Context: any. With PZ_GFP_BLOCK calls the page allocator's hooks.
 * Return: the object, or NULL; pz_kmem_cache_alloc_node() says why.
 */
void *pz_kmem_cache_alloc(struct pz_kmem_cache *c, uint32_t cpu, uint32_t gfp);

/**
 * pz_kmem_cache_alloc_node - allocate an object, near a node
 * @c: the cache
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_*; with PZ_GFP_THISNODE from that node or not at all
 * @nid: the node, or PZ_NID_NONE for the CPU's
 * @object: the object, written on success only
 *
 * Context: any. With PZ_GFP_BLOCK calls the page allocator's hooks.
 * Return: 0; -PZ_EINVAL for a zone flag that the cache was not made with (told to pz_bug()), or
 * PZ_GFP_ZERO with a constructor; else as pz_page_request().
 */
int pz_kmem_cache_alloc_node(struct pz_kmem_cache *c, uint32_t cpu, uint32_t gfp, int32_t nid,
			     void **object);

/**
 * pz_kmem_cache_free - free an object
 * @c: the cache
 * @cpu: the calling CPU, or PZ_CPU_NONE; need not be the one that allocated
 * @object: the object; NULL does nothing
 *
 * Misuse is detected with and without debug options, told to pz_bug() and the found hook, and
 * changes nothing: what is no object, is from another cache, or is free already.
 *
 * Context: any.
 */
void pz_kmem_cache_free(struct pz_kmem_cache *c, uint32_t cpu, void *object);

/**
 * pz_kmem_cache_alloc_bulk - allocate many objects in one call
 * @c: the cache
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @gfp: PZ_GFP_*
 * @n: objects wanted
 * @objects: room for them
 *
 * Context: any. With PZ_GFP_BLOCK calls the page allocator's hooks.
 * Return: 0, or what pz_kmem_cache_alloc_node() says; no object is out then.
 */
int pz_kmem_cache_alloc_bulk(struct pz_kmem_cache *c, uint32_t cpu, uint32_t gfp, uint32_t n,
			     void **objects);

/**
 * pz_kmem_cache_free_bulk - free many objects in one call
 * @c: their cache; NULL: of whatever cache each is
 * @s: the set; used when @c is NULL
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @n: objects
 * @objects: the objects; misuse is told for each by itself
 *
 * Context: any.
 */
void pz_kmem_cache_free_bulk(struct pz_kmem_cache *c, struct pz_slabs *s, uint32_t cpu, uint32_t n,
			     void *const *objects);

/**
 * pz_kmem_cache_shrink - give back the empty slabs of a cache
 * @c: the cache
 * @cpu: the calling CPU, whose magazine is emptied too; or PZ_CPU_NONE
 *
 * What is left is sorted: the fullest slabs serve next.
 *
 * Context: any. Cost: O(slabs with free objects).
 * Return: pages that went back to the page allocator; with PZ_SLAB_RCU, that will.
 */
uint64_t pz_kmem_cache_shrink(struct pz_kmem_cache *c, uint32_t cpu);

/**
 * pz_slab_reclaim - give back empty slabs of all caches
 * @s: the set
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @limits: only of caches whose memory may lie there; NULL for all
 * @block: the caller may block: magazines of all CPUs are emptied through the each_cpu hook
 *
 * Good for a reclaim hook of the page allocator.
 *
 * Context: any, unless @block.
 * Return: pages that went back.
 */
uint64_t pz_slab_reclaim(struct pz_slabs *s, uint32_t cpu, const struct pz_limits *limits,
			 bool block);

/**
 * pz_slab_drain - empty a CPU's magazines
 * @s: the set
 * @cpu: the calling CPU
 *
 * Context: any, on that CPU; or where nobody uses the index.
 */
void pz_slab_drain(struct pz_slabs *s, uint32_t cpu);

/**
 * pz_slab_grace_begin - note which slabs wait for a grace period
 * @s: the set
 *
 * Call it, wait until every reader that was reading then is done, and call pz_slab_grace_end() with
 * the answer.
 *
 * Context: any, one grace period at a time.
 * Return: a number for pz_slab_grace_end(); 0 when nothing waits.
 */
uint64_t pz_slab_grace_begin(struct pz_slabs *s);

/**
 * pz_slab_grace_end - give back what waited for a grace period
 * @s: the set
 * @cpu: the calling CPU, or PZ_CPU_NONE
 * @ticket: what pz_slab_grace_begin() returned
 *
 * Context: any.
 * Return: pages that went back.
 */
uint64_t pz_slab_grace_end(struct pz_slabs *s, uint32_t cpu, uint64_t ticket);

/* What is known of an address. */
enum pz_slab_kind {
	PZ_SLAB_NONE, /* no memory of this set */
	PZ_SLAB_OBJECT, /* in an object, its red zones or padding */
	PZ_SLAB_TAIL, /* in a slab, behind its last slot */
	PZ_SLAB_LARGE, /* in the first 4 KiB of kmalloc() memory of whole pages */
};

struct pz_slab_info {
	enum pz_slab_kind kind;
	struct pz_kmem_cache *cache; /* NULL for PZ_SLAB_LARGE */
	void *object; /* start of the object, or of the pages */
	uint64_t size; /* usable bytes from there */
	uint32_t index; /* of the slot in its slab */
	bool free; /* in the slab; an object in a magazine counts as allocated here */
	struct pz_slab_user allocated, freed;
};

/**
 * pz_slab_info - what is known of an address
 * @s: the set
 * @p: any address
 * @out: what is known
 *
 * Context: any. Cost: O(1).
 */
void pz_slab_info(const struct pz_slabs *s, const void *p, struct pz_slab_info *out);

/**
 * pz_slab_owner - the cache that an address belongs to
 * @s: the set
 * @p: any address
 *
 * Context: any. Cost: O(1): two loads.
 * Return: the cache, or NULL.
 */
struct pz_kmem_cache *pz_slab_owner(const struct pz_slabs *s, const void *p);

/**
 * pz_slab_phys - the physical address of an object
 * @s: the set
 * @p: an address of mapped memory
 *
 * Context: any.
 * Return: the physical address.
 */
uint64_t pz_slab_phys(const struct pz_slabs *s, const void *p);

/* Numbers of a cache. */
struct pz_kmem_cache_stat {
	const char *name;
	uint32_t size, align, flags, debug;
	struct pz_limits limits;
	struct pz_slab_layout layout;
	uint32_t users; /* that share it */
	uint32_t keep, magazine; /* empty slabs of a node, objects of a CPU: at most */
	bool ctor;
	uint64_t slabs, pages; /* held */
	uint64_t partial, empty; /* of the slabs: with free objects, with only free ones */
	uint64_t objects_partial; /* given out or in magazines, of slabs with free objects */
	uint64_t objects; /* that they hold */
	uint64_t cached; /* free, in magazines */
	uint64_t active; /* given out */
	uint64_t fenced; /* of the active: damaged ones, not given out again unless freed */
	uint64_t fallbacks; /* slabs ever made of the smaller order */
	uint64_t made, released; /* slabs, ever */
	uint64_t meta_bytes; /* magazines and descriptors */
};

/**
 * pz_kmem_cache_stat - the numbers of a cache
 * @c: the cache
 * @out: the numbers
 *
 * Context: any; exact while nobody uses the cache. Cost: O(slabs of all caches).
 */
void pz_kmem_cache_stat(const struct pz_kmem_cache *c, struct pz_kmem_cache_stat *out);

/**
 * pz_slabs_each - go through the caches
 * @s: the set; no cache is made or destroyed meanwhile
 * @c: the one before, or NULL to begin
 *
 * Context: any.
 * Return: the next, in order of creation as far as numbers were not used again; NULL at the end.
 */
struct pz_kmem_cache *pz_slabs_each(const struct pz_slabs *s, const struct pz_kmem_cache *c);

/* What a set of caches costs. */
struct pz_slabs_cost {
	uint64_t owner_bytes; /* who owns a page: address space, touched where slabs are */
	uint64_t cpu_bytes; /* heads and magazines */
	uint64_t slab_bytes; /* pages of descriptors of slabs */
	uint64_t slabs, slab_pages; /* slabs, and their pages */
	uint64_t large, large_pages; /* kmalloc() memory of whole pages */
};

/**
 * pz_slabs_cost - how much metadata a set has
 * @s: the set
 * @out: the numbers
 *
 * Context: any; exact while nobody uses the set. Cost: O(slabs).
 */
void pz_slabs_cost(const struct pz_slabs *s, struct pz_slabs_cost *out);

/**
 * pz_kmem_cache_validate - verify all objects of a cache with debug options
 * @c: the cache; nobody uses it meanwhile
 *
 * Each damage is told to the found hook, and repaired.
 *
 * Context: any. Cost: O(bytes of its slabs).
 * Return: findings.
 */
uint64_t pz_kmem_cache_validate(struct pz_kmem_cache *c);

/**
 * pz_slabs_check - verify a set of caches
 * @s: the set; nobody uses it meanwhile
 *
 * Context: any. Cost: O(objects).
 * Return: 0, or the number of the first invariant of src/slab/check.c that does not hold.
 */
int pz_slabs_check(const struct pz_slabs *s);

#ifdef __cplusplus
}
#endif

#endif
