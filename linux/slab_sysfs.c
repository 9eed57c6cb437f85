/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slab_sysfs.c - the files of a cache below /sys/kernel/slab.
 *
 * Concept: a table says of each file where its value stands and what may be written to it; a value
 * is one of a few kinds. Reading a text takes the value over and compares what it is written as.
 *
 * Invariants: 1. what was read is written as it was; 2. a store that is refused changes nothing.
 *
 * Failure: what Linux would not write is refused.
 *
 * Shortcomings: the statistics of kernels with SLUB_STATS are not here. 5.15 keeps min_partial
 * between 5 and 10, here it is taken as it is written.
 */
#include <physzone/fmt.h>
#include <physzone/linux/slab_proc.h>

#include "../src/base/pz_string.h"
#include "pzl_slab.h"
#include "pzl_text.h"

/* What the value of a file is. */
enum sysfs_kind {
	SYSFS_U32, /* a number */
	SYSFS_U64,
	SYSFS_FLAG, /* whether the cache has a flag */
	SYSFS_BOOL,
	SYSFS_COUNT, /* a number, and those of nodes that are not 0 */
	SYSFS_CPUS,  /* objects and slabs, and those of CPUs */
	SYSFS_CTOR,  /* a symbol, or nothing */
	SYSFS_NONE,  /* nothing: the file is there to be written */
};

struct sysfs_row {
	struct pzl_slab_attr_info info;
	enum sysfs_kind kind;
	uint32_t at; /* where the value stands, or the flag */
};

#define AT(field) offsetof(struct pzl_slab_attrs, field)
#define RO(name, needs)                           \
	{                                         \
		name, needs, 0400, PZL_STORE_NONE \
	}
#define RW(name, needs, store)           \
	{                                \
		name, needs, 0600, store \
	}

