import { Dialog } from "../kit/Dialog";
import { prefs } from "../kit/prefs";
import { useStore } from "../kit/store";
import { commands, commandsChanged, keysOf } from "./keys";

/** The keys that are valid now, by who takes them. */
export function KeysDialog({ onClose }: { onClose: () => void }) {
  useStore(commandsChanged);
  const { keys } = useStore(prefs);
  const found = commands().filter((command) => keysOf(command));
  const groups = [...new Set(found.map((command) => command.of))];
  return (
    <Dialog title="Keys" open onClose={onClose} wide>
      {!keys && <p>Keys are switched off in the settings; only Ctrl K and Ctrl F6 are taken.</p>}
      <div className="keys">
        {groups.map((group) => (
          <section key={group}>
            <h3 className="label">{group}</h3>
            <dl>
              {found.filter((command) => command.of === group).map((command) => (
                <div key={command.title}>
                  <dt>{command.title}{command.unless?.() ? <span className="dim"> · {command.unless()}</span> : null}</dt>
                  <dd>{keysOf(command).split(" ").map((key, nth) => <kbd key={nth}>{key}</kbd>)}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
