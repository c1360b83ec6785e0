"""Every link, path and command of the pages is one that exists; both languages show the same code."""

import ast
import fnmatch
import importlib
import itertools
import re
import shlex
import tomllib

import pytest
import typer

from firsthand.cli import app
from firsthand.studies import IDS
from firsthand.zoo.about import ABOUT
from tests.documents.pages import ROOT, anchors, blocks, pages, prose

pytestmark = pytest.mark.tiny

COMMANDS = typer.main.get_command(app).commands  # pyright: ignore[reportAttributeAccessIssue]
OPTIONS = {
    name: {option for param in command.params for option in (*param.opts, *param.secondary_opts)} | {"--help", "-h"}
    for name, command in COMMANDS.items()
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PARTS = re.findall(r'^    "([a-z-]+)",$', (ROOT / "benchmarks" / "__main__.py").read_text(), re.MULTILINE)
TARGETS = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
NAMED = [page for page in pages() if page.name != "CHANGELOG.md"]  # which tells of files that are no more
TWINS = [page for page in pages() if page.name.endswith(".zh-CN.md")]
# made by the reader, or of a package that is not here
NOT_HERE = re.compile(r"runs/|photo|\.venv|\*|\{|NAME|FILE|DATE|ID|PART")


def title(page):
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", pages(), ids=title)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, place = link.partition("#")
        target = page if not path else (page.parent / path).resolve()
        assert target.exists(), f"{link}: no such file"
        if place and target.suffix == ".md":
            assert place in anchors(target), f"{link}: no such heading"


@pytest.mark.parametrize("page", NAMED, ids=title)
def test_paths_are_there(page):
    folders = "|".join(("src", "docs", "tests", "tools", "benchmarks", "examples", "results", "notebooks"))
    for path in re.findall(rf"`((?:{folders})/[^`\s]*)`", prose(page)):
        if not NOT_HERE.search(path):
            assert (ROOT / path.partition("::")[0].partition(":")[0]).exists(), path


def commands(page):
    """The commands of a page, in blocks and in lines."""
    for block in blocks(page):
        if block.language in ("", "bash", "sh"):
            yield from block.lines
    yield from re.findall(r"`((?:firsthand|make) [^`]+)`", prose(page))


@pytest.mark.parametrize("page", NAMED, ids=title)
def test_commands_and_options_exist(page):
    for line in commands(page):
        words = shlex.split(line, comments=True) if line.count('"') % 2 == line.count("'") % 2 == 0 else line.split()
        if words[:1] == ["make"]:
            unknown = {word for word in words[1:] if "=" not in word and re.fullmatch(r"[\w-]+", word)} - TARGETS
            assert not unknown, line
        if words[:1] != ["firsthand"] or len(words) == 1 or words[1].startswith("-") or words[1] == "COMMAND":
            continue
        assert words[1] in COMMANDS, line
        given = {word.partition("=")[0] for word in words[2:] if re.match(r"--?[a-z]", word)}
        assert given <= OPTIONS[words[1]], (line, given - OPTIONS[words[1]])


def is_placeholder(word):
    return bool(re.fullmatch(r"[A-Z.]+", word))


@pytest.mark.parametrize("page", NAMED, ids=title)
def test_commands_are_parsed(page):
    """The blocks' commands, by the parser that reads them from a terminal."""
    for block in blocks(page):
        for line in block.lines if block.language in ("", "bash", "sh") else ():
            words = shlex.split(line.partition(" > ")[0], comments=True)
            if words[:1] == ["firsthand"]:
                COMMANDS[words[1]].make_context(words[1], words[2:])


@pytest.mark.parametrize("page", NAMED, ids=title)
def test_experiments_and_recipes_of_commands_exist(page):
    for line in commands(page):
        words = shlex.split(line, comments=True) if line.count("'") % 2 == 0 else line.split()
        if words[:2] == ["firsthand", "run"]:
            for word in itertools.takewhile(lambda word: not word.startswith("-"), words[2:]):
                assert is_placeholder(word) or fnmatch.filter(IDS, word), line
        for before, word in itertools.pairwise(words):
            if words[0] == "firsthand" and before == "--recipe":
                assert is_placeholder(word) or word in ABOUT, line


@pytest.mark.parametrize("page", NAMED, ids=title)
def test_programs_and_extras_exist(page):
    """The modules, programs and extras that `python`, `pytest` and `pip` are told to run or to install."""
    text = page.read_text(encoding="utf-8")
    for module, part in re.findall(r"python -m ((?:benchmarks|tools|firsthand)[\w.]*)(?: ([a-z-]+))?", text):
        path = ROOT / ("src" if module.startswith("firsthand") else "") / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
        assert module != "benchmarks" or not part.strip("-") or part.startswith("-") or part in PARTS, part
    for program in re.findall(r"(?:python|pytest) ((?:tools|benchmarks|examples|tests)/[\w./-]+)", text):
        assert (ROOT / program).exists(), program
    for extras in re.findall(r"(?:firsthand|\.)\[([\w,]+)\]['\"]", text):
        assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"]), extras


@pytest.mark.parametrize("page", NAMED, ids=title)
def test_names_that_code_imports_exist(page):
    for block in blocks(page):
        if block.language != "python" or ">>>" in block.text:
            continue
        for node in ast.walk(ast.parse(block.text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("firsthand"):
                module = importlib.import_module(node.module or "")
                for alias in node.names:
                    if alias.name != "*" and not hasattr(module, alias.name):
                        importlib.import_module(f"{node.module}.{alias.name}")


class _Bare(ast.NodeTransformer):
    """Code without its words: texts may be in either language."""

    def visit_Constant(self, node):
        return ast.copy_location(ast.Constant("text") if isinstance(node.value, str) else node, node)


@pytest.mark.parametrize("page", TWINS, ids=title)
def test_both_languages_show_the_same_code(page):
    """Doctests aside, which only one of them needs to be."""
    english = page.with_name(page.name.replace(".zh-CN", ""))
    shown = []
    for each in (english, page):
        found = [block for block in blocks(each) if block.language == "python"]
        if any(">>>" in block.text for block in found):
            return
        shown.append([ast.dump(_Bare().visit(ast.parse(block.text))) for block in found])
    assert shown[0] == shown[1]


@pytest.mark.parametrize("page", TWINS, ids=title)
def test_twins_link_to_each_other_at_their_top(page):
    english = page.with_name(page.name.replace(".zh-CN", ""))
    for each, other in ((page, english), (english, page)):
        head = "\n".join(each.read_text(encoding="utf-8").splitlines()[:4])
        assert f"]({other.name})" in head, f"{title(each)} does not link to {other.name} at its top"


@pytest.mark.parametrize("name", ["lab.md", "lab.zh-CN.md"])
def test_every_page_of_the_lab_is_described(name):
    language = "zh" if "zh" in name else "en"
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    for page in (ROOT / "src" / "firsthand" / "web" / "page" / "pages").glob("*.js"):
        said = re.search(rf"^export const title = .*?\b{language}: \"(.*?)\"", page.read_text("utf-8"), re.MULTILINE)
        assert said is not None, page
        assert f"| {said[1]} |" in text or f"*{said[1]}*" in text or page.stem == "api", page.name


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_first_page_takes_a_minute(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text.count("\n") <= 120
    assert "make train" in text
    assert "make test" in text
    other = re.search(r"\]\((README[\w.-]*)\)", text)
    assert other is not None
    assert (ROOT / other[1]).exists()


def test_a_page_without_a_chinese_twin_is_called_english():
    text = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
    for link, mark in re.findall(r"\]\(([^)]+\.md)\)(（英文）)?", text):
        english = not link.endswith(".zh-CN.md") and link != "README.md"
        assert bool(mark) == english, link
