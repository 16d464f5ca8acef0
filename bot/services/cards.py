"""Views, gathered from the store at the moment they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.domain import progress
from bot.domain.deliveries import Subject
from bot.domain.questions import Asked, assumed, comes_as_file
from bot.domain.reviews import Offered
from bot.domain.sessions import Session, SessionState, Waiting, light
from bot.domain.views import Light, ProgressView, QuestionCard, ReviewCard, SessionCard
from bot.services import words
from bot.services.ctx import Ctx
from bot.services.words import cut
from bot.store import deliveries, due, events, facts, hosts, people, prompts, questions, reviews, sessions
from bot.store.commands import runner_peer
from bot.wire.types import Ending, PersonId, Question

TASK_SHOWN = 1_200
TROUBLE_SHOWN, BACKGROUND_SHOWN = 300, 20


def asleep_since(ctx: Ctx, session: Session) -> datetime | None:
    """Since when its host has been silent, once that is long enough; None while its runner talks to us."""
    host = hosts.get(ctx.tx, session.host) if session.open else None
    if host is None or host.connected or host.silent_since is None:
        return None
    if ctx.now - host.silent_since < ctx.settings.asleep_after or events.connected(ctx.tx, runner_peer(session.id)):
        return None
    return host.silent_since


def light_of(ctx: Ctx, session: Session) -> tuple[Light, datetime]:
    return light(session, _waiting(ctx, session))


def _waiting(ctx: Ctx, session: Session) -> Waiting:
    if not session.open:
        return Waiting()
    offered = reviews.open_in(ctx.tx, session.id)
    return Waiting(
        asked=questions.oldest_open(ctx.tx, session.id),
        offered=offered[-1].at if offered else None,
        merging=offered[-1].merging_at if offered else None,
        asleep_since=asleep_since(ctx, session),
    )


def session_card(ctx: Ctx, session: Session) -> SessionCard:
    shown, since = light_of(ctx, session)
    snapshot = session.snapshot
    done, total = progress.steps(snapshot) if snapshot else (0, 0)
    slot = due.get(ctx.tx, "digest", session.owner) if session.open else None
    decisions = _decisions(ctx, session)
    return SessionCard(
        session=session.id,
        name=session.name,
        repo=session.repo,
        task=cut(session.task, TASK_SHOWN),
        owner=session.owner,
        agent=session.agent,
        light=shown,
        since=since,
        created=session.created,
        branch=session.branch,
        reviewer=session.reviewer,
        line=progress.line(snapshot) if snapshot and session.open else "",
        steps_done=done,
        steps_total=total,
        decisions=tuple(line for line, _ in decisions),
        assumed=_assumed(ctx, session),
        decision_links=tuple(link for _, link in decisions),
        detail=_detail(ctx, session, shown),
        next_digest=slot.at if slot else None,
        scope=session.scope,
        place=session.place,
        tokens=snapshot.tokens if snapshot else None,
        cost=snapshot.cost if snapshot else None,
        open=session.open,
        link=link(ctx, session),
        owner_name=_name(ctx, session.owner),
        reviewer_name=_name(ctx, session.reviewer),
        abilities=session.abilities or frozenset(),
        agent_title=session.agent_title,
        queued=prompts.count_queued(ctx.tx, session.id) if session.open else 0,
        limited_until=session.limited_until,
        wakes=session.wakes,
        background=snapshot.background[:BACKGROUND_SHOWN] if snapshot and session.open else (),
        trouble=cut(snapshot.trouble, TROUBLE_SHOWN) if snapshot and session.open else "",
        context=snapshot.context if snapshot and session.open else None,
        budget=session.budget,
        attached=session.attached,
        last_words=session.last_words if shown is Light.FAILED else "",
        exit_status=session.exit_status if shown is Light.FAILED else None,
    )


def _name(ctx: Ctx, person: PersonId | None) -> str:
    known = people.get(ctx.tx, person) if person else None
    return known.profile.real_name or known.profile.name if known else ""


def link(ctx: Ctx, session: Session) -> str:
    """The permalink of its thread; empty until the thread and the workspace's address are known."""
    return permalink(ctx, sessions.card_at(ctx.tx, session.id))


def permalink(ctx: Ctx, at: tuple[str, str] | None, thread_ts: str = "") -> str:
    """Of a message, by its channel and ts; empty until it is posted and the workspace's address is known."""
    url = facts.get(ctx.tx, facts.WORKSPACE_URL)
    if not url or at is None:
        return ""
    reply = f"?thread_ts={thread_ts}&cid={at[0]}" if thread_ts and thread_ts != at[1] else ""
    return f"{url}archives/{at[0]}/p{at[1].replace('.', '')}{reply}"


