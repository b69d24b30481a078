/** To a provider of others, and back with a code that only this tab can use. */
import { api, ok, type Schemas } from "../client/api";
import { noAnswer, Problem } from "../client/problem";

const PROOF = "fondaco.proof";
const BACK = /^#\/signed-in\/([\w-]{1,200})$/;

const base64url = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

/** RFC 7636's S256: what the house is told now, so that the code is worth nothing without what stays in this tab. */
export async function challengeOf(proof: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(proof))));
}

export async function leaveFor(provider: Schemas["ProviderShown"]): Promise<void> {
  const proof = base64url(crypto.getRandomValues(new Uint8Array(32)));
  sessionStorage.setItem(PROOF, proof);
  location.assign(`${provider.start}?challenge=${await challengeOf(proof)}`);
}

/** The token of whoever comes back from a provider; "" for everybody else. Throws a `Problem`. */
export async function arrived(): Promise<string> {
  const code = BACK.exec(location.hash)?.[1];
  if (!code) return "";
  const proof = sessionStorage.getItem(PROOF) ?? "";
  sessionStorage.removeItem(PROOF);
  history.replaceState(null, "", location.pathname); // A code is used once, and not kept in the history.
  try {
    return (await ok(api.POST("/api/users/arrive", { body: { code, proof, cookie: false } }))).token ?? "";
  } catch (error) {
    throw error instanceof Problem ? error : noAnswer(error, false);
  }
}
