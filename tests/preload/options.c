/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.c - what the environment says, and messages.
 *
 * The first memory is asked for before the C library knows its environment, so it is read from
 * /proc. Messages are written whole, to a file that is opened for each: programs close descriptors
 * that they do not know, and other processes append to the same file.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "preload.h"

#define OPTIONS_NAME "PZ_PRELOAD_"

/* One variable of the environment while it is read: its beginning is enough. */
struct options_line {
	char text[PATH_MAX + 32];
	size_t n;
};

static uint64_t options_number(const char *s, uint64_t least, uint64_t most, uint64_t other)
{
	uint64_t v = 0;

	if (!*s)
		return other;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || v > most)
			return other;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	return v < least || v > most ? other : v;
}

static size_t options_copy(char *to, size_t room, const char *from)
{
	size_t n = 0;

	for (; from[n] && n < room - 1; n++)
		to[n] = from[n];
	to[n] = 0;
	return n;
}

/* The value of a line that sets the variable PZ_PRELOAD_@name; NULL for another line. */
static const char *options_value(const char *line, const char *name)
{
	size_t n = strlen(OPTIONS_NAME), k = strlen(name);

	if (strncmp(line, OPTIONS_NAME, n) != 0 || strncmp(line + n, name, k) != 0)
		return NULL;
	return line[n + k] == '=' ? line + n + k + 1 : NULL;
}

static void options_line(struct preload_options *o, const char *line)
{
	const char *v;

	if ((v = options_value(line, "DEBUG")))
		o->debug_len = options_copy(o->debug, sizeof(o->debug), v);
	else if ((v = options_value(line, "LOG")))
		(void)options_copy(o->log, sizeof(o->log), v);
	else if ((v = options_value(line, "MIB")))
		o->mib = options_number(v, 16, 1 << 20, o->mib);
	else if ((v = options_value(line, "CPUS")))
		o->cpus = (uint32_t)options_number(v, 1, PRELOAD_CPUS, o->cpus);
	else if ((v = options_value(line, "STATS")))
		o->stats = !strcmp(v, "1");
	else if ((v = options_value(line, "CHECK")))
		o->check = !strcmp(v, "1");
	else if ((v = options_value(line, "BUGS")))
		o->go_on = !strcmp(v, "report");
}

void preload_options_read(struct preload_options *o)
{
	static struct options_line l; /* read once, by one thread */
	char buf[4096];
	ssize_t n;
	int fd;

	memset(o, 0, sizeof(*o));
	o->mib = 8192;
	o->cpus = 64;
	fd = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (l.n < sizeof(l.text) - 1)
				l.text[l.n++] = buf[i];
			if (buf[i])
				continue;
			l.text[l.n] = 0;
			options_line(o, l.text);
			l.n = 0;
		}
	}
	(void)close(fd);
}

void preload_say(const struct preload_options *o, const char *fmt, ...)
{
	char line[PRELOAD_LINE];
	va_list ap;
	size_t n;
	int fd = STDERR_FILENO;

	va_start(ap, fmt);
	n = pz_vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (o->log[0])
		fd = open(o->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0)
		return;
	while (write(fd, line, n) < 0 && errno == EINTR)
		;
	if (o->log[0])
		(void)close(fd);
}
