/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_frag.c - pieces of pages against a byte for each byte: no overlap, alignment, limits, what
 * comes back, what is told as misuse, and failures that change nothing.
 */
#include "frag_box.h"
#include "prop.h"

#define OPS 60
#define PIECES 256
#define BALLAST 96

struct piece {
	uint64_t addr;
	uint32_t size;
};

struct world {
	struct box box;
	struct pz_frag_config cfg;
	uint32_t block, granule;
	struct piece piece[PIECES];
	unsigned int pieces;
	uint64_t ballast[BALLAST]; /* pages taken past the cache */
	unsigned int ballasts;
	uint64_t bytes, allocs;
};

static struct world world;

static uint32_t draw_cpu(struct prop *p)
{
	unsigned int c = prop_choice(p, BOX_CPUS + 1);

	return c < BOX_CPUS ? c : PZ_CPU_NONE;
}

static bool start(struct world *w, struct prop *p)
{
	memset(w, 0, sizeof(*w));
	PROP_ASSERT(p, box_start(&w->box, NULL, 0));
	box_config(&w->box, &w->cfg);
	w->cfg.flags = (prop_choice(p, 2) ? PZ_FRAG_REUSE : 0);
	w->cfg.block_bytes = 4096u << prop_choice(p, 7);
	if (w->cfg.block_bytes == 4096u << 6)
		w->cfg.block_bytes = 0;
	w->cfg.granule = 64u << prop_choice(p, 7);
	if (prop_choice(p, 3) == 2)
		w->cfg.limits = PZ_LIMITS_BITS(32);
	if (prop_choice(p, 4) == 3)
		w->cfg.limits.boundary = 4096u << prop_choice(p, 4);
	if (prop_choice(p, 4) == 3)
		w->cfg.limits.align = (uint64_t)1 << prop_choice(p, 17);
	w->block = w->cfg.block_bytes ? w->cfg.block_bytes : PZ_FRAG_BLOCK;
	w->granule = w->cfg.flags & PZ_FRAG_REUSE ? w->cfg.granule : 1;
	PROP_ASSERT(p, pz_frag_create(&w->box.f, &w->cfg) == 0);
	return true;
}

/* What must hold after every operation. */
static bool holds(struct world *w, struct prop *p)
{
	struct pz_frag_stat s;
	int check = pz_frag_check(w->box.f);

	if (check)
		prop_note(p, "pz_frag_check: %d", check);
	pz_frag_stat(w->box.f, &s);
	PROP_ASSERT(p, check == 0);
	PROP_ASSERT(p, s.pieces == w->pieces && s.piece_bytes == w->bytes);
	PROP_ASSERT(p, s.allocs == w->allocs && s.frees == w->allocs - w->pieces);
	PROP_ASSERT(p, s.block_bytes == (box_used(&w->box) - w->ballasts) * 4096);
	PROP_ASSERT(p, !s.reused || (w->cfg.flags & PZ_FRAG_REUSE));
	return true;
}

static uint32_t draw_size(struct world *w, struct prop *p)
{
	switch (prop_choice(p, 5)) {
	case 0:
		return 1 + (uint32_t)prop_draw(p, 63);
	case 1:
		return 256 + (uint32_t)prop_draw(p, 1792);
	case 2:
		return 1u << prop_choice(p, 13);
	case 3:
		return 1024;
	default:
		return 1 + (uint32_t)prop_draw(p, w->block - 1);
	}
}

static bool do_alloc(struct world *w, struct prop *p)
{
	uint32_t size = draw_size(w, p), align = 1u << prop_choice(p, 19), need = 4096;
	uint64_t addr = 7;
	struct pz_page_req req;
	int ret;

	if (prop_choice(p, 2))
		align = 1;
	if (align > w->block)
		align = w->block;
	if (size > w->block)
		size = w->block;
	if (w->pieces == PIECES)
		return true;
	if (prop_choice(p, 8) == 7)
		w->box.hook.fail_at = w->box.hook.calls + 1;
	ret = pz_frag_alloc(w->box.f, draw_cpu(p), size, align, &addr);
	if (!ret) {
		struct pz_range r = { addr, addr + size - 1 };
		struct pz_limits l = w->cfg.limits;

		w->box.hook.fail_at = 0;
		l.align = align;
		PROP_ASSERT(p, pz_limits_check(&l, r));
		PROP_ASSERT(p, box_mark(&w->box, addr, size, true));
		w->piece[w->pieces].addr = addr;
		w->piece[w->pieces++].size = size;
		w->bytes += size;
		w->allocs++;
		return true;
	}
	PROP_ASSERT(p, addr == 7);
	if (w->box.hook.fail_at && w->box.hook.calls >= w->box.hook.fail_at) {
		w->box.hook.fail_at = 0;
		PROP_ASSERT(p, ret == -PZ_ENOMEM);
		return true;
	}
	w->box.hook.fail_at = 0;
	/* The allocator has no block either that would hold it. */
	while (need < size || need < align)
		need *= 2;
	pz_page_req_init(w->box.pages, &req, 0, w->cfg.gfp, PZ_CPU_NONE);
	req.pages = need / 4096;
	req.limits = w->cfg.limits;
	if (req.limits.align < need)
		req.limits.align = need;
	PROP_ASSERT(p, pz_page_request(w->box.pages, &req, &addr) == ret);
	return true;
}

