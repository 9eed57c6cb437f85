/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * picture.c - the address space that tables make, as a picture: iovas above, what they lead to
 * below, and a band from each range to its memory.
 *
 * Both axes are to scale but for their holes. Of very many ranges the axes are those of whole MiB,
 * and a band that would lie on the one before it is left out.
 */
#include "iommu.h"

#include <stdlib.h>
#include <string.h>

#include "../start.h"
#include "../view/axis.h"
#include "../view/svg.h"
#include "../view/view.h"

#define PICTURE_WIDTH 1000.0
#define PICTURE_HEIGHT 330.0
#define PICTURE_LEFT 90.0
#define PICTURE_RIGHT 20.0
#define PICTURE_IOVA 110.0
#define PICTURE_PHYS 270.0
#define PICTURE_BAR 20.0
#define PICTURE_EXACT 2000u /* ranges; with more, axes of whole MiB */
#define PICTURE_BANDS 2000u

struct picture {
	struct out *o;
	uint64_t granule;
	struct pz_rangeset used[2]; /* iovas, physical */
	struct axis axis[2];
	double band[4]; /* ends of the last band */
	unsigned int bands;
};

static struct pz_range picture_iova(const struct iommu_range *r)
{
	return (struct pz_range){ r->run.first, r->run.last };
}

static struct pz_range picture_phys(const struct iommu_range *r)
{
	return (struct pz_range){ r->run.phys, r->run.phys + (r->run.last - r->run.first) };
}

static int picture_collect(void *ctx, const struct iommu_range *r)
{
	struct picture *p = ctx;
	struct pz_range all[2] = { picture_iova(r), picture_phys(r) };

	for (unsigned int i = 0; i < (r->run.fault ? 1u : 2u); i++) {
		all[i].first &= ~(p->granule - 1);
		all[i].last |= p->granule - 1;
		(void)pz_rangeset_add(&p->used[i], all[i]);
	}
	return 0;
}

static const char *picture_class(const struct pz_v7s_run *r)
{
	const char *memory = iommu_memory(r);

	if (r->fault)
		return "f";
	if (!strcmp(memory, "cached"))
		return "c";
	if (!strcmp(memory, "uncached"))
		return "u";
	return !strcmp(memory, "device") ? "d" : "o";
}

static double picture_at(const struct axis *a, uint64_t addr)
{
	for (unsigned int i = 0; i < a->n; i++)
		if (addr >= a->part[i].r.first && addr <= a->part[i].r.last)
			return axis_at(&a->part[i], addr);
	return 0;
}

/* A band between the axes. */
static void picture_band(struct picture *p, const struct iommu_range *r, const char *cls)
{
	struct pz_range iova = picture_iova(r), phys = picture_phys(r);
	double x[4] = { picture_at(&p->axis[0], iova.first), picture_at(&p->axis[0], iova.last),
			picture_at(&p->axis[1], phys.first), picture_at(&p->axis[1], phys.last) };
	bool same = p->bands;

	for (unsigned int i = 0; i < 4; i++) {
		double off = x[i] - p->band[i];

		same = same && off < 0.5 && off > -0.5;
	}
	if (same || p->bands >= PICTURE_BANDS)
		return;
	memcpy(p->band, x, sizeof(x));
	p->bands++;
	out_printf(p->o, "<path d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1fL%.1f %.1fZ\" class=\"b %s\"/>\n",
		   x[0], PICTURE_IOVA + PICTURE_BAR, x[1] - x[0] < 1 ? x[0] + 1 : x[1],
		   PICTURE_IOVA + PICTURE_BAR, x[3] - x[2] < 1 ? x[2] + 1 : x[3], PICTURE_PHYS,
		   x[2], PICTURE_PHYS, cls);
}

static int picture_range(void *ctx, const struct iommu_range *r)
{
	char size[VIEW_SIZE_MAX], pages[IOMMU_PAGES_MAX], more[IOMMU_MORE_MAX];
	const char *cls = picture_class(&r->run);
	struct pz_range iova = picture_iova(r), phys = picture_phys(r);
	struct picture *p = ctx;
	unsigned int before = p->bands;
	char *tip;

	if (r->run.fault) {
		tip = xasprintf("0x%llx-0x%llx: %s", (unsigned long long)iova.first,
				(unsigned long long)iova.last, iommu_fault(r->run.fault));
		axis_box(p->o, &p->axis[0], iova, PICTURE_IOVA, PICTURE_BAR, cls, tip);
		free(tip);
		return 0;
	}
	picture_band(p, r, cls);
	if (p->bands == before)
		return 0;
	tip = xasprintf("0x%llx-0x%llx to 0x%llx-0x%llx, %s, %s; %s; %s%s",
			(unsigned long long)iova.first, (unsigned long long)iova.last,
			(unsigned long long)phys.first, (unsigned long long)phys.last,
			view_size(size, view_range_size(iova)), iommu_pages(pages, r->pages),
			iommu_access(&r->run), iommu_memory(&r->run), iommu_more(more, &r->run));
	axis_box(p->o, &p->axis[0], iova, PICTURE_IOVA, PICTURE_BAR, cls, tip);
	axis_box(p->o, &p->axis[1], phys, PICTURE_PHYS, PICTURE_BAR, cls, tip);
	free(tip);
	return 0;
}

