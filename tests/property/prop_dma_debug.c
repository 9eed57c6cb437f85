/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_dma_debug.c - the debug mode beside a list of what is mapped: right use of everything, in
 * any order, finds nothing; one misuse in it is found once, for what it is, with its mapping.
 */
#include <physzone/dma_debug.h>

#include "dma_box.h"
#include "prop.h"

#define DD_DEVS 2u
#define DD_OUT 48u
#define DD_SLOTS 64u /* places of memory that do not overlap */

struct dd_world {
	struct dma_box box;
	struct pz_dma_dev *dev[DD_DEVS];
	struct pz_dma_debug *d;
	struct dd_out {
		struct pz_dma_use use;
		uint64_t site;
		uint32_t slot;
		bool checked;
	} out[DD_OUT];
	uint32_t n;
	bool taken[DD_SLOTS];
	uint64_t site, sites;
	uint32_t findings;
	struct pz_dma_misuse_found last;
};

static void dd_tell(void *ctx, const struct pz_dma_misuse_found *f)
{
	struct dd_world *w = ctx;

	w->findings++;
	w->last = *f;
}

static uint64_t dd_site(void *ctx)
{
	return ((struct dd_world *)ctx)->site;
}

/* Memory of a slot, which is 64 KiB: a part of it, so that no cache line is shared. */
static void dd_draw(struct prop *p, struct dd_world *w, uint32_t slot, struct pz_dma_use *u)
{
	uint64_t from = prop_draw(p, 0x7fff), window = (uint64_t)slot << 16;

	memset(u, 0, sizeof(*u));
	u->dev = w->dev[prop_choice(p, DD_DEVS)];
	u->kind = (enum pz_dma_kind)prop_choice(p, 4);
	u->dir = (enum pz_dma_dir)prop_choice(p, 3);
	u->phys = window + from;
	u->bus = u->phys + 0x40000000;
	u->size = prop_between(p, 1, 0x8000);
	u->memory = (const void *)(uintptr_t)(u->phys + 0x1000);
	if (u->kind == PZ_DMA_SG) {
		u->sg_count = (uint32_t)prop_between(p, 1, 5);
		u->sg_index = (uint32_t)prop_draw(p, u->sg_count - 1);
	}
}

/* Of what is wrong with a list nothing is told but of its first element. */
static bool dd_later(const struct pz_dma_use *u)
{
	return u->kind == PZ_DMA_SG && u->sg_index;
}

static bool dd_clean(struct prop *p, struct dd_world *w)
{
	PROP_ASSERT(p, w->findings == 0);
	return true;
}

static bool dd_found(struct prop *p, struct dd_world *w, enum pz_dma_misuse what,
		     const struct dd_out *o)
{
	if (w->findings != 1 || w->last.what != what)
		prop_note(p, "%u findings, the last: %s; wanted: %s", w->findings,
			  pz_dma_misuse_name(w->last.what), pz_dma_misuse_name(what));
	PROP_ASSERT(p, w->findings == 1 && w->last.what == what);
	if (o)
		PROP_ASSERT(p, w->last.known && w->last.mapping.site == o->site &&
				       w->last.mapping.use.bus == o->use.bus);
	w->findings = 0;
	return true;
}

static bool dd_map(struct prop *p, struct dd_world *w)
{
	struct dd_out *o = &w->out[w->n];
	uint32_t slot = (uint32_t)prop_draw(p, DD_SLOTS - 1);

	if (w->n == DD_OUT || w->taken[slot])
		return true;
	dd_draw(p, w, slot, &o->use);
	o->slot = slot;
	o->site = w->site = ++w->sites;
	o->checked = false;
	w->taken[slot] = true;
	w->n++;
	pz_dma_debug_map(w->d, &o->use);
	w->site = 0;
	if (o->use.kind == PZ_DMA_SINGLE && prop_choice(p, 8)) {
		pz_dma_debug_checked(w->d, o->use.dev, o->use.bus);
		o->checked = true;
	}
	return dd_clean(p, w);
}

static bool dd_unmap(struct prop *p, struct dd_world *w, uint32_t i)
{
	struct dd_out o = w->out[i];

	w->taken[o.slot] = false;
	w->out[i] = w->out[--w->n];
	pz_dma_debug_unmap(w->d, &o.use);
	if (o.use.kind == PZ_DMA_SINGLE && !o.checked)
		return dd_found(p, w, PZ_DMA_UNMAP_UNCHECKED, &o);
	return dd_clean(p, w);
}

