/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_v7s.c - translation tables, by known examples: descriptors of each kind, registers,
 * extended addresses, and the walk-through of the kernel's own self test, to the same address and
 * to others.
 */
#include "suites_decl.h"
#include "v7s_box.h"

#define RW (PZ_IOMMU_READ | PZ_IOMMU_WRITE)
#define MIB VB_SPAN

static const uint32_t cv_size[4] = { PZ_V7S_4K, PZ_V7S_64K, PZ_V7S_1M, PZ_V7S_16M };

/* Words of a section, a supersection, a page and a large page. */
static const struct cv_vector {
	uint32_t quirks, prot;
	uint32_t section, super, page, large;
} cv_vectors[] = {
	{ 0, PZ_IOMMU_READ, 0x39c02, 0x79c02, 0xe72, 0x1e31 },
	{ 0, RW, 0x31c02, 0x71c02, 0xc72, 0x1c31 },
	{ 0, PZ_IOMMU_WRITE, 0x31c02, 0x71c02, 0xc72, 0x1c31 },
	{ 0, RW | PZ_IOMMU_CACHE, 0x31c0e, 0x71c0e, 0xc7e, 0x1c3d },
	{ 0, RW | PZ_IOMMU_MMIO, 0x30c06, 0x70c06, 0xc36, 0xc35 },
	{ 0, RW | PZ_IOMMU_MMIO | PZ_IOMMU_CACHE, 0x30c06, 0x70c06, 0xc36, 0xc35 },
	{ 0, PZ_IOMMU_READ | PZ_IOMMU_PRIV, 0x39402, 0x79402, 0xe52, 0x1e11 },
	{ 0, PZ_IOMMU_READ | PZ_IOMMU_NOEXEC | PZ_IOMMU_CACHE, 0x39c1e, 0x79c1e, 0xe7f, 0x9e3d },
	{ 0, RW | PZ_IOMMU_CACHE | PZ_IOMMU_NOEXEC | PZ_IOMMU_PRIV, 0x3141e, 0x7141e, 0xc5f,
	  0x9c1d },
	{ PZ_V7S_NO_PERMS, RW, 0x31002, 0x71002, 0xc42, 0x1c01 },
	{ PZ_V7S_NO_PERMS, PZ_IOMMU_READ, 0x31002, 0x71002, 0xc42, 0x1c01 },
	{ PZ_V7S_NO_PERMS, RW | PZ_IOMMU_NOEXEC, 0x31002, 0x71002, 0xc42, 0x1c01 },
	{ PZ_V7S_NO_PERMS, RW | PZ_IOMMU_PRIV, 0x31002, 0x71002, 0xc42, 0x1c01 },
	{ PZ_V7S_NO_PERMS, RW | PZ_IOMMU_CACHE, 0x3100e, 0x7100e, 0xc4e, 0x1c0d },
	{ PZ_V7S_NO_PERMS, RW | PZ_IOMMU_MMIO, 0x30006, 0x70006, 0xc06, 0xc05 },
};

#define CV_VECTORS (sizeof(cv_vectors) / sizeof(cv_vectors[0]))

static void cv_words(struct tap *t)
{
	for (size_t i = 0; i < 2 * CV_VECTORS; i++) {
		const struct cv_vector *c = &cv_vectors[i / 2];
		uint32_t ns = i & 1 ? PZ_V7S_NS : 0, q = c->quirks | ns, bit = ns ? 0x80000 : 0;

		CHECK(t, pz_v7s_encode(q, PZ_V7S_1M, 0, c->prot) == (c->section | bit));
		CHECK(t, pz_v7s_encode(q, PZ_V7S_16M, 0, c->prot) == (c->super | bit));
		CHECK(t, pz_v7s_encode(q, PZ_V7S_4K, 0, c->prot) == c->page);
		CHECK(t, pz_v7s_encode(q, PZ_V7S_64K, 0, c->prot) == c->large);
		CHECK(t, pz_v7s_encode(q, PZ_V7S_16M, 0xab000000, c->prot) ==
				 (c->super | bit | 0xab000000));
		CHECK(t,
		      pz_v7s_encode(q, PZ_V7S_4K, 0xfffff000, c->prot) == (c->page | 0xfffff000));
		CHECK_NAMED(t,
			    pz_v7s_encode(q, PZ_V7S_64K, 0x1230000, c->prot) ==
					    (c->large | 0x1230000) &&
				    pz_v7s_encode(q, PZ_V7S_1M, 0x81200000, c->prot) ==
					    (c->section | bit | 0x81200000),
			    "the address is in the word");
	}
}

