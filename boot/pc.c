/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pc.c - what the image tests on a PC besides the contract.
 */
#include "image.h"

const struct boot_suite boot_own[] = {
	{ "machine", boot_machine },
	{ "devices", boot_devices },
	{ NULL, NULL },
};
