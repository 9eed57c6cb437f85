/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * boot.c - every recorded machine carried through start-up, against what its kernel printed.
 * Output is TAP.
 *
 *   boot [-v] MACHINES [PATTERN]
 *
 * For each machine: the page allocator that is made has in each zone the pages that the analysis
 * says, and none where it says none; the lines about contiguous areas, the crash kernel, bounce
 * buffers and pools for atomic allocations are predicted, word for word and in their order; the
 * bounce buffers have the size that was mapped; the numbers of debugfs are theirs; places are
 * those that were recorded when they are computed without what the kernel told of them, or it is
 * known why not; every model runs, and leaves the allocator consistent. A kernel that reported a
 * failed request of its own start-up is one with the rules from before 5.17, whatever its
 * version says: it is run as linux-5.15, and the report is compared too, as far as it does not
 * tell what the kernel had allocated by then: the request, and of each zone that is listed
 * present, managed and the reserves, of all memory RAM and reserved.
 */
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "boot/boot.h"
#include "input/source.h"
#include "input/text.h"

static unsigned int golden_run, golden_failed;
static unsigned int golden_pools, golden_swiotlbs, golden_reports, golden_areas_compared;
static unsigned int golden_computed, golden_slots_compared, golden_pool_sizes_compared;
static unsigned int golden_lines_compared, golden_places_compared, golden_crashes_compared;
static bool golden_verbose;

static void golden_ok(bool ok, const char *machine, const char *what, const char *why)
{
	golden_run++;
	if (!ok)
		golden_failed++;
	printf("%sok %u - %s: %s\n", ok ? "" : "not ", golden_run, machine, what);
	if (!ok && why && *why)
		printf("# %s\n", why);
}

/* The request of start-up that this kernel reported, or NULL. */
static const struct fact_failure *golden_failure(const struct facts *f)
{
	for (size_t i = 0; i < f->failures.n; i++)
		if (f->failures.v[i].comm && !strncmp(f->failures.v[i].comm, "swapper", 7))
			return &f->failures.v[i];
	return NULL;
}

/* How lines begin that start-up predicts. */
static const char *const golden_begins[] = {
	"DMA: preallocated ",
	"DMA: failed to allocate ",
	"software IO TLB: ",
	"PCI-DMA: Using software bounce buffering",
	"cma: Reserved ",
	"cma: Failed to reserve ",
	"Reserved memory: created ",
	"crashkernel",
	"cannot allocate crashkernel",
	"Cannot reserve ",
	"Reserving ",
};

/* Whether start-up predicts a line of this kind. */
static bool golden_predicts(const char *p, size_t n)
{
	for (size_t i = 0; i < sizeof(golden_begins) / sizeof(golden_begins[0]); i++)
		if (n > strlen(golden_begins[i]) &&
		    !strncmp(p, golden_begins[i], strlen(golden_begins[i])))
			return true;
	return false;
}

/* A line without its time stamp. */
static const char *golden_text(const char *p)
{
	const char *end = *p == '[' ? strstr(p, "] ") : NULL;

	return end ? end + 2 : p;
}

static void golden_keep(struct out *o, const char *line)
{
	const char *p = golden_text(line);
	size_t n = strlen(p);

	while (n && (p[n - 1] == '\r' || p[n - 1] == ' '))
		n--;
	if (golden_predicts(p, n)) {
		out_mem(o, p, n);
		out_char(o, '\n');
	}
}

/* The lines of the log that start-up predicts, each ended. */
static char *golden_said(const struct facts *f)
{
	struct out o;
	char *s;

	out_init(&o, NULL);
	for (size_t i = 0; i < f->line_texts.n; i++)
		golden_keep(&o, f->line_texts.v[i]);
	s = xstrdup(out_text(&o));
	out_destroy(&o);
	return s;
}

/* Those of a run. */
static char *golden_predicted(const struct boot *b)
{
	const char *p = b->prints, *end;
	struct out o;
	char *s;

	out_init(&o, NULL);
	for (; (end = strchr(p, '\n')); p = end + 1) {
		char *line = xstrndup(p, (size_t)(end - p));

		golden_keep(&o, line);
		free(line);
	}
	s = xstrdup(out_text(&o));
	out_destroy(&o);
	return s;
}

