/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_boot.c - lines about the kernel and the machine: version, command line, model, processors,
 * page size, and the signs by which an architecture is told when the version does not say it.
 *
 * The release of a distribution's kernel usually names the architecture ("6.1.0-50-arm64"); a
 * kernel that someone built says "6.1.176" and no more. Then lines that only one architecture
 * prints decide, and last the compiler's name ("aarch64-linux-gnu-gcc").
 *
 * Shortcomings: the width of a RISC-V kernel is told only by its zones; a MIPS kernel without an
 * initrd and without zones beyond Normal may be of either width and is then taken for 32 bits.
 */
#include "input/log_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* "Linux version 6.1.0-50-amd64 (...) (...) #1 SMP ...". */
enum log_ret log_banner(struct log_ctx *c, struct log_scan *s, int arg)
{
	const char *text, *word;
	struct facts *f = c->f;
	size_t n;

	ls_space(s);
	text = s->p;
	word = ls_word(s, &n);
	if (!word)
		return LOG_BAD;
	if (*word < '0' || *word > '9')
		return LOG_OTHER;
	if (f->release && f->banner_at.file == c->at.file && f->banner_at.line &&
	    (strlen(f->release) != n || memcmp(f->release, word, n) != 0))
		log_contradict(c, "the release was %s before", f->release);
	if (f->release)
		return LOG_USED;
	free(f->banner);
	f->banner = xstrndup(text, (size_t)(s->end - text));
	f->release = xstrndup(word, n);
	f->banner_at = c->at;
	return LOG_USED;
}

/* arg 0: "Command line:", printed early; 1: "Kernel command line:". */
enum log_ret log_cmdline(struct log_ctx *c, struct log_scan *s, int arg)
{
	char **keep = arg ? &c->late_cmdline : &c->early_cmdline;
	size_t n;

	ls_space(s);
	n = (size_t)(s->end - s->p);
	if (*keep) {
		if (strlen(*keep) != n || memcmp(*keep, s->p, n) != 0)
			log_contradict(c,
				       "the command line stands on line %" PRIu32
				       " already, and differs",
				       arg ? c->late_at.line : c->early_at.line);
		return LOG_USED;
	}
	*keep = xstrndup(s->p, n);
	if (arg) {
		c->late_at = c->at;
		c->late_wrapped = c->wrapped;
	} else {
		c->early_at = c->at;
		c->early_wrapped = c->wrapped;
	}
	return LOG_USED;
}

/* The early one counts for memory; where one is the start of the other, the other was cut. */
void log_cmdline_decide(struct log_ctx *c)
{
	char *early = c->early_cmdline, *late = c->late_cmdline;
	bool take_late = !early;

	if (early && late && strcmp(early, late) != 0) {
		size_t a = strlen(early), b = strlen(late);
		bool prefix = !memcmp(early, late, a < b ? a : b);

		/* Of two that were put together from wrapped lines the longer may hold too much. */
		if (prefix && a < b && (!c->late_wrapped || c->early_wrapped))
			take_late = true;
		if (prefix && a > b && c->early_wrapped && !c->late_wrapped)
			take_late = true;
		if (!prefix) {
			c->at = c->late_at;
			log_contradict(c,
				       "this command line differs from that of line %" PRIu32
				       ", which is used",
				       c->early_at.line);
		}
	}
	if (!c->f->cmdline && (early || late)) {
		c->f->cmdline = xstrdup(take_late ? late : early);
		c->f->cmdline_at = take_late ? c->late_at : c->early_at;
	}
	free(early);
	free(late);
	c->early_cmdline = c->late_cmdline = NULL;
}

/* arg 1: "Machine model:"; 0: "Hardware name:" and "DMI:", which are longer and come second. */
enum log_ret log_model(struct log_ctx *c, struct log_scan *s, int arg)
{
	ls_space(s);
	if (s->p == s->end)
		return LOG_OTHER;
	if (c->f->machine_model && !arg)
		return LOG_USED;
	free(c->f->machine_model);
	c->f->machine_model = xstrndup(s->p, (size_t)(s->end - s->p));
	return LOG_USED;
}

