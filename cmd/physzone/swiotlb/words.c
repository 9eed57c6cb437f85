/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words.c - the answers in sentences: for each device what it was, for each pool what became of it
 * and what size would have done, and where the log does not tell, that it does not.
 */
#include "swiotlb.h"

#include <inttypes.h>
#include <stdlib.h>

const char *swiotlb_why_name(enum pzl_swlog_why why)
{
	static const char *const names[PZL_SWLOG_WHYS] = {
		[PZL_SWLOG_LINE] = "not told",
		[PZL_SWLOG_NO_POOL] = "no pool",
		[PZL_SWLOG_NEVER] = "too long",
		[PZL_SWLOG_AREA] = "longer than an area",
		[PZL_SWLOG_FULL] = "full",
		[PZL_SWLOG_FRAGMENTED] = "fragmented",
		[PZL_SWLOG_ALIGNED] = "too long if aligned",
		[PZL_SWLOG_UNEXPLAINED] = "unexplained",
	};

	return why < PZL_SWLOG_WHYS ? names[why] : "?";
}

static char *words_device(const struct swiotlb_device *d)
{
	if (!d->device)
		return xstrdup("a device that the lines do not name");
	return xasprintf("%s%s%s", d->device->driver ? d->device->driver : "",
			 d->device->driver ? " " : "", d->device->name);
}

static char *words_run(const struct swiotlb *s, const struct pzl_swlog_verdict *v)
{
	if (v->run == PZL_SWLOG_SEGMENT)
		return xstrdup("a segment of 128 slots");
	return xasprintf("an area of %" PRIu64 " slots, of which there are %" PRIu32, v->run,
			 s->kernel.areas);
}

/* One verdict, with the numbers of the longest mapping that it was given for. */
static char *words_why(const struct swiotlb *s, const struct swiotlb_event *ev)
{
	const struct fact_swiotlb *e = ev->fact;
	const struct pzl_swlog_verdict *v = &ev->verdict;
	char *run = words_run(s, v), *text = NULL;

	switch (v->why) {
	case PZL_SWLOG_NO_POOL:
		text = xstrdup("the kernel has no bounce buffers at all, and the device does not "
			       "reach the memory; swiotlb=force makes it have some");
		break;
	case PZL_SWLOG_NEVER:
		text = xasprintf("%" PRIu64 " bytes are %" PRIu64 " slots, and a mapping must lie "
				 "within a segment of 128 (256 KiB): no size of the pool helps. "
				 "The driver has to ask for less (dma_max_mapping_size()), or to "
				 "reach the memory itself",
				 e->bytes, v->need);
		break;
	case PZL_SWLOG_AREA:
		text = xasprintf("%" PRIu64 " bytes are %" PRIu64 " slots, more than %s", e->bytes,
				 v->need, run);
		break;
	case PZL_SWLOG_FULL:
		text = xasprintf("%" PRIu64 " bytes are %" PRIu64 " %s, and %" PRIu64
				 " of %" PRIu64 " were free",
				 e->bytes, v->need, v->need == 1 ? "slot" : "slots", v->free,
				 e->total);
		break;
	case PZL_SWLOG_FRAGMENTED:
		text = xasprintf("%" PRIu64 " bytes are %" PRIu64 " slots in a row within %s; "
				 "%" PRIu64 " of %" PRIu64 " were free, but %" PRIu64
				 " in use suffice to leave no such row, and %" PRIu64 " were",
				 e->bytes, v->need, run, v->free, e->total, v->blocks, e->used);
		break;
	case PZL_SWLOG_ALIGNED:
		text = xasprintf("%" PRIu64 " slots were free, and the %" PRIu64 " in use cannot "
				 "break up all rows of %" PRIu64 ". A device that keeps the low "
				 "bits of addresses (NVMe: 4 KiB) has less than 256 KiB of a "
				 "segment, and %" PRIu64 " bytes then never fit. The log does not "
				 "tell whether it is one",
				 v->free, e->used, v->need, e->bytes);
		break;
	case PZL_SWLOG_UNEXPLAINED:
		text = xasprintf("%" PRIu64 " slots were free, and the %" PRIu64 " in use cannot "
				 "break up all rows of %" PRIu64 " (%" PRIu64 " would). The log "
				 "does not decide: an alignment or boundary of the device, or "
				 "slots that came back before the line was printed",
				 v->free, e->used, v->need, v->blocks);
		break;
	case PZL_SWLOG_LINE:
	case PZL_SWLOG_WHYS:
		text = xasprintf("%" PRIu64 " bytes are %" PRIu64 " slots, which a segment holds; "
				 "this kernel's lines do not say how many were in use, so the log "
				 "does not decide between full and fragmented",
				 e->bytes, v->need);
		break;
	}
	free(run);
	return text;
}

