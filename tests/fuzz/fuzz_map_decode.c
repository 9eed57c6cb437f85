/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_map_decode.c - binary firmware maps of any bytes: decoded, sanitised, changed, searched.
 *
 * The first byte says which table it is and how much room there is, the rest is the table.
 */
#include <stdlib.h>
#include <string.h>

#include <physzone/map.h>

/* Enough for any structure of interest, and little enough for the slow count. */
enum { FUZZ_MAX_BYTES = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t fuzz_live;

static void *fuzz_alloc(void *ctx, size_t size)
{
	(void)ctx;
	fuzz_live += size;
	return malloc(size);
}

static void fuzz_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	fuzz_live -= size;
	free(p);
}

static void fuzz_require(bool holds)
{
	if (!holds)
		abort();
}

/* The type of an address by the raw entries: the highest that holds it. */
static uint32_t fuzz_type_at(const struct pz_map_entry *v, uint32_t n, uint64_t addr)
{
	uint32_t type = 0;

	for (uint32_t i = 0; i < n; i++)
		if (v[i].range.first <= addr && v[i].range.last >= addr && v[i].type > type)
			type = v[i].type;
	return type;
}

static uint32_t fuzz_found(const struct pz_map *m, uint64_t addr)
{
	uint32_t i = pz_map_find(m, addr);

	return i < m->count && m->v[i].range.first <= addr ? m->v[i].type : 0;
}

static int fuzz_decode(struct pz_map *m, unsigned int how, const uint8_t *data, size_t size)
{
	switch (how & 3) {
	case 0:
		return pz_map_decode_e820(m, data, size);
	case 1:
		return pz_map_decode_pvh(m, data, size);
	case 2:
		return pz_map_decode_efi(m, data, size, 48);
	default:
		return pz_map_decode_efi(m, data, size, 32 + (how >> 3));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pz_meta meta = { fuzz_alloc, fuzz_free, NULL };
	static struct pz_map_entry store[64], raw[FUZZ_MAX_BYTES / 20 + 1];
	struct pz_range r = { 0x1000, 0x9ffff };
	struct pz_map m;
	uint32_t n;
	int err;

	if (!size || size > FUZZ_MAX_BYTES)
		return 0;
	pz_map_init(&m, data[0] & 4 ? NULL : &meta, store, data[0] & 4 ? 64 : 0);
	err = fuzz_decode(&m, data[0], data + 1, size - 1);
	fuzz_require(!err || !m.count);
	fuzz_require(!err || err == -PZ_EINVAL || (err == -PZ_ENOSPC && !m.meta));
	n = m.count;
	if (n)
		memcpy(raw, m.v, n * sizeof(*raw));

	err = pz_map_sanitise(&m, 12, 52);
	fuzz_require(!err || (err == -PZ_ENOSPC && !m.meta && m.count == n));
	if (!err) {
		fuzz_require(pz_map_check(&m) == 0);
		for (uint32_t i = 0; i < n; i++) {
			uint64_t at[4] = { raw[i].range.first, raw[i].range.last,
					   raw[i].range.first - 1, raw[i].range.last + 1 };

			for (unsigned int k = 0; k < 4; k++)
				fuzz_require(fuzz_found(&m, at[k]) == fuzz_type_at(raw, n, at[k]));
		}
		if (n)
			r = raw[0].range;
		err = pz_map_set_type(&m, r, 0, PZ_MAP_RESERVED);
		fuzz_require(!err || (err == -PZ_ENOSPC && !m.meta));
		fuzz_require(pz_map_check(&m) == 0);
		fuzz_require(err || !n || !raw[0].type ||
			     fuzz_found(&m, r.first) == PZ_MAP_RESERVED);
		(void)pz_map_last_pfn(&m, PZ_MAP_RAM, 12, UINT64_MAX);
	}
	pz_map_destroy(&m);
	fuzz_require(fuzz_live == 0);
	return 0;
}
