/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.c - the machine whose memory is shared out: a recorded one after its start-up, with
 * everything given to the page allocator, or a PC made up from an amount of memory.
 *
 * Contiguous areas of the recorded machine become ordinary memory: each policy reserves its own.
 */
#include "compare.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <physzone/linux/arch.h>

#include "../machine.h"
#include "../start.h"

#define MACHINE_LEAST (UINT64_C(16) << 20)
#define MACHINE_MOST (UINT64_C(16) << 40)
#define MACHINE_MIB (UINT64_C(1) << 20)

bool compare_size(const char *s, uint64_t *bytes)
{
	static const char suffix[] = "KMGT";
	const char *at;
	uint64_t v = 0;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		if (v > (UINT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	at = *s ? strchr(suffix, *s) : NULL;
	if (at) {
		unsigned int shift = 10 * (unsigned int)(at - suffix + 1);

		if (v > UINT64_MAX >> shift)
			return false;
		v <<= shift;
		s++;
	}
	*bytes = v;
	return !*s;
}

static int machine_count(void *ctx, struct pz_range pfns, int nid)
{
	struct compare_machine *m = ctx;

	(void)nid;
	m->managed += pfns.last - pfns.first + 1;
	return 0;
}

/* What follows from the memory. */
static void machine_finish(struct compare_machine *m)
{
	m->built = true;
	m->ram_last = pz_memblock_last(&m->mb);
	m->kernel_last = PZ_ADDR_MAX;
	if (m->zone.configured & (1u << PZ_ZONE_HIGHMEM))
		m->kernel_last = (m->zone.max_pfn[PZ_ZONE_NORMAL] << m->page_shift) - 1;
	m->managed = 0;
	(void)pz_memblock_hand_over(&m->mb, UINT64_MAX, machine_count, m);
}

int compare_machine_pc(struct compare_machine *m, uint64_t bytes, char **err)
{
	static const struct {
		uint64_t base, size;
	} taken[] = {
		{ 0, 4096 },				/* never given out */
		{ 0x9f000, 0x61000 },			/* firmware, and what is no memory */
		{ 16 * MACHINE_MIB, 32 * MACHINE_MIB }, /* the kernel */
	};
	uint64_t low = UINT64_C(3) << 30;
	int rc;

	memset(m, 0, sizeof(*m));
	m->page_shift = 12;
	m->pageblock_order = 9;
	m->model = PZL_LINUX_6_1;
	m->zone_limit = 0xffffff;
	m->zone.page_shift = 12;
	m->zone.max_order_pages = 1024;
	m->zone.configured = 1u << PZ_ZONE_DMA | 1u << PZ_ZONE_DMA32 | 1u << PZ_ZONE_NORMAL |
			     1u << PZ_ZONE_MOVABLE;
	m->zone.max_pfn[PZ_ZONE_DMA] = 4096;
	m->zone.max_pfn[PZ_ZONE_DMA32] = UINT64_C(1) << 20;
	bytes &= ~UINT64_C(4095);
	m->zone.max_pfn[PZ_ZONE_NORMAL] = bytes >> 12;
	rc = pz_memblock_init(&m->mb, &an_meta, m->page_shift);
	if (!rc)
		rc = pz_memblock_add(&m->mb, 0, bytes < low ? bytes : low, 0, 0);
	if (!rc && bytes > low) {
		rc = pz_memblock_add(&m->mb, UINT64_C(4) << 30, bytes - low, 0, 0);
		m->zone.max_pfn[PZ_ZONE_NORMAL] = ((UINT64_C(4) << 30) + bytes - low) >> 12;
	}
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]) && !rc; i++)
		if (i < 2 || bytes >= 256 * MACHINE_MIB)
			rc = pz_memblock_reserve(&m->mb, taken[i].base, taken[i].size, PZ_NID_NONE,
						 0);
	if (rc) {
		*err = xasprintf("cannot make a machine of %" PRIu64 " bytes (error %d)", bytes,
				 rc);
		return EXIT_UNDECIDED;
	}
	if (m->zone.max_pfn[PZ_ZONE_NORMAL] < m->zone.max_pfn[PZ_ZONE_DMA32])
		m->zone.max_pfn[PZ_ZONE_NORMAL] = m->zone.max_pfn[PZ_ZONE_DMA32];
	machine_finish(m);
	return 0;
}

