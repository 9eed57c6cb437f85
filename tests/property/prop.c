/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop.c - property tests: draw, record, shrink, replay.
 *
 * Every number a property sees comes from prop_draw(), so a run is the sequence of its draws. A
 * failing sequence is made simpler in three ways until none helps: leave draws out, make runs of
 * them 0, lower single draws. A candidate counts only when what the property then drew is shorter,
 * or as long and lower. A draw past the end of a replayed sequence is 0, a draw above its bound is
 * the bound.
 *
 * Environment
 *  PZ_SEED=N        one round of each property with this seed (as a failure prints it)
 *  PZ_ROUNDS=N      rounds of each property, instead of what the program asks for
 *  PZ_ROUNDS_FIRST=N the number of the first round, for runs in parts; else 0
 *  PZ_ROUNDS_PART=N an N-th of the rounds that the program asks for, for builds that are slow
 *  PZ_DRAWS="A B"   one round with these draws (as a failure prints them)
 *  PZ_PROPERTY=S    only properties whose name contains S
 */
#include "prop.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROP_SHRINK_RUNS 20000u
#define PROP_SHRINK_SECONDS 20
#define PROP_NOTES 8192u

struct prop {
	uint64_t state;		/* of the generator */
	const uint64_t *replay; /* draws to repeat, or NULL to generate */
	size_t replay_len;
	uint64_t *drawn;
	size_t len, cap;
	bool noting;
	char *notes;
	size_t notes_len;
};

struct prop_shrink {
	bool (*property)(struct prop *p, void *ctx);
	void *ctx;
	struct prop best; /* owns the simplest failing sequence */
	unsigned int runs;
	time_t deadline;
};

static unsigned int prop_count;
static unsigned int prop_failures;
static struct {
	const char *name;
	uint64_t seed;
	const char *what;
} prop_now;

static void *prop_grow(void *p, size_t size)
{
	p = realloc(p, size);
	if (!p) {
		fprintf(stderr, "out of memory\n");
		exit(2);
	}
	return p;
}

/* A crash of the property must say how to repeat it. */
static void prop_last_words(void)
{
	char buf[256];
	int n = snprintf(buf, sizeof(buf),
			 "\n# crashed while %s: %s\n# repeat with PZ_SEED=%" PRIu64 "\n",
			 prop_now.what, prop_now.name, prop_now.seed);

	if (prop_now.name && n > 0 && write(STDOUT_FILENO, buf, (size_t)n) < 0)
		return;
}

static void prop_signal(int sig)
{
	prop_last_words();
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Present only under a sanitizer. */
void __sanitizer_set_death_callback(void (*fn)(void)) __attribute__((weak));

static void prop_setup(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	if (__sanitizer_set_death_callback) {
		__sanitizer_set_death_callback(prop_last_words);
		signal(SIGABRT, prop_signal); /* which it leaves alone */
		return;
	}
	signal(SIGABRT, prop_signal);
	signal(SIGSEGV, prop_signal);
}

/* A 64-bit counter run through a mixing function: every seed is a good one. */
static uint64_t prop_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t prop_name_seed(const char *name, unsigned int round)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	h += round;
	return prop_random(&h) >> 1;
}

uint64_t prop_draw(struct prop *p, uint64_t max)
{
	uint64_t v;

	if (p->replay) {
		v = p->len < p->replay_len ? p->replay[p->len] : 0;
		if (v > max)
			v = max;
	} else if (max == UINT64_MAX) {
		v = prop_random(&p->state);
	} else {
		uint64_t range = max + 1;
		uint64_t limit = UINT64_MAX - UINT64_MAX % range;

		do
			v = prop_random(&p->state);
		while (v >= limit);
		v %= range;
	}
	if (p->len == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 256;
		p->drawn = prop_grow(p->drawn, p->cap * sizeof(*p->drawn));
	}
	p->drawn[p->len++] = v;
	return v;
}

uint64_t prop_between(struct prop *p, uint64_t lo, uint64_t hi)
{
	return lo + prop_draw(p, hi - lo);
}

unsigned int prop_choice(struct prop *p, unsigned int n)
{
	return (unsigned int)prop_draw(p, n - 1);
}

