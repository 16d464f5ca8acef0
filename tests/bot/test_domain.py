"""The pure core: names, matching words to options, lights, routing, attention."""

from __future__ import annotations

import contextlib
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import names, naming, questions
from bot.domain.attention import History, Hold, Item, NextDigest, Now, Policy, What, decide
from bot.domain.digests import Candidate, compose, named_weekdays, next_interval, parse_schedule
from bot.domain.questions import IsAnswer, IsPrompt, NeedsHow, NeedsWhich, Refused
from bot.domain.routing import Circle
from bot.domain.sessions import Session, SessionState, Waiting, after, light
from bot.domain.views import Light
from bot.wire.types import (
    ALLOW,
    APPROVE,
    DENY,
    REVISE,
    Answer,
    Ending,
    HostId,
    Option,
    Person,
    PersonId,
    Question,
    QuestionId,
    QuestionKind,
    RunState,
    SessionId,
    Urgency,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BY = Person(PersonId("U1"), "Ana")


def question(kind: QuestionKind = QuestionKind.CHOICE, *labels: str, allow_text: bool = True) -> Question:
    options = tuple(Option(f"o{n}", label) for n, label in enumerate(labels))
    if kind is QuestionKind.PERMISSION:
        options = (Option(ALLOW, "Allow"), Option(DENY, "Deny"))
    if kind is QuestionKind.PLAN:
        options = (Option(APPROVE, "Approve"), Option(REVISE, "Revise"))
    return Question(QuestionId("s.q1"), kind, "?", options=options, allow_text=allow_text)


# --- names ----------------------------------------------------------------------------------------------------------


@given(st.text())
def test_any_text_gives_a_name_that_git_and_paths_accept(text: str) -> None:
    name = names.name_for(text)
    assert 1 <= len(name) <= names.MAX_NAME
    assert set(name) <= set(string.ascii_lowercase + string.digits + "-")
    assert not names.ref_problem(names.branch_for(name))


@given(st.sets(st.sampled_from(["a", "a-2", "a-3", "a-5"])))
def test_unique_names_are_unique(taken: set[str]) -> None:
    assert names.unique("a", taken) not in taken


def test_what_nobody_sees_is_no_part_of_a_name() -> None:
    assert names.visible("\u202eДана 🚀 דנה\u200b ") == "Дана 🚀 דנה"
    assert names.visible("👩\u200d🔬") == "👩\u200d🔬"
    assert names.alike("Gro\u0308ße", "größe")
    assert not names.alike("grosse", "größe")


@given(st.text())
def test_cleaning_leaves_no_control_characters(text: str) -> None:
    clean = names.clean(text)
    assert "\x00" not in clean
    clean.encode()
    assert names.clean(clean) == clean


@pytest.mark.parametrize(
    "bad", ["", "a..b", "a b", "-a", "/a", "a/", "a.lock", "a~1", "a^", "a:b", "@", "a@{1}", "x" * 300]
)
def test_bad_refs(bad: str) -> None:
    assert names.ref_problem(bad)


@pytest.mark.parametrize("good", ["main", "release/2.0", "fix-1", "ümlaut"])
def test_good_refs(good: str) -> None:
    assert not names.ref_problem(good)


# --- words and options ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "said", "found"),
    [
        (("FTS", "Tantivy"), "fts", 0),
        (("FTS", "Tantivy"), "2", 1),
        (("FTS", "Tantivy"), "option 2", 1),
        (("FTS", "Tantivy"), "3", None),
        (("FTS", "Tantivy"), "0", None),
        (("FTS", "Tantivy"), "not FTS", None),
        (("FTS", "Tantivy"), "FTS please", None),
        (("2", "4", "8"), "2", 0),
        (("2", "4", "8"), "3", 2),
        (("Use Redis", "Use Redis Cluster"), "use redis", 0),
        (("Redis (fast)", "Redis (safe)"), "redis", None),
        (("Tantivy, with typos", "FTS"), "tantivy", 0),
        (("Same", "Same"), "same", None),
        (("Ｆｕｌｌ", "Half"), "full", 0),
        (("A", "B"), "", None),
    ],
)
def test_a_reply_names_one_option_or_none(labels: tuple[str, ...], said: str, found: int | None) -> None:
    option = naming.named(question(QuestionKind.CHOICE, *labels), said)
    assert (option.id if option else None) == (None if found is None else f"o{found}")


