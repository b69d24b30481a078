import type { Screen } from "../shell/screens";

export default {
  path: "trade",
  title: "Trade",
  letter: "t",
  order: 1,
  scope: "orders:read",
  load: () => import("./Trade"),
} satisfies Screen;
