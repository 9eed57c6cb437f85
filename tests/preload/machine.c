/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.c - the machine whose memory the program gets.
 *
 * Memory begins at 1 GiB, so that there are two zones, DMA32 and Normal, when it is large. The
 * arena is aligned as its physical addresses are, up to 1 GiB: what is aligned for the page
 * allocator is for the program.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "preload.h"

#define MACHINE_GIB ((uint64_t)1 << 30)
#define MACHINE_FIRST MACHINE_GIB
#define MACHINE_POOL 65536u

/* Where small metadata is cut from. It is never asked for once the caches are made. */
static struct {
	_Alignas(16) unsigned char at[MACHINE_POOL];
	size_t used;
} machine_pool;

static void *machine_map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void *machine_zeroed(void *ctx, size_t size)
{
	return machine_map(size);
}

static void machine_zeroed_free(void *ctx, void *p, size_t size)
{
	(void)munmap(p, size);
}

static void *machine_small(void *ctx, size_t size)
{
	size_t n = (size + 15) & ~(size_t)15;
	void *p;

	if (n > MACHINE_POOL - machine_pool.used)
		return machine_map(size);
	p = machine_pool.at + machine_pool.used;
	machine_pool.used += n;
	return p;
}

static void machine_small_free(void *ctx, void *p, size_t size)
{
	uintptr_t at = (uintptr_t)p, pool = (uintptr_t)machine_pool.at;

	if (at - pool >= MACHINE_POOL)
		(void)munmap(p, size);
}

static struct {
	struct preload_machine *m;
	const struct preload_options *o;
} machine_self;

static void machine_end(const char *why, int rc)
{
	preload_say(machine_self.o, "preload: %s: error %d", why, -rc);
	_exit(127);
}

static void machine_report(void *ctx, const char *text)
{
	preload_say(machine_self.o, "preload: %d: bug: %s", (int)getpid(), text);
}

static void machine_panic(void *ctx, const char *text)
{
	machine_report(ctx, text);
	abort();
}

static void machine_user(const char *what, const struct pz_slab_user *u)
{
	if (u->known)
		preload_say(machine_self.o, "preload: %d: %s by %#llx on CPU %d", (int)getpid(),
			    what, (unsigned long long)u->site, (int)u->cpu);
}

static void machine_found(void *ctx, const struct pz_slab_finding *f)
{
	atomic_fetch_add(&machine_self.m->findings, 1);
	machine_user("allocated", &f->allocated);
	machine_user("freed", &f->freed);
}

/* Address space, aligned to 1 GiB or to what is asked for. */
static void machine_arena(struct preload_machine *m)
{
	unsigned char *p = machine_map(m->bytes + MACHINE_GIB);
	uintptr_t skip;

	if (!p)
		machine_end("no address space for the machine", -PZ_ENOMEM);
	skip = (uintptr_t)(-(uintptr_t)p & (MACHINE_GIB - 1));
	if (skip)
		(void)munmap(p, skip);
	if (skip < MACHINE_GIB)
		(void)munmap(p + skip + m->bytes, MACHINE_GIB - skip);
	m->arena = p + skip;
}

static int machine_zones(struct preload_machine *m)
{
	uint64_t end = MACHINE_FIRST + m->bytes;
	struct pz_zone_config cfg;
	int rc;

	memset(&cfg, 0, sizeof(cfg));
	cfg.configured = 1u << PZ_ZONE_DMA32 | 1u << PZ_ZONE_NORMAL | 1u << PZ_ZONE_MOVABLE;
	cfg.page_shift = 12;
	cfg.max_order_pages = 1024;
	cfg.max_pfn[PZ_ZONE_DMA32] = (end < 4 * MACHINE_GIB ? end : 4 * MACHINE_GIB) >> 12;
	cfg.max_pfn[PZ_ZONE_NORMAL] = end >> 12;
	rc = pz_memblock_init(&m->mb, &m->small, cfg.page_shift);
	if (!rc)
		rc = pz_memblock_add(&m->mb, MACHINE_FIRST, m->bytes, 0, 0);
	if (!rc)
		rc = pz_zones_build(&m->zones, &m->small, &m->mb, &cfg);
	return rc ? rc : pz_zones_set_managed(&m->zones, &m->mb, UINT64_MAX);
}

