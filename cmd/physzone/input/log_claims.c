/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_claims.c - lines about what takes memory while the machine starts: the initrd, firmware
 * tables, the crash kernel's room, CMA, bounce buffers, the device tree's reservations.
 *
 * Lines differ in how they say where a range ends. Where a line gives a size beside the range, the
 * size decides whether the end is included; where it fits neither way, the line is refused.
 *
 * Failure: a line that cannot be read to its end leaves no fact.
 *
 * Shortcomings: sizes that a line gives in MiB are whole MiB; what is smaller cannot be placed.
 */
#include "input/log_int.h"

#include <string.h>

enum { LOG_MOST = 16384 };

bool log_room(struct log_ctx *c, struct log_scan *s, size_t n)
{
	return (n < LOG_MOST && c->repeated < LOG_MOST && c->unreported < LOG_MOST) ||
	       ls_fail(s, "there are more such lines than a kernel prints");
}

bool log_goes_on(struct log_ctx *c, struct log_scan *s)
{
	struct log_scan here = *s;

	if (!c->may_wrap || c->final || !ls_done(&here))
		return false;
	c->optional = true;
	s->ran_out = true;
	s->why = "the line ends early";
	return true;
}

struct fact_claim *log_claim(struct log_ctx *c, enum claim_kind kind, struct pz_range r, int nid,
			     const char *text, size_t n)
{
	struct fact_claim *e;

	for (size_t i = 0; i < c->f->claims.n; i++) {
		e = &c->f->claims.v[i];
		if (e->kind == kind && e->at.file == c->at.file && e->range.first == r.first &&
		    e->range.last == r.last) {
			c->repeated++;
			return e;
		}
	}
	e = vec_push(&c->f->claims);
	e->kind = kind;
	e->range = r;
	e->nid = nid;
	e->text = xstrndup(text, n);
	e->at = c->at;
	return e;
}

bool log_base_size(struct log_scan *s, uint64_t base, uint64_t size, struct pz_range *out)
{
	if (!size)
		return ls_fail(s, "the size is 0");
	if (base + (size - 1) < base)
		return ls_fail(s, "the range passes the end of the address space");
	out->first = base;
	out->last = base + (size - 1);
	return true;
}

/* Megabytes to bytes. */
static bool log_mib(struct log_scan *s, uint64_t mib, uint64_t *bytes)
{
	if (mib >> 44)
		return ls_fail(s, "the number is too large");
	*bytes = mib << 20;
	return true;
}

/* arg 0: "RAMDISK: [mem a-b]"; 1: "Allocated new RAMDISK: [mem a-b]". */
enum log_ret log_claim_mem(struct log_ctx *c, struct log_scan *s, int arg)
{
	static const char *const texts[] = { "RAMDISK", "new RAMDISK" };
	struct pz_range r;

	if (!ls_lit(s, " ") || !ls_mem(s, &r) || !log_room(c, s, c->f->claims.n))
		return LOG_BAD;
	log_claim(c, CLAIM_INITRD, r, PZ_NID_NONE, texts[arg], strlen(texts[arg]));
	return LOG_USED;
}

/* Behind "ACPI: Reserving ": "FACP table memory at [mem a-b]". */
enum log_ret log_acpi_table(struct log_ctx *c, struct log_scan *s, int arg)
{
	const char *name;
	struct pz_range r;
	size_t n;

	name = ls_word(s, &n);
	if (!name || !ls_lit(s, " table memory at ") || !ls_mem(s, &r) ||
	    !log_room(c, s, c->f->claims.n))
		return LOG_BAD;
	log_claim(c, CLAIM_ACPI_TABLE, r, PZ_NID_NONE, name, n);
	return LOG_USED;
}

/* Behind "NODE_DATA": "(0) allocated [mem a-b]", " [mem a-b]"; "(0) on node 1" says little. */
enum log_ret log_node_data(struct log_ctx *c, struct log_scan *s, int arg)
{
	struct pz_range r;
	int nid = PZ_NID_NONE;

