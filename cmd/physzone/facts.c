/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts.c - an empty set of facts, and its end.
 *
 * Every string in the facts is owned by them. Failure: none but running out of memory, which ends
 * the program (vec.h).
 */
#include "facts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void facts_init(struct facts *f)
{
	memset(f, 0, sizeof(*f));
	f->memory.stamp = -1;
	f->min_free_kbytes = UINT64_MAX;
	f->dt.dma_max_cpu = PZ_ADDR_MAX;
}

void facts_destroy(struct facts *f)
{
	for (size_t i = 0; i < f->files.n; i++)
		free(f->files.v[i]);
	for (size_t i = 0; i < f->fw.n; i++)
		free(f->fw.v[i].word);
	for (size_t i = 0; i < f->claims.n; i++)
		free(f->claims.v[i].text);
	for (size_t i = 0; i < f->mb_events.n; i++)
		free(f->mb_events.v[i].caller);
	for (size_t i = 0; i < f->freeing.n; i++)
		free(f->freeing.v[i].what);
	for (size_t i = 0; i < f->fallbacks.n; i++)
		vec_free(&f->fallbacks.v[i].order);
	for (size_t i = 0; i < f->failures.n; i++) {
		free(f->failures.v[i].comm);
		free(f->failures.v[i].flags);
		free(f->failures.v[i].nodemask);
		free(f->failures.v[i].mems_allowed);
		for (size_t k = 0; k < f->failures.v[i].trace.n; k++)
			free(f->failures.v[i].trace.v[k]);
		vec_free(&f->failures.v[i].trace);
	}
	for (size_t i = 0; i < f->said.n; i++)
		free(f->said.v[i].text);
	for (size_t i = 0; i < f->swiotlb_devices.n; i++) {
		free(f->swiotlb_devices.v[i].driver);
		free(f->swiotlb_devices.v[i].name);
	}
	for (size_t i = 0; i < f->iomem.n; i++)
		free(f->iomem.v[i].name);
	for (size_t i = 0; i < f->contradictions.n; i++)
		free(f->contradictions.v[i].text);
	for (size_t i = 0; i < f->notes.n; i++)
		free(f->notes.v[i]);
	for (size_t i = 0; i < f->line_texts.n; i++)
		free(f->line_texts.v[i]);
	vec_free(&f->files);
	vec_free(&f->fw);
	vec_free(&f->e820_changes);
	vec_free(&f->node_ranges);
	vec_free(&f->initmem);
	vec_free(&f->zone_ranges);
	vec_free(&f->movable);
	vec_free(&f->srat);
	vec_free(&f->claims);
	vec_free(&f->mb_events);
	vec_free(&f->mb_regions);
	vec_free(&f->freeing);
	vec_free(&f->zoneinfo);
	vec_free(&f->zone_pages);
	vec_free(&f->spans);
	vec_free(&f->fallbacks);
	vec_free(&f->numa_merges);
	vec_free(&f->fake_nodes);
	vec_free(&f->failures);
	vec_free(&f->mem_infos);
	vec_free(&f->zone_reports);
	vec_free(&f->said);
	vec_free(&f->swiotlb);
	vec_free(&f->swiotlb_devices);
	vec_free(&f->pages);
	vec_free(&f->iomem);
	vec_free(&f->distances);
	vec_free(&f->nodes_online);
	vec_free(&f->nodes_memory);
	vec_free(&f->dt.usable);
	for (size_t i = 0; i < f->dt.dynamic.n; i++) {
		free(f->dt.dynamic.v[i].name);
		vec_free(&f->dt.dynamic.v[i].within);
	}
	vec_free(&f->dt.dynamic);
	vec_free(&f->contradictions);
	vec_free(&f->notes);
	vec_free(&f->line_marks);
	vec_free(&f->line_texts);
	free(f->dt.model);
	free(f->dt.compatible);
	free(f->banner);
	free(f->release);
	free(f->cmdline);
	free(f->machine_model);
	free(f->arch_hint);
	memset(f, 0, sizeof(*f));
}

uint32_t facts_file(struct facts *f, const char *name)
{
	*vec_push(&f->files) = xstrdup(name);
	return (uint32_t)(f->files.n - 1);
}

void facts_keep_line(struct facts *f, const char *p, size_t n)
{
	char *copy = xstrndup(p, n);

	for (size_t i = 0; i < n; i++)
		if (!copy[i])
			copy[i] = ' ';
	*vec_push(&f->line_texts) = copy;
}

void facts_note(struct facts *f, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	*vec_push(&f->notes) = s;
}

void facts_contradict(struct facts *f, struct where at, const char *fmt, ...)
{
	struct fact_contradiction *c;
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	c = vec_push(&f->contradictions);
	c->text = s;
	c->at = at;
}
