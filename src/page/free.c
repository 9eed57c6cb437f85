/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * free.c - giving blocks back: whole, in part, split; and what may be wrong with that.
 *
 * Concept
 *  A block within one word is checked and freed by one exchange of it: its first unit is a head,
 *  the others are tails, and no tail follows. A run over several words is checked first and then
 *  freed piece by piece, each piece being made a block of its own before the one in front of it
 *  goes. Who comes second to free the same run finds a head where a tail should be.
 *
 * Misuse
 *  Whatever does not match is told to pz_bug() with what is known of the page, and nothing changes.
 *  A page that was freed and given to somebody else in between cannot be told from theirs; their
 *  own free is then the one that is reported.
 */
#include "page_internal.h"
#include "page_put.h"

/* Misuse by two CPUs at once is counted for both; the text of one may be lost. */
static void free_bug(struct pz_pages *p, const char *where, const char *what, uint64_t pfn,
		     uint64_t pages, const struct pz_page_info *info)
{
	struct pz_bugs *b = p->cfg.bugs;

	if (!b)
		return;
	if (!pz_cas32(&p->bug_lock, 0, 1)) {
		pz_count64(&b->count, 1);
		return;
	}
	if (p->sites)
		pz_bug(b, where, "page %#llx, %llu pages: %s; allocated at %#llx, freed at %#llx",
		       (unsigned long long)pfn, (unsigned long long)pages, what,
		       (unsigned long long)info->alloc_site, (unsigned long long)info->free_site);
	else if (info->state == PZ_PAGE_HEAD || info->state == PZ_PAGE_TAIL)
		pz_bug(b, where, "page %#llx, %llu pages: %s (the block has %llu pages from %#llx)",
		       (unsigned long long)pfn, (unsigned long long)pages, what,
		       (unsigned long long)info->pages, (unsigned long long)info->head);
	else
		pz_bug(b, where, "page %#llx, %llu pages: %s", (unsigned long long)pfn,
		       (unsigned long long)pages, what);
	pz_store32(&p->bug_lock, 0);
}

void pz_page_misuse(struct pz_pages *p, const char *where, uint64_t pfn, uint64_t pages)
{
	struct pz_page_info info;
	const char *what = "it was freed by somebody else meanwhile";

	pz_page_info(p, pfn, &info);
	switch (info.state) {
	case PZ_PAGE_NONE:
		what = "it is no page of the allocator";
		break;
	case PZ_PAGE_FREE:
	case PZ_PAGE_HELD:
		what = "it is free already";
		break;
	case PZ_PAGE_TAIL:
		what = "it is not the first page of its block";
		break;
	case PZ_PAGE_HEAD:
		if (info.pages != pages)
			what = "that is not the length of its block";
		break;
	}
	free_bug(p, where, what, pfn, pages, &info);
}

/* Whether a frame continues the block before it. */
bool pz_page_is_tail(const struct pz_pages *p, uint64_t index)
{
	unsigned int level;
	enum word_state s;

	if (index >= p->frames)
		return false;
	s = pz_page_probe(p, index, &level);
	return s == WORD_TAIL ||
	       (s == WORD_HEAD && (index & (((uint64_t)1 << (WORD_SHIFT * level)) - 1)));
}

/* Units of a word that hold frames which are not managed, so that their state needs a second look.
 */
static uint32_t free_reserved(const struct pz_pages *p, unsigned int level, uint64_t i, uint32_t m)
{
	if (!level)
		return pz_load32(&page_node(p, i >> WORD_SHIFT)->reserved) >> (i & 31) & 1;
	return m & (level == 1 ? pz_load32(&page_node(p, i)->reserved)
			       : pz_load32(&page_upper(p, level, i)->reserved));
}

/*
 * Free @n units of a word that are one block. False when they are no such block; nothing happens
 * then.
 */
