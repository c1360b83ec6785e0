"""Build the kernels for ARM64 with GCC and Clang, and run them under an emulator against their formulas and bounds.

    apt install g++-aarch64-linux-gnu clang qemu-user        (Debian's names)
    python tools/measure/arm_kernels.py

Most readers' laptops have ARM processors, and this project's machine has none.  With each compiler:

library     all of it, doors and kernels, as setup.py would build it: that it compiles and links
oracle      tests/kernels/native/oracle.cc: every kernel equal to its formula in double precision
bounds      tests/kernels/native/bounds.cc with the address sanitizer: no access outside an array

It writes results/arm_kernels.json.  Time says nothing under an emulator, and no Mac has been tried.
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import jaxlib

ROOT = Path(__file__).parents[2]
NATIVE = ROOT / "tests" / "kernels" / "native"
LIBRARIES = "/usr/aarch64-linux-gnu"  # Debian's, for dynamic programs under the emulator
COMPILERS = {
    "gcc": ["aarch64-linux-gnu-g++"],
    "clang": ["clang++", "--target=aarch64-linux-gnu"],
}
EMULATOR = ["qemu-aarch64", "-L", LIBRARIES]


def main() -> None:
    """Build and run everything, and write what came out."""
    for program in ("aarch64-linux-gnu-g++", "clang++", "qemu-aarch64"):
        if shutil.which(program) is None:
            sys.exit(f"{program}: not found; expected g++-aarch64-linux-gnu, clang and qemu-user to be installed")
    found: dict[str, Any] = {"emulator": _first_line([EMULATOR[0], "--version"]), "compilers": {}}
    for name, compiler in COMPILERS.items():
        with tempfile.TemporaryDirectory() as folder:
            found["compilers"][name] = {
                "version": _first_line([*compiler, "--version"]),
                **_tried(compiler, Path(folder)),
            }
        print(name, json.dumps(found["compilers"][name]), flush=True)
    (ROOT / "results" / "arm_kernels.json").write_text(json.dumps(found, indent=1) + "\n")


def _tried(compiler: list[str], folder: Path) -> dict[str, str]:
    setup = _setup()
    kernels = ROOT / setup.KERNELS
    inner = ["-DFIRSTHAND_ISA=baseline", f"-I{kernels}", *(str(kernels / source) for source in setup.INNER)]
    flags = [flag for flag in setup.FLAGS if not flag.startswith("-O")]
    headers = ["-isystem", str(Path(jaxlib.__file__).parent / "include")]
    doors = [str(kernels / source) for source in setup.DOORS]
    _run([*compiler, *setup.FLAGS, *headers, "-shared", *inner, *doors, "-o", str(folder / "library.so")])
    _run([*compiler, *setup.FLAGS, *inner, str(NATIVE / "oracle.cc"), "-o", str(folder / "oracle")])
    said = {"library": "built", "oracle": _run([*EMULATOR, str(folder / "oracle")])}
    sanitize = ["-O1", "-fsanitize=address", "-g"]
    if compiler[0].startswith("clang"):
        said["bounds"] = "not run: Debian's Clang has no sanitizer for another processor"
        return said
    _run([*compiler, *flags, *sanitize, *inner, str(NATIVE / "bounds.cc"), "-o", str(folder / "bounds")])
    # leaks cannot be looked for under an emulator, which is a debugger to the system
    said["bounds"] = _run([*EMULATOR, str(folder / "bounds")], {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    return said


def _setup() -> Any:
    """Load setup.py without setting anything up: its lists of files and flags are what is tried."""
    import setuptools

    setuptools.setup = lambda **options: None
    spec = importlib.util.spec_from_file_location("setup_of_firsthand", ROOT / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _run(command: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {(done.stdout + done.stderr)[-2000:]}")
    return done.stdout.strip()


def _first_line(command: list[str]) -> str:
    return _run(command).splitlines()[0]


if __name__ == "__main__":
    main()
