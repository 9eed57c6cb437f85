/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_v7s_walk.c - the walker, by words written by hand: each kind of page with each set of
 * permissions, MediaTek's bits, what faults, and runs that cover the space.
 */
#include "suites_decl.h"

#include <physzone/v7s_walk.h>

#define WB_TABLE 0x80000000u
#define WB_WORDS 1100u
#define WB_RUNS 40u

/* Memory of a few words: all others of its two areas are 0, and what lies elsewhere is not there.
 */
struct walk_box {
	struct tap *t;
	struct pz_v7s_view v;
	struct {
		uint64_t addr;
		uint32_t word;
	} w[WB_WORDS];
	uint32_t words;
	uint64_t low_end; /* words of the first level are there up to here, exclusive */
	struct pz_v7s_run run[WB_RUNS];
	uint32_t runs;
};

static bool wb_read(void *ctx, uint64_t addr, uint32_t *word)
{
	const struct walk_box *b = ctx;

	/* Nothing but whole words are asked for. */
	if (addr & 3)
		return false;
	*word = 0;
	for (uint32_t i = b->words; i-- > 0;) {
		if (b->w[i].addr == addr) {
			*word = b->w[i].word;
			return true;
		}
	}
	if ((addr >= WB_TABLE && addr < b->low_end) ||
	    (addr >= 0x80010000u && addr < 0x80011000u) ||
	    (addr >= UINT64_C(0x780010000) && addr < UINT64_C(0x780010400)))
		return true;
	*word = 0xbadbadbau;
	return false;
}

static void wb_open(struct walk_box *b, struct tap *t)
{
	b->t = t;
	b->words = b->runs = 0;
	b->low_end = WB_TABLE + 0x10000u;
	b->v = (struct pz_v7s_view){
		.table = WB_TABLE, .ias = 32, .permissions = true, .read = wb_read, .ctx = b
	};
}

static void wb_put(struct walk_box *b, uint64_t addr, uint32_t word, uint32_t times)
{
	for (uint32_t i = 0; i < times && b->words < WB_WORDS; i++) {
		b->w[b->words].addr = addr + 4 * (uint64_t)i;
		b->w[b->words++].word = word;
	}
}

static void wb_first(struct walk_box *b, uint32_t index, uint32_t word, uint32_t times)
{
	wb_put(b, WB_TABLE + 4 * (uint64_t)index, word, times);
}

static bool wb_faults(struct walk_box *b, uint64_t iova, enum pz_v7s_fault fault, uint64_t first,
		      uint64_t last, uint32_t word, uint64_t word_addr)
{
	struct pz_v7s_run r;

	return pz_v7s_walk(&b->v, iova, &r) == fault && r.fault == fault && r.first == first &&
	       r.last == last && r.word == word && r.word_addr == word_addr;
}

static bool wb_leads(struct walk_box *b, uint64_t iova, uint64_t first, uint32_t page,
		     uint64_t phys, struct pz_v7s_run *r)
{
	return pz_v7s_walk(&b->v, iova, r) == PZ_V7S_NO_FAULT && r->fault == PZ_V7S_NO_FAULT &&
	       r->first == first && r->last == first + page - 1 && r->page == page &&
	       r->phys == phys;
}

/* The four forms of a page with one set of permissions, and what they mean. */
static const struct wb_vector {
	uint32_t section, super, small, large;
	bool write, user, exec, access;
	uint8_t tex;
	bool c, b;
} wb_vectors[] = {
	{ 0x39c02, 0x79c02, 0xe72, 0x1e31, false, true, true, true, 1, false, false },
	{ 0x31c02, 0x71c02, 0xc72, 0x1c31, true, true, true, true, 1, false, false },
	{ 0x31c0e, 0x71c0e, 0xc7e, 0x1c3d, true, true, true, true, 1, true, true },
	{ 0x30c06, 0x70c06, 0xc36, 0xc35, true, true, true, true, 0, false, true },
	{ 0x39402, 0x79402, 0xe52, 0x1e11, false, false, true, true, 1, false, false },
	{ 0x39c1e, 0x79c1e, 0xe7f, 0x9e3d, false, true, false, true, 1, true, true },
	{ 0x3141e, 0x7141e, 0xc5f, 0x9c1d, true, false, false, true, 1, true, true },
	{ 0x31002, 0x71002, 0xc42, 0x1c01, true, false, true, false, 1, false, false },
	{ 0x3100e, 0x7100e, 0xc4e, 0x1c0d, true, false, true, false, 1, true, true },
	{ 0x30006, 0x70006, 0xc06, 0xc05, true, false, true, false, 0, false, true },
};

