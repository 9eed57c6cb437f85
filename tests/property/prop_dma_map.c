/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_dma_map.c - streaming mappings of random devices beside an oracle that knows each byte.
 *
 * Devices have random masks, windows, alignments and boundaries; they read and write by bus address
 * through a model of their own (tests/contract/dma_device.c). Drivers keep the rules: a mapping is
 * the device's or the CPU's, and only its owner touches it. Then memory must always hold what was
 * last written to it by either, nothing else may change, and no device is ever told an address that
 * it cannot reach.
 */
#include "../contract/dma_device.h"
#include "hook.h"
#include "prop.h"

#define DEVICES 3u
#define MAPPINGS 24u
#define STEPS 60u
#define HIGH_BYTES ((uint64_t)192 << 10) /* of memory that is mapped, at DM_HIGH */
#define LOW_BYTES ((uint64_t)96 << 10)	 /* and below */
#define LISTS 6u

struct oracle_map {
	bool out, device_owns;
	unsigned int dev;
	enum pz_dma_dir dir;
	uint32_t n;	    /* elements; 0: a single mapping */
	uint64_t phys, len; /* of all: elements lie one after the other, @gap apart */
	uint64_t gap, bus;
	struct pz_sg sg[LISTS];
};

static struct {
	struct device_machine m;
	struct hook hook;
	struct tap tap;
	struct pz_dma_dev *dev[DEVICES];
	struct pz_dma_dev_config cfg[DEVICES];
	struct pz_window window[DEVICES][2];
	struct dma_device hw[DEVICES];
	struct oracle_map map[MAPPINGS];
	uint64_t low, low_pfn; /* where the memory below is */
	unsigned char high_is[HIGH_BYTES], low_is[LOW_BYTES];
	unsigned char high_busy[HIGH_BYTES], low_busy[LOW_BYTES]; /* mapped */
	uint64_t bugs;
	uint32_t seed;
} o;

static void oracle_write(void *ctx, const char *s, size_t n)
{
	(void)ctx;
	(void)s;
	(void)n;
}

static unsigned char *oracle_is(uint64_t phys)
{
	return phys >= DM_HIGH ? &o.high_is[phys - DM_HIGH] : &o.low_is[phys - o.low];
}

static unsigned char *oracle_busy(uint64_t phys)
{
	return phys >= DM_HIGH ? &o.high_busy[phys - DM_HIGH] : &o.low_busy[phys - o.low];
}

static uint64_t bus_bits(uint64_t bus)
{
	return bus & ~o.m.dc.private_bit;
}

/* --- devices --- */

static void draw_windows(struct prop *p, unsigned int i)
{
	static const uint64_t skews[] = { 0, 0x1000, 0x600, 0x10000000 };
	struct pz_window *w = o.window[i];
	uint64_t cut = DM_LOW + 0x400 * prop_draw(p, prop_choice(p, 2) ? 0x3ff : 0x1f);

	w[0].phys.first = DM_LOW + (prop_choice(p, 2) ? 0x400 * prop_draw(p, 0x1f) : 0);
	w[0].phys.last = (cut > w[0].phys.first ? cut : w[0].phys.first) + 0x7ff;
	cut = w[0].phys.last + 1;
	w[0].bus = 0x20000000 + skews[prop_choice(p, 4)];
	w[1].phys.first = prop_choice(p, 2) ? DM_HIGH + 0x3000 : cut + 0xc00;
	w[1].phys.last = w[1].phys.first + 0x400 * prop_draw(p, 160) + 0x3ff;
	w[1].bus = 0x80000000 + skews[prop_choice(p, 4)];
	o.cfg[i].windows = w;
	o.cfg[i].window_count = 1 + prop_choice(p, 2);
}

static uint64_t draw_mask(struct prop *p)
{
	switch (prop_choice(p, 7)) {
	case 0:
		return UINT64_MAX;
	case 6: /* with the bit, but not all addresses below it */
		return o.m.dc.private_bit + DM_LOW + prop_draw(p, DM_PART);
	case 1:
		return UINT32_MAX;
	case 2:
		return DM_LOW + DM_PART - 1;
	case 3:
		return DM_LOW + prop_draw(p, DM_PART);
	case 4:
		return DM_HIGH + prop_draw(p, HIGH_BYTES);
	default:
		return 0x20000000 + prop_draw(p, 0x80000000);
	}
}

