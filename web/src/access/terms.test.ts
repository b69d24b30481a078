import { expect, it } from "vitest";
import fc from "fast-check";
import { brief, difference, inDays, instant, isOver, listed, stateOf, wrongNetwork } from "./terms";

const NOW = 1_800_000_000_000;

it("names every scope once, by what it is about", () => {
  const scopes = fc.uniqueArray(fc.tuple(fc.constantFrom("orders", "market", "keys"), fc.constantFrom("read", "write")).map((pair) => pair.join(":")), { minLength: 1 });
  fc.assert(fc.property(scopes, (some) => {
    const found = brief(some).split(" · ").flatMap((part) => {
      const [area, ...ways] = part.split(/,? /);
      return ways.map((way) => `${area}:${way}`);
    });
    expect(found.sort()).toEqual([...some].sort());
  }));
  expect(brief(["a:read"], ["a:read"])).toBe("all that you may");
  expect(brief(["a:read", "b:read"], ["a:read"])).toBe("more than you may");
  expect(brief([])).toBe("nothing");
});

it("says whether a key is good, to the millisecond", () => {
  const key = { expires_at: inDays(30, NOW), revoked_at: null, last_used_at: null };
  expect(stateOf(key, NOW)).toBe("not used yet");
  expect(stateOf({ ...key, last_used_at: 1 }, NOW)).toBe("in use");
  expect(stateOf(key, NOW + 29 * 86_400_000)).toBe("ends soon");
  expect(stateOf(key, NOW + 30 * 86_400_000)).toBe("ended");
  expect(stateOf({ ...key, revoked_at: NOW * 1e6 }, NOW)).toBe("revoked");
  // Rotated: it is revoked only when its time of grace is over.
  expect(isOver(stateOf({ ...key, revoked_at: (NOW + 60_000) * 1e6 }, NOW))).toBe(false);
  expect(stateOf({ ...key, expires_at: inDays(null, NOW) }, NOW)).toBe("not used yet");
});

it.each([["203.0.113.0/24", true], ["10.0.0.1", true], ["2001:db8::/32", true], ["::1", true], ["10.0.0.256", false], ["10.0.0.0/33", false], ["2001:db8::/129", false], ["desk", false], ["1.2.3.4/8/8", false], ["a::b::c", false], ["10.0.0.0/x", false]])("%s is a network: %s", (text, is) => {
  expect(wrongNetwork(text) === "").toBe(is);
});

it("reads a list however it is parted", () => {
  expect(listed(" a, b\nb;c  ")).toEqual(["a", "b", "c"]);
});

it("says what another set of roles would give and take, and both together give what they give", () => {
  const by = { trader: ["orders:read", "orders:write"], risk: ["orders:read", "limits:write"] };
  const role = fc.subarray(["trader", "risk"]);
  fc.assert(fc.property(role, role, (before, after) => {
    const scopes = (roles: string[]): string[] => [...new Set(roles.flatMap((each) => by[each as keyof typeof by]))].sort();
    const { gains, loses } = difference(scopes(before), after, by);
    expect([...scopes(before).filter((each) => !loses.includes(each)), ...gains].sort()).toEqual(scopes(after));
  }));
});

it("reads a moment as UTC", () => {
  expect(instant("2026-11-22T14:30")).toBe(Date.UTC(2026, 10, 22, 14, 30) * 1e6);
  expect(instant("")).toBe(0);
});
