/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmu_rights.c - who may do what with a page: loads and stores of the processor itself and as from
 * user mode, and code that runs in both; and what they fault with.
 */
#include "mmu_box.h"

#define RIGHTS_IOVA 0xe1000000u
#define RIGHTS_PHYS (BOX_PHYS + 0x10000000u)

/* A function: mov r0, #42; bx lr. */
#define RIGHTS_MOV 0xe3a0002au
#define RIGHTS_RETURN 0xe12fff1eu
#define RIGHTS_RESULT 42u

static const uint32_t rights_sizes[] = { PZ_V7S_4K, PZ_V7S_64K, PZ_V7S_1M, PZ_V7S_16M };

/* An access was made, or faults at its address with a status. */
static bool rights_went(struct mmu_access a, bool allowed, uint32_t addr, enum mmu_status status)
{
	return allowed ? !a.fault : a.fault && a.addr == addr && a.status == status;
}

static bool rights_walk(uint32_t iova, uint32_t prot, enum mmu_status status)
{
	bool write = prot & PZ_IOMMU_WRITE, user = !(prot & PZ_IOMMU_PRIV);
	const bool allowed[MMU_INTENTS] = { true, write, user, user && write };

	for (unsigned int i = 0; i < MMU_INTENTS; i++) {
		uint32_t par = mmu_translate(iova, (enum mmu_intent)i);

		if (allowed[i] == (par & MMU_PAR_FAULT) ||
		    (!allowed[i] && mmu_par_status(par) != status))
			return false;
	}
	return true;
}

/* Loads and stores, at some word of the page. */
static bool rights_data(uint32_t iova, uint32_t prot, enum mmu_status status)
{
	bool write = prot & PZ_IOMMU_WRITE, user = !(prot & PZ_IOMMU_PRIV);
	struct mmu_access store = mmu_store(iova, 1), user_store = mmu_store_user(iova, 2);

	return rights_went(mmu_load(iova), true, iova, status) &&
	       rights_went(store, write, iova, status) && store.write == store.fault &&
	       rights_went(mmu_load_user(iova), user, iova, status) &&
	       rights_went(user_store, user && write, iova, status) &&
	       user_store.write == user_store.fault;
}

static bool rights_ran(struct mmu_access a, bool allowed, uint32_t addr, enum mmu_status status)
{
	return rights_went(a, allowed, addr, status) && a.fetch == a.fault &&
	       (a.fault || a.value == RIGHTS_RESULT);
}

/* Code. What a fetch from a device would do is not defined. */
static bool rights_code(uint32_t iova, uint32_t prot, enum mmu_status status)
{
	bool exec = !(prot & PZ_IOMMU_NOEXEC), user = !(prot & PZ_IOMMU_PRIV);

	if (exec && prot & PZ_IOMMU_MMIO)
		return true;
	return rights_ran(mmu_call(iova), exec, iova, status) &&
	       rights_ran(mmu_call_user(iova), exec && user, iova, status);
}

static void rights_write_code(uint32_t phys)
{
	volatile uint32_t *code = box_direct(phys);

	code[0] = RIGHTS_MOV;
	code[1] = RIGHTS_RETURN;
	mmu_code_written((const void *)(uintptr_t)code, 8);
}

static bool rights_page(struct box *b, uint32_t size, uint32_t prot)
{
	enum mmu_status status = size < PZ_V7S_1M ? MMU_PERMISSION_PAGE : MMU_PERMISSION_SECTION;
	uint32_t middle = size / 2, last = size - 4;
	bool good = box_map(b, RIGHTS_IOVA, RIGHTS_PHYS, size, prot) &&
		    rights_walk(RIGHTS_IOVA + last, prot, status) &&
		    rights_data(RIGHTS_IOVA, prot, status) &&
		    rights_data(RIGHTS_IOVA + last, prot, status) &&
		    rights_code(RIGHTS_IOVA + middle, prot, status);

	good = box_unmap(b, RIGHTS_IOVA, size) && good;
	/* QEMU 7.2 goes on running code in a large page of which another 4 KiB was flushed. */
	mmu_flush_all();
	return good;
}

