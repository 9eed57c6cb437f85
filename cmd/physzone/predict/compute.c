/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compute.c - each machine of a sweep carried through start-up, and the sizes between which
 * something else comes of a request, by halving.
 *
 * Invariants: 1. a machine is tried once for each model; 2. the sizes of a flip are next to each
 * other at the sweep's grain, and its states are those of the values around it.
 *
 * Failure: a machine that cannot be is a state of its requests, not an error, unless none can be.
 *
 * Shortcomings: what flips twice between two values of the sweep shows one flip, or none.
 */
#include "predict.h"

#include <stdlib.h>
#include <string.h>

#include "../progress.h"

struct compute {
	struct predict *p;
	struct facts *f;
	const struct boot_options *options;
	bool capture;
	uint64_t done, all; /* machines, for the progress */
	VEC(char *) lines;  /* command lines that were tried */
};

const char *predict_state_name(enum predict_state s)
{
	static const char *const names[PREDICT_STATES] = {
		"not-asked", "served", "less", "depends", "failed", "no-machine",
	};

	return (unsigned int)s < PREDICT_STATES ? names[s] : "?";
}

const char *predict_model(const struct predict *p, size_t model)
{
	return model < p->names.n && p->names.v[model] ? p->names.v[model] : "?";
}

const char *predict_value(char buf[VIEW_SIZE_MAX], uint64_t value)
{
	static const char suffix[] = "KMGT";
	unsigned int u = 0;

	value >>= 10;
	while (u < 3 && value && !(value & 1023)) {
		value >>= 10;
		u++;
	}
	snprintf(buf, VIEW_SIZE_MAX, "%llu%c", (unsigned long long)value, suffix[u]);
	return buf;
}

static enum predict_state compute_state(const struct boot_request *r)
{
	if (boot_request_failed(r) || r->outcome == BOOT_NEVER)
		return PREDICT_FAILED;
	switch (r->outcome) {
	case BOOT_SERVED:
		return PREDICT_SERVED;
	case BOOT_LESS:
		return PREDICT_LESS;
	case BOOT_DEPENDS:
		return PREDICT_DEPENDS;
	default:
		return PREDICT_ABSENT;
	}
}

/* A request's name in the sweep: the size may differ from value to value, so it is not in it. */
static char *compute_label(const struct predict_point *at, const struct boot_request *r)
{
	const char *zone = r->asked.gfp & PZL_GFP_DMA	  ? " GFP_DMA"
			   : r->asked.gfp & PZL_GFP_DMA32 ? " GFP_DMA32"
							  : "";
	char *label = xasprintf("%s%s", r->asked.name, zone);
	unsigned int same = 1;

	for (size_t i = 0; i < at->entries.n; i++) {
		const char *other = at->entries.v[i].label;

		same += !strncmp(other, label, strlen(label)) &&
			(!other[strlen(label)] || other[strlen(label)] == '#');
	}
	if (same > 1) {
		char *numbered = xasprintf("%s#%u", label, same);

		free(label);
		label = numbered;
	}
	return label;
}

static void compute_entries(struct predict_point *at, const struct boot *b)
{
	for (size_t i = 0; i < b->requests.n; i++) {
		const struct boot_request *r = &b->requests.v[i];
		char *label = compute_label(at, r);
		struct predict_entry *e = vec_push(&at->entries);

		e->label = label;
		e->state = compute_state(r);
		e->reason = e->state == PREDICT_SERVED ? NULL : boot_reason(r);
	}
}

static void compute_entry(struct predict_point *at, const char *label, enum predict_state state,
			  const char *reason)
{
	struct predict_entry *e = vec_push(&at->entries);

	e->label = xstrdup(label);
	e->state = state;
	e->reason = reason ? xstrdup(reason) : NULL;
}