static bool free_units(struct pz_pages *p, unsigned int level, uint64_t i, unsigned int unit,
		       unsigned int n)
{
	uint64_t *word = page_word(p, level, i), v;
	uint32_t m = word_mask(unit, n), first = (uint32_t)1 << unit, f;
	uint64_t index = (i << WORD_SHIFT | unit) << (WORD_SHIFT * level);
	uint64_t end = index + ((uint64_t)n << (WORD_SHIFT * level));

	if (free_reserved(p, level, i, m) && !pz_page_managed(p, index, end - 1))
		return false;
	do {
		v = pz_load64(word);
		if ((word_taken(v) & m) != m || (word_head(v) & m) != first)
			return false;
		if (unit + n < WORD_UNITS && word_state(v, unit + n) != WORD_SPLIT
			    ? word_state(v, unit + n) == WORD_TAIL
			    : pz_page_is_tail(p, end))
			return false;
	} while (!pz_cas64(word, v, v & ~((uint64_t)m << 32 | m)));
	page_bound_freed(p, level, i, m);
	f = word_free(v) | m;
	if (level)
		f |= pz_page_loose(p, level, i);
	/* A run that is no aligned block consists of several, each of which may be searched for. */
	for (unsigned int u = unit; u < unit + n;) {
		unsigned int r = word_run_around(f, u);

		pz_page_freed(p, level, i, u, f);
		/* Each pageblock by itself, for its mobility. */
		if (WORD_SHIFT * level + r > p->pageblock_order)
			r = p->pageblock_order > WORD_SHIFT * level
				    ? p->pageblock_order - WORD_SHIFT * level
				    : 0;
		u = (u | ((1u << r) - 1)) + 1;
	}
	return true;
}

/* Frames of the block that begins at an index; 0 when none does. */
uint64_t pz_page_block_length(const struct pz_pages *p, uint64_t index)
{
	unsigned int level;
	uint64_t at = index;

	if (pz_page_probe(p, index, &level) != WORD_HEAD)
		return 0;
	while (!(at & (((uint64_t)1 << (WORD_SHIFT * level)) - 1))) {
		uint64_t w = pz_load64(page_word(p, level, at >> (WORD_SHIFT * (level + 1))));
		unsigned int unit = (unsigned int)(at >> (WORD_SHIFT * level)) & 31;
		uint64_t tails = word_taken(w) & ~word_head(w);

		/* This unit and the tails that follow it in its word. */
		at += (uint64_t)(1 + pz_ctz64(~tails >> (unit + 1))) << (WORD_SHIFT * level);
		if (at >= p->frames || pz_page_probe(p, at, &level) != WORD_TAIL)
			break;
	}
	return at - index;
}

/*
 * Turn a taken unit into a split one, down to where @index begins a unit of its own, which becomes
 * a head. With @each every part of the unit becomes a block, and @index does not matter. The words
 * below are filled in first, so that the unit changes for everybody at once.
 */
static bool free_push(struct pz_pages *p, unsigned int level, uint64_t index, bool each)
{
	uint64_t unit = index >> (WORD_SHIFT * level);
	uint64_t *w = page_word(p, level, unit >> WORD_SHIFT), v = pz_load64(w);
	uint32_t bit = (uint32_t)1 << (unit & 31), head = word_head(v) & bit ? 1 : 0;

	if (!(word_taken(v) & bit))
		return false;
	for (unsigned int l = level; l; l--) {
		uint64_t below = index >> (WORD_SHIFT * (l - 1));
		uint32_t cut = (uint32_t)1 << (below & 31);
		uint64_t up = index >> (WORD_SHIFT * l);
		uint32_t self = (uint32_t)1 << (up & 31);
		bool last = !(index & (((uint64_t)1 << (WORD_SHIFT * (l - 1))) - 1));

		pz_store64(page_word(p, l - 1, below >> WORD_SHIFT),
			   each	  ? word_make(~(uint32_t)0, ~(uint32_t)0)
			   : last ? word_make(~(uint32_t)0, head | cut)
				  : word_make(~cut, head | cut));
		/* Nothing of it is free yet: what is freed in it later is news. */
		pz_page_bound_open(p, l, up, false);
		if (l == 1) {
			for (unsigned int j = 0; j < WORD_SHIFT; j++)
				pz_or32(&page_node(p, up >> WORD_SHIFT)->none[j], self);
			pz_and32(&page_node(p, up >> WORD_SHIFT)->empty, ~self);
		} else {
			pz_and32(&page_upper(p, l, up >> WORD_SHIFT)->empty, ~self);
		}
		if (each || last)
			break;
		/* The part that has the index is split in turn; it is a head if it comes first. */
		if (cut != 1)
			head = 0;
	}
	while (!pz_cas64(w, v, (v & ~(uint64_t)bit) | (uint64_t)bit << 32)) {
		v = pz_load64(w);
		if (!(word_taken(v) & bit))
			return false;
	}
	pz_page_hint_reset(p, index);
	return true;
}

