/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peers.c - open mimalloc, jemalloc and tcmalloc.
 *
 * They keep per-thread state in static thread-local storage, of which the loader of glibc keeps
 * little spare for libraries opened late; a tunable raises that, and it is read at start only.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "peers.h"

#define TUNABLES "GLIBC_TUNABLES"
#define ROOM "glibc.rtld.optional_static_tls=65536"

struct bench_peers bench_peers;

void peers_begin(char **argv)
{
	const char *old = getenv(TUNABLES);

	if (old && strstr(old, "optional_static_tls"))
		return;
	/* An embedder's other tunables are not worth keeping here. */
	if (!setenv(TUNABLES, ROOM, 1))
		execv("/proc/self/exe", argv);
}

static void *peers_library(const char *const *names)
{
	for (; *names; names++) {
		void *lib = dlopen(*names, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);

		if (lib)
			return lib;
	}
	return NULL;
}

static void *peers_symbol(void *lib, const char *const *names)
{
	for (; lib && *names; names++) {
		void *at = dlsym(lib, *names);

		if (at)
			return at;
	}
	return NULL;
}

static bool peers_asked_tcmalloc;

/* ISO C has no conversion from an object's address to a function's. Both are found, or neither. */
static void peers_pair(void *lib, const char *const *alloc, const char *const *release,
		       void *alloc_fn, void *release_fn)
{
	void *a = peers_symbol(lib, alloc), *r = peers_symbol(lib, release);

	if (!a || !r)
		return;
	memcpy(alloc_fn, &a, sizeof(a));
	memcpy(release_fn, &r, sizeof(r));
}

void peers_open(bool tcmalloc)
{
	static const char *const mi[] = { "libmimalloc.so.3", "libmimalloc.so.2", "libmimalloc.so",
					  NULL };
	static const char *const je[] = { "libjemalloc.so.2", "libjemalloc.so", NULL };
	static const char *const tc[] = { "libtcmalloc_minimal.so.4", "libtcmalloc_minimal.so",
					  NULL };
	static const char *const names[][3] = {
		{ "mi_malloc_aligned", NULL },
		{ "mi_malloc", NULL },
		{ "mi_free", NULL },
		{ "mallocx", "je_mallocx", NULL },
		{ "dallocx", "je_dallocx", NULL },
		{ "je_malloc", "malloc", NULL },
		{ "je_free", "free", NULL },
		{ "tc_malloc", NULL },
		{ "tc_free", NULL },
	};
	struct bench_peers *p = &bench_peers;
	void *lib = peers_library(mi);

	peers_pair(lib, names[0], names[2], &p->mi_malloc_aligned, &p->mi_free);
	peers_pair(lib, names[1], names[2], &p->mi_malloc, &p->mi_free);
	lib = peers_library(je);
	peers_pair(lib, names[3], names[4], &p->mallocx, &p->dallocx);
	/* A library without these would answer with glibc's. */
	if (p->mallocx)
		peers_pair(lib, names[5], names[6], &p->je_malloc, &p->je_free);
	peers_asked_tcmalloc = tcmalloc;
	if (tcmalloc)
		peers_pair(peers_library(tc), names[7], names[8], &p->tc_malloc, &p->tc_free);
}

void peers_remark(void)
{
	if (!bench_peers.mi_free)
		bench_remark("mimalloc is left out: libmimalloc-dev is not installed");
	if (!bench_peers.dallocx)
		bench_remark("jemalloc is left out: libjemalloc-dev is not installed");
	if (peers_asked_tcmalloc && !bench_peers.tc_free)
		bench_remark("tcmalloc is left out: libtcmalloc-minimal4 is not installed");
}
