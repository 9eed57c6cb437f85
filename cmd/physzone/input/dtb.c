/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dtb.c - the memory, reservations and nodes that a flattened device tree tells.
 *
 * Concept: the blob is checked as a whole first; only then is it walked, once, into an array of
 * nodes with what addresses below them look like. All questions go to that array.
 *
 * Invariants: 1. nodes stand behind their parents; 2. a node is available only when its parent is;
 * 3. cell counts are those in force for a node's children, inherited when a node does not say.
 *
 * What a node means is decided as Linux decides it (facts/zones.md sections 2 and 5): memory nodes
 * count when they stand below the root, have device_type "memory" and are available;
 * /reserved-memory counts only with the root's cell counts and a "ranges"; the first two ranges of
 * linux,usable-memory-range count.
 *
 * Failure: a blob that is cut off or damaged anywhere is refused with one line, and the facts are
 * untouched. What is well-formed but senseless (a memory node that wraps) becomes a contradiction.
 */
#include "input/dtb.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include <physzone/map.h>

#include "input/scan.h"

enum { DTB_USABLE_MAX = 2, DTB_VERSION_MIN = 16 };

bool dtb_is_blob(const char *buf, size_t len)
{
	return len >= 4 && !memcmp(buf, "\xd0\x0d\xfe\xed", 4);
}

const unsigned char *dtb_prop(const struct dtb *t, int node, const char *name, uint32_t *len)
{
	int n;
	const void *p = fdt_getprop(t->blob, t->nodes.v[node].offset, name, &n);

	*len = p && n > 0 ? (uint32_t)n : 0;
	return p;
}

bool dtb_prop_is(const struct dtb *t, int node, const char *name, const char *value)
{
	uint32_t len;
	const unsigned char *p = dtb_prop(t, node, name, &len);
	size_t n = strlen(value);

	return p && len >= n && !memcmp(p, value, n) && (len == n || !p[n]);
}

const char *dtb_name(const struct dtb *t, int node)
{
	const char *name = fdt_get_name(t->blob, t->nodes.v[node].offset, NULL);

	return name ? name : "";
}

bool dtb_name_is(const struct dtb *t, int node, const char *name)
{
	const char *s = dtb_name(t, node);
	size_t n = strlen(name);

	return !strncmp(s, name, n) && (!s[n] || s[n] == '@');
}

