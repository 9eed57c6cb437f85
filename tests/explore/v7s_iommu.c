/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_iommu.c - an IOMMU that looks at tables whenever it can.
 */
#include "v7s_iommu.h"

#include "explore.h"

#include <string.h>

#define VI_BYTES 1024u	       /* of a second level */
#define VI_NOWHERE 0xdeadb0c2u /* a small page */

size_t vi_arena_bytes(void)
{
	return VI_FIRST_BYTES + VI_TABLES * VI_BYTES;
}

static uint32_t *vi_table(const struct v7s_iommu *io, uint32_t k)
{
	return (uint32_t *)(void *)(io->arena + VI_FIRST_BYTES + (size_t)k * VI_BYTES);
}

static uint32_t vi_addr(uint32_t k)
{
	return VI_ADDR + (uint32_t)VI_FIRST_BYTES + k * VI_BYTES;
}

static uint32_t vi_first(const struct v7s_iommu *io, uint32_t mib)
{
	return __atomic_load_n((uint32_t *)(void *)io->arena + mib, __ATOMIC_SEQ_CST);
}

static void vi_fill(void *p, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes / 4; i++)
		((uint32_t *)p)[i] = VI_NOWHERE;
}

/* --- tables --- */

int vi_alloc(struct v7s_iommu *io, uint32_t bytes, struct pz_table *out)
{
	uint32_t k = 0;

	if (bytes != VI_BYTES) {
		if (io->first_bytes || bytes > VI_FIRST_BYTES)
			return -PZ_ENOMEM;
		io->first_bytes = bytes;
		out->cpu_addr = io->arena;
		out->addr = VI_ADDR;
		vi_fill(io->arena, bytes);
		return 0;
	}
	while (k < io->most && (io->out & 1u << k))
		k++;
	if (k >= io->most)
		return -PZ_ENOMEM;
	io->out |= 1u << k;
	out->cpu_addr = vi_table(io, k);
	out->addr = vi_addr(k);
	vi_fill(out->cpu_addr, VI_BYTES);
	return 0;
}

void vi_free(struct v7s_iommu *io, uint32_t bytes, const struct pz_table *t)
{
	uint32_t k = (uint32_t)(t->addr - vi_addr(0)) / VI_BYTES;

	if (bytes != VI_BYTES) {
		if (bytes != io->first_bytes || t->cpu_addr != io->arena || t->addr != VI_ADDR)
			explore_fail("a first level that nobody has goes back");
		io->first_bytes = 0;
		return;
	}
	if (k >= VI_TABLES || !(io->out & 1u << k) || t->cpu_addr != vi_table(io, k) ||
	    t->addr != vi_addr(k)) {
		explore_fail("a second level that nobody has goes back");
		return;
	}
	for (uint32_t mib = 0; mib < VI_MIBS; mib++) {
		if (io->walks[mib] & 1u << k)
			explore_fail("a second level of MiB %x goes back that may be walked", mib);
	}
	io->out &= ~(1u << k);
	vi_fill(t->cpu_addr, VI_BYTES);
}

uint32_t vi_linked(const struct v7s_iommu *io, bool used)
{
	uint32_t n = 0;

	for (uint32_t mib = 0; mib < VI_MIBS; mib++) {
		uint32_t word = vi_first(io, mib), any = !used;

		if ((word & 3) != 1)
			continue;
		for (uint32_t i = 0; i < VI_BYTES / 4 && !any; i++)
			any = vi_table(io, ((word & ~0x3ffu) - vi_addr(0)) / VI_BYTES)[i];
		n += !!any;
	}
	return n;
}

/* --- reading --- */

static bool vi_read(void *ctx, uint64_t addr, uint32_t *word)
{
	const struct v7s_iommu *io = ctx;
	uint64_t at = addr - VI_ADDR;

	if (addr < VI_ADDR || at >= vi_arena_bytes() || addr % 4)
		return false;
	if (at < VI_FIRST_BYTES) {
		if (at >= VI_MIBS * 4)
			return false;
		*word = io->pretend ? vi_addr(io->pretend - 1) | 1 : vi_first(io, (uint32_t)at / 4);
		return true;
	}
	if (!(io->out & 1u << (at - VI_FIRST_BYTES) / VI_BYTES))
		return false;
	*word = __atomic_load_n((uint32_t *)(void *)(io->arena + at), __ATOMIC_SEQ_CST);
	return true;
}

