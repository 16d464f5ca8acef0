"""One run of ``switchboard ask``: options in, an answer on standard output, notes on standard error, a status."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from runners.ask.calls import duration
from runners.ask.cli import ANSWERED, CLOSED, NOBODY, OPEN, OTHERWISE, STOPPED, USAGE
from runners.ask.client import Knocker, Over, Refused, Unreachable
from runners.ask.finding import Nobody, find

Json = dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What the command line says."""

    question: str
    options: tuple[str, ...] = ()
    recommend: str | None = None
    multiple: bool = False
    words: bool = False
    default: str | None = None
    within: str | None = None
    context: str | None = None
    wait: bool = True
    park: str | None = None
    name: str | None = None
    expect: str | None = None
    as_json: bool = False
    data_dir: Path | None = None


class Misused(Exception):
    """The options do not go together."""


@dataclass(frozen=True)
class Plan:
    """What is asked of the door."""

    arguments: Json
    wait: float | None
    for_all: bool
    parks: bool
    """Time over: the question stays open. Otherwise it is withdrawn."""


def plan(wanted: Wanted, context: str) -> Plan:
    """Pure. Raises Misused."""
    within = _seconds("--within", wanted.within)
    park = _seconds("--park", wanted.park) if wanted.wait else 0.0
    if wanted.default is not None and within is None:
        raise Misused("--default needs --within: how long may somebody object? For example --within 30m.")
    for name, value in (("--recommend", wanted.recommend), ("--expect", wanted.expect), ("--default", wanted.default)):
        if (
            value is not None
            and wanted.options
            and value not in wanted.options
            and not (name == "--expect" and wanted.words)
        ):
            raise Misused(f"{name} {value}: that is none of the options: {', '.join(wanted.options)}.")
    if wanted.multiple and not wanted.options:
        raise Misused("--multiple needs some --option to choose from.")
    question: Json = {
        "question": wanted.question,
        "context": context,
        "options": [{"label": each, "recommended": each == wanted.recommend} for each in wanted.options],
        "multiple": wanted.multiple,
        "allow_text": wanted.words or not wanted.options,
    }
    if wanted.default is not None and within is not None:
        question |= {"urgency": "assumed", "default": wanted.default, "within": f"{max(round(within), 1)}s"}
    arguments: Json = {"questions": [question]} | ({"id": wanted.name} if wanted.name else {})
    limits = [each for each in (park, within if wanted.default is None else None) if each is not None]
    return Plan(
        arguments,
        wait=min(limits, default=None),
        for_all=wanted.wait,
        parks=park is not None and (within is None or park < within or wanted.default is not None),
    )


def run(wanted: Wanted, env: Mapping[str, str], where: Path) -> int:
    """The exit status."""
    try:
        context = sys.stdin.read() if wanted.context == "-" else wanted.context or ""
        _all_text(wanted, context)
        asked = plan(wanted, context)
    except Misused as err:
        return _note(str(err), USAGE)
    except UnicodeDecodeError:
        return _note("--context is not UTF-8 text on standard input.", USAGE)
    knocker = None
    try:
        folder = find(env, where, wanted.data_dir, wanted.question, _say)
        knocker = Knocker(folder, note=_say)
        signal.signal(signal.SIGTERM, _killed)
        reply = knocker.ask(asked.arguments, wait=asked.wait, for_all=asked.for_all, tool=False)
        return _told(wanted, asked, knocker, reply)
    except Refused as err:
        return _note(f"This cannot be asked:\n{err}", USAGE)
    except (Nobody, Unreachable) as err:
        return _note(str(err), NOBODY)
    except Over as err:
        return _note(str(err), CLOSED)
    except KeyboardInterrupt:
        heard = knocker is not None and knocker.withdraw("its script was interrupted")
        return _note("Interrupted; the question is withdrawn." if heard else "Interrupted.", STOPPED)


def _killed(_number: int, _frame: object) -> NoReturn:
    """Whoever cuts us short by force has a limit of time: the question stays, for the next run."""
    sys.exit(OPEN)


def _told(wanted: Wanted, asked: Plan, knocker: Knocker, reply: Json) -> int:
    [answer] = reply["answers"]
    if answer["status"] == "open" and wanted.default is not None and not wanted.wait:
        said = {"options": [wanted.default], "labels": [wanted.default]} if wanted.options else {"text": wanted.default}
        answer = {**answer, **said, "status": "assumed"}
    match answer["status"]:
        case "closed":
            return _end(wanted, answer, f"Closed without an answer: {answer['reason']}.", CLOSED)
        case "open" if asked.parks:
            return _end(wanted, answer, "Posted, no answer yet. Run the same command again to wait on.", OPEN)
        case "open":
            knocker.withdraw(f"nobody answered within {wanted.within}")
            return _end(wanted, answer, f"Nobody answered within {wanted.within}; the question is withdrawn.", CLOSED)
    lines = list(answer["labels"]) or [answer["text"]]
    note = answer["text"] if answer["options"] and answer["text"] else ""
    if answer["status"] == "assumed":
        note = "Going on with this unless somebody objects."
    met = wanted.expect is None or lines == [wanted.expect]
    _end(wanted, answer, note, ANSWERED)
    if not wanted.as_json:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
    return ANSWERED if met else OTHERWISE


def _end(wanted: Wanted, answer: Json, note: str, status: int) -> int:
    if wanted.as_json:
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    return _note(note, status) if note else status


def _all_text(wanted: Wanted, context: str) -> None:
    """Raises Misused: bytes that are no text come as halves of characters, which nothing can carry to people."""
    given = [("The question", wanted.question), *(("--option", each) for each in wanted.options)]
    given += [("--context", context), ("--id", wanted.name or ""), ("--default", wanted.default or "")]
    for name, text in given:
        try:
            text.encode()
        except UnicodeEncodeError as err:
            raise Misused(f"{name} is not UTF-8 text; write it as that (iconv -t utf-8).") from err


def _seconds(name: str, text: str | None) -> float | None:
    if text is None:
        return None
    found = duration(text)
    if found is None:
        raise Misused(f"{name} {text}: a time is written as 90s, 30m, 2h or 1d.")
    return found.total_seconds()


def _say(words: str) -> None:
    sys.stderr.write(f"switchboard ask: {words}\n")
    sys.stderr.flush()


def _note(words: str, status: int) -> int:
    _say(words)
    return status
