/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * proc_nodes.c - the small files: NUMA nodes, meminfo, sysctls, version and command line.
 */
#include "input/proc.h"

#include <stdlib.h>
#include <string.h>

#include "input/scan.h"

enum { NODES_MAX = 1 << 16 };

/* "0-1,4"; an empty list is no error. */
static bool nodes_list(struct span s, struct node_list *nodes)
{
	span_blanks(&s);
	span_trim(&s);
	while (s.p < s.end) {
		uint64_t first, last;

		if (!span_dec(&s, &first))
			return false;
		last = first;
		if (span_char(&s, '-') && !span_dec(&s, &last))
			return false;
		if (last < first || last >= NODES_MAX || nodes->v.n + (last - first) >= NODES_MAX)
			return false;
		for (; first <= last; first++)
			*vec_push(&nodes->v) = (int)first;
		if (s.p < s.end && (!span_char(&s, ',') || s.p == s.end))
			return false;
	}
	return true;
}

static struct span nodes_first_line(const char *buf, size_t len)
{
	struct scan s;

	scan_init(&s, buf, len);
	if (!scan_line(&s))
		s.line.p = s.line.end = buf;
	return s.line;
}

int proc_node_list(struct facts *f, struct where at, const char *buf, size_t len,
		   struct node_list *nodes, char **err)
{
	struct span line = nodes_first_line(buf, len);

	if (!nodes_list(line, nodes))
		return scan_expected(f, at, line, "a list of nodes like \"0-1,4\"", err);
	return 0;
}

int proc_distances(struct facts *f, struct where at, int from, const struct node_list *nodes,
		   const char *buf, size_t len, char **err)
{
	struct span line = nodes_first_line(buf, len);
	struct span rest = line;
	uint64_t distance;

	for (size_t i = 0; i < nodes->v.n; i++) {
		struct fact_distance *d;

		span_blanks(&rest);
		if (!span_dec(&rest, &distance) || distance > UINT32_MAX)
			return scan_expected(f, at, line, "a distance for each node", err);
		d = vec_push(&f->distances);
		d->from = from;
		d->to = nodes->v.v[i];
		d->distance = (unsigned int)distance;
	}
	if (!span_empty(rest))
		return scan_expected(f, at, line, "one distance for each node", err);
	return 0;
}

struct nodes_row {
	int nid;
	struct span line;
	struct where at;
};

/* "/sys/devices/system/node/node2/distance" */
static bool nodes_distance_path(struct span s, int *nid)
{
	uint64_t n;

	while (s.p < s.end) {
		struct span t = s;

		if (span_text(&t, "/node") && span_dec(&t, &n) && n < NODES_MAX &&
		    span_is(t, "/distance")) {
			*nid = (int)n;
			return true;
		}
		s.p++;
	}
	return false;
}

int proc_nodes(struct facts *f, uint32_t file, const char *buf, size_t len, char **err)
{
	struct node_list online = { { NULL, 0, 0 } }, memory = { { NULL, 0, 0 } };
	VEC(struct nodes_row) rows = { NULL, 0, 0 };
	struct where at = { file, 0 };
	struct span line;
	struct scan s;
	int nid, ret = 0;

	scan_init(&s, buf, len);
	while (!ret && scan_line(&s)) {
		line = s.line;
		at.line = s.number;
		if (!span_text(&line, "== "))
			continue;
		span_trim(&line);
		if (span_text(&line, "online ")) {
			ret = proc_node_list(f, at, line.p, (size_t)(line.end - line.p), &online,
					     err);
		} else if (span_text(&line, "has_memory ")) {
			ret = proc_node_list(f, at, line.p, (size_t)(line.end - line.p), &memory,
					     err);
		} else if (nodes_distance_path(line, &nid) && scan_line(&s)) {
			struct nodes_row *row = vec_push(&rows);

			row->nid = nid;
			row->line = s.line;
			row->at.file = file;
			row->at.line = s.number;
		}
	}
	/* Without the list, the rows themselves tell which nodes there are. */
	if (!ret && online.v.n == 0)
		for (size_t i = 0; i < rows.n; i++)
			*vec_push(&online.v) = rows.v[i].nid;
	for (size_t i = 0; !ret && i < rows.n; i++)
		ret = proc_distances(f, rows.v[i].at, rows.v[i].nid, &online, rows.v[i].line.p,
				     (size_t)(rows.v[i].line.end - rows.v[i].line.p), err);
	for (size_t i = 0; !ret && i < online.v.n; i++)
		*vec_push(&f->nodes_online) = online.v.v[i];
	for (size_t i = 0; !ret && i < memory.v.n; i++)
		*vec_push(&f->nodes_memory) = memory.v.v[i];
	vec_free(&online.v);
	vec_free(&memory.v);
	vec_free(&rows);
	return ret;
}

static bool meminfo_has(struct span line, const char *word)
{
	return span_text(&line, word);
}

