/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.c - what devices reach, for people and for programs.
 */
#include "reach.h"

#include <inttypes.h>
#include <string.h>

#include "../json.h"
#include "../view/table.h"

/* A cell of the bar: what its managed pages are, the best of them when they differ. */
enum reach_cell { CELL_BEYOND, CELL_CHANCE, CELL_SURE, CELLS };

static uint64_t reach_overlap(const struct pz_rangeset *s, uint64_t first, uint64_t pages,
			      const struct pz_rangeset *within)
{
	uint64_t skip = first, left = pages, n = 0;

	/* The pages numbered first.. of the set, by their order in it. */
	for (uint32_t i = 0; i < s->count && left; i++) {
		struct pz_range p = s->v[i], both;
		uint64_t size = p.last - p.first + 1;

		if (skip >= size) {
			skip -= size;
			continue;
		}
		p.first += skip;
		skip = 0;
		if (p.last - p.first + 1 > left)
			p.last = p.first + left - 1;
		left -= p.last - p.first + 1;
		for (uint32_t k = pz_rangeset_find(within, p.first); k < within->count; k++) {
			if (within->v[k].first > p.last)
				break;
			if (pz_range_intersect(within->v[k], p, &both))
				n += both.last - both.first + 1;
		}
	}
	return n;
}

/* The managed pages by address, as many in each cell: what the machine's kernel does with them. */
static void reach_bar(struct out *o, const struct reach_machine *m, const struct reach *r)
{
	static const char *const utf8[CELLS] = { "·", "▒", "█" };
	static const char *const ascii[CELLS] = { ".", "+", "#" };
	unsigned int cells = o->width > 44 ? o->width - 4 : 40;
	const char *const *sign = o->utf8 ? utf8 : ascii;

	if (!r->managed)
		return;
	if (cells > r->managed)
		cells = (unsigned int)r->managed;
	out_str(o, "  ");
	for (unsigned int i = 0; i < cells; i++) {
		uint64_t share = r->managed / cells, rest = r->managed % cells;
		uint64_t first = i * share + (i < rest ? i : rest);
		enum reach_cell c = CELL_BEYOND;

		share += i < rest;
		if (reach_overlap(&m->managed, first, share, &r->sure))
			c = CELL_SURE;
		else if (reach_overlap(&m->managed, first, share, &r->pages))
			c = CELL_CHANCE;
		out_style(o, c == CELL_SURE ? ST_GOOD : c == CELL_CHANCE ? ST_WARN : ST_DIM);
		out_str(o, sign[c]);
		out_style(o, ST_PLAIN);
	}
	out_printf(o,
		   "\n  managed memory by address: %s in reach and sure under %s, %s in reach, %s "
		   "beyond\n",
		   sign[CELL_SURE], pzl_model_name(m->analysis.model), sign[CELL_CHANCE],
		   sign[CELL_BEYOND]);
}

static void reach_orders(struct out *o, const struct reach *r, unsigned int shift)
{
	char size[VIEW_SIZE_MAX];
	struct out line;

	out_init(&line, NULL);
	for (unsigned int k = 0; k < PZ_PAGE_ORDERS && r->blocks[k]; k++)
		out_printf(&line, "%s%" PRIu64 "%s%s", k ? " " : "", r->blocks[k],
			   o->utf8 ? "×" : "x", view_addr(size, UINT64_C(1) << (k + shift)));
	out_str(o, "  blocks       ");
	out_wrap(o, 15, 15, line.n ? out_text(&line) : "none");
	out_char(o, '\n');
	out_destroy(&line);
}

static void reach_plan(struct out *cell, const struct pzl_direct *p)
{
	for (unsigned int i = 0; i < p->tries; i++)
		out_printf(cell, "%s%s", i ? ", then " : "",
			   p->gfp[i] == 0x1	? "GFP_DMA"
			   : p->gfp[i] == 0x4 ? "GFP_DMA32"
						: "any");
}

/* The zone types that a number of pages comes from: those in reach, wholly or in part. */
static void reach_from(struct out *cell, const struct reach_model *rm, bool sure)
{
	unsigned int named = 0;
	int highest = -1;

	for (unsigned int i = 0; i < rm->plan.tries; i++) {
		if ((!sure || reach_try_whole(rm, i)) && (int)rm->plan.highest[i] > highest)
			highest = (int)rm->plan.highest[i];
	}
	for (int t = 0; t <= highest; t++) {
		if (!rm->zone[t].reached || (!sure && rm->zone[t].whole))
			continue;
		out_printf(cell, "%s%s", named++ ? ", " : " of ",
			   pz_zone_name((enum pz_zone_type)t));
	}
}

