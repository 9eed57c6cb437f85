/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.c - see options.h. One table says which option belongs to which command and what it does,
 * and both the parser and the help (options_help.c) read it.
 */
#include "options_int.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "vec.h"

#define ON_ZONES ON(CMD_ZONES)
#define ON_MAP ON(CMD_MAP)
#define ON_ARCH ON(CMD_ARCH)
#define ON_LOW1M ON(CMD_LOW1M)
#define ON_EXPLAIN ON(CMD_EXPLAIN)
#define ON_BOOT ON(CMD_BOOT)
#define ON_REACH ON(CMD_REACH)
#define ON_DEVICES ON(CMD_DEVICES)
#define ON_SWIOTLB ON(CMD_SWIOTLB)
#define ON_WASTE ON(CMD_WASTE)
#define ON_COMPARE ON(CMD_COMPARE)
#define ON_PREDICT ON(CMD_PREDICT)
#define ON_IOMMU ON(CMD_IOMMU)
#define ON_STARTED (ON_BOOT | ON_PREDICT)
#define ON_SHOWN (ON_ZONES | ON_MAP)
#define ON_REBUILT (ON_STARTED | ON_REACH | ON_COMPARE)
#define ON_MACHINE (ON_SHOWN | ON_LOW1M | ON_REBUILT)
#define ON_READS (ON_MACHINE | ON_EXPLAIN)
#define ON_TOLD (ON_READS | ON_ARCH | ON_WASTE | ON_DEVICES | ON_SWIOTLB | ON_IOMMU)
#define ON_ALL (ON(CMD_NONE) | ON_TOLD)

