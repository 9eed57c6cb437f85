/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s.c - a set of tables: made, verified, given back.
 *
 * Concept
 *  The words are the hardware's, and they are the truth. Besides them each MiB has a struct
 * v7s_mib: where the CPU sees its second level, how many of its words are valid, and a lock. That
 * lock is all that a request needs, so CPUs at work in different MiB share no word that is written,
 * and no cache line either (v7s_mib()).
 *
 * Locking
 *  [m] A MiB's lock, V7S_LOCK of its state, protects its words, table and count. Nothing is
 * allocated, and no other lock is taken, while it is held. A page of 16 MiB is written with [g],
 * the word of its group, held: whoever sets it then waits until none of the 16 MiB is locked, and
 * who locks a MiB lets go again when it is set. Looks take no lock: see v7s_look.c.
 *
 * Invariants, verified by pz_v7s_check() while nobody uses the tables: 1. nothing is locked; 2. a
 * MiB has a second level if and only if its word leads to one, where the walker can read; 3. its
 * count is the number of valid words there, else 0; 4. words that are no table have no reserved
 * type, and what is not valid is 0; 5. the 16 words of a page of 64 KiB or 16 MiB are alike and
 * begin at a multiple of 16; 6. pages are of sizes in use, and lie below 2^oas; 7. second levels
 * that are there are those made and not returned.
 *
 * Shortcomings
 *  The CPU's byte order is the walker's (little-endian). The first level is as long as a walker
 * that uses all bits of a 32-bit address may index, although @ias has less: else it would take what
 * lies behind for words. A coherent walker sees stores in their order if it is among the observers
 * that the CPU's release covers (on ARM the inner shareable domain).
 */
#include "v7s_internal.h"

#define V7S_FIRST_LEAST (16u << 10)

/* Linux's values: index 1 device memory, 4 normal and not cached, 7 normal and cached; inner
 * and outer write-back write-allocate. docs/facts/iommu_v7s.md, section 4. */
#define V7S_PRRR 0x800b8204u
#define V7S_NMRR 0x40004000u
#define V7S_TTBR_S 0x02u
#define V7S_TTBR_CACHED 0x6au /* shareable, not outer shareable, write-back write-allocate */

void pz_v7s_table_limits(uint32_t quirks, uint32_t oas, struct pz_limits *out)
{
	*out = pz_limits_bits(quirks & PZ_V7S_MTK_TTBR_EXT ? oas : 32);
}

static const char *v7s_wrong(const struct pz_v7s_config *c)
{
	bool mtk = c->quirks & PZ_V7S_MTK_EXT;
	uint32_t largest = c->sizes ? pz_fls32(c->sizes) : 0;

	if (c->quirks & ~PZ_V7S_QUIRKS)
		return "an unknown quirk";
	if (mtk && !(c->quirks & PZ_V7S_NO_PERMS))
		return "extended addresses use the bits of permissions";
	if (c->quirks & PZ_V7S_MTK_TTBR_EXT && !mtk)
		return "extended table addresses without extended addresses";
	if (c->ias < V7S_MIB_SHIFT || c->ias > (mtk ? 34 : 32))
		return mtk ? "an iova has 20 to 34 bits" : "an iova has 20 to 32 bits";
	if (c->oas < V7S_MIB_SHIFT || c->oas > (mtk ? 35 : 32))
		return mtk ? "a physical address has 20 to 35 bits"
			   : "a physical address has 20 to 32 bits";
	if (c->sizes & ~PZ_V7S_SIZES)
		return "an unknown page size";
	if (largest > c->ias || largest > c->oas)
		return "a page is larger than the address space";
	if (!c->mem || !c->mem->alloc || !c->mem->free)
		return "no provider of tables";
	if (!c->coherent_walk && !c->mem->coherent && !c->dev)
		return "a walker that is not coherent, and no device to maintain caches for";
	if (!c->meta || !c->meta->alloc || !c->meta->free ||
	    (c->zeroed && (!c->zeroed->alloc || !c->zeroed->free)) ||
	    !c->hooks.mask != !c->hooks.unmask)
		return "a hook is missing";
	return NULL;
}

static void v7s_default_sizes(struct pz_v7s_config *c)
{
	if (c->sizes)
		return;
	c->sizes = PZ_V7S_SIZES;
	if (c->ias < 24 || c->oas < 24)
		c->sizes &= ~PZ_V7S_16M;
}

