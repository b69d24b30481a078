/**
 * The typed client. `schema.ts` is made from the house's OpenAPI document by `make clients`.
 *
 *     const found = await ok(api.GET("/api/orders", { params: { query: { account_id: "demo" } } }));
 *
 * `ok` gives what was answered or throws a `Problem`.
 */
import createClient, { type Middleware } from "openapi-fetch";
import { Store } from "../kit/store";
import { foreign, isProblemBody, noAnswer, Problem } from "./problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

const KEY = "fondaco.token";
const kept = (): string => {
  try {
    return globalThis.sessionStorage?.getItem(KEY) ?? "";
  } catch {
    return ""; // Storage is off: who reloads signs in again.
  }
};

/** The API key of whoever is signed in; "" for nobody. It lives as long as this tab. */
export const token = new Store<string>(kept());
token.subscribe(() => {
  try {
    if (token.get()) sessionStorage.setItem(KEY, token.get());
    else sessionStorage.removeItem(KEY);
  } catch {
    // As above.
  }
});

/** Set where the page shows the past: then nothing may be changed, by nobody, anywhere. */
export const readingOnly = new Store<string>("");

const signed: Middleware = {
  onRequest({ request }) {
    if (request.method !== "GET" && readingOnly.get() && !isQuestion(request)) {
      throw new Problem({
        status: 0,
        code: "reading_only",
        message: `Reading only: ${readingOnly.get()}. Press Now to act.`,
        retryable: false,
        reached_venue: "no",
      });
    }
    if (token.get()) request.headers.set("authorization", `Bearer ${token.get()}`);
    return request;
  },
};

/** A POST that changes nothing. */
const isQuestion = (request: Request): boolean =>
  /\/(risk\/validate(\/bulk)?|tickets|policy\/(check|what-if|decide))$/.test(new URL(request.url).pathname) || request.url.includes("/preferences/");

export const api = createClient<paths>({
  baseUrl: globalThis.location?.origin ?? "http://127.0.0.1",
  querySerializer: { array: { style: "form", explode: false } },
});
api.use(signed);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** What was answered. Throws `Problem`, whatever went wrong, and where a second person must agree first. */
export async function ok<T>(asked: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await asked;
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw noAnswer(error, true);
  }
  if (answer.response.status === 202 && isHeld(answer.data)) throw heldBack(answer.data);
  if (answer.response.ok) return answer.data as T;
  if (isProblemBody(answer.error)) {
    if (answer.response.status === 401) signedOut.set(answer.error.message);
    throw new Problem(answer.error);
  }
  throw foreign(answer.response.status, typeof answer.error === "string" ? answer.error : "");
}

const isHeld = (data: unknown): data is Schemas["Held"] => typeof data === "object" && data !== null && "approval_id" in data && "message" in data;

/** Nothing was done: somebody else must agree first. Every dialog says so where it says what failed. */
const heldBack = (held: Schemas["Held"]): Problem =>
  new Problem({ status: 202, code: "needs_second", message: `${held.approval_id}: ${held.message}`, retryable: false, reached_venue: "no" });

/** Why the key is no longer taken; "" while it is. */
export const signedOut = new Store<string>("");

/** An id for one command, kept by its retries. */
export function commandId(prefix = "web"): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `${prefix}-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
