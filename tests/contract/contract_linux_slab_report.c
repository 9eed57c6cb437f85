/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_linux_slab_report.c - Linux's lines about corrupted slab objects. Expected lines are
 * those that docs/facts/slab.md section 13 describes.
 */
#include <physzone/linux/slab_report.h>

#include "suites_decl.h"
#include "tap.h"

static const char *const sr_redzone[] = {
	"=============================================================================",
	"BUG kmalloc-16 (Not tainted): Right Redzone overwritten",
	"-----------------------------------------------------------------------------",
	"",
	"0xffff8880010000a0-0xffff8880010000a0 @offset=160. First byte 0x0 instead of 0xcc",
	"Allocated in zonefill_init+0x40/0x100 age=12 cpu=0 pid=105",
	" kmalloc_trace+0x26/0x90",
	" do_one_initcall+0x5a/0x220",
	"Freed in zonefill_exit+0x10/0x30 age=20 cpu=1 pid=7",
	"Slab 0xffffea0000040000 objects=32 used=2 fp=0xffff888001000110 flags=0x200(slab|zone=0)",
	"Object 0xffff888001000090 @offset=144 fp=0x0000000000000000",
	"",
	"Redzone  ffff888001000080: cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc cc  "
	"................",
	"Object   ffff888001000090: 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f 5c  "
	"ABCDEFGHIJKLMNO\\",
	"Redzone  ffff8880010000a0: 00 cc cc cc cc cc cc cc                          ........",
	"Padding  ffff8880010000f4: 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a              ZZZZZZZZZZZZ",
	"FIX kmalloc-16: Restoring Right Redzone 0xffff8880010000a0-0xffff8880010000a0=0xcc",
	NULL,
};

static const char *const sr_twice[] = {
	"=============================================================================",
	"BUG buf (Tainted: G    B     ): Object already free",
	"-----------------------------------------------------------------------------",
	"",
	"Slab 0xc0010000 objects=21 used=0 fp=0xc10000c0 flags=0x200(slab|zone=0)",
	"Object 0xc10000c0 @offset=192 fp=0xc1000180",
	"",
	"Bytes b4 c10000b0: 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkkkkkkkkkk",
	"Object   c10000c0: 30 31 32 33 34 35 36 37 38 39 3a 3b 3c 3d 3e 3f  0123456789:;<=>?",
	"Object   c10000d0: 40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f  @ABCDEFGHIJKLMNO",
	"Object   c10000e0: 50 51 52 53 54 55 56 57                          PQRSTUVW",
	"FIX buf: Object at 0xc10000c0 not freed",
	NULL,
};

static const char *const sr_padding[] = {
	"=============================================================================",
	"BUG odd (Not tainted): Padding overwritten. 0xffff888001000fa0-0xffff888001000fa1 "
	"@offset=4000",
	"-----------------------------------------------------------------------------",
	"",
	"Slab 0xffffea0000040000 objects=4 used=4 fp=0x0000000000000000 flags=0x200(slab)",
	"Padding ffff888001000fa0: 11 12 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a  "
	"..ZZZZZZZZZZZZZZ",
	"Padding ffff888001000fb0: 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a  "
	"ZZZZZZZZZZZZZZZZ",
	"Padding ffff888001000fc0: 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a  "
	"ZZZZZZZZZZZZZZZZ",
	"Padding ffff888001000fd0: 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a  "
	"ZZZZZZZZZZZZZZZZ",
	"Padding ffff888001000fe0: 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a  "
	"ZZZZZZZZZZZZZZZZ",
	"Padding ffff888001000ff0: 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a  "
	"ZZZZZZZZZZZZZZZZ",
	"FIX odd: Restoring slab padding 0xffff888001000fa0-0xffff888001000fa1=0x5a",
	NULL,
};

struct sr_lines {
	const char *const *line;
	uint32_t n, differs;
	bool over;
};

static bool sr_same(const char *a, const char *b, size_t len)
{
	size_t i = 0;

	while (i < len && b[i] && a[i] == b[i])
		i++;
	return i == len && !b[i];
}

