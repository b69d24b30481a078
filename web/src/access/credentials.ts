/** What a page hands to `navigator.credentials`, and what comes back: bytes there, base64url here. */
import { api, ok, type Schemas } from "../client/api";
import { DEVICE, deviceName, keep, read } from "./device";

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

export function textOf(bytes: ArrayBuffer | Uint8Array): string {
  let plain = "";
  for (const byte of new Uint8Array(bytes)) plain += String.fromCharCode(byte);
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

type Told = Record<string, unknown>;
const named = (found: unknown): PublicKeyCredentialDescriptor[] =>
  ((found ?? []) as { id: string; type: "public-key" }[]).map((each) => ({ ...each, id: bytesOf(each.id) }));

export function creating(options: Told): PublicKeyCredentialCreationOptions {
  const user = options.user as { id: string; name: string; displayName: string };
  return {
    ...(options as unknown as PublicKeyCredentialCreationOptions),
    challenge: bytesOf(options.challenge as string),
    user: { ...user, id: bytesOf(user.id) },
    excludeCredentials: named(options.excludeCredentials),
  };
}

export const asking = (options: Told): PublicKeyCredentialRequestOptions => ({
  ...(options as unknown as PublicKeyCredentialRequestOptions),
  challenge: bytesOf(options.challenge as string),
  allowCredentials: named(options.allowCredentials),
});

export const canPasskey = (): boolean => typeof globalThis.PublicKeyCredential === "function";

/** Where passkeys of a house are good: its name, and what is below it. */
export const isAt = (host: string, name: string): boolean => host === name || host.endsWith(`.${name}`);

/** Why the browser made none, in words. */
export function whyNot(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return "Nothing was confirmed: the browser's question was closed, or its time was over.";
  if (name === "InvalidStateError") return "This device has a passkey of yours already.";
  if (name === "SecurityError") return "The browser makes no passkey for this address.";
  return error instanceof Error ? error.message : String(error);
}

/** Makes one on this device. Throws `Problem`, or what the browser says. */
export async function add(password: string, name: string): Promise<Schemas["AddedPasskey"]> {
  const { handle, options } = await ok(api.POST("/api/users/passkeys/begin", { body: { password } }));
  const made = (await navigator.credentials.create({ publicKey: creating(options as Told) })) as PublicKeyCredential;
  const answer = made.response as AuthenticatorAttestationResponse;
  const key = answer.getPublicKey();
  if (!key) throw new Error("The browser does not say the key that it made.");
  return ok(api.POST("/api/users/passkeys", { body: {
    handle, name: name || deviceName(navigator.userAgent),
    client_data_json: textOf(answer.clientDataJSON), authenticator_data: textOf(answer.getAuthenticatorData()), public_key: textOf(key),
  } }));
}

/** The token of a session. Throws `Problem`, or what the browser says. */
export async function signInWith(): Promise<string> {
  const { handle, options } = await ok(api.POST("/api/users/passkeys/ask", {}));
  const name = (options as Told).rpId as string;
  if (!isAt(location.hostname, name)) throw new Error(`Passkeys of this house belong to ${name}: open it there, as ${location.protocol}//${name}${location.port && `:${location.port}`}.`);
  const found = (await navigator.credentials.get({ publicKey: asking(options as Told) })) as PublicKeyCredential;
  const answer = found.response as AuthenticatorAssertionResponse;
  const place = `${DEVICE} passkey/${textOf(found.rawId)}`;
  const reply = await ok(api.POST("/api/users/passkeys/login", { body: {
    handle, device: read(place), credential_id: textOf(found.rawId), client_data_json: textOf(answer.clientDataJSON), authenticator_data: textOf(answer.authenticatorData),
    signature: textOf(answer.signature), device_name: deviceName(navigator.userAgent), cookie: false,
  } }));
  keep(place, reply.device ?? "");
  return reply.token ?? "";
}
