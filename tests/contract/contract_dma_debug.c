/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_dma_debug.c - the debug mode, by a table: each misuse is made on purpose and found once,
 * with the place of the mapping; right use of everything finds nothing.
 */
#include "dma_small.h"
#include "suites_decl.h"

#define DD_MAX 8u
#define DD_MEM (DS_FIRST + 0x100000)
#define DD_STACK 0x51000u
#define DD_TEXT 0x52000u
#define DD_VMALLOC 0x53000u
#define DD_NONE 0x54000u

struct dd_box {
	struct dma_small m;
	struct pz_dma_dev *dev, *other;
	struct pz_dma_debug_config cfg;
	struct pz_dma_debug *d;
	struct pz_dma_misuse_found found[DD_MAX];
	uint32_t findings;
	uint64_t free; /* a page that is */
	uint32_t visits;
};

static void dd_tell(void *ctx, const struct pz_dma_misuse_found *f)
{
	struct dd_box *b = ctx;

	if (b->findings < DD_MAX)
		b->found[b->findings] = *f;
	b->findings++;
}

static enum pz_dma_memory dd_memory(void *ctx, const struct pz_dma_use *u)
{
	(void)ctx;
	switch ((uintptr_t)u->memory & ~(uintptr_t)0xfff) {
	case DD_STACK:
		return PZ_DMA_MEMORY_STACK;
	case DD_TEXT:
		return PZ_DMA_MEMORY_TEXT;
	case DD_VMALLOC:
		return PZ_DMA_MEMORY_VMALLOC;
	case DD_NONE:
		return PZ_DMA_MEMORY_INVALID;
	}
	return PZ_DMA_MEMORY_FINE;
}

static uint64_t dd_now(void *ctx)
{
	return ds_now(&((struct dd_box *)ctx)->m);
}

static uint64_t dd_site(void *ctx)
{
	return ds_site(&((struct dd_box *)ctx)->m);
}

static struct pz_dma_dev *dd_device(struct dd_box *b, const char *name)
{
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev = NULL;

	pz_dma_dev_init(&cfg, name, 32);
	cfg.max_segment = 0x4000;
	cfg.boundary = 0x10000;
	CHECK_NAMED(b->m.pm.t, pz_dma_dev_create(&dev, b->m.dma, &cfg) == 0, "a device is made");
	return dev;
}

static bool dd_make(struct dd_box *b)
{
	b->findings = 0;
	b->m.pm.bugs.count = 0;
	return CHECK_NAMED(b->m.pm.t, pz_dma_debug_create(&b->d, &b->cfg) == 0,
			   "the debug mode is made");
}

static bool dd_open(struct dd_box *b, struct tap *t)
{
	uint64_t pfn;

	if (!ds_lay_out(&b->m, t) || !ds_make(&b->m))
		return false;
	/* Everything is taken but one page. */
	while (!pz_alloc_pages(b->m.pm.pages, PZ_CPU_NONE, 0, 0, NULL, &pfn))
		b->free = pfn;
	pz_free_pages(b->m.pm.pages, PZ_CPU_NONE, b->free, 0);
	b->dev = dd_device(b, "disk");
	b->other = dd_device(b, "net");
	ds_clear(&b->cfg, sizeof(b->cfg));
	b->cfg.meta = &b->m.meta.meta;
	b->cfg.entries = 64;
	b->cfg.pages = b->m.pm.pages;
	b->cfg.bugs = &b->m.pm.bugs;
	b->cfg.found = dd_tell;
	b->cfg.memory = dd_memory;
	b->cfg.now = dd_now;
	b->cfg.site = dd_site;
	b->cfg.ctx = b;
	return b->dev && b->other;
}

static void dd_close(struct dd_box *b)
{
	struct tap *t = b->m.pm.t;

	CHECK(t, pz_dma_dev_destroy(b->dev) == 0 && pz_dma_dev_destroy(b->other) == 0);
	(void)pm_free_singles(&b->m.pm, DS_FIRST >> 12, (DS_FIRST + DS_BYTES - 1) >> 12);
	ds_close(&b->m);
}

static void dd_drop(struct dd_box *b)
{
	CHECK(b->m.pm.t, pz_dma_debug_check(b->d) == 0);
	pz_dma_debug_destroy(b->d);
}

