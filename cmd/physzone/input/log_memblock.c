/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_memblock.c - lines of memblock=debug: what was added, reserved, freed and removed, and the
 * dumps of both arrays.
 *
 * An allocation prints two lines: who asked, then the reservation. The reservation is the event;
 * the asker becomes its caller.
 *
 * A dump states how many regions and bytes follow, so it checks itself: a region that lost a digit
 * or a line that is missing shows when the dump ends.
 *
 * Failure: a line that cannot be read to its end leaves no event, and that is told, for the events
 * after it then build on less than there was.
 */
#include "input/log_int.h"

#include <inttypes.h>
#include <string.h>

/* "e820__memblock_setup+0x60/0x78": the symbol without the offset. */
static size_t log_mb_symbol(struct log_scan *s, const char **p)
{
	size_t n;

	ls_space(s);
	*p = s->p;
	for (n = 0; s->p < s->end && *s->p != ' ' && *s->p != '\t'; s->p++)
		n++;
	for (size_t i = 0; i < n; i++)
		if ((*p)[i] == '+' && i)
			return i;
	return n;
}

/*
 * "0x..-0x..". The kernel prints base + size - 1 before it cuts the size at the top of the address
 * space: the end of nothing stands one below its start, and the end of a range that was cut wraps.
 */
static bool log_mb_range(struct log_scan *s, struct pz_range *r, bool *empty)
{
	if (!ls_hex(s, &r->first) || !ls_lit(s, "-") || !ls_hex(s, &r->last))
		return false;
	*empty = r->last == r->first - 1;
	if (r->last >= r->first)
		return true;
	/* Only a size near 2^64 wraps; any other end below its start is damage. */
	if (!*empty && r->first - r->last > 65536)
		return ls_fail(s, "the range ends below its start");
	r->last = UINT64_MAX;
	return true;
}

/* Behind "memblock_reserve: " and the like: "[0x..-0x..] symbol". */
enum log_ret log_mb_event(struct log_ctx *c, struct log_scan *s, int arg)
{
	static const char by_alloc[] = "memblock_alloc_range_nid";
	struct fact_mb_event *e;
	struct pz_range r;
	uint64_t flags = 0;
	int nid = PZ_NID_NONE;
	const char *caller;
	bool empty;
	size_t n;

	log_dump_close(c);
	if (!ls_lit(s, "["))
		return s->ran_out ? LOG_BAD : LOG_OTHER;
	if (!log_mb_range(s, &r, &empty) || !ls_lit(s, "]"))
		return LOG_BAD;
	/* "nid=" and "flags=" are of memblock_add_node(). */
	if (ls_opt(s, " nid=") &&
	    (!ls_int(s, &nid) || !ls_lit(s, " flags=") || !ls_bare_hex(s, &flags)))
		return LOG_BAD;
	if (log_goes_on(c, s))
		return LOG_BAD;
	n = log_mb_symbol(s, &caller);
	if (empty)
		return LOG_USED;
	e = vec_push(&c->f->mb_events);
	e->op = (enum mb_op)arg;
	e->range = r;
	e->nid = nid;
	e->flags = (uint32_t)flags;
	e->at = c->at;
	if (arg == MBOP_RESERVE && c->caller[0] && n == sizeof(by_alloc) - 1 &&
	    !memcmp(caller, by_alloc, n))
		e->caller = xstrdup(c->caller);
	else if (n)
		e->caller = xstrndup(caller, n);
	c->caller[0] = '\0';
	return LOG_USED;
}

/* "memblock_alloc_try_nid: 4194304 bytes align=0x8 nid=-1 from=0x.. max_addr=0x.. symbol". */
enum log_ret log_mb_alloc(struct log_ctx *c, struct log_scan *s, int arg)
{
	const char *at, *caller;
	size_t n;

	log_dump_close(c);
	c->caller[0] = '\0';
	at = ls_find(s->p, (size_t)(s->end - s->p), " max_addr=");
	if (!at) {
		s->p = s->end;
		return log_goes_on(c, s) ? LOG_BAD : LOG_USED;
	}
	s->p = at + 10;
	while (s->p < s->end && *s->p != ' ')
		s->p++;
	if (log_goes_on(c, s))
		return LOG_BAD;
	n = log_mb_symbol(s, &caller);
	if (n >= sizeof(c->caller))
		n = sizeof(c->caller) - 1;
	memcpy(c->caller, caller, n);
	c->caller[n] = '\0';
	return LOG_USED;
}