static bool cv_comes_back(uint32_t quirks, uint32_t size, uint64_t phys, uint32_t prot)
{
	uint32_t word = pz_v7s_encode(quirks, size, phys, prot);
	struct pz_v7s_page p;

	return pz_v7s_decode(quirks, size >= PZ_V7S_1M ? 1 : 2, word, &p) && p.size == size &&
	       p.phys == phys && p.prot == vb_prot(quirks, prot) && p.word == word && p.iova == 0 &&
	       pz_v7s_encode(quirks, size, p.phys, p.prot) == word;
}

static void cv_round_trips(struct tap *t)
{
	static const uint32_t quirks[] = { 0,
					   PZ_V7S_NS,
					   PZ_V7S_NO_PERMS,
					   PZ_V7S_NO_PERMS | PZ_V7S_MTK_EXT,
					   PZ_V7S_NO_PERMS | PZ_V7S_MTK_EXT | PZ_V7S_MTK_TTBR_EXT,
					   PZ_V7S_BREAK_FIRST | PZ_V7S_GIVE_BACK };
	struct pz_v7s_page p;
	bool low = true, high = true, none = true;

	for (size_t q = 0; q < sizeof(quirks) / sizeof(quirks[0]); q++)
		for (uint32_t s = 0; s < 4; s++)
			for (uint32_t prot = 1; prot <= PZ_IOMMU_PROT; prot++) {
				if (!(prot & RW))
					continue;
				low &= cv_comes_back(quirks[q], cv_size[s], 0, prot);
				low &= cv_comes_back(quirks[q], cv_size[s], 0xff000000, prot);
				for (uint32_t top = 1; top < 8; top++)
					high &= !(quirks[q] & PZ_V7S_MTK_EXT) ||
						cv_comes_back(quirks[q], cv_size[s],
							      (uint64_t)top << 32 | 0x5000000,
							      prot);
			}
	CHECK_NAMED(t, low, "each page comes back from its word");
	CHECK_NAMED(t, high, "also with 35 bits");
	p.size = 7;
	for (uint32_t w = 0; w < 0x1000; w += 4)
		none &= !pz_v7s_decode(0, 1, w << 8, &p) && !pz_v7s_decode(0, 2, w << 8, &p) &&
			!pz_v7s_decode(0, 1, w << 8 | 1, &p);
	CHECK_NAMED(t, none && p.size == 7, "what is no page writes nothing");
	CHECK_NAMED(t, pz_v7s_decode(0, 2, 0x12345073, &p) && p.prot & PZ_IOMMU_NOEXEC,
		    "type 3 of the second level may not be executed");
}