static bool wb_means(const struct pz_v7s_run *r, const struct wb_vector *w, bool permissions)
{
	return r->read && r->write == (w->write || !permissions) &&
	       r->user == (w->user || !permissions) && r->exec == (w->exec || !permissions) &&
	       r->access == (w->access || !permissions) && r->tex == w->tex && r->c == w->c &&
	       r->b == w->b && r->shared && !r->global && r->secure && !r->domain;
}

static void wb_vector(struct walk_box *b, const struct wb_vector *w, bool permissions)
{
	struct tap *t = b->t;
	struct pz_v7s_run r;

	wb_open(b, t);
	b->v.permissions = permissions;
	wb_first(b, 5, 0x12300000u | w->section, 1);
	wb_first(b, 0x20, 0x45000000u | w->super, 16);
	wb_first(b, 0x40, 0x80010401u, 1);
	wb_put(b, 0x80010404u, 0xabcde000u | w->small, 1);
	wb_put(b, 0x80010780u, 0x789a0000u | w->large, 16);
	CHECK(t, wb_leads(b, 0x5abcde, 0x500000, 0x100000, 0x12300000, &r));
	CHECK(t, wb_means(&r, w, permissions) && r.word_addr == WB_TABLE + 20 &&
			 r.word == (0x12300000u | w->section) && r.table == PZ_ADDR_MAX);
	CHECK(t, wb_leads(b, 0x2f12345, 0x2000000, 0x1000000, 0x45000000, &r));
	CHECK(t, wb_means(&r, w, permissions) && r.word_addr == WB_TABLE + 0x80);
	CHECK(t, wb_leads(b, 0x4001fff, 0x4001000, 0x1000, 0xabcde000, &r));
	CHECK(t,
	      wb_means(&r, w, permissions) && r.word_addr == 0x80010404 && r.table == 0x80010400);
	CHECK(t, wb_leads(b, 0x40ed123, 0x40e0000, 0x10000, 0x789a0000, &r));
	CHECK(t, wb_means(&r, w, permissions) && r.word_addr == 0x80010780);
}

/* Bits that none of the vectors has. */
static void wb_single_bits(struct walk_box *b)
{
	struct tap *t = b->t;
	struct pz_v7s_run r;

	wb_open(b, t);
	wb_first(b, 0, 0x000801e2u, 1); /* not secure, domain 15 */
	wb_first(b, 1, 0x00107002u, 1); /* TEX 7 */
	wb_first(b, 2, 0x80010149u, 1); /* a table of domain 10 that is not secure */
	wb_put(b, 0x80010000u, 0x00000002u, 1);
	wb_put(b, 0x80010004u, 0x000001c2u, 1);	 /* TEX 7 */
	wb_put(b, 0x80010040u, 0x00007001u, 16); /* TEX 7 */
	wb_put(b, 0x80010080u, 0x00008001u, 16); /* XN */
	wb_first(b, 16, 0xcd540142u, 16); /* 0x5acd000000: bits 8:5 are 10, bits 23:20 are 5 */
	CHECK(t, wb_leads(b, 0, 0, 0x100000, 0, &r) && !r.secure && r.domain == 15 && r.global &&
			 !r.shared && !r.access && !r.user && r.write && r.exec && !r.tex);
	CHECK(t, wb_leads(b, 0x100000, 0x100000, 0x100000, 0x100000, &r) && r.secure && r.tex == 7);
	CHECK(t, wb_leads(b, 0x200000, 0x200000, 0x1000, 0, &r) && !r.secure && r.domain == 10 &&
			 r.global && !r.shared);
	CHECK(t, wb_leads(b, 0x201000, 0x201000, 0x1000, 0, &r) && r.tex == 7 && r.exec);
	CHECK(t, wb_leads(b, 0x210000, 0x210000, 0x10000, 0, &r) && r.tex == 7 && r.exec);
	CHECK(t, wb_leads(b, 0x22ffff, 0x220000, 0x10000, 0, &r) && !r.tex && !r.exec);
	CHECK(t, wb_leads(b, 0x1000000, 0x1000000, 0x1000000, UINT64_C(0xa5cd000000), &r) &&
			 !r.domain);
}

