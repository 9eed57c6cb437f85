/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cmd_low1m.c - physzone low1m: the history of the first megabyte of x86 on a given machine.
 */
#include "commands.h"

#include "analysis.h"
#include "input/source.h"
#include "json.h"
#include "view/table.h"

static void low1m_text(struct out *out, const struct an_low1m_history *h, const char *title)
{
	struct table t;

	out_styled(out, ST_BOLD, title);
	out_str(out, "\n\nPages below 1 MiB, by the newest of the commits that a kernel has:\n\n");
	table_init(&t, "llrrrl");
	table_row(&t);
	table_set(&t, 0, ST_HEAD, "since");
	table_set(&t, 1, ST_HEAD, "commit");
	table_set(&t, 2, ST_HEAD, "present");
	table_set(&t, 3, ST_HEAD, "managed");
	table_set(&t, 4, ST_HEAD, "with crashkernel=");
	for (size_t i = 0; i < h->rows.n; i++) {
		const struct an_low1m *r = &h->rows.v[i];

		table_row(&t);
		table_set(&t, 0, ST_PLAIN, "%s", r->version ? r->version : "before");
		table_set(&t, 1, ST_PLAIN, "%s", r->id ? r->id : "-");
		table_set(&t, 2, ST_PLAIN, "%llu", (unsigned long long)r->present);
		table_set(&t, 3, r->managed ? ST_PLAIN : ST_WARN, "%llu",
			  (unsigned long long)r->managed);
		table_set(&t, 4, r->managed_crash ? ST_PLAIN : ST_WARN, "%llu",
			  (unsigned long long)r->managed_crash);
		if (r->commits == h->own)
			table_set(&t, 5, ST_DIM, "this kernel");
	}
	table_print(&t, out, 2);
	table_destroy(&t);
	out_char(out, '\n');
	for (size_t i = 0; i < h->rows.n; i++) {
		const struct an_low1m *r = &h->rows.v[i];

		out_printf(out, "  %-12s  ", r->id ? r->id : "before");
		out_wrap(out, 16, 16, r->rule);
		out_char(out, '\n');
	}
}

static void low1m_json(struct out *out, const struct an_low1m_history *h, const char *title)
{
	struct json j;

	json_init(&j, out);
	json_object(&j, false);
	json_key_u64(&j, "schema", 1);
	json_key_string(&j, "source", title);
	json_key(&j, "kernels");
	json_array(&j, false);
	for (size_t i = 0; i < h->rows.n; i++) {
		const struct an_low1m *r = &h->rows.v[i];

		json_object(&j, true);
		json_key_string(&j, "commit", r->id);
		json_key_string(&j, "since", r->version);
		json_key_u64(&j, "present", r->present);
		json_key_u64(&j, "managed", r->managed);
		json_key_u64(&j, "managed_with_crashkernel", r->managed_crash);
		json_key_bool(&j, "backup", r->backup);
		json_key_bool(&j, "no_trampoline", r->no_trampoline);
		json_key_bool(&j, "this_kernel", r->commits == h->own);
		json_key_string(&j, "rule", r->rule);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_end_object(&j);
	json_finish(&j);
}

int cmd_low1m(const struct options *o, struct out *out, char **err)
{
	const struct source_options from = { .boot = o->boot, .live = o->live };
	const struct analysis_options how = {
		.model = o->model,
		.arch = o->arch,
		.cmdline = o->cmdline,
	};
	const char *title = o->live ? "this machine" : o->source;
	struct an_low1m_history h = { { NULL, 0, 0 }, 0 };
	struct facts f;
	int rc;

	facts_init(&f);
	rc = source_read(&f, o->source, &from, err);
	if (!rc)
		rc = analyse_low1m(&h, &f, &how, err);
	if (!rc) {
		if (o->json)
			low1m_json(out, &h, title);
		else
			low1m_text(out, &h, title);
	}
	vec_free(&h.rows);
	facts_destroy(&f);
	return rc;
}
