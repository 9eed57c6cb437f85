#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Build the bare-metal image, start it in QEMU by PVH with the devices that it tests, and pass its
# TAP on. Fails when a result is bad or missing, and when the machine hangs.
#
# BOOT_SECONDS=N  how long it may take (180)
set -u
cd "$(dirname "$0")/.." || exit 1
dir=build/boot-x86_64
mib=6144
mkdir -p $dir

if ! { { [ -f $dir/build.ninja ] ||
	meson setup $dir --cross-file cross/x86_64.ini --werror -Doptimization=2 -Ddebug=true; } &&
	ninja -C $dir boot/physzone-boot.elf; } >$dir/build.log 2>&1; then
	echo "not ok 1 - the image builds"
	tail -n 30 $dir/build.log | sed 's/^/# /'
	echo "1..1"
	exit 1
fi

if ! python3 scripts/boot_media.py $dir/floppy.img $dir/disk.img; then
	echo "not ok 1 - the media are made"
	echo "1..1"
	exit 1
fi
devices=(-device "isa-debug-exit,iobase=0xf4,iosize=0x04"
	-drive "if=none,id=floppy,format=raw,file=$dir/floppy.img"
	-device isa-fdc -device "floppy,drive=floppy,drive-type=144"
	-drive "if=none,id=disk,format=raw,file=$dir/disk.img"
	-device "ide-hd,drive=disk,bus=ide.0")
# One edu device for each DMA mask, in slot bits - 11; 28 bits is the default.
for bits in {12..40}; do
	mask=$(printf ',dma_mask=0x%x' $(((1 << bits) - 1)))
	[ "$bits" != 28 ] || mask=
	devices+=(-device "$(printf 'edu,addr=0x%x' $((bits - 11)))$mask")
done

# isa-debug-exit ends QEMU with 2 * 0x10 + 1 when all is well. The console is descriptor 3, for QEMU
# itself writes to its output.
{
	timeout "${BOOT_SECONDS:-180}" qemu-system-x86_64 -machine q35 -accel tcg -m ${mib}M -smp 1 \
		-nodefaults -display none -monitor none -no-reboot "${devices[@]}" \
		-chardev file,id=console,path=/dev/fd/3 -serial chardev:console \
		-kernel $dir/boot/physzone-boot.elf -append "ram=$mib" \
		-d guest_errors -D $dir/qemu.log </dev/null 3>&1 >$dir/qemu.txt
} | tr -d '\r' | tee $dir/console.txt
status=${PIPESTATUS[0]}

planned=$(sed -n 's/^1\.\.\([0-9][0-9]*\)$/\1/p' $dir/console.txt)
results=$(grep -acE '^(not )?ok [0-9]' $dir/console.txt)
bad=$(grep -acE '^not ok ' $dir/console.txt)
# Older versions of QEMU print what newer ones log.
clamped=$(cat $dir/qemu.txt $dir/qemu.log 2>/dev/null | grep -o 'EDU: clamping DMA' | wc -l)
forced=$(sed -n 's/^# transfers beyond a mask: //p' $dir/console.txt)
case $status in
33) ;;
124) echo "not ok boot: the machine hangs" ;;
35) ;;
*) echo "not ok boot: QEMU ended with status $status" ;;
esac
if [ "${planned:-none}" != "$results" ]; then
	echo "not ok boot: ${planned:-no} results were promised, $results came"
	exit 1
fi
if [ "${forced:-none}" != "$clamped" ]; then
	echo "not ok boot: ${forced:-no} transfers beyond a mask were forced, QEMU saw $clamped"
	exit 1
fi
[ "$status" = 33 ] && [ "$bad" = 0 ]
