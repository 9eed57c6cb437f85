/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logs of machines that nobody recorded: parts of logs, other kernels' formats, logs that
 * contradict themselves. Each is read and analysed in this process.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "analysis.h"
#include "facts.h"
#include "input/source.h"
#include "input/text.h"

#define BANNER_6_1 "[    0.000000] Linux version 6.1.0-18-amd64 (gcc-12) #1 SMP Debian 6.1.76-1\n"
#define E820_8G                                                                            \
	"[    0.000000] BIOS-provided physical RAM map:\n"                                 \
	"[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable\n"   \
	"[    0.000000] BIOS-e820: [mem 0x000000000009fc00-0x000000000009ffff] reserved\n" \
	"[    0.000000] BIOS-e820: [mem 0x00000000000f0000-0x00000000000fffff] reserved\n" \
	"[    0.000000] BIOS-e820: [mem 0x0000000000100000-0x00000000bfffffff] usable\n"   \
	"[    0.000000] BIOS-e820: [mem 0x0000000100000000-0x000000023fffffff] usable\n"

struct unseen {
	struct facts f;
	struct analysis a;
	char *err;
	int rc; /* of analyse(), or -1 when the input was refused */
};

static void unseen_open(struct unseen *u, const char *log, const struct analysis_options *how)
{
	const struct analysis_options none = { 0 };
	struct text t;

	memset(u, 0, sizeof(*u));
	facts_init(&u->f);
	facts_file(&u->f, "log");
	assert_int_equal(text_from_memory(&t, log, strlen(log), "log", 0, &u->err), 0);
	u->rc = -1;
	if (!source_read_text(&u->f, &t, NULL, &u->err))
		u->rc = analyse(&u->a, &u->f, how ? how : &none, &u->err);
	text_destroy(&t);
}

static void unseen_close(struct unseen *u)
{
	analysis_destroy(&u->a);
	facts_destroy(&u->f);
	free(u->err);
}

static bool unseen_contradicts(const struct unseen *u, const char *words)
{
	for (size_t i = 0; i < u->a.contradictions.n; i++)
		if (strstr(u->a.contradictions.v[i].text, words))
			return true;
	return false;
}

/* Processors with five levels of page tables have a larger max_arch_pfn. */
static void unseen_five_levels(void **state)
{
	struct unseen u;

	unseen_open(&u,
		    BANNER_6_1 E820_8G
		    "[    0.000000] last_pfn = 0x240000 max_arch_pfn = 0x10000000000\n",
		    NULL);
	assert_int_equal(u.rc, 0);
	assert_int_equal(u.a.contradictions.n, 0);
	assert_int_equal(u.f.last_pfn, 0x240000);
	unseen_close(&u);
}

/* What the log says of totals is compared, and changes nothing. */
static void unseen_totals(void **state)
{
	struct unseen u, same;

	unseen_open(&same, BANNER_6_1 E820_8G, NULL);
	assert_int_equal(same.rc, 0);
	unseen_open(&u,
		    BANNER_6_1 E820_8G
		    "[    0.000000] last_pfn = 0x250000 max_arch_pfn = 0x400000000\n"
		    "[    0.000000] Built 1 zonelists, mobility grouping on.  Total pages: "
		    "99999999\n",
		    NULL);
	assert_int_equal(u.rc, 0);
	assert_true(unseen_contradicts(&u, "last_pfn"));
	assert_true(unseen_contradicts(&u, "99999999 pages for its zonelists"));
	for (int t = 0; t < PZ_ZONE_TYPES; t++) {
		assert_int_equal(u.a.nodes.v[0].zone[t].present, same.a.nodes.v[0].zone[t].present);
		assert_int_equal(u.a.nodes.v[0].zone[t].managed, same.a.nodes.v[0].zone[t].managed);
	}
	unseen_close(&u);
	unseen_open(&u,
		    BANNER_6_1 E820_8G
		    "[    0.000000] Memory: 7000000K/9000000K available (14342K kernel code, 2332K "
		    "rwdata, 9036K rodata, 2808K init, 17392K bss, 300000K reserved, 0K "
		    "cma-reserved)\n",
		    NULL);
	assert_int_equal(u.rc, 0);
	assert_true(unseen_contradicts(&u, "the log says 9000000 KiB"));
	unseen_close(&u);
	unseen_close(&same);
}