def test_what_a_reply_means() -> None:
    choice, text = question(QuestionKind.CHOICE, "A", "B"), question(QuestionKind.TEXT)
    plan = question(QuestionKind.PLAN)
    assert questions.meaning((), "x", BY) == IsPrompt()
    assert questions.meaning((choice, text), "A", BY) == NeedsWhich((choice, text))
    assert questions.meaning((choice,), "hm", BY) == NeedsHow(choice)
    assert isinstance(questions.meaning((text,), "hm", BY), IsAnswer)
    assert isinstance(questions.meaning((plan,), "approve", BY), IsAnswer)
    assert questions.meaning((plan,), "do it differently", BY) == NeedsHow(plan)


@given(st.text(max_size=60))
def test_no_words_ever_grant_a_permission(words: str) -> None:
    permission = question(QuestionKind.PERMISSION)
    made = questions.by_text(permission, words, BY)
    assert isinstance(made, Refused) or made.option == DENY
    means = questions.meaning((permission,), words, BY)
    assert not isinstance(means, IsAnswer) or means.answer.option == DENY


@given(st.text(max_size=60), st.booleans())
def test_an_answer_always_fits_its_question(words: str, allow_text: bool) -> None:
    choice = question(QuestionKind.CHOICE, "A", "B", allow_text=allow_text)
    made = questions.by_text(choice, words, BY)
    if isinstance(made, Answer):
        assert made.option in (None, "o0", "o1")
        assert (made.option is None) == (made.text is not None)
        assert allow_text or made.option


# --- lights ---------------------------------------------------------------------------------------------------------

SESSION = Session(
    id=SessionId("s1"),
    name="x",
    repo="r",
    task="t",
    owner=PersonId("U1"),
    reviewer=None,
    agent="demo",
    base="main",
    branch="b",
    scope=(),
    host=HostId("h"),
    state=SessionState.WORKING,
    state_at=NOW,
    created=NOW,
    open=True,
    ended_at=None,
    ending=None,
    detail="",
    look="",
    last_words="",
    stop_by=None,
    place=None,
    snapshot=None,
    channel="",
    thread_ts="",
)


@pytest.mark.parametrize(
    ("state", "waiting", "expected"),
    [
        (SessionState.STARTING, Waiting(), Light.STARTING),
        (SessionState.WORKING, Waiting(), Light.WORKING),
        (SessionState.WORKING, Waiting(asked=NOW), Light.NEEDS_YOU),
        (SessionState.STOPPED, Waiting(offered=NOW), Light.REVIEW),
        (SessionState.STOPPED, Waiting(asked=NOW, offered=NOW), Light.NEEDS_YOU),
        (SessionState.STOPPED, Waiting(offered=NOW, merging=NOW), Light.MERGING),
        (SessionState.STOPPED, Waiting(), Light.STOPPED),
        (SessionState.PAUSED, Waiting(asked=NOW), Light.PAUSED),
        (SessionState.WORKING, Waiting(asked=NOW, asleep_since=NOW), Light.ASLEEP),
        (SessionState.FAILED, Waiting(asked=NOW), Light.FAILED),
        (SessionState.STOPPING, Waiting(asked=NOW), Light.STOPPING),
    ],
)
def test_one_light(state: SessionState, waiting: Waiting, expected: Light) -> None:
    assert light(replace(SESSION, state=state), waiting)[0] is expected


@pytest.mark.parametrize(
    ("ending", "expected"),
    [(Ending.MERGED, Light.MERGED), (Ending.FAILED, Light.FAILED), (Ending.STOPPED, Light.ENDED)],
)
def test_the_last_light(ending: Ending, expected: Light) -> None:
    ended = replace(SESSION, state=SessionState.ENDED, open=False, ending=ending, ended_at=NOW)
    assert light(ended, Waiting(asleep_since=NOW))[0] is expected


@given(st.lists(st.tuples(st.sampled_from(RunState), st.booleans())))
def test_an_end_is_final_and_a_stop_is_not_forgotten(said: list[tuple[RunState, bool]]) -> None:
    state = SessionState.WORKING
    for run, stopping in said:
        assert after(SessionState.ENDED, run, stopping=stopping) is SessionState.ENDED
        state = after(state, run, stopping=stopping)
        assert state is not SessionState.ENDED  # only the session's last event ends it
        if stopping and run not in (RunState.FAILED, RunState.ENDED):
            assert state is SessionState.STOPPING


