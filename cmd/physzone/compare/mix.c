/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mix.c - mixes of requests: the built-in ones, and those in files.
 *
 * A line is a statement, '#' begins a comment:
 *
 *     name WORD
 *     steps N
 *     fill LEVEL% SIZE[-SIZE] [life N[-N]] [during A%-B%]
 *     class WORD weight N size SIZE[-SIZE] [bits N] [life N[-N]] [movable] [atomic P%]
 *         [during A%-B%]                                   (on one line)
 *
 * Mixes of mappings (MIX_TABLES) have no fill, bits and movable, but
 *
 *     domains N
 *     drop P% at A%          # of all that is mapped then
 *
 * Sizes are bytes with K, M or G; lives are steps, and without one a request lives to the end.
 * Sizes and lives are drawn so that every doubling is as likely as the next.
 */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "../input/scan.h"
#include "../input/text.h"
#include "../options.h"

#define MIX_MAX_STEPS 10000000u
#define MIX_MAX_SIZE (UINT64_C(4) << 20)
#define MIX_MAX_CLASSES 64u
#define MIX_MAX_DOMAINS 256u

static const struct {
	enum mix_kind kind;
	const char *name, *text;
} mix_built_in[] = {
	{ MIX_PAGES, "desktop",
	  "name desktop\n"
	  "steps 30000\n"
	  "fill 90% 4K-2M life 3000-60000\n"
	  "fill 97% 4K-2M life 500-6000 during 55%-75%   # a large program runs\n"
	  "class stacks weight 30 size 8K-16K  life 300-30000\n"
	  "class caches weight 12 size 4K-32K\n"
	  "class files  weight 25 size 4K-64K  life 200-20000 movable\n"
	  "class net    weight 25 size 4K-32K  life 5-200 atomic 70%\n"
	  "class isa    weight 1  size 4K-64K  life 2000-20000 bits 24 atomic 20%\n"
	  "class sound  weight 2  size 16K-512K life 500-10000 bits 28\n"
	  "class radio  weight 4  size 4K-128K life 100-4000 bits 30 atomic 40%\n"
	  "class tv     weight 2  size 64K-1M  life 500-8000 bits 31\n"
	  "class disks  weight 10 size 4K-256K life 20-2000 bits 32 atomic 40%\n"
	  "class camera weight 2  size 256K-4M life 200-3000 bits 32 during 30%-90%\n" },
	{ MIX_PAGES, "kdump",
	  "name kdump\n"
	  "steps 6000\n"
	  "fill 55% 4K-256K life 1000-12000\n"
	  "class kernel weight 40 size 4K-32K  life 300-6000\n"
	  "class copy   weight 20 size 4K-64K  life 10-300 atomic 30%\n"
	  "class isa    weight 2  size 4K-64K  life 1000-6000 bits 24\n"
	  "class disks  weight 15 size 4K-128K life 50-2000 bits 32 atomic 40%\n"
	  "class raid   weight 4  size 64K-1M  life 500-6000 bits 31\n" },
	{ MIX_PAGES, "board",
	  "name board\n"
	  "steps 20000\n"
	  "fill 80% 4K-1M life 2000-40000\n"
	  "fill 95% 4K-1M life 300-3000 during 60%-80%\n"
	  "class kernel weight 40 size 4K-32K  life 300-20000\n"
	  "class files  weight 25 size 4K-64K  life 200-10000 movable\n"
	  "class net    weight 20 size 4K-32K  life 5-200 bits 32 atomic 70%\n"
	  "class usb    weight 6  size 4K-64K  life 50-2000 bits 30 atomic 40%\n"
	  "class video  weight 4  size 256K-4M life 100-3000 bits 30\n"
	  "class codec  weight 2  size 1M-4M   life 500-5000 bits 32 during 40%-90%\n"
	  "class audio  weight 1  size 16K-256K life 500-10000 bits 28\n" },
	{ MIX_TABLES, "media",
	  "name media\n"
	  "steps 20000\n"
	  "domains 6                  # display, camera, codec, jpeg, rotator, gpu\n"
	  "drop 90% at 70%            # an application ends\n"
	  "class lists  weight 30 size 4K-64K  life 5-400 atomic 80%\n"
	  "class frames weight 12 size 256K-4M life 20-1500 atomic 30%\n"
	  "class video  weight 4  size 1M-4M   life 500-6000 during 15%-90%\n"
	  "class fences weight 10 size 4K-8K   life 200-20000 atomic 50%\n"
	  "class burst  weight 60 size 16K-1M  life 5-60 atomic 100% during 40%-45%\n" },
	{ MIX_TABLES, "storage",
	  "name storage\n"
	  "steps 40000\n"
	  "domains 2\n"
	  "drop 90% at 75%\n"
	  "class requests weight 90 size 4K-512K life 2-200 atomic 100%\n"
	  "class rings    weight 1  size 4K-64K\n"
	  "class burst    weight 50 size 4K-1M   life 100-3000 atomic 100% during 30%-40%\n" },
};
#define MIX_BUILT_IN (sizeof(mix_built_in) / sizeof(mix_built_in[0]))

