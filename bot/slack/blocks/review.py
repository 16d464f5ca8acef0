"""A finished change as a card: the verdict's facts at one commit, then the verdict."""

from __future__ import annotations

from bot.domain.views import MergeDone, ReviewCard, SentBack, Withdrawn
from bot.slack import text
from bot.slack.actions import Act, Verb
from bot.slack.blocks.kit import Button, Card, Confirm, Message
from bot.slack.blocks.progress import checks, commits, files
from bot.wire.types import CheckState, Review


def review_card(view: ReviewCard) -> Message:
    card = Card()
    if view.merged:
        _merged(card, view, view.merged)
    elif view.sent_back:
        _sent_back(card, view, view.sent_back)
    elif view.withdrawn:
        _withdrawn(card, view, view.withdrawn)
    else:
        _open(card, view)
    return card.message()


def _name(view: ReviewCard) -> str:
    return f"*{text.line(view.session_name, 80)}*"


def sha(commit: str) -> str:
    return text.inline(commit[:7], 12)


def _open(card: Card, view: ReviewCard) -> None:
    review = view.review
    state = f"merging {sha(review.commit)}" if view.merging_by else f"ready at {sha(review.commit)}"
    sign = "🔀" if view.merging_by else "👀"
    warned = warnings(review)
    first = " · ".join([f"{sign} {_name(view)}", state, *warned[:2]])
    card.say(f"{first} · for {text.person(view.mention)}" if view.mention else first)
    card.say(text.prose(view.problem and f"⚠️ Not merged: {view.problem}", 1200))
    card.say(text.prose(review.summary, 1500))
    facts(card, review)
    if view.merging_by:
        card.small(
            f"{text.named(view.merging_name, view.merging_by)} approved it", f"into {text.line(review.base, 120)}"
        )
        return
    card.buttons(verdicts(review, view.session_name))
    card.small(
        f"Merge puts exactly {sha(review.commit)} into {text.line(review.base, 120)}",
        "the diff is in this thread" if review.diff else "",
        f"offered {text.at(view.offered)}",
    )


def warnings(review: Review) -> list[str]:
    """What speaks against merging, in a few words each."""
    failed = sum(check.state is CheckState.FAILED for check in review.checks)
    return [
        words
        for words in (
            f"{text.count(failed, 'check')} failed" if failed else "",
            f"conflicts with {text.line(review.base, 60)}" if review.conflicts else "",
            f"{text.count(len(review.outside_scope), 'file')} outside scope" if review.outside_scope else "",
            f"{text.count(len(review.dirty), 'file')} not committed" if review.dirty else "",
        )
        if words
    ]


def facts(card: Card, review: Review) -> None:
    changed = f"{text.count(review.file_count, 'file')} +{review.added:,} −{review.deleted:,}"
    listed = files(review.stat, review.file_count)[1:]
    card.say("\n".join([*commits(review.commits, len(review.commits)), f"{changed}{':' if listed else ''}", *listed]))
    # Named as what they are: the same command may have been denied to the agent.
    ran = checks(review.checks)
    card.say("\n".join(["Checks on this machine:", *ran]) if ran else "▫️ no check is configured for this repository")
    for check in review.checks:
        if check.state is CheckState.FAILED and check.tail.strip():
            card.say(text.fence(check.tail[-1200:], 1500))
            break
    card.say("\n".join(_against(review)))


def _against(review: Review) -> list[str]:
    named = (
        (review.conflicts, f"conflicts with {text.line(review.base, 100)} in"),
        (review.outside_scope, "outside the allowed paths:"),
        (review.dirty, "not committed, so not part of this:"),
    )
    return [f"⚠️ {words} {text.some((text.inline(path, 120) for path in paths), 5)}" for paths, words in named if paths]


def verdicts(review: Review, name: str) -> list[Button]:
    against = ", ".join(warnings(review))
    what = f"{text.count(len(review.commits), 'commit')}, {text.count(review.file_count, 'file')} into {review.base}."
    confirm = Confirm(f"Merge {name}?", what + (f" Mind: {against}." if against else ""), "Merge")
    return [
        Button("Merge", Act(Verb.MERGE, review.id, review.commit), primary=not against, confirm=confirm),
        Button("Send back…", Act(Verb.SEND_BACK, review.id, review.commit)),
    ]


def _merged(card: Card, view: ReviewCard, done: MergeDone) -> None:
    card.say(f"✅ {_name(view)} · merged into {text.line(done.landed_on, 150)} at {sha(done.commit)}")
    card.say(text.prose(view.review.summary, 600))
    if done.look.strip():
        card.say(text.fence(done.look, 600))
    card.small(text.named(done.by_name, done.by), text.at(done.at), f"reviewed at {sha(view.review.commit)}")


def _sent_back(card: Card, view: ReviewCard, back: SentBack) -> None:
    card.say(f"↩️ {_name(view)} · {sha(view.review.commit)} sent back")
    card.say(text.prose(back.text, 1500))
    card.small(text.named(back.by_name, back.by), text.at(back.at))


def _withdrawn(card: Card, view: ReviewCard, gone: Withdrawn) -> None:
    card.say(f"⚪ {_name(view)} · review of {sha(view.review.commit)} withdrawn")
    card.small(text.line(gone.reason, 500), text.at(gone.at))