/* All permissions and kinds of memory, in pages of one size. */
static void rights_each(struct box *b, uint32_t size)
{
	uint32_t bad = 0;

	rights_write_code(RIGHTS_PHYS + size / 2);
	for (uint32_t prot = 1; prot <= PZ_IOMMU_PROT && !bad; prot++)
		if (prot & BOX_RW && !rights_page(b, size, prot))
			bad = prot;
	box_check(b, !bad, "%u KiB: every permission is kept (%#x)", size >> 10, bad);
	pz_v7s_trim(b->v7s, 0, RIGHTS_IOVA, size);
}

/* Where nothing is mapped no code is fetched. */
static void rights_nothing(struct box *b)
{
	const uint32_t page = RIGHTS_IOVA + PZ_V7S_4K;

	box_check(b,
		  rights_ran(mmu_call(RIGHTS_IOVA), false, RIGHTS_IOVA, MMU_TRANSLATION_SECTION) &&
			  rights_ran(mmu_call_user(RIGHTS_IOVA), false, RIGHTS_IOVA,
				     MMU_TRANSLATION_SECTION),
		  "no code where there is no MiB");
	box_check(b, box_map(b, RIGHTS_IOVA, RIGHTS_PHYS, PZ_V7S_4K, BOX_MEMORY), "a page");
	box_check(b,
		  rights_ran(mmu_call(page), false, page, MMU_TRANSLATION_PAGE) &&
			  rights_ran(mmu_call_user(page), false, page, MMU_TRANSLATION_PAGE),
		  "nor behind a page");
	box_check(b, box_unmap(b, RIGHTS_IOVA, PZ_V7S_4K), "it goes");
}

/* Write the words of a page; true when that page then faults for lack of its access flag. */
static bool rights_flag(struct box *b, uint32_t size, enum mmu_status status)
{
	volatile uint32_t *word = box_descriptor(b, RIGHTS_IOVA);
	uint32_t was = *word, repeat = size == PZ_V7S_64K || size == PZ_V7S_16M ? 16 : 1;
	uint32_t bare = pz_v7s_encode(PZ_V7S_NO_PERMS, size, RIGHTS_PHYS, BOX_MEMORY);
	bool good;

	for (uint32_t i = 0; i < repeat; i++)
		word[i] = bare;
	mmu_flush_all();
	good = box_faults(b, RIGHTS_IOVA, status) && box_faults(b, RIGHTS_IOVA + size - 4, status);
	for (uint32_t i = 0; i < repeat; i++)
		word[i] = was;
	mmu_flush_all();
	return good;
}

/* Pages for an IOMMU without permissions lack the access flag, which this processor wants. */
static void rights_access_flag(struct box *b)
{
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t size = rights_sizes[i];
		enum mmu_status status =
			size < PZ_V7S_1M ? MMU_ACCESS_FLAG_PAGE : MMU_ACCESS_FLAG_SECTION;
		bool good = box_map(b, RIGHTS_IOVA, RIGHTS_PHYS, size, BOX_MEMORY) &&
			    rights_flag(b, size, status) &&
			    box_range_leads(b, RIGHTS_IOVA, RIGHTS_PHYS, size, PZ_V7S_64K);

		box_check(b, good, "%u KiB: without permissions the access flag is missed",
			  size >> 10);
		box_check(b, box_unmap(b, RIGHTS_IOVA, size), "they go");
		pz_v7s_trim(b->v7s, 0, RIGHTS_IOVA, size);
	}
}

void mmu_rights(struct tap *t, uint64_t handed_over)
{
	struct box b;

	if (!box_open(&b, t, 0, 32))
		return;
	for (uint32_t i = 0; i < 4; i++)
		rights_each(&b, rights_sizes[i]);
	rights_nothing(&b);
	rights_access_flag(&b);
	box_close(&b);
}