/* To a tenth of a MiB: the differences are what it is about. */
static void reach_delivered(struct table *t, const struct reach_delivery *d, unsigned int shift)
{
	uint64_t bytes = d->pages << shift;

	if (d->known)
		table_set(t, 4, d->pages ? ST_GOOD : ST_BAD, "%.1f MiB",
			  (double)bytes / (1 << 20));
	else
		table_set(t, 4, ST_DIM, "not tried");
}

static void reach_model_row(struct table *t, const struct reach *r, const struct reach_model *rm,
			    unsigned int shift)
{
	char size[VIEW_SIZE_MAX];
	struct out cell;

	table_row(t);
	table_set(t, 0, ST_BOLD, "%s", pzl_model_name(rm->model));
	if (rm->error) {
		table_set(t, 1, ST_DIM, "%s", rm->error);
		return;
	}
	if (!rm->plan.supported) {
		table_set(t, 1, ST_BAD, "refuses the driver's mask");
		table_set(t, 2, ST_BAD, "nothing");
		reach_delivered(t, &rm->delivery, shift);
		return;
	}
	out_init(&cell, NULL);
	reach_plan(&cell, &rm->plan);
	table_set(t, 1, ST_PLAIN, "%s", out_text(&cell));
	cell.n = 0;
	out_str(&cell, rm->sure ? view_pages_size(size, rm->sure, shift) : "nothing");
	if (rm->sure)
		reach_from(&cell, rm, true);
	table_set(t, 2, rm->sure ? ST_GOOD : ST_BAD, "%s", out_text(&cell));
	cell.n = 0;
	if (rm->chance) {
		out_str(&cell, view_pages_size(size, rm->chance, shift));
		reach_from(&cell, rm, false);
	}
	table_set(t, 3, ST_WARN, "%s", out_text(&cell));
	reach_delivered(t, &rm->delivery, shift);
	out_destroy(&cell);
	(void)r;
}

static void reach_models(struct out *o, const struct reach *r, unsigned int shift)
{
	char size[VIEW_SIZE_MAX];
	struct table t;

	table_init(&t, "llllr");
	table_row(&t);
	table_set(&t, 0, ST_HEAD, "under");
	table_set(&t, 1, ST_HEAD, "tries");
	table_set(&t, 2, ST_HEAD, "gives for sure");
	table_set(&t, 3, ST_HEAD, "by chance");
	table_set(&t, 4, ST_HEAD, "delivers");
	for (int i = 0; i < PZL_MODELS; i++)
		reach_model_row(&t, r, &r->model[i], shift);
	table_row(&t);
	table_set(&t, 0, ST_BOLD, "physzone");
	table_set(&t, 1, ST_PLAIN, "%s", r->device.name);
	if (r->reached > r->movable)
		table_set(&t, 2, ST_GOOD, "%s%s",
			  view_pages_size(size, r->reached - r->movable, shift),
			  r->movable ? "" : ", all of it");
	else
		table_set(&t, 2, ST_BAD, "nothing");
	reach_delivered(&t, &r->delivery, shift);
	table_print(&t, o, 2);
	table_destroy(&t);
}

static void reach_device(struct out *o, const struct reach_machine *m, const struct reach *r)
{
	char size[VIEW_SIZE_MAX], all[VIEW_SIZE_MAX], addr[VIEW_SIZE_MAX];
	unsigned int shift = m->analysis.page_shift;

	out_char(o, '\n');
	out_styled(o, ST_BOLD, r->device.name);
	out_printf(o, "\n  in reach     %s of %s managed", view_pages_size(size, r->reached, shift),
		   view_pages_size(all, r->managed, shift));
	if (r->managed && r->reached)
		out_printf(o, " (%.1f %%)", 100.0 * (double)r->reached / (double)r->managed);
	if (r->cma)
		out_printf(o, ", %s of it in contiguous areas",
			   view_pages_size(size, r->cma, shift));
	if (r->movable)
		out_printf(o, ", %s in ZONE_MOVABLE", view_pages_size(size, r->movable, shift));
	out_char(o, '\n');
	if (r->reached) {
		out_printf(o, "  longest run  %s at %s, of %" PRIu32 "\n",
			   view_pages_size(size, r->longest.last - r->longest.first + 1, shift),
			   view_addr(addr, r->longest.first << shift), r->pages.count);
		reach_orders(o, r, shift);
	}
	reach_bar(o, m, r);
	out_char(o, '\n');
	reach_models(o, r, shift);
}