const char *const *mix_names(enum mix_kind kind)
{
	static const char *const pages[] = { "desktop", "kdump", "board", NULL };
	static const char *const tables[] = { "media", "storage", NULL };

	return kind == MIX_PAGES ? pages : tables;
}

const char *mix_builtin(enum mix_kind kind, const char *name)
{
	for (size_t i = 0; i < MIX_BUILT_IN; i++)
		if (mix_built_in[i].kind == kind && !strcmp(mix_built_in[i].name, name))
			return mix_built_in[i].text;
	return NULL;
}

/* A number with K, M or G behind it. */
static bool mix_size(struct span *s, uint64_t *v)
{
	unsigned int shift = 0;

	if (!span_dec(s, v))
		return false;
	if (span_char(s, 'K'))
		shift = 10;
	else if (span_char(s, 'M'))
		shift = 20;
	else if (span_char(s, 'G'))
		shift = 30;
	if (*v > UINT64_MAX >> shift)
		return false;
	*v <<= shift;
	return true;
}

static bool mix_end(const struct span *s)
{
	return s->p == s->end || *s->p == ' ' || *s->p == '\t';
}

static bool mix_range_read(struct span *s, struct mix_range *r, uint64_t most)
{
	if (!mix_size(s, &r->from))
		return false;
	r->to = r->from;
	if (span_char(s, '-') && !mix_size(s, &r->to))
		return false;
	return mix_end(s) && r->from && r->from <= r->to && r->to <= most;
}

static bool mix_percent(struct span *s, uint64_t *v)
{
	return span_dec(s, v) && span_char(s, '%') && *v <= 100;
}

static bool mix_during(struct span *s, struct mix_range *r)
{
	return mix_percent(s, &r->from) && span_char(s, '-') && mix_percent(s, &r->to) &&
	       mix_end(s) && r->from < r->to;
}

static bool mix_count(struct span *s, uint64_t low, uint64_t high, unsigned int *out)
{
	uint64_t v;

	if (!span_dec(s, &v) || !mix_end(s) || v < low || v > high)
		return false;
	*out = (unsigned int)v;
	return true;
}

#define MIX_SIZE_WANTED "a size from 1 to 4M, or two as in 4K-64K"
#define MIX_LIFE_WANTED "steps from 1 to 10000000, or two as in 100-2000"
#define MIX_DURING_WANTED "two percentages as in 20%-80%"

/* What follows fill; NULL, or what was expected. */
static const char *mix_fill_read(struct mix *m, struct span *s)
{
	struct mix_fill *f = vec_push(&m->fills);
	struct span word;
	uint64_t level;

	f->during.to = 100;
	if (!mix_percent(s, &level) || !mix_end(s))
		return "a level from 0% to 100%";
	f->level = (unsigned int)level;
	(void)span_blanks(s);
	if (!mix_range_read(s, &f->size, MIX_MAX_SIZE))
		return MIX_SIZE_WANTED;
	while (span_blanks(s), span_word(s, &word)) {
		(void)span_blanks(s);
		if (span_is(word, "life")) {
			if (!mix_range_read(s, &f->life, MIX_MAX_STEPS))
				return MIX_LIFE_WANTED;
		} else if (span_is(word, "during")) {
			if (!mix_during(s, &f->during))
				return MIX_DURING_WANTED;
		} else {
			return "life or during";
		}
	}
	return NULL;
}

static const char *mix_class_key(struct mix_class *c, enum mix_kind kind, struct span key,
				 struct span *s)
{
	uint64_t v;

	if (span_is(key, "weight"))
		return mix_count(s, 1, 1000000, &c->weight) ? NULL : "a weight from 1 to 1000000";
	if (span_is(key, "size"))
		return mix_range_read(s, &c->size, MIX_MAX_SIZE) ? NULL : MIX_SIZE_WANTED;
	if (kind == MIX_PAGES && span_is(key, "bits"))
		return mix_count(s, 1, 64, &c->bits) ? NULL : "address lines from 1 to 64";
	if (span_is(key, "life"))
		return mix_range_read(s, &c->life, MIX_MAX_STEPS) ? NULL : MIX_LIFE_WANTED;
	if (span_is(key, "during"))
		return mix_during(s, &c->during) ? NULL : MIX_DURING_WANTED;
	if (span_is(key, "atomic")) {
		if (!mix_percent(s, &v) || !mix_end(s))
			return "a percentage from 0% to 100%";
		c->atomic = (unsigned int)v;
		return NULL;
	}
	return kind == MIX_PAGES ? "weight, size, bits, life, movable, atomic or during"
				 : "weight, size, life, atomic or during";
}

