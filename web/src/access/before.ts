/** What a case that waits would change: how it is now, and how it would be. Asked of the house for each kind; pure where it compares. */
import { api, ok, type Schemas } from "../client/api";

export interface Change {
  name: string;
  now: string;
  then: string;
}

type Facts = Readonly<Record<string, unknown>>;
type Case = Schemas["ApprovalShown"];
const ASKED_MAX = 10;

interface Both {
  now: Facts;
  then: Facts;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** "a.b" by value, so that what lies deep is compared as well. What says nothing is left out. */
export function flat(facts: Facts, under = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(facts)) {
    const path = under ? `${under}: ${name}` : name;
    if (value === null || value === undefined || value === "") continue;
    if (Array.isArray(value)) found.set(path, value.map((each) => (typeof each === "object" ? JSON.stringify(each) : String(each))).join(", "));
    else if (typeof value === "object") for (const [deep, said] of flat(value as Facts, path)) found.set(deep, said);
    else found.set(path, String(value));
  }
  return found;
}

/** Only what differs; "" where there is nothing. */
export function changes({ now, then }: Both): Change[] {
  const before = flat(now);
  const after = flat(then);
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((name) => ({ name: name.replaceAll("_", " "), now: before.get(name) ?? "", then: after.get(name) ?? "" }))
    .filter((each) => each.now !== each.then);
}

const user = async (name: string): Promise<Schemas["UserShown"] | undefined> => (await ok(api.GET("/api/users"))).items.find((each) => each.user === name);
const plan = (name: string): Promise<Schemas["ErasurePlan"]> => ok(api.GET("/api/users/{user}/erasure", { params: { path: { user: name } } }));
const lines = (modules: Readonly<Record<string, string>>): Facts => Object.fromEntries(Object.entries(modules).map(([name, said]) => [name, `${said.split("\n").length} lines, ${said.length} characters`]));

/** As an account shows them that has none of its own. */
async function ofTheHouse(): Promise<Facts> {
  const { items } = await ok(api.GET("/api/accounts", { params: { query: { limit: ASKED_MAX } } }));
  for (const { account_id } of items) {
    const found = await ok(api.GET("/api/risk/limits", { params: { query: { account_id } } }));
    if (!found.own) return { ...found.limits };
  }
  return {};
}

const ASK: Readonly<Record<string, (request: Facts) => Promise<Both>>> = {
  "trading.set_account_limits": async (request) => {
    const found = await ok(api.GET("/api/risk/limits", { params: { query: { account_id: text(request.account_id) } } }));
    return { now: { ...found.limits, whose: found.own ? "its own" : "the house's" }, then: request.limits ? { ...(request.limits as Facts), whose: "its own" } : { whose: "the house's" } };
  },
  "risk.set_limits": async (request) => ({ now: await ofTheHouse(), then: request.limits as Facts }),
  "identity.set_roles": async (request) => ({ now: { roles: (await user(text(request.user)))?.roles ?? [] }, then: { roles: request.roles } }),
  "identity.create_service_account": async (request) => ({ now: { roles: (await user(text(request.user)))?.roles ?? "" }, then: { roles: request.roles, "whose keys are made by": request.owner } }),
  "identity.reset_second_factor": async (request) => {
    const found = await user(text(request.user));
    return { now: { "second factor": found?.second_factor ? "set" : "none", sessions: found?.sessions }, then: { "second factor": "none", sessions: 0 } };
  },
  "identity.erase_person": async (request) => {
    const found = await plan(text(request.user));
    return { now: Object.fromEntries(found.places.map((each) => [each.what, each.count])), then: Object.fromEntries(found.places.map((each) => [each.what, { destroyed: "destroyed", unreadable: "read by nobody", kept: String(each.count) }[each.fate]])) };
  },
  "identity.hold_person": async (request) => ({ now: { hold: (await plan(text(request.user))).hold || "none" }, then: { hold: `until ${new Date(Number(request.until) / 1e6).toISOString().slice(0, 10)}` } }),
  "identity.lift_hold": async (request) => ({ now: { hold: (await plan(text(request.user))).hold || "none" }, then: { hold: "none" } }),
  "identity.rotate_signing_key": async (request) => {
    const { keys } = (await (await fetch("/.well-known/jwks.json")).json()) as { keys: { kid: string; alg: string }[] };
    return { now: { "signs with": keys.find((each) => each.alg === request.alg)?.kid ?? "no key yet" }, then: { "signs with": "a new key; the old one verifies for another day" } };
  },
  "partners.define_tier": async (request) => ({ now: { ...(await ok(api.GET("/api/partner-tiers"))).items.find((each) => each.tier === request.tier) }, then: request }),
  "partners.set_tier": async (request) => ({ now: { tier: (await ok(api.GET("/api/partners"))).items.find((each) => each.tenant === request.tenant)?.tier ?? "none" }, then: { tier: request.tier ?? "none" } }),
  "policy.publish": async (request) => {
    const found = await ok(api.GET("/api/policy"));
    return { now: { version: found.version, ...lines(found.modules) }, then: { version: found.version + 1, ...lines((request.modules ?? {}) as Readonly<Record<string, string>>) } };
  },
  "policy.rollback": async (request) => ({ now: { version: (await ok(api.GET("/api/policy"))).version }, then: { version: request.version === 0 ? "the house's rules alone" : request.version } }),
  "fix.set_sequence": async (request) => {
    const found = await ok(api.GET("/api/fix/session", { params: { query: { session: text(request.session) } } }));
    return { now: { next_out: found.next_out, next_in: found.next_in }, then: { next_out: request.next_out, next_in: request.next_in } };
  },
  // To read the case would be noted in the journal, each time this page is.
  "kyc.clear_hit": (request) => Promise.resolve({ now: { hit: "open" }, then: { hit: `another person, by ${text(request.basis).replaceAll("_", " ")}` } }),
  "kyc.publish_questionnaire": async (request) => {
    const found = await ok(api.GET("/api/risk-assessment/questionnaire"));
    return { now: { version: found.version, questions: found.questions.map((each) => each.question) }, then: { version: found.version + 1, questions: ((request.questions ?? []) as { question: string }[]).map((each) => each.question) } };
  },
};

/** Null for a kind that changes nothing that was there. Throws a `Problem`. */
export async function changesOf({ operation, request }: Pick<Case, "operation" | "request">): Promise<Change[] | null> {
  const ask = ASK[operation];
  return ask ? changes(await ask(request)) : null;
}
