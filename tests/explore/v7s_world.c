/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_world.c - threads that use one set of translation tables, and what must hold meanwhile.
 */
#include "v7s_world.h"

#include "v7s_iommu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VW_PLACES 3u
#define VW_SPARE ((size_t)32 << 10)
#define VW_RUNS 60000u
#define VW_ADDS 24u
#define VW_PROT (PZ_IOMMU_READ | PZ_IOMMU_WRITE | PZ_IOMMU_CACHE)
#define VW_NONE 1u /* in a mask of places: nowhere; bit V: place V */

/* A request that is under way. */
struct vw_request {
	bool active, unmap, met;   /* met: another one has pages in common */
	uint8_t target;		   /* mask of places */
	uint32_t first, end;	   /* pages */
	uint32_t mapped;	   /* of these, by the model, when it began */
	uint32_t blink, blink_end; /* pages that it may make invalid for a while */
	uint32_t adds;
	struct {
		uint32_t first, pages, size; /* pages of that size */
	} add[VW_ADDS];
};

/* A word of a text. */
struct vw_word {
	char what;
	bool must;
	uint32_t page, count, place;
};

/* Part of the state. */
struct v7s_world {
	struct pz_v7s *t;
	struct v7s_iommu io;
	struct vw_request req[EXPLORE_THREADS];
	struct {
		bool active;
		uint32_t page;
		uint8_t allowed; /* places where it was, or might have been, since it began */
	} look[EXPLORE_THREADS];
	uint32_t masked[EXPLORE_THREADS];
	uint32_t handler;	 /* thread, where the explorer runs none */
	uint64_t mapped;	 /* pages, by what calls returned */
	uint64_t meta;		 /* bytes of metadata out */
	uint64_t hooks;		 /* the word that they use */
	uint8_t model[VI_PAGES]; /* places where it may be */
	uint8_t ever[VI_PAGES];	 /* and ever was, or might have been */
	uint8_t met[VI_PAGES];	 /* two requests met here */
};

static struct {
	const struct v7s_plan *plan;
	struct machine *m;
	struct v7s_world *w;
	void (*around)(unsigned int t, bool before);
} vw;

static unsigned int vw_running(void)
{
	unsigned int t = explore_running();

	return t < EXPLORE_THREADS && !vw.around ? t : vw.w->handler;
}

static uint64_t vw_phys(uint32_t page, uint32_t place)
{
	return ((uint64_t)place << 28) + ((uint64_t)page << 12);
}

/* The place of a physical address, as a mask; 0 for none. */
static uint8_t vw_place(uint64_t iova, uint64_t phys)
{
	for (uint32_t place = 1; place <= VW_PLACES; place++) {
		if (phys == iova + ((uint64_t)place << 28))
			return (uint8_t)(1u << place);
	}
	return 0;
}

/* --- the model --- */

/* Where a page may be at this moment. */
static uint8_t vw_allowed(uint32_t page)
{
	uint8_t allowed = vw.w->model[page];

	for (unsigned int i = 0; i < EXPLORE_THREADS; i++) {
		const struct vw_request *r = &vw.w->req[i];

		if (r->active && page >= r->first && page < r->end)
			allowed |= r->target;
		else if (r->active && page >= r->blink && page < r->blink_end)
			allowed |= VW_NONE;
	}
	return allowed;
}

static void vw_seen(void *ctx, uint32_t page, const struct pz_v7s_run *run)
{
	bool none = run->fault == PZ_V7S_FAULT_FIRST || run->fault == PZ_V7S_FAULT_SECOND;
	uint64_t iova = (uint64_t)page << 12;
	uint8_t place;

	(void)ctx;
	place = none ? VW_NONE : vw_place(iova, run->phys + (iova - run->first));
	if (!(place & vw_allowed(page)))
		explore_fail("the IOMMU finds page %x %s, word %x", page,
			     none ? "invalid" : "wrong", (unsigned int)run->word);
	if (!none && (!run->read || !run->write || !run->user || !run->exec || !run->b || !run->c ||
		      !run->shared || !run->access))
		explore_fail("page %x has other attributes, word %x", page,
			     (unsigned int)run->word);
}

