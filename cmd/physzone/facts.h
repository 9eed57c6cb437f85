/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts.h - what the input says, and where it says so.
 *
 * Readers (logs, /proc files, device trees) only collect facts here; they decide nothing. The
 * analysis computes the machine from the facts that are causes (firmware map, command line,
 * reservations) and compares it with the facts that are results (Zone ranges, zoneinfo).
 */
#ifndef PHYSZONE_CMD_FACTS_H
#define PHYSZONE_CMD_FACTS_H

#include <physzone/types.h>

#include "vec.h"

/* Where a fact stands: file index in facts.files, and line (from 1; 0 for a binary file). */
struct where {
	uint32_t file;
	uint32_t line;
};

enum source_kind {
	SRC_NONE,
	SRC_LOG, /* dmesg, journal, serial console, mail */
	SRC_DIR, /* directory of a recorded machine */
	SRC_LIVE, /* /proc and /sys of the running machine */
	SRC_DTB,
	SRC_IOMEM,
	SRC_E820,
};

enum fw_origin {
	FW_BIOS, /* "BIOS-e820:", or an e820 listing */
	FW_USER, /* "user:" map after memmap= / mem= */
	FW_MODIFIED, /* "modified:" */
	FW_SETUP_DATA, /* "reserve setup_data:" (extended map) */
	FW_MEMMAP, /* /sys/firmware/memmap */
	FW_DT, /* memory nodes of a device tree */
	FW_EFI, /* "efi: memNN:" lines */
};

struct fact_fw {
	enum fw_origin origin;
	uint32_t map; /* of its origin, from 0: a log may print a map more than once */
	struct pz_range range;
	uint32_t type; /* enum pz_map_type; 0 when the word is unknown */
	char *word; /* the type as the input wrote it */
	int nid; /* FW_DT with numa-node-id, else PZ_NID_NONE */
	bool more_reliable; /* FW_EFI: mirrored */
	struct where at;
};

/* "e820: update [mem a-b] usable ==> reserved" and "e820: remove [mem a-b] usable". */
struct fact_e820_change {
	struct pz_range range;
	uint32_t from;
	uint32_t to; /* 0: removed */
	struct where at;
};

/* "  node   0: [mem a-b]" under "Early memory node ranges". */
struct fact_node_range {
	int nid;
	struct pz_range range;
	struct where at;
};

/* "Initmem setup node 0 [mem a-b]" or "... as memoryless". */
struct fact_initmem {
	int nid;
	bool memoryless;
	struct pz_range range;
	struct where at;
};

/* A line under "Zone ranges:". */
struct fact_zone_range {
	char name[16];
	bool empty;
	struct pz_range range;
	struct where at;
};

/* A line under "Movable zone start for each node". */
struct fact_movable {
	int nid;
	uint64_t addr;
	struct where at;
};

/* "ACPI: SRAT: Node 0 PXM 0 [mem a-b] hotplug" and, with device trees, numa nodes. */
struct fact_srat {
	int nid;
	struct pz_range range;
	bool hotplug;
	bool non_volatile;
	struct where at;
};

/* What takes memory, from lines of the log, iomem or a device tree. */
enum claim_kind {
	CLAIM_INITRD,
	CLAIM_CRASHKERNEL,
	CLAIM_CRASHKERNEL_LOW,
	CLAIM_CMA,
	CLAIM_SWIOTLB,
	CLAIM_KERNEL_CODE,
	CLAIM_KERNEL_RODATA,
	CLAIM_KERNEL_DATA,
	CLAIM_KERNEL_BSS,
	CLAIM_ACPI_TABLE,
	CLAIM_NODE_DATA,
	CLAIM_DT_RESERVED, /* reserved-memory node or /memreserve/ */
	CLAIM_ELFCOREHDR,
	CLAIM_OTHER, /* "reserved" in iomem, efi and the like; see text */
};

