/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hook.h - a metadata hook that counts what it gave, and fails at a chosen call.
 */
#ifndef TESTS_PROPERTY_HOOK_H
#define TESTS_PROPERTY_HOOK_H

#include <physzone/types.h>

#include <stdlib.h>
#include <string.h>

struct hook {
	struct pz_meta meta;
	size_t live; /* bytes given and not taken back */
	unsigned int calls;
	unsigned int fail_at; /* the call that fails, 1 for the first; 0 for none */
	bool fail_on; /* and every call after it */
	bool bad_free; /* something came back with another size */
};

static inline void *hook_alloc(void *ctx, size_t size)
{
	struct hook *h = (struct hook *)ctx;
	size_t *head;

	if (++h->calls == h->fail_at || (h->fail_on && h->fail_at && h->calls > h->fail_at))
		return NULL;
	head = (size_t *)malloc(16 + size);
	if (!head)
		abort();
	*head = size;
	h->live += size;
	memset((char *)head + 16, 0x5a, size);
	return (char *)head + 16;
}

static inline void hook_free(void *ctx, void *p, size_t size)
{
	struct hook *h = (struct hook *)ctx;
	size_t *head = (size_t *)(void *)((char *)p - 16);

	if (*head != size)
		h->bad_free = true;
	h->live -= *head;
	free(head);
}

static inline void hook_init(struct hook *h)
{
	memset(h, 0, sizeof(*h));
	h->meta.alloc = hook_alloc;
	h->meta.free = hook_free;
	h->meta.ctx = h;
}

#endif
