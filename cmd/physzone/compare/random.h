/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * random.h - numbers that look random and are the same on every machine for the same seed.
 */
#ifndef PHYSZONE_CMD_COMPARE_RANDOM_H
#define PHYSZONE_CMD_COMPARE_RANDOM_H

#include <stdint.h>

struct rnd {
	uint64_t state;
};

static inline struct rnd rnd_seed(uint64_t seed)
{
	struct rnd r = { seed };

	return r;
}

/* The next 64 bits (splitmix64). */
static inline uint64_t rnd_next(struct rnd *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* A number below @n; @n is at least 1. */
static inline uint64_t rnd_below(struct rnd *r, uint64_t n)
{
	return rnd_next(r) % n;
}

/* A number from @low to @high, each doubling as likely as the next; 1 <= @low <= @high. */
static inline uint64_t rnd_scale(struct rnd *r, uint64_t low, uint64_t high)
{
	unsigned int doublings = 0;
	uint64_t from, to;

	while (doublings < 63 && low <= high >> (doublings + 1))
		doublings++;
	from = low << rnd_below(r, (uint64_t)doublings + 1);
	to = from > high / 2 ? high : from * 2 - 1;
	return from + rnd_below(r, to - from + 1);
}

#endif
