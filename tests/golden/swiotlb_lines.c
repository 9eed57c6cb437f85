/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swiotlb_lines.c - the bounce buffers of every recorded machine: each line that its kernel printed
 * about them, and the numbers of debugfs, from the model of its version. Output is TAP.
 *
 * Where they lie is not computed here: early memory is what was recorded, or enough. That the place
 * is right is held by the start-up of recorded machines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <physzone/linux/boot.h>
#include <physzone/linux/swiotlb.h>

#include "input/source.h"
#include "out.h"
#include "start.h"
#include "walk.h"

static unsigned int golden_run, golden_failed, golden_lines, golden_files;

static void golden_ok(bool ok, const char *machine, const char *what, const char *said,
		      const char *want)
{
	golden_run++;
	golden_failed += !ok;
	printf("%sok %u - %s: %s\n", ok ? "" : "not ", golden_run, machine, what);
	if (!ok)
		printf("# predicted: %s\n# recorded: %s\n", said, want);
}

/* What the kernel's log says, a bar behind each line. */
static void golden_log(const char *dir, struct out *o)
{
	char path[4200], *err = NULL;
	struct text t;

	snprintf(path, sizeof(path), "%s/dmesg.txt.xz", dir);
	if (text_read(&t, path, &err)) {
		free(err);
		return;
	}
	for (size_t i = 0; i < t.n; i++) {
		size_t len;
		const char *line = text_line(&t, i, &len);
		char *s = xstrndup(line, len), *p = strstr(s, "software IO TLB: ");

		if (p) {
			out_printf(o, "%s|", p);
			golden_lines++;
		}
		free(s);
	}
	text_destroy(&t);
}

static void golden_line(void *ctx, const char *line, size_t len)
{
	out_printf(ctx, "%.*s|", (int)len, line);
}

/* As the recording has the files, each after a line with its path. */
static void golden_file(void *ctx, const char *line, size_t len)
{
	int name = (int)strcspn(line, " ");

	if ((size_t)name < len)
		out_printf(ctx, "== /sys/kernel/debug/swiotlb/%.*s|%.*s|", name, line,
			   (int)len - name - 1, line + name + 1);
}

static bool golden_recorded_files(const char *dir, struct out *o)
{
	char path[4200], *err = NULL;
	struct text t;

	snprintf(path, sizeof(path), "%s/swiotlb.txt", dir);
	if (text_read(&t, path, &err)) {
		free(err);
		return false;
	}
	for (size_t i = 0; i < t.n; i++) {
		size_t len;
		const char *line = text_line(&t, i, &len);

		if (len)
			out_printf(o, "%.*s|", (int)len, line);
	}
	text_destroy(&t);
	return true;
}

static bool golden_x86(enum pzl_arch arch)
{
	return arch == PZL_ARCH_X86_64 || arch == PZL_ARCH_I386;
}

/* Whether devices that do not reach all memory are reckoned with. */
static bool golden_limited(const struct analysis *a, const struct pzl_boot_in *in,
			   const struct pzl_boot_args *args)
{
	switch (a->arch) {
	case PZL_ARCH_X86_64:
	case PZL_ARCH_I386:
		return in->ram_last >= (uint64_t)4 << 30 || args->iommu_soft;
	case PZL_ARCH_RISCV64:
		return in->ram_last >= (uint64_t)4 << 30;
	case PZL_ARCH_ARM64:
		return in->ram_last > in->low_last;
	default:
		return false;
	}
}

static void golden_in(struct pzl_boot_in *in, const struct an_start *s, const struct analysis *a,
		      const struct facts *f)
{
	memset(in, 0, sizeof(*in));
	in->cpus = f->nr_cpu_ids ? f->nr_cpu_ids : f->cpus ? f->cpus : 1;
	in->ram_bytes = pz_memblock_bytes(&s->mb, PZ_MB_MEMORY);
	in->ram_last = pz_memblock_last(&s->mb);
	for (size_t i = 0; i < f->srat.n; i++)
		if (f->srat.v[i].hotplug && f->srat.v[i].range.last > in->ram_last)
			in->ram_last = f->srat.v[i].range.last;
	in->low_last = s->low_last;
	in->model = a->model;
	in->arch = a->arch;
}

/* Give the settings their words, in the order of the command line. */
static void golden_words(struct pzl_swiotlb *sw, const struct pzl_cmdline *cl)
{
	for (uint32_t i = 0; i < cl->arg_count && i < cl->arg_cap; i++) {
		const struct pzl_arg *a = &cl->arg[i];

		if (a->name_len == 7 && !memcmp(a->name, "swiotlb", 7) && a->value &&
		    a->kind != PZL_ARG_INIT)
			pzl_swiotlb_param(sw, a->value, a->value_len);
	}
}

