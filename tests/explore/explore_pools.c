/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explore_pools.c - pools under every schedule of two or three threads, or of interrupt handlers on
 * top of each other.
 *
 * A thread is a list of steps, with one letter for each piece:
 *   a=3    take 3 granules         a=3?   ... if there is room; without it they must be had
 *   a=3b   ... by best fit         a=3@2  ... at granule 2 of a chunk, if that is free
 *   -a     free                    !a     free once more, or what somebody else frees too
 *   r0     remove chunk 0          +0     add it
 *   v      visit all chunks        a=*    take an element of the reserve; a=*? if there is one
 * What must hold: no granule and no element is given out twice; each chunk is released exactly once
 * for each time that it was added and is no longer there, after which its metadata is overwritten;
 * in the end the checks pass, all misuse was told, and all can be taken at once.
 *
 * An argument picks the scenarios whose names contain it.
 */
#include "explore.h"

#include <physzone/genpool.h>
#include <physzone/mempool.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EP_ROOM ((size_t)24 << 10)
#define EP_CHUNKS 3u
#define EP_GRANULES 2112u /* two levels of summaries */
#define EP_ELEMENTS 8u
#define EP_RUNS_ALL 60000u

struct ep_plan {
	const char *name;
	uint32_t granules[EP_CHUNKS]; /* of each chunk; 0 for none */
	uint32_t flags;		      /* of the chunks */
	uint32_t absent;	      /* bits: chunks that are not there at first */
	uint32_t reserve;	      /* elements in reserve */
	uint32_t stock;		      /* elements that the allocator has beside them */
	const char *before;
	const char *thread[EXPLORE_THREADS];
	uint32_t misuses;
	bool nested;
	uint32_t bound;
	bool all; /* then without a bound */
};

struct ep_piece {
	uint64_t addr;
	uint32_t n; /* granules; 0 for nothing */
	bool element;
};

/* All that threads change. */
struct ep_state {
	size_t used;
	struct pz_genpool *pool;
	struct pz_mempool *reserve;
	struct pz_bugs bugs;
	struct ep_piece piece[26];
	unsigned char owner[EP_CHUNKS][EP_GRANULES];
	unsigned char element[EP_ELEMENTS + 1]; /* 1: with the allocator; 2: somebody's */
	uint32_t added[EP_CHUNKS], released[EP_CHUNKS];
	uint64_t mem[EP_CHUNKS][128];
	_Alignas(64) unsigned char room[EP_ROOM];
};

static struct ep_state *ep;
static const struct ep_plan *ep_plan;

static void *ep_alloc(void *ctx, size_t size)
{
	size_t need = (size + 63) & ~(size_t)63;
	void *p = ep->room + ep->used;

	(void)ctx;
	if (need > EP_ROOM - ep->used)
		return NULL;
	ep->used += need;
	return p;
}

static void ep_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	memset(p, 0xee, size);
}

static const struct pz_meta ep_meta = { ep_alloc, ep_free, NULL };

static int ep_element_alloc(void *ctx, uint32_t gfp, uint64_t *element)
{
	(void)ctx;
	(void)gfp;
	for (uint32_t i = 1; i <= EP_ELEMENTS; i++) {
		if (ep->element[i] == 1) {
			ep->element[i] = 0;
			*element = i;
			return 0;
		}
	}
	return -PZ_ENOMEM;
}

static void ep_element_free(void *ctx, uint64_t element)
{
	(void)ctx;
	if (!element || element > EP_ELEMENTS || ep->element[element])
		explore_fail("element %llu is freed, and is none or somebody's",
			     (unsigned long long)element);
	ep->element[element] = 1;
}

static void ep_release(void *ctx, const struct pz_genpool_info *info)
{
	uint32_t i = (uint32_t)(info->addr >> 16);

	(void)ctx;
	if (info->mem != ep->mem[i])
		explore_fail("chunk %u comes with other memory", i);
	memset(ep->mem[i], 0xee, sizeof(ep->mem[i]));
	if (++ep->released[i] > ep->added[i])
		explore_fail("chunk %u is released twice", i);
}

