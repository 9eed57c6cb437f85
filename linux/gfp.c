/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gfp.c - the flags of a Linux allocation request.
 *
 * Concept: one table names sets of bits, with the bits of each version, in the order in which
 * Linux takes names for what is left of the flags. Writing walks it once and takes each set that
 * is wholly there; reading looks names up in it, and in a few more that Linux's sources have but
 * its messages do not.
 *
 * Invariants: 1. a row's bits are 0 for a version that has not the name; 2. a larger set stands
 * before the sets that it holds.
 *
 * Failure: text that cannot be read is refused, the output is not written.
 *
 * Shortcomings: the bits that only lockdep and hardware tags give are written as numbers.
 */
#include <physzone/linux/arch.h>
#include <physzone/linux/gfp.h>

#include "pzl_text.h"

#define GFP_ATOMIC_OLD (PZL_GFP_HIGH | PZL_GFP_ATOMIC_BIT | PZL_GFP_KSWAPD_RECLAIM)
#define GFP_ATOMIC_NEW (PZL_GFP_HIGH | PZL_GFP_KSWAPD_RECLAIM)
#define GFP_NOWAIT_OLD PZL_GFP_KSWAPD_RECLAIM
#define GFP_NOWAIT_NEW (PZL_GFP_KSWAPD_RECLAIM | PZL_GFP_NOWARN)
#define GFP_HUM (PZL_GFP_HIGHUSER | PZL_GFP_MOVABLE)
#define GFP_HUM_5_15 (GFP_HUM | PZL_GFP_SKIP_KASAN_POISON)
#define GFP_THP(movable) \
	(((movable) & ~PZL_GFP_RECLAIM) | PZL_GFP_COMP | PZL_GFP_NOMEMALLOC | PZL_GFP_NOWARN)
#define GFP_THP_NOW(movable) (GFP_THP(movable) | PZL_GFP_DIRECT_RECLAIM)

/* Of 5.15, 6.1 and 6.12; the same in all three. */
#define GFP_SAME(bits)             \
	{                          \
		bits, bits, bits   \
	}

struct gfp_name {
	const char *name;
	uint32_t bits[PZL_MODELS];
};

static const struct gfp_name gfp_names[] = {
	{ "GFP_TRANSHUGE",
	  { GFP_THP_NOW(GFP_HUM_5_15), GFP_THP_NOW(GFP_HUM), GFP_THP_NOW(GFP_HUM) } },
	{ "GFP_TRANSHUGE_LIGHT", { GFP_THP(GFP_HUM_5_15), GFP_THP(GFP_HUM), GFP_THP(GFP_HUM) } },
	{ "GFP_HIGHUSER_MOVABLE", { GFP_HUM_5_15, GFP_HUM, GFP_HUM } },
	{ "GFP_HIGHUSER", GFP_SAME(PZL_GFP_HIGHUSER) },
	{ "GFP_USER", GFP_SAME(PZL_GFP_USER) },
	{ "GFP_KERNEL_ACCOUNT", GFP_SAME(PZL_GFP_KERNEL_ACCOUNT) },
	{ "GFP_KERNEL", GFP_SAME(PZL_GFP_KERNEL) },
	{ "GFP_NOFS", GFP_SAME(PZL_GFP_NOFS) },
	{ "GFP_ATOMIC", { GFP_ATOMIC_OLD, GFP_ATOMIC_OLD, GFP_ATOMIC_NEW } },
	{ "GFP_NOIO", GFP_SAME(PZL_GFP_NOIO) },
	{ "GFP_NOWAIT", { GFP_NOWAIT_OLD, GFP_NOWAIT_OLD, GFP_NOWAIT_NEW } },
	{ "GFP_DMA", GFP_SAME(PZL_GFP_DMA) },
	{ "__GFP_HIGHMEM", GFP_SAME(PZL_GFP_HIGHMEM) },
	{ "GFP_DMA32", GFP_SAME(PZL_GFP_DMA32) },
	{ "__GFP_HIGH", GFP_SAME(PZL_GFP_HIGH) },
	{ "__GFP_ATOMIC", { PZL_GFP_ATOMIC_BIT, PZL_GFP_ATOMIC_BIT, 0 } },
	{ "__GFP_IO", GFP_SAME(PZL_GFP_IO) },
	{ "__GFP_FS", GFP_SAME(PZL_GFP_FS) },
	{ "__GFP_NOWARN", GFP_SAME(PZL_GFP_NOWARN) },
	{ "__GFP_RETRY_MAYFAIL", GFP_SAME(PZL_GFP_RETRY_MAYFAIL) },
	{ "__GFP_NOFAIL", GFP_SAME(PZL_GFP_NOFAIL) },
	{ "__GFP_NORETRY", GFP_SAME(PZL_GFP_NORETRY) },
	{ "__GFP_COMP", GFP_SAME(PZL_GFP_COMP) },
	{ "__GFP_ZERO", GFP_SAME(PZL_GFP_ZERO) },
	{ "__GFP_NOMEMALLOC", GFP_SAME(PZL_GFP_NOMEMALLOC) },
	{ "__GFP_MEMALLOC", GFP_SAME(PZL_GFP_MEMALLOC) },
	{ "__GFP_HARDWALL", GFP_SAME(PZL_GFP_HARDWALL) },
	{ "__GFP_THISNODE", GFP_SAME(PZL_GFP_THISNODE) },
	{ "__GFP_RECLAIMABLE", GFP_SAME(PZL_GFP_RECLAIMABLE) },
	{ "__GFP_MOVABLE", GFP_SAME(PZL_GFP_MOVABLE) },
	{ "__GFP_ACCOUNT", GFP_SAME(PZL_GFP_ACCOUNT) },
	{ "__GFP_WRITE", GFP_SAME(PZL_GFP_WRITE) },
	{ "__GFP_RECLAIM", GFP_SAME(PZL_GFP_RECLAIM) },
	{ "__GFP_DIRECT_RECLAIM", GFP_SAME(PZL_GFP_DIRECT_RECLAIM) },
	{ "__GFP_KSWAPD_RECLAIM", GFP_SAME(PZL_GFP_KSWAPD_RECLAIM) },
	{ "__GFP_ZEROTAGS", GFP_SAME(PZL_GFP_ZEROTAGS) },
	{ "__GFP_SKIP_KASAN_POISON", { PZL_GFP_SKIP_KASAN_POISON, 0, 0 } },
	/* for reading only: the sets above that are one bit have these names too */
	{ "__GFP_DMA", GFP_SAME(PZL_GFP_DMA) },
	{ "__GFP_DMA32", GFP_SAME(PZL_GFP_DMA32) },
};
#define GFP_NAMES (sizeof(gfp_names) / sizeof(gfp_names[0]))

