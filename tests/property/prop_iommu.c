/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_iommu.c - random lives of domains beside a map of where each granule should lead.
 *
 * A master reads and writes at its bus addresses; the IOMMU in front of it keeps every translation
 * until it is told to forget. Reached is what is mapped, in whole granules, and nothing else;
 * addresses come back only when no translation of them is kept; memory of a buffer that was freed
 * is kept by none.
 */
#include "../contract/iommu_box.h"
#include "hook.h"
#include "prop.h"

#define IM_MOST 700u /* granules of a space */
#define IM_OUT 40u
#define IM_LIST 5u
#define IM_NONE UINT64_MAX

enum im_kind { IM_SINGLE, IM_LISTED, IM_BUFFER, IM_RESOURCE };

struct im_out {
	enum im_kind kind;
	enum pz_dma_dir dir;
	uint64_t bus, phys, size;
	struct pz_sg sg[IM_LIST];
	uint32_t n;
	struct pz_iommu_buf buf;
};

struct im_world {
	struct hook hook;
	struct tap tap;
	struct iommu_box b;
	struct pz_iommu_dev *dev;
	struct pz_iommu_dev_config dc;
	uint64_t granule, base; /* base: the first address of the space */
	uint32_t count;		/* granules */
	uint64_t lead[IM_MOST]; /* where each should lead, IM_NONE for nowhere */
	bool write[IM_MOST];
	bool taken[IM_MOST]; /* also those between the elements of a list */
	struct im_out out[IM_OUT];
	uint32_t n;
	uint32_t buffers;
	bool perms;
};

static void im_silent(void *ctx, const char *s, size_t n)
{
	(void)ctx;
	(void)s;
	(void)n;
}

static uint64_t im_memory_first(const struct im_world *w)
{
	return w->perms ? IB_LOW : IB_HIGH;
}

static uint64_t im_memory_bytes(const struct im_world *w)
{
	return w->perms ? IB_LOW_BYTES : IB_HIGH_BYTES;
}

/* The granule of a bus address. */
static uint64_t im_index(const struct im_world *w, uint64_t bus)
{
	return (bus - w->base) / w->granule;
}

static const struct master_kept *im_kept(const struct im_world *w, uint64_t addr)
{
	for (uint32_t i = 0; i < IB_KEPT; i++) {
		const struct master_kept *k = &w->b.kept[i];

		if (k->size && addr >= k->iova && addr - k->iova < k->size)
			return k;
	}
	return NULL;
}

/* Granules of [@bus, @bus + @size) lead to memory from @phys on. */
static bool im_lead(struct prop *p, struct im_world *w, uint64_t bus, uint64_t phys, uint64_t size,
		    bool write)
{
	uint64_t off = phys % w->granule;

	PROP_ASSERT(p, bus % w->granule == off && bus >= w->base && bus + (size - 1) <= w->dc.mask);
	for (uint64_t at = bus - off; at < bus + size; at += w->granule) {
		uint64_t i = im_index(w, at);

		PROP_ASSERT(p, i < w->count && !w->taken[i]);
		PROP_ASSERT(p, !im_kept(w, at) && !im_kept(w, at + w->granule - 1));
		w->taken[i] = true;
		w->lead[i] = phys - off + (at - (bus - off));
		w->write[i] = write;
	}
	return true;
}

static void im_forget(struct im_world *w, uint64_t bus, uint64_t size)
{
	for (uint64_t i = im_index(w, bus); i <= im_index(w, bus + size - 1); i++) {
		w->lead[i] = IM_NONE;
		w->taken[i] = false;
	}
}

/* Whether @bytes would fit anywhere. */
static bool im_room(const struct im_world *w, uint64_t bytes)
{
	uint64_t run = 0;

	for (uint32_t i = 0; i < w->count; i++) {
		if (w->base + (i + 1) * w->granule - 1 > w->dc.mask)
			return false;
		run = w->taken[i] ? 0 : run + 1;
		if (run * w->granule >= bytes)
			return true;
	}
	return false;
}

static uint32_t im_cpu(struct prop *p)
{
	uint32_t cpu = prop_choice(p, IB_CPUS + 1);

	return cpu == IB_CPUS ? PZ_CPU_NONE : cpu;
}

static uint64_t im_draw_size(struct prop *p, const struct im_world *w)
{
	uint64_t most = im_memory_bytes(w) / 2;

	switch (prop_choice(p, 4)) {
	case 0:
		return prop_between(p, 1, 3 * w->granule);
	case 1:
		return w->granule << prop_draw(p, w->granule > 4096 ? 2 : 4);
	case 2:
		return prop_between(p, 1, 100);
	default:
		return prop_between(p, 1, most);
	}
}

static struct im_out *im_new(struct prop *p, struct im_world *w, enum im_kind kind)
{
	struct im_out *o = &w->out[w->n];

