"""The project's own files, for the checks beside this file."""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
GENERATED = {".git", "__pycache__"}


def files(*folders, suffixes=None):
    """Paths below ROOT (relative, sorted), of the given folders or of all; build folders are left out."""
    found = []
    for top in folders or ("",):
        for path, names, leaves in os.walk(ROOT / top):
            names[:] = [n for n in names if n not in GENERATED and not n.startswith("build")]
            for leaf in leaves:
                file = (pathlib.Path(path) / leaf).relative_to(ROOT)
                if suffixes is None or file.suffix in suffixes:
                    found.append(file)
    return sorted(found)


def report(findings, checked):
    """Prints the findings and returns the exit code. A check that looked at nothing fails."""
    for finding in findings:
        print(finding)
    print(f"{checked} files checked, {len(findings)} findings")
    return 1 if findings or not checked else 0
