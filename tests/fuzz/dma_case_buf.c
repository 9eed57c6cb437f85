/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_case_buf.c - coherent buffers of a case, from wherever they come: pages, contiguous areas,
 * regions, pools for contexts that may not block, bounce buffers; small objects; and who holds
 * what.
 */
#include "dma_case_internal.h"

/* --- coherent buffers --- */

static const char *buf_holds(const struct case_buf *b)
{
	const unsigned char *p = dma_memory(b->buf.phys, b->buf.size);

	for (uint64_t i = 0; i < b->buf.size; i++)
		MUST(p[i] == (unsigned char)(b->seed + i));
	return NULL;
}

/* Whoever may not block must not be made to. */
static int buf_take(struct case_buf *b, const struct case_dev *d, uint64_t size)
{
	uint32_t cpu = (uint32_t)draw(1), gfp = draw(1) ? PZ_GFP_BLOCK : 0;
	int rc;

	world.may_block = gfp;
	rc = b->pages ? pz_dma_alloc_pages(d->dev, cpu, gfp, PZ_DMA_BIDIRECTIONAL, size, &b->buf)
		      : pz_dma_alloc(d->dev, cpu, gfp, PZ_DMA_NO_WARN, size, &b->buf);
	world.may_block = true;
	return rc;
}

const char *do_alloc(void)
{
	struct case_buf *b = &w.buf[draw(BUFS - 1)];
	struct case_dev *d = pick_device();
	uint64_t size = 1 + draw(draw(1) ? 5 * DMA_PAGE : DMA_PAGE - 1), seen;
	int rc;

	if (b->live || !d)
		return NULL;
	memset(&b->buf, 0, sizeof(b->buf));
	b->pages = draw(3) == 3;
	rc = buf_take(b, d, size);
	note("alloc dev %d size %llu%s: %d, %#llx from %u", (int)(d - w.dev),
	     (unsigned long long)size, b->pages ? " of pages" : "", rc,
	     (unsigned long long)b->buf.bus, b->buf.from);
	MUST(rc == 0 || rc == -PZ_ENOMEM || rc == -PZ_ERANGE || rc == -PZ_EBUSY);
	dma_case_counts.buffers += rc == 0;
	dma_case_counts.buffer_fails += rc != 0;
	if (!rc)
		dma_case_counts.from[b->buf.from]++;
	if (rc)
		return NULL;
	b->live = true;
	b->d = d;
	d->out++;
	seen = device_sees(d, b->buf.bus, size, d->cfg.coherent_mask);
	MUST(seen != PZ_ADDR_MAX && seen == b->buf.phys && b->buf.size == size);
	MUST(b->buf.cpu_addr == dma_memory(seen, size));
	MUST(b->buf.bus % d->cfg.align == 0 && b->buf.bus % DMA_PAGE == 0);
	MUST(!device_crosses(d, b->buf.bus, size));
	for (unsigned int i = 0; i < MAPS; i++)
		if (w.map[i].live)
			MUST(seen + size <= w.map[i].seen || w.map[i].seen + w.map[i].size <= seen);
	MUST(all_are(dma_memory(seen, size), size, 0));
	b->seed = w.seed += 31;
	for (uint64_t i = 0; i < size; i++)
		dma_memory(seen, size)[i] = (unsigned char)(b->seed + i);
	return NULL;
}

/* The CPU and the device take turns with a part of cached memory. */
static void buf_sync(const struct case_buf *b)
{
	uint64_t from = draw(b->buf.size - 1), size = 1 + draw(b->buf.size - from - 1);

	pz_dma_sync_for_device(b->d->dev, b->buf.bus + from, size, PZ_DMA_BIDIRECTIONAL);
	pz_dma_sync_for_cpu(b->d->dev, b->buf.bus + from, size, PZ_DMA_BIDIRECTIONAL);
}

static const char *buf_end(struct case_buf *b)
{
	if (b->pages && draw(1))
		buf_sync(b);
	note("free %#llx", (unsigned long long)b->buf.bus);
	PASS(buf_holds(b));
	if (b->pages)
		pz_dma_free_pages(b->d->dev, 0, &b->buf);
	else
		pz_dma_free(b->d->dev, 0, &b->buf);
	b->d->out--;
	b->live = false;
	return NULL;
}

