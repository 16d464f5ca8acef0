"""Whatever an agent or a person supplies, Slack accepts what we send, and nobody but us makes mentions or links."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.intents import Prefs, StartOffers
from bot.slack import text
from bot.slack.actions import Act, Verb, unpack
from bot.slack.blocks import answers, digest, forms
from bot.slack.blocks.failure import failure_card
from bot.slack.blocks.forms import Context, context_of
from bot.slack.blocks.kit import Message
from bot.slack.blocks.progress import progress_message
from bot.slack.blocks.question import question_card
from bot.slack.blocks.review import review_card
from bot.slack.blocks.session import session_card
from tests.slack import samples
from tests.slack.limits import elements, message_problems, view_problems

relaxed = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
OURS = re.compile(r"<(?:@[UW][A-Z0-9]+|!date\^\d+\^[^|<>]*\|[^<>]*|https?://[^<>|]+(?:\|[^<>]*)?)>")


def holds(message: Message) -> None:
    blocks: list[dict[str, Any]] = json.loads(json.dumps(list(message.blocks)))
    assert message_problems(message.text, blocks) == []
    no_forgery(message.text)
    for block in blocks:
        for part in [block.get("text", {}), *(e for e in block.get("elements", []) if "verbatim" in e)]:
            if part.get("type") == "mrkdwn":
                no_forgery(part["text"])
    for element in elements(blocks):
        value = element.get("value") or element["options"][0]["value"]
        assert unpack(value) is not None


def no_forgery(ready: str) -> None:
    rest = OURS.sub("", ready)
    assert "<" not in rest
    assert ">" not in rest
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", rest)


@relaxed
@given(samples.question_cards)
def test_question_cards(view: Any) -> None:
    holds(question_card(view))


@relaxed
@given(samples.groups)
def test_cards_of_several_questions(view: Any) -> None:
    holds(question_card(view))


@relaxed
@given(samples.review_cards)
def test_review_cards(view: Any) -> None:
    holds(review_card(view))


@relaxed
@given(samples.session_cards)
def test_session_cards(view: Any) -> None:
    holds(session_card(view))


@relaxed
@given(samples.failures)
def test_failure_cards(view: Any) -> None:
    holds(failure_card(view))


@relaxed
@given(samples.progresses)
def test_progress_messages(view: Any) -> None:
    holds(progress_message(view))


@relaxed
@given(samples.digests)
def test_digests(view: Any) -> None:
    holds(digest.digest(view))


@relaxed
@given(samples.homes)
def test_home(view: Any) -> None:
    assert view_problems(json.loads(json.dumps(digest.home(view, "/session")))) == []


@relaxed
@given(samples.responses)
def test_private_answers(response: Any) -> None:
    message = answers.response(response, "/session")
    assert message is not None
    assert message_problems(message.text, json.loads(json.dumps(list(message.blocks)))) == []


@relaxed
@given(samples.questions, samples.words, st.builds(Context, ref=st.text(max_size=30), arg=st.text(max_size=60)))
def test_forms_about_questions(question: Any, name: str, context: Context) -> None:
    for make in (forms.answer, forms.deny, forms.revise):
        assert view_problems(make(question, name, context)) == []
    whole = forms.whole(question, name)
    assert view_problems(whole) == []
    assert len(json.dumps(whole)) < 250_000


@relaxed
@given(
    st.builds(
        StartOffers,
        repos=st.lists(samples.words, max_size=120).map(tuple),
        agents=st.lists(samples.words, max_size=4).map(tuple),
        default_repo=samples.words,
        problem=samples.words,
    ),
    st.builds(Prefs, digest=samples.words, tz=samples.words, next_digest=samples.words),
    samples.words,
)
def test_other_forms(offers: StartOffers, prefs: Prefs, said: str) -> None:
    for view in (
        forms.start(offers, Context(), said),
        forms.prefs(prefs, Context()),
        forms.send_back(said, said, Context()),
        forms.tell(said, Context()),
        forms.stop(said, Context()),
        forms.reset(said, Context()),
    ):
        assert view_problems(view) == []


@given(st.text(), st.integers(1, 200))
def test_cut_never_exceeds_its_limit(said: str, limit: int) -> None:
    assert text.size(text.cut(said, limit)) <= limit
    assert text.size(text.line(said, limit)) <= limit
    assert text.size(text.fence(said, limit + 9)) <= limit + 9
    assert text.size(text.prose(said, limit + 20)) <= limit + 20


@given(
    st.builds(
        Act, verb=st.sampled_from(Verb), ref=st.text(max_size=40), arg=st.text(max_size=40), index=st.integers(-1, 99)
    )
)
def test_a_button_says_what_it_was_given(act: Act) -> None:
    assert unpack(act.pack()) == act


@given(st.builds(Context, ref=st.text(), arg=st.text(), channel=st.text(), thread_ts=st.text(), ts=st.text()))
def test_a_form_remembers_where_it_was_opened(context: Context) -> None:
    assert context_of(context.pack()) == context


@given(
    st.one_of(
        st.none(), st.integers(), st.text(), st.sampled_from(["[]", '{"a":1}', '["choose",1,2,3]', '["x","","",0]'])
    )
)
def test_foreign_values_mean_nothing(value: object) -> None:
    assert unpack(value) is None or isinstance(unpack(value), Act)
    assert isinstance(context_of(value), Context)
