/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memblock.c - the requests of start-up before there is a page allocator, in the kernel's order:
 * pools of the device tree, contiguous areas, the crash kernel, gigantic pages, bounce buffers.
 *
 * Nearly all of them were placed by the analysis, or are told by the input; here each is told with
 * what came of it, and the kernel's lines follow. A model that asks for what the input's kernel did
 * not is served from what is free here.
 */
#include "boot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct boot_request *memblock_ask(struct boot *b, enum pzl_boot_what what, const char *name,
					 uint64_t bytes)
{
	struct pzl_boot_request asked;
	struct boot_request *r;

	memset(&asked, 0, sizeof(asked));
	asked.what = what;
	asked.when = PZL_BOOT_MEMBLOCK;
	snprintf(asked.name, sizeof(asked.name), "%s", name);
	asked.bytes = asked.min_bytes = bytes;
	asked.count = 1;
	asked.max_addr = PZ_ADDR_MAX;
	r = boot_ask(b, BOOT_MEMBLOCK, &asked);
	r->zone = PZ_ZONE_TYPES;
	r->nid = PZ_NID_NONE;
	return r;
}

static void memblock_served(struct boot_request *r, struct pz_range at)
{
	r->place = at;
	r->placed = true;
	r->bytes = view_range_size(at);
	r->got = 1;
	r->outcome = r->bytes < r->asked.bytes ? BOOT_LESS : BOOT_SERVED;
}

static const char *memblock_pool_name(enum pzl_reserved_pool what)
{
	return what == PZL_RESERVED_CMA	       ? "contiguous area"
	       : what == PZL_RESERVED_COHERENT ? "coherent region"
					       : "restricted pool";
}

/* A pool of the device tree; @at NULL: no place was found. */
static void memblock_pool(struct boot *b, const struct pzl_boot_in *in, enum pzl_reserved_pool what,
			  uint64_t size, const struct pz_range *at, bool odd)
{
	struct boot_request *r = memblock_ask(b, PZL_BOOT_RESERVED, memblock_pool_name(what), size);

	if (!at)
		r->remark = xstrdup("no range that is free is large enough");
	else if (odd)
		r->remark = xstrdup("it does not begin and end on pageblocks");
	else
		memblock_served(r, *at);
	if (at && !b->physzone)
		pzl_print_reserved_pool(in, what, *at, odd, boot_console_line, &b->console);
}

/* A default area that cma= on the command line replaces. */
static void memblock_bypassed(struct boot *b, const char *name, uint64_t size)
{
	struct boot_request *r = memblock_ask(b, PZL_BOOT_RESERVED, "contiguous area", size);

	r->outcome = BOOT_SKIPPED;
	r->remark = xasprintf("cma= takes the place of %s", name ? name : "the node");
	if (!b->physzone)
		pzl_print_cma_bypass(name ? name : "", boot_console_line, &b->console);
}

/* Nodes of the device tree that become a device's own memory. */
static void memblock_tree(struct boot *b, const struct facts *f)
{
	const struct pzl_boot_in in = boot_in(b, f);
	uint64_t block = UINT64_C(1)
			 << (pzl_pageblock_order(in.arch, in.page_shift, in.pae) + in.page_shift);

	for (size_t i = 0; i < f->claims.n; i++) {
		const struct fact_claim *c = &f->claims.v[i];
		enum pzl_reserved_pool what = pzl_reserved_pool(
			in.arch, c->shared_pool, c->restricted_pool, c->reusable, c->nomap);

		if (c->kind != CLAIM_DT_RESERVED || what == PZL_RESERVED_PLAIN)
			continue;
		if (what == PZL_RESERVED_CMA && c->cma_default && b->start.cl.cma_set)
			memblock_bypassed(b, c->text, view_range_size(c->range));
		else
			memblock_pool(
				b, &in, what, view_range_size(c->range), &c->range,
				what == PZL_RESERVED_CMA &&
					((c->range.first | (c->range.last + 1)) & (block - 1)));
	}
	for (size_t i = 0; i < f->dt.dynamic.n && b->start.computed; i++) {
		const struct fact_dt_dynamic *d = &f->dt.dynamic.v[i];

		if (d->cma_default && d->shared_pool && d->reusable && b->start.cl.cma_set)
			memblock_bypassed(b, d->name, d->size);
	}
	for (size_t i = 0; i < b->start.tree_pools.n; i++) {
		const struct an_tree_pool *p = &b->start.tree_pools.v[i];

		if (p->what != PZL_RESERVED_PLAIN)
			memblock_pool(b, &in, p->what, p->size, p->placed ? &p->at : NULL, false);
	}
}

