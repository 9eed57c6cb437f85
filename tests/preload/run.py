#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run ordinary programs on memory from pz_kmalloc(), and compare what they do with what they did.

usage: run.py calls|misuse|programs --lib LIB --calls EXE --misuse EXE --root SOURCES
              [--long] [--only NAME] [--jobs N]

PZ_PRELOAD_LONG=1 is as --long. Each program runs as it is, then with the preload library: without
debug options, (--long:) with red zones and poison, and with records of users too. It has to say and
to write the same, and the library, which verifies all of its state when a process ends, has to find
nothing. Prints TAP.
"""
import argparse
import concurrent.futures
import hashlib
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"
MODES = (("no debug options", ""), ("FZP", "FZP"), ("FZPU", "FZPU"))
STAT = re.compile(r"preload: \d+: served (\d+) freed \d+ bytes \d+ peak_kib (\d+) without_cpu (\d+) "
                  r"findings (\d+) bugs (\d+) checked (\d)")
# Modules of Python's own suite: fast ones, and what takes longer.
MODULES = ("test_dict test_list test_struct test_functools test_copy test_memoryview test_float "
           "test_sort test_generators test_bisect").split()
MORE_MODULES = ("test_tuple test_re test_array test_collections test_json test_set test_bytes "
                "test_deque test_heapq test_zlib test_ast test_unicode test_pickle test_lzma "
                "test_bz2 test_itertools test_gc test_weakref test_queue test_thread "
                "test_long").split()


def modes(options):
    """What each program is run with: what the last has includes the one before."""
    return MODES if options.long else MODES[::2]


def modes_of_program(options, number):
    """Strangers' programs take turns at the first and the last, unless there is time."""
    return MODES if options.long else MODES[::2][number % 2:number % 2 + 1]


class Missing(Exception):
    """A program is not installed."""


class Failure(Exception):
    """What went wrong, in lines."""


class Run:
    """One go of a workload: where it works, and what its programs get as their environment."""

    def __init__(self, where, options, preload):
        self.where = where
        self.said = []
        self.log = where / "preload.log"
        self.options = options
        self.env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(where), "TZ": "UTC",
                    "TMPDIR": str(where), "PYTHONHASHSEED": "0", "PYTHONMALLOC": "malloc",
                    "PYTHONDONTWRITEBYTECODE": "1", "GIT_CONFIG_NOSYSTEM": "1"}
        if "PYTHONPATH" in os.environ:
            self.env["PYTHONPATH"] = os.environ["PYTHONPATH"]
        for who in "AUTHOR", "COMMITTER":
            self.env |= {f"GIT_{who}_NAME": "somebody", f"GIT_{who}_EMAIL": "somebody@example.org",
                         f"GIT_{who}_DATE": "2020-02-02T02:02:02Z"}
        self.preload = {}
        if preload is not None:
            self.preload = {"LD_PRELOAD": str(options.lib), "PZ_PRELOAD_DEBUG": preload,
                            "PZ_PRELOAD_LOG": str(self.log), "PZ_PRELOAD_STATS": "1",
                            "PZ_PRELOAD_CHECK": "1"}

    def call(self, *command, stdin=None, stdout=None, want=0, **env):
        """Run a program; what it prints, unless that goes to a file."""
        if not shutil.which(command[0], path=self.env["PATH"]):
            raise Missing(f"{command[0]} is not installed")
        out = open(self.where / stdout, "wb") if stdout else subprocess.PIPE
        source = open(stdin, "rb") if stdin else subprocess.DEVNULL
        try:
            done = subprocess.run([str(c) for c in command], stdin=source, stdout=out,
                                  stderr=subprocess.PIPE, cwd=self.where, timeout=900 if self.options.long else 200,
                                  env=self.env | self.preload | env)
        except subprocess.TimeoutExpired:
            raise Failure([f"{' '.join(map(str, command))[:200]}: not done in time"]) from None
        finally:
            for f in out, source:
                if hasattr(f, "close"):
                    f.close()
        if done.returncode != want:
            tail = done.stderr.decode(errors="replace").splitlines()[-15:]
            raise Failure([f"{' '.join(map(str, command))[:200]}: exit status {done.returncode}"]
                          + tail + self.lines()[-15:])
        return b"" if stdout else done.stdout

    def lines(self):
        return self.log.read_text(errors="replace").splitlines() if self.log.exists() else []

    def say(self, data):
        """What must be the same each time."""
        self.said.append(data)

    def say_file(self, name):
        data = (self.where / name).read_bytes()
        self.say(f"{name} {len(data)} {hashlib.sha256(data).hexdigest()}".encode())


