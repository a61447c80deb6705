"""The house order: a file imports only from what stands above it, so a reader never has to go back and forth."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "pipeline").rglob("*.py"))

# From what everything rests on down to the command line. A package stands for all that is in it.
HOUSE = """
    errors formats clock settings terms records topics catalogue metrics settled ninjs checked generate kafka cluster
    transactions reader client
    broker inbox
    stages.normalise stages.deduplicate stages.tag
    taxonomies
    stories
    stream monitor testing
    commands cli __main__
""".split()

# What a pure stage has no use for: Kafka, other processes, threads, sockets, clocks and chance.
IMPURE = {
    "aiohttp", "aiokafka", "asyncio", "concurrent", "faust", "multiprocessing", "os", "prometheus_client",
    "random", "requests", "shutil", "socket", "subprocess", "tempfile", "threading", "time", "urllib.request", "uvloop",
}  # fmt: skip
# The only file there that reads from disk: the data beside it, once. Makers of that data are scripts, run by hand.
READS = {"open", "read_text", "read_bytes", "files"}
READ_THEIR_DATA = {"normalise/rules.py", "deduplicate/common.py", "tag/words.py"}
MAKERS = {
    "deduplicate/data/make_common.py", "tag/data/make_places.py", "tag/data/make_topics.py",
    "tag/data/make_local_names.py",
}  # fmt: skip

# All of the house that a stage may know.
ABOVE_STAGES = ("pipeline.stages.", "pipeline.records", "pipeline.terms", "pipeline.errors", "pipeline.formats")

CLOCKS = ("now", "utcnow", "today", "monotonic", "perf_counter")

MOST_LINES, MOST_FUNCTION_LINES = 300, 40


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in FILES}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def imports(path: Path) -> Iterator[str]:
    """Full names of the modules that `path` imports, wherever in it, those for type checkers included."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a name comes from"
            module = node.module or ""
            # `from package import module` imports the module too.
            full = [f"{module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else module for name in full)


def ours(path: Path) -> set[str]:
    return {name for name in imports(path) if name.partition(".")[0] == "pipeline"} - {"pipeline"}


def place(module: str) -> int:
    """How far down the house `module` stands."""
    inner = module.removeprefix("pipeline.")
    found = [n for n, part in enumerate(HOUSE) if inner == part or inner.startswith(part + ".")]
    assert found, f"{module} has no place in the house; give it one"
    return found[0]


PLACED = [name for name in MODULES if name not in ("pipeline", "pipeline.stages")]


@pytest.mark.parametrize("module", PLACED)
def test_a_module_imports_only_from_above(module: str) -> None:
    below = {name for name in ours(MODULES[module]) if place(name) > place(module)}
    assert below == set()


def test_there_is_no_import_cycle() -> None:
    # A package's own name stands for its __init__, which importing any of its modules runs first.
    left = {name: ours(path) - {name} for name, path in MODULES.items()}
    while free := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in free:
            del left[name]
    assert left == {}


def test_the_house_names_nothing_that_is_not_there() -> None:
    assert [part for part in HOUSE if f"pipeline.{part}" not in MODULES] == []


def test_one_module_alone_imports_faust() -> None:
    found = {name for name, path in MODULES.items() if {i.partition(".")[0] for i in imports(path)} & {"faust", "mode"}}
    assert found == {"pipeline.stream.app"}


def stage_files() -> list[str]:
    folder = ROOT / "pipeline" / "stages"
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.py")) if folder.is_dir() else []


@pytest.mark.parametrize("name", [name for name in stage_files() if name not in MAKERS])
def test_a_stage_does_no_io_and_reads_no_clock(name: str) -> None:
    path = ROOT / "pipeline" / "stages" / name
    found = {i for i in imports(path) if i in IMPURE or i.partition(".")[0] in IMPURE}
    assert found == set()
    outside = {i for i in ours(path) if not i.startswith(ABOVE_STAGES)}
    assert outside == set()
    clocks = [ast.unparse(n) for n in ast.walk(tree(path)) if isinstance(n, ast.Attribute) and n.attr in CLOCKS]
    assert clocks == []


def opens_files(path: Path) -> bool:
    called = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
    return bool({f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", "") for f in called} & READS)


def test_only_the_loaders_of_data_open_files() -> None:
    folder = ROOT / "pipeline" / "stages"
    assert {name for name in stage_files() if opens_files(folder / name)} - MAKERS == READ_THEIR_DATA


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_too_long_to_read(module: str) -> None:
    path = MODULES[module]
    assert len(path.read_text().splitlines()) <= MOST_LINES
    functions = [n for n in ast.walk(tree(path)) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    long = {f.name: lines for f in functions if (lines := (f.end_lineno or 0) - f.lineno + 1) > MOST_FUNCTION_LINES}
    assert long == {}
