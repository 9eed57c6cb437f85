/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * run.c - a rebuilt machine carried through start-up, stage by stage.
 *
 * Concept: the machine is first analysed by its own kernel's rules. Another model changes what is
 * asked for and how it is served; it changes the machine only where that kernel would lay its zones
 * out otherwise. So what the input tells about reservations stays in use as long as it applies.
 *
 * The stages follow the order of the kernel's initcalls: contiguous areas are activated before the
 * pools are made, and the watermarks are computed after them (mm/ is linked after kernel/), so the
 * pools' requests are not held back by any.
 *
 * Failure: what cannot be served is an outcome, not an error. An error is a machine that cannot be
 * rebuilt.
 *
 * Shortcomings: what else a kernel allocates between two stages (stacks, slabs, page tables; some
 * 3 MiB by the time of the pools) is not carried out, so free counts are higher than in its log.
 */
#include "boot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void *run_zeroed(void *ctx, size_t size)
{
	(void)ctx;
	return xcalloc(1, size);
}

static void run_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

/* Untouched memory costs nothing. */
static const struct pz_meta run_meta = { run_zeroed, run_free, NULL };

const char *boot_stage_name(enum boot_stage s)
{
	static const char *const names[BOOT_STAGES] = {
		"memblock", "hand-over", "core", "postcore", "subsys", "end", "driver",
	};

	return (unsigned int)s < BOOT_STAGES ? names[s] : "?";
}

const char *boot_outcome_name(enum boot_outcome o)
{
	switch (o) {
	case BOOT_SERVED:
		return "served";
	case BOOT_LESS:
		return "less";
	case BOOT_FAILED:
		return "failed";
	case BOOT_NEVER:
		return "never";
	case BOOT_DEPENDS:
		return "depends";
	case BOOT_SKIPPED:
		break;
	}
	return "skipped";
}

void boot_flags(char *buf, size_t size, const struct boot *b, const struct boot_request *r)
{
	uint32_t how = PZL_GFP_NOWARN | PZL_GFP_RETRY_MAYFAIL | PZL_GFP_NORETRY |
		       PZL_GFP_NOMEMALLOC | PZL_GFP_COMP | PZL_GFP_THISNODE;

	pzl_gfp_format(buf, size, r->asked.retry_gfp & ~how, b->rules);
}

bool boot_request_failed(const struct boot_request *r)
{
	bool many = r->asked.what == PZL_BOOT_HUGETLB || r->asked.what == PZL_BOOT_GIGANTIC;

	return r->outcome == BOOT_FAILED || (r->outcome == BOOT_LESS && many);
}

void boot_say(struct boot *b, enum boot_stage stage, const char *what, const char *fmt, ...)
{
	struct boot_step *s = vec_push(&b->steps);
	va_list ap;

	va_start(ap, fmt);
	s->stage = stage;
	s->what = xstrdup(what);
	s->text = xvasprintf(fmt, ap);
	va_end(ap);
}

static bool run_same_zones(const struct analysis *a, const struct analysis *b)
{
	if (a->nodes.n != b->nodes.n)
		return false;
	for (size_t n = 0; n < a->nodes.n; n++) {
		if (a->nodes.v[n].nid != b->nodes.v[n].nid)
			return false;
		for (int t = 0; t < PZ_ZONE_TYPES; t++) {
			const struct an_zone *x = &a->nodes.v[n].zone[t];
			const struct an_zone *y = &b->nodes.v[n].zone[t];

			if (x->shown != y->shown || x->start_pfn != y->start_pfn ||
			    x->spanned != y->spanned || x->present != y->present)
				return false;
		}
	}
	return true;
}

/* Another model's machine, where it differs from the one that there is. */
static int run_other_model(struct boot *b, struct facts *f, const struct boot_options *o,
			   char **err)
{
	struct analysis_options how = o->how;
	struct analysis other;
	int rc;
	bool same;

	how.model = o->model;
	memset(&other, 0, sizeof(other));
	rc = analyse(&other, f, &how, err);
	same = !rc && run_same_zones(&b->analysis, &other);
	analysis_destroy(&other);
	if (rc)
		return rc;
	if (same) {
		*vec_push(&b->analysis.notes) = xasprintf(
			"the zones are the same under %s and %s: what was taken while booting is "
			"kept as the input has it",
			pzl_model_name(b->analysis.model), b->model);
		return 0;
	}
	an_start_destroy(&b->start);
	analysis_destroy(&b->analysis);
	memset(&b->analysis, 0, sizeof(b->analysis));
	return analyse_start(&b->start, &b->analysis, f, &how, err);
}

