/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fabricate.c - see fabricate.h.
 */
#include "fabricate.h"

#include <stdlib.h>
#include <string.h>

#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

static void fabricate_start(struct fabricated *x, const char *title)
{
	memset(x, 0, sizeof(*x));
	facts_init(&x->f);
	x->f.kind = SRC_LOG;
	facts_file(&x->f, title);
	x->a.model = PZL_LINUX_6_1;
	x->a.model_from = "from the log's version line";
	x->a.arch = PZL_ARCH_X86_64;
	x->a.arch_from = "from the log's version line";
	x->a.page_shift = 12;
	x->v.a = &x->a;
	x->v.f = &x->f;
	x->v.title = x->f.files.v[0];
}

static void fabricate_piece(struct fabricated *x, uint64_t first, uint64_t last, enum an_kind kind,
			    const char *label)
{
	struct an_piece *p = vec_push(&x->a.pieces);

	p->range.first = first;
	p->range.last = last;
	p->kind = kind;
	p->label = label ? xstrdup(label) : NULL;
}

static struct an_zone *fabricate_zone(struct an_node *node, enum pz_zone_type type, uint64_t start,
				      uint64_t spanned, uint64_t present, uint64_t managed)
{
	struct an_zone *z = &node->zone[type];

	z->shown = true;
	z->start_pfn = start;
	z->spanned = spanned;
	z->present = present;
	z->managed = managed;
	z->managed_from = MANAGED_REPORT;
	z->protections = 5;
	return z;
}

static void fabricate_marks(struct an_zone *z, uint64_t min, uint64_t low, uint64_t high,
			    uint64_t protection)
{
	unsigned int i;

	z->min = min;
	z->low = low;
	z->high = high;
	for (i = 1; i < z->protections; i++)
		z->protection[i] = protection;
}

static struct an_node *fabricate_node(struct fabricated *x, int nid)
{
	struct an_node *node = vec_push(&x->a.nodes);

	node->nid = nid;
	fabricate_zone(node, PZ_ZONE_DMA, 0, 0, 0, 0);
	fabricate_zone(node, PZ_ZONE_DMA32, 0, 0, 0, 0);
	fabricate_zone(node, PZ_ZONE_NORMAL, 0, 0, 0, 0);
	fabricate_zone(node, PZ_ZONE_MOVABLE, 0, 0, 0, 0);
	fabricate_zone(node, PZ_ZONE_DEVICE, 0, 0, 0, 0);
	return node;
}

static void fabricate_texts(struct fabricated *x)
{
	x->f.release = xstrdup("6.1.0-50-amd64");
	x->f.boots = x->f.boot = 1;
	x->f.lines_total = 389;
	x->f.lines_used = 61;
	x->f.lines_ignored = 328;
	x->a.layout_from =
		xstrdup("computed from the firmware's map (BIOS-e820) and linux-6.1's zone "
			"limits for x86_64; the log's own \"Zone ranges:\" agree");
	x->a.managed_from = xstrdup("shared out from the log's totals: the \"Memory:\" line and 3 "
				    "\"Freeing\" lines");
	x->a.marks_from = xstrdup("computed from managed and min_free_kbytes 1776");
}