/* A mapping of 4 KiB, at one address for CPU, memory and bus. */
static struct pz_dma_use dd_use(const struct dd_box *b, enum pz_dma_kind kind, enum pz_dma_dir dir)
{
	struct pz_dma_use u = { .dev = b->dev,
				.kind = kind,
				.dir = dir,
				.bus = DD_MEM,
				.phys = DD_MEM,
				.size = 0x1000,
				.memory = (const void *)(uintptr_t)DD_MEM };

	if (kind == PZ_DMA_SG)
		u.sg_count = 3;
	return u;
}

/* What is changed in a call. */
enum dd_change {
	DD_NOTHING,
	DD_SIZE,
	DD_LONGER,
	DD_KIND,
	DD_DIR,
	DD_COUNT,
	DD_COUNT_LATER,
	DD_MEMORY,
	DD_PHYS,
	DD_DEVICE,
	DD_BUS,
	DD_INSIDE,
	DD_ERROR,
	DD_CROSSES,
	DD_ON_STACK,
	DD_IN_TEXT,
	DD_IN_VMALLOC,
	DD_IN_NONE,
	DD_FREE,
	DD_BEFORE_FREE,
	DD_SKIP,
};

static void dd_change(const struct dd_box *b, struct pz_dma_use *u, enum dd_change c)
{
	switch (c) {
	case DD_NOTHING:
		return;
	case DD_SIZE:
		u->size = 0x800;
		return;
	case DD_LONGER:
		u->size = 0x5000;
		return;
	case DD_KIND:
		u->kind = u->kind == PZ_DMA_SINGLE ? PZ_DMA_SG : PZ_DMA_SINGLE;
		return;
	case DD_DIR:
		u->dir = u->dir == PZ_DMA_TO_DEVICE ? PZ_DMA_FROM_DEVICE : PZ_DMA_TO_DEVICE;
		return;
	case DD_COUNT_LATER:
		u->sg_index = 1;
		u->sg_count = 4;
		return;
	case DD_COUNT:
		u->sg_count = 4;
		return;
	case DD_MEMORY:
		u->memory = (const char *)u->memory + 64;
		return;
	case DD_PHYS:
		u->phys += 0x1000;
		return;
	case DD_DEVICE:
		u->dev = b->other;
		return;
	case DD_BUS:
		u->bus += 0x1000;
		return;
	case DD_INSIDE:
		u->bus += 0x800;
		u->size = 0x100;
		return;
	case DD_ERROR:
		u->bus = PZ_DMA_ERROR;
		return;
	case DD_CROSSES:
		u->bus |= 0xf800;
		return;
	case DD_ON_STACK:
		u->memory = (const void *)(uintptr_t)DD_STACK;
		return;
	case DD_IN_TEXT:
		u->memory = (const void *)(uintptr_t)DD_TEXT;
		return;
	case DD_IN_VMALLOC:
		u->memory = (const void *)(uintptr_t)DD_VMALLOC;
		return;
	case DD_IN_NONE:
		u->memory = (const void *)(uintptr_t)DD_NONE;
		return;
	case DD_FREE:
		u->phys = b->free << 12;
		return;
	case DD_BEFORE_FREE:
		u->phys = (b->free << 12) - 0x800;
		return;
	case DD_SKIP:
		u->attrs = PZ_DMA_SKIP_CPU_SYNC;
		return;
	}
}

#define DD_RIGHT PZ_DMA_MISUSES

/* A mapping that is made, perhaps changed; then perhaps unmapped or synced in another way. */
struct dd_case {
	const char *name;
	enum pz_dma_kind kind;
	enum pz_dma_dir dir;
	enum dd_change map, unmap;
	enum pz_dma_misuse what; /* DD_RIGHT: none */
};