static void cv_registers(struct tap *t, struct v7s_box *b)
{
	static const struct {
		uint32_t quirks;
		uint64_t base;
		bool coherent;
		uint64_t ttbr;
	} reg[] = {
		{ 0, 0x42000000, true, 0x4200006a },
		{ PZ_V7S_NS | PZ_V7S_NO_PERMS, 0xfff00000, true, 0xfff0006a },
		{ PZ_V7S_NO_PERMS | PZ_V7S_MTK_EXT, 0x42000000, true, 0x42000000 },
		{ PZ_V7S_NO_PERMS | PZ_V7S_MTK_EXT | PZ_V7S_MTK_TTBR_EXT, 0x342000000, true,
		  0x42000003 },
		{ PZ_V7S_NO_PERMS | PZ_V7S_MTK_EXT | PZ_V7S_MTK_TTBR_EXT, 0x7fff00000, true,
		  0xfff00007 },
	};
	struct pz_v7s_regs r;

	for (size_t i = 0; i < sizeof(reg) / sizeof(reg[0]); i++) {
		if (!vb_open(b, t, 64))
			return;
		b->cfg.quirks = reg[i].quirks;
		b->cfg.oas = reg[i].quirks & PZ_V7S_MTK_EXT ? 35 : 32;
		b->base = reg[i].base;
		CHECK(t, vb_make(b) == 0);
		r = pz_v7s_regs(b->v);
		CHECK(t, r.ttbr == reg[i].ttbr);
		CHECK(t, r.tcr == 0 && r.prrr == 0x800b8204 && r.nmrr == 0x40004000);
		CHECK(t, vb_first_level(b) == reg[i].base && b->live_bytes == 16384);
		CHECK(t, vb_map(b, 0x1000, 0x2000, 4096, RW) == 0 &&
				 vb_leads(b, 0x1000, 4096, 0x2000, RW, PZ_V7S_4K));
		CHECK_NAMED(t, vb_second_level(b, 0) >= reg[i].base, "the walker finds the second");
		vb_drop(b);
		CHECK_NAMED(t, b->events == 1 && b->event[0].what == VB_FLUSH_ALL,
			    "in the end everything is flushed");
		vb_close(b, t);
	}
}

/* Walks that miss the CPU's caches: a provider whose memory the walker sees. */
static void cv_not_coherent(struct tap *t, struct v7s_box *b)
{
	if (!vb_open(b, t, 64))
		return;
	b->cfg.coherent_walk = false;
	CHECK_NAMED(t, vb_make(b) == -PZ_EINVAL && b->live == 0, "somebody must be coherent");
	b->mem.coherent = true;
	CHECK(t, vb_make(b) == 0);
	CHECK_NAMED(t, pz_v7s_regs(b->v).ttbr == (vb_first_level(b) | 0x2), "shared, not cached");
	vb_drop(b);
	vb_close(b, t);
}

static void cv_extended(struct tap *t, struct v7s_box *b)
{
	uint32_t word = 0;

	if (!vb_open(b, t, 128))
		return;
	b->cfg.quirks = PZ_V7S_NO_PERMS | PZ_V7S_MTK_EXT;
	b->cfg.ias = 34;
	b->cfg.oas = 35;
	CHECK(t, vb_make(b) == 0 && b->live_bytes == 65536);
	CHECK(t, vb_map(b, 0x300000000, 0x7abcd0000, 4096, RW) == 0);
	CHECK_NAMED(t, vb_word(b, vb_first_level(b) + 0x3000 * 4, &word) && (word & 3) == 1,
		    "index 0x3000 of the first level");
	CHECK(t, vb_word(b, vb_second_level(b, 0x300000000), &word) && word == 0xabcd0e72);
	CHECK(t, vb_leads(b, 0x300000000, 4096, 0x7abcd0000, RW, PZ_V7S_4K));
	CHECK(t, vb_map(b, 0x3ff000000, 0x6fd000000, 16 * MIB, RW | PZ_IOMMU_CACHE) == 0);
	CHECK_NAMED(
		t, vb_leads(b, 0x3ff000000, 16 * MIB, 0x6fd000000, RW | PZ_IOMMU_CACHE, PZ_V7S_16M),
		"the last supersection of 16 GiB");
	CHECK(t, vb_map(b, 0x2ab100000, 0x512300000, MIB, RW) == 0 &&
			 vb_leads(b, 0x2ab100000, MIB, 0x512300000, RW, PZ_V7S_1M));
	CHECK(t, vb_map(b, 0x100010000, 0x3fff70000, 65536, RW) == 0 &&
			 vb_leads(b, 0x100010000, 65536, 0x3fff70000, RW, PZ_V7S_64K));
	CHECK(t, vb_nowhere(b, 0x100000000, 65536) && vb_nowhere(b, 0x200000000, MIB));
	CHECK_NAMED(t,
		    vb_unmap(b, 0x3ff7ff000, 4096, NULL) == 0 &&
			    vb_leads(b, 0x3ff800000, 8 * MIB, 0x6fd800000, RW | PZ_IOMMU_CACHE, 0),
		    "pieces of a split page keep all bits");
	CHECK(t, pz_v7s_check(b->v) == 0);
	vb_drop(b);
	vb_close(b, t);
}

