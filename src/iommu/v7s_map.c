/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_map.c - mapping.
 *
 * Concept
 *  A range goes in pieces: a page of 16 MiB or 1 MiB, or what lies in one MiB in pages of 64 KiB
 * and 4 KiB. A range of several pieces is looked at as a whole first: nothing may be mapped there,
 * and second levels that are needed are made; then it is written. Nothing can fail then that is not
 * the doing of a caller who maps the same range twice at once, or of one who gives second levels of
 * the range back meanwhile and leaves no memory; then what has been written is undone.
 *
 * Invariant: a word is written only where, with the lock held, there was none.
 */
#include "v7s_internal.h"

struct map_req {
	struct pz_v7s *t;
	uint64_t iova, phys, size;
	uint32_t sizes; /* that may be used */
	uint32_t prot, cpu, gfp;
};

/* A piece, and what is done with it. */
struct map_piece {
	uint64_t iova, phys;
	uint32_t size;
	uint32_t page; /* 16 MiB, 1 MiB, or 0 for smaller ones */
};

static bool map_fits(const struct map_piece *p, uint64_t left, uint32_t sizes, uint32_t page)
{
	return sizes & page && left >= page && !((p->iova | p->phys) & (page - 1));
}

static void map_piece(const struct map_req *r, uint64_t done, struct map_piece *p)
{
	uint64_t left = r->size - done;
	uint32_t room;

	p->iova = r->iova + done;
	p->phys = r->phys + done;
	p->page = 0;
	if (map_fits(p, left, r->sizes, PZ_V7S_16M))
		p->page = PZ_V7S_16M;
	else if (map_fits(p, left, r->sizes, PZ_V7S_1M))
		p->page = PZ_V7S_1M;
	room = PZ_V7S_1M - (uint32_t)(p->iova & (PZ_V7S_1M - 1));
	p->size = p->page ? p->page : left < room ? (uint32_t)left : room;
}

static bool map_free(const uint32_t *words, uint32_t count)
{
	uint32_t any = 0;

	for (uint32_t k = 0; k < count; k++)
		any |= words[k];
	return !any;
}

/* Give the MiB a second level, unless somebody else is quicker. Memory is asked for with no lock
 * held, and goes back so. */
static int map_make_second(const struct map_req *r, uint32_t i)
{
	struct pz_table table;
	struct v7s_held h;
	bool empty;
	int rc = pz_v7s_table_get(r->t, r->cpu, r->gfp, V7S_TABLE_BYTES, &table);

	if (rc)
		return rc;
	v7s_lock(&h, r->t, i);
	empty = !r->t->word[i];
	if (empty)
		pz_v7s_link(&h, &table);
	v7s_unlock(&h);
	if (!empty)
		pz_v7s_table_put(r->t, r->cpu, V7S_TABLE_BYTES, &table);
	return 0;
}

/* Lock the MiB, with a second level in it; or -PZ_E... with nothing locked. */
static inline int map_lock_second(const struct map_req *r, uint32_t i, struct v7s_held *h)
{
	for (;;) {
		int rc;

		v7s_lock(h, r->t, i);
		if (h->m->table)
			return 0;
		rc = r->t->word[i] ? -PZ_EEXIST : 0;
		v7s_unlock(h);
		if (!rc)
			rc = map_make_second(r, i);
		if (rc)
			return rc;
	}
}

static void map_small(const struct pz_v7s *t, uint32_t *words, uint32_t count, uint64_t phys,
		      uint32_t prot)
{
	bool mtk = t->cfg.quirks & PZ_V7S_MTK_EXT;
	uint32_t says = t->small[prot];

	for (uint32_t k = 0; k < count; k++, phys += PZ_V7S_4K)
		v7s_put(&words[k], says | v7s_word_addr(mtk, phys, PZ_V7S_4K));
}

static void map_large(const struct pz_v7s *t, uint32_t *words, uint64_t phys, uint32_t says)
{
	uint32_t word = says | v7s_word_addr(t->cfg.quirks & PZ_V7S_MTK_EXT, phys, PZ_V7S_64K);

	for (uint32_t k = 0; k < V7S_REPEAT; k++)
		v7s_put(&words[k], word);
}

