"""`firsthand experiments`, `run` and `report`."""

import fnmatch
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firsthand.errors import FirsthandError, nearest
from firsthand.report.places import OWN, results_folder

from .common import Json, check_scheduler, whole
from .habits import complete_experiment
from .streams import go_on_without_output

if TYPE_CHECKING:
    from firsthand.experiments.experiment import Experiment
    from firsthand.experiments.result import Result
    from firsthand.experiments.running import State

__all__ = ["experiments", "report", "run"]

QUICK = Path("runs/quick")
SCRATCH = Path("runs/experiments")

Results = Annotated[
    Path | None,
    typer.Option(help="Folder of the results.", show_default=f"./{OWN} if there is one, else those of the package"),
]


def experiments(
    results: Results = None,
    as_json: Json = False,
    chinese: Annotated[bool, typer.Option("--zh", help="In Chinese.")] = False,
) -> None:
    """List the experiments of the texts: subject, published numbers, measured numbers."""
    from firsthand.experiments.result import Result
    from firsthand.studies import IDS

    results = results_folder(results)
    found = {id: Result.load(path) for id in IDS if (path := results / f"{id}.json").exists()}
    declared = {}
    if as_json or len(found) < len(IDS):
        from firsthand.studies import EXPERIMENTS  # which imports all that runs them

        declared = {experiment.id: experiment for experiment in EXPERIMENTS}
    if as_json:
        print(json.dumps([_plain(each, found.get(each.id)) for each in declared.values()]))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from firsthand.report.experiments import VERDICTS, brief, duration, overall, published_brief

    at = int(chinese)
    head = (
        ("id", "what it shows", "published", "measured", "verdict", "time"),
        ("实验", "内容", "书中", "实测", "结论", "时间"),
    )[at]
    table = Table(*head, box=box.SIMPLE_HEAD, pad_edge=False)
    table.columns[0].no_wrap = True
    for id in IDS:
        if id in found:
            result = found[id]
            published, measured = brief(result)
            verdict = VERDICTS[overall(result)][at]
            table.add_row(id, result.title[at], published[at], measured[at], verdict, duration(result.seconds))
        else:
            experiment = declared[id]
            published = published_brief(experiment.published, len(experiment.claims))
            expected = f"{('about', '大约')[at]} {duration(60 * experiment.minutes * experiment.runs)}"
            table.add_row(id, experiment.title[at], published[at], "", "", expected)
    console = Console()
    # a file or another program has no width of its own
    Console(width=None if console.is_terminal else 180).print(table)


def _plain(experiment: "Experiment", result: "Result | None") -> dict[str, Any]:
    from firsthand.report.experiments import overall

    about: dict[str, Any] = {
        "id": experiment.id,
        "title": experiment.title._asdict(),
        "source": experiment.source._asdict(),
        "published": [published._asdict() for published in experiment.published],
        "claims": len(experiment.claims),
        "runs": experiment.runs,
        "minutes": experiment.minutes,
        "measured": None,
    }
    if result is not None:
        about["measured"] = {
            "n": result.n,
            "quick": result.quick,
            "numbers": {
                name: {"mean": result.mean(name), "spread": result.spread(name), "values": result.values(name)}
                for name in result.runs[0]["numbers"]
            },
            "claims": [{"claim": text.en, "holds": finding.holds} for text, finding in result.claims],
            "verdict": overall(result),
            "seconds": result.seconds,
            "date": result.date,
        }
    return about


