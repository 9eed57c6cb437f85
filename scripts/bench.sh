#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Build for speed and run the benchmarks; each prints what it measured.
#
# usage: scripts/bench.sh [pages|objects|tables|dma|dma-map|iommu] [OPTION|CASE...]
#
# With arguments only one benchmark runs, with these: that of the page allocator, or of the object
# caches when the first word is "objects", of where an IOMMU's tables may come from with "tables", of
# memory for devices with "dma", of streaming mappings with "dma-map", or of an IOMMU's tables with
# "iommu". Options are --quick, --json, --runs N and names of cases; --help lists those of each.
set -eu
cd "$(dirname "$0")/.."
dir=build/bench-release
[ -f $dir/build.ninja ] || meson setup $dir -Dbuildtype=release >/dev/null

# make_bench NAME...: build these benchmarks, silently
make_bench() {
	log=$(ninja -C $dir "$@") || {
		printf '%s\n' "$log" >&2
		exit 1
	}
}

case "${1-}" in
'') exec meson test -C $dir --benchmark --verbose ;;
--help | -h)
	make_bench bench/bench-pages bench/bench-objects bench/bench-tables bench/bench-dma \
		bench/bench-dma-map bench/bench-iommu
	echo "[pages], the page allocator:"
	$dir/bench/bench-pages --help
	echo
	echo "objects, the object caches:"
	$dir/bench/bench-objects --help
	echo
	echo "tables, where those of an IOMMU come from:"
	$dir/bench/bench-tables --help
	echo
	echo "dma, memory for devices:"
	$dir/bench/bench-dma --help
	echo
	echo "dma-map, streaming mappings:"
	$dir/bench/bench-dma-map --help
	echo
	echo "iommu, mapping by an IOMMU's tables:"
	exec $dir/bench/bench-iommu --help
	;;
pages | objects | tables | dma | dma-map | iommu)
	which=$1
	shift
	;;
*) which=pages ;;
esac
make_bench bench/bench-$which
exec $dir/bench/bench-$which "$@"
