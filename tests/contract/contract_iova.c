/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_iova.c - addresses for devices behind an IOMMU, by known examples: where they are taken,
 * what is never given out, misuse, and what fails.
 */
#include "page_machine.h"
#include "suites_decl.h"

#include <physzone/iova.h>

#define IV_POINTS 8u

struct iv_box {
	struct tap *t;
	struct pz_fault_point points[IV_POINTS];
	struct pz_faults faults;
	struct pz_fault_meta meta;
	uint32_t meta_fault;
	struct pz_bugs bugs;
	char text[256];
	struct pz_iova_config cfg;
	struct pz_iova *v;
};

static void iv_zero(void *p, size_t n)
{
	unsigned char *c = p;

	for (size_t i = 0; i < n; i++)
		c[i] = 0;
}

static void iv_told(void *ctx, const char *text)
{
	struct iv_box *b = ctx;
	size_t i = 0;

	for (; text[i] && i + 1 < sizeof(b->text); i++)
		b->text[i] = text[i];
	b->text[i] = 0;
}

static bool iv_says(const struct iv_box *b, const char *what)
{
	for (const char *p = b->text; *p; p++) {
		size_t i = 0;

		while (what[i] && p[i] == what[i])
			i++;
		if (!what[i])
			return true;
	}
	return false;
}

static void iv_open(struct iv_box *b, struct tap *t, uint64_t first, uint64_t last, uint32_t shift)
{
	iv_zero(b, sizeof(*b));
	b->t = t;
	pz_faults_init(&b->faults, b->points, IV_POINTS);
	CHECK(t, pz_fault_add(&b->faults, "meta", &b->meta_fault) == 0);
	pz_fault_meta_init(&b->meta, t->meta, &b->faults, b->meta_fault);
	b->bugs.policy = PZ_BUG_REPORT;
	b->bugs.report = iv_told;
	b->bugs.ctx = b;
	b->cfg.space.first = first;
	b->cfg.space.last = last;
	b->cfg.shift = shift;
	b->cfg.cpus = 2;
	b->cfg.meta = &b->meta.meta;
	b->cfg.bugs = &b->bugs;
	b->cfg.faults = &b->faults;
}

static bool iv_make(struct iv_box *b)
{
	return CHECK_NAMED(b->t, pz_iova_create(&b->v, &b->cfg) == 0, "a space is made");
}

static void iv_close(struct iv_box *b)
{
	CHECK(b->t, pz_iova_check(b->v) == 0);
	pz_iova_destroy(b->v);
	CHECK_NAMED(b->t, b->meta.bytes == 0, "no metadata is out");
}

/* Take @size bytes; where, or 1 when that fails. */
static uint64_t iv_take(struct iv_box *b, uint64_t size, uint64_t align, uint64_t max)
{
	uint64_t at;

	return pz_iova_alloc(b->v, 0, size, align, max, &at) ? 1 : at;
}

static void iv_places(struct tap *t, struct iv_box *b)
{
	struct pz_iova_stat s;
	struct pz_range run;
	uint64_t at = 7;

	iv_open(b, t, 0, 16 * PM_MIB - 1, 12);
	if (!iv_make(b))
		return;
	pz_iova_stat(b->v, &s);
	CHECK(t, s.space.first == 4096 && s.space.last == 16 * PM_MIB - 1);
	CHECK(t, s.total == 16 * PM_MIB - 4096 && s.free == s.total && s.meta_bytes > 0);
	CHECK_NAMED(t, iv_take(b, 1, 0, UINT64_MAX) == 16 * PM_MIB - 4096, "the highest granule");
	at = iv_take(b, 3 * 4096 - 9, 0, UINT64_MAX);
	CHECK_NAMED(t, at % (4 * 4096) == 0, "three granules, aligned to four");
	CHECK(t, pz_iova_find(b->v, at + 2 * 4096 + 5, &run));
	CHECK(t, run.first == at && run.last == at + 3 * 4096 - 1);
	CHECK_NAMED(t, !pz_iova_find(b->v, at + 3 * 4096, &run), "the fourth one is not taken");
	CHECK_NAMED(t, iv_take(b, 4096, 8 * PM_MIB, 8 * PM_MIB + 4095) == 8 * PM_MIB,
		    "more alignment, below a limit");
	CHECK_NAMED(t, iv_take(b, 4096, 0, 0x2ffe) == 0x1000, "the last byte is below the limit");
	CHECK(t, !pz_iova_find(b->v, 8192, &run) && !pz_iova_find(b->v, 1ull << 40, &run));
	at = 7;
	CHECK(t, pz_iova_alloc(b->v, 0, 0, 0, UINT64_MAX, &at) == -PZ_EINVAL);
	CHECK(t, pz_iova_alloc(b->v, 0, 4096, 3, UINT64_MAX, &at) == -PZ_EINVAL);
	CHECK_NAMED(t, pz_iova_alloc(b->v, 0, 4096, 0, 4095, &at) == -PZ_ERANGE, "never address 0");
	CHECK(t, pz_iova_alloc(b->v, 0, 16 * PM_MIB, 0, UINT64_MAX, &at) == -PZ_ERANGE);
	CHECK(t, pz_iova_alloc(b->v, 0, UINT64_MAX, 0, UINT64_MAX, &at) == -PZ_ERANGE);
	CHECK(t, pz_iova_alloc(b->v, 0, 12 * PM_MIB, 4096, UINT64_MAX, &at) == -PZ_ENOMEM);
	CHECK_NAMED(t, at == 7, "nothing is written on an error");
	iv_close(b);
}

