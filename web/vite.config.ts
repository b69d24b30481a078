import { defineConfig } from "vite";
import { outcome } from "./vite/outcome.ts";

const HOUSE = process.env.FONDACO_HOUSE ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [outcome()],
  build: {
    outDir: process.env.FONDACO_WEB_OUT ?? "../src/fondaco/gateway/web",
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
  },
  html: { cspNonce: "__NONCE__" },
  worker: { format: "es" },
  server: {
    port: 5173,
    proxy: {
      "/api": HOUSE,
      "/docs": HOUSE,
      "/ws": { target: HOUSE.replace(/^http/, "ws"), ws: true },
    },
  },
});
