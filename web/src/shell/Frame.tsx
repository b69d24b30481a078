import { Component, lazy, type ReactNode, Suspense, useEffect, useMemo, useState } from "react";
import { Problem } from "../client/problem";
import { ErrorPanel, Loading, NoRight } from "../kit/states";
import { useAsked } from "../kit/asked";
import { dayTime } from "../kit/format";
import { change, prefs } from "../kit/prefs";
import { loudest, play, soundOf } from "../kit/sound";
import { useStore } from "../kit/store";
import { toggleBell } from "../notices/bell";
import { accountStore, connectionStore, movedStore } from "../live/stores";
import { AwayNote, ConnectionLine, PastLine } from "./Connection";
import { LOOK_MS, readClock } from "./clock";
import { Header } from "./Header";
import { Icon } from "./icons";
import { KeysDialog } from "./KeysDialog";
import { listen, provide } from "./keys";
import { choose, layouts } from "./layouts";
import { Palette } from "./Palette";
import { focusFilter, nextPanel } from "./panels";
import { Settings } from "./Settings";
import { address, current, go, useRoute } from "./routes";
import { type Command, type Screen, screenAt, screens } from "./screens";
import { may, signOut, useAccountId, useInstruments, useSession } from "./session";

type Shown = "palette" | "keys" | "settings" | null;
const NARROW = "(max-width: 599px)";

export function Frame() {
  const route = useRoute();
  const who = useSession();
  const account = useAccountId();
  const [shown, setShown] = useState<Shown>(null);
  const screen = screenAt(route.path) ?? home();
  useShellCommands(setShown);
  useSounds(account);

  useEffect(() => {
    if (screen && !screenAt(route.path)) go(address(screen.path, [], { account }), true);
  }, [screen, route.path, account]);
  useEffect(() => {
    if (screen && account && route.query.account !== account) go(address(screen.path, route.parts, { ...route.query, account }), true);
    // The address follows the account that was chosen; another way in is `chosenAccount`.
  }, [account]);

  return (
    <div className="frame">
      <a className="skip" href="#screen" onClick={(event) => { event.preventDefault(); document.getElementById("screen")?.focus(); }}>To the screen</a>
      <Header onPalette={() => setShown("palette")} onSettings={() => setShown("settings")} onKeys={() => setShown("keys")} />
      <div className="lines"><LentLine /><PastLine /><ConnectionLine /><AwayNote /></div>
      <Rail screen={screen} account={account} />
      <main id="screen" tabIndex={-1} aria-label={screen?.title}>
        {screen ? <Shell key={screen.path} screen={screen} /> : <p className="state">This page has no screens yet. The house answers at <a href="/docs">/docs</a>.</p>}
      </main>
      {who && <MovedTime />}
      {who && shown === "palette" && <Palette onClose={() => setShown(null)} />}
      {shown === "keys" && <KeysDialog onClose={() => setShown(null)} />}
      {shown === "settings" && <Settings onClose={() => setShown(null)} />}
    </div>
  );
}

/** In a sandbox every page says that its time is not everybody's. */
function MovedTime() {
  const { data, problem } = useAsked("clock", readClock);
  const now = useAsked(data?.is_sandbox ? "clock of a sandbox" : "", readClock, LOOK_MS).data ?? data;
  const stands = now ? (now.is_sandbox ? now.now : null) : problem ? null : undefined;
  useEffect(() => movedStore.set(stands ? BigInt(stands) : stands === null ? null : undefined), [stands]);
  if (!now?.is_sandbox) return null;
  const said = { ready: "and stands still", advancing: "and is being moved", failed: "and stands still, since something could not be done", live: "" }[now.state];
  return <p className="moved-time" role="note"><a href={address("prop", ["clock"])}>Sandbox: it is {dayTime(BigInt(now.now))} here, {said}</a></p>;
}

/** Glass that was broken to act in somebody else's name is seen on every page, by whoever does. */
function LentLine() {
  const who = useSession();
  if (!who?.behind) return null;
  return <p className="line lent" role="status">You act as {who.caller.split("/")[0]}, and are {who.behind}: everything you do is told, and somebody else reviews it.</p>;
}

/** Whatever screen is in view; the settings say whether anything is heard. */
function useSounds(account: string): void {
  useEffect(() => (account ? accountStore(account).onEvents((events) => play(loudest(events.map(soundOf)))) : undefined), [account]);
  useEffect(() => {
    let was = connectionStore.get().state;
    return connectionStore.subscribe(() => {
      const { state } = connectionStore.get();
      if (state === "cut" && was !== "cut") play("cut");
      was = state;
    });
  }, []);
}

