"""``python -m deploy check-terraform`` and its like."""

import argparse
from pathlib import Path
from typing import Final

from deploy.console import say
from deploy.infrastructure import terraform, workflows
from deploy.infrastructure.formatting import check_format
from deploy.infrastructure.module_reference import PAGE, module_reference
from deploy.infrastructure.module_tests import folders_with_tests, run_module_tests
from deploy.infrastructure.modules import read_modules
from deploy.infrastructure.schema import EXTRACT, PACKAGE, dump, load
from deploy.infrastructure.schema_extract import extract

ROOT: Final = Path(__file__).parents[2]
FAILED: Final = 1


def add_check_terraform(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``check-terraform``."""
    parser.description = (
        "Check every module against an extract of the provider's schema, and how modules hang"
        " together: unknown, missing and misplaced arguments and blocks, undeclared and unused"
        " variables and locals, outputs and resources that are not there, names and tags that are"
        " not those of the module naming. No registry is needed. The format is checked if terraform"
        " is installed. Each finding is a line: file:line: message."
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (this one)")
    parser.set_defaults(run=_check_terraform)


def add_test_terraform(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``test-terraform``."""
    parser.description = (
        "Run the tests of modules (terraform test). Terraform has to be installed, and has to reach"
        " the registry unless a module uses no provider."
    )
    parser.add_argument(
        "modules", type=Path, nargs="*", help="such as modules/naming (all that have tests)"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (this one)")
    parser.set_defaults(run=_test_terraform)


def add_extract_schema(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``extract-terraform-schema``."""
    parser.description = (
        "Write what the provider says of the types of resources and data sources that the Terraform"
        f" uses to {EXTRACT.name}. The schema is read from the package {PACKAGE}."
    )
    parser.add_argument("--wheel", type=Path, required=True, help="the package's file")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (this one)")
    parser.set_defaults(run=_extract_schema)


def add_check_workflows(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``check-workflows``."""
    parser.description = (
        "Check every workflow: GitHub's JSON schema, zizmor, shellcheck (of every shell script,"
        " too), actions pinned to commits with their version beside, permissions given to the job"
        " that needs them, an end to every job, and that the commands of deploy which they call"
        " are there and take their options. Each finding is a line: file:line: message."
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (this one)")
    parser.set_defaults(run=_check_workflows)


def add_module_reference(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``module-reference``."""
    parser.description = f"Write {PAGE} from the files of the modules."
    parser.add_argument("--check", action="store_true", help="write nothing; fail if it is stale")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (this one)")
    parser.set_defaults(run=_module_reference)


def _module_reference(arguments: argparse.Namespace) -> int:
    page = arguments.root / PAGE
    text = module_reference(arguments.root)
    if not arguments.check:
        page.write_text(text, "utf-8")
        say(f"{PAGE}: written")
    elif not page.is_file() or page.read_text("utf-8") != text:
        say(f"{PAGE}:1: is not what the modules say; write it: python -m deploy module-reference")
        return FAILED
    return 0


def _check_workflows(arguments: argparse.Namespace) -> int:
    return _tell(workflows.check_workflows(arguments.root))


def _test_terraform(arguments: argparse.Namespace) -> int:
    folder = arguments.root / "terraform"
    known = folders_with_tests(folder)
    chosen = arguments.modules or known
    if unknown := [str(each) for each in chosen if each not in known]:
        say(f"no module with tests below {folder}: {', '.join(unknown)}")
        return FAILED
    return FAILED if run_module_tests(folder, chosen, say) else 0


def _check_terraform(arguments: argparse.Namespace) -> int:
    folder = arguments.root / "terraform"
    exit_code = _tell(terraform.check_terraform(folder, arguments.root, load()))
    changes = check_format(folder, arguments.root)
    if changes is None:
        say("terraform fmt -check: skipped, since terraform is not installed")
        return exit_code
    for change in changes:
        say(str(change))
    say(f"terraform fmt -check: {len(changes)} findings")
    return FAILED if changes else exit_code


def _tell(verdict: terraform.Verdict | workflows.Verdict) -> int:
    for finding in verdict.findings:
        say(str(finding))
    say(str(verdict))
    return FAILED if verdict.findings else 0


def _extract_schema(arguments: argparse.Namespace) -> None:
    modules = read_modules(arguments.root / "terraform", arguments.root)
    resources, data_sources = (
        {each.labels[0] for module in modules for each in module.of_kind(kind)}
        for kind in ("resource", "data")
    )
    found = extract(arguments.wheel, resources, data_sources)
    EXTRACT.write_text(dump(found), "utf-8")
    say(
        f"{EXTRACT}: {found.provider} {found.version}, {len(found.resources)} resources,"
        f" {len(found.data_sources)} data sources"
    )