def _detail(ctx: Ctx, session: Session, shown: Light) -> str:
    if shown is Light.ASLEEP:
        return f"Its host {session.host} is silent: answers are taken now and delivered on wake."
    if shown is Light.STOPPED:
        return session.last_words
    return "\n".join(part for part in (_landed(ctx, session), session.detail, words.look(session.look)) if part)


def _landed(ctx: Ctx, session: Session) -> str:
    landed_on, commit = reviews.landed(ctx.tx, session.id) if session.ending is Ending.MERGED else ("", "")
    return f"merged into {landed_on} at `{commit[:7]}`" if landed_on and commit else ""


def _decisions(ctx: Ctx, session: Session) -> list[tuple[str, str]]:
    """What waits for a person, one line each, with the address of its card in the thread."""
    if not session.open:
        return []

    def where(subject: Subject, ref: str) -> str:
        return permalink(ctx, deliveries.shown_at(ctx.tx, subject, ref), session.thread_ts)

    lines = []
    for asked in questions.open_in(ctx.tx, session.id):
        if not _only_here(ctx, asked):
            lines.append((_line(asked.question), where(Subject.QUESTION, asked.card)))
    for offered in reviews.open_in(ctx.tx, session.id):
        if offered.merging_by is None:
            said = f"Review {offered.review.commit[:7]}: {cut(_first_line(offered.review.summary), 120)}"
            lines.append((said, where(Subject.REVIEW, offered.review.id)))
    return lines


def _assumed(ctx: Ctx, session: Session) -> tuple[Question, ...]:
    if not session.open:
        return ()
    return tuple(asked.question for asked in questions.open_in(ctx.tx, session.id) if _only_here(ctx, asked))


def _only_here(ctx: Ctx, asked: Asked) -> bool:
    """An assumption calls nobody, so it has no card of its own, unless it was asked together with what does."""
    return assumed(asked.question) and deliveries.shown_at(ctx.tx, Subject.QUESTION, asked.card) is None


def _line(question: Question) -> str:
    """What is asked, and what is done meanwhile where nothing waits for the answer."""
    default = next((o.label for o in question.options if o.id == question.default), question.default)
    meanwhile = f" (going on with: {cut(default, 60)})" if assumed(question) else ""
    return cut(question.title, 150) + meanwhile


def _first_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")


def whole_card(ctx: Ctx, stand: Sequence[Asked], session: Session) -> QuestionCard:
    """All questions of one call, the first one's card with the others on it; one mention for all."""
    first, *others = [question_card(ctx, asked, session) for asked in stand]
    calls = any(asked.ping and asked.open for asked in stand)
    quiet = tuple(replace(other, mention=None) for other in others)
    return replace(first, mention=session.owner if calls else None, others=quiet)


def question_card(ctx: Ctx, asked: Asked, session: Session) -> QuestionCard:
    return QuestionCard(
        session=session.id,
        session_name=session.name,
        question=asked.question,
        owner=session.owner,
        asked=asked.at,
        mention=session.owner if asked.ping and asked.open else None,
        held_for=asked.held_for,
        answered=asked.answered and replace(asked.answered, by_name=_name(ctx, asked.answered.by)),
        withdrawn=asked.withdrawn,
        asleep=bool(asleep_since(ctx, session)),
        resting=_rests(session, asked),
        as_file=comes_as_file(asked.question),
    )


def _rests(session: Session, asked: Asked) -> bool:
    paused = session.open and session.state is SessionState.PAUSED
    return paused and asked.answered is not None and asked.answered.at >= session.state_at


def review_card(ctx: Ctx, offered: Offered, session: Session, *, first: bool) -> ReviewCard:
    return ReviewCard(
        session=session.id,
        session_name=session.name,
        repo=session.repo,
        task=cut(session.task, TASK_SHOWN),
        review=offered.review,
        owner=session.owner,
        reviewer=session.judge,
        offered=offered.at,
        mention=session.judge if first and offered.open else None,
        merging_by=offered.merging_by if offered.open else None,
        merging_name=_name(ctx, offered.merging_by),
        merged=offered.merged and replace(offered.merged, by_name=_name(ctx, offered.merged.by)),
        sent_back=offered.sent_back and replace(offered.sent_back, by_name=_name(ctx, offered.sent_back.by)),
        withdrawn=offered.withdrawn,
        problem=offered.problem if offered.open else "",
    )


def progress_view(ctx: Ctx, session: Session) -> ProgressView | None:
    snapshot, _, before, commits = sessions.told(ctx.tx, session.id)
    if snapshot is None:
        return None
    return ProgressView(
        session=session.id,
        session_name=session.name,
        light=light_of(ctx, session)[0],
        snapshot=snapshot,
        since=before,
        new_commits=commits,
    )
