"""Where the configurations lie that come with the simulator."""

from functools import cache
from pathlib import Path
from typing import Final

PROFILES_FOLDER: Final = Path(__file__).parent / "profiles"


@cache
def profile_names() -> tuple[str, ...]:
    """Return the names of the shipped profiles, by the alphabet."""
    return tuple(sorted(file.stem for file in PROFILES_FOLDER.glob("*.yaml")))


def location(profile_or_path: str, folder: Path = Path()) -> Path:
    """Return the file of a shipped profile, or a path relative to a folder."""
    if profile_or_path in profile_names():
        return PROFILES_FOLDER / f"{profile_or_path}.yaml"
    return folder / profile_or_path
