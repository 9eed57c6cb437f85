/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_linux.c - command lines and what they do to memory, against oracles that keep every number
 * in 128 bits and every page by itself.
 */
#include "prop.h"

#include <physzone/linux/crash.h>
#include <physzone/linux/x86.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *linux_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void linux_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static const struct pz_meta meta = { linux_alloc, linux_free, NULL };

/* A number in one of the notations, with a suffix: the oracle wraps it to 64 bits. */
static bool numbers(struct prop *p, void *ctx)
{
	static const char *const formats[] = { "%llu", "0x%llx", "0X%llX", "0%llo" };
	static const char suffixes[] = "KMGTPEkmgtpe";
	static const char *const tails[] = { "", "@1", ",x", " 5" };
	unsigned long long v = prop_addr(p), want = v;
	unsigned int suffix = prop_choice(p, 13), tail = prop_choice(p, 4);
	unsigned int notation = prop_choice(p, 4);
	char s[64];
	size_t used, n;
	bool wraps = false;

	(void)ctx;
	snprintf(s, sizeof(s), formats[notation], v);
	n = strlen(s);
	/* In hexadecimal an E is a digit, and so would be what comes before it. */
	if (suffix < 12 && !((notation == 1 || notation == 2) && suffix % 6 == 5)) {
		unsigned int shift = 10 * (suffix % 6 + 1);

		s[n++] = suffixes[suffix];
		want = shift >= 64 ? 0 : v << shift;
		PROP_ASSERT(p, n < sizeof(s));
		s[n] = '\0';
		strcat(s, tails[tail]);
		PROP_ASSERT(p, pzl_memparse(s, strlen(s), &used, &wraps) == want);
		PROP_ASSERT(p, used == n);
		PROP_ASSERT(p, wraps == (v >> (64 - shift) != 0));
		return true;
	}
	PROP_ASSERT(p, pzl_memparse(s, n, &used, &wraps) == v && used == n && !wraps);
	return true;
}

/* Any words: what is recorded lies in the text, ascends, and adds up. */
static bool words(struct prop *p, void *ctx)
{
	static const char *const bits[] = {
		"mem=",
		"memmap=",
		"crashkernel=",
		"kernelcore=",
		"movablecore=",
		"movable_node",
		"numa=",
		"fake=",
		"off",
		"cma=",
		"numa_cma=",
		"elfcorehdr=",
		"highmem=",
		"vmalloc=",
		" ",
		" ",
		" ",
		"\t",
		"\"",
		"=",
		"--",
		"1G",
		"0x10M",
		"@",
		"$",
		"#",
		"!",
		"%",
		"-",
		"+",
		":",
		",",
		"exactmap",
		",high",
		",low",
		"mirror",
		"50%",
		"0",
		"18446744073709551616",
	};
	char text[512];
	struct pzl_arg args[40];
	struct pzl_mem_op ops[40];
	struct pzl_cmdline c;
	enum pzl_model m = (enum pzl_model)prop_choice(p, PZL_MODELS);
	enum pzl_arch a = (enum pzl_arch)prop_choice(p, PZL_ARCHS);
	unsigned int n = (unsigned int)prop_draw(p, 40), i;
	uint32_t cap = (uint32_t)prop_draw(p, 40);
	size_t len = 0;
	int err;

	(void)ctx;
	for (i = 0; i < n; i++) {
		const char *b = bits[prop_choice(p, sizeof(bits) / sizeof(bits[0]))];

		if (len + strlen(b) >= sizeof(text))
			break;
		memcpy(text + len, b, strlen(b));
		len += strlen(b);
	}
	text[len] = '\0';
	prop_note(p, "%s %s: %s", pzl_model_name(m), pzl_arch_name(a), text);
	pzl_cmdline_init(&c, args, cap, ops, cap);
	err = pzl_cmdline_parse(&c, m, a, 12, text, len);
	PROP_ASSERT(p, err == (c.arg_count > cap || c.op_count > cap ? -PZ_ENOSPC : 0));
	for (i = 0; i < c.arg_count && i < cap; i++) {
		PROP_ASSERT(p, args[i].name == text + args[i].pos);
		PROP_ASSERT(p, args[i].pos + args[i].name_len <= len);
		PROP_ASSERT(p, i == 0 || args[i].pos > args[i - 1].pos);
		PROP_ASSERT(p, !args[i].value || (args[i].value > args[i].name &&
						  args[i].value + args[i].value_len <= text + len));
	}
	for (i = 0; i < c.op_count && i < cap; i++)
		PROP_ASSERT(p, ops[i].arg < c.arg_count);
	return true;
}

#define PAGES 48
#define BASE_PFN 0x1000u /* above the first megabyte, where nothing else happens */
#define PAGE 4096ull

