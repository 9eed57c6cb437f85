/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decode.c - the binary tables in which firmware and boot loaders hand over a memory map.
 *
 * Concept
 *  Each table is an array of fixed-size records, little endian, read byte by byte: the buffer may
 *  lie anywhere and the machine may be big endian. Types are those of the e820 interface.
 *
 * Invariants
 *  1. Nothing outside [buf, buf + len) is read.
 *  2. Every record is appended or noted as an oddity, with its index as mark; or none is.
 *
 * Failure
 *  A length that is not a whole number of records is refused; room for all is made beforehand.
 *
 * Shortcomings
 *  Attributes other than EFI's "specific purpose" are not kept.
 *
 * Source followed: ACPI 6.5 section 15 (e820), the PVH boot protocol's memory map entries,
 * UEFI 2.10 section 7.2 (EFI_MEMORY_DESCRIPTOR).
 */
#include "map_internal.h"
#include "../base/bits.h"

#define E820_RECORD 20u
#define PVH_RECORD 24u
#define EFI_RECORD 40u

#define EFI_PAGE_SHIFT 12
#define EFI_SPECIFIC_PURPOSE 0x40000u

/* EFI_MEMORY_TYPE */
enum efi_type {
	EFI_LOADER_CODE = 1,
	EFI_LOADER_DATA = 2,
	EFI_BOOT_CODE = 3,
	EFI_BOOT_DATA = 4,
	EFI_CONVENTIONAL = 7,
	EFI_UNUSABLE = 8,
	EFI_ACPI_RECLAIM = 9,
	EFI_ACPI_NVS = 10,
	EFI_PERSISTENT = 14,
};

static uint64_t decode_le(const unsigned char *p, unsigned int bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

static void decode_put(struct pz_map *m, uint64_t base, uint64_t size, uint32_t type, uint32_t ref)
{
	if (size)
		pz_map_append(m, base, size - 1, type, ref);
	else
		pz_map_note(m, PZ_ODD_EMPTY, (struct pz_range){ base, base }, type, ref);
}

/* Make room for all records of a table and count them. */
static int decode_room(struct pz_map *m, size_t len, size_t record, uint32_t *count)
{
	uint64_t rem, n = pz_udivrem64(len, record, &rem);
	int err;

	if (rem)
		return -PZ_EINVAL;
	err = pz_map_room(m, n);
	if (!err)
		*count = (uint32_t)n;
	return err;
}

/* Tables of base, size, type at offsets 0, 8 and 16. */
static int decode_plain(struct pz_map *m, const unsigned char *p, size_t len, size_t record)
{
	uint32_t n;
	int err = decode_room(m, len, record, &n);

	if (err)
		return err;
	for (uint32_t i = 0; i < n; i++, p += record)
		decode_put(m, decode_le(p, 8), decode_le(p + 8, 8), (uint32_t)decode_le(p + 16, 4),
			   i);
	m->sanitised = false;
	return 0;
}

int pz_map_decode_e820(struct pz_map *m, const void *buf, size_t len)
{
	return decode_plain(m, buf, len, E820_RECORD);
}

int pz_map_decode_pvh(struct pz_map *m, const void *buf, size_t len)
{
	return decode_plain(m, buf, len, PVH_RECORD);
}

static uint32_t decode_efi_type(uint32_t type, uint64_t attribute)
{
	switch (type) {
	case EFI_LOADER_CODE:
	case EFI_LOADER_DATA:
	case EFI_BOOT_CODE:
	case EFI_BOOT_DATA:
	case EFI_CONVENTIONAL:
		return attribute & EFI_SPECIFIC_PURPOSE ? PZ_MAP_SOFT_RESERVED : PZ_MAP_RAM;
	case EFI_UNUSABLE:
		return PZ_MAP_UNUSABLE;
	case EFI_ACPI_RECLAIM:
		return PZ_MAP_ACPI;
	case EFI_ACPI_NVS:
		return PZ_MAP_NVS;
	case EFI_PERSISTENT:
		return PZ_MAP_PMEM;
	default:
		return PZ_MAP_RESERVED;
	}
}

int pz_map_decode_efi(struct pz_map *m, const void *buf, size_t len, size_t desc_size)
{
	const uint64_t max_pages = (uint64_t)1 << (64 - EFI_PAGE_SHIFT);
	const uint64_t page_less_1 = ((uint64_t)1 << EFI_PAGE_SHIFT) - 1;
	const unsigned char *p = buf;
	uint32_t n;
	int err;

	if (desc_size < EFI_RECORD)
		return -PZ_EINVAL;
	err = decode_room(m, len, desc_size, &n);
	if (err)
		return err;
	for (uint32_t i = 0; i < n; i++, p += desc_size) {
		uint64_t base = decode_le(p + 8, 8), pages = decode_le(p + 24, 8);
		uint32_t type = decode_efi_type((uint32_t)decode_le(p, 4), decode_le(p + 32, 8));
		uint64_t less_1 = PZ_ADDR_MAX;

		if (!pages) {
			decode_put(m, base, 0, type, i);
			continue;
		}
		if (pages <= max_pages)
			less_1 = ((pages - 1) << EFI_PAGE_SHIFT) | page_less_1;
		else if (!base)
			pz_map_note(m, PZ_ODD_WRAP, (struct pz_range){ 0, PZ_ADDR_MAX }, type, i);
		pz_map_append(m, base, less_1, type, i);
	}
	m->sanitised = false;
	return 0;
}
