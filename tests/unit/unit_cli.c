/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program as a user meets it: exit codes, one line of error, and outputs that cannot be
 * written. The environment names the program (PHYSZONE) and the recorded machines (MACHINES).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLI_ARGS 10
#define CLI_BYTES 400000u

/* Where standard output goes. */
enum cli_out { CLI_CAPTURE, CLI_FULL, CLI_CLOSED, CLI_NO_READER };

static char cli_stdout[CLI_BYTES], cli_stderr[4096];

static void cli_read_back(FILE *f, char *buf, size_t size)
{
	size_t n;

	rewind(f);
	n = fread(buf, 1, size - 1, f);
	buf[n] = '\0';
	fclose(f);
}

static void cli_child(char **argv, enum cli_out mode, FILE *in, FILE *out, FILE *err)
{
	int fds[2];

	dup2(fileno(in), 0);
	dup2(fileno(err), 2);
	switch (mode) {
	case CLI_CAPTURE:
		dup2(fileno(out), 1);
		break;
	case CLI_FULL:
		dup2(open("/dev/full", O_WRONLY), 1);
		break;
	case CLI_CLOSED:
		close(1);
		break;
	case CLI_NO_READER:
		if (pipe(fds))
			_exit(99);
		dup2(fds[1], 1);
		close(fds[0]);
		close(fds[1]);
		break;
	}
	setenv("LC_ALL", "C.UTF-8", 1);
	unsetenv("COLUMNS");
	execv(argv[0], argv);
	_exit(98);
}

