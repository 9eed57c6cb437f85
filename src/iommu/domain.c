/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain.c - domains: made, verified, given back; their windows and devices.
 *
 * Concept
 *  A domain puts together what is there: tables (v7s.c) say what an address leads to, a space
 * (iova.c) which addresses are taken. Both work from any context without a lock for all, so a
 * domain has none either. There are no records of mappings: the space knows where a run begins
 * and ends, the tables what is behind it.
 *
 *	domain        made and given back, windows, devices, numbers
 *	domain_map    memory of one piece
 *	domain_sg     scattered memory
 *	domain_buf    coherent buffers
 *	domain_flush  what the IOMMU's caches are told, and addresses that wait for it
 *
 * Invariants, verified by pz_iommu_check() while nobody uses the domain: 1. no queue is locked; 2.
 * what is mapped lies in a window or in a run of addresses that is taken; 3. what waits is taken,
 * and not mapped; 4. windows do not overlap; 5. windows that lie in the space are taken; 100 and
 * more: those of the space; 200 and more: those of the tables.
 *
 * Shortcomings
 *  Which device a mapping was made for, and whether a run is a mapping or a buffer, is not known.
 */
#include "domain_internal.h"

#define DOMAIN_SHIFT_MOST 16u

static const char *domain_wrong(const struct pz_iommu_config *c)
{
	if (!c->tables.meta || !c->tables.meta->alloc || !c->tables.meta->free)
		return "no metadata hook";
	if (c->tables.tlb.add)
		return "the add hook is the domain's";
	if (c->lazy && !c->tables.tlb.flush_all && (c->tables.tlb.flush_walk || c->flush))
		return "a lazy domain, and no hook that flushes everything";
	if (!c->cpus || c->cpus > PZ_PAGE_MAX_CPUS)
		return "no such number of CPUs";
	if (!c->hooks.view != !c->hooks.unview)
		return "a hook is missing";
	if (c->window_count && !c->windows)
		return "no windows where there should be";
	if (c->direct.first > c->direct.last)
		return "what is directly mapped ends before it begins";
	return NULL;
}

/* Granule and space, once the page sizes are known. */
static const char *domain_lay_out(struct pz_iommu *d)
{
	const struct pz_iommu_config *c = &d->cfg;
	uint32_t sizes = c->tables.sizes ? c->tables.sizes : PZ_V7S_SIZES;
	uint32_t shift = c->shift;

	d->least = sizes & (~sizes + 1);
	if (!shift)
		shift = pz_fls32(d->least);
	if (shift > DOMAIN_SHIFT_MOST || 1u << shift < d->least)
		return "a granule is no page, or larger than 64 KiB";
	d->cfg.shift = shift;
	d->granule = (uint64_t)1 << shift;
	if (c->pages && pz_page_shift(c->pages) < shift)
		return "a granule is larger than a page of memory";
	if (!c->space.last)
		d->cfg.space.last = ((uint64_t)1 << c->tables.ias) - 1;
	if (c->space.first > d->cfg.space.last || d->cfg.space.last >= (uint64_t)1 << c->tables.ias)
		return "the space is none, or more than the tables have";
	return NULL;
}

static int domain_tables(struct pz_iommu *d, uint32_t cpu, uint32_t gfp, const char **why)
{
	struct pz_v7s_config c = d->cfg.tables;

	c.tlb.flush_all = pz_iommu_tlb_all;
	c.tlb.flush_walk = pz_iommu_tlb_walk;
	c.tlb.add = pz_iommu_tlb_add;
	c.tlb.ctx = d;
	return pz_v7s_create(&d->t, &c, cpu, gfp, why);
}

