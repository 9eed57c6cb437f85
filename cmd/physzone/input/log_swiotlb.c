/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_swiotlb.c - what the kernel says of its bounce buffers while it runs.
 *
 * The lines begin with a driver and a device, which can be any words, so they are known by what
 * follows these. Kernels before 4.20 say twice that a mapping failed; the second line leaves no
 * fact of its own.
 *
 * Invariants: 1. used <= total where a line has both; 2. every device index is one of
 * swiotlb_devices; 3. at most BOUNCE_MOST lines and BOUNCE_DEVICES devices are kept.
 *
 * Failure: a line that breaks off, or whose numbers cannot be, is damaged as any other.
 */
#include "input/log_int.h"

#include <string.h>

enum { BOUNCE_MOST = 1 << 20, BOUNCE_DEVICES = 256, BOUNCE_ECHO = 3, BOUNCE_AREAS = 1 << 20 };

#define BOUNCE_SLOTS_MOST ((uint64_t)1 << 36) /* 128 TiB */

/* What tells such a line, and what it is. */
enum bounce_form {
	BOUNCE_FULL,
	BOUNCE_OUT,
	BOUNCE_NONE,
	BOUNCE_BEYOND,
	BOUNCE_DIRECT,
	BOUNCE_OVERFLOW, /* before 5.5: "overflow 0xA+N of DMA mask M bus limit L" */
	BOUNCE_SUPPRESSED,
	BOUNCE_FORMS,
};

static const char *const bounce_keys[BOUNCE_FORMS] = {
	[BOUNCE_FULL] = "swiotlb buffer is full (sz: ",
	[BOUNCE_OUT] = "DMA: Out of SW-IOMMU space for ",
	[BOUNCE_NONE] = "Can not allocate SWIOTLB buffer earlier",
	[BOUNCE_BEYOND] = "swiotlb addr ",
	[BOUNCE_DIRECT] = "DMA addr ",
	[BOUNCE_OVERFLOW] = "overflow 0x",
	[BOUNCE_SUPPRESSED] = " callbacks suppressed",
};

/* The key in a line: at its start, or behind "NAME: ". */
static const char *bounce_find(const char *p, size_t n, enum bounce_form *form)
{
	/* Few lines have any of these; the whole key is looked for only then. */
	bool tlb = ls_find(p, n, "swiotlb") != NULL;
	bool upper = ls_find(p, n, "SW") != NULL;
	bool over = ls_find(p, n, "overflow") != NULL;

	for (unsigned int i = 0; i < BOUNCE_FORMS; i++) {
		const char *at;

		if (i == BOUNCE_OUT || i == BOUNCE_NONE ? !upper
		    : i == BOUNCE_DIRECT || i == BOUNCE_OVERFLOW
			    ? !over
			    : !tlb || (i == BOUNCE_BEYOND && !over))
			continue;
		at = ls_find(p, n, bounce_keys[i]);
		if (!at || (i != BOUNCE_SUPPRESSED && at != p &&
			    (at < p + 2 || at[-2] != ':' || at[-1] != ' ')))
			continue;
		/* "swiotlb_tbl_map_single: 12 callbacks suppressed" */
		if (i == BOUNCE_SUPPRESSED && (n < 8 || memcmp(p, "swiotlb_", 8) != 0))
			continue;
		*form = (enum bounce_form)i;
		return at;
	}
	return NULL;
}

bool log_is_bounce(const char *p, size_t n)
{
	enum bounce_form form;

	return bounce_find(p, n, &form) != NULL;
}

static bool bounce_same(const char *s, const char *p, size_t n)
{
	return s ? strlen(s) == n && !memcmp(s, p, n) : !n;
}

