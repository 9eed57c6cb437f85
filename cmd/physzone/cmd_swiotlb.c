/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_swiotlb.c - physzone swiotlb: why mappings found no bounce buffer, by the lines of a log.
 */
#include "commands.h"

#include <string.h>

#include "machine.h"
#include "swiotlb/swiotlb.h"
#include "view/svg.h"

/* Read, judge and rebuild; the view is complete then. */
static int swiotlb_read(struct machine *m, struct swiotlb *s, const struct options *o, char **err)
{
	struct analysis_options how;
	uint32_t configured;
	bool arch_known;
	int rc = machine_source(m, o, &how, err);

	if (!rc &&
	    ((m->facts.kind != SRC_LOG && m->facts.kind != SRC_DIR) || !m->facts.line_marks.n)) {
		*err = xasprintf("%s: no log: expected one with a kernel's lines about bounce "
				 "buffers",
				 m->facts.files.v[0]);
		rc = EXIT_INPUT;
	}
	if (!rc)
		rc = analyse_kernel(&m->analysis, &m->facts, &how, &arch_known, &configured, err);
	if (!rc) {
		swiotlb_compute(s, &m->facts, &m->analysis);
		swiotlb_try(s, &m->facts, &how);
		swiotlb_answer(s);
	}
	return rc;
}

static void swiotlb_show(struct out *out, const struct machine *m, const struct swiotlb *s,
			 const struct options *o)
{
	if (o->svg && !strcmp(o->svg, "-"))
		swiotlb_svg(out, &m->view, s);
	else if (o->json)
		swiotlb_json(out, &m->view, s);
	else
		swiotlb_text(out, &m->view, s);
}

int cmd_swiotlb(const struct options *o, struct out *out, char **err)
{
	struct out picture;
	struct machine m;
	struct swiotlb s;
	int rc;

	memset(&s, 0, sizeof(s));
	rc = swiotlb_read(&m, &s, o, err);
	if (!rc && o->svg && strcmp(o->svg, "-")) {
		out_init(&picture, NULL);
		swiotlb_svg(&picture, &m.view, &s);
		rc = svg_save(&picture, o->svg, err);
		out_destroy(&picture);
	}
	if (!rc) {
		swiotlb_show(out, &m, &s, o);
		rc = swiotlb_verdict(&s);
	}
	swiotlb_destroy(&s);
	machine_destroy(&m);
	return rc;
}
