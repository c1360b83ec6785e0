"""The lab as a process: bind, say where, open the browser, serve until Ctrl-C."""

import socket
import threading
import webbrowser
from pathlib import Path

import uvicorn

from firsthand.errors import FirsthandError
from firsthand.processes import cores
from firsthand.reading import boxed_model

from .app import create_app
from .drawing import warm_up
from .lab import Lab
from .shelf import Shelf
from .trainings import Trainings

__all__ = ["serve"]

MAX_MESSAGE = 2**21  # bytes of a WebSocket message: twice the largest drawing


def serve(
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    model: Path | None = None,
    runs: Path = Path("runs"),
    results: Path = Path("results/experiments"),
    browser: bool = False,
) -> None:
    """Serve the lab until it is interrupted.

    Args:
        host: address to bind to; 127.0.0.1 is reached from this machine alone.
        port: 0 takes any that is free.
        model: file of the model to begin with.
        runs: folder of runs, whose models can be chosen, and where kept ones go.
        results: folder of the experiments' results.
        browser: open the page.
    Raises:
        FirsthandError: the address cannot be bound to, or the model cannot be used.
    """
    lab = Lab(Shelf(model, runs, boxed_model), Trainings(max(2, len(cores())), runs), results)
    first = lab.shelf.model(None)  # a model that cannot be used is said now
    with _bound(host, port) as listening:
        name, number = listening.getsockname()[:2]
        shown = "localhost" if name in ("127.0.0.1", "::1") else f"[{name}]" if ":" in name else name
        url = f"http://{shown}:{number}/"
        print(f"lab: {url}  (Ctrl-C ends it)", flush=True)
        # nobody has to wait for what is only needed when several digits are drawn
        threading.Thread(target=warm_up, args=(first,), daemon=True).start()
        if browser:
            threading.Timer(0.5, webbrowser.open, [url]).start()
        config = uvicorn.Config(create_app(lab, host), log_level="warning", ws_max_size=MAX_MESSAGE)
        uvicorn.Server(config).run(sockets=[listening])


def _bound(host: str, port: int) -> socket.socket:
    if not 0 <= port <= 65535:  # the system would take it modulo 65,536
        raise FirsthandError(f"--port: found {port}, expected 0 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise FirsthandError(f"--host {host} --port {port}: cannot be bound to ({error})") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()  # who comes from now on waits a moment, and is not refused
        return listening
    except OSError as error:
        listening.close()
        raise FirsthandError(f"--host {host} --port {port}: cannot be bound to ({error}); try another --port") from None
