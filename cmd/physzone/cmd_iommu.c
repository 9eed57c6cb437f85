/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_iommu.c - physzone iommu: an image of translation tables decoded, or one built from lists.
 */
#include "commands.h"

#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "iommu/iommu.h"
#include "view/svg.h"

static int iommu_address(const char *name, const char *text, uint64_t *v, char **err)
{
	if (device_address(text, v))
		return 0;
	*err = xasprintf("--%s wants an address (0x80000000, 2G), not '%s'", name, text);
	return EXIT_USAGE;
}

/* Where the first level begins: an address, or what of a register is one. */
static int iommu_first(struct iommu_image *m, const struct option_tables *o, uint64_t base,
		       char **err)
{
	uint64_t size = UINT64_C(4) << (m->view.ias - 20);
	int rc = 0;

	m->view.table = base;
	if (o->table) {
		rc = iommu_address("table", o->table, &m->view.table, err);
	} else if (o->ttbr) {
		rc = iommu_address("ttbr", o->ttbr, &m->view.table, err);
		size = size > 0x4000 ? size : 0x4000;
		if (o->mtk)
			m->view.table |= (m->view.table & 7) << 32;
		m->view.table &= ~(size - 1);
	}
	if (rc || !(m->view.table & (size - 1)))
		return rc;
	*err = xasprintf("the first level for %u bits lies at a multiple of 0x%llx, not at 0x%llx: "
			 "--table or --ttbr say where",
			 m->view.ias, (unsigned long long)size, (unsigned long long)m->view.table);
	return EXIT_USAGE;
}

static void iommu_format(struct iommu_image *m, const struct option_tables *o)
{
	m->big = o->big;
	m->view.ias = o->ias ? o->ias : 32;
	m->view.mtk_outputs = o->mtk;
	m->view.mtk_tables = o->mtk_tables;
	m->view.permissions = !o->no_perms;
}

static int iommu_dump(struct iommu_image *m, const struct options *o, char **err)
{
	uint64_t base = 0;
	int rc = 0;

	if (o->tables.base && strchr(o->operands[0], '@')) {
		*err = xasprintf("--base and %s both say where the image lies", o->operands[0]);
		return EXIT_USAGE;
	}
	if (o->tables.base)
		rc = iommu_address("base", o->tables.base, &base, err);
	for (unsigned int i = 0; i < o->operand_count && !rc; i++) {
		if (i && !strchr(o->operands[i], '@')) {
			*err = xasprintf("%s: of several pieces each but the first wants its "
					 "address: FILE@ADDR",
					 o->operands[i]);
			return EXIT_USAGE;
		}
		rc = image_add(m, o->operands[i], base, err);
	}
	if (!rc)
		rc = iommu_first(m, &o->tables, m->pieces.v[0].addr, err);
	return rc ? rc : image_ready(m, err);
}

static int iommu_picture(const struct iommu_view *v, const char *file, char **err)
{
	struct out picture;
	int rc;

	out_init(&picture, NULL);
	iommu_svg(&picture, v);
	rc = svg_save(&picture, file, err);
	out_destroy(&picture);
	return rc;
}

static int iommu_output(const struct iommu_image *m, const char *file, char **err)
{
	struct out image;

	out_init(&image, NULL);
	image.v = m->pieces.v[0].bytes.buf;
	image.n = m->pieces.v[0].bytes.len;
	return svg_save(&image, file, err);
}

static void iommu_show(struct out *out, const struct iommu_view *v, const struct options *o)
{
	if (o->svg && !strcmp(o->svg, "-"))
		iommu_svg(out, v);
	else if (o->json)
		iommu_json(out, v);
	else
		iommu_text(out, v);
}

int cmd_iommu(const struct options *o, struct out *out, char **err)
{
	bool map = !strcmp(o->topic, "map");
	struct iommu_image image;
	struct iommu_built built;
	struct iommu_view view = { strcmp(o->operands[0], "-") ? o->operands[0] : "standard input",
				   &image, NULL, map ? &built : NULL, o->tables.raw };
	struct iommu_sum sum;
	int rc;

	image_init(&image);
	iommu_format(&image, &o->tables);
	memset(&sum, 0, sizeof(sum));
	rc = map ? iommu_build(&image, &built, o, err) : iommu_dump(&image, o, err);
	if (!rc) {
		iommu_sum(&sum, &image);
		view.sum = &sum;
	}
	if (!rc && o->tables.output)
		rc = iommu_output(&image, o->tables.output, err);
	if (!rc && o->svg && strcmp(o->svg, "-"))
		rc = iommu_picture(&view, o->svg, err);
	if (!rc) {
		iommu_show(out, &view, o);
		rc = sum.found ? EXIT_PROBLEM : EXIT_FINE;
	}
	iommu_sum_destroy(&sum);
	image_destroy(&image);
	return rc;
}