/* A line of error without the name of the input before it. */
static const char *compute_bare(const struct facts *f, const char *line)
{
	size_t n = f->files.n ? strlen(f->files.v[0]) : 0;

	return n && !strncmp(line, f->files.v[0], n) && !strncmp(line + n, ": ", 2) ? line + n + 2
										    : line;
}

/*
 * The machine of a value: facts that a kernel started on it would see, in @made or the input's own.
 */
static int compute_facts(struct compute *x, uint64_t value, struct facts *made, struct facts **use,
			 struct analysis_options *how, char **err)
{
	const struct sweep *s = &x->p->sweep;
	struct facts resized, *running = x->f;
	char *line = NULL;
	int rc = 0;

	facts_init(&resized);
	if (s->what == SWEEP_RAM) {
		rc = resized_machine(&resized, x->f, how, value, err);
		running = &resized;
	} else {
		line = sweep_cmdline(s, how->cmdline ? how->cmdline : x->f->cmdline, value);
		how->cmdline = line;
	}
	if (!rc && x->capture) {
		/* Its own command line is the loader's. */
		rc = capture_machine(made, running, how, err);
		how->cmdline = NULL;
		running = made;
	} else if (running == &resized) {
		*made = resized;
		facts_init(&resized);
		running = made;
	}
	*use = running;
	facts_destroy(&resized);
	if (how->cmdline && how->cmdline == line)
		how->cmdline = *vec_push(&x->lines) = line;
	else
		free(line);
	return rc;
}

/* Carry the machine of a value through start-up. Only wrong usage is an error. */
static int compute_try(struct compute *x, size_t model, uint64_t value, struct predict_point *at,
		       char **err)
{
	struct boot_options options = *x->options;
	struct facts made, *use;
	char *trouble = NULL;
	struct boot b;
	int rc;

	at->model = model;
	at->value = value;
	options.model = x->p->models.name[model];
	facts_init(&made);
	rc = compute_facts(x, value, &made, &use, &options.how, &trouble);
	/* Without memory for it there is no capture kernel. */
	if (x->capture && (!rc || rc == EXIT_PROBLEM))
		compute_entry(at, "crash kernel", rc ? PREDICT_FAILED : PREDICT_SERVED,
			      trouble ? compute_bare(x->f, trouble) : NULL);
	if (!rc) {
		rc = boot_run(&b, use, &options, &trouble);
		if (!rc && b.start.no_image) {
			trouble = xstrdup("the kernel image has no place in this memory");
		} else if (!rc) {
			compute_entries(at, &b);
			if (!x->p->names.v[model])
				x->p->names.v[model] = xstrdup(b.model);
		}
		boot_destroy(&b);
	}
	facts_destroy(&made);
	x->done++;
	progress("predict", x->done, x->all > x->done ? x->all : x->done + 1);
	if (rc == EXIT_USAGE) {
		*err = trouble;
		return rc;
	}
	at->trouble = trouble ? xstrdup(compute_bare(x->f, trouble)) : NULL;
	free(trouble);
	return 0;
}

static const struct predict_point *compute_point(const struct predict *p, size_t model,
						 uint64_t value)
{
	for (size_t i = 0; i < p->points.n; i++)
		if (p->points.v[i].model == model && p->points.v[i].value == value)
			return &p->points.v[i];
	return NULL;
}

static enum predict_state compute_at(const struct predict_point *at, const char *label,
				     const char **reason)
{
	for (size_t i = 0; i < at->entries.n; i++) {
		if (strcmp(at->entries.v[i].label, label))
			continue;
		*reason = at->entries.v[i].reason;
		return at->entries.v[i].state;
	}
	*reason = at->trouble;
	return at->trouble ? PREDICT_NO_MACHINE : PREDICT_ABSENT;
}

/* The state of a row at a value, which is tried when it was not yet. */
static int compute_row_at(struct compute *x, const struct predict_row *row, uint64_t value,
			  enum predict_state *state, const char **reason, char **err)
{
	const struct predict_point *at = compute_point(x->p, row->model, value);
	int rc;