static int run_machine(struct boot *b, struct facts *f, const struct boot_options *o, char **err)
{
	struct analysis_options how = o->how;
	enum pzl_model wanted = PZL_MODELS;
	int rc;

	b->physzone = o->model && !strcmp(o->model, "physzone");
	if (o->model && !b->physzone && pzl_model_by_name(o->model, &wanted)) {
		*err = xasprintf("unknown model '%s': expected linux-5.15, linux-6.1, linux-6.12 "
				 "or physzone",
				 o->model);
		return EXIT_USAGE;
	}
	/* Where nothing tells the kernel's version, the model given is the kernel's. */
	how.model = f->release || wanted == PZL_MODELS ? NULL : o->model;
	rc = analyse_start(&b->start, &b->analysis, f, &how, err);
	if (rc)
		return rc;
	b->pool_rules = o->pool_rules;
	b->rules = wanted == PZL_MODELS ? b->analysis.model : wanted;
	b->model = b->physzone ? "physzone" : pzl_model_name(b->rules);
	if (b->rules != b->analysis.model)
		return run_other_model(b, f, o, err);
	return 0;
}

/* What is taken, by kind: how much, and where when it is in one piece. */
static void run_taken(struct boot *b)
{
	static const enum an_kind kinds[] = { AN_KERNEL, AN_INITRD, AN_CMA, AN_SWIOTLB, AN_BOOT };
	char size[VIEW_SIZE_MAX], addr[VIEW_SIZE_MAX];
	struct out text;

	out_init(&text, NULL);
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		uint64_t bytes = 0, first = 0;
		unsigned int pieces = 0;

		for (size_t i = 0; i < b->analysis.pieces.n; i++) {
			const struct an_piece *p = &b->analysis.pieces.v[i];

			if (p->kind != kinds[k])
				continue;
			if (!pieces++)
				first = p->range.first;
			bytes += view_range_size(p->range);
		}
		if (!bytes)
			continue;
		out_printf(&text, "%s%s %s", text.n ? ", " : "", view_kind(kinds[k])->name,
			   view_size(size, bytes));
		if (pieces == 1)
			out_printf(&text, " at %s", view_addr(addr, first));
	}
	if (text.n)
		boot_say(b, BOOT_MEMBLOCK, "taken", "%s", out_text(&text));
	out_destroy(&text);
}

static void run_memory(struct boot *b)
{
	const struct pz_memblock *mb = &b->start.mb;
	char size[VIEW_SIZE_MAX];

	boot_say(b, BOOT_MEMBLOCK, "memory", "%s in %" PRIu32 " %s, up to %#" PRIx64,
		 view_size(size, pz_memblock_bytes(mb, PZ_MB_MEMORY)), mb->memory.count,
		 mb->memory.count == 1 ? "range" : "ranges", pz_memblock_last(mb));
	run_taken(b);
}

static void run_zones(struct boot *b)
{
	char size[VIEW_SIZE_MAX];

	for (uint32_t n = 0; n < b->start.z.node_count; n++) {
		const struct pz_node *node = &b->start.z.node[n];
		struct out text;
		char *what;

		out_init(&text, NULL);
		for (int t = 0; t < PZ_ZONE_TYPES; t++) {
			const struct pz_zone *z = &node->zone[t];

			if (!z->present)
				continue;
			out_printf(&text, "%s%s ", text.n ? ", " : "",
				   pz_zone_name((enum pz_zone_type)t));
			if (z->managed)
				out_printf(&text, "%s",
					   view_pages_size(size, z->managed,
							   b->analysis.page_shift));
			else
				out_printf(&text, "none of %" PRIu64 " pages", z->present);
		}
		what = b->start.z.node_count > 1 ? xasprintf("zones of %d", node->nid)
						 : xstrdup("zones");
		boot_say(b, BOOT_HAND_OVER, what, "%s", text.n ? out_text(&text) : "no memory");
		free(what);
		out_destroy(&text);
	}
}

struct run_count {
	struct boot *b;
	bool cma;
};

