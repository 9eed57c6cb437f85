/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * linux_dma.h - small machines with a Linux kernel's DMA layer, for the contract suites.
 */
#ifndef TESTS_CONTRACT_LINUX_DMA_H
#define TESTS_CONTRACT_LINUX_DMA_H

#include <physzone/linux/dma.h>

#include "page_machine.h"

/* Where memory lies. */
enum ld_memory {
	LD_PC,	    /* 128 MiB from 0 on */
	LD_CAPTURE, /* the same, all below 16 MiB reserved, and the rest from 1 GiB on */
	LD_HIGH,    /* 64 MiB above 4 GiB */
	LD_LARGE,   /* 64 MiB from 0 on, 64 MiB below 3 GiB, 64 MiB from 8 GiB on */
	LD_CMA,	    /* 128 MiB, of which 16 MiB are a contiguous area */
	LD_HIGHMEM, /* 128 MiB, the upper half high memory; a contiguous area below it */
};

#define LD_LOW_END (64 * PM_MIB) /* where high memory begins */
#define LD_AREA (32 * PM_MIB)	 /* where the contiguous area is */

/* Points to itself: must not be moved. */
struct ld_box {
	struct page_machine m;
	struct pzl_dma_config cfg;
	struct pzl_dma d;
	struct pzl_dma_dev dev; /* "dev" of "drv": coherent, reaches everything */
	struct pzl_dma_trace trace;
	struct pzl_dma_buf buf; /* of the last allocation */
	uint32_t cma;
	char lines[1024];
	size_t lines_len;
	uint32_t shares, unshares, remaps, unmaps, works; /* calls of hooks */
	bool fail_share, fail_unshare, fail_remap;
	unsigned char view[16384]; /* what memory that is mapped anew looks like */
};

/* A machine, and a kernel as it is usual there; the caller may change @b->cfg, then ld_init(). */
bool ld_open(struct ld_box *b, struct tap *t, enum pzl_model model, enum ld_memory where);
void ld_init(struct ld_box *b);
/* Memory can be mapped anew, up to 16 KiB at a time. */
void ld_views(struct ld_box *b);
void ld_close(struct ld_box *b);

/* Allocate into @b->buf for @b->dev, and free that. */
int ld_alloc(struct ld_box *b, uint64_t size, uint32_t gfp);
void ld_free(struct ld_box *b);

/* Whether this is what was printed since the last look. */
bool ld_lines(struct ld_box *b, const char *want);

/* Whether all of a pool lies in the contiguous area. */
bool ld_in_area(struct ld_box *b, struct pz_genpool *p);

#endif