	if (!at) {
		struct predict_point fresh;

		memset(&fresh, 0, sizeof(fresh));
		x->all++;
		rc = compute_try(x, row->model, value, &fresh, err);
		*vec_push(&x->p->points) = fresh;
		if (rc)
			return rc;
		at = &x->p->points.v[x->p->points.n - 1];
	}
	*state = compute_at(at, row->label, reason);
	return 0;
}

/* How much a state tells about why: what fails most of all. */
static bool compute_worse(enum predict_state a, enum predict_state b)
{
	return a != PREDICT_ABSENT && a > b;
}

/* The flips between two values, the first of which has the state @was. */
static int compute_flips(struct compute *x, struct predict_row *row, uint64_t low, uint64_t high,
			 enum predict_state was, char **err)
{
	uint64_t grain = x->p->sweep.grain;
	enum predict_state end, now, at_high;
	const char *why_low = NULL, *why = NULL;
	int rc = compute_row_at(x, row, high, &end, &why, err);

	while (!rc && was != end) {
		struct predict_flip *flip;
		uint64_t top = high;

		at_high = end;
		while (!rc && top - low > grain) {
			uint64_t mid = low + (top - low) / grain / 2 * grain;

			rc = compute_row_at(x, row, mid, &now, &why, err);
			if (rc)
				break;
			if (now == was) {
				low = mid;
			} else {
				top = mid;
				at_high = now;
			}
		}
		if (!rc)
			rc = compute_row_at(x, row, low, &now, &why_low, err);
		if (!rc)
			rc = compute_row_at(x, row, top, &now, &why, err);
		if (rc)
			return rc;
		flip = vec_push(&row->flips);
		flip->last = low;
		flip->first = top;
		flip->from = was;
		flip->to = at_high;
		if (compute_worse(was, at_high))
			why = why_low;
		flip->reason = why ? xstrdup(why) : NULL;
		was = at_high;
		low = top;
	}
	return rc;
}

static int compute_row(struct compute *x, struct predict_row *row, char **err)
{
	const struct sweep *s = &x->p->sweep;
	enum predict_state state;
	const char *why;
	int rc = 0;

	for (size_t i = 0; i < s->values.n; i++) {
		rc = compute_row_at(x, row, s->values.v[i], &state, &why, err);
		if (rc)
			return rc;
		*vec_push(&row->states) = (uint8_t)state;
		x->p->failed = x->p->failed || state == PREDICT_FAILED;
		if (!i && why && state != PREDICT_ABSENT)
			row->reason = xstrdup(why);
	}
	for (size_t i = 1; i < s->values.n && !rc; i++)
		rc = compute_flips(x, row, s->values.v[i - 1], s->values.v[i],
				   (enum predict_state)row->states.v[i - 1], err);
	return rc;
}

/* Whether a label has its rows already. */
static bool compute_known(const struct predict *p, const char *label)
{
	for (size_t i = 0; i < p->rows.n; i++)
		if (!strcmp(p->rows.v[i].label, label))
			return true;
	return false;
}

/* A row for each model, once. */
static void compute_add_rows(struct predict *p, const char *label)
{
	if (compute_known(p, label))
		return;
	for (size_t m = 0; m < p->models.n; m++) {
		struct predict_row *row = vec_push(&p->rows);

		row->label = xstrdup(label);
		row->model = m;
	}
}

static void compute_rows(struct predict *p)
{
	for (size_t i = 0; i < p->points.n; i++) {
		const struct predict_point *at = &p->points.v[i];

		for (size_t k = 0; k < at->entries.n; k++)
			compute_add_rows(p, at->entries.v[k].label);
	}
	/* What is changed has a row also where no machine asks for it. */
	if (sweep_request(&p->sweep))
		compute_add_rows(p, sweep_request(&p->sweep));
}

