/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.c - reads a file into one buffer and finds its lines.
 *
 * One buffer holds all bytes and one array the offsets of the lines: 4 bytes a line beside the
 * bytes themselves. Packed input is unpacked into the same buffer, member after member.
 *
 * Invariants: 1. start[0] <= start[1] <= ... <= start[n] = len; 2. a line is [start[i],
 * start[i + 1]) with its newline, if it has one; 3. buf[len] is 0.
 *
 * Failure: a file that cannot be read or unpacked to its end is refused as a whole; half a log
 * would give half a machine. Zeros that pad a packed file (tapes, block devices) are no failure.
 *
 * Shortcomings: text in UTF-16 (redirected on Windows) is brought to bytes, and what is not ASCII
 * in it becomes '?'. Nothing is packed twice.
 */
#include "input/text.h"

#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <physzone/types.h>

#include "vec.h"

struct text_bytes {
	char *v;
	size_t n, cap, max;
};

enum { TEXT_ROOM = 1 << 16 };

/* Make room for at least one more byte; false when the limit is reached. */
static bool text_room(struct text_bytes *b)
{
	size_t want;

	if (b->n < b->cap)
		return true;
	if (b->cap >= b->max)
		return false;
	want = b->cap < TEXT_ROOM ? TEXT_ROOM : b->cap * 2;
	if (want > b->max)
		want = b->max;
	b->v = xrealloc(b->v, want + 1);
	b->cap = want;
	return true;
}

static int text_too_large(const char *name, size_t max, char **err)
{
	*err = xasprintf("%s: too large: more than %zu MiB of text", name, max >> 20);
	return -PZ_EOVERFLOW;
}

static int text_damaged(const char *name, const char *packed, const char *why, char **err)
{
	*err = xasprintf("%s: the %s data is %s", name, packed, why);
	return -PZ_EINVAL;
}

static bool text_all_zero(const unsigned char *p, size_t n)
{
	while (n && !*p) {
		p++;
		n--;
	}
	return !n;
}

/* One gzip member after the other. */
static int text_gunzip(struct text_bytes *out, const unsigned char *in, size_t n, const char *name,
		       char **err)
{
	z_stream z = { 0 };
	int ret = 0;
	int zr;

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return text_damaged(name, "gzip", "more than there is memory for", err);
	z.next_in = (Bytef *)(uintptr_t)in;
	while (!ret) {
		size_t left = n - (size_t)(z.next_in - in);
		size_t room;

		if (!text_room(out)) {
			ret = text_too_large(name, out->max, err);
			break;
		}
		room = out->cap - out->n;
		z.avail_in = left > 1 << 30 ? 1 << 30 : (uInt)left;
		z.avail_out = room > 1 << 30 ? 1 << 30 : (uInt)room;
		z.next_out = (Bytef *)out->v + out->n;
		zr = inflate(&z, Z_NO_FLUSH);
		out->n = (size_t)((char *)z.next_out - out->v);
		left = n - (size_t)(z.next_in - in);
		if (zr == Z_STREAM_END) {
			if (text_all_zero(z.next_in, left))
				break;
			if (left < 2 || z.next_in[0] != 0x1f || z.next_in[1] != 0x8b)
				ret = text_damaged(name, "gzip", "followed by other bytes", err);
			else
				inflateReset(&z);
		} else if (zr == Z_BUF_ERROR && !left && z.avail_out) {
			ret = text_damaged(name, "gzip", "cut off", err);
		} else if (zr != Z_OK && zr != Z_BUF_ERROR) {
			ret = text_damaged(name, "gzip", "damaged", err);
		} else if (!left && z.avail_out) {
			ret = text_damaged(name, "gzip", "cut off", err);
		}
	}
	inflateEnd(&z);
	return ret;
}

