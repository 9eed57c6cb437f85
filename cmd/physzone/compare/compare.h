/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compare.h - physzone compare: several answers to one question, run on the same stream.
 *
 * `compare policies` gives a stream of requests for pages to four ways of keeping memory for
 * devices with few address lines, each on an allocator of its own with the same memory:
 *
 *  - zones: ZONE_DMA and ZONE_DMA32 as Linux has them, with watermarks and lowmem reserves; the
 *    DMA layer turns a device's limit into a zone and looks at the page that it gets;
 *  - limited: both replaced by one ZONE_LIMITED that ends where the machine's devices need it;
 *  - cma: ZONE_DMA replaced by a contiguous area in ZONE_MOVABLE: movable pages fill it, and are
 *    moved out when a device wants its memory;
 *  - physzone: a limit is a property of the request, and nothing else.
 */
#ifndef PHYSZONE_CMD_COMPARE_H
#define PHYSZONE_CMD_COMPARE_H

#include <physzone/linux/model.h>
#include <physzone/memblock.h>
#include <physzone/zone.h>

#include "../options.h"
#include "../out.h"
#include "stream.h"

/* A machine whose memory is to be shared out. */
struct compare_machine {
	char *title;
	enum pzl_model model;
	struct pz_memblock mb;	    /* what is managed is free in it, all else reserved */
	struct pz_zone_config zone; /* as the machine's kernel lays out its zones */
	unsigned int page_shift, pageblock_order;
	uint64_t managed;	  /* pages */
	uint64_t ram_last;	  /* last byte of memory */
	uint64_t zone_limit;	  /* last address of ZONE_DMA, by the rules */
	uint64_t kernel_last;	  /* last address that the kernel maps for itself */
	uint64_t min_free_kbytes; /* 0: computed from memory */
	bool built;
};

/*
 * The machine of o->source or --live, else a PC of o->memory. Returns 0 or an exit code with one
 * line in *err. compare_machine_destroy() in both cases.
 */
int compare_machine_read(struct compare_machine *m, const struct options *o, char **err);
void compare_machine_destroy(struct compare_machine *m);

/* A PC with so much memory: 3 GiB of it below 4 GiB, the low megabyte and a kernel taken. */
int compare_machine_pc(struct compare_machine *m, uint64_t bytes, char **err);

/* A size as an option gives it: bytes with K, M, G or T. False when it is none. */
bool compare_size(const char *s, uint64_t *bytes);

enum compare_policy {
	COMPARE_ZONES,
	COMPARE_LIMITED,
	COMPARE_CMA,
	COMPARE_PHYSZONE,
	COMPARE_POLICIES,
};

/* Why a request got nothing. */
enum compare_why {
	COMPARE_NEVER,	/* no managed memory in reach, or the mask is refused */
	COMPARE_MISSED, /* pages were given out that the device does not reach */
	COMPARE_WAIT,	/* pages would have to be moved, and it may not wait */
	COMPARE_MARKS,	/* watermarks, lowmem reserves, kept pages */
	COMPARE_SHORT,	/* enough is free, in too short runs */
	COMPARE_FULL,	/* too little is free within its limit */
	COMPARE_WHYS,
};

/* What became of the requests of one class. */
struct compare_count {
	uint64_t asked, served;
	uint64_t atomic_asked, atomic_served;
	uint64_t pages_asked, pages_served;
	uint64_t why[COMPARE_WHYS];
	/* Pages free within the limit when a request of the class failed: in all, and the most. */
	uint64_t idle, idle_most;
	/* Pages free within the limit that a request for one page could not have, that may wait and
	 * may have nothing moved: the sum over the samples, and the most. */
	uint64_t stranded, stranded_most;
};

/* A moment of a run. */
struct compare_sample {
	uint64_t low;		/* pages free below compare_run.watched */
	uint64_t stranded;	/* that requests without a limit could not have */
	uint64_t failed, moved; /* so far: requests, pages */
};

struct compare_run {
	enum compare_policy policy;
	char *how;			 /* the layout, in words */
	VEC(struct compare_count) count; /* by class of the stream */
	VEC(struct compare_sample) samples;
	uint64_t watched;      /* address: the narrowest limit of the stream's devices */
	uint64_t moved, moves; /* pages, and blocks */
	uint64_t most;	       /* pages in use at once */
	uint64_t asked_most;   /* pages that the served requests asked for at once */
	uint64_t kept;	       /* pages kept for limited requests */
	uint64_t served, failed;
};

/* The settings of the policies. */
struct compare_settings {
	uint64_t limit; /* last address of ZONE_LIMITED; 0 for the widest limit of a device */
	uint64_t cma;	/* bytes of the contiguous area; 0 for those of the zone it replaces */
};

#define COMPARE_SAMPLES 240u

/*
 * Run a stream under a policy. Returns 0, or EXIT_UNDECIDED with one line in *err when the
 * allocator cannot be made, or does not end as it began. compare_run_destroy() in both cases.
 */
int compare_run(struct compare_run *r, const struct compare_machine *m, const struct stream *s,
		enum compare_policy policy, const struct compare_settings *set, char **err);
void compare_run_destroy(struct compare_run *r);

const char *compare_policy_name(enum compare_policy p);
const char *compare_why_name(enum compare_why w);

/* The runs beside each other. */
void compare_policies_text(struct out *o, const struct compare_machine *m, const struct stream *s,
			   const struct compare_run *runs, size_t n);
void compare_policies_json(struct out *o, const struct compare_machine *m, const struct stream *s,
			   const struct compare_run *runs, size_t n);
void compare_policies_svg(struct out *o, const struct compare_machine *m, const struct stream *s,
			  const struct compare_run *runs, size_t n);

/* physzone compare policies, after the arguments were read. Returns as commands.h says. */
int compare_policies(const struct options *o, struct out *out, char **err);

#endif