/* Whether the tree told of an area already. */
static bool memblock_area_told(const struct boot *b, struct pz_range at)
{
	for (size_t i = 0; i < b->requests.n; i++)
		if (b->requests.v[i].placed && b->requests.v[i].place.first == at.first)
			return true;
	return false;
}

static void memblock_areas(struct boot *b, const struct facts *f)
{
	const struct pzl_boot_in in = boot_in(b, f);
	char size[VIEW_SIZE_MAX];

	for (size_t i = 0; i < b->start.areas.n; i++) {
		const struct an_area *a = &b->start.areas.v[i];
		struct boot_request *r;

		if (memblock_area_told(b, a->at.range))
			continue;
		r = memblock_ask(b, PZL_BOOT_CMA, "contiguous area", view_range_size(a->at.range));
		memblock_served(r, a->at.range);
		if (b->physzone)
			continue;
		if (a->of_tree)
			pzl_print_reserved_pool(&in, PZL_RESERVED_CMA, a->at.range, false,
						boot_console_line, &b->console);
		else
			pzl_print_cma(&in, r->bytes, &a->at.range, a->nid, boot_console_line,
				      &b->console);
	}
	for (size_t i = 0; i < b->start.no_areas.n; i++) {
		const struct an_no_area *a = &b->start.no_areas.v[i];
		struct boot_request *r = memblock_ask(b, PZL_BOOT_CMA, "contiguous area", a->size);

		r->remark = a->error == -PZ_ENOMEM
				    ? xasprintf("no place: the longest range that is free for it "
						"is %s",
						view_size(size, a->room))
				    : xasprintf("refused (error %d)", a->error);
		if (!b->physzone && !a->of_tree)
			pzl_print_cma(&in, a->size, NULL, a->nid, boot_console_line, &b->console);
	}
	/* Those that the kernel of the log could not have. */
	for (size_t i = 0; i < f->said.n && !b->start.computed; i++) {
		static const char failed[] = "cma: Failed to reserve ";
		const char *at = f->said.v[i].text ? strstr(f->said.v[i].text, failed) : NULL;
		uint64_t mib = at ? strtoull(at + sizeof(failed) - 1, NULL, 10) : 0;
		struct boot_request *r;

		if (f->said.v[i].kind != SAID_CMA_FAILED || !at || mib > UINT64_MAX >> 20)
			continue;
		r = memblock_ask(b, PZL_BOOT_CMA, "contiguous area", mib << 20);
		r->remark = xstrdup("refused, as the input tells");
		if (!b->physzone)
			pzl_print_cma(&in, mib << 20, NULL, PZ_NID_NONE, boot_console_line,
				      &b->console);
	}
}

/* Where KASLR puts the image decides about the longest free range, and is not told. */
static void memblock_weigh_crash(struct boot *b, struct boot_request *r)
{
	const char *line = b->analysis.cmdline;
	uint64_t longest = 0, size = b->start.crash.req.size;
	char a[VIEW_SIZE_MAX], image[VIEW_SIZE_MAX];

	if (b->start.crash.told || !b->start.image_guessed || (line && strstr(line, "nokaslr")))
		return;
	for (uint32_t i = 0; i < b->start.mb.memory.count; i++)
		if (view_range_size(b->start.mb.memory.v[i].range) > longest)
			longest = view_range_size(b->start.mb.memory.v[i].range);
	if (longest < b->start.image || size > longest - b->start.image ||
	    size <= (longest - b->start.image) / 2)
		return;
	r->outcome = BOOT_DEPENDS;
	free(r->remark);
	r->remark = xasprintf("on where KASLR puts the image of %s in the longest range, which has "
			      "%s",
			      view_size(image, b->start.image), view_size(a, longest));
}

