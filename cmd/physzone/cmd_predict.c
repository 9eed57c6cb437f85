/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_predict.c - physzone predict: where requests of start-up flip, as a size changes.
 */
#include "commands.h"

#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "predict/predict.h"
#include "view/svg.h"

/* Write the picture beside the answer, or in its place. */
static int predict_picture(const struct options *o, struct out *out, const struct view *v,
			   const struct predict *p, char **err)
{
	struct out picture;
	int rc;

	if (!strcmp(o->svg, "-")) {
		predict_svg(out, v, p);
		return 0;
	}
	out_init(&picture, NULL);
	predict_svg(&picture, v, p);
	rc = svg_save(&picture, o->svg, err);
	out_destroy(&picture);
	return rc;
}

static int predict_show(const struct options *o, struct out *out, const struct view *v,
			const struct predict *p, char **err)
{
	int rc = o->svg ? predict_picture(o, out, v, p, err) : 0;

	if (rc)
		return rc;
	if (o->json)
		predict_json(out, v, p);
	else if (!o->svg || strcmp(o->svg, "-"))
		predict_text(out, v, p);
	return p->failed ? EXIT_PROBLEM : EXIT_FINE;
}

/* What is wrong with the machine itself is a note here: the answer is about its requests. */
static void predict_problems(struct analysis *a)
{
	for (size_t i = 0; i < a->problems.n; i++)
		*vec_push(&a->notes) = a->problems.v[i].text;
	a->problems.n = 0;
}

int cmd_predict(const struct options *o, struct out *out, char **err)
{
	struct options plain = *o;
	struct boot_options b;
	struct machine m;
	struct predict p;
	int rc;

	memset(&b, 0, sizeof(b));
	memset(&p, 0, sizeof(p));
	/* The machine is read by its own model, and is not yet its capture kernel's. */
	plain.model = NULL;
	plain.capture = false;
	p.capture = !o->capture ? NULL : o->kexec_file ? "file" : "kexec";
	rc = sweep_parse(&p.sweep, o->sweep, err);
	if (!rc)
		rc = boot_models_parse(&p.models, o->model, err);
	if (!rc)
		rc = boot_options_read(&b, o, err);
	if (!rc) {
		rc = machine_source(&m, &plain, &b.how, err);
		if (!rc)
			rc = analyse(&m.analysis, &m.facts, &b.how, err);
		predict_problems(&m.analysis);
		if (!rc)
			rc = predict_run(&p, &m.facts, &b, o->capture, err);
		if (!rc)
			rc = predict_show(o, out, &m.view, &p, err);
		machine_destroy(&m);
	}
	predict_destroy(&p);
	return rc;
}
