/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_box.c - see v7s_box.h.
 */
#include "v7s_box.h"

#define VB_INSIDE 0xffffu
#define VB_ALIGN ((uintptr_t)1 << 16)
#define VB_GARBAGE 0xdead9ff2u /* looks like a page of 4 KiB, or a section */

void vb_clear(void *p, size_t n)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		c[i] = 0;
}

static void vb_fill(unsigned char *at, uint32_t bytes)
{
	uint32_t *w = (uint32_t *)(void *)at;

	for (uint32_t i = 0; i < bytes / 4; i++)
		w[i] = VB_GARBAGE;
}

/* --- the provider --- */

static bool vb_fails(struct v7s_box *b)
{
	if (!b->fail_in || --b->fail_in)
		return false;
	if (b->fail_left && --b->fail_left)
		b->fail_in = 1;
	b->refused++;
	return true;
}

static bool vb_free_run(const struct v7s_box *b, uint32_t at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (b->len[at + i])
			return false;
	return true;
}

static int vb_alloc(void *ctx, uint32_t cpu, uint32_t gfp, uint32_t bytes, struct pz_table *out)
{
	struct v7s_box *b = ctx;
	uint32_t n = (bytes + VB_SLOT - 1) / VB_SLOT, at;

	b->asked++;
	b->cpu = cpu;
	b->gfp = gfp;
	if (!bytes || bytes & (bytes - 1)) {
		b->wrong = true;
		return -PZ_EINVAL;
	}
	if (vb_fails(b))
		return b->fail_rc;
	for (at = 0; at + n <= b->slots && !vb_free_run(b, at, n); at += n)
		;
	if (at + n > b->slots)
		return -PZ_ENOMEM;
	b->len[at] = (uint16_t)n;
	for (uint32_t i = 1; i < n; i++)
		b->len[at + i] = VB_INSIDE;
	b->live++;
	b->live_bytes += bytes;
	out->cpu_addr = b->arena + (size_t)at * VB_SLOT;
	out->addr = b->base + (uint64_t)at * VB_SLOT;
	vb_fill(out->cpu_addr, bytes);
	if (b->astray_in && !--b->astray_in) {
		out->addr = b->astray;
		b->astray_at = at + 1;
		b->refused++;
	}
	return 0;
}

static void vb_free(void *ctx, uint32_t cpu, uint32_t bytes, const struct pz_table *t)
{
	struct v7s_box *b = ctx;
	size_t off = (size_t)((unsigned char *)t->cpu_addr - b->arena);
	uint32_t n = (bytes + VB_SLOT - 1) / VB_SLOT, at = (uint32_t)(off / VB_SLOT);
	bool astray = b->astray_at == (uint64_t)at + 1 && t->addr == b->astray;

	b->cpu = cpu;
	b->freed++;
	if (off % VB_SLOT || at >= b->slots || b->len[at] != n ||
	    (t->addr != b->base + off && !astray)) {
		b->wrong = true;
		return;
	}
	if (b->going)
		b->going(b, t);
	if (astray)
		b->astray_at = 0;
	for (uint32_t i = 0; i < n; i++)
		b->len[at + i] = 0;
	b->live--;
	b->live_bytes -= bytes;
	vb_fill(t->cpu_addr, bytes);
}

/* --- what caches of translations are told --- */

static void vb_tell(struct v7s_box *b, struct vb_event e)
{
	if (b->events < VB_EVENTS)
		b->event[b->events] = e;
	b->events++;
	if (b->look)
		b->look(b, &e);
}

static void vb_flush_all(void *ctx)
{
	vb_tell(ctx, (struct vb_event){ VB_FLUSH_ALL, 0, 0, 0, NULL });
}

static void vb_flush_walk(void *ctx, uint64_t iova, uint64_t size, uint32_t granule)
{
	vb_tell(ctx, (struct vb_event){ VB_FLUSH_WALK, iova, size, granule, NULL });
}

static void vb_add(void *ctx, void *gather, uint64_t iova, uint64_t size, uint32_t granule)
{
	vb_tell(ctx, (struct vb_event){ VB_ADD, iova, size, granule, gather });
}

/* --- the box --- */

