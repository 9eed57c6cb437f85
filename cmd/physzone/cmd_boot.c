/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_boot.c - physzone boot: a machine carried through start-up, under one model or several.
 */
#include "commands.h"

#include <stdlib.h>
#include <string.h>

#include "boot/boot.h"
#include "machine.h"

static int boot_all(struct boot *runs, size_t *n, struct machine *m, struct boot_models *ms,
		    struct boot_options *b, char **err)
{
	for (*n = 0; *n < ms->n;) {
		int rc;

		b->model = ms->name[*n];
		rc = boot_run(&runs[*n], &m->facts, b, err);
		/* Of all models, those that have no such architecture are left out. */
		if (rc == EXIT_USAGE && ms->all && ms->n > 1) {
			boot_destroy(&runs[*n]);
			free(*err);
			*err = NULL;
			boot_models_drop(ms, *n);
			continue;
		}
		(*n)++;
		if (rc)
			return rc;
	}
	return 0;
}

/*
 * What is wrong with the machine itself is a note here: the verdict is about its requests.
 */
static void boot_problems(struct boot *runs, size_t n)
{
	struct analysis *a = &runs[0].analysis;

	for (size_t i = 0; i < a->problems.n; i++)
		*vec_push(&a->notes) = a->problems.v[i].text;
	a->problems.n = 0;
	for (size_t k = 0; k < n; k++) {
		for (size_t i = 0; i < runs[k].steps.n; i++)
			if (runs[k].steps.v[i].failed)
				vec_push(&a->problems)->text =
					xasprintf("%s: %s, under %s", runs[k].steps.v[i].what,
						  runs[k].steps.v[i].text, runs[k].model);
		for (size_t i = 0; i < runs[k].requests.n; i++) {
			const struct boot_request *r = &runs[k].requests.v[i];
			char flags[128], size[VIEW_SIZE_MAX];

			if (!boot_request_failed(r))
				continue;
			if (runs[k].physzone)
				snprintf(flags, sizeof(flags), "%u address bits",
					 r->bits ? r->bits : 64);
			else
				boot_flags(flags, sizeof(flags), &runs[k], r);
			if (r->remark)
				vec_push(&a->problems)->text = xasprintf(
					"%s: %s under %s", r->asked.name, r->remark, runs[k].model);
			else
				vec_push(&a->problems)->text = xasprintf(
					"%s: the request of %s with %s fails under %s",
					r->asked.name, view_size(size, r->asked.bytes), flags,
					runs[k].model);
		}
	}
}

static int boot_verdict(const struct boot *runs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (runs[i].analysis.undecided)
			return EXIT_UNDECIDED;
	for (size_t i = 0; i < n; i++)
		if (runs[i].failed)
			return EXIT_PROBLEM;
	return EXIT_FINE;
}

int cmd_boot(const struct options *o, struct out *out, char **err)
{
	struct boot *runs = xcalloc(BOOT_RUNS, sizeof(*runs));
	struct boot_models models;
	struct options plain = *o;
	struct boot_options b;
	struct machine m;
	size_t n = 0;
	int rc;

	memset(&models, 0, sizeof(models));
	memset(&b, 0, sizeof(b));
	memset(&m, 0, sizeof(m));
	/* The models are for the requests; the machine is read by its own. */
	plain.model = NULL;
	rc = boot_models_parse(&models, o->model, err);
	if (!rc)
		rc = boot_options_read(&b, o, err);
	if (!rc) {
		rc = machine_source(&m, &plain, &b.how, err);
		if (!rc)
			rc = boot_all(runs, &n, &m, &models, &b, err);
		if (!rc) {
			boot_problems(runs, n);
			m.view.a = &runs[0].analysis;
			if (o->json)
				boot_json(out, &m.view, runs, n);
			else
				boot_text(out, &m.view, runs, n, o->why);
			rc = boot_verdict(runs, n);
		}
		machine_destroy(&m);
	}
	for (size_t i = 0; i < n; i++)
		boot_destroy(&runs[i]);
	boot_models_destroy(&models);
	free(runs);
	return rc;
}
