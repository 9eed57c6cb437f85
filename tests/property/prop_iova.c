/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_iova.c - a space of I/O virtual addresses beside a map of a byte for each granule: what is
 * given out is free and as wanted, the highest there is, and refused only when there is none.
 */
#include <physzone/iova.h>
#include <physzone/page.h>

#include "hook.h"
#include "prop.h"

#define IV_MOST 2048u /* granules of a space */
#define IV_OUT 256u
#define IV_CPUS 3u

struct iv_world {
	struct hook hook;
	struct pz_bugs bugs;
	struct pz_iova_config cfg;
	struct pz_range reserved[3];
	struct pz_iova *v;
	uint64_t granule;
	uint64_t base, count; /* granules: the first one, and how many */
	unsigned char taken[IV_MOST];
	struct iv_run {
		uint64_t at, n; /* granules, from @base on */
	} out[IV_OUT];
	uint32_t n;
};

static void iv_mark(struct iv_world *w, uint64_t at, uint64_t n, unsigned char as)
{
	memset(w->taken + at, as, n);
}

/* The highest place by trying each one; UINT64_MAX for none. */
static uint64_t iv_place(const struct iv_world *w, uint64_t n, uint64_t align, uint64_t max)
{
	for (uint64_t at = w->count; at-- > 0;) {
		uint64_t addr = (w->base + at) * w->granule, run = 0;

		if (addr % align || n > w->count - at || addr + n * w->granule - 1 > max)
			continue;
		while (run < n && !w->taken[at + run])
			run++;
		if (run == n)
			return at;
	}
	return UINT64_MAX;
}

static bool iv_make(struct prop *p, struct iv_world *w)
{
	uint64_t slack;

	memset(w, 0, sizeof(*w));
	hook_init(&w->hook);
	w->bugs.policy = PZ_BUG_IGNORE;
	w->cfg.shift = 12 + prop_choice(p, 3) * 2;
	w->granule = 1ull << w->cfg.shift;
	w->count = prop_between(p, 2, IV_MOST);
	w->base = prop_choice(p, 2) ? prop_draw(p, 5000) : 0;
	slack = prop_draw(p, w->granule - 1);
	w->cfg.space.first = w->base * w->granule;
	w->cfg.space.last = (w->base + w->count) * w->granule - 1 + slack;
	w->cfg.zero = prop_choice(p, 2);
	w->cfg.cpus = IV_CPUS;
	w->cfg.meta = &w->hook.meta;
	w->cfg.bugs = &w->bugs;
	w->cfg.reserved = w->reserved;
	w->cfg.reserved_count = (uint32_t)prop_draw(p, 3);
	for (uint32_t i = 0; i < w->cfg.reserved_count; i++) {
		uint64_t at = prop_between(p, 1, w->count - 1);
		uint64_t n = prop_between(p, 1, (w->count - at) / 4 + 1);

		w->reserved[i].first = (w->base + at) * w->granule + prop_draw(p, 100);
		w->reserved[i].last = (w->base + at + n) * w->granule - 1 - prop_draw(p, 100);
		iv_mark(w, at, n, 2);
	}
	if (!w->base && !w->cfg.zero)
		w->taken[0] = 2;
	PROP_ASSERT(p, pz_iova_create(&w->v, &w->cfg) == 0);
	return true;
}

static bool iv_alloc(struct prop *p, struct iv_world *w, uint32_t cpu)
{
	static const uint64_t sizes[] = { 1, 2, 3, 4, 8, 16, 31, 64 };
	uint64_t n = prop_choice(p, 3) ? sizes[prop_choice(p, 8)] : prop_between(p, 1, 300);
	uint64_t size = (n - 1) * w->granule + prop_between(p, 1, w->granule);
	uint64_t align = prop_choice(p, 3) ? 0 : 1ull << prop_draw(p, 24);
	uint64_t max = UINT64_MAX, at = 7, want, eff = align;
	int rc;

	if (w->n == IV_OUT)
		return true;
	if (prop_choice(p, 3) == 0)
		max = (w->base + prop_draw(p, w->count)) * w->granule + prop_draw(p, w->granule);
	for (eff = align ? align : w->granule; !align && eff < n * w->granule;)
		eff *= 2;
	want = iv_place(w, n, eff, max);
	rc = pz_iova_alloc(w->v, cpu, size, align, max, &at);
	prop_note(p, "alloc %llu granules align %llx max %llx: %d %llx", (unsigned long long)n,
		  (unsigned long long)align, (unsigned long long)max, rc, (unsigned long long)at);
	if (want == UINT64_MAX) {
		PROP_ASSERT(p, (rc == -PZ_ENOMEM || rc == -PZ_ERANGE) && at == 7);
		return true;
	}
	PROP_ASSERT(p, rc == 0 && at % eff == 0 && at % w->granule == 0);
	at = at / w->granule - w->base;
	PROP_ASSERT(p, at < w->count && n <= w->count - at);
	PROP_ASSERT(p, (w->base + at + n) * w->granule - 1 <= max);
	for (uint64_t i = 0; i < n; i++)
		PROP_ASSERT(p, !w->taken[at + i]);
	iv_mark(w, at, n, 1);
	w->out[w->n].at = at;
	w->out[w->n++].n = n;
	return true;
}

