import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Schemas } from "../client/api";
import { alone, bytes, edges, evenly, sentence, troubles } from "./sentence";

const WELL: Schemas["HouseReply"] = {
  version: "1", python: "3.11", machine: "Linux", at: "2026-11-21T12:00:00Z", started_at: "2026-11-21T11:00:00Z",
  serving: true, environment: "synthetic", feed: "synthetic", demo: true, killed: false, kill_reason: "",
  parts: [{ name: "serving", ok: true, says: "serving" }],
  feeds: [{ symbol: "BTC-USD", source: "synthetic", quality: "ok", since: null, age_ms: 1, messages: 9, gaps: 0, crossed: 0, stale: 0, recoveries: 0, malformed: 0 }],
  windows: [{ seconds: 60, count: 4, refused: 0, per_s: 1, p50_ms: 1.2, p99_ms: 4, p999_ms: 4 }],
  position: 10, entries_per_s: 0, commits: 1, commit_mean_ms: 1, commit_queue: 0, messages_open: 0,
  followers: [{ name: "views", position: 10, behind: 0, trouble: "" }],
  accounts: 1, owners: 1, websockets: 1, disks: [], disk_free: 50, disk_total: 100, memory_bytes: 1, memory_peak_bytes: 1, cpu_s: 1,
  kernels: [{ name: "a.book", state: "compiled" }],
  checks: { at: null, position: 10, holds: true, failing: [] }, places: [],
  verification: { running: false, started_at: null, entries: 0, total: 0, trouble: "", last: { at: 1_000_000_000, took_ms: 1, entries: 10, root: "ab@10", roots: 1, wrong: [], first: null } },
};
const NOW = 13_000;

describe("the sentence", () => {
  it("says that all is well, and nothing else", () => {
    expect(sentence(WELL, NOW)).toBe("Serving. 1 book OK. Journal verified 12\u202fs ago. p99 4.00\u202fms.");
    expect(troubles(WELL)).toEqual([]);
  });

  it("says what is not, worst first", () => {
    const [feed] = WELL.feeds;
    const ill = {
      ...WELL,
      feeds: [{ ...feed!, quality: "gapped" as const }],
      followers: [{ name: "views", position: 1, behind: 5_000, trouble: "" }],
      parts: [{ name: "journal", ok: false, says: "the disk has not answered for 3 s" }],
      serving: false,
      windows: [],
    };
    expect(sentence(ill, NOW)).toMatch(/^Not serving\. 1 of 1 book not OK\. .* No orders in the last minute\.$/);
    expect(troubles(ill).map(({ tone, what }) => `${tone}: ${what}`)).toEqual([
      "critical: Journal is not well",
      "warn: Views are behind",
      "warn: BTC-USD is GAPPED",
    ]);
  });

  it("never hides a journal that was changed, nor a kill", () => {
    const last = { ...WELL.verification.last!, wrong: ["entry 4 of account/demo: it is not what was hashed"] };
    const found = troubles({ ...WELL, killed: true, kill_reason: "drill", verification: { ...WELL.verification, last } });
    expect(found.map(({ tone }) => tone)).toEqual(["critical", "critical"]);
    expect(found[0]!.detail).toContain("entry 4");
    expect(sentence({ ...WELL, verification: { ...WELL.verification, last } }, NOW)).toContain("FAILED");
  });
});

describe("lines with gaps", () => {
  it("has a null for every step that nobody counted, and every value where it was", () => {
    fc.assert(fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { minLength: 1 }), (steps) => {
      const at = [...steps].sort((a, b) => a - b).map((each) => each * 5_000);
      const values = at.map((_, nth) => nth + 1);
      const [xs, line] = evenly(at, 5_000, [values]) as [number[], (number | null)[]];
      expect(xs.length).toBe(line.length);
      expect(line.filter((each) => each !== null)).toEqual(values);
      expect(xs.filter((_, nth) => line[nth] !== null)).toEqual(at.map((each) => each / 1_000));
    }));
    expect(evenly([], 5_000, [[]])).toEqual([[], []]);
  });
});

describe("lone values", () => {
  it("are those that no line reaches", () => {
    expect(alone([1, null, 2, 3, null, null, 4])).toEqual([0, 6]);
    expect(alone([null, 5, undefined])).toEqual([1]);
    expect(alone([1, 2])).toEqual([]);
  });

  it("of counts stand from the beginning of their step to its end", () => {
    expect(edges([[10, 15, 20], [0, 4, 0], [null, 1, null]], 5)).toEqual([[5, 10, 15, 20], [0, 4, 0, 0], [null, 1, null, null]]);
    expect(edges([[], []], 5)).toEqual([[], []]);
  });
});

it("says sizes as people read them", () => {
  expect([0, 999, 1_000, 15_340_000, 123_456_789_000].map(bytes)).toEqual(["0 B", "999 B", "1.0 kB", "15.3 MB", "123 GB"]);
});
