/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crash.h - crashkernel= on the command line, the reservation that follows from it, and the memory
 * map of the capture kernel that kexec starts in it.
 *
 * Source followed: docs/facts/zones.md section 7; recorded pairs of crashed and capture kernels.
 */
#ifndef PHYSZONE_LINUX_CRASH_H
#define PHYSZONE_LINUX_CRASH_H

#include <physzone/linux/arch.h>
#include <physzone/map.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What came of the words crashkernel=... */
enum pzl_crash_parse {
	PZL_CRASH_NONE,	     /* there is none */
	PZL_CRASH_FOUND,     /* size, and perhaps base, are set */
	PZL_CRASH_ZERO,	     /* the size is 0, or no range matches: nothing is reserved */
	PZL_CRASH_BAD_VALUE, /* a number is expected */
	PZL_CRASH_BAD_DASH,  /* '-' is expected in a range */
	PZL_CRASH_BAD_COLON, /* ':' is expected after a range */
	PZL_CRASH_BAD_END,   /* the end of a range is not above its start */
	PZL_CRASH_BAD_SIZE,  /* a size is as large as memory */
	PZL_CRASH_BAD_BASE,  /* a number is expected after '@' */
	PZL_CRASH_BAD_CHAR,  /* text after the size is not understood */
	PZL_CRASH_BAD_LOW,   /* the word with ,low cannot be parsed, and that refuses all */
	PZL_CRASH_NO_HIGH,   /* only ,high is given, which this kernel does not know */
};

struct pzl_crash_request {
	enum pzl_crash_parse parse;
	bool high; /* from the word with ,high */
	uint64_t size;
	uint64_t base;	   /* 0: wherever it fits */
	bool low_given;	   /* a word with ,low was read */
	uint64_t low_size; /* bytes; valid when low_given */
	char bad;	   /* PZL_CRASH_BAD_CHAR: the character */
};

/**
 * pzl_crash_parse - find and parse crashkernel= as a kernel does
 * @model: the model
 * @arch: the architecture
 * @text: the whole command line, as far as the kernel keeps it
 * @len: its length
 * @total: bytes of memory (the sum of memblock's memory)
 * @out: the result, always written
 *
 * The words are searched for as text, so that one is found inside another word and after "--" too.
 * The last word without a suffix counts, or the last with ,high when there is none without. With
 * ranges the total is rounded up to a multiple of 128 MiB before it is matched.
 *
 * Context: any. Cost: O(len).
 * Return: 0 when something is to be reserved, -PZ_ENOENT when there is no such word, -PZ_EINVAL
 * when nothing is reserved for what @out->parse says.
 */
int pzl_crash_parse(enum pzl_model model, enum pzl_arch arch, const char *text, size_t len,
		    uint64_t total, struct pzl_crash_request *out);

/**
 * pzl_crash_parse_text - a clause for the result of parsing
 * @p: the result
 *
 * Context: any.
 * Return: a static string without a full stop, "?" for a number that is none.
 */
const char *pzl_crash_parse_text(enum pzl_crash_parse p);

/* What the reservation depends on. Build it with pzl_crash_env_init(). */
struct pzl_crash_env {
	enum pzl_model model;
	enum pzl_arch arch;
	uint64_t low_max;  /* exclusive end of low memory: arm64's DMA limit, arm's low memory */
	uint64_t high_max; /* exclusive end for ,high */
	uint64_t swiotlb;  /* bytes of the bounce buffer that x86 adds to the default low block */
	bool capture;	   /* a capture kernel: riscv before 6.12 reserves nothing in one */
};

/**
 * pzl_crash_env_init - what the reservation depends on, with the defaults
 * @env: filled in
 * @model: the model
 * @arch: the architecture
 * @mb: memory; gives the ends where the architecture takes them from there
 * @dma_limit: exclusive end of ZONE_DMA (arm64), of low memory (arm); 0 for 4 GiB
 *
 * Context: any.
 */
void pzl_crash_env_init(struct pzl_crash_env *env, enum pzl_model model, enum pzl_arch arch,
			const struct pz_memblock *mb, uint64_t dma_limit);

