/** One message: its fields in words beside its bytes; what is pointed at in one is lit in the other. */
import { memo, type ReactNode, useEffect, useMemo, useState } from "react";
import { api, ok, type Schemas } from "../client/api";
import { type Asked, useAsked } from "../kit/asked";
import { dayTime, number, zoneName } from "../kit/format";
import { Segmented } from "../kit/Segmented";
import { ErrorPanel, Loading } from "../kit/states";
import { provide } from "../shell/keys";
import { address, setQuery } from "../shell/routes";
import { useAccountId } from "../shell/session";
import { bytesOf, chain, differing, type Field, flat, letter, type Span, spans, written } from "./wire";

type Message = Schemas["MessageReply"];
const ORDERS = /^(?!NONE$)[\w.-]+\.\d+$/i;

const useMessage = (id: string | undefined): Asked<Message> => useAsked(id ? `message ${id}` : "", () => ok(api.GET("/api/fix/messages/{message_id}", { params: { path: { message_id: id ?? "" } } })));

export function MessagePanel({ id, vs, bytes }: { id: string; vs: string | undefined; bytes: boolean }) {
  const asked = useMessage(id);
  const other = useMessage(vs && vs !== id ? vs : undefined);
  const found = asked.data;
  const fields = useMemo(() => (found ? flat(found.fields) : []), [found]);
  const order = chain(fields);
  const followOrder = (): void => setQuery({ q: order, session: null, way: null });
  useEffect(() => provide("FIX message", [
    { title: "Raw text or bytes", keys: "b", run: () => setQuery({ raw: bytes ? null : "bytes" }) },
    { title: "Follow the order of this message", keys: "f", unless: () => (order ? "" : "it is about no order"), run: followOrder },
    { title: vs && vs !== id ? "Stop comparing" : vs === id ? "Unmark this message" : "Mark this message to compare", keys: "x", run: () => setQuery({ vs: vs ? null : id }) },
  ]), [bytes, order, vs, id]);
  if (!found) return <aside className="panel message-panel" data-panel aria-label="Message">{asked.problem ? <ErrorPanel problem={asked.problem} retry={asked.again} /> : <Loading rows={8} waitsFor={`Reading message ${id}`} />}</aside>;
  return (
    <aside className="panel message-panel" data-panel aria-label="Message">
      <header>
        <h2>{found.name || "Unknown type"} <span className="mono dim">{found.msg_type}</span></h2>
        <span className="label at">{found.direction === "in" ? "← received" : "→ sent"} {dayTime(found.at, "us")} {zoneName()}, {found.session}, {number(String(found.octets))} bytes, read by {found.dictionary}</span>
        <div className="end">
          {order && <button type="button" className="button quiet" onClick={followOrder}>Follow order <kbd>f</kbd></button>}
          <button type="button" className="button quiet" aria-pressed={vs === id} onClick={() => setQuery({ vs: vs ? null : id })}>{vs && vs !== id ? "Stop comparing" : vs === id ? "Marked" : "Mark"} <kbd>x</kbd></button>
          <button type="button" className="button quiet" onClick={() => setQuery({ id: null, vs: null })}>Close <kbd>Esc</kbd></button>
        </div>
      </header>
      {found.garbled && <p className="bad-line"><span className="chip warn">! garbled</span> {found.garbled}. Its bytes are shown as they came.</p>}
      {vs === id && <p className="bad-line label" role="status">Marked. Choose another message to see what differs.</p>}
      {vs && vs !== id ? <Difference one={other} two={found} fields={fields} /> : <Both message={found} fields={fields} bytes={bytes} />}
    </aside>
  );
}

function Both({ message, fields, bytes }: { message: Message; fields: readonly Field[]; bytes: boolean }) {
  const [lit, setLit] = useState(-1);
  const raw = useMemo(() => bytesOf(message.hex), [message]);
  const places = useMemo(() => spans(raw, fields), [raw, fields]);
  return (
    <div className="both" onPointerLeave={() => setLit(-1)}>
      <div className="scroll half" tabIndex={0} role="region" aria-label="Fields"><Fields fields={fields} lit={lit} onLit={setLit} /></div>
      <div className="scroll half" tabIndex={0} role="region" aria-label="Bytes">
        <div className="raw-head">
          <Segmented label="How the bytes are shown" value={bytes ? "bytes" : "text"} choices={[{ value: "text", label: "Raw" }, { value: "bytes", label: "Bytes" }]} onChange={(value) => setQuery({ raw: value === "bytes" ? value : null })} />
          <kbd>b</kbd>
          <button type="button" className="button quiet" onClick={() => void navigator.clipboard.writeText(message.raw)}>Copy</button>
        </div>
        {bytes ? <Dump raw={raw} places={places} lit={lit} onLit={setLit} /> : <Text raw={raw} places={places} lit={lit} onLit={setLit} />}
        <p className="label">Passwords and signatures are starred out, byte for byte.</p>
        <Trail id={message.id} />
      </div>
    </div>
  );
}

/** What became of it, from the wire to storage, in one trace. */
function Trail({ id }: { id: string }) {
  const [isOpen, setOpen] = useState(false);
  const account = useAccountId();
  const asked = useAsked(isOpen ? `trail ${id}` : "", () => ok(api.GET("/api/fix/messages/{message_id}/trail", { params: { path: { message_id: id } } })));
  return (
    <details className="trail" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>What became of it</summary>
      {isOpen && !asked.data && (asked.problem ? <ErrorPanel problem={asked.problem} retry={asked.again} /> : <Loading rows={4} waitsFor="Following it" />)}
      {asked.data && (
        <>
          <p className="label">Trace <span className="mono">{asked.data.trace_id}</span></p>
          <ol>
            {asked.data.steps.map((step, nth) => (
              <li key={nth}>
                <span className="label">{step.stage}{step.at && <> {dayTime(step.at, "us")}</>}{step.position != null && <> @{number(String(step.position))}</>}</span>{" "}
                {step.stage === "security" && step.reference ? <a href={address("fix", ["alerts", step.reference], { account })}>{step.said}</a> : step.said}
                {step.trace_id !== asked.data?.trace_id && <span className="label"> of trace <span className="mono">{step.trace_id}</span></span>}
              </li>
            ))}
          </ol>
        </>
      )}
    </details>
  );
}

