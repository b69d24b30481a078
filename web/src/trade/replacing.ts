/** What the house would say of new terms, asked while an order is dragged. */
import { useEffect, useMemo, useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { number } from "../kit/format";
import type { Drag } from "./drag";
import { plain, type Units } from "./units";
import { ruleWord } from "./Verdict";
import { Questions, type Verdict } from "./verdict";

export interface Terms {
  orderId: string;
  field: "price" | "stop_px";
  px: string;
}

export type Judgement = Pick<Schemas["ReplaceValidationReply"], "accepted" | "cancels" | "reasons">;

async function ask({ orderId, field, px }: Terms): Promise<Judgement> {
  const body = { order_id: orderId, [field]: px } as Schemas["ValidateReplaceRequest"];
  return ok(api.POST("/api/risk/validate/replace", { body }));
}

/** In a few words, for the place beside the ghost. */
export function told(verdict: Verdict<Judgement>): { text: string; isRefused: boolean } {
  if (verdict.at === "asking") return { text: "checking", isRefused: false };
  if (verdict.at === "failed") return { text: "not checked", isRefused: false };
  if (verdict.at === "none") return { text: "", isRefused: false };
  const { accepted, cancels, reasons } = verdict.found;
  if (accepted) return { text: cancels ? "would cancel it" : "passes", isRefused: false };
  const reason = reasons[0];
  const over = reason?.distance ? `, over by ${number(reason.distance)} ${reason.unit ?? ""}` : "";
  return { text: `would be refused: ${ruleWord(reason?.reason ?? "")}${over}`.trimEnd(), isRefused: true };
}

/** One question at a time, about where the ghost has come to rest. */
export function useJudgement(now: Drag, units: Units): { text: string; isRefused: boolean } {
  const [, setCount] = useState(0);
  const questions = useMemo(() => new Questions<Terms, Judgement>(ask, () => setCount((count) => count + 1)), []);
  const [orderId, field, px] = now.at === "moving" ? [now.order.orderId, now.order.field, plain(units.px(now.to))] : [null, null, null];
  useEffect(() => {
    questions.about(orderId === null || field === null || px === null ? null : { orderId, field, px });
  }, [questions, orderId, field, px]);
  return told(questions.verdict);
}
