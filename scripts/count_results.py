#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Print one "ok" or "not ok" line for each result in a Meson testlog.json.

A TAP program counts as many results as it reports; any other test counts as one. A test that Meson
calls failed without a failed result of its own (a crash, a time-out, a missing plan) adds one. Below
a failed result stand the remarks that the test made on it.
"""
import json
import re
import sys

RESULT = re.compile(r"^(not )?ok\b[ \t]*\d*[ \t-]*(.*)")
REMARKS = 40


def results(test):
    """(failed, name, remarks) of each result."""
    found = []
    output = test.get("stdout", "").splitlines()
    for line in output:
        m = RESULT.match(line)
        if m:
            bad = bool(m.group(1)) and not re.search(r"#\s*(todo|skip)", m.group(2), re.I)
            found.append((bad, m.group(2), []))
        elif line.startswith("#") and found:
            found[-1][2].append(line)
    bad_test = test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL")
    if not found or (bad_test and not any(bad for bad, _, _ in found)):
        tail = (output + test.get("stderr", "").splitlines())[-REMARKS:]
        found.append((bad_test, test["result"].lower() if bad_test else "",
                      ["# " + line for line in tail]))
    return found


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        for line in f:
            test = json.loads(line)
            for bad, what, remarks in results(test):
                print(f"{'not ok' if bad else 'ok'} {test['name']} {what}".rstrip())
                if bad:
                    print("".join(r + "\n" for r in remarks[:REMARKS]), end="")


if __name__ == "__main__":
    main()
