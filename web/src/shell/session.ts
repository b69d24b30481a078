/** Who is signed in to which house, with which account: what the whole page follows. */
import { api, ok, type Schemas, signedOut, token } from "../client/api";
import { noAnswer, Problem } from "../client/problem";
import { arrived } from "../access/arriving";
import { invitation } from "../access/invitation";
import { Store, useStore } from "../kit/store";
import { forget } from "./last";
import { connect, disconnect, follow } from "../live/link";
import { keepFresh } from "../live/refresh";
import { accountStore, clockOffset, forgetAccounts } from "../live/stores";

export type Welcome = Schemas["Welcome"];
export type Session = Schemas["SessionReply"];
export type Account = Schemas["AccountLine"];

export type Phase = "starting" | "sign-in" | "in" | "offline";
export const phase = new Store<Phase>("starting");
export const welcome = new Store<Welcome | null>(null);
export const session = new Store<Session | null>(null);
export const accounts = new Store<readonly Account[]>([]);
/** The account of every panel; "" before there is one. */
export const accountId = new Store<string>("");
export const instruments = new Store<readonly Schemas["InstrumentReply"][]>([]);
/** Why the page cannot be used yet: said on the sign-in page, before anything is typed. */
export const trouble = new Store<Problem | null>(null);

const CHOSEN = "fondaco.account";
let stopFresh: (() => void) | null = null;

export const may = (scope: string): boolean => session.get()?.scopes.includes(scope) ?? false;
export const useAccountId = (): string => useStore(accountId);
export const useSession = (): Session | null => useStore(session);
export const useWelcome = (): Welcome | null => useStore(welcome);
export const useInstruments = (): readonly Schemas["InstrumentReply"][] => useStore(instruments);
export const instrument = (symbol: string): Schemas["InstrumentReply"] | undefined =>
  instruments.get().find((each) => each.symbol === symbol);

/** Ask which house this is, and go in with the key that is at hand. */
export async function start(): Promise<void> {
  try {
    await greet();
  } catch (error) {
    trouble.set(error instanceof Problem ? error : noAnswer(error, false));
    phase.set(token.get() ? "offline" : "sign-in");
    return;
  }
  if (invitation(location.hash)) {
    phase.set("sign-in"); // Whoever is signed in here may be somebody else.
    return;
  }
  let back = "";
  try {
    back = await arrived();
  } catch (error) {
    signedOut.set(error instanceof Problem ? error.message : "it did not go on from there");
    phase.set("sign-in");
    return;
  }
  const key = back || token.get() || (sessionStorage.getItem(LEFT) ? "" : (welcome.get()?.token ?? ""));
  if (!key) {
    phase.set("sign-in");
    return;
  }
  const problem = await signIn(key);
  if (problem) {
    trouble.set(problem.status === 401 ? null : problem);
    if (problem.status === 401) token.set("");
    phase.set(problem.status === 0 ? "offline" : "sign-in");
  }
}

/** Which house answers, and what its clock says. */
export async function greet(): Promise<Welcome> {
  const asked = Date.now();
  const found = await ok(api.GET("/api/welcome"));
  const answered = Date.now();
  clockOffset.set(Number(BigInt(found.at) / 1_000_000n) - (asked + answered) / 2);
  welcome.set(found);
  trouble.set(null);
  return found;
}

/** Null where it went well. */
export async function signIn(key: string): Promise<Problem | null> {
  const before = token.get();
  token.set(key.trim());
  try {
    session.set(await ok(api.GET("/api/session")));
    const [found, listed] = await Promise.all([ok(api.GET("/api/accounts", { params: { query: { limit: 1000 } } })), ok(api.GET("/api/instruments"))]);
    accounts.set(found.items);
    instruments.set(listed.items);
  } catch (error) {
    token.set(before);
    signedOut.set("");
    return error instanceof Problem ? error : noAnswer(error, false);
  }
  sessionStorage.removeItem(LEFT);
  signedOut.set("");
  choose(chosenAccount(found(CHOSEN)));
  connect(token.get(), may("orders:read"));
  phase.set("in");
  return null;
}

const LEFT = "fondaco.left";

/** The key leaves this tab, and so does everything that was kept for being offline. */
export async function signOut(): Promise<void> {
  disconnect();
  stopFresh?.();
  stopFresh = null;
  // It ends by itself, too.
  const ended = session.get()?.caller.includes("/~") ? await ok(api.POST("/api/users/logout", {})).catch(() => undefined) : undefined;
  token.set("");
  session.set(null);
  accounts.set([]);
  accountId.set("");
  forgetAccounts();
  sessionStorage.setItem(LEFT, "yes");
  await forget();
  phase.set("sign-in");
  if (ended?.sign_out_at) location.assign(ended.sign_out_at); // And where one signed in.
}

function found(name: string): string {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

function chosenAccount(last: string): string {
  const asked = new URLSearchParams(location.hash.split("?")[1] ?? "").get("account");
  const ids = accounts.get().map((account) => account.account_id);
  return [asked, last, "demo"].find((id): id is string => id !== null && ids.includes(id)) ?? ids[0] ?? "";
}

/** Every panel shows this account from now on. */
export function choose(account_id: string): void {
  if (account_id === accountId.get() && stopFresh) return;
  stopFresh?.();
  stopFresh = null;
  accountId.set(account_id);
  if (!account_id) return;
  try {
    localStorage.setItem(CHOSEN, account_id);
  } catch {
    // It is chosen for as long as the page is open.
  }
  accountStore(account_id);
  follow([account_id]);
  stopFresh = keepFresh(account_id);
}

/** Orders, holds and reference data that another has changed meanwhile. */
export async function readInstruments(): Promise<void> {
  instruments.set((await ok(api.GET("/api/instruments"))).items);
}
