/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_report.c - Linux's lines about a corrupted slab object or slab.
 *
 * Concept: a table says of each finding its words, and which of three forms its report has: bytes
 * and the object that they are at, an object, or a slab alone. The rest follows from the cache's
 * layout.
 *
 * Invariants: none to keep; nothing is stored.
 *
 * Failure: bytes that are not given are not dumped.
 *
 * Shortcomings: pointers are written as they are given, not hashed. The words are those of 6.1 and
 * 6.12; 5.15 is taken to have the same. No recording of such a report is among the machines.
 */
#include <physzone/fmt.h>
#include <physzone/linux/slab_report.h>

#include "../src/base/bits.h"
#include "pzl_out.h"
#include "pzl_slab.h"

#define REPORT_ROW 16u /* bytes of a line of a dump */
#define REPORT_HEX 49u /* where its characters begin */

enum report_form {
	REPORT_BYTES,
	REPORT_OBJECT,
	REPORT_SLAB,
};

/* What the text is made with besides itself. */
enum report_args {
	REPORT_PLAIN,
	REPORT_ADDRESS, /* the object */
	REPORT_RANGE,	/* the bytes, and how far into the slab */
	REPORT_NUMBERS,
};

struct report_row {
	const char *what; /* of bytes: what was overwritten */
	const char *more; /* behind the first argument */
	enum report_form form;
	enum report_args args;
};

static const struct report_row report_rows[PZL_SLAB_FAULTS] = {
	[PZL_FAULT_LEFT_REDZONE] = { "Left Redzone", "", REPORT_BYTES, REPORT_PLAIN },
	[PZL_FAULT_RIGHT_REDZONE] = { "Right Redzone", "", REPORT_BYTES, REPORT_PLAIN },
	[PZL_FAULT_KMALLOC_REDZONE] = { "kmalloc Redzone", "", REPORT_BYTES, REPORT_PLAIN },
	[PZL_FAULT_POISON] = { "Poison", "", REPORT_BYTES, REPORT_PLAIN },
	[PZL_FAULT_END_POISON] = { "End Poison", "", REPORT_BYTES, REPORT_PLAIN },
	[PZL_FAULT_ALIGNMENT_PADDING] = { "Alignment padding", "", REPORT_BYTES, REPORT_PLAIN },
	[PZL_FAULT_OBJECT_PADDING] = { "Object padding", "", REPORT_BYTES, REPORT_PLAIN },
	[PZL_FAULT_FREEPOINTER] = { "Freepointer corrupt", "", REPORT_OBJECT, REPORT_PLAIN },
	[PZL_FAULT_FREECHAIN] = { "Freechain corrupt", "", REPORT_OBJECT, REPORT_PLAIN },
	[PZL_FAULT_FREELIST_POINTER] = { "Freelist Pointer check fails", "", REPORT_OBJECT,
					 REPORT_PLAIN },
	[PZL_FAULT_ALREADY_FREE] = { "Object already free", "", REPORT_OBJECT, REPORT_PLAIN },
	[PZL_FAULT_SLAB_POINTER] = { "page slab pointer corrupt.", "", REPORT_OBJECT,
				     REPORT_PLAIN },
	[PZL_FAULT_SLAB_PADDING] = { "Padding overwritten. ", "", REPORT_SLAB, REPORT_RANGE },
	[PZL_FAULT_FREELIST] = { "Freepointer corrupt", "", REPORT_SLAB, REPORT_PLAIN },
	[PZL_FAULT_INVALID_POINTER] = { "Invalid object pointer ", "", REPORT_SLAB,
					REPORT_ADDRESS },
	[PZL_FAULT_OUTSIDE] = { "Attempt to free object(", ") outside of slab", REPORT_SLAB,
				REPORT_ADDRESS },
	[PZL_FAULT_NOT_A_SLAB] = { "Not a valid slab page", "", REPORT_SLAB, REPORT_PLAIN },
	[PZL_FAULT_OBJECTS] = { "objects ", " > max ", REPORT_SLAB, REPORT_NUMBERS },
	[PZL_FAULT_INUSE] = { "inuse ", " > max ", REPORT_SLAB, REPORT_NUMBERS },
	[PZL_FAULT_OBJECTS_DIFFER] = { "Wrong number of objects. Found ", " but should be ",
				       REPORT_SLAB, REPORT_NUMBERS },
	[PZL_FAULT_COUNT_DIFFERS] = { "Wrong object count. Counter is ", " but counted were ",
				      REPORT_SLAB, REPORT_NUMBERS },
	[PZL_FAULT_DISABLED] = { "Slab disabled since SLUB metadata consistency check failed", "",
				 REPORT_SLAB, REPORT_PLAIN },
};

