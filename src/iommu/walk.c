/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk.c - a reader of ARMv7 short-descriptor tables, see v7s_walk.h.
 *
 * Concept
 *  What the table walk of ARM DDI 0406C does, a step at a time: a word of the first level, by its
 *  type a section, a supersection or a second level, and there a word again. Permissions are those
 *  of the simplified model (SCTLR.AFE = 1): AP[0] is the access flag, AP[1] lets unprivileged
 *  accesses in, AP[2] keeps writes out. The bits are taken from the architecture's tables by
 *  walk_bits() and nothing else, so that a mistake of those who write tables is not repeated here.
 *
 * Invariants
 *  1. The run of an address contains it. 2. pz_v7s_walk_each() covers [0, 2^ias - 1] without a gap
 *  and without overlap.
 *
 * Failure
 *  Everything is an answer: what cannot be read, or has no meaning, is a fault with its place.
 *
 * Shortcomings
 *  No PXN (type 3 is reserved), no TTBR1, no domains that refuse, no full AP model (AFE = 0), no
 *  TEX remap: @tex, @c and @b are told as they stand.
 */
#include <physzone/v7s_walk.h>

/* Bits that words of both levels have, at different places. */
struct walk_place {
	uint8_t b, c, xn, af, ap1, ap2, tex, s, ng, ns;
};

static const struct walk_place walk_section = {
	.b = 2,
	.c = 3,
	.xn = 4,
	.af = 10,
	.ap1 = 11,
	.tex = 12,
	.ap2 = 15,
	.s = 16,
	.ng = 17,
	.ns = 19,
};
/* A large page: TEX and XN stand where a small page has address bits. */
static const struct walk_place walk_large = {
	.b = 2,
	.c = 3,
	.xn = 15,
	.af = 4,
	.ap1 = 5,
	.tex = 12,
	.ap2 = 9,
	.s = 10,
	.ng = 11,
};
static const struct walk_place walk_small = {
	.b = 2,
	.c = 3,
	.xn = 0,
	.af = 4,
	.ap1 = 5,
	.tex = 6,
	.ap2 = 9,
	.s = 10,
	.ng = 11,
};

static uint32_t walk_bits(uint32_t word, unsigned int high, unsigned int low)
{
	return word >> low & ((2u << (high - low)) - 1);
}

static bool walk_bit(uint32_t word, unsigned int n)
{
	return walk_bits(word, n, n);
}

/* MediaTek: bits 32, 33 and 34 of an address, from bits 9, 4 and 5 of a word. */
static uint64_t walk_mtk(uint32_t word)
{
	return (uint64_t)walk_bit(word, 9) << 32 | (uint64_t)walk_bit(word, 4) << 33 |
	       (uint64_t)walk_bit(word, 5) << 34;
}

/* What a page's word says besides its address. */
static void walk_attributes(const struct pz_v7s_view *v, const struct walk_place *p,
			    struct pz_v7s_run *r)
{
	bool counts = v->permissions && !v->mtk_outputs;
	uint32_t w = r->word;

	r->access = !counts || walk_bit(w, p->af);
	r->read = true;
	r->write = !counts || !walk_bit(w, p->ap2);
	r->user = !counts || walk_bit(w, p->ap1);
	r->exec = !counts || !walk_bit(w, p->xn);
	r->shared = walk_bit(w, p->s);
	r->global = !walk_bit(w, p->ng);
	r->tex = (uint8_t)walk_bits(w, p->tex + 2u, p->tex);
	r->b = walk_bit(w, p->b);
	r->c = walk_bit(w, p->c);
}

static enum pz_v7s_fault walk_fault(struct pz_v7s_run *r, enum pz_v7s_fault fault)
{
	r->fault = fault;
	return fault;
}

/* Whether @n words at @first are all like @word. */
static bool walk_alike(const struct pz_v7s_view *v, uint64_t first, uint64_t n, uint32_t word)
{
	uint32_t other;

	for (uint64_t i = 0; i < n; i++)
		if (!v->read(v->ctx, first + 4 * i, &other) || other != word)
			return false;
	return true;
}

/*
 * A page whose base address is @base lies in the word that r->first and r->last are the range of.
 * When the @slots words from @words on that repeat it are alike, it takes all of their range.
 */
static enum pz_v7s_fault walk_page(const struct pz_v7s_view *v, struct pz_v7s_run *r, uint64_t base,
				   uint64_t words, uint64_t slots)
{
	uint64_t slot = r->last - r->first + 1, in = r->first & (r->page - 1);

	if (slots > 1 && !walk_alike(v, words, slots, r->word)) {
		r->phys = base + in;
		return walk_fault(r, PZ_V7S_FAULT_REPEAT);
	}
	r->first -= in;
	r->last = r->first + slot * slots - 1;
	r->word_addr = words;
	r->phys = base;
	return walk_fault(r, PZ_V7S_NO_FAULT);
}

static enum pz_v7s_fault walk_second(const struct pz_v7s_view *v, uint64_t iova,
				     struct pz_v7s_run *r)
{
	uint64_t index = iova >> 12 & 0xff, base;