	if (ls_opt(s, "(") && (!ls_nid(s, &nid) || !ls_lit(s, ")")))
		return LOG_BAD;
	if (ls_opt(s, " on node"))
		return LOG_USED;
	ls_opt(s, " allocated");
	if (!ls_lit(s, " ") || !ls_mem(s, &r) || !log_room(c, s, c->f->claims.n))
		return LOG_BAD;
	log_claim(c, CLAIM_NODE_DATA, r, nid, "node data", 9);
	return LOG_USED;
}

/*
 * "Initial ramdisk at: 0x8fe90000 (1419326 bytes)", an address that the kernel mapped. MIPS puts
 * physical memory into its segments; elsewhere the address may be a hash of a pointer.
 */
enum log_ret log_initrd_at(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint64_t at, size, phys;
	struct pz_range r;

	if (ls_opt(s, " 0x(____ptrval____)"))
		return LOG_OTHER;
	if (!ls_lit(s, " ") || !ls_hex(s, &at) || !ls_lit(s, " (") || !ls_dec(s, &size) ||
	    !ls_lit(s, " bytes)"))
		return LOG_BAD;
	if ((at >= 0x80000000 && at < 0xc0000000) || at >> 30 == 0x3fffffffe)
		phys = at & 0x1fffffff; /* KSEG0 and KSEG1, also with the sign extended */
	else if (at >> 62 == 2)
		phys = at & (((uint64_t)1 << 59) - 1); /* XKPHYS */
	else
		return LOG_OTHER;
	if (!log_base_size(s, phys, size, &r) || !log_room(c, s, c->f->claims.n))
		return LOG_BAD;
	c->has_ramdisk_at = true;
	c->ramdisk_at = at;
	log_claim(c, CLAIM_INITRD, r, PZ_NID_NONE, "initial ramdisk", 15);
	return LOG_USED;
}

/* "Found initrd at 0xc000000002c90000:0xc000000002e17e75" of powerpc; the end is not included. */
enum log_ret log_found_initrd(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint64_t first, end, base;
	struct pz_range r;
	bool wide;

	if (!ls_lit(s, " ") || !ls_hex(s, &first) || !ls_lit(s, ":") || !ls_hex(s, &end))
		return LOG_BAD;
	wide = first >> 32;
	base = wide ? (uint64_t)0xc << 60 : 0xc0000000;
	if (first < base || end <= first) {
		ls_fail(s, "the range is not one that the kernel maps");
		return LOG_BAD;
	}
	c->signs |= 1u << (wide ? SIGN_POWERPC64 : SIGN_POWERPC);
	if (!log_base_size(s, first - base, end - first, &r) || !log_room(c, s, c->f->claims.n))
		return LOG_BAD;
	log_claim(c, CLAIM_INITRD, r, PZ_NID_NONE, "initrd", 6);
	return LOG_USED;
}

/*
 * Behind "Reserving ": "256MB of memory at 1776MB for crashkernel (System RAM: 2047MB)", the same
 * with "low memory", with an address in place of the megabytes (sh), or "1 KiB of memory at 0x..
 * for elfcorehdr".
 */
enum log_ret log_reserving(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint64_t size, at;
	struct pz_range r;
	bool low;

	if (!ls_dec(s, &size))
		return s->p < s->end && *s->p >= '0' && *s->p <= '9' ? LOG_BAD : LOG_OTHER;
	if (ls_opt(s, " KiB of memory at ")) {
		if (!ls_hex(s, &at) || !ls_lit(s, " for elfcorehdr"))
			return LOG_BAD;
		if (size >> 54) {
			ls_fail(s, "the number is too large");
			return LOG_BAD;
		}
		if (!log_base_size(s, at, size << 10, &r) || !log_room(c, s, c->f->claims.n))
			return LOG_BAD;
		log_claim(c, CLAIM_ELFCOREHDR, r, PZ_NID_NONE, "elfcorehdr", 10);
		return LOG_USED;
	}
	if (!ls_lit(s, "MB of "))
		return s->ran_out ? LOG_BAD : LOG_OTHER;
	low = ls_opt(s, "low ");
	if (!ls_lit(s, "memory at "))
		return s->ran_out ? LOG_BAD : LOG_OTHER;
	if (s->end - s->p > 1 && s->p[1] == 'x') {
		if (!ls_hex(s, &at))
			return LOG_BAD;
	} else if (!ls_dec(s, &at) || !ls_lit(s, "MB") || !log_mib(s, at, &at)) {
		return LOG_BAD;
	}
	if (!ls_lit(s, " for crashkernel"))
		return s->ran_out ? LOG_BAD : LOG_OTHER;
	if (!log_mib(s, size, &size) || !log_base_size(s, at, size, &r) ||
	    !log_room(c, s, c->f->claims.n))
		return LOG_BAD;
	log_claim(c, low ? CLAIM_CRASHKERNEL_LOW : CLAIM_CRASHKERNEL, r, PZ_NID_NONE, "crashkernel",
		  11);
	return LOG_USED;
}