/* A pointer: "0x" and all digits. */
struct report_pointer {
	char s[24];
};

static struct report_pointer report_pointer(const struct pzl_slab_finding *f, uint64_t v)
{
	struct report_pointer p;

	pz_snprintf(p.s, sizeof(p.s), "0x%0*llx", (int)(2 * f->k->word), (unsigned long long)v);
	return p;
}

#define P(f, v) (report_pointer((f), (v)).s)

size_t pzl_slab_fault_text(char *buf, size_t size, const struct pzl_slab_finding *f)
{
	const struct report_row *row;

	if ((unsigned int)f->fault >= PZL_SLAB_FAULTS)
		return pz_snprintf(buf, size, "?");
	row = &report_rows[f->fault];
	if (row->form == REPORT_BYTES)
		return pz_snprintf(buf, size, "%s overwritten", row->what);
	switch (row->args) {
	case REPORT_ADDRESS:
		return pz_snprintf(buf, size, "%s%s%s", row->what, P(f, f->object), row->more);
	case REPORT_RANGE:
		return pz_snprintf(buf, size, "%s%s-%s @offset=%llu", row->what, P(f, f->first),
				   P(f, f->last), (unsigned long long)(f->first - f->base));
	case REPORT_NUMBERS:
		return pz_snprintf(buf, size, "%s%u%s%u", row->what, f->number[0], row->more,
				   f->number[1]);
	case REPORT_PLAIN:
		break;
	}
	return pz_snprintf(buf, size, "%s", row->what);
}

static void report_rule(struct pzl_out *o, char c)
{
	for (unsigned int i = 0; i < 77; i++)
		pzl_out_add(o, "%c", c);
	pzl_out_end(o);
}

static void report_head(struct pzl_out *o, const struct pzl_slab_finding *f)
{
	char text[160];

	pzl_slab_fault_text(text, sizeof(text), f);
	report_rule(o, '=');
	pzl_out_line(o, "BUG %s (%s): %s", f->cache, f->taint, text);
	report_rule(o, '-');
	pzl_out_end(o);
}

static void report_track(struct pzl_out *o, const char *what, const struct pzl_slab_track *t)
{
	if (!t)
		return;
	pzl_out_line(o, "%s in %s age=%llu cpu=%u pid=%d", what, t->site, (pzl_ull)t->age, t->cpu,
		     t->pid);
	for (uint32_t i = 0; i < t->depth; i++)
		pzl_out_line(o, " %s", t->stack[i]);
}

static void report_slab(struct pzl_out *o, const struct pzl_slab_finding *f)
{
	pzl_out_line(o, "Slab %s objects=%u used=%u fp=%s flags=%s", P(f, f->slab), f->objects,
		     f->used, P(f, f->slab_fp), f->page_flags);
}

/* Memory, sixteen bytes a line: in hexadecimal, and as characters where they are some. */
static void report_dump(struct pzl_out *o, const struct pzl_slab_finding *f, const char *what,
			uint64_t at, uint64_t len)
{
	uint64_t i, n;

	if (!f->bytes || at < f->bytes_at || at - f->bytes_at > f->bytes_len ||
	    len > f->bytes_len - (at - f->bytes_at))
		return;
	for (; len; at += n, len -= n) {
		const uint8_t *p = f->bytes + (at - f->bytes_at);

		n = len < REPORT_ROW ? len : REPORT_ROW;
		pzl_out_add(o, "%s%0*llx: ", what, (int)(2 * f->k->word), (pzl_ull)at);
		for (i = 0; i < n; i++)
			pzl_out_add(o, "%02x ", p[i]);
		pzl_out_add(o, "%*s", (int)(REPORT_HEX - 3 * n), "");
		for (i = 0; i < n; i++)
			pzl_out_add(o, "%c", p[i] >= ' ' && p[i] <= '~' ? (int)p[i] : '.');
		pzl_out_end(o);
	}
}

