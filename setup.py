"""Compile the kernels, where there is a C++ compiler; everything else about the package is in pyproject.toml.

The result is one plain shared library with the kernels once per instruction set; which of them runs is decided when it
is loaded.  It is no Python extension module, so that one wheel serves every Python (py3-none-PLATFORM).  Without a
compiler the installation goes on with a wheel for any platform, and firsthand computes with plain JAX; `firsthand
doctor` says which.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

KERNELS = Path("src/firsthand/kernels")
RESULTS = ("experiments", "recipes")
DOORS = (
    "conv_pool.cc",
    "dense.cc",
    "recurrent.cc",
    "instruction_set.cc",
    "threads.cc",
)  # compiled once, for any processor
INNER = ("conv_pool_kernel.cc", "dense_kernel.cc", "recurrent_kernel.cc")  # compiled once per instruction set
FLAGS = ["-O3", "-std=c++20", "-fPIC", "-ffp-contract=fast", "-fvisibility=hidden"]
# the compiler's runtime goes inside, as the system's may be older than what the compiler asks for (GLIBCXX); of it only
# what is used, and out of sight of other libraries
STATIC = ["-static-libstdc++", "-static-libgcc", "-Wl,--exclude-libs,ALL", "-Wl,--gc-sections", "-Wl,-s"]
LINK = ["-shared", *(STATIC if sys.platform == "linux" else [])]
X86 = {f"x86_64_{level}": [f"-march=x86-64-{level}"] for level in ("v2", "v3", "v4")}


class BuildPackage(build_py):
    """The package with the results of its experiments, which stand at the top of a clone: `report` shows them."""

    def run(self):
        super().run()
        if not self.editable_mode:
            for part in RESULTS:
                target = Path(self.build_lib) / "firsthand" / "results" / part
                shutil.copytree(Path("results") / part, target, dirs_exist_ok=True)


class BuildKernels(build_ext):
    """Compile kernels/*.cc into kernels/_native.so, or say in one line why not."""

    def get_ext_filename(self, fullname):
        return str(Path(*fullname.split(".")).with_suffix(".so"))

    def build_extension(self, ext):
        target = Path(self.get_ext_fullpath(ext.name))
        target.unlink(missing_ok=True)
        try:
            compile_kernels(target)
        except (OSError, ImportError, subprocess.CalledProcessError) as error:
            reason = getattr(error, "stderr", "") or str(error)
            self.warn(f"the kernels were not compiled, plain JAX will be used: {' '.join(reason.split())[:500]}")

    def copy_extensions_to_source(self):
        """Nothing to copy where nothing was compiled (`pip install -e` without a compiler)."""
        if Path(self.get_ext_fullpath_in_build(self.extensions[0].name)).exists():
            super().copy_extensions_to_source()

    def get_ext_fullpath_in_build(self, name):
        """Where the library is before an editable installation copies it beside the sources."""
        return os.path.join(self.build_lib, self.get_ext_filename(self.get_ext_fullname(name)))


class Wheel(bdist_wheel):
    """A wheel of this platform for any Python, or of any platform where nothing was compiled."""

    def get_tag(self):
        compiled = (Path(self.bdist_dir) / KERNELS.relative_to("src") / "_native.so").exists()
        return "py3", "none", super().get_tag()[2] if compiled else "any"


def instruction_sets(machine: str) -> dict[str, list[str]]:
    """Name and flags of each that the kernels are compiled for; elsewhere than on x86 the compiler's own choice."""
    return X86 if machine in ("x86_64", "AMD64") else {"baseline": []}


def compile_kernels(target: Path) -> None:
    """Compile the doors once and the kernels once per instruction set, and link them into `target`.

    Raises:
        OSError: no C++ compiler.
        ImportError: no jaxlib, which has the headers.
        subprocess.CalledProcessError: the compiler refused; `stderr` says why.
    """
    import jaxlib

    compiler = os.environ.get("CXX") or next(filter(shutil.which, ("c++", "g++", "clang++")), None)
    if compiler is None:
        raise OSError("no C++ compiler found (c++, g++, clang++, or the one named by CXX)")
    levels = instruction_sets(platform.machine())
    headers = Path(jaxlib.__file__).parent / "include"
    with tempfile.TemporaryDirectory() as folder:
        jobs = [(source, ["-isystem", str(headers)]) for source in DOORS]
        jobs += [(source, [f"-DFIRSTHAND_ISA={name}", *levels[name]]) for source in INNER for name in levels]
        objects = []
        for source, extra in jobs:
            objects.append(f"{folder}/{len(objects)}.o")
            run([*compiler.split(), *FLAGS, *extra, "-c", str(KERNELS / source), "-o", objects[-1]])
        target.parent.mkdir(parents=True, exist_ok=True)
        run([*compiler.split(), *LINK, "-o", str(target), *objects])


def run(command: list[str]) -> None:
    """Run the compiler quietly; what it says is kept for the case that it fails."""
    subprocess.run(command, check=True, capture_output=True, text=True)


setup(
    ext_modules=[Extension("firsthand.kernels._native", sources=[])],
    cmdclass={"build_ext": BuildKernels, "build_py": BuildPackage, "bdist_wheel": Wheel},
)
