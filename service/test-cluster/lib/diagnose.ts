import { run } from './run.ts';

const DEADLINE_MS = 15_000;

/** What a person would look at first: pods, the latest events, and the ends of the logs. Never rejects. */
export async function diagnose(namespace: string): Promise<string> {
  const all = ['-n', namespace, '-l', 'app.kubernetes.io/name=socketfleet', '--all-containers', '--prefix'];
  const questions = [
    ['get', 'pods', '-n', namespace, '-o', 'wide'],
    ['get', 'events', '-n', namespace, '--sort-by=.lastTimestamp'],
    ['logs', ...all, '--tail=10'],
  ];
  const answers = questions.map(async (args) => {
    const text = await run('kubectl', { args, deadlineMs: DEADLINE_MS }).catch((error: Error) => error.message);
    return `--- kubectl ${args.join(' ')}\n${text.trimEnd().split('\n').slice(-40).join('\n')}\n`;
  });
  return (await Promise.all(answers)).join('');
}
