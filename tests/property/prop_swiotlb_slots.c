/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_swiotlb_slots.c - Linux's bounce buffers beside an oracle that knows one bit for each slot:
 * which slots a mapping gets in each version, what is copied of which part, and what is counted.
 *
 * The oracle is written from docs/facts/dma.md section 6: it keeps mappings and no lengths of free
 * runs, looks at every slot of a run, and reckons with addresses where the model reckons with
 * slots.
 */
#include <stdlib.h>
#include <string.h>

#include <physzone/linux/swiotlb.h>

#include "hook.h"
#include "prop.h"

#define SLOT 2048u
#define SEGMENT 128u
#define SLOTS 1024u
#define MAPS 96u
#define STEPS 120u
#define DEVS 3u

struct oracle_map {
	bool live;
	uint32_t dev, slot, n, pad;
	uint64_t orig, size, total, buffer;
};

struct oracle_copy {
	uint32_t count;
	uint64_t orig, buffer, bytes;
	bool into;
};

struct oracle {
	enum pzl_model model;
	struct pzl_swiotlb sw;
	struct pzl_swiotlb_mem mem;
	struct pzl_swiotlb_dev dev[DEVS];
	struct pz_window win[DEVS];
	struct pz_bugs bugs;
	struct hook hook;
	uint64_t start;
	uint32_t slots, areas, page;
	bool used[SLOTS];
	uint32_t index[SLOTS], taken[SLOTS]; /* of areas */
	uint64_t most;
	struct oracle_map map[MAPS];
	struct oracle_copy copy;
	uint32_t lines;
};

static struct oracle o;

static void seen_copy(void *ctx, uint64_t orig, uint64_t buffer, uint64_t bytes, bool into)
{
	(void)ctx;
	o.copy.count++;
	o.copy.orig = orig;
	o.copy.buffer = buffer;
	o.copy.bytes = bytes;
	o.copy.into = into;
}

static void seen_line(void *ctx, const char *line, size_t len)
{
	(void)ctx;
	(void)line;
	(void)len;
	o.lines++;
}

static uint64_t oracle_round(uint64_t v, uint64_t to)
{
	return (v + to - 1) / to * to;
}

static uint64_t oracle_bus(uint32_t d, uint64_t phys)
{
	return o.dev[d].cfg.window_count ? phys - o.win[d].phys.first + o.win[d].bus : phys;
}

/* Whether the run lies in one segment and one stretch of the boundary, and all of it is free. */
static bool oracle_free(uint32_t d, uint32_t slot, uint32_t n)
{
	uint64_t boundary = o.dev[d].cfg.boundary, first, last;

	if (slot / SEGMENT != (slot + n - 1) / SEGMENT || slot + n > o.slots)
		return false;
	if (boundary && boundary < SLOT)
		boundary = SLOT;
	first = oracle_bus(d, o.start + (uint64_t)slot * SLOT);
	last = first + (uint64_t)n * SLOT - 1;
	if (boundary && first / boundary != last / boundary)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (o.used[slot + i])
			return false;
	return true;
}

/* Whether an address may begin the run, and how many slots are passed over when it is not free. */
static bool oracle_aligned(uint32_t d, uint32_t slot, uint64_t orig, uint64_t total, uint64_t align,
			   uint32_t *stride)
{
	uint64_t keep = o.dev[d].cfg.keep_mask + 1, at, mod, like;
	uint64_t boundary = o.dev[d].cfg.boundary;

	bool plain = align == 1 && keep == 1;

	/* of where the slots begin, only what lies within the boundary is looked at */
	at = oracle_bus(d, o.start);
	if (boundary)
		at %= boundary;
	at += (uint64_t)slot * SLOT;
	align = align < SLOT ? SLOT : align;
	if (o.model != PZL_LINUX_6_12) {
		/* one alignment for all, of which the memory tells the remainder */
		mod = align > keep ? align : keep;
		if (total >= o.page && o.page > mod)
			mod = o.page;
		*stride = (uint32_t)(mod / SLOT);
		return !orig || at % mod / SLOT == orig % mod / SLOT;
	}
	if (plain && total >= o.page)
		align = o.page;
	mod = align > keep ? align : keep;
	*stride = (uint32_t)(mod / SLOT);
	like = keep > align ? keep
			    : align; /* bits of align count as 0, those above as the memory's */
	return at % align == 0 && (!orig || at % like / align == orig % like / align);
}