static char *bounce_name(const char *p, size_t n)
{
	char *s = xstrndup(p, n);

	for (char *c = s; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return s;
}

/* The device of "DRIVER NAME" or "NAME"; new ones are kept as long as there are not too many. */
static uint32_t bounce_device(struct facts *f, const char *p, size_t n)
{
	const char *name, *driver;
	struct fact_device *d;
	size_t words = 0;

	while (n && p[n - 1] == ' ')
		n--;
	name = p + n;
	while (name > p && name[-1] != ' ')
		name--;
	n -= (size_t)(name - p);
	driver = name;
	while (driver > p && driver[-1] == ' ')
		driver--;
	for (; driver > p && driver[-1] != ' '; driver--)
		words++;
	if (!n)
		return UINT32_MAX;
	for (size_t i = 0; i < f->swiotlb_devices.n; i++)
		if (bounce_same(f->swiotlb_devices.v[i].name, name, n) &&
		    (!words || bounce_same(f->swiotlb_devices.v[i].driver, driver, words)))
			return (uint32_t)i;
	if (f->swiotlb_devices.n == BOUNCE_DEVICES)
		return UINT32_MAX;
	d = vec_push(&f->swiotlb_devices);
	d->name = bounce_name(name, n);
	d->driver = words ? bounce_name(driver, words) : NULL;
	return (uint32_t)(f->swiotlb_devices.n - 1);
}

/* Whether the line only says again what one just before it said. */
static bool bounce_is_echo(const struct log_ctx *c, const struct fact_swiotlb *e)
{
	const struct fact_swiotlb *before;

	if (!c->f->swiotlb.n)
		return false;
	before = &c->f->swiotlb.v[c->f->swiotlb.n - 1];
	return before->kind == SWIOTLB_FULL && before->bytes == e->bytes &&
	       before->device == e->device && before->at.file == c->at.file &&
	       c->at.line - before->at.line <= BOUNCE_ECHO;
}

/* "16384 bytes), total 32768 (slots), used 12 (slots)"; older ones end behind the bytes. */
static bool bounce_full(struct log_scan *s, struct fact_swiotlb *e)
{
	if (!ls_dec(s, &e->bytes) || !ls_lit(s, " bytes)"))
		return false;
	if (!ls_opt(s, ","))
		return true;
	if (!ls_lit(s, " total ") || !ls_dec(s, &e->total) || !ls_lit(s, " (slots), used ") ||
	    !ls_dec(s, &e->used) || !ls_lit(s, " (slots)"))
		return false;
	if (e->total > BOUNCE_SLOTS_MOST || e->used > e->total)
		return ls_fail(s, "more slots than there are");
	return true;
}

/* "0x00000000f0000000+4096 overflow (mask ffffffff, bus limit 0)." */
static bool bounce_overflow(struct log_scan *s, struct fact_swiotlb *e)
{
	return ls_hex(s, &e->addr) && ls_lit(s, "+") && ls_dec(s, &e->bytes) &&
	       ls_lit(s, " overflow (mask ") && ls_bare_hex(s, &e->mask) &&
	       ls_lit(s, ", bus limit ") && ls_bare_hex(s, &e->limit) && ls_lit(s, ")");
}

/* "0x0000000a1c8f9a60+8 of DMA mask ffffffff bus limit 0", or "bus mask". */
static bool bounce_overflow_old(struct log_scan *s, struct fact_swiotlb *e)
{
	s->p -= 2; /* "0x", which the key ends with */
	return ls_hex(s, &e->addr) && ls_lit(s, "+") && ls_dec(s, &e->bytes) &&
	       ls_lit(s, " of DMA mask ") && ls_bare_hex(s, &e->mask) && ls_lit(s, " bus ") &&
	       (ls_opt(s, "limit ") || ls_lit(s, "mask ")) && ls_bare_hex(s, &e->limit);
}

/* " bytes at device 0000:01:00.0", or " bytes" behind the device that the line begins with. */
static bool bounce_out(struct log_ctx *c, struct log_scan *s, struct fact_swiotlb *e)
{
	const char *name;
	size_t n;

	if (!ls_dec(s, &e->bytes) || !ls_lit(s, " bytes"))
		return false;
	if (!ls_opt(s, " at device "))
		return true;
	name = ls_word(s, &n);
	if (!name)
		return false;
	e->device = bounce_device(c->f, name, n);
	return true;
}

/* "swiotlb_tbl_map_single: 12", which stands before the key. */
static bool bounce_suppressed(struct log_scan *s, const char *line, const char *key,
			      struct fact_swiotlb *e)
{
	struct log_scan count = { line, key, false, NULL, false };

	while (count.p < key && *count.p != ' ')
		count.p++;
	return ls_opt(&count, " ") && ls_dec(&count, &e->bytes) && count.p == key
		       ? true
		       : ls_fail(s, "no number of suppressed lines");
}

static bool bounce_read(struct log_ctx *c, struct log_scan *s, enum bounce_form form,
			const char *key, struct fact_swiotlb *e)
{
	switch (form) {
	case BOUNCE_FULL:
		return bounce_full(s, e);
	case BOUNCE_OUT:
		return bounce_out(c, s, e);
	case BOUNCE_BEYOND:
		e->kind = SWIOTLB_BEYOND;
		return bounce_overflow(s, e);
	case BOUNCE_DIRECT:
		e->kind = SWIOTLB_DIRECT;
		return bounce_overflow(s, e);
	case BOUNCE_OVERFLOW:
		e->kind = SWIOTLB_DIRECT;
		return bounce_overflow_old(s, e);
	case BOUNCE_SUPPRESSED:
		e->kind = SWIOTLB_SUPPRESSED;
		return bounce_suppressed(s, c->line, key, e);
	case BOUNCE_NONE:
	case BOUNCE_FORMS:
		break;
	}
	e->kind = SWIOTLB_NONE;
	return true;
}

enum log_ret log_bounce(struct log_ctx *c, struct log_scan *s, int arg)
{
	struct fact_swiotlb e = { .kind = SWIOTLB_FULL,
				  .device = UINT32_MAX,
				  .total = UINT64_MAX,
				  .used = UINT64_MAX,
				  .stamp = c->stamp,
				  .at = c->at };
	enum bounce_form form;
	const char *key = bounce_find(c->line, (size_t)(s->end - c->line), &form);

	(void)arg;
	if (!key)
		return LOG_OTHER;
	s->p = key + strlen(bounce_keys[form]);
	if (key > c->line + 2 && form != BOUNCE_SUPPRESSED)
		e.device = bounce_device(c->f, c->line, (size_t)(key - 2 - c->line));
	/* The words of the others are also those of other drivers. */
	if (!bounce_read(c, s, form, key, &e))
		return form == BOUNCE_FULL ? LOG_BAD : LOG_OTHER;
	s->p = s->end;
	if ((form == BOUNCE_OUT || form == BOUNCE_OVERFLOW) && bounce_is_echo(c, &e))
		return LOG_USED;
	if (c->f->swiotlb.n == BOUNCE_MOST)
		return LOG_OTHER;
	*vec_push(&c->f->swiotlb) = e;
	return LOG_USED;
}

/* Behind "software IO TLB: area num ": "4." */
enum log_ret log_bounce_areas(struct log_ctx *c, struct log_scan *s)
{
	uint64_t areas;

	if (!ls_dec(s, &areas) || !ls_lit(s, ".") || !areas || areas > BOUNCE_AREAS)
		return LOG_BAD;
	c->f->swiotlb_areas = (unsigned int)areas;
	return LOG_USED;
}
