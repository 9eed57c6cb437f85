/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_report.h - a corrupted slab object or slab, as data, and Linux's lines about it.
 *
 * The stack of the task that found it, which Linux prints too, is left out. Source followed:
 * docs/facts/slab.md section 13.
 */
#ifndef PHYSZONE_LINUX_SLAB_REPORT_H
#define PHYSZONE_LINUX_SLAB_REPORT_H

#include <physzone/linux/messages.h>
#include <physzone/linux/slab.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What was found. */
enum pzl_slab_fault {
	/* bytes that are not what they should be: first, last, is, should */
	PZL_FAULT_LEFT_REDZONE,
	PZL_FAULT_RIGHT_REDZONE,
	PZL_FAULT_KMALLOC_REDZONE, /* 6.12: behind the size that kmalloc() was asked for */
	PZL_FAULT_POISON,	   /* written to after it was freed */
	PZL_FAULT_END_POISON,
	PZL_FAULT_ALIGNMENT_PADDING,
	PZL_FAULT_OBJECT_PADDING,
	/* an object */
	PZL_FAULT_FREEPOINTER,	    /* its pointer to the next free one */
	PZL_FAULT_FREECHAIN,	    /* the list of free objects at it */
	PZL_FAULT_FREELIST_POINTER, /* a pointer to an object that is none */
	PZL_FAULT_ALREADY_FREE,	    /* freed twice */
	PZL_FAULT_SLAB_POINTER,	    /* it is another cache's */
	/* a slab */
	PZL_FAULT_SLAB_PADDING,	   /* behind its last object: first, last */
	PZL_FAULT_FREELIST,	   /* its list of free objects */
	PZL_FAULT_INVALID_POINTER, /* freed: no object begins at object */
	PZL_FAULT_OUTSIDE,	   /* freed: object is in no slab */
	PZL_FAULT_NOT_A_SLAB,
	PZL_FAULT_OBJECTS, /* number[0] > number[1] */
	PZL_FAULT_INUSE,
	PZL_FAULT_OBJECTS_DIFFER, /* number[0], and number[1] would be right */
	PZL_FAULT_COUNT_DIFFERS,
	PZL_FAULT_DISABLED, /* metadata so bad that the slab is left alone */
	PZL_SLAB_FAULTS,
};

/* What was done about it, in the last line. */
enum pzl_slab_fix {
	PZL_FIX_NONE,
	PZL_FIX_RESTORE,   /* bytes were written anew: the usual one for bytes */
	PZL_FIX_ALL_USED,  /* on allocation: the slab is taken for full */
	PZL_FIX_NOT_FREED, /* on free */
	PZL_FIX_FREELIST,  /* the list of free objects was emptied */
	PZL_FIX_OBJECTS,   /* the slab's number of objects was set */
	PZL_FIX_COUNT,	   /* and that of objects in use */
};

/* Who allocated, or freed. */
struct pzl_slab_track {
	const char *site; /* "zonefill_init+0x40/0x100" */
	uint64_t age;	  /* in jiffies */
	uint32_t cpu;
	int32_t pid;
	const char *const *stack; /* 6.1 and later */
	uint32_t depth;
};

/* A finding. Addresses are virtual ones, as they are to be printed. */
struct pzl_slab_finding {
	const struct pzl_slab_kernel *k;
	const char *cache;
	const char *taint; /* "Not tainted", "Tainted: G    B     " */
	uint32_t flags;	   /* PZL_SLAB_* of the cache */
	uint32_t object_size;
	const struct pzl_slab_geometry *g;
	enum pzl_slab_fault fault;
	enum pzl_slab_fix fix;
	uint64_t first, last; /* bytes that are wrong */
	uint8_t is, should;   /* the first of them */
	uint32_t number[2];
	uint64_t object, object_fp;
	uint64_t base;		/* where the slab begins */
	uint64_t slab, slab_fp; /* its descriptor, and its list of free objects */
	uint32_t objects, used;
	const char *page_flags;				/* "0x200(slab|zone=1)" */
	const struct pzl_slab_track *allocated, *freed; /* or NULL */
	/* Memory of the slab from bytes_at on, for the dumps; what lies outside is left out. */
	const uint8_t *bytes;
	uint64_t bytes_at;
	uint32_t bytes_len;
};

/**
 * pzl_slab_fault_text - a finding's words in the line that begins with BUG
 * @buf: the buffer; may be NULL when @size is 0
 * @size: bytes of @buf; text that does not fit is cut, and a 0 byte ends it unless @size is 0
 * @f: the finding
 *
 * Context: any.
 * Return: length of the whole text; it was cut when it is @size or more.
 */
size_t pzl_slab_fault_text(char *buf, size_t size, const struct pzl_slab_finding *f);

/**
 * pzl_slab_report - Linux's lines about a finding
 * @f: the finding
 * @emit: called for each line; empty lines too
 * @ctx: passed to @emit
 *
 * Context: any; calls @emit.
 */
void pzl_slab_report(const struct pzl_slab_finding *f, pzl_emit_fn emit, void *ctx);

#ifdef __cplusplus
}
#endif

#endif
