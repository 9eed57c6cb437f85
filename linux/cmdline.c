/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmdline.c - splitting a kernel command line into words, and what its early parameters mean.
 *
 * Concept: the words are split as the kernel's parse_args() does, in place: no byte is copied or
 * changed. Each early parameter that changes the layout has one handler, which decodes the value
 * with the kernel's own leniency and marks the record. Handlers for mem= and memmap= are in
 * cmdline_mem.c: they yield an ordered list of changes, because order matters there.
 *
 * Invariants: 1. records ascend by position; 2. every pointer points into the given text; 3. a
 * later use of a parameter overwrites an earlier one where the kernel's variable is overwritten.
 *
 * Failure: arrays that are too small: what fits is stored, the counts go on, -PZ_ENOSPC.
 *
 * Shortcomings: boot configuration files and built-in command lines are not known; whether a
 * parameter was compiled in (CONFIG_DMA_CMA, CONFIG_NUMA) is the caller's knowledge.
 */
#include "cmdline_parse.h"

static const char *const cl_kind_names[PZL_ARG_KINDS] = {
	"other",      "init",	     "mem",	     "memmap", "crashkernel", "elfcorehdr",
	"kernelcore", "movablecore", "movable_node", "numa",   "cma",	      "cma_pernuma",
	"numa_cma",   "highmem",     "vmalloc",	     "opaque",
};

static const char *const cl_problem_texts[PZL_ARG_PROBLEMS] = {
	[PZL_ARG_OK] = "applied",
	[PZL_ARG_NO_VALUE] = "refused: it needs a value",
	[PZL_ARG_REFUSED] = "refused: the value cannot be parsed, and nothing changes",
	[PZL_ARG_PARTIAL] = "some elements of the list are refused, the others are applied",
	[PZL_ARG_TRAILING] = "applied; the text after the value is ignored",
	[PZL_ARG_NO_START] = "applied with start 0, because no number follows the sign",
	[PZL_ARG_PANIC] = "the kernel dies of it",
	[PZL_ARG_ZERO] = "refused: the size is 0 or no number, and nothing changes",
	[PZL_ARG_REMOVES_ALL] = "applied with size 0, which removes all RAM",
	[PZL_ARG_OVER_100] = "applied, with a warning: the percentage is above 100",
	[PZL_ARG_OVERFLOW] = "the number does not fit 64 bits and is applied as it wraps",
	[PZL_ARG_NO_NUMBER] = "read as 0, because it does not begin with a number",
	[PZL_ARG_CLAMPED] = "outside the allowed range: the nearest allowed value is used",
	[PZL_ARG_NOT_HERE] = "not known to this kernel on this architecture, no effect",
	[PZL_ARG_OVERRIDDEN] = "has no effect, because another argument takes precedence",
	[PZL_ARG_CUT] = "past the longest command line that the kernel keeps, not seen",
};

/* Parameters that take or move memory and are kept as text. Sorted for people, not for search. */
static const char *const cl_opaque[] = {
	"add_efi_memmap",
	"amd_iommu",
	"coherent_pool",
	"default_hugepagesz",
	"dhash_entries",
	"disable_mtrr_trim",
	"efi",
	"efi_fake_mem",
	"gbpages",
	"hugepages",
	"hugepagesz",
	"hugetlb_cma",
	"ihash_entries",
	"init_on_alloc",
	"init_on_free",
	"initrd",
	"initrdmem",
	"intel_iommu",
	"iommu",
	"iommu.passthrough",
	"kaslr",
	"kasan",
	"kfence.num_objects",
	"la57",
	"log_buf_len",
	"maxcpus",
	"mem_encrypt",
	"memblock",
	"memory_hotplug.memmap_on_memory",
	"memtest",
	"mhash_entries",
	"mphash_entries",
	"nokaslr",
	"no5lvl",
	"nopat",
	"nr_cpus",
	"page_owner",
	"page_poison",
	"percpu_alloc",
	"possible_cpus",
	"reservelow",
	"reservetop",
	"rodata",
	"slub_debug",
	"slab_debug",
	"swiotlb",
	"thash_entries",
	"trace_buf_size",
	"uhash_entries",
	"userpte",
	"vmcp_cma",
};

