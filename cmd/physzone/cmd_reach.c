/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_reach.c - physzone reach: how much memory devices with few address lines can get.
 */
#include "commands.h"

#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "reach/reach.h"

static int reach_devices(struct device *devices, unsigned int *n, const struct options *o,
			 char **err)
{
	if (!o->reaches) {
		*err = xstrdup("no device given: --bits N, --limit ADDR or --window A-B");
		return EXIT_USAGE;
	}
	for (*n = 0; *n < o->reaches;) {
		unsigned int i = (*n)++;
		int rc = device_parse(&devices[i], &o->reach[i], err);

		if (rc)
			return rc;
	}
	return 0;
}

int cmd_reach(const struct options *o, struct out *out, char **err)
{
	struct device *devices = xcalloc(OPTION_REACHES, sizeof(*devices));
	struct reach *reaches = xcalloc(OPTION_REACHES, sizeof(*reaches));
	struct reach_machine *rm = xcalloc(1, sizeof(*rm));
	struct analysis_options how;
	struct machine m;
	unsigned int n = 0;
	int rc;

	rc = reach_devices(devices, &n, o, err);
	if (!rc) {
		rc = machine_source(&m, o, &how, err);
		if (!rc)
			rc = reach_machine(rm, &m.facts, &how, err);
		if (!rc) {
			m.view.a = &rm->analysis;
			for (unsigned int i = 0; i < n; i++) {
				reach_compute(&reaches[i], rm, &devices[i]);
				if (!reaches[i].reached)
					rc = EXIT_PROBLEM;
			}
			reach_deliver(reaches, n, rm->analysis.page_shift, &m.facts, &how);
			if (o->json)
				reach_json(out, &m.view, reaches, n);
			else
				reach_text(out, &m.view, rm, reaches, n);
			for (unsigned int i = 0; i < n; i++)
				reach_destroy(&reaches[i]);
		}
		reach_machine_destroy(rm);
		machine_destroy(&m);
	}
	for (unsigned int i = 0; i < n; i++)
		device_destroy(&devices[i]);
	free(rm);
	free(reaches);
	free(devices);
	return rc;
}
