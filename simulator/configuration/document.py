"""Reads one YAML text into values with places, however broken or hostile it is.

Anchors, aliases and merge keys may save typing; their number of values is bounded, so that a few
lines cannot stand for billions. Tags and further documents are mistakes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any, Final, NamedTuple

import yaml

from simulator.configuration.errors import Mistake, Path, Place
from simulator.configuration.nodes import Entry, Node, Scalar, list_node, map_node, shown
from simulator.configuration.scalars import value_of
from simulator.configuration.variables import VariableMistake, expanded

MAX_BYTES: Final = 1024 * 1024
_MAX_VALUES: Final = 50_000
_MAX_DEPTH: Final = 32
_MERGE_KEY: Final = "<<"

type Locate = Callable[[int, int], Place]
"""Tells the place of a line and a column that count from 0."""


class Composed(NamedTuple):
    """What a text holds; ``root`` is None if it is empty or no YAML."""

    root: Node | None
    mistakes: tuple[Mistake, ...]


def compose(text: str, locate: Locate, environment: Mapping[str, str]) -> Composed:
    """Return what a YAML text holds, its variables expanded, with every mistake in it.

    Where a value has a mistake, null stands in the result.
    """
    builder = _Builder(locate, environment)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.take(event)
    except _Stop as stop:
        return Composed(None, (*builder.mistakes, stop.mistake))
    except yaml.MarkedYAMLError as error:
        return Composed(None, (*builder.mistakes, _no_yaml(error, locate, text)))
    except yaml.reader.ReaderError as error:
        lines = text.encode()[: error.position].split(b"\n")
        place = locate(len(lines) - 1, len(lines[-1].decode(errors="replace")))
        message = f"this is no YAML: {error.reason}"
        advice = "write the character as an escape in double quotes"
        return Composed(None, (*builder.mistakes, Mistake(place, (), message, advice)))
    return Composed(builder.root, tuple(builder.mistakes))


def _no_yaml(error: yaml.MarkedYAMLError, locate: Locate, text: str) -> Mistake:
    mark: Any = error.problem_mark  # libyaml sets it for every error
    message = f"this is no YAML: {error.problem}"
    advice = "look just before it: indentation, quotes, brackets, and a blank after each colon"
    if any("${" in line for line in text.split("\n")[mark.line : mark.line + 1]):
        advice = "give a variable a line of its own, outside of braces and brackets"
    return Mistake(locate(mark.line, mark.column), (), message, advice)


class _Stop(Exception):
    """A mistake after which nothing sensible can be read."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.message)
        self.mistake = mistake


@dataclass(slots=True)
class _Open:
    """A map or a list that has begun and not ended."""

    place: Place
    key_place: Place
    anchor: str | None
    is_map: bool
    entries: dict[str, Entry] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)
    merges: list[Node] = field(default_factory=list)
    key: str | None = None

    def step(self) -> str | int:
        """Return the key or the position of the value that is being read."""
        return self.key or "" if self.is_map else len(self.items)

    def node(self) -> Node:
        """Return what has ended; the keys of a map hide those that it merges."""
        if not self.is_map:
            return list_node(self.place, self.items)
        entries: dict[str, Entry] = {}
        for merge in reversed(self.merges):
            if isinstance(merge.content, Mapping):
                entries |= merge.content
        return map_node(self.place, entries | self.entries)


