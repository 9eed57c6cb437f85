/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - physzone: what Linux makes of a machine's physical memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "out.h"

static void main_say(const char *text)
{
	struct out err;

	out_init(&err, stderr);
	out_str(&err, "physzone: ");
	out_clean(&err, text);
	out_char(&err, '\n');
	out_flush(&err);
	out_destroy(&err);
}

/* A descriptor that the parent closed would else be given to the first file that is opened. */
static void main_hold_descriptors(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
			(void)!open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

static int main_run(const struct options *o, struct out *out)
{
	char *err = NULL;
	int rc = 0;

	if (o->version) {
		out_str(out, "physzone " PHYSZONE_VERSION "\n");
	} else if (o->help) {
		options_help(out, o->command);
	} else {
		switch (o->command) {
		case CMD_ZONES:
			rc = cmd_zones(o, out, &err);
			break;
		case CMD_MAP:
			rc = cmd_map(o, out, &err);
			break;
		case CMD_ARCH:
			rc = cmd_arch(o, out, &err);
			break;
		case CMD_LOW1M:
			rc = cmd_low1m(o, out, &err);
			break;
		case CMD_EXPLAIN:
			rc = cmd_explain(o, out, &err);
			break;
		case CMD_BOOT:
			rc = cmd_boot(o, out, &err);
			break;
		case CMD_REACH:
			rc = cmd_reach(o, out, &err);
			break;
		case CMD_DEVICES:
			rc = cmd_devices(o, out, &err);
			break;
		case CMD_SWIOTLB:
			rc = cmd_swiotlb(o, out, &err);
			break;
		case CMD_WASTE:
			rc = cmd_waste(o, out, &err);
			break;
		case CMD_COMPARE:
			rc = cmd_compare(o, out, &err);
			break;
		case CMD_PREDICT:
			rc = cmd_predict(o, out, &err);
			break;
		case CMD_IOMMU:
			rc = cmd_iommu(o, out, &err);
			break;
		case CMD_NONE:
		case CMD_COUNT:
			break;
		}
	}
	if (err)
		main_say(err);
	free(err);
	return rc;
}

int main(int argc, char **argv)
{
	struct options o;
	struct out out;
	char *err = NULL;
	int rc;

	main_hold_descriptors();
	/* A reader that goes away early is told by write(), and is no failure. */
	signal(SIGPIPE, SIG_IGN);
	rc = options_parse(&o, argc, argv, &err);
	if (rc) {
		main_say(err);
		free(err);
		return rc;
	}
	out_init(&out, stdout);
	out_probe(&out, o.colour);
	if (o.width)
		out.width = o.width;
	rc = main_run(&o, &out);
	out_flush(&out);
	if (out.error && out.error != EPIPE) {
		char line[256];

		snprintf(line, sizeof(line), "cannot write the answer: %s", strerror(out.error));
		main_say(line);
		rc = EXIT_UNDECIDED;
	}
	out_destroy(&out);
	return rc;
}