static void sr_line(void *ctx, const char *line, size_t len)
{
	struct sr_lines *l = ctx;

	l->over = l->over || !l->line[l->n];
	if (l->over)
		return;
	if (!sr_same(line, l->line[l->n], len))
		l->differs++;
	l->n++;
}

/* Whether a report is exactly these lines. */
static bool sr_is(const struct pzl_slab_finding *f, const char *const *lines)
{
	struct sr_lines l = { lines, 0, 0, false };

	pzl_slab_report(f, sr_line, &l);
	return !l.over && !l.differs && !lines[l.n];
}

static void sr_full(struct tap *t)
{
	static const char *const stack[] = { "kmalloc_trace+0x26/0x90",
					     "do_one_initcall+0x5a/0x220" };
	const struct pzl_slab_track allocated = {
		"zonefill_init+0x40/0x100", 12, 0, 105, stack, 2
	};
	const struct pzl_slab_track freed = { "zonefill_exit+0x10/0x30", 20, 1, 7, NULL, 0 };
	const uint64_t base = 0xffff888001000000;
	struct pzl_slab_cache c = { .object_size = 16, .align = 16 };
	struct pzl_slab_finding f = { .cache = "kmalloc-16", .taint = "Not tainted" };
	struct pzl_slab_geometry g;
	struct pzl_slab_kernel k;
	uint8_t slot[128];

	pzl_slab_kernel_init(&k, PZL_LINUX_6_1, PZL_ARCH_X86_64, 0);
	c.flags = PZL_SLAB_KMALLOC | PZL_SLAB_CONSISTENCY_CHECKS | PZL_SLAB_DEBUG_METADATA;
	CHECK(t, pzl_slab_geometry(&k, &c, &g) == 0 && g.size == 128);
	for (uint32_t i = 0; i < 128; i++)
		slot[i] = i < 16 || (i >= 32 && i < 40) ? 0xcc : i >= 116 ? 0x5a : 0;
	for (uint32_t i = 0; i < 15; i++)
		slot[16 + i] = (uint8_t)('A' + i);
	slot[31] = '\\';
	slot[32] = 0;
	f.k = &k;
	f.g = &g;
	f.flags = c.flags;
	f.object_size = 16;
	f.fault = PZL_FAULT_RIGHT_REDZONE;
	f.fix = PZL_FIX_RESTORE;
	f.first = f.last = base + 160;
	f.should = 0xcc;
	f.object = base + 144;
	f.base = base;
	f.slab = 0xffffea0000040000;
	f.slab_fp = base + 272;
	f.objects = 32;
	f.used = 2;
	f.page_flags = "0x200(slab|zone=0)";
	f.allocated = &allocated;
	f.freed = &freed;
	f.bytes = slot;
	f.bytes_at = base + 128;
	f.bytes_len = sizeof(slot);
	CHECK(t, sr_is(&f, sr_redzone));
	/* memory that is not given is not dumped, and nothing is read of it */
	f.bytes_len = 31;
	CHECK(t, !sr_is(&f, sr_redzone));
}

