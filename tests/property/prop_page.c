/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_page.c - the page allocator against an oracle that knows every page: what is given is sound,
 * what is refused did not fit, what is misused is told and changes nothing.
 */
#include "page_ops.h"

#include <stdlib.h>

struct setting {
	struct w_options opt;
	unsigned int max_ops;
	unsigned int misuse; /* of 32 */
	bool each;	     /* verify the allocator after each operation */
};

static bool step(struct world *w, const struct setting *s)
{
	unsigned int kind = prop_choice(w->p, 32);

	if (kind < 13)
		return op_alloc(w);
	if (kind < 24)
		return op_free_any(w);
	if (kind >= 32 - s->misuse)
		return op_misuse(w);
	switch (kind) {
	case 24:
		return op_bulk(w);
	case 25:
		return op_free_bulk(w);
	case 26:
		return op_part(w);
	case 27:
		return op_split(w);
	case 28:
		return prop_choice(w->p, 4) ? op_free_any(w) : op_drain(w);
	case 29:
		return prop_choice(w->p, 4) ? op_alloc(w) : op_policy(w);
	case 30:
		return op_add(w);
	default: /* a whole comparison is dear */
		return w->n > 300 && prop_choice(w->p, 16) ? op_alloc(w) : world_compare(w);
	}
}

static bool stream(struct prop *p, void *ctx)
{
	const struct setting *s = ctx;
	static struct world w;
	bool ok = world_open(&w, p, &s->opt);
	unsigned int ops = ok ? (unsigned int)prop_draw(p, s->max_ops) : 0;

	ok = ok && world_compare(&w);
	for (unsigned int i = 0; ok && i < ops; i++) {
		ok = step(&w, s);
		if (ok && s->each)
			ok = world_sound(&w);
	}
	ok = ok && world_compare(&w) && op_free_all(&w);
	world_close(&w);
	if (ok && (w.meta.live || w.meta.bad_free || w.zeroed.live || w.zeroed.bad_free)) {
		prop_note(p, "metadata was not given back");
		ok = false;
	}
	return ok;
}

/* Runs of odd lengths, mostly refused, while single pages come and go around them. */
static bool run_step(struct world *w)
{
	struct w_req r;

	switch (prop_choice(w->p, 12)) {
	case 0:
	case 1:
		return op_alloc(w);
	case 2:
		return op_part(w);
	case 3:
		return op_split(w);
	case 4:
		return prop_choice(w->p, 8) ? op_free_any(w) : op_add(w);
	case 5:
	case 6:
		return op_free_any(w);
	default:
		world_draw_req(w, &r);
		r.pages = 2 + prop_draw(w->p, prop_choice(w->p, 3) ? 8 : 400);
		if (prop_choice(w->p, 3))
			r.limits.align = (uint64_t)1 << w->shift;
		return op_request(w, &r, 0);
	}
}

static bool runs(struct prop *p, void *ctx)
{
	const struct setting *s = ctx;
	static struct world w;
	bool ok = world_open(&w, p, &s->opt);
	unsigned int ops = ok ? (unsigned int)prop_draw(p, s->max_ops) : 0;
	uint32_t stay = ok ? (uint32_t)prop_draw(p, w.n) : 0;

	/* All is taken, as single pages for the most part; then some are freed. */
	for (uint32_t i = 0; ok && w.free && i < 2 * w.n; i++) {
		struct w_req r;

		world_draw_req(&w, &r);
		r.pages = prop_choice(p, 8) ? 1 : 1 + prop_draw(p, 40);
		r.gfp |= PZ_GFP_MEMALLOC | PZ_GFP_NOKEEP;
		ok = op_request(&w, &r, 0);
	}
	while (ok && w.blocks > stay)
		ok = op_free(&w, w.block_at[prop_draw(p, w.blocks - 1)]);
	for (unsigned int i = 0; ok && i < ops; i++)
		ok = run_step(&w) && (!s->each || world_sound(&w));
	ok = ok && world_sound(&w) && op_free_all(&w);
	world_close(&w);
	return ok;
}

int main(void)
{
	static struct setting mixed = { { .no_debug = true }, 1200, 0, false };
	static struct setting tiny = { { .max_pages = 96, .no_debug = true }, 400, 0, true };
	static struct setting misuse = { { .max_pages = 300, .no_debug = true }, 200, 8, false };
	static struct setting debug = { { .max_pages = 200 }, 300, 2, false };
	static struct setting large = { { .no_debug = true }, 20000, 0, false };

	static struct setting few = { { .max_pages = 200, .no_debug = true }, 300, 0, true };
	static struct setting many = { { .max_pages = 5000, .no_debug = true }, 600, 0, true };

	prop_run("few pages", stream, &tiny, 6000);
	prop_run("random streams", stream, &mixed, 1200);
	prop_run("long streams", stream, &large, 60);
	prop_run("with sites and poison", stream, &debug, 1000);
	prop_run("runs among few pages", runs, &few, 2000);
	prop_run("runs among many pages", runs, &many, 150);
	prop_run("misuse is told and changes nothing", stream, &misuse, 2000);
	return prop_done();
}