const struct option_def option_defs[] = {
	{ "model", "M", OPT_MODEL, (ON_READS & ~ON_STARTED) | ON_ARCH | ON_SWIOTLB,
	  "kernel whose rules apply: linux-5.15, linux-6.1 or linux-6.12; without it the log's "
	  "version line decides" },
	{ "sweep", "WHAT=FROM..TO[:STEP]", OPT_SWEEP, ON_PREDICT,
	  "what is changed: ram, crashkernel, cma, swiotlb or coherent_pool, from one size to "
	  "another, by powers of two or by steps" },
	{ "model", "M[,M...]", OPT_MODEL, ON_STARTED,
	  "kernel whose rules apply: linux-5.15, linux-6.1, linux-6.12, or physzone, which asks "
	  "by address; several stand beside each other, and all are these four; without it the "
	  "log's version line decides" },
	{ "model", "M", OPT_MODEL, ON_WASTE,
	  "kernel whose rules apply: linux-5.15, linux-6.1 or linux-6.12 (the default)" },
	{ "all", NULL, OPT_ALL, ON_DEVICES,
	  "a row for each device, also for those that are alike" },
	{ "all", NULL, OPT_ALL, ON_WASTE, "every kmalloc, not only what asks for GFP_DMA" },
	{ "arch", "A", OPT_ARCH, ON_WASTE, "architecture; x86_64 is the default" },
	{ "cmdline", "\"...\"", OPT_CMDLINE, ON_WASTE,
	  "kernel command line: slub_debug=, slub_max_order= and their like" },
	{ "bits", "N", OPT_BITS, ON_REACH,
	  "a device that drives N address lines, 1 to 64; may be given again for another device" },
	{ "bits", "N", OPT_BITS, ON_STARTED,
	  "physzone: the device that the DMA pool is for drives N address lines" },
	{ "bits", "N", OPT_BITS, ON_DEVICES,
	  "device tree: the masks that drivers set, in bits (32, which the kernel starts with)" },
	{ "root", "DIR", OPT_ROOT, ON_DEVICES,
	  "read DIR/sys and DIR/proc, a copy of those of another machine" },
	{ "reach", "ADDR", OPT_CAN_REACH, ON_DEVICES,
	  "only devices that reach this address, with both masks" },
	{ "cannot-reach", "ADDR", OPT_CANNOT_REACH, ON_DEVICES,
	  "only devices that do not reach this address" },
	{ "limit", "ADDR", OPT_LIMIT, ON_REACH,
	  "a device that reaches addresses up to ADDR; 256M is up to and without 256M" },
	{ "limit", "ADDR", OPT_LIMIT, ON_STARTED,
	  "physzone: the device that the DMA pool is for reaches up to ADDR" },
	{ "memory", "SIZE", OPT_MEMORY, ON_COMPARE,
	  "in place of SOURCE, a PC with so much memory (8G)" },
	{ "mix", "NAME", OPT_MIX, ON_COMPARE,
	  "the mix that the requests are drawn from: policies: desktop, kdump, board; tables: "
	  "media, storage; or a file" },
	{ "seed", "N", OPT_SEED, ON_COMPARE, "another stream of the same mix (1)" },
	{ "trace", "FILE", OPT_TRACE, ON_COMPARE,
	  "in place of a mix, recorded events: policies: kmem:mm_page_alloc and kmem:mm_page_free; "
	  "tables: iommu:map and iommu:unmap" },
	{ "limit", "ADDR", OPT_LIMIT, ON_COMPARE,
	  "policies: ZONE_LIMITED ends at ADDR; without it, where the widest limit of a device "
	  "does that leaves memory out; tables: they lie up to ADDR (4G)" },
	{ "bits", "N", OPT_BITS, ON_COMPARE, "the same as a number of address lines" },
	{ "cma", "SIZE", OPT_CMA, ON_COMPARE,
	  "policies: the contiguous area's size; without it that of the zone it replaces" },
	{ "fill", "P", OPT_FILL, ON_COMPARE,
	  "tables: others hold P percent of the memory in reach (99)" },
	{ "pressure", "P", OPT_PRESSURE, ON_COMPARE,
	  "tables: in P percent of the time they take all that can be had in atomic context (10)" },
	{ "keep", NULL, OPT_KEEP, ON_COMPARE,
	  "tables: empty ones stay until the end, as in Linux's own driver" },
	{ "time", NULL, OPT_TIME, ON_COMPARE,
	  "tables: measure nanoseconds for each table taken and given back" },
	{ "window", "A-B[,A-B...]", OPT_WINDOW, ON_REACH,
	  "a device that reaches from A to B, in one or several windows" },
	{ "kmalloc-dma", "BYTES", OPT_KMALLOC, ON_STARTED,
	  "in the end, a driver's kmalloc of so many bytes with GFP_DMA" },
	{ "coherent-pool", "RULES", OPT_COHERENT_POOL, ON_STARTED,
	  "what coherent_pool=0 means: the same as no word (kernel), a size of 0, with 256 KiB "
	  "where there is no word (documented), or no pools, as a patch proposed (proposed)" },
	{ "dma-caches", "WHEN", OPT_DMA_CACHES, ON_STARTED,
	  "make dma-kmalloc caches always, as Linux does, or only when ZONE_DMA has a managed "
	  "page (managed), as a patch proposed" },
	{ "base", "ADDR", OPT_BASE, ON_IOMMU,
	  "physical address of the first byte: dump: of FILE (0), map: of the tables (2G)" },
	{ "table", "ADDR", OPT_TABLE, ON_IOMMU,
	  "dump: where the first level begins, if not with the first FILE" },
	{ "ttbr", "VALUE", OPT_TTBR, ON_IOMMU, "dump: the same as the IOMMU's register has it" },
	{ "endian", "WHICH", OPT_ENDIAN, ON_IOMMU,
	  "order of bytes in an image: little (the default) or big" },
	{ "ias", "N", OPT_IAS, ON_IOMMU,
	  "bits of an iova, 20 to 32, with --mtk to 34 (32): the first level has a word for each "
	  "MiB" },
	{ "oas", "N", OPT_OAS, ON_IOMMU,
	  "map: bits of a physical address, 20 to 32, with --mtk to 35 (32 and 35)" },
	{ "sizes", "S[,S...]", OPT_SIZES, ON_IOMMU,
	  "map: page sizes in use, of 4K, 64K, 1M and 16M; without it all" },
	{ "mtk", NULL, OPT_MTK, ON_IOMMU,
	  "MediaTek: pages lead to addresses of 35 bits; implies --no-perms" },
	{ "mtk-tables", NULL, OPT_MTK_TABLES, ON_IOMMU,
	  "and second levels lie at such addresses too; implies --mtk" },
	{ "no-perms", NULL, OPT_NO_PERMS, ON_IOMMU, "the IOMMU knows no permissions" },
	{ "ns", NULL, OPT_NS, ON_IOMMU, "map: what is mapped is not secure" },
	{ "coherent-walk", NULL, OPT_COHERENT_WALK, ON_IOMMU,
	  "map: the IOMMU's walker looks into caches, and TTBR says so" },
	{ "output", "FILE", OPT_OUTPUT, ON_IOMMU,
	  "map: write the tables as an image, from --base on ('-': only that, to stdout)" },
	{ "raw", NULL, OPT_RAW, ON_IOMMU, "each word that is not 0, in place of ranges" },
	{ "why", NULL, OPT_WHY, ON_BOOT, "the numbers behind each refusal, zone by zone" },
	{ "arch", "A", OPT_ARCH, ON_READS | ON_SWIOTLB,
	  "architecture, as 'physzone arch' lists them; without it the input decides" },
	{ "cmdline", "\"...\"", OPT_CMDLINE, ON_MACHINE,
	  "compute with this kernel command line in place of the recorded one" },
	{ "boot", "N", OPT_BOOT, ON_READS | ON_SWIOTLB,
	  "read the Nth boot of a log that holds several (the last one is the default)" },
	{ "live", NULL, OPT_LIVE, ON_READS,
	  "read /proc and /sys of the running machine in place of SOURCE" },
	{ "capture", "LOADER", OPT_CAPTURE, ON_SHOWN | ON_REBUILT,
	  "not this machine but its capture kernel's, as kexec (kexec-tools) or the kernel itself "
	  "(file) would start it in the crash kernel's memory" },
	{ "managed", "FROM", OPT_MANAGED, ON_SHOWN,
	  "recorded: take managed pages from the input's zoneinfo, to check what follows from "
	  "them; computed is the default" },
	{ "json", NULL, OPT_JSON, ON_TOLD, "print one JSON object" },
	{ "why", NULL, OPT_WHY, ON_EXPLAIN,
	  "show the numbers: each zone's watermark arithmetic, in pages" },
	{ "rebuild", NULL, OPT_REBUILD, ON_EXPLAIN,
	  "rebuild the machine of each report, make the request again, and try what would help" },
	{ "lines", NULL, OPT_LINES, ON_ZONES,
	  "list the lines of the input with what became of each" },
	{ "log", NULL, OPT_LOG, ON_MAP,
	  "logarithmic: every doubling of the address takes the same room" },
	{ "svg", "FILE", OPT_SVG,
	  ON_MAP | ON_COMPARE | ON_DEVICES | ON_PREDICT | ON_SWIOTLB | ON_IOMMU,
	  "write the picture as SVG too ('-': only that, to stdout)" },
	{ "width", "N", OPT_WIDTH, ON_READS | ON_WASTE | ON_DEVICES | ON_SWIOTLB | ON_IOMMU,
	  "columns to fill (40 to 1000)" },
	{ "color", "WHEN", OPT_COLOUR, ON_TOLD,
	  "always, never or auto: on a terminal, unless NO_COLOR is set" },
	{ "help", NULL, 'h', ON_ALL, "this text" },
	{ "version", NULL, 'V', ON_ALL, "the version" },
};
#define OPTION_DEFS (sizeof(option_defs) / sizeof(option_defs[0]))
const size_t option_def_count = OPTION_DEFS;