static const struct dd_case dd_cases[] = {
	{ "a single mapping", PZ_DMA_SINGLE, PZ_DMA_TO_DEVICE, DD_NOTHING, DD_NOTHING, DD_RIGHT },
	{ "an element", PZ_DMA_SG, PZ_DMA_FROM_DEVICE, DD_NOTHING, DD_NOTHING, DD_RIGHT },
	{ "a buffer", PZ_DMA_COHERENT, PZ_DMA_BIDIRECTIONAL, DD_NOTHING, DD_NOTHING, DD_RIGHT },
	{ "a resource", PZ_DMA_RESOURCE, PZ_DMA_BIDIRECTIONAL, DD_NOTHING, DD_NOTHING, DD_RIGHT },
	{ "the address of failure", PZ_DMA_SINGLE, PZ_DMA_TO_DEVICE, DD_NOTHING, DD_ERROR,
	  PZ_DMA_UNMAP_ERROR },
	{ "another address", PZ_DMA_SINGLE, PZ_DMA_TO_DEVICE, DD_NOTHING, DD_BUS,
	  PZ_DMA_UNMAP_UNKNOWN },
	{ "an address inside", PZ_DMA_SINGLE, PZ_DMA_TO_DEVICE, DD_NOTHING, DD_INSIDE,
	  PZ_DMA_UNMAP_UNKNOWN },
	{ "another device", PZ_DMA_SINGLE, PZ_DMA_TO_DEVICE, DD_NOTHING, DD_DEVICE,
	  PZ_DMA_UNMAP_DEVICE },
	{ "another device's buffer", PZ_DMA_COHERENT, PZ_DMA_BIDIRECTIONAL, DD_NOTHING, DD_DEVICE,
	  PZ_DMA_UNMAP_DEVICE },
	{ "another size", PZ_DMA_SINGLE, PZ_DMA_TO_DEVICE, DD_NOTHING, DD_SIZE, PZ_DMA_UNMAP_SIZE },
	{ "a buffer of another size", PZ_DMA_COHERENT, PZ_DMA_BIDIRECTIONAL, DD_NOTHING, DD_SIZE,
	  PZ_DMA_UNMAP_SIZE },
	{ "another kind", PZ_DMA_SINGLE, PZ_DMA_TO_DEVICE, DD_NOTHING, DD_KIND, PZ_DMA_UNMAP_KIND },
	{ "an element as a single one", PZ_DMA_SG, PZ_DMA_TO_DEVICE, DD_NOTHING, DD_KIND,
	  PZ_DMA_UNMAP_KIND },
	{ "another direction", PZ_DMA_SINGLE, PZ_DMA_TO_DEVICE, DD_NOTHING, DD_DIR,
	  PZ_DMA_UNMAP_DIR },
	{ "another count", PZ_DMA_SG, PZ_DMA_TO_DEVICE, DD_NOTHING, DD_COUNT, PZ_DMA_UNMAP_COUNT },
	{ "another count, told of the first", PZ_DMA_SG, PZ_DMA_TO_DEVICE, DD_NOTHING,
	  DD_COUNT_LATER, DD_RIGHT },
	{ "another CPU address", PZ_DMA_COHERENT, PZ_DMA_BIDIRECTIONAL, DD_NOTHING, DD_MEMORY,
	  PZ_DMA_UNMAP_MEMORY },
	{ "other memory", PZ_DMA_COHERENT, PZ_DMA_BIDIRECTIONAL, DD_NOTHING, DD_PHYS,
	  PZ_DMA_UNMAP_MEMORY },
	{ "of the stack", PZ_DMA_SINGLE, PZ_DMA_TO_DEVICE, DD_ON_STACK, DD_NOTHING,
	  PZ_DMA_MAP_STACK },
	{ "of the text", PZ_DMA_SINGLE, PZ_DMA_TO_DEVICE, DD_IN_TEXT, DD_NOTHING, PZ_DMA_MAP_TEXT },
	{ "of vmalloc", PZ_DMA_SINGLE, PZ_DMA_TO_DEVICE, DD_IN_VMALLOC, DD_NOTHING,
	  PZ_DMA_MAP_VMALLOC },
	{ "of nothing", PZ_DMA_SINGLE, PZ_DMA_TO_DEVICE, DD_IN_NONE, DD_NOTHING,
	  PZ_DMA_MAP_INVALID },
	{ "of vmalloc, a buffer", PZ_DMA_COHERENT, PZ_DMA_BIDIRECTIONAL, DD_IN_VMALLOC,
	  DD_IN_VMALLOC, DD_RIGHT },
	{ "too long an element", PZ_DMA_SG, PZ_DMA_TO_DEVICE, DD_LONGER, DD_LONGER,
	  PZ_DMA_MAP_LONG },
	{ "a long single one", PZ_DMA_SINGLE, PZ_DMA_TO_DEVICE, DD_LONGER, DD_LONGER, DD_RIGHT },
	{ "an element across the boundary", PZ_DMA_SG, PZ_DMA_TO_DEVICE, DD_CROSSES, DD_CROSSES,
	  PZ_DMA_MAP_BOUNDARY },
	{ "a single one across it", PZ_DMA_SINGLE, PZ_DMA_TO_DEVICE, DD_CROSSES, DD_CROSSES,
	  DD_RIGHT },
};