/* --- the kernel's self test --- */

static void cv_self_test(struct tap *t, struct v7s_box *b, uint64_t to)
{
	static const uint32_t prot = RW | PZ_IOMMU_NOEXEC | PZ_IOMMU_CACHE;
	uint64_t done = 0, phys;

	if (!vb_open(b, t, 128))
		return;
	b->cfg.quirks = PZ_V7S_NS;
	CHECK(t, vb_make(b) == 0);
	CHECK(t, pz_v7s_lookup(b->v, 42, &phys) == -PZ_ENOENT);
	CHECK(t, pz_v7s_lookup(b->v, 0x4000002a, &phys) == -PZ_ENOENT);
	CHECK(t, pz_v7s_lookup(b->v, 0x8000002a, &phys) == -PZ_ENOENT);
	for (uint32_t n = 0; n < 4; n++) {
		uint64_t iova = n * 16 * MIB, size = cv_size[n];

		CHECK(t, pz_v7s_map_pages(b->v, 0, 0, iova, iova + to, cv_size[n], 1, prot) == 0);
		CHECK(t, pz_v7s_map_pages(b->v, 0, 0, iova, iova + to + size, cv_size[n], 1,
					  PZ_IOMMU_READ | PZ_IOMMU_NOEXEC) == -PZ_EEXIST);
		CHECK(t, pz_v7s_lookup(b->v, iova + 42, &phys) == 0 && phys == iova + to + 42);
		CHECK(t, vb_leads(b, iova, size, iova + to, prot, cv_size[n]));
	}
	for (uint32_t n = 1; n < 4; n++) {
		uint64_t iova = n * 16 * MIB, size = cv_size[n];

		CHECK(t, vb_unmap(b, iova + 4096, 4096, &done) == 0 && done == 4096);
		CHECK(t, vb_nowhere(b, iova + 4096, 4096));
		CHECK_NAMED(
			t,
			vb_leads(b, iova, 4096, iova + to, prot, PZ_V7S_4K) &&
				vb_leads(b, iova + 8192, size - 8192, iova + to + 8192, prot, 0),
			"what is left of a split page leads where it did");
		CHECK(t, vb_map(b, iova + 4096, 4096, 4096, PZ_IOMMU_READ) == 0);
		CHECK(t, pz_v7s_lookup(b->v, iova + 4096 + 42, &phys) == 0 && phys == 4096 + 42);
		CHECK(t, vb_leads(b, iova + 4096, 4096, 4096, PZ_IOMMU_READ, PZ_V7S_4K));
	}
	for (uint32_t n = 0; n < 4; n++) {
		uint64_t iova = n * 16 * MIB, size = cv_size[n];

		CHECK(t, vb_unmap(b, iova, size, &done) == 0 && done == size);
		CHECK(t, vb_nowhere(b, iova, size));
		CHECK(t, vb_map(b, iova, iova + to, size, PZ_IOMMU_WRITE) == 0);
		CHECK(t, pz_v7s_lookup(b->v, iova + 42, &phys) == 0 && phys == iova + to + 42);
		CHECK(t, vb_leads(b, iova, size, iova + to, PZ_IOMMU_WRITE, cv_size[n]));
	}
	CHECK(t, pz_v7s_check(b->v) == 0);
	vb_drop(b);
	vb_close(b, t);
}

