"""Checks one function.json strictly and turns it into a ``FunctionSpec``.

Microsoft's worker lets a misspelt direction, dataType, schedule or connection pass, or fails on it
later; here every mistake of every file is found before anything is loaded.
"""

import ast
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from local_azure.functions.binding_checks import BINDINGS, BindingContext, Part
from local_azure.functions.bindings import (
    BlobInput,
    BlobOutput,
    BlobTrigger,
    EventHubTrigger,
    FunctionSpec,
    HttpOutput,
    HttpTrigger,
    Output,
    TimerTrigger,
    Trigger,
)
from local_azure.functions.findings import Finding, did_you_mean
from local_azure.functions.reader import Findings, ObjectReader
from local_azure.functions.retry import (
    UNLIMITED,
    ExponentialBackoff,
    FixedDelay,
    RetryPolicy,
)
from local_azure.functions.settings import Settings

_TRIGGERS = (EventHubTrigger, TimerTrigger, BlobTrigger, HttpTrigger)


class _Strategy(StrEnum):
    EXPONENTIAL_BACKOFF = "exponentialBackoff"
    FIXED_DELAY = "fixedDelay"


def check_function(
    raw: Mapping[str, object], folder: Path, settings: Settings, findings: Findings
) -> FunctionSpec | None:
    """Check one function.json.

    Args:
        raw: the object that stands in the file.
        folder: the function's folder; its name is the function's name.
        settings: for ``%Name%``, connections, and ``AzureWebJobs.<Function>.Disabled``.
        findings: takes every mistake.

    Returns:
        the function, or None when a mistake leaves it without a trigger.
    """
    file = f"{folder.name}/function.json"
    before = len(findings)
    reader = ObjectReader(raw, file, findings)
    disabled = _disabled(reader, settings) or settings.is_disabled(folder.name)
    script, entry_point = _code(reader, folder)
    parts = _bindings(reader, file, settings, findings)
    trigger = _trigger(parts, file, findings)
    retry = _retry(reader, trigger)
    reader.ignore("generatedBy", "configurationSource", "language", "functionDirectory")
    reader.close()
    if trigger is None or len(findings) > before:
        return None
    outputs: tuple[Output, ...] = tuple(
        part for part in parts if isinstance(part, BlobOutput | HttpOutput)
    )
    return FunctionSpec(
        name=folder.name,
        directory=folder,
        script_file=script,
        entry_point=entry_point,
        trigger=trigger,
        inputs=tuple(part for part in parts if isinstance(part, BlobInput)),
        outputs=outputs,
        retry=retry,
        disabled=disabled,
    )


def _disabled(reader: ObjectReader, settings: Settings) -> bool:
    value = reader.raw("disabled")
    if isinstance(value, str):
        return settings.flag(value.strip("%"))
    if value is not None and not isinstance(value, bool):
        reader.wrong("'disabled' is neither true, false nor the name of a setting", "Mend it.")
    return value is True


def _code(reader: ObjectReader, folder: Path) -> tuple[Path, str]:
    script = reader.text("scriptFile", "__init__.py", default="__init__.py")
    entry_point = reader.text("entryPoint", "main", default="main")
    path = (folder / script).resolve()
    if not path.is_file():
        reader.wrong(
            f"'scriptFile' is '{script}', which is no file", f"Create {folder.name}/{script}."
        )
    elif path.suffix != ".py":
        reader.wrong(f"'scriptFile' is '{script}'", "The Python worker loads .py files only.")
    elif not path.is_relative_to(folder.parent.resolve()):
        reader.wrong(
            f"'scriptFile' is '{script}', outside the project", "Move it into the project."
        )
    if not entry_point.isidentifier():
        reader.wrong(f"'entryPoint' is '{entry_point}'", "Write the name of a Python function.")
    elif path.is_file() and path.suffix == ".py":
        _check_entry_point(reader, path, script, entry_point)
    return path, entry_point


def _check_entry_point(reader: ObjectReader, path: Path, script: str, entry_point: str) -> None:
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError as error:
        reader.wrong(f"{script} is not Python: {error.msg} (line {error.lineno})", "Mend it there.")
        return
    known: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                known.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                known.add(name)
            case ast.alias(name=name, asname=alias):
                known.add(alias or name)
    if entry_point not in known and "*" not in known:
        reader.wrong(
            f"'entryPoint' is '{entry_point}', which {script} does not define",
            did_you_mean(entry_point, known) if known else f"Write def {entry_point}(...) in it.",
        )


def _bindings(
    reader: ObjectReader, file: str, settings: Settings, findings: Findings
) -> tuple[Part, ...]:
    raw = reader.raw("bindings")
    if not isinstance(raw, list) or not raw:
        reader.wrong("'bindings' is no list of bindings", 'Add "bindings": [ { ... } ].')
        return ()
    parts: list[Part] = []
    for position, item in enumerate(raw):
        if not isinstance(item, dict):
            reader.wrong(f"bindings[{position}] is no object", "Write each binding in braces.")
            continue
        name = item.get("name")
        label = name if isinstance(name, str) and name else f"bindings[{position}]"
        part = _binding(ObjectReader(item, file, findings, label), settings)
        if part is not None:
            parts.append(part)
    counted = Counter(part.name for part in parts)
    for name, times in counted.items():
        if times > 1:
            findings.append(
                Finding(file, name, f"the name stands {times} times", "Each binding needs its own.")
            )
    _check_expressions(parts, file, findings)
    return tuple(parts)


