#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Everything that must hold, from a clean checkout: see CONTRIBUTING.md, "What check does".
#
# usage: scripts/check.sh [STEP...]
#
# Each step builds in a directory of its own under build/check/, logs to build/check/STEP.log and
# appends its results to build/check/STEP.results. The last line is "N passed, N failed".
set -u
cd "$(dirname "$0")/.." || exit 1

top=build/check
jobs=${JOBS:-$(nproc)}
fuzz_seconds=${FUZZ_SECONDS:-21}
mkdir -p $top
export MESON_TESTTHREADS=$jobs NINJA_STATUS='[%f/%t] ' CMOCKA_MESSAGE_OUTPUT=tap
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1

# configure DIR [ARG...]: set a Meson build directory up, or use the one that is there.
configure()
{
	local dir=$1
	shift
	[ -f "$dir/build.ninja" ] || meson setup "$dir" "$@"
}

# meson_tests DIR STEP [ARG...]: run the tests of a build directory and count their results.
meson_tests()
{
	local dir=$1 step=$2 rc
	shift 2
	meson test -C "$dir" --print-errorlogs --num-processes "$jobs" "$@"
	rc=$?
	python3 scripts/count_results.py "$dir/meson-logs/testlog.json" >>$top/$step.results || rc=1
	return $rc
}

# result STEP NAME STATUS: record one result that is no Meson test.
result()
{
	if [ "$3" = 0 ]; then
		echo "ok $2" >>$top/$1.results
	else
		echo "not ok $2" >>$top/$1.results
	fi
	return "$3"
}

# gcc, optimised, every warning an error; all tests and lints, but a third of the rounds of each
# property, and not the few passes of the explorer that would take longest: `meson test` by itself
# makes all.
step_gcc()
{
	CC=gcc configure $top/gcc --werror -Dbuildtype=release -Dcmocka=enabled &&
		ninja -C $top/gcc -j "$jobs" &&
		PZ_EXPLORE_WORK=60000 PZ_ROUNDS_PART=3 meson_tests $top/gcc gcc
}

# clang, every warning an error, address and undefined-behaviour sanitizers; the tests again, but an
# eighth of the rounds of each property. What explores schedules is left to gcc, and what races to
# tsan. Only what the tests need is built.
step_sanitize()
{
	CC=clang configure $top/sanitize --werror -Dcmocka=enabled -Db_sanitize=address,undefined \
		-Db_lundef=false -Doptimization=1 -Ddebug=false \
		'-Dc_args=-fno-sanitize-recover=all -fno-omit-frame-pointer -gline-tables-only' &&
		PZ_ROUNDS_PART=8 meson_tests $top/sanitize sanitize --no-suite lint \
			--no-suite explore --timeout-multiplier 3
}

# Threads under a race detector.
step_tsan()
{
	local tests=(stress stress_pools stress_slab stress_bounce stress_coherent stress_dma
		stress_table_mem stress_v7s stress_iommu)
	CC=clang configure $top/tsan --werror -Db_sanitize=thread -Db_lundef=false \
		-Doptimization=1 -Ddebug=true &&
		ninja -C $top/tsan -j "$jobs" "${tests[@]/#/tests/explore/}" &&
		TSAN_OPTIONS=halt_on_error=1 meson_tests $top/tsan tsan "${tests[@]}"
}

# The core for every bare-metal target, and what its objects may contain.
step_freestanding()
{
	tests/lint/freestanding.sh $top/freestanding "$jobs" few >$top/freestanding.tap
	local rc=$?
	cat $top/freestanding.tap
	grep -E '^(not )?ok |^#' $top/freestanding.tap >>$top/freestanding.results
	return $rc
}

# Every parser under libFuzzer for a while.
step_fuzz()
{
	FUZZ_TOTAL=$fuzz_seconds scripts/fuzz.sh $top/fuzz >$top/fuzz.tap
	local rc=$?
	cat $top/fuzz.tap
	grep -E '^(not )?ok |^#' $top/fuzz.tap >>$top/fuzz.results
	return $rc
}

# The bare-metal images under QEMU.
step_boot()
{
	BOOT_TREES=$top/freestanding scripts/boot.sh >$top/boot.tap
	local rc=$?
	cat $top/boot.tap
	tr -d '\r' <$top/boot.tap | grep -aE '^(not )?ok |^#' >>$top/boot.results
	return $rc
}

# What others get: an installed tree, and a Meson subproject.
step_install()
{
	local dest rc=0
	dest=$PWD/$top/install
	rm -rf "$dest"
	make --no-print-directory SETUP=no install BUILD=$top/gcc PREFIX=/usr DESTDIR="$dest" &&
		tests/lint/installed.sh "$dest/usr"
	result install "installed files work" $? || rc=1
	tests/lint/subproject.sh
	result install "it can be a subproject" $? || rc=1
	return $rc
}

steps=("$@")
[ ${#steps[@]} -gt 0 ] || steps=(gcc sanitize tsan freestanding install fuzz boot)

start=$SECONDS
failed_steps=()
for step in "${steps[@]}"; do
	began=$SECONDS
	printf '== %-13s ' "$step"
	: >$top/$step.results
	if "step_$step" >$top/$step.log 2>&1; then
		status=ok
	else
		status=FAILED
		failed_steps+=("$step")
		grep -q '^not ok' $top/$step.results || echo "not ok $step" >>$top/$step.results
	fi
	bad=$(grep -c '^not ok' $top/$step.results)
	good=$(grep -c '^ok' $top/$step.results)
	printf '%-7s %6d passed %4d failed %4d s\n' $status "$good" "$bad" $((SECONDS - began))
	if [ $status = FAILED ]; then
		# Each failed result with the remarks below it; the whole log is in the file.
		awk '/^ok/ { show = 0 } /^not ok/ { show = 1 } show' $top/$step.results | head -n 80
		echo "-- the end of $top/$step.log"
		tail -n 15 $top/$step.log
		echo "--"
	fi
done

passed=0
failed=0
for step in "${steps[@]}"; do
	passed=$((passed + $(grep -c '^ok' $top/$step.results)))
	failed=$((failed + $(grep -c '^not ok' $top/$step.results)))
done
echo "== $((SECONDS - start)) s in all${failed_steps[*]:+; failed: ${failed_steps[*]}}"
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ ${#failed_steps[@]} = 0 ]
