/** Returns in a column: all in percent, with as many digits as the smallest of them takes to be seen. Pure. */
import * as d from "../kit/decimal";

const SMALL = "0.0005";
/** Two, or four where one of them is nearer to nothing than 0.05 %. */
export const placesOf = (values: readonly string[]): 2 | 4 => (values.some((each) => d.sign(each) !== 0 && d.compare(d.abs(each), SMALL) < 0) ? 4 : 2);
export const inPercent = (value: string, places: number): string => d.text(d.rescale(d.mul(value, "100"), places));
