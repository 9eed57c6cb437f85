/* SPDX-License-Identifier: BSD-2-Clause */
#include "facts_dump.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void dump_at(FILE *out, bool lines, struct where at)
{
	if (lines)
		fprintf(out, " @%" PRIu32, at.line);
	fputc('\n', out);
}

static void dump_string(FILE *out, const char *name, const char *s)
{
	if (s)
		fprintf(out, "%s \"%s\"\n", name, s);
}

static void dump_number(FILE *out, const char *name, uint64_t v)
{
	if (v)
		fprintf(out, "%s %" PRIu64 "\n", name, v);
}

#define R "[%" PRIx64 "-%" PRIx64 "]"
#define RV(r) (r).first, (r).last

static void dump_firmware(FILE *out, const struct facts *f, bool lines)
{
	for (size_t i = 0; i < f->fw.n; i++) {
		const struct fact_fw *e = &f->fw.v[i];

		fprintf(out, "fw %d.%" PRIu32 " " R " %" PRIu32 " \"%s\" nid %d%s", e->origin,
			e->map, RV(e->range), e->type, e->word, e->nid,
			e->more_reliable ? " mirror" : "");
		dump_at(out, lines, e->at);
	}
	for (size_t i = 0; i < f->e820_changes.n; i++) {
		const struct fact_e820_change *e = &f->e820_changes.v[i];

		fprintf(out, "change " R " %" PRIu32 " to %" PRIu32, RV(e->range), e->from, e->to);
		dump_at(out, lines, e->at);
	}
	for (size_t i = 0; i < f->srat.n; i++) {
		const struct fact_srat *e = &f->srat.v[i];

		fprintf(out, "srat %d " R "%s%s", e->nid, RV(e->range),
			e->hotplug ? " hotplug" : "", e->non_volatile ? " non-volatile" : "");
		dump_at(out, lines, e->at);
	}
	for (size_t i = 0; i < f->numa_merges.n; i++) {
		const struct fact_numa_merge *e = &f->numa_merges.v[i];

		fprintf(out, "merge %d " R " " R " " R, e->nid, RV(e->a), RV(e->b), RV(e->out));
		dump_at(out, lines, e->at);
	}
	for (size_t i = 0; i < f->fake_nodes.n; i++) {
		const struct fact_node_range *e = &f->fake_nodes.v[i];

		fprintf(out, "fake %d " R, e->nid, RV(e->range));
		dump_at(out, lines, e->at);
	}
}

static void dump_results(FILE *out, const struct facts *f, bool lines)
{
	for (size_t i = 0; i < f->zone_ranges.n; i++) {
		const struct fact_zone_range *e = &f->zone_ranges.v[i];

		if (e->empty)
			fprintf(out, "zone %s empty", e->name);
		else
			fprintf(out, "zone %s " R, e->name, RV(e->range));
		dump_at(out, lines, e->at);
	}
	for (size_t i = 0; i < f->movable.n; i++) {
		fprintf(out, "movable %d %" PRIx64, f->movable.v[i].nid, f->movable.v[i].addr);
		dump_at(out, lines, f->movable.v[i].at);
	}
	for (size_t i = 0; i < f->node_ranges.n; i++) {
		fprintf(out, "node %d " R, f->node_ranges.v[i].nid, RV(f->node_ranges.v[i].range));
		dump_at(out, lines, f->node_ranges.v[i].at);
	}
	for (size_t i = 0; i < f->initmem.n; i++) {
		const struct fact_initmem *e = &f->initmem.v[i];

		fprintf(out, "initmem %d " R "%s", e->nid, RV(e->range),
			e->memoryless ? " memoryless" : "");
		dump_at(out, lines, e->at);
	}
	for (size_t i = 0; i < f->zone_pages.n; i++) {
		const struct fact_zone_pages *e = &f->zone_pages.v[i];

		fprintf(out, "pages %d %d %s %" PRIu64, e->kind, e->nid, e->name, e->pages);
		dump_at(out, lines, e->at);
	}
	for (size_t i = 0; i < f->spans.n; i++) {
		const struct fact_span *e = &f->spans.v[i];

		fprintf(out, "span %d %u " R, e->nid, e->zone, RV(e->pfns));
		dump_at(out, lines, e->at);
	}
	for (size_t i = 0; i < f->fallbacks.n; i++) {
		fprintf(out, "fallback %d:", f->fallbacks.v[i].nid);
		for (size_t k = 0; k < f->fallbacks.v[i].order.n; k++)
			fprintf(out, " %d", f->fallbacks.v[i].order.v[k]);
		dump_at(out, lines, f->fallbacks.v[i].at);
	}
	for (size_t i = 0; i < f->freeing.n; i++) {
		const struct fact_freeing *e = &f->freeing.v[i];

		fprintf(out, "freeing \"%s\" %" PRIu64 " at %.6f", e->what, e->kib, e->stamp);
		dump_at(out, lines, e->at);
	}
	if (f->memory.seen) {
		const struct fact_memory *m = &f->memory;

		fprintf(out,
			"memory %" PRIu64 "/%" PRIu64 " code %" PRIu64 " rwdata %" PRIu64
			" rodata %" PRIu64 " init %" PRIu64 " bss %" PRIu64 " reserved %" PRIu64
			" cma %" PRIu64 " highmem %" PRId64 " at %.6f",
			m->available, m->physical, m->code, m->rwdata, m->rodata, m->init, m->bss,
			m->reserved, m->cma, (int64_t)m->highmem, m->stamp);
		dump_at(out, lines, m->at);
	}
}