enum log_ret log_sign(struct log_ctx *c, struct log_scan *s, int arg)
{
	c->signs |= 1u << arg;
	s->p = s->end;
	return LOG_USED;
}

/* "Booting Linux on physical CPU 0x0000000000 [0x411fd070]" of arm64, "... 0x0" of arm. */
enum log_ret log_booting_cpu(struct log_ctx *c, struct log_scan *s, int arg)
{
	bool wide = memchr(s->p, '[', (size_t)(s->end - s->p)) != NULL;

	c->signs |= 1u << (wide ? SIGN_ARM64 : SIGN_ARM);
	s->p = s->end;
	return LOG_USED;
}

static unsigned int log_shift(uint64_t bytes)
{
	for (unsigned int shift = 12; shift <= 18; shift++)
		if (bytes == (uint64_t)1 << shift)
			return shift;
	return 0;
}

static void log_page_shift(struct log_ctx *c, unsigned int shift)
{
	if (!shift)
		return;
	if (c->f->page_shift && c->f->page_shift != shift)
		log_contradict(c, "pages of %u bytes here, and of %u bytes before", 1u << shift,
			       1u << c->f->page_shift);
	else
		c->f->page_shift = shift;
}

/* Behind "percpu:": " Embedded 61 pages/cpu s212992 r8192 d28672 u2097152"; pages of known size. */
enum log_ret log_percpu(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint64_t pages, fixed, reserved, dynamic, unit, bytes;

	if (!ls_opt(s, " Embedded "))
		return LOG_OTHER;
	if (!ls_dec(s, &pages) || !ls_lit(s, " pages/cpu "))
		return LOG_BAD;
	/* Linux before 4.19 prints an address here. */
	if (ls_opt(s, "@"))
		while (s->p < s->end && *s->p != ' ')
			s->p++;
	ls_space(s);
	if (!ls_lit(s, "s") || !ls_dec(s, &fixed) || !ls_lit(s, " r") || !ls_dec(s, &reserved) ||
	    !ls_lit(s, " d") || !ls_dec(s, &dynamic) || !ls_lit(s, " u") || !ls_dec(s, &unit))
		return LOG_BAD;
	if (fixed >> 40 || reserved >> 40 || dynamic >> 40 || !pages) {
		ls_fail(s, "the number is too large");
		return LOG_BAD;
	}
	bytes = fixed + reserved + dynamic;
	if (bytes % pages || !log_shift(bytes / pages)) {
		ls_fail(s, "the sizes do not make whole pages");
		return LOG_BAD;
	}
	log_page_shift(c, log_shift(bytes / pages));
	c->f->percpu_pages = pages;
	c->f->percpu_bytes = bytes;
	c->f->percpu_unit = unit;
	return LOG_USED;
}

/* "Dentry cache hash table entries: 16384 (order: 5, 131072 bytes, linear)": bytes >> order. */
enum log_ret log_hash(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint64_t entries, bytes;
	int order;

	if (!ls_lit(s, " ") || !ls_dec(s, &entries) || !ls_lit(s, " (order: ") ||
	    !ls_int(s, &order) || !ls_lit(s, ", ") || !ls_dec(s, &bytes) || !ls_lit(s, " bytes"))
		return LOG_BAD;
	if (order < 0 || order > 40 || bytes & (bytes - 1))
		return LOG_USED;
	log_page_shift(c, log_shift(bytes >> order));
	return LOG_USED;
}

static void log_cpus(struct log_ctx *c, uint64_t cpus)
{
	if (!cpus || cpus > 1u << 20)
		return;
	if (c->f->cpus && c->f->cpus != cpus)
		log_contradict(c, "%" PRIu64 " CPUs here, and %u before", cpus, c->f->cpus);
	else
		c->f->cpus = (unsigned int)cpus;
}

/* "smp: Brought up 1 node, 2 CPUs"; before Linux 4.10 "Brought up 2 CPUs". */
enum log_ret log_brought_up(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint64_t n;

	if (!ls_lit(s, " ") || !ls_dec(s, &n) || !ls_lit(s, " "))
		return LOG_BAD;
	if (ls_opt(s, "node")) {
		ls_opt(s, "s");
		if (!ls_lit(s, ", ") || !ls_dec(s, &n) || !ls_lit(s, " "))
			return LOG_BAD;
	}
	if (!ls_lit(s, "CPU"))
		return LOG_BAD;
	log_cpus(c, n);
	return LOG_USED;
}