static int text_unxz(struct text_bytes *out, const unsigned char *in, size_t n, const char *name,
		     char **err)
{
	lzma_stream s = LZMA_STREAM_INIT;
	lzma_ret lr = LZMA_OK;
	int ret = 0;

	if (lzma_stream_decoder(&s, (uint64_t)1 << 30, LZMA_CONCATENATED) != LZMA_OK)
		return text_damaged(name, "xz", "more than there is memory for", err);
	s.next_in = in;
	s.avail_in = n;
	while (lr == LZMA_OK) {
		if (!text_room(out)) {
			lr = LZMA_MEM_ERROR;
			ret = text_too_large(name, out->max, err);
			break;
		}
		s.next_out = (uint8_t *)out->v + out->n;
		s.avail_out = out->cap - out->n;
		lr = lzma_code(&s, LZMA_FINISH);
		out->n = (size_t)((char *)s.next_out - out->v);
	}
	lzma_end(&s);
	if (ret || lr == LZMA_STREAM_END)
		return ret;
	if (lr == LZMA_BUF_ERROR)
		return text_damaged(name, "xz", "cut off", err);
	if (lr == LZMA_MEMLIMIT_ERROR || lr == LZMA_MEM_ERROR)
		return text_damaged(name, "xz", "more than there is memory for", err);
	return text_damaged(name, "xz", "damaged", err);
}

static int text_unzstd(struct text_bytes *out, const unsigned char *in, size_t n, const char *name,
		       char **err)
{
	ZSTD_DCtx *d = ZSTD_createDCtx();
	ZSTD_inBuffer src = { in, n, 0 };
	size_t left = 1;
	int ret = 0;

	if (!d)
		return text_damaged(name, "zstd", "more than there is memory for", err);
	while (!ret) {
		ZSTD_outBuffer dst;
		size_t before = src.pos;

		if (!left && text_all_zero(in + src.pos, n - src.pos))
			break;
		if (!text_room(out)) {
			ret = text_too_large(name, out->max, err);
			break;
		}
		dst = (ZSTD_outBuffer){ out->v + out->n, out->cap - out->n, 0 };
		left = ZSTD_decompressStream(d, &dst, &src);
		out->n += dst.pos;
		if (ZSTD_isError(left))
			ret = text_damaged(name, "zstd", "damaged", err);
		else if (left && src.pos == n && src.pos == before && dst.pos < dst.size)
			ret = text_damaged(name, "zstd", "cut off", err);
	}
	ZSTD_freeDCtx(d);
	return ret;
}

