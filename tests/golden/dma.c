/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma.c - the DMA layer of every recorded kernel started on its rebuilt machine: the pools for
 * atomic allocations that it makes, against the lines that the kernel printed; and what devices get
 * of the recorded machine of 8 GiB on which that was measured.
 *
 *   dma [-v] MACHINES
 *
 * A kernel that reported a failed request of its own start-up has the rules from before 5.17,
 * whatever its version says.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <physzone/linux/dma.h>

#include "boot/boot.h"
#include "input/source.h"
#include "walk.h"

/* The machine of the table in which Linux's deliveries were measured. */
#define DMA_MEASURED "6.1-pc-8G"

static unsigned int dma_run, dma_failed, dma_lines, dma_measured;
static bool dma_verbose;

static void dma_ok(bool ok, const char *machine, const char *what, const char *why)
{
	dma_run++;
	dma_failed += !ok;
	printf("%sok %u - %s: %s\n", ok ? "" : "not ", dma_run, machine, what);
	if (!ok && *why)
		printf("# %s\n", why);
}

static void dma_emit(void *ctx, const char *line, size_t len)
{
	out_mem(ctx, line, len);
	out_char(ctx, '\n');
}

/* A rebuilt machine with its page allocator, as it is before the DMA layer starts. */
static bool dma_machine(struct boot *b, struct facts *f, enum pzl_model model, char **err)
{
	struct analysis_options how;
	unsigned int shift;

	memset(b, 0, sizeof(*b));
	memset(&how, 0, sizeof(how));
	if (analyse_start(&b->start, &b->analysis, f, &how, err))
		return false;
	b->rules = model == PZL_MODELS ? b->analysis.model : model;
	b->model = pzl_model_name(b->rules);
	if (boot_pages_begin(b, f, err))
		return false;
	shift = b->analysis.page_shift;
	for (size_t i = 0; i < b->start.areas.n; i++) {
		const struct an_area *a = &b->start.areas.v[i];
		struct pz_range p = { a->at.range.first >> shift, a->at.range.last >> shift };
		uint32_t id;

		if (pz_cma_activate(b->pages, &a->at, &id)) {
			(void)pz_pages_add(b->pages, p);
			(void)pz_zones_account(&b->start.z, p, true);
			continue;
		}
		(void)pz_zones_account(&b->start.z, p, true);
		*vec_push(&b->areas) = id;
	}
	return true;
}

static bool dma_start(struct pzl_dma *d, struct boot *b, const struct facts *f, struct out *o)
{
	struct pzl_dma_config cfg;

	pzl_dma_config_init(&cfg, b->rules, b->analysis.arch);
	cfg.boot = boot_in(b, f);
	pzl_boot_args(&b->start.cl, &cfg.args);
	if (!boot_has_pools(b, f))
		cfg.build &= ~PZL_DMA_POOL;
	else
		cfg.build |= PZL_DMA_POOL;
	cfg.pages = b->pages;
	cfg.meta = &an_meta;
	if (b->areas.n)
		cfg.cma = b->areas.v[b->areas.n - 1];
	cfg.emit = dma_emit;
	cfg.emit_ctx = o;
	return !pzl_dma_init(d, &cfg);
}

/* Start-up is over: what is given back then, and the marks that the kernel has in the end. */
static void dma_settle(struct boot *b)
{
	for (size_t i = 0; i < b->start.later.n; i++)
		if (b->start.later.v[i].kind != AN_GIVEN_GIGANTIC &&
		    !pz_pages_add(b->pages, b->start.later.v[i].pfns))
			(void)pz_zones_account(&b->start.z, b->start.later.v[i].pfns, true);
	for (size_t i = 0; i < b->start.end.n; i++) {
		const struct an_marks *m = &b->start.end.v[i];
		struct pz_node *n = pz_zones_node(&b->start.z, m->nid);

		if (!n)
			continue;
		n->zone[m->type].min = m->min;
		n->zone[m->type].low = m->low;
		n->zone[m->type].high = m->high;
		memcpy(n->zone[m->type].reserve, m->reserve, sizeof(m->reserve));
	}
	pz_pages_set_policy(b->pages, PZ_POLICY_ZONELIST);
}

/* MiB that a device gets, in single pages, none of them given back. */
static double dma_delivered(struct pzl_dma *d, unsigned int bits)
{
	struct pzl_dma_dev dev;
	struct pzl_dma_buf buf;
	uint64_t bytes = 0;

	memset(&dev, 0, sizeof(dev));
	pz_dma_dev_init(&dev.cfg, "device", bits);
	if (pzl_dma_set_masks(d, &dev, dev.cfg.mask))
		return 0;
	while (!pzl_dma_alloc(d, &dev, 4096, PZL_GFP_KERNEL, PZ_DMA_NO_WARN, &buf))
		bytes += 4096;
	return (double)bytes / (1 << 20);
}

static void dma_fill(struct pz_pages *p)
{
	uint64_t pfn;

	for (unsigned int order = 11; order-- > 0;)
		while (!pz_alloc_pages(p, 0, PZ_GFP_BLOCK | PZ_GFP_NORETRY, order, NULL, &pfn))
			;
}