/* Why there is no memory for a crash kernel. */
static char *memblock_crash_refused(const struct an_crash *k)
{
	char size[VIEW_SIZE_MAX];

	switch (k->area.result) {
	case PZL_CRASH_IN_USE:
		return xstrdup("the place is not free");
	case PZL_CRASH_NO_LOW:
		return xasprintf("there is no room for its %s of low memory",
				 view_size(size, k->area.low_size));
	case PZL_CRASH_IGNORED:
		return xstrdup("a capture kernel reserves none");
	case PZL_CRASH_LOOPS:
		return xstrdup("the kernel tries the same place for ever");
	default:
		break;
	}
	if (k->told)
		return xstrdup("refused, as the input tells");
	return xasprintf("no place below its limits: the longest range that is free has %s",
			 view_size(size, k->room));
}

static void memblock_crash(struct boot *b)
{
	struct an_crash *k = &b->start.crash;
	char size[VIEW_SIZE_MAX], addr[VIEW_SIZE_MAX];
	struct boot_request *r;

	if (!k->asked)
		return;
	r = memblock_ask(b, PZL_BOOT_CRASH, "crash kernel", k->req.size);
	if (k->req.parse != PZL_CRASH_FOUND) {
		if (k->req.parse == PZL_CRASH_ZERO)
			r->outcome = BOOT_SKIPPED;
		r->remark =
			xasprintf("nothing is reserved: %s", pzl_crash_parse_text(k->req.parse));
		return;
	}
	if (!k->known) {
		r->outcome = BOOT_DEPENDS;
		r->remark =
			xstrdup(k->told ? "the input does not tell what came of it"
					: "how this architecture reserves it is not known here");
		return;
	}
	if (k->area.result == PZL_CRASH_RESERVED) {
		memblock_served(r, k->area.main);
		if (k->area.has_low)
			r->remark = xasprintf("and %s of low memory at %s",
					      view_size(size, view_range_size(k->area.low)),
					      view_addr(addr, k->area.low.first));
	} else {
		r->remark = memblock_crash_refused(k);
	}
	if (!k->req.base)
		memblock_weigh_crash(b, r);
	k->env.model = b->rules;
	if (!b->physzone)
		pzl_crash_print(&k->env, &k->req, &k->area, b->start.in.ram_bytes,
				boot_console_line, &b->console);
}

/* Gigantic pages: as the input shows them, or tried by the rules of memblock. */
static void memblock_gigantic(struct boot *b, const struct pzl_boot_request *asked)
{
	struct boot_request *r = boot_ask(b, BOOT_MEMBLOCK, asked);
	unsigned int shift = b->analysis.page_shift;
	struct pz_mb_req req = pz_mb_req(asked->bytes, asked->bytes);

	for (size_t i = 0; i < b->start.later.n && !b->start.computed; i++) {
		const struct an_given *g = &b->start.later.v[i];

		if (g->kind != AN_GIVEN_GIGANTIC)
			continue;
		r->got += ((g->pfns.last - g->pfns.first + 1) << shift) / asked->bytes;
		boot_place(b, r, g->pfns.first, asked->bytes);
	}
	while (b->start.computed && r->got < asked->count) {
		struct pz_range at;

		if (pz_memblock_alloc(&b->start.mb, &req, &at))
			break;
		pz_zones_account(&b->start.z,
				 (struct pz_range){ at.first >> shift, at.last >> shift }, false);
		*vec_push(&b->start.later) =
			(struct an_given){ AN_GIVEN_GIGANTIC,
					   { at.first >> shift, at.last >> shift } };
		r->got++;
		boot_place(b, r, at.first >> shift, asked->bytes);
	}
	r->bytes = asked->bytes;
	r->outcome = r->got >= asked->count ? BOOT_SERVED : r->got ? BOOT_LESS : BOOT_FAILED;
	if (r->outcome != BOOT_SERVED)
		r->remark =
			xasprintf("%" PRIu64 " of %" PRIu64 " found a place", r->got, asked->count);
}

