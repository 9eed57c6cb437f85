/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peers.c - open mimalloc and jemalloc.
 *
 * Both keep per-thread state in static thread-local storage, of which the loader of glibc keeps
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

void peers_open(void)
{
	static const char *const mi[] = { "libmimalloc.so.3", "libmimalloc.so.2", "libmimalloc.so",
					  NULL };
	static const char *const je[] = { "libjemalloc.so.2", "libjemalloc.so", NULL };
	static const char *const names[][3] = {
		{ "mi_malloc_aligned", NULL },
		{ "mi_free", NULL },
		{ "mallocx", "je_mallocx", NULL },
		{ "dallocx", "je_dallocx", NULL },
	};
	struct bench_peers *p = &bench_peers;
	void *lib = peers_library(mi), *at[4];

	at[0] = peers_symbol(lib, names[0]);
	at[1] = peers_symbol(lib, names[1]);
	lib = peers_library(je);
	at[2] = peers_symbol(lib, names[2]);
	at[3] = peers_symbol(lib, names[3]);
	/* ISO C has no conversion from an object's address to a function's. */
	if (at[0] && at[1]) {
		memcpy(&p->mi_malloc_aligned, &at[0], sizeof(at[0]));
		memcpy(&p->mi_free, &at[1], sizeof(at[1]));
	}
	if (at[2] && at[3]) {
		memcpy(&p->mallocx, &at[2], sizeof(at[2]));
		memcpy(&p->dallocx, &at[3], sizeof(at[3]));
	}
}

void peers_remark(void)
{
	if (!bench_peers.mi_free)
		bench_remark("mimalloc is left out: libmimalloc-dev is not installed");
	if (!bench_peers.dallocx)
		bench_remark("jemalloc is left out: libjemalloc-dev is not installed");
}
