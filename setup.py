"""Compiles the kernels named in src/fondaco/kernel/compiled.py, where that is possible, and builds
the browser's page from web/.

No failure here stops an install: a machine without a C compiler, or a kernel that Cython refuses,
runs from source. `fondaco doctor` tells, and the test suite insists where there is a compiler. A
house without a page says at / how to get it.
"""

import ast
import multiprocessing
import os
import sys
from hashlib import sha256
from pathlib import Path

from setuptools import Command, Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT))  # an isolated build does not look beside setup.py

import web_build  # noqa: E402

SOURCES = Path("src")
OPTIMISED = [] if sys.platform == "win32" else ["-O3", "-g0", "-Wno-unused-function"]


def kernels(name: str = "KERNELS") -> list[str]:
    """The tuple KERNELS, read without importing the package, whose dependencies are not here."""
    declared = ast.parse((ROOT / SOURCES / "fondaco/kernel/compiled.py").read_text("utf-8"))
    [listed] = [
        node.value
        for node in declared.body
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == name
    ]
    return [path for path in ast.literal_eval(listed) if (ROOT / SOURCES / path).is_file()]


def extension(path: str) -> Extension:
    name = path.removesuffix(".py").replace("/", ".")
    source = str(SOURCES / path)
    return Extension(name, [source], extra_compile_args=OPTIMISED, optional=True)


def fingerprint(source: Path) -> str:
    """As fondaco.kernel.compiled has it."""
    content = source.read_bytes()
    bound = [SOURCES / path for path in kernels("BOUND")]
    if source in bound:
        beside = (path.with_suffix(".pxd") for path in bound)
        content += b"".join(path.read_bytes() for path in beside if path.is_file())
    return sha256(content).hexdigest()


def is_typed(source: Path) -> bool:
    """Whether a kernel says its types for the compiler, so that annotations mean C types."""
    nodes = ast.walk(ast.parse(source.read_text("utf-8")))
    return any(
        (isinstance(node, ast.Import) and any(alias.name == "cython" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cython"))
        for node in nodes
    )


class Named(Extension):
    """Cython puts those that fail into a set; what setuptools makes cannot be in one."""

    __hash__ = object.__hash__


class BuildKernels(build_ext):
    """Cython first, kernel by kernel; then the C compiler; then a note of what each was made of."""

    def run(self) -> None:
        self.parallel = self.parallel or os.cpu_count()
        self._kernels = {ext.name: Path(ext.sources[0]) for ext in self.extensions}
        wanted = [ext for ext in self.extensions if not self._is_made(ext)]
        typed = {ext.name: is_typed(Path(ext.sources[0])) for ext in wanted}
        self.extensions = [
            translated
            for has_types in (True, False)
            for translated in self._translated(
                [ext for ext in wanted if typed[ext.name] is has_types], has_types
            )
        ]
        super().run()

    def _is_made(self, ext: Extension) -> bool:
        """Whether `--inplace` finds it beside its source, made of what that says today."""
        if self.force or not self.inplace:
            return False
        built = Path(self.get_ext_fullpath(ext.name))
        noted = _noted(built)
        if not built.is_file() or not noted.is_file():
            return False
        return noted.read_text().strip() == fingerprint(Path(ext.sources[0]))

    def _translated(self, wanted: list[Extension], has_types: bool) -> list[Extension]:
        """Those that Cython takes, side by side where processes can be forked."""
        if not wanted:
            return []
        at_once = os.cpu_count() if multiprocessing.get_start_method() == "fork" else None
        try:
            from Cython.Build import cythonize

            made = cythonize(
                [Named(ext.name, list(ext.sources)) for ext in wanted],
                nthreads=at_once or 0,
                build_dir=str(Path(self.build_temp) / "cython"),
                compiler_directives={"language_level": 3, "annotation_typing": has_types},
                exclude_failures=True,
                force=True,
                quiet=True,
            )
        except Exception as error:  # Whatever Cython met: the sources run as they are.
            self.warn(f"{', '.join(ext.name for ext in wanted)} stay uncompiled: {error}")
            return []
        by_name = {ext.name: ext for ext in made}
        for ext in wanted:
            if ext.name not in by_name:
                self.warn(f"{ext.name} stays uncompiled: Cython refuses it")
                continue
            ext.sources = by_name[ext.name].sources
            ext.include_dirs = by_name[ext.name].include_dirs
        return [ext for ext in wanted if ext.name in by_name]

    def build_extension(self, ext: Extension) -> None:
        super().build_extension(ext)
        built = Path(self.get_ext_fullpath(ext.name))
        _noted(built).write_text(fingerprint(self._kernels[ext.name]) + "\n")

    def copy_extensions_to_source(self) -> None:
        super().copy_extensions_to_source()
        for ext in self.extensions:
            beside = _noted(Path(self.get_ext_fullpath(ext.name)))
            built = Path(self.build_lib, *ext.name.split(".")).with_name(beside.name)
            if built.is_file():
                self.copy_file(str(built), str(beside), level=self.verbose)


def _noted(built: Path) -> Path:
    return built.with_name(built.name + ".sha256")


class BuildWeb(Command):
    """`python setup.py build_web`, and before everything that packs the package."""

    description = "build the browser terminal from web/"
    user_options = []

    def initialize_options(self) -> None: ...

    def finalize_options(self) -> None: ...

    def run(self) -> None:
        try:
            self.announce(f"fondaco: {web_build.build()}", level=2)
        except web_build.NotBuilt as why:
            self.warn(f"fondaco: installed without its browser page: {why}")


class BuildWithPage(build_py):
    def run(self) -> None:
        self.run_command("build_web")
        super().run()


class SdistWithPage(sdist):
    def run(self) -> None:
        self.run_command("build_web")
        super().run()


setup(
    ext_modules=[extension(path) for path in kernels()],
    cmdclass={
        "build_ext": BuildKernels,
        "build_py": BuildWithPage,
        "build_web": BuildWeb,
        "sdist": SdistWithPage,
    },
    # Asked for by the installer, which then brings it; nothing is fetched by running this file.
    setup_requires=web_build.wanted() if sys.argv[1:] == ["egg_info"] else [],
)
