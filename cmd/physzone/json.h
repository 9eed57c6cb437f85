/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.h - writes one JSON value (RFC 8259) into an output, indented for people or on one line.
 *
 * The caller keeps the order: json_key() before every value inside an object. What cannot be wrong
 * here is the text: commas, quotes, escapes and UTF-8 are always well formed, whatever the input.
 */
#ifndef PHYSZONE_CMD_JSON_H
#define PHYSZONE_CMD_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "out.h"

#define JSON_DEPTH 32

struct json {
	struct out *o;
	unsigned int depth;
	bool after_key;
	bool filled[JSON_DEPTH]; /* the container at that depth has a member */
	bool flat[JSON_DEPTH];	 /* its members stand on one line */
};

void json_init(struct json *j, struct out *o);

/* Containers. `flat` keeps the members on one line. */
void json_object(struct json *j, bool flat);
void json_array(struct json *j, bool flat);
void json_end_object(struct json *j);
void json_end_array(struct json *j);

void json_key(struct json *j, const char *key);

/* Values. A NULL string is null. Bytes that are no UTF-8 become U+FFFD. */
void json_string(struct json *j, const char *s);
void json_u64(struct json *j, uint64_t v);
void json_i64(struct json *j, int64_t v);
void json_bool(struct json *j, bool v);
void json_null(struct json *j);

/* Key and value together. */
void json_key_string(struct json *j, const char *key, const char *s);
void json_key_u64(struct json *j, const char *key, uint64_t v);
void json_key_bool(struct json *j, const char *key, bool v);

/* End the document with a newline. */
void json_finish(struct json *j);

#endif