static bool make_device(struct prop *p, unsigned int i)
{
	struct pz_dma_dev_config *c = &o.cfg[i];

	pz_dma_dev_init(c, "device", 64);
	c->mask = c->coherent_mask = draw_mask(p);
	if (prop_choice(p, 3) == 2)
		draw_windows(p, i);
	if (prop_choice(p, 3) == 2)
		c->align = (uint64_t)1 << prop_draw(p, 13);
	if (prop_choice(p, 3) == 2)
		c->boundary = (uint64_t)1 << prop_between(p, 9, 17);
	if (prop_choice(p, 3) == 2)
		c->keep_mask = ((uint64_t)1 << prop_draw(p, 13)) - 1;
	if (prop_choice(p, 3) == 2)
		c->max_segment = prop_between(p, 1000, 20000);
	c->coherent = prop_choice(p, 3) != 2;
	c->force_bounce = prop_choice(p, 6) == 5;
	o.dev[i] = dv_device(&o.hw[i], &o.m, c);
	return o.dev[i] != NULL;
}

/* Whether the hardware could be told memory as it is. */
static bool model_direct(unsigned int i, uint64_t phys, uint64_t len)
{
	const struct pz_dma_dev_config *c = &o.cfg[i];
	const struct dma_device *d = &o.hw[i];
	uint64_t bus = phys;
	bool in = d->windows == 0;

	for (uint32_t k = 0; k < d->windows && !in; k++) {
		in = phys >= d->window[k].phys &&
		     phys + len <= d->window[k].phys + d->window[k].bytes;
		bus = phys - d->window[k].phys + d->window[k].bus;
	}
	return in && !c->force_bounce && (bus | o.m.dc.private_bit) + len - 1 <= d->last_bus &&
	       bus % c->align == 0 &&
	       (!c->boundary || bus / c->boundary == (bus + len - 1) / c->boundary);
}

/* --- memory --- */

static void cpu_writes(struct prop *p, uint64_t phys, uint64_t len)
{
	unsigned char seed = (unsigned char)(++o.seed * 37);

	dv_fill(&o.m, phys, len, seed);
	memcpy(oracle_is(phys), dv_cpu(&o.m, phys, len), len);
	(void)p;
}

static bool cpu_agrees(uint64_t phys, uint64_t len)
{
	return !memcmp(oracle_is(phys), dv_cpu(&o.m, phys, len), len);
}

/* The bus address of a byte of a mapping. */
static uint64_t map_bus(const struct oracle_map *x, uint64_t at)
{
	uint64_t len = x->len, k = 0, done = 0;

	if (!x->n)
		return x->bus + at;
	/* Through the segments, by the number of the byte. */
	(void)len;
	while (at - done >= x->sg[k].bus_len)
		done += x->sg[k++].bus_len;
	return x->sg[k].bus + (at - done);
}

static uint64_t map_phys(const struct oracle_map *x, uint64_t at)
{
	uint64_t each = x->n ? x->len / x->n : x->len;

	return x->phys + at / each * (each + x->gap) + at % each;
}

/* The device reads or writes some bytes. */
static bool device_works(struct prop *p, struct oracle_map *x, bool writes, unsigned int bursts)
{
	for (unsigned int k = 0; k < bursts; k++) {
		uint64_t at = prop_draw(p, x->len - 1), end = at + prop_draw(p, 40);

		for (; at < x->len && at <= end; at++) {
			unsigned char *b = dv_dev_byte(&o.hw[x->dev], map_bus(x, at));

			PROP_ASSERT(p, b != NULL);
			if (writes)
				*b = *oracle_is(map_phys(x, at)) = (unsigned char)(o.seed += 7);
			PROP_ASSERT(p, *b == *oracle_is(map_phys(x, at)));
		}
	}
	return true;
}

