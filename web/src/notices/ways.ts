/** What somebody has chosen, while it is being changed. */
import type { Schemas } from "../client/api";

type Shown = Schemas["PreferencesShown"];
type Topic = Schemas["TopicShown"];
export type Way = "inbox" | "email" | "push";

export interface Chosen {
  ways: Readonly<Partial<Record<string, readonly Way[]>>>;
  quiet: { begins: string; ends: string; zone: string } | null;
  accounts: readonly string[] | null;
}

export const WAYS: readonly { way: Way; title: string }[] = [{ way: "inbox", title: "Inbox" }, { way: "email", title: "Mail" }, { way: "push", title: "Push" }];

export const chosenOf = (shown: Shown): Chosen => ({
  ways: Object.fromEntries(shown.topics.map((each) => [each.topic, each.ways])),
  quiet: shown.quiet ? { begins: shown.quiet.begins, ends: shown.quiet.ends, zone: shown.quiet.zone ?? "UTC" } : null,
  accounts: shown.accounts ?? null,
});

export function toggled(chosen: Chosen, topic: string, way: Way): Chosen {
  const had = chosen.ways[topic] ?? [];
  const has = had.includes(way) ? had.filter((each) => each !== way) : [...had, way];
  return { ...chosen, ways: { ...chosen.ways, [topic]: WAYS.map((each) => each.way).filter((each) => has.includes(each)) } };
}

export const isUsual = (topic: Pick<Topic, "topic" | "usual">, chosen: Chosen): boolean => [...(chosen.ways[topic.topic] ?? [])].sort().join() === [...topic.usual].sort().join();

/** What is sent: topics that are as usual are left out, so that they follow when the usual changes. */
export const body = (shown: Pick<Shown, "topics">, chosen: Chosen): Schemas["ChoosePreferences"] => ({
  ways: Object.fromEntries(shown.topics.filter((each) => !isUsual(each, chosen)).map((each) => [each.topic, [...(chosen.ways[each.topic] ?? [])]])),
  quiet: chosen.quiet,
  accounts: chosen.accounts === null ? null : [...chosen.accounts],
});

const WORDS: Readonly<Record<string, string>> = {
  "approvals.glass_broken": "broken glass",
  "approvals.waiting": "what waits for you to agree",
  "house.webhook_disabled": "webhooks that were disabled",
  "house.killed": "the kill switch",
  "house.unkilled": "its end",
  "house.check_failed": "checks that fail",
  "house.check_cleared": "checks that hold again",
  "margin.state_set": "accounts halted or reduced",
  "margin.warned": "warnings",
  "security.held_up": "somebody guesses your password",
  "security.key_created": "new keys",
  "security.new_device": "new devices",
  "security.passkey_added": "new passkeys",
  "security.password_changed": "a changed password",
  "security.recovery_code_used": "a recovery code that was used",
  "security.second_factor": "a changed second factor",
  "surveillance.alert": "alerts; those that are high or critical go by mail, too",
};

/** A kind of notice, as a person would say it. */
export const kindWords = (kind: string): string => (Object.hasOwn(WORDS, kind) ? WORDS[kind] : undefined) ?? kind.slice(kind.indexOf(".") + 1).replaceAll("_", " ");