uint64_t pzl_strtoull(const char *s, size_t len, size_t *used, bool *wrapped)
{
	unsigned int base = 10;
	size_t i = 0, start;
	uint64_t v = 0;

	if (len && s[0] == '0') {
		base = 8;
		if (len > 2 && (s[1] == 'x' || s[1] == 'X') && cl_digit(s[2]) < 16) {
			base = 16;
			i = 2;
		}
	}
	start = i;
	for (; i < len; i++) {
		unsigned int d = cl_digit(s[i]);

		if (d >= base)
			break;
		if (wrapped && cl_mul_wraps(v, base, d))
			*wrapped = true;
		v = v * base + d;
	}
	if (used)
		*used = i > start ? i : 0;
	return v;
}

uint64_t pzl_memparse(const char *s, size_t len, size_t *used, bool *wrapped)
{
	static const char suffixes[] = "KMGTPE";
	size_t n, k;
	uint64_t v = pzl_strtoull(s, len, &n, wrapped);

	if (n < len) {
		char c = s[n] >= 'a' ? (char)(s[n] - ('a' - 'A')) : s[n];

		for (k = 0; suffixes[k]; k++) {
			unsigned int shift = 10 * (unsigned int)(k + 1);

			if (c != suffixes[k])
				continue;
			if (wrapped && v >> (64 - shift))
				*wrapped = true;
			v <<= shift;
			n++;
			break;
		}
	}
	if (used)
		*used = n;
	return v;
}

bool pzl_cl_name_is(const struct pzl_arg *a, const char *name)
{
	uint32_t i;

	for (i = 0; i < a->name_len; i++) {
		char x = a->name[i] == '-' ? '_' : a->name[i];
		char y = name[i] == '-' ? '_' : name[i];

		if (x != y || !y)
			return false;
	}
	return name[i] == '\0';
}

bool pzl_cl_value_starts(const struct pzl_arg *a, const char *prefix)
{
	uint32_t i;

	for (i = 0; prefix[i]; i++)
		if (i >= a->value_len || a->value[i] != prefix[i])
			return false;
	return true;
}

void pzl_cl_number_problem(struct pzl_arg *a, size_t used, bool wrapped)
{
	if (wrapped)
		a->problem = PZL_ARG_OVERFLOW;
	else if (used == 0)
		a->problem = PZL_ARG_NO_NUMBER;
	else if (used < a->value_len)
		a->problem = PZL_ARG_TRAILING;
}

/* Whether a comma-separated value has an element. */
static bool cl_has_element(const struct pzl_arg *a, const char *element)
{
	size_t n = pzl_strlen(element);
	uint32_t i = 0;

	while (i < a->value_len) {
		uint32_t k = 0;

		while (k < n && i + k < a->value_len && a->value[i + k] == element[k])
			k++;
		if (k == n && (i + k == a->value_len || a->value[i + k] == ','))
			return true;
		while (i < a->value_len && a->value[i] != ',')
			i++;
		i++;
	}
	return false;
}

/* kernelcore= and movablecore=: the kernel keeps pages and percent apart, percent wins if not 0. */
struct cl_core {
	uint64_t pages, percent;
	bool mirror;
};

static void cl_parse_core(struct cl_parser *p, struct pzl_arg *a, struct cl_core *core)
{
	bool wrapped = false;
	size_t n;
	uint64_t v;

	v = pzl_strtoull(a->value, a->value_len, &n, &wrapped);
	if (n < a->value_len && a->value[n] == '%') {
		core->percent = v;
		pzl_cl_number_problem(a, n + 1, wrapped);
		if (v > 100)
			a->problem = PZL_ARG_OVER_100;
		return;
	}
	v = pzl_memparse(a->value, a->value_len, &n, &wrapped);
	core->pages = v >> p->page_shift;
	core->percent = 0;
	pzl_cl_number_problem(a, n, wrapped);
}