	memset(o, 0, sizeof(*o));
	o->kind = kind;
	o->dir = (enum pz_dma_dir)prop_choice(p, 3);
	o->size = im_draw_size(p, w);
	o->phys = im_memory_first(w) + prop_draw(p, im_memory_bytes(w) - o->size);
	return o;
}

static bool im_map(struct prop *p, struct im_world *w, bool resource)
{
	struct im_out *o = im_new(p, w, resource ? IM_RESOURCE : IM_SINGLE);
	uint64_t off = o->phys % w->granule, bytes = off + o->size;
	bool armed = w->b.faults.arm.fail;
	uint32_t cpu = im_cpu(p);
	int rc;

	bytes = (bytes + w->granule - 1) / w->granule * w->granule;
	rc = resource ? pz_iommu_map_resource(w->dev, cpu, 0, o->phys, o->size, o->dir, 0, &o->bus)
		      : pz_iommu_map(w->dev, cpu, 0, o->phys, o->size, o->dir, 0, &o->bus);
	prop_note(p, "map %llx, %llx bytes: %d %llx", (unsigned long long)o->phys,
		  (unsigned long long)o->size, rc, (unsigned long long)o->bus);
	if (rc) {
		PROP_ASSERT(p, rc == -PZ_ENOMEM || rc == -PZ_ERANGE);
		PROP_ASSERT(p, w->dc.boundary || w->buffers || armed || !im_room(w, bytes));
		return true;
	}
	PROP_ASSERT(p, !w->dc.boundary ||
			       o->bus / w->dc.boundary == (o->bus + o->size - 1) / w->dc.boundary);
	w->n++;
	return im_lead(p, w, o->bus, o->phys, o->size, o->dir != PZ_DMA_TO_DEVICE);
}

/* The elements come out of the segments as they lie behind each other there. */
static bool im_segments(struct prop *p, struct im_world *w, const struct im_out *o, uint32_t count)
{
	uint64_t done = 0;
	uint32_t s = 0;

	for (uint32_t i = 0; i < o->n; i++) {
		const struct pz_sg *e = &o->sg[i];

		PROP_ASSERT(p, s < count && o->sg[s].bus_len >= done + e->len);
		if (!im_lead(p, w, o->sg[s].bus + done, e->phys, e->len,
			     o->dir != PZ_DMA_TO_DEVICE))
			return false;
		done += e->len;
		if (done == o->sg[s].bus_len) {
			const struct pz_sg *seg = &o->sg[s++];
			uint64_t last = seg->bus + seg->bus_len - 1;

			PROP_ASSERT(p, !w->dc.boundary ||
					       seg->bus / w->dc.boundary == last / w->dc.boundary);
			PROP_ASSERT(p, !w->dc.max_segment || seg->bus_len <= w->dc.max_segment);
			done = 0;
		}
	}
	PROP_ASSERT(p, s == count && done == 0);
	/* What lies between leads nowhere, and is nobody else's. */
	for (uint64_t at = o->sg[0].bus; at < o->sg[s - 1].bus; at += w->granule)
		w->taken[im_index(w, at)] = true;
	return true;
}

static bool im_map_sg(struct prop *p, struct im_world *w)
{
	struct im_out *o = im_new(p, w, IM_LISTED);
	uint64_t last = 0;
	uint32_t count;
	int rc;

	o->n = (uint32_t)prop_between(p, 1, IM_LIST);
	for (uint32_t i = 0; i < o->n; i++) {
		uint64_t len = prop_choice(p, 2) ? w->granule * prop_between(p, 1, 3)
						 : prop_between(p, 1, 5000);
		uint64_t at = prop_draw(p, im_memory_bytes(w) - len);

		o->sg[i].len = len;
		o->sg[i].phys = im_memory_first(w) + (prop_choice(p, 2) ? at & ~0xfffull : at);
		if (i && prop_choice(p, 3) == 0 &&
		    last - im_memory_first(w) + len <= im_memory_bytes(w))
			o->sg[i].phys = last;
		last = o->sg[i].phys + len;
	}
	rc = pz_iommu_map_sg(w->dev, im_cpu(p), 0, o->sg, o->n, o->dir, 0, &count);
	prop_note(p, "list of %u: %d", o->n, rc);
	if (rc) {
		PROP_ASSERT(p, rc == -PZ_ENOMEM || rc == -PZ_ERANGE || rc == -PZ_EINVAL ||
				       rc == -PZ_ENOSPC);
		return true;
	}
	o->bus = o->sg[0].bus;
	w->n++;
	return im_segments(p, w, o, count);
}

