"""Releases rehearsed: the commands of the workflows, in their order, while payments flow.

The default run rehearses none, since each takes a minute; ``tox run -e delivery`` all of them. Each
ends with every table held to what was sent: nothing lost, nothing counted twice.
"""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from delivery_report import Counted
from deploy_stage import deploy_stage
from pipeline_probe import query
from rehearsal_stage import Rehearsal, checkout_of_tree
from rehearsal_workflow import Ran

from deploy.packaging.package import head_revision
from deploy.targets.shelf import FolderShelf, Releases

RELEASE = "function-deploy.yml"
ROLLBACK = "rollback.yml"
RULES = "rules-deploy.yml"
RULES_FILE = Path("rules", "metric_derivation_rules.json")
REVISION = '''"""What the rehearsal tries.

Revision ID: 9999
Revises: {head}
"""

from alembic import op

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE rehearsed (number BIGINT PRIMARY KEY)")
    op.execute("""{statement}""")


def downgrade() -> None:
    op.execute("DROP TABLE rehearsed")
'''
FAILS_ON_DATA = """
    SELECT 1 / (1 - count(*))
    FROM (
        SELECT FROM normalized_transactions WHERE left(transaction_id, 6) <> 'smoke-' LIMIT 1
    ) AS payments_of_production
"""
# What validate-schema has to be told of the table.
REHEARSED = (
    "column | rehearsed | number | bigint | True |  | None | None",
    "constraint | rehearsed | rehearsed_pkey | PRIMARY KEY (number) | True",
    (
        "index | rehearsed |"
        " CREATE UNIQUE INDEX rehearsed_pkey ON public.rehearsed USING btree (number)"
    ),
)
LACKING = "SETTING_THAT_NO_TARGET_HAS"
# The smoke test sends payments one by one; production also packs them.
FAILS_ON_PACKED = """\
    if any(event.get_body().startswith(b"[") for event in events):
        raise ValueError("packed payments")
"""

pytestmark = [
    pytest.mark.skipif(os.environ.get("DELIVERY") != "full", reason="takes minutes: DELIVERY=full"),
    pytest.mark.timeout(1800),
]


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """A checkout and a target in which a first release runs."""
    folder = tmp_path_factory.mktemp("rehearsal")
    with deploy_stage(folder) as stage:
        variables = {"DEPLOY_TARGET": f"local:{stage.folder}"}
        rehearsal = Rehearsal(stage, checkout_of_tree(folder / "checkout"), variables)
        assert_done(rehearsal.run(RELEASE))
        yield rehearsal


def assert_done(ran: Sequence[Ran]) -> None:
    assert [(step.command, step.said) for step in ran if step.exit_code] == []


def failed(ran: Sequence[Ran]) -> Ran:
    """Return the one step that failed."""
    [step] = [step for step in ran if step.exit_code]
    return step


def releases(rehearsal: Rehearsal) -> Releases:
    return FolderShelf(rehearsal.stage.folder / "kept").releases()


def revision_of(rehearsal: Rehearsal) -> str:
    return query(rehearsal.stage.local, "SELECT version_num FROM alembic_version")[0][0]


def active_rules(rehearsal: Rehearsal) -> str:
    active = """
        SELECT version FROM rule_set_activations JOIN rule_sets USING (rule_set)
        WHERE role = 'active' ORDER BY activation_id DESC LIMIT 1
    """
    return query(rehearsal.stage.local, active)[0][0]


def edit(file: Path, before: str, after: str) -> None:
    content = file.read_text("utf-8")
    assert before in content
    file.write_text(content.replace(before, after, 1), "utf-8")


def harmlessly(checkout: Path) -> None:
    edit(checkout / "shared_code" / "__init__.py", '"""', '"""A release of the rehearsal. ')


def add_revision(checkout: Path, statement: str) -> None:
    text = REVISION.format(head=head_revision(checkout), statement=statement)
    (checkout / "alembic" / "versions" / "9999_rehearsed.py").write_text(text, "utf-8")


def test_a_good_release_takes_over_while_payments_flow(
    rehearsal: Rehearsal, counted: Counted
) -> None:
    before = releases(rehearsal)
    with rehearsal.changed(harmlessly):
        ran = rehearsal.run_under_traffic(RELEASE, "good release")
    assert_done(ran)
    assert [step.name for step in ran][-4:] == ["publish", "smoke-test", "swap", "watch"]
    after = releases(rehearsal)
    assert after.production != before.production
    assert after.previous == before.production
    counted("rehearsals", 1)
    counted("revisions linted", int(ran[0].said.split()[0]))


def test_a_revision_that_could_hold_up_traffic_is_stopped_before_anything_changes(
    rehearsal: Rehearsal, counted: Counted
) -> None:
    before, revision = releases(rehearsal), revision_of(rehearsal)
    locking = "CREATE INDEX ix_alerts_kind ON alerts (kind)"
    with rehearsal.changed(lambda checkout: add_revision(checkout, locking)):
        ran = rehearsal.run_under_traffic(RELEASE, "revision that locks")
    assert failed(ran).name == "check-migrations"
    assert "require-concurrent-index-creation" in failed(ran).said
    assert (releases(rehearsal), revision_of(rehearsal)) == (before, revision)
    counted("rehearsals", 1)


def test_a_revision_that_fails_on_what_production_holds_leaves_nothing_behind(
    rehearsal: Rehearsal, counted: Counted
) -> None:
    before, revision = releases(rehearsal), revision_of(rehearsal)
    with rehearsal.changed(lambda checkout: add_revision(checkout, FAILS_ON_DATA)):
        ran = rehearsal.run_under_traffic(RELEASE, "revision that fails")
    assert failed(ran).command == "migrate"
    assert "left nothing behind" in failed(ran).said
    assert (releases(rehearsal), revision_of(rehearsal)) == (before, revision)
    counted("rehearsals", 1)