/* Types as bits of a set, so that a page remembers each entry that covers it. */
static const uint32_t types[] = { 1, 2, 3, 4, 5, 12, 128 };
#define TYPES 7

struct world {
	uint8_t page[PAGES]; /* set of types that cover the page */
};

static void world_range(struct prop *p, unsigned int *first, unsigned int *last)
{
	*first = (unsigned int)prop_draw(p, PAGES - 1);
	*last = *first + (unsigned int)prop_draw(p, PAGES - 1 - *first);
}

static void world_change(struct world *w, unsigned int first, unsigned int last, int from, int to)
{
	unsigned int i;

	for (i = first; i <= last && i < PAGES; i++) {
		uint8_t hit = (uint8_t)(from < 0 ? 0xff : 1 << from);

		if (!(w->page[i] & hit))
			continue;
		w->page[i] = (uint8_t)(w->page[i] & ~hit);
		if (to >= 0)
			w->page[i] = (uint8_t)(w->page[i] | 1 << to);
	}
}

/* The edits of mem= and memmap= on a table that is not yet sorted, page by page. */
static bool edits(struct prop *p, void *ctx)
{
	unsigned int n = (unsigned int)prop_draw(p, 10), i, k;
	struct pz_map fw;
	struct pzl_mem_op ops[10];
	struct pzl_cmdline c;
	struct pzl_x86_input in;
	struct pzl_x86_memory x;
	struct world w;
	uint64_t end = 0;

	(void)ctx;
	memset(&w, 0, sizeof(w));
	memset(ops, 0, sizeof(ops));
	pz_map_init(&fw, &meta, NULL, 0);
	/* Two entries far above keep the firmware's table from being refused. */
	PROP_ASSERT(p, pz_map_insert(&fw, 1ull << 40, PAGE, 2, 0) == 0);
	PROP_ASSERT(p, pz_map_insert(&fw, 3ull << 40, PAGE, 2, 0) == 0);
	for (i = 0; i < PAGES;) {
		unsigned int len = 1 + (unsigned int)prop_draw(p, PAGES - 1 - i);
		unsigned int type = prop_choice(p, TYPES + 1);

		if (type < TYPES) {
			PROP_ASSERT(p, pz_map_insert(&fw, (BASE_PFN + i) * PAGE, len * PAGE,
						     types[type], 0) == 0);
			for (k = i; k < i + len; k++)
				w.page[k] = (uint8_t)(1u << type);
		}
		i += len;
	}
	for (i = 0; i < n; i++) {
		unsigned int first, last, from = prop_choice(p, TYPES), to = prop_choice(p, TYPES);

		world_range(p, &first, &last);
		ops[i].base = (BASE_PFN + first) * PAGE;
		ops[i].size = (last - first + 1) * PAGE;
		switch (prop_choice(p, 6)) {
		case 0:
			ops[i].kind = PZL_OP_CEILING;
			ops[i].from = PZ_MAP_RAM;
			world_change(&w, first, PAGES, 0, -1);
			break;
		case 1:
			ops[i].kind = PZL_OP_EXACTMAP;
			memset(&w, 0, sizeof(w));
			break;
		case 2:
			ops[i].kind = PZL_OP_UPDATE;
			ops[i].from = types[from];
			ops[i].to = types[to];
			world_change(&w, first, last, (int)from, (int)to);
			break;
		case 3:
			ops[i].kind = PZL_OP_REMOVE;
			ops[i].from = types[from];
			world_change(&w, first, last, (int)from, -1);
			break;
		case 4:
			ops[i].kind = PZL_OP_REMOVE;
			world_change(&w, first, last, -1, -1);
			break;
		default:
			ops[i].kind = PZL_OP_ADD;
			ops[i].to = types[to];
			for (k = first; k <= last; k++)
				w.page[k] = (uint8_t)(w.page[k] | 1u << to);
			break;
		}
	}
	pzl_cmdline_init(&c, NULL, 0, ops, 10);
	c.op_count = n;
	c.user_map = n != 0;
	pzl_x86_input_init(&in, PZL_LINUX_6_1, PZL_ARCH_X86_64, false);
	in.firmware = &fw;
	in.cmdline = &c;
	PROP_ASSERT(p, pzl_x86_memory(&x, &meta, &in) == 0);
	for (i = 0; i < PAGES; i++) {
		uint64_t addr = (BASE_PFN + i) * PAGE;
		uint32_t at = pz_map_find(&x.map, addr), have = 0, want = 0;
		bool memory = false;

		if (at < x.map.count && x.map.v[at].range.first <= addr)
			have = x.map.v[at].type;
		for (k = 0; k < TYPES; k++)
			if (w.page[i] & 1u << k)
				want = types[k];
		prop_note(p, "page %u: %u, wanted %u", i, have, want);
		PROP_ASSERT(p, have == want);
		for (k = 0; k < x.mb.memory.count; k++)
			memory = memory || (addr >= x.mb.memory.v[k].range.first &&
					    addr <= x.mb.memory.v[k].range.last);
		PROP_ASSERT(p, memory == (want == 1 || want == 128));
		if (want == 1)
			end = BASE_PFN + i + 1;
	}
	PROP_ASSERT(p, x.max_pfn == end);
	PROP_ASSERT(p, pz_map_check(&x.map) == 0 && pz_memblock_check(&x.mb) == 0);
	pzl_x86_memory_destroy(&x);
	pz_map_destroy(&fw);
	return true;
}

