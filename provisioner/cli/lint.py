"""The verb that finds what would not work."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from provisioner.cli.common import AsJson, ConfigFile, DataDir, out, print_json, read_bytes, with_installation
from provisioner.operations.lint import lint_file, lint_stored
from provisioner.phones.lint.finding import Finding, Severity

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.HINT: "cyan"}


def lint(
    file: Annotated[
        Path | None, typer.Argument(help="Company file (YAML); without one, what is stored.")
    ] = None,
    as_json: AsJson = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Find what would not work on which phone, and say what to do. Exit code 1 where there are errors."""
    if file is None:
        findings = with_installation(data_dir, config, lint_stored)
    else:
        data, name = read_bytes(file), file.name
        findings = with_installation(
            data_dir, config, lambda installation: lint_file(installation, data, name)
        )
    if as_json:
        print_json(findings)
    else:
        _print(findings, file)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise typer.Exit(1)


def _print(findings: list[Finding], file: Path | None) -> None:
    for finding in findings:
        where = f"{file.name}:{finding.line}" if file and finding.line else ""
        owner = finding.customer or ""
        about = ": ".join(filter(None, (where, owner, str(finding.subject or ""))))
        out.print(
            f"{finding.severity}  {about}  [{finding.code}]", markup=False, style=_COLOURS[finding.severity]
        )
        out.print(f"    {finding.message}", markup=False)
        out.print(f"    -> {finding.advice}", markup=False)
    counts = Counter(finding.severity for finding in findings)
    said = [f"{counts[each]} {each}{'s' * (counts[each] != 1)}" for each in Severity]
    out.print(f"{', '.join(said)}." if findings else "Nothing to say: all of it should work.")
