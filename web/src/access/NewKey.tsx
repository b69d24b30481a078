/** A new key: for whom, what it may, to which accounts, from where, until when. It begins with reading alone. */
import { useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { Field, Select } from "../kit/Field";
import { day } from "../kit/format";
import { Segmented } from "../kit/Segmented";
import { useStore } from "../kit/store";
import { accounts, useSession } from "../shell/session";
import { Ask, Picks } from "./parts";
import { inDays, listed, wrongNetwork } from "./terms";

type Signing = Schemas["CreateKey"]["signing"];
const LASTS = [["30", "30 days"], ["90", "90 days"], ["365", "1 year"], ["", "Never"]] as const;
type Lasts = (typeof LASTS)[number][0];
const FEW_ACCOUNTS = 12;
const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

export function NewKey({ user, owned, onMade, onClose }: { user: string; owned: readonly string[]; onMade: (key: Schemas["CreatedKey"]) => void; onClose: () => void }) {
  const who = useSession();
  const known = useStore(accounts).map((each) => each.account_id);
  const all = who?.scopes ?? [];
  const [name, setName] = useState("");
  const [whose, setWhose] = useState(user);
  const [scopes, setScopes] = useState<readonly string[]>(all.filter((each) => each.endsWith(":read")));
  const [limited, setLimited] = useState<readonly string[] | null>(null);
  const [networks, setNetworks] = useState("");
  const [lasts, setLasts] = useState<Lasts>("90");
  const [signing, setSigning] = useState<Signing>("");
  const [publicKey, setPublicKey] = useState("");
  const from = listed(networks);
  const wrong = from.map(wrongNetwork).find(Boolean) ?? "";
  const wrongName = name && !NAME.test(name) ? "Small letters, digits, . _ and -, at most 64." : "";
  const ends = inDays(lasts === "" ? null : Number(lasts), Date.now());
  const isReady = NAME.test(name) && !wrong && scopes.length > 0 && (signing !== "ed25519" || publicKey.trim().length >= 43) && limited?.length !== 0;
  const send = async (): Promise<void> => {
    const body = { name, scopes: scopes as Schemas["CreateKey"]["scopes"], accounts: limited as string[] | null, networks: from, expires_at: ends, signing, public_key: publicKey.trim(), user: whose || null };
    onMade(await ok(api.POST("/api/keys", { body })));
  };
  return (
    <Ask title="New key" act="Make the key" wide reasoned={false} ready={isReady} send={send} onDone={() => undefined} onClose={onClose}>
      <div className="two">
        <Field label="Name" value={name} autoComplete="off" spellCheck={false} autoFocus onChange={(event) => setName(event.target.value)} wrong={wrongName} said="Where it will be used: research-desk, backtest-2." />
        <Select label="Whose" value={whose} onChange={setWhose} choices={[["", `${who?.user} (you)`], ...owned.map((each) => [each, `${each} (service account)`] as const)]} said={owned.length ? undefined : "You own no service account."} />
      </div>
      <Picks label="It may" all={all} chosen={scopes} onChange={setScopes} said={scopes.length ? undefined : "A key that may nothing is of no use."} />
      {known.length <= FEW_ACCOUNTS && known.length > 0
        ? <Picks label="To accounts" all={["all of yours", ...known]} chosen={limited ?? ["all of yours", ...known]} disabled={limited ? [] : known} onChange={(chosen) => setLimited(chosen.includes("all of yours") ? null : limited === null ? known.slice(0, 1) : chosen)} />
        : <Field label="To accounts" value={(limited ?? []).join(" ")} className="mono" spellCheck={false} onChange={(event) => setLimited(listed(event.target.value).length ? listed(event.target.value) : null)} said="Parted by blanks; none: all of yours." />}
      <Field label="From networks" value={networks} className="mono" spellCheck={false} placeholder="203.0.113.0/24 2001:db8::/32" onChange={(event) => setNetworks(event.target.value)} wrong={wrong} said={from.length ? `${from.length} ${from.length === 1 ? "network" : "networks"}; from elsewhere it is refused.` : "None: from anywhere."} />
      <div className="two">
        <div className="field"><span className="label">Ends</span><Segmented<Lasts> label="Ends" value={lasts} onChange={setLasts} choices={LASTS.map(([value, label]) => ({ value, label }))} /><span className="said">{ends === null ? "Good until somebody revokes it." : `On ${day(ends)}.`}</span></div>
        <div className="field"><span className="label">Sent as</span><Segmented<Signing> label="Sent as" value={signing} onChange={setSigning} choices={[{ value: "", label: "Token" }, { value: "hmac-sha256", label: "HMAC" }, { value: "ed25519", label: "Ed25519" }]} /><span className="said">{signing ? "It signs each request (RFC 9421)." : "A bearer token, with each request."}</span></div>
      </div>
      {signing === "ed25519" && <Field label="Public key" value={publicKey} className="mono" spellCheck={false} onChange={(event) => setPublicKey(event.target.value)} said="32 bytes as base64url: the house never sees the other half." />}
    </Ask>
  );
}