static void golden_lines(const char *name, const struct facts *f, const struct boot *b)
{
	char *said = golden_said(f), *predicted = golden_predicted(b), *why;

	for (const char *p = said; *p; p = strchr(p, '\n') + 1) {
		golden_lines_compared++;
		golden_pools += !strncmp(p, "DMA: ", 5);
	}
	why = xasprintf("recorded:\n%spredicted:\n%s", said, predicted);
	for (char *p = why; *p; p++)
		if (*p == '\n' && p[1])
			*p = '|';
	golden_ok(!strcmp(said, predicted), name, "the lines about memory that is asked for", why);
	free(why);
	free(said);
	free(predicted);
}

static void golden_swiotlb(const char *name, const struct facts *f, const struct boot *b)
{
	const struct boot_request *r = NULL;
	const struct fact_claim *c = NULL;
	char why[160];

	for (size_t i = 0; i < f->claims.n; i++)
		if (f->claims.v[i].kind == CLAIM_SWIOTLB)
			c = &f->claims.v[i];
	for (size_t i = 0; i < b->requests.n; i++)
		if (b->requests.v[i].asked.what == PZL_BOOT_SWIOTLB)
			r = &b->requests.v[i];
	/* PCs name the place only when the buffers are used; then a request alone is no error. */
	if (!c)
		return;
	golden_swiotlbs++;
	snprintf(why, sizeof(why), "asked for %llu bytes, mapped %llu",
		 r ? (unsigned long long)r->asked.bytes : 0,
		 (unsigned long long)(c->range.last - c->range.first + 1));
	golden_ok(r && r->asked.bytes == c->range.last - c->range.first + 1, name,
		  "the size of the bounce buffers", why);
}

/* A number of debugfs, as it was recorded behind the line "== PATH"; false where it is not. */
static bool golden_debugfs(const char *dir, const char *file, const char *key,
			   unsigned long long *value)
{
	char *path = xasprintf("%s/%s", dir, file), *err = NULL, *line;
	bool found = false;
	const char *at;
	struct text t;

	line = xasprintf("== /sys/kernel/debug/%s\n", key);
	if (!text_read(&t, path, &err)) {
		at = strstr(t.buf, line);
		found = at && sscanf(at + strlen(line), "%llu", value) == 1;
	}
	text_destroy(&t);
	free(line);
	free(err);
	free(path);
	return found;
}

/* The bounce buffers that the kernel had in the end, also when that is none. */
static void golden_slots(const char *name, const char *dir, const struct boot *b)
{
	unsigned long long recorded, slots = 0;
	char why[120];

	if (!golden_debugfs(dir, "swiotlb.txt", "swiotlb/io_tlb_nslabs", &recorded))
		return;
	for (size_t i = 0; i < b->requests.n; i++)
		if (b->requests.v[i].asked.what == PZL_BOOT_SWIOTLB && b->requests.v[i].got)
			slots = b->requests.v[i].bytes >> 11;
	snprintf(why, sizeof(why), "%llu slots, recorded %llu", slots, recorded);
	golden_ok(slots == recorded, name, "the slots of the bounce buffers", why);
	golden_slots_compared++;
}

/* The pools that the kernel had in the end, and those that it had not. */
static void golden_pool_sizes(const char *name, const char *dir, const struct boot *b)
{
	static const struct {
		const char *key;
		uint32_t zone;
	} pools[] = {
		{ "dma_pools/pool_size_kernel", 0 },
		{ "dma_pools/pool_size_dma", PZL_GFP_DMA },
		{ "dma_pools/pool_size_dma32", PZL_GFP_DMA32 },
	};

	for (size_t k = 0; k < sizeof(pools) / sizeof(pools[0]); k++) {
		unsigned long long recorded, bytes = 0;
		char why[120], what[80];

		if (!golden_debugfs(dir, "dma_pools.txt", pools[k].key, &recorded))
			continue;
		for (size_t i = 0; i < b->requests.n; i++) {
			const struct boot_request *r = &b->requests.v[i];

			if (r->asked.what == PZL_BOOT_POOL && r->got &&
			    (r->asked.gfp & (PZL_GFP_DMA | PZL_GFP_DMA32)) == pools[k].zone)
				bytes = r->bytes;
		}
		snprintf(what, sizeof(what), "the size in %s", pools[k].key);
		snprintf(why, sizeof(why), "%llu bytes, recorded %llu", bytes, recorded);
		/* A pool that was used by a device has doubled since. */
		golden_ok(bytes == recorded || (bytes && bytes * 2 == recorded), name, what, why);
		golden_pool_sizes_compared += bytes == recorded;
	}
}

