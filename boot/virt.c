/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virt.c - what the image tests on QEMU's "virt" machine for ARM besides the contract.
 */
#include "image.h"

const struct boot_suite boot_own[] = {
	{ NULL, NULL },
};