/* One attribute bit at a time, at each of its three places. */
static void wb_bit_by_bit(struct walk_box *b)
{
	struct tap *t = b->t;
	struct pz_v7s_run r;

	wb_open(b, t);
	wb_first(b, 0, 0x00010002u, 1); /* S */
	wb_first(b, 1, 0x00120002u, 1); /* nG */
	wb_first(b, 2, 0x00200202u, 1); /* bit 9, which is no part of the domain */
	wb_first(b, 3, 0x80010201u, 1);
	wb_put(b, 0x80010000u, 0x00000402u, 1);
	wb_put(b, 0x80010004u, 0x00000802u, 1);
	wb_put(b, 0x80010040u, 0x00000401u, 16);
	wb_put(b, 0x80010080u, 0x00000801u, 16);
	wb_first(b, 16, 0x45040202u, 16);
	CHECK(t, wb_leads(b, 0, 0, 0x100000, 0, &r) && r.shared && r.global);
	CHECK(t, wb_leads(b, 0x100000, 0x100000, 0x100000, 0x100000, &r) && !r.shared && !r.global);
	CHECK(t, wb_leads(b, 0x200000, 0x200000, 0x100000, 0x200000, &r) && !r.domain);
	CHECK(t,
	      wb_leads(b, 0x300000, 0x300000, 0x1000, 0, &r) && r.shared && r.global && !r.domain);
	CHECK(t, wb_leads(b, 0x301000, 0x301000, 0x1000, 0, &r) && !r.shared && !r.global);
	CHECK(t, wb_leads(b, 0x310000, 0x310000, 0x10000, 0, &r) && r.shared && r.global);
	CHECK(t, wb_leads(b, 0x320000, 0x320000, 0x10000, 0, &r) && !r.shared && !r.global);
	CHECK(t, wb_leads(b, 0x1000000, 0x1000000, 0x1000000, 0x45000000, &r));
	/* A domain's bits are address bits as soon as either kind of word has some. */
	b->words = 0;
	wb_first(b, 0, 0x80010061u, 1);
	wb_put(b, 0x80010000u, 0x00000002u, 1);
	CHECK(t, wb_leads(b, 0, 0, 0x1000, 0, &r) && r.domain == 3);
	b->v.mtk_outputs = true;
	CHECK(t, wb_leads(b, 0, 0, 0x1000, 0, &r) && !r.domain);
}

static void wb_mtk(struct walk_box *b)
{
	struct tap *t = b->t;
	struct pz_v7s_run r;

	wb_open(b, t);
	b->v.ias = 34;
	b->v.mtk_outputs = true;
	wb_first(b, 0x3000, 0x80010001u, 1);
	wb_put(b, 0x80010000u, 0xabcd0e72u, 1);
	CHECK(t, wb_leads(b, UINT64_C(0x300000000), UINT64_C(0x300000000), 0x1000,
			  UINT64_C(0x7abcd0000), &r));
	/* Permissions have no bits any more, whatever the view says. */
	CHECK(t, r.write && r.user && r.exec && r.access && !r.domain);
	wb_put(b, 0x80010040u, 0x12340011u, 16);
	wb_first(b, 0x3001, 0x12300022u, 1);
	wb_first(b, 0x3010, 0x12f40202u, 16);
	CHECK(t, wb_leads(b, UINT64_C(0x300010000), UINT64_C(0x300010000), 0x10000,
			  UINT64_C(0x212340000), &r));
	CHECK(t, wb_leads(b, UINT64_C(0x300100000), UINT64_C(0x300100000), 0x100000,
			  UINT64_C(0x412300000), &r) &&
			 !r.domain);
	CHECK(t, wb_leads(b, UINT64_C(0x301000000), UINT64_C(0x301000000), 0x1000000,
			  UINT64_C(0x112000000), &r));
	/* The same bits in a table's word: its address, or nothing. */
	wb_first(b, 0x2000, 0x80010231u, 1);
	wb_put(b, UINT64_C(0x780010000), 0x55555002u, 1);
	CHECK(t, wb_leads(b, UINT64_C(0x200000000), UINT64_C(0x200000000), 0x1000,
			  UINT64_C(0x7abcd0000), &r) &&
			 r.table == 0x80010000);
	b->v.mtk_tables = true;
	CHECK(t,
	      wb_leads(b, UINT64_C(0x200000000), UINT64_C(0x200000000), 0x1000, 0x55555000, &r) &&
		      r.table == UINT64_C(0x780010000));
}