/* What the allocator has, zone by zone. */
static void golden_zones(const char *name, const struct boot *b)
{
	struct pz_area_stat st;
	char why[200] = "";

	for (size_t i = 0; i < b->start.end.n; i++) {
		const struct an_marks *m = &b->start.end.v[i];
		struct pz_node *node = pz_zones_node(&b->start.z, m->nid);
		uint64_t managed = 0;

		for (uint32_t a = 0; a < pz_page_areas(b->pages); a++) {
			pz_page_area_stat(b->pages, a, 0, &st);
			if (st.nid == m->nid && st.type == m->type)
				managed = st.managed;
		}
		if (node && node->zone[m->type].managed == m->managed &&
		    (managed == m->managed ||
		     (managed < m->managed && strstr(b->analysis.cmdline, "hugepagesz="))))
			continue;
		snprintf(why, sizeof(why),
			 "node %d %s: allocator %llu, counted %llu, analysis %llu", m->nid,
			 pz_zone_name((enum pz_zone_type)m->type), (unsigned long long)managed,
			 node ? (unsigned long long)node->zone[m->type].managed : 0,
			 (unsigned long long)m->managed);
	}
	golden_ok(!*why, name, "the allocator manages what the analysis says, in each zone", why);
}

static void golden_consistent(const char *name, const struct boot *b)
{
	char what[64], why[64];
	int rc = pz_pages_check(b->pages);

	snprintf(what, sizeof(what), "consistent after start-up under %s", b->model);
	snprintf(why, sizeof(why), "invariant %d does not hold", rc);
	golden_ok(rc == 0, name, what, why);
}

/* A number after a word in a line. */
static bool golden_number(const char *line, const char *word, unsigned long long *v)
{
	const char *p = strstr(line, word);

	return p && sscanf(p + strlen(word), "%llu", v) == 1;
}

/* The line of a text that begins with a prefix, copied; NULL for none. */
static char *golden_line(const char *text, const char *prefix)
{
	const char *end;

	for (; (end = strchr(text, '\n')); text = end + 1)
		if (!strncmp(text, prefix, strlen(prefix)))
			return xstrndup(text, (size_t)(end - text));
	return NULL;
}

static void golden_report(const char *name, const struct facts *f, const struct boot *b,
			  const struct fact_failure *want)
{
	const struct fact_mem_info *mi = &f->mem_infos.v[want->report];
	unsigned long long v;
	char head[128], why[256] = "", *line;

	snprintf(head, sizeof(head),
		 "swapper/0: page allocation failure: order:%u, mode:%#llx(%s),", want->order,
		 (unsigned long long)want->gfp, want->flags);
	line = golden_line(b->prints, head);
	golden_ok(line != NULL, name, "the request that fails", b->prints);
	free(line);

	for (size_t i = 0; i < f->zone_reports.n; i++) {
		const struct fact_zone_report *z = &f->zone_reports.v[i];
		unsigned long long present = 0, managed = 0, free_kb = 1;

		if (z->report != want->report)
			continue;
		snprintf(head, sizeof(head), "Node %d %s free:", z->nid, z->name);
		line = golden_line(b->prints, head);
		if (!line || !golden_number(line, " present:", &present) ||
		    !golden_number(line, " managed:", &managed) ||
		    !golden_number(line, " free:", &free_kb) || present != z->present ||
		    managed != z->managed || (!z->managed && free_kb))
			snprintf(why, sizeof(why), "%s: %llu of %llu managed, printed %llu of %llu",
				 z->name, managed, present, (unsigned long long)z->managed,
				 (unsigned long long)z->present);
		free(line);
		golden_reports++;
	}
	golden_ok(!*why, name, "present and managed of the zones in its report", why);

	snprintf(head, sizeof(head), "%llu pages RAM", (unsigned long long)mi->ram);
	line = golden_line(b->prints, head);
	snprintf(head, sizeof(head), "%llu pages reserved", (unsigned long long)mi->reserved);
	if (line) {
		free(line);
		line = golden_line(b->prints, head);
	}
	golden_ok(line && golden_number(line, "", &v), name,
		  "RAM and reserved pages of its report", b->prints);
	free(line);
}

/* Why the place of an area may be another than the computed one; NULL when it may not. */
static const char *golden_area_excuse(const struct facts *f)
{
	bool uefi = f->efi || f->dt.uefi;

	if (f->release && !strncmp(f->release, "5.10", 4))
		return "older than any model";
	for (size_t i = 0; i < f->fw.n; i++)
		uefi = uefi || f->fw.v[i].origin == FW_EFI;
	if (uefi)
		return "what UEFI keeps at the top of memory is not in a memory map alone";
	if (f->page_shift == 14)
		return "something of 16 KiB pages at the top of memory is not known";
	return NULL;
}

