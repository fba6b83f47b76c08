/** What a run leaves: a summary on stdout and, with OUT, three files in that folder. */
import { renderHtml } from './render-html.js';
import { renderText } from './render-text.js';
import { summarise } from './summarise.js';

/** For `handleSummary`: k6 writes what this returns. Nothing when the run ended before any load was made. */
export function writeReports(definition, data) {
  if (data.setup_data === undefined) return {};
  const result = summarise(definition, data);
  const text = renderText(result);
  const { OUT } = definition.params;
  if (OUT === undefined) return { stdout: text };
  return {
    stdout: `${text}reports: ${OUT}\n`,
    [`${OUT}/summary.txt`]: text,
    [`${OUT}/result.json`]: `${JSON.stringify(result, null, 2)}\n`,
    [`${OUT}/report.html`]: renderHtml(result),
  };
}
