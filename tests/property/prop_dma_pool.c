/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_dma_pool.c - small coherent objects beside a list of what is out: any layout, boundary,
 * window of a device and order of calls by several CPUs, with misuse in between, and with requests
 * that fail.
 */
#include <physzone/dma_pool.h>
#include <physzone/linux/dma_pool.h>

#include "dma_box.h"
#include "prop.h"

#define DP_OUT 400u

struct dp_world {
	struct dma_box box;
	struct pz_fault_point points[16];
	struct pz_faults faults;
	struct pz_dma_dev *dev;
	struct pz_dma_pool_config cfg;
	struct pz_dma_pool_layout lay;
	struct pz_dma_pool *p;
	uint64_t offset; /* bus less physical address */
	struct dp_out {
		unsigned char *cpu;
		uint64_t bus;
		unsigned char mark;
	} out[DP_OUT];
	uint32_t n;
	uint32_t findings;
	enum pz_dma_pool_fault last;
};

static void dp_tell(void *ctx, const struct pz_dma_pool_finding *f)
{
	struct dp_world *w = ctx;

	w->findings++;
	w->last = f->fault;
}

/* Blocks of a page by trying each place: the oracle of layouts. */
static uint32_t dp_count(const struct dp_world *w, bool lossy)
{
	uint32_t n = 0, at = 0, stride = w->lay.stride, bytes = w->lay.bytes;
	uint32_t edge = w->cfg.boundary && w->cfg.boundary < bytes ? w->cfg.boundary : bytes;
	uint32_t next;

	for (uint32_t end = edge; at + stride <= bytes; at = next) {
		n++;
		next = at + stride;
		if (lossy ? next + stride >= end : next + stride > end) {
			next = end;
			end += edge;
		}
	}
	return n;
}

static bool dp_make(struct prop *p, struct dp_world *w)
{
	uint32_t sizes[] = { 1, 4, 16, 20, 64, 96, 200, 1024, 2048, 2100, 4096, 5000, 9000 };
	enum pzl_model model = (enum pzl_model)prop_choice(p, PZL_MODELS + 2);
	uint32_t align = 1u << prop_draw(p, 8), size;
	struct pz_dma_dev_config dc;
	struct pz_window win = { { DB_FIRST, DB_FIRST + DB_BYTES - 1 }, 0 };
	const char *why = NULL;
	int rc;

	size = prop_choice(p, 2) ? sizes[prop_choice(p, 13)] : (uint32_t)prop_between(p, 1, 6000);
	memset(&w->cfg, 0, sizeof(w->cfg));
	w->cfg.name = "pool";
	w->cfg.size = size;
	w->cfg.align = prop_choice(p, 3) ? align : 0;
	if (prop_choice(p, 2))
		w->cfg.boundary = 1u << prop_between(p, 0, 14);
	w->cfg.debug = prop_choice(p, 4) == 3;
	w->cfg.magazine = (uint32_t)(prop_choice(p, 2) ? prop_between(p, 1, 9) : 0);
	w->cfg.found = dp_tell;
	w->cfg.ctx = w;
	pz_dma_dev_init(&dc, "dev", 40);
	w->offset = prop_choice(p, 2) ? prop_draw(p, 64) * 4096 : 0;
	win.bus = win.phys.first + w->offset;
	dc.windows = &win;
	dc.window_count = 1;
	PROP_ASSERT(p, pz_dma_dev_create(&w->dev, w->box.dma, &dc) == 0);
	if (model < PZL_MODELS) {
		rc = pzl_dma_pool_layout(&w->lay, model, 12, size, w->cfg.align, w->cfg.boundary);
		w->cfg.layout = &w->lay;
	} else {
		rc = pz_dma_pool_layout(&w->lay, 12, size, w->cfg.align, w->cfg.boundary, &why);
	}
	if (rc) {
		PROP_ASSERT(p, w->cfg.boundary && w->cfg.boundary < 2 * size + 2 * align + 16);
		w->p = NULL;
		return true;
	}
	prop_note(p, "size %u align %u boundary %u model %d debug %d", size, w->cfg.align,
		  w->cfg.boundary, (int)model, w->cfg.debug);
	/* What a boundary beyond the page does before 6.12 is linux/dma_pool.c's shortcoming. */
	PROP_ASSERT(p, w->lay.blocks == dp_count(w, model < PZL_LINUX_6_12 &&
							    (!w->cfg.boundary ||
							     w->cfg.boundary <= w->lay.bytes)));
	rc = pz_dma_pool_create(&w->p, w->dev, &w->cfg, &why);
	PROP_ASSERT(p, rc == 0);
	return true;
}