uint64_t dtb_number(const unsigned char *p, uint32_t cells)
{
	uint64_t v = 0;

	for (; cells; cells--, p += 4)
		v = v << 32 | (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 |
		    p[3];
	return v;
}

bool dtb_u32(const struct dtb *t, int node, const char *name, uint32_t *v)
{
	uint32_t len;
	const unsigned char *p = dtb_prop(t, node, name, &len);

	if (!p || len < 4)
		return false;
	*v = (uint32_t)dtb_number(p, 1);
	return true;
}

bool dtb_has(const struct dtb *t, int node, const char *name)
{
	uint32_t len;

	return dtb_prop(t, node, name, &len) != NULL;
}

char *dtb_text(const struct dtb *t, int node, const char *name)
{
	uint32_t len;
	const unsigned char *p = dtb_prop(t, node, name, &len);
	char *s;

	if (!p || !len)
		return NULL;
	s = xstrndup((const char *)p, strnlen((const char *)p, len));
	for (char *c = s; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return s;
}

int dtb_phandle(const struct dtb *t, uint32_t phandle)
{
	for (size_t i = 0; phandle && i < t->nodes.n; i++) {
		uint32_t v;

		if ((dtb_u32(t, (int)i, "phandle", &v) ||
		     dtb_u32(t, (int)i, "linux,phandle", &v)) &&
		    v == phandle)
			return (int)i;
	}
	return -1;
}

/* The next child of @node behind the node @after (@node itself for the first), or -1. */
static int dtb_child(const struct dtb *t, int node, int after)
{
	for (size_t i = (size_t)after + 1; i < t->nodes.n; i++) {
		int parent = t->nodes.v[i].parent;

		if (parent == node)
			return (int)i;
		if (parent < node)
			break;
	}
	return -1;
}

int dtb_child_named(const struct dtb *t, int node, const char *name)
{
	for (int c = dtb_child(t, node, node); c >= 0; c = dtb_child(t, node, c))
		if (!strcmp(dtb_name(t, c), name))
			return c;
	return -1;
}

bool dtb_available(const struct dtb *t, int node)
{
	return !dtb_has(t, node, "status") || dtb_prop_is(t, node, "status", "okay") ||
	       dtb_prop_is(t, node, "status", "ok");
}

/* Fill the array of nodes. */
static int dtb_unpack(struct dtb *t, const struct facts *f, struct where at, char **err)
{
	int path[DTB_DEPTH_MAX + 1];
	int depth = 0;

	for (int offset = 0; offset >= 0; offset = fdt_next_node(t->blob, offset, &depth)) {
		struct dtb_node *n;
		int me = (int)t->nodes.n;
		int parent;

		if (depth < 0 || (depth == 0 && me > 0))
			break;
		if (depth > DTB_DEPTH_MAX)
			return scan_error(f, at, err,
					  "a device tree with nodes below %d others, deeper than a "
					  "kernel reads",
					  DTB_DEPTH_MAX);
		parent = depth ? path[depth - 1] : -1;
		path[depth] = me;
		n = vec_push(&t->nodes);
		n->offset = offset;
		n->parent = parent;
		n->addr_cells = parent >= 0 ? t->nodes.v[parent].addr_cells : 1;
		n->size_cells = parent >= 0 ? t->nodes.v[parent].size_cells : 1;
		dtb_u32(t, me, "#address-cells", &n->addr_cells);
		dtb_u32(t, me, "#size-cells", &n->size_cells);
		n->available = (parent < 0 || t->nodes.v[parent].available) && dtb_available(t, me);
	}
	return 0;
}

/* A list of (base, size) with the root's cells: the next one that is not empty. */
struct dtb_list {
	const struct dtb *t;
	const unsigned char *p;
	uint32_t len;
	bool wrapped; /* the last range was cut at the top */
};

static bool dtb_next(struct dtb_list *l, struct pz_range *r)
{
	uint32_t na = l->t->nodes.v[0].addr_cells, ns = l->t->nodes.v[0].size_cells;

	while (l->len >= 4 * (na + ns)) {
		uint64_t base = dtb_number(l->p, na), size = dtb_number(l->p + 4 * na, ns);

		l->p += 4 * (na + ns);
		l->len -= 4 * (na + ns);
		if (!size)
			continue;
		l->wrapped = size - 1 > UINT64_MAX - base;
		r->first = base;
		r->last = l->wrapped ? UINT64_MAX : base + size - 1;
		return true;
	}
	return false;
}

static struct dtb_list dtb_list(const struct dtb *t, int node, const char *name)
{
	struct dtb_list l = { t, NULL, 0, false };

	l.p = dtb_prop(t, node, name, &l.len);
	return l;
}

static void dtb_wrapped(struct facts *f, struct where at, const struct dtb *t, int node,
			const struct dtb_list *l)
{
	if (l->wrapped)
		facts_contradict(f, at, "node %s: a range wraps around the end of the addresses",
				 dtb_name(t, node));
}

static struct fact_claim *dtb_claim(struct facts *f, struct where at, enum claim_kind kind,
				    struct pz_range r, char *text)
{
	struct fact_claim *c = vec_push(&f->claims);

	c->kind = kind;
	c->range = r;
	c->nid = PZ_NID_NONE;
	c->text = text;
	c->at = at;
	return c;
}

static void dtb_memory(struct facts *f, struct where at, const struct dtb *t)
{
	for (int node = dtb_child(t, 0, 0); node >= 0; node = dtb_child(t, 0, node)) {
		struct dtb_list l;
		struct pz_range r;
		uint32_t nid;
		bool numa;

		if (!dtb_prop_is(t, node, "device_type", "memory") || !dtb_available(t, node))
			continue;
		l = dtb_list(t, node, "linux,usable-memory");
		if (!l.p)
			l = dtb_list(t, node, "reg");
		numa = dtb_u32(t, node, "numa-node-id", &nid) && nid <= INT32_MAX;
		while (dtb_next(&l, &r)) {
			struct fact_fw *e = vec_push(&f->fw);

			dtb_wrapped(f, at, t, node, &l);
			e->origin = FW_DT;
			e->range = r;
			e->type = PZ_MAP_RAM;
			e->word = xstrdup("memory");
			e->nid = numa ? (int)nid : PZ_NID_NONE;
			e->at = at;
			if (numa) {
				struct fact_srat *s = vec_push(&f->srat);

				s->nid = (int)nid;
				s->range = r;
				s->hotplug = dtb_has(t, node, "hotpluggable");
				s->at = at;
			}
		}
		if (l.len)
			facts_contradict(f, at, "node %s: %u bytes behind its last range",
					 dtb_name(t, node), l.len);
	}
}

static bool dtb_is(const struct dtb *t, int node, const char *compatible)
{
	return !fdt_node_check_compatible(t->blob, t->nodes.v[node].offset, compatible);
}

static void dtb_dynamic(struct facts *f, struct where at, const struct dtb *t, int node)
{
	uint32_t na = t->nodes.v[0].addr_cells, ns = t->nodes.v[0].size_cells, len;
	const unsigned char *p = dtb_prop(t, node, "size", &len);
	struct fact_dt_dynamic *d;
	struct dtb_list l;
	struct pz_range r;

	if (!p)
		return;
	if (len != 4 * ns) {
		facts_contradict(f, at, "reserved-memory node %s: its size has %u bytes, not %u",
				 dtb_name(t, node), len, 4 * ns);
		return;
	}
	d = vec_push(&f->dt.dynamic);
	d->name = xstrdup(dtb_name(t, node));
	d->size = dtb_number(p, ns);
	p = dtb_prop(t, node, "alignment", &len);
	if (p && len == 4 * na)
		d->align = dtb_number(p, na);
	l = dtb_list(t, node, "alloc-ranges");
	while (dtb_next(&l, &r))
		*vec_push(&d->within) = r;
	d->reusable = dtb_has(t, node, "reusable");
	d->nomap = dtb_has(t, node, "no-map");
	d->shared_pool = dtb_is(t, node, "shared-dma-pool");
	d->restricted_pool = dtb_is(t, node, "restricted-dma-pool");
	d->cma_default = dtb_has(t, node, "linux,cma-default");
}

static void dtb_reserved(struct facts *f, struct where at, const struct dtb *t)
{
	int count = fdt_num_mem_rsv(t->blob);
	int top = dtb_child_named(t, 0, "reserved-memory");
	const struct dtb_node *root = &t->nodes.v[0];
	uint32_t na, ns;

	for (int i = 0; i < count; i++) {
		uint64_t base, size;
		struct pz_range r;

		if (fdt_get_mem_rsv(t->blob, i, &base, &size) || !size)
			continue;
		r.first = base;
		r.last = size - 1 > UINT64_MAX - base ? UINT64_MAX : base + size - 1;
		dtb_claim(f, at, CLAIM_DT_RESERVED, r, xstrdup("memreserve"));
	}
	if (top < 0)
		return;
	if (!dtb_u32(t, top, "#address-cells", &na) || na != root->addr_cells ||
	    !dtb_u32(t, top, "#size-cells", &ns) || ns != root->size_cells ||
	    !dtb_has(t, top, "ranges")) {
		facts_contradict(f, at,
				 "reserved-memory is not in the form that a kernel reads, so it is "
				 "not used");
		return;
	}
	for (int node = dtb_child(t, top, top); node >= 0; node = dtb_child(t, top, node)) {
		struct dtb_list l = dtb_list(t, node, "reg");
		struct pz_range r;

		if (!dtb_available(t, node))
			continue;
		if (!l.p) {
			dtb_dynamic(f, at, t, node);
			continue;
		}
		if (l.len % (4 * (na + ns))) {
			facts_contradict(f, at, "reserved-memory node %s: its reg has %u bytes",
					 dtb_name(t, node), l.len);
			continue;
		}
		while (dtb_next(&l, &r)) {
			struct fact_claim *c =
				dtb_claim(f, at, CLAIM_DT_RESERVED, r, xstrdup(dtb_name(t, node)));

			dtb_wrapped(f, at, t, node, &l);
			c->reusable = dtb_has(t, node, "reusable");
			c->nomap = dtb_has(t, node, "no-map");
			c->shared_pool = dtb_is(t, node, "shared-dma-pool");
			c->restricted_pool = dtb_is(t, node, "restricted-dma-pool");
			c->cma_default = dtb_has(t, node, "linux,cma-default");
		}
	}
}

static void dtb_bootargs(struct facts *f, struct where at, const struct dtb *t, int chosen)
{
	char *args = dtb_text(t, chosen, "bootargs");

	if (!args)
		return;
	if (!f->cmdline) {
		f->cmdline = args;
		f->cmdline_at = at;
		return;
	}
	if (!strstr(f->cmdline, args))
		facts_note(f, "the command line is another than that in %s", f->files.v[at.file]);
	free(args);
}

static void dtb_chosen(struct facts *f, struct where at, const struct dtb *t)
{
	int chosen = dtb_child_named(t, 0, "chosen");
	const unsigned char *start, *end;
	uint32_t slen, elen;
	struct dtb_list l;
	struct pz_range r;

	if (chosen < 0)
		chosen = dtb_child_named(t, 0, "chosen@0");
	if (chosen < 0)
		return;
	dtb_bootargs(f, at, t, chosen);
	f->dt.uefi = dtb_has(t, chosen, "linux,uefi-mmap-start");
	start = dtb_prop(t, chosen, "linux,initrd-start", &slen);
	end = dtb_prop(t, chosen, "linux,initrd-end", &elen);
	if (start && end) {
		r.first = dtb_number(start, slen / 4);
		r.last = dtb_number(end, elen / 4);
		if (r.first < r.last) {
			r.last--;
			dtb_claim(f, at, CLAIM_INITRD, r, xstrdup("initrd"));
		} else if (r.first > r.last) {
			facts_contradict(f, at, "the initrd ends before it starts");
		}
	}
	l = dtb_list(t, chosen, "linux,usable-memory-range");
	f->dt.has_usable = l.p != NULL;
	while (f->dt.usable.n < DTB_USABLE_MAX && dtb_next(&l, &r)) {
		dtb_wrapped(f, at, t, chosen, &l);
		*vec_push(&f->dt.usable) = r;
	}
	l = dtb_list(t, chosen, "linux,elfcorehdr");
	if (dtb_next(&l, &r)) {
		f->dt.has_elfcorehdr = true;
		f->dt.elfcorehdr = r;
		dtb_claim(f, at, CLAIM_ELFCOREHDR, r, xstrdup("elfcorehdr"));
	}
}

static void dtb_distances(struct facts *f, struct where at, const struct dtb *t)
{
	for (size_t i = 0; i < t->nodes.n; i++) {
		const unsigned char *p;
		uint32_t len;

		if (fdt_node_check_compatible(t->blob, t->nodes.v[i].offset,
					      "numa-distance-map-v1") != 0)
			continue;
		p = dtb_prop(t, (int)i, "distance-matrix", &len);
		for (; p && len >= 12; p += 12, len -= 12) {
			uint64_t from = dtb_number(p, 1), to = dtb_number(p + 4, 1);
			uint32_t distance = (uint32_t)dtb_number(p + 8, 1);
			struct fact_distance *d;

			if (from > INT32_MAX || to > INT32_MAX ||
			    (from == to ? distance != 10 : distance <= 10)) {
				facts_contradict(f, at, "node %s: a distance of %u is none",
						 dtb_name(t, (int)i), distance);
				return;
			}
			d = vec_push(&f->distances);
			d->from = (int)from;
			d->to = (int)to;
			d->distance = distance;
			/* The way back is as far unless it is told. */
			if (to <= from)
				continue;
			d = vec_push(&f->distances);
			d->from = (int)to;
			d->to = (int)from;
			d->distance = distance;
		}
		break;
	}
}

/* The architecture, from the first CPU's names. */
static const char *dtb_arch(const struct dtb *t, int cpu)
{
	static const char *const arm32[] = { "arm,arm9",       "arm,arm11",	 "arm,cortex-a5",
					     "arm,cortex-a7",  "arm,cortex-a8",	 "arm,cortex-a9",
					     "arm,cortex-a12", "arm,cortex-a15", "arm,cortex-a17" };
	char *name = dtb_text(t, cpu, "compatible"), *isa = dtb_text(t, cpu, "riscv,isa");
	const char *arch = NULL;

	if (isa || (name && !strcmp(name, "riscv")))
		arch = isa && !strncmp(isa, "rv32", 4) ? "riscv32" : "riscv64";
	else if (name && !strncmp(name, "arm,", 4))
		arch = "arm64";
	else if (name && (!strncmp(name, "loongson,la", 11)))
		arch = "loongarch";
	else if (dtb_name_is(t, cpu, "PowerPC,POWER9") || dtb_name_is(t, cpu, "PowerPC,POWER8") ||
		 dtb_name_is(t, cpu, "PowerPC,POWER10"))
		arch = "powerpc64";
	for (size_t i = 0; arch && i < sizeof(arm32) / sizeof(arm32[0]); i++) {
		size_t n = strlen(arm32[i]);

		/* "arm,cortex-a7" is not the start of "arm,cortex-a72"; "arm,arm9" is of a family.
		 */
		if (name && !strncmp(name, arm32[i], n) && (i < 2 || !name[n]))
			arch = "arm";
	}
	free(name);
	free(isa);
	return arch;
}

static void dtb_cpus(struct facts *f, const struct dtb *t)
{
	int cpus = dtb_child_named(t, 0, "cpus");

	for (int c = cpus < 0 ? -1 : dtb_child(t, cpus, cpus); c >= 0; c = dtb_child(t, cpus, c)) {
		const char *arch;

		if (!dtb_prop_is(t, c, "device_type", "cpu") || !dtb_available(t, c))
			continue;
		f->dt.cpus++;
		if (f->arch_hint)
			continue;
		arch = dtb_arch(t, c);
		if (arch)
			f->arch_hint = xstrdup(arch);
	}
}

/* What libfdt found wrong, in words. */
static int dtb_damaged(const struct facts *f, struct where at, const char *buf, size_t len,
		       char **err)
{
	uint32_t total = len >= 8 ? (uint32_t)dtb_number((const unsigned char *)buf + 4, 1) : 0;
	int ret;

	if (len < 8)
		return scan_error(f, at, err, "a device tree that is cut off after %zu bytes", len);
	if (total > len)
		return scan_error(f, at, err,
				  "a device tree that is cut off: %zu bytes of the %u it says", len,
				  total);
	/* libfdt up to 1.6.1 stumbles over the names of nodes in older ones. */
	if (len >= 24 && dtb_number((const unsigned char *)buf + 20, 1) < DTB_VERSION_MIN)
		return scan_error(f, at, err, "a device tree of version %u, older than %u",
				  (unsigned int)dtb_number((const unsigned char *)buf + 20, 1),
				  (unsigned int)DTB_VERSION_MIN);
	ret = fdt_check_full(buf, len);
	return ret ? scan_error(f, at, err, "a damaged device tree (libfdt: %s)", fdt_strerror(ret))
		   : 0;
}

static int dtb_facts(struct facts *f, struct where at, const struct dtb *t, char **err)
{
	const struct dtb_node *root = &t->nodes.v[0];
	uint64_t limit;
	int by;

	if (!root->addr_cells || root->addr_cells > DTB_CELLS_MAX || !root->size_cells ||
	    root->size_cells > DTB_CELLS_MAX)
		return scan_error(f, at, err,
				  "the root's #address-cells %u and #size-cells %u are none that "
				  "memory has",
				  root->addr_cells, root->size_cells);
	if (!dtb_dma_limit(t, &limit, &by))
		return scan_error(f, at, err,
				  "node %s has dma-ranges, and cell counts that addresses do not "
				  "have",
				  dtb_name(t, by));
	f->dt.seen = true;
	f->dt.at = at;
	f->dt.dma_max_cpu = limit;
	if (by >= 0)
		facts_note(f, "the dma-ranges of node %s reach up to %#llx", dtb_name(t, by),
			   (unsigned long long)limit);
	f->dt.model = dtb_text(t, 0, "model");
	f->dt.compatible = dtb_text(t, 0, "compatible");
	dtb_memory(f, at, t);
	dtb_reserved(f, at, t);
	dtb_chosen(f, at, t);
	dtb_distances(f, at, t);
	dtb_cpus(f, t);
	return 0;
}

int dtb_open(struct dtb *t, const struct facts *f, uint32_t file, const char *buf, size_t len,
	     char **err)
{
	struct where at = { file, 0 };
	void *blob;
	int ret;

	memset(t, 0, sizeof(*t));
	if (!dtb_is_blob(buf, len))
		return scan_error(f, at, err, "not a device tree blob");
	ret = len > INT32_MAX ? scan_error(f, at, err, "a device tree of more than 2 GiB")
			      : dtb_damaged(f, at, buf, len, err);
	if (ret)
		return ret;
	/* libfdt reads 64-bit words at offsets that are multiples of 8. */
	blob = xmalloc(len);
	memcpy(blob, buf, len);
	t->blob = blob;
	t->owned = blob;
	return dtb_unpack(t, f, at, err);
}

void dtb_close(struct dtb *t)
{
	vec_free(&t->nodes);
	free(t->owned);
	t->blob = t->owned = NULL;
}

int dtb_read(struct facts *f, uint32_t file, const char *buf, size_t len, char **err)
{
	struct where at = { file, 0 };
	struct dtb t;
	int ret = dtb_open(&t, f, file, buf, len, err);

	if (!ret)
		ret = dtb_facts(f, at, &t, err);
	dtb_close(&t);
	return ret;
}
