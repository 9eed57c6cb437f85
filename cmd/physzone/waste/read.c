/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read.c - memory requests: sizes given as arguments, a list of sizes, or a trace.
 *
 * A list has a size on each line, and a count behind it. A trace has lines of the kernel's events
 * kmalloc, kmalloc_node and kfree, as ftrace and perf write them; lines of other events are passed
 * over. What a file is follows from its first line that is not empty and no comment: that of a
 * trace has a colon, or is trace-cmd's "cpus=".
 */
#include "waste.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../input/text.h"

#define READ_COUNT_MAX UINT64_C(1000000000)
#define READ_BYTES_MAX (UINT64_C(1) << 60) /* of all together */
#define READ_ALL_MAX UINT64_C(1000000000000) /* allocations; 64 KiB of each are below 1 EiB */
#define READ_EVENTS_MAX ((size_t)20000000)
#define READ_SHOWN 60			   /* characters of a line in a message */

/* A place in a line. */
struct read_span {
	const char *p, *end;
};

static void read_blanks(struct read_span *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t'))
		s->p++;
}

/* A number with 0x or without; false where there is none, or it is too wide. */
static bool read_number(struct read_span *s, uint64_t *v)
{
	const char *first = s->p;
	unsigned int base = 10, digit;
	uint64_t n = 0;

	if (s->end - s->p > 2 && s->p[0] == '0' && (s->p[1] | 32) == 'x') {
		base = 16;
		first = s->p += 2;
	}
	for (; s->p < s->end; s->p++) {
		const char c = (char)(*s->p | 32);

		if (*s->p >= '0' && *s->p <= '9')
			digit = (unsigned int)(*s->p - '0');
		else if (base == 16 && c >= 'a' && c <= 'f')
			digit = (unsigned int)(c - 'a' + 10);
		else
			break;
		if (n > (UINT64_MAX - digit) / base)
			return false;
		n = n * base + digit;
	}
	*v = n;
	return s->p > first;
}

/* A size: a number, and K or M behind it. */
static bool read_size(struct read_span *s, uint64_t *v)
{
	unsigned int shift;

	if (!read_number(s, v))
		return false;
	shift = s->p == s->end ? 0 : *s->p == 'K' || *s->p == 'k' ? 10 : *s->p == 'M' ? 20 : 0;
	if (!shift)
		return true;
	s->p++;
	if (*v > UINT64_MAX >> shift)
		return false;
	*v <<= shift;
	return true;
}

static int read_expected(const struct waste_input *in, size_t line, const char *text, size_t len,
			 char **err, const char *expected)
{
	const bool cut = len > READ_SHOWN;

	*err = xasprintf("%s:%zu: expected %s, found \"%.*s%s\"", in->name, line, expected,
			 cut ? READ_SHOWN : (int)len, text, cut ? "..." : "");
	return EXIT_INPUT;
}

/* Keep an allocation, unless all together are more than any memory. */
static bool read_add(struct waste_input *in, const struct waste_event *e)
{
	if (e->bytes * e->count > READ_BYTES_MAX - in->bytes || e->count > READ_ALL_MAX - in->count)
		return false;
	in->bytes += e->bytes * e->count;
	in->count += e->count;
	*vec_push(&in->events) = *e;
	return true;
}

/* "512" or "512x100". Whether it is a size; *bad when it is one that cannot be had. */
static bool read_argument(struct waste_input *in, const char *text, uint32_t gfp, uint64_t most,
			  bool *bad)
{
	struct read_span s = { text, text + strlen(text) };
	struct waste_event e = { .count = 1, .gfp = gfp };

	if (!read_size(&s, &e.bytes))
		return false;
	if (s.p < s.end && (*s.p != 'x' || (s.p++, !read_number(&s, &e.count)) || s.p < s.end))
		return false;
	*bad = !e.bytes || e.bytes > most || !e.count || e.count > READ_COUNT_MAX ||
	       !read_add(in, &e);
	return true;
}

