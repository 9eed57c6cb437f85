/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.h - facts from a kernel log in any dress: dmesg, journal lines, serial console, mail.
 */
#ifndef PHYSZONE_CMD_LOG_H
#define PHYSZONE_CMD_LOG_H

#include "facts.h"
#include "input/text.h"

/*
 * Collect what one boot of a log says. @file is the log's index in f->files; @boot is which of the
 * log's boots to read, from 1, or 0 for the last. A fact that the facts hold already (command line,
 * release) is not replaced.
 *
 * Lines that say something about memory but are damaged, or contradict others, become
 * f->contradictions and leave no fact. Returns 0, or -PZ_ERANGE when there is no such boot; *err is
 * then one line (to be freed).
 */
int log_parse(struct facts *f, const struct text *t, uint32_t file, unsigned int boot, char **err);

/* Whether a text holds a kernel log, or a part of one that log_parse() understands. */
bool log_looks_like(const struct text *t);

#endif