const struct command_def command_defs[CMD_COUNT] = {
	[CMD_NONE] = {
		"", "COMMAND [OPTION...] SOURCE",
		"rebuilds the physical memory of real machines from what they leave behind.",
		{ "physzone zones dmesg.txt", "the zones of the machine that wrote this log",
		  "dmesg | physzone zones -", "the same, from standard input",
		  "physzone map --svg map.svg machine/", "its address space, and as a picture",
		  "physzone arch", "where each architecture puts its zone limits" },
	},
	[CMD_ZONES] = {
		"zones", "[OPTION...] SOURCE",
		"shows each node's zones: start, spanned, present, managed, marks, protection.",
		{ "physzone zones dmesg.txt", "the zones of the machine that wrote this log",
		  "physzone zones --live", "those of the running machine",
		  "physzone zones --model linux-6.12 dmesg.txt", "and under another kernel's rules",
		  "physzone zones --cmdline 'mem=4G movablecore=1G' --json board.dtb",
		  "of a board that has not booted yet, as JSON",
		  "physzone zones --capture kexec dmesg.txt",
		  "those that its crash kernel would find" },
	},
	[CMD_MAP] = {
		"map", "[OPTION...] SOURCE",
		"shows the physical address space to scale, with the zones beneath it.",
		{ "physzone map dmesg.txt", "the address space of the machine that wrote this log",
		  "physzone map --log dmesg.txt", "low memory as wide as high memory",
		  "physzone map --svg map.svg machine/", "and as a picture with tooltips",
		  "physzone map --json /proc/iomem", "its pieces as JSON" },
	},
	[CMD_LOW1M] = {
		"low1m", "[OPTION...] SOURCE",
		"shows what became of the first megabyte of x86, commit by commit.",
		{ "physzone low1m dmesg.txt", "how many of its pages each kernel can give out",
		  "physzone low1m --json dmesg.txt", "as JSON" },
	},
	[CMD_EXPLAIN] = {
		"explain", "[OPTION...] SOURCE",
		"says why requests for pages failed, by the reports in a log.",
		{ "physzone explain dmesg.txt", "what was asked, what each zone had, what helps",
		  "dmesg | physzone explain --why -", "with each zone's arithmetic",
		  "physzone explain --rebuild dmesg.txt", "and the request made again",
		  "physzone explain --json report.txt", "as JSON" },
	},
	[CMD_BOOT] = {
		"boot", "[OPTION...] SOURCE",
		"carries a machine through start-up, with the requests that the kernel makes then.",
		{ "physzone boot dmesg.txt", "what its kernel asks for while it starts, and gets",
		  "physzone boot --model linux-5.15 --why dmesg.txt",
		  "by another kernel's rules, with the numbers",
		  "physzone boot --model linux-5.15,linux-6.1,physzone dmesg.txt",
		  "three of them beside each other",
		  "physzone boot --cmdline 'cma=256M hugepages=64' board.dtb",
		  "of a board that has not booted yet",
		  "physzone boot --kmalloc-dma 512 dmesg.txt", "and a driver's request after it" },
	},
	[CMD_PREDICT] = {
		"predict", "--sweep WHAT=FROM..TO [OPTION...] SOURCE",
		"tells where requests of start-up flip from served to failing, as a size changes.",
		{ "physzone predict --sweep ram=64M..1T dmesg.txt",
		  "of a machine with less memory, and with more",
		  "physzone predict --capture kexec --sweep crashkernel=32M..1G dmesg.txt",
		  "what its capture kernel is served, by the memory that it has",
		  "physzone predict --sweep cma=16M..2G:16M --svg plot.svg board.dtb",
		  "in steps, and as a picture",
		  "physzone predict --sweep swiotlb=1M..4G --json dmesg.txt", "as JSON" },
	},
	[CMD_REACH] = {
		"reach", "[OPTION...] SOURCE",
		"shows how much memory a device with few address lines can get on a machine.",
		{ "physzone reach --bits 28 dmesg.txt", "a device that drives 28 address lines",
		  "physzone reach --limit 0x3fffffff board.dtb", "one that reaches the first GiB",
		  "physzone reach --window 1G-2G,3G-4G dmesg.txt", "one that sees two windows",
		  "physzone reach --bits 24 --bits 28 --bits 31 dmesg.txt",
		  "three devices beside each other" },
	},
	[CMD_DEVICES] = {
		"devices", "[OPTION...] [FILE.dtb]",
		"shows what each device reaches: PCI devices of this machine, or those of a device "
		"tree.",
		{ "physzone devices", "the PCI devices of this machine",
		  "physzone devices --cannot-reach 4G", "those that do not reach this address",
		  "physzone devices --root copy/", "those of a machine whose /sys was copied",
		  "physzone devices board.dtb", "the devices of a board, through their buses",
		  "physzone devices --bits 64 --svg windows.svg board.dtb",
		  "without masks, as a picture too" },
	},
	[CMD_SWIOTLB] = {
		"swiotlb", "[OPTION...] LOG",
		"tells apart why \"swiotlb buffer is full\", by the lines of a log.",
		{ "physzone swiotlb dmesg.txt",
		  "full, fragmented, a leak, or too long, and what helps",
		  "dmesg | physzone swiotlb -", "the same, from standard input",
		  "physzone swiotlb --svg plot.svg dmesg.txt", "and slots in use over time",
		  "physzone swiotlb --json dmesg.txt", "as JSON, line by line" },
	},
	[CMD_WASTE] = {
		"waste", "[OPTION...] SIZE[xCOUNT]... | FILE",
		"tells what kmalloc(GFP_DMA) would waste on the page allocator.",
		{ "physzone waste 64x100 512x8 2000", "three sizes, of the first a hundred",
		  "physzone waste sizes.txt", "a list: a size on each line, and a count behind it",
		  "physzone waste trace.txt", "the events kmalloc and kfree of a trace",
		  "physzone waste --all trace.txt", "not only those with GFP_DMA",
		  "physzone waste --arch s390 --json -", "of another machine, as JSON" },
	},
	[CMD_COMPARE] = {
		"compare", "TOPIC [OPTION...] [SOURCE]",
		"gives the same requests to several ways of serving them; TOPIC: policies, tables.",
		{ "physzone compare policies", "zones, ZONE_LIMITED, an area and plain limits",
		  "physzone compare policies --svg plot.svg --seed 7",
		  "another stream, and a picture over time",
		  "physzone compare policies --mix board --memory 2G",
		  "what a small board asks for",
		  "physzone compare policies --trace trace.txt dmesg.txt",
		  "the requests that a kernel made, on the machine that wrote this log",
		  "physzone compare tables --mix storage --time",
		  "an IOMMU's tables from kmem_cache, gen_pool, page_frag and others" },
	},
	[CMD_IOMMU] = {
		"iommu", "dump [OPTION...] FILE[@ADDR]... | map [OPTION...] LIST...",
		"decodes an IOMMU's translation tables (ARMv7 short descriptors), or builds "
		"them.",
		{ "physzone iommu dump --base 0x80000000 tables.img",
		  "what an image of tables, read from that address on, translates",
		  "physzone iommu dump --json --ttbr 0x4200006a l1.img@0x42000000 l2.img@1072M",
		  "tables in two pieces of memory, as JSON",
		  "physzone iommu dump --raw --mtk --ias 34 tables.img",
		  "each word, with MediaTek's addresses",
		  "physzone iommu map list.txt",
		  "tables for lines such as '0x100000 0x40000000 2M rw,cache'",
		  "physzone iommu map --output tables.img --svg map.svg list.txt",
		  "their image, and a picture" },
	},
	[CMD_ARCH] = {
		"arch", "[OPTION...] [NAME...]",
		"shows where each architecture puts the limits of its zones.",
		{ "physzone arch", "the table of all architectures",
		  "physzone arch arm64", "one of them",
		  "physzone arch --model linux-5.15", "as an older kernel has it",
		  "physzone arch --json", "as JSON" },
	},
};