static int read_list_line(struct waste_input *in, size_t line, const char *text, size_t len,
			  uint32_t gfp, uint64_t most, char **err)
{
	struct read_span s = { text, text + len };
	struct waste_event e = { .count = 1, .gfp = gfp, .line = line };
	char expected[96];

	if (!read_size(&s, &e.bytes) || !e.bytes || e.bytes > most ||
	    (s.p < s.end && *s.p != ' ' && *s.p != '\t')) {
		snprintf(expected, sizeof(expected), "a size from 1 to %" PRIu64 " bytes", most);
		return read_expected(in, line, text, len, err, expected);
	}
	read_blanks(&s);
	if (s.p < s.end && (!read_number(&s, &e.count) || !e.count || e.count > READ_COUNT_MAX))
		return read_expected(in, line, text, len, err, "a count from 1 to 1000000000");
	read_blanks(&s);
	if (s.p < s.end)
		return read_expected(in, line, text, len, err, "a size and a count, and no more");
	if (!read_add(in, &e))
		return read_expected(in, line, text, len, err,
				     "at most 1 EiB and 1000000000000 allocations in all");
	return 0;
}

/* What follows a word that begins a line or follows a blank; false where there is none. */
static bool read_field(const char *text, size_t len, const char *key, struct read_span *out)
{
	const size_t n = strlen(key);

	for (size_t i = 0; i + n <= len; i++) {
		if ((i && text[i - 1] != ' ' && text[i - 1] != ':') || memcmp(text + i, key, n))
			continue;
		out->p = text + i + n;
		out->end = out->p;
		while (out->end < text + len && *out->end != ' ')
			out->end++;
		return true;
	}
	return false;
}

static bool read_field_number(const char *text, size_t len, const char *key, bool hex, uint64_t *v)
{
	struct read_span s;
	char *end, copy[40];
	size_t n;

	if (!read_field(text, len, key, &s))
		return false;
	if (s.end - s.p >= 5 && (!memcmp(s.p, "(null", 5) || !memcmp(s.p, "(nil)", 5))) {
		*v = 0;
		return true;
	}
	n = (size_t)(s.end - s.p);
	if (!n || n >= sizeof(copy) || *s.p == '-' || *s.p == '+')
		return false;
	memcpy(copy, s.p, n);
	copy[n] = 0;
	*v = strtoull(copy, &end, hex ? 16 : 10);
	return !*end;
}

/* The event of a trace's line: 'a' allocation, 'f' free, 0 another. */
static char read_event(const char *text, size_t len)
{
	static const struct read_name {
		const char *name;
		char what;
	} names[] = { { "kmalloc:", 'a' }, { "kmalloc_node:", 'a' }, { "kfree:", 'f' } };

	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		const size_t n = strlen(names[k].name);

		for (size_t i = 0; i + n <= len; i++)
			if (!memcmp(text + i, names[k].name, n) &&
			    (!i || text[i - 1] == ' ' || text[i - 1] == ':'))
				return names[k].what;
	}
	return 0;
}

static int read_trace_line(struct waste_input *in, size_t line, const char *text, size_t len,
			   enum pzl_model model, uint64_t most, bool all, char **err)
{
	struct waste_event e = { .count = 1, .line = line };
	struct read_span flags;
	const char what = read_event(text, len);
	bool known;

