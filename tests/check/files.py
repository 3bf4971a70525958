#!/usr/bin/env python3
"""Every file is of readable length, free of machine paths, and free of marks of unfinished work (STYLE sections 2, 11)."""
import re
import sys

import tree

MAX_LINES = 400
CODE = {".h", ".c", ".cpp", ".py", ".sh", ".cmake"}
TEXT = CODE | {".md", ".txt", ".toml", ".json", ""}
# A checkout's own place on somebody's machine; paths of the running system (/etc, /run, /sys) are meant.
MACHINE_PATH = re.compile(r"""(?<![\w.}/-])/(?:home|root|Users|work|workspace|builds)/\w""")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")


def main():
    findings = []
    files = [f for f in tree.files() if f.suffix in TEXT]
    for file in files:
        if file.parts[:2] == ("tests", "data") or file.name == "LICENSE":
            continue
        try:
            lines = (tree.ROOT / file).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            findings.append(f"{file}: not UTF-8 text: {error}")
            continue
        if file.suffix in CODE and len(lines) > MAX_LINES:
            findings.append(f"{file}: {len(lines)} lines, at most {MAX_LINES}: split it by noun")
        for number, line in enumerate(lines, 1):
            if MACHINE_PATH.search(line):
                findings.append(
                    f"{file}:{number}: names a path of one machine: {line.strip()[:80]}"
                )
            if UNFINISHED.search(line):
                findings.append(f"{file}:{number}: unfinished: {line.strip()[:80]}")
    return tree.report(findings, len(files))


if __name__ == "__main__":
    sys.exit(main())