/*
 * A range with its size in megabytes: whether @last is included is what the size says. A size that
 * fits neither is damage.
 */
static bool log_range_mib(struct log_scan *s, uint64_t first, uint64_t last, uint64_t mib,
			  struct pz_range *out)
{
	if (last <= first)
		return ls_fail(s, "the range ends below its start");
	if ((last - first) >> 20 == mib && !((last - first) & 1))
		last--;
	else if (((last - first) + 1) >> 20 != mib)
		return ls_fail(s, "the size does not fit the range");
	out->first = first;
	out->last = last;
	return true;
}

/*
 * Behind "crashkernel": " reserved: 0x.. - 0x.. (512 MB)", " low memory reserved: ...", or as 6.1
 * on riscv ": reserved 0x.. - 0x.. (512 MB)"; and what went wrong.
 */
enum log_ret log_crash_reserved(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint64_t first, last, mib;
	struct pz_range r;
	bool low;

	low = ls_opt(s, " low memory reserved: ");
	if (!low && !ls_opt(s, " reserved: ") && !ls_opt(s, ": reserved ")) {
		if (s->p < s->end && (*s->p == ' ' || *s->p == ':'))
			return log_said(c, s, SAID_CRASHKERNEL_FAILED);
		return LOG_OTHER;
	}
	if (!ls_hex(s, &first) || !ls_lit(s, " - ") || !ls_hex(s, &last) || !ls_lit(s, " (") ||
	    !ls_dec(s, &mib) || !ls_lit(s, " MB)") || !log_range_mib(s, first, last, mib, &r) ||
	    !log_room(c, s, c->f->claims.n))
		return LOG_BAD;
	log_claim(c, low ? CLAIM_CRASHKERNEL_LOW : CLAIM_CRASHKERNEL, r, PZ_NID_NONE, "crashkernel",
		  11);
	return LOG_USED;
}

/* Behind "cma:": " Reserved 64 MiB at 0x.. on node -1", " Failed to reserve 64 MiB". */
enum log_ret log_cma(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint64_t mib, at, size = 0;
	struct pz_range r;
	int nid = PZ_NID_NONE;

	if (ls_opt(s, " Failed to reserve") || ls_opt(s, " Size (") || ls_opt(s, " Region at") ||
	    ls_opt(s, " Not enough slots"))
		return log_said(c, s, SAID_CMA_FAILED);
	if (!ls_opt(s, " Reserved "))
		return LOG_OTHER;
	if (!ls_dec(s, &mib) || !ls_lit(s, " MiB at ") || !ls_hex(s, &at) || log_goes_on(c, s) ||
	    (ls_opt(s, " on node ") && !ls_int(s, &nid)) || !log_mib(s, mib, &size) ||
	    !log_base_size(s, at, size, &r) || !log_room(c, s, c->f->claims.n))
		return LOG_BAD;
	log_claim(c, CLAIM_CMA, r, nid, "cma", 3);
	return LOG_USED;
}

