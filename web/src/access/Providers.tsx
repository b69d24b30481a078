/** Signing in with a provider of others. */
import { useEffect, useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { leaveFor } from "./arriving";

/** Nothing where the house knows no provider, or does not say. */
export function Providers() {
  const [known, setKnown] = useState<readonly Schemas["ProviderShown"][]>([]);
  const [isLeaving, setLeaving] = useState("");
  useEffect(() => {
    let isOver = false;
    ok(api.GET("/api/users/providers")).then((found) => !isOver && setKnown(found.items), () => undefined);
    return () => {
      isOver = true;
    };
  }, []);
  if (!known.length) return null;
  return (
    <div className="providers">
      {known.map((each) => (
        <button key={each.name} type="button" className="button" disabled={!!isLeaving} onClick={() => { setLeaving(each.name); void leaveFor(each); }}>
          {isLeaving === each.name ? `Going to ${each.label}` : `Sign in with ${each.label}`}
        </button>
      ))}
    </div>
  );
}
