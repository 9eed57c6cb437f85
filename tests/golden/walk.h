/* SPDX-License-Identifier: BSD-2-Clause */
/* walk.h - every recorded machine, a folder each below a folder for its architecture. */
#ifndef TESTS_GOLDEN_WALK_H
#define TESTS_GOLDEN_WALK_H

/* Call @machine with the path and the name of each below @top, in the order of the directory. */
void golden_walk(const char *top, void (*machine)(const char *dir, const char *name));

#endif
