/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_v7s_sync.c - translation tables for a walker that does not look into the CPU's caches:
 * each word is maintained before anybody is told that it changed, and tables that it would read
 * elsewhere are refused.
 */
#include "suites_decl.h"
#include "v7s_far.h"

#define RW (PZ_IOMMU_READ | PZ_IOMMU_WRITE)
#define MIB VB_SPAN

struct cy_box {
	struct v7s_box b;
	struct v7s_far f;
	uint64_t iova, size; /* what is being unmapped */
	bool bad;
};

/* When something is told, the walker sees what the CPU wrote. */
static void cy_look(struct v7s_box *b, const struct vb_event *e)
{
	struct cy_box *c = b->look_ctx;

	c->bad |= e->what != VB_FLUSH_ALL && !vf_current(&c->f, b);
	c->bad |= e->what == VB_ADD && !vb_reads_nothing(b, e->iova, e->size);
	if (e->what == VB_FLUSH_WALK && b->cfg.quirks & PZ_V7S_BREAK_FIRST)
		c->bad |= !vb_reads_nothing(b, e->iova, e->size);
}

static bool cy_open(struct cy_box *c, struct tap *t, uint32_t quirks, uint64_t offset)
{
	if (!vb_open(&c->b, t, 96) || !vf_open(&c->f, t, &c->b, offset))
		return false;
	c->bad = false;
	c->b.cfg.quirks = quirks;
	c->b.look = cy_look;
	c->b.look_ctx = c;
	return true;
}

static void cy_close(struct cy_box *c, struct tap *t)
{
	CHECK_NAMED(t, !c->bad, "what is told is seen by the walker");
	if (c->b.v)
		vb_drop(&c->b);
	vb_close(&c->b, t);
	vf_close(&c->f, t);
}

/* How often, and how many bytes, since the last time. */
static bool cy_synced(struct cy_box *c, uint64_t syncs, uint64_t bytes)
{
	bool ok = c->f.syncs == syncs && c->f.sync_bytes == bytes && vf_current(&c->f, &c->b);

	c->f.syncs = c->f.sync_bytes = 0;
	return ok;
}

/* Each change, and no more, is maintained. */
static void cy_words(struct tap *t, struct cy_box *c)
{
	struct v7s_box *b = &c->b;

	if (!cy_open(c, t, 0, 0))
		return;
	CHECK(t, vb_make(b) == 0 && (pz_v7s_regs(b->v).ttbr & 0x7f) == 0x02);
	CHECK_NAMED(t, cy_synced(c, 1, 16384), "a first level as a whole");
	CHECK(t, vb_map(b, 0x300000, 0x5000, 0x1000, RW) == 0);
	CHECK_NAMED(t, cy_synced(c, 3, 1024 + 4 + 4), "a second level, its link, a page");
	CHECK(t, vb_map(b, 0x301000, 0x5000, 0x1000, RW) == 0 && cy_synced(c, 1, 4));
	CHECK(t, vb_map(b, 0x310000, 0x50000, 0x10000, RW) == 0 && cy_synced(c, 1, 64));
	CHECK(t, vb_map(b, 0x320000, 0x51000, 0xe0000, RW) == 0 && cy_synced(c, 1, 0xe0 * 4));
	CHECK(t, vb_map(b, 0x400000, 0x500000, MIB, RW) == 0 && cy_synced(c, 1, 4));
	CHECK(t, vb_map(b, 0x1000000, 0x5000000, 16 * MIB, RW) == 0 && cy_synced(c, 1, 64));
	CHECK(t, vb_leads(b, 0x310000, 0x10000, 0x50000, RW, PZ_V7S_64K));
	CHECK(t, vb_leads(b, 0x1000000, 16 * MIB, 0x5000000, RW, PZ_V7S_16M));
	CHECK(t, vb_unmap(b, 0x301000, 0x1000, NULL) == 0 && cy_synced(c, 1, 4));
	CHECK(t, vb_unmap(b, 0x313000, 0x1000, NULL) == 0 && cy_synced(c, 1, 64));
	CHECK(t, vb_unmap(b, 0x330000, 0x20000, NULL) == 0 && cy_synced(c, 1, 128));
	CHECK(t, vb_unmap(b, 0x401000, 0x1000, NULL) == 0 && cy_synced(c, 3, 2048 + 4));
	CHECK_NAMED(t, vb_unmap(b, 0x1800000, 0x1000, NULL) == 0 && cy_synced(c, 4, 64 + 2052),
		    "pieces of 16 MiB, and of one of them");
	CHECK(t, vb_leads(b, 0x1801000, MIB - 0x1000, 0x5801000, RW, 0));
	CHECK(t, vb_unmap(b, 0x1900000, MIB, NULL) == 0 && cy_synced(c, 1, 4));
	CHECK(t, vb_unmap(b, 0x300000, MIB, NULL) == -PZ_ENOENT && cy_synced(c, 1, 4));
	CHECK(t, vb_nowhere(b, 0x300000, MIB) && pz_v7s_check(b->v) == 0);
	CHECK(t, b->events > 0 && c->f.m.pm.bugs.count == 0);
	cy_close(c, t);
}

