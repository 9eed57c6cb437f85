#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run the examples that the documents show, and compare what they print.

usage: examples.py PHYSZONE [ROOT]

An example is a fenced block marked "console" whose commands begin with "$ physzone". What follows a
command, up to the next one or the end of the block, is its whole standard output and error. A line
"..." stands for any lines. A command runs in a shell in the root, with PHYSZONE first on the path.
"""
import os
import pathlib
import re
import subprocess
import sys

import tree

BLOCK = re.compile(r"^```console\n(.*?)^```", re.M | re.S)


def examples(text):
    """(line, command, expected lines) of each example."""
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start(1)) + 1
        current = None
        for row in block.group(1).splitlines():
            if row.startswith("$ "):
                if current:
                    yield current
                current = (line, row[2:], [])
            elif current:
                current[2].append(row)
            line += 1
        if current:
            yield current


def matches(expected, actual):
    """Whether actual lines equal the expected ones, "..." standing for any number of lines."""
    pattern = "".join(
        r"(?:[^\n]*\n)*?" if e.strip() == "..." else re.escape(e.rstrip()) + r"[ \t]*\n"
        for e in expected)
    return re.fullmatch(pattern, "".join(a + "\n" for a in actual)) is not None


def main():
    exe = pathlib.Path(sys.argv[1]).resolve()
    root = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".")
    env = dict(os.environ, NO_COLOR="1", COLUMNS="100", LC_ALL="C.UTF-8",
               PATH=f"{exe.parent}{os.pathsep}{os.environ['PATH']}")
    results = tree.Results()
    count = 0
    for name in tree.files(root, ".md"):
        if name.startswith("machines/"):
            continue
        text = (root / name).read_text(encoding="utf-8")
        for line, command, expected in examples(text):
            if not re.match(r"(\w+=\S* )*physzone\b|.*\| physzone\b", command):
                continue
            count += 1
            done = subprocess.run(["sh", "-c", command], cwd=root, env=env, text=True, timeout=60,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, errors="replace")
            actual = done.stdout.splitlines()
            bad = []
            if not matches(expected, actual):
                bad = [f"it printed (status {done.returncode}):"] + actual[:60]
            results.test(f"{name}:{line}: {command}", bad)
    if not count:
        print("1..0 # SKIP no examples")
        return 0
    return results.done()


if __name__ == "__main__":
    sys.exit(main())