static bool dd_found(struct dd_box *b, enum pz_dma_misuse what, bool known, uint64_t site)
{
	const struct pz_dma_misuse_found *f = &b->found[0];
	bool ok = what == DD_RIGHT ? b->findings == 0
				   : b->findings == 1 && f->what == what && f->known == known &&
					     b->m.pm.bugs.count == 1;

	if (ok && known && what != DD_RIGHT)
		ok = f->mapping.site == site && f->mapping.since && f->mapping.serial;
	b->findings = 0;
	b->m.pm.bugs.count = 0;
	return ok;
}

static bool dd_unmaps_nothing(enum pz_dma_misuse what)
{
	return what == PZ_DMA_UNMAP_ERROR || what == PZ_DMA_UNMAP_UNKNOWN ||
	       what == PZ_DMA_UNMAP_DEVICE;
}

static void dd_table(struct tap *t, struct dd_box *b)
{
	struct pz_dma_debug_stat s;

	if (!dd_make(b))
		return;
	for (size_t i = 0; i < sizeof(dd_cases) / sizeof(dd_cases[0]); i++) {
		const struct dd_case *c = &dd_cases[i];
		struct pz_dma_use made = dd_use(b, c->kind, c->dir), undone;
		bool at_map = c->what >= PZ_DMA_MAP_STACK && c->what <= PZ_DMA_MAP_OVERLAP;

		dd_change(b, &made, c->map);
		b->m.site = 1000 + i;
		pz_dma_debug_map(b->d, &made);
		CHECK_NAMED(t, dd_found(b, at_map ? c->what : DD_RIGHT, false, 0), c->name);
		pz_dma_debug_checked(b->d, b->dev, made.bus);
		b->m.site = 1;
		undone = at_map ? made : dd_use(b, c->kind, c->dir);
		if (!at_map)
			dd_change(b, &undone, c->unmap);
		pz_dma_debug_unmap(b->d, &undone);
		CHECK_NAMED(t,
			    dd_found(b, at_map ? DD_RIGHT : c->what, c->what > PZ_DMA_UNMAP_UNKNOWN,
				     1000 + i),
			    c->name);
		if (dd_unmaps_nothing(c->what))
			pz_dma_debug_unmap(b->d, &made);
		pz_dma_debug_stat(b->d, &s);
		CHECK_NAMED(t, b->findings == 0 && s.free == 64, "and then it is gone");
		if (c->what != DD_RIGHT)
			CHECK_NAMED(t, s.found[c->what] > 0, "it is counted");
	}
	dd_drop(b);
}

static void dd_unchecked(struct tap *t, struct dd_box *b)
{
	struct pz_dma_use u = dd_use(b, PZ_DMA_SINGLE, PZ_DMA_TO_DEVICE);

	if (!dd_make(b))
		return;
	b->m.site = 7;
	pz_dma_debug_map(b->d, &u);
	pz_dma_debug_checked(b->d, b->other, u.bus);
	pz_dma_debug_checked(b->d, b->dev, u.bus + 1);
	pz_dma_debug_unmap(b->d, &u);
	CHECK(t, dd_found(b, PZ_DMA_UNMAP_UNCHECKED, true, 7));
	/* Of two alike each has to be checked. */
	pz_dma_debug_map(b->d, &u);
	pz_dma_debug_map(b->d, &u);
	pz_dma_debug_checked(b->d, b->dev, u.bus);
	pz_dma_debug_unmap(b->d, &u);
	CHECK(t, dd_found(b, DD_RIGHT, false, 0));
	pz_dma_debug_unmap(b->d, &u);
	CHECK(t, dd_found(b, PZ_DMA_UNMAP_UNCHECKED, true, 7));
	pz_dma_debug_unmap(b->d, &u);
	CHECK_NAMED(t, dd_found(b, PZ_DMA_UNMAP_UNKNOWN, false, 0), "unmapped once more");
	dd_drop(b);
}

