/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_explain.c - physzone explain: why requests for pages failed, by the reports in a log.
 */
#include "commands.h"

#include <string.h>

#include "explain.h"
#include "input/source.h"

int cmd_explain(const struct options *o, struct out *out, char **err)
{
	const struct source_options from = { .boot = o->boot, .live = o->live };
	const struct analysis_options how = { .model = o->model, .arch = o->arch };
	struct explain_view v = { .why = o->why };
	struct explained e;
	struct facts f;
	int rc;

	v.title = o->live ? "this machine" : !strcmp(o->source, "-") ? "standard input" : o->source;
	memset(&e, 0, sizeof(e));
	facts_init(&f);
	rc = source_read(&f, o->source, &from, err);
	if (!rc && f.kind != SRC_LOG && f.kind != SRC_DIR && f.kind != SRC_LIVE) {
		*err = xasprintf("%s: no log: expected one with a page allocation failure or "
				 "Mem-Info",
				 f.files.v[0]);
		rc = EXIT_INPUT;
	}
	if (!rc)
		rc = explain(&e, &f, &how, err);
	if (!rc) {
		if (o->rebuild)
			explain_rebuild(&e, &f, &how);
		v.e = &e;
		v.f = &f;
		if (o->json)
			explain_json(out, &v);
		else
			explain_text(out, &v);
		rc = explain_verdict(&e);
		if (!explain_rebuilt_fine(&e))
			rc = EXIT_UNDECIDED;
	}
	explained_destroy(&e);
	facts_destroy(&f);
	return rc;
}
