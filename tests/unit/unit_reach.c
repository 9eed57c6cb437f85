/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * physzone reach: devices and their windows, counts against a page-by-page count, what each model
 * gives, and what is refused.
 */
#include "start_run.h"

#include "input/source.h"
#include "reach/reach.h"

const char *run_machines;

struct reached {
	struct facts f;
	struct reach_machine m;
	struct reach r;
};

static void reach_of(struct reached *x, const char *machine, enum option_device kind,
		     const char *text)
{
	char *path = xasprintf("%s/%s", run_machines, machine), *err = NULL;
	struct option_reach from = { kind, text };
	struct source_options so;
	struct analysis_options how;
	struct device d;

	memset(&so, 0, sizeof(so));
	memset(&how, 0, sizeof(how));
	facts_init(&x->f);
	assert_int_equal(source_read(&x->f, path, &so, &err), 0);
	assert_int_equal(reach_machine(&x->m, &x->f, &how, &err), 0);
	assert_int_equal(device_parse(&d, &from, &err), 0);
	reach_compute(&x->r, &x->m, &d);
	free(path);
}

static void reach_free(struct reached *x)
{
	reach_destroy(&x->r);
	reach_machine_destroy(&x->m);
	facts_destroy(&x->f);
}

/* What a device reaches, page by page, and what must hold of any. */
static void reach_verify(const struct reached *x)
{
	unsigned int shift = x->m.analysis.page_shift;
	const struct reach *r = &x->r;
	uint64_t pages = 0, run = 0, longest = 0, before = UINT64_MAX - 1;
	uint64_t blocks[PZ_PAGE_ORDERS] = { 0 };

	for (uint32_t i = 0; i < x->m.managed.count; i++) {
		for (uint64_t p = x->m.managed.v[i].first; p <= x->m.managed.v[i].last; p++) {
			uint64_t first = p << shift, last = first + (UINT64_C(1) << shift) - 1;
			uint64_t at = first;
			bool in = true;

			/* Byte ranges of windows that touch reach on together. */
			for (size_t w = 0; w < r->device.windows.n && in; w++) {
				const struct pz_range *v = &r->device.windows.v[w];

				if (v->first <= at && v->last >= at)
					at = v->last >= last ? last + 1 : v->last + 1;
			}
			in = at > last;
			if (!in)
				continue;
			pages++;
			run = p == before + 1 ? run + 1 : 1;
			before = p;
			if (run > longest)
				longest = run;
			for (unsigned int k = 0; k < PZ_PAGE_ORDERS; k++)
				if (run >> k && !((p + 1) & ((UINT64_C(1) << k) - 1)))
					blocks[k]++;
		}
	}
	assert_int_equal(r->reached, pages);
	if (pages)
		assert_int_equal(r->longest.last - r->longest.first + 1, longest);
	assert_memory_equal(r->blocks, blocks, sizeof(blocks));
	for (int i = 0; i < PZL_MODELS; i++) {
		if (r->model[i].error)
			continue;
		assert_true(r->model[i].sure + r->model[i].chance <= r->reached);
		if (!r->model[i].plan.supported)
			assert_int_equal(r->model[i].sure + r->model[i].chance, 0);
	}
	assert_int_equal(pz_rangeset_bytes(&r->sure), r->model[x->m.analysis.model].sure);
}

