#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Fuzz every parser. Prints TAP; what libFuzzer says goes to DIRECTORY/NAME.log.
#
# usage: scripts/fuzz.sh [DIRECTORY]
#
# FUZZ_SECONDS=N  seconds for each target (600)
# FUZZ_TOTAL=N    seconds in all instead, shared out over the targets and the CPUs
# FUZZ_TARGET=X   only the target fuzz_X
#
# Seeds come from tests/fuzz/corpus/NAME/. What is found stays in DIRECTORY/corpus/NAME/, and an
# input that fails in DIRECTORY/crash-*; run DIRECTORY/bin/tests/fuzz/fuzz_NAME FILE to see it again.
set -u
cd "$(dirname "$0")/.." || exit 1
dir=${1:-build/fuzz}
jobs=${JOBS:-$(nproc)}
# What runs for seconds need not be fast, but soon built.
optimisation=${FUZZ_TOTAL:+0}
mkdir -p "$dir"

if ! { { [ -f "$dir/bin/build.ninja" ] ||
	CC=clang meson setup "$dir/bin" -Dfuzz=true -Doptimization="${optimisation:-1}" -Ddebug=false \
		-Db_lundef=false -Db_sanitize=address,undefined \
		'-Dc_args=-fno-sanitize-recover=all -gline-tables-only'; } &&
	ninja -C "$dir/bin" -j "$jobs" fuzz-targets; } >"$dir/build.log" 2>&1; then
	echo "not ok fuzz targets build"
	tail -n 30 "$dir/build.log" | sed 's/^/# /'
	echo "1..1"
	exit 1
fi

targets=()
for exe in "$dir"/bin/tests/fuzz/fuzz_${FUZZ_TARGET:-*}; do
	[ -f "$exe" ] && [ -x "$exe" ] && targets+=("$exe")
done
count=${#targets[@]}
if [ "$count" = 0 ]; then
	echo "not ok there is something to fuzz"
	echo "1..1"
	exit 1
fi
if [ -n "${FUZZ_TOTAL-}" ]; then
	seconds=$((FUZZ_TOTAL * jobs / count))
	[ $seconds -ge 1 ] || seconds=1
else
	seconds=${FUZZ_SECONDS:-600}
fi

# one EXECUTABLE: fuzz it for its time and report.
one()
{
	local exe=$1 name seeds=()
	name=$(basename "$exe")
	name=${name#fuzz_}
	mkdir -p "$dir/corpus/$name"
	[ -d "tests/fuzz/corpus/$name" ] && seeds=("tests/fuzz/corpus/$name")
	local dict=()
	[ -f "tests/fuzz/$name.dict" ] && dict=("-dict=tests/fuzz/$name.dict")
	if "$exe" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$dir/crash-$name-" "${dict[@]}" "$dir/corpus/$name" \
		"${seeds[@]}" >"$dir/$name.log" 2>&1; then
		echo "ok fuzz $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$dir/$name.log")" \
			"inputs in $seconds s"
	else
		echo "not ok fuzz $name"
		grep -aE 'ERROR|SUMMARY|runtime error|Test unit written|^    #[0-9] ' "$dir/$name.log" |
			head -n 20 | sed 's/^/# /'
		return 1
	fi
}

# bash forgets the status of a job that `jobs` has told to be done, so failures leave a file.
rm -f "$dir/failed"
for exe in "${targets[@]}"; do
	while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
		sleep 0.2
	done
	one "$exe" || touch "$dir/failed" &
done
wait
rc=0
[ ! -e "$dir/failed" ] || rc=1
echo "1..$count"
exit $rc