static void iv_spaces(struct tap *t, struct iv_box *b)
{
	static const struct pz_range holes[] = { { 0x8000, 0x8000 }, { 0x20800, 0x317ff } };
	uint64_t n = 0;

	iv_open(b, t, 0, 0x3ffff, 12);
	b->cfg.zero = true;
	b->cfg.reserved = holes;
	b->cfg.reserved_count = 2;
	if (!iv_make(b))
		return;
	for (uint64_t at; (at = iv_take(b, 4096, 0, UINT64_MAX)) != 1; n++)
		CHECK_NAMED(t, at != 0x8000 && (at < 0x20000 || at > 0x31fff), "not reserved");
	CHECK_NAMED(t, n == 64 - 1 - 18, "all that is not reserved is given out");
	pz_iova_free(b->v, 0, 0, 4096);
	CHECK_NAMED(t, b->bugs.count == 0 && iv_take(b, 1, 0, 4095) == 0, "address 0, when asked");
	iv_close(b);

	iv_open(b, t, 0x10001, 0x4fffe, 16);
	if (!iv_make(b))
		return;
	CHECK(t, pz_iova_alloc(b->v, 0, 0x20001, 0, UINT64_MAX, &n) == -PZ_ERANGE);
	CHECK_NAMED(t, iv_take(b, 0x10001, 0x10000, UINT64_MAX) == 0x20000, "of 64 KiB each");
	CHECK(t, pz_iova_alloc(b->v, 0, 1, 0, UINT64_MAX, &n) == -PZ_ENOMEM);
	iv_close(b);
}

static void iv_reserving(struct tap *t, struct iv_box *b)
{
	struct pz_range got;

	iv_open(b, t, 0x100000, 0x1fffff, 12);
	if (!iv_make(b))
		return;
	CHECK(t, pz_iova_reserve(b->v, (struct pz_range){ 0x120010, 0x120010 }, &got) == 0);
	CHECK(t, got.first == 0x120000 && got.last == 0x120fff);
	CHECK(t, pz_iova_reserve(b->v, (struct pz_range){ 0x120000, 0x130000 }, NULL) == -PZ_EBUSY);
	CHECK(t, pz_iova_reserve(b->v, (struct pz_range){ 0x1f0000, 0xffffffff }, &got) == 0);
	CHECK(t, got.first == 0x1f0000 && got.last == 0x1fffff);
	CHECK(t, pz_iova_reserve(b->v, (struct pz_range){ 0x200000, 0x2fffff }, &got) == 0);
	CHECK_NAMED(t, got.first > got.last, "nothing of it lies in the space");
	CHECK(t, pz_iova_reserve(b->v, (struct pz_range){ 2, 1 }, NULL) == -PZ_EINVAL);
	CHECK(t, iv_take(b, 4096, 0, UINT64_MAX) == 0x1ef000);
	CHECK(t, iv_take(b, 4096, 0, 0x120fff) == 0x11f000);
	pz_iova_free(b->v, 0, 0x120000, 4096);
	CHECK(t, b->bugs.count == 0 && iv_take(b, 4096, 0, 0x120fff) == 0x120000);
	iv_close(b);
}

