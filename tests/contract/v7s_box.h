/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_box.h - translation tables in a box: an arena that gives out tables and fails on demand, a
 * record of what caches of translations are told, and a reader that knows only the architecture's
 * format and the registers.
 *
 * What is freed is filled with words that look like pages, so that a walk into it is seen. Nothing
 * here needs a libc.
 */
#ifndef TESTS_CONTRACT_V7S_BOX_H
#define TESTS_CONTRACT_V7S_BOX_H

#include <physzone/fault.h>
#include <physzone/v7s.h>

#include "tap.h"

#define VB_SLOT 1024u
#define VB_SLOTS 1024u /* slots of an arena at most: 1 MiB */
#define VB_EVENTS 640u
#define VB_POINTS 8u
#define VB_BASE 0x40000000u	    /* where the walker sees the arena, unless said otherwise */
#define VB_SPAN ((uint64_t)1 << 20) /* what a word of the first level covers */
#define VB_NEVER UINT64_MAX

enum vb_what { VB_FLUSH_ALL, VB_FLUSH_WALK, VB_ADD };

struct vb_event {
	enum vb_what what;
	uint64_t iova, size;
	uint32_t granule;
	void *gather;
};

struct v7s_box {
	const struct pz_meta *under;
	void *raw;
	size_t raw_bytes;
	unsigned char *arena, *kept; /* and what vb_keep() saw of it */
	const unsigned char *seen;   /* what the walker sees of it; NULL: the same */
	uint64_t base;
	uint32_t slots;
	uint16_t len[VB_SLOTS]; /* slots of the table that begins here; 0xffff inside of one */
	uint16_t len_kept[VB_SLOTS];
	bool wrong; /* the provider was misused */
	uint64_t live, live_bytes, asked, freed;
	uint64_t refused; /* requests that failed, or went astray, as they were told to */
	uint64_t asked_kept, freed_kept, events_kept;
	uint64_t fail_in;   /* requests until one fails, 1 for the next; 0 for none */
	uint64_t fail_left; /* how many fail in a row from there */
	uint64_t astray_in; /* requests until one lies at @astray */
	uint64_t astray;
	uint64_t astray_at; /* slot of the table that does, + 1 */
	int fail_rc;
	uint32_t cpu, gfp; /* as last given */
	struct pz_table_mem mem;
	struct pz_fault_point points[VB_POINTS];
	struct pz_faults faults;
	struct pz_fault_meta meta;
	uint32_t meta_point;
	struct pz_bugs bugs;
	struct vb_event event[VB_EVENTS];
	uint64_t events; /* of which the first VB_EVENTS are kept */
	/* Called with each event, and before a table goes; may be NULL. */
	void (*look)(struct v7s_box *b, const struct vb_event *e);
	void (*going)(struct v7s_box *b, const struct pz_table *table);
	void *look_ctx;
	struct pz_v7s_config cfg;
	struct pz_v7s *v;
};

/* What the reader finds. */
struct vb_page {
	uint64_t iova, phys; /* of its first byte */
	uint32_t size;
	uint32_t prot; /* PZ_IOMMU_*, as pz_v7s_query() tells them */
	uint32_t word;
	bool ns;
	bool odd; /* a word of no known kind, one that differs from its repeats, a table nowhere */
};

/* An arena of @slots KiB, and a configuration for 32 bits both ways. It is not to be moved. */
bool vb_open(struct v7s_box *b, struct tap *t, uint32_t slots);
/* The arena's memory goes back; what is still out, or was misused, fails a check. */
void vb_close(struct v7s_box *b, struct tap *t);

/* Tables from b->cfg; and destroy them. */
int vb_make(struct v7s_box *b);
void vb_drop(struct v7s_box *b);

/* Requests, of CPU 0. */
int vb_map(struct v7s_box *b, uint64_t iova, uint64_t phys, uint64_t size, uint32_t prot);
int vb_unmap(struct v7s_box *b, uint64_t iova, uint64_t size, uint64_t *done);

/* Remember the tables, what is out and what was told; and whether all of that is as it was. */
void vb_keep(struct v7s_box *b);
bool vb_same(const struct v7s_box *b);
/* Whether a slot of the arena is as in another. */
bool vb_same_slot(const struct v7s_box *b, const unsigned char *other, uint32_t slot);

/* The word at an address that the walker uses; false when no table lies there. */
bool vb_word(const struct v7s_box *b, uint64_t addr, uint32_t *word);
/* Where the registers say that the first level is. */
uint64_t vb_first_level(const struct v7s_box *b);
/* The word of the first level for an iova. */
uint32_t vb_first_word(const struct v7s_box *b, uint64_t iova);
/* The page behind an iova: false when there is none (or out->odd). */
bool vb_read(const struct v7s_box *b, uint64_t iova, struct vb_page *out);
/* The address of the second level for an iova, 0 for none. */
uint64_t vb_second_level(const struct v7s_box *b, uint64_t iova);
/* Whether [iova, iova + size) leads to phys on with prot, in pages of @page bytes, or any for 0;
 * and whether all of it leads nowhere. By the reader alone, */
bool vb_reads(const struct v7s_box *b, uint64_t iova, uint64_t size, uint64_t phys, uint32_t prot,
	      uint32_t page);
bool vb_reads_nothing(const struct v7s_box *b, uint64_t iova, uint64_t size);
/* and by lookup and query, too. */
bool vb_leads(const struct v7s_box *b, uint64_t iova, uint64_t size, uint64_t phys, uint32_t prot,
	      uint32_t page);
bool vb_nowhere(const struct v7s_box *b, uint64_t iova, uint64_t size);
/* How pz_v7s_query() tells permissions that were asked for. */
uint32_t vb_prot(uint32_t quirks, uint32_t prot);
/* Second levels now, by what pz_v7s_stat() says; VB_NEVER when the provider knows better. */
uint64_t vb_tables(const struct v7s_box *b);

void vb_clear(void *p, size_t n);

#endif