	r->domain = v->mtk_tables || v->mtk_outputs ? 0 : (uint8_t)walk_bits(r->word, 8, 5);
	r->secure = !walk_bit(r->word, 3);
	r->table = (uint64_t)walk_bits(r->word, 31, 10) << 10;
	if (v->mtk_tables)
		r->table |= walk_mtk(r->word);
	r->first = iova & ~(uint64_t)0xfff;
	r->last = r->first + 0xfff;
	r->word_addr = r->table + 4 * index;
	if (!v->read(v->ctx, r->word_addr, &r->word)) {
		r->word = 0;
		return walk_fault(r, PZ_V7S_FAULT_READ_SECOND);
	}
	if (!walk_bits(r->word, 1, 0))
		return walk_fault(r, PZ_V7S_FAULT_SECOND);
	base = v->mtk_outputs ? walk_mtk(r->word) : 0;
	if (walk_bit(r->word, 1)) {
		r->page = 0x1000;
		walk_attributes(v, &walk_small, r);
		return walk_page(v, r, base | (uint64_t)walk_bits(r->word, 31, 12) << 12,
				 r->word_addr, 1);
	}
	r->page = 0x10000;
	walk_attributes(v, &walk_large, r);
	return walk_page(v, r, base | (uint64_t)walk_bits(r->word, 31, 16) << 16,
			 r->table + 4 * (index & 0xf0), 16);
}

/* A section, or one of the 16 words of a supersection. */
static enum pz_v7s_fault walk_first(const struct pz_v7s_view *v, uint64_t index,
				    struct pz_v7s_run *r)
{
	uint64_t base = v->mtk_outputs ? walk_mtk(r->word) : 0, words, left;

	walk_attributes(v, &walk_section, r);
	r->secure = !walk_bit(r->word, walk_section.ns);
	if (!walk_bit(r->word, 18)) {
		r->page = 0x100000;
		r->domain = v->mtk_outputs ? 0 : (uint8_t)walk_bits(r->word, 8, 5);
		return walk_page(v, r, base | (uint64_t)walk_bits(r->word, 31, 20) << 20,
				 r->word_addr, 1);
	}
	r->page = 0x1000000;
	if (!v->mtk_outputs)
		base = (uint64_t)walk_bits(r->word, 23, 20) << 32 |
		       (uint64_t)walk_bits(r->word, 8, 5) << 36;
	words = index & ~(uint64_t)0xf;
	left = ((uint64_t)1 << (v->ias - 20)) - words;
	return walk_page(v, r, base | (uint64_t)walk_bits(r->word, 31, 24) << 24,
			 v->table + 4 * words, left < 16 ? left : 16);
}

enum pz_v7s_fault pz_v7s_walk(const struct pz_v7s_view *v, uint64_t iova, struct pz_v7s_run *out)
{
	uint64_t index = iova >> 20;
	struct pz_v7s_run *r = out;

	*r = (struct pz_v7s_run){ .table = PZ_ADDR_MAX };
	if (v->ias < 20 || v->ias > 34 || iova >> v->ias) {
		r->first = v->ias < 20 || v->ias > 34 ? 0 : (uint64_t)1 << v->ias;
		r->last = UINT64_MAX;
		return walk_fault(r, PZ_V7S_FAULT_RANGE);
	}
	r->first = index << 20;
	r->last = r->first + 0xfffff;
	r->word_addr = v->table + 4 * index;
	if (!v->read(v->ctx, r->word_addr, &r->word)) {
		r->word = 0;
		return walk_fault(r, PZ_V7S_FAULT_READ_FIRST);
	}
	switch (walk_bits(r->word, 1, 0)) {
	case 1:
		return walk_second(v, iova, r);
	case 2:
		return walk_first(v, index, r);
	case 3:
		return walk_fault(r, PZ_V7S_FAULT_RESERVED);
	default:
		return walk_fault(r, PZ_V7S_FAULT_FIRST);
	}
}

bool pz_v7s_alike(const struct pz_v7s_run *a, const struct pz_v7s_run *b)
{
	return a->read == b->read && a->write == b->write && a->user == b->user &&
	       a->exec == b->exec && a->secure == b->secure && a->shared == b->shared &&
	       a->global == b->global && a->access == b->access && a->tex == b->tex &&
	       a->domain == b->domain && a->b == b->b && a->c == b->c;
}

/* Whether @b goes on where @a ends, and says the same. */
static bool walk_continues(const struct pz_v7s_run *a, const struct pz_v7s_run *b)
{
	if (a->fault != b->fault)
		return false;
	if (a->fault != PZ_V7S_NO_FAULT && a->fault != PZ_V7S_FAULT_REPEAT)
		return true;
	return a->page == b->page && b->phys == a->phys + (a->last - a->first) + 1 &&
	       pz_v7s_alike(a, b);
}

int pz_v7s_walk_each(const struct pz_v7s_view *v, int (*fn)(void *ctx, const struct pz_v7s_run *r),
		     void *ctx)
{
	struct pz_v7s_run run, next;
	uint64_t at, end;
	int rc;

	if (v->ias < 20 || v->ias > 34)
		return 0;
	end = (uint64_t)1 << v->ias;
	(void)pz_v7s_walk(v, 0, &run);
	for (at = run.last + 1; at < end; at = next.last + 1) {
		(void)pz_v7s_walk(v, at, &next);
		/* What was split or mapped as one meanwhile may begin earlier. */
		next.phys += at - next.first;
		next.first = at;
		if (walk_continues(&run, &next)) {
			run.last = next.last;
			continue;
		}
		rc = fn(ctx, &run);
		if (rc)
			return rc;
		run = next;
	}
	return fn(ctx, &run);
}
