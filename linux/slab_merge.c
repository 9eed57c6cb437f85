/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_merge.c - which slab caches there are after a kernel was asked for some.
 *
 * Concept: a request is rounded as if it were made; the oldest cache whose slots it fits, with less
 * than a word to spare, serves it. Caches that debug, construct, wait for RCU or have a window for
 * user copies are left alone.
 *
 * Invariants: 1. caches stand in the order in which they were made; 2. the slots of a cache that
 * serves a request hold it at the alignment that it asked for; 3. a cache that cannot be merged has
 * one name.
 *
 * Failure: a request that cannot be laid out changes nothing.
 *
 * Shortcomings: caches are not destroyed. KASAN, which keeps caches apart too, is not here. With
 * slub_debug=O directories may bear names where here they have ids.
 */
#include <physzone/fmt.h>
#include <physzone/linux/slab_merge.h>

#include "pzl_slab.h"
#include "pzl_text.h"

/* Flags that keep caches apart, and those that must be the same. */
#define MERGE_NEVER                                                                                \
	(PZL_SLAB_RED_ZONE | PZL_SLAB_POISON | PZL_SLAB_STORE_USER | PZL_SLAB_TRACE |              \
	 PZL_SLAB_TYPESAFE_BY_RCU | PZL_SLAB_NOLEAKTRACE | PZL_SLAB_FAILSLAB | PZL_SLAB_NO_MERGE | \
	 PZL_SLAB_CTOR)
#define MERGE_SAME \
	(PZL_SLAB_RECLAIM_ACCOUNT | PZL_SLAB_CACHE_DMA | PZL_SLAB_CACHE_DMA32 | PZL_SLAB_ACCOUNT)

/* Options of a cache, by both names. */
static const struct merge_option {
	uint32_t core, linux_flag;
} merge_options[] = {
	{ PZ_SLAB_DEBUG_CHECKS, PZL_SLAB_CONSISTENCY_CHECKS },
	{ PZ_SLAB_DEBUG_RED_ZONE, PZL_SLAB_RED_ZONE },
	{ PZ_SLAB_DEBUG_POISON, PZL_SLAB_POISON },
	{ PZ_SLAB_DEBUG_USERS, PZL_SLAB_STORE_USER },
	{ PZ_SLAB_DEBUG_TRACE, PZL_SLAB_TRACE },
	{ PZ_SLAB_DEBUG_FAULT, PZL_SLAB_FAILSLAB },
	{ PZ_SLAB_DEBUG_NO_USER_FLAGS, PZL_SLAB_NO_USER_FLAGS },
	{ PZ_SLAB_DEBUG_NO_LEAK_TRACE, PZL_SLAB_NOLEAKTRACE },
};
#define MERGE_OPTIONS (sizeof(merge_options) / sizeof(merge_options[0]))

uint32_t pzl_slab_options(uint32_t flags)
{
	uint32_t core = 0;

	for (size_t i = 0; i < MERGE_OPTIONS; i++)
		if (flags & merge_options[i].linux_flag)
			core |= merge_options[i].core;
	return core;
}

uint32_t pzl_slab_option_flags(uint32_t options)
{
	uint32_t flags = 0;

	for (size_t i = 0; i < MERGE_OPTIONS; i++)
		if (options & merge_options[i].core)
			flags |= merge_options[i].linux_flag;
	return flags;
}

uint32_t pzl_slab_debug_rules(enum pzl_model model)
{
	return PZ_SLAB_DEBUG_ENDS | (model < PZL_LINUX_6_1 ? PZ_SLAB_DEBUG_ALL_CACHES : 0);
}

uint32_t pzl_slab_debug_flags(const struct pz_slab_debug *d, const char *name, uint32_t flags)
{
	uint32_t core = pz_slab_debug_flags(d, name, pzl_strlen(name), pzl_slab_options(flags));

	return flags | pzl_slab_option_flags(core & PZ_SLAB_DEBUG_ALL);
}

