/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.c - tells what kind of source it has been given, and hands its parts to their readers.
 *
 * A directory is the record of one boot: each file tells a part, under the names of
 * machines/README.md or under those of /proc, packed or not. Any of them may be missing. What is
 * there must be readable and understood: to pass over half a file would be to answer for another
 * machine. The one exception is an iomem without addresses, which every unprivileged user gets;
 * it is noted and left out.
 *
 * The log is read first, because what else there is completes or contradicts it.
 */
#include "input/source.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <physzone/types.h>

#include "input/dtb.h"
#include "input/log.h"
#include "input/proc.h"
#include "input/scan.h"

static int source_log(struct facts *f, uint32_t file, const struct text *t,
		      const struct source_options *o, char **err)
{
	const struct where at = { file, 0 };

	if (text_is_binary(t))
		return scan_error(f, at, err, "not text: expected a kernel log");
	if (log_parse(f, t, file, o ? o->boot : 0, err))
		return INPUT_BAD;
	if (!f->lines_used)
		facts_note(f, "%s: no line of it tells of a kernel's start", f->files.v[file]);
	return 0;
}

static int source_iomem(struct facts *f, uint32_t file, const struct text *t,
			const struct source_options *o, char **err)
{
	if (proc_iomem_is_hidden(t->buf, t->len)) {
		facts_note(f,
			   "%s: every address is 0, so it is not used: the kernel shows them to "
			   "root only",
			   f->files.v[file]);
		return 0;
	}
	return proc_iomem(f, file, t->buf, t->len, err);
}

static int source_memblock(struct facts *f, uint32_t file, const struct text *t,
			   const struct source_options *o, char **err)
{
	return proc_memblock(f, file, NULL, t->buf, t->len, err);
}

#define SOURCE_READER(name, reader)                                           \
	static int name(struct facts *f, uint32_t file, const struct text *t, \
			const struct source_options *o, char **err)           \
	{                                                                     \
		return reader(f, file, t->buf, t->len, err);                  \
	}

SOURCE_READER(source_version, proc_version)
SOURCE_READER(source_cmdline, proc_cmdline)
SOURCE_READER(source_memmap, proc_memmap)
SOURCE_READER(source_zoneinfo, proc_zoneinfo)
SOURCE_READER(source_pages, proc_pages)
SOURCE_READER(source_nodes, proc_nodes)
SOURCE_READER(source_meminfo, proc_meminfo)
SOURCE_READER(source_sysctl, proc_sysctl)
SOURCE_READER(source_dtb, dtb_read)

static const struct source_part {
	const char *name; /* in a recorded machine; without ".txt" in /proc */
	int (*read)(struct facts *f, uint32_t file, const struct text *t,
		    const struct source_options *o, char **err);
	bool tells;    /* a directory is worth reading when it has one of these */
	bool recorded; /* only with ".txt": in /proc it has another form */
} source_parts[] = {
	{ "dmesg.txt", source_log, true, false },
	{ "version.txt", source_version, false, false },
	{ "cmdline.txt", source_cmdline, false, false },
	{ "iomem.txt", source_iomem, true, false },
	{ "memmap.txt", source_memmap, true, false },
	{ "memblock.txt", source_memblock, true, false },
	{ "machine.dtb", source_dtb, true, false },
	{ "zoneinfo.txt", source_zoneinfo, true, false },
	{ "kpageflags.txt", source_pages, false, true },
	{ "nodes.txt", source_nodes, false, false },
	{ "meminfo.txt", source_meminfo, false, false },
	{ "sysctl_vm.txt", source_sysctl, false, false },
};

/* The path of a part, whichever of its names it has; NULL when it is missing. */
static char *source_find(const char *dir, const struct source_part *part)
{
	static const char *const packed[] = { "", ".gz", ".xz", ".zst" };
	const char *name = part->name;
	size_t n = strlen(name);
	bool txt = n > 4 && !strcmp(name + n - 4, ".txt") && !part->recorded;

	for (unsigned int bare = 0; bare <= (txt ? 1u : 0u); bare++) {
		for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++) {
			char *path = xasprintf("%s/%.*s%s", dir, (int)(bare ? n - 4 : n), name,
					       packed[i]);
			struct stat st;

			if (!stat(path, &st) && S_ISREG(st.st_mode))
				return path;
			free(path);
		}
	}
	return NULL;
}

static int source_part(struct facts *f, const struct source_part *part, const char *path,
		       const struct source_options *o, char **err)
{
	struct text t;
	int ret;

	if (text_read(&t, path, err))
		return INPUT_BAD;
	ret = part->read(f, facts_file(f, path), &t, o, err);
	text_destroy(&t);
	return ret;
}

