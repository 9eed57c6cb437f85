/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_bounce_keep.c - runs of bounce slots that CPUs keep, beside an oracle that knows which slots
 * are mapped: whoever asks is refused exactly when no place is left, whatever CPUs keep.
 */
#include "prop.h"
#include "dma_box.h"

#include <physzone/bounce.h>
#include <physzone/dma_map.h>

#define BK_SLOTS 72u /* more than a word of the map */
#define BK_MAPS 24u
#define BK_DEVICES 2u

struct bk_map {
	struct pz_dma_dev *dev;
	uint64_t bus, size; /* size 0: none */
};

struct bk_world {
	struct dma_box box;
	struct pz_bounce *b;
	struct pz_dma_dev *dev[BK_DEVICES];
	uint64_t align[BK_DEVICES];
	uint64_t first, pfn;
	struct bk_map map[BK_MAPS];
	unsigned char taken[BK_SLOTS];
	uint64_t used;
};

static bool bk_start(struct bk_world *w)
{
	struct pz_limits any = PZ_LIMITS_ANY;
	struct pz_bounce_config bc;
	struct pz_dma_dev_config dc;
	struct pz_range aside;

	memset(w, 0, sizeof(*w));
	memset(&bc, 0, sizeof(bc));
	if (!db_start(&w->box, NULL) || pz_dma_destroy(w->box.dma) ||
	    pz_alloc_pages_exact(w->box.pages, 0, 0, BK_SLOTS * PZ_BOUNCE_SLOT, &any, &w->pfn))
		return false;
	w->first = aside.first = w->pfn << 12;
	aside.last = aside.first + BK_SLOTS * PZ_BOUNCE_SLOT - 1;
	bc.meta = &w->box.hook.meta;
	bc.bugs = &w->box.bugs;
	bc.ranges = &aside;
	bc.range_count = 1;
	bc.cpus = DB_CPUS;
	bc.hooks.direct = db_direct;
	if (pz_bounce_create(&w->b, &bc))
		return false;
	w->box.cfg.bounce = w->b;
	if (pz_dma_create(&w->box.dma, &w->box.cfg))
		return false;
	for (uint32_t i = 0; i < BK_DEVICES; i++) {
		pz_dma_dev_init(&dc, "bounced", 32);
		dc.force_bounce = true;
		dc.align = w->align[i] = i ? 8192 : 1;
		if (pz_dma_dev_create(&w->dev[i], w->box.dma, &dc))
			return false;
	}
	return true;
}

static bool bk_stop(struct bk_world *w)
{
	bool ok = true;

	for (uint32_t i = 0; i < BK_DEVICES; i++)
		ok = ok && !pz_dma_dev_destroy(w->dev[i]);
	ok = ok && !pz_dma_destroy(w->box.dma) && !pz_bounce_destroy(w->b);
	pz_free_exact(w->box.pages, 0, w->pfn, BK_SLOTS * PZ_BOUNCE_SLOT >> 12);
	w->box.cfg.bounce = NULL;
	return ok && !pz_dma_create(&w->box.dma, &w->box.cfg) && db_stop(&w->box);
}

static bool bk_free(const struct bk_world *w, uint32_t at, uint32_t n)
{
	for (uint32_t i = at; i < at + n; i++)
		if (i >= BK_SLOTS || w->taken[i])
			return false;
	return true;
}

/* Whether a run of @n slots has a place that suits. */
static bool bk_room(const struct bk_world *w, uint32_t n, uint64_t align)
{
	for (uint32_t at = 0; at < BK_SLOTS; at++)
		if ((w->first + at * PZ_BOUNCE_SLOT) % align == 0 && bk_free(w, at, n))
			return true;
	return false;
}

static void bk_mark(struct bk_world *w, const struct bk_map *x, bool taken)
{
	uint32_t at = (uint32_t)((x->bus - w->first) / PZ_BOUNCE_SLOT);
	uint32_t n = (uint32_t)((x->size - 1) / PZ_BOUNCE_SLOT + 1);

	memset(w->taken + at, taken, n);
	w->used += taken ? n : 0 - (uint64_t)n;
}

static uint32_t bk_cpu(struct prop *p)
{
	uint32_t cpu = prop_choice(p, DB_CPUS + 1);

	return cpu < DB_CPUS ? cpu : PZ_CPU_NONE;
}

static bool bk_do_map(struct prop *p, struct bk_world *w, struct bk_map *x)
{
	uint32_t d = prop_choice(p, BK_DEVICES), cpu = bk_cpu(p), most = prop_choice(p, 4) ? 4 : 50;
	uint32_t n = (uint32_t)prop_between(p, 1, most);
	uint64_t size = n * PZ_BOUNCE_SLOT - prop_draw(p, 100), at;
	bool room = bk_room(w, n, w->align[d]);
	int rc = pz_dma_map_try(w->dev[d], cpu, DB_FIRST, size, PZ_DMA_TO_DEVICE, 0, &x->bus);

	prop_note(p, "map %u slots, device %u, CPU %d: %d", n, d, (int)cpu, rc);
	PROP_ASSERT(p, rc == (room ? 0 : -PZ_ENOMEM));
	if (rc)
		return true;
	at = x->bus - w->first;
	PROP_ASSERT(p, at % PZ_BOUNCE_SLOT == 0 && x->bus % w->align[d] == 0);
	PROP_ASSERT(p, bk_free(w, (uint32_t)(at / PZ_BOUNCE_SLOT), n));
	x->dev = w->dev[d];
	x->size = size;
	bk_mark(w, x, true);
	return true;
}

static void bk_unmap(struct bk_world *w, uint32_t cpu, struct bk_map *x)
{
	pz_dma_unmap(x->dev, cpu, x->bus, x->size, PZ_DMA_TO_DEVICE, 0);
	bk_mark(w, x, false);
	x->size = 0;
}

static bool bk_numbers(struct prop *p, const struct bk_world *w)
{
	struct pz_bounce_stat st;
	uint32_t longest = 0;

	while (bk_room(w, longest + 1, 1))
		longest++;
	pz_bounce_stat(w->b, &st);
	PROP_ASSERT(p, st.used == w->used && st.largest == longest);
	PROP_ASSERT(p, pz_bounce_check(w->b) == 0 && w->box.bugs.count == 0);
	return true;
}

static bool bk_property(struct prop *p, void *ctx)
{
	struct bk_world *w = ctx;
	uint32_t steps = (uint32_t)prop_between(p, 1, 80);
	bool ok = bk_start(w);

	for (uint32_t i = 0; ok && i < steps; i++) {
		struct bk_map *x = &w->map[prop_draw(p, BK_MAPS - 1)];

		if (x->size)
			bk_unmap(w, bk_cpu(p), x);
		else
			ok = bk_do_map(p, w, x);
		ok = ok && bk_numbers(p, w);
	}
	for (uint32_t i = 0; i < BK_MAPS; i++)
		if (w->map[i].size)
			bk_unmap(w, i % DB_CPUS, &w->map[i]);
	return bk_stop(w) && ok;
}

int main(void)
{
	static struct bk_world w;

	prop_run("what CPUs keep is refused to nobody", bk_property, &w, 1500);
	return prop_done();
}
