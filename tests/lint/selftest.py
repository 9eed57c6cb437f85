#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each lint can fail: make a tree with one fault, and see that the lint finds that fault.

usage: selftest.py
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile

import tree

HERE = pathlib.Path(__file__).resolve().parent
SPDX = "/* SPDX-License-Identifier: BSD-2-Clause */\n"
GOOD = {
    "src/layers.txt": "base: types\nmap\n",
    "src/base/a.h": SPDX,
    "src/base/a.c": SPDX + '#include "a.h"\n#include <stdint.h>\n',
    "src/map/b.h": SPDX,
    "src/map/b.c": SPDX + '#include "../base/a.h"\n#include <physzone/types.h>\n',
    "linux/c.c": SPDX + '#include "../src/map/b.h"\n',
    "linux/c.h": SPDX,
    "include/physzone/types.h": SPDX + """
#ifndef TYPES_H
#define TYPES_H
/**
 * pz_f - do it
 * @a: what
 * @cb: whom to call
 *
 * Context: any.
 * Return: 0.
 */
int pz_f(int a, void (*cb)(void *ctx, int n));

/**
 * pz_g - do it at once
 *
 * Context: any.
 */
static inline void pz_g(void)
{
}
#endif
""",
    "include/physzone/map.h": SPDX + "#include <physzone/types.h>\n",
    "README.md": "text\n",
}
HEADER = "include/physzone/types.h"
MAP = "include/physzone/map.h"
# lint, file, text added at its end, what the lint must say
FAULTS = [
    ("layers.py", "src/base/a.c", '#include "../map/b.h"\n', "layer base includes map"),
    ("layers.py", HEADER, "#include <physzone/map.h>\n", "layer base includes map"),
    ("layers.py", "src/map/b.c", '#include "../../linux/c.h"\n', "src includes linux"),
    ("layers.py", "src/map/b.c", "#include <stdio.h>\n", "not a freestanding header"),
    ("layers.py", "linux/c.c", "#include <string.h>\n", "not a freestanding header"),
    ("layers.py", "src/extra/d.c", SPDX, "not in src/layers.txt"),
    ("layers.py", "include/physzone/new.h", SPDX, "name its layer"),
    ("api_docs.py", HEADER, "int pz_h(void);\n", "no /** comment"),
    ("api_docs.py", HEADER, "/**\n * pz_h - x\n *\n * Context: any.\n */\nint pz_h(void);\n",
     "no Return:"),
    ("api_docs.py", HEADER, "/**\n * pz_h - x\n */\nvoid pz_h(void);\n", "no Context:"),
    ("api_docs.py", HEADER, "/**\n * pz_h - x\n *\n * Context: any.\n */\nvoid pz_h(int *n);\n",
     "@n is not described"),
    ("api_docs.py", HEADER,
     "/**\n * pz_h - x\n * @m: y\n *\n * Context: any.\n */\nvoid pz_h(void);\n",
     "@m is no parameter"),
    ("api_docs.py", HEADER, "/**\n * pz_i - x\n *\n * Context: any.\n */\nvoid pz_h(void);\n",
     "does not begin with"),
    ("style.py", "src/base/n.c", "int x;\n", "src/base/n.c"),
    ("style.py", "src/base/a.c", "\n" * 900, "90"),
    ("style.py", "src/base/a.c", "/* " + "x" * 100 + " */\n", "columns"),
    ("style.py", "README.md", "TO" + "DO: more\n", "README.md:2"),
    ("style.py", "README.md", "see /ho" + "me/someone\n", "README.md:2"),
    ("style.py", "README.md", "see regis" + "try.example.com\n", "README.md:2"),
    ("style.py", "src/base/a.c", "        int x;\n", "src/base/a.c:4"),
    ("style.py", "README.md", "text \n", "README.md:2"),
    ("style.py", "README.md", "\U0001f600\n", "README.md:2"),
    ("links.py", "README.md", "[text](gone.md)\n", "README.md:2: gone.md"),
    ("links.py", "src/base/a.c", "/* see do" + "cs/gone.md */\n", "src/base/a.c:4: do" + "cs/gone.md"),
    ("headers.sh", MAP, "uint64_t f(size_t);\nint g(struct nowhere n);\n", "not ok"),
    ("headers.sh", MAP, "struct s { int class; };\n", "C++17"),
    ("headers.sh", MAP, "enum { A, B, };\nint f() { int a[B ? B : 1]; }\n", "not ok"),
]
SYMBOLS = [
    ("int f(int x) { return x + 1; }\n", "no prefix: f"),
    ("int puts(const char *);\nvoid f(void) { puts(\"x\"); }\n", "undefined: puts"),
    ("int counter;\n", "writable: counter"),
    ("static int n;\nint f(void) { return n++; }\n", "writable: n"),
    ("_Thread_local int t;\n", "writable: t"),
]
EXAMPLE = "```console\n$ physzone hello\n%s\n```\n"


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def expect(results, title, outcome, fails_with):
    """A lint must pass (fails_with None), or fail and say something."""
    status, output = outcome
    if fails_with is None:
        bad = [] if status == 0 else output.splitlines()
    else:
        bad = [] if status != 0 and fails_with in output else ["it said:"] + output.splitlines()
    results.test(title, bad)


