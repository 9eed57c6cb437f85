/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot.h - a rebuilt machine carried through start-up under one model: what is handed over, the
 * requests that the kernel makes then, what came of each and why.
 */
#ifndef PHYSZONE_CMD_BOOT_H
#define PHYSZONE_CMD_BOOT_H

#include <physzone/linux/boot.h>
#include <physzone/linux/slab_boot.h>
#include <physzone/report.h>

#include "../options.h"
#include "../start.h"
#include "../view/view.h"

/* Parts of start-up, in order. */
enum boot_stage {
	BOOT_MEMBLOCK, /* before the page allocator */
	BOOT_HAND_OVER,
	BOOT_CORE, /* core_initcall */
	BOOT_POSTCORE,
	BOOT_SUBSYS,
	BOOT_END, /* what is given back when start-up is over */
	BOOT_DRIVER, /* afterwards */
	BOOT_STAGES,
};

enum boot_outcome {
	BOOT_SERVED,
	BOOT_LESS, /* served, but smaller or fewer than asked for */
	BOOT_FAILED,
	BOOT_NEVER, /* physzone: nothing in reach, told without a search */
	BOOT_SKIPPED, /* the kernel does not ask */
	BOOT_DEPENDS, /* hangs on what the input does not tell: see the remark */
};

/* One try of a request, in the order in which they were made. */
struct boot_try {
	unsigned int order;
	uint32_t gfp;
	bool cma; /* from the contiguous area */
	int rc;
};

struct boot_request {
	struct pzl_boot_request asked;
	enum boot_outcome outcome;
	unsigned int bits; /* physzone: address bits of the device, 0 where none narrows it */
	unsigned int unreached; /* physzone: fewer bits reach no managed page; 0 if none */
	uint64_t max_addr; /* the limit that the request was made with */
	uint64_t got; /* times that it was served */
	uint64_t bytes; /* of one that was served; the smallest */
	struct pz_range place; /* bytes of the first that was served */
	bool placed, from_cma;
	int nid;
	enum pz_zone_type zone; /* of the first page */
	VEC(struct boot_try) tries;
	struct pz_report *report; /* why the first try that failed did so; NULL for none */
	char *remark; /* a sentence for people, or NULL */
};

/* What a slab cache is worth that was made while the kernel starts. */
enum boot_cache_state {
	BOOT_CACHE_READY, /* there is memory for its first slab */
	BOOT_CACHE_NO_MEMORY, /* none is free where its slabs may lie */
	BOOT_CACHE_EMPTY, /* no page is managed there: it is of no use, ever */
	BOOT_CACHE_NOT_MADE,
};

struct boot_cache {
	struct pzl_slab_boot_cache made;
	struct pzl_slab_geometry g;
	uint32_t gfp; /* of the page request behind a slab, when GFP_KERNEL is asked for */
	enum boot_cache_state state;
};

/* A line of the account: something that happens, or a request. */
struct boot_step {
	enum boot_stage stage;
	char *what;
	char *text; /* NULL for a request */
	size_t request; /* index, when text is NULL */
	bool failed; /* a reservation that found no place */
};

struct boot {
	const char *model; /* name, "physzone" among them */
	bool physzone;
	enum pzl_model rules;
	struct an_start start;
	struct analysis analysis;
	struct pz_pages *pages;
	VEC(uint32_t) areas; /* ids of activated contiguous areas, the default one last */
	VEC(struct boot_step) steps;
	VEC(struct boot_request) requests;
	VEC(struct boot_cache) caches; /* the first of the kernel, the oldest first */
	uint64_t cache_pages; /* taken for their descriptors */
	struct out console; /* what the kernel prints about them, while it grows */
	char *prints; /* the same in the end */
	enum pzl_pool_rules pool_rules;
	bool console_limited; /* a failure was reported: the next ten seconds are silent */
	bool failed; /* some request failed */
};

