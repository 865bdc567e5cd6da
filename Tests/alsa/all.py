"""all.py STAGE [NAME...]: runs the tests in this folder, of the programs in STAGE/bin, and ends with a line that
counts them."""
import os
import pathlib
import sys
import time
import unittest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True


class Result(unittest.TextTestResult):
    """A line for each test, with how long it took."""

    def startTest(self, test):
        self.began = time.monotonic()
        unittest.TestResult.startTest(self, test)

    def stopTest(self, test):
        super().stopTest(test)
        failed = any(test is one for one, _ in self.failures + self.errors)
        skipped = [reason for one, reason in self.skipped if one is test]
        word = "FAILED" if failed else f"skipped ({skipped[0]})" if skipped else "ok"
        self.stream.writeln(f"{word} {test.id()} ({time.monotonic() - self.began:.1f} s)")
        self.stream.flush()


def main():
    loader = unittest.TestLoader()
    os.environ["LIBRETTO_STAGE"], *names = sys.argv[1:]
    suite = loader.loadTestsFromNames(names) if names else loader.discover(HERE, "test_*.py")
    runner = unittest.TextTestRunner(sys.stdout, verbosity=0, resultclass=Result)
    result = runner.run(suite)
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed")
    return failed > 0


sys.exit(main())
