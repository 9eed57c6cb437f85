/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policies.c - physzone compare policies: one stream, four ways to keep memory for devices.
 */
#include "compare.h"

#include <stdlib.h>
#include <string.h>

#include "../device.h"
#include "../view/svg.h"

static int policies_settings(struct compare_settings *set, const struct options *o, char **err)
{
	memset(set, 0, sizeof(*set));
	if (o->fill_given || o->pressure_given || o->keep || o->time) {
		*err = xasprintf("--%s is for 'physzone compare tables'",
				 o->fill_given	     ? "fill"
				 : o->pressure_given ? "pressure"
				 : o->keep	     ? "keep"
						     : "time");
		return EXIT_USAGE;
	}
	if (o->reaches > 1) {
		*err = xasprintf("one end of ZONE_LIMITED; '%s' is one too many", o->reach[1].text);
		return EXIT_USAGE;
	}
	if (o->reaches) {
		struct device d;
		int rc = device_parse(&d, &o->reach[0], err);

		set->limit = device_last(&d);
		device_destroy(&d);
		if (rc)
			return rc;
		if (set->limit < 0xfffff) {
			*err = xasprintf("ZONE_LIMITED ends at 1 MiB or above, not at '%s'",
					 o->reach[0].text);
			return EXIT_USAGE;
		}
	}
	if (o->cma && (!compare_size(o->cma, &set->cma) || !set->cma)) {
		*err = xasprintf("--cma wants a size such as 16M, not '%s'", o->cma);
		return EXIT_USAGE;
	}
	return 0;
}

static int policies_stream(struct stream *s, const struct compare_machine *m,
			   const struct options *o, char **err)
{
	struct mix mix;
	int rc;

	if (o->trace)
		return stream_record(s, o->trace, m->model, m->zone_limit, err);
	rc = mix_read(&mix, MIX_PAGES, o->mix ? o->mix : "desktop", err);
	if (!rc)
		rc = stream_generate(s, &mix, o->seed_given ? o->seed : 1, m->managed,
				     m->page_shift, err);
	mix_destroy(&mix);
	return rc;
}

static void policies_show(struct out *out, const struct compare_machine *m, const struct stream *s,
			  const struct compare_run *runs, const struct options *o)
{
	if (o->svg && !strcmp(o->svg, "-"))
		compare_policies_svg(out, m, s, runs, COMPARE_POLICIES);
	else if (o->json)
		compare_policies_json(out, m, s, runs, COMPARE_POLICIES);
	else
		compare_policies_text(out, m, s, runs, COMPARE_POLICIES);
}

static int policies_picture(const struct compare_machine *m, const struct stream *s,
			    const struct compare_run *runs, const char *file, char **err)
{
	struct out picture;
	int rc;

	out_init(&picture, NULL);
	compare_policies_svg(&picture, m, s, runs, COMPARE_POLICIES);
	rc = svg_save(&picture, file, err);
	out_destroy(&picture);
	return rc;
}

int compare_policies(const struct options *o, struct out *out, char **err)
{
	struct compare_run *runs = xcalloc(COMPARE_POLICIES, sizeof(*runs));
	struct compare_settings set;
	struct compare_machine m;
	struct stream s;
	int rc;

	memset(&m, 0, sizeof(m));
	memset(&s, 0, sizeof(s));
	rc = policies_settings(&set, o, err);
	if (!rc)
		rc = compare_machine_read(&m, o, err);
	if (!rc)
		rc = policies_stream(&s, &m, o, err);
	for (int i = 0; i < COMPARE_POLICIES && !rc; i++)
		rc = compare_run(&runs[i], &m, &s, (enum compare_policy)i, &set, err);
	if (!rc && o->svg && strcmp(o->svg, "-"))
		rc = policies_picture(&m, &s, runs, o->svg, err);
	if (!rc)
		policies_show(out, &m, &s, runs, o);
	for (int i = 0; i < COMPARE_POLICIES; i++)
		compare_run_destroy(&runs[i]);
	stream_destroy(&s);
	compare_machine_destroy(&m);
	free(runs);
	return rc;
}
