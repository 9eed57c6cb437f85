/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pzl_boot.h - what the parts of boot.h share: requests as they begin.
 */
#ifndef LINUX_PZL_BOOT_H
#define LINUX_PZL_BOOT_H

#include <physzone/linux/boot.h>

/* The name of a request, cut to fit. */
void pzl_boot_name(char *to, const char *from);

/* A request for so many bytes, once, of no order and anywhere. */
void pzl_boot_request_init(struct pzl_boot_request *r, enum pzl_boot_what what,
			   enum pzl_boot_when when, uint64_t bytes);

/* Digits of a physical address as %pa prints it. */
unsigned int pzl_boot_digits(const struct pzl_boot_in *in);

#endif