def _binding(reader: ObjectReader, settings: Settings) -> Part | None:
    name = reader.text("name", "events", required=True)
    if name and name != "$return" and not name.isidentifier():
        reader.wrong(
            f"'name' is '{name}'", "It names a Python parameter: letters, digits and underscores."
        )
    kind = reader.text("type", "eventHubTrigger", required=True)
    if not kind:
        return None
    read = BINDINGS.get(kind)
    if read is None:
        reader.wrong(
            f"the binding type '{kind}' is not supported here", did_you_mean(kind, BINDINGS)
        )
        return None
    part = read(BindingContext(reader, settings, name))
    reader.close()
    return part


def _trigger(parts: tuple[Part, ...], file: str, findings: Findings) -> Trigger | None:
    triggers = [part for part in parts if isinstance(part, _TRIGGERS)]
    if len(triggers) == 1:
        return triggers[0]
    # A trigger that could not be read has its own finding; that it is missing is no second one.
    if triggers or not any(finding.file == file and finding.binding for finding in findings):
        names = ", ".join(trigger.name for trigger in triggers) or "none"
        findings.append(
            Finding(
                file,
                None,
                f"a function needs exactly one trigger, and has {len(triggers)} ({names})",
                "Keep one of eventHubTrigger, timerTrigger, blobTrigger, httpTrigger.",
            )
        )
    return None


_SYSTEM_VALUES = {"sys.methodname", "sys.utcnow", "sys.randguid"}


def _check_expressions(parts: list[Part], file: str, findings: Findings) -> None:
    trigger = next((part for part in parts if isinstance(part, _TRIGGERS)), None)
    # What a request offers is known only when it comes: route, query and so on.
    if trigger is None or isinstance(trigger, HttpTrigger):
        return
    offered = set(trigger.path.parameters) if isinstance(trigger, BlobTrigger) else set[str]()
    folded = {name.casefold() for name in offered} | _SYSTEM_VALUES | {"blobtrigger"}
    if not isinstance(trigger, BlobTrigger):
        folded.discard("blobtrigger")
    for part in parts:
        if not isinstance(part, BlobInput | BlobOutput):
            continue
        for parameter in part.path.parameters:
            if parameter.casefold() not in folded:
                listed = ", ".join(f"{{{name}}}" for name in sorted(offered)) or "no names"
                findings.append(
                    Finding(
                        file,
                        part.name,
                        f"'path' holds '{{{parameter}}}', which the {trigger.kind} does not offer",
                        f"It offers {listed}; {{rand-guid}} and {{DateTime}} stand everywhere.",
                    )
                )


def _retry(reader: ObjectReader, trigger: Trigger | None) -> RetryPolicy | None:
    if reader.raw("retry") is None:
        return None
    policy = reader.child("retry")
    if isinstance(trigger, HttpTrigger | BlobTrigger):
        policy.ignore(*policy.keys())
        reader.wrong(
            f"'retry' stands beside a {trigger.kind}",
            "Remove it: Azure retries by policy only event hub and timer triggers.",
        )
        return None
    strategy = policy.choice("strategy", _Strategy)
    count = policy.raw("maxRetryCount")
    if not isinstance(count, int) or isinstance(count, bool) or count < UNLIMITED:
        policy.wrong(
            f"'retry.maxRetryCount' is {count!r}", "Write a whole number, or -1 for unlimited."
        )
        count = 0
    result: RetryPolicy | None = None
    match strategy:
        case _Strategy.FIXED_DELAY:
            delay = policy.duration("delayInterval", None, "00:00:10")
            if delay is not None:
                result = FixedDelay(count, delay)
            elif policy.raw("delayInterval") is None:
                policy.wrong("'retry.delayInterval' is missing", 'Add "delayInterval": "00:00:10".')
        case _Strategy.EXPONENTIAL_BACKOFF:
            result = _backoff(policy, count)
        case None:
            policy.ignore("delayInterval", "minimumInterval", "maximumInterval")
    policy.close()
    return result


def _backoff(policy: ObjectReader, count: int) -> ExponentialBackoff | None:
    for key, example in (("minimumInterval", "00:00:05"), ("maximumInterval", "00:15:00")):
        if policy.raw(key) is None:
            policy.wrong(f"'retry.{key}' is missing", f'Add "{key}": "{example}".')
    minimum = policy.duration("minimumInterval", None, "00:00:05")
    maximum = policy.duration("maximumInterval", None, "00:15:00")
    if minimum is None or maximum is None:
        return None
    if minimum > maximum:
        policy.wrong("'retry.minimumInterval' is above 'retry.maximumInterval'", "Swap them.")
        return None
    return ExponentialBackoff(count, minimum, maximum)
