/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmu.c - caches, translations and the registers that rule them, see mmu.h.
 */
#include "mmu.h"

#define MMU_SCTLR_M 0x1u
#define MMU_SCTLR_A 0x2u
#define MMU_SCTLR_C 0x4u
#define MMU_SCTLR_Z 0x800u
#define MMU_SCTLR_I 0x1000u
#define MMU_SCTLR_V 0x2000u
#define MMU_SCTLR_TRE 0x10000000u
#define MMU_SCTLR_AFE 0x20000000u

/* Read and write a system register of coprocessor 15. */
#define MMU_GET(v, op1, n, m, op2) \
	__asm__ volatile("mrc p15, " #op1 ", %0, " #n ", " #m ", " #op2 : "=r"(v) : : "memory")
#define MMU_SET(v, op1, n, m, op2) \
	__asm__ volatile("mcr p15, " #op1 ", %0, " #n ", " #m ", " #op2 : : "r"(v) : "memory")

static void mmu_barrier(void)
{
	__asm__ volatile("dsb\n\tisb" : : : "memory");
}

/* Clean and invalidate one level of data cache by set and way. */
static void mmu_clean_level(uint32_t level)
{
	uint32_t size, line, ways, sets, way_shift;

	MMU_SET(level << 1, 2, c0, c0, 0); /* CSSELR */
	__asm__ volatile("isb" : : : "memory");
	MMU_GET(size, 1, c0, c0, 0); /* CCSIDR */
	line = (size & 7) + 4;
	ways = size >> 3 & 0x3ff;
	sets = size >> 13 & 0x7fff;
	way_shift = ways ? (uint32_t)__builtin_clz(ways) : 0;
	for (uint32_t way = 0; way <= ways; way++)
		for (uint32_t set = 0; set <= sets; set++)
			/* DCCISW */
			MMU_SET(way << way_shift | set << line | level << 1, 0, c7, c14, 2);
}

static void mmu_clean_caches(void)
{
	uint32_t levels;

	mmu_barrier();
	MMU_GET(levels, 1, c0, c0, 1); /* CLIDR */
	for (uint32_t level = 0; level < 7; level++)
		if ((levels >> 3 * level & 7) >= 2)
			mmu_clean_level(level);
	mmu_barrier();
}

void mmu_off(void)
{
	uint32_t sctlr;

	MMU_GET(sctlr, 0, c1, c0, 0);
	MMU_SET(sctlr & ~MMU_SCTLR_C, 0, c1, c0, 0);
	mmu_clean_caches();
	MMU_SET(sctlr & ~(MMU_SCTLR_C | MMU_SCTLR_M), 0, c1, c0, 0);
	mmu_barrier();
	mmu_flush_all();
}

void mmu_on(const struct mmu_regime *r)
{
	uint32_t sctlr;

	mmu_barrier();
	MMU_SET(r->ttbcr, 0, c2, c0, 2);
	MMU_SET(r->ttbr0, 0, c2, c0, 0);
	MMU_SET(r->ttbr1, 0, c2, c0, 1);
	MMU_SET(r->dacr, 0, c3, c0, 0);
	MMU_SET(r->prrr, 0, c10, c2, 0);
	MMU_SET(r->nmrr, 0, c10, c2, 1);
	mmu_flush_all();
	MMU_GET(sctlr, 0, c1, c0, 0);
	sctlr &= ~(MMU_SCTLR_A | MMU_SCTLR_V | MMU_SCTLR_AFE);
	sctlr |= MMU_SCTLR_M | MMU_SCTLR_C | MMU_SCTLR_I | MMU_SCTLR_Z | MMU_SCTLR_TRE;
	if (r->access_flag)
		sctlr |= MMU_SCTLR_AFE;
	MMU_SET(sctlr, 0, c1, c0, 0);
	mmu_flush_all();
}

void mmu_flush_all(void)
{
	__asm__ volatile("dsb" : : : "memory");
	MMU_SET(0, 0, c8, c7, 0); /* TLBIALL */
	MMU_SET(0, 0, c7, c5, 6); /* BPIALL */
	mmu_barrier();
}

void mmu_flush_page(uint32_t addr)
{
	__asm__ volatile("dsb" : : : "memory");
	MMU_SET(addr & ~0xfffu, 0, c8, c7, 1); /* TLBIMVA, address space 0 */
	MMU_SET(0, 0, c7, c5, 6);
	mmu_barrier();
}

void mmu_code_written(const void *addr, uint32_t bytes)
{
	uint32_t type, line, at = (uint32_t)(uintptr_t)addr;

	MMU_GET(type, 0, c0, c0, 1); /* CTR */
	line = 4u << (type >> 16 & 0xf);
	for (uint32_t done = 0; done < bytes; done += line)
		MMU_SET(at + done, 0, c7, c11, 1); /* DCCMVAU */
	mmu_barrier();
	MMU_SET(0, 0, c7, c5, 0); /* ICIALLU */
	MMU_SET(0, 0, c7, c5, 6);
	mmu_barrier();
}

uint32_t mmu_translate(uint32_t addr, enum mmu_intent intent)
{
	uint32_t par;

	switch (intent) {
	case MMU_WRITE:
		MMU_SET(addr, 0, c7, c8, 1); /* ATS1CPW */
		break;
	case MMU_USER_READ:
		MMU_SET(addr, 0, c7, c8, 2); /* ATS1CUR */
		break;
	case MMU_USER_WRITE:
		MMU_SET(addr, 0, c7, c8, 3); /* ATS1CUW */
		break;
	default:
		MMU_SET(addr, 0, c7, c8, 0); /* ATS1CPR */
	}
	__asm__ volatile("isb" : : : "memory");
	MMU_GET(par, 0, c7, c4, 0);
	return par;
}
