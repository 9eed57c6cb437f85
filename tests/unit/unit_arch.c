/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * "physzone arch": every architecture is told, in text and as JSON, and mistyped names are refused
 * with the nearest one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <physzone/linux/arch.h>

#include "commands.h"

struct answer {
	struct out out;
	char *err;
	int code;
};

static struct answer ask(const char *model, bool json, const char *const *names, unsigned int n)
{
	struct options o;
	struct answer a;

	memset(&o, 0, sizeof(o));
	o.command = CMD_ARCH;
	o.model = model;
	o.json = json;
	o.operands = names;
	o.operand_count = n;
	out_init(&a.out, NULL);
	a.code = cmd_arch(&o, &a.out, &a.err);
	return a;
}

static void answered(struct answer *a)
{
	out_destroy(&a->out);
	free(a->err);
}

/* Whether a line begins with a name, in text. */
static bool has_block(const char *text, const char *name)
{
	size_t n = strlen(name);
	const char *at = text;

	while ((at = strstr(at, name))) {
		if ((at == text || at[-1] == '\n') && at[n] == ' ')
			return true;
		at += n;
	}
	return false;
}

static void all_architectures(void **state)
{
	struct answer a = ask(NULL, false, NULL, 0);
	const char *text = out_text(&a.out);
	unsigned int i;

	(void)state;
	assert_int_equal(a.code, EXIT_FINE);
	assert_null(a.err);
	for (i = 0; i < PZL_ARCHS; i++)
		assert_true(has_block(text, pzl_arch_name((enum pzl_arch)i)));
	/* The thread's words, and where the code differs. */
	assert_non_null(strstr(text, "0~16M or empty if IOMMU enabled"));
	assert_non_null(strstr(text, "it is Normal that is empty"));
	answered(&a);
}

/* Every line fits the width, so that the table can be read in a terminal. */
static void lines_fit(void **state)
{
	struct answer a = ask(NULL, false, NULL, 0);
	const char *line = out_text(&a.out);

	(void)state;
	while (*line) {
		size_t n = strcspn(line, "\n");

		assert_true(n <= OUT_WIDTH_DEFAULT);
		line += n + (line[n] == '\n');
	}
	answered(&a);
}

static void versions_differ(void **state)
{
	const char *const arm64[] = { "aarch64" };
	const char *const ia64[] = { "ia64" };
	struct answer a = ask(NULL, false, arm64, 1);

	(void)state;
	assert_non_null(strstr(out_text(&a.out), "5.15, 6.1: "));
	assert_non_null(strstr(out_text(&a.out), "6.12: "));
	answered(&a);
	a = ask("linux-6.12", false, ia64, 1);
	assert_non_null(strstr(out_text(&a.out), "does not have it"));
	answered(&a);
}

static void as_json(void **state)
{
	const char *const two[] = { "amd64", "armhf" };
	struct answer a = ask("6.1", true, two, 2);
	const char *text = out_text(&a.out);

	(void)state;
	assert_int_equal(a.code, EXIT_FINE);
	assert_non_null(strstr(text, "\"schema\": 1"));
	assert_non_null(strstr(text, "\"name\": \"x86_64\""));
	assert_non_null(strstr(text, "\"name\": \"arm\""));
	assert_non_null(strstr(text, "\"model\": \"linux-6.1\""));
	assert_null(strstr(text, "\"model\": \"linux-6.12\""));
	/* 16 MiB and 4 GiB in pages */
	assert_non_null(strstr(text, "\"DMA\": 4096, \"DMA32\": 1048576"));
	answered(&a);
}

static void mistyped(void **state)
{
	const char *const name[] = { "amd46" };
	struct answer a = ask(NULL, false, name, 1);

	(void)state;
	assert_int_equal(a.code, EXIT_USAGE);
	assert_non_null(strstr(a.err, "did you mean 'amd64'?"));
	assert_int_equal(strlen(out_text(&a.out)), 0);
	answered(&a);
	a = ask("linux-6.2", false, NULL, 0);
	assert_int_equal(a.code, EXIT_USAGE);
	assert_non_null(strstr(a.err, "model"));
	assert_null(strchr(a.err, '\n'));
	answered(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_architectures), cmocka_unit_test(lines_fit),
		cmocka_unit_test(versions_differ),   cmocka_unit_test(as_json),
		cmocka_unit_test(mistyped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