/* Pages of 64 KiB where they fit, else of 4 KiB. The words begin with number @k of the table. */
static void map_words(const struct map_req *r, uint32_t *words, uint32_t k, uint32_t count,
		      uint64_t phys)
{
	uint32_t large;

	if (!(r->sizes & PZ_V7S_64K) || (phys >> V7S_PAGE_SHIFT ^ k) % V7S_REPEAT) {
		map_small(r->t, words, count, phys, r->prot);
		return;
	}
	large = pz_v7s_small_to_large(r->t->small[r->prot]);
	for (uint32_t n; count; count -= n) {
		n = V7S_REPEAT - k % V7S_REPEAT;
		n = n < count ? n : count;
		if (n == V7S_REPEAT)
			map_large(r->t, words, phys, large);
		else
			map_small(r->t, words, n, phys, r->prot);
		words += n;
		k += n;
		phys += (uint64_t)n << V7S_PAGE_SHIFT;
	}
}

static inline int map_second(const struct map_req *r, const struct map_piece *p, bool write)
{
	uint32_t k = (uint32_t)p->iova >> V7S_PAGE_SHIFT & (V7S_WORDS - 1);
	uint32_t count = p->size >> V7S_PAGE_SHIFT;
	struct v7s_held h;
	int rc = map_lock_second(r, (uint32_t)(p->iova >> V7S_MIB_SHIFT), &h);

	if (rc)
		return rc;
	if (!map_free(v7s_words(&h) + k, count)) {
		rc = -PZ_EEXIST;
	} else if (write) {
		map_words(r, v7s_words(&h) + k, k, count, p->phys);
		v7s_sync_second(&h, k, count);
		h.state += count;
	}
	v7s_unlock(&h);
	return rc;
}

/* Lock the MiB with nothing mapped in it. A second level without pages goes. */
static inline int map_lock_first(const struct map_req *r, uint32_t i, struct v7s_held *h)
{
	struct pz_v7s *t = r->t;

	for (;;) {
		v7s_lock(h, t, i);
		if (!t->word[i])
			return 0;
		if (!h->m->table || h->state & V7S_COUNT) {
			v7s_unlock(h);
			return -PZ_EEXIST;
		}
		pz_v7s_drop_second(h, r->cpu);
	}
}

static inline int map_section(const struct map_req *r, const struct map_piece *p, bool write)
{
	struct pz_v7s *t = r->t;
	uint32_t i = (uint32_t)(p->iova >> V7S_MIB_SHIFT);
	uint32_t word = pz_v7s_encode(t->cfg.quirks, PZ_V7S_1M, p->phys, r->prot);
	struct v7s_held h;
	int rc = map_lock_first(r, i, &h);

	if (rc)
		return rc;
	if (write) {
		v7s_put(&t->word[i], word);
		v7s_sync_first(t, i, 1);
	}
	v7s_unlock(&h);
	return 0;
}

/* Give back second levels without pages in 16 MiB; -PZ_EEXIST when something is mapped there. */
static int map_clear_super(const struct map_req *r, uint32_t i)
{
	struct v7s_held h;
	int rc = 0;

	for (uint32_t k = 0; k < V7S_REPEAT && !rc; k++) {
		if (!pz_load32(&r->t->word[i + k]))
			continue;
		rc = map_lock_first(r, i + k, &h);
		if (!rc)
			v7s_unlock(&h);
	}
	return rc;
}

static int map_super(const struct map_req *r, const struct map_piece *p, bool write)
{
	struct pz_v7s *t = r->t;
	uint32_t i = (uint32_t)(p->iova >> V7S_MIB_SHIFT);
	uint32_t word = pz_v7s_encode(t->cfg.quirks, PZ_V7S_16M, p->phys, r->prot);
	struct v7s_group_held g;

	for (;;) {
		int rc = map_clear_super(r, i);

		if (rc || !write)
			return rc;
		pz_v7s_group_lock(&g, t, i / V7S_REPEAT);
		if (map_free(&t->word[i], V7S_REPEAT))
			break;
		/* Somebody was quicker; it may be a second level only. */
		pz_v7s_group_unlock(&g);
	}
	for (uint32_t k = 0; k < V7S_REPEAT; k++)
		v7s_put(&t->word[i + k], word);
	v7s_sync_first(t, i, V7S_REPEAT);
	pz_v7s_group_unlock(&g);
	return 0;
}

