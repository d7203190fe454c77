// Imports go one way: main → dashboard → routes → pages → components → hooks → ui → api → util. A folder may use what stands after it, never before.
const order = ["pages", "components", "hooks", "ui", "api", "util"];

const oneWay = order.map((folder, place) => ({
  name: `${folder}-looks-only-down`,
  severity: "error",
  comment: `src/${folder} may import only from itself and from: ${order.slice(place + 1).join(", ") || "nothing"}.`,
  from: { path: `^src/${folder}/` },
  to: { path: `^src/(?!(?:locales|${order.slice(place).join("|")})/)` },
}));

module.exports = {
  forbidden: [
    ...oneWay,
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    {
      name: "product-code-knows-no-tests",
      severity: "error",
      from: { path: "^src/", pathNot: "\\.test\\.ts$" },
      to: { path: "^(?:e2e|scripts)/" },
    },
    {
      name: "ui-knows-no-server",
      severity: "error",
      comment: "ui draws what it is given: no server shapes, no queries.",
      from: { path: "^src/ui/" },
      to: { path: "^src/api/|@tanstack" },
    },
    {
      name: "uplot-behind-one-wrapper",
      severity: "error",
      from: { pathNot: "^src/ui/chart-plot\\.ts$" },
      to: { path: "node_modules/uplot" },
    },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "require", "node", "default", "types"] },
  },
};
