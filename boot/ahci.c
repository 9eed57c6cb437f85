/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ahci.c - one disk on an AHCI controller, see hw.h.
 *
 * The command memory is one page: the list of commands, of which the first is used, what the disk
 * answers, and the command's table with its segments.
 *
 * Shortcomings: the first port with a disk; one command at a time; no recovery from errors.
 */
#include "../ports/x86_64/io.h"
#include "../src/base/pz_string.h"

#include "hw.h"

#define AHCI_CLASS 0x010601u
#define AHCI_BAR 5

/* Of the controller. */
#define AHCI_CAP 0x00
#define AHCI_CAP_64 0x80000000u
#define AHCI_GHC 0x04
#define AHCI_GHC_RESET 0x1u
#define AHCI_GHC_ENABLE 0x80000000u
#define AHCI_PORTS 0x0c
#define AHCI_PORT(n) (0x100 + 0x80 * (uint64_t)(n))

/* Of a port. */
#define AHCI_LIST 0x00
#define AHCI_ANSWERS 0x08
#define AHCI_STATUS 0x10
#define AHCI_STATUS_ERROR 0x40000000u
#define AHCI_COMMAND 0x18
#define AHCI_COMMAND_START 0x1u
#define AHCI_COMMAND_ANSWERS 0x10u
#define AHCI_COMMAND_ANSWERING 0x4000u
#define AHCI_COMMAND_RUNNING 0x8000u
#define AHCI_TASK 0x20
#define AHCI_TASK_ERROR 0x01u
#define AHCI_TASK_BUSY 0x88u
#define AHCI_LINK 0x28
#define AHCI_LINK_UP 0x3u
#define AHCI_ERRORS 0x30
#define AHCI_ISSUE 0x38

#define AHCI_AT_ANSWERS 0x400u
#define AHCI_AT_TABLE 0x800u
#define AHCI_AT_SEGMENTS 0x80u /* from the table */

#define AHCI_FIS_WORDS 5u
#define AHCI_FIS_COMMAND 0x8027u /* from the host, a command */
#define AHCI_READ_DMA_EXT 0x25u
#define AHCI_LBA 0x40u
#define AHCI_MS 5000

static bool ahci_wait_port(const struct ahci *a, unsigned int reg, uint32_t mask, uint32_t value)
{
	return hw_wait_reg(a->port + reg, mask, value, AHCI_MS);
}

bool ahci_find(struct ahci *a, bool *wide)
{
	uint32_t at = pci_function_of_class(AHCI_CLASS);

	a->regs = at ? pci_bar(at, AHCI_BAR) : 0;
	if (!a->regs)
		return false;
	pci_enable(at);
	*wide = io_read32(a->regs + AHCI_CAP) & AHCI_CAP_64;
	return true;
}

/* The first port whose disk answers. */
static bool ahci_find_port(struct ahci *a)
{
	uint32_t ports = io_read32(a->regs + AHCI_PORTS);

	for (unsigned int n = 0; n < 32; n++) {
		a->port = a->regs + AHCI_PORT(n);
		if (ports >> n & 1 && (io_read32(a->port + AHCI_LINK) & 0xf) == AHCI_LINK_UP)
			return true;
	}
	a->port = 0;
	return false;
}

static void ahci_command_bits(const struct ahci *a, uint32_t clear, uint32_t set)
{
	uint32_t command = io_read32(a->port + AHCI_COMMAND);

	io_write32(a->port + AHCI_COMMAND, (command & ~clear) | set);
}

static bool ahci_stop(const struct ahci *a)
{
	ahci_command_bits(a, AHCI_COMMAND_START, 0);
	if (!ahci_wait_port(a, AHCI_COMMAND, AHCI_COMMAND_RUNNING, 0))
		return false;
	ahci_command_bits(a, AHCI_COMMAND_ANSWERS, 0);
	return ahci_wait_port(a, AHCI_COMMAND, AHCI_COMMAND_ANSWERING, 0);
}

static void ahci_write_address(const struct ahci *a, unsigned int reg, uint64_t bus)
{
	io_write32(a->port + reg, (uint32_t)bus);
	io_write32(a->port + reg + 4, (uint32_t)(bus >> 32));
}

bool ahci_open(struct ahci *a, void *memory, uint64_t memory_bus)
{
	a->memory = memory;
	a->memory_bus = memory_bus;
	memset(memory, 0, AHCI_MEMORY);
	/* The firmware may have left commands behind. */
	io_write32(a->regs + AHCI_GHC, AHCI_GHC_ENABLE | AHCI_GHC_RESET);
	if (!hw_wait_reg(a->regs + AHCI_GHC, AHCI_GHC_RESET, 0, AHCI_MS))
		return false;
	io_write32(a->regs + AHCI_GHC, AHCI_GHC_ENABLE);
	if (!ahci_find_port(a) || !ahci_stop(a))
		return false;
	ahci_write_address(a, AHCI_LIST, memory_bus);
	ahci_write_address(a, AHCI_ANSWERS, memory_bus + AHCI_AT_ANSWERS);
	io_write32(a->port + AHCI_ERRORS, UINT32_MAX);
	io_write32(a->port + AHCI_STATUS, UINT32_MAX);
	ahci_command_bits(a, 0, AHCI_COMMAND_ANSWERS);
	if (!ahci_wait_port(a, AHCI_TASK, AHCI_TASK_BUSY, 0))
		return false;
	ahci_command_bits(a, 0, AHCI_COMMAND_START);
	return true;
}

void ahci_close(struct ahci *a)
{
	if (a->port && ahci_stop(a)) {
		ahci_write_address(a, AHCI_LIST, 0);
		ahci_write_address(a, AHCI_ANSWERS, 0);
	}
}

void ahci_start_read(const struct ahci *a, uint64_t sector, const struct ahci_segment *v,
		     uint32_t count)
{
	uint32_t *list = a->memory;
	uint32_t *fis = (uint32_t *)((char *)a->memory + AHCI_AT_TABLE);
	uint32_t *segment = fis + AHCI_AT_SEGMENTS / 4;
	uint32_t bytes = 0;

	for (uint32_t i = 0; i < count; i++, segment += 4) {
		segment[0] = (uint32_t)v[i].bus;
		segment[1] = (uint32_t)(v[i].bus >> 32);
		segment[2] = 0;
		segment[3] = v[i].bytes - 1;
		bytes += v[i].bytes;
	}
	fis[0] = AHCI_FIS_COMMAND | AHCI_READ_DMA_EXT << 16;
	fis[1] = (uint32_t)(sector & 0xffffff) | AHCI_LBA << 24;
	fis[2] = (uint32_t)(sector >> 24 & 0xffffff);
	fis[3] = bytes / AHCI_SECTOR;
	fis[4] = 0;
	list[0] = count << 16 | AHCI_FIS_WORDS;
	list[1] = 0;
	list[2] = (uint32_t)(a->memory_bus + AHCI_AT_TABLE);
	list[3] = (uint32_t)((a->memory_bus + AHCI_AT_TABLE) >> 32);
	io_write32(a->port + AHCI_ISSUE, 1);
}

bool ahci_wait(const struct ahci *a)
{
	return ahci_wait_port(a, AHCI_ISSUE, 1, 0) &&
	       !(io_read32(a->port + AHCI_TASK) & AHCI_TASK_ERROR) &&
	       !(io_read32(a->port + AHCI_STATUS) & AHCI_STATUS_ERROR);
}
