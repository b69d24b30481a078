/** What the house writes as a file, handed to the browser: asked for with the key of whoever is signed in. */
import { token } from "../client/api";
import { foreign, isProblemBody, noAnswer, Problem } from "../client/problem";

/** Throws `Problem`. */
export async function saveFrom(path: string, name: string): Promise<void> {
  let answer: Response;
  try {
    answer = await fetch(path, { headers: { authorization: `Bearer ${token.get()}` } });
  } catch (error) {
    throw noAnswer(error, false);
  }
  if (!answer.ok) {
    const body: unknown = await answer.json().catch(() => null);
    throw isProblemBody(body) ? new Problem(body) : foreign(answer.status, "");
  }
  hand(await answer.blob(), name);
}

/** A file that came as text. */
export function saveText64(text: string, name: string, type: string): void {
  hand(new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], { type }), name);
}

function hand(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
