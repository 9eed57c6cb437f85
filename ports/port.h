/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port.h - what a bare-metal port gives to an image, and what the image gives to it.
 */
#ifndef PHYSZONE_PORTS_PORT_H
#define PHYSZONE_PORTS_PORT_H

#include <physzone/types.h>

/* Values for the way out, see port_exit(). */
#define PORT_EXIT_GOOD 0x10
#define PORT_EXIT_BAD 0x11

/* The image's entry: called once, on a stack of 256 KiB, with what the loader handed over. */
void port_main(uint64_t handed_over);

/* Write to the console. */
void port_write(const char *s, size_t n);

/* End the run and tell the machine how it went. */
_Noreturn void port_exit(bool good);

/* Where the image itself lies. */
struct pz_range port_image(void);

/* Physical memory that the processor sees. */
struct pz_range port_mapped(void);

/* Where it sees it: never NULL, and not at the physical address, so that the two are told apart. */
void *port_direct(uint64_t phys);

/* print.c: text, and numbers in decimal and hexadecimal, on the console. */
void port_print(const char *s);
void port_print_dec(uint64_t v);
void port_print_hex(uint64_t v);

/*
 * arena.c: memory for the library's metadata out of a fixed store, first fit, neighbours merge.
 *
 * Invariants: 1. blocks tile the store; 2. no two free blocks touch. The heads of blocks lie in the
 * store. A wrong size at free is counted in `mismatches` and the block is kept.
 */
struct port_arena {
	struct pz_meta meta;
	struct port_block *first;
	size_t live; /* bytes given out */
	size_t blocks;
	size_t mismatches;
};

/* Start an arena over a store aligned to 16, whose size is a multiple of 16 and at least 64. */
void port_arena_init(struct port_arena *a, void *store, size_t size);

#endif
