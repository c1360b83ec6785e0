"""A hook of MkDocs: links and pictures outside of docs/, and the API reference, which stands once, in English."""

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_ENGLISH = '\nAPI 参考只有英文版：<a href="../../{0}">{0}</a>\n'
_TWIN = re.compile(r"^\[(?:中文|简体中文|English)\]\([\w.-]+\)$", re.MULTILINE)  # the site has a switch
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(((?:\.\./)+[^)\s]*)\)")


def on_files(files: Any, config: Any, **_: Any) -> Any:
    """Add the pictures that pages show from results/."""
    from mkdocs.structure.files import File  # pyright: ignore[reportMissingImports]

    for page in DOCS.rglob("*.md"):
        for shown, _, link in _LINK.findall(page.read_text(encoding="utf-8")):
            picture = (page.parent / link).resolve()
            if shown and not picture.is_relative_to(DOCS):
                name = picture.relative_to(ROOT).as_posix()
                if files.get_file_from_path(name) is None:
                    files.append(File.generated(config, name, abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Replace links to files outside of docs/ by the name of the file; the Chinese API pages lead to the English."""
    name = page.file.src_uri
    if config.theme["language"] != "en" and name.startswith("api/"):
        return re.sub(r"^::: .*$", "", markdown, flags=re.MULTILINE) + _ENGLISH.format(Path(name).with_suffix(".html"))
    folder = (DOCS / name).parent
    up = "../" * (len(Path(name).parts) - 1)

    def plain(match: re.Match[str]) -> str:
        target = (folder / match[3].partition("#")[0]).resolve()
        if target.is_relative_to(DOCS):
            return match[0]
        outside = target.relative_to(ROOT).as_posix()
        return f"![{match[2]}]({up}{outside})" if match[1] else f"{match[2]} (`{outside}`)"

    return _LINK.sub(plain, _TWIN.sub("", markdown))