struct fact_claim {
	enum claim_kind kind;
	struct pz_range range;
	int nid; /* NODE_DATA, per-node areas; else PZ_NID_NONE */
	bool reusable; /* device tree: reusable (CMA); no effect elsewhere */
	bool nomap; /* device tree: no-map */
	bool shared_pool, restricted_pool; /* device tree: compatible with such a DMA pool */
	bool cma_default; /* device tree: linux,cma-default */
	char *text; /* the name that the input gave */
	struct where at;
};

/*
 * Events of memblock=debug, in the order of the log. MBOP_FREE_LATE gives pages straight to the
 * page allocator and leaves the reserved array alone.
 */
enum mb_op { MBOP_ADD, MBOP_RESERVE, MBOP_FREE, MBOP_REMOVE, MBOP_FREE_LATE };

struct fact_mb_event {
	enum mb_op op;
	struct pz_range range;
	char *caller; /* who asked: symbol of this line or of the allocation before it, or NULL */
	int nid; /* memblock_add_node, else PZ_NID_NONE */
	uint32_t flags; /* the same */
	struct where at;
};

/* One region of a "MEMBLOCK configuration" dump (dump counts from 0) or of debugfs' memblock. */
struct fact_mb_region {
	uint32_t dump; /* MB_DUMP_DEBUGFS for /sys/kernel/debug/memblock */
	bool reserved; /* else memory */
	struct pz_range range;
	int nid; /* PZ_NID_NONE when not printed */
	uint32_t flags;
	struct where at;
	size_t after_events; /* mb_events.n when the dump was printed */
};
#define MB_DUMP_DEBUGFS UINT32_MAX

/* "Freeing initrd memory: 1340K". */
struct fact_freeing {
	char *what; /* "initrd", "unused kernel image (initmem)", "SMP alternatives" ... */
	uint64_t kib;
	double stamp; /* seconds of the printk time stamp, negative when there is none */
	struct where at;
};

/* The "Memory: 159412K/262124K available (...)" line, KiB; UINT64_MAX where a field is missing. */
struct fact_memory {
	bool seen;
	uint64_t available, physical, code, rwdata, rodata, init, bss, reserved, cma, highmem;
	double stamp;
	struct where at;
};

/* A zone as /proc/zoneinfo prints it; UINT64_MAX where a field is missing. */
struct fact_zoneinfo {
	int nid;
	char name[16];
	uint64_t start_pfn, spanned, present, managed, cma, free;
	uint64_t min, low, high; /* as printed: the boost is in them */
	uint64_t boost;
	uint64_t pcp_high, pcp_batch;
	uint64_t protection[8];
	unsigned int protections;
	unsigned int cpus; /* pagesets printed */
	struct where at;
};

/* "On node 0, zone DMA: 97 pages in unavailable ranges" and the lines of mminit debugging. */
enum zone_pages_kind {
	ZP_UNAVAILABLE, /* counted up over the node's lines */
	ZP_MEMMAP, /* "DMA zone: 64 pages used for memmap" */
	ZP_RESERVED, /* "DMA zone: 0 pages reserved" */
	ZP_PRESENT, /* "DMA zone: 3998 pages, LIFO batch:0" */
	ZP_TOTAL, /* "On node 0 totalpages: 131038"; no zone */
};
struct fact_zone_pages {
	enum zone_pages_kind kind;
	int nid; /* PZ_NID_NONE when the line does not say */
	char name[16];
	uint64_t pages;
	struct where at;
};

/* "mminit::memmap_init Initialising map node 0 zone 1 pfns 4096 -> 524256". */
struct fact_span {
	int nid;
	unsigned int zone; /* number of the zone in this kernel */
	struct pz_range pfns;
	struct where at;
};

/* "Fallback order for Node 0: 0 1". */
struct fact_fallback {
	int nid;
	VEC(int) order;
	struct where at;
};

/* "NUMA: Node 0 [mem a] + [mem b] -> [mem c]". */
struct fact_numa_merge {
	int nid;
	struct pz_range a, b, out;
	struct where at;
};

