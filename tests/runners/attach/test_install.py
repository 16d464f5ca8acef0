"""Hooks in a person's own settings: added beside their own, taken out byte for byte; the wrapper's as well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from runners.attach import cli, install, settings, wrapper

ODD = (
    '{\n\t"model": "opus",   "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "say done"}]}]},\n  "ü": "é"}'
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "claude" / "settings.json"


def installed(place: Path, tmp_path: Path) -> install.Plan:
    planned = install.plan(place, tmp_path / "data")
    install.install(planned, tmp_path / "notes")
    return planned


@pytest.mark.parametrize("text", [ODD, "{}", "", " \n", '{"hooks": {}}', '\ufeff{"a": 1}\r\n', '{\r\n "a": 1\r\n}'])
def test_what_was_there_comes_back_byte_for_byte(place: Path, tmp_path: Path, text: str) -> None:
    place.parent.mkdir()
    place.write_bytes(text.encode())
    place.chmod(0o640)
    installed(place, tmp_path)
    now = json.loads(place.read_text("utf-8"))
    assert set(now["hooks"]) >= {"SessionStart", "PermissionRequest", "Stop", "SessionEnd"}
    assert "byte for byte" in install.uninstall(place, tmp_path / "notes")
    assert place.read_bytes() == text.encode()
    assert place.stat().st_mode & 0o777 == 0o640
    assert list((tmp_path / "notes").iterdir()) == []


@pytest.mark.parametrize("text", ['{"a": "\\ud83d"}', '{"a":' + "[" * 3000 + "]" * 3000 + "}"])
def test_what_could_not_be_written_back_is_refused_in_words(place: Path, tmp_path: Path, text: str) -> None:
    place.parent.mkdir()
    place.write_text(text)
    with pytest.raises(settings.SettingsProblem, match="nothing was written"):
        installed(place, tmp_path)
    assert place.read_text() == text


@pytest.mark.parametrize("hooks", ['{"Stop": [null]}', '{"Stop": [null, {"hooks": [null]}], "Other": null}', "null"])
def test_uninstall_without_install_leaves_a_file_without_our_hooks_alone(
    place: Path, tmp_path: Path, hooks: str
) -> None:
    place.parent.mkdir()
    place.write_text(f'{{"hooks":{hooks}}}')
    assert "has no hooks of Switchboard" in install.uninstall(place, tmp_path / "notes")
    assert place.read_text() == f'{{"hooks":{hooks}}}'


def test_what_was_not_there_is_not_there_afterwards(place: Path, tmp_path: Path) -> None:
    installed(place, tmp_path)
    assert place.exists()
    assert "was not there before" in install.uninstall(place, tmp_path / "notes")
    assert not place.parent.exists()


def test_a_persons_own_hooks_stay_and_run_first(place: Path, tmp_path: Path) -> None:
    place.parent.mkdir()
    place.write_text(ODD)
    installed(place, tmp_path)
    stop = json.loads(place.read_text())["hooks"]["Stop"]
    assert stop[0]["hooks"][0]["command"] == "say done"
    assert len(stop) == 2


def test_an_edit_since_is_kept_and_only_ours_is_taken_out(place: Path, tmp_path: Path) -> None:
    place.parent.mkdir()
    place.write_text(ODD)
    installed(place, tmp_path)
    edited = json.loads(place.read_text())
    edited["model"] = "sonnet"
    place.write_text(json.dumps(edited))
    assert "only Switchboard's hooks" in install.uninstall(place, tmp_path / "notes")
    assert json.loads(place.read_text()) == {**json.loads(ODD), "model": "sonnet"}


def test_installed_twice_the_original_is_still_the_first_one(place: Path, tmp_path: Path) -> None:
    place.parent.mkdir()
    place.write_text(ODD)
    installed(place, tmp_path)
    assert install.plan(place, tmp_path / "data").nothing
    moved = install.plan(place, tmp_path / "elsewhere")  # the host's folder is another one now
    assert not moved.nothing
    install.install(moved, tmp_path / "notes")
    assert len(json.loads(place.read_text())["hooks"]["Stop"]) == 2
    install.uninstall(place, tmp_path / "notes")
    assert place.read_text() == ODD


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_an_edit_since_keeps_the_line_ends_of_the_person(place: Path, tmp_path: Path, end: str) -> None:
    place.parent.mkdir()
    line = end or "\n"
    place.write_bytes(f'{{{line}  "model": "opus"{line}}}{end}'.encode())
    installed(place, tmp_path)
    place.write_bytes(place.read_bytes().replace(b"opus", b"sonnet"))
    assert "It was edited since" in install.uninstall(place, tmp_path / "notes")
    assert place.read_bytes() == f'{{{line}  "model": "sonnet"{line}}}{end}'.encode()


@pytest.mark.parametrize(
    "text",
    [b"{", b"[]", b'{"hooks": []}', b'{"hooks": {"Stop": 1}}', b'// mine\n{"a": 1}', b'{"a": "\xe9"}', b"\0",
     b'{"a":' * 100_000],
)  # fmt: skip
def test_settings_that_cannot_be_read_are_left_alone(place: Path, tmp_path: Path, text: bytes) -> None:
    place.parent.mkdir()
    place.write_bytes(text)
    with pytest.raises(settings.SettingsProblem, match="nothing was written"):
        install.plan(place, tmp_path / "data")
    assert place.read_bytes() == text


def test_edited_into_what_is_no_json_it_is_left_alone_and_can_be_uninstalled_once_corrected(
    place: Path, tmp_path: Path
) -> None:
    planned = installed(place, tmp_path)
    place.write_text("{ oops")
    with pytest.raises(settings.SettingsProblem, match="is not JSON"):
        install.uninstall(place, tmp_path / "notes")
    assert place.read_text() == "{ oops"
    place.write_bytes(planned.after)
    assert "was not there before" in install.uninstall(place, tmp_path / "notes")


def test_a_read_only_file_is_named_and_left_alone(place: Path, tmp_path: Path) -> None:
    place.parent.mkdir()
    place.write_text(ODD)
    place.chmod(0o444)
    with pytest.raises(settings.SettingsProblem, match="is read-only"):
        installed(place, tmp_path)
    assert place.read_text() == ODD
    assert list((tmp_path / "notes").iterdir()) == []
    place.chmod(0o644)
    installed(place, tmp_path)
    place.chmod(0o444)
    with pytest.raises(settings.SettingsProblem, match="is read-only"):
        install.uninstall(place, tmp_path / "notes")
    place.chmod(0o644)
    assert "byte for byte" in install.uninstall(place, tmp_path / "notes")


def test_what_is_no_file_at_all_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "settings.json").mkdir()
    run = CliRunner(env={"CLAUDE_CONFIG_DIR": str(tmp_path), "SWITCHBOARD_HOST_DATA": str(tmp_path / "data")})
    for verb in (cli.install, cli.uninstall):
        ran = run.invoke(verb)
        assert ran.exit_code == 1
        assert "cannot be read" in ran.output


def test_a_linked_settings_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    real = tmp_path / "dotfiles" / "claude.json"
    real.write_text("{}")
    (tmp_path / "claude").mkdir()
    (tmp_path / "claude" / "settings.json").symlink_to(real)
    place = install.settings_file({"CLAUDE_CONFIG_DIR": str(tmp_path / "claude")})
    installed(place, tmp_path)
    assert (tmp_path / "claude" / "settings.json").is_symlink()
    assert "hooks" in json.loads(real.read_text())


def test_it_is_shown_and_asked_for_before_it_is_written(tmp_path: Path) -> None:
    env = {"CLAUDE_CONFIG_DIR": str(tmp_path), "SWITCHBOARD_INSTALL_DIR": str(tmp_path / "notes"),
           "SWITCHBOARD_HOST_DATA": str(tmp_path / "data")}  # fmt: skip
    run = CliRunner(env=env)
    asked = run.invoke(cli.install, input="n\n")
    assert "PermissionRequest" in asked.output
    assert "Write it?" in asked.output
    assert "Nothing was written" in asked.output
    assert not (tmp_path / "settings.json").exists()
    assert run.invoke(cli.install, ["--yes"]).exit_code == 0
    assert (tmp_path / "settings.json").exists()
    assert "already" in run.invoke(cli.install, ["--yes"]).output
    assert run.invoke(cli.uninstall).exit_code == 0
    assert not (tmp_path / "settings.json").exists()


def test_the_wrapper_gives_its_settings_beside_those_of_the_person(tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    own.write_text(ODD)
    for given in (["--settings", str(own)], [f"--settings={own}"], ["--settings", ODD]):
        program, flag, path, *rest = wrapper.with_settings(["claude", *given, "-r", "--", "--settings"], tmp_path)
        assert (program, flag, rest) == ("claude", "--settings", ["-r", "--", "--settings"])
        both = json.loads(Path(path).read_text())
        assert both["model"] == "opus"
        assert both["hooks"]["Stop"][0]["hooks"][0]["command"] == "say done"
        assert "PermissionRequest" in both["hooks"]
    plain = wrapper.with_settings(["claude"], tmp_path)
    assert json.loads(Path(plain[2]).read_text()) == settings.ours(tmp_path)
