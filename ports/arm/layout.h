/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layout.h - the address space of QEMU's "virt" machine, and where the port maps it.
 *
 * The first GiB of memory is seen at its physical address, for the image, and once more at
 * PORT_DIRECT. A little of what lies above 4 GiB is seen at PORT_HIGH.
 */
#ifndef PORTS_ARM_LAYOUT_H
#define PORTS_ARM_LAYOUT_H

#define PORT_UART 0x09000000u

#define PORT_RAM 0x40000000u
#define PORT_RAM_BYTES 0x40000000u /* of it, the first GiB */
/* Some of what lies above 4 GiB; scripts/boot.sh asks for 5 GiB. */
#define PORT_HIGH_PHYS 0x150000000
#define PORT_HIGH_BYTES 0x1000000u /* one page */

/* The loader's device tree lies at the start of memory, the image by image.ld at 16 MiB. */
#define PORT_DIRECT 0x80000000u
#define PORT_HIGH 0xc0000000u

#endif
