/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_genpool.c - pools beside an oracle that knows each granule: which place each algorithm
 * gives, from which chunk, what is refused, what is misuse, and which chunks come and go.
 */
#include <physzone/genpool.h>

#include "hook.h"
#include "prop.h"

#define CHUNKS 5u
#define GRANULES 1500u
#define PIECES 256u
#define STEPS 200u
#define SPACE ((uint64_t)1 << 20) /* between the places of chunks */

struct oracle_chunk {
	bool live;
	uint64_t addr, size, phys, seq;
	uint32_t granules, flags;
	bool touched;
	uint16_t piece[GRANULES]; /* number of the piece, plus 1; 0 for free */
	void *mem;
};

struct oracle_piece {
	bool out;
	uint64_t addr, size;
};

struct oracle {
	struct pz_genpool *p;
	struct pz_bugs bugs;
	struct hook hook;
	uint32_t order;
	struct oracle_chunk chunk[CHUNKS];
	struct oracle_piece piece[PIECES];
	uint64_t seq, releases, releases_seen;
	uint64_t bugs_seen;
};

static struct oracle o;

static void oracle_release(void *ctx, const struct pz_genpool_info *info)
{
	struct oracle_chunk *c = ctx;

	o.releases++;
	if (info->addr != c->addr || info->size != c->size || info->owner != c ||
	    info->mem != c->mem || info->avail != (uint64_t)c->granules << o.order)
		abort();
	free(c->mem);
	c->mem = NULL;
}

/* The first of @n free granules from @from on in multiples of @step from @skew, or GRANULES. */
static uint32_t oracle_fit(const struct oracle_chunk *c, uint32_t n, uint64_t base, uint64_t align)
{
	for (uint32_t at = 0; at + n <= c->granules; at++) {
		uint32_t k = 0;

		if ((base + ((uint64_t)at << o.order)) & (align - 1))
			continue;
		while (k < n && !c->piece[at + k])
			k++;
		if (k == n)
			return at;
	}
	return GRANULES;
}

static uint32_t oracle_best(const struct oracle_chunk *c, uint32_t n)
{
	uint32_t best = GRANULES, best_len = UINT32_MAX;

	for (uint32_t at = 0, end; at < c->granules; at = end + 1) {
		for (end = at; end < c->granules && !c->piece[end]; end++)
			;
		if (end - at >= n && end - at < best_len) {
			best = at;
			best_len = end - at;
		}
	}
	return best;
}

static uint64_t oracle_pow2(uint64_t n)
{
	uint64_t p = 1;

	while (p < n)
		p *= 2;
	return p;
}

static uint32_t oracle_place(const struct oracle_chunk *c, uint32_t n,
			     const struct pz_genpool_algo *a)
{
	uint64_t base = a->by_phys ? c->phys : c->addr;
	uint32_t at;

	if (a->by_phys && c->phys == PZ_GENPOOL_NO_PHYS)
		return GRANULES;
	switch (a->kind) {
	case PZ_GENPOOL_ALIGNED:
		return oracle_fit(c, n, base, a->align);
	case PZ_GENPOOL_ORDER_ALIGNED:
		return oracle_fit(c, n, base, oracle_pow2(n) << o.order);
	case PZ_GENPOOL_ORDER_INDEX:
		return oracle_fit(c, n, 0, oracle_pow2(n) << o.order);
	case PZ_GENPOOL_BEST_FIT:
		return oracle_best(c, n);
	case PZ_GENPOOL_FIXED:
		at = (uint32_t)(a->offset >> o.order);
		if (at + n > c->granules)
			return GRANULES;
		for (uint32_t k = 0; k < n; k++)
			if (c->piece[at + k])
				return GRANULES;
		return at;
	default:
		return oracle_fit(c, n, 0, 1);
	}
}

/* The newest chunk older than @below. */
static struct oracle_chunk *oracle_next(uint64_t below)
{
	struct oracle_chunk *c = NULL;

	for (unsigned int i = 0; i < CHUNKS; i++)
		if (o.chunk[i].live && o.chunk[i].seq < below && (!c || o.chunk[i].seq > c->seq))
			c = &o.chunk[i];
	return c;
}

