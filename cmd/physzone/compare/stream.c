/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.c - a stream of requests generated from a mix.
 *
 * Concept: at each step what has lived long enough is given back, movable pages fill memory up to
 * the level of the time, and one request is drawn by the weights of the classes. The generator
 * counts what is in use as if every request were served, so that a stream does not depend on what
 * a policy makes of it.
 *
 * Invariants: 1. an event to give a request back comes after that of the request; 2. each request
 * is given back once; 3. the same mix, seed and amount of memory make the same stream.
 *
 * Shortcomings: a program that is refused memory goes on asking as if it had been served.
 */
#include "stream.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <physzone/limits.h>

#include "../options.h"
#include "random.h"

#define STREAM_NONE UINT32_MAX

uint32_t stream_class(struct stream *s, uint64_t max_addr, bool movable, bool device)
{
	struct stream_class *c;
	unsigned int bits = 0;

	for (size_t i = 0; i < s->classes.n; i++) {
		c = &s->classes.v[i];
		if (c->max_addr == max_addr && c->movable == movable && c->device == device)
			return (uint32_t)i;
	}
	c = vec_push(&s->classes);
	c->max_addr = max_addr;
	c->movable = movable;
	c->device = device;
	while (bits < 64 && max_addr >> bits)
		bits++;
	if (movable)
		c->name = xstrdup("movable");
	else if (max_addr == PZ_ADDR_MAX)
		c->name = xstrdup(device ? "64 bits" : "kernel");
	else if (max_addr == (UINT64_C(1) << bits) - 1)
		c->name = xasprintf("%u bits", bits);
	else
		c->name = xasprintf("up to %#" PRIx64, max_addr);
	return (uint32_t)(s->classes.n - 1);
}

/* A generator at work. */
struct stream_gen {
	struct stream *s;
	const struct mix *mix;
	struct rnd rnd;
	unsigned int page_shift;
	uint64_t managed, used; /* pages */
	uint32_t *due;		/* by step, the first request to be given back */
	VEC(uint32_t) next;	/* by request, the next one due at the same step */
	VEC(uint32_t) stay;	/* requests that stay to the end */
	uint32_t movable;	/* class of what fills memory */
};

static bool gen_active(struct mix_range during, uint64_t step, uint64_t steps)
{
	uint64_t at = step * 100 / steps;

	return at >= during.from && at < during.to;
}

static uint64_t gen_order_pages(uint64_t pages)
{
	uint64_t block = 1;

	while (block < pages)
		block *= 2;
	return block;
}

static void gen_ask(struct stream_gen *g, uint64_t step, uint32_t class, uint64_t pages,
		    struct mix_range life, bool atomic)
{
	struct stream_request *r = vec_push(&g->s->requests);
	uint32_t id = (uint32_t)(g->s->requests.n - 1);
	uint64_t end;

	r->class = class;
	r->pages = pages;
	r->atomic = atomic;
	*vec_push(&g->s->events) = id;
	*vec_push(&g->next) = STREAM_NONE;
	g->used += pages;
	end = life.to ? step + rnd_scale(&g->rnd, life.from, life.to) : UINT64_MAX;
	if (end >= g->mix->steps) {
		*vec_push(&g->stay) = id;
		return;
	}
	g->next.v[id] = g->due[end];
	g->due[end] = id;
}

static void gen_give_back(struct stream_gen *g, uint32_t id)
{
	*vec_push(&g->s->events) = id | STREAM_FREE;
	g->used -= g->s->requests.v[id].pages;
}

static void gen_fill(struct stream_gen *g, uint64_t step)
{
	const struct mix_fill *fill = NULL;
	uint64_t level;

	for (size_t i = 0; i < g->mix->fills.n; i++) {
		const struct mix_fill *f = &g->mix->fills.v[i];

		if (gen_active(f->during, step, g->mix->steps) && (!fill || f->level > fill->level))
			fill = f;
	}
	if (!fill)
		return;
	level = g->managed / 100 * fill->level + g->managed % 100 * fill->level / 100;
	while (g->used < level && g->s->requests.n < STREAM_MAX_REQUESTS) {
		uint64_t bytes = rnd_scale(&g->rnd, fill->size.from, fill->size.to);
		uint64_t pages = gen_order_pages(((bytes - 1) >> g->page_shift) + 1);

		while (pages > level - g->used)
			pages /= 2;
		gen_ask(g, step, g->movable, pages, fill->life, false);
	}
}

