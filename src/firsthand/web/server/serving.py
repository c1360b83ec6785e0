"""The lab as a process: bind, say where, open the browser, serve until Ctrl-C."""

import secrets
import socket
import sys
import threading
import webbrowser
from contextlib import suppress
from pathlib import Path

import uvicorn

from firsthand.compilation import keep_compilations
from firsthand.errors import FirsthandError
from firsthand.models import family_of
from firsthand.processes import cores
from firsthand.reading import boxed_model

from .app import create_app
from .drawing import warm_up
from .lab import Lab
from .patience import PatientProtocol
from .security import is_loopback
from .shelf import Shelf
from .trainings import Trainings

__all__ = ["serve"]

SWITCH = 0.001  # seconds that who answers waits for a thread that reads a page; Python's own 0.005 add up
CONNECTIONS = 4096  # open files, at most, that are asked for; some systems begin with 256
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
    keep_compilations()
    sys.setswitchinterval(SWITCH)
    _allow_connections()
    of_text = model is not None and model.is_file() and family_of(model) == "language"
    lab = Lab(
        Shelf(None if of_text else model, runs, boxed_model),
        Trainings(max(2, len(cores())), runs),
        results,
        text_model=model if of_text else None,
    )
    first = lab.shelf.model(None)  # a model that cannot be used is said now
    if of_text:
        lab.texts.model(None)
    with _bound(host, port) as listening:
        name, number = listening.getsockname()[:2]
        shown = "localhost" if name in ("127.0.0.1", "::1") else f"[{name}]" if ":" in name else name
        token = None if is_loopback(host) else secrets.token_urlsafe(16)
        url = f"http://{shown}:{number}/" + (f"?token={token}" if token else "")
        if token is not None:
            print(
                f"firsthand: --host {host}: whoever reaches this address and has the token can train on this "
                "machine; the connection is not encrypted",
                file=sys.stderr,
                flush=True,
            )
        print(f"lab: {url}  (Ctrl-C ends it)", flush=True)
        # nobody has to wait for what is only needed when several digits are drawn
        ended = threading.Event()
        warming = threading.Thread(target=warm_up, args=(first, ended.is_set))
        warming.start()
        if browser:
            threading.Timer(0.5, webbrowser.open, [url]).start()
        app = create_app(lab, host, token)
        config = uvicorn.Config(app, http=PatientProtocol, log_level="warning", ws_max_size=MAX_MESSAGE)
        try:
            uvicorn.Server(config).run(sockets=[listening])
        finally:
            # a process that ends while a thread of it compiles is aborted
            ended.set()
            warming.join()


def _allow_connections() -> None:
    """Raise the limit of open files to what the system lets this process have: each connection takes one."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, CONNECTIONS)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


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
