/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.c - a report in words: what was asked, one line for each area, and what would help.
 *
 * Lines end with a newline. Sizes are in KiB or MiB with the pages beside them, addresses are
 * inclusive and in hexadecimal. Text that does not fit the buffer is cut, its length still counted.
 */
#include "report_internal.h"

static const char *const text_verdicts[PZ_VERDICTS] = {
	"ok",	     "unmanaged", "limit", "node", "zone", "small",	"boundary",   "watermark",
	"reserve", "kept",	    "cma",   "held", "evacuate", "fragmented", "full",
};

static const char *const text_remedies[PZ_REMEDIES] = {
	"none",	 "retry",	"drain",   "evacuate", "reserve", "order",
	"align", "movable", "reclaim", "limit",    "node",
};

const char *pz_verdict_name(enum pz_verdict v)
{
	return (unsigned int)v < PZ_VERDICTS ? text_verdicts[v] : "?";
}

const char *pz_remedy_name(enum pz_remedy r)
{
	return (unsigned int)r < PZ_REMEDIES ? text_remedies[r] : "?";
}

void pz_report_add(struct report_text *t, const char *fmt, ...)
{
	size_t at = t->n < t->size ? t->n : t->size;
	va_list ap;

	va_start(ap, fmt);
	t->n += pz_vsnprintf(t->buf ? t->buf + at : NULL, t->size - at, fmt, ap);
	va_end(ap);
}

/* "1 page (4 KiB)" */
static void text_pages(struct report_text *t, uint64_t pages)
{
	uint64_t kib = t->shift >= 10 ? pages << (t->shift - 10) : pages >> (10 - t->shift);

	pz_report_add(t, "%llu page%s (%llu %s)", (unsigned long long)pages, pages == 1 ? "" : "s",
		      (unsigned long long)(kib && !(kib & 1023) ? kib >> 10 : kib),
		      kib && !(kib & 1023) ? "MiB" : "KiB");
}

/* The bytes of page frames. */
static void text_range(struct report_text *t, struct pz_range pfns)
{
	pz_report_add(t, "[%#llx-%#llx]", (unsigned long long)(pfns.first << t->shift),
		      (unsigned long long)(((pfns.last + 1) << t->shift) - 1));
}

static void text_request(struct report_text *t, const struct pz_page_req *req)
{
	static const struct {
		uint32_t flag;
		const char *word;
	} flags[] = {
		{ PZ_GFP_MOVABLE, "movable" },	   { PZ_GFP_RECLAIMABLE, "reclaimable" },
		{ PZ_GFP_HIGH, "high priority" },  { PZ_GFP_BLOCK, "may block" },
		{ PZ_GFP_MEMALLOC, "memalloc" },   { PZ_GFP_THISNODE, "this node only" },
		{ PZ_GFP_NOMIGRATE, "no moving" }, { PZ_GFP_NOKEEP, "may use kept pages" },
	};

	pz_report_add(t, "asked: ");
	text_pages(t, req->pages);
	if (req->limits.min_addr || req->limits.max_addr != PZ_ADDR_MAX)
		pz_report_add(t, ", within [%#llx-%#llx]", (unsigned long long)req->limits.min_addr,
			      (unsigned long long)req->limits.max_addr);
	if (req->limits.align >> t->shift > 1)
		pz_report_add(t, ", aligned to %#llx", (unsigned long long)req->limits.align);
	if (req->limits.boundary)
		pz_report_add(t, ", not across %#llx", (unsigned long long)req->limits.boundary);
	if (req->highest < PZ_ZONE_TYPES)
		pz_report_add(t, ", zone %s or below",
			      pz_zone_name((enum pz_zone_type)req->highest));
	if (req->nid != PZ_NID_NONE)
		pz_report_add(t, ", node %d", (int)req->nid);
	for (unsigned int i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (req->gfp & flags[i].flag)
			pz_report_add(t, ", %s", flags[i].word);
	}
	pz_report_add(t, "\n");
}

/* What a verdict means, with its numbers. */
static void text_verdict(struct report_text *t, const struct pz_report *r,
			 const struct pz_report_area *a)
{
	switch (a->verdict) {
	case PZ_V_OK:
		pz_report_add(t, "would serve it");
		if (a->move) {
			pz_report_add(t, " when its owners let ");
			text_pages(t, a->move);
			pz_report_add(t, " move");
		}
		break;
	case PZ_V_UNMANAGED:
		pz_report_add(t, "the allocator has no page of it");
		break;
	case PZ_V_LIMIT:
		pz_report_add(t, "outside the limits");
		break;
	case PZ_V_NODE:
		pz_report_add(t, "another node, and the request insists on one");
		break;
	case PZ_V_ZONE:
		pz_report_add(t, "above the highest zone that the request may use");
		break;
	case PZ_V_SMALL:
		pz_report_add(t, "no run within the limits is that long, whatever is free");
		break;
	case PZ_V_BOUNDARY:
		pz_report_add(t,
			      "no run satisfies the alignment and the boundary, whatever is free");
		break;
	case PZ_V_WATERMARK:
		pz_report_add(t, "below its watermark of ");
		text_pages(t, a->mark);
		if (a->reserve) {
			pz_report_add(t, " and the reserve of ");
			text_pages(t, a->reserve);
		}
		break;
	case PZ_V_RESERVE:
		pz_report_add(t, "in the lowmem reserve of ");
		text_pages(t, a->reserve);
		if (a->mark) {
			pz_report_add(t, " above the watermark of ");
			text_pages(t, a->mark);
		}
		break;
	case PZ_V_KEPT:
		pz_report_add(t, "what is free is kept for limited or for atomic requests");
		break;
	case PZ_V_CMA:
		pz_report_add(t, "what is free is for movable pages only");
		break;
	case PZ_V_HELD:
		pz_report_add(t, "per-CPU caches hold ");
		text_pages(t, a->held);
		break;
	case PZ_V_EVACUATE:
		pz_report_add(t, "would have to move ");
		text_pages(t, a->move);
		pz_report_add(t, ", which this request may not");
		break;
	case PZ_V_FRAGMENTED:
		pz_report_add(t, "fragmented: the longest free run is ");
		text_pages(t, a->largest_run);
		break;
	case PZ_V_FULL:
		pz_report_add(t, a->free_reached ? "too few pages are free" : "nothing is free");
		break;
	case PZ_VERDICTS:
		pz_report_add(t, "?");
		break;
	}
	(void)r;
}