uint64_t prop_addr(struct prop *p)
{
	unsigned int kind = prop_choice(p, 6);
	uint64_t pow;

	switch (kind) {
	case 0:
		return prop_draw(p, 64);
	case 1:
		return prop_draw(p, 1u << 20);
	case 2: /* at a power of two or shortly above */
		pow = UINT64_C(1) << prop_draw(p, 63);
		return pow + prop_draw(p, 64);
	case 3: /* shortly below a power of two */
		pow = UINT64_C(1) << prop_draw(p, 63);
		return pow - 1 - prop_draw(p, pow - 1 < 64 ? pow - 1 : 64);
	case 4: /* at the top */
		return UINT64_MAX - prop_draw(p, 64);
	default:
		return prop_draw(p, UINT64_MAX);
	}
}

void prop_note(struct prop *p, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!p->noting)
		return;
	if (p->notes_len > PROP_NOTES / 2) { /* the last ones say what went wrong */
		char *from = strchr(p->notes + PROP_NOTES / 4, '\n') + 1;

		p->notes_len -= (size_t)(from - p->notes);
		memmove(p->notes, from, p->notes_len + 1);
	}
	va_start(ap, fmt);
	n = vsnprintf(p->notes + p->notes_len, PROP_NOTES - p->notes_len - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	p->notes_len += (size_t)n;
	if (p->notes_len > PROP_NOTES - 2)
		p->notes_len = PROP_NOTES - 2;
	p->notes[p->notes_len++] = '\n';
	p->notes[p->notes_len] = '\0';
}

/* Run the property on a sequence; true when it fails. The draws are left in @p. */
static bool prop_fails(struct prop_shrink *s, struct prop *p, const uint64_t *v, size_t n)
{
	p->replay = v;
	p->replay_len = n;
	p->len = 0;
	s->runs++;
	return !s->property(p, s->ctx);
}

static bool prop_simpler(const struct prop *a, const struct prop *b)
{
	if (a->len != b->len)
		return a->len < b->len;
	for (size_t i = 0; i < a->len; i++) {
		if (a->drawn[i] != b->drawn[i])
			return a->drawn[i] < b->drawn[i];
	}
	return false;
}

static bool prop_tired(const struct prop_shrink *s)
{
	return s->runs >= PROP_SHRINK_RUNS || time(NULL) > s->deadline;
}

/* Adopt a candidate when it fails too and is simpler. */
static bool prop_try(struct prop_shrink *s, const uint64_t *v, size_t n)
{
	static const uint64_t nothing;
	struct prop p = { 0 };

	if (prop_tired(s))
		return false;
	if (prop_fails(s, &p, n ? v : &nothing, n) && prop_simpler(&p, &s->best)) {
		free(s->best.drawn);
		s->best = p;
		return true;
	}
	free(p.drawn);
	return false;
}

/* Leave out, then zero, runs of @width draws. */
static bool prop_shrink_runs(struct prop_shrink *s, uint64_t *tmp, size_t width)
{
	bool any = false;

	for (size_t at = s->best.len >= width ? s->best.len - width + 1 : 0; at-- > 0;) {
		size_t n = s->best.len;

		if (at + width > n)
			continue;
		memcpy(tmp, s->best.drawn, at * sizeof(*tmp));
		memcpy(tmp + at, s->best.drawn + at + width, (n - at - width) * sizeof(*tmp));
		if (prop_try(s, tmp, n - width)) {
			any = true;
			continue;
		}
		memcpy(tmp, s->best.drawn, n * sizeof(*tmp));
		memset(tmp + at, 0, width * sizeof(*tmp));
		any |= prop_try(s, tmp, n);
	}
	return any;
}

/* Lower one draw: by halves of what is left of it, so that a threshold is found by bisection. */
static bool prop_shrink_one(struct prop_shrink *s, uint64_t *tmp, size_t at)
{
	bool any = false;
	uint64_t low = 0; /* every candidate below did not fail */

	while (at < s->best.len && s->best.drawn[at] > low && !prop_tired(s)) {
		uint64_t v = low + (s->best.drawn[at] - low) / 2;

		memcpy(tmp, s->best.drawn, s->best.len * sizeof(*tmp));
		tmp[at] = v;
		if (prop_try(s, tmp, s->best.len))
			any = true;
		else
			low = v + 1;
	}
	return any;
}

