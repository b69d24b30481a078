import type { Screen } from "../shell/screens";

export default {
  path: "access",
  title: "Access",
  letter: "a",
  order: 6,
  load: () => import("./Access"),
} satisfies Screen;
