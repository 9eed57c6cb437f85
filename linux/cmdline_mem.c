/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmdline_mem.c - mem= in its three meanings, and memmap= with all its forms.
 *
 * Concept: each use becomes one or more changes of the memory map, to be applied in order by the
 * code of the architecture (x86.h, early.h). x86 edits its table while it parses, so that
 * "memmap=exactmap" forgets every change before it; the list keeps that order.
 *
 * Invariants: 1. changes are in the order of the command line; 2. a refused element leaves none.
 *
 * Failure: what cannot be parsed marks the argument's record.
 *
 * Shortcomings: an element list's record carries one problem, the first.
 */
#include "cmdline_parse.h"

static void cl_op(struct pzl_cmdline *c, struct pzl_mem_op op)
{
	if (c->op_count < c->op_cap)
		c->op[c->op_count] = op;
	c->op_count++;
}

static bool cl_is_x86(enum pzl_arch arch)
{
	return arch == PZL_ARCH_X86_64 || arch == PZL_ARCH_I386;
}

static void cl_mem_x86(struct cl_parser *p, struct pzl_cmdline *c, struct pzl_arg *a,
		       uint32_t index)
{
	struct pzl_mem_op op = { PZL_OP_CEILING, index, 0, 0, PZ_MAP_RAM, 0 };
	bool wrapped = false;
	size_t n;

	if (a->value_len == sizeof("nopentium") - 1 && pzl_cl_value_starts(a, "nopentium")) {
		if (p->arch == PZL_ARCH_I386)
			c->nopentium = true;
		else
			a->problem = PZL_ARG_NOT_HERE;
		return;
	}
	c->user_map = true;
	op.base = pzl_memparse(a->value, a->value_len, &n, &wrapped);
	if (op.base == 0) {
		a->problem = PZL_ARG_ZERO;
		return;
	}
	pzl_cl_number_problem(a, n, wrapped);
	cl_op(c, op);
}

/* arm, mips, loongarch: size[@start], and the first use forgets what firmware told. */
static void cl_mem_range(struct cl_parser *p, struct pzl_cmdline *c, struct pzl_arg *a,
			 uint32_t index)
{
	struct pzl_mem_op op = { PZL_OP_RANGE, index, 0, 0, 1, PZ_MAP_RAM };
	bool wrapped = false;
	size_t n, m;

	c->user_map = true;
	op.size = pzl_memparse(a->value, a->value_len, &n, &wrapped);
	if (n < a->value_len && a->value[n] == '@') {
		op.from = 0;
		op.base = pzl_memparse(a->value + n + 1, a->value_len - n - 1, &m, &wrapped);
		if (m == 0)
			a->problem = PZL_ARG_NO_START;
		n += m + 1;
	} else if (p->arch == PZL_ARCH_LOONGARCH) {
		op.size = 0; /* refused after the firmware's memory is already forgotten */
		a->problem = PZL_ARG_REFUSED;
	}
	if (a->problem == PZL_ARG_OK)
		pzl_cl_number_problem(a, n, wrapped);
	cl_op(c, op);
}

void pzl_cl_parse_mem(struct cl_parser *p, struct pzl_cmdline *c, struct pzl_arg *a, uint32_t index)
{
	bool riscv = p->arch == PZL_ARCH_RISCV64 || p->arch == PZL_ARCH_RISCV32;
	uint64_t page = (uint64_t)1 << p->page_shift;
	bool wrapped = false;
	size_t n;
	uint64_t v;

	if (cl_is_x86(p->arch)) {
		cl_mem_x86(p, c, a, index);
		return;
	}
	switch (pzl_arch_info(p->arch)->mem) {
	case PZL_MEM_RANGES:
		cl_mem_range(p, c, a, index);
		return;
	case PZL_MEM_IGNORED:
		a->problem = PZL_ARG_NOT_HERE;
		return;
	default:
		break;
	}
	v = pzl_memparse(a->value, a->value_len, &n, &wrapped);
	if (p->arch == PZL_ARCH_POWERPC || p->arch == PZL_ARCH_POWERPC64)
		v = (v + page - 1) & ~(page - 1);
	else
		v &= ~(page - 1);
	if (v == 0) {
		a->problem = PZL_ARG_ZERO;
		c->mem_limited = false;
		p->mem_zero = true;
		return;
	}
	pzl_cl_number_problem(a, n, wrapped);
	/* riscv keeps the smallest, also when that is 0 and means none; the others the last. */
	if (riscv && p->mem_zero) {
		a->problem = PZL_ARG_OVERRIDDEN;
		return;
	}
	if (riscv && c->mem_limited && c->mem_limit < v)
		a->problem = PZL_ARG_OVERRIDDEN;
	else
		c->mem_limit = v;
	c->mem_limited = true;
}

/* nn%ss[-from][+to] after the '%'. Trailing text refuses the element. */
static enum pzl_arg_problem cl_memmap_percent(struct pzl_mem_op *op, const char *s, size_t len)
{
	size_t n, m;