char *options_hint(const char *what, const char *word, const char *dashes, const char *near,
		   enum command c)
{
	if (near)
		return xasprintf("unknown %s '%s%s'; did you mean '%s%s'?", what, dashes, word,
				 dashes, near);
	return xasprintf("unknown %s '%s%s'; see 'physzone %s%s--help'", what, dashes, word,
			 command_defs[c].name, c == CMD_NONE ? "" : " ");
}

static const struct option_def *options_find(const char *name, size_t n)
{
	const struct option_def *found = NULL;
	size_t i;

	for (i = 0; i < OPTION_DEFS; i++) {
		if (strncmp(option_defs[i].name, name, n))
			continue;
		if (!option_defs[i].name[n])
			return &option_defs[i];
		if (!found)
			found = &option_defs[i];
	}
	return found;
}

/* getopt_long() refused an argument; say why. */
static char *options_refused(enum command c, const char *arg)
{
	const char *candidates[OPTION_DEFS + 1];
	const struct option_def *def;
	const char *near;
	unsigned int count = 0, prefixed = 0;
	size_t n, i;
	char *name, *err;

	if (arg[0] != '-' || arg[1] != '-') {
		return xasprintf("unknown option '-%c'; see 'physzone %s%s--help'",
				 optopt ? optopt : '?', command_defs[c].name,
				 c == CMD_NONE ? "" : " ");
	}
	arg += 2;
	n = strcspn(arg, "=");
	for (i = 0; i < OPTION_DEFS; i++) {
		if (!(option_defs[i].on & ON(c)))
			continue;
		candidates[count++] = option_defs[i].name;
		prefixed += !strncmp(option_defs[i].name, arg, n);
	}
	candidates[count] = NULL;
	name = xstrndup(arg, n);
	def = options_find(name, n);
	if (prefixed > 1)
		err = xasprintf("option '--%s' is ambiguous; see 'physzone %s%s--help'", name,
				command_defs[c].name, c == CMD_NONE ? "" : " ");
	else if (def && (def->on & ON(c)) && !def->value && arg[n] == '=')
		err = xasprintf("option '--%s' takes no value", def->name);
	else if (def && !strcmp(def->name, name) && !(def->on & ON(c)) && c != CMD_NONE)
		err = xasprintf("option '--%s' does not belong to 'physzone %s'", name,
				command_defs[c].name);
	else if (def && !strcmp(def->name, name) && c == CMD_NONE)
		err = xasprintf("option '--%s' goes after the command: physzone COMMAND --%s ...",
				name, name);
	else {
		near = nearest_word(name, candidates);
		err = options_hint("option", name, "--", near, c);
	}
	free(name);
	return err;
}