static int ep_add(uint32_t i)
{
	struct pz_genpool_chunk c;
	int ret;

	memset(&c, 0, sizeof(c));
	c.addr = (uint64_t)i << 16;
	c.size = ep_plan->granules[i];
	c.phys = PZ_GENPOOL_NO_PHYS;
	c.flags = ep_plan->flags;
	c.mem = ep->mem[i];
	c.mem_bytes = sizeof(ep->mem[i]);
	c.release = ep_release;
	ep->added[i]++;
	ret = pz_genpool_add(ep->pool, &c);
	if (ret)
		ep->added[i]--;
	return ret;
}

static void ep_mark(uint64_t addr, uint32_t n, unsigned char who)
{
	for (uint32_t k = 0; k < n; k++) {
		unsigned char *o = &ep->owner[addr >> 16][(addr & 0xffff) + k];

		if (who && *o)
			explore_fail("granule 0x%llx is given out twice",
				     (unsigned long long)addr + k);
		*o = who;
	}
}

static int ep_visit(void *ctx, const struct pz_genpool_info *info)
{
	(void)ctx;
	if (info->granules != ep_plan->granules[info->addr >> 16] || info->avail > info->granules)
		explore_fail("a visit finds another chunk");
	return 0;
}

static void ep_take(struct ep_piece *x, const char *s)
{
	struct pz_genpool_algo a = { .kind = PZ_GENPOOL_FIRST_FIT };
	struct pz_genpool_got got;
	uint64_t element;
	char *end;
	uint32_t n;
	bool may = strchr(s, '?') || strchr(s, '@');

	if (*s == '*') {
		if (pz_mempool_alloc(ep->reserve, 0, &element)) {
			if (!may)
				explore_fail("no element");
			return;
		}
		if (ep->element[element])
			explore_fail("an element is given out twice");
		ep->element[element] = 2;
		x->addr = element;
		x->n = 1;
		x->element = true;
		return;
	}
	n = (uint32_t)strtoul(s, &end, 10);
	if (*end == 'b')
		a.kind = PZ_GENPOOL_BEST_FIT;
	if (*end == '@') {
		a.kind = PZ_GENPOOL_FIXED;
		a.offset = strtoul(end + 1, &end, 10);
	}
	if (pz_genpool_alloc_algo(ep->pool, n, &a, &got)) {
		if (!may)
			explore_fail("%u granules are refused", n);
		return;
	}
	ep_mark(got.addr, n, 1);
	x->addr = got.addr;
	x->n = n;
	x->element = false;
}

static void ep_give(struct ep_piece *x, bool again)
{
	struct ep_piece was = *x;

	if (!was.n)
		return;
	if (!again)
		x->n = 0;
	if (was.element) {
		ep->element[was.addr] = 0;
		pz_mempool_free(ep->reserve, was.addr);
		return;
	}
	ep_mark(was.addr, was.n, 0);
	pz_genpool_free(ep->pool, was.addr, was.n);
}

static void ep_do(const char *s)
{
	char step[16];
	size_t n;
	int ret;

	for (; s && *s; s += n + (s[n] == ' ')) {
		n = strcspn(s, " ");
		memcpy(step, s, n);
		step[n] = '\0';
		if (step[0] == 'r') {
			ret = pz_genpool_remove(ep->pool, (uint64_t)(step[1] - '0') << 16);
			if (ret && ret != -PZ_EBUSY && ret != -PZ_ENOENT)
				explore_fail("remove: %d", ret);
		} else if (step[0] == '+') {
			ret = ep_add((uint32_t)(step[1] - '0'));
			if (ret)
				explore_fail("add: %d", ret);
		} else if (step[0] == 'v') {
			pz_genpool_for_each_chunk(ep->pool, ep_visit, NULL);
		} else if (step[0] == '-' || step[0] == '!') {
			ep_give(&ep->piece[step[1] - 'a'], step[0] == '!');
		} else {
			ep_take(&ep->piece[step[0] - 'a'], step + 2);
		}
	}
}

