/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port.c - the machine below the image: serial line, the way out, memory, and the four functions
 * that the library asks of its host.
 *
 * The serial line is a PL011, polled. The way out is semihosting, whose exit status is the value
 * passed; where there is none, the undefined instruction ends the run on the console.
 *
 * The port's own table maps 1 MiB each: the serial line, memory at its physical address, which only
 * the image uses, memory at PORT_DIRECT, and in one page of 16 MiB some that lies above 4 GiB.
 */
#include "../port.h"

#include "layout.h"
#include "mmu.h"
#include "start.h"

#define PORT_UART_DATA (PORT_UART + 0x00u)
#define PORT_UART_FLAGS (PORT_UART + 0x18u)
#define PORT_UART_FULL 0x20u
#define PORT_UART_CONTROL (PORT_UART + 0x30u)
#define PORT_UART_TRANSMIT 0x101u

/* ADP_Stopped_ApplicationExit: the second word is the status. */
#define PORT_EXIT_APPLICATION 0x20026u

/* Sections for the processor only, shareable: memory is cached, devices are not code. */
#define PORT_SECTION_MEMORY 0x1140eu
#define PORT_SECTION_DEVICE 0x10416u
/* The same for 16 MiB, which alone may lie above 4 GiB: bits 23:20 are bits 35:32 of the address.
 */
#define PORT_SUPER_MEMORY (PORT_SECTION_MEMORY | 0x40000u)
/* TEX[0], C, B: 1 is a device, 7 is cached memory that is written back. */
#define PORT_PRRR 0x00028004u
#define PORT_NMRR 0x40004000u
/* Walks look into the inner and outer cache. */
#define PORT_TTBR_CACHED 0x6au

extern char port_image_start[], port_image_end[];

static _Alignas(16384) uint32_t port_table[4096];

static uint32_t port_read(uint32_t reg)
{
	return *(const volatile uint32_t *)(uintptr_t)reg;
}

static void port_register(uint32_t reg, uint32_t v)
{
	*(volatile uint32_t *)(uintptr_t)reg = v;
}

static void port_build_table(void)
{
	port_table[PORT_UART >> 20] = PORT_UART | PORT_SECTION_DEVICE;
	for (uint32_t at = 0; at < PORT_RAM_BYTES; at += 0x100000) {
		port_table[(PORT_RAM + at) >> 20] = (PORT_RAM + at) | PORT_SECTION_MEMORY;
		port_table[(PORT_DIRECT + at) >> 20] = (PORT_RAM + at) | PORT_SECTION_MEMORY;
	}
	for (uint32_t at = 0; at < PORT_HIGH_BYTES; at += 0x100000)
		port_table[(PORT_HIGH + at) >> 20] = (uint32_t)PORT_HIGH_PHYS |
						     (uint32_t)(PORT_HIGH_PHYS >> 32) << 20 |
						     PORT_SUPER_MEMORY;
}

struct mmu_regime mmu_port_regime(void)
{
	return (struct mmu_regime){ .ttbr0 = (uint32_t)(uintptr_t)port_table | PORT_TTBR_CACHED,
				    .dacr = MMU_DACR_CLIENT,
				    .prrr = PORT_PRRR,
				    .nmrr = PORT_NMRR,
				    .access_flag = true };
}

void port_start(void)
{
	struct mmu_regime own = mmu_port_regime();

	port_register(PORT_UART_CONTROL, PORT_UART_TRANSMIT);
	port_build_table();
	mmu_on(&own);
}

void port_write(const char *s, size_t n)
{
	while (n--) {
		while (port_read(PORT_UART_FLAGS) & PORT_UART_FULL)
			;
		port_register(PORT_UART_DATA, (uint8_t)*s++);
	}
}

void port_exit(bool good)
{
	uint32_t block[] = { PORT_EXIT_APPLICATION, good ? PORT_EXIT_GOOD : PORT_EXIT_BAD };

	semihosting_exit(block);
}

struct pz_range port_image(void)
{
	return (struct pz_range){ (uintptr_t)port_image_start, (uintptr_t)port_image_end - 1 };
}

struct pz_range port_mapped(void)
{
	return (struct pz_range){ PORT_RAM, (uint64_t)PORT_RAM + PORT_RAM_BYTES - 1 };
}

void *port_direct(uint64_t phys)
{
	return (void *)(uintptr_t)(phys >= PORT_HIGH_PHYS ? phys - PORT_HIGH_PHYS + PORT_HIGH
							  : phys - PORT_RAM + PORT_DIRECT);
}
