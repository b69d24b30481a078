import { useState } from "react";
import { Dialog } from "../kit/Dialog";
import { Select } from "../kit/Field";
import { number, zoneName } from "../kit/format";
import { change, type Confirm, type Density, type Direction, grounds, type Grouping, prefs, type Theme } from "../kit/prefs";
import { doubts } from "../kit/colour";
import { Segmented } from "../kit/Segmented";
import { play, type Sound, TONES } from "../kit/sound";
import { useStore } from "../kit/store";
import { commands, keysOf } from "./keys";
import { canUndo, choose, exported, imported, layouts, names, remove, reset, saveAs, undo } from "./layouts";

const ZONES = ["UTC", "local", "America/New_York", "America/Chicago", "Europe/London", "Europe/Zurich", "Asia/Hong_Kong", "Asia/Singapore", "Asia/Tokyo"];
const GROUPINGS: readonly (readonly [Grouping, string])[] = [
  ["en", "1,234.56"], ["de", "1.234,56"], ["fr", "1 234,56"], ["ch", "1’234.56"], ["plain", "1234.56"],
];

export function Settings({ onClose }: { onClose: () => void }) {
  const now = useStore(prefs);
  return (
    <Dialog title="Settings" open onClose={onClose} wide className="settings">
      <section>
        <h3>Looks</h3>
        <Row name="Theme"><Segmented<Theme> label="Theme" value={now.theme} onChange={(theme) => change({ theme })} choices={[{ value: "dark", label: "Dark" }, { value: "light", label: "Light" }, { value: "system", label: "As the system" }]} /></Row>
        <Row name="Density"><Segmented<Density> label="Density" value={now.density} onChange={(density) => change({ density })} choices={[{ value: "dense", label: "Dense" }, { value: "comfortable", label: "Comfortable" }]} /></Row>
        <Row name="Up and down" said="Sign, word and place always say it too.">
          <Segmented<Direction> label="Up and down" value={now.direction} onChange={(direction) => change({ direction })} choices={[{ value: "house", label: "Teal, vermilion" }, { value: "blue", label: "Blue, orange" }, { value: "classic", label: "Green, red" }, { value: "own", label: "My own" }]} />
          {now.direction === "own" && <OwnColours />}
          <label className="check"><input type="checkbox" checked={now.swap} onChange={(event) => change({ swap: event.target.checked })} /> Swapped <span className="gain">+1.20</span> <span className="loss">−1.20</span></label>
        </Row>
        <Row name="Flashes"><label className="check"><input type="checkbox" checked={now.flash} onChange={(event) => change({ flash: event.target.checked })} /> One tint when the last price or an own order changes</label></Row>
        <Row name="Sounds">
          <label className="check"><input type="checkbox" checked={now.sounds} onChange={(event) => change({ sounds: event.target.checked })} /> A sound for own fills, cancels and refusals, and when the line is cut</label>
          <div className="inline">{(Object.keys(TONES) as Sound[]).map((sound) => <button key={sound} type="button" className="button" onClick={() => play(sound, true)}>{sound[0]!.toUpperCase() + sound.slice(1)}</button>)}</div>
        </Row>
      </section>
      <section>
        <h3>Numbers and times</h3>
        <Row name="Grouping"><Select label="Grouping" value={now.grouping} choices={GROUPINGS} onChange={(grouping) => change({ grouping })} said={`${number("1234567.50", { grouping: now.grouping })}; both separators are understood where you type.`} /></Row>
        <Row name="Time zone"><Select label="Time zone" value={now.zone} choices={ZONES.map((zone) => [zone, zone === "local" ? `This machine's: ${zoneName("local")}` : zone] as const)} onChange={(zone) => change({ zone })} /></Row>
      </section>
      <section>
        <h3>Orders</h3>
        <Row name="Confirm" said={`Unusual: market orders, prices more than ${now.unusualBps} bp through the touch, ${now.unusualTimes} times your usual size, what flips a position or eats ${now.unusualDepth} % of the visible depth, another account than the last.`}>
          <Segmented<Confirm> label="Confirm orders" value={now.confirm} onChange={(confirm) => change({ confirm })} choices={[{ value: "always", label: "Always" }, { value: "unusual", label: "Unusual ones" }, { value: "never-armed", label: "Never while armed" }]} />
        </Row>
        <Row name="After sending"><label className="check"><input type="checkbox" checked={now.clearQty} onChange={(event) => change({ clearQty: event.target.checked })} /> Empty the quantity</label></Row>
      </section>
      <Keys />
      <Layouts />
    </Dialog>
  );
}