static int map_do(const struct map_req *r, const struct map_piece *p, bool write)
{
	if (!p->page)
		return map_second(r, p, write);
	return p->page == PZ_V7S_1M ? map_section(r, p, write) : map_super(r, p, write);
}

/* Look at all pieces, or write them. @done: how far it came. */
static int map_all(const struct map_req *r, bool write, uint64_t *done)
{
	struct map_piece p;
	int rc = 0;

	for (*done = 0; *done < r->size; *done += p.size) {
		map_piece(r, *done, &p);
		rc = map_do(r, &p, write);
		if (rc)
			break;
	}
	return rc;
}

static int map_pieces(const struct map_req *r)
{
	struct map_piece p;
	uint64_t done;
	int rc;

	map_piece(r, 0, &p);
	if (p.size == r->size)
		return map_do(r, &p, true);
	rc = map_all(r, false, &done);
	if (rc)
		return rc;
	rc = map_all(r, true, &done);
	if (rc && done)
		pz_v7s_undo(r->t, r->cpu, r->iova, done);
	return rc;
}

/* Whether it is nothing but words of one second level. */
static inline bool map_is_second(const struct map_req *r)
{
	uint64_t last = r->iova + (r->size - 1);

	return (r->iova ^ last) < PZ_V7S_1M && (r->size < PZ_V7S_1M || r->sizes < PZ_V7S_1M);
}

/* Whether it is one page of 1 MiB. */
static inline bool map_is_section(const struct map_req *r)
{
	return r->size == PZ_V7S_1M && r->sizes & PZ_V7S_1M &&
	       !((r->iova | r->phys) & (PZ_V7S_1M - 1));
}

/* In line at -O2 too, whatever else grows: a request that is read back from memory in wider words
 * than it was stored in costs a page of 4 KiB 7 ns. */
static inline __attribute__((always_inline)) int map_run(const struct map_req *r)
{
	struct map_piece p = { r->iova, r->phys, (uint32_t)r->size, 0 };
	int rc;

	if (map_is_second(r))
		rc = map_second(r, &p, true);
	else
		rc = map_is_section(r) ? map_section(r, &p, true) : map_pieces(r);

	if (rc && r->t->cfg.quirks & PZ_V7S_GIVE_BACK)
		(void)pz_v7s_trim(r->t, r->cpu, r->iova, r->size);
	return rc;
}

static int map_valid(const struct map_req *r)
{
	const struct pz_v7s *t = r->t;
	uint32_t least = v7s_least(r->sizes);

	if (!r->size || (r->iova | r->phys | r->size) & (least - 1) || r->prot & ~PZ_IOMMU_PROT ||
	    !(r->prot & (PZ_IOMMU_READ | PZ_IOMMU_WRITE)))
		return -PZ_EINVAL;
	if (r->iova > t->iova_last || r->size - 1 > t->iova_last - r->iova ||
	    r->phys > t->phys_last || r->size - 1 > t->phys_last - r->phys)
		return -PZ_ERANGE;
	return 0;
}

int pz_v7s_map(struct pz_v7s *t, uint32_t cpu, uint32_t gfp, uint64_t iova, uint64_t phys,
	       uint64_t size, uint32_t prot)
{
	struct map_req r = { t, iova, phys, size, t->cfg.sizes, prot, cpu, gfp };
	int rc = map_valid(&r);

	return rc ? rc : map_run(&r);
}

int pz_v7s_map_pages(struct pz_v7s *t, uint32_t cpu, uint32_t gfp, uint64_t iova, uint64_t phys,
		     uint32_t page, uint64_t count, uint32_t prot)
{
	struct map_req r = { t, iova, phys, 0, page, prot, cpu, gfp };
	int rc;

	if (!pz_is_pow2(page) || !(t->cfg.sizes & page) || !count)
		return -PZ_EINVAL;
	/* So many pages reach beyond any address; what else is wrong is said first. */
	r.size = count > t->iova_last / PZ_V7S_4K + 1 ? UINT64_MAX & ~(uint64_t)(page - 1)
						      : count * page;
	rc = map_valid(&r);
	return rc ? rc : map_run(&r);
}
