/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_debug.c - Linux's words for misuse of memory for devices.
 *
 * Concept
 *  A finding becomes the one or two errors that Linux counts for it. An error is printed while the
 * number of those that are still to be printed is not 0, or all are.
 *
 * Shortcomings
 *  The facts have how each message begins; the numbers in brackets behind are what it is about, in
 * that style. Backtraces and "Mapped at:" are not written, nor is the file dump.
 */
#include <physzone/fmt.h>
#include <physzone/linux/dma_debug.h>

#include "pzl_out.h"
#include "pzl_text.h"

/* What stands behind the words. */
enum debug_tail {
	TAIL_NONE,
	TAIL_CALL, /* address and size of the call */
	TAIL_SIZES,
	TAIL_KINDS,
	TAIL_MEMORY,
	TAIL_COUNTS,
	TAIL_DIRS,
	TAIL_MAPPING, /* address and size of the mapping */
	TAIL_LEAK,
	TAIL_ADDR,
	TAIL_LONG,
	TAIL_BOUNDARY,
	TAIL_RANGE,
	TAIL_SYNC_DIRS,
	TAIL_SYNC_COUNTS,
};

struct debug_words {
	const char *text; /* NULL: Linux does not find it */
	enum debug_tail tail;
};

static const struct debug_words debug_words[PZ_DMA_MISUSES] = {
	[PZ_DMA_UNMAP_ERROR] = { "device driver tries to free an invalid DMA memory address",
				 TAIL_NONE },
	[PZ_DMA_UNMAP_UNKNOWN] = { "device driver tries to free DMA memory it has not allocated",
				   TAIL_CALL },
	[PZ_DMA_UNMAP_DEVICE] = { "device driver tries to free DMA memory it has not allocated",
				  TAIL_CALL },
	[PZ_DMA_UNMAP_SIZE] = { "device driver frees DMA memory with different size", TAIL_SIZES },
	[PZ_DMA_UNMAP_KIND] = { "device driver frees DMA memory with wrong function", TAIL_KINDS },
	[PZ_DMA_UNMAP_MEMORY] = { "device driver frees DMA memory with different CPU address",
				  TAIL_MEMORY },
	[PZ_DMA_UNMAP_COUNT] = { "device driver frees DMA sg list with different entry count",
				 TAIL_COUNTS },
	[PZ_DMA_UNMAP_DIR] = { "device driver frees DMA memory with different direction",
			       TAIL_DIRS },
	[PZ_DMA_UNMAP_UNCHECKED] = { "device driver failed to check map error", TAIL_MAPPING },
	[PZ_DMA_LEAK] = { "device driver has pending DMA allocations while released from device",
			  TAIL_LEAK },
	[PZ_DMA_MAP_STACK] = { "device driver maps memory from stack", TAIL_ADDR },
	[PZ_DMA_MAP_TEXT] = { "device driver maps memory from kernel text or rodata", TAIL_ADDR },
	[PZ_DMA_MAP_VMALLOC] = { "device driver maps memory from vmalloc area", TAIL_ADDR },
	[PZ_DMA_MAP_INVALID] = { "device driver maps memory from invalid area", TAIL_ADDR },
	[PZ_DMA_MAP_LONG] = { "mapping sg segment longer than device claims to support",
			      TAIL_LONG },
	[PZ_DMA_MAP_BOUNDARY] = { "mapping sg segment across boundary", TAIL_BOUNDARY },
	[PZ_DMA_MAP_OVERLAP] = { "cacheline tracking EEXIST, overlapping mappings aren't supported",
				 TAIL_NONE },
	[PZ_DMA_SYNC_UNKNOWN] = { "device driver tries to sync DMA memory it has not allocated",
				  TAIL_CALL },
	[PZ_DMA_SYNC_RANGE] = { "device driver syncs DMA memory outside allocated range",
				TAIL_RANGE },
	[PZ_DMA_SYNC_DIR] = { "device driver syncs DMA memory with different direction",
			      TAIL_SYNC_DIRS },
	[PZ_DMA_SYNC_READ_ONLY] = { "device driver syncs device read-only DMA memory for cpu",
				    TAIL_SYNC_DIRS },
	[PZ_DMA_SYNC_WRITE_ONLY] = { "device driver syncs device write-only DMA memory to device",
				     TAIL_SYNC_DIRS },
	[PZ_DMA_SYNC_COUNT] = { "device driver syncs DMA sg list with different entry count",
				TAIL_SYNC_COUNTS },
};

