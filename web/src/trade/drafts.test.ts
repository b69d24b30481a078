import { expect, test } from "vitest";
import { draft, draftOf, drafts, presets, sound } from "./drafts";
import { EMPTY } from "./ticket";

test("an instrument without a draft has the same empty one each time", () => {
  expect(draftOf("A-USD")).toBe(draftOf("A-USD"));
  expect(draftOf("A-USD")).toEqual({ ...EMPTY, symbol: "A-USD" });
  draft("A-USD", { side: "sell" });
  expect(draftOf("A-USD")).toBe(drafts.get()["A-USD"]);
  expect(draftOf("B-USD").side).toBe("buy");
});

test("a draft that another page kept is read as far as it is known", () => {
  const found = sound({ qty: "1", price: 7, tif: "ioc", ordType: "limit", postOnly: true, novel: 1 } as never);
  expect(found).toMatchObject({ qty: "1", price: "", ordType: "limit", postOnly: true, tif: "gtc" });
  expect("novel" in found).toBe(false);
});

test("presets are whole lots, near the worth of a usual click", () => {
  const worth = (lots: bigint): number => Number(lots) * 0.5; // 50,000 a coin in lots of 0.00001
  expect(presets(5_000_000n, worth)).toEqual([100n, 200n, 500n, 1000n, 2000n]);
  expect(presets(null, worth)).toEqual([1n, 2n, 5n, 10n, 20n]);
});
