/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * genpool.h - pieces of memory that somebody else provides: on-chip SRAM, a device's memory, blocks
 * for atomic contexts.
 *
 * A pool consists of chunks, ranges of addresses that are cut into granules of one size. It gives
 * out runs of granules by one of several algorithms and never touches the memory: a chunk is known
 * by numbers. All calls but those that say otherwise work in any context, an interrupt on top of
 * any instruction of another call included: there are no locks and nobody waits. Chunks come, go
 * when they are unused, and can go by themselves when their last piece is freed.
 * Source followed: docs/facts/genalloc.md; docs/design/pool.md has the argument.
 */
#ifndef PHYSZONE_GENPOOL_H
#define PHYSZONE_GENPOOL_H

#include <physzone/bug.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PZ_GENPOOL_NONE UINT32_MAX /* no granule */
#define PZ_GENPOOL_NO_PHYS UINT64_MAX /* a chunk without physical addresses */
#define PZ_GENPOOL_GRANULES ((uint32_t)1 << 24) /* of a chunk, at most */

/* How a place in a chunk is chosen. Chunks are tried from the newest to the oldest. */
enum pz_genpool_kind {
	PZ_GENPOOL_FIRST_FIT, /* the lowest place */
	PZ_GENPOOL_ALIGNED, /* the lowest place whose address is aligned to @align */
	PZ_GENPOOL_ORDER_ALIGNED, /* ... to its size, rounded up to a power of two */
	/* As Linux has it: the number of the granule in the chunk is aligned, not the address. */
	PZ_GENPOOL_ORDER_INDEX,
	PZ_GENPOOL_FIXED,	/* @offset bytes from the start of the chunk, or not at all */
	PZ_GENPOOL_BEST_FIT,	/* the smallest gap that does, the lowest of several */
	PZ_GENPOOL_CUSTOM,	/* as @custom says */
};

/* A chunk as an algorithm sees it. */
struct pz_genpool_view {
	uint64_t addr, phys; /* of granule 0 */
	uint32_t granules;
	uint32_t order; /* a granule is 1 << order bytes */
	const void *map; /* for pz_genpool_next_free() and pz_genpool_next_used() */
};

/*
 * @align: PZ_GENPOOL_ALIGNED: a power of two, in bytes. A chunk whose start makes it impossible is
 *   passed over. Linux rounds to granules instead and gives what is aligned to less.
 * @by_phys: the two that align addresses align physical ones; chunks without are passed over.
 * @custom: the first of @n free granules from number @from on, or PZ_GENPOOL_NONE. It is called
 *   again, from what it said, when another context was quicker. It must not wait, and may run in
 *   several contexts at once.
 */
struct pz_genpool_algo {
	enum pz_genpool_kind kind;
	bool by_phys;
	uint64_t align;
	uint64_t offset;
	uint32_t (*custom)(void *ctx, const struct pz_genpool_view *v, uint32_t from, uint32_t n);
	void *ctx;
};

struct pz_genpool_config {
	uint32_t order; /* a granule is 1 << order bytes; at most 63 */
	struct pz_genpool_algo algo; /* of the pool; zero-filled is first fit */
	const char *name; /* kept, not copied; or NULL */
	uint32_t chunks; /* there is room for so many at once; 0 for 8 */
	const struct pz_meta *meta; /* must outlive the pool */
	struct pz_bugs *bugs; /* told of misuse, or NULL */
};

struct pz_genpool; /* a pool */

#define PZ_GENPOOL_AUTO 0x1u /* released by itself when its last piece is freed */

/* What is known of a chunk. */
struct pz_genpool_info {
	uint64_t addr, size, phys; /* as they were given */
	uint64_t avail; /* bytes of its free granules */
	uint32_t granules;
	void *owner;
	void *mem; /* the caller's memory for its metadata, or NULL */
	size_t mem_bytes;
};

/*
 * A chunk to add.
 * @phys: physical address of @addr, or PZ_GENPOOL_NO_PHYS.
 * @mem: memory for its metadata, pz_genpool_chunk_bytes() of it, aligned to 8. With NULL it comes
 *   from the metadata hook, so that the caller must be one who may call it.
 * @release: the chunk is no longer part of the pool and nobody looks at it or at @mem: both are the
 *   owner's. Called once, by whoever was the last to look, in its context: from
 *   pz_genpool_remove(), pz_genpool_destroy(), another context's call that ends later, or with
 *   PZ_GENPOOL_AUTO from the free of the last piece. It may call the pool. May be NULL without
 *   PZ_GENPOOL_AUTO.
 */
struct pz_genpool_chunk {
	uint64_t addr, size, phys;
	void *owner;
	uint32_t flags; /* PZ_GENPOOL_AUTO */
	void *mem;
	size_t mem_bytes;
	void (*release)(void *ctx, const struct pz_genpool_info *info);
	void *release_ctx;
};

