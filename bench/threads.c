/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads.c - pinned threads that measure one cell at a time, the clocks, and single steps.
 *
 * Thread 0 is the caller. Thread 1 sleeps between cells. Threads meet at a counter that they spin
 * on just before the clock starts.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "threads.h"

#define LINE 64
#define STEPPED 16u /* operations that are stepped through */
#define WARM 10000u /* before them */

double bench_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

double bench_wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

void bench_lap_start(struct bench_arg *arg)
{
	arg->mark = bench_cpu_ns();
}

void bench_lap_end(struct bench_arg *arg, uint64_t ops)
{
	double now = bench_cpu_ns();

	if (arg->laps < BENCH_LAPS) {
		arg->ns[arg->laps] = now - arg->mark;
		arg->ops[arg->laps++] = ops;
	}
	arg->mark = bench_cpu_ns();
}

static struct {
	pthread_t id;
	pthread_mutex_t lock;
	pthread_cond_t go, done;
	bool started, busy, stop;
	bench_fn fn;
	struct bench_arg *arg;
	unsigned int meet __attribute__((aligned(LINE)));
	int cpu[BENCH_THREADS];
	double cpu_ns, wall_ns;
} team = { .lock = PTHREAD_MUTEX_INITIALIZER,
	   .go = PTHREAD_COND_INITIALIZER,
	   .done = PTHREAD_COND_INITIALIZER };