static void sr_others(struct tap *t)
{
	struct pzl_slab_geometry g = { .size = 192, .inuse = 192, .offset = 96, .objects = 21 };
	struct pzl_slab_finding f = { .cache = "buf", .taint = "Tainted: G    B     " };
	struct pzl_slab_kernel k;
	uint8_t bytes[96];

	pzl_slab_kernel_init(&k, PZL_LINUX_6_1, PZL_ARCH_I386, 0);
	for (uint32_t i = 0; i < 56; i++)
		bytes[i] = (uint8_t)(i < 16 ? 0x6b : 0x30 + i - 16);
	f.k = &k;
	f.g = &g;
	f.object_size = 40;
	f.fault = PZL_FAULT_ALREADY_FREE;
	f.fix = PZL_FIX_NOT_FREED;
	f.object = 0xc10000c0;
	f.object_fp = 0xc1000180;
	f.base = 0xc1000000;
	f.slab = 0xc0010000;
	f.slab_fp = 0xc10000c0;
	f.objects = 21;
	f.page_flags = "0x200(slab|zone=0)";
	f.bytes = bytes;
	f.bytes_at = 0xc10000b0;
	f.bytes_len = 56;
	CHECK(t, sr_is(&f, sr_twice));

	pzl_slab_kernel_init(&k, PZL_LINUX_6_12, PZL_ARCH_X86_64, 0);
	g = (struct pzl_slab_geometry){ .size = 1000, .inuse = 1000, .objects = 4 };
	for (uint32_t i = 0; i < 96; i++)
		bytes[i] = (uint8_t)(i < 2 ? 0x11 + i : 0x5a);
	f = (struct pzl_slab_finding){ .k = &k,
				       .g = &g,
				       .cache = "odd",
				       .taint = "Not tainted",
				       .fault = PZL_FAULT_SLAB_PADDING,
				       .fix = PZL_FIX_RESTORE,
				       .first = 0xffff888001000fa0,
				       .last = 0xffff888001000fa1,
				       .should = 0x5a,
				       .base = 0xffff888001000000,
				       .slab = 0xffffea0000040000,
				       .objects = 4,
				       .used = 4,
				       .page_flags = "0x200(slab)",
				       .bytes = bytes,
				       .bytes_at = 0xffff888001000fa0,
				       .bytes_len = 96 };
	CHECK(t, sr_is(&f, sr_padding));
}

struct sr_text {
	enum pzl_slab_fault fault;
	const char *text;
};

static void sr_texts(struct tap *t)
{
	static const struct sr_text texts[] = {
		{ PZL_FAULT_LEFT_REDZONE, "Left Redzone overwritten" },
		{ PZL_FAULT_POISON, "Poison overwritten" },
		{ PZL_FAULT_END_POISON, "End Poison overwritten" },
		{ PZL_FAULT_ALIGNMENT_PADDING, "Alignment padding overwritten" },
		{ PZL_FAULT_OBJECT_PADDING, "Object padding overwritten" },
		{ PZL_FAULT_FREEPOINTER, "Freepointer corrupt" },
		{ PZL_FAULT_FREECHAIN, "Freechain corrupt" },
		{ PZL_FAULT_FREELIST_POINTER, "Freelist Pointer check fails" },
		{ PZL_FAULT_INVALID_POINTER, "Invalid object pointer 0x0000000000001008" },
		{ PZL_FAULT_OUTSIDE, "Attempt to free object(0x0000000000001008) outside of slab" },
		{ PZL_FAULT_SLAB_POINTER, "page slab pointer corrupt." },
		{ PZL_FAULT_NOT_A_SLAB, "Not a valid slab page" },
		{ PZL_FAULT_OBJECTS, "objects 70 > max 64" },
		{ PZL_FAULT_INUSE, "inuse 70 > max 64" },
		{ PZL_FAULT_OBJECTS_DIFFER, "Wrong number of objects. Found 70 but should be 64" },
		{ PZL_FAULT_COUNT_DIFFERS,
		  "Wrong object count. Counter is 70 but counted were 64" },
		{ PZL_FAULT_DISABLED,
		  "Slab disabled since SLUB metadata consistency check failed" },
	};
	struct pzl_slab_finding f = { .object = 0x1008, .number = { 70, 64 } };
	struct pzl_slab_kernel k;
	char buf[100], cut[5];

	pzl_slab_kernel_init(&k, PZL_LINUX_6_1, PZL_ARCH_X86_64, 0);
	f.k = &k;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t n;

		f.fault = texts[i].fault;
		n = pzl_slab_fault_text(buf, sizeof(buf), &f);
		CHECK_NAMED(t, sr_same(buf, texts[i].text, n), texts[i].text);
	}
	f.fault = PZL_SLAB_FAULTS;
	CHECK(t, pzl_slab_fault_text(buf, sizeof(buf), &f) == 1);
	f.fault = PZL_FAULT_INUSE;
	CHECK(t, pzl_slab_fault_text(cut, sizeof(cut), &f) == 17 && sr_same(cut, "inus", 4));
}

void contract_linux_slab_report(struct tap *t)
{
	sr_full(t);
	sr_others(t);
	sr_texts(t);
}
