/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_map.c - lines about the memory that the firmware describes: e820 maps and their changes, EFI
 * maps, and the NUMA tables.
 *
 * The kernel prints an e820 map sorted and without overlaps, so an entry that does not start above
 * its predecessor was damaged or belongs elsewhere.
 *
 * Failure: a line that cannot be read to its end leaves no fact.
 *
 * Shortcomings: a line that is missing from a map cannot be noticed here.
 */
#include "input/log_int.h"

#include <inttypes.h>
#include <string.h>

#include <physzone/map.h>

#include "input/proc.h"

enum log_ret log_fw_head(struct log_ctx *c, struct log_scan *s, int arg)
{
	if (c->fw_any[arg] && !c->fw_head[arg])
		c->fw_map[arg]++;
	c->fw_head[arg] = true;
	c->signs |= 1u << SIGN_X86;
	return LOG_USED;
}

/* Store an entry of a map, unless it repeats one; say when it does not fit the others. */
static void log_fw_store(struct log_ctx *c, enum fw_origin origin, struct pz_range r, uint32_t type,
			 const char *word, size_t n, bool more_reliable)
{
	struct fact_fw *e, *before = NULL;

	for (size_t i = c->f->fw.n; i > 0 && !before; i--) {
		e = &c->f->fw.v[i - 1];
		if (e->at.file == c->at.file && e->origin == origin && e->map == c->fw_map[origin])
			before = e;
	}
	if (before && r.first <= before->range.last) {
		for (size_t i = 0; i < c->f->fw.n; i++) {
			e = &c->f->fw.v[i];
			if (e->at.file != c->at.file || e->origin != origin ||
			    e->map != c->fw_map[origin] || e->range.last < r.first ||
			    r.last < e->range.first)
				continue;
			if (e->range.first == r.first && e->range.last == r.last &&
			    e->type == type) {
				log_contradict(c,
					       "this entry of the map stands on line %" PRIu32
					       " already",
					       e->at.line);
				return;
			}
			log_contradict(c, "this entry of the map overlaps that of line %" PRIu32,
				       e->at.line);
			break;
		}
	}
	e = vec_push(&c->f->fw);
	e->origin = origin;
	e->map = c->fw_map[origin];
	e->range = r;
	e->type = type;
	e->word = xstrndup(word, n);
	e->nid = PZ_NID_NONE;
	e->more_reliable = more_reliable;
	e->at = c->at;
	c->fw_any[origin] = true;
	c->fw_head[origin] = false;
}

/* A type as an e820 line names it; the words end the line or an arrow follows. */
static bool log_e820_word(struct log_scan *s, const char *end, uint32_t *type, const char **word,
			  size_t *n)
{
	const char *p;

	ls_space(s);
	p = s->p;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*word = p;
	*n = (size_t)(end - p);
	if (!*n) {
		struct log_scan at_end = { s->end, s->end, false, NULL, false };

		ls_lit(&at_end, "x");
		s->ran_out = at_end.ran_out && s->p == s->end;
		s->why = "the type is missing";
		return false;
	}
	*type = e820_type(p, *n);
	/* "persistent (type" and "ACPI" may go on; so may any word that the line cuts. */
	if (!*type) {
		s->why = "the type is not one that the kernel prints";
		s->ran_out = end == s->end;
		return false;
	}
	s->p = end;
	return true;
}

/* "[mem 0x..-0x..] usable", or "0000000000000000 - 000000000009fc00 (usable)" before Linux 3.5. */
enum log_ret log_fw_entry(struct log_ctx *c, struct log_scan *s, int arg)
{
	const char *word;
	struct pz_range r;
	uint32_t type;
	size_t n;

	ls_space(s);
	if (s->p < s->end && *s->p != '[' && *s->p != '0')
		return LOG_OTHER;
	if (s->p < s->end && *s->p == '0') {
		const char *end = s->end;

		if (!ls_bare_hex(s, &r.first) || !ls_lit(s, " - ") || !ls_bare_hex(s, &r.last) ||
		    !ls_lit(s, " ("))
			return LOG_BAD;
		if (end[-1] != ')') {
			s->ran_out = true;
			return LOG_BAD;
		}
		if (r.last <= r.first) {
			ls_fail(s, "the range ends below its start");
			return LOG_BAD;
		}
		r.last--;
		if (!log_e820_word(s, end - 1, &type, &word, &n))
			return LOG_BAD;
	} else if (!ls_mem(s, &r) || !log_e820_word(s, s->end, &type, &word, &n)) {
		return LOG_BAD;
	}
	if (!log_room(c, s, c->f->fw.n))
		return LOG_BAD;
	c->signs |= 1u << SIGN_X86;
	log_fw_store(c, (enum fw_origin)arg, r, type, word, n, false);
	return LOG_USED;
}

