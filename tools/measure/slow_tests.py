"""List the tests that take long, for tests/slow.txt: `make test` leaves them to `make test-all`.

    pytest -n auto --durations=0 | tee LOG
    python tools/measure/slow_tests.py LOG --seconds 2.5

The log is that of a whole run.  The example of the README and the rules of the architecture stay in the gate, whatever
they take.
"""

import argparse
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
KEPT = ("README.md::", "tests/test_architecture.py::")


def slow_tests(log: str, seconds: float) -> list[str]:
    """The ids of tests whose own call took so long or longer, sorted."""
    rows = re.findall(r"^([\d.]+)s call +(\S.*?)\s*$", log, re.MULTILINE)
    return sorted({id for taken, id in rows if float(taken) >= seconds and not id.startswith(KEPT)})


def main() -> None:
    """Write the file anew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", type=Path)
    parser.add_argument("--seconds", type=float, default=2.5)
    parser.add_argument("--out", type=Path, default=ROOT / "tests" / "slow.txt")
    chosen = parser.parse_args()
    found = slow_tests(chosen.log.read_text(), chosen.seconds)
    chosen.out.write_text("\n".join(found) + "\n")
    print(f"{len(found)} tests: {chosen.out}")


if __name__ == "__main__":
    main()