	op->base = pzl_memparse(s, len, &n, NULL);
	if (n < len && s[n] == '-') {
		op->from = (uint32_t)pzl_strtoull(s + n + 1, len - n - 1, &m, NULL);
		n += m + 1;
	}
	if (n < len && s[n] == '+') {
		op->to = (uint32_t)pzl_strtoull(s + n + 1, len - n - 1, &m, NULL);
		n += m + 1;
	}
	if (n < len)
		return PZL_ARG_REFUSED;
	/* A change that changes nothing is a bug to the kernel, which it stops at. */
	if (op->from && op->from == op->to)
		return PZL_ARG_PANIC;
	if (op->from && op->to)
		op->kind = PZL_OP_UPDATE;
	else if (op->to)
		op->kind = PZL_OP_ADD;
	else
		op->kind = PZL_OP_REMOVE;
	return PZL_ARG_OK;
}

static uint32_t cl_sign_type(char sign)
{
	switch (sign) {
	case '@':
		return PZ_MAP_RAM;
	case '#':
		return PZ_MAP_ACPI;
	case '$':
		return PZ_MAP_RESERVED;
	case '!':
		return PZ_MAP_PRAM;
	default:
		return 0;
	}
}

/* One element of memmap= on x86. */
static enum pzl_arg_problem cl_memmap_x86(struct pzl_cmdline *c, const char *s, size_t len,
					  uint32_t index)
{
	struct pzl_mem_op op = { PZL_OP_CEILING, index, 0, 0, 0, 0 };
	enum pzl_arg_problem problem = PZL_ARG_OK;
	bool wrapped = false;
	size_t n, m = 0;

	if (len >= 8 && pzl_starts_n(s, len, "exactmap")) {
		op.kind = PZL_OP_EXACTMAP;
		c->user_map = true;
		cl_op(c, op);
		return PZL_ARG_OK;
	}
	op.size = pzl_memparse(s, len, &n, &wrapped);
	if (n == 0)
		return PZL_ARG_REFUSED;
	c->user_map = true;
	if (n < len && s[n] == '%') {
		problem = cl_memmap_percent(&op, s + n + 1, len - n - 1);
		c->panics |= problem == PZL_ARG_PANIC;
		if (problem != PZL_ARG_OK)
			return problem;
	} else if (n < len && cl_sign_type(s[n])) {
		op.kind = PZL_OP_ADD;
		op.to = cl_sign_type(s[n]);
		op.base = pzl_memparse(s + n + 1, len - n - 1, &m, &wrapped);
		if (m == 0)
			problem = PZL_ARG_NO_START;
		else if (n + 1 + m < len)
			problem = PZL_ARG_TRAILING;
	} else {
		op.base = op.size;
		op.size = 0;
		op.from = PZ_MAP_RAM;
		if (op.base == 0)
			problem = PZL_ARG_REMOVES_ALL;
		else if (n < len)
			problem = PZL_ARG_TRAILING;
	}
	if (problem == PZL_ARG_OK && wrapped)
		problem = PZL_ARG_OVERFLOW;
	cl_op(c, op);
	return problem;
}

/* memmap= on mips: one element, of two forms, without a list. */
static enum pzl_arg_problem cl_memmap_mips(struct pzl_cmdline *c, const char *s, size_t len,
					   uint32_t index)
{
	struct pzl_mem_op op = { PZL_OP_ADD, index, 0, 0, 0, PZ_MAP_RAM };
	size_t n, m;

	op.size = pzl_memparse(s, len, &n, NULL);
	if (n == 0 || n >= len || (s[n] != '@' && s[n] != '$'))
		return PZL_ARG_REFUSED;
	if (s[n] == '$')
		op.to = PZ_MAP_RESERVED;
	op.base = pzl_memparse(s + n + 1, len - n - 1, &m, NULL);
	cl_op(c, op);
	if (n + 1 + m < len)
		return PZL_ARG_TRAILING;
	return m == 0 ? PZL_ARG_NO_START : PZL_ARG_OK;
}

void pzl_cl_parse_memmap(struct cl_parser *p, struct pzl_cmdline *c, struct pzl_arg *a,
			 uint32_t index)
{
	uint32_t start = 0, i, refused = 0, elements = 0;

	if (p->arch == PZL_ARCH_MIPS || p->arch == PZL_ARCH_MIPS64) {
		a->problem = cl_memmap_mips(c, a->value, a->value_len, index);
		return;
	}
	if (!cl_is_x86(p->arch)) {
		a->problem = PZL_ARG_NOT_HERE;
		return;
	}
	for (i = 0; i <= a->value_len; i++) {
		enum pzl_arg_problem problem;

		if (i < a->value_len && a->value[i] != ',')
			continue;
		problem = cl_memmap_x86(c, a->value + start, i - start, index);
		elements++;
		if (problem == PZL_ARG_REFUSED)
			refused++;
		else if (a->problem == PZL_ARG_OK)
			a->problem = problem;
		start = i + 1;
	}
	if (refused)
		a->problem = refused == elements ? PZL_ARG_REFUSED : PZL_ARG_PARTIAL;
}
