/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contract_bug.c - misuse: what each policy does, and in which order.
 */
#include "suites_decl.h"

#include <physzone/bug.h>

struct seen {
	struct pz_bugs bugs;
	unsigned int panics, reports;
	bool report_first; /* the log and the report came before the panic */
	char text[PZ_LOG_TEXT + 1];
};

static bool text_is(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static void seen_panic(void *ctx, const char *text)
{
	struct seen *s = ctx;

	s->panics++;
	s->report_first = s->reports == s->panics && s->bugs.log->count == s->panics;
	pz_snprintf(s->text, sizeof(s->text), "%s", text);
}

static void seen_report(void *ctx, const char *text)
{
	struct seen *s = ctx;

	s->reports++;
	pz_snprintf(s->text, sizeof(s->text), "%s", text);
}

void contract_bug(struct tap *t)
{
	static const struct seen nothing;
	unsigned char ring[1024];
	struct pz_log log;
	struct pz_log_reader rd = { 0 };
	struct pz_log_record rec;
	struct seen s = nothing;

	pz_log_init(&log, ring, sizeof(ring));
	pz_bug(NULL, "f", "nobody listens");
	CHECK_NAMED(t, s.bugs.policy == PZ_BUG_PANIC, "zero-filled means panic");
	pz_bug(&s.bugs, "f", "no hooks, no log");
	CHECK(t, s.bugs.count == 1);

	s.bugs.panic = seen_panic;
	s.bugs.report = seen_report;
	s.bugs.ctx = &s;
	s.bugs.log = &log;
	pz_bug(&s.bugs, "pz_free", "page %u twice", 7u);
	CHECK(t, s.panics == 1 && s.reports == 1 && s.report_first);
	CHECK(t, text_is(s.text, "pz_free: page 7 twice"));
	CHECK(t, pz_log_read(&log, &rd, &rec) && rec.level == PZ_LOG_ERROR &&
			 text_is(rec.text, "pz_free: page 7 twice"));

	s.bugs.policy = PZ_BUG_REPORT;
	pz_bug(&s.bugs, "g", "again");
	CHECK(t, s.panics == 1 && s.reports == 2 && text_is(s.text, "g: again"));
	s.bugs.policy = PZ_BUG_IGNORE;
	pz_bug(&s.bugs, "h", "unheard");
	CHECK(t, s.panics == 1 && s.reports == 2 && log.written == 2);
	CHECK_NAMED(t, s.bugs.count == 4, "misuse is counted whatever the policy");

	s.bugs.policy = PZ_BUG_REPORT;
	pz_bug(&s.bugs, "long", "%*s", 500, "x");
	CHECK_NAMED(t, s.reports == 3 && s.text[PZ_LOG_TEXT - 1] == ' ' && !s.text[PZ_LOG_TEXT],
		    "long text is cut");
	CHECK(t, text_is(pz_bug_policy_name(PZ_BUG_PANIC), "panic"));
	CHECK(t, text_is(pz_bug_policy_name(PZ_BUG_REPORT), "report"));
	CHECK(t, text_is(pz_bug_policy_name(PZ_BUG_IGNORE), "ignore"));
	CHECK(t, text_is(pz_bug_policy_name((enum pz_bug_policy)9), "?"));
}
