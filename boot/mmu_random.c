/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmu_random.c - requests by chance: after each one the processor's table walker, its loads and
 * stores, the library's lookups and the library's walker say the same of many addresses, and it is
 * what a flat model says, page by page.
 *
 * Addresses are looked up before a request too, so a translation that should have been flushed is
 * seen.
 */
#include "../src/base/pz_string.h"

#include "mmu_box.h"

#define RANDOM_IOVA 0x10000000u
#define RANDOM_BYTES 0x04000000u
#define RANDOM_PAGES (RANDOM_BYTES / PZ_V7S_4K)
#define RANDOM_PHYS_BYTES 0x10000000u
#define RANDOM_REQUESTS 120u
#define RANDOM_ADDRESSES 2000u
/* Of those this many are in and around the request, and are loaded and stored too. */
#define RANDOM_NEAR 64u

/* A page of the model: its address, PZ_IOMMU_*, and this bit; 0 when it is not mapped. */
#define RANDOM_MAPPED 0x800u

static uint32_t random_model[RANDOM_PAGES];

struct random {
	struct box b;
	uint32_t seed;
	uint32_t maps, unmaps, refused; /* requests that did something, and that were refused */
	uint32_t near[RANDOM_NEAR];
	/* The request. */
	uint32_t iova, phys, size, prot;
};

/* Below a bound. */
static uint32_t random_below(struct random *r, uint32_t bound)
{
	r->seed ^= r->seed << 13;
	r->seed ^= r->seed >> 17;
	r->seed ^= r->seed << 5;
	return (uint32_t)((uint64_t)r->seed * bound >> 32);
}

static uint32_t *random_page(uint32_t iova)
{
	return &random_model[(iova - RANDOM_IOVA) / PZ_V7S_4K];
}

/* A range: pages of a size, or as many bytes where no such page fits. */
static void random_choose(struct random *r)
{
	static const struct {
		uint32_t size, most;
	} kinds[] = {
		{ PZ_V7S_4K, 1 }, { PZ_V7S_4K, 40 }, { PZ_V7S_64K, 1 }, { PZ_V7S_64K, 8 },
		{ PZ_V7S_1M, 1 }, { PZ_V7S_1M, 4 },  { PZ_V7S_16M, 1 }, { PZ_V7S_16M, 2 },
		{ 0x123000, 8 },  { PZ_V7S_16M, 1 }, { PZ_V7S_16M, 1 },
	};
	uint32_t kind = random_below(r, sizeof(kinds) / sizeof(kinds[0]));
	uint32_t align = kinds[kind].size == 0x123000 ? PZ_V7S_4K : kinds[kind].size;
	uint32_t at = random_below(r, RANDOM_BYTES) & ~(align - 1);

	r->size = kinds[kind].size * (1 + random_below(r, kinds[kind].most));
	if (r->size > RANDOM_BYTES - at)
		r->size = RANDOM_BYTES - at;
	r->iova = RANDOM_IOVA + at;
	/* Now and then memory that is aligned to less than the range. */
	if (!random_below(r, 4))
		align = PZ_V7S_4K;
	r->phys = BOX_PHYS + (random_below(r, RANDOM_PHYS_BYTES) & ~(align - 1));
	r->prot = (random_below(r, PZ_IOMMU_PROT + 1) | PZ_IOMMU_READ) & PZ_IOMMU_PROT;
}

static uint32_t random_mapped(const struct random *r)
{
	uint32_t n = 0;

	for (uint32_t at = 0; at < r->size; at += PZ_V7S_4K)
		n += *random_page(r->iova + at) != 0;
	return n;
}

static void random_set(const struct random *r, bool mapped)
{
	for (uint32_t at = 0; at < r->size; at += PZ_V7S_4K)
		*random_page(r->iova + at) = mapped ? (r->phys + at) | r->prot | RANDOM_MAPPED : 0;
}

static bool random_map(struct random *r)
{
	uint32_t flushes = r->b.flushes;
	int err = pz_v7s_map(r->b.v7s, 0, 0, r->iova, r->phys, r->size, r->prot);

	if (random_mapped(r)) {
		r->refused++;
		return err == -PZ_EEXIST;
	}
	r->maps++;
	random_set(r, true);
	return err == 0 && (r->b.flushes == flushes || r->size >= PZ_V7S_1M);
}

