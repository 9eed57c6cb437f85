/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slabs.c - the slab caches that the kernel makes as soon as there is a page allocator, and what
 * each is worth on this machine.
 *
 * Making a cache takes memory for its descriptor only; it has no slab until an object is asked for.
 * So the page request behind its first slab is not made here, but judged: a cache whose zone has no
 * managed page is made without a word and can never serve anything.
 *
 * Shortcomings: the descriptors' sizes are those of distributions' kernels, and their slabs are the
 * only ones that are taken.
 */
#include "boot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <physzone/linux/slab_gfp.h>

const char *boot_cache_state_name(enum boot_cache_state s)
{
	static const char *const names[] = {
		[BOOT_CACHE_READY] = "ready",
		[BOOT_CACHE_NO_MEMORY] = "no-memory",
		[BOOT_CACHE_EMPTY] = "empty",
		[BOOT_CACHE_NOT_MADE] = "not-made",
	};

	return (unsigned int)s <= BOOT_CACHE_NOT_MADE ? names[s] : "?";
}

/* Names of a set without the size of their objects. */
static const char *slabs_set_name(enum pzl_kmalloc_type type)
{
	static const char *const names[PZL_KMALLOC_TYPES] = {
		[PZL_KMALLOC_NORMAL] = "kmalloc",      [PZL_KMALLOC_CGROUP] = "kmalloc-cg",
		[PZL_KMALLOC_RECLAIM] = "kmalloc-rcl", [PZL_KMALLOC_DMA] = "dma-kmalloc",
		[PZL_KMALLOC_RANDOM] = "kmalloc-rnd",
	};

	return (unsigned int)type < PZL_KMALLOC_TYPES ? names[type] : "descriptors";
}

/* Judge the request behind the first slab: the light one, or the one it falls back to. */
static enum boot_cache_state slabs_state(struct boot *b, const struct pzl_slab_alloc *a)
{
	struct pz_page_req req;
	struct pz_report rep;

	pz_page_req_init(b->pages, &req, a->fallback_order, 0, 0);
	pzl_gfp_request(a->fallback_gfp, b->rules, b->start.configured, &req);
	if (pz_report_explain(b->pages, &req, &rep) || !rep.outcome)
		return BOOT_CACHE_READY;
	return rep.outcome == -PZ_ERANGE ? BOOT_CACHE_EMPTY : BOOT_CACHE_NO_MEMORY;
}

/* Take the slabs of a cache of descriptors. Returns whether they were to be had. */
static bool slabs_take(struct boot *b, const struct boot_cache *c, uint64_t objects)
{
	struct pzl_slab_alloc a;
	uint64_t pfn;

	pzl_slab_alloc(&a, b->rules, c->made.cache.flags, &c->g, pzl_gfp_nowait(b->rules));
	while (objects) {
		struct pz_page_req req;
		unsigned int order = a.order;
		uint32_t held = c->g.objects;

		pz_page_req_init(b->pages, &req, order, 0, 0);
		pzl_gfp_request(a.gfp, b->rules, b->start.configured, &req);
		if (pz_page_request(b->pages, &req, &pfn)) {
			order = a.fallback_order;
			held = c->g.fallback_objects;
			pz_page_req_init(b->pages, &req, order, 0, 0);
			pzl_gfp_request(a.fallback_gfp, b->rules, b->start.configured, &req);
			if (pz_page_request(b->pages, &req, &pfn))
				return false;
		}
		b->cache_pages += UINT64_C(1) << order;
		objects -= objects < held ? objects : held;
	}
	return true;
}

/* Nodes that have memory of their own. */
static uint64_t slabs_nodes(const struct boot *b)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < b->start.z.node_count; i++)
		n += b->start.z.node[i].end_pfn != 0;
	return n ? n : 1;
}

static bool slabs_descriptors(struct boot *b, uint64_t made)
{
	bool ok = true;

	for (size_t i = 0; i < b->caches.n; i++) {
		const struct boot_cache *c = &b->caches.v[i];

		if (c->made.type == PZL_KMALLOC_TYPES)
			ok = ok && slabs_take(b, c,
					      !strcmp(c->made.name, "kmem_cache")
						      ? made
						      : made * slabs_nodes(b));
	}
	return ok;
}

/* The sets that were made, and how many caches each has. */
static void slabs_say_made(struct boot *b, uint64_t made, bool descriptors)
{
	static const enum pzl_kmalloc_type sets[] = { PZL_KMALLOC_NORMAL, PZL_KMALLOC_CGROUP,
						      PZL_KMALLOC_RECLAIM, PZL_KMALLOC_DMA };
	char size[VIEW_SIZE_MAX];
	struct out text;

	out_init(&text, NULL);
	out_printf(&text, "%" PRIu64 " made, without a slab for their objects: ", made);
	for (size_t k = 0; k < sizeof(sets) / sizeof(sets[0]); k++) {
		unsigned int n = 0;

		for (size_t i = 0; i < b->caches.n; i++)
			n += b->caches.v[i].made.type == sets[k] &&
			     b->caches.v[i].state != BOOT_CACHE_NOT_MADE;
		if (n)
			out_printf(&text, "%u %s, ", n, slabs_set_name(sets[k]));
	}
	out_printf(&text, "2 for descriptors, which take %s",
		   view_pages_size(size, b->cache_pages, b->analysis.page_shift));
	if (!descriptors)
		out_str(&text, "; there is no memory for all of them: the kernel panics");
	boot_say(b, BOOT_HAND_OVER, "slab caches", "%s", out_text(&text));
	b->steps.v[b->steps.n - 1].failed = !descriptors;
	out_destroy(&text);
}

