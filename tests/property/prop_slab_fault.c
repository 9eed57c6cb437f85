/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_slab_fault.c - object caches while something fails: each call for metadata while they are
 * made, each fault point while they run; and descriptors, lines and lists with a field that was
 * changed, which pz_slabs_check() must tell.
 */
#include "../../src/slab/slab_internal.h"
#include "prop.h"
#include "slab_box.h"

#define POINTS 64u
#define HELD 300u

static struct pz_fault_point points[POINTS];
static struct pz_faults faults;
static struct slab_box box;

/* --- making --- */

static int make_family(struct pz_kmalloc **k)
{
	struct pz_kmalloc_config c;

	memset(&c, 0, sizeof(c));
	c.slabs = box.s;
	c.sets = PZ_KMALLOC_DMA;
	return pz_kmalloc_create(k, &c, NULL);
}

static int make_cache(struct pz_kmem_cache **c, uint32_t size, uint32_t flags, uint32_t debug)
{
	struct pz_kmem_cache_config cfg;

	memset(&cfg, 0, sizeof(cfg));
	cfg.name = "faulty";
	cfg.size = size;
	cfg.flags = flags;
	cfg.debug = debug;
	return pz_kmem_cache_create(c, box.s, &cfg, NULL);
}

/* Each step of making a set, a cache and a family fails once; nothing is held, and it goes on. */
static bool making(struct prop *p, void *ctx)
{
	size_t live;
	unsigned int fails = 0;
	int rc;

	(void)ctx;
	pz_faults_init(&faults, points, POINTS);
	PROP_ASSERT(p, sb_lay_out(&box, &faults));
	box.cfg.max_caches = 40;
	live = box.hook.live;
	for (unsigned int at = 1;; at++) {
		struct pz_slabs *s = NULL;

		box.hook.fail_at = box.hook.calls + at;
		rc = pz_slabs_create(&s, &box.cfg);
		box.hook.fail_at = 0;
		if (!rc) {
			box.s = s;
			break;
		}
		PROP_ASSERT(p, rc == -PZ_ENOMEM && !s && box.hook.live == live);
		fails++;
	}
	PROP_ASSERT(p, fails >= 4);
	live = box.hook.live;
	for (unsigned int at = 1;; at++) {
		struct pz_kmem_cache *c = NULL;

		box.hook.fail_at = box.hook.calls + at;
		rc = make_cache(&c, 100, PZ_SLAB_NO_MERGE, 0);
		box.hook.fail_at = 0;
		if (!rc) {
			PROP_ASSERT(p, at == 4 && !pz_kmem_cache_destroy(c, NULL, NULL));
			break;
		}
		PROP_ASSERT(p, rc == -PZ_ENOMEM && !c && box.hook.live == live);
		PROP_ASSERT(p, pz_slabs_check(box.s) == 0 && !pz_slabs_each(box.s, NULL));
	}
	for (unsigned int at = 1;; at++) {
		struct pz_kmalloc *k = NULL;

		box.hook.fail_at = box.hook.calls + at;
		rc = make_family(&k);
		box.hook.fail_at = 0;
		if (!rc) {
			PROP_ASSERT(p, at > 3 * PZ_KMALLOC_CLASSES && !pz_kmalloc_destroy(k));
			break;
		}
		PROP_ASSERT(p, rc == -PZ_ENOMEM && !k && box.hook.live == live);
		PROP_ASSERT(p, pz_slabs_check(box.s) == 0 && !pz_slabs_each(box.s, NULL));
	}
	PROP_ASSERT(p, pz_slabs_destroy(box.s) == 0);
	/* A set of points without room: nothing is held. */
	for (uint32_t cap = 0; cap < 2; cap++) {
		struct pz_slabs *s = NULL;
		struct pz_fault_point few[2];
		struct pz_faults little;

		pz_faults_init(&little, few, cap);
		box.cfg.faults = &little;
		live = box.hook.live;
		PROP_ASSERT(p, pz_slabs_create(&s, &box.cfg) == -PZ_ENOSPC && !s);
		PROP_ASSERT(p, box.hook.live == live);
	}
	PROP_ASSERT(p, sb_stop(&box));
	return true;
}

/* --- running --- */

static uint64_t refusals; /* of all rounds */