/* A machine at its hand-over, and what is given later. */
static int machine_from_start(struct compare_machine *m, struct an_start *s,
			      const struct analysis *a, bool pae, char **err)
{
	unsigned int shift = a->page_shift;
	uint64_t min = 0;
	int rc;

	rc = pz_memblock_init(&m->mb, &an_meta, shift);
	if (!rc)
		rc = pz_memblock_copy(&m->mb, &s->mb);
	for (size_t i = 0; i < s->later.n && !rc; i++) {
		const struct an_given *g = &s->later.v[i];

		if (g->kind != AN_GIVEN_GIGANTIC)
			rc = pz_memblock_free(&m->mb, g->pfns.first << shift,
					      (g->pfns.last - g->pfns.first + 1) << shift);
	}
	for (size_t i = 0; i < s->areas.n && !rc; i++)
		rc = pz_memblock_free(&m->mb, s->areas.v[i].at.range.first,
				      pz_range_size(s->areas.v[i].at.range));
	if (rc) {
		*err = xasprintf("cannot rebuild the memory of %s (error %d)", m->title, rc);
		return EXIT_UNDECIDED;
	}
	for (size_t i = 0; i < s->end.n; i++)
		if (s->end.v[i].type != PZ_ZONE_HIGHMEM && s->end.v[i].type != PZ_ZONE_MOVABLE)
			min += s->end.v[i].min;
	m->min_free_kbytes = min << (shift - 10);
	m->model = a->model;
	m->zone = s->z.cfg;
	m->page_shift = shift;
	m->zone_limit = s->zone_limit;
	m->pageblock_order = pzl_pageblock_order(a->arch, shift, pae);
	if (m->pageblock_order > 10)
		m->pageblock_order = 10;
	machine_finish(m);
	return 0;
}

static int machine_recorded(struct compare_machine *m, const struct options *o, char **err)
{
	struct analysis_options how;
	struct analysis a;
	struct an_start s;
	struct machine in;
	int rc;

	memset(&a, 0, sizeof(a));
	memset(&s, 0, sizeof(s));
	rc = machine_source(&in, o, &how, err);
	if (!rc)
		rc = analyse_start(&s, &a, &in.facts, &how, err);
	if (!rc) {
		m->title = xstrdup(in.title);
		rc = machine_from_start(m, &s, &a, in.facts.pae, err);
	}
	an_start_destroy(&s);
	analysis_destroy(&a);
	machine_destroy(&in);
	return rc;
}

int compare_machine_read(struct compare_machine *m, const struct options *o, char **err)
{
	uint64_t bytes = UINT64_C(8) << 30;
	char size[VIEW_SIZE_MAX];
	int rc;

	memset(m, 0, sizeof(*m));
	if (o->source || o->live)
		rc = machine_recorded(m, o, err);
	else if (o->memory && (!compare_size(o->memory, &bytes) || bytes < MACHINE_LEAST ||
			       bytes > MACHINE_MOST)) {
		*err = xasprintf("--memory wants an amount from 16M to 16T, not '%s'", o->memory);
		rc = EXIT_USAGE;
	} else {
		rc = compare_machine_pc(m, bytes, err);
		m->title = xasprintf("a PC of %s", view_size(size, bytes));
	}
	if (!rc && !m->managed) {
		*err = xasprintf("%s: expected a machine with managed pages, found none", m->title);
		rc = EXIT_UNDECIDED;
	}
	return rc;
}

void compare_machine_destroy(struct compare_machine *m)
{
	if (m->mb.meta)
		pz_memblock_destroy(&m->mb);
	free(m->title);
	m->title = NULL;
}
