#!/usr/bin/env python3
"""Ask the advisory service about every package in a folder: python .ci/advisories.py FOLDER.

Exit code 1 for a package with a known vulnerability. A package that the service has not answered
for was not audited: that is said, and with ``CI`` set it is exit code 1, too.
"""

import json
import os
import subprocess
import sys
from pathlib import Path


def main(folder: str) -> int:
    """Audit the packages that are installed in a folder and return the exit code."""
    report = Path(".local/advisories.json")
    report.unlink(missing_ok=True)
    command = ["pip-audit", "--progress-spinner=off", "--path", folder, "-f", "json", "-o", report]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - own arguments
    if not report.exists():
        reason = asked.stderr.strip().rpartition("\n")[2]
        return not_audited(f"nothing, since the service does not answer ({reason})")
    packages = json.loads(report.read_text("utf-8"))["dependencies"]
    found = [
        f"{package['name']} {package['version']}: {advisory['id']}, mended in"
        f" {', '.join(advisory['fix_versions']) or 'no version'}"
        for package in packages
        for advisory in package.get("vulns", ())
    ]
    if found:
        say(f"{len(found)} advisories:\n" + "\n".join(found))
        return 1
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    if skipped:
        return not_audited(f"{len(packages) - len(skipped)} of {len(packages)} packages")
    say(f"{len(packages)} packages, no advisory")
    return 0


def not_audited(what: str) -> int:
    """Say that the audit is not complete; return the exit code."""
    say(f"NOT AUDITED: the advisory service has answered for {what}")
    return 1 if os.environ.get("CI") else 0


def say(text: str) -> None:
    """Write a line for people."""
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
