import { expect, it } from "vitest";
import { leftBy, type Working } from "./left";

const order = (account_id: string): Working => ({ account_id }) as Working;

it("tells a person’s own accounts from those that are everybody’s, and leaves other people’s out", () => {
  const found = leftBy(["mine", "demo", "hers"].map(order), new Set(["mine"]), new Set(["hers"]));
  expect(found.theirs.map(({ account_id }) => account_id)).toEqual(["mine"]);
  expect(found.shared).toBe(1);
});