/* One request by the weights of the classes of the time. */
static void gen_draw(struct stream_gen *g, uint64_t step)
{
	const struct mix_class *c = NULL;
	uint64_t weights = 0, pages, at;
	bool device, atomic;

	for (size_t i = 0; i < g->mix->classes.n; i++)
		if (gen_active(g->mix->classes.v[i].during, step, g->mix->steps))
			weights += g->mix->classes.v[i].weight;
	if (!weights)
		return;
	at = rnd_below(&g->rnd, weights);
	for (size_t i = 0; i < g->mix->classes.n; i++) {
		c = &g->mix->classes.v[i];
		if (!gen_active(c->during, step, g->mix->steps))
			continue;
		if (at < c->weight)
			break;
		at -= c->weight;
	}
	device = c->bits != 0;
	pages = ((rnd_scale(&g->rnd, c->size.from, c->size.to) - 1) >> g->page_shift) + 1;
	if (!device)
		pages = gen_order_pages(pages);
	atomic = rnd_below(&g->rnd, 100) < c->atomic;
	gen_ask(g, step,
		stream_class(g->s, device ? pz_limits_bits(c->bits).max_addr : PZ_ADDR_MAX,
			     c->movable, device),
		pages, c->life, atomic);
}

int stream_generate(struct stream *s, const struct mix *m, uint64_t seed, uint64_t managed,
		    unsigned int page_shift, char **err)
{
	struct stream_gen g = { .s = s, .mix = m, .rnd = rnd_seed(seed) };

	memset(s, 0, sizeof(*s));
	s->name = xasprintf("mix %s, seed %" PRIu64, m->name, seed);
	g.page_shift = page_shift;
	g.managed = managed;
	g.due = xmalloc(m->steps * sizeof(*g.due));
	memset(g.due, 0xff, m->steps * sizeof(*g.due));
	/* The rows of tables: what has no limit first, then limits from the narrowest. */
	(void)stream_class(s, PZ_ADDR_MAX, false, false);
	g.movable = stream_class(s, PZ_ADDR_MAX, true, false);
	for (unsigned int bits = 1; bits <= 64; bits++)
		for (size_t i = 0; i < m->classes.n; i++)
			if (m->classes.v[i].bits == bits)
				(void)stream_class(s, pz_limits_bits(bits).max_addr, false, true);
	for (uint64_t step = 0; step < m->steps && s->requests.n < STREAM_MAX_REQUESTS; step++) {
		for (uint32_t id = g.due[step]; id != STREAM_NONE; id = g.next.v[id])
			gen_give_back(&g, id);
		gen_fill(&g, step);
		gen_draw(&g, step);
	}
	for (size_t i = 0; i < g.stay.n; i++)
		gen_give_back(&g, g.stay.v[i]);
	free(g.due);
	vec_free(&g.next);
	vec_free(&g.stay);
	if (!s->requests.n) {
		*err = xasprintf("mix %s: expected requests, made none: no class asks in its steps",
				 m->name);
		return EXIT_INPUT;
	}
	if (s->requests.n < STREAM_MAX_REQUESTS)
		return 0;
	*err = xasprintf("mix %s makes more than %zu requests on this machine: make the sizes that "
			 "fill it larger, or the steps fewer",
			 m->name, STREAM_MAX_REQUESTS);
	return EXIT_INPUT;
}

void stream_destroy(struct stream *s)
{
	for (size_t i = 0; i < s->classes.n; i++)
		free(s->classes.v[i].name);
	vec_free(&s->classes);
	vec_free(&s->requests);
	vec_free(&s->events);
	free(s->name);
	s->name = NULL;
}
