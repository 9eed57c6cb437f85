/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explore.c - the engine of the explorer: passes, choices, states.
 *
 * A run is a list of choices. At a choice that the run before has not made, the thread that runs
 * goes on (a free choice, when one ended: the lowest), the others are noted, and the next run
 * repeats the list up to the last choice with something left to try.
 *
 * Invariants: 1. a choice is made only when a thread ended or stands before an operation; 2. the
 * state is what it was at the beginning when a run begins; 3. what stands in the list of choices
 * depends on nothing else, so that repeating it leads to the same place (checked: a repeated
 * choice finds the same threads able to run).
 */
#include "explore.h"

#include "coro.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EX_STEPS 20000u /* default livelock bound */
#define EX_SPIN 30u	/* operations in a row after which a thread that may wait is set aside */
#define EX_WORDS 16384u /* words that threads use, a power of two */

struct ex_choice {
	uint8_t able; /* threads that could run, to notice a run that does not repeat */
	uint8_t left; /* threads still to try */
	uint8_t chosen;
};

struct ex_word {
	uintptr_t key; /* address / 8, 0 for an empty slot */
	uint8_t users;
	bool skipped; /* was taken for private at a place where a switch would have been tried */
};

extern const char __executable_start; /* by the linker */

static struct {
	const struct explore *e;
	uint32_t bound;
	struct explore_result *r;
	unsigned char *backup;
	struct coro coro[EXPLORE_THREADS];
	const volatile void *addr[EXPLORE_THREADS]; /* the operation it stands before */
	const char *code[EXPLORE_THREADS]; /* and where that is in the program */
	bool begun[EXPLORE_THREADS];
	unsigned int running; /* thread, EXPLORE_THREADS for none */
	bool active;	      /* inside a thread */
	bool failed;
	char why[EXPLORE_TEXT];

	struct ex_choice *choice;
	uint32_t depth, choices, choice_cap;
	uint8_t *step; /* who did each operation */
	uint32_t steps;

	struct ex_word word[EX_WORDS];
	bool relearn;
	uint64_t *seen; /* hashes of states; 0 for an empty slot */
	uint64_t seen_count, seen_cap;

	const char *script; /* a replay: what is left of it */
	bool trace;
} ex;

bool explore_merges(void)
{
	return CORO_WHOLE;
}

const char *explore_failure(void)
{
	bool failed = ex.failed;

	ex.failed = false;
	return failed ? ex.why : NULL;
}

unsigned int explore_running(void)
{
	return ex.running;
}

const volatile void *explore_word(void)
{
	return ex.addr[ex.running];
}

static void *ex_grow(void *p, size_t n)
{
	p = realloc(p, n);
	if (!p) {
		perror("explore");
		exit(2);
	}
	return p;
}

void explore_fail(const char *fmt, ...)
{
	va_list ap;

	if (!ex.failed) {
		va_start(ap, fmt);
		vsnprintf(ex.why, sizeof(ex.why), fmt, ap);
		va_end(ap);
		ex.failed = true;
	}
	if (ex.active)
		coro_stop(&ex.coro[ex.running]); /* and never again */
}

void pz_sched_point(const volatile void *addr)
{
	if (!ex.active)
		return;
	ex.addr[ex.running] = addr;
	ex.code[ex.running] = __builtin_return_address(0);
	coro_stop(&ex.coro[ex.running]);
	if (ex.e->step)
		ex.e->step(ex.e->ctx, ex.running);
}

static void ex_entry(void *arg)
{
	ex.e->body(ex.e->ctx, ex.running);
}

/* --- words --- */

static struct ex_word *ex_word(const volatile void *addr)
{
	uintptr_t key = (uintptr_t)addr >> 3;
	size_t i = (size_t)((uint64_t)key * 0x9e3779b97f4a7c15u >> 32) & (EX_WORDS - 1);

	for (unsigned int n = 0; n < EX_WORDS; n++, i = (i + 1) & (EX_WORDS - 1)) {
		if (ex.word[i].key == key)
			return &ex.word[i];
		if (!ex.word[i].key) {
			ex.word[i].key = key;
			return &ex.word[i];
		}
	}
	fprintf(stderr, "explore: more than %u words\n", EX_WORDS);
	exit(2);
}

