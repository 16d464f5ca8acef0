"""What can be done with a session from its card: only what its agent can, and what its state allows."""

from __future__ import annotations

from bot.domain.views import Light, SessionCard
from bot.slack.actions import Act, Verb
from bot.slack.blocks.kit import Button, Confirm
from bot.wire.types import Ability

PAUSABLE = frozenset((Ability.CANCEL, Ability.RESUME))
IN_TURN = frozenset((Light.WORKING, Light.NEEDS_YOU))
SCRIPT = "script"
"""What a script that asks goes by where an agent's name stands."""
WITH_CONTEXT = frozenset((Light.WORKING, Light.NEEDS_YOU, Light.STOPPED, Light.REVIEW))


def session_buttons(view: SessionCard) -> list[Button]:
    """What can be done with it now, and nothing that its agent cannot do."""
    if view.light is Light.STOPPING:
        return []
    if view.light is Light.FAILED and not view.attached:
        return failed_buttons(view.session, view.name, can_resume=_resumable(view))
    if is_script(view):
        return [Button("Status", Act(Verb.STATUS, view.session)), _script_button(view.session, view.name)]
    last = detach_button(view.session, view.name) if view.attached else stop_button(view.session, view.name)
    return [
        *_wakes(view),
        Button("Tell it…", Act(Verb.TELL, view.session, "read later" if read_when(view) else "")),
        Button("Status", Act(Verb.STATUS, view.session)),
        *_rests(view),
        last,
    ]


def _resumable(view: SessionCard) -> bool:
    """Before its agent has said what it can do, it had not begun: then it can begin again."""
    return Ability.RESUME in view.abilities or not view.abilities


def _wakes(view: SessionCard) -> list[Button]:
    """For a session whose agent rests: how it goes on."""
    resume = Act(Verb.RESUME, view.session)
    if view.light is Light.PAUSED:
        return [Button("Resume", resume, primary=True)]
    if view.light is not Light.LIMITED:
        return []
    switch = Button("Stay asleep", Act(Verb.SLEEP, view.session))
    if not view.wakes:
        label = "Wake at reset" if view.limited_until else "Wake by itself"
        switch = Button(label, Act(Verb.WAKE, view.session))
    return [Button("Resume now", resume), switch]


def _rests(view: SessionCard) -> list[Button]:
    """For a session whose agent is up: how it rests, or begins afresh."""
    buttons = []
    if view.light in IN_TURN and view.abilities >= PAUSABLE and not view.attached:
        buttons.append(Button("Pause", Act(Verb.PAUSE, view.session)))
    if view.light in WITH_CONTEXT and Ability.RESET in view.abilities:
        buttons.append(reset_button(view.session, view.name, background=Ability.BACKGROUND in view.abilities))
    return buttons


def failed_buttons(session: str, name: str, *, can_resume: bool) -> list[Button]:
    kept = "The session ends. Its branch and commits stay; a worktree with uncommitted changes is kept."
    ask = Confirm(f"Drop {name}?", kept, "Drop it", "Keep it")
    resume = [Button("Resume", Act(Verb.RESUME, session), primary=True)] if can_resume else []
    look = Button("Look", Act(Verb.STATUS, session))
    return [*resume, look, Button("Drop", Act(Verb.DROP, session), danger=True, confirm=ask)]


def stop_button(session: str, name: str) -> Button:
    kept = "The agent stops. Its branch and commits stay; a worktree with uncommitted changes is kept."
    ask = Confirm(f"Stop {name}?", kept, "Stop it", "Keep going")
    return Button("Stop", Act(Verb.STOP, session), danger=True, confirm=ask)


def detach_button(session: str, name: str) -> Button:
    kept = "The board forgets it. The terminal goes on as before; nothing stays behind in its worktree."
    return Button("Detach", Act(Verb.STOP, session), confirm=Confirm(f"Detach {name}?", kept, "Detach", "Keep it"))


def is_script(view: SessionCard) -> bool:
    """A script that asks, by ``switchboard ask``: nobody reads what is told to it."""
    return view.attached and view.agent == SCRIPT


def _script_button(session: str, name: str) -> Button:
    kept = "The board forgets it. What it asks, now or later, ends without an answer; its files stay."
    return Button("Detach", Act(Verb.STOP, session), confirm=Confirm(f"Detach {name}?", kept, "Detach", "Keep it"))


def reset_button(session: str, name: str, *, background: bool) -> Button:
    stays = "Its files, commits and what runs in the background stay." if background else "Its files and commits stay."
    words = f"The agent forgets this conversation once its turn is over. {stays}"
    return Button("Reset", Act(Verb.RESET, session), confirm=Confirm(f"Reset {name}?", words, "Reset it", "Not now"))


def read_when(view: SessionCard) -> str:
    if Ability.PROMPT in view.abilities or not view.abilities:
        return ""
    return "what you tell it is read when its turn ends" if view.light in IN_TURN else "it reads at its next turn"