static void vw_step(void *ctx, unsigned int t)
{
	(void)ctx;
	(void)t;
	vi_step(&vw.w->io, explore_word());
}

/* --- hooks --- */

static void vw_call(unsigned int t, bool before)
{
	if (vw.around)
		vw.around(t, before);
}

/* A hook begins. It takes its time: others may come meanwhile. */
static void vw_hook(void)
{
	vw_call(vw_running(), false);
	if (!vw.around)
		pz_sched_point(&vw.w->hooks);
	vi_look(&vw.w->io);
}

static void vw_hook_ends(void)
{
	vw_call(vw_running(), true);
}

static void vw_flush_all(void *ctx)
{
	(void)ctx;
	vw_hook();
	vi_forget(&vw.w->io, 0, VI_PAGES, VI_PAGES, true);
	vw_hook_ends();
}

static void vw_range(uint64_t iova, uint64_t size, uint32_t granule)
{
	bool page = granule == PZ_V7S_4K || granule == PZ_V7S_64K || granule == PZ_V7S_1M ||
		    granule == PZ_V7S_16M;

	if (!page || !size || iova % granule || size % granule ||
	    iova + size > (uint64_t)VI_PAGES << 12)
		explore_fail("a flush of %llx bytes at %llx, granule %x", (unsigned long long)size,
			     (unsigned long long)iova, (unsigned int)granule);
}

static void vw_flush_walk(void *ctx, uint64_t iova, uint64_t size, uint32_t granule)
{
	(void)ctx;
	vw_hook();
	vw_range(iova, size, granule);
	vi_forget(&vw.w->io, (uint32_t)(iova >> 12), (uint32_t)(size >> 12), VI_PAGES, true);
	vw_hook_ends();
}

static void vw_gather(struct vw_request *r, uint32_t first, uint32_t pages, uint32_t size)
{
	struct vw_request *now = &vw.w->req[vw_running()];

	if (r != now || !r->active || !r->unmap) {
		explore_fail("a page is told to somebody else's gather");
	} else if (r->adds && r->add[r->adds - 1].first + r->add[r->adds - 1].pages == first &&
		   r->add[r->adds - 1].size == size) {
		r->add[r->adds - 1].pages += pages;
	} else if (r->adds == VW_ADDS) {
		vi_forget(&vw.w->io, first, pages, size, false);
	} else {
		r->add[r->adds].first = first;
		r->add[r->adds].size = size;
		r->add[r->adds++].pages = pages;
	}
}

static void vw_add(void *ctx, void *gather, uint64_t iova, uint64_t size, uint32_t granule)
{
	(void)ctx;
	vw_hook();
	vw_range(iova, size, granule);
	vw_gather(gather, (uint32_t)(iova >> 12), (uint32_t)(size >> 12), granule >> 12);
	vw_hook_ends();
}

static uintptr_t vw_mask(void *ctx)
{
	(void)ctx;
	return vw.w->masked[vw_running()]++;
}

static void vw_unmask(void *ctx, uintptr_t was)
{
	unsigned int t = vw_running();

	(void)ctx;
	if (vw.w->masked[t] != was + 1)
		explore_fail("interrupts are let in as they were not");
	vw.w->masked[t] = (uint32_t)was;
}

static bool vw_is_masked(void *ctx)
{
	(void)ctx;
	for (unsigned int i = 0; i < EXPLORE_THREADS; i++) {
		if (vw.w->masked[i])
			return true;
	}
	return false;
}

static void vw_relax(void *ctx)
{
	(void)ctx;
	if (vw.plan->nested && !vw.plan->no_mask)
		explore_fail("a handler waits for what it interrupted");
}

static int vw_alloc(void *ctx, uint32_t cpu, uint32_t gfp, uint32_t bytes, struct pz_table *out)
{
	int rc;

	(void)ctx;
	(void)cpu;
	(void)gfp;
	vw_hook();
	if (vw.w->masked[vw_running()])
		explore_fail("a table is asked for while interrupts are masked");
	rc = vi_alloc(&vw.w->io, bytes, out);
	vw_hook_ends();
	return rc;
}

