/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls.c - a program that uses every entry point of malloc(), from threads, forks and handlers.
 *
 * usage: calls plain|threads|fork|signals|exhaust
 *
 * Prints what it did, the same with any allocator that keeps its promises; exits with 1 and a line
 * on the standard error where one was broken. It knows nothing of physzone. "signals" asks for more
 * than the C library's own allocator promises: memory for handlers.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS_THREADS 6u
#define CALLS_HELD 64u
#define CALLS_BOXES 16u

#define NEED(x) ((x) ? (void)0 : calls_die(#x, __LINE__))

static void calls_die(const char *what, int line)
{
	dprintf(2, "calls: line %d: %s does not hold\n", line, what);
	_exit(1);
}

/* What the compiler must not know. */
static size_t calls_hide(size_t n)
{
	volatile size_t v = n;

	return v;
}

static bool calls_aligned(const void *p, size_t align)
{
	return ((uintptr_t)p & (align - 1)) == 0;
}

static void calls_sizes(void)
{
	char *a, *b;

	for (size_t n = 0; n < 20000; n += n < 600 ? 1 : 97) {
		a = malloc(calls_hide(n));
		b = malloc(calls_hide(n));
		NEED(a && b && a != b && calls_aligned(a, 16) && calls_aligned(b, 16));
		NEED(malloc_usable_size(a) >= n);
		memset(a, 1, n);
		memset(b, 2, n);
		NEED(!n || (a[0] == 1 && a[n - 1] == 1 && b[0] == 2 && b[n - 1] == 2));
		free(a);
		free(b);
	}
	free(NULL);
	NEED(malloc_usable_size(NULL) == 0);
	puts("sizes");
}

static void calls_too_large(void)
{
	static const size_t n[] = {
		SIZE_MAX,	 SIZE_MAX - 4096, (size_t)PTRDIFF_MAX + 1, (size_t)PTRDIFF_MAX,
		(size_t)1 << 60, (size_t)1 << 48
	};
	char *p = malloc(100);

	NEED(p);
	memset(p, 7, 100);
	for (size_t i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
		size_t size = calls_hide(n[i]);

		errno = 0;
		NEED(!malloc(size) && errno == ENOMEM);
		errno = 0;
		NEED(!calloc(1, size) && errno == ENOMEM);
		errno = 0;
		NEED(!realloc(p, size) && errno == ENOMEM && p[0] == 7 && p[99] == 7);
		errno = 0;
		NEED(!aligned_alloc(4096, size) && errno == ENOMEM);
		errno = 0;
		NEED(!valloc(size) && errno == ENOMEM);
		errno = 0;
		NEED(!pvalloc(size) && errno == ENOMEM);
	}
	errno = 0;
	NEED(!calloc(calls_hide((size_t)1 << 33), (size_t)1 << 33) && errno == ENOMEM);
	errno = 0;
	NEED(!reallocarray(p, calls_hide((size_t)1 << 33), (size_t)1 << 33) && errno == ENOMEM);
	NEED(p[0] == 7 && p[99] == 7);
	free(p);
	puts("too large");
}

static void calls_zeroed(void)
{
	for (size_t n = 1; n < 200000; n = n * 3 / 2 + 1) {
		unsigned char *p = malloc(n);

		NEED(p);
		memset(p, 0xff, n);
		free(p);
		p = calloc(calls_hide(n), 1);
		NEED(p);
		for (size_t i = 0; i < n; i++)
			NEED(p[i] == 0);
		free(p);
	}
	puts("zeroed");
}

static void calls_realloc(void)
{
	unsigned char *p = realloc(NULL, 1);
	size_t n = 1, k;

	NEED(p);
	p[0] = 1;
	for (unsigned int round = 0; round < 400; round++) {
		k = (round * 2654435761u >> 7) % (round % 10 ? 9000 : 300000) + 1;
		p = realloc(p, k);
		NEED(p && calls_aligned(p, 16) && malloc_usable_size(p) >= k);
		for (size_t i = 0; i < n && i < k; i++)
			NEED(p[i] == (unsigned char)(i * 31 + 1));
		for (size_t i = 0; i < k; i++)
			p[i] = (unsigned char)(i * 31 + 1);
		n = k;
	}
	for (n = 4096; n < (size_t)24 << 20; n += n / 3) {
		p = realloc(p, n);
		NEED(p);
		p[n - 1] = 5;
	}
	NEED(!realloc(p, calls_hide(0)));
	p = reallocarray(NULL, 10, 10);
	NEED(p);
	free(p);
	puts("realloc");
}