static bool do_free(struct world *w, struct prop *p)
{
	unsigned int i;
	struct piece x;

	if (!w->pieces)
		return true;
	i = (unsigned int)prop_draw(p, w->pieces - 1);
	x = w->piece[i];
	w->piece[i] = w->piece[--w->pieces];
	w->bytes -= x.size;
	PROP_ASSERT(p, box_mark(&w->box, x.addr, x.size, false));
	pz_frag_free(w->box.f, draw_cpu(p), x.addr, x.size);
	PROP_ASSERT(p, w->box.bugs.count == 0);
	return true;
}

static uint32_t granules(const struct world *w, uint32_t size)
{
	return (size + w->granule - 1) / w->granule;
}

/* A free that must be told, and change nothing. */
static bool do_misuse(struct world *w, struct prop *p)
{
	uint64_t addr = prop_choice(p, 2) ? BOX_LOW : BOX_HIGH;
	uint32_t size = draw_size(w, p);
	bool right = false;

	addr += prop_draw(p, BOX_LOW_PAGES * 4096 - 1);
	if (w->pieces && prop_choice(p, 2))
		addr = w->piece[prop_draw(p, w->pieces - 1)].addr + prop_draw(p, 64);
	for (unsigned int i = 0; i < w->pieces; i++) {
		const struct piece *x = &w->piece[i];

		/* Without reuse only the whole block can be told. */
		if (w->cfg.flags & PZ_FRAG_REUSE)
			right |= x->addr == addr && granules(w, x->size) == granules(w, size);
		else
			right |= x->addr / w->block == addr / w->block;
	}
	if (right)
		return true;
	pz_frag_free(w->box.f, draw_cpu(p), addr, size);
	PROP_ASSERT(p, w->box.bugs.count == 1);
	w->box.bugs.count = 0;
	return true;
}

static bool do_drain(struct world *w, struct prop *p)
{
	uint64_t used = box_used(&w->box), pages = pz_frag_drain(w->box.f, draw_cpu(p));
	struct pz_frag_stat s;

	PROP_ASSERT(p, used - box_used(&w->box) == pages);
	pz_frag_stat(w->box.f, &s);
	/* Blocks without pieces are gone: count those that pieces lie in. */
	PROP_ASSERT(p, s.blocks <= w->pieces);
	if (s.block_bytes == s.blocks * w->block) {
		uint64_t n = 0;

		for (unsigned int i = 0; i < w->pieces; i++) {
			unsigned int j = 0;

			while (w->piece[j].addr / w->block != w->piece[i].addr / w->block)
				j++;
			n += i == j;
		}
		PROP_ASSERT(p, n == s.blocks);
	}
	return true;
}

/* Take pages away, or give them back. */
static bool do_ballast(struct world *w, struct prop *p)
{
	unsigned int n = (unsigned int)prop_draw(p, 40);
	bool give = prop_choice(p, 2);

	for (; n > 0; n--) {
		if (give) {
			unsigned int i;

			if (!w->ballasts)
				return true;
			i = (unsigned int)prop_draw(p, w->ballasts - 1);
			pz_free_exact(w->box.pages, PZ_CPU_NONE, w->ballast[i], 1);
			w->ballast[i] = w->ballast[--w->ballasts];
		} else {
			struct pz_page_req req;

			pz_page_req_init(w->box.pages, &req, 0, w->cfg.gfp, PZ_CPU_NONE);
			if (w->ballasts == BALLAST ||
			    pz_page_request(w->box.pages, &req, &w->ballast[w->ballasts]))
				return true;
			w->ballasts++;
		}
	}
	return true;
}

