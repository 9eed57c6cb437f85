/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena.c - the metadata hook of a bare-metal port, see port.h.
 *
 * Shortcomings: an allocation looks at every block, so this serves tests and start-up, not a busy
 * system.
 */
#include "../port.h"

struct port_block {
	struct port_block *next; /* the block behind this one, NULL at the end */
	size_t room;		 /* bytes behind the head */
	size_t size;		 /* bytes asked for; meaningless when free */
	bool taken;
	_Alignas(16) unsigned char data[];
};

static void *arena_alloc(void *ctx, size_t size)
{
	struct port_arena *a = ctx;
	size_t need = (size + 15) & ~(size_t)15;

	if (need < size)
		return NULL;
	for (struct port_block *b = a->first; b; b = b->next) {
		if (b->taken || b->room < need)
			continue;
		if (b->room - need >= sizeof(*b) + 16) {
			struct port_block *rest = (struct port_block *)(b->data + need);

			rest->next = b->next;
			rest->room = b->room - need - sizeof(*b);
			rest->size = 0;
			rest->taken = false;
			b->next = rest;
			b->room = need;
		}
		b->taken = true;
		b->size = size;
		a->live += size;
		a->blocks++;
		return b->data;
	}
	return NULL;
}

static void arena_free(void *ctx, void *p, size_t size)
{
	struct port_arena *a = ctx;
	struct port_block *before = NULL;

	for (struct port_block *b = a->first; b; before = b, b = b->next) {
		if (b->data != p)
			continue;
		if (!b->taken || b->size != size)
			break;
		b->taken = false;
		a->live -= size;
		a->blocks--;
		if (b->next && !b->next->taken) {
			b->room += sizeof(*b) + b->next->room;
			b->next = b->next->next;
		}
		if (before && !before->taken) {
			before->room += sizeof(*b) + b->room;
			before->next = b->next;
		}
		return;
	}
	a->mismatches++;
}

void port_arena_init(struct port_arena *a, void *store, size_t size)
{
	struct port_block *b = store;

	b->next = NULL;
	b->room = size - sizeof(*b);
	b->size = 0;
	b->taken = false;
	*a = (struct port_arena){ { arena_alloc, arena_free, a }, b, 0, 0, 0 };
}
