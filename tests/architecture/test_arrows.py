"""The arrows of the architecture: who may import whom. Read from the source, so a lazy import counts as well."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*ROOT.glob("bot/**/*.py"), *ROOT.glob("runners/**/*.py")])

# A layer, and what it may import of this project besides itself. Longest prefix wins.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "bot.wire": (),
    "bot.errors": (),
    "bot.files": (),
    "bot.log": (),
    "bot.domain": ("bot.wire.types",),
    "bot.store": ("bot.domain", "bot.wire", "bot.errors"),
    "bot.services": ("bot.store", "bot.domain", "bot.wire", "bot.errors"),
    "bot.slack": ("bot.services", "bot.domain", "bot.wire.types", "bot.errors", "bot"),
    "bot.link": ("bot.services", "bot.domain", "bot.wire", "bot.errors"),
    "bot.timers": ("bot.services", "bot.domain", "bot.errors"),
    "bot.web": ("bot.services", "bot.wire", "bot.domain", "bot"),
    "bot.config": ("bot.domain", "bot.wire", "bot.errors"),
    "bot.admin": ("bot.config", "bot.errors", "bot.files"),
    "bot.doctor": ("bot.config", "bot.errors", "bot.slack.manifest", "runners"),
    "bot.local_slack": (),
    "bot.up": ("bot", "bot.admin", "bot.config", "bot.errors", "bot.files", "bot.slack.manifest"),
    "runners": ("bot.wire",),
    "runners.link": ("bot.wire", "runners.errors"),
    "runners.repo": (
        "bot.wire",
        "runners.errors",
        "runners.files",
        "runners.config",
        "runners.process",
        "runners.redact",
        "runners.runner.ticket",
        "runners.runner.progress",
    ),
    "runners.runner": (
        "bot.wire",
        "runners.errors",
        "runners.files",
        "runners.config",
        "runners.process",
        "runners.redact",
        "runners.clock",
        "runners.kept",
        "runners.leftovers",
        "runners.link",
        "runners.repo",
        "runners.ask",
        "runners.agents.base",
        "runners.agents.text",
    ),
}
ROOTS = {"bot.app", "bot.cli", "bot", "bot.__main__"}
"""The composition root and the command line may import everything."""
ADAPTERS = ("runners.agents.acp", "runners.agents.claude", "runners.agents.codex", "runners.agents.demo")
"""Adapters never import each other."""


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names if is_module(node.module, alias.name))
    return {name for name in found if name.split(".")[0] in {"bot", "runners"}}


def is_module(package: str, name: str) -> bool:
    folder = ROOT.joinpath(*package.split("."))
    return (folder / f"{name}.py").exists() or (folder / name / "__init__.py").exists()


def layer_of(module: str) -> str | None:
    return max((layer for layer in MAY_IMPORT if within(module, layer)), key=len, default=None)


def within(module: str, layer: str) -> bool:
    return module == layer or module.startswith(layer + ".")


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_arrows_point_inward(path: Path) -> None:
    module = module_of(path)
    if module in ROOTS:
        return
    layer = layer_of(module)
    assert layer, f"{module} stands in no layer: give it one in MAY_IMPORT"
    for imported in imports_of(path):
        allowed = within(imported, layer) or any(
            imported == target or (target != "bot" and within(imported, target)) for target in MAY_IMPORT[layer]
        )
        # `from bot.wire import codec` names the package on the way to the module.
        on_the_way = any(within(target, imported) and imported != "bot" for target in MAY_IMPORT[layer])
        assert allowed or on_the_way, f"{module} imports {imported}; {layer} may import only {MAY_IMPORT[layer]}"


def test_adapters_do_not_know_each_other() -> None:
    for path in SOURCES:
        here = next((adapter for adapter in ADAPTERS if within(module_of(path), adapter)), None)
        if here:
            others = [adapter for adapter in ADAPTERS if adapter != here]
            assert not [name for name in imports_of(path) if any(within(name, other) for other in others)]


def loads_without(module: str, *banned: str) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys\n"
        f"for name in {banned!r}: sys.modules[name] = None\n"
        f"import {module}\n"
        "print([m for m in sys.modules if m.startswith('bot.')])"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)


def test_a_host_needs_neither_slack_nor_scheduler() -> None:
    run = loads_without(
        "runners.cli, runners.host.host, runners.runner.daemon",
        "slack_bolt",
        "slack_sdk",
        "apscheduler",
        "sqlite_utils",
    )
    assert run.returncode == 0, run.stderr


def test_the_bot_never_loads_the_embedded_workspace() -> None:
    run = loads_without("bot.app, bot.web, bot.doctor", "bot.local_slack")
    assert run.returncode == 0, run.stderr


def test_the_command_line_loads_nothing_heavy_for_help() -> None:
    run = loads_without("bot.cli", "slack_bolt", "slack_sdk", "aiohttp", "git", "acp", "msgspec", "apscheduler")
    assert run.returncode == 0, run.stderr


def test_every_package_is_short_enough_to_read() -> None:
    long = {str(p.relative_to(ROOT)): n for p in SOURCES if (n := len(p.read_text().splitlines())) > 400}
    assert not long, f"longer than one sitting: {long}"
