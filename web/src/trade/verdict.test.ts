import { describe, expect, test } from "vitest";
import { Questions, REST_MS } from "./verdict";

/** A clock that a test moves, and a house that answers when it is told to. */
function desk() {
  let timers: { at: number; act: () => void }[] = [];
  let now = 0;
  let told = 0;
  const waiting: { question: string; answer: (found: string) => void; fail: (error: Error) => void }[] = [];
  const questions = new Questions<string, string>(
    (question) => new Promise((answer, fail) => waiting.push({ question, answer, fail })),
    () => void (told += 1),
    {
      set: (act, ms) => {
        const timer = { at: now + ms, act };
        timers.push(timer);
        return timer;
      },
      clear: (timer) => {
        timers = timers.filter((each) => each !== timer);
      },
    },
  );
  const pass = (ms: number): void => {
    now += ms;
    const due = timers.filter((each) => each.at <= now);
    timers = timers.filter((each) => each.at > now);
    for (const each of due) each.act();
  };
  return { questions, waiting, pass, told: () => told };
}
const turn = (): Promise<void> => new Promise((done) => setTimeout(done));

describe("the verdict", () => {
  test("is asked for once the draft rests, and not before", async () => {
    const { questions, waiting, pass } = desk();
    questions.about("1");
    pass(REST_MS - 1);
    questions.about("10");
    pass(REST_MS - 1);
    expect(waiting).toEqual([]);
    expect(questions.verdict.at).toBe("asking");
    pass(1);
    expect(waiting.map((each) => each.question)).toEqual(["10"]);
    waiting[0]!.answer("fine");
    await turn();
    expect(questions.verdict).toEqual({ at: "said", found: "fine" });
  });

  test("an answer about an older draft is dropped, in whatever order they come", async () => {
    const { questions, waiting, pass } = desk();
    questions.about("old");
    pass(REST_MS);
    questions.about("new");
    pass(REST_MS);
    waiting[1]!.answer("of new");
    await turn();
    waiting[0]!.answer("of old");
    await turn();
    expect(questions.verdict).toEqual({ at: "said", found: "of new" });
    questions.about("newer");
    expect(questions.verdict).toEqual({ at: "asking", last: "of new" });
  });

  test("asked again, what was said stays until there is something new to say", async () => {
    const { questions, waiting, pass } = desk();
    questions.again();
    questions.about("1");
    pass(REST_MS);
    questions.again();
    expect(waiting).toHaveLength(1);
    waiting[0]!.answer("first");
    await turn();
    questions.again();
    expect(questions.verdict).toEqual({ at: "said", found: "first" });
    waiting[1]!.answer("second");
    await turn();
    expect(questions.verdict).toEqual({ at: "said", found: "second" });
  });

  test("no draft, no question; and a failure is said", async () => {
    const { questions, waiting, pass, told } = desk();
    questions.about(null);
    expect(told()).toBe(0); // Nothing has changed, so nobody is told: who asks on being told would never end.
    questions.about("1");
    questions.about(null);
    pass(REST_MS);
    expect(waiting).toEqual([]);
    expect(questions.verdict).toEqual({ at: "none" });
    questions.about("2");
    pass(REST_MS);
    waiting[0]!.fail(new Error("no contact"));
    await turn();
    expect(questions.verdict).toEqual({ at: "failed", text: "no contact" });
  });
});