/* What was given out. */
struct pz_genpool_got {
	uint64_t addr;
	uint64_t phys; /* PZ_GENPOOL_NO_PHYS when the chunk has none */
	void *owner;   /* of the chunk */
};

/**
 * pz_genpool_create - make a pool without chunks
 * @out: the pool, written on success only
 * @cfg: what it is made from; copied
 *
 * Context: calls the metadata hook.
 * Return: 0, -PZ_EINVAL when @cfg is malformed, -PZ_ENOMEM; nothing is held on error.
 */
int pz_genpool_create(struct pz_genpool **out, const struct pz_genpool_config *cfg);

/**
 * pz_genpool_destroy - give a pool and its chunks back
 * @p: the pool, or NULL; nobody uses it any more
 *
 * While it goes, release hooks find no chunk in it, and can add none.
 *
 * Context: calls the metadata hook, and the release hooks of the chunks.
 * Return: 0, or -PZ_EBUSY when something is still allocated: how much is told to pz_bug(), and the
 * pool is as it was.
 */
int pz_genpool_destroy(struct pz_genpool *p);

/**
 * pz_genpool_chunk_bytes - metadata that a chunk needs
 * @order: of the pool's granules
 * @size: bytes of the chunk
 *
 * About a 100th of the chunk for granules of 32 bytes, a 3000th for granules of 1 KiB.
 *
 * Context: any.
 * Return: bytes, or 0 when a chunk of that size cannot be.
 */
size_t pz_genpool_chunk_bytes(uint32_t order, uint64_t size);

/**
 * pz_genpool_reserve - make room for chunks
 * @p: the pool
 * @chunks: how many there may be at once
 *
 * Also gives metadata of removed chunks back to the hook.
 *
 * Context: calls the metadata hook; any number of callers.
 * Return: 0, -PZ_ENOMEM, -PZ_EINVAL when no pool has so many.
 */
int pz_genpool_reserve(struct pz_genpool *p, uint32_t chunks);

/**
 * pz_genpool_add - add a chunk
 * @p: the pool
 * @chunk: what it is; copied
 *
 * Granules are counted from its start; what is left behind the last whole granule is never given
 * out and counts nowhere. A chunk that overlaps one of the pool is misuse and is told to pz_bug().
 * When two that overlap each other are added at the same time, both may be refused.
 *
 * Context: any when @chunk brings memory; else the metadata hook is called.
 * Return: 0, -PZ_EINVAL when @chunk is malformed, has no whole granule or brings too little memory,
 * -PZ_EOVERFLOW when it has more than PZ_GENPOOL_GRANULES or reaches beyond the last address,
 * -PZ_EEXIST when it overlaps another, -PZ_ENOSPC when there are as many chunks as there is room
 * for and @chunk brings memory, -PZ_EBUSY when the pool is being destroyed, -PZ_ENOMEM.
 */
int pz_genpool_add(struct pz_genpool *p, const struct pz_genpool_chunk *chunk);

/**
 * pz_genpool_remove - take an unused chunk out
 * @p: the pool
 * @addr: its first address
 *
 * Nothing is given out from it from now on. Its release hook is called before this returns, or by
 * the context that is still looking at it when that is done. Without such a hook a chunk that
 * brought its memory is removed only while nobody looks at it. Metadata from the hook goes back
 * with the next call that may do that.
 *
 * Context: any.
 * Return: 0, -PZ_ENOENT when no chunk begins there, -PZ_EBUSY when a part of it is allocated, or is
 * just being looked for.
 */
int pz_genpool_remove(struct pz_genpool *p, uint64_t addr);

/**
 * pz_genpool_set_algo - change the algorithm of a pool
 * @p: the pool; nobody allocates meanwhile
 * @algo: the algorithm, or NULL for first fit; copied
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL when it is malformed.
 */
int pz_genpool_set_algo(struct pz_genpool *p, const struct pz_genpool_algo *algo);

/**
 * pz_genpool_alloc - take a piece
 * @p: the pool
 * @size: bytes; rounded up to granules
 * @addr: its address, written on success only; 0 is an address as any other
 *
 * Context: any. Takes no lock.
 * Return: as pz_genpool_alloc_algo().
 */
int pz_genpool_alloc(struct pz_genpool *p, uint64_t size, uint64_t *addr);

/**
 * pz_genpool_alloc_algo - take a piece by an algorithm of its own
 * @p: the pool
 * @size: bytes; rounded up to granules
 * @algo: the algorithm, or NULL for the pool's
 * @got: the piece, written on success only
 *
 * Context: any. Takes no lock.
 * Return: 0, -PZ_EINVAL when @size is 0, @algo is malformed or its offset is no multiple of a
 * granule, -PZ_ENOMEM when there is no such place; nothing changes on error.
 */
