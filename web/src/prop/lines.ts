/** Where in a tier's text a finding is. Pure. */

const HEADER = /^\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]\]?\s*(#.*)?$/;
const KEY = /^\s*([A-Za-z0-9_-]+)((?:\.[A-Za-z0-9_-]+)*)\s*=/;

interface Place {
  line: number;
  path: string;
}

/** Each key and table of the text with its path, as findings name them: "phases[0].daily_loss". */
function places(text: string): Place[] {
  const counts = new Map<string, number>();
  const found: Place[] = [];
  let table = "";
  text.split("\n").forEach((line, nth) => {
    const header = HEADER.exec(line);
    if (header) {
      const [first = "", ...rest] = (header[2] as string).split(".");
      if (header[1] === "[[" && !rest.length) counts.set(first, (counts.get(first) ?? -1) + 1);
      const count = counts.get(first);
      table = [count === undefined ? first : `${first}[${count}]`, ...rest].join(".");
      found.push({ line: nth + 1, path: table });
      return;
    }
    const key = KEY.exec(line);
    if (key) found.push({ line: nth + 1, path: `${table && `${table}.`}${key[1]}${key[2]}` });
  });
  return found;
}

/** The line of a key, or of the nearest that holds it; 1 is the first, and 0: nowhere. */
export function lineOf(text: string, where: string): number {
  const all = places(text);
  for (let path = where; path; path = path.includes(".") ? path.slice(0, path.lastIndexOf(".")) : "") {
    const place = all.find((each) => each.path === path);
    if (place) return place.line;
  }
  return 0;
}

/** The line that a reader of TOML complains about; 0 where it names none. */
export const lineSaid = (message: string): number => Number(/\bline (\d+)/.exec(message)?.[1] ?? 0);

/** From where to where a line reaches in the text, to mark it. */
export function span(text: string, line: number): [number, number] {
  const lines = text.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  return [start, start + (lines[line - 1]?.length ?? 0)];
}
