/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map.h - the typed physical map that firmware hands over, and its sanitising.
 *
 * Entries go in raw, in any order and overlapping; pz_map_sanitise() makes of them a sorted map
 * without overlaps as an e820 consumer must: where entries overlap the numerically highest type
 * wins, and neighbours of equal type merge. What was odd in the input is kept as a list.
 * Source followed: docs/facts/zones.md section 6 (x86 e820), ACPI 6.5 section 15.
 */
#ifndef PHYSZONE_MAP_H
#define PHYSZONE_MAP_H

#include <physzone/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Types of memory, by the numbers of the e820 interface. */
enum pz_map_type {
	PZ_MAP_RAM = 1,
	PZ_MAP_RESERVED = 2,
	PZ_MAP_ACPI = 3,
	PZ_MAP_NVS = 4,
	PZ_MAP_UNUSABLE = 5,
	PZ_MAP_PMEM = 7,
	PZ_MAP_PRAM = 12,
	PZ_MAP_RESERVED_KERN = 128,
};

/* Also a type, but ISO C has no room for it in an enumeration. */
#define PZ_MAP_SOFT_RESERVED UINT32_C(0xefffffff)

struct pz_map_entry {
	struct pz_range range;
	uint32_t type; /* enum pz_map_type, or any other number that firmware gave */
	uint32_t ref; /* the caller's mark (a line number, say). Of entries of one type that overlap
		       * the one that starts first wins; merged winners keep the lowest mark. */
};

enum pz_map_oddity {
	PZ_ODD_EMPTY = 1, /* an entry of size 0 was dropped */
	PZ_ODD_WRAP, /* base + size wraps: the entry was cut at the top */
	PZ_ODD_OVERLAP, /* two entries of different types overlap: what they share, and the loser */
	PZ_ODD_DUPLICATE, /* two entries of one type overlap: what they share, and the upper one */
	PZ_ODD_UNSORTED, /* an entry starts below its predecessor */
	PZ_ODD_PARTIAL_PAGE, /* sanitised RAM that starts or ends within a page: what is lost */
	PZ_ODD_BEYOND_WIDTH, /* an address past the physical address width */
	PZ_ODD_UNKNOWN_TYPE, /* a type that no table names; type 0 is dropped when sanitising */
	PZ_ODD_FEW, /* fewer than two entries: an e820 consumer refuses the map */
};

/*
 * An entry that overlaps several is noted against the one that wins where it starts, and once
 * more for each entry of a higher type that starts inside while it is the winner. So every entry
 * that loses memory is named, unless it shares that memory with another of its type; not every
 * pair is.
 */
struct pz_map_odd {
	enum pz_map_oddity what;
	struct pz_range range;
	uint32_t type; /* of the entry concerned; in an overlap, of the one that lost */
	uint32_t ref; /* mark of the entry concerned, or 0 */
};

/*
 * Invariants of a sanitised map, verified by pz_map_check(): 1. entries are valid; 2. they ascend;
 * 3. none overlap; 4. neighbours that touch differ in type, unless the type never merges (PRAM,
 * SOFT_RESERVED); 5. count <= cap.
 */
struct pz_map {
	struct pz_map_entry *v;
	uint32_t count;
	uint32_t cap;
	bool owned;
	bool sanitised;
	uint32_t raw; /* entries from this one on were not there at the last sanitising */
	struct pz_map_odd *odd;
	uint32_t odd_count;
	uint32_t odd_cap;
	uint32_t odd_lost; /* oddities that found no room in the list */
	const struct pz_meta *meta;
};

/**
 * pz_map_init - make an empty map
 * @m: the map
 * @meta: where to grow from; NULL leaves the fixed stores only
 * @store: initial storage for entries, or NULL when @cap is 0
 * @cap: entries that @store holds
 *
 * Context: any.
 */
void pz_map_init(struct pz_map *m, const struct pz_meta *meta, struct pz_map_entry *store,
		 uint32_t cap);

/**
 * pz_map_destroy - give back what the map grew into
 * @m: the map
 *
 * Context: any; calls the metadata hook.
 */
void pz_map_destroy(struct pz_map *m);

/**
 * pz_map_insert - append one entry as firmware gave it
 * @m: the map; no longer sanitised afterwards
 * @base: first address
 * @size: bytes; 0 is noted as an oddity and dropped, a wrap is noted and cut at the top
 * @type: enum pz_map_type or any other number
 * @ref: the caller's mark
 *
 * Context: any; may call the metadata hook.
 * Return: 0, -PZ_ENOMEM or -PZ_ENOSPC; unchanged on error.
 */
int pz_map_insert(struct pz_map *m, uint64_t base, uint64_t size, uint32_t type, uint32_t ref);

/**
 * pz_map_insert_range - append one entry given by its inclusive ends
 * @m: the map
 * @r: the range; first > last is noted as an oddity and dropped
 * @type: enum pz_map_type or any other number
 * @ref: the caller's mark
 *
 * Context: any; may call the metadata hook.
 * Return: 0, -PZ_ENOMEM or -PZ_ENOSPC; unchanged on error.
 */
int pz_map_insert_range(struct pz_map *m, struct pz_range r, uint32_t type, uint32_t ref);