int options_number(const char *name, const char *s, unsigned long low, unsigned long high,
		   unsigned int *out, char **err)
{
	char *end;
	unsigned long v = 0;

	if (*s >= '0' && *s <= '9')
		v = strtoul(s, &end, 10);
	if (!(*s >= '0' && *s <= '9') || *end || v < low || v > high) {
		*err = xasprintf("--%s wants a number from %lu to %lu, not '%s'", name, low, high,
				 s);
		return EXIT_USAGE;
	}
	*out = (unsigned int)v;
	return 0;
}

static bool options_is_when(const char *s)
{
	return s && (!strcmp(s, "always") || !strcmp(s, "never") || !strcmp(s, "auto"));
}

static int options_reach(struct options *o, enum option_device kind, const char *value, char **err)
{
	if (o->reaches == OPTION_REACHES) {
		*err = xasprintf("more than %u devices; '%s' is one too many", OPTION_REACHES,
				 value);
		return EXIT_USAGE;
	}
	o->reach[o->reaches].kind = kind;
	o->reach[o->reaches++].text = value;
	return 0;
}

static int options_pool(struct options *o, const char *value, char **err)
{
	static const char *const rules[] = { "kernel", "documented", "proposed" };

	for (unsigned int i = 0; i < 3; i++) {
		if (strcmp(value, rules[i]))
			continue;
		o->pool_rules = i;
		return 0;
	}
	*err = xasprintf("--coherent-pool wants kernel, documented or proposed, not '%s'", value);
	return EXIT_USAGE;
}