static uint64_t oracle_used(const struct oracle_chunk *c)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < c->granules; i++)
		n += c->piece[i] != 0;
	return n;
}

static bool do_add(struct prop *p)
{
	struct oracle_chunk *c = &o.chunk[prop_choice(p, CHUNKS)];
	struct pz_genpool_chunk k;
	uint32_t i = (uint32_t)(c - o.chunk);
	int ret;

	memset(&k, 0, sizeof(k));
	k.addr = SPACE * i + prop_draw(p, 300);
	k.size = prop_between(p, 1, ((uint64_t)GRANULES << o.order) - 1);
	if (prop_choice(p, 2))
		k.size = prop_between(p, 1, 40) << o.order;
	k.phys = prop_choice(p, 3) ? ((uint64_t)i << 32) + prop_draw(p, 5000) : PZ_GENPOOL_NO_PHYS;
	k.owner = c;
	if (!c->live && prop_choice(p, 3)) {
		k.release = oracle_release;
		k.release_ctx = c;
		k.flags = prop_choice(p, 2) ? PZ_GENPOOL_AUTO : 0;
		k.mem_bytes = pz_genpool_chunk_bytes(o.order, k.size);
		k.mem = prop_choice(p, 2) && k.mem_bytes ? malloc(k.mem_bytes) : NULL;
	}
	prop_note(p, "add %u: 0x%llx + 0x%llx flags %u", i, (unsigned long long)k.addr,
		  (unsigned long long)k.size, k.flags);
	ret = pz_genpool_add(o.p, &k);
	if (!(k.size >> o.order)) {
		PROP_ASSERT(p, ret == -PZ_EINVAL);
		return true;
	}
	if (c->live) {
		o.bugs_seen +=
			k.addr <= c->addr + (c->size - 1) && c->addr <= k.addr + (k.size - 1);
		if (ret == 0) {
			/* It lies beside the one that is there: not among what the oracle knows. */
			PROP_ASSERT(p, pz_genpool_remove(o.p, k.addr) == 0);
			o.seq++;
			return true;
		}
		PROP_ASSERT(p, ret == -PZ_EEXIST);
		return true;
	}
	PROP_ASSERT(p, ret == 0);
	memset(c, 0, sizeof(*c));
	c->live = true;
	c->addr = k.addr;
	c->size = k.size;
	c->phys = k.phys;
	c->flags = k.flags | (k.release ? 0x100u : 0);
	c->mem = k.mem;
	c->granules = (uint32_t)(k.size >> o.order);
	c->seq = ++o.seq;
	return true;
}

static bool do_remove(struct prop *p)
{
	struct oracle_chunk *c = &o.chunk[prop_choice(p, CHUNKS)];
	bool off = !prop_choice(p, 8);
	int ret = pz_genpool_remove(o.p, c->addr + off);

	prop_note(p, "remove 0x%llx: %d", (unsigned long long)c->addr + off, ret);
	if (!c->live || off) {
		PROP_ASSERT(p, ret == -PZ_ENOENT);
		return true;
	}
	PROP_ASSERT(p, ret == (oracle_used(c) ? -PZ_EBUSY : 0));
	if (!ret) {
		c->live = false;
		o.releases_seen += c->flags >> 8;
	}
	return true;
}

