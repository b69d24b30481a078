import { go } from "../shell/routes";
import type { Screen } from "../shell/screens";

const to = (title: string, part: string, words: string) => ({ title, words, run: () => go(`#/prop/${part}`) });

export default {
  path: "prop",
  title: "Prop",
  letter: "e",
  order: 7,
  load: () => import("./Prop"),
  commands: [
    to("Shop: tiers, their rules and odds", "shop", "evaluation buy challenge compare"),
    to("Tiers: texts, what is wrong with one, versions", "tiers", "editor lint define publish"),
  ],
} satisfies Screen;