/* A reservation lies in memory, was free, is aligned; what fails leaves nothing behind. */
static bool reservations(struct prop *p, void *ctx)
{
	static const enum pzl_arch archs[] = { PZL_ARCH_X86_64, PZL_ARCH_I386, PZL_ARCH_ARM64,
					       PZL_ARCH_RISCV64, PZL_ARCH_ARM };
	enum pzl_model m = (enum pzl_model)prop_choice(p, PZL_MODELS);
	enum pzl_arch a = archs[prop_choice(p, 5)];
	unsigned int i, n = 1 + prop_choice(p, 6);
	struct pz_memblock mb, before;
	struct pzl_crash_env env;
	struct pzl_crash_request req;
	struct pzl_crash_area area;
	struct pz_range got[2];
	unsigned int gots = 0;

	(void)ctx;
	memset(&req, 0, sizeof(req));
	PROP_ASSERT(p, pz_memblock_init(&mb, &meta, 12) == 0);
	PROP_ASSERT(p, pz_memblock_init(&before, &meta, 12) == 0);
	for (i = 0; i < n; i++)
		(void)pz_memblock_add(&mb, prop_draw(p, 0x300) << 24,
				      (1 + prop_draw(p, 0x80)) << 24, PZ_NID_NONE, 0);
	for (i = 0; i < n; i++)
		(void)pz_memblock_reserve(&mb, prop_draw(p, 0x3000) << 20,
					  (1 + prop_draw(p, 0x100)) << 20, PZ_NID_NONE, 0);
	PROP_ASSERT(p, pz_memblock_copy(&before, &mb) == 0);
	req.parse = PZL_CRASH_FOUND;
	req.size = (1 + prop_draw(p, 0x1000)) << 20;
	req.high = prop_choice(p, 2);
	req.base = prop_choice(p, 4) ? 0 : prop_draw(p, 0x3000) << 20;
	req.low_given = prop_choice(p, 2);
	req.low_size = prop_draw(p, 0x200) << 20;
	pzl_crash_env_init(&env, m, a, &mb, 0);
	PROP_ASSERT(p, pzl_crash_reserve(&env, &req, &mb, &area) == 0);
	PROP_ASSERT(p, pz_memblock_check(&mb) == 0);
	if (area.result == PZL_CRASH_RESERVED) {
		got[gots++] = area.main;
		if (area.has_low)
			got[gots++] = area.low;
		PROP_ASSERT(p, area.main.last - area.main.first + 1 == req.size);
		PROP_ASSERT(p, !req.base || area.main.first == req.base);
	}
	for (i = 0; i < gots; i++) {
		struct pz_mb_iter it = { 0 };
		bool inside = false;

		PROP_ASSERT(p, !(got[i].first & 0xfffff));
		while (pz_memblock_next_free(&before, &it, PZ_NID_NONE))
			inside = inside ||
				 (got[i].first >= it.range.first && got[i].last <= it.range.last);
		/* Free ranges stop at the borders of nodes and flags, of which there are none here.
		 */
		PROP_ASSERT(p, inside);
		PROP_ASSERT(p, pz_memblock_reserve(&before, got[i].first,
						   got[i].last - got[i].first + 1, PZ_NID_NONE,
						   0) == 0);
	}
	PROP_ASSERT(p, before.reserved.count == mb.reserved.count);
	for (i = 0; i < mb.reserved.count; i++)
		PROP_ASSERT(p,
			    before.reserved.v[i].range.first == mb.reserved.v[i].range.first &&
				    before.reserved.v[i].range.last == mb.reserved.v[i].range.last);
	pz_memblock_destroy(&mb);
	pz_memblock_destroy(&before);
	return true;
}

int main(void)
{
	prop_run("sizes are read as the kernel reads them", numbers, NULL, 20000);
	prop_run("any words are split within the text", words, NULL, 20000);
	prop_run("edits of the e820 table, page by page", edits, NULL, 5000);
	prop_run("crash kernels lie in free memory", reservations, NULL, 5000);
	return prop_done();
}