int options_either(const char *name, const char *first, const char *other, const char *value,
		   bool *second, char **err)
{
	*second = !strcmp(value, other);
	if (*second || !strcmp(value, first))
		return 0;
	*err = xasprintf("--%s wants %s or %s, not '%s'", name, first, other, value);
	return EXIT_USAGE;
}

static int options_colour(struct options *o, const char *value, char **err)
{
	if (!value || !strcmp(value, "always")) {
		o->colour = COLOUR_ALWAYS;
	} else if (!strcmp(value, "never")) {
		o->colour = COLOUR_NEVER;
	} else if (!strcmp(value, "auto")) {
		o->colour = COLOUR_AUTO;
	} else {
		*err = xasprintf("--color wants always, never or auto, not '%s'", value);
		return EXIT_USAGE;
	}
	return 0;
}

/* Where an option without a value is kept; NULL for others. */
static bool *options_flag(struct options *o, int key)
{
	switch (key) {
	case OPT_LIVE:
		return &o->live;
	case OPT_JSON:
		return &o->json;
	case OPT_LINES:
		return &o->lines;
	case OPT_WHY:
		return &o->why;
	case OPT_REBUILD:
		return &o->rebuild;
	case OPT_ALL:
		return &o->all;
	case OPT_KEEP:
		return &o->keep;
	case OPT_TIME:
		return &o->time;
	case OPT_LOG:
		return &o->log;
	case 'h':
		return &o->help;
	case 'V':
		return &o->version;
	default:
		return NULL;
	}
}

