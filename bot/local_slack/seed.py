"""The workspace a newcomer finds: people, channels and the installed app."""

from __future__ import annotations

import re

from bot.local_slack.ids import new_id
from bot.local_slack.manifest import AppManifest
from bot.local_slack.models import Channel, Person
from bot.local_slack.state import State

TEAM_NAME = "Switchboard"
COLORS = ("d9730d", "2a7de1", "8e44ad", "16a085", "c0392b", "b7950b", "2c3e50")
WELCOME = "Where sessions report. Type /session start to begin."


def plant(state: State, manifest: AppManifest, person: str, tz: str, now: int) -> None:
    """First run only."""
    state.make_identity()
    state.meta["team_name"] = TEAM_NAME
    people = [
        add_person(state, person, tz=tz),
        add_person(state, "Ben", tz=tz),
        add_person(state, "Cleo", tz=tz),
        add_person(state, "Gus", tz=tz, guest="single"),
    ]
    bot = Person(new_id("U"), manifest.bot_name, manifest.name, is_bot=True, bot_id=new_id("B"), color="3a3a3a")
    state.save_person(bot)
    state.meta |= {"bot_user": bot.id, "admin": people[0].id}
    state.save_meta()
    everyone = [found.id for found in people]
    full = [found.id for found in people if not found.guest]
    for name, members, topic in (
        ("sessions", [*everyone, bot.id], WELCOME),
        ("general", full, "The bot is not a member here."),
        ("random", full, ""),
    ):
        channel = Channel(new_id("C"), name, "channel", members, topic, creator=people[0].id, created=now)
        state.save_channel(channel)


def refresh(state: State, manifest: AppManifest) -> None:
    """A later run may bring a changed manifest: the app's names follow it."""
    bot = state.bot
    bot.name, bot.real_name = manifest.bot_name, manifest.name
    state.save_person(bot)


def add_person(state: State, real_name: str, *, tz: str = "UTC", guest: str = "", team_id: str = "") -> Person:
    base = re.sub(r"[^\w]+", ".", real_name.lower()).strip(".") or "person"
    taken = {found.name for found in state.people.values()}
    name = next(name for name in (base, *(f"{base}{number}" for number in range(2, 10_000))) if name not in taken)
    color = COLORS[len(state.people) % len(COLORS)]
    person = Person(new_id("U"), name, real_name, tz, f"{name}@example.com", color, team_id=team_id)
    match guest:
        case "single" | "multi":
            person.guest = guest
    state.save_person(person)
    return person