static bool iv_reserve(struct prop *p, struct iv_world *w)
{
	uint64_t at = prop_draw(p, w->count - 1), n = prop_between(p, 1, 20), i = 0;
	struct pz_range got, r;
	int rc;

	if (n > w->count - at)
		n = w->count - at;
	if (w->n == IV_OUT || (!w->base && !at && !w->cfg.zero))
		return true;
	r.first = (w->base + at) * w->granule + prop_draw(p, w->granule - 1);
	r.last = (w->base + at + n - 1) * w->granule + w->granule - 1;
	while (i < n && !w->taken[at + i])
		i++;
	rc = pz_iova_reserve(w->v, r, &got);
	PROP_ASSERT(p, rc == (i == n ? 0 : -PZ_EBUSY));
	if (rc)
		return true;
	PROP_ASSERT(p, got.first == (w->base + at) * w->granule && got.last == r.last);
	iv_mark(w, at, n, 1);
	w->out[w->n].at = at;
	w->out[w->n++].n = n;
	return true;
}

static bool iv_free(struct prop *p, struct iv_world *w, uint32_t cpu)
{
	uint64_t addr, bytes;
	struct iv_run r;
	uint32_t i;

	if (!w->n)
		return true;
	i = (uint32_t)prop_draw(p, w->n - 1);
	r = w->out[i];
	addr = (w->base + r.at) * w->granule;
	bytes = r.n * w->granule;
	if (prop_choice(p, 6) == 5) {
		/* Never right: it begins elsewhere, or has another length. */
		uint64_t by = prop_between(p, 1, r.n) * w->granule;

		pz_iova_free(w->v, cpu, addr, prop_choice(p, 2) ? bytes + by : bytes - by);
		PROP_ASSERT(p, w->bugs.count == 1);
		w->bugs.count = 0;
	}
	pz_iova_free(w->v, cpu, addr, bytes - prop_draw(p, w->granule - 1));
	PROP_ASSERT(p, w->bugs.count == 0);
	iv_mark(w, r.at, r.n, 0);
	w->out[i] = w->out[--w->n];
	if (prop_choice(p, 6) == 5) {
		pz_iova_free(w->v, cpu, addr, bytes);
		PROP_ASSERT(p, w->bugs.count == 1);
		w->bugs.count = 0;
	}
	return true;
}

static bool iv_verify(struct prop *p, struct iv_world *w)
{
	struct pz_iova_stat s;
	uint64_t free = 0, held = 0;

	PROP_ASSERT(p, pz_iova_check(w->v) == 0);
	pz_iova_stat(w->v, &s);
	for (uint64_t i = 0; i < w->count; i++) {
		uint64_t addr = (w->base + i) * w->granule + prop_draw(p, w->granule - 1);
		struct pz_range run;
		bool out = pz_iova_find(w->v, addr, &run);

		PROP_ASSERT(p, out == (w->taken[i] == 1));
		PROP_ASSERT(p, !out || (run.first <= addr && run.last >= addr));
		free += !w->taken[i];
		held += w->taken[i] == 1;
	}
	PROP_ASSERT(p, s.free == free * w->granule && s.total == (free + held) * w->granule);
	return true;
}

static bool iv_property(struct prop *p, void *ctx)
{
	struct iv_world *w = ctx;
	uint32_t steps, cpu;
	bool ok = true;

	if (!iv_make(p, w))
		return false;
	steps = (uint32_t)prop_draw(p, 200);
	for (uint32_t i = 0; i < steps && ok; i++) {
		unsigned int what = prop_choice(p, 32);

		cpu = (uint32_t)prop_draw(p, IV_CPUS);
		if (cpu == IV_CPUS)
			cpu = PZ_CPU_NONE;
		if (what < 17)
			ok = iv_alloc(p, w, cpu);
		else if (what < 28)
			ok = iv_free(p, w, cpu);
		else if (what < 30)
			ok = iv_reserve(p, w);
		else if (what == 30)
			pz_iova_drain(w->v, cpu);
		else if (prop_choice(p, 4) == 3)
			ok = iv_verify(p, w);
	}
	if (!ok || !iv_verify(p, w))
		return false;
	while (w->n)
		if (!iv_free(p, w, 0))
			return false;
	if (!iv_verify(p, w))
		return false;
	pz_iova_destroy(w->v);
	PROP_ASSERT(p, w->hook.live == 0 && !w->hook.bad_free && w->bugs.count == 0);
	return true;
}

int main(void)
{
	static struct iv_world w;

	prop_run("addresses beside a map of all granules", iv_property, &w, 1000);
	return prop_done();
}