/* "PROG: page allocation failure: order:5, mode:0x..., nodemask=(null),cpuset=/,...". */
struct fact_failure {
	char *comm;
	unsigned int order;
	uint64_t gfp;
	char *flags; /* the names in brackets, or NULL */
	char *nodemask, *mems_allowed; /* as printed; NULL when not stated */
	int cpu; /* PZ_NID_NONE when not stated */
	VEC(char *) trace; /* functions of the call trace, innermost first */
	double stamp;
	uint32_t report; /* index in mem_infos of the report that follows; UINT32_MAX for none */
	struct where at;
};

/* "Mem-Info:" and the totals under it, pages; UINT64_MAX where one is missing. */
struct fact_mem_info {
	uint64_t ram, highmem, reserved, cma;
	uint64_t free, free_pcp, free_cma;
	uint64_t active_anon, inactive_anon, active_file, inactive_file;
	uint64_t slab_reclaimable, slab_unreclaimable;
	bool headless; /* the zones' lines came without a "Mem-Info:" before them */
	struct where at;
};

/*
 * "Node 0 DMA free:128kB ... managed:15360kB ..." of such a report, KiB; UINT64_MAX: missing. The
 * free blocks are of the line "Node 0 DMA: 1*4kB (U) ... = 128kB".
 */
#define FACT_ORDERS 24u
struct fact_zone_report {
	uint32_t report; /* index in mem_infos */
	int nid; /* 0 where the kernel has no nodes */
	char name[16];
	uint64_t free, boost, min, low, high, present, managed, free_pcp, free_cma;
	uint64_t highatomic, active_file, inactive_file, local_pcp;
	uint64_t protection[8]; /* pages, from "lowmem_reserve[]:" */
	unsigned int protections;
	unsigned int orders; /* how many were printed; 0 for no such line */
	uint64_t blocks[FACT_ORDERS];
	uint8_t letters[FACT_ORDERS]; /* bit per letter of FACT_LETTERS */
	uint64_t block_kib; /* the smallest block, that is a page */
	uint64_t blocks_kib; /* the sum that the line states */
	struct where at, orders_at; /* line 0 where there is none */
};
#define FACT_LETTERS "UMEHCIR" /* in the order of enum pz_mobility; R: before 4.4 */

/* What the kernel says about requests at boot, for the notes; see text. */
enum said_kind {
	SAID_CMA_FAILED,
	SAID_CRASHKERNEL_FAILED,
	SAID_SWIOTLB, /* no memory for bounce buffers, or fewer than asked for */
	SAID_POOL, /* "DMA: preallocated 256 KiB GFP_KERNEL pool for atomic allocations" */
	SAID_POOL_FAILED,
	SAID_TRAMPOLINE, /* no memory below 1 MiB */
	SAID_MEMORY_LIMIT, /* "Memory limited to 1500MB", RAM cut or ignored by the kernel */
	SAID_MIRROR,
	SAID_NUMA, /* the firmware's NUMA tables were refused */
	SAID_MAP, /* the firmware's map was refused, or has too many entries */
};
struct fact_said {
	enum said_kind kind;
	char *text;
	struct where at;
};

/* What a log tells of bounce buffers while the machine runs. */
enum swiotlb_kind {
	SWIOTLB_FULL, /* "swiotlb buffer is full (sz: N bytes), total T (slots), used U (slots)" */
	SWIOTLB_NONE, /* "Can not allocate SWIOTLB buffer earlier and can't now provide ..." */
	SWIOTLB_BEYOND, /* "swiotlb addr A+N overflow (mask M, bus limit L)" */
	SWIOTLB_DIRECT, /* "DMA addr A+N overflow (mask M, bus limit L)": nothing to bounce with */
	SWIOTLB_SUPPRESSED, /* "swiotlb_tbl_map_single: N callbacks suppressed" */
};
struct fact_swiotlb {
	enum swiotlb_kind kind;
	uint32_t device; /* index in swiotlb_devices; UINT32_MAX when not told */
	uint64_t bytes; /* of the mapping; SWIOTLB_SUPPRESSED: lines that are not there */
	uint64_t total, used; /* slots; UINT64_MAX where the line has none */
	uint64_t addr, mask, limit; /* of the overflows */
	double stamp; /* seconds of the printk time stamp, negative when there is none */
	struct where at;
};
struct fact_device {
	char *driver; /* NULL when not told */
	char *name;
};