static void vw_free(void *ctx, uint32_t cpu, uint32_t bytes, const struct pz_table *t)
{
	(void)ctx;
	(void)cpu;
	vw_hook();
	if (vw.w->masked[vw_running()])
		explore_fail("a table goes back while interrupts are masked");
	vi_free(&vw.w->io, bytes, t);
	vw_hook_ends();
}

static void *vw_meta_alloc(void *ctx, size_t size)
{
	void *p = vw.m->meta.alloc(vw.m->meta.ctx, size);

	(void)ctx;
	vw.w->meta += p ? size : 0;
	return p;
}

static void vw_meta_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	vw.w->meta -= size;
	vw.m->meta.free(vw.m->meta.ctx, p, size);
}

static const struct pz_table_mem vw_mem = { .alloc = vw_alloc, .free = vw_free, .coherent = true };
static const struct pz_meta vw_meta = { .alloc = vw_meta_alloc, .free = vw_meta_free };

/* --- requests --- */

/* Two requests have pages in common. */
static void vw_meet(struct vw_request *a, struct vw_request *b)
{
	uint32_t first = a->first > b->first ? a->first : b->first;
	uint32_t end = a->end < b->end ? a->end : b->end;

	if (!b->active || first >= end)
		return;
	a->met = b->met = true;
	memset(&vw.w->met[first], 1, end - first);
}

static void vw_extend(struct vw_request *r, uint32_t first, uint32_t end)
{
	r->blink = first < r->blink ? first : r->blink;
	r->blink_end = end > r->blink_end ? end : r->blink_end;
}

/* The block that a page lies in is a part of what a request may make invalid for a while; also what
 * is being split now, for it may come to be split again. */
static void vw_blink(struct vw_request *r, uint32_t page)
{
	struct pz_v7s_run run;

	if (pz_v7s_walk(&vw.w->io.view, (uint64_t)page << 12, &run) == PZ_V7S_NO_FAULT)
		vw_extend(r, (uint32_t)(run.first >> 12), (uint32_t)(run.last >> 12) + 1);
	for (unsigned int i = 0; i < EXPLORE_THREADS; i++) {
		const struct vw_request *o = &vw.w->req[i];

		if (o->active && page >= o->blink && page < o->blink_end)
			vw_extend(r, o->blink, o->blink_end);
	}
}

static struct vw_request *vw_begin(unsigned int t, uint32_t first, uint32_t pages, uint32_t place)
{
	struct v7s_world *w = vw.w;
	struct vw_request *r = &w->req[t];

	memset(r, 0, sizeof(*r));
	r->unmap = !place;
	r->target = (uint8_t)(1u << place);
	r->first = r->blink = first;
	r->end = r->blink_end = first + pages;
	if (r->unmap && (vw.plan->quirks & PZ_V7S_BREAK_FIRST)) {
		vw_blink(r, first);
		vw_blink(r, r->end - 1);
	}
	for (unsigned int i = 0; i < EXPLORE_THREADS; i++) {
		vw_meet(r, &w->req[i]);
		if (w->look[i].page >= first && w->look[i].page < r->end)
			w->look[i].allowed |= r->target;
		else if (w->look[i].page >= r->blink && w->look[i].page < r->blink_end)
			w->look[i].allowed |= VW_NONE;
	}
	for (uint32_t p = first; p < r->end; p++) {
		r->mapped += !(w->model[p] & VW_NONE);
		w->ever[p] |= r->target;
	}
	for (uint32_t p = r->blink; p < r->blink_end; p++)
		w->ever[p] |= p < first || p >= r->end ? VW_NONE : 0;
	r->active = true;
	return r;
}

