/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot_requests.c - what a Linux kernel asks of memory while it starts.
 *
 * Concept: each function turns totals of a machine and words of the command line into requests,
 * as data. Whether a request can be served is not asked here, with one exception that the kernel
 * makes too: whether ZONE_DMA has a managed page.
 *
 * Invariants: 1. min_order <= order <= the largest order, for requests to the page allocator;
 * 2. min_bytes <= bytes for requests to memblock; 3. count is at least 1.
 *
 * Failure: what the kernel does not ask for is -PZ_ENOENT, or is not among the requests.
 *
 * Shortcomings: which features a kernel was built with is the architecture's usual configuration.
 * Bounce buffers have a file of their own, boot_swiotlb.c.
 */
#include <physzone/linux/boot.h>
#include <physzone/linux/slab_gfp.h>

#include "../src/base/bits.h"
#include "../src/base/pz_string.h"
#include "pzl_boot.h"
#include "pzl_swiotlb.h"
#include "pzl_text.h"

#define BOOT_4G 0x100000000ull
#define BOOT_POOL_MIN 0x20000ull
#define BOOT_POOL_ARM 0x40000ull
#define BOOT_POOL_DOCUMENTED 0x40000ull /* what the kernel's documentation states */

/* Arguments of a name, for the kernel alone: '-' and '_' are the same. */
static bool boot_is(const struct pzl_arg *a, const char *name)
{
	uint32_t i;

	if (a->kind == PZL_ARG_INIT || !a->value)
		return false;
	for (i = 0; i < a->name_len && name[i]; i++)
		if (a->name[i] != name[i] && !(a->name[i] == '-' && name[i] == '_'))
			return false;
	return i == a->name_len && !name[i];
}

/* Whether a list at commas has an element that begins with a word. */
static bool boot_has_word(const struct pzl_arg *a, const char *word)
{
	uint32_t i;

	for (i = 0; i < a->value_len; i++)
		if ((!i || a->value[i - 1] == ',') &&
		    pzl_starts_n(a->value + i, a->value_len - i, word))
			return true;
	return false;
}

void pzl_boot_args(const struct pzl_cmdline *cl, struct pzl_boot_args *out)
{
	uint32_t i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < cl->arg_count && i < cl->arg_cap; i++) {
		const struct pzl_arg *a = &cl->arg[i];

		if (boot_is(a, "coherent_pool")) {
			out->coherent_pool = pzl_memparse(a->value, a->value_len, NULL, NULL);
			out->coherent_pool_set = true;
		} else if (boot_is(a, "swiotlb")) {
			pzl_swiotlb_read(&out->swiotlb[0], false, a->value, a->value_len);
			pzl_swiotlb_read(&out->swiotlb[1], true, a->value, a->value_len);
		} else if (boot_is(a, "iommu")) {
			out->iommu_soft = out->iommu_soft || boot_has_word(a, "soft");
			out->iommu_off = out->iommu_off || boot_has_word(a, "off");
		}
	}
}

void pzl_boot_name(char *to, const char *from)
{
	size_t i;

	for (i = 0; from[i] && i < PZL_BOOT_NAME - 1; i++)
		to[i] = from[i];
	to[i] = '\0';
}

/* A number of KiB, MiB or GiB where it is a whole one, and a text. */
static void boot_name_size(char *to, uint64_t bytes, const char *after)
{
	static const char units[] = "\0KMG";
	char digits[24];
	unsigned int u = 0, n = 0;
	size_t at = 0, i;

	while (u < 3 && bytes && !(bytes & 1023)) {
		bytes >>= 10;
		u++;
	}
	do {
		uint64_t rem;

		bytes = pz_udivrem64(bytes, 10, &rem);
		digits[n++] = (char)('0' + rem);
	} while (bytes && n < sizeof(digits));
	while (n && at < PZL_BOOT_NAME - 1)
		to[at++] = digits[--n];
	if (units[u] && at < PZL_BOOT_NAME - 1)
		to[at++] = units[u];
	for (i = 0; after[i] && at < PZL_BOOT_NAME - 1; i++)
		to[at++] = after[i];
	to[at] = '\0';
}