static void dump_memblock(FILE *out, const struct facts *f, bool lines)
{
	for (size_t i = 0; i < f->claims.n; i++) {
		const struct fact_claim *e = &f->claims.v[i];

		fprintf(out, "claim %d " R " nid %d \"%s\"%s%s", e->kind, RV(e->range), e->nid,
			e->text, e->reusable ? " reusable" : "", e->nomap ? " nomap" : "");
		dump_at(out, lines, e->at);
	}
	for (size_t i = 0; i < f->mb_events.n; i++) {
		const struct fact_mb_event *e = &f->mb_events.v[i];

		fprintf(out, "event %d " R " nid %d flags %" PRIx32 " %s", e->op, RV(e->range),
			e->nid, e->flags, e->caller ? e->caller : "-");
		dump_at(out, lines, e->at);
	}
	for (size_t i = 0; i < f->mb_regions.n; i++) {
		const struct fact_mb_region *e = &f->mb_regions.v[i];

		fprintf(out, "region %" PRIu32 " %s " R " nid %d flags %" PRIx32 " after %zu",
			e->dump, e->reserved ? "reserved" : "memory", RV(e->range), e->nid,
			e->flags, e->after_events);
		dump_at(out, lines, e->at);
	}
}

static void dump_reports(FILE *out, const struct facts *f, bool lines)
{
	for (size_t i = 0; i < f->failures.n; i++) {
		const struct fact_failure *e = &f->failures.v[i];

		fprintf(out, "failure \"%s\" order %u gfp %" PRIx64 " %s report %" PRId32, e->comm,
			e->order, e->gfp, e->flags ? e->flags : "-", (int32_t)e->report);
		fprintf(out, " cpu %d nodes %s of %s trace", e->cpu,
			e->nodemask ? e->nodemask : "-", e->mems_allowed ? e->mems_allowed : "-");
		for (size_t k = 0; k < e->trace.n; k++)
			fprintf(out, " %s", e->trace.v[k]);
		dump_at(out, lines, e->at);
	}
	for (size_t i = 0; i < f->mem_infos.n; i++) {
		const struct fact_mem_info *e = &f->mem_infos.v[i];

		fprintf(out, "info ram %" PRId64 " highmem %" PRId64 " reserved %" PRId64, e->ram,
			e->highmem, e->reserved);
		fprintf(out, " free %" PRId64 " file %" PRId64 " %" PRId64 " slab %" PRId64 "%s",
			e->free, e->active_file, e->inactive_file, e->slab_unreclaimable,
			e->headless ? " headless" : "");
		dump_at(out, lines, e->at);
	}
	for (size_t i = 0; i < f->zone_reports.n; i++) {
		const struct fact_zone_report *e = &f->zone_reports.v[i];

		fprintf(out,
			"report %" PRId32 " node %d %s free %" PRId64 " min %" PRId64
			" low %" PRId64 " high %" PRId64 " present %" PRId64 " managed %" PRId64
			" reserve",
			(int32_t)e->report, e->nid, e->name, e->free, e->min, e->low, e->high,
			e->present, e->managed);
		for (unsigned int k = 0; k < e->protections; k++)
			fprintf(out, " %" PRIu64, e->protection[k]);
		dump_at(out, lines, e->at);
		if (!e->orders)
			continue;
		fprintf(out, "blocks of %" PRIu64, e->block_kib);
		for (unsigned int k = 0; k < e->orders; k++)
			fprintf(out, " %" PRIu64 "/%x", e->blocks[k], e->letters[k]);
		fprintf(out, " sum %" PRIu64, e->blocks_kib);
		dump_at(out, lines, e->orders_at);
	}
	for (size_t i = 0; i < f->said.n; i++) {
		fprintf(out, "said %d \"%s\"", f->said.v[i].kind, f->said.v[i].text);
		dump_at(out, lines, f->said.v[i].at);
	}
	for (size_t i = 0; i < f->swiotlb.n; i++) {
		const struct fact_swiotlb *e = &f->swiotlb.v[i];

		fprintf(out,
			"swiotlb %d device %d bytes %" PRIu64 " total %" PRId64 " used %" PRId64,
			e->kind, (int)e->device, e->bytes, (int64_t)e->total, (int64_t)e->used);
		dump_at(out, lines, e->at);
	}
	for (size_t i = 0; i < f->contradictions.n; i++) {
		fprintf(out, "contradiction %s", f->contradictions.v[i].text);
		dump_at(out, lines, f->contradictions.v[i].at);
	}
	for (size_t i = 0; i < f->notes.n; i++)
		fprintf(out, "note %s\n", f->notes.v[i]);
}

