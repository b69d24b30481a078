import { expect, test } from "vitest";
import { edgeOf, FIRST, mended, moved, resized, shown, STANDARD, stepped, template, turned, WIDEST, widthOf } from "./columns";

const all = (): boolean => true;

test("a column takes another's place, and the rest keep their order", () => {
  expect(moved(STANDARD, "ticket", "watchlist").order).toEqual(["ticket", "watchlist", "middle", "ladder"]);
  expect(moved(STANDARD, "watchlist", "ladder").order).toEqual(["middle", "ladder", "watchlist", "ticket"]);
  expect(moved(STANDARD, "ladder", "ladder")).toBe(STANDARD);
});

test("every move keeps each column once", () => {
  for (const one of FIRST) for (const two of FIRST) expect([...moved(STANDARD, one, two).order].sort()).toEqual([...FIRST].sort());
});

test("a step goes past what is put away, and stops at the end", () => {
  const found = turned(STANDARD, "ladder");
  expect(stepped(found, "ticket", -1).order.indexOf("ticket")).toBeLessThan(stepped(found, "ticket", -1).order.indexOf("middle"));
  expect(stepped(STANDARD, "watchlist", -1)).toBe(STANDARD);
  expect(turned(found, "ladder").away).toEqual([]);
});

test("widths stay within bounds, and a narrow window takes no more than the usual", () => {
  expect(widthOf(resized(STANDARD, "ticket", 9), "ticket")).toBe(256);
  expect(widthOf(resized(STANDARD, "ladder", 9_999), "ladder")).toBe(WIDEST);
  const wide = resized(STANDARD, "ladder", 400);
  expect(template(wide, shown(wide, all), false)).toBe("176px minmax(0, 1fr) 400px 280px");
  expect(template(wide, shown(wide, (side) => side !== "watchlist"), true)).toBe("minmax(0, 1fr) 264px 280px");
});

test("the edge towards the chart is the one that is dragged", () => {
  expect(edgeOf(FIRST, "watchlist")).toBe("end");
  expect(edgeOf(FIRST, "ticket")).toBe("start");
});

test.each([
  [{}, STANDARD],
  [{ order: ["ticket", "ticket"] as never, away: ["middle", "ladder"] as never }, { ...STANDARD, away: ["ladder"] }],
  [{ widths: { ladder: 1, middle: 5, ticket: "x" } as never }, { ...STANDARD, widths: { ladder: 220 } }],
])("what another page wrote is mended: %o", (found, made) => expect(mended(found)).toEqual(made));
