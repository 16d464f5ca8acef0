"""A session's buttons and small print: what its agent can do, what its state allows, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.intents import Listing, Queued, StatusOf, Waiting
from bot.domain.views import DecisionLine, FailureCard, Light, SessionLine
from bot.slack import text
from bot.slack.blocks import answers, digest
from bot.slack.blocks.failure import failure_card
from bot.slack.blocks.session import listing, session_card, status
from bot.wire.types import Ability, Place, PromptId, Urgency
from tests.slack.samples import ANA, NOW, SEARCH, question
from tests.slack.samples import digest as a_digest
from tests.slack.samples import session_card as card
from tests.slack.test_cards import buttons, first

ALL = frozenset(Ability) - {Ability.ADOPT}
LATER = NOW + timedelta(hours=4)
TELL, STATUS, STOP = "Tell it…", "Status", "Stop"


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({"light": Light.WORKING}, [TELL, STATUS, STOP]),
        ({"light": Light.WORKING, "abilities": ALL}, [TELL, STATUS, "Pause", "Reset", STOP]),
        ({"light": Light.NEEDS_YOU, "abilities": ALL}, [TELL, STATUS, "Pause", "Reset", STOP]),
        ({"light": Light.STOPPED, "abilities": ALL}, [TELL, STATUS, "Reset", STOP]),
        ({"light": Light.STARTING, "abilities": ALL}, [TELL, STATUS, STOP]),
        ({"light": Light.WORKING, "abilities": frozenset([Ability.RESUME])}, [TELL, STATUS, STOP]),
        (
            {"light": Light.WORKING, "abilities": frozenset([Ability.RESUME, Ability.CANCEL])},
            [TELL, STATUS, "Pause", STOP],
        ),
        ({"light": Light.PAUSED, "abilities": ALL}, ["Resume", TELL, STATUS, STOP]),
        ({"light": Light.LIMITED, "limited_until": LATER}, ["Resume now", "Stay asleep", TELL, STATUS, STOP]),
        (
            {"light": Light.LIMITED, "limited_until": LATER, "wakes": False},
            ["Resume now", "Wake at reset", TELL, STATUS, STOP],
        ),
        ({"light": Light.LIMITED}, ["Resume now", "Stay asleep", TELL, STATUS, STOP]),
        ({"light": Light.LIMITED, "wakes": False}, ["Resume now", "Wake by itself", TELL, STATUS, STOP]),
        ({"light": Light.FAILED, "abilities": ALL}, ["Resume", "Look", "Drop"]),
        ({"light": Light.FAILED}, ["Resume", "Look", "Drop"]),
        ({"light": Light.FAILED, "abilities": frozenset([Ability.STEER])}, ["Look", "Drop"]),
        ({"light": Light.WORKING, "abilities": ALL, "attached": True}, [TELL, STATUS, "Reset", "Detach"]),
        ({"light": Light.STOPPING, "abilities": ALL}, []),
        ({"light": Light.ENDED, "open": False, "abilities": ALL}, []),
    ],
)
def test_buttons(facts: dict[str, Any], wanted: list[str]) -> None:
    assert buttons(session_card(card(**facts))) == wanted


def test_a_failed_session_says_its_exit_status_and_last_words_once() -> None:
    view = card(light=Light.FAILED, exit_status=137, detail="It ended by itself.", last_words="Out of memory")
    message = session_card(view)
    assert first(message) == "❌ *search* · failed, exit status 137 · Add search to the shop"
    assert message.text.count("Its last words: Out of memory") == 1
    told = session_card(card(light=Light.FAILED, detail="Out of memory", last_words="Out of memory"))
    assert "Its last words" not in told.text


def test_a_failure_calls_once_and_says_what_became_of_it() -> None:
    view = FailureCard(SEARCH, "search", NOW, "It ended by itself.", "Out of memory", 137, mention=ANA)
    message = failure_card(view)
    assert first(message) == f"❌ *search* · failed, exit status 137 · <@{ANA}>"
    assert "Its last words: Out of memory" in message.text
    assert "a reply here starts its agent again" in message.text
    assert buttons(message) == ["Resume", "Look", "Drop"]
    taken = failure_card(replace(view, mention=None, taken_by="Ana", taken_at=NOW))
    assert "Ana asked it to go on" in taken.text
    done = failure_card(replace(view, mention=None, open=False, settled="Ana resumed it", settled_at=NOW))
    assert "☑️ Ana resumed it" in done.text
    assert buttons(done) == []
    ended = failure_card(replace(view, open=False))
    assert buttons(ended) == ["Look"]


def test_a_failed_session_is_a_decision_in_the_digest() -> None:
    line = DecisionLine(1, SEARCH, "search", NOW, failed="it ended twice", exit_status=1, last_words="No credentials")
    message = digest.digest(a_digest(decisions=(line,)))
    assert "1 ❌ *search* · it ended twice · exit status 1 · just now\nIts last words: No credentials" in message.text
    assert buttons(message) == ["Resume", "Look", "Drop"]


def test_a_session_at_its_limit_says_until_when_it_sleeps() -> None:
    asleep = session_card(card(light=Light.LIMITED, limited_until=LATER, detail="The limit is reached."))
    assert first(asleep).startswith("🌙 *search* · asleep until <!date^1795456800^{time}|18:00 UTC>")
    assert "It goes on by itself then" in asleep.text
    stays = session_card(card(light=Light.LIMITED, limited_until=LATER, wakes=False))
    assert "until somebody resumes it" in stays.text
    far = session_card(card(light=Light.LIMITED, limited_until=NOW + timedelta(days=3)))
    assert "{date_short_pretty}" in first(far)


def test_a_session_in_a_terminal_says_so_and_when_it_reads() -> None:
    view = card(attached=True, abilities=frozenset([Ability.STEER]), owner_name="Ana", light=Light.STOPPED)
    message = session_card(view)
    assert "⌨️ Runs in Ana's terminal" in message.text
    assert "it reads at its next turn" in message.text
    assert "it reads at its next turn" not in session_card(card(attached=True, abilities=ALL)).text


def test_decisions_lead_to_their_cards_where_that_is_known() -> None:
    link = "https://x.slack.com/archives/C1/p2"
    view = card(light=Light.NEEDS_YOU, decisions=("Which index? <!here>", "Which name?"), decision_links=(link,))
    message = session_card(view)
    assert f"• <{link}|Which index? &lt;!here&gt;>\n• Which name?" in message.text


def test_status_shows_use_follow_ups_and_what_runs_beside() -> None:
    view = card(abilities=ALL, tokens=1_234_567, cost=3.4, budget=5.0, context=45_210, background=("npm run dev",))
    waiting = (Waiting(PromptId("p1"), "use FTS", ANA), Waiting(PromptId("p2"), "<@U0BEN>", ANA))
    message = status(StatusOf(view, queued=waiting))
    assert "1.2M tokens · $3.40 of $5.00 · 45.2k tokens in its context" in message.text
    assert "🧵 In the background: `npm run dev`" in message.text
    assert "📨 waits for the agent: “use FTS”\n[Send now] [Take back]" in message.text
    assert "<@" not in message.text
    calm = status(StatusOf(card(abilities=ALL - {Ability.STEER}), queued=waiting))
    assert buttons(calm) == ["Take back", "Take back"]


def test_a_follow_up_on_its_way_can_be_taken_back() -> None:
    waiting = Waiting(PromptId("p1"), "use <FTS>", ANA)
    for can_steer, wanted in ((True, ["Send now", "Take back"]), (False, ["Take back"])):
        message = answers.response(Queued("search", waiting, can_steer), "/session")
        assert message is not None
        assert buttons(message) == wanted
        assert "“use &lt;FTS&gt;”" in message.text


def test_a_digest_says_what_was_used() -> None:
    view = a_digest(
        working=(SessionLine(SEARCH, "cart", Light.WORKING, "4/6", tokens=81_234, cost=0.4),), tokens=81_234, cost=0.4
    )
    message = digest.digest(view)
    assert "⚙️ cart · 4/6 · $0.40" in message.text
    assert "used so far: 81.2k tokens · $0.40" in message.text


def test_an_assumption_without_a_card_is_answered_on_the_sessions() -> None:
    assumption = question(urgency=Urgency.ASSUMED, default="fts", until=LATER)
    message = session_card(card(assumed=(assumption,)))
    assert f"💭 Which index? · Going on with *FTS* unless somebody objects by {text.clock(LATER)}" in message.text
    assert "Waiting for a decision" not in message.text
    assert {"Keep FTS", "Tantivy instead"} <= set(buttons(message))


def test_a_budget_that_cannot_be_kept_says_so() -> None:
    assert "Its budget holds nothing up" in session_card(card(budget=5.0, tokens=900)).text
    assert "Its budget holds nothing up" not in session_card(card(budget=5.0, tokens=900, cost=0.1)).text


def test_a_digest_tells_who_rests_from_who_works() -> None:
    rests = SessionLine(SEARCH, "auth", Light.LIMITED, "tests pass", until=LATER)
    works = SessionLine(SEARCH, "cart", Light.WORKING, "4/6")
    message = digest.digest(a_digest(working=(rests, works, SessionLine(SEARCH, "feed", Light.PAUSED, ""))))
    assert "1 working · 2 at rest" in message.text
    assert f"*At rest*\n🌙 auth · asleep until {text.clock(LATER)} · tests pass\n⏸️ feed · paused" in message.text


def test_two_kinds_of_last_words_are_told_apart() -> None:
    view = card(light=Light.FAILED, detail="Agent demo ended.\nIts last words: no licence", last_words="I go on.")
    assert "It said before: I go on." in session_card(view).text


def test_an_ended_session_and_a_list_say_what_was_used() -> None:
    ended = card(light=Light.MERGED, open=False, tokens=81_234, cost=0.4)
    assert "used 81.2k tokens · $0.40" in session_card(ended).text
    assert "used" not in session_card(replace(ended, open=True, light=Light.WORKING)).text
    both = listing(Listing((ended, card(tokens=None, cost=1.0)), mine=True), "/session")
    assert "used so far: 81.2k tokens · $1.40" in both.text


def test_an_exit_status_is_said_once() -> None:
    line = DecisionLine(1, SEARCH, "search", NOW, failed="Agent demo ended with exit status 1.", exit_status=1)
    assert digest.digest(a_digest(decisions=(line,))).text.count("exit status") == 1


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (1, "1 token"),
        (999, "999 tokens"),
        (1000, "1k tokens"),
        (12_345, "12.3k tokens"),
        (999_999, "1M tokens"),
        (1_250_000, "1.2M tokens"),
        (123_456_789, "123M tokens"),
        (3 * 10**9, "3G tokens"),
    ],
)
def test_tokens_as_people_count_them(n: int, words: str) -> None:
    assert text.tokens(n) == words


def test_money() -> None:
    assert [text.money(m) for m in (0, 0.001, 0.42, 1234.5)] == ["$0.00", "under 1 cent", "$0.42", "$1,234.50"]


def test_a_script_is_told_nothing_and_has_no_terminal() -> None:
    view = replace(card(attached=True, abilities=ALL, owner_name="Ana", light=Light.NEEDS_YOU), agent="script")
    message = session_card(view)
    assert buttons(message) == ["Status", "Detach"]
    assert "terminal" not in json.dumps(list(message.blocks))
    assert "A script asks here" in message.text


def test_words_that_cannot_come_within_the_turn_say_so() -> None:
    waiting = Waiting(PromptId("p1"), "look at x", ANA)
    message = answers.response(Queued("search", waiting, not_now=True), "/session")
    assert message is not None
    assert "cannot take words within a turn" in message.text
    assert buttons(message) == ["Take back"]


def test_one_follow_up_is_it_and_several_are_them() -> None:
    assert "1 follow-up waits for the agent: Status shows it" in session_card(card(queued=1)).text
    assert "2 follow-ups wait for the agent: Status shows them" in session_card(card(queued=2)).text


def test_a_look_at_what_failed_says_where_its_work_is() -> None:
    place = Place("switchboard/search", "/trees/search", "main", "b" * 40, "demo")
    look = answers.response(StatusOf(card(light=Light.FAILED, place=place)), "/session")
    assert look is not None
    assert "Its work is in `/trees/search`" in look.text


def test_a_decision_without_words_still_has_a_link_to_click() -> None:
    view = card(decisions=("",), decision_links=("https://x.slack.com/p1",))
    assert "• <https://x.slack.com/p1|a decision>" in session_card(view).text
