# SPDX-License-Identifier: BSD-2-Clause
"""What the lints share: the files of the tree, and results in the Test Anything Protocol."""
import pathlib
import shutil
import subprocess


def files(root, *suffixes, under=()):
    """The project's files below root, sorted: those that git does not ignore, else all."""
    root = pathlib.Path(root)
    names = []
    if (root / ".git").exists() and shutil.which("git"):
        git = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others",
             "--exclude-standard"], capture_output=True)
        names = [n for n in git.stdout.decode().split("\0") if n]
    if not names:
        names = [str(p.relative_to(root)) for p in root.rglob("*")]
        names = [n for n in names if not n.startswith((".git/", "build"))
                 and "__pycache__" not in n]
    found = []
    for name in sorted(set(names)):
        path = root / name
        if suffixes and not name.endswith(suffixes):
            continue
        if under and not name.startswith(tuple(u + "/" for u in under)):
            continue
        if path.is_file():
            found.append(name)
    return found


class Results:
    """Numbered TAP results; each test is a title and the complaints that make it fail."""

    def __init__(self):
        self.run = 0
        self.bad = 0

    def test(self, title, complaints):
        self.run += 1
        if complaints:
            self.bad += 1
        print(f"{'not ok' if complaints else 'ok'} {self.run} - {title}")
        for c in complaints:
            print(f"# {c}")

    def done(self):
        print(f"1..{self.run}")
        return 1 if self.bad else 0