enum pzl_crash_result {
	PZL_CRASH_RESERVED,
	PZL_CRASH_NO_AREA, /* no suitable area */
	PZL_CRASH_IN_USE,  /* the given place is not free, or not aligned as this kernel wants it */
	PZL_CRASH_NO_LOW,  /* no room for the low block: the main one is given back */
	PZL_CRASH_IGNORED, /* refused in a capture kernel */
	PZL_CRASH_LOOPS,   /* the kernel tries the same place for ever: low and high end are one */
};

struct pzl_crash_area {
	enum pzl_crash_result result;
	struct pz_range main; /* valid when result is PZL_CRASH_RESERVED */
	bool has_low;
	struct pz_range low;
	uint64_t low_size; /* bytes that the low block was to have, 0 for none */
};

/**
 * pzl_crash_reserve - reserve the crash kernel's memory as a kernel does
 * @env: what it depends on
 * @req: a request that pzl_crash_parse() returned 0 for
 * @mb: memory and the reservations made before; the areas are added to its reservations
 * @out: the result, written on success only
 *
 * Known for x86_64, i386, arm64, arm, riscv and (from 6.12 on) loongarch.
 *
 * Context: any; may call the metadata hook.
 * Return: 0 with @out->result telling what came of it, -PZ_ENOENT when this kernel's way of doing
 * it is not known here, -PZ_ENOMEM when memory for metadata ran out (@mb is unchanged).
 */
int pzl_crash_reserve(const struct pzl_crash_env *env, const struct pzl_crash_request *req,
		      struct pz_memblock *mb, struct pzl_crash_area *out);

/**
 * pzl_crash_print - the line or lines that the kernel prints about a reservation
 * @env: what it depended on
 * @req: the request
 * @area: the result
 * @total: bytes of memory
 * @emit: called for each line, without a line end; must copy what it keeps
 * @ctx: passed to @emit
 *
 * Context: any; calls @emit.
 */
void pzl_crash_print(const struct pzl_crash_env *env, const struct pzl_crash_request *req,
		     const struct pzl_crash_area *area, uint64_t total,
		     void (*emit)(void *ctx, const char *line, size_t len), void *ctx);

/* Who builds the capture kernel's memory map. */
enum pzl_kexec {
	PZL_KEXEC_FILE,	 /* the kernel, kexec_file_load() */
	PZL_KEXEC_TOOLS, /* kexec-tools, kexec_load(): also keeps room for a backup of low memory */
};

/* Build it with pzl_capture_input_init(). */
struct pzl_capture_input {
	enum pzl_model model; /* of the kernel that crashes */
	enum pzl_kexec how;
	const struct pz_map *map; /* of the running machine, sanitised, with page 0 taken out */
	struct pz_range crash;	  /* the crash kernel's memory */
	bool has_low;
	struct pz_range low; /* its low block */
	uint32_t cpus;	     /* possible CPUs, each has an ELF note; at least 1 */
	uint64_t elf_bytes;  /* bytes of the ELF header block, 0: as computed */
};

/* Where kexec puts what the capture kernel must not use. */
struct pzl_capture {
	struct pz_range elfcorehdr;
	bool has_backup;
	struct pz_range backup; /* kexec-tools: room for a copy of low memory */
};

/**
 * pzl_capture_input_init - inputs with the defaults: the kernel builds the map, one CPU
 * @in: filled in
 * @model: the model of the kernel that crashes
 * @map: the running machine's map
 * @crash: the crash kernel's memory
 *
 * Context: any.
 */
void pzl_capture_input_init(struct pzl_capture_input *in, enum pzl_model model,
			    const struct pz_map *map, struct pz_range crash);

/**
 * pzl_capture_map - the firmware map that an x86 capture kernel is given
 * @in: the inputs
 * @out: an initialised map; the entries are appended in kexec's order, not sanitised
 * @where: where the ELF header and the backup region lie; may be NULL
 *
 * RAM of the first megabyte, ACPI tables, NVS, reserved ranges, the low block, and the crash
 * kernel's memory without the ELF header block (and the backup region). No other RAM.
 *
 * Context: any; may call the metadata hook.
 * Return: 0, -PZ_EINVAL when the map is not sanitised or a range or the number of CPUs is out of
 * range, -PZ_ERANGE when the crash kernel's memory is too small for the header, -PZ_ENOMEM or
 * -PZ_ENOSPC; @out is as it was on error.
 */
int pzl_capture_map(const struct pzl_capture_input *in, struct pz_map *out,
		    struct pzl_capture *where);

#ifdef __cplusplus
}
#endif

#endif
