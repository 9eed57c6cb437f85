#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The order of the layers, and which headers the freestanding code includes.

usage: layers.py [ROOT]
"""
import pathlib
import posixpath
import re
import sys

import tree

FREESTANDING = {"stddef.h", "stdint.h", "stdbool.h", "stdarg.h", "limits.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# Where code of a kind may include from, beside itself.
ABOVE = {
    "linux": {"src"},
    "ports": {"src", "linux"},
    "boot": {"src", "linux", "ports", "tests", "examples"},
    "cmd": {"src", "linux", "ports"},
    "include": {"src"},
}


def read_layers(root):
    """The layers in order, and the layer of each public header."""
    order, owner = [], {}
    for line in (root / "src/layers.txt").read_text(encoding="utf-8").splitlines():
        line = line.split("#")[0].strip()
        if not line:
            continue
        name, _, headers = line.partition(":")
        order.append(name)
        for header in [name] + headers.split():
            owner[header + ".h"] = name
    return order, owner


def includes(root, name):
    text = (root / name).read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        m = INCLUDE.match(line)
        if m:
            yield number, m.group(1), m.group(2)


def resolve(root, name, target):
    """The path of a quoted include from the root, as the compiler would find it."""
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
    for path in (beside, "src/" + target, "linux/" + target, "cmd/physzone/" + target):
        if (root / path).is_file():
            return posixpath.normpath(path)
    return beside


def check(root, results):
    order, owner = read_layers(root)
    rank = {layer: i for i, layer in enumerate(order)}
    layering, headers, unknown = [], [], []

    for directory in sorted(p.name for p in (root / "src").iterdir() if p.is_dir()):
        if directory not in rank:
            unknown.append(f"src/{directory} is not in src/layers.txt")

    for name in tree.files(root, ".c", ".h", under=("src", "linux", "include", "ports", "cmd")):
        parts = name.split("/")
        kind = parts[0]
        layer = None
        if kind == "src":
            layer = parts[1]
        elif kind == "include":
            kind = "linux" if "/linux/" in name else "include"
            if kind == "include":
                layer = owner.get(parts[-1])
                if layer is None:
                    unknown.append(f"{name}: name its layer in src/layers.txt")
                    continue
        for line, how, target in includes(root, name):
            at = f"{name}:{line}: "
            if target.startswith("physzone/"):
                to_kind = "linux" if target.startswith("physzone/linux/") else "src"
                to_layer = owner.get(target.split("/")[-1]) if to_kind == "src" else None
            elif how == "<":
                if kind in ("src", "linux", "include") and target not in FREESTANDING:
                    headers.append(f"{at}<{target}> is not a freestanding header")
                continue
            else:
                path = resolve(root, name, target).split("/")
                to_kind = path[0]
                to_layer = path[1] if to_kind == "src" else None
            own = "src" if kind == "include" else kind
            if to_kind != own and to_kind not in ABOVE.get(own, set()):
                layering.append(f"{at}{own} includes {to_kind} ({target})")
            elif layer and to_layer and rank.get(to_layer, 99) > rank.get(layer, -1):
                layering.append(f"{at}layer {layer} includes {to_layer} below it ({target})")

    results.test("every directory and public header has its layer", unknown)
    results.test("layers include upwards only", layering)
    results.test("src, linux and include use freestanding headers only", headers)


def main():
    results = tree.Results()
    check(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "."), results)
    return results.done()


if __name__ == "__main__":
    sys.exit(main())