static struct pz_core_spec cl_core_spec(const struct cl_core *core)
{
	struct pz_core_spec s = { PZ_CORE_NONE, 0 };

	if (core->mirror) {
		s.kind = PZ_CORE_MIRROR;
	} else if (core->percent) {
		s.kind = PZ_CORE_PERCENT;
		s.value = core->percent;
	} else if (core->pages) {
		s.kind = PZ_CORE_PAGES;
		s.value = core->pages;
	}
	return s;
}

static void cl_parse_elfcorehdr(struct pzl_cmdline *c, struct pzl_arg *a)
{
	bool wrapped = false;
	size_t n;
	uint64_t v;

	v = pzl_memparse(a->value, a->value_len, &n, &wrapped);
	c->elfcorehdr_addr = v;
	if (n < a->value_len && a->value[n] == '@') {
		size_t m;

		c->elfcorehdr_size = v;
		c->elfcorehdr_addr =
			pzl_memparse(a->value + n + 1, a->value_len - n - 1, &m, &wrapped);
		if (m == 0)
			a->problem = PZL_ARG_NO_START;
		n += m + 1;
	}
	/* Without a number the value is refused, and yet the address is already written (as 0). */
	c->elfcorehdr = c->elfcorehdr_addr != UINT64_MAX;
	if (n == 0)
		a->problem = PZL_ARG_REFUSED;
	else if (a->problem == PZL_ARG_OK)
		pzl_cl_number_problem(a, n, wrapped);
}

static void cl_parse_cma(struct pzl_cmdline *c, struct pzl_arg *a)
{
	const char *s = a->value;
	uint32_t len = a->value_len;
	bool wrapped = false;
	size_t n, m;

	/* An earlier cma= leaves its base and limit behind when a later one has none. */
	c->cma_set = true;
	c->cma_size = pzl_memparse(s, len, &n, &wrapped);
	if (n < len && s[n] == '@') {
		c->cma_base = pzl_memparse(s + n + 1, len - n - 1, &m, &wrapped);
		if (m == 0)
			a->problem = PZL_ARG_NO_START;
		n += m + 1;
		if (n < len && s[n] == '-') {
			c->cma_limit = pzl_memparse(s + n + 1, len - n - 1, &m, &wrapped);
			n += m + 1;
		} else {
			c->cma_limit = c->cma_base + c->cma_size;
		}
	}
	c->cma_fixed = c->cma_base + c->cma_size == c->cma_limit;
	if (a->problem == PZL_ARG_OK)
		pzl_cl_number_problem(a, n, wrapped);
}

/* Where a text stands in a value, or the value's length. */
static uint32_t cl_value_find(const struct pzl_arg *a, const char *what)
{
	size_t n = pzl_strlen(what);
	uint32_t i, k;

	for (i = 0; i + n <= a->value_len; i++) {
		for (k = 0; k < n && a->value[i + k] == what[k]; k++)
			;
		if (k == n)
			return i;
	}
	return a->value_len;
}

static void cl_parse_numa(struct cl_parser *p, struct pzl_cmdline *c, struct pzl_arg *a)
{
	bool anywhere =
		p->arch == PZL_ARCH_POWERPC64; /* it searches; the others compare prefixes */
	bool fake = p->arch == PZL_ARCH_X86_64 || p->arch == PZL_ARCH_POWERPC64 ||
		    (p->model == PZL_LINUX_6_12 &&
		     (p->arch == PZL_ARCH_ARM64 || p->arch == PZL_ARCH_RISCV64));
	uint32_t at;

	if (anywhere ? cl_value_find(a, "off") < a->value_len : pzl_cl_value_starts(a, "off")) {
		c->numa_off = true;
		return;
	}
	at = anywhere			       ? cl_value_find(a, "fake=")
	     : pzl_cl_value_starts(a, "fake=") ? 0
					       : a->value_len;
	if (at < a->value_len) {
		if (!fake) {
			a->problem = PZL_ARG_NOT_HERE;
			return;
		}
		c->numa_fake = a->value + at + 5;
		c->numa_fake_len = a->value_len - at - 5;
		return;
	}
	if (p->arch == PZL_ARCH_X86_64) {
		if (pzl_cl_value_starts(a, "noacpi"))
			c->numa_noacpi = true;
		else if (!pzl_cl_value_starts(a, "nohmat"))
			a->problem = PZL_ARG_REFUSED;
	}
}

