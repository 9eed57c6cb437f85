/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * preload.c - malloc() and its family for ordinary programs, served by pz_kmalloc().
 *
 * usage: LD_PRELOAD=.../libpzpreload.so [PZ_PRELOAD_...=...] program
 *
 * Concept
 *  The first call, which the dynamic linker makes before anything else runs, lays a machine out.
 *  A thread is a CPU: it takes an index at its first call, and gives it back when it ends. Where
 *  none is left, and behind the end of a thread, PZ_CPU_NONE serves.
 *
 * Invariants
 *  1. an index has one thread; its signal handlers are the interrupt handlers of that CPU;
 *  2. memory that the program frees is memory that it got here: everything else is a finding.
 *
 * fork()
 *  Nothing is locked, so the child finds a machine whose other CPUs stopped somewhere. Their
 *  indices stay taken: what they were at is never touched again, and what their magazines hold is
 *  lost to the child.
 *
 * Shortcomings
 *  Memory is never given back to the system: a program keeps what its peak took.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "preload.h"

#define PRELOAD_API __attribute__((visibility("default")))
#define PRELOAD_TLS static __thread __attribute__((tls_model("initial-exec")))
#define PRELOAD_SITE() \
	(preload_caller = (uintptr_t)__builtin_extract_return_addr(__builtin_return_address(0)))
#define PRELOAD_PAGE 4096u
#define PRELOAD_SAMPLE 1024u /* allocations between two looks at how much memory is in use */

/* What a thread has. */
#define PRELOAD_NO_INDEX 0u		 /* or its index, plus 1 */
#define PRELOAD_NO_MORE (UINT32_MAX - 1) /* it is taking one, or has given it back */

/* Numbers of an index, about: a signal handler may lose one. */
struct preload_count {
	_Alignas(64) uint64_t served, freed, asked;
};

static struct {
	struct preload_machine m;
	struct preload_options o;
	_Atomic int state;			   /* 0, 1 while it is made, 2 */
	_Atomic uint64_t taken[PRELOAD_CPUS / 64]; /* indices */
	_Atomic uint64_t peak;			   /* pages */
	_Atomic uint64_t without;		   /* calls without an index */
	pthread_key_t key;
	_Atomic bool child; /* of a process that had threads without an index */
	struct preload_count count[PRELOAD_CPUS + 1]; /* and of those without */
} preload;

PRELOAD_TLS uint32_t preload_index;
PRELOAD_TLS uintptr_t preload_caller; /* who called, for records of users */

PRELOAD_API void *malloc(size_t size);
PRELOAD_API void free(void *p);
PRELOAD_API void *calloc(size_t n, size_t size);
PRELOAD_API void *realloc(void *p, size_t size);
PRELOAD_API void *reallocarray(void *p, size_t n, size_t size);
PRELOAD_API void *memalign(size_t align, size_t size);
PRELOAD_API void *aligned_alloc(size_t align, size_t size);
PRELOAD_API int posix_memalign(void **out, size_t align, size_t size);
PRELOAD_API void *valloc(size_t size);
PRELOAD_API void *pvalloc(size_t size);
PRELOAD_API size_t malloc_usable_size(void *p);

static uint64_t preload_site(void *ctx)
{
	return preload_caller;
}

/* A thread ends: the next one may have its index. */
static void preload_bye(void *index)
{
	uint32_t i = (uint32_t)(uintptr_t)index - 1;

	preload_index = PRELOAD_NO_MORE;
	atomic_fetch_and(&preload.taken[i / 64], ~((uint64_t)1 << (i & 63)));
}

/* In the child of a fork: numbers begin again, and other threads may have stopped anywhere. */
static void preload_child(void)
{
	if (atomic_load(&preload.without))
		atomic_store(&preload.child, true);
	atomic_store(&preload.without, 0);
	memset(preload.count, 0, sizeof(preload.count));
}