int pz_genpool_alloc_algo(struct pz_genpool *p, uint64_t size, const struct pz_genpool_algo *algo,
			  struct pz_genpool_got *got);

/**
 * pz_genpool_free - give a piece back
 * @p: the pool
 * @addr: its address
 * @size: its size, to the granule
 *
 * Misuse is told to pz_bug() and changes nothing: an address in no chunk, between two granules,
 * inside a piece or where nothing is allocated (also because it was freed before), or another size.
 *
 * Context: any.
 */
void pz_genpool_free(struct pz_genpool *p, uint64_t addr, uint64_t size);

/**
 * pz_genpool_free_owner - give a piece back, and say whose chunk it was of
 * @p: the pool
 * @addr: its address
 * @size: its size, to the granule
 * @owner: the chunk's owner; left alone on misuse
 *
 * Context: any.
 * Return: true, or false for misuse.
 */
bool pz_genpool_free_owner(struct pz_genpool *p, uint64_t addr, uint64_t size, void **owner);

/**
 * pz_genpool_to_phys - the physical address of an address of the pool
 * @p: the pool
 * @addr: the address, allocated or not
 * @phys: the physical address, written on success only
 *
 * Context: any. Cost: O(chunks).
 * Return: 0, or -PZ_ENOENT when no chunk with physical addresses has it.
 */
int pz_genpool_to_phys(const struct pz_genpool *p, uint64_t addr, uint64_t *phys);

/**
 * pz_genpool_to_addr - the address of a physical address
 * @p: the pool
 * @phys: the physical address
 * @addr: the address in the pool, written on success only; of the newest chunk that has it
 *
 * Context: any. Cost: O(chunks).
 * Return: 0, or -PZ_ENOENT when no chunk has it.
 */
int pz_genpool_to_addr(const struct pz_genpool *p, uint64_t phys, uint64_t *addr);

/**
 * pz_genpool_has_addr - whether a range lies in one chunk
 * @p: the pool
 * @addr: its first address
 * @size: its bytes, not 0
 *
 * Context: any. Cost: O(chunks).
 * Return: true when it does, allocated or not.
 */
bool pz_genpool_has_addr(const struct pz_genpool *p, uint64_t addr, uint64_t size);

/**
 * pz_genpool_avail - free bytes, in whole granules
 * @p: the pool
 *
 * Context: any; exact while nobody allocates. Cost: O(chunks).
 * Return: bytes; as pz_genpool_size() exactly when nothing is allocated. All addresses there are
 * count as UINT64_MAX.
 */
uint64_t pz_genpool_avail(const struct pz_genpool *p);

/**
 * pz_genpool_size - bytes of all chunks, in whole granules
 * @p: the pool
 *
 * Context: any. Cost: O(chunks).
 * Return: bytes; UINT64_MAX for all addresses there are.
 */
uint64_t pz_genpool_size(const struct pz_genpool *p);

/**
 * pz_genpool_for_each_chunk - visit the chunks, the newest first
 * @p: the pool
 * @fn: called for each until it returns something else than 0; it may call the pool
 * @ctx: passed on
 *
 * A chunk stays what it is while it is visited; when it is removed meanwhile, it is released behind
 * the visit. Chunks that are added meanwhile are not visited.
 *
 * Context: any. Cost: O(chunks squared).
 * Return: 0, or what @fn returned last.
 */
int pz_genpool_for_each_chunk(struct pz_genpool *p,
			      int (*fn)(void *ctx, const struct pz_genpool_info *info), void *ctx);

/**
 * pz_genpool_name - the name of a pool
 * @p: the pool
 *
 * Context: any.
 * Return: the name it was given, "" for none.
 */
const char *pz_genpool_name(const struct pz_genpool *p);

/**
 * pz_genpool_next_free - the first free granule from one on, for algorithms
 * @v: what the algorithm was given
 * @from: the granule to begin with
 *
 * Context: any.
 * Return: its number, or @v->granules for none.
 */
uint32_t pz_genpool_next_free(const struct pz_genpool_view *v, uint32_t from);

/**
 * pz_genpool_next_used - the first granule in use from one on, for algorithms
 * @v: what the algorithm was given
 * @from: the granule to begin with
 *
 * Context: any.
 * Return: its number, or @v->granules for none.
 */
uint32_t pz_genpool_next_used(const struct pz_genpool_view *v, uint32_t from);

/**
 * pz_genpool_check - verify a pool
 * @p: the pool; nobody uses it meanwhile
 *
 * Context: any. Cost: O(granules).
 * Return: 0, or the number of the first invariant of src/pool/genpool_check.c that does not hold.
 */
int pz_genpool_check(const struct pz_genpool *p);

#ifdef __cplusplus
}
#endif

#endif
