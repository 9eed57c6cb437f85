/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain_words.c - an explanation in sentences, which the text and the JSON share.
 */
#include "explain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "view.h"

#define WORDS_SIZE (VIEW_SIZE_MAX + 8)

const char *explain_cause_name(enum ex_cause c)
{
	static const char *const names[EX_CAUSES] = {
		[EX_NOT_STATED] = "not-stated",	     [EX_LIKELY_UNMANAGED] = "likely-unmanaged",
		[EX_TOO_LARGE] = "too-large",	     [EX_NO_ZONE] = "no-zone",
		[EX_UNMANAGED] = "unmanaged",	     [EX_FULL] = "full",
		[EX_RESERVE] = "lowmem-reserve",     [EX_SIZE] = "too-few-for-this-size",
		[EX_FRAGMENTED] = "fragmented",	     [EX_CMA] = "only-cma",
		[EX_HIGHATOMIC] = "only-highatomic", [EX_GONE] = "would-be-served",
		[EX_BARE] = "report-only",
	};

	return (unsigned int)c < EX_CAUSES ? names[c] : "?";
}

const char *explain_matter_name(enum ex_matter m)
{
	switch (m) {
	case EX_HARMLESS:
		return "harmless";
	case EX_COPES:
		return "caller-copes";
	case EX_FEATURE:
		return "caller-fails";
	case EX_SERIOUS:
		return "serious";
	case EX_OPEN:
		break;
	}
	return "open";
}

const char *explain_remedy_name(enum ex_remedy_kind k)
{
	switch (k) {
	case EX_R_RETRY:
		return "retry";
	case EX_R_KERNEL:
		return "kernel";
	case EX_R_ORDER:
		return "smaller-order";
	case EX_R_MOVABLE:
		return "movable";
	case EX_R_HIGH:
		return "gfp-high";
	case EX_R_BLOCK:
		return "block";
	case EX_R_NODES:
		return "nodes";
	case EX_R_WIDER:
		return "wider-limit";
	case EX_R_DRAIN:
		return "drain";
	case EX_R_COMPACT:
		return "compact";
	case EX_R_MIN_FREE:
		return "min-free-kbytes";
	case EX_R_RATIO:
		return "lowmem-reserve-ratio";
	case EX_R_FREE:
		return "free-pages";
	case EX_R_CMA:
		break;
	}
	return "reserve-at-boot";
}

/* "384 KiB", or "an unknown amount". */
static const char *words_size(char *buf, const struct explanation *x, uint64_t pages)
{
	if (pages > 8 * PZL_PAGES_MOST)
		return "an unknown amount";
	return view_pages_size(buf, pages, x->page_shift);
}

char *explain_zone_name(const struct ex_zone *z)
{
	return xasprintf("zone %s of node %d", pz_zone_name(z->type), z->fact->nid);
}

char *explain_asked(const struct explained *e, const struct explanation *x)
{
	const struct fact_failure *f = x->failure;
	char size[WORDS_SIZE], cpu[24] = "";
	uint64_t pages = f->order < 52 ? (uint64_t)1 << f->order : PZL_PAGES_UNKNOWN;

	(void)e;
	if (f->cpu != PZ_NID_NONE)
		snprintf(cpu, sizeof(cpu), " on CPU %d", f->cpu);
	if (f->order >= 52)
		return xasprintf("%s%s asked for a block of order %u", f->comm, cpu, f->order);
	return xasprintf("%s%s%s%s%s asked for %" PRIu64 " page%s%s (order %u, %s)", f->comm, cpu,
			 x->caller ? ", in " : "", x->caller ? x->caller : "", x->caller ? "," : "",
			 pages, f->order ? "s" : "", f->order ? " in one block" : "", f->order,
			 words_size(size, x, pages));
}