static const struct sysfs_row sysfs_rows[PZL_SLAB_ATTRS] = {
	[PZL_SA_SLAB_SIZE] = { RO("slab_size", 0), SYSFS_U32, AT(size) },
	[PZL_SA_ALIGN] = { RO("align", 0), SYSFS_U32, AT(align) },
	[PZL_SA_OBJECT_SIZE] = { RO("object_size", 0), SYSFS_U32, AT(object_size) },
	[PZL_SA_OBJS_PER_SLAB] = { RO("objs_per_slab", 0), SYSFS_U32, AT(objects_per_slab) },
	[PZL_SA_ORDER] = { RO("order", 0), SYSFS_U32, AT(order) },
	[PZL_SA_MIN_PARTIAL] = { RW("min_partial", 0, PZL_STORE_NUMBER), SYSFS_U64,
				 AT(min_partial) },
	[PZL_SA_CPU_PARTIAL] = { RW("cpu_partial", 0, PZL_STORE_CPU), SYSFS_U32, AT(cpu_partial) },
	[PZL_SA_OBJECTS] = { RO("objects", 0), SYSFS_COUNT, AT(objects) },
	[PZL_SA_OBJECTS_PARTIAL] = { RO("objects_partial", 0), SYSFS_COUNT, AT(objects_partial) },
	[PZL_SA_PARTIAL] = { RO("partial", 0), SYSFS_COUNT, AT(partial) },
	[PZL_SA_CPU_SLABS] = { RO("cpu_slabs", 0), SYSFS_COUNT, AT(cpu_slabs) },
	[PZL_SA_CTOR] = { RO("ctor", 0), SYSFS_CTOR, 0 },
	[PZL_SA_ALIASES] = { RO("aliases", 0), SYSFS_U32, AT(aliases) },
	[PZL_SA_HWCACHE_ALIGN] = { RO("hwcache_align", 0), SYSFS_FLAG, PZL_SLAB_HWCACHE_ALIGN },
	[PZL_SA_RECLAIM_ACCOUNT] = { RO("reclaim_account", 0), SYSFS_FLAG,
				     PZL_SLAB_RECLAIM_ACCOUNT },
	[PZL_SA_DESTROY_BY_RCU] = { RO("destroy_by_rcu", 0), SYSFS_FLAG, PZL_SLAB_TYPESAFE_BY_RCU },
	[PZL_SA_SHRINK] = { RW("shrink", 0, PZL_STORE_ONE), SYSFS_NONE, 0 },
	[PZL_SA_SLABS_CPU_PARTIAL] = { RO("slabs_cpu_partial", 0), SYSFS_CPUS, 0 },
	[PZL_SA_TOTAL_OBJECTS] = { RO("total_objects", PZL_SLAB_HAS_DEBUG), SYSFS_COUNT,
				   AT(total_objects) },
	[PZL_SA_SLABS] = { RO("slabs", PZL_SLAB_HAS_DEBUG), SYSFS_COUNT, AT(slabs) },
	[PZL_SA_SANITY_CHECKS] = { RO("sanity_checks", PZL_SLAB_HAS_DEBUG), SYSFS_FLAG,
				   PZL_SLAB_CONSISTENCY_CHECKS },
	[PZL_SA_TRACE] = { RO("trace", PZL_SLAB_HAS_DEBUG), SYSFS_FLAG, PZL_SLAB_TRACE },
	[PZL_SA_RED_ZONE] = { RO("red_zone", PZL_SLAB_HAS_DEBUG), SYSFS_FLAG, PZL_SLAB_RED_ZONE },
	[PZL_SA_POISON] = { RO("poison", PZL_SLAB_HAS_DEBUG), SYSFS_FLAG, PZL_SLAB_POISON },
	[PZL_SA_STORE_USER] = { RO("store_user", PZL_SLAB_HAS_DEBUG), SYSFS_FLAG,
				PZL_SLAB_STORE_USER },
	[PZL_SA_VALIDATE] = { RW("validate", PZL_SLAB_HAS_DEBUG, PZL_STORE_CHECK), SYSFS_NONE, 0 },
	[PZL_SA_CACHE_DMA] = { RO("cache_dma", PZL_SLAB_HAS_DMA), SYSFS_FLAG, PZL_SLAB_CACHE_DMA },
	[PZL_SA_REMOTE_NODE_DEFRAG_RATIO] = { RW("remote_node_defrag_ratio", PZL_SLAB_HAS_NUMA,
						 PZL_STORE_PERCENT),
					      SYSFS_U32, AT(defrag_percent) },
	[PZL_SA_FAILSLAB] = { RW("failslab", PZL_SLAB_HAS_FAULT, PZL_STORE_FAULT), SYSFS_FLAG,
			      PZL_SLAB_FAILSLAB },
	[PZL_SA_USERSIZE] = { RO("usersize", 0), SYSFS_U32, AT(usersize) },
	[PZL_SA_SKIP_KFENCE] = { RW("skip_kfence", PZL_SLAB_HAS_KFENCE, PZL_STORE_SWITCH),
				 SYSFS_BOOL, AT(skip_kfence) },
};

void pzl_slab_attrs_init(struct pzl_slab_attrs *a, enum pzl_model model, uint32_t has,
			 const struct pzl_slab_geometry *g, uint32_t object_size)
{
	memset(a, 0, sizeof(*a));
	a->model = model;
	a->has = has;
	a->flags = g->flags;
	a->size = g->size;
	a->align = g->align;
	a->object_size = object_size;
	a->objects_per_slab = g->objects;
	a->order = g->order;
	a->min_partial = g->min_partial;
	a->cpu_partial = g->cpu_partial;
	a->defrag_percent = 100;
}

const struct pzl_slab_attr_info *pzl_slab_attr_info(enum pzl_slab_attr attr)
{
	return (unsigned int)attr < PZL_SLAB_ATTRS ? &sysfs_rows[attr].info : NULL;
}

int pzl_slab_attr_find(const char *name, size_t len, enum pzl_slab_attr *attr)
{
	for (unsigned int i = 0; i < PZL_SLAB_ATTRS; i++) {
		const char *is = sysfs_rows[i].info.name;

		if (pzl_strlen(is) == len && pzl_starts_n(name, len, is)) {
			*attr = (enum pzl_slab_attr)i;
			return 0;
		}
	}
	return -PZ_ENOENT;
}