/* What is wrong with a set. */
static void slabs_say_set(struct boot *b, enum pzl_kmalloc_type type)
{
	unsigned int n[BOOT_CACHE_NOT_MADE + 1] = { 0 };
	const char *name = slabs_set_name(type);
	char size[VIEW_SIZE_MAX];
	uint32_t most = 0;

	for (size_t i = 0; i < b->caches.n; i++) {
		if (b->caches.v[i].made.type != type)
			continue;
		n[b->caches.v[i].state]++;
		most = b->caches.v[i].made.cache.object_size;
	}
	view_size(size, most);
	if (n[BOOT_CACHE_NOT_MADE])
		boot_say(b, BOOT_HAND_OVER, name,
			 "not made: no node has a managed page in ZONE_DMA. kmalloc(GFP_DMA) of up "
			 "to %s is served by kmalloc caches, from any address",
			 size);
	if (n[BOOT_CACHE_EMPTY])
		boot_say(b, BOOT_HAND_OVER, name,
			 "%u caches made without an error, which stay empty: %s. Each %s of up to "
			 "%s fails, and only when it is called",
			 n[BOOT_CACHE_EMPTY],
			 type == PZL_KMALLOC_DMA ? "no node has a managed page in ZONE_DMA"
						 : "no page is managed where they may lie",
			 type == PZL_KMALLOC_DMA ? "kmalloc(GFP_DMA)" : "allocation", size);
	if (n[BOOT_CACHE_NO_MEMORY])
		boot_say(b, BOOT_HAND_OVER, name,
			 "no memory is free for a slab of %u of its caches",
			 n[BOOT_CACHE_NO_MEMORY]);
}

/* The caches with what they are worth. Returns how many are made. */
static uint64_t slabs_list(struct boot *b, struct pzl_slab_boot *sb,
			   const struct pz_slab_debug *debug)
{
	struct pzl_slab_boot_cache all[64];
	const bool skip_dma = sb->only_managed && !sb->managed_dma;
	uint64_t made = 0;
	uint32_t n;

	/* Those that are left out are listed too. */
	sb->only_managed = false;
	n = pzl_slab_boot_caches(sb, all, 64);
	for (uint32_t i = 0; i < n && i < 64; i++) {
		struct boot_cache c = { .made = all[i], .state = BOOT_CACHE_NOT_MADE };
		struct pzl_slab_alloc a;

		c.made.cache.flags = pzl_slab_debug_flags(debug, c.made.name, c.made.cache.flags);
		if (pzl_slab_geometry(&sb->k, &c.made.cache, &c.g))
			continue;
		pzl_slab_alloc(&a, b->rules, c.made.cache.flags, &c.g, PZL_GFP_KERNEL);
		c.gfp = a.fallback_gfp;
		if (!skip_dma || c.made.type != PZL_KMALLOC_DMA) {
			c.state = slabs_state(b, &a);
			made++;
		}
		*vec_push(&b->caches) = c;
	}
	return made;
}

static void slabs_line(void *ctx, const char *line, size_t len)
{
	out_mem(ctx, line, len);
	out_char(ctx, '\n');
}

void boot_slab_failure(struct boot *b, const struct boot_request *r, uint32_t gfp)
{
	VEC(struct pzl_slab_node) nodes = { 0 };
	struct pzl_slab_oom oom = { .name = r->asked.name, .nid = PZ_NID_NONE, .gfp = gfp };

	for (size_t i = 0; i < b->caches.n; i++) {
		const struct boot_cache *c = &b->caches.v[i];

		if (strcmp(c->made.name, r->asked.name) != 0)
			continue;
		oom.g = &c->g;
		oom.object_size = c->made.cache.object_size;
	}
	if (!oom.g)
		return;
	for (uint32_t n = 0; n < b->start.z.node_count; n++)
		if (b->start.z.node[n].end_pfn)
			*vec_push(&nodes) = (struct pzl_slab_node){ .nid = b->start.z.node[n].nid };
	oom.node = nodes.v;
	oom.nodes = (uint32_t)nodes.n;
	pzl_slab_print_oom(b->rules, b->analysis.page_shift, &oom, slabs_line, &b->console);
	vec_free(&nodes);
}

void boot_slab_caches(struct boot *b, const struct facts *f, const struct boot_options *o)
{
	struct pzl_boot_in in = boot_in(b, f);
	struct pzl_slab_args args;
	struct pzl_slab_boot sb;
	uint64_t made;

	if (b->physzone) {
		boot_say(b, BOOT_HAND_OVER, "slab caches",
			 "none that a zone names: a cache has the limit of whoever asks for it");
		return;
	}
	pzl_slab_boot_init(&sb, b->rules, b->analysis.arch, b->analysis.page_shift,
			   b->start.configured, b->start.z.node_count ? b->start.z.node_count : 1);
	sb.k.cpus = in.cpus;
	sb.managed_dma = in.managed_dma;
	sb.only_managed = o->only_managed;
	pzl_slab_boot_args(&sb, &b->start.cl, &args);
	made = slabs_list(b, &sb, &args.debug);
	slabs_say_made(b, made, slabs_descriptors(b, made));
	for (unsigned int t = 0; t < PZL_KMALLOC_TYPES; t++)
		slabs_say_set(b, (enum pzl_kmalloc_type)t);
}