/* A map that was cut in a mail tells of no machine. */
static void unseen_cut_map(void **state)
{
	struct unseen u;

	unseen_open(&u,
		    "> [ 0.000000] Linux version 4.17.0-rc5+ (gcc version 6.4.0) #57\n"
		    "> [ 0.000000] BIOS-provided physical RAM map:\n"
		    "> [ 0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009f7ff] usable\n"
		    "> [ 0.000000] BIOS-e820: [mem 0x000000000009f800-0x000000000009ffff] "
		    "reserved\n"
		    "[snip....]\n"
		    "> [ 1.540010] EIP: dma_direct_alloc+0x22f/0x260\n",
		    NULL);
	assert_int_equal(u.rc, 4);
	assert_non_null(strstr(u.err, "cut off"));
	assert_string_equal(u.f.arch_hint, "i386");
	unseen_close(&u);
}

/* Kernels for larger pages are known by their names when no line tells. */
static void unseen_page_sizes(void **state)
{
	static const struct {
		const char *log;
		unsigned int shift;
	} logs[] = {
		{ "Linux version 6.12.1-arm64-16k (gcc) #1\n", 14 },
		{ "Linux version 5.14.0-362.el9.aarch64+64k (gcc) #1\n", 16 },
		{ "Linux version 6.12.1-arm64 (gcc) #1\n", 12 },
	};
	static const char ranges[] =
		"[    0.000000] Zone ranges:\n"
		"[    0.000000]   DMA      [mem 0x0000000040000000-0x00000000bfffffff]\n"
		"[    0.000000]   DMA32    empty\n"
		"[    0.000000]   Normal   empty\n"
		"[    0.000000] Early memory node ranges\n"
		"[    0.000000]   node   0: [mem 0x0000000040000000-0x00000000bfffffff]\n";

	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++) {
		char text[1024];
		struct unseen u;

		strcpy(text, logs[i].log);
		strcat(text, ranges);
		unseen_open(&u, text, NULL);
		assert_int_equal(u.rc, 0);
		assert_int_equal(u.a.page_shift, logs[i].shift);
		assert_int_equal(u.a.nodes.v[0].zone[PZ_ZONE_DMA].present,
				 UINT64_C(0x80000000) >> logs[i].shift);
		assert_int_equal(u.a.contradictions.n, 0);
		unseen_close(&u);
	}
}

/* crashkernel= takes its memory where the log tells neither of that nor of totals. */
static void unseen_crashkernel(void **state)
{
	struct unseen with, without;

	unseen_open(&with,
		    BANNER_6_1 "[    0.000000] Command line: crashkernel=256M quiet\n" E820_8G,
		    NULL);
	unseen_open(&without, BANNER_6_1 "[    0.000000] Command line: quiet\n" E820_8G, NULL);
	assert_int_equal(with.rc, 0);
	assert_int_equal(without.rc, 0);
	assert_int_equal(with.a.nodes.v[0].zone[PZ_ZONE_DMA32].managed + 65536,
			 without.a.nodes.v[0].zone[PZ_ZONE_DMA32].managed);
	unseen_close(&with);
	unseen_close(&without);
}

/* Where only zones and node ranges are left of a log, low memory still ends where it does. */
static void unseen_i386_zones(void **state)
{
	struct unseen u;

	unseen_open(&u,
		    "[    0.000000] Linux version 6.1.0 (gcc) #1 SMP\n"
		    "[    0.000000] Zone ranges:\n"
		    "[    0.000000]   DMA      [mem 0x0000000000001000-0x0000000000ffffff]\n"
		    "[    0.000000]   Normal   [mem 0x0000000001000000-0x0000000036bfdfff]\n"
		    "[    0.000000]   HighMem  [mem 0x0000000036bfe000-0x000000007ffdffff]\n"
		    "[    0.000000] Movable zone start for each node\n"
		    "[    0.000000] Early memory node ranges\n"
		    "[    0.000000]   node   0: [mem 0x0000000000001000-0x000000000009efff]\n"
		    "[    0.000000]   node   0: [mem 0x0000000000100000-0x000000007ffdffff]\n",
		    NULL);
	assert_int_equal(u.rc, 0);
	assert_int_equal(u.a.arch, PZL_ARCH_I386);
	assert_int_equal(u.a.contradictions.n, 0);
	assert_int_equal(u.a.nodes.v[0].zone[PZ_ZONE_HIGHMEM].start_pfn, 0x36bfe);
	assert_int_equal(u.a.nodes.v[0].zone[PZ_ZONE_HIGHMEM].present, 0x7ffe0 - 0x36bfe);
	unseen_close(&u);
}