static bool dp_good(struct prop *p, const struct dp_world *w, const struct dp_out *o)
{
	uint64_t last = o->bus + w->cfg.size - 1;

	PROP_ASSERT(p, o->cpu == db_memory + (o->bus - w->offset - DB_FIRST));
	PROP_ASSERT(p, !w->cfg.align || o->bus % w->cfg.align == 0);
	PROP_ASSERT(p, !w->cfg.boundary || o->bus / w->cfg.boundary == last / w->cfg.boundary);
	for (uint32_t i = 0; i < w->n; i++)
		PROP_ASSERT(p, w->out[i].bus > last || w->out[i].bus + w->cfg.size <= o->bus);
	return true;
}

static bool dp_alloc(struct prop *p, struct dp_world *w, uint32_t cpu)
{
	struct dp_out *o = &w->out[w->n];
	uint32_t gfp = prop_choice(p, 4) == 3 ? PZ_GFP_ZERO : 0;
	void *at = NULL;
	int rc;

	if (w->n == DP_OUT)
		return true;
	rc = pz_dma_pool_request(w->p, cpu, gfp, &at, &o->bus);
	PROP_ASSERT(p, rc == 0 || rc == -PZ_ENOMEM);
	if (rc)
		return true;
	o->cpu = at;
	if (!dp_good(p, w, o))
		return false;
	for (uint32_t i = 0; i < w->cfg.size && gfp; i++)
		PROP_ASSERT(p, o->cpu[i] == 0);
	o->mark = (unsigned char)prop_draw(p, 255);
	memset(o->cpu, o->mark, w->cfg.size);
	w->n++;
	return true;
}

static bool dp_free(struct prop *p, struct dp_world *w, uint32_t cpu)
{
	uint32_t i;
	struct dp_out o;

	if (!w->n)
		return true;
	i = (uint32_t)prop_draw(p, w->n - 1);
	o = w->out[i];
	for (uint32_t k = 0; k < w->cfg.size; k++)
		PROP_ASSERT(p, o.cpu[k] == o.mark);
	w->out[i] = w->out[--w->n];
	pz_dma_pool_free(w->p, cpu, o.cpu, o.bus);
	PROP_ASSERT(p, w->findings == 0 && w->box.bugs.count == 0);
	if (prop_choice(p, 8) != 7)
		return true;
	pz_dma_pool_free(w->p, (cpu + 1) % DB_CPUS, o.cpu, o.bus);
	PROP_ASSERT(p, w->findings == 1 && w->last == PZ_DMA_POOL_DOUBLE_FREE);
	w->findings = 0;
	w->box.bugs.count = 0;
	return true;
}