/* All values under one model; with --model all, one that has no such architecture is dropped. */
static int compute_model(struct compute *x, size_t model, char **err)
{
	const struct sweep *s = &x->p->sweep;

	for (size_t i = 0; i < s->values.n; i++) {
		struct predict_point *at = vec_push(&x->p->points);
		int rc = compute_try(x, model, s->values.v[i], at, err);

		if (rc)
			return rc;
	}
	return 0;
}

/* Why no machine of the sweep starts; NULL when one does. */
static const char *compute_none(const struct predict *p)
{
	for (size_t i = 0; i < p->points.n; i++)
		if (!p->points.v[i].trouble)
			return NULL;
	return p->points.n ? p->points.v[0].trouble : "no size to try";
}

static void compute_point_destroy(struct predict_point *at)
{
	for (size_t i = 0; i < at->entries.n; i++) {
		free(at->entries.v[i].label);
		free(at->entries.v[i].reason);
	}
	vec_free(&at->entries);
	free(at->trouble);
}

static int compute_all(struct compute *x, char **err)
{
	struct predict *p = x->p;
	int rc = 0;

	x->all = p->models.n * p->sweep.values.n;
	for (size_t m = 0; m < p->models.n;) {
		size_t before = p->points.n;

		*vec_push(&p->names) = NULL;
		rc = compute_model(x, m, err);
		if (rc == EXIT_USAGE && p->models.all && p->models.n > 1) {
			while (p->points.n > before)
				compute_point_destroy(&p->points.v[--p->points.n]);
			p->names.n--;
			boot_models_drop(&p->models, m);
			free(*err);
			*err = NULL;
			continue;
		}
		if (rc)
			return rc;
		m++;
	}
	if (compute_none(p)) {
		*err = xasprintf("no machine of this sweep starts: %s", compute_none(p));
		return EXIT_INPUT;
	}
	compute_rows(p);
	for (size_t i = 0; i < p->rows.n && !rc; i++)
		rc = compute_row(x, &p->rows.v[i], err);
	return rc;
}

int predict_run(struct predict *p, struct facts *f, const struct boot_options *b, bool capture,
		char **err)
{
	struct compute x = { p, f, b, capture, 0, 0, { NULL, 0, 0 } };
	int rc = compute_all(&x, err);

	progress_end();
	for (size_t i = 0; i < x.lines.n; i++)
		free(x.lines.v[i]);
	vec_free(&x.lines);
	return rc;
}

static void compute_row_destroy(struct predict_row *row)
{
	for (size_t i = 0; i < row->flips.n; i++)
		free(row->flips.v[i].reason);
	vec_free(&row->flips);
	vec_free(&row->states);
	free(row->label);
	free(row->reason);
}

void predict_destroy(struct predict *p)
{
	for (size_t i = 0; i < p->points.n; i++)
		compute_point_destroy(&p->points.v[i]);
	for (size_t i = 0; i < p->rows.n; i++)
		compute_row_destroy(&p->rows.v[i]);
	for (size_t i = 0; i < p->names.n; i++)
		free(p->names.v[i]);
	vec_free(&p->points);
	vec_free(&p->rows);
	vec_free(&p->names);
	sweep_destroy(&p->sweep);
	boot_models_destroy(&p->models);
}

bool predict_alike(const struct predict *p, size_t row)
{
	const struct predict_row *first = &p->rows.v[row];

	if (first->model || p->models.n == 1)
		return false;
	for (size_t i = row + 1; i < p->rows.n && p->rows.v[i].model; i++) {
		const struct predict_row *other = &p->rows.v[i];

		if (other->flips.n != first->flips.n ||
		    memcmp(other->states.v, first->states.v, first->states.n))
			return false;
		for (size_t k = 0; k < first->flips.n; k++)
			if (other->flips.v[k].first != first->flips.v[k].first ||
			    other->flips.v[k].to != first->flips.v[k].to)
				return false;
	}
	return true;
}