static void preload_start(void)
{
	int none = 0, error = errno;
	sigset_t all, old;

	/* No handler may come in the way that asks for memory itself. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	if (atomic_compare_exchange_strong(&preload.state, &none, 1)) {
		preload_options_read(&preload.o);
		preload_machine_make(&preload.m, &preload.o, preload_site);
		(void)pthread_key_create(&preload.key, preload_bye);
		(void)pthread_atfork(NULL, NULL, preload_child);
		atomic_store(&preload.state, 2);
	}
	while (atomic_load(&preload.state) != 2)
		(void)sched_yield();
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	errno = error;
}

/* Counted before anything is touched: see preload_child(). */
static uint32_t preload_none(void)
{
	atomic_fetch_add(&preload.without, 1);
	return PZ_CPU_NONE;
}

/* An index for this thread; PZ_CPU_NONE for none. */
static uint32_t preload_take_index(void)
{
	uint32_t had;

	if (atomic_load(&preload.state) != 2)
		preload_start();
	/* A signal handler goes without from here on; it may have taken one before. */
	had = __atomic_exchange_n(&preload_index, PRELOAD_NO_MORE, __ATOMIC_RELAXED);
	if (had != PRELOAD_NO_INDEX) {
		preload_index = had;
		return had == PRELOAD_NO_MORE ? preload_none() : had - 1;
	}
	for (uint32_t i = 0; i < preload.o.cpus; i++) {
		_Atomic uint64_t *word = &preload.taken[i / 64];
		uint64_t bit = (uint64_t)1 << (i & 63);

		if ((atomic_load(word) & bit) || (atomic_fetch_or(word, bit) & bit))
			continue;
		preload_index = i + 1;
		(void)pthread_setspecific(preload.key, (void *)(uintptr_t)(i + 1));
		return i;
	}
	preload_index = PRELOAD_NO_INDEX;
	return preload_none();
}

static inline uint32_t preload_cpu(void)
{
	uint32_t i = preload_index - 1;

	return __builtin_expect(i < PRELOAD_CPUS, 1) ? i : preload_take_index();
}

static void preload_look(void)
{
	uint64_t used = preload.m.managed - pz_page_free_count(preload.m.pages, UINT32_MAX);
	uint64_t was = atomic_load(&preload.peak);

	while (used > was && !atomic_compare_exchange_weak(&preload.peak, &was, used))
		;
}

static void preload_count(uint32_t cpu, size_t size)
{
	struct preload_count *n = &preload.count[cpu < PRELOAD_CPUS ? cpu : PRELOAD_CPUS];

	n->served++;
	n->asked += size;
	if (n->served % PRELOAD_SAMPLE == 1 || size >= (size_t)1 << 20)
		preload_look();
}

static void *preload_given(uint32_t cpu, void *p, size_t size)
{
	if (__builtin_expect(!p, 0)) {
		errno = ENOMEM;
		return NULL;
	}
	preload_count(cpu, size);
	return p;
}

static void *preload_plain(size_t size, uint32_t gfp)
{
	uint32_t cpu = preload_cpu();

	return preload_given(
		cpu, pz_kmalloc(preload.m.family, cpu, PZ_GFP_BLOCK | gfp, size ? size : 1), size);
}

/* 0 or an error number; @align is a power of two. */
static int preload_aligned(void **out, size_t align, size_t size)
{
	uint32_t cpu = preload_cpu();
	void *p;

	/* The arena itself is aligned to 1 GiB only. */
	if (align > (size_t)1 << 30 || pz_kmalloc_try(preload.m.family, cpu, PZ_GFP_BLOCK,
						      size ? size : 1, align, PZ_NID_NONE, &p))
		return ENOMEM;
	preload_count(cpu, size);
	*out = p;
	return 0;
}

void *malloc(size_t size)
{
	PRELOAD_SITE();
	return preload_plain(size, 0);
}

void free(void *p)
{
	uint32_t cpu;

	if (!p)
		return;
	PRELOAD_SITE();
	cpu = preload_cpu();
	preload.count[cpu < PRELOAD_CPUS ? cpu : PRELOAD_CPUS].freed++;
	pz_kfree(preload.m.slabs, cpu, p);
}

void *calloc(size_t n, size_t size)
{
	size_t bytes;

	PRELOAD_SITE();
	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return preload_plain(bytes, PZ_GFP_ZERO);
}

/* What grows by whole pages grows again soon: an eighth more saves copies. */
static void *preload_grow(uint32_t cpu, void *p, size_t size)
{
	size_t more = size + size / 8;
	void *to = NULL;

	if (size > 4 * PZ_KMALLOC_CLASS_MAX && more > size && size > pz_ksize(preload.m.slabs, p))
		to = pz_krealloc(preload.m.family, cpu, PZ_GFP_BLOCK, p, more);
	return to ? to : pz_krealloc(preload.m.family, cpu, PZ_GFP_BLOCK, p, size);
}

void *realloc(void *p, size_t size)
{
	uint32_t cpu;

	PRELOAD_SITE();
	if (!p)
		return preload_plain(size, 0);
	cpu = preload_cpu();
	if (!size) {
		pz_kfree(preload.m.slabs, cpu, p);
		return NULL;
	}
	return preload_given(cpu, preload_grow(cpu, p, size), size);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, bytes);
}

