/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmdline.h - the kernel command line, as far as it changes the layout of memory.
 *
 * Every word becomes a record that says what it was taken for and what came of it. A word that the
 * kernel cannot parse does here what it does there, and the record says so. crashkernel= is kept
 * as text: its meaning depends on the machine (crash.h).
 * Source followed: docs/facts/zones.md sections 4, 6, 7 and 9.
 */
#ifndef PHYSZONE_LINUX_CMDLINE_H
#define PHYSZONE_LINUX_CMDLINE_H

#include <physzone/linux/arch.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pzl_arg_kind {
	PZL_ARG_OTHER, /* nothing that is known to change the layout */
	PZL_ARG_INIT,  /* after "--": for init, not for the kernel */
	PZL_ARG_MEM,
	PZL_ARG_MEMMAP,
	PZL_ARG_CRASHKERNEL,
	PZL_ARG_ELFCOREHDR,
	PZL_ARG_KERNELCORE,
	PZL_ARG_MOVABLECORE,
	PZL_ARG_MOVABLE_NODE,
	PZL_ARG_NUMA,
	PZL_ARG_CMA,
	PZL_ARG_CMA_PERNUMA,
	PZL_ARG_NUMA_CMA,
	PZL_ARG_HIGHMEM,
	PZL_ARG_VMALLOC,
	PZL_ARG_OPAQUE, /* takes memory or moves things, and is not interpreted (hugepages=, ...) */
	PZL_ARG_KINDS,
};

/* What came of an argument that is not simply applied. */
enum pzl_arg_problem {
	PZL_ARG_OK,
	PZL_ARG_NO_VALUE,    /* refused: it needs a value */
	PZL_ARG_REFUSED,     /* refused: the value cannot be parsed; nothing changes */
	PZL_ARG_PARTIAL,     /* a list: some elements were refused, the rest is applied */
	PZL_ARG_TRAILING,    /* applied; text after the value is ignored */
	PZL_ARG_NO_START,    /* applied with start 0: no number after the sign */
	PZL_ARG_PANIC,	     /* the kernel dies: a null pointer, or a bug that it stops at */
	PZL_ARG_ZERO,	     /* mem=: a size of 0 or no number is refused, nothing is removed */
	PZL_ARG_REMOVES_ALL, /* memmap=0: all RAM is removed */
	PZL_ARG_OVER_100,    /* a percentage above 100: a warning, and applied */
	PZL_ARG_OVERFLOW,    /* the number does not fit 64 bits and wraps; applied as wrapped */
	PZL_ARG_NO_NUMBER,   /* read as 0: the value does not begin with a number */
	PZL_ARG_CLAMPED,     /* outside what the kernel allows: the nearest allowed value is used */
	PZL_ARG_NOT_HERE,    /* this architecture or this version of Linux does not know it */
	PZL_ARG_OVERRIDDEN,  /* parsed, and another argument takes precedence */
	PZL_ARG_CUT,	     /* past the longest command line that the kernel keeps */
	PZL_ARG_PROBLEMS,
};

struct pzl_arg {
	enum pzl_arg_kind kind;
	enum pzl_arg_problem problem;
	uint32_t pos;	  /* byte offset of the name in the text */
	const char *name; /* points into the text, not terminated */
	uint32_t name_len;
	const char *value; /* NULL without "="; quotes are stripped as the kernel does */
	uint32_t value_len;
};

/* A change of the firmware's memory map, in the order of the command line. */
enum pzl_mem_op_kind {
	PZL_OP_CEILING,	 /* RAM from base to the end of the address space goes */
	PZL_OP_EXACTMAP, /* the table is emptied */
	PZL_OP_ADD,	 /* base, size, to */
	PZL_OP_UPDATE,	 /* base, size, from, to */
	PZL_OP_REMOVE,	 /* base, size, from; 0 for any type */
	PZL_OP_RANGE,	 /* base, size: memory, after the first use forgot what there was */
};

struct pzl_mem_op {
	enum pzl_mem_op_kind kind;
	uint32_t arg; /* index of the argument */
	uint64_t base, size;
	uint32_t from, to; /* enum pz_map_type */
};

/*
 * A parsed command line. The caller gives the storage of the two arrays; when one is too small the
 * counts still tell how many there are.
 */
struct pzl_cmdline {
	struct pzl_arg *arg;
	uint32_t arg_cap, arg_count;
	struct pzl_mem_op *op;
	uint32_t op_cap, op_count;
	const char *text; /* as given */
	size_t len;	  /* as far as the kernel keeps it */