/*
 * All managed pages make up MemTotal, so the two together give the page size where nothing else
 * does. They are read one after the other, so pages may have been freed in between, and a guest
 * whose memory grew has other totals: only sizes that kernels let choose are considered.
 */
static void source_page_size(struct facts *f)
{
	uint64_t pages = 0, kib = f->mem_total_kib;
	unsigned int shift;

	for (size_t i = 0; i < f->zoneinfo.n; i++)
		if (f->zoneinfo.v[i].managed != UINT64_MAX)
			pages += f->zoneinfo.v[i].managed;
	if (f->page_shift || !pages || !kib || pages > UINT64_MAX >> 7)
		return;
	for (shift = 12; shift <= 16; shift += 2) {
		uint64_t sum = pages << (shift - 10);

		if (sum - sum / 8 <= kib && kib <= sum + sum / 8)
			break;
	}
	if (shift <= 16)
		f->page_shift = shift;
}

static int source_directory(struct facts *f, const char *dir, const struct source_options *o,
			    char **err)
{
	bool tells = false;
	int ret = 0;

	f->kind = SRC_DIR;
	for (size_t i = 0; !ret && i < sizeof(source_parts) / sizeof(source_parts[0]); i++) {
		char *path = source_find(dir, &source_parts[i]);

		if (!path)
			continue;
		tells = tells || source_parts[i].tells;
		ret = source_part(f, &source_parts[i], path, o, err);
		free(path);
	}
	if (ret)
		return ret;
	if (!tells) {
		*err = xasprintf("%s: a directory without dmesg, iomem, memmap, memblock, zoneinfo "
				 "or machine.dtb",
				 dir);
		return INPUT_BAD;
	}
	source_page_size(f);
	return 0;
}

static bool source_is_zoneinfo(const struct text *t)
{
	return t->len > 5 && !memcmp(t->buf, "Node ", 5) && strstr(t->buf, ", zone ");
}

int source_read_text(struct facts *f, const struct text *t, const struct source_options *o,
		     char **err)
{
	struct where at = { 0, 0 };
	int ret;

	if (!t->len)
		return scan_error(f, at, err, "empty");
	if (dtb_is_blob(t->buf, t->len)) {
		f->kind = SRC_DTB;
		return dtb_read(f, 0, t->buf, t->len, err);
	}
	if (text_is_binary(t))
		return scan_error(f, at, err,
				  "neither text, nor a device tree blob, nor either of them packed "
				  "with gzip, xz or zstd");
	if (proc_is_iomem(t->buf, t->len)) {
		f->kind = SRC_IOMEM;
		return proc_iomem(f, 0, t->buf, t->len, err);
	}
	if (e820_is_listing(t->buf, t->len)) {
		f->kind = SRC_E820;
		return e820_listing(f, 0, t->buf, t->len, err);
	}
	if (source_is_zoneinfo(t))
		return scan_error(f, at, err,
				  "a zoneinfo alone tells no memory map; give the directory of a "
				  "machine, or its log");
	if (!log_looks_like(t))
		return scan_error(
			f, at, err,
			"neither a kernel log, nor an iomem or e820 listing, nor a device "
			"tree blob");
	f->kind = SRC_LOG;
	ret = source_log(f, 0, t, o, err);
	if (!ret && !f->lines_used)
		return scan_error(f, at, err,
				  "a log without any line of a kernel's start: %llu lines, none of "
				  "them used",
				  (unsigned long long)f->lines_total);
	return ret;
}

/* The lines of a listing; a log keeps its own, and a blob has none. */
static void source_keep_lines(struct facts *f, const struct text *t)
{
	if (!f->keep_lines || f->line_texts.n || !f->line_marks.n)
		return;
	for (size_t i = 0; i < t->n; i++) {
		size_t n;
		const char *p = text_line(t, i, &n);

		facts_keep_line(f, p, n);
	}
}

int source_read(struct facts *f, const char *source, const struct source_options *o, char **err)
{
	struct stat st;
	struct text t;
	int ret;

	if (o && o->live) {
		f->kind = SRC_LIVE;
		facts_file(f, "the running machine");
		ret = live_read(f, o->root ? o->root : "", err);
		if (!ret)
			source_page_size(f);
		return ret;
	}
	facts_file(f, strcmp(source, "-") ? source : "standard input");
	if (strcmp(source, "-") != 0 && !stat(source, &st) && S_ISDIR(st.st_mode))
		return source_directory(f, source, o, err);
	if (text_read(&t, source, err))
		return INPUT_BAD;
	ret = source_read_text(f, &t, o, err);
	source_keep_lines(f, &t);
	text_destroy(&t);
	return ret;
}
