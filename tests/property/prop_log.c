/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_log.c - a log says the same however it is dressed.
 *
 * A recorded log is read plain, and again after mail, journals, consoles and packers had it in a
 * random combination; both times the facts must be equal. Then one character of a log is damaged:
 * no number may come out of it that the plain log does not hold, unless something is said.
 *
 * The first argument is the directory of the recorded machines.
 */
#include "prop.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "facts_dump.h"
#include "input/log.h"
#include "vec.h"

struct log_file {
	char *path;
	struct text text;
	char *plain; /* its facts */
	char *bare;  /* its facts without time stamps */
};

struct log_files {
	VEC(struct log_file) v;
};

struct bytes {
	char *p;
	size_t n, cap;
};

static void put(struct bytes *b, const char *p, size_t n)
{
	if (n > SIZE_MAX / 4 - b->n)
		abort();
	if (n >= b->cap - b->n) {
		b->cap = (b->n + n) * 2 + 4096;
		b->p = xrealloc(b->p, b->cap);
	}
	memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

static void puts_to(struct bytes *b, const char *s)
{
	put(b, s, strlen(s));
}

/* Run @fn over each line of @in, without its newline. */
typedef void (*line_fn)(struct prop *p, struct bytes *out, const char *line, size_t n, size_t at);

static void each_line(struct prop *p, struct bytes *b, line_fn fn)
{
	struct bytes out = { 0 };
	size_t at = 0;

	for (const char *s = b->p, *end = b->p + b->n; s < end; at++) {
		const char *nl = memchr(s, '\n', (size_t)(end - s));
		const char *stop = nl ? nl : end;

		fn(p, &out, s, (size_t)(stop - s), at);
		s = stop + 1;
	}
	free(b->p);
	*b = out;
}

/* The message behind "[    0.000000] ". */
static const char *message(const char *line, size_t n, size_t *len)
{
	const char *close = n && *line == '[' ? memchr(line, ']', n) : NULL;

	if (!close || close + 2 > line + n) {
		*len = n;
		return line;
	}
	*len = n - (size_t)(close + 2 - line);
	return close + 2;
}

static void dress_quote(struct prop *p, struct bytes *out, const char *line, size_t n, size_t at)
{
	puts_to(out, "> > ");
	put(out, line, n);
	puts_to(out, "\n");
}

static void dress_return(struct prop *p, struct bytes *out, const char *line, size_t n, size_t at)
{
	put(out, line, n);
	puts_to(out, "\r\n");
}

static void dress_double(struct prop *p, struct bytes *out, const char *line, size_t n, size_t at)
{
	put(out, line, n);
	puts_to(out, "\n");
	put(out, line, n);
	puts_to(out, "\n");
}

static void dress_merge(struct prop *p, struct bytes *out, const char *line, size_t n, size_t at)
{
	put(out, line, n);
	puts_to(out, at % 7 == 3 ? "" : "\n");
}

static void dress_journal(struct prop *p, struct bytes *out, const char *line, size_t n, size_t at)
{
	puts_to(out, "Nov 21 06:00:00 some-host kernel: ");
	put(out, line, n);
	puts_to(out,
		at % 10 ? "\n" : "\nNov 21 06:00:01 some-host systemd[1]: Starting things...\n");
}

static void dress_iso(struct prop *p, struct bytes *out, const char *line, size_t n, size_t at)
{
	puts_to(out, "2026-11-21T06:00:00.123456+00:00 host kernel[0]: ");
	put(out, line, n);
	puts_to(out, "\n");
}

static void dress_bare(struct prop *p, struct bytes *out, const char *line, size_t n, size_t at)
{
	size_t len;
	const char *m = message(line, n, &len);

	put(out, m, len);
	puts_to(out, "\n");
}

static void dress_date(struct prop *p, struct bytes *out, const char *line, size_t n, size_t at)
{
	puts_to(out, "[Sat Nov 21 06:00:00 2026] ");
	dress_bare(p, out, line, n, at);
}

static void dress_since(struct prop *p, struct bytes *out, const char *line, size_t n, size_t at)
{
	puts_to(out, at % 5 ? "[  +0.000023] " : "[Nov21 06:00] ");
	dress_bare(p, out, line, n, at);
}

static void dress_priority(struct prop *p, struct bytes *out, const char *line, size_t n, size_t at)
{
	puts_to(out, "<6>");
	put(out, line, n);
	puts_to(out, "\n");
}

static void dress_level(struct prop *p, struct bytes *out, const char *line, size_t n, size_t at)
{
	puts_to(out, at % 2 ? "kern  :info  : " : "kern  :notice: ");
	put(out, line, n);
	puts_to(out, "\n");
}

static void dress_caller(struct prop *p, struct bytes *out, const char *line, size_t n, size_t at)
{
	const char *close = n && *line == '[' ? memchr(line, ']', n) : NULL;

	if (close) {
		put(out, line, (size_t)(close + 1 - line));
		puts_to(out, at % 2 ? "[    T0]" : " [    T0]");
		n -= (size_t)(close + 1 - line);
		line = close + 1;
	}
	put(out, line, n);
	puts_to(out, "\n");
}

static void dress_colour(struct prop *p, struct bytes *out, const char *line, size_t n, size_t at)
{
	const char *close = n && *line == '[' ? memchr(line, ']', n) : NULL;

	puts_to(out, "\033[32m");
	if (close) {
		put(out, line, (size_t)(close + 1 - line));
		puts_to(out, "\033[0m\033[33;1m");
		n -= (size_t)(close + 1 - line);
		line = close + 1;
	}
	put(out, line, n);
	puts_to(out, "\033[0m\n");
}

static void dress_noise(struct prop *p, struct bytes *out, const char *line, size_t n, size_t at)
{
	static const char *const noise[] = {
		"login: \n", "SeaBIOS (version 1.16.2-debian-1.16.2-1)\n",
		"\n",	     "Loading initial ramdisk ...\n",
		"\r\r# ",    "[  OK  ] Started a service.\n",
	};

	if (at % 6 == 1)
		puts_to(out, noise[at / 6 % 6]);
	put(out, line, n);
	puts_to(out, "\n");
}

static void dress_collapse(struct prop *p, struct bytes *out, const char *line, size_t n, size_t at)
{
	for (size_t i = 0; i < n; i++)
		if (line[i] != ' ' || !i || line[i - 1] != ' ')
			put(out, line + i, 1);
	puts_to(out, "\n");
}

/* Cut at the last blank before column 76, as mail programs do. */
static void dress_wrap(struct prop *p, struct bytes *out, const char *line, size_t n, size_t at)
{
	while (n > 76) {
		size_t cut = 76;

		while (cut > 20 && line[cut] != ' ')
			cut--;
		if (line[cut] != ' ')
			break;
		put(out, line, cut);
		puts_to(out, "\n");
		line += cut + 1;
		n -= cut + 1;
	}
	put(out, line, n);
	puts_to(out, "\n");
}

static void dress_qp(struct prop *p, struct bytes *out, const char *line, size_t n, size_t at)
{
	size_t column = 0;

	for (size_t i = 0; i < n; i++) {
		bool plain = line[i] != '=' && line[i] >= 0x20 && line[i] < 0x7f &&
			     (line[i] != ' ' || i + 1 < n);
		char code[4];

		if (column >= 73) {
			puts_to(out, "=\n");
			column = 0;
		}
		snprintf(code, sizeof(code), "=%02X", (unsigned char)line[i]);
		puts_to(out, plain ? (char[2]){ line[i], 0 } : code);
		column += plain ? 1 : 3;
	}
	puts_to(out, "\n");
}

static void pack_gzip(struct bytes *b)
{
	z_stream z = { 0 };
	struct bytes out = { xmalloc(b->n + 4096), 0, b->n + 4096 };

	deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
	z.next_in = (Bytef *)b->p;
	z.avail_in = (uInt)b->n;
	z.next_out = (Bytef *)out.p;
	z.avail_out = (uInt)out.cap;
	deflate(&z, Z_FINISH);
	out.n = z.total_out;
	deflateEnd(&z);
	free(b->p);
	*b = out;
}

static void pack_xz(struct bytes *b)
{
	struct bytes out = { xmalloc(b->n + 4096), 0, b->n + 4096 };

	if (lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, (uint8_t *)b->p, b->n,
				    (uint8_t *)out.p, &out.n, out.cap) != LZMA_OK)
		abort();
	free(b->p);
	*b = out;
}