/* --- operations --- */

static void mark(const struct oracle_map *x, unsigned char busy)
{
	for (uint64_t at = 0; at < x->len; at++)
		*oracle_busy(map_phys(x, at)) = busy;
}

/* Memory for a mapping, none of which is mapped. */
static bool draw_memory(struct prop *p, struct oracle_map *x)
{
	static const uint64_t sizes[] = { 5000, 300, 2048, 30000 };
	bool high = prop_choice(p, 3) != 0;
	uint64_t room = high ? HIGH_BYTES : LOW_BYTES, each, at;

	x->n = prop_choice(p, 4) == 3 ? 1 + prop_choice(p, LISTS) : 0;
	each = prop_between(p, 1, sizes[prop_choice(p, 4)]);
	x->gap = x->n && prop_choice(p, 2) ? 512 : 0;
	x->len = each * (x->n ? x->n : 1);
	if (x->len + x->gap * x->n > room)
		return false;
	at = prop_draw(p, room - x->len - x->gap * x->n);
	x->phys = at + (high ? DM_HIGH : o.low);
	for (uint64_t k = 0; k < x->len; k++)
		if (*oracle_busy(map_phys(x, k)))
			return false;
	return true;
}

/* Where a piece was put: within reach, as the device wants it. */
static bool placed(struct prop *p, const struct oracle_map *x, uint64_t at, uint64_t len)
{
	const struct pz_dma_dev_config *c = &o.cfg[x->dev];
	uint64_t phys = map_phys(x, at), bus = map_bus(x, at);

	PROP_ASSERT(p,
		    dv_dev_byte(&o.hw[x->dev], bus) && dv_dev_byte(&o.hw[x->dev], bus + len - 1));
	bus = bus_bits(bus);
	PROP_ASSERT(p, bus % c->align == 0);
	PROP_ASSERT(p, !c->boundary || bus / c->boundary == (bus + len - 1) / c->boundary);
	if (!model_direct(x->dev, phys, len))
		PROP_ASSERT(p, !((bus ^ phys) & c->keep_mask & ~(c->align - 1)));
	return true;
}

/* What may be said of a single piece that is refused. */
static bool refused(struct prop *p, unsigned int i, uint64_t phys, uint64_t len, int rc)
{
	struct pz_bounce_stat s;

	PROP_ASSERT(p, rc == -PZ_ERANGE || rc == -PZ_ENOMEM);
	PROP_ASSERT(p, !model_direct(i, phys, len));
	PROP_ASSERT(p, rc == -PZ_ENOMEM || len > pz_dma_max_mapping(o.dev[i]));
	pz_bounce_stat(o.m.bounce, &s);
	PROP_ASSERT(p, s.used || rc == -PZ_ERANGE || len > pz_dma_max_mapping(o.dev[i]));
	return true;
}

static bool do_map(struct prop *p)
{
	struct oracle_map *x = &o.map[prop_choice(p, MAPPINGS)];
	uint32_t cpu = prop_choice(p, 3);
	uint64_t each;
	int rc;

	if (x->out || !draw_memory(p, x))
		return true;
	x->dev = prop_choice(p, DEVICES);
	x->dir = (enum pz_dma_dir)prop_choice(p, 3);
	each = x->n ? x->len / x->n : x->len;
	if (!x->n) {
		rc = pz_dma_map_try(o.dev[x->dev], cpu, x->phys, x->len, x->dir, 0, &x->bus);
		if (rc)
			return refused(p, x->dev, x->phys, x->len, rc);
	} else {
		uint32_t count;

		for (uint32_t k = 0; k < x->n; k++) {
			x->sg[k].phys = x->phys + k * (each + x->gap);
			x->sg[k].len = each;
		}
		rc = pz_dma_map_sg(o.dev[x->dev], cpu, x->sg, x->n, x->dir, 0, &count);
		if (rc)
			return true;
		for (uint32_t k = 0; k < count; k++)
			PROP_ASSERT(p, !o.cfg[x->dev].max_segment ||
					       x->sg[k].bus_len <= o.cfg[x->dev].max_segment);
	}
	x->out = x->device_owns = true;
	mark(x, 1);
	for (uint64_t at = 0; at < x->len; at += each)
		if (!placed(p, x, at, each))
			return false;
	/* In each direction the device finds what the memory holds. */
	return device_works(p, x, false, 2);
}