static void calls_alignments(void)
{
	void *p = NULL, *q;

	errno = 99;
	NEED(posix_memalign(&p, calls_hide(3), 10) == EINVAL);
	NEED(posix_memalign(&p, calls_hide(2), 10) == EINVAL);
	NEED(posix_memalign(&p, calls_hide(0), 10) == EINVAL && !p && errno == 99);
	for (size_t align = 8; align <= (size_t)1 << 24; align *= 2) {
		for (size_t n = 1; n < 100000; n = n * 5 + 3) {
			NEED(posix_memalign(&p, align, n) == 0 && calls_aligned(p, align));
			NEED(malloc_usable_size(p) >= n);
			memset(p, 3, n);
			q = aligned_alloc(align, n);
			NEED(q && calls_aligned(q, align));
			free(p);
			p = memalign(align, n);
			NEED(p && calls_aligned(p, align));
			p = realloc(p, n + 1000);
			NEED(p && malloc_usable_size(p) >= n + 1000);
			free(p);
			free(q);
		}
	}
	p = valloc(10);
	q = pvalloc(4097);
	NEED(p && q && calls_aligned(p, 4096) && calls_aligned(q, 4096));
	NEED(malloc_usable_size(q) >= 8192);
	free(p);
	free(q);
	p = memalign(calls_hide(48), 100); /* rounded up */
	NEED(p && calls_aligned(p, 64));
	errno = 77;
	free(p);
	NEED(errno == 77);
	puts("alignments");
}

/* Memory that somebody else may free: it says how long it is and what is in it. */
struct calls_block {
	size_t size;
	unsigned char fill, rest[];
};

static _Atomic(struct calls_block *) calls_box[CALLS_BOXES];
static _Atomic bool calls_stop;

static struct calls_block *calls_make(uint64_t *seed)
{
	uint64_t r = *seed = *seed * 6364136223846793005u + 1442695040888963407u;
	size_t n = (r >> 33) % 50 ? (r >> 40) % 700 : (r >> 40) % 40000;
	struct calls_block *b;

	if (r >> 62)
		b = malloc(sizeof(*b) + n);
	else
		b = aligned_alloc(64, sizeof(*b) + n);
	NEED(b);
	b->size = n;
	b->fill = (unsigned char)(r >> 20);
	memset(b->rest, b->fill, n);
	return b;
}

static void calls_unmake(struct calls_block *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->size; i++)
		NEED(b->rest[i] == b->fill);
	free(b);
}

static void calls_churn(uint64_t seed, unsigned int rounds)
{
	struct calls_block *held[CALLS_HELD] = { NULL };

	for (unsigned int i = 0; i < rounds; i++) {
		struct calls_block **at = &held[(seed >> 35) % CALLS_HELD];

		calls_unmake(*at);
		*at = calls_make(&seed);
		if (i % 3 == 0)
			*at = atomic_exchange(&calls_box[(seed >> 45) % CALLS_BOXES], *at);
	}
	for (unsigned int i = 0; i < CALLS_HELD; i++)
		calls_unmake(held[i]);
}

static void *calls_thread(void *arg)
{
	calls_churn((uintptr_t)arg, 40000);
	return NULL;
}

static void *calls_until(void *arg)
{
	for (uint64_t i = 1; !atomic_load(&calls_stop); i++)
		calls_churn((uintptr_t)arg + i * 1000, 200);
	return NULL;
}

static void calls_last_words(void *p)
{
	for (int i = 0; i < 20; i++) /* the thread has given back what it could by now */
		free(calls_hide(1) ? malloc(100) : NULL);
	free(p);
}

static pthread_key_t calls_key;

static void *calls_short(void *arg)
{
	pthread_setspecific(calls_key, malloc(50));
	calls_churn((uintptr_t)arg, 20);
	return malloc(200);
}

static void calls_threads(void)
{
	pthread_t t[CALLS_THREADS];
	void *p;

	NEED(pthread_key_create(&calls_key, calls_last_words) == 0);
	for (uintptr_t i = 0; i < CALLS_THREADS; i++)
		NEED(pthread_create(&t[i], NULL, calls_thread, (void *)(i + 1)) == 0);
	for (unsigned int i = 0; i < CALLS_THREADS; i++)
		NEED(pthread_join(t[i], NULL) == 0);
	puts("threads");
	for (uintptr_t i = 0; i < 500; i++) {
		NEED(pthread_create(&t[0], NULL, calls_short, (void *)i) == 0);
		NEED(pthread_create(&t[1], NULL, calls_short, (void *)~i) == 0);
		for (int k = 0; k < 2; k++) {
			NEED(pthread_join(t[k], &p) == 0 && p);
			free(p);
		}
	}
	puts("short threads");
	for (unsigned int i = 0; i < CALLS_BOXES; i++)
		calls_unmake(atomic_exchange(&calls_box[i], NULL));
}