int proc_meminfo(struct facts *f, uint32_t file, const char *buf, size_t len, char **err)
{
	const struct {
		const char *word;
		uint64_t *to;
	} fields[] = {
		{ "MemTotal:", &f->mem_total_kib },
		{ "HighTotal:", &f->high_total_kib },
		{ "CmaTotal:", &f->cma_total_kib },
	};
	struct where at = { file, 0 };
	bool anon = false, total = false;
	struct scan s;

	scan_init(&s, buf, len);
	while (scan_line(&s)) {
		at.line = s.number;
		if (span_empty(s.line))
			continue;
		if (!memchr(s.line.p, ':', (size_t)(s.line.end - s.line.p)))
			return scan_expected(f, at, s.line, "\"Name: number kB\"", err);
		anon = anon || meminfo_has(s.line, "AnonHugePages:");
		/* Without it the processor has no huge pages at all, as s390 in some machines. */
		total = total || meminfo_has(s.line, "HugePages_Total:");
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
			struct span rest = s.line;
			uint64_t v;

			if (!span_text(&rest, fields[i].word))
				continue;
			span_blanks(&rest);
			if (!span_dec(&rest, &v) || !span_text(&rest, " kB"))
				return scan_expected(f, at, s.line, "\"Name: number kB\"", err);
			*fields[i].to = v;
			f->has_meminfo = true;
		}
	}
	f->has_anon_huge = f->has_anon_huge || (anon && total);
	return 0;
}

int proc_sysctl(struct facts *f, uint32_t file, const char *buf, size_t len, char **err)
{
	struct where at = { file, 0 };
	struct scan s;
	uint64_t v;

	scan_init(&s, buf, len);
	while (scan_line(&s)) {
		struct span rest = s.line;

		at.line = s.number;
		if (span_empty(rest))
			continue;
		if (!span_text(&rest, "/proc/sys/vm/") ||
		    !memchr(rest.p, ':', (size_t)(rest.end - rest.p)))
			return scan_expected(f, at, s.line, "\"/proc/sys/vm/NAME: value\"", err);
		if (span_text(&rest, "min_free_kbytes: ")) {
			if (!span_dec(&rest, &v) || !span_empty(rest))
				return scan_expected(f, at, s.line, "a number of KiB", err);
			f->min_free_kbytes = v;
		} else if (span_text(&rest, "watermark_scale_factor: ")) {
			if (!span_dec(&rest, &v) || !span_empty(rest))
				return scan_expected(f, at, s.line, "a number", err);
			f->wmark_scale = v;
		} else if (span_text(&rest, "lowmem_reserve_ratio: ")) {
			f->lowmem_ratios = 0;
			while (!span_empty(rest)) {
				span_blanks(&rest);
				if (f->lowmem_ratios == 8 || !span_dec(&rest, &v))
					return scan_expected(f, at, s.line, "a ratio for each zone",
							     err);
				f->lowmem_ratio[f->lowmem_ratios++] = v;
			}
		}
	}
	return 0;
}

int proc_version(struct facts *f, uint32_t file, const char *buf, size_t len, char **err)
{
	struct where at = { file, 1 };
	struct span line = nodes_first_line(buf, len);
	struct span rest = line, word;

	if (!span_text(&rest, "Linux version ") || !span_word(&rest, &word))
		return scan_expected(f, at, line, "\"Linux version RELEASE\"", err);
	if (!f->release) {
		f->release = span_dup(word);
	} else if (!span_is(word, f->release)) {
		facts_contradict(f, at, "the log is of Linux %s, %s says %.*s", f->release,
				 f->files.v[file], (int)(word.end - word.p), word.p);
		return 0;
	}
	if (!f->banner) {
		word.end = line.end;
		span_trim(&word);
		f->banner = span_dup(word);
		f->banner_at = at;
	}
	return 0;
}

int proc_cmdline(struct facts *f, uint32_t file, const char *buf, size_t len, char **err)
{
	struct where at = { file, 1 };
	struct span line = nodes_first_line(buf, len);
	size_t n;

	for (const char *p = line.p; p < line.end; p++)
		if ((unsigned char)*p < ' ' && *p != '\t')
			return scan_expected(f, at, line, "a command line", err);
	span_blanks(&line);
	span_trim(&line);
	n = (size_t)(line.end - line.p);
	if (f->cmdline) {
		struct span logged = { f->cmdline, f->cmdline + strlen(f->cmdline) };

		span_blanks(&logged);
		span_trim(&logged);
		/* A log keeps the front of a long line only. */
		if ((size_t)(logged.end - logged.p) > n ||
		    memcmp(logged.p, line.p, (size_t)(logged.end - logged.p)) != 0) {
			facts_contradict(f, at,
					 "the command line is another than the log's, which is "
					 "used");
			return 0;
		}
		free(f->cmdline);
	}
	f->cmdline = span_dup(line);
	f->cmdline_at = at;
	return 0;
}
