import { expect, it } from "vitest";
import { sentence } from "./asked";

const ORDER = { account_id: "demo", symbol: "BTC-USD", side: "buy", ord_type: "limit", order_qty: "0.01", price: "40002", time_in_force: "gtc" };

it.each([
  ["trading.place_order", ORDER, "Buy 0.01 BTC-USD limit 40,002 GTC · demo"],
  ["trading.place_order", { ...ORDER, ord_type: "market", price: null, side: "sell" }, "Sell 0.01 BTC-USD market GTC · demo"],
  ["trading.place_order", { ...ORDER, order_qty: "lots" }, ""],
  ["identity.set_roles", { user: "ada" }, ""],
])("%s reads as one sentence, or as none", (operation, request, said) => expect(sentence(operation, request)).toBe(said));