static bool cl_has_numa(enum pzl_arch arch)
{
	return arch == PZL_ARCH_X86_64 || arch == PZL_ARCH_ARM64 || arch == PZL_ARCH_RISCV64 ||
	       arch == PZL_ARCH_POWERPC64 || arch == PZL_ARCH_SPARC64 || arch == PZL_ARCH_LOONGARCH;
}

static void cl_parse_vmalloc(struct cl_parser *p, struct pzl_cmdline *c, struct pzl_arg *a)
{
	/* arm: VMALLOC_END - PAGE_OFFSET - 32M - VMALLOC_OFFSET with the usual 3G/1G split */
	const uint64_t arm_min = 16ull << 20,
		       arm_max = 0xff800000ull - 0xc0000000ull - (40ull << 20);
	bool wrapped = false;
	size_t n;
	uint64_t v = pzl_memparse(a->value, a->value_len, &n, &wrapped);

	pzl_cl_number_problem(a, n, wrapped);
	if (p->arch == PZL_ARCH_ARM && (v < arm_min || v > arm_max)) {
		v = v < arm_min ? arm_min : arm_max;
		a->problem = PZL_ARG_CLAMPED;
	}
	c->vmalloc_set = true;
	c->vmalloc = v;
}

/* numa_cma=node:size,...: stops silently at the first element that it cannot read. */
static bool cl_numa_cma_next(const char *s, uint32_t len, uint32_t *at, uint64_t *nid,
			     uint64_t *size)
{
	uint32_t i = *at;
	size_t n;

	*nid = 0;
	while (i < len && pzl_isspace(s[i]))
		i++;
	if (i >= len || !pzl_isdigit(s[i]))
		return false;
	while (i < len && pzl_isdigit(s[i]) && *nid < 1u << 20)
		*nid = *nid * 10 + (uint64_t)(s[i++] - '0');
	if (i >= len || s[i] != ':' || *nid >= 1024)
		return false;
	i++;
	*size = pzl_memparse(s + i, len - i, &n, NULL);
	i += (uint32_t)n;
	*at = i < len && s[i] == ',' ? i + 1 : len + 1;
	if (i < len && s[i] != ',')
		*at = len + 2; /* read, and stopped short of the end */
	return true;
}

static void cl_parse_numa_cma(struct cl_parser *p, struct pzl_arg *a)
{
	uint64_t nid, size;
	uint32_t at = 0;

	if (p->model == PZL_LINUX_5_15 || p->model == PZL_LINUX_6_1) {
		a->problem = PZL_ARG_NOT_HERE;
		return;
	}
	while (at < a->value_len)
		if (!cl_numa_cma_next(a->value, a->value_len, &at, &nid, &size))
			break;
	if (at < a->value_len || at == a->value_len + 2)
		a->problem = PZL_ARG_PARTIAL;
}

int pzl_cmdline_numa_cma(const struct pzl_cmdline *c, int nid, uint64_t *size)
{
	uint32_t i, stored = c->arg_count < c->arg_cap ? c->arg_count : c->arg_cap;
	int err = -PZ_ENOENT;

	for (i = 0; i < stored; i++) {
		const struct pzl_arg *a = &c->arg[i];
		uint64_t n, v;
		uint32_t at = 0;

		if (a->kind != PZL_ARG_NUMA_CMA || a->problem == PZL_ARG_NOT_HERE || !a->value)
			continue;
		while (at < a->value_len && cl_numa_cma_next(a->value, a->value_len, &at, &n, &v)) {
			if (nid >= 0 && n == (uint64_t)nid) {
				*size = v;
				err = 0;
			}
		}
	}
	return err;
}

