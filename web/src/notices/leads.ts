/** Where the pages show what a notice is about. */
import { address } from "../shell/routes";

const SHOWN: Readonly<Record<string, (id: string) => readonly [path: string, ...parts: string[]]>> = {
  account: () => ["trade"],
  alert: (id) => ["fix", "alerts", id],
  approval: () => ["access", "approvals"],
  assessment: (id) => ["prop", "now", id],
  case: (id) => ["access", "kyc", id],
  house: () => ["house"],
  keys: () => ["access", "keys"],
  order: (id) => ["order", id],
  papers: () => ["access", "papers"],
  purchase: (id) => ["prop", "bought", id],
  report: (id) => ["prop", "reports", id],
  webhook: (id) => ["access", "webhooks", id],
  you: () => ["access", "you"],
};

/** The address of "order/demo.57" or "you"; of what no page shows, that of its entry in the journal; "" of nothing. */
export function leadsTo(found: { leads_to?: string; position?: number }, account: string): string {
  const [what = "", ...rest] = (found.leads_to ?? "").split("/");
  const id = rest.join("/");
  const show = Object.hasOwn(SHOWN, what) ? SHOWN[what] : undefined;
  if (show) {
    const [path, ...parts] = show(id);
    return address(path, parts.filter(Boolean), { account: what === "account" ? id : account });
  }
  return found.position ? address("journal", [], { account, entry: String(found.position) }) : "";
}