def test_code_that_does_not_load_stops_before_anything_changes(
    rehearsal: Rehearsal, counted: Counted
) -> None:
    before = releases(rehearsal)

    def change(checkout: Path) -> None:
        # Disabled in the slot: the smoke test would not see it.
        edit(
            checkout / "AggregateMetrics" / "__init__.py",
            "import",
            "import no_such_module\nimport",
        )

    with rehearsal.changed(change):
        ran = rehearsal.run_under_traffic(RELEASE, "code that does not load")
    assert failed(ran).name == "check-package"
    assert "AggregateMetrics: ModuleNotFoundError: No module named 'no_such_mod" in failed(ran).said
    assert releases(rehearsal) == before
    counted("rehearsals", 1)


def test_code_that_does_not_load_in_the_slot_never_comes_to_production(
    rehearsal: Rehearsal, counted: Counted
) -> None:
    before = releases(rehearsal)

    def change(checkout: Path) -> None:
        edit(
            checkout / "local.settings.json.example",
            '"Values": {',
            f'"Values": {{"{LACKING}": "1",',
        )
        edit(
            checkout / "ProcessTransaction" / "__init__.py",
            "import",
            f"import os\nos.environ['{LACKING}']\nimport",
        )

    with rehearsal.changed(change):
        ran = rehearsal.run_under_traffic(RELEASE, "a setting that the slot lacks")
    assert failed(ran).name == "smoke-test"
    assert LACKING in failed(ran).said
    assert "nothing has to be taken back" in ran[-1].said
    assert releases(rehearsal).production == before.production
    counted("rehearsals", 1)


def test_code_that_fails_in_production_alone_is_swapped_back(
    rehearsal: Rehearsal, counted: Counted
) -> None:
    before = releases(rehearsal)

    def change(checkout: Path) -> None:
        line = "    document = rules.read() if rules is not None else None\n"
        edit(checkout / "ProcessTransaction" / "__init__.py", line, line + FAILS_ON_PACKED)

    with rehearsal.changed(change):
        ran = rehearsal.run_under_traffic(RELEASE, "code that fails in production")
    assert failed(ran).name == "watch"
    assert (ran[-1].name, ran[-1].exit_code) == ("rollback", 0)
    assert releases(rehearsal).production == before.production
    counted("rehearsals", 1)


def test_without_a_slot_the_kept_package_is_published_again(
    rehearsal: Rehearsal, counted: Counted
) -> None:
    before = releases(rehearsal)

    def change(checkout: Path) -> None:
        line = "    document = rules.read() if rules is not None else None\n"
        edit(checkout / "ProcessTransaction" / "__init__.py", line, line + FAILS_ON_PACKED)

    with rehearsal.changed(change):
        ran = rehearsal.without_slot().run_under_traffic(RELEASE, "code that fails, without a slot")
    assert failed(ran).name == "watch"
    assert (ran[-1].name, ran[-1].exit_code) == ("rollback", 0)
    assert releases(rehearsal).production == before.production
    counted("rehearsals", 1)


def test_an_operator_takes_back_a_release_and_then_its_schema(
    rehearsal: Rehearsal, counted: Counted
) -> None:
    before, revision = releases(rehearsal), revision_of(rehearsal)

    def change(checkout: Path) -> None:
        harmlessly(checkout)
        add_revision(checkout, "SELECT 1")
        schema = checkout / "deploy" / "migrations" / "schema.json"
        schema.write_text(json.dumps(sorted([*json.loads(schema.read_bytes()), *REHEARSED])))

    with rehearsal.changed(change):
        assert_done(rehearsal.run(RELEASE))
        assert revision_of(rehearsal) == "9999"
        inputs = {"environment": "production", "action": "release", "revision": ""}
        ran = rehearsal.run_under_traffic(ROLLBACK, "operator takes a release back", inputs)
        assert_done(ran)
        assert [step.name for step in ran] == ["rollback"]
        assert releases(rehearsal).production == before.production
        assert revision_of(rehearsal) == "9999"
        inputs |= {"action": "preview-downgrade", "revision": revision}
        (preview,) = rehearsal.run_under_traffic(ROLLBACK, "operator asks what goes", inputs)
        assert "9999 drops table rehearsed: 0 rows" in preview.said
        inputs |= {"action": "downgrade"}
        ran = rehearsal.run_under_traffic(ROLLBACK, "operator takes the schema back", inputs)
    assert_done(ran)
    assert [step.name for step in ran] == ["preview-downgrade", "restore-point", "downgrade"]
    assert revision_of(rehearsal) == revision
    counted("rehearsals", 1)


def test_rules_with_mistakes_are_refused_and_those_in_force_stay(
    rehearsal: Rehearsal, counted: Counted
) -> None:
    before = active_rules(rehearsal)

    def change(checkout: Path) -> None:
        edit(checkout / RULES_FILE, '"operator": "gte"', '"operator": "at_least"')

    with rehearsal.changed(change):
        ran = rehearsal.run_under_traffic(RULES, "bad rules")
    assert "at_least" in failed(ran).said
    assert active_rules(rehearsal) == before
    counted("rehearsals", 1)


def test_good_rules_are_active_for_the_next_payments(
    rehearsal: Rehearsal, counted: Counted
) -> None:
    def change(checkout: Path) -> None:
        edit(checkout / RULES_FILE, '"version": "2.1.0"', '"version": "2.1.1"')

    with rehearsal.changed(change):
        assert_done(rehearsal.run_under_traffic(RULES, "good rules"))
    assert active_rules(rehearsal) == "2.1.1"
    counted("rehearsals", 1)