static bool do_alloc(struct prop *p)
{
	struct pz_genpool_algo a;
	struct pz_genpool_got got;
	struct oracle_chunk *c;
	uint32_t n = 1 + (uint32_t)(prop_choice(p, 4) ? prop_draw(p, 5) : prop_draw(p, 100));
	uint64_t size = ((uint64_t)n << o.order) - prop_draw(p, ((uint64_t)1 << o.order) - 1);
	uint32_t at = GRANULES;
	unsigned int i = 0;
	int ret;

	memset(&a, 0, sizeof(a));
	a.kind = (enum pz_genpool_kind)prop_choice(p, PZ_GENPOOL_CUSTOM);
	a.align = (uint64_t)1 << prop_choice(p, 14);
	if (a.kind == PZ_GENPOOL_FIXED)
		a.offset = prop_draw(p, 200) << o.order;
	if (a.kind == PZ_GENPOOL_ALIGNED || a.kind == PZ_GENPOOL_ORDER_ALIGNED)
		a.by_phys = prop_choice(p, 2);
	while (i < PIECES && o.piece[i].out)
		i++;
	if (i == PIECES)
		return true;
	for (c = oracle_next(UINT64_MAX); c; c = oracle_next(c->seq)) {
		at = oracle_place(c, n, &a);
		if (at != GRANULES)
			break;
	}
	ret = pz_genpool_alloc_algo(o.p, size, &a, &got);
	prop_note(p, "alloc %u by %u align %llu offset %llu: %d 0x%llx", n, (unsigned int)a.kind,
		  (unsigned long long)a.align, (unsigned long long)a.offset, ret,
		  ret ? 0 : (unsigned long long)got.addr);
	PROP_ASSERT(p, ret == (c ? 0 : -PZ_ENOMEM));
	if (!c)
		return true;
	PROP_ASSERT(p, got.addr == c->addr + ((uint64_t)at << o.order) && got.owner == c);
	PROP_ASSERT(p, got.phys == (c->phys == PZ_GENPOOL_NO_PHYS
					    ? c->phys
					    : c->phys + ((uint64_t)at << o.order)));
	o.piece[i].out = true;
	o.piece[i].addr = got.addr;
	o.piece[i].size = size;
	for (uint32_t k = 0; k < n; k++)
		c->piece[at + k] = (uint16_t)(i + 1);
	return true;
}

static struct oracle_chunk *oracle_of(uint64_t addr)
{
	for (unsigned int i = 0; i < CHUNKS; i++)
		if (o.chunk[i].live && addr >= o.chunk[i].addr &&
		    addr - o.chunk[i].addr < o.chunk[i].size)
			return &o.chunk[i];
	return NULL;
}

static bool do_free(struct prop *p)
{
	struct oracle_piece *x =
		&o.piece[prop_choice(p, 2) ? prop_draw(p, 7) : prop_draw(p, PIECES - 1)];
	uint64_t addr = x->addr, size = x->size, g = (uint64_t)1 << o.order, n;
	struct oracle_chunk *c;
	bool right = x->out;
	uint16_t id;

	switch (prop_choice(p, 6)) {
	case 4:
		addr += prop_draw(p, 2 * g);
		break;
	case 5:
		size += prop_draw(p, 3 * g) - g;
		break;
	default:
		break;
	}
	c = oracle_of(addr);
	n = size ? (size - 1) / g + 1 : 0;
	right = right && addr == x->addr && n == (x->size - 1) / g + 1;
	/* What is no longer out may lie where another piece is out now. */
	id = c && (addr - c->addr) / g < c->granules ? c->piece[(addr - c->addr) / g] : 0;
	if (!right && id && o.piece[id - 1].addr == addr &&
	    n == (o.piece[id - 1].size - 1) / g + 1) {
		x = &o.piece[id - 1];
		right = true;
	}
	prop_note(p, "free 0x%llx + 0x%llx %s", (unsigned long long)addr, (unsigned long long)size,
		  right ? "" : "(misuse)");
	pz_genpool_free(o.p, addr, size);
	if (!right) {
		o.bugs_seen++;
		return true;
	}
	x->out = false;
	for (uint64_t k = 0; k < n; k++)
		c->piece[(addr - c->addr) / g + k] = 0;
	if ((c->flags & PZ_GENPOOL_AUTO) && !oracle_used(c)) {
		c->live = false;
		o.releases_seen++;
	}
	return true;
}

static bool oracle_agrees(struct prop *p)
{
	uint64_t size = 0, avail = 0, addr = prop_draw(p, CHUNKS * SPACE), n = prop_draw(p, 5000);
	struct oracle_chunk *c = oracle_of(addr);
	uint64_t phys = 0, back = 0;
	int check;

	for (unsigned int i = 0; i < CHUNKS; i++) {
		if (!o.chunk[i].live)
			continue;
		size += o.chunk[i].granules;
		avail += o.chunk[i].granules - oracle_used(&o.chunk[i]);
	}
	PROP_ASSERT(p, pz_genpool_size(o.p) == size << o.order);
	PROP_ASSERT(p, pz_genpool_avail(o.p) == avail << o.order);
	PROP_ASSERT(p, o.bugs.count == o.bugs_seen && o.releases == o.releases_seen);
	PROP_ASSERT(p, pz_genpool_has_addr(o.p, addr, n) ==
			       (c && n && n <= c->size - (addr - c->addr)));
	PROP_ASSERT(p, (pz_genpool_to_phys(o.p, addr, &phys) == 0) ==
			       (c && c->phys != PZ_GENPOOL_NO_PHYS));
	if (c && c->phys != PZ_GENPOOL_NO_PHYS) {
		PROP_ASSERT(p, phys == c->phys + (addr - c->addr));
		PROP_ASSERT(p, pz_genpool_to_addr(o.p, phys, &back) == 0 && back == addr);
	}
	check = pz_genpool_check(o.p);
	if (check)
		prop_note(p, "pz_genpool_check: %d", check);
	PROP_ASSERT(p, check == 0);
	return true;
}

