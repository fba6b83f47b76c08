import type { Scenario } from '../lib/scenario.ts';
import { createStockClient } from '../lib/stock-client.ts';
import { until } from '../lib/until.ts';

const CLIENTS = 50;
const DEADLINE_MS = 60_000;

/** Clients that begin with polling and upgrade: the ingress' cookie must bring every request to the pod that knows them. */
export const affinity: Scenario = {
  name: 'affinity',
  what: `${CLIENTS} polling clients upgrade`,
  needs: ['install'],
  async run({ options, token }) {
    const clients = Array.from({ length: CLIENTS }, () =>
      createStockClient({ url: options.url.href, kind: 'upgrade', room: 'affinity', token }),
    );
    try {
      await until({
        what: 'all have upgraded',
        deadlineMs: DEADLINE_MS,
        ask: () => {
          const missing = clients.filter((client) => !client.isHere() || client.transport() !== 'websocket').length;
          if (missing > 0) throw new Error(`${missing} of ${CLIENTS} have not`);
          return true;
        },
      });
      const answers = await Promise.all(clients.map((client) => client.whoami()));
      const records = clients.map(({ record }) => record);
      const refused = records.flatMap(({ refusals }) => refusals.map(({ status }) => status));
      const bad = refused.filter((status) => status < 500);
      const outages = records.flatMap((record) => record.outages).length;
      const failed = records.flatMap(({ upgradeErrors }) => upgradeErrors).length;
      const pods = new Set(answers.map(({ pod }) => pod)).size;
      const problems: string[] = [];
      if (bad.length > 0) problems.push(`${bad.length} requests were answered with ${[...new Set(bad)].join(', ')}`);
      if (outages > 0) problems.push(`${outages} clients lost their connection`);
      if (failed > 0) problems.push(`${failed} upgrades failed`);
      if (pods < 2) problems.push('all clients are on one pod, which proves nothing');
      return { problems, note: `${pods} pods, ${bad.length} x 4xx, ${refused.length - bad.length} x 503 by the brake` };
    } finally {
      for (const client of clients) client.stop();
    }
  },
};
