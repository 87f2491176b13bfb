"""How the plan of a change is printed."""

from __future__ import annotations

from provisioner.cli.common import out, print_json
from provisioner.operations.customer_step import Plan


def print_plan(plan: Plan, dry_run: bool, as_json: bool) -> None:
    """What changes, and which phones it touches."""
    if as_json:
        print_json(
            {
                "dry_run": dry_run,
                "changes": plan.changes,
                "files": plan.files,
                "rollouts": plan.rollouts,
            }
        )
        return
    for change in plan.changes:
        out.print(str(change), markup=False)
    if not plan.changes:
        out.print("Nothing changes.")
        return
    print_files(plan)
    phones = {file.owner for file in plan.files if ":" in file.owner and not file.staged}
    waiting = {file.owner for file in plan.files if file.staged}
    out.print(
        f"{len(plan.changes)} changes, {len(phones)} phones get new bytes"
        + (f", {len(waiting)} keep what they have" if waiting else "")
        + "."
        + (" Nothing was kept." if dry_run else "")
    )
    for login in plan.rollouts:
        out.print(
            f"The rollout of {login} is open: go on with `centralka rollout release {login}`, look with"
            f" `centralka rollout show {login}`.",
            markup=False,
        )


def print_files(plan: Plan) -> None:
    """The files that are others now, or will be when their phones are released."""
    for file in plan.files:
        word = "staged" if file.staged else "new bytes"
        out.print(f"{word}: {file.owner} {file.file} revision {file.number}", markup=False)
