/** What goes on working when somebody can come in no more: by whose account it is. Pure. */
import type { Schemas } from "../client/api";

export type Working = Schemas["OrderLine"];

/** Every state in which an order may still be filled. */
export const WORKING = "pending_new,new,partially_filled,pending_cancel,pending_replace,suspended,unknown";

export interface LeftWorking {
  /** On accounts that were opened for them alone. */
  theirs: readonly Schemas["WorkingOrder"][];
  /** How many, on accounts that others trade on, too. */
  shared: number;
}

/** `own` are accounts of their assessments, `others` those of other people's. */
export function leftBy(orders: readonly Working[], own: ReadonlySet<string>, others: ReadonlySet<string>): LeftWorking {
  return {
    theirs: orders.filter((each) => own.has(each.account_id)),
    shared: orders.filter((each) => !own.has(each.account_id) && !others.has(each.account_id)).length,
  };
}
