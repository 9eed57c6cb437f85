/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_int.h - what the parts of the log reader share.
 *
 * log.c cuts a log into boots and lines, log_heads.c knows how a line starts, and the other files
 * hold one function for each kind of line. Such a function reads the rest of the line and stores a
 * fact only when all of it was read.
 */
#ifndef PHYSZONE_CMD_LOG_INT_H
#define PHYSZONE_CMD_LOG_INT_H

#include "facts.h"
#include "input/log_scan.h"

enum log_ret {
	LOG_USED,
	LOG_OTHER, /* the line starts alike, but is of another kind */
	LOG_BAD,   /* damaged, or cut off when the scan ran out */
};

/* A dump of memblock while it is read: what its head lines promise. */
struct log_dump {
	bool open;
	uint32_t number;
	uint64_t size[2]; /* memory, reserved; as the second line states */
	bool has_size;
	uint64_t count[2]; /* regions promised */
	bool has_count[2];
	uint64_t seen[2];
	uint64_t sum[2];
	uint64_t last[2]; /* end of the region before */
	struct where at;
};

/* How an architecture shows itself in lines other than the banner. */
enum log_arch_sign {
	SIGN_NONE,
	SIGN_X86, /* a firmware map in the e820 form */
	SIGN_X86_64,
	SIGN_I386,
	SIGN_ARM64,
	SIGN_ARM,
	SIGN_RISCV,
	SIGN_S390,
	SIGN_POWERPC,
	SIGN_POWERPC64,
	SIGN_MIPS,
	SIGN_LOONGARCH,
	SIGN_SPARC64,
	SIGN_SPARC32,
	SIGN_ALPHA,
	SIGN_IA64,
	SIGN_M68K,
	SIGN_MICROBLAZE,
	SIGN_COUNT,
};

struct log_ctx {
	struct facts *f;
	struct where at;  /* of the line in hand */
	const char *line; /* its text; ends where the scan ends */
	double stamp;
	bool wrapped;	      /* the line in hand was put together from several */
	bool may_wrap;	      /* long lines may have been cut */
	bool optional, final; /* what the line lacks is no must; there is no more to come */
	bool said;	      /* the line in hand was kept as it stands: it may go on */

	bool fw_head[FW_EFI + 1]; /* a map's heading came after its last entry */
	bool fw_any[FW_EFI + 1];
	uint32_t fw_map[FW_EFI + 1];
	bool e820_changed; /* since the last "last_pfn" line */

	char caller[64]; /* of the memblock allocation on the line before; empty for none */
	struct log_dump dump;

	char *early_cmdline, *late_cmdline; /* "Command line:", "Kernel command line:" */
	struct where early_at, late_at;
	bool early_wrapped, late_wrapped;

	unsigned int signs;  /* bit for each enum log_arch_sign seen */
	uint64_t ramdisk_at; /* where the kernel mapped its initrd, for the width of addresses */
	bool has_ramdisk_at;

	uint32_t failure;     /* waiting for its report, or UINT32_MAX */
	uint32_t zone_report; /* the last one, for its lowmem_reserve line; or UINT32_MAX */
	uint32_t zone_first;  /* the first one of its report */
	bool totals;	      /* between "Mem-Info:" and the first zone */

	unsigned int reported; /* contradictions so far */
	uint64_t unreported;
	struct where unreported_at;
	uint64_t repeated;
};

typedef enum log_ret (*log_fn)(struct log_ctx *c, struct log_scan *s, int arg);

struct log_head {
	const char *text; /* how the line starts; a blank stands for any white space */
	log_fn fn;
	int arg;
	bool wraps; /* free text that mail may have wrapped */
};

/*
 * The head that a line starts with, and the rest of the line; NULL for a line of no interest. The
 * rest is then marked as cut when the line ends in the middle of a head.
 */
const struct log_head *log_head_find(const char *p, size_t n, struct log_scan *rest);

/* The place after @from where another line seems to start in the same text; NULL for none. */
const char *log_head_inside(const char *p, size_t n, size_t from);

/* 0, or the index of a head that is out of place in the table; for the tests. */
unsigned int log_heads_check(void);

