/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * waste.h - what memory requests cost when kmalloc's caches serve them, and when each is served by
 * the page allocator instead.
 */
#ifndef PHYSZONE_CMD_WASTE_H
#define PHYSZONE_CMD_WASTE_H

#include <physzone/linux/gfp.h>
#include <physzone/linux/slab_boot.h>

#include "../input/text.h"
#include "../options.h"
#include "../vec.h"

/* One kmalloc(), or several alike, or a kfree(). */
struct waste_event {
	bool free;
	uint64_t ptr;	       /* 0: nothing is known of it, and it is never freed */
	uint64_t bytes, count; /* asked for by each; how many */
	uint64_t said;	       /* bytes that the kernel says it gave to each, 0 for not said */
	uint32_t gfp;
	size_t line; /* of the file, from 1; 0: an argument */
};

/* What is read. */
struct waste_input {
	char *name; /* of the file, NULL for arguments */
	bool trace;
	VEC(struct waste_event) events;
	uint64_t bytes, count;		       /* of all allocations, freed or not */
	uint64_t allocs, others, failed, none; /* of a trace: all; not asked about; without memory;
						* of 0 bytes */
};

/* Objects of one size from one cache. */
struct waste_size {
	uint64_t bytes, count;
	enum pzl_kmalloc_type type;
	size_t cache; /* index, SIZE_MAX for those that come from the page allocator */
};

/* A slab. */
struct waste_slab {
	uint32_t used;
	bool held, queued; /* queued: on the list of those with room */
};

struct waste_cache {
	char name[PZL_SLAB_BOOT_NAME];
	enum pzl_kmalloc_type type;
	struct pzl_slab_geometry g;
	uint64_t objects, slabs; /* held, with those that are empty */
	/* Slabs one by one, for a trace. */
	VEC(struct waste_slab) slab;
	VEC(size_t) room; /* the newest last */
	size_t current;	  /* the CPU's, SIZE_MAX for none */
	uint64_t partial; /* held, not the CPU's, not full */
};

/* A way to serve everything. */
enum waste_way {
	WASTE_KMALLOC, /* slabs; from the page allocator what is too large for them */
	WASTE_ORDERS,  /* each alone in a block of pages, a power of two */
	WASTE_PAGES,   /* each alone in as many pages as it needs */
	WASTE_WAYS,
};

struct waste {
	struct pzl_slab_boot boot;
	struct pz_slab_debug debug;
	enum pzl_arch arch;
	uint32_t page_shift, max_order;
	VEC(struct waste_size) sizes; /* ascending; none that is not held */
	VEC(struct waste_cache) caches;
	uint64_t count, asked;
	uint64_t held[WASTE_WAYS]; /* bytes */
	size_t peak;		   /* events up to and with the one at which most is asked for */
	uint64_t differ;	   /* of a trace: allocations that the model gives another size */
	bool elsewhere;		   /* the kernel has no zone that GFP_DMA means */
};

/*
 * Read arguments: sizes, or the name of one file. Returns 0, or an exit code with one line in *err.
 * @all: not only what asks for GFP_DMA. waste_input_destroy() in both cases.
 */
int waste_read(struct waste_input *in, const struct options *o, enum pzl_model model, uint64_t most,
	       bool all, char **err);
/* The same of a text; in->name is its name, and all else of @in is empty. */
int waste_read_text(struct waste_input *in, const struct text *t, enum pzl_model model,
		    uint64_t most, bool all, char **err);
void waste_input_destroy(struct waste_input *in);

/* Serve everything, up to the moment at which most is asked for. waste_destroy() afterwards. */
void waste_compute(struct waste *w, const struct waste_input *in);
void waste_destroy(struct waste *w);

/* Bytes that one request takes of the page allocator. */
uint64_t waste_order_bytes(const struct waste *w, uint64_t bytes);
uint64_t waste_page_bytes(const struct waste *w, uint64_t bytes);

/* Of what is held, what nobody asked for, in tenths of a per cent. */
unsigned int waste_per_mille(uint64_t asked, uint64_t held);

void waste_text(struct out *out, const struct waste *w, const struct waste_input *in, bool all);
void waste_json(struct out *out, const struct waste *w, const struct waste_input *in, bool all);

#endif
