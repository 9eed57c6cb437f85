/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * preload.h - what the files of the preload library share.
 *
 * One machine lies in this process: an arena of address space stands for its physical memory, and
 * one kmalloc() family serves all memory that the program asks for. Nothing here may allocate, by
 * itself or through the C library: it would come back here.
 */
#ifndef TESTS_PRELOAD_PRELOAD_H
#define TESTS_PRELOAD_PRELOAD_H

#include <limits.h>
#include <stdatomic.h>

#include <physzone/kmalloc.h>

#define PRELOAD_CPUS 256u /* indices at most: threads that have one of their own */
#define PRELOAD_LINE 256u /* bytes of a message */

/* From the environment of the process, see options.c. */
struct preload_options {
	char debug[128]; /* PZ_PRELOAD_DEBUG: as slub_debug=, "FZP" or "FZ,kmalloc-64" */
	size_t debug_len;
	char log[PATH_MAX]; /* PZ_PRELOAD_LOG: where messages go; "" for the standard error */
	uint64_t mib;	    /* PZ_PRELOAD_MIB: size of the machine */
	uint32_t cpus;	    /* PZ_PRELOAD_CPUS */
	bool stats;	    /* PZ_PRELOAD_STATS=1: a line at exit */
	bool check;	    /* PZ_PRELOAD_CHECK=1: verify everything at exit */
	bool go_on;	    /* PZ_PRELOAD_BUGS=report: misuse does not end the program */
};

struct preload_machine {
	unsigned char *arena; /* where the first byte of memory is */
	uint64_t bytes;
	struct pz_meta small, zeroed;
	struct pz_memblock mb;
	struct pz_zones zones;
	struct pz_pages *pages;
	struct pz_slabs *slabs;
	struct pz_kmalloc *family;
	struct pz_slab_debug debug;
	struct pz_bugs bugs;
	uint64_t managed;
	_Atomic uint64_t findings;
};

/* options.c */
void preload_options_read(struct preload_options *o);
void preload_say(const struct preload_options *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* machine.c */
/* Lay the machine out; ends the process when there is no address space for it. @site tells who
 * calls, for records of users. */
void preload_machine_make(struct preload_machine *m, const struct preload_options *o,
			  uint64_t (*site)(void *ctx));
/* Verify all of it, while nobody else uses it; what is wrong is told as any finding. */
void preload_machine_check(struct preload_machine *m, const struct preload_options *o);

#endif
