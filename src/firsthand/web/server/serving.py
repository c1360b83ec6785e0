"""The lab as a process: bind, say where, open the browser, serve until Ctrl-C."""

import uvicorn

from .app import create_app

__all__ = ["serve"]


def serve(host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve the lab until it is interrupted."""
    uvicorn.run(create_app(host), host=host, port=port, log_level="warning")