	if (!what)
		return 0;
	known = read_field_number(text, len, "ptr=", true, &e.ptr);
	if (what == 'f') {
		if (!known)
			return read_expected(in, line, text, len, err, "kfree: ... ptr=ADDRESS");
		e.free = true;
		if (e.ptr)
			*vec_push(&in->events) = e;
		return 0;
	}
	in->allocs++;
	if (!read_field_number(text, len, "bytes_req=", false, &e.bytes))
		return read_expected(in, line, text, len, err, "kmalloc: ... bytes_req=NUMBER");
	if (!read_field(text, len, "gfp_flags=", &flags) ||
	    pzl_gfp_parse(flags.p, (size_t)(flags.end - flags.p), model, &e.gfp)) {
		char *expected = xasprintf("kmalloc: ... gfp_flags= as %s names them",
					   pzl_model_name(model));
		int rc = read_expected(in, line, text, len, err, expected);

		free(expected);
		return rc;
	}
	(void)read_field_number(text, len, "bytes_alloc=", false, &e.said);
	if (!all && !(e.gfp & PZL_GFP_DMA))
		in->others++;
	else if (known && !e.ptr)
		in->failed++;
	else if (!e.bytes)
		in->none++;
	else if (e.bytes > most || !read_add(in, &e))
		return read_expected(in, line, text, len, err, "a size that this kernel can serve");
	return 0;
}

int waste_read_text(struct waste_input *in, const struct text *t, enum pzl_model model,
		    uint64_t most, bool all, char **err)
{
	const uint32_t gfp = PZL_GFP_KERNEL | (all ? 0 : PZL_GFP_DMA);
	bool known = false;
	int rc = 0;

	for (size_t i = 0; i < t->n && !rc; i++) {
		struct read_span s;
		size_t len;

		s.p = text_line(t, i, &len);
		s.end = s.p + len;
		read_blanks(&s);
		while (s.end > s.p && (s.end[-1] == ' ' || s.end[-1] == '\t'))
			s.end--;
		len = (size_t)(s.end - s.p);
		if (!len || *s.p == '#')
			continue;
		if (!known)
			in->trace = memchr(s.p, ':', len) ||
				    (len > 5 && !memcmp(s.p, "cpus=", 5));
		known = true;
		if (in->events.n == READ_EVENTS_MAX)
			return read_expected(in, i + 1, s.p, len, err,
					     "at most 20000000 lines that count");
		rc = in->trace ? read_trace_line(in, i + 1, s.p, len, model, most, all, err)
			       : read_list_line(in, i + 1, s.p, len, gfp, most, err);
	}
	if (!rc && (in->trace ? !in->allocs : !in->events.n)) {
		*err = xasprintf("%s: expected sizes, or kmalloc events of a trace; there are none",
				 in->name);
		rc = EXIT_INPUT;
	}
	return rc;
}

static int read_file(struct waste_input *in, const char *path, enum pzl_model model, uint64_t most,
		     bool all, char **err)
{
	struct text t;
	int rc;

	if (text_read(&t, path, err))
		return EXIT_INPUT;
	rc = waste_read_text(in, &t, model, most, all, err);
	text_destroy(&t);
	return rc;
}

int waste_read(struct waste_input *in, const struct options *o, enum pzl_model model, uint64_t most,
	       bool all, char **err)
{
	const uint32_t gfp = PZL_GFP_KERNEL | (all ? 0 : PZL_GFP_DMA);
	bool bad = false;

	memset(in, 0, sizeof(*in));
	for (unsigned int i = 0; i < o->operand_count; i++) {
		const char *text = o->operands[i];

		if (read_argument(in, text, gfp, most, &bad)) {
			if (!bad)
				continue;
			*err = xasprintf("'%s': expected a size from 1 to %" PRIu64 " bytes, and a "
					 "count up to 1000000000 (512x100)",
					 text, most);
			return EXIT_USAGE;
		}
		if (!*text || o->operand_count > 1 ||
		    (*text >= '0' && *text <= '9' && access(text, F_OK))) {
			*err = xasprintf("'%s': expected a size (512, 4K, 512x100), or the name of "
					 "one file alone",
					 text);
			return EXIT_USAGE;
		}
		in->name = xstrdup(strcmp(text, "-") ? text : "standard input");
	}
	return in->name ? read_file(in, o->operands[0], model, most, all, err) : 0;
}

void waste_input_destroy(struct waste_input *in)
{
	free(in->name);
	vec_free(&in->events);
}
