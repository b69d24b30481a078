import { memo } from "react";

interface Look {
  shape: "sending" | "working" | "partial" | "suspended" | "filled" | "over" | "refused" | "unknown";
  word: string;
}

/** FIX OrdStatus (39) as shape and word; web/DESIGN.md has the table. */
export const STATUSES: Record<string, Look> = {
  sending: { shape: "sending", word: "Sending" },
  pending_new: { shape: "sending", word: "Pending new" },
  pending_cancel: { shape: "sending", word: "Pending cancel" },
  pending_replace: { shape: "sending", word: "Pending replace" },
  new: { shape: "working", word: "Working" },
  partially_filled: { shape: "partial", word: "Part filled" },
  suspended: { shape: "suspended", word: "Suspended" },
  filled: { shape: "filled", word: "Filled" },
  canceled: { shape: "over", word: "Canceled" },
  expired: { shape: "over", word: "Expired" },
  done_for_day: { shape: "over", word: "Done for day" },
  rejected: { shape: "refused", word: "Rejected" },
  refused: { shape: "refused", word: "Refused" },
  unknown: { shape: "unknown", word: "? Unknown" },
};

export const statusOf = (status: string): Look => STATUSES[status] ?? { shape: "working", word: status };

/** `filled` is the share that is filled, 0 to 1. */
export const StatusChip = memo(function StatusChip({ status, filled, reason }: { status: string; filled?: number; reason?: string | null }) {
  const { shape, word } = statusOf(status);
  const style = shape === "partial" && filled !== undefined ? { "--filled": `${Math.round(filled * 100)}%` } : undefined;
  return (
    <span className={`status ${shape}`} style={style as React.CSSProperties | undefined} title={reason ?? undefined}>
      <span>{word}</span>
    </span>
  );
});
