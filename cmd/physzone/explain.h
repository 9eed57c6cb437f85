/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain.h - why requests for pages failed, by the reports in a log: what was decided, as data.
 *
 * analysis/explain.c decides, explain_check.c beside it finds contradictions, explain_advice.c says
 * what it means and what would have helped, explain_rebuild.c makes the request again, and
 * view/explain_*.c puts it into words. Numbers are
 * pages unless a name says otherwise; PZL_PAGES_UNKNOWN where the log does not state one.
 */
#ifndef PHYSZONE_CMD_EXPLAIN_H
#define PHYSZONE_CMD_EXPLAIN_H

#include <physzone/linux/rebuild.h>
#include <physzone/linux/verdict.h>

#include "analysis.h"
#include "out.h"

/* The cause of a failure: what all zones that the request may use have in common. */
enum ex_cause {
	EX_NOT_STATED, /* the log lacks the numbers that decide */
	EX_LIKELY_UNMANAGED, /* the same, and all else looks like a zone without managed pages */
	EX_TOO_LARGE, /* larger than any block */
	EX_NO_ZONE, /* the report has no zone that the request may use */
	EX_UNMANAGED, /* no zone that it may use has managed pages */
	EX_FULL, /* too few free pages, even for a single one */
	EX_RESERVE, /* free pages are kept for requests that may use no other zone */
	EX_SIZE, /* too few free pages for this size; smaller requests are served */
	EX_FRAGMENTED, /* enough free pages, in blocks that are too small */
	EX_CMA, /* free pages of CMA areas, which this request may not have */
	EX_HIGHATOMIC, /* free pages set aside for atomic requests */
	EX_GONE, /* by the report a zone would serve it */
	EX_BARE, /* no failure: a report alone */
	EX_CAUSES,
};

/* Whether it matters. */
enum ex_matter {
	EX_HARMLESS, /* nothing is lost unless a certain device is there */
	EX_COPES, /* such callers have another way */
	EX_FEATURE, /* what the caller wanted does not work; the rest of the system does */
	EX_SERIOUS, /* the system is out of memory */
	EX_OPEN,
};

/* Why it matters as it does. */
enum ex_why {
	EX_WHY_POOL, /* the DMA pool of the kernel's start */
	EX_WHY_NEVER, /* no such request will ever be served */
	EX_WHY_NORETRY,
	EX_WHY_ATOMIC,
	EX_WHY_COSTLY,
	EX_WHY_LOW_ZONE,
	EX_WHY_GAVE_UP, /* it could block, and asked not to have processes killed */
	EX_WHY_OOM,
	EX_WHY_NOFAIL,
	EX_WHY_TOO_LARGE,
	EX_WHY_NOTHING, /* no failure */
};

/* What would have helped, the cheapest first. */
enum ex_remedy_kind {
	EX_R_RETRY,
	EX_R_KERNEL, /* a kernel that does not make this request */
	EX_R_ORDER, /* value: the largest order that is served */
	EX_R_MOVABLE,
	EX_R_HIGH, /* __GFP_HIGH */
	EX_R_BLOCK,
	EX_R_NODES, /* other nodes would serve it */
	EX_R_WIDER, /* value: free pages in zones above, if the device reaches them */
	EX_R_DRAIN, /* value: pages in per-CPU lists */
	EX_R_COMPACT,
	EX_R_MIN_FREE,
	EX_R_RATIO, /* a smaller lowmem reserve */
	EX_R_FREE, /* value: pages to be freed */
	EX_R_CMA, /* memory reserved at boot */
};

/* Whether a remedy was tried on the rebuilt machine. */
enum ex_tried {
	EX_UNTRIED,
	EX_HELPED, /* the request was served then */
	EX_IN_VAIN,
};

struct ex_remedy {
	enum ex_remedy_kind kind;
	uint64_t value;
	uint32_t zone; /* index among the zones; UINT32_MAX for none */
	enum ex_tried tried;
	uint32_t served; /* index of the zone that served it then */
};

struct ex_zone {
	const struct fact_zone_report *fact;
	enum pz_zone_type type;
	bool excluded; /* its node is not among those allowed */
	uint64_t present, held; /* held: in per-CPU lists */
	uint64_t file; /* pages of files, which can be reclaimed */
	struct pzl_zone_state state;
	struct pzl_zone_judgement judged;
};

/* What came of the request when it was made again, in the rebuilt machine. */
enum ex_again {
	EX_NOT_REBUILT,
	EX_FAILS_ALIKE, /* refused by every zone, for the reasons that the numbers give */
	EX_FAILS_OTHERWISE,
	EX_SERVED_ALIKE, /* served, as the numbers say */
	EX_SERVED,
};