int posix_memalign(void **out, size_t align, size_t size)
{
	int error = errno, rc;

	PRELOAD_SITE();
	if (align < sizeof(void *) || (align & (align - 1)))
		return EINVAL;
	rc = preload_aligned(out, align, size);
	errno = error;
	return rc;
}

void *aligned_alloc(size_t align, size_t size)
{
	void *p;
	int rc;

	PRELOAD_SITE();
	rc = !align || (align & (align - 1)) ? EINVAL : preload_aligned(&p, align, size);
	if (!rc)
		return p;
	errno = rc;
	return NULL;
}

/* As the C library's: an alignment that is no power of two is rounded up to one. */
void *memalign(size_t align, size_t size)
{
	size_t a = 16;

	if (align > SIZE_MAX / 2) {
		errno = EINVAL;
		return NULL;
	}
	while (a < align)
		a *= 2;
	return aligned_alloc(a, size);
}

void *valloc(size_t size)
{
	return aligned_alloc(PRELOAD_PAGE, size);
}

void *pvalloc(size_t size)
{
	if (size > SIZE_MAX - PRELOAD_PAGE) {
		errno = ENOMEM;
		return NULL;
	}
	return aligned_alloc(PRELOAD_PAGE, (size + PRELOAD_PAGE - 1) & ~(size_t)(PRELOAD_PAGE - 1));
}

size_t malloc_usable_size(void *p)
{
	if (!p)
		return 0;
	(void)preload_cpu();
	return (size_t)pz_ksize(preload.m.slabs, p);
}

/* Whether this is the only thread, and nothing has stopped half way. In a child, a thread without
 * an index may have: see preload_child(). */
static bool preload_alone(void)
{
	uint32_t cpu = preload_cpu();

	if (atomic_load(&preload.child))
		return false;
	for (uint32_t w = 0; w < PRELOAD_CPUS / 64; w++) {
		if (atomic_load(&preload.taken[w]) !=
		    (cpu / 64 == w ? (uint64_t)1 << (cpu & 63) : 0))
			return false;
	}
	return cpu < PRELOAD_CPUS;
}

static __attribute__((destructor)) void preload_end(void)
{
	uint64_t served = 0, freed = 0, asked = 0;
	bool checked = false;

	if (atomic_load(&preload.state) != 2)
		return;
	if (preload.o.check && preload_alone()) {
		preload_machine_check(&preload.m, &preload.o);
		checked = true;
	}
	if (!preload.o.stats)
		return;
	preload_look();
	for (uint32_t i = 0; i <= PRELOAD_CPUS; i++) {
		served += preload.count[i].served;
		freed += preload.count[i].freed;
		asked += preload.count[i].asked;
	}
	preload_say(&preload.o,
		    "preload: %d: served %llu freed %llu bytes %llu peak_kib %llu without_cpu %llu "
		    "findings %llu bugs %llu checked %d",
		    (int)getpid(), (unsigned long long)served, (unsigned long long)freed,
		    (unsigned long long)asked,
		    (unsigned long long)atomic_load(&preload.peak) * (PRELOAD_PAGE / 1024),
		    (unsigned long long)atomic_load(&preload.without),
		    (unsigned long long)atomic_load(&preload.m.findings),
		    (unsigned long long)preload.m.bugs.count, checked);
}