bool pzl_slab_attr_exists(enum pzl_model model, uint32_t has, enum pzl_slab_attr attr)
{
	uint32_t needs;

	if ((unsigned int)attr >= PZL_SLAB_ATTRS)
		return false;
	needs = sysfs_rows[attr].info.needs;
	if (attr == PZL_SA_OBJECTS && model >= PZL_LINUX_6_12)
		needs = PZL_SLAB_HAS_DEBUG;
	if (attr == PZL_SA_USERSIZE && model >= PZL_LINUX_6_12)
		needs = PZL_SLAB_HAS_USERCOPY;
	if (attr == PZL_SA_SKIP_KFENCE && model < PZL_LINUX_6_1)
		return false;
	return (has & needs) == needs;
}

/* Text that grows, is cut at the end of its buffer, and counted on. */
struct sysfs_text {
	char *buf;
	size_t size, n;
};

static char *sysfs_at(const struct sysfs_text *t)
{
	return t->n < t->size ? t->buf + t->n : NULL;
}

static size_t sysfs_left(const struct sysfs_text *t)
{
	return t->n < t->size ? t->size - t->n : 0;
}

#define SYSFS_ADD(t, ...) ((t)->n += pz_snprintf(sysfs_at(t), sysfs_left(t), __VA_ARGS__))

static void sysfs_count(struct sysfs_text *t, const struct pzl_slab_attrs *a,
			const struct pzl_slab_count *c)
{
	SYSFS_ADD(t, "%llu", (unsigned long long)c->total);
	for (uint32_t n = 0; n < PZL_SLAB_NODES && (a->has & PZL_SLAB_HAS_NUMA); n++)
		if (c->node[n])
			SYSFS_ADD(t, " N%u=%llu", n, (unsigned long long)c->node[n]);
	SYSFS_ADD(t, "\n");
}

static void sysfs_cpus(struct sysfs_text *t, const struct pzl_slab_attrs *a)
{
	SYSFS_ADD(t, "%u(%u)", a->cpu_list.objects, a->cpu_list.slabs);
	for (uint32_t c = 0; c < PZL_SLAB_CPUS && (a->has & PZL_SLAB_HAS_SMP); c++)
		if (a->cpu[c].objects || a->cpu[c].slabs)
			SYSFS_ADD(t, " C%u=%u(%u)", c, a->cpu[c].objects, a->cpu[c].slabs);
	SYSFS_ADD(t, "\n");
}

size_t pzl_slab_attr_write(char *buf, size_t size, const struct pzl_slab_attrs *a,
			   enum pzl_slab_attr attr)
{
	struct sysfs_text t = { buf, size, 0 };
	const struct sysfs_row *row;
	const void *v;

	if (size)
		buf[0] = 0;
	if ((unsigned int)attr >= PZL_SLAB_ATTRS)
		return 0;
	row = &sysfs_rows[attr];
	v = (const char *)a + row->at;
	switch (row->kind) {
	case SYSFS_U32:
		SYSFS_ADD(&t, "%u\n", *(const uint32_t *)v);
		break;
	case SYSFS_U64:
		SYSFS_ADD(&t, "%llu\n", (unsigned long long)*(const uint64_t *)v);
		break;
	case SYSFS_FLAG:
		SYSFS_ADD(&t, "%u\n", a->flags & row->at ? 1u : 0u);
		break;
	case SYSFS_BOOL:
		SYSFS_ADD(&t, "%u\n", *(const bool *)v ? 1u : 0u);
		break;
	case SYSFS_COUNT:
		sysfs_count(&t, a, v);
		break;
	case SYSFS_CPUS:
		sysfs_cpus(&t, a);
		break;
	case SYSFS_CTOR:
		if (a->ctor[0])
			SYSFS_ADD(&t, "%s\n", a->ctor);
		break;
	case SYSFS_NONE:
		break;
	}
	return t.n;
}

