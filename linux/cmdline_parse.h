/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmdline_parse.h - what the two halves of the command-line parser share.
 */
#ifndef LINUX_CMDLINE_PARSE_H
#define LINUX_CMDLINE_PARSE_H

#include <physzone/linux/cmdline.h>
#include <physzone/map.h>

#include "pzl_text.h"

struct cl_core;

struct cl_parser {
	enum pzl_model model;
	enum pzl_arch arch;
	unsigned int page_shift;
	struct cl_core *kernelcore, *movablecore;
	bool kernelcore_mirror;
	bool mem_zero; /* riscv: a mem= of 0 was seen, below which no later one gets */
};

/* The value of a digit in any base up to 16; 255 for what is none. */
static inline unsigned int cl_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 255;
}

/* Whether v * base + d leaves 64 bits, in 32-bit steps (base is at most 16). */
static inline bool cl_mul_wraps(uint64_t v, unsigned int base, unsigned int d)
{
	uint64_t low = (v & 0xffffffffu) * base + d;
	uint64_t high = (v >> 32) * base + (low >> 32);

	return high >> 32 != 0;
}

/* Whether an argument has a name; '-' and '_' are the same. */
bool pzl_cl_name_is(const struct pzl_arg *a, const char *name);

/* Whether an argument's value begins with a text. */
bool pzl_cl_value_starts(const struct pzl_arg *a, const char *prefix);

/* Mark an argument whose number wrapped, or that has text after the @used characters. */
void pzl_cl_number_problem(struct pzl_arg *a, size_t used, bool wrapped);

/* mem= and memmap=, which change the memory map. */
void pzl_cl_parse_mem(struct cl_parser *p, struct pzl_cmdline *c, struct pzl_arg *a,
		      uint32_t index);
void pzl_cl_parse_memmap(struct cl_parser *p, struct pzl_cmdline *c, struct pzl_arg *a,
			 uint32_t index);

#endif
