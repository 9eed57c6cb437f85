/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_log.c - the log ring: order, loss, truncation, readers.
 */
#include "suites_decl.h"

#include <physzone/log.h>

static bool text_is(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static void order(struct tap *t)
{
	unsigned char ring[PZ_LOG_MIN_SIZE];
	struct pz_log log;
	struct pz_log_reader rd = { 0 }, late = { 0 };
	struct pz_log_record rec;

	CHECK(t, pz_log_init(&log, NULL, 4096) == -PZ_EINVAL);
	CHECK(t, pz_log_init(&log, ring, PZ_LOG_MIN_SIZE - 1) == -PZ_EINVAL);
	CHECK(t, pz_log_init(&log, ring, sizeof(ring)) == 0 && pz_log_check(&log) == 0);
	CHECK(t, !pz_log_read(&log, &rd, &rec));
	pz_log_write(NULL, PZ_LOG_ERROR, "nowhere");
	pz_log_write(&log, PZ_LOG_INFO, "first %d", 1);
	pz_log_write(&log, PZ_LOG_ERROR, "%s", "");
	CHECK(t, log.count == 2 && log.written == 2 && log.lost == 0 && pz_log_check(&log) == 0);
	CHECK(t, pz_log_read(&log, &rd, &rec) && rec.number == 0 && text_is(rec.text, "first 1"));
	CHECK(t, rec.level == PZ_LOG_INFO && rec.length == 7 && !rec.truncated && !rec.missed);
	CHECK(t, pz_log_read(&log, &rd, &rec) && rec.number == 1 && rec.length == 0);
	CHECK(t, rec.level == PZ_LOG_ERROR && rec.text[0] == '\0');
	CHECK(t, !pz_log_read(&log, &rd, &rec));
	pz_log_write(&log, PZ_LOG_DEBUG, "third");
	CHECK_NAMED(t, pz_log_read(&log, &rd, &rec) && text_is(rec.text, "third"),
		    "a reader goes on where it was");
	CHECK_NAMED(t, pz_log_read(&log, &late, &rec) && rec.number == 0,
		    "reading takes nothing from other readers");
	log.level = PZ_LOG_WARNING;
	pz_log_write(&log, PZ_LOG_NOTICE, "not kept");
	CHECK(t, log.written == 3 && !pz_log_read(&log, &rd, &rec));
}

/* Records that fill the ring to the last byte all stay. */
static void full(struct tap *t)
{
	unsigned char ring[PZ_LOG_MIN_SIZE];
	struct pz_log log;

	CHECK(t, pz_log_init(&log, ring, sizeof(ring)) == 0);
	for (unsigned int i = 0; i < 4; i++)
		pz_log_write(&log, PZ_LOG_INFO, "%61u", i);
	CHECK(t, log.used == log.size && log.count == 4 && log.lost == 0);
	pz_log_write(&log, PZ_LOG_INFO, "%s", "");
	CHECK(t, log.count == 4 && log.lost == 1 && pz_log_check(&log) == 0);
}

static void loss(struct tap *t)
{
	unsigned char ring[PZ_LOG_MIN_SIZE + 1];
	struct pz_log log;
	struct pz_log_reader rd = { 0 };
	struct pz_log_record rec;
	bool ok = true;
	uint64_t next;

	pz_log_init(&log, ring, sizeof(ring));
	for (unsigned int i = 0; i < 1000; i++) {
		pz_log_write(&log, PZ_LOG_INFO, "record %u", i);
		ok = ok && pz_log_check(&log) == 0 && log.count + log.lost == log.written;
	}
	CHECK_NAMED(t, ok, "the ring holds together all the way round");
	CHECK(t, log.written == 1000 && log.lost > 900 && log.count > 10);
	next = log.lost;
	CHECK(t, pz_log_read(&log, &rd, &rec) && rec.number == next && rec.missed == next);
	ok = true;
	for (next++; pz_log_read(&log, &rd, &rec); next++) {
		char want[32];

		pz_snprintf(want, sizeof(want), "record %u", (unsigned int)next);
		ok = ok && rec.number == next && !rec.missed && text_is(rec.text, want);
	}
	CHECK_NAMED(t, ok && next == 1000, "what is left is read in order");
}

static void truncation(struct tap *t)
{
	unsigned char ring[PZ_LOG_MIN_SIZE];
	struct pz_log log;
	struct pz_log_reader rd = { 0 };
	struct pz_log_record rec;

	pz_log_init(&log, ring, sizeof(ring));
	pz_log_write(&log, PZ_LOG_INFO, "%*s", (int)PZ_LOG_TEXT, "x");
	CHECK(t, pz_log_read(&log, &rd, &rec) && !rec.truncated && rec.length == PZ_LOG_TEXT);
	pz_log_write(&log, PZ_LOG_INFO, "%*s", (int)PZ_LOG_TEXT + 1, "x");
	CHECK(t, pz_log_read(&log, &rd, &rec) && rec.truncated && rec.length == PZ_LOG_TEXT);
	CHECK(t, rec.text[PZ_LOG_TEXT - 1] == ' ' && rec.text[PZ_LOG_TEXT] == '\0');
	CHECK_NAMED(t, log.lost == 1, "the longest text fits the smallest ring alone");
}

static void broken(struct tap *t)
{
	unsigned char ring[PZ_LOG_MIN_SIZE];
	struct pz_log log, was;

	pz_log_init(&log, ring, sizeof(ring));
	pz_log_write(&log, PZ_LOG_INFO, "a");
	was = log;
	log.tail = log.size;
	CHECK(t, pz_log_check(&log) == 1);
	log = was;
	log.used++;
	CHECK(t, pz_log_check(&log) == 2);
	log = was;
	log.count++;
	CHECK(t, pz_log_check(&log) == 2);
	log = was;
	ring[0] = 99;
	CHECK(t, pz_log_check(&log) == 3);
	ring[0] = PZ_LOG_INFO;
	log.written = 0;
	CHECK(t, pz_log_check(&log) == 4);
}

void contract_log(struct tap *t)
{
	order(t);
	full(t);
	loss(t);
	truncation(t);
	broken(t);
	CHECK(t, text_is(pz_log_level_name(PZ_LOG_ERROR), "error"));
	CHECK(t, text_is(pz_log_level_name(PZ_LOG_DEBUG), "debug"));
	CHECK(t, text_is(pz_log_level_name((enum pz_log_level)99), "?"));
}
