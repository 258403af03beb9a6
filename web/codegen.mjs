// Writes src/gql/graphql.ts from the schema and every .graphql file under src.
// With --check it writes nothing and fails when the file is out of date.
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { preset } from "@graphql-codegen/client-preset";
import { codegen } from "@graphql-codegen/core";
import { buildASTSchema, parse } from "graphql";

const root = import.meta.dirname;
const schemaPath = join(root, "../schema.graphql");
const target = join(root, "src/gql/graphql.ts");

function readDocuments() {
  const names = readdirSync(join(root, "src"), { recursive: true });
  const paths = names.filter((name) => name.endsWith(".graphql")).sort();
  return paths.map((name) => {
    const location = join(root, "src", name);
    const rawSDL = readFileSync(location, "utf8");
    return { location: relative(root, location), rawSDL, document: parse(rawSDL) };
  });
}

async function generate() {
  const schema = parse(readFileSync(schemaPath, "utf8"));
  const sections = await preset.buildGeneratesSection({
    baseOutputDir: "src/gql/",
    schema,
    schemaAst: buildASTSchema(schema),
    documents: readDocuments(),
    config: {
      useTypeImports: true,
      strictScalars: true,
      scalars: { UUID: "string", DateTime: "string", Decimal: "string", JSON: "unknown" },
    },
    presetConfig: { fragmentMasking: false },
    plugins: [],
    pluginMap: {},
    pluginContext: {},
    documentTransforms: [],
  });
  const section = sections.find(({ filename }) => filename.endsWith("/graphql.ts"));
  return codegen(section);
}

const text = await generate();
if (!process.argv.includes("--check")) {
  writeFileSync(target, text);
} else if (!existsSync(target) || readFileSync(target, "utf8") !== text) {
  console.error("src/gql/graphql.ts is out of date: run `npm run codegen`");
  process.exitCode = 1;
}