static void ex_touch(unsigned int thread, const volatile void *addr)
{
	struct ex_word *w = ex_word(addr);
	uint8_t before = w->users;

	w->users |= (uint8_t)(1u << thread);
	if (w->skipped && before && before != w->users)
		ex.relearn = true;
}

/* Whether a switch before an operation on @addr by @thread can matter. */
static bool ex_matters(unsigned int thread, const volatile void *addr)
{
	struct ex_word *w = ex_word(addr);

	if (ex.e->no_prune || (w->users & ~(1u << thread)))
		return true;
	w->users |= (uint8_t)(1u << thread);
	w->skipped = true;
	return false;
}

/* --- states --- */

static uint64_t ex_mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9fb21c651e98df25u;
	return h ^ h >> 32;
}

/* Four lanes, so that the multiplications overlap. Stacks and states are multiples of 8 bytes. */
__attribute__((no_sanitize("address")))
static uint64_t ex_hash(uint64_t h, const void *p, size_t n)
{
	const uint64_t *w = (const uint64_t *)p;
	uint64_t lane[4] = { h, h + 1, h + 2, h + 3 };
	size_t i = 0;

	for (n /= 8; i + 4 <= n; i += 4) {
		for (unsigned int k = 0; k < 4; k++)
			lane[k] = ex_mix(lane[k], w[i + k]);
	}
	for (; i < n; i++)
		lane[0] = ex_mix(lane[0], w[i]);
	return ex_mix(ex_mix(lane[0], lane[1]), ex_mix(lane[2], lane[3]));
}

static bool ex_insert(uint64_t h)
{
	size_t i = (size_t)(h & (ex.seen_cap - 1));

	for (; ex.seen[i]; i = (i + 1) & (ex.seen_cap - 1)) {
		if (ex.seen[i] == h)
			return false;
	}
	ex.seen[i] = h;
	return true;
}

/* Who waits comes back to the same state again and again, which a bound does not allow for. */
static bool ex_merging(void)
{
	return CORO_WHOLE && !ex.e->no_merge && !(ex.e->may_wait && ex.bound != EXPLORE_ALL);
}

/* Whether the state is new, with @used pre-emptions; @cur is who would go on at no charge. */
static bool ex_new_state(unsigned int cur, uint32_t used)
{
	uint64_t h = ex_hash(1, ex.e->state, ex.e->size);

	for (unsigned int i = 0; i < ex.e->threads; i++) {
		struct coro *c = &ex.coro[i];

		h = ex_mix(h, i * 4 + (unsigned int)c->done * 2 + ex.begun[i]);
#if CORO_WHOLE
		if (!c->done)
			h = ex_hash(h, c->sp,
				    (size_t)(c->stack + c->size - (unsigned char *)c->sp));
#endif
	}
	if (ex.bound != EXPLORE_ALL)
		h = ex_mix(h, (uint64_t)used << 8 | cur);
	h |= !h;
	if (2 * (ex.seen_count + 1) > ex.seen_cap) {
		uint64_t *old = ex.seen;
		size_t cap = ex.seen_cap;

		ex.seen_cap = cap ? 2 * cap : 4096;
		ex.seen = ex_grow(NULL, ex.seen_cap * sizeof(*ex.seen));
		memset(ex.seen, 0, ex.seen_cap * sizeof(*ex.seen));
		for (size_t i = 0; i < cap; i++) {
			if (old[i])
				ex_insert(old[i]);
		}
		free(old);
	}
	if (!ex_insert(h))
		return false;
	ex.seen_count++;
	return true;
}

/* --- a run --- */

/* The operation that thread @t stands before, and all up to the next one. */
static void ex_go(unsigned int t)
{
	uint64_t before = 0, after = 0;
	const volatile void *addr;
	const void *word;
	ptrdiff_t code;

	ex.running = t;
	ex.active = true;
	if (!ex.begun[t]) {
		ex.begun[t] = true;
		ex.addr[t] = NULL;
		coro_resume(&ex.coro[t]);
	}
	addr = ex.addr[t];
	code = ex.code[t] - &__executable_start;
	if (!ex.coro[t].done && !ex.failed) {
		word = (const void *)((uintptr_t)addr & ~(uintptr_t)7);
		ex_touch(t, addr);
		ex.step[ex.steps++] = (uint8_t)t;
		if (ex.trace)
			memcpy(&before, word, sizeof(before));
		coro_resume(&ex.coro[t]);
		if (ex.trace) {
			memcpy(&after, word, sizeof(after));
			printf("# %4u %c  %#-8tx +%#-8tx %016llx", ex.steps, 'a' + (int)t, code,
			       (const char *)word - (const char *)ex.e->state,
			       (unsigned long long)before);
			if (after != before)
				printf(" -> %016llx", (unsigned long long)after);
			printf("%s\n", ex.coro[t].done ? "  ends" : "");
		}
	}
	ex.active = false;
	ex.running = EXPLORE_THREADS;
}