static const struct {
	const char *name;
	enum pzl_arg_kind kind;
} cl_names[] = {
	{ "mem", PZL_ARG_MEM },
	{ "memmap", PZL_ARG_MEMMAP },
	{ "crashkernel", PZL_ARG_CRASHKERNEL },
	{ "elfcorehdr", PZL_ARG_ELFCOREHDR },
	{ "kernelcore", PZL_ARG_KERNELCORE },
	{ "movablecore", PZL_ARG_MOVABLECORE },
	{ "movable_node", PZL_ARG_MOVABLE_NODE },
	{ "numa", PZL_ARG_NUMA },
	{ "cma", PZL_ARG_CMA },
	{ "cma_pernuma", PZL_ARG_CMA_PERNUMA },
	{ "numa_cma", PZL_ARG_NUMA_CMA },
	{ "highmem", PZL_ARG_HIGHMEM },
	{ "vmalloc", PZL_ARG_VMALLOC },
};

static enum pzl_arg_kind cl_kind(const struct pzl_arg *a)
{
	size_t i;

	for (i = 0; i < sizeof(cl_names) / sizeof(cl_names[0]); i++)
		if (pzl_cl_name_is(a, cl_names[i].name))
			return cl_names[i].kind;
	for (i = 0; i < sizeof(cl_opaque) / sizeof(cl_opaque[0]); i++)
		if (pzl_cl_name_is(a, cl_opaque[i]))
			return PZL_ARG_OPAQUE;
	return PZL_ARG_OTHER;
}

/* What a parameter does when it stands without "=": kernels differ between refusing and dying. */
static void cl_no_value(struct cl_parser *p, struct pzl_cmdline *c, struct pzl_arg *a)
{
	switch (a->kind) {
	case PZL_ARG_KERNELCORE:
	case PZL_ARG_CMA_PERNUMA:
		a->problem = PZL_ARG_PANIC;
		break;
	case PZL_ARG_NUMA_CMA:
		a->problem = p->model == PZL_LINUX_6_12 ? PZL_ARG_PANIC : PZL_ARG_NOT_HERE;
		break;
	case PZL_ARG_VMALLOC:
		a->problem = p->arch == PZL_ARCH_ARM	? PZL_ARG_PANIC
			     : p->arch == PZL_ARCH_I386 ? PZL_ARG_NO_VALUE
							: PZL_ARG_NOT_HERE;
		break;
	case PZL_ARG_HIGHMEM:
		a->problem = p->arch == PZL_ARCH_I386 ? PZL_ARG_NO_VALUE : PZL_ARG_NOT_HERE;
		break;
	case PZL_ARG_MEM:
		if (p->arch == PZL_ARCH_ARM)
			a->problem = PZL_ARG_PANIC;
		else
			a->problem = PZL_ARG_NO_VALUE;
		break;
	case PZL_ARG_CRASHKERNEL:
		break; /* searched for as text, see crash.h */
	default:
		a->problem = PZL_ARG_NO_VALUE;
		break;
	}
	if (a->problem == PZL_ARG_PANIC)
		c->panics = true;
}

