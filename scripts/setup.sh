#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Install the Debian packages that a target needs and the machine lacks.
#
# usage: scripts/setup.sh [--name-only] build|run|check|bench|boot|fuzz|format
#
# As root, or with a sudo that asks for no password, what is missing is installed. Elsewhere, and
# with --name-only, it is named and the script fails. Nothing is fetched when nothing is missing.
set -eu

name_only=
if [ "${1-}" = --name-only ]; then
	name_only=yes
	shift
fi

build='gcc libc6-dev meson ninja-build pkg-config libfdt-dev zlib1g-dev liblzma-dev libzstd-dev'
clang='clang lld llvm'
cross='gcc-aarch64-linux-gnu gcc-arm-linux-gnueabihf gcc-riscv64-linux-gnu'
qemu='qemu-system-x86 qemu-system-arm'
optional=
case "${1-}" in
build | run) want=$build ;;
bench)
	want=$build
	# Allocators to compare with; each is left out where it is missing.
	optional='libmimalloc-dev libjemalloc-dev libtcmalloc-minimal4'
	;;
boot) want="$build binutils gcc-arm-linux-gnueabihf $qemu" ;;
fuzz) want="$build $clang" ;;
check)
	want="$build $clang $cross g++ binutils libcmocka-dev $qemu"
	want="$want device-tree-compiler xz-utils gzip zstd"
	# Programs that run on memory from pz_kmalloc(): tests/preload.
	want="$want python3 sqlite3 git"
	optional='libpython3.11-testsuite'
	;;
format) want='clang-format git' ;;
*)
	echo "usage: scripts/setup.sh [--name-only] build|run|check|bench|boot|fuzz|format" >&2
	exit 2
	;;
esac

# The sanitizer runtimes are packaged for one version of clang, the one that clang depends on.
case " $want " in
*' clang '*)
	depends=$(dpkg-query -W -f '${Depends}' clang 2>/dev/null || true)
	version=$(printf '%s' "$depends" | sed -n 's/.*clang-\([0-9][0-9]*\).*/\1/p')
	want="$want libclang-rt-${version:-14}-dev"
	;;
esac

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "physzone: this is not a Debian machine; install the equivalents of: $want" >&2
	echo "physzone: then use SETUP=no with make" >&2
	exit 1
fi

# missing_of PACKAGE...: those that are not installed, each behind a blank
missing_of() {
	have=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
		sed -n 's/ installed$//p' | tr '\n' ' ')
	for p in "$@"; do
		case " $have " in
		*" $p "*) ;;
		*) printf ' %s' "$p" ;;
		esac
	done
}

# shellcheck disable=SC2086
missing=$(missing_of $want)
# shellcheck disable=SC2086
extra=$([ -z "$optional" ] || missing_of $optional)
[ -n "$missing$extra" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
	if [ -z "$name_only" ] && command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
		as_root='sudo -n'
	else
		name_only=yes
	fi
fi
if [ -n "$name_only" ]; then
	[ -z "$extra" ] || echo "physzone: left out unless installed:$extra" >&2
	[ -n "$missing" ] || exit 0
	echo "physzone: missing Debian packages:$missing" >&2
	echo "physzone: install them with: apt-get install$missing" >&2
	exit 1
fi

echo "physzone: installing$missing$extra"
env='env DEBIAN_FRONTEND=noninteractive'
$as_root $env apt-get -qq update || {
	sleep 3
	$as_root $env apt-get -qq update
} || echo "physzone: apt-get update failed; trying with the package lists at hand" >&2
# shellcheck disable=SC2086
if [ -n "$missing" ] &&
	! $as_root $env apt-get -qq install --no-install-recommends -y $missing >/dev/null; then
	echo "physzone: could not install:$missing" >&2
	exit 1
fi
for p in $extra; do
	$as_root $env apt-get -qq install --no-install-recommends -y "$p" >/dev/null 2>&1 ||
		echo "physzone: could not install $p; it is left out" >&2
done