static int domain_space(struct pz_iommu *d)
{
	const struct pz_v7s_config *t = &d->cfg.tables;
	struct pz_iova_config c;
	struct pz_iova_stat s;
	int rc;

	memset(&c, 0, sizeof(c));
	c.space = d->cfg.space;
	c.shift = d->cfg.shift;
	c.cpus = d->cfg.cpus;
	c.meta = t->meta;
	c.zeroed = t->zeroed;
	c.bugs = t->bugs;
	c.faults = t->faults;
	rc = pz_iova_create(&d->iova, &c);
	if (rc)
		return rc;
	pz_iova_stat(d->iova, &s);
	d->first = s.space.first;
	d->last = s.space.last;
	return 0;
}

static int domain_queues(struct pz_iommu *d)
{
	const struct pz_meta *m = iommu_meta(d);
	size_t bytes = d->cfg.cpus * sizeof(*d->queue);

	if (!d->cfg.lazy)
		return 0;
	d->queue = m->alloc(m->ctx, bytes);
	if (!d->queue)
		return -PZ_ENOMEM;
	memset(d->queue, 0, bytes);
	return 0;
}

static void domain_drop(struct pz_iommu *d, uint32_t cpu)
{
	const struct pz_meta *m = iommu_meta(d);
	struct iommu_window *w;

	pz_v7s_destroy(d->t, cpu);
	pz_iova_destroy(d->iova);
	while ((w = d->windows)) {
		d->windows = w->next;
		m->free(m->ctx, w, sizeof(*w));
	}
	if (d->queue)
		m->free(m->ctx, d->queue, d->cfg.cpus * sizeof(*d->queue));
	m->free(m->ctx, d, sizeof(*d));
}

static int domain_make(struct pz_iommu *d, uint32_t cpu, uint32_t gfp, const char **why)
{
	const char *wrong = NULL;
	int rc = domain_tables(d, cpu, gfp, why);

	if (!rc) {
		wrong = domain_lay_out(d);
		rc = wrong ? -PZ_EINVAL : 0;
	}
	if (!rc) {
		rc = domain_space(d);
		wrong = rc == -PZ_EINVAL ? "the space has no whole granule" : NULL;
	}
	if (!rc)
		rc = domain_queues(d);
	for (uint32_t i = 0; i < d->cfg.window_count && !rc; i++) {
		rc = pz_iommu_add_window(d, cpu, gfp, &d->cfg.windows[i]);
		wrong = rc ? "a window cannot be had" : NULL;
	}
	if (why && rc && (wrong || !*why))
		*why = wrong ? wrong : "tables or addresses cannot be had";
	return rc;
}

int pz_iommu_create(struct pz_iommu **out, const struct pz_iommu_config *cfg, uint32_t cpu,
		    uint32_t gfp, const char **why)
{
	const struct pz_meta *m = cfg->tables.meta;
	const char *wrong = domain_wrong(cfg);
	struct pz_iommu *d;
	int rc;

	if (why)
		*why = wrong;
	if (wrong)
		return -PZ_EINVAL;
	d = m->alloc(m->ctx, sizeof(*d));
	if (!d)
		return -PZ_ENOMEM;
	memset(d, 0, sizeof(*d));
	d->cfg = *cfg;
	rc = domain_make(d, cpu, gfp, why);
	d->cfg.windows = NULL;
	if (rc) {
		domain_drop(d, cpu);
		return rc;
	}
	*out = d;
	return 0;
}

int pz_iommu_destroy(struct pz_iommu *d, uint32_t cpu)
{
	struct pz_iommu_stat s;

	if (!d)
		return 0;
	(void)pz_iommu_flush(d, cpu);
	pz_iommu_stat(d, &s);
	if (s.devices || s.out || s.waiting) {
		pz_bug(d->cfg.tables.bugs, "pz_iommu_destroy",
		       "%u devices and %#llx bytes of addresses are still there", s.devices,
		       (unsigned long long)(s.out + s.waiting));
		return -PZ_EBUSY;
	}
	domain_drop(d, cpu);
	return 0;
}

const struct pz_v7s *pz_iommu_tables(const struct pz_iommu *d)
{
	return d->t;
}

