"""Write the tables of READMEs and docs from the results, so that no number in them is typed by hand.

    python tools/documents/readme_tables.py            replaces what stands between the markers
    python tools/documents/readme_tables.py --check    changes nothing; exits with 1 where README and results differ

The markers are `<!-- begin:NAME -->` and `<!-- end:NAME -->` in the PAGES; NAME is one of TABLES.
Where results are missing, so is the table.
"""

import argparse
import difflib
import re
import sys
from collections.abc import Callable
from pathlib import Path

from tables import accuracy, claims, jobs, machines, memory, pages, speed

ROOT = Path(__file__).parents[2]
PAGES = {
    "README.md": "en",
    "README.zh-CN.md": "zh",
    "docs/results.md": "en",
    "docs/results.zh-CN.md": "zh",
    "docs/peers.md": "en",
    "docs/performance.md": "en",
    "docs/augmentation.md": "en",
    "docs/adversarial.md": "en",
    "docs/adversarial.zh-CN.md": "zh",
    "docs/backwards.md": "en",
    "docs/backwards.zh-CN.md": "zh",
    "docs/games.md": "en",
    "docs/games.zh-CN.md": "zh",
    "docs/machines.md": "en",
    "docs/machines.zh-CN.md": "zh",
    "docs/memory.md": "en",
    "docs/memory.zh-CN.md": "zh",
    "docs/models.md": "en",
    "docs/models.zh-CN.md": "zh",
    "docs/pictures.md": "en",
    "docs/pictures.zh-CN.md": "zh",
    "docs/reading.md": "en",
    "docs/reading.zh-CN.md": "zh",
}
_BLOCK = re.compile(r"(<!-- begin:(?P<name>[\w-]+) -->\n).*?(<!-- end:(?P=name) -->)", re.DOTALL)

TABLES: dict[str, Callable[[Path, str], list[str]]] = {
    "digit-reader": accuracy.digit_reader,
    "performance": speed.performance,
    "targets": speed.targets,
    "parts": speed.parts,
    "convolutions": speed.convolutions,
    "cores": speed.cores,
    "members": speed.members,
    "costs": speed.costs,
    "fine-tuning": accuracy.fine_tuning,
    "experiments": accuracy.experiments,
    "recipes": accuracy.recipes,
    "ensemble": accuracy.ensemble,
    "pictures": claims.of_studies(
        *("lrmd-edges", "lrmd-digit", "ksh-shapes", "ksh-small", "ksh-ablation"),
        *("googlenet-shapes", "inception-small", "numbers-whole", "review-figure-2"),
    ),
    "games": claims.of_studies("catch", "minatar-breakout", "minatar-freeway", "pong"),
    "backwards": claims.of_studies(
        *("rbm-filters", "dbn-generate", "few-labels", "autoencoder-30", "autoencoder-2", "denoising"),
        *("sparse", "variational"),
    ),
    "aims": accuracy.aims,
    "reading": pages.reading,
    "reading-peers": pages.reading_peers,
    "reading-ways": pages.reading_ways,
    "jobs": jobs.jobs,
    "mistakes": jobs.mistakes,
    "boxed-memories": memory.boxed,
    "boxed-machines": machines.boxed,
    "machines": claims.of_studies(
        *("ntm-copy", "ntm-repeat", "ntm-recall", "ntm-sort", "stories-1", "stories-2", "stories-3"),
        *("dates", "names-zh", "verses", "captions"),
    ),
    "carried-state": memory.carried,
    "time-to-bits": memory.time_to_bits,
    "language": claims.of_studies("shakespeare"),
    "in-time": claims.of_studies("vanishing-in-time", "adding-problem"),
    "rows": claims.of_studies("rows-mnist"),
    "execute": claims.of_studies("execute-add", "execute-program"),
    "words": claims.of_studies("word-vectors"),
    "adversarial": claims.of_studies("adversarial-minimal", "adversarial-transfer", "adversarial-why", "fgsm-training"),
    "fooling": claims.of_studies("fooling-evolved", "fooling-gradient"),
    "sees": claims.of_studies("deconvnet"),
    "transfer": claims.of_studies("transfer-digits", "transfer-fashion"),
}


def filled(text: str, results: Path, language: str) -> str:
    """A README's text with what the results say between its markers.

    Raises:
        ValueError: a marker names no table, or stands without its partner.
    """

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in TABLES:
            raise ValueError(f"marker begin:{name}: expected one of {', '.join(TABLES)}")
        lines = TABLES[name](results, language)
        return match[1] + "".join(f"{line}\n" for line in lines) + match[3]

    pairs = len(_BLOCK.findall(text))
    for side in ("begin", "end"):
        if (count := text.count(f"<!-- {side}:")) != pairs:
            raise ValueError(f"markers: {count} named {side}, but {pairs} pairs of begin and end on lines of their own")
    return _BLOCK.sub(block, text)


def main() -> int:
    """Rewrite the READMEs, or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 where they differ")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of the READMEs and of results/")
    chosen = parser.parse_args()
    differ = False
    for name, language in PAGES.items():
        path = chosen.root / name
        if not path.exists():
            continue
        old = path.read_text(encoding="utf-8")
        new = filled(old, chosen.root / "results", language)
        if new == old:
            continue
        differ = True
        if chosen.check:
            lines = (old.splitlines(), new.splitlines(), name, f"{name} as results/ would have it")
            print("\n".join(difflib.unified_diff(*lines, lineterm="", n=1)))
        else:
            path.write_text(new, encoding="utf-8")
            print(f"written: {path}")
    if differ and chosen.check:
        print("README and results differ: run python tools/documents/readme_tables.py", file=sys.stderr)
    return int(differ and chosen.check)


if __name__ == "__main__":
    sys.exit(main())
