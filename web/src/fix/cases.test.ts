import { describe, expect, it } from "vitest";
import { outcomeOf, said } from "./cases";

describe("what was done about a case", () => {
  it.each([
    ["opened", "", "Storm of resends", "Opened for “Storm of resends”"],
    ["assigned", "bob", "ada", "bob gave it to ada"],
    ["assigned", "bob", "", "bob took it from whoever had it"],
    ["commented", "ada", "asked: no answer", "ada: asked: no answer"],
    ["closed", "ada", "false_positive: a drill: ours", "ada closed it. A false alarm: a drill: ours"],
    ["reopened", "ada", "it goes on", "ada opened it again: it goes on"],
    ["merged", "", "x", "the house merged x"],
  ])("%s is a sentence", (what, by, text, sentence) => {
    expect(said({ what, by, text })).toBe(sentence);
  });

  it("shows an outcome that this page does not know as it is", () => {
    expect(outcomeOf("true_positive")).toBe("A true finding");
    expect(outcomeOf("new_kind")).toBe("new_kind");
  });
});
