/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.c - from the lines of a log to facts: which boot, which lines, lines that were wrapped or got
 * onto one another, and the account of what was used.
 *
 * Boots. A boot starts with its banner ("Linux version ..."), or before it where the kernel prints
 * some lines first: where time stamps start anew, or where arm says on which processor it boots. A
 * console of a crashed machine holds both kernels, one after the other; so does a bug report with
 * two logs. A log without a banner is one boot.
 *
 * Wrapped lines. A line of interest that ends too early is tried again with the next line behind
 * it, with a blank and without, when that line has no prefix of its own (or is the bare type of a
 * map's entry). Free text, such as the command line, has no end that could be missed; it goes on
 * while the next word would not have fitted.
 *
 * Invariants: 1. every line of the text is either used or ignored; 2. a line of interest that
 * cannot be read is ignored and told as a contradiction, and leaves no fact; 3. only lines of the
 * chosen boot are used.
 *
 * Shortcomings: where a time stamp of another line stands in the middle of a line, the rest of the
 * line is lost, and the line is damaged.
 */
#include "input/log.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "input/log_int.h"
#include "input/log_lines.h"
#include "progress.h"

/* A log that is damaged beyond this is no longer repaired line by line. */
enum { LOG_REPAIRS = 16384, LOG_CUT_MIN = 64, LOG_CUT_MAX = 100 };

struct log_boot {
	size_t from; /* line of the text, from 0 */
	size_t banner;
};

struct log_run {
	struct log_ctx c;
	struct log_lines lines;
	const struct text *t;
	uint8_t *marks;
	VEC(struct log_boot) boots;
	bool doubled; /* two consoles wrote the same lines */
	char *joined;
	size_t joined_n, joined_cap;
	struct log_line before; /* the line before the one in hand */
	char *copy;		/* its text, where the reader's memory does not last */
	size_t copy_cap;
	char *hand; /* the line in hand, where the reader's memory does not last */
	size_t hand_cap;
	struct log_line taken[LOG_AHEAD]; /* lines behind the one in hand */
	char *taken_text[LOG_AHEAD];
	unsigned int taken_n;
};

static bool log_is(const struct log_line *l, const char *text)
{
	size_t n = strlen(text);

	return l->len >= n && !memcmp(l->p, text, n);
}

static bool log_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Whether a line is the one before it once more. */
static bool log_is_repeated(const struct log_run *r, const struct log_line *l)
{
	return r->before.p && r->before.len == l->len && l->stamp >= 0 &&
	       !(r->before.stamp < l->stamp) && !(r->before.stamp > l->stamp) &&
	       !memcmp(r->before.p, l->p, l->len);
}

/* Remember a line; what lies in the reader's own memory is copied. */
static void log_remember(struct log_run *r, const struct log_line *l)
{
	r->before = *l;
	if (l->p >= r->t->buf && l->p < r->t->buf + r->t->len)
		return;
	if (l->len > r->copy_cap) {
		r->copy_cap = l->len * 2;
		r->copy = xrealloc(r->copy, r->copy_cap);
	}
	memcpy(r->copy, l->p, l->len);
	r->before.p = r->copy;
}

/* Find the boots, and how the lines look. */
static void log_survey(struct log_run *r)
{
	struct log_line line;
	size_t run = 0, lines = 0, same = 0, cut = 0;
	double stamp = -1;

	while (log_lines_next(&r->lines, &line)) {
		size_t at = line.first - 1;
		bool banner, repeated = log_is_repeated(r, &line);

		lines++;
		same += repeated;
		log_remember(r, &line);
		if (line.stamp >= 0) {
			if (line.stamp + 1 < stamp || (line.stamp <= 0 && stamp > 0))
				run = at;
			stamp = line.stamp;
		}
		if (*line.p == 'B' && log_is(&line, "Booting Linux on physical CPU 0x0"))
			run = at;
		banner = *line.p == 'L' && line.len > 14 && log_is(&line, "Linux version ") &&
			 log_digit(line.p[14]);
		/* Or cut right behind "version". */
		if (cut && !line.prefixed && log_digit(*line.p)) {
			banner = true;
			at = cut - 1;
		}
		cut = line.len == 13 && log_is(&line, "Linux version") ? at + 1 : 0;
		if (banner && !repeated) {
			struct log_boot *b;
			size_t last = r->boots.n ? r->boots.v[r->boots.n - 1].banner : 0;

			b = vec_push(&r->boots);
			b->from = r->boots.n > 1 && run <= last ? at : run;
			b->banner = at;
		}
	}
	r->doubled = same > 8 && same > lines / 3;
}

static void log_mark(struct log_run *r, const struct log_line *line)
{
	for (uint32_t i = line->first; i <= line->last; i++)
		r->marks[i - 1] = 1;
}

static void log_append(struct log_run *r, const char *p, size_t n)
{
	if (r->joined_n + n > r->joined_cap) {
		r->joined_cap = (r->joined_n + n) * 2 + 256;
		r->joined = xrealloc(r->joined, r->joined_cap);
	}
	memcpy(r->joined + r->joined_n, p, n);
	r->joined_n += n;
}

/* Take the next line behind the one in hand; it can be given back. */
static bool log_take(struct log_run *r)
{
	struct log_line *l = &r->taken[r->taken_n];

	if (r->taken_n == LOG_AHEAD || !log_lines_next(&r->lines, l))
		return false;
	r->taken_text[r->taken_n] = xstrndup(l->p, l->len);
	l->p = r->taken_text[r->taken_n++];
	return true;
}

/* Done with the lines taken: the last @back of them come again, the others are marked as used. */
static void log_settle(struct log_run *r, unsigned int back)
{
	while (r->taken_n) {
		struct log_line *l = &r->taken[--r->taken_n];

		if (back) {
			log_lines_unread(&r->lines, l);
			back--;
		} else {
			log_mark(r, l);
		}
		free(r->taken_text[r->taken_n]);
	}
}

/*
 * Whether a line may be the rest of another: it has no prefix where the other has one, or none has
 * one and it is of no interest itself.
 */
static bool log_may_follow(const struct log_line *other, const struct log_line *l)
{
	static const char *const words[] = { "usable", "reserved", "ACPI data", "ACPI NVS",
					     "unusable" };
	struct log_scan rest;

	if (!l->prefixed)
		return other->prefixed || !log_head_find(l->p, l->len, &rest) || log_digit(*l->p) ||
		       ls_find(l->p, l->len, "+0x");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (l->len == strlen(words[i]) && log_is(l, words[i]))
			return true;
	return false;
}

static enum log_ret log_call(struct log_run *r, const struct log_head *h, const char *p, size_t n,
			     struct log_scan *s)
{
	const struct log_head *again = log_head_find(p, n, s);

	r->c.line = p;
	return again == h ? h->fn(&r->c, s, h->arg) : LOG_OTHER;
}

/* A line that ended too early: try it with the lines behind it. */
static bool log_join(struct log_run *r, const struct log_head *h, const struct log_line *line,
		     struct log_scan *s)
{
	unsigned int whole_taken = 0;
	size_t whole = 0;
	bool done = false;

	r->joined_n = 0;
	log_append(r, line->p, line->len);
	r->c.wrapped = true;
	while (!done && r->taken_n < 3 && (!r->taken_n || s->ran_out || s->cut) && log_take(r)) {
		const struct log_line *next = &r->taken[r->taken_n - 1];
		size_t before = r->joined_n;

		if (!log_may_follow(line, next))
			break;
		/* A mail program cuts at a blank, a terminal at its last column. */
		for (int tight = 0; tight < 2 && !done; tight++) {
			r->joined_n = before;
			r->c.optional = false;
			log_append(r, " ", tight ? 0 : 1);
			log_append(r, next->p, next->len);
			done = log_call(r, h, r->joined, r->joined_n, s) == LOG_USED;
			if (!done && (s->ran_out || s->cut))
				break;
		}
		if (!done && r->c.optional) {
			whole = r->joined_n;
			whole_taken = r->taken_n;
		}
	}
	if (!done && whole) {
		r->c.final = true;
		done = log_call(r, h, r->joined, whole, s) == LOG_USED;
		r->c.final = false;
		log_settle(r, done ? r->taken_n - whole_taken : r->taken_n);
	} else {
		log_settle(r, done ? 0 : r->taken_n);
	}
	r->c.wrapped = false;
	return done;
}

/* A line that ended in the middle of its head: put the next one behind it for good. */
static const struct log_head *log_join_head(struct log_run *r, struct log_line *line)
{
	const struct log_head *h = NULL;
	struct log_scan s;

	r->joined_n = 0;
	log_append(r, line->p, line->len);
	log_append(r, " ", 1);
	if (log_take(r) && log_may_follow(line, &r->taken[0])) {
		log_append(r, r->taken[0].p, r->taken[0].len);
		h = log_head_find(r->joined, r->joined_n, &s);
	}
	log_settle(r, h ? 0 : r->taken_n);
	/* What it is in hand from now on lies in memory that joining does not touch. */
	if (r->joined_n > r->hand_cap) {
		r->hand_cap = r->joined_n * 2;
		r->hand = xrealloc(r->hand, r->hand_cap);
	}
	memcpy(r->hand, r->joined, r->joined_n);
	line->p = r->hand;
	line->len = r->joined_n;
	return h;
}

/* Free text: put the lines behind together with it as long as they look cut off from it. */
static bool log_gather(struct log_run *r, const struct log_line *line)
{
	size_t width = line->width;
	bool any = false;

	r->joined_n = 0;
	if (!r->lines.wrapped)
		return false;
	while (width <= LOG_CUT_MAX && r->joined_n < 1u << 16) {
		const struct log_head *head;
		struct log_scan rest;
		struct log_line next;
		size_t word = 0;

		/* What is taken overwrites what is in hand. */
		if (!any)
			log_append(r, line->p, line->len);
		if (!log_lines_next(&r->lines, &next))
			break;
		while (word < next.len && next.p[word] != ' ')
			word++;
		head = log_head_find(next.p, next.len, &rest);
		/* An option may start as a line does: crashkernel=256M. */
		if (memchr(next.p, '=', word))
			head = NULL;
		if (next.prefixed || width + 1 + word <= LOG_CUT_MIN || (head && *head->text) ||
		    next.p[word - 1] == ':') {
			log_lines_unread(&r->lines, &next);
			break;
		}
		log_append(r, " ", 1);
		log_append(r, next.p, next.len);
		log_mark(r, &next);
		width = next.width;
		any = true;
	}
	return any || r->joined_n;
}

/* Say that a line of interest could not be read, with its start. */
static void log_damaged(struct log_run *r, const char *p, size_t n, const char *why)
{
	char shown[49];
	size_t i;

	for (i = 0; i < n && i < sizeof(shown) - 1; i++)
		shown[i] = p[i] >= 0x20 && p[i] < 0x7f ? p[i] : '?';
	shown[i] = '\0';
	log_contradict(&r->c, "not understood (%s): \"%s%s\"", why ? why : "unexpected text", shown,
		       i < n ? "..." : "");
}

/* What lies in the reader's own memory is lost when it reads on. */
static void log_keep(struct log_run *r, struct log_line *line)
{
	if (line->p >= r->t->buf && line->p < r->t->buf + r->t->len)
		return;
	if (r->hand && line->p >= r->hand && line->p < r->hand + r->hand_cap)
		return;
	if (line->len > r->hand_cap) {
		r->hand_cap = line->len * 2;
		r->hand = xrealloc(r->hand, r->hand_cap);
	}
	memcpy(r->hand, line->p, line->len);
	line->p = r->hand;
}

/* One line, or what is left of it once another line was found to start inside it. */
static void log_one(struct log_run *r, struct log_line *line)
{
	struct log_scan s;
	const struct log_head *h = log_head_find(line->p, line->len, &s);
	bool repair = r->c.unreported < LOG_REPAIRS;
	const char *inside = NULL, *why;
	bool optional;
	struct log_line rest;
	enum log_ret ret;

	if (!h && s.cut && r->lines.wrapped)
		h = log_join_head(r, line);
	if (!h) {
		r->c.at.line = line->first;
		if (log_trace(&r->c, line->p, line->len))
			log_mark(r, line);
		return;
	}
	log_keep(r, line);
	log_head_find(line->p, line->len, &s);
	rest = *line;
	r->c.at.line = line->first;
	r->c.stamp = line->stamp;
	r->c.line = line->p;
	r->c.said = r->c.optional = r->c.final = false;
	if (h->wraps && log_gather(r, line)) {
		line->p = r->joined;
		line->len = r->joined_n;
		r->c.wrapped = true;
		ret = log_call(r, h, line->p, line->len, &s);
		r->c.wrapped = false;
		if (ret == LOG_USED)
			log_mark(r, &rest);
		return;
	}
	ret = h->fn(&r->c, &s, h->arg);
	if (ret == LOG_OTHER) {
		/* Mail may have cut it before the word that tells. */
		if (repair && (s.cut || r->lines.wrapped) && log_join(r, h, line, &s))
			log_mark(r, &rest);
		return;
	}
	if (r->c.said && log_gather(r, line)) {
		struct fact_said *said = &r->c.f->said.v[r->c.f->said.n - 1];

		free(said->text);
		said->text = xstrndup(r->joined, r->joined_n);
		log_mark(r, &rest);
		return;
	}
	if (ret == LOG_USED && line->ends_text && !h->wraps && s.p == s.end &&
	    isxdigit((unsigned char)s.end[-1]))
		facts_note(r->c.f,
			   "line %" PRIu32 " is the last and has no end: its number may be cut",
			   line->first);
	if (h->wraps)
		s.p = s.end;
	why = s.why;
	optional = r->c.optional;
	if (repair && ret == LOG_BAD && (s.ran_out || s.cut) && log_join(r, h, line, &s)) {
		log_mark(r, &rest);
		return;
	}
	if (ret == LOG_BAD && optional) {
		r->c.final = true;
		ret = log_call(r, h, rest.p, rest.len, &s);
	}
	if (repair && (ret == LOG_BAD || s.end - s.p > 15))
		inside = log_head_inside(rest.p, rest.len,
					 ret == LOG_BAD ? strlen(h->text) : (size_t)(s.p - rest.p));
	/* Without what follows, the line may be whole. */
	if (ret == LOG_BAD && inside)
		ret = log_call(r, h, rest.p, (size_t)(inside - rest.p), &s);
	if (ret == LOG_USED)
		log_mark(r, &rest);
	else
		log_damaged(r, rest.p, rest.len, why);
	if (inside) {
		line->p = inside;
		line->len = rest.len - (size_t)(inside - rest.p);
	}
}

static void log_read_boot(struct log_run *r, size_t from, size_t to)
{
	struct log_line line;
	bool skipped = false;

	log_lines_seek(&r->lines, from, to);
	r->before.p = NULL;
	while (log_lines_next(&r->lines, &line)) {
		if (!(line.first & 0xffff))
			progress("reading the log", line.first - from, to - from);
		if (r->doubled) {
			skipped = !skipped && log_is_repeated(r, &line);
			log_remember(r, &line);
			if (skipped) {
				log_mark(r, &line);
				continue;
			}
		}
		for (size_t left = line.len + 1; line.len && line.len < left;) {
			left = line.len;
			log_one(r, &line);
		}
	}
	progress_end();
}

/* Count the lines, and keep their text when it is asked for. */
static void log_account(struct log_run *r)
{
	struct facts *f = r->c.f;
	uint64_t used = 0;

	for (size_t i = 0; i < r->t->n; i++)
		used += r->marks[i];
	f->lines_total += r->t->n;
	f->lines_used += used;
	f->lines_ignored += r->t->n - used;
	if (f->line_marks.n) {
		free(r->marks);
		return;
	}
	vec_free(&f->line_marks);
	f->line_file = r->c.at.file;
	f->line_marks.v = r->marks;
	f->line_marks.n = f->line_marks.cap = r->t->n;
	for (size_t i = 0; f->keep_lines && i < r->t->n; i++) {
		size_t n;
		const char *p = text_line(r->t, i, &n);

		facts_keep_line(f, p, n);
	}
}

int log_parse(struct facts *f, const struct text *t, uint32_t file, unsigned int boot, char **err)
{
	struct log_run r = { .t = t };
	size_t from = 0, to = t->n;
	int ret = 0;

	*err = NULL;
	r.c.f = f;
	r.c.at.file = file;
	r.c.stamp = -1;
	r.c.failure = r.c.zone_report = UINT32_MAX;
	log_lines_init(&r.lines, t);
	r.c.may_wrap = r.lines.wrapped;
	log_survey(&r);
	if (boot > (r.boots.n ? r.boots.n : 1)) {
		*err = xasprintf("%s: boot %u was asked for, and the log holds %zu",
				 file < f->files.n ? f->files.v[file] : "log", boot,
				 r.boots.n ? r.boots.n : (size_t)1);
		ret = -PZ_ERANGE;
	} else {
		if (r.boots.n) {
			boot = boot ? boot : (unsigned int)r.boots.n;
			from = r.boots.v[boot - 1].from;
			to = boot < r.boots.n ? r.boots.v[boot].from : t->n;
		}
		f->boots = (unsigned int)r.boots.n;
		f->boot = r.boots.n ? boot : 0;
		r.marks = xcalloc(t->n, 1);
		log_read_boot(&r, from, to);
		log_check_all(&r.c);
		r.c.at.file = file;
		log_account(&r);
	}
	log_lines_destroy(&r.lines);
	vec_free(&r.boots);
	free(r.joined);
	free(r.hand);
	free(r.copy);
	return ret;
}

bool log_looks_like(const struct text *t)
{
	struct log_lines lines;
	struct log_line line;
	size_t stamps = 0, budget = 1u << 20;
	bool yes = false;

	if (text_is_binary(t))
		return false;
	log_lines_init(&lines, t);
	while (!yes && budget-- && log_lines_next(&lines, &line)) {
		struct log_scan rest;
		const struct log_head *h = log_head_find(line.p, line.len, &rest);

		stamps += line.stamp >= 0;
		yes = (h && (strlen(h->text) >= 9 || h->fn == log_failure ||
			     h->fn == log_bounce)) ||
		      stamps >= 3;
	}
	log_lines_destroy(&lines);
	return yes;
}
