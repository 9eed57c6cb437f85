#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What the core's objects ask for and hold: no undefined symbol but the four mem* functions, no
# writable data, and no name of its own without the prefix.
#
# usage: symbols.sh LABEL ARCHIVE [TOOL-PREFIX]        (TAP lines without a plan on standard output)
set -u
label=$1
archive=$2
prefix=${3-}
all=$(dirname "$archive")/whole-$label.o
trap 'rm -f "$all"' EXIT
rc=0

emulation=
case $label in
*i386*) emulation='-m elf_i386' ;;
esac
# shellcheck disable=SC2086
if ! "${prefix}ld" $emulation -r --whole-archive "$archive" -o "$all"; then
	echo "not ok $label: the objects link"
	exit 1
fi

undefined=$("${prefix}nm" -u "$all" | awk '$NF !~ /^(memcpy|memmove|memset|memcmp)$/ { print $NF }')
if [ -n "$undefined" ]; then
	echo "not ok $label: undefined symbols are mem* only"
	for symbol in $undefined; do
		echo "# undefined: $symbol, wanted by" \
			"$("${prefix}nm" -A -u "$archive" | sed -n "s/^[^:]*:\([^:]*\):.* $symbol\$/\1/p" | tr '\n' ' ')"
	done
	rc=1
else
	echo "ok $label: undefined symbols are mem* only"
fi

writable=$("${prefix}nm" "$all" | awk '$2 ~ /^[bBdDcCsSgG]$/ { print $3 }')
sections=$("${prefix}objdump" -h "$all" |
	awk '$2 ~ /^\.(data|bss|tdata|tbss|sdata|sbss)/ && $3 !~ /^0+$/ { print $2 }')
if [ -n "$writable$sections" ]; then
	echo "not ok $label: no writable data"
	echo "$writable $sections" | tr ' ' '\n' | sed '/^$/d; s/^/# writable: /'
	rc=1
else
	echo "ok $label: no writable data"
fi

names=$("${prefix}nm" -g --defined-only "$all" | awk '$3 !~ /^pzl?_/ { print $3 }')
if [ -n "$names" ]; then
	echo "not ok $label: names begin with pz_ or pzl_"
	echo "$names" | sed 's/^/# no prefix: /'
	rc=1
else
	echo "ok $label: names begin with pz_ or pzl_"
fi
exit $rc