static const char *words_end(const struct explanation *x)
{
	switch (x->path.end) {
	case PZL_PATH_TOO_LARGE:
		return "and no block is that large: it is refused unseen";
	case PZL_PATH_AT_ONCE:
		return x->path.wakes_kswapd
			       ? "it may not wait: kswapd is woken, and it fails at once"
			       : "it may not wait, and not even wake kswapd: it fails "
				 "at once";
	case PZL_PATH_NORETRY:
		return "it may wait, and asked to give up after one round of reclaim and "
		       "compaction (__GFP_NORETRY)";
	case PZL_PATH_COSTLY:
		return "it may wait; an order above 3 gives up after one round of reclaim and "
		       "compaction";
	case PZL_PATH_ROUNDS:
		return x->path.no_oom & PZL_NO_OOM_LOW_ZONE
			       ? "it may wait: memory is reclaimed as long as that helps; the OOM "
				 "killer is not called for zones below Normal, so it can fail"
			       : "it may wait: memory is reclaimed as long as that helps; the OOM "
				 "killer is not called for it";
	case PZL_PATH_OOM:
		return "it may wait: memory is reclaimed, and then the OOM killer is called";
	case PZL_PATH_FOREVER:
		break;
	}
	return "it may wait, and never fails (__GFP_NOFAIL)";
}

char *explain_rights(const struct explained *e, const struct explanation *x)
{
	const uint32_t rights = x->path.rights;
	const char *marks = "", *low = "";
	char names[512];

	pzl_gfp_format(names, sizeof(names), x->gfp, e->kernel.model);
	if (rights & PZL_RIGHT_NO_MARKS)
		marks = "it ignores watermarks; ";
	else if (rights & PZL_RIGHT_RESERVE && rights & PZL_RIGHT_NON_BLOCK)
		marks = "it may use 5/8 of what the min watermark keeps; ";
	else if (rights & PZL_RIGHT_RESERVE)
		marks = "it may use half of what the min watermark keeps; ";
	if (pzl_lowmem_index(x->configured, x->highest))
		low = " or below";
	else
		low = " only";
	return xasprintf("from zone %s%s, as %s (0x%" PRIx32 "): %s%s", pz_zone_name(x->highest),
			 low, names, x->gfp, marks, words_end(x));
}

/* Which numbers a zone's lines lack. */
static char *words_missing(const struct ex_zone *z)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} all[] = {
		{ PZL_MISS_FREE, "free pages" },
		{ PZL_MISS_MIN, "watermarks" },
		{ PZL_MISS_LOWMEM, "lowmem reserve" },
		{ PZL_MISS_BLOCKS, "free blocks" },
	};
	char *s = xstrdup(""), *more;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!(z->judged.missing & all[i].bit))
			continue;
		more = xasprintf("%s%s%s", s, *s ? ", " : "", all[i].name);
		free(s);
		s = more;
	}
	more = xasprintf("the log does not state its %s", s);
	free(s);
	return more;
}

/* "260 KiB would be left, and it must keep more than 344 KiB (its watermark)". */
static char *words_left(const struct explanation *x, const struct ex_zone *z)
{
	const struct pzl_zone_judgement *j = &z->judged;
	char left[WORDS_SIZE], need[WORDS_SIZE], mark[WORDS_SIZE], kept[WORDS_SIZE];
	uint64_t rest = j->usable < 0 ? (uint64_t)-j->usable : (uint64_t)j->usable;
	char *a, *b, *s;

	words_size(left, x, rest);
	words_size(need, x, j->need);
	/* What looks the same is told page by page. */
	if (!strcmp(left, need)) {
		snprintf(left, sizeof(left), "%" PRIu64 " pages", rest);
		snprintf(need, sizeof(need), "%" PRIu64 " pages", j->need);
	}
	a = xasprintf("%s %s", left,
		      j->usable < 0 ? "too little for the block itself" : "would be left");
	if (z->state.reserve && z->state.reserve <= PZL_PAGES_MOST)
		b = xasprintf("%s and %s kept for requests that reach no higher",
			      words_size(mark, x, j->mark_oom),
			      words_size(kept, x, z->state.reserve));
	else
		b = xstrdup("its watermark");
	s = xasprintf("%s, and it must keep more than %s (%s)", a, need, b);
	free(a);
	free(b);
	return s;
}