/* Let a block begin at an index that is a tail of one. False when it is not. */
bool pz_page_cut(struct pz_pages *p, uint64_t index)
{
	for (;;) {
		unsigned int level;
		enum word_state s = pz_page_probe(p, index, &level);
		uint64_t unit = index >> (WORD_SHIFT * level);
		uint64_t *w = page_word(p, level, unit >> WORD_SHIFT), v;

		if (index & (((uint64_t)1 << (WORD_SHIFT * level)) - 1)) {
			if (s != WORD_TAIL && s != WORD_HEAD)
				return false;
			return free_push(p, level, index, false);
		}
		v = pz_load64(w);
		if (word_state(v, unit & 31) != WORD_TAIL)
			return false;
		if (pz_cas64(w, v, v | (uint64_t)1 << (32 + (unit & 31))))
			return true;
	}
}

/* Free the block of @n frames that begins at an index. False, and no change, when it is no such
 * block. */
bool pz_page_free_block(struct pz_pages *p, uint64_t index, uint64_t n)
{
	if (pz_page_block_length(p, index) != n)
		return false;
	while (n) {
		unsigned int level, unit, units;
		uint64_t size, i, left;

		(void)pz_page_probe(p, index, &level);
		size = (uint64_t)1 << (WORD_SHIFT * level);
		unit = (unsigned int)(index >> (WORD_SHIFT * level)) & 31;
		i = index >> (WORD_SHIFT * (level + 1));
		units = 1;
		/* Units of the same word and level that belong to the block. */
		while (unit + units < WORD_UNITS && (uint64_t)(units + 1) * size <= n &&
		       word_state(pz_load64(page_word(p, level, i)), unit + units) == WORD_TAIL)
			units++;
		left = n - units * size;
		if (left && !pz_page_cut(p, index + units * size))
			return false;
		if (!free_units(p, level, i, unit, units))
			return false;
		index += units * size;
		n = left;
	}
	return true;
}

static void free_note_site(struct pz_pages *p, uint64_t index, unsigned int which)
{
	if (p->sites)
		p->sites[index * 2 + which] =
			p->cfg.hooks.site ? p->cfg.hooks.site(p->cfg.hooks.ctx) : 0;
}

void pz_page_note_alloc(struct pz_pages *p, uint64_t index)
{
	free_note_site(p, index, 0);
}

/*
 * Remember where a block was freed, for whoever allocates next on this CPU. Whether it was: then a
 * single frame need not be announced.
 */
static inline bool free_hint(struct pz_pages *p, struct page_cpu *c, uint64_t index,
			     unsigned int order)
{
	unsigned int type = page_type(p, index);

	if (type == PZ_CMA)
		type = PZ_MOVABLE;
	if (type >= PAGE_TYPES || index < c->home_lo || index > c->home_hi)
		return false;
	page_slot_push(p, c, type, index, order);
	return true;
}

