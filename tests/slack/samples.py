"""Views to render: plain ones by hand, and hypothesis strategies for any other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from msgspec import structs

from bot.domain.intents import AskHow, AskWhich, Listing, Note, Queued, StatusOf, Waiting
from bot.domain.views import (
    Answered,
    DecisionLine,
    DigestView,
    FailureCard,
    HomeView,
    Light,
    MergeDone,
    ProgressView,
    QuestionCard,
    ReviewCard,
    SentBack,
    SessionCard,
    SessionLine,
    Withdrawn,
)
from bot.wire.types import (
    Ability,
    Answer,
    Check,
    CheckState,
    Commit,
    FileStat,
    Option,
    Person,
    PersonId,
    PlanStep,
    PromptId,
    Question,
    QuestionId,
    QuestionKind,
    Review,
    ReviewId,
    SessionId,
    Snapshot,
    StepState,
    Urgency,
)

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
ANA, BEN = PersonId("U0ANA"), PersonId("U0BEN")
SEARCH = SessionId("s1234abcd")
NASTY = "<!channel> <@U0BEN> &lt; ```fence\x1b[31mred\x00\u202eevil` *b* _i_ 👩‍👩‍👧‍👦é"


def question(kind: QuestionKind = QuestionKind.CHOICE, **changes: object) -> Question:
    options = {
        QuestionKind.CHOICE: (
            Option("fts", "FTS", "shipped, no typo tolerance", recommended=True),
            Option("tantivy", "Tantivy", "typo tolerance, +9 MB"),
        ),
        QuestionKind.TEXT: (),
        QuestionKind.PERMISSION: (Option("allow", "Allow"), Option("deny", "Deny")),
        QuestionKind.PLAN: (Option("approve", "Approve"), Option("revise", "Revise")),
    }[kind]
    facts: dict[str, object] = {"title": "Which index?", "options": options, **changes}
    return Question(id=QuestionId("s1234abcd.q1"), kind=kind, **facts)  # type: ignore[arg-type]


def question_card(asked: Question | None = None, **changes: object) -> QuestionCard:
    facts: dict[str, object] = {"owner": ANA, "asked": NOW, **changes}
    return QuestionCard(SEARCH, "search", asked or question(), **facts)  # type: ignore[arg-type]


def assumed(**changes: object) -> Question:
    facts: dict[str, object] = {"urgency": Urgency.ASSUMED, "default": "fts", "until": NOW + timedelta(minutes=30)}
    return question(**{**facts, **changes})  # type: ignore[arg-type]


def together(*asked: Question, **changes: object) -> QuestionCard:
    """One card of several questions, asked in one call."""
    cards = [question_card(numbered(each, number)) for number, each in enumerate(asked, 1)]
    return replace(cards[0], others=tuple(cards[1:]), **changes)  # type: ignore[arg-type]


def numbered(asked: Question, number: int) -> Question:
    return structs.replace(asked, id=QuestionId(f"s1234abcd.q{number}"), group="s1234abcd.q1")


def answered(option: str | None = "fts", words: str = "FTS", **changes: object) -> Answered:
    answer = Answer(QuestionId("s1234abcd.q1"), Person(ANA, "Ana"), option=option, text=None if option else words)
    return Answered(ANA, NOW, answer, words, **changes)  # type: ignore[arg-type]


def review(**changes: object) -> Review:
    facts: dict[str, object] = {
        "summary": "Search finds titles and authors.",
        "commits": (Commit("1a2b3c4d5e", "Add the index"), Commit("9f8e7d6c5b", "Use it")),
        "stat": (FileStat("src/index.py", 80, 0), FileStat("src/app.py", 12, 3)),
        "file_count": 2,
        "added": 92,
        "deleted": 3,
        "checks": (Check("pytest", CheckState.PASSED, 12.4),),
        **changes,
    }
    return Review(ReviewId("s1234abcd.r1"), "9f8e7d6c5b", "switchboard/search", "main", "000111222", **facts)  # type: ignore[arg-type]


def review_card(offered: Review | None = None, **changes: object) -> ReviewCard:
    return ReviewCard(SEARCH, "search", "shop", "Add search", offered or review(), ANA, BEN, NOW, **changes)  # type: ignore[arg-type]


def session_card(**changes: object) -> SessionCard:
    facts: dict[str, object] = {
        "light": Light.WORKING,
        "line": "running tests",
        "steps_done": 4,
        "steps_total": 6,
        "branch": "switchboard/search",
        "next_digest": NOW + timedelta(minutes=20),
        **changes,
    }
    base: dict[str, object] = {"since": NOW, "created": NOW}
    return SessionCard(SEARCH, "search", "shop", "Add search to the shop", ANA, "demo", **base, **facts)  # type: ignore[arg-type]


def digest(**changes: object) -> DigestView:
    return DigestView(7, ANA, NOW, **changes)  # type: ignore[arg-type]


# --- anything at all ------------------------------------------------------------------------------------------------

words = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", " ", NASTY, "x" * 5000, "&<>" * 2000, "👩‍👩‍👧‍👦" * 900, "```" * 300, "a\nb\r\n" * 400, NASTY * 80]
    ),
)
times = st.integers(0, 300_000_000).map(lambda seconds: NOW - timedelta(seconds=seconds))
people = st.sampled_from([ANA, BEN, PersonId("<!channel>"), PersonId("")])
counts = st.integers(0, 10**9)
lights = st.sampled_from(Light)


def _some(items: st.SearchStrategy[object], most: int) -> st.SearchStrategy[tuple[object, ...]]:
    """Few, or very many of one."""
    many = st.builds(lambda item, n: (item,) * n, items, st.integers(0, most))
    return st.one_of(st.lists(items, max_size=4).map(tuple), many)


options = st.builds(Option, id=words, label=words, description=words, recommended=st.booleans())
questions = st.builds(
    Question,
    id=words,
    kind=st.sampled_from(QuestionKind),
    title=words,
    context=words,
    detail=words,
    options=_some(options, 120),
    allow_text=st.booleans(),
    multiple=st.booleans(),
    urgency=st.sampled_from(Urgency),
    default=words | st.just("a"),
    until=st.none() | times,
)
answers = st.builds(
    Answer, question=words, by=st.just(Person(ANA, "Ana")), option=st.none() | words, text=st.none() | words
)
answereds = st.builds(
    Answered, by=people, at=times, answer=answers, words=words, applied=st.none() | st.booleans(), detail=words
)
withdrawns = st.builds(Withdrawn, at=times, reason=words)
_card = {
    "session": words,
    "session_name": words,
    "question": questions,
    "owner": people,
    "asked": times,
    "mention": st.none() | people,
    "held_for": words,
    "answered": st.none() | answereds,
    "withdrawn": st.none() | withdrawns,
    "asleep": st.booleans(),
    "as_file": st.booleans(),
}
question_cards = st.builds(QuestionCard, **_card)
groups = st.builds(QuestionCard, **_card, others=_some(question_cards, 20))
checks = st.builds(Check, name=words, state=st.sampled_from(CheckState), seconds=st.floats(0, 1e6), tail=words)
commits = st.builds(Commit, sha=words, subject=words)
stats = st.builds(FileStat, path=words, added=counts, deleted=counts, binary=st.booleans())
reviews = st.builds(
    Review,
    id=words,
    commit=words,
    branch=words,
    base=words,
    base_commit=words,
    summary=words,
    commits=_some(commits, 60),
    stat=_some(stats, 120),
    file_count=counts,
    added=counts,
    deleted=counts,
    checks=_some(checks, 30),
    outside_scope=_some(words, 40),
    conflicts=_some(words, 40),
    dirty=_some(words, 40),
    diff=st.none() | words,
)
review_cards = st.builds(
    ReviewCard,
    session=words,
    session_name=words,
    repo=words,
    task=words,
    review=reviews,
    owner=people,
    reviewer=people,
    offered=times,
    mention=st.none() | people,
    merging_by=st.none() | people,
    merged=st.none() | st.builds(MergeDone, by=people, at=times, commit=words, landed_on=words, look=words),
    sent_back=st.none() | st.builds(SentBack, by=people, at=times, text=words),
    withdrawn=st.none() | withdrawns,
    problem=words,
)
session_cards = st.builds(
    SessionCard,
    session=words,
    name=words,
    repo=words,
    task=words,
    owner=people,
    agent=words,
    light=lights,
    since=times,
    created=times,
    branch=words,
    reviewer=st.none() | people,
    line=words,
    steps_done=counts,
    steps_total=counts,
    decisions=_some(words, 40),
    detail=words,
    next_digest=st.none() | times,
    scope=_some(words, 40),
    open=st.booleans(),
    link=words | st.just("https://x.slack.com/archives/C1/p1"),
    abilities=st.frozensets(st.sampled_from(Ability)),
    agent_title=words,
    queued=counts,
    limited_until=st.none() | times,
    wakes=st.booleans(),
    background=_some(words, 20),
    trouble=words,
    tokens=st.none() | counts,
    cost=st.none() | st.floats(0, 1e6),
    context=st.none() | counts,
    budget=st.none() | st.floats(0, 1e6),
    attached=st.booleans(),
    assumed=_some(questions, 5),
    decision_links=_some(words | st.just("https://x.slack.com/archives/C1/p1"), 40),
    last_words=words,
    exit_status=st.none() | st.integers(-300, 300),
)
waitings = st.builds(Waiting, prompt=words.map(PromptId), text=words, by=people)
steps = st.builds(PlanStep, title=words, state=st.sampled_from(StepState))
snapshots = st.builds(
    Snapshot,
    at=times,
    line=words,
    steps=_some(steps, 60),
    commits=_some(commits, 50),
    commit_count=counts,
    files=_some(stats, 100),
    file_count=counts,
    checks=_some(checks, 30),
    tool_calls=counts,
    tokens=st.none() | counts,
    cost=st.none() | st.floats(0, 1e6),
    background=_some(words, 20),
    trouble=words,
)
progresses = st.builds(
    ProgressView, session=words, session_name=words, light=lights, snapshot=snapshots, new_commits=counts
)
_decision = {"number": counts, "session": words, "session_name": words, "since": times, "link": words}
decisions = st.one_of(
    st.builds(DecisionLine, **_decision, question=questions),
    st.builds(DecisionLine, **_decision, review=reviews),
    st.builds(
        DecisionLine,
        **_decision,
        failed=words,
        last_words=words,
        exit_status=st.none() | st.integers(-300, 300),
        can_resume=st.booleans(),
    ),
    st.builds(DecisionLine, **_decision, question=questions, settled=words),
)
failures = st.builds(
    FailureCard,
    session=words,
    session_name=words,
    failed=times,
    why=words,
    last_words=words,
    exit_status=st.none() | st.integers(-300, 300),
    mention=st.none() | people,
    open=st.booleans(),
    can_resume=st.booleans(),
    taken_by=words,
    taken_at=st.none() | times,
    settled=words,
    settled_at=st.none() | times,
)
lines = st.builds(
    SessionLine,
    session=words,
    session_name=words,
    light=lights,
    text=words,
    link=words,
    until=st.none() | times,
    tokens=st.none() | counts,
    cost=st.none() | st.floats(0, 1e6),
)
digests = st.builds(
    DigestView,
    digest=counts,
    person=people,
    at=times,
    decisions=_some(decisions, 60),
    stopped=_some(lines, 120),
    working=_some(lines, 120),
    done=_some(lines, 120),
    next=st.none() | times,
)
homes = st.builds(
    HomeView,
    person=people,
    at=times,
    decisions=_some(decisions, 60),
    sessions=_some(session_cards, 120),
    next_digest=st.none() | times,
    digest=words,
    tz=words,
)
responses = st.one_of(
    st.builds(Note, text=words, problem=st.booleans()),
    st.builds(Listing, sessions=_some(session_cards, 120), mine=st.booleans()),
    st.builds(
        StatusOf,
        session=session_cards,
        questions=_some(questions, 20),
        review=st.none() | reviews,
        last_words=words,
        queued=_some(waitings, 20),
    ),
    st.builds(Queued, session_name=words, waiting=waitings, can_steer=st.booleans()),
    st.builds(AskHow, reply=counts, text=words, question=questions),
    st.builds(AskWhich, reply=counts, text=words, questions=_some(questions, 20)),
)
