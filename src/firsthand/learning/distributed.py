"""Several processes, on one machine or on many, that train one network: JAX's own distributed runtime.

Each process has its devices; a mini-batch is divided over all devices of all processes, and the gradients of the parts
are added up after every step (see `train`).  docs/cluster.md says how to start them, and what to expect.
"""

import ipaddress
import socket
from contextlib import suppress
from pathlib import Path

import jax

from firsthand.errors import FirsthandError

__all__ = ["LostProcess", "join", "lost"]

# a process that does not answer for so long is lost: within a minute of its end all others have ended as well
HEARTBEAT_SECONDS = 30
CONNECT_SECONDS = 120


class LostProcess(FirsthandError):
    """Another process of this training has ended, or cannot be reached."""

    leave_at_once = True  # at a usual exit JAX would wait for the lost one


def join(coordinator: str, processes: int, process_id: int) -> None:
    """Become one of several processes; waits until all are there.  Must come before JAX's first computation.

    Args:
        coordinator: HOST:PORT of process 0, the same for all.
        processes: how many there are.
        process_id: which of them this is, from 0.
    Raises:
        FirsthandError: arguments that cannot be, or the others are not there in two minutes.
    """
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdecimal():
        raise FirsthandError(f"--coordinator: found {coordinator!r}, expected HOST:PORT")
    if processes < 1 or not 0 <= process_id < processes:
        raise FirsthandError(
            f"--process-id: found {process_id} of {processes} processes, expected 0 to {max(0, processes - 1)}"
        )
    _check_own_name(host)
    # on a CPU, what the processes say to each other goes by Gloo
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    try:
        jax.distributed.initialize(
            coordinator,
            processes,
            process_id,
            initialization_timeout=CONNECT_SECONDS,
            heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
        )
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise LostProcess(f"{processes} processes at {coordinator}: not all are there ({reason})") from None


def _check_own_name(host: str) -> None:
    """Raise FirsthandError where Gloo would tell other machines to find this one at a loopback address.

    It announces the address of the machine's own name, which on many systems is 127.0.0.1 or 127.0.1.1.
    """
    name = socket.gethostname()
    with suppress(OSError):  # what cannot be resolved, Gloo says itself
        coordinator, own = (ipaddress.ip_address(socket.gethostbyname(each)) for each in (host, name))
        if own.is_loopback and not coordinator.is_loopback:
            raise FirsthandError(
                f"--coordinator: found {own} as the address of this machine's name, {name}, "
                "expected one that the other machines reach; see /etc/hosts"
            )


def lost(error: Exception, folder: Path | None) -> LostProcess:
    """Explain an error during a step that several processes take together."""
    reason = " ".join(str(error).split())[:160]
    again = "with --resume RUN, on as many processes as there are" if folder is None else f"with --resume {folder}"
    return LostProcess(f"another process of this training was lost or has failed; go on {again} ({reason})")
