/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * case_source.h - where the numbers of a case come from: a property, or the bytes of a fuzzer;
 * and how its functions say what went wrong: by a text, NULL for nothing.
 */
#ifndef TESTS_FUZZ_CASE_SOURCE_H
#define TESTS_FUZZ_CASE_SOURCE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Go on, or say where it went wrong. */
#define TEXT2(x) #x
#define TEXT(x) TEXT2(x)
#define MUST(cond)                                                     \
	do {                                                           \
		if (!(cond))                                           \
			return __FILE__ ":" TEXT(__LINE__) ": " #cond; \
	} while (0)
#define PASS(call)                           \
	do {                                 \
		const char *wrong_ = (call); \
		if (wrong_)                  \
			return wrong_;       \
	} while (0)

struct case_source {
	uint64_t (*draw)(void *ctx, uint64_t max); /* in [0, max]; 0 is simplest */
	void (*note)(void *ctx, const char *text); /* what is done; or NULL */
	void *ctx;
};

static inline void case_note(const struct case_source *s, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static inline void case_note(const struct case_source *s, const char *fmt, va_list ap)
{
	char text[200];

	if (!s->note)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	s->note(s->ctx, text);
}

struct case_bytes {
	const uint8_t *p;
	size_t n;
};

/* As many bytes as the number may need; behind the end all are 0. */
static inline uint64_t case_bytes_draw(void *ctx, uint64_t max)
{
	struct case_bytes *b = ctx;
	uint64_t v = 0;

	for (uint64_t left = max; left && b->n; left >>= 8) {
		v = v << 8 | *b->p++;
		b->n--;
	}
	return max == UINT64_MAX ? v : v % (max + 1);
}

#endif
