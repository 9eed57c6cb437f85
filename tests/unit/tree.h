/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree.h - device trees made up for a test, with libfdt's sequential writer; after cmocka.h.
 */
#ifndef PHYSZONE_TESTS_TREE_H
#define PHYSZONE_TESTS_TREE_H

#include <libfdt.h>

static char unit_blob[1 << 16];

static inline void unit_open(const char *name)
{
	assert_int_equal(fdt_begin_node(unit_blob, name), 0);
}

static inline void unit_close(void)
{
	assert_int_equal(fdt_end_node(unit_blob), 0);
}

static inline void unit_string(const char *name, const char *value)
{
	assert_int_equal(fdt_property_string(unit_blob, name, value), 0);
}

static inline void unit_cells_v(const char *name, unsigned int n, const uint32_t *v)
{
	uint32_t be[16];

	for (unsigned int i = 0; i < n; i++)
		be[i] = cpu_to_fdt32(v[i]);
	assert_int_equal(fdt_property(unit_blob, name, be, (int)(4 * n)), 0);
}

#define unit_cells(name, ...)                                   \
	do {                                                    \
		const uint32_t cells_[] = { __VA_ARGS__ };      \
		unit_cells_v(name, sizeof(cells_) / 4, cells_); \
	} while (0)

static inline void unit_flag(const char *name)
{
	assert_int_equal(fdt_property(unit_blob, name, NULL, 0), 0);
}

/* Start a tree whose root has these cell counts. */
static inline void unit_root(uint32_t na, uint32_t ns)
{
	assert_int_equal(fdt_create(unit_blob, sizeof(unit_blob)), 0);
	assert_int_equal(fdt_add_reservemap_entry(unit_blob, 0x1000, 0x2000), 0);
	assert_int_equal(fdt_finish_reservemap(unit_blob), 0);
	unit_open("");
	unit_cells("#address-cells", na);
	unit_cells("#size-cells", ns);
}

static inline size_t unit_finish(void)
{
	unit_close();
	assert_int_equal(fdt_finish(unit_blob), 0);
	return fdt_totalsize(unit_blob);
}

#endif