void fabricate_capture(struct fabricated *x)
{
	struct an_node *node;
	struct fact_contradiction *c;

	fabricate_start(x, "machines/x86_64/6.1-kdump-256M");
	fabricate_texts(x);
	x->a.cmdline = xstrdup("console=ttyS0 irqpoll nr_cpus=1 reset_devices acpi_rsdp=0xf59d0 "
			       "elfcorehdr=2014580K");
	fabricate_piece(x, 0, 0xfff, AN_RESERVED, NULL);
	fabricate_piece(x, 0x1000, 0x9efff, AN_BOOT, "low 1 MiB, never given out");
	fabricate_piece(x, 0x9f000, 0x9fbff, AN_RAM, NULL);
	fabricate_piece(x, 0x9fc00, 0x9ffff, AN_RESERVED, NULL);
	fabricate_piece(x, 0xf0000, 0xfffff, AN_RESERVED, "System ROM");
	fabricate_piece(x, 0x6b000000, 0x6b7fffff, AN_RAM, NULL);
	fabricate_piece(x, 0x6b800000, 0x6c601d31, AN_KERNEL, "code");
	fabricate_piece(x, 0x6c800000, 0x6d0e6fff, AN_KERNEL, "rodata");
	fabricate_piece(x, 0x6d200000, 0x6d4489bf, AN_KERNEL, "data");
	fabricate_piece(x, 0x6db0d000, 0x6ebfffff, AN_KERNEL, "bss");
	fabricate_piece(x, 0x6ec00000, 0x79ffffff, AN_RAM, NULL);
	fabricate_piece(x, 0x7a000000, 0x7add3fff, AN_BOOT, "memory map and tables");
	fabricate_piece(x, 0x7add4000, 0x7adfefff, AN_BOOT, "NODE_DATA(0)");
	fabricate_piece(x, 0x7adff000, 0x7af4dfff, AN_INITRD, NULL);
	fabricate_piece(x, 0x7af4e000, 0x7af5cfff, AN_RAM, NULL);
	fabricate_piece(x, 0x7afffc00, 0x7affffff, AN_RAM, NULL);
	fabricate_piece(x, 0x7ffe0000, 0x7fffffff, AN_RESERVED, NULL);
	fabricate_piece(x, 0xfffc0000, 0xffffffff, AN_RESERVED, NULL);
	fabricate_piece(x, 0xfd00000000, 0xffffffffff, AN_RESERVED, NULL);
	node = fabricate_node(x, 0);
	fabricate_zone(node, PZ_ZONE_DMA, 1, 4095, 158, 0);
	fabricate_marks(fabricate_zone(node, PZ_ZONE_DMA32, 4096, 499549, 65373, 51791), 444, 555,
			666, 0);
	*vec_push(&x->a.notes) = xstrdup("mem= is not given; the crash kernel's memory is all that "
					 "the firmware's map offers");
	c = vec_push(&x->a.contradictions);
	c->text = xstrdup("last_pfn = 0x7b000, computed 0x7b001");
	c->at.line = 33;
	vec_push(&x->a.problems)->text = xstrdup(
		"zone DMA of node 0 has 158 present pages and none managed: a request that "
		"insists on it (GFP_DMA, an atomic DMA pool) fails however much memory is free");
}

void fabricate_crashed(struct fabricated *x)
{
	struct an_node *node;

	fabricate_start(x, "machines/x86_64/6.1-kdump-256M/first");
	fabricate_texts(x);
	x->a.cmdline = xstrdup("console=ttyS0 crashkernel=256M");
	fabricate_piece(x, 0, 0xfff, AN_RESERVED, NULL);
	fabricate_piece(x, 0x1000, 0x9efff, AN_BOOT, "low 1 MiB, never given out");
	fabricate_piece(x, 0x9fc00, 0x9ffff, AN_RESERVED, NULL);
	fabricate_piece(x, 0xf0000, 0xfffff, AN_RESERVED, "System ROM");
	fabricate_piece(x, 0x100000, 0x6affffff, AN_RAM, NULL);
	fabricate_piece(x, 0x6b000000, 0x7affffff, AN_CRASHKERNEL, NULL);
	fabricate_piece(x, 0x7b000000, 0x7b1fffff, AN_RAM, NULL);
	fabricate_piece(x, 0x7b200000, 0x7c001d31, AN_KERNEL, "code");
	fabricate_piece(x, 0x7c200000, 0x7cae6fff, AN_KERNEL, "rodata");
	fabricate_piece(x, 0x7cc00000, 0x7ce489bf, AN_KERNEL, "data");
	fabricate_piece(x, 0x7d50d000, 0x7e5fffff, AN_KERNEL, "bss");
	fabricate_piece(x, 0x7e600000, 0x7ecfffff, AN_RAM, NULL);
	fabricate_piece(x, 0x7ed00000, 0x7f86ffff, AN_INITRD, NULL);
	fabricate_piece(x, 0x7f870000, 0x7ffdffff, AN_BOOT, "memory map and tables");
	fabricate_piece(x, 0x7ffe0000, 0x7fffffff, AN_RESERVED, NULL);
	fabricate_piece(x, 0xfffc0000, 0xffffffff, AN_RESERVED, NULL);
	fabricate_piece(x, 0xfd00000000, 0xffffffffff, AN_RESERVED, NULL);
	node = fabricate_node(x, 0);
	fabricate_marks(fabricate_zone(node, PZ_ZONE_DMA, 1, 4095, 3998, 3840), 75, 93, 111, 1667);
	fabricate_marks(fabricate_zone(node, PZ_ZONE_DMA32, 4096, 520160, 520160, 437213), 8545,
			10681, 12817, 0);
}

