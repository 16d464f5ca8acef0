"""How the demo agent asks: choices and texts as elicitation forms, permissions and plans as permission requests."""

from __future__ import annotations

from typing import Any

from acp import text_block, tool_content, tool_diff_content
from acp.interfaces import Client
from acp.schema import (
    AcceptElicitationResponse,
    AllowedOutcome,
    ContentToolCallContent,
    ElicitationFormSessionMode,
    ElicitationSchema,
    FileEditToolCallContent,
    PermissionOption,
    TerminalToolCallContent,
    ToolCallUpdate,
)

from runners.agents.demo.state import State

Step = dict[str, Any]
_OPTIONS = [
    PermissionOption(option_id="always", name="Always allow", kind="allow_always"),
    PermissionOption(option_id="no", name="Reject", kind="reject_once"),
    PermissionOption(option_id="yes", name="Allow once", kind="allow_once"),
]
"""Not in the order in which one would show them: a client must choose by kind."""
_ALLOW = frozenset({"yes", "always"})


class Questions:
    """Asks, and notes the answers in the session's values."""

    def __init__(self, client: Client, state: State) -> None:
        self._client, self._state = client, state

    async def ask(self, step: Step, call: str) -> bool:
        """False: the question was withdrawn because the turn is ending."""
        match step["ask"]:
            case "choice":
                return await self._choice(step)
            case "text":
                return await self._text(step)
            case "permission":
                return await self._permission(step, call)
            case _:
                return await self._plan(step, call)

    def note(self, name: str, value: str, words: str) -> None:
        if name:
            self._state.values |= {name: words, f"{name}.id": value}

    async def form(self, message: str, schema: Step) -> dict[str, Any]:
        mode = ElicitationFormSessionMode(
            session_id=self._state.id, requested_schema=ElicitationSchema.model_validate(schema)
        )
        response = await self._client.create_elicitation(message, mode)
        if isinstance(response, AcceptElicitationResponse):
            return {"action": "accept", **(response.content or {})}
        return {"action": response.action}

    async def _elicit(self, step: Step, properties: Step) -> dict[str, Any]:
        message = "\n".join(part for part in (step.get("title", ""), step.get("context", "")) if part)
        return await self.form(message, {"type": "object", "properties": properties})

    async def _choice(self, step: Step) -> bool:
        options = step.get("options", [])
        chosen = next((option["id"] for option in options if option.get("recommended")), None)
        choice: Step = {"type": "string", "oneOf": [_one_of(option) for option in options]}
        if chosen:
            choice["default"] = chosen
        got = await self._elicit(step, {"choice": choice, "choice_other": {"type": "string", "title": "Other"}})
        if got["action"] == "cancel":
            return False
        name = step.get("name", "")
        labels = {option["id"]: option["label"] for option in options}
        if value := got.get("choice"):
            self.note(name, value, labels.get(value, value))
        else:
            words = got.get("choice_other") or labels.get(chosen or "", "")
            self.note(name, "other" if got.get("choice_other") else chosen or "", words)
        return True

    async def several(self, message: str, questions: list[Step]) -> bool:
        """Several questions in one form; a choice has a field for words of one's own beside it."""
        properties: Step = {}
        for question in questions:
            properties |= _properties(question)
        got = await self.form(message or "A few questions", {"type": "object", "properties": properties})
        if got["action"] != "cancel":
            for question in questions:
                self._note_one(question, got)
        return bool(got["action"] != "cancel")

    def _note_one(self, question: Step, got: Step) -> None:
        name = question["name"]
        labels: dict[str, str] = {option["id"]: option["label"] for option in question.get("options", ())}
        value, own = got.get(name), got.get(f"{name}_other")
        if isinstance(value, list) and not own:
            self.note(
                name,
                ",".join(map(str, value)),
                ", ".join(labels.get(str(item), str(item)) for item in value) or "none of them",
            )
        elif value and not own:
            self.note(name, str(value), labels.get(str(value), str(value)))
        else:
            self.note(name, "other", str(own or "(no answer)"))

    async def _text(self, step: Step) -> bool:
        field: Step = {"type": "string"} | ({"default": step["default"]} if "default" in step else {})
        got = await self._elicit(step, {"text": field})
        if got["action"] == "cancel":
            return False
        words = str(got.get("text") or step.get("default", "(no answer)"))
        self.note(step.get("name", ""), words, words)
        return True

    async def _permission(self, step: Step, call: str) -> bool:
        diff = step.get("diff")
        content: list[ContentToolCallContent | FileEditToolCallContent | TerminalToolCallContent] = []
        if step.get("context"):
            content.append(tool_content(text_block(step["context"])))
        if diff:
            content.append(tool_diff_content(f"{self._state.cwd}/{diff['path']}", diff["new"], diff.get("old")))
        update = ToolCallUpdate(
            tool_call_id=call,
            title=step.get("title", step.get("command", "a step")),
            kind="edit" if diff else "execute",
            status="pending",
            content=content or None,
            raw_input={"command": step["command"]} if "command" in step else None,
        )
        return await self._request(step, update, "allow", "deny")

    async def _plan(self, step: Step, call: str) -> bool:
        text = step.get("detail", "")
        update = ToolCallUpdate(
            tool_call_id=call,
            title=step.get("title", "Ready to start"),
            kind="switch_mode",
            status="pending",
            content=[tool_content(text_block(text))],
            raw_input={"plan": text},
        )
        return await self._request(step, update, "approve", "revise")

    async def _request(self, step: Step, update: ToolCallUpdate, yes: str, no: str) -> bool:
        kinds = step.get("kinds")
        options = [option for option in _OPTIONS if kinds is None or option.kind in kinds]
        response = await self._client.request_permission(self._state.id, update, options)
        if not isinstance(response.outcome, AllowedOutcome):
            return False
        allowed = response.outcome.option_id in _ALLOW
        name = step.get("name", "")
        self.note(name, yes if allowed else no, yes if allowed else no)
        if name:
            self._state.values[f"{name}.option"] = response.outcome.option_id
            command = step.get("command", "That step")
            self._state.values[f"{name}.told"] = f"`{command}` was not allowed, so I left it out."
        return True


def _properties(question: Step) -> Step:
    name, options = question["name"], [_one_of(option) for option in question.get("options", ())]
    about = {"title": question["title"]}
    if question.get("context"):
        about["description"] = question["context"]
    if not options:
        return {name: {"type": "string", **about}}
    kind = {"type": "array", "items": {"anyOf": options}} if question.get("multiple") else {"oneOf": options}
    chosen = next((option["id"] for option in question["options"] if option.get("recommended")), None)
    if chosen and not question.get("multiple"):
        kind["default"] = chosen
    return {name: {"type": "string", **kind, **about}, f"{name}_other": {"type": "string", "title": "Other"}}


def _one_of(option: Step) -> Step:
    about = {"description": option["description"]} if option.get("description") else {}
    return {"const": option["id"], "title": option["label"], **about}