/* Where a value that its command reads is kept; NULL for others. */
static const char **options_text(struct options *o, int key)
{
	switch (key) {
	case OPT_MODEL:
		return &o->model;
	case OPT_ARCH:
		return &o->arch;
	case OPT_CMDLINE:
		return &o->cmdline;
	case OPT_KMALLOC:
		return &o->kmalloc_dma;
	case OPT_MEMORY:
		return &o->memory;
	case OPT_MIX:
		return &o->mix;
	case OPT_TRACE:
		return &o->trace;
	case OPT_CMA:
		return &o->cma;
	case OPT_ROOT:
		return &o->root;
	case OPT_CAN_REACH:
		return &o->can_reach;
	case OPT_CANNOT_REACH:
		return &o->cannot_reach;
	default:
		return NULL;
	}
}

/* Options whose value is looked at here. */
static int options_read(struct options *o, int key, const char *value, char **err)
{
	switch (key) {
	case OPT_BOOT:
		return options_number("boot", value, 1, 1000000, &o->boot, err);
	case OPT_CAPTURE:
		o->capture = true;
		return options_either("capture", "kexec", "file", value, &o->kexec_file, err);
	case OPT_MANAGED:
		return options_either("managed", "computed", "recorded", value,
				      &o->managed_recorded, err);
	case OPT_DMA_CACHES:
		return options_either("dma-caches", "always", "managed", value,
				      &o->dma_caches_managed, err);
	case OPT_COHERENT_POOL:
		return options_pool(o, value, err);
	case OPT_SWEEP:
		if (o->sweep) {
			*err = xasprintf("one --sweep at a time; '%s' is one too many", value);
			return EXIT_USAGE;
		}
		o->sweep = value;
		return 0;
	case OPT_FILL:
		o->fill_given = true;
		return options_number("fill", value, 0, 100, &o->fill, err);
	case OPT_PRESSURE:
		o->pressure_given = true;
		return options_number("pressure", value, 0, 100, &o->pressure, err);
	case OPT_SEED:
		o->seed_given = true;
		return options_number("seed", value, 0, UINT_MAX, &o->seed, err);
	case OPT_BITS:
		return options_reach(o, DEVICE_BITS, value, err);
	case OPT_LIMIT:
		return options_reach(o, DEVICE_LIMIT, value, err);
	case OPT_WINDOW:
		return options_reach(o, DEVICE_WINDOW, value, err);
	case OPT_SVG:
		o->svg = value;
		if (*value)
			return 0;
		*err = xstrdup("--svg wants the name of a file");
		return EXIT_USAGE;
	case OPT_WIDTH:
		return options_number("width", value, OUT_WIDTH_MIN, OUT_WIDTH_MAX, &o->width, err);
	case OPT_COLOUR:
		return options_colour(o, value, err);
	default:
		if (key >= OPT_BASE && key < OPT_TABLES_END)
			return options_tables(o, key, value, err);
		return 0;
	}
}

static int options_take(struct options *o, int key, const char *value, char **err)
{
	bool *flag = options_flag(o, key);
	const char **text = options_text(o, key);

	if (flag)
		*flag = true;
	else if (text)
		*text = value;
	else
		return options_read(o, key, value, err);
	return 0;
}

static int options_command(struct options *o, const char *word, char **err)
{
	const char *names[CMD_COUNT + 1];
	unsigned int c, n = 0;

	for (c = CMD_NONE + 1; c < CMD_COUNT; c++) {
		if (!strcmp(command_defs[c].name, word)) {
			o->command = (enum command)c;
			return 0;
		}
		names[n++] = command_defs[c].name;
	}
	names[n] = NULL;
	*err = options_hint("command", word, "", nearest_word(word, names), CMD_NONE);
	return EXIT_USAGE;
}