static int v7s_fault_point(struct pz_v7s *t)
{
	int rc;

	t->fault = PZ_FAULT_ANY;
	if (!t->cfg.faults)
		return 0;
	rc = pz_fault_find(t->cfg.faults, "v7s.table", &t->fault);
	return rc ? pz_fault_add(t->cfg.faults, "v7s.table", &t->fault) : 0;
}

static uint32_t v7s_groups(const struct pz_v7s *t)
{
	return (t->mibs + V7S_REPEAT - 1) / V7S_REPEAT;
}

/* Room for counts and what is known of each MiB, whole cache lines, and the groups behind them. */
static int v7s_store(struct pz_v7s *t)
{
	const struct pz_meta *m = t->cfg.zeroed ? t->cfg.zeroed : t->cfg.meta;
	const uint32_t in_line = V7S_LINE / sizeof(struct v7s_mib);
	uint32_t mibs = t->mibs > in_line ? t->mibs : in_line;
	uintptr_t at;

	t->line_shift = pz_fls32(mibs) - pz_fls32(in_line);
	t->store_bytes = V7S_LINE + V7S_COUNTS * sizeof(struct v7s_counts) +
			 mibs * sizeof(struct v7s_mib) + v7s_groups(t) * 4;
	t->store = m->alloc(m->ctx, (size_t)t->store_bytes);
	if (!t->store)
		return -PZ_ENOMEM;
	if (!t->cfg.zeroed)
		memset(t->store, 0, (size_t)t->store_bytes);
	at = ((uintptr_t)t->store + V7S_LINE - 1) & ~(uintptr_t)(V7S_LINE - 1);
	t->counts = (struct v7s_counts *)at;
	t->mib = (struct v7s_mib *)(t->counts + V7S_COUNTS);
	t->group = (uint32_t *)(t->mib + mibs);
	return 0;
}

static void v7s_drop(struct pz_v7s *t)
{
	const struct pz_meta *m = t->cfg.zeroed ? t->cfg.zeroed : t->cfg.meta;

	if (t->store)
		m->free(m->ctx, t->store, (size_t)t->store_bytes);
	t->cfg.meta->free(t->cfg.meta->ctx, t, sizeof(*t));
}

int pz_v7s_create(struct pz_v7s **out, const struct pz_v7s_config *cfg, uint32_t cpu, uint32_t gfp,
		  const char **why)
{
	const char *wrong = v7s_wrong(cfg);
	struct pz_v7s *t;
	int rc;

	if (why)
		*why = wrong;
	if (wrong)
		return -PZ_EINVAL;
	t = cfg->meta->alloc(cfg->meta->ctx, sizeof(*t));
	if (!t)
		return -PZ_ENOMEM;
	memset(t, 0, sizeof(*t));
	t->cfg = *cfg;
	v7s_default_sizes(&t->cfg);
	t->iova_last = ((uint64_t)1 << cfg->ias) - 1;
	t->phys_last = ((uint64_t)1 << cfg->oas) - 1;
	t->mibs = 1u << (cfg->ias - V7S_MIB_SHIFT);
	t->first_bytes = t->mibs * 4 > V7S_FIRST_LEAST ? t->mibs * 4 : V7S_FIRST_LEAST;
	t->sync = cfg->dev && !cfg->coherent_walk && !cfg->mem->coherent;
	for (uint32_t prot = 0; prot <= PZ_IOMMU_PROT; prot++)
		t->small[prot] = pz_v7s_encode(cfg->quirks, PZ_V7S_4K, 0, prot);
	rc = v7s_fault_point(t);
	if (!rc)
		rc = v7s_store(t);
	if (!rc)
		rc = pz_v7s_table_get(t, cpu, gfp, t->first_bytes, &t->first);
	if (rc) {
		if (why && rc == -PZ_ERANGE)
			*why = "the walker cannot read a table there";
		v7s_drop(t);
		return rc;
	}
	t->word = t->first.cpu_addr;
	*out = t;
	return 0;
}