/* A recorded place of a kind, the last that the input tells; NULL for none. */
static const struct pz_range *golden_claim(const struct facts *f, enum claim_kind kind)
{
	const struct pz_range *found = NULL;

	for (size_t i = 0; i < f->claims.n; i++)
		if (f->claims.v[i].kind == kind)
			found = &f->claims.v[i].range;
	return found;
}

static bool golden_was_said(const struct facts *f, enum said_kind kind)
{
	for (size_t i = 0; i < f->said.n; i++)
		if (f->said.v[i].kind == kind)
			return true;
	return false;
}

/*
 * A computed place against the recorded one. Where they differ there has to be an excuse, and the
 * machine counts as one that depends on it.
 */
static bool golden_place(const char *name, const char *what, const struct pz_range *got,
			 const struct pz_range *want, const char *excuse)
{
	bool same = want && got ? got->first == want->first && got->last == want->last
				: !got && !want;
	char why[200] = "none", *line;

	if (got && want)
		snprintf(why, sizeof(why), "[%#llx-%#llx], recorded [%#llx-%#llx]",
			 (unsigned long long)got->first, (unsigned long long)got->last,
			 (unsigned long long)want->first, (unsigned long long)want->last);
	line = xasprintf("the place of %s%s", what, same || !excuse ? "" : " differs: it may");
	golden_ok(same || excuse, name, line, why);
	free(line);
	if (!same && excuse)
		printf("# %s: %s\n", excuse, why);
	return same;
}

/* Why the place of bounce buffers may be another than the computed one. */
static const char *golden_bounce_excuse(const struct facts *f, const struct an_start *s)
{
	if (s->bounce.open)
		return "early allocations of which only the sum is known bound them";
	return golden_area_excuse(f);
}

/* Computed lines about areas and the crash kernel, where the places are the recorded ones. */
static void golden_computed_lines(const char *name, const struct facts *f, const struct boot *b)
{
	char *said = golden_said(f), *predicted = golden_predicted(b), *missing = NULL;

	for (char *p = said, *end; (end = strchr(p, '\n')); p = end + 1) {
		char *line = xstrndup(p, (size_t)(end - p) + 1);

		if (strncmp(line, "DMA: ", 5) && !strstr(line, "software IO TLB") &&
		    strncmp(line, "PCI-DMA", 7)) {
			golden_computed += strstr(predicted, line) != NULL;
			if (!strstr(predicted, line) && !missing)
				missing = xstrdup(line);
		}
		free(line);
	}
	golden_ok(!missing, name, "the lines about areas and the crash kernel, computed", missing);
	free(missing);
	free(said);
	free(predicted);
}

/*
 * Where areas, bounce buffers and the crash kernel go, computed: a word that no kernel knows makes
 * the command line another one, so that nothing of what the kernel took is used but what the loader
 * had put into memory.
 */
static void golden_places(const char *name, struct facts *f)
{
	const struct pz_range *area = golden_claim(f, CLAIM_CMA);
	const struct pz_range *bounce = golden_claim(f, CLAIM_SWIOTLB);
	const struct pz_range *crash = golden_claim(f, CLAIM_CRASHKERNEL);
	bool no_area = golden_was_said(f, SAID_CMA_FAILED);
	bool no_crash = golden_was_said(f, SAID_CRASHKERNEL_FAILED);
	struct boot_options how = { .device_max = PZ_ADDR_MAX };
	char *line, *err = NULL;
	struct boot run;

	if (!f->cmdline)
		return;
	line = xasprintf("%s physzone.golden", f->cmdline);
	how.how.cmdline = line;
	if (!boot_run(&run, f, &how, &err)) {
		const struct an_start *s = &run.start;
		bool same = true;

		if (area || no_area)
			same = golden_place(
				name, "the default contiguous area",
				s->areas.n ? &s->areas.v[s->areas.n - 1].at.range : NULL, area,
				golden_area_excuse(f));
		golden_areas_compared += (area || no_area) && same;
		if (bounce)
			golden_places_compared += golden_place(
				name, "the bounce buffers", s->bounce.placed ? &s->bounce.at : NULL,
				bounce, golden_bounce_excuse(f, s));
		if (crash || no_crash)
			golden_crashes_compared += golden_place(
				name, "the crash kernel",
				s->crash.area.result == PZL_CRASH_RESERVED ? &s->crash.area.main
									   : NULL,
				crash, golden_area_excuse(f));
		if (same)
			golden_computed_lines(name, f, &run);
	}
	boot_destroy(&run);
	free(err);
	free(line);
}

