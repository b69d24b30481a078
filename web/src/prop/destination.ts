/** Where somebody is paid, as it is shown and judged before it is sent. Pure. */

/** All but the last four signs; nothing of what is too short to hide a part of. */
export const masked = (text: string): string => (text.length > 8 ? `${"•".repeat(8)}${text.slice(-4)}` : "•".repeat(8));

const AT_STRIPE = /^acct_[A-Za-z0-9]{8,60}$/;
const CARD = /^(?:\d[ -]?){13,19}$/;

/** Why it cannot be so; "" where it may. The house decides again. */
export function mayChange(text: string, before: string, provider: string): string {
  const said = text.trim();
  if (CARD.test(said)) return "That looks like the number of a card. It does not belong here; tell it to nobody.";
  if (provider === "stripe" && !AT_STRIPE.test(said)) return "An account at Stripe begins with acct_, such as acct_1A2b3C4d5E6f7G";
  return said === before ? "You are paid there already." : "";
}