static void wb_what_faults(struct walk_box *b)
{
	struct tap *t = b->t;
	struct pz_v7s_run r;

	wb_open(b, t);
	wb_first(b, 1, 0xfffffffcu, 1);
	wb_first(b, 2, 0x12300003u, 1);
	wb_first(b, 3, 0x90000001u, 1);
	wb_first(b, 4, 0x80010001u, 1);
	wb_put(b, 0x80010008u, 0xfffffffcu, 1);
	CHECK(t, wb_faults(b, 0x12345, PZ_V7S_FAULT_FIRST, 0, 0xfffff, 0, WB_TABLE));
	CHECK(t, wb_faults(b, 0x1fffff, PZ_V7S_FAULT_FIRST, 0x100000, 0x1fffff, 0xfffffffc,
			   WB_TABLE + 4));
	CHECK(t, wb_faults(b, 0x200000, PZ_V7S_FAULT_RESERVED, 0x200000, 0x2fffff, 0x12300003,
			   WB_TABLE + 8));
	CHECK(t,
	      wb_faults(b, 0x345678, PZ_V7S_FAULT_READ_SECOND, 0x345000, 0x345fff, 0, 0x90000114));
	CHECK(t, wb_faults(b, 0x401fff, PZ_V7S_FAULT_SECOND, 0x401000, 0x401fff, 0, 0x80010004));
	CHECK(t, wb_faults(b, 0x402000, PZ_V7S_FAULT_SECOND, 0x402000, 0x402fff, 0xfffffffc,
			   0x80010008));
	CHECK(t, pz_v7s_walk(&b->v, 0x345678, &r) && r.table == 0x90000000);
	CHECK(t, pz_v7s_walk(&b->v, 0x401000, &r) && r.table == 0x80010000);
	b->low_end = WB_TABLE + 0x40;
	CHECK(t, wb_faults(b, 0x1000000, PZ_V7S_FAULT_READ_FIRST, 0x1000000, 0x10fffff, 0,
			   WB_TABLE + 0x40));
}

static void wb_repeats(struct walk_box *b)
{
	struct tap *t = b->t;
	struct pz_v7s_run r;

	wb_open(b, t);
	wb_first(b, 16, 0x45071c02u, 16);
	wb_first(b, 18, 0x45079c02u, 1);
	wb_first(b, 20, 0x12331c02u, 1);
	wb_first(b, 21, 0, 1);
	wb_first(b, 0, 0x80010001u, 1);
	wb_put(b, 0x80010000u, 0x789a1c31u, 15);
	wb_put(b, 0x80010040u, 0x789a1c31u, 16);
	/* Told for each word that says it is one of 16, as what that word itself says. */
	CHECK(t, pz_v7s_walk(&b->v, 0x1812345, &r) == PZ_V7S_FAULT_REPEAT && r.first == 0x1800000 &&
			 r.last == 0x18fffff && r.phys == 0x45800000 && r.page == 0x1000000 &&
			 r.write && r.word_addr == WB_TABLE + 4 * 24);
	CHECK(t, pz_v7s_walk(&b->v, 0x1200000, &r) == PZ_V7S_FAULT_REPEAT && !r.write &&
			 r.phys == 0x45200000 && r.word == 0x45079c02);
	CHECK(t, wb_leads(b, 0x1400000, 0x1400000, 0x100000, 0x12300000, &r));
	CHECK(t, wb_faults(b, 0x1500000, PZ_V7S_FAULT_FIRST, 0x1500000, 0x15fffff, 0,
			   WB_TABLE + 4 * 21));
	CHECK(t, pz_v7s_walk(&b->v, 0x7abc, &r) == PZ_V7S_FAULT_REPEAT && r.first == 0x7000 &&
			 r.last == 0x7fff && r.phys == 0x789a7000 && r.page == 0x10000 &&
			 r.word_addr == 0x8001001c);
	CHECK(t, wb_faults(b, 0xf000, PZ_V7S_FAULT_SECOND, 0xf000, 0xffff, 0, 0x8001003c));
	CHECK(t, wb_leads(b, 0x1f000, 0x10000, 0x10000, 0x789a0000, &r));
	wb_put(b, 0x8001003cu, 0x789a1c31u, 1);
	CHECK(t, wb_leads(b, 0x7abc, 0, 0x10000, 0x789a0000, &r));
	/* The first word counts as the others do. */
	wb_put(b, 0x80010000u, 0x789b1c31u, 1);
	CHECK(t, pz_v7s_walk(&b->v, 0x7abc, &r) == PZ_V7S_FAULT_REPEAT);
}

