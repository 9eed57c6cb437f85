/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reach.h - how much of a rebuilt machine's memory a device can get: in all, in runs, by order, and
 * through the zones of each model.
 *
 * The machine is idle: every managed page counts as free, but for huge pages that memblock gave.
 */
#ifndef PHYSZONE_CMD_REACH_H
#define PHYSZONE_CMD_REACH_H

#include <physzone/linux/direct.h>

#include "../device.h"
#include "../start.h"
#include "../view/view.h"

/* The pages of a zone type in reach, over all nodes. */
struct reach_zone {
	uint64_t managed; /* of the whole type, contiguous areas left out */
	uint64_t reached;
	bool whole; /* all that it spans is in reach: what it gives is */
};

/* What the device got of the machine when it asked until there was nothing. */
struct reach_delivery {
	bool known; /* it was tried: the machine starts, and has no more than 1 TiB */
	uint64_t pages;
};

/* What one Linux model does for the device. */
struct reach_model {
	enum pzl_model model;
	char *error; /* why there is no answer, or NULL */
	struct pzl_direct plan;
	struct reach_zone zone[PZ_ZONE_TYPES];
	uint64_t sure; /* pages that it gets whatever page a zone gives out */
	uint64_t chance; /* pages in reach that it gets only when they happen to come first */
	struct reach_delivery delivery;
};

struct reach {
	struct device device;
	struct pz_rangeset pages; /* managed page frames in reach */
	struct pz_rangeset sure; /* of these, what the machine's own kernel gives for sure */
	uint64_t managed; /* of the machine */
	uint64_t reached;
	uint64_t cma, movable; /* of the reached: in contiguous areas, in ZONE_MOVABLE */
	struct pz_range longest; /* valid when reached is not 0 */
	uint64_t blocks[PZ_PAGE_ORDERS]; /* naturally aligned blocks of each order */
	struct reach_model model[PZL_MODELS];
	struct reach_delivery delivery; /* by physzone */
};

/* The rebuilt machine, and its zones under each model. */
struct reach_machine {
	struct analysis analysis;
	struct an_start start;
	struct pz_rangeset managed; /* page frames */
	struct pz_rangeset cma; /* of the managed */
	struct {
		struct analysis analysis;
		struct an_start start;
		char *error;
	} model[PZL_MODELS];
};

/* Returns 0 or an exit code with *err. reach_machine_destroy() in both cases. */
int reach_machine(struct reach_machine *m, struct facts *f, const struct analysis_options *how,
		  char **err);
void reach_machine_destroy(struct reach_machine *m);

/* Takes over the device. */
void reach_compute(struct reach *r, const struct reach_machine *m, struct device *d);
void reach_destroy(struct reach *r);

/*
 * Carry the machine through start-up under each model and physzone, and let each device allocate
 * until nothing is left for it: largest blocks first, each device on the machine as it has started.
 * Not on machines of more than 1 TiB. Pages have 1 << @shift bytes.
 */
void reach_deliver(struct reach *r, size_t n, unsigned int shift, struct facts *f,
		   const struct analysis_options *how);

/* Whether all zones that serve a try lie in reach. */
bool reach_try_whole(const struct reach_model *rm, unsigned int i);

void reach_text(struct out *o, const struct view *v, const struct reach_machine *m,
		const struct reach *r, size_t n);
void reach_json(struct out *o, const struct view *v, const struct reach *r, size_t n);

#endif
