/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream.h - requests for pages over time: generated from a mix, or recorded.
 *
 * A stream is data: every policy is given the same one. A request is asked for and given back
 * later, each an event; the order of the events is the time. What is not given back during the
 * stream is given back at its end.
 */
#ifndef PHYSZONE_CMD_COMPARE_STREAM_H
#define PHYSZONE_CMD_COMPARE_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include <physzone/linux/model.h>

#include "../vec.h"

#define STREAM_MAX_REQUESTS ((size_t)20000000)
#define STREAM_FREE 0x80000000u

/* A number from here to there, inclusive. */
struct mix_range {
	uint64_t from, to;
};

/* A kind of request in a mix. */
struct mix_class {
	char *name;
	unsigned int weight;   /* how often it is drawn, against the others */
	struct mix_range size; /* bytes */
	struct mix_range life; /* steps; to is 0 for until the end */
	unsigned int bits;     /* a device with so many address lines; 0 for none */
	bool movable;
	unsigned int atomic;	 /* percent that may not wait */
	struct mix_range during; /* percent of the steps: from, and up to without it */
};

/* Movable pages that fill memory up to a level. */
struct mix_fill {
	unsigned int level; /* percent of managed memory, with all other requests */
	struct mix_range size, life, during;
};

/* What a mix is for. */
enum mix_kind {
	MIX_PAGES,  /* requests for pages: fill and class */
	MIX_TABLES, /* mappings of an IOMMU: domains, drop and class */
};

struct mix {
	char *name;
	unsigned int steps;
	unsigned int domains;	    /* MIX_TABLES */
	unsigned int drop, drop_at; /* MIX_TABLES: percent of the mappings that go, and when */
	VEC(struct mix_fill) fills;
	VEC(struct mix_class) classes;
};

/*
 * Read a mix: @name is one of the built-in ones, or a file ("-" for standard input). Returns 0,
 * EXIT_USAGE for a name that is neither, EXIT_INPUT for one that is not understood; *err is then
 * one line. mix_destroy() in every case.
 */
int mix_read(struct mix *m, enum mix_kind kind, const char *name, char **err);

/* The same from text; @name is for messages and the name where the text gives none. */
int mix_parse(struct mix *m, enum mix_kind kind, const char *text, size_t len, const char *name,
	      char **err);
void mix_destroy(struct mix *m);

/* The names of the built-in mixes, ending with NULL; the text of one, NULL for another name. */
const char *const *mix_names(enum mix_kind kind);
const char *mix_builtin(enum mix_kind kind, const char *name);

/* Requests that differ in nothing that a policy looks at but size and time. */
struct stream_class {
	char *name;	   /* "kernel", "movable", "24 bits" */
	uint64_t max_addr; /* PZ_ADDR_MAX for no limit */
	bool movable;
	bool device; /* any number of pages with any alignment; else a block of an order */
};

struct stream_request {
	uint64_t pages;
	uint32_t class;
	bool atomic; /* may not wait */
};

struct stream {
	char *name; /* "mix desktop, seed 1", or of the recording */
	VEC(struct stream_class) classes;
	VEC(struct stream_request) requests;
	VEC(uint32_t) events; /* a request, with STREAM_FREE where it is given back */
	/* Of a recording: requests that failed in it; pages given back that were taken before it
	 * began; blocks taken again whose return is not recorded; other lines. */
	uint64_t failed, early, lost, ignored;
	bool recorded;
};

/*
 * Generate a stream for a machine of so many pages. Returns 0, or EXIT_INPUT with one line in *err
 * when it would be too long. stream_destroy() in both cases.
 */
int stream_generate(struct stream *s, const struct mix *m, uint64_t seed, uint64_t managed,
		    unsigned int page_shift, char **err);

/*
 * Read a recorded stream: kmem:mm_page_alloc and kmem:mm_page_free as the kernel's tracing prints
 * them. @dma_max is the last address of ZONE_DMA, by the rules. Returns 0, or EXIT_INPUT with one
 * line in *err. stream_destroy() in both cases.
 */
int stream_record(struct stream *s, const char *file, enum pzl_model model, uint64_t dma_max,
		  char **err);

/* The same from text; @name is for messages. */
struct text;
int stream_record_text(struct stream *s, const struct text *text, const char *name,
		       enum pzl_model model, uint64_t dma_max, char **err);
void stream_destroy(struct stream *s);

/* The class of such requests, made when there is none yet. */
uint32_t stream_class(struct stream *s, uint64_t max_addr, bool movable, bool device);

#endif