/* Address 0 is an address. */
static void cv_zero(struct tap *t, struct v7s_box *b)
{
	uint64_t phys = 7;

	if (!vb_open(b, t, 64))
		return;
	CHECK(t, vb_make(b) == 0);
	CHECK(t, pz_v7s_lookup(b->v, 0x5000, &phys) == -PZ_ENOENT && phys == 7);
	CHECK(t, vb_map(b, 0x5000, 0, 4096, PZ_IOMMU_READ) == 0);
	CHECK(t, pz_v7s_lookup(b->v, 0x5000, &phys) == 0 && phys == 0);
	CHECK(t, vb_leads(b, 0x5000, 4096, 0, PZ_IOMMU_READ, PZ_V7S_4K));
	phys = 7;
	CHECK(t, pz_v7s_lookup(b->v, 0x6000, &phys) == -PZ_ENOENT && phys == 7);
	CHECK(t, pz_v7s_lookup(b->v, 0x100000000, &phys) == -PZ_ERANGE && phys == 7);
	CHECK(t, vb_map(b, 0xff000000, 0, 16 * MIB, RW) == 0);
	CHECK(t, pz_v7s_lookup(b->v, 0xff000000, &phys) == 0 && phys == 0);
	CHECK(t, pz_v7s_lookup(b->v, 0xffffffff, &phys) == 0 && phys == 0xffffff);
	vb_drop(b);
	vb_close(b, t);
}

/* Pages as large as fit. */
static void cv_sizes(struct tap *t, struct v7s_box *b)
{
	static const struct {
		uint64_t iova, phys, size;
		struct {
			uint64_t at;
			uint32_t page;
		} want[6];
	} fit[] = {
		{ 0x1000000, 0x3000000, 16 * MIB, { { 0, PZ_V7S_16M } } },
		{ 0x1000000, 0x3100000, 16 * MIB, { { 0, PZ_V7S_1M } } },
		{ 0x1000000, 0x3110000, MIB, { { 0, PZ_V7S_64K } } },
		{ 0x1000000, 0x3111000, MIB, { { 0, PZ_V7S_4K } } },
		{ 0x10000, 0x8000, 0x10000, { { 0, PZ_V7S_4K } } },
		{ 0x10000, 0x50000, 0xf000, { { 0, PZ_V7S_4K } } },
		{ 0x1d000,
		  0x5d000,
		  0x32000,
		  { { 0x2000, PZ_V7S_4K },
		    { 0x3000, PZ_V7S_64K },
		    { 0x13000, PZ_V7S_64K },
		    { 0x23000, PZ_V7S_4K } } },
		{ 0x10ff000,
		  0x30ff000,
		  MIB + 8192,
		  { { 0, PZ_V7S_4K }, { 4096, PZ_V7S_1M }, { 4096 + MIB, PZ_V7S_4K } } },
		{ 0xfef000,
		  0x2fef000,
		  17 * MIB + 0x21000,
		  { { 0, PZ_V7S_4K },
		    { 4096, PZ_V7S_64K },
		    { 0x11000, PZ_V7S_16M },
		    { 0x1011000, PZ_V7S_1M },
		    { 0x1111000, PZ_V7S_64K } } },
	};
	struct vb_page r;

	for (size_t i = 0; i < sizeof(fit) / sizeof(fit[0]); i++) {
		bool ok = true;

		if (!vb_open(b, t, 128))
			return;
		CHECK(t, vb_make(b) == 0);
		CHECK(t, vb_map(b, fit[i].iova, fit[i].phys, fit[i].size, RW) == 0);
		CHECK(t, vb_leads(b, fit[i].iova, fit[i].size, fit[i].phys, RW, 0));
		for (uint32_t k = 0; k < 6 && fit[i].want[k].page; k++)
			ok &= vb_read(b, fit[i].iova + fit[i].want[k].at, &r) &&
			      r.size == fit[i].want[k].page;
		CHECK_NAMED(t, ok, "pages are as large as fit");
		CHECK(t, vb_unmap(b, fit[i].iova, fit[i].size, NULL) == 0);
		CHECK(t, vb_nowhere(b, fit[i].iova, fit[i].size) && b->live <= 1 + vb_tables(b));
		vb_drop(b);
		vb_close(b, t);
	}
}