/** Where the page begins: each role on its own screen, where that one is here. */
function home(): Screen | undefined {
  const allowed = screens.filter((screen) => !screen.scope || may(screen.scope));
  const wanted = may("orders:write") ? "trade" : may("house:write") ? "house" : "trade";
  return allowed.find((screen) => screen.path === wanted) ?? allowed[0] ?? screens[0];
}

function Rail({ screen, account }: { screen: Screen | undefined; account: string }) {
  return (
    <nav className="rail" aria-label="Screens">
      {screens.filter((each) => !each.isAside).map((each) => (
        <a key={each.path} href={address(each.path, [], { account })} aria-current={each === screen ? "page" : undefined} title={`${each.title} (g ${each.letter})`}>
          {each.icon ?? <Icon name={each.path} />}
          <span>{each.title}</span>
        </a>
      ))}
    </nav>
  );
}

function Shell({ screen }: { screen: Screen }) {
  const route = useRoute();
  const Body = useMemo(() => lazy(screen.load), [screen]);
  useEffect(() => (screen.commands ? provide(screen.title, screen.commands) : undefined), [screen]);
  if (screen.scope && !may(screen.scope)) return <NoRight scope={screen.scope} />;
  return (
    <Guard key={screen.path}>
      <Suspense fallback={<Loading rows={12} waitsFor={`Loading ${screen.title}`} />}>
        <Body route={route} />
      </Suspense>
    </Guard>
  );
}

/** What a screen throws stays in the screen. */
class Guard extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };
  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }
  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    const said = error instanceof Error ? error.message : String(error);
    const problem = error instanceof Problem ? error : new Problem({ status: 0, code: "page", message: `This screen stopped: ${said}`, retryable: true, reached_venue: "no" });
    return <ErrorPanel problem={problem} retry={() => this.setState({ error: null })} />;
  }
}

function useShellCommands(show: (shown: Shown) => void): void {
  const account = useAccountId();
  const listed = useInstruments();
  const { active, named } = useStore(layouts);
  const found = useMemo((): Command[] => {
    const goTo = screens.map((each): Command => ({ title: `Go to ${each.title}`, keys: `g ${each.letter}`, run: () => go(address(each.path, [], { account })) }));
    const layoutOnes = Object.keys(named).slice(0, 9).map((name, nth): Command => ({ title: `Layout ${name}`, keys: `g ${nth + 1}`, unless: () => (name === active ? "shown now" : ""), run: () => choose(name) }));
    return [
      { title: "Find or do", keys: "Ctrl+K", run: () => show("palette") },
      { title: "Keys of this screen", keys: "?", run: () => show("keys") },
      ...goTo,
      ...layoutOnes,
      { title: "Filter of this panel", keys: "/", run: focusFilter },
      { title: "Next panel", keys: "Ctrl+F6", run: () => nextPanel(1) },
      { title: "Previous panel", keys: "Ctrl+Shift+F6", run: () => nextPanel(-1) },
      { title: "Next instrument", keys: "]", run: () => step(listed.map((each) => each.symbol), 1) },
      { title: "Previous instrument", keys: "[", run: () => step(listed.map((each) => each.symbol), -1) },
      { title: "Notices: open or close the bell", keys: "Shift+N", words: "unread told", run: toggleBell },
      { title: "Settings", run: () => show("settings"), words: "theme density colours numbers zone confirm layout" },
      { title: "Dark or light", run: () => change({ theme: document.documentElement.dataset.theme === "dark" ? "light" : "dark" }) },
      { title: "Dense or comfortable", run: () => change({ density: prefs.get().density === "dense" ? "comfortable" : "dense" }) },
      { title: "Sign out", run: () => void signOut() },
    ];
  }, [show, account, listed, active, named]);
  useEffect(() => provide("Everywhere", found), [found]);
  useEffect(listen, []);
}

/** Moves the symbol of the address; on a screen without one, goes to Trade. */
function step(symbols: readonly string[], by: 1 | -1): void {
  if (!symbols.length) return;
  const { path, parts, query } = current();
  const at = symbols.indexOf(parts[0] ?? "");
  const next = symbols[(at + by + symbols.length) % symbols.length] as string;
  go(address(screenAt(path) ? path : "trade", [next], query), true);
}
export const isNarrow = (): boolean => matchMedia(NARROW).matches;
