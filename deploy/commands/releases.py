"""The commands about a release: published, proved, swapped, watched, taken back."""

import argparse
import os
from datetime import timedelta
from pathlib import Path
from typing import Final

from deploy.commands.packages import ROOT
from deploy.console import say
from deploy.errors import DeployError
from deploy.packaging.package import read_package
from deploy.release.event_grid import endpoint, subject, subscribe
from deploy.release.rules import check, hand_in
from deploy.release.smoke import smoke_test
from deploy.release.steps import publish, roll_back, swap, take_back
from deploy.release.watch import Limits, watch
from deploy.settings import database
from deploy.targets.azure import AzureTarget
from deploy.targets.shelf import open_shelf
from deploy.targets.target import AzureAddress, open_target, parse_address
from shared_code.cli.rules_arguments import archive, login_name
from shared_code.settings import load_rules_container

_LIMITS: Final = Limits()


def add_publish(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``publish``."""
    parser.description = (
        "Put a package into the staging slot of a target, or into production where there is no"
        " slot. It is kept for the way back: in Azure in the container DEPLOYMENT_CONTAINER of the"
        " storage account DeploymentStorage__blobServiceUri."
    )
    parser.add_argument("--package", type=Path, required=True, metavar="FILE.zip")
    _add_target(parser)
    _add_dry_run(parser)
    parser.set_defaults(run=_publish)


def add_smoke_test(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``smoke-test``."""
    parser.description = (
        "Prove that what was published runs: every function is loaded; a payment that is sent twice"
        " to the slot's own hub (SMOKE_EVENT_HUB_NAME) is stored once in the smoke database"
        " (SMOKE_DATABASE_NAME), counted in its window, and judged by the active rules."
    )
    _add_target(parser)
    parser.add_argument(
        "--seconds", type=float, default=300, help="how long all of it may take (300)"
    )
    parser.set_defaults(run=_smoke_test)


def add_swap(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``swap``."""
    parser.description = "Exchange staging and production; settings stay where they are."
    _add_target(parser)
    _add_dry_run(parser)
    parser.set_defaults(run=_swap)


def add_watch(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``watch``."""
    parser.description = (
        "Watch production: messages that wait (EVENT_HUB_NAME and the host's AzureWebJobsStorage),"
        " invocations that fail (LOG_ANALYTICS_WORKSPACE_ID in Azure), events that are rejected"
        " (the database). Fails as soon as one of them is worse than before twice in a row."
    )
    _add_target(parser)
    parser.add_argument("--minutes", type=float, required=True, metavar="N")
    parser.add_argument(
        "--max-lag", type=int, default=_LIMITS.lag, help=f"messages ({_LIMITS.lag})"
    )
    parser.add_argument(
        "--max-failed-share",
        type=float,
        default=_LIMITS.failed_share,
        help=f"of invocations ({_LIMITS.failed_share})",
    )
    parser.add_argument(
        "--max-more-rejected",
        type=float,
        default=_LIMITS.more_rejected,
        help=f"share of events above that of before ({_LIMITS.more_rejected})",
    )
    parser.set_defaults(run=_watch)


def add_rollback(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``rollback``."""
    parser.description = (
        "Bring back to production what ran there before: by a swap where there is a slot, else by"
        " deploying the kept package. The schema stays; the release before runs on it."
    )
    _add_target(parser)
    parser.add_argument(
        "--package",
        type=Path,
        metavar="FILE.zip",
        help="take back this release only, and nothing if it has not come to production",
    )
    _add_dry_run(parser)
    parser.set_defaults(run=_rollback)


def add_upload_rules(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``upload-rules``."""
    parser.description = (
        "Check a rule document and hand it in (RulesStorage, RULES_CONTAINER); a refused one"
        " changes nothing."
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument(
        "--wait", type=float, metavar="SECONDS", help="until it is active, or was refused"
    )
    parser.add_argument("--by", default=login_name(), help="who does it (the login name)")
    _add_dry_run(parser)
    parser.set_defaults(run=_upload_rules)


def add_event_grid(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``event-grid-subscription``."""
    parser.description = (
        "Make the subscription by which Event Grid tells ReloadRules of uploads, or bring it up"
        " to date. It needs the key of the deployed function app: it follows the first publish."
    )
    _add_target(parser)
    parser.add_argument(
        "--system-topic", required=True, metavar="TOPIC", help="of the storage account of rules"
    )
    _add_dry_run(parser)
    parser.set_defaults(run=_event_grid)


def _add_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--target",
        required=True,
        help="azure:GROUP/APP/SLOT, azure:GROUP/APP without a slot, local:FOLDER or"
        " local-flex:FOLDER",
    )


def _add_dry_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="say what would be done; do nothing")


def _publish(arguments: argparse.Namespace) -> None:
    address = parse_address(arguments.target)
    package = read_package(arguments.package)
    if arguments.dry_run:
        say(f"would publish {package.file} ({package.note.sha256}) to {arguments.target}")
        return
    say(f"publishing {package.file}, commit {package.note.commit}")
    say(publish(open_target(address), open_shelf(address), package))


def _smoke_test(arguments: argparse.Namespace) -> None:
    target = open_target(parse_address(arguments.target))
    smoke_test(target, ROOT, os.environ, arguments.seconds, say)
    say("the smoke test passed")


def _swap(arguments: argparse.Namespace) -> None:
    address = parse_address(arguments.target)
    if arguments.dry_run:
        say(f"would exchange staging and production of {arguments.target}")
        return
    say(swap(open_target(address), open_shelf(address)))


def _watch(arguments: argparse.Namespace) -> None:
    limits = Limits(arguments.max_lag, arguments.max_failed_share, arguments.max_more_rejected)
    target = open_target(parse_address(arguments.target))
    span = timedelta(minutes=arguments.minutes)
    watch(target, database(), os.environ, span=span, limits=limits, say=say)
    say("production goes on as well as before")


def _rollback(arguments: argparse.Namespace) -> None:
    address = parse_address(arguments.target)
    shelf = open_shelf(address)
    if arguments.dry_run:
        releases = shelf.releases()
        say(f"in production: {releases.production}; before: {releases.previous}")
        return
    target = open_target(address)
    if arguments.package is None:
        say(roll_back(target, shelf))
    else:
        say(take_back(target, shelf, read_package(arguments.package)))


def _upload_rules(arguments: argparse.Namespace) -> None:
    if arguments.dry_run:
        _, version = check(arguments.file)
        say(f"version {version} is valid; would hand it in")
        return
    hand_in(
        arguments.file,
        archive=archive(),
        database=database(),
        by=arguments.by,
        seconds=arguments.wait,
        say=say,
    )


def _event_grid(arguments: argparse.Namespace) -> None:
    address = parse_address(arguments.target)
    if not isinstance(address, AzureAddress):
        raise DeployError("only a function app in Azure has subscriptions: azure:GROUP/APP")
    target = AzureTarget(address, "")
    container = load_rules_container()
    if arguments.dry_run:
        say(f"would tell {endpoint(f'{address.app}...', '***')} of {subject(container)}*")
        return
    name = subscribe(target, address.group, arguments.system_topic, container)
    say(f"subscription {name}: uploads to {container}/incoming/ reach {address.app}")
