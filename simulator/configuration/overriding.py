"""Options such as ``--set violations.structuring.share=0.02``, laid over a document."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from simulator.configuration.document import compose
from simulator.configuration.errors import Mistake, Path, Place
from simulator.configuration.loading import EXTENDS
from simulator.configuration.nodes import Entry, Node, list_node, map_node, merged, shown_node

OPTION: Final = "--set "
"""Begins the place of a mistake in an option."""

_LONGEST_SHOWN: Final = 80
_OF_FILES: Final = (EXTENDS, "$schema")


class Overridden(NamedTuple):
    """A document under options, and what is wrong with the options themselves."""

    root: Node
    mistakes: tuple[Mistake, ...]


class _Misplaced(Exception):
    """An option's path leads to nowhere; the message says why."""


def override(root: Node, options: Sequence[str], environment: Mapping[str, str]) -> Overridden:
    """Lay options over a document, later ones over earlier ones.

    A map in an option is merged with what is there, anything else takes its place. Steps into
    lists are positions that count from 0.
    """
    mistakes: list[Mistake] = []
    for option in options:
        place = Place(_name_of(option))
        path, equals, text = option.partition("=")
        steps = path.strip().split(".")
        if not equals or not all(steps):
            message = "expected a path and a value, such as time.duration=24h"
            mistakes.append(Mistake(place, (), message, "write PATH=VALUE"))
        elif steps[0] in _OF_FILES:
            message = f"{steps[0]} is for files"
            mistakes.append(Mistake(place, (), message, "name the other file in its place"))
        else:
            root, wrong = _overridden(root, steps, text, place, environment)
            mistakes.extend(wrong)
    return Overridden(root, tuple(mistakes))


def _overridden(
    root: Node, steps: Sequence[str], text: str, place: Place, environment: Mapping[str, str]
) -> Overridden:
    try:
        text.encode()
    except UnicodeEncodeError:
        return Overridden(
            root, (Mistake(place, (), "the value is not text in UTF-8", "type it anew"),)
        )
    value, wrong = compose(text, lambda _line, _column: place, environment)
    if wrong:
        at: Path = tuple(steps)
        return Overridden(root, tuple(each._replace(path=at + each.path) for each in wrong))
    try:
        return Overridden(_laid(root, steps, value or Node(place, None), place), ())
    except _Misplaced as misplaced:
        return Overridden(root, (Mistake(place, (), str(misplaced)),))


def _laid(node: Node | None, steps: Sequence[str], value: Node, place: Place) -> Node:
    if not steps:
        return merged(node, value) if node else value
    step, below = steps[0], steps[1:]
    content = node.content if node else None
    match content:
        case None:
            return map_node(place, {step: Entry(place, _laid(None, below, value, place))})
        case Mapping() as entries:
            entry = entries.get(step)
            laid = _laid(entry.node if entry else None, below, value, place)
            # The map stays where it was: most of it is written there.
            return map_node(node.place if node else place, {**entries, step: Entry(place, laid)})
        case tuple() as items:
            position = int(step) if step.isdecimal() and len(step) <= 4 else len(items)
            if position >= len(items):
                message = f"{step} is no position in a list of {len(items)}; they count from 0"
                raise _Misplaced(message)
            laid = _laid(items[position], below, value, place)
            return list_node(
                node.place if node else place, (*items[:position], laid, *items[position + 1 :])
            )
        case _:
            found = shown_node(node) if node else ""
            message = f"{step} would have to be inside of {found}; that is no map"
            raise _Misplaced(message)


def _name_of(option: str) -> str:
    text = option if option.isprintable() else ascii(option)[1:-1]
    shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
    return f"{OPTION}{shown}"
