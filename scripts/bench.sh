#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Build for speed and run the benchmarks; each prints what it measured.
#
# usage: scripts/bench.sh [OPTION|CASE...]
#
# With arguments only the page allocator's benchmark runs, with these: --quick, --json, --runs N,
# names of cases (--help lists them).
set -eu
cd "$(dirname "$0")/.."
dir=build/bench-release
[ -f $dir/build.ninja ] || meson setup $dir -Dbuildtype=release >/dev/null
if [ $# -gt 0 ]; then
	log=$(ninja -C $dir bench/bench-pages) || {
		printf '%s\n' "$log" >&2
		exit 1
	}
	exec $dir/bench/bench-pages "$@"
fi
exec meson test -C $dir --benchmark --verbose
