"""Diagrams of the pages are found, and a browser says which cannot be drawn."""

from pathlib import Path

import pytest

from documents.diagrams import DiagramError, diagrams, find_browser, install_library, mistakes

PAGE = """\
# A page

```mermaid
flowchart LR
  {text}
```

```sql
SELECT 1
```
"""


def page(folder: Path, text: str) -> Path:
    file = folder / "page.md"
    file.write_text(PAGE.format(text=text), "utf-8")
    return file


def test_only_diagrams_are_found_with_their_pages(tmp_path: Path) -> None:
    file = page(tmp_path, "a --> b")
    assert list(diagrams(tmp_path)) == [(file, "flowchart LR\n  a --> b\n")]


def test_a_library_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    library = tmp_path / "javascripts" / "mermaid.min.js"
    library.parent.mkdir()
    library.write_text("here", "utf-8")
    assert install_library(tmp_path).read_text("utf-8") == "here"


@pytest.fixture(scope="session")
def browser() -> str:
    found = find_browser()
    if found is None:
        pytest.skip("no chromium here")
    return found


def test_a_browser_names_the_page_of_a_diagram_that_cannot_be_drawn(
    tmp_path: Path, browser: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    library = install_library(tmp_path_factory.mktemp("site"))
    file = page(tmp_path, "a --> [b")
    [mistake] = mistakes(list(diagrams(tmp_path)), library, browser)
    assert mistake.startswith(f"{file}: Parse error")
    page(tmp_path, "a --> b")
    assert mistakes(list(diagrams(tmp_path)), library, browser) == []


def test_a_browser_that_says_nothing_is_an_error(tmp_path: Path) -> None:
    page(tmp_path, "a --> b")
    with pytest.raises(DiagramError, match="could not look at the diagrams"):
        mistakes(list(diagrams(tmp_path)), tmp_path, "true")
