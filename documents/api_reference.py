"""The page of the JSON API: how it is asked, and every resource with its parameters and fields."""

from collections.abc import Iterator
from typing import Final

from documents.markdown import table
from shared_code.settings import READING_TIMEOUT
from shared_code.web.api.resources import RESOURCES
from shared_code.web.parameters import Parameter
from shared_code.web.resources import DEFAULT_ITEMS, EVER, LONGEST_SPAN, MOST_ITEMS, PAGING, SPAN

_HEAD: Final = f"""\
# The JSON API

Made by `python -m documents write` from `shared_code/web/api/resources.py`, the table from which
requests are checked and answered, too. `/api/v1/openapi.json` is the same as an OpenAPI 3.1
document, with the type of every field.

Everything is below `/api/v1`, answers GET and HEAD, and changes nothing: every answer comes from
one read-only snapshot, in which a statement has
{READING_TIMEOUT.total_seconds():.0f} seconds. Requests need the key of the function `Api`
(`x-functions-key`). Where App Service signs callers in, too, the log names the id of who asked.

- **Times** are RFC 3339 in UTC. **Amounts** are decimal strings at the scale of their currency,
  counts are numbers. Vocabularies are told by name.
- **Lists** answer `items`, `next_cursor` and `as_of`, newest or greatest first, at most
  `limit` of {MOST_ITEMS:,} items ({DEFAULT_ITEMS} if it is left out). `cursor` takes the
  `next_cursor` of the page before, with the parameters of that page; a `Link` header has both.
- **Spans** are half-open, of at most {LONGEST_SPAN.days} days: `from` and `to`. Left out they are
  the last 24 hours, and stay the same from page to page.
- **CSV**: `format=csv`, or `Accept: text/csv`. What a spreadsheet would take for a formula gets an
  apostrophe before it.
- **ETags** of lists are of the items, not of when: `If-None-Match` answers 304 while none changes.
- **Errors** are problem details (RFC 9457). 400: a parameter is wrong, and `errors` names each.
  422: parameters make no sense together, or a cursor is of another query. 503 and 504: the database
  is not there, or took too long; `Retry-After` says when to ask again.

Personal data: customers are told by their ids, as the database has them. Hashes of e-mail addresses
and contents are never told, of a card's fingerprint the first eight characters, metadata never. Of
a refused body only the shape is told: keys, punctuation, and no other letter or digit.
What `detail` quotes of an event is told where it may be a code, of up to 16 letters of ASCII and
underscores, and is an ellipsis else.

`/api/health` (the process lives) and `/api/ready` (the database can be reached, has the schema of
the release, and lets rules be read) need no key and say no more than that.

## Resources
"""


def api_reference() -> str:
    """Return the page as Markdown."""
    return "\n".join([*_lines(), ""])


def _lines() -> Iterator[str]:
    yield _HEAD
    for resource in RESOURCES:
        yield f"### {resource.path}"
        yield ""
        kind = "A list. " if resource.key_types else ""
        span = " Has a span." if SPAN[0] in resource.parameters else ""
        yield f"{kind}{resource.summary}{span}"
        yield ""
        own = [each for each in resource.parameters if each not in (*SPAN, *EVER, *PAGING)]
        if EVER[0] in resource.parameters:
            own = [*EVER, *own]
        if own:
            yield from table(["parameter", "meaning", "values"], map(_row, own))
            yield ""
        if resource.item is not None:
            fields = ", ".join(f"`{name}`" for name in resource.item.__struct_fields__)
            yield " ".join((resource.item.__doc__ or "").split()).replace("``", "`")
            yield ""
            yield f"Fields: {fields}."
            yield ""


def _row(parameter: Parameter) -> list[str]:
    schema = parameter.kind.schema()
    values = "RFC 3339" if schema.get("format") == "date-time" else ""
    if "enum" in schema:
        names = schema["enum"]
        few = 20
        values = ", ".join(names) if len(names) <= few else f"{len(names)} codes"
    elif not values:
        values = f"`{schema['pattern']}`" if "pattern" in schema else schema.get("format", "")
    default = f"; {parameter.default} if left out" if parameter.default else ""
    again = "; may be repeated" if parameter.repeated else ""
    return [
        f"`{parameter.name}`",
        f"{parameter.meaning.removesuffix('.')}{again}{default}.",
        values,
    ]