/* Record a contradiction at the line in hand; only the first few are kept, the rest counted. */
void log_contradict(struct log_ctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* After the last line: maps that overlap, unfinished dumps, the architecture, the command line. */
void log_check_all(struct log_ctx *c);
void log_dump_close(struct log_ctx *c);
void log_arch_decide(struct log_ctx *c);
void log_cmdline_decide(struct log_ctx *c);

/* log_map.c: the firmware's map. */
enum log_ret log_fw_head(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_fw_entry(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_e820_update(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_e820_remove(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_efi(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_last_pfn(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_srat(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_numa(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_numa_off(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_fake_node(struct log_ctx *c, struct log_scan *s, int arg);

/* log_zones.c: what the kernel made of it. */
enum log_ret log_zone_name(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_node(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_node_range(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_initmem(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_on_node(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_memmap_init(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_memory(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_freeing(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_hugetlb(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_built(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_policy(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_fallback(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_megabytes(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_low_ram(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_mem_size(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_section(struct log_ctx *c, struct log_scan *s, int arg);

/* log_memblock.c: memblock=debug. */
enum log_ret log_mb_event(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_mb_alloc(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_mb_head(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_mb_size(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_mb_count(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_mb_region(struct log_ctx *c, struct log_scan *s, int arg);

/* log_boot.c: version, machine, processors, page size. */
enum log_ret log_banner(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_cmdline(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_model(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_sign(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_booting_cpu(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_percpu(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_hash(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_brought_up(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_total_cpus(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_cpu_ids(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_cpu_line(struct log_ctx *c, struct log_scan *s, int arg);

/* log_claims.c: what takes memory, and what was said about it. */
enum log_ret log_claim_mem(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_acpi_table(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_node_data(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_initrd_at(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_found_initrd(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_reserving(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_crash_reserved(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_cma(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_pool_at(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_of_reserved(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_swiotlb(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_said(struct log_ctx *c, struct log_scan *s, int arg);

/* log_swiotlb.c: bounce buffers while the machine runs; the lines begin with a device. */
bool log_is_bounce(const char *p, size_t n);
enum log_ret log_bounce(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_bounce_areas(struct log_ctx *c, struct log_scan *s);

/* log_report.c: the report of a failed allocation. */
enum log_ret log_mem_info(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_lowmem_reserve(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_failure(struct log_ctx *c, struct log_scan *s, int arg);
enum log_ret log_pages(struct log_ctx *c, struct log_scan *s, uint64_t pages);
enum log_ret log_zone_report(struct log_ctx *c, struct log_scan *s, int nid, const char *zone);
enum log_ret log_zone_blocks(struct log_ctx *c, struct log_scan *s, int nid, const char *zone);
enum log_ret log_totals(struct log_ctx *c, struct log_scan *s, int arg);

/* log_trace.c: who asked. A line of a call trace, which has no head; true when it was one. */
bool log_trace(struct log_ctx *c, const char *p, size_t n);
/* Behind "CPU:", of the failure that waits for its report; false: not the line of one. */
bool log_failure_cpu(struct log_ctx *c, struct log_scan s);

/* The zone type that a line names first ("DMA", "DMA32", ...), or NULL; the scan moves past it. */
const char *log_zone_word(struct log_scan *s);

/*
 * Whether a line that is whole as it stands may yet go on behind a cut: then it counts as cut off,
 * and is read once more as it stands when nothing fits behind it.
 */
bool log_goes_on(struct log_ctx *c, struct log_scan *s);

/*
 * False, as a failed read, when the facts hold already more of a kind than a kernel prints, or the
 * log repeats itself without end: what compares lines with each other stays affordable.
 */
bool log_room(struct log_ctx *c, struct log_scan *s, size_t n);

/* Store a claim and return it, also when it repeats an earlier one. @text is copied. */
struct fact_claim *log_claim(struct log_ctx *c, enum claim_kind kind, struct pz_range r, int nid,
			     const char *text, size_t n);

/* "[base, base + size - 1]"; false when that is none or wraps. */
bool log_base_size(struct log_scan *s, uint64_t base, uint64_t size, struct pz_range *out);

#endif