static void cl_decode(struct cl_parser *p, struct pzl_cmdline *c, struct pzl_arg *a, uint32_t index)
{
	bool wrapped = false;
	size_t n;

	if (a->kind == PZL_ARG_OTHER || a->kind == PZL_ARG_OPAQUE)
		return;
	if (a->kind == PZL_ARG_MOVABLE_NODE) {
		c->movable_node = true;
		return;
	}
	if (!a->value) {
		cl_no_value(p, c, a);
		return;
	}
	switch (a->kind) {
	case PZL_ARG_MEM:
		pzl_cl_parse_mem(p, c, a, index);
		break;
	case PZL_ARG_MEMMAP:
		pzl_cl_parse_memmap(p, c, a, index);
		break;
	case PZL_ARG_ELFCOREHDR:
		cl_parse_elfcorehdr(c, a);
		break;
	case PZL_ARG_KERNELCORE:
		if (cl_has_element(a, "mirror"))
			p->kernelcore_mirror = true;
		else
			cl_parse_core(p, a, p->kernelcore);
		break;
	case PZL_ARG_MOVABLECORE:
		cl_parse_core(p, a, p->movablecore);
		break;
	case PZL_ARG_NUMA:
		if (cl_has_numa(p->arch))
			cl_parse_numa(p, c, a);
		else
			a->problem = PZL_ARG_NOT_HERE;
		break;
	case PZL_ARG_CMA:
		cl_parse_cma(c, a);
		break;
	case PZL_ARG_CMA_PERNUMA:
		c->cma_pernuma = pzl_memparse(a->value, a->value_len, &n, &wrapped);
		pzl_cl_number_problem(a, n, wrapped);
		break;
	case PZL_ARG_NUMA_CMA:
		cl_parse_numa_cma(p, a);
		break;
	case PZL_ARG_HIGHMEM:
		if (p->arch != PZL_ARCH_I386) {
			a->problem = PZL_ARG_NOT_HERE;
			break;
		}
		c->highmem = pzl_memparse(a->value, a->value_len, &n, &wrapped);
		c->highmem_set = true;
		pzl_cl_number_problem(a, n, wrapped);
		break;
	case PZL_ARG_VMALLOC:
		if (p->arch == PZL_ARCH_I386 || p->arch == PZL_ARCH_ARM)
			cl_parse_vmalloc(p, c, a);
		else
			a->problem = PZL_ARG_NOT_HERE;
		break;
	default:
		break;
	}
}

/* Take the next word, split as the kernel does. Returns the offset after it and its blanks. */
static size_t cl_next_word(const char *s, size_t len, size_t at, struct pzl_arg *a)
{
	size_t i, equals = 0, n, skip = 0;
	bool in_quote = false, quoted = false;
	const char *w = s + at;
	size_t left = len - at;

	if (left && *w == '"') {
		w++;
		left--;
		skip = 1;
		in_quote = quoted = true;
	}
	for (i = 0; i < left; i++) {
		if (pzl_isspace(w[i]) && !in_quote)
			break;
		if (equals == 0 && w[i] == '=')
			equals = i;
		if (w[i] == '"')
			in_quote = !in_quote;
	}
	n = i;
	if (quoted && n > 0 && w[n - 1] == '"')
		n--;
	a->pos = (uint32_t)(at + skip);
	a->name = w;
	a->name_len = (uint32_t)(equals && equals < n ? equals : n);
	a->value = NULL;
	a->value_len = 0;
	if (equals) {
		size_t v = equals + 1;

		if (v < n && w[v] == '"') {
			v++;
			if (!quoted && n > v && w[n - 1] == '"')
				n--;
		}
		a->value = w + v;
		a->value_len = (uint32_t)(n > v ? n - v : 0);
	}
	at += skip + i;
	while (at < len && pzl_isspace(s[at]))
		at++;
	return at;
}

/* Bytes of command line that an architecture keeps, without the terminator. */
static size_t cl_longest(enum pzl_arch arch)
{
	switch (arch) {
	case PZL_ARCH_X86_64:
	case PZL_ARCH_I386:
	case PZL_ARCH_ARM64:
	case PZL_ARCH_POWERPC:
	case PZL_ARCH_POWERPC64:
	case PZL_ARCH_IA64:
	case PZL_ARCH_SPARC64:
		return 2047;
	case PZL_ARCH_MIPS:
	case PZL_ARCH_MIPS64:
	case PZL_ARCH_S390:
	case PZL_ARCH_LOONGARCH:
		return 4095;
	case PZL_ARCH_ARM:
	case PZL_ARCH_RISCV32:
	case PZL_ARCH_RISCV64:
		return 1023;
	default:
		return 255;
	}
}

