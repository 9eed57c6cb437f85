/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pfn_map.c - see pfn_map.h. Open addressing with linear probing; a removal moves what follows
 * back, so that no slot is lost.
 */
#include "pfn_map.h"

#include <stdlib.h>

#include "../vec.h"

static size_t pfn_map_home(const struct pfn_map *m, uint64_t key)
{
	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (m->cap - 1);
}

/* The slot of a key, or the free one where it would go. */
static size_t pfn_map_find(const struct pfn_map *m, uint64_t key)
{
	size_t i = pfn_map_home(m, key);

	while (m->slot[i].key && m->slot[i].key != key)
		i = (i + 1) & (m->cap - 1);
	return i;
}

static void pfn_map_grow(struct pfn_map *m)
{
	struct pfn_map old = *m;

	m->cap = old.cap ? old.cap * 2 : 1024;
	m->slot = xcalloc(m->cap, sizeof(*m->slot));
	for (size_t i = 0; i < old.cap; i++)
		if (old.slot[i].key)
			m->slot[pfn_map_find(m, old.slot[i].key)] = old.slot[i];
	free(old.slot);
}

void pfn_map_destroy(struct pfn_map *m)
{
	free(m->slot);
	*m = (struct pfn_map){ NULL, 0, 0 };
}

void pfn_map_set(struct pfn_map *m, uint64_t pfn, uint32_t value)
{
	size_t i;

	if (m->n >= m->cap / 2)
		pfn_map_grow(m);
	i = pfn_map_find(m, pfn + 1);
	m->n += !m->slot[i].key;
	m->slot[i].key = pfn + 1;
	m->slot[i].value = value;
}

bool pfn_map_get(const struct pfn_map *m, uint64_t pfn, uint32_t *value)
{
	size_t i;

	if (!m->cap)
		return false;
	i = pfn_map_find(m, pfn + 1);
	if (!m->slot[i].key)
		return false;
	*value = m->slot[i].value;
	return true;
}

void pfn_map_remove(struct pfn_map *m, uint64_t pfn)
{
	size_t i, k;

	if (!m->cap)
		return;
	i = pfn_map_find(m, pfn + 1);
	if (!m->slot[i].key)
		return;
	m->n--;
	for (k = (i + 1) & (m->cap - 1); m->slot[k].key; k = (k + 1) & (m->cap - 1)) {
		size_t home = pfn_map_home(m, m->slot[k].key);

		/* What could not be at home because of this slot goes into it. */
		if (((k - home) & (m->cap - 1)) < ((k - i) & (m->cap - 1)))
			continue;
		m->slot[i] = m->slot[k];
		i = k;
	}
	m->slot[i].key = 0;
}
