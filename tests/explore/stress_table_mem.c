/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stress_table_mem.c - translation tables by two threads, in MiB of their own, from each provider,
 * for a race detector and for what only real processors do: second levels come and go all the time,
 * chunks, slabs and blocks with them, first levels too, and memory is trimmed meanwhile.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "../contract/table_machine.h"

#define ST_ROUNDS 10000u
#define ST_MIBS 24u /* of each thread */
#define ST_RW (PZ_IOMMU_READ | PZ_IOMMU_WRITE)

static struct tap st_tap;
static struct table_machine st;
static _Atomic unsigned int st_wrong;

static void st_write(void *ctx, const char *s, size_t n)
{
	(void)ctx;
	(void)s;
	(void)n;
}

/* Threads allocate tables too, so the metadata hook is called by both. */
static void *st_meta_alloc(void *ctx, size_t size)
{
	void *p = NULL;

	(void)ctx;
	return posix_memalign(&p, 64, size ? size : 1) ? NULL : p;
}

static void st_meta_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static const struct pz_meta st_meta = { st_meta_alloc, st_meta_free, NULL };

static uint32_t st_random(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((*seed >> 33) % n);
}

static void st_expect(bool ok)
{
	if (!ok)
		atomic_fetch_add(&st_wrong, 1);
}

/* A whole set of tables of the thread's own comes and goes. */
static void st_set(uint32_t cpu)
{
	struct pz_v7s_config vc = st.vc;
	struct pz_v7s *t = NULL;

	vc.meta = &st_meta;
	st_expect(pz_v7s_create(&t, &vc, cpu, PZ_GFP_HIGH, NULL) == 0);
	if (!t)
		return;
	st_expect(pz_v7s_map(t, cpu, PZ_GFP_HIGH, 0x1000, 0x2000, 0x1000, ST_RW) == 0);
	pz_v7s_destroy(t, cpu);
}

static void *st_thread(void *arg)
{
	uint32_t cpu = (uint32_t)(uintptr_t)arg;
	uint64_t seed = 77 + cpu, mapped[ST_MIBS] = { 0 };

	for (uint32_t i = 0; i < ST_ROUNDS; i++) {
		uint32_t k = st_random(&seed, ST_MIBS);
		uint64_t iova = ((uint64_t)(2 * k + cpu) << 20) + 0x3000, phys;

		if (mapped[k]) {
			st_expect(pz_v7s_lookup(st.t, iova + 5, &phys) == 0 &&
				  phys == mapped[k] + 5);
			st_expect(pz_v7s_unmap(st.t, cpu, PZ_GFP_HIGH, iova, 4096, 0, NULL, NULL) ==
				  0);
			st_expect(pz_v7s_lookup(st.t, iova, &phys) == -PZ_ENOENT);
			mapped[k] = 0;
		} else {
			mapped[k] = (uint64_t)(1 + st_random(&seed, 1000)) << 12;
			st_expect(pz_v7s_map(st.t, cpu, PZ_GFP_HIGH, iova, mapped[k], 4096,
					     ST_RW) == 0);
		}
		if (i % 64 == 63)
			(void)pz_table_source_trim(st.source, cpu);
		if (i % 256 == 255)
			st_set(cpu);
	}
	for (uint32_t k = 0; k < ST_MIBS; k++)
		if (mapped[k])
			st_expect(pz_v7s_unmap(st.t, cpu, 0,
					       ((uint64_t)(2 * k + cpu) << 20) + 0x3000, 4096, 0,
					       NULL, NULL) == 0);
	return NULL;
}

/* Nothing is out in the end but the first level. */
static bool st_provider(enum tm_provider p)
{
	struct pz_table_source_config cfg;
	struct pz_table_stat now;
	pthread_t thread[TM_CPUS];

	atomic_store(&st_wrong, 0);
	tm_config(&st, &cfg);
	pz_v7s_table_limits(0, 32, &cfg.limits);
	if (tm_source(&st, p, &cfg, NULL) || tm_tables(&st))
		return false;
	for (uintptr_t i = 0; i < TM_CPUS; i++)
		if (pthread_create(&thread[i], NULL, st_thread, (void *)i))
			abort();
	for (uint32_t i = 0; i < TM_CPUS; i++)
		pthread_join(thread[i], NULL);
	pz_table_source_stat(st.source, &now);
	return !atomic_load(&st_wrong) && !now.small && now.large == 1 && tm_tables_gone(&st) &&
	       tm_source_gone(&st);
}

int main(void)
{
	int failed = 0;

	st_tap.write = st_write;
	st_tap.meta = &st_meta;
	st_tap.suite = "machine";
	if (!tm_make(&st, &st_tap))
		return 1;
	for (unsigned int p = 0; p < TM_PROVIDERS; p++) {
		bool ok = st_provider((enum tm_provider)p);

		failed |= !ok;
		printf("%sok %u - %s: tables of two threads\n", ok ? "" : "not ", p + 1,
		       tm_name((enum tm_provider)p));
		fflush(stdout);
	}
	tm_close(&st);
	printf("%sok %u - everything came back\n", st_tap.failed ? "not " : "", TM_PROVIDERS + 1);
	printf("1..%u\n", TM_PROVIDERS + 1);
	return failed || st_tap.failed;
}
