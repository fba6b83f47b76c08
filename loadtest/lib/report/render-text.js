/** The summary in a terminal. Pure. */
import { highlights } from './highlights.js';
import { readable } from './words.js';

const VERDICTS = {
  passed: 'PASSED',
  failed: 'FAILED',
  invalid: 'INVALID: the generator was the bottleneck, or did not finish; nothing is said about the server',
};

/** Lines with a table of numbers, one line per check, and the verdict last. */
export function renderText(result) {
  const { scenario, question, target, startedAt, durationMs, facts, pods, checks, verdict } = result;
  const setUp = Object.entries(facts).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? readable(value) : value}`,
  );
  const rows = highlights(result).map(({ label, text, note = '' }) => [label, text, note]);
  const width = Math.max(...rows.map(([label]) => label.length));
  return [
    '',
    `${scenario}: ${question}`,
    `${target}, ${startedAt.slice(0, 16).replace('T', ' ')} UTC, ${Math.round(durationMs / 1000)} s`,
    setUp.join(', '),
    '',
    ...rows.map(([label, text, note]) => `  ${label.padEnd(width)}  ${text}${note === '' ? '' : `  (${note})`}`),
    `  ${'pods'.padEnd(width)}  ${pods.map(({ name, connections }) => `${name} ${readable(connections)}`).join(', ') || '-'}`,
    '',
    ...checks.map(
      ({ ok, metric, rule, actual, about }) =>
        `  ${ok ? 'ok  ' : 'FAIL'}  ${metric} ${rule}${ok ? '' : ` was ${readable(actual)}`}  ${about}`,
    ),
    '',
    `verdict: ${VERDICTS[verdict]}`,
    '',
  ].join('\n');
}
