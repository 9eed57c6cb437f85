/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm.h - one machine: everything that the library knows of it hangs off one object.
 *
 * A process can hold as many machines as it likes; they share nothing. The parts (map, memblock,
 * zones, log) are used through their own functions; what spans several of them is here.
 */
#ifndef PHYSZONE_MM_H
#define PHYSZONE_MM_H

#include <physzone/bug.h>
#include <physzone/fault.h>
#include <physzone/map.h>
#include <physzone/zone.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Room for fault points; the first is the metadata hook, the others are the caller's. */
#define PZ_MM_FAULT_POINTS 8u
/* Name of the fault point of the metadata hook. */
#define PZ_MM_FAULT_META "meta"

/* What a machine is made from. */
struct pz_mm_config {
	const struct pz_meta *meta; /* where all metadata lives; must outlive the machine */
	uint32_t page_shift;	    /* log2 of the page size, 12 to 16 */
	uint32_t phys_bits;	    /* width of a physical address, 1 to 64 */
	void *log_ring;	   /* memory of the log, or NULL for none; must outlive the machine */
	uint32_t log_size; /* bytes of log_ring, at least PZ_LOG_MIN_SIZE */
	enum pz_bug_policy bug_policy;
	void (*panic)(void *ctx, const char *text);  /* as in struct pz_bugs; may be NULL */
	void (*report)(void *ctx, const char *text); /* as in struct pz_bugs; may be NULL */
	void *ctx;				     /* passed to both */
};

/*
 * Invariants, verified by pz_mm_check(): 1. the object was not moved; 2. its parts take their
 * metadata from its hook; 3. they have its page size; 4. they hold no more metadata than is out.
 * It points to itself: it must not be copied or moved.
 */
struct pz_mm {
	uint32_t page_shift;
	uint32_t phys_bits;
	struct pz_fault_meta meta; /* &mm->meta.meta is the hook for whatever belongs to it */
	struct pz_faults faults;
	struct pz_fault_point fault_point[PZ_MM_FAULT_POINTS];
	struct pz_log log;
	bool has_log;
	struct pz_bugs bugs;
	struct pz_map map;
	struct pz_memblock memblock;
	struct pz_zones zones; /* zero-filled before pz_mm_lay_out() */
};

/* Numbers only; no part of it points anywhere. */
struct pz_mm_snapshot {
	uint32_t page_shift;
	uint32_t map_entries;
	uint32_t map_oddities; /* also those that found no room in the list */
	uint64_t map_ram;      /* bytes of RAM in a sanitised map, saturated */
	uint32_t memory_regions;
	uint32_t reserved_regions;
	uint64_t memory_bytes;
	uint64_t reserved_bytes;
	uint32_t nodes;
	struct {
		uint64_t spanned, present, managed; /* pages, over all nodes */
		uint32_t populated;		    /* nodes with present pages in it */
		uint32_t unmanaged; /* of these, nodes without a managed page in it */
	} zone[PZ_ZONE_TYPES];
	uint64_t meta_bytes; /* metadata out */
	uint64_t meta_peak;  /* the most that it ever was */
	uint64_t meta_blocks;
	uint64_t meta_held; /* of the bytes, those that map, memblock and zones hold */
	uint64_t log_written;
	uint64_t log_lost;
	uint64_t bugs;	 /* misuses seen */
	uint64_t faults; /* failures injected */
};

/**
 * pz_mm_init - make a machine without memory
 * @mm: the machine
 * @cfg: what it is made from; copied
 *
 * Context: any. Takes no metadata.
 * Return: 0, or -PZ_EINVAL when page_shift or phys_bits is out of range, the metadata hook is not
 * complete, or log_ring is given and too small.
 */
int pz_mm_init(struct pz_mm *mm, const struct pz_mm_config *cfg);

/**
 * pz_mm_destroy - give back what a machine holds
 * @mm: the machine; must be made anew to be used again
 *
 * Metadata that the caller took from its hook and did not give back is a bug, told as such.
 *
 * Context: any; calls the metadata hook, and the hooks of pz_bug() on misuse.
 */
void pz_mm_destroy(struct pz_mm *mm);

/**
 * pz_mm_take_map - sanitise the map, and make its RAM the memory of the machine
 * @mm: a machine without memory, its map filled by pz_map_insert() or a decoder
 *
 * RAM is trimmed inwards to whole pages. Settings of the memblock (direction, limit) stay. Each
 * kind of oddity in the map is logged once.
 *
 * Context: any; may call the metadata hook.
 * Return: 0, -PZ_EBUSY when there is memory or a reservation already, -PZ_ENOMEM; the memory is
 * then as it was, and the map is sanitised or as it was.
 */
int pz_mm_take_map(struct pz_mm *mm);

/**
 * pz_mm_lay_out - lay the memory out in zones and count the managed pages
 * @mm: a machine with memory
 * @cfg: limits and options, as for pz_zones_build(); page_shift is the machine's
 * @max_pfn: exclusive cap on managed pages, as for pz_zones_set_managed()
 *
 * Takes the place of zones laid out before.
 *
 * Context: any; calls the metadata hook.
 * Return: 0, -PZ_EINVAL or -PZ_ENOMEM as pz_zones_build() and pz_zones_set_managed(); the zones are
 * then as they were.
 */
int pz_mm_lay_out(struct pz_mm *mm, const struct pz_zone_config *cfg, uint64_t max_pfn);

/**
 * pz_mm_snapshot - the numbers of a machine
 * @mm: the machine
 * @out: the numbers
 *
 * Context: any. Cost: O(entries + regions + nodes * zone types).
 */
void pz_mm_snapshot(const struct pz_mm *mm, struct pz_mm_snapshot *out);

/**
 * pz_mm_check - verify a machine and all its parts
 * @mm: the machine
 *
 * Context: any.
 * Return: 0, or the number of the first invariant that does not hold: of the machine itself 1 to 4,
 * of a sanitised map 100 more than pz_map_check(), of memblock 200 more than pz_memblock_check(),
 * of the zones 300 more than pz_zones_check(), of the log 400 more than pz_log_check(), of the
 * fault points 500 more than pz_faults_check().
 */
int pz_mm_check(const struct pz_mm *mm);

#ifdef __cplusplus
}
#endif

#endif
