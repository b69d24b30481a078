import { expect, it } from "vitest";
import fc from "fast-check";
import { base64, PIECE, pieces } from "./uploading";

it("cuts a file into pieces that follow each other, all but the last with more to come", () => {
  fc.assert(fc.property(fc.nat(5_000), fc.integer({ min: 1, max: 700 }), (octets, size) => {
    const found = pieces(octets, size);
    expect(found[0]?.offset).toBe(0);
    expect(found.at(-1)).toMatchObject({ end: octets, more: false });
    found.slice(1).forEach((each, nth) => expect(each.offset).toBe(found[nth]?.end));
    expect(found.slice(0, -1).every(({ more, offset, end }) => more && end - offset === size)).toBe(true);
  }));
  expect(pieces(0)).toEqual([{ offset: 0, end: 0, more: false }]);
});

it("writes bytes as base64, however many, and within a request", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    expect(base64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
  }));
  const large = new Uint8Array(100_000).map((_, nth) => nth % 251);
  expect(base64(large)).toBe(Buffer.from(large).toString("base64"));
  expect(Math.ceil(PIECE / 3) * 4).toBeLessThan(1 << 20);
});
