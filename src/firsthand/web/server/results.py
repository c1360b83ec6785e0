"""Routes: the experiments' results, published beside measured, and the report of them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse

from firsthand.errors import FirsthandError
from firsthand.experiments.result import Result
from firsthand.experiments.result import Text as Both
from firsthand.report.experiments import (
    VERDICTS,
    brief,
    comparisons,
    duration,
    figures_of,
    load_recipes,
    load_results,
    overall,
)
from firsthand.report.experiments_page import experiments_page

from .lab import REFUSALS, REFUSALS_IN_JSON, Lab, TheLab

__all__ = ["router"]

router = APIRouter(prefix="/api", responses=REFUSALS)

# the report is one file with its style inside; it has no script, and none may run
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'"
# a figure may be an SVG, which opened by itself could otherwise run what somebody put into it
FIGURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

Id = Annotated[str, Path(max_length=100)]


class Words(BaseModel):
    """A text in both languages."""

    en: str
    zh: str


class Number(BaseModel):
    """A published number beside the measured one."""

    quantity: Words
    published: str
    measured: str
    difference: str
    verdict: Words


class ClaimAbout(BaseModel):
    """A claim without a number."""

    text: Words
    holds: bool
    measured: Words


class FigureAbout(BaseModel):
    """A figure at `/api/results/{id}/figures/{name}`."""

    name: str
    caption: Words


class ResultAbout(BaseModel):
    """One experiment."""

    id: str
    title: Words
    source: str
    n: int
    time: str
    quick: bool
    published: Words
    measured: Words
    verdict: Words
    missed: bool
    numbers: list[Number]
    claims: list[ClaimAbout]
    deviations: list[Words]
    figures: list[FigureAbout]


@router.get("/results")
def results(lab: TheLab) -> list[ResultAbout]:
    """All results, in the order of the texts; empty where there are none yet."""
    return [_about(lab, result) for result in _results(lab)]


@router.get(
    "/results/{id}/figures/{name}",
    response_class=FileResponse,
    responses={
        **REFUSALS_IN_JSON,
        200: {"content": {"image/svg+xml": {}, "image/png": {}}, "description": "the picture"},
    },
)
def figure(id: Id, name: Id, lab: TheLab) -> FileResponse:
    """A figure of a result."""
    # names from outside are looked up among what there is, and never made into a path
    for result in _results(lab):
        if result.id == id:
            for found, _, path in figures_of(result, lab.results):
                if found == name:
                    return FileResponse(path, headers={"Content-Security-Policy": FIGURE_POLICY})
    raise HTTPException(404, f"figure: found {name!r} of {id!r}, expected one that GET /api/results lists")


@router.get("/report/{language}", response_class=HTMLResponse, responses=REFUSALS_IN_JSON)
def report(language: Literal["en", "zh", "both"], lab: TheLab) -> HTMLResponse:
    """The whole report as one page."""
    found = _results(lab)
    if not found:
        raise HTTPException(404, f"report: no results in {lab.results}; make some with: firsthand run --all")
    page = experiments_page(found, load_recipes(lab.results.parent / "recipes"), lab.results, language)
    return HTMLResponse(page, headers={"Content-Security-Policy": REPORT_POLICY})


def _results(lab: Lab) -> list[Result]:
    if not any(lab.results.glob("*.json")):
        return []
    try:
        return load_results(lab.results)
    except OSError as error:
        raise FirsthandError(f"results: cannot be read ({error})") from None


def _about(lab: Lab, result: Result) -> ResultAbout:
    published, measured = brief(result)
    verdict = overall(result)
    return ResultAbout(
        id=result.id,
        title=_words(result.title),
        source=", ".join(filter(None, result.source)),
        n=result.n,
        time=duration(result.seconds),
        quick=result.quick,
        published=_words(published),
        measured=_words(measured),
        verdict=_words(VERDICTS[verdict]),
        missed=verdict in ("missed", "does not hold"),
        numbers=[
            Number(
                quantity=_words(each.quantity),
                published=each.published,
                measured=each.measured,
                difference=each.difference,
                verdict=_words(VERDICTS[each.verdict]),
            )
            for each in comparisons(result)
        ],
        claims=[
            ClaimAbout(text=_words(text), holds=finding.holds, measured=_words(finding.measured))
            for text, finding in result.claims
        ],
        deviations=[_words(text) for text in result.deviations],
        figures=[
            FigureAbout(name=name, caption=_words(caption)) for name, caption, _ in figures_of(result, lab.results)
        ],
    )


def _words(text: Both) -> Words:
    return Words(en=text.en, zh=text.zh)