static bool refused(struct prop *p, void *ctx)
{
	(void)ctx;
	PROP_ASSERT(p, refusals > 0);
	return true;
}

static bool running(struct prop *p, void *ctx)
{
	struct pz_kmem_cache *c[4];
	struct pz_kmalloc *k;
	void *held[HELD];
	uint32_t n = 0, failed = 0, ops;

	(void)ctx;
	pz_faults_init(&faults, points, POINTS);
	PROP_ASSERT(p, sb_lay_out(&box, &faults));
	box.cfg.max_caches = 40;
	PROP_ASSERT(p, pz_slabs_create(&box.s, &box.cfg) == 0 && make_family(&k) == 0);
	PROP_ASSERT(p, !make_cache(&c[0], 24, PZ_SLAB_NO_MERGE, 0) &&
			       !make_cache(&c[1], 1000, PZ_SLAB_RCU, 0) &&
			       !make_cache(&c[2], 100, 0, 15 | PZ_SLAB_DEBUG_FAULT) &&
			       !make_cache(&c[3], 3000, PZ_SLAB_CACHE_DMA, 0));
	ops = (uint32_t)prop_draw(p, 200);
	for (uint32_t i = 0; i < ops; i++) {
		uint32_t which = (uint32_t)prop_draw(p, faults.count), what = prop_choice(p, 8);
		uint32_t cpu = prop_choice(p, SB_CPUS), of = prop_choice(p, 4), got = 0;
		void *o[32];
		int rc = 0;

		pz_fault_arm(&faults, which < faults.count ? which : PZ_FAULT_ANY,
			     1 + prop_draw(p, 4), prop_choice(p, 2) ? 1 : UINT64_MAX);
		if (what < 3 && n < HELD) {
			rc = pz_kmem_cache_alloc_node(c[of], cpu, 0, PZ_NID_NONE, o);
			got = !rc;
		} else if (what == 3 && n + 32 <= HELD) {
			rc = pz_kmem_cache_alloc_bulk(c[of], cpu, 0, 32, o);
			got = rc ? 0 : 32;
		} else if (what == 4 && n < HELD) {
			rc = pz_kmalloc_try(k, cpu, 0, 1 + prop_draw(p, 30000), 1, PZ_NID_NONE, o);
			got = !rc;
		} else if (what == 5 && n) {
			void *q = pz_krealloc(k, cpu, 0, held[n - 1], 1 + prop_draw(p, 9000));

			if (q)
				held[n - 1] = q;
			else
				rc = -PZ_ENOMEM;
		} else if (n) {
			pz_kfree(box.s, cpu, held[--n]);
		}
		pz_fault_arm(&faults, which < faults.count ? which : PZ_FAULT_ANY, 0, 0);
		PROP_ASSERT(p, rc == 0 || rc == -PZ_ENOMEM);
		failed += rc != 0;
		for (uint32_t j = 0; j < got; j++)
			held[n++] = o[j];
		PROP_ASSERT(p, pz_slabs_check(box.s) == 0 && pz_pages_check(box.pages) == 0);
	}
	while (n)
		pz_kfree(box.s, 0, held[--n]);
	for (uint32_t i = 0; i < 4; i++)
		PROP_ASSERT(p, pz_kmem_cache_destroy(c[i], NULL, NULL) == 0);
	(void)pz_slab_grace_end(box.s, 0, pz_slab_grace_begin(box.s));
	PROP_ASSERT(p, pz_kmalloc_destroy(k) == 0 && pz_slabs_destroy(box.s) == 0);
	PROP_ASSERT(p, box.findings == 0 && box.bugs.count == 0 && sb_stop(&box));
	refusals += failed;
	return true;
}