static void iv_misuse(struct tap *t, struct iv_box *b)
{
	struct pz_iova_stat before, after;
	uint64_t at;

	iv_open(b, t, 0x1000, 0xffffffff, 12);
	if (!iv_make(b))
		return;
	at = iv_take(b, 5 * 4096, 0, UINT64_MAX);
	pz_iova_stat(b->v, &before);
	pz_iova_free(b->v, 0, at, 4 * 4096);
	CHECK(t, b->bugs.count == 1 && iv_says(b, "not the length"));
	pz_iova_free(b->v, 0, at, 6 * 4096);
	CHECK(t, b->bugs.count == 2);
	pz_iova_free(b->v, 0, at + 4096, 4096);
	CHECK(t, b->bugs.count == 3 && iv_says(b, "not the first"));
	pz_iova_free(b->v, 0, at + 1, 5 * 4096);
	CHECK(t, b->bugs.count == 4 && iv_says(b, "no granules"));
	pz_iova_free(b->v, 0, at, 0);
	CHECK(t, b->bugs.count == 5);
	pz_iova_free(b->v, 0, 1ull << 33, 4096);
	CHECK(t, b->bugs.count == 6 && iv_says(b, "no page"));
	pz_iova_stat(b->v, &after);
	CHECK_NAMED(t, before.free == after.free, "and nothing has changed");
	pz_iova_free(b->v, 1, at, 5 * 4096 - 100);
	CHECK(t, b->bugs.count == 6);
	pz_iova_free(b->v, 0, at, 5 * 4096);
	CHECK(t, b->bugs.count == 7 && iv_says(b, "free already"));
	pz_iova_drain(b->v, PZ_CPU_NONE);
	pz_iova_stat(b->v, &after);
	CHECK(t, after.free == after.total);
	iv_close(b);
}

static void iv_failing(struct tap *t, struct iv_box *b)
{
	static const struct pz_range all = { 0, UINT64_MAX }, wrong = { 5, 4 };
	const struct pz_meta *meta;
	uint64_t n = 1;
	int rc = -1;

	iv_open(b, t, 0x1000, 0xffffff, 12);
	for (; rc && n < 100; n++) {
		CHECK(t, pz_fault_arm(&b->faults, PZ_FAULT_ANY, n, 1) == 0);
		rc = pz_iova_create(&b->v, &b->cfg);
		CHECK_NAMED(t, rc == (rc ? -PZ_ENOMEM : 0) && (!rc || (!b->v && !b->meta.bytes)),
			    "it fails, and holds nothing");
	}
	CHECK_NAMED(t, !rc && n > 6, "until nothing fails any more");
	CHECK(t, pz_fault_arm(&b->faults, PZ_FAULT_ANY, 0, 0) == 0);
	iv_close(b);
	b->v = NULL;
	b->cfg.shift = 11;
	CHECK(t, pz_iova_create(&b->v, &b->cfg) == -PZ_EINVAL);
	b->cfg.shift = 17;
	CHECK(t, pz_iova_create(&b->v, &b->cfg) == -PZ_EINVAL);
	b->cfg.shift = 12;
	b->cfg.cpus = 0;
	CHECK(t, pz_iova_create(&b->v, &b->cfg) == -PZ_EINVAL);
	b->cfg.cpus = 1;
	b->cfg.reserved_count = 1;
	CHECK(t, pz_iova_create(&b->v, &b->cfg) == -PZ_EINVAL);
	b->cfg.reserved = &all;
	CHECK_NAMED(t, pz_iova_create(&b->v, &b->cfg) == -PZ_EINVAL, "all of it is reserved");
	b->cfg.reserved = &wrong;
	CHECK(t, pz_iova_create(&b->v, &b->cfg) == -PZ_EINVAL);
	b->cfg.reserved_count = 0;
	b->cfg.space = (struct pz_range){ 0x1001, 0x2ffe };
	CHECK_NAMED(t, pz_iova_create(&b->v, &b->cfg) == -PZ_EINVAL, "no whole granule");
	b->cfg.space = (struct pz_range){ 0, 0xfff };
	CHECK_NAMED(t, pz_iova_create(&b->v, &b->cfg) == -PZ_EINVAL, "address 0 alone");
	meta = b->cfg.meta;
	b->cfg.space.last = 0xffff;
	b->cfg.meta = NULL;
	CHECK(t, pz_iova_create(&b->v, &b->cfg) == -PZ_EINVAL && !b->v);
	b->cfg.meta = meta;
	CHECK(t, b->meta.bytes == 0);
	pz_iova_destroy(NULL);
}

void contract_iova(struct tap *t)
{
	struct iv_box *b = t->meta->alloc(t->meta->ctx, sizeof(*b));

	if (!CHECK(t, b != NULL))
		return;
	iv_places(t, b);
	iv_spaces(t, b);
	iv_reserving(t, b);
	iv_misuse(t, b);
	iv_failing(t, b);
	t->meta->free(t->meta->ctx, b, sizeof(*b));
}