/* Where what belongs to an object ends, counted from it; padding follows. */
static uint64_t report_info_end(const struct pzl_slab_finding *f)
{
	uint64_t end = f->g->inuse;

	if (f->g->offset >= f->g->inuse)
		end += f->k->word;
	if (f->flags & PZL_SLAB_STORE_USER) {
		end += 2 * (uint64_t)f->k->track;
		if (f->flags & PZL_SLAB_KMALLOC)
			end += pzl_slab_asked_size(f->k);
	}
	return end;
}

static void report_object(struct pzl_out *o, const struct pzl_slab_finding *f)
{
	const uint64_t page = 1ull << f->k->page_shift, end = report_info_end(f);
	const uint64_t rest = f->g->size - f->g->red_left_pad;

	if (f->flags & PZL_SLAB_STORE_USER) {
		report_track(o, "Allocated", f->allocated);
		report_track(o, "Freed", f->freed);
	}
	report_slab(o, f);
	pzl_out_line(o, "Object %s @offset=%llu fp=%s", P(f, f->object),
		     (pzl_ull)(f->object - f->base), P(f, f->object_fp));
	pzl_out_end(o);
	if (f->flags & PZL_SLAB_RED_ZONE)
		report_dump(o, f, "Redzone  ", f->object - f->g->red_left_pad, f->g->red_left_pad);
	else if (f->object - f->base > REPORT_ROW)
		report_dump(o, f, "Bytes b4 ", f->object - REPORT_ROW, REPORT_ROW);
	report_dump(o, f, "Object   ", f->object, f->object_size < page ? f->object_size : page);
	if (f->flags & PZL_SLAB_RED_ZONE)
		report_dump(o, f, "Redzone  ", f->object + f->object_size,
			    f->g->inuse - f->object_size);
	if (end < rest)
		report_dump(o, f, "Padding  ", f->object + end, rest - end);
}

static void report_fix(struct pzl_out *o, const struct pzl_slab_finding *f)
{
	const char *what =
		f->fault == PZL_FAULT_SLAB_PADDING ? "slab padding" : report_rows[f->fault].what;

	switch (f->fix) {
	case PZL_FIX_NONE:
		break;
	case PZL_FIX_RESTORE:
		pzl_out_line(o, "FIX %s: Restoring %s %s-%s=0x%x", f->cache, what, P(f, f->first),
			     P(f, f->last), (unsigned int)f->should);
		break;
	case PZL_FIX_ALL_USED:
		pzl_out_line(o, "FIX %s: Marking all objects used", f->cache);
		break;
	case PZL_FIX_NOT_FREED:
		pzl_out_line(o, "FIX %s: Object at %s not freed", f->cache, P(f, f->object));
		break;
	case PZL_FIX_FREELIST:
		pzl_out_line(o, "FIX %s: Freelist cleared", f->cache);
		break;
	case PZL_FIX_OBJECTS:
		pzl_out_line(o, "FIX %s: Number of objects adjusted", f->cache);
		break;
	case PZL_FIX_COUNT:
		pzl_out_line(o, "FIX %s: Object count adjusted", f->cache);
		break;
	}
}

void pzl_slab_report(const struct pzl_slab_finding *f, pzl_emit_fn emit, void *ctx)
{
	struct pzl_out o = { { 0 }, 0, emit, ctx };
	const struct report_row *row;

	if ((unsigned int)f->fault >= PZL_SLAB_FAULTS)
		return;
	row = &report_rows[f->fault];
	report_head(&o, f);
	if (row->form == REPORT_BYTES)
		pzl_out_line(&o, "%s-%s @offset=%llu. First byte 0x%x instead of 0x%x",
			     P(f, f->first), P(f, f->last), (pzl_ull)(f->first - f->base),
			     (unsigned int)f->is, (unsigned int)f->should);
	if (row->form == REPORT_SLAB)
		report_slab(&o, f);
	else
		report_object(&o, f);
	if (f->fault == PZL_FAULT_SLAB_PADDING) {
		const uint64_t slab = 1ull << (f->k->page_shift + f->g->order);
		const uint64_t rest = pz_urem64(slab, f->g->size);

		report_dump(&o, f, "Padding ", f->base + slab - rest, rest);
	}
	report_fix(&o, f);
}
