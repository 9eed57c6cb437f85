/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_debug.h - what drivers do wrong with memory for devices.
 *
 * A record of each buffer and mapping that is out, with the place where it was made; what is given
 * back, synced or left behind is held against it. Findings are data; <physzone/linux/dma_debug.h>
 * has Linux's words for them.
 *
 * Concurrency: everything but create and destroy works from any context and on any number of CPUs
 * at once; nothing waits for anybody. Source followed: docs/facts/dma.md section 10.
 */
#ifndef PHYSZONE_DMA_DEBUG_H
#define PHYSZONE_DMA_DEBUG_H

#include <physzone/dma.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What kind of call made it. */
enum pz_dma_kind { PZ_DMA_SINGLE, PZ_DMA_SG, PZ_DMA_COHERENT, PZ_DMA_RESOURCE };

/* A buffer or mapping, as it is made, synced or given back; of a scatter list, one element. */
struct pz_dma_use {
	const struct pz_dma_dev *dev;
	enum pz_dma_kind kind;
	enum pz_dma_dir dir;
	uint64_t bus;
	uint64_t phys; /* of the memory; when it is given back only for coherent buffers */
	uint64_t size;
	uint32_t attrs;
	uint32_t sg_count;  /* elements of the list as it was mapped, else 0 */
	const void *memory; /* the CPU's address of it where the caller had one, else NULL */
	uint32_t sg_index;  /* of the element; what is wrong with a list is told of its first */
};

/* What is known of a mapping that is out. */
struct pz_dma_record {
	struct pz_dma_use use; /* as it was made */
	uint64_t serial;       /* from 1; later ones are larger */
	uint64_t since, site;  /* as the hooks said */
	bool checked;	       /* pz_dma_debug_checked() was called for it */
};

enum pz_dma_misuse {
	/* Given back. */
	PZ_DMA_UNMAP_ERROR,	 /* the address that says that mapping failed */
	PZ_DMA_UNMAP_UNKNOWN,	 /* no mapping of this device, or several that are all unlike it */
	PZ_DMA_UNMAP_DEVICE,	 /* it is another device's */
	PZ_DMA_UNMAP_SIZE,	 /* with another size than it was made */
	PZ_DMA_UNMAP_KIND,	 /* by another kind of call */
	PZ_DMA_UNMAP_MEMORY,	 /* a coherent buffer with another address for the CPU */
	PZ_DMA_UNMAP_COUNT,	 /* a scatter list with another number of elements */
	PZ_DMA_UNMAP_DIR,	 /* with another direction */
	PZ_DMA_UNMAP_UNCHECKED,	 /* nobody asked whether mapping it had failed */
	PZ_DMA_UNMAP_FREED,	 /* its memory was freed while it was mapped */
	PZ_DMA_LEAK,		 /* the device goes, and mappings stay: @count, and the oldest */
	/* Made. */
	PZ_DMA_MAP_STACK,
	PZ_DMA_MAP_TEXT,
	PZ_DMA_MAP_VMALLOC,
	PZ_DMA_MAP_INVALID, /* no memory */
	PZ_DMA_MAP_FREED,
	PZ_DMA_MAP_LONG,     /* an element longer than the device takes: @limit */
	PZ_DMA_MAP_BOUNDARY, /* an element crosses the device's boundary: @limit */
	PZ_DMA_MAP_OVERLAP,  /* shares a cache line with another one that the device writes to */
	/* Synced. */
	PZ_DMA_SYNC_UNKNOWN,
	PZ_DMA_SYNC_RANGE, /* beyond the end of the mapping */
	PZ_DMA_SYNC_DIR,
	PZ_DMA_SYNC_READ_ONLY,	/* for the CPU, what the device only reads */
	PZ_DMA_SYNC_WRITE_ONLY, /* for the device, what it only writes */
	PZ_DMA_SYNC_COUNT,	/* a scatter list with another number of elements */
	/* Not the driver's fault. */
	PZ_DMA_NO_RECORDS, /* told once: a mapping could not be recorded */
	PZ_DMA_MISUSES,
};

/* One finding; valid during the call only. */
struct pz_dma_misuse_found {
	enum pz_dma_misuse what;
	struct pz_dma_use call;	      /* what the driver said now; of a leak the device only */
	bool known;		      /* there is a mapping that it is about: */
	struct pz_dma_record mapping; /* with the place where it was made */
	uint64_t count, limit;
	uint64_t since, site; /* of the call, as the hooks said */
};

/* What a hook says of memory that is to be mapped. */
enum pz_dma_memory {
	PZ_DMA_MEMORY_FINE,
	PZ_DMA_MEMORY_STACK,
	PZ_DMA_MEMORY_TEXT, /* code, or constants */
	PZ_DMA_MEMORY_VMALLOC,
	PZ_DMA_MEMORY_INVALID,
};

