/** How a capture reaches the house: in pieces, each no longer than a request may be. */
import { api, ok, type Schemas } from "../client/api";

export type Capture = Schemas["CaptureLine"];
type Full = Schemas["CaptureReply"];

/** What `fondaco fix audit` says, of which a page shows the most telling. Times are nanoseconds. */
export interface Report {
  messages: number;
  garbled: number;
  octets: number;
  files: { name: string; format: string; packets: number; connections: number; snapped: number }[];
  sessions: {
    name: string;
    begin_string: string;
    state: string;
    messages: number;
    first_at: number;
    last_at: number;
    connections: number;
    resend_requests: number;
    rejects: number;
    latency: { count: number; p50: number; p99: number; longest: number; unanswered: number };
  }[];
  connections: { client: string; server: string; kind: string; messages: number; octets: number; lost: number; again: number; reordered: number; unparsed: number }[];
}

export const reportOf = (capture: Full): Report | null => (capture.report as Report | null) ?? null;

/** Bytes of one piece: as base64 four thirds of it, and a request may have a mebibyte. */
export const PIECE = 720_000;

export interface Piece {
  offset: number;
  end: number;
  more: boolean;
}

/** From where to where each piece goes; an empty file is one piece. */
export function pieces(octets: number, size = PIECE): Piece[] {
  const found: Piece[] = [];
  let offset = 0;
  do {
    const end = Math.min(octets, offset + size);
    found.push({ offset, end, more: end < octets });
    offset = end;
  } while (offset < octets);
  return found;
}

export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

/** Sends the file piece by piece; `onSent` is told how much of it the house has. Throws `Problem`. */
export async function upload(file: Blob & { name: string }, onSent: (share: number) => void): Promise<Capture> {
  let found: Capture | null = null;
  for (const { offset, end, more } of pieces(file.size)) {
    const content = base64(new Uint8Array(await file.slice(offset, end).arrayBuffer()));
    found = await ok(found
      ? api.POST("/api/fix/captures/{capture_id}/pieces", { params: { path: { capture_id: found.id } }, body: { offset, content, more } })
      : api.POST("/api/fix/captures", { body: { name: file.name.slice(-200) || "capture", content, more } }));
    onSent(file.size ? end / file.size : 1);
  }
  return found as Capture;
}