const char *do_free(void)
{
	struct case_buf *b = &w.buf[draw(BUFS - 1)];

	return b->live ? buf_end(b) : NULL;
}

/* Memory in pieces, all of which the device reaches. */
const char *do_pieces(void)
{
	struct case_dev *d = pick_device();
	uint32_t n = 0, gfp = draw(1) ? PZ_GFP_BLOCK : 0;
	uint64_t size = 1 + draw(7 * DMA_PAGE), sum = 0;
	struct pz_sg sg[8];
	int rc;

	if (!d)
		return NULL;
	world.may_block = gfp;
	rc = pz_dma_alloc_noncontiguous(d->dev, 0, gfp, draw(1) ? PZ_DMA_SINGLE_PAGES : 0, size, sg,
					8, &n);
	world.may_block = true;
	note("pieces of dev %d size %llu: %d, %u", (int)(d - w.dev), (unsigned long long)size, rc,
	     n);
	MUST(rc == 0 || rc == -PZ_ENOMEM || rc == -PZ_ERANGE || rc == -PZ_EBUSY ||
	     rc == -PZ_ENOSPC);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t seen = device_sees(d, sg[i].bus, sg[i].len, d->cfg.coherent_mask);

		MUST(seen == sg[i].phys && sg[i].bus_len == sg[i].len);
		MUST(!d->cfg.max_segment || sg[i].len <= d->cfg.max_segment);
		MUST(!device_crosses(d, sg[i].bus, sg[i].len));
		MUST(all_are(dma_memory(seen, sg[i].len), sg[i].len, 0));
		pz_dma_sync_for_device(d->dev, sg[i].bus, sg[i].len, PZ_DMA_BIDIRECTIONAL);
		sum += sg[i].len;
	}
	MUST(rc || sum >= size);
	MUST(!d->cfg.max_segments || n <= d->cfg.max_segments);
	if (!rc)
		pz_dma_free_noncontiguous(d->dev, 0, sg, n);
	dma_case_counts.pieces += !rc;
	return NULL;
}

/* --- small objects --- */

static const char *small_make(void)
{
	struct case_small *k = &w.small;
	struct case_dev *d = pick_device();
	struct pz_dma_pool_config cfg;
	int rc;

	if (!d)
		return NULL;
	memset(&cfg, 0, sizeof(cfg));
	cfg.name = "small";
	k->size = cfg.size = 1 + (uint32_t)draw(draw(1) ? 2047 : 127);
	k->align = cfg.align = 1u << draw(7);
	k->boundary = cfg.boundary = draw(1) ? 0 : 4096u >> draw(4);
	cfg.debug = draw(3) == 3;
	rc = pz_dma_pool_create(&k->pool, d->dev, &cfg, NULL);
	note("pool of dev %d, size %u align %u boundary %u: %d", (int)(d - w.dev), k->size,
	     k->align, k->boundary, rc);
	MUST(rc == 0 || rc == -PZ_ERANGE || (rc == -PZ_ENOSPC && k->boundary));
	if (rc) {
		k->pool = NULL;
		return NULL;
	}
	k->d = d;
	d->out++;
	return NULL;
}

static const char *small_take(void)
{
	struct case_small *k = &w.small;
	uint32_t gfp = draw(1) ? PZ_GFP_BLOCK : 0;
	uint64_t bus, seen;
	void *cpu;
	int rc;

	if (k->n == BLOCKS)
		return NULL;
	world.may_block = gfp;
	rc = pz_dma_pool_request(k->pool, (uint32_t)draw(1), gfp | PZ_GFP_ZERO, &cpu, &bus);
	world.may_block = true;
	MUST(rc == 0 || rc == -PZ_ENOMEM || rc == -PZ_ERANGE || rc == -PZ_EBUSY);
	if (rc)
		return NULL;
	note("block %#llx", (unsigned long long)bus);
	dma_case_counts.small++;
	seen = device_sees(k->d, bus, k->size, k->d->cfg.coherent_mask);
	MUST(seen != PZ_ADDR_MAX && cpu == dma_memory(seen, k->size));
	MUST(bus % k->align == 0);
	MUST(!k->boundary || bus / k->boundary == (bus + k->size - 1) / k->boundary);
	MUST(all_are(cpu, k->size, 0));
	k->block[k->n].cpu = cpu;
	k->block[k->n].bus = bus;
	k->block[k->n].seed = w.seed += 17;
	memset(cpu, w.seed, k->size);
	k->n++;
	return NULL;
}