/* "e820: update [mem a-b] usable ==> reserved". */
enum log_ret log_e820_update(struct log_ctx *c, struct log_scan *s, int arg)
{
	struct fact_e820_change *e;
	const char *word, *arrow;
	uint32_t from, to;
	struct pz_range r;
	size_t n;

	if (!ls_mem(s, &r))
		return LOG_BAD;
	arrow = ls_find(s->p, (size_t)(s->end - s->p), "==>");
	if (!arrow) {
		s->ran_out = true;
		s->why = "the line ends early";
		return LOG_BAD;
	}
	if (!log_e820_word(s, arrow, &from, &word, &n) || !ls_lit(s, " ==>") ||
	    !log_e820_word(s, s->end, &to, &word, &n))
		return LOG_BAD;
	e = vec_push(&c->f->e820_changes);
	e->range = r;
	e->from = from;
	e->to = to;
	e->at = c->at;
	c->e820_changed = true;
	c->signs |= 1u << SIGN_X86;
	return LOG_USED;
}

/* "e820: remove [mem a-b] usable"; the type is missing when memory of any type goes. */
enum log_ret log_e820_remove(struct log_ctx *c, struct log_scan *s, int arg)
{
	struct fact_e820_change *e;
	uint32_t from = 0;
	const char *word;
	struct pz_range r;
	size_t n;

	if (!ls_mem(s, &r) || log_goes_on(c, s) ||
	    (!ls_done(s) && !log_e820_word(s, s->end, &from, &word, &n)))
		return LOG_BAD;
	e = vec_push(&c->f->e820_changes);
	e->range = r;
	e->from = from;
	e->at = c->at;
	c->e820_changed = true;
	c->signs |= 1u << SIGN_X86;
	return LOG_USED;
}

static const struct log_efi_type {
	const char *name;
	uint32_t type; /* what an x86 kernel's loader makes of it */
} log_efi_types[] = {
	{ "Loader Code", PZ_MAP_RAM },	     { "Loader Data", PZ_MAP_RAM },
	{ "Boot Code", PZ_MAP_RAM },	     { "Boot Data", PZ_MAP_RAM },
	{ "Conventional", PZ_MAP_RAM },	     { "Conventional Memory", PZ_MAP_RAM },
	{ "ACPI Reclaim", PZ_MAP_ACPI },     { "ACPI Mem NVS", PZ_MAP_NVS },
	{ "Unusable", PZ_MAP_UNUSABLE },     { "Persistent", PZ_MAP_PMEM },
	{ "Reserved", PZ_MAP_RESERVED },     { "Runtime Code", PZ_MAP_RESERVED },
	{ "Runtime Data", PZ_MAP_RESERVED }, { "MMIO", PZ_MAP_RESERVED },
	{ "MMIO Port", PZ_MAP_RESERVED },    { "PAL Code", PZ_MAP_RESERVED },
};

/* "[Conventional|   |  |MR|...|WB|  |  |  ]"; @n is the length of the name. */
static bool log_efi_attr(struct log_scan *s, uint32_t *type, const char **name, size_t *n,
			 bool *more_reliable)
{
	const char *close, *bar, *end;

	ls_space(s);
	if (!ls_lit(s, "["))
		return false;
	close = memchr(s->p, ']', (size_t)(s->end - s->p));
	if (!close) {
		s->ran_out = true;
		return false;
	}
	bar = memchr(s->p, '|', (size_t)(close - s->p));
	if (!bar)
		return ls_fail(s, "the attributes are missing");
	for (end = bar; end > s->p && end[-1] == ' '; end--)
		;
	*name = s->p;
	*n = (size_t)(end - s->p);
	*type = 0;
	for (size_t i = 0; i < sizeof(log_efi_types) / sizeof(log_efi_types[0]); i++)
		if (*n == strlen(log_efi_types[i].name) &&
		    !memcmp(*name, log_efi_types[i].name, *n))
			*type = log_efi_types[i].type;
	if (!*type && *n > 5 && !memcmp(*name, "type=", 5))
		*type = PZ_MAP_RESERVED;
	if (!*type)
		return ls_fail(s, "the type is not one that the kernel prints");
	if (*type == PZ_MAP_RAM && !memcmp(*name, "Conv", 4) &&
	    ls_find(bar, (size_t)(close - bar), "|SP|"))
		*type = PZ_MAP_SOFT_RESERVED;
	*more_reliable = ls_find(bar, (size_t)(close - bar), "|MR|") != NULL;
	s->p = close + 1;
	return true;
}

