import { expect, it } from "vitest";
import fc from "fast-check";
import { asking, bytesOf, creating, isAt, textOf } from "./credentials";

it("writes bytes as base64url without padding, and reads them again", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 99 }), (bytes) => {
    const text = textOf(bytes);
    expect(text).toBe(Buffer.from(bytes).toString("base64url"));
    expect(bytesOf(text)).toEqual(bytes);
  }));
});

it("turns what is text into bytes, and leaves the rest", () => {
  const made = creating({ challenge: "AQI", user: { id: "Aw", name: "ada", displayName: "ada" }, rp: { id: "localhost" }, excludeCredentials: [{ type: "public-key", id: "BA" }] });
  expect([made.challenge, made.user.id, made.excludeCredentials?.[0]?.id]).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3), Uint8Array.of(4)]);
  expect(made.rp).toEqual({ id: "localhost" });
  expect(asking({ challenge: "AQI", rpId: "localhost" })).toEqual({ challenge: Uint8Array.of(1, 2), rpId: "localhost", allowCredentials: [] });
});

it.each([["fondaco.example", true], ["desk.fondaco.example", true], ["notfondaco.example", false], ["127.0.0.1", false]])("%s is where passkeys of fondaco.example are good: %s", (host, is) => {
  expect(isAt(host, "fondaco.example")).toBe(is);
});