static bool sequence(struct prop *p, void *ctx)
{
	static bool (*const op[])(struct world *, struct prop *) = {
		do_alloc, do_alloc, do_alloc, do_free, do_free, do_misuse, do_drain, do_ballast,
	};
	struct world *w = ctx;

	if (!start(w, p) || !holds(w, p))
		return false;
	for (unsigned int i = 0, n = (unsigned int)prop_draw(p, OPS); i < n; i++) {
		/* Now and then many at once. */
		unsigned int which = prop_choice(p, 8), times = prop_choice(p, 16) == 15 ? 30 : 1;

		while (times-- > 0)
			if (!op[which](w, p))
				return false;
		if (!holds(w, p))
			return false;
	}
	while (w->pieces)
		if (!do_free(w, p))
			return false;
	if (!do_drain(w, p) || !holds(w, p))
		return false;
	PROP_ASSERT(p, box_used(&w->box) == w->ballasts);
	PROP_ASSERT(p, pz_frag_destroy(w->box.f) == 0 && w->box.bugs.count == 0);
	while (w->ballasts)
		pz_free_exact(w->box.pages, PZ_CPU_NONE, w->ballast[--w->ballasts], 1);
	PROP_ASSERT(p, box_used(&w->box) == 0);
	PROP_ASSERT(p, box_stop(&w->box));
	return true;
}

/* What is out when the cache goes is counted, told once, and stays allocated. */
static bool leaks(struct prop *p, void *ctx)
{
	struct world *w = ctx;
	uint64_t kept;

	if (!start(w, p))
		return false;
	for (unsigned int i = 0, n = (unsigned int)prop_draw(p, OPS); i < n; i++)
		if (!(prop_choice(p, 2) ? do_alloc(w, p) : do_free(w, p)))
			return false;
	if (!do_drain(w, p))
		return false;
	kept = box_used(&w->box);
	PROP_ASSERT(p, pz_frag_destroy(w->box.f) == w->pieces);
	PROP_ASSERT(p, w->box.bugs.count == (w->pieces ? 1 : 0) && box_used(&w->box) == kept);
	PROP_ASSERT(p, box_stop(&w->box));
	return true;
}

/*
 * Memory of pages that the index by address puts in the same place, far more than it has room for
 * there: the base address times the golden ratio, bits 32 and up, picks the bucket.
 */
static bool crowded(struct prop *p, void *ctx)
{
	struct world *w = ctx;
	uint64_t pfn[64], piece[64], at = (prop_draw(p, 1000) + 1) * 0x1000, bucket = 0;
	unsigned int n = 0, out = 0;

	memset(w, 0, sizeof(*w));
	for (; n < 64; at += 2) {
		uint64_t h = at * 0x9e3779b97f4a7c15u >> 32 & 63;

		if (!n)
			bucket = h;
		if (h == bucket)
			pfn[n++] = at;
	}
	PROP_ASSERT(p, box_start(&w->box, pfn, n) && w->box.total == n);
	box_config(&w->box, &w->cfg);
	w->cfg.block_bytes = 4096;
	w->cfg.flags = prop_choice(p, 2) ? PZ_FRAG_REUSE : 0;
	PROP_ASSERT(p, pz_frag_create(&w->box.f, &w->cfg) == 0);
	for (unsigned int i = 0, ops = 64 + (unsigned int)prop_draw(p, 64); i < ops; i++) {
		if (out < 64 && (i < 64 || prop_choice(p, 2))) {
			PROP_ASSERT(p, pz_frag_alloc(w->box.f, 0, 4096, 1, &piece[out]) == 0);
			out++;
		} else if (out) {
			unsigned int k = (unsigned int)prop_draw(p, out - 1);

			pz_frag_free(w->box.f, 0, piece[k], 4096);
			piece[k] = piece[--out];
		}
		PROP_ASSERT(p, pz_frag_check(w->box.f) == 0 && w->box.bugs.count == 0);
	}
	pz_frag_free(w->box.f, 0, 0, 64);
	PROP_ASSERT(p, w->box.bugs.count == 1);
	while (out)
		pz_frag_free(w->box.f, 0, piece[--out], 4096);
	PROP_ASSERT(p, pz_frag_check(w->box.f) == 0 && w->box.bugs.count == 1);
	PROP_ASSERT(p, pz_frag_destroy(w->box.f) == 0 && box_used(&w->box) == 0);
	PROP_ASSERT(p, box_stop(&w->box));
	return true;
}

int main(void)
{
	prop_run("any sequence of calls agrees with a byte for each byte", sequence, &world, 1500);
	prop_run("what is out when the cache goes is told and leaks", leaks, &world, 300);
	prop_run("blocks that crowd one place of the index are found", crowded, &world, 100);
	return prop_done();
}