static void ep_check(const char *when)
{
	int check = pz_genpool_check(ep->pool);

	if (check)
		explore_fail("%s: pz_genpool_check: %d", when, check);
	check = ep->reserve ? pz_mempool_check(ep->reserve) : 0;
	if (check)
		explore_fail("%s: pz_mempool_check: %d", when, check);
}

static void ep_end(void *ctx)
{
	struct pz_genpool_got got;
	uint32_t elements = 0;

	(void)ctx;
	ep_check("in the end");
	if (ep->bugs.count != ep_plan->misuses)
		explore_fail("%llu misuses were told, not %u", (unsigned long long)ep->bugs.count,
			     ep_plan->misuses);
	for (unsigned int i = 0; i < 26; i++)
		if (ep->piece[i].n && !ep_plan->misuses)
			ep_give(&ep->piece[i], false);
	ep_check("all freed");
	for (uint32_t i = 0; i < EP_CHUNKS; i++) {
		struct pz_genpool_algo all = { .kind = PZ_GENPOOL_FIXED };
		bool live = pz_genpool_has_addr(ep->pool, (uint64_t)i << 16, 1);

		if (ep->added[i] != ep->released[i] + live)
			explore_fail("chunk %u was added %u times, released %u, and %s", i,
				     ep->added[i], ep->released[i], live ? "is there" : "is gone");
		if (!live || ep_plan->misuses)
			continue;
		if (pz_genpool_alloc_algo(ep->pool, ep_plan->granules[i], &all, &got))
			explore_fail("a chunk cannot be had as a whole");
	}
	for (uint32_t i = 1; i <= EP_ELEMENTS; i++)
		elements += ep->element[i] == 1;
	if (ep->reserve && elements != ep_plan->stock)
		explore_fail("%u elements are with the allocator", elements);
	if (ep->bugs.count != ep_plan->misuses)
		explore_fail("freeing what was held is told as a misuse");
}

static void ep_body(void *ctx, unsigned int thread)
{
	(void)ctx;
	ep_do(ep_plan->thread[thread]);
}

static void ep_run(const struct ep_plan *plan)
{
	struct explore_plan how = { plan->bound, plan->all, false, 0 };
	struct pz_genpool_config cfg;
	struct pz_mempool_config mc;
	struct explore e;
	const char *why;

	ep_plan = plan;
	/* Aligned alike in every run of the program, so that a hash does not depend on it. */
	ep = aligned_alloc(4096, (sizeof(*ep) + 4095) & ~(size_t)4095);
	if (!ep)
		exit(2);
	memset(ep, 0, (sizeof(*ep) + 4095) & ~(size_t)4095);
	memset(&cfg, 0, sizeof(cfg));
	cfg.meta = &ep_meta;
	cfg.bugs = &ep->bugs;
	ep->bugs.policy = PZ_BUG_IGNORE;
	if (pz_genpool_create(&ep->pool, &cfg))
		exit(2);
	for (uint32_t i = 0; i < EP_CHUNKS; i++)
		if (plan->granules[i] && !(plan->absent & 1u << i) && ep_add(i))
			exit(2);
	if (plan->reserve) {
		memset(&mc, 0, sizeof(mc));
		memset(ep->element + 1, 1, plan->reserve + plan->stock);
		mc.min = plan->reserve;
		mc.alloc = ep_element_alloc;
		mc.free = ep_element_free;
		mc.meta = &ep_meta;
		mc.bugs = &ep->bugs;
		if (pz_mempool_create(&ep->reserve, &mc))
			exit(2);
	}
	ep_do(plan->before);
	why = explore_failure();
	if (why) {
		fprintf(stderr, "%s: %s\n", plan->name, why);
		exit(2);
	}
	memset(&e, 0, sizeof(e));
	e.body = ep_body;
	e.end = ep_end;
	e.state = ep;
	e.size = sizeof(*ep);
	while (e.threads < EXPLORE_THREADS && plan->thread[e.threads])
		e.threads++;
	e.nested = plan->nested;
	e.max_runs_all = EP_RUNS_ALL;
	explore_tap(plan->name, &e, &how);
	free(ep);
}

