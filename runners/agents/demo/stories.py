"""The built-in stories: one that suits any repository, and one for the sample that ``switchboard up`` makes.

They are the first messages a newcomer reads. Both are plain scripts; see docs/agents.md for the format.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pathspec

from runners.agents.demo.brief import Brief
from runners.agents.demo.script import Script

Step = dict[str, Any]
PACE = 1.2


def story(brief: Brief, cwd: Path, facts: dict[str, str]) -> Script:
    """The built-in story for this task. ``facts`` tells what was seen in the repository."""
    may = _allowed(brief.allowed)
    notes = notes_file(brief, may)
    values = {"task": brief.title, "brief": brief.task[:2000], "notes": notes, "slug": brief.slug, **facts}
    search, tests = cwd / "src/playback/search.py", cwd / "tests/test_search.py"
    is_sample = search.is_file() and tests.is_file() and _FOUND in search.read_text(encoding="utf-8", errors="replace")
    about_search = any(word in brief.task.casefold() for word in ("typo", "search", "fuzzy", "misspell"))
    if is_sample and about_search and all(map(may, ("src/playback/search.py", "tests/test_search.py", "README.md"))):
        values["notes"] = "README.md"  # what is asked later goes where the change is described already
        return Script(tuple(_typo_steps()), tuple(_follow_up()), pace=PACE, values=values)
    return Script(tuple(_any_steps()), tuple(_follow_up()), pace=PACE, values=values)


def notes_file(brief: Brief, may: Callable[[str], bool]) -> str:
    """Where to write: docs/ if that is allowed, else next to what is."""
    name = f"{brief.slug}.md"
    exact = [pattern for pattern in brief.allowed if pattern.endswith(".md") and "*" not in pattern]
    folders = [pattern.split("*")[0].strip("/") for pattern in brief.allowed if pattern not in exact]
    places = [f"docs/{name}", name, *exact, *(f"{folder}/{name}" for folder in folders if folder)]
    return next((place for place in places if may(place)), f"docs/{name}")


def _allowed(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    if not patterns:
        return lambda _: True
    spec = pathspec.PathSpec.from_lines("gitwildmatch", patterns)
    return lambda path: bool(spec.match_file(path))


# --- any repository -------------------------------------------------------------------------------------------------

_ANY_PLAN = ["Look at the repository", "Agree how far to go", "Write it down in {{notes}}", "Check the change"]


def _any_steps() -> list[Step]:
    return [
        {"say": "I am the demo agent: there is no model behind me, but my edits, commits and questions are real.\n"},
        {"plan": _ANY_PLAN, "active": 1},
        {"read": "."},
        {"say": "{{files}} files, the last commit is “{{last}}”. Before I write anything, one decision.\n"},
        {"plan": _ANY_PLAN, "done": 1, "active": 2},
        {
            "ask": "choice",
            "name": "reach",
            "title": "How far should this go?",
            "context": "Task: {{task}}\nA small step is reviewed in minutes; the full one leaves nothing open.",
            "options": [
                {
                    "id": "small",
                    "label": "Smallest step",
                    "description": "One file, ready to review at once",
                    "recommended": True,
                },
                {"id": "full", "label": "All of it", "description": "With a checklist of everything it touches"},
                {"id": "plan", "label": "Only the plan", "description": "Nothing but the order of the steps"},
            ],
        },
        {"plan": _ANY_PLAN, "done": 2, "active": 3},
        {
            "edit": "{{notes}}",
            "append": True,
            "head": "# {{task}}\n",
            "text": "\n{{brief}}\n\n## How far\n\nDecided: **{{reach}}**.\n",
        },
        {
            "edit": "{{notes}}",
            "append": True,
            "text": "\nOne file changes; everything else stays as it is.\n",
            "when": {"reach": "small"},
        },
        {
            "edit": "{{notes}}",
            "append": True,
            "text": "\n- [ ] the code\n- [ ] its tests\n- [ ] its documentation\n- [ ] a line for the changelog\n",
            "when": {"reach": "full"},
        },
        {
            "edit": "{{notes}}",
            "append": True,
            "text": "\n1. Write the test that fails\n2. Make it pass\n3. Say so in the documentation\n",
            "when": {"reach": "plan"},
        },
        {"commit": "Start on: {{task}}", "body": "How far: {{reach}}."},
        {
            "ask": "text",
            "name": "purpose",
            "title": "Who is this for, in one sentence?",
            "context": "It goes into {{notes}}, so that a reviewer sees the purpose at once.",
        },
        {"edit": "{{notes}}", "replace": "## How far\n", "text": "> {{purpose}}\n\n## How far\n"},
        {"commit": "Say who it is for", "body": "{{purpose}}"},
        {"plan": _ANY_PLAN, "done": 3, "active": 4},
        *_permission(
            "git diff --check {{start}} HEAD",
            "It looks for conflict markers and stray spaces in what I changed. It changes nothing.",
        ),
        {"plan": _ANY_PLAN, "done": 4},
        {
            "say": "Done: {{task}}\n"
            "• {{notes}} says how far it goes ({{reach}}) and who it is for (“{{purpose}}”).\n"
            "• {{check.told}}\n"
        },
    ]


def _permission(command: str, context: str) -> list[Step]:
    return [
        {
            "ask": "permission",
            "name": "check",
            "title": "Check the change",
            "command": command,
            "context": context,
        },
        {"run": command, "name": "check", "when": {"check": "allow"}},
    ]


def _follow_up() -> list[Step]:
    return [
        {"say": "I will see to that.\n"},
        {"plan": ["Read what was asked", "Write it into {{notes}}", "Commit"], "done": 1, "active": 2},
        {"edit": "{{notes}}", "append": True, "head": "# {{task}}\n", "text": "\n## Asked later\n\n> {{words}}\n"},
        {"plan": ["Read what was asked", "Write it into {{notes}}", "Commit"], "done": 2, "active": 3},
        {"commit": "Take up: {{words.short}}"},
        {"plan": ["Read what was asked", "Write it into {{notes}}", "Commit"], "done": 3},
        {"say": "“{{words.short}}” is taken up in {{notes}} and committed.\n"},
    ]


# --- the sample repository ------------------------------------------------------------------------------------------

_TYPO_PLAN = [
    "Read the search and its tests",
    "Let search forgive a typo",
    "Describe it in the README",
    "Run the tests",
]
_FOUND = "all(word in _text(track) for word in wanted)"
_DOC = "contains every word, in the given order."
_CLOSE_MATCHES = '''

def _found(word: str, text: str) -> bool:
    """The word as it is, or one that is close to it."""
    return word in text or bool(get_close_matches(word, text.split(), n=1, cutoff=0.8))
'''
_ONE_SLIP = '''

def _found(word: str, text: str) -> bool:
    """The word as it is, or with one slip of the finger."""
    return word in text or any(_one_slip(word, other) for other in text.split())


def _one_slip(a: str, b: str) -> bool:
    """One letter wrong, missing or too many, or two neighbours swapped; never in words under four letters."""
    if min(len(a), len(b)) < 4:
        return False
    while a and b and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    return max(len(a), len(b)) <= 1 or (len(a) == 2 and a == b[::-1])
'''
_NEW_TEST = """    def test_a_typo_is_forgiven(self):
        self.assertEqual(search(TRACKS, "miels"), TRACKS[:2])

    def test_nothing_found(self):
