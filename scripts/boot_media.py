#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The media that the bare-metal image reads: a floppy and a disk, as boot/dev.h wants them.

usage: boot_media.py FLOPPY DISK
"""
import array
import sys

FLOPPY_BYTES = 2 * 80 * 18 * 512
DISK_BYTES = 1 << 20
SEED_FLOPPY = 0xF1
SEED_DISK = 0xD1


def medium(path, size, seed):
    first = seed * 0x01000193
    words = array.array("I", (((first + i) * 0x9E3779B1) & 0xFFFFFFFF for i in range(size // 4)))
    if words.itemsize != 4:
        sys.exit("boot_media.py: an unsigned int of 4 bytes is expected")
    if sys.byteorder == "big":
        words.byteswap()
    with open(path, "wb") as out:
        words.tofile(out)


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: boot_media.py FLOPPY DISK")
    medium(sys.argv[1], FLOPPY_BYTES, SEED_FLOPPY)
    medium(sys.argv[2], DISK_BYTES, SEED_DISK)


if __name__ == "__main__":
    main()