/* What follows every free: the counts, and the CPU's hints. */
static void free_after(struct pz_pages *p, uint32_t cpu, uint64_t index, uint64_t n,
		       unsigned int order)
{
	struct page_cpu *c = cpu < p->cpus ? &p->cpu[cpu] : NULL;

	if (c && pz_peek32(&c->busy))
		c = NULL;
	if (!c) {
		pz_page_account(p, PZ_CPU_NONE, index, index + n - 1, 1);
		return;
	}
	page_enter(c);
	if (order <= PZ_PAGE_MAX_ORDER) {
		page_account_fast(p, c, index, order, 1);
		(void)free_hint(p, c, index, order);
	} else {
		pz_page_account(p, cpu, index, index + n - 1, 1);
	}
	page_leave(c);
}

/* Debugging wants the pages before anybody else can have them. */
static void free_before(struct pz_pages *p, uint64_t pfn, uint64_t index, uint64_t n)
{
	free_note_site(p, index, 1);
	if ((p->cfg.debug & PZ_PAGE_DEBUG_POISON) && p->cfg.hooks.fill)
		p->cfg.hooks.fill(p->cfg.hooks.ctx, pfn, n, PAGE_POISON);
	if ((p->cfg.debug & PZ_PAGE_DEBUG_GUARD) && p->cfg.hooks.map)
		p->cfg.hooks.map(p->cfg.hooks.ctx, pfn, n, false);
}

bool pz_page_put_run(struct pz_pages *p, uint32_t cpu, uint64_t pfn, uint64_t pages)
{
	uint64_t index = page_index(p, pfn), n = pages;

	if (index == PAGE_NONE || !pages ||
	    pz_page_block_length(p, index) != pages + page_guard(p, pages)) {
		pz_page_misuse(p, "pz_free_exact", pfn, pages);
		return false;
	}
	n += page_guard(p, pages);
	if (p->cfg.debug)
		free_before(p, pfn, index, n);
	if (p->hold && pages == 1 && n == 1 && pz_page_hold_put(p, cpu, index))
		return true;
	if (!pz_page_free_block(p, index, n)) {
		pz_page_misuse(p, "pz_free_exact", pfn, pages);
		return false;
	}
	free_after(p, cpu, index, n, n == 1 ? 0 : UINT32_MAX);
	return true;
}

void pz_free_exact(struct pz_pages *p, uint32_t cpu, uint64_t pfn, uint64_t pages)
{
	(void)pz_page_put_run(p, cpu, pfn, pages);
}

/* Whether the frame behind an open level-0 word is a tail; mostly its own node can tell. */
static inline bool free_tail_after(const struct pz_pages *p, uint64_t i)
{
	unsigned int next = (unsigned int)(i + 1) & 31;
	enum word_state s;
	uint64_t w;

	if (!next)
		return pz_page_is_tail(p, (i + 1) << WORD_SHIFT);
	s = word_state(pz_load64(&p->nodes[i >> WORD_SHIFT].w), next);
	if (s != WORD_SPLIT)
		return s == WORD_TAIL;
	w = pz_load64(&p->words[i + 1]);
	return w != WORD_CLOSED && word_state(w, 0) == WORD_TAIL;
}

/*
 * The short way of a block within a level-0 word: everything that it reads and writes is the word,
 * the node that has the word's hints, and the CPU's own. False when something is not as usual;
 * nothing has happened then.
 */