static void text_area(struct report_text *t, const struct pz_report *r,
		      const struct pz_report_area *a)
{
	pz_report_add(t, "node %d %s: ", (int)a->nid, pz_zone_name((enum pz_zone_type)a->type));
	text_verdict(t, r, a);
	pz_report_add(t, "; ");
	if (a->reached) {
		text_pages(t, a->free_reached);
		pz_report_add(t, " free in reach, ");
		text_range(t, a->reach);
	} else {
		text_pages(t, a->free);
		pz_report_add(t, " free, none in reach");
	}
	pz_report_add(t, "\n");
}

static void text_rights(struct report_text *t, uint64_t gfp)
{
	pz_report_add(t, "the right to use reserves:%s%s%s", gfp & PZ_GFP_NOKEEP ? " NOKEEP" : "",
		      gfp & PZ_GFP_HIGH ? " HIGH" : "", gfp & PZ_GFP_MEMALLOC ? " MEMALLOC" : "");
}

/* A higher limit, in bits when the request's own is one of bits. */
static void text_limit(struct report_text *t, const struct pz_report *r)
{
	uint64_t max = r->req.limits.max_addr;

	if (r->remedy_value > max) {
		pz_report_add(t, "a limit of %#llx", (unsigned long long)r->remedy_value);
		if (!(max & (max + 1)))
			pz_report_add(t, " (%u bits)",
				      r->remedy_value ? pz_fls64(r->remedy_value) + 1 : 1);
	}
	if (r->remedy_highest != r->req.highest && r->remedy_highest < PZ_ZONE_TYPES)
		pz_report_add(t, "%szone %s", r->remedy_value > max ? " and " : "",
			      pz_zone_name((enum pz_zone_type)r->remedy_highest));
}

static void text_remedy(struct report_text *t, const struct pz_report *r)
{
	switch (r->remedy) {
	case PZ_R_RETRY:
		pz_report_add(t, "it would succeed now");
		if (r->remedy_value) {
			pz_report_add(t, ", by moving ");
			text_pages(t, r->remedy_value);
			pz_report_add(t, " if their owners agree");
		}
		break;
	case PZ_R_DRAIN:
		pz_report_add(t, "it would succeed now, by draining the per-CPU caches");
		break;
	case PZ_R_EVACUATE:
		pz_report_add(t, "would help: leave to block, to move ");
		text_pages(t, r->remedy_value);
		pz_report_add(t, " out of ");
		text_range(t, r->remedy_pfns);
		break;
	case PZ_R_RESERVE:
		pz_report_add(t, "would help: ");
		text_rights(t, r->remedy_value);
		break;
	case PZ_R_ORDER:
		pz_report_add(t, "would help: asking for ");
		text_pages(t, r->remedy_value);
		break;
	case PZ_R_ALIGN:
		pz_report_add(t, "would help: no alignment and no boundary");
		break;
	case PZ_R_MOVABLE:
		pz_report_add(t, "would help: asking for movable pages");
		break;
	case PZ_R_RECLAIM:
		pz_report_add(t, "would help: ");
		text_pages(t, r->remedy_value);
		pz_report_add(t, " freed, those of ");
		text_range(t, r->remedy_pfns);
		pz_report_add(t, " among them");
		break;
	case PZ_R_LIMIT:
		pz_report_add(t, "would help: ");
		text_limit(t, r);
		break;
	case PZ_R_NODE:
		pz_report_add(t, "would help: other nodes");
		break;
	case PZ_R_NONE:
	case PZ_REMEDIES:
		pz_report_add(t, "no single change would help");
		break;
	}
}

size_t pz_report_text(const struct pz_report *r, uint32_t page_shift, char *buf, size_t size)
{
	struct report_text t = { buf, size, 0, page_shift };

	if (size)
		buf[0] = 0;
	text_request(&t, &r->req);
	for (uint32_t i = 0; i < r->areas && i < PZ_REPORT_AREAS; i++)
		text_area(&t, r, &r->area[i]);
	if (r->more)
		pz_report_add(&t, "%u more areas\n", (unsigned int)r->more);
	switch (r->outcome) {
	case 0:
		break;
	case -PZ_ERANGE:
		pz_report_add(&t, "never, whatever is free; ");
		break;
	case -PZ_ENOMEM:
		pz_report_add(&t, "not now; ");
		break;
	default:
		pz_report_add(&t, "error %d; ", r->outcome);
		break;
	}
	text_remedy(&t, r);
	pz_report_add(&t, "\n");
	return t.n;
}