def lint(name, *args):
    prefix = [sys.executable] if name.endswith(".py") else ["sh"]
    return run(*prefix, HERE / name, *args)


def trees(results, scratch):
    for number, (name, path, text, says) in enumerate([(n, "", "", None) for n in (
            "layers.py", "api_docs.py", "style.py", "links.py", "headers.sh")] + FAULTS):
        root = scratch / str(number)
        for p, t in GOOD.items():
            write(root, p, t)
        if path:
            write(root, path, GOOD.get(path, "") + text)
        what = f"finds: {says} in {path}" if says else "passes a good tree"
        expect(results, f"{name} {what}", lint(name, root), says)


def objects(results, scratch):
    for number, (text, says) in enumerate([("int pz_f(int x) { return x + 1; }\n", None)] + SYMBOLS):
        root = scratch / f"o{number}"
        write(root, "a.c", text)
        run("gcc", "-c", "-fno-pic", root / "a.c", "-o", root / "a.o")
        run("ar", "rcs", root / "lib.a", root / "a.o")
        expect(results, f"symbols.sh {'finds: ' + says if says else 'passes a good object'}",
               lint("symbols.sh", "native", root / "lib.a"), says)


def calls(results, scratch):
    chain = "int a(int);\nint b(int);\nint a(int x) { return x ? b(x - 1) : 0; }\n"
    for number, (text, says) in enumerate([
            (chain + "int b(int x) { return x; }\n", None),
            (chain + "int b(int x) { return a(x); }\n", "a -> b -> a"),
            ("int f(int x);\nint f(int x) { return x ? x + f(x - 1) : 0; }\n", "f -> f")]):
        root = scratch / f"c{number}"
        write(root, "a.c", text)
        run("gcc", "-c", "-O0", "-fcallgraph-info", root / "a.c", "-o", root / "a.o")
        expect(results, f"callgraph.py {'finds: ' + says if says else 'passes a chain'}",
               lint("callgraph.py", root), says)


def compiled(results, scratch):
    """The flags of the cross files and of the build refuse floating point and VLAs."""
    for name, flags, text in (
            ("floating point", ["-mgeneral-regs-only"], "double f(double x) { return x * 2; }\n"),
            ("a VLA", ["-Wvla", "-Werror"], "int f(int n);\nint f(int n) { int v[n]; return v[0]; }\n")):
        write(scratch, "flag.c", text)
        expect(results, f"the compiler refuses {name}",
               run("gcc", *flags, "-O1", "-c", scratch / "flag.c", "-o", scratch / "flag.o"), "error")


def documents(results, scratch):
    exe = scratch / "bin/physzone"
    write(scratch, "bin/physzone", "#!/bin/sh\necho one\necho two\necho three\n")
    exe.chmod(0o755)
    for number, (shown, says) in enumerate([
            ("one\ntwo\nthree", None), ("one\n...\nthree", None), ("...", None),
            ("one\nthree", "it printed"), ("one\ntwo", "it printed"), ("one\n...\nfour", "it printed")]):
        root = scratch / f"d{number}"
        write(root, "README.md", EXAMPLE % shown)
        expect(results, f"examples.py {'finds a difference' if says else 'passes'} ({number})",
               lint("examples.py", exe, root), says)


def main():
    results = tree.Results()
    scratch = pathlib.Path(tempfile.mkdtemp())
    try:
        for part in (trees, objects, calls, compiled, documents):
            part(results, scratch)
    finally:
        shutil.rmtree(scratch)
    return results.done()


if __name__ == "__main__":
    sys.exit(main())