void pzl_slab_set_init(struct pzl_slab_set *s, const struct pzl_slab_kernel *k,
		       const struct pz_slab_debug *debug, struct pzl_slab_made *v, uint32_t cap)
{
	s->k = *k;
	s->k.debug_keeps_order = debug->keep_order;
	s->debug = debug;
	s->nomerge = false;
	s->usercopy = true;
	s->v = v;
	s->n = 0;
	s->cap = cap;
}

static bool merge_apart(const struct pzl_slab_set *s, uint32_t flags)
{
	return s->nomerge || (flags & MERGE_NEVER) || (s->usercopy && (flags & PZL_SLAB_USERCOPY));
}

bool pzl_slab_mergeable(const struct pzl_slab_set *s, uint32_t index)
{
	const struct pzl_slab_made *m = &s->v[index];

	return !m->fixed && !merge_apart(s, m->flags);
}

static uint64_t merge_round_up(uint64_t v, uint64_t pow2)
{
	return (v + pow2 - 1) & ~(pow2 - 1);
}

/* The oldest cache that serves a request, or n. */
static uint32_t merge_find(const struct pzl_slab_set *s, const struct pzl_slab_request *r,
			   uint32_t flags)
{
	uint64_t size = merge_round_up(r->cache.object_size, s->k.word), align;
	uint32_t i;

	if (r->boot || merge_apart(s, flags))
		return s->n;
	align = pzl_slab_align(&s->k, flags, r->cache.align, (uint32_t)size);
	size = merge_round_up(size, align);
	for (i = 0; i < s->n; i++) {
		const struct pzl_slab_made *m = &s->v[i];

		if (pzl_slab_mergeable(s, i) && size <= m->g.size &&
		    (flags & MERGE_SAME) == (m->flags & MERGE_SAME) && !(m->g.size & (align - 1)) &&
		    m->g.size - size < s->k.word)
			break;
	}
	return i;
}

int pzl_slab_create(struct pzl_slab_set *s, const struct pzl_slab_request *r, uint32_t *index)
{
	struct pzl_slab_cache c = r->cache;
	struct pzl_slab_geometry g;
	struct pzl_slab_made *m;
	uint32_t i, inuse;
	int err;

	c.flags = pzl_slab_debug_flags(s->debug, r->name, c.flags);
	err = pzl_slab_geometry(&s->k, &c, &g);
	if (err)
		return err;
	i = merge_find(s, r, c.flags);
	if (i == s->cap)
		return -PZ_ENOSPC;
	m = &s->v[i];
	*index = i;
	if (i < s->n) {
		inuse = (uint32_t)merge_round_up(c.object_size, s->k.word);
		m->names++;
		if (m->object_size < c.object_size)
			m->object_size = c.object_size;
		if (m->g.inuse < inuse)
			m->g.inuse = inuse;
		return 1;
	}
	/* With slub_debug=O some of the options may have gone. */
	m->name = r->name;
	m->g = g;
	m->flags = (c.flags & ~PZL_SLAB_DEBUG) | (m->g.flags & PZL_SLAB_DEBUG);
	m->object_size = c.object_size;
	m->names = 1;
	m->fixed = r->fixed;
	s->n++;
	return 0;
}

size_t pzl_slab_directory(char *buf, size_t size, const struct pzl_slab_set *s, uint32_t index)
{
	static const struct merge_letter {
		uint32_t flag;
		char letter;
	} letters[] = {
		{ PZL_SLAB_CACHE_DMA, 'd' },	   { PZL_SLAB_CACHE_DMA32, 'D' },
		{ PZL_SLAB_RECLAIM_ACCOUNT, 'a' }, { PZL_SLAB_CONSISTENCY_CHECKS, 'F' },
		{ PZL_SLAB_ACCOUNT, 'A' },
	};
	const struct pzl_slab_made *m = &s->v[index];
	char id[8];
	size_t n = 0;

	if (!pzl_slab_mergeable(s, index))
		return pz_snprintf(buf, size, "%s", m->name);
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (m->flags & letters[i].flag)
			id[n++] = letters[i].letter;
	id[n] = 0;
	return pz_snprintf(buf, size, ":%s%s%07u", id, n ? "-" : "", (unsigned int)m->g.size);
}