def run(
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            help="Experiments, also by pattern: 'expanded*'.", show_default=False, autocompletion=complete_experiment
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All experiments.")] = False,
    jobs: Annotated[
        int | None,
        typer.Option(
            help="Runs at a time, each on cores of its own.",
            show_default="as many as there are cores for",
            callback=whole(1),
        ),
    ] = None,
    threads: Annotated[int, typer.Option(help="Cores of each run; the results are the same, to the last bit.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="Shorten every run to try it; nothing is compared.")] = False,
    runs: Annotated[
        int | None, typer.Option(help="Runs of each experiment.", show_default="what each declares", callback=whole(1))
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results.", show_default=f"{OWN}, with --quick {QUICK}")
    ] = None,
    scratch: Annotated[Path, typer.Option(help="Folder for checkpoints and for runs that are complete.")] = SCRATCH,
    again: Annotated[bool, typer.Option("--again", help="Re-run complete runs.")] = False,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Do the runs on the workers of a Dask scheduler, as in tcp://node0:8786; --out and --scratch are "
            "folders that all machines see.",
            metavar="ADDRESS",
        ),
    ] = None,
) -> None:
    """Run experiments of the texts and compare them with their published numbers; stopped ones resume."""
    from firsthand.studies import IDS

    chosen = _chosen(ids or [], everything, IDS)
    check_scheduler(scheduler)
    from firsthand.experiments.running import run_all

    go_on_without_output()
    out = (QUICK if quick else OWN) if out is None else out
    try:
        with _shown() as (say, show):
            failed = run_all(
                chosen,
                module="firsthand.studies",
                out=out,
                scratch=scratch,
                jobs=jobs,
                threads=threads,
                quick=quick,
                runs=runs,
                again=again,
                say=say,
                show=show,
                scheduler=scheduler,
            )
    except KeyboardInterrupt:
        without = " without --again" if again else ""
        print(f"firsthand: interrupted; the same command{without} resumes it", file=sys.stderr)
        raise typer.Exit(130) from None
    if failed:
        raise FirsthandError(f"run: {len(failed)} failed, the others are complete: {'; '.join(failed)}")
    results = "" if out == OWN else f" --results {out}"
    print(f"results and figures: {out}; read them with: firsthand report{results}")


def _chosen(patterns: Sequence[str], everything: bool, known: Sequence[str]) -> list[str]:
    """The ids that patterns stand for, in the order of the texts."""
    if everything == bool(patterns):
        raise FirsthandError("run: expected the ids of experiments, or --all; `firsthand experiments` lists them")
    if everything:
        return list(known)
    for pattern in patterns:
        if not fnmatch.filter(known, pattern):
            meant = nearest(pattern, known)
            raise FirsthandError(
                f"run: found {pattern!r}, expected an experiment; `firsthand experiments` lists them{meant}"
            )
    return [id for id in known if any(fnmatch.fnmatchcase(id, pattern) for pattern in patterns)]


@contextmanager
def _shown() -> "Iterator[tuple[Callable[[str], None], Callable[[State], None]]]":
    """Functions for lines that stay and for the state of the work, on a terminal or in a file."""
    from rich.console import Console
    from rich.live import Live

    console = Console()
    if console.is_terminal:
        with Live(console=console, refresh_per_second=4, transient=True) as live:
            yield (
                lambda line: console.print(line, highlight=False, markup=False),
                lambda state: live.update(_picture(state)),
            )
        return
    last = time.monotonic()

    def show(state: "State") -> None:
        nonlocal last
        if time.monotonic() > last + 60:
            last = time.monotonic()
            lines = [f"{each.id} {each.seed}: {each.line or 'started'}" for each in state.running]
            print(f"{state.done}/{state.total} {_left(state)}; {'; '.join(lines)}", flush=True)

    yield lambda line: print(line, flush=True), show


def _picture(state: "State") -> Any:
    """Draw the table of the runs under way and the progress of everything."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    rows = Table.grid(padding=(0, 2))
    for each in state.running:
        rows.add_row(each.id, f"run {each.seed}", _clock(each.seconds), Text(each.line or "started"))
    foot = Table.grid(padding=(0, 2))
    bar = ProgressBar(total=max(1, state.total), completed=state.done, width=40)
    foot.add_row(f"{state.done}/{state.total}", bar, _left(state))
    return Group(rows, foot)


def _left(state: "State") -> str:
    return f"about {_clock(state.seconds_left)} left" if state.done < state.total else ""


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def report(
    results: Results = None,
    out: Annotated[Path, typer.Option(help="The page.")] = Path("report.html"),
    language: Annotated[str, typer.Option(help="en, zh, or both with a switch.")] = "both",
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table as Markdown, and write no page.")
    ] = False,
) -> None:
    """Write one page with all results: published beside measured, claims, figures; it works offline."""
    from firsthand.files import write_atomically
    from firsthand.report import experiments as tables
    from firsthand.report.experiments_page import LANGUAGES, experiments_page

    if language not in LANGUAGES:
        raise FirsthandError(f"--language: found {language!r}, expected {', '.join(LANGUAGES)}")
    results = results_folder(results)
    found = tables.load_results(results)
    if markdown:
        print("\n".join(tables.markdown(found, "zh" if language == "zh" else "en")))
        return
    if not out.parent.is_dir():
        raise FirsthandError(f"--out: there is no folder {out.parent}")
    recipes = tables.load_recipes(results.parent / "recipes")
    page = experiments_page(found, recipes, results, language)
    path = write_atomically(out, page)
    print(f"{path}: {len(found)} experiments, {len(page.encode()) / 2**20:.1f} MiB; open it in a browser")