static void prop_shrink(struct prop_shrink *s)
{
	uint64_t *tmp = prop_grow(NULL, (s->best.len + 1) * sizeof(*tmp));
	bool again = true;

	while (again && !prop_tired(s)) {
		again = false;
		for (size_t width = s->best.len; width && !prop_tired(s); width /= 2)
			again |= prop_shrink_runs(s, tmp, width);
		for (size_t i = 0; i < s->best.len; i++)
			again |= prop_shrink_one(s, tmp, i);
	}
	free(tmp);
}

static void prop_report(struct prop_shrink *s, size_t drawn_len)
{
	struct prop p = { 0 };
	char *line;

	p.noting = true;
	p.notes = prop_grow(NULL, PROP_NOTES);
	p.notes[0] = '\0';
	if (!prop_fails(s, &p, s->best.len ? s->best.drawn : &prop_now.seed, s->best.len))
		printf("# the property is not deterministic: it held when repeated\n");
	printf("# seed %" PRIu64 ": repeat with PZ_SEED=%" PRIu64 "\n", prop_now.seed,
	       prop_now.seed);
	printf("# shrunk from %zu draws to %zu in %u runs: PZ_DRAWS=\"", drawn_len, s->best.len,
	       s->runs);
	for (size_t i = 0; i < s->best.len; i++)
		printf("%s%" PRIu64, i ? " " : "", s->best.drawn[i]);
	printf("\"\n");
	for (line = strtok(p.notes, "\n"); line; line = strtok(NULL, "\n"))
		printf("# %s\n", line);
	free(p.notes);
	free(p.drawn);
}

static uint64_t *prop_parse_draws(const char *text, size_t *n)
{
	uint64_t *v = prop_grow(NULL, (strlen(text) + 1) * sizeof(*v));
	char *end;

	v[0] = 0;
	for (*n = 0;; (*n)++, text = end) {
		uint64_t x = strtoull(text, &end, 0);

		if (end == text)
			return v;
		v[*n] = x;
	}
}

static bool prop_round(struct prop_shrink *s, struct prop *p)
{
	bool ok;
	size_t len;

	prop_now.what = "running";
	ok = s->property(p, s->ctx);
	if (ok) {
		free(p->drawn);
		return true;
	}
	len = p->len;
	s->best = *p;
	prop_now.what = "shrinking";
	s->deadline = time(NULL) + PROP_SHRINK_SECONDS;
	prop_shrink(s);
	printf("not ok %u - %s\n", prop_count, prop_now.name);
	prop_report(s, len);
	free(s->best.drawn);
	return false;
}

void prop_run(const char *name, bool (*property)(struct prop *p, void *ctx), void *ctx,
	      unsigned int rounds)
{
	struct prop_shrink s = { property, ctx, { 0 }, 0, 0 };
	const char *seed = getenv("PZ_SEED"), *draws = getenv("PZ_DRAWS");
	const char *only = getenv("PZ_PROPERTY"), *many = getenv("PZ_ROUNDS");
	const char *part = getenv("PZ_ROUNDS_PART"), *first = getenv("PZ_ROUNDS_FIRST");
	unsigned int from = first && *first ? (unsigned int)strtoul(first, NULL, 0) : 0;
	bool ok = true;

	if (only && !strstr(name, only))
		return;
	prop_setup();
	prop_count++;
	prop_now.name = name;
	if (many && *many)
		rounds = (unsigned int)strtoul(many, NULL, 0);
	else if (part && strtoul(part, NULL, 0) > 1)
		rounds = rounds / (unsigned int)strtoul(part, NULL, 0) + 1;
	if ((seed && *seed) || draws)
		rounds = 1;
	for (unsigned int i = 0; ok && i < rounds; i++) {
		struct prop p = { 0 };
		uint64_t *v = NULL;

		prop_now.seed = seed && *seed ? strtoull(seed, NULL, 0)
					      : prop_name_seed(name, from + i);
		p.state = prop_now.seed;
		if (draws)
			p.replay = v = prop_parse_draws(draws, &p.replay_len);
		ok = prop_round(&s, &p);
		free(v);
	}
	prop_now.name = NULL;
	if (ok)
		printf("ok %u - %s # %u rounds\n", prop_count, name, rounds);
	else
		prop_failures++;
	fflush(stdout);
}

int prop_done(void)
{
	printf("1..%u\n", prop_count);
	fflush(stdout);
	return prop_failures ? 1 : 0;
}
