/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * image.h - the bare-metal test image: the machine that it runs on, then the contract suites.
 */
#ifndef BOOT_IMAGE_H
#define BOOT_IMAGE_H

#include "../ports/port.h"
#include "../tests/contract/tap.h"

/*
 * Lay out the machine below: decode the loader's map, print it and the zones that Linux would make
 * of it, and check what must hold of any machine.
 */
void boot_machine(struct tap *t, uint64_t handed_over);

#endif