/*
 * "efi: mem00: [Boot Code   |...] range=[0x..-0x..] (0MB)", and as arm64 prints it with efi=debug
 * "efi:   0x000040000000-0x00004fffffff [Conventional|...]".
 */
enum log_ret log_efi(struct log_ctx *c, struct log_scan *s, int arg)
{
	bool more_reliable;
	struct pz_range r;
	const char *name;
	uint32_t type;
	uint64_t number;
	size_t n;

	if (ls_opt(s, " Freeing "))
		return log_freeing(c, s, 0);
	if (ls_opt(s, " mem")) {
		if (!ls_dec(s, &number) || !ls_lit(s, ":"))
			return LOG_OTHER;
		if (!log_efi_attr(s, &type, &name, &n, &more_reliable) || !ls_lit(s, " range=[") ||
		    !ls_range(s, &r) || !ls_lit(s, "]"))
			return LOG_BAD;
	} else {
		/* These are filled up to 12 digits. */
		const char *p;

		ls_space(s);
		p = s->p;
		if (s->end - p < 30 || memcmp(p, "0x", 2) != 0 || memcmp(p + 14, "-0x", 3) != 0)
			return LOG_OTHER;
		r.first = r.last = 0;
		for (int i = 0; i < 12; i++) {
			static const char digits[] = "0123456789abcdef";
			const char *a = memchr(digits, p[2 + i], 16);
			const char *b = memchr(digits, p[17 + i], 16);

			if (!a || !b)
				return LOG_OTHER;
			r.first = r.first << 4 | (uint64_t)(a - digits);
			r.last = r.last << 4 | (uint64_t)(b - digits);
		}
		s->p = p + 29;
		if (r.first > r.last) {
			ls_fail(s, "the range ends below its start");
			return LOG_BAD;
		}
		if (!log_efi_attr(s, &type, &name, &n, &more_reliable))
			return LOG_BAD;
	}
	if (!log_room(c, s, c->f->fw.n))
		return LOG_BAD;
	log_fw_store(c, FW_EFI, r, type, name, n, more_reliable);
	return LOG_USED;
}

/*
 * "last_pfn = 0x240000 max_arch_pfn = 0x400000000". It comes again for the memory below 4 GiB, and
 * after the kernel took memory out of the map.
 */
enum log_ret log_last_pfn(struct log_ctx *c, struct log_scan *s, int arg)
{
	const uint64_t four_gib = (uint64_t)1 << 20;
	uint64_t pfn, max;
	struct facts *f = c->f;

	if (!ls_lit(s, " = ") || !ls_hex(s, &pfn) || !ls_lit(s, " max_arch_pfn = ") ||
	    !ls_hex(s, &max))
		return LOG_BAD;
	/* x86_64 with four and with five levels of page tables, i386 without and with PAE. */
	if (max != (uint64_t)1 << 34 && max != (uint64_t)1 << 40 && max != (uint64_t)1 << 20 &&
	    max != (uint64_t)1 << 24) {
		ls_fail(s, "max_arch_pfn is none that a kernel has");
		return LOG_BAD;
	}
	if (f->max_arch_pfn && f->max_arch_pfn != max) {
		log_contradict(c, "max_arch_pfn was 0x%" PRIx64 " before", f->max_arch_pfn);
		return LOG_USED;
	}
	f->max_arch_pfn = max;
	c->signs |= 1u << (max >= (uint64_t)1 << 34 ? SIGN_X86_64 : SIGN_I386);
	f->pae = f->pae || max == (uint64_t)1 << 24;
	if (!f->last_pfn) {
		f->last_pfn = pfn;
		f->last_pfn_at = c->at;
	} else if (pfn > f->last_pfn || (f->low_last_pfn && pfn > f->low_last_pfn)) {
		log_contradict(c, "last_pfn was 0x%" PRIx64 " before, and does not grow",
			       f->last_pfn);
	} else if (f->last_pfn > four_gib && pfn <= four_gib) {
		f->low_last_pfn = pfn;
	} else if (pfn != f->last_pfn && !c->e820_changed) {
		log_contradict(c,
			       "last_pfn was 0x%" PRIx64 " before, and nothing was removed since",
			       f->last_pfn);
	} else {
		f->last_pfn = pfn;
		f->last_pfn_at = c->at;
	}
	c->e820_changed = false;
	return LOG_USED;
}

