/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.c - the flips of a sweep for programs; sizes are bytes.
 */
#include "predict.h"

#include "../json.h"

static void json_row(struct json *j, const struct predict *p, const struct predict_row *row)
{
	json_object(j, false);
	json_key_string(j, "request", row->label);
	json_key_string(j, "model", predict_model(p, row->model));
	json_key(j, "states");
	json_array(j, true);
	for (size_t i = 0; i < row->states.n; i++)
		json_string(j, predict_state_name((enum predict_state)row->states.v[i]));
	json_end_array(j);
	json_key_string(j, "reason", row->reason);
	json_key(j, "flips");
	json_array(j, false);
	for (size_t i = 0; i < row->flips.n; i++) {
		const struct predict_flip *f = &row->flips.v[i];

		json_object(j, true);
		json_key_u64(j, "last", f->last);
		json_key_u64(j, "first", f->first);
		json_key_string(j, "from", predict_state_name(f->from));
		json_key_string(j, "to", predict_state_name(f->to));
		json_key_string(j, "reason", f->reason);
		json_end_object(j);
	}
	json_end_array(j);
	json_end_object(j);
}

void predict_json(struct out *o, const struct view *v, const struct predict *p)
{
	struct json j;

	json_init(&j, o);
	view_json_head(&j, v, false);
	json_key(&j, "sweep");
	json_object(&j, false);
	json_key_string(&j, "what", p->sweep.name);
	json_key_u64(&j, "grain", p->sweep.grain);
	json_key_string(&j, "capture", p->capture);
	json_key(&j, "values");
	json_array(&j, true);
	for (size_t i = 0; i < p->sweep.values.n; i++)
		json_u64(&j, p->sweep.values.v[i]);
	json_end_array(&j);
	json_end_object(&j);
	json_key(&j, "requests");
	json_array(&j, false);
	for (size_t i = 0; i < p->rows.n; i++)
		json_row(&j, p, &p->rows.v[i]);
	json_end_array(&j);
	json_key_u64(&j, "machines", p->points.n);
	view_json_tail(&j, v);
}
