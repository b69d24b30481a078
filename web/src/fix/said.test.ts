import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { named, preview, Rates, sentence, sequence, type Session, troubles } from "./said";

const UP: Session = {
  session: "FIX.4.4:HOUSE->BROKER", role: "acceptor", state: "up", reason: "", next_out: 100, next_in: 50, heart_bt_int_s: 30, peer: "192.0.2.7",
  received: 49, sent: 99, heard_at: "2026-11-22T02:00:00.000000Z", said_at: "2026-11-22T02:00:00.000000Z", missing_from: 0, missing_to: 0,
  waiting: 0, unanswered: 0, application: "orders", connect: [], hours: "always", stopped_by: "",
};
const NOW = Date.parse("2026-11-22T02:00:10Z");
const like = (some: Partial<Session>): Session => ({ ...UP, ...some });

describe("the sentence", () => {
  it.each<[Partial<Session>[], string]>([
    [[], "No FIX session is agreed."],
    [[{}], "The one session is up."],
    [[{ state: "closed" }], "The one session is asleep."],
    [[{}, {}], "All 2 sessions are up."],
    [[{}, { state: "down" }], "1 of 2 sessions is up."],
    [[{ state: "down" }, { state: "down" }], "None of 2 sessions is up."],
    [[{}, {}, { state: "stopped" }, { state: "closed" }, { state: "closed" }], "2 of 5 sessions are up. 1 is stopped. 2 are asleep."],
  ])("of %j", (some, said) => expect(sentence(some.map(like))).toBe(said));
});

it("finds both names, whatever they are made of", () => {
  expect(named("FIXT.1.1:HOUSE/DESK->BROKER/NY")).toEqual({ version: "FIXT.1.1", ours: "HOUSE/DESK", theirs: "BROKER/NY" });
});

describe("troubles", () => {
  it("are none where all is well, asleep, stopped, or simply not here", () => {
    expect(troubles([UP, ...["down", "closed", "stopped"].map((state) => like({ state, heard_at: null }))], NOW)).toEqual([]);
  });

  it("are a gap, silence beyond the heartbeat, and whom we cannot reach, worst first", () => {
    const gap = like({ missing_from: 50, missing_to: 53, waiting: 2 });
    const silent = like({ heard_at: "2026-11-22T01:59:20Z" });
    const away = like({ role: "initiator", state: "down", reason: "connection refused", heard_at: null });
    expect(troubles([gap, silent, away], NOW).map(({ tone, what, detail }) => `${tone}: ${what}: ${detail}`)).toEqual([
      "critical: cannot reach its counterparty: connection refused",
      "warn: has a gap: 50 to 53 asked for again, 2 waiting behind it",
      "warn: is silent: nothing heard for 50\u202fs, its heartbeat is 30 s",
    ]);
  });
});

describe("what the other side will see of new numbers", () => {
  it.each<[number, number, string[]]>([
    [100, 50, ["These are"]],
    [105, 50, ["BROKER sees a gap of 5 (100 to 104)"]],
    [90, 50, ["Our next message says 90"]],
    [100, 52, ["50 to 51 of BROKER are given up"]],
    [100, 49, ["We ask BROKER for 49 again"]],
    [1, 1, ["Our next message says 1", "We ask BROKER for 1 to 49 again"]],
  ])("%i out, %i in", (out, into, begins) => {
    const lines = preview(UP, out, into);
    expect(lines.length).toBe(begins.length);
    lines.forEach((line, nth) => expect(line.startsWith(begins[nth] as string)).toBe(true));
  });
});

it("takes a number as it is written anywhere, and nothing else", () => {
  expect(["1", "1,200", "1.200", "1’200", " 7 "].map(sequence)).toEqual([1, 1200, 1200, 1200, 7]);
  for (const text of ["", "0", "-1", "x", "1e3", "9".repeat(17)]) expect(typeof sequence(text)).toBe("string");
});

it("counts messages a second, never below zero, and keeps the last", () => {
  fc.assert(fc.property(fc.array(fc.nat(1_000), { minLength: 2, maxLength: 30 }), (counts) => {
    const rates = new Rates(5);
    counts.forEach((sent, nth) => rates.add([like({ sent, received: 0 })], 1_000 + nth * 2_000));
    const found = rates.of(UP.session);
    expect(found.length).toBe(Math.min(5, counts.length - 1));
    expect(Math.min(...found)).toBeGreaterThanOrEqual(0);
    expect(found.at(-1)).toBe(Math.max(0, (counts.at(-1) as number) - (counts.at(-2) as number)) / 2);
  }));
});