/* A place in a text. */
struct sysfs_scan {
	const char *p, *end;
};

/* Digits of a number; -PZ_EINVAL where there is none, -PZ_ERANGE for one that does not fit. */
static int sysfs_number(struct sysfs_scan *s, uint64_t most, uint64_t *v)
{
	const char *first = s->p;
	bool wide = false;

	*v = 0;
	for (; s->p < s->end && pzl_isdigit(*s->p); s->p++)
		wide = !pzl_slab_digit(v, *s->p) || wide;
	if (s->p == first)
		return -PZ_EINVAL;
	return wide || *v > most ? -PZ_ERANGE : 0;
}

static int sysfs_number32(struct sysfs_scan *s, uint32_t *v)
{
	uint64_t n;
	int err = sysfs_number(s, UINT32_MAX, &n);

	*v = (uint32_t)n;
	return err;
}

static bool sysfs_char(struct sysfs_scan *s, char c)
{
	if (s->p == s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

/* "N3=" before a number: the number of the node or CPU. */
static int sysfs_index(struct sysfs_scan *s, char letter, uint32_t most, uint32_t *i)
{
	if (!sysfs_char(s, ' ') || !sysfs_char(s, letter) || sysfs_number32(s, i) ||
	    !sysfs_char(s, '='))
		return -PZ_EINVAL;
	return *i < most ? 0 : -PZ_ENOSPC;
}

static int sysfs_read_count(struct sysfs_scan *s, struct pzl_slab_count *c)
{
	uint32_t i;
	int err;

	memset(c, 0, sizeof(*c));
	if (sysfs_number(s, UINT64_MAX, &c->total))
		return -PZ_EINVAL;
	while (s->p < s->end && *s->p == ' ') {
		err = sysfs_index(s, 'N', PZL_SLAB_NODES, &i);
		if (err)
			return err;
		if (sysfs_number(s, UINT64_MAX, &c->node[i]))
			return -PZ_EINVAL;
	}
	return 0;
}

static bool sysfs_read_pair(struct sysfs_scan *s, struct pzl_slab_cpu_list *l)
{
	return !sysfs_number32(s, &l->objects) && sysfs_char(s, '(') &&
	       !sysfs_number32(s, &l->slabs) && sysfs_char(s, ')');
}

static int sysfs_read_cpus(struct sysfs_scan *s, struct pzl_slab_attrs *a)
{
	uint32_t i;
	int err;

	memset(a->cpu, 0, sizeof(a->cpu));
	if (!sysfs_read_pair(s, &a->cpu_list))
		return -PZ_EINVAL;
	while (s->p < s->end && *s->p == ' ') {
		err = sysfs_index(s, 'C', PZL_SLAB_CPUS, &i);
		if (err)
			return err;
		if (!sysfs_read_pair(s, &a->cpu[i]))
			return -PZ_EINVAL;
	}
	return 0;
}

static int sysfs_read_ctor(struct sysfs_scan *s, struct pzl_slab_attrs *a)
{
	size_t n = 0;

	memset(a->ctor, 0, sizeof(a->ctor));
	while (s->p<s->end && * s->p> ' ' && n + 1 < sizeof(a->ctor))
		a->ctor[n++] = *s->p++;
	return 0;
}

static int sysfs_read_value(struct sysfs_scan *s, const struct sysfs_row *row,
			    struct pzl_slab_attrs *a)
{
	void *v = (char *)a + row->at;
	uint32_t n;

	switch (row->kind) {
	case SYSFS_U32:
		return sysfs_number32(s, v);
	case SYSFS_U64:
		return sysfs_number(s, UINT64_MAX, v);
	case SYSFS_FLAG:
		if (sysfs_number32(s, &n) || n > 1)
			return -PZ_EINVAL;
		a->flags = n ? a->flags | row->at : a->flags & ~row->at;
		return 0;
	case SYSFS_BOOL:
		if (sysfs_number32(s, &n) || n > 1)
			return -PZ_EINVAL;
		*(bool *)v = n != 0;
		return 0;
	case SYSFS_COUNT:
		return sysfs_read_count(s, v);
	case SYSFS_CPUS:
		return sysfs_read_cpus(s, a);
	case SYSFS_CTOR:
		return sysfs_read_ctor(s, a);
	case SYSFS_NONE:
		break;
	}
	return 0;
}

/* Whether the value that was read is written as it stood. Pieces are compared, not kept. */
static bool sysfs_same(const struct pzl_slab_attrs *a, enum pzl_slab_attr attr, const char *text,
		       size_t len)
{
	char again[2048];

	return pzl_slab_attr_write(again, sizeof(again), a, attr) == len && len < sizeof(again) &&
	       !memcmp(again, text, len);
}

int pzl_slab_attr_read(struct pzl_slab_attrs *a, enum pzl_slab_attr attr, const char *text,
		       size_t len)
{
	struct sysfs_scan s = { text, text + len };
	struct pzl_slab_attrs fresh = *a;
	int err;

	if ((unsigned int)attr >= PZL_SLAB_ATTRS)
		return -PZ_EINVAL;
	err = sysfs_read_value(&s, &sysfs_rows[attr], &fresh);
	if (err)
		return err == -PZ_ENOSPC ? err : -PZ_EINVAL;
	if (!sysfs_same(&fresh, attr, text, len))
		return -PZ_EINVAL;
	*a = fresh;
	return 0;
}

/* A number as the files take it: a sign +, digits, a newline. */
static int sysfs_stored(const char *text, size_t len, uint64_t most, uint64_t *v)
{
	struct sysfs_scan s = { text, text + len };
	int err;

	if (s.p < s.end && *s.p == '+')
		s.p++;
	err = sysfs_number(&s, most, v);
	if (err)
		return err;
	if (s.p < s.end && *s.p == '\n')
		s.p++;
	return s.p < s.end ? -PZ_EINVAL : 0;
}

int pzl_slab_attr_store(struct pzl_slab_attrs *a, enum pzl_slab_attr attr, const char *text,
			size_t len)
{
	const char first = len ? text[0] : '\0';
	uint64_t v;
	int err;

	if ((unsigned int)attr >= PZL_SLAB_ATTRS)
		return -PZ_ENOENT;
	switch (sysfs_rows[attr].info.store) {
	case PZL_STORE_NONE:
		break;
	case PZL_STORE_NUMBER:
		err = sysfs_stored(text, len, UINT64_MAX, &v);
		if (!err)
			a->min_partial = v;
		return err;
	case PZL_STORE_CPU:
		err = sysfs_stored(text, len, UINT32_MAX, &v);
		if (!err && v && (a->flags & PZL_SLAB_DEBUG))
			err = -PZ_EINVAL;
		if (!err)
			a->cpu_partial = (uint32_t)v;
		return err;
	case PZL_STORE_PERCENT:
		err = sysfs_stored(text, len, UINT32_MAX, &v);
		if (!err && v > 100)
			err = -PZ_ERANGE;
		if (!err)
			a->defrag_percent = (uint32_t)v;
		return err;
	case PZL_STORE_CHECK:
		if (a->model >= PZL_LINUX_6_1 && !(a->flags & PZL_SLAB_DEBUG))
			return -PZ_EINVAL;
		return first == '1' ? 0 : -PZ_EINVAL;
	case PZL_STORE_ONE:
		return first == '1' ? 0 : -PZ_EINVAL;
	case PZL_STORE_SWITCH:
		if (first != '0' && first != '1')
			return -PZ_EINVAL;
		a->skip_kfence = first == '1';
		return 0;
	case PZL_STORE_FAULT:
		if (a->aliases)
			return -PZ_EINVAL;
		a->flags &= ~PZL_SLAB_FAILSLAB;
		if (first == '1')
			a->flags |= PZL_SLAB_FAILSLAB;
		return 0;
	}
	return -PZL_EIO;
}