class _Builder:
    """Makes one value of events, without recursion, and stops where a limit is passed."""

    def __init__(self, locate: Locate, environment: Mapping[str, str]) -> None:
        self.root: Node | None = None
        self.mistakes: list[Mistake] = []
        self._locate = locate
        self._environment = environment
        self._open: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}
        self._documents = 0
        self._values = 0
        self._put_in = 0

    def take(self, event: yaml.Event) -> None:
        """Take the next event."""
        mark: Any = event.start_mark  # libyaml sets it for every event
        place = self._locate(mark.line, mark.column)
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise self._stop(place, "a second document begins", "keep one in a file")
            case yaml.CollectionEndEvent():
                ended = self._open.pop()
                self._put(ended.node(), ended.anchor)
            case yaml.CollectionStartEvent() | yaml.ScalarEvent() | yaml.AliasEvent():
                if self._open and self._open[-1].is_map and self._open[-1].key is None:
                    self._take_key(event, place)
                else:
                    self._take_value(event, place)
            case _:
                pass

    def _take_key(self, event: yaml.Event, place: Place) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise self._stop(
                place, "a list, a map or an alias is a key", "put text with braces in quotes"
            )
        self._open[-1].key = event.value
        self._open[-1].key_place = place

    def _take_value(self, event: yaml.NodeEvent, place: Place) -> None:
        self._count(1, place)
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._note(place, f"the tag {tag!a} has no meaning here", "leave it out")
        match event:
            case yaml.CollectionStartEvent():
                if len(self._open) >= _MAX_DEPTH:
                    raise self._stop(place, f"more than {_MAX_DEPTH} levels", "nest less")
                if event.anchor is not None:
                    self._anchors[event.anchor] = None
                is_map = isinstance(event, yaml.MappingStartEvent)
                self._open.append(_Open(place, place, event.anchor, is_map))
            case yaml.ScalarEvent():
                self._put(self._scalar(event, place), event.anchor)
            case _:
                self._put(self._repeated(str(event.anchor), place), None)

    def _scalar(self, event: yaml.ScalarEvent, place: Place) -> Node:
        try:
            text, from_variables = expanded(event.value, self._environment)
        except VariableMistake as mistake:
            self._note(place, mistake.message, mistake.suggestion)
            return Node(place, None)
        self._put_in += len(text) if from_variables else 0
        if self._put_in > MAX_BYTES:
            message = f"variables put in more than {MAX_BYTES} characters"
            raise self._stop(place, message, "set shorter ones")
        value: Scalar = value_of(text) if event.implicit[0] else text
        if isinstance(value, float) and not isfinite(value):
            self._note(place, "this number is not finite", "write an ordinary one")
            return Node(place, None)
        return Node(place, value, event.value if from_variables else None)

    def _repeated(self, name: str, place: Place) -> Node:
        anchored = self._anchors.get(name)
        if anchored is None:
            inside = name in self._anchors
            message = f"*{name} stands inside of what it repeats" if inside else f"no &{name} yet"
            self._note(place, message, f"put &{name} before a value further up")
            return Node(place, None)
        self._count(anchored.size, place)
        return replace(anchored, place=place)

    def _put(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        if not parent.is_map:
            parent.items.append(node)
            return
        key = str(parent.key)
        if key == _MERGE_KEY:
            self._merge(parent, node)
        elif key in parent.entries:
            line = parent.entries[key].place.line
            earlier = f" after line {line}" if line else ""
            message = f"the key {shown(key)} stands here again{earlier}"
            self._note(parent.key_place, message, "keep one of them")
        else:
            parent.entries[key] = Entry(parent.key_place, node)
        parent.key = None

    def _merge(self, parent: _Open, node: Node) -> None:
        merges = node.content if isinstance(node.content, tuple) else (node,)
        if all(isinstance(each.content, Mapping) for each in merges):
            parent.merges.extend(merges)
        else:
            self._note(parent.key_place, "<< merges maps, and this is none", "write <<: *name")

    def _count(self, values: int, place: Place) -> None:
        self._values += values
        if self._values > _MAX_VALUES:
            raise self._stop(place, f"more than {_MAX_VALUES} values", "repeat fewer anchors")

    def _path(self) -> Path:
        return tuple(each.step() for each in self._open)

    def _note(self, place: Place, message: str, suggestion: str) -> None:
        self.mistakes.append(Mistake(place, self._path(), message, suggestion))

    def _stop(self, place: Place, message: str, suggestion: str) -> _Stop:
        return _Stop(Mistake(place, (), message, suggestion))
