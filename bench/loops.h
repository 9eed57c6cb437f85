/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loops.h - the loops of the benchmarks of pages and objects, for one contender.
 *
 * Included once for each, after LOOPS (a name), LOOPS_ALLOC(w, thread, what, out) (true when *out
 * was given) and LOOPS_FREE(w, thread, what, v) are defined, so that the calls that are measured
 * are plain ones. LOOPS_WHAT is the member of struct work that says what is asked for; it stays.
 */
#define LOOPS_CAT2(a, b) a##_##b
#define LOOPS_CAT(a, b) LOOPS_CAT2(a, b)
#define LOOPS_FN(name) LOOPS_CAT(LOOPS, name)

/* One allocated, the same freed. */
static uint64_t LOOPS_FN(pair)(struct bench_arg *arg)
{
	struct work *w = arg->ctx;
	const size_t what = w->LOOPS_WHAT;
	unsigned int thread = arg->thread;
	uint64_t v;

	for (uint64_t i = 0; i < arg->n; i++) {
		if (!LOOPS_ALLOC(w, thread, what, &v))
			return 0;
		LOOPS_FREE(w, thread, what, v);
	}
	(void)w;
	(void)what;
	(void)thread;
	return arg->n;
}

/* 64 allocated, then these 64 freed, first to last. */
static uint64_t LOOPS_FN(burst)(struct bench_arg *arg)
{
	struct work *w = arg->ctx;
	const size_t what = w->LOOPS_WHAT;
	unsigned int thread = arg->thread;
	uint64_t v[64], rounds = (arg->n + 63) / 64;

	for (uint64_t i = 0; i < rounds; i++) {
		for (unsigned int k = 0; k < 64; k++)
			if (!LOOPS_ALLOC(w, thread, what, &v[k]))
				return 0;
		for (unsigned int k = 0; k < 64; k++)
			LOOPS_FREE(w, thread, what, v[k]);
	}
	(void)w;
	(void)what;
	(void)thread;
	return rounds * 64;
}

/* Laps: allocate many, free them in order, allocate them again, free them at random. */
static uint64_t LOOPS_FN(bulk)(struct bench_arg *arg)
{
	struct work *w = arg->ctx;
	const size_t what = w->LOOPS_WHAT;
	unsigned int t = arg->thread;
	uint64_t *v = w->held[t], n = w->count[t];
	const uint32_t *perm = w->perm[t];

	for (unsigned int round = 0; round < 2; round++) {
		bench_lap_start(arg);
		for (uint64_t i = 0; i < n; i++) {
			if (!LOOPS_ALLOC(w, t, what, &v[i])) {
				while (i)
					LOOPS_FREE(w, t, what, v[--i]);
				return 0;
			}
		}
		bench_lap_end(arg, n);
		if (round == 0) {
			for (uint64_t i = 0; i < n; i++)
				LOOPS_FREE(w, t, what, v[i]);
		} else {
			for (uint64_t i = 0; i < n; i++) {
				__builtin_prefetch(&v[perm[i + 16]]);
				LOOPS_FREE(w, t, what, v[perm[i]]);
			}
		}
		bench_lap_end(arg, n);
	}
	(void)what;
	return n;
}

/*
 * Allocate many after as many were freed at random, or free them at random: only the one that is
 * wanted is timed, and what comes before it makes memory as warm for one contender as for another.
 */
static uint64_t LOOPS_FN(many)(struct bench_arg *arg, bool take)
{
	struct work *w = arg->ctx;
	const size_t what = w->LOOPS_WHAT;
	unsigned int t = arg->thread;
	uint64_t *v = w->held[t], n = w->count[t];
	const uint32_t *perm = w->perm[t];

	for (unsigned int round = take ? 0 : 1; round < 2; round++) {
		bench_lap_start(arg);
		for (uint64_t i = 0; i < n; i++) {
			if (!LOOPS_ALLOC(w, t, what, &v[i])) {
				while (i)
					LOOPS_FREE(w, t, what, v[--i]);
				return 0;
			}
		}
		if (take && round)
			bench_lap_end(arg, n);
		else
			bench_lap_start(arg);
		for (uint64_t i = 0; i < n; i++) {
			__builtin_prefetch(&v[perm[i + 16]]);
			LOOPS_FREE(w, t, what, v[perm[i]]);
		}
	}
	if (!take)
		bench_lap_end(arg, n);
	(void)what;
	return n;
}

