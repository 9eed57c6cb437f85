/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_iommu.h - an IOMMU that looks at tables whenever it can, and forgets only what it is told to.
 *
 * It reads by the independent walker of v7s_walk.h. All that it ever read of a watched page stays
 * in its cache of translations, and where it ever found a second level stays in its cache of walks,
 * through which it goes on reading, until a flush covers the page, or the MiB; and when pages of a
 * certain size are to be forgotten, it keeps larger ones. That is the worst that hardware may do.
 * It is also where tables come from: a small arena with a second level's memory used again at once,
 * filled with descriptors that lead nowhere while nobody has it.
 *
 * Shortcomings: memory is sequentially consistent; pages that nobody watches are not read.
 */
#ifndef TESTS_EXPLORE_V7S_IOMMU_H
#define TESTS_EXPLORE_V7S_IOMMU_H

#include <physzone/v7s.h>
#include <physzone/v7s_walk.h>

#include <stddef.h>

#define VI_IAS 25u
#define VI_MIBS 32u
#define VI_PAGES (VI_MIBS * 256)
#define VI_FIRST_BYTES ((size_t)16384) /* room for a first level */
#define VI_TABLES 12u
#define VI_WATCHED 40u
#define VI_ENTRIES 96u
#define VI_ADDR 0x50000000u /* of the arena */

/* Part of a state; pages are numbered by 4 KiB. */
struct v7s_iommu {
	unsigned char *arena;
	struct pz_v7s_view view;
	uint32_t first_bytes;	 /* of the first level, 0 for none */
	uint32_t out, most;	 /* a bit for each second level; how many there may be */
	bool written;		 /* maybe, since it looked */
	bool break_first;	 /* two translations of a page at once are wrong */
	uint32_t walks[VI_MIBS]; /* second levels that the cache of walks may hold */
	uint32_t pretend;	 /* read this second level, number + 1, in place of the MiB's */
	uint32_t watched, entries;
	uint16_t watch[VI_WATCHED];
	struct {
		uint16_t first, pages;
		uint32_t word;
	} entry[VI_ENTRIES];
	/* What was read of a page, whatever it is. */
	void (*seen)(void *ctx, uint32_t page, const struct pz_v7s_run *run);
	void *ctx;
};

/* @arena: vi_arena_bytes() of memory, aligned to 16 KiB. Set most, break_first, seen and ctx. */
void vi_init(struct v7s_iommu *io, unsigned char *arena);
size_t vi_arena_bytes(void);

/* A provider's functions. */
int vi_alloc(struct v7s_iommu *io, uint32_t bytes, struct pz_table *out);
void vi_free(struct v7s_iommu *io, uint32_t bytes, const struct pz_table *t);

/* Watch a page; numbers that are none are passed over. */
void vi_watch(struct v7s_iommu *io, uint32_t page);

/* Read all that is watched. */
void vi_look(struct v7s_iommu *io);

/* The same, if the last step was on a word of its tables; this one is on @word. */
void vi_step(struct v7s_iommu *io, const volatile void *word);

/* Forget translations in pages of at most @largest, and with @walks where tables are; then read
 * again. */
void vi_forget(struct v7s_iommu *io, uint32_t first, uint32_t pages, uint32_t largest, bool walks);

/* The first page from @first on, below @end, that some translation is kept of; @end for none. */
uint32_t vi_kept(const struct v7s_iommu *io, uint32_t first, uint32_t end);

/* Second levels that the first level leads to, and of these, such as hold a descriptor. */
uint32_t vi_linked(const struct v7s_iommu *io, bool used);

#endif