/* Make sure that the next unmap is right but for what is changed in it. */
static void dd_check_it(struct dd_world *w, struct dd_out *o)
{
	if (o->use.kind == PZ_DMA_SINGLE && !o->checked)
		pz_dma_debug_checked(w->d, o->use.dev, o->use.bus);
	o->checked = true;
}

static bool dd_wrong_unmap(struct prop *p, struct dd_world *w, uint32_t i)
{
	struct dd_out o;
	struct pz_dma_use u;
	enum pz_dma_misuse what = PZ_DMA_UNMAP_SIZE;
	bool stays = false, known;

	dd_check_it(w, &w->out[i]);
	o = w->out[i];
	u = o.use;
	switch (prop_choice(p, 7)) {
	case 0:
		u.size += prop_between(p, 1, 100);
		break;
	case 1:
		what = PZ_DMA_UNMAP_DIR;
		u.dir = (enum pz_dma_dir)((u.dir + 1) % 3);
		break;
	case 2:
		what = PZ_DMA_UNMAP_KIND;
		u.kind = (enum pz_dma_kind)((u.kind + 1) % 4);
		stays = u.kind != PZ_DMA_SG; /* what may stream takes the other's place only */
		break;
	case 3:
		what = PZ_DMA_UNMAP_DEVICE;
		u.dev = w->dev[u.dev == w->dev[0]];
		stays = true;
		break;
	case 4:
		what = PZ_DMA_UNMAP_UNKNOWN;
		u.bus += prop_between(p, 1, 0x7000);
		stays = true;
		break;
	case 5:
		what = PZ_DMA_UNMAP_ERROR;
		u.bus = PZ_DMA_ERROR;
		stays = true;
		break;
	case 6:
		if (u.kind == PZ_DMA_SG) {
			what = PZ_DMA_UNMAP_COUNT;
			u.sg_count++;
			u.sg_index = 0;
		} else if (u.kind == PZ_DMA_COHERENT) {
			what = PZ_DMA_UNMAP_MEMORY;
			u.phys ^= 0x100;
		} else {
			return true;
		}
	}
	pz_dma_debug_unmap(w->d, &u);
	known = !stays || what == PZ_DMA_UNMAP_DEVICE || what == PZ_DMA_UNMAP_KIND;
	if (!stays) {
		w->taken[o.slot] = false;
		w->out[i] = w->out[--w->n];
	}
	if (dd_later(&u) && what != PZ_DMA_UNMAP_SIZE && what != PZ_DMA_UNMAP_ERROR)
		return dd_clean(p, w);
	return dd_found(p, w, what, known ? &o : NULL);
}

/* A sync of a part, right or wrong. */
static bool dd_sync(struct prop *p, struct dd_world *w, uint32_t i)
{
	const struct dd_out *o = &w->out[i];
	struct pz_dma_use u = o->use;
	uint64_t from = prop_draw(p, u.size - 1);
	bool for_cpu = prop_choice(p, 2), both = o->use.dir == PZ_DMA_BIDIRECTIONAL;
	enum pz_dma_misuse what = PZ_DMA_MISUSES;

	u.bus += from;
	u.size = prop_between(p, 1, u.size - from);
	switch (prop_choice(p, 6)) {
	case 3:
		what = PZ_DMA_SYNC_RANGE;
		u.size = o->use.size - from + prop_between(p, 1, 100);
		break;
	case 4:
		what = PZ_DMA_SYNC_UNKNOWN;
		u.dev = w->dev[u.dev == w->dev[0]];
		break;
	case 5:
		u.dir = (enum pz_dma_dir)((u.dir + 1) % 3);
		if (both)
			break;
		what = PZ_DMA_SYNC_DIR;
		if (for_cpu && o->use.dir == PZ_DMA_TO_DEVICE)
			what = PZ_DMA_SYNC_READ_ONLY;
		if (!for_cpu && o->use.dir == PZ_DMA_FROM_DEVICE)
			what = PZ_DMA_SYNC_WRITE_ONLY;
		break;
	default:
		if (both)
			u.dir = (enum pz_dma_dir)prop_choice(p, 3);
	}
	pz_dma_debug_sync(w->d, &u, for_cpu);
	if (what == PZ_DMA_MISUSES || (dd_later(&u) && what != PZ_DMA_SYNC_RANGE))
		return dd_clean(p, w);
	return dd_found(p, w, what, what == PZ_DMA_SYNC_UNKNOWN ? NULL : o);
}

