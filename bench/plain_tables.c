/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain_tables.c - a first level, second levels from a cache, and stores.
 */
#include <stdlib.h>
#include <string.h>

#include "plain_tables.h"

#define FIRST_WORDS 4096u
#define SECOND_WORDS 256u
#define SECOND_BYTES 1024u
#define MEG ((uint64_t)1 << 20)
#define PAGE ((uint64_t)1 << 12)
#define TYPE 3u
#define TYPE_TABLE 1u
#define TYPE_SECTION 2u
#define TYPE_PAGE 2u

bool plain_open(struct plain_tables *t, struct slab_machine *m, struct pz_kmem_cache *cache)
{
	memset(t, 0, sizeof(*t));
	t->cache = cache;
	t->arena = m->arena;
	t->first = aligned_alloc(FIRST_WORDS * 4, FIRST_WORDS * 4);
	if (t->first)
		memset(t->first, 0, FIRST_WORDS * 4);
	return t->first != NULL;
}

static uint32_t *plain_second(const struct plain_tables *t, uint32_t word)
{
	return (uint32_t *)(void *)(t->arena + (word & ~(SECOND_BYTES - 1)));
}

static void plain_drop(struct plain_tables *t, uint32_t cpu, uint32_t *word)
{
	uint32_t *second = plain_second(t, *word);

	*word = 0;
	pz_kmem_cache_free(t->cache, cpu, second);
}

void plain_close(struct plain_tables *t, uint32_t cpu)
{
	for (unsigned int i = 0; i < FIRST_WORDS; i++)
		if ((t->first[i] & TYPE) == TYPE_TABLE)
			plain_drop(t, cpu, &t->first[i]);
	free(t->first);
}

/* The second level that @word leads to, made where there is none. */
static uint32_t *plain_make(struct plain_tables *t, uint32_t cpu, uint32_t *word)
{
	unsigned char *second;

	if (*word)
		return plain_second(t, *word);
	second = pz_kmem_cache_alloc(t->cache, cpu, 0);
	if (!second)
		return NULL;
	memset(second, 0, SECOND_BYTES);
	*word = (uint32_t)(second - t->arena) | TYPE_TABLE;
	return (uint32_t *)(void *)second;
}

static uint64_t plain_part(uint64_t iova, uint64_t size)
{
	uint64_t room = MEG - (iova & (MEG - 1));

	return size < room ? size : room;
}

bool plain_map(struct plain_tables *t, uint32_t cpu, uint64_t iova, uint64_t phys, uint64_t size,
	       uint32_t bits, bool sections)
{
	while (size) {
		uint32_t *word = &t->first[iova >> 20];
		uint64_t part = plain_part(iova, size);

		if (sections && part == MEG && !(phys & (MEG - 1))) {
			*word = (uint32_t)phys | bits | TYPE_SECTION;
		} else {
			uint32_t *to = plain_make(t, cpu, word), n = (uint32_t)(part >> 12);
			uint32_t entry = (uint32_t)phys | bits | TYPE_PAGE;

			if (!to)
				return false;
			to += iova >> 12 & (SECOND_WORDS - 1);
			for (uint32_t i = 0; i < n; i++)
				to[i] = entry + i * (uint32_t)PAGE;
		}
		iova += part;
		phys += part;
		size -= part;
	}
	return true;
}

void plain_unmap(struct plain_tables *t, uint32_t cpu, uint64_t iova, uint64_t size)
{
	while (size) {
		uint32_t *word = &t->first[iova >> 20];
		uint64_t part = plain_part(iova, size);

		if ((*word & TYPE) != TYPE_TABLE)
			*word = 0;
		else if (part == MEG && t->give_back)
			plain_drop(t, cpu, word);
		else
			memset(plain_second(t, *word) + (iova >> 12 & (SECOND_WORDS - 1)), 0,
			       part >> 12 << 2);
		iova += part;
		size -= part;
	}
}

bool plain_lookup(const struct plain_tables *t, uint64_t iova, uint64_t *phys)
{
	uint32_t word = t->first[iova >> 20];
	uint64_t low = MEG - 1;

	if ((word & TYPE) == TYPE_TABLE) {
		word = plain_second(t, word)[iova >> 12 & (SECOND_WORDS - 1)];
		low = PAGE - 1;
	}
	if (!(word & TYPE))
		return false;
	*phys = (word & ~low) | (iova & low);
	return true;
}

uint64_t plain_bytes(const struct plain_tables *t)
{
	uint64_t bytes = FIRST_WORDS * 4;

	for (unsigned int i = 0; i < FIRST_WORDS; i++)
		bytes += (t->first[i] & TYPE) == TYPE_TABLE ? SECOND_BYTES : 0;
	return bytes;
}