static void threads_pin(unsigned int thread)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(team.cpu[thread], &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void threads_work(bench_fn fn, struct bench_arg *arg)
{
	double wall, cpu;
	uint64_t ops;

	if (arg->threads > 1) {
		unsigned int spins = 0;

		__atomic_fetch_add(&team.meet, 1, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(&team.meet, __ATOMIC_SEQ_CST) < arg->threads) {
			bench_pause();
			if (++spins % 4096 == 0)
				sched_yield();
		}
	}
	wall = bench_wall_ns();
	cpu = arg->mark = bench_cpu_ns();
	ops = fn(arg);
	cpu = bench_cpu_ns() - cpu;
	wall = bench_wall_ns() - wall;
	if (!arg->laps) {
		arg->ns[0] = cpu;
		arg->ops[0] = ops;
		arg->laps = 1;
	}
	if (!ops)
		arg->laps = 0;
	if (arg->thread == 0) {
		team.cpu_ns += cpu;
		team.wall_ns += wall;
	}
}

static void *threads_main(void *unused)
{
	(void)unused;
	threads_pin(1);
	pthread_mutex_lock(&team.lock);
	while (!team.stop) {
		if (!team.busy) {
			pthread_cond_wait(&team.go, &team.lock);
			continue;
		}
		pthread_mutex_unlock(&team.lock);
		threads_work(team.fn, team.arg);
		pthread_mutex_lock(&team.lock);
		team.busy = false;
		pthread_cond_signal(&team.done);
	}
	pthread_mutex_unlock(&team.lock);
	return NULL;
}

unsigned int threads_start(void)
{
	cpu_set_t set;
	unsigned int n = 0;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	for (int i = 0; i < CPU_SETSIZE && n < BENCH_THREADS; i++)
		if (CPU_ISSET(i, &set))
			team.cpu[n++] = i;
	threads_pin(0);
	if (n > 1 && pthread_create(&team.id, NULL, threads_main, NULL) == 0)
		team.started = true;
	return team.started ? 2 : 1;
}

void threads_stop(void)
{
	if (!team.started)
		return;
	pthread_mutex_lock(&team.lock);
	team.stop = true;
	pthread_cond_signal(&team.go);
	pthread_mutex_unlock(&team.lock);
	pthread_join(team.id, NULL);
	team.started = false;
}

double threads_lost(void)
{
	return team.wall_ns > 0 ? 1 - team.cpu_ns / team.wall_ns : 0;
}

bool threads_measure(bench_fn fn, void *ctx, unsigned int threads, uint64_t n, unsigned int laps,
		     double *ns)
{
	struct bench_arg arg[BENCH_THREADS];

	memset(arg, 0, sizeof(arg));
	for (unsigned int i = 0; i < threads; i++) {
		arg[i].ctx = ctx;
		arg[i].thread = i;
		arg[i].threads = threads;
		arg[i].n = n;
	}
	team.meet = 0;
	if (threads > 1) {
		pthread_mutex_lock(&team.lock);
		team.fn = fn;
		team.arg = &arg[1];
		team.busy = true;
		pthread_cond_signal(&team.go);
		pthread_mutex_unlock(&team.lock);
	}
	threads_work(fn, &arg[0]);
	if (threads > 1) {
		pthread_mutex_lock(&team.lock);
		while (team.busy)
			pthread_cond_wait(&team.done, &team.lock);
		pthread_mutex_unlock(&team.lock);
	}
	for (unsigned int k = 0; k < laps; k++) {
		double sum = 0;

		for (unsigned int i = 0; i < threads; i++) {
			if (arg[i].laps <= k || !arg[i].ops[k])
				return false;
			sum += arg[i].ns[k] / (double)arg[i].ops[k];
		}
		ns[k] = sum / threads;
	}
	return true;
}

/* Two compare-and-exchange operations on a line of one's own: free to taken, taken to free. */
uint64_t threads_floor(struct bench_arg *arg)
{
	static uint64_t line[BENCH_THREADS][2 * LINE / 8] __attribute__((aligned(2 * LINE)));
	uint64_t *word = line[arg->thread];

	for (uint64_t i = 0; i < arg->n; i++) {
		uint64_t old = __atomic_load_n(word, __ATOMIC_RELAXED);

		if (!__atomic_compare_exchange_n(word, &old, old | 1, false, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST))
			return 0;
		old |= 1;
		if (!__atomic_compare_exchange_n(word, &old, old & ~(uint64_t)1, false,
						 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return 0;
	}
	return arg->n;
}

#if defined(__x86_64__)
/* Whether the next instruction of the child locks a line: a lock prefix, or an exchange. */
static bool threads_locked(pid_t pid)
{
	struct user_regs_struct regs;
	unsigned char at[8];
	unsigned int i = 0;
	long word;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs))
		return false;
	word = ptrace(PTRACE_PEEKTEXT, pid, (void *)regs.rip, NULL);
	memcpy(at, &word, sizeof(at));
	if (at[0] == 0xf0)
		return true;
	i += (at[i] & 0xf0) == 0x40;
	/* Register to register is no memory access. */
	return (at[i] == 0x86 || at[i] == 0x87) && at[i + 1] < 0xc0;
}
#else
static bool threads_locked(pid_t pid)
{
	(void)pid;
	return false;
}
#endif

/* Steps between the child's two stops, in a run of @n operations. */
static bool threads_steps(bench_fn fn, void *ctx, uint64_t n, uint64_t *steps, uint64_t *locked)
{
	struct bench_arg arg;
	bool timed = false;
	int status;
	pid_t pid;

	fflush(stdout);
	*steps = *locked = 0;
	pid = fork();
	if (pid < 0)
		return false;
	if (pid == 0) {
		memset(&arg, 0, sizeof(arg));
		arg.ctx = ctx;
		arg.threads = 1;
		arg.n = WARM;
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(1);
		fn(&arg);
		arg.n = n;
		raise(SIGUSR1);
		fn(&arg);
		raise(SIGUSR1);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		if (WSTOPSIG(status) == SIGTRAP) {
			++*steps;
		} else if (WSTOPSIG(status) != SIGUSR1 || timed) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return timed;
		}
		timed = true;
		*locked += threads_locked(pid);
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL))
			break;
	}
	return false;
}

bool bench_instructions(bench_fn fn, void *ctx, double *each, double *locked)
{
	uint64_t few, many, few_locked, many_locked;

	if (!threads_steps(fn, ctx, STEPPED, &few, &few_locked) ||
	    !threads_steps(fn, ctx, 2 * STEPPED, &many, &many_locked))
		return false;
	*each = (double)(many - few) / STEPPED;
	*locked = (double)(many_locked - few_locked) / STEPPED;
	return true;
}
