/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * picture.c - the windows of each device against memory, as a picture.
 */
#include "devices.h"

#include <inttypes.h>
#include <stdlib.h>

#include "../start.h"
#include "../view/axis.h"
#include "../view/svg.h"
#include "../view/view.h"

#define PICTURE_WIDTH 1000.0
#define PICTURE_LEFT 250.0
#define PICTURE_RIGHT 90.0
#define PICTURE_TOP 120.0
#define PICTURE_ROW 26.0

/* Memory, and regions of devices that are hidden from the kernel. */
static void picture_axis_init(struct axis *a, const struct devices *d)
{
	struct pz_rangeset all;

	pz_rangeset_init(&all, &an_meta, NULL, 0);
	(void)pz_rangeset_copy(&all, &d->memory);
	for (size_t i = 0; i < d->all.n; i++)
		for (size_t k = 0; k < d->all.v[i].regions.n; k++)
			if (d->all.v[i].regions.v[k].placed)
				(void)pz_rangeset_add(&all, d->all.v[i].regions.v[k].range);
	axis_init(a, &all, PICTURE_LEFT, PICTURE_WIDTH - PICTURE_LEFT - PICTURE_RIGHT);
	pz_rangeset_destroy(&all);
}

static void picture_use(struct out *o, const struct axis *a, const struct devices *d,
			const struct dev *dev, enum dev_use use, double y)
{
	const char *cls = use == DEV_STREAMING ? "s" : "c";
	char first[VIEW_SIZE_MAX], last[VIEW_SIZE_MAX];

	if (dev->iommu == DEV_IOMMU_TRANSLATES) {
		for (uint32_t i = 0; i < d->memory.count && dev->reach[use].count; i++)
			axis_box(o, a, d->memory.v[i], y, 8, cls, "through the IOMMU");
		return;
	}
	for (uint32_t i = 0; i < dev->reach[use].count; i++) {
		const struct pz_window *w = &dev->reach[use].v[i];
		char *tip =
			xasprintf("%s %s-%s", use == DEV_STREAMING ? "streaming" : "coherent",
				  view_addr(first, w->phys.first), view_addr(last, w->phys.last));

		axis_box(o, a, w->phys, y, 8, cls, tip);
		free(tip);
	}
}

static void picture_row(struct out *o, const struct axis *a, const struct devices *d,
			const struct dev *dev, double y)
{
	char *label = xasprintf("%s%s%s", dev->name, dev->driver ? "  " : "",
				dev->driver ? dev->driver : "");
	char size[VIEW_SIZE_MAX];

	svg_text_fit(o, PICTURE_LEFT - 10, y + 12, 12, SVG_END, "label", PICTURE_LEFT - 20, label);
	for (unsigned int i = 0; i < a->n; i++)
		svg_box(o, a->part[i].x, y, a->part[i].w < 1 ? 1 : a->part[i].w, 18, 0, "row",
			NULL);
	for (int u = 0; u < DEV_USES; u++)
		picture_use(o, a, d, dev, (enum dev_use)u, y + 10 * u);
	svg_text(o, PICTURE_WIDTH - 8, y + 12, 11, SVG_END, "dim",
		 dev->bytes[DEV_COHERENT] == d->total ? "all"
						      : view_size(size, dev->bytes[DEV_COHERENT]));
	free(label);
}

static void picture_memory(struct out *o, const struct axis *a, const struct devices *d)
{
	for (uint32_t i = 0; i < d->memory.count; i++) {
		char *tip = xasprintf("memory [%#" PRIx64 "-%#" PRIx64 "]", d->memory.v[i].first,
				      d->memory.v[i].last);

		axis_box(o, a, d->memory.v[i], PICTURE_TOP - 34, 16, "m", tip);
		free(tip);
	}
	svg_text(o, PICTURE_LEFT - 10, PICTURE_TOP - 21, 12, SVG_END, "label", "memory");
	axis_addresses(o, a, PICTURE_TOP - 40);
}

void devices_svg(struct out *o, const struct devices *d, const char *title,
		 const struct devices_query *q)
{
	struct axis axis;
	double y = PICTURE_TOP;
	unsigned int rows = 0;

	for (size_t i = 0; i < d->all.n; i++)
		rows += devices_selects(q, &d->all.v[i]);
	picture_axis_init(&axis, d);
	out_printf(o,
		   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" role=\"img\">\n"
		   "<title>",
		   PICTURE_WIDTH, y + PICTURE_ROW * rows + 16);
	svg_escape(o, title);
	out_str(o, "</title>\n<style>\n"
		   "text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;"
		   "fill:#1c1c22}\n"
		   ".mono{font-family:ui-monospace,'DejaVu Sans Mono',monospace}\n"
		   ".dim{fill:#62626e}.title{font-weight:600}.bg{fill:#ffffff}.row{fill:#ececf0}\n"
		   ".m{fill:#8a8a96}.s{fill:#1f5fbf}.c{fill:#b35900}\n"
		   "@media (prefers-color-scheme:dark){text{fill:#e8e8ee}.dim{fill:#a2a2ae}"
		   ".bg{fill:#17171c}.row{fill:#2a2a32}.s{fill:#7db0ff}.c{fill:#ffb266}}\n"
		   "</style>\n");
	svg_box(o, 0, 0, PICTURE_WIDTH, y + PICTURE_ROW * rows + 16, 0, "bg", NULL);
	svg_text_fit(o, 20, 34, 20, SVG_START, "title", PICTURE_WIDTH - 40, title);
	svg_box(o, 20, 47, 12, 8, 0, "s", NULL);
	svg_text(o, 38, 55, 12, SVG_START, "label", "streaming");
	svg_box(o, 118, 47, 12, 8, 0, "c", NULL);
	svg_text(o, 136, 55, 12, SVG_START, "label", "coherent; how much, at the right");
	picture_memory(o, &axis, d);
	for (size_t i = 0; i < d->all.n; i++) {
		if (!devices_selects(q, &d->all.v[i]))
			continue;
		picture_row(o, &axis, d, &d->all.v[i], y);
		y += PICTURE_ROW;
	}
	out_str(o, "</svg>\n");
}
