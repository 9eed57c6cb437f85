/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

void golden_walk(const char *top, void (*machine)(const char *dir, const char *name))
{
	DIR *archs = opendir(top);
	struct dirent *a, *m;
	char path[1024], dir[2048];
	struct stat st;

	while (archs && (a = readdir(archs))) {
		DIR *machines;

		snprintf(path, sizeof(path), "%s/%s", top, a->d_name);
		machines = *a->d_name == '.' ? NULL : opendir(path);
		while (machines && (m = readdir(machines))) {
			snprintf(dir, sizeof(dir), "%s/%s", path, m->d_name);
			if (*m->d_name != '.' && !stat(dir, &st) && S_ISDIR(st.st_mode))
				machine(dir, m->d_name);
		}
		if (machines)
			closedir(machines);
	}
	if (archs)
		closedir(archs);
}