static inline bool free_short(struct pz_pages *p, struct page_cpu *c, uint64_t index,
			      unsigned int order)
{
	uint64_t i = index >> WORD_SHIFT, *word = page_word(p, 0, i), v = pz_load64(word);
	struct page_node *n = page_node(p, i >> WORD_SHIFT);
	unsigned int unit = (unsigned int)index & 31;
	uint32_t m = word_mask(unit, 1u << order);

	/* A head, then tails, and no tail behind them; at the end of the word that is elsewhere. */
	if ((word_taken(v) & m) != m || (word_head(v) & m) != (uint32_t)1 << unit)
		return false;
	if ((uint64_t)(word_taken(v) & ~word_head(v)) >> unit >> (1u << order) & 1)
		return false;
	if (unit + (1u << order) == WORD_UNITS && free_tail_after(p, i))
		return false;
	if (pz_load32(&n->reserved) >> (i & 31) & 1)
		return false;
	if (!pz_cas64(word, v, v & ~((uint64_t)m << 32 | m)))
		return false;
	page_account_fast(p, c, index, order, 1);
	if (!free_hint(p, c, index, order) || order)
		(void)page_announce(p, i, unit, order, word_free(v) | m);
	return true;
}

/*
 * The quick way of a single page: as free_short(), for the slot that the CPU used last.
 * False when something is not as usual; nothing has happened then.
 */
static inline bool free_again(struct pz_pages *p, struct page_cpu *c, uint64_t index)
{
	uint64_t i = index >> WORD_SHIFT, *word, v, bits = 0x100000001ull << (index & 31);
	uint32_t bit = (uint32_t)1 << (i & 31);
	struct page_quick *q = &c->quick;
	const struct page_node *n;

	if (q->serial != p->serial || index - q->lo > q->span)
		return false;
	n = &p->nodes[i >> WORD_SHIFT];
	if (((pz_peek32(&n->type[0]) ^ q->flip[0]) | (pz_peek32(&n->type[1]) ^ q->flip[1]) |
	     (pz_peek32(&n->type[2]) ^ q->flip[2]) | pz_load32(&n->reserved)) &
	    bit)
		return false;
	word = &p->words[i];
	v = pz_load64(word);
	if ((v & bits) != bits || ((index & 31) == 31 ? free_tail_after(p, i)
						      : (v >> (index & 31) & 0x200000002ull) == 2))
		return false;
	if (!pz_cas64(word, v, v & ~bits)) {
		c->crowd++;
		return false;
	}
	page_tally(p, q->tally, 1);
	page_stack_push(p, c, q->class, q->type, 0, index);
	return true;
}

bool pz_page_put_block(struct pz_pages *p, uint32_t cpu, uint64_t pfn, unsigned int order)
{
	unsigned int level = page_level_of(order), unit;
	uint64_t index = page_index(p, pfn), i;

	if (!order && cpu < p->cpus && !pz_peek32(&p->cpu[cpu].busy)) {
		struct page_cpu *c = &p->cpu[cpu];
		bool done;

		page_enter(c);
		done = free_again(p, c, index);
		page_leave(c);
		if (done)
			return true;
	}
	if (p->slow) {
		if (order <= PZ_PAGE_MAX_ORDER)
			return pz_page_put_run(p, cpu, pfn, (uint64_t)1 << order);
		pz_page_misuse(p, "pz_free_pages", pfn, (uint64_t)1 << (order & 63));
		return false;
	}
	if (index == PAGE_NONE || order > PZ_PAGE_MAX_ORDER || level >= p->level_count ||
	    (index & (((uint64_t)1 << order) - 1)))
		goto odd;
	if (!level && cpu < p->cpus) {
		struct page_cpu *c = &p->cpu[cpu];

		if (!pz_peek32(&c->busy)) {
			bool done;

			page_enter(c);
			done = free_short(p, c, index, order);
			page_leave(c);
			if (done)
				return true;
		}
	}
	unit = (unsigned int)(index >> (WORD_SHIFT * level)) & 31;
	i = index >> (WORD_SHIFT * (level + 1));
	if (!free_units(p, level, i, unit, 1u << (order - WORD_SHIFT * level)))
		goto odd;
	free_after(p, cpu, index, (uint64_t)1 << order, order);
	return true;
odd:
	/* A block of that length may consist of pieces. */
	return pz_page_put_run(p, cpu, pfn, order < 64 ? (uint64_t)1 << order : 0);
}

