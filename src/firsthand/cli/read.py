"""`firsthand read`: the digits on photos and scans."""

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firsthand.errors import FirsthandError

from .common import Device, Json, ModelPath, find_model, report_failed, use_device

if TYPE_CHECKING:
    from firsthand.reading import Page

__all__ = ["read"]


def read(
    images: Annotated[
        list[str] | None,
        typer.Argument(help="Pictures, folders of pictures, or - for one on standard input.", show_default=False),
    ] = None,
    example: Annotated[bool, typer.Option("--example", help="Read a page that comes with firsthand.")] = False,
    model: ModelPath = None,
    lines: Annotated[bool, typer.Option("--lines", help="Print each line with its probability and place.")] = False,
    signs: Annotated[bool, typer.Option("--signs", help="Print signs among the digits, too: 7,8 and not 78.")] = False,
    min_confidence: Annotated[
        float, typer.Option("--min-confidence", metavar="P", help="Leave out digits less probable than this.")
    ] = 0.0,
    explain: Annotated[
        Path | None, typer.Option("--explain", metavar="FOLDER", help="Draw every stage into this folder.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table: a row for every digit, or every line.")] = False,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Read the handwritten digits on photos and scans.

    Prints the lines of each picture.  With --json, one JSON object per picture and line of output.  A file that is
    not a picture is reported on standard error and does not stop the others; the exit code is then 1 (2 if none is).
    """
    if as_csv and as_json:
        raise FirsthandError("--csv and --json: both found, one of them expected")
    if not 0 <= min_confidence <= 1:
        raise FirsthandError(f"--min-confidence: found {min_confidence:g}, expected 0 to 1")
    images = list(images or ())
    if not images and not example:
        raise FirsthandError("read: no picture found, expected some, or --example for one that comes with firsthand")
    use_device(device)
    from firsthand.reading import Page, example_page

    if example:
        images.append(str(example_page()))
        print(f"picture: {images[-1]}", file=sys.stderr)

    found = find_model(model)
    names, failed = _expanded(images)
    if explain is not None:
        explain.mkdir(parents=True, exist_ok=True)
    # one of several is named in front of what is read from it
    named = len(images) > 1 or (bool(names) and names != images)
    out = _Output("csv" if as_csv else "json" if as_json else "text", lines, named)
    good = 0
    with _bar(len(names)) as advance:
        for name, page in _read(names, found, explain):
            advance()
            if isinstance(page, Page):
                page = page.sure(min_confidence) if min_confidence else page
                out.page(name, page.with_signs() if signs else page)
                good += 1
            else:
                failed.append(f"{page}")
                out.error(name, str(page))
    report_failed(failed, good > 0)


def _expanded(images: list[str]) -> tuple[list[str], list[str]]:
    """The names of all pictures, those of folders in order; and what is wrong with the rest."""
    names, wrong = [], []
    for image in images:
        if not image:
            wrong.append("an empty name found, that of a picture expected")
            continue
        if image == "-" or not Path(image).is_dir():
            names.append(image)
            continue
        from firsthand.data.pictures import ENDINGS

        inside = sorted(str(p) for p in Path(image).rglob("*") if p.suffix.lower() in ENDINGS and p.is_file())
        names += inside
        if not inside:
            wrong.append(f"{image}: a folder without pictures found, files ending in {', '.join(ENDINGS)} expected")
    return names, wrong


def _read(names: list[str], model: Any, explain: Path | None) -> Iterator[tuple[str, "Page | FirsthandError"]]:
    from firsthand.reading import read_many

    if explain is None:
        yield from zip(names, read_many(map(_opened, names), model), strict=True)
        return
    from firsthand.reading import analyse, read_sheets
    from firsthand.reading.explain import explain as draw
    from firsthand.reading.load import load_grey

    for number, name in enumerate(names):
        try:
            sheet = analyse(load_grey(_opened(name)))
        except FirsthandError as error:
            yield name, error
            continue
        (page,) = read_sheets([sheet], model)
        stem = "stdin" if name == "-" else Path(name).stem
        # two folders may have pictures of one name
        target = explain / (f"{number + 1:04d}-{stem}.png" if len(names) > 1 else f"{stem}.png")
        draw(sheet, page, target)
        yield name, page


def _opened(name: str) -> str | bytes:
    return sys.stdin.buffer.read() if name == "-" else name


@contextmanager
def _bar(total: int) -> Iterator[Any]:
    """A function to call after every picture; a bar on standard error where somebody may look at it."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if total < 10 or not console.is_terminal:
        yield lambda: None
        return
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("reading", total=total)
        yield lambda: progress.advance(task)


class _Output:
    """The printed output about pages."""

    def __init__(self, form: str, lines: bool, named: bool):
        self.form, self.lines, self.named = form, lines, named
        self.rows = csv.writer(sys.stdout, lineterminator="\n")
        if form == "csv":
            place = ("left", "top", "right", "bottom")
            middle = ("text", "probability") if lines else ("place", "value", "probability")
            self.rows.writerow(("image", "line", *middle, *place))

    def page(self, name: str, page: "Page") -> None:
        if self.form == "json":
            about = page.to_json()
            if self.lines:
                about["lines"] = [{k: v for k, v in line.items() if k != "digits"} for line in about["lines"]]
            print(json.dumps({"image": name, **about}), flush=True)
        elif self.form == "csv":
            for number, line in enumerate(page.lines, 1):
                if self.lines:
                    self.rows.writerow((name, number, line.text, f"{line.probability:.4f}", *line.box))
                    continue
                for place, digit in enumerate(line.digits, 1):
                    self.rows.writerow((name, number, place, digit.value, f"{digit.probability:.4f}", *digit.box))
        else:
            self._text(name, page)

    def _text(self, name: str, page: "Page") -> None:
        head = f"{name}: " if self.named else ""
        for line in page.lines:
            box = line.box
            more = f"  {line.probability:.1%}  at {box.left},{box.top} to {box.right},{box.bottom}"
            print(f"{head}{line.text}{more if self.lines else ''}", flush=True)
        if not page.lines:
            print(f"{name}: {page.reason}", file=sys.stderr, flush=True)

    def error(self, name: str, message: str) -> None:
        if self.form == "json":
            print(json.dumps({"image": name, "error": message}), flush=True)