static bool random_unmap(struct random *r)
{
	uint32_t mapped = random_mapped(r);
	uint32_t flags = random_below(r, 4) ? 0 : PZ_V7S_QUEUED;
	uint64_t done = 1;
	int err = pz_v7s_unmap(r->b.v7s, 0, 0, r->iova, r->size, flags, NULL, &done);

	if (flags)
		mmu_flush_all();
	r->unmaps += mapped != 0;
	random_set(r, false);
	return err == (mapped * PZ_V7S_4K == r->size ? 0 : -PZ_ENOENT) &&
	       done == (uint64_t)mapped * PZ_V7S_4K;
}

/* What an access that is not allowed faults with. */
static uint32_t random_status(const struct pz_v7s_run *run)
{
	switch (run->fault) {
	case PZ_V7S_NO_FAULT:
		return run->page < PZ_V7S_1M ? MMU_PERMISSION_PAGE : MMU_PERMISSION_SECTION;
	case PZ_V7S_FAULT_FIRST:
		return MMU_TRANSLATION_SECTION;
	case PZ_V7S_FAULT_SECOND:
		return MMU_TRANSLATION_PAGE;
	default:
		return 0;
	}
}

/* What the library's walker says of a page besides its address. */
static bool random_kind(const struct pz_v7s_run *run, uint32_t prot)
{
	bool mmio = prot & PZ_IOMMU_MMIO, cache = !mmio && prot & PZ_IOMMU_CACHE;

	return run->read && run->write == !!(prot & PZ_IOMMU_WRITE) &&
	       run->user == !(prot & PZ_IOMMU_PRIV) && run->exec == !(prot & PZ_IOMMU_NOEXEC) &&
	       run->tex == !mmio && run->c == cache && run->b == (mmio || cache) && run->shared &&
	       !run->global && run->access;
}

/* The library's lookups and its walker against the model. */
static bool random_library(struct random *r, uint32_t iova, uint32_t page, struct pz_v7s_run *run)
{
	uint32_t expected = (page & ~0xfffu) | (iova & 0xfff);
	uint64_t phys = 0;
	int err = pz_v7s_lookup(r->b.v7s, iova, &phys);

	pz_v7s_walk(&r->b.view, iova, run);
	if (iova < run->first || iova > run->last)
		return false;
	if (!page)
		return err == -PZ_ENOENT && run->fault != PZ_V7S_NO_FAULT;
	return err == 0 && phys == expected && run->fault == PZ_V7S_NO_FAULT &&
	       run->phys + (iova - run->first) == expected &&
	       random_kind(run, page & PZ_IOMMU_PROT);
}

/* The processor's walker: 16 MiB at once is told, everything else by 4 KiB. */
static bool random_walker(uint32_t iova, uint32_t page, const struct pz_v7s_run *run)
{
	bool write = page & PZ_IOMMU_WRITE, user = !(page & PZ_IOMMU_PRIV);
	const bool allowed[MMU_INTENTS] = { page, page && write, page && user,
					    page && write && user };
	bool super = page && run->page == PZ_V7S_16M;
	uint32_t mask = super ? 0xff000000u : 0xfffff000u;

	for (unsigned int i = 0; i < MMU_INTENTS; i++) {
		uint32_t par = mmu_translate(iova, (enum mmu_intent)i);

		if (allowed[i] != !(par & MMU_PAR_FAULT))
			return false;
		if (!allowed[i] && mmu_par_status(par) != random_status(run))
			return false;
		if (allowed[i] &&
		    (!(par & MMU_PAR_SUPERSECTION) == super || (par & mask) != (page & mask)))
			return false;
	}
	return true;
}

