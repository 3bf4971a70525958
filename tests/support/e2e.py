"""What the end-to-end tests have in common: one lab a test class."""
import os
import sys
import unittest

from lab import Lab


def bin_dir():
    """Where the programs are: VIADUCT_BIN, which ctest sets."""
    folder = os.environ.get("VIADUCT_BIN")
    if not folder or not os.access(f"{folder}/viaductd", os.X_OK):
        sys.exit(f"no viaductd in VIADUCT_BIN={folder}: build it first (scripts/build.sh)")
    return folder


class LabTest(unittest.TestCase):
    """Has self.lab; set_up_lab() of a subclass fills it."""

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(bin_dir()).__enter__()
        cls.addClassCleanup(cls.lab.close)
        cls.set_up_lab()

    @classmethod
    def set_up_lab(cls):
        pass
