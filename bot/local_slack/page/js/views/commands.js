// Slash commands as the manifest tells them: the verbs and arguments hidden in a usage hint.

/** @typedef {{fill: string, title: string, args: string, note: string}} Suggestion */

/** "[start|stop] name" or "start [task] · stop · list" → verbs with what follows each. @param {string} hint */
function verbsOf(hint) {
  const grouped = /^[[<(]([\w-]+(?:\s*\|\s*[\w-]+)+)[\]>)]\s*(.*)$/.exec(hint.trim());
  const alternatives = grouped ? grouped[1].split("|").map((verb) => `${verb.trim()} ${grouped[2]}`) : splitTop(hint);
  if (alternatives.length < 2) return [];
  return alternatives
    .map((text) => /^([a-z][\w-]*)\s*(.*)$/.exec(text.trim()))
    .filter(Boolean)
    .map(([, verb, args]) => ({ verb, args: args.trim() }));
}

/** Split at bars, commas and dots outside brackets. */
function splitTop(text) {
  const parts = [""];
  let depth = 0;
  for (const letter of text) {
    if ("[<(".includes(letter)) depth += 1;
    if ("])>".includes(letter)) depth -= 1;
    if ("|,·".includes(letter) && depth === 0) parts.push("");
    else parts[parts.length - 1] += letter;
  }
  return parts.map((part) => part.trim()).filter(Boolean);
}

/**
 * What could stand for the slash text typed so far.
 * @param {string} text @param {{command: string, description: string, usage_hint?: string}[]} commands @returns {Suggestion[]}
 */
export function suggest(text, commands) {
  const [, typed, rest] = /^(\/\S*)(?:\s+(\S*))?$/.exec(text) || [];
  if (!typed) return [];
  const exact = commands.find((command) => command.command === typed);
  if (exact && verbsOf(exact.usage_hint || "").length) {
    return verbsOf(exact.usage_hint)
      .filter(({ verb }) => verb.startsWith(rest || "") && verb !== rest)
      .map(({ verb, args }) => ({ fill: `${typed} ${verb} `, title: `${typed} ${verb}`, args, note: "" }));
  }
  if (rest !== undefined) return [];
  return commands
    .filter((command) => command.command.startsWith(typed))
    .map((command) => ({
      fill: `${command.command} `,
      title: command.command,
      args: command.usage_hint || "",
      note: command.description,
    }));
}

/** The usage of the command that is being typed, once its verb stands. @param {string} text @param {any[]} commands */
export function usageOf(text, commands) {
  const [, name, verb] = /^(\/\S+)\s+(?:(\S+)\s)?/.exec(text) || [];
  const command = commands.find((known) => known.command === name);
  if (!command) return "";
  const known = verbsOf(command.usage_hint || "");
  const found = known.find((one) => one.verb === verb);
  if (found) return found.args && `${name} ${verb} ${found.args}`;
  return known.length ? "" : `${name} ${command.usage_hint || ""}`;
}

/** What to type first: the first command with its first verb. @param {{command: string, usage_hint?: string}[]} commands */
export function firstCommand(commands) {
  const [command] = commands;
  if (!command) return "";
  const [first] = verbsOf(command.usage_hint || "");
  return first ? `${command.command} ${first.verb}` : command.command;
}