/* It has ended; @changed: all its pages are where it wanted them. */
static void vw_end(struct vw_request *r, bool changed, bool flush)
{
	struct v7s_world *w = vw.w;
	uint32_t p;

	for (uint32_t i = 0; i < r->adds; i++)
		vi_forget(&w->io, r->add[i].first, r->add[i].pages, r->add[i].size, false);
	if (flush)
		vi_forget(&w->io, 0, VI_PAGES, VI_PAGES, true);
	for (p = r->first; p < r->end; p++) {
		if (w->met[p])
			w->model[p] |= r->target;
		else if (changed)
			w->model[p] = r->target;
	}
	r->active = false;
	vi_look(&w->io);
	for (p = vi_kept(&w->io, r->first, r->end); p < r->end;
	     p = vi_kept(&w->io, p + 1, r->end)) {
		if (vw_allowed(p) == VW_NONE) {
			explore_fail("page %x is unmapped, and still in the IOMMU's cache", p);
			return;
		}
	}
}

static void vw_map(unsigned int t, const struct vw_word *word)
{
	uint32_t first = word->page, pages = word->count, place = word->place;
	struct v7s_world *w = vw.w;
	struct vw_request *r = vw_begin(t, first, pages, place);
	uint64_t iova = (uint64_t)first << 12;
	int rc, want = r->mapped ? -PZ_EEXIST : 0;

	vw_call(t, true);
	rc = word->what == '*' ? pz_v7s_map_pages(w->t, t, 0, iova, vw_phys(first, place),
						  PZ_V7S_4K, pages, VW_PROT)
			       : pz_v7s_map(w->t, t, 0, iova, vw_phys(first, place),
					    (uint64_t)pages << 12, VW_PROT);
	vw_call(t, false);
	if (rc != want && !(rc == -PZ_ENOMEM && vw.plan->tables && !r->mapped) &&
	    !(r->met && !word->must && (!rc || rc == -PZ_EEXIST)))
		explore_fail("map %x/%x: %d, not %d", first, pages, rc, want);
	w->mapped += rc ? 0 : pages;
	vw_end(r, !rc, false);
}

static void vw_unmap(unsigned int t, uint32_t first, uint32_t pages, bool queued)
{
	struct v7s_world *w = vw.w;
	struct vw_request *r = vw_begin(t, first, pages, 0);
	int rc, want = r->mapped == pages ? 0 : -PZ_ENOENT;
	uint64_t done = 0;
	bool nothing;

	vw_call(t, true);
	rc = pz_v7s_unmap(w->t, t, 0, (uint64_t)first << 12, (uint64_t)pages << 12,
			  queued ? PZ_V7S_QUEUED : 0, r, &done);
	vw_call(t, false);
	nothing = rc == -PZ_ENOMEM && vw.plan->tables && (!done || r->met);
	if (!nothing &&
	    (r->met ? rc && rc != -PZ_ENOENT : rc != want || done != (uint64_t)r->mapped << 12))
		explore_fail("unmap %x/%x: %d, not %d, %llx bytes of %x pages", first, pages, rc,
			     want, (unsigned long long)done, r->mapped);
	w->mapped -= done >> 12;
	vw_end(r, !nothing, queued);
}

/* --- looking --- */

static void vw_look(unsigned int t, uint32_t page, bool query)
{
	struct v7s_world *w = vw.w;
	uint64_t iova = ((uint64_t)page << 12) + 0x123, phys = 0;
	struct pz_v7s_page got;
	uint8_t place;
	int rc;

	w->look[t].page = page;
	w->look[t].allowed = vw_allowed(page);
	vw_call(t, true);
	rc = query ? pz_v7s_query(w->t, iova, &got) : pz_v7s_lookup(w->t, iova, &phys);
	vw_call(t, false);
	if (query && !rc) {
		if (iova - got.iova >= got.size || got.prot != VW_PROT)
			explore_fail("page %x is said to be another one", page);
		phys = got.phys + (iova - got.iova);
	}
	place = rc == -PZ_ENOENT ? VW_NONE : rc ? 0 : vw_place(iova, phys);
	if (!(place & w->look[t].allowed))
		explore_fail("page %x: %d, to %llx", page, rc, (unsigned long long)phys);
	w->look[t].page = VI_PAGES;
}

/* What each() tells. */
struct vw_walk {
	uint32_t next;	  /* page */
	uint32_t missing; /* first that was passed over and was mapped all along; VI_PAGES: none */
};