uint32_t pzl_gfp_atomic(enum pzl_model model)
{
	return model >= PZL_LINUX_6_12 ? GFP_ATOMIC_NEW : GFP_ATOMIC_OLD;
}

uint32_t pzl_gfp_nowait(enum pzl_model model)
{
	return model >= PZL_LINUX_6_12 ? GFP_NOWAIT_NEW : GFP_NOWAIT_OLD;
}

static enum pz_zone_type gfp_zone_or_normal(enum pz_zone_type t, uint32_t configured)
{
	return configured & PZL_ZONE_BIT(t) ? t : PZ_ZONE_NORMAL;
}

enum pz_zone_type pzl_gfp_zone(uint32_t gfp, uint32_t configured)
{
	unsigned int t;

	switch (gfp & (PZL_GFP_DMA | PZL_GFP_HIGHMEM | PZL_GFP_DMA32)) {
	case 0:
		return PZ_ZONE_NORMAL;
	case PZL_GFP_DMA:
		return gfp_zone_or_normal(PZ_ZONE_DMA, configured);
	case PZL_GFP_DMA32:
		return gfp_zone_or_normal(PZ_ZONE_DMA32, configured);
	case PZL_GFP_HIGHMEM:
		if (gfp & PZL_GFP_MOVABLE)
			return PZ_ZONE_MOVABLE;
		return gfp_zone_or_normal(PZ_ZONE_HIGHMEM, configured);
	default:
		for (t = 0; t < PZ_ZONE_NORMAL; t++)
			if (configured & PZL_ZONE_BIT(t))
				break;
		return (enum pz_zone_type)t;
	}
}

bool pzl_gfp_can_block(uint32_t gfp)
{
	return gfp & PZL_GFP_DIRECT_RECLAIM;
}

enum pz_mobility pzl_gfp_mobility(uint32_t gfp)
{
	return (enum pz_mobility)((gfp & (PZL_GFP_MOVABLE | PZL_GFP_RECLAIMABLE)) >> 3);
}

/* Text that is cut at the end of its buffer, and counted on. */
struct gfp_text {
	char *buf;
	size_t size, n;
};

static void gfp_put(struct gfp_text *t, const char *s)
{
	for (; *s; s++, t->n++)
		if (t->n + 1 < t->size)
			t->buf[t->n] = *s;
}

