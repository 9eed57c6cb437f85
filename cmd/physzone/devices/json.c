/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.c - devices and what they reach, for programs.
 */
#include "devices.h"

#include "../json.h"
#include "../view/view.h"

static void json_range(struct json *j, struct pz_range r)
{
	json_key_u64(j, "first", r.first);
	json_key_u64(j, "last", r.last);
}

static void json_bytes(struct json *j, const struct devices *d, const char *key, uint64_t n)
{
	json_key(j, key);
	if (d->memory_from)
		json_u64(j, n);
	else
		json_null(j);
}

static void json_windows(struct json *j, const char *key, const struct pz_reach *r)
{
	json_key(j, key);
	json_array(j, false);
	for (uint32_t i = 0; i < r->count; i++) {
		json_object(j, true);
		json_range(j, r->v[i].phys);
		json_key_u64(j, "bus", r->v[i].bus);
		json_end_object(j);
	}
	json_end_array(j);
}

static void json_use(struct json *j, const struct devices *d, const struct dev *dev,
		     enum dev_use use, const struct devices_query *q)
{
	json_object(j, false);
	json_key_u64(j, "bits", dev->bits[use]);
	json_bytes(j, d, "bytes", dev->bytes[use]);
	json_windows(j, "windows", &dev->reach[use]);
	if (q->asked)
		json_key_bool(j, "reaches", dev_reaches(dev, use, q->addr));
	json_end_object(j);
}

static void json_regions(struct json *j, const struct dev *dev)
{
	json_key(j, "regions");
	json_array(j, false);
	for (size_t i = 0; i < dev->regions.n; i++) {
		const struct dev_region *r = &dev->regions.v[i];

		json_object(j, true);
		json_key_string(j, "name", r->name);
		json_key_string(j, "kind", dev_region_name(r->kind));
		if (r->placed)
			json_range(j, r->range);
		json_end_object(j);
	}
	json_end_array(j);
	json_key(j, "holes");
	json_array(j, false);
	for (size_t i = 0; i < dev->holes.n; i++) {
		json_object(j, true);
		json_range(j, dev->holes.v[i]);
		json_end_object(j);
	}
	json_end_array(j);
}

static void json_dev(struct json *j, const struct devices *d, const struct dev *dev,
		     const struct devices_query *q)
{
	json_object(j, false);
	json_key_string(j, "device", dev->name);
	json_key_string(j, d->tree ? "compatible" : "driver", dev->driver);
	json_key_string(j, "kind", dev->kind);
	json_key(j, "node");
	if (dev->nid == PZ_NID_NONE)
		json_null(j);
	else
		json_i64(j, dev->nid);
	if (d->tree)
		json_key_bool(j, "dma_coherent", dev->coherent);
	json_key_string(j, "behind", dev->behind);
	json_key_string(j, "iommu", dev_iommu_name(dev->iommu));
	json_key_string(j, "iommu_name", dev->iommu_name);
	json_bytes(j, d, "bytes_by_bus", dev->by_bus);
	json_windows(j, "windows", &dev->bus);
	json_key(j, "streaming");
	json_use(j, d, dev, DEV_STREAMING, q);
	json_key(j, "coherent");
	json_use(j, d, dev, DEV_COHERENT, q);
	json_regions(j, dev);
	json_key(j, "notes");
	json_array(j, false);
	for (size_t i = 0; i < dev->notes.n; i++)
		json_string(j, dev->notes.v[i]);
	json_end_array(j);
	json_end_object(j);
}

void devices_json(struct out *o, const struct devices *d, const struct facts *f, const char *title,
		  const struct devices_query *q)
{
	struct json j;

	json_init(&j, o);
	json_object(&j, false);
	json_key_u64(&j, "schema", VIEW_SCHEMA);
	json_key_string(&j, "source", title);
	json_bytes(&j, d, "memory", d->total);
	json_key_string(&j, "memory_from", d->memory_from);
	json_key(&j, "ranges");
	json_array(&j, false);
	for (uint32_t i = 0; i < d->memory.count; i++) {
		json_object(&j, true);
		json_range(&j, d->memory.v[i]);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_key(&j, "address");
	if (q->asked)
		json_u64(&j, q->addr);
	else
		json_null(&j);
	json_key(&j, "devices");
	json_array(&j, false);
	for (size_t i = 0; i < d->all.n; i++)
		if (devices_selects(q, &d->all.v[i]))
			json_dev(&j, d, &d->all.v[i], q);
	json_end_array(&j);
	json_key(&j, "notes");
	json_array(&j, false);
	for (size_t i = 0; i < f->notes.n; i++)
		json_string(&j, f->notes.v[i]);
	json_end_array(&j);
	json_end_object(&j);
	json_finish(&j);
}
