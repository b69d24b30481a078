/** What a person keeps: settings and layouts, in the house (PUT /api/preferences/{name}) with a copy here. */
import { api, ok } from "../client/api";
import { migrated, prefs } from "../kit/prefs";
import { Store } from "../kit/store";

const WAIT_MS = 1_500;
type Json = Record<string, unknown>;

/** One named thing of this person; changes are kept at once here and a moment later in the house. */
export class Kept<T extends Json> {
  readonly store: Store<T>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isReading = false;

  constructor(
    readonly name: string,
    readonly initial: T,
    private readonly migrate: (found: Json) => T,
  ) {
    this.store = new Store(this.#local());
    this.store.subscribe(() => this.#isReading || this.#keep());
  }

  #local(): T {
    try {
      const found = localStorage.getItem(`fondaco.kept.${this.name}`);
      return found ? this.migrate(JSON.parse(found) as Json) : this.initial;
    } catch {
      return this.initial;
    }
  }

  /** Takes what the house has, where it has something. */
  async read(): Promise<void> {
    const found = await ok(api.GET("/api/preferences/{name}", { params: { path: { name: this.name } } }));
    if (!found.version || typeof found.value !== "object" || found.value === null) return;
    this.#isReading = true;
    this.store.set(this.migrate(found.value as Json));
    this.#isReading = false;
    this.#here();
  }

  #here(): void {
    try {
      localStorage.setItem(`fondaco.kept.${this.name}`, JSON.stringify(this.store.get()));
    } catch {
      // No storage: the house has it.
    }
  }

  #keep(): void {
    this.#here();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const value = this.store.get();
      // Once more with the next change, should this one not arrive.
      ok(api.PUT("/api/preferences/{name}", { params: { path: { name: this.name } }, body: { value } })).catch(() => undefined);
    }, WAIT_MS);
  }
}

/** The settings of the page, as the house keeps them. */
const settings = new Kept<Json>("settings", { ...prefs.get() }, (found) => found);

export async function syncSettings(): Promise<void> {
  await settings.read();
  prefs.set({ ...prefs.get(), ...migrated({ ...prefs.get(), ...settings.store.get() }) });
  prefs.subscribe(() => settings.store.set({ ...prefs.get() }));
}
