/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_proc.h - what Linux shows of its slab caches, as data and as its text: /proc/slabinfo, and
 * the files of a cache below /sys/kernel/slab, with what may be written to them.
 *
 * Readers are strict: they take what Linux writes, byte for byte, and nothing else.
 * Source followed: docs/facts/slab.md sections 10 and 11; recorded machines.
 */
#ifndef PHYSZONE_LINUX_SLAB_PROC_H
#define PHYSZONE_LINUX_SLAB_PROC_H

#include <physzone/linux/messages.h>
#include <physzone/linux/slab.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A row of /proc/slabinfo. */
struct pzl_slabinfo {
	const char *name; /* not terminated */
	size_t name_len;
	uint64_t active_objs; /* objects of slabs that CPUs hold count as active */
	uint64_t num_objs;
	uint32_t objsize; /* from slot to slot, with what debugging adds */
	uint32_t objperslab, pagesperslab;
	uint32_t limit, batchcount, sharedfactor; /* 0 with SLUB */
	uint64_t active_slabs, num_slabs, sharedavail;
};

#define PZL_SLABINFO_HEAD 2u /* lines before the rows */

/**
 * pzl_slabinfo_head - the lines before the rows
 * @line: 0 or 1
 *
 * Context: any.
 * Return: a static string, NULL for another line.
 */
const char *pzl_slabinfo_head(unsigned int line);

/**
 * pzl_slabinfo_make - the row of a cache
 * @out: filled in
 * @name: its name; not copied
 * @name_len: its length
 * @g: its geometry
 * @slabs: slabs that it has
 * @objects: objects in them, used or not; 0 for as many as slabs of the usual order have
 * @free: of them on lists of partial slabs; those that CPUs hold do not count
 *
 * Context: any.
 */
void pzl_slabinfo_make(struct pzl_slabinfo *out, const char *name, size_t name_len,
		       const struct pzl_slab_geometry *g, uint64_t slabs, uint64_t objects,
		       uint64_t free);

/**
 * pzl_slabinfo_write - /proc/slabinfo: the lines before the rows, and the rows
 * @rows: the rows, the newest cache first, as Linux shows them
 * @n: how many
 * @emit: called for each line
 * @ctx: passed to @emit
 *
 * Context: any; calls @emit.
 */
void pzl_slabinfo_write(const struct pzl_slabinfo *rows, size_t n, pzl_emit_fn emit, void *ctx);

/**
 * pzl_slabinfo_read - read a row
 * @line: the line without its end; the name of the row points into it
 * @len: its length
 * @out: the row, written on success only
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL when Linux would not write this line.
 */
int pzl_slabinfo_read(const char *line, size_t len, struct pzl_slabinfo *out);

/**
 * pzl_slabinfo_store - what a write to /proc/slabinfo returns
 * @model: the model
 *
 * Context: any.
 * Return: -PZL_EIO, whatever is written: tunables are SLAB's, and 6.12 takes no writes at all.
 */
int pzl_slabinfo_store(enum pzl_model model);

/* The files of a cache, in the order of this list. */
enum pzl_slab_attr {
	PZL_SA_SLAB_SIZE,
	PZL_SA_ALIGN,
	PZL_SA_OBJECT_SIZE,
	PZL_SA_OBJS_PER_SLAB,
	PZL_SA_ORDER,
	PZL_SA_MIN_PARTIAL,
	PZL_SA_CPU_PARTIAL,
	PZL_SA_OBJECTS,
	PZL_SA_OBJECTS_PARTIAL,
	PZL_SA_PARTIAL,
	PZL_SA_CPU_SLABS,
	PZL_SA_CTOR,
	PZL_SA_ALIASES,
	PZL_SA_HWCACHE_ALIGN,
	PZL_SA_RECLAIM_ACCOUNT,
	PZL_SA_DESTROY_BY_RCU,
	PZL_SA_SHRINK,
	PZL_SA_SLABS_CPU_PARTIAL,
	PZL_SA_TOTAL_OBJECTS,
	PZL_SA_SLABS,
	PZL_SA_SANITY_CHECKS,
	PZL_SA_TRACE,
	PZL_SA_RED_ZONE,
	PZL_SA_POISON,
	PZL_SA_STORE_USER,
	PZL_SA_VALIDATE,
	PZL_SA_CACHE_DMA,
	PZL_SA_REMOTE_NODE_DEFRAG_RATIO,
	PZL_SA_FAILSLAB,
	PZL_SA_USERSIZE,
	PZL_SA_SKIP_KFENCE,
	PZL_SLAB_ATTRS,
};

/* What a kernel was built with: it decides which files there are. */
#define PZL_SLAB_HAS_DEBUG 0x1u	    /* SLUB_DEBUG */
#define PZL_SLAB_HAS_DMA 0x2u	    /* ZONE_DMA */
#define PZL_SLAB_HAS_NUMA 0x4u	    /* NUMA; counts are then given for nodes too */
#define PZL_SLAB_HAS_FAULT 0x8u	    /* FAILSLAB */
#define PZL_SLAB_HAS_USERCOPY 0x10u /* HARDENED_USERCOPY */
#define PZL_SLAB_HAS_KFENCE 0x20u
#define PZL_SLAB_HAS_SMP 0x40u

#define PZL_SLAB_NODES 64u
#define PZL_SLAB_CPUS 64u
#define PZL_EIO 5 /* what Linux returns for a file that takes no writes */