/**
 * pz_map_sanitise - resolve overlaps, sort, merge, and list what was odd
 * @m: the map
 * @page_shift: log2 of the page size, for the partial-page oddity
 * @phys_bits: width of a physical address, 1 to 64, for the beyond-width oddity
 *
 * O(n log n), in scratch space for three times the entries: the free part of the store when it is
 * that large, else the metadata hook. The map may hold any number of entries, also fewer than two.
 * Sanitising again after more inserts adds to the oddities what is new; those of the whole map
 * (partial pages, too few entries) are then told anew.
 *
 * Context: any; may call the metadata hook.
 * Return: 0, -PZ_EINVAL when @page_shift is above 63 or @phys_bits is not 1 to 64, -PZ_ENOMEM or
 * -PZ_ENOSPC; unchanged on error.
 */
int pz_map_sanitise(struct pz_map *m, unsigned int page_shift, unsigned int phys_bits);

/**
 * pz_map_set_type - change the type of memory within a range
 * @m: a sanitised map; it stays sanitised
 * @r: a valid range
 * @from: only memory of this type changes; 0 for memory of any type
 * @to: the new type; 0 removes it from the map
 *
 * Context: any; may call the metadata hook.
 * Return: 0, -PZ_EINVAL when the map is not sanitised or @r is not valid, -PZ_ENOMEM or
 * -PZ_ENOSPC; unchanged on error.
 */
int pz_map_set_type(struct pz_map *m, struct pz_range r, uint32_t from, uint32_t to);

/**
 * pz_map_find - the first entry that ends at or after an address
 * @m: a sanitised map
 * @addr: the address
 *
 * Context: any. Cost: O(log n).
 * Return: its index, or m->count.
 */
uint32_t pz_map_find(const struct pz_map *m, uint64_t addr);

/**
 * pz_map_last_pfn - where memory of a type ends, rounded down to a page, below a limit
 * @m: a sanitised map
 * @type: the type
 * @page_shift: log2 of the page size
 * @limit_pfn: entries that start at or above do not count, and the result is at most this
 *
 * As x86 computes max_pfn: an entry without any whole page counts with the page that it ends in.
 *
 * Context: any.
 * Return: the exclusive page frame number, 0 when there is no such entry.
 */
uint64_t pz_map_last_pfn(const struct pz_map *m, uint32_t type, unsigned int page_shift,
			 uint64_t limit_pfn);

/**
 * pz_map_type_name - the word that Linux prints for a type
 * @type: the type
 *
 * Context: any.
 * Return: a static string ("usable", "ACPI data", "persistent (type 7)"), or NULL for a type
 * without a word.
 */
const char *pz_map_type_name(uint32_t type);

/**
 * pz_map_oddity_name - a short name for an oddity
 * @what: the oddity
 *
 * Context: any.
 * Return: a static string, "?" for a number that is none.
 */
const char *pz_map_oddity_name(enum pz_map_oddity what);

/**
 * pz_map_check - verify the numbered invariants of a sanitised map
 * @m: the map
 *
 * Context: any.
 * Return: 0, or the number of the first invariant that does not hold.
 */
int pz_map_check(const struct pz_map *m);

/*
 * Decoders of binary firmware maps. Each appends to the map, marking an entry with its index in the
 * table; the map is not sanitised by them. All entries are appended, or on error none.
 */

/**
 * pz_map_decode_e820 - read a table of 20-byte e820 entries (base, size, type; little endian)
 * @m: the map
 * @buf: the table
 * @len: its length in bytes; a trailing partial entry is refused
 *
 * Context: any; may call the metadata hook.
 * Return: 0, -PZ_EINVAL when @len is not a multiple of 20, -PZ_ENOMEM or -PZ_ENOSPC.
 */
int pz_map_decode_e820(struct pz_map *m, const void *buf, size_t len);

/**
 * pz_map_decode_pvh - read a table of 24-byte memory map entries of the PVH boot protocol
 * @m: the map
 * @buf: the table (base, size, type, reserved; little endian)
 * @len: its length in bytes; a trailing partial entry is refused
 *
 * Context: any; may call the metadata hook.
 * Return: 0, -PZ_EINVAL, -PZ_ENOMEM or -PZ_ENOSPC.
 */
int pz_map_decode_pvh(struct pz_map *m, const void *buf, size_t len);

/**
 * pz_map_decode_efi - read an EFI memory map, with the types that an x86 boot loader gives them
 * @m: the map
 * @buf: the descriptors (UEFI 2.10 section 7.2, EFI_MEMORY_DESCRIPTOR)
 * @len: length in bytes, a multiple of @desc_size
 * @desc_size: size of one descriptor, at least 40
 *
 * Loader, boot services and conventional memory become RAM (SOFT_RESERVED with the specific-purpose
 * attribute); ACPI reclaim, NVS, unusable and persistent memory keep their meaning; all else, also
 * memory not yet accepted and types unknown, becomes reserved.
 *
 * Context: any; may call the metadata hook.
 * Return: 0, -PZ_EINVAL, -PZ_ENOMEM or -PZ_ENOSPC.
 */
int pz_map_decode_efi(struct pz_map *m, const void *buf, size_t len, size_t desc_size);

#ifdef __cplusplus
}
#endif

#endif