static bool do_unmap(struct prop *p, struct oracle_map *x)
{
	uint32_t attrs = !x->device_owns && prop_choice(p, 2) ? PZ_DMA_SKIP_CPU_SYNC : 0;

	if (x->n)
		pz_dma_unmap_sg(o.dev[x->dev], 0, x->sg, x->n, x->dir, attrs);
	else
		pz_dma_unmap(o.dev[x->dev], 0, x->bus, x->len, x->dir, attrs);
	x->out = false;
	mark(x, 0);
	for (uint64_t at = 0; at < x->len; at++)
		PROP_ASSERT(p, cpu_agrees(map_phys(x, at), 1));
	return true;
}

static void sync(struct oracle_map *x, bool for_cpu)
{
	if (x->n && for_cpu)
		pz_dma_sync_sg_for_cpu(o.dev[x->dev], x->sg, x->n, x->dir);
	else if (x->n)
		pz_dma_sync_sg_for_device(o.dev[x->dev], x->sg, x->n, x->dir);
	else if (for_cpu)
		pz_dma_sync_for_cpu(o.dev[x->dev], x->bus, x->len, x->dir);
	else
		pz_dma_sync_for_device(o.dev[x->dev], x->bus, x->len, x->dir);
	x->device_owns = !for_cpu;
}

/* The CPU takes a part of a mapping, looks at it, changes it, and gives it back. */
static bool do_part(struct prop *p, struct oracle_map *x)
{
	uint64_t at = prop_draw(p, x->len - 1), len = 1 + prop_draw(p, x->len - 1 - at);

	pz_dma_sync_for_cpu(o.dev[x->dev], x->bus + at, len, x->dir);
	PROP_ASSERT(p, cpu_agrees(x->phys + at, len));
	if (x->dir != PZ_DMA_FROM_DEVICE)
		cpu_writes(p, x->phys + at, len);
	pz_dma_sync_for_device(o.dev[x->dev], x->bus + at, len, x->dir);
	return device_works(p, x, false, 1);
}

/* Misuse of a bounced mapping is told, and changes nothing. */
static bool do_misuse(struct prop *p, struct oracle_map *x)
{
	struct pz_dma_dev *dev = o.dev[x->dev];
	uint64_t told = o.m.pm.bugs.count;

	if (x->n || model_direct(x->dev, x->phys, x->len))
		return true;
	switch (prop_choice(p, 4)) {
	case 0:
		pz_dma_unmap(dev, 0, x->bus, x->len + 1, x->dir, 0);
		break;
	case 1:
		pz_dma_unmap(dev, 0, x->bus, x->len, (enum pz_dma_dir)((x->dir + 1) % 3), 0);
		break;
	case 2:
		if (x->len == 1)
			return true;
		pz_dma_unmap(dev, 0, x->bus + 1, x->len - 1, x->dir, 0);
		break;
	default:
		pz_dma_sync_for_device(dev, x->bus, x->len, PZ_DMA_NONE);
	}
	PROP_ASSERT(p, o.m.pm.bugs.count == told + 1);
	o.bugs++;
	return true;
}

static bool do_with(struct prop *p)
{
	struct oracle_map *x = &o.map[prop_choice(p, MAPPINGS)];

	if (!x->out)
		return true;
	switch (prop_choice(p, 6)) {
	case 0:
		return do_unmap(p, x);
	case 1:
		if (!x->device_owns)
			return do_unmap(p, x);
		return device_works(p, x, x->dir != PZ_DMA_TO_DEVICE, 3);
	case 2:
		sync(x, true);
		for (uint64_t at = 0; at < x->len; at++)
			PROP_ASSERT(p, cpu_agrees(map_phys(x, at), 1));
		return true;
	case 3:
		if (!x->device_owns && x->dir != PZ_DMA_FROM_DEVICE && !x->gap)
			cpu_writes(p, x->phys, x->len);
		if (!x->device_owns)
			sync(x, false);
		return device_works(p, x, false, 2);
	case 4:
		return x->n || !x->device_owns || do_part(p, x);
	default:
		return do_misuse(p, x);
	}
}

