#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# An installed tree serves: headers, library and pkg-config file build a program; the tool runs.
#
# usage: installed.sh PREFIX
set -eu
prefix=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

pc=$(find "$prefix" -name physzone.pc)
[ -n "$pc" ]
cat >"$scratch/use.c" <<'END'
#include <physzone/limits.h>
int main(void)
{
	struct pz_limits l = PZ_LIMITS_BITS(28);
	return pz_limits_valid(&l) && l.max_addr == 0xfffffff ? 0 : 1;
}
END
flags=$(PKG_CONFIG_SYSROOT_DIR=${prefix%/usr} PKG_CONFIG_PATH=$(dirname "$pc") \
	pkg-config --cflags --libs physzone)
# shellcheck disable=SC2086
gcc -std=c11 -Wall -Werror "$scratch/use.c" $flags -o "$scratch/use"
"$scratch/use"
"$prefix/bin/physzone" --help >"$scratch/help"
grep -q physzone "$scratch/help"
if [ -d "$prefix/share/man" ]; then
	find "$prefix/share/man" -name 'physzone.1*' | grep -q .
fi
