/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swiotlb_box.h - a kernel's bounce buffers for the contract suites: what it printed and copied.
 */
#ifndef TESTS_CONTRACT_SWIOTLB_BOX_H
#define TESTS_CONTRACT_SWIOTLB_BOX_H

#include <physzone/linux/stream.h>

#include "page_machine.h"

#define SWB_LINES 640u

/* A kernel's bounce buffers, what it printed, and what it copied. */
struct swiotlb_box {
	struct tap *t;
	struct pz_bugs bugs;
	struct pzl_swiotlb_config cfg;
	struct pzl_swiotlb sw;
	char said[SWB_LINES];
	size_t said_len;
	uint64_t orig, buffer, bytes; /* of the last copy */
	uint32_t copies, into;
	uint32_t caches;
	uint64_t cached; /* address of the last cache maintenance */
};

/* A kernel of a model with so many CPUs, all zones of a PC, and no buffers yet. */
void swb_start(struct tap *t, struct swiotlb_box *b, enum pzl_model model, uint32_t cpus);

/* Early memory: [1 MiB, @end), of which nothing else is taken. */
bool swb_memory(struct tap *t, struct pz_memblock *mb, uint64_t end);

/* Buffers of @slots below 1 GiB; nothing printed before. */
bool swb_make(struct tap *t, struct swiotlb_box *b, enum pzl_model model, uint32_t areas,
	      uint64_t slots, struct pz_memblock *mb);

/* Give everything back. */
void swb_stop(struct swiotlb_box *b, struct pz_memblock *mb);

/* Whether exactly these lines were printed since the last question. */
bool swb_said(struct swiotlb_box *b, const char *want);

/* Takes a line; the context is the box. */
void swb_emit(void *ctx, const char *line, size_t len);

#endif
