#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the documents and sources refer to exists.

usage: links.py [ROOT]

Looked at: relative links of Markdown files, and paths like docs/X.md named anywhere.
"""
import pathlib
import re
import sys

import tree

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
NAMED = re.compile(r"(?<![\w/.-])((?:docs|src|linux|cmd|tests|include|scripts|cross)/[\w./-]*\.\w+)\b")


def check(root, results):
    dead, missing = [], []
    for name in tree.files(root, ".md", ".c", ".h", ".py", ".sh", "meson.build", "Makefile"):
        # The facts name files of the kernel tree; the self-test names faults.
        if name.startswith(("machines/", "docs/facts/", "tests/lint/selftest")):
            continue
        text = (root / name).read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            if name.endswith(".md"):
                for m in LINK.finditer(line):
                    target = m.group(1)
                    if "://" not in target and not (root / name).parent.joinpath(target).exists():
                        dead.append(f"{name}:{number}: {target}")
            for m in NAMED.finditer(line):
                path = m.group(1)
                if path.endswith(("X.md", "X.h")) or path.startswith("include/linux/"):
                    continue
                beside = (root / name).parent / path
                if not (root / path).exists() and not beside.exists():
                    missing.append(f"{name}:{number}: {path}")
    results.test("links lead somewhere", dead)
    results.test("files that are named exist", missing)


def main():
    results = tree.Results()
    check(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "."), results)
    return results.done()


if __name__ == "__main__":
    sys.exit(main())