/* A load and a store, by what is in the processor's own store of translations. */
static bool random_access(struct random *r, uint32_t iova, uint32_t page,
			  const struct pz_v7s_run *run)
{
	uint32_t word = ++r->b.nonce, phys = (page & ~0xfffu) | (iova & 0xfff);
	struct mmu_access load, store;

	if (page)
		*box_direct(phys) = ~word;
	load = mmu_load(iova);
	store = mmu_store(iova, word);
	if (!page)
		return load.fault && store.fault && load.status == random_status(run) &&
		       store.status == random_status(run) && load.addr == iova;
	if (load.fault || load.value != ~word)
		return false;
	return page & PZ_IOMMU_WRITE ? !store.fault && *box_direct(phys) == word
				     : store.fault && store.status == random_status(run) &&
					       *box_direct(phys) == ~word;
}

/* Addresses in and around the request, its edges among them. */
static void random_near(struct random *r)
{
	uint32_t from = r->iova - RANDOM_IOVA, around = r->size * 2 + PZ_V7S_64K;

	for (uint32_t i = 0; i < RANDOM_NEAR; i++) {
		uint32_t at = from - r->size / 2 - 0x8000 + random_below(r, around);

		switch (i) {
		case 0:
			at = from - 4;
			break;
		case 1:
			at = from;
			break;
		case 2:
			at = from + r->size - 4;
			break;
		case 3:
			at = from + r->size;
			break;
		default:
			break;
		}
		r->near[i] = RANDOM_IOVA + (at % RANDOM_BYTES & ~3u);
		(void)mmu_load(r->near[i]);
	}
}

static bool random_compare(struct random *r, const char *what, uint32_t request)
{
	for (uint32_t i = 0; i < RANDOM_ADDRESSES; i++) {
		bool near = i < RANDOM_NEAR;
		uint32_t iova =
			near ? r->near[i] : RANDOM_IOVA + (random_below(r, RANDOM_BYTES) & ~3u);
		uint32_t page = *random_page(iova);
		struct pz_v7s_run run;

		if (random_library(r, iova, page, &run) && random_walker(iova, page, &run) &&
		    (!near || random_access(r, iova, page, &run)))
			continue;
		return box_check(&r->b, false, "request %u, %s %#x+%#x: %#x is not %#x", request,
				 what, r->iova, r->size, iova, page);
	}
	return true;
}

/* All of the window in pages of 16 MiB, for the requests to split. */
static bool random_fill(struct random *r)
{
	r->iova = RANDOM_IOVA;
	r->size = RANDOM_BYTES;
	r->phys = BOX_PHYS;
	r->prot = BOX_MEMORY;
	return random_map(r);
}

static bool random_request(struct random *r, uint32_t request)
{
	bool map = random_below(r, 2), good;
	const char *what = map ? "map" : "unmap";

	random_choose(r);
	random_near(r);
	good = map ? random_map(r) : random_unmap(r);
	if (!good)
		return box_check(&r->b, false, "request %u, %s %#x+%#x says what it should",
				 request, what, r->iova, r->size);
	return random_compare(r, what, request);
}

static void random_run(struct random *r, uint32_t quirks, struct tap *t)
{
	struct pz_v7s_stat st;
	uint32_t n = 0;

	memset(random_model, 0, sizeof(random_model));
	r->maps = r->unmaps = r->refused = 0;
	if (!box_open(&r->b, t, quirks, 32))
		return;
	box_check(&r->b, random_fill(r), "64 MiB are mapped");
	while (n < RANDOM_REQUESTS && random_request(r, n))
		n++;
	pz_v7s_stat(r->b.v7s, &st);
	box_check(&r->b, n == RANDOM_REQUESTS,
		  "%u addresses after each of %u requests mean the same to all", RANDOM_ADDRESSES,
		  n);
	box_check(&r->b, r->maps >= 20 && r->unmaps >= 20 && r->refused >= 20 && st.splits >= 10,
		  "%u maps, %u refused, %u unmaps, %u splits", r->maps, r->refused, r->unmaps,
		  (uint32_t)st.splits);
	box_close(&r->b);
}

void mmu_random(struct tap *t, uint64_t handed_over)
{
	static const uint32_t quirks[] = { 0, PZ_V7S_GIVE_BACK, PZ_V7S_BREAK_FIRST | PZ_V7S_NS };
	struct random r = { .seed = 0x2545f491 };

	for (uint32_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++)
		random_run(&r, quirks[i], t);
}