static void vw_passed(struct vw_walk *k, uint32_t end)
{
	for (; k->next < end; k->next++) {
		if (!(vw.w->ever[k->next] & VW_NONE) && k->missing == VI_PAGES)
			k->missing = k->next;
	}
}

static int vw_page(void *ctx, const struct pz_v7s_page *p)
{
	struct vw_walk *k = ctx;
	uint32_t first = (uint32_t)(p->iova >> 12), pages = p->size >> 12;

	/* It may begin before, if it was split meanwhile. */
	if (first + pages <= k->next || first + pages > VI_PAGES || p->prot != VW_PROT) {
		explore_fail("page %x is said twice, or wrongly", first);
		return 1;
	}
	vw_passed(k, first);
	for (uint32_t i = 0; i < pages; i++) {
		uint64_t off = (uint64_t)i << 12;

		if (!(vw_place(p->iova + off, p->phys + off) & vw.w->ever[first + i]))
			explore_fail("page %x is said to be elsewhere", first + i);
	}
	k->next = first + pages;
	return 0;
}

static void vw_each(unsigned int t)
{
	struct vw_walk k = { 0, VI_PAGES };

	for (uint32_t p = 0; p < VI_PAGES; p++)
		vw.w->ever[p] = vw_allowed(p);
	vw_call(t, true);
	(void)pz_v7s_each(vw.w->t, 0, (uint64_t)VI_PAGES << 12, vw_page, &k);
	vw_call(t, false);
	vw_passed(&k, VI_PAGES);
	if (k.missing < VI_PAGES)
		explore_fail("page %x was passed over", k.missing);
}

/* --- texts --- */

/* The next word of a text: false where it ends. */
static bool vw_next(const char **s, struct vw_word *word)
{
	char *end = NULL;

	while (**s == ' ')
		(*s)++;
	if (!**s)
		return false;
	word->what = *(*s)++;
	word->page = (uint32_t)strtoul(*s, &end, 16);
	word->count = *end == '/' ? (uint32_t)strtoul(end + 1, &end, 16) : 1;
	word->place = *end == '@' ? (uint32_t)strtoul(end + 1, &end, 16) : 1;
	word->must = *end == '!';
	end += word->must;
	*s = end;
	if (!strchr("+*-q?.etw", word->what) || (*end && *end != ' ') || !word->count ||
	    word->page + word->count > VI_PAGES || !word->place || word->place > VW_PLACES) {
		fprintf(stderr, "v7s_world: a step '%c' before \"%s\"\n", word->what, end);
		exit(2);
	}
	return true;
}

static void vw_word(unsigned int t, const struct vw_word *word)
{
	switch (word->what) {
	case '+':
	case '*':
		vw_map(t, word);
		break;
	case '-':
	case 'q':
		vw_unmap(t, word->page, word->count, word->what == 'q');
		break;
	case '?':
	case '.':
		vw_look(t, word->page, word->what == '.');
		break;
	case 'e':
		vw_each(t);
		break;
	case 't':
		vw_call(t, true);
		(void)pz_v7s_trim(vw.w->t, t, 0, (uint64_t)VI_PAGES << 12);
		vw_call(t, false);
		break;
	default:
		vi_look(&vw.w->io);
	}
}

static void vw_text(unsigned int t, const char *s)
{
	struct vw_word word;

	while (s && vw_next(&s, &word)) {
		if (!t || !vw.around || !vw.w->masked[0] || strchr("?.ew", word.what))
			vw_word(t, &word);
	}
}

/* The ends of each request, and what lies next to these and to the large pages around them. */
static void vw_watch(const char *s)
{
	static const uint32_t around[] = { 1, 16, 256, 4096 };
	struct v7s_iommu *io = &vw.w->io;
	struct vw_word word;

	while (s && vw_next(&s, &word)) {
		if (!strchr("+*-q?.", word.what))
			continue;
		for (unsigned int i = 0; i < 4; i++) {
			uint32_t from = word.page & ~(around[i] - 1);
			uint32_t last = (word.page + word.count - 1) | (around[i] - 1);

			vi_watch(io, from);
			vi_watch(io, last);
			if (around[i] == 1) {
				vi_watch(io, from - 1);
				vi_watch(io, last + 1);
			}
		}
	}
}