void reach_text(struct out *o, const struct view *v, const struct reach_machine *m,
		const struct reach *r, size_t n)
{
	view_heading(o, v);
	for (size_t i = 0; i < n; i++)
		reach_device(o, m, &r[i]);
	view_findings(o, v);
}

static void json_reach_delivery(struct json *j, const struct reach_delivery *d)
{
	if (d->known) {
		json_key_u64(j, "delivers", d->pages);
	} else {
		json_key(j, "delivers");
		json_null(j);
	}
}

static void json_reach_model(struct json *j, const struct reach_model *rm)
{
	json_object(j, false);
	json_key_string(j, "model", pzl_model_name(rm->model));
	json_key_string(j, "error", rm->error);
	if (!rm->error) {
		json_key_bool(j, "mask_accepted", rm->plan.supported);
		json_key(j, "tries");
		json_array(j, false);
		for (unsigned int i = 0; i < rm->plan.tries; i++) {
			json_object(j, true);
			json_key_u64(j, "gfp", rm->plan.gfp[i]);
			json_key_string(j, "highest_zone", pz_zone_name(rm->plan.highest[i]));
			json_end_object(j);
		}
		json_end_array(j);
		json_key_u64(j, "sure", rm->sure);
		json_key_u64(j, "chance", rm->chance);
		json_reach_delivery(j, &rm->delivery);
		json_key(j, "zones");
		json_array(j, false);
		for (int t = 0; t < PZ_ZONE_TYPES; t++) {
			if (!rm->zone[t].managed)
				continue;
			json_object(j, true);
			json_key_string(j, "name", pz_zone_name((enum pz_zone_type)t));
			json_key_u64(j, "managed", rm->zone[t].managed);
			json_key_u64(j, "in_reach", rm->zone[t].reached);
			json_end_object(j);
		}
		json_end_array(j);
	}
	json_end_object(j);
}

static void json_reach_device(struct json *j, const struct reach *r)
{
	json_object(j, false);
	json_key_string(j, "device", r->device.name);
	json_key(j, "windows");
	json_array(j, false);
	for (size_t i = 0; i < r->device.windows.n; i++) {
		json_object(j, true);
		json_key_u64(j, "first", r->device.windows.v[i].first);
		json_key_u64(j, "last", r->device.windows.v[i].last);
		json_end_object(j);
	}
	json_end_array(j);
	json_key_u64(j, "managed", r->managed);
	json_key_u64(j, "in_reach", r->reached);
	json_key_u64(j, "cma", r->cma);
	json_key_u64(j, "movable", r->movable);
	json_key_u64(j, "runs", r->pages.count);
	json_key(j, "longest");
	if (r->reached) {
		json_object(j, true);
		json_key_u64(j, "start_pfn", r->longest.first);
		json_key_u64(j, "pages", r->longest.last - r->longest.first + 1);
		json_end_object(j);
	} else {
		json_null(j);
	}
	json_key(j, "blocks");
	json_array(j, true);
	for (unsigned int k = 0; k < PZ_PAGE_ORDERS; k++)
		json_u64(j, r->blocks[k]);
	json_end_array(j);
	json_key(j, "models");
	json_array(j, false);
	for (int i = 0; i < PZL_MODELS; i++)
		json_reach_model(j, &r->model[i]);
	json_object(j, true);
	json_key_string(j, "model", "physzone");
	json_key_u64(j, "sure", r->reached - r->movable);
	json_reach_delivery(j, &r->delivery);
	json_end_object(j);
	json_end_array(j);
	json_end_object(j);
}

void reach_json(struct out *o, const struct view *v, const struct reach *r, size_t n)
{
	struct json j;

	json_init(&j, o);
	view_json_head(&j, v, false);
	json_key(&j, "devices");
	json_array(&j, false);
	for (size_t i = 0; i < n; i++)
		json_reach_device(&j, &r[i]);
	json_end_array(&j);
	view_json_tail(&j, v);
}
