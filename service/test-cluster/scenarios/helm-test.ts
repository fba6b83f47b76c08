import type { Scenario } from '../lib/scenario.ts';

/** The chart's own tests, as a user runs them after an installation. */
export const helmTest: Scenario = {
  name: 'helm-test',
  what: 'helm test',
  needs: ['install'],
  async run({ release }) {
    const output = await release.test(120);
    const summary = /\d+ passed, \d+ failed/.exec(output)?.[0] ?? 'no summary';
    const isGood = summary === '5 passed, 0 failed';
    return { problems: isGood ? [] : [`helm test ended with "${summary}"`], note: summary };
  },
};