static void run_count_cma(void *ctx, struct pz_range pfns, int nid, enum pz_zone_type type)
{
	struct run_count *r = ctx;
	struct pz_node *n = pz_zones_node(&r->b->start.z, nid);

	if (n)
		n->zone[type].cma += pfns.last - pfns.first + 1;
}

static void run_areas(struct boot *b)
{
	unsigned int shift = b->analysis.page_shift;
	char size[VIEW_SIZE_MAX], addr[VIEW_SIZE_MAX];

	for (size_t i = 0; i < b->start.areas.n; i++) {
		const struct an_area *a = &b->start.areas.v[i];
		struct pz_range p = { a->at.range.first >> shift, a->at.range.last >> shift };
		struct run_count count = { b, true };
		uint32_t id;
		int rc = pz_cma_activate(b->pages, &a->at, &id);

		view_size(size, view_range_size(a->at.range));
		view_addr(addr, a->at.range.first);
		if (rc && pz_pages_add(b->pages, p)) {
			boot_say(b, BOOT_CORE, "contiguous area", "%s at %s: lost (error %d)", size,
				 addr, rc);
			continue;
		}
		pz_zones_account(&b->start.z, p, true);
		if (rc) {
			boot_say(b, BOOT_CORE, "contiguous area",
				 "%s at %s could not be activated: its pages are ordinary ones",
				 size, addr);
			continue;
		}
		*vec_push(&b->areas) = id;
		an_by_zone(&b->start.z, p, run_count_cma, &count);
		boot_say(b, BOOT_CORE, "contiguous area", "%s at %s lent to movable pages", size,
			 addr);
	}
}

static unsigned int run_distance(void *ctx, int from, int to)
{
	const struct facts *f = ctx;
	unsigned int found = from == to ? 10 : 20;

	for (size_t i = 0; i < f->distances.n; i++)
		if (f->distances.v[i].from == from && f->distances.v[i].to == to)
			found = f->distances.v[i].distance;
	return found;
}

int boot_pages_begin(struct boot *b, const struct facts *f, char **err)
{
	struct pz_page_config cfg;
	uint64_t pages = 0;
	int rc;

	/* No marks yet: they are computed in a later stage. */
	for (uint32_t n = 0; n < b->start.z.node_count; n++) {
		for (int t = 0; t < PZ_ZONE_TYPES; t++) {
			struct pz_zone *z = &b->start.z.node[n].zone[t];

			pages += z->managed;
			z->min = z->low = z->high = 0;
			z->cma = 0;
			memset(z->reserve, 0, sizeof(z->reserve));
		}
	}
	memset(&cfg, 0, sizeof(cfg));
	cfg.meta = &an_meta;
	cfg.zeroed = &run_meta;
	cfg.zones = &b->start.z;
	cfg.memblock = &b->start.mb;
	cfg.max_pfn = UINT64_MAX;
	cfg.cpus = f->cpus && f->cpus <= PZ_PAGE_MAX_CPUS ? f->cpus : 1;
	cfg.distance = f->distances.n ? run_distance : NULL;
	cfg.distance_ctx = (void *)(uintptr_t)f;
	cfg.policy = b->physzone ? PZ_POLICY_REACH : PZ_POLICY_ZONELIST;
	cfg.pageblock_order =
		pzl_pageblock_order(b->analysis.arch, b->analysis.page_shift, f->pae);
	if (cfg.pageblock_order > 10)
		cfg.pageblock_order = 10;
	cfg.no_grouping = f->mobility_off || pages >> cfg.pageblock_order < PZ_MOBILITIES;
	rc = pz_pages_create(&b->pages, &cfg);
	if (rc) {
		*err = xasprintf("cannot make a page allocator of this machine (error %d)", rc);
		return EXIT_UNDECIDED;
	}
	return 0;
}

/* Let the allocator take in marks that changed. */
static void run_marks_changed(struct boot *b)
{
	pz_pages_set_policy(b->pages, b->physzone ? PZ_POLICY_REACH : PZ_POLICY_ZONELIST);
}

/* Watermarks and reserves from what is managed now; how the kernel first computes them. */
static void run_marks(struct boot *b)
{
	struct pz_wmark_config w;

	pz_wmark_defaults(&w);
	w.min_free_kbytes = pz_zones_min_free_kbytes(&b->start.z);
	(void)pz_zones_set_watermarks(&b->start.z, &w);
	pz_zones_set_reserves(&b->start.z, &w);
	run_marks_changed(b);
	boot_say(b, BOOT_POSTCORE, "watermarks", "min_free_kbytes %" PRIu64, w.min_free_kbytes);
}