void facts_dump(FILE *out, const struct facts *f, bool lines)
{
	dump_string(out, "release", f->release);
	dump_string(out, "banner", f->banner);
	dump_string(out, "cmdline", f->cmdline);
	dump_string(out, "model", f->machine_model);
	dump_string(out, "arch", f->arch_hint);
	dump_number(out, "page_shift", f->page_shift);
	dump_number(out, "boots", f->boots);
	dump_number(out, "boot", f->boot);
	dump_number(out, "cpus", f->cpus);
	dump_number(out, "nr_cpu_ids", f->nr_cpu_ids);
	dump_number(out, "nr_node_ids", f->nr_node_ids);
	dump_number(out, "pae", f->pae);
	dump_number(out, "last_pfn", f->last_pfn);
	dump_number(out, "low_last_pfn", f->low_last_pfn);
	dump_number(out, "max_arch_pfn", f->max_arch_pfn);
	dump_number(out, "low_ram_end", f->low_ram_end);
	dump_number(out, "highmem_mb", f->highmem_mb);
	dump_number(out, "lowmem_mb", f->lowmem_mb);
	dump_number(out, "phys_mem_size", f->phys_mem_size);
	dump_number(out, "total_pages", f->total_pages);
	dump_number(out, "zonelists", f->zonelists);
	dump_number(out, "mobility_off", f->mobility_off);
	if (f->policy_zone[0])
		dump_string(out, "policy_zone", f->policy_zone);
	dump_number(out, "deferred_nodes", f->deferred_nodes);
	dump_number(out, "percpu_pages", f->percpu_pages);
	dump_number(out, "percpu_bytes", f->percpu_bytes);
	dump_number(out, "percpu_unit", f->percpu_unit);
	dump_number(out, "numa_off_seen", f->numa_off_seen);
	dump_number(out, "numa_faked", f->numa_faked);
	dump_number(out, "swiotlb_areas", f->swiotlb_areas);
	dump_firmware(out, f, lines);
	dump_results(out, f, lines);
	dump_memblock(out, f, lines);
	dump_reports(out, f, lines);
}

char *facts_dump_string(const struct facts *f, bool lines)
{
	char *s = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&s, &n);

	if (!out)
		abort();
	facts_dump(out, f, lines);
	fclose(out);
	return s;
}
