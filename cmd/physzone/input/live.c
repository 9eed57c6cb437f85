/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live.c - the machine that physzone runs on, from /proc, /sys and debugfs.
 *
 * Most of it is for root only, and much of it depends on how the kernel was configured. So every
 * part is read for itself, and one that cannot be read becomes a note; only when no part is left
 * that tells where memory is, is that an error.
 *
 * Text that the kernel spreads over many files (one value each) is gathered into the form in which
 * recorded machines have it, so that one reader serves both.
 *
 * The kernel's log is read from its ring buffer, where it lasts until enough was said after it.
 * Only a log that still has its start is used.
 *
 * /proc/kpageflags has eight bytes for every page frame. Only the frames of RAM are read, and they
 * are left out where there are more than a few seconds' worth.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "input/dtb.h"
#include "input/log.h"
#include "input/proc.h"
#include "input/scan.h"
#include "input/source.h"

#define LIVE_FRAMES_MAX ((uint64_t)1 << 24)

enum { LIVE_FRAMES_AT_ONCE = 8192 };

/* Bits of a word of /proc/kpageflags. */
enum { LIVE_HWPOISON = 19, LIVE_NOPAGE = 20, LIVE_OFFLINE = 23, LIVE_RESERVED = 32 };

struct live_string {
	char *v;
	size_t n;
};

static void live_add(struct live_string *s, char *more)
{
	size_t n = strlen(more);
	char *v = xmalloc(s->n + n + 1);

	if (s->n)
		memcpy(v, s->v, s->n);
	memcpy(v + s->n, more, n + 1);
	free(s->v);
	free(more);
	s->v = v;
	s->n += n;
}

/* Read a file; when that fails, note why unless it does not exist and need not. */
static bool live_text(struct facts *f, struct text *t, const char *path, bool needed)
{
	char *err = NULL;

	if (!text_read(t, path, &err))
		return true;
	if (needed || access(path, F_OK) == 0)
		facts_note(f, "%s", err);
	free(err);
	return false;
}

typedef int live_reader(struct facts *f, uint32_t file, const char *buf, size_t len, char **err);

/* Read a file and hand it to its reader; what the reader does not understand becomes a note. */
static bool live_part(struct facts *f, const char *root, const char *name, bool needed,
		      live_reader *reader)
{
	char *path = xasprintf("%s%s", root, name);
	char *err = NULL;
	struct text t;
	bool ok = live_text(f, &t, path, needed);

	if (ok) {
		if (reader(f, facts_file(f, path), t.buf, t.len, &err)) {
			facts_note(f, "%s", err);
			free(err);
			ok = false;
		}
		text_destroy(&t);
	}
	free(path);
	return ok;
}

/* The first line of a small file, or NULL. */
static char *live_value(const char *path)
{
	char *err = NULL, *v;
	size_t n = 0;
	const char *p;
	struct text t;

	if (text_read(&t, path, &err)) {
		free(err);
		return NULL;
	}
	p = t.n ? text_line(&t, 0, &n) : NULL;
	v = p ? xstrndup(p, strnlen(p, n)) : xstrdup("");
	text_destroy(&t);
	return v;
}

/* Hand gathered text to a reader, under the name of the directory that it was gathered from. */
static bool live_gathered(struct facts *f, const char *name, struct live_string *s,
			  live_reader *reader)
{
	char *err = NULL;
	bool ok = s->n > 0;

	if (ok && reader(f, facts_file(f, name), s->v, s->n, &err)) {
		facts_note(f, "%s", err);
		free(err);
		ok = false;
	}
	free(s->v);
	return ok;
}

/* /sys/firmware/memmap/N/{start,end,type} */
static bool live_memmap(struct facts *f, const char *root)
{
	static const char *const parts[] = { "start", "end", "type" };
	char *dir = xasprintf("%s/sys/firmware/memmap", root);
	struct live_string s = { NULL, 0 };
	bool refused = false, ok;
	unsigned int n;

	for (n = 0; !refused; n++) {
		char *value[3] = { NULL, NULL, NULL };
		char *entry = xasprintf("%s/%u", dir, n);
		bool there = access(entry, F_OK) == 0;

		for (unsigned int i = 0; there && i < 3; i++) {
			char *path = xasprintf("%s/%s", entry, parts[i]);

			value[i] = live_value(path);
			refused = refused || !value[i];
			free(path);
		}
		if (there && !refused)
			live_add(&s, xasprintf("%u %s %s %s\n", n, value[0], value[1], value[2]));
		for (unsigned int i = 0; i < 3; i++)
			free(value[i]);
		free(entry);
		if (!there)
			break;
	}
	if (refused) {
		facts_note(f, "%s: entry %u cannot be read, so none of it is used", dir, n - 1);
		s.n = 0;
	}
	ok = live_gathered(f, dir, &s, proc_memmap);
	free(dir);
	return ok;
}

