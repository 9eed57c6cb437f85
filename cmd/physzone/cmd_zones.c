/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_zones.c - physzone zones: the nodes and zones of a machine.
 */
#include "commands.h"
#include "machine.h"

int cmd_zones(const struct options *o, struct out *out, char **err)
{
	struct machine m;
	int rc = machine_read(&m, o, err);

	if (!rc) {
		if (o->json)
			zones_json(out, &m.view, o->lines);
		else
			zones_text(out, &m.view, o->lines);
		rc = machine_verdict(&m);
	}
	machine_destroy(&m);
	return rc;
}
