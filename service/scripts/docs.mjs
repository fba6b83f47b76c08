// `npm run docs`: writes the reference tables of the README from the built program and openapi.yaml.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { renderSections, replaceSections } from './docs-tables.mjs';
import { prepare } from './prepare.mjs';

const at = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

await prepare();
// Dynamic, because they do not exist before they are built.
const [{ SETTINGS }, { REFUSALS }, { METRICS }] = await Promise.all([
  import('../../dist/settings.js'),
  import('../../dist/refusals.js'),
  import('../../dist/ops/metric-table.js'),
]);
const openapi = parse(readFileSync(at('service/docs/openapi.yaml'), 'utf8'));
const sections = renderSections({ settings: SETTINGS, refusals: REFUSALS, metrics: METRICS, openapi });
const before = readFileSync(at('README.md'), 'utf8');
const after = replaceSections(before, sections);
if (after === before) {
  console.log('README.md is up to date');
} else {
  writeFileSync(at('README.md'), after);
  console.log('README.md: reference tables written');
}
