/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * predict.h - the same start-up on machines that differ in one size: which requests are served at
 * each, and where they flip.
 */
#ifndef PHYSZONE_CMD_PREDICT_H
#define PHYSZONE_CMD_PREDICT_H

#include "../boot/boot.h"
#include "../view/view.h"

enum sweep_what { SWEEP_RAM, SWEEP_CRASHKERNEL, SWEEP_CMA, SWEEP_SWIOTLB, SWEEP_COHERENT_POOL };
#define SWEEP_POINTS 4096u

/* What is changed, and the sizes that are tried. */
struct sweep {
	enum sweep_what what;
	const char *name; /* "ram" */
	uint64_t from, to;
	uint64_t step;	      /* 0: powers of two times @from */
	uint64_t grain;	      /* sizes are multiples of this, and flips are told to it */
	VEC(uint64_t) values; /* ascending */
};

/*
 * Read "WHAT=FROM..TO[:STEP]". Sizes are bytes, with K, M, G or T; those of swiotlb are slots of
 * 2 KiB where they have none. Returns 0, or EXIT_USAGE with one line in *err; sweep_destroy() in
 * both cases.
 */
int sweep_parse(struct sweep *s, const char *text, char **err);
void sweep_destroy(struct sweep *s);

/*
 * A command line (NULL: none) with the sweep's word set to a value; what stands behind the size in
 * it stays. To be freed. Not for SWEEP_RAM.
 */
char *sweep_cmdline(const struct sweep *s, const char *cmdline, uint64_t value);

/* What the size is asked for by, as start-up calls it; NULL where it is no request's own. */
const char *sweep_request(const struct sweep *s);

enum predict_state {
	PREDICT_ABSENT, /* not asked for */
	PREDICT_SERVED,
	PREDICT_LESS,
	PREDICT_DEPENDS,
	PREDICT_FAILED,
	PREDICT_NO_MACHINE, /* no such machine starts */
	PREDICT_STATES,
};

/* A request of one model, at one value. */
struct predict_entry {
	char *label;
	enum predict_state state;
	char *reason; /* or NULL */
};

/* A machine that was tried. */
struct predict_point {
	size_t model;
	uint64_t value;
	char *trouble; /* why no such machine starts, or NULL */
	VEC(struct predict_entry) entries;
};

/* Between two sizes next to each other, at the sweep's grain, something else comes of a request. */
struct predict_flip {
	uint64_t last, first; /* the last with the old state, the first with the new one */
	enum predict_state from, to;
	char *reason; /* of the one that is not served; or NULL */
};

struct predict_row {
	char *label; /* "atomic pool GFP_DMA" */
	size_t model;
	VEC(uint8_t) states; /* enum predict_state of each value of the sweep */
	VEC(struct predict_flip) flips;
	char *reason; /* where it never flips and is not served */
};

struct predict {
	struct sweep sweep;
	struct boot_models models;
	VEC(char *) names; /* of the models, as boot_run() calls them */
	VEC(struct predict_point) points;
	VEC(struct predict_row) rows; /* by request, then by model */
	bool failed;		      /* some request fails somewhere */
	const char *capture;	      /* who loads the capture kernel that is meant, or NULL */
};

/*
 * Try all values, and find the flips; with @capture, of the machine's capture kernel. Returns 0, or
 * an exit code with one line in *err; predict_destroy() in both cases.
 */
int predict_run(struct predict *p, struct facts *f, const struct boot_options *b, bool capture,
		char **err);
void predict_destroy(struct predict *p);

/* Whether the rows of all models are the same, from the row of the first one on. */
bool predict_alike(const struct predict *p, size_t row);

const char *predict_state_name(enum predict_state s);
const char *predict_model(const struct predict *p, size_t model);
/* A value of the sweep as it is written on the command line. */
const char *predict_value(char buf[VIEW_SIZE_MAX], uint64_t value);

void predict_text(struct out *o, const struct view *v, const struct predict *p);
void predict_json(struct out *o, const struct view *v, const struct predict *p);
void predict_svg(struct out *o, const struct view *v, const struct predict *p);

#endif
