/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tables.c - physzone compare tables: the arguments, the stream, the runs, and what is shown.
 */
#include "../view/svg.h"
#include "table_domains.h"
#include "tables.h"

#include <stdlib.h>
#include <string.h>

#include "../device.h"
#include "../view/view.h"

#define TABLES_FILL 99u
#define TABLES_PRESSURE 10u

static int tables_settings_read(struct tables_settings *set, const struct options *o, char **err)
{
	memset(set, 0, sizeof(*set));
	set->last = UINT32_MAX;
	set->fill = o->fill_given ? o->fill : TABLES_FILL;
	set->pressure = o->pressure_given ? o->pressure : TABLES_PRESSURE;
	set->keep = o->keep;
	set->time = o->time;
	if (o->cma) {
		*err = xstrdup("--cma is for 'physzone compare policies'");
		return EXIT_USAGE;
	}
	if (o->reaches > 1) {
		*err = xasprintf("one limit of the tables; '%s' is one too many", o->reach[1].text);
		return EXIT_USAGE;
	}
	if (o->reaches) {
		struct device d;
		int rc = device_parse(&d, &o->reach[0], err);

		set->last = device_last(&d);
		if (set->last > TABLE_LAST_MAX)
			set->last = TABLE_LAST_MAX;
		device_destroy(&d);
		return rc;
	}
	return 0;
}

static int tables_stream(struct table_ops *t, const struct options *o, char **err)
{
	struct mix mix;
	int rc;

	if (o->trace)
		return table_ops_record(t, o->trace, err);
	rc = mix_read(&mix, MIX_TABLES, o->mix ? o->mix : "media", err);
	if (!rc)
		rc = table_ops_generate(t, &mix, o->seed_given ? o->seed : 1, err);
	mix_destroy(&mix);
	return rc;
}

static int tables_below(void *ctx, struct pz_range pfns, int nid)
{
	struct tables *x = ctx;
	uint64_t last = x->set->last >> x->m->page_shift;

	(void)nid;
	if (pfns.first <= last)
		x->below += ((pfns.last < last ? pfns.last : last) - pfns.first + 1)
			    << x->m->page_shift;
	return 0;
}

/* Whether there is anything to compare, and room for it. */
static int tables_possible(struct tables *x, char **err)
{
	char addr[VIEW_SIZE_MAX], size[VIEW_SIZE_MAX];

	if (!x->trace->tables) {
		*err = xasprintf("%s: expected mappings that need a table, found only %s",
				 x->ops->name,
				 x->trace->sections ? "sections" : "what is unmapped");
		return EXIT_INPUT;
	}
	(void)pz_memblock_hand_over(&x->m->mb, UINT64_MAX, tables_below, x);
	if (x->below >= UINT64_C(8) << 20)
		return 0;
	*err = xasprintf("%s: expected at least 8 MiB of memory below %s, found %s", x->m->title,
			 view_addr(addr, x->set->last + 1), view_size(size, x->below));
	return EXIT_UNDECIDED;
}

static int tables_picture(const struct tables *x, const char *file, char **err)
{
	struct out picture;
	int rc;

	out_init(&picture, NULL);
	tables_svg(&picture, x);
	rc = svg_save(&picture, file, err);
	out_destroy(&picture);
	return rc;
}

static int tables_all(struct tables *x, struct tables_run *runs, char **err)
{
	struct table_arena arena;
	int rc = table_arena_make(&arena, x->m, x->set->last, err);

	for (int i = 0; i < TABLE_WAYS && !rc; i++)
		rc = tables_run(&runs[i], table_way((enum table_way_id)i), x->m, &arena, x->trace,
				x->ops->domains, x->set, err);
	table_arena_destroy(&arena);
	return rc;
}

int compare_tables(const struct options *o, struct out *out, char **err)
{
	struct tables_run *runs = xcalloc(TABLE_WAYS, sizeof(*runs));
	struct tables_settings set;
	struct compare_machine m;
	struct table_ops ops;
	struct table_trace trace;
	struct tables x = { &m, &ops, &trace, &set, runs, 0 };
	int rc;

	memset(&m, 0, sizeof(m));
	memset(&ops, 0, sizeof(ops));
	memset(&trace, 0, sizeof(trace));
	rc = tables_settings_read(&set, o, err);
	if (!rc)
		rc = compare_machine_read(&m, o, err);
	if (!rc)
		rc = tables_stream(&ops, o, err);
	if (!rc) {
		table_reduce(&trace, &ops, o->keep);
		rc = tables_possible(&x, err);
	}
	if (!rc)
		rc = tables_all(&x, runs, err);
	if (!rc && o->svg && strcmp(o->svg, "-"))
		rc = tables_picture(&x, o->svg, err);
	if (!rc && o->svg && !strcmp(o->svg, "-"))
		tables_svg(out, &x);
	else if (!rc && o->json)
		tables_json(out, &x);
	else if (!rc)
		tables_text(out, &x);
	for (int i = 0; i < TABLE_WAYS; i++)
		tables_run_destroy(&runs[i]);
	table_trace_destroy(&trace);
	table_ops_destroy(&ops);
	compare_machine_destroy(&m);
	free(runs);
	return rc;
}
