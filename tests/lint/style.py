#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""House style that a machine can see.

usage: style.py [ROOT]
"""
import pathlib
import re
import sys

import tree

SOURCE = (".c", ".h", ".S", ".ld", ".sh", ".py", ".ini", "meson.build", "meson_options.txt", "Makefile")
# Recorded input keeps what it says.
DATA = ("machines/", "tests/fuzz/corpus/", "tests/golden/data/")
MAX_LINES = 800
MAX_COLUMNS = 100
# Words are put together here so that this file passes.
LATER = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b")
HOSTS = r"(?:regis" + r"try|mir" + r"ror|pro" + r"xy)\.[\w.-]+\.(?:com|net|org|io|internal|local)"
PATHS = re.compile(r"(?<![\w.])/(?:ro" + r"ot|ho" + r"me|wo" + r"rk|Use" + r"rs|us" + r"r/local/cuda)/\w|" + HOSTS)
EMOJI = re.compile("[\u2600-\u26ff\u2705\u274c\u2728\U0001f000-\U0001faff]")


def width(line):
    return len(line.expandtabs(8))


def check(root, results):
    spdx, lengths, columns, later, paths, tabs, blanks, emoji = ([] for _ in range(8))
    for name in tree.files(root):
        if name.startswith(DATA):
            continue
        try:
            text = (root / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        lines = text.splitlines()
        if name.endswith(SOURCE):
            head = [line for line in lines[:2] if not line.startswith("#!")]
            if not head or "SPDX-License-Identifier: BSD-2-Clause" not in head[0]:
                spdx.append(name)
            if len(lines) > MAX_LINES:
                lengths.append(f"{name}: {len(lines)} lines")
        in_c = name.endswith((".c", ".h"))
        for number, line in enumerate(lines, 1):
            at = f"{name}:{number}"
            if LATER.search(line):
                later.append(at)
            if PATHS.search(line):
                paths.append(at)
            if EMOJI.search(line):
                emoji.append(at)
            if line != line.rstrip() and not name.endswith(".svg"):
                blanks.append(at)
            if in_c and width(line) > MAX_COLUMNS:
                columns.append(f"{at}: {width(line)} columns")
            if in_c and re.match(r"\t* {8}", line):
                tabs.append(at)
        if text and not text.endswith("\n"):
            blanks.append(f"{name}: no newline at the end")
    results.test("every source file begins with its licence", spdx)
    results.test(f"no source file is longer than {MAX_LINES} lines", lengths)
    results.test(f"no line of C is wider than {MAX_COLUMNS} columns", columns)
    results.test("nothing is left for later", later)
    results.test("no path or host of a certain machine", paths)
    results.test("C is indented with tabs", tabs)
    results.test("lines end where their text ends", blanks)
    results.test("no emoji", emoji)


def main():
    results = tree.Results()
    check(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "."), results)
    return results.done()


if __name__ == "__main__":
    sys.exit(main())