static const char *debug_kind(enum pz_dma_kind k)
{
	static const char *const names[] = { "single", "scatter-gather", "coherent", "resource" };

	return (unsigned int)k < 4 ? names[k] : "?";
}

static const char *debug_dir(enum pz_dma_dir d)
{
	static const char *const names[] = { "DMA_BIDIRECTIONAL", "DMA_TO_DEVICE",
					     "DMA_FROM_DEVICE", "DMA_NONE" };

	return (unsigned int)d < 4 ? names[d] : "?";
}

static void debug_place(struct pzl_out *o, const struct pz_dma_use *u)
{
	pzl_out_add(o, " [device address=0x%016llx] [size=%llu bytes]", (pzl_ull)u->bus,
		    (pzl_ull)u->size);
}

/* The numbers of a map call. */
static void debug_tail_map(struct pzl_out *o, enum debug_tail tail,
			   const struct pz_dma_misuse_found *f)
{
	const struct pz_dma_use *u = &f->call;

	if (tail == TAIL_ADDR)
		pzl_out_add(o, " [addr=%016llx] [len=%llu]", (pzl_ull)(uintptr_t)u->memory,
			    (pzl_ull)u->size);
	else if (tail == TAIL_LONG)
		pzl_out_add(o, " [len=%llu] [max=%llu]", (pzl_ull)u->size, (pzl_ull)f->limit);
	else if (tail == TAIL_BOUNDARY)
		pzl_out_add(o, " [start=0x%016llx] [end=0x%016llx] [boundary=0x%016llx]",
			    (pzl_ull)u->bus, (pzl_ull)(u->bus + (u->size - 1)),
			    (pzl_ull)(f->limit - 1));
}

/* The numbers of a call that is about a mapping. */
static void debug_tail(struct pzl_out *o, enum debug_tail tail, const struct pz_dma_misuse_found *f)
{
	const struct pz_dma_use *u = &f->call, *was = &f->mapping.use;

	switch (tail) {
	case TAIL_NONE:
		return;
	case TAIL_CALL:
		debug_place(o, u);
		return;
	case TAIL_SIZES:
		pzl_out_add(o,
			    " [device address=0x%016llx] [map size=%llu bytes] [unmap size=%llu "
			    "bytes]",
			    (pzl_ull)u->bus, (pzl_ull)was->size, (pzl_ull)u->size);
		return;
	case TAIL_KINDS:
		debug_place(o, u);
		pzl_out_add(o, " [mapped as %s] [unmapped as %s]", debug_kind(was->kind),
			    debug_kind(u->kind));
		return;
	case TAIL_MEMORY:
		debug_place(o, u);
		pzl_out_add(o, " [cpu alloc address=0x%016llx] [cpu free address=0x%016llx]",
			    (pzl_ull)was->phys, (pzl_ull)u->phys);
		return;
	case TAIL_COUNTS:
	case TAIL_SYNC_COUNTS:
		pzl_out_add(o, " [map count=%u] [%s count=%u]", was->sg_count,
			    tail == TAIL_COUNTS ? "unmap" : "sync", u->sg_count);
		return;
	case TAIL_DIRS:
	case TAIL_SYNC_DIRS:
		debug_place(o, u);
		pzl_out_add(o, " [mapped with %s] [%s with %s]", debug_dir(was->dir),
			    tail == TAIL_DIRS ? "unmapped" : "synced", debug_dir(u->dir));
		return;
	case TAIL_MAPPING:
		debug_place(o, was);
		pzl_out_add(o, " [mapped as %s]", debug_kind(was->kind));
		return;
	case TAIL_LEAK:
		pzl_out_add(o, " [count=%llu] One of leaked entries details:", (pzl_ull)f->count);
		debug_place(o, was);
		pzl_out_add(o, " [mapped with %s] [mapped as %s]", debug_dir(was->dir),
			    debug_kind(was->kind));
		return;
	case TAIL_RANGE:
		pzl_out_add(o,
			    " [device address=0x%016llx] [allocation size=%llu bytes] [sync "
			    "offset+size=%llu]",
			    (pzl_ull)was->bus, (pzl_ull)was->size,
			    (pzl_ull)(u->bus - was->bus + u->size));
		return;
	case TAIL_ADDR:
	case TAIL_LONG:
	case TAIL_BOUNDARY:
		debug_tail_map(o, tail, f);
		return;
	}
}