static const char *mix_class_read(struct mix *m, enum mix_kind kind, struct span *s)
{
	struct mix_class *c;
	struct span word;

	if (m->classes.n == MIX_MAX_CLASSES)
		return "at most 64 classes";
	c = vec_push(&m->classes);
	c->during.to = 100;
	if (!span_word(s, &word))
		return "the name of the class";
	c->name = span_dup(word);
	while (span_blanks(s), span_word(s, &word)) {
		const char *wanted;

		if (kind == MIX_PAGES && span_is(word, "movable")) {
			c->movable = true;
			continue;
		}
		(void)span_blanks(s);
		wanted = mix_class_key(c, kind, word, s);
		if (wanted)
			return wanted;
	}
	if (!c->weight)
		return "a weight (weight N)";
	if (!c->size.to)
		return "a size (size 4K-64K)";
	if (c->movable && (c->bits || c->atomic))
		return "movable pages, or a device's (bits), or atomic ones, not both";
	return NULL;
}

/* drop P% at A% */
static const char *mix_drop_read(struct mix *m, struct span *s)
{
	uint64_t drop, at;

	if (!mix_percent(s, &drop) || !span_blanks(s) || !span_text(s, "at") || !span_blanks(s) ||
	    !mix_percent(s, &at) || !mix_end(s) || !drop || at == 100)
		return "two percentages as in 90% at 70%";
	m->drop = (unsigned int)drop;
	m->drop_at = (unsigned int)at;
	return NULL;
}

static const char *mix_statement(struct mix *m, enum mix_kind kind, struct span *s)
{
	const char *wanted = NULL;
	struct span word;

	if (!span_word(s, &word))
		return NULL;
	(void)span_blanks(s);
	if (span_is(word, "name")) {
		if (!span_word(s, &word))
			return "a name";
		free(m->name);
		m->name = span_dup(word);
	} else if (span_is(word, "steps")) {
		if (!mix_count(s, 1, MIX_MAX_STEPS, &m->steps))
			return "steps from 1 to 10000000";
	} else if (span_is(word, "class")) {
		wanted = mix_class_read(m, kind, s);
	} else if (kind == MIX_PAGES && span_is(word, "fill")) {
		wanted = mix_fill_read(m, s);
	} else if (kind == MIX_TABLES && span_is(word, "domains")) {
		if (!mix_count(s, 1, MIX_MAX_DOMAINS, &m->domains))
			return "domains from 1 to 256";
	} else if (kind == MIX_TABLES && span_is(word, "drop")) {
		wanted = mix_drop_read(m, s);
	} else {
		return kind == MIX_PAGES ? "name, steps, fill or class"
					 : "name, steps, domains, drop or class";
	}
	if (wanted)
		return wanted;
	(void)span_blanks(s);
	return span_empty(*s) ? NULL : "the end of the line";
}

int mix_parse(struct mix *m, enum mix_kind kind, const char *text, size_t len, const char *name,
	      char **err)
{
	struct facts f;
	struct scan scan;
	int rc = 0;

	memset(m, 0, sizeof(*m));
	m->domains = 1;
	facts_init(&f);
	*vec_push(&f.files) = xstrdup(name);
	scan_init(&scan, text, len);
	while (!rc && scan_line(&scan)) {
		struct where at = { 0, scan.number };
		struct span s = scan.line;
		const char *comment = memchr(s.p, '#', (size_t)(s.end - s.p)), *wanted;

		if (comment)
			s.end = comment;
		span_trim(&s);
		(void)span_blanks(&s);
		wanted = mix_statement(m, kind, &s);
		if (wanted)
			rc = scan_expected(&f, at, scan.line, wanted, err);
	}
	if (!rc && (!m->steps || !m->classes.n)) {
		*err = xasprintf("%s: expected a mix with %s", name,
				 m->steps ? "a class (class NAME weight N size 4K-64K)"
					  : "a number of steps (steps N)");
		rc = EXIT_INPUT;
	}
	if (!m->name)
		m->name = xstrdup(name);
	facts_destroy(&f);
	return rc;
}

/* The names of a list, for a message; to be freed. */
static char *mix_list(enum mix_kind kind)
{
	char *list = xstrdup("");

	for (const char *const *n = mix_names(kind); *n; n++) {
		char *longer = xasprintf("%s%s, ", list, *n);

		free(list);
		list = longer;
	}
	return list;
}

int mix_read(struct mix *m, enum mix_kind kind, const char *name, char **err)
{
	const char *text = mix_builtin(kind, name);
	struct text t;
	int rc;

	memset(m, 0, sizeof(*m));
	if (text)
		return mix_parse(m, kind, text, strlen(text), name, err);
	if (!strchr(name, '/') && !strchr(name, '.') && strcmp(name, "-")) {
		const char *near = nearest_word(name, mix_names(kind));
		char *list = mix_list(kind);

		*err = near ? xasprintf("no mix '%s'; did you mean '%s'?", name, near)
			    : xasprintf("no mix '%s': expected %sor a file (./%s)", name, list,
					name);
		free(list);
		return EXIT_USAGE;
	}
	if (text_read(&t, name, err))
		return EXIT_INPUT;
	rc = mix_parse(m, kind, t.buf, t.len, strcmp(name, "-") ? name : "standard input", err);
	text_destroy(&t);
	return rc;
}

void mix_destroy(struct mix *m)
{
	for (size_t i = 0; i < m->classes.n; i++)
		free(m->classes.v[i].name);
	vec_free(&m->classes);
	vec_free(&m->fills);
	free(m->name);
	m->name = NULL;
}