/* What the kernel does and prints. */
static void golden_boot(struct pzl_swiotlb *sw, struct pz_memblock *mb, const struct an_start *s,
			const struct analysis *a, const struct facts *f)
{
	struct pzl_boot_in in;
	struct pzl_boot_args args;
	bool limited, x86 = golden_x86(a->arch);

	golden_in(&in, s, a, f);
	sw->cfg.cpus = in.cpus;
	pzl_boot_args(&s->cl, &args);
	golden_words(sw, &s->cl);
	limited = golden_limited(a, &in, &args);
	if (!limited && a->arch == PZL_ARCH_ARM64 && a->model >= PZL_LINUX_6_12) {
		pzl_swiotlb_adjust_size(sw, in.ram_bytes >> 20 ? (in.ram_bytes + 1023) >> 10 : 0);
		pzl_swiotlb_init(sw, mb, true, PZL_SWIOTLB_VERBOSE);
		return;
	}
	pzl_swiotlb_init(sw, mb, limited, x86 ? 0 : PZL_SWIOTLB_VERBOSE);
	/* A PC tells where they are when it sets its devices up, and gives up what it needs not. */
	if (x86 && limited)
		pzl_swiotlb_print(sw);
	else if (x86)
		pzl_swiotlb_exit(sw);
}

static void golden_kernel(const char *dir, const char *name, const struct an_start *s,
			  const struct analysis *a, const struct facts *f)
{
	struct pzl_swiotlb_config cfg;
	struct pzl_swiotlb sw;
	struct pz_memblock mb;
	struct out said, want;
	uint64_t base = (uint64_t)1 << 30, size = (uint64_t)1 << 30;

	out_init(&said, NULL);
	out_init(&want, NULL);
	memset(&cfg, 0, sizeof(cfg));
	cfg.model = a->model;
	cfg.page_shift = a->page_shift;
	cfg.max_order = pzl_max_order(a->arch, a->page_shift);
	cfg.cpus = 1;
	cfg.low_last = ((uint64_t)4 << 30) - 1;
	cfg.high_first = PZ_ADDR_MAX;
	cfg.meta = &an_meta;
	cfg.hooks.emit = golden_line;
	cfg.hooks.ctx = &said;
	for (size_t i = 0; i < f->claims.n; i++)
		if (f->claims.v[i].kind == CLAIM_SWIOTLB) {
			base = f->claims.v[i].range.first;
			size = f->claims.v[i].range.last - base + 1;
			cfg.low_last = PZ_ADDR_MAX;
		}
	pz_memblock_init(&mb, &an_meta, a->page_shift);
	pz_memblock_add(&mb, base, size, 0, 0);
	if (!pzl_swiotlb_create(&sw, &cfg)) {
		golden_boot(&sw, &mb, s, a, f);
		golden_log(dir, &want);
		golden_ok(!strcmp(out_text(&said), out_text(&want)), name, "lines", out_text(&said),
			  out_text(&want));
		out_destroy(&said);
		out_destroy(&want);
		out_init(&said, NULL);
		out_init(&want, NULL);
		pzl_swiotlb_debugfs(&sw.mem, golden_file, &said);
		if (golden_recorded_files(dir, &want)) {
			golden_files++;
			golden_ok(!strcmp(out_text(&said), out_text(&want)), name, "debugfs",
				  out_text(&said), out_text(&want));
		}
		pzl_swiotlb_destroy(&sw);
	}
	pz_memblock_destroy(&mb);
	out_destroy(&said);
	out_destroy(&want);
}

static void golden_machine(const char *dir, const char *name)
{
	struct analysis_options how = { .cmdline = NULL };
	struct source_options so;
	struct analysis a;
	struct an_start s;
	struct facts f;
	char *err = NULL;

	memset(&so, 0, sizeof(so));
	memset(&a, 0, sizeof(a));
	facts_init(&f);
	if (!source_read(&f, dir, &so, &err) && !analyse_start(&s, &a, &f, &how, &err)) {
		golden_kernel(dir, name, &s, &a, &f);
		an_start_destroy(&s);
	} else {
		golden_ok(false, name, "it is read", err, "");
	}
	analysis_destroy(&a);
	facts_destroy(&f);
	free(err);
}

int main(int argc, char **argv)
{
	char what[120];

	if (argc != 2) {
		fprintf(stderr, "usage: swiotlb MACHINES\n");
		return 2;
	}
	golden_walk(argv[1], golden_machine);
	snprintf(what, sizeof(what), "compared %u lines and %u machines' files", golden_lines,
		 golden_files);
	golden_ok(golden_lines >= 215 && golden_files >= 95, "all", what, "", "");
	printf("1..%u\n", golden_run);
	return golden_failed != 0;
}
