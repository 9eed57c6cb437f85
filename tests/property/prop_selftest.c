/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prop_selftest.c - a property that fails is found, shrunk and replayable.
 *
 * The properties under test are run in a child process, whose output the parent reads; the parent
 * reports in TAP by itself, since the harness is what is being tested.
 */
#include "prop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned int self_run, self_failed;

static void self_ok(bool ok, const char *what)
{
	printf("%sok %u - %s\n", ok ? "" : "not ", ++self_run, what);
	if (!ok)
		self_failed++;
}

struct self_output {
	char text[8192];
	int status;
};

typedef bool (*self_property)(struct prop *p, void *ctx);

static void self_child(self_property property, unsigned int rounds, const char *var,
		       const char *value, struct self_output *out)
{
	int fd[2];
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	fflush(stdout);
	if (pipe(fd) || (pid = fork()) < 0) {
		perror("selftest");
		exit(2);
	}
	if (pid == 0) {
		unsetenv("PZ_SEED");
		unsetenv("PZ_ROUNDS");
		unsetenv("PZ_ROUNDS_PART");
		unsetenv("PZ_DRAWS");
		unsetenv("PZ_PROPERTY");
		if (var)
			setenv(var, value, 1);
		dup2(fd[1], STDOUT_FILENO);
		close(fd[0]);
		close(fd[1]);
		prop_run("child", property, NULL, rounds);
		exit(prop_done());
	}
	close(fd[1]);
	while (n < sizeof(out->text) - 1 &&
	       (got = read(fd[0], out->text + n, sizeof(out->text) - 1 - n)) > 0)
		n += (size_t)got;
	out->text[n] = '\0';
	close(fd[0]);
	waitpid(pid, &out->status, 0);
}

static bool self_has(const struct self_output *out, const char *text)
{
	return strstr(out->text, text) != NULL;
}

static int self_exit(const struct self_output *out)
{
	return WIFEXITED(out->status) ? WEXITSTATUS(out->status) : -1;
}

/* Copy what follows a key up to one of the stop characters. */
static bool self_value(const struct self_output *out, const char *key, const char *stop, char *buf,
		       size_t size)
{
	const char *at = strstr(out->text, key);
	size_t n;

	if (!at)
		return false;
	at += strlen(key);
	n = strcspn(at, stop);
	if (n >= size)
		return false;
	memcpy(buf, at, n);
	buf[n] = '\0';
	return true;
}

static bool holds(struct prop *p, void *ctx)
{
	uint64_t a = prop_draw(p, 9), b = prop_between(p, 5, 7);

	(void)ctx;
	PROP_ASSERT(p, a <= 9);
	PROP_ASSERT(p, b >= 5 && b <= 7);
	PROP_ASSERT(p, prop_choice(p, 3) < 3);
	prop_addr(p);
	return true;
}

/* Fails for any list with a number of at least 1000 in it. */
static bool fails_on_large(struct prop *p, void *ctx)
{
	unsigned int n = (unsigned int)prop_draw(p, 40);

	(void)ctx;
	for (unsigned int i = 0; i < n; i++) {
		uint64_t v = prop_draw(p, 1000000);

		prop_note(p, "number %u is %llu", i, (unsigned long long)v);
		PROP_ASSERT(p, v < 1000);
	}
	return true;
}

static bool fails_without_draws(struct prop *p, void *ctx)
{
	(void)ctx;
	prop_note(p, "nothing drawn");
	return false;
}

/* Fails when two draws are equal: lowering one alone leads nowhere, leaving out does. */
static bool fails_on_pair(struct prop *p, void *ctx)
{
	uint64_t v[8];

	(void)ctx;
	for (unsigned int i = 0; i < 8; i++) {
		v[i] = prop_draw(p, 20);
		for (unsigned int j = 0; j < i; j++)
			PROP_ASSERT(p, v[i] != v[j] || v[i] < 3);
	}
	return true;
}

static bool crashes(struct prop *p, void *ctx)
{
	(void)ctx;
	if (prop_draw(p, 20) > 10)
		abort();
	return true;
}

static bool needs_seed(struct prop *p, void *ctx)
{
	(void)ctx;
	return prop_draw(p, UINT64_MAX) % 1024 != 7;
}

int main(void)
{
	static struct self_output out, again;
	char value[256];

	self_child(holds, 500, NULL, NULL, &out);
	self_ok(self_exit(&out) == 0 && self_has(&out, "ok 1 - child # 500 rounds\n1..1\n"),
		"a property that holds is reported with its rounds");
	self_child(holds, 500, "PZ_ROUNDS", "7", &out);
	self_ok(self_has(&out, "# 7 rounds"), "PZ_ROUNDS sets the rounds");
	self_child(holds, 500, "PZ_ROUNDS_PART", "4", &out);
	self_ok(self_has(&out, "# 126 rounds"), "PZ_ROUNDS_PART asks for a part of them");
	self_child(holds, 500, "PZ_PROPERTY", "other", &out);
	self_ok(self_has(&out, "1..0"), "PZ_PROPERTY leaves properties out");

	self_child(fails_on_large, 200, NULL, NULL, &out);
	self_ok(self_exit(&out) == 1 && self_has(&out, "not ok 1 - child"), "a failure is found");
	self_ok(self_has(&out, "PZ_DRAWS=\"1 1000\""), "it is shrunk to its smallest form");
	self_ok(self_has(&out, "# number 0 is 1000\n") && !self_has(&out, "number 1"),
		"notes are those of the shrunk failure");
	self_ok(self_has(&out, "v < 1000"), "the assertion is named");

	self_ok(self_value(&out, "PZ_SEED=", "\n", value, sizeof(value)), "a seed is printed");
	self_child(fails_on_large, 200, "PZ_SEED", value, &again);
	self_ok(strcmp(out.text, again.text) == 0, "the seed repeats the failure, word for word");
	self_child(fails_on_large, 200, NULL, NULL, &again);
	self_ok(strcmp(out.text, again.text) == 0, "runs are deterministic");
	self_child(fails_on_large, 200, "PZ_DRAWS", "3 1 2 5000 9", &again);
	self_ok(self_has(&again, "PZ_DRAWS=\"1 1000\""), "draws are repeated and shrunk");
	self_child(fails_on_large, 200, "PZ_DRAWS", "3 1 2 999", &again);
	self_ok(self_exit(&again) == 0, "draws that hold are reported so");

	self_child(fails_without_draws, 10, NULL, NULL, &out);
	self_ok(self_exit(&out) == 1 && self_has(&out, "PZ_DRAWS=\"\"") &&
			self_has(&out, "# nothing drawn"),
		"a property without draws can fail");
	self_child(fails_on_pair, 200, NULL, NULL, &out);
	self_ok(self_value(&out, "PZ_DRAWS=\"", "\"", value, sizeof(value)) &&
			strlen(value) == strlen("3 3"),
		"draws that matter only together stay");
	self_child(crashes, 200, NULL, NULL, &out);
	self_ok(self_exit(&out) != 0 && self_has(&out, "repeat with PZ_SEED="),
		"a crash says how to repeat it");
	self_child(needs_seed, 20000, NULL, NULL, &out);
	self_ok(self_value(&out, "PZ_SEED=", "\n", value, sizeof(value)),
		"a rare failure is found");
	self_child(needs_seed, 20000, "PZ_SEED", value, &again);
	self_ok(self_exit(&again) == 1, "a rare failure is repeated at once");

	printf("1..%u\n", self_run);
	return self_failed ? 1 : 0;
}