/* --- the end --- */

static void vw_check(const char *when)
{
	struct v7s_world *w = vw.w;
	struct pz_v7s_stat st;
	int rc = pz_v7s_check(w->t);

	if (rc)
		explore_fail("%s: pz_v7s_check() says %d", when, rc);
	if (vw.m->bugs.count)
		explore_fail("%s: a right call was told as misuse", when);
	if (vw_is_masked(NULL))
		explore_fail("%s: interrupts are masked", when);
	pz_v7s_stat(w->t, &st);
	if (st.tables != vi_linked(&w->io, false) || st.made - st.returned != st.tables ||
	    st.tables != (uint64_t)__builtin_popcount(w->io.out))
		explore_fail("%s: %llu second levels, of which %u are used and %d are out", when,
			     (unsigned long long)st.tables, vi_linked(&w->io, false),
			     __builtin_popcount(w->io.out));
}

static int vw_run(void *ctx, const struct pz_v7s_run *run)
{
	bool none = run->fault == PZ_V7S_FAULT_FIRST || run->fault == PZ_V7S_FAULT_SECOND;
	uint32_t first = (uint32_t)(run->first >> 12), end = (uint32_t)(run->last >> 12) + 1;
	uint8_t is = none ? VW_NONE : vw_place(run->first, run->phys), wrong = !is;
	uint64_t *mapped = ctx;

	if (run->fault && !none) {
		explore_fail("in the end: fault %d at %llx", (int)run->fault,
			     (unsigned long long)run->first);
		return 1;
	}
	for (uint32_t p = first; p < end; p++)
		wrong |= (vw.w->model[p] & is) != is;
	if (wrong) {
		explore_fail("in the end pages %x to %x are not all %s", first, end - 1,
			     none ? "unmapped" : "there");
		return 1;
	}
	*mapped += none ? 0 : end - first;
	return 0;
}

/* As many are mapped as should be, and no second level is there in vain. */
static void vw_check_pages(void)
{
	struct v7s_world *w = vw.w;
	uint64_t mapped = 0;

	(void)pz_v7s_walk_each(&w->io.view, vw_run, &mapped);
	if (mapped != w->mapped)
		explore_fail("in the end %llx pages are mapped, not %llx",
			     (unsigned long long)mapped, (unsigned long long)w->mapped);
	if (!(vw.plan->quirks & PZ_V7S_GIVE_BACK))
		(void)pz_v7s_trim(w->t, 0, 0, UINT64_MAX);
	if (vi_linked(&w->io, true) != (uint32_t)__builtin_popcount(w->io.out))
		explore_fail("in the end a second level is empty");
}

static void vw_clear(void)
{
	struct v7s_world *w = vw.w;
	uint64_t done = 0, mapped = w->mapped;
	int rc;

	w->handler = 0;
	memset(w->met, 1, sizeof(w->met)); /* any result will do: it is looked at here */
	rc = pz_v7s_unmap(w->t, 0, 0, 0, (uint64_t)VI_PAGES << 12, PZ_V7S_QUEUED, NULL, &done);
	if (rc != (mapped == VI_PAGES ? 0 : -PZ_ENOENT) || done != mapped << 12)
		explore_fail("all is unmapped: %d, %llx bytes", rc, (unsigned long long)done);
	if (!(vw.plan->quirks & PZ_V7S_GIVE_BACK))
		(void)pz_v7s_trim(w->t, 0, 0, UINT64_MAX);
	vw_check("all is unmapped");
	if (w->io.out)
		explore_fail("all is unmapped, and there are second levels");
	pz_v7s_destroy(w->t, 0);
	if (w->io.first_bytes || w->meta || w->io.entries)
		explore_fail("destroyed, and %llu bytes are out, %u translations are kept",
			     (unsigned long long)w->meta + w->io.first_bytes, w->io.entries);
}

void v7s_world_finish(void)
{
	void (*around)(unsigned int t, bool before) = vw.around;

	vw.around = NULL;
	vi_look(&vw.w->io);
	vw_check("in the end");
	vw_check_pages();
	vw.w->io.watched = 0; /* what is unmapped now is in no model */
	vw_clear();
	vw.around = around;
}

