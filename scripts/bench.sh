#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Build for speed and run the benchmarks; each prints what it measured.
set -eu
cd "$(dirname "$0")/.."
dir=build/bench-release
[ -f $dir/build.ninja ] || meson setup $dir -Dbuildtype=release >/dev/null
exec meson test -C $dir --benchmark --verbose
