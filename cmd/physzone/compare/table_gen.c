/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_gen.c - mappings of an IOMMU generated from a mix.
 *
 * Concept: as in stream.c, one mapping is drawn at each step by the weights of the classes, in a
 * domain by chance, and lives for some steps; at the time of the drop a stated part of all
 * mappings goes at once, in random order. IOVA space is given from the top of 4 GiB down, aligned
 * to the next power of two of the size, as the DMA layer does it. Buffers are made of scattered
 * pages: their physical addresses are such that no piece is a section.
 *
 * Invariant: each mapping is undone once, as it was made.
 */
#include "table_trace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <physzone/limits.h>
#include <physzone/range.h>

#include "../options.h"
#include "../start.h"
#include "random.h"

#define GEN_MAX ((size_t)20000000)
#define GEN_NONE UINT32_MAX
#define GEN_PAGE UINT64_C(4096)
#define GEN_SPACE (UINT64_C(1) << 32)
#define GEN_FAR (UINT64_C(1) << 13) /* MiB of memory that is mapped: 8 GiB */

struct gen_map {
	uint32_t op;   /* that made it */
	uint32_t next; /* the next one due at the same step */
	uint32_t live; /* its place among those that are mapped, GEN_NONE when it is not */
};

struct gen {
	struct table_ops *t;
	const struct mix *mix;
	struct rnd rnd;
	struct pz_rangeset *iova; /* by domain, what is free */
	VEC(struct gen_map) maps;
	VEC(uint32_t) live;
	uint32_t *due; /* by step, the first mapping to be undone */
};

static bool gen_iova(struct gen *g, uint16_t domain, uint64_t size, uint64_t *iova)
{
	struct pz_limits l = pz_limits_any();
	struct pz_rangeset *free = &g->iova[domain];
	struct pz_range at;

	while (l.align < size)
		l.align *= 2;
	for (uint32_t i = free->count; i-- > 0;) {
		if (pz_limits_last_fit(&l, free->v[i], size, &at))
			continue;
		(void)pz_rangeset_remove(free, at);
		*iova = at.first;
		return true;
	}
	return false;
}

static void gen_map(struct gen *g, const struct mix_class *c, uint64_t step)
{
	uint64_t size = rnd_scale(&g->rnd, c->size.from, c->size.to), end = UINT64_MAX;
	uint16_t domain = (uint16_t)rnd_below(&g->rnd, g->mix->domains);
	bool atomic = rnd_below(&g->rnd, 100) < c->atomic;
	uint64_t far = rnd_below(&g->rnd, 1u << 20) % GEN_FAR, iova;
	struct table_op *op;
	struct gen_map *m;

	size = (size + GEN_PAGE - 1) & ~(GEN_PAGE - 1);
	if (c->life.to)
		end = step + rnd_scale(&g->rnd, c->life.from, c->life.to);
	if (!gen_iova(g, domain, size, &iova)) {
		g->t->refused++;
		return;
	}
	op = vec_push(&g->t->ops);
	op->iova = iova;
	/* Never as far from a multiple of 1 MiB as the IOVA is. */
	op->paddr = (far << 20) + ((iova + GEN_PAGE) & 0xfffff);
	op->size = size;
	op->domain = domain;
	op->atomic = atomic;
	m = vec_push(&g->maps);
	m->op = (uint32_t)(g->t->ops.n - 1);
	m->next = GEN_NONE;
	m->live = (uint32_t)g->live.n;
	*vec_push(&g->live) = (uint32_t)(g->maps.n - 1);
	if (end < g->mix->steps) {
		m->next = g->due[end];
		g->due[end] = (uint32_t)(g->maps.n - 1);
	}
}

static void gen_unmap(struct gen *g, uint32_t id, bool atomic)
{
	struct gen_map *m = &g->maps.v[id];
	struct table_op op = g->t->ops.v[m->op];

	if (m->live == GEN_NONE)
		return;
	(void)pz_rangeset_add(&g->iova[op.domain],
			      (struct pz_range){ op.iova, op.iova + op.size - 1 });
	g->live.v[m->live] = g->live.v[g->live.n - 1];
	g->maps.v[g->live.v[m->live]].live = m->live;
	g->live.n--;
	m->live = GEN_NONE;
	op.unmap = true;
	op.paddr = 0;
	op.atomic = atomic;
	*vec_push(&g->t->ops) = op;
}

static void gen_drop(struct gen *g)
{
	uint64_t n = (uint64_t)g->live.n * g->mix->drop / 100;

	g->t->drop = g->t->ops.n;
	while (n--)
		gen_unmap(g, g->live.v[rnd_below(&g->rnd, g->live.n)], false);
	g->t->dropped = g->t->ops.n;
}

static void gen_step(struct gen *g, uint64_t step)
{
	uint64_t at = step * 100 / g->mix->steps, weights = 0;
	const struct mix *m = g->mix;

	for (uint32_t id = g->due[step]; id != GEN_NONE; id = g->maps.v[id].next)
		gen_unmap(g, id, g->t->ops.v[g->maps.v[id].op].atomic);
	for (size_t i = 0; i < m->classes.n; i++)
		if (at >= m->classes.v[i].during.from && at < m->classes.v[i].during.to)
			weights += m->classes.v[i].weight;
	if (!weights)
		return;
	weights = rnd_below(&g->rnd, weights);
	for (size_t i = 0; i < m->classes.n; i++) {
		const struct mix_class *c = &m->classes.v[i];

		if (at < c->during.from || at >= c->during.to)
			continue;
		if (weights < c->weight) {
			gen_map(g, c, step);
			return;
		}
		weights -= c->weight;
	}
}

int table_ops_generate(struct table_ops *t, const struct mix *m, uint64_t seed, char **err)
{
	struct gen g = { .t = t, .mix = m, .rnd = rnd_seed(seed) };
	uint64_t drop_step = m->drop ? ((uint64_t)m->drop_at * m->steps + 99) / 100 : UINT64_MAX;

	memset(t, 0, sizeof(*t));
	t->name = xasprintf("mix %s, seed %" PRIu64, m->name, seed);
	t->domains = m->domains;
	g.iova = xcalloc(m->domains, sizeof(*g.iova));
	for (unsigned int i = 0; i < m->domains; i++) {
		pz_rangeset_init(&g.iova[i], &an_meta, NULL, 0);
		/* Address 0 is never given out. */
		(void)pz_rangeset_add(&g.iova[i], (struct pz_range){ GEN_PAGE, GEN_SPACE - 1 });
	}
	g.due = xmalloc(m->steps * sizeof(*g.due));
	memset(g.due, 0xff, m->steps * sizeof(*g.due));
	for (uint64_t step = 0; step < m->steps && t->ops.n < GEN_MAX; step++) {
		if (step == drop_step)
			gen_drop(&g);
		gen_step(&g, step);
	}
	while (g.live.n)
		gen_unmap(&g, g.live.v[g.live.n - 1], false);
	for (unsigned int i = 0; i < m->domains; i++)
		pz_rangeset_destroy(&g.iova[i]);
	free(g.iova);
	free(g.due);
	vec_free(&g.maps);
	vec_free(&g.live);
	if (t->ops.n && t->ops.n < GEN_MAX)
		return 0;
	*err = xasprintf("mix %s: expected 1 to %zu mappings, made %zu", m->name, GEN_MAX / 2,
			 t->ops.n / 2);
	return EXIT_INPUT;
}

void table_ops_destroy(struct table_ops *t)
{
	vec_free(&t->ops);
	free(t->name);
	t->name = NULL;
}
