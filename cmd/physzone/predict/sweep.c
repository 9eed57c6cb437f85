/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sweep.c - the sizes that are tried, and the command line with one of them.
 */
#include "predict.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct sweep_kind {
	const char *name;
	uint64_t grain, least, most;
} sweep_kinds[] = {
	[SWEEP_RAM] = { "ram", UINT64_C(1) << 20, UINT64_C(16) << 20, UINT64_C(16) << 40 },
	[SWEEP_CRASHKERNEL] = { "crashkernel", UINT64_C(1) << 20, UINT64_C(1) << 20,
				UINT64_C(16) << 40 },
	[SWEEP_CMA] = { "cma", UINT64_C(1) << 20, UINT64_C(1) << 20, UINT64_C(16) << 40 },
	[SWEEP_SWIOTLB] = { "swiotlb", UINT64_C(1) << 18, UINT64_C(1) << 18, UINT64_C(1) << 40 },
	[SWEEP_COHERENT_POOL] = { "coherent_pool", UINT64_C(1) << 12, UINT64_C(1) << 12,
				  UINT64_C(1) << 40 },
};
#define SWEEP_KINDS (sizeof(sweep_kinds) / sizeof(sweep_kinds[0]))
#define SWEEP_SLOT 11u /* log2 of the bytes of a slot of swiotlb= */

const char *sweep_request(const struct sweep *s)
{
	switch (s->what) {
	case SWEEP_CRASHKERNEL:
		return "crash kernel";
	case SWEEP_CMA:
		return "contiguous area";
	case SWEEP_SWIOTLB:
		return "bounce buffers";
	default:
		return NULL;
	}
}

