import { expect, test } from "vitest";
import { PIECE, pieces } from "./pieces";

test("the pieces of a document make it again, and each says what the whole is", async () => {
  for (const size of [1, PIECE, PIECE + 1]) {
    const bytes = new Uint8Array(size).fill(7);
    bytes[size - 1] = 9;
    const found = [];
    for await (const piece of pieces(bytes)) found.push(piece);
    const again = found.map((each) => atob(each.content)).join("");
    expect(again.length).toBe(size);
    expect(again.charCodeAt(size - 1)).toBe(9);
    expect(found.map((each) => each.offset)).toEqual(found.map((_, nth) => nth * PIECE));
    expect(new Set(found.map((each) => `${each.size} ${each.sha256}`)).size).toBe(1);
    expect(found[0]?.sha256).toMatch(/^[0-9a-f]{64}$/);
  }
});
