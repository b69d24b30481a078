/** How a session's timeline is drawn. Pure. */
import type { Schemas } from "../client/api";
import { lasted, ms } from "../kit/format";

export type Told = Schemas["fondaco.domain.fix.looking.TimelineReply"];
export type Mark = Schemas["SessionMark"];

export const MARKS: Record<Mark["kind"], { glyph: string; word: string }> = {
  logon: { glyph: "▸", word: "logon" },
  logout: { glyph: "◂", word: "logout" },
  reject: { glyph: "✕", word: "reject" },
  resend: { glyph: "↻", word: "resend asked" },
  reset: { glyph: "↺", word: "sequence reset" },
  alert: { glyph: "!", word: "alert" },
};

export interface Beats {
  /** Bars above and below the line, as SVG paths; each bucket is one wide. */
  above: string;
  below: string;
  most: number;
  received: number;
  sent: number;
  /** How long a bucket is. */
  wide: string;
}

/** Empty buckets are left out of the answer: nothing is drawn there. Any message is at least a pixel high. */
export function beats(told: Told, count: number, height: number): Beats {
  const most = Math.max(1, ...told.buckets.map(({ received, sent }) => Math.max(received, sent)));
  const first = ms(told.after);
  let [above, below, received, sent] = ["", "", 0, 0];
  for (const each of told.buckets) {
    received += each.received;
    sent += each.sent;
    const nth = Math.min(count - 1, Math.max(0, Math.round((ms(each.at) - first) / told.bucket_ms)));
    const tall = (of: number): number => Math.max(1, Math.round((of / most) * (height - 2)));
    if (each.received) above += `M${nth} ${height - 1}v-${tall(each.received)}h.8v${tall(each.received)}z`;
    if (each.sent) below += `M${nth} ${height + 1}v${tall(each.sent)}h.8v-${tall(each.sent)}z`;
  }
  return { above, below, most, received, sent, wide: lasted(told.bucket_ms * 1e6) };
}

/** Marks with their share of the time shown, 0 to 1: in each hundred-and-twentieth one of a kind, none from outside. */
export function placed(told: Told, places = 120): { mark: Mark; share: number }[] {
  const [from, to] = [ms(told.after), ms(told.before)];
  const found = new Map<string, { mark: Mark; share: number }>();
  for (const mark of told.marks) {
    const share = (ms(mark.at) - from) / (to - from);
    if (share >= 0 && share <= 1) found.set(`${Math.floor(share * places)} ${mark.kind}`, { mark, share });
  }
  return [...found.values()];
}
