/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmu_box.c - tables of the library that the processor itself translates by, see mmu_box.h.
 *
 * Tables lie in a store of the image, so the walker finds them at the address that the processor
 * uses. What is given out holds junk, and what came back holds words of a reserved type: a walk
 * through a table that is gone faults.
 */
#include <physzone/fmt.h>

#include "../ports/arm/layout.h"
#include "../src/base/pz_string.h"

#include "mmu_box.h"

#define BOX_FIRST_BYTES 0x4000u
#define BOX_SECOND_BYTES 0x400u
#define BOX_SECONDS 1024u
#define BOX_JUNK 0x5a
#define BOX_GONE 0xff

/* Store of the provider; there is one box at a time. */
static struct {
	_Alignas(BOX_FIRST_BYTES) unsigned char first[BOX_FIRST_BYTES];
	unsigned char second[BOX_SECONDS][BOX_SECOND_BYTES];
	bool first_taken, taken[BOX_SECONDS];
	uint32_t last; /* where the last search ended */
} box_store;

static void *box_take_second(void)
{
	for (uint32_t n = 0; n < BOX_SECONDS; n++) {
		uint32_t i = (box_store.last + 1 + n) % BOX_SECONDS;

		if (box_store.taken[i])
			continue;
		box_store.taken[i] = true;
		box_store.last = i;
		return box_store.second[i];
	}
	return NULL;
}

static int box_alloc(void *ctx, uint32_t cpu, uint32_t gfp, uint32_t bytes, struct pz_table *out)
{
	struct box *b = ctx;
	void *p = NULL;

	if (bytes == BOX_FIRST_BYTES && !box_store.first_taken) {
		box_store.first_taken = true;
		p = box_store.first;
	} else if (bytes == BOX_SECOND_BYTES) {
		p = box_take_second();
	}
	if (!p)
		return -PZ_ENOMEM;
	memset(p, BOX_JUNK, bytes);
	b->tables += bytes >> 10;
	*out = (struct pz_table){ p, (uintptr_t)p };
	return 0;
}

static void box_free(void *ctx, uint32_t cpu, uint32_t bytes, const struct pz_table *t)
{
	struct box *b = ctx;
	uintptr_t second = (uintptr_t)t->cpu_addr - (uintptr_t)box_store.second;

	memset(t->cpu_addr, BOX_GONE, bytes);
	b->tables -= bytes >> 10;
	if (bytes == BOX_FIRST_BYTES)
		box_store.first_taken = false;
	else
		box_store.taken[second / BOX_SECOND_BYTES] = false;
}

static bool box_read(void *ctx, uint64_t addr, uint32_t *word)
{
	uint64_t within = addr - (uintptr_t)box_store.first;

	if (within >= BOX_FIRST_BYTES + sizeof(box_store.second))
		return false;
	*word = *(const volatile uint32_t *)(uintptr_t)addr;
	return true;
}

/* During a callback the neighbour is where it was; its translation is fetched anew behind it. */
static void box_look(struct box *b)
{
	struct mmu_access seen;

	if (!b->watch_iova && !b->watch_phys)
		return;
	b->watched++;
	seen = mmu_load(b->watch_iova);
	b->lost += seen.fault || seen.value != *box_direct(b->watch_phys);
}

static void box_flush_all(void *ctx)
{
	struct box *b = ctx;

	b->flushes++;
	mmu_flush_all();
}

static void box_flush_walk(void *ctx, uint64_t iova, uint64_t size, uint32_t granule)
{
	struct box *b = ctx;

	b->flushes++;
	box_look(b);
	for (uint64_t at = 0; at < size; at += granule)
		mmu_flush_page((uint32_t)(iova + at));
	box_look(b);
}

static void box_add(void *ctx, void *gather, uint64_t iova, uint64_t size, uint32_t granule)
{
	box_flush_walk(ctx, iova, size, granule);
}

static int box_create(struct box *b, uint32_t ias)
{
	struct pz_v7s_config cfg = { .ias = ias, .oas = 32, .coherent_walk = true };

	b->mem = (struct pz_table_mem){ box_alloc, box_free, b, true };
	cfg.quirks = b->quirks;
	cfg.mem = &b->mem;
	cfg.meta = b->t->meta;
	cfg.bugs = &b->bugs;
	cfg.tlb = (struct pz_v7s_tlb){ box_flush_all, box_flush_walk, box_add, b };
	return pz_v7s_create(&b->v7s, &cfg, 0, 0, NULL);
}

/* What the image needs to go on. Code that runs in user mode lies in it too. */
static bool box_map_image(struct box *b, uint32_t ias)
{
	struct pz_range image = port_image(), all = port_mapped();
	uint32_t first = (uint32_t)image.first & ~(PZ_V7S_1M - 1);
	uint32_t last = (uint32_t)image.last | (PZ_V7S_1M - 1);

	if (!box_map(b, first, first, last - first + 1, BOX_MEMORY) ||
	    !box_map(b, PORT_UART, PORT_UART, PZ_V7S_4K,
		     BOX_RW | PZ_IOMMU_MMIO | PZ_IOMMU_PRIV | PZ_IOMMU_NOEXEC))
		return false;
	/* With less the other half of the addresses is the port's. */
	return ias < 32 || box_map(b, PORT_DIRECT, (uint32_t)all.first, PORT_RAM_BYTES,
				   BOX_MEMORY | PZ_IOMMU_PRIV | PZ_IOMMU_NOEXEC);
}