/* "SRAT: Node 0 PXM 0 [mem a-b] hotplug non-volatile". */
enum log_ret log_srat(struct log_ctx *c, struct log_scan *s, int arg)
{
	bool hotplug, non_volatile;
	struct fact_srat *e;
	struct pz_range r;
	uint64_t pxm;
	int nid;

	if (!ls_opt(s, " Node "))
		return LOG_OTHER;
	if (!ls_nid(s, &nid) || !ls_lit(s, " PXM ") || !ls_dec(s, &pxm) || !ls_lit(s, " ") ||
	    !ls_mem(s, &r) || log_goes_on(c, s))
		return LOG_BAD;
	hotplug = ls_opt(s, " hotplug");
	non_volatile = ls_opt(s, " non-volatile");
	if (!ls_done(s)) {
		ls_fail(s, "unexpected text");
		return LOG_BAD;
	}
	if (!log_room(c, s, c->f->srat.n))
		return LOG_BAD;
	for (size_t i = 0; i < c->f->srat.n; i++) {
		e = &c->f->srat.v[i];
		if (e->at.file == c->at.file && e->range.first <= r.last &&
		    r.first <= e->range.last) {
			log_contradict(c, "this range overlaps that of line %" PRIu32, e->at.line);
			if (e->range.first == r.first && e->range.last == r.last && e->nid == nid)
				return LOG_USED;
			break;
		}
	}
	e = vec_push(&c->f->srat);
	e->nid = nid;
	e->range = r;
	e->hotplug = hotplug;
	e->non_volatile = non_volatile;
	e->at = c->at;
	return LOG_USED;
}

enum log_ret log_numa_off(struct log_ctx *c, struct log_scan *s, int arg)
{
	c->f->numa_off_seen = true;
	return LOG_USED;
}

/* Behind "NUMA:" or "numa:". */
enum log_ret log_numa(struct log_ctx *c, struct log_scan *s, int arg)
{
	struct fact_numa_merge *e;
	struct pz_range a, b, out;
	int nid;

	if (ls_opt(s, " Faking a node at"))
		return log_fake_node(c, s, 0);
	if (ls_opt(s, " NODE_DATA"))
		return log_node_data(c, s, 0);
	if (ls_opt(s, " Initmem setup node"))
		return log_initmem(c, s, 0);
	if (ls_opt(s, " No NUMA configuration found"))
		return LOG_USED;
	if (ls_opt(s, " NUMA turned off") || ls_opt(s, " NUMA disabled"))
		return log_numa_off(c, s, 0);
	if (ls_opt(s, " nodes only cover") || ls_opt(s, " Failed to initialise from firmware") ||
	    ls_opt(s, " Warning: "))
		return log_said(c, s, SAID_NUMA);
	if (!ls_opt(s, " Node "))
		return LOG_OTHER;
	if (!ls_nid(s, &nid))
		return LOG_BAD;
	if (ls_opt(s, " CPUs"))
		return LOG_OTHER;
	if (!ls_lit(s, " ") || !ls_mem(s, &a) || !ls_lit(s, " + ") || !ls_mem(s, &b) ||
	    !ls_lit(s, " -> ") || !ls_mem(s, &out))
		return LOG_BAD;
	e = vec_push(&c->f->numa_merges);
	*e = (struct fact_numa_merge){ nid, a, b, out, c->at };
	return LOG_USED;
}

/* arg 0: "Faking a node at [mem a-b]"; 1: "Faking node 0 at [mem a-b] (512MB)" of numa=fake=. */
enum log_ret log_fake_node(struct log_ctx *c, struct log_scan *s, int arg)
{
	struct fact_node_range *e;
	struct pz_range r;
	int nid = 0;

	if (arg && (!ls_nid(s, &nid) || !ls_lit(s, " at")))
		return LOG_BAD;
	if (!ls_lit(s, " ") || !ls_mem(s, &r))
		return LOG_BAD;
	if (!arg) {
		c->f->numa_faked = true;
		return LOG_USED;
	}
	e = vec_push(&c->f->fake_nodes);
	*e = (struct fact_node_range){ nid, r, c->at };
	return LOG_USED;
}
