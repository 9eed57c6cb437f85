/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layout.h - the address space of QEMU's "virt" machine, and where the port maps it.
 *
 * Memory is seen at its physical address, for the image, and once more at PORT_DIRECT.
 */
#ifndef PORTS_ARM_LAYOUT_H
#define PORTS_ARM_LAYOUT_H

#define PORT_UART 0x09000000u

#define PORT_RAM 0x40000000u
#define PORT_RAM_BYTES 0x40000000u /* scripts/boot.sh asks for as much */

/* The loader's device tree lies at the start of memory, the image by image.ld at 16 MiB. */
#define PORT_DIRECT 0x80000000u

#endif
