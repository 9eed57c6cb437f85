/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_scan.h - reading words, numbers and ranges off one line, so strictly that a number which
 * lost a digit on a serial line is not taken for another number.
 */
#ifndef PHYSZONE_CMD_LOG_SCAN_H
#define PHYSZONE_CMD_LOG_SCAN_H

#include <physzone/types.h>

/* Where reading stands. A failed read leaves @p where it was and says why. */
struct log_scan {
	const char *p, *end;
	bool ran_out;	 /* the last failure was that the line ended: it may go on elsewhere */
	const char *why; /* why the last read failed */
	bool cut;	 /* the line ended in the middle of a text that ls_opt() was asked for */
};

/* Skip white space. A tab may stand as "\x09" (journal) or "#011" (syslog). */
void ls_space(struct log_scan *s);

/* Whether only white space is left. */
bool ls_done(struct log_scan *s);

/*
 * Read literal text. A blank in it stands for any white space, also none at the end of the line;
 * mail programs and web pages do not keep the number of blanks.
 */
bool ls_lit(struct log_scan *s, const char *lit);

/* Read literal text if it is there; never fails. */
bool ls_opt(struct log_scan *s, const char *lit);

/* A decimal number, unsigned or signed. */
bool ls_dec(struct log_scan *s, uint64_t *out);
bool ls_int(struct log_scan *s, int *out);

/* The number of a node. */
bool ls_nid(struct log_scan *s, int *out);

/* A hexadecimal number behind "0x", or bare. Leading zeros only as printk's fixed widths give. */
bool ls_hex(struct log_scan *s, uint64_t *out);
bool ls_bare_hex(struct log_scan *s, uint64_t *out);

/* "0x..-0x..", both ends inclusive; and "[mem 0x..-0x..]". First above last is refused. */
bool ls_range(struct log_scan *s, struct pz_range *out);
bool ls_mem(struct log_scan *s, struct pz_range *out);

/* Up to white space or the end, at least one character; @n its length. */
const char *ls_word(struct log_scan *s, size_t *n);

/* Where @word stands first in [p, p + n), or NULL. */
const char *ls_find(const char *p, size_t n, const char *word);

/* A failure that a caller states itself. Returns false. */
bool ls_fail(struct log_scan *s, const char *why);

#endif
