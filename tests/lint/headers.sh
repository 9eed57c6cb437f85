#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every public header compiles alone, as C11 and as C++17, twice included, by gcc and by clang.
#
# usage: headers.sh [ROOT]
set -u
root=${1:-.}
warn='-Wall -Wextra -pedantic -Werror'
n=0
rc=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# try LABEL HEADER COMMAND...: compile a file that includes only the header.
try()
{
	label=$1
	header=$2
	shift 2
	n=$((n + 1))
	if ! command -v "$1" >/dev/null 2>&1; then
		echo "ok $n - $header as $label # SKIP no $1"
		return
	fi
	printf '#include <%s>\n#include <%s>\n' "$header" "$header" >"$scratch/alone.$ext"
	if "$@" -I "$root/include" -fsyntax-only "$scratch/alone.$ext" 2>"$scratch/log"; then
		echo "ok $n - $header as $label"
	else
		echo "not ok $n - $header as $label"
		head -n 10 "$scratch/log" | sed 's/^/# /'
		rc=1
	fi
}

for path in $(cd "$root/include" && find physzone -name '*.h' | LC_ALL=C sort); do
	ext=c
	# shellcheck disable=SC2086
	{
		try 'C11, gcc' "$path" gcc -std=c11 $warn -ffreestanding
		try 'C11, clang' "$path" clang -std=c11 $warn -ffreestanding
		ext=cc
		try 'C++17, g++' "$path" g++ -std=c++17 $warn
		try 'C++17, clang++' "$path" clang++ -std=c++17 $warn
	}
done
if [ "$n" = 0 ]; then
	n=1
	echo "not ok 1 - headers were found"
	rc=1
fi
echo "1..$n"
exit $rc
