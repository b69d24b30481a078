/** A line of the decision log, as OPA writes it, in the words of a page. Pure. */

export interface Decided {
  id: string;
  at: string;
  revision: string;
  caller: string;
  operation: string;
  scope: string;
  about: string;
  door: string;
  address: string;
  allow: boolean;
  reasons: string[];
  raw: unknown;
}

type Node = Record<string, unknown>;
const node = (value: unknown): Node => (typeof value === "object" && value !== null ? (value as Node) : {});
const text = (value: unknown): string => (typeof value === "string" || typeof value === "number" ? String(value) : "");

export function decided(raw: unknown): Decided {
  const line = node(raw);
  const input = node(line.input);
  const [subject, action, resource, environment, result] = [node(input.subject), node(input.action), node(input.resource), node(input.environment), node(line.result)];
  const about = ["account", "instrument", "notional"].flatMap((name) => (text(resource[name]) ? [`${name} ${text(resource[name])}`] : []));
  const bundle = node(Object.values(node(line.bundles))[0]);
  const reasons = Array.isArray(result.reasons) ? result.reasons : [];
  return {
    id: text(line.decision_id), at: text(line.timestamp), revision: text(bundle.revision),
    caller: text(subject.caller), operation: text(action.operation), scope: text(action.scope), about: about.join(", "),
    door: text(environment.door), address: text(environment.address),
    allow: result.allow === true, reasons: reasons.map((each) => text(node(each).text) || text(node(each).code)).filter(Boolean), raw,
  };
}