void fabricate_large(struct fabricated *x)
{
	unsigned int n;

	fabricate_start(x, "four nodes");
	fabricate_piece(x, 0, GIB(2) - 1, AN_RAM, NULL);
	fabricate_piece(x, GIB(2), GIB(2) + MIB(16) - 1, AN_ACPI,
			"tables \x1b[31m\xff of the firmware");
	fabricate_piece(x, GIB(2) + MIB(16), GIB(2) + MIB(20) - 1, AN_NVS, NULL);
	fabricate_piece(x, GIB(4), GIB(4) + MIB(64) - 1, AN_SWIOTLB, NULL);
	fabricate_piece(x, GIB(4) + MIB(64), GIB(16384) - 1, AN_RAM, NULL);
	fabricate_piece(x, GIB(16384), GIB(32768) - 1, AN_PMEM,
			"namespace0.0 <\"quoted\" & so on>");
	fabricate_piece(x, GIB(32768), GIB(65536) - 1, AN_CMA, "hugetlb");
	fabricate_piece(x, UINT64_MAX - 0xffff, UINT64_MAX, AN_RESERVED, "top");
	for (n = 0; n < 4; n++) {
		struct an_node *node = fabricate_node(x, (int)n);
		uint64_t pages = GIB(16384) >> 12;

		if (n == 3) {
			node->memoryless = true;
			continue;
		}
		if (n == 0) {
			fabricate_zone(node, PZ_ZONE_DMA, 1, 4095, 3998, 3840);
			fabricate_zone(node, PZ_ZONE_DMA32, 4096, 1044480, 520192, 437213);
		}
		fabricate_marks(fabricate_zone(node, PZ_ZONE_NORMAL, (GIB(4) >> 12) + n * pages / 2,
					       pages, pages / 2, pages / 2 - 4711),
				1000, 2000, 3000, 0);
		fabricate_zone(node, PZ_ZONE_MOVABLE, (GIB(4) >> 12) + (n + 2) * pages, pages,
			       pages, pages);
	}
}

void fabricate_empty(struct fabricated *x)
{
	fabricate_start(x, "nothing");
}

static uint64_t fabricate_next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

void fabricate_random(struct fabricated *x, uint64_t seed)
{
	static const char *const labels[] = {
		NULL,
		"",
		"a label",
		"\x1b\x01\xff\xc3",
		"<&>\"'",
		"a label so long that no picture on this earth, however wide "
		"its author may have made it, could ever show it in one line"
	};
	unsigned int pieces, nodes, i, t;
	uint64_t at = 0;

	fabricate_start(x, "random");
	x->a.page_shift = 12 + fabricate_next(&seed) % 5;
	pieces = fabricate_next(&seed) % (fabricate_next(&seed) % 4 ? 24 : 600);
	for (i = 0; i < pieces; i++) {
		uint64_t gap = fabricate_next(&seed) >> (fabricate_next(&seed) % 64);
		uint64_t size = fabricate_next(&seed) >> (fabricate_next(&seed) % 64);

		if (fabricate_next(&seed) % 2)
			gap = 0;
		if (gap > UINT64_MAX - at)
			break;
		at += gap;
		if (size > UINT64_MAX - at)
			size = UINT64_MAX - at;
		fabricate_piece(x, at, at + size, (enum an_kind)(fabricate_next(&seed) % AN_KINDS),
				labels[fabricate_next(&seed) % 6]);
		if (at + size == UINT64_MAX)
			break;
		at += size + 1;
	}
	nodes = fabricate_next(&seed) % (fabricate_next(&seed) % 4 ? 3 : 70);
	for (i = 0; i < nodes; i++) {
		struct an_node *node = vec_push(&x->a.nodes);

		node->nid = (int)i;
		for (t = 0; t < PZ_ZONE_TYPES; t++) {
			uint64_t start = fabricate_next(&seed) >> (16 + fabricate_next(&seed) % 48);
			uint64_t spanned =
				fabricate_next(&seed) >> (16 + fabricate_next(&seed) % 48);
			uint64_t present = spanned >> (fabricate_next(&seed) % 4);

			if (fabricate_next(&seed) % 3 == 0)
				spanned = present = 0;
			fabricate_zone(node, (enum pz_zone_type)t, start, spanned, present,
				       present >> (fabricate_next(&seed) % 64));
			node->zone[t].shown = fabricate_next(&seed) % 8 != 0;
			fabricate_marks(&node->zone[t], fabricate_next(&seed), VIEW_UNKNOWN, 3, 4);
		}
	}
}

void fabricated_destroy(struct fabricated *x)
{
	analysis_destroy(&x->a);
	facts_destroy(&x->f);
}
