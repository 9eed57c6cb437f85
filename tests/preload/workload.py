# SPDX-License-Identifier: BSD-2-Clause
"""What Python does all day, for a Python whose memory comes from elsewhere: prints digests.

usage: workload.py ROUNDS SOURCES
"""
import ast
import bz2
import collections
import decimal
import gc
import hashlib
import io
import json
import lzma
import pathlib
import pickle
import random
import re
import sqlite3
import sys
import threading
import tokenize
import xml.etree.ElementTree as tree
import zlib


def digest(what, data):
    if isinstance(data, str):
        data = data.encode()
    print(what, hashlib.sha256(data).hexdigest()[:16])


def objects(rounds):
    rng = random.Random(7)
    table = collections.defaultdict(list)
    for i in range(12000 * rounds):
        table[rng.randrange(3000)].append((i, str(i), [i] * (i % 7)))
        if i % 5 == 0:
            table.pop(rng.randrange(3000), None)
    text = json.dumps(sorted(table.items()))
    digest("json", text)
    again = pickle.loads(pickle.dumps(json.loads(text)))
    digest("pickle", json.dumps(again))


def texts(sources):
    words = collections.Counter()
    nodes = 0
    for path in sources:
        text = path.read_text(encoding="utf-8")
        words.update(re.findall(r"[A-Za-z_]\w+", re.sub(r"#.*", "", text)))
        nodes += sum(1 for _ in ast.walk(ast.parse(text)))
        nodes += sum(1 for _ in tokenize.generate_tokens(io.StringIO(text).readline))
    digest("words", repr(sorted(words.items())))
    print("nodes", nodes)


def database(rounds):
    db = sqlite3.connect(":memory:")
    db.execute("create table t (a integer primary key, b text, c real)")
    db.executemany("insert into t values (?, ?, ?)",
                   ((i, f"row {i * 7919 % 10007}", i / 3) for i in range(10000 * rounds)))
    db.execute("create index t_b on t (b)")
    rows = db.execute("select b, count(*), sum(a) from t group by b order by b").fetchall()
    digest("sqlite", repr(rows))


def packed(rounds):
    rng = random.Random(11)
    data = bytes(rng.choice(b"abcdefgh \n") for _ in range(100000)) * rounds
    for how in zlib, bz2, lzma:
        small = how.compress(data)
        digest(how.__name__, small)
        assert how.decompress(small) == data


def trees(rounds):
    root = tree.Element("root")
    for i in range(5000 * rounds):
        tree.SubElement(root, f"n{i % 17}", {"k": str(i)}).text = "x" * (i % 100)
    text = tree.tostring(root)
    digest("xml", tree.tostring(tree.fromstring(text)))


def numbers(rounds):
    decimal.getcontext().prec = 2000
    digest("decimal", str(decimal.Decimal(2).sqrt() / decimal.Decimal(3)))
    n = 1
    for i in range(1, 1000 * rounds):
        n *= i
    digest("integers", hex(n))


def threads(rounds):
    out = [None] * 4

    def work(k):
        rng = random.Random(k)
        keep = {}
        for i in range(4000 * rounds):
            keep[rng.randrange(500)] = bytearray(rng.randrange(2000))
            if i % 3 == 0:
                keep.pop(rng.randrange(500), None)
        out[k] = sum(map(len, keep.values()))

    all_of_them = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in all_of_them:
        t.start()
    for t in all_of_them:
        t.join()
    print("threads", out)


def main():
    rounds = int(sys.argv[1])
    sources = sorted(pathlib.Path(sys.argv[2]).glob("*.py"))[:12 * rounds]
    objects(rounds)
    texts(sources)
    database(rounds)
    packed(rounds)
    trees(rounds)
    numbers(rounds)
    threads(rounds)
    code = hashlib.sha256()
    for path in sources:
        code.update(compile(path.read_bytes(), path.name, "exec").co_code)
    print("compiled", code.hexdigest()[:16])
    print("garbage", gc.collect() >= 0)


if __name__ == "__main__":
    main()
