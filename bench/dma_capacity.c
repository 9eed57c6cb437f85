/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_capacity.c - how much memory devices with few address lines get, under each model of Linux
 * and from physzone, on machines of 2 and 8 GiB that are idle, filled and half taken.
 *
 * A device allocates coherent buffers of one size, which it may block for, until there is none.
 * "in reach" is what lies in whole free blocks of that size below its limit before it begins; on a
 * filled machine that is what is left where it can reach it. Filled: every request without a limit
 * was served first. Half taken: memory was filled with blocks of 4 KiB to 4 MiB, and half of them,
 * at random, were freed.
 *
 * The models take the highest page of a zone first. A running Linux takes any, so that one whose
 * zone lies partly in reach gets more or less by chance, once memory is not idle any more.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <physzone/linux/dma.h>

#include "dma.h"
#include "machine.h"

#define CAP_ORDERS 11u
#define CAP_BITS_MIN 24u
#define CAP_BITS_MAX 32u
#define CAP_BITS (CAP_BITS_MAX - CAP_BITS_MIN + 1)

enum cap_state { CAP_IDLE, CAP_FILLED, CAP_HALF, CAP_STATES };
/* The models by their numbers, then physzone. */
enum { CAP_OWN = PZL_MODELS, CAP_WAYS };

static const uint64_t cap_piece[] = { 4 * KIB, 64 * KIB, MIB, 4 * MIB };
static const char *const cap_cols[] = { "4 KiB", "64 KiB", "1 MiB", "4 MiB", NULL };
#define CAP_PIECES (sizeof(cap_piece) / sizeof(cap_piece[0]))

struct cap_box {
	struct machine m;
	struct pzl_dma linux_dma;
	struct pz_dma *own;
	enum pzl_model model; /* PZL_MODELS for physzone's own */
	struct pz_dma_buf *buf;
	struct pzl_dma_buf *linux_buf;
	size_t room;
};

struct cap_row {
	double got[CAP_PIECES];
};

/* All memory in blocks, by the size of the largest. */
static void cap_fill(struct pz_pages *p)
{
	uint64_t pfn;

	for (unsigned int order = CAP_ORDERS; order-- > 0;)
		while (!pz_alloc_pages(p, 0, PZ_GFP_BLOCK | PZ_GFP_NORETRY, order, NULL, &pfn))
			;
}

static void cap_half(struct pz_pages *p)
{
	struct {
		uint64_t pfn;
		unsigned int order;
	} *block = NULL;
	uint64_t seed = 1;
	size_t n = 0, cap = 0;

	for (unsigned int refused = 0; refused < CAP_ORDERS;) {
		unsigned int order =
			refused ? CAP_ORDERS - 1 - refused : bench_below(&seed, CAP_ORDERS);
		uint64_t pfn;

		if (pz_alloc_pages(p, 0, PZ_GFP_BLOCK | PZ_GFP_NORETRY, order, NULL, &pfn)) {
			refused++;
			continue;
		}
		if (n == cap) {
			cap = cap ? 2 * cap : 4096;
			block = realloc(block, cap * sizeof(*block));
			dma_need(block, "memory");
		}
		block[n].pfn = pfn;
		block[n++].order = order;
	}
	for (size_t i = 0; i < n; i++)
		if (bench_rand(&seed) >> 63)
			pz_free_pages(p, 0, block[i].pfn, block[i].order);
	free(block);
}

static bool cap_linux(struct cap_box *b, enum pzl_model model)
{
	struct pzl_dma_config cfg;

	pzl_dma_config_init(&cfg, model, PZL_ARCH_X86_64);
	cfg.boot.page_shift = 12;
	cfg.boot.max_order = CAP_ORDERS - 1;
	cfg.boot.configured = b->m.zones.cfg.configured;
	cfg.boot.zone_limit = 16 * MIB - 1;
	cfg.boot.ram_last = pz_memblock_last(&b->m.mb);
	cfg.boot.totalram_pages = b->m.managed;
	cfg.boot.managed_dma = true;
	/* No pools: they are the same for all devices, and physzone makes its own on demand. */
	cfg.build = 0;
	cfg.pages = b->m.pages;
	cfg.meta = &dma_meta;
	cfg.bugs = &b->m.bugs;
	return !pzl_dma_init(&b->linux_dma, &cfg);
}