# The programs. Each is told where it runs, and the file or the sources that it works on.

def data_file(options):
    """A large file: text of words, numbers, and some that cannot be compressed."""
    rng = random.Random(1)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 11)))
             for _ in range(3000)]
    path = options.work / "data"
    blocks = []
    for i in range(64):
        text = " ".join(rng.choices(words, k=14000)).encode()
        lines = b"\n".join(b"%d %d" % (i * j, rng.randrange(10**6)) for j in range(4000))
        blocks.append(text + b"\n" + lines + b"\n" + rng.randbytes(30000))
    with open(path, "wb") as f:
        for k in range(8 if options.long else 1):
            rng.shuffle(blocks)
            for block in blocks:
                f.write(block)
    return path


def compress(run, name, *how):
    run.call(name, *how, "-c", run.options.data, stdout="packed")
    run.say_file("packed")
    run.call(name, "-d", "-c", run.where / "packed", stdout="again")
    run.say_file("again")
    if (run.where / "again").read_bytes() != run.options.data.read_bytes():
        raise Failure([f"{name}: what was unpacked differs from what was packed"])


def work_xz(run):
    compress(run, "xz", "-T2", "--block-size=4MiB", "-3" if run.options.long else "-0")


def work_zstd(run):
    compress(run, "zstd", "-q", "-T2", "-B4194304", "-12" if run.options.long else "-3")


def work_gzip(run):
    compress(run, "gzip", "-n", "-6" if run.options.long else "-1")


def work_sort(run):
    run.call("sort", "--parallel=2", "-S", "16M", "-k2", run.options.data, stdout="sorted")
    run.say_file("sorted")
    run.say(run.call("sort", "-c", "-k2", "sorted"))


def work_sqlite(run):
    rows = 1000000 if run.options.long else 100000
    script = run.where / "workload.sql"
    script.write_text((HERE / "workload.sql").read_text().replace("ROWS", str(rows)))
    said = run.call("sqlite3", "-bail", "base", stdin=script)
    if b"\nok\n" not in said:
        raise Failure(["the integrity check does not say ok"])
    run.say(said)
    dump = run.call("sqlite3", "base", ".dump person")
    run.say(hashlib.sha256(dump).digest())


def work_python(run):
    run.say(run.call(PYTHON, HERE / "workload.py", "4" if run.options.long else "1",
                     pathlib.Path(os.__file__).parent))


