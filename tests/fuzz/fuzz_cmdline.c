/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_cmdline.c - a kernel command line of any bytes, and the machine that it makes.
 *
 * The first byte chooses the model, the second the architecture; the rest is the command line.
 */
#include <stdlib.h>

#include <physzone/linux/boot.h>
#include <physzone/linux/crash.h>
#include <physzone/linux/early.h>
#include <physzone/linux/low1m.h>
#include <physzone/linux/x86.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARGS 64
#define OPS 64

static void *fuzz_alloc(void *ctx, size_t size)
{
	(void)ctx;
	return malloc(size);
}

static void fuzz_free(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static const struct pz_meta fuzz_meta = { fuzz_alloc, fuzz_free, NULL };

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_args(const struct pzl_cmdline *c, const char *text, size_t len)
{
	uint32_t n = c->arg_count < c->arg_cap ? c->arg_count : c->arg_cap, i;

	for (i = 0; i < n; i++) {
		const struct pzl_arg *a = &c->arg[i];

		must(a->name >= text && a->name + a->name_len <= text + len);
		must(a->name == text + a->pos);
		must(!a->value || (a->value >= text && a->value + a->value_len <= text + len));
		/* A quote at the very end of what is kept opens a name that is empty. */
		must(i == 0 || a->pos > c->arg[i - 1].pos ||
		     (a->pos == c->arg[i - 1].pos && !c->arg[i - 1].name_len));
		must(pzl_arg_problem_text(a->problem)[0] != '?');
		must(pzl_arg_kind_name(a->kind)[0] != '?');
	}
	n = c->op_count < c->op_cap ? c->op_count : c->op_cap;
	for (i = 0; i < n; i++)
		must(c->op[i].arg < c->arg_count && (i == 0 || c->op[i].arg >= c->op[i - 1].arg));
	must(!c->numa_fake ||
	     (c->numa_fake >= text && c->numa_fake + c->numa_fake_len <= text + len));
}

static void take_line(void *ctx, const char *line, size_t len)
{
	(void)ctx;
	must(line && len > 0 && len < 240);
}

/* Reserve a crash kernel, and for x86 make the capture kernel's map. */
static void check_crash(enum pzl_model m, enum pzl_arch a, const char *text, size_t len,
			struct pz_memblock *mb, const struct pz_map *map)
{
	uint64_t total = pz_memblock_bytes(mb, PZ_MB_MEMORY);
	struct pzl_crash_request req;
	struct pzl_crash_area area;
	struct pzl_crash_env env;

	if (pzl_crash_parse(m, a, text, len, total, &req) != 0) {
		must(req.parse != PZL_CRASH_FOUND);
		return;
	}
	must(req.parse == PZL_CRASH_FOUND && req.size > 0);
	pzl_crash_env_init(&env, m, a, mb, 0);
	if (pzl_crash_reserve(&env, &req, mb, &area) != 0)
		return;
	must(pz_memblock_check(mb) == 0);
	pzl_crash_print(&env, &req, &area, total, take_line, NULL);
	if (area.result == PZL_CRASH_RESERVED && map) {
		struct pzl_capture_input in;
		struct pz_map out;

		pz_map_init(&out, &fuzz_meta, NULL, 0);
		pzl_capture_input_init(&in, m, map, area.main);
		in.how = len & 1 ? PZL_KEXEC_TOOLS : PZL_KEXEC_FILE;
		in.has_low = area.has_low;
		in.low = area.low;
		if (pzl_capture_map(&in, &out, NULL) == 0) {
			must(pz_map_sanitise(&out, 12, 64) == 0);
			must(pz_map_check(&out) == 0);
		}
		pz_map_destroy(&out);
	}
}

static void check_x86(enum pzl_model m, enum pzl_arch a, bool pae, const struct pzl_cmdline *c)
{
	struct pzl_x86_memory x;
	struct pzl_x86_input in;
	struct pzl_low1m_input li;
	struct pzl_low1m low;
	struct pz_map fw;

	pz_map_init(&fw, &fuzz_meta, NULL, 0);
	must(pz_map_insert(&fw, 0, 0x9fc00, 1, 1) == 0);
	must(pz_map_insert(&fw, 0x9fc00, 0x400, 2, 2) == 0);
	must(pz_map_insert(&fw, 0x100000, 0xbfee0000, 1, 3) == 0);
	must(pz_map_insert(&fw, 0x100000000, 0x140000000, 1, 4) == 0);
	pzl_x86_input_init(&in, m, a, pae);
	in.firmware = &fw;
	in.cmdline = c;
	in.has_kernel = true;
	in.kernel = (struct pz_range){ 0x1000000, 0x2ffffff };
	must(pzl_x86_memory(&x, &fuzz_meta, &in) == 0);
	must(pz_map_check(&x.map) == 0 && pz_memblock_check(&x.mb) == 0);
	must(x.max_low_pfn <= x.max_pfn);
	pzl_low1m_input_init(&li, m);
	must(pzl_low1m(&li, &x.mb, &low) == 0 && low.managed <= low.present);
	must(pzl_low1m_apply(&low, &x.mb) == 0);
	check_crash(m, a, c->text, c->len, &x.mb, &x.map);
	pzl_x86_memory_destroy(&x);
	pz_map_destroy(&fw);
}

static void check_early(enum pzl_model m, enum pzl_arch a, unsigned int shift,
			const struct pzl_cmdline *c)
{
	struct pzl_early_input in;
	struct pz_memblock mb;
	struct pzl_early e;

	must(pz_memblock_init(&mb, &fuzz_meta, shift) == 0);
	must(pz_memblock_add(&mb, 0x40000000, 0x40000000, 0, 0) == 0);
	must(pz_memblock_add(&mb, 0x90000000, 0x30000000, 1, 0) == 0);
	pzl_early_input_init(&in, m, a);
	in.cmdline = c;
	in.has_kernel = true;
	in.kernel = (struct pz_range){ 0x41000000, 0x42ffffff };
	must(pzl_early_memory(&in, &mb, &e) == 0);
	must(pz_memblock_check(&mb) == 0);
	check_crash(m, a, c->text, c->len, &mb, NULL);
	pz_memblock_destroy(&mb);
}

/* What the words ask for while the kernel starts: requests that can be made. */
static void check_start(enum pzl_model m, enum pzl_arch a, unsigned int shift,
			const struct pzl_cmdline *c)
{
	struct pzl_boot_request r[8];
	struct pzl_boot_args args;
	struct pzl_boot_in in = {
		.model = m,
		.arch = a,
		.page_shift = shift,
		.max_order = pzl_max_order(a, shift),
		.configured = pzl_arch_zones(m, a, PZL_VAR_GENERIC),
		.cpus = 4,
		.ram_bytes = (uint64_t)6 << 30,
		.ram_last = ((uint64_t)7 << 30) - 1,
		.low_last = UINT32_MAX,
		.totalram_pages = (uint64_t)6 << (30 - shift),
		.zone_limit = 0xffffff,
	};
	unsigned int n;

	pzl_boot_args(c, &args);
	n = pzl_boot_pools(&in, &args, r);
	must(n >= 1 && n <= PZL_BOOT_POOLS);
	for (unsigned int i = 0; i < n; i++)
		must(r[i].min_order <= r[i].order && r[i].order <= in.max_order && r[i].bytes);
	if (!pzl_boot_swiotlb(&in, &args, r))
		must(r[0].bytes && r[0].min_bytes <= r[0].bytes && !(r[0].bytes & 2047));
	n = pzl_boot_hugepages(&in, c, r, 8);
	for (unsigned int i = 0; i < n && i < 8; i++) {
		must(r[i].count && !(r[i].bytes & (r[i].bytes - 1)));
		must(r[i].what == PZL_BOOT_GIGANTIC || r[i].order <= in.max_order);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pzl_arg args[ARGS];
	struct pzl_mem_op ops[OPS];
	struct pzl_cmdline c;
	enum pzl_model m;
	enum pzl_arch a;
	unsigned int shift;
	uint64_t v;
	int err;

	if (size < 2)
		return 0;
	m = (enum pzl_model)(data[0] % PZL_MODELS);
	a = (enum pzl_arch)(data[1] % PZL_ARCHS);
	shift = pzl_arch_info(a)->page_shift;
	pzl_cmdline_init(&c, args, ARGS, ops, OPS);
	err = pzl_cmdline_parse(&c, m, a, shift, (const char *)data + 2, size - 2);
	must(err == 0 || err == -PZ_ENOSPC);
	must((err == 0) == (c.arg_count <= ARGS && c.op_count <= OPS));
	check_args(&c, (const char *)data + 2, size - 2);
	(void)pzl_cmdline_numa_cma(&c, 0, &v);
	check_start(m, a, shift, &c);
	if (a == PZL_ARCH_X86_64 || a == PZL_ARCH_I386)
		check_x86(m, a, data[0] & 0x80, &c);
	else
		check_early(m, a, shift, &c);
	return 0;
}
