/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pages.c - the benchmarks of the page allocator, by case; docs/performance.md says what came out.
 */
#include "pages.h"

int main(int argc, char **argv)
{
	static const char *const names[] = { "pair",   "steps",	 "burst", "bulk",    "churn",
					     "remote", "limits", "share", "lengths", "worst",
					     "room",   "size",	 "frag",  NULL };
	static const char *const what[] = {
		"alloc+free pairs of orders 0 to 10, one and two threads",
		"instructions of a pair",
		"64 allocated, then 64 freed",
		"the whole machine in single pages, freed in order and at random",
		"a random page freed and one allocated, 50 to 99.9 % full",
		"one thread allocates, another frees",
		"pairs under address limits",
		"two threads limited to the same 16 MiB",
		"runs of lengths that are no power of two",
		"answers \"no\" in the worst states of memory",
		"how much limited devices get, idle and after filling",
		"metadata, start",
		"large blocks left after mixed churn",
	};
	static void (*const run[])(void) = {
		pages_pair,   pages_steps,  pages_burst, pages_bulk,	pages_churn,
		pages_remote, pages_limits, pages_share, pages_lengths, pages_worst,
		pages_room,   pages_size,   pages_frag,
	};
	int status;

	peers_begin(argv);
	status = bench_begin(argc, argv, names, what);
	if (status >= 0)
		return status;
	peers_open(false);
	for (unsigned int i = 0; names[i]; i++)
		if (bench_wanted(names[i]))
			run[i]();
	return bench_finish();
}
