import { go } from "../shell/routes";
import type { Screen } from "../shell/screens";

const to = (title: string, part: string, words: string) => ({ title, words, run: () => go(`#/access/${part}`) });

export default {
  path: "access",
  title: "Access",
  letter: "a",
  order: 6,
  load: () => import("./Access"),
  commands: [
    to("What waits for a second person", "approvals", "approve four eyes inbox"),
    to("Keys and service accounts", "keys", "token rotate revoke"),
    to("You: devices, passkeys, second factor", "you", "session totp password sign out"),
    to("Who you are: documents and risk", "papers", "kyc profile questionnaire"),
    to("My data: take it, or be forgotten", "my-data", "export delete gdpr privacy"),
    to("Agents and their budgets", "agents", "mcp stop"),
    to("People and roles", "people", "users rights erase hold invite lock unlock"),
    to("Policies, decisions and what-if", "policies", "rego rules denied"),
    to("Audit", "audit", "denials privileged acts export"),
    to("Know your customer: the queue", "kyc", "sanctions screening documents"),
    to("Webhooks and their log", "webhooks", "deliveries replay"),
    to("Applications", "applications", "oauth consent client"),
  ],
} satisfies Screen;