interface LitProps {
  lit: number;
  onLit: (field: number) => void;
}

const Fields = memo(function Fields({ fields, lit, onLit }: LitProps & { fields: readonly Field[] }) {
  const account = useAccountId();
  return (
    <table className="table fields" aria-label="Fields">
      <thead><tr><th scope="col" className="num">Tag</th><th scope="col">Name</th><th scope="col">Value</th><th scope="col">Meaning</th></tr></thead>
      <tbody>
        {fields.map((field, nth) => (
          <tr key={nth} className={nth === lit ? "lit" : undefined} onPointerEnter={() => onLit(nth)}>
            <td className="num mono">{field.tag}</td>
            <td style={field.depth ? { paddingInlineStart: 8 + field.depth * 16 } : undefined}>{field.name || <span className="dim">not in the dictionary</span>}{field.entry && <span className="label"> {field.entry}</span>}</td>
            <td className="mono value">{field.tag === 37 && ORDERS.test(field.value) ? <a href={address("order", [field.value], { account })}>{field.value}</a> : field.value}</td>
            <td className="meaning">{field.meaning && field.meaning !== field.value ? said(field.meaning) : ""}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
});

/** "PARTIALLY_FILLED" of a dictionary, as people write it. */
const said = (meaning: string): string => (/^[A-Z0-9_]+$/.test(meaning) ? meaning.charAt(0) + meaning.slice(1).toLowerCase().replace(/_/g, " ") : meaning);

const Text = memo(function Text({ raw, places, lit, onLit }: LitProps & { raw: Uint8Array; places: readonly Span[] }) {
  return (
    <p className="wire mono">
      {places.map(({ field, from, to }) => {
        const text = written(raw.subarray(from, to));
        const ends = text.endsWith("␁");
        return <span key={from} className={field === lit && lit >= 0 ? "lit" : field < 0 ? "stray" : undefined} onPointerEnter={() => onLit(field)}>{ends ? text.slice(0, -1) : text}{ends && <span className="soh">␁</span>}<wbr /></span>;
      })}
    </p>
  );
});

const ROW = 16;

function Dump({ raw, places, lit, onLit }: LitProps & { raw: Uint8Array; places: readonly Span[] }) {
  const of = useMemo(() => {
    const found = new Int32Array(raw.length).fill(-1);
    for (const { field, from, to } of places) found.fill(field, from, to);
    return found;
  }, [raw, places]);
  const rows: ReactNode[] = [];
  for (let at = 0; at < raw.length; at += ROW) rows.push(<DumpRow key={at} raw={raw} of={of} at={at} lit={lit} onLit={onLit} />);
  return <div className="dump mono">{rows}</div>;
}

function DumpRow({ raw, of, at, lit, onLit }: LitProps & { raw: Uint8Array; of: Int32Array; at: number }) {
  const end = Math.min(at + ROW, raw.length);
  const parts: { field: number; from: number; to: number }[] = [];
  for (let nth = at; nth < end; nth += 1) {
    const field = of[nth] ?? -1;
    const last = parts.at(-1);
    if (last && last.field === field) last.to = nth + 1;
    else parts.push({ field, from: nth, to: nth + 1 });
  }
  const cell = (show: (byte: number) => string, between: string): ReactNode => parts.map(({ field, from, to }) => <span key={from} className={field === lit && lit >= 0 ? "lit" : undefined} onPointerEnter={() => onLit(field)}>{Array.from(raw.subarray(from, to), show).join(between)}{between && to < end ? between : ""}</span>);
  return (
    <div>
      <span className="dim">{at.toString(16).padStart(4, "0")}</span>
      <span className="hexes">{cell((byte) => byte.toString(16).padStart(2, "0"), " ")}</span>
      <span aria-hidden="true">{cell((byte) => (byte >= 32 && byte < 127 ? letter(byte) : "·"), "")}</span>
    </div>
  );
}

function Difference({ one, two, fields }: { one: Asked<Message>; two: Message; fields: readonly Field[] }) {
  const marked = one.data;
  if (!marked) return one.problem ? <ErrorPanel problem={one.problem} retry={one.again} /> : <Loading rows={4} waitsFor="Reading the marked message" />;
  const lines = differing(flat(marked.fields), fields);
  return (
    <div className="scroll half" tabIndex={0} role="region" aria-label="Difference">
      <table className="table fields" aria-label="What differs">
        <thead><tr><th scope="col" className="num">Tag</th><th scope="col">Name</th><th scope="col">Marked, {marked.name} {marked.seq_num}</th><th scope="col">This, {two.name} {two.seq_num}</th></tr></thead>
        <tbody>
          {lines.map(({ tag, name, left, right }, nth) => (
            <tr key={nth}><td className="num mono">{tag}</td><td>{name}</td><td className="mono value">{left ? left.value : <span className="dim">not there</span>}</td><td className="mono value">{right ? right.value : <span className="dim">not there</span>}</td></tr>
          ))}
          {!lines.length && <tr><td colSpan={4}>Nothing differs.</td></tr>}
        </tbody>
      </table>
    </div>
  );
}