bool vb_open(struct v7s_box *b, struct tap *t, uint32_t slots)
{
	size_t bytes = (size_t)slots * VB_SLOT;

	vb_clear(b, sizeof(*b));
	b->under = t->meta;
	b->raw_bytes = 2 * bytes + VB_ALIGN;
	b->raw = t->meta->alloc(t->meta->ctx, b->raw_bytes);
	if (!CHECK_NAMED(t, b->raw != NULL, "there is memory"))
		return false;
	b->arena = (unsigned char *)(((uintptr_t)b->raw + VB_ALIGN - 1) & ~(VB_ALIGN - 1));
	b->kept = b->arena + bytes;
	b->slots = slots;
	b->base = VB_BASE;
	b->fail_rc = -PZ_ENOMEM;
	b->mem.alloc = vb_alloc;
	b->mem.free = vb_free;
	b->mem.ctx = b;
	b->bugs.policy = PZ_BUG_IGNORE;
	pz_faults_init(&b->faults, b->points, VB_POINTS);
	if (!CHECK_NAMED(t, pz_fault_add(&b->faults, "meta", &b->meta_point) == 0, "a point"))
		return false;
	pz_fault_meta_init(&b->meta, t->meta, &b->faults, b->meta_point);
	b->cfg.ias = b->cfg.oas = 32;
	b->cfg.coherent_walk = true;
	b->cfg.mem = &b->mem;
	b->cfg.meta = &b->meta.meta;
	b->cfg.bugs = &b->bugs;
	b->cfg.tlb.flush_all = vb_flush_all;
	b->cfg.tlb.flush_walk = vb_flush_walk;
	b->cfg.tlb.add = vb_add;
	b->cfg.tlb.ctx = b;
	return true;
}

void vb_close(struct v7s_box *b, struct tap *t)
{
	CHECK_NAMED(t, b->live == 0 && b->live_bytes == 0, "every table came back");
	CHECK_NAMED(t, !b->wrong && b->bugs.count == 0, "nothing was misused");
	CHECK_NAMED(t, b->meta.bytes == 0 && b->meta.blocks == 0, "no metadata is out");
	t->meta->free(t->meta->ctx, b->raw, b->raw_bytes);
}

int vb_make(struct v7s_box *b)
{
	int rc = pz_v7s_create(&b->v, &b->cfg, 0, 0, NULL);

	b->events = 0;
	return rc;
}

void vb_drop(struct v7s_box *b)
{
	pz_v7s_destroy(b->v, 0);
	b->v = NULL;
}

int vb_map(struct v7s_box *b, uint64_t iova, uint64_t phys, uint64_t size, uint32_t prot)
{
	return pz_v7s_map(b->v, 0, 0, iova, phys, size, prot);
}

int vb_unmap(struct v7s_box *b, uint64_t iova, uint64_t size, uint64_t *done)
{
	return pz_v7s_unmap(b->v, 0, 0, iova, size, 0, b, done);
}

void vb_keep(struct v7s_box *b)
{
	const uint64_t *from = (const uint64_t *)(const void *)b->arena;
	uint64_t *to = (uint64_t *)(void *)b->kept;

	for (uint32_t i = 0; i < b->slots; i++) {
		b->len_kept[i] = b->len[i];
		for (uint32_t k = 0; k < VB_SLOT / 8 && b->len[i]; k++)
			to[i * (VB_SLOT / 8) + k] = from[i * (VB_SLOT / 8) + k];
	}
	b->asked_kept = b->asked;
	b->freed_kept = b->freed;
	b->events_kept = b->events;
}

bool vb_same_slot(const struct v7s_box *b, const unsigned char *other, uint32_t slot)
{
	const uint64_t *x = (const uint64_t *)(const void *)(b->arena + (size_t)slot * VB_SLOT);
	const uint64_t *y = (const uint64_t *)(const void *)(other + (size_t)slot * VB_SLOT);
	uint64_t odd = 0;

	for (uint32_t k = 0; k < VB_SLOT / 8; k++)
		odd |= x[k] ^ y[k];
	return !odd;
}

bool vb_same(const struct v7s_box *b)
{
	for (uint32_t i = 0; i < b->slots; i++)
		if (b->len[i] != b->len_kept[i] || (b->len[i] && !vb_same_slot(b, b->kept, i)))
			return false;
	return b->asked_kept == b->asked && b->freed_kept == b->freed &&
	       b->events_kept == b->events;
}

/* --- the reader --- */

bool vb_word(const struct v7s_box *b, uint64_t addr, uint32_t *word)
{
	uint64_t off = addr - b->base;

	if (addr < b->base || off >= (uint64_t)b->slots * VB_SLOT || !b->len[off / VB_SLOT] ||
	    addr % 4)
		return false;
	*word = *(const uint32_t *)(const void *)((b->seen ? b->seen : b->arena) + off);
	return true;
}

/* Bits 32 to 34 of an address, which MediaTek puts in bits 9, 4 and 5 of a word. */
static uint64_t vb_high(uint32_t word)
{
	return (uint64_t)(word >> 9 & 1) << 32 | (uint64_t)(word >> 4 & 1) << 33 |
	       (uint64_t)(word >> 5 & 1) << 34;
}