static const char *small_give(unsigned int i)
{
	struct case_small *k = &w.small;

	MUST(all_are(k->block[i].cpu, k->size, k->block[i].seed));
	pz_dma_pool_free(k->pool, (uint32_t)draw(1), k->block[i].cpu, k->block[i].bus);
	k->block[i] = k->block[--k->n];
	return NULL;
}

static const char *small_end(void)
{
	struct case_small *k = &w.small;

	while (k->n)
		PASS(small_give(k->n - 1));
	MUST(!pz_dma_pool_check(k->pool));
	MUST(!pz_dma_pool_destroy(k->pool, NULL, NULL));
	k->pool = NULL;
	k->d->out--;
	return NULL;
}

const char *do_small(void)
{
	struct case_small *k = &w.small;

	if (!k->pool)
		return small_make();
	switch (draw(7)) {
	case 0:
	case 1:
	case 2:
	case 3:
		return small_take();
	case 4:
	case 5:
		return k->n ? small_give((unsigned int)draw(k->n - 1)) : NULL;
	case 6:
		(void)pz_dma_pool_trim(k->pool, (uint32_t)draw(1));
		return NULL;
	default:
		return small_end();
	}
}

/* --- who holds what --- */

unsigned int case_maps(const struct case_dev *d)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < MAPS; i++)
		n += w.map[i].live && w.map[i].d == d;
	return n;
}

/* Mappings of a device that are bounced. */
static unsigned int case_bounced(const struct case_dev *d)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < MAPS; i++)
		n += w.map[i].live && w.map[i].d == d && w.map[i].seen != w.map[i].phys;
	return n;
}

/* Buffers of a device that are out; @scarce: those that are not of ordinary pages. */
static unsigned int case_bufs(const struct case_dev *d, bool scarce)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < BUFS; i++)
		n += w.buf[i].live && w.buf[i].d == d &&
		     !(scarce && w.buf[i].buf.from == PZ_DMA_FROM_PAGES);
	return n;
}

/* Pages of the pool of small objects, if it is a device's. */
static uint64_t case_small_pages(const struct case_dev *d)
{
	struct pz_dma_pool_info info;

	if (!w.small.pool || w.small.d != d)
		return 0;
	pz_dma_pool_info(w.small.pool, &info);
	return info.pages;
}

bool case_holds(const struct case_dev *d)
{
	return case_bounced(d) || case_bufs(d, false) || case_small_pages(d);
}

struct holders {
	const struct case_dev *d;
	unsigned int n;
	bool foreign;
};

static int holder(void *ctx, const struct pz_dma_holder *h)
{
	struct holders *k = ctx;

	k->n++;
	k->foreign |= h->dev != k->d->dev;
	return 0;
}

const char *do_holders(void)
{
	struct holders k = { pick_device(), 0, false };
	struct pz_dma_dev_stat s;
	unsigned int least;

	if (!k.d)
		return NULL;
	note("holders of dev %d", (int)(k.d - w.dev));
	MUST(!pz_dma_holders(w.dma, k.d->dev, holder, &k) && !k.foreign);
	least = case_bounced(k.d) + case_bufs(k.d, true);
	MUST(k.n >= least && k.n <= least + case_small_pages(k.d));
	pz_dma_dev_stat(k.d->dev, &s);
	MUST(s.bounced == case_bounced(k.d));
	MUST(s.buffers == case_bufs(k.d, false) + case_small_pages(k.d));
	for (unsigned int i = 0; i < BUFS && w.debug; i++)
		s.mapped -= w.buf[i].live && w.buf[i].d == k.d && w.buf[i].pages;
	MUST(s.mapped == (w.debug ? case_maps(k.d) : s.bounced));
	return NULL;
}

const char *bufs_end(void)
{
	for (unsigned int i = 0; i < BUFS; i++)
		if (w.buf[i].live)
			PASS(buf_end(&w.buf[i]));
	return w.small.pool ? small_end() : NULL;
}