/* --- going through --- */

struct cv_seen {
	const struct v7s_box *b;
	uint64_t pages, bytes, last;
	uint64_t stop_at; /* page at which to stop */
	bool ok;
};

static int cv_see(void *ctx, const struct pz_v7s_page *p)
{
	struct cv_seen *s = ctx;
	struct vb_page r;

	s->ok &= (!s->pages || p->iova >= s->last) && vb_read(s->b, p->iova, &r) &&
		 r.size == p->size && r.phys == p->phys && r.prot == p->prot && r.word == p->word &&
		 r.iova == p->iova;
	s->last = p->iova + p->size;
	s->bytes += p->size;
	return ++s->pages == s->stop_at ? -77 : 0;
}

static void cv_each(struct tap *t, struct v7s_box *b)
{
	struct cv_seen s = { b, 0, 0, 0, 0, true };

	if (!vb_open(b, t, 128))
		return;
	CHECK(t, vb_make(b) == 0);
	CHECK(t, pz_v7s_each(b->v, 0, UINT64_MAX, cv_see, &s) == 0 && s.pages == 0);
	CHECK(t, vb_map(b, 0, 0x8000000, 0x31000, RW) == 0);
	CHECK(t, vb_map(b, 0x1000000, 0x2000000, 0x2100000, PZ_IOMMU_READ) == 0);
	CHECK(t, vb_map(b, 0xfffff000, 0x7000, 4096, PZ_IOMMU_WRITE | PZ_IOMMU_MMIO) == 0);
	CHECK(t, pz_v7s_each(b->v, 0, UINT64_MAX, cv_see, &s) == 0);
	CHECK_NAMED(t, s.ok && s.pages == 4 + 3 + 1 && s.bytes == 0x31000 + 0x2100000 + 0x1000,
		    "each page once, in order");
	s = (struct cv_seen){ b, 0, 0, 0, 0, true };
	CHECK(t, pz_v7s_each(b->v, 0x2fff, 0x2ffe002, cv_see, &s) == 0);
	CHECK_NAMED(t, s.ok && s.pages == 4 + 3, "what meets the range in part, too");
	s = (struct cv_seen){ b, 0, 0, 0, 0, true };
	CHECK(t, pz_v7s_each(b->v, 0x2ffffff, 1, cv_see, &s) == 0 && s.ok && s.pages == 1 &&
			 s.last == 0x3000000);
	s = (struct cv_seen){ b, 0, 0, 0, 5, true };
	CHECK(t, pz_v7s_each(b->v, 0, (uint64_t)1 << 32, cv_see, &s) == -77 && s.pages == 5);
	s = (struct cv_seen){ b, 0, 0, 0, 0, true };
	CHECK(t, pz_v7s_each(b->v, 0xffffffff, UINT64_MAX, cv_see, &s) == 0 && s.pages == 1);
	CHECK(t, pz_v7s_each(b->v, (uint64_t)1 << 32, UINT64_MAX, cv_see, &s) == 0 && s.pages == 1);
	CHECK(t, pz_v7s_each(b->v, 0, 0, cv_see, &s) == 0 && s.pages == 1);
	vb_drop(b);
	vb_close(b, t);
}

void contract_v7s(struct tap *t)
{
	struct v7s_box *b = t->meta->alloc(t->meta->ctx, sizeof(*b));

	if (!CHECK_NAMED(t, b != NULL, "there is room for the test"))
		return;
	cv_words(t);
	cv_round_trips(t);
	cv_registers(t, b);
	cv_not_coherent(t, b);
	cv_extended(t, b);
	cv_self_test(t, b, 0);
	cv_self_test(t, b, 0x40000000);
	cv_zero(t, b);
	cv_sizes(t, b);
	cv_each(t, b);
	t->meta->free(t->meta->ctx, b, sizeof(*b));
}
