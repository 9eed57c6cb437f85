/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * deliver.c - what a device gets in the end: allocations until there is none, on the machine as it
 * is when it has started, by Linux's DMA layer of each model and by physzone's.
 *
 * Concept: start-up is that of `physzone boot`. A device asks for the largest blocks first and then
 * for ever smaller ones, which sums up to what single pages would, in fewer calls. What it got is
 * given back before the next device asks.
 *
 * Failure: a machine that a model cannot start has no answer.
 *
 * Shortcomings: devices that may block are meant; no other device takes anything. A machine of more
 * than 1 TiB is not tried: it would take too many calls.
 */
#include "reach.h"

#include <stdlib.h>
#include <string.h>

#include <physzone/linux/dma.h>

#include "../boot/boot.h"

#define DELIVER_MOST (UINT64_C(1) << 40)

/* A device on a started machine, under the one layer or the other. */
struct deliver {
	const struct boot *b;
	struct pzl_dma linux_dma;
	struct pzl_dma_dev linux_dev;
	struct pz_dma *dma;
	struct pz_dma_dev *dev;
	VEC(struct pz_dma_buf) got;
	VEC(struct pzl_dma_buf) linux_got;
};

/* Windows of one to one, where the device does not reach all from 0 on; to be freed. */
static struct pz_window *deliver_windows(const struct device *d, struct pz_dma_dev_config *cfg)
{
	struct pz_window *w;

	if (d->windows.n == 1 && !d->windows.v[0].first)
		return NULL;
	w = xcalloc(d->windows.n, sizeof(*w));
	for (size_t i = 0; i < d->windows.n; i++) {
		w[i].phys = d->windows.v[i];
		w[i].bus = w[i].phys.first;
	}
	cfg->windows = w;
	cfg->window_count = (uint32_t)d->windows.n;
	return w;
}

static bool deliver_one(struct deliver *d, uint64_t bytes)
{
	struct pzl_dma_buf linux_buf;
	struct pz_dma_buf buf;

	if (!d->dma) {
		if (pzl_dma_alloc(&d->linux_dma, &d->linux_dev, bytes, PZL_GFP_KERNEL,
				  PZ_DMA_NO_KERNEL_MAPPING | PZ_DMA_NO_WARN, &linux_buf))
			return false;
		*vec_push(&d->linux_got) = linux_buf;
		return true;
	}
	if (pz_dma_alloc(d->dev, 0, PZ_GFP_BLOCK | PZ_GFP_NORETRY, PZ_DMA_NO_KERNEL_MAPPING, bytes,
			 &buf))
		return false;
	*vec_push(&d->got) = buf;
	return true;
}

static uint64_t deliver_all(struct deliver *d)
{
	unsigned int shift = d->b->analysis.page_shift;
	unsigned int order = pzl_max_order(d->b->analysis.arch, shift) + 1;
	uint64_t pages = 0;

	while (order-- > 0)
		while (deliver_one(d, UINT64_C(1) << (order + shift)))
			pages += UINT64_C(1) << order;
	while (d->got.n)
		pz_dma_free(d->dev, 0, &d->got.v[--d->got.n]);
	while (d->linux_got.n)
		pzl_dma_free(&d->linux_dma, &d->linux_dev, &d->linux_got.v[--d->linux_got.n],
			     false);
	return pages;
}

static void deliver_device(struct deliver *d, const struct device *device,
			   struct reach_delivery *out)
{
	struct pz_dma_dev_config cfg;
	struct pz_window *w;

	pz_dma_dev_init(&cfg, device->name, 64);
	cfg.mask = cfg.coherent_mask = device_last(device);
	w = deliver_windows(device, &cfg);
	if (!d->dma) {
		memset(&d->linux_dev, 0, sizeof(d->linux_dev));
		d->linux_dev.cfg = cfg;
		out->known = true;
		if (!pzl_dma_set_masks(&d->linux_dma, &d->linux_dev, cfg.mask))
			out->pages = deliver_all(d);
	} else if (!pz_dma_dev_create(&d->dev, d->dma, &cfg)) {
		out->known = true;
		out->pages = deliver_all(d);
		(void)pz_dma_dev_destroy(d->dev);
	}
	free(w);
}

static bool deliver_open(struct deliver *d, const struct boot *b, const struct facts *f)
{
	uint32_t cma = b->areas.n ? b->areas.v[b->areas.n - 1] : PZ_DMA_NO_CMA;

	memset(d, 0, sizeof(*d));
	d->b = b;
	if (b->physzone) {
		struct pz_dma_config cfg;

		memset(&cfg, 0, sizeof(cfg));
		cfg.pages = b->pages;
		cfg.meta = &an_meta;
		cfg.cpus = 1;
		cfg.cma = cma;
		return !pz_dma_create(&d->dma, &cfg);
	} else {
		struct pzl_dma_config cfg;

		pzl_dma_config_init(&cfg, b->rules, b->analysis.arch);
		cfg.boot = boot_in(b, f);
		cfg.build &= ~PZL_DMA_POOL; /* they are there: start-up made them */
		cfg.pages = b->pages;
		cfg.meta = &an_meta;
		cfg.cma = cma;
		return !pzl_dma_init(&d->linux_dma, &cfg);
	}
}

static void deliver_close(struct deliver *d)
{
	if (d->dma)
		(void)pz_dma_destroy(d->dma);
	else
		pzl_dma_destroy(&d->linux_dma);
	vec_free(&d->got);
	vec_free(&d->linux_got);
}

void reach_deliver(struct reach *r, size_t n, unsigned int shift, struct facts *f,
		   const struct analysis_options *how)
{
	if (!n || r->managed > DELIVER_MOST >> shift)
		return;
	for (int m = 0; m <= PZL_MODELS; m++) {
		bool own = m == PZL_MODELS;
		struct boot_options o = {
			.how = *how,
			.model = own ? "physzone" : pzl_model_name((enum pzl_model)m),
			.device_max = PZ_ADDR_MAX,
		};
		struct deliver d;
		struct boot b;
		char *err;

		if (!boot_run(&b, f, &o, &err) && deliver_open(&d, &b, f)) {
			for (size_t i = 0; i < n; i++)
				deliver_device(&d, &r[i].device,
					       own ? &r[i].delivery : &r[i].model[m].delivery);
			deliver_close(&d);
		}
		free(err);
		boot_destroy(&b);
	}
}