def work_modules(run):
    """Modules of Python's own suite; those that fail, fail in the same tests."""
    names = MODULES + (MORE_MODULES if run.options.long else [])
    probe = subprocess.run([PYTHON, "-c", "import test.test_json"], env=run.env, check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if probe.returncode:
        raise Missing("libpython3.11-testsuite is not installed")
    run.say(run.call(PYTHON, HERE / "modules.py", *names))


def work_compiler(run, compiler):
    root = run.options.root
    sources = sorted((root / "src/page").glob("*.c" if run.options.long else "s*.c"))
    for source in sources:
        # Where the source lies is not part of what is made.
        run.call(compiler, "-std=gnu11", "-O2", "-w", "-c", f"-I{root}/include", "-o", "object.o",
                 source)
        run.say_file("object.o")


def work_gcc(run):
    work_compiler(run, "gcc")


def work_clang(run):
    work_compiler(run, "clang")


def work_git(run):
    git = ("git", "-c", "pack.threads=2", "-c", "gc.auto=0", "-c", "init.defaultBranch=main")
    parts = ("include", "src", "docs", "tests/contract")
    tree = run.where / "tree"
    tree.mkdir()
    run.call(*git, "init", "-q", "tree")
    for part in parts:
        shutil.copytree(run.options.root / part, tree / part)
        run.call(*git, "-C", "tree", "add", "-A")
        run.call(*git, "-C", "tree", "commit", "-q", "-m", part)
    for k in range(20 if run.options.long else 5):
        for i, path in enumerate(sorted(tree.glob("src/*/*.c"))):
            if i % 5 == k % 5:
                path.write_text(path.read_text() + f"/* {k} */\n")
        run.call(*git, "-C", "tree", "commit", "-q", "-a", "-m", f"change {k}")
    run.say(run.call(*git, "-C", "tree", "rev-parse", "HEAD"))
    run.call(*git, "-C", "tree", "repack", "-q", "-a", "-d", "-f")
    run.say(run.call(*git, "-C", "tree", "fsck", "--full", "--strict", "--no-progress"))
    run.say(hashlib.sha256(run.call(*git, "-C", "tree", "log", "-p", "--stat")).digest())
    run.say(run.call(*git, "-C", "tree", "grep", "-c", "-e", "static.*int"))
    run.call(*git, "clone", "-q", "--no-local", "tree", "clone")
    run.say(run.call(*git, "-C", "clone", "status", "--porcelain"))


PROGRAMS = (("xz", work_xz), ("zstd", work_zstd), ("gzip", work_gzip), ("sort", work_sort),
            ("sqlite3", work_sqlite), ("python3", work_python), ("python3 modules", work_modules),
            ("gcc", work_gcc), ("clang", work_clang), ("git", work_git))


def judge(run, reference, processes=1):
    """What the library told, in words; a Failure for what it found."""
    if reference is not None and run.said != reference:
        at = next((i for i, pair in enumerate(zip(run.said, reference)) if pair[0] != pair[1]),
                  min(len(run.said), len(reference)))
        raise Failure([f"result {at} differs: {run.said[at:at + 1]!r:.300}",
                       f"without the library: {reference[at:at + 1]!r:.300}"])
    served = peak = count = checked = 0
    for line in run.lines():
        m = STAT.fullmatch(line)
        if not m or m[4] != "0" or m[5] != "0":
            raise Failure([line])
        served += int(m[1])
        peak = max(peak, int(m[2]))
        count += 1
        checked += int(m[6])
    if count < processes or not checked or not served:
        raise Failure([f"{count} processes told of themselves, {checked} were verified"])
    return f"{served} allocations, {count} processes, peak {peak // 1024} MiB"


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def tell(self, good, what, remarks=(), skip=None):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {what}" +
              (f" # SKIP {skip}" if skip else ""))
        for line in remarks:
            print(f"# {line}")
        sys.stdout.flush()

    def done(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def go(options, name, work, mode):
    """One run in a directory of its own; the run."""
    where = pathlib.Path(tempfile.mkdtemp(prefix=re.sub(r"\W", "", name), dir=options.work))
    run = Run(where, options, mode)
    work(run)
    return run


def one(options, name, work, with_modes=None):
    """A program in all modes, or in those: (good, what, remarks, skip) of each."""
    results = []
    try:
        reference = go(options, name, work, None)
    except Missing as missing:
        return [(True, f"{name}", (), str(missing))]
    except Failure as failure:
        return [(False, f"{name} without the library", failure.args[0], None)]
    shutil.rmtree(reference.where)
    for title, mode in with_modes or modes(options):
        start = time.monotonic()
        try:
            run = go(options, name, work, mode)
            told = judge(run, reference.said)
            shutil.rmtree(run.where)
            results.append((True, f"{name}, {title}: {told}, {time.monotonic() - start:.1f} s", (),
                            None))
        except Failure as failure:
            results.append((False, f"{name}, {title}", failure.args[0], None))
    return results


def programs(options, tap):
    options.data = data_file(options)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        wanted = [(name, work, modes_of_program(options, number))
                  for number, (name, work) in enumerate(PROGRAMS) if options.only in (None, name)]
        for results in pool.map(lambda p: one(options, *p), wanted):
            for result in results:
                tap.tell(*result)


def calls(options, tap):
    """Every entry point, against the C library's; then what only this library promises."""
    def part(what, **env):
        def work(run):
            run.say(run.call(options.calls, what, **env))
        return work

    def alone(name, work):
        results = []
        for title, mode in modes(options):
            try:
                told = judge(go(options, name, work, mode), None)
                results.append((True, f"{name}, {title}: {told}", (), None))
            except Failure as failure:
                results.append((False, f"{name}, {title}", failure.args[0], None))
        return results

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(one, options, "plain", part("plain"))]
        for cpus in "64", "2", "1":
            for what in "threads", "fork":
                jobs.append(pool.submit(one, options, f"{what}, indices: {cpus}",
                                        part(what, PZ_PRELOAD_CPUS=cpus)))
            jobs.append(pool.submit(alone, f"signals, indices: {cpus}",
                                    part("signals", PZ_PRELOAD_CPUS=cpus)))
        jobs.append(pool.submit(alone, "32 MiB exhausted", part("exhaust", PZ_PRELOAD_MIB="32")))
        for job in jobs:
            for result in job.result():
                tap.tell(*result)


