#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every public function says what it does.

usage: api_docs.py [ROOT]

Right above each function declared in include/physzone stands a comment
	/** NAME - what it does
with a line "@p: ..." for each parameter p and no other, a line "Context: ..." and, unless the
function returns void, a line "Return: ...".
"""
import pathlib
import re
import sys

import tree

# A doc comment, or code up to a ; or a {, so that each function comes with the comment before it.
COMMENT = re.compile(r"/\*.*?\*/", re.S)
PARAM = re.compile(r"^@(\w+(?:, @\w+)*):\s*\S", re.M)


def blank(m):
    return re.sub(r"[^\n]", " ", m.group(0))


def strip_bodies(text):
    """Blank preprocessor lines and whatever is in braces, but for extern "C" blocks."""
    text = re.sub(r"^[ \t]*#(?:.*\\\n)*.*$", blank, text, flags=re.M)
    text = re.sub(r'extern\s+"C"\s*\{', blank, text)
    out, depth = [], 0
    for c in text:
        if c == "{":
            depth += 1
            out.append("{" if depth == 1 else " ")
        elif c == "}":
            depth = max(depth - 1, 0)
            out.append("}" if depth == 0 else " ")
        else:
            out.append(c if depth == 0 or c == "\n" else " ")
    return "".join(out)


def parameters(args):
    """Names of the parameters in an argument list."""
    names, depth, start = [], 0, 0
    pieces = []
    for i, c in enumerate(args):
        depth += (c in "([") - (c in ")]")
        if c == "," and depth == 0:
            pieces.append(args[start:i])
            start = i + 1
    pieces.append(args[start:])
    for p in (p.strip() for p in pieces):
        if p in ("", "void"):
            continue
        if p == "...":
            names.append("...")
            continue
        m = re.search(r"\(\s*\*\s*(\w+)\s*\)", p) or re.search(r"(\w+)\s*(?:\[[^\]]*\]\s*)*$", p)
        names.append(m.group(1) if m else p)
    return names


def functions(text):
    """(offset, name, return type, parameters) of each function declared or defined."""
    code = COMMENT.sub(blank, text)
    code = strip_bodies(code)
    for m in re.finditer(r"[^;{}]+[;{]", code):
        statement = m.group(0)
        lead = len(statement) - len(statement.lstrip())
        statement = " ".join(statement.split())
        if "typedef" in statement or "__attribute__" in statement:
            statement = re.sub(r"__attribute__\s*\(\(.*?\)\)(?=[\s;{])", blank, statement)
        if re.match(r"\s*typedef\b", statement):
            continue
        call = re.match(r"\s*((?:[\w\s]|\*)+?)\b(\w+)\s*\((.*)\)\s*[;{]$", statement, re.S)
        if not call or "=" in statement.split("(")[0]:
            continue
        yield m.start() + lead, call.group(2), call.group(1).strip(), parameters(call.group(3))


def complaints(path, text):
    for offset, name, kind, params in functions(text):
        at = f"{path}:{text.count(chr(10), 0, offset) + 1}: {name}: "
        comment = re.search(r"/\*\*((?:(?!\*/).)*)\*/\s*$", text[:offset], re.S)
        if not comment:
            yield at + "no /** comment right above"
            continue
        if text[comment.end(1) + 2:offset].count("\n") > 1:
            yield at + "an empty line between the comment and the function"
        doc = re.sub(r"^[ \t]*\*[ \t]?", "", comment.group(1), flags=re.M).strip()
        if not re.match(re.escape(name) + r" - \S", doc):
            yield at + f'the comment does not begin with "{name} - "'
        named = []
        for m in PARAM.finditer(doc):
            named += re.findall(r"\w+", m.group(1))
        for p in params:
            if p != "..." and p not in named:
                yield at + f"@{p} is not described"
        for p in named:
            if p not in params:
                yield at + f"@{p} is no parameter"
        if not re.search(r"^Context:\s*\S", doc, re.M):
            yield at + "no Context:"
        if not re.fullmatch(r"(static\s+|inline\s+|_Noreturn\s+)*void", kind):
            if not re.search(r"^Return:\s*\S", doc, re.M):
                yield at + "no Return:"


def check(root, results):
    bad, seen = [], 0
    for name in tree.files(root, ".h", under=("include/physzone",)):
        text = (root / name).read_text(encoding="utf-8")
        seen += sum(1 for _ in functions(text))
        bad += complaints(name, text)
    results.test("every public function is documented", bad)
    results.test("functions were found", [] if seen else ["none"])


def main():
    results = tree.Results()
    check(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "."), results)
    return results.done()


if __name__ == "__main__":
    sys.exit(main())
