import type { Screen } from "../shell/screens";

export default {
  path: "journal",
  title: "Journal",
  letter: "j",
  order: 3,
  scope: "journal:read",
  load: () => import("./Journal"),
} satisfies Screen;
