/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nearest.c - what a mistyped word may have meant.
 */
#include "options.h"

#include <string.h>

static unsigned int nearest_distance(const char *a, const char *b)
{
	unsigned int row[64];
	size_t la = strlen(a), lb = strlen(b), i, k;

	if (la >= 64 || lb >= 63)
		return 64;
	for (k = 0; k <= lb; k++)
		row[k] = (unsigned int)k;
	for (i = 1; i <= la; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i;
		for (k = 1; k <= lb; k++) {
			unsigned int change = diagonal + (a[i - 1] != b[k - 1]);

			diagonal = row[k];
			if (row[k - 1] + 1 < change)
				change = row[k - 1] + 1;
			if (row[k] + 1 < change)
				change = row[k] + 1;
			row[k] = change;
		}
	}
	return row[lb];
}

const char *nearest_word(const char *word, const char *const *candidates)
{
	const char *best = NULL;
	size_t len = strlen(word);
	unsigned int best_distance = len <= 3 ? 2 : 3;

	for (; *candidates; candidates++) {
		unsigned int d = nearest_distance(word, *candidates);

		if (len >= 2 && !strncmp(*candidates, word, len))
			d = 1;
		if (d < best_distance) {
			best_distance = d;
			best = *candidates;
		}
	}
	return best;
}