/*
 * What was measured: MiB, to the last digit that was written down. A running kernel holds some of
 * ZONE_DMA32 by then that the rebuilt one does not, 10 MiB on this machine: half a percent.
 */
static const struct {
	enum pzl_model model;
	unsigned int bits;
	bool full;
	double mib, within;
} dma_table[] = {
	{ PZL_LINUX_6_1, 32, false, 2914, 14 },	  { PZL_LINUX_6_1, 31, false, 13.9, 0.1 },
	{ PZL_LINUX_6_1, 28, false, 13.9, 0.1 },  { PZL_LINUX_6_1, 24, false, 13.9, 0.1 },
	{ PZL_LINUX_6_12, 32, false, 2916, 14 },  { PZL_LINUX_6_12, 30, false, 13.8, 0.1 },
	{ PZL_LINUX_6_12, 24, false, 13.8, 0.1 }, { PZL_LINUX_6_1, 32, true, 22, 0.5 },
	{ PZL_LINUX_6_1, 31, true, 13.9, 0.1 },	  { PZL_LINUX_6_1, 25, true, 13.9, 0.1 },
};

static void dma_deliveries(const char *name, struct facts *f)
{
	for (size_t i = 0; i < sizeof(dma_table) / sizeof(dma_table[0]); i++) {
		char what[96], why[64], *err = NULL;
		double got = NAN;
		struct pzl_dma d;
		struct boot b;
		struct out o;

		out_init(&o, NULL);
		if (dma_machine(&b, f, dma_table[i].model, &err) && dma_start(&d, &b, f, &o)) {
			dma_settle(&b);
			if (dma_table[i].full)
				dma_fill(b.pages);
			got = dma_delivered(&d, dma_table[i].bits);
			pzl_dma_destroy(&d);
		}
		snprintf(what, sizeof(what), "%s: what a %u-bit device gets%s", b.model,
			 dma_table[i].bits, dma_table[i].full ? " after filling" : "");
		snprintf(why, sizeof(why), "%.1f MiB, measured %.1f", got, dma_table[i].mib);
		dma_ok(fabs(got - dma_table[i].mib) <= dma_table[i].within, name, what, why);
		if (dma_verbose)
			printf("# %s: %s\n", what, why);
		dma_measured++;
		boot_destroy(&b);
		out_destroy(&o);
		free(err);
	}
}

static enum pzl_model dma_rules(const struct facts *f)
{
	for (size_t i = 0; i < f->failures.n; i++)
		if (f->failures.v[i].comm && !strncmp(f->failures.v[i].comm, "swapper", 7))
			return PZL_LINUX_5_15;
	return PZL_MODELS;
}

static void dma_pools(const char *name, struct facts *f)
{
	struct out said, printed;
	struct pzl_dma d;
	struct boot b;
	char *err = NULL;

	out_init(&said, NULL);
	out_init(&printed, NULL);
	for (size_t i = 0; i < f->said.n; i++)
		if (f->said.v[i].kind == SAID_POOL || f->said.v[i].kind == SAID_POOL_FAILED) {
			out_printf(&said, "%s\n", f->said.v[i].text);
			dma_lines++;
		}
	if (dma_machine(&b, f, dma_rules(f), &err) && dma_start(&d, &b, f, &printed)) {
		dma_ok(!strcmp(out_text(&said), out_text(&printed)), name, "the lines about pools",
		       out_text(&printed));
		pzl_dma_destroy(&d);
		dma_ok(pz_pages_check(b.pages) == 0, name, "consistent afterwards", "");
	} else {
		dma_ok(false, name, "the DMA layer starts", err ? err : "");
	}
	boot_destroy(&b);
	out_destroy(&said);
	out_destroy(&printed);
	free(err);
}

static void dma_each(const char *dir, const char *name)
{
	struct source_options so;
	struct facts f;
	char *err = NULL;

	memset(&so, 0, sizeof(so));
	facts_init(&f);
	if (source_read(&f, dir, &so, &err)) {
		dma_ok(false, name, "the directory is read", err);
	} else {
		dma_pools(name, &f);
		if (!strcmp(name, DMA_MEASURED))
			dma_deliveries(name, &f);
	}
	free(err);
	facts_destroy(&f);
}

int main(int argc, char **argv)
{
	dma_verbose = argc > 2 && !strcmp(argv[1], "-v");
	if (argc < 2 + dma_verbose) {
		fprintf(stderr, "usage: dma [-v] MACHINES\n");
		return 2;
	}
	golden_walk(argv[argc - 1], dma_each);
	/* Nothing compared is nothing proven. */
	dma_ok(dma_lines >= 100, "all", "lines about pools were compared", "");
	dma_ok(dma_measured == sizeof(dma_table) / sizeof(dma_table[0]), "all",
	       "what devices get was compared", "");
	printf("1..%u\n", dma_run);
	printf("# %u lines about pools, %u deliveries\n", dma_lines, dma_measured);
	return dma_failed ? 1 : 0;
}