static const struct ep_plan ep_plans[] = {
	/* --- granules --- */
	{ .name = "the last granule", .granules = { 1 }, .thread = { "a=1? -a", "b=1? -b" },
	  .bound = 3 },
	{ .name = "two for two granules", .granules = { 2 },
	  .thread = { "a=1 -a a=1", "b=1 -b b=1" },
	  .bound = 2 },
	{ .name = "three for three granules", .granules = { 3 },
	  .thread = { "a=1", "b=1", "c=1" }, .bound = 2 },
	{ .name = "a pair against single ones", .granules = { 4 },
	  .thread = { "a=2 -a", "b=1 c=1 -b -c" }, .bound = 2 },
	{ .name = "pieces over two words", .granules = { 64 }, .before = "x=20",
	  .thread = { "a=20? -a", "b=24? -b" }, .bound = 2 },
	{ .name = "a piece over two words where another ends", .granules = { 64 }, .before = "x=30",
	  .thread = { "a=34@30 -a", "b=2@30 -b" }, .bound = 3 },
	{ .name = "a piece over two words where another begins", .granules = { 96 },
	  .before = "x=30 y=2@64", .thread = { "a=40@30 -a", "-y y=2@64 -y" }, .bound = 3 },
	{ .name = "a piece goes while its neighbour does", .granules = { 96 },
	  .before = "a=32 b=40 c=20", .thread = { "-a x=32", "-b y=40", "-c" }, .bound = 1 },
	{ .name = "best fit against a free", .granules = { 40 }, .before = "a=30 b=2 c=4 -b",
	  .thread = { "x=2b -x", "-c y=3b -y" }, .bound = 2 },
	/* --- summaries --- */
	{ .name = "a word is full and has room again", .granules = { 64 },
	  .before = "a=31 b=1 c=32",
	  .thread = { "-b x=1", "-c y=1? -y" }, .bound = 3 },
	{ .name = "a hint is cleared while a granule comes back", .granules = { 64 },
	  .before = "a=32 b=32", .thread = { "x=1?", "-b y=31" }, .bound = 4 },
	{ .name = "two clear a hint and one frees", .granules = { 96 }, .before = "a=32 b=32 c=32",
	  .thread = { "x=1?", "-b", "y=1?" }, .bound = 2 },
	{ .name = "who frees first has told one level only", .granules = { 2112 },
	  .before = "a=2048 b=1 c=1 d=62 y=1?", .thread = { "-b", "-c x=1" }, .bound = 3 },
	{ .name = "room that somebody else cannot use", .granules = { 8 },
	  .before = "a=2 b=2 c=2 -b",
	  .thread = { "x=4?", "y=2" }, .bound = 3, .all = true },
	/* --- chunks --- */
	{ .name = "a chunk gets room while it is called full", .granules = { 2, 2 },
	  .before = "a=2 b=2", .thread = { "x=1?", "-b y=1" }, .bound = 3 },
	{ .name = "chunks come and go while all are full", .granules = { 2, 2 }, .absent = 2,
	  .before = "b=2", .thread = { "x=1? -x", "+1 r1", "-b y=1" }, .bound = 2 },
	{ .name = "a chunk is removed and taken from", .granules = { 2 },
	  .thread = { "r0", "a=1? -a" }, .bound = 4, .all = true },
	{ .name = "removed twice", .granules = { 2, 2 }, .thread = { "r0 r1", "r1 r0", "a=1? -a" },
	  .bound = 2 },
	{ .name = "removed, added and taken from", .granules = { 2 },
	  .thread = { "r0", "a=1? -a b=1? -b" }, .bound = 3, .before = "" },
	{ .name = "a full chunk is removed while one insists", .granules = { 4 }, .before = "a=3",
	  .thread = { "-a r0", "x=2? -x", "y=2?" }, .bound = 2 },
	{ .name = "visited and removed", .granules = { 2, 2 },
	  .thread = { "v v", "r0", "r1 a=1? -a" },
	  .bound = 2 },
	{ .name = "added while others look", .granules = { 2, 2 }, .absent = 2,
	  .thread = { "+1", "a=1 b=1 c=1? -a -b -c", "v" }, .bound = 1 },
	{ .name = "goes with its last piece", .granules = { 4 }, .flags = PZ_GENPOOL_AUTO,
	  .before = "a=1 b=1", .thread = { "-a", "-b", "x=1? -x" }, .bound = 2 },
	{ .name = "goes although one finds no place", .granules = { 4 }, .flags = PZ_GENPOOL_AUTO,
	  .before = "a=1 b=2@2", .thread = { "-a", "-b", "x=4?" }, .bound = 2 },
	{ .name = "goes and is visited", .granules = { 4 }, .flags = PZ_GENPOOL_AUTO,
	  .before = "a=1", .thread = { "-a", "v r0" }, .bound = 3, .all = true },
	/* --- misuse --- */
	{ .name = "freed twice at once", .granules = { 4 }, .before = "a=2",
	  .thread = { "!a", "!a" }, .misuses = 1, .bound = 4, .all = true },
	{ .name = "freed twice over two words", .granules = { 64 }, .before = "a=40",
	  .thread = { "!a", "!a" }, .misuses = 1, .bound = 3 },
	{ .name = "freed twice while the chunk goes", .granules = { 4 }, .before = "a=2",
	  .thread = { "!a r0", "!a" }, .misuses = 1, .bound = 3, .all = true },
	{ .name = "freed twice and it goes by itself", .granules = { 4 },
	  .flags = PZ_GENPOOL_AUTO, .before = "a=2", .thread = { "!a", "!a" }, .misuses = 1,
	  .bound = 4, .all = true },
	/* --- interrupts --- */
	{ .name = "interrupts: the last granules", .granules = { 2 }, .before = "a=1",
	  .thread = { "-a b=1", "c=1", "d=1? -d" }, .nested = true, .bound = 2 },
	{ .name = "interrupts: over two words", .granules = { 96 }, .before = "z=20",
	  .thread = { "a=20 -a", "b=24? -b", "c=10 -c" }, .nested = true, .bound = 2 },
	{ .name = "interrupts: remove on top of all", .granules = { 2, 2 },
	  .thread = { "a=1? -a", "r0", "r1" }, .nested = true, .bound = 2 },
	{ .name = "interrupts: add on top of all", .granules = { 2, 2 }, .absent = 2,
	  .thread = { "a=1 -a r0", "+1 c=1", "b=1? -b" }, .nested = true, .bound = 2 },
	{ .name = "interrupts: goes under them", .granules = { 4 }, .flags = PZ_GENPOOL_AUTO,
	  .before = "a=1 b=1", .thread = { "-a", "-b", "x=1? -x" }, .nested = true, .bound = 2 },
	/* --- reserves --- */
	{ .name = "the last element", .granules = { 1 }, .reserve = 1,
	  .thread = { "a=*? -a", "b=*? -b" }, .bound = 3, .all = true },
	{ .name = "two for two elements", .granules = { 1 }, .reserve = 2,
	  .thread = { "a=* -a", "b=* -b c=*?" }, .bound = 2 },
	{ .name = "an element comes and goes", .granules = { 1 }, .reserve = 2, .stock = 1,
	  .thread = { "a=* b=*? -a -b", "c=*? -c d=*? -d" }, .bound = 2 },
	{ .name = "interrupts: elements", .granules = { 1 }, .reserve = 2,
	  .thread = { "a=* -a", "b=* -b", "c=*? -c" }, .nested = true, .bound = 2 },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(ep_plans) / sizeof(ep_plans[0]); i++)
		if (argc < 2 || strstr(ep_plans[i].name, argv[1]))
			ep_run(&ep_plans[i]);
	return explore_done();
}