/* The next thread of the schedule that is replayed, or -1 where it ends or does not fit. */
static int ex_scripted(uint8_t able)
{
	static unsigned long left;
	static int who;
	char *end;

	if (!ex.steps)
		left = 0;
	if (!left) {
		if (*ex.script == ',')
			ex.script++;
		if (!*ex.script)
			return -1;
		who = *ex.script - 'a';
		left = strtoul(ex.script + 1, &end, 10);
		ex.script = end;
	}
	left--;
	return who >= 0 && who < (int)EXPLORE_THREADS && (able & 1u << who) ? who : -1;
}

static unsigned int ex_lowest(uint8_t mask)
{
	unsigned int t = 0;

	while (!(mask & 1u << t))
		t++;
	return t;
}

/*
 * Who is next? @cur could go on at no charge (EXPLORE_THREADS: nobody), @used pre-emptions were
 * made. EXPLORE_THREADS when the state was met before.
 */
static unsigned int ex_choose(uint8_t able, unsigned int cur, uint32_t used)
{
	uint8_t free_choice = cur < EXPLORE_THREADS ? (uint8_t)(1u << cur) : able;
	struct ex_choice *c;

	if (ex.script) {
		int t = ex_scripted(able);

		if (t >= 0)
			return (unsigned int)t;
		return cur < EXPLORE_THREADS ? cur : ex_lowest(able);
	}
	if (able == free_choice && !(able & (able - 1)))
		return ex_lowest(able);
	if (cur < EXPLORE_THREADS && (used >= ex.bound || !ex_matters(cur, ex.addr[cur])))
		return cur;
	if (ex.depth < ex.choices) {
		c = &ex.choice[ex.depth++];
		if (c->able != able) {
			explore_fail("the same choices led to another place");
			return EXPLORE_THREADS;
		}
		return c->chosen;
	}
	if (ex_merging() && !ex_new_state(cur, used))
		return EXPLORE_THREADS;
	if (ex.choices == ex.choice_cap) {
		ex.choice_cap = ex.choice_cap ? 2 * ex.choice_cap : 1024;
		ex.choice = ex_grow(ex.choice, ex.choice_cap * sizeof(*ex.choice));
	}
	c = &ex.choice[ex.choices++];
	ex.depth++;
	c->able = able;
	c->chosen = (uint8_t)ex_lowest(free_choice);
	c->left = (uint8_t)(able & ~(1u << c->chosen));
	return c->chosen;
}

/* Of the threads that are able to run, those that handlers on top of each other leave able. */
static uint8_t ex_nested(uint8_t able)
{
	unsigned int top = ex.e->threads;

	while (top && !((able & 1u << (top - 1)) && ex.begun[top - 1]))
		top--;
	if (!top)
		return able;
	if (ex.e->masked && ex.e->masked(ex.e->ctx))
		return (uint8_t)(1u << (top - 1));
	return (uint8_t)(able & ~((1u << (top - 1)) - 1));
}