/* A zone of the rebuilt machine. */
struct ex_rebuilt_zone {
	uint32_t zone; /* index among the zones of the explanation */
	enum pz_verdict verdict;
	bool alike; /* the same as by the numbers */
	uint64_t free, free_cma;
};

struct ex_rebuilt {
	enum ex_again again;
	char *obstacle; /* one line, with EX_NOT_REBUILT */
	bool placed; /* the zones lie where the log says; else at places chosen */
	uint32_t served; /* index of the zone that served the request */
	VEC(struct ex_rebuilt_zone) zones;
	VEC(char *) differences; /* between the report and that of the rebuilt machine */
	VEC(char *) notes;
};

struct explanation {
	const struct fact_failure *failure; /* NULL for a bare report */
	const struct fact_mem_info *report; /* NULL when none follows */
	unsigned int times; /* failures that are equal to this one, with it */
	struct where last; /* the last of them */
	unsigned int page_shift;
	bool page_shift_known;
	uint32_t configured; /* zone types of the kernel */
	bool configured_sure; /* lowmem_reserve[] has as many numbers */
	uint32_t gfp;
	enum pz_zone_type highest;
	struct pzl_alloc_path path;
	enum pzl_prints prints;
	const char *caller; /* the innermost function that is not the allocator's own, or NULL */
	VEC(struct ex_zone) zones;
	enum ex_cause cause;
	uint32_t zone; /* the zone that the cause is about; UINT32_MAX for none */
	uint32_t nearest; /* the one that lacks the fewest pages; UINT32_MAX when none lacks any */
	enum ex_matter matter;
	enum ex_why why;
	bool capture; /* a capture kernel */
	uint64_t elsewhere; /* free pages outside the zones of the report */
	VEC(struct ex_remedy) remedies;
	VEC(char *) contradictions, notes;
	struct ex_rebuilt *rebuilt; /* NULL unless explain_rebuild() was called */
};

struct explained {
	struct analysis kernel; /* model and architecture only */
	bool arch_known;
	VEC(struct explanation) all;
};

/*
 * Explain every failure of a log, and every report without one. Returns 0, or 2 for an option's
 * value that is not known, with one line in *err. explained_destroy() in both cases.
 */
int explain(struct explained *e, struct facts *f, const struct analysis_options *o, char **err);
void explained_destroy(struct explained *e);

/* 0: nothing failed; 1: something did; 4: a failure whose cause the log does not state. */
int explain_verdict(const struct explained *e);

/* Whether a line stands at or after the first failure or report. */
bool explain_concerns(const struct explained *e, struct where at);

/* explain_check.c: a contradiction or a note (printf); those of the report's own numbers. */
void explain_say(struct explanation *x, bool contradiction, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void explain_check(struct explanation *x);

/* explain_advice.c: matter, why and remedies of an explanation whose cause is known. */
void explain_advise(const struct explained *e, struct explanation *x);

/*
 * explain_rebuild.c: rebuild the machine of every explanation, make the request in it again, and
 * try the remedies that can be tried. The facts are analysed for where the zones lie.
 */
void explain_rebuild(struct explained *e, struct facts *f, const struct analysis_options *o);
void explain_rebuilt_destroy(struct explanation *x);

/* Whether each machine could be rebuilt and agrees with its report. */
bool explain_rebuilt_fine(const struct explained *e);

/* Whether it was the kernel's own start that asked, for its DMA pool. */
bool explain_is_pool(const struct explanation *x);

/* Words for programs. */
const char *explain_cause_name(enum ex_cause c);
const char *explain_matter_name(enum ex_matter m);
const char *explain_remedy_name(enum ex_remedy_kind k);
const char *explain_again_name(enum ex_again a);

/* Sentences for people, to be freed. */
char *explain_asked(const struct explained *e, const struct explanation *x);
char *explain_rights(const struct explained *e, const struct explanation *x);
char *explain_zone(const struct explanation *x, const struct ex_zone *z);
char *explain_because(const struct explanation *x);
char *explain_matters(const struct explanation *x);
char *explain_remedy(const struct explanation *x, const struct ex_remedy *r);
char *explain_tried(const struct explanation *x, const struct ex_remedy *r); /* "" if untried */
char *explain_again(const struct explanation *x);
char *explain_zone_name(const struct ex_zone *z);

struct explain_view {
	const struct explained *e;
	const struct facts *f;
	const char *title;
	bool why; /* show the arithmetic */
};
void explain_text(struct out *o, const struct explain_view *v);
void explain_json(struct out *o, const struct explain_view *v);

#endif
