/** Four sounds, off unless asked for: a fill rises, a cancel is one tone, a refusal falls, a cut falls thrice. */
import { prefs } from "./prefs";

export type Sound = "fill" | "cancel" | "refusal" | "cut";
/** Tones in Hz, and how long after the first, in seconds. */
export const TONES: Record<Sound, readonly (readonly [number, number])[]> = {
  fill: [[660, 0], [880, 0.08]],
  cancel: [[440, 0]],
  refusal: [[262, 0], [196, 0.1]],
  cut: [[330, 0], [247, 0.14], [165, 0.28]],
};
const LASTS_S = 0.09;
const LOUD = 0.08;
const APART_MS = 150; // forty fills at once are one sound

/** What an own event sounds like; null: nothing. */
export function soundOf(event: { channel: string; ord_status?: string | null }): Sound | null {
  if (event.channel === "executions") return "fill";
  if (event.channel !== "orders") return null;
  if (event.ord_status === "rejected") return "refusal";
  return event.ord_status === "canceled" ? "cancel" : null;
}

/** Of several at once the one that matters most. */
export function loudest(sounds: readonly (Sound | null)[]): Sound | null {
  return (["refusal", "fill", "cancel"] as const).find((each) => sounds.includes(each)) ?? null;
}

let speaker: AudioContext | null = null;
let playedAt = -APART_MS;

/** `isTried`: somebody listens to it in the settings. */
export function play(sound: Sound | null, isTried = false): void {
  if (!sound || (!prefs.get().sounds && !isTried) || typeof AudioContext === "undefined") return;
  if (performance.now() - playedAt < APART_MS) return;
  playedAt = performance.now();
  speaker ??= new AudioContext();
  if (speaker.state === "suspended") void speaker.resume(); // browsers wait for the first click
  const now = speaker.currentTime;
  for (const [hz, after] of TONES[sound]) {
    const tone = speaker.createOscillator();
    const gain = speaker.createGain();
    tone.frequency.value = hz;
    gain.gain.setValueAtTime(0, now + after);
    gain.gain.linearRampToValueAtTime(LOUD, now + after + 0.01);
    gain.gain.exponentialRampToValueAtTime(0.001, now + after + LASTS_S);
    tone.connect(gain).connect(speaker.destination);
    tone.start(now + after);
    tone.stop(now + after + LASTS_S);
  }
}
