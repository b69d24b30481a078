/**
 * The screens that exist. A screen is a folder with an `index.tsx` that exports this by default; the rail, the
 * keys and the palette show what is found here and nothing else.
 *
 *     export default { path: "trade", title: "Trade", letter: "t", load: () => import("./Trade"), commands } satisfies Screen;
 *
 * `load` gives a module whose default export is a component that takes `ScreenProps`.
 */
import type { ComponentType, ReactNode } from "react";
import type { Route } from "./routes";

export interface Command {
  /** "Cancel all orders of BTC-USD": what it does, in the words of the page. */
  title: string;
  /** Keys as they are written: "Shift+A", "g t". Shown, listed under ?, and taken while the screen is shown. */
  keys?: string;
  /** Opens a dialog of its own, since it cannot be taken back; it never runs from the list. */
  danger?: boolean;
  /** Why it cannot be done now; absent or "": it can. */
  unless?: () => string;
  /** Only while trading keys are armed, or always. */
  run: () => void;
  /** Further words that find it. */
  words?: string;
}

export interface ScreenProps {
  route: Route;
}

export interface Screen {
  /** First part of the address: "trade" is #/trade. */
  path: string;
  title: string;
  /** g, then this. */
  letter: string;
  /** Place in the rail, from 1; the first that the caller may see is where the page begins. */
  order?: number;
  icon?: ReactNode;
  /** One comes to it from elsewhere: it has no place in the rail. */
  isAside?: boolean;
  /** A scope that it cannot do without. */
  scope?: string;
  load: () => Promise<{ default: ComponentType<ScreenProps> }>;
  commands?: readonly Command[];
}

const found = import.meta.glob<{ default: Screen }>("../*/index.tsx", { eager: true });

export const screens: readonly Screen[] = Object.values(found)
  .map((module) => module.default)
  .filter((screen) => screen?.path && screen.load)
  .sort((a, b) => (a.order ?? 99) - (b.order ?? 99) || a.title.localeCompare(b.title));

export const screenAt = (path: string): Screen | undefined => screens.find((screen) => screen.path === path);