/* One attribute after the other. */
static void wb_alike(struct walk_box *b)
{
	const struct pz_v7s_run same = { .first = 1, .phys = 2, .page = 3, .word = 4 };
	struct pz_v7s_run r[12];
	struct tap *t = b->t;

	for (uint32_t i = 0; i < 12; i++)
		r[i] = (struct pz_v7s_run){ .phys = i };
	CHECK(t, pz_v7s_alike(&r[0], &same));
	r[0].read = r[1].write = r[2].user = r[3].exec = r[4].secure = r[5].shared = true;
	r[6].global = r[7].access = r[8].b = r[9].c = true;
	r[10].tex = r[11].domain = 1;
	for (uint32_t i = 0; i < 12; i++)
		CHECK_NAMED(t, !pz_v7s_alike(&r[i], &same) && !pz_v7s_alike(&same, &r[i]),
			    "runs of one other attribute are not alike");
}

/* Each size of the address space, at its end and behind it. */
static void wb_ranges(struct walk_box *b)
{
	struct tap *t = b->t;
	struct pz_v7s_run r;

	for (uint32_t ias = 20; ias <= 34; ias++) {
		uint64_t end = (uint64_t)1 << ias;

		wb_open(b, t);
		b->v.ias = ias;
		wb_first(b, (uint32_t)((end - 1) >> 20), 0x33331c02u, 1);
		CHECK_NAMED(t, wb_leads(b, end - 1, end - 0x100000, 0x100000, 0x33300000, &r),
			    "the last MiB of the space");
		CHECK_NAMED(t, wb_faults(b, end, PZ_V7S_FAULT_RANGE, end, UINT64_MAX, 0, 0),
			    "the address behind it");
		CHECK_NAMED(t, wb_faults(b, UINT64_MAX, PZ_V7S_FAULT_RANGE, end, UINT64_MAX, 0, 0),
			    "the last address");
	}
	for (uint32_t ias = 20; ias < 24; ias++) {
		wb_open(b, t);
		b->v.ias = ias;
		wb_first(b, 0, 0x45071c02u, 1u << (ias - 20));
		CHECK_NAMED(t,
			    pz_v7s_walk(&b->v, 0x12345, &r) == PZ_V7S_NO_FAULT && !r.first &&
				    r.last == ((uint64_t)1 << ias) - 1 && r.phys == 0x45000000 &&
				    r.page == 0x1000000,
			    "a page of 16 MiB that the space cuts");
	}
	b->v.ias = 19;
	CHECK(t, wb_faults(b, 0, PZ_V7S_FAULT_RANGE, 0, UINT64_MAX, 0, 0));
	b->v.ias = 35;
	CHECK(t, wb_faults(b, 0, PZ_V7S_FAULT_RANGE, 0, UINT64_MAX, 0, 0));
}

static int wb_keep(void *ctx, const struct pz_v7s_run *r)
{
	struct walk_box *b = ctx;

	if (b->runs < WB_RUNS)
		b->run[b->runs] = *r;
	b->runs++;
	return 0;
}

static int wb_stop(void *ctx, const struct pz_v7s_run *r)
{
	(void)r;
	return ++*(int *)ctx == 2 ? 42 : 0;
}

static bool wb_run_is(const struct pz_v7s_run *r, enum pz_v7s_fault fault, uint64_t first,
		      uint64_t last, uint64_t phys)
{
	return r->fault == fault && r->first == first && r->last == last &&
	       (r->phys == phys || (fault && fault != PZ_V7S_FAULT_REPEAT));
}