/* --- life --- */

void v7s_world_thread(unsigned int t)
{
	vw.w->handler = t;
	vw_text(t, vw.plan->thread[t]);
	vw.w->handler = 0;
}

static void vw_body(void *ctx, unsigned int t)
{
	(void)ctx;
	vw_text(t, vw.plan->thread[t]);
}

static void vw_end_of_run(void *ctx)
{
	(void)ctx;
	v7s_world_finish();
}

static void vw_make(const struct v7s_plan *plan)
{
	struct pz_v7s_config c;
	const char *why = "";
	int rc;

	memset(&c, 0, sizeof(c));
	c.ias = VI_IAS;
	c.oas = 32;
	c.quirks = plan->quirks;
	c.coherent_walk = true;
	c.mem = &vw_mem;
	c.meta = &vw_meta;
	c.bugs = &vw.m->bugs;
	c.tlb.flush_all = vw_flush_all;
	c.tlb.flush_walk = vw_flush_walk;
	c.tlb.add = vw_add;
	c.hooks.mask = plan->no_mask ? NULL : vw_mask;
	c.hooks.unmask = plan->no_mask ? NULL : vw_unmask;
	c.hooks.relax = vw_relax;
	rc = pz_v7s_create(&vw.w->t, &c, 0, 0, &why);
	if (rc) {
		fprintf(stderr, "v7s_world: no tables: %d %s\n", rc, why);
		exit(2);
	}
}

struct machine *v7s_world_open(const struct v7s_plan *plan,
			       void (*around)(unsigned int t, bool before))
{
	struct machine_config cfg = { .frames = 8, .no_grouping = true };
	size_t room = sizeof(struct v7s_world) + vi_arena_bytes() + VI_FIRST_BYTES;
	const char *why;

	memset(&vw, 0, sizeof(vw));
	vw.plan = plan;
	vw.m = machine_make(&cfg, room, VW_SPARE);
	vw.w = machine_extra(vw.m);
	memset(vw.w->model, VW_NONE, sizeof(vw.w->model));
	memset(vw.w->ever, VW_NONE, sizeof(vw.w->ever));
	for (unsigned int i = 0; i < EXPLORE_THREADS; i++)
		vw.w->look[i].page = VI_PAGES;
	vi_init(&vw.w->io, (unsigned char *)(((uintptr_t)(vw.w + 1) + VI_FIRST_BYTES - 1) &
					     ~(uintptr_t)(VI_FIRST_BYTES - 1)));
	vw.w->io.break_first = plan->quirks & PZ_V7S_BREAK_FIRST;
	vw.w->io.seen = vw_seen;
	if (plan->tables)
		vw.w->io.most = plan->tables;
	vw_make(plan);
	for (unsigned int i = 0; i < EXPLORE_THREADS; i++)
		vw_watch(plan->thread[i]);
	vw_text(0, plan->before);
	why = explore_failure();
	if (why) {
		fprintf(stderr, "v7s_world: %s: %s: %s\n", plan->name, plan->before, why);
		exit(2);
	}
	vw.around = around;
	return vw.m;
}

void v7s_world_close(void)
{
	machine_drop(vw.m);
}

void v7s_world_run(const struct v7s_plan *plan)
{
	struct explore_plan how = { plan->bound, false, plan->no_mask, 1 };
	struct explore e;

	memset(&e, 0, sizeof(e));
	e.state = v7s_world_open(plan, NULL);
	e.size = vw.m->size;
	e.body = vw_body;
	e.step = vw_step;
	e.end = vw_end_of_run;
	while (e.threads < EXPLORE_THREADS && plan->thread[e.threads])
		e.threads++;
	e.nested = plan->nested;
	e.masked = vw_is_masked;
	e.may_wait = !plan->nested;
	e.no_merge = true; /* the state is large, and most choices differ */
	e.max_runs = VW_RUNS;
	e.max_steps = plan->no_mask ? 2000 : 0;
	explore_tap(plan->name, &e, &how);
	v7s_world_close();
}
