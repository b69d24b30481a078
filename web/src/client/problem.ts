/** What every error of the house says (RFC 9457), and what becomes of an answer that never came. */

export interface ProblemBody {
  type?: string;
  status: number;
  code: string;
  message: string;
  retryable: boolean;
  reached_venue: "no" | "yes" | "unknown";
  state?: Record<string, unknown>;
  request_id?: string;
  correlation_id?: string;
  details?: Record<string, unknown>;
}

const said = (value: unknown): string | null => (value === undefined || value === null || value === "" ? null : String(value));

export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly retryable: boolean;
  /** Whether the outside world may have acted. */
  readonly reached_venue: "no" | "yes" | "unknown";
  /** What is true now, where that is known. */
  readonly state: Record<string, unknown>;
  readonly request_id: string;
  readonly details: Record<string, unknown>;

  constructor(body: ProblemBody) {
    super(body.message);
    this.name = "Problem";
    this.status = body.status;
    this.code = body.code;
    this.retryable = body.retryable;
    this.reached_venue = body.reached_venue;
    this.state = body.state ?? {};
    this.request_id = body.request_id ?? "";
    this.details = body.details ?? {};
  }

  // A refusal by a measuring rule says these; decimals as text, with their unit.

  get rule(): string | null {
    return this.status === 409 ? this.code : null;
  }
  get unit(): string {
    return said(this.details.unit) ?? "";
  }
  get value(): string | null {
    return said(this.details.value);
  }
  get limit(): string | null {
    return said(this.details.limit);
  }
  get distance(): string | null {
    return said(this.details.distance);
  }
  /** The largest quantity that would have passed every rule. */
  get largest(): string | null {
    return said(this.details.order_qty_max ?? this.details.largest);
  }
}

/** Nobody answered: what was asked may have been done. */
export function noAnswer(error: unknown, changes: boolean): Problem {
  const why = error instanceof Error ? error.message : String(error);
  return new Problem({
    status: 0,
    code: "no_answer",
    message: `The house did not answer (${why}).`,
    retryable: true,
    reached_venue: changes ? "unknown" : "no",
  });
}

/** An answer that is not ours: a proxy's, or a server's that is starting. */
export function foreign(status: number, text: string): Problem {
  return new Problem({
    status,
    code: "foreign_answer",
    message: `The answer was ${status} and no word of the house: ${text.slice(0, 120)}`,
    retryable: status >= 500,
    reached_venue: "unknown",
  });
}

export const isProblemBody = (body: unknown): body is ProblemBody =>
  typeof body === "object" && body !== null && "code" in body && "message" in body && "status" in body;
