"""Reads the YAML text of a rule document, however hostile it is.

It reads what JSON can say, and nothing that YAML adds: no anchors, aliases, tags, merge keys,
directives or second document. Of what stands without quotes, only the words and numbers of YAML
1.2's core schema are more than text; ``NO``, ``on``, ``12:30``, dates, ``1_000``, ``0x1f``,
``0o17`` and whatever begins with a needless zero, such as the merchant category 0742, are text.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from shared_code.rules.errors import MAX_ERRORS, RuleDocumentRefused, RuleError, json_path, shown
from shared_code.rules.structure import (
    MAX_DEPTH,
    MAX_VALUES,
    NO_NUMBER,
    TOO_DEEP,
    TOO_MANY,
    decimal_number,
    empty,
    object_of,
    readable_text,
    refused,
    well_built,
    whole_number,
)

type _Spelling = yaml.CollectionStartEvent | yaml.ScalarEvent | yaml.AliasEvent

_WORDS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), NO_NUMBER),
    **dict.fromkeys(
        (sign + name for sign in ("", "+", "-") for name in (".inf", ".Inf", ".INF")), NO_NUMBER
    ),
}
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*+)")
_NUMBER: Final = re.compile(
    r"[-+]?(?:(?:0|[1-9][0-9]*+)(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][-+]?[0-9]++)?"
)
_BLANKS: Final = re.compile("(?:[ \t\r\n\x85\u2028\u2029]++|#[^\r\n\x85\u2028\u2029]*+)*+")


def parse(content: bytes) -> Any:
    """Return what a YAML text holds, in the types in which JSON is read.

    Raises:
        RuleDocumentRefused: no YAML in UTF-8, beyond a limit, ambiguous by repeated keys, or with
            something that JSON cannot say.
    """
    return well_built(_built(readable_text(content)))


def plain_value(text: str) -> Any:
    """Return what a scalar means that stands without quotes; the text itself if nothing else."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return whole_number(text)
    return decimal_number(text) if _NUMBER.fullmatch(text) else text


def _built(text: str) -> Any:
    begin = _after_blanks(text, 0)
    # Refused before they are read: libyaml takes seconds for thousands of them.
    if text.startswith("%", begin):
        line = text.count("\n", 0, begin) + 1
        message = f"the document has a directive, such as %YAML or %TAG, at line {line}"
        raise refused(message, "Leave it out.")
    builder = _Builder()
    try:
        for event in _events(text):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise refused(*_no_yaml(error)) from error
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        message = f"the document is no YAML: {error.reason} at line {line}"
        raise refused(message, "Write the character as an escape in double quotes.") from error
    return builder.document()


def _no_yaml(error: yaml.MarkedYAMLError) -> tuple[str, str]:
    place: Any = error.problem_mark
    begin: Any = error.context_mark or place
    message = f"the document is no YAML: {error.problem} at line {place.line + 1}"
    suggestion = f"Look at column {place.column + 1} and just before it"
    if begin.line < place.line:
        return message, f"{suggestion}, and at what begins at line {begin.line + 1}."
    return message, f"{suggestion}."


def _events(text: str) -> Iterator[yaml.Event]:
    """Pass on the events of the first document, and refuse a second one unread."""
    documents = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        documents += isinstance(event, yaml.DocumentStartEvent)
        if documents > 1 or _ends_early(event, text):
            message = f"a second document begins at or after line {_line(event)}"
            raise refused(message, "Keep one document in a file.")
        yield event


def _ends_early(event: yaml.Event, text: str) -> bool:
    if not (isinstance(event, yaml.DocumentEndEvent) and event.explicit):
        return False
    end: Any = event.end_mark
    return _after_blanks(text, end.index) < len(text)


def _line(event: yaml.Event) -> int:
    mark: Any = event.start_mark  # libyaml sets it for every event
    return int(mark.line) + 1


def _after_blanks(text: str, start: int) -> int:
    """Return where blanks, line breaks and comments end that begin at a place."""
    blanks = _BLANKS.match(text, start)
    return blanks.end() if blanks else start


