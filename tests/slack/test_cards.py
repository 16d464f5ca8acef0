"""How messages read: the first line stands alone, nothing is said twice, counts add up."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from bot.domain.intents import AskHow, AskWhich, Listing, Note, StatusOf
from bot.domain.views import DecisionLine, Light, MergeDone, ProgressView, SentBack, SessionLine, Withdrawn
from bot.slack.blocks import answers, digest, forms
from bot.slack.blocks.kit import Message
from bot.slack.blocks.progress import progress_message
from bot.slack.blocks.question import question_card
from bot.slack.blocks.review import review_card
from bot.slack.blocks.session import session_card
from bot.wire.types import Check, CheckState, PlanStep, QuestionKind, Snapshot, StepState
from tests.slack import samples
from tests.slack.samples import ANA, BEN, NOW, SEARCH
from tests.slack.scene import labels


def first(message: Message) -> str:
    return message.text.split("\n")[0]


def buttons(message: Message) -> list[str]:
    return labels({"blocks": list(message.blocks)})


@pytest.mark.parametrize(
    "message",
    [
        question_card(samples.question_card(mention=ANA)),
        question_card(samples.question_card(samples.question(QuestionKind.PERMISSION, detail="make && test"))),
        review_card(samples.review_card(mention=BEN)),
        session_card(samples.session_card(decisions=("Which index?",))),
        digest.digest(samples.digest(working=(SessionLine(SEARCH, "search", Light.WORKING, "4/6"),))),
    ],
)
def test_the_fallback_says_what_the_blocks_say(message: Message) -> None:
    for block in message.blocks:
        for part in [block.get("text"), *(block.get("elements") or [])]:  # type: ignore[misc]
            if isinstance(part, dict) and part.get("type") == "mrkdwn":
                assert part["text"] in message.text
    for label in buttons(message):
        assert f"[{label}]" in message.text


def test_an_open_question() -> None:
    message = question_card(samples.question_card(samples.question(context="Which do you want?"), mention=ANA))
    assert first(message) == "❓ *search* · Which index? · <@U0ANA>"
    assert buttons(message) == ["FTS · recommended", "Tantivy", "Other…", "Later"]
    assert "The session waits; a reply here answers too" in message.text


def test_the_recommended_option_comes_first_and_only_it_is_green() -> None:
    asked = samples.question(options=tuple(reversed(samples.question().options)))
    elements: Any = question_card(samples.question_card(asked)).blocks[-2]["elements"]
    assert [e.get("style") for e in elements] == ["primary", None, None, None]
    assert elements[0]["text"]["text"] == "FTS · recommended"


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (QuestionKind.TEXT, ["Answer…", "Later"]),
        (QuestionKind.PERMISSION, ["Allow", "Deny", "Deny and stop", "Deny and tell it…", "Later"]),
        (QuestionKind.PLAN, ["Approve", "Revise…", "Later"]),
    ],
)
def test_each_kind_has_its_verbs(kind: QuestionKind, wanted: list[str]) -> None:
    assert buttons(question_card(samples.question_card(samples.question(kind)))) == wanted


def test_a_choice_without_options_is_a_question_for_words() -> None:
    asked = samples.question(options=(), allow_text=False)
    assert buttons(question_card(samples.question_card(asked))) == ["Answer…", "Later"]


def test_a_review_says_where_its_checks_ran() -> None:
    message = review_card(samples.review_card())
    assert "Checks on this machine:\n✅ pytest" in message.text


def test_an_answer_says_who_what_and_when_and_has_no_buttons() -> None:
    message = question_card(samples.question_card(answered=samples.answered(applied=True)))
    assert first(message) == "☑️ *search* · Which index? → *FTS*"
    assert "<@U0ANA>" in message.text
    assert "<!date^" in message.text
    assert buttons(message) == []
    late = question_card(samples.question_card(answered=samples.answered(applied=False, detail="it chose FTS itself")))
    assert "the session had moved on" in late.text
    paused = question_card(samples.question_card(answered=samples.answered(applied=True), resting=True))
    assert "given when it is resumed" in paused.text
    asleep = question_card(samples.question_card(answered=samples.answered(), asleep=True))
    assert "delivered on wake" in asleep.text


def test_the_reason_of_a_denial_is_said_once() -> None:
    denied = samples.answered("deny", "Deny: use docs/")
    denied = replace(denied, answer=msgspec.structs.replace(denied.answer, text="use docs/"))
    assert question_card(samples.question_card(answered=denied)).text.count("use docs/") == 1


def test_a_withdrawn_question_says_why() -> None:
    gone = question_card(samples.question_card(withdrawn=Withdrawn(NOW, "the session ended")))
    assert "withdrawn" in first(gone)
    assert "the session ended" in gone.text
    assert buttons(gone) == []


def test_a_review_warns_before_it_is_merged() -> None:
    failed = samples.review(
        checks=(Check("pytest", CheckState.FAILED, 3.0, "E assert 1 == 2"),), conflicts=("app.py",), dirty=("x",)
    )
    message = review_card(samples.review_card(failed, mention=BEN))
    assert first(message) == ("👀 *search* · ready at `9f8e7d6` · 1 check failed · conflicts with main · for <@U0BEN>")
    assert "E assert 1 == 2" in message.text
    merge: Any = next(b for b in message.blocks if b["type"] == "actions")["elements"][0]  # type: ignore[index]
    assert "style" not in merge
    assert "1 check failed" in merge["confirm"]["text"]["text"]


def test_a_review_that_is_settled_has_no_buttons() -> None:
    done = MergeDone(
        BEN, NOW, "abcdef0123", "switchboard/merged/search", "git merge --ff-only switchboard/merged/search"
    )
    for view, words in (
        (samples.review_card(merged=done), "merged into switchboard/merged/search at `abcdef0`"),
        (samples.review_card(sent_back=SentBack(BEN, NOW, "Add tests")), "sent back"),
        (samples.review_card(withdrawn=Withdrawn(NOW, "the branch moved on")), "withdrawn"),
        (samples.review_card(merging_by=BEN), "merging `9f8e7d6`"),
    ):
        message = review_card(view)
        assert words in first(message)
        assert buttons(message) == []
    assert "git merge --ff-only" in review_card(samples.review_card(merged=done)).text


def test_a_merge_that_failed_says_so_and_can_be_tried_again() -> None:
    message = review_card(samples.review_card(problem="main has moved on. Send it back to be rebased."))
    assert "⚠️ Not merged: main has moved on." in message.text
    assert buttons(message) == ["Merge", "Send back…"]


def test_a_session_card_pings_nobody() -> None:
    view = samples.session_card(owner_name="Ana", reviewer=BEN, reviewer_name="Ben", detail="<@U0BEN> look")
    message = session_card(view)
    assert "<@" not in message.text
    assert "started by Ana" in message.text
    assert "reviewer Ben" in message.text
    assert buttons(session_card(samples.session_card(open=False, light=Light.ENDED))) == []


def test_what_is_decided_names_people_and_calls_nobody() -> None:
    answered = question_card(samples.question_card(answered=samples.answered(by_name="Ana")))
    assert first(answered) == "☑️ *search* · Which index? → *FTS*"
    merged = review_card(samples.review_card(merged=MergeDone(ANA, NOW, "f" * 40, "main", by_name="Ana")))
    for message in (answered, merged):
        assert "Ana · " in message.text
        assert "<@" not in message.text


def test_a_linked_name_stays_bold() -> None:
    line = DecisionLine(
        1, SEARCH, "search", NOW, link="https://x.slack.com/archives/C1/p1", question=samples.question()
    )
    assert (
        "*<https://x.slack.com/archives/C1/p1|search>* · Which" in digest.digest(samples.digest(decisions=(line,))).text
    )


def test_a_step_under_way_is_named_once() -> None:
    steps = (PlanStep("Read", StepState.DONE), PlanStep("Write", StepState.ACTIVE))
    message = progress_message(
        ProgressView(SEARCH, "search", Light.WORKING, Snapshot(at=NOW, line="Write", steps=steps))
    )
    assert first(message).endswith("· 1 of 2 steps")
    assert "▸ Write" in message.text


def test_a_stopped_session_says_its_last_words_once() -> None:
    card = samples.session_card(light=Light.STOPPED, line="There is nothing to do.", detail="There is nothing to do.")
    assert session_card(card).text.count("There is nothing to do.") == 1


def test_an_empty_digest_says_so() -> None:
    assert first(digest.digest(samples.digest())) == "☀️ *Nothing needs you*"


def test_a_digest_begins_with_decisions() -> None:
    view = samples.digest(
        decisions=(
            DecisionLine(1, SEARCH, "search", NOW - timedelta(minutes=42), question=samples.question()),
            DecisionLine(2, SEARCH, "errors", NOW - timedelta(hours=2), failed="died; 3 commits are safe"),
            DecisionLine(3, SEARCH, "auth", NOW, review=samples.review()),
        ),
        working=(SessionLine(SEARCH, "playback", Light.WORKING, "4/6 · tests"),),
        next=NOW + timedelta(hours=1),
    )
    message = digest.digest(view)
    assert buttons(message)[4:7] == ["Resume", "Look", "Drop"]
    lines = message.text.split("\n")
    assert lines[0] == "☀️ *2 need you · 1 review · 1 working*"
    assert lines[1] == "1 ❓ *search* · Which index? · waiting 42 min"
    assert "2 ❌ *errors* · died; 3 commits are safe · 2 h ago" in lines
    assert "⚙️ playback · 4/6 · tests" in lines


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(samples.digests)
def test_a_digest_loses_nobody(view: Any) -> None:
    blocks = digest.digest(view).blocks
    told = "\n".join(str(b["text"]["text"]) for b in blocks if b["type"] == "section")  # type: ignore[index]
    small = " ".join(str(b["elements"]) for b in blocks if b["type"] == "context")
    rest = re.search(r"and ([\d,]+) more decision", small)
    shown = len(re.findall(r"^[\d,]+ (?:❓|💭|🔐|🗺️|👀|❌|☑️) ", told, re.M))
    assert shown + (int(rest[1].replace(",", "")) if rest else 0) == len(view.decisions)


def test_private_answers() -> None:
    how = answers.response(AskHow(7, "sqlite?", samples.question()), "/session")
    assert how is not None
    assert buttons(how) == ["Send as answer", "Send as prompt", "Discard"]
    other = samples.question(QuestionKind.TEXT, title="Which name?")
    which = answers.response(AskWhich(7, "sqlite?", (samples.question(), other)), "/session")
    assert which is not None
    assert buttons(which) == ["Answer: Which index?", "Answer: Which name?", "Send as prompt", "Discard"]
    empty = answers.response(Listing(()), "/sb")
    assert empty is not None
    assert "`/sb start`" in empty.text
    status = answers.response(StatusOf(samples.session_card(), (samples.question(),)), "/session")
    assert status is not None
    assert "Which index?" in status.text


def test_a_long_question_can_be_read_in_full() -> None:
    asked = samples.question(QuestionKind.PERMISSION, detail="\n".join(f"line {n}" for n in range(2000)))
    message = question_card(samples.question_card(asked))
    assert "Show in full" in buttons(message)
    whole = str(forms.whole(asked, "search"))
    assert "line 1999" in whole
    assert "Show in full" not in buttons(question_card(samples.question_card(samples.question(detail="ls"))))


def test_the_services_words_use_this_workspaces_command() -> None:
    said = answers.response(Note("`/session digest` shows the rest."), "/sb")
    assert said is not None
    assert said.text == "`/sb digest` shows the rest."


def test_one_endless_line_is_cut_without_breaking_what_is_in_it() -> None:
    for end in ("<@U0BENJAMIN>", "&lt;&lt;&lt;&lt;"):
        for length in range(2970, 3000):
            said = answers.response(Note("x" * length + end * 5), "/sb")
            assert said is not None
            assert re.fullmatch(r"x+(?:<@U0BENJAMIN>|&lt;)*…", said.text)
