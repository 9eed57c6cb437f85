/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.h - a ring of text records in memory that the caller gives.
 *
 * Writing never fails and never waits: when the ring is full the oldest records go. Records are
 * numbered from 0, so a reader sees how many it missed. A log has no lock; who shares one between
 * processors takes a lock around each call.
 */
#ifndef PHYSZONE_LOG_H
#define PHYSZONE_LOG_H

#include <physzone/fmt.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pz_log_level {
	PZ_LOG_ERROR,	/* something is wrong */
	PZ_LOG_WARNING, /* something is odd */
	PZ_LOG_NOTICE,	/* normal, and worth knowing */
	PZ_LOG_INFO,	/* what was done */
	PZ_LOG_DEBUG,	/* how it was done */
};

/* The longest text of a record; what is longer is cut and marked. */
#define PZ_LOG_TEXT 200u
/* The smallest ring: one record of the longest text. */
#define PZ_LOG_MIN_SIZE 256u

/*
 * Invariants, verified by pz_log_check(): 1. used <= size and tail < size; 2. the records from tail
 * on take exactly used bytes and are count in number; 3. each has a known level and at most
 * PZ_LOG_TEXT bytes; 4. count + lost <= written.
 */
struct pz_log {
	unsigned char *ring;
	uint32_t size;
	uint32_t tail;		 /* offset of the oldest record */
	uint32_t used;		 /* bytes that records take */
	uint32_t count;		 /* records in the ring */
	uint64_t written;	 /* records ever written, and the number of the next one */
	uint64_t lost;		 /* records that were overwritten */
	enum pz_log_level level; /* records above are not kept */
};

/* Where a reader is. Zero-fill to start with the oldest record. */
struct pz_log_reader {
	uint64_t next; /* number of the record to read next */
};

struct pz_log_record {
	uint64_t number;
	uint64_t missed; /* records before this one that the reader did not get to see */
	enum pz_log_level level;
	bool truncated;		    /* the text was longer when it was written */
	uint32_t length;	    /* of the text */
	char text[PZ_LOG_TEXT + 1]; /* ends in a 0 byte */
};

/**
 * pz_log_init - make an empty log
 * @log: the log
 * @ring: its memory; must outlive the log
 * @size: bytes of @ring, at least PZ_LOG_MIN_SIZE
 *
 * Every level is kept until log->level is lowered.
 *
 * Context: any.
 * Return: 0, or -PZ_EINVAL when @ring is NULL or @size too small.
 */
int pz_log_init(struct pz_log *log, void *ring, uint32_t size);

/**
 * pz_log_vwrite - write one record
 * @log: the log, or NULL for none: nothing happens then
 * @level: how important it is; above log->level nothing happens
 * @fmt: the text, as for pz_vsnprintf()
 * @ap: its arguments
 *
 * Context: any.
 */
void pz_log_vwrite(struct pz_log *log, enum pz_log_level level, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

/**
 * pz_log_write - write one record
 * @log: the log, or NULL for none: nothing happens then
 * @level: how important it is; above log->level nothing happens
 * @fmt: the text, as for pz_vsnprintf()
 *
 * Context: any.
 */
void pz_log_write(struct pz_log *log, enum pz_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * pz_log_read - read the next record, oldest first
 * @log: the log; reading changes nothing in it
 * @reader: where to read, moved past the record
 * @rec: the record, written on success only
 *
 * Context: any. Cost: O(records before it).
 * Return: true, or false when there is none yet.
 */
bool pz_log_read(const struct pz_log *log, struct pz_log_reader *reader, struct pz_log_record *rec);

/**
 * pz_log_level_name - the word for a level
 * @level: the level
 *
 * Context: any.
 * Return: a static string, "?" for a number that is none.
 */
const char *pz_log_level_name(enum pz_log_level level);

/**
 * pz_log_check - verify the numbered invariants
 * @log: the log
 *
 * Context: any. Cost: O(records).
 * Return: 0, or the number of the first invariant that does not hold.
 */
int pz_log_check(const struct pz_log *log);

#ifdef __cplusplus
}
#endif

#endif
