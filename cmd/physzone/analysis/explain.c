/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain.c - why requests for pages failed: each failure's request, what each zone of its report
 * answers, and the cause that follows.
 *
 * Concept: the report is fed to the page allocator's own decision (linux/verdict.c). A request
 * fails when every zone that it may use refuses; the cause is what the zone refuses that was
 * nearest to serving it. The numbers are those of the moment of the report, a little after the
 * failure, so a zone may seem to serve what failed; that is said, and not explained away.
 *
 * Invariants: 1. a failure is in exactly one explanation, by itself or as one of its times; 2. a
 * number that the log does not state is not replaced.
 *
 * Failure: none but an option's unknown value. Reports that contradict themselves are explained by
 * their zones' lines, and the contradiction is told.
 */
#include "explain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { EXPLAIN_MAX_ORDER = 10, EXPLAIN_COMPARED = 64 };

static bool explain_type(const char *name, enum pz_zone_type *type)
{
	for (int t = 0; t < PZ_ZONE_TYPES; t++) {
		if (strcmp(pz_zone_name((enum pz_zone_type)t), name) != 0)
			continue;
		*type = (enum pz_zone_type)t;
		return true;
	}
	return false;
}

/* Whether a node is in a list such as "0-1,3"; "(null)" and no list hold every node. */
static bool explain_in_list(const char *list, int nid)
{
	if (!list || *list < '0' || *list > '9')
		return true;
	while (*list >= '0' && *list <= '9') {
		char *end;
		long first = strtol(list, &end, 10), last = first;

		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		if (first <= nid && nid <= last)
			return true;
		list = *end == ',' ? end + 1 : end;
	}
	return false;
}

/*
 * The flags: by their names where there are any, for numbers differ between versions. Names that
 * the model does not know are told and left out.
 */
static void explain_flags(const struct explained *e, struct explanation *x)
{
	const struct fact_failure *f = x->failure;
	uint32_t sum = 0;

	x->gfp = (uint32_t)f->gfp;
	if (!f->flags && f->gfp)
		explain_say(x, false,
			    "mode 0x%" PRIx64 " has no names beside it: its bits are read as %s "
			    "numbers them, and old kernels numbered them otherwise",
			    f->gfp, pzl_model_name(e->kernel.model));
	if (!f->flags || !*f->flags)
		return;
	for (const char *p = f->flags; *p;) {
		size_t n = strcspn(p, "|");
		uint32_t bits;

		if (!n || pzl_gfp_parse(p, n, e->kernel.model, &bits))
			explain_say(x, false, "the flag %.*s is not one of %s and is left out",
				    (int)(n < 64 ? n : 64), p, pzl_model_name(e->kernel.model));
		else
			sum |= bits;
		p += n + (p[n] == '|');
	}
	if (sum != f->gfp)
		explain_say(x, false,
			    "mode 0x%" PRIx64 " and the names beside it are not the same in %s; "
			    "the names count (0x%" PRIx32 ")",
			    f->gfp, pzl_model_name(e->kernel.model), sum);
	x->gfp = sum;
}

