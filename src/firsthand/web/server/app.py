"""The application: routes, errors in one line, the static page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from firsthand.errors import FirsthandError

from . import (
    blind,
    dream,
    execute,
    fool,
    in_time,
    inside,
    live,
    memory,
    mistakes,
    models,
    photo,
    play,
    results,
    story,
    text,
    train,
)
from .lab import Lab
from .security import Guard
from .shelf import UnknownModel
from .trainings import AtLimit, UnknownTraining

__all__ = ["create_app"]

PAGE = Path(__file__).parents[1] / "page"
MAX_BODY = 20 * 2**20  # a photo from a phone has 3 to 12 MB


class Page(StaticFiles):
    """The files of the page; a browser asks each time whether they have changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def create_app(lab: Lab, host: str = "127.0.0.1", token: str | None = None) -> FastAPI:
    """The lab as an ASGI application.

    Args:
        lab: its models and results.
        host: the address that it will be bound to, for the check of the Host header.
        token: what every request has to show: see `Guard`.
    """
    app = FastAPI(
        title="firsthand lab",
        description="What the pages of the lab ask for.  Every refusal is JSON with one line, `error`.",
        docs_url=None,  # FastAPI's own pages load scripts from elsewhere; #/api shows the schema
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=_lifespan,
    )
    app.state.lab = lab
    looking = (models, photo, inside, in_time, fool, mistakes, blind)
    for part in (*looking, train, dream, play, text, execute, memory, story, results, live):
        app.include_router(part.router)
    app.add_exception_handler(FirsthandError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.mount("/", Page(directory=PAGE, html=True))
    app.add_middleware(Guard, host=host, max_body=MAX_BODY, token=token)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    await app.state.lab.trainings.bring_back()
    yield
    await app.state.lab.trainings.close()


def _error(status: int, error: str) -> JSONResponse:
    return JSONResponse({"error": " ".join(error.split())}, status)


async def _refused(request: Request, error: Exception) -> Response:
    status = 404 if isinstance(error, UnknownModel | UnknownTraining) else 409 if isinstance(error, AtLimit) else 422
    return _error(status, str(error))


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return _error(422, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    response = _error(error.status_code, str(error.detail))
    response.headers.update(error.headers or {})
    return response
