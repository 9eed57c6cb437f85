/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_heads.c - how the lines of interest start, and which function reads the rest.
 *
 * Invariants, verified by log_heads_check(): 1. heads that start with the same character stand
 * together, characters ascending; 2. a head that is the start of another comes after it.
 *
 * Cost: a line is compared with the heads that share its first character only.
 */
#include "input/log_int.h"

#include <string.h>

static const struct log_head log_heads[] = {
	{ "ACPI: Reserving ", log_acpi_table, 0, false },
	{ "ACPI: SRAT:", log_srat, 0, false },
	{ "ARCH: SUN4M", log_sign, SIGN_SPARC32, false },
	{ "ARCH: SUN4U", log_sign, SIGN_SPARC64, false },
	{ "ARCH: SUN4V", log_sign, SIGN_SPARC64, false },
	{ "Allocated new RAMDISK:", log_claim_mem, 1, false },
	{ "Amiga hardware found:", log_sign, SIGN_M68K, false },
	{ "Atari hardware found:", log_sign, SIGN_M68K, false },
	{ "BIOS-88:", log_fw_entry, FW_BIOS, false },
	{ "BIOS-e801:", log_fw_entry, FW_BIOS, false },
	{ "BIOS-e820:", log_fw_entry, FW_BIOS, false },
	{ "BIOS-provided physical RAM map:", log_fw_head, FW_BIOS, false },
	{ "Booting Linux on physical CPU", log_booting_cpu, 0, false },
	{ "Brought up", log_brought_up, 0, false },
	{ "Built ", log_built, 0, false },
	{ "CPU features: detected:", log_sign, SIGN_ARM64, false },
	{ "CPU0 revision is:", log_sign, SIGN_MIPS, false },
	{ "CPU:", log_cpu_line, 0, false },
	{ "Command line:", log_cmdline, 0, true },
	{ "DMA: Out of SW-IOMMU space for", log_bounce, 0, false },
	{ "DMA", log_zone_name, 0, false },
	{ "DMI:", log_model, 0, true },
	{ "Dentry cache hash table entries:", log_hash, 0, false },
	{ "Detected Macintosh model:", log_sign, SIGN_M68K, false },
	{ "Detected PIPT I-cache on CPU", log_sign, SIGN_ARM64, false },
	{ "Detected VIPT I-cache on CPU", log_sign, SIGN_ARM64, false },
	{ "Device", log_zone_name, 0, false },
	{ "EAX:", log_sign, SIGN_I386, false },
	{ "EIP:", log_sign, SIGN_I386, false },
	{ "Early memory node ranges", log_section, 0, false },
	{ "Faking a node at", log_fake_node, 0, false },
	{ "Faking node ", log_fake_node, 1, false },
	{ "Fallback order for Node ", log_fallback, 0, false },
	{ "Found initrd at", log_found_initrd, 0, false },
	{ "Freeing ", log_freeing, 0, false },
	{ "Hardware name:", log_model, 0, true },
	{ "HighMem", log_zone_name, 0, false },
	{ "HugeTLB", log_hugetlb, 0, false },
	{ "Ignoring RAM", log_said, SAID_MEMORY_LIMIT, false },
	{ "Ignoring memory", log_said, SAID_MEMORY_LIMIT, false },
	{ "Initial ramdisk at:", log_initrd_at, 0, false },
	{ "Initmem setup node", log_initmem, 0, false },
	{ "Inode-cache hash table entries:", log_hash, 0, false },
	{ "Kernel command line:", log_cmdline, 1, true },
	{ "Krnl PSW", log_sign, SIGN_S390, false },
	{ "Linux version ", log_banner, 0, true },
	{ "MEMBLOCK configuration:", log_mb_head, 0, false },
	{ "MIPS: machine is", log_sign, SIGN_MIPS, false },
	{ "Machine model:", log_model, 1, true },
	{ "Major Options:", log_sign, SIGN_ALPHA, false },
	{ "Mem-Info:", log_mem_info, 0, false },
	{ "Memory limited to", log_said, SAID_MEMORY_LIMIT, false },
	{ "Memory:", log_memory, 0, false },
	{ "Mount-cache hash table entries:", log_hash, 0, false },
	{ "Mountpoint-cache hash table entries:", log_hash, 0, false },
	{ "Movable zone start for each node", log_section, 0, false },
	{ "Movable", log_zone_name, 0, false },
	{ "NODE_DATA", log_node_data, 0, false },
	{ "NUMA turned off", log_numa_off, 0, false },
	{ "NUMA:", log_numa, 0, false },
	{ "No NUMA configuration found", log_section, 0, false },
	{ "No sub-1M memory is available", log_said, SAID_TRAMPOLINE, false },
	{ "Node ", log_node, 0, false },
	{ "Normal", log_zone_name, 0, false },
	{ "OF: fdt: Ignoring memory", log_said, SAID_MEMORY_LIMIT, false },
	{ "OF: fdt: Machine model:", log_model, 1, true },
	{ "OF: fdt: Reserving ", log_reserving, 0, false },
	{ "OF: reserved mem:", log_of_reserved, 0, false },
	{ "On node ", log_on_node, 0, false },
	{ "PERCPU:", log_percpu, 0, false },
	{ "Policy zone: ", log_policy, 0, false },
	{ "RAMDISK:", log_claim_mem, 0, false },
	{ "RAX:", log_sign, SIGN_X86_64, false },
	{ "RIP:", log_sign, SIGN_X86_64, false },
	{ "Reserved memory: created ", log_pool_at, 0, false },
	{ "Reserving ", log_reserving, 0, false },
	{ "SAL 3", log_sign, SIGN_IA64, false },
	{ "SBI specification", log_sign, SIGN_RISCV, false },
	{ "SLUB: HWalign", log_cpu_ids, 1, false },
	{ "SMP: Total of", log_total_cpus, 0, false },
	{ "SRAT:", log_srat, 0, false },
	{ "This configuration results in unmirrored", log_said, SAID_MIRROR, false },
	{ "Total of", log_total_cpus, 0, false },
	{ "Truncating RAM", log_said, SAID_MEMORY_LIMIT, false },
	{ "Xen:", log_fw_entry, FW_BIOS, false },
	{ "Zone ranges:", log_section, 0, false },
	{ "active_anon:", log_totals, 0, false },
	{ "active_file:", log_totals, 0, false },
	{ "cannot allocate crashkernel", log_said, SAID_CRASHKERNEL_FAILED, false },
	{ "cma:", log_cma, 0, false },
	{ "crashkernel", log_crash_reserved, 0, false },
	{ "e820: BIOS-provided physical RAM map:", log_fw_head, FW_BIOS, false },
	{ "e820: extended physical RAM map:", log_fw_head, FW_SETUP_DATA, false },
	{ "e820: last_pfn", log_last_pfn, 0, false },
	{ "e820: modified physical RAM map:", log_fw_head, FW_MODIFIED, false },
	{ "e820: remove ", log_e820_remove, 0, false },
	{ "e820: too many entries", log_said, SAID_MAP, false },
	{ "e820: update ", log_e820_update, 0, false },
	{ "e820: user-defined physical RAM map:", log_fw_head, FW_USER, false },
	{ "efi:", log_efi, 0, false },
	{ "extended physical RAM map:", log_fw_head, FW_SETUP_DATA, false },
	{ "free:", log_totals, 0, false },
	{ "hash-mmu:", log_sign, SIGN_POWERPC64, false },
	{ "last_pfn", log_last_pfn, 0, false },
	{ "low ram: ", log_low_ram, 0, false },
	{ "lowmem_reserve[]:", log_lowmem_reserve, 0, false },
	{ "mapped low ram: ", log_low_ram, 1, false },
	{ "memblock_add: ", log_mb_event, MBOP_ADD, false },
	{ "memblock_add_node: ", log_mb_event, MBOP_ADD, false },
	{ "memblock_alloc", log_mb_alloc, 0, false },
	{ "memblock_free: ", log_mb_event, MBOP_FREE, false },
	{ "memblock_free_late: ", log_mb_event, MBOP_FREE_LATE, false },
	{ "memblock_phys_alloc", log_mb_alloc, 0, false },
	{ "memblock_phys_free: ", log_mb_event, MBOP_FREE, false },
	{ "memblock_remove: ", log_mb_event, MBOP_REMOVE, false },
	{ "memblock_reserve: ", log_mb_event, MBOP_RESERVE, false },
	{ "memory size", log_mb_size, 0, false },
	{ "memory.cnt", log_mb_count, 0, false },
	{ "memory[", log_mb_region, 0, false },
	{ "mminit::memmap_init Initialising map node ", log_memmap_init, 0, false },
	{ "modified physical RAM map:", log_fw_head, FW_MODIFIED, false },
	{ "modified:", log_fw_entry, FW_MODIFIED, false },
	{ "node", log_node_range, 0, false },
	{ "numa:", log_numa, 0, false },
	{ "percpu:", log_percpu, 0, false },
	{ "phys_mem_size", log_mem_size, 0, false },
	{ "pstate:", log_sign, SIGN_ARM64, false },
	{ "radix-mmu:", log_sign, SIGN_POWERPC64, false },
	{ "reserve setup_data:", log_fw_entry, FW_SETUP_DATA, false },
	{ "reserved.cnt", log_mb_count, 1, false },
	{ "reserved[", log_mb_region, 1, false },
	{ "riscv:", log_sign, SIGN_RISCV, false },
	{ "setup: Linux is running", log_sign, SIGN_S390, false },
	{ "setup_percpu: ", log_cpu_ids, 0, false },
	{ "slab_reclaimable:", log_totals, 0, false },
	{ "smp: Brought up", log_brought_up, 0, false },
	{ "smpboot: Total of", log_total_cpus, 0, false },
	{ "software IO TLB:", log_swiotlb, 0, false },
	{ "too many entries; ignoring", log_said, SAID_MAP, false },
	{ "user-defined physical RAM map:", log_fw_head, FW_USER, false },
	{ "user:", log_fw_entry, FW_USER, false },
};

