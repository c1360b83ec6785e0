"""Make the notebooks of the pages docs/chapters: notebooks/NAME.ipynb, notebooks/NAME.zh-CN.ipynb.

python tools/documents/notebooks.py            writes them
python tools/documents/notebooks.py --check    changes nothing; exits with 1 where a notebook differs from its page

What stands between blocks of Python becomes a cell of text, each block a cell of code; nothing is run.
"""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "chapters"
NOTEBOOKS = ROOT / "notebooks"
_TWIN = re.compile(r"^\[(?:中文|English)\]\([\w.-]+\)\n+", re.MULTILINE)


def notebook(page: Path) -> str:
    """The notebook of a page, as JSON."""
    text = _TWIN.sub("", page.read_text(encoding="utf-8"))
    # links lead from notebooks/ to docs/
    text = re.sub(r"\]\(\.\./", "](../docs/", text)
    cells: list[dict[str, Any]] = []
    for number, part in enumerate(re.split(r"^```python\n(.*?)^```\n", text, flags=re.MULTILINE | re.DOTALL)):
        if not part.strip():
            continue
        about: dict[str, Any] = {"id": f"cell-{len(cells)}", "metadata": {}}
        if number % 2:
            about |= {"cell_type": "code", "execution_count": None, "outputs": []}
        else:
            about |= {"cell_type": "markdown"}
        # in the order of names, as formatters write them
        cells.append(dict(sorted({**about, "source": part.strip().splitlines(keepends=True)}.items())))
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    made = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write the notebooks, or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 where they differ")
    check = parser.parse_args().check
    differ = False
    for page in sorted(PAGES.glob("*.md")):
        path = NOTEBOOKS / f"{page.stem}.ipynb"
        made = notebook(page)
        if path.exists() and path.read_text(encoding="utf-8") == made:
            continue
        differ = True
        if check:
            print(f"{path} is not what {page} says: run python tools/documents/notebooks.py", file=sys.stderr)
        else:
            path.write_text(made, encoding="utf-8")
            print(f"written: {path}")
    return int(differ and check)


if __name__ == "__main__":
    sys.exit(main())