/* Run the program with the words of a line; MACHINES/ at the start of a word is replaced. */
static int cli(const char *line, const char *input, enum cli_out mode)
{
	FILE *in = tmpfile(), *out = tmpfile(), *err = tmpfile();
	char words[1024], paths[CLI_ARGS][512];
	char *argv[CLI_ARGS + 1];
	int argc = 0, status;
	char *word;
	pid_t pid;

	assert_true(in && out && err);
	assert_non_null(getenv("PHYSZONE"));
	argv[argc++] = getenv("PHYSZONE");
	strcpy(words, line);
	for (word = strtok(words, " "); word && argc < CLI_ARGS; word = strtok(NULL, " ")) {
		bool machine = !strncmp(word, "MACHINES/", 9);

		snprintf(paths[argc], sizeof(paths[0]), "%s%s", machine ? getenv("MACHINES") : "",
			 machine ? word + 8 : word);
		argv[argc] = paths[argc];
		argc++;
	}
	argv[argc] = NULL;
	fputs(input ? input : "", in);
	rewind(in);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		cli_child(argv, mode, in, out, err);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	fclose(in);
	cli_read_back(out, cli_stdout, sizeof(cli_stdout));
	cli_read_back(err, cli_stderr, sizeof(cli_stderr));
	if (!WIFEXITED(status))
		fail_msg("'%s' ended by signal %d", line, WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* It fails with a code and exactly one line that holds some words, and no answer. */
static void cli_fails(const char *line, const char *input, int code, const char *words)
{
	const char *newline;

	if (cli(line, input, CLI_CAPTURE) != code)
		fail_msg("'%s': not %d: %s", line, code, cli_stderr);
	newline = strchr(cli_stderr, '\n');
	assert_non_null(newline);
	assert_int_equal(newline[1], '\0');
	assert_int_equal(strncmp(cli_stderr, "physzone: ", 10), 0);
	if (!strstr(cli_stderr, words))
		fail_msg("'%s' says: %s", line, cli_stderr);
	assert_string_equal(cli_stdout, "");
}

static void cli_helps(void **state)
{
	assert_int_equal(cli("--help", NULL, CLI_CAPTURE), 0);
	assert_non_null(strstr(cli_stdout, "Examples\n"));
	assert_non_null(strstr(cli_stdout, "Exit codes\n"));
	assert_string_equal(cli_stderr, "");
	assert_int_equal(cli("zones --help", NULL, CLI_CAPTURE), 0);
	assert_int_equal(cli("map -h", NULL, CLI_CAPTURE), 0);
	assert_int_equal(cli("arch --help", NULL, CLI_CAPTURE), 0);
	assert_int_equal(cli("--version", NULL, CLI_CAPTURE), 0);
	assert_int_equal(strncmp(cli_stdout, "physzone ", 9), 0);
	assert_null(strstr(cli_stdout, "unknown"));
}

static void cli_wrong_usage(void **state)
{
	cli_fails("", NULL, 2, "no command");
	cli_fails("zoens x", NULL, 2, "did you mean 'zones'?");
	cli_fails("zones", NULL, 2, "no SOURCE");
	cli_fails("zones --modell x y", NULL, 2, "did you mean '--model'?");
	cli_fails("zones --model linux-9.9 MACHINES/x86_64/6.1-pc-1G", NULL, 2, "linux-9.9");
	cli_fails("arch --model foo", NULL, 2, "expected linux-5.15");
	cli_fails("zones --arch pdp11 MACHINES/x86_64/6.1-pc-1G", NULL, 2, "pdp11");
}

static void cli_input_not_understood(void **state)
{
	cli_fails("zones /nonexistent/log", NULL, 3, "/nonexistent/log");
	cli_fails("zones -", "", 3, "");
	cli_fails("map -", "\n\n\n", 3, "");
	cli_fails("zones -", "This is no log of any machine.\nNot at all.\n", 3, "");
	cli_fails("zones -",
		  "\x7f"
		  "ELF\x02\x01\x01\x03\x04\x05\x06\x07\x08\x0e\x0f\x10\x11",
		  3, "");
}

static void cli_machines(void **state)
{
	assert_int_equal(cli("zones MACHINES/x86_64/6.1-kdump-256M/first", NULL, CLI_CAPTURE), 0);
	assert_string_equal(cli_stderr, "");
	assert_int_equal(cli("zones MACHINES/x86_64/6.1-kdump-256M", NULL, CLI_CAPTURE), 1);
	assert_non_null(strstr(cli_stdout, "none"));
	assert_non_null(strstr(cli_stdout, "Problem"));
	assert_int_equal(cli("zones --json MACHINES/x86_64/6.1-kdump-256M", NULL, CLI_CAPTURE), 1);
	assert_int_equal(strncmp(cli_stdout, "{\n  \"schema\": 1,\n", 17), 0);
	assert_int_equal(cli("map MACHINES/x86_64/6.1-kdump-256M", NULL, CLI_CAPTURE), 1);
	assert_non_null(strstr(cli_stdout, "DMA: none managed"));
	assert_int_equal(cli("map --svg - MACHINES/x86_64/6.1-kdump-256M", NULL, CLI_CAPTURE), 1);
	assert_int_equal(strncmp(cli_stdout, "<?xml ", 6), 0);
	assert_int_equal(cli("map --color MACHINES/x86_64/6.1-kdump-256M", NULL, CLI_CAPTURE), 1);
	assert_non_null(strchr(cli_stdout, '\033'));
	assert_int_equal(cli("map MACHINES/x86_64/6.1-kdump-256M", NULL, CLI_CAPTURE), 1);
	assert_null(strchr(cli_stdout, '\033'));
	assert_int_equal(cli("map --color never MACHINES/x86_64/6.1-kdump-256M", NULL, CLI_CAPTURE),
			 1);
	assert_null(strchr(cli_stdout, '\033'));
}

static void cli_translates(void **state)
{
	assert_int_equal(cli("iommu map -", "1M 1G 1M rw\n", CLI_CAPTURE), 0);
	assert_non_null(strstr(cli_stdout, "standard input\n  1 range of 1 MiB in 1 page (1x1M)"));
	assert_string_equal(cli_stderr, "");
	assert_int_equal(cli("iommu dump --ias 20 -", "\x03\x01\x01\x01", CLI_CAPTURE), 1);
	assert_non_null(strstr(cli_stdout, "is of type 3, which is reserved"));
	cli_fails("iommu map -", "1M 1G 1M rw\nunmap 4M 4K\n", 3,
		  "standard input:2: expected a range that is mapped");
	cli_fails("iommu dump -", "", 3, "standard input: is empty");
	cli_fails("iommu dmup -", NULL, 2, "did you mean 'dump'?");
}

static void cli_explains(void **state)
{
	static const char alone[] =
		"app: page allocation failure: order:0, mode:0xcc0(GFP_KERNEL)\n";

	assert_int_equal(
		cli("explain MACHINES/x86_64/6.1-zonefill-dma-order5-2G", NULL, CLI_CAPTURE), 1);
	assert_string_equal(cli_stderr, "");
	assert_non_null(strstr(cli_stdout, "zone DMA of node 0 lacks 88 KiB (22 pages)"));
	assert_null(strstr(cli_stdout, "must be exceeded"));
	assert_int_equal(
		cli("explain --why MACHINES/x86_64/6.1-zonefill-dma-order5-2G", NULL, CLI_CAPTURE),
		1);
	assert_non_null(strstr(cli_stdout, "must be exceeded"));
	assert_int_equal(
		cli("explain --json MACHINES/x86_64/6.1-zonefill-dma-order5-2G", NULL, CLI_CAPTURE),
		1);
	assert_int_equal(strncmp(cli_stdout, "{\n  \"schema\": 1,\n", 17), 0);
	assert_non_null(strstr(cli_stdout, "\"cause\": \"too-few-for-this-size\""));
	assert_int_equal(cli("explain MACHINES/x86_64/6.1-kdump-256M", NULL, CLI_CAPTURE), 0);
	assert_non_null(strstr(cli_stdout, "nothing to explain"));
	assert_int_equal(cli("explain -", alone, CLI_CAPTURE), 4);
	assert_non_null(strstr(cli_stdout, "its cause is not stated"));
	assert_int_equal(cli("explain --rebuild -", alone, CLI_CAPTURE), 4);
	assert_non_null(strstr(cli_stdout, "rebuilt   no: standard input:1: expected Mem-Info"));
	assert_string_equal(cli_stderr, "");
	assert_int_equal(cli("explain --rebuild MACHINES/x86_64/6.1-zonefill-dma-order5-2G", NULL,
			     CLI_CAPTURE),
			 1);
	assert_non_null(strstr(cli_stdout, "in the same way"));
	assert_non_null(strstr(cli_stdout, "verified, zone DMA of node 0 served it"));
	assert_int_equal(cli("explain --rebuild --json "
			     "MACHINES/x86_64/6.1-zonefill-dma-order5-2G",
			     NULL, CLI_CAPTURE),
			 1);
	assert_non_null(strstr(cli_stdout, "\"outcome\": \"fails-alike\""));
	assert_non_null(strstr(cli_stdout, "\"verified\": true"));
	cli_fails("zones --rebuild -", alone, 2, "does not belong to 'physzone zones'");
	cli_fails("explain", NULL, 2, "no SOURCE");
	cli_fails("explain --cmdline x -", alone, 2, "does not belong to 'physzone explain'");
	cli_fails("explain --model linux-9.9 -", alone, 2, "linux-9.9");
	cli_fails("explain --boot 2 -", alone, 3, "boot 2 was asked for");
	cli_fails("explain -", "[mem 0x0-0x1] usable\n", 3, "");
	cli_fails("explain MACHINES/x86_64/6.1-kdump-256M/iomem.txt", NULL, 3, "no log");
}

/*
 * Thread 000's report as the rebuilt capture kernel prints it: rebuilt from it in turn, the machine
 * refuses the same request once more.
 */
static void cli_explains_own_report(void **state)
{
	static char log[CLI_BYTES];

	assert_int_equal(
		cli("boot --model linux-5.15 MACHINES/x86_64/6.1-kdump-256M", NULL, CLI_CAPTURE),
		1);
	memcpy(log, cli_stdout, sizeof(log));
	assert_non_null(strstr(log, "swapper/0: page allocation failure: order:5, mode:0xcc1"));
	assert_int_equal(cli("explain --model linux-5.15 --rebuild -", log, CLI_CAPTURE), 1);
	assert_non_null(strstr(cli_stdout, "zone DMA of node 0 has 0 managed pages"));
	assert_non_null(strstr(cli_stdout, "in the same way"));
}

static void cli_starts_machines(void **state)
{
	cli_fails("boot --model linux-9 MACHINES/x86_64/6.1-pc-1G", NULL, 2, "or physzone");
	cli_fails("reach --bits 65 MACHINES/x86_64/6.1-pc-1G", NULL, 2, "from 1 to 64");
	cli_fails("boot -", "Not a log.\n", 3, "");
	assert_int_equal(cli("boot MACHINES/x86_64/6.1-kdump-256M", NULL, CLI_CAPTURE), 0);
	assert_string_equal(cli_stderr, "");
	assert_int_equal(cli("boot --model 5.15 MACHINES/x86_64/6.1-kdump-256M", NULL, CLI_CAPTURE),
			 1);
	assert_non_null(strstr(cli_stdout, "page allocation failure: order:5"));
	assert_int_equal(cli("reach --bits 28 MACHINES/x86_64/6.1-pc-1G", NULL, CLI_CAPTURE), 0);
	assert_int_equal(cli("reach --bits 30 MACHINES/x86_64/6.1-kdump-256M", NULL, CLI_CAPTURE),
			 1);
}

static void cli_lists_lines(void **state)
{
	assert_int_equal(
		cli("zones --lines MACHINES/x86_64/6.1-kdump-256M/first", NULL, CLI_CAPTURE), 0);
	assert_non_null(strstr(cli_stdout, " used          [    0.000000] BIOS-e820: [mem 0x"));
	assert_non_null(strstr(cli_stdout, " ignored "));
}

static void cli_outputs_that_fail(void **state)
{
	static const char *const lines[] = { "--help", "zones MACHINES/x86_64/6.1-kdump-256M",
					     "map --json MACHINES/x86_64/6.1-kdump-256M" };
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		int fine = i ? 1 : 0;

		assert_int_equal(cli(lines[i], NULL, CLI_FULL), 4);
		assert_string_equal(cli_stderr,
				    "physzone: cannot write the answer: No space left on device\n");
		assert_int_equal(cli(lines[i], NULL, CLI_CLOSED), 4);
		assert_string_equal(cli_stderr,
				    "physzone: cannot write the answer: Bad file descriptor\n");
		/* A reader that has seen enough is no failure. */
		assert_int_equal(cli(lines[i], NULL, CLI_NO_READER), fine);
		assert_string_equal(cli_stderr, "");
	}
	cli_fails("map --svg /dev/full MACHINES/x86_64/6.1-kdump-256M", NULL, 4, "No space left");
	cli_fails("map --svg /nonexistent/x.svg MACHINES/x86_64/6.1-kdump-256M", NULL, 4,
		  "/nonexistent/x.svg: cannot write");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cli_helps),
		cmocka_unit_test(cli_wrong_usage),
		cmocka_unit_test(cli_input_not_understood),
		cmocka_unit_test(cli_machines),
		cmocka_unit_test(cli_translates),
		cmocka_unit_test(cli_explains),
		cmocka_unit_test(cli_explains_own_report),
		cmocka_unit_test(cli_starts_machines),
		cmocka_unit_test(cli_lists_lines),
		cmocka_unit_test(cli_outputs_that_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