/* "SMP: Total of 1 processors activated", "smpboot: Total of ...". */
enum log_ret log_total_cpus(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint64_t n;

	if (!ls_lit(s, " ") || !ls_dec(s, &n) || !ls_lit(s, " processors activated"))
		return LOG_BAD;
	log_cpus(c, n);
	return LOG_USED;
}

/* "... nr_cpu_ids:1 nr_node_ids:1" (0), and "SLUB: HWalign=64, ..., CPUs=1, Nodes=1" (1). */
enum log_ret log_cpu_ids(struct log_ctx *c, struct log_scan *s, int arg)
{
	static const char *const cpu_keys[] = { " nr_cpu_ids:", " CPUs=" };
	static const char *const node_keys[] = { " nr_node_ids:", " Nodes=" };
	const char *rest = s->p;
	uint64_t cpus, nodes;
	const char *at;

	at = ls_find(rest, (size_t)(s->end - rest), cpu_keys[arg]);
	s->p = at ? at + strlen(cpu_keys[arg]) : s->end;
	if (!ls_dec(s, &cpus))
		return LOG_BAD;
	at = ls_find(rest, (size_t)(s->end - rest), node_keys[arg]);
	s->p = at ? at + strlen(node_keys[arg]) : s->end;
	if (!ls_dec(s, &nodes))
		return LOG_BAD;
	if (!cpus || cpus > 1u << 20 || !nodes || nodes > 1u << 16) {
		ls_fail(s, "the number is damaged");
		return LOG_BAD;
	}
	c->f->nr_cpu_ids = (unsigned int)cpus;
	c->f->nr_node_ids = (unsigned int)nodes;
	return LOG_USED;
}

/* "CPU: 0 PID: 1 Comm: swapper Not tainted 6.1.0-50-amd64 #1": a report names its kernel too. */
enum log_ret log_cpu_line(struct log_ctx *c, struct log_scan *s, int arg)
{
	const char *at, *word;
	bool asker;
	size_t n;

	if (ls_opt(s, " ARMv")) {
		c->signs |= 1u << SIGN_ARM;
		return LOG_USED;
	}
	if (ls_opt(s, " MICROBLAZE")) {
		c->signs |= 1u << SIGN_MICROBLAZE;
		return LOG_USED;
	}
	asker = log_failure_cpu(c, *s);
	at = ls_find(s->p, (size_t)(s->end - s->p), "ainted");
	if (!at)
		return asker ? LOG_USED : LOG_OTHER;
	s->p = at + 6;
	ls_opt(s, ":");
	/* Letters of taint, each a word or more of blanks, stand before the release. */
	for (;;) {
		ls_space(s);
		word = ls_word(s, &n);
		if (!word)
			return asker ? LOG_USED : LOG_OTHER;
		if (*word >= '0' && *word <= '9')
			break;
	}
	if (c->f->release)
		return LOG_USED;
	if (!memchr(word, '.', n))
		return asker ? LOG_USED : LOG_OTHER;
	c->f->release = xstrndup(word, n);
	return LOG_USED;
}

/* Words of a release or a compiler, the longer before those that they contain. */
static const struct log_arch_word {
	const char *word;
	const char *arch;
	bool pae;
} log_arch_words[] = {
	{ "powerpc64", "powerpc64", false },
	{ "ppc64", "powerpc64", false },
	{ "powerpc", "powerpc", false },
	{ "aarch64", "arm64", false },
	{ "arm64", "arm64", false },
	{ "armmp", "arm", false },
	{ "armv", "arm", false },
	{ "arm-linux", "arm", false },
	{ "amd64", "x86_64", false },
	{ "x86_64", "x86_64", false },
	{ "686-pae", "i386", true },
	{ "i686", "i386", false },
	{ "-686", "i386", false },
	{ "i586", "i386", false },
	{ "i386", "i386", false },
	{ "riscv64", "riscv64", false },
	{ "riscv32", "riscv32", false },
	{ "s390x", "s390", false },
	{ "mips64", "mips64", false },
	{ "5kc-malta", "mips64", false },
	{ "octeon", "mips64", false },
	{ "loongson-3", "mips64", false },
	{ "4kc-malta", "mips", false },
	{ "mips", "mips", false },
	{ "loong64", "loongarch", false },
	{ "loongarch64", "loongarch", false },
	{ "sparc64", "sparc64", false },
	{ "alpha", "alpha", false },
	{ "itanium", "ia64", false },
	{ "mckinley", "ia64", false },
	{ "ia64", "ia64", false },
	{ "m68k", "m68k", false },
};

