import { Store } from "../kit/store";

/** The order that a pointer is over, in chart or blotter: its fills and its row light up together. */
export const litOrder = new Store<string | null>(null);