static uint32_t oracle_area(uint32_t d, uint32_t area, uint64_t orig, uint64_t total,
			    uint64_t align)
{
	uint32_t size = o.slots / o.areas, n = (uint32_t)(oracle_round(total, SLOT) / SLOT);
	uint32_t at = o.index[area], passed = 0, stride;

	if (n > size - o.taken[area])
		return SLOTS;
	while (passed < size) {
		uint32_t slot = area * size + at, step = 1;

		if (oracle_aligned(d, slot, orig, total, align, &stride)) {
			if (oracle_free(d, slot, n)) {
				o.index[area] = at + n < size ? at + n : 0;
				o.taken[area] += n;
				for (uint32_t i = 0; i < n; i++)
					o.used[slot + i] = true;
				return slot;
			}
			step = stride;
		}
		passed += step;
		at = at + step < size ? at + step : 0;
	}
	return SLOTS;
}

static uint32_t oracle_find(uint32_t d, uint32_t cpu, uint64_t orig, uint64_t total, uint64_t align)
{
	uint32_t slot = SLOTS;

	for (uint32_t i = 0; i < o.areas && slot == SLOTS; i++)
		slot = oracle_area(d, (cpu + i) % o.areas, orig, total, align);
	return slot;
}

/* What is copied of a part of a mapping: its size, 0 for nothing. */
static uint64_t oracle_part(const struct oracle_map *m, uint64_t from, uint64_t size)
{
	uint64_t kept = m->orig & o.dev[m->dev].cfg.keep_mask & (SLOT - 1);
	uint64_t in = (m->buffer + from) % SLOT;
	uint64_t slot = (kept + from) / SLOT; /* of the mapping */
	uint64_t behind = m->total - kept - (m->pad + slot) * SLOT, left = behind - (in - kept);

	if (o.model != PZL_LINUX_6_12 && (in < kept || in - kept > behind))
		return 0;
	return size < left ? size : left;
}

static void oracle_count(void)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < o.slots; i++)
		n += o.used[i];
	if (n > o.most)
		o.most = n;
}

static bool check_state(struct prop *p)
{
	const struct pzl_swiotlb_pool *pool = o.mem.pools;
	uint32_t run = 0;
	uint64_t n = 0;

	for (uint32_t i = o.slots; i-- > 0;) {
		if (i % SEGMENT == SEGMENT - 1)
			run = 0;
		run = o.used[i] ? 0 : run + 1;
		n += o.used[i];
		PROP_ASSERT(p, pool->slot[i].list == run);
	}
	for (uint32_t a = 0; a < o.areas; a++)
		PROP_ASSERT(p, pool->area[a].used == o.taken[a]);
	PROP_ASSERT(p, o.mem.used == n && o.mem.used_most == o.most && o.bugs.count == 0);
	return true;
}

static bool do_map(struct prop *p)
{
	uint32_t d = prop_choice(p, DEVS), i = prop_choice(p, MAPS),
		 cpu = (uint32_t)prop_draw(p, 9);
	struct oracle_map *m = &o.map[i];
	struct pzl_swiotlb_dev *dev = &o.dev[d];
	uint64_t align = prop_choice(p, 4) == 3 ? 1ull << prop_draw(p, 14) : 1, offset, want;

	if (m->live)
		return true;
	m->dev = d;
	m->orig = 0x40000000 + prop_draw(p, 0x1ffff);
	m->size = 1 + prop_draw(p, (1ull << prop_between(p, 3, 18)) - 1);
	offset = m->orig & dev->cfg.keep_mask & (SLOT - 1);
	m->pad = 0;
	if (o.model == PZL_LINUX_6_12) {
		offset = m->orig & dev->cfg.keep_mask & ((align > SLOT ? align : SLOT) - 1);
		m->pad = (uint32_t)(offset / SLOT);
		m->total = oracle_round(m->size + offset, align);
	} else {
		m->total = oracle_round(m->size, align) + offset;
	}
	m->slot = oracle_find(d, cpu, m->orig, m->total, align);
	m->n = (uint32_t)(oracle_round(m->total, SLOT) / SLOT);
	m->live = m->slot != SLOTS;
	want = m->live ? o.start + (uint64_t)(m->slot + m->pad) * SLOT + offset % SLOT
		       : PZ_DMA_ERROR;
	oracle_count();
	prop_note(p, "map dev %u cpu %u orig %#llx size %llu align %llu: slot %u", d, cpu,
		  (unsigned long long)m->orig, (unsigned long long)m->size,
		  (unsigned long long)align, m->slot);
	memset(&o.copy, 0, sizeof(o.copy));
	o.lines = 0;
	m->buffer = pzl_swiotlb_tbl_map(dev, cpu, m->orig, m->size, align - 1, 0);
	PROP_ASSERT(p, m->buffer == want);
	PROP_ASSERT(p, o.lines == !m->live && o.copy.count == m->live);
	if (m->live) {
		PROP_ASSERT(p, o.copy.into && o.copy.orig == m->orig && o.copy.buffer == want &&
				       o.copy.bytes == m->size);
		/* Bits above the device's boundary are not compared, nor is more than its bus. */
		if (!dev->cfg.window_count &&
		    (!dev->cfg.boundary || dev->cfg.boundary > dev->cfg.keep_mask))
			PROP_ASSERT(p, !((m->buffer ^ m->orig) & dev->cfg.keep_mask));
	}
	return true;
}

