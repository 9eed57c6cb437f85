/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pzl_slab.h - what files on slab caches share.
 */
#ifndef LINUX_PZL_SLAB_H
#define LINUX_PZL_SLAB_H

#include <physzone/linux/slab.h>

/* Bytes of the size that kmalloc() was asked for, kept with the records of users; 0 for none. */
uint32_t pzl_slab_asked_size(const struct pzl_slab_kernel *k);

#endif