void pzl_dma_debug_init(struct pzl_dma_debug *s)
{
	s->error_count = 0;
	s->num_errors = 1;
	s->all_errors = s->disabled = false;
	s->driver_filter = NULL;
}

void pzl_dma_debug_boot(uint32_t entries, pzl_emit_fn emit, void *ctx)
{
	struct pzl_out o = { { 0 }, 0, emit, ctx };

	pzl_out_line(&o, "DMA-API: preallocated %u debug entries", entries);
}

/* Count an error, and print it if it is to be. */
static uint32_t debug_error(struct pzl_dma_debug *s, enum pz_dma_misuse what,
			    const struct pz_dma_misuse_found *f, const struct pzl_dma_who *who,
			    struct pzl_out *o)
{
	const struct debug_words *w = &debug_words[what];
	const char *driver = who->driver ? who->driver : "NULL";
	uint32_t lines = 0;

	s->error_count++;
	if (s->driver_filter && !pzl_streq(driver, s->driver_filter))
		return 0;
	if (s->all_errors || s->num_errors) {
		pzl_out_add(o, "DMA-API: %s %s: %s", driver, who->device ? who->device : "NULL",
			    w->text);
		debug_tail(o, w->tail, f);
		pzl_out_end(o);
		lines = 1;
	}
	if (!s->all_errors && s->num_errors)
		s->num_errors--;
	return lines;
}

uint32_t pzl_dma_debug_report(struct pzl_dma_debug *s, const struct pz_dma_misuse_found *f,
			      const struct pzl_dma_who *who, pzl_emit_fn emit, void *ctx)
{
	struct pzl_out o = { { 0 }, 0, emit, ctx };
	uint32_t lines = 0;

	if (s->disabled)
		return 0;
	if (f->what == PZ_DMA_NO_RECORDS) {
		s->disabled = true;
		pzl_out_line(&o, "DMA-API: debugging out of memory - disabling");
		return 1;
	}
	if ((unsigned int)f->what >= PZ_DMA_MISUSES || !debug_words[f->what].text)
		return 0;
	if (f->what == PZ_DMA_SYNC_READ_ONLY || f->what == PZ_DMA_SYNC_WRITE_ONLY)
		lines = debug_error(s, PZ_DMA_SYNC_DIR, f, who, &o);
	return lines + debug_error(s, f->what, f, who, &o);
}

static int debug_line(char *buf, size_t size, const char *text)
{
	return pz_snprintf(buf, size, "%s\n", text) < size ? 0 : -PZ_ENOSPC;
}

int pzl_dma_debug_read(const struct pzl_dma_debug *s, const struct pz_dma_debug_stat *st,
		       const char *file, char *buf, size_t size)
{
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{ "error_count", s->error_count },    { "all_errors", s->all_errors },
		{ "num_errors", s->num_errors },      { "num_free_entries", st->free },
		{ "min_free_entries", st->min_free }, { "nr_total_entries", st->entries },
	};

	if (pzl_streq(file, "disabled"))
		return debug_line(buf, size, s->disabled ? "Y" : "N");
	if (pzl_streq(file, "driver_filter"))
		return debug_line(buf, size, s->driver_filter ? s->driver_filter : "");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (pzl_streq(file, numbers[i].name))
			return pz_snprintf(buf, size, "%llu\n", (pzl_ull)numbers[i].value) < size
				       ? 0
				       : -PZ_ENOSPC;
	}
	return -PZ_ENOENT;
}
