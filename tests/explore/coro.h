/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coro.h - coroutines for the explorer: a function on a stack of its own, run piece by piece.
 *
 * On x86_64 a switch is a few instructions of our own, and a stopped coroutine is nothing but its
 * stack from its stack pointer upwards, so that it can be compared with another stop
 * (CORO_WHOLE). Elsewhere, or with CORO_UCONTEXT defined, <ucontext.h> does it.
 */
#ifndef TESTS_EXPLORE_CORO_H
#define TESTS_EXPLORE_CORO_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__x86_64__) && !defined(CORO_UCONTEXT)
#define CORO_WHOLE 1
#else
#define CORO_WHOLE 0
#include <ucontext.h>
#endif

struct coro {
	unsigned char *stack; /* lowest address; a page that cannot be touched lies below */
	size_t size;
	void (*fn)(void *arg);
	void *arg;
	bool done;
#if CORO_WHOLE
	void *sp; /* of the coroutine while it is stopped, else of who resumed it */
#else
	ucontext_t self, back;
#endif
};

/* Get a stack. Ends the program when there is none. */
void coro_init(struct coro *c);

/* Give the stack back. */
void coro_drop(struct coro *c);

/* Have the next coro_resume() begin with fn(arg); whatever the coroutine was doing is forgotten. */
void coro_start(struct coro *c, void (*fn)(void *arg), void *arg);

/* Run the coroutine until it stops or ends. */
void coro_resume(struct coro *c);

/* Stop; called by the coroutine itself. */
void coro_stop(struct coro *c);

#endif