/* An arm64 kernel lists all that was reserved: nothing more is put upon it. */
static void unseen_arm64_iomem(void **state)
{
	const struct analysis_options how = { .arch = "arm64" };
	struct unseen u;

	unseen_open(&u,
		    "40000000-7fffffff : System RAM\n"
		    "  40210000-4185ffff : Kernel code\n"
		    "  41860000-41eaffff : reserved\n"
		    "  41eb0000-4220ffff : Kernel data\n"
		    "  7ec00000-7fffffff : reserved\n",
		    &how);
	assert_int_equal(u.rc, 0);
	assert_int_equal(u.a.nodes.v[0].zone[PZ_ZONE_DMA].present, 262144);
	assert_int_equal(u.a.nodes.v[0].zone[PZ_ZONE_DMA].managed, 262144 - 0x2000 - 0x1400);
	unseen_close(&u);
}

/* A guest of Xen without firmware, as a log and as a listing. */
static void unseen_xen(void **state)
{
	static const char log[] = BANNER_6_1
		"[    0.000000] BIOS-provided physical RAM map:\n"
		"[    0.000000] Xen: [mem 0x0000000000000000-0x000000000009ffff] usable\n"
		"[    0.000000] Xen: [mem 0x00000000000a0000-0x00000000000fffff] reserved\n"
		"[    0.000000] Xen: [mem 0x0000000000100000-0x000000007fffffff] usable\n";
	static const char listing[] = "Xen: [mem 0x0000000000000000-0x000000000009ffff] usable\n"
				      "Xen: [mem 0x0000000000100000-0x000000007fffffff] usable\n";
	struct unseen u;

	unseen_open(&u, log, NULL);
	assert_int_equal(u.rc, 0);
	assert_int_equal(u.a.nodes.v[0].zone[PZ_ZONE_DMA32].present, 0x7f000);
	unseen_close(&u);
	unseen_open(&u, listing, NULL);
	assert_int_equal(u.rc, 0);
	assert_int_equal(u.a.nodes.v[0].zone[PZ_ZONE_DMA32].present, 0x7f000);
	unseen_close(&u);
}

/* With large physical addresses a 32-bit arm kernel keeps what lies above 4 GiB. */
static void unseen_arm_lpae(void **state)
{
	struct unseen u;

	unseen_open(&u,
		    "[    0.000000] Linux version 6.1.0-13-armmp-lpae (gcc-12) #1 SMP\n"
		    "[    0.000000] Zone ranges:\n"
		    "[    0.000000]   DMA      [mem 0x0000000040000000-0x000000006fffffff]\n"
		    "[    0.000000]   Normal   empty\n"
		    "[    0.000000]   HighMem  [mem 0x0000000070000000-0x000000013fffffff]\n"
		    "[    0.000000] Early memory node ranges\n"
		    "[    0.000000]   node   0: [mem 0x0000000040000000-0x000000013fffffff]\n",
		    NULL);
	assert_int_equal(u.rc, 0);
	assert_int_equal(u.a.contradictions.n, 0);
	assert_int_equal(u.a.nodes.v[0].zone[PZ_ZONE_HIGHMEM].present, 0xd0000);
	unseen_close(&u);
}

/* Bounce buffers of the size that was asked for, where nothing tells what was taken. */
static void unseen_bounce_buffers(void **state)
{
	static const struct {
		const char *cmdline;
		uint64_t pages;
	} asked[] = {
		{ "swiotlb=noforce", 0 },
		{ "quiet", 16384 },
		{ "swiotlb=131072", 65536 },
		/* areas make it a power of two */
		{ "swiotlb=65537,4,force", 65536 },
	};
	uint64_t none = 0;

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		const struct analysis_options how = { .cmdline = asked[i].cmdline };
		struct unseen u;

		unseen_open(&u, BANNER_6_1 E820_8G, &how);
		assert_int_equal(u.rc, 0);
		if (!i)
			none = u.a.nodes.v[0].zone[PZ_ZONE_DMA32].managed;
		assert_int_equal(u.a.nodes.v[0].zone[PZ_ZONE_DMA32].managed, none - asked[i].pages);
		unseen_close(&u);
	}
}

