/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log.c - a ring of text records.
 *
 * Concept
 *  A record is three bytes (level, mark of truncation, length) and its text, without a 0 byte, laid
 *  around the end of the ring where it comes to lie there. A new record drops as many of the oldest
 *  as it takes. Records have consecutive numbers, so the oldest is number written - count.
 *
 * Invariants (pz_log_check() verifies them)
 *  1. used <= size and tail < size;
 *  2. the records from tail on take exactly used bytes and are count in number;
 *  3. each has a known level and at most PZ_LOG_TEXT bytes;
 *  4. count + lost <= written (what is cleared by starting anew is neither).
 *
 * Failure
 *  None after pz_log_init(): a record always fits an emptied ring.
 *
 * Shortcomings
 *  Text is made on the stack first (PZ_LOG_TEXT bytes). A reader far behind walks the ring.
 */
#include <physzone/log.h>

#define LOG_HEAD 3u

static uint32_t log_wrap(const struct pz_log *log, uint32_t at, uint32_t more)
{
	return more < log->size - at ? at + more : more - (log->size - at);
}

static uint32_t log_record_size(const struct pz_log *log, uint32_t at)
{
	return LOG_HEAD + log->ring[log_wrap(log, at, 2)];
}

int pz_log_init(struct pz_log *log, void *ring, uint32_t size)
{
	if (!ring || size < PZ_LOG_MIN_SIZE)
		return -PZ_EINVAL;
	log->ring = ring;
	log->size = size;
	log->tail = 0;
	log->used = 0;
	log->count = 0;
	log->written = 0;
	log->lost = 0;
	log->level = PZ_LOG_DEBUG;
	return 0;
}

void pz_log_vwrite(struct pz_log *log, enum pz_log_level level, const char *fmt, va_list ap)
{
	unsigned char rec[LOG_HEAD + PZ_LOG_TEXT + 1];
	uint32_t at, len;
	size_t want;

	if (!log || level > log->level)
		return;
	want = pz_vsnprintf((char *)rec + LOG_HEAD, PZ_LOG_TEXT + 1, fmt, ap);
	len = want > PZ_LOG_TEXT ? PZ_LOG_TEXT : (uint32_t)want;
	rec[0] = (unsigned char)level;
	rec[1] = want > PZ_LOG_TEXT;
	rec[2] = (unsigned char)len;
	len += LOG_HEAD;
	while (log->size - log->used < len) {
		uint32_t oldest = log_record_size(log, log->tail);

		log->tail = log_wrap(log, log->tail, oldest);
		log->used -= oldest;
		log->count--;
		log->lost++;
	}
	at = log_wrap(log, log->tail, log->used);
	for (uint32_t i = 0; i < len; i++)
		log->ring[log_wrap(log, at, i)] = rec[i];
	log->used += len;
	log->count++;
	log->written++;
}

void pz_log_write(struct pz_log *log, enum pz_log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	pz_log_vwrite(log, level, fmt, ap);
	va_end(ap);
}

bool pz_log_read(const struct pz_log *log, struct pz_log_reader *reader, struct pz_log_record *rec)
{
	uint64_t oldest = log->written - log->count;
	uint64_t number = reader->next > oldest ? reader->next : oldest;
	uint32_t at = log->tail;

	if (reader->next >= log->written)
		return false;
	for (uint64_t i = oldest; i < number; i++)
		at = log_wrap(log, at, log_record_size(log, at));
	rec->number = number;
	rec->missed = number - reader->next;
	rec->level = (enum pz_log_level)log->ring[at];
	rec->truncated = log->ring[log_wrap(log, at, 1)];
	rec->length = log->ring[log_wrap(log, at, 2)];
	for (uint32_t i = 0; i < rec->length; i++)
		rec->text[i] = (char)log->ring[log_wrap(log, at, LOG_HEAD + i)];
	rec->text[rec->length] = '\0';
	reader->next = number + 1;
	return true;
}

const char *pz_log_level_name(enum pz_log_level level)
{
	switch (level) {
	case PZ_LOG_ERROR:
		return "error";
	case PZ_LOG_WARNING:
		return "warning";
	case PZ_LOG_NOTICE:
		return "notice";
	case PZ_LOG_INFO:
		return "info";
	case PZ_LOG_DEBUG:
		return "debug";
	}
	return "?";
}

int pz_log_check(const struct pz_log *log)
{
	uint32_t at = log->tail, used = 0, count = 0;

	if (log->used > log->size || log->tail >= log->size)
		return 1;
	for (; used < log->used && count < log->count; count++) {
		uint32_t size = log_record_size(log, at);

		if (size > log->used - used)
			return 2;
		if (log->ring[at] > PZ_LOG_DEBUG || size - LOG_HEAD > PZ_LOG_TEXT)
			return 3;
		at = log_wrap(log, at, size);
		used += size;
	}
	if (used != log->used || count != log->count)
		return 2;
	return log->count + log->lost <= log->written ? 0 : 4;
}