static void ex_run(void)
{
	const struct explore *e = ex.e;
	uint32_t max_steps = e->max_steps ? e->max_steps : EX_STEPS;
	unsigned int cur = EXPLORE_THREADS;
	uint32_t used = 0, row = 0;
	uint8_t aside = 0; /* threads that seem to wait, since one was last chosen that does not */
	uint8_t able = (uint8_t)((1u << e->threads) - 1);

	if (e->size)
		memcpy(e->state, ex.backup, e->size);
	for (unsigned int i = 0; i < e->threads; i++) {
		coro_start(&ex.coro[i], ex_entry, NULL);
		ex.begun[i] = false;
	}
	ex.steps = ex.depth = 0;
	ex.failed = false;
	ex.r->runs++;
	while (able) {
		unsigned int t, home = cur;
		uint8_t now = e->nested ? ex_nested(able) : able;

		if (cur < EXPLORE_THREADS && ex.coro[cur].done)
			home = EXPLORE_THREADS;
		else if (e->may_wait && row >= EX_SPIN && (now & ~(1u << cur)))
			home = EXPLORE_THREADS;
		if (home == cur || cur == EXPLORE_THREADS || ex.coro[cur].done) {
			t = ex_choose(now, home, used);
			aside = t == cur ? aside : 0;
		} else {
			aside |= (uint8_t)(1u << cur);
			if (!(now & ~aside))
				aside = (uint8_t)(1u << cur);
			t = ex_choose((uint8_t)(now & ~aside), EXPLORE_THREADS, used);
		}
		if (t == EXPLORE_THREADS)
			break;
		row = t == cur ? row + 1 : 0;
		used += home < EXPLORE_THREADS && t != home;
		cur = t;
		if (ex.steps >= max_steps) {
			explore_fail("no end after %u operations", ex.steps);
			break;
		}
		ex_go(t);
		if (ex.failed)
			break;
		if (ex.coro[t].done)
			able &= (uint8_t)~(1u << t);
	}
	if (ex.steps > ex.r->longest)
		ex.r->longest = ex.steps;
	if (!able && !ex.failed) {
		ex.r->ended++;
		if (e->end)
			e->end(e->ctx);
	}
}

static void ex_begin(const struct explore *e, uint32_t bound, struct explore_result *r)
{
	memset(r, 0, sizeof(*r));
	ex.e = e;
	ex.bound = bound;
	ex.r = r;
	ex.choices = 0;
	ex.running = EXPLORE_THREADS;
	ex.backup = ex_grow(NULL, e->size + 1);
	if (e->size)
		memcpy(ex.backup, e->state, e->size);
	ex.step = ex_grow(NULL, (e->max_steps ? e->max_steps : EX_STEPS) + 1);
	for (unsigned int i = 0; i < e->threads; i++)
		coro_init(&ex.coro[i]);
}

/* Forget what was learnt; the state is as it was in the beginning. */
static void ex_finish(void)
{
	if (ex.e->size)
		memcpy(ex.e->state, ex.backup, ex.e->size);
	for (unsigned int i = 0; i < ex.e->threads; i++)
		coro_drop(&ex.coro[i]);
	free(ex.backup);
	free(ex.step);
	free(ex.seen);
	ex.seen = NULL;
	ex.seen_cap = ex.seen_count = 0;
	ex.script = NULL;
	ex.failed = ex.trace = false;
}

/* The operations of the run as "a3,b5". */
static void ex_note_failure(void)
{
	struct explore_result *r = ex.r;
	size_t len = 0;

	r->failed = true;
	memcpy(r->why, ex.why, sizeof(r->why));
	r->schedule[0] = '\0';
	for (uint32_t i = 0, n; i < ex.steps && len + 16 < sizeof(r->schedule); i += n) {
		for (n = 1; i + n < ex.steps && ex.step[i + n] == ex.step[i];)
			n++;
		len += (size_t)snprintf(r->schedule + len, sizeof(r->schedule) - len, "%s%c%u",
					i ? "," : "", 'a' + ex.step[i], n);
	}
}

/* Go back to the last choice with something left to try. */
static bool ex_next(void)
{
	while (ex.choices) {
		struct ex_choice *c = &ex.choice[ex.choices - 1];

		if (c->left) {
			c->chosen = (uint8_t)ex_lowest(c->left);
			c->left &= (uint8_t)(c->left - 1);
			return true;
		}
		ex.choices--;
	}
	return false;
}

void explore_pass(const struct explore *e, uint32_t bound, struct explore_result *r)
{
	uint64_t max_runs = bound == EXPLORE_ALL && e->max_runs_all ? e->max_runs_all :
			    e->max_runs;

	ex_begin(e, bound, r);
	memset(ex.word, 0, sizeof(ex.word));
	do {
		ex.relearn = false;
		ex.choices = 0;
		r->runs = r->ended = 0;
		for (unsigned int i = 0; i < EX_WORDS; i++)
			ex.word[i].skipped = false;
		if (ex.seen)
			memset(ex.seen, 0, ex.seen_cap * sizeof(*ex.seen));
		ex.seen_count = 0;
		do {
			ex_run();
			if (ex.failed) {
				ex_note_failure();
				break;
			}
			if (max_runs && r->runs >= max_runs) {
				r->cut = ex_next();
				break;
			}
		} while (!ex.relearn && ex_next());
	} while (ex.relearn && !ex.failed && !r->cut);
	r->states = ex.seen_count;
	ex_finish();
}

