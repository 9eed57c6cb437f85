/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alarm.h - who may be interrupted by the alarm that plays interrupts: only a thread that has a CPU
 * of its own. A process's signal may otherwise come to the main thread, which has none.
 */
#ifndef TESTS_EXPLORE_ALARM_H
#define TESTS_EXPLORE_ALARM_H

#include <pthread.h>
#include <signal.h>

/* SIG_BLOCK it before threads are made; SIG_UNBLOCK it in each that has a CPU. */
static inline void alarm_mask(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(how, &set, NULL);
}

#endif
