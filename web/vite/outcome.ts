/** What the build leaves besides Vite's own files: a service worker that knows them, and packed copies. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const PACKED = /\.(js|css|html|svg|json|webmanifest)$/;
const SHELL = /^(index|worker|shell|react|inter)/;

/** Files that the shell needs to be shown without a network; other screens are kept once they were seen. */
export function shellFiles(assets: readonly string[]): string[] {
  return assets.filter((name) => SHELL.test(name) && !/\.map$/.test(name)).map((name) => `/assets/${name}`);
}

export function outcome(): Plugin {
  let folder = "";
  return {
    name: "fondaco-outcome",
    apply: "build",
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir);
    },
    closeBundle() {
      const assets = readdirSync(join(folder, "assets")).sort();
      const build = createHash("sha256")
        .update(assets.join("\n"))
        .update(readFileSync(join(folder, "index.html")))
        .digest("hex")
        .slice(0, 16);
      const worker = readFileSync(new URL("./sw.js", import.meta.url), "utf8")
        .replace("__BUILD__", build)
        .replace("__FILES__", JSON.stringify(["/", "/icon.svg", ...shellFiles(assets)]));
      writeFileSync(join(folder, "sw.js"), worker);
      writeFileSync(join(folder, "build.json"), JSON.stringify({ build }));
      for (const path of files(folder)) {
        if (!PACKED.test(path) || path.endsWith("index.html")) continue;
        const content = readFileSync(path);
        if (content.length < 600) continue;
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
        const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
        writeFileSync(`${path}.br`, brotliCompressSync(content, { params }));
      }
    },
  };
}

function files(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
}
