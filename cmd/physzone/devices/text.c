/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.c - devices and what they reach, for people.
 */
#include "devices.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../view/table.h"
#include "../view/view.h"

/* Text of the input, as a table may print it; to be freed. */
static char *text_clean(const struct out *o, const char *s)
{
	struct out clean;
	char *text;

	out_init(&clean, NULL);
	clean.utf8 = o->utf8;
	out_clean(&clean, s ? s : "");
	text = xstrdup(out_text(&clean));
	out_destroy(&clean);
	return text;
}

static void text_cell(struct table *t, const struct out *o, unsigned int column, const char *s)
{
	char *clean = text_clean(o, s);

	table_set(t, column, ST_PLAIN, "%s", clean);
	free(clean);
}

static void text_bytes(struct table *t, const struct devices *d, unsigned int column, uint64_t n)
{
	char size[VIEW_SIZE_MAX];

	if (!d->memory_from)
		table_set(t, column, ST_DIM, "?");
	else if (!n)
		table_set(t, column, ST_BAD, "nothing");
	else
		table_set(t, column, n < d->total ? ST_WARN : ST_PLAIN, "%s",
			  n == d->total ? "all" : view_size(size, n));
}

/* "IOMMU group 3", or what else stands between device and memory. */
static char *text_through(const struct dev *dev)
{
	const struct dev_region *only = NULL;

	for (size_t i = 0; i < dev->regions.n && !only; i++)
		if (dev->regions.v[i].kind == DEV_REGION_RESTRICTED ||
		    dev->regions.v[i].kind == DEV_REGION_COHERENT)
			only = &dev->regions.v[i];
	if (only)
		return xasprintf("%s %s",
				 only->kind == DEV_REGION_RESTRICTED ? "all through"
								     : "coherent from",
				 only->name);
	if (dev->iommu == DEV_IOMMU_NONE)
		return xstrdup(dev->behind ? dev->behind : "");
	return xasprintf("IOMMU %s%s", dev->iommu_name ? dev->iommu_name : "",
			 dev->iommu == DEV_IOMMU_TRANSLATES ? ""
			 : dev->iommu == DEV_IOMMU_IDENTITY ? " (identity)"
							    : " (does what?)");
}

