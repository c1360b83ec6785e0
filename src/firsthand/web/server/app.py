"""The application: routes, errors in one line, the static page."""

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from .security import Guard

__all__ = ["create_app"]

PAGE = Path(__file__).parents[1] / "page"
MAX_BODY = 20 * 2**20


class Page(StaticFiles):
    """The files of the page; a browser asks each time whether they have changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def create_app(host: str = "127.0.0.1") -> FastAPI:
    """The lab as an ASGI application.

    Args:
        host: the address that it will be bound to, for the check of the Host header.
    """
    app = FastAPI(title="firsthand lab", docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.mount("/", Page(directory=PAGE, html=True))
    app.add_middleware(Guard, host=host, max_body=MAX_BODY)
    return app