/* Where each point fails for good: the object is refused, and given once it does not. */
static bool points_told(struct prop *p, void *ctx)
{
	static const char *const name[] = { "slab.alloc", "slab.page" };
	struct pz_kmem_cache *c;
	uint32_t i;
	void *o;

	(void)ctx;
	for (uint32_t k = 0; k < 2; k++) {
		pz_faults_init(&faults, points, POINTS);
		PROP_ASSERT(p, sb_start(&box, &faults));
		PROP_ASSERT(p, !make_cache(&c, 64, 0, k ? 0 : PZ_SLAB_DEBUG_FAULT));
		PROP_ASSERT(p, pz_fault_find(&faults, name[k], &i) == 0);
		pz_fault_arm(&faults, i, 1, UINT64_MAX);
		PROP_ASSERT(p, pz_kmem_cache_alloc(c, 0, 0) == NULL);
		PROP_ASSERT(p, pz_kmem_cache_alloc_node(c, 0, 0, PZ_NID_NONE, &o) == -PZ_ENOMEM);
		PROP_ASSERT(p, sb_used(&box) == 0);
		pz_fault_arm(&faults, i, 0, 0);
		o = pz_kmem_cache_alloc(c, 0, 0);
		PROP_ASSERT(p, o != NULL);
		pz_kmem_cache_free(c, 0, o);
		PROP_ASSERT(p, !pz_kmem_cache_destroy(c, NULL, NULL) && !pz_slabs_destroy(box.s));
		PROP_ASSERT(p, sb_stop(&box));
	}
	return true;
}

/* --- corruption --- */

struct field {
	const char *name;
	void *at;
	uint32_t bytes;
	uint32_t wants; /* invariants that may be named: bits */
};

#define FIELD(obj, f, w)                                    \
	{                                                   \
#obj "." #f, &(obj)->f, sizeof((obj)->f), w \
	}
#define BIT(n) (1u << (n))

/* Change each byte of a field in turn; the check must name it, and be content again afterwards. */
static bool told(struct prop *p, const struct field *f)
{
	unsigned char *b = f->at;

	for (uint32_t i = 0; i < f->bytes; i++) {
		for (uint32_t bit = 0; bit < 8; bit++) {
			unsigned char was = b[i];
			int rc;

			b[i] ^= (unsigned char)(1u << bit);
			rc = pz_slabs_check(box.s);
			if (!(f->wants >> rc & 1) || b[i] != (was ^ (unsigned char)(1u << bit)))
				prop_note(p, "%s byte %u bit %u: %d", f->name, i, bit, rc);
			PROP_ASSERT(p, f->wants >> rc & 1);
			PROP_ASSERT(p, b[i] == (was ^ (unsigned char)(1u << bit)));
			b[i] = was;
		}
	}
	PROP_ASSERT(p, pz_slabs_check(box.s) == 0);
	return true;
}

static struct slab *slab_with(const void *o)
{
	return slab_of(box.s, (uint32_t)slab_owner(box.s, (uintptr_t)o));
}

