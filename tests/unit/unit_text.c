/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit_text.c - reading files: lines, packed input, and input that must be refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <physzone/types.h>

#include "input/text.h"
#include "vec.h"

static const char unit_three[] = "first\nsecond\r\n\nlast";

static void *pack_gzip(const void *p, size_t n, size_t *out)
{
	z_stream z = { 0 };
	size_t cap = n + n / 8 + 128;
	unsigned char *v = xmalloc(cap);

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
			 Z_OK);
	z.next_in = (Bytef *)(uintptr_t)p;
	z.avail_in = (uInt)n;
	z.next_out = v;
	z.avail_out = (uInt)cap;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	*out = z.total_out;
	deflateEnd(&z);
	return v;
}

static void *pack_xz(const void *p, size_t n, size_t *out)
{
	size_t cap = lzma_stream_buffer_bound(n);
	uint8_t *v = xmalloc(cap);

	*out = 0;
	assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, p, n, v, out, cap),
			 LZMA_OK);
	return v;
}

static void *pack_zstd(const void *p, size_t n, size_t *out)
{
	size_t cap = ZSTD_compressBound(n);
	void *v = xmalloc(cap);

	*out = ZSTD_compress(v, cap, p, n, 1);
	assert_false(ZSTD_isError(*out));
	return v;
}

static const struct unit_packer {
	const char *name;
	void *(*pack)(const void *p, size_t n, size_t *out);
} unit_packers[] = {
	{ "gzip", pack_gzip },
	{ "xz", pack_xz },
	{ "zstd", pack_zstd },
};

static void check_three(const struct text *t)
{
	size_t n;
	const char *p;

	assert_int_equal(t->n, 4);
	p = text_line(t, 0, &n);
	assert_true(n == 5 && !memcmp(p, "first", 5));
	p = text_line(t, 1, &n);
	assert_true(n == 6 && !memcmp(p, "second", 6));
	text_line(t, 2, &n);
	assert_int_equal(n, 0);
	p = text_line(t, 3, &n);
	assert_true(n == 4 && !memcmp(p, "last", 4));
}

static void lines(void **state)
{
	struct text t;
	char *err;

	assert_int_equal(text_from_memory(&t, unit_three, sizeof(unit_three) - 1, "x", 0, &err), 0);
	check_three(&t);
	assert_null(t.packed);
	assert_false(text_is_binary(&t));
	text_destroy(&t);
	assert_int_equal(text_from_memory(&t, NULL, 0, "x", 0, &err), 0);
	assert_int_equal(t.n, 0);
	text_destroy(&t);
	assert_int_equal(text_from_memory(&t, "\n", 1, "x", 0, &err), 0);
	assert_int_equal(t.n, 1);
	text_destroy(&t);
}

static void packed(void **state)
{
	for (size_t k = 0; k < 3; k++) {
		size_t n;
		char *v = unit_packers[k].pack(unit_three, sizeof(unit_three) - 1, &n);
		char *twice = xcalloc(1, 2 * n + 64);
		struct text t;
		char *err;

		assert_int_equal(text_from_memory(&t, v, n, "x", 0, &err), 0);
		assert_string_equal(t.packed, unit_packers[k].name);
		check_three(&t);
		text_destroy(&t);

		/* Cut anywhere: refused, with the file's name. */
		for (size_t cut = 6; cut < n; cut++) {
			assert_int_equal(text_from_memory(&t, v, cut, "my.log", 0, &err),
					 -PZ_EINVAL);
			assert_non_null(strstr(err, "my.log"));
			assert_non_null(strstr(err, unit_packers[k].name));
			free(err);
		}
		/* Two members make one text; padding with zeros is no failure. */
		memcpy(twice, v, n);
		memcpy(twice + n, v, n);
		assert_int_equal(text_from_memory(&t, twice, 2 * n + 64, "x", 0, &err), 0);
		assert_int_equal(t.len, 2 * (sizeof(unit_three) - 1));
		text_destroy(&t);
		/* Other bytes behind it are. */
		memcpy(twice + n, "garbage and more", 16);
		assert_int_equal(text_from_memory(&t, twice, n + 16, "x", 0, &err), -PZ_EINVAL);
		free(err);
		free(twice);
		free(v);
	}
}

static void too_large(void **state)
{
	size_t big = 1 << 20;
	char *zeros = xcalloc(1, big);
	struct text t;
	char *err;

	assert_int_equal(text_from_memory(&t, zeros, big, "x", big - 1, &err), -PZ_EOVERFLOW);
	free(err);
	for (size_t k = 0; k < 3; k++) {
		size_t n;
		char *v = unit_packers[k].pack(zeros, big, &n);

		assert_int_equal(text_from_memory(&t, v, n, "x", big / 2, &err), -PZ_EOVERFLOW);
		assert_non_null(strstr(err, "too large"));
		free(err);
		assert_int_equal(text_from_memory(&t, v, n, "x", big * 2, &err), 0);
		assert_int_equal(t.len, big);
		assert_true(text_is_binary(&t));
		text_destroy(&t);
		free(v);
	}
	free(zeros);
}

static void not_read(void **state)
{
	struct text t;
	char *err;

	assert_int_equal(text_from_memory(&t, "BZh91AY&SY", 10, "x.log", 0, &err), -PZ_EINVAL);
	assert_non_null(strstr(err, "bzip2"));
	free(err);
	assert_int_equal(text_read(&t, "no/such/file", &err), -PZ_ENOENT);
	assert_non_null(strstr(err, "no/such/file"));
	free(err);
	assert_int_equal(text_read(&t, ".", &err), -PZ_ENOENT);
	free(err);
}

static void wide(void **state)
{
	static const char le[] = { '\xff', '\xfe', 'a', 0, '\n', 0, 'b', 0, 2, 1 };
	static const char be[] = { '\xfe', '\xff', 0, 'a', 0, '\n', 0, 'b', 1, 2 };
	struct text t;
	char *err;

	assert_int_equal(text_from_memory(&t, le, sizeof(le), "x", 0, &err), 0);
	assert_string_equal(t.buf, "a\nb?");
	text_destroy(&t);
	assert_int_equal(text_from_memory(&t, be, sizeof(be), "x", 0, &err), 0);
	assert_string_equal(t.buf, "a\nb?");
	text_destroy(&t);
}

static void from_file(void **state)
{
	char path[] = "unit_text_XXXXXX";
	int fd = mkstemp(path);
	struct text t;
	char *err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, unit_three, sizeof(unit_three) - 1), sizeof(unit_three) - 1);
	close(fd);
	assert_int_equal(text_read(&t, path, &err), 0);
	check_three(&t);
	text_destroy(&t);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),    cmocka_unit_test(packed), cmocka_unit_test(too_large),
		cmocka_unit_test(not_read), cmocka_unit_test(wide),   cmocka_unit_test(from_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
