/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * atomic.h - the atomic operations of the core, and the point where a test may take over.
 *
 * All are sequentially consistent unless named relaxed. None becomes a call on any target: i386 has
 * no 64-bit load but as a compare-and-exchange. With PZ_SCHED_HOOK defined, every operation first
 * calls pz_sched_point(), so that a test can run another thread there.
 */
#ifndef PHYSZONE_BASE_ATOMIC_H
#define PHYSZONE_BASE_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#ifdef PZ_SCHED_HOOK
void pz_sched_point(const volatile void *addr);
#define PZ_SCHED(addr) pz_sched_point(addr)
#else
#define PZ_SCHED(addr) ((void)0)
#endif

static inline uint64_t pz_load64(const uint64_t *p)
{
	PZ_SCHED(p);
#if defined(__i386__)
	return __sync_val_compare_and_swap((uint64_t *)p, 0, 0);
#else
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
#endif
}

/* Whether *p was @old and is @new now. */
static inline bool pz_cas64(uint64_t *p, uint64_t old, uint64_t new)
{
	PZ_SCHED(p);
	return __sync_bool_compare_and_swap(p, old, new);
}

static inline void pz_store64(uint64_t *p, uint64_t v)
{
#if defined(__i386__)
	uint64_t old = *(volatile uint64_t *)p;

	while (!pz_cas64(p, old, v))
		old = *(volatile uint64_t *)p;
#else
	PZ_SCHED(p);
	__atomic_store_n(p, v, __ATOMIC_SEQ_CST);
#endif
}

static inline uint32_t pz_load32(const uint32_t *p)
{
	PZ_SCHED(p);
	return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static inline void pz_store32(uint32_t *p, uint32_t v)
{
	PZ_SCHED(p);
	__atomic_store_n(p, v, __ATOMIC_SEQ_CST);
}

/* Release only: ends what a compare-and-exchange began, as a lock's end does. */
static inline void pz_release32(uint32_t *p, uint32_t v)
{
	PZ_SCHED(p);
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static inline void pz_release64(uint64_t *p, uint64_t v)
{
#if UINTPTR_MAX > UINT32_MAX
	PZ_SCHED(p);
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
#else
	pz_store64(p, v);
#endif
}

static inline bool pz_cas32(uint32_t *p, uint32_t old, uint32_t new)
{
	PZ_SCHED(p);
	return __sync_bool_compare_and_swap(p, old, new);
}

/* Set, or clear, bits; what was there before. */
static inline uint32_t pz_or32(uint32_t *p, uint32_t bits)
{
	PZ_SCHED(p);
	return __sync_fetch_and_or(p, bits);
}

static inline uint32_t pz_and32(uint32_t *p, uint32_t bits)
{
	PZ_SCHED(p);
	return __sync_fetch_and_and(p, bits);
}

/* Add, wrapping; what was there before. */
static inline uint32_t pz_add32(uint32_t *p, uint32_t n)
{
	PZ_SCHED(p);
	return __sync_fetch_and_add(p, n);
}

/* Pointers: what was written before one was stored is seen through it. */
static inline void *pz_load_ptr(void *const *p)
{
	PZ_SCHED(p);
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline void pz_store_ptr(void **p, void *v)
{
	PZ_SCHED(p);
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

/* Relaxed: for hints and numbers that nothing else depends on. */
static inline uint32_t pz_peek32(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline void pz_poke32(uint32_t *p, uint32_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

/* On 32-bit targets the halves may be of different values. */
static inline uint64_t pz_peek64(const uint64_t *p)
{
#if UINTPTR_MAX > UINT32_MAX
	return __atomic_load_n(p, __ATOMIC_RELAXED);
#else
	return *(const volatile uint64_t *)p;
#endif
}

static inline void pz_poke64(uint64_t *p, uint64_t v)
{
#if UINTPTR_MAX > UINT32_MAX
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
#else
	*(volatile uint64_t *)p = v;
#endif
}

static inline uint8_t pz_peek8(const uint8_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline void pz_poke8(uint8_t *p, uint8_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

/* A counter that wraps in two's complement: what CPUs add and subtract sums up to the truth. */
static inline void pz_count64(uint64_t *p, uint64_t n)
{
#if UINTPTR_MAX > UINT32_MAX
	PZ_SCHED(p);
	(void)__sync_fetch_and_add(p, n);
#else
	uint64_t old = pz_load64(p);

	while (!pz_cas64(p, old, old + n))
		old = pz_load64(p);
#endif
}

#endif
