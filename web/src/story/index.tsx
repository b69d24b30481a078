import type { Screen } from "../shell/screens";

export default {
  path: "order",
  title: "Order",
  letter: "o",
  order: 2,
  scope: "orders:read",
  load: () => import("./Story"),
} satisfies Screen;
