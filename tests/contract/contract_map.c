/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_map.c - the typed map: sanitising, oddities, changes of type, and the binary decoders.
 */
#include "suites_decl.h"

#include <physzone/map.h>

static bool entry_is(const struct pz_map *m, uint32_t i, uint64_t first, uint64_t last,
		     uint32_t type)
{
	return i < m->count && m->v[i].range.first == first && m->v[i].range.last == last &&
	       m->v[i].type == type;
}

static const struct pz_map_odd *odd_find(const struct pz_map *m, enum pz_map_oddity what)
{
	for (uint32_t i = 0; i < m->odd_count; i++)
		if (m->odd[i].what == what)
			return &m->odd[i];
	return NULL;
}

static bool same_text(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* The map of a PC, told out of order. */
static void check_pc(struct tap *t)
{
	static const struct {
		uint64_t base, size;
		uint32_t type;
	} e[] = {
		{ 0x100000, 0x7fedf000, PZ_MAP_RAM },	  { 0, 0x9fc00, PZ_MAP_RAM },
		{ 0x9fc00, 0x400, PZ_MAP_RESERVED },	  { 0xf0000, 0x10000, PZ_MAP_RESERVED },
		{ 0x7ffdf000, 0x21000, PZ_MAP_RESERVED }, { 0x100000000, 0x80000000, PZ_MAP_RAM },
		{ 0xfffc0000, 0x40000, PZ_MAP_RESERVED },
	};
	struct pz_range page0 = { 0, 0xfff }, high = { 0x100000000, 0x17fffffff };
	struct pz_map m;

	pz_map_init(&m, t->meta, NULL, 0);
	for (uint32_t i = 0; i < 7; i++)
		CHECK(t, !pz_map_insert(&m, e[i].base, e[i].size, e[i].type, i + 1));
	CHECK(t, pz_map_set_type(&m, page0, 0, 0) == -PZ_EINVAL);
	CHECK(t, pz_map_sanitise(&m, 64, 52) == -PZ_EINVAL);
	CHECK(t, pz_map_sanitise(&m, 12, 0) == -PZ_EINVAL);
	CHECK(t, pz_map_sanitise(&m, 12, 65) == -PZ_EINVAL);
	CHECK(t, !pz_map_sanitise(&m, 12, 52) && m.count == 7 && pz_map_check(&m) == 0);
	CHECK(t, entry_is(&m, 0, 0, 0x9fbff, PZ_MAP_RAM) && m.v[0].ref == 2);
	CHECK(t, entry_is(&m, 6, 0x100000000, 0x17fffffff, PZ_MAP_RAM));
	CHECK(t, odd_find(&m, PZ_ODD_UNSORTED) && odd_find(&m, PZ_ODD_UNSORTED)->ref == 2);
	CHECK(t, odd_find(&m, PZ_ODD_PARTIAL_PAGE) &&
			 odd_find(&m, PZ_ODD_PARTIAL_PAGE)->range.first == 0x9f000);
	CHECK(t, !odd_find(&m, PZ_ODD_OVERLAP) && !odd_find(&m, PZ_ODD_FEW));

	CHECK(t, pz_map_last_pfn(&m, PZ_MAP_RAM, 12, UINT64_MAX) == 0x180000);
	CHECK(t, pz_map_last_pfn(&m, PZ_MAP_RAM, 12, 0x100000) == 0x7ffdf);
	CHECK(t, pz_map_last_pfn(&m, PZ_MAP_RAM, 12, 0x100) == 0x9f);
	CHECK(t, pz_map_last_pfn(&m, PZ_MAP_PMEM, 12, UINT64_MAX) == 0);
	CHECK(t, pz_map_find(&m, 0xa0000) == 2 && pz_map_find(&m, 0x180000000) == 7);

	CHECK(t, !pz_map_set_type(&m, page0, PZ_MAP_RAM, PZ_MAP_RESERVED) && m.count == 8);
	CHECK(t, !pz_map_set_type(&m, high, 0, 0) && m.count == 7);
	CHECK(t, !pz_map_set_type(&m, page0, PZ_MAP_RESERVED, PZ_MAP_RAM) && m.count == 6);
	CHECK(t, entry_is(&m, 0, 0, 0x9fbff, PZ_MAP_RAM) && m.sanitised);
	CHECK(t, pz_map_check(&m) == 0);
	pz_map_destroy(&m);
}

static void check_overlaps(struct tap *t)
{
	struct pz_map_entry store[32];
	struct pz_map m;

	pz_map_init(&m, t->meta, store, 32);
	CHECK(t, !pz_map_insert(&m, 0, 0x10000, PZ_MAP_RAM, 9));
	CHECK(t, !pz_map_insert(&m, 0x4000, 0x2000, PZ_MAP_RESERVED, 8));
	CHECK(t, !pz_map_insert(&m, 0x8000, 0x10000, PZ_MAP_RAM, 7));
	CHECK(t, !pz_map_sanitise(&m, 12, 64));
	CHECK(t, m.count == 3 && entry_is(&m, 0, 0, 0x3fff, PZ_MAP_RAM) &&
			 entry_is(&m, 1, 0x4000, 0x5fff, PZ_MAP_RESERVED) &&
			 entry_is(&m, 2, 0x6000, 0x17fff, PZ_MAP_RAM));
	CHECK_NAMED(t, m.v[0].ref == 9 && m.v[2].ref == 7, "merged winners keep the lowest mark");
	CHECK(t, odd_find(&m, PZ_ODD_OVERLAP) && odd_find(&m, PZ_ODD_OVERLAP)->ref == 9 &&
			 odd_find(&m, PZ_ODD_OVERLAP)->range.last == 0x5fff);
	CHECK(t, odd_find(&m, PZ_ODD_DUPLICATE) && odd_find(&m, PZ_ODD_DUPLICATE)->ref == 7 &&
			 odd_find(&m, PZ_ODD_DUPLICATE)->range.last == 0xffff);

	/* What never merges. */
	CHECK(t, !pz_map_insert(&m, 0x20000, 0x1000, PZ_MAP_PRAM, 1));
	CHECK(t, !pz_map_insert(&m, 0x21000, 0x1000, PZ_MAP_PRAM, 2));
	CHECK(t, !pz_map_insert(&m, 0x20800, 0x200, PZ_MAP_RAM, 3));
	CHECK(t, !m.sanitised && !pz_map_sanitise(&m, 12, 64) && m.count == 5);
	CHECK_NAMED(t,
		    entry_is(&m, 3, 0x20000, 0x20fff, PZ_MAP_PRAM) &&
			    entry_is(&m, 4, 0x21000, 0x21fff, PZ_MAP_PRAM),
		    "persistent memory stays apart, and whole where it wins");
	CHECK(t, m.odd_lost == 0 && pz_map_check(&m) == 0);
	pz_map_destroy(&m);
}

static void check_edges(struct tap *t)
{
	struct pz_map_entry store[8];
	struct pz_map m;

	pz_map_init(&m, NULL, store, 8);
	CHECK(t, !pz_map_sanitise(&m, 12, 64) && m.count == 0 && m.odd_lost == 1);
	CHECK(t, !pz_map_insert(&m, 0x1000, 0, PZ_MAP_RAM, 1) && m.count == 0);
	CHECK(t,
	      !pz_map_insert_range(&m, (struct pz_range){ 5, 4 }, PZ_MAP_RAM, 1) && m.count == 0);
	CHECK(t, !pz_map_insert_range(&m, (struct pz_range){ 0, UINT64_MAX }, PZ_MAP_RAM, 1));
	CHECK(t, !pz_map_insert(&m, UINT64_MAX, 9, PZ_MAP_RESERVED, 2) && m.odd_lost == 4);
	CHECK(t, !pz_map_sanitise(&m, 12, 64) && m.count == 2);
	CHECK(t, entry_is(&m, 0, 0, UINT64_MAX - 1, PZ_MAP_RAM) &&
			 entry_is(&m, 1, UINT64_MAX, UINT64_MAX, PZ_MAP_RESERVED));
	CHECK(t, !pz_map_insert(&m, 1, 1, PZ_MAP_NVS, 3));
	CHECK_NAMED(t, pz_map_sanitise(&m, 12, 64) == -PZ_ENOSPC && m.count == 3 && !m.sanitised,
		    "scratch space that is not there is an error that changes nothing");
	for (uint32_t i = 3; i < 8; i++)
		CHECK(t, !pz_map_insert(&m, i, 1, PZ_MAP_RAM, i));
	CHECK(t, pz_map_insert(&m, 9, 1, PZ_MAP_RAM, 9) == -PZ_ENOSPC && m.count == 8);
	pz_map_destroy(&m);

	pz_map_init(&m, t->meta, NULL, 0);
	CHECK(t, !pz_map_insert(&m, 0x1000, 0, PZ_MAP_RAM, 1) && !m.count);
	CHECK(t, !pz_map_insert(&m, UINT64_MAX - 0xfff, UINT64_MAX, 99, 2));
	CHECK(t, !pz_map_sanitise(&m, 12, 46));
	CHECK(t, odd_find(&m, PZ_ODD_EMPTY) && odd_find(&m, PZ_ODD_WRAP) &&
			 odd_find(&m, PZ_ODD_FEW) && odd_find(&m, PZ_ODD_BEYOND_WIDTH) &&
			 odd_find(&m, PZ_ODD_UNKNOWN_TYPE));
	CHECK(t, same_text(pz_map_type_name(PZ_MAP_SOFT_RESERVED), "soft reserved"));
	CHECK(t, pz_map_type_name(99) == NULL && pz_map_type_name(0) == NULL);
	CHECK(t, same_text(pz_map_oddity_name(PZ_ODD_FEW), "too few entries"));
	CHECK(t, same_text(pz_map_oddity_name((enum pz_map_oddity)0), "?"));
	pz_map_destroy(&m);
}

static void put_le(unsigned char *p, uint64_t v, unsigned int bytes)
{
	while (bytes--) {
		*p++ = (unsigned char)v;
		v >>= 8;
	}
}

static void put_efi(unsigned char *p, uint32_t type, uint64_t base, uint64_t pages,
		    uint64_t attribute)
{
	put_le(p, type, 4);
	put_le(p + 4, 0, 4);
	put_le(p + 8, base, 8);
	put_le(p + 16, 0, 8);
	put_le(p + 24, pages, 8);
	put_le(p + 32, attribute, 8);
}

static void check_decoders(struct tap *t)
{
	static const struct {
		uint32_t efi, type;
	} types[] = {
		{ 0, PZ_MAP_RESERVED },
		{ 1, PZ_MAP_RAM },
		{ 2, PZ_MAP_RAM },
		{ 3, PZ_MAP_RAM },
		{ 4, PZ_MAP_RAM },
		{ 5, PZ_MAP_RESERVED },
		{ 6, PZ_MAP_RESERVED },
		{ 7, PZ_MAP_RAM },
		{ 8, PZ_MAP_UNUSABLE },
		{ 9, PZ_MAP_ACPI },
		{ 10, PZ_MAP_NVS },
		{ 11, PZ_MAP_RESERVED },
		{ 12, PZ_MAP_RESERVED },
		{ 13, PZ_MAP_RESERVED },
		{ 14, PZ_MAP_PMEM },
		{ 15, PZ_MAP_RESERVED },
		{ 0x80000000, PZ_MAP_RESERVED },
	};
	unsigned char buf[17 * 48 + 1];
	struct pz_map m;
	bool fine = true;

	pz_map_init(&m, t->meta, NULL, 0);
	put_le(buf + 1, 0x100000, 8);
	put_le(buf + 9, 0x7ff00000, 8);
	put_le(buf + 17, PZ_MAP_RAM, 4);
	put_le(buf + 21, 0xfeed, 8);
	put_le(buf + 29, 0, 8);
	put_le(buf + 37, PZ_MAP_RAM, 4);
	CHECK(t, pz_map_decode_e820(&m, buf + 1, 39) == -PZ_EINVAL && m.count == 0);
	CHECK(t, !pz_map_decode_e820(&m, buf + 1, 0) && m.count == 0);
	CHECK(t, !pz_map_decode_e820(&m, buf + 1, 40) && m.count == 1);
	CHECK(t, entry_is(&m, 0, 0x100000, 0x7fffffff, PZ_MAP_RAM) && m.v[0].ref == 0);
	CHECK(t, odd_find(&m, PZ_ODD_EMPTY) && odd_find(&m, PZ_ODD_EMPTY)->ref == 1);

	put_le(buf + 1, 0xf0000, 8);
	put_le(buf + 9, 0x10000, 8);
	put_le(buf + 17, PZ_MAP_SOFT_RESERVED, 4);
	put_le(buf + 21, UINT32_MAX, 4);
	CHECK(t, pz_map_decode_pvh(&m, buf + 1, 20) == -PZ_EINVAL);
	CHECK(t, !pz_map_decode_pvh(&m, buf + 1, 24) && m.count == 2);
	CHECK(t, entry_is(&m, 1, 0xf0000, 0xfffff, PZ_MAP_SOFT_RESERVED));
	pz_map_destroy(&m);

	pz_map_init(&m, t->meta, NULL, 0);
	for (uint32_t i = 0; i < 17; i++)
		put_efi(buf + 1 + i * 48, types[i].efi, i * 0x10000, 16, 0xf);
	CHECK(t, pz_map_decode_efi(&m, buf + 1, 17 * 48, 39) == -PZ_EINVAL);
	CHECK(t, pz_map_decode_efi(&m, buf + 1, 17 * 48 - 1, 48) == -PZ_EINVAL && !m.count);
	CHECK(t, !pz_map_decode_efi(&m, buf + 1, 17 * 48, 48) && m.count == 17);
	for (uint32_t i = 0; i < 17; i++)
		fine = fine && entry_is(&m, i, i * 0x10000, i * 0x10000 + 0xffff, types[i].type);
	CHECK_NAMED(t, fine, "EFI types become those that a boot loader gives");
	pz_map_destroy(&m);

	pz_map_init(&m, t->meta, NULL, 0);
	put_efi(buf, 7, 0x1000, 1, 0x4000f);
	put_efi(buf + 40, 7, 0, (uint64_t)1 << 52, 0);
	put_efi(buf + 80, 7, 0, ((uint64_t)1 << 52) + 1, 0);
	put_efi(buf + 120, 7, 0x1000, UINT64_MAX, 0);
	put_efi(buf + 160, 7, 0x1000, 0, 0);
	CHECK(t, !pz_map_decode_efi(&m, buf, 200, 40) && m.count == 4);
	CHECK(t, entry_is(&m, 0, 0x1000, 0x1fff, PZ_MAP_SOFT_RESERVED));
	CHECK(t, entry_is(&m, 1, 0, UINT64_MAX, PZ_MAP_RAM));
	CHECK(t, entry_is(&m, 3, 0x1000, UINT64_MAX, PZ_MAP_RAM));
	CHECK_NAMED(t,
		    m.odd_count == 3 && m.odd[0].what == PZ_ODD_WRAP && m.odd[0].ref == 2 &&
			    m.odd[1].ref == 3 && m.odd[2].what == PZ_ODD_EMPTY,
		    "a page count that wraps is noted, the whole space is not");
	pz_map_destroy(&m);
}

void contract_map(struct tap *t)
{
	check_pc(t);
	check_overlaps(t);
	check_edges(t);
	check_decoders(t);
}
