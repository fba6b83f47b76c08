import type { CrowdReport } from './crowd.ts';
import type { Outcome, World } from './scenario.ts';

/** What is done, and what it must not cost. */
export interface Fault {
  /** Resolves once the installation has settled. */
  act(): Promise<readonly string[]>;
  /** Whether clients that were there must have heard everything. */
  readonly isGraceful: boolean;
  /** Most outages that clients may see; unlimited unless told. */
  readonly mostOutages?: number;
}

// New sessions per second and pod that the test's values allow.
export const BRAKE = 40;
const BACK_MS = 45_000;
// A client sees a session begin a little later than the server let it in, and not always by the same time.
const SEEN_LATE = 1.25;

/** Does something to the installation while the crowd is there, and judges what that did to the crowd. */
export async function underLoad(world: World, fault: Fault): Promise<Outcome> {
  const { crowd, publisher } = world;
  const problems: string[] = [];
  const since = Date.now();
  problems.push(...(await fault.act()));
  await crowd.gathered(BACK_MS).catch((error: Error) => problems.push(error.message));
  const last = await publisher.next(BACK_MS);
  await crowd.heard(last, 10_000).catch((error: Error) => problems.push(error.message));
  const report = crowd.report(
    since,
    publisher.publishes().filter(({ n }) => n < last),
  );
  problems.push(...brokenPromises(report, fault));
  const failures = Object.entries(publisher.problems(since)).map(([what, times]) => `${times} ${what}`);
  return {
    problems,
    report,
    ...(failures.length === 0 ? {} : { note: `publisher tried again: ${failures.join(', ')}` }),
  };
}

function brokenPromises(report: CrowdReport, { isGraceful, mostOutages }: Fault): string[] {
  const problems: string[] = [];
  if (report.ends.length > 0) problems.push(`${report.ends.length} clients were sent away for good: ${report.ends[0]}`);
  if (report.podPeak > BRAKE * SEEN_LATE)
    problems.push(`one pod took ${report.podPeak} new sessions in a second; its brake allows ${BRAKE}`);
  if (isGraceful && report.lostHere > 0)
    problems.push(`${report.lostHere} messages did not reach clients that were there all the time`);
  if (mostOutages !== undefined && report.outages > mostOutages)
    problems.push(`${report.outages} outages; there should be ${mostOutages} at the most`);
  return problems;
}