/* Frames between a failure and whoever asked for pages. */
static bool explain_own_frame(const char *name)
{
	static const char *const own[] = {
		"dump_",	   "show_stack",       "unwind_",
		"warn_alloc",	   "__alloc_pages",    "alloc_page",
		"__get_free_page", "get_free_page",    "get_zeroed",
		"get_page_from",   "__alloc_frozen",   "alloc_frozen",
		"__folio_alloc",   "folio_alloc",      "kmalloc",
		"__kmalloc",	   "kmem_cache_alloc", "___slab_alloc",
		"__slab_alloc",	   "new_slab",	       "allocate_slab",
		"___kmalloc",	   "__do_kmalloc",     "__kmem_cache",
		"dma_direct_",	   "__dma_direct_",    "dma_alloc_",
		"dma_common_",	   "atomic_pool_",     "__dma_atomic_",
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (!strncmp(name, own[i], strlen(own[i])))
			return true;
	return false;
}

static void explain_caller(struct explanation *x)
{
	for (size_t i = 0; i < x->failure->trace.n && !x->caller; i++)
		if (!explain_own_frame(x->failure->trace.v[i]))
			x->caller = x->failure->trace.v[i];
}

/* The first zone of a report; its zones stand together, and the reports ascend. */
static size_t explain_first_zone(const struct facts *f, uint32_t report)
{
	size_t low = 0, high = f->zone_reports.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (f->zone_reports.v[mid].report < report)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Page size: of the smallest free block, else of the machine, else the usual one. */
static void explain_page_size(const struct explained *e, const struct facts *f, uint32_t report,
			      struct explanation *x)
{
	unsigned int machine = e->arch_known ? e->kernel.page_shift : f->page_shift;
	unsigned int shift = 0;

	for (size_t i = explain_first_zone(f, report); i < f->zone_reports.n && !shift; i++) {
		const struct fact_zone_report *z = &f->zone_reports.v[i];

		if (z->report != report)
			break;
		if (!z->orders)
			continue;
		for (shift = 10; (uint64_t)1 << shift < z->block_kib << 10;)
			shift++;
		if ((uint64_t)1 << shift != z->block_kib << 10)
			shift = 0;
	}
	x->page_shift_known = shift || machine;
	if (shift && f->page_shift && shift != f->page_shift)
		explain_say(x, true,
			    "the smallest free block has %llu bytes, and the log's pages have %llu",
			    1ull << shift, 1ull << f->page_shift);
	x->page_shift = shift ? shift : machine ? machine : 12;
}

static uint64_t explain_pages(const struct explanation *x, uint64_t kib)
{
	if (kib == UINT64_MAX)
		return PZL_PAGES_UNKNOWN;
	return x->page_shift >= 10 ? kib >> (x->page_shift - 10) : kib;
}

static uint32_t explain_count(uint32_t bits)
{
	uint32_t n = 0;

	for (; bits; bits &= bits - 1)
		n++;
	return n;
}

/* Zone types of the kernel: what the log tells, made to fit the number of lowmem_reserve[]. */
static void explain_configured(struct explanation *x, uint32_t told)
{
	const uint32_t device = PZL_ZONE_BIT(PZ_ZONE_DEVICE), bit32 = PZL_ZONE_BIT(PZ_ZONE_DMA32);
	uint32_t bits = told, named = 0, n = 0;

	for (size_t i = 0; i < x->zones.n; i++) {
		const struct fact_zone_report *z = x->zones.v[i].fact;

		named |= PZL_ZONE_BIT(x->zones.v[i].type);
		if (z->protections > n)
			n = z->protections;
	}
	/* Nothing tells: the zones of most 64-bit machines. */
	if (!bits && !named)
		bits = PZL_ZONE_BIT(PZ_ZONE_DMA) | bit32;
	bits |= named | PZL_ZONE_BIT(PZ_ZONE_NORMAL) | PZL_ZONE_BIT(PZ_ZONE_MOVABLE);
	for (int pass = 0; pass < 3; pass++) {
		uint32_t have = explain_count(bits);

		if (n == have + 1 && !(bits & device))
			bits |= device;
		else if (n && n + 1 == have && bits & device && !(named & device))
			bits &= ~device;
		else if (n == have + 2 && !(bits & device) && !(bits & bit32) &&
			 bits & PZL_ZONE_BIT(PZ_ZONE_DMA))
			bits |= bit32;
	}
	x->configured = bits;
	x->configured_sure = n == explain_count(bits);
}

/* The lowmem reserve of a zone against the highest zone of the request. */
static uint64_t explain_reserve(const struct explanation *x, const struct ex_zone *z)
{
	unsigned int k = pzl_lowmem_index(x->configured, x->highest);

	if (z->type >= x->highest)
		return 0;
	if (!z->fact->protections || !x->configured_sure || k >= z->fact->protections)
		return PZL_PAGES_UNKNOWN;
	return z->fact->protection[k];
}

/*
 * Whether a node is forbidden: by the node mask, or by the task's cpuset where it is a hard limit.
 * Without __GFP_HARDWALL a request may leave it, and one that may not wait is not held to it.
 */
static bool explain_excluded(const struct explanation *x, int nid)
{
	bool cpuset = x->gfp & PZL_GFP_HARDWALL && pzl_gfp_can_block(x->gfp);

	return !explain_in_list(x->failure->nodemask, nid) ||
	       (cpuset && !explain_in_list(x->failure->mems_allowed, nid));
}

static void explain_zones(const struct facts *f, uint32_t report, struct explanation *x)
{
	for (size_t i = explain_first_zone(f, report); i < f->zone_reports.n; i++) {
		const struct fact_zone_report *z = &f->zone_reports.v[i];
		enum pz_zone_type type;
		struct ex_zone *e;

		if (z->report != report)
			break;
		if (!explain_type(z->name, &type))
			continue;
		e = vec_push(&x->zones);
		e->fact = z;
		e->type = type;
		e->present = explain_pages(x, z->present);
		e->held = explain_pages(x, z->free_pcp);
		e->file = z->active_file == UINT64_MAX || z->inactive_file == UINT64_MAX ||
					  z->active_file > UINT64_MAX - z->inactive_file
				  ? PZL_PAGES_UNKNOWN
				  : explain_pages(x, z->active_file + z->inactive_file);
		e->state.managed = explain_pages(x, z->managed);
		e->state.free = explain_pages(x, z->free);
		e->state.min = explain_pages(x, z->min);
		e->state.boost = z->boost == UINT64_MAX ? 0 : explain_pages(x, z->boost);
		e->state.highatomic = explain_pages(x, z->highatomic);
		e->state.free_cma = explain_pages(x, z->free_cma);
		e->state.orders = z->orders;
		for (unsigned int k = 0; k < z->orders && k < PZL_BLOCK_ORDERS; k++) {
			e->state.blocks[k] = z->blocks[k];
			e->state.types[k] = z->letters[k];
		}
		if (x->failure)
			e->excluded = explain_excluded(x, z->nid);
	}
}

/* A zone of those that the request may use with a verdict, the last of them; UINT32_MAX: none. */
static uint32_t explain_find(const struct explanation *x, enum pzl_verdict v)
{
	for (size_t i = x->zones.n; i-- > 0;)
		if (!x->zones.v[i].excluded && x->zones.v[i].judged.verdict == v)
			return (uint32_t)i;
	return UINT32_MAX;
}

/* The managed zone that lacks the fewest pages for an order, and whether any serves that order. */
static uint32_t explain_nearest(const struct explained *e, const struct explanation *x,
				unsigned int order, bool *serves)
{
	uint64_t least = UINT64_MAX;
	uint32_t best = UINT32_MAX;

	*serves = false;
	for (size_t i = 0; i < x->zones.n; i++) {
		const struct ex_zone *z = &x->zones.v[i];
		struct pzl_zone_judgement j;

		if (z->excluded || z->judged.verdict == PZL_ZONE_UNMANAGED ||
		    z->judged.verdict == PZL_ZONE_ABOVE)
			continue;
		pzl_zone_judge(e->kernel.model, x->gfp, 0, order, &z->state, &j);
		*serves = *serves || j.verdict == PZL_ZONE_OK;
		if (j.lacking < least || (j.lacking == least && best == UINT32_MAX)) {
			least = j.lacking;
			best = (uint32_t)i;
		}
	}
	return best;
}

bool explain_is_pool(const struct explanation *x)
{
	for (size_t i = 0; x->failure && i < x->failure->trace.n; i++)
		if (strstr(x->failure->trace.v[i], "dma_atomic_pool_init"))
			return true;
	return false;
}

static void explain_cause(const struct explained *e, struct explanation *x)
{
	static const struct {
		enum pzl_verdict verdict;
		enum ex_cause cause;
	} first[] = {
		{ PZL_ZONE_OK, EX_GONE },
		{ PZL_ZONE_NOT_STATED, EX_NOT_STATED },
		{ PZL_ZONE_NO_BLOCK, EX_FRAGMENTED },
		{ PZL_ZONE_CMA, EX_CMA },
		{ PZL_ZONE_HIGHATOMIC, EX_HIGHATOMIC },
	};
	bool serves;

	x->zone = x->nearest = UINT32_MAX;
	x->cause = EX_NOT_STATED;
	if (x->path.end == PZL_PATH_TOO_LARGE) {
		x->cause = EX_TOO_LARGE;
		return;
	}
	if (!x->zones.n) {
		if (explain_is_pool(x) && x->highest == PZ_ZONE_DMA)
			x->cause = EX_LIKELY_UNMANAGED;
		return;
	}
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		x->zone = explain_find(x, first[i].verdict);
		x->cause = first[i].cause;
		if (x->zone != UINT32_MAX)
			return;
	}
	if (explain_find(x, PZL_ZONE_MARK) == UINT32_MAX &&
	    explain_find(x, PZL_ZONE_RESERVE) == UINT32_MAX) {
		x->zone = explain_find(x, PZL_ZONE_UNMANAGED);
		x->cause = x->zone == UINT32_MAX ? EX_NO_ZONE : EX_UNMANAGED;
		return;
	}
	x->zone = x->nearest = explain_nearest(e, x, x->failure->order, &serves);
	(void)explain_nearest(e, x, 0, &serves);
	if (serves && x->failure->order) {
		x->cause = EX_SIZE;
	} else if (explain_find(x, PZL_ZONE_MARK) == UINT32_MAX) {
		x->cause = EX_RESERVE;
	} else {
		x->cause = EX_FULL;
		x->zone = explain_find(x, PZL_ZONE_MARK);
	}
}

/* Judge every zone for the request, which for a bare report is GFP_KERNEL's single page. */
static void explain_judge(const struct explained *e, struct explanation *x)
{
	bool managed_dma = false, dma = false;

	for (size_t i = 0; i < x->zones.n; i++) {
		struct ex_zone *z = &x->zones.v[i];

		z->state.above = z->type > x->highest;
		z->state.reserve = explain_reserve(x, z);
		pzl_zone_judge(e->kernel.model, x->gfp, 0, x->failure ? x->failure->order : 0,
			       &z->state, &z->judged);
		if (z->type == PZ_ZONE_DMA) {
			dma = true;
			managed_dma = managed_dma || z->state.managed;
		}
	}
	x->prints = pzl_alloc_prints(e->kernel.model, x->gfp, managed_dma || !dma);
	if (!x->failure)
		return;
	if (x->prints == PZL_SILENT_DMA)
		explain_say(x, false,
			    "%s would not print this failure, for no node has a managed page of "
			    "zone DMA: the kernel is older than 5.17 in this, or was changed",
			    pzl_model_name(e->kernel.model));
	else if (x->prints == PZL_SILENT_NOWARN)
		explain_say(x, false, "%s would not print a failure with __GFP_NOWARN",
			    pzl_model_name(e->kernel.model));
}

/* Zone flags that do not do what they say. */
static void explain_zone_flags(struct explanation *x, const struct fact_failure *fail)
{
	uint32_t zones = x->gfp & (PZL_GFP_DMA | PZL_GFP_DMA32 | PZL_GFP_HIGHMEM);

	if (!fail || !zones)
		return;
	if (zones & (zones - 1))
		explain_say(x, false,
			    "it names more than one zone, which is a mistake of the caller: the "
			    "kernel then takes its first zone, %s",
			    pz_zone_name(x->highest));
	else if (x->highest == PZ_ZONE_NORMAL && zones != PZL_GFP_HIGHMEM)
		explain_say(
			x, false,
			"this kernel has no zone %s: the flag means Normal, and no limit at all",
			zones == PZL_GFP_DMA ? "DMA" : "DMA32");
}

/* Everything about one failure, or about a report alone. */
static void explain_one(struct explained *e, const struct facts *f, const struct fact_failure *fail,
			uint32_t report, uint32_t told, struct explanation *x)
{
	unsigned int max_order = EXPLAIN_MAX_ORDER;

	memset(x, 0, sizeof(*x));
	x->failure = fail;
	x->times = 1;
	x->report = report < f->mem_infos.n ? &f->mem_infos.v[report] : NULL;
	x->last = fail ? fail->at : x->report->at;
	x->capture = f->cmdline && strstr(f->cmdline, "elfcorehdr=");
	explain_page_size(e, f, report, x);
	if (fail) {
		explain_flags(e, x);
		explain_caller(x);
	} else {
		x->gfp = PZL_GFP_KERNEL;
	}
	explain_zones(f, report, x);
	explain_configured(x, told);
	x->highest = pzl_gfp_zone(x->gfp, x->configured);
	if (e->arch_known)
		max_order = pzl_max_order(e->kernel.arch, x->page_shift);
	for (size_t i = 0; i < x->zones.n; i++)
		if (x->zones.v[i].fact->orders > max_order + 1)
			max_order = x->zones.v[i].fact->orders - 1;
	pzl_alloc_path(x->gfp, fail ? fail->order : 0, max_order, x->highest, &x->path);
	explain_judge(e, x);
	explain_check(x);
	if (fail) {
		explain_cause(e, x);
	} else {
		x->cause = EX_BARE;
		x->zone = x->nearest = UINT32_MAX;
	}
	explain_zone_flags(x, fail);
	if (!x->configured_sure && x->zones.n && x->zones.v[0].fact->protections)
		explain_say(
			x, false,
			"which zones the kernel has is not sure: lowmem_reserve[] has %u numbers",
			x->zones.v[0].fact->protections);
	explain_advise(e, x);
}

static bool explain_same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Whether two failures are one for the reader: the same request, refused in the same way. */
static bool explain_equal(const struct explanation *a, const struct explanation *b)
{
	if (!a->failure || !b->failure || a->failure->order != b->failure->order ||
	    a->gfp != b->gfp || a->cause != b->cause || a->zone != b->zone ||
	    a->zones.n != b->zones.n || a->contradictions.n || b->contradictions.n ||
	    a->matter != b->matter || strcmp(a->failure->comm, b->failure->comm) != 0 ||
	    !explain_same_text(a->caller, b->caller))
		return false;
	for (size_t i = 0; i < a->zones.n; i++)
		if (a->zones.v[i].type != b->zones.v[i].type ||
		    a->zones.v[i].fact->nid != b->zones.v[i].fact->nid ||
		    a->zones.v[i].judged.verdict != b->zones.v[i].judged.verdict)
			return false;
	return true;
}

static void explanation_destroy(struct explanation *x)
{
	explain_rebuilt_destroy(x);
	for (size_t i = 0; i < x->contradictions.n; i++)
		free(x->contradictions.v[i]);
	for (size_t i = 0; i < x->notes.n; i++)
		free(x->notes.v[i]);
	vec_free(&x->contradictions);
	vec_free(&x->notes);
	vec_free(&x->remedies);
	vec_free(&x->zones);
}

/* Add an explanation, or count it with an equal one among the last few. */
static void explain_add(struct explained *e, struct explanation *x)
{
	size_t from = e->all.n > EXPLAIN_COMPARED ? e->all.n - EXPLAIN_COMPARED : 0;

	for (size_t i = e->all.n; i-- > from;) {
		struct explanation *other = &e->all.v[i];

		if (!explain_equal(other, x))
			continue;
		other->times++;
		other->last = x->last;
		explanation_destroy(x);
		return;
	}
	*vec_push(&e->all) = *x;
}

int explain(struct explained *e, struct facts *f, const struct analysis_options *o, char **err)
{
	struct explanation x;
	uint32_t told = 0, next = 0;
	int rc;

	memset(e, 0, sizeof(*e));
	rc = analyse_kernel(&e->kernel, f, o, &e->arch_known, &told, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < f->failures.n; i++) {
		/* Reports before this failure's own that belong to none. */
		for (; f->failures.v[i].report != UINT32_MAX && next < f->failures.v[i].report;
		     next++) {
			explain_one(e, f, NULL, next, told, &x);
			explain_add(e, &x);
		}
		explain_one(e, f, &f->failures.v[i], f->failures.v[i].report, told, &x);
		explain_add(e, &x);
		if (f->failures.v[i].report != UINT32_MAX)
			next = f->failures.v[i].report + 1;
	}
	for (; next < f->mem_infos.n; next++) {
		explain_one(e, f, NULL, next, told, &x);
		explain_add(e, &x);
	}
	return 0;
}

void explained_destroy(struct explained *e)
{
	for (size_t i = 0; i < e->all.n; i++)
		explanation_destroy(&e->all.v[i]);
	vec_free(&e->all);
	analysis_destroy(&e->kernel);
}

int explain_verdict(const struct explained *e)
{
	int rc = 0;

	for (size_t i = 0; i < e->all.n; i++) {
		if (e->all.v[i].cause == EX_NOT_STATED)
			return 4;
		if (e->all.v[i].failure)
			rc = 1;
	}
	return rc;
}

bool explain_concerns(const struct explained *e, struct where at)
{
	for (size_t i = 0; i < e->all.n; i++) {
		const struct explanation *x = &e->all.v[i];
		struct where first = x->failure ? x->failure->at : x->report->at;

		if (first.file == at.file && first.line <= at.line)
			return true;
	}
	return false;
}