/* The marks that the booted kernel has in the end. */
static void run_end_marks(struct boot *b)
{
	for (size_t i = 0; i < b->start.end.n; i++) {
		const struct an_marks *m = &b->start.end.v[i];
		struct pz_node *n = pz_zones_node(&b->start.z, m->nid);
		struct pz_zone *z = n ? &n->zone[m->type] : NULL;

		if (!z)
			continue;
		z->min = m->min;
		z->low = m->low;
		z->high = m->high;
		memcpy(z->reserve, m->reserve, sizeof(z->reserve));
	}
	run_marks_changed(b);
}

static void run_given(struct boot *b, enum an_given_kind kind, enum boot_stage stage,
		      const char *what)
{
	unsigned int shift = b->analysis.page_shift;
	uint64_t pages = 0, refused = 0;
	char size[VIEW_SIZE_MAX];

	for (size_t i = 0; i < b->start.later.n; i++) {
		const struct an_given *g = &b->start.later.v[i];

		if (g->kind != kind)
			continue;
		if (pz_pages_add(b->pages, g->pfns)) {
			refused += g->pfns.last - g->pfns.first + 1;
			continue;
		}
		pages += pz_zones_account(&b->start.z, g->pfns, true);
	}
	if (pages)
		boot_say(b, stage, what, "%s given to the page allocator",
			 view_pages_size(size, pages, shift));
	if (refused)
		boot_say(b, stage, what, "%s refused by the page allocator",
			 view_pages_size(size, refused, shift));
}

/* Gigantic pages become managed, and stay in use. */
static void run_gigantic(struct boot *b)
{
	for (size_t i = 0; i < b->start.later.n; i++)
		if (b->start.later.v[i].kind == AN_GIVEN_GIGANTIC)
			pz_zones_account(&b->start.z, b->start.later.v[i].pfns, true);
}

int boot_run(struct boot *b, struct facts *f, const struct boot_options *o, char **err)
{
	char size[VIEW_SIZE_MAX];
	int rc;

	memset(b, 0, sizeof(*b));
	out_init(&b->console, NULL);
	*err = NULL;
	rc = run_machine(b, f, o, err);
	if (rc)
		return rc;
	run_memory(b);
	boot_requests_memblock(b, f);
	run_zones(b);
	rc = boot_pages_begin(b, f, err);
	if (rc)
		return rc;
	boot_say(b, BOOT_HAND_OVER, "page allocator", "%s free",
		 view_pages_size(size, pz_page_free_count(b->pages, UINT32_MAX),
				 b->analysis.page_shift));
	boot_slab_caches(b, f, o);
	run_areas(b);
	boot_requests_pages(b, f, o);
	run_marks(b);
	run_given(b, AN_GIVEN_EFI, BOOT_SUBSYS, "UEFI's services");
	run_gigantic(b);
	boot_requests_subsys(b, f, o);
	boot_swiotlb_late(b, f);
	run_given(b, AN_GIVEN_INITRD, BOOT_END, "initrd");
	run_given(b, AN_GIVEN_IMAGE, BOOT_END, "kernel image");
	run_given(b, AN_GIVEN_HOTPLUG, BOOT_END, "memory added");
	run_end_marks(b);
	boot_request_driver(b, f, o);
	b->prints = xstrdup(out_text(&b->console));
	for (size_t i = 0; i < b->requests.n; i++)
		b->failed = b->failed || boot_request_failed(&b->requests.v[i]);
	for (size_t i = 0; i < b->steps.n; i++)
		b->failed = b->failed || b->steps.v[i].failed;
	return 0;
}

void boot_destroy(struct boot *b)
{
	pz_pages_destroy(b->pages);
	for (size_t i = 0; i < b->steps.n; i++) {
		free(b->steps.v[i].what);
		free(b->steps.v[i].text);
	}
	for (size_t i = 0; i < b->requests.n; i++) {
		vec_free(&b->requests.v[i].tries);
		free(b->requests.v[i].report);
		free(b->requests.v[i].remark);
	}
	vec_free(&b->steps);
	vec_free(&b->requests);
	vec_free(&b->areas);
	vec_free(&b->caches);
	out_destroy(&b->console);
	free(b->prints);
	an_start_destroy(&b->start);
	analysis_destroy(&b->analysis);
}