static void cy_break(struct tap *t, struct cy_box *c)
{
	struct v7s_box *b = &c->b;

	if (!cy_open(c, t, PZ_V7S_BREAK_FIRST | PZ_V7S_GIVE_BACK, 0))
		return;
	CHECK(t, vb_make(b) == 0 && vb_map(b, 0x1000000, 0x7000000, 18 * MIB, RW) == 0);
	CHECK(t, vb_map(b, 0x200000, 0x10000, 0x10000, RW) == 0);
	CHECK(t, vb_unmap(b, 0x1fff000, 0x2000, NULL) == 0 && vf_current(&c->f, b));
	CHECK(t, vb_unmap(b, 0x208000, 0x1000, NULL) == 0 && vf_current(&c->f, b));
	CHECK(t, vb_leads(b, 0x1000000, 16 * MIB - 0x1000, 0x7000000, RW, 0));
	CHECK(t, vb_leads(b, 0x2001000, 2 * MIB - 0x1000, 0x8001000, RW, 0));
	CHECK(t, vb_leads(b, 0x200000, 0x8000, 0x10000, RW, PZ_V7S_4K));
	CHECK(t, vb_unmap(b, 0x200000, 0x10000, NULL) == -PZ_ENOENT && vf_current(&c->f, b));
	CHECK(t, vb_nowhere(b, 0x200000, MIB) && vb_tables(b) == 2);
	cy_close(c, t);
}

/* A walker that sees memory elsewhere. */
static void cy_elsewhere(struct tap *t, struct cy_box *c)
{
	struct v7s_box *b = &c->b;
	struct pz_v7s *none = NULL;
	const char *why = NULL;

	if (!cy_open(c, t, 0, 0x100000))
		return;
	CHECK(t, pz_v7s_create(&none, &b->cfg, 0, 0, &why) == -PZ_ERANGE && !none && why);
	CHECK(t, b->live == 0 && b->meta.bytes == 0);
	b->cfg.coherent_walk = true;
	CHECK_NAMED(t, pz_v7s_create(&none, &b->cfg, 0, 0, &why) == -PZ_ERANGE && !none,
		    "also where caches need no care");
	b->mem.coherent = true;
	CHECK_NAMED(t, vb_make(b) == 0, "but not where the provider says the bus address");
	cy_close(c, t);
}

/* A walker behind the caches is not told, and nobody is when the provider's memory is coherent. */
static void cy_coherent(struct tap *t, struct cy_box *c)
{
	for (uint32_t k = 0; k < 2; k++) {
		if (!cy_open(c, t, 0, 0))
			return;
		c->b.look = NULL;
		c->b.seen = NULL;
		c->b.cfg.coherent_walk = k;
		c->b.mem.coherent = !k;
		CHECK(t, vb_make(&c->b) == 0);
		c->f.syncs = 0;
		CHECK(t, (pz_v7s_regs(c->b.v).ttbr & 0x7f) == (k ? 0x6a : 0x02));
		CHECK(t, vb_map(&c->b, 0x300000, 0x400000, 2 * MIB, RW) == 0);
		c->f.syncs = 0;
		CHECK(t, vb_unmap(&c->b, 0x300000, MIB, NULL) == 0 && c->f.syncs == 0);
		cy_close(c, t);
	}
}

void contract_v7s_sync(struct tap *t)
{
	struct cy_box *c = t->meta->alloc(t->meta->ctx, sizeof(*c));

	if (!CHECK_NAMED(t, c != NULL, "there is room for the test"))
		return;
	cy_words(t, c);
	cy_break(t, c);
	cy_elsewhere(t, c);
	cy_coherent(t, c);
	t->meta->free(t->meta->ctx, c, sizeof(*c));
}