static void wb_runs(struct walk_box *b)
{
	static const struct {
		enum pz_v7s_fault fault;
		uint64_t first, last, phys;
	} want[] = {
		{ PZ_V7S_FAULT_FIRST, 0, 0xfffff, 0 },
		{ PZ_V7S_NO_FAULT, 0x100000, 0x2fffff, 0x40000000 },
		/* Not in a row, of other permissions, and of other size. */
		{ PZ_V7S_NO_FAULT, 0x300000, 0x3fffff, 0x40300000 },
		{ PZ_V7S_NO_FAULT, 0x400000, 0x4fffff, 0x40000000 },
		{ PZ_V7S_NO_FAULT, 0x500000, 0x501fff, 0x40100000 },
		{ PZ_V7S_FAULT_SECOND, 0x502000, 0x50ffff, 0 },
		{ PZ_V7S_NO_FAULT, 0x510000, 0x52ffff, 0x789a0000 },
		{ PZ_V7S_FAULT_REPEAT, 0x530000, 0x53efff, 0x789c0000 },
		{ PZ_V7S_FAULT_SECOND, 0x53f000, 0x5fffff, 0 },
		{ PZ_V7S_FAULT_READ_SECOND, 0x600000, 0x7fffff, 0 },
		{ PZ_V7S_FAULT_RESERVED, 0x800000, 0x8fffff, 0 },
		{ PZ_V7S_FAULT_FIRST, 0x900000, 0xffffff, 0 },
		{ PZ_V7S_NO_FAULT, 0x1000000, 0x2ffffff, 0x45000000 },
		{ PZ_V7S_FAULT_FIRST, 0x3000000, 0x3ffffff, 0 },
	};
	struct tap *t = b->t;
	int stops = 0;

	wb_open(b, t);
	b->v.ias = 26;
	wb_first(b, 1, 0x40031c02u, 1);
	wb_first(b, 2, 0x40131c02u, 1);
	wb_first(b, 3, 0x40339c02u, 1);
	wb_first(b, 4, 0x40031c02u, 1);
	wb_first(b, 5, 0x80010001u, 1);
	wb_put(b, 0x80010000u, 0x40100c72u, 1);
	wb_put(b, 0x80010004u, 0x40101c72u, 1);
	wb_put(b, 0x80010040u, 0x789a1c31u, 16);
	wb_put(b, 0x80010080u, 0x789b1c31u, 16);
	wb_put(b, 0x800100c0u, 0x789c1c31u, 15);
	wb_first(b, 6, 0x90000001u, 2);
	wb_first(b, 8, 0x00000003u, 1);
	wb_first(b, 16, 0x45071c02u, 16);
	wb_first(b, 32, 0x46071c02u, 16);
	CHECK(t, pz_v7s_walk_each(&b->v, wb_keep, b) == 0);
	CHECK(t, b->runs == sizeof(want) / sizeof(want[0]));
	for (uint32_t i = 0; i < sizeof(want) / sizeof(want[0]) && i < b->runs; i++)
		CHECK_NAMED(t,
			    wb_run_is(&b->run[i], want[i].fault, want[i].first, want[i].last,
				      want[i].phys),
			    "a run is as expected");
	CHECK(t, b->run[1].word == 0x40031c02 && b->run[1].word_addr == WB_TABLE + 4);
	CHECK(t, pz_v7s_walk_each(&b->v, wb_stop, &stops) == 42 && stops == 2);
	/* One run where nothing is mapped; none where the space has no size. */
	wb_open(b, t);
	CHECK(t, pz_v7s_walk_each(&b->v, wb_keep, b) == 0 && b->runs == 1 &&
			 wb_run_is(&b->run[0], PZ_V7S_FAULT_FIRST, 0, UINT32_MAX, 0));
	b->v.ias = 19;
	CHECK(t, pz_v7s_walk_each(&b->v, wb_keep, b) == 0 && b->runs == 1);
	b->v.ias = 35;
	CHECK(t, pz_v7s_walk_each(&b->v, wb_keep, b) == 0 && b->runs == 1);
	b->v.ias = 20;
	CHECK(t, pz_v7s_walk_each(&b->v, wb_keep, b) == 0 && b->runs == 2 &&
			 wb_run_is(&b->run[1], PZ_V7S_FAULT_FIRST, 0, 0xfffff, 0));
	b->v.ias = 34;
	CHECK(t, pz_v7s_walk_each(&b->v, wb_keep, b) == 0 && b->runs == 3 &&
			 wb_run_is(&b->run[2], PZ_V7S_FAULT_FIRST, 0, UINT64_C(0x3ffffffff), 0));
}

void contract_v7s_walk(struct tap *t)
{
	struct walk_box *b = t->meta->alloc(t->meta->ctx, sizeof(*b));

	if (!CHECK(t, b != NULL))
		return;
	b->t = t;
	for (uint32_t i = 0; i < sizeof(wb_vectors) / sizeof(wb_vectors[0]); i++) {
		wb_vector(b, &wb_vectors[i], true);
		wb_vector(b, &wb_vectors[i], false);
	}
	wb_single_bits(b);
	wb_bit_by_bit(b);
	wb_mtk(b);
	wb_what_faults(b);
	wb_repeats(b);
	wb_alike(b);
	wb_ranges(b);
	wb_runs(b);
	t->meta->free(t->meta->ctx, b, sizeof(*b));
}
