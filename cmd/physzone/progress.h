/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * progress.h - a line on a person's terminal while something takes long.
 */
#ifndef PHYSZONE_CMD_PROGRESS_H
#define PHYSZONE_CMD_PROGRESS_H

#include <stdint.h>

/*
 * Say how far it is: "WHAT: 42 %" on standard error, when that is a terminal, from the second
 * second on, at most ten times a second. Cheap enough to be called every few thousand steps.
 */
void progress(const char *what, uint64_t done, uint64_t all);

/* Clear the line, if there is one. */
void progress_end(void);

#endif
