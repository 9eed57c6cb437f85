/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edu.c - QEMU's edu device, see hw.h; QEMU's own specifications describe it.
 *
 * The device has 4096 bytes of memory at its own address 0x40000. A transfer begins about 100 ms
 * after it was started. An address beyond the device's mask is cut to the mask without an error.
 */
#include "../ports/x86_64/io.h"

#include "hw.h"

#define EDU_VENDOR_DEVICE 0x11e81234u
#define EDU_REG_ID 0x00
#define EDU_ID 0x010000edu
#define EDU_REG_SOURCE 0x80
#define EDU_REG_DESTINATION 0x88
#define EDU_REG_COUNT 0x90
#define EDU_REG_COMMAND 0x98
#define EDU_RUN 0x1u
#define EDU_TO_BUS 0x2u
#define EDU_MEMORY 0x40000u
#define EDU_MS 10000

bool edu_open(struct edu *e, unsigned int slot)
{
	uint32_t at = pci_function(slot, 0, EDU_VENDOR_DEVICE);
	uint64_t regs = at ? pci_bar(at, 0) : 0;

	e->regs = 0;
	if (!regs)
		return false;
	pci_enable(at);
	if (io_read32(regs + EDU_REG_ID) != EDU_ID)
		return false;
	e->regs = regs;
	return true;
}

static void edu_start(const struct edu *e, uint64_t from, uint64_t to, uint32_t bytes,
		      uint32_t command)
{
	io_write64(e->regs + EDU_REG_SOURCE, from);
	io_write64(e->regs + EDU_REG_DESTINATION, to);
	io_write64(e->regs + EDU_REG_COUNT, bytes);
	io_write64(e->regs + EDU_REG_COMMAND, command);
}

void edu_start_read(const struct edu *e, uint64_t bus, uint32_t bytes)
{
	edu_start(e, bus, EDU_MEMORY, bytes, EDU_RUN);
}

void edu_start_write(const struct edu *e, uint64_t bus, uint32_t bytes)
{
	edu_start(e, EDU_MEMORY, bus, bytes, EDU_RUN | EDU_TO_BUS);
}

bool edu_wait(const struct edu *e)
{
	return hw_wait_reg(e->regs + EDU_REG_COMMAND, EDU_RUN, 0, EDU_MS);
}
