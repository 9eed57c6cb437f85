/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * swiotlb_size.c - how many bounce buffers a Linux kernel asks for, and what it says about them.
 *
 * Concept: the settings hold a number of slots and, from 6.0 on, of areas; the command line, the
 * architecture and the number of CPUs change them, each printing what it did. Start-up (boot.h) and
 * the model of buffers in use (swiotlb.h) have their numbers and their lines from here.
 *
 * Invariants: 1. with areas, the slots that are asked for are a power of two, at least 128 for each
 * area.
 *
 * Failure: none. Text that is no part of swiotlb= is ignored.
 *
 * Shortcomings: none known.
 */
#include <physzone/fmt.h>
#include <physzone/linux/cmdline.h>

#include "../src/base/bits.h"
#include "../src/base/pz_string.h"
#include "pzl_swiotlb.h"
#include "pzl_text.h"

#define SIZE_MOST ((uint64_t)1 << 48) /* slots: more than any machine has memory */

typedef unsigned long long size_ull;

static void size_emit(const struct pzl_swiotlb *sw, char *line, size_t at, size_t size,
		      const char *fmt, va_list ap)
{
	at += pz_vsnprintf(line + at, size - at, fmt, ap);
	sw->cfg.hooks.emit(sw->cfg.hooks.ctx, line, at < size ? at : size - 1);
}

void pzl_swiotlb_say(const struct pzl_swiotlb *sw, const char *fmt, ...)
{
	static const char prefix[] = "software IO TLB: ";
	char line[240];
	va_list ap;

	if (!sw->cfg.hooks.emit)
		return;
	memcpy(line, prefix, sizeof(prefix));
	va_start(ap, fmt);
	size_emit(sw, line, sizeof(prefix) - 1, sizeof(line), fmt, ap);
	va_end(ap);
}

void pzl_swiotlb_dev_say(const struct pzl_swiotlb_dev *dev, const char *fmt, ...)
{
	const struct pzl_swiotlb *sw = dev->mem->sw;
	char line[320];
	va_list ap;
	size_t at;

	if (!sw->cfg.hooks.emit)
		return;
	at = pz_snprintf(line, sizeof(line),
			 "%.60s %.60s: ", dev->cfg.driver ? dev->cfg.driver : "unknown",
			 dev->cfg.name ? dev->cfg.name : "unknown");
	va_start(ap, fmt);
	size_emit(sw, line, at, sizeof(line), fmt, ap);
	va_end(ap);
}

int pzl_swiotlb_digits(const struct pzl_swiotlb *sw)
{
	return sw->cfg.narrow ? 8 : 16;
}

static uint64_t size_segments(uint64_t slots)
{
	return pz_round_down(slots + PZL_SWIOTLB_SEGMENT - 1, PZL_SWIOTLB_SEGMENT);
}

uint64_t pzl_swiotlb_half(uint64_t slots)
{
	return size_segments(slots >> 1);
}

uint64_t pzl_swiotlb_halve(enum pzl_model model, uint64_t bytes)
{
	uint64_t slots = bytes >> PZL_SWIOTLB_SHIFT;

	if (!pzl_swiotlb_has_areas(model) || slots <= PZL_SWIOTLB_MIN_SLOTS)
		return 0;
	return pzl_swiotlb_half(slots) << PZL_SWIOTLB_SHIFT;
}

uint32_t pzl_swiotlb_limit_areas(uint32_t areas, uint64_t slots)
{
	if (slots < (uint64_t)areas * PZL_SWIOTLB_SEGMENT)
		areas = (uint32_t)(slots >> 7);
	return areas ? areas : 1;
}

uint64_t pzl_swiotlb_round(uint64_t slots, uint64_t areas)
{
	uint64_t up;

	if (!areas)
		return slots;
	if (slots < PZL_SWIOTLB_SEGMENT * areas)
		slots = PZL_SWIOTLB_SEGMENT * areas;
	return pz_roundup_pow2(slots, &up) ? up : slots;
}

/* Round the slots up for the areas; false when they did not change. */
static bool size_round(struct pzl_swiotlb *sw)
{
	uint64_t before = sw->default_slots;

	sw->default_slots = pzl_swiotlb_round(before, sw->default_areas);
	return sw->default_slots != before;
}

void pzl_swiotlb_set_areas(struct pzl_swiotlb *sw, uint64_t areas)
{
	uint64_t up = 1;

	if (areas > SWIOTLB_MAX_AREAS)
		areas = SWIOTLB_MAX_AREAS;
	pz_roundup_pow2(areas, &up);
	sw->default_areas = (uint32_t)up;
	pzl_swiotlb_say(sw, "area num %u.", sw->default_areas);
	if (size_round(sw))
		pzl_swiotlb_say(sw, "SWIOTLB bounce buffer size roundup to %lluMB",
				(size_ull)(sw->default_slots >> 9));
}