static bool cap_own(struct cap_box *b)
{
	struct pz_dma_config cfg = { 0 };

	cfg.pages = b->m.pages;
	cfg.meta = &dma_meta;
	cfg.bugs = &b->m.bugs;
	cfg.cpus = BENCH_THREADS;
	cfg.cma = PZ_DMA_NO_CMA;
	return !pz_dma_create(&b->own, &cfg);
}

static void cap_open(struct cap_box *b, uint64_t bytes, enum cap_state state, enum pzl_model model)
{
	struct machine_opts o = { .bytes = bytes };

	memset(b, 0, sizeof(*b));
	b->model = model;
	o.policy = model == PZL_MODELS ? PZ_POLICY_REACH : PZ_POLICY_ZONELIST;
	dma_need(machine_make(&b->m, &o), "machine");
	dma_need(model == PZL_MODELS ? cap_own(b) : cap_linux(b, model), "DMA layer");
	b->room = (size_t)b->m.managed;
	b->buf = malloc(b->room * sizeof(*b->buf));
	b->linux_buf = malloc(b->room * sizeof(*b->linux_buf));
	dma_need(b->buf && b->linux_buf, "memory");
	if (state == CAP_FILLED)
		cap_fill(b->m.pages);
	else if (state == CAP_HALF)
		cap_half(b->m.pages);
}

static void cap_close(struct cap_box *b)
{
	if (b->own)
		dma_need(!pz_dma_destroy(b->own), "end of the DMA layer");
	else
		pzl_dma_destroy(&b->linux_dma);
	free(b->buf);
	free(b->linux_buf);
	machine_free(&b->m);
}

/* MiB that a device gets; all of it is given back. */
static double cap_own_gets(struct cap_box *b, unsigned int bits, uint64_t piece)
{
	struct pz_dma_dev_config cfg;
	struct pz_dma_dev *dev;
	size_t n = 0;

	pz_dma_dev_init(&cfg, "device", bits);
	dma_need(!pz_dma_dev_create(&dev, b->own, &cfg), "device");
	while (n < b->room && !pz_dma_alloc(dev, 0, PZ_GFP_BLOCK | PZ_GFP_NORETRY,
					    PZ_DMA_NO_KERNEL_MAPPING, piece, &b->buf[n])) {
		dma_need(b->buf[n].phys + piece - 1 <= cfg.mask, "buffer within reach");
		n++;
	}
	for (size_t i = n; i-- > 0;)
		pz_dma_free(dev, 0, &b->buf[i]);
	dma_need(!pz_dma_dev_destroy(dev), "end of the device");
	return (double)(n * piece) / MIB;
}

static double cap_linux_gets(struct cap_box *b, unsigned int bits, uint64_t piece)
{
	struct pzl_dma_dev dev;
	size_t n = 0;

	memset(&dev, 0, sizeof(dev));
	pz_dma_dev_init(&dev.cfg, "device", bits);
	if (pzl_dma_set_masks(&b->linux_dma, &dev, dev.cfg.mask))
		return 0;
	while (n < b->room && !pzl_dma_alloc(&b->linux_dma, &dev, piece, PZL_GFP_KERNEL,
					     PZ_DMA_NO_KERNEL_MAPPING, &b->linux_buf[n])) {
		dma_need(b->linux_buf[n].phys + piece - 1 <= dev.cfg.mask, "buffer within reach");
		n++;
	}
	for (size_t i = n; i-- > 0;)
		pzl_dma_free(&b->linux_dma, &dev, &b->linux_buf[i], false);
	return (double)(n * piece) / MIB;
}

/* Free aligned blocks of a size that lie below a limit, MiB. */
static double cap_in_reach(const struct cap_box *b, unsigned int bits, uint64_t piece)
{
	uint64_t pages = piece / PAGE_BYTES, end = ((uint64_t)1 << bits) / PAGE_BYTES, blocks = 0;
	struct pz_range r;

	for (unsigned int i = 0; machine_range(&b->m, i, &r); i++) {
		uint64_t pfn = (r.first + pages - 1) / pages * pages, run = 0;
		struct pz_page_info info;

		for (; pfn <= r.last && pfn < end; pfn++) {
			pz_page_info(b->m.pages, pfn, &info);
			run = info.state == PZ_PAGE_FREE ? run + 1 : 0;
			if (pfn % pages != pages - 1)
				continue;
			blocks += run >= pages;
			run = 0;
		}
	}
	return (double)(blocks * piece) / MIB;
}

static bool cap_same(const struct cap_row *a, const struct cap_row *b)
{
	return !memcmp(a->got, b->got, sizeof(a->got));
}

