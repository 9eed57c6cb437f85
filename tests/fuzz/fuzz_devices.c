/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_devices.c - devices of device trees, and reserved regions of IOMMU groups, from any bytes.
 *
 * The first byte chooses: below 64 a list of regions for a device with that many address bits, else
 * a blob, whose devices have so many bits less 64.
 */
#include <stdlib.h>
#include <string.h>

#include "devices/devices.h"
#include "input/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check_dev(const struct devices *d, const struct dev *dev)
{
	must(!pz_reach_check(&dev->bus));
	must(dev->by_bus <= d->total);
	for (int u = 0; u < DEV_USES; u++) {
		const struct pz_reach *r = &dev->reach[u];

		must(!pz_reach_check(r));
		for (uint32_t i = 0; i < r->count; i++) {
			uint64_t bus, last = r->v[i].phys.last;

			/* Inside the bus's own windows, and below the mask. */
			must(!pz_reach_to_bus(&dev->bus, last, &bus));
			must(dev->bits[u] >= 64 || !(bus >> dev->bits[u]));
			must(dev->iommu == DEV_IOMMU_TRANSLATES ||
			     dev_reaches(dev, (enum dev_use)u, last));
		}
	}
}

static void check(struct devices *d, struct facts *f)
{
	const struct devices_query all = { .each = true }, ask = { false, true, true, 0x1000 };
	struct out out;

	devices_memory(d, f);
	devices_compute(d);
	must(!pz_rangeset_check(&d->memory));
	for (size_t i = 0; i < d->all.n; i++)
		check_dev(d, &d->all.v[i]);
	out_init(&out, NULL);
	devices_text(&out, d, f, "fuzz", &all);
	devices_json(&out, d, f, "fuzz", &all);
	devices_svg(&out, d, "fuzz", &ask);
	out_destroy(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	struct devices d;
	struct facts f;
	char *err = NULL;
	unsigned int bits;
	uint32_t file;
	int ret;

	if (size < 1 || size > 1 << 13)
		return 0;
	bits = data[0] % 64 + 1;
	facts_init(&f);
	devices_init(&d);
	file = facts_file(&f, "fuzz");
	if (data[0] < 64)
		ret = sys_regions(devices_add(&d, "x"), &f, file, text, size - 1, &err);
	else
		ret = dtb_devices(&d, &f, file, text, size - 1, &err);
	must(ret == 0 || ret == INPUT_BAD);
	must((ret != 0) == (err != NULL));
	must(!err || !strpbrk(err, "\n\r\t\033"));
	for (size_t i = 0; i < d.all.n; i++)
		for (int u = 0; u < DEV_USES; u++)
			d.all.v[i].bits[u] = u ? bits / 2 + 1 : bits;
	if (!ret)
		check(&d, &f);
	free(err);
	devices_destroy(&d);
	facts_destroy(&f);
	return 0;
}
