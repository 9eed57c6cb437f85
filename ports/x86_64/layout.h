/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * layout.h - what start.S and port.c both know of the address space.
 */
#ifndef PORTS_X86_64_LAYOUT_H
#define PORTS_X86_64_LAYOUT_H

/* Physical memory that is mapped one to one, from 0 on, at most 512. */
#define PORT_MAPPED_GIB 64

#endif
