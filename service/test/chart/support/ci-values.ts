import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CHART } from './helm.ts';

/** Names and paths of the chart's ci/*-values.yaml. */
export const CI_VALUES = readdirSync(join(CHART, 'ci'))
  .filter((name) => name.endsWith('-values.yaml'))
  .map((name) => ({ name, file: join(CHART, 'ci', name) }));
