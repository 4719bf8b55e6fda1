"""``python -m deploy plan-terraform``, ``apply-terraform``, ``comment-plans``, ``report-drift``."""

import argparse
from pathlib import Path
from typing import Final

from deploy.console import say
from deploy.plans import github, reports
from deploy.plans.terraform import PLAN_FILE, apply_plan, make_plan, read_plan, read_plans

ROOT: Final = Path(__file__).parents[2]


def add_plan(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``plan-terraform``."""
    parser.description = (
        "Initialise and plan an environment. The plan, its text, its figures and the lock"
        " file of the providers are written to FOLDER/ENVIRONMENT, the figures to the summary of"
        " the job, and whether anything changes to its output `changes`: that is no failure."
    )
    _add_environment(parser)
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--read-only",
        action="store_true",
        help="take no lock on the state: for an identity that may only read it",
    )
    parser.set_defaults(run=_plan)


def add_apply(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``apply-terraform``."""
    parser.description = (
        "Apply exactly the plan that plan-terraform made; one that was overtaken is refused."
    )
    _add_environment(parser)
    parser.add_argument("--plans", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--dry-run", action="store_true", help="say what would be applied")
    parser.set_defaults(run=_apply)


def add_comment(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``comment-plans``."""
    parser.description = (
        "Write the plans of all environments into one comment on a pull request, in place of the"
        " comment of the run before."
    )
    parser.add_argument("--plans", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--pull-request", type=int, required=True, metavar="NUMBER")
    parser.add_argument("--dry-run", action="store_true", help="print the comment")
    parser.set_defaults(run=_comment)


def add_drift(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``report-drift``."""
    parser.description = (
        "Open an issue for each environment that is not what the code says, bring the one that is"
        " open up to date, and close it when nothing differs."
    )
    parser.add_argument("--plans", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--dry-run", action="store_true", help="print the issues")
    parser.set_defaults(run=_drift)


def _add_environment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("environment", help="a folder of terraform/environments")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout (this one)")


def _plan(arguments: argparse.Namespace) -> None:
    plan = make_plan(
        arguments.root, arguments.environment, arguments.output, read_only=arguments.read_only
    )
    github.tell_job(reports.summary(plan), changes=str(plan.changes).lower())
    say(plan.told)


def _apply(arguments: argparse.Namespace) -> None:
    if arguments.dry_run:
        folder: Path = arguments.plans / arguments.environment
        say(f"would apply {folder / PLAN_FILE}, {read_plan(folder).told}")
        return
    applied = apply_plan(arguments.root, arguments.environment, arguments.plans)
    say(f"applied, {applied.told}")


def _comment(arguments: argparse.Namespace) -> None:
    body = reports.comment(read_plans(arguments.plans))
    if arguments.dry_run:
        say(body)
        return
    github.comment_on(arguments.pull_request, body)
    say(f"commented on pull request {arguments.pull_request}")


def _drift(arguments: argparse.Namespace) -> None:
    plans = read_plans(arguments.plans)
    if arguments.dry_run:
        for plan, text in plans:
            say(reports.drift(plan, text) if plan.changes else plan.told)
        return
    known = github.open_drifts()
    for plan, text in plans:
        title = f"Drift in {plan.environment}"
        if plan.changes:
            github.report_drift(title, reports.drift(plan, text), known.get(title))
        elif title in known:
            github.close_drift(known[title])
        say(plan.told)