/* In a child: memory of before the fork, new memory, a thread, and a child of its own. */
static int calls_child(unsigned int depth)
{
	pthread_t t;
	pid_t pid;
	int status;

	for (unsigned int i = 0; i < CALLS_BOXES; i++)
		calls_unmake(atomic_exchange(&calls_box[i], NULL));
	calls_churn(depth, 500);
	NEED(pthread_create(&t, NULL, calls_short, (void *)(uintptr_t)depth) == 0);
	NEED(pthread_join(t, NULL) == 0);
	if (depth < 3) {
		pid = fork();
		NEED(pid >= 0);
		if (!pid)
			return calls_child(depth + 1);
		NEED(waitpid(pid, &status, 0) == pid);
		NEED(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	return 0;
}

static int calls_fork(void)
{
	pthread_t t[3];
	int status;

	NEED(pthread_key_create(&calls_key, calls_last_words) == 0);
	for (uintptr_t i = 0; i < 3; i++)
		NEED(pthread_create(&t[i], NULL, calls_until, (void *)(i + 1)) == 0);
	for (unsigned int i = 0; i < 12; i++) {
		pid_t pid = fork();

		NEED(pid >= 0);
		if (!pid)
			return calls_child(i % 4);
		calls_churn(i, 300);
		NEED(waitpid(pid, &status, 0) == pid);
		NEED(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	atomic_store(&calls_stop, true);
	for (unsigned int i = 0; i < 3; i++)
		NEED(pthread_join(t[i], NULL) == 0);
	puts("forks");
	return 0;
}

static _Atomic unsigned int calls_signals;
static struct calls_block *calls_kept[8];
static uint64_t calls_seed = 99;

static void calls_handler(int signal)
{
	unsigned int n = atomic_fetch_add(&calls_signals, 1);
	int error = errno;

	calls_unmake(calls_kept[n % 8]);
	calls_kept[n % 8] = calls_make(&calls_seed);
	calls_unmake(calls_make(&calls_seed));
	errno = error;
}

static void calls_interrupted(void)
{
	struct itimerval often = { { 0, 100 }, { 0, 100 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = calls_handler;
	NEED(sigaction(SIGALRM, &sa, NULL) == 0);
	NEED(setitimer(ITIMER_REAL, &often, NULL) == 0);
	for (uint64_t i = 0; atomic_load(&calls_signals) < 2000; i++)
		calls_churn(i, 1000);
	NEED(setitimer(ITIMER_REAL, &never, NULL) == 0);
	for (unsigned int i = 0; i < 8; i++)
		calls_unmake(calls_kept[i]);
	puts("signals");
}

/* All memory of a size, twice: the second time there is as much. */
static size_t calls_fill(size_t size)
{
	void **all = NULL, **p;
	size_t n = 0;

	while ((p = malloc(size))) {
		*p = all;
		all = p;
		n++;
	}
	NEED(errno == ENOMEM);
	while (all) {
		p = *all;
		free(all);
		all = p;
	}
	return n;
}

static void calls_exhaust(void)
{
	static const size_t size[] = { 1 << 20, 50000, 8192, 8000, 1000, 100, 16 };

	for (unsigned int i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		size_t first = calls_fill(size[i]), second = calls_fill(size[i]);

		/* What other sizes keep for themselves differs a little. */
		NEED(first && second >= first - first / 16);
	}
	puts("exhausted");
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (!strcmp(what, "plain")) {
		calls_sizes();
		calls_too_large();
		calls_zeroed();
		calls_realloc();
		calls_alignments();
	} else if (!strcmp(what, "threads")) {
		calls_threads();
	} else if (!strcmp(what, "fork")) {
		return calls_fork();
	} else if (!strcmp(what, "signals")) {
		calls_interrupted();
	} else if (!strcmp(what, "exhaust")) {
		calls_exhaust();
	} else {
		fprintf(stderr, "usage: calls plain|threads|fork|signals|exhaust\n");
		return 2;
	}
	return 0;
}
