#!/usr/bin/env python3
"""Every header compiles alone: nobody has to know what to include before it.

The build shows that already of a header that a source file includes first."""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys

import tree

CXX = [
    "-std=c++20",
    "-fsyntax-only",
    "-Wall",
    "-Wextra",
    "-Wno-unused-function",
    "-DBOOST_ASIO_NO_DEPRECATED",
    "-DBOOST_ASIO_DISABLE_BOOST_COROUTINE",
    '-DVIADUCT_VERSION="check"',
    '-DVIADUCT_TEST_DATA="check"',
    "-Iuserspace",
    "-Iinclude",
    "-I.",
]


def command(header, options):
    """How to compile one header by itself, from standard input so that its include guard acts as it does for a user."""
    if header.parts[0] == "bpf":
        return [
            options.clang,
            "-xc",
            "-target",
            "bpf",
            "-mcpu=v3",
            "-O2",
            "-fsyntax-only",
            "-Wall",
            "-Wno-unused-function",
            "-idirafter",
            f"/usr/include/{options.arch}",
            "-Iinclude",
            "-Ibpf",
            "-I.",
            "-",
        ]
    return [options.cxx, "-xc++", *CXX, *[f"-I{folder}" for folder in options.include], "-"]


def check(header, options):
    run = subprocess.run(
        command(header, options),
        input=f'#include "{header}"\n',
        cwd=tree.ROOT,
        capture_output=True,
        text=True,
    )
    if run.returncode == 0:
        return None
    errors = [line for line in run.stderr.splitlines() if "error" in line]
    return f"{header}: does not compile alone: {(errors or run.stderr.splitlines() or ['no message'])[0]}"


def shown_by_the_build():
    """What sources that are built include first, as they write it. Not of tests: GoogleTest may be compiled in before."""
    lists = [(tree.ROOT / f).read_text() for f in tree.files("userspace", "tools", suffixes={".txt"})]
    built = set(re.findall(r"[\w.]+\.cpp", " ".join(lists)))
    first = set()
    for source in tree.files("userspace", "tools", suffixes={".cpp"}):
        include = re.search(r"^ *#.*$", (tree.ROOT / source).read_text(), re.MULTILINE)
        name = include and re.fullmatch(r'#include "(.+)"', include[0])
        if name and source.name in built:
            first.add(name[1])
    return first


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cxx", required=True)
    parser.add_argument("--clang", required=True)
    parser.add_argument("--arch", required=True)
    parser.add_argument("--include", action="append", default=[])
    options = parser.parse_args()
    headers = tree.files("userspace", "tools", "tests", "bpf", "include", suffixes={".h"})
    shown = shown_by_the_build()
    headers = [h for h in headers if not {str(h), str(h).removeprefix("userspace/")} & shown]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        findings = [f for f in pool.map(lambda h: check(h, options), headers) if f]
    return tree.report(findings, len(headers))


if __name__ == "__main__":
    sys.exit(main())