int pz_iommu_phys(const struct pz_iommu *d, uint64_t bus, uint64_t *phys)
{
	return pz_v7s_lookup(d->t, bus, phys);
}

/* --- windows --- */

static bool domain_window_ok(const struct pz_iommu *d, const struct pz_iommu_window *w)
{
	if (!pz_range_valid(w->iova))
		return false;
	/* Its last address plus 1 may be 2^64. */
	return !w->prot || !((w->iova.first | w->phys | (w->iova.last + 1)) & (d->granule - 1));
}

/* 0; -PZ_EEXIST: it overlaps another; 1: it is there. */
static int domain_window_find(const struct pz_iommu *d, const struct pz_iommu_window *w)
{
	for (const struct iommu_window *o = d->windows; o; o = o->next) {
		if (!pz_range_intersect(o->w.iova, w->iova, NULL))
			continue;
		return o->w.iova.first == w->iova.first && o->w.iova.last == w->iova.last &&
				       o->w.prot == w->prot && (!w->prot || o->w.phys == w->phys)
			       ? 1
			       : -PZ_EEXIST;
	}
	return 0;
}

static int domain_window_take(struct pz_iommu *d, uint32_t cpu, uint32_t gfp,
			      struct iommu_window *w)
{
	struct pz_range got, r = w->w.iova;
	int rc = pz_iova_reserve(d->iova, r, &got);

	if (rc == -PZ_EBUSY && pz_iommu_flush(d, cpu))
		rc = pz_iova_reserve(d->iova, r, &got);
	if (rc)
		return rc;
	if (pz_range_valid(got))
		w->taken = got.last - got.first + 1;
	if (w->w.prot)
		rc = pz_v7s_map(d->t, cpu, gfp, r.first, w->w.phys, r.last - r.first + 1,
				w->w.prot);
	if (rc && w->taken)
		pz_iova_free(d->iova, cpu, got.first, w->taken);
	return rc;
}

int pz_iommu_add_window(struct pz_iommu *d, uint32_t cpu, uint32_t gfp,
			const struct pz_iommu_window *window)
{
	const struct pz_meta *m = iommu_meta(d);
	struct iommu_window *w;
	int rc;

	if (!domain_window_ok(d, window))
		return -PZ_EINVAL;
	rc = domain_window_find(d, window);
	if (rc)
		return rc > 0 ? 0 : rc;
	w = m->alloc(m->ctx, sizeof(*w));
	if (!w)
		return -PZ_ENOMEM;
	w->w = *window;
	w->taken = 0;
	rc = domain_window_take(d, cpu, gfp, w);
	if (rc) {
		m->free(m->ctx, w, sizeof(*w));
		return rc;
	}
	w->next = d->windows;
	pz_store_ptr(&d->windows, w);
	return 0;
}

/* --- devices --- */

void pz_iommu_dev_init(struct pz_iommu_dev_config *cfg, const char *name, unsigned int bits)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->name = name;
	cfg->mask = pz_limits_bits(bits ? bits : 1).max_addr;
	cfg->coherent = true;
}

/* The lowest granule is there for whoever reaches any. */
static bool domain_reached(const struct pz_iommu *d, uint64_t mask)
{
	return mask >= d->first + (d->granule - 1);
}

int pz_iommu_attach(struct pz_iommu_dev **out, struct pz_iommu *d,
		    const struct pz_iommu_dev_config *cfg)
{
	const struct pz_meta *m = iommu_meta(d);
	struct pz_iommu_dev *dev;

	if (!cfg->name || (cfg->boundary & (cfg->boundary - 1)))
		return -PZ_EINVAL;
	if (!domain_reached(d, cfg->mask))
		return -PZ_ERANGE;
	dev = m->alloc(m->ctx, sizeof(*dev));
	if (!dev)
		return -PZ_ENOMEM;
	dev->d = d;
	dev->cfg = *cfg;
	(void)pz_add32(&d->devices, 1);
	*out = dev;
	return 0;
}