/* Which of several mappings of one address is taken. */
static void dd_matching(struct tap *t, struct dd_box *b)
{
	struct pz_dma_use one = dd_use(b, PZ_DMA_SG, PZ_DMA_TO_DEVICE), two = one, call = one;

	if (!dd_make(b))
		return;
	two.size = 0x2000;
	call.size = 0x3000;
	pz_dma_debug_map(b->d, &one);
	pz_dma_debug_map(b->d, &two);
	pz_dma_debug_unmap(b->d, &call);
	CHECK_NAMED(t, b->found[0].count == 2 && dd_found(b, PZ_DMA_UNMAP_UNKNOWN, false, 0),
		    "two that are unlike it are none");
	pz_dma_debug_unmap(b->d, &two);
	CHECK_NAMED(t, dd_found(b, DD_RIGHT, false, 0), "one that is alike is taken at once");
	pz_dma_debug_unmap(b->d, &call);
	CHECK_NAMED(t, b->found[0].mapping.use.size == 0x1000 && b->found[0].call.size == 0x3000,
		    "the only one is taken");
	CHECK(t, dd_found(b, PZ_DMA_UNMAP_SIZE, true, b->m.site));
	dd_drop(b);
}

struct dd_sync {
	enum pz_dma_dir mapped, dir;
	bool for_cpu;
	uint64_t from, size;
	enum pz_dma_misuse what;
};

static void dd_syncs(struct tap *t, struct dd_box *b)
{
	static const struct dd_sync syncs[] = {
		{ PZ_DMA_TO_DEVICE, PZ_DMA_TO_DEVICE, false, 0, 0x3000, DD_RIGHT },
		{ PZ_DMA_TO_DEVICE, PZ_DMA_TO_DEVICE, true, 0x2fff, 1, DD_RIGHT },
		{ PZ_DMA_FROM_DEVICE, PZ_DMA_FROM_DEVICE, true, 0x1800, 0x100, DD_RIGHT },
		{ PZ_DMA_BIDIRECTIONAL, PZ_DMA_TO_DEVICE, true, 0, 0x10, DD_RIGHT },
		{ PZ_DMA_BIDIRECTIONAL, PZ_DMA_FROM_DEVICE, false, 0, 0x10, DD_RIGHT },
		{ PZ_DMA_TO_DEVICE, PZ_DMA_FROM_DEVICE, true, 0, 0x10, PZ_DMA_SYNC_READ_ONLY },
		{ PZ_DMA_TO_DEVICE, PZ_DMA_BIDIRECTIONAL, true, 0, 1, PZ_DMA_SYNC_READ_ONLY },
		{ PZ_DMA_TO_DEVICE, PZ_DMA_FROM_DEVICE, false, 0, 0x10, PZ_DMA_SYNC_DIR },
		{ PZ_DMA_FROM_DEVICE, PZ_DMA_TO_DEVICE, false, 0, 1, PZ_DMA_SYNC_WRITE_ONLY },
		{ PZ_DMA_FROM_DEVICE, PZ_DMA_BIDIRECTIONAL, false, 0, 1, PZ_DMA_SYNC_WRITE_ONLY },
		{ PZ_DMA_FROM_DEVICE, PZ_DMA_TO_DEVICE, true, 0, 0x10, PZ_DMA_SYNC_DIR },
		{ PZ_DMA_FROM_DEVICE, PZ_DMA_FROM_DEVICE, true, 0x2fff, 2, PZ_DMA_SYNC_RANGE },
		{ PZ_DMA_BIDIRECTIONAL, PZ_DMA_TO_DEVICE, true, 0, 0x3001, PZ_DMA_SYNC_RANGE },
		{ PZ_DMA_TO_DEVICE, PZ_DMA_TO_DEVICE, false, 0x3000, 1, PZ_DMA_SYNC_UNKNOWN },
		{ PZ_DMA_TO_DEVICE, PZ_DMA_TO_DEVICE, false, (uint64_t)0 - 1, 1,
		  PZ_DMA_SYNC_UNKNOWN },
	};
	struct pz_dma_use u, s;

	if (!dd_make(b))
		return;
	for (size_t i = 0; i < sizeof(syncs) / sizeof(syncs[0]); i++) {
		u = dd_use(b, PZ_DMA_SINGLE, syncs[i].mapped);
		u.size = 0x3000;
		b->m.site = 50 + i;
		pz_dma_debug_map(b->d, &u);
		pz_dma_debug_checked(b->d, b->dev, u.bus);
		s = u;
		s.bus += syncs[i].from;
		s.size = syncs[i].size;
		s.dir = syncs[i].dir;
		pz_dma_debug_sync(b->d, &s, syncs[i].for_cpu);
		CHECK_NAMED(
			t, dd_found(b, syncs[i].what, syncs[i].what != PZ_DMA_SYNC_UNKNOWN, 50 + i),
			"a sync is judged");
		s = u;
		s.dev = b->other;
		pz_dma_debug_sync(b->d, &s, true);
		CHECK_NAMED(t, dd_found(b, PZ_DMA_SYNC_UNKNOWN, false, 0), "another device's");
		pz_dma_debug_unmap(b->d, &u);
		CHECK(t, dd_found(b, DD_RIGHT, false, 0));
	}
	u = dd_use(b, PZ_DMA_SG, PZ_DMA_TO_DEVICE);
	pz_dma_debug_map(b->d, &u);
	s = u;
	s.sg_count = 2;
	pz_dma_debug_sync(b->d, &s, false);
	CHECK(t, dd_found(b, PZ_DMA_SYNC_COUNT, true, b->m.site));
	s.sg_index = 1;
	pz_dma_debug_sync(b->d, &s, false);
	CHECK(t, dd_found(b, DD_RIGHT, false, 0));
	pz_dma_debug_unmap(b->d, &u);
	dd_drop(b);
}

