import { memo } from "react";

/** Quality of a book, as shape and word. What is well shows nothing. */
export const QUALITIES: Record<string, { word: string; path: string }> = {
  stale: { word: "STALE", path: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2M8 5v3l2 2" },
  gapped: { word: "GAPPED", path: "M1 8h5M10 8h5M6 5v6M10 5v6" },
  crossed: { word: "CROSSED", path: "M3 3l10 10M13 3L3 13" },
  recovering: { word: "RECOVERING", path: "M8 2a6 6 0 1 1-6 6M2 4v4h4" },
  closed: { word: "CLOSED", path: "M4 7h8v6H4zM6 7V5a2 2 0 0 1 4 0v2" },
  unconfirmed: { word: "UNCONFIRMED", path: "M5 6a3 3 0 1 1 3 3v2M8 13v1" },
  missing: { word: "NO BOOK", path: "M3 3h10v10H3zM3 13L13 3" },
};

export const QualityBadge = memo(function QualityBadge({ quality, age }: { quality: string | null | undefined; age?: string | null }) {
  if (!quality || quality === "ok") return null;
  const { word, path } = QUALITIES[quality] ?? { word: quality.toUpperCase(), path: "" };
  return (
    <span className="quality">
      <svg viewBox="0 0 16 16" aria-hidden="true"><path d={path} /></svg>
      {word}
      {age ? ` ${age}` : ""}
    </span>
  );
});

/** What this market is: shown in the header, and as a watermark over charts and ladders. */
export type Environment = "live" | "paper" | "replay" | "synthetic" | "none";

export const environmentWord = (environment: Environment, speed?: string): string =>
  environment === "replay" && speed ? `REPLAY ${speed}×` : environment === "none" ? "NO FEED" : environment.toUpperCase();

export function Ribbon({ environment, speed }: { environment: Environment; speed?: string }) {
  return <span className={`ribbon ${environment}`}>{environmentWord(environment, speed)}</span>;
}

export function Watermark({ environment, speed }: { environment: Environment; speed?: string }) {
  if (environment !== "replay" && environment !== "synthetic") return null;
  return <span className="watermark" aria-hidden="true" data-word={environmentWord(environment, speed)} />;
}