	bool user_map; /* x86: mem= or memmap= was used: the map is printed again and must be sane
			*/
	bool panics;   /* some argument makes the kernel die while parsing */
	bool mem_limited;   /* mem= in its meaning of an amount, or s390's ceiling */
	uint64_t mem_limit; /* bytes */
	bool nopentium;	    /* i386 mem=nopentium */

	struct pz_core_spec kernelcore, movablecore;
	bool movable_node;
	bool numa_off, numa_noacpi;
	const char *numa_fake; /* text after "fake=", NULL without it; points into the text */
	uint32_t numa_fake_len;

	bool elfcorehdr;			   /* a capture kernel */
	uint64_t elfcorehdr_addr, elfcorehdr_size; /* size 0 when it is not given */

	bool cma_set;
	uint64_t cma_size, cma_base, cma_limit; /* limit: exclusive end, 0 for none */
	bool cma_fixed;				/* base and size alone: exactly there */
	uint64_t cma_pernuma;			/* bytes, 0 for none */

	bool highmem_set, vmalloc_set;
	uint64_t highmem, vmalloc; /* bytes */
};

/**
 * pzl_strtoull - read a number as the kernel's simple_strtoull(s, end, 0) does
 * @s: the text
 * @len: its length
 * @used: characters read, 0 when there is no number; may be NULL
 * @wrapped: set when the number does not fit 64 bits, left alone otherwise; may be NULL
 *
 * Decimal, octal after 0, hexadecimal after 0x and a hexadecimal digit. No sign, no blanks.
 *
 * Context: any.
 * Return: the number, wrapped to 64 bits; 0 when there is none.
 */
uint64_t pzl_strtoull(const char *s, size_t len, size_t *used, bool *wrapped);

/**
 * pzl_memparse - read a size as the kernel's memparse() does
 * @s: the text
 * @len: its length
 * @used: characters read with the suffix; may be NULL
 * @wrapped: set when the size does not fit 64 bits, left alone otherwise; may be NULL
 *
 * A number, then one of K M G T P E in either case, powers of 1024.  A suffix alone is read as a
 * size of 0.
 *
 * Context: any.
 * Return: the size in bytes, wrapped to 64 bits.
 */
uint64_t pzl_memparse(const char *s, size_t len, size_t *used, bool *wrapped);

/**
 * pzl_cmdline_init - give a command line its storage
 * @c: the command line
 * @args: storage for arguments, or NULL when @arg_cap is 0
 * @arg_cap: arguments that @args holds
 * @ops: storage for changes of the memory map, or NULL when @op_cap is 0
 * @op_cap: changes that @ops holds
 *
 * Context: any.
 */
void pzl_cmdline_init(struct pzl_cmdline *c, struct pzl_arg *args, uint32_t arg_cap,
		      struct pzl_mem_op *ops, uint32_t op_cap);

/**
 * pzl_cmdline_parse - parse a command line as a kernel does
 * @c: an initialised command line; what it held before is forgotten
 * @model: the model
 * @arch: the architecture
 * @page_shift: log2 of the page size
 * @text: the text; must outlive @c; ends at @len or at its first NUL
 * @len: its length
 *
 * Context: any. Cost: O(len).
 * Return: 0, -PZ_EINVAL when @model, @arch or @page_shift is out of range, -PZ_ENOSPC when an
 * array was too small: the counts then say what is needed, and all else is as parsed.
 */
int pzl_cmdline_parse(struct pzl_cmdline *c, enum pzl_model model, enum pzl_arch arch,
		      unsigned int page_shift, const char *text, size_t len);

/**
 * pzl_cmdline_numa_cma - the size that numa_cma= gives to a node
 * @c: a parsed command line
 * @nid: the node
 * @size: bytes, written on success only
 *
 * Context: any.
 * Return: 0, or -PZ_ENOENT when it names no size for the node.
 */
int pzl_cmdline_numa_cma(const struct pzl_cmdline *c, int nid, uint64_t *size);

/**
 * pzl_arg_kind_name - the name of an argument's kind
 * @kind: the kind
 *
 * Context: any.
 * Return: a static string, "?" for a number that is none.
 */
const char *pzl_arg_kind_name(enum pzl_arg_kind kind);

/**
 * pzl_arg_problem_text - a sentence that says what came of an argument
 * @problem: the problem
 *
 * Context: any.
 * Return: a static string without a full stop, "?" for a number that is none.
 */
const char *pzl_arg_problem_text(enum pzl_arg_problem problem);

#ifdef __cplusplus
}
#endif

#endif