static void cap_print(struct bench_table *t, unsigned int bits, const char *who,
		      const struct cap_row *r)
{
	bench_row(t, "%u bits, %s", bits, who);
	for (unsigned int i = 0; i < CAP_PIECES; i++)
		bench_set(t, i, r->got[i]);
	bench_run(t);
}

/* The rows of a mask: models that give the same are one. */
static void cap_rows(struct bench_table *t, unsigned int bits, const struct cap_row *reach,
		     const struct cap_row *way)
{
	cap_print(t, bits, "in reach", reach);
	for (unsigned int w = 0; w < CAP_OWN;) {
		unsigned int last = w;
		char who[64];

		while (last + 1 < CAP_OWN && cap_same(&way[w], &way[last + 1]))
			last++;
		snprintf(who, sizeof(who), "%s%s%s", pzl_model_name((enum pzl_model)w),
			 last > w ? " to " : "",
			 last > w ? pzl_model_name((enum pzl_model)last) + strlen("linux-") : "");
		cap_print(t, bits, who, &way[w]);
		w = last + 1;
	}
	cap_print(t, bits, "physzone", &way[CAP_OWN]);
}

static void cap_targets(enum cap_state state, const char *machine, unsigned int bits,
			const struct cap_row *reach, const struct cap_row *way,
			struct bench_worst *share, struct bench_worst *more)
{
	for (unsigned int i = 0; i < CAP_PIECES; i++) {
		double own = way[CAP_OWN].got[i];

		if (state == CAP_IDLE)
			bench_worse(share, 100 * own / reach->got[i], false, "%u bits, %s, %s",
				    bits, cap_cols[i], machine);
		for (unsigned int w = 0; w < CAP_OWN; w++)
			bench_worse(more, own - way[w].got[i], false, "%u bits, %s, %s", bits,
				    cap_cols[i], machine);
	}
}

static void cap_table(uint64_t bytes, const char *machine, enum cap_state state,
		      struct bench_worst *share, struct bench_worst *more)
{
	static const char *const names[] = { "idle", "filled", "half taken" };
	static struct cap_row way[CAP_BITS][CAP_WAYS], reach[CAP_BITS];
	struct bench_table *t;
	char title[96];
	struct cap_box b;

	for (unsigned int w = 0; w < CAP_WAYS; w++) {
		cap_open(&b, bytes, state, (enum pzl_model)w);
		for (unsigned int k = 0; k < CAP_BITS; k++) {
			for (unsigned int i = 0; i < CAP_PIECES; i++) {
				unsigned int bits = CAP_BITS_MIN + k;

				if (w == CAP_OWN)
					reach[k].got[i] = cap_in_reach(&b, bits, cap_piece[i]);
				way[k][w].got[i] = w == CAP_OWN
							   ? cap_own_gets(&b, bits, cap_piece[i])
							   : cap_linux_gets(&b, bits, cap_piece[i]);
			}
		}
		cap_close(&b);
	}
	snprintf(title, sizeof(title), "what a device gets of %s, %s, in pieces of", machine,
		 names[state]);
	t = bench_table("capacity", title, "MiB", cap_cols, false);
	for (unsigned int k = 0; k < CAP_BITS; k++) {
		cap_rows(t, CAP_BITS_MIN + k, &reach[k], way[k]);
		cap_targets(state, machine, CAP_BITS_MIN + k, &reach[k], way[k], share, more);
	}
	bench_table_end(t);
}

void dma_capacity(void)
{
	static const struct {
		uint64_t bytes;
		const char *name;
	} machine[] = { { 2 * GIB, "2 GiB" }, { 8 * GIB, "8 GiB" } };
	struct bench_worst share = { .value = NAN }, more[CAP_STATES];

	for (unsigned int s = 0; s < CAP_STATES; s++) {
		more[s] = (struct bench_worst){ .value = NAN };
		for (unsigned int i = 0; i < sizeof(machine) / sizeof(machine[0]); i++)
			cap_table(machine[i].bytes, machine[i].name, (enum cap_state)s, &share,
				  &more[s]);
	}
	bench_target("capacity", share.value, 95, false, "%", "idle, of what it reaches (%s)",
		     share.what);
	bench_target("capacity", more[CAP_FILLED].value, 0, false, "MiB",
		     "filled, more than any Linux (%s)", more[CAP_FILLED].what);
	bench_remark(
		"half taken, the least that physzone gives more than a Linux: %.1f MiB (%s); who",
		more[CAP_HALF].value, more[CAP_HALF].what);
	bench_remark("reaches all memory leaves 8 to 32 MiB to those who do not");
}
