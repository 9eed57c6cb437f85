/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port.c - the machine below the image: serial line, the way out, and the four functions that the
 * library asks of its host.
 *
 * The serial line is COM1, polled. The way out is QEMU's isa-debug-exit at port 0xf4, whose exit
 * status is twice the value written, plus one; where there is none, the processor halts.
 */
#include "../port.h"

#include "../../src/base/pz_string.h"

#include "io.h"
#include "layout.h"

#define PORT_COM1 0x3f8
#define PORT_COM1_LINE_STATUS (PORT_COM1 + 5)
#define PORT_COM1_EMPTY 0x20
#define PORT_DEBUG_EXIT 0xf4

extern char port_image_start[], port_image_end[];

void port_write(const char *s, size_t n)
{
	while (n--) {
		while (!(io_in8(PORT_COM1_LINE_STATUS) & PORT_COM1_EMPTY))
			;
		io_out8(PORT_COM1, (uint8_t)*s++);
	}
}

void port_exit(bool good)
{
	io_out8(PORT_DEBUG_EXIT, good ? PORT_EXIT_GOOD : PORT_EXIT_BAD);
	for (;;)
		__asm__ volatile("hlt");
}

struct pz_range port_image(void)
{
	return (struct pz_range){ (uintptr_t)port_image_start, (uintptr_t)port_image_end - 1 };
}

struct pz_range port_mapped(void)
{
	return (struct pz_range){ 0, ((uint64_t)PORT_MAPPED_GIB << 30) - 1 };
}

void *port_direct(uint64_t phys)
{
	return (void *)(PORT_DIRECT + phys);
}

/* Called by start.S. */
void port_exception(uint64_t vector, uint64_t error, uint64_t instruction);

void port_exception(uint64_t vector, uint64_t error, uint64_t instruction)
{
	port_print("\nBail out! exception ");
	port_print_dec(vector);
	port_print(", error ");
	port_print_hex(error);
	port_print(", at ");
	port_print_hex(instruction);
	port_print("\n");
	port_exit(false);
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	void *at = to;

	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n) : : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	unsigned char *at = to;
	const unsigned char *of = from;

	if (at <= of || at >= of + n)
		return memcpy(to, from, n);
	at += n - 1;
	of += n - 1;
	__asm__ volatile("std; rep movsb; cld" : "+D"(at), "+S"(of), "+c"(n) : : "memory");
	return to;
}

void *memset(void *to, int c, size_t n)
{
	void *at = to;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(c) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}
