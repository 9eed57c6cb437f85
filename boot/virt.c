/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virt.c - what the image tests on QEMU's "virt" machine for ARM besides the contract.
 */
#include "image.h"
#include "mmu_box.h"

const struct boot_suite boot_own[] = {
	{ "mmu_pages", mmu_pages },
	{ "mmu_split", mmu_split },
	{ "mmu_rights", mmu_rights },
	{ "mmu_random", mmu_random },
	{ "example", boot_example },
	{ NULL, NULL },
};
