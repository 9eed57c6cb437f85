/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_iommu.c - physzone iommu: an image of translation tables decoded, or one built from lists.
 */
#include "commands.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

/* Whether nothing would be wrong, and something mapped, in the other order of bytes. */
static bool iommu_turned(struct iommu_image *m)
{
	struct iommu_sum sum;
	bool right;

	m->big = !m->big;
	iommu_sum(&sum, m);
	m->big = !m->big;
	right = !sum.found && sum.ranges;
	iommu_sum_destroy(&sum);
	return right;
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

static bool iommu_stdout(const char *file)
{
	return file && !strcmp(file, "-");
}

/* Whether a word of the command line, FILE or FILE@ADDR, names this file. */
static bool iommu_names(const char *word, bool map, const struct stat *file)
{
	const char *at = map ? NULL : strrchr(word, '@');
	char *name = at ? xstrndup(word, (size_t)(at - word)) : xstrdup(word);
	struct stat st;
	bool same = !stat(name, &st) && st.st_dev == file->st_dev && st.st_ino == file->st_ino;

	free(name);
	return same;
}

/* A file that is read is not written. */
static int iommu_keep(const char *file, bool map, const struct options *o, char **err)
{
	struct stat st;

	if (!file || iommu_stdout(file) || stat(file, &st) || !S_ISREG(st.st_mode))
		return 0;
	for (unsigned int i = 0; i < o->operand_count; i++) {
		if (!iommu_names(o->operands[i], map, &st))
			continue;
		*err = xasprintf("%s is read: expected another file to write to", file);
		return EXIT_USAGE;
	}
	return 0;
}

static void iommu_show(struct out *out, const struct iommu_view *v, const struct options *o)
{
	const struct text *image = &v->image->pieces.v[0].bytes;

	if (iommu_stdout(o->tables.output))
		out_mem(out, image->buf, image->len);
	else if (iommu_stdout(o->svg))
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
	struct iommu_view view = {
		.title = strcmp(o->operands[0], "-") ? o->operands[0] : "standard input",
		.image = &image,
		.built = map ? &built : NULL,
		.raw = o->tables.raw,
	};
	struct iommu_sum sum;
	int rc;

	image_init(&image);
	iommu_format(&image, &o->tables);
	memset(&sum, 0, sizeof(sum));
	rc = iommu_keep(o->tables.output, map, o, err);
	if (!rc)
		rc = iommu_keep(o->svg, map, o, err);
	if (!rc)
		rc = map ? iommu_build(&image, &built, o, err) : iommu_dump(&image, o, err);
	if (!rc) {
		iommu_sum(&sum, &image);
		view.sum = &sum;
		view.turned = sum.found && iommu_turned(&image);
	}
	if (!rc && o->tables.output && !iommu_stdout(o->tables.output))
		rc = iommu_output(&image, o->tables.output, err);
	if (!rc && o->svg && !iommu_stdout(o->svg))
		rc = iommu_picture(&view, o->svg, err);
	if (!rc) {
		iommu_show(out, &view, o);
		rc = sum.found ? EXIT_PROBLEM : EXIT_FINE;
	}
	iommu_sum_destroy(&sum);
	image_destroy(&image);
	return rc;
}
