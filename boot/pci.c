/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci.c - PCI configuration space by ports 0xcf8 and 0xcfc, bus 0 only, see hw.h.
 *
 * The firmware has assigned the BARs: a function without an address is of no use here.
 */
#include "../ports/x86_64/io.h"

#include "hw.h"

#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define PCI_ON 0x80000000u

#define PCI_ID 0x00
#define PCI_COMMAND 0x04
#define PCI_COMMAND_MEMORY 0x2u
#define PCI_COMMAND_MASTER 0x4u
#define PCI_CLASS 0x08
#define PCI_BAR0 0x10
#define PCI_BAR_IO 0x1u
#define PCI_BAR_TYPE 0x6u
#define PCI_BAR_64 0x4u

#define PCI_SLOTS 32u
#define PCI_FUNCTIONS 8u

static uint32_t pci_read(uint32_t at, unsigned int reg)
{
	io_out32(PCI_ADDRESS, at | reg);
	return io_in32(PCI_DATA);
}

static void pci_write(uint32_t at, unsigned int reg, uint32_t v)
{
	io_out32(PCI_ADDRESS, at | reg);
	io_out32(PCI_DATA, v);
}

static uint32_t pci_at(unsigned int slot, unsigned int function)
{
	return PCI_ON | slot << 11 | function << 8;
}

uint32_t pci_function(unsigned int slot, unsigned int function, uint32_t vendor_device)
{
	uint32_t at = pci_at(slot, function);

	return pci_read(at, PCI_ID) == vendor_device ? at : 0;
}

uint32_t pci_function_of_class(uint32_t class)
{
	for (unsigned int slot = 0; slot < PCI_SLOTS; slot++)
		for (unsigned int function = 0; function < PCI_FUNCTIONS; function++) {
			uint32_t at = pci_at(slot, function);

			if (pci_read(at, PCI_ID) != UINT32_MAX &&
			    pci_read(at, PCI_CLASS) >> 8 == class)
				return at;
		}
	return 0;
}

uint64_t pci_bar(uint32_t at, unsigned int index)
{
	uint32_t low = pci_read(at, PCI_BAR0 + 4 * index);
	uint64_t high = 0;

	if (low & PCI_BAR_IO)
		return 0;
	if ((low & PCI_BAR_TYPE) == PCI_BAR_64)
		high = pci_read(at, PCI_BAR0 + 4 * index + 4);
	return high << 32 | (low & ~0xfu);
}

void pci_enable(uint32_t at)
{
	/* The upper half is the status, whose bits are cleared by ones. */
	uint32_t command = pci_read(at, PCI_COMMAND) & 0xffff;

	pci_write(at, PCI_COMMAND, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}