static bool text_equal(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* Whether two devices would have the same row, but for their names. */
static bool text_alike(const struct dev *a, const struct dev *b)
{
	if (!text_equal(a->driver, b->driver) || !text_equal(a->kind, b->kind) ||
	    !text_equal(a->behind, b->behind) || !text_equal(a->iommu_name, b->iommu_name) ||
	    a->iommu != b->iommu || a->nid != b->nid || a->coherent != b->coherent ||
	    a->by_bus != b->by_bus || a->regions.n || b->regions.n)
		return false;
	for (int u = 0; u < DEV_USES; u++)
		if (a->bits[u] != b->bits[u] || a->bytes[u] != b->bytes[u])
			return false;
	return true;
}

static void text_row(struct table *t, const struct out *o, const struct devices *d,
		     const struct dev *dev, size_t more)
{
	char *through = text_through(dev);
	char *name = more ? xasprintf("%s and %zu more", dev->name, more) : xstrdup(dev->name);

	table_row(t);
	text_cell(t, o, 0, name);
	free(name);
	text_cell(t, o, 1, dev->driver ? dev->driver : "-");
	text_cell(t, o, 2, d->tree ? (dev->coherent ? "yes" : "no") : dev->kind);
	if (dev->nid != PZ_NID_NONE)
		table_set(t, 3, ST_PLAIN, "%d", dev->nid);
	text_bytes(t, d, 4, dev->by_bus);
	for (unsigned int u = 0; u < DEV_USES; u++) {
		table_set(t, 5 + 2 * u, ST_PLAIN, "%u", dev->bits[u]);
		text_bytes(t, d, 6 + 2 * u, dev->bytes[u]);
	}
	text_cell(t, o, 9, through);
	free(through);
}

static void text_table(struct out *o, const struct devices *d, const struct devices_query *q)
{
	struct table t;

	table_init(&t, "lllrrrrrrl");
	table_row(&t);
	table_set(&t, 0, ST_HEAD, "device");
	table_set(&t, 1, ST_HEAD, d->tree ? "compatible" : "driver");
	table_set(&t, 2, ST_HEAD, d->tree ? "coherent" : "kind");
	table_set(&t, 3, ST_HEAD, "node");
	table_set(&t, 4, ST_HEAD, "by bus");
	table_set(&t, 5, ST_HEAD, "bits");
	table_set(&t, 6, ST_HEAD, "streams");
	table_set(&t, 7, ST_HEAD, "bits");
	table_set(&t, 8, ST_HEAD, "coherent");
	table_set(&t, 9, ST_HEAD, "through");
	for (size_t i = 0; i < d->all.n;) {
		const struct dev *dev = &d->all.v[i++];
		size_t more = 0;

		if (!devices_selects(q, dev))
			continue;
		for (; i < d->all.n && !q->each && devices_selects(q, &d->all.v[i]) &&
		       text_alike(dev, &d->all.v[i]);
		     i++)
			more++;
		text_row(&t, o, d, dev, more);
	}
	if (t.rows.n > 1)
		table_print(&t, o, 2);
	else
		out_str(o, "  none\n");
	table_destroy(&t);
}

/* The windows of each bus once, with the first device that has them. */
static void text_windows(struct out *o, const struct devices *d)
{
	bool any = false;

	for (size_t i = 0; i < d->all.n; i++) {
		const struct dev *dev = &d->all.v[i];
		bool again = !dev->behind;

		for (size_t k = 0; k < i && !again; k++)
			again = d->all.v[k].behind && !strcmp(d->all.v[k].behind, dev->behind);
		if (again)
			continue;
		if (!any)
			out_styled(o, ST_BOLD, "\nWindows\n");
		any = true;
		out_str(o, "  ");
		out_clean(o, dev->behind);
		out_char(o, '\n');
		for (uint32_t k = 0; k < dev->bus.count; k++) {
			struct pz_range p = dev->bus.v[k].phys;

			out_printf(o,
				   "    bus 0x%010" PRIx64 "  is  [0x%010" PRIx64 "-0x%010" PRIx64
				   "]\n",
				   dev->bus.v[k].bus, p.first, p.last);
		}
		if (!dev->bus.count)
			out_str(o, "    nothing passes\n");
	}
}

static void text_notes(struct out *o, const struct devices *d, const struct facts *f)
{
	const char *bullet = o->utf8 ? "•" : "-";
	bool any = false;

	for (size_t i = 0; i < d->all.n + 1; i++) {
		size_t n = i < d->all.n ? d->all.v[i].notes.n : f->notes.n;

		for (size_t k = 0; k < n; k++) {
			char *text = i < d->all.n ? xasprintf("%s: %s", d->all.v[i].name,
							      d->all.v[i].notes.v[k])
						  : xstrdup(f->notes.v[k]);
			char *clean = text_clean(o, text);

			if (!any)
				out_styled(o, ST_BOLD, "\nNotes\n");
			any = true;
			out_printf(o, "  %s ", bullet);
			out_wrap(o, 4, 4, clean);
			out_char(o, '\n');
			free(clean);
			free(text);
		}
	}
}

void devices_text(struct out *o, const struct devices *d, const struct facts *f, const char *title,
		  const struct devices_query *q)
{
	char size[VIEW_SIZE_MAX], addr[VIEW_SIZE_MAX];

	out_style(o, ST_BOLD);
	out_clean(o, title);
	out_style(o, ST_PLAIN);
	if (d->memory_from)
		out_printf(o, "\n  %s of memory, by %s\n\n", view_size(size, d->total),
			   d->memory_from);
	else
		out_str(o, "\n  memory unknown: nothing that can be read tells it\n\n");
	if (q->asked) {
		bool ram = pz_rangeset_contains(&d->memory, q->addr);

		out_printf(o, "Devices that %sreach %s%s:\n\n", q->cannot ? "cannot " : "",
			   view_addr(addr, q->addr),
			   d->memory_from && !ram ? " (which is no memory)" : "");
	}
	text_table(o, d, q);
	if (!q->asked)
		text_windows(o, d);
	text_notes(o, d, f);
}