static uint64_t LOOPS_FN(take)(struct bench_arg *arg)
{
	return LOOPS_FN(many)(arg, true);
}

static uint64_t LOOPS_FN(drop)(struct bench_arg *arg)
{
	return LOOPS_FN(many)(arg, false);
}

/* One of many, at random, freed, and one allocated in its place. */
static uint64_t LOOPS_FN(churn)(struct bench_arg *arg)
{
	struct work *w = arg->ctx;
	const size_t what = w->LOOPS_WHAT;
	unsigned int t = arg->thread;
	uint64_t *v = w->held[t], seed = w->seed[t];
	uint32_t n = (uint32_t)w->count[t], next[16];

	for (unsigned int i = 0; i < 16; i++)
		next[i] = bench_below(&seed, n);
	for (uint64_t i = 0; i < arg->n; i++) {
		uint64_t *slot = &v[next[i % 16]], new = 0;

		LOOPS_FREE(w, t, what, *slot);
		if (!LOOPS_ALLOC(w, t, what, &new)) {
			/* The set shrinks by the one that is gone. */
			*slot = v[n - 1];
			w->count[t]--;
			return 0;
		}
		*slot = new;
		next[i % 16] = bench_below(&seed, n);
		__builtin_prefetch(&v[next[i % 16]], 1);
	}
	w->seed[t] = seed;
	(void)what;
	return arg->n;
}

/* Thread 0 allocates, thread 1 frees. */
static uint64_t LOOPS_FN(remote)(struct bench_arg *arg)
{
	struct work *w = arg->ctx;
	const size_t what = w->LOOPS_WHAT;
	unsigned int t = arg->thread, spins = 0;
	uint64_t n = arg->n / 64 * 64 + 64;
	bool stuck = false;

	for (uint64_t i = 0; i < n; i += 64) {
		uint64_t *batch = &w->ring[i % RING];

		if (t == 0) {
			while (i - __atomic_load_n(&w->tail, __ATOMIC_ACQUIRE) >= RING) {
				bench_pause();
				if (++spins % 1024 == 0)
					sched_yield();
			}
			for (unsigned int k = 0; k < 64; k++) {
				if (!LOOPS_ALLOC(w, 0, what, &batch[k])) {
					batch[k] = RING_NOTHING;
					stuck = true;
				}
			}
			__atomic_store_n(&w->head, i + 64, __ATOMIC_RELEASE);
		} else {
			while (__atomic_load_n(&w->head, __ATOMIC_ACQUIRE) <= i) {
				bench_pause();
				if (++spins % 1024 == 0)
					sched_yield();
			}
			for (unsigned int k = 0; k < 64; k++)
				if (BENCH_LIKELY(batch[k] != RING_NOTHING))
					LOOPS_FREE(w, 1, what, batch[k]);
			__atomic_store_n(&w->tail, i + 64, __ATOMIC_RELEASE);
		}
	}
	if (t == 1) {
		w->tail = 0;
		__atomic_store_n(&w->head, 0, __ATOMIC_RELEASE);
	} else {
		/* The other thread sets the ring back when it is through. */
		while (__atomic_load_n(&w->head, __ATOMIC_ACQUIRE))
			sched_yield();
	}
	(void)what;
	return stuck ? 0 : n;
}

static bool LOOPS_FN(fill)(struct work *w, unsigned int t, uint64_t count, uint64_t left)
{
	uint64_t *v = w->held[t], seed = w->seed[t];
	const size_t what = w->LOOPS_WHAT;

	for (w->count[t] = 0; w->count[t] < count; w->count[t]++)
		if (!LOOPS_ALLOC(w, t, what, &v[w->count[t]]))
			break;
	if (w->count[t] < left)
		return false;
	while (w->count[t] > left) {
		uint32_t i = bench_below(&seed, (uint32_t)w->count[t]);

		LOOPS_FREE(w, t, what, v[i]);
		v[i] = v[--w->count[t]];
	}
	w->seed[t] = seed;
	(void)what;
	return true;
}

static const struct loops LOOPS_FN(loops) = {
	LOOPS_FN(pair),	  LOOPS_FN(burst), LOOPS_FN(bulk), LOOPS_FN(churn),
	LOOPS_FN(remote), LOOPS_FN(take),  LOOPS_FN(drop), LOOPS_FN(fill),
};

#undef LOOPS_CAT2
#undef LOOPS_CAT
#undef LOOPS_FN
#undef LOOPS
#undef LOOPS_ALLOC
#undef LOOPS_FREE