/* A run of /proc/kpageflags classes. */
enum page_class { PGC_NOPAGE, PGC_RESERVED, PGC_MANAGED, PGC_HWPOISON, PGC_OFFLINE };
struct fact_pages {
	struct pz_range pfns;
	enum page_class cls;
	struct where at;
};

/* A line of /proc/iomem. */
struct fact_iomem {
	unsigned int depth;
	struct pz_range range;
	char *name;
	struct where at;
};

/* Distances between nodes, as far as told. Of two for the same pair the later one counts. */
struct fact_distance {
	int from, to;
	unsigned int distance;
};

/* A node of /reserved-memory without a place: the kernel finds one while booting. */
struct fact_dt_dynamic {
	char *name;
	uint64_t size;
	uint64_t align; /* 0 when not told */
	VEC(struct pz_range) within; /* alloc-ranges, in order of preference; empty for anywhere */
	bool reusable; /* may be CMA */
	bool nomap;
	bool shared_pool, restricted_pool; /* compatible with such a DMA pool */
	bool cma_default; /* linux,cma-default */
};

/* A device tree's answers. */
struct fact_dt {
	bool seen;
	uint64_t dma_max_cpu; /* highest CPU address that every bus reaches, PZ_ADDR_MAX for none */
	bool uefi; /* started by UEFI, whose map replaces the memory nodes */
	bool has_usable; /* /chosen linux,usable-memory-range */
	VEC(struct pz_range) usable;
	VEC(struct fact_dt_dynamic) dynamic;
	struct pz_range elfcorehdr; /* valid when has_elfcorehdr */
	bool has_elfcorehdr;
	char *model;
	char *compatible; /* first string of the root's compatible */
	unsigned int cpus;
	struct where at;
};

struct fact_contradiction {
	char *text;
	struct where at;
};

struct facts {
	enum source_kind kind;
	VEC(char *) files; /* names for messages; index 0 is the SOURCE itself */

	char *banner; /* the "Linux version ..." text after "Linux version " */
	char *release; /* first word of it */
	struct where banner_at;
	char *cmdline; /* NULL when unknown */
	struct where cmdline_at;
	char *machine_model; /* "Machine model:" / DMI */
	bool altered; /* made from a machine by changing it: no kernel's results belong to it */
	unsigned int boots; /* "Linux version" banners seen in the input */
	unsigned int boot; /* which of them was read, from 1 */

	char *arch_hint; /* "x86_64", "arm64" ... as far as the reader can tell, or NULL */
	unsigned int page_shift; /* 0 when unknown */
	unsigned int cpus; /* CPUs brought up, 0 when unknown */
	unsigned int nr_cpu_ids, nr_node_ids; /* possible ones, 0 when unknown */
	bool pae; /* i386: PAE is in use */
	uint32_t zone_types; /* bit per enum pz_zone_type that the kernel has; 0 when unknown */

