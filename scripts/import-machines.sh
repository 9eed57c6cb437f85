#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# import-machines.sh - copy recorded machines into machines/, compact.
#
# usage: scripts/import-machines.sh SOURCE [DESTINATION]
#
# SOURCE holds <architecture>/<machine>/ directories as machines/README.md describes them, with
# plain files. Text that is large and the device trees are stored as .xz; the rest stays as it is.
# A file that already holds the same content is left alone, so importing twice changes nothing; a
# machine that SOURCE does not have is left alone too.
set -eu

die()
{
	echo "import-machines.sh: $*" >&2
	exit 2
}

[ $# -eq 1 ] || [ $# -eq 2 ] || die "usage: import-machines.sh SOURCE [DESTINATION]"
src=$1
dst=${2:-$(dirname "$0")/../machines}
[ -d "$src" ] || die "$src: not a directory"
command -v xz >/dev/null || die "xz is missing (Debian: apt install xz-utils)"

packed="dmesg.txt zoneinfo.txt before_zoneinfo.txt after0_zoneinfo.txt nodes.txt meminfo.txt
	sysctl_vm.txt pagetypeinfo.txt slabinfo.txt slab_attrs.txt machine.dtb"
plain="cmdline.txt version.txt iomem.txt memmap.txt memblock.txt kpageflags.txt buddyinfo.txt
	before_buddyinfo.txt after0_buddyinfo.txt dma_pools.txt swiotlb.txt cma.txt crash.txt"

# import_dir FROM TO - the files of one machine, and of the kernel that crashed before it.
import_dir()
{
	mkdir -p "$2"
	# What the emulator said to its own terminal tells nothing about the machine.
	if [ -s "$1/qemu.txt" ]; then
		grep -v '^qemu_stderr:' "$1/qemu.txt" >"$2/qemu.txt"
	fi
	for file in $plain; do
		[ -s "$1/$file" ] || continue
		cmp -s "$1/$file" "$2/$file" && continue
		cp "$1/$file" "$2/$file"
		chmod 644 "$2/$file"
	done
	for file in $packed; do
		[ -s "$1/$file" ] || continue
		if [ -f "$2/$file.xz" ] && xz -dc "$2/$file.xz" | cmp -s - "$1/$file"; then
			continue
		fi
		# A small dictionary, because who unpacks has to allocate all of it.
		xz -c -T1 --check=crc32 --lzma2=preset=9e,dict=128KiB "$1/$file" >"$2/$file.xz"
	done
	if [ -d "$1/first" ]; then
		import_dir "$1/first" "$2/first"
	fi
}

machines=0
for machine in "$src"/*/*/; do
	machine=${machine%/}
	[ -f "$machine/dmesg.txt" ] || [ -f "$machine/iomem.txt" ] || continue
	import_dir "$machine" "$dst/${machine#"$src"/}"
	machines=$((machines + 1))
done
[ $machines -gt 0 ] || die "$src: no <architecture>/<machine>/dmesg.txt or iomem.txt below it"
echo "$machines machines"
