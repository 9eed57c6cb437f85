/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * progress.c - see progress.h.
 */
#include "progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static struct {
	double began, shown;
	bool started, visible;
} progress_state;

static double progress_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void progress(const char *what, uint64_t done, uint64_t all)
{
	double now = progress_now();

	if (!progress_state.started) {
		progress_state.started = true;
		progress_state.began = progress_state.shown = now;
	}
	if (now - progress_state.began < 1 || now - progress_state.shown < 0.1 || !all ||
	    !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r%s: %u %%", what, (unsigned int)((double)done * 100 / (double)all));
	progress_state.shown = now;
	progress_state.visible = true;
}

void progress_end(void)
{
	if (progress_state.visible)
		fputs("\r\033[K", stderr);
	progress_state.visible = progress_state.started = false;
}
