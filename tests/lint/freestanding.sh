#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Build the library for every bare-metal target at -O2, and at -Os where a processor lacks what a
# compiler may then call for; every warning an error. Look at what the objects hold; then look for
# recursion. Prints TAP.
#
# usage: tests/lint/freestanding.sh BUILD-DIRECTORY [JOBS [few]]
#
# few: one -Os build and one by clang stand for the others.
set -u
top=$1
jobs=${2:-2}
few=${3:-}
here=$(dirname "$0")
mkdir -p "$top"

# one TARGET OPTIMISATION: build one variant and check its symbols.
one()
{
	local target=$1 opt=$2 dir=$top/$1-O$2 prefix= label="$1 -O$2"
	case $target in
	*aarch64) prefix=aarch64-linux-gnu- ;;
	arm) prefix=arm-linux-gnueabihf- ;;
	riscv64) prefix=riscv64-linux-gnu- ;;
	esac
	if { [ -f "$dir/build.ninja" ] ||
		meson setup "$dir" --cross-file "cross/$target.ini" --werror -Doptimization="$opt" \
			-Ddebug=false; } >"$dir.log" 2>&1 &&
		ninja -C "$dir" -j 1 libphyszone.a >>"$dir.log" 2>&1; then
		echo "ok $label: builds"
		"$here/symbols.sh" "$target-O$opt" "$dir/libphyszone.a" $prefix
	else
		echo "not ok $label: builds"
		grep -aE 'error|warning|ERROR' "$dir.log" | head -20 | sed 's/^/# /'
		return 1
	fi
}

# The call graph comes from an unoptimised build, before any call is inlined away.
calls()
{
	local dir=$top/callgraph
	if { [ -f "$dir/build.ninja" ] ||
		meson setup "$dir" --cross-file cross/x86_64.ini -Doptimization=0 \
			'-Dc_args=-ffreestanding -fcallgraph-info'; } >"$dir.log" 2>&1 &&
		ninja -C "$dir" -j 1 libphyszone.a >>"$dir.log" 2>&1; then
		python3 "$here/callgraph.py" "$dir"
	else
		echo "not ok call graph: builds"
		tail -5 "$dir.log" | sed 's/^/# /'
		return 1
	fi
}

outputs=()
rc=0
# start NAME COMMAND...: run in the background, at most $jobs at a time, output kept apart. The
# status goes into a file: bash forgets that of a job that `jobs` has told to be done.
start()
{
	local name=$1
	shift
	while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
		sleep 0.1
	done
	rm -f "$top/$name.status"
	{
		"$@" >"$top/$name.tap" 2>&1
		echo $? >"$top/$name.status"
	} &
	outputs+=("$top/$name.tap")
}

plain=(x86_64 i386 aarch64 arm riscv64 clang-aarch64)
small=(arm)
if [ -z "$few" ]; then
	plain+=(clang-x86_64)
	small+=(i386 riscv64)
fi
for target in "${plain[@]}"; do
	start "$target-O2" one "$target" 2
done
for target in "${small[@]}"; do
	start "$target-Os" one "$target" s
done
start callgraph calls
wait
for tap in "${outputs[@]}"; do
	[ "$(cat "${tap%.tap}.status")" = 0 ] || rc=1
done
cat "${outputs[@]}"
echo "1..$(cat "${outputs[@]}" | grep -cE '^(not )?ok ')"
exit $rc