char *explain_zone(const struct explanation *x, const struct ex_zone *z)
{
	const struct pzl_zone_judgement *j = &z->judged;
	char free_size[WORDS_SIZE], all[WORDS_SIZE], block[WORDS_SIZE];
	char *have, *why = NULL, *s;

	if (z->excluded)
		return xstrdup("its node is not among those that the request may use");
	if (j->verdict == PZL_ZONE_UNMANAGED)
		return xasprintf(
			"no managed page, of %s that are there: nothing can ever come from "
			"it",
			words_size(all, x, z->present));
	if (j->verdict == PZL_ZONE_ABOVE && !x->failure)
		return xasprintf("%s free; not for ordinary requests (GFP_KERNEL), which may use "
				 "zone %s at most",
				 words_size(free_size, x, z->state.free), pz_zone_name(x->highest));
	if (j->verdict == PZL_ZONE_ABOVE)
		return xasprintf("%s free; not for this request, which may use zone %s at most",
				 words_size(free_size, x, z->state.free), pz_zone_name(x->highest));
	have = xasprintf("%s free of %s", words_size(free_size, x, z->state.free),
			 words_size(all, x, z->state.managed));
	switch (j->verdict) {
	case PZL_ZONE_MARK:
	case PZL_ZONE_RESERVE:
		why = words_left(x, z);
		break;
	case PZL_ZONE_CMA:
		why = xasprintf("%s of it in CMA areas, which only movable pages may use",
				words_size(block, x, z->state.free_cma));
		break;
	case PZL_ZONE_HIGHATOMIC:
		why = xasprintf("%s set aside for atomic requests",
				words_size(block, x, z->state.highatomic));
		break;
	case PZL_ZONE_NO_BLOCK:
		if (j->largest < 0)
			why = xstrdup("no block of it may be taken");
		else
			why = xasprintf("the largest block has %s (order %d)",
					words_size(block, x, (uint64_t)1 << j->largest),
					(int)j->largest);
		break;
	case PZL_ZONE_NOT_STATED:
		why = words_missing(z);
		break;
	default:
		if (x->failure)
			why = xstrdup("by these numbers it would serve the request");
		else if (j->serves >= 0)
			why = xasprintf("gives an ordinary request up to %s (order %d)",
					words_size(block, x, (uint64_t)1 << j->serves),
					(int)j->serves);
		else
			why = xstrdup("gives an ordinary request a single page at least");
		break;
	}
	s = xasprintf("%s; %s", have, why);
	free(have);
	free(why);
	return s;
}

static char *words_bare(const struct explanation *x)
{
	char size[WORDS_SIZE];
	const struct ex_zone *best = NULL;
	char *name, *s;

	for (size_t i = 0; i < x->zones.n; i++)
		if (!best || x->zones.v[i].judged.serves >= best->judged.serves)
			best = &x->zones.v[i];
	if (!best)
		return xstrdup("the report has no zones");
	for (size_t i = 0; i < x->zones.n && best->judged.serves < 0; i++)
		if (x->zones.v[i].judged.verdict == PZL_ZONE_OK)
			return xstrdup(
				"no failed request is told; an ordinary one (GFP_KERNEL) for "
				"a single page would be served, and the free blocks are not "
				"stated");
	if (best->judged.serves < 0)
		return xstrdup("by this report no zone would give an ordinary request "
			       "(GFP_KERNEL) anything, as far as its numbers go");
	name = explain_zone_name(best);
	s = xasprintf("no failed request is told; an ordinary one (GFP_KERNEL) would get up to "
		      "%s in one block (order %d), from %s",
		      words_size(size, x, (uint64_t)1 << best->judged.serves),
		      (int)best->judged.serves, name);
	free(name);
	return s;
}

/* Whether the request may use more zones than the one of the cause. */
static bool words_others(const struct explanation *x)
{
	unsigned int n = 0;

	for (size_t i = 0; i < x->zones.n; i++)
		n += !x->zones.v[i].excluded && !x->zones.v[i].state.above;
	return n > 1;
}

