/** Whether this house is a sandbox, whose time somebody moves; and what time it is there. */
import { api, ok } from "../client/api";
import type { components } from "../client/schema";

export type TestClock = components["schemas"]["ClockReply"];
export type Timer = components["schemas"]["TimerLine"];
export const MOVING_MS = 500;
export const LOOK_MS = 3_000;

export const readClock = (): Promise<TestClock> => ok(api.GET("/api/test-clock", {}));
