import type { Screen } from "../shell/screens";

export default {
  path: "house",
  title: "House",
  letter: "h",
  order: 4,
  scope: "house:read",
  load: () => import("./House"),
} satisfies Screen;