static void gfp_put_hex(struct gfp_text *t, uint32_t v)
{
	char digits[9];
	unsigned int i = sizeof(digits) - 1;

	digits[i] = 0;
	do {
		digits[--i] = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	gfp_put(t, "0x");
	gfp_put(t, digits + i);
}

size_t pzl_gfp_format(char *buf, size_t size, uint32_t gfp, enum pzl_model model)
{
	struct gfp_text t = { buf, size, 0 };

	if (!gfp)
		gfp_put(&t, "none");
	for (size_t i = 0; i < GFP_NAMES && gfp; i++) {
		uint32_t bits = gfp_names[i].bits[model];

		if (!bits || (gfp & bits) != bits)
			continue;
		gfp_put(&t, gfp_names[i].name);
		gfp &= ~bits;
		if (gfp)
			gfp_put(&t, "|");
	}
	if (gfp)
		gfp_put_hex(&t, gfp);
	if (size)
		buf[t.n < size ? t.n : size - 1] = 0;
	return t.n;
}

static int gfp_digit(char c)
{
	if (pzl_isdigit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Read "0x" and digits at @text; the characters read, or 0 when it is no such number. */
static size_t gfp_number(const char *text, size_t len, uint32_t *out)
{
	uint32_t v = 0;
	size_t i;

	if (!pzl_starts_n(text, len, "0x"))
		return 0;
	for (i = 2; i < len && gfp_digit(text[i]) >= 0; i++) {
		if (v >> 28)
			return 0;
		v = v << 4 | (uint32_t)gfp_digit(text[i]);
	}
	*out = v;
	return i > 2 ? i : 0;
}

static bool gfp_is_name(char c)
{
	return pzl_isdigit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* One piece between bars. */
static int gfp_piece(const char *text, size_t len, enum pzl_model model, uint32_t *gfp)
{
	size_t i, n;

	if (len == 0)
		return -PZ_EINVAL;
	if (pzl_isdigit(text[0]))
		return gfp_number(text, len, gfp) == len ? 0 : -PZ_EINVAL;
	for (i = 0; i < len; i++)
		if (!gfp_is_name(text[i]))
			return -PZ_EINVAL;
	for (n = 0; n < GFP_NAMES; n++) {
		const struct gfp_name *row = &gfp_names[n];

		if (row->bits[model] && pzl_strlen(row->name) == len &&
		    pzl_starts_n(text, len, row->name)) {
			*gfp = row->bits[model];
			return 0;
		}
	}
	return -PZ_ENOENT;
}

int pzl_gfp_parse(const char *text, size_t len, enum pzl_model model, uint32_t *gfp)
{
	uint32_t sum = 0, part = 0;
	size_t at, end;
	int err;

	if (len == 4 && pzl_starts_n(text, len, "none")) {
		*gfp = 0;
		return 0;
	}
	at = gfp_number(text, len, &sum);
	if (at && at < len && text[at] == '(') {
		if (text[len - 1] != ')')
			return -PZ_EINVAL;
		for (at++; at < len - 1; at++)
			if (!gfp_is_name(text[at]) && text[at] != '|')
				return -PZ_EINVAL;
		*gfp = sum;
		return 0;
	}
	sum = 0;
	for (at = 0; at <= len; at = end + 1) {
		for (end = at; end < len && text[end] != '|';)
			end++;
		err = gfp_piece(text + at, end - at, model, &part);
		if (err)
			return err;
		sum |= part;
	}
	*gfp = sum;
	return 0;
}

void pzl_gfp_request(uint32_t gfp, enum pzl_model model, uint32_t configured,
		     struct pz_page_req *req)
{
	static const uint32_t same[][2] = {
		{ PZL_GFP_HIGH, PZ_GFP_HIGH },
		{ PZL_GFP_DIRECT_RECLAIM, PZ_GFP_BLOCK },
		{ PZL_GFP_ZERO, PZ_GFP_ZERO },
		{ PZL_GFP_THISNODE, PZ_GFP_THISNODE },
		{ PZL_GFP_NORETRY, PZ_GFP_NORETRY },
	};
	enum pz_mobility mobility = pzl_gfp_mobility(gfp);
	uint32_t out = req->gfp & PZ_GFP_OWNER(0xff);

	for (unsigned int i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (gfp & same[i][0])
			out |= same[i][1];
	if (mobility == PZ_MOVABLE)
		out |= PZ_GFP_MOVABLE;
	if (mobility == PZ_RECLAIMABLE)
		out |= PZ_GFP_RECLAIMABLE;
	if (gfp & PZL_GFP_MEMALLOC && !(gfp & PZL_GFP_NOMEMALLOC))
		out |= PZ_GFP_MEMALLOC;
	req->gfp = out;
	req->highest = (uint8_t)pzl_gfp_zone(gfp, configured);
}
