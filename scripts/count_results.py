#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Print one "ok" or "not ok" line for each result in a Meson testlog.json.

A TAP program counts as many results as it reports; any other test counts as one. A test that Meson
calls failed without a failed result of its own (a crash, a time-out, a missing plan) adds one.
"""
import json
import re
import sys

RESULT = re.compile(r"^(not )?ok\b[ \t]*\d*[ \t-]*(.*)")


def results(test):
    lines = []
    failed = False
    for line in test.get("stdout", "").splitlines():
        m = RESULT.match(line)
        if not m:
            continue
        rest = m.group(2)
        bad = bool(m.group(1)) and not re.search(r"#\s*(todo|skip)", rest, re.I)
        failed = failed or bad
        lines.append((bad, rest))
    bad_test = test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL")
    if not lines or (bad_test and not failed):
        lines.append((bad_test, test["result"].lower() if bad_test else ""))
    return lines


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        for line in f:
            test = json.loads(line)
            for bad, what in results(test):
                print(f"{'not ok' if bad else 'ok'} {test['name']} {what}".rstrip())


if __name__ == "__main__":
    main()