uint64_t vb_first_level(const struct v7s_box *b)
{
	uint64_t ttbr = pz_v7s_regs(b->v).ttbr, at = ttbr & 0xffffff80u;

	return b->cfg.quirks & PZ_V7S_MTK_EXT ? at | (ttbr & 7) << 32 : at;
}

uint32_t vb_first_word(const struct v7s_box *b, uint64_t iova)
{
	uint32_t word = 0;

	return vb_word(b, vb_first_level(b) + (iova >> 20) * 4, &word) ? word : VB_GARBAGE;
}

uint64_t vb_second_level(const struct v7s_box *b, uint64_t iova)
{
	uint32_t word = vb_first_word(b, iova);

	if ((word & 3) != 1)
		return 0;
	return (word & 0xfffffc00u) | (b->cfg.quirks & PZ_V7S_MTK_TTBR_EXT ? vb_high(word) : 0);
}

/* What the bits say, moved to where a section has them: AP at 11:10 and 15, TEX at 14:12. */
static uint32_t vb_prot_of(uint32_t quirks, uint32_t w, uint32_t tex, bool xn)
{
	bool perms = !(quirks & PZ_V7S_NO_PERMS);
	uint32_t prot = PZ_IOMMU_READ;

	if (!perms || !(w >> 15 & 1))
		prot |= PZ_IOMMU_WRITE;
	if (perms && !(w >> 11 & 1))
		prot |= PZ_IOMMU_PRIV;
	if (perms && xn)
		prot |= PZ_IOMMU_NOEXEC;
	if (!tex)
		prot |= PZ_IOMMU_MMIO;
	else if (w >> 3 & 1)
		prot |= PZ_IOMMU_CACHE;
	return prot;
}

/* Attributes that are the same in every page: shared, not global, accessed; C and B alike in memory
 * that is no device's. */
static bool vb_odd_bits(uint32_t quirks, uint32_t w, uint32_t tex)
{
	bool c = w >> 3 & 1, b = w >> 2 & 1, perms = !(quirks & PZ_V7S_NO_PERMS);

	return (w >> 16 & 3) != 3 || tex > 1 || (tex ? c != b : c || !b) ||
	       (!(quirks & PZ_V7S_MTK_EXT) && (w >> 10 & 1) != perms);
}

static bool vb_section(const struct v7s_box *b, uint64_t iova, uint32_t w, struct vb_page *out)
{
	bool mtk = b->cfg.quirks & PZ_V7S_MTK_EXT;
	uint32_t tex = w >> 12 & 7, bits = w;

	out->size = w >> 18 & 1 ? PZ_V7S_16M : PZ_V7S_1M;
	out->iova = iova & ~(uint64_t)(out->size - 1);
	out->phys = (w & ~(uint64_t)(out->size - 1)) | (mtk ? vb_high(w) : 0);
	out->prot = vb_prot_of(b->cfg.quirks, bits, tex, w >> 4 & 1);
	out->ns = w >> 19 & 1;
	out->odd = vb_odd_bits(b->cfg.quirks, bits, tex) || (w & 1) || (!mtk && w & 0x3e0u) ||
		   (!mtk && b->cfg.quirks & PZ_V7S_NO_PERMS && w & 0x10u);
	for (uint64_t at = out->iova; at < out->iova + out->size; at += VB_SPAN)
		out->odd |= vb_first_word(b, at) != w;
	return !out->odd;
}

static bool vb_small(const struct v7s_box *b, uint64_t table, uint64_t iova, struct vb_page *out)
{
	bool mtk = b->cfg.quirks & PZ_V7S_MTK_EXT, large, perms;
	uint32_t w = 0, other = 0, tex, bits;
	uint64_t at;

	out->odd = !vb_word(b, table + (iova >> 12 & 0xff) * 4, &w);
	if (out->odd || !(w & 3))
		return false;
	large = !(w & 2);
	perms = !(b->cfg.quirks & PZ_V7S_NO_PERMS);
	out->word = w;
	out->size = large ? PZ_V7S_64K : PZ_V7S_4K;
	out->iova = iova & ~(uint64_t)(out->size - 1);
	out->phys = (w & ~(uint64_t)(out->size - 1)) | (mtk ? vb_high(w) : 0);
	tex = large ? w >> 12 & 7 : w >> 6 & 7;
	/* As a section has them. */
	bits = (w & 0xcu) | (w >> 4 & 3) << 10 | (w >> 9 & 1) << 15 | (w >> 10 & 3) << 16;
	out->prot = vb_prot_of(b->cfg.quirks, bits, tex, large ? w >> 15 & 1 : w & 1);
	out->ns = false;
	out->odd = vb_odd_bits(b->cfg.quirks, bits, tex) || (large && w & 0x1c0u) ||
		   (!perms && (large ? w >> 15 & 1 : w & 1));
	for (at = out->iova; at < out->iova + out->size; at += PZ_V7S_4K)
		out->odd |= !vb_word(b, table + (at >> 12 & 0xff) * 4, &other) || other != w;
	return !out->odd;
}