static bool im_alloc(struct prop *p, struct im_world *w)
{
	struct im_out *o = im_new(p, w, IM_BUFFER);
	uint32_t attrs = prop_choice(p, 2) ? PZ_DMA_NO_KERNEL_MAPPING : 0;
	uint64_t at, phys;
	int rc;

	o->size = prop_between(p, 1, 30 * 4096);
	rc = pz_iommu_alloc(w->dev, im_cpu(p), prop_choice(p, 2) ? PZ_GFP_BLOCK : 0, attrs, o->size,
			    &o->buf);
	prop_note(p, "buffer of %llx: %d", (unsigned long long)o->size, rc);
	if (rc) {
		PROP_ASSERT(p, rc == -PZ_ENOMEM || rc == -PZ_ERANGE);
		return true;
	}
	o->bus = o->buf.bus;
	w->n++;
	w->buffers++;
	for (at = 0; at < o->size; at += w->granule) {
		PROP_ASSERT(p, pz_iommu_phys(w->b.d, o->bus + at, &phys) == 0);
		if (!im_lead(p, w, o->bus + at, phys, w->granule, true))
			return false;
	}
	for (at = 0; at < o->size && !attrs; at++)
		PROP_ASSERT(p, ((unsigned char *)o->buf.cpu_addr)[at] == 0);
	return true;
}

/* Memory of a buffer that went: no translation of it is kept, nor made. */
static bool im_gone(struct prop *p, const struct im_world *w, const struct im_out *o)
{
	for (uint64_t at = 0; at < o->size; at += w->granule)
		PROP_ASSERT(p, !im_kept(w, o->bus + at));
	return true;
}

static bool im_free(struct prop *p, struct im_world *w)
{
	struct im_out *o, was;
	uint32_t i, cpu = im_cpu(p);

	if (!w->n)
		return true;
	i = (uint32_t)prop_draw(p, w->n - 1);
	o = &w->out[i];
	was = *o;
	prop_note(p, "free %llx", (unsigned long long)was.bus);
	if (was.kind == IM_BUFFER) {
		pz_iommu_free(w->dev, cpu, &was.buf);
		w->buffers--;
		if (!im_gone(p, w, &was))
			return false;
		im_forget(w, was.bus, was.size);
	} else if (was.kind == IM_LISTED) {
		uint64_t first = was.bus - was.bus % w->granule, last = first;

		pz_iommu_unmap_sg(w->dev, cpu, was.sg, was.n, was.dir, 0);
		for (uint32_t k = 0; k < was.n && was.sg[k].bus_len; k++)
			last = was.sg[k].bus + was.sg[k].bus_len - 1;
		im_forget(w, first, last - first + 1);
	} else if (was.kind == IM_SINGLE) {
		pz_iommu_unmap(w->dev, cpu, was.bus, was.size, was.dir, 0);
		im_forget(w, was.bus, was.size);
	} else {
		pz_iommu_unmap_resource(w->dev, cpu, was.bus, was.size);
		im_forget(w, was.bus, was.size);
	}
	PROP_ASSERT(p, w->b.pm.bugs.count == 0);
	w->out[i] = w->out[--w->n];
	if (was.kind == IM_SINGLE && prop_choice(p, 4) == 0) {
		pz_iommu_unmap(w->dev, cpu, was.bus, was.size, was.dir, 0);
		PROP_ASSERT(p, w->b.pm.bugs.count == 1);
		w->b.pm.bugs.count = 0;
	}
	return true;
}

/* The master uses an address. What a lazy domain keeps a little longer is not looked at here. */
static bool im_use(struct prop *p, struct im_world *w)
{
	uint64_t i = prop_draw(p, w->count - 1), phys, room;
	uint64_t addr = w->base + i * w->granule + prop_draw(p, w->granule - 1);
	bool write = prop_choice(p, 2), ok = master_translate(&w->b.m, addr, write, &phys, &room);

	if (w->lead[i] == IM_NONE) {
		PROP_ASSERT(p, !ok || w->b.cfg.lazy);
		return true;
	}
	PROP_ASSERT(p, ok == (!write || w->write[i] || !w->perms));
	PROP_ASSERT(p, !ok || phys == w->lead[i] + addr % w->granule);
	return true;
}

/* All addresses, by an IOMMU that keeps nothing; then those around the space. */
static bool im_verify(struct prop *p, struct im_world *w)
{
	struct master fresh = w->b.m;
	struct master_kept one = { 0, 0, 0, false };
	struct pz_iommu_stat s;
	uint64_t out = 0, phys, room;
	int rc = pz_iommu_check(w->b.d);

	PROP_ASSERT(p, rc == 0);
	fresh.kept = &one;
	fresh.kept_most = 1;
	fresh.next = 0;
	for (uint32_t i = 0; i < w->count; i++) {
		uint64_t addr = w->base + i * w->granule + prop_draw(p, w->granule - 1);
		bool ok;

		one.size = 0;
		ok = master_translate(&fresh, addr, false, &phys, &room);
		PROP_ASSERT(p, ok == (w->lead[i] != IM_NONE));
		PROP_ASSERT(p, !ok || phys == w->lead[i] + addr % w->granule);
		out += w->taken[i];
	}
	one.size = 0;
	PROP_ASSERT(p, !master_translate(&fresh, w->base - 1, false, &phys, &room));
	PROP_ASSERT(
		p, !master_translate(&fresh, w->base + w->count * w->granule, false, &phys, &room));
	pz_iommu_stat(w->b.d, &s);
	PROP_ASSERT(p, s.out == out * w->granule && (w->b.cfg.lazy || !s.waiting));
	return true;
}

