/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mempool.h - a guaranteed minimum of elements over an allocator that may have none.
 *
 * A pool keeps so many elements in reserve. An allocation asks the allocator first, then the
 * reserve; a free fills the reserve first. So as long as elements come back, whoever waits gets
 * one, and progress does not depend on memory being free. An element is a number: an address, a
 * pointer. The pool never touches what it stands for. There are no locks; calls work on top of any
 * instruction of each other, as far as the allocator's do.
 * docs/design/pool.md has the argument.
 */
#ifndef PHYSZONE_MEMPOOL_H
#define PHYSZONE_MEMPOOL_H

#include <physzone/bug.h>
#include <physzone/page.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PZ_MEMPOOL_MAX ((uint32_t)1 << 30) /* elements in reserve, at most */

/*
 * @alloc: take an element; PZ_GFP_* as the caller of pz_mempool_alloc() gave them, but without
 *   PZ_GFP_BLOCK and with PZ_GFP_NORETRY as long as the reserve was not asked. 0, or an error.
 * @free: give one back.
 * @wait: wait until pz_mempool_ticket() is another than @ticket, or for some time. Called with
 *   PZ_GFP_BLOCK only, when there is no element anywhere. 0 to try again, or the error that the
 *   allocation returns. NULL: such an allocation fails.
 * @wake: an element came into the reserve: whoever waits may go on. In the context of the free, or
 *   of pz_mempool_resize(). May be NULL.
 */
struct pz_mempool_config {
	uint32_t min; /* elements in reserve, 1 to PZ_MEMPOOL_MAX */
	uint32_t gfp; /* for filling it */
	int (*alloc)(void *ctx, uint32_t gfp, uint64_t *element);
	void (*free)(void *ctx, uint64_t element);
	int (*wait)(void *ctx, uint32_t ticket);
	void (*wake)(void *ctx);
	void *ctx;
	const char *name; /* kept, not copied; or NULL */
	const struct pz_meta *meta; /* must outlive the pool */
	struct pz_bugs *bugs; /* told of misuse, or NULL */
};

struct pz_mempool_stat {
	uint32_t min; /* elements that the reserve is for */
	uint32_t reserve; /* that are in it */
	uint64_t out; /* given out and not back */
	uint64_t reserved; /* allocations that took from the reserve, ever */
	uint64_t waits; /* calls of the wait hook, ever */
	uint64_t refused; /* allocations that failed, ever */
};

struct pz_mempool; /* a pool */

/**
 * pz_mempool_create - make a pool and fill its reserve
 * @out: the pool, written on success only
 * @cfg: what it is made from; copied
 *
 * Context: calls the metadata hook, and the allocator with the configured gfp.
 * Return: 0, -PZ_EINVAL when @cfg is malformed, -PZ_ENOMEM when there is no metadata, or the error
 * of the allocator; nothing is held on error.
 */
int pz_mempool_create(struct pz_mempool **out, const struct pz_mempool_config *cfg);

/**
 * pz_mempool_destroy - give a pool and its reserve back
 * @m: the pool, or NULL; nobody allocates from it any more
 * @out: elements that are still given out, written on -PZ_EBUSY; or NULL
 *
 * Context: calls the allocator and the metadata hook.
 * Return: 0, or -PZ_EBUSY when elements are still out: that is told to pz_bug() too, the pool is as
 * it was, so that they can be freed, and the call repeated.
 */
int pz_mempool_destroy(struct pz_mempool *m, uint64_t *out);

/**
 * pz_mempool_alloc - take an element
 * @m: the pool
 * @gfp: PZ_GFP_*; with PZ_GFP_BLOCK it waits
 * @element: the element, written on success only
 *
 * Context: any that the allocator allows with these flags; with PZ_GFP_BLOCK one that may block.
 * Return: 0, -PZ_ENOMEM when neither allocator nor reserve has one and it may not wait, or what
 * the wait hook returned.
 */
int pz_mempool_alloc(struct pz_mempool *m, uint32_t gfp, uint64_t *element);

/**
 * pz_mempool_free - give an element back
 * @m: the pool
 * @element: the element
 *
 * More frees than allocations are misuse: told to pz_bug(), and the element is left alone.
 *
 * Context: any that the allocator's free allows.
 */
void pz_mempool_free(struct pz_mempool *m, uint64_t element);

/**
 * pz_mempool_resize - change the minimum
 * @m: the pool; one caller at a time, while others allocate and free
 * @min: the new one, 1 to PZ_MEMPOOL_MAX
 * @gfp: for elements that are missing
 *
 * A larger reserve is filled at once. What a smaller one does not hold is freed.
 *
 * Context: calls the metadata hook, the wake hook, and the allocator with @gfp.
 * Return: 0, -PZ_EINVAL when @min is out of range, -PZ_ENOMEM when there is no metadata, or the
 * error of the allocator: the minimum is as it was; -PZ_EBUSY when others were just taking and
 * giving so that the reserve could not be made smaller yet: it is now as small as it became.
 */
int pz_mempool_resize(struct pz_mempool *m, uint32_t min, uint32_t gfp);

/**
 * pz_mempool_ticket - the number of times that an element came into the reserve
 * @m: the pool
 *
 * Context: any.
 * Return: it, wrapping.
 */
uint32_t pz_mempool_ticket(const struct pz_mempool *m);

/**
 * pz_mempool_name - the name of a pool
 * @m: the pool
 *
 * Context: any.
 * Return: the name it was given, "" for none.
 */
const char *pz_mempool_name(const struct pz_mempool *m);

/**
 * pz_mempool_stat - the numbers of a pool
 * @m: the pool
 * @out: the numbers
 *
 * Context: any; exact while nobody uses the pool.
 */
void pz_mempool_stat(const struct pz_mempool *m, struct pz_mempool_stat *out);

/**
 * pz_mempool_check - verify a pool
 * @m: the pool; nobody uses it meanwhile
 *
 * Context: any. Cost: O(reserve).
 * Return: 0, or the number of the first invariant of src/pool/mempool.c that does not hold.
 */
int pz_mempool_check(const struct pz_mempool *m);

#ifdef __cplusplus
}
#endif

#endif