static void golden_other(const char *name, struct facts *f, const char *model)
{
	struct boot_options o = { .device_max = PZ_ADDR_MAX, .model = model };
	struct boot b;
	char *err = NULL;
	int rc = boot_run(&b, f, &o, &err);

	/* An architecture that the model has not is told so. */
	if (!rc)
		golden_consistent(name, &b);
	else if (rc != EXIT_USAGE)
		golden_ok(false, name, model, err);
	free(err);
	boot_destroy(&b);
}

static void golden_machine(const char *dir, const char *name)
{
	struct boot_options o = { .device_max = PZ_ADDR_MAX };
	const struct fact_failure *failure;
	struct source_options so;
	struct facts f;
	struct boot b;
	char *err = NULL;
	int rc;

	memset(&so, 0, sizeof(so));
	facts_init(&f);
	f.keep_lines = true;
	if (source_read(&f, dir, &so, &err)) {
		golden_ok(false, name, "the directory is read", err);
		free(err);
		facts_destroy(&f);
		return;
	}
	failure = golden_failure(&f);
	if (failure)
		o.model = "linux-5.15";
	rc = boot_run(&b, &f, &o, &err);
	golden_ok(rc == 0, name, "it starts", err);
	free(err);
	if (!rc) {
		if (golden_verbose)
			printf("%s", b.prints);
		golden_zones(name, &b);
		golden_lines(name, &f, &b);
		golden_swiotlb(name, &f, &b);
		golden_slots(name, dir, &b);
		golden_pool_sizes(name, dir, &b);
		golden_consistent(name, &b);
		if (failure && failure->report != UINT32_MAX)
			golden_report(name, &f, &b, failure);
	}
	boot_destroy(&b);
	golden_places(name, &f);
	golden_other(name, &f, "physzone");
	golden_other(name, &f, "linux-5.15");
	golden_other(name, &f, "linux-6.12");
	facts_destroy(&f);
}

static int golden_not_dot(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	const char *root, *pattern;
	struct dirent **arch;
	int first = 1, archs;

	if (argc > first && !strcmp(argv[first], "-v")) {
		golden_verbose = true;
		first++;
	}
	if (argc <= first) {
		fprintf(stderr, "usage: boot [-v] MACHINES [PATTERN]\n");
		return 2;
	}
	root = argv[first];
	pattern = argc > first + 1 ? argv[first + 1] : "";
	archs = scandir(root, &arch, golden_not_dot, alphasort);
	for (int i = 0; i < archs; i++) {
		struct dirent **machine;
		char path[4096];
		int n;

		snprintf(path, sizeof(path), "%s/%s", root, arch[i]->d_name);
		n = scandir(path, &machine, golden_not_dot, alphasort);
		for (int k = 0; k < n; k++) {
			char dir[4400], name[600];
			struct stat st;

			snprintf(name, sizeof(name), "%s/%s", arch[i]->d_name, machine[k]->d_name);
			snprintf(dir, sizeof(dir), "%s/%s", path, machine[k]->d_name);
			if (!stat(dir, &st) && S_ISDIR(st.st_mode) && strstr(name, pattern))
				golden_machine(dir, name);
			free(machine[k]);
		}
		if (n >= 0)
			free(machine);
		free(arch[i]);
	}
	if (archs >= 0)
		free(arch);
	if (!*pattern) {
		char what[320];

		snprintf(what, sizeof(what),
			 "compared %u lines, %u of pools, %u computed; %u bounce buffers, %u "
			 "computed places of them, %u of contiguous areas, %u of crash kernels; %u "
			 "zones of reports; from debugfs %u pools and %u numbers of slots",
			 golden_lines_compared, golden_pools, golden_computed, golden_swiotlbs,
			 golden_places_compared, golden_areas_compared, golden_crashes_compared,
			 golden_reports, golden_pool_sizes_compared, golden_slots_compared);
		golden_ok(golden_lines_compared >= 867 && golden_pools >= 486 &&
				  golden_swiotlbs >= 99 && golden_places_compared >= 79 &&
				  golden_areas_compared >= 87 && golden_crashes_compared >= 12 &&
				  golden_reports >= 2 && golden_pool_sizes_compared >= 459 &&
				  golden_slots_compared >= 95 && golden_computed >= 104,
			  "all", what, "recorded machines are missing");
	}
	printf("1..%u\n", golden_run);
	return golden_failed != 0;
}
