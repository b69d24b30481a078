import "./kit/tokens.css";
import "./kit/base.css";
import "./kit/kit.css";
import "./shell/shell.css";
import { StrictMode, useEffect } from "react";
import { createRoot } from "react-dom/client";
import { signedOut } from "./client/api";
import { applyPrefs } from "./kit/prefs";
import { useStore } from "./kit/store";
import { connectionStore } from "./live/stores";
import { Frame } from "./shell/Frame";
import { syncSettings } from "./shell/kept";
import { readLayouts } from "./shell/layouts";
import { Offline } from "./shell/Offline";
import { install, keepLast } from "./shell/offline";
import { greet, phase, start } from "./shell/session";
import { SignIn } from "./shell/SignIn";
import { BuildNote } from "./shell/Build";

function Page() {
  const now = useStore(phase);
  useEffect(() => {
    if (now !== "in") return;
    // The copies here are shown at once; what the house has comes when it comes.
    syncSettings().catch(() => undefined);
    readLayouts().catch(() => undefined);
  }, [now]);
  return (
    <>
      {now === "in" && <Frame />}
      {now === "sign-in" && <SignIn />}
      {now === "offline" && <Offline />}
      <BuildNote />
    </>
  );
}

applyPrefs();
keepLast();
let was = connectionStore.get().state;
connectionStore.subscribe(() => {
  const { state, why } = connectionStore.get();
  if (state === "live" && was !== "live") greet().catch(() => undefined); // the clock and the build may be others
  if (state === "refused" && was !== "refused") signedOut.set(why);
  was = state;
});
signedOut.subscribe(() => {
  if (signedOut.get() && phase.get() === "in") phase.set("sign-in");
});
createRoot(document.getElementById("page") as HTMLElement).render(<StrictMode><Page /></StrictMode>);
void start();
if (document.readyState === "complete") void install();
else addEventListener("load", () => void install());
