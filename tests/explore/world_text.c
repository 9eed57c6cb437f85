/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world_text.c - the texts of world.h, read. What is no step ends the program.
 */
#include "world_op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void world_bad(const char *text, const char *at)
{
	fprintf(stderr, "world: no step at \"%s\" in \"%s\"\n", at, text);
	exit(2);
}

static uint64_t world_number(const char *text, const char **s)
{
	char *end;
	uint64_t n = strtoull(*s, &end, 10);

	if (end == *s)
		world_bad(text, *s);
	*s = end;
	return n;
}

static void world_range(const char *text, const char **s, struct world_op *op)
{
	op->first = world_number(text, s);
	if (*(*s)++ != '-')
		world_bad(text, *s - 1);
	op->last = world_number(text, s);
}

static const char *world_parse_alloc(const char *text, const char *s, uint64_t frames,
				     struct world_op *op)
{
	op->kind = WORLD_ALLOC;
	op->shape = *s == '#' ? WORLD_EXACT : *s == '*' ? WORLD_SINGLES : WORLD_ORDER;
	s += op->shape != WORLD_ORDER;
	op->n = world_number(text, &s);
	op->last = frames - 1;
	for (; *s && *s != ' '; ) {
		char c = *s++;

		op->limited |= c == '<' || c == '>';
		if (c == '<')
			op->last = world_number(text, &s);
		else if (c == '>')
			op->first = world_number(text, &s);
		else if (c == 'm')
			op->movable = true;
		else if (c == 'b')
			op->block = true;
		else if (c == 'h')
			op->high = true;
		else
			world_bad(text, s - 1);
	}
	return s;
}

unsigned int world_parse(const char *text, uint64_t frames, struct world_op *ops)
{
	unsigned int n = 0;
	const char *s = text;

	while (s && *s) {
		struct world_op *op = &ops[n];

		if (n == WORLD_OPS)
			world_bad(text, s);
		memset(op, 0, sizeof(*op));
		if (*s >= 'a' && *s <= 'z') {
			op->slot = (unsigned int)(*s - 'a');
			s += 2;
			if (s[-1] == '=') {
				s = world_parse_alloc(text, s, frames, op);
			} else if (s[-1] == '/') {
				op->kind = WORLD_PART;
				op->n = world_number(text, &s);
				if (*s++ != '+')
					world_bad(text, s - 1);
				op->last = world_number(text, &s);
			} else if (s[-1] == '@') {
				op->kind = WORLD_EVACUATE;
				world_range(text, &s, op);
			} else {
				world_bad(text, s - 2);
			}
		} else if (*s == '-' || *s == '!' || *s == '%') {
			op->kind = *s == '-' ? WORLD_FREE : *s == '!' ? WORLD_AGAIN : WORLD_SPLIT;
			op->slot = (unsigned int)(s[1] - 'a');
			if (op->slot >= 26)
				world_bad(text, s);
			s += 2;
		} else if (*s == '+') {
			s++;
			op->kind = WORLD_ADD;
			world_range(text, &s, op);
		} else if (*s == '~') {
			s++;
			op->kind = WORLD_DRAIN;
			op->n = *s >= '0' && *s <= '9' ? world_number(text, &s) : PZ_CPU_NONE;
		} else {
			world_bad(text, s);
		}
		n++;
		if (*s && *s++ != ' ')
			world_bad(text, s - 1);
	}
	return n;
}