/* Two mappings, the second one changed: what is found when it is made. */
static bool dd_overlaps(struct dd_box *b, enum pz_dma_dir first, enum pz_dma_dir second,
			uint64_t from, enum dd_change how)
{
	struct pz_dma_use u = dd_use(b, PZ_DMA_SG, first), v = dd_use(b, PZ_DMA_SG, second);
	uint32_t n, wrong = 0;

	v.dev = b->other;
	v.phys += from;
	v.bus += from;
	v.size = 0x40;
	dd_change(b, &v, how);
	b->m.site = 9;
	pz_dma_debug_map(b->d, &u);
	b->m.site = 10;
	pz_dma_debug_map(b->d, &v);
	n = b->findings;
	if (n && (b->found[0].what != PZ_DMA_MAP_OVERLAP || b->found[0].mapping.site != 9))
		wrong = 2;
	pz_dma_debug_unmap(b->d, &u);
	pz_dma_debug_unmap(b->d, &v);
	wrong += b->findings - n;
	b->findings = 0;
	CHECK_NAMED(b->m.pm.t, n <= 1 && !wrong, "overlap is told once, with the first mapping");
	return n == 1;
}

static void dd_overlap(struct tap *t, struct dd_box *b)
{
	for (unsigned int first = 0; first < 2; first++) {
		b->cfg.first_line_only = first;
		if (!dd_make(b))
			return;
		CHECK(t, dd_overlaps(b, PZ_DMA_FROM_DEVICE, PZ_DMA_BIDIRECTIONAL, 0, DD_NOTHING));
		CHECK(t, !dd_overlaps(b, PZ_DMA_TO_DEVICE, PZ_DMA_BIDIRECTIONAL, 0, DD_NOTHING));
		CHECK(t, !dd_overlaps(b, PZ_DMA_FROM_DEVICE, PZ_DMA_TO_DEVICE, 0, DD_NOTHING));
		CHECK(t, !dd_overlaps(b, PZ_DMA_FROM_DEVICE, PZ_DMA_FROM_DEVICE, 0, DD_SKIP));
		CHECK(t,
		      !dd_overlaps(b, PZ_DMA_FROM_DEVICE, PZ_DMA_FROM_DEVICE, 0x1000, DD_NOTHING));
		CHECK(t, dd_overlaps(b, PZ_DMA_FROM_DEVICE, PZ_DMA_FROM_DEVICE, 0x20, DD_NOTHING));
		CHECK_NAMED(t,
			    dd_overlaps(b, PZ_DMA_FROM_DEVICE, PZ_DMA_FROM_DEVICE, 0xfe0,
					DD_NOTHING) == !first,
			    "Linux looks at the first line only");
		dd_drop(b);
	}
	b->cfg.first_line_only = false;
}