	VEC(struct fact_fw) fw;
	VEC(struct fact_e820_change) e820_changes;
	VEC(struct fact_node_range) node_ranges;
	VEC(struct fact_initmem) initmem;
	VEC(struct fact_zone_range) zone_ranges;
	VEC(struct fact_movable) movable;
	VEC(struct fact_srat) srat;
	VEC(struct fact_claim) claims;
	VEC(struct fact_mb_event) mb_events;
	VEC(struct fact_mb_region) mb_regions;
	VEC(struct fact_freeing) freeing;
	struct fact_memory memory;
	VEC(struct fact_zoneinfo) zoneinfo;
	VEC(struct fact_zone_pages) zone_pages;
	VEC(struct fact_span) spans;
	VEC(struct fact_fallback) fallbacks;
	VEC(struct fact_numa_merge) numa_merges;
	VEC(struct fact_node_range) fake_nodes; /* "Faking node 0 at [mem a-b]" of numa=fake= */
	VEC(struct fact_failure) failures;
	VEC(struct fact_mem_info) mem_infos;
	VEC(struct fact_zone_report) zone_reports;
	VEC(struct fact_said) said;
	VEC(struct fact_swiotlb) swiotlb; /* in the order of the log */
	VEC(struct fact_device) swiotlb_devices;
	VEC(struct fact_pages) pages;
	VEC(struct fact_iomem) iomem;
	VEC(struct fact_distance) distances;
	VEC(int) nodes_online; /* from node directories */
	VEC(int) nodes_memory; /* those of them with memory */
	struct fact_dt dt;

	uint64_t last_pfn; /* "last_pfn = ", 0 when not seen */
	struct where last_pfn_at;
	uint64_t low_last_pfn; /* the second such line: end of RAM below 4 GiB; 0 when not seen */
	uint64_t max_arch_pfn;
	uint64_t low_ram_end; /* i386 "low ram: 0 - X", arm "lowmem"; 0 when not seen */
	uint64_t highmem_mb; /* i386 "NMB HIGHMEM available." */
	unsigned int swiotlb_areas; /* "area num N.", 0 when not seen */
	uint64_t lowmem_mb; /* i386 "NMB LOWMEM available." */
	uint64_t phys_mem_size; /* powerpc "phys_mem_size = ", 0 when not seen */
	uint64_t total_pages; /* "Total pages: N" of the zonelists line, 0 when not seen */
	struct where total_pages_at;
	unsigned int zonelists; /* "Built N zonelists", 0 when not seen */
	bool mobility_off; /* "mobility grouping off" */
	char policy_zone[16]; /* "Policy zone: Normal", empty when not seen */
	uint64_t deferred_nodes; /* "node N deferred pages initialised" lines */
	uint64_t percpu_pages, percpu_bytes, percpu_unit; /* "percpu: Embedded N pages/cpu ..." */
	uint64_t min_free_kbytes; /* sysctl, UINT64_MAX when unknown */
	uint64_t lowmem_ratio[8]; /* sysctl vm.lowmem_reserve_ratio */
	unsigned int lowmem_ratios;
	uint64_t mem_total_kib, high_total_kib, cma_total_kib; /* meminfo; 0 when unknown */
	bool has_meminfo, has_anon_huge; /* meminfo was read; it has a line of huge pages */
	bool efi; /* started by UEFI, whose memory map the kernel used */
	uint64_t wmark_scale; /* sysctl, 0 when unknown */
	bool numa_off_seen, numa_faked; /* "NUMA turned off", "Faking a node" */

	/* Accounting of the input. */
	uint64_t lines_total, lines_used, lines_ignored;
	VEC(struct fact_contradiction) contradictions; /* between lines of the input itself */
	VEC(char *) notes;
	uint32_t line_file; /* the file whose lines are marked: the source itself, or its log */
	VEC(uint8_t) line_marks; /* 0 ignored, 1 used; index is line - 1 */
	bool keep_lines; /* set before reading: the reader fills line_texts too */
	VEC(char *) line_texts; /* the same lines as text; a zero byte shows as a blank */
};

void facts_init(struct facts *f);
void facts_destroy(struct facts *f);

/* Register a file name; returns its index. */
uint32_t facts_file(struct facts *f, const char *name);

/* Append a line's text to line_texts. */
void facts_keep_line(struct facts *f, const char *p, size_t n);

/* Append a note or a contradiction (printf). */
void facts_note(struct facts *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void facts_contradict(struct facts *f, struct where at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
