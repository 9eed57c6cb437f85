/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain_check.c - where a report contradicts itself. That is told beside the explanation, which
 * goes by the zones' lines.
 *
 * Failure: none; numbers that are not known are not compared.
 */
#include "explain.h"

#include <inttypes.h>
#include <stdarg.h>

void explain_say(struct explanation *x, bool contradiction, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	if (contradiction)
		*vec_push(&x->contradictions) = s;
	else
		*vec_push(&x->notes) = s;
}

/* What a zone's lines say against themselves. */
static void explain_check_zone(struct explanation *x, const struct ex_zone *e)
{
	const struct fact_zone_report *z = e->fact;
	uint64_t sum = 0;
	bool whole = true;

	for (unsigned int k = 0; k < z->orders; k++) {
		uint64_t kib = z->block_kib << k;

		if (z->blocks[k] > (UINT64_MAX >> 2) / kib) {
			whole = false;
			break;
		}
		sum += z->blocks[k] * kib;
		whole = whole && sum < UINT64_MAX >> 1;
	}
	if (z->orders && !whole)
		explain_say(x, true, "node %d %s: its free blocks are more than any memory", z->nid,
			    z->name);
	else if (z->orders && sum != z->blocks_kib)
		explain_say(x, true,
			    "node %d %s: its free blocks sum up to %" PRIu64 " kB, and the line "
			    "says %" PRIu64 " kB",
			    z->nid, z->name, sum, z->blocks_kib);
	else if (z->orders && z->free != UINT64_MAX && sum != z->free)
		explain_say(x, true,
			    "node %d %s: free:%" PRIu64 "kB, but its free blocks sum up to %" PRIu64
			    " kB; they were counted at different moments, or a line is damaged",
			    z->nid, z->name, z->free, sum);
	if (z->managed != UINT64_MAX && z->free != UINT64_MAX && z->free > z->managed)
		explain_say(x, true, "node %d %s: more is free than is managed", z->nid, z->name);
	if (z->free_cma != UINT64_MAX && z->free != UINT64_MAX && z->free_cma > z->free)
		explain_say(x, true, "node %d %s: more of CMA is free than is free at all", z->nid,
			    z->name);
	if (z->min != UINT64_MAX && z->low != UINT64_MAX && z->high != UINT64_MAX &&
	    (z->min > z->low || z->low > z->high))
		explain_say(x, true, "node %d %s: its watermarks do not ascend", z->nid, z->name);
	if (z->free != UINT64_MAX && z->free > PZL_PAGES_MOST)
		explain_say(x, true, "node %d %s: free:%" PRIu64 "kB is no number of pages", z->nid,
			    z->name, z->free);
}

/* The report as a whole, and what is free outside the zones that it lists. */
void explain_check(struct explanation *x)
{
	uint64_t free = 0, present = 0;
	unsigned int numbers = 0;

	x->elsewhere = PZL_PAGES_UNKNOWN;
	for (size_t i = 0; i < x->zones.n; i++) {
		const struct ex_zone *z = &x->zones.v[i];

		explain_check_zone(x, z);
		if (z->state.free > PZL_PAGES_MOST || free > PZL_PAGES_MOST)
			free = PZL_PAGES_UNKNOWN;
		else
			free += z->state.free;
		if (z->present <= PZL_PAGES_MOST && present <= PZL_PAGES_MOST)
			present += z->present;
		if (numbers && z->fact->protections && numbers != z->fact->protections)
			explain_say(x, true,
				    "node %d %s: lowmem_reserve[] has %u numbers, other zones' "
				    "has %u",
				    z->fact->nid, z->fact->name, z->fact->protections, numbers);
		if (z->fact->protections)
			numbers = z->fact->protections;
	}
	if (!x->report)
		return;
	if (x->report->ram != UINT64_MAX && present > x->report->ram)
		explain_say(x, true,
			    "the zones have %" PRIu64 " present pages, and the machine %" PRIu64
			    " pages of RAM",
			    present, x->report->ram);
	if (x->report->free > PZL_PAGES_MOST || free > PZL_PAGES_MOST)
		return;
	/* The totals are read a little before the zones. */
	if (free > x->report->free && free - x->report->free > x->report->free / 64 + 1024)
		explain_say(x, true,
			    "free:%" PRIu64 " pages in all, but its zones have %" PRIu64
			    " free pages",
			    x->report->free, free);
	x->elsewhere = free < x->report->free ? x->report->free - free : 0;
}