/* Parse the arguments from argv[0] on (a command name or the program's) for command c. */
static int options_scan(struct options *o, enum command c, int argc, char **argv, char **err)
{
	struct option longs[OPTION_DEFS + 2];
	size_t i, n = 0;
	int key, rc;

	memset(longs, 0, sizeof(longs));
	for (i = 0; i < OPTION_DEFS; i++) {
		if (!(option_defs[i].on & ON(c)))
			continue;
		longs[n].name = option_defs[i].name;
		longs[n].has_arg = option_defs[i].value ? required_argument : no_argument;
		if (option_defs[i].key == OPT_COLOUR)
			longs[n].has_arg = optional_argument;
		longs[n++].val = option_defs[i].key;
	}
	opterr = 0;
	optind = 0;
	/* The program's own options end at the command; a command's may stand anywhere. */
	while ((key = getopt_long(argc, argv, c == CMD_NONE ? "+:hV" : ":hV", longs, NULL)) != -1) {
		if (key == ':') {
			*err = xasprintf("option '%s' wants a value", argv[optind - 1]);
			return EXIT_USAGE;
		}
		if (key == '?') {
			const char *arg = argv[optind - 1];

			/* Inside a group of short options, optind has not moved on yet. */
			if (optopt && optopt < 256 && strncmp(arg, "--", 2))
				arg = "-";
			*err = options_refused(c, arg);
			return EXIT_USAGE;
		}
		/* "--color never" as well as "--color=never". */
		if (key == OPT_COLOUR && !optarg && optind < argc && options_is_when(argv[optind]))
			optarg = argv[optind++];
		rc = options_take(o, key, optarg, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* compare: the first operand is the topic; a machine is either read or made up. */
static int options_topic(struct options *o, char **err)
{
	if (!o->operand_count) {
		*err = xstrdup("nothing to compare given: policies or tables; see 'physzone "
			       "compare --help'");
		return EXIT_USAGE;
	}
	o->topic = *o->operands++;
	o->operand_count--;
	if (o->memory && (o->live || o->operand_count)) {
		*err = xasprintf("--memory makes a machine up; %s is one too many",
				 o->live ? "--live" : o->operands[0]);
		return EXIT_USAGE;
	}
	if (o->mix && o->trace) {
		*err = xstrdup("--mix and --trace both say what is asked for");
		return EXIT_USAGE;
	}
	return 0;
}

int options_parse(struct options *o, int argc, char **argv, char **err)
{
	int rc, first;

	memset(o, 0, sizeof(*o));
	rc = options_scan(o, CMD_NONE, argc, argv, err);
	if (rc || o->help || o->version)
		return rc;
	first = optind;
	if (first >= argc) {
		*err = xstrdup("no command given; see 'physzone --help'");
		return EXIT_USAGE;
	}
	rc = options_command(o, argv[first], err);
	if (rc)
		return rc;
	rc = options_scan(o, o->command, argc - first, argv + first, err);
	if (rc || o->help || o->version)
		return rc;
	o->operands = (const char *const *)(argv + first + optind);
	o->operand_count = (unsigned int)(argc - first - optind);
	if (o->command == CMD_ARCH)
		return 0;
	if (o->command == CMD_IOMMU)
		return options_tables_check(o, err);
	if (o->command == CMD_WASTE) {
		if (o->operand_count)
			return 0;
		*err = xstrdup("no sizes given, and no file; see 'physzone waste --help'");
		return EXIT_USAGE;
	}
	if (o->command == CMD_COMPARE) {
		rc = options_topic(o, err);
		if (rc)
			return rc;
	}
	if (o->command == CMD_PREDICT && !o->sweep) {
		*err = xstrdup("no --sweep given: --sweep ram=64M..1T, or crashkernel, cma, "
			       "swiotlb, coherent_pool");
		return EXIT_USAGE;
	}
	if (o->live && o->operand_count) {
		*err = xasprintf("--live reads the running machine; '%s' is one SOURCE too many",
				 o->operands[0]);
		return EXIT_USAGE;
	}
	if (!o->live && !o->operand_count && o->command != CMD_COMPARE &&
	    o->command != CMD_DEVICES) {
		*err = xasprintf(
			"no SOURCE given: a file, a directory%s; see 'physzone %s --help'",
			o->command == CMD_SWIOTLB ? " or '-'" : ", '-' or --live",
			command_defs[o->command].name);
		return EXIT_USAGE;
	}
	if (o->operand_count > 1) {
		*err = xasprintf("one SOURCE at a time; '%s' is one too many", o->operands[1]);
		return EXIT_USAGE;
	}
	if (o->root && o->operand_count) {
		*err = xasprintf("--root reads a machine's /sys; '%s' is one SOURCE too many",
				 o->operands[0]);
		return EXIT_USAGE;
	}
	if (o->svg && o->json && !strcmp(o->svg, "-")) {
		*err = xstrdup("--json and --svg - both want standard output");
		return EXIT_USAGE;
	}
	o->source = o->operand_count ? o->operands[0] : NULL;
	if (o->source && !*o->source) {
		*err = xstrdup("the name of SOURCE is empty");
		return EXIT_USAGE;
	}
	return 0;
}