/* movable_node beats the sizes, and kernelcore=mirror beats movablecore=. */
static void cl_precedence(struct pzl_cmdline *c)
{
	uint32_t i, stored = c->arg_count < c->arg_cap ? c->arg_count : c->arg_cap;

	for (i = 0; i < stored; i++) {
		struct pzl_arg *a = &c->arg[i];
		bool core = a->kind == PZL_ARG_KERNELCORE, mov = a->kind == PZL_ARG_MOVABLECORE;

		if (a->problem != PZL_ARG_OK)
			continue;
		if ((c->movable_node && (core || mov)) ||
		    (c->kernelcore.kind == PZ_CORE_MIRROR && mov))
			a->problem = PZL_ARG_OVERRIDDEN;
	}
}

void pzl_cmdline_init(struct pzl_cmdline *c, struct pzl_arg *args, uint32_t arg_cap,
		      struct pzl_mem_op *ops, uint32_t op_cap)
{
	struct pzl_cmdline fresh = { 0 };

	fresh.arg = args;
	fresh.arg_cap = args ? arg_cap : 0;
	fresh.op = ops;
	fresh.op_cap = ops ? op_cap : 0;
	*c = fresh;
}

int pzl_cmdline_parse(struct pzl_cmdline *c, enum pzl_model model, enum pzl_arch arch,
		      unsigned int page_shift, const char *text, size_t len)
{
	struct cl_core kernelcore = { 0, 0, false }, movablecore = { 0, 0, false };
	struct cl_parser p = { model, arch, page_shift, &kernelcore, &movablecore, false, false };
	bool init = false;
	size_t at = 0, full;

	if ((unsigned int)model >= PZL_MODELS || (unsigned int)arch >= PZL_ARCHS ||
	    page_shift < 12 || page_shift > 18)
		return -PZ_EINVAL;

	pzl_cmdline_init(c, c->arg, c->arg_cap, c->op, c->op_cap);
	for (full = 0; full < len && full < UINT32_MAX && text[full]; full++)
		;
	c->text = text;
	c->len = full < cl_longest(arch) ? full : cl_longest(arch);

	while (at < full && pzl_isspace(text[at]))
		at++;
	while (at < full) {
		struct pzl_arg a = { PZL_ARG_OTHER, PZL_ARG_OK, 0, NULL, 0, NULL, 0 };
		bool cut = at >= c->len;

		at = cl_next_word(text, cut ? full : c->len, at, &a);
		if (cut) {
			a.problem = PZL_ARG_CUT;
		} else if (init) {
			a.kind = PZL_ARG_INIT;
		} else if (a.name_len == 2 && !a.value && a.name[0] == '-' && a.name[1] == '-') {
			init = true;
			a.kind = PZL_ARG_INIT;
		} else {
			a.kind = cl_kind(&a);
			cl_decode(&p, c, &a, c->arg_count);
		}
		if (c->arg_count < c->arg_cap)
			c->arg[c->arg_count] = a;
		c->arg_count++;
	}
	kernelcore.mirror = p.kernelcore_mirror;
	c->kernelcore = cl_core_spec(&kernelcore);
	c->movablecore = cl_core_spec(&movablecore);
	cl_precedence(c);
	return c->arg_count > c->arg_cap || c->op_count > c->op_cap ? -PZ_ENOSPC : 0;
}

const char *pzl_arg_kind_name(enum pzl_arg_kind kind)
{
	return (unsigned int)kind < PZL_ARG_KINDS ? cl_kind_names[kind] : "?";
}

const char *pzl_arg_problem_text(enum pzl_arg_problem problem)
{
	return (unsigned int)problem < PZL_ARG_PROBLEMS ? cl_problem_texts[problem] : "?";
}