/* What can be written to a file. All else is refused. */
enum pzl_slab_store {
	PZL_STORE_NONE,	   /* nothing: -PZL_EIO */
	PZL_STORE_NUMBER,  /* a decimal number: -PZ_EINVAL, -PZ_ERANGE */
	PZL_STORE_CPU,	   /* a number, with debugging only 0: -PZ_EINVAL */
	PZL_STORE_PERCENT, /* a number to 100: -PZ_ERANGE above */
	PZL_STORE_ONE,	   /* what begins with 1 does something: -PZ_EINVAL */
	PZL_STORE_CHECK,   /* the same; from 6.1 on only of a cache with debugging */
	PZL_STORE_SWITCH,  /* 0 or 1 in front: -PZ_EINVAL */
	PZL_STORE_FAULT, /* 1 in front is on, all else is off; -PZ_EINVAL of a cache with aliases */
};

/* A file. */
struct pzl_slab_attr_info {
	const char *name;
	uint32_t needs; /* PZL_SLAB_HAS_*, all of them */
	uint16_t mode;	/* 0400, or 0600 where it can be written */
	enum pzl_slab_store store;
};

/* A count, and what of it is on each node. */
struct pzl_slab_count {
	uint64_t total;
	uint64_t node[PZL_SLAB_NODES];
};

/* What a CPU's list of partial slabs holds. */
struct pzl_slab_cpu_list {
	uint32_t objects, slabs;
};

/* All that the files of a cache show. Begin with pzl_slab_attrs_init(). */
struct pzl_slab_attrs {
	enum pzl_model model;
	uint32_t has;	/* PZL_SLAB_HAS_* */
	uint32_t flags; /* PZL_SLAB_* of the cache */
	uint32_t size, align, object_size, objects_per_slab, order;
	uint64_t min_partial;
	uint32_t cpu_partial;
	uint32_t aliases; /* names beyond the first */
	uint32_t usersize;
	uint32_t defrag_percent;
	bool skip_kfence;
	char ctor[128]; /* "init_once+0x0/0x60", "" for none */
	struct pzl_slab_count objects, objects_partial, partial, cpu_slabs, total_objects, slabs;
	struct pzl_slab_cpu_list cpu_list;	     /* of all CPUs */
	struct pzl_slab_cpu_list cpu[PZL_SLAB_CPUS]; /* shown where it holds slabs; 5.15: objects */
};

/**
 * pzl_slab_attrs_init - a cache without a slab
 * @a: filled in
 * @model: the model
 * @has: PZL_SLAB_HAS_* of the kernel
 * @g: its geometry
 * @object_size: size of its objects
 *
 * Context: any.
 */
void pzl_slab_attrs_init(struct pzl_slab_attrs *a, enum pzl_model model, uint32_t has,
			 const struct pzl_slab_geometry *g, uint32_t object_size);

/**
 * pzl_slab_attr_info - what is known of a file
 * @attr: the file
 *
 * Context: any.
 * Return: static data, NULL for no such file.
 */
const struct pzl_slab_attr_info *pzl_slab_attr_info(enum pzl_slab_attr attr);

/**
 * pzl_slab_attr_find - the file of a name
 * @name: the name
 * @len: its length
 * @attr: the file, written on success only
 *
 * Context: any.
 * Return: 0 or -PZ_ENOENT.
 */
int pzl_slab_attr_find(const char *name, size_t len, enum pzl_slab_attr *attr);

/**
 * pzl_slab_attr_exists - whether a kernel has a file
 * @model: the model
 * @has: PZL_SLAB_HAS_*
 * @attr: the file
 *
 * Context: any.
 * Return: true when it has.
 */
bool pzl_slab_attr_exists(enum pzl_model model, uint32_t has, enum pzl_slab_attr attr);

/**
 * pzl_slab_attr_write - the text of a file, with its newline
 * @buf: the buffer; may be NULL when @size is 0
 * @size: bytes of @buf; text that does not fit is cut, and a 0 byte ends it unless @size is 0
 * @a: the cache
 * @attr: the file
 *
 * What can only be written reads as nothing, and so does a constructor that is not there.
 *
 * Context: any.
 * Return: length of the whole text; it was cut when it is @size or more.
 */
size_t pzl_slab_attr_write(char *buf, size_t size, const struct pzl_slab_attrs *a,
			   enum pzl_slab_attr attr);

/**
 * pzl_slab_attr_read - take over what a file showed
 * @a: what the file is about is replaced, on success only
 * @attr: the file
 * @text: its text, with its newline
 * @len: length of the text
 *
 * Context: any.
 * Return: 0; -PZ_EINVAL when Linux would not write this; -PZ_ENOSPC for a node or CPU beyond
 * PZL_SLAB_NODES and PZL_SLAB_CPUS.
 */
int pzl_slab_attr_read(struct pzl_slab_attrs *a, enum pzl_slab_attr attr, const char *text,
		       size_t len);

/**
 * pzl_slab_attr_store - what a write to a file does
 * @a: changed where Linux changes it
 * @attr: the file
 * @text: what is written
 * @len: its length
 *
 * That a shrink frees empty slabs, and what a check finds, is not done here.
 *
 * Context: any.
 * Return: 0 when it is taken; else as enum pzl_slab_store says, and @a is as it was.
 */
int pzl_slab_attr_store(struct pzl_slab_attrs *a, enum pzl_slab_attr attr, const char *text,
			size_t len);

#ifdef __cplusplus
}
#endif

#endif