static void counts(void **state)
{
	static const struct {
		const char *machine;
		enum option_device kind;
		const char *text;
	} cases[] = {
		{ "x86_64/6.1-pc-512M-debug", DEVICE_BITS, "24" },
		{ "x86_64/6.1-pc-512M-debug", DEVICE_BITS, "28" },
		{ "x86_64/6.1-pc-512M-debug", DEVICE_BITS, "64" },
		{ "x86_64/6.1-pc-512M-debug", DEVICE_BITS, "1" },
		{ "x86_64/6.1-pc-512M-debug", DEVICE_WINDOW, "0x123456-0x7654321" },
		{ "x86_64/6.1-pc-512M-debug", DEVICE_WINDOW, "2M-4M,4M-5M,0x1000000-0x1000fff" },
		{ "x86_64/6.1-pc-512M-debug", DEVICE_WINDOW, "0x1000-0x1800,0x1801-0x2fff" },
		{ "x86_64/6.1-kdump-256M", DEVICE_BITS, "30" },
		{ "x86_64/6.1-kdump-256M", DEVICE_BITS, "31" },
		{ "x86_64/6.1-numa2-4G-movablecore1G", DEVICE_LIMIT, "3G" },
		{ "arm64/6.1-virt-dma30-4G", DEVICE_BITS, "30" },
		{ "arm64/6.1-virt-cma16M-4G", DEVICE_BITS, "31" },
		{ "custom/arm64-64k-virt-2G-cma64M", DEVICE_LIMIT, "0x7fffffff" },
		{ "i386/6.1-686-pae-pc-6G", DEVICE_BITS, "32" },
		{ "riscv64/6.12-virt-2G", DEVICE_BITS, "32" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reached x;

		reach_of(&x, cases[i].machine, cases[i].kind, cases[i].text);
		reach_verify(&x);
		reach_free(&x);
	}
}

static void what_zones_give(void **state)
{
	const struct reach_model *m;
	struct reached x;

	(void)state;
	/* 28 and 31 bits on a PC: ZONE_DMA for sure, 3840 pages without the first megabyte. */
	reach_of(&x, "x86_64/6.1-pc-8G", DEVICE_BITS, "28");
	m = &x.r.model[PZL_LINUX_6_1];
	assert_int_equal(m->plan.tries, 2);
	assert_int_equal(m->sure, 3840);
	assert_int_equal(m->sure + m->chance, x.r.reached);
	assert_true(x.r.reached > 60000);
	reach_free(&x);
	reach_of(&x, "x86_64/6.1-pc-8G", DEVICE_BITS, "31");
	assert_int_equal(x.r.model[PZL_LINUX_6_12].sure, 3840);
	reach_free(&x);
	/* All 32 bits: both low zones. */
	reach_of(&x, "x86_64/6.1-pc-8G", DEVICE_BITS, "32");
	assert_int_equal(x.r.model[PZL_LINUX_5_15].sure, x.r.reached);
	reach_free(&x);
	/* A capture kernel: 31 bits reach all of its memory, 30 bits none. */
	reach_of(&x, "x86_64/6.1-kdump-256M", DEVICE_BITS, "31");
	assert_int_equal(x.r.reached, x.r.managed);
	m = &x.r.model[PZL_LINUX_6_1];
	assert_int_equal(m->sure, x.r.managed);
	reach_free(&x);
	reach_of(&x, "x86_64/6.1-kdump-256M", DEVICE_BITS, "30");
	assert_int_equal(x.r.reached, 0);
	reach_free(&x);
	/* Fewer bits than ZONE_DMA has: the driver's mask is refused. */
	reach_of(&x, "x86_64/6.1-pc-8G", DEVICE_BITS, "23");
	assert_false(x.r.model[PZL_LINUX_6_1].plan.supported);
	assert_true(x.r.reached > 0);
	reach_free(&x);
}

static void devices_are_read(void **state)
{
	static const struct {
		enum option_device kind;
		const char *text;
		uint64_t first, last; /* of the first window */
	} good[] = {
		{ DEVICE_BITS, "1", 0, 1 },
		{ DEVICE_BITS, "28", 0, 0xfffffff },
		{ DEVICE_BITS, "64", 0, UINT64_MAX },
		{ DEVICE_LIMIT, "0x3fffffff", 0, 0x3fffffff },
		{ DEVICE_LIMIT, "256M", 0, 0xfffffff },
		{ DEVICE_LIMIT, "4095", 0, 4095 },
		{ DEVICE_LIMIT, "0xe", 0, 0xe },
		{ DEVICE_WINDOW, "1G-2G", 0x40000000, 0x7fffffff },
		{ DEVICE_WINDOW, "0x1000-0x1fff,0-0xfff", 0, 0xfff },
		{ DEVICE_WINDOW, "5-5", 5, 5 },
	};
	static const struct {
		enum option_device kind;
		const char *text, *why;
	} bad[] = {
		{ DEVICE_BITS, "0", "from 1 to 64, not '0'" },
		{ DEVICE_BITS, "65", "from 1 to 64, not '65'" },
		{ DEVICE_BITS, "", "from 1 to 64, not ''" },
		{ DEVICE_BITS, "28x", "not '28x'" },
		{ DEVICE_BITS, "-3", "not '-3'" },
		{ DEVICE_LIMIT, "top", "--limit wants an address" },
		{ DEVICE_LIMIT, "0K", "--limit wants an address" },
		{ DEVICE_LIMIT, "0x10000000000000000", "--limit wants an address" },
		{ DEVICE_WINDOW, "1G", "--window wants A-B" },
		{ DEVICE_WINDOW, "2G-1G", "ends before it starts" },
		{ DEVICE_WINDOW, "0-1G,", "--window wants A-B" },
		{ DEVICE_WINDOW, "0-1G,512M-2G", "overlap" },
		{ DEVICE_WINDOW, "0-0x1000,0x1000-0x1fff", "overlap" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct option_reach from = { good[i].kind, good[i].text };
		struct device d;
		char *err = NULL;

		assert_int_equal(device_parse(&d, &from, &err), 0);
		assert_null(err);
		assert_int_equal(d.windows.v[0].first, good[i].first);
		assert_int_equal(d.windows.v[0].last, good[i].last);
		device_destroy(&d);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct option_reach from = { bad[i].kind, bad[i].text };
		struct device d;
		char *err = NULL;

		assert_int_equal(device_parse(&d, &from, &err), EXIT_USAGE);
		if (!strstr(err, bad[i].why) || strchr(err, '\n'))
			fail_msg("'%s': '%s', expected '%s'", bad[i].text, err, bad[i].why);
		device_destroy(&d);
		free(err);
	}
}

/* What must hold of deliveries, of any machine that starts. */
static void delivered_verify(const char *machine, const struct reach *r)
{
	assert_true(r->delivery.known);
	assert_true(r->delivery.pages <= r->reached);
	for (int m = 0; m < PZL_MODELS; m++) {
		const struct reach_model *rm = &r->model[m];

		assert_true(rm->delivery.known);
		assert_true(rm->delivery.pages <= rm->sure + rm->chance);
		if (r->reached < r->managed && rm->delivery.pages > r->delivery.pages)
			fail_msg("%s, %s: physzone %llu pages, Linux %llu", machine, r->device.name,
				 (unsigned long long)r->delivery.pages,
				 (unsigned long long)rm->delivery.pages);
	}
}

/*
 * What a device gets until nothing is left: of a recorded machine of 8 GiB what was measured on
 * Linux, and no less than Linux's anywhere for a device that does not reach all memory.
 */
static void what_is_delivered(void **state)
{
	static const char *const machines[] = {
		"x86_64/6.1-pc-8G",	  "x86_64/6.1-numa2-8G",     "x86_64/6.1-q35-uefi-8G",
		"x86_64/6.1-kdump-256M",  "i386/6.1-686-pae-pc-6G",  "arm64/6.1-raspi4b-2G",
		"arm64/6.12-16k-virt-4G", "arm64/6.1-virt-dma30-4G",
	};
	static const char *const bits[] = { "24", "28", "30", "31" };
	struct analysis_options how;
	struct reached x;

	(void)state;
	memset(&how, 0, sizeof(how));
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		struct reach r[4];

		reach_of(&x, machines[i], DEVICE_BITS, "32");
		for (size_t k = 0; k < 4; k++) {
			struct option_reach from = { DEVICE_BITS, bits[k] };
			struct device d;
			char *err = NULL;

			assert_int_equal(device_parse(&d, &from, &err), 0);
			reach_compute(&r[k], &x.m, &d);
		}
		reach_deliver(r, 4, x.m.analysis.page_shift, &x.f, &how);
		for (size_t k = 0; k < 4; k++) {
			delivered_verify(machines[i], &r[k]);
			/* All of ZONE_DMA but its pool and its mark; nearly all in reach. */
			if (i == 0) {
				assert_int_equal(r[k].model[PZL_LINUX_6_1].delivery.pages,
						 3840 - 256 - 31);
				assert_true(20 * (r[k].delivery.pages + 256) >= 19 * r[k].reached);
			}
			reach_destroy(&r[k]);
		}
		reach_free(&x);
	}
}

static void what_people_see(void **state)
{
	struct run r = run("reach --bits 28 --window 1G-2G,3G-4G @x86_64/6.1-pc-8G");

	(void)state;
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "28 bits\n  in reach");
	run_has(&r, "1G-2G,3G-4G\n  in reach");
	run_has(&r, "GFP_DMA32, then GFP_DMA");
	run_has(&r, "15 MiB of DMA");
	run_has(&r, "13.9 MiB\n");
	run_has(&r, "254.0 MiB\n");
	run_has(&r, "all of it");
	run_done(&r);
	r = run("reach --bits 30 @x86_64/6.1-kdump-256M");
	assert_int_equal(r.rc, EXIT_PROBLEM);
	run_has(&r, "in reach     0 B of");
	run_done(&r);
	r = run("reach --json --limit 256M --bits 64 @x86_64/6.1-pc-8G");
	assert_int_equal(r.rc, EXIT_FINE);
	run_has(&r, "\"device\": \"up to 256M\"");
	run_has(&r, "\"device\": \"64 bits\"");
	run_has(&r, "\"sure\": 3840");
	run_has(&r, "\"delivers\": 3553");
	run_done(&r);
	run_refused("reach @x86_64/6.1-pc-8G", "no device given");
	run_refused("reach --bits 0 @x86_64/6.1-pc-8G", "--bits wants a number");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_are_read), cmocka_unit_test(counts),
		cmocka_unit_test(what_zones_give),  cmocka_unit_test(what_is_delivered),
		cmocka_unit_test(what_people_see),
	};

	run_machines = argc > 1 ? argv[1] : "machines";
	return cmocka_run_group_tests(tests, NULL, NULL);
}
