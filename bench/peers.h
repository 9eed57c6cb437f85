/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peers.h - user-space allocators that are measured beside, where they are installed.
 *
 * They are opened, not linked, so that nothing else in the process uses them, nor one of them
 * another. Of pages, what compares is an allocation of whole pages aligned to a page. What does
 * not: they reuse addresses from lists of one size, know no limits, and a free large block may go
 * back to the kernel by a system call.
 */
#ifndef PHYSZONE_BENCH_PEERS_H
#define PHYSZONE_BENCH_PEERS_H

#include <stdbool.h>
#include <stddef.h>

extern struct bench_peers {
	void *(*mi_malloc_aligned)(size_t size, size_t align);
	void (*mi_free)(void *p);
	void *(*mallocx)(size_t size, int flags); /* jemalloc */
	void (*dallocx)(void *p, int flags);
	/* What a program calls that is linked with them. */
	void *(*mi_malloc)(size_t size);
	void *(*je_malloc)(size_t size);
	void (*je_free)(void *p);
	void *(*tc_malloc)(size_t size); /* tcmalloc */
	void (*tc_free)(void *p);
} bench_peers;

/* Before anything else in main(): may start the program anew to make room for their threads. */
void peers_begin(char **argv);
/* Open mimalloc and jemalloc, and @tcmalloc. Those that are missing stay NULL. */
void peers_open(bool tcmalloc);
/* Say which of those that were to be opened are missing. */
void peers_remark(void);

#endif
