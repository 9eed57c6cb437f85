/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print.c - text and numbers on the console of a bare-metal port.
 */
#include "../port.h"

void port_print(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	port_write(s, n);
}

void port_print_hex(uint64_t v)
{
	char buf[18] = "0x";
	size_t n = 2;
	int shift = 60;

	while (shift > 0 && !(v >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		buf[n++] = "0123456789abcdef"[v >> shift & 15];
	port_write(buf, n);
}

void port_print_dec(uint64_t v)
{
	static const uint64_t powers[] = {
		10000000000000000000u,
		1000000000000000000u,
		100000000000000000u,
		10000000000000000u,
		1000000000000000u,
		100000000000000u,
		10000000000000u,
		1000000000000u,
		100000000000u,
		10000000000u,
		1000000000u,
		100000000u,
		10000000u,
		1000000u,
		100000u,
		10000u,
		1000u,
		100u,
		10u,
		1u,
	};
	char buf[20];
	size_t n = 0;

	/* By subtraction: a port may have no division of 64-bit numbers. */
	for (size_t i = 0; i < sizeof(powers) / sizeof(powers[0]); i++) {
		char digit = '0';

		for (; v >= powers[i]; v -= powers[i])
			digit++;
		if (n || digit != '0' || powers[i] == 1)
			buf[n++] = digit;
	}
	port_write(buf, n);
}