static void words_add(struct swiotlb *s, char *text)
{
	*vec_push(&s->answers) = text;
}

static void words_of_device(struct swiotlb *s, const struct swiotlb_device *d)
{
	char *name = words_device(d);

	for (int w = 0; w < PZL_SWLOG_WHYS; w++) {
		char *why;

		if (!d->why[w])
			continue;
		why = words_why(s, &s->events.v[d->sample[w]]);
		words_add(s, xasprintf("%s: %s, %" PRIu64 " %s: %s.", name,
				       swiotlb_why_name((enum pzl_swlog_why)w), d->why[w],
				       d->why[w] == 1 ? "line" : "lines, the longest", why));
		free(why);
	}
	if (d->none || d->direct)
		words_add(s, xasprintf("%s: no pool, %" PRIu64 " %s: the device does not reach the "
				       "memory, and there are no bounce buffers to go through.",
				       name, d->none + d->direct,
				       d->none + d->direct == 1 ? "line" : "lines"));
	if (d->beyond) {
		const struct fact_swiotlb *e = s->events.v[d->last].fact;

		words_add(s, xasprintf("%s: the bounce buffers themselves lie out of its reach%s, "
				       "%" PRIu64 " %s: it needs a pool that lies lower.",
				       name,
				       e->kind == SWIOTLB_BEYOND && e->mask < e->addr
					       ? " (its mask ends below them)"
					       : "",
				       d->beyond, d->beyond == 1 ? "line" : "lines"));
	}
	free(name);
}

static char *words_span(uint64_t ms)
{
	if (ms >= 7200000)
		return xasprintf("%" PRIu64 " hours", ms / 3600000);
	if (ms >= 120000)
		return xasprintf("%" PRIu64 " minutes", ms / 60000);
	return xasprintf("%" PRIu64 " s", ms / 1000);
}

/* How it filled. A pool of which no line tells what is in use has no course. */
static void words_course(struct swiotlb *s, const struct swiotlb_pool *p)
{
	const struct pzl_swlog_trend *t = &p->trend;
	char *span = words_span(t->span);

	switch (t->course) {
	case PZL_SWLOG_GROWS:
		words_add(s,
			  xasprintf("A leak, by the look of it: over %s the slots in use %s, from "
				    "%" PRIu64 " to %" PRIu64 ", by some %" PRIu64
				    " in an hour. A load that only grows looks the same; what is "
				    "in use while the machine is idle tells them apart "
				    "(swiotlb/io_tlb_used in debugfs). No size lasts.",
				    span,
				    t->by_floor ? "came back less and less, quarter by quarter"
						: "only grew and none came back",
				    t->by_floor ? t->floor[0] : t->first,
				    t->by_floor ? t->floor[PZL_SWLOG_QUARTERS - 1] : t->last,
				    t->per_hour));
		break;
	case PZL_SWLOG_STUCK:
		words_add(s, xasprintf("A leak, by the look of it: over %s not one slot came back; "
				       "%" PRIu64 " of %" PRIu64 " stay in use. No size lasts.",
				       span, t->last, p->total));
		break;
	case PZL_SWLOG_MOVES:
		words_add(s, xasprintf("No leak in sight: over %s the slots in use rose in %" PRIu64
				       " lines and fell in %" PRIu64 ", between %" PRIu64
				       " and %" PRIu64 ".",
				       span, t->rises, t->falls, t->least, t->most));
		break;
	case PZL_SWLOG_FEW:
		if (p->samples.n && p->total)
			words_add(s, xasprintf("Whether slots leak cannot be told: %s.",
					       !p->timed ? "not every line has a time stamp"
					       : p->samples.n < PZL_SWLOG_SAMPLES
						       ? "there are too few lines"
						       : "they span too short a time"));
		break;
	}
	free(span);
}