static void box_turn_on(struct box *b, uint32_t ias)
{
	struct pz_v7s_regs regs = pz_v7s_regs(b->v7s);
	bool permissions = !(b->quirks & PZ_V7S_NO_PERMS);

	b->regime.ttbr0 = (uint32_t)regs.ttbr;
	b->regime.ttbr1 = mmu_port_regime().ttbr0;
	b->regime.ttbcr = regs.tcr | (32 - ias);
	b->regime.prrr = regs.prrr;
	b->regime.nmrr = regs.nmrr;
	b->regime.dacr = permissions ? MMU_DACR_CLIENT : MMU_DACR_MANAGER;
	b->regime.access_flag = permissions;
	b->view.table = regs.ttbr & ~(uint64_t)(BOX_FIRST_BYTES - 1);
	b->view.ias = ias;
	b->view.permissions = permissions;
	b->view.read = box_read;
	mmu_off();
	mmu_on(&b->regime);
}

bool box_open(struct box *b, struct tap *t, uint32_t quirks, uint32_t ias)
{
	*b = (struct box){ .t = t, .quirks = quirks, .bugs = { .policy = PZ_BUG_IGNORE } };
	if (!box_check(b, box_create(b, ias) == 0, "tables are made, quirks %#x", quirks))
		return false;
	if (!box_check(b, box_map_image(b, ias), "they map the image")) {
		pz_v7s_destroy(b->v7s, 0);
		return false;
	}
	box_turn_on(b, ias);
	return box_check(b, true, "the processor translates by them");
}

void box_close(struct box *b)
{
	struct mmu_regime port = mmu_port_regime();

	mmu_off();
	mmu_on(&port);
	box_check(b, pz_v7s_check(b->v7s) == 0, "the tables are sound");
	pz_v7s_destroy(b->v7s, 0);
	box_check(b, b->tables == 0, "all tables came back");
	box_check(b, b->bugs.count == 0, "nothing was misused");
}

bool box_map(struct box *b, uint32_t iova, uint32_t phys, uint32_t size, uint32_t prot)
{
	return pz_v7s_map(b->v7s, 0, 0, iova, phys, size, prot) == 0;
}

bool box_unmap(struct box *b, uint32_t iova, uint32_t size)
{
	uint64_t done = 0;

	return pz_v7s_unmap(b->v7s, 0, 0, iova, size, 0, NULL, &done) == 0 && done == size;
}

volatile uint32_t *box_descriptor(struct box *b, uint32_t iova)
{
	volatile uint32_t *first = (volatile uint32_t *)(uintptr_t)b->view.table + (iova >> 20);

	if ((*first & 3) != 1)
		return first;
	return (volatile uint32_t *)(uintptr_t)(*first & ~0x3ffu) + (iova >> 12 & 0xff);
}

volatile uint32_t *box_direct(uint32_t phys)
{
	return port_direct(phys);
}

/* What a walk that succeeds leaves in PAR: the page, which is a whole supersection's if it is. */
static bool box_par_leads(struct box *b, uint32_t iova, uint32_t phys)
{
	uint32_t par = mmu_translate(iova, MMU_READ), mask = 0xfffff000u;

	if (par & MMU_PAR_SUPERSECTION)
		mask = 0xff000000u;
	return !(par & MMU_PAR_FAULT) && (par & mask) == (phys & mask);
}

bool box_leads(struct box *b, uint32_t iova, uint32_t phys)
{
	uint32_t one = ++b->nonce * 0x9e3779b1u, two = ~one;
	struct mmu_access seen, written;
	bool good;

	*box_direct(phys) = one;
	seen = mmu_load(iova);
	written = mmu_store(iova, two);
	good = !seen.fault && seen.value == one && !written.fault && *box_direct(phys) == two;
	return box_par_leads(b, iova, phys) && good;
}

/* A word of a step: the first, the last, or some other, by turns. */
static uint32_t box_word(struct box *b, uint32_t step)
{
	switch (++b->nonce % 3) {
	case 0:
		return 0;
	case 1:
		return step - 4;
	default:
		return (b->nonce * 0x9e3779b1u >> 4) % step & ~3u;
	}
}

/* What is left of a range for a step. */
static uint32_t box_step(uint32_t left, uint32_t step)
{
	return left < step ? left : step;
}

bool box_range_leads(struct box *b, uint32_t iova, uint32_t phys, uint32_t size, uint32_t step)
{
	if (!size)
		return true;
	for (uint32_t at = 0; at < size; at += step) {
		uint32_t word = at + box_word(b, box_step(size - at, step));

		if (!box_leads(b, iova + word, phys + word))
			return false;
	}
	return box_leads(b, iova, phys) && box_leads(b, iova + size - 4, phys + size - 4);
}

bool box_faults(struct box *b, uint32_t iova, enum mmu_status status)
{
	struct mmu_access load = mmu_load(iova), store = mmu_store(iova, 0);
	uint32_t par = mmu_translate(iova, MMU_READ);

	return load.fault && !load.fetch && !load.write && load.addr == iova &&
	       load.status == status && store.fault && !store.fetch && store.write &&
	       store.addr == iova && store.status == status && (par & MMU_PAR_FAULT) &&
	       mmu_par_status(par) == status;
}

bool box_range_faults(struct box *b, uint32_t iova, uint32_t size, uint32_t step,
		      enum mmu_status status)
{
	for (uint32_t at = 0; at < size; at += step)
		if (!box_faults(b, iova + at + box_word(b, box_step(size - at, step)), status))
			return false;
	return box_faults(b, iova, status) && box_faults(b, iova + size - 4, status);
}

bool box_check(struct box *b, bool good, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	pz_vsnprintf(b->name, sizeof(b->name), fmt, ap);
	va_end(ap);
	return CHECK_NAMED(b->t, good, b->name);
}