static char *words_because(const struct explanation *x, const char *name)
{
	const struct ex_zone *z = x->zone == UINT32_MAX ? NULL : &x->zones.v[x->zone];
	const struct pzl_zone_judgement *j = z ? &z->judged : NULL;
	char a[WORDS_SIZE], b[WORDS_SIZE];

	switch (x->cause) {
	case EX_UNMANAGED:
		return xasprintf("%s has 0 managed pages (%" PRIu64 " present): no request for it "
				 "can ever be served here, and free memory elsewhere does not "
				 "matter",
				 name, z->present <= PZL_PAGES_MOST ? z->present : 0);
	case EX_LIKELY_UNMANAGED:
		return xstrdup(
			"the report ends before its zones, so the cause is not stated; but "
			"when the kernel's start asks zone DMA for its pool, nothing has been "
			"used up yet, and what fails then is a zone without any managed page, "
			"as a capture kernel's is");
	case EX_FULL:
		return xasprintf(
			"%s is used up: it lacks %s (%" PRIu64 " page%s) to be above its "
			"watermark%s",
			name, words_size(a, x, j->lacking), j->lacking, j->lacking == 1 ? "" : "s",
			words_others(x) ? ", and the other zones that may be used refuse too" : "");
	case EX_RESERVE:
		return xasprintf("%s has free pages, but keeps them for requests that reach no "
				 "higher zone; %s (%" PRIu64 " page%s) more must be free",
				 name, words_size(a, x, j->lacking), j->lacking,
				 j->lacking == 1 ? "" : "s");
	case EX_SIZE:
		return xasprintf("too little is free for this size: %s lacks %s (%" PRIu64
				 " page%s) to stay above its watermark; smaller requests are "
				 "still served",
				 name, words_size(a, x, j->lacking), j->lacking,
				 j->lacking == 1 ? "" : "s");
	case EX_FRAGMENTED:
		return xasprintf("%s is fragmented: %s are free, but no block of %s", name,
				 words_size(a, x, z->state.free),
				 words_size(b, x, (uint64_t)1 << x->failure->order));
	case EX_CMA:
		return xasprintf("what is free in %s belongs to CMA areas, which only movable "
				 "pages may use",
				 name);
	case EX_HIGHATOMIC:
		return xasprintf("what is free in %s is set aside for atomic requests of more than "
				 "a page",
				 name);
	case EX_GONE:
		return xasprintf("the report does not show it: by its numbers %s would serve the "
				 "request; they were read after it failed, and pages may have come "
				 "free, or the caller has limits that the log does not tell",
				 name);
	default:
		break;
	}
	return xasprintf("the log does not state enough to tell%s%s", name ? ": see " : "",
			 name ? name : "");
}

char *explain_because(const struct explanation *x)
{
	char *name, *s;

	if (x->cause == EX_BARE)
		return words_bare(x);
	if (x->cause == EX_TOO_LARGE)
		return xasprintf("no block is as large as order %u: such a request never succeeds",
				 x->failure->order);
	if (x->cause == EX_NO_ZONE)
		return xasprintf("the report has no zone that the request may use (%s or below, on "
				 "nodes %s)",
				 pz_zone_name(x->highest),
				 x->failure->mems_allowed ? x->failure->mems_allowed : "any");
	name = x->zone == UINT32_MAX ? NULL : explain_zone_name(&x->zones.v[x->zone]);
	if (x->cause == EX_NOT_STATED && !x->zones.n)
		s = xstrdup("no report of the zones follows the failure: its cause is not stated");
	else
		s = words_because(x, name);
	free(name);
	return s;
}