# What a program does wrong, the size of its memory, and what is told: without debug options, and
# with them. None: it is not seen.
MISUSES = (
    ("double-free", 100, "already free", "already free"),
    ("double-free", 50000, "Not a slab object", "Not a slab object"),
    ("late-double-free", 24, "already free", "already free"),
    ("inside", 100, "Invalid object pointer", "Invalid object pointer"),
    ("inside", 20000, "Not a slab object|Invalid object pointer",
     "Not a slab object|Invalid object pointer"),
    ("stack", 100, "Not a slab object", "Not a slab object"),
    ("realloc-freed", 100, "already free|Not a slab object", "already free|Not a slab object"),
    ("overflow", 128, None, "Right Redzone overwritten.* 1 bytes from \\+128: 0x79 "),
    ("underflow", 128, None, "Left Redzone overwritten.* 1 bytes from -1: 0x79 "),
    ("overflow-kept", 1024, None, "pz_kmem_cache_validate.*Right Redzone overwritten"),
    ("after-free", 512, None, "Poison overwritten.* 1 bytes from \\+170: 0x79 instead of 0x6b"),
    ("after-free-first", 64, None, "Poison overwritten|Freepointer corrupt"),
)


def misuse(options, tap):
    """Programs that misuse their memory are caught: the library can fail."""
    for what, size, plain, debugged in (("nothing", 100, None, None),) + MISUSES:
        for title, mode in MODES:
            want = debugged if mode else plain
            for go_on in (False, True):
                where = pathlib.Path(tempfile.mkdtemp(dir=options.work))
                run = Run(where, options, mode)
                name = f"{what} of {size} bytes, {title}, {'goes on' if go_on else 'ends'}"
                try:
                    run.call(options.misuse, what, str(size), want=0 if go_on or not want else -6,
                             PZ_PRELOAD_BUGS="report" if go_on else "")
                    lines = run.lines()
                    stats = [m for m in map(STAT.fullmatch, lines) if m]
                    told = any(re.search(want, line) for line in lines) if want else True
                    if go_on or not want:
                        told = told and len(stats) == 1 and \
                            (stats[0][4] != "0") == (want is not None)
                    users = not want or mode != "FZPU" or "Redzone" not in want or \
                        any("allocated by" in line for line in lines)
                    tap.tell(told and users, name, [] if told and users else lines)
                except Failure as failure:
                    tap.tell(False, name, failure.args[0])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=("calls", "misuse", "programs"))
    for path in "lib", "calls", "misuse", "root":
        parser.add_argument(f"--{path}", type=lambda p: pathlib.Path(p).resolve(), required=True)
    parser.add_argument("--long", action="store_true",
                        default=os.environ.get("PZ_PRELOAD_LONG") == "1", help="more data, more modules of Python")
    parser.add_argument("--only", help="one program")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="preload-") as work:
        options.work = pathlib.Path(work)
        {"calls": calls, "misuse": misuse, "programs": programs}[options.part](options, tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