enum { LOG_HEADS = sizeof(log_heads) / sizeof(log_heads[0]) };

/* Lines that start with a number, or with a program's or device's name. */
static const struct log_head log_head_number = { "", log_megabytes, 0, false };
static const struct log_head log_head_loongson = { "", log_sign, SIGN_LOONGARCH, false };
static const struct log_head log_head_failure = { "", log_failure, 0, false };
static const struct log_head log_head_bounce = { "", log_bounce, 0, false };

/* Whether a line starts with a head; moves the scan past it. */
static bool log_head_is(const struct log_head *h, struct log_scan *s)
{
	return s->p[1] == h->text[1] && ls_lit(s, h->text);
}

const struct log_head *log_head_find(const char *p, size_t n, struct log_scan *rest)
{
	static const char failure[] = ": page allocation";
	unsigned int low = 0, high = LOG_HEADS;

	*rest = (struct log_scan){ p, p + n, false, NULL, false };
	if (n < 3)
		return NULL;
	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if ((unsigned char)log_heads[mid].text[0] < (unsigned char)*p)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < LOG_HEADS && log_heads[low].text[0] == *p; low++) {
		if (log_head_is(&log_heads[low], rest))
			return &log_heads[low];
		rest->cut = rest->cut || (rest->ran_out && n >= 8);
		rest->ran_out = false;
	}
	if (log_is_bounce(p, n))
		return &log_head_bounce;
	if (*p >= '0' && *p <= '9') {
		static const char loongson[] = "64-bit Loongson";

		if (n >= sizeof(loongson) && !memcmp(p, loongson, sizeof(loongson) - 1))
			return &log_head_loongson;
		return &log_head_number;
	}
	if (n > sizeof(failure) - 1 && ls_find(p, n, failure))
		return &log_head_failure;
	return NULL;
}

const char *log_head_inside(const char *p, size_t n, size_t from)
{
	for (size_t i = from; i + 16 < n; i++) {
		struct log_scan s = { p + i, p + n, false, NULL, false };

		for (unsigned int h = 0; h < LOG_HEADS; h++)
			if (log_heads[h].text[0] == p[i] && !log_heads[h].wraps &&
			    strlen(log_heads[h].text) >= 9 && log_head_is(&log_heads[h], &s))
				return p + i;
	}
	return NULL;
}

unsigned int log_heads_check(void)
{
	for (unsigned int i = 1; i < LOG_HEADS; i++) {
		if ((unsigned char)log_heads[i].text[0] < (unsigned char)log_heads[i - 1].text[0])
			return i;
		for (unsigned int j = 0; j < i; j++)
			if (!strncmp(log_heads[i].text, log_heads[j].text,
				     strlen(log_heads[j].text)))
				return i;
	}
	return 0;
}