/* A second mapping of memory that the device may write to, by any device and any call. */
static bool dd_overlap(struct prop *p, struct dd_world *w, uint32_t i)
{
	const struct dd_out *o = &w->out[i];
	struct pz_dma_use u;
	bool wrong = o->use.dir != PZ_DMA_TO_DEVICE && o->use.kind != PZ_DMA_RESOURCE;
	uint64_t at = o->use.phys + prop_draw(p, o->use.size - 1);

	memset(&u, 0, sizeof(u));
	u.dev = w->dev[0];
	u.kind = PZ_DMA_SG;
	u.sg_count = 1;
	u.dir = (enum pz_dma_dir)prop_choice(p, 3);
	u.phys = at;
	u.bus = 0x80000000;
	u.size = 1;
	pz_dma_debug_map(w->d, &u);
	if (wrong && u.dir != PZ_DMA_TO_DEVICE) {
		if (!dd_found(p, w, PZ_DMA_MAP_OVERLAP, o))
			return false;
	}
	pz_dma_debug_unmap(w->d, &u);
	return dd_clean(p, w);
}

static bool dd_release(struct prop *p, struct dd_world *w)
{
	const struct pz_dma_dev *dev = w->dev[prop_choice(p, DD_DEVS)];
	const struct dd_out *oldest = NULL;
	uint64_t n = 0;

	for (uint32_t i = 0; i < w->n; i++) {
		if (w->out[i].use.dev != dev)
			continue;
		n++;
		if (!oldest || w->out[i].site < oldest->site)
			oldest = &w->out[i];
	}
	pz_dma_debug_release(w->d, dev);
	if (!n)
		return dd_clean(p, w);
	PROP_ASSERT(p, w->last.count == n);
	return dd_found(p, w, PZ_DMA_LEAK, oldest);
}

static bool dd_step(struct prop *p, struct dd_world *w)
{
	unsigned int what = prop_choice(p, 16);
	uint32_t i = w->n ? (uint32_t)prop_draw(p, w->n - 1) : 0;
	int check;

	if (what < 6 || !w->n)
		return dd_map(p, w);
	if (what < 9)
		return dd_unmap(p, w, i);
	if (what < 11)
		return dd_wrong_unmap(p, w, i);
	if (what < 13)
		return dd_sync(p, w, i);
	if (what == 13)
		return dd_overlap(p, w, i);
	if (what == 14)
		return dd_release(p, w);
	check = pz_dma_debug_check(w->d);
	PROP_ASSERT(p, check == 0);
	return true;
}

static bool dd_property(struct prop *p, void *ctx)
{
	struct pz_dma_debug_config cfg = { .entries = DD_OUT + 1 };
	struct pz_dma_debug_stat s;
	struct pz_dma_dev_config dc;
	struct dd_world *w = ctx;
	uint32_t steps = (uint32_t)prop_draw(p, 250);

	memset(w, 0, sizeof(*w));
	PROP_ASSERT(p, db_start(&w->box, NULL));
	for (unsigned int i = 0; i < DD_DEVS; i++) {
		pz_dma_dev_init(&dc, "dev", 32);
		PROP_ASSERT(p, pz_dma_dev_create(&w->dev[i], w->box.dma, &dc) == 0);
	}
	cfg.meta = &w->box.hook.meta;
	cfg.found = dd_tell;
	cfg.site = dd_site;
	cfg.ctx = w;
	PROP_ASSERT(p, pz_dma_debug_create(&w->d, &cfg) == 0);
	while (steps--)
		if (!dd_step(p, w))
			return false;
	pz_dma_debug_stat(w->d, &s);
	PROP_ASSERT(p, s.free == s.entries - w->n && s.lost == 0);
	while (w->n)
		if (!dd_unmap(p, w, w->n - 1))
			return false;
	PROP_ASSERT(p, pz_dma_debug_check(w->d) == 0);
	pz_dma_debug_destroy(w->d);
	for (unsigned int i = 0; i < DD_DEVS; i++)
		PROP_ASSERT(p, pz_dma_dev_destroy(w->dev[i]) == 0);
	PROP_ASSERT(p, db_stop(&w->box));
	return true;
}

int main(void)
{
	static struct dd_world w;

	prop_run("what drivers do wrong", dd_property, &w, 2000);
	return prop_done();
}
