import { describe, expect, it } from "vitest";
import { type Further, whyNot } from "./further";
import type { Assessment } from "./standing";

type State = Assessment["state"];
const open = (what: Further, state: State, frozen = "", timed = true, others = 1): boolean => whyNot(what, { state, frozen }, timed, others) === "";

describe("what may be bought for an assessment", () => {
  it.each<[State, boolean, boolean, boolean]>([
    ["active", true, true, true], ["failed", true, false, false], ["expired", true, false, false], ["abandoned", true, false, false],
    ["funded", false, true, false], ["passed", false, false, false], ["purchased", false, false, false],
  ])("of one that is %s: reset %s, time %s, upgrade %s", (state, reset, extension, upgrade) => {
    expect([open("reset", state), open("extension", state), open("upgrade", state)]).toEqual([reset, extension, upgrade]);
  });
  it("nothing while it is frozen", () => expect((["reset", "extension", "upgrade"] as const).some((what) => open(what, "active", "disputed"))).toBe(false));
  it("no time where there is no limit of it, no upgrade where there is nothing else", () => {
    expect(open("extension", "active", "", false)).toBe(false);
    expect(open("upgrade", "active", "", true, 0)).toBe(false);
  });
});
