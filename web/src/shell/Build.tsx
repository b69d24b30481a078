import { useEffect, useState } from "react";
import { useConnection } from "../live/stores";

/** Offers a new build of the page; never forces it over what somebody is doing. */
export function BuildNote() {
  const { state } = useConnection();
  const [first, setFirst] = useState("");
  const [isNew, setNew] = useState(false);
  useEffect(() => {
    if (state !== "live" || import.meta.env.DEV) return;
    void fetch("/build.json", { cache: "no-store" })
      .then(async (answer) => (answer.ok ? ((await answer.json()) as { build: string }).build : ""))
      .then((build) => {
        if (!build) return;
        if (!first) setFirst(build);
        else if (build !== first) setNew(true);
      })
      .catch(() => undefined);
    // Each time the line comes back.
  }, [state, first]);
  if (!isNew) return null;
  const reload = async (): Promise<void> => {
    const found = await navigator.serviceWorker?.getRegistration();
    found?.waiting?.postMessage("take over");
    location.reload();
  };
  return (
    <div className="build" role="status">
      <span>The house serves a newer page.</span>
      <button type="button" className="button" onClick={() => void reload()}>Reload</button>
      <button type="button" className="button quiet" onClick={() => setNew(false)}>Later</button>
    </div>
  );
}
