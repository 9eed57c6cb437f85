/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pzl_slots.h - how a kernel rounds the number of its bounce buffers' slots.
 */
#ifndef LINUX_PZL_SLOTS_H
#define LINUX_PZL_SLOTS_H

#include "../src/base/bits.h"

#define PZL_SLOTS_SEGMENT 128u /* slots of a segment, which a mapping cannot cross */

/* Slots after the rounding that areas ask for: none without areas. */
static inline uint64_t pzl_slots_round(uint64_t slots, uint64_t areas)
{
	uint64_t up;

	if (!areas)
		return slots;
	if (slots < PZL_SLOTS_SEGMENT * areas)
		slots = PZL_SLOTS_SEGMENT * areas;
	return pz_roundup_pow2(slots, &up) ? up : slots;
}

#endif
