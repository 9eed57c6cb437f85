/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bug.h - what happens when a caller misuses the library.
 *
 * A function that returns nothing (a free, say) cannot return an error. It tells pz_bug() what is
 * wrong and then leaves the object alone: memory is leaked rather than given out twice.
 */
#ifndef PHYSZONE_BUG_H
#define PHYSZONE_BUG_H

#include <physzone/log.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pz_bug_policy {
	PZ_BUG_PANIC,  /* report, then call the panic hook */
	PZ_BUG_REPORT, /* report, and go on with the object leaked */
	PZ_BUG_IGNORE, /* count only, and go on with the object leaked */
};

/*
 * @policy: what to do. Zero-filled means panic.
 * @panic: called with the report under PZ_BUG_PANIC; it should not return, and where it does, or is
 *   NULL, the policy is PZ_BUG_REPORT.
 * @report: called with each report, or NULL.
 * @ctx: passed to both hooks.
 * @log: where reports go too, or NULL.
 * @count: misuses seen, whatever the policy.
 */
struct pz_bugs {
	enum pz_bug_policy policy;
	void (*panic)(void *ctx, const char *text);
	void (*report)(void *ctx, const char *text);
	void *ctx;
	struct pz_log *log;
	uint64_t count;
};

/**
 * pz_bug - say that the caller did what it must not do
 * @bugs: the policy, or NULL to ignore
 * @where: name of the function that was misused
 * @fmt: what is wrong, as for pz_vsnprintf(); cut at PZ_LOG_TEXT bytes
 *
 * Context: any; calls the hooks. Whoever calls this goes on as if it had not been called itself.
 */
void pz_bug(struct pz_bugs *bugs, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * pz_bug_policy_name - the word for a policy
 * @policy: the policy
 *
 * Context: any.
 * Return: a static string, "?" for a number that is none.
 */
const char *pz_bug_policy_name(enum pz_bug_policy policy);

#ifdef __cplusplus
}
#endif

#endif
