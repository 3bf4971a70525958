#!/usr/bin/env python3
"""Every C and C++ file is as clang-format would write it; argument: the clang-format to use."""
import subprocess
import sys

import tree


def main():
    files = tree.files(
        "userspace", "tools", "tests", "bpf", "include", suffixes={".h", ".c", ".cpp"}
    )
    run = subprocess.run(
        [sys.argv[1], "--dry-run", "-Werror", "--ferror-limit=1", *map(str, files)],
        cwd=tree.ROOT,
        capture_output=True,
        text=True,
    )
    findings = [line for line in run.stderr.splitlines() if ": error:" in line]
    if run.returncode and not findings:
        findings = [run.stderr.strip()]
    return tree.report(findings, len(files))


if __name__ == "__main__":
    sys.exit(main())