static bool corrupted(struct prop *p, void *ctx)
{
	struct pz_kmem_cache *c, *many, *readers;
	void *o[24], *big[3], *rcu[60];
	struct slab *d, *l, *gone, *spare;
	struct slab_head *h;

	(void)ctx;
	PROP_ASSERT(p, sb_start(&box, NULL));
	PROP_ASSERT(p, !make_cache(&c, 1000, PZ_SLAB_NO_MERGE, 0) && !make_cache(&many, 16, 0, 0) &&
			       !make_cache(&readers, 500, PZ_SLAB_RCU, 0));
	for (uint32_t i = 0; i < 24; i++)
		o[i] = pz_kmem_cache_alloc(c, PZ_CPU_NONE, 0);
	for (uint32_t i = 0; i < 3; i++)
		big[i] = pz_kmem_cache_alloc(many, PZ_CPU_NONE, 0);
	for (uint32_t i = 0; i < 60; i++)
		rcu[i] = pz_kmem_cache_alloc(readers, PZ_CPU_NONE, 0);
	gone = slab_with(rcu[0]);
	for (uint32_t i = 0; i < 60; i++)
		pz_kmem_cache_free(readers, PZ_CPU_NONE, rcu[i]);
	(void)pz_kmem_cache_shrink(readers, PZ_CPU_NONE);
	pz_kmem_cache_free(c, 1, o[23]); /* one in a magazine */
	pz_kmem_cache_free(c, PZ_CPU_NONE, o[22]);
	d = slab_with(o[22]);
	l = slab_with(big[0]);
	spare = slab_of(box.s, (uint32_t)box.s->spare[0].head - 1);
	h = slab_head(c, 1);
	PROP_ASSERT(p, pz_slabs_check(box.s) == 0 && d->state && (gone->state & SLAB_GONE));
	{
		const struct field fields[] = {
			FIELD(d, state, BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(8)),
			FIELD(d, phys, BIT(2)),
			FIELD(d, cache, BIT(2)),
			FIELD(d, next, BIT(4) | BIT(8)),
			FIELD(d, number, BIT(2)),
			FIELD(d, done, BIT(8)),
			FIELD(d, objects, BIT(2)),
			FIELD(d, order, BIT(2)),
			FIELD(d, node, BIT(2)),
			FIELD(d, class, BIT(2)),
			FIELD(d, used, BIT(8)),
			FIELD(l, state, BIT(3) | BIT(8)),
			{ "bits", slab_bits(l), (l->objects + 63u) / 64 * 8, BIT(3) },
			FIELD(gone, state, BIT(2) | BIT(3) | BIT(8)),
			FIELD(gone, wait, BIT(8)),
			FIELD(gone, done, BIT(8)),
			FIELD(gone, used, BIT(8)),
			FIELD(gone, number, BIT(2)),
			FIELD(spare, state, BIT(8)),
			FIELD(spare, next, BIT(8)),
			FIELD(spare, used, BIT(8)),
			FIELD(spare, class, BIT(2)),
			{ "list", &c->node[d->node].partial.head, 4, BIT(4) | BIT(8) },
			FIELD(c->node, empty, BIT(7)),
			{ "waiting", &box.s->waiting.head, 4, BIT(8) },
			{ "spare", &box.s->spare[0].head, 4, BIT(4) | BIT(8) },
			FIELD(h, divides, BIT(1)),
			FIELD(h, bound, BIT(1)),
			FIELD(h, top, BIT(1) | BIT(6)),
			FIELD(h, end, BIT(1)),
			FIELD(h, secret, BIT(1)),
			FIELD(h, tag, BIT(1)),
			FIELD(h, mask, BIT(1)),
			FIELD(h, seal, BIT(1)),
			FIELD(h, busy, BIT(1)),
			FIELD(h, refused, BIT(1)),
			{ "bottom", slab_bottom(c, 1), sizeof(void *), BIT(1) },
			{ "entry", slab_bottom(c, 1) + 1, sizeof(void *), BIT(6) },
			{ "owner", slab_owner_at(box.s, d->phys), 8, BIT(2) },
			{ "seal", slab_seal_at(o[22], c->lay.seal), sizeof(void *), BIT(5) },
			{ "seal of a magazine's", slab_seal_at(o[23], c->lay.seal), sizeof(void *),
			  BIT(6) },
			FIELD(c, heads, BIT(1)),
			FIELD(c, cpus, BIT(1)),
			FIELD(c, head_stride, BIT(1)),
			FIELD(c, id, BIT(1)),
			FIELD(c, recip, BIT(1)),
			FIELD(c, s, BIT(1)),
			FIELD(c, secret, BIT(1)),
			FIELD(c, refused, BIT(1)),
			FIELD(c, slabs, BIT(7)),
			FIELD(c, pages, BIT(7)),
			FIELD(c, objects, BIT(7)),
		};

		for (uint32_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
			if (!told(p, &fields[i]))
				return false;
		}
	}
	for (uint32_t i = 0; i < 22; i++)
		pz_kmem_cache_free(c, 0, o[i]);
	for (uint32_t i = 0; i < 3; i++)
		pz_kmem_cache_free(many, 0, big[i]);
	(void)pz_slab_grace_end(box.s, 0, pz_slab_grace_begin(box.s));
	PROP_ASSERT(p, !pz_kmem_cache_destroy(c, NULL, NULL) &&
			       !pz_kmem_cache_destroy(many, NULL, NULL) &&
			       !pz_kmem_cache_destroy(readers, NULL, NULL));
	PROP_ASSERT(p, pz_slabs_destroy(box.s) == 0 && sb_stop(&box));
	return true;
}

int main(void)
{
	prop_run("making fails at each call for metadata", making, NULL, 1);
	prop_run("points that fail are told", points_told, NULL, 1);
	prop_run("running while points fail", running, NULL, 500);
	prop_run("and some did", refused, NULL, 1);
	prop_run("each field that is changed is told", corrupted, NULL, 1);
	return prop_done();
}
