/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_debug.h - which caches are debugged, and how: the string of slub_debug= (slab_debug=).
 *
 *   string = block {";" block}
 *   block  = letters ["," name {"," name}]
 *
 * Letters, of either case: F checks, Z red zones, P poison, U users, T trace, A injected failures;
 * O is a switch for all caches; "-" takes back what its block said before it. A block without
 * letters means FZPU, and so does an empty string, for all caches. A name that has a "*" stands for
 * all that begin with what is before it. The first block with a name of a cache decides, and the
 * blocks without names do not count for it then; of several of these the last one counts.
 * Source followed: docs/facts/slab.md section 12.
 */
#ifndef PHYSZONE_SLAB_DEBUG_H
#define PHYSZONE_SLAB_DEBUG_H

#include <physzone/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PZ_SLAB_DEBUG_CHECKS 0x1u      /* F: consistency checks when objects are freed */
#define PZ_SLAB_DEBUG_RED_ZONE 0x2u    /* Z: on both sides of objects */
#define PZ_SLAB_DEBUG_POISON 0x4u      /* P: free objects are filled */
#define PZ_SLAB_DEBUG_USERS 0x8u       /* U: who allocated and who freed */
#define PZ_SLAB_DEBUG_TRACE 0x10u      /* T: each allocation and free is told */
#define PZ_SLAB_DEBUG_FAULT 0x20u      /* A: failures are injected */
#define PZ_SLAB_DEBUG_KEEP_ORDER 0x40u /* O: not where objects would need a larger slab */

#define PZ_SLAB_DEBUG_ALL 0x3fu /* the options of a cache: all but the switch */
#define PZ_SLAB_DEBUG_DEFAULT \
	(PZ_SLAB_DEBUG_CHECKS | PZ_SLAB_DEBUG_RED_ZONE | PZ_SLAB_DEBUG_POISON | PZ_SLAB_DEBUG_USERS)
/* What takes memory of the slab, and what KEEP_ORDER takes away again. */
#define PZ_SLAB_DEBUG_METADATA (PZ_SLAB_DEBUG_RED_ZONE | PZ_SLAB_DEBUG_POISON | PZ_SLAB_DEBUG_USERS)

/* What a cache says of itself. */
#define PZ_SLAB_DEBUG_NO_USER_FLAGS 0x100u /* the string is not for it */
#define PZ_SLAB_DEBUG_NO_LEAK_TRACE 0x200u /* users of it are recorded only when it is named */

/* How the string is read; 0 is the plain reading. */
#define PZ_SLAB_DEBUG_ON 0x1u /* FZPU is on when no block without names says otherwise */
#define PZ_SLAB_DEBUG_ENDS                                                     \
	0x2u /* as Linux: the last name before an empty block, or before a ";" \
	      * that ends the string, has that ";" as its last character */
#define PZ_SLAB_DEBUG_ALL_CACHES 0x4u /* NO_USER_FLAGS is unknown, as to Linux 5.15 */

/* What is odd about a string. Nothing of it is an error: each has a meaning. */
enum pz_slab_debug_issue {
	PZ_SLAB_DEBUG_UNKNOWN,	   /* a letter that is none: skipped */
	PZ_SLAB_DEBUG_CLEARED,	   /* "-" took back letters before it */
	PZ_SLAB_DEBUG_EMPTY_BLOCK, /* nothing before or after a ";": skipped */
	PZ_SLAB_DEBUG_EMPTY_NAME,  /* nothing before or after a ",": no cache has that name */
	PZ_SLAB_DEBUG_AFTER_STAR,  /* what follows "*" in a name is ignored */
	PZ_SLAB_DEBUG_LOST_BLOCK,  /* a block without names, and a later one replaces it */
	PZ_SLAB_DEBUG_SWITCH,	   /* O in a block with names is for all caches nevertheless */
	PZ_SLAB_DEBUG_NO_MATCH,	   /* a name that no cache has, by PZ_SLAB_DEBUG_ENDS */
	PZ_SLAB_DEBUG_ISSUES,
};

/*
 * pz_slab_debug_fn - told of each oddity, in the order of positions but for LOST_BLOCK
 * @pos, @len: the characters of the string that it is about; @len may be 0
 */
typedef void (*pz_slab_debug_fn)(void *ctx, enum pz_slab_debug_issue issue, size_t pos, size_t len);

/* A string that has been read. Build it with pz_slab_debug_parse(). */
struct pz_slab_debug {
	const char *text; /* the caller's; must outlive this */
	size_t len;
	uint32_t rules;	 /* PZ_SLAB_DEBUG_ON, _ENDS, _ALL_CACHES */
	uint32_t global; /* options of caches that no block names */
	bool keep_order; /* O */
	bool named;	 /* some block has names */
};

/**
 * pz_slab_debug_parse - read a string
 * @d: filled in
 * @text: what follows "slub_debug=", any bytes, or NULL for the bare option; not copied
 * @len: its length
 * @rules: how it is read
 * @report: told of each oddity; may be NULL
 * @ctx: for @report
 *
 * Context: any. Cost: O(@len).
 * Return: the number of oddities.
 */
uint32_t pz_slab_debug_parse(struct pz_slab_debug *d, const char *text, size_t len, uint32_t rules,
			     pz_slab_debug_fn report, void *ctx);

/**
 * pz_slab_debug_none - what holds where no string was given
 * @d: filled in
 * @rules: as for pz_slab_debug_parse()
 *
 * Context: any.
 */
void pz_slab_debug_none(struct pz_slab_debug *d, uint32_t rules);

/**
 * pz_slab_debug_flags - the debug options of a cache
 * @d: from pz_slab_debug_parse() or pz_slab_debug_none()
 * @name: the name of the cache
 * @name_len: its length
 * @own: options that it was made with, PZ_SLAB_DEBUG_NO_USER_FLAGS and _NO_LEAK_TRACE
 *
 * Context: any. Cost: O(length of the string).
 * Return: its own options and those of the string, and PZ_SLAB_DEBUG_KEEP_ORDER where that is on.
 */
uint32_t pz_slab_debug_flags(const struct pz_slab_debug *d, const char *name, size_t name_len,
			     uint32_t own);

/**
 * pz_slab_debug_issue_text - an oddity in words
 * @issue: the oddity
 *
 * Context: any.
 * Return: a static string, "?" for none of them.
 */
const char *pz_slab_debug_issue_text(enum pz_slab_debug_issue issue);

#ifdef __cplusplus
}
#endif

#endif
