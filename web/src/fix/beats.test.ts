import { expect, it } from "vitest";
import { beats, placed, type Told } from "./beats";

const TOLD: Told = {
  session: "s", after: "2026-11-22T02:00:00.000000Z", before: "2026-11-22T03:00:00.000000Z", bucket_ms: 30_000,
  buckets: [{ at: "2026-11-22T02:00:00.000000Z", received: 1, sent: 0 }, { at: "2026-11-22T02:30:00.000000Z", received: 50, sent: 100 }, { at: "2026-11-22T02:59:30.000000Z", received: 0, sent: 2 }],
  marks: [
    { at: "2026-11-22T02:15:00.000000Z", kind: "logon", text: "", message: "1", alert: null },
    { at: "2026-11-22T03:00:01.000000Z", kind: "alert", text: "", message: null, alert: "a" },
  ],
};

it("draws each bucket in its place, the fullest to the edge, and one message at least a pixel high", () => {
  const found = beats(TOLD, 120, 40);
  expect([found.most, found.received, found.sent, found.wide]).toEqual([100, 51, 102, "30.00\u202fs"]);
  expect(found.above).toBe("M0 39v-1h.8v1zM60 39v-19h.8v19z");
  expect(found.below).toBe("M60 41v38h.8v-38zM119 41v1h.8v-1z");
});

it("puts marks where their time is, and leaves out what is not shown", () => {
  expect(placed(TOLD).map(({ mark, share }) => [mark.kind, share])).toEqual([["logon", 0.25]]);
  const many = Array.from({ length: 50 }, (_, nth): Told["marks"][number] => ({ at: `2026-11-22T02:30:00.0000${String(nth).padStart(2, "0")}Z`, kind: "reject", text: "", message: null, alert: null }));
  expect(placed({ ...TOLD, marks: many }).length).toBe(1);
});

it("bears a time in which nothing was said", () => {
  expect(beats({ ...TOLD, buckets: [] }, 120, 40)).toMatchObject({ above: "", below: "", most: 1 });
});