static void picture_head(struct out *o, const struct iommu_view *v)
{
	static const char *const legend[][2] = {
		{ "c", "cached" },	 { "u", "uncached" }, { "d", "device" },
		{ "o", "other memory" }, { "f", "fault" },
	};
	char size[VIEW_SIZE_MAX];
	char *what;

	out_printf(o,
		   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" role=\"img\">\n"
		   "<title>",
		   PICTURE_WIDTH, PICTURE_HEIGHT);
	svg_escape(o, v->title);
	out_str(o, "</title>\n<style>\n"
		   "text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif;"
		   "fill:#1c1c22}\n"
		   ".mono{font-family:ui-monospace,'DejaVu Sans Mono',monospace}\n"
		   ".dim{fill:#62626e}.title{font-weight:600}.bg{fill:#ffffff}.row{fill:#ececf0}\n"
		   ".c{fill:#1f5fbf}.u{fill:#2e8b57}.d{fill:#b35900}.o{fill:#7a4fb0}"
		   ".f{fill:#c22f2f}.b{opacity:.35}\n"
		   "@media (prefers-color-scheme:dark){text{fill:#e8e8ee}.dim{fill:#a2a2ae}"
		   ".bg{fill:#17171c}.row{fill:#2a2a32}.c{fill:#7db0ff}.u{fill:#7fd6a6}"
		   ".d{fill:#ffb266}.o{fill:#c3a3f0}.f{fill:#ff8080}}\n"
		   "</style>\n");
	svg_box(o, 0, 0, PICTURE_WIDTH, PICTURE_HEIGHT, 0, "bg", NULL);
	svg_text_fit(o, 20, 34, 20, SVG_START, "title", PICTURE_WIDTH - 40, v->title);
	what = xasprintf("%s mapped in %llu range%s", view_size(size, v->sum->bytes),
			 (unsigned long long)v->sum->ranges, v->sum->ranges == 1 ? "" : "s");
	svg_text(o, PICTURE_WIDTH - 20, 64, 12, SVG_END, "dim", what);
	free(what);
	for (unsigned int i = 0; i < sizeof(legend) / sizeof(legend[0]); i++) {
		svg_box(o, 20 + 120.0 * i, 56, 12, 8, 0, legend[i][0], NULL);
		svg_text(o, 38 + 120.0 * i, 64, 12, SVG_START, "label", legend[i][1]);
	}
}

static void picture_bar(struct picture *p, unsigned int which, const char *name, double y)
{
	const struct axis *a = &p->axis[which];

	svg_text(p->o, PICTURE_LEFT - 10, y + 15, 12, SVG_END, "label", name);
	for (unsigned int i = 0; i < a->n; i++)
		svg_box(p->o, a->part[i].x, y, a->part[i].w < 1 ? 1 : a->part[i].w, PICTURE_BAR, 0,
			"row", NULL);
	axis_addresses(p->o, a, which ? y + PICTURE_BAR + 14 : y - 6);
}

void iommu_svg(struct out *o, const struct iommu_view *v)
{
	bool exact = v->sum->ranges + v->sum->found <= PICTURE_EXACT;
	struct picture p = { .o = o, .granule = exact ? 0x1000 : 0x100000 };

	for (unsigned int i = 0; i < 2; i++)
		pz_rangeset_init(&p.used[i], &an_meta, NULL, 0);
	(void)iommu_each(v->image, picture_collect, &p);
	picture_head(o, v);
	for (unsigned int i = 0; i < 2; i++)
		axis_init(&p.axis[i], &p.used[i], PICTURE_LEFT,
			  PICTURE_WIDTH - PICTURE_LEFT - PICTURE_RIGHT);
	picture_bar(&p, 0, "iova", PICTURE_IOVA);
	picture_bar(&p, 1, "physical", PICTURE_PHYS);
	(void)iommu_each(v->image, picture_range, &p);
	if (p.bands >= PICTURE_BANDS)
		svg_text(o, PICTURE_WIDTH - 20, PICTURE_HEIGHT - 10, 11, SVG_END, "dim",
			 "not all ranges are drawn");
	out_str(o, "</svg>\n");
	for (unsigned int i = 0; i < 2; i++)
		pz_rangeset_destroy(&p.used[i]);
}
