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

int main(void)
{
	static struct setting mixed = { { .no_debug = true }, 1200, 0, false };
	static struct setting tiny = { { .max_pages = 96, .no_debug = true }, 400, 0, true };
	static struct setting misuse = { { .max_pages = 300, .no_debug = true }, 200, 8, false };
	static struct setting debug = { { .max_pages = 200 }, 300, 2, false };
	static struct setting large = { { .no_debug = true }, 20000, 0, false };

	prop_run("few pages", stream, &tiny, 6000);
	prop_run("random streams", stream, &mixed, 1200);
	prop_run("long streams", stream, &large, 60);
	prop_run("with sites and poison", stream, &debug, 1000);
	prop_run("misuse is told and changes nothing", stream, &misuse, 2000);
	return prop_done();
}
