/** A document in pieces that the house takes, each with where it belongs and what the whole is. */

export const PIECE = 700_000;
const STEP = 32_768; // of what a call may take as arguments

export interface Piece {
  content: string;
  size: number;
  offset: number;
  sha256: string;
}

export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += STEP) text += String.fromCharCode(...bytes.subarray(at, at + STEP));
  return btoa(text);
}

export async function* pieces(bytes: Uint8Array<ArrayBuffer>): AsyncGenerator<Piece> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const sha256 = [...digest].map((each) => each.toString(16).padStart(2, "0")).join("");
  for (let offset = 0; offset < bytes.length; offset += PIECE) yield { content: base64(bytes.subarray(offset, offset + PIECE)), size: bytes.length, offset, sha256 };
}