void pz_iommu_detach(struct pz_iommu_dev *dev)
{
	const struct pz_meta *m;

	if (!dev)
		return;
	m = iommu_meta(dev->d);
	(void)pz_add32(&dev->d->devices, UINT32_MAX);
	m->free(m->ctx, dev, sizeof(*dev));
}

int pz_iommu_set_mask(struct pz_iommu_dev *dev, uint64_t mask)
{
	if (!domain_reached(dev->d, mask))
		return -PZ_ERANGE;
	dev->cfg.mask = mask;
	return 0;
}

/* --- numbers, and checks --- */

void pz_iommu_stat(const struct pz_iommu *d, struct pz_iommu_stat *out)
{
	struct pz_iova_stat s;

	memset(out, 0, sizeof(*out));
	pz_iova_stat(d->iova, &s);
	for (const struct iommu_window *w = d->windows; w; w = w->next)
		out->windows += w->taken;
	for (uint32_t i = 0; d->queue && i < d->cfg.cpus; i++) {
		const struct iommu_queue *q = &d->queue[i];

		for (uint32_t k = 0, at = q->head; k < q->count; k++) {
			out->waiting += q->v[at].size;
			at = at + 1 < IOMMU_QUEUE ? at + 1 : 0;
		}
		out->queued += q->queued;
	}
	out->out = s.total - s.free - out->windows - out->waiting;
	out->devices = pz_load32(&d->devices);
	out->flushes = pz_load64(&d->finished);
}

static int domain_check_page(void *ctx, const struct pz_v7s_page *p)
{
	const struct pz_iommu *d = ctx;
	uint64_t last = p->iova + (p->size - 1);
	struct pz_range run;

	for (const struct iommu_window *w = d->windows; w; w = w->next) {
		if (p->iova >= w->w.iova.first && last <= w->w.iova.last)
			return w->w.prot ? 0 : 2;
	}
	return pz_iova_find(d->iova, p->iova, &run) && last <= run.last ? 0 : 2;
}

static int domain_mapped(void *ctx, const struct pz_v7s_page *p)
{
	(void)ctx;
	(void)p;
	return 3;
}

static int domain_check_queue(const struct pz_iommu *d, const struct iommu_queue *q)
{
	if (q->lock)
		return 1;
	for (uint32_t k = 0, at = q->head; k < q->count; k++) {
		const struct iommu_wait *w = &q->v[at];
		struct pz_range run;

		if (!pz_iova_find(d->iova, w->addr, &run) || run.first != w->addr ||
		    run.last - run.first != w->size - 1 ||
		    pz_v7s_each(d->t, w->addr, w->size, domain_mapped, NULL))
			return 3;
		at = at + 1 < IOMMU_QUEUE ? at + 1 : 0;
	}
	return 0;
}

static int domain_check_windows(const struct pz_iommu *d)
{
	for (const struct iommu_window *w = d->windows; w; w = w->next) {
		struct pz_range in, run;

		for (const struct iommu_window *o = w->next; o; o = o->next)
			if (pz_range_intersect(w->w.iova, o->w.iova, NULL))
				return 4;
		if (!pz_range_intersect(w->w.iova, (struct pz_range){ d->first, d->last }, &in))
			continue;
		if (!pz_iova_find(d->iova, in.first, &run) || run.last < in.last ||
		    run.last - run.first + 1 != w->taken)
			return 5;
	}
	return 0;
}

int pz_iommu_check(const struct pz_iommu *d)
{
	int rc = pz_v7s_check(d->t);

	if (rc)
		return 200 + rc;
	rc = pz_iova_check(d->iova);
	if (rc)
		return 100 + rc;
	for (uint32_t i = 0; d->queue && i < d->cfg.cpus && !rc; i++)
		rc = domain_check_queue(d, &d->queue[i]);
	if (!rc)
		rc = domain_check_windows(d);
	return rc ? rc : pz_v7s_each(d->t, 0, UINT64_MAX, domain_check_page, (void *)d);
}