/* A free of an address near a block that is out: never right. */
static bool dp_misuse(struct prop *p, struct dp_world *w, uint32_t cpu)
{
	uint64_t by = prop_between(p, 1, 9000);
	const struct dp_out *o;
	uint64_t bus;

	if (!w->n)
		return true;
	o = &w->out[prop_draw(p, w->n - 1)];
	if (prop_choice(p, 2)) {
		pz_dma_pool_free(w->p, cpu, o->cpu + by, o->bus);
		PROP_ASSERT(p, w->findings == 1 && w->last == PZ_DMA_POOL_BAD_CPU);
	} else {
		bus = o->bus + by;
		for (uint32_t i = 0; i < w->n; i++)
			if (w->out[i].bus == bus)
				return true;
		pz_dma_pool_free(w->p, cpu, o->cpu + by, bus);
		PROP_ASSERT(p, w->findings == 1 && w->last != PZ_DMA_POOL_BAD_CPU &&
				       w->last != PZ_DMA_POOL_CORRUPTED);
	}
	PROP_ASSERT(p, w->box.bugs.count == 1);
	w->findings = 0;
	w->box.bugs.count = 0;
	return true;
}

static bool dp_verify(struct prop *p, struct dp_world *w)
{
	struct pz_dma_pool_info info;
	int check = pz_dma_pool_check(w->p);

	PROP_ASSERT(p, check == 0);
	pz_dma_pool_info(w->p, &info);
	PROP_ASSERT(p, info.used == w->n && info.total == info.pages * w->lay.blocks);
	PROP_ASSERT(p, info.used + info.kept <= info.total && info.fenced == 0);
	return true;
}

static bool dp_steps(struct prop *p, struct dp_world *w)
{
	uint32_t steps = (uint32_t)prop_draw(p, 300), cpu;
	bool ok = true;

	for (uint32_t i = 0; i < steps && ok; i++) {
		unsigned int what = prop_choice(p, 32);

		cpu = (uint32_t)prop_draw(p, DB_CPUS);
		if (cpu == DB_CPUS)
			cpu = PZ_CPU_NONE;
		if (what < 16)
			ok = dp_alloc(p, w, cpu);
		else if (what < 27)
			ok = dp_free(p, w, cpu);
		else if (what == 27)
			pz_dma_pool_drain(w->p, cpu);
		else if (what == 28)
			(void)pz_dma_pool_trim(w->p, cpu);
		else if (what == 29)
			ok = dp_misuse(p, w, cpu);
		else if (what == 30)
			ok = dp_verify(p, w);
		else
			(void)pz_fault_arm(&w->faults, PZ_FAULT_ANY, prop_between(p, 1, 6),
					   prop_draw(p, 3));
	}
	return ok && dp_verify(p, w);
}

static bool dp_property(struct prop *p, void *ctx)
{
	struct dp_world *w = ctx;
	uint64_t bytes;
	struct pz_dma_pool_info info;

	memset(w, 0, sizeof(*w));
	pz_faults_init(&w->faults, w->points, 16);
	PROP_ASSERT(p, db_start(&w->box, &w->faults));
	if (!dp_make(p, w))
		return false;
	if (w->p) {
		if (!dp_steps(p, w))
			return false;
		(void)pz_fault_arm(&w->faults, PZ_FAULT_ANY, 0, 0);
		if (w->n) {
			PROP_ASSERT(p, pz_dma_pool_destroy(w->p, NULL, NULL) == -PZ_EBUSY);
			w->box.bugs.count = 0;
		}
		while (w->n)
			if (!dp_free(p, w, 0))
				return false;
		for (uint32_t i = 0; i < DB_CPUS; i++)
			pz_dma_pool_drain(w->p, i);
		pz_dma_pool_info(w->p, &info);
		bytes = pz_dma_pool_trim(w->p, 0);
		PROP_ASSERT(p, bytes == info.pages * w->lay.bytes);
		PROP_ASSERT(p, pz_dma_pool_check(w->p) == 0);
		PROP_ASSERT(p, pz_dma_pool_destroy(w->p, NULL, NULL) == 0);
	}
	PROP_ASSERT(p, pz_dma_dev_destroy(w->dev) == 0);
	PROP_ASSERT(p, w->findings == 0 && w->box.bugs.count == 0);
	PROP_ASSERT(p, db_stop(&w->box));
	return true;
}

int main(void)
{
	static struct dp_world w;

	prop_run("pools of small coherent objects", dp_property, &w, 1500);
	return prop_done();
}