/* "MEMBLOCK configuration:". */
enum log_ret log_mb_head(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint32_t number = c->dump.number + (c->dump.at.line != 0);

	log_dump_close(c);
	memset(&c->dump, 0, sizeof(c->dump));
	c->dump.open = true;
	c->dump.number = number;
	c->dump.at = c->at;
	return LOG_USED;
}

/* Behind "memory size": " = 0x.. reserved size = 0x..". */
enum log_ret log_mb_size(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint64_t memory, reserved;

	if (!ls_lit(s, " = ") || !ls_hex(s, &memory) || !ls_lit(s, " reserved size = ") ||
	    !ls_hex(s, &reserved))
		return LOG_BAD;
	c->dump.size[0] = memory;
	c->dump.size[1] = reserved;
	c->dump.has_size = c->dump.open;
	return LOG_USED;
}

/* Behind "memory.cnt" (0) or "reserved.cnt" (1): " = 0x2". */
enum log_ret log_mb_count(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint64_t n;

	if (!ls_lit(s, " = ") || !ls_hex(s, &n))
		return LOG_BAD;
	c->dump.count[arg] = n;
	c->dump.has_count[arg] = c->dump.open;
	return LOG_USED;
}

/* Behind "memory[" (0) or "reserved[" (1): "0x0] [0x..-0x..], 0x.. bytes on node 0 flags: 0x0". */
enum log_ret log_mb_region(struct log_ctx *c, struct log_scan *s, int arg)
{
	struct fact_mb_region *e;
	uint64_t index, bytes, flags = 0;
	struct log_dump *d = &c->dump;
	int nid = PZ_NID_NONE;
	struct pz_range r;

	if (!ls_hex(s, &index) || !ls_lit(s, "]"))
		return LOG_BAD;
	ls_space(s);
	if (!ls_lit(s, "[") || !ls_range(s, &r) || !ls_lit(s, "], ") || !ls_hex(s, &bytes) ||
	    !ls_lit(s, " bytes"))
		return LOG_BAD;
	if (ls_opt(s, " on node ") && !ls_nid(s, &nid))
		return LOG_BAD;
	if (!ls_lit(s, " flags: ") || !ls_hex(s, &flags))
		return LOG_BAD;
	if (bytes - 1 != r.last - r.first || flags > UINT32_MAX) {
		ls_fail(s, "the size does not fit the range");
		return LOG_BAD;
	}
	if (!d->open) {
		/* Its heading was lost: a dump of its own. */
		log_mb_head(c, s, 0);
		log_contradict(c, "the dump of memblock has no heading");
	}
	if (index != d->seen[arg])
		log_contradict(c, "region 0x%" PRIx64 " of the dump is expected here",
			       d->seen[arg]);
	else if (d->seen[arg] && r.first <= d->last[arg])
		log_contradict(c, "this region does not lie above the one before");
	d->seen[arg] = index + 1;
	d->sum[arg] += bytes;
	d->last[arg] = r.last;
	e = vec_push(&c->f->mb_regions);
	e->dump = d->number;
	e->reserved = arg == 1;
	e->range = r;
	e->nid = nid;
	e->flags = (uint32_t)flags;
	e->at = c->at;
	e->after_events = c->f->mb_events.n;
	return LOG_USED;
}

void log_dump_close(struct log_ctx *c)
{
	static const char *const names[2] = { "memory", "reserved" };
	struct log_dump *d = &c->dump;
	struct where here = c->at;

	if (!d->open)
		return;
	d->open = false;
	c->at = d->at;
	for (int i = 0; i < 2; i++) {
		if (d->has_count[i] && d->count[i] != d->seen[i])
			log_contradict(c,
				       "the dump says %" PRIu64 " %s regions, and shows %" PRIu64,
				       d->count[i], names[i], d->seen[i]);
		/*
		 * The first dump of x86 is printed while the sizes still count partial pages that
		 * the regions lost.
		 */
		else if (d->has_size && d->has_count[i] && d->sum[i] > d->size[i])
			log_contradict(c, "the dump says 0x%" PRIx64 " bytes of %s, and shows more",
				       d->size[i], names[i]);
	}
	c->at = here;
}
