#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Another Meson project can take this one in: dependency('physzone') from subprojects/physzone.
#
# usage: subproject.sh [ROOT]
set -eu
root=$(cd "${1:-.}" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/subprojects"
ln -s "$root" "$scratch/subprojects/physzone"
cat >"$scratch/meson.build" <<'END'
project('user', 'c')
subproject('physzone')
test('use', executable('use', 'use.c', dependencies: dependency('physzone')))
END
cat >"$scratch/use.c" <<'END'
#include <physzone/limits.h>
int main(void)
{
	struct pz_limits l = PZ_LIMITS_ANY;
	return pz_limits_valid(&l) ? 0 : 1;
}
END
meson setup "$scratch/build" "$scratch"
meson test -C "$scratch/build" --print-errorlogs use