/* Another command line leaves the initial RAM disk's pages given back, as the kernel did. */
static void unseen_what_if_gives_back(void **state)
{
	static const char log[] = BANNER_6_1 "[    0.000000] Command line: quiet\n" E820_8G
					     "[    0.000000] RAMDISK: [mem 0x30000000-0x33ffffff]\n"
					     "[    0.500000] Freeing initrd memory: 65536K\n";
	static const char none[] = BANNER_6_1 "[    0.000000] Command line: quiet\n" E820_8G;
	const struct analysis_options how = { .cmdline = "quiet other=1" };
	struct unseen with, without;

	unseen_open(&with, log, &how);
	unseen_open(&without, none, &how);
	assert_int_equal(with.rc, 0);
	assert_int_equal(with.a.nodes.v[0].zone[PZ_ZONE_DMA32].managed,
			 without.a.nodes.v[0].zone[PZ_ZONE_DMA32].managed);
	unseen_close(&with);
	/* An estimate that is no answer to a question of this kind gives it back as well. */
	unseen_open(&with, log, NULL);
	assert_int_equal(with.rc, 0);
	assert_int_equal(with.a.nodes.v[0].zone[PZ_ZONE_DMA32].managed,
			 without.a.nodes.v[0].zone[PZ_ZONE_DMA32].managed);
	unseen_close(&with);
	unseen_close(&without);
}

/* x86 has one page size, whatever a line makes one think. */
static void unseen_x86_page_size(void **state)
{
	struct unseen u;

	unseen_open(&u,
		    BANNER_6_1 E820_8G
		    "[    0.000000] percpu: Embedded 10 pages/cpu s40960 r8192 d32768 u262144\n",
		    NULL);
	assert_int_equal(u.rc, 0);
	assert_int_equal(u.a.page_shift, 12);
	assert_int_equal(u.a.nodes.v[0].zone[PZ_ZONE_DMA].present, 3998);
	unseen_close(&u);
}

/* Memory beyond what the kernel can name is in no zone, and the zones are counted all the same. */
static void unseen_beyond_width(void **state)
{
	struct unseen u;

	unseen_open(
		&u,
		BANNER_6_1 E820_8G
		"[    0.000000] BIOS-e820: [mem 0x0000400000000000-0x000040000fffffff] usable\n",
		NULL);
	assert_int_equal(u.rc, 0);
	assert_int_equal(u.a.nodes.v[0].zone[PZ_ZONE_DMA].present, 3998);
	assert_int_equal(u.a.nodes.v[0].zone[PZ_ZONE_DMA].managed, 3840);
	assert_true(u.a.nodes.v[0].zone[PZ_ZONE_NORMAL].managed <
		    u.a.nodes.v[0].zone[PZ_ZONE_NORMAL].present);
	assert_int_equal(u.a.problems.n, 0);
	unseen_close(&u);

	/* No processor of the architecture has that many address lines. */
	unseen_open(
		&u,
		BANNER_6_1 E820_8G
		"[    0.000000] BIOS-e820: [mem 0x00f0000000000000-0x00f000000fffffff] usable\n",
		NULL);
	assert_int_equal(u.rc, 0);
	assert_true(unseen_contradicts(&u, "beyond the address width"));
	assert_int_equal(u.a.problems.n, 1);
	assert_non_null(strstr(u.a.problems.v[0].text, "past what this processor can address"));
	unseen_close(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unseen_five_levels),
		cmocka_unit_test(unseen_totals),
		cmocka_unit_test(unseen_cut_map),
		cmocka_unit_test(unseen_page_sizes),
		cmocka_unit_test(unseen_crashkernel),
		cmocka_unit_test(unseen_beyond_width),
		cmocka_unit_test(unseen_i386_zones),
		cmocka_unit_test(unseen_arm64_iomem),
		cmocka_unit_test(unseen_xen),
		cmocka_unit_test(unseen_arm_lpae),
		cmocka_unit_test(unseen_bounce_buffers),
		cmocka_unit_test(unseen_what_if_gives_back),
		cmocka_unit_test(unseen_x86_page_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
