/**
 * The keys of the page: taken by their place on the keyboard (`event.code`), so that a Cyrillic or Dvorak layout
 * keeps them; not in text fields, not while composing, not on repeat; never the browser's own.
 */
import { prefs } from "../kit/prefs";
import { Store } from "../kit/store";
import type { Command } from "./screens";

/** "Shift+KeyA", "Slash", "Ctrl+KeyK" for an event; Ctrl stands for ⌘ on a Mac as well. */
export function chordOf(event: Pick<KeyboardEvent, "code" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">): string {
  const held = [event.ctrlKey || event.metaKey ? "Ctrl" : "", event.altKey ? "Alt" : "", event.shiftKey ? "Shift" : ""];
  return [...held.filter(Boolean), event.code].join("+");
}

const NAMED: Record<string, string> = {
  "?": "Shift+Slash",
  "/": "Slash",
  "[": "BracketLeft",
  "]": "BracketRight",
  ".": "Period",
  ",": "Comma",
  "↑": "ArrowUp",
  "↓": "ArrowDown",
  "←": "ArrowLeft",
  "→": "ArrowRight",
  Esc: "Escape",
  "$": "Shift+Digit4",
};

/** What is written ("Shift+A", "g t", "Ctrl+Enter", "?") as chords in their order. */
export function chordsOf(written: string): string[] {
  return written.split(" ").map((part) => {
    const pieces = part === "+" ? ["+"] : part.split("+");
    const key = pieces.pop() ?? "";
    const named = NAMED[key] ?? (/^[a-z]$/i.test(key) ? `Key${key.toUpperCase()}` : /^\d$/.test(key) ? `Digit${key}` : key);
    return [...pieces.map((piece) => piece.replace("⌘", "Ctrl")), named].join("+");
  });
}

const BROWSERS = /^(Ctrl\+Key[TWNRLP]|Ctrl\+Shift\+Key[A-Z]|Shift\+Escape)$/;
const TEXT_TYPES = new Set(["", "text", "search", "password", "email", "number", "tel", "url", "date", "time", "datetime-local"]);

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && TEXT_TYPES.has(target.type);
}

/** Commands that may be called by key now: those of the shell, and of the screen in view. */
const sets = new Map<string, readonly Command[]>();
export const commandsChanged = new Store<number>(0);

/** Registers commands under a name until the answer is called; a later one of the same name takes its place. */
export function provide(name: string, commands: readonly Command[]): () => void {
  sets.set(name, commands);
  commandsChanged.update((count) => count + 1);
  return () => {
    if (sets.get(name) !== commands) return;
    sets.delete(name);
    commandsChanged.update((count) => count + 1);
  };
}

export const commands = (): (Command & { of: string })[] =>
  [...sets].flatMap(([of, found]) => found.map((command) => ({ ...command, of })));

/** The keys of a command as the person has them. */
export const keysOf = (command: Command): string => prefs.get().remapped[command.title] ?? command.keys ?? "";

let begun = "";
let begunAt = 0;
const SEQUENCE_MS = 1_500;

/** Finds what the keys mean; a sequence such as "g t" needs two of them. Exported for tests. */
export function meaning(chord: string, at: number, among: readonly Command[]): Command | "begun" | null {
  const first = begun && at - begunAt < SEQUENCE_MS ? begun : "";
  begun = "";
  let begins = false;
  for (const command of among) {
    const [one, two] = chordsOf(keysOf(command));
    if (two === undefined ? !first && one === chord : first === one && two === chord) return command;
    begins ||= !first && two !== undefined && one === chord;
  }
  if (!begins) return null;
  begun = chord;
  begunAt = at;
  return "begun";
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || event.repeat) return;
  const chord = chordOf(event);
  if (BROWSERS.test(chord)) return;
  const always = chord === "Ctrl+KeyK" || /F6$/.test(chord);
  if (!always && (isTyping(event.target) || !prefs.get().keys || document.querySelector("dialog[open]"))) return;
  const found = meaning(chord, event.timeStamp, commands());
  if (!found) return;
  event.preventDefault();
  if (found !== "begun" && !found.unless?.()) found.run();
}

export function listen(): () => void {
  addEventListener("keydown", onKey);
  return () => removeEventListener("keydown", onKey);
}
