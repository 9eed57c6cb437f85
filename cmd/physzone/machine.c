/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.c - see machine.h.
 */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

#include "input/source.h"

static char *machine_title(const struct options *o)
{
	const char *name = o->live ? "this machine" : o->source;

	if (!o->live && !strcmp(name, "-"))
		name = "standard input";
	return xasprintf("%s%s", o->capture ? "capture kernel of " : "", name);
}

/* In place of a machine, that of its capture kernel; the command line was the machine's. */
static int machine_capture(struct machine *m, struct analysis_options *how, char **err)
{
	struct facts running = m->facts;
	int rc;

	facts_init(&m->facts);
	rc = capture_machine(&m->facts, &running, how, err);
	facts_destroy(&running);
	how->cmdline = NULL;
	return rc;
}

int machine_source(struct machine *m, const struct options *o, struct analysis_options *how,
		   char **err)
{
	const struct source_options from = { .boot = o->boot, .live = o->live };
	int rc;

	*how = (struct analysis_options){
		.model = o->model,
		.arch = o->arch,
		.cmdline = o->cmdline,
		.kexec_file = o->kexec_file,
		.managed_recorded = o->managed_recorded,
	};

	memset(m, 0, sizeof(*m));
	facts_init(&m->facts);
	m->facts.keep_lines = o->lines;
	rc = source_read(&m->facts, o->source, &from, err);
	if (!rc && o->capture)
		rc = machine_capture(m, how, err);
	m->title = machine_title(o);
	m->view.a = &m->analysis;
	m->view.f = &m->facts;
	m->view.title = m->title;
	return rc;
}

int machine_read(struct machine *m, const struct options *o, char **err)
{
	struct analysis_options how;
	int rc = machine_source(m, o, &how, err);

	return rc ? rc : analyse(&m->analysis, &m->facts, &how, err);
}

void machine_destroy(struct machine *m)
{
	analysis_destroy(&m->analysis);
	facts_destroy(&m->facts);
	free(m->title);
}

int machine_verdict(const struct machine *m)
{
	if (m->analysis.undecided)
		return EXIT_UNDECIDED;
	return m->analysis.problems.n ? EXIT_PROBLEM : EXIT_FINE;
}
