/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layout.h - what start.S and port.c both know of the address space.
 */
#ifndef PORTS_X86_64_LAYOUT_H
#define PORTS_X86_64_LAYOUT_H

/* Physical memory that is mapped, from 0 on, at most 512: one to one, and at PORT_DIRECT. */
#define PORT_MAPPED_GIB 64

/* The upper half of the addresses, and its entry of the top page table. */
#define PORT_DIRECT 0xffff800000000000
#define PORT_DIRECT_ENTRY 256

#endif