static void live_sysctls(struct facts *f, const char *root)
{
	static const char *const names[] = { "min_free_kbytes", "lowmem_reserve_ratio",
					     "watermark_scale_factor" };
	char *dir = xasprintf("%s/proc/sys/vm", root);
	struct live_string s = { NULL, 0 };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *path = xasprintf("%s/%s", dir, names[i]);
		char *value = live_value(path);

		if (value)
			live_add(&s, xasprintf("/proc/sys/vm/%s: %s\n", names[i], value));
		free(value);
		free(path);
	}
	live_gathered(f, dir, &s, proc_sysctl);
	free(dir);
}

static void live_nodes(struct facts *f, const char *root)
{
	static const char *const lists[] = { "online", "has_memory" };
	char *dir = xasprintf("%s/sys/devices/system/node", root);
	struct live_string s = { NULL, 0 };
	struct node_list online = { { NULL, 0, 0 } };

	for (size_t i = 0; i < 2; i++) {
		char *path = xasprintf("%s/%s", dir, lists[i]);
		char *value = live_value(path);
		struct where at = { facts_file(f, path), 1 };
		char *err = NULL;

		if (value && i == 0 && proc_node_list(f, at, value, strlen(value), &online, &err)) {
			facts_note(f, "%s", err);
			free(err);
		}
		if (value)
			live_add(&s, xasprintf("== %s %s\n", lists[i], value));
		free(value);
		free(path);
	}
	for (size_t i = 0; i < online.v.n; i++) {
		char *path = xasprintf("%s/node%d/distance", dir, online.v.v[i]);
		char *value = live_value(path);

		if (value)
			live_add(&s, xasprintf("== %s\n%s\n", path, value));
		free(value);
		free(path);
	}
	vec_free(&online.v);
	live_gathered(f, dir, &s, proc_nodes);
	free(dir);
}

static int live_memory(struct facts *f, uint32_t file, const char *buf, size_t len, char **err)
{
	return proc_memblock(f, file, "memory", buf, len, err);
}

static int live_reserved(struct facts *f, uint32_t file, const char *buf, size_t len, char **err)
{
	return proc_memblock(f, file, "reserved", buf, len, err);
}

static enum page_class live_class(uint64_t flags)
{
	if (flags >> LIVE_NOPAGE & 1)
		return PGC_NOPAGE;
	if (flags >> LIVE_HWPOISON & 1)
		return PGC_HWPOISON;
	if (flags >> LIVE_OFFLINE & 1)
		return PGC_OFFLINE;
	if (flags >> LIVE_RESERVED & 1)
		return PGC_RESERVED;
	return PGC_MANAGED;
}

/* Append one page to the runs. */
static void live_page(struct facts *f, struct where at, uint64_t pfn, enum page_class cls)
{
	struct fact_pages *run = f->pages.n ? &f->pages.v[f->pages.n - 1] : NULL;

	if (run && run->cls == cls && run->pfns.last + 1 == pfn) {
		run->pfns.last = pfn;
		return;
	}
	run = vec_push(&f->pages);
	run->pfns.first = pfn;
	run->pfns.last = pfn;
	run->cls = cls;
	run->at = at;
}

/* The flags of the frames of one range; false when they cannot be read. */
static bool live_frames(struct facts *f, int fd, struct where at, struct pz_range pfns)
{
	uint64_t *words = xmalloc(LIVE_FRAMES_AT_ONCE * sizeof(*words));
	uint64_t pfn = pfns.first;
	bool ok = true;

	while (ok && pfn <= pfns.last) {
		uint64_t n = pfns.last - pfn + 1;
		ssize_t got;

		if (n > LIVE_FRAMES_AT_ONCE)
			n = LIVE_FRAMES_AT_ONCE;
		got = pread(fd, words, (size_t)n * sizeof(*words), (off_t)(pfn * sizeof(*words)));
		if (got < 0 && errno == EINTR)
			continue;
		ok = got >= 0;
		if (got < (ssize_t)sizeof(*words))
			break;
		for (size_t i = 0; i < (size_t)got / sizeof(*words); i++)
			live_page(f, at, pfn++, live_class(words[i]));
	}
	free(words);
	return ok;
}

