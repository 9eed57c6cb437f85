/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock.c - time limits, see hw.h.
 *
 * The interval timer counts down from 65536 to 1 at 1193.182 kHz, again and again. Only differences
 * count, so it does not matter where it stands. An asker who comes after more than one turn loses
 * whole turns: time limits then come late.
 */
#include "../ports/x86_64/io.h"

#include "hw.h"

#define CLOCK_DATA 0x40
#define CLOCK_COMMAND 0x43
#define CLOCK_LATCH 0x00 /* channel 0 */
#define CLOCK_TICKS_PER_MS 1194

static uint16_t clock_now(void)
{
	uint8_t low;

	io_out8(CLOCK_COMMAND, CLOCK_LATCH);
	low = io_in8(CLOCK_DATA);
	return (uint16_t)(io_in8(CLOCK_DATA) << 8 | low);
}

void hw_wait_start(struct hw_wait *w, uint32_t ms)
{
	w->left = ms * CLOCK_TICKS_PER_MS;
	w->last = clock_now();
}

bool hw_wait_more(struct hw_wait *w)
{
	uint16_t now = clock_now();
	uint16_t ticks = (uint16_t)(w->last - now);

	w->last = now;
	w->left = w->left > ticks ? w->left - ticks : 0;
	return w->left > 0;
}

bool hw_wait_reg(uint64_t reg, uint32_t mask, uint32_t value, uint32_t ms)
{
	struct hw_wait w;

	hw_wait_start(&w, ms);
	while ((io_read32(reg) & mask) != value)
		if (!hw_wait_more(&w))
			return false;
	return true;
}
