"""Composing one person's digest from the store, and showing it again later as things get settled."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain import digests as editions
from bot.domain import progress
from bot.domain.digests import Candidate
from bot.domain.progress import Used
from bot.domain.questions import blocking
from bot.domain.sessions import Session, SessionState
from bot.domain.views import DecisionLine, DigestView, Light, SessionLine
from bot.services import cards, touch
from bot.services.ctx import Ctx
from bot.services.words import cut
from bot.store import digests, failures, people, questions, reviews, sessions
from bot.store.times import to_us
from bot.wire.types import Ability, Ending, PersonId, QuestionId, ReviewId, SessionId

REMEMBERED = timedelta(days=7)
"""Sessions that ended longer ago are no news."""


def tell(ctx: Ctx, person: PersonId, *, on_demand: bool, slot: str = "") -> int | None:
    """Queue a digest for this person and remember what it told; None when there is nothing new."""
    told = digests.versions(ctx.tx, person)
    edition = editions.compose(candidates(ctx, person, told), told, on_demand=on_demand)
    if edition is None:
        return None
    rows = [_row(ctx, line, number) for number, line in enumerate(edition.lines, 1)]
    digest = digests.add(ctx.tx, person, ctx.now, rows, on_demand=on_demand, following=None, slot=slot)
    digests.told(ctx.tx, person, edition.told, ctx.now)
    touch.digest(ctx, digest, person)
    return digest


def _row(ctx: Ctx, line: Candidate, number: int) -> digests.Row:
    session = sessions.must(ctx.tx, SessionId(line.session))
    used = progress.used_by(session.snapshot)
    light = Light(line.light) if line.light else None
    return digests.Row(number, line.kind, line.ref, session.id, light, line.text, used.tokens, used.cost)


def set_next(ctx: Ctx, digest: int, following: datetime) -> None:
    """When the next one comes, known only once this one is told."""
    digests.set_next(ctx.tx, digest, following)


def candidates(ctx: Ctx, person: PersonId, told: dict[str, str]) -> list[Candidate]:
    found: list[Candidate] = []
    for session in sessions.of(ctx.tx, person, ended_since=ctx.now - REMEMBERED):
        decisions = _decisions(ctx, session, person)
        found += decisions
        if session.owner == person and not any(_waits(ctx, c) for c in decisions):
            found += [c for c in _rest(ctx, session, person) if session.open or editions.is_news(c, told)]
    return found


def _waits(ctx: Ctx, candidate: Candidate) -> bool:
    """A session that goes on with an assumption has progress to tell as well."""
    asked = questions.get(ctx.tx, QuestionId(candidate.ref)) if candidate.kind == "question" else None
    return asked is None or blocking(asked.question)


def _decisions(ctx: Ctx, session: Session, person: PersonId) -> list[Candidate]:
    if not session.open:
        return []
    found = []
    if session.owner == person:
        for asked in questions.open_in(ctx.tx, session.id):
            found.append(Candidate("question", asked.question.id, session.id, asked.at))
        if session.state is SessionState.FAILED:
            version = str(to_us(session.state_at))
            found.append(Candidate("failed", session.id, session.id, session.state_at, version, _why(session)))
    if session.judge == person:
        for offered in reviews.open_in(ctx.tx, session.id):
            if offered.merging_by is None:
                found.append(Candidate("review", offered.review.id, session.id, offered.at))
    return found


def _rest(ctx: Ctx, session: Session, person: PersonId) -> list[Candidate]:
    """What to say of a session in which no decision waits."""
    light, since = cards.light_of(ctx, session)
    if not session.open:
        if session.ending is Ending.FAILED:
            return [Candidate("failed", session.id, session.id, since, str(to_us(since)), _why(session), light.value)]
        merger, landed_on = reviews.merged_by(ctx.tx, session.id)
        text = f"merged into {landed_on}" if landed_on else cut(session.detail or session.look, 200)
        own = person in (session.stop_by, merger) or session.ending is Ending.DETACHED
        return [Candidate("done", session.id, session.id, since, text=text, light=light.value, own_doing=own)]
    if session.state is SessionState.STOPPED and light is Light.STOPPED:
        words = cut(session.last_words, 300)
        version = str(to_us(session.state_at))
        return [Candidate("stopped", session.id, session.id, since, version, words, light.value)]
    snapshot = session.snapshot
    version = progress.substance(snapshot) if snapshot else ""
    text = cut(progress.in_words(snapshot), 200) if snapshot else ""
    quiet = snapshot is None  # a session that was only started is the person's own doing
    return [Candidate("working", session.id, session.id, since, version, text, light.value, own_doing=quiet)]


def _why(session: Session) -> str:
    return cut(session.detail or session.last_words or "it ended without saying why", 300)


# --- showing --------------------------------------------------------------------------------------------------------


def view(ctx: Ctx, digest_id: int) -> DigestView | None:
    kept = digests.get(ctx.tx, digest_id)
    if kept is None:
        return None
    lines: dict[str, list[SessionLine]] = {"stopped": [], "working": [], "done": []}
    decisions: list[DecisionLine] = []
    told = {row.session: sessions.must(ctx.tx, row.session) for row in kept.rows}
    used = progress.used({row.session: Used(row.tokens, row.cost) for row in kept.rows}.values())
    for row in kept.rows:
        session = told[row.session]
        if row.kind in lines:
            light = row.light or Light.WORKING
            where, until = cards.link(ctx, session), session.limited_until
            line = SessionLine(session.id, session.name, light, row.text, where, until, row.tokens, row.cost)
            lines[row.kind].append(line)
        elif waits := decision(ctx, row, session, len(decisions) + 1):
            decisions.append(waits)
    return DigestView(
        digest=kept.id,
        person=kept.person,
        at=kept.at,
        decisions=tuple(decisions),
        stopped=tuple(lines["stopped"]),
        working=tuple(lines["working"]),
        done=tuple(lines["done"]),
        next=kept.next if kept.next and kept.next > ctx.now else None,
        on_demand=kept.on_demand,
        tokens=used.tokens,
        cost=used.cost,
    )


def decision(ctx: Ctx, row: digests.Row, session: Session, number: int) -> DecisionLine | None:
    """The line as it stands now: once it is settled it says by whom and how."""
    line = DecisionLine(number, session.id, session.name, session.state_at, link=cards.link(ctx, session))
    match row.kind:
        case "question":
            asked = questions.get(ctx.tx, QuestionId(row.ref))
            if asked is None:
                return None
            settled = ""
            if asked.answered:
                who, title = people.called(ctx.tx, asked.answered.by), cut(asked.question.title, 150)
                settled = f"{title} → {cut(asked.answered.words, 200)} · {who}"
            elif asked.withdrawn:
                settled = cut(asked.withdrawn.reason, 200) or "withdrawn"
            return replace(line, since=asked.at, question=asked.question, settled=settled)
        case "review":
            offered = reviews.get(ctx.tx, ReviewId(row.ref))
            if offered is None:
                return None
            settled = ""
            if offered.merged:
                settled = f"{people.called(ctx.tx, offered.merged.by)} merged it into {offered.merged.landed_on}"
            elif offered.sent_back:
                settled = f"{people.called(ctx.tx, offered.sent_back.by)} sent it back{_since(ctx, session)}"
            elif offered.withdrawn:
                settled = _since(ctx, session).strip("; ") or cut(offered.withdrawn.reason, 200) or "withdrawn"
            elif offered.merging_by:
                settled = f"{people.called(ctx.tx, offered.merging_by)} is merging it"
            return replace(line, since=offered.at, review=offered.review, settled=settled)
        case _:
            said = cut(session.last_words, 300) if session.last_words not in row.text else ""
            resumes = session.can(Ability.RESUME) and not session.attached
            line = replace(line, open=session.open, last_words=said, can_resume=resumes)
            line = replace(line, exit_status=session.exit_status)
            failed = session.open and session.state is SessionState.FAILED
            gone = not session.open and session.ending is Ending.FAILED
            known = failures.latest(ctx.tx, session.id)
            now = "ended" if not session.open else "being stopped" if session.stop_by else "it goes on"
            became = known.settled if known and known.settled else now
            settled = "" if failed or gone else became
            return replace(line, failed=row.text or "failed", settled=settled)


def _since(ctx: Ctx, session: Session) -> str:
    """What became of a session after a verdict that did not end it."""
    if session.ending is Ending.MERGED:
        _, landed_on = reviews.merged_by(ctx.tx, session.id)
        return f"; since merged into {landed_on}" if landed_on else "; since merged"
    if not session.open:
        return "; the session has ended"
    return "; a newer review waits" if reviews.open_in(ctx.tx, session.id) else ""