class _Open:
    """An object or a list that has begun and not ended."""

    def __init__(self, *, is_object: bool) -> None:
        self.is_object = is_object
        self.keys: list[str] = []
        self.values: list[Any] = []

    def awaits_key(self) -> bool:
        """Tell whether the next node is a key and not a value."""
        return self.is_object and len(self.keys) == len(self.values)

    def step(self) -> str | int:
        """Return the key or the index of the value that is being read."""
        return self.keys[-1] if self.is_object else len(self.values)

    def value(self) -> Any:
        """Return what has ended."""
        if self.is_object:
            return object_of(list(zip(self.keys, self.values, strict=True)))
        return self.values


class _Builder:
    """Makes one value of events, without recursion, and stops where a limit is passed.

    What JSON cannot say is noted with its place, so that one refusal tells all.
    """

    def __init__(self) -> None:
        self._errors: list[RuleError] = []
        self._open: list[_Open] = []
        self._roots: list[Any] = []
        self._values = 0

    def document(self) -> Any:
        """Return the value, once every event is taken."""
        if self._errors:
            raise RuleDocumentRefused(self._errors)
        if not self._roots:
            raise empty()
        return self._roots[0]

    def take(self, event: yaml.Event) -> None:
        """Take the next event."""
        if isinstance(event, yaml.CollectionEndEvent):
            self._place(self._open.pop().value())
        elif isinstance(event, yaml.CollectionStartEvent | yaml.ScalarEvent | yaml.AliasEvent):
            self._refuse_additions(event)
            if self._open and self._open[-1].awaits_key():
                self._take_key(event)
            else:
                self._take_value(event)

    def _take_key(self, event: _Spelling) -> None:
        line = _line(event)
        if isinstance(event, yaml.CollectionStartEvent):
            message = f"an object or a list is a key at line {line}"
            self._note(message, "Use text as a key.")
            raise RuleDocumentRefused(self._errors)
        key = str(event.value) if isinstance(event, yaml.ScalarEvent) else f"*{event.anchor}"
        if isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
            if key == "<<":
                message = f"a merge key, <<, stands at line {line}"
                self._note(message, "Write out what it would merge.")
            elif not isinstance(plain_value(key), str):
                message = f"the key {shown(key)} at line {line} is no text"
                self._note(message, "Put it in quotes.")
        self._open[-1].keys.append(key)

    def _take_value(self, event: _Spelling) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            raise RuleDocumentRefused([TOO_MANY])
        if isinstance(event, yaml.CollectionStartEvent):
            if len(self._open) > MAX_DEPTH:
                path = [each.step() for each in self._open[:-1]]
                raise RuleDocumentRefused([RuleError(json_path(path), *TOO_DEEP)])
            self._open.append(_Open(is_object=isinstance(event, yaml.MappingStartEvent)))
        elif isinstance(event, yaml.ScalarEvent):
            self._place(plain_value(event.value) if event.implicit[0] else event.value)
        else:
            self._place(None)

    def _place(self, value: Any) -> None:
        (self._open[-1].values if self._open else self._roots).append(value)

    def _refuse_additions(self, event: _Spelling) -> None:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent):
            message = f"an alias, *{_name(event.anchor)}, stands at line {line}"
            self._note(message, "Write out what it stands for; lists can be named under 'lists'.")
            return
        if event.anchor is not None:
            message = f"an anchor, &{_name(event.anchor)}, stands at line {line}"
            self._note(message, "Leave it out, and put text that begins with & in quotes.")
        if event.tag is not None:
            message = f"a tag, {_name(event.tag)}, stands at line {line}"
            self._note(message, "Leave it out, and put text that begins with ! in quotes.")

    def _note(self, message: str, suggestion: str) -> None:
        inside = self._open[:-1] if self._open and self._open[-1].awaits_key() else self._open
        self._errors.append(
            RuleError(json_path(each.step() for each in inside), message, suggestion)
        )
        if len(self._errors) >= MAX_ERRORS:
            raise RuleDocumentRefused(self._errors)


def _name(text: str | None) -> str:
    return shown(text).strip('"')