/* What a file is packed with, by its first bytes. Those that are not unpacked have no function. */
static const struct text_packing {
	const char *name;
	unsigned char magic[6];
	unsigned char len;
	int (*unpack)(struct text_bytes *out, const unsigned char *in, size_t n, const char *name,
		      char **err);
} text_packings[] = {
	{ "gzip", { 0x1f, 0x8b }, 2, text_gunzip },
	{ "xz", { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, text_unxz },
	{ "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, text_unzstd },
	{ "bzip2", { 'B', 'Z', 'h' }, 3, NULL },
	{ "zip", { 'P', 'K', 3, 4 }, 4, NULL },
	{ "lz4", { 0x04, 0x22, 0x4d, 0x18 }, 4, NULL },
	{ "compress", { 0x1f, 0x9d }, 2, NULL },
};

/* UTF-16 with its mark becomes bytes, in place. */
static void text_from_utf16(struct text_bytes *b)
{
	const unsigned char *p = (const unsigned char *)b->v;
	size_t high, out = 0;

	if (b->n < 2 || !((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
		return;
	high = p[0] == 0xff ? 1 : 0;
	for (size_t i = 2; i + 1 < b->n; i += 2)
		b->v[out++] = p[i + high] || p[i + 1 - high] > 0x7e ? '?' : (char)p[i + 1 - high];
	b->n = out;
}

/* Take over unpacked bytes and find the lines. */
static int text_split(struct text *t, struct text_bytes *b, const char *name, char **err)
{
	size_t lines = 0, i = 0;
	const char *p, *end;

	text_from_utf16(b);
	if (!b->v)
		b->v = xcalloc(1, 1);
	b->v[b->n] = '\0';
	end = b->v + b->n;
	for (p = b->v; p < end; p++) {
		unsigned char c = (unsigned char)*p;

		if (c >= 0x20 && c < 0x7f)
			continue;
		if (c == '\n')
			lines++;
		else if (!c)
			t->nuls++;
		else if (c == 0x1b || c >= 0x80 || (c == '\r' && p[1] != '\n'))
			t->marks++;
		else if (c != '\t' && c != '\r')
			t->controls++;
	}
	if (b->n && end[-1] != '\n')
		lines++;
	if (lines > TEXT_MAX_LINES) {
		*err = xasprintf("%s: too many lines: more than %zu million", name,
				 TEXT_MAX_LINES / 1000000);
		return -PZ_EOVERFLOW;
	}
	t->buf = b->v;
	t->len = b->n;
	t->n = lines;
	t->start = xcalloc(lines + 1, sizeof(*t->start));
	for (p = b->v; p < end && i < lines; i++) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		t->start[i] = (uint32_t)(p - b->v);
		p = nl ? nl + 1 : end;
	}
	t->start[lines] = (uint32_t)b->n;
	return 0;
}

/* Unpack when packed, and split. Owns @b's bytes. */
static int text_finish(struct text *t, struct text_bytes *b, const char *name, char **err)
{
	struct text_bytes out = { .max = b->max };
	int ret = 0;

	for (size_t i = 0; i < sizeof(text_packings) / sizeof(text_packings[0]); i++) {
		const struct text_packing *k = &text_packings[i];

		if (b->n < k->len || memcmp(b->v, k->magic, k->len) != 0)
			continue;
		if (!k->unpack) {
			*err = xasprintf("%s: packed with %s, which is not read: unpack it first",
					 name, k->name);
			ret = -PZ_EINVAL;
			break;
		}
		t->packed = k->name;
		ret = k->unpack(&out, (const unsigned char *)b->v, b->n, name, err);
		free(b->v);
		*b = out;
		break;
	}
	if (!ret)
		ret = text_split(t, b, name, err);
	if (ret) {
		free(b->v);
		*t = (struct text){ 0 };
	}
	return ret;
}

int text_from_memory(struct text *t, const void *p, size_t n, const char *name, size_t max,
		     char **err)
{
	struct text_bytes b = { .max = max ? max : TEXT_MAX_BYTES };

	*t = (struct text){ 0 };
	*err = NULL;
	if (n > b.max)
		return text_too_large(name, b.max, err);
	b.v = xmalloc(n + 1);
	if (n)
		memcpy(b.v, p, n);
	b.n = b.cap = n;
	return text_finish(t, &b, name, err);
}

static const char *text_name(const char *path)
{
	return strcmp(path, "-") ? path : "standard input";
}

/* All bytes of a file; nothing is held on error. */
static int text_load(struct text_bytes *b, const char *path, char **err)
{
	bool in = !strcmp(path, "-");
	const char *name = text_name(path);
	struct stat st;
	int fd, ret = 0;
	ssize_t got;

	fd = in ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		*err = xasprintf("%s: %s", name, strerror(errno));
		return -PZ_ENOENT;
	}
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0) {
		/* One byte more, so that the end shows without growing. */
		if ((uint64_t)st.st_size >= b->max) {
			ret = text_too_large(name, b->max, err);
		} else {
			b->cap = (size_t)st.st_size + 1;
			b->v = xmalloc(b->cap + 1);
		}
	}
	while (!ret) {
		if (!text_room(b)) {
			ret = text_too_large(name, b->max, err);
			break;
		}
		got = read(fd, b->v + b->n, b->cap - b->n);
		if (got > 0) {
			b->n += (size_t)got;
		} else if (!got) {
			break;
		} else if (errno != EINTR) {
			*err = xasprintf("%s: %s", name, strerror(errno));
			ret = -PZ_ENOENT;
		}
	}
	if (!in)
		close(fd);
	if (ret)
		free(b->v);
	return ret;
}

int text_read(struct text *t, const char *path, char **err)
{
	struct text_bytes b = { .max = TEXT_MAX_BYTES };
	int ret;

	*t = (struct text){ 0 };
	*err = NULL;
	ret = text_load(&b, path, err);
	return ret ? ret : text_finish(t, &b, text_name(path), err);
}

int text_read_raw(struct text *t, const char *path, char **err)
{
	struct text_bytes b = { .max = TEXT_MAX_BYTES };
	int ret;

	*t = (struct text){ 0 };
	*err = NULL;
	ret = text_load(&b, path, err);
	if (ret)
		return ret;
	t->buf = b.v;
	t->len = b.n;
	t->buf[t->len] = '\0';
	return 0;
}

void text_destroy(struct text *t)
{
	free(t->buf);
	free(t->start);
	*t = (struct text){ 0 };
}

const char *text_line(const struct text *t, size_t i, size_t *len)
{
	const char *p = t->buf + t->start[i];
	size_t n = t->start[i + 1] - t->start[i];

	if (n && p[n - 1] == '\n')
		n--;
	while (n && p[n - 1] == '\r')
		n--;
	*len = n;
	return p;
}

bool text_is_binary(const struct text *t)
{
	return t->nuls + t->controls > t->len / 32;
}