/* --- rounds --- */

static bool oracle_begin(struct prop *p)
{
	static const uint64_t grows[] = { UINT64_MAX, 4096, 65536, 0 };
	struct pz_limits below = pz_limits_bits(32);
	struct pz_range aside = { DM_LOW, 0 };

	memset(&o, 0, sizeof(o));
	hook_init(&o.hook);
	o.tap.write = oracle_write;
	o.tap.meta = &o.hook.meta;
	o.tap.suite = "machine";
	if (!dv_lay_out(&o.m, &o.tap))
		return false;
	aside.last =
		DM_LOW + (prop_between(p, 1, prop_choice(p, 2) ? DM_ASIDE >> 12 : 3) << 12) - 1;
	o.m.bc.ranges = &aside;
	o.m.bc.range_count = prop_choice(p, 2);
	o.m.bc.cpus = o.m.dc.cpus = 3;
	o.m.bc.areas = prop_choice(p, 4);
	o.m.bc.grow_bytes = grows[prop_choice(p, 4)];
	o.m.bc.max_bytes = prop_choice(p, 2) ? 0 : 0x40000;
	o.m.unmapped = prop_choice(p, 4) == 3;
	if (prop_choice(p, 4) == 3) {
		o.m.bc.shared = true;
		o.m.dc.private_bit = DM_PRIVATE;
		memset(o.m.private, true, sizeof(o.m.private));
	}
	if (pz_alloc_pages_exact(o.m.pm.pages, 0, 0, LOW_BYTES, &below, &o.low_pfn) ||
	    !dv_make(&o.m))
		return false;
	o.low = o.low_pfn << 12;
	for (unsigned int i = 0; i < DEVICES; i++)
		if (!make_device(p, i))
			return false;
	cpu_writes(p, DM_HIGH, HIGH_BYTES);
	cpu_writes(p, o.low, LOW_BYTES);
	return true;
}

static bool oracle_end(struct prop *p)
{
	for (unsigned int i = 0; i < MAPPINGS; i++)
		if (o.map[i].out && !do_unmap(p, &o.map[i]))
			return false;
	PROP_ASSERT(p, cpu_agrees(DM_HIGH, HIGH_BYTES) && cpu_agrees(o.low, LOW_BYTES));
	for (unsigned int i = 0; i < DEVICES; i++) {
		PROP_ASSERT(p, !o.hw[i].refused);
		PROP_ASSERT(p, pz_dma_dev_destroy(o.dev[i]) == 0);
	}
	pz_free_exact(o.m.pm.pages, 0, o.low_pfn, LOW_BYTES >> 12);
	dv_close(&o.m);
	PROP_ASSERT(p, o.tap.failed == 0);
	PROP_ASSERT(p, o.m.pm.bugs.count == o.bugs);
	PROP_ASSERT(p, o.hook.live == 0 && !o.hook.bad_free);
	return true;
}

static bool random_traffic(struct prop *p, void *ctx)
{
	(void)ctx;
	PROP_ASSERT(p, oracle_begin(p));
	for (unsigned int i = 0, n = (unsigned int)prop_draw(p, STEPS); i < n; i++) {
		bool ok = prop_choice(p, 5) < 2 ? do_map(p) : do_with(p);

		if (!ok)
			return false;
		if (prop_choice(p, 8) == 7)
			pz_bounce_trim(o.m.bounce, 0);
		PROP_ASSERT(p, pz_bounce_check(o.m.bounce) == 0);
	}
	return oracle_end(p);
}

int main(void)
{
	prop_run("no byte is lost, none changes by itself, none is out of reach", random_traffic,
		 NULL, 400);
	return prop_done();
}
