/** What somebody asks for, in one sentence where it is an order. Pure. */
import { number } from "../kit/format";

/** "Buy 0.01 BTC-USD limit 40,002 GTC · demo"; "" where it is no order. */
export function sentence(operation: string, request: Readonly<Record<string, unknown>>): string {
  if (operation !== "trading.place_order") return "";
  const said = (name: string): string => (typeof request[name] === "string" ? (request[name] as string) : "");
  const [side, qty, symbol, type] = [said("side"), said("order_qty"), said("symbol"), said("ord_type")];
  if (!side || !symbol || !/^\d+(\.\d+)?$/.test(qty)) return "";
  const price = [said("price"), said("stop_px") && `stop ${said("stop_px")}`].filter(Boolean).map((each) => (/^\d/.test(each) ? number(each) : each));
  const rest = [type.replaceAll("_", " "), ...price, said("time_in_force").toUpperCase()].filter(Boolean).join(" ");
  return `${side.slice(0, 1).toUpperCase()}${side.slice(1)} ${number(qty)} ${symbol} ${rest} · ${said("account_id")}`;
}
