/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmu.h - the MMU of an ARMv7-A processor, with tables in the short-descriptor format.
 *
 * Everything here is for one processor in supervisor mode. Addresses are 32 bits wide and mean what
 * the tables in use say, not what a pointer says: so accesses to them are instructions of their
 * own. Source followed: ARM DDI 0406C, chapters B3 and B4.
 */
#ifndef PORTS_ARM_MMU_H
#define PORTS_ARM_MMU_H

#include <stdbool.h>
#include <stdint.h>

/* What a translation is made by. */
struct mmu_regime {
	uint32_t ttbr0, ttbr1;
	uint32_t ttbcr;	     /* N: TTBR0 serves the lowest 2^(32-N) bytes, TTBR1 the others */
	uint32_t dacr;	     /* two bits for each domain */
	uint32_t prrr, nmrr; /* what TEX[0], C and B mean */
	bool access_flag;    /* AP[0] is one */
};

#define MMU_DACR_CLIENT 0x1u  /* domain 0: permissions count */
#define MMU_DACR_MANAGER 0x3u /* and not at all */

/* Read and write caches back, translate no more, and see all memory at its physical address. */
void mmu_off(void);

/* Translate by a regime from now on, whether the MMU is off or on: both must map what runs. */
void mmu_on(const struct mmu_regime *r);

/* What the port translates by: all memory twice, and the serial line. */
struct mmu_regime mmu_port_regime(void);

/* Forget all translations, or that of one page. */
void mmu_flush_all(void);
void mmu_flush_page(uint32_t addr);

/* Fetch code that was written through @addr and the @bytes behind it, in whatever place it is. */
void mmu_code_written(const void *addr, uint32_t bytes);

/* Short-descriptor fault statuses: bits 10 and 3:0 of DFSR and IFSR. */
enum mmu_status {
	MMU_ACCESS_FLAG_SECTION = 0x3,
	MMU_TRANSLATION_SECTION = 0x5,
	MMU_ACCESS_FLAG_PAGE = 0x6,
	MMU_TRANSLATION_PAGE = 0x7,
	MMU_DOMAIN_SECTION = 0x9,
	MMU_DOMAIN_PAGE = 0xb,
	MMU_PERMISSION_SECTION = 0xd,
	MMU_PERMISSION_PAGE = 0xf,
};

/* How an access went. */
struct mmu_access {
	bool fault;
	bool fetch;	 /* it was an instruction's */
	bool write;	 /* DFSR says that it was a store */
	uint32_t status; /* enum mmu_status */
	uint32_t addr;	 /* DFAR or IFAR */
	uint32_t value;	 /* loaded, or returned by a call */
};

/* Accesses of a word, by the processor itself and as from user mode. */
struct mmu_access mmu_load(uint32_t addr);
struct mmu_access mmu_store(uint32_t addr, uint32_t value);
struct mmu_access mmu_load_user(uint32_t addr);
struct mmu_access mmu_store_user(uint32_t addr, uint32_t value);

/* Call a function that keeps to the procedure call standard and needs no stack; in user mode too.
 */
struct mmu_access mmu_call(uint32_t addr);
struct mmu_access mmu_call_user(uint32_t addr);

/* What the table walker says of an address. */
enum mmu_intent { MMU_READ, MMU_WRITE, MMU_USER_READ, MMU_USER_WRITE, MMU_INTENTS };

#define MMU_PAR_FAULT 0x1u
#define MMU_PAR_SUPERSECTION 0x2u

/* PAR after an address translation operation. */
uint32_t mmu_translate(uint32_t addr, enum mmu_intent intent);

/* The status in a PAR with MMU_PAR_FAULT. */
static inline uint32_t mmu_par_status(uint32_t par)
{
	return (par >> 1 & 0xf) | (par >> 5 & 1) << 10;
}

#endif
