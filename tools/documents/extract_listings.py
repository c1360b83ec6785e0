"""Copy the listings of the texts that use the book's programs into tests/book/listings, where they are run.

    python tools/documents/extract_listings.py [folder of the texts, by default ../shared/seeds]

A listing is a fenced block that talks to one of the programs (it has a prompt), or that prints a method of one
(chapter 2).  Each is a file of its own, as it stands in the text, named <text>.<line>.txt after the line on which it
begins: the order of the names is the order of the text.
"""

import sys
from pathlib import Path

LISTINGS = Path(__file__).parents[2] / "tests" / "book" / "listings"
TEXTS = Path(__file__).parents[3] / "shared" / "seeds"
SOURCES = {
    "chapters_2_3_5_6": "nielsen_chapters_2_3_5_6_zh.txt",
    "chapter6": "nielsen_chapter6_bilingual.txt",
}
MARKS = (">>> ", "def update_mini_batch(", "def backprop(self, x, y)", "def sigmoid_prime(")


def extract(texts: Path) -> dict[str, str]:
    """The listings of all texts: file name -> content."""
    found = {}
    for name, source in SOURCES.items():
        inside, start, block = False, 0, []
        for number, line in enumerate((texts / source).read_text().splitlines(), start=1):
            if line.startswith("```"):
                code = "\n".join(block) + "\n"
                if inside and any(mark in code for mark in MARKS) and "import theano" not in code:
                    found[f"{name}.{start:04d}.txt"] = code
                inside, start, block = not inside, number + 1, []
            elif inside:
                block.append(line)
    return found


def main() -> None:
    texts = Path(sys.argv[1]) if len(sys.argv) > 1 else TEXTS
    LISTINGS.mkdir(parents=True, exist_ok=True)
    for old in LISTINGS.glob("*.txt"):
        old.unlink()
    for name, code in extract(texts).items():
        (LISTINGS / name).write_text(code)
        print(LISTINGS / name)


if __name__ == "__main__":
    main()