void pzl_boot_request_init(struct pzl_boot_request *r, enum pzl_boot_what what,
			   enum pzl_boot_when when, uint64_t bytes)
{
	r->what = what;
	r->when = when;
	r->name[0] = '\0';
	r->bytes = bytes;
	r->min_bytes = bytes;
	r->count = 1;
	r->order = 0;
	r->min_order = 0;
	r->jump = false;
	r->gfp = 0;
	r->retry_gfp = 0;
	r->cma = false;
	r->cma_align = 0;
	r->max_addr = PZ_ADDR_MAX;
}

/* The smallest order that holds a number of bytes; bytes are at least 1. */
static unsigned int boot_order(uint64_t bytes, uint32_t page_shift)
{
	uint64_t pages = (bytes - 1) >> page_shift;

	return pages ? pz_fls64(pages) + 1 : 0;
}

uint64_t pzl_pool_bytes(uint64_t totalram_pages, uint32_t page_shift, uint32_t max_order,
			uint64_t coherent_pool)
{
	uint64_t pages = totalram_pages >> 13; /* 128 KiB of each GiB */
	uint64_t most = (uint64_t)1 << max_order;
	uint64_t bytes;

	if (coherent_pool)
		return coherent_pool;
	if (pages > most)
		pages = most;
	bytes = pages << page_shift;
	return bytes < BOOT_POOL_MIN ? BOOT_POOL_MIN : bytes;
}

bool pzl_boot_has_pools(enum pzl_arch arch)
{
	switch (arch) {
	case PZL_ARCH_X86_64: /* through its memory encryption */
	case PZL_ARCH_ARM64:
	case PZL_ARCH_RISCV64:
	case PZL_ARCH_ARM:
		return true;
	default:
		return false;
	}
}

/* Whether the default contiguous area lies below what the flags stand for. */
static bool boot_cma_in_zone(const struct pzl_boot_in *in, uint32_t gfp)
{
	const struct pzl_model_facts *mf = pzl_model_facts(in->model);

	if (!in->cma_last)
		return false;
	if ((gfp & PZL_GFP_DMA) && (in->configured & PZL_ZONE_BIT(PZ_ZONE_DMA)))
		return in->cma_last <= in->zone_limit;
	if ((gfp & PZL_GFP_DMA32) && (in->configured & PZL_ZONE_BIT(PZ_ZONE_DMA32))) {
		if (mf && mf->dma_limit_exact && in->zone_limit > BOOT_4G - 1)
			return in->cma_last <= in->zone_limit;
		return in->cma_last <= BOOT_4G - 1;
	}
	return true;
}

static void boot_pool(const struct pzl_boot_in *in, uint64_t bytes, uint32_t zone, uint64_t limit,
		      struct pzl_boot_request *r)
{
	const struct pzl_model_facts *mf = pzl_model_facts(in->model);
	unsigned int order = boot_order(bytes, in->page_shift);

	pzl_boot_request_init(r, PZL_BOOT_POOL, PZL_BOOT_POSTCORE, bytes);
	pzl_boot_name(r->name, "atomic pool");
	r->order = order < in->max_order ? order : in->max_order;
	r->gfp = PZL_GFP_KERNEL | zone;
	r->retry_gfp = r->gfp;
	r->cma = boot_cma_in_zone(in, r->gfp);
	r->cma_align = r->order < 8 ? r->order : 8;
	r->max_addr = limit;
	/* The version that fails loudly is also the one that tries without asking. */
	if (mf && mf->has_managed_dma) {
		r->gfp |= PZL_GFP_NOWARN;
		r->retry_gfp = r->gfp;
	}
}

/* arm has one pool, of exactly so many bytes, from the default area if there is one. */
static void boot_pool_arm(const struct pzl_boot_in *in, uint64_t bytes, struct pzl_boot_request *r)
{
	pzl_boot_request_init(r, PZL_BOOT_POOL, PZL_BOOT_POSTCORE, bytes);
	pzl_boot_name(r->name, "atomic coherent pool");
	r->order = boot_order(bytes, in->page_shift);
	if (r->order > in->max_order)
		r->order = in->max_order;
	r->min_order = r->order;
	r->gfp = PZL_GFP_KERNEL | PZL_GFP_DMA;
	r->retry_gfp = r->gfp;
	r->cma = in->cma_last != 0;
	r->cma_align = r->order < 8 ? r->order : 8;
	if (in->configured & PZL_ZONE_BIT(PZ_ZONE_DMA))
		r->max_addr = in->zone_limit;
}