/* Take from what is free here; the page allocator will not have it. */
static bool memblock_take(struct boot *b, uint64_t bytes, uint64_t max_addr, struct pz_range *at)
{
	unsigned int shift = b->analysis.page_shift;
	uint64_t page = UINT64_C(1) << shift;
	struct pz_mb_req req = pz_mb_req((bytes + page - 1) & ~(page - 1), page);

	req.max_addr = max_addr - 1; /* the kernel takes it for an exclusive end */
	if (pz_memblock_alloc(&b->start.mb, &req, at))
		return false;
	pz_zones_account(&b->start.z, (struct pz_range){ at->first >> shift, at->last >> shift },
			 false);
	return true;
}

/* Give back what the input's own kernel took. */
static void memblock_give(struct boot *b, struct pz_range at)
{
	unsigned int shift = b->analysis.page_shift;
	struct pz_range pfns;

	if (!pz_range_trim(at, shift, &pfns) ||
	    pz_memblock_free(&b->start.mb, at.first, view_range_size(at)))
		return;
	pz_zones_account(&b->start.z, pfns, true);
}

/* The longest free run up to an address, with a range in use that counts as free. */
static uint64_t memblock_room(const struct boot *b, uint64_t max_addr, const struct pz_range *own)
{
	uint64_t best = own ? view_range_size(*own) : 0, around = best;
	struct pz_mb_iter it;

	memset(&it, 0, sizeof(it));
	while (pz_memblock_next_free(&b->start.mb, &it, PZ_NID_NONE)) {
		struct pz_range r = it.range;

		if (r.first > max_addr)
			continue;
		if (r.last > max_addr)
			r.last = max_addr;
		if (own && (r.last + 1 == own->first || own->last + 1 == r.first))
			around += view_range_size(r);
		else if (view_range_size(r) > best)
			best = view_range_size(r);
	}
	return around > best ? around : best;
}

/* Early allocations of unknown places can take what the buffers need, or have taken too much here.
 */
static void memblock_weigh(struct boot *b, struct boot_request *r)
{
	uint64_t untold = b->start.untold << b->analysis.page_shift, room;
	char free_size[VIEW_SIZE_MAX], early[VIEW_SIZE_MAX];
	bool sure;

	room = memblock_room(b, r->asked.max_addr, r->placed ? &r->place : NULL);
	sure = r->placed ? room >= untold && room - untold >= r->asked.bytes
			 : room + untold < r->asked.min_bytes;
	if (!b->start.bounce.open || sure)
		return;
	r->outcome = BOOT_DEPENDS;
	free(r->remark);
	r->remark =
		xasprintf("%s is free below the limit in one piece, and the places of %s that is "
			  "taken early are not told",
			  view_size(free_size, room), view_size(early, untold));
}

/* Why a kernel takes no bounce buffers, where it could. */
static void memblock_no_swiotlb(struct boot *b, const struct pzl_boot_in *in,
				const struct pzl_boot_args *args)
{
	char end[VIEW_SIZE_MAX], limit[VIEW_SIZE_MAX];

	if (pzl_boot_swiotlb_words(in, args)->noforce)
		boot_say(b, BOOT_MEMBLOCK, "bounce buffers", "none: swiotlb=noforce");
	else if (args->iommu_off && in->ram_last > in->low_last &&
		 (in->arch == PZL_ARCH_X86_64 || in->arch == PZL_ARCH_I386))
		boot_say(b, BOOT_MEMBLOCK, "bounce buffers", "none: iommu=off");
	else if (in->arch == PZL_ARCH_X86_64 || in->arch == PZL_ARCH_I386 ||
		 in->arch == PZL_ARCH_RISCV64 || in->arch == PZL_ARCH_ARM64)
		boot_say(b, BOOT_MEMBLOCK, "bounce buffers",
			 "none: memory ends at %s, and they are for what lies above %s",
			 view_addr(end, in->ram_last + 1), view_addr(limit, in->low_last + 1));
}

