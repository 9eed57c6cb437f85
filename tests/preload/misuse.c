/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * misuse.c - a program that does one thing wrong with its memory, and then ends as if nothing were.
 *
 * usage: misuse NAME SIZE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Hidden from the compiler, which would warn, or leave out what is wrong. */
static char *misuse_hide(char *p)
{
	char *volatile v = p;

	return v;
}

static char *misuse_get(size_t size)
{
	char *p = malloc(size);

	if (!p)
		exit(3);
	memset(p, 'x', size);
	return misuse_hide(p);
}

int main(int argc, char **argv)
{
	const char *what = argc == 3 ? argv[1] : "";
	size_t size = argc == 3 ? strtoul(argv[2], NULL, 10) : 1;
	char *p = misuse_get(size), *q = misuse_get(size), on_stack[64];

	if (!strcmp(what, "nothing")) {
		free(p);
		p = NULL;
	} else if (!strcmp(what, "double-free")) {
		free(p);
		free(misuse_hide(p));
		p = NULL;
	} else if (!strcmp(what, "late-double-free")) {
		free(p);
		for (int i = 0; i < 20000; i++) {
			p = misuse_get(size);
			free(q);
			q = p;
		}
		p = misuse_get(size);
		free(p);
		free(misuse_hide(p));
		p = NULL;
	} else if (!strcmp(what, "inside")) {
		free(misuse_hide(p + 16));
	} else if (!strcmp(what, "stack")) {
		memset(on_stack, 0, sizeof(on_stack));
		free(misuse_hide(on_stack));
	} else if (!strcmp(what, "overflow")) {
		p[size] = 'y';
		free(p);
		p = NULL;
	} else if (!strcmp(what, "underflow")) {
		p[-1] = 'y';
		free(p);
		p = NULL;
	} else if (!strcmp(what, "overflow-kept")) {
		p[size] = 'y';
	} else if (!strcmp(what, "after-free")) {
		free(p);
		misuse_hide(p)[size / 3] = 'y';
		p = NULL;
	} else if (!strcmp(what, "after-free-first")) {
		free(p);
		misuse_hide(p)[0] = 'y';
		p = misuse_get(size); /* would be the same again */
	} else if (!strcmp(what, "realloc-freed")) {
		free(p);
		p = realloc(misuse_hide(p), size * 4);
	} else {
		fprintf(stderr, "usage: misuse NAME SIZE\n");
		return 2;
	}
	free(q);
	puts(p ? "kept" : "freed");
	return 0;
}