static bool im_make(struct prop *p, struct im_world *w)
{
	static const uint64_t boundaries[] = { 0, 0, 0x100, 0x1000, 0x4000, 0x40000 };
	struct pz_iommu_config *c;

	memset(w, 0, sizeof(*w));
	hook_init(&w->hook);
	w->tap.write = im_silent;
	w->tap.meta = &w->hook.meta;
	PROP_ASSERT(p, ib_lay_out(&w->b, &w->tap));
	c = &w->b.cfg;
	c->lazy = prop_choice(p, 2);
	w->perms = prop_choice(p, 3) == 2;
	if (w->perms) {
		c->tables.oas = 32;
		c->tables.quirks = 0;
		c->pages = NULL;
	}
	if (prop_choice(p, 2))
		c->tables.quirks |= PZ_V7S_GIVE_BACK;
	if (prop_choice(p, 3) == 2)
		c->flush = NULL;
	c->shift = w->perms ? 12 + 2 * prop_choice(p, 3) : 12;
	w->granule = 1ull << c->shift;
	w->count = (uint32_t)prop_between(p, 4, IM_MOST);
	w->base = w->granule * prop_between(p, 1, 1000);
	c->space.first = w->base;
	c->space.last = w->base + w->count * w->granule - 1;
	PROP_ASSERT(p, ib_make(&w->b) == 0);
	pz_iommu_dev_init(&w->dc, "master", 32);
	if (prop_choice(p, 3) == 2)
		w->dc.mask = w->base + prop_between(p, 1, w->count) * w->granule - 1;
	w->dc.boundary = boundaries[prop_choice(p, 6)];
	w->dc.max_segment = prop_choice(p, 3) == 2 ? prop_between(p, 0x1000, 0x8000) : 0;
	w->dc.max_segments = prop_choice(p, 3) == 2 ? (uint32_t)prop_between(p, 1, 5) : 0;
	w->dc.coherent = prop_choice(p, 4) != 3;
	PROP_ASSERT(p, pz_iommu_attach(&w->dev, w->b.d, &w->dc) == 0);
	for (uint32_t i = 0; i < IM_MOST; i++)
		w->lead[i] = IM_NONE;
	return true;
}

static bool im_step(struct prop *p, struct im_world *w)
{
	unsigned int what = prop_choice(p, 40);

	if (what < 11)
		return w->n == IM_OUT || im_map(p, w, what == 10);
	if (what < 15)
		return w->n == IM_OUT || im_map_sg(p, w);
	if (what < 17)
		return w->n == IM_OUT || w->perms || im_alloc(p, w);
	if (what < 28)
		return im_free(p, w);
	if (what < 36)
		return im_use(p, w);
	if (what == 36)
		(void)pz_iommu_flush(w->b.d, im_cpu(p));
	else if (what == 37)
		(void)pz_fault_arm(&w->b.faults, PZ_FAULT_ANY, prop_between(p, 1, 6),
				   prop_draw(p, 3));
	else if (what == 38)
		return prop_choice(p, 4) || im_verify(p, w);
	return true;
}

static bool im_property(struct prop *p, void *ctx)
{
	struct im_world *w = ctx;
	uint32_t steps;
	bool ok = im_make(p, w);

	steps = (uint32_t)prop_draw(p, 250);
	for (uint32_t i = 0; i < steps && ok; i++)
		ok = im_step(p, w);
	(void)pz_fault_arm(&w->b.faults, PZ_FAULT_ANY, 0, 0);
	if (!ok || !im_verify(p, w))
		return false;
	while (w->n)
		if (!im_free(p, w))
			return false;
	(void)pz_iommu_flush(w->b.d, 0);
	if (!im_verify(p, w))
		return false;
	for (uint32_t i = 0; i < IB_KEPT; i++)
		PROP_ASSERT(p, w->b.kept[i].size == 0);
	pz_iommu_detach(w->dev);
	PROP_ASSERT(p, ib_close(&w->b) && w->tap.failed == 0);
	PROP_ASSERT(p, w->hook.live == 0 && !w->hook.bad_free);
	return true;
}

int main(void)
{
	static struct im_world w;

	prop_run("domains beside a map of where each granule leads", im_property, &w, 400);
	return prop_done();
}