char *explain_matters(const struct explanation *x)
{
	switch (x->why) {
	case EX_WHY_POOL:
		return xasprintf("harmless unless a device needs DMA memory from zone %s in atomic "
				 "context: it is the kernel's own stock, made at start-up, and the "
				 "boot goes on without it%s",
				 pz_zone_name(x->highest),
				 x->capture ? " (this is a capture kernel)" : "");
	case EX_WHY_NEVER:
		return xstrdup("yes, for whoever needs such memory: every request like this fails, "
			       "whatever is freed; the rest of the system does not notice");
	case EX_WHY_NORETRY:
		return xstrdup("probably not: the caller said that it has another way "
			       "(__GFP_NORETRY)");
	case EX_WHY_ATOMIC:
		return xstrdup(
			"rarely: who may not wait has to cope with a failure, as by dropping "
			"a packet or trying again; it matters when it happens often");
	case EX_WHY_COSTLY:
		return xstrdup("depends on the caller: most that ask for more than order 3 fall "
			       "back to smaller pieces; where this one does not, its operation "
			       "failed");
	case EX_WHY_LOW_ZONE:
		return xasprintf(
			"yes, for the caller: memory below the limit of zone %s was "
			"reclaimed in vain, and what it wanted did not happen; the rest of "
			"the system is not affected",
			pz_zone_name(x->highest));
	case EX_WHY_GAVE_UP:
		return xstrdup("depends on the caller, which asked that no process be killed for "
			       "it");
	case EX_WHY_OOM:
		return xstrdup("yes, it is serious: a small request that may wait fails only when "
			       "reclaim and the OOM killer did not help");
	case EX_WHY_NOFAIL:
		return xstrdup("yes, it is serious: such a request is not supposed to fail");
	case EX_WHY_TOO_LARGE:
		return xstrdup("yes, it is an error of the caller: no machine can serve it");
	case EX_WHY_NOTHING:
		break;
	}
	return xstrdup("nothing failed");
}

static char *words_remedy(const struct explanation *x, const struct ex_remedy *r, const char *name)
{
	char size[WORDS_SIZE];

	switch (r->kind) {
	case EX_R_RETRY:
		return xasprintf("ask again: %s would serve it by now", name);
	case EX_R_KERNEL:
		return xstrdup("a kernel from 5.17 on, or a later release of an older stable "
			       "series: it makes no such pool where zone DMA has no managed page");
	case EX_R_ORDER:
		return xasprintf("ask for %s or less at a time (order %" PRIu64 "): %s would serve "
				 "that",
				 words_size(size, x, (uint64_t)1 << r->value), r->value, name);
	case EX_R_MOVABLE:
		return xasprintf("ask for a movable page, if it can be moved: %s would serve it",
				 name);
	case EX_R_HIGH:
		return xasprintf("use the reserve (__GFP_HIGH), if the request is urgent: %s would "
				 "serve it",
				 name);
	case EX_R_BLOCK:
		return xstrdup("let the caller wait (GFP_KERNEL): then pages are reclaimed and "
			       "moved for it");
	case EX_R_NODES:
		return xasprintf("allow other nodes: %s would serve it", name);
	case EX_R_WIDER:
		return xasprintf("ask for higher memory, if the device reaches it (a wider DMA "
				 "mask): %s are free outside these zones",
				 words_size(size, x, r->value));
	case EX_R_DRAIN:
		return xasprintf("take back the %s that wait in per-CPU lists of %s: writing to "
				 "/proc/sys/vm/compact_memory does it",
				 words_size(size, x, r->value), name);
	case EX_R_COMPACT:
		return xasprintf("compact %s: echo 1 > /proc/sys/vm/compact_memory", name);
	case EX_R_MIN_FREE:
		return xstrdup("raise vm.min_free_kbytes: more then stays free for those that may "
			       "not wait");
	case EX_R_RATIO:
		return xasprintf("keep less back in %s: raise its vm.lowmem_reserve_ratio", name);
	case EX_R_FREE:
		return xasprintf("free %" PRIu64 " page%s (%s) in %s", r->value,
				 r->value == 1 ? "" : "s", words_size(size, x, r->value), name);
	case EX_R_CMA:
		break;
	}
	return xstrdup("reserve it at boot, where large blocks are still whole (cma=, hugepages=)");
}

char *explain_remedy(const struct explanation *x, const struct ex_remedy *r)
{
	char *name = r->zone < x->zones.n ? explain_zone_name(&x->zones.v[r->zone]) : NULL;
	char *s = words_remedy(x, r, name ? name : "a zone");

	free(name);
	return s;
}
