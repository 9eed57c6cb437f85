/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * v7s_walk.h - reading ARMv7 short-descriptor tables as the hardware does, whoever wrote them.
 *
 * This walker knows the architecture's format and nothing of v7s.h's tables: it reads words at
 * addresses through a hook, so it serves tables of a running system, an image in a file, and as the
 * second opinion in tests.
 *
 * Units: bytes. Context of all functions: any, and whatever the read hook needs.
 * Source followed: ARM DDI 0406C, section B3.5; MediaTek's extension by docs/facts/iommu_v7s.md.
 */
#ifndef PHYSZONE_V7S_WALK_H
#define PHYSZONE_V7S_WALK_H

#include <physzone/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Tables to read. */
struct pz_v7s_view {
	uint64_t table; /* address of the first level */
	uint32_t ias; /* bits of an input address, 20 to 34 */
	bool mtk_outputs; /* bits 9, 4, 5 of a page are bits 32, 33, 34 of its address */
	bool mtk_tables; /* and of a table's */
	bool permissions; /* access permissions count; else, or with @mtk_outputs, all is allowed */
	/* The word at an address, in the CPU's order of bytes: false when there is none. */
	bool (*read)(void *ctx, uint64_t addr, uint32_t *word);
	void *ctx;
};

enum pz_v7s_fault {
	PZ_V7S_NO_FAULT,
	PZ_V7S_FAULT_RANGE, /* the address has more than @ias bits */
	PZ_V7S_FAULT_FIRST, /* translation fault, first level */
	PZ_V7S_FAULT_SECOND, /* translation fault, second level */
	PZ_V7S_FAULT_READ_FIRST, /* no word of the first level can be read */
	PZ_V7S_FAULT_READ_SECOND, /* that of the second */
	PZ_V7S_FAULT_RESERVED, /* a first-level word of type 3 */
	PZ_V7S_FAULT_REPEAT, /* the 16 words of a page of 64 KiB or 16 MiB are not alike */
	PZ_V7S_FAULTS,
};

/*
 * A run of input addresses that is mapped alike, or faults alike. Of what faults, but for
 * PZ_V7S_FAULT_REPEAT, only @first, @last, @table, @word and @word_addr are said.
 */
struct pz_v7s_run {
	uint64_t first, last; /* input addresses, inclusive */
	enum pz_v7s_fault fault;
	uint64_t phys; /* of @first; of a page of 16 MiB up to 40 bits, as bits 23:20 and 8:5 say */
	uint32_t page; /* bytes of the pages that it is made of; the first and last may be cut */
	bool read, write, user, exec;
	bool secure, shared, global;
	bool access; /* the access flag is set, or does not count */
	uint8_t tex, domain; /* with MediaTek's bits @domain is 0 */
	bool b, c;
	uint64_t table; /* second level of @first, PZ_ADDR_MAX where the first decides */
	uint32_t word; /* the (first) descriptor that says so; 0 when it cannot be read */
	uint64_t word_addr; /* and where it stands */
};

/**
 * pz_v7s_walk - what an input address leads to
 * @v: the tables
 * @iova: the address
 * @out: the page that it lies in, or what one word says: of a fault, and of a page whose 16 words
 * differ, [@first, @last] is the 4 KiB or the MiB of that word. Beyond @ias bits it is all of that.
 *
 * PZ_V7S_FAULT_REPEAT is told although hardware may not notice: @out is then what the word says.
 * Words of a first level that is shorter than 16 words are compared as far as it goes.
 *
 * Context: any.
 * Return: the fault, PZ_V7S_NO_FAULT for none; as in @out.
 */
enum pz_v7s_fault pz_v7s_walk(const struct pz_v7s_view *v, uint64_t iova, struct pz_v7s_run *out);

/**
 * pz_v7s_alike - whether the pages of two runs differ in nothing but size and addresses
 * @a: a run that is mapped
 * @b: another
 *
 * Context: any.
 * Return: true when permissions, memory type, domain and the other attributes are the same.
 */
bool pz_v7s_alike(const struct pz_v7s_run *a, const struct pz_v7s_run *b);

/**
 * pz_v7s_walk_each - all of the address space, run by run
 * @v: the tables
 * @fn: called with each run, in order; neighbours that are mapped alike, in pages of one size, to
 * addresses in a row are one, and so are neighbours that fault alike. Stops when it returns other
 * than 0.
 * @ctx: passed to @fn
 *
 * What others change meanwhile is seen or not, word by word; the runs cover all of the space
 * nevertheless, each address once.
 *
 * Context: any. Cost: O(words).
 * Return: 0, or what @fn returned.
 */
int pz_v7s_walk_each(const struct pz_v7s_view *v,
		     int (*fn)(void *ctx, const struct pz_v7s_run *r), void *ctx);

#ifdef __cplusplus
}
#endif

#endif
