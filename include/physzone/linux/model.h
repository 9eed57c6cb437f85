/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model.h - the Linux versions whose behaviour is reproduced, and what differs between them.
 *
 * A model stands for a stable series, as its late point releases behave. Which model was used is
 * always to be said to the user, and so is how well it fits the kernel in question.
 * Source followed: docs/facts/zones.md.
 */
#ifndef PHYSZONE_LINUX_MODEL_H
#define PHYSZONE_LINUX_MODEL_H

#include <physzone/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pzl_model {
	PZL_LINUX_5_15, /* before has_managed_dma: boot-time requests go to an unmanaged ZONE_DMA */
	PZL_LINUX_6_1,
	PZL_LINUX_6_12,
	PZL_MODELS,
};

/* How well a model fits the release that it was chosen for. */
enum pzl_fit {
	PZL_FIT_EXACT,	 /* the release belongs to the series of the model */
	PZL_FIT_BETWEEN, /* newer than the model's series and older than the next model's */
	PZL_FIT_OLDER,	 /* older than the oldest model */
	PZL_FIT_NEWER,	 /* newer than the newest model */
};

/* What differs between the models, as data. */
struct pzl_model_facts {
	const char *name; /* "linux-6.1" */
	uint16_t major, minor;
	uint32_t zone_flags; /* PZ_ZF_* for pz_zone_config.flags; PZ_ZF_KDUMP is the caller's */
	bool dma_reserve;    /* set_dma_reserve(): reserved pages leave the first zone's estimate */
	bool estimate_subtracts_memmap; /* before the buddy: managed = present - memory map */
	bool memmap_debug_lines; /* "N pages used for memmap" and "reserved" exist (debug level) */
	bool memory_line_late;	 /* "Memory: ..." is printed after the page allocator is complete */
	bool dma_limit_exact;	 /* zone_dma_limit is a byte limit; before: a number of bits */
	bool has_managed_dma;	 /* boot-time requests check that ZONE_DMA has a managed page */
	bool crash_generic;	 /* crashkernel reservation is one code for several architectures */
	bool crash_zero_is_error; /* crashkernel=ranges that match nothing are refused */
	bool memblock_dummy;	  /* empty memblock arrays hold one empty region */
	uint8_t low1m;		  /* how many of the low-1M commits of low1m.h it has */
};

/**
 * pzl_model_name - the name of a model
 * @m: the model
 *
 * Context: any.
 * Return: "linux-5.15", "linux-6.1", "linux-6.12", or "?".
 */
const char *pzl_model_name(enum pzl_model m);

/**
 * pzl_model_facts - what differs between the models, as data
 * @m: the model
 *
 * Context: any.
 * Return: the facts, or NULL for a number that is no model.
 */
const struct pzl_model_facts *pzl_model_facts(enum pzl_model m);

/**
 * pzl_model_by_name - look a model up
 * @name: "linux-6.1", or just "6.1"
 * @out: the model, written on success only
 *
 * Context: any.
 * Return: 0, or -PZ_ENOENT.
 */
int pzl_model_by_name(const char *name, enum pzl_model *out);

/**
 * pzl_model_for_release - the model for a kernel release
 * @release: what uname -r prints ("6.1.0-50-amd64"); what follows MAJOR.MINOR is not looked at
 * @out: the newest model that is not newer than the release, or the oldest; on success only
 * @fit: how well it fits, written on success only; may be NULL
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL when @release does not begin with MAJOR.MINOR.
 */
int pzl_model_for_release(const char *release, enum pzl_model *out, enum pzl_fit *fit);

/**
 * pzl_fit_text - a clause that says how well a model fits
 * @fit: the fit
 *
 * Context: any.
 * Return: a static string, for use after the name of the model.
 */
const char *pzl_fit_text(enum pzl_fit fit);

#ifdef __cplusplus
}
#endif

#endif