static void pack_zstd(struct bytes *b)
{
	size_t cap = ZSTD_compressBound(b->n);
	struct bytes out = { xmalloc(cap), 0, cap };

	out.n = ZSTD_compress(out.p, cap, b->p, b->n, 1);
	free(b->p);
	*b = out;
}

static const struct dress {
	const char *name;
	line_fn fn;
	bool bare; /* time stamps are lost */
} inner[] = {
	{ "as it is", NULL, false },
	{ "collapsed blanks", dress_collapse, false },
	{ "journal", dress_journal, false },
	{ "ISO journal", dress_iso, false },
	{ "priorities", dress_priority, false },
	{ "levels", dress_level, false },
	{ "callers", dress_caller, false },
	{ "colours", dress_colour, false },
	{ "noise", dress_noise, false },
	{ "two consoles", dress_double, false },
	{ "merged lines", dress_merge, false },
	{ "no time stamps", dress_bare, true },
	{ "dates", dress_date, true },
	{ "times since", dress_since, true },
}, outer[] = {
	{ "as it is", NULL, false },
	{ "wrapped", dress_wrap, false },
	{ "quoted", dress_quote, false },
	{ "returns", dress_return, false },
	{ "quoted-printable", dress_qp, false },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What may differ: time stamps where they are lost, and the note about lines that repeat. */
static char *dump_without(const char *dump, bool stamps)
{
	struct bytes out = { 0 };

	puts_to(&out, "");
	for (const char *s = dump; *s;) {
		const char *nl = strchr(s, '\n');
		const char *at = strstr(s, " at ");

		if (strncmp(s, "note ", 5) != 0) {
			put(&out, s, (size_t)((stamps && at && at < nl ? at : nl) - s));
			puts_to(&out, "\n");
		}
		s = nl + 1;
	}
	return out.p;
}

static char *read_dump(const void *p, size_t n, const char *name, bool stamps)
{
	struct text t;
	struct facts f;
	char *err, *dump, *ret;

	if (text_from_memory(&t, p, n, name, 0, &err)) {
		fprintf(stderr, "%s\n", err);
		exit(2);
	}
	facts_init(&f);
	if (!log_looks_like(&t) || log_parse(&f, &t, facts_file(&f, name), 0, &err)) {
		facts_destroy(&f);
		text_destroy(&t);
		return xstrdup("no log\n");
	}
	dump = facts_dump_string(&f, false);
	ret = dump_without(dump, stamps);
	free(dump);
	facts_destroy(&f);
	text_destroy(&t);
	return ret;
}

static const char *first_difference(const char *a, const char *b)
{
	const char *start = b;

	for (; *a && *a == *b; a++, b++)
		if (*b == '\n')
			start = b + 1;
	return start;
}

static bool log_dressed(struct prop *p, void *ctx)
{
	struct log_files *files = ctx;
	struct log_file *file = &files->v.v[prop_draw(p, files->v.n - 1)];
	const struct dress *in = &inner[prop_draw(p, COUNT(inner) - 1)];
	const struct dress *mid = &outer[prop_draw(p, COUNT(outer) - 1)];
	const struct dress *out = &outer[prop_draw(p, COUNT(outer) - 1)];
	unsigned int packed = (unsigned int)prop_draw(p, 3);
	struct bytes b = { 0 };
	const char *want;
	char *got;
	bool same;

	/* Quoted-printable comes last but for the ends of lines, and wrapping first. */
	if ((mid->fn == dress_qp && out->fn != dress_return) || out->fn == dress_wrap)
		out = &outer[0];
	/* Without time stamps, or with other lines in between, nothing tells a wrapped word from a
	 * line; behind the longest prefix no more than a word is left on a line. */
	if (mid->fn == dress_wrap &&
	    (in->bare || in->fn == dress_double || in->fn == dress_noise || in->fn == dress_iso))
		mid = &outer[0];
	if (in->fn == dress_merge && mid->fn == dress_wrap)
		in = &inner[0];
	put(&b, file->text.buf, file->text.len);
	if (in->fn)
		each_line(p, &b, in->fn);
	if (mid->fn)
		each_line(p, &b, mid->fn);
	if (out->fn)
		each_line(p, &b, out->fn);
	if (packed == 1)
		pack_gzip(&b);
	else if (packed == 2)
		pack_xz(&b);
	else if (packed == 3)
		pack_zstd(&b);
	got = read_dump(b.p, b.n, file->path, in->bare);
	want = in->bare ? file->bare : file->plain;
	same = !strcmp(got, want);
	prop_note(p, "%s: %s, %s, %s, packed %u", file->path, in->name, mid->name, out->name,
		  packed);
	if (!same)
		prop_note(p, "got %.160s", first_difference(want, got));
	if (!same)
		prop_note(p, "want %.160s", first_difference(got, want));
	free(got);
	free(b.p);
	return same;
}

/* Facts that a damaged log adds without saying anything; those of free text may change. */
static bool log_damaged(struct prop *p, void *ctx)
{
	struct log_files *files = ctx;
	struct log_file *file = &files->v.v[prop_draw(p, files->v.n - 1)];
	struct bytes b = { 0 };
	size_t at;
	char *got;
	bool ok = true;
	const char *zeros;

	put(&b, file->text.buf, file->text.len);
	/* Lose one digit of an address of full width. */
	at = prop_draw(p, b.n - 1);
	zeros = strstr(b.p + at, "0x00000000");
	if (zeros) {
		size_t from = (size_t)(zeros - b.p) + 2 + prop_draw(p, 7);

		memmove(b.p + from, b.p + from + 1, b.n - from - 1);
		b.n--;
		got = read_dump(b.p, b.n, file->path, false);
		for (const char *s = got; *s && ok;) {
			const char *nl = strchr(s, '\n');
			char line[512];

			snprintf(line, sizeof(line), "%.*s\n", (int)(nl - s), s);
			if (strncmp(line, "contradiction", 13) != 0 &&
			    strncmp(line, "region", 6) != 0 && strncmp(line, "claim", 5) != 0 &&
			    strncmp(line, "event", 5) != 0 && (nl - s) < 500 &&
			    !strstr(file->plain, line)) {
				prop_note(p, "%s: %s", file->path, line);
				ok = strstr(got, "contradiction ") != NULL;
			}
			s = nl + 1;
		}
		free(got);
	}
	free(b.p);
	return ok;
}

static void collect(struct log_files *files, const char *dir, int depth)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char *path = xasprintf("%s/%s", dir, e->d_name);
		struct log_file *f;
		struct stat st;
		char *err;

		if (*e->d_name == '.' || stat(path, &st)) {
			free(path);
		} else if (S_ISDIR(st.st_mode)) {
			if (depth < 3)
				collect(files, path, depth + 1);
			free(path);
		} else if (strncmp(e->d_name, "dmesg.txt", 9) != 0) {
			free(path);
		} else {
			f = vec_push(&files->v);
			f->path = path;
			if (text_read(&f->text, path, &err)) {
				fprintf(stderr, "%s\n", err);
				exit(2);
			}
		}
	}
	if (d)
		closedir(d);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct log_file *)a)->path, ((const struct log_file *)b)->path);
}

int main(int argc, char **argv)
{
	struct log_files files = { 0 };
	int ret;

	if (argc < 2)
		return 2;
	collect(&files, argv[1], 0);
	if (!files.v.n) {
		fprintf(stderr, "no logs under %s\n", argv[1]);
		return 2;
	}
	qsort(files.v.v, files.v.n, sizeof(*files.v.v), by_path);
	for (size_t i = 0; i < files.v.n; i++) {
		struct log_file *f = &files.v.v[i];

		f->plain = read_dump(f->text.buf, f->text.len, f->path, false);
		f->bare = read_dump(f->text.buf, f->text.len, f->path, true);
	}
	prop_run("a log says the same however it is dressed", log_dressed, &files, 250);
	prop_run("a lost digit never makes another number", log_damaged, &files, 100);
	ret = prop_done();
	for (size_t i = 0; i < files.v.n; i++) {
		free(files.v.v[i].path);
		free(files.v.v[i].plain);
		free(files.v.v[i].bare);
		text_destroy(&files.v.v[i].text);
	}
	vec_free(&files.v);
	return ret;
}
