/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main_hosted.c - run the contract suites as a process. An argument picks one suite by name.
 *
 * Memory is malloc with accounting: a suite that keeps some, or gives back a wrong size, fails.
 */
#include "suites_decl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hosted_heap {
	size_t live;
	size_t blocks;
	bool mismatch;
};

struct hosted_head {
	size_t size;
	size_t pad;
};

static void *hosted_alloc(void *ctx, size_t size)
{
	struct hosted_heap *h = ctx;
	struct hosted_head *b = malloc(sizeof(*b) + size);

	if (!b)
		return NULL;
	b->size = size;
	memset(b + 1, 0xa5, size);
	h->live += size;
	h->blocks++;
	return b + 1;
}

static void hosted_free(void *ctx, void *p, size_t size)
{
	struct hosted_heap *h = ctx;
	struct hosted_head *b = (struct hosted_head *)p - 1;

	if (b->size != size)
		h->mismatch = true;
	h->live -= b->size;
	h->blocks--;
	free(b);
}

static void hosted_write(void *ctx, const char *s, size_t n)
{
	fwrite(s, 1, n, ctx);
}

static const struct {
	const char *name;
	void (*fn)(struct tap *t);
} hosted_suites[] = {
#define SUITE(name) { #name, contract_##name },
#include "suites.h"
#undef SUITE
};

int main(int argc, char **argv)
{
	struct hosted_heap heap = { 0, 0, false };
	struct pz_meta meta = { hosted_alloc, hosted_free, &heap };
	struct tap t = { hosted_write, stdout, &meta, NULL, 0, 0 };
	size_t ran = 0;

	for (size_t i = 0; i < sizeof(hosted_suites) / sizeof(hosted_suites[0]); i++) {
		if (argc > 1 && strcmp(argv[1], hosted_suites[i].name))
			continue;
		heap.mismatch = false;
		tap_suite(&t, hosted_suites[i].name, hosted_suites[i].fn);
		t.suite = hosted_suites[i].name;
		CHECK_NAMED(&t, heap.live == 0 && heap.blocks == 0 && !heap.mismatch,
			    "all memory was given back with its size");
		ran++;
	}
	if (!ran) {
		fprintf(stderr, "no such suite: %s\n", argv[1]);
		return 2;
	}
	return tap_done(&t) ? 1 : 0;
}