static void dd_freed(struct tap *t, struct dd_box *b)
{
	struct pz_dma_use u = dd_use(b, PZ_DMA_SG, PZ_DMA_TO_DEVICE);
	uint64_t pfn = (DD_MEM >> 12) + 1;

	if (!dd_make(b))
		return;
	dd_change(b, &u, DD_BEFORE_FREE);
	pz_dma_debug_map(b->d, &u);
	CHECK(t, dd_found(b, PZ_DMA_MAP_FREED, false, 0));
	b->cfg.ignore = (uint64_t)1 << PZ_DMA_UNMAP_FREED;
	pz_dma_debug_unmap(b->d, &u);
	CHECK(t, dd_found(b, PZ_DMA_UNMAP_FREED, true, b->m.site));
	u = dd_use(b, PZ_DMA_SG, PZ_DMA_TO_DEVICE);
	u.size = 0x2000;
	pz_dma_debug_map(b->d, &u);
	CHECK(t, dd_found(b, DD_RIGHT, false, 0));
	pz_free_pages(b->m.pm.pages, PZ_CPU_NONE, pfn, 0);
	pz_dma_debug_unmap(b->d, &u);
	CHECK_NAMED(t, dd_found(b, PZ_DMA_UNMAP_FREED, true, b->m.site), "freed while mapped");
	dd_drop(b);
	if (!dd_make(b))
		return;
	pz_dma_debug_map(b->d, &u);
	CHECK(t, dd_found(b, PZ_DMA_MAP_FREED, false, 0));
	pz_dma_debug_unmap(b->d, &u);
	CHECK_NAMED(t, dd_found(b, DD_RIGHT, false, 0), "what is ignored is not told");
	b->cfg.ignore = 0;
	dd_drop(b);
	CHECK(t, pz_alloc_pages(b->m.pm.pages, PZ_CPU_NONE, 0, 0, NULL, &pfn) == 0);
}

static int dd_visit(void *ctx, const struct pz_dma_record *r)
{
	struct dd_box *b = ctx;

	b->visits += r->serial != 0;
	return b->visits == 3 ? 5 : 0;
}

static void dd_leaks(struct tap *t, struct dd_box *b)
{
	struct pz_dma_use u;

	if (!dd_make(b))
		return;
	for (unsigned int i = 0; i < 3; i++) {
		u = dd_use(b, PZ_DMA_SG, PZ_DMA_TO_DEVICE);
		u.bus += 0x10000 * i;
		b->m.site = 30 + i;
		pz_dma_debug_map(b->d, &u);
	}
	pz_dma_debug_release(b->d, b->other);
	CHECK(t, dd_found(b, DD_RIGHT, false, 0));
	pz_dma_debug_release(b->d, b->dev);
	CHECK(t, b->found[0].count == 3 && b->found[0].mapping.use.bus == DD_MEM);
	CHECK_NAMED(t, dd_found(b, PZ_DMA_LEAK, true, 30), "how many, and the oldest");
	b->visits = 0;
	CHECK(t, pz_dma_debug_each(b->d, b->other, dd_visit, b) == 0 && b->visits == 0);
	CHECK(t, pz_dma_debug_each(b->d, NULL, dd_visit, b) == 5 && b->visits == 3);
	dd_drop(b);
}

static void dd_exhausted(struct tap *t, struct dd_box *b)
{
	struct pz_dma_debug_stat s;
	struct pz_dma_use u;

	b->cfg.entries = 5;
	if (!dd_make(b))
		return;
	for (unsigned int i = 0; i < 7; i++) {
		u = dd_use(b, PZ_DMA_SG, PZ_DMA_TO_DEVICE);
		u.bus += 0x1000 * i;
		pz_dma_debug_map(b->d, &u);
	}
	CHECK_NAMED(t, b->found[0].limit == 5 && dd_found(b, PZ_DMA_NO_RECORDS, false, 0),
		    "told once");
	pz_dma_debug_stat(b->d, &s);
	CHECK(t, s.lost == 2 && s.free == 0 && s.min_free == 0 && s.entries == 5);
	pz_dma_debug_sync(b->d, &u, false);
	CHECK_NAMED(t, b->findings == 0, "what is not known is not told");
	for (unsigned int i = 0; i < 7; i++) {
		u = dd_use(b, PZ_DMA_SG, PZ_DMA_TO_DEVICE);
		u.bus += 0x1000 * i;
		pz_dma_debug_unmap(b->d, &u);
	}
	pz_dma_debug_stat(b->d, &s);
	CHECK(t, b->findings == 0 && s.lost == 0 && s.free == 5);
	pz_dma_debug_unmap(b->d, &u);
	CHECK_NAMED(t, dd_found(b, PZ_DMA_UNMAP_UNKNOWN, false, 0), "all is known again");
	dd_drop(b);
	b->cfg.entries = 64;
}