/** Any two colours, and what somebody would not see with them. */
function OwnColours() {
  const { ownUp, ownDown } = useStore(prefs);
  return (
    <>
      <div className="inline own-colours">
        {([["Up", "ownUp", ownUp], ["Down", "ownDown", ownDown]] as const).map(([name, key, value]) => (
          <label key={key} className="check"><input type="color" value={value} onChange={(event) => change({ [key]: event.target.value })} /> {name}</label>
        ))}
      </div>
      {doubts(ownUp, ownDown, grounds()).map((said) => <p key={said} className="label doubt">! {said}</p>)}
    </>
  );
}

function Row({ name, said, children }: { name: string; said?: string; children: React.ReactNode }) {
  return (
    <div className="setting">
      <span className="label">{name}</span>
      <div>{children}{said && <p className="label">{said}</p>}</div>
    </div>
  );
}

function Keys() {
  const now = useStore(prefs);
  const [chosen, setChosen] = useState("");
  const list = commands().filter((command) => command.keys);
  const title = chosen || list[0]?.title || "";
  const command = list.find((each) => each.title === title);
  return (
    <section>
      <h3>Keys</h3>
      <Row name="Taken"><label className="check"><input type="checkbox" checked={now.keys} onChange={(event) => change({ keys: event.target.checked })} /> Keys without Ctrl act when no text field has the focus</label></Row>
      {command && (
        <Row name="Another key" said="As it stands on an English keyboard: g x, Shift+A, F2. Empty takes it back.">
          <div className="inline">
            <Select label="Action" value={title} choices={list.map((each) => [each.title, `${each.title} (${keysOf(each)})`] as const)} onChange={setChosen} />
            <div className="field">
              <label className="label" htmlFor="remap">Key</label>
              <span className="in"><input id="remap" key={title} defaultValue={now.remapped[title] ?? ""} placeholder={command.keys} onBlur={(event) => {
                const { [title]: _, ...rest } = now.remapped;
                const said = event.target.value.trim();
                change({ remapped: said ? { ...rest, [title]: said } : rest });
              }} /></span>
            </div>
          </div>
        </Row>
      )}
    </section>
  );
}

function Layouts() {
  const now = useStore(layouts);
  const [name, setName] = useState("");
  const [said, setSaid] = useState("");
  const download = (): void => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([exported()], { type: "application/json" }));
    link.download = "fondaco-layouts.json";
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const upload = async (file: File | undefined): Promise<void> => {
    if (!file) return;
    try {
      imported(await file.text());
      setSaid("Taken in.");
    } catch (error) {
      setSaid(error instanceof SyntaxError ? error.message : "This file cannot be read.");
    }
  };
  return (
    <section>
      <h3>Layouts</h3>
      <Row name="Layout" said={said || "Changes are kept as they are made, in the house and here."}>
        <div className="inline">
          <Select label="Active" value={now.active} choices={names().map((each) => [each, each] as const)} onChange={choose} />
          <button type="button" className="button" disabled={names().length < 2} onClick={() => remove(now.active)}>Remove</button>
          <button type="button" className="button" disabled={!canUndo()} onClick={undo}>Undo</button>
          <button type="button" className="button" onClick={reset}>Reset</button>
        </div>
        <div className="inline">
          <div className="field"><label className="label" htmlFor="layout-name">Save as</label><span className="in"><input id="layout-name" value={name} maxLength={40} onChange={(event) => setName(event.target.value)} /></span></div>
          <button type="button" className="button" disabled={!name.trim()} onClick={() => { saveAs(name.trim()); setName(""); }}>Save</button>
          <button type="button" className="button" onClick={download}>Export</button>
          <label className="button">Import<input className="unseen" type="file" accept="application/json" onChange={(event) => void upload(event.target.files?.[0])} /></label>
        </div>
      </Row>
    </section>
  );
}
