/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_map.c - physzone map: the physical address space of a machine, as text, JSON and picture.
 */
#include "commands.h"

#include <string.h>

#include "machine.h"
#include "view/svg.h"

/* Write the picture; the file is opened only when the picture is complete. */
static int map_write_svg(const struct view *v, const struct options *o, char **err)
{
	struct out picture;
	int rc;

	out_init(&picture, NULL);
	map_svg(&picture, v, o->log);
	rc = svg_save(&picture, o->svg, err);
	out_destroy(&picture);
	return rc;
}

int cmd_map(const struct options *o, struct out *out, char **err)
{
	struct machine m;
	int rc = machine_read(&m, o, err);

	if (!rc && o->svg && strcmp(o->svg, "-"))
		rc = map_write_svg(&m.view, o, err);
	if (!rc) {
		if (o->svg && !strcmp(o->svg, "-"))
			map_svg(out, &m.view, o->log);
		else if (o->json)
			map_json(out, &m.view);
		else
			map_text(out, &m.view, o->log);
		rc = machine_verdict(&m);
	}
	machine_destroy(&m);
	return rc;
}
