/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swiotlb.h - why mappings found no bounce buffer, from the lines of a log: by line, by device, by
 * pool over time; what would have done; and whether that fits into the machine.
 */
#ifndef PHYSZONE_CMD_SWIOTLB_H
#define PHYSZONE_CMD_SWIOTLB_H

#include <physzone/linux/swiotlb_log.h>

#include "../options.h"
#include "../start.h"
#include "../view/view.h"

/* A refused mapping. */
struct swiotlb_event {
	const struct fact_swiotlb *fact;
	struct pzl_swlog_verdict verdict; /* of SWIOTLB_FULL */
	size_t pool;			  /* index; of SWIOTLB_FULL */
};

/* Lines of one device, counted. */
struct swiotlb_device {
	const struct fact_device *device; /* NULL: the lines do not say */
	uint64_t lines;			  /* of refused mappings */
	uint64_t why[PZL_SWLOG_WHYS];	  /* of SWIOTLB_FULL */
	size_t sample[PZL_SWLOG_WHYS];	  /* the longest mapping among them: index of its event */
	uint64_t none, beyond, direct;
	uint64_t bytes_least, bytes_most;
	size_t last; /* the last event */
};

/*
 * A pool, known by its size: all devices share one, but for those that have a pool of their own.
 * Sizes that only grow are one pool, which the kernel enlarged.
 */
struct swiotlb_pool {
	uint64_t total; /* slots, the last that was told; PZL_SWLOG_UNTOLD */
	uint64_t lines;
	bool grew;
	bool timed; /* every line has a time stamp */
	VEC(struct pzl_swlog_sample) samples;
	struct pzl_swlog_trend trend;
	uint64_t why[PZL_SWLOG_WHYS];
	uint64_t least, sure; /* slots for the worst of the lines; 0 for none */
};

/* Whether a pool of a size finds memory on the rebuilt machine. */
struct swiotlb_fit {
	uint64_t slots;
	uint64_t got;	    /* slots that the kernel would end up with; 0 for no pool at all */
	struct pz_range at; /* valid with got */
};

struct swiotlb {
	struct pzl_swlog_pool kernel;
	uint64_t mapped; /* slots of the pool that the log says was made; 0 when it does not */
	struct pz_range place; /* valid with mapped */
	VEC(struct swiotlb_event) events;
	VEC(struct swiotlb_device) devices;
	VEC(struct swiotlb_pool) pools;
	uint64_t suppressed; /* lines that the kernel says it left out */
	VEC(struct swiotlb_fit) fits;
	uint64_t low_last;   /* the pool must lie up to there; valid with fits */
	char *unfit;	     /* why the machine was not rebuilt, or NULL */
	VEC(char *) answers; /* sentences: what it was, and what would have done */
};

/* What the facts tell, by the rules of an analysed kernel. */
void swiotlb_compute(struct swiotlb *s, const struct facts *f, const struct analysis *kernel);

/* Rebuild the machine, if the facts tell it, and try the sizes that would have done. */
void swiotlb_try(struct swiotlb *s, struct facts *f, const struct analysis_options *how);
void swiotlb_destroy(struct swiotlb *s);

/* The exit code: 0 nothing was refused, 1 something was, 4 and nothing tells why. */
int swiotlb_verdict(const struct swiotlb *s);

/* Put the answers into sentences; after swiotlb_try(). */
void swiotlb_answer(struct swiotlb *s);

const char *swiotlb_why_name(enum pzl_swlog_why why);
void swiotlb_text(struct out *o, const struct view *v, const struct swiotlb *s);
void swiotlb_json(struct out *o, const struct view *v, const struct swiotlb *s);
void swiotlb_svg(struct out *o, const struct view *v, const struct swiotlb *s);

#endif