static bool words_leaks(const struct swiotlb_pool *p)
{
	return p->trend.course == PZL_SWLOG_GROWS || p->trend.course == PZL_SWLOG_STUCK;
}

/* What leaks outgrows every size. */
static void words_size(struct swiotlb *s, const struct swiotlb_pool *p)
{
	char least[VIEW_SIZE_MAX], sure[VIEW_SIZE_MAX];

	if (!p->least || words_leaks(p))
		return;
	if (p->sure == p->least)
		words_add(s, xasprintf("swiotlb=%" PRIu64 " (%s) would have done for each of these "
				       "lines by itself, however the others lie.",
				       p->sure, view_size(sure, p->sure * PZL_SWLOG_SLOT)));
	else
		words_add(s, xasprintf("swiotlb=%" PRIu64 " (%s) might have done for each of these "
				       "lines by itself; swiotlb=%" PRIu64 " (%s) would have, "
				       "however the others lie.",
				       p->least, view_size(least, p->least * PZL_SWLOG_SLOT),
				       p->sure, view_size(sure, p->sure * PZL_SWLOG_SLOT)));
}

static void words_fit(struct swiotlb *s, const struct swiotlb_fit *fit)
{
	char want[VIEW_SIZE_MAX], got[VIEW_SIZE_MAX], at[VIEW_SIZE_MAX], low[VIEW_SIZE_MAX];

	view_size(want, fit->slots * PZL_SWLOG_SLOT);
	view_addr(low, s->low_last + 1);
	if (fit->got == fit->slots)
		words_add(s, xasprintf("On this machine %s of bounce buffers fit below %s, at %s.",
				       want, low, view_addr(at, fit->at.first)));
	else if (fit->got)
		words_add(s, xasprintf("On this machine %s of bounce buffers do not fit below %s: "
				       "the kernel would halve them to %s.",
				       want, low, view_size(got, fit->got * PZL_SWLOG_SLOT)));
	else
		words_add(s, xasprintf("On this machine neither %s of bounce buffers fit below %s, "
				       "nor a half or a quarter of them and so on.",
				       want, low));
}

void swiotlb_answer(struct swiotlb *s)
{
	bool sized = false;

	for (size_t i = 0; i < s->devices.n; i++)
		words_of_device(s, &s->devices.v[i]);
	for (size_t i = 0; i < s->pools.n; i++) {
		const struct swiotlb_pool *p = &s->pools.v[i];

		if (s->pools.n > 1 && p->total && p->total != PZL_SWLOG_UNTOLD)
			words_add(s, xasprintf("Of the pool of %" PRIu64 " slots:", p->total));
		words_course(s, p);
		words_size(s, p);
		sized = sized || (p->least && !words_leaks(p));
	}
	for (size_t i = 0; i < s->fits.n && sized; i++)
		words_fit(s, &s->fits.v[i]);
	if (sized && s->unfit)
		words_add(s, xstrdup("Whether that fits below 4 GiB cannot be told: the log does "
				     "not hold the machine's memory map."));
	if (s->suppressed)
		words_add(s, xasprintf("The kernel left out %" PRIu64 " more of these lines.",
				       s->suppressed));
}