static void memblock_swiotlb(struct boot *b, const struct facts *f)
{
	const struct pzl_boot_in in = boot_in(b, f);
	const struct an_bounce *k = &b->start.bounce;
	bool own = b->rules == b->analysis.model, refused = false;
	struct pzl_boot_request asked;
	struct pzl_boot_args args;
	char size_text[VIEW_SIZE_MAX];
	struct boot_request *r;
	struct pz_range at;

	pzl_boot_args(&b->start.cl, &args);
	if (pzl_boot_swiotlb(&in, &args, &asked)) {
		memblock_no_swiotlb(b, &in, &args);
		return;
	}
	r = boot_ask(b, BOOT_MEMBLOCK, &asked);
	r->max_addr = asked.max_addr;
	r->nid = PZ_NID_NONE;
	r->zone = PZ_ZONE_TYPES;
	for (size_t i = 0; i < f->said.n && !b->start.computed; i++)
		refused = refused || (f->said.v[i].kind == SAID_SWIOTLB &&
				      strstr(f->said.v[i].text, "No low mem"));
	if (k->placed && (own || view_range_size(k->at) == asked.bytes)) {
		memblock_served(r, k->at);
	} else if (own && k->unplaced && !refused) {
		r->outcome = BOOT_SERVED;
		r->bytes = asked.bytes;
		r->got = 1;
	} else if (!own) {
		uint64_t size = asked.bytes;

		if (k->placed)
			memblock_give(b, k->at);
		while (size && !memblock_take(b, size, asked.max_addr, &at))
			size = pzl_swiotlb_halve(b->rules, size);
		if (size)
			memblock_served(r, at);
	}
	if (!r->got)
		r->remark = xasprintf("the longest range that is free below the limit has %s",
				      view_size(size_text, memblock_room(b, asked.max_addr, NULL)));
	else if (r->placed && k->open && !k->told)
		r->remark = xstrdup("or near: not all that is taken early has a told place");
	memblock_weigh(b, r);
	/* Where the place is not told, there is no line of it either. */
	if (!b->physzone && (r->placed || !r->got))
		pzl_print_swiotlb(&in, &args, r->placed ? &r->place : NULL, boot_console_line,
				  &b->console);
}

void boot_swiotlb_late(struct boot *b, const struct facts *f)
{
	const struct pzl_boot_in in = boot_in(b, f);
	const struct boot_request *r = NULL;
	struct pzl_boot_args args;

	pzl_boot_args(&b->start.cl, &args);
	for (size_t i = 0; i < b->requests.n; i++)
		if (b->requests.v[i].asked.what == PZL_BOOT_SWIOTLB)
			r = &b->requests.v[i];
	if (!b->physzone && !(r && r->got && !r->placed))
		pzl_print_swiotlb_late(&in, &args, r && r->placed ? &r->place : NULL,
				       boot_console_line, &b->console);
}

void boot_requests_memblock(struct boot *b, const struct facts *f)
{
	const struct pzl_boot_in in = boot_in(b, f);
	struct pzl_boot_request asked[8];
	unsigned int n;

	memblock_tree(b, f);
	memblock_areas(b, f);
	memblock_crash(b);
	n = pzl_boot_hugepages(&in, &b->start.cl, asked, 8);
	for (unsigned int i = 0; i < n && i < 8; i++)
		if (asked[i].what == PZL_BOOT_GIGANTIC)
			memblock_gigantic(b, &asked[i]);
	memblock_swiotlb(b, f);
}