void pz_v7s_destroy(struct pz_v7s *t, uint32_t cpu)
{
	if (!t)
		return;
	if (t->cfg.tlb.flush_all)
		t->cfg.tlb.flush_all(t->cfg.tlb.ctx);
	for (uint32_t i = 0; i < t->mibs; i++) {
		struct pz_table table = { v7s_mib(t, i)->table, 0 };

		if (!table.cpu_addr)
			continue;
		table.addr = pz_v7s_table_at(t, t->word[i]);
		pz_v7s_table_put(t, cpu, V7S_TABLE_BYTES, &table);
	}
	pz_v7s_table_put(t, cpu, t->first_bytes, &t->first);
	v7s_drop(t);
}

struct pz_v7s_regs pz_v7s_regs(const struct pz_v7s *t)
{
	struct pz_v7s_regs r = { t->first.addr, 0, V7S_PRRR, V7S_NMRR };

	if (t->cfg.quirks & PZ_V7S_MTK_EXT)
		r.ttbr = (uint32_t)t->first.addr | t->first.addr >> 32;
	else
		r.ttbr |= t->cfg.coherent_walk ? V7S_TTBR_CACHED : V7S_TTBR_S;
	return r;
}

void pz_v7s_stat(const struct pz_v7s *t, struct pz_v7s_stat *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned int i = 0; i < V7S_COUNTS; i++) {
		out->made += pz_load64(&t->counts[i].made);
		out->returned += pz_load64(&t->counts[i].returned);
		out->splits += pz_load64(&t->counts[i].splits);
	}
	out->tables = out->made - out->returned;
	out->table_bytes = out->tables * V7S_TABLE_BYTES + t->first_bytes;
	out->meta_bytes = sizeof(*t) + t->store_bytes;
}

/* A word of level @level, number @k of @words. */
static int v7s_check_word(const struct pz_v7s *t, unsigned int level, const uint32_t *words,
			  uint32_t k)
{
	struct pz_v7s_page page;

	if (!pz_v7s_decode(t->cfg.quirks, level, words[k], &page))
		return words[k] ? 4 : 0;
	if (page.size == PZ_V7S_64K || page.size == PZ_V7S_16M) {
		if (words[k] != words[k & ~(V7S_REPEAT - 1)])
			return 5;
		for (uint32_t n = k; k % V7S_REPEAT == 0 && n < k + V7S_REPEAT; n++)
			if (words[n] != words[k])
				return 5;
	}
	return page.size & t->cfg.sizes && page.phys + (page.size - 1) <= t->phys_last ? 0 : 6;
}

static int v7s_check_second(const struct pz_v7s *t, uint32_t i, const struct v7s_mib *m)
{
	uint32_t count = 0;
	struct pz_limits l;

	pz_v7s_table_limits(t->cfg.quirks, t->cfg.oas, &l);
	if (!v7s_is_table(t->word[i]) || pz_v7s_table_at(t, t->word[i]) > l.max_addr)
		return 2;
	for (uint32_t k = 0; k < V7S_WORDS; k++) {
		int rc = v7s_check_word(t, 2, m->table, k);

		if (rc)
			return rc;
		count += !!((const uint32_t *)m->table)[k];
	}
	return count == (m->state & V7S_COUNT) ? 0 : 3;
}

static int v7s_check_mib(const struct pz_v7s *t, uint32_t i, uint64_t *tables)
{
	const struct v7s_mib *m = v7s_mib(t, i);

	if (m->state & V7S_LOCK)
		return 1;
	if (m->table) {
		++*tables;
		return v7s_check_second(t, i, m);
	}
	if (v7s_is_table(t->word[i]))
		return 2;
	return m->state & V7S_COUNT ? 3 : v7s_check_word(t, 1, t->word, i);
}

int pz_v7s_check(const struct pz_v7s *t)
{
	struct pz_v7s_stat stat;
	uint64_t tables = 0;
	int rc = 0;

	for (uint32_t g = 0; g < v7s_groups(t); g++)
		if (t->group[g])
			return 1;
	for (uint32_t i = 0; i < t->mibs && !rc; i++)
		rc = v7s_check_mib(t, i, &tables);
	for (uint32_t i = t->mibs; i < t->first_bytes / 4 && !rc; i++)
		rc = t->word[i] ? 4 : 0;
	pz_v7s_stat(t, &stat);
	return rc ? rc : tables == stat.tables ? 0 : 7;
}