bool vb_read(const struct v7s_box *b, uint64_t iova, struct vb_page *out)
{
	uint32_t w;

	vb_clear(out, sizeof(*out));
	if (iova >> b->cfg.ias)
		return false;
	w = vb_first_word(b, iova);
	out->word = w;
	switch (w & 3) {
	case 0:
		return false;
	case 1:
		if (vb_small(b, vb_second_level(b, iova), iova, out))
			out->ns = w >> 3 & 1;
		else
			return false;
		return true;
	default:
		return vb_section(b, iova, w, out);
	}
}

uint32_t vb_prot(uint32_t quirks, uint32_t prot)
{
	uint32_t p = (prot & (PZ_IOMMU_CACHE | PZ_IOMMU_MMIO)) | PZ_IOMMU_READ;

	if (p & PZ_IOMMU_MMIO)
		p &= ~PZ_IOMMU_CACHE;
	if (quirks & PZ_V7S_NO_PERMS)
		return p | PZ_IOMMU_WRITE;
	return p | (prot & (PZ_IOMMU_WRITE | PZ_IOMMU_PRIV | PZ_IOMMU_NOEXEC));
}

/* Whether the tables' own answers are what the reader found. */
static bool vb_agrees(const struct v7s_box *b, uint64_t at, const struct vb_page *page)
{
	struct pz_v7s_page q;
	uint64_t phys = 0;

	return pz_v7s_lookup(b->v, at, &phys) == 0 && phys == page->phys + (at - page->iova) &&
	       pz_v7s_query(b->v, at, &q) == 0 && q.iova == page->iova && q.phys == page->phys &&
	       q.size == page->size && q.prot == page->prot && q.word == page->word;
}

bool vb_reads(const struct v7s_box *b, uint64_t iova, uint64_t size, uint64_t phys, uint32_t prot,
	      uint32_t page)
{
	struct vb_page r;
	bool ns = b->cfg.quirks & PZ_V7S_NS;

	for (uint64_t at = iova; at < iova + size; at = r.iova + r.size)
		if (!vb_read(b, at, &r) || r.phys + (at - r.iova) != phys + (at - iova) ||
		    r.prot != vb_prot(b->cfg.quirks, prot) || (page && r.size != page) ||
		    r.ns != ns)
			return false;
	return true;
}

bool vb_leads(const struct v7s_box *b, uint64_t iova, uint64_t size, uint64_t phys, uint32_t prot,
	      uint32_t page)
{
	struct vb_page r;

	if (!vb_reads(b, iova, size, phys, prot, page))
		return false;
	for (uint64_t at = iova; at < iova + size; at = r.iova + r.size)
		if (!vb_read(b, at, &r) || !vb_agrees(b, at, &r) ||
		    !vb_agrees(b, r.iova + r.size - 1, &r))
			return false;
	return true;
}

bool vb_reads_nothing(const struct v7s_box *b, uint64_t iova, uint64_t size)
{
	struct vb_page r;

	for (uint64_t at = iova; at < iova + size; at += PZ_V7S_4K)
		if (vb_read(b, at, &r) || r.odd)
			return false;
	return true;
}

bool vb_nowhere(const struct v7s_box *b, uint64_t iova, uint64_t size)
{
	struct pz_v7s_page q;
	uint64_t phys;

	if (!vb_reads_nothing(b, iova, size))
		return false;
	for (uint64_t at = iova; at < iova + size; at += PZ_V7S_4K)
		if (pz_v7s_lookup(b->v, at + 42, &phys) != -PZ_ENOENT ||
		    pz_v7s_query(b->v, at, &q) != -PZ_ENOENT)
			return false;
	return true;
}

uint64_t vb_tables(const struct v7s_box *b)
{
	struct pz_v7s_stat s;

	pz_v7s_stat(b->v, &s);
	return s.tables + 1 == b->live && s.made - s.returned == s.tables &&
			       s.table_bytes == b->live_bytes
		       ? s.tables
		       : VB_NEVER;
}
