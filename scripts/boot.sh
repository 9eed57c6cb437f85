#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Build the bare-metal images, start them in QEMU and pass their TAP on. Fails when a result is bad
# or missing, and when a machine hangs.
#
# usage: scripts/boot.sh [ARCH]
#
# ARCH is x86_64 (by PVH, with the devices that the image tests) or arm (the "virt" machine, with a
# Cortex-A15). Without it both run side by side.
#
# BOOT_SECONDS=N  how long one may take (180)
# BOOT_TREES=DIR  build in DIR/ARCH-O2, where tests/lint/freestanding.sh has built the library
set -u
cd "$(dirname "$0")/.." || exit 1
seconds=${BOOT_SECONDS:-180}

# build ARCH DIR: the image, DIR/boot/physzone-boot.elf.
build()
{
	[ -f "$2/build.ninja" ] ||
		meson setup "$2" --cross-file "cross/$1.ini" --werror -Doptimization=2 \
			-Ddebug=true || return 1
	ninja -C "$2" boot/physzone-boot.elf
}

# What QEMU is started with, and its exit status when all is well and when results are bad.
machine_x86_64()
{
	local mib=6144 bits mask

	# isa-debug-exit ends QEMU with 2 * 0x10 + 1 when all is well.
	good=33
	bad=35
	python3 scripts/boot_media.py "$dir/floppy.img" "$dir/disk.img" || return 1
	command=(qemu-system-x86_64 -machine q35 -m "${mib}M" -append "ram=$mib"
		-device "isa-debug-exit,iobase=0xf4,iosize=0x04"
		-drive "if=none,id=floppy,format=raw,file=$dir/floppy.img"
		-device isa-fdc -device "floppy,drive=floppy,drive-type=144"
		-drive "if=none,id=disk,format=raw,file=$dir/disk.img"
		-device "ide-hd,drive=disk,bus=ide.0")
	# One edu device for each DMA mask, in slot bits - 11; 28 bits is the default.
	for bits in {12..40}; do
		mask=$(printf ',dma_mask=0x%x' $(((1 << bits) - 1)))
		[ "$bits" != 28 ] || mask=
		command+=(-device "$(printf 'edu,addr=0x%x' $((bits - 11)))$mask")
	done
}

machine_arm()
{
	# Semihosting passes the status on. The memory is that of ports/arm/layout.h.
	good=16
	bad=17
	command=(qemu-system-arm -machine virt -cpu cortex-a15 -m 5120M
		-semihosting-config "enable=on,target=native")
}

# What must hold besides the results.
judge_x86_64()
{
	local clamped forced

	# Older versions of QEMU print what newer ones log.
	clamped=$(cat "$dir/qemu.txt" "$dir/qemu.log" 2>/dev/null |
		grep -o 'EDU: clamping DMA' | wc -l)
	forced=$(sed -n 's/^# transfers beyond a mask: //p' "$dir/console.txt")
	[ "${forced:-none}" = "$clamped" ] && return
	echo "not ok boot: ${forced:-no} transfers beyond a mask were forced, QEMU saw $clamped"
	return 1
}

judge_arm()
{
	[ -s "$dir/qemu.log" ] || return 0
	echo "not ok boot: QEMU finds fault with the image"
	head -n 5 "$dir/qemu.log" | sed 's/^/# /'
	return 1
}

# run ARCH: build the image, start it, judge it.
run()
{
	local arch=$1 dir=build/boot-$1 tree status planned results wrong
	local good bad command
	tree=${BOOT_TREES:+$BOOT_TREES/$arch-O2}
	tree=${tree:-$dir}
	mkdir -p "$dir"
	if ! build "$arch" "$tree" >"$dir/build.log" 2>&1; then
		echo "not ok 1 - the image for $arch builds"
		tail -n 30 "$dir/build.log" | sed 's/^/# /'
		echo "1..1"
		return 1
	fi
	if ! "machine_$arch"; then
		echo "not ok 1 - the media are made"
		echo "1..1"
		return 1
	fi

	# The console is descriptor 3, for QEMU itself writes to its output.
	{
		timeout "$seconds" "${command[@]}" -accel tcg -smp 1 -nodefaults -display none \
			-monitor none -no-reboot -chardev file,id=console,path=/dev/fd/3 \
			-serial chardev:console -kernel "$tree/boot/physzone-boot.elf" \
			-d guest_errors -D "$dir/qemu.log" </dev/null 3>&1 >"$dir/qemu.txt"
	} | tr -d '\r' | tee "$dir/console.txt"
	status=${PIPESTATUS[0]}

	planned=$(sed -n 's/^1\.\.\([0-9][0-9]*\)$/\1/p' "$dir/console.txt")
	results=$(grep -acE '^(not )?ok [0-9]' "$dir/console.txt")
	wrong=$(grep -acE '^not ok ' "$dir/console.txt")
	case $status in
	"$good" | "$bad") ;;
	124) echo "not ok boot: the machine ($arch) hangs" ;;
	*) echo "not ok boot: QEMU ($arch) ended with status $status" ;;
	esac
	if [ "${planned:-none}" != "$results" ]; then
		echo "not ok boot: ${planned:-no} results were promised for $arch, $results came"
		return 1
	fi
	"judge_$arch" && [ "$status" = "$good" ] && [ "$wrong" = 0 ]
}

case ${1-all} in
x86_64 | arm) run "$1" ;;
all)
	rc=0
	mkdir -p build/boot-arm
	run arm >build/boot-arm/boot.tap 2>&1 &
	run x86_64 || rc=1
	wait $! || rc=1
	cat build/boot-arm/boot.tap
	exit $rc
	;;
*)
	echo "usage: scripts/boot.sh [x86_64|arm]" >&2
	exit 2
	;;
esac