static void live_pages(struct facts *f, const char *root)
{
	char *path = xasprintf("%s/proc/kpageflags", root);
	struct where at = { 0, 0 };
	uint64_t frames = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	for (size_t i = 0; i < f->iomem.n; i++)
		if (!f->iomem.v[i].depth && !strcmp(f->iomem.v[i].name, "System RAM"))
			frames += (f->iomem.v[i].range.last - f->iomem.v[i].range.first) >>
				  f->page_shift;
	if (fd < 0) {
		facts_note(f, "%s: %s", path, strerror(errno));
	} else if (frames > LIVE_FRAMES_MAX) {
		facts_note(f, "%s: not read, the machine has %llu page frames", path,
			   (unsigned long long)frames);
	} else {
		at.file = facts_file(f, path);
		for (size_t i = 0; i < f->iomem.n; i++) {
			struct pz_range r = f->iomem.v[i].range;

			if (f->iomem.v[i].depth || strcmp(f->iomem.v[i].name, "System RAM") != 0)
				continue;
			r.first >>= f->page_shift;
			r.last >>= f->page_shift;
			if (f->pages.n && r.first <= f->pages.v[f->pages.n - 1].pfns.last)
				r.first = f->pages.v[f->pages.n - 1].pfns.last + 1;
			if (r.first <= r.last && !live_frames(f, fd, at, r)) {
				facts_note(f, "%s: %s", path, strerror(errno));
				break;
			}
		}
	}
	if (fd >= 0)
		close(fd);
	free(path);
}

/* Actions of klogctl(): read all of the ring buffer, and tell how large it is. */
enum { LIVE_LOG_READ = 3, LIVE_LOG_SIZE = 10 };

/* The kernel's log; false when it is of no use. */
static bool live_log(struct facts *f)
{
	int size = klogctl(LIVE_LOG_SIZE, NULL, 0);
	char *buf = xmalloc(size > 0 ? (size_t)size : 0);
	int n = size > 0 ? klogctl(LIVE_LOG_READ, buf, size) : -1;
	bool ok = false;
	char *err = NULL;
	struct text t;

	if (n < 0) {
		facts_note(f, "the kernel's log: %s", strerror(errno));
	} else if (!text_from_memory(&t, buf, (size_t)n, "the kernel's log", 0, &err)) {
		if (strstr(t.buf, "Linux version "))
			ok = !log_parse(f, &t, facts_file(f, "the kernel's log"), 0, &err);
		else
			facts_note(f, "the kernel's log: its start is lost, so it is not used");
		text_destroy(&t);
	}
	if (err)
		facts_note(f, "%s", err);
	free(err);
	free(buf);
	return ok;
}

static void live_page_shift(struct facts *f)
{
	long page = sysconf(_SC_PAGESIZE);

	for (f->page_shift = 12; page > 0 && (1l << f->page_shift) < page;)
		f->page_shift++;
}

void live_memory_map(struct facts *f, const char *root)
{
	live_page_shift(f);
	live_part(f, root, "/proc/iomem", false, proc_iomem);
	live_memmap(f, root);
	live_part(f, root, "/proc/zoneinfo", false, proc_zoneinfo);
}

int live_read(struct facts *f, const char *root, char **err)
{
	struct utsname name;
	bool tells;

	live_page_shift(f);
	if (!uname(&name))
		f->arch_hint = xstrdup(name.machine);
	tells = !*root && live_log(f);
	live_part(f, root, "/proc/version", true, proc_version);
	live_part(f, root, "/proc/cmdline", true, proc_cmdline);
	tells = live_part(f, root, "/proc/iomem", true, proc_iomem) || tells;
	tells = live_memmap(f, root) || tells;
	tells = live_part(f, root, "/sys/kernel/debug/memblock/memory", false, live_memory) ||
		tells;
	live_part(f, root, "/sys/kernel/debug/memblock/reserved", false, live_reserved);
	tells = live_part(f, root, "/sys/firmware/fdt", false, dtb_read) || tells;
	live_part(f, root, "/proc/zoneinfo", true, proc_zoneinfo);
	live_part(f, root, "/proc/meminfo", false, proc_meminfo);
	live_sysctls(f, root);
	live_nodes(f, root);
	if (f->iomem.n)
		live_pages(f, root);
	if (tells)
		return 0;
	*err = xasprintf("the running machine: neither its iomem nor its firmware's map can be "
			 "read; the kernel shows them to root only");
	return INPUT_BAD;
}