static void dd_creating(struct tap *t, struct dd_box *b)
{
	CHECK(t, pz_dma_misuse_name(PZ_DMA_MISUSES)[0] == '?');
	for (unsigned int i = 0; i < PZ_DMA_MISUSES; i++)
		CHECK(t, pz_dma_misuse_name((enum pz_dma_misuse)i)[0] != '\0');
	pz_dma_debug_destroy(NULL);
	b->cfg.cache_line = 48;
	CHECK(t, pz_dma_debug_create(&b->d, &b->cfg) == -PZ_EINVAL);
	b->cfg.cache_line = 0;
	b->cfg.entries = PZ_DMA_DEBUG_MAX_ENTRIES + 1;
	CHECK(t, pz_dma_debug_create(&b->d, &b->cfg) == -PZ_EINVAL);
	b->cfg.entries = 64;
	for (uint64_t n = 1; n <= 6; n++) {
		CHECK(t, pz_fault_arm(&b->m.faults, b->m.meta_fault, n, 1) == 0);
		CHECK(t, pz_dma_debug_create(&b->d, &b->cfg) == -PZ_ENOMEM);
	}
	CHECK(t, pz_fault_arm(&b->m.faults, b->m.meta_fault, 0, 0) == 0);
}

/* The layer itself tells the debug mode of its buffers. */
static void dd_layer(struct tap *t, struct dd_box *b)
{
	struct pz_dma_dev_config cfg;
	struct pz_dma_debug_stat s;
	struct pz_dma_buf buf;
	struct pz_dma_dev *dev = NULL;
	struct pz_dma *dma = NULL;

	if (!dd_make(b))
		return;
	(void)pm_free_singles(&b->m.pm, DS_FIRST >> 12, (DS_FIRST + DS_BYTES - 1) >> 12);
	b->m.cfg.debug = b->d;
	pz_dma_dev_init(&cfg, "audio", 32);
	CHECK(t, pz_dma_create(&dma, &b->m.cfg) == 0 && pz_dma_dev_create(&dev, dma, &cfg) == 0);
	CHECK(t, pz_dma_alloc(dev, 0, 0, 0, 0x3000, &buf) == 0);
	pz_dma_debug_stat(b->d, &s);
	CHECK(t, s.free == 63 && b->findings == 0);
	CHECK(t, pz_dma_dev_destroy(dev) == -PZ_EBUSY);
	CHECK_NAMED(t,
		    b->findings == 1 && b->found[0].what == PZ_DMA_LEAK &&
			    b->found[0].mapping.use.kind == PZ_DMA_COHERENT,
		    "a buffer is left behind");
	pz_dma_free(dev, 0, &buf);
	pz_dma_debug_stat(b->d, &s);
	CHECK(t, s.free == 64 && b->findings == 1);
	CHECK(t, pz_dma_dev_destroy(dev) == 0 && pz_dma_destroy(dma) == 0);
	dd_drop(b);
}

void contract_dma_debug(struct tap *t)
{
	struct dd_box *b = t->meta->alloc(t->meta->ctx, sizeof(*b));

	if (!CHECK_NAMED(t, b != NULL, "there is room for the test"))
		return;
	if (dd_open(b, t)) {
		dd_creating(t, b);
		dd_table(t, b);
		dd_unchecked(t, b);
		dd_matching(t, b);
		dd_syncs(t, b);
		dd_overlap(t, b);
		dd_freed(t, b);
		dd_leaks(t, b);
		dd_exhausted(t, b);
		dd_layer(t, b);
		dd_close(b);
	}
	t->meta->free(t->meta->ctx, b, sizeof(*b));
}
