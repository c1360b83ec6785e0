"""Requests and answers of a contender's process: one JSON object a line, on its input and its output."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["answer_requests"]


def answer_requests(make: Callable[[str, int, Path], Any]) -> None:
    """Answer until the input ends.  The process is called with a name, its cores and a folder.

    Args:
        make: called with the name, the number of cores and the folder at the first request; {"do": "run", ...} calls
            its method `run` with the rest, which returns the answer.
    """
    # what libraries print must not get between the answers
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    name, cores, folder = sys.argv[1], [int(core) for core in sys.argv[2].split(",")], Path(sys.argv[3])
    # before a framework is imported: it counts the cores that it may use
    os.sched_setaffinity(0, cores)
    worker = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            worker = worker or make(name, len(cores), folder)
            answer = getattr(worker, request.pop("do"))(**request)
        except Exception as error:  # whatever goes wrong in a framework is a result, to be recorded
            reason = " ".join(str(error).split())
            answer = {"error": f"{type(error).__name__}: {reason[:500]}"}
        print(json.dumps(answer), file=answers, flush=True)
