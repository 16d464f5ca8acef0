"""One example of every message, made by hand; the golden files hold what they look like on the wire."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.wire import codec, messages, types
from bot.wire.messages import CommandBody, EventBody, Frame
from bot.wire.types import (
    Ability,
    Answer,
    Check,
    CheckState,
    Commit,
    Ending,
    FileStat,
    HostId,
    Option,
    Person,
    PersonId,
    Place,
    PlanStep,
    PromptId,
    Question,
    QuestionId,
    QuestionKind,
    Review,
    ReviewId,
    RunState,
    SessionId,
    SessionSpec,
    Share,
    Snapshot,
    StepState,
    Urgency,
)

AT = datetime(2026, 11, 23, 17, 30, tzinfo=UTC)
S, Q, R, PROMPT = SessionId("sab12cd34"), QuestionId("sab12cd34.q1"), ReviewId("sab12cd34.r1"), PromptId("sab12cd34.p1")
ANA = Person(PersonId("U0ANA"), "Ana", "ana@example.com")
CHECK = Check("python3 -m unittest -q", CheckState.PASSED, 1.25, "Ran 12 tests\nOK")
COMMIT = Commit("3f2c1a9d0e8b7f6a5c4d3e2f1a0b9c8d7e6f5a4b", "Add search")
FILE = FileStat("src/search.py", 40, 2)

EVENTS: tuple[EventBody, ...] = (
    messages.HostDescribed(
        repos=(types.RepoOffer("playback", "main", Share.FULL, "demo", "sessions", ("src/**",)),),
        agents=(types.AgentOffer("demo", "Demo agent"), types.AgentOffer("codex", problem="codex-acp was not found.")),
        git="2.39.5",
        problems=("one thing",),
    ),
    messages.SessionPlaced(
        Place(
            *("switchboard/search", "/w/search", "main", "9ab", "demo", Share.STAT, ("src/**",), (20000, 20009)),
            notes=("2 uncommitted changes in /repo stayed there.",),
        )
    ),
    messages.SessionRefused("Repo playback has no branch “dev”.", "Its newest branches: main."),
    messages.SessionChanged(RunState.STOPPED, "", "I looked around. 🔎 שלום"),
    messages.Progressed(
        Snapshot(
            at=AT,
            line="2/3 · Write the index",
            steps=(PlanStep("Read", StepState.DONE), PlanStep("Write the index", StepState.ACTIVE)),
            commits=(COMMIT,),
            commit_count=1,
            files=(FILE, FileStat("logo.png", 0, 0, binary=True)),
            file_count=2,
            checks=(CHECK,),
            tool_calls=7,
            tokens=12000,
            cost=0.31,
            last_words="Writing.",
        )
    ),
    messages.Asked(
        Question(
            Q,
            QuestionKind.CHOICE,
            "Which index?",
            "FTS is shipped.",
            "",
            (Option("fts", "FTS", "shipped", recommended=True), Option("tantivy", "Tantivy")),
        )
    ),
    messages.QuestionWithdrawn(Q, "the session ended"),
    messages.AnswerApplied(Q, applied=False, detail="the session has moved on"),
    messages.ReviewOffered(
        Review(
            id=R,
            commit=COMMIT.sha,
            branch="switchboard/search",
            base="main",
            base_commit="9ab",
            summary="Search works.",
            commits=(COMMIT,),
            stat=(FILE,),
            file_count=1,
            added=40,
            deleted=2,
            checks=(CHECK,),
            outside_scope=("ci.yml",),
            conflicts=("app.py",),
            dirty=("notes.txt",),
            diff="diff --git a/src/search.py b/src/search.py\n",
            share=Share.FULL,
        )
    ),
    messages.ReviewWithdrawn(R, "the branch moved on to 5d4c3b2"),
    messages.Merged(R, "77aa", "switchboard/merged/search", "git merge --ff-only switchboard/merged/search"),
    messages.MergeRefused(R, "Merging conflicts in app.py.", "Send it back."),
    messages.SessionEnded(
        Ending.STOPPED, "switchboard/search", "/w/search", ("notes.txt",), "cd /w/search", "Bye.", exit_status=-9
    ),
    messages.AgentDescribed("Claude Code", "2.1.0", "opus", (Ability.RESUME, Ability.PROMPT, Ability.STEER)),
    messages.PromptGiven(PROMPT, steered=True),
    messages.PromptDropped(PROMPT, "Ana took it back"),
    messages.ContextReset(("npm run dev",), ("a sub-agent: Explore",), ""),
    messages.AttachAsked("5f0c", "playback", "claude", "feature/x", "/w/x", "Fix the queue"),
)

COMMANDS: tuple[CommandBody, ...] = (
    messages.StartSession(
        SessionSpec(
            S, "search", "playback", "Add search", ANA, "demo", "main", "switchboard/search", ("src/**",), "tok"
        )
    ),
    messages.DeliverAnswer(Answer(Q, ANA, "fts", "because", then_stop=True)),
    messages.Prompt("Go on", ANA),
    messages.StopSession(S, ANA),
    messages.MergeReview(R, COMMIT.sha, ANA),
    messages.SendBack(R, "Rename it", ANA),
    messages.ReportNow(),
    messages.SteerPrompt(PROMPT),
    messages.WithdrawPrompt(PROMPT),
    messages.PauseSession(ANA),
    messages.ResumeSession(ANA, S),
    messages.ResetContext(ANA),
    messages.WakeAtReset(False, ANA),
    messages.RefuseAttach("5f0c", "This host offers no repository “playback”."),
)

WIDER_EVENTS: dict[str, EventBody] = {
    "limited": messages.SessionChanged(
        RunState.LIMITED, "the 5-hour limit was reached", "So far so good.", datetime(2026, 11, 24, 1, 20, tzinfo=UTC)
    ),
    "failed": messages.SessionChanged(RunState.FAILED, "the agent ended", "Oh.", wakes=False, exit_status=137),
    "several": messages.Asked(
        Question(
            QuestionId("sab12cd34.q3"),
            QuestionKind.CHOICE,
            "Which platforms?",
            options=(Option("linux", "Linux"), Option("mac", "macOS")),
            multiple=True,
            group="sab12cd34.q2",
        )
    ),
    "assumed": messages.Asked(
        Question(
            QuestionId("sab12cd34.q4"),
            QuestionKind.CHOICE,
            "Which index?",
            options=(Option("fts", "FTS"), Option("tantivy", "Tantivy")),
            urgency=Urgency.ASSUMED,
            default="fts",
            until=datetime(2026, 11, 23, 18, tzinfo=UTC),
        )
    ),
    "busy": messages.Progressed(
        Snapshot(AT, context=41_000, background=("npm run dev",), trouble="the model service is overloaded")
    ),
    "attached": messages.SessionPlaced(Place("feature/x", "/w/x", "main", "9ab", "claude", attached=True)),
    "left": messages.SessionEnded(Ending.DETACHED, "feature/x", "/w/x"),
}
"""What the widened messages look like with everything in them."""

WIDER_COMMANDS: dict[str, CommandBody] = {
    "attach": messages.StartSession(
        SessionSpec(S, "queue", "playback", "Fix the queue", ANA, "claude", token="tok", budget=5.0, attach="5f0c")
    ),
    "several": messages.DeliverAnswer(Answer(Q, ANA, options=("linux", "mac"))),
    "now": messages.Prompt("Mind the tests", ANA, PROMPT, now=True),
}

FRAMES: dict[str, Frame] = {
    "hello": messages.Hello((1,), "host", HostId("laptop"), "e1", 4, (S,), "switchboard 0.1"),
    "welcome": messages.Welcome(1, 3, 10.0, codec.MAX_FRAME),
    "ack": messages.Ack(4),
    "command_ack": messages.CommandAck(9, "unknown command type 'dance'"),
    "error": messages.Error("frame_too_large", "a frame of 2,000,000 bytes", fatal=True),
    **{f"event.{body.type}": codec.event(seq, AT, body, S) for seq, body in enumerate(EVENTS, 1)},
    **{f"command.{body.type}": codec.command(seq, body) for seq, body in enumerate(COMMANDS, 1)},
    **{f"event.{body.type}.{name}": codec.event(90, AT, body, S) for name, body in WIDER_EVENTS.items()},
    **{f"command.{body.type}.{name}": codec.command(90, body) for name, body in WIDER_COMMANDS.items()},
}