void pz_free_pages(struct pz_pages *p, uint32_t cpu, uint64_t pfn, unsigned int order)
{
	(void)pz_page_put_block(p, cpu, pfn, order);
}

void pz_free_bulk(struct pz_pages *p, uint32_t cpu, uint32_t n, const uint64_t *pfns)
{
	for (uint32_t i = 0; i < n; i++)
		pz_free_pages(p, cpu, pfns[i], 0);
}

/* Whether [index, index + n) are tails of one block, but for the first, which may be its head. */
static bool free_is_part(const struct pz_pages *p, uint64_t index, uint64_t n)
{
	uint64_t at = index;

	if (index >= p->frames || n > p->frames - index)
		return false;
	while (at < index + n) {
		unsigned int level;
		enum word_state s = pz_page_probe(p, at, &level);
		uint64_t size = (uint64_t)1 << (WORD_SHIFT * level), in = at & (size - 1);

		if (s != WORD_TAIL && !(s == WORD_HEAD && at == index))
			return false;
		if (s == WORD_HEAD && !pz_page_managed(p, at, at))
			return false;
		at += size - in;
	}
	return true;
}

int pz_free_part(struct pz_pages *p, uint32_t cpu, uint64_t pfn, uint64_t pages)
{
	uint64_t index = page_index(p, pfn);

	if (index == PAGE_NONE || !pages || !free_is_part(p, index, pages)) {
		pz_page_misuse(p, __func__, pfn, pages);
		return -PZ_EINVAL;
	}
	if (pz_page_is_tail(p, index + pages)) {
		uint64_t head = pz_page_head_of(p, index);

		/* What stays behind is the same owner's, allocated at the same place. */
		if (p->owner)
			pz_poke8(&p->owner[index + pages], pz_peek8(&p->owner[head]));
		if (p->sites)
			p->sites[(index + pages) * 2] = p->sites[head * 2];
		(void)pz_page_cut(p, index + pages);
	}
	if (pz_page_is_tail(p, index))
		(void)pz_page_cut(p, index);
	if (p->cfg.debug)
		free_before(p, pfn, index, pages);
	if (!pz_page_free_block(p, index, pages)) {
		pz_page_misuse(p, __func__, pfn, pages);
		return -PZ_EINVAL;
	}
	free_after(p, cpu, index, pages, UINT32_MAX);
	return 0;
}

int pz_split_pages(struct pz_pages *p, uint64_t pfn, unsigned int order)
{
	uint64_t index = page_index(p, pfn), n, at;

	n = order < 63 ? (uint64_t)1 << order : 0;
	if (!order && index != PAGE_NONE &&
	    pz_page_block_length(p, index) == 1 + page_guard(p, 1) &&
	    pz_page_managed(p, index, index))
		return 0;
	if (index == PAGE_NONE || !n || pz_page_block_length(p, index) != n ||
	    !pz_page_managed(p, index, index)) {
		pz_page_misuse(p, __func__, pfn, n);
		return -PZ_EINVAL;
	}
	for (at = index; at < index + n;) {
		unsigned int level, unit = (unsigned int)at & 31, units = WORD_UNITS - unit;
		uint64_t *w = page_word(p, 0, at >> WORD_SHIFT), v;

		(void)pz_page_probe(p, at, &level);
		if (level) {
			free_push(p, level, at, true);
			continue;
		}
		if (units > index + n - at)
			units = (unsigned int)(index + n - at);
		for (unsigned int i = 0; p->owner && i < units; i++)
			pz_poke8(&p->owner[at + i], pz_peek8(&p->owner[index]));
		for (unsigned int i = 0; p->sites && i < units; i++)
			p->sites[(at + i) * 2] = p->sites[index * 2];
		do {
			v = pz_load64(w);
		} while (!pz_cas64(w, v, v | (uint64_t)word_mask(unit, units) << 32));
		at += units;
	}
	return 0;
}