static const struct log_arch_word *log_arch_word(const char *p, size_t n)
{
	for (size_t i = 0; i < sizeof(log_arch_words) / sizeof(log_arch_words[0]); i++)
		if (ls_find(p, n, log_arch_words[i].word))
			return &log_arch_words[i];
	return NULL;
}

static bool log_has_zone(const struct facts *f, const char *name)
{
	for (size_t i = 0; i < f->zone_ranges.n; i++)
		if (!strcmp(f->zone_ranges.v[i].name, name))
			return true;
	return false;
}

static const char *log_arch_by_signs(const struct log_ctx *c)
{
	static const struct log_sign_arch {
		enum log_arch_sign sign;
		const char *arch;
	} plain[] = {
		{ SIGN_X86_64, "x86_64" },   { SIGN_I386, "i386" },
		{ SIGN_ARM64, "arm64" },     { SIGN_ARM, "arm" },
		{ SIGN_S390, "s390" },	     { SIGN_POWERPC64, "powerpc64" },
		{ SIGN_POWERPC, "powerpc" }, { SIGN_LOONGARCH, "loongarch" },
		{ SIGN_SPARC64, "sparc64" }, { SIGN_SPARC32, "sparc32" },
		{ SIGN_ALPHA, "alpha" },     { SIGN_IA64, "ia64" },
		{ SIGN_M68K, "m68k" },	     { SIGN_MICROBLAZE, "microblaze" },
	};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (c->signs & 1u << plain[i].sign)
			return plain[i].arch;
	if (c->signs & 1u << SIGN_RISCV)
		return c->f->zone_ranges.n && !log_has_zone(c->f, "DMA32") ? "riscv32" : "riscv64";
	if (c->signs & 1u << SIGN_MIPS) {
		bool wide = log_has_zone(c->f, "DMA32") ||
			    (c->has_ramdisk_at && c->ramdisk_at >> 62 == 2);

		return wide ? "mips64" : "mips";
	}
	if (c->signs & 1u << SIGN_X86)
		return log_has_zone(c->f, "HighMem") ? "i386" : "x86_64";
	return NULL;
}

/* Kernels for larger pages stand beside the usual one: "6.12-arm64-16k", "el9.aarch64+64k". */
static unsigned int log_page_by_release(const char *release)
{
	size_t n = strlen(release);

	if (n > 4 && strchr("-+_", release[n - 4])) {
		if (!strcmp(release + n - 3, "16k"))
			return 14;
		if (!strcmp(release + n - 3, "64k"))
			return 16;
	}
	return 0;
}

void log_arch_decide(struct log_ctx *c)
{
	const struct log_arch_word *release = NULL, *compiler = NULL;
	const char *signs = log_arch_by_signs(c), *arch;
	struct facts *f = c->f;

	if (f->release)
		release = log_arch_word(f->release, strlen(f->release));
	if (f->banner)
		compiler = log_arch_word(f->banner, strlen(f->banner));
	arch = release ? release->arch : signs ? signs : compiler ? compiler->arch : NULL;
	if (release && release->pae)
		f->pae = true;
	if (f->release && !f->page_shift)
		f->page_shift = log_page_by_release(f->release);
	if (release && signs && strcmp(release->arch, signs) != 0 && f->zone_ranges.n) {
		c->at = f->banner_at;
		log_contradict(c, "the release %s is of %s, but other lines are of %s", f->release,
			       release->arch, signs);
	}
	if (arch && !f->arch_hint)
		f->arch_hint = xstrdup(arch);
}