static bool oracle_begin(struct prop *p)
{
	struct pz_genpool_config cfg;

	for (unsigned int i = 0; i < CHUNKS; i++)
		free(o.chunk[i].mem);
	memset(&o, 0, sizeof(o));
	o.bugs.policy = PZ_BUG_IGNORE;
	for (unsigned int i = 0; i < CHUNKS; i++)
		o.chunk[i].addr = SPACE * i + SPACE / 2;
	hook_init(&o.hook);
	memset(&cfg, 0, sizeof(cfg));
	o.order = prop_choice(p, 9);
	cfg.order = o.order;
	cfg.meta = &o.hook.meta;
	cfg.bugs = &o.bugs;
	return pz_genpool_create(&o.p, &cfg) == 0;
}

static bool oracle_end(struct prop *p)
{
	for (unsigned int i = 0; i < PIECES; i++)
		if (o.piece[i].out)
			pz_genpool_free(o.p, o.piece[i].addr, o.piece[i].size);
	PROP_ASSERT(p, o.bugs.count == o.bugs_seen);
	PROP_ASSERT(p, pz_genpool_check(o.p) == 0 && pz_genpool_destroy(o.p) == 0);
	PROP_ASSERT(p, o.hook.live == 0 && !o.hook.bad_free);
	return true;
}

static bool random_calls(struct prop *p, void *ctx)
{
	(void)ctx;
	PROP_ASSERT(p, oracle_begin(p));
	for (unsigned int i = 0, n = (unsigned int)prop_draw(p, STEPS); i < n; i++) {
		unsigned int what = prop_choice(p, 16);
		bool ok = what == 0   ? do_add(p)
			  : what == 1 ? do_remove(p)
			  : what < 10 ? do_alloc(p)
				      : do_free(p);

		if (!ok || !oracle_agrees(p))
			return false;
		for (unsigned int k = i ? 0 : prop_choice(p, 4); k; k--)
			if (!do_add(p))
				return false;
	}
	return oracle_end(p);
}

/* The same with a metadata hook that fails at a call that is drawn: a refusal changes nothing. */
static bool hook_fails(struct prop *p, void *ctx)
{
	struct pz_genpool_chunk k;
	uint64_t size;
	int ret;

	(void)ctx;
	PROP_ASSERT(p, oracle_begin(p));
	memset(&k, 0, sizeof(k));
	for (unsigned int i = 0; i < 40; i++) {
		k.addr = (uint64_t)i << 20;
		k.size = prop_between(p, 1, 1000) << o.order;
		size = pz_genpool_size(o.p);
		o.hook.calls = 0;
		o.hook.fail_at = prop_choice(p, 4);
		ret = prop_choice(p, 4) ? pz_genpool_add(o.p, &k) : pz_genpool_reserve(o.p, i + 8);
		PROP_ASSERT(p, ret == (o.hook.fail_at && o.hook.calls >= o.hook.fail_at ? -PZ_ENOMEM
											: 0));
		PROP_ASSERT(p, !ret || pz_genpool_size(o.p) == size);
		PROP_ASSERT(p, pz_genpool_check(o.p) == 0);
	}
	o.hook.fail_at = 0;
	return oracle_end(p);
}

int main(void)
{
	prop_run("a pool does what an oracle of each granule does", random_calls, NULL, 3000);
	prop_run("metadata that fails changes nothing", hook_fails, NULL, 100);
	return prop_done();
}
