import { expect, test } from "vitest";
import { invitation } from "./invitation";

test("a link names the firm, the user and a code, and nothing else is one", () => {
  expect(invitation("#/invited/demo/grace/fk_a-B_9")).toEqual({ tenant: "demo", user: "grace", code: "fk_a-B_9" });
  for (const other of ["", "#/access/people", "#/invited/demo/grace", "#/invited/demo/../x", "#/invited/demo/grace/a/b", "#/invited/demo/Grace/a", "#/invited/demo/grace/a?b"]) expect(invitation(other)).toBeNull();
});
