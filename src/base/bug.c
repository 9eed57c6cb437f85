/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bug.c - what happens when a caller misuses the library.
 *
 * Concept
 *  Misuse is counted always, told where it is told at all to the log first, and to the panic hook
 *  last: a machine that stops there has its reason in the log.
 *
 * Invariants
 *  1. count grows by one for each call; 2. a report reaches the log before a hook;
 *  3. under PZ_BUG_IGNORE no hook is called.
 *
 * Failure
 *  None. Text too long is cut.
 *
 * Shortcomings
 *  count is not atomic: like all state of a machine it is under the caller's lock.
 */
#include <physzone/bug.h>

void pz_bug(struct pz_bugs *bugs, const char *where, const char *fmt, ...)
{
	char text[PZ_LOG_TEXT + 1];
	size_t n;
	va_list ap;

	if (!bugs)
		return;
	bugs->count++;
	if (bugs->policy == PZ_BUG_IGNORE)
		return;
	n = pz_snprintf(text, sizeof(text), "%s: ", where);
	if (n < sizeof(text)) {
		va_start(ap, fmt);
		pz_vsnprintf(text + n, sizeof(text) - n, fmt, ap);
		va_end(ap);
	}
	pz_log_write(bugs->log, PZ_LOG_ERROR, "%s", text);
	if (bugs->report)
		bugs->report(bugs->ctx, text);
	if (bugs->policy == PZ_BUG_PANIC && bugs->panic)
		bugs->panic(bugs->ctx, text);
}

const char *pz_bug_policy_name(enum pz_bug_policy policy)
{
	switch (policy) {
	case PZ_BUG_PANIC:
		return "panic";
	case PZ_BUG_REPORT:
		return "report";
	case PZ_BUG_IGNORE:
		return "ignore";
	}
	return "?";
}