static struct oracle_map *draw_live(struct prop *p)
{
	struct oracle_map *m = &o.map[prop_choice(p, MAPS)];

	for (uint32_t i = 0; i < MAPS && !m->live; i++)
		m = m + 1 < &o.map[MAPS] ? m + 1 : &o.map[0];
	return m->live ? m : NULL;
}

static bool do_sync(struct prop *p)
{
	struct oracle_map *m = draw_live(p);
	enum pz_dma_dir dir = (enum pz_dma_dir)prop_choice(p, 3);
	bool for_device = prop_choice(p, 2), moves;
	uint64_t from, size, part;

	if (!m)
		return true;
	/* a little beyond it, too, in the slots that it has */
	from = prop_draw(p, m->size + 2);
	if (m->buffer + from >= o.start + (uint64_t)(m->slot + m->n) * SLOT)
		from = m->size - 1;
	size = 1 + prop_draw(p, m->size + 9);
	moves = dir == PZ_DMA_BIDIRECTIONAL ||
		dir == (for_device ? PZ_DMA_TO_DEVICE : PZ_DMA_FROM_DEVICE);
	part = moves ? oracle_part(m, from, size) : 0;
	prop_note(p, "sync slot %u from %llu size %llu dir %d", m->slot, (unsigned long long)from,
		  (unsigned long long)size, (int)dir);
	memset(&o.copy, 0, sizeof(o.copy));
	o.lines = 0;
	pzl_swiotlb_sync(&o.dev[m->dev], m->buffer + from, size, dir, for_device);
	PROP_ASSERT(p, o.copy.count == (part != 0) && o.copy.bytes == part);
	if (part)
		PROP_ASSERT(p, o.copy.into == for_device && o.copy.orig == m->orig + from &&
				       o.copy.buffer == m->buffer + from);
	PROP_ASSERT(p, o.lines == (moves && part != size));
	return true;
}

static bool do_unmap(struct prop *p)
{
	struct oracle_map *m = draw_live(p);
	enum pz_dma_dir dir = (enum pz_dma_dir)prop_choice(p, 3);
	bool skip = prop_choice(p, 2), back = !skip && dir != PZ_DMA_TO_DEVICE;

	if (!m)
		return true;
	prop_note(p, "unmap slot %u", m->slot);
	memset(&o.copy, 0, sizeof(o.copy));
	pzl_swiotlb_tbl_unmap(&o.dev[m->dev], m->buffer, m->size, dir,
			      skip ? PZ_DMA_SKIP_CPU_SYNC : 0);
	PROP_ASSERT(p,
		    o.copy.count == back && (!back || (!o.copy.into && o.copy.bytes == m->size)));
	for (uint32_t i = 0; i < m->n; i++)
		o.used[m->slot + i] = false;
	o.taken[m->slot / (o.slots / o.areas)] -= m->n;
	m->live = false;
	return true;
}