struct pz_dma_debug_config {
	const struct pz_meta *meta; /* must outlive it */
	uint32_t entries;	    /* mappings that can be out at once; 0 for 65536 */
	uint32_t cache_line;	    /* bytes, a power of two; 0 for 64 */
	/* As Linux does: overlap is looked for at the first cache line of a mapping only. */
	bool first_line_only;
	/* What is not looked for: bit N for enum pz_dma_misuse N. */
	uint64_t ignore;
	struct pz_pages *pages; /* tells memory that is free; NULL: that is not looked for */
	struct pz_bugs *bugs;	/* told too; may be NULL */
	/* Hooks, each of which may be NULL. Any context. */
	void (*found)(void *ctx, const struct pz_dma_misuse_found *f);
	enum pz_dma_memory (*memory)(void *ctx, const struct pz_dma_use *u);
	uint64_t (*now)(void *ctx);
	uint64_t (*site)(void *ctx);
	void *ctx;
};

#define PZ_DMA_DEBUG_MAX_ENTRIES (1u << 24)

/**
 * pz_dma_debug_create - make room for records
 * @out: the debug mode, written on success only; for pz_dma_config.debug
 * @cfg: what it is made from; copied
 *
 * Takes some 170 bytes for each mapping that can be out.
 *
 * Context: may block; calls the metadata hook.
 * Return: 0, -PZ_EINVAL when @cfg is malformed, -PZ_ENOMEM.
 */
int pz_dma_debug_create(struct pz_dma_debug **out, const struct pz_dma_debug_config *cfg);

/**
 * pz_dma_debug_destroy - forget all records
 * @d: the debug mode, or NULL; nobody uses it any more
 *
 * Context: may block; calls the metadata hook.
 */
void pz_dma_debug_destroy(struct pz_dma_debug *d);

/**
 * pz_dma_debug_map - a buffer or mapping was made
 * @d: the debug mode
 * @u: the mapping; of a scatter list, each element as it was mapped
 *
 * Called by the layer, after it succeeded.
 *
 * Context: any.
 */
void pz_dma_debug_map(struct pz_dma_debug *d, const struct pz_dma_use *u);

/**
 * pz_dma_debug_unmap - a buffer or mapping is given back
 * @d: the debug mode
 * @u: what the driver says that it is
 *
 * Of several mappings of that address, one that is alike in size, kind, direction and elements is
 * taken; else the only one, and what is unlike is told; else it is unknown. A buffer that is
 * unmapped, a mapping that is freed, and either as a resource, stays.
 * For whoever has a layer of its own; ours calls it before anything is undone, and a mapping that
 * it then refuses to undo stays known.
 *
 * Context: any.
 */
void pz_dma_debug_unmap(struct pz_dma_debug *d, const struct pz_dma_use *u);

/**
 * pz_dma_debug_sync - a mapping is synced
 * @d: the debug mode
 * @u: bus address and size of what is synced; it may be a part of a mapping
 * @for_cpu: before the CPU looks at it, else before the device does
 *
 * Context: any.
 */
void pz_dma_debug_sync(struct pz_dma_debug *d, const struct pz_dma_use *u, bool for_cpu);

/**
 * pz_dma_debug_checked - the driver asked whether mapping had failed
 * @d: the debug mode
 * @dev: the device
 * @bus: the address that mapping returned
 *
 * Context: any.
 */
void pz_dma_debug_checked(struct pz_dma_debug *d, const struct pz_dma_dev *dev, uint64_t bus);

/**
 * pz_dma_debug_release - a device goes
 * @d: the debug mode
 * @dev: the device; its records stay
 *
 * Context: any. Cost: O(records).
 */
void pz_dma_debug_release(struct pz_dma_debug *d, const struct pz_dma_dev *dev);

/**
 * pz_dma_debug_each - visit what is out
 * @d: the debug mode
 * @dev: of this device only, or NULL for all
 * @fn: called for each until it returns something else than 0
 * @ctx: passed on
 *
 * Context: any; what comes or goes meanwhile may be visited or not. Cost: O(records).
 * Return: 0, or what @fn returned last.
 */
int pz_dma_debug_each(const struct pz_dma_debug *d, const struct pz_dma_dev *dev,
		      int (*fn)(void *ctx, const struct pz_dma_record *r), void *ctx);

/* The numbers of the debug mode. */
struct pz_dma_debug_stat {
	uint64_t errors;		 /* findings, those that are ignored not counted */
	uint64_t found[PZ_DMA_MISUSES];	 /* of each kind */
	uint32_t entries, free, min_free; /* records */
	uint64_t lost; /* mappings that are out, and not recorded */
};

/**
 * pz_dma_debug_stat - count findings and records
 * @d: the debug mode
 * @out: the numbers
 *
 * Context: any.
 */
void pz_dma_debug_stat(const struct pz_dma_debug *d, struct pz_dma_debug_stat *out);

/**
 * pz_dma_misuse_name - a few words for a kind of misuse
 * @what: the kind
 *
 * Context: any.
 * Return: a static string, "?" for a number that is none.
 */
const char *pz_dma_misuse_name(enum pz_dma_misuse what);

/**
 * pz_dma_debug_check - verify the records
 * @d: the debug mode; nobody uses it meanwhile
 *
 * Context: any. Cost: O(records).
 * Return: 0, or the number of the first invariant of src/dma/debug_store.c that does not hold.
 */
int pz_dma_debug_check(const struct pz_dma_debug *d);

#ifdef __cplusplus
}
#endif

#endif