"""


def _typo_steps() -> list[Step]:
    search, tests = "src/playback/search.py", "tests/test_search.py"
    slip, close = {"index": "slip"}, {"index": ["close", "other"]}
    return [
        {"say": "I am the demo agent: there is no model behind me, but my edits, commits and questions are real.\n"},
        {"plan": _TYPO_PLAN, "active": 1},
        {"read": search},
        {"read": tests},
        {"say": "Search compares whole letters: “miels” finds nothing by Miles Davis. Two ways lead out of that.\n"},
        {"plan": _TYPO_PLAN, "done": 1, "active": 2},
        {
            "ask": "choice",
            "name": "index",
            "title": "Which typo tolerance?",
            "context": "Today “miels” finds nothing. Both ways pass the tests; neither adds a dependency.",
            "options": [
                {
                    "id": "close",
                    "label": "Close matches",
                    "description": "difflib, 80 % alike: forgiving, may find too much",
                    "recommended": True,
                },
                {
                    "id": "slip",
                    "label": "One slip",
                    "description": "one letter wrong, missing, too many, or two swapped: strict",
                },
            ],
        },
        {"edit": search, "replace": _FOUND, "text": "all(_found(word, _text(track)) for word in wanted)"},
        {"edit": search, "replace": _DOC, "text": "contains every word, typos forgiven, in the given order."},
        {
            "edit": search,
            "replace": "from dataclasses import dataclass\n",
            "text": "from dataclasses import dataclass\nfrom difflib import get_close_matches\n",
            "when": close,
        },
        {"edit": search, "append": True, "text": _CLOSE_MATCHES, "when": close},
        {"edit": search, "append": True, "text": _ONE_SLIP, "when": slip},
        {"edit": tests, "replace": "    def test_nothing_found(self):\n", "text": _NEW_TEST},
        {"commit": "Let search forgive a typo", "body": "Chosen: {{index}}."},
        {"plan": _TYPO_PLAN, "done": 2, "active": 3},
        {
            "ask": "text",
            "name": "readme",
            "title": "How should the README put it?",
            "context": "One sentence for people who read the README; I add it as you write it. For example:\n"
            "“Search forgives a typo: miels finds Miles Davis.”",
        },
        {"edit": "README.md", "append": True, "text": "\n{{readme}}\n"},
        {"commit": "Describe typo tolerance in the README", "body": "{{readme}}"},
        {"plan": _TYPO_PLAN, "done": 3, "active": 4},
        *_permission("python3 -m unittest -q", "The whole suite, with the new test; it takes a second."),
        {"plan": _TYPO_PLAN, "done": 4},
        {
            "say": "Search forgives typos now ({{index}}): “miels” finds Miles Davis.\n"
            "• The README says: {{readme}}\n"
            "• {{check.told}}\n"
            "Not done: ranking by how close a match is.\n"
        },
    ]