static int machine_pages(struct preload_machine *m, const struct preload_options *o)
{
	struct pz_page_config cfg;
	int rc;

	memset(&cfg, 0, sizeof(cfg));
	cfg.meta = &m->small;
	cfg.zeroed = &m->zeroed;
	cfg.zones = &m->zones;
	cfg.memblock = &m->mb;
	cfg.max_pfn = UINT64_MAX;
	cfg.cpus = o->cpus;
	cfg.policy = PZ_POLICY_REACH;
	cfg.keep_pages = UINT64_MAX;
	cfg.bugs = &m->bugs;
	rc = pz_pages_create(&m->pages, &cfg);
	if (!rc)
		m->managed = pz_page_free_count(m->pages, UINT32_MAX);
	return rc;
}

static int machine_caches(struct preload_machine *m, const struct preload_options *o,
			  uint64_t (*site)(void *ctx))
{
	struct pz_slabs_config cfg;
	struct pz_kmalloc_config family;
	const char *why = "";
	int rc;

	memset(&cfg, 0, sizeof(cfg));
	cfg.pages = m->pages;
	cfg.zones = &m->zones;
	cfg.meta = &m->small;
	cfg.zeroed = &m->zeroed;
	cfg.mapped.first = MACHINE_FIRST;
	cfg.mapped.last = MACHINE_FIRST + m->bytes - 1;
	cfg.virt = m->arena;
	cfg.page_shift = 12;
	cfg.cpus = o->cpus;
	cfg.max_caches = 32;
	cfg.bugs = &m->bugs;
	cfg.hooks.found = machine_found;
	cfg.hooks.site = site;
	if (getrandom(&cfg.seed, sizeof(cfg.seed), GRND_NONBLOCK) != sizeof(cfg.seed))
		cfg.seed = (uintptr_t)m->arena;
	if (o->debug_len) {
		(void)pz_slab_debug_parse(&m->debug, o->debug, o->debug_len, 0, NULL, NULL);
		cfg.debug = &m->debug;
	}
	rc = pz_slabs_create(&m->slabs, &cfg);
	if (rc)
		return rc;
	memset(&family, 0, sizeof(family));
	family.slabs = m->slabs;
	family.min_align = 16;
	rc = pz_kmalloc_create(&m->family, &family, &why);
	if (rc)
		preload_say(o, "preload: kmalloc: %s", why);
	return rc;
}

void preload_machine_make(struct preload_machine *m, const struct preload_options *o,
			  uint64_t (*site)(void *ctx))
{
	int rc;

	machine_self.m = m;
	machine_self.o = o;
	m->bytes = o->mib << 20;
	m->small = (struct pz_meta){ machine_small, machine_small_free, NULL };
	m->zeroed = (struct pz_meta){ machine_zeroed, machine_zeroed_free, NULL };
	m->bugs.policy = o->go_on ? PZ_BUG_REPORT : PZ_BUG_PANIC;
	m->bugs.report = machine_report;
	m->bugs.panic = machine_panic;
	machine_arena(m);
	rc = machine_zones(m);
	if (!rc)
		rc = machine_pages(m, o);
	if (!rc)
		rc = machine_caches(m, o, site);
	if (rc)
		machine_end("the machine could not be made", rc);
}

void preload_machine_check(struct preload_machine *m, const struct preload_options *o)
{
	int rc = pz_pages_check(m->pages);

	if (rc) {
		atomic_fetch_add(&m->findings, 1);
		preload_say(o, "preload: invariant %d of the page allocator does not hold", rc);
	}
	rc = pz_slabs_check(m->slabs);
	if (rc) {
		atomic_fetch_add(&m->findings, 1);
		preload_say(o, "preload: invariant %d of the caches does not hold", rc);
	}
	for (struct pz_kmem_cache *c = pz_slabs_each(m->slabs, NULL); c;
	     c = pz_slabs_each(m->slabs, c))
		(void)pz_kmem_cache_validate(c);
}
