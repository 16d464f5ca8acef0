// Slack timestamps in the reader's own zone.

/** @param {string} ts a Slack timestamp, "1700000000.000100" */
const dateOf = (ts) => new Date(Number(ts) * 1000);

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, {
  weekday: "long",
  day: "numeric",
  month: "long",
  year: "numeric",
  hour: "numeric",
  minute: "2-digit",
  second: "2-digit",
});
const dayName = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

export const timeText = (ts) => clock.format(dateOf(ts));
export const fullText = (ts) => full.format(dateOf(ts));
export const dayKey = (ts) => dateOf(ts).toDateString();

/** "Today", "Yesterday" or the day's name. */
export function dayText(ts) {
  const then = dateOf(ts);
  if (then.toDateString() === new Date().toDateString()) return "Today";
  if (then.toDateString() === new Date(Date.now() - 86_400_000).toDateString()) return "Yesterday";
  return dayName.format(then);
}

/** "just now", "4 min ago", "3 h ago", then the day. */
export function agoText(ts) {
  const minutes = Math.floor((Date.now() / 1000 - Number(ts)) / 60);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return dayText(ts);
}

const TOKENS = {
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
  date: { year: "numeric", month: "long", day: "numeric" },
  date_short: { year: "numeric", month: "short", day: "numeric" },
  date_long: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  time: { hour: "numeric", minute: "2-digit" },
  time_secs: { hour: "numeric", minute: "2-digit", second: "2-digit" },
};

/** Slack's `<!date^…>` format: `{date_short_pretty} at {time}`. @param {string} seconds @param {string} format */
export function dateFormat(seconds, format) {
  return format.replace(/\{(\w+?)(_pretty)?\}/g, (whole, token, pretty) => {
    if (token === "ago") return agoText(seconds);
    if (!TOKENS[token]) return whole;
    const day = dayText(seconds);
    if (pretty && (day === "Today" || day === "Yesterday")) return day.toLowerCase();
    return new Intl.DateTimeFormat(undefined, TOKENS[token]).format(dateOf(seconds));
  });
}
