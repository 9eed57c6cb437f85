/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.c - what the command line says about a start-up: models, and how requests are made.
 */
#include "boot.h"

#include <stdlib.h>
#include <string.h>

#include "../device.h"

static const char *const options_all[] = { "linux-5.15", "linux-6.1", "linux-6.12", "physzone" };

int boot_models_parse(struct boot_models *m, const char *list, char **err)
{
	m->n = 0;
	m->all = list && !strcmp(list, "all");
	for (size_t i = 0; m->all && i < sizeof(options_all) / sizeof(options_all[0]); i++)
		m->name[m->n++] = xstrdup(options_all[i]);
	while (list && !m->all) {
		size_t n = strcspn(list, ",");

		if (m->n == BOOT_RUNS) {
			*err = xasprintf("--model names more than %u models", BOOT_RUNS);
			return EXIT_USAGE;
		}
		m->name[m->n++] = xstrndup(list, n);
		list = list[n] ? list + n + 1 : NULL;
	}
	if (!m->n)
		m->name[m->n++] = NULL;
	return 0;
}

void boot_models_drop(struct boot_models *m, size_t i)
{
	free(m->name[i]);
	memmove(&m->name[i], &m->name[i + 1], (m->n - i - 1) * sizeof(m->name[0]));
	m->n--;
}

void boot_models_destroy(struct boot_models *m)
{
	while (m->n)
		boot_models_drop(m, m->n - 1);
}

int boot_options_read(struct boot_options *b, const struct options *o, char **err)
{
	b->device_max = PZ_ADDR_MAX;
	b->only_managed = o->dma_caches_managed;
	b->pool_rules = (enum pzl_pool_rules)o->pool_rules;
	if (o->reaches > 1) {
		*err = xasprintf("one device at a time; '%s' is one too many", o->reach[1].text);
		return EXIT_USAGE;
	}
	if (o->reaches) {
		struct device d;
		int rc = device_parse(&d, &o->reach[0], err);

		b->device_said = true;
		b->device_max = device_last(&d);
		device_destroy(&d);
		if (rc)
			return rc;
	}
	if (o->kmalloc_dma) {
		char *end;
		const char *s = o->kmalloc_dma;

		b->kmalloc_dma = strtoull(s, &end, 10);
		if (*s < '0' || *s > '9' || *end || !b->kmalloc_dma ||
		    b->kmalloc_dma > UINT64_C(1) << 22) {
			*err = xasprintf("--kmalloc-dma wants bytes from 1 to 4194304, not '%s'",
					 s);
			return EXIT_USAGE;
		}
	}
	return 0;
}
