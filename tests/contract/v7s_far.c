/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_far.c - see v7s_far.h.
 */
#include "v7s_far.h"

static void vf_for_device(void *ctx, uint64_t phys, uint64_t bytes, enum pz_dma_dir dir)
{
	struct v7s_far *f = ctx;
	uint64_t off = phys - DS_FIRST;

	(void)dir;
	f->syncs++;
	f->sync_bytes += bytes;
	for (uint64_t i = off; i < off + bytes && i < f->bytes; i++)
		f->seen[i] = f->m.memory[i];
}

bool vf_open(struct v7s_far *f, struct tap *t, struct v7s_box *b, uint64_t offset)
{
	struct pz_window w = { { DS_FIRST, DS_FIRST + DS_BYTES - 1 }, DS_FIRST + offset };
	struct pz_dma_dev_config cfg;

	vb_clear(f, sizeof(*f));
	if (!ds_lay_out(&f->m, t))
		return false;
	f->m.cfg.hooks.for_device = vf_for_device;
	if (!ds_make(&f->m))
		return false;
	pz_dma_dev_init(&cfg, "walker", 32);
	cfg.coherent = false;
	cfg.windows = &w;
	cfg.window_count = offset ? 1 : 0;
	f->bytes = (size_t)b->slots * VB_SLOT;
	f->seen = t->meta->alloc(t->meta->ctx, f->bytes);
	if (!CHECK_NAMED(t, f->seen && pz_dma_dev_create(&f->dev, f->m.dma, &cfg) == 0,
			 "a walker is there"))
		return false;
	for (size_t i = 0; i < f->bytes; i++)
		f->seen[i] = 0x92;
	b->arena = f->m.memory;
	b->base = DS_FIRST;
	b->seen = f->seen;
	b->cfg.coherent_walk = false;
	b->cfg.dev = f->dev;
	return true;
}

void vf_close(struct v7s_far *f, struct tap *t)
{
	t->meta->free(t->meta->ctx, f->seen, f->bytes);
	CHECK(t, pz_dma_dev_destroy(f->dev) == 0);
	ds_close(&f->m);
}

bool vf_current(const struct v7s_far *f, const struct v7s_box *b)
{
	for (uint32_t i = 0; i < b->slots; i++)
		if (b->len[i] && !vb_same_slot(b, f->seen, i))
			return false;
	return true;
}