static void draw_device(struct prop *p, uint32_t d)
{
	struct pzl_swiotlb_dev *dev = &o.dev[d];

	pzl_swiotlb_dev_init(dev, &o.sw, "dev", 64);
	dev->mem = &o.mem;
	if (prop_choice(p, 2))
		dev->cfg.keep_mask = (1ull << prop_draw(p, 14)) - 1;
	if (prop_choice(p, 3) == 2)
		dev->cfg.boundary = 1ull << prop_between(p, 10, 20);
	if (prop_choice(p, 3) == 2) {
		o.win[d].phys.first = 0x10000000;
		o.win[d].phys.last = 0x7fffffff;
		o.win[d].bus = (prop_draw(p, 63) + 1) << 12;
		dev->cfg.windows = &o.win[d];
		dev->cfg.window_count = 1;
	}
}

static bool draw_buffers(struct prop *p)
{
	struct pzl_swiotlb_config cfg;
	struct pz_range at;

	memset(&cfg, 0, sizeof(cfg));
	cfg.model = o.model;
	cfg.page_shift = prop_choice(p, 4) == 3 ? 14 : 12;
	cfg.max_order = 10;
	cfg.cpus = 1;
	cfg.high_first = PZ_ADDR_MAX;
	cfg.meta = &o.hook.meta;
	cfg.bugs = &o.bugs;
	cfg.hooks.copy = seen_copy;
	cfg.hooks.emit = seen_line;
	o.page = 1u << cfg.page_shift;
	o.start = 0x20000000 + (prop_draw(p, 63) << 12);
	o.slots = SEGMENT * (1 + (uint32_t)prop_draw(p, 5));
	if (prop_choice(p, 4) == 3)
		o.slots -= (uint32_t)prop_draw(p, 100);
	at.first = o.start;
	at.last = o.start + (uint64_t)o.slots * SLOT - 1;
	if (pzl_swiotlb_create(&o.sw, &cfg) || pzl_swiotlb_restrict(&o.mem, &o.sw, at))
		return false;
	/* As a pool of the machine has it, with areas smaller than segments, too. */
	o.areas = 1u << prop_draw(p, 3);
	while (o.slots % o.areas)
		o.areas /= 2;
	if (o.areas > 1) {
		struct pzl_swiotlb_pool *pool = o.mem.pools;
		size_t bytes = o.areas * sizeof(*pool->area);

		o.hook.meta.free(o.hook.meta.ctx, pool->area, sizeof(*pool->area));
		pool->area = o.hook.meta.alloc(o.hook.meta.ctx, bytes);
		memset(pool->area, 0, bytes);
		pool->areas = o.areas;
		pool->area_slots = o.slots / o.areas;
	}
	return true;
}

static bool prop_slots(struct prop *p, void *ctx)
{
	unsigned int steps = 1 + (unsigned int)prop_draw(p, STEPS - 1);
	bool ok = true;

	memset(&o, 0, sizeof(o));
	hook_init(&o.hook);
	o.bugs.policy = PZ_BUG_IGNORE;
	o.model = *(const enum pzl_model *)ctx;
	PROP_ASSERT(p, draw_buffers(p));
	for (uint32_t d = 0; d < DEVS; d++)
		draw_device(p, d);
	prop_note(p, "%u slots in %u areas at %#llx, pages of %u", o.slots, o.areas,
		  (unsigned long long)o.start, o.page);
	for (unsigned int i = 0; i < steps && ok; i++) {
		switch (prop_choice(p, 5)) {
		case 3:
			ok = do_sync(p);
			break;
		case 4:
			ok = do_unmap(p);
			break;
		default:
			ok = do_map(p);
			break;
		}
		ok = ok && check_state(p);
	}
	for (uint32_t i = 0; i < MAPS && ok; i++)
		if (o.map[i].live)
			pzl_swiotlb_tbl_unmap(&o.dev[o.map[i].dev], o.map[i].buffer, 1,
					      PZ_DMA_TO_DEVICE, 0);
	ok = ok && o.mem.used == 0 && o.bugs.count == 0;
	pzl_swiotlb_release(&o.mem);
	PROP_ASSERT(p, ok);
	return true;
}

int main(void)
{
	for (int m = 0; m < PZL_MODELS; m++) {
		enum pzl_model model = (enum pzl_model)m;
		char name[64];

		strcpy(name, "slots of ");
		strcat(name, pzl_model_name(model));
		prop_run(name, prop_slots, &model, 4000);
	}
	return prop_done();
}