/* The text that is read. */
struct size_text {
	const char *s;
	size_t len;
};

static void size_skip(struct size_text *t, size_t n)
{
	t->s += n;
	t->len -= n;
}

/* A number that begins with a digit, and the comma behind it or in its place. */
static bool size_number(struct size_text *t, uint64_t *v)
{
	bool is = t->len && pzl_isdigit(*t->s), wrapped = false;
	size_t used = 0;

	if (is) {
		*v = pzl_strtoull(t->s, t->len, &used, &wrapped);
		if (wrapped || *v > SIZE_MOST)
			*v = SIZE_MOST;
		size_skip(t, used);
	}
	return is;
}

static void size_comma(struct size_text *t)
{
	if (t->len && *t->s == ',')
		size_skip(t, 1);
}

void pzl_swiotlb_read(struct pzl_swiotlb_words *w, bool areas, const char *value, size_t len)
{
	struct size_text t = { value, len };
	uint64_t v;

	if (size_number(&t, &v)) {
		w->slots = size_segments(v);
		w->slots_given = true;
	}
	size_comma(&t);
	if (areas) {
		if (size_number(&t, &v)) {
			w->areas = v;
			w->areas_given = true;
		}
		size_comma(&t);
	}
	if (t.len == 5 && pzl_starts_n(t.s, t.len, "force"))
		w->force = true;
	else if (t.len == 7 && pzl_starts_n(t.s, t.len, "noforce"))
		w->noforce = true;
}

void pzl_swiotlb_apply(struct pzl_swiotlb *sw, const struct pzl_swiotlb_words *w)
{
	if (w->slots_given)
		sw->default_slots = w->slots;
	if (w->areas_given)
		pzl_swiotlb_set_areas(sw, w->areas);
	sw->force = sw->force || w->force;
	sw->noforce = sw->noforce || w->noforce;
}

void pzl_swiotlb_param(struct pzl_swiotlb *sw, const char *value, size_t len)
{
	struct pzl_swiotlb_words w;

	memset(&w, 0, sizeof(w));
	pzl_swiotlb_read(&w, pzl_swiotlb_has_areas(sw->cfg.model), value, len);
	pzl_swiotlb_apply(sw, &w);
}

void pzl_swiotlb_adjust_size(struct pzl_swiotlb *sw, uint64_t bytes)
{
	uint64_t slots = pzl_swiotlb_nslots(bytes);

	if (sw->default_slots != PZL_SWIOTLB_SLOTS)
		return;
	bytes = slots << PZL_SWIOTLB_SHIFT;
	sw->default_slots = size_segments(slots);
	if (size_round(sw))
		bytes = sw->default_slots << PZL_SWIOTLB_SHIFT;
	pzl_swiotlb_say(sw, "SWIOTLB bounce buffer size adjusted to %lluMB",
			(size_ull)(bytes >> 20));
}

void pzl_swiotlb_settings(struct pzl_swiotlb *sw, const struct pzl_swiotlb_config *cfg)
{
	memset(sw, 0, sizeof(*sw));
	sw->cfg = *cfg;
	sw->default_slots = PZL_SWIOTLB_SLOTS;
	sw->mem.sw = sw;
}

void pzl_swiotlb_say_refused(const struct pzl_swiotlb *sw, uint64_t bytes)
{
	if (pzl_swiotlb_has_areas(sw->cfg.model))
		pzl_swiotlb_say(
			sw, "swiotlb_memblock_alloc: Failed to allocate %llu bytes tlb structure",
			(size_ull)bytes);
	else
		pzl_swiotlb_say(sw, "Cannot allocate buffer");
}

void pzl_swiotlb_shrunk(struct pzl_swiotlb *sw, uint64_t slots)
{
	if (slots != sw->default_slots)
		pzl_swiotlb_say(sw, "SWIOTLB bounce buffer size adjusted %llu -> %llu slabs",
				(size_ull)sw->default_slots, (size_ull)slots);
	sw->default_slots = slots;
}

void pzl_swiotlb_say_mapped(const struct pzl_swiotlb *sw, uint64_t start, uint64_t bytes)
{
	int digits = pzl_swiotlb_digits(sw);

	if (bytes)
		pzl_swiotlb_say(sw, "mapped [mem 0x%0*llx-0x%0*llx] (%lluMB)", digits,
				(size_ull)start, digits, (size_ull)(start + bytes),
				(size_ull)(bytes >> 20));
	else
		pzl_swiotlb_say(sw, "No low mem");
}
