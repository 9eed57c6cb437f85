# SPDX-License-Identifier: BSD-2-Clause
"""Run test modules of Python's own suite, and say what came out of each.

usage: modules.py NAME...

The exit status is 77 when the suite is not installed.
"""
import contextlib
import io
import sys
import unittest
import warnings


def main():
    warnings.simplefilter("ignore")
    for name in sys.argv[1:]:
        try:
            module = __import__("test." + name, fromlist=["*"])
        except ModuleNotFoundError as missing:
            print(f"no {missing.name}", file=sys.stderr)
            return 77
        suite = unittest.defaultTestLoader.loadTestsFromModule(module)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            out = unittest.TextTestRunner(stream=io.StringIO(), verbosity=0).run(suite)
        print(name, "ran", out.testsRun, "skipped", len(out.skipped), "failed",
              sorted(test.id() for test, _ in out.failures + out.errors))
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
