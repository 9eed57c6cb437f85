/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_model.h - what translation tables should say, page by page, and a cache of translations that
 * believes what it read until it is told. For v7s_case.c.
 */
#ifndef TESTS_FUZZ_V7S_MODEL_H
#define TESTS_FUZZ_V7S_MODEL_H

#include "../contract/v7s_box.h"

#define VM_WINDOWS 2u
#define VM_PAGES (34u * 256u) /* of a window: two supersections, and more */
#define VM_CACHED 24u
#define VM_PLACES 8u

/* A page of 4 KiB. */
struct vm_page {
	uint32_t pfn;
	uint8_t prot;  /* PZ_IOMMU_*, as asked for; 0 for not mapped */
	uint8_t shift; /* of the page that it is a part of */
};

struct vm_window {
	uint64_t first;
	uint32_t pages;
	struct vm_page page[VM_PAGES];
};

struct vm_entry {
	bool there;
	struct vb_page page;
};

/* Where a second level was seen. */
struct vm_place {
	bool there;
	uint64_t mib, table;
};

struct vm {
	struct v7s_box *b;
	struct vm_window win[VM_WINDOWS];
	uint32_t windows;
	uint32_t sizes;			 /* in use */
	uint8_t told[PZ_IOMMU_PROT + 1]; /* how each prot is told */
	struct vm_entry cached[VM_CACHED];
	struct vm_place place[VM_PLACES];
	uint32_t hand;
	bool stale;    /* what was unmapped may be cached until all is flushed */
	uint64_t seed; /* for what happens in hooks */
	/* The range of the request at hand; what is told of it may be forgotten later. */
	uint64_t cut, cut_size;
	struct {
		uint64_t iova, size;
	} later[64];
	uint32_t laters;
	bool lazy;
	const char *wrong; /* seen in a hook */
	uint64_t forgotten, filled;
};

/* The model of b->cfg, with nothing mapped. */
void vm_init(struct vm *m, struct v7s_box *b, uint64_t middle);

struct vm_page *vm_at(struct vm *m, uint64_t iova); /* NULL outside of the windows */
bool vm_inside(struct vm *m, uint64_t iova, uint64_t size);
uint64_t vm_mapped(struct vm *m, uint64_t iova, uint64_t size); /* bytes */
void vm_map(struct vm *m, uint64_t iova, uint64_t phys, uint64_t size, uint32_t prot,
	    uint32_t sizes);
void vm_unmap(struct vm *m, uint64_t iova, uint64_t size);
/* Whether a page would have to be split into pieces of a size that is not in use. */
bool vm_no_pieces(struct vm *m, uint64_t iova, uint64_t size);
/* Second levels that are needed. */
uint64_t vm_tables(struct vm *m);

/* Whether the tables say what the model says: by the reader, at an address; by pz_v7s_each() and by
 * the walker, everywhere. NULL, or what differs. */
const char *vm_differs_at(struct vm *m, uint64_t iova);
const char *vm_differs(struct vm *m);
const char *vm_walk_differs(struct vm *m);

/* The cache looks an address up, or forgets, or does what it put off. */
void vm_fill(struct vm *m, uint64_t iova);
void vm_forget(struct vm *m, uint64_t iova, uint64_t size, bool places);
void vm_sync(struct vm *m);
/* NULL, or what it believes wrongly. */
const char *vm_stale(struct vm *m);
/* Hooks of a struct v7s_box with the model as look_ctx. */
void vm_look(struct v7s_box *b, const struct vb_event *e);
void vm_going(struct v7s_box *b, const struct pz_table *table);

#endif
