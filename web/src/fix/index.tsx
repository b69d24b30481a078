import type { Screen } from "../shell/screens";

export default {
  path: "fix",
  title: "FIX",
  letter: "f",
  order: 5,
  scope: "house:read",
  load: () => import("./Fix"),
} satisfies Screen;