unsigned int pzl_boot_pools(const struct pzl_boot_in *in, const struct pzl_boot_args *args,
			    struct pzl_boot_request *out)
{
	const struct pzl_model_facts *mf = pzl_model_facts(in->model);
	uint64_t bytes = pzl_pool_bytes(in->totalram_pages, in->page_shift, in->max_order,
					args->coherent_pool);
	unsigned int n = 0;

	if (in->pool_rules != PZL_POOL_KERNEL && args->coherent_pool_set && !args->coherent_pool)
		return 0;
	if (in->pool_rules == PZL_POOL_DOCUMENTED && !args->coherent_pool)
		bytes = BOOT_POOL_DOCUMENTED;
	if (in->arch == PZL_ARCH_ARM) {
		boot_pool_arm(in, args->coherent_pool ? args->coherent_pool : BOOT_POOL_ARM, out);
		return 1;
	}
	boot_pool(in, bytes, 0, PZ_ADDR_MAX, &out[n++]);
	if ((in->configured & PZL_ZONE_BIT(PZ_ZONE_DMA)) &&
	    (in->managed_dma || !(mf && mf->has_managed_dma)))
		boot_pool(in, bytes, PZL_GFP_DMA, in->zone_limit, &out[n++]);
	if (in->configured & PZL_ZONE_BIT(PZ_ZONE_DMA32))
		boot_pool(in, bytes, PZL_GFP_DMA32, BOOT_4G - 1, &out[n++]);
	return n;
}

/* The sizes of huge pages that an architecture has, as far as it is known; 0 for none. */
static uint64_t boot_huge_size(const struct pzl_boot_in *in, unsigned int index)
{
	static const uint8_t shift_4k[] = { 21, 30, 25, 16 };
	static const uint8_t shift_16k[] = { 25, 21, 30 };
	static const uint8_t shift_64k[] = { 29, 21, 34 };

	switch (in->arch) {
	case PZL_ARCH_I386:
		return index ? 0 : (uint64_t)1 << (in->pae ? 21 : 22);
	case PZL_ARCH_ARM64:
		if (in->page_shift == 12)
			return index < 4 ? (uint64_t)1 << shift_4k[index] : 0;
		if (in->page_shift == 14)
			return index < 3 ? (uint64_t)1 << shift_16k[index] : 0;
		return index < 3 ? (uint64_t)1 << shift_64k[index] : 0;
	case PZL_ARCH_S390:
		return index == 0 ? 1u << 20 : index == 1 ? 1u << 31 : 0;
	default:
		return index < 2 ? (uint64_t)1 << shift_4k[index] : 0;
	}
}

static bool boot_huge_known(const struct pzl_boot_in *in, uint64_t size)
{
	for (unsigned int i = 0; boot_huge_size(in, i); i++)
		if (boot_huge_size(in, i) == size)
			return true;
	return false;
}

/* "5", or "0:2,1:3" by nodes: the sum. */
static uint64_t boot_huge_count(const struct pzl_arg *a)
{
	const char *s = a->value;
	size_t len = a->value_len, used;
	uint64_t sum = 0, v;

	while (len) {
		v = pzl_strtoull(s, len, &used, NULL);
		if (!used)
			break;
		s += used;
		len -= used;
		if (len && *s == ':') {
			v = pzl_strtoull(s + 1, len - 1, &used, NULL);
			if (!used)
				break;
			s += used + 1;
			len -= used + 1;
		}
		sum = pz_add_sat64(sum, v);
		if (!len || *s != ',')
			break;
		s++;
		len--;
	}
	return sum;
}

static void boot_huge(const struct pzl_boot_in *in, uint64_t size, uint64_t count,
		      struct pzl_boot_request *r)
{
	unsigned int order = pz_fls64(size) - in->page_shift;

