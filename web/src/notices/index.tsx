import { go } from "../shell/routes";
import type { Screen } from "../shell/screens";

const to = (title: string, part: string, words: string) => ({ title, words, run: () => go(`#/notices/${part}`) });

export default {
  path: "notices",
  title: "Notices",
  letter: "n",
  order: 8,
  isAside: true,
  load: () => import("./Notices"),
  commands: [
    to("How you hear of things", "ways", "notifications preferences mail push quiet hours"),
    to("What was sent to you, and what came of it", "deliveries", "notifications log"),
  ],
} satisfies Screen;
