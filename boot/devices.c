/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * devices.c - devices move data to and from memory that the library chose.
 *
 * The devices are QEMU's, written by others: what arrives where they put it is the proof. Each
 * limit is tested from both sides: the memory that is chosen works, and memory just beyond, forced
 * by the test, does not.
 */
#include "dev.h"

/* The processor too must see all memory: above 4 GiB by its page tables. */
static void devices_mapped(struct dev_machine *m)
{
	uint64_t last = pz_memblock_last(&m->mb);
	struct pz_range top = { last + 1 - BOOT_PAGE, last };
	bool own = top.first >= DEV_4G && pz_range_contains(port_mapped(), last) &&
		   !dev_take(m, top.first, BOOT_PAGE);

	CHECK_NAMED(m->t, own, "the last page above 4 GiB is mapped and free");
	if (!own)
		return;
	dev_write(top.first, BOOT_PAGE, 1, 0);
	/* Without the upper half of the address it would be this memory. */
	CHECK_NAMED(m->t,
		    dev_holds(top.first, BOOT_PAGE, 1, 0) &&
			    !dev_holds((uint32_t)top.first, BOOT_PAGE, 1, 0),
		    "it holds what is written to it");
	dev_give(m, top.first, BOOT_PAGE);
}

void boot_devices(struct tap *t, uint64_t handed_over)
{
	struct dev_machine m;
	uint64_t before;

	if (!CHECK_NAMED(t, dev_open(&m, t, handed_over), "all memory is in a page allocator"))
		return;
	devices_mapped(&m);
	dev_test_edu(&m);
	before = pz_page_free_count(m.pages, UINT32_MAX);
	dev_test_floppy(&m);
	dev_test_disk(&m);
	dev_test_map(&m);
	CHECK_NAMED(t, pz_page_free_count(m.pages, UINT32_MAX) == before,
		    "the devices gave all memory back");
	dev_close(&m);
}
