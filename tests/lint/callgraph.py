#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Look for recursion in the call graphs that gcc -fcallgraph-info wrote. Prints TAP lines.

usage: callgraph.py DIRECTORY

Calls through pointers are not followed: the hooks of the library point out of it.
"""
import pathlib
import re
import sys

EDGE = re.compile(r'^edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"')
NODE = re.compile(r'^node: \{ title: "([^"]+)"')


def read(directory):
    graph = {}
    for path in pathlib.Path(directory).rglob("*.ci"):
        for line in path.read_text(encoding="utf-8").splitlines():
            m = NODE.match(line)
            if m:
                graph.setdefault(m.group(1), set())
            m = EDGE.match(line)
            if m and m.group(2) != "__indirect_call":
                graph.setdefault(m.group(1), set()).add(m.group(2))
    return graph


def cycle(graph):
    """A list of functions that call each other in a ring, or None."""
    done = set()
    for root in graph:
        if root in done:
            continue
        path, on_path = [root], {root}
        pending = [iter(sorted(graph[root]))]
        while pending:
            for callee in pending[-1]:
                if callee in on_path:
                    return path[path.index(callee):] + [callee]
                if callee in graph and callee not in done:
                    path.append(callee)
                    on_path.add(callee)
                    pending.append(iter(sorted(graph[callee])))
                    break
            else:
                done.add(path[-1])
                on_path.discard(path.pop())
                pending.pop()
    return None


def main():
    graph = read(sys.argv[1])
    if not graph:
        print("not ok call graph: functions were found")
        return 1
    ring = cycle(graph)
    if ring:
        print("not ok call graph: no recursion")
        print("# " + " -> ".join(ring))
        return 1
    print(f"ok call graph: no recursion in {len(graph)} functions")
    return 0


if __name__ == "__main__":
    sys.exit(main())