# --- people ---------------------------------------------------------------------------------------------------------


def test_the_circle() -> None:
    circle = Circle(PersonId("UO"), PersonId("UR"), frozenset({PersonId("UA")}))
    assert [circle.may_answer(PersonId(p)) for p in ("UO", "UR", "UA", "UX")] == [True, True, True, False]
    assert [circle.may_merge(PersonId(p)) for p in ("UO", "UR", "UA", "UX")] == [False, True, True, False]
    assert Circle(PersonId("UO"), None, frozenset()).may_merge(PersonId("UO"))


@given(st.sampled_from(What), st.booleans(), st.none() | st.integers(-600, 600))
def test_attention_holds_nothing_without_a_reason(what: What, blocking: bool, minutes: int | None) -> None:
    until = None if minutes is None else NOW + timedelta(minutes=minutes)
    urgency = Urgency.BLOCKING if blocking else Urgency.INFO
    verdict = decide(Item(what, PersonId("U1"), urgency), Policy(until, "focus"), History(), NOW)
    if isinstance(verdict, Hold):
        assert verdict.until > NOW
        assert verdict.reason
    decision = what in (What.QUESTION, What.REVIEW, What.FAILURE)
    if not decision or not blocking:
        assert isinstance(verdict, NextDigest)
    elif until is None or until <= NOW:
        assert isinstance(verdict, Now)


# --- digests --------------------------------------------------------------------------------------------------------

_candidates = st.builds(
    Candidate,
    kind=st.sampled_from(["question", "review", "failed", "stopped", "working", "done"]),
    ref=st.sampled_from("abcdef"),
    session=st.just("s1"),
    since=st.just(NOW),
    version=st.sampled_from("12"),
    own_doing=st.booleans(),
)


@given(st.lists(st.lists(_candidates, max_size=6, unique_by=lambda c: c.item), max_size=6))
def test_progress_is_told_once_and_no_digest_is_without_news(rounds: list[list[Candidate]]) -> None:
    told: dict[str, str] = {}
    seen: set[tuple[str, str, int]] = set()
    changes: dict[str, int] = {}
    for candidates in rounds:
        edition = compose(candidates, told)
        if edition is None:
            assert all(c.own_doing or told.get(c.item) == c.version for c in candidates)
            continue
        assert any(told.get(line.item) != line.version for line in edition.lines)
        shown = [line.item for line in edition.lines]
        assert len(shown) == len(set(shown))
        open_now = [c.item for c in candidates if c.kind in ("question", "review", "failed")]
        assert set(open_now) <= set(shown)
        for line in edition.lines:
            if told.get(line.item) != line.version:
                changes[line.item] = changes.get(line.item, 0) + 1
            elif line.kind not in ("question", "review", "failed"):
                pytest.fail(f"{line.item} was told twice")
            seen.add((line.item, line.version, changes.get(line.item, 0)))
        told |= edition.told
        assert compose(candidates, told) is None


@given(st.integers(1, 10**6), st.integers(0, 10**8))
def test_missed_intervals_collapse_into_the_next(every: int, late: int) -> None:
    interval, now = timedelta(seconds=every), NOW + timedelta(seconds=late)
    following = next_interval(NOW, interval, now)
    assert now < following <= now + interval
    assert (following - NOW) % interval == timedelta()


@given(st.text(alphabet="0123456789*,/-abcmonfri ", max_size=30))
def test_no_schedule_raises_anything_but_its_own_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        parse_schedule(text)


def test_weekdays_are_counted_from_sunday() -> None:
    assert named_weekdays("0") == named_weekdays("7") == "sun"
    assert named_weekdays("1-5") == "mon,tue,wed,thu,fri"
    assert named_weekdays("sat-mon") == "sat,sun,mon"
    assert named_weekdays("*/2") == "sun,tue,thu,sat"


def test_no_session_takes_the_name_under_which_merges_wait() -> None:
    assert names.unique("merged", set()) == "merged-2"
    assert names.unique("merged", {"merged-2"}) == "merged-3"
