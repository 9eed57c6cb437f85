/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * objects.c - the benchmarks of the object caches, by case; docs/performance.md says what came out.
 */
#include "objects.h"

int main(int argc, char **argv)
{
	static const char *const names[] = { "pair",   "steps", "batch", "fill", "remote",
					     "limits", "debug", "waste", NULL };
	static const char *const what[] = {
		"alloc+free pairs of 8 to 8192 bytes, one and two threads",
		"instructions of a pair",
		"64 allocated, then 64 freed",
		"2^18 objects allocated, then freed at random",
		"one thread allocates, another frees",
		"the same under limits of 32 and 30 bits",
		"pairs with debug options",
		"internal waste and metadata by size, beside SLUB's",
	};
	static void (*const run[])(void) = {
		objects_pair,	objects_steps,	objects_batch, objects_fill,
		objects_remote, objects_limits, objects_debug, objects_waste,
	};
	int status;

	peers_begin(argv);
	status = bench_begin(argc, argv, names, what);
	if (status >= 0)
		return status;
	peers_open(true);
	for (unsigned int i = 0; names[i]; i++)
		if (bench_wanted(names[i]))
			run[i]();
	return bench_finish();
}
