/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_domains.c - see table_domains.h.
 */
#include "table_domains.h"

#include <stdlib.h>
#include <string.h>

#include "../start.h"

#define DOMAINS_MIB (UINT64_C(1) << 20)
#define DOMAINS_OAS 35u

static void *domains_zeroed(void *ctx, size_t size)
{
	(void)ctx;
	return xcalloc(1, size);
}

static void domains_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static const struct pz_meta domains_meta = { domains_zeroed, domains_free, NULL };

static const struct pz_table_mem *domains_of(const struct table_domains *d, uint32_t bytes)
{
	return bytes > TABLE_BYTES ? pz_table_source_mem(d->first) : &d->second;
}

static int domains_alloc(void *ctx, uint32_t cpu, uint32_t gfp, uint32_t bytes,
			 struct pz_table *out)
{
	const struct pz_table_mem *mem = domains_of(ctx, bytes);

	return mem->alloc(mem->ctx, cpu, gfp, bytes, out);
}

static void domains_give(void *ctx, uint32_t cpu, uint32_t bytes, const struct pz_table *t)
{
	const struct pz_table_mem *mem = domains_of(ctx, bytes);

	mem->free(mem->ctx, cpu, bytes, t);
}

static int domains_provider(struct table_domains *d, struct table_bed *bed)
{
	struct pz_table_source_config cfg;

	memset(&cfg, 0, sizeof(cfg));
	cfg.pages = bed->pages;
	cfg.mapped.last = bed->arena->bytes - 1;
	cfg.virt = bed->arena->at;
	cfg.limits = bed->limits;
	cfg.meta = &domains_meta;
	cfg.bugs = &bed->bugs;
	return pz_table_pages_create(&d->first, &cfg, NULL);
}

int table_domains_open(struct table_domains *d, struct table_bed *bed,
		       const struct pz_table_mem *second, unsigned int count, bool keep)
{
	struct pz_v7s_config cfg;
	int rc;

	memset(d, 0, sizeof(*d));
	d->second = *second;
	d->t = xcalloc(count, sizeof(struct pz_v7s *));
	rc = domains_provider(d, bed);
	d->mem = (struct pz_table_mem){ domains_alloc, domains_give, d, second->coherent };
	memset(&cfg, 0, sizeof(cfg));
	cfg.ias = 32;
	cfg.oas = DOMAINS_OAS;
	cfg.quirks = PZ_V7S_NO_PERMS | PZ_V7S_MTK_EXT;
	if (bed->limits.max_addr > UINT32_MAX)
		cfg.quirks |= PZ_V7S_MTK_TTBR_EXT;
	if (!keep)
		cfg.quirks |= PZ_V7S_GIVE_BACK;
	cfg.coherent_walk = true;
	cfg.mem = &d->mem;
	cfg.meta = cfg.zeroed = &domains_meta;
	cfg.bugs = &bed->bugs;
	for (; !rc && d->count < count; d->count += !rc)
		rc = pz_v7s_create(&d->t[d->count], &cfg, 0, PZ_GFP_BLOCK, NULL);
	return rc;
}

int table_domains_close(struct table_domains *d)
{
	int rc;

	while (d->count)
		pz_v7s_destroy(d->t[--d->count], 0);
	free(d->t);
	d->t = NULL;
	rc = pz_table_source_destroy(d->first);
	d->first = NULL;
	return rc;
}

uint64_t table_domains_first(const struct table_domains *d)
{
	struct pz_table_stat now;

	pz_table_source_stat(d->first, &now);
	return now.held;
}

int table_domains_do(struct table_domains *d, const struct table_op *op)
{
	struct pz_v7s *t = d->t[op->domain];

	if (op->unmap)
		return pz_v7s_unmap(t, 0, table_gfp(op->atomic), op->iova, op->size, 0, NULL, NULL);
	return pz_v7s_map(t, 0, table_gfp(op->atomic), op->iova, table_domains_fold(op->paddr),
			  op->size, PZ_IOMMU_READ | PZ_IOMMU_WRITE);
}

void table_domains_clear(struct table_domains *d, unsigned int domain, uint64_t iova)
{
	(void)pz_v7s_unmap(d->t[domain], 0, PZ_GFP_BLOCK, iova & ~(DOMAINS_MIB - 1), DOMAINS_MIB, 0,
			   NULL, NULL);
}
