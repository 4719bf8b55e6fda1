"""What Microsoft's worker runtime itself says to right and to wrong bindings."""

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from integration.local_azure.functions.sample_app import REPOSITORY, environment

# Loads every folder of a project through the worker and prints what it says to each. A process of
# its own, for a loaded project never unloads. Function.json is not checked by the host here: the
# point is what the worker catches, and what it lets pass.
PROBE = """
import json, sys
from pathlib import Path
from local_azure.functions.bindings import *
from local_azure.functions.errors import FunctionLoadFailed
from local_azure.functions.path_templates import PathTemplate
from local_azure.functions.routes import parse_route
from local_azure.functions.schedules import parse_schedule
from local_azure.functions.worker import Worker

root = Path(sys.argv[1])
path = PathTemplate("files/some.json")
timer = TimerTrigger("timer", parse_schedule("0 0 * * * *"), False, True)
hub = EventHubTrigger("events", "hub", "Hub", "$Default", Cardinality.MANY, DataType.BINARY)
one = EventHubTrigger("events", "hub", "Hub", "$Default", Cardinality.ONE, DataType.BINARY)
blob_in = BlobInput("model", path, "Storage", None)
blob_out = BlobOutput("o", path, "Storage")
http = HttpTrigger("req", parse_route(""), (), AuthLevel.ANONYMOUS)
bindings = {
    "timer": (timer, (), ()),
    "hub": (hub, (), ()),
    "one": (one, (), ()),
    "hub_in": (hub, (blob_in,), ()),
    "timer_out": (timer, (), (blob_out,)),
    "return_in": (timer, (BlobInput("$return", path, "Storage", None),), ()),
    "http": (http, (), (HttpOutput("$return"),)),
}
worker = Worker(root)
worker.start()
said = {}
for line in json.loads((root / "functions.json").read_text()):
    trigger, inputs, outputs = bindings[line["bindings"]]
    folder = root / line["name"]
    spec = FunctionSpec(
        line["name"], folder, folder / "__init__.py", line.get("entry", "main"),
        trigger, inputs, outputs, None, False,
    )
    try:
        worker.load(spec)
        said[spec.name] = "loaded"
    except FunctionLoadFailed as error:
        said[spec.name] = error.worker_message
worker.stop()
print(json.dumps(said))
"""

IMPORTS = "import typing\nimport azure.functions as func\n"

# name: bindings, code, and a part of what the worker says
CASES = {
    "RightBatch": ("hub", "def main(events: typing.List[func.EventHubEvent]): ...", "loaded"),
    "RightOne": ("one", "def main(events: func.EventHubEvent): ...", "loaded"),
    "RightUnannotated": ("hub", "def main(events): ...", "loaded"),
    "RightInput": (
        "hub_in",
        "def main(events: typing.List[func.EventHubEvent], model: func.InputStream): ...",
        "loaded",
    ),
    "RightOut": (
        "timer_out",
        "def main(timer: func.TimerRequest, o: func.Out[str]): ...",
        "loaded",
    ),
    "RightContext": (
        "timer",
        "def main(timer: func.TimerRequest, context: func.Context): ...",
        "loaded",
    ),
    "RightAsync": ("timer", "async def main(timer: func.TimerRequest): ...", "loaded"),
    "RightHttp": ("http", "def main(req: func.HttpRequest) -> func.HttpResponse: ...", "loaded"),
    "Misnamed": (
        "hub_in",
        "def main(events: typing.List[func.EventHubEvent], modle: func.InputStream): ...",
        "declared in Python but not in function.json: {'modle'}",
    ),
    "MissingParameter": (
        "hub_in",
        "def main(events: typing.List[func.EventHubEvent]): ...",
        "declared in function.json but not in Python: {'model'}",
    ),
    "WrongAnnotation": (
        "timer",
        "def main(timer: func.HttpRequest): ...",
        (
            'type of timer binding in function.json "timerTrigger" does not match its Python '
            'annotation "HttpRequest"'
        ),
    ),
    "BuiltInList": (
        "hub",
        "def main(events: list[func.EventHubEvent]): ...",
        "binding events has invalid non-type annotation list[",
    ),
    "Optional": (
        "hub_in",
        "def main(events: typing.List[func.EventHubEvent], model: func.InputStream | None): ...",
        "binding model has invalid non-type annotation",
    ),
    "OutWithoutOut": (
        "timer_out",
        "def main(timer: func.TimerRequest, o: str): ...",
        (
            'binding o is declared to have the "out" direction, but its annotation in Python is '
            "not a subclass of azure.functions.Out"
        ),
    ),
    "OutForIn": (
        "hub_in",
        "def main(events: typing.List[func.EventHubEvent], model: func.Out[str]): ...",
        (
            'binding model is declared to have the "in" direction in function.json, but its '
            "annotation is azure.functions.Out in Python"
        ),
    ),
    "ReturnIn": (
        "return_in",
        "def main(timer: func.TimerRequest) -> str: ...",
        '"$return" binding must have direction set to "out"',
    ),
    "NoEntryPoint": (
        "timer",
        "def run(timer: func.TimerRequest): ...",
        "cannot load function %s: function %s() is not present in %s",
    ),
    "NoModule": (
        "timer",
        "import no_such_module\ndef main(timer): ...",
        "No module named 'no_such_module'",
    ),
    # The worker lets these pass and fails at the first batch: the host's own check.
    "OneForMany": (
        "hub",
        "def main(events: func.EventHubEvent): ...",
        "annotate it typing.List[azure.functions.EventHubEvent]",
    ),
    "ManyForOne": (
        "one",
        "def main(events: typing.List[func.EventHubEvent]): ...",
        "annotate it azure.functions.EventHubEvent",
    ),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root: Path = tmp_path_factory.mktemp("project")
    functions = [{"name": name, "bindings": case[0]} for name, case in CASES.items()]
    (root / "functions.json").write_text(json.dumps(functions))
    for name, (_, code, _) in CASES.items():
        (root / name).mkdir()
        (root / name / "__init__.py").write_text(IMPORTS + dedent(code))
    # A package of the project that is named as the wheel's own must not hide Microsoft's messages.
    (root / "tests").mkdir()
    (root / "tests" / "__init__.py").write_text("raise RuntimeError('the wrong tests')")
    result = subprocess.run(
        [sys.executable, "-c", PROBE, str(root)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(),
        check=False,
    )
    assert result.returncode == 0, result.stderr
    answers: dict[str, str] = json.loads(result.stdout.splitlines()[-1])
    return answers


@pytest.mark.parametrize("name", list(CASES))
def test_the_worker_says(name: str, said: dict[str, str]) -> None:
    expected = CASES[name][2]
    if expected == "loaded":
        assert said[name] == "loaded"
    else:
        assert expected in said[name]
