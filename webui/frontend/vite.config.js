// One entry per page, built into webui/static/ with a manifest that webui/assets.py reads.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const pages = ["app", "network", "path", "gaps", "sparql", "funding", "map", "story", "report"];

export default defineConfig({
  base: "./",
  publicDir: here("public"),
  build: {
    outDir: here("../static"),
    emptyOutDir: true,
    manifest: "manifest.json",
    // The bundles hold the code of other people: their licences travel with it.
    license: { fileName: "LICENSES.md" },
    target: ["chrome123", "firefox121", "safari17.5"],
    // A data: address in a style sheet would ask for a wider content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: Object.fromEntries(pages.map((page) => [page, here(`src/entries/${page}.ts`)])),
    },
  },
});