	if (order > in->max_order) {
		pzl_boot_request_init(r, PZL_BOOT_GIGANTIC, PZL_BOOT_MEMBLOCK, size);
	} else {
		pzl_boot_request_init(r, PZL_BOOT_HUGETLB, PZL_BOOT_SUBSYS, size);
		r->order = order;
		r->min_order = order;
		r->gfp = PZL_GFP_HIGHUSER | PZL_GFP_MOVABLE | PZL_GFP_THISNODE | PZL_GFP_COMP |
			 PZL_GFP_NOWARN | PZL_GFP_RETRY_MAYFAIL;
		r->retry_gfp = r->gfp;
	}
	boot_name_size(r->name, size, " huge page");
	r->count = count;
}

unsigned int pzl_boot_hugepages(const struct pzl_boot_in *in, const struct pzl_cmdline *cl,
				struct pzl_boot_request *out, unsigned int cap)
{
	uint64_t size = boot_huge_size(in, 0);
	bool known = true;
	unsigned int n = 0;
	uint32_t i;

	for (i = 0; i < cl->arg_count && i < cl->arg_cap; i++) {
		const struct pzl_arg *a = &cl->arg[i];
		uint64_t v;

		if (boot_is(a, "default_hugepagesz")) {
			v = pzl_memparse(a->value, a->value_len, NULL, NULL);
			if (boot_huge_known(in, v))
				size = v;
			known = boot_huge_known(in, v);
		} else if (boot_is(a, "hugepagesz")) {
			v = pzl_memparse(a->value, a->value_len, NULL, NULL);
			known = boot_huge_known(in, v);
			if (known)
				size = v;
		} else if (boot_is(a, "hugepages")) {
			v = boot_huge_count(a);
			if (known && v) {
				if (n < cap)
					boot_huge(in, size, v, &out[n]);
				n++;
			}
			known = true;
		}
	}
	return n;
}

int pzl_boot_kmalloc_dma(const struct pzl_boot_in *in, uint64_t bytes,
			 struct pzl_boot_request *out)
{
	const uint64_t most = (uint64_t)1 << (in->page_shift + in->max_order);
	const bool none = in->only_managed && !in->managed_dma;
	enum pzl_kmalloc_type type = PZL_KMALLOC_DMA;
	struct pzl_slab_geometry g;
	struct pzl_slab_cache cache;
	struct pzl_slab_kernel k;
	struct pzl_slab_alloc a;
	struct pzl_kmalloc km;
	uint32_t size = 0, gfp = PZL_GFP_KERNEL | PZL_GFP_DMA;
	bool large;

	if (!bytes || bytes > most)
		return -PZ_EINVAL;
	pzl_slab_kernel_init(&k, in->model, in->arch, in->page_shift);
	pzl_kmalloc_init(&km, in->model, in->arch, in->page_shift);
	k.cpus = in->cpus ? in->cpus : 1;
	k.largest_order = in->max_order;
	large = pzl_kmalloc_size(&km, bytes, &size) != 0;
	if (!(in->configured & PZL_ZONE_BIT(PZ_ZONE_DMA)) || (none && !large)) {
		type = PZL_KMALLOC_NORMAL;
		gfp = PZL_GFP_KERNEL;
	}
	pzl_boot_request_init(out, PZL_BOOT_KMALLOC, PZL_BOOT_LATER, bytes);
	if (gfp & PZL_GFP_DMA)
		out->max_addr = in->zone_limit;
	if (large) {
		pzl_boot_name(out->name, "large kmalloc");
		pzl_kmalloc_large(&a, in->model, in->page_shift, bytes, gfp);
	} else {
		if (pzl_kmalloc_cache(&km, type, size, &cache) || pzl_slab_geometry(&k, &cache, &g))
			return -PZ_EINVAL;
		pzl_kmalloc_name(out->name, sizeof(out->name), type, 0, size);
		pzl_slab_alloc(&a, in->model, cache.flags, &g, gfp);
		out->jump = true;
	}
	out->order = a.order;
	out->min_order = a.fallback_order;
	out->gfp = a.gfp;
	out->retry_gfp = a.fallback_gfp;
	return 0;
}