/* Behind "Reserved memory: created ": "CMA memory pool at 0x.., size 64 MiB". */
enum log_ret log_pool_at(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint64_t at, mib, size = 0;
	enum claim_kind kind;
	const char *name = s->p;
	struct pz_range r;
	size_t n;

	if (ls_opt(s, "CMA memory pool"))
		kind = CLAIM_CMA;
	else if (ls_opt(s, "DMA memory pool") || ls_opt(s, "restricted DMA pool"))
		kind = CLAIM_DT_RESERVED;
	else
		return LOG_OTHER;
	n = (size_t)(s->p - name);
	if (!ls_lit(s, " at ") || !ls_hex(s, &at) || !ls_lit(s, ", size ") || !ls_dec(s, &mib) ||
	    !ls_lit(s, " MiB") || !log_mib(s, mib, &size) || !log_base_size(s, at, size, &r) ||
	    !log_room(c, s, c->f->claims.n))
		return LOG_BAD;
	log_claim(c, kind, r, PZ_NID_NONE, name, n);
	return LOG_USED;
}

/* Behind "OF: reserved mem:": " 0x..0..0x..f (512 KiB) nomap non-reusable NAME". */
enum log_ret log_of_reserved(struct log_ctx *c, struct log_scan *s, int arg)
{
	bool nomap, reusable;
	struct fact_claim *e;
	struct pz_range r;
	const char *name;
	uint64_t kib;
	size_t n;

	if (ls_opt(s, " Reserved memory: created "))
		return log_pool_at(c, s, 0);
	if (!ls_opt(s, " 0x"))
		return LOG_OTHER;
	s->p -= 2;
	if (!ls_hex(s, &r.first) || !ls_lit(s, "..") || !ls_hex(s, &r.last) || !ls_lit(s, " (") ||
	    !ls_dec(s, &kib) || !ls_lit(s, " KiB) "))
		return LOG_BAD;
	if (r.first > r.last || ((r.last - r.first) + 1) >> 10 != kib) {
		ls_fail(s, "the size does not fit the range");
		return LOG_BAD;
	}
	nomap = ls_opt(s, "nomap ");
	if (!nomap && !ls_lit(s, "map "))
		return LOG_BAD;
	reusable = ls_opt(s, "reusable ");
	if (!reusable && !ls_lit(s, "non-reusable "))
		return LOG_BAD;
	name = ls_word(s, &n);
	if (!name || !log_room(c, s, c->f->claims.n))
		return LOG_BAD;
	e = log_claim(c, CLAIM_DT_RESERVED, r, PZ_NID_NONE, name, n);
	e->nomap = nomap;
	e->reusable = reusable;
	return LOG_USED;
}

/* Behind "software IO TLB:": " mapped [mem a-b] (64MB)", before Linux 5.9 " [mem a-b] mapped". */
enum log_ret log_swiotlb(struct log_ctx *c, struct log_scan *s, int arg)
{
	uint64_t first, last, mib;
	struct pz_range r;

	if (ls_opt(s, " No low mem") || ls_opt(s, " Cannot allocate") ||
	    ls_opt(s, " SWIOTLB bounce buffer size"))
		return log_said(c, s, SAID_SWIOTLB);
	if (ls_opt(s, " area num "))
		return log_bounce_areas(c, s);
	if (ls_opt(s, " Reserved memory: created "))
		return log_pool_at(c, s, 0);
	if (!ls_opt(s, " mapped [mem ") && !ls_opt(s, " [mem "))
		return LOG_OTHER;
	if (!ls_hex(s, &first) || !ls_lit(s, "-") || !ls_hex(s, &last) || !ls_lit(s, "]"))
		return LOG_BAD;
	ls_opt(s, " mapped");
	if (!ls_lit(s, " (") || !ls_dec(s, &mib) || !ls_lit(s, "MB)") ||
	    !log_range_mib(s, first, last, mib, &r) || !log_room(c, s, c->f->claims.n))
		return LOG_BAD;
	log_claim(c, CLAIM_SWIOTLB, r, PZ_NID_NONE, "swiotlb", 7);
	return LOG_USED;
}

/* The line as it stands; the scan may be anywhere in it. */
enum log_ret log_said(struct log_ctx *c, struct log_scan *s, int arg)
{
	struct fact_said *e;

	if (!log_room(c, s, c->f->said.n))
		return LOG_BAD;
	e = vec_push(&c->f->said);
	e->kind = (enum said_kind)arg;
	e->text = xstrndup(c->line, (size_t)(s->end - c->line));
	e->at = c->at;
	s->p = s->end;
	c->said = true;
	return LOG_USED;
}
