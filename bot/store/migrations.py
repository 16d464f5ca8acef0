"""The schema, as numbered steps. A released step is never changed: a new one is added at the end."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import sqlite_utils
from sqlite_utils.migrations import Migrations

from bot.errors import SchemaTooNew

steps = Migrations("switchboard")


def migrate(path: Path) -> None:
    """Bring the file up to date. Raises SchemaTooNew, with nothing touched, when it holds steps that we do not know."""
    with closing(sqlite_utils.Database(str(path))) as db:
        known = {step.name for step in steps._migrations}
        newer = [step.name for step in steps.applied(db) if step.name not in known]
        if newer:
            raise SchemaTooNew(
                f"{path} was written by a newer Switchboard (it has {', '.join(newer)}); "
                "install that version again, or point SWITCHBOARD_DATA_DIR at another folder"
            )
        if steps.pending(db):
            steps.apply(db)


@steps()
def m001_sessions(db: sqlite_utils.Database) -> None:
    table = db.table("sessions")
    table.create(
        {
            "id": str,
            "name": str,
            "repo": str,
            "task": str,
            "owner": str,
            "reviewer": str,
            "agent": str,
            "base": str,
            "branch": str,
            "scope": str,
            "host": str,
            "token_hash": str,
            "state": str,
            "state_at": int,
            "created": int,
            "open": int,
            "ended_at": int,
            "ending": str,
            "detail": str,
            "look": str,
            "last_words": str,
            "stop_by": str,
            "place": str,
            "snapshot": bytes,
            "line": str,
            "channel": str,
            "person": str,
            "thread_ts": str,
            "wrote_below": int,
            "told": bytes,
            "told_at": int,
            "told_before": int,
            "told_commits": int,
        },
        pk="id",
        defaults={"wrote_below": 0, "thread_ts": "", "line": "", "detail": "", "look": "", "last_words": ""},
        not_null={"name", "repo", "task", "owner", "state", "open"},
    )
    db.execute("CREATE UNIQUE INDEX sessions_open_name ON sessions (name) WHERE open = 1")
    db.execute("CREATE INDEX sessions_thread ON sessions (thread_ts, channel) WHERE thread_ts != ''")
    db.execute("CREATE INDEX sessions_owner ON sessions (owner, open, created)")
    db.execute("CREATE INDEX sessions_ended ON sessions (owner, ended_at) WHERE open = 0")
    db.execute("CREATE INDEX sessions_reviewer ON sessions (reviewer, open) WHERE reviewer IS NOT NULL")
    db.execute("CREATE INDEX sessions_host ON sessions (host, open)")
    db.execute("CREATE UNIQUE INDEX sessions_token ON sessions (token_hash)")


@steps()
def m002_questions_and_reviews(db: sqlite_utils.Database) -> None:
    db.table("questions").create(
        {
            "id": str,
            "session": str,
            "body": bytes,
            "asked": int,
            "open": int,
            "answered_by": str,
            "answered_at": int,
            "answer": bytes,
            "words": str,
            "applied": int,
            "detail": str,
            "withdrawn_at": int,
            "reason": str,
            "ping": int,
            "held_for": str,
            "later_by": str,
        },
        pk="id",
        defaults={"ping": 0, "held_for": "", "detail": "", "words": "", "reason": ""},
    )
    db.execute("CREATE INDEX questions_open ON questions (session, asked) WHERE open = 1")
    db.execute("CREATE INDEX questions_session ON questions (session, answered_at)")
    db.table("reviews").create(
        {
            "id": str,
            "session": str,
            "commit_id": str,
            "body": bytes,
            "diff": str,
            "offered": int,
            "open": int,
            "merging_by": str,
            "merging_at": int,
            "problem": str,
            "verdict": str,
            "by": str,
            "at": int,
            "text": str,
            "merge_commit": str,
            "landed_on": str,
            "look": str,
        },
        pk="id",
        defaults={"problem": "", "verdict": "", "text": "", "merge_commit": "", "landed_on": "", "look": ""},
    )
    db.execute("CREATE INDEX reviews_session ON reviews (session, at)")
    db.execute("CREATE INDEX reviews_open ON reviews (session, offered) WHERE open = 1")


@steps()
def m003_people_and_hosts(db: sqlite_utils.Database) -> None:
    db.table("people").create(
        {
            "id": str,
            "name": str,
            "real_name": str,
            "email": str,
            "tz": str,
            "is_bot": int,
            "is_guest": int,
            "team": str,
            "known_at": int,
            "digest": str,
            "own_tz": str,
            "home_until": int,
            "home_at": int,
            "acted_at": int,
            "pinged_at": int,
        },
        pk="id",
        defaults={
            "name": "",
            "real_name": "",
            "email": "",
            "tz": "",
            "is_bot": 0,
            "is_guest": 0,
            "team": "",
            "digest": "",
            "own_tz": "",
        },
    )
    db.execute("CREATE INDEX people_unknown ON people (id) WHERE known_at IS NULL")
    db.table("pings").create({"id": int, "person": str, "at": int, "what": str}, pk="id")
    db.execute("CREATE INDEX pings_person ON pings (person, at)")
    db.table("hosts").create(
        {
            "id": str,
            "owner": str,
            "shared": int,
            "token_hash": str,
            "revoked": int,
            "offers": bytes,
            "connected": int,
            "silent_since": int,
            "asleep": int,
        },
        pk="id",
        defaults={"shared": 0, "revoked": 0, "connected": 0, "asleep": 0},
    )
    db.execute("CREATE INDEX hosts_token ON hosts (token_hash)")


@steps()
def m004_links(db: sqlite_utils.Database) -> None:
    db.table("received").create({"peer": str, "epoch": str, "seq": int}, pk=("peer", "epoch"))
    db.table("peers").create({"peer": str, "connected": int, "changed_at": int}, pk="peer")
    db.execute(
        "CREATE TABLE commands (id INTEGER PRIMARY KEY AUTOINCREMENT, peer TEXT NOT NULL, session TEXT NOT NULL,"
        " type TEXT NOT NULL, body BLOB NOT NULL, created INTEGER NOT NULL)"
    )
    db.execute("CREATE INDEX commands_peer ON commands (peer, id)")


@steps()
def m005_outbox(db: sqlite_utils.Database) -> None:
    db.execute(
        "CREATE TABLE deliveries (id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT NOT NULL, ref TEXT NOT NULL,"
        " place TEXT NOT NULL, session TEXT NOT NULL, person TEXT NOT NULL, lane TEXT NOT NULL,"
        " edit INTEGER NOT NULL, not_before INTEGER NOT NULL, leased_until INTEGER, leased_by TEXT,"
        " attempts INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '',"
        " created INTEGER NOT NULL)"
    )
    db.execute("CREATE INDEX deliveries_card ON deliveries (subject, ref, place)")
    db.execute("CREATE INDEX deliveries_lane ON deliveries (lane, edit, id) WHERE dead = 0")
    db.execute("CREATE INDEX deliveries_in_hand ON deliveries (leased_until) WHERE leased_until IS NOT NULL")
    db.execute("CREATE INDEX deliveries_session ON deliveries (session) WHERE session != ''")
    db.table("lanes").create({"lane": str, "rests_until": int}, pk="lane")
    db.table("messages").create(
        {
            "subject": str,
            "ref": str,
            "place": str,
            "session": str,
            "person": str,
            "channel": str,
            "ts": str,
            "shown": str,
            "edited_at": int,
            "lost": int,
        },
        pk=("subject", "ref", "place"),
        defaults={"lost": 0},
    )
    db.execute("CREATE INDEX messages_where ON messages (channel, ts)")
    db.execute("CREATE INDEX messages_session ON messages (session) WHERE session != ''")
    db.table("notes").create({"id": int, "to": str, "text": str, "created": int}, pk="id")


@steps()
def m006_talk_and_time(db: sqlite_utils.Database) -> None:
    db.table("inbox").create({"key": str, "at": int}, pk="key")
    db.execute("CREATE INDEX inbox_at ON inbox (at)")
    db.table("facts").create({"key": str, "value": str}, pk="key")
    db.table("replies").create(
        {"id": int, "session": str, "person": str, "text": str, "at": int, "used": str},
        pk="id",
        defaults={"used": ""},
    )
    db.table("warned").create({"session": str, "person": str, "at": int}, pk=("session", "person"))
    db.table("due").create({"kind": str, "key": str, "slot": str, "at": int}, pk=("kind", "key"))
    db.execute("CREATE INDEX due_at ON due (at)")
    db.table("fired").create({"kind": str, "key": str, "slot": str}, pk=("kind", "key"))
    db.table("digests").create(
        {"id": int, "person": str, "at": int, "on_demand": int, "next": int, "slot": str}, pk="id"
    )
    db.execute("CREATE INDEX digests_person ON digests (person, at)")
    db.table("digest_items").create(
        {"digest": int, "number": int, "kind": str, "ref": str, "session": str, "light": str, "text": str},
        pk=("digest", "kind", "number"),
    )
    db.execute("CREATE INDEX digest_items_ref ON digest_items (ref)")
    db.table("told").create({"person": str, "item": str, "version": str, "at": int}, pk=("person", "item"))


@steps()
def m007_real_agents(db: sqlite_utils.Database) -> None:
    for column in ("agent_title TEXT NOT NULL DEFAULT ''", "abilities TEXT", "limited_until INTEGER"):
        db.execute(f"ALTER TABLE sessions ADD COLUMN {column}")
    for column in ("wakes INTEGER NOT NULL DEFAULT 1", "exit_status INTEGER", "budget REAL"):
        db.execute(f"ALTER TABLE sessions ADD COLUMN {column}")
    db.execute("ALTER TABLE sessions ADD COLUMN attach TEXT NOT NULL DEFAULT ''")
    db.execute("CREATE UNIQUE INDEX sessions_attach ON sessions (host, attach) WHERE attach != ''")
    db.execute("ALTER TABLE questions ADD COLUMN card TEXT NOT NULL DEFAULT ''")
    db.execute("UPDATE questions SET card = id")
    db.execute("ALTER TABLE questions ADD COLUMN waits INTEGER NOT NULL DEFAULT 1")
    db.execute("CREATE INDEX questions_card ON questions (card)")
    db.execute(
        "CREATE TABLE prompts (id TEXT PRIMARY KEY, session TEXT NOT NULL, person TEXT NOT NULL, text TEXT NOT NULL,"
        " at INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'queued', reason TEXT NOT NULL DEFAULT '',"
        " taken_back_by TEXT)"
    )
    db.execute("CREATE INDEX prompts_session ON prompts (session)")
    db.execute("CREATE INDEX prompts_queued ON prompts (session) WHERE state = 'queued'")


@steps()
def m008_usage_in_digests(db: sqlite_utils.Database) -> None:
    for column in ("tokens INTEGER", "cost REAL"):
        db.execute(f"ALTER TABLE digest_items ADD COLUMN {column}")


@steps()
def m009_failures(db: sqlite_utils.Database) -> None:
    db.execute(
        "CREATE TABLE failures (id INTEGER PRIMARY KEY, session TEXT NOT NULL, at INTEGER NOT NULL,"
        " why TEXT NOT NULL, last_words TEXT NOT NULL, exit_status INTEGER, taken_by TEXT, taken_at INTEGER,"
        " settled TEXT NOT NULL DEFAULT '', settled_at INTEGER)"
    )
    db.execute("CREATE INDEX failures_session ON failures (session)")
    db.execute(
        "INSERT INTO failures (session, at, why, last_words, exit_status)"
        " SELECT id, state_at, detail, last_words, exit_status FROM sessions"
        " WHERE state = 'failed' OR ending = 'failed'"
    )