/* What to carry through. */
struct boot_options {
	const char *model; /* NULL for the kernel's own */
	struct analysis_options how; /* its model is not looked at */
	uint64_t device_max; /* highest address that the device reaches; PZ_ADDR_MAX for not said */
	bool device_said;
	uint64_t kmalloc_dma; /* bytes of a driver's kmalloc(GFP_DMA), 0 for none */
	bool only_managed; /* no dma-kmalloc caches where ZONE_DMA has no managed page */
	enum pzl_pool_rules pool_rules; /* what coherent_pool= means */
};

#define BOOT_RUNS 6u

/* The models that --model names. */
struct boot_models {
	char *name[BOOT_RUNS]; /* NULL for the kernel's own */
	size_t n;
	bool all; /* "all": those that have no such architecture are left out */
};

/* Read --model, and what the options say besides. 0, or EXIT_USAGE with one line in *err. */
int boot_models_parse(struct boot_models *m, const char *list, char **err);
int boot_options_read(struct boot_options *b, const struct options *o, char **err);
void boot_models_drop(struct boot_models *m, size_t i);
void boot_models_destroy(struct boot_models *m);

/*
 * Carry a machine through start-up. Returns 0, or an exit code with one line in *err.
 * boot_destroy() in both cases.
 */
int boot_run(struct boot *b, struct facts *f, const struct boot_options *o, char **err);
void boot_destroy(struct boot *b);

/* The flags that say what is asked for, by name; those on how hard to try are left out. */
void boot_flags(char *buf, size_t size, const struct boot *b, const struct boot_request *r);

/* The numbers or the circumstance that decided about a request, or NULL; to be freed. */
char *boot_reason(const struct boot_request *r);

/* Whether a request counts as failed: nothing, or fewer huge pages than asked for. */
bool boot_request_failed(const struct boot_request *r);

/* Parts of a run. */
void boot_say(struct boot *b, enum boot_stage stage, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int boot_pages_begin(struct boot *b, const struct facts *f, char **err);
void boot_requests_memblock(struct boot *b, const struct facts *f);
/* What x86 prints of its bounce buffers when it sets devices up. */
void boot_swiotlb_late(struct boot *b, const struct facts *f);
void boot_requests_pages(struct boot *b, const struct facts *f, const struct boot_options *o);
void boot_requests_subsys(struct boot *b, const struct facts *f, const struct boot_options *o);
void boot_slab_caches(struct boot *b, const struct facts *f, const struct boot_options *o);
/* What the kernel prints when a cache has no slab for a request; nothing for one that is none. */
void boot_slab_failure(struct boot *b, const struct boot_request *r, uint32_t gfp);
const char *boot_cache_state_name(enum boot_cache_state s);
void boot_request_driver(struct boot *b, const struct facts *f, const struct boot_options *o);
struct boot_request *boot_ask(struct boot *b, enum boot_stage stage,
			      const struct pzl_boot_request *r);
void boot_make(struct boot *b, const struct facts *f, struct boot_request *r,
	       const struct boot_options *o);
/* The place of a request's first page frame, when it has none yet. */
void boot_place(const struct boot *b, struct boot_request *r, uint64_t pfn, uint64_t bytes);
/* A line of the kernel; @ctx is the console. */
void boot_console_line(void *ctx, const char *line, size_t len);
void boot_console_failure(struct boot *b, const struct facts *f, unsigned int order, uint32_t gfp);

/* What the requests depend on, as far as it is known now. */
struct pzl_boot_in boot_in(const struct boot *b, const struct facts *f);

/* Whether this kernel has pools for atomic allocations: the log shows it, or it is usual. */
bool boot_has_pools(const struct boot *b, const struct facts *f);

const char *boot_stage_name(enum boot_stage s);
const char *boot_outcome_name(enum boot_outcome o);

/* Several runs of the same machine beside each other. */
void boot_text(struct out *o, const struct view *v, const struct boot *runs, size_t n, bool why);
void boot_json(struct out *o, const struct view *v, const struct boot *runs, size_t n);

#endif
