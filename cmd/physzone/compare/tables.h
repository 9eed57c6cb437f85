/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tables.h - physzone compare tables: second-level tables of an IOMMU from each of several
 * allocators, on the same stream of mappings and the same machine.
 */
#ifndef PHYSZONE_CMD_COMPARE_TABLES_H
#define PHYSZONE_CMD_COMPARE_TABLES_H

#include "table_trace.h"
#include "table_way.h"

#define TABLES_SAMPLES 240u

struct tables_settings {
	uint64_t last;	       /* last address that a table may have */
	unsigned int fill;     /* percent of what is in reach that others hold */
	unsigned int pressure; /* percent of the time in which they take what they can get */
	bool keep;	       /* empty tables stay until the end */
	bool time;	       /* measure time too */
};

struct tables_sample {
	uint64_t held, payload; /* bytes: of the machine, of tables that are out */
	uint64_t wanted;	/* of those that would be out if none had failed */
	uint64_t failed;	/* so far, in atomic context */
};

/* What came of one way, with or without its debug options. Bytes but where it says otherwise. */
struct tables_count {
	uint64_t asked, served;
	uint64_t atomic_asked, atomic_failed;
	uint64_t waiting_failed;     /* though they may wait */
	uint64_t peak, peak_payload; /* held at most, and the tables then */
	uint64_t low;		     /* after nine tables in ten were given back */
	uint64_t low_payload;	     /* the tables then */
	uint64_t low_wanted;	     /* the same if none had failed */
	uint64_t shrunk;	     /* then, when asked to give back what is kept */
	uint64_t end, end_shrunk;    /* the same after the last table was given back */
	uint64_t meta;		     /* metadata outside of the pages held, at most */
	uint64_t misaligned, beyond; /* tables: not aligned to their size, beyond the limit */
};

struct tables_run {
	const char *name;
	char *how;
	struct tables_count plain, debug;
	VEC(struct tables_sample) samples; /* of the plain run */
	double take_ns, give_ns;	   /* with tables_settings.time */
};

/* Tables at once that a way is to be ready for. */
static inline uint32_t tables_ready(const struct table_trace *t)
{
	return 4 * t->peak + 64;
}

/*
 * Run the stream with one way, twice, and a third time for the clock. Returns 0, or EXIT_UNDECIDED
 * with one line in *err when it cannot be set up or something does not end as it began.
 * tables_run_destroy() in both cases.
 */
int tables_run(struct tables_run *r, const struct table_way *way, const struct compare_machine *m,
	       const struct table_arena *arena, const struct table_trace *t, unsigned int domains,
	       const struct tables_settings *set, char **err);
void tables_run_destroy(struct tables_run *r);

/* What the views show. */
struct tables {
	const struct compare_machine *m;
	const struct table_ops *ops;
	const struct table_trace *trace;
	const struct tables_settings *set;
	const struct tables_run *runs; /* TABLE_WAYS of them */
	uint64_t below;		       /* bytes in reach of the tables */
};

void tables_text(struct out *o, const struct tables *x);
void tables_json(struct out *o, const struct tables *x);
void tables_svg(struct out *o, const struct tables *x);

/* physzone compare tables, after the arguments were read. Returns as commands.h says. */
int compare_tables(const struct options *o, struct out *out, char **err);

#endif
