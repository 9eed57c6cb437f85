/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.c - see json.h.
 *
 * Numbers are written as plain decimal integers at full 64-bit precision; readers that keep numbers
 * in doubles lose digits above 2^53, which no page count reaches.
 */
#include "json.h"

#include <inttypes.h>
#include <string.h>

void json_init(struct json *j, struct out *o)
{
	memset(j, 0, sizeof(*j));
	j->o = o;
}

static void json_line(struct json *j)
{
	out_char(j->o, '\n');
	out_repeat(j->o, "  ", j->depth);
}

/* What stands before a value or a key: a comma when it is not the first, and its place. */
static void json_separate(struct json *j)
{
	if (j->after_key) {
		j->after_key = false;
		return;
	}
	if (!j->depth)
		return;
	if (j->filled[j->depth])
		out_char(j->o, ',');
	if (!j->flat[j->depth])
		json_line(j);
	else if (j->filled[j->depth])
		out_char(j->o, ' ');
	j->filled[j->depth] = true;
}

static void json_open(struct json *j, char c, bool flat)
{
	json_separate(j);
	out_char(j->o, c);
	if (j->depth + 1 < JSON_DEPTH)
		j->depth++;
	j->filled[j->depth] = false;
	j->flat[j->depth] = flat || j->flat[j->depth - 1];
}

static void json_close(struct json *j, char c)
{
	bool spread = j->filled[j->depth] && !j->flat[j->depth];

	j->flat[j->depth] = false;
	j->depth--;
	if (spread)
		json_line(j);
	out_char(j->o, c);
}

void json_object(struct json *j, bool flat)
{
	json_open(j, '{', flat);
}

void json_array(struct json *j, bool flat)
{
	json_open(j, '[', flat);
}

void json_end_object(struct json *j)
{
	json_close(j, '}');
}

void json_end_array(struct json *j)
{
	json_close(j, ']');
}

static void json_quote(struct json *j, const char *s)
{
	static const char plain_escapes[] = "\b\f\n\r\t\"\\";
	static const char letters[] = "bfnrt\"\\";
	size_t n = strlen(s);

	out_char(j->o, '"');
	while (n) {
		uint32_t c = 0;
		unsigned int len = utf8_decode(s, n, &c);
		const char *e;

		if (!len) {
			out_str(j->o, "\\ufffd");
			len = 1;
		} else if (c && c < 0x80 && (e = strchr(plain_escapes, (int)c))) {
			out_char(j->o, '\\');
			out_char(j->o, letters[e - plain_escapes]);
		} else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029) {
			out_printf(j->o, "\\u%04x", (unsigned int)c);
		} else {
			out_mem(j->o, s, len);
		}
		s += len;
		n -= len;
	}
	out_char(j->o, '"');
}

void json_key(struct json *j, const char *key)
{
	json_separate(j);
	json_quote(j, key);
	out_str(j->o, ": ");
	j->after_key = true;
}

void json_string(struct json *j, const char *s)
{
	if (!s) {
		json_null(j);
		return;
	}
	json_separate(j);
	json_quote(j, s);
}

void json_u64(struct json *j, uint64_t v)
{
	json_separate(j);
	out_printf(j->o, "%" PRIu64, v);
}

void json_i64(struct json *j, int64_t v)
{
	json_separate(j);
	out_printf(j->o, "%" PRId64, v);
}

void json_bool(struct json *j, bool v)
{
	json_separate(j);
	out_str(j->o, v ? "true" : "false");
}

void json_null(struct json *j)
{
	json_separate(j);
	out_str(j->o, "null");
}

void json_key_string(struct json *j, const char *key, const char *s)
{
	json_key(j, key);
	json_string(j, s);
}

void json_key_u64(struct json *j, const char *key, uint64_t v)
{
	json_key(j, key);
	json_u64(j, v);
}

void json_key_bool(struct json *j, const char *key, bool v)
{
	json_key(j, key);
	json_bool(j, v);
}

void json_finish(struct json *j)
{
	out_char(j->o, '\n');
}
