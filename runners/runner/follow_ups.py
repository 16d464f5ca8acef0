"""What waits to be said to the agent: queued, withdrawn, steered, given. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from bot.wire.messages import PromptDropped, PromptGiven
from bot.wire.types import PromptId
from runners.runner.session import Message, State

REMEMBERED = 50
"""Follow-ups given, kept to tell a withdrawal that it came too late."""


UNSURE = "it may not have heard them: its turn ended and it did not say; say them again if it does not act on them"


def released(state: State) -> State:
    """Nothing is held back any longer."""
    return replace(state, inbox=(*state.inbox, *state.waiting), waiting=())


def prompted(state: State, message: Message) -> State:
    """A person wants to be heard now, whatever is open."""
    state = released(state)
    return replace(state, inbox=(*state.inbox, message))


def first(state: State, message: Message) -> State:
    """Ahead of all that waits."""
    return replace(state, inbox=(message, *state.inbox))


def ready(state: State, message: Message) -> bool:
    """Answers to one call are given together: not while another question of it is open."""
    return not message.group or all(question.group != message.group for question in state.open)


def next_messages(state: State) -> tuple[Message, ...]:
    """What the next turn is about: one message, or all answers to one call."""
    head = next((message for message in state.inbox if ready(state, message)), None)
    if head is None:
        return ()
    if not head.group:
        return (head,)
    return tuple(message for message in state.inbox if message.group == head.group)


@dataclass(frozen=True)
class Given:
    state: State
    events: tuple[PromptGiven, ...]


def given(state: State, messages: tuple[Message, ...], *, steered: bool = False) -> Given:
    """The agent has these; whoever sent one hears of it.

    ``steered``: within the turn under way. It may never read them: they are part of what is said again after it.
    """
    prompts = tuple(message.prompt for message in messages if message.prompt)
    if steered:
        words = (state.said, *(message.text for message in messages if message.by))
        answers = tuple(message.question for message in messages if message.question)
        state = replace(state, said="\n".join(filter(None, words)), answering=(*state.answering, *answers))
    return Given(
        replace(
            state,
            inbox=_less(state.inbox, messages),
            waiting=_less(state.waiting, messages),
            given=(*state.given, *prompts)[-REMEMBERED:],
        ),
        tuple(PromptGiven(prompt, steered) for prompt in prompts),
    )


def _less(box: tuple[Message, ...], messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Without these themselves: the same words said twice are two messages."""
    return tuple(message for message in box if not any(_is(message, each) for each in messages))


def _is(one: Message, other: Message) -> bool:
    return one is other or bool(one.prompt and one.prompt == other.prompt)


def find(state: State, prompt: PromptId) -> Message | None:
    return next((message for message in (*state.inbox, *state.waiting) if prompt and message.prompt == prompt), None)


def withdrawn(state: State, prompt: PromptId) -> tuple[State, PromptDropped | PromptGiven]:
    """A follow-up that waits is not given; one that does not wait any more has been."""
    message = find(state, prompt)
    if message is None:
        return state, PromptGiven(prompt)
    return (
        replace(
            state,
            inbox=tuple(each for each in state.inbox if each is not message),
            waiting=tuple(each for each in state.waiting if each is not message),
        ),
        PromptDropped(prompt, "withdrawn"),
    )


def hurried(state: State, prompt: PromptId) -> State:
    """This one wants to be said within the turn under way."""

    def marked(message: Message) -> Message:
        return replace(message, now=True) if message.prompt == prompt else message

    return replace(state, inbox=tuple(map(marked, state.inbox)), waiting=tuple(map(marked, state.waiting)))


def to_steer(state: State, *, everything: bool) -> Message | None:
    """What is to be said within the turn under way: what asked for it, or all, to an agent that takes no prompts."""
    waiting = (*state.inbox, *(message for message in state.waiting if message.now))
    return next((message for message in waiting if (everything or message.now) and ready(state, message)), None)


def not_hurried(state: State, message: Message) -> State:
    """The agent could not be steered: it waits for its own turn."""
    calm = replace(message, now=False)
    return replace(
        state,
        inbox=tuple(calm if each == message else each for each in state.inbox),
        waiting=tuple(calm if each == message else each for each in state.waiting),
    )


def dropped(state: State, reason: str) -> tuple[PromptDropped, ...]:
    """Every follow-up that nobody will get."""
    return tuple(PromptDropped(message.prompt, reason) for message in (*state.inbox, *state.waiting) if message.prompt)