/* A size of @n characters; false when it is none, or beyond 64 bits. */
static bool sweep_size(const struct sweep *s, const char *p, size_t n, uint64_t *out)
{
	static const char suffix[] = "KMGTkmgt";
	uint64_t v = 0;
	size_t i = 0;
	const char *at;
	unsigned int shift = s->what == SWEEP_SWIOTLB ? SWEEP_SLOT : 0;

	for (; i < n && p[i] >= '0' && p[i] <= '9'; i++) {
		if (v > (UINT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (uint64_t)(p[i] - '0');
	}
	if (!i)
		return false;
	at = i < n && p[i] ? strchr(suffix, p[i]) : NULL;
	if (at) {
		shift = 10 * (unsigned int)((at - suffix) % 4 + 1);
		i++;
	}
	if (i != n || v > UINT64_MAX >> shift)
		return false;
	*out = v << shift;
	return true;
}

static int sweep_kind(struct sweep *s, const char *text, size_t n, char **err)
{
	const char *names[SWEEP_KINDS + 1], *near;
	char *word = xstrndup(text, n);

	for (size_t i = 0; i < SWEEP_KINDS; i++) {
		names[i] = sweep_kinds[i].name;
		if (strcmp(word, names[i]))
			continue;
		s->what = (enum sweep_what)i;
		s->name = names[i];
		s->grain = sweep_kinds[i].grain;
		free(word);
		return 0;
	}
	names[SWEEP_KINDS] = NULL;
	near = nearest_word(word, names);
	*err = near ? xasprintf("--sweep knows no '%s'; did you mean '%s'?", word, near)
		    : xasprintf("--sweep knows no '%s': expected ram, crashkernel, cma, swiotlb or "
				"coherent_pool",
				word);
	free(word);
	return EXIT_USAGE;
}

/* Whether a size is one that can be tried. */
static int sweep_check(const struct sweep *s, const char *which, uint64_t v, uint64_t least,
		       char **err)
{
	const struct sweep_kind *k = &sweep_kinds[s->what];
	char a[VIEW_SIZE_MAX], b[VIEW_SIZE_MAX];

	if (v < least || v > k->most)
		*err = xasprintf("--sweep %s: %s has to be from %s to %s", s->name, which,
				 view_size(a, least), view_size(b, k->most));
	else if (v % k->grain)
		*err = xasprintf("--sweep %s: %s has to be a multiple of %s", s->name, which,
				 view_size(a, k->grain));
	return *err ? EXIT_USAGE : 0;
}

static int sweep_fill(struct sweep *s, char **err)
{
	uint64_t v = s->from;

	if (s->from > s->to) {
		*err = xasprintf("--sweep %s: it ends below its start", s->name);
		return EXIT_USAGE;
	}
	while (v < s->to) {
		if (s->values.n + 1 == SWEEP_POINTS) {
			*err = xasprintf("--sweep %s: more than %u sizes; take a larger step",
					 s->name, SWEEP_POINTS);
			return EXIT_USAGE;
		}
		*vec_push(&s->values) = v;
		v = s->step ? v + s->step : v * 2;
	}
	*vec_push(&s->values) = s->to;
	return 0;
}

int sweep_parse(struct sweep *s, const char *text, char **err)
{
	const char *eq = strchr(text, '='), *dots, *colon;
	int rc;

	memset(s, 0, sizeof(*s));
	dots = eq ? strstr(eq, "..") : NULL;
	if (!dots) {
		*err = xasprintf("--sweep wants WHAT=FROM..TO[:STEP], not '%s'", text);
		return EXIT_USAGE;
	}
	rc = sweep_kind(s, text, (size_t)(eq - text), err);
	if (rc)
		return rc;
	colon = strchr(dots, ':');
	if (!colon)
		colon = dots + strlen(dots);
	if (!sweep_size(s, eq + 1, (size_t)(dots - eq - 1), &s->from) ||
	    !sweep_size(s, dots + 2, (size_t)(colon - dots - 2), &s->to) ||
	    (*colon && !sweep_size(s, colon + 1, strlen(colon + 1), &s->step))) {
		*err = xasprintf("--sweep %s wants sizes such as 64M..2G or 64M..2G:64M, not '%s'",
				 s->name, eq + 1);
		return EXIT_USAGE;
	}
	rc = sweep_check(s, "FROM", s->from, sweep_kinds[s->what].least, err);
	if (!rc)
		rc = sweep_check(s, "TO", s->to, sweep_kinds[s->what].least, err);
	if (!rc && *colon)
		rc = sweep_check(s, "STEP", s->step, s->grain, err);
	return rc ? rc : sweep_fill(s, err);
}

void sweep_destroy(struct sweep *s)
{
	vec_free(&s->values);
}

/* The length of the word at @p, in which quotes hide blanks. */
static size_t sweep_word(const char *p)
{
	bool quoted = false;
	size_t n = 0;

	for (; p[n] && (quoted || p[n] != ' '); n++)
		if (p[n] == '"')
			quoted = !quoted;
	return n;
}

/* Whether a word sets what is swept. The low block of a crash kernel is another matter. */
static bool sweep_is(const struct sweep *s, const char *word, size_t n)
{
	size_t len = strlen(s->name);

	if (n <= len || word[len] != '=')
		return false;
	for (size_t i = 0; i < len; i++)
		if (word[i] != s->name[i] && !(word[i] == '-' && s->name[i] == '_'))
			return false;
	return s->what != SWEEP_CRASHKERNEL || n < 4 || strncmp(word + n - 4, ",low", 4) != 0;
}

/*
 * What stands behind the size: ",high", "@16M", ",4,force"; of ranges, only their place. A value
 * with quotes in it is none that a kernel understands.
 */
static char *sweep_rest(const struct sweep *s, const char *word, size_t n)
{
	size_t at = strlen(s->name) + 1;
	bool ranges = s->what == SWEEP_CRASHKERNEL && memchr(word, ':', n);

	if (memchr(word, '"', n))
		return xstrdup("");
	if (s->what == SWEEP_SWIOTLB && at < n && (word[at] < '0' || word[at] > '9'))
		return xasprintf(",%.*s", (int)(n - at), word + at);
	while (at < n && word[at] != '@' && (ranges || word[at] != ','))
		at++;
	return xstrndup(word + at, n - at);
}

char *sweep_cmdline(const struct sweep *s, const char *cmdline, uint64_t value)
{
	bool slots = s->what == SWEEP_SWIOTLB;
	char *rest = NULL, *line;
	struct out o;

	out_init(&o, NULL);
	for (const char *p = cmdline ? cmdline : ""; *p;) {
		size_t n;

		while (*p == ' ')
			p++;
		n = sweep_word(p);
		/* What is meant for init is left as it is. */
		if (n == 2 && !strncmp(p, "--", 2)) {
			out_printf(&o, " %s", p);
			break;
		}
		if (n && sweep_is(s, p, n)) {
			free(rest);
			rest = sweep_rest(s, p, n);
		} else if (n) {
			out_printf(&o, " %.*s", (int)n, p);
		}
		p += n;
	}
	/* In front, for a quote that is not closed hides all behind it. */
	line = xasprintf("%s=%" PRIu64 "%s%s%s", s->name, slots ? value >> SWEEP_SLOT : value >> 10,
			 slots ? "" : "K", rest ? rest : "", out_text(&o));
	out_destroy(&o);
	free(rest);
	return line;
}