/* "a3,b5": letters of threads, each followed by a number. */
static bool ex_well_formed(const struct explore *e, const char *s)
{
	while (*s) {
		char *end;

		if (*s < 'a' || *s >= 'a' + (int)e->threads || s[1] < '1' || s[1] > '9')
			return false;
		strtoul(s + 1, &end, 10);
		if (*end == ',' && end[1])
			end++;
		else if (*end)
			return false;
		s = end;
	}
	return true;
}

bool explore_replay(const struct explore *e, const char *schedule, bool trace,
		    struct explore_result *r)
{
	if (!ex_well_formed(e, schedule))
		return false;
	ex_begin(e, EXPLORE_ALL, r);
	ex.script = schedule;
	ex.trace = trace;
	ex_run();
	if (ex.failed)
		ex_note_failure();
	ex_finish();
	return true;
}

/* --- TAP --- */

static unsigned int tap_count, tap_bad;

void explore_result(bool ok, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %u - ", ok ? "" : "not ", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	tap_bad += !ok;
}

int explore_done(void)
{
	printf("1..%u\n", tap_count);
	return tap_bad ? 1 : 0;
}

static void tap_failure(const char *name, const struct explore_result *r)
{
	printf("# %s\n# PZ_SCHEDULE='%s:%s'\n", r->why, name, r->schedule);
}

static void tap_pass(uint32_t bound, const struct explore *e, const struct explore_result *r)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", bound);
	printf("#   pre-emptions %s: %llu schedules, %llu to their end", bound == EXPLORE_ALL ?
	       "any" : text, (unsigned long long)r->runs, (unsigned long long)r->ended);
	if (r->states)
		printf(", %llu states", (unsigned long long)r->states);
	printf(", at most %u operations%s\n", r->longest, r->cut ? "; cut" : "");
	fflush(stdout);
}

/* Whether the next pass would take long, by what the last one took: a build that is slow says so in
 * PZ_EXPLORE_WORK, in operations. */
static bool tap_too_much(const struct explore_result *r)
{
	const char *work = getenv("PZ_EXPLORE_WORK");

	return work && r->runs * r->longest > strtoull(work, NULL, 10);
}

bool explore_tap(const char *name, const struct explore *e, const struct explore_plan *plan)
{
	const char *want = getenv("PZ_SCHEDULE");
	struct explore_result r, again;
	size_t len = strlen(name);
	bool cut = false;

	if (want) {
		if (strncmp(want, name, len) || want[len] != ':')
			return true;
		if (!explore_replay(e, want + len + 1, true, &r)) {
			explore_result(false, "%s: PZ_SCHEDULE is no schedule, such as a3,b5,a2",
				       name);
			return false;
		}
		explore_result(!r.failed, "%s, replayed", name);
		if (r.failed)
			tap_failure(name, &r);
		return !r.failed;
	}
	for (uint32_t b = 0; b <= plan->bound + 1; b++) {
		uint32_t bound = b > plan->bound ? EXPLORE_ALL : b;

		if (bound == EXPLORE_ALL && (!plan->all || !CORO_WHOLE))
			break;
		if (b > 1 && !plan->expect_fail && tap_too_much(&r)) {
			printf("#   more is left out: PZ_EXPLORE_WORK\n");
			break;
		}
		explore_pass(e, bound, &r);
		tap_pass(bound, e, &r);
		cut |= r.cut && bound != EXPLORE_ALL;
		if (!r.failed)
			continue;
		if (!plan->expect_fail) {
			explore_result(false, "%s", name);
			tap_failure(name, &r);
			return false;
		}
		explore_result(bound == plan->fail_bound && explore_replay(e, r.schedule, false,
			       &again) && again.failed && !strcmp(again.why, r.why),
			       "%s: found, and found again", name);
		tap_failure(name, &r);
		return true;
	}
	explore_result(!cut && !plan->expect_fail, "%s", name);
	return !plan->expect_fail;
}