/* A translation comes into the cache. */
static void vi_keep(struct v7s_iommu *io, const struct pz_v7s_run *run)
{
	uint16_t pages = (uint16_t)(run->page >> 12); /* whether its 16 words are alike or not */
	uint16_t first = (uint16_t)(run->first >> 12 & ~(uint64_t)(pages - 1));

	for (uint32_t i = 0; i < io->entries; i++) {
		if (io->entry[i].first == first && io->entry[i].pages == pages &&
		    io->entry[i].word == run->word)
			return;
		if (io->break_first && io->entry[i].first < first + pages &&
		    first < io->entry[i].first + io->entry[i].pages)
			explore_fail("page %x: word %x comes while %x is not flushed", first,
				     (unsigned int)run->word, (unsigned int)io->entry[i].word);
	}
	if (io->entries == VI_ENTRIES) {
		explore_fail("more than %u translations in the cache", VI_ENTRIES);
		return;
	}
	io->entry[io->entries].first = first;
	io->entry[io->entries].pages = pages;
	io->entry[io->entries++].word = run->word;
}

static void vi_page(struct v7s_iommu *io, uint32_t page)
{
	struct pz_v7s_run run;
	enum pz_v7s_fault fault = pz_v7s_walk(&io->view, (uint64_t)page << 12, &run);

	switch (fault) {
	case PZ_V7S_NO_FAULT:
	case PZ_V7S_FAULT_REPEAT: /* while it changes */
		vi_keep(io, &run);
		break;
	case PZ_V7S_FAULT_FIRST:
	case PZ_V7S_FAULT_SECOND:
		break;
	default:
		explore_fail("page %x: the walk ends with fault %d", page, (int)fault);
		return;
	}
	io->seen(io->ctx, page, &run);
}

static void vi_walks(struct v7s_iommu *io)
{
	for (uint32_t mib = 0; mib < VI_MIBS; mib++) {
		uint32_t word = vi_first(io, mib), k = ((word & ~0x3ffu) - vi_addr(0)) / VI_BYTES;

		if ((word & 3) != 1)
			continue;
		if (k >= VI_TABLES || !(io->out & 1u << k)) {
			explore_fail("MiB %x leads to a second level that went back", mib);
			return;
		}
		io->walks[mib] |= 1u << k;
	}
}

void vi_step(struct v7s_iommu *io, const volatile void *word)
{
	const unsigned char *at = (const unsigned char *)(uintptr_t)word;

	if (io->written)
		vi_look(io);
	io->written = at >= io->arena && at < io->arena + vi_arena_bytes();
}

void vi_look(struct v7s_iommu *io)
{
	if (!io->first_bytes)
		return;
	vi_walks(io);
	for (uint32_t i = 0; i < io->watched; i++) {
		uint32_t mib = io->watch[i] / 256, word = vi_first(io, mib);

		vi_page(io, io->watch[i]);
		for (uint32_t k = 0; k < VI_TABLES; k++) {
			if (!(io->walks[mib] & 1u << k) || (word & ~0x3feu) == (vi_addr(k) | 1))
				continue;
			io->pretend = k + 1;
			vi_page(io, io->watch[i]);
			io->pretend = 0;
		}
	}
}

void vi_forget(struct v7s_iommu *io, uint32_t first, uint32_t pages, uint32_t largest, bool walks)
{
	uint32_t kept = 0;

	vi_look(io);
	for (uint32_t i = 0; i < io->entries; i++) {
		if (io->entry[i].pages > largest || io->entry[i].first >= first + pages ||
		    first >= (uint32_t)io->entry[i].first + io->entry[i].pages)
			io->entry[kept++] = io->entry[i];
	}
	io->entries = kept;
	for (uint32_t mib = 0; walks && mib < VI_MIBS; mib++) {
		if (first <= mib * 256 && (mib + 1) * 256 <= first + pages)
			io->walks[mib] = 0;
	}
	vi_look(io);
}

uint32_t vi_kept(const struct v7s_iommu *io, uint32_t first, uint32_t end)
{
	uint32_t found = end;

	for (uint32_t i = 0; i < io->entries; i++) {
		uint32_t from = io->entry[i].first, to = from + io->entry[i].pages;

		from = from < first ? first : from;
		if (from < to && from < found)
			found = from;
	}
	return found;
}

/* --- life --- */

void vi_init(struct v7s_iommu *io, unsigned char *arena)
{
	memset(io, 0, sizeof(*io));
	io->arena = arena;
	io->most = VI_TABLES;
	io->view.table = VI_ADDR;
	io->view.ias = VI_IAS;
	io->view.permissions = true;
	io->view.read = vi_read;
	io->view.ctx = io;
}

void vi_watch(struct v7s_iommu *io, uint32_t page)
{
	for (uint32_t i = 0; i < io->watched; i++) {
		if (io->watch[i] == page)
			return;
	}
	if (page < VI_PAGES && io->watched < VI_WATCHED)
		io->watch[io->watched++] = (uint16_t)page;
}
